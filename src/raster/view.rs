//! What is to be drawn, and what was.

use crate::domain::{Activation, CervicalLevel, PatientPoint, SpineCourse, VoiTable, VoxelPoint, WindowLevel};
use std::sync::Arc;

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

/// A vertebra's letters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelMark {
    /// The vertebra.
    pub level: CervicalLevel,
    /// Beside the vertebra's upper end, where the letters are to stand.
    pub top: PatientPoint,
    /// Beside its lower end.
    pub bottom: PatientPoint,
    /// Whether its probability passes the threshold.
    pub suspected: bool,
}

/// The form of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outline {
    /// A small cross at the first place.
    Point,
    /// From the first place to the second.
    Line,
    /// From the first by the second to the third.
    Corner,
    /// The rectangle whose corner is the first, with the second and the third beside it.
    Rectangle,
    /// The ellipse within that rectangle.
    Ellipse,
}

/// A measurement, drawn on the slices that hold all its places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Its form.
    pub outline: Outline,
    /// Its places; where it has fewer than three the last is repeated.
    pub places: [VoxelPoint; 3],
    /// The number that stands beside it; 0 for none.
    pub number: u64,
    /// Whether it is being made.
    pub active: bool,
}

/// A mark on the picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A hollow cross around a point in the patient: the hot spot. Drawn where the plane passes within 3 mm of it.
    HotSpot(PatientPoint),
    /// Wedges at the picture's edges, level with the hot spot; nothing else is covered. Drawn as the cross is.
    HotSpotAside(PatientPoint),
    /// The outline of what is active on the slice shown.
    Active(Arc<Activation>),
    /// A vertebra's letters and a bracket over its height, for planes along the spine.
    Level(LevelMark),
    /// A measurement.
    Figure(Figure),
    /// Where the two other planes through a place cut the one shown: a line across and a line down, open around the place.
    CrossLines(VoxelPoint),
}

/// How many slices are drawn as one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slab {
    /// What becomes of the values along the slab.
    pub kind: SlabKind,
    /// Thickness in mm, centred on the slice.
    pub thickness_mm: f64,
}

impl Slab {
    /// The thinnest slab, mm.
    pub const THINNEST: f64 = 1.0;
    /// The thickest slab, mm.
    pub const THICKEST: f64 = 30.0;
}

/// What becomes of the values along a slab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlabKind {
    /// Their mean, each slice weighted by how much of it lies in the slab: less noise.
    Mean,
    /// The highest (maximum intensity projection): dense bone, metal.
    Mip,
    /// The lowest (minimum intensity projection): gaps, air.
    MinIp,
}

impl SlabKind {
    /// All kinds, in the order in which a key goes through them.
    pub const ALL: [Self; 3] = [Self::Mean, Self::Mip, Self::MinIp];

    /// `mean`, `MIP`, `MinIP`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Mip => "MIP",
            Self::MinIp => "MinIP",
        }
    }
}

/// A surface that follows the spine instead of a flat plane: every line of a sagittal or coronal picture lies as far beside the
/// spine as the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Bend {
    /// Where the spine runs in the volume.
    pub course: Arc<SpineCourse>,
    /// How far beside it, in slices of the plane; the view's slice is that of the cursor's line only.
    pub offset: f64,
}

/// How large a plane is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Zoom {
    /// Times the size at which the whole plane fits: 1 shows all of it, 2 half its width.
    Fit(f64),
    /// As large as possible with this part of the plane's width and height in view, about the view's center. The view stays on the
    /// plane as far as the plane fills it.
    Region {
        /// Part of the width, more than 0 and at most 1.
        across: f64,
        /// Part of the height.
        down: f64,
    },
    /// Terminal pixels for the smaller side of a voxel: 1 shows every voxel once.
    Pixels(f64),
}

impl Zoom {
    /// The whole plane.
    pub const WHOLE: Self = Self::Fit(1.0);

    /// How large a plane of `extent` (width and height) is drawn in a picture of `size`, as times the size at which all of it fits;
    /// `None` where that depends on its voxels. Held within what can be drawn.
    #[must_use]
    pub fn times_whole(self, (across_all, down_all): (f64, f64), (width, height): (f64, f64)) -> Option<f64> {
        let factor = match self {
            Self::Fit(factor) => factor,
            Self::Region { across, down } => {
                let whole = (across_all / width).max(down_all / height);
                whole / (across * across_all / width).max(down * down_all / height)
            }
            Self::Pixels(_) => return None,
        };
        Some(Self::drawable(factor))
    }

    /// A factor within what can be drawn.
    pub(super) fn drawable(factor: f64) -> f64 {
        if factor.is_finite() { factor.clamp(0.1, 64.0) } else { 1.0 }
    }
}

/// What becomes of the space between two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// Linear between samples, averaged where a pixel covers several.
    Smooth,
    /// The nearest sample: voxels are seen as they are.
    Nearest,
}

/// What to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The plane.
    pub plane: Plane,
    /// Slice of the plane, from 0, in steps of the volume's own grid. Axial: from head to foot, which for an axial series is
    /// the volume's index. Sagittal: from the patient's right to the left; coronal: from front to back.
    pub slice: usize,
    /// Several slices as one; `None` for the slice itself.
    pub slab: Option<Slab>,
    /// Along the spine instead of flat. Planes that do not run along an axial volume's stack stay flat.
    pub bend: Option<Bend>,
    /// Window.
    pub window: WindowLevel,
    /// A table that is used instead of the window.
    pub table: Option<Arc<VoiTable>>,
    /// Black and white exchanged (on top of the volume's own MONOCHROME1).
    pub inverted: bool,
    /// How large.
    pub zoom: Zoom,
    /// Centre of the view, as fractions of the plane's width and height; (0.5, 0.5) is its middle.
    pub center: (f64, f64),
    /// Between samples.
    pub sampling: Sampling,
    /// Marks.
    pub marks: Vec<Mark>,
}

impl View {
    /// The whole of one slice, smooth and without marks.
    #[must_use]
    pub fn new(plane: Plane, slice: usize, window: WindowLevel) -> Self {
        Self {
            plane,
            slice,
            slab: None,
            bend: None,
            window,
            table: None,
            inverted: false,
            zoom: Zoom::WHOLE,
            center: (0.5, 0.5),
            sampling: Sampling::Smooth,
            marks: Vec::new(),
        }
    }
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
    #[error("an image needs at least one pixel and at most 16384 in each direction")]
    BadSize,
}
