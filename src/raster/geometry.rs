//! Where the pixels of a picture lie in the patient, and the other way round.

use super::frame::Frame;
use super::resample::{Line, Mapping};
use super::{PictureSize, RasterError, View};
use crate::domain::{PatientPoint, Volume, VoxelPoint};

/// The mapping between the pixels of one picture and places in its volume, for every plane, zoom and pan of every
/// acquisition. Pixel coordinates are whole at pixel centres: (0, 0) is the first pixel's, so that the picture reaches
/// from −0.5 to width − 0.5. It holds for a picture of any size over the same area, if its `pixel_aspect` is that of the area.
#[derive(Debug, Clone)]
pub struct ViewGeometry<'v> {
    volume: &'v Volume,
    frame: Frame,
    mapping: Mapping,
    through: Line,
    slice: usize,
    bend: Option<Vec<f64>>,
    size: PictureSize,
}

/// A place in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelPlace {
    /// Pixels to the right of the first pixel's centre; may lie outside the picture.
    pub x: f64,
    /// Pixels below it.
    pub y: f64,
    /// Distance of the place from the slice shown: mm, or slices where the volume is not metric.
    pub away: f64,
}

impl<'v> ViewGeometry<'v> {
    /// The mapping of the picture that [`super::render`] draws from the same arguments.
    ///
    /// # Errors
    /// As [`super::render`].
    pub fn of(volume: &'v Volume, view: &View, size: PictureSize) -> Result<Self, RasterError> {
        let side = 1..=16_384;
        if !side.contains(&size.width) || !side.contains(&size.height) || !(0.1..=10.0).contains(&size.pixel_aspect) {
            return Err(RasterError::BadSize);
        }
        let frame = Frame::of(volume, view.plane)?;
        let mapping = frame.mapping(volume, view, size);
        let (through, bend) = (frame.through_line(volume), frame.bend(view));
        Ok(Self { volume, frame, mapping, through, slice: view.slice, bend, size })
    }

    pub(super) fn frame(&self) -> &Frame {
        &self.frame
    }

    pub(super) fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// Half the distance from one slice to the next, in the unit of [`PixelPlace::away`].
    pub(super) fn half_slice(&self) -> f64 {
        self.through.spacing() / 2.0
    }

    /// Size of the picture.
    #[must_use]
    pub fn size(&self) -> PictureSize {
        self.size
    }

    /// Width and height of a pixel in mm; `None` where the volume is not metric.
    #[must_use]
    pub fn mm_per_pixel(&self) -> Option<(f64, f64)> {
        self.volume.is_metric().then_some((self.mapping.mm_per_pixel, self.mapping.mm_per_line))
    }

    /// Picture pixels for the smaller side of a voxel: 1 at 1:1.
    #[must_use]
    pub fn pixels_per_voxel(&self) -> f64 {
        self.mapping.right.spacing().min(self.mapping.down.spacing()) / self.mapping.mm_per_pixel
    }

    /// Picture pixels of the plane's width and height.
    #[must_use]
    pub fn plane_size(&self) -> (f64, f64) {
        (self.mapping.right.extent() / self.mapping.mm_per_pixel, self.mapping.down.extent() / self.mapping.mm_per_line)
    }

    /// The place in the volume that is shown at a pixel; `None` beside the volume and in a gap between its slices.
    #[must_use]
    pub fn voxel_at(&self, x: f64, y: f64) -> Option<VoxelPoint> {
        let right = self.mapping.right.index(self.mapping.left + (x + 0.5) * self.mapping.mm_per_pixel)?;
        let down = self.mapping.down.index(self.mapping.top + (y + 0.5) * self.mapping.mm_per_line)?;
        Some(self.frame.voxel(right, down, self.depth_at(down)))
    }

    /// Whether the picture follows the spine instead of lying in a plane.
    #[must_use]
    pub fn is_bent(&self) -> bool {
        self.bend.is_some()
    }

    /// Where a line downward (index with fraction) lies through the plane, in slices of it.
    fn depth_at(&self, down: f64) -> f64 {
        let Some(bend) = &self.bend else { return self.slice as f64 };
        let down = down.clamp(0.0, bend.len().saturating_sub(1) as f64);
        let at = |index: usize| bend.get(index).copied().unwrap_or(self.slice as f64);
        let low = down.floor() as usize;
        let part = down - down.floor();
        if part > 0.0 { at(low) * (1.0 - part) + at(low + 1) * part } else { at(low) }
    }

    /// Fractions of the plane's width and height at a pixel; outside 0 to 1 beside the plane.
    #[must_use]
    pub fn plane_at(&self, x: f64, y: f64) -> (f64, f64) {
        (
            (self.mapping.left + (x + 0.5) * self.mapping.mm_per_pixel) / self.mapping.right.extent(),
            (self.mapping.top + (y + 0.5) * self.mapping.mm_per_line) / self.mapping.down.extent(),
        )
    }

    /// The point of the patient that is shown at a pixel; `None` beside the volume, in a gap, and without geometry.
    #[must_use]
    pub fn patient_at(&self, x: f64, y: f64) -> Option<PatientPoint> {
        let place = self.voxel_at(x, y)?;
        self.volume.patient_point(place.slice, place.row, place.column)
    }

    /// Where a place in the volume is shown.
    #[must_use]
    pub fn pixel_of_voxel(&self, place: VoxelPoint) -> PixelPlace {
        self.pixel(self.frame.indices(place))
    }

    /// Where a point of the patient is shown, on whatever slice; `None` in a gap and without geometry.
    #[must_use]
    pub fn pixel_of(&self, point: PatientPoint) -> Option<PixelPlace> {
        Some(self.pixel(self.frame.indices_of_point(self.volume, point)?))
    }

    fn pixel(&self, [right, down, through]: [f64; 3]) -> PixelPlace {
        let Mapping { mm_per_pixel, mm_per_line, left, top, .. } = self.mapping;
        let here = self.through.position(self.depth_at(down));
        PixelPlace {
            x: (self.mapping.right.position(right) - left) / mm_per_pixel - 0.5,
            y: (self.mapping.down.position(down) - top) / mm_per_line - 0.5,
            away: (self.through.position(through) - here).abs(),
        }
    }
}
