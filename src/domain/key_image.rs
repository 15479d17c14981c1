//! Key images: slices that the reader marked, with how they were shown and a remark.

use super::{Axis, PatientPoint, Uid, WindowLevel};
use serde::{Deserialize, Serialize};

/// A slice that the reader marked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyImage {
    /// Number within the study, from 1, in the order in which they were marked; never given twice.
    pub id: u64,
    /// SeriesInstanceUID.
    pub series: Uid,
    /// SOPInstanceUID of the stored slice that it is, or of the one at its middle where it is a reformat.
    pub instance: Uid,
    /// Frame of a multi-frame instance, from 0.
    pub frame: u32,
    /// The plane, by the patient axis that its normal is nearest to.
    pub plane: Axis,
    /// Slice of that plane, from 0, as it was numbered when it was marked.
    pub slice: usize,
    /// A point of it in the patient, LPS mm; `None` where positions are unknown. It finds the slice again in a series that grew.
    pub point: Option<[f64; 3]>,
    /// Window centre in HU.
    pub center: f64,
    /// Window width in HU.
    pub width: f64,
    /// Whether black and white were exchanged.
    #[serde(default)]
    pub inverted: bool,
    /// The reader's remark, cleaned; empty for none.
    #[serde(default)]
    pub comment: String,
}

impl KeyImage {
    /// The window that it was marked in; the default one where the numbers are none.
    #[must_use]
    pub fn window(&self) -> WindowLevel {
        WindowLevel::new(self.center, self.width).unwrap_or_default()
    }

    /// The point that finds it again.
    #[must_use]
    pub fn patient_point(&self) -> Option<PatientPoint> {
        self.point.map(PatientPoint::from_array).filter(|point| point.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_image_is_kept_as_text() {
        let image = KeyImage {
            id: 1,
            series: Uid::from_file("1.2"),
            instance: Uid::from_file("1.2.7"),
            frame: 0,
            plane: Axis::HeadFoot,
            slice: 152,
            point: Some([1.5, -20.0, -128.4]),
            center: 350.0,
            width: 2000.0,
            inverted: false,
            comment: "arch of C6, left".into(),
        };
        let text = serde_json::to_string(&image).expect("text");
        assert!(text.contains(r#""plane":"head-foot","slice":152"#), "{text}");
        assert_eq!(serde_json::from_str::<KeyImage>(&text).expect("a key image"), image);
        assert_eq!(image.window(), WindowLevel::default());
        let broken = KeyImage { width: f64::NAN, point: Some([f64::NAN; 3]), ..image };
        assert_eq!((broken.window(), broken.patient_point()), (WindowLevel::default(), None));
    }
}
