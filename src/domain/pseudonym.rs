//! Pseudonyms: what stands for patients whose names must not be seen. The same patient has the same one on every screen and in every
//! output. It is made from number and name alone, so that whoever can guess both can check the guess: it keeps a name out of sight and
//! makes nothing anonymous for good.

use super::{CleanText, Patient, Study};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Letters that nobody takes for each other.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Six letters that are the same for the same text.
fn code(of: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    let hash = hasher.finish();
    (0..6).map(|letter| char::from(LETTERS[(hash >> (5 * letter)) as usize % LETTERS.len()])).collect()
}

/// The patient under a pseudonym; age and sex stay.
#[must_use]
pub fn patient(patient: &Patient, study: &str) -> Patient {
    // Without a number or name of a patient, each study is one.
    let whom = if patient.id.is_empty() && patient.name.is_empty() { study } else { "" };
    let name = CleanText::new(&format!("Patient {}", code(&(&patient.id, &patient.name, whom))));
    Patient { name, id: CleanText::default(), ..patient.clone() }
}

/// The study under a pseudonym, without its accession number.
#[must_use]
pub fn study(study: &Study) -> Study {
    Study { patient: patient(&study.patient, study.uid.as_str()), accession: CleanText::default(), ..study.clone() }
}

/// A sentence without the paths in it: folders are often named after patients.
#[must_use]
pub fn without_paths(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let with_path = |word: &&str| word.contains('/');
    let (Some(first), Some(last)) = (words.iter().position(with_path), words.iter().rposition(with_path)) else {
        return text.to_owned();
    };
    let mut kept: Vec<&str> = words[..first].to_vec();
    kept.push("…");
    kept.extend(&words[last + 1..]);
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_has_one_pseudonym_and_no_name() {
        let named =
            |name: &str, id: &str| Patient { name: CleanText::new(name), id: CleanText::new(id), ..Patient::default() };
        let one = patient(&named("DOE, John", "77"), "1.2");
        assert_eq!(one, patient(&named("DOE, John", "77"), "1.3"));
        assert_ne!(one, patient(&named("DOE, Jane", "78"), "1.2"));
        assert_ne!(patient(&named("", ""), "1.2"), patient(&named("", ""), "1.3"));
        assert!(one.name.as_str().starts_with("Patient ") && !one.name.as_str().contains("DOE"));
    }

    #[test]
    fn paths_are_left_out_whole() {
        assert_eq!(without_paths("/data/DOE JOHN/IM1 cannot be read: gone"), "… cannot be read: gone");
        assert_eq!(without_paths("the pixels of slice 3 cannot be read"), "the pixels of slice 3 cannot be read");
    }
}
