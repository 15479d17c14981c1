//! Where pixels lie in the patient. All lengths in mm, all points in DICOM's patient system, LPS: +x to the patient's
//! left, +y to the back, +z to the head (PS3.3 section C.7.6.2.1.1).

use glam::DVec3;
use serde::{Deserialize, Serialize};

/// A point in the patient, LPS mm.
pub type PatientPoint = DVec3;

/// PixelSpacing in mm (PS3.3 section 10.7.1.3): `row` is the distance between rows (vertical), `column` between columns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PixelSpacing {
    /// Distance between the centres of neighbouring rows, mm.
    pub row: f64,
    /// Distance between the centres of neighbouring columns, mm.
    pub column: f64,
}

impl PixelSpacing {
    /// A spacing, if both numbers are finite, positive and of a size that a scanner can mean (1 µm to 100 mm).
    #[must_use]
    pub fn new(row: f64, column: f64) -> Option<Self> {
        let plausible = |mm: f64| mm.is_finite() && (0.001..=100.0).contains(&mm);
        (plausible(row) && plausible(column)).then_some(Self { row, column })
    }
}

/// The plane of one image: ImagePositionPatient and ImageOrientationPatient.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ImagePlane {
    /// Centre of the first pixel, LPS mm.
    pub position: PatientPoint,
    /// Unit vector along a row, in the direction of rising column index.
    pub row_cosines: DVec3,
    /// Unit vector along a column, in the direction of rising row index.
    pub column_cosines: DVec3,
}

impl ImagePlane {
    /// A plane from the values of the two elements, if they are finite, in range (10 m) and the cosines are
    /// perpendicular unit vectors within the rounding that scanners write (1e-2).
    #[must_use]
    pub fn new(position: [f64; 3], orientation: [f64; 6]) -> Option<Self> {
        let position = DVec3::from_array(position);
        let row = DVec3::new(orientation[0], orientation[1], orientation[2]);
        let column = DVec3::new(orientation[3], orientation[4], orientation[5]);
        let unit = |v: DVec3| (v.length() - 1.0).abs() < 1e-2;
        let good = position.is_finite()
            && position.abs().max_element() <= 10_000.0
            && row.is_finite()
            && column.is_finite()
            && unit(row)
            && unit(column)
            && row.dot(column).abs() < 1e-2;
        good.then(|| {
            let row = row.normalize();
            let column = (column - row * row.dot(column)).normalize();
            Self { position, row_cosines: row, column_cosines: column }
        })
    }

    /// The plane's normal, `row × column`: to the head for an ordinary axial slice.
    #[must_use]
    pub fn normal(&self) -> DVec3 {
        self.row_cosines.cross(self.column_cosines)
    }

    /// The patient axis that the normal is nearest to: [`Axis::HeadFoot`] for an axial slice.
    #[must_use]
    pub fn normal_axis(&self) -> Axis {
        Axis::nearest(self.normal())
    }

    /// Whether both planes are parallel and their rows run alike, within 0.5 degrees.
    #[must_use]
    pub fn is_parallel_to(&self, other: &Self) -> bool {
        let limit = 0.5_f64.to_radians().cos();
        self.row_cosines.dot(other.row_cosines) > limit && self.column_cosines.dot(other.column_cosines) > limit
    }
}

/// A patient axis without its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// x: right to left; the normal of a sagittal plane.
    RightLeft,
    /// y: front to back; the normal of a coronal plane.
    FrontBack,
    /// z: foot to head; the normal of an axial plane.
    HeadFoot,
}

impl Axis {
    /// The axis that a direction is nearest to.
    #[must_use]
    pub fn nearest(direction: DVec3) -> Self {
        let size = direction.abs();
        if size.z >= size.x && size.z >= size.y {
            Self::HeadFoot
        } else if size.x >= size.y {
            Self::RightLeft
        } else {
            Self::FrontBack
        }
    }
}

/// Orientation letters of a direction, the strongest first: `"A"`, `"PL"`, `"HFR"` for an oblique one. A component counts
/// when it is more than sin 10° of the whole.
#[must_use]
pub fn anatomical_letters(direction: DVec3) -> String {
    let unit = direction.normalize_or_zero();
    let mut parts = [
        (unit.x.abs(), if unit.x < 0.0 { 'R' } else { 'L' }),
        (unit.y.abs(), if unit.y < 0.0 { 'A' } else { 'P' }),
        (unit.z.abs(), if unit.z < 0.0 { 'F' } else { 'H' }),
    ];
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    parts.into_iter().filter(|(size, _)| *size > 0.1736).map(|(_, letter)| letter).collect()
}

/// The order and regularity of a stack of parallel slices, in the volume's own order (head to foot for axial ones).
#[derive(Debug, Clone, PartialEq)]
pub struct SliceStack {
    /// Position of each slice along the stack axis in mm, rising, the first 0.
    pub offsets: Vec<f64>,
    /// Median distance of neighbouring slices in mm; `None` for a single slice. This is not SliceThickness.
    pub spacing: Option<f64>,
}

impl SliceStack {
    /// The stack of slices at these offsets, which must rise.
    #[must_use]
    pub fn new(offsets: Vec<f64>) -> Self {
        let mut steps: Vec<f64> = offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
        steps.sort_by(f64::total_cmp);
        let spacing = match steps.len() {
            0 => None,
            n if n % 2 == 1 => Some(steps[n / 2]),
            n => Some(f64::midpoint(steps[n / 2 - 1], steps[n / 2])),
        };
        Self { offsets, spacing }
    }

    /// Pairs of neighbours (index of the first) that are further apart than 1.5 times the median spacing.
    #[must_use]
    pub fn gaps(&self) -> Vec<usize> {
        let Some(spacing) = self.spacing else { return Vec::new() };
        (1..self.offsets.len())
            .filter(|&i| self.offsets[i] - self.offsets[i - 1] > 1.5 * spacing)
            .map(|i| i - 1)
            .collect()
    }

    /// Distance from the first to the last slice in mm.
    #[must_use]
    pub fn extent(&self) -> f64 {
        self.offsets.last().copied().unwrap_or(0.0)
    }

    /// The slice index, with fraction, at this offset in mm; `None` outside the stack and inside a gap, where no slice
    /// is near enough to speak for the place.
    #[must_use]
    pub fn index_at(&self, offset: f64) -> Option<f64> {
        let half = self.spacing.unwrap_or(1.0) / 2.0;
        let n = self.offsets.len();
        let (&first, &last) = (self.offsets.first()?, self.offsets.last()?);
        if !offset.is_finite() || offset < first - half || offset > last + half {
            return None;
        }
        let after = self.offsets.partition_point(|&o| o <= offset);
        if after == 0 || after == n {
            return Some(if after == 0 { 0.0 } else { (n - 1) as f64 });
        }
        let (a, b) = (self.offsets[after - 1], self.offsets[after]);
        if b - a <= 1.5 * 2.0 * half {
            return Some((after - 1) as f64 + (offset - a) / (b - a));
        }
        if offset - a <= half {
            Some((after - 1) as f64)
        } else if b - offset <= half {
            Some(after as f64)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axial_plane_points_to_the_head() {
        let plane = ImagePlane::new([0.0; 3], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]).expect("a plane");
        assert_eq!(plane.normal(), DVec3::Z);
        assert_eq!(plane.normal_axis(), Axis::HeadFoot);
    }

    #[test]
    fn bad_planes_and_spacings_cannot_be_made() {
        assert!(ImagePlane::new([f64::NAN, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]).is_none());
        assert!(ImagePlane::new([1e308, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]).is_none());
        assert!(ImagePlane::new([0.0; 3], [0.0; 6]).is_none());
        assert!(ImagePlane::new([0.0; 3], [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]).is_none());
        assert!(PixelSpacing::new(0.0, 1.0).is_none());
        assert!(PixelSpacing::new(f64::INFINITY, 1.0).is_none());
    }

    #[test]
    fn letters_follow_the_direction() {
        assert_eq!(anatomical_letters(DVec3::new(-1.0, 0.0, 0.0)), "R");
        assert_eq!(anatomical_letters(DVec3::new(0.3, 0.9, 0.0)), "PL");
        assert_eq!(anatomical_letters(DVec3::Z), "H");
        assert_eq!(anatomical_letters(DVec3::ZERO), "");
    }

    #[test]
    fn a_gap_is_seen_and_not_bridged() {
        let stack = SliceStack::new(vec![0.0, 8.0, 16.0, 32.0, 40.0]);
        assert_eq!(stack.spacing, Some(8.0));
        assert_eq!(stack.gaps(), vec![2]);
        assert_eq!(stack.index_at(4.0), Some(0.5));
        assert_eq!(stack.index_at(24.0), None);
        assert_eq!(stack.index_at(19.0), Some(2.0));
        assert_eq!(stack.index_at(43.0), Some(4.0));
        assert_eq!(stack.index_at(45.0), None);
    }
}
