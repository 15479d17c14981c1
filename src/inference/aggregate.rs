//! Per-slice outputs to one line per level. Pure.

use super::manifest::PresenceSpec;
use crate::domain::{Aggregation, CervicalLevel, LevelExtent, NotAnalysed, PerLevel, Probability, SliceScore};

/// A vertebra with its processes takes up no more than this along the neck, mm; C7's spinous process hangs low, C2 has the
/// dens. What is "seen" over more is not a vertebra.
const TALLEST_LEVEL_MM: f64 = 75.0;
/// A scan of more than this shows two levels of a neck or none, mm: no level with its processes is as tall, and its neighbours
/// reach into its slices.
const LONE_LEVEL_MM: f64 = 80.0;
/// Nor is one level alone that takes up less than this part of the scan: what lies around it would be its neighbours.
const LONE_LEVEL_SHARE: f64 = 1.0 / 3.0;
/// What more than this parts from the rest of a level, in mm of slices that do not show it, is not part of it: no vertebra leaves out as
/// much. A gap in the scan parts nothing.
const STRAY_MM: f64 = 12.0;
/// A second stretch that long in shares of the level's longest is no stray: what shows one level twice is no neck.
const TWICE_SHARE: f64 = 0.5;
/// Share of the highest slices for [`Aggregation::VisibleTopMean`], and their least number.
const TOP_SHARE: usize = 10;
const TOP_LEAST: usize = 3;
/// [`Aggregation::VisibleOddsMean`] takes probabilities to be this far from 0 and 1.
const LEAST_ODDS: f64 = 1e-6;

/// What the slices say about one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LevelSummary {
    /// The scan shows the level.
    Seen {
        /// Fracture probability of the level, C_i.
        probability: Probability,
        /// Place (in the given list) of the slice where `f · v` is highest.
        key: usize,
        /// How much of it.
        extent: LevelExtent,
    },
    /// It does not.
    NotSeen,
}

/// If at least so many levels are seen in a neck's order, two between them may be missed: no other part of the body shows as many in order.
const SURE_LEVELS: usize = 5;

/// Summarises scored slices: `offsets[k]` is the place of `scores[k]` along the stack in mm, rising.
///
/// `edges` are the places beyond which there is no scan: its ends, and both sides of a gap. A level that shows on one of them is cut off.
///
/// A level is seen where its visibility passes `presence.vertebra` over at least `presence.minimum_mm`. Its probability is, by the
/// original system, `C_i = Σ_s f·v / Σ_s v` over all slices (or the package's other choice).
///
/// # Errors
/// [`NotAnalysed::NoCervicalSpine`] when no level is seen, when what is seen is not in the order of a neck, leaves out more
/// than one level (two, if five are seen in order), shows one twice, or is longer than a vertebra can be; and when one level alone is seen in a scan so long, or in so little of
/// it, that its neighbours must show too.
pub fn summarise(
    scores: &[SliceScore],
    offsets: &[f64],
    edges: &[f64],
    aggregation: Aggregation,
    presence: PresenceSpec,
) -> Result<PerLevel<LevelSummary>, NotAnalysed> {
    let shares = shares(offsets);
    let (mut centres, mut longest, mut twice) = (Vec::new(), 0.0_f64, false);
    let summary = PerLevel::from_fn(|level| {
        let visible: Vec<usize> =
            (0..scores.len()).filter(|&s| scores[s].vertebra[level].value() >= presence.vertebra).collect();
        let extent: f64 = visible.iter().map(|&s| shares[s]).sum();
        if visible.is_empty() || extent < presence.minimum_mm || extent > TALLEST_LEVEL_MM {
            return LevelSummary::NotSeen;
        }
        let mut stretches: Vec<f64> = stretches(&visible, &shares).into_iter().map(|found| found.1).collect();
        stretches.sort_by(|a, b| b.total_cmp(a));
        twice |= matches!(stretches[..], [first, second, ..] if second >= TWICE_SHARE * first);
        centres.push(visible.iter().map(|&s| offsets[s] * shares[s]).sum::<f64>() / extent.max(f64::MIN_POSITIVE));
        longest = extent.max(longest);
        let probability = match aggregation {
            Aggregation::VisibilityWeightedMean => weighted_mean(scores, level),
            Aggregation::VisibleTopMean => top_mean(scores, level, &visible),
            Aggregation::VisibleOddsMean => odds_mean(scores, level, &visible, &shares),
        };
        let suspicion = |s: usize| scores[s].fracture[level].value() * scores[s].vertebra[level].value();
        let key = visible.iter().copied().max_by(|&a, &b| suspicion(a).total_cmp(&suspicion(b))).unwrap_or(0);
        let at_an_edge = visible.iter().any(|&s| edges.iter().any(|edge| (edge - offsets[s]).abs() < 1e-6));
        let extent = if at_an_edge { LevelExtent::CutOff } else { LevelExtent::Whole };
        LevelSummary::Seen { probability, key, extent }
    });
    // A scan goes through the neck without a gap: one level may be overlooked between others, more is another part of the body.
    let seen: Vec<usize> = CervicalLevel::ALL
        .into_iter()
        .filter(|level| matches!(summary[*level], LevelSummary::Seen { .. }))
        .map(CervicalLevel::index)
        .collect();
    let missed = seen.first().zip(seen.last()).map_or(0, |(first, last)| last - first + 1 - seen.len());
    let in_order = centres.windows(2).filter(|pair| pair[0] < pair[1]).count() + 1;
    let is_sure = seen.len() >= SURE_LEVELS && in_order == seen.len();
    if twice || (missed > 1 && !is_sure) {
        return Err(NotAnalysed::NoCervicalSpine);
    }
    // One pair out of order is the network's weakness; more is not a neck.
    let ends = edges.iter().chain(offsets);
    let (first, last) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(*at), high.max(*at)));
    let scan = last - first;
    if centres.len() == 1 && (scan > LONE_LEVEL_MM || longest < LONE_LEVEL_SHARE * scan) {
        return Err(NotAnalysed::NoCervicalSpine);
    }
    if centres.is_empty() || in_order + 1 < centres.len() || (centres.len() == 2 && in_order < 2) {
        return Err(NotAnalysed::NoCervicalSpine);
    }
    Ok(summary)
}

/// The scores without strays, and what they say about each level: the whole way from scored slices to a report. Offsets, edges and levels are
/// as in [`summarise`]. `cspine_train.aggregate.combine` computes the same, and `tests/network/training.rs` compares the two.
///
/// # Errors
/// As [`summarise`].
pub fn combine(
    scores: Vec<SliceScore>,
    offsets: &[f64],
    edges: &[f64],
    aggregation: Aggregation,
    presence: PresenceSpec,
) -> Result<(Vec<SliceScore>, PerLevel<LevelSummary>), NotAnalysed> {
    // Whether the scan shows a neck depends on all that was seen: another part of the body shows "vertebrae" here and there.
    let with_strays = summarise(&scores, offsets, edges, aggregation, presence)?;
    let scores = without_strays(scores, offsets, presence);
    // Without its strays a scan may lack a level between others; it was a neck with them.
    let summary = summarise(&scores, offsets, edges, aggregation, presence).unwrap_or(with_strays);
    Ok((scores, summary))
}

/// The same scores without strays: of each level only the longest stretch of slices on which it shows keeps its visibility. A slice far
/// off that looks like a vertebra, in the skull or the chest, has no part in a level of the neck.
#[must_use]
fn without_strays(mut scores: Vec<SliceScore>, offsets: &[f64], presence: PresenceSpec) -> Vec<SliceScore> {
    let shares = shares(offsets);
    for level in CervicalLevel::ALL {
        let visible: Vec<usize> =
            (0..scores.len()).filter(|&s| scores[s].vertebra[level].value() >= presence.vertebra).collect();
        let stretches = stretches(&visible, &shares);
        let longest = stretches.iter().map(|found| found.1).fold(0.0, f64::max);
        let kept = stretches.iter().position(|found| found.1 >= longest);
        for (_, (stray, _)) in stretches.iter().enumerate().filter(|(stretch, _)| Some(*stretch) != kept) {
            stray.iter().for_each(|&slice| scores[slice].vertebra[level] = Probability::default());
        }
    }
    scores
}

/// The stretches of neighbouring slices among those that show a level, each with its extent in mm.
fn stretches<'v>(visible: &'v [usize], shares: &[f64]) -> Vec<(&'v [usize], f64)> {
    let runs = visible.chunk_by(|&a, &b| shares[a + 1..b].iter().sum::<f64>() <= STRAY_MM);
    runs.map(|run| (run, run.iter().map(|&s| shares[s]).sum())).collect()
}

/// The length of neck that each slice stands for: half the way to each neighbour, in mm; gaps count as the median step.
fn shares(offsets: &[f64]) -> Vec<f64> {
    let stack = crate::domain::SliceStack::new(offsets.to_vec());
    let spacing = stack.spacing.unwrap_or(0.0);
    let step = |a: usize, b: usize| (offsets[b] - offsets[a]).clamp(0.0, 1.5 * spacing);
    (0..offsets.len())
        .map(|s| {
            let before = if s > 0 { step(s - 1, s) } else { spacing };
            let after = if s + 1 < offsets.len() { step(s, s + 1) } else { spacing };
            f64::midpoint(before, after)
        })
        .collect()
}

fn weighted_mean(scores: &[SliceScore], level: CervicalLevel) -> Probability {
    let (mut sum, mut weight) = (0.0_f64, 0.0_f64);
    for score in scores {
        let visible = f64::from(score.vertebra[level].value());
        sum += f64::from(score.fracture[level].value()) * visible;
        weight += visible;
    }
    Probability::new((sum / weight.max(f64::MIN_POSITIVE)) as f32).unwrap_or_default()
}

fn top_mean(scores: &[SliceScore], level: CervicalLevel, visible: &[usize]) -> Probability {
    let mut products: Vec<f32> =
        visible.iter().map(|&s| scores[s].fracture[level].value() * scores[s].vertebra[level].value()).collect();
    products.sort_by(|a, b| b.total_cmp(a));
    let count = products.len().div_ceil(TOP_SHARE).max(TOP_LEAST).min(products.len());
    let mean = products.iter().take(count).sum::<f32>() / count.max(1) as f32;
    Probability::new(mean.clamp(0.0, 1.0)).unwrap_or_default()
}

fn odds_mean(scores: &[SliceScore], level: CervicalLevel, visible: &[usize], shares: &[f64]) -> Probability {
    let (mut sum, mut weight) = (0.0_f64, 0.0_f64);
    for &s in visible {
        let product = f64::from(scores[s].fracture[level].value()) * f64::from(scores[s].vertebra[level].value());
        let p = product.clamp(LEAST_ODDS, 1.0 - LEAST_ODDS);
        sum += shares[s] * (p / (1.0 - p)).sqrt();
        weight += shares[s];
    }
    let odds = (sum / weight.max(f64::MIN_POSITIVE)).powi(2);
    Probability::new((odds / (1.0 + odds)) as f32).unwrap_or_default()
}

/// The overall probability `1 − Π (1 − C_i)` over the seen levels.
#[must_use]
pub fn overall(levels: &PerLevel<LevelSummary>) -> Probability {
    let none: f64 = levels
        .iter()
        .map(|(_, level)| match level {
            LevelSummary::Seen { probability, .. } => 1.0 - f64::from(probability.value()),
            LevelSummary::NotSeen => 1.0,
        })
        .product();
    Probability::new((1.0 - none).clamp(0.0, 1.0) as f32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use CervicalLevel::{C1, C2, C3, C4, C5, C6, C7};

    const PRESENCE: PresenceSpec = PresenceSpec { vertebra: 0.5, minimum_mm: 2.0 };

    fn p(value: f32) -> Probability {
        Probability::new(value).expect("a probability")
    }

    fn score(set: &[(CervicalLevel, f32, f32)]) -> SliceScore {
        let mut score = SliceScore::default();
        for &(level, vertebra, fracture) in set {
            score.vertebra[level] = p(vertebra);
            score.fracture[level] = p(fracture);
        }
        score
    }

    fn probability(summary: &PerLevel<LevelSummary>, level: CervicalLevel) -> f32 {
        match summary[level] {
            LevelSummary::Seen { probability, .. } => probability.value(),
            LevelSummary::NotSeen => panic!("{level} is not seen"),
        }
    }

    /// By hand: C1 = (0.2·1 + 0.8·0.5) / (1 + 0.5 + 0) = 0.6/1.5 = 0.4; C2 = (0·0 + 0.1·0.5 + 0.5·1) / 1.5 = 0.55/1.5;
    /// overall = 1 − 0.6·(1 − 0.55/1.5) = 0.62.
    #[test]
    fn the_original_systems_formula_by_hand() {
        let scores = [
            score(&[(C1, 1.0, 0.2), (C2, 0.0, 0.9)]),
            score(&[(C1, 0.5, 0.8), (C2, 0.5, 0.1)]),
            score(&[(C1, 0.0, 1.0), (C2, 1.0, 0.5)]),
        ];
        let summary =
            summarise(&scores, &[0.0, 1.0, 2.0], &[], Aggregation::VisibilityWeightedMean, PRESENCE).expect("a neck");
        assert!((probability(&summary, C1) - 0.4).abs() < 1e-6);
        assert!((probability(&summary, C2) - 0.55 / 1.5).abs() < 1e-6);
        assert_eq!(summary[C3], LevelSummary::NotSeen);
        assert!((overall(&summary).value() - 0.62).abs() < 1e-6);
        assert!(matches!(summary[C1], LevelSummary::Seen { key: 1, .. }), "0.8 · 0.5 beats 0.2 · 1");
        assert!(matches!(summary[C2], LevelSummary::Seen { key: 2, .. }));
    }

    /// By hand: f·v = 0.9, 0.8, 0.1, 0.1; ten per cent of four is one, but at least three count: (0.9 + 0.8 + 0.1)/3 = 0.6.
    #[test]
    fn the_mean_of_the_highest_by_hand() {
        let scores: Vec<_> = [0.1, 0.9, 0.8, 0.1].map(|f| score(&[(C1, 1.0, f)])).to_vec();
        let summary =
            summarise(&scores, &[0.0, 1.0, 2.0, 3.0], &[], Aggregation::VisibleTopMean, PRESENCE).expect("a neck");
        assert!((probability(&summary, C1) - 0.6).abs() < 1e-6);
    }

    /// By hand: odds of f·v = 0.9, 0.5, 0.1, 0.1 are 9, 1, 1/9, 1/9, their roots 3, 1, 1/3, 1/3; the last slice lies two steps
    /// farther, so that it stands for 1.25 steps, and the one before it for as much: (3 + 1 + 2 · 1.25/3)/4.5 = 29/27, odds 1.1536.
    #[test]
    fn the_mean_of_the_odds_by_hand() {
        let scores: Vec<_> = [0.9, 0.5, 0.1, 0.1].map(|f| score(&[(C1, 1.0, f)])).to_vec();
        let summary =
            summarise(&scores, &[0.0, 1.0, 2.0, 4.0], &[], Aggregation::VisibleOddsMean, PRESENCE).expect("a neck");
        let odds = (29.0_f32 / 27.0).powi(2);
        assert!((probability(&summary, C1) - odds / (1.0 + odds)).abs() < 1e-5, "{}", probability(&summary, C1));
    }

    #[test]
    fn a_level_on_the_last_slice_or_beside_a_gap_is_cut_off() {
        let scores: Vec<_> = [C1, C1, C2, C2, C3, C3].map(|level| score(&[(level, 0.9, 0.1)])).to_vec();
        let offsets = [2.0, 4.0, 6.0, 8.0, 20.0, 22.0];
        let summary =
            summarise(&scores, &offsets, &[0.0, 8.0, 20.0, 24.0], Aggregation::VisibilityWeightedMean, PRESENCE);
        let extents = summary.expect("a neck").0.map(|level| match level {
            LevelSummary::Seen { extent, .. } => Some(extent),
            LevelSummary::NotSeen => None,
        });
        assert_eq!(
            extents[..4],
            [Some(LevelExtent::Whole), Some(LevelExtent::CutOff), Some(LevelExtent::CutOff), None]
        );
    }

    #[test]
    fn a_level_seen_for_too_short_is_not_seen_and_none_is_no_neck() {
        let scores = [score(&[(C1, 0.9, 0.5)]), score(&[]), score(&[]), score(&[])];
        let offsets = [0.0, 1.0, 2.0, 3.0];
        assert_eq!(
            summarise(&scores, &offsets, &[], Aggregation::VisibilityWeightedMean, PRESENCE),
            Err(NotAnalysed::NoCervicalSpine)
        );
    }

    /// C1 shows on three slices and on two others 40 mm higher: the two are none of its.
    #[test]
    fn a_stray_slice_far_from_a_level_is_not_part_of_it() {
        let places: Vec<f64> = (0..30).map(|i| f64::from(i) * 2.0).collect();
        let shown = [0, 1, 20, 21, 22, 28];
        let at = |k: usize| score(&[(C1, if shown.contains(&k) { 0.8 } else { 0.1 }, 0.3), (C2, 0.7, 0.2)]);
        let cleaned = without_strays((0..30).map(at).collect(), &places, PRESENCE);
        let of = |level| -> Vec<usize> { (0..30).filter(|&k| cleaned[k].vertebra[level].value() > 0.5).collect() };
        // What is 10 mm off is part of it: the slices between were hard to see.
        assert_eq!(of(C1), [20, 21, 22, 28]);
        assert_eq!(of(C2), (0..30).collect::<Vec<_>>());
        assert!(cleaned.iter().all(|s| s.fracture[C1].value() > 0.0), "the fracture's number stays as it was");
    }

    /// As in an abdomen: C1 above and below what looks like C3 and C4.
    #[test]
    fn what_shows_a_level_twice_is_no_neck() {
        let levels = [C1, C1, C1, C3, C3, C4, C4, C1, C1, C1];
        let run = |second: f32| {
            let seen = |(k, level): (usize, &CervicalLevel)| score(&[(*level, if k < 7 { 0.9 } else { second }, 0.1)]);
            let scores: Vec<_> = levels.iter().enumerate().map(seen).collect();
            let offsets: Vec<f64> = (0..10).map(|i| f64::from(i) * 4.0).collect();
            summarise(&scores, &offsets, &[], Aggregation::VisibleOddsMean, PRESENCE)
        };
        assert_eq!(run(0.9), Err(NotAnalysed::NoCervicalSpine));
        assert!(run(0.4).is_ok());
    }

    /// Slices are missing from the middle of C3, or lie so far apart that one of them that was hard to see is a long way.
    #[test]
    fn a_gap_in_the_scan_does_not_make_two_levels_of_one() {
        let levels = [C2, C2, C3, C3, C3, C3, C4, C4];
        let scores: Vec<_> = levels.map(|level| score(&[(level, 0.9, 0.1)])).to_vec();
        let offsets = [0.0, 3.0, 6.0, 9.0, 40.0, 43.0, 46.0, 49.0];
        let run = |scores: &[SliceScore], offsets: &[f64]| {
            summarise(scores, offsets, &[], Aggregation::VisibleOddsMean, PRESENCE).is_ok()
        };
        assert!(run(&scores, &offsets));
        assert_eq!(without_strays(scores.clone(), &offsets, PRESENCE), scores);
        let seen = [(C3, 0.9), (C3, 0.3), (C3, 0.9), (C4, 0.9), (C4, 0.9)];
        let far: Vec<_> = seen.map(|(level, visible)| score(&[(level, visible, 0.1)])).to_vec();
        assert!(run(&far, &[0.0, 10.0, 20.0, 30.0, 40.0]));
    }

    #[test]
    fn levels_upside_down_are_no_neck() {
        let scores: Vec<_> = [C7, C7, C3, C3, C2, C2, C1, C1].map(|level| score(&[(level, 0.9, 0.1)])).to_vec();
        let offsets: Vec<f64> = (0..8).map(|i| f64::from(i) * 2.0).collect();
        assert_eq!(
            summarise(&scores, &offsets, &[], Aggregation::VisibilityWeightedMean, PRESENCE),
            Err(NotAnalysed::NoCervicalSpine)
        );
    }

    #[test]
    fn one_overlooked_level_is_forgiven_and_two_are_no_neck() {
        let offsets: Vec<f64> = (0..6).map(|i| f64::from(i) * 2.0).collect();
        let run = |levels: [CervicalLevel; 6]| {
            let scores = levels.map(|level| score(&[(level, 0.9, 0.1)]));
            summarise(&scores, &offsets, &[], Aggregation::VisibilityWeightedMean, PRESENCE)
        };
        assert!(run([C4, C4, C6, C6, C7, C7]).is_ok());
        assert_eq!(run([C1, C1, C5, C5, C7, C7]), Err(NotAnalysed::NoCervicalSpine));
    }

    #[test]
    fn five_levels_in_order_are_a_neck_although_two_are_overlooked() {
        let offsets: Vec<f64> = (0..10).map(|i| f64::from(i) * 5.0).collect();
        let run = |levels: [CervicalLevel; 5]| {
            let scores: Vec<SliceScore> = levels.iter().flat_map(|level| [score(&[(*level, 0.9, 0.1)]); 2]).collect();
            summarise(&scores, &offsets, &[], Aggregation::VisibilityWeightedMean, PRESENCE)
        };
        let summary = run([C1, C2, C3, C6, C7]).expect("a neck");
        assert_eq!([C4, C5].map(|level| summary[level]), [LevelSummary::NotSeen; 2]);
        // In another order they are not.
        assert_eq!(run([C1, C3, C2, C6, C7]), Err(NotAnalysed::NoCervicalSpine));
    }

    #[test]
    fn one_level_alone_in_a_small_part_of_a_scan_is_no_neck() {
        let summarised = |before: usize, slices: usize| {
            let scores: Vec<SliceScore> = (0..slices)
                .map(|s| score(if (before..before + 8).contains(&s) { &[(C2, 0.9, 0.1)] } else { &[] }))
                .collect();
            let offsets: Vec<f64> = (0..slices).map(|s| s as f64).collect();
            summarise(&scores, &offsets, &[], Aggregation::VisibilityWeightedMean, PRESENCE)
        };
        assert!(summarised(2, 12).is_ok());
        assert_eq!(summarised(16, 40), Err(NotAnalysed::NoCervicalSpine));
    }

    #[test]
    fn one_level_all_along_is_no_neck() {
        let scores = vec![score(&[(C7, 0.9, 0.1)]); 100];
        let offsets: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(
            summarise(&scores, &offsets, &[], Aggregation::VisibilityWeightedMean, PRESENCE),
            Err(NotAnalysed::NoCervicalSpine)
        );
    }
}
