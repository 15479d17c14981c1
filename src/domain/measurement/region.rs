//! Values of the voxels in a region that lies on a plane.

use super::{Measured, Place, Refusal, Region};
use crate::domain::Volume;
use glam::DVec3;

/// The figure within the rectangle that three corners span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    /// The rectangle itself.
    Rectangle,
    /// The ellipse that it holds.
    Ellipse,
}

impl Figure {
    /// Whether a point in the rectangle's own coordinates (0 to 1 along each side) is inside; on an edge counts.
    fn holds(self, along: f64, across: f64) -> bool {
        const EDGE: f64 = 1e-9;
        match self {
            Self::Rectangle => [along, across].iter().all(|part| (-EDGE..=1.0 + EDGE).contains(part)),
            Self::Ellipse => (2.0 * along - 1.0).powi(2) + (2.0 * across - 1.0).powi(2) <= 1.0 + EDGE,
        }
    }

    /// Its share of the rectangle's area.
    fn share(self) -> f64 {
        match self {
            Self::Rectangle => 1.0,
            Self::Ellipse => std::f64::consts::FRAC_PI_4,
        }
    }
}

/// Values of the voxels whose centres lie inside. The plane may be oblique: along the block's axis that is nearest to its normal it
/// takes the one voxel that the plane passes through.
pub(super) fn measure(volume: &Volume, corners: &[Place; 3], figure: Figure) -> Result<Measured, Refusal> {
    let voxel = |place: &Place| place.voxel(volume).map(DVec3::from_array).ok_or(Refusal::Outside);
    let origin = voxel(&corners[0])?;
    let (along, across) = (voxel(&corners[1])? - origin, voxel(&corners[2])? - origin);
    let normal = along.cross(across).abs();
    // The two axes of the block that the region is counted over, and the one through it.
    let (first, second, through) = if normal.x >= normal.y && normal.x >= normal.z {
        (1, 2, 0)
    } else if normal.y >= normal.z {
        (0, 2, 1)
    } else {
        (0, 1, 2)
    };
    let determinant = along[first] * across[second] - along[second] * across[first];
    if determinant.abs() < 1e-9 {
        return Err(Refusal::Empty);
    }
    let shape = [volume.shape.slices, volume.shape.rows, volume.shape.columns];
    let ends = [origin, origin + along, origin + across, origin + along + across];
    let range = |axis: usize| {
        let places = ends.map(|end| end[axis]);
        let low = places.into_iter().fold(f64::INFINITY, f64::min).ceil().max(0.0) as usize;
        let high = places.into_iter().fold(f64::NEG_INFINITY, f64::max).floor();
        let end = if high < 0.0 { 0 } else { (high as usize).saturating_add(1).min(shape[axis]) };
        low..end
    };
    let mut values = Values::default();
    for i in range(first) {
        for j in range(second) {
            let (x, y) = (i as f64 - origin[first], j as f64 - origin[second]);
            let s = (x * across[second] - y * across[first]) / determinant;
            let t = (along[first] * y - along[second] * x) / determinant;
            if !figure.holds(s, t) {
                continue;
            }
            let depth = (origin[through] + s * along[through] + t * across[through]).round();
            if depth < 0.0 {
                continue;
            }
            let mut index = [0; 3];
            (index[first], index[second], index[through]) = (i, j, depth as usize);
            if let Some(value) = volume.at(index[0], index[1], index[2]) {
                values.add(value);
            }
        }
    }
    if values.count == 0 {
        return Err(Refusal::Outside);
    }
    let count = values.count as f64;
    let mean = values.sum / count;
    // By whole numbers' sums of at most 2^15 squared: exact to far more than is shown.
    let variance = if values.count > 1 { ((values.squares - values.sum * mean) / (count - 1.0)).max(0.0) } else { 0.0 };
    Ok(Measured::Region(Region {
        mean,
        sd: variance.sqrt(),
        min: values.min,
        max: values.max,
        voxels: values.count,
        area_mm2: area(volume, corners).map(|area| area * figure.share()),
        hounsfield: volume.is_hounsfield(),
    }))
}

/// Area of the rectangle in mm².
fn area(volume: &Volume, corners: &[Place; 3]) -> Option<f64> {
    let along = super::separation(volume, &corners[0], &corners[1]).ok()?;
    let across = super::separation(volume, &corners[0], &corners[2]).ok()?;
    Some(along.cross(across).length())
}

struct Values {
    count: usize,
    sum: f64,
    squares: f64,
    min: i16,
    max: i16,
}

impl Default for Values {
    fn default() -> Self {
        Self { count: 0, sum: 0.0, squares: 0.0, min: i16::MAX, max: i16::MIN }
    }
}

impl Values {
    fn add(&mut self, value: i16) {
        let number = f64::from(value);
        self.count += 1;
        self.sum += number;
        self.squares += number * number;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }
}
