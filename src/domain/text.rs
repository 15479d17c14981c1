//! Text from files, made safe to show.

use std::sync::Arc;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Text from a file in which nothing is left that could steer a terminal: no control, bidirectional, zero-width or
/// private-use character, no more than two combining marks on a letter, at most [`CleanText::LIMIT`] columns.
///
/// There is no way to make one that skips the cleaning; whatever reaches the screen or a log goes through this type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct CleanText(Arc<str>);

impl CleanText {
    /// The longest text kept, in terminal columns; DICOM's longest free text shown (LO) has 64 characters.
    pub const LIMIT: usize = 256;

    /// Cleans decoded text. Line breaks and tabs become a space, other removed characters leave nothing behind.
    #[must_use]
    pub fn new(raw: &str) -> Self {
        if is_plain(raw) {
            return Self(raw.into());
        }
        let mut clean = String::new();
        let mut width = 0;
        for cluster in raw.graphemes(true) {
            let kept = clean_cluster(cluster, ' ');
            let cells = kept.width();
            // A mark with nothing to stand on would join the text before it.
            if cells == 0 {
                continue;
            }
            if width + cells > Self::LIMIT {
                clean.push('…');
                break;
            }
            width += cells;
            clean.push_str(&kept);
        }
        let collapsed = clean.split_whitespace().collect::<Vec<_>>().join(" ");
        Self(collapsed.into())
    }

    /// A DICOM person name (PS3.5 section 6.2.1.2) as it is read: "FAMILY, Given Middle", the first component group only
    /// unless it is empty.
    #[must_use]
    pub fn person_name(raw: &str) -> Self {
        let group = raw.split('=').find(|group| group.chars().any(|c| c != '^' && !c.is_whitespace())).unwrap_or("");
        let mut parts = group.split('^').map(str::trim);
        let family = parts.next().unwrap_or("");
        let given: Vec<&str> = parts.take(2).filter(|part| !part.is_empty()).collect();
        if given.is_empty() { Self::new(family) } else { Self::new(&format!("{family}, {}", given.join(" "))) }
    }
}

/// A grapheme cluster without unsafe characters and with two combining marks at most. Line breaks become `line_break`, tabs a space.
pub(super) fn clean_cluster(cluster: &str, line_break: char) -> String {
    let mut kept = String::new();
    let mut marks = 0;
    for c in cluster.chars() {
        match c {
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => kept.push(line_break),
            '\t' => kept.push(' '),
            _ if is_unsafe(c) => {}
            _ if unicode_normalization::char::is_combining_mark(c) => {
                // A mark on a blank would be left alone where blanks are collapsed, and join the text before it.
                marks += 1;
                if marks <= 2 && kept.chars().any(|base| !base.is_whitespace()) {
                    kept.push(c);
                }
            }
            _ => kept.push(c),
        }
    }
    kept
}

/// What both kinds of cleaned text do: they give their text, print it, and are cleaned again when they are loaded, as a database is
/// a file, too. The type has a constructor `new`.
macro_rules! cleaned_text {
    ($type:ty) => {
        impl $type {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether nothing is left.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer).map(|text| Self::new(&text))
            }
        }
    };
}
pub(super) use cleaned_text;

cleaned_text!(CleanText);

/// Whether cleaning would change nothing, told without looking at letters: printable ASCII, short, single blanks within.
fn is_plain(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    bytes.len() <= CleanText::LIMIT
        && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
        && !raw.starts_with(' ')
        && !raw.ends_with(' ')
        && !raw.contains("  ")
}

pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_and_bidi_characters_are_gone() {
        let hostile = "\u{1b}]0;title\u{7}A\u{1b}[2JB\u{9b}31mC\u{202e}D\u{200b}E\0F";
        assert_eq!(CleanText::new(hostile).as_str(), "]0;titleA[2JB31mCDEF");
    }

    #[test]
    fn marks_stand_on_letters() {
        assert_eq!(CleanText::new("a \u{c46}b \u{301}").as_str(), "a b");
        assert_eq!(CleanText::new("e\u{301}\u{301}\u{301}").as_str(), "e\u{301}\u{301}");
    }

    #[test]
    fn names_read_family_first() {
        assert_eq!(CleanText::person_name("PHANTOM^One^^^").as_str(), "PHANTOM, One");
        assert_eq!(CleanText::person_name("Test^Patient=テスト^患者").as_str(), "Test, Patient");
        assert_eq!(CleanText::person_name("^=山田^太郎").as_str(), "山田, 太郎");
        assert_eq!(CleanText::person_name("").as_str(), "");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_survives(raw in any::<String>()) {
            let clean = CleanText::new(&raw);
            prop_assert!(clean.as_str().chars().all(|c| !is_unsafe(c)));
            prop_assert!(clean.as_str().width() <= CleanText::LIMIT + 1);
            let again = CleanText::new(clean.as_str());
            prop_assert_eq!(again, clean);
        }
    }
}
