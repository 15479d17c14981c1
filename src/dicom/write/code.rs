//! Coded concepts (PS3.3 section 8). SCT is SNOMED CT, DCM the standard's own (PS3.16 annex D); `99CSPINE` is cspine's, for what no
//! standard code says exactly, and each file that uses it declares it.

use super::file::Object;
use crate::domain::{Absence, CervicalLevel, LevelExtent, LevelVerdict, RejectionReason, StudyVerdict};
use dicom_core::VR;
use dicom_dictionary_std::tags;

/// A coded concept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Code {
    /// CodeValue, at most 16 characters.
    pub(super) value: &'static str,
    /// CodingSchemeDesignator.
    pub(super) scheme: &'static str,
    /// CodeMeaning, at most 64 characters.
    pub(super) meaning: &'static str,
}

/// Designator of cspine's own codes (PS3.16 section 8: those that begin with 99 are private).
const PRIVATE: &str = "99CSPINE";
/// UID of that coding scheme: a random UUID below 2.25 (PS3.5 section B.2).
const PRIVATE_UID: &str = "2.25.273785801461468693511437596227696562561";

impl Code {
    const fn dcm(value: &'static str, meaning: &'static str) -> Self {
        Self { value, scheme: "DCM", meaning }
    }

    const fn sct(value: &'static str, meaning: &'static str) -> Self {
        Self { value, scheme: "SCT", meaning }
    }

    const fn ucum(value: &'static str, meaning: &'static str) -> Self {
        Self { value, scheme: "UCUM", meaning }
    }

    const fn private(value: &'static str, meaning: &'static str) -> Self {
        Self { value, scheme: PRIVATE, meaning }
    }

    /// An item of a code sequence.
    pub(super) fn item(self) -> Object {
        let mut item = Object::new();
        item.text(tags::CODE_VALUE, VR::SH, self.value).text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, self.scheme).text(
            tags::CODE_MEANING,
            VR::LO,
            self.meaning,
        );
        item
    }
}

/// The item of CodingSchemeIdentificationSequence that declares cspine's own codes (PS3.3 section C.12.1.1.3.1).
pub(super) fn private_scheme() -> Object {
    let mut item = Object::new();
    item.text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, PRIVATE)
        .text(tags::CODING_SCHEME_UID, VR::UI, PRIVATE_UID)
        .text(tags::CODING_SCHEME_NAME, VR::ST, "cspine: assessments on cervical fractures")
        .text(tags::CODING_SCHEME_RESPONSIBLE_ORGANIZATION, VR::ST, "cspine");
    item
}

pub(super) const MEASUREMENT_REPORT: Code = Code::dcm("126000", "Imaging Measurement Report");
pub(super) const LANGUAGE: Code = Code::dcm("121049", "Language of Content Item and Descendants");
pub(super) const ENGLISH: Code = Code { value: "en", scheme: "RFC5646", meaning: "English" };
pub(super) const PROCEDURE_REPORTED: Code = Code::dcm("121058", "Procedure reported");
pub(super) const CT: Code = Code::sct("77477000", "Computed tomography");
pub(super) const OBSERVER_TYPE: Code = Code::dcm("121005", "Observer Type");
pub(super) const PERSON: Code = Code::dcm("121006", "Person");
pub(super) const DEVICE: Code = Code::dcm("121007", "Device");
pub(super) const PERSON_NAME: Code = Code::dcm("121008", "Person Observer Name");
pub(super) const DEVICE_UID: Code = Code::dcm("121012", "Device Observer UID");
pub(super) const DEVICE_NAME: Code = Code::dcm("121013", "Device Observer Name");
pub(super) const DEVICE_MANUFACTURER: Code = Code::dcm("121014", "Device Observer Manufacturer");
pub(super) const DEVICE_MODEL: Code = Code::dcm("121015", "Device Observer Model Name");
pub(super) const IMAGE_LIBRARY: Code = Code::dcm("111028", "Image Library");
pub(super) const IMAGE_LIBRARY_GROUP: Code = Code::dcm("126200", "Image Library Group");
pub(super) const IMAGING_MEASUREMENTS: Code = Code::dcm("126010", "Imaging Measurements");
pub(super) const MEASUREMENT_GROUP: Code = Code::dcm("125007", "Measurement Group");
pub(super) const TRACKING_IDENTIFIER: Code = Code::dcm("112039", "Tracking Identifier");
pub(super) const TRACKING_UID: Code = Code::dcm("112040", "Tracking Unique Identifier");
pub(super) const FINDING: Code = Code::dcm("121071", "Finding");
pub(super) const FINDING_SITE: Code = Code::sct("363698007", "Finding Site");
pub(super) const ALGORITHM_NAME: Code = Code::dcm("111001", "Algorithm Name");
pub(super) const ALGORITHM_VERSION: Code = Code::dcm("111003", "Algorithm Version");
pub(super) const ALGORITHM_PARAMETERS: Code = Code::dcm("111002", "Algorithm Parameters");
pub(super) const SOURCE_OF_MEASUREMENT: Code = Code::dcm("121112", "Source of Measurement");
pub(super) const QUALITATIVE_EVALUATIONS: Code =
    Code { value: "C0034375", scheme: "UMLS", meaning: "Qualitative Evaluations" };
pub(super) const KEY_IMAGES: Code = Code::dcm("121180", "Key Images");
pub(super) const KEY_OBJECT_DESCRIPTION: Code = Code::dcm("113012", "Key Object Description");
pub(super) const COMMENT: Code = Code::dcm("121106", "Comment");
pub(super) const DERIVATION: Code = Code::dcm("121401", "Derivation");
pub(super) const MEAN: Code = Code::sct("373098007", "Mean");
pub(super) const LENGTH: Code = Code::sct("410668003", "Length");
pub(super) const ANGLE: Code = Code::sct("1483009", "Angle");
pub(super) const ATTENUATION: Code = Code::dcm("112031", "Attenuation Coefficient");
pub(super) const SOURCE_IMAGE: Code = Code::dcm("121322", "Source image for image processing operation");

pub(super) const NO_UNITS: Code = Code::ucum("1", "no units");
pub(super) const MILLIMETRES: Code = Code::ucum("mm", "mm");
pub(super) const DEGREES: Code = Code::ucum("deg", "deg");
pub(super) const HOUNSFIELD: Code = Code::ucum("[hnsf'U]", "Hounsfield unit");

pub(super) const CERVICAL_SPINE: Code = Code::sct("122494005", "Cervical spine");
pub(super) const FRACTURE: Code = Code::sct("125605004", "Fracture of bone");
const PRESENT: Code = Code::sct("52101004", "Present");
const ABSENT: Code = Code::sct("2667000", "Absent");
const INDETERMINATE: Code = Code::sct("82334004", "Indeterminate");
const YES: Code = Code::sct("373066001", "Yes");
const NO: Code = Code::sct("373067005", "No");

pub(super) const PROBABILITY: Code = Code::private("probability", "Fracture probability given by the network");
pub(super) const VALUE: Code = Code::private("value", "Stored value");
pub(super) const ALERT: Code = Code::private("alert", "Alert or flag raised by the network");
pub(super) const DISTANCE: Code = Code::private("ood-distance", "Distance from the network's training data");
pub(super) const UNLIKE: Code = Code::private("unlike-training", "Unlike the network's training data");
pub(super) const IN_SCAN: Code = Code::private("in-scan", "How much of the level the scan shows");
pub(super) const VERDICT: Code = Code::private("verdict", "Fracture, reader's assessment");
pub(super) const REJECTED: Code = Code::private("rejected", "Why the reader rejects the network's alert");
pub(super) const CAVEAT: Code = Code::private("caveat", "Limits of use");

/// Yes or no.
pub(super) fn yes_or_no(yes: bool) -> Code {
    if yes { YES } else { NO }
}

/// A vertebra.
pub(super) fn vertebra(level: CervicalLevel) -> Code {
    match level {
        CervicalLevel::C1 => Code::sct("14806007", "C1 vertebra"),
        CervicalLevel::C2 => Code::sct("39976000", "C2 vertebra"),
        CervicalLevel::C3 => Code::sct("113205007", "C3 vertebra"),
        CervicalLevel::C4 => Code::sct("5329002", "C4 vertebra"),
        CervicalLevel::C5 => Code::sct("36978003", "C5 vertebra"),
        CervicalLevel::C6 => Code::sct("36054005", "C6 vertebra"),
        CervicalLevel::C7 => Code::sct("87391001", "C7 vertebra"),
    }
}

/// What a reader says of one level.
pub(super) fn level_verdict(verdict: LevelVerdict) -> Code {
    match verdict {
        LevelVerdict::Fractured => PRESENT,
        LevelVerdict::NotFractured => ABSENT,
        LevelVerdict::Uncertain => INDETERMINATE,
        LevelVerdict::NotAssessable => Code::private("not-assessable", "Not assessable"),
    }
}

/// What a reader says of the study.
pub(super) fn study_verdict(verdict: &StudyVerdict) -> Code {
    match verdict {
        StudyVerdict::Negative => ABSENT,
        StudyVerdict::Positive => PRESENT,
        StudyVerdict::Deferred { .. } => Code::private("deferred", "Assessment deferred"),
        StudyVerdict::Unreadable => Code::private("unreadable", "The images allow no assessment"),
    }
}

/// Why an alarm was rejected.
pub(super) fn rejection(reason: RejectionReason) -> Code {
    match reason {
        RejectionReason::OldFracture => Code::private("old-fracture", "Old fracture"),
        RejectionReason::VesselChannel => Code::private("vessel-channel", "Vessel channel"),
        RejectionReason::Osteophyte => Code::private("osteophyte", "Osteophyte"),
        RejectionReason::ShoulderArtefact => Code::private("shoulder", "Artifact from the shoulders"),
        RejectionReason::UnfusedApophysis => Code::private("apophysis", "Unfused apophysis"),
        RejectionReason::PostOperative => Code::private("post-operative", "State after an operation"),
        RejectionReason::Other => Code::private("other", "Another reason"),
    }
}

/// How much of a level that was seen the scan shows.
pub(super) fn extent(extent: LevelExtent) -> Code {
    match extent {
        LevelExtent::Whole => Code::private("whole", "The whole level"),
        LevelExtent::CutOff => Code::private("cut-off", "A part of the level"),
    }
}

/// Why a level has no probability.
pub(super) fn absence(absence: Absence) -> Code {
    match absence {
        Absence::NotInScan => Code::private("not-in-scan", "The level is not in the scan"),
        Absence::Overlooked => Code::private("not-seen", "In the scan, not seen by the network"),
        Absence::Uncertain => Code::private("uncertain", "Not seen, may be in the scan"),
        Absence::NotAnalyzed => Code::private("not-analyzed", "A series that may show it was not analyzed"),
    }
}
