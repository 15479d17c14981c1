//! DICOM unique identifiers.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// A DICOM unique identifier, as found in a file: at most 64 characters of digits and dots (PS3.5 section 9.1).
///
/// Identifiers that break the standard are kept apart from each other but never printed raw: every character that is not a
/// digit, a dot, a letter or one of `-_` is replaced by `_`, and what passes 64 characters is folded into a hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(Arc<str>);

impl Uid {
    /// Takes an identifier from a file, without its trailing NUL or space padding.
    #[must_use]
    pub fn from_file(raw: &str) -> Self {
        let trimmed = raw.trim_matches(|c: char| c == '\0' || c.is_whitespace());
        let safe: String = trimmed
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
            .collect();
        if safe.len() <= 64 && safe == trimmed {
            return Self(safe.into());
        }
        // FNV-1a, 64 bits: keeps two different bad identifiers different.
        let hash = trimmed
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let head: String = safe.chars().take(40).collect();
        Self(format!("{head}~{hash:016x}").into())
    }

    /// The identifier as text that is safe to print and to use as a file name, except when it is `.`, `..` or empty.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An identifier as [`Uid::as_str`] gave it, which also brings back what was folded.
    #[must_use]
    pub fn from_kept(kept: &str) -> Self {
        let own = kept.len() <= 64 && kept.chars().all(|c| c.is_ascii_alphanumeric() || "._-~".contains(c));
        if own { Self(kept.into()) } else { Self::from_file(kept) }
    }

    /// Whether the file gave no identifier at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Uid {
    /// What was written comes back the same; what was tampered with is taken as from a file.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let own = text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-~".contains(c));
        Ok(if own { Self(text.into()) } else { Self::from_file(&text) })
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proper_identifier_loses_only_its_padding() {
        assert_eq!(Uid::from_file("1.2.840.10008.1.2\0").as_str(), "1.2.840.10008.1.2");
        assert_eq!(Uid::from_file(" 1.2 ").as_str(), "1.2");
    }

    #[test]
    fn what_was_kept_comes_back_the_same() {
        for raw in ["1.2.840", "../x", &"9".repeat(3000)] {
            let uid = Uid::from_file(raw);
            let text = serde_json::to_string(&uid).expect("text");
            assert_eq!(serde_json::from_str::<Uid>(&text).expect("an identifier"), uid);
        }
        assert_eq!(serde_json::from_str::<Uid>(r#""a/b""#).expect("an identifier"), Uid::from_file("a/b"));
    }

    #[test]
    fn hostile_identifiers_stay_apart_and_safe() {
        let one = Uid::from_file("../../etc/passwd\u{1b}[2J");
        let two = Uid::from_file("../../etc/passwd\u{1b}[3J");
        assert_ne!(one, two);
        assert!(one.as_str().chars().all(|c| c.is_ascii_alphanumeric() || "._-~".contains(c)));
        assert!(Uid::from_file(&"9".repeat(3000)).as_str().len() <= 64);
    }
}
