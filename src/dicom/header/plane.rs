//! The plane of an image, or which of its elements cannot be used.

use crate::dicom::elements::Elements;
use crate::domain::ImagePlane;
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

/// Why an image has no plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::dicom) enum PlaneFault {
    /// ImagePositionPatient is absent or no place in a scanner.
    Position,
    /// ImageOrientationPatient is absent, or its vectors are no perpendicular directions.
    Orientation,
}

/// The plane, and whether its direction cosines had to be normalized.
pub(super) fn plane(elements: &Elements<'_>) -> Result<(ImagePlane, bool), PlaneFault> {
    let position = match elements.numbers(tags::IMAGE_POSITION_PATIENT).as_deref() {
        Some(&[x, y, z]) => [x, y, z],
        _ => return Err(PlaneFault::Position),
    };
    let cosines = match elements.numbers(tags::IMAGE_ORIENTATION_PATIENT).as_deref() {
        Some(&[a, b, c, d, e, f]) => [a, b, c, d, e, f],
        _ => return Err(PlaneFault::Orientation),
    };
    if !ImagePlane::is_place(position) {
        return Err(PlaneFault::Position);
    }
    let plane = ImagePlane::new(position, cosines).ok_or(PlaneFault::Orientation)?;
    Ok((plane, ImagePlane::deviation(cosines) > NORMALIZED_FROM))
}

/// Rounding that scanners write is not worth a word below this deviation from perpendicular unit vectors.
const NORMALIZED_FROM: f64 = 1e-2;
