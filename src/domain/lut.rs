//! The modality LUT: stored values to Hounsfield units.

use serde::{Deserialize, Serialize};
/// The linear modality LUT, `HU = slope · stored + intercept` (PS3.3 section C.11.1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ModalityLut {
    slope: f64,
    intercept: f64,
}

impl ModalityLut {
    /// No change: slope 1, intercept 0.
    pub const IDENTITY: Self = Self { slope: 1.0, intercept: 0.0 };

    /// A LUT, if both numbers are finite and the slope is not zero (a zero slope would make every voxel equal).
    #[must_use]
    pub fn new(slope: f64, intercept: f64) -> Option<Self> {
        (slope.is_finite()
            && intercept.is_finite()
            && slope.abs() > 1e-12
            && slope.abs() < 1e6
            && intercept.abs() < 1e9)
            .then_some(Self { slope, intercept })
    }

    /// The Hounsfield units of a stored value, rounded and held within i16.
    #[must_use]
    pub fn hounsfield(&self, stored: i32) -> i16 {
        // `as` saturates, which is what is wanted here.
        (f64::from(stored).mul_add(self.slope, self.intercept)).round() as i16
    }

    /// RescaleSlope.
    #[must_use]
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// RescaleIntercept in HU.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.intercept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_and_saturates() {
        let lut = ModalityLut::new(1.0, -1024.0).expect("a good LUT");
        assert_eq!(lut.hounsfield(0), -1024);
        assert_eq!(lut.hounsfield(-2000), -3024);
        assert_eq!(lut.hounsfield(i32::MAX), i16::MAX);
        assert_eq!(ModalityLut::new(0.5, 0.0).expect("a good LUT").hounsfield(3), 2);
    }

    #[test]
    fn refuses_what_is_not_a_map() {
        assert!(ModalityLut::new(0.0, 0.0).is_none());
        assert!(ModalityLut::new(f64::NAN, 0.0).is_none());
        assert!(ModalityLut::new(1.0, f64::INFINITY).is_none());
    }
}
