//! Intervals by resampling studies (Efron B. 1979): levels of one neck belong together, so a study is drawn as a whole.

use super::metrics::quantile;
use rayon::prelude::*;
use serde::Serialize;

/// Resamples of an interval.
pub const RESAMPLES: usize = 1000;
/// Seed of the resamples: the same data set gives the same intervals.
pub const SEED: u64 = 2022;

/// A value with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The value on the studies as they are.
    pub value: f64,
    /// 2.5th percentile of the resamples; `None` where hardly any of them gives a value.
    pub low: Option<f64>,
    /// 97.5th percentile.
    pub high: Option<f64>,
}

/// How often each study is drawn, for every resample.
#[derive(Debug)]
pub(super) struct Draws {
    studies: usize,
    counts: Vec<Vec<u32>>,
}

impl Draws {
    /// [`RESAMPLES`] draws of as many studies as there are.
    pub(super) fn new(studies: usize) -> Self {
        let mut state = SEED;
        let counts = (0..RESAMPLES)
            .map(|_| {
                let mut counts = vec![0; studies];
                for _ in 0..studies {
                    counts[below(&mut state, studies)] += 1;
                }
                counts
            })
            .collect();
        Self { studies, counts }
    }

    /// What a measure gives for the studies as they are; `measure` is told how often each study counts.
    pub(super) fn plain<T>(&self, measure: impl Fn(&[u32]) -> T) -> T {
        measure(&vec![1; self.studies])
    }

    /// What a measure gives for every resample.
    pub(super) fn each<T: Send>(&self, measure: impl Fn(&[u32]) -> T + Sync) -> Vec<T> {
        self.counts.par_iter().map(|counts| measure(counts)).collect()
    }

    /// A measure with its percentile interval; `None` where the studies as they are give no value.
    pub(super) fn interval(&self, measure: impl Fn(&[u32]) -> Option<f64> + Sync) -> Option<Interval> {
        let value = self.plain(&measure)?;
        let mut values: Vec<f64> = self.each(&measure).into_iter().flatten().collect();
        values.sort_by(f64::total_cmp);
        let enough = values.len() >= RESAMPLES / 2;
        let bound = |share: f64| quantile(&values, share).filter(|_| enough);
        Some(Interval { value, low: bound(0.025), high: bound(0.975) })
    }
}

/// The next number of a SplitMix64 stream (Steele, Lea & Flood 2014), below `count`.
fn below(state: &mut u64, count: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    ((u128::from(z) * count as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of `n` numbers has the standard error `σ / √n`; its interval is ± 1.96 of that.
    #[test]
    fn the_interval_of_a_mean_is_what_theory_says() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
        let mean = |counts: &[u32]| {
            let sum: f64 = values.iter().zip(counts).map(|(value, count)| value * f64::from(*count)).sum();
            Some(sum / f64::from(counts.iter().sum::<u32>()))
        };
        let found = Draws::new(values.len()).interval(mean).expect("a value");
        let error = (399.0_f64 / 12.0).sqrt() / 20.0;
        assert!((found.value - 9.5).abs() < 1e-12);
        assert!((found.low.expect("a bound") - (9.5 - 1.96 * error)).abs() < 0.2 * error, "{found:?}");
        assert!((found.high.expect("a bound") - (9.5 + 1.96 * error)).abs() < 0.2 * error, "{found:?}");
        assert_eq!(Draws::new(values.len()).interval(mean), Some(found), "the same every time");
    }

    #[test]
    fn resamples_without_a_value_give_no_bounds() {
        let found = Draws::new(10).interval(|counts| counts.iter().all(|count| *count == 1).then_some(0.5));
        assert_eq!(found, Some(Interval { value: 0.5, low: None, high: None }));
        assert_eq!(Draws::new(0).interval(|_| None), None);
    }
}
