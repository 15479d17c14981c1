//! A volume and a view become pixels. Pure.
//!
//! A plane of display runs along two of the volume's own axes (`frame`), so that no voxel is interpolated twice and an
//! oblique stack is shown as it was scanned, its letters telling so. Windows are applied after resampling.

mod frame;
mod lines;
mod resample;
mod view;

pub use frame::{markers, native_plane, plane_len, plane_point, slice_of_point};
pub use view::{Mark, OrientationMarkers, Picture, PictureSize, Pixels, Plane, RasterError, View};

use crate::domain::Volume;
use frame::Frame;

/// Draws a view.
///
/// The picture shows the plane in true proportion (in mm where the volume is metric, in its own pixels otherwise), anterior
/// up and patient's right on the left for axial planes, head up for the others. What lies outside the volume, or in a gap
/// between its slices, is black.
///
/// # Errors
/// A size that is none, a slice that does not exist, or a reformat of a volume without geometry.
pub fn render(volume: &Volume, view: &View, size: PictureSize) -> Result<Picture, RasterError> {
    let side = 1..=16_384;
    if !side.contains(&size.width) || !side.contains(&size.height) || !(0.1..=10.0).contains(&size.pixel_aspect) {
        return Err(RasterError::BadSize);
    }
    let frame = Frame::of(volume, view.plane)?;
    let mapping = frame.mapping(volume, view, size);
    let plane = frame.extract(volume, view.slice)?;
    let grey = resample::windowed(&plane, &mapping, size, &view.window, view.inverted != volume.inverted);
    let mut pixels = Pixels::Grey(grey);
    for mark in &view.marks {
        lines::draw(volume, &frame, view, &mapping, size, mark, &mut pixels);
    }
    Ok(Picture {
        width: size.width,
        height: size.height,
        pixel_aspect: size.pixel_aspect,
        pixels,
        markers: frame.markers(),
        mm_per_pixel: volume.is_metric().then_some(mapping.mm_per_pixel),
    })
}

#[cfg(test)]
mod tests;
