//! Studies and what belongs to them, without anything that names the patient.
//!
//! Every struct is taken apart field by field and every enum variant by variant: a new one does not compile before it is decided
//! here whether it may be shown.

use super::super::{
    Act, Annotation, CleanText, KeyImage, Listed, ListedSeries, LogEntry, Modality, NotAnalysed, NotHounsfield,
    NoteText, Oddity, Series, SeriesHints, Study, StudyVerdict, Units, WITHHELD,
};
use super::{Identifiers, Pseudonyms};

/// Replaces a text that a reader wrote freely: anybody may be named in it.
pub const LEFT_OUT: &str = "(left out: anonymous)";

/// Codes of Modality (PS3.3 section C.7.3.1.1.1) that a study of a neck may come with; anything else may be any text.
const MODALITIES: [&str; 24] = [
    "AR", "CR", "CT", "DOC", "DX", "ES", "KO", "MG", "MR", "NM", "OT", "PR", "PT", "PX", "REG", "RF", "RTDOSE",
    "RTPLAN", "RTSTRUCT", "SC", "SEG", "SR", "US", "XA",
];

/// Names of windows that identify nobody: the program's presets and what makers call theirs.
const WINDOW_NAMES: [&str; 25] = [
    "",
    "ABDOMEN",
    "BONE",
    "BONE-DETAIL",
    "BRAIN",
    "CHEST",
    "DEFAULT",
    "HARDER",
    "HEAD",
    "LUNG",
    "MEDIASTINUM",
    "NECK",
    "NORMAL",
    "SOFT",
    "SOFT TISSUE",
    "SOFTER",
    "SPINE",
    "STANDARD",
    "USER",
    "WHOLE RANGE",
    "WINDOW",
    "WINDOW1",
    "WINDOW2",
    "WINDOW3",
    "FILE WINDOW",
];

impl Pseudonyms {
    /// The study under a pseudonym, without its accession number, and without names and IDs in its texts. UIDs stay, because they find
    /// the study, and so do the paths of its files, which are never shown.
    #[must_use]
    pub fn study(&self, study: &Study) -> Study {
        let named = Identifiers::of(study);
        let Study { uid, patient, date, description, accession: _, precedence, series, oddities } = study;
        Study {
            uid: uid.clone(),
            patient: self.patient(patient, uid),
            date: *date,
            description: named.redact(description),
            accession: CleanText::default(),
            precedence: *precedence,
            series: series.iter().map(|series| redacted_series(&named, series)).collect(),
            oddities: oddities.iter().map(Oddity::anonymous).collect(),
        }
    }

    /// A study of the list under a pseudonym.
    #[must_use]
    pub fn listed(&self, listed: &Listed) -> Listed {
        let named = Identifiers::of(&listed.study());
        let Listed { uid, patient, date, description, accession: _, precedence, arrived, slices, series } = listed;
        let series = series.as_ref().map(|series| {
            let ListedSeries { uid, stack, fingerprint, explanation, analysis, preprocessing } = series;
            ListedSeries {
                uid: uid.clone(),
                stack: *stack,
                fingerprint: *fingerprint,
                explanation: named.redact(&CleanText::new(explanation)).to_string(),
                analysis: analysis.as_ref().map(super::super::KeptAnalysis::anonymous),
                preprocessing: *preprocessing,
            }
        });
        Listed {
            uid: uid.clone(),
            patient: self.patient(patient, uid),
            date: *date,
            description: named.redact(description),
            accession: CleanText::default(),
            precedence: *precedence,
            arrived: *arrived,
            slices: *slices,
            series,
        }
    }
}

fn redacted_series(named: &Identifiers, series: &Series) -> Series {
    let Series {
        uid,
        frame_of_reference,
        stack_index,
        number,
        description,
        modality,
        kernel,
        body_part,
        hints: SeriesHints { image_type, protocol, contrast, units },
        kind,
        fingerprint,
        instances,
        stack,
        oddities,
    } = series;
    Series {
        uid: uid.clone(),
        frame_of_reference: frame_of_reference.clone(),
        stack_index: *stack_index,
        number: *number,
        description: named.redact(description),
        modality: match modality {
            Modality::Ct => Modality::Ct,
            Modality::Other(code) => Modality::Other(CleanText::new(&modality_code(code.as_str()))),
            Modality::Unstated => Modality::Unstated,
        },
        kernel: named.redact(kernel),
        body_part: named.redact(body_part),
        hints: SeriesHints {
            image_type: named.redact(image_type),
            protocol: named.redact(protocol),
            contrast: *contrast,
            units: match units {
                Units::Hounsfield => Units::Hounsfield,
                Units::Unconfirmed => Units::Unconfirmed,
                Units::Other(reason) => Units::Other(reason.anonymous()),
            },
        },
        kind: *kind,
        fingerprint: *fingerprint,
        instances: instances.clone(),
        stack: stack.clone(),
        oddities: oddities.iter().map(Oddity::anonymous).collect(),
    }
}

fn modality_code(code: &str) -> String {
    if MODALITIES.contains(&code) { code.to_owned() } else { "another modality".to_owned() }
}

impl NotAnalysed {
    /// The reason without text from files that may name a patient.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        match self {
            Self::NotCt(modality) => Self::NotCt(modality_code(modality)),
            // The program's own words.
            Self::Unsupported(what) => Self::Unsupported(what.clone()),
            Self::NoPictures
            | Self::NoAxialSeries
            | Self::OnlyLocalizers
            | Self::TooFewSlices(_)
            | Self::TooShort(_)
            | Self::TooNarrow(_)
            | Self::Projection
            | Self::NoGeometry(_)
            | Self::Ambiguous(_)
            | Self::NoCervicalSpineIn(_)
            | Self::NoCervicalSpine => self.clone(),
            Self::NotHounsfield(reason) => Self::NotHounsfield(reason.anonymous()),
        }
    }
}

impl NotHounsfield {
    /// The reason without text from files.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        let withheld = || CleanText::new(WITHHELD);
        match self {
            Self::Modality(_) => Self::Modality(withheld()),
            Self::RescaleType(_) => Self::RescaleType(withheld()),
            Self::ImageType(_) => Self::ImageType(withheld()),
            Self::UnitsCode(_) => Self::UnitsCode(withheld()),
            Self::Unconfirmed | Self::EightBit | Self::Values(_) | Self::MixedScales | Self::BitsOutsideStored => {
                self.clone()
            }
        }
    }
}

/// An entry of the log without what its reader wrote freely.
#[must_use]
pub fn log_entry(mut entry: LogEntry) -> LogEntry {
    match &mut entry.draft.act {
        Act::Note { text }
        | Act::Study(StudyVerdict::Deferred { reason: text })
        | Act::ResolveStudy { verdict: StudyVerdict::Deferred { reason: text } } => {
            if !text.is_empty() {
                *text = NoteText::new(LEFT_OUT);
            }
        }
        Act::Study(StudyVerdict::Negative | StudyVerdict::Positive | StudyVerdict::Unreadable)
        | Act::ResolveStudy { verdict: StudyVerdict::Negative | StudyVerdict::Positive | StudyVerdict::Unreadable }
        | Act::Level { .. }
        | Act::ResolveLevel { .. }
        | Act::Precedence { .. }
        | Act::Pin { .. }
        | Act::Stat { .. }
        | Act::Undo { .. } => {}
    }
    entry
}

/// An annotation without what its reader wrote freely.
#[must_use]
pub fn annotation(annotation: Annotation) -> Annotation {
    match annotation {
        Annotation::Measurement(measurement) => Annotation::Measurement(measurement),
        Annotation::KeyImage(image) => Annotation::KeyImage(image.without_remark()),
    }
}

impl KeyImage {
    /// The key image with [`LEFT_OUT`] instead of its remark.
    #[must_use]
    pub fn without_remark(self) -> Self {
        let comment = if self.comment.is_empty() { String::new() } else { LEFT_OUT.to_owned() };
        Self { comment, ..self }
    }
}

/// The name of a window, or a general one: files may give any text as the explanation of their windows.
#[must_use]
pub fn kept_window_name(name: &str) -> &str {
    if WINDOW_NAMES.contains(&name.to_uppercase().as_str()) { name } else { "file window" }
}
