//! Whether a free text contains what identifies a patient.

use super::super::{CleanText, Study};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Shorter words of a name are only found as whole words: they are part of too many others.
const LONG_WORD: usize = 4;
/// Shorter IDs identify nobody in a text full of numbers.
const SHORTEST_ID: usize = 3;
/// This many digits in a row are a date, an ID or an accession number, never a thickness or a kernel.
const DIGITS: usize = 6;
/// Neighboring pieces of a text that may be one word of a name, as in "D-O-E".
const PIECES: usize = 6;

/// Words that describe a scan and are kept even in a text that contains a name: all that the choice of the series looks for, so
/// that the same series is analyzed whether names are shown or not.
const VOCABULARY: [&str; 118] = [
    "ABD",
    "ABDOMEN",
    "ABOVE",
    "ADD",
    "ANKLE",
    "AX",
    "AXIAL",
    "BLADE",
    "BONE",
    "BONELESS",
    "BONEPLUS",
    "BONES",
    "BRAIN",
    "C",
    "CERV",
    "CERVICAL",
    "CERVICALE",
    "CERVICALES",
    "CHEST",
    "CONTRAST",
    "COR",
    "CORONAL",
    "CRANIUM",
    "CSPINE",
    "CT",
    "CTA",
    "D",
    "DERIVED",
    "DETAIL",
    "E",
    "EDGE",
    "ELBOW",
    "FILTERED",
    "FOOT",
    "FREE",
    "HALS",
    "HEAD",
    "HEART",
    "HELICAL",
    "HIP",
    "HUESO",
    "HWS",
    "IMAGE",
    "IP",
    "IV",
    "KNEE",
    "KNOCHEN",
    "LOCALIZER",
    "LSPINE",
    "LUMBAR",
    "LUNG",
    "MAX",
    "MIN",
    "MINIP",
    "MIP",
    "MM",
    "MONITORING",
    "MPR",
    "NATIVE",
    "NECK",
    "NO",
    "O",
    "ORBITS",
    "ORIGINAL",
    "OSEO",
    "OSSEUX",
    "OSSO",
    "OTHER",
    "PELVIS",
    "PREMONITORING",
    "PRIMARY",
    "PROJECTION",
    "RECON",
    "REFORMAT",
    "REFORMATTED",
    "REMOVAL",
    "REMOVED",
    "RENDERING",
    "SACRUM",
    "SAG",
    "SAGITTAL",
    "SCANOGRAM",
    "SCOUT",
    "SECONDARY",
    "SHARP",
    "SHOULDER",
    "SINUS",
    "SINUSES",
    "SKULL",
    "SMARTPREP",
    "SOFT",
    "SPINE",
    "SSD",
    "STANDARD",
    "SUB",
    "SUBTRACTED",
    "SUBTRACTION",
    "SURVIEW",
    "THIN",
    "THORACIC",
    "THORAX",
    "TISSUE",
    "TOPOGRAM",
    "TRACKER",
    "TSPINE",
    "VOLREN",
    "VOLUME",
    "VRT",
    "W",
    "WITH",
    "WITHOUT",
    "WRIST",
    "3D",
    "YA",
    "YB",
    "YC",
    "YD",
    "YE",
];

/// What identifies the patient of one study.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identifiers {
    /// Words of the name, folded, in each way of writing them.
    words: Vec<String>,
    /// PatientID and accession number, folded, without separators.
    numbers: Vec<String>,
}

impl Identifiers {
    /// Those of a study that is not anonymous yet.
    pub(super) fn of(study: &Study) -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut numbers = Vec::new();
        for text in [&study.patient.name, &study.patient.id, &study.accession] {
            for folded in foldings(text.as_str()) {
                let parts = folded.split(|c: char| !c.is_alphabetic());
                words.extend(parts.filter(|word| is_telling(word)).map(str::to_owned));
            }
        }
        for text in [&study.patient.id, &study.accession] {
            for folded in foldings(text.as_str()) {
                let whole: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
                let digits = whole.split(|c: char| !c.is_numeric()).flat_map(|run| [run, run.trim_start_matches('0')]);
                let found = digits.chain([whole.as_str()]).filter(|number| number.chars().count() >= SHORTEST_ID);
                numbers.extend(found.map(str::to_owned));
            }
        }
        for list in [&mut words, &mut numbers] {
            list.sort();
            list.dedup();
        }
        Self { words, numbers }
    }

    /// Whether a text contains a word of the name, the ID, the accession number or a date: in any order, case and spelling of
    /// umlauts, with or without diacritics, and with any separators within.
    pub(super) fn occur_in(&self, text: &str) -> bool {
        has_long_number(text) || foldings(&split_camel_case(text)).iter().any(|folded| self.occur_in_folded(folded))
    }

    fn occur_in_folded(&self, folded: &str) -> bool {
        let letters: String = folded.chars().filter(|c| c.is_alphabetic()).collect();
        let all: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
        let pieces = |part: fn(char) -> bool| -> Vec<&str> {
            folded.split(|c: char| !part(c)).filter(|piece| !piece.is_empty()).collect()
        };
        let (words, tokens) = (pieces(char::is_alphabetic), pieces(char::is_alphanumeric));
        let whole = |wanted: &str, pieces: &[&str]| {
            (1..=PIECES).any(|length| pieces.windows(length).any(|window| window.concat() == wanted))
        };
        self.words.iter().any(|word| {
            let is_long = word.chars().count() >= LONG_WORD || !word.is_ascii();
            whole(word, &words) || (is_long && letters.contains(word.as_str()))
        }) || self.numbers.iter().any(|number| {
            whole(number, &tokens) || (number.chars().count() >= LONG_WORD && all.contains(number.as_str()))
        })
    }

    /// The text; if it contains an identifier, only its words that describe a scan.
    pub(super) fn redact(&self, text: &CleanText) -> CleanText {
        if !self.occur_in(text.as_str()) {
            return text.clone();
        }
        let mut kept = String::new();
        let mut word = String::new();
        for c in text.as_str().chars().chain([' ']) {
            if c.is_alphanumeric() {
                word.push(c);
                continue;
            }
            if VOCABULARY.contains(&word.to_uppercase().as_str()) || is_kernel(&word) {
                kept.push_str(&word);
            }
            word.clear();
            kept.push(c);
        }
        CleanText::new(kept.trim_matches(|c: char| !c.is_alphanumeric()))
    }
}

/// Whether a word is a kernel of Siemens or Canon: a known prefix, two digits, and at most one letter.
fn is_kernel(word: &str) -> bool {
    const PREFIXES: [&str; 11] = ["BL", "BR", "BV", "FC", "HR", "UR", "B", "H", "I", "J", "U"];
    let upper = word.to_uppercase();
    PREFIXES.iter().filter_map(|prefix| upper.strip_prefix(prefix)).any(|rest| {
        let number = rest.trim_end_matches(|c: char| c.is_ascii_uppercase());
        number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit()) && rest.len() <= 3
    })
}

/// Whether a word of a name says who it is: initials do not, in scripts of letters.
fn is_telling(word: &str) -> bool {
    word.chars().count() > 1 || (!word.is_empty() && !word.is_ascii())
}

/// Lower case without diacritics: once with umlauts and the like as their base letters, once as they are transcribed.
fn foldings(text: &str) -> Vec<String> {
    let plain = |text: &str| -> String {
        let marks_apart = text.nfkd().filter(|c| !is_combining_mark(*c));
        marks_apart.flat_map(char::to_uppercase).flat_map(char::to_lowercase).map(base_letter).collect()
    };
    let transcribed: String =
        text.nfc().map(|c| transcription(c).map_or_else(|| c.to_string(), str::to_owned)).collect();
    let (first, second) = (plain(text), plain(&transcribed));
    if first == second { vec![first] } else { vec![first, second] }
}

/// Letters whose stroke is no combining mark.
fn base_letter(c: char) -> char {
    match c {
        'ø' => 'o',
        'ł' => 'l',
        'đ' => 'd',
        'ı' => 'i',
        other => other,
    }
}

fn transcription(c: char) -> Option<&'static str> {
    Some(match c {
        'ä' | 'Ä' | 'æ' | 'Æ' => "ae",
        'ö' | 'Ö' | 'ø' | 'Ø' | 'œ' | 'Œ' => "oe",
        'ü' | 'Ü' => "ue",
        'å' | 'Å' => "aa",
        _ => return None,
    })
}

/// "neckOfDOE" as "neck Of DOE".
fn split_camel_case(text: &str) -> String {
    let mut split = String::new();
    let mut before_lower = false;
    for c in text.chars() {
        if before_lower && c.is_uppercase() {
            split.push(' ');
        }
        before_lower = c.is_lowercase();
        split.push(c);
    }
    split
}

/// Whether a text has a run of digits that is a date or an ID, or a date with separators.
fn has_long_number(text: &str) -> bool {
    let runs: Vec<&str> = text.split(|c: char| !c.is_numeric()).collect();
    let is_year = |run: &&str| run.len() == 4 && (run.starts_with("19") || run.starts_with("20"));
    let is_short = |run: &&str| matches!(run.len(), 1 | 2);
    runs.iter().any(|run| run.chars().count() >= DIGITS)
        || runs.windows(3).any(|three| match three {
            [first, middle, last] => {
                is_short(middle) && ((is_year(first) && is_short(last)) || (is_short(first) && is_year(last)))
            }
            _ => false,
        })
}
