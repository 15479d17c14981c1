//! What the model found.

mod fill;

pub(in crate::results) use fill::{analyzed_series, reason_of, series_uids};

use super::{ReasonDocument, WarningDocument};
use schemars::JsonSchema;
use serde::Serialize;

/// How the analysis of a study ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisStatus {
    /// The model has scored all slices.
    Analyzed,
    /// The model has scored some slices; its numbers will change.
    Preliminary,
    /// The study cannot be analyzed; `reason` says why.
    NotAnalyzed,
    /// An error; `reason` says which.
    Failed,
    /// Not analyzed yet.
    Waiting,
}

/// What the model found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AnalysisDocument {
    /// How the analysis ended.
    pub status: AnalysisStatus,
    /// Why there are no numbers.
    pub reason: Option<ReasonDocument>,
    /// The series that are analyzed, by their headers; empty if none can be, null if the study's files are no longer there.
    pub plan: Option<Vec<PlannedSeriesDocument>>,
    /// SeriesInstanceUIDs of the series from which the numbers come; empty without numbers.
    pub series_instance_uids: Vec<String>,
    /// The model that was run; null if none was.
    pub model: Option<ModelDocument>,
    /// Fracture probability of the study, 0 to 1.
    pub overall: Option<f32>,
    /// Whether the study is an alert: `overall` reaches the model's threshold, and not only by series unlike the model's training data.
    pub alert: Option<bool>,
    /// Whether `overall` reaches the threshold, but only by series unlike the model's training data, so that `alert` is false.
    pub alert_withheld: Option<bool>,
    /// Whether the study is unlike the model's training data (out of distribution), by the worst of the series from which the numbers come;
    /// null without numbers, or if the model does not measure it.
    pub distribution: Option<DistributionDocument>,
    /// How many slices are scored, if not all are.
    pub completeness: Option<CompletenessDocument>,
    /// What the analyzed series cannot show of the neck; null if the study's files are no longer there.
    pub coverage: Option<Vec<WarningDocument>>,
    /// Levels that have no complete result because a series that may show them was not analyzed, with that series and the reason;
    /// empty if there are none.
    pub incomplete: Vec<String>,
    /// Levels that reach the threshold in another series than the one that their probability comes from; empty if there are none.
    pub contradictions: Vec<String>,
    /// Repairs of the pixel values' scale on which the numbers depend; empty if there are none.
    pub repairs: Vec<WarningDocument>,
    /// Which slices were searched for the neck, for each series of which not all were.
    pub searched: Vec<SearchedDocument>,
    /// C1 to C7; empty without numbers.
    pub levels: Vec<LevelDocument>,
    /// Every scored slice; null unless `cspine predict --slices` asks for it.
    pub slices: Option<Vec<ScoredSliceDocument>>,
    /// Duration of the analysis when it was made; null without numbers.
    pub timing: Option<TimingDocument>,
}

/// How far a study lies from the model's training data.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DistributionDocument {
    /// Whether `distance` exceeds `threshold`; null if the distance is unknown.
    pub unlike_training_data: Option<bool>,
    /// Distance of the features from those of the training studies, near 1 for a study like them; null if unknown.
    pub distance: Option<f32>,
    /// The model's limit; null if the distance is unknown.
    pub threshold: Option<f32>,
    /// Why the distance is unknown: `features-not-finite` or `no-level-shown`; null if it is known.
    pub reason: Option<ReasonDocument>,
    /// The same in words, with what to do.
    pub text: String,
}

/// A series that is analyzed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PlannedSeriesDocument {
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// Which stack of the series, from 0.
    pub stack: u32,
    /// When it is analyzed, and its spacing, kernel and number of slices, in words.
    pub text: String,
}

/// The slices of a long scan in which the neck was searched.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SearchedDocument {
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// First slice, from 0, cranial first.
    pub first: usize,
    /// Last slice.
    pub last: usize,
    /// Slices of the series.
    pub total: usize,
}

/// How many slices are scored.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct CompletenessDocument {
    /// Slices that are scored.
    pub slices_scored: usize,
    /// Slices that will be.
    pub slices_total: usize,
}

/// What a model was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrainedOn {
    /// Synthetic fractures only: not validated on patients.
    Synthetic,
    /// Clinical images.
    Clinical,
}

/// A model.
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
    /// Probability from which a level is flagged.
    pub level_threshold: f32,
    /// Distance above which a study is unlike the training data; null if the model does not measure it.
    pub distance_threshold: Option<f32>,
}

/// How much of a level the scan shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LevelExtentDocument {
    /// The whole level.
    Whole,
    /// A part of it: the scan ends in it, or slices are missing.
    CutOff,
}

/// What the model found in one level.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LevelDocument {
    /// `C1` to `C7`.
    pub level: String,
    /// SeriesInstanceUID of the series from which the probability comes; null without a probability.
    pub series_instance_uid: Option<String>,
    /// Fracture probability, 0 to 1; null if the level has none.
    pub probability: Option<f32>,
    /// Whether the probability reaches the model's threshold; null without a probability.
    pub flagged: Option<bool>,
    /// Why there is no probability: `not-in-scan`, `not-detected`, `uncertain` or `not-analyzed`; null with a probability.
    pub absence: Option<ReasonDocument>,
    /// How much of the level the scan shows; null without a probability.
    pub extent: Option<LevelExtentDocument>,
    /// The slice that contributes most to the probability.
    pub key_slice: Option<SliceDocument>,
    /// Where the activation on the key slice is highest, LPS mm; null if the model gives no activation map.
    pub activation_peak_mm: Option<[f64; 3]>,
}

/// A slice of the analyzed series.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SliceDocument {
    /// Index into the volume, from 0, cranial first.
    pub index: usize,
    /// InstanceNumber.
    pub instance_number: Option<i32>,
    /// SOPInstanceUID; null if no single image of the series is this slice (a reformat, or files that are no longer there).
    pub sop_instance_uid: Option<String>,
    /// Frame of a multi-frame instance, from 1; null without `sop_instance_uid`.
    pub frame: Option<u32>,
    /// Position along the stack's patient axis (z for axial), LPS mm.
    pub position_mm: Option<f64>,
}

/// A scored slice.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ScoredSliceDocument {
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// Index into the volume, from 0, cranial first.
    pub index: usize,
    /// InstanceNumber.
    pub instance_number: Option<i32>,
    /// Position along the stack's patient axis (z for axial), LPS mm.
    pub position_mm: Option<f64>,
    /// How visible C1 to C7 are, 0 to 1 each.
    pub vertebra: [f32; 7],
    /// Fracture of C1 to C7, 0 to 1 each.
    pub fracture: [f32; 7],
}

/// Duration of an analysis.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct TimingDocument {
    /// Loading and decoding the series, s.
    pub load_s: f64,
    /// Windowing, cropping and resizing, s.
    pub preprocess_s: f64,
    /// Running the network, s.
    pub network_s: f64,
    /// From the start to the finished report, s.
    pub total_s: f64,
}
