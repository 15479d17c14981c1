//! What the network says, as checked values.

use super::{CervicalLevel, PatientPoint, PerLevel};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A probability: an f32 in `[0, 1]`. A NaN cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f32")]
pub struct Probability(f32);

impl Probability {
    /// 0.
    pub const ZERO: Self = Self(0.0);

    /// A probability, if the number is one.
    #[must_use]
    pub fn new(value: f32) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// The logistic function of a logit; `None` for NaN.
    #[must_use]
    pub fn from_logit(logit: f32) -> Option<Self> {
        Self::new(1.0 / (1.0 + (-logit).exp()))
    }

    /// The number.
    #[must_use]
    pub fn value(self) -> f32 {
        self.0
    }

    /// Whole percent, 0 to 100.
    #[must_use]
    pub fn percent(self) -> u8 {
        (self.0 * 100.0).round() as u8
    }
}

impl TryFrom<f32> for Probability {
    type Error = String;

    fn try_from(value: f32) -> Result<Self, String> {
        Self::new(value).ok_or_else(|| format!("{value} is not a probability"))
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.percent())
    }
}

/// The network's two heads for one slice: which vertebrae it shows, and which of them it sees broken.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SliceScore {
    /// Visibility of each vertebra.
    pub vertebra: PerLevel<Probability>,
    /// Fracture of each vertebra.
    pub fracture: PerLevel<Probability>,
}

/// The slice that speaks most for a level's probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KeySlice {
    /// Index into the volume, from 0, head first.
    pub index: usize,
    /// InstanceNumber, where the file has one.
    pub instance_number: Option<i32>,
    /// Position along the stack's patient axis (z for axial), LPS mm; `None` where unknown.
    pub position_mm: Option<f64>,
}

/// The place on the key slice where the activation map is highest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HotSpot {
    /// LPS mm.
    pub point: PatientPoint,
}

/// How much of a level the scan shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LevelExtent {
    /// The level ends within the scan on both sides.
    Whole,
    /// It still shows on the scan's first or last slice, or beside a gap: the rest of it is not there.
    CutOff,
}

/// What is known about one level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum LevelOutcome {
    /// The scan shows the level.
    Seen {
        /// Fracture probability of the level.
        probability: Probability,
        /// Slice that speaks most for it.
        key_slice: KeySlice,
        /// How much of it.
        extent: LevelExtent,
        /// Where on that slice; `None` where the package gives no activation map.
        hot_spot: Option<HotSpot>,
    },
    /// The scan does not show the level: there is no probability.
    NotSeen,
}

/// One level's line of the report.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LevelFinding {
    /// The level.
    pub level: CervicalLevel,
    /// What is known.
    pub outcome: LevelOutcome,
}

impl LevelFinding {
    /// The level's probability; `None` when it is not seen.
    #[must_use]
    pub fn probability(&self) -> Option<Probability> {
        match self.outcome {
            LevelOutcome::Seen { probability, .. } => Some(probability),
            LevelOutcome::NotSeen => None,
        }
    }

    /// The level's key slice; `None` when it is not seen.
    #[must_use]
    pub fn key_slice(&self) -> Option<KeySlice> {
        match self.outcome {
            LevelOutcome::Seen { key_slice, .. } => Some(key_slice),
            LevelOutcome::NotSeen => None,
        }
    }

    /// The level's hot spot; `None` when it is not seen or the package gives none.
    #[must_use]
    pub fn hot_spot(&self) -> Option<HotSpot> {
        match self.outcome {
            LevelOutcome::Seen { hot_spot, .. } => hot_spot,
            LevelOutcome::NotSeen => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_probabilities_are_probabilities() {
        assert!(Probability::new(f32::NAN).is_none());
        assert!(Probability::new(-0.01).is_none());
        assert!(Probability::new(1.01).is_none());
        assert_eq!(Probability::new(0.445).map(Probability::percent), Some(45));
        assert_eq!(Probability::from_logit(0.0), Probability::new(0.5));
        assert_eq!(Probability::from_logit(f32::NEG_INFINITY), Probability::new(0.0));
        assert!(Probability::from_logit(f32::NAN).is_none());
    }
}
