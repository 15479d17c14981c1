//! Pseudonyms: codes shown instead of patients' names and IDs.
//!
//! A pseudonym is a keyed hash (HMAC-SHA-256, RFC 2104) of the patient's ID and name. The key is a random secret of one database
//! and never leaves it, so that nobody who knows a name can check a guess without the database. One database gives one patient the
//! same pseudonym on every screen and in every output, in every release.
//!
//! - `identifiers`: whether a free text contains a patient's name or ID;
//! - `redact`: studies and what belongs to them without anything that names the patient.

mod identifiers;
mod redact;

pub use redact::{LEFT_OUT, annotation, kept_window_name, log_entry};

use super::{CleanText, Patient, Uid};
use hmac::{Hmac, KeyInit, Mac};
use identifiers::Identifiers;
use sha2::Sha256;
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// Letters and digits that nobody confuses: no I, O, 0 and 1. Each stands for five bits.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Characters of a pseudonym: 65 bits.
const CHARACTERS: usize = 13;

/// What is hashed. The tag keeps hashes of different things apart; a new encoding gets a new number in it.
#[derive(Debug, Clone, Copy)]
enum Subject {
    /// PatientID and PatientName together.
    Patient,
    /// A study whose files name no patient.
    Study,
    /// PatientID alone, to find a patient's other studies.
    PatientId,
    /// An identifier that is not a valid UID and may contain a name.
    Uid,
}

impl Subject {
    fn tag(self) -> &'static [u8] {
        match self {
            Self::Patient => b"cspine/1/patient",
            Self::Study => b"cspine/1/study",
            Self::PatientId => b"cspine/1/patient-id",
            Self::Uid => b"cspine/1/uid",
        }
    }
}

/// The secret of one database.
#[derive(Clone, PartialEq, Eq)]
pub struct PseudonymKey([u8; Self::BYTES]);

impl PseudonymKey {
    /// Bytes of a key, as many as SHA-256 gives (RFC 2104 section 3).
    pub const BYTES: usize = 32;

    /// Takes over a key.
    #[must_use]
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be kept in the database.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Debug for PseudonymKey {
    /// The secret appears in no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(…)")
    }
}

/// How long pseudonyms are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Validity {
    /// As long as the database that holds the key: `P-…`.
    Database,
    /// Until the program ends, because there is no database to hold a key: `S-…`.
    Session,
}

/// Makes pseudonyms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonyms {
    key: PseudonymKey,
    validity: Validity,
}

impl Pseudonyms {
    /// Pseudonyms under a key.
    #[must_use]
    pub const fn new(key: PseudonymKey, validity: Validity) -> Self {
        Self { key, validity }
    }

    /// How long they are valid.
    #[must_use]
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// The patient under a pseudonym: a label instead of the name, a code that only tells equal IDs from different ones instead of the
    /// ID; age and sex stay. If the files give neither name nor ID, every study has its own pseudonym.
    #[must_use]
    pub fn patient(&self, patient: &Patient, study: &Uid) -> Patient {
        let Patient { name, id, age_years, sex } = patient;
        let (id, name) = (normalized_id(id), normalized_name(name));
        let code = if id.is_empty() && name.is_empty() {
            self.code(Subject::Study, &[study.as_str()])
        } else {
            self.code(Subject::Patient, &[&id, &name])
        };
        let label = match self.validity {
            Validity::Database => format!("P-{code}"),
            Validity::Session => format!("S-{code}"),
        };
        let id = if id.is_empty() { String::new() } else { self.code(Subject::PatientId, &[&id]) };
        Patient { name: CleanText::new(&label), id: CleanText::new(&id), age_years: *age_years, sex: *sex }
    }

    /// The identifier itself if it is a valid UID (PS3.5 section 9.1), else a code: what is no UID may contain a name.
    #[must_use]
    pub fn uid(&self, uid: &Uid) -> Uid {
        if uid.is_empty() || is_valid_uid(uid.as_str()) {
            return uid.clone();
        }
        Uid::from_file(&format!("invalid-{}", self.code(Subject::Uid, &[uid.as_str()])))
    }

    /// The first 65 bits of the HMAC of the texts, each preceded by its length so that no two lists give the same bytes.
    fn code(&self, subject: Subject, texts: &[&str]) -> String {
        // RFC 2104 section 2: a key that is shorter than a block of the hash is filled up with zeros.
        let mut block = [0; 64];
        block[..PseudonymKey::BYTES].copy_from_slice(&self.key.0);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        for bytes in std::iter::once(subject.tag()).chain(texts.iter().map(|text| text.as_bytes())) {
            mac.update(&(bytes.len() as u64).to_be_bytes());
            mac.update(bytes);
        }
        let hash = mac.finalize().into_bytes();
        let first = hash.iter().take(16).fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
        let letter = |place: usize| char::from(LETTERS[(first >> (123 - 5 * place)) as usize % LETTERS.len()]);
        (0..CHARACTERS).map(letter).collect()
    }
}

/// Whether a text has the form of a UID (PS3.5 section 9.1): numbers without leading zeros, separated by dots, 64 characters at most.
#[must_use]
pub fn is_valid_uid(text: &str) -> bool {
    let is_number = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'))
    };
    text.len() <= 64 && text.split('.').all(is_number)
}

/// An ID as it is compared: the same characters, however they are composed (Unicode NFKC).
fn normalized_id(id: &CleanText) -> String {
    id.as_str().nfkc().collect::<String>().trim().to_owned()
}

/// A name as it is compared: the same words in the same order, whatever their case and what separates them.
fn normalized_name(name: &CleanText) -> String {
    let folded: String =
        name.as_str().nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect();
    let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
