//! What leaves the program: all that is known of a study, and how it is written. Pure: nothing here opens a file, reads a clock or
//! knows a store.
//!
//! - `anonymous`: a result that names nobody;
//! - [`document`]: the JSON document, whose types are its published schema;
//! - `table`: CSV, and the submission form of the RSNA 2022 competition;
//! - `page`: the one-page report, as plain text and as Markdown.

mod anonymous;
pub mod document;
mod page;
mod table;

pub use document::{
    AnalysisStatus, FilesDocument, ResultsDocument, SCHEMA_VERSION, StudyDocument, UnreadableDocument, disabled,
    kind_name, schema,
};
pub use page::{markdown, text};
pub use table::{submission, table};

use crate::domain::{
    Analysis, Axis, Decision, FractureReport, KeyImage, LogEntry, Measured, Measurement, ModelIdentity, ModelNature,
    SensitiveText, Stamp, Study,
};
use std::sync::Arc;
use table::columns;

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

/// What a command knows of a study. Every form of results is written from it.
#[derive(Debug, Clone, Copy)]
pub struct StudyFacts<'r> {
    /// The study as its headers describe it.
    pub study: &'r Study,
    /// How the analysis ended; `None` if there was none yet.
    pub analysis: Option<&'r Analysis>,
    /// What readers decided; `None` if the command does not read the database.
    pub reading: Option<&'r StudyResult>,
    /// Whether the score of every slice is written.
    pub slices: bool,
}

impl<'r> StudyFacts<'r> {
    /// Facts with what readers decided.
    #[must_use]
    pub fn of(result: &'r StudyResult) -> Self {
        Self { study: &result.study, analysis: result.analysis.as_ref(), reading: Some(result), slices: false }
    }

    /// Facts of a command that does not read the database.
    #[must_use]
    pub fn without_reading(study: &'r Study, analysis: Option<&'r Analysis>) -> Self {
        Self { study, analysis, reading: None, slices: false }
    }

    /// Whether the study's files were there: without them its series and their warnings are unknown.
    #[must_use]
    pub fn has_files(self) -> bool {
        !self.study.series.is_empty()
    }

    /// The model's report, if there is one.
    #[must_use]
    pub fn report(self) -> Option<&'r FractureReport> {
        match self.analysis {
            Some(Analysis::Analysed(report)) => Some(report),
            None | Some(Analysis::NotAnalysed(_) | Analysis::Declined(_) | Analysis::Failed(_)) => None,
        }
    }

    /// The model that was run, if one was.
    #[must_use]
    pub fn model(self) -> Option<&'r ModelIdentity> {
        match self.analysis {
            Some(Analysis::Analysed(report)) => Some(&report.model),
            Some(Analysis::Declined(declined)) => Some(&declined.model),
            None | Some(Analysis::NotAnalysed(_) | Analysis::Failed(_)) => None,
        }
    }
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
        StudyFacts::of(self).report()
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
        ModelNature::Synthetic => "trained on synthetic fractures only: not validated on patients",
        ModelNature::Clinical => "trained on clinical images: not a diagnosis",
    }
}
