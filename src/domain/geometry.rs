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
    /// A plane from the values of the two elements; `None` if the position is no [place](ImagePlane::is_place) or the cosines
    /// [deviate](ImagePlane::deviation) from perpendicular unit vectors by more than a tenth. Smaller deviations come from
    /// values that were cut to few decimals; the cosines are normalized and made perpendicular.
    #[must_use]
    pub fn new(position: [f64; 3], orientation: [f64; 6]) -> Option<Self> {
        if !Self::is_place(position) || Self::deviation(orientation) > MAX_DEVIATION {
            return None;
        }
        let [row, column] = vectors(orientation);
        let row = row.try_normalize()?;
        let column = (column - row * row.dot(column)).try_normalize()?;
        Some(Self { position: DVec3::from_array(position), row_cosines: row, column_cosines: column })
    }

    /// Whether a position is finite and within 10 m of the origin.
    #[must_use]
    pub fn is_place(position: [f64; 3]) -> bool {
        let position = DVec3::from_array(position);
        position.is_finite() && position.abs().max_element() <= 10_000.0
    }

    /// How far direction cosines are from two perpendicular unit vectors: the largest of both lengths' differences from 1 and
    /// the product of the vectors. Infinite if one of the values is not finite.
    #[must_use]
    pub fn deviation(orientation: [f64; 6]) -> f64 {
        if orientation.iter().any(|value| !value.is_finite()) {
            return f64::INFINITY;
        }
        let [row, column] = vectors(orientation);
        (row.length() - 1.0).abs().max((column.length() - 1.0).abs()).max(row.dot(column).abs())
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

/// Direction cosines that deviate further from perpendicular unit vectors are unusable: values cut to one decimal deviate by
/// less.
const MAX_DEVIATION: f64 = 0.1;

fn vectors([a, b, c, d, e, f]: [f64; 6]) -> [DVec3; 2] {
    [DVec3::new(a, b, c), DVec3::new(d, e, f)]
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
    fn cosines_that_were_cut_short_are_normalized_and_others_are_refused() {
        let plane = ImagePlane::new([0.0; 3], [1.0, 0.0, 0.0, 0.0, 0.9, -0.4]).expect("norm .985");
        assert!((plane.column_cosines.length() - 1.0).abs() < 1e-12);
        assert!((plane.column_cosines.z / plane.column_cosines.y + 0.4 / 0.9).abs() < 1e-12);
        let slanted = ImagePlane::new([0.0; 3], [1.0, 0.0, 0.0, 0.05, 1.0, 0.0]).expect("3 degrees");
        assert!(slanted.row_cosines.dot(slanted.column_cosines).abs() < 1e-12);
        assert!(ImagePlane::new([0.0; 3], [1.0, 0.0, 0.0, 0.0, 0.8, 0.0]).is_none());
        assert!(ImagePlane::new([0.0; 3], [1.0, 0.0, 0.0, 0.3, 0.95, 0.0]).is_none());
    }
}
