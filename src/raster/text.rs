//! Letters in pictures.

use super::marks::Canvas;
use embedded_graphics::Drawable as _;
use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::iso_8859_1::{FONT_7X13_BOLD, FONT_9X18_BOLD};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor as _};
use embedded_graphics::text::{Baseline, Text};
use std::convert::Infallible;

/// Lower pictures have no room for letters.
pub(super) const LEAST_HEIGHT: u32 = 160;

/// The letters that suit a picture's height.
fn font(height: u32) -> &'static MonoFont<'static> {
    if height < 420 { &FONT_7X13_BOLD } else { &FONT_9X18_BOLD }
}

/// Width and height of a text in a picture of this height, in pixels.
pub(super) fn size(text: &str, height: u32) -> (i64, i64) {
    let cell = font(height).character_size;
    (text.chars().count() as i64 * i64::from(cell.width), i64::from(cell.height))
}

/// Which place of a text is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// Its beginning.
    Left,
    /// Its middle.
    Middle,
    /// Its end.
    Right,
}

/// Signs that the letters have: Latin 1, with a minus for the true one.
fn latin(text: &str) -> String {
    let sign = |sign| match sign {
        '−' | '–' => '-',
        ' '..='~' | '\u{a1}'..='\u{ff}' => sign,
        _ => '?',
    };
    text.chars().map(sign).collect()
}

/// Writes a text that ends at `x`, middled on `y`; see [`write()`].
pub(super) fn write_before(canvas: &mut Canvas, place: (f64, f64), text: &str, colour: [u8; 3]) {
    write(canvas, place, Anchor::Right, text, colour);
}

/// Writes a line, middled on `y`, with a dark rim so that it can be read on bone; held inside the picture. What Latin 1 has not
/// becomes a question mark.
pub(super) fn write(canvas: &mut Canvas, (x, y): (f64, f64), anchor: Anchor, text: &str, colour: [u8; 3]) {
    let text = latin(text);
    let font = font(canvas.size.height);
    let (width, height) = size(&text, canvas.size.height);
    if !x.is_finite() || !y.is_finite() {
        return;
    }
    let left = match anchor {
        Anchor::Left => x.round() as i64,
        Anchor::Middle => x.round() as i64 - width / 2,
        Anchor::Right => x.round() as i64 - width,
    };
    let most = |len: u32, own: i64| (i64::from(len) - own - 1).max(1);
    let left = left.clamp(1, most(canvas.size.width, width));
    let top = (y.round() as i64 - height / 2).clamp(1, most(canvas.size.height, height));
    // A picture has at most 16384 pixels each way.
    let (left, top) = (left as i32, top as i32);
    let [red, green, blue] = colour;
    let mut once = |dx: i32, dy: i32, colour: Rgb888| {
        let style = MonoTextStyle::new(font, colour);
        let Ok(_) = Text::with_baseline(&text, Point::new(left + dx, top + dy), style, Baseline::Top).draw(canvas);
    };
    for (dx, dy) in [(-1, 0), (1, 0), (0, -1), (0, 1), (1, 1), (-1, -1)] {
        once(dx, dy, Rgb888::BLACK);
    }
    once(0, 0, Rgb888::new(red, green, blue));
}

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.size.width, self.size.height)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            self.put(i64::from(at.x), i64::from(at.y), [colour.r(), colour.g(), colour.b()], 1.0);
        }
        Ok(())
    }
}
