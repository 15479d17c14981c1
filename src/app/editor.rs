//! The text being typed in a prompt, with its cursor.
//!
//! Written here because the text belongs to the model, which must not depend on a terminal library, as the editors published as crates
//! do.

use crate::domain::NoteText;
use unicode_segmentation::UnicodeSegmentation;

/// Text that does not fit: nothing of it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overflow {
    /// Characters that were to be inserted.
    pub(super) length: usize,
    /// Characters that still fit.
    pub(super) room: usize,
}

/// A text and a cursor between two of its letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Editor {
    text: String,
    /// A byte at the start of a grapheme cluster, or the end.
    cursor: usize,
}

impl Editor {
    /// A text with the cursor at its end.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The cursor's byte in the text.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Length in characters, as [`NoteText::LIMIT`] counts them.
    #[must_use]
    pub fn length(&self) -> usize {
        self.text.chars().count()
    }

    /// Inserts cleaned text at the cursor: all of it, or nothing if it does not fit.
    pub(super) fn insert(&mut self, raw: &str, has_lines: bool) -> Result<(), Overflow> {
        let mut clean = NoteText::clean(raw);
        if !has_lines {
            clean = clean.replace('\n', " ");
        }
        let (length, room) = (clean.chars().count(), NoteText::LIMIT.saturating_sub(self.length()));
        if length > room {
            return Err(Overflow { length, room });
        }
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
        self.settle();
        Ok(())
    }

    /// Joining texts may make one letter of two: the cursor goes behind it.
    fn settle(&mut self) {
        if self.cursor < self.text.len() {
            let mut starts = self.text.grapheme_indices(true).map(|(at, _)| at);
            self.cursor = starts.find(|at| *at >= self.cursor).unwrap_or(self.text.len());
        }
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.cursor + self.text[self.cursor..].graphemes(true).next().map_or(0, str::len)
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        self.text[self.cursor..].find('\n').map_or(self.text.len(), |at| self.cursor + at)
    }

    fn word_start(&self) -> usize {
        let before = self.text[..self.cursor].trim_end();
        before.char_indices().rev().find(|(_, c)| c.is_whitespace()).map_or(0, |(at, c)| at + c.len_utf8())
    }

    fn word_end(&self) -> usize {
        let rest = &self.text[self.cursor..];
        let blank = rest.len() - rest.trim_start().len();
        rest[blank..].find(char::is_whitespace).map_or(self.text.len(), |at| self.cursor + blank + at)
    }

    /// Moves the cursor.
    pub(super) fn go(&mut self, motion: Motion) {
        self.cursor = match motion {
            Motion::Left => self.before(),
            Motion::Right => self.after(),
            Motion::Home => self.line_start(),
            Motion::End => self.line_end(),
            Motion::WordLeft => self.word_start(),
            Motion::WordRight => self.word_end(),
            Motion::Up => self.other_line(self.line_start().checked_sub(1)),
            Motion::Down => self.other_line(Some(self.line_end() + 1).filter(|at| *at <= self.text.len())),
        };
    }

    /// The same column of the line in which a byte lies; the cursor's own place if there is no such line.
    fn other_line(&self, place: Option<usize>) -> usize {
        let Some(place) = place else { return self.cursor };
        let column = self.text[self.line_start()..self.cursor].graphemes(true).count();
        let start = self.text[..place].rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[start..].split('\n').next().unwrap_or_default();
        start + line.grapheme_indices(true).nth(column).map_or(line.len(), |(at, _)| at)
    }

    /// Deletes between the cursor and where a motion leads.
    pub(super) fn delete(&mut self, motion: Motion) {
        let from = self.cursor;
        self.go(motion);
        let (start, end) = (from.min(self.cursor), from.max(self.cursor));
        self.text.replace_range(start..end, "");
        self.cursor = start;
        self.settle();
    }
}

/// Where the cursor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the motions")]
pub enum Motion {
    Left,
    Right,
    WordLeft,
    WordRight,
    /// To the start of the line.
    Home,
    /// To the end of the line.
    End,
    Up,
    Down,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn motion() -> impl Strategy<Value = Motion> {
        proptest::sample::select(vec![
            Motion::Left,
            Motion::Right,
            Motion::WordLeft,
            Motion::WordRight,
            Motion::Home,
            Motion::End,
            Motion::Up,
            Motion::Down,
        ])
    }

    #[test]
    fn text_is_inserted_and_deleted_at_the_cursor() {
        let mut editor = Editor::new("stable until MRI");
        editor.go(Motion::Home);
        assert_eq!(editor.insert("NOT ", true), Ok(()));
        assert_eq!(editor.text(), "NOT stable until MRI");
        editor.go(Motion::End);
        editor.delete(Motion::WordLeft);
        assert_eq!(editor.text(), "NOT stable until ");
        assert_eq!(editor.insert("\nsee CT", true), Ok(()));
        editor.go(Motion::Up);
        assert_eq!((editor.cursor(), editor.line_start()), (6, 0), "the same column of the line above");
    }

    #[test]
    fn what_does_not_fit_is_refused_whole() {
        let mut editor = Editor::new("x".repeat(NoteText::LIMIT - 3));
        assert_eq!(editor.insert("four", true), Err(Overflow { length: 4, room: 3 }));
        assert_eq!(editor.length(), NoteText::LIMIT - 3);
        assert_eq!(editor.insert("six", true), Ok(()));
    }

    proptest! {
        #[test]
        fn the_cursor_stays_between_letters(
            steps in proptest::collection::vec((motion(), "\\PC{0,4}|\n", 0_u8..3), 1..40),
        ) {
            let mut editor = Editor::default();
            for (motion, text, kind) in steps {
                match kind {
                    0 => editor.go(motion),
                    1 => editor.delete(motion),
                    _ => drop(editor.insert(&text, true)),
                }
                let at_letter = editor.text.grapheme_indices(true).any(|(at, _)| at == editor.cursor);
                prop_assert!(at_letter || editor.cursor == editor.text.len(), "{:?}", editor);
            }
        }
    }
}
