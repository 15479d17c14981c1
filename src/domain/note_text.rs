//! Text that a reader writes: a note, or the reason for a deferral.

use super::text::{clean_cluster, cleaned_text};
use std::borrow::Cow;
use std::sync::Arc;
use unicode_segmentation::UnicodeSegmentation;

/// A reader's text of one or more lines, without control, bidirectional, zero-width and private-use characters and with at most two
/// combining marks on a letter. It is never cut: the editor refuses what is longer than [`NoteText::LIMIT`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NoteText(Arc<str>);

impl NoteText {
    /// The longest text that can be typed, in characters.
    pub const LIMIT: usize = 4000;

    /// Cleans a text. Line breaks stay; white space at the ends goes.
    #[must_use]
    pub fn new(raw: &str) -> Self {
        Self(Self::clean(raw).trim().into())
    }

    /// A typed or pasted piece of such a text, with the white space at its ends. All line breaks become LF, tabs become a space.
    #[must_use]
    pub fn clean(raw: &str) -> String {
        let raw = raw.replace("\r\n", "\n");
        raw.graphemes(true).map(|cluster| clean_cluster(cluster, '\n')).collect()
    }

    /// The first line, with "…" if there are more: for places of one line.
    #[must_use]
    pub fn first_line(&self) -> Cow<'_, str> {
        match self.0.split_once('\n') {
            Some((first, _)) => Cow::Owned(format!("{} …", first.trim_end())),
            None => Cow::Borrowed(&self.0),
        }
    }

    /// All lines in one, separated by " / ".
    #[must_use]
    pub fn one_line(&self) -> String {
        self.0.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ")
    }
}

cleaned_text!(NoteText);

#[cfg(test)]
mod tests {
    use super::super::text::is_unsafe;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_stay_and_control_characters_go() {
        let text = NoteText::new(" dens\r\nNOT stable\tuntil MRI\u{1b}[2J\u{202e}\n");
        assert_eq!(text.as_str(), "dens\nNOT stable until MRI[2J");
        assert_eq!((text.first_line().as_ref(), text.one_line()), ("dens …", "dens / NOT stable until MRI[2J".into()));
    }

    #[test]
    fn a_long_text_is_kept_whole() {
        let long = "x y ".repeat(5000);
        assert_eq!(NoteText::new(&long).as_str(), long.trim());
    }

    proptest! {
        #[test]
        fn what_was_saved_loads_as_it_was(raw in any::<String>()) {
            let text = NoteText::new(&raw);
            prop_assert!(text.as_str().chars().all(|c| c == '\n' || !is_unsafe(c)));
            let saved = serde_json::to_string(&text).expect("a text can be saved");
            prop_assert_eq!(serde_json::from_str::<NoteText>(&saved).expect("a saved text"), text);
        }
    }
}
