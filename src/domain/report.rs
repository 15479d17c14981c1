//! The result of analysing one study.

mod absence;
mod alert;
mod merge;

pub use absence::Absence;
pub use alert::Alert;
pub use merge::{Provenance, SeriesFailure, level_range, merge};

use super::{
    Activation, CervicalLevel, DistributionCheck, LevelExtent, LevelFinding, LevelOutcome, NotAnalysed, PerLevel,
    Probability, SearchedSlices, SensitiveText, SliceScore, Uid,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How per-slice scores become one probability per level: a closed list that a model package chooses from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Aggregation {
    /// `C_i = Σ_s f·v / Σ_s v`, the original system's way of combining its two heads.
    VisibilityWeightedMean,
    /// The mean of the highest tenth (at least three) of `f·v` among the level's visible slices.
    VisibleTopMean,
    /// The mean, of exponent ½, of the odds of `f·v` over the level's visible slices, each by the length of neck that it stands
    /// for: `o = (Σ_s w √(p/(1−p)) / Σ_s w)²`, `C_i = o/(1+o)`. Between the mean and the maximum: one suspicious slice raises it,
    /// several raise it more.
    VisibleOddsMean,
}

impl Aggregation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::VisibilityWeightedMean, Self::VisibleTopMean, Self::VisibleOddsMean];

    /// The name used in manifests and on screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::VisibilityWeightedMean => "visibility-weighted-mean",
            Self::VisibleTopMean => "visible-top-mean",
            Self::VisibleOddsMean => "visible-odds-mean",
        }
    }
}

/// What a model was trained on, in the one respect that a reader must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ModelNature {
    /// Synthetic fractures only: its probabilities say nothing about patients.
    Synthetic,
    /// Clinical images.
    Clinical,
}

/// Alert thresholds of a package.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Overall probability from which a study is an alert.
    pub overall: Probability,
    /// Probability from which a level is marked.
    pub level: Probability,
    /// Distance above which a study is unlike the training data; `None` for a package that does not measure it.
    pub distance: Option<f32>,
}

/// Which model spoke. Shown beside every number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// Name from the manifest, checked to be short printable ASCII.
    pub name: String,
    /// Version from the manifest, as the name.
    pub version: String,
    /// SHA-256 of the ONNX file, lower-case hexadecimal.
    pub sha256: String,
    /// What it was trained on.
    pub nature: ModelNature,
    /// How slices are combined.
    pub aggregation: Aggregation,
    /// Alert thresholds.
    pub thresholds: Thresholds,
}

impl fmt::Display for ModelIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// A slice with its score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoredSlice {
    /// Index into the volume, from 0, head first.
    pub index: usize,
    /// InstanceNumber, where the file has one.
    pub instance_number: Option<i32>,
    /// Position along the stack's patient axis (z for axial), LPS mm; `None` where unknown.
    pub position_mm: Option<f64>,
    /// The network's outputs.
    pub score: SliceScore,
}

/// Whether all slices have been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Completeness {
    /// Some slices are still to come; the numbers will change.
    Preliminary {
        /// Slices analysed.
        done: usize,
        /// Slices of the series.
        total: usize,
    },
    /// All slices of the series were analysed.
    Final,
}

/// Where the time went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timing {
    /// Reading and decoding the series into a volume.
    pub load: Duration,
    /// Windowing, cropping and resizing.
    pub preprocess: Duration,
    /// The network itself.
    pub network: Duration,
    /// From the start of the study to the finished report.
    pub total: Duration,
}

/// A study's fracture probabilities, with the model they come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FractureReport {
    /// StudyInstanceUID.
    pub study_uid: Uid,
    /// SeriesInstanceUID of the series that was analysed.
    pub series_uid: Uid,
    /// `1 − Π (1 − C_i)` over the seen levels.
    pub overall: Probability,
    /// One finding per level.
    pub levels: PerLevel<LevelFinding>,
    /// Where the network was active, for the levels that pass the threshold; `None` where the package gives no map.
    #[serde(default)]
    pub activations: PerLevel<Option<Arc<Activation>>>,
    /// How far the slices that show a level lie from the training data; `None` for a package that does not measure it. In a merged
    /// report the worst of the series that its levels come from.
    pub distribution: Option<DistributionCheck>,
    /// Which slices were searched for the neck; `None` if all were.
    pub searched: Option<SearchedSlices>,
    /// Every analysed slice, by rising index.
    pub slices: Vec<ScoredSlice>,
    /// The model.
    pub model: Arc<ModelIdentity>,
    /// Whether more is to come.
    pub completeness: Completeness,
    /// Where the time went.
    pub timing: Timing,
    /// Which part of the patient it is about, and which series each level comes from.
    pub provenance: Provenance,
}

impl FractureReport {
    /// Whether a level passes the package's threshold.
    #[must_use]
    pub fn is_level_alert(&self, level: CervicalLevel) -> bool {
        self.levels[level].probability().is_some_and(|p| p >= self.model.thresholds.level)
    }

    /// Levels that pass the threshold, C1 first.
    #[must_use]
    pub fn alert_levels(&self) -> Vec<CervicalLevel> {
        CervicalLevel::ALL.into_iter().filter(|&level| self.is_level_alert(level)).collect()
    }

    /// The seen level with the highest probability.
    #[must_use]
    pub fn worst_level(&self) -> Option<&LevelFinding> {
        self.levels
            .0
            .iter()
            .filter(|finding| finding.probability().is_some())
            .max_by(|a, b| a.probability().partial_cmp(&b.probability()).unwrap_or(std::cmp::Ordering::Equal))
    }

    /// Levels that the scan shows in part only, C1 first.
    #[must_use]
    pub fn cut_off(&self) -> Vec<CervicalLevel> {
        let is_cut =
            |finding: &&LevelFinding| matches!(finding.outcome, LevelOutcome::Seen { extent: LevelExtent::CutOff, .. });
        self.levels.0.iter().filter(is_cut).map(|finding| finding.level).collect()
    }

    /// Levels that have no probability, C1 first: what the scan does not show, and what the network did not see in it.
    #[must_use]
    pub fn not_seen(&self) -> Vec<CervicalLevel> {
        self.levels.0.iter().filter(|finding| finding.probability().is_none()).map(|finding| finding.level).collect()
    }

    /// Where each level that has a probability is seen, C1 first.
    #[must_use]
    pub fn spans(&self) -> Vec<LevelSpan> {
        let seen = CervicalLevel::ALL.into_iter().filter(|level| self.levels[*level].probability().is_some());
        seen.filter_map(|level| {
            let mut shows = self.slices.iter().filter(|slice| slice.score.vertebra[level].value() >= 0.5);
            let first = shows.next()?.index;
            Some(LevelSpan { level, first, last: shows.next_back().map_or(first, |slice| slice.index) })
        })
        .collect()
    }

    /// Which slices were searched for the neck, one sentence for each series of which not all were.
    #[must_use]
    pub fn search_notices(&self) -> Vec<String> {
        let searched = self.parts().filter_map(|part| part.searched);
        searched.map(|searched| format!("searched for the neck: {searched}")).collect()
    }
}

/// Where a level is seen: slices of the analysed volume, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelSpan {
    /// The level.
    pub level: CervicalLevel,
    /// First slice, from 0.
    pub first: usize,
    /// Last slice.
    pub last: usize,
}

/// How the analysis of a study ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Analysis {
    /// With a report.
    Analysed(Arc<FractureReport>),
    /// Declined by its headers, with the reason; there is no probability.
    NotAnalysed(NotAnalysed),
    /// Declined by a model that has seen its pixels; there is no probability.
    Declined(Declined),
    /// Something went wrong: one sentence, then what to do.
    Failed(SensitiveText),
}

impl Analysis {
    /// The analysis without what may name a patient.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        match self {
            // Numbers, UIDs and the model's own texts; only the reasons of other series may name a file.
            Self::Analysed(report) if report.provenance.failures.is_empty() => Self::Analysed(Arc::clone(report)),
            Self::Analysed(report) => Self::Analysed(Arc::new(report.anonymous())),
            Self::NotAnalysed(reason) => Self::NotAnalysed(reason.anonymous()),
            Self::Declined(declined) => Self::Declined(declined.anonymous()),
            Self::Failed(problem) => Self::Failed(problem.anonymous()),
        }
    }
}

/// A model's word that a series is nothing for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Declined {
    /// Why.
    pub reason: NotAnalysed,
    /// Which model says so; another may see it otherwise.
    pub model: Arc<ModelIdentity>,
}

/// What a model made of a series' pixels, as it is kept for the next run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum KeptAnalysis {
    /// A report.
    Report(Arc<FractureReport>),
    /// None, and why.
    Declined(Declined),
}

impl Declined {
    /// The same without what may name a patient.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        let Self { reason, model } = self;
        Self { reason: reason.anonymous(), model: Arc::clone(model) }
    }
}

impl KeptAnalysis {
    /// The same without what may name a patient.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        match self {
            Self::Report(report) => Self::Report(Arc::new(report.anonymous())),
            Self::Declined(declined) => Self::Declined(declined.anonymous()),
        }
    }

    /// As the end of the analysis of a study; `None` where it is the report of another study.
    #[must_use]
    pub fn of_study(self, study: &Uid) -> Option<Analysis> {
        match self {
            Self::Report(report) => (report.study_uid == *study).then_some(Analysis::Analysed(report)),
            Self::Declined(declined) => Some(Analysis::Declined(declined)),
        }
    }

    /// Which model says so.
    #[must_use]
    pub fn model(&self) -> &ModelIdentity {
        match self {
            Self::Report(report) => &report.model,
            Self::Declined(declined) => &declined.model,
        }
    }
}
