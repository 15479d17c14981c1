//! What readers decided, marked and measured.

mod fill;

use schemars::JsonSchema;
use serde::Serialize;

/// Who entered something, and when.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SignatureDocument {
    /// User name of the reader.
    pub reader: String,
    /// When, RFC 3339 with the reader's local offset.
    pub at: String,
    /// Number of the log entry.
    pub entry: i64,
}

/// What readers decided of a study.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DecisionDocument {
    /// How far the study is read: `unread`, `begun`, `negative`, `positive`, `deferred`, `unreadable` or `conflict`.
    pub state: String,
    /// The assessment of the study; null while readers contradict each other.
    pub study: Option<StudyAssessmentDocument>,
    /// The levels that a reader assessed, C1 first; without those in conflict.
    pub levels: Vec<LevelAssessmentDocument>,
    /// The note.
    pub note: Option<NoteDocument>,
    /// Where readers contradict each other; empty if nowhere.
    pub conflicts: Vec<ConflictDocument>,
    /// `ordinary`, `pinned` or `stat` (also if pinned as well): as a reader set it, else as the request in the files states it.
    pub precedence: String,
    /// Whether the study is STAT: as a reader set it, else as the request in the files states it.
    pub stat: bool,
    /// Whether a reader pinned the study.
    pub pinned: bool,
}

/// Assessments of readers that contradict each other. The study stays in state `conflict` until one is undone or an entry resolves them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConflictDocument {
    /// `C1` to `C7`; null if it is about the study.
    pub level: Option<String>,
    /// In words.
    pub text: String,
    /// Who said what, oldest first.
    pub opinions: Vec<OpinionDocument>,
}

/// What one reader in a conflict said.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OpinionDocument {
    /// The assessment, with its level if it is about one: `positive`, `C6 fractured`.
    pub assessment: String,
    /// Who, when.
    #[serde(flatten)]
    pub signature: SignatureDocument,
}

/// The assessment of a study.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StudyAssessmentDocument {
    /// `negative`, `positive`, `deferred` or `unreadable`.
    pub assessment: String,
    /// Why it was deferred.
    pub reason: Option<String>,
    /// Who, when.
    #[serde(flatten)]
    pub signature: SignatureDocument,
}

/// The assessment of one level.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LevelAssessmentDocument {
    /// `C1` to `C7`.
    pub level: String,
    /// `fractured`, `not fractured`, `uncertain` or `not assessable`.
    pub assessment: String,
    /// The reader's answer to the model, if asked: `agrees`, `rejects` (a flag) or `adds` (a fracture that the model missed).
    pub agreement: Option<String>,
    /// Why a flag was rejected.
    pub rejection_reason: Option<String>,
    /// Who, when.
    #[serde(flatten)]
    pub signature: SignatureDocument,
}

/// The note on a study.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NoteDocument {
    /// The note.
    pub text: String,
    /// Who, when.
    #[serde(flatten)]
    pub signature: SignatureDocument,
}

/// An entry of the log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EntryDocument {
    /// Who, when, which.
    #[serde(flatten)]
    pub signature: SignatureDocument,
    /// What was done: `level`, `study`, `note`, `precedence`, `resolve` (a conflict) or `undo`.
    pub action: String,
    /// The entry in words.
    pub text: String,
    /// The entry that this one undoes.
    pub undoes: Option<i64>,
    /// Whether the model's report was hidden from the reader.
    pub blinded: bool,
    /// The model's report when the entry was made, shown or hidden; null if there was none.
    pub report: Option<OnReportDocument>,
}

/// A model's report when something was decided.
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
    /// Probabilities of C1 to C7; null for a level that had none.
    pub probabilities: [Option<f32>; 7],
    /// The threshold for a level.
    pub level_threshold: f32,
    /// Whether slices were still to be scored.
    pub preliminary: bool,
    /// Whether an alert was withheld because the study was unlike the model's training data.
    pub alert_withheld: bool,
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
    /// WindowWidth, HU.
    pub window_width: f64,
    /// WindowCenter, HU.
    pub window_center: f64,
    /// The reader's comment.
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
    pub kind: String,
    /// The result in words.
    pub text: Option<String>,
    /// Length in mm, angle in degrees, mean of a region or value of a voxel.
    pub value: Option<f64>,
    /// `mm`, `degrees` or `HU`; null for values without a unit.
    pub unit: Option<String>,
    /// Why there is no result, in words.
    pub reason: Option<String>,
}
