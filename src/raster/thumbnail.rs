//! The sagittal image of a series that the worklist shows beside its result.

use super::{
    PictureSize, Pixels, Plane, Slab, SlabKind, View, Zoom, plane_extent, plane_fractions, render, slice_of_voxel,
};
use crate::domain::{CervicalLevel, FractureReport, PatientPoint, Thumbnail, Volume, VoxelPoint, WindowLevel};

/// The neck and some of its surroundings, mm: C1 to C7 of a tall adult measure about 130 mm.
const HEIGHT_MM: f64 = 165.0;
/// Less noise makes a smaller file; thin enough for a displaced fracture to stay visible, mm.
const SLAB_MM: f64 = 3.0;
/// The bone window, center and width in HU.
const BONE: (f64, f64) = (350.0, 2000.0);

/// The sagittal image through the activation peak of the most suspicious level, framed on the levels that were seen, in the bone
/// window and without marks; `None` for a volume without geometry, or one that cannot be drawn.
#[must_use]
pub fn thumbnail(volume: &Volume, report: &FractureReport) -> Option<Thumbnail> {
    let plane = Plane::Sagittal;
    let place = middle(volume, report)?;
    let (width_mm, height_mm) = plane_extent(volume, plane)?;
    let (width, height) = Thumbnail::SIZE;
    let whole = (f64::from(width) / width_mm).min(f64::from(height) / height_mm);
    let mut view = View::new(plane, slice_of_voxel(volume, plane, place)?, WindowLevel::new(BONE.0, BONE.1)?);
    view.slab = Some(Slab { kind: SlabKind::Mean, thickness_mm: SLAB_MM });
    view.zoom = Zoom::Fit(f64::from(height) / HEIGHT_MM / whole);
    view.center = plane_fractions(volume, plane, place)?;
    let size = PictureSize { width: width.into(), height: height.into(), pixel_aspect: 1.0 };
    match render(volume, &view, size).ok()?.pixels {
        Pixels::Grey(pixels) => Thumbnail::new(width, height, pixels),
        // Only marks are in color.
        Pixels::Rgb(_) => None,
    }
}

/// The place that the image is centered on: across, the activation peak of the most suspicious level; along the neck, the middle of
/// all peaks. The middle of the volume if the report has no peaks.
fn middle(volume: &Volume, report: &FractureReport) -> Option<VoxelPoint> {
    if !volume.is_metric() {
        return None;
    }
    let peak = |level: CervicalLevel| report.levels[level].hot_spot().map(|spot| spot.point);
    let peaks: Vec<PatientPoint> = CervicalLevel::ALL.into_iter().filter_map(peak).collect();
    let (Some(first), Some(last)) = (peaks.first(), peaks.last()) else {
        let half = |length: usize| (length as f64 - 1.0) / 2.0;
        let shape = volume.shape;
        return Some(VoxelPoint { slice: half(shape.slices), row: half(shape.rows), column: half(shape.columns) });
    };
    let worst = report.worst_level().and_then(|finding| peak(finding.level)).unwrap_or(*first);
    let mean_y = peaks.iter().map(|point| point.y).sum::<f64>() / peaks.len() as f64;
    let point = PatientPoint::new(worst.x, mean_y, (first.z + last.z) / 2.0);
    let (slice, row, column) = volume.voxel_at(point)?;
    Some(VoxelPoint { slice, row, column })
}
