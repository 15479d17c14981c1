//! All measures of a set of studies, as `evaluation.json` has them.
//!
//! What has no number cannot be scored, and must not be a way to look better: a broken study or level without a number counts as missed (in AUC
//! as the lowest score of all), a sound one is left out; both are counted in `declined`, `failed` and `levels_without_number`. In the RSNA loss,
//! which wants a number for everything, they take RSNA's own rate of the label.

mod groups;

pub(super) use groups::Group;

use super::bootstrap::{Draws, Interval};
use super::case::{Case, Outcome};
use super::metrics::{
    Bin, Proportion, Scored, area_under_curve, average_precision, calibration_error, quantile, reliability, rsna_loss,
    sensitivity_at,
};
use crate::domain::{CervicalLevel, Thresholds};
use serde::Serialize;
use std::collections::BTreeMap;

/// Shares of broken studies and of broken C1 to C7 among the 2019 of RSNA 2022's `train.csv`.
pub const RSNA_RATES: [f64; 8] = [0.476, 0.072, 0.141, 0.036, 0.053, 0.080, 0.137, 0.195];

/// A value for each level by name, and their mean.
#[derive(Debug, Clone, Serialize)]
pub struct ByLevel<T> {
    /// C1 to C7.
    #[serde(flatten)]
    pub levels: BTreeMap<&'static str, Option<T>>,
    /// Mean of those that there are.
    pub mean: Option<T>,
}

/// AUC; intervals are from resampled studies.
#[derive(Debug, Clone, Serialize)]
pub struct Auc {
    /// Of `patient_overall`.
    pub overall: Option<Interval>,
    /// C1 to C7; `None` where no study, or every study, is broken there.
    #[serde(flatten)]
    pub levels: BTreeMap<&'static str, Option<Interval>>,
    /// Mean of the levels that have one.
    pub mean_level: Option<Interval>,
}

/// The RSNA 2022 metric; lower is better.
#[derive(Debug, Clone, Serialize)]
pub struct RsnaLoss {
    /// Of the program's numbers.
    pub value: Option<f64>,
    /// 95 % interval.
    pub low: Option<f64>,
    /// 95 % interval.
    pub high: Option<f64>,
    /// Of these studies' own rates, told for every study.
    pub guess_rates: Option<f64>,
    /// Of RSNA's published rates, told for every study.
    pub guess_rsna: Option<f64>,
}

/// Probabilities against rates.
#[derive(Debug, Clone, Serialize)]
pub struct Calibration<T> {
    /// Overall probabilities of studies.
    pub study: T,
    /// Probabilities of all levels together.
    pub level: T,
}

/// What a threshold of the package reaches.
#[derive(Debug, Clone, Serialize)]
pub struct OperatingPoint {
    /// The threshold.
    pub threshold: f64,
    /// Broken ones that pass it.
    pub sensitivity: Proportion,
    /// Sound ones that do not.
    pub specificity: Proportion,
}

/// The package's two thresholds.
#[derive(Debug, Clone, Serialize)]
pub struct OperatingPoints {
    /// Studies.
    pub overall: OperatingPoint,
    /// Levels, all together.
    pub level: OperatingPoint,
}

/// Studies that got no number.
#[derive(Debug, Clone, Default, Serialize)]
pub struct NoNumber {
    /// Broken ones: each counts as missed.
    pub fractured: usize,
    /// Sound ones.
    pub sound: usize,
    /// How many for which reason.
    pub reasons: BTreeMap<String, usize>,
}

/// How far a level's reported range lies from its labelled one, over all levels that the labels show whole. A slice shows a level by 20 mm²
/// of labels; by the report, where the model's visibility passes the package's presence.
#[derive(Debug, Clone, Serialize)]
pub struct LevelRanges {
    /// Both ends within 5 mm.
    pub within_5mm: Proportion,
    /// Likewise for each level.
    pub within_5mm_by_level: BTreeMap<&'static str, Proportion>,
    /// Levels that the report does not show.
    pub not_found: usize,
    /// Reported minus labelled upper end, mm, headward positive.
    pub upper_mm: Option<Errors>,
    /// The same of the lower end.
    pub lower_mm: Option<Errors>,
}

/// Errors in mm.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Errors {
    /// Mean, with its sign.
    pub mean: f64,
    /// Median of the amounts.
    pub median_amount: f64,
    /// 95th percentile of the amounts.
    pub p95_amount: f64,
}

/// Where fractures were found: of broken levels that pass the threshold and have boxes.
#[derive(Debug, Clone, Serialize)]
pub struct Localisation {
    /// Hot spot inside a box of the level (within its slice, half a slice to both sides).
    pub hot_spot_in_box: Proportion,
    /// Hot spot inside a box made larger by 5 mm on all six sides.
    pub in_box_5mm: Proportion,
    /// Key slice within the range of slices that have boxes of the level.
    pub key_slice: Proportion,
}

/// How long it took, on the machine that ran the evaluation.
#[derive(Debug, Clone, Serialize)]
pub struct Speed {
    /// Studies with a report.
    pub studies: usize,
    /// Their slices.
    pub slices: usize,
    /// Median time per study, s.
    pub median_s: Option<f64>,
    /// 95th percentile, s.
    pub p95_s: Option<f64>,
    /// Slices over time.
    pub slices_per_second: Option<f64>,
}

/// All measures of a set of studies.
#[derive(Debug, Clone, Serialize)]
pub struct Measures {
    /// Studies.
    pub studies: usize,
    /// Broken ones.
    pub fractured: usize,
    /// Broken studies and levels, as shares: overall, C1 to C7.
    pub rates: Option<[f64; 8]>,
    /// Areas under ROC curves.
    pub auc: Auc,
    /// The competition's metric.
    pub rsna_log_loss: RsnaLoss,
    /// Expected calibration errors.
    pub ece: Calibration<Option<f64>>,
    /// Reliability curves.
    pub reliability: Calibration<[Bin; super::metrics::BINS]>,
    /// At the package's thresholds.
    pub thresholds: OperatingPoints,
    /// Overall sensitivity where 95 % of the sound studies are left alone.
    pub sensitivity_at_95_specificity: Option<Interval>,
    /// Average precision of each level's visibility, over slices with labels.
    pub visibility_ap: ByLevel<f64>,
    /// Slices that it rests on.
    pub visibility_slices: usize,
    /// Where levels begin and end.
    pub level_ranges: LevelRanges,
    /// Where fractures are.
    pub localisation: Localisation,
    /// Phantoms' fractures found (their level passes the threshold), by kind.
    pub by_kind: BTreeMap<String, Proportion>,
    /// By width of the gap, mm.
    pub by_width_mm: BTreeMap<String, Proportion>,
    /// By motion of the fragment, mm.
    pub by_displacement_mm: BTreeMap<String, Proportion>,
    /// Phantoms with a fracture, by the width of their widest gap, mm; every group holds all sound studies too.
    pub by_widest_gap_mm: BTreeMap<String, Group>,
    /// Levels with a healed fracture and no fresh one that pass the level threshold: false alarms.
    pub healed_alarms: Proportion,
    /// Studies unlike the model's training data, of those whose distance is known.
    pub unlike: Proportion,
    /// Alerts withheld because of that, of the studies whose overall probability reaches its threshold.
    pub alerts_withheld: Proportion,
    /// Studies by distance of slices, mm.
    pub by_spacing_mm: BTreeMap<String, Group>,
    /// Studies by kernel.
    pub by_kernel: BTreeMap<String, Group>,
    /// Studies that the program declined.
    pub declined: NoNumber,
    /// Studies that it could not analyse.
    pub failed: NoNumber,
    /// Levels without a number in studies that were analysed.
    pub levels_without_number: NoNumber,
    /// Time.
    pub timing: Speed,
}

/// Limits of the classes of gaps' widths.
const WIDTHS_MM: [f64; 3] = [0.5, 1.0, 2.0];

/// Measures a set of studies.
#[must_use]
pub fn measure(cases: &[&Case], thresholds: Thresholds) -> Measures {
    let draws = Draws::new(cases.len());
    let by = |key: &dyn Fn(&Case) -> String| groups::by(cases, key);
    let fractures = |key: &dyn Fn(&super::dataset::MadeFracture) -> String| {
        let mut found: BTreeMap<String, Vec<bool>> = BTreeMap::new();
        for case in cases {
            for fracture in &case.fractures {
                found.entry(key(fracture)).or_default().push(case.alert[1 + fracture.level.index()]);
            }
        }
        found.into_iter().map(|(name, found)| (name, Proportion::of(found))).collect::<BTreeMap<_, _>>()
    };
    let curves = Calibration { study: reliability(&told(cases, 0..1)), level: reliability(&told(cases, 1..8)) };
    Measures {
        studies: cases.len(),
        fractured: cases.iter().filter(|case| case.truth[0]).count(),
        rates: rates(cases),
        auc: auc(cases, &draws),
        rsna_log_loss: loss(cases, &draws),
        ece: Calibration { study: calibration_error(&curves.study), level: calibration_error(&curves.level) },
        reliability: curves,
        thresholds: OperatingPoints {
            overall: operating_point(cases, 0..1, f64::from(thresholds.overall.value())),
            level: operating_point(cases, 1..8, f64::from(thresholds.level.value())),
        },
        sensitivity_at_95_specificity: draws
            .interval(|counts| sensitivity_at(&scores(cases, 0, counts), 0.95).map(|(sensitivity, _)| sensitivity)),
        visibility_ap: visibility(cases),
        visibility_slices: cases.iter().map(|case| case.visibility.len()).sum(),
        level_ranges: level_ranges(cases),
        localisation: localisation(cases),
        by_kind: fractures(&|fracture| fracture.kind.clone()),
        by_width_mm: fractures(&|fracture| class(fracture.width_mm, &WIDTHS_MM)),
        by_displacement_mm: fractures(&|fracture| class(fracture.displacement_mm, &[0.5, 1.0, 2.0, 4.0])),
        by_widest_gap_mm: groups::by_widest_gap(cases),
        healed_alarms: healed_alarms(cases),
        unlike: Proportion::of(cases.iter().filter_map(|case| case.unlike)),
        alerts_withheld: Proportion::of(
            cases
                .iter()
                .filter(|case| case.probability[0].is_some_and(|p| p >= f64::from(thresholds.overall.value())))
                .map(|case| !case.alert[0]),
        ),
        by_spacing_mm: by(&|case| case.spacing_mm.map_or("unknown".into(), |mm| class(mm, &[0.9, 1.4, 2.2]))),
        by_kernel: by(&|case| case.kernel.clone()),
        declined: without(cases, |outcome| match outcome {
            Outcome::Declined(reason) => Some(reason),
            _ => None,
        }),
        failed: without(cases, |outcome| match outcome {
            Outcome::Failed(reason) => Some(reason),
            _ => None,
        }),
        levels_without_number: levels_without(cases),
        timing: speed(cases),
    }
}

/// The scores of one label (0 the study, 1 to 7 the levels), each as often as its study counts.
pub(super) fn scores(cases: &[&Case], label: usize, counts: &[u32]) -> Vec<Scored> {
    let one = |(case, weight): (&&Case, &u32)| {
        let positive = case.truth[label];
        // Lower than any probability.
        let score = case.probability[label].or(positive.then_some(-1.0))?;
        Some(Scored { score, positive, weight: *weight })
    };
    cases.iter().zip(counts).filter_map(one).collect()
}

fn level_areas(cases: &[&Case], counts: &[u32]) -> [Option<f64>; 7] {
    std::array::from_fn(|level| area_under_curve(&scores(cases, level + 1, counts)))
}

fn mean(values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.into_iter().flatten().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn overall_area(cases: &[&Case], draws: &Draws) -> Option<Interval> {
    draws.interval(|counts| area_under_curve(&scores(cases, 0, counts)))
}

fn mean_level_area(cases: &[&Case], draws: &Draws) -> Option<Interval> {
    draws.interval(|counts| mean(level_areas(cases, counts)))
}

fn auc(cases: &[&Case], draws: &Draws) -> Auc {
    let level =
        |level: CervicalLevel| draws.interval(|counts| area_under_curve(&scores(cases, level.index() + 1, counts)));
    Auc {
        overall: overall_area(cases, draws),
        levels: CervicalLevel::ALL.map(|one| (one.name(), level(one))).into(),
        mean_level: mean_level_area(cases, draws),
    }
}

fn rates(cases: &[&Case]) -> Option<[f64; 8]> {
    let share = |label: usize| cases.iter().filter(|case| case.truth[label]).count() as f64 / cases.len() as f64;
    (!cases.is_empty()).then(|| std::array::from_fn(share))
}

fn loss(cases: &[&Case], draws: &Draws) -> RsnaLoss {
    let of = |guess: &dyn Fn(&Case) -> [f64; 8]| -> Vec<f64> {
        cases.iter().map(|case| rsna_loss(case.truth, guess(case))).collect()
    };
    let told = of(&|case| std::array::from_fn(|label| case.probability[label].unwrap_or(RSNA_RATES[label])));
    let found = draws.interval(|counts| {
        let weight: u32 = counts.iter().sum();
        let sum: f64 = told.iter().zip(counts).map(|(loss, count)| loss * f64::from(*count)).sum();
        (weight > 0).then(|| sum / f64::from(weight))
    });
    let guess = |rates: [f64; 8]| mean(of(&|_| rates).into_iter().map(Some));
    RsnaLoss {
        value: found.map(|found| found.value),
        low: found.and_then(|found| found.low),
        high: found.and_then(|found| found.high),
        guess_rates: rates(cases).and_then(guess),
        guess_rsna: guess(RSNA_RATES),
    }
}

/// The numbers of some labels that the program gives, with their truths.
pub(super) fn told(cases: &[&Case], labels: std::ops::Range<usize>) -> Vec<(f64, bool)> {
    let one = |case: &&Case| -> Vec<(f64, bool)> {
        labels.clone().filter_map(|label| Some((case.probability[label]?, case.truth[label]))).collect()
    };
    cases.iter().flat_map(one).collect()
}

fn operating_point(cases: &[&Case], labels: std::ops::Range<usize>, threshold: f64) -> OperatingPoint {
    let all = || cases.iter().flat_map(|case| labels.clone().map(move |label| (case, label)));
    OperatingPoint {
        threshold,
        sensitivity: Proportion::of(
            all().filter(|(case, label)| case.truth[*label]).map(|(case, label)| case.alert[label]),
        ),
        specificity: Proportion::of(
            all()
                .filter(|(case, label)| !case.truth[*label] && case.probability[*label].is_some())
                .map(|(case, label)| !case.alert[label]),
        ),
    }
}

fn healed_alarms(cases: &[&Case]) -> Proportion {
    let labels = cases.iter().flat_map(|case| case.healed.iter().map(move |level| (case, 1 + level.index())));
    Proportion::of(labels.filter(|(case, label)| !case.truth[*label]).map(|(case, label)| case.alert[label]))
}

fn visibility(cases: &[&Case]) -> ByLevel<f64> {
    let level = |level: CervicalLevel| {
        let slices = cases.iter().flat_map(|case| &case.visibility).map(|slice| slice[level]);
        let scores: Vec<Scored> =
            slices.map(|(score, positive)| Scored { score: f64::from(score), positive, weight: 1 }).collect();
        average_precision(&scores)
    };
    let levels = CervicalLevel::ALL.map(|one| (one.name(), level(one)));
    ByLevel { mean: mean(levels.map(|(_, value)| value)), levels: levels.into() }
}

/// Farthest that the ends of a range may lie from the labels' to count as right, mm.
const RANGE_MM: f64 = 5.0;

fn level_ranges(cases: &[&Case]) -> LevelRanges {
    let all: Vec<_> = cases.iter().flat_map(|case| &case.ranges).collect();
    let right = |range: &super::case::RangeError| {
        range.ends_mm.is_some_and(|ends| ends.iter().all(|end| end.abs() <= RANGE_MM + 1e-6))
    };
    let errors = |end: usize| Errors::new(all.iter().filter_map(|range| Some(range.ends_mm?[end])).collect());
    let of = |level: CervicalLevel| {
        Proportion::of(all.iter().filter(|range| range.level == level).map(|range| right(range)))
    };
    LevelRanges {
        within_5mm: Proportion::of(all.iter().map(|range| right(range))),
        within_5mm_by_level: CervicalLevel::ALL.map(|level| (level.name(), of(level))).into(),
        not_found: all.iter().filter(|range| range.ends_mm.is_none()).count(),
        upper_mm: errors(0),
        lower_mm: errors(1),
    }
}

impl Errors {
    fn new(errors: Vec<f64>) -> Option<Self> {
        let mean = mean(errors.iter().copied().map(Some))?;
        let mut amounts: Vec<f64> = errors.into_iter().map(f64::abs).collect();
        amounts.sort_by(f64::total_cmp);
        Some(Self { mean, median_amount: quantile(&amounts, 0.5)?, p95_amount: quantile(&amounts, 0.95)? })
    }
}

fn localisation(cases: &[&Case]) -> Localisation {
    let found: Vec<_> = cases.iter().flat_map(|case| &case.found).collect();
    // A package without activation maps gives no place at all: that is not a wrong one.
    let maps = found.iter().any(|found| found.hot_spot_mm.is_some());
    let within = |mm: f64| {
        let near = found.iter().filter(|_| maps).map(|found| found.hot_spot_mm.is_some_and(|far| far <= mm + 1e-6));
        Proportion::of(near)
    };
    Localisation {
        hot_spot_in_box: within(0.0),
        in_box_5mm: within(5.0),
        key_slice: Proportion::of(found.iter().map(|found| found.key_slice)),
    }
}

fn without(cases: &[&Case], reason: impl Fn(&Outcome) -> Option<&String>) -> NoNumber {
    let mut counts = NoNumber::default();
    for case in cases {
        if let Some(reason) = reason(&case.outcome) {
            counts.add(case.truth[0], reason);
        }
    }
    counts
}

fn levels_without(cases: &[&Case]) -> NoNumber {
    let mut counts = NoNumber::default();
    for case in cases.iter().filter(|case| case.outcome == Outcome::Analysed) {
        for level in CervicalLevel::ALL {
            if case.probability[1 + level.index()].is_none() {
                counts.add(case.truth[1 + level.index()], level.name());
            }
        }
    }
    counts
}

impl NoNumber {
    fn add(&mut self, fractured: bool, reason: &str) {
        *if fractured { &mut self.fractured } else { &mut self.sound } += 1;
        *self.reasons.entry(reason.to_owned()).or_default() += 1;
    }
}

fn speed(cases: &[&Case]) -> Speed {
    let mut seconds: Vec<f64> = cases.iter().filter_map(|case| case.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let (slices, sum) = (cases.iter().map(|case| case.slices).sum::<usize>(), seconds.iter().sum::<f64>());
    Speed {
        studies: seconds.len(),
        slices,
        median_s: quantile(&seconds, 0.5),
        p95_s: quantile(&seconds, 0.95),
        slices_per_second: (sum > 0.0).then(|| slices as f64 / sum),
    }
}

/// The class of a value between rising limits: `0-0.5`, `0.5-1`, …, `2+`; a limit belongs to the class above it.
fn class(value: f64, limits: &[f64]) -> String {
    // What was meant as 0.5 may have been written as 0.49999999.
    let above = limits.iter().filter(|limit| value + 1e-6 >= **limit).count();
    let low = above.checked_sub(1).map_or(0.0, |index| limits[index]);
    limits.get(above).map_or_else(|| format!("{low}+"), |high| format!("{low}-{high}"))
}

#[cfg(test)]
mod tests;
