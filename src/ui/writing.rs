//! Text being written: the letter under the cursor, and long texts over rows.

use super::Look;
use super::text::{put, width};
use crate::app::Prompt;
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// The letter under the cursor and what follows it.
pub(super) fn cursor(buffer: &mut Buffer, (x, y, room): (u16, u16, u16), after: &str, look: Look<'_>) {
    let letter = after.graphemes(true).next().filter(|letter| *letter != "\n").unwrap_or(" ");
    let end = put(buffer, x, y, room.max(1), letter, look.theme.style(Role::Cursor));
    let rest = after.strip_prefix(letter).unwrap_or_default();
    put(buffer, end, y, room.saturating_sub(end.saturating_sub(x)), rest, look.theme.style(Role::Text));
}

/// A text over rows of a width: every letter of it is in one of them.
pub(super) struct Page {
    /// Bytes of each row in the text.
    rows: Vec<Range<usize>>,
    /// The row of the cursor.
    here: usize,
}

impl Page {
    /// The text over rows of `room` cells; `cursor` is a byte of the text.
    pub(super) fn of(text: &str, cursor: usize, room: u16) -> Self {
        let mut rows = Vec::new();
        let (mut start, mut used, mut blank) = (0, 0, None);
        // The last column is the cursor's.
        let room = room.saturating_sub(1).max(1);
        for (at, letter) in text.grapheme_indices(true) {
            if letter == "\n" {
                rows.push(start..at);
                (start, used, blank) = (at + 1, 0, None);
                continue;
            }
            let cells = width(letter);
            while used + cells > room && at > start {
                // After a word, if there is one in the row; a wide letter may not fit in the next row either.
                let end = blank.take().filter(|end| *end > start).unwrap_or(at);
                rows.push(start..end);
                (start, used) = (end, width(&text[end..at]));
            }
            used += cells;
            if letter == " " {
                blank = Some(at + letter.len());
            }
        }
        rows.push(start..text.len());
        let here = rows.iter().rposition(|row| row.start <= cursor).unwrap_or(0);
        Self { rows, here }
    }

    /// Rows that the text takes, at least one.
    pub(super) fn height(&self) -> usize {
        self.rows.len()
    }

    /// Draws the rows around the cursor.
    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, prompt: &Prompt, look: Look<'_>) {
        let height = usize::from(area.height).max(1);
        let top = (self.here + 1).saturating_sub(height);
        let (text, place) = (prompt.text(), prompt.editor.cursor());
        for (index, row) in self.rows.iter().enumerate().skip(top).take(height) {
            let y = area.y + (index - top) as u16;
            let Some(line) = text.get(row.clone()) else { continue };
            if index != self.here {
                put(buffer, area.x, y, area.width, line, look.theme.style(Role::Text));
                continue;
            }
            let (before, after) = line.split_at(place.saturating_sub(row.start).min(line.len()));
            let x = put(buffer, area.x, y, area.width, before, look.theme.style(Role::Text));
            cursor(buffer, (x, y, area.right().saturating_sub(x)), after, look);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_letter_is_in_a_row_and_every_row_fits(text in "[a-c \n患]{0,80}", room in 4_u16..20) {
            let page = Page::of(&text, text.len(), room);
            let joined: String = page.rows.iter().map(|row| &text[row.clone()]).collect();
            prop_assert_eq!(joined, text.replace('\n', ""));
            prop_assert!(page.rows.iter().all(|row| width(&text[row.clone()]) < room));
            prop_assert_eq!(page.here, page.rows.len() - 1);
        }
    }
}
