//! One study: what is true of it beside what the program said. Pure.

use super::dataset::{MadeFracture, StudyTruth};
use super::place::{LabelSlices, PlacedBox, reported_range};
use crate::domain::{
    Analysis, CervicalLevel, Declined, DistributionCheck, FractureReport, LevelOutcome, PerLevel, Series, Study,
};
use crate::nifti::LabelVolume;

/// How the analysis of a study ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With numbers.
    Analysed,
    /// Declined, with the reason.
    Declined(String),
    /// Something went wrong, with the reason.
    Failed(String),
}

impl Outcome {
    /// How an analysis ended, with its report.
    pub(super) fn of(analysis: &Analysis) -> (Self, Option<&FractureReport>) {
        match analysis {
            Analysis::Analysed(report) => (Self::Analysed, Some(report.as_ref())),
            Analysis::NotAnalysed(reason) | Analysis::Declined(Declined { reason, .. }) => {
                (Self::Declined(reason.to_string()), None)
            }
            Analysis::Failed(reason) => (Self::Failed(reason.to_string()), None),
        }
    }
}

/// A level's labelled range and how far the report's lies from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeError {
    /// The level.
    pub level: CervicalLevel,
    /// Upper and lower end: reported minus labelled, mm, headward positive; `None` where the report does not show the level.
    pub ends_mm: Option<[f64; 2]>,
}

/// A broken level that passes the threshold, with boxes: how well its place was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Distance of the hot spot from the nearest box of the level, mm; `None` for a package without activation maps.
    pub hot_spot_mm: Option<f64>,
    /// Whether the key slice lies within the range of slices that have boxes of the level.
    pub key_slice: bool,
}

/// A study with truth and result.
#[derive(Debug, Clone)]
pub struct Case {
    /// Which data set, by its place in the list.
    pub dataset: usize,
    /// StudyInstanceUID.
    pub uid: String,
    /// Whether it is broken: overall, C1 to C7.
    pub truth: [bool; 8],
    /// The program's numbers in the same order; `None` where it gives none.
    pub probability: [Option<f64>; 8],
    /// Whether the study raises an alert, and which levels are flagged.
    pub alert: [bool; 8],
    /// Whether the study is unlike the model's training data; `None` for an unknown distance.
    pub unlike: Option<bool>,
    /// How the analysis ended.
    pub outcome: Outcome,
    /// The model's visibility of each level on each slice that has labels, and whether the slice shows it.
    pub visibility: Vec<PerLevel<(f32, bool)>>,
    /// Every level that begins and ends within the labels.
    pub ranges: Vec<RangeError>,
    /// Broken levels that were found and have boxes.
    pub found: Vec<Found>,
    /// A phantom's fractures.
    pub fractures: Vec<MadeFracture>,
    /// Levels of a phantom with a healed fracture.
    pub healed: Vec<CervicalLevel>,
    /// Names of the sources of a phantom's vertebrae, sorted; empty if unknown.
    pub anatomy: Vec<String>,
    /// Reconstruction kernel.
    pub kernel: String,
    /// Distance of slices, mm.
    pub spacing_mm: Option<f64>,
    /// Slices that were analysed.
    pub slices: usize,
    /// From the start of the study to its report, seconds.
    pub seconds: Option<f64>,
}

/// What stands for words that a data set does not give.
pub(super) const UNSTATED: &str = "unstated";

impl Case {
    /// Puts truth and result together. `presence` is the visibility from which the package's slices show a level.
    #[must_use]
    pub fn new(
        dataset: usize,
        study: &Study,
        truth: &StudyTruth,
        labels: Option<&LabelVolume>,
        analysis: &Analysis,
        presence: f32,
    ) -> Self {
        let (outcome, report) = Outcome::of(analysis);
        let series = report
            .and_then(|report| study.series.iter().find(|series| report.is_of(series)))
            .or_else(|| study.series.first());
        let slices = labels.map(LabelSlices::new);
        let number = |level: usize| -> Option<f64> {
            let report = report?;
            let probability = match level.checked_sub(1).and_then(CervicalLevel::from_index) {
                None => report.overall,
                Some(level) => report.levels[level].probability()?,
            };
            Some(f64::from(probability.value()))
        };
        let alert = |label: usize| {
            report.is_some_and(|report| match label.checked_sub(1).and_then(CervicalLevel::from_index) {
                None => report.is_alert(),
                Some(level) => report.is_level_alert(level),
            })
        };
        let kernel = || series.filter(|series| !series.kernel.is_empty()).map(|series| series.kernel.to_string());
        Self {
            dataset,
            uid: study.uid.to_string(),
            truth: std::array::from_fn(|label| if label == 0 { truth.overall } else { truth.levels.0[label - 1] }),
            probability: std::array::from_fn(number),
            alert: std::array::from_fn(alert),
            unlike: report
                .and_then(|report| report.distribution)
                .filter(|check| check.distance().is_some())
                .map(DistributionCheck::is_out),
            outcome,
            visibility: report.zip(slices.as_ref()).map_or_else(Vec::new, |(report, slices)| seen(report, slices)),
            ranges: slices.as_ref().map_or_else(Vec::new, |slices| ranges(report, slices, presence)),
            found: report
                .zip(series)
                .map_or_else(Vec::new, |(report, series)| found(report, series, truth, labels.zip(slices.as_ref()))),
            fractures: truth.made.as_ref().map_or_else(Vec::new, |made| made.fractures.clone()),
            healed: truth.made.as_ref().map_or_else(Vec::new, |made| made.healed.clone()),
            anatomy: truth.made.as_ref().map_or_else(Vec::new, |made| made.anatomy.clone()),
            kernel: truth
                .made
                .as_ref()
                .map(|made| made.kernel.clone())
                .or_else(kernel)
                .unwrap_or_else(|| UNSTATED.into()),
            spacing_mm: series.and_then(Series::slice_spacing),
            slices: report.map_or(0, |report| report.parts().map(|part| part.slices.len()).sum()),
            seconds: report.map(|report| report.timing.total.as_secs_f64()),
        }
    }
}

fn seen(report: &FractureReport, slices: &LabelSlices) -> Vec<PerLevel<(f32, bool)>> {
    report
        .parts()
        .flat_map(|part| &part.slices)
        .filter_map(|slice| {
            let visible = slices.at(slice.position_mm?)?;
            Some(PerLevel::from_fn(|level| (slice.score.vertebra[level].value(), visible[level])))
        })
        .collect()
}

fn ranges(report: Option<&FractureReport>, slices: &LabelSlices, presence: f32) -> Vec<RangeError> {
    CervicalLevel::ALL
        .into_iter()
        .filter_map(|level| {
            let (low, high) = slices.whole(level)?;
            let reported = report.and_then(|report| reported_range(report.source(level), level, presence));
            Some(RangeError { level, ends_mm: reported.map(|(lowest, highest)| [highest - high, lowest - low]) })
        })
        .collect()
}

fn found(
    report: &FractureReport,
    series: &Series,
    truth: &StudyTruth,
    labels: Option<(&LabelVolume, &LabelSlices)>,
) -> Vec<Found> {
    let boxes: Vec<(PlacedBox<'_>, Vec<CervicalLevel>)> = truth
        .boxes
        .iter()
        .filter_map(|truth_box| PlacedBox::new(truth_box, series))
        .map(|placed| (placed, placed.levels(&truth.levels, labels)))
        .collect();
    let half = series.slice_spacing().unwrap_or(1.0) / 2.0 + 0.01;
    let one = |level: CervicalLevel| {
        let LevelOutcome::Seen { key_slice, hot_spot, .. } = report.levels[level].outcome else { return None };
        let mine: Vec<&PlacedBox<'_>> =
            boxes.iter().filter(|(_, levels)| levels.contains(&level)).map(|(placed, _)| placed).collect();
        let distance = |spot: crate::domain::HotSpot| {
            mine.iter().map(|placed| placed.distance_mm(spot.point)).min_by(f64::total_cmp)
        };
        let (low, high) = mine.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), placed| {
            (low.min(placed.z_mm()), high.max(placed.z_mm()))
        });
        let inside = |z: f64| (low - half..=high + half).contains(&z);
        let key_slice = key_slice.position_mm.is_some_and(inside);
        (!mine.is_empty()).then(|| Found { hot_spot_mm: hot_spot.and_then(distance), key_slice })
    };
    let hits = CervicalLevel::ALL.into_iter().filter(|level| truth.levels[*level] && report.is_level_alert(*level));
    hits.filter_map(one).collect()
}
