//! The outline of an activation on a plane: marching squares on a grid of some pixels.

use super::ViewGeometry;
use super::marks::Canvas;
use crate::domain::Activation;

/// The outline runs where the activation is this share of its highest value.
const SHARE: f32 = 0.5;
/// Grid cells across a picture: the maps are far coarser.
const CELLS: u32 = 120;

/// Draws the outline of what is active on the slice shown.
pub(super) fn draw(geometry: &ViewGeometry<'_>, activation: &Activation, colour: [u8; 3], canvas: &mut Canvas) {
    let size = geometry.size();
    let step = f64::from((size.width.max(size.height) / CELLS).max(2));
    let columns = (f64::from(size.width) / step).ceil() as usize + 1;
    let rows = (f64::from(size.height) / step).ceil() as usize + 1;
    let level = activation.peak() * SHARE;
    let values: Vec<f32> = (0..rows * columns)
        .map(|index| {
            let (x, y) = ((index % columns) as f64 * step, (index / columns) as f64 * step);
            geometry.voxel_at(x, y).map_or(0.0, |place| activation.at(place)) - level
        })
        .collect();
    for row in 0..rows.saturating_sub(1) {
        for column in 0..columns.saturating_sub(1) {
            let at = |r: usize, c: usize| values[(row + r) * columns + column + c];
            let (x, y) = (column as f64 * step, row as f64 * step);
            for (from, to) in segments([at(0, 0), at(0, 1), at(1, 1), at(1, 0)]) {
                canvas.line((x + from.0 * step, y + from.1 * step), (x + to.0 * step, y + to.1 * step), colour);
            }
        }
    }
}

type Segment = ((f64, f64), (f64, f64));

/// The outline's way through one square with these values at its corners (clockwise from the top left), where it is 0; in units of
/// the square. Of the two ways through a saddle the one that keeps the corners above 0 apart is taken.
fn segments(corners: [f32; 4]) -> Vec<Segment> {
    const PLACES: [(f64, f64); 4] = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
    let crossings: Vec<(usize, (f64, f64))> = (0..4)
        .filter_map(|side| {
            let (a, b) = (corners[side], corners[(side + 1) % 4]);
            ((a > 0.0) != (b > 0.0)).then(|| {
                let part = f64::from(a / (a - b));
                let ((ax, ay), (bx, by)) = (PLACES[side], PLACES[(side + 1) % 4]);
                (side, (ax + (bx - ax) * part, ay + (by - ay) * part))
            })
        })
        .collect();
    match crossings[..] {
        [(_, a), (_, b)] => vec![(a, b)],
        [(_, top), (_, right), (_, bottom), (_, left)] if corners[0] > 0.0 => vec![(left, top), (right, bottom)],
        [(_, top), (_, right), (_, bottom), (_, left)] => vec![(top, right), (bottom, left)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_crosses_where_the_value_does() {
        assert_eq!(segments([1.0; 4]), Vec::new());
        assert_eq!(segments([1.0, -1.0, -1.0, 1.0]), [((0.5, 0.0), (0.5, 1.0))]);
        assert_eq!(segments([3.0, -1.0, -1.0, -1.0]), [((0.75, 0.0), (0.0, 0.75))]);
        assert_eq!(segments([1.0, -1.0, 1.0, -1.0]).len(), 2, "a saddle has two");
    }
}
