//! Texts, orientation letters and a scale bar burned into a picture, for pictures that leave the program.

use super::marks::Canvas;
use super::text::{self, Anchor};
use super::{Picture, PictureSize, Pixels};

/// Lines of text for the four corners, from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captions {
    /// Top left.
    pub top_left: Vec<String>,
    /// Top right.
    pub top_right: Vec<String>,
    /// Bottom left, above the scale bar.
    pub bottom_left: Vec<String>,
    /// Bottom right.
    pub bottom_right: Vec<String>,
}

/// Light grey with a dark rim: read on bone and on air, and quieter than any mark.
const COLOUR: [u8; 3] = [208, 212, 216];
/// Lengths of a scale bar, mm.
const LENGTHS: [f64; 7] = [100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0];
/// The bar takes at most this part of the width.
const MOST: f64 = 0.3;
/// From the picture's edge, pixels.
const EDGE: f64 = 6.0;

/// Burns captions into a picture: the four corners, its orientation letters, and a scale bar where lengths are known. Pictures too
/// low for letters stay as they are.
pub fn burn_in(picture: &mut Picture, captions: &Captions) {
    if picture.height < text::LEAST_HEIGHT {
        return;
    }
    let size = PictureSize { width: picture.width, height: picture.height, pixel_aspect: picture.pixel_aspect };
    let pixels = std::mem::replace(&mut picture.pixels, Pixels::Grey(Vec::new()));
    let mut canvas = Canvas { size, pixels };
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let line = text::size("M", size.height).1 as f64;
    let mut column = |lines: &[String], x: f64, top: f64, anchor: Anchor| {
        for (row, words) in lines.iter().enumerate() {
            text::write(&mut canvas, (x, top + (row as f64 + 0.5) * line), anchor, words, COLOUR);
        }
    };
    let bar = picture.mm_per_pixel.and_then(|mm| bar(mm, width));
    let bar_room = if bar.is_some() { line + EDGE } else { 0.0 };
    let above = |lines: &[String], foot: f64| height - EDGE - foot - lines.len() as f64 * line;
    column(&captions.top_left, EDGE, EDGE, Anchor::Left);
    column(&captions.top_right, width - EDGE, EDGE, Anchor::Right);
    column(&captions.bottom_left, EDGE, above(&captions.bottom_left, bar_room), Anchor::Left);
    column(&captions.bottom_right, width - EDGE, above(&captions.bottom_right, 0.0), Anchor::Right);
    let letters = &picture.markers;
    let (middle, half) = (width / 2.0, height / 2.0);
    let places = [
        (&letters.left, (EDGE, half), Anchor::Left),
        (&letters.right, (width - EDGE, half), Anchor::Right),
        (&letters.top, (middle, EDGE + line / 2.0), Anchor::Middle),
        (&letters.bottom, (middle, height - EDGE - line / 2.0), Anchor::Middle),
    ];
    for (letter, place, anchor) in places {
        text::write(&mut canvas, place, anchor, letter, COLOUR);
    }
    if let Some((mm, pixels)) = bar {
        scale_bar(&mut canvas, mm, pixels);
    }
    picture.pixels = canvas.pixels;
}

/// The longest bar that has room: mm, and how many pixels they are.
fn bar(mm_per_pixel: f64, width: f64) -> Option<(f64, f64)> {
    let lengths = LENGTHS.into_iter().map(|mm| (mm, mm / mm_per_pixel));
    lengths.into_iter().find(|(_, pixels)| pixels.is_finite() && *pixels <= MOST * width)
}

fn scale_bar(canvas: &mut Canvas, mm: f64, pixels: f64) {
    let bottom = i64::from(canvas.size.height) - EDGE as i64;
    let (first, last) = (EDGE as i64, EDGE as i64 + pixels.round() as i64);
    let put = |canvas: &mut Canvas, x: i64, y: i64| {
        canvas.put(x, y + 1, [0, 0, 0], 1.0);
        canvas.put(x, y, COLOUR, 1.0);
    };
    for x in first..=last {
        put(canvas, x, bottom);
    }
    for end in [first, last] {
        for y in bottom - 5..=bottom {
            put(canvas, end, y);
        }
    }
    let words = format!("{mm:.0} mm");
    let line = text::size(&words, canvas.size.height).1 as f64;
    text::write(canvas, (last as f64 + 6.0, bottom as f64 - line / 2.0 + 3.0), Anchor::Left, &words, COLOUR);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::OrientationMarkers;

    fn picture() -> Picture {
        Picture {
            width: 400,
            height: 300,
            pixel_aspect: 1.0,
            pixels: Pixels::Grey(vec![0; 400 * 300]),
            markers: OrientationMarkers { left: "R".into(), right: "L".into(), top: "A".into(), bottom: "P".into() },
            mm_per_pixel: Some(0.5),
        }
    }

    /// Pixels of the captions' colour within a box.
    fn written(picture: &Picture, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> usize {
        let Pixels::Rgb(bytes) = &picture.pixels else { return 0 };
        let at = |row: usize, column: usize| bytes[(row * 400 + column) * 3] == COLOUR[0];
        rows.flat_map(|row| columns.clone().map(move |column| (row, column))).filter(|(r, c)| at(*r, *c)).count()
    }

    #[test]
    fn each_corner_letter_and_the_bar_is_where_it_belongs() {
        let mut drawn = picture();
        let lines = |text: &str| vec![text.to_owned()];
        let captions = Captions { top_left: lines("W 2000 L 350 × · −"), ..Captions::default() };
        burn_in(&mut drawn, &captions);
        assert!(written(&drawn, 0..150, 0..20) > 50, "the window");
        assert_eq!(written(&drawn, 260..400, 0..20), 0, "nothing at the top right");
        assert!(written(&drawn, 0..20, 135..165) > 5 && written(&drawn, 380..400, 135..165) > 5, "R and L");
        assert!(written(&drawn, 190..210, 0..20) > 5 && written(&drawn, 190..210, 280..300) > 5, "A and P");
        // 50 mm are 100 pixels of half a millimetre, from one end to the other.
        let row = 294;
        // Its words stand beyond it.
        let bar: Vec<usize> =
            (0..110).filter(|column| written(&drawn, *column..column + 1, row..row + 1) > 0).collect();
        assert_eq!((bar.first(), bar.last(), bar.len()), (Some(&6), Some(&106), 101));
    }

    #[test]
    fn without_lengths_there_is_no_bar_and_small_pictures_stay_grey() {
        let mut drawn = Picture { mm_per_pixel: None, ..picture() };
        burn_in(&mut drawn, &Captions::default());
        assert_eq!(written(&drawn, 0..150, 288..300), 0);
        let mut small = Picture { height: 100, pixels: Pixels::Grey(vec![0; 400 * 100]), ..picture() };
        burn_in(&mut small, &Captions::default());
        assert!(matches!(small.pixels, Pixels::Grey(_)));
    }
}
