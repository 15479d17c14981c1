//! Where the spine runs through a volume.

use super::VoxelPoint;

/// The spine's (row, column), with fractions, in every slice of a volume: the middle of bodies and pillars.
#[derive(Debug, Clone, PartialEq)]
pub struct SpineCourse(Vec<(f64, f64)>);

impl SpineCourse {
    /// A course, one place for each slice.
    #[must_use]
    pub fn new(places: Vec<(f64, f64)>) -> Self {
        Self(places)
    }

    /// The place on a slice, from 0; fractions are rounded. `None` past the end.
    #[must_use]
    pub fn at(&self, slice: f64) -> Option<VoxelPoint> {
        let index = slice.round();
        let (row, column) = *self.0.get((index >= 0.0).then_some(index as usize)?)?;
        Some(VoxelPoint { slice, row, column })
    }
}
