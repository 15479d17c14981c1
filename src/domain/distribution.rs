//! Whether a study is out of distribution: unlike the data that the model was trained on.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a study's distance from the training data is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NoDistance {
    /// The network gave NaN or infinity.
    NotFinite,
    /// No analyzed slice shows a level.
    NoLevelShown,
}

impl NoDistance {
    /// A stable name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotFinite => "features-not-finite",
            Self::NoLevelShown => "no-level-shown",
        }
    }
}

impl fmt::Display for NoDistance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFinite => "the network's features are not finite numbers",
            Self::NoLevelShown => "no slice shows a level",
        })
    }
}

/// The result of the out-of-distribution check. Packages without `[features]` have none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum DistributionCheck {
    /// The distance is known.
    Measured {
        /// Distance of the study's features from the training studies; near 1 for a study like them.
        distance: f32,
        /// The package's limit.
        threshold: f32,
    },
    /// It is not: the study may be like the training data or unlike it.
    Unmeasured(NoDistance),
}

impl DistributionCheck {
    /// Whether the study is out of distribution: its distance is known and exceeds the limit.
    #[must_use]
    pub fn is_out(self) -> bool {
        self.distance().is_some_and(|(distance, threshold)| distance > threshold)
    }

    /// Distance and limit; `None` for an unknown distance.
    #[must_use]
    pub fn distance(self) -> Option<(f32, f32)> {
        match self {
            Self::Measured { distance, threshold } => Some((distance, threshold)),
            Self::Unmeasured(_) => None,
        }
    }

    /// The check to heed of two: out of distribution before unmeasured before the rest, then the greater distance.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let key = |check: Self| match check {
            Self::Measured { distance, .. } => (2 * u8::from(check.is_out()), distance),
            Self::Unmeasured(_) => (1, 0.0),
        };
        let ((a, first), (b, second)) = (key(self), key(other));
        if a.cmp(&b).then(first.total_cmp(&second)).is_lt() { other } else { self }
    }

    /// "distance 1.8, limit 1.3"; `None` for an unknown distance. As many decimals as it takes to tell the two apart, three at most.
    #[must_use]
    pub fn figures(self) -> Option<String> {
        let (distance, threshold) = self.distance()?;
        let text = |value: f32, decimals: usize| format!("{value:.decimals$}");
        let differs = |decimals: &usize| text(distance, *decimals) != text(threshold, *decimals);
        let decimals = (1..3).find(differs).unwrap_or(3);
        Some(format!("distance {}, limit {}", text(distance, decimals), text(threshold, decimals)))
    }
}

/// "unlike the model's training data: distance 1.8, limit 1.3"
impl fmt::Display for DistributionCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measured { .. } => {
                let relation = if self.is_out() { "unlike" } else { "like" };
                write!(f, "{relation} the model's training data: {}", self.figures().unwrap_or_default())
            }
            Self::Unmeasured(why) => write!(f, "distance from the model's training data unknown: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(distance: f32) -> DistributionCheck {
        DistributionCheck::Measured { distance, threshold: 1.3 }
    }

    #[test]
    fn only_a_distance_above_the_limit_is_out() {
        assert!(measured(1.31).is_out());
        assert!(!measured(1.3).is_out(), "the limit itself is within, as in the training package");
        assert!(!DistributionCheck::Unmeasured(NoDistance::NotFinite).is_out());
    }

    #[test]
    fn the_words_tell_distance_and_limit_apart() {
        assert_eq!(measured(1.84).to_string(), "unlike the model's training data: distance 1.8, limit 1.3");
        assert_eq!(measured(1.304).to_string(), "unlike the model's training data: distance 1.304, limit 1.300");
        assert_eq!(measured(0.97).to_string(), "like the model's training data: distance 1.0, limit 1.3");
        let unknown = DistributionCheck::Unmeasured(NoDistance::NotFinite).to_string();
        assert_eq!(
            unknown,
            "distance from the model's training data unknown: the network's features are not finite numbers"
        );
    }

    #[test]
    fn the_worse_of_two_checks_does_not_depend_on_their_order() {
        let unknown = DistributionCheck::Unmeasured(NoDistance::NotFinite);
        for (better, worse) in [(measured(0.9), measured(1.2)), (measured(1.2), unknown), (unknown, measured(1.4))] {
            assert_eq!((better.worse(worse), worse.worse(better)), (worse, worse));
        }
    }
}
