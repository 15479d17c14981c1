//! Which slices of a series were searched for the neck.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;

/// Slices that were searched for the neck, of a scan that shows more of the body. The network saw no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchedSlices {
    /// The first, an index into the volume: from 0, head first.
    pub first: usize,
    /// The last.
    pub last: usize,
    /// Slices of the volume.
    pub total: usize,
}

impl SearchedSlices {
    /// A range of a volume's slices; `None` if it is empty, not within the volume, or the whole volume.
    #[must_use]
    pub fn new(range: Range<usize>, total: usize) -> Option<Self> {
        let last = range.end.checked_sub(1)?;
        let is_part = range.start <= last && range.end <= total && range.len() < total;
        is_part.then_some(Self { first: range.start, last, total })
    }
}

/// As "slices 1–53 of 174", counted from 1 as on the screen.
impl fmt::Display for SearchedSlices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slices {}–{} of {}", self.first.saturating_add(1), self.last.saturating_add(1), self.total)
    }
}
