//! DICOM unique identifiers.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
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

    /// An identifier of the program's own, the same for the same parts: for what has no UID that identifies it. It shows
    /// nothing of the parts, which may name a patient, and is no DICOM UID.
    #[must_use]
    pub fn derived(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self(format!("derived~{hex}").into())
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

    /// Whether this is a UID as PS3.5 section 9.1 has it: two or more components of digits, divided by dots, at most 64
    /// characters. Components with leading zeros pass: scanners write them, and they identify all the same. Words that an
    /// anonymizer wrote do not pass: they identify nothing.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let mut components = self.0.split('.');
        let root = components.next().is_some_and(|root| matches!(root, "0" | "1" | "2"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let rest: Vec<&str> = components.collect();
        root && self.0.len() <= 64 && !rest.is_empty() && rest.into_iter().all(digits)
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
    fn placeholders_are_no_identifiers() {
        for valid in ["1.2.840.10008.1.2", "2.25.305828488182831875890203105390285383139", "1.2.03"] {
            assert!(Uid::from_file(valid).is_valid(), "{valid}");
        }
        for placeholder in ["", "0", "1", "anonymized", "1.2.x", "1..2", "1.2.", ".1.2", "3.1", "REMOVED", "1.2.3 "] {
            let uid = Uid::from_file(placeholder);
            assert_eq!(uid.is_valid(), placeholder == "1.2.3 ", "{placeholder}: only padding may be taken off");
        }
        assert!(!Uid::from_file(&format!("1.{}", "9".repeat(70))).is_valid());
    }

    #[test]
    fn what_was_kept_comes_back_the_same() {
        let derived = Uid::derived(&["folder", "DOE"]);
        assert!(!derived.is_valid() && !derived.as_str().contains("DOE") && derived != Uid::derived(&["folderDOE"]));
        let files = ["1.2.840", "../x", &"9".repeat(3000)].map(Uid::from_file);
        for uid in files.into_iter().chain([derived]) {
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
