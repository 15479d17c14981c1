//! How a plane of display lies in a volume: which of the volume's axes run along it, and which way round.

use super::resample::{Line, Mapping, PlaneImage};
use super::{OrientationMarkers, PictureSize, Plane, RasterError, View};
use crate::domain::{Axis, PatientPoint, Volume, anatomical_letters};
use glam::DVec3;

/// An axis of the voxel block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Column,
    Row,
    Slice,
}

/// An axis of the voxel block with the way it is shown.
#[derive(Debug, Clone, Copy)]
struct Directed {
    side: Side,
    reversed: bool,
    /// Patient direction of display order; zero where the volume has no geometry.
    direction: DVec3,
    len: usize,
}

/// A plane of display in a volume: rightward, downward and through it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    plane: Plane,
    right: Directed,
    down: Directed,
    through: Directed,
}

/// Patient directions that run rightward, downward and through a plane.
fn wanted(plane: Plane) -> [DVec3; 3] {
    match plane {
        Plane::Axial => [DVec3::X, DVec3::Y, DVec3::NEG_Z],
        Plane::Sagittal => [DVec3::Y, DVec3::NEG_Z, DVec3::X],
        Plane::Coronal => [DVec3::X, DVec3::NEG_Z, DVec3::Y],
    }
}

fn len_of(volume: &Volume, side: Side) -> usize {
    match side {
        Side::Column => volume.shape.columns,
        Side::Row => volume.shape.rows,
        Side::Slice => volume.shape.slices,
    }
}

/// The plane that the slices of a volume lie in, as they were scanned; [`Plane::Axial`] where the files do not say.
#[must_use]
pub fn native_plane(volume: &Volume) -> Plane {
    match volume.plane.map(|plane| plane.normal_axis()) {
        Some(Axis::RightLeft) => Plane::Sagittal,
        Some(Axis::FrontBack) => Plane::Coronal,
        Some(Axis::HeadFoot) | None => Plane::Axial,
    }
}

/// Number of slices of a plane; 0 where the volume cannot be shown in it.
#[must_use]
pub fn plane_len(volume: &Volume, plane: Plane) -> usize {
    Frame::of(volume, plane).map_or(0, |frame| frame.through.len)
}

/// Orientation letters at the edges of a plane.
#[must_use]
pub fn markers(volume: &Volume, plane: Plane) -> OrientationMarkers {
    Frame::of(volume, plane).map_or_else(|_| OrientationMarkers::default(), |frame| frame.markers())
}

/// The slice of a plane that is nearest to a point in the patient; `None` where the volume has no geometry or the point lies
/// outside.
#[must_use]
pub fn slice_of_point(volume: &Volume, plane: Plane, point: PatientPoint) -> Option<usize> {
    let frame = Frame::of(volume, plane).ok()?;
    let index = frame.index_of_point(volume, frame.through, point)?.round();
    (index >= 0.0 && (index as usize) < frame.through.len).then_some(index as usize)
}

/// The point of the patient at the middle of a plane's slice; `None` where the volume has no geometry.
#[must_use]
pub fn plane_point(volume: &Volume, plane: Plane, slice: usize) -> Option<PatientPoint> {
    let frame = Frame::of(volume, plane).ok()?;
    let mut voxel = [0.0; 3];
    for axis in [frame.right, frame.down] {
        voxel[axis.side as usize] = (axis.len as f64 - 1.0) / 2.0;
    }
    voxel[frame.through.side as usize] = frame.through.own_index(slice as f64);
    let [column, row, slice] = voxel;
    volume.patient_point(slice, row, column)
}

impl Directed {
    /// The volume's index along this axis for a display index, or the other way round.
    fn own_index(self, index: f64) -> f64 {
        if self.reversed { self.len as f64 - 1.0 - index } else { index }
    }
}

impl Frame {
    /// The frame of a plane.
    pub(super) fn of(volume: &Volume, plane: Plane) -> Result<Self, RasterError> {
        let straight = |side| Directed { side, reversed: false, direction: DVec3::ZERO, len: len_of(volume, side) };
        let (Some(geometry), Some(_)) = (volume.plane, volume.spacing) else {
            if plane == native_plane(volume) {
                let mut frame = Self {
                    plane,
                    right: straight(Side::Column),
                    down: straight(Side::Row),
                    through: straight(Side::Slice),
                };
                // Directions can be known without a spacing: the letters are then still true.
                if let Some(geometry) = volume.plane {
                    frame = Self::directed(volume, plane, geometry.row_cosines, geometry.column_cosines);
                }
                return Ok(frame);
            }
            return Err(RasterError::NoGeometry {
                plane: plane.name(),
                missing: if volume.plane.is_none() { "slice positions" } else { "pixel spacing" },
            });
        };
        Ok(Self::directed(volume, plane, geometry.row_cosines, geometry.column_cosines))
    }

    fn directed(volume: &Volume, plane: Plane, along_row: DVec3, along_column: DVec3) -> Self {
        let sides = [(Side::Column, along_row), (Side::Row, along_column), (Side::Slice, volume.stack_axis)];
        let wanted = wanted(plane);
        // The assignment of the block's three axes to the display's three that fits best overall.
        const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let fit = |order: &[usize; 3]| -> f64 {
            order.iter().zip(wanted).map(|(&side, wish)| sides[side].1.dot(wish).abs()).sum()
        };
        let order = ORDERS.into_iter().max_by(|a, b| fit(a).total_cmp(&fit(b))).unwrap_or(ORDERS[0]);
        let [right, down, through] = [0, 1, 2].map(|i| {
            let (side, direction) = sides[order[i]];
            let reversed = direction.dot(wanted[i]) < 0.0;
            let direction = if reversed { -direction } else { direction };
            Directed { side, reversed, direction, len: len_of(volume, side) }
        });
        Self { plane, right, down, through }
    }

    /// Letters at the edges.
    pub(super) fn markers(&self) -> OrientationMarkers {
        OrientationMarkers {
            left: anatomical_letters(-self.right.direction),
            right: anatomical_letters(self.right.direction),
            top: anatomical_letters(-self.down.direction),
            bottom: anatomical_letters(self.down.direction),
        }
    }

    /// One slice of the plane, in display order.
    pub(super) fn extract<'v>(&self, volume: &'v Volume, slice: usize) -> Result<PlaneImage<'v>, RasterError> {
        if slice >= self.through.len {
            return Err(RasterError::NoSuchSlice { plane: self.plane.name(), slice, len: self.through.len });
        }
        let own = if self.through.reversed { self.through.len - 1 - slice } else { slice };
        let strides = |side| match side {
            Side::Column => 1,
            Side::Row => volume.shape.columns,
            Side::Slice => volume.shape.slice_len(),
        };
        let line = |axis: Directed| (strides(axis.side), axis.len, axis.reversed);
        Ok(PlaneImage::new(&volume.voxels, own * strides(self.through.side), line(self.right), line(self.down)))
    }

    /// How the picture's pixels lie on the plane.
    pub(super) fn mapping(&self, volume: &Volume, view: &View, size: PictureSize) -> Mapping {
        let right = self.line(volume, self.right);
        let down = self.line(volume, self.down);
        let (width, height) = (f64::from(size.width), f64::from(size.height) * size.pixel_aspect);
        let zoom = if view.zoom.is_finite() { view.zoom.clamp(0.1, 64.0) } else { 1.0 };
        let mm_per_pixel = (right.extent() / width).max(down.extent() / height) / zoom;
        let middle = |fraction: f64, extent: f64| if fraction.is_finite() { fraction } else { 0.5 } * extent;
        Mapping {
            mm_per_pixel,
            left: middle(view.center.0, right.extent()) - width / 2.0 * mm_per_pixel,
            top: middle(view.center.1, down.extent()) - height / 2.0 * mm_per_pixel,
            mm_per_line: mm_per_pixel * size.pixel_aspect,
            right,
            down,
        }
    }

    /// Distances along an axis of the display.
    fn line(&self, volume: &Volume, axis: Directed) -> Line {
        let unit = if volume.is_metric() { volume.spacing } else { None };
        // Without mm a pixel keeps its own proportion, where the spacing is known at all; else it is square.
        match axis.side {
            Side::Column => Line::even(axis.len, unit.map_or(1.0, |spacing| spacing.column)),
            Side::Row => Line::even(axis.len, unit.map_or(1.0, |spacing| spacing.row)),
            Side::Slice => Line::stack(&volume.stack, axis.reversed),
        }
    }

    /// The display index (with fraction) of a patient point along an axis.
    fn index_of_point(&self, volume: &Volume, axis: Directed, point: PatientPoint) -> Option<f64> {
        let (slice, row, column) = volume.voxel_at(point)?;
        Some(axis.own_index(match axis.side {
            Side::Column => column,
            Side::Row => row,
            Side::Slice => slice,
        }))
    }

    /// The pixel (with fraction) at which a patient point is shown, and its distance from the shown slice in mm.
    pub(super) fn pixel_of_point(
        &self,
        volume: &Volume,
        view: &View,
        mapping: &Mapping,
        point: PatientPoint,
    ) -> Option<(f64, f64, f64)> {
        let right = mapping.right.position(self.index_of_point(volume, self.right, point)?);
        let down = mapping.down.position(self.index_of_point(volume, self.down, point)?);
        let through = self.line(volume, self.through);
        let depth = through.position(self.index_of_point(volume, self.through, point)?);
        Some((
            (right - mapping.left) / mapping.mm_per_pixel - 0.5,
            (down - mapping.top) / mapping.mm_per_line - 0.5,
            (depth - through.position(view.slice as f64)).abs(),
        ))
    }
}
