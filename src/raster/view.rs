//! What is to be drawn, and what was.

use crate::domain::{PatientPoint, WindowLevel};

/// The planes of display.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Plane {
    /// Patient's right at the left, front up. Stacks without positions are shown as if they were axial.
    Axial,
    /// Front at the left, head up.
    Sagittal,
    /// Patient's right at the left, head up.
    Coronal,
}

impl Plane {
    /// All planes, in the order in which a key goes through them.
    pub const ALL: [Self; 3] = [Self::Axial, Self::Sagittal, Self::Coronal];

    /// `axial`, `sagittal`, `coronal`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Axial => "axial",
            Self::Sagittal => "sagittal",
            Self::Coronal => "coronal",
        }
    }
}

/// A mark on the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark {
    /// A hollow cross around a point in the patient: the hot spot. Drawn where the plane passes within 3 mm of it.
    HotSpot(PatientPoint),
    /// A line where this slice of another plane cuts the one shown.
    CrossReference(Plane, usize),
}

/// What to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The plane.
    pub plane: Plane,
    /// Slice of the plane, from 0, in steps of the volume's own grid. Axial: from head to foot, which for an axial series is
    /// the volume's index. Sagittal: from the patient's right to the left; coronal: from front to back.
    pub slice: usize,
    /// Window.
    pub window: WindowLevel,
    /// Black and white exchanged (on top of the volume's own MONOCHROME1).
    pub inverted: bool,
    /// 1 shows the whole plane; 2 shows half its width.
    pub zoom: f64,
    /// Centre of the view, as fractions of the plane's width and height; (0.5, 0.5) is its middle.
    pub center: (f64, f64),
    /// Marks.
    pub marks: Vec<Mark>,
}

/// Size of a picture in terminal pixels, and how much taller than wide such a pixel is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PictureSize {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Height of a pixel over its width: 1 for square ones.
    pub pixel_aspect: f64,
}

/// Pixels of a picture, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pixels {
    /// One byte per pixel.
    Grey(Vec<u8>),
    /// Three bytes per pixel; used where marks are drawn.
    Rgb(Vec<u8>),
}

/// Letters at the edges: patient directions of the picture's left, right, top and bottom edge. Empty where the volume has
/// no geometry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrientationMarkers {
    /// Left edge: `R` for an ordinary axial picture.
    pub left: String,
    /// Right edge.
    pub right: String,
    /// Top edge: `A` for an ordinary axial picture.
    pub top: String,
    /// Bottom edge.
    pub bottom: String,
}

/// A drawn view.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Height of a pixel over its width.
    pub pixel_aspect: f64,
    /// The pixels.
    pub pixels: Pixels,
    /// Orientation letters.
    pub markers: OrientationMarkers,
    /// Millimetres per pixel, horizontally; `None` where unknown.
    pub mm_per_pixel: Option<f64>,
}

/// Why a view cannot be drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RasterError {
    /// Reformats need positions and spacings.
    #[error("no {plane} view: the files give no {missing}; the slices themselves can be read")]
    NoGeometry {
        /// The plane asked for.
        plane: &'static str,
        /// What is missing.
        missing: &'static str,
    },
    /// Slices that do not exist.
    #[error("slice {} is not in the {plane} view, which has {len}", slice + 1)]
    NoSuchSlice {
        /// The plane asked for.
        plane: &'static str,
        /// Index asked for, from 0.
        slice: usize,
        /// Number of slices.
        len: usize,
    },
    /// A picture without pixels.
    #[error("a picture needs at least one pixel and at most 16384 in each direction")]
    BadSize,
}
