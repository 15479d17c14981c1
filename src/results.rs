//! What leaves the program: all that is known of a study, and how it is written. Pure: nothing here opens a file, reads a clock or
//! knows a store.
//!
//! - `anonymous`: a result that names nobody;
//! - `document`: the JSON document, whose types are its published schema;
//! - `table`: CSV, and the form of the RSNA 2022 competition;
//! - `page`: the one-page report, as plain text and as Markdown.

mod anonymous;
mod document;
mod page;
mod table;

pub use document::{FORMAT, ResultsDocument, StudyDocument, schema};
pub use page::{markdown, text};
pub use table::{submission, table};

use crate::domain::{
    Analysis, Axis, Decision, FractureReport, KeyImage, LogEntry, Measured, Measurement, ModelNature, SensitiveText,
    Stamp, Study,
};
use std::sync::Arc;

/// All that is known of a study.
#[derive(Debug, Clone)]
pub struct StudyResult {
    /// The study as its headers describe it.
    pub study: Arc<Study>,
    /// How the analysis ended; `None` where there was none yet.
    pub analysis: Option<Analysis>,
    /// The study's entries of the log, oldest first.
    pub log: Vec<LogEntry>,
    /// Slices that the reader marked.
    pub key_images: Vec<KeyImage>,
    /// What the reader measured.
    pub measurements: Vec<MeasurementResult>,
    /// Whether the patient may be named.
    pub identity: Identity,
}

/// Whether a result names the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Identity {
    /// As in the study's files.
    #[default]
    Named,
    /// A pseudonym stands for name and number; see [`StudyResult::anonymous`].
    Pseudonym,
}

/// A measurement with what it comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasurementResult {
    /// What and where.
    pub measurement: Measurement,
    /// The result, or in words why there is none.
    pub result: Result<Measured, SensitiveText>,
}

/// When results are written, and by whose program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Version of cspine.
    pub version: &'static str,
    /// When.
    pub at: Stamp,
}

impl Written {
    /// By this program.
    #[must_use]
    pub fn by_this_program(at: Stamp) -> Self {
        Self { version: env!("CARGO_PKG_VERSION"), at }
    }
}

impl StudyResult {
    /// What the log comes to.
    #[must_use]
    pub fn decision(&self) -> Decision {
        Decision::of(&self.log)
    }

    /// The network's report, where there is one.
    #[must_use]
    pub fn report(&self) -> Option<&FractureReport> {
        match &self.analysis {
            Some(Analysis::Analysed(report)) => Some(report),
            _ => None,
        }
    }
}

/// The plane whose normal runs along an axis.
fn plane_name(normal: Axis) -> &'static str {
    match normal {
        Axis::HeadFoot => "axial",
        Axis::RightLeft => "sagittal",
        Axis::FrontBack => "coronal",
    }
}

/// What every result says of itself.
pub const NOTICE: &str = "Research use only; not a medical device.";

/// What a reader must know of a model's numbers.
#[must_use]
pub fn caveat(nature: ModelNature) -> &'static str {
    match nature {
        ModelNature::Synthetic => "trained on synthetic fractures only: its numbers say nothing about patients",
        ModelNature::Clinical => "trained on clinical images; its numbers are no diagnosis",
    }
}
