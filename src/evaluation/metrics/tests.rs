use super::*;
use proptest::prelude::*;

fn scored(values: &[(f64, bool)]) -> Vec<Scored> {
    values.iter().map(|&(score, positive)| Scored { score, positive, weight: 1 }).collect()
}

/// By the definition: every pair, ties half.
fn pairs(scores: &[Scored]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for a in scores.iter().filter(|a| a.positive) {
        for b in scores.iter().filter(|b| !b.positive) {
            let weight = f64::from(a.weight) * f64::from(b.weight);
            count += weight;
            sum += weight * if a.score > b.score { 1.0 } else { f64::from(u8::from(a.score == b.score)) / 2.0 };
        }
    }
    (count > 0.0).then(|| sum / count)
}

fn some_scores() -> impl Strategy<Value = Vec<Scored>> {
    // Few different scores, so that there are ties.
    let one = (0_u8..12, any::<bool>(), 0_u32..4).prop_map(|(score, positive, weight)| Scored {
        score: f64::from(score) / 11.0,
        positive,
        weight,
    });
    prop::collection::vec(one, 0..40)
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    a.zip(b).map_or(a.is_none() && b.is_none(), |(a, b)| (a - b).abs() < 1e-9)
}

proptest! {
    #[test]
    fn the_area_counts_pairs(scores in some_scores()) {
        prop_assert!(close(area_under_curve(&scores), pairs(&scores)));
    }

    #[test]
    fn a_weight_is_so_many_copies(scores in some_scores()) {
        let copies: Vec<Scored> = scores
            .iter()
            .flat_map(|scored| std::iter::repeat_n(Scored { weight: 1, ..*scored }, scored.weight as usize))
            .collect();
        prop_assert!(close(area_under_curve(&scores), area_under_curve(&copies)));
        prop_assert!(close(average_precision(&scores), average_precision(&copies)));
        prop_assert_eq!(sensitivity_at(&scores, 0.8), sensitivity_at(&copies, 0.8));
    }

    #[test]
    fn no_threshold_beats_the_sensitivity_found(scores in some_scores(), specificity in 0.0_f64..1.0) {
        let count = |positive: bool, least: f64| {
            let fitting = scores.iter().filter(|s| s.positive == positive && s.score >= least);
            fitting.map(|s| f64::from(s.weight)).sum::<f64>()
        };
        let (positives, negatives) = (count(true, 0.0), count(false, 0.0));
        let Some((found, threshold)) = sensitivity_at(&scores, specificity) else {
            prop_assert!(positives == 0.0 || negatives == 0.0);
            return Ok(());
        };
        prop_assert!(1.0 - count(false, threshold) / negatives >= specificity - 1e-6);
        prop_assert!((count(true, threshold) / positives - found).abs() < 1e-9);
        for other in scores.iter().map(|s| s.score) {
            let kept = 1.0 - count(false, other) / negatives >= specificity + 1e-6;
            prop_assert!(!kept || count(true, other) / positives <= found + 1e-9);
        }
    }

    #[test]
    fn average_precision_by_its_definition(scores in some_scores()) {
        // For every positive the precision at its own score, averaged.
        let (mut sum, mut count) = (0.0, 0.0);
        for one in scores.iter().filter(|s| s.positive) {
            let called = scores.iter().filter(|s| s.score >= one.score);
            let (hits, all) = called.fold((0.0, 0.0), |(hits, all), s| {
                (hits + f64::from(s.weight * u32::from(s.positive)), all + f64::from(s.weight))
            });
            if one.weight > 0 {
                sum += f64::from(one.weight) * hits / all;
                count += f64::from(one.weight);
            }
        }
        prop_assert!(close(average_precision(&scores), (count > 0.0).then(|| sum / count)));
    }

    #[test]
    fn an_interval_holds_its_share(count in 0_usize..50, more in 0_usize..50) {
        let share = Proportion::new(count, count + more);
        prop_assert_eq!(share.value.is_none(), count + more == 0);
        if let (Some(value), Some(low), Some(high)) = (share.value, share.low, share.high) {
            prop_assert!(0.0 <= low && low <= value && value <= high && high <= 1.0);
        }
    }
}

/// Wilson's interval of 8 of 10: (0.8 + 0.19207 ± 1.95996 · √(0.016 + 0.0096037)) / 1.384146.
#[test]
fn wilsons_interval_by_hand() {
    let share = Proportion::new(8, 10);
    assert_eq!(share.value, Some(0.8));
    assert!((share.low.expect("bounds") - 0.49016).abs() < 1e-4);
    assert!((share.high.expect("bounds") - 0.94332).abs() < 1e-4);
}

/// A sound study, all at 0.5: the weighted mean of ln 2. A broken one with C2 broken, 0.9 overall, 0.8 at C2 and 0.1 at the six others:
/// (14 · 0.105361 + 2 · 0.223144 + 6 · 0.105361) / (14 + 2 + 6) = 2.553498 / 22.
#[test]
fn the_competitions_metric_by_hand() {
    assert!((rsna_loss([false; 8], [0.5; 8]) - std::f64::consts::LN_2).abs() < 1e-12);
    let truth = [true, false, true, false, false, false, false, false];
    let guess = [0.9, 0.1, 0.8, 0.1, 0.1, 0.1, 0.1, 0.1];
    assert!((rsna_loss(truth, guess) - 2.553_498 / 22.0).abs() < 1e-6);
    // A sure error costs 14 · 34.5 of the broken study's 28 weights, and is not infinite.
    let sure = rsna_loss([true; 8], [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    assert!((sure - 14.0 * 15.0 * std::f64::consts::LN_10 / 28.0).abs() < 1e-3, "{sure}");
}

/// 0.05 and 0.15 lie in two bins; of the first, one of two is broken: |0.5 − 0.05| · 2 + |0 − 0.15| · 1, over 3.
#[test]
fn calibration_by_hand() {
    let bins = reliability(&[(0.05, true), (0.05, false), (0.15, false)]);
    assert_eq!(bins.map(|bin| bin.count)[..3], [2, 1, 0]);
    assert!(close(calibration_error(&bins), Some((0.45 * 2.0 + 0.15) / 3.0)));
    assert_eq!(reliability(&[(1.0, true)])[9].count, 1);
    assert_eq!(calibration_error(&reliability(&[])), None);
}

#[test]
fn quantiles_lie_on_lines_between_values() {
    let values = [1.0, 2.0, 4.0];
    assert_eq!(quantile(&values, 0.5), Some(2.0));
    assert_eq!(quantile(&values, 0.75), Some(3.0));
    assert_eq!(quantile(&values, 1.0), Some(4.0));
    assert_eq!(quantile(&[], 0.5), None);
}

#[test]
fn one_class_alone_has_no_area() {
    assert_eq!(area_under_curve(&scored(&[(0.5, true)])), None);
    assert_eq!(average_precision(&scored(&[(0.5, false)])), None);
    assert_eq!(sensitivity_at(&scored(&[(0.9, false), (0.5, true)]), 0.95), Some((0.0, f64::INFINITY)));
}
