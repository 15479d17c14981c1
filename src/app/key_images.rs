//! Key images as the open series shows them.

use super::Reading;
use crate::domain::{Axis, KeyImage};
use crate::raster::{self, Plane};

/// The axis that names a plane where it is kept.
pub(super) fn axis(plane: Plane) -> Axis {
    match plane {
        Plane::Axial => Axis::HeadFoot,
        Plane::Sagittal => Axis::RightLeft,
        Plane::Coronal => Axis::FrontBack,
    }
}

/// The plane of an axis.
pub(super) fn plane(axis: Axis) -> Plane {
    match axis {
        Axis::HeadFoot => Plane::Axial,
        Axis::RightLeft => Plane::Sagittal,
        Axis::FrontBack => Plane::Coronal,
    }
}

/// The plane and slice of the open series that a key image is; `None` where it is of another series or cannot be found.
pub(super) fn place(reading: &Reading, image: &KeyImage) -> Option<(Plane, usize)> {
    let volume = reading.volume().filter(|volume| volume.series_uid == image.series)?;
    let plane = plane(image.plane);
    let slice = match image.patient_point() {
        Some(point) if volume.is_metric() => raster::slice_of_point(volume, plane, point)?,
        _ => {
            let stored =
                |info: &crate::domain::SliceInfo| info.sop_instance_uid == image.instance && info.frame == image.frame;
            volume.slices.iter().position(stored)?
        }
    };
    (slice < raster::plane_len(volume, plane)).then_some((plane, slice))
}

/// The slice shown as a key image; `None` without a volume.
pub(super) fn shown(reading: &Reading, id: u64) -> Option<KeyImage> {
    let volume = reading.volume()?;
    let (plane, slice) = (reading.plane, reading.slice());
    let native = raster::native_plane(volume);
    let stored = volume.slices.get(reading.slice_of(native))?;
    let appearance = reading.appearance();
    Some(KeyImage {
        id,
        series: volume.series_uid.clone(),
        instance: stored.sop_instance_uid.clone(),
        frame: stored.frame,
        plane: axis(plane),
        slice,
        point: raster::plane_point(volume, plane, slice).map(|point| point.to_array()),
        center: appearance.window.center(),
        width: appearance.window.width(),
        inverted: appearance.inverted,
        comment: String::new(),
    })
}

/// The slices of the native plane that are key images, for the strip.
#[must_use]
pub fn marked_slices(reading: &Reading, images: &[KeyImage]) -> Vec<usize> {
    let Some(volume) = reading.volume() else { return Vec::new() };
    let native = raster::native_plane(volume);
    let found = images.iter().filter_map(|image| place(reading, image));
    found.filter(|(plane, _)| *plane == native).map(|(_, slice)| slice).collect()
}
