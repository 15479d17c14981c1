//! Results as JSON. `predict`, `report`, `inspect` and `watch` write these types, and `--schema` of each prints their JSON Schema.
//!
//! A command that does not know a value writes null; it never writes the value under another key.
//!
//! - `series`: the series of a study with their geometry and warnings;
//! - `analysis`: what the model found;
//! - `reading`: what readers decided, marked and measured.

mod analysis;
mod reading;
mod series;

pub use analysis::{
    AnalysisDocument, AnalysisStatus, CompletenessDocument, DistributionDocument, LevelDocument, LevelExtentDocument,
    ModelDocument, PlannedSeriesDocument, ScoredSliceDocument, SliceDocument, TimingDocument, TrainedOn,
};
pub(super) use analysis::{analyzed_series, reason_of, series_uids};
pub use reading::{
    DecisionDocument, EntryDocument, KeyImageDocument, LevelAssessmentDocument, MeasurementDocument, NoteDocument,
    OnReportDocument, SignatureDocument, StudyAssessmentDocument,
};
pub use series::{PointsDocument, SelectionDocument, SeriesDocument, disabled, kind_name};

use super::{NOTICE, StudyFacts, StudyResult, Written, columns};
use crate::domain::{Coverage, NotAnalysed, Oddity, Study};
use schemars::{JsonSchema, Schema};
use serde::Serialize;

/// Version of the JSON document and of the CSV table. It changes when a key or a column changes its meaning or is removed; new ones may
/// appear without a new version.
pub const SCHEMA_VERSION: u32 = 2;

/// The JSON Schema of [`ResultsDocument`], with the columns of the CSV table as the annotation `x-csv-columns`.
#[must_use]
pub fn schema() -> Schema {
    let mut schema = schemars::schema_for!(ResultsDocument);
    let columns: Vec<_> =
        columns().map(|(name, description)| serde_json::json!({ "name": name, "description": description })).collect();
    schema.insert("x-csv-columns".to_owned(), columns.into());
    schema
}

/// Results of cspine for a number of studies. In JSON Lines each line is one `StudyDocument` of `$defs`. Null means that the command does
/// not know the value. `x-csv-columns` lists the columns of the CSV form.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ResultsDocument {
    /// Version of this document: 2. It changes when a key changes its meaning or is removed; new keys may appear without a new version.
    pub schema_version: u32,
    /// Version of cspine.
    pub cspine: String,
    /// When the document was written, RFC 3339 with the local offset.
    pub written_at: String,
    /// Limits of the results.
    pub notice: String,
    /// The studies.
    pub studies: Vec<StudyDocument>,
    /// The files that were scanned; null for `report`, which does not list them.
    pub files: Option<FilesDocument>,
}

/// The files that were scanned.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FilesDocument {
    /// Files in all.
    pub total: usize,
    /// DICOM files.
    pub dicom: usize,
    /// Files that are not DICOM.
    pub not_dicom: usize,
    /// Files that could not be used.
    pub unreadable: Vec<UnreadableDocument>,
}

/// A file that could not be used.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UnreadableDocument {
    /// Path, without control characters.
    pub path: String,
    /// Why, in words.
    pub reason: String,
}

/// One study.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StudyDocument {
    /// Version of this document: 2.
    pub schema_version: u32,
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// StudyDate, `YYYY-MM-DD`.
    pub study_date: Option<String>,
    /// StudyTime in the scanner's local time, `HH:MM`.
    pub study_time: Option<String>,
    /// StudyDescription.
    pub description: String,
    /// AccessionNumber.
    pub accession_number: String,
    /// The patient. Texts are cleaned of control characters.
    pub patient: PatientDocument,
    /// Warnings on the study as a whole; null if the study's files are no longer there.
    pub warnings: Option<Vec<WarningDocument>>,
    /// The series, in the order of `cspine inspect`; null as `warnings`.
    pub series: Option<Vec<SeriesDocument>>,
    /// What the model found.
    pub analysis: AnalysisDocument,
    /// What readers decided, as it holds now; null for `predict`, `inspect` and `watch`, which do not read the database.
    pub decision: Option<DecisionDocument>,
    /// Every entry that readers made, oldest first, undone ones included; null as `decision`.
    pub log: Option<Vec<EntryDocument>>,
    /// Slices that a reader marked; null as `decision`.
    pub key_images: Option<Vec<KeyImageDocument>>,
    /// What a reader measured; null as `decision`.
    pub measurements: Option<Vec<MeasurementDocument>>,
}

/// The patient.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PatientDocument {
    /// PatientName, family name first.
    pub name: String,
    /// PatientID.
    pub id: String,
    /// Age at the study in whole years.
    pub age_years: Option<u16>,
    /// `F`, `M` or `O`.
    pub sex: Option<char>,
}

/// A warning about a study or a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WarningDocument {
    /// Stable name for programs.
    pub name: String,
    /// The warning in words.
    pub text: String,
    /// Number of files, slices or places concerned; null if it concerns the whole.
    pub count: Option<usize>,
}

/// Why there is no number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReasonDocument {
    /// Stable name for programs; `error` if the status is `failed`.
    pub name: String,
    /// The reason in words.
    pub text: String,
}

impl ResultsDocument {
    /// The document of results as `cspine report` knows them.
    #[must_use]
    pub fn new(results: &[StudyResult], written: Written) -> Self {
        Self::of(results.iter().map(StudyDocument::new).collect(), None, written)
    }

    /// The document of studies.
    #[must_use]
    pub fn of(studies: Vec<StudyDocument>, files: Option<FilesDocument>, written: Written) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            cspine: written.version.to_owned(),
            written_at: written.at.rfc3339(),
            notice: NOTICE.to_owned(),
            studies,
            files,
        }
    }

    /// The document as indented JSON.
    ///
    /// # Errors
    /// None that a document of numbers and texts can cause.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl StudyDocument {
    /// The document of one study with what readers decided.
    #[must_use]
    pub fn new(result: &StudyResult) -> Self {
        Self::of(StudyFacts::of(result))
    }

    /// The document of what a command knows of a study.
    #[must_use]
    pub fn of(facts: StudyFacts<'_>) -> Self {
        let StudyFacts { study, reading, .. } = facts;
        Self {
            schema_version: SCHEMA_VERSION,
            study_instance_uid: study.uid.to_string(),
            study_date: study_date(study),
            study_time: study_time(study),
            description: study.description.to_string(),
            accession_number: study.accession.to_string(),
            patient: PatientDocument {
                name: study.patient.name.to_string(),
                id: study.patient.id.to_string(),
                age_years: study.patient.age_years,
                sex: study.patient.sex.map(|sex| sex.letter()),
            },
            warnings: facts.has_files().then(|| study.oddities.iter().map(WarningDocument::from).collect()),
            series: facts.has_files().then(|| SeriesDocument::all(study)),
            analysis: AnalysisDocument::of(facts),
            decision: reading.map(|result| DecisionDocument::new(&result.decision(), study.precedence)),
            log: reading.map(|result| result.log.iter().map(EntryDocument::new).collect()),
            key_images: reading.map(|result| result.key_images.iter().map(KeyImageDocument::new).collect()),
            measurements: reading.map(|result| result.measurements.iter().map(MeasurementDocument::new).collect()),
        }
    }

    /// The document as one line of JSON Lines, with its line feed.
    ///
    /// # Errors
    /// None that a document of numbers and texts can cause.
    pub fn to_json_line(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

/// StudyDate, `YYYY-MM-DD`.
pub(super) fn study_date(study: &Study) -> Option<String> {
    study.date.map(|date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day))
}

/// StudyTime, `HH:MM`.
pub(super) fn study_time(study: &Study) -> Option<String> {
    study.date.and_then(|date| date.time).map(|(hour, minute)| format!("{hour:02}:{minute:02}"))
}

impl From<&Oddity> for WarningDocument {
    fn from(oddity: &Oddity) -> Self {
        Self { name: oddity.name().to_owned(), text: oddity.to_string(), count: oddity.count() }
    }
}

impl From<&Coverage> for WarningDocument {
    fn from(coverage: &Coverage) -> Self {
        Self { name: coverage.name().to_owned(), text: coverage.to_string(), count: None }
    }
}

impl From<&NotAnalysed> for ReasonDocument {
    fn from(reason: &NotAnalysed) -> Self {
        Self { name: reason.name().to_owned(), text: reason.to_string() }
    }
}
