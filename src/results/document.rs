//! Results as JSON. The types here are the published schema: `cspine report --schema` prints what they come to.

mod fill;

use schemars::{JsonSchema, Schema};
use serde::Serialize;

/// Version of the document. It changes whenever a key changes its meaning or goes; new keys may come without.
pub const FORMAT: u32 = 1;

/// The document's JSON Schema.
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(ResultsDocument)
}

/// Results of cspine.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ResultsDocument {
    /// Version of this document: 1. It changes whenever a key changes its meaning or goes; new keys may come without.
    pub format: u32,
    /// Version of cspine.
    pub cspine: String,
    /// When the document was written, RFC 3339 with the local offset.
    pub written_at: String,
    /// What the numbers are not.
    pub notice: String,
    /// The studies.
    pub studies: Vec<StudyDocument>,
}

/// One study.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StudyDocument {
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// The patient, as the files say; texts are cleaned of control characters.
    pub patient: PatientDocument,
    /// StudyDate, `YYYY-MM-DD`.
    pub study_date: Option<String>,
    /// StudyTime in the scanner's local time, `HH:MM`.
    pub study_time: Option<String>,
    /// StudyDescription.
    pub description: String,
    /// AccessionNumber.
    pub accession_number: String,
    /// What the network says.
    pub analysis: AnalysisDocument,
    /// What readers decided, as it holds now.
    pub decision: DecisionDocument,
    /// Every entry that readers made, oldest first, those taken back among them.
    pub log: Vec<EntryDocument>,
    /// Slices that a reader marked.
    pub key_images: Vec<KeyImageDocument>,
    /// What a reader measured.
    pub measurements: Vec<MeasurementDocument>,
}

/// Who was scanned.
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

/// How the analysis of a study ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnalysisStatus {
    /// There is a report of all slices.
    Analysed,
    /// There is a report of some slices; its numbers will change.
    Preliminary,
    /// The study is none for the network; `reason` says why.
    NotAnalysed,
    /// Something went wrong; `reason` says what.
    Failed,
    /// Not analysed yet.
    Waiting,
}

/// What the network says.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AnalysisDocument {
    /// How it ended.
    pub status: AnalysisStatus,
    /// Why there are no numbers.
    pub reason: Option<String>,
    /// SeriesInstanceUID of the series that was analysed.
    pub series_instance_uid: Option<String>,
    /// The model that speaks.
    pub model: Option<ModelDocument>,
    /// Fracture probability of the study, 0 to 1.
    pub overall: Option<f32>,
    /// Whether it passes the model's threshold.
    pub alert: Option<bool>,
    /// C1 to C7; empty without a report.
    pub levels: Vec<LevelDocument>,
}

/// What a model was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrainedOn {
    /// Synthetic fractures only: the numbers say nothing about patients.
    Synthetic,
    /// Clinical images.
    Clinical,
}

/// Which model speaks.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ModelDocument {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the ONNX file.
    pub sha256: String,
    /// What it was trained on.
    pub trained_on: TrainedOn,
    /// How slices are combined.
    pub aggregation: String,
    /// Overall probability from which a study is an alert.
    pub overall_threshold: f32,
    /// Probability from which a level is marked.
    pub level_threshold: f32,
}

/// What the network says of one level.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LevelDocument {
    /// `C1` to `C7`.
    pub level: String,
    /// Fracture probability, 0 to 1; null for a level that has none.
    pub probability: Option<f32>,
    /// Whether it passes the model's threshold; null without a probability.
    pub alert: Option<bool>,
    /// Why there is no probability: `not in the scan`, or `in the scan, not seen by the model`.
    pub absence: Option<String>,
    /// Whether the scan shows the whole level; null without a probability.
    pub whole: Option<bool>,
    /// The slice that speaks most for the probability.
    pub key_slice: Option<SliceDocument>,
    /// The hottest place on that slice, LPS mm.
    pub hot_spot_mm: Option<[f64; 3]>,
}

/// A slice of the analysed series.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SliceDocument {
    /// From 0, head first.
    pub index: usize,
    /// InstanceNumber.
    pub instance_number: Option<i32>,
    /// Position along the stack's patient axis (z for axial), LPS mm.
    pub position_mm: Option<f64>,
}

/// Who said something, and when.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WordDocument {
    /// User name.
    pub who: String,
    /// When, RFC 3339 with the reader's local offset.
    pub at: String,
    /// Number of the log entry.
    pub entry: i64,
}

/// What is decided of a study.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DecisionDocument {
    /// How far the study is read: `unread`, `begun`, `negative`, `positive`, `deferred` or `unreadable`.
    pub state: String,
    /// The verdict on the study.
    pub study: Option<StudyVerdictDocument>,
    /// The levels that a reader spoke of, C1 first.
    pub levels: Vec<LevelVerdictDocument>,
    /// The note.
    pub note: Option<NoteDocument>,
    /// `ordinary`, `pinned` or `stat`: what a reader says, else what the request in the files does.
    pub precedence: String,
}

/// A verdict on the study.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StudyVerdictDocument {
    /// `negative`, `positive`, `deferred` or `unreadable`.
    pub verdict: String,
    /// Why it was deferred.
    pub reason: Option<String>,
    /// Who, when.
    #[serde(flatten)]
    pub word: WordDocument,
}

/// A verdict on one level.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LevelVerdictDocument {
    /// `C1` to `C7`.
    pub level: String,
    /// `fractured`, `not fractured`, `uncertain` or `not assessable`.
    pub verdict: String,
    /// What it says of the network, where the reader was asked: `agrees`, `rejects` (an alarm) or `adds` (what the network missed).
    pub network: Option<String>,
    /// Why an alarm was rejected.
    pub reason: Option<String>,
    /// Who, when.
    #[serde(flatten)]
    pub word: WordDocument,
}

/// The note on a study.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NoteDocument {
    /// The note.
    pub text: String,
    /// Who, when.
    #[serde(flatten)]
    pub word: WordDocument,
}

/// An entry of the log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EntryDocument {
    /// Who, when, which.
    #[serde(flatten)]
    pub word: WordDocument,
    /// What was done: `level`, `study`, `note`, `precedence` or `undo`.
    pub act: String,
    /// In words.
    pub says: String,
    /// The entry that was taken back by this one.
    pub takes_back: Option<i64>,
    /// Whether the network's report was hidden from the reader.
    pub blinded: bool,
    /// What the network said when it was done, seen or hidden.
    pub network: Option<OnReportDocument>,
}

/// What the network said when something was decided.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OnReportDocument {
    /// Model's name.
    pub model: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its ONNX file.
    pub sha256: String,
    /// Overall probability.
    pub overall: f32,
    /// The threshold for it.
    pub overall_threshold: f32,
    /// C1 to C7; null for one not seen.
    pub levels: [Option<f32>; 7],
    /// The threshold for a level.
    pub level_threshold: f32,
    /// Whether slices were still to come.
    pub preliminary: bool,
}

/// A slice that a reader marked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct KeyImageDocument {
    /// Number within the study.
    pub id: u64,
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// SOPInstanceUID of the slice, or of the one at the middle of a reformat.
    pub sop_instance_uid: String,
    /// Frame of a multi-frame instance, from 1.
    pub frame: u32,
    /// `axial`, `sagittal` or `coronal`.
    pub plane: String,
    /// Slice of that plane, from 1.
    pub slice: usize,
    /// Window width, HU.
    pub window_width: f64,
    /// Window level, HU.
    pub window_level: f64,
    /// The reader's remark.
    pub comment: String,
}

/// What a reader measured.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MeasurementDocument {
    /// Number within the study.
    pub id: u64,
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// `distance`, `angle`, `rectangle`, `ellipse` or `probe`.
    pub what: String,
    /// What it comes to, in words.
    pub says: Option<String>,
    /// Length in mm, angle in degrees, mean of a region or value of a voxel.
    pub value: Option<f64>,
    /// `mm`, `degrees`, `HU`, or nothing for values without a unit.
    pub unit: Option<String>,
    /// Why there is no result.
    pub reason: Option<String>,
}
