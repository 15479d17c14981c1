use super::*;
use crate::domain::{CervicalLevel, PerLevel, Probability, SliceScore};
use crate::inference::aggregate::{LevelSummary, summarise};
use crate::inference::manifest::PresenceSpec;
use proptest::prelude::*;
use std::collections::HashSet;

fn places(count: usize, spacing: f64) -> Vec<f64> {
    (0..count).map(|index| index as f64 * spacing).collect()
}

/// Goes through a scan as the analysis does, `batch` slices at a time; returns the order.
fn walk(offsets: &[f64], aggregation: Aggregation, batch: usize, see: impl Fn(usize) -> (f32, f32)) -> Vec<usize> {
    let mut known = vec![Known::Nothing; offsets.len()];
    let mut order = Vec::new();
    loop {
        let next: Vec<usize> = to_do(offsets, &known, aggregation).into_iter().take(batch).collect();
        if next.is_empty() {
            return order;
        }
        for &index in &next {
            let (visible, suspicion) = see(index);
            known[index] = Known::Seen { visible, suspicion };
        }
        order.extend(next);
    }
}

#[test]
fn no_slice_comes_twice_and_the_whole_scan_is_looked_over_first() {
    for (count, spacing) in [(0, 1.0), (1, 1.0), (5, 3.0), (9, 0.5), (100, 0.625), (70, 3.0), (3, 40.0)] {
        let offsets = places(count, spacing);
        let order = walk(&offsets, Aggregation::VisibleTopMean, 4, |_| (1.0, 0.0));
        assert_eq!(order.len(), count, "all show a vertebra");
        assert_eq!(order.iter().collect::<HashSet<_>>().len(), count);
        let coarse = coarse(&offsets);
        assert_eq!(&order[..coarse.len()], coarse);
        assert!(coarse.windows(2).all(|pair| {
            let step = offsets[pair[1]] - offsets[pair[0]];
            (step <= STRIDE_MM || pair[1] - pair[0] == 1) && pair[1] - pair[0] <= STRIDE
        }));
        assert!(coarse.last().is_none_or(|last| *last == count - 1), "the last slice is among them");
    }
}

#[test]
fn the_most_suspicious_places_come_next_and_head_and_chest_never() {
    let offsets = places(240, 1.0);
    let see = |index: usize| {
        let visible = if (60..180).contains(&index) { 0.9 } else { 0.001 };
        (visible, if (140..150).contains(&index) { 0.8 } else { 0.05 * visible })
    };
    let order = walk(&offsets, Aggregation::VisibleTopMean, 1, see);
    let first = coarse(&offsets).len();
    assert!(order[first..first + 8].iter().all(|index| (134..=156).contains(index)), "{:?}", &order[first..first + 8]);
    // 120 slices with vertebrae, 5 mm on both sides slice by slice, and from there to 20 mm in steps; the coarse pass alone looks farther out.
    let (fine, least) = (order[first..].iter(), order[first..].iter().min());
    assert!(order.len() < 160 && fine.max() < Some(&200) && least > Some(&39), "{}", order.len());
}

#[test]
fn what_shows_beyond_a_gap_is_found_within_the_margin() {
    for spacing in [0.4, 1.0, 2.5] {
        let offsets = places((200.0 / spacing) as usize, spacing);
        // The coarse pass misses the thin second stretch for some spacings; a step in the margin does not.
        let shows = |index: usize| (60.0..140.0).contains(&offsets[index]) || (150.6..154.8).contains(&offsets[index]);
        let order = walk(&offsets, Aggregation::VisibleTopMean, 4, |index| (if shows(index) { 0.9 } else { 0.0 }, 0.0));
        let missed: Vec<usize> = (0..offsets.len()).filter(|index| shows(*index) && !order.contains(index)).collect();
        assert!(missed.is_empty(), "{spacing} mm apart: {missed:?}");
    }
}

#[test]
fn a_scan_without_a_vertebra_costs_the_coarse_pass() {
    let offsets = places(300, 1.0);
    assert_eq!(walk(&offsets, Aggregation::VisibleTopMean, 4, |_| (0.0, 0.0)).len(), 39);
}

/// A scan of seven vertebrae: visibility rises and falls smoothly about each, as networks' does.
fn neck(offsets: &[f64], first_mm: f64, tall_mm: f64, fractures: &[f32]) -> Vec<SliceScore> {
    let score = |offset: &f64| {
        let mut score = SliceScore::default();
        for level in CervicalLevel::ALL {
            let middle = first_mm + (level.index() as f64 + 0.5) * tall_mm;
            let far = (offset - middle).abs() - 0.65 * tall_mm;
            score.vertebra[level] = Probability::new((1.0 / (1.0 + (far * 1.5).exp())) as f32).unwrap_or_default();
            let wave = 0.5 + 0.5 * (offset * 0.7 + level.index() as f64).sin();
            score.fracture[level] = Probability::new(fractures[level.index()] * wave as f32).unwrap_or_default();
        }
        score
    };
    offsets.iter().map(score).collect()
}

fn highest(score: &SliceScore) -> (f32, f32) {
    let of = |level: &CervicalLevel| (score.vertebra[*level].value(), score.fracture[*level].value());
    let pairs: Vec<_> = CervicalLevel::ALL.iter().map(of).collect();
    (pairs.iter().map(|p| p.0).fold(0.0, f32::max), pairs.iter().map(|p| p.0 * p.1).fold(0.0, f32::max))
}

proptest! {
    /// What is left out changes no level's number by more than 0.002.
    #[test]
    fn the_numbers_are_those_of_the_full_pass(
        spacing in 0.4_f64..4.0,
        above in 0.0_f64..120.0,
        below in 0.0_f64..120.0,
        tall in 11.0_f64..22.0,
        fractures in proptest::collection::vec(0.0_f32..1.0, 7),
        aggregation in proptest::sample::select(Aggregation::ALL.to_vec()),
    ) {
        let offsets = places(((above + below + 7.0 * tall) / spacing) as usize, spacing);
        let scores = neck(&offsets, above, tall, &fractures);
        let mut order = walk(&offsets, aggregation, 4, |index| highest(&scores[index]));
        order.sort_unstable();
        let presence = PresenceSpec { vertebra: 0.5, minimum_mm: 4.0 };
        let edges = [offsets[0], offsets[offsets.len() - 1]];
        let all = summarise(&scores, &offsets, &edges, aggregation, presence);
        let (some, at): (Vec<_>, Vec<_>) = order.iter().map(|&index| (scores[index], offsets[index])).unzip();
        let part = summarise(&some, &at, &edges, aggregation, presence);
        let value = |summary: &PerLevel<LevelSummary>, level| match summary[level] {
            LevelSummary::Seen { probability, extent, .. } => Some((probability.value(), extent)),
            LevelSummary::NotSeen => None,
        };
        prop_assert_eq!(all.is_ok(), part.is_ok());
        if let (Ok(all), Ok(part)) = (all, part) {
            for level in CervicalLevel::ALL {
                match (value(&all, level), value(&part, level)) {
                    (Some(a), Some(b)) => prop_assert!((a.0 - b.0).abs() < 0.002 && a.1 == b.1, "{level}: {a:?} {b:?}"),
                    (a, b) => prop_assert_eq!(a, b),
                }
            }
        }
    }
}
