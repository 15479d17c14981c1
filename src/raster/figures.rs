//! Outlines of measurements over the picture, each with its number.

use super::marks::Canvas;
use super::{Figure, Outline, ViewGeometry, text};

/// Green that stands out from grey, and from the amber of hot spots and the blue of lines.
const DONE: [u8; 3] = [90, 230, 140];
/// The one that is being made.
const ACTIVE: [u8; 3] = [215, 255, 225];
/// Sides of an ellipse as it is drawn.
const SIDES: usize = 96;
/// Half the length of a point's arms, in pixels.
const ARM: f64 = 5.0;
/// Draws a figure where all its places lie on the slice shown.
pub(super) fn draw(geometry: &ViewGeometry<'_>, figure: &Figure, canvas: &mut Canvas) {
    let half = geometry.half_slice();
    let mut at = [(0.0, 0.0); 3];
    for (pixel, place) in at.iter_mut().zip(figure.places) {
        let here = geometry.pixel_of_voxel(place);
        let drawn = here.x.is_finite() && here.y.is_finite() && here.away <= half;
        if !drawn || here.x.abs() > 1e6 || here.y.abs() > 1e6 {
            return;
        }
        *pixel = (here.x, here.y);
    }
    let colour = if figure.active { ACTIVE } else { DONE };
    let [a, b, c] = at;
    let opposite = (b.0 + c.0 - a.0, b.1 + c.1 - a.1);
    match figure.outline {
        Outline::Point => {}
        Outline::Line => line(canvas, a, b, colour),
        Outline::Corner => {
            line(canvas, a, b, colour);
            line(canvas, b, c, colour);
        }
        Outline::Rectangle => {
            for (from, to) in [(a, b), (b, opposite), (opposite, c), (c, a)] {
                line(canvas, from, to, colour);
            }
        }
        Outline::Ellipse => {
            let around = |step: usize| {
                let angle = step as f64 / SIDES as f64 * std::f64::consts::TAU;
                let (s, t) = (f64::midpoint(1.0, angle.cos()), f64::midpoint(1.0, angle.sin()));
                (a.0 + s * (b.0 - a.0) + t * (c.0 - a.0), a.1 + s * (b.1 - a.1) + t * (c.1 - a.1))
            };
            for step in 0..SIDES {
                line(canvas, around(step), around(step + 1), colour);
            }
        }
    }
    if matches!(figure.outline, Outline::Point | Outline::Line | Outline::Corner) {
        for end in [a, b, c] {
            cross(canvas, end, colour);
        }
    }
    if figure.number > 0 {
        let anchor = at.into_iter().fold(a, |best, place| if place.0 < best.0 { place } else { best });
        text::write_before(canvas, (anchor.0 - ARM - 2.0, anchor.1), &figure.number.to_string(), colour);
    }
}

fn cross(canvas: &mut Canvas, (x, y): (f64, f64), colour: [u8; 3]) {
    line(canvas, (x - ARM, y), (x - 2.0, y), colour);
    line(canvas, (x + 2.0, y), (x + ARM, y), colour);
    line(canvas, (x, y - ARM), (x, y - 2.0), colour);
    line(canvas, (x, y + 2.0), (x, y + ARM), colour);
}

/// A line between two pixels, both included.
fn line(canvas: &mut Canvas, from: (f64, f64), to: (f64, f64), colour: [u8; 3]) {
    let (width, height) = (f64::from(canvas.size.width), f64::from(canvas.size.height));
    let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).round().max(1.0);
    // Far beyond the picture nothing is drawn: only the part within it is walked.
    let within = |from: f64, way: f64, size: f64| {
        if way.abs() < 1e-9 {
            return if (-1.0..=size).contains(&from) { (0.0, 1.0) } else { (1.0, 0.0) };
        }
        let (low, high) = ((-1.0 - from) / way, (size - from) / way);
        (low.min(high), low.max(high))
    };
    let (first_x, last_x) = within(from.0, to.0 - from.0, width);
    let (first_y, last_y) = within(from.1, to.1 - from.1, height);
    let (first, last) = (first_x.max(first_y).max(0.0), last_x.min(last_y).min(1.0));
    if first > last {
        return;
    }
    let (begin, end) = ((first * steps).floor() as i64, (last * steps).ceil() as i64);
    for step in begin..=end {
        let part = step as f64 / steps;
        let x = from.0 + part * (to.0 - from.0);
        let y = from.1 + part * (to.1 - from.1);
        canvas.put(x.round() as i64, y.round() as i64, colour, 1.0);
    }
}
