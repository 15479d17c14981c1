//! A labeled study's result, level by level, beside its labels. Pure.

use super::case::Outcome;
use super::labeled_folder::LabeledStudy;
use crate::domain::{
    Alert, Analysis, CervicalLevel, DistributionCheck, FractureReport, LevelOutcome, PerLevel, ScoredSlice, Series,
    Study,
};
use serde::Serialize;
use std::collections::HashSet;

/// One study.
#[derive(Debug, Clone, Serialize)]
pub struct LabeledResult {
    /// Name of its folder.
    pub study: String,
    /// Whether it is fractured by its label.
    pub fractured: bool,
    /// `analyzed`, `declined` or `failed`.
    pub status: &'static str,
    /// Why it has no numbers.
    pub reason: Option<String>,
    /// Overall probability.
    pub overall: Option<f64>,
    /// Whether that raises an alert.
    pub alert: bool,
    /// Whether it is at or above the package's threshold, and raises no alert as the study is unlike the model's training data.
    pub alert_withheld: bool,
    /// Whether the study is unlike the model's training data; `None` for an unknown distance, or a package that does not measure it.
    pub unlike: Option<bool>,
    /// The distance.
    pub distance: Option<f64>,
    /// Whether the levels found follow each other from cranial to caudal; `None` with fewer than two.
    pub levels_in_order: Option<bool>,
    /// Levels without a fracture that are flagged.
    pub false_flags: usize,
    /// Whether InstanceNumbers tell the slices of each series apart. If not, no slice is named.
    pub has_unique_numbers: bool,
    /// C1 to C7.
    pub levels: Vec<LabeledLevel>,
}

/// One level. Slices are InstanceNumbers.
#[derive(Debug, Clone, Serialize)]
pub struct LabeledLevel {
    /// Name.
    pub level: &'static str,
    /// Whether it is fractured by its label.
    pub fractured: bool,
    /// Probability; `None` for a level that is not seen.
    pub probability: Option<f64>,
    /// Rank of the probability among the study's levels, 1 for the highest.
    pub rank: Option<usize>,
    /// Whether it is at or above the package's threshold.
    pub flag: bool,
    /// Key slice.
    pub key_slice: Option<i32>,
    /// First and last slice with a box.
    pub boxed: Option<[i32; 2]>,
    /// Whether the key slice lies in that range.
    pub key_slice_in_boxed_range: Option<bool>,
    /// First and last slice on which the model sees the level.
    pub range: Option<[i32; 2]>,
    /// The labeled range.
    pub labeled_range: Option<[i32; 2]>,
    /// Cranial and caudal end: found minus labeled, mm, cranial positive.
    pub ends_mm: Option<[f64; 2]>,
}

impl LabeledResult {
    /// Puts result and labels together. `study`: the scanned study; `presence`: visibility from which a slice shows a level.
    #[must_use]
    pub fn new(labeled: &LabeledStudy, study: &Study, analysis: &Analysis, presence: f32) -> Self {
        match Outcome::of(analysis) {
            (Outcome::Analysed, Some(report)) => Self::analyzed(labeled, study, report, presence),
            (Outcome::Declined(reason), _) => Self::without_numbers(labeled, "declined", reason),
            (Outcome::Failed(reason), _) => Self::without_numbers(labeled, "failed", reason),
            (Outcome::Analysed, None) => Self::without_numbers(labeled, "failed", "no report".into()),
        }
    }

    /// A study without numbers: every fractured level counts as missed.
    #[must_use]
    pub fn without_numbers(labeled: &LabeledStudy, status: &'static str, reason: String) -> Self {
        let level = |level: CervicalLevel| LabeledLevel {
            level: level.name(),
            fractured: labeled.levels[level],
            probability: None,
            rank: None,
            flag: false,
            key_slice: None,
            boxed: labeled.boxed(level),
            key_slice_in_boxed_range: None,
            range: None,
            labeled_range: labeled.ranges[level],
            ends_mm: None,
        };
        Self {
            study: labeled.name.clone(),
            fractured: labeled.overall,
            status,
            reason: Some(reason),
            overall: None,
            alert: false,
            alert_withheld: false,
            unlike: None,
            distance: None,
            levels_in_order: None,
            false_flags: 0,
            has_unique_numbers: true,
            levels: CervicalLevel::ALL.map(level).into(),
        }
    }

    fn analyzed(labeled: &LabeledStudy, study: &Study, report: &FractureReport, presence: f32) -> Self {
        let shown = PerLevel::from_fn(|level| Shown::new(report, level, presence));
        let has_unique_numbers = report.parts().all(|part| are_unique(&part.slices));
        let number = |level: CervicalLevel| report.levels[level].probability().map(|found| f64::from(found.value()));
        let level = |level: CervicalLevel| {
            let probability = number(level);
            let higher = |than: f64| CervicalLevel::ALL.into_iter().filter(|other| number(*other) > Some(than)).count();
            let key_slice = match report.levels[level].outcome {
                LevelOutcome::Seen { key_slice, .. } if has_unique_numbers => key_slice.instance_number,
                LevelOutcome::Seen { .. } | LevelOutcome::NotSeen => None,
            };
            let boxed = labeled.boxed(level);
            let series = study.series.iter().find(|series| report.source(level).is_of(series));
            let ends = labeled.ranges[level].zip(series).and_then(|(range, series)| positions(range, series));
            LabeledLevel {
                level: level.name(),
                fractured: labeled.levels[level],
                probability,
                rank: probability.map(|found| 1 + higher(found)),
                flag: report.is_level_alert(level),
                key_slice,
                boxed,
                key_slice_in_boxed_range: boxed
                    .zip(key_slice)
                    .map(|([first, last], key)| (first..=last).contains(&key)),
                range: shown[level].as_ref().filter(|_| has_unique_numbers).and_then(|shown| shown.numbers),
                labeled_range: labeled.ranges[level],
                ends_mm: shown[level]
                    .as_ref()
                    .and_then(|shown| shown.z_mm)
                    .zip(ends)
                    .map(|([low, high], [lowest, highest])| [high - highest, low - lowest]),
            }
        };
        let levels: Vec<LabeledLevel> = CervicalLevel::ALL.map(level).into();
        let distance = report.distribution.and_then(DistributionCheck::distance);
        let middles: Vec<f64> = CervicalLevel::ALL
            .into_iter()
            .filter_map(|level| shown[level].as_ref()?.z_mm)
            .map(|[low, high]| f64::midpoint(low, high))
            .collect();
        Self {
            study: labeled.name.clone(),
            fractured: labeled.overall,
            status: "analyzed",
            reason: None,
            overall: Some(f64::from(report.overall.value())),
            alert: report.is_alert(),
            alert_withheld: report.alert() == Alert::Withheld,
            unlike: distance.map(|_| report.is_out_of_distribution()),
            distance: distance.map(|(distance, _)| f64::from(distance)),
            levels_in_order: (middles.len() > 1).then(|| middles.is_sorted_by(|cranial, caudal| cranial > caudal)),
            has_unique_numbers,
            false_flags: levels.iter().filter(|level| level.flag && !level.fractured).count(),
            levels,
        }
    }
}

/// Where the model sees a level.
struct Shown {
    /// Least and greatest InstanceNumber.
    numbers: Option<[i32; 2]>,
    /// Lowest and highest position, mm.
    z_mm: Option<[f64; 2]>,
}

impl Shown {
    fn new(report: &FractureReport, level: CervicalLevel, presence: f32) -> Option<Self> {
        report.levels[level].probability()?;
        let part = report.source(level);
        let slices = || part.slices.iter().filter(|slice| slice.score.vertebra[level].value() >= presence);
        let numbers = || slices().filter_map(|slice: &ScoredSlice| slice.instance_number);
        let z = || slices().filter_map(|slice| slice.position_mm);
        Some(Self {
            numbers: numbers().min().zip(numbers().max()).map(|(first, last)| [first, last]),
            z_mm: z().min_by(f64::total_cmp).zip(z().max_by(f64::total_cmp)).map(|(low, high)| [low, high]),
        })
    }
}

/// Whether every slice has an InstanceNumber of its own (PS3.3 C.7.6.1; some exports number all slices 1).
fn are_unique(slices: &[ScoredSlice]) -> bool {
    let mut seen = HashSet::new();
    slices.iter().all(|slice| slice.instance_number.is_some_and(|number| seen.insert(number)))
}

/// Lowest and highest position, LPS z in mm, of the two slices of these InstanceNumbers.
fn positions(range: [i32; 2], series: &Series) -> Option<[f64; 2]> {
    let z = |number: i32| {
        let slice = series.instances.iter().find(|instance| instance.instance_number == Some(number))?;
        Some(slice.plane?.position.z)
    };
    let (first, last) = (z(range[0])?, z(range[1])?);
    Some([first.min(last), first.max(last)])
}
