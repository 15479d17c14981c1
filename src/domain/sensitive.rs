//! Messages that may contain a path or a value from a file.

use super::CleanText;
use std::fmt;
use std::path::Path;

/// Who reads a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Disclosure {
    /// Somebody who may know the patient: everything is shown.
    #[default]
    Named,
    /// Anybody: nothing is shown that may name a patient.
    Anonymous,
}

/// Stands for a path or a value that is not shown.
pub const WITHHELD: &str = "…";

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Part {
    /// The program's own words.
    Words(String),
    /// A path or a value from a file, cleaned for display.
    Private(String),
}

/// A message in which the program's own words are kept apart from paths and values of files.
///
/// Folders and files are often named after patients, so whoever shows the message decides with [`Disclosure`] whether the private
/// parts are shown. [`fmt::Display`] shows them; [`SensitiveText::anonymous`] removes them for good.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SensitiveText {
    parts: Vec<Part>,
}

impl SensitiveText {
    /// A message of the program's own words; `words` must contain neither a path nor text from a file.
    #[must_use]
    pub fn plain(words: impl Into<String>) -> Self {
        Self { parts: vec![Part::Words(words.into())] }
    }

    /// A message that begins with a path.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self::default().path(path)
    }

    /// A message of unknown origin: all of it is private.
    #[must_use]
    pub fn private(text: &str) -> Self {
        Self::default().value(text)
    }

    /// A message of a library, which may contain the path of a file that it was given: from the first word with a slash to the last
    /// one, for a path may contain blanks, it is private.
    #[must_use]
    pub fn foreign(text: &str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        let is_path = |word: &&str| word.contains(['/', '\\']);
        let (Some(first), Some(last)) = (words.iter().position(is_path), words.iter().rposition(is_path)) else {
            return Self::plain(text);
        };
        let joined = |range: &[&str]| range.join(" ");
        let (before, after) = (joined(&words[..first]), joined(&words[last + 1..]));
        let blank = |text: &str| if text.is_empty() { "" } else { " " };
        Self::plain(format!("{before}{}", blank(&before)))
            .value(&joined(&words[first..=last]))
            .words(format!("{}{after}", blank(&after)))
    }

    /// Appends words of the program.
    #[must_use]
    pub fn words(mut self, words: impl Into<String>) -> Self {
        self.parts.push(Part::Words(words.into()));
        self
    }

    /// Appends a path.
    #[must_use]
    pub fn path(self, path: &Path) -> Self {
        self.value(&path.to_string_lossy())
    }

    /// Appends a value from a file, or what a user typed.
    #[must_use]
    pub fn value(mut self, value: &str) -> Self {
        self.parts.push(Part::Private(CleanText::new(value).to_string()));
        self
    }

    /// Appends another message.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| match part {
            Part::Words(text) | Part::Private(text) => text.is_empty(),
        })
    }

    /// Whether it has words of the program, so that an anonymous reader learns something from it.
    #[must_use]
    pub fn has_words(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Words(words) if words.chars().any(char::is_alphabetic)))
    }

    /// The message for a reader.
    #[must_use]
    pub fn shown(&self, to: Disclosure) -> String {
        let shown = |part: &Part| match (part, to) {
            (Part::Words(text), Disclosure::Named | Disclosure::Anonymous)
            | (Part::Private(text), Disclosure::Named) => text.clone(),
            (Part::Private(_), Disclosure::Anonymous) => WITHHELD.to_owned(),
        };
        self.parts.iter().map(shown).collect()
    }

    /// The message without its private parts, whoever reads it.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self::plain(self.shown(Disclosure::Anonymous))
    }
}

impl From<&'static str> for SensitiveText {
    /// What is written in the program names nobody.
    fn from(words: &'static str) -> Self {
        Self::plain(words)
    }
}

impl From<String> for SensitiveText {
    /// A text that was put together may contain anything, so all of it is private.
    fn from(text: String) -> Self {
        Self { parts: vec![Part::Private(text)] }
    }
}

impl fmt::Display for SensitiveText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(Disclosure::Named))
    }
}

/// Keeps a message as one text; what comes back is private as a whole. For `#[serde(with)]`, because a message that could be serialized
/// by itself would leave the program without a decision on who reads it.
pub(super) mod as_text {
    use super::SensitiveText;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::domain) fn serialize<S: Serializer>(text: &SensitiveText, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text.to_string())
    }

    pub(in crate::domain) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SensitiveText, D::Error> {
        String::deserialize(deserializer).map(|text| SensitiveText::private(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_bare_file_name_is_as_private_as_a_path() {
        for path in ["DOE.dcm", "/data/DOE JOHN/IM 1", "C:\\DOE\\IM1"] {
            let text = SensitiveText::plain("no slice could be read; ").path(Path::new(path)).words(": empty file");
            assert_eq!(text.to_string(), format!("no slice could be read; {path}: empty file"));
            assert_eq!(text.shown(Disclosure::Anonymous), "no slice could be read; …: empty file");
            assert_eq!(text.anonymous().to_string(), "no slice could be read; …: empty file");
        }
    }

    #[test]
    fn a_path_in_a_foreign_message_is_private_with_its_blanks() {
        let shown = |text| SensitiveText::foreign(text).shown(Disclosure::Anonymous);
        assert_eq!(shown("cannot map /data/DOE JOHN/model.onnx: no memory"), "cannot map … no memory");
        assert_eq!(shown("the graph has no output"), "the graph has no output");
        let text = "cannot map /data/DOE JOHN/model.onnx: no memory";
        assert_eq!(SensitiveText::foreign(text).to_string(), text);
    }

    proptest! {
        #[test]
        fn no_private_part_reaches_an_anonymous_reader(private in "[A-Z]{4,12}", before in "[a-z ]{0,9}", after in "[a-z ]{0,9}") {
            let text = SensitiveText::plain(before).value(&private).then(SensitiveText::private(&private)).words(after);
            prop_assert!(text.to_string().contains(&private));
            prop_assert!(!text.shown(Disclosure::Anonymous).contains(&private));
            prop_assert!(!text.anonymous().to_string().contains(&private));
        }
    }
}
