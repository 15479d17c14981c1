//! A series as one block of Hounsfield units in the patient's frame.

use super::{ImagePlane, ModalityLut, Oddity, PatientPoint, PixelSpacing, SliceStack, Uid, Units, WindowPreset};
use glam::DVec3;

/// Sizes of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VolumeShape {
    /// Number of slices.
    pub slices: usize,
    /// Rows of a slice.
    pub rows: usize,
    /// Columns of a slice.
    pub columns: usize,
}

impl VolumeShape {
    /// Pixels in a slice.
    #[must_use]
    pub fn slice_len(&self) -> usize {
        self.rows * self.columns
    }

    /// Voxels in the volume.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slices * self.slice_len()
    }

    /// Whether there is no voxel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A place in a volume's own grid, in indices with fractions; whole numbers are the voxels' centres. Unlike a point in the
/// patient it is known in every volume.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoxelPoint {
    /// Along the stack.
    pub slice: f64,
    /// Down a slice.
    pub row: f64,
    /// Across a slice.
    pub column: f64,
}

/// Where a slice of the volume comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceInfo {
    /// SOPInstanceUID.
    pub sop_instance_uid: Uid,
    /// Frame of a multi-frame instance, from 0.
    pub frame: u32,
    /// InstanceNumber, where the file has one that is a number.
    pub instance_number: Option<i32>,
    /// ImagePositionPatient, LPS mm; `None` in a stack without positions.
    pub position: Option<PatientPoint>,
    /// The modality LUT that was applied; it may differ from slice to slice.
    pub lut: ModalityLut,
}

/// A series as Hounsfield units `[slices, rows, columns]` with its place in the patient.
///
/// Slices run from head to foot for an axial series, along the normal for others. Padding and what lies outside the
/// reconstruction are air ([`Volume::AIR`]).
#[derive(Debug, Clone)]
pub struct Volume {
    /// SeriesInstanceUID.
    pub series_uid: Uid,
    /// Sizes.
    pub shape: VolumeShape,
    /// HU, `shape.len()` values, row by row, slice by slice.
    pub voxels: Vec<i16>,
    /// Plane of the first slice; `None` where the files do not say, and then nothing in mm along the stack is known.
    pub plane: Option<ImagePlane>,
    /// Unit vector from each slice to the next (to the foot for axial), LPS. It is the stack's normal up to sign; where
    /// `plane` is `None` it is meaningless.
    pub stack_axis: DVec3,
    /// PixelSpacing; `None` where the files do not say: no mm in the plane then.
    pub spacing: Option<PixelSpacing>,
    /// Slice offsets along `stack_axis` (mm), or the bare index where `plane` is `None`.
    pub stack: SliceStack,
    /// One entry per slice.
    pub slices: Vec<SliceInfo>,
    /// Windows that the files name, in their order.
    pub windows: Vec<WindowPreset>,
    /// The unit of the voxels: Hounsfield units (CT), or the own numbers of MR and others.
    pub units: Units,
    /// MONOCHROME1: shown with black and white exchanged.
    pub inverted: bool,
    /// What is odd about the series and was found while loading.
    pub oddities: Vec<Oddity>,
}

impl Volume {
    /// HU of air, which padding becomes.
    pub const AIR: i16 = -1024;

    /// Whether the voxels are shown as Hounsfield units.
    #[must_use]
    pub fn is_hounsfield(&self) -> bool {
        self.units.is_hounsfield()
    }

    /// Voxels of a slice, row by row; `None` past the end.
    #[must_use]
    pub fn slice(&self, index: usize) -> Option<&[i16]> {
        let len = self.shape.slice_len();
        self.voxels.get(index.checked_mul(len)?..index.checked_add(1)?.checked_mul(len)?)
    }

    /// HU at a voxel; `None` outside.
    #[must_use]
    pub fn at(&self, slice: usize, row: usize, column: usize) -> Option<i16> {
        (row < self.shape.rows && column < self.shape.columns)
            .then(|| self.slice(slice)?.get(row * self.shape.columns + column).copied())
            .flatten()
    }

    /// Whether lengths can be told in all three directions, so that reformats and measurements are true.
    #[must_use]
    pub fn is_metric(&self) -> bool {
        self.plane.is_some() && self.spacing.is_some()
    }

    /// The place of a voxel's centre (fractions allowed), LPS mm (PS3.3 section C.7.6.2.1.1); `None` if not
    /// [metric](Volume::is_metric) or outside the stack.
    #[must_use]
    pub fn patient_point(&self, slice: f64, row: f64, column: f64) -> Option<PatientPoint> {
        let (plane, spacing) = (self.plane?, self.spacing?);
        Some(
            plane.position
                + plane.row_cosines * (column * spacing.column)
                + plane.column_cosines * (row * spacing.row)
                + self.stack_axis * self.offset_at(slice)?,
        )
    }

    /// HU of the voxel that a place lies in; `None` outside.
    #[must_use]
    pub fn nearest(&self, place: VoxelPoint) -> Option<i16> {
        let index = |value: f64| {
            let whole = value.round();
            (0.0..1e9).contains(&whole).then_some(whole as usize)
        };
        self.at(index(place.slice)?, index(place.row)?, index(place.column)?)
    }

    /// The voxel (slice, row, column, with fractions) at a patient point; `None` if not metric, outside the stack or in a
    /// gap. Row and column may lie outside the picture.
    #[must_use]
    pub fn voxel_at(&self, point: PatientPoint) -> Option<(f64, f64, f64)> {
        let (plane, spacing) = (self.plane?, self.spacing?);
        let from_first = point - plane.position;
        let slice = self.stack.index_at(from_first.dot(self.stack_axis))?;
        Some((
            slice,
            from_first.dot(plane.column_cosines) / spacing.row,
            from_first.dot(plane.row_cosines) / spacing.column,
        ))
    }

    /// Position of a slice along the patient axis that the stack runs along, LPS mm: z for axial series. `None` where the
    /// files give no position.
    #[must_use]
    pub fn position_mm(&self, slice: usize) -> Option<f64> {
        let position = self.slices.get(slice)?.position?;
        Some(match super::Axis::nearest(self.stack_axis) {
            super::Axis::HeadFoot => position.z,
            super::Axis::FrontBack => position.y,
            super::Axis::RightLeft => position.x,
        })
    }

    /// The index of the slice nearest to a position as [`Volume::position_mm`] gives it.
    #[must_use]
    pub fn nearest_slice(&self, position_mm: f64) -> Option<usize> {
        (0..self.shape.slices)
            .filter_map(|index| Some((index, (self.position_mm(index)? - position_mm).abs())))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(index, _)| index)
    }

    fn offset_at(&self, slice: f64) -> Option<f64> {
        let offsets = &self.stack.offsets;
        if !slice.is_finite() || offsets.is_empty() {
            return None;
        }
        let last = offsets.len() - 1;
        let low = (slice.floor().max(0.0) as usize).min(last);
        let high = (low + 1).min(last);
        if low == high {
            return Some(offsets[low] + (slice - low as f64) * self.stack.spacing.unwrap_or(0.0));
        }
        Some(offsets[low] + (slice - low as f64) * (offsets[high] - offsets[low]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn volume() -> Volume {
        let shape = VolumeShape { slices: 4, rows: 3, columns: 5 };
        Volume {
            series_uid: Uid::from_file("1.2"),
            shape,
            voxels: (0..shape.len() as i16).collect(),
            plane: ImagePlane::new([-10.0, -20.0, 30.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
            stack_axis: DVec3::NEG_Z,
            spacing: PixelSpacing::new(0.5, 0.25),
            stack: SliceStack::new(vec![0.0, 2.0, 4.0, 6.0]),
            slices: (0..4)
                .map(|i| SliceInfo {
                    sop_instance_uid: Uid::from_file(&format!("1.2.{i}")),
                    frame: 0,
                    instance_number: Some(i),
                    position: Some(DVec3::new(-10.0, -20.0, 30.0 - 2.0 * f64::from(i))),
                    lut: ModalityLut::IDENTITY,
                })
                .collect(),
            windows: Vec::new(),
            units: Units::Hounsfield,
            inverted: false,
            oddities: Vec::new(),
        }
    }

    #[test]
    fn voxels_lie_where_the_standard_says() {
        let volume = volume();
        assert_eq!(volume.patient_point(1.0, 2.0, 4.0), Some(DVec3::new(-9.0, -19.0, 28.0)));
        assert_eq!(volume.at(1, 2, 4), Some(29));
        assert_eq!(volume.at(1, 3, 0), None);
        assert_eq!(volume.slice(4), None);
        assert_eq!(volume.position_mm(3), Some(24.0));
        assert_eq!(volume.nearest_slice(26.9), Some(2));
    }

    proptest! {
        #[test]
        fn a_point_leads_back_to_its_voxel(slice in 0.0..3.0_f64, row in 0.0..2.0_f64, column in 0.0..4.0_f64) {
            let volume = volume();
            let point = volume.patient_point(slice, row, column).expect("inside");
            let back = volume.voxel_at(point).expect("inside");
            prop_assert!((back.0 - slice).abs() < 1e-9 && (back.1 - row).abs() < 1e-9 && (back.2 - column).abs() < 1e-9);
        }
    }
}
