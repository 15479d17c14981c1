//! Marks over the picture.

use super::{LevelMark, Mark, PictureSize, Pixels, ViewGeometry, contour, figures, text};
use crate::domain::{PatientPoint, VoxelPoint};

/// A hot spot is drawn on slices that pass within this distance of it, mm.
const HOT_SPOT_REACH: f64 = 3.0;
/// Amber: stands out from grey, and is neither the alarm's red nor the accent's blue.
const HOT_SPOT: [u8; 3] = [255, 191, 0];
const LEVEL: [u8; 3] = [160, 178, 190];
const LINES: [u8; 3] = [90, 170, 200];
/// How much of the picture the lines hide.
const LINES_COVER: f32 = 0.55;
/// The lines leave this much free around their place, mm.
const LINES_OPEN: f64 = 6.0;

/// Pixels that become coloured where something is drawn.
pub(super) struct Canvas {
    pub(super) size: PictureSize,
    pub(super) pixels: Pixels,
}

/// Draws a mark; the picture becomes RGB if the mark is on it.
pub(super) fn draw(geometry: &ViewGeometry<'_>, slice_spacing: Option<f64>, mark: &Mark, canvas: &mut Canvas) {
    match mark {
        Mark::HotSpot(point) => hot_spot(geometry, slice_spacing, *point, canvas),
        Mark::HotSpotAside(point) => hot_spot_aside(geometry, slice_spacing, *point, canvas),
        Mark::Active(activation) => contour::draw(geometry, activation, HOT_SPOT, canvas),
        Mark::Figure(figure) => figures::draw(geometry, figure, canvas),
        Mark::CrossLines(place) => cross_lines(geometry, *place, canvas),
        Mark::Level(level) => level_mark(geometry, level, canvas),
    }
}

/// A cross with an open middle, so that it never covers what it points at: arms from 6 to 12 mm.
fn hot_spot(geometry: &ViewGeometry<'_>, slice_spacing: Option<f64>, point: PatientPoint, canvas: &mut Canvas) {
    let (Some(place), Some((across, down))) = (geometry.pixel_of(point), geometry.mm_per_pixel()) else { return };
    if place.away > HOT_SPOT_REACH.max(slice_spacing.unwrap_or(0.0) / 2.0) {
        return;
    }
    let (near, far) = (6.0, 12.0);
    let arm = |mm: f64, per: f64| (mm / per).round() as i64;
    let (x, y) = (place.x.round() as i64, place.y.round() as i64);
    let horizontal = arm(near, across)..=arm(far, across).max(2);
    let vertical = arm(near, down)..=arm(far, down).max(2);
    // Two pixels thick where pixels are small, one otherwise.
    let thickness = if across < 0.5 { 0..=1 } else { 0..=0 };
    for t in thickness {
        for d in horizontal.clone() {
            canvas.put(x - d, y + t, HOT_SPOT, 1.0);
            canvas.put(x + d, y + t, HOT_SPOT, 1.0);
        }
        for d in vertical.clone() {
            canvas.put(x + t, y - d, HOT_SPOT, 1.0);
            canvas.put(x + t, y + d, HOT_SPOT, 1.0);
        }
    }
}

/// Ticks at the picture's edges, level with the hot spot: nothing of the neck is covered.
fn hot_spot_aside(geometry: &ViewGeometry<'_>, slice_spacing: Option<f64>, point: PatientPoint, canvas: &mut Canvas) {
    let Some(place) = geometry.pixel_of(point) else { return };
    let (width, height) = (i64::from(canvas.size.width), i64::from(canvas.size.height));
    let (x, y) = (place.x.round() as i64, place.y.round() as i64);
    if place.away > HOT_SPOT_REACH.max(slice_spacing.unwrap_or(0.0) / 2.0) {
        return;
    }
    if !(0..width).contains(&x) || !(0..height).contains(&y) {
        return;
    }
    let length = (width.max(height) / 48).max(3);
    // Wedges that point inward.
    for along in 0..length {
        let half = (length - 1 - along) / 2;
        for across in -half..=half {
            canvas.put(x + across, along, HOT_SPOT, 1.0);
            canvas.put(x + across, height - 1 - along, HOT_SPOT, 1.0);
            canvas.put(along, y + across, HOT_SPOT, 1.0);
            canvas.put(width - 1 - along, y + across, HOT_SPOT, 1.0);
        }
    }
}

/// A level's letters beside a thin bracket over its height.
fn level_mark(geometry: &ViewGeometry<'_>, mark: &LevelMark, canvas: &mut Canvas) {
    let [Some(top), Some(bottom)] = [mark.top, mark.bottom].map(|point| geometry.pixel_of(point)) else { return };
    let (first, last) = (top.y.min(bottom.y), top.y.max(bottom.y));
    let middle = f64::midpoint(first, last);
    if middle < 0.0 || middle > f64::from(canvas.size.height) {
        return;
    }
    let (text, colour) =
        if mark.suspected { (format!("{}!", mark.level), HOT_SPOT) } else { (mark.level.to_string(), LEVEL) };
    let (letters, _) = text::size(&text, canvas.size.height);
    let x = f64::midpoint(top.x, bottom.x).clamp(letters as f64 + 5.0, f64::from(canvas.size.width) - 2.0);
    let x = if x.is_finite() { x } else { letters as f64 + 5.0 };
    for y in (first.round() as i64 + 2)..(last.round() as i64 - 1) {
        canvas.put(x.round() as i64, y, colour, 0.7);
    }
    // Half-blocks have no pixels for letters.
    if canvas.size.height < text::LEAST_HEIGHT {
        return;
    }
    text::write_before(canvas, (x - 3.0, middle), &text, colour);
}

/// Lines through a place, open around it.
fn cross_lines(geometry: &ViewGeometry<'_>, place: VoxelPoint, canvas: &mut Canvas) {
    let at = geometry.pixel_of_voxel(place);
    if !at.x.is_finite() || !at.y.is_finite() {
        return;
    }
    let (x, y) = (at.x.round() as i64, at.y.round() as i64);
    let open = geometry.mm_per_pixel().map_or((8, 8), |(across, down)| {
        (((LINES_OPEN / across).round() as i64).max(4), ((LINES_OPEN / down).round() as i64).max(4))
    });
    for along in (0..i64::from(canvas.size.width)).filter(|along| (along - x).abs() > open.0) {
        canvas.put(along, y, LINES, LINES_COVER);
    }
    if geometry.is_bent() {
        // The other surface follows the spine, too: no straight line is its cut.
        return;
    }
    for along in (0..i64::from(canvas.size.height)).filter(|along| (along - y).abs() > open.1) {
        canvas.put(x, along, LINES, LINES_COVER);
    }
}

impl Canvas {
    /// A straight line between two places, two pixels thick on large pictures.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: [u8; 3]) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().clamp(1.0, 65_536.0);
        let thick = i64::from(self.size.width.min(self.size.height) >= 500);
        for step in 0..=steps as u32 {
            let part = f64::from(step) / steps;
            let x = (from.0 + (to.0 - from.0) * part).round() as i64;
            let y = (from.1 + (to.1 - from.1) * part).round() as i64;
            for (dx, dy) in [(0, 0), (thick, 0), (0, thick), (thick, thick)] {
                self.put(x + dx, y + dy, colour, 1.0);
            }
        }
    }

    /// Colours one pixel; `cover` is how much of it is hidden. Outside the picture nothing happens.
    pub(super) fn put(&mut self, x: i64, y: i64, colour: [u8; 3], cover: f32) {
        if x < 0 || y < 0 || x >= i64::from(self.size.width) || y >= i64::from(self.size.height) {
            return;
        }
        if let Pixels::Grey(grey) = &self.pixels {
            self.pixels = Pixels::Rgb(grey.iter().flat_map(|&value| [value; 3]).collect());
        }
        let Pixels::Rgb(rgb) = &mut self.pixels else { return };
        let start = (y as usize * self.size.width as usize + x as usize) * 3;
        if let Some(pixel) = rgb.get_mut(start..start + 3) {
            for (value, colour) in pixel.iter_mut().zip(colour) {
                *value = (f32::from(*value) * (1.0 - cover) + f32::from(colour) * cover).round() as u8;
            }
        }
    }
}
