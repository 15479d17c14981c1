use super::super::{Modality, Precedence, Series, SeriesHints, SeriesKind, Study, Units, choose_series, rank_series};
use super::*;
use proptest::prelude::*;

fn pseudonyms() -> Pseudonyms {
    let bytes = std::array::from_fn(|place| u8::try_from(place).unwrap_or_default());
    Pseudonyms::new(PseudonymKey::new(bytes), Validity::Database)
}

fn patient(name: &str, id: &str) -> Patient {
    Patient { name: CleanText::person_name(name), id: CleanText::new(id), ..Patient::default() }
}

fn label(name: &str, id: &str, study: &str) -> String {
    pseudonyms().patient(&patient(name, id), &Uid::from_file(study)).name.to_string()
}

fn study(name: &str, id: &str, description: &str) -> Study {
    Study {
        uid: Uid::from_file("1.2.3"),
        patient: patient(name, id),
        date: None,
        description: CleanText::new(description),
        accession: CleanText::new("ACC-4711"),
        precedence: Precedence::Ordinary,
        series: vec![Series {
            uid: Uid::from_file("1.2.3.4"),
            frame_of_reference: Uid::from_file("1.2.3.5"),
            stack_index: 0,
            number: Some(2),
            description: CleanText::new(description),
            modality: Modality::Ct,
            kernel: CleanText::new("Br60f"),
            body_part: CleanText::new(description),
            hints: SeriesHints {
                image_type: CleanText::new("ORIGINAL\\PRIMARY\\AXIAL"),
                protocol: CleanText::new(description),
                contrast: false,
                units: Units::Hounsfield,
            },
            kind: SeriesKind::Axial,
            fingerprint: None,
            instances: Vec::new(),
            stack: None,
            oddities: Vec::new(),
        }],
        oddities: Vec::new(),
    }
}

/// Computed with Python's hmac module from the documented encoding. A change here renames every patient of every database.
#[test]
fn pseudonyms_stay_the_same_in_every_release() {
    assert_eq!(label("DOE^John", "77", "1.2"), "P-9GSHCQBGYD4V5");
    assert_eq!(label("", "", "1.2"), "P-UT432NXG669Q4");
    assert_eq!(pseudonyms().patient(&patient("DOE^John", "77"), &Uid::from_file("1.2")).id.as_str(), "UMHXDBUJWUHUN");
}

#[test]
fn one_patient_has_one_pseudonym_and_another_patient_another() {
    let one = label("DOE^John", "77", "1.2");
    assert_eq!(one, label("Doe^JOHN", "77 ", "1.3"), "neither case nor study matters");
    for (name, id) in [("DOE^Jane", "77"), ("DOE^John", "78"), ("DOE^John", ""), ("", "77"), ("77", "DOE John")] {
        assert_ne!(one, label(name, id, "1.2"), "{name} {id}");
    }
    assert_ne!(label("", "", "1.2"), label("", "", "1.3"), "a patient without name and ID: one a study");
    let other_key = Pseudonyms::new(PseudonymKey::new([9; 32]), Validity::Database);
    assert_ne!(one, other_key.patient(&patient("DOE^John", "77"), &Uid::from_file("1.2")).name.to_string());
}

#[test]
fn the_id_is_comparable_and_not_readable() {
    let id = |name: &str, id: &str| pseudonyms().patient(&patient(name, id), &Uid::from_file("1.2")).id;
    assert_eq!(id("DOE^John", "77"), id("DOE^J", "77"), "studies of one ID are found together");
    assert_ne!(id("DOE^John", "77"), id("DOE^John", "78"));
    assert!(id("DOE^John", "").is_empty());
}

#[test]
fn a_valid_uid_stays_and_any_other_identifier_becomes_a_code() {
    let uid = |text: &str| pseudonyms().uid(&Uid::from_file(text)).to_string();
    assert_eq!(uid("1.2.840.10008.1"), "1.2.840.10008.1");
    for text in ["DOE-JOHN", "1.2.DOE", "1..2", "1.02", &format!("1.{}", "2".repeat(70))] {
        assert!(uid(text).starts_with("invalid-") && !uid(text).contains("DOE"), "{text}: {}", uid(text));
        assert_eq!(uid(text), uid(text));
    }
}

#[test]
fn a_key_is_in_no_debug_output() {
    assert_eq!(format!("{:?}", PseudonymKey::new([65; 32])), "PseudonymKey(…)");
}

#[test]
fn a_name_is_found_in_every_spelling() {
    let named = Identifiers::of(&study("MÜLLER-LÜDENSCHEIDT^Zoë Li=山田^太郎", "P-001234", ""));
    for text in [
        "Mueller",
        "muller",
        "MÜLLER CT",
        "ct_mueller_neck",
        "M-U-E-L-L-E-R",
        "zoe",
        "ZOË",
        "neckOfZoe",
        "Z O E",
        "Ludenscheidt",
        "L1udenscheidt",
        "Li neck",
        "P-001234",
        "p001234",
        "P 001234 neck",
        "001234",
        "1234",
        "acc4711",
        "ACC 4711",
        "19551102",
        "born 02.11.1955",
        "1955-11-02",
        "tel 5551234",
    ] {
        assert!(named.occur_in(text), "{text:?} names the patient");
    }
    for text in [
        "CT C-SPINE W/O 0.75 Br60 S3",
        "HWS axial 1.0/0.5",
        "Trauma Spirale",
        "limited",
        "bone 0.6 x 0.6 512",
        "CT 98765",
        "ORIGINAL\\PRIMARY\\AXIAL\\CT_SOM5 SPI",
        "",
    ] {
        assert!(!named.occur_in(text), "{text:?} does not");
    }
}

#[test]
fn what_describes_the_scan_stays_in_a_text_with_a_name() {
    let redacted = |text: &str| {
        let study = pseudonyms().study(&study("Doe^John", "P-1234", text));
        assert_eq!(study.series[0].hints.image_type.as_str(), "ORIGINAL\\PRIMARY\\AXIAL");
        study.series[0].description.to_string()
    };
    assert_eq!(redacted("DOE JOHN C-SPINE BONE 1.0"), "C-SPINE BONE");
    assert_eq!(redacted("neck of John's brother Ben"), "neck");
    assert_eq!(redacted("CT neck routine"), "CT neck routine", "what names nobody stays whole");
    assert_eq!(redacted("Doe Br60f FC30 JD60"), "Br60f FC30");
    assert_eq!(redacted("DOE"), "");
}

/// The same series is analyzed whether names are shown or not.
#[test]
fn the_choice_of_the_series_does_not_depend_on_anonymity() {
    let texts = [
        "C-SPINE",
        "NECK BONE",
        "HEAD",
        "MIP",
        "NO BONE",
        "W/O BONE",
        "BONE REMOVAL",
        "SCOUT",
        "CERVICAL",
        "HALS",
        "KNOCHEN",
        "BONE SUBTRACTED",
        "VRT",
        "TOPOGRAM",
        "CHEST",
        "SMARTPREP",
    ];
    for text in texts {
        for with_name in [format!("DOE {text}"), format!("{text} DOE"), format!("{text}_John^Doe"), text.to_owned()] {
            let named = study("DOE^John", "P-1234", &with_name);
            let anonymous = pseudonyms().study(&named);
            assert_eq!(rank_series(&anonymous), rank_series(&named), "{with_name:?}");
            assert_eq!(choose_series(&anonymous).is_ok(), choose_series(&named).is_ok());
            let scores = [&named, &anonymous].map(|study| super::super::scoring::score(&study.series[0]));
            assert_eq!(scores[0], scores[1], "{with_name:?}: {}", anonymous.series[0].description);
        }
    }
}

proptest! {
    /// The label has 65 bits, of letters that nobody confuses, and fits the list's narrowest column.
    #[test]
    fn a_label_is_short_and_shows_nothing(name in "[A-Za-z^ ]{4,20}", id in "[A-Z0-9]{0,12}") {
        let label = label(&name, &id, "1.2");
        prop_assert_eq!(label.len(), 15);
        prop_assert!(label.bytes().skip(2).all(|byte| LETTERS.contains(&byte)));
    }

    #[test]
    fn no_text_of_an_anonymous_study_contains_a_word_of_the_name(
        family in "[A-Z]{4,9}", given in "[A-Z][a-z]{3,8}", before in "[a-z0-9 _^-]{0,12}", after in "[a-zA-Z0-9 _^-]{0,12}", upper in any::<bool>(),
    ) {
        let hidden = |word: &str| if upper { word.to_uppercase() } else { word.to_lowercase() };
        let text = format!("{before}{}{after}{}", hidden(&family), hidden(&given));
        let anonymous = pseudonyms().study(&study(&format!("{family}^{given}"), "P-1234", &text));
        let shown = format!("{:?}", anonymous).to_lowercase();
        let is_word_of_scans = |word: &str| "original primary axial description".contains(word);
        for word in [family.to_lowercase(), given.to_lowercase()] {
            prop_assume!(!is_word_of_scans(&word));
            prop_assert!(!anonymous.description.as_str().to_lowercase().contains(&word), "{shown}");
            prop_assert!(!anonymous.series[0].hints.protocol.as_str().to_lowercase().contains(&word), "{shown}");
        }
    }
}
