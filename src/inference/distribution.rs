//! How far a study's features lie from the training data. Pure. `cspine_train.distance` computes the same, and
//! `tests/network/training.rs` compares the two.

use crate::domain::{NoDistance, SliceScore};

/// The sum of the features of the slices that show a level: all that has to be kept of them.
#[derive(Debug, Clone, Default)]
pub struct FeatureSum {
    /// One entry for each feature; empty before the first slice that shows a level.
    sum: Vec<f64>,
    slices: usize,
}

impl FeatureSum {
    /// Adds a slice, if it shows a level: if any visibility is at least `presence`. `features`: the slice's white features, as many as
    /// those of the slices before.
    pub fn add(&mut self, score: &SliceScore, features: &[f32], presence: f32) {
        if !score.vertebra.iter().any(|(_, visibility)| visibility.value() >= presence) {
            return;
        }
        self.sum.resize(features.len(), 0.0);
        self.sum.iter_mut().zip(features).for_each(|(sum, feature)| *sum += f64::from(*feature));
        self.slices += 1;
    }

    /// The distance: `sqrt(mean(x²))` of the mean `x` of the features over the slices that show a level.
    ///
    /// # Errors
    /// No such slice, or features that are not finite.
    pub fn distance(&self) -> Result<f32, NoDistance> {
        if self.slices == 0 || self.sum.is_empty() {
            return Err(NoDistance::NoLevelShown);
        }
        let squares: f64 = self.sum.iter().map(|sum| (sum / self.slices as f64).powi(2)).sum();
        let distance = (squares / self.sum.len() as f64).sqrt() as f32;
        if distance.is_finite() { Ok(distance) } else { Err(NoDistance::NotFinite) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CervicalLevel, PerLevel, Probability};
    use proptest::prelude::*;

    const PRESENCE: f32 = 0.5;

    /// A slice that shows C4 this well and nothing else.
    fn shows(visibility: f32) -> SliceScore {
        let mut score = SliceScore::default();
        score.vertebra[CervicalLevel::C4] = Probability::new(visibility).expect("a probability");
        score
    }

    fn sum(slices: &[(f32, Vec<f32>)]) -> FeatureSum {
        let mut sum = FeatureSum::default();
        slices.iter().for_each(|(visibility, features)| sum.add(&shows(*visibility), features, PRESENCE));
        sum
    }

    /// By hand: the second slice shows no level. The mean of the others is (3, −4), the mean of its squares (9 + 16)/2 = 12.5.
    #[test]
    fn the_distance_by_hand() {
        let slices = [(0.9, vec![1.0, -4.0]), (0.49, vec![100.0, 100.0]), (0.5, vec![5.0, -4.0])];
        let distance = sum(&slices).distance().expect("a distance");
        assert!((f64::from(distance) - 12.5_f64.sqrt()).abs() < 1e-6, "{distance}");
    }

    /// The mean comes before the squares: slices on opposite sides of the mean cancel.
    #[test]
    fn a_study_whose_slices_cancel_lies_at_the_middle() {
        assert_eq!(sum(&[(0.9, vec![7.0]), (0.9, vec![-7.0])]).distance(), Ok(0.0));
    }

    #[test]
    fn without_finite_features_or_a_level_there_is_no_distance() {
        assert_eq!(FeatureSum::default().distance(), Err(NoDistance::NoLevelShown));
        assert_eq!(sum(&[(0.4, vec![1.0])]).distance(), Err(NoDistance::NoLevelShown));
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let slices = [(0.9, vec![1.0, 2.0]), (0.9, vec![wrong, 2.0]), (0.9, vec![1.0, 2.0])];
            assert_eq!(sum(&slices).distance(), Err(NoDistance::NotFinite), "{wrong}");
            let hidden = [(0.9, vec![3.0]), (0.1, vec![wrong])];
            assert_eq!(sum(&hidden).distance(), Ok(3.0), "a slice that shows no level does not count");
        }
        assert_eq!(sum(&[(0.9, vec![f32::MAX; 4])]).distance(), Ok(f32::MAX), "large is not infinite");
    }

    proptest! {
        /// The network gives slices in any order, a batch at a time, interrupted and resumed: the order does not matter.
        #[test]
        fn the_order_of_the_slices_does_not_matter(
            slices in prop::collection::vec((0.0..=1.0_f32, prop::collection::vec(-50.0..50.0_f32, 3)), 1..60),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut turned = slices.clone();
            turned.rotate_left(cut.index(slices.len()));
            match (sum(&slices).distance(), sum(&turned).distance()) {
                (Ok(a), Ok(b)) => prop_assert!((a - b).abs() <= 1e-6 * a.max(1.0), "{a} {b}"),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }

    #[test]
    fn any_level_counts() {
        for level in CervicalLevel::ALL {
            let vertebra = PerLevel::from_fn(|at| Probability::new(if at == level { 0.5 } else { 0.1 }).expect("one"));
            let mut sum = FeatureSum::default();
            sum.add(&SliceScore { vertebra, ..SliceScore::default() }, &[2.0], PRESENCE);
            assert_eq!(sum.distance(), Ok(2.0), "{level}");
        }
    }
}
