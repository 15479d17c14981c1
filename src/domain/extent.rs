//! Which stretch of the body a series covers, along the patient's z axis.

use super::{Axis, Series, SeriesKind, Volume};
use serde::{Deserialize, Serialize};

/// A stretch along the body: LPS z in mm, in the patient system of the series it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ZRange {
    /// The end toward the feet.
    pub caudal: f64,
    /// The end toward the head.
    pub cranial: f64,
}

impl ZRange {
    /// The stretch between two positions, in either order; `None` unless both are finite.
    #[must_use]
    pub fn between(a: f64, b: f64) -> Option<Self> {
        (a.is_finite() && b.is_finite()).then(|| Self { caudal: a.min(b), cranial: a.max(b) })
    }

    /// Length in mm.
    #[must_use]
    pub fn length(self) -> f64 {
        self.cranial - self.caudal
    }

    /// The stretch that lies in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Option<Self> {
        let both = Self { caudal: self.caudal.max(other.caudal), cranial: self.cranial.min(other.cranial) };
        (both.caudal <= both.cranial).then_some(both)
    }

    /// Whether another stretch lies within this one.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.caudal <= other.caudal && other.cranial <= self.cranial
    }

    /// This stretch with both ends moved outward by so many mm.
    #[must_use]
    pub fn grown(self, mm: f64) -> Self {
        Self { caudal: self.caudal - mm, cranial: self.cranial + mm }
    }

    /// What is left of this stretch without the others.
    #[must_use]
    pub fn without(self, others: &[Self]) -> Vec<Self> {
        let mut left = vec![self];
        for other in others {
            left = left
                .into_iter()
                .flat_map(|piece| {
                    if piece.intersection(*other).is_none() {
                        return [Some(piece), None];
                    }
                    let below = (piece.caudal < other.caudal).then_some(Self { cranial: other.caudal, ..piece });
                    let above = (other.cranial < piece.cranial).then_some(Self { caudal: other.cranial, ..piece });
                    [below, above]
                })
                .flatten()
                .collect();
        }
        left
    }
}

/// The uninterrupted stretches that a series covers by its headers, from the center of the first slice to that of the last. Empty if the
/// series has no positions or lies across the body.
#[must_use]
pub fn series_extent(series: &Series) -> Vec<ZRange> {
    match series.kind {
        SeriesKind::Axial => axial(series),
        SeriesKind::Sagittal | SeriesKind::Coronal => reformat(series).into_iter().collect(),
        SeriesKind::Unpositioned | SeriesKind::Localizer | SeriesKind::NoPixels => Vec::new(),
    }
}

/// Axial slices run from head to foot; gaps interrupt them.
fn axial(series: &Series) -> Vec<ZRange> {
    let (Some(first), Some(stack)) = (series.instances.first(), &series.stack) else { return Vec::new() };
    let Some(plane) = first.plane else { return Vec::new() };
    let spacing = first.spacing.map_or([0.0; 2], |spacing| [spacing.row, spacing.column]);
    // The center of a tilted slice, not its corner, is at the height that the slice shows.
    let middle = plane.position
        + plane.row_cosines * (spacing[1] * f64::from(first.columns.saturating_sub(1)) / 2.0)
        + plane.column_cosines * (spacing[0] * f64::from(first.rows.saturating_sub(1)) / 2.0);
    let slope = plane.normal().z.abs();
    pieces(stack.offsets.len(), &stack.gaps(), |index| Some(middle.z - stack.offsets.get(index)? * slope))
}

/// Sagittal and coronal images: from their upper to their lower edge.
fn reformat(series: &Series) -> Option<ZRange> {
    let first = series.instances.first()?;
    let (plane, spacing) = (first.plane?, first.spacing?);
    let down = plane.column_cosines * (spacing.row * f64::from(first.rows.saturating_sub(1)));
    let across = plane.row_cosines * (spacing.column * f64::from(first.columns.saturating_sub(1)));
    let along = if Axis::nearest(plane.column_cosines) == Axis::HeadFoot { down } else { across };
    let beside = if Axis::nearest(plane.column_cosines) == Axis::HeadFoot { across } else { down };
    let start = plane.position + beside / 2.0;
    ZRange::between(start.z, (start + along).z)
}

/// The uninterrupted stretches that a volume covers; empty without positions.
#[must_use]
pub fn volume_extent(volume: &Volume) -> Vec<ZRange> {
    if volume.plane.is_none() || Axis::nearest(volume.stack_axis) != Axis::HeadFoot {
        return Vec::new();
    }
    pieces(volume.shape.slices, &volume.stack.gaps(), |index| volume.position_mm(index))
}

/// Slices `0..count`, divided after each slice in `gaps`.
fn pieces(count: usize, gaps: &[usize], position: impl Fn(usize) -> Option<f64>) -> Vec<ZRange> {
    let starts = std::iter::once(0).chain(gaps.iter().map(|gap| gap + 1));
    let ends = gaps.iter().copied().chain(count.checked_sub(1));
    starts.zip(ends).filter_map(|(start, end)| ZRange::between(position(start)?, position(end)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range() -> impl Strategy<Value = ZRange> {
        (-300.0..300.0_f64, 0.0..200.0_f64).prop_map(|(caudal, length)| ZRange { caudal, cranial: caudal + length })
    }

    proptest! {
        #[test]
        fn what_is_left_and_what_was_taken_make_up_the_whole(
            whole in range(),
            others in prop::collection::vec(range(), 0..5),
            at in -300.0..500.0_f64,
        ) {
            let inside = |ranges: &[ZRange]| ranges.iter().any(|range| range.caudal < at && at < range.cranial);
            let left = whole.without(&others);
            prop_assert!(left.iter().all(|piece| whole.contains(*piece)));
            let is_edge = others.iter().chain([&whole]).any(|range| range.caudal == at || range.cranial == at);
            prop_assert!(is_edge || inside(&left) == (inside(&[whole]) && !inside(&others)));
        }
    }
}
