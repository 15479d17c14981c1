//! Stacks of which it is not certain that they are one scan.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why it is not certain which slices of a series belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ambiguity {
    /// Several slices at one position, and no attribute separates the acquisitions.
    SharedPositions,
    /// InstanceNumbers repeat within one acquisition.
    RepeatedNumbers,
    /// The positions are those of several stacks, one between the slices of another.
    Interleaved,
    /// Different pixels under many SOPInstanceUIDs.
    ConflictingPixels,
    /// Neighboring slices show two scans in turn.
    AlternatingImages,
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SharedPositions => "several slices at the same positions, and nothing separates the acquisitions",
            Self::RepeatedNumbers => "instance numbers repeat: two acquisitions may be mixed",
            Self::Interleaved => "slices of several stacks are interleaved, and no attribute separates them",
            Self::ConflictingPixels => "many SOPInstanceUIDs have two different images: two scans may be mixed",
            Self::AlternatingImages => "neighboring slices show two scans in turn",
        })
    }
}
