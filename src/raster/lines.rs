//! Marks over the picture.

use super::frame::{Frame, plane_point};
use super::resample::Mapping;
use super::{Mark, PictureSize, Pixels, Plane, View};
use crate::domain::{PatientPoint, Volume};

/// A hot spot is drawn on slices that pass within this distance of it, mm.
const HOT_SPOT_REACH: f64 = 3.0;
/// Amber: stands out from grey, and is neither the alarm's red nor the accent's blue.
const HOT_SPOT: [u8; 3] = [255, 191, 0];
const REFERENCE: [u8; 3] = [90, 170, 200];

/// Draws a mark; the picture becomes RGB if the mark is on it.
pub(super) fn draw(
    volume: &Volume,
    frame: &Frame,
    view: &View,
    mapping: &Mapping,
    size: PictureSize,
    mark: &Mark,
    pixels: &mut Pixels,
) {
    match *mark {
        Mark::HotSpot(point) => hot_spot(volume, frame, view, mapping, size, point, pixels),
        Mark::CrossReference(plane, slice) => {
            if let Some(point) = plane_point(volume, plane, slice) {
                reference(frame.pixel_of_point(volume, view, mapping, point), plane, view, size, pixels);
            }
        }
    }
}

/// A cross with an open middle, so that it never covers what it points at: arms from 6 to 12 mm.
fn hot_spot(
    volume: &Volume,
    frame: &Frame,
    view: &View,
    mapping: &Mapping,
    size: PictureSize,
    point: PatientPoint,
    pixels: &mut Pixels,
) {
    let Some((x, y, depth)) = frame.pixel_of_point(volume, view, mapping, point) else { return };
    let reach = HOT_SPOT_REACH.max(volume.stack.spacing.unwrap_or(0.0) / 2.0);
    if depth > reach {
        return;
    }
    let (near, far) = (6.0, 12.0);
    let arm = |mm: f64, per: f64| (mm / per).round() as i64;
    let (x, y) = (x.round() as i64, y.round() as i64);
    let horizontal = arm(near, mapping.mm_per_pixel)..=arm(far, mapping.mm_per_pixel).max(2);
    let vertical = arm(near, mapping.mm_per_line)..=arm(far, mapping.mm_per_line).max(2);
    // Two pixels thick where pixels are small, one otherwise.
    let thickness = if mapping.mm_per_pixel < 0.5 { 0..=1 } else { 0..=0 };
    for t in thickness {
        for d in horizontal.clone() {
            put(pixels, size, x - d, y + t, HOT_SPOT);
            put(pixels, size, x + d, y + t, HOT_SPOT);
        }
        for d in vertical.clone() {
            put(pixels, size, x + t, y - d, HOT_SPOT);
            put(pixels, size, x + t, y + d, HOT_SPOT);
        }
    }
}

/// A dashed line where the other plane cuts this one.
fn reference(place: Option<(f64, f64, f64)>, other: Plane, view: &View, size: PictureSize, pixels: &mut Pixels) {
    let Some((x, y, _)) = place else { return };
    let horizontal = match (view.plane, other) {
        (Plane::Sagittal | Plane::Coronal, Plane::Axial) | (Plane::Axial, Plane::Coronal) => true,
        (Plane::Axial | Plane::Coronal, Plane::Sagittal) | (Plane::Sagittal, Plane::Coronal) => false,
        _ => return,
    };
    let len = i64::from(if horizontal { size.width } else { size.height });
    for along in (0..len).filter(|along| along % 6 < 3) {
        let (x, y) = if horizontal { (along, y.round() as i64) } else { (x.round() as i64, along) };
        put(pixels, size, x, y, REFERENCE);
    }
}

fn put(pixels: &mut Pixels, size: PictureSize, x: i64, y: i64, colour: [u8; 3]) {
    if x < 0 || y < 0 || x >= i64::from(size.width) || y >= i64::from(size.height) {
        return;
    }
    if let Pixels::Grey(grey) = pixels {
        *pixels = Pixels::Rgb(grey.iter().flat_map(|&value| [value; 3]).collect());
    }
    let Pixels::Rgb(rgb) = pixels else { return };
    let start = (y as usize * size.width as usize + x as usize) * 3;
    if let Some(pixel) = rgb.get_mut(start..start + 3) {
        pixel.copy_from_slice(&colour);
    }
}
