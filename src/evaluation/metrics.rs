//! Measures of scores against truths. Pure; every study may count several times, so that resamples need no copies.

use serde::Serialize;

/// One score with its truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The higher, the more suspicious.
    pub score: f64,
    /// Whether it is broken (or visible).
    pub positive: bool,
    /// How often it counts.
    pub weight: u32,
}

/// A step of a walk down the scores: what is called at a threshold of `score`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Called {
    /// The threshold: everything from it upwards is called.
    pub score: f64,
    /// Positives called.
    pub positives: u64,
    /// Negatives called.
    pub negatives: u64,
}

/// What is called at each different score, from the highest; the last step calls everything.
#[must_use]
pub(super) fn walk(scores: &[Scored]) -> Vec<Called> {
    let mut sorted: Vec<&Scored> = scores.iter().filter(|scored| scored.weight > 0).collect();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut steps: Vec<Called> = Vec::new();
    let (mut positives, mut negatives) = (0, 0);
    for scored in sorted {
        let count = if scored.positive { &mut positives } else { &mut negatives };
        *count += u64::from(scored.weight);
        match steps.last_mut() {
            Some(last) if last.score == scored.score => (last.positives, last.negatives) = (positives, negatives),
            _ => steps.push(Called { score: scored.score, positives, negatives }),
        }
    }
    steps
}

/// Area under the ROC curve: the chance that a positive scores above a negative, ties counting half (Mann & Whitney 1947). `None` when one of
/// the two is missing.
#[must_use]
pub fn area_under_curve(scores: &[Scored]) -> Option<f64> {
    let steps = walk(scores);
    let all = steps.last().filter(|all| all.positives > 0 && all.negatives > 0)?;
    let (mut area, mut before) = (0.0, (0, 0));
    for step in &steps {
        area += (step.negatives - before.1) as f64 * (step.positives + before.0) as f64 / 2.0;
        before = (step.positives, step.negatives);
    }
    Some(area / (all.positives as f64 * all.negatives as f64))
}

/// Average precision, `Σ (R_n − R_{n−1}) P_n` over falling thresholds, without interpolation. `None` without a positive.
#[must_use]
pub fn average_precision(scores: &[Scored]) -> Option<f64> {
    let steps = walk(scores);
    let all = steps.last().filter(|all| all.positives > 0)?.positives as f64;
    let (mut sum, mut before) = (0.0, 0);
    for step in &steps {
        let precision = step.positives as f64 / (step.positives + step.negatives) as f64;
        sum += (step.positives - before) as f64 / all * precision;
        before = step.positives;
    }
    Some(sum)
}

/// The largest sensitivity that some threshold reaches with at least this specificity, and the threshold (infinite where nothing may be
/// called). `None` when positives or negatives are missing.
#[must_use]
pub fn sensitivity_at(scores: &[Scored], specificity: f64) -> Option<(f64, f64)> {
    let steps = walk(scores);
    let all = steps.last().filter(|all| all.positives > 0 && all.negatives > 0)?;
    let allowed = (1.0 - specificity) * all.negatives as f64 + 1e-9;
    let best = steps.iter().take_while(|step| step.negatives as f64 <= allowed).last();
    Some(best.map_or((0.0, f64::INFINITY), |step| (step.positives as f64 / all.positives as f64, step.score)))
}

/// Weights of the RSNA 2022 metric for sound and broken: for the study, and for each level.
const STUDY_WEIGHTS: [f64; 2] = [7.0, 14.0];
const LEVEL_WEIGHTS: [f64; 2] = [1.0, 2.0];
/// Probabilities are clipped to this distance from 0 and 1, as in the competition's scorer; `cspine_train` clips alike.
const CLIP: f64 = 1e-15;

/// The RSNA 2022 competition's metric for one study, (overall, C1 to C7): the log losses weighted (14 for a broken study, 7 for a sound
/// one, 2 and 1 for levels) and divided by the sum of the study's weights. The metric is the mean over studies.
///
/// The evaluation page's formula leaves the normalisation out; it is in the scorer that the hosts published
/// (kaggle.com/competitions/rsna-2022-cervical-spine-fracture-detection/discussion/341854, weights in /340392; also as
/// `grade.py` in openai/mle-bench).
#[must_use]
pub fn rsna_loss(truth: [bool; 8], probability: [f64; 8]) -> f64 {
    let (mut loss, mut weights) = (0.0, 0.0);
    for (label, (broken, p)) in truth.into_iter().zip(probability).enumerate() {
        let weight = if label == 0 { STUDY_WEIGHTS } else { LEVEL_WEIGHTS }[usize::from(broken)];
        let p = p.clamp(CLIP, 1.0 - CLIP);
        loss -= weight * if broken { p.ln() } else { (1.0 - p).ln() };
        weights += weight;
    }
    loss / weights
}

/// Bins of the reliability curve.
pub(super) const BINS: usize = 10;

/// One bin of a reliability curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Lowest probability of the bin; it is a tenth wide.
    pub from: f64,
    /// Probabilities in it.
    pub count: usize,
    /// Their mean; `None` in an empty bin.
    pub mean_probability: Option<f64>,
    /// How many of them are broken, as a share.
    pub rate: Option<f64>,
}

/// The reliability curve over ten equal bins.
#[must_use]
pub(super) fn reliability(values: &[(f64, bool)]) -> [Bin; BINS] {
    let place = |p: f64| ((p * BINS as f64) as usize).min(BINS - 1);
    std::array::from_fn(|bin| {
        let inside: Vec<&(f64, bool)> = values.iter().filter(|(p, _)| place(*p) == bin).collect();
        let count = inside.len();
        let share = |sum: f64| (count > 0).then(|| sum / count as f64);
        Bin {
            from: bin as f64 / BINS as f64,
            count,
            mean_probability: share(inside.iter().map(|(p, _)| p).sum()),
            rate: share(inside.iter().filter(|(_, broken)| *broken).count() as f64),
        }
    })
}

/// Expected calibration error: how far the rate lies from the probability, on average over all values (Naeini, Cooper & Hauskrecht
/// 2015). `None` without a value.
#[must_use]
pub(super) fn calibration_error(bins: &[Bin]) -> Option<f64> {
    let all: usize = bins.iter().map(|bin| bin.count).sum();
    let gap = |bin: &Bin| Some(bin.count as f64 * (bin.rate? - bin.mean_probability?).abs());
    (all > 0).then(|| bins.iter().filter_map(gap).sum::<f64>() / all as f64)
}

/// A share with its counts and its 95 % interval by Wilson's score (Wilson EB 1927).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Proportion {
    /// `count / of`; `None` where there is nothing to count.
    pub value: Option<f64>,
    /// Lower bound.
    pub low: Option<f64>,
    /// Upper bound.
    pub high: Option<f64>,
    /// How many.
    pub count: usize,
    /// Of how many.
    pub of: usize,
}

impl Proportion {
    /// `count` of `of`.
    #[must_use]
    pub fn new(count: usize, of: usize) -> Self {
        if of == 0 {
            return Self { value: None, low: None, high: None, count, of };
        }
        // The 97.5th percentile of the normal distribution.
        let z = 1.959_964_f64;
        let (n, p) = (of as f64, count as f64 / of as f64);
        let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        let (low, high) = ((middle - half).max(0.0), (middle + half).min(1.0));
        Self { value: Some(p), low: Some(low.min(p)), high: Some(high.max(p)), count, of }
    }

    /// Counts what is so.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = bool>) -> Self {
        let (count, of) = values.into_iter().fold((0, 0), |(count, of), value| (count + usize::from(value), of + 1));
        Self::new(count, of)
    }
}

/// A quantile of sorted values, with straight lines between them; `None` without a value.
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    Some(sorted.get(low)? + (sorted.get(high)? - sorted.get(low)?) * at.fract())
}

#[cfg(test)]
mod tests;
