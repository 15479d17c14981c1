//! The line of text at the bottom: command palette, filter, and what a decision asks.

use super::Look;
use super::text::{put, put_right, tail, width, wrap};
use crate::app::{Choice, Model, NoticeKind, Offer, Prompt};
use crate::domain::NoteText;
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// Suggestions shown at most.
const SUGGESTIONS: usize = 8;

/// Cells for the keys of a command.
const KEYS: u16 = 14;
/// Lines of a text that a reader writes, shown at most.
const WRITING: usize = 8;
/// Lines of a notice above the prompt.
const NOTICE: usize = 2;

/// Draws the prompt over the last lines; returns what it covers.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, prompt: &Prompt, look: Look<'_>) -> Rect {
    let style = |role| look.theme.style(role);
    let suggestions = model.offers();
    let first = prompt.selected.saturating_sub(SUGGESTIONS - 1);
    let shown: Vec<_> = suggestions.iter().enumerate().skip(first).take(SUGGESTIONS).collect();
    let inner = area.width.saturating_sub(2);
    let notice = model.notice.as_ref().map(|notice| (wrap(&notice.text, inner, NOTICE), notice.kind));
    let (told, kind) = notice.unwrap_or((Vec::new(), NoticeKind::Info));
    let writing = prompt.is_writing().then(|| Page::of(prompt.editor.text(), prompt.editor.cursor(), inner));
    let text_rows = writing.as_ref().map_or(0, |page| page.rows.len().min(WRITING));
    let height = (1 + shown.len() + told.len() + text_rows) as u16;
    let height = height.min(area.height);
    let covered = Rect { y: area.bottom() - height, height, ..area };
    Clear.render(covered, buffer);
    buffer.set_style(covered, style(Role::Text));
    let mut y = covered.y;
    for line in &told {
        let role = if kind == NoticeKind::Error { Role::Error } else { Role::Accent };
        put(buffer, area.x + 1, y, inner, line, style(role));
        y += 1;
    }
    for (index, Offer { name, words, choice }) in shown {
        if index == prompt.selected {
            buffer.set_style(Rect { y, height: 1, ..area }, style(Role::Selection));
        }
        let room = if words.is_empty() { area.width.saturating_sub(4) } else { 22 };
        put(buffer, area.x + 2, y, room, name, style(Role::Key));
        // A single key needs no column of names.
        let mut x = if name.len() == 1 { area.x + 5 } else { area.x + 25 };
        if let Choice::Command(command) = choice {
            let keys = look.keymap.keys_of(model.screen(), *command).join(" ");
            put(buffer, x, y, KEYS, &keys, style(Role::Key));
            x += KEYS + 1;
        }
        put(buffer, x, y, area.right().saturating_sub(x + 2), words, style(Role::Muted));
        y += 1;
    }
    let Some(page) = writing else {
        one_line(buffer, Rect { y: area.bottom() - 1, height: 1, ..area }, prompt, look);
        return covered;
    };
    let counter = format!("{}/{}", prompt.editor.length(), NoteText::LIMIT);
    let keys = "⏎ save · ctrl-j new line · Esc cancel";
    let right = put_right(buffer, area.right() - 1, y, 12, &counter, style(Role::Muted));
    let x = put(buffer, area.x + 1, y, right.saturating_sub(area.x + 2), prompt.sign().trim_end(), style(Role::Key));
    put_right(buffer, right.saturating_sub(2), y, right.saturating_sub(x + 4), keys, style(Role::Faint));
    page.draw(buffer, Rect { x: area.x + 1, y: y + 1, width: inner, height: area.bottom() - y - 1 }, prompt, look);
    covered
}

/// A line with the text around the cursor.
fn one_line(buffer: &mut Buffer, area: Rect, prompt: &Prompt, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    let x = put(buffer, area.x + 1, area.y, area.width.saturating_sub(2), &prompt.sign(), style(Role::Key));
    let room = area.right().saturating_sub(x + 2);
    let (before, after) = prompt.text().split_at(prompt.editor.cursor());
    let x = put(buffer, x, area.y, room, tail(before, room), style(Role::Text));
    cursor(buffer, (x, area.y, area.right().saturating_sub(x + 1)), after, look);
}

/// The letter under the cursor and what follows it.
fn cursor(buffer: &mut Buffer, (x, y, room): (u16, u16, u16), after: &str, look: Look<'_>) {
    let letter = after.graphemes(true).next().filter(|letter| *letter != "\n").unwrap_or(" ");
    let end = put(buffer, x, y, room.max(1), letter, look.theme.style(Role::Cursor));
    let rest = after.strip_prefix(letter).unwrap_or_default();
    put(buffer, end, y, room.saturating_sub(end.saturating_sub(x)), rest, look.theme.style(Role::Text));
}

/// A text over rows of a width: every letter of it is in one of them.
struct Page {
    /// Bytes of each row in the text.
    rows: Vec<Range<usize>>,
    /// The row of the cursor.
    here: usize,
}

impl Page {
    fn of(text: &str, cursor: usize, room: u16) -> Self {
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

    fn draw(&self, buffer: &mut Buffer, area: Rect, prompt: &Prompt, look: Look<'_>) {
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
