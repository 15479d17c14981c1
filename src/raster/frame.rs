//! How a plane of display lies in a volume: which of the volume's axes run along it, and which way round.

use super::resample::{Line, Mapping, PlaneImage, Strided};
use super::{Bend, OrientationMarkers, PictureSize, Plane, RasterError, Slab, SlabKind, View, Zoom};
use crate::domain::{Axis, PatientPoint, SpineCourse, Volume, VoxelPoint, anatomical_letters};
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

/// The slice of a plane that a place lies in; `None` outside and where the volume cannot be shown in that plane.
#[must_use]
pub fn slice_of_voxel(volume: &Volume, plane: Plane, place: VoxelPoint) -> Option<usize> {
    let frame = Frame::of(volume, plane).ok()?;
    let index = frame.through.own_index(component(place, frame.through.side)).round();
    (index >= 0.0 && (index as usize) < frame.through.len).then_some(index as usize)
}

/// The place moved along a plane's normal into one of its slices, and nowhere else; unchanged where there is no such slice.
#[must_use]
pub fn voxel_in_slice(volume: &Volume, plane: Plane, place: VoxelPoint, slice: usize) -> VoxelPoint {
    match Frame::of(volume, plane) {
        Ok(frame) if slice < frame.through.len => {
            with_component(place, frame.through.side, frame.through.own_index(slice as f64))
        }
        _ => place,
    }
}

/// The place moved by so many mm (pixels where those are unknown) rightward and downward in a plane, to the nearest voxel, held
/// inside the volume.
#[must_use]
pub fn voxel_moved(volume: &Volume, plane: Plane, place: VoxelPoint, right: f64, down: f64) -> VoxelPoint {
    let Ok(frame) = Frame::of(volume, plane) else { return place };
    [(frame.right, right), (frame.down, down)].into_iter().fold(place, |place, (axis, by)| {
        let index = (axis.own_index(component(place, axis.side)) + by / frame.line(volume, axis).spacing()).round();
        with_component(place, axis.side, axis.own_index(index.clamp(0.0, axis.len.saturating_sub(1) as f64)))
    })
}

/// Of a rectangle on a plane with these opposite corners, the two beside the first: along the picture's rows and along its columns.
/// `None` where the volume cannot be shown in the plane.
#[must_use]
pub fn corners(volume: &Volume, plane: Plane, first: VoxelPoint, opposite: VoxelPoint) -> Option<[VoxelPoint; 2]> {
    let frame = Frame::of(volume, plane).ok()?;
    let beside = |axis: Directed| with_component(first, axis.side, component(opposite, axis.side));
    Some([beside(frame.right), beside(frame.down)])
}

/// Width and height of a voxel on a plane in mm (1 where those are unknown).
#[must_use]
pub fn plane_steps(volume: &Volume, plane: Plane) -> (f64, f64) {
    Frame::of(volume, plane).map_or((1.0, 1.0), |frame| {
        (frame.line(volume, frame.right).spacing(), frame.line(volume, frame.down).spacing())
    })
}

/// How far a place lies beside the spine, in slices of a plane that runs along it; `None` for other planes and where the course is
/// not known.
#[must_use]
pub fn offset_beside(volume: &Volume, plane: Plane, course: &SpineCourse, place: VoxelPoint) -> Option<f64> {
    let frame = Frame::of(volume, plane).ok().filter(|frame| frame.down.side == Side::Slice)?;
    let through = |place| frame.through.own_index(component(place, frame.through.side));
    Some(through(place) - through(course.at(place.slice)?))
}

/// Width and height of a plane in mm (in pixels where those are unknown); `None` where the volume cannot be shown in it.
#[must_use]
pub fn plane_extent(volume: &Volume, plane: Plane) -> Option<(f64, f64)> {
    let frame = Frame::of(volume, plane).ok()?;
    Some((frame.line(volume, frame.right).extent(), frame.line(volume, frame.down).extent()))
}

/// Where a place lies on a plane, as fractions of its width and height; `None` where the volume cannot be shown in it.
#[must_use]
pub fn plane_fractions(volume: &Volume, plane: Plane, place: VoxelPoint) -> Option<(f64, f64)> {
    let frame = Frame::of(volume, plane).ok()?;
    let fraction = |axis: Directed| {
        let line = frame.line(volume, axis);
        line.position(axis.own_index(component(place, axis.side))) / line.extent()
    };
    Some((fraction(frame.right), fraction(frame.down)))
}

fn component(place: VoxelPoint, side: Side) -> f64 {
    match side {
        Side::Column => place.column,
        Side::Row => place.row,
        Side::Slice => place.slice,
    }
}

fn with_component(mut place: VoxelPoint, side: Side, index: f64) -> VoxelPoint {
    match side {
        Side::Column => place.column = index,
        Side::Row => place.row = index,
        Side::Slice => place.slice = index,
    }
    place
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

    /// What a view shows of the plane, in display order: a slice, a slab around it, or lines that follow the spine.
    pub(super) fn extract<'v>(&self, volume: &'v Volume, view: &View) -> Result<PlaneImage<'v>, RasterError> {
        let slice = view.slice;
        if slice >= self.through.len {
            return Err(RasterError::NoSuchSlice { plane: self.plane.name(), slice, len: self.through.len });
        }
        let slab = view.slab.filter(|_| volume.is_metric());
        let through = self.line(volume, self.through);
        let layers = match self.bend(view) {
            None => vec![self.layers(volume, &through, slice as f64, slab)],
            Some(bend) => bend.into_iter().map(|index| self.layers(volume, &through, index, slab)).collect(),
        };
        Ok(PlaneImage {
            voxels: &volume.voxels,
            layers,
            kind: slab.map_or(SlabKind::Mean, |slab| slab.kind),
            right: self.strided(volume, self.right),
            down: self.strided(volume, self.down),
        })
    }

    fn strided(&self, volume: &Volume, axis: Directed) -> Strided {
        let stride = match axis.side {
            Side::Column => 1,
            Side::Row => volume.shape.columns,
            Side::Slice => volume.shape.slice_len(),
        };
        Strided { stride, len: axis.len, reversed: axis.reversed }
    }

    /// Where each line downward lies through the plane, in slices of it, for a view that follows the spine; `None` for a flat one.
    pub(super) fn bend(&self, view: &View) -> Option<Vec<f64>> {
        let Bend { course, offset } = view.bend.as_ref()?;
        if self.down.side != Side::Slice {
            return None;
        }
        let beside = |index: usize| {
            let place = course.at(self.down.own_index(index as f64))?;
            Some(self.through.own_index(component(place, self.through.side)) + offset)
        };
        (0..self.down.len).map(beside).collect()
    }

    /// Where the slices of a slab begin and their weights: for a mean how much of each lies in it, else those whose centres do.
    /// Between two slices both, by nearness; outside the volume none.
    fn layers(&self, volume: &Volume, line: &Line, index: f64, slab: Option<Slab>) -> Vec<(usize, f32)> {
        let last = self.through.len.saturating_sub(1);
        if !(-0.5..=last as f64 + 0.5).contains(&index) {
            return Vec::new();
        }
        let strided = self.strided(volume, self.through);
        let index = index.clamp(0.0, last as f64);
        let Some(slab) = slab else {
            let (low, part) = (index.floor() as usize, (index - index.floor()) as f32);
            let mut layers = vec![(strided.place(low), 1.0 - part)];
            if part > 0.0 {
                layers.push((strided.place((low + 1).min(last)), part));
            }
            return layers;
        };
        let (centre, half) = (line.position(index), slab.thickness_mm.clamp(0.0, Slab::THICKEST) / 2.0);
        let own_half = line.spacing() / 2.0;
        let weight = |index: usize| {
            let away = (line.position(index as f64) - centre).abs();
            match slab.kind {
                SlabKind::Mean => ((half + own_half - away).min(2.0 * half.min(own_half))).max(0.0),
                SlabKind::Mip | SlabKind::MinIp => f64::from(u8::from(away <= half + 1e-6)),
            }
        };
        let middle = index.round() as usize;
        let reach = ((half / line.spacing().max(1e-3)).ceil() as usize).saturating_add(1);
        let near = middle.saturating_sub(reach)..=(middle + reach).min(last);
        let mut layers: Vec<(usize, f64)> =
            near.map(|index| (index, weight(index))).filter(|(_, weight)| *weight > 1e-9).collect();
        if layers.is_empty() {
            layers.push((middle, 1.0));
        }
        let sum: f64 = layers.iter().map(|(_, weight)| weight).sum();
        layers.into_iter().map(|(index, weight)| (strided.place(index), (weight / sum) as f32)).collect()
    }

    /// How the picture's pixels lie on the plane.
    pub(super) fn mapping(&self, volume: &Volume, view: &View, size: PictureSize) -> Mapping {
        let right = self.line(volume, self.right);
        let down = self.line(volume, self.down);
        let (width, height) = (f64::from(size.width), f64::from(size.height) * size.pixel_aspect);
        let extent = (right.extent(), down.extent());
        let mm_per_pixel = match (view.zoom, view.zoom.times_whole(extent, (width, height))) {
            (Zoom::Pixels(factor), _) => right.spacing().min(down.spacing()) / Zoom::drawable(factor),
            (_, times) => (extent.0 / width).max(extent.1 / height) / times.unwrap_or(1.0),
        };
        let mm_per_line = mm_per_pixel * size.pixel_aspect;
        let middle = |fraction: f64, extent: f64| if fraction.is_finite() { fraction } else { 0.5 } * extent;
        // Where a voxel has its own pixels they begin where it begins: half a pixel beside, all would be blurred.
        let edge = |at: f64, step: f64, shown: f64, extent: f64| match view.zoom {
            Zoom::Fit(_) => at,
            Zoom::Region { .. } if shown < extent => at.clamp(0.0, extent - shown),
            Zoom::Region { .. } => (extent - shown) / 2.0,
            Zoom::Pixels(_) => (at / step).round() * step,
        };
        let (shown_across, shown_down) = (width * mm_per_pixel, height * mm_per_pixel);
        Mapping {
            mm_per_pixel,
            left: edge(middle(view.center.0, extent.0) - shown_across / 2.0, mm_per_pixel, shown_across, extent.0),
            top: edge(middle(view.center.1, extent.1) - shown_down / 2.0, mm_per_line, shown_down, extent.1),
            mm_per_line,
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

    /// The display index (with fraction) of a patient point along an axis; `None` in a gap and without geometry. It may lie
    /// outside the volume.
    fn index_of_point(&self, volume: &Volume, axis: Directed, point: PatientPoint) -> Option<f64> {
        let (plane, spacing) = (volume.plane?, volume.spacing?);
        let from_first = point - plane.position;
        Some(axis.own_index(match axis.side {
            Side::Column => from_first.dot(plane.row_cosines) / spacing.column,
            Side::Row => from_first.dot(plane.column_cosines) / spacing.row,
            Side::Slice => {
                let offset = from_first.dot(volume.stack_axis);
                match self.line(volume, axis) {
                    Line::Even { spacing, .. } => offset / spacing,
                    Line::Uneven { stack, .. } => stack.index_at(offset)?,
                }
            }
        }))
    }

    /// The place in the volume of display indices.
    pub(super) fn voxel(&self, right: f64, down: f64, through: f64) -> VoxelPoint {
        let none = VoxelPoint { slice: 0.0, row: 0.0, column: 0.0 };
        [(self.right, right), (self.down, down), (self.through, through)]
            .into_iter()
            .fold(none, |place, (axis, index)| with_component(place, axis.side, axis.own_index(index)))
    }

    /// The display indices (right, down, through) of a place.
    pub(super) fn indices(&self, place: VoxelPoint) -> [f64; 3] {
        [self.right, self.down, self.through].map(|axis| axis.own_index(component(place, axis.side)))
    }

    /// The display indices of a patient point.
    pub(super) fn indices_of_point(&self, volume: &Volume, point: PatientPoint) -> Option<[f64; 3]> {
        Some([
            self.index_of_point(volume, self.right, point)?,
            self.index_of_point(volume, self.down, point)?,
            self.index_of_point(volume, self.through, point)?,
        ])
    }

    /// Positions through the plane.
    pub(super) fn through_line(&self, volume: &Volume) -> Line {
        self.line(volume, self.through)
    }
}
