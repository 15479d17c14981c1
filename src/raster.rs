//! A volume and a view become pixels. Pure.
//!
//! A plane of display runs along two of the volume's own axes (`frame`), so that no voxel is interpolated twice and an
//! oblique stack is shown as it was scanned, its letters telling so. Windows are applied after resampling.

mod captions;
mod contour;
mod figures;
mod frame;
mod geometry;
mod marks;
mod quality;
mod resample;
mod text;
mod thumbnail;
mod view;

pub use captions::{Captions, burn_in};
pub use frame::{
    corners, markers, native_plane, offset_beside, plane_extent, plane_fractions, plane_len, plane_point, plane_steps,
    slice_of_point, slice_of_voxel, voxel_in_slice, voxel_moved,
};
pub use geometry::{PixelPlace, ViewGeometry};
pub use quality::{LineState, Quality};
pub use thumbnail::thumbnail;
pub use view::{
    Bend, Figure, LevelMark, Mark, OrientationMarkers, Outline, Picture, PictureSize, Pixels, Plane, RasterError,
    Sampling, Slab, SlabKind, View, Zoom,
};

use crate::domain::Volume;
use marks::Canvas;

/// Draws a view.
///
/// The picture shows the plane in true proportion (in mm where the volume is metric, in its own pixels otherwise), anterior
/// up and patient's right on the left for axial planes, head up for the others. What lies outside the volume, or in a gap
/// between its slices, is black.
///
/// # Errors
/// A size that is none, a slice that does not exist, or a reformat of a volume without geometry.
pub fn render(volume: &Volume, view: &View, size: PictureSize) -> Result<Picture, RasterError> {
    let geometry = ViewGeometry::of(volume, view, size)?;
    let plane = geometry.frame().extract(volume, view)?;
    let grey = resample::windowed(&plane, geometry.mapping(), size, view, view.inverted != volume.inverted);
    let mut canvas = Canvas { size, pixels: Pixels::Grey(grey) };
    for mark in &view.marks {
        marks::draw(&geometry, volume.stack.spacing, mark, &mut canvas);
    }
    Ok(Picture {
        width: size.width,
        height: size.height,
        pixel_aspect: size.pixel_aspect,
        pixels: canvas.pixels,
        markers: geometry.frame().markers(),
        mm_per_pixel: geometry.mm_per_pixel().map(|(across, _)| across),
    })
}

#[cfg(test)]
mod tests;
