//! Pictures as characters, two or four pixels in each cell, for terminals that show no others.

use super::encode::stretched;
use crate::raster::{Picture, Pixels};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

/// Which characters a terminal's font has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// Blanks on a background: one pixel in a cell, for terminals without UTF-8.
    Blanks,
    /// `▀` only: two pixels in a cell, one above the other.
    Halves,
    /// The quadrants of U+2596 to U+259F, too: four pixels in a cell, in the two colours that come nearest to them.
    #[default]
    Quadrants,
}

impl Glyphs {
    /// Pixels of a cell: columns, rows.
    #[must_use]
    pub fn pixels(self) -> (u16, u16) {
        match self {
            Self::Blanks => (1, 1),
            Self::Halves => (1, 2),
            Self::Quadrants => (2, 2),
        }
    }
}

/// The ways to divide a cell's pixels (upper left, upper right, lower left, lower right: bits 0 to 3) into foreground and
/// background, and their characters. The others are these with the colours changed over.
const DIVISIONS: [(u8, char); 7] =
    [(0b0011, '▀'), (0b0101, '▌'), (0b0001, '▘'), (0b0010, '▝'), (0b0100, '▖'), (0b1000, '▗'), (0b1001, '▚')];

/// Draws a picture into the cells of `area`.
///
/// The picture is stretched to the whole of `area` ([`Glyphs::pixels`] for each cell). With `no_color` the marks
/// become greys too. Colours are 24-bit; [`super::Terminal::draw`] brings them down where the terminal has only 256. A picture
/// whose pixels do not fit its size, or an area outside the buffer, draws nothing.
pub fn halfblock_cells(picture: &Picture, area: Rect, buf: &mut Buffer, glyphs: Glyphs, no_color: bool) {
    if area.is_empty() || area.intersection(buf.area) != area {
        return;
    }
    let (across, down) = glyphs.pixels();
    let (width, height) = (u32::from(area.width) * u32::from(across), u32::from(area.height) * u32::from(down));
    let Ok(pixels) = stretched(picture, width, height) else { return };
    let at = |x: u16, y: u16| -> [u8; 3] {
        let index = usize::from(y) * width as usize + usize::from(x);
        match &pixels {
            Pixels::Grey(bytes) => [bytes[index]; 3],
            Pixels::Rgb(bytes) => {
                let (red, green, blue) = (bytes[index * 3], bytes[index * 3 + 1], bytes[index * 3 + 2]);
                if no_color { [luminance(red, green, blue); 3] } else { [red, green, blue] }
            }
        }
    };
    for y in 0..area.height {
        for x in 0..area.width {
            let cell = &mut buf[(area.x + x, area.y + y)];
            cell.reset();
            let (glyph, front, back) = match glyphs {
                Glyphs::Blanks => (' ', at(x, y), at(x, y)),
                Glyphs::Halves => ('▀', at(x, y * 2), at(x, y * 2 + 1)),
                Glyphs::Quadrants => {
                    let (left, top) = (x * 2, y * 2);
                    divided([at(left, top), at(left + 1, top), at(left, top + 1), at(left + 1, top + 1)])
                }
            };
            let colour = |[red, green, blue]: [u8; 3]| Color::Rgb(red, green, blue);
            cell.set_char(glyph).set_fg(colour(front)).set_bg(colour(back));
        }
    }
}

/// The character, its foreground and its background that come nearest to four pixels: each part has the mean of its pixels,
/// and the division with the smallest sum of squares is taken.
fn divided(pixels: [[u8; 3]; 4]) -> (char, [u8; 3], [u8; 3]) {
    let mut best = (u32::MAX, '▀', pixels[0], pixels[2]);
    for (mask, glyph) in DIVISIONS {
        let part = |front: bool| {
            let inside = move |index: &usize| ((mask >> index) & 1 == 1) == front;
            let count = (0..4).filter(inside).count() as u32;
            let sum =
                |channel: usize| (0..4).filter(inside).map(|index| u32::from(pixels[index][channel])).sum::<u32>();
            let mean = [0, 1, 2].map(|channel| ((sum(channel) + count / 2) / count) as u8);
            let far = |index: usize| (0..3).map(|c| u32::from(pixels[index][c].abs_diff(mean[c])).pow(2)).sum::<u32>();
            (mean, (0..4).filter(inside).map(far).sum::<u32>())
        };
        let ((front, front_error), (back, back_error)) = (part(true), part(false));
        if front_error + back_error < best.0 {
            best = (front_error + back_error, glyph, front, back);
        }
    }
    (best.1, best.2, best.3)
}

/// Brightness by the weights of ITU-R BT.601.
fn luminance(red: u8, green: u8, blue: u8) -> u8 {
    ((u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114 + 500) / 1000) as u8
}

/// The nearest of xterm's 256 colours: the 6×6×6 cube (16 to 231) or the grey ramp (232 to 255).
pub(super) fn indexed(red: u8, green: u8, blue: u8) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let nearest = |value: u8| -> u8 {
        let distance = |step: &(u8, u8)| step.1.abs_diff(value);
        (0..6).zip(STEPS).min_by_key(distance).map_or(0, |(index, _)| index)
    };
    let far =
        |a: [u8; 3]| -> u32 { a.iter().zip([red, green, blue]).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum() };
    let cube = [nearest(red), nearest(green), nearest(blue)];
    let cube_distance = far(cube.map(|index| STEPS[usize::from(index)]));
    let average = ((u16::from(red) + u16::from(green) + u16::from(blue)) / 3) as u8;
    let grey = (average.saturating_sub(3) / 10).min(23);
    if far([8 + grey * 10; 3]) < cube_distance { 232 + grey } else { 16 + 36 * cube[0] + 6 * cube[1] + cube[2] }
}

#[cfg(test)]
mod tests {
    use super::super::encode::tests::picture;
    use super::*;

    #[test]
    fn two_pixels_share_a_cell() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 3));
        let area = Rect::new(1, 1, 2, 1);
        let four = picture(2, 2, Pixels::Grey(vec![10, 20, 30, 40]));
        halfblock_cells(&four, area, &mut buffer, Glyphs::Halves, false);
        let cell = &buffer[(2, 1)];
        assert_eq!((cell.symbol(), cell.fg, cell.bg), ("▀", Color::Rgb(20, 20, 20), Color::Rgb(40, 40, 40)));
        assert_eq!(buffer[(0, 1)].symbol(), " ");
        assert_eq!(buffer[(3, 1)].symbol(), " ");
    }

    #[test]
    fn without_symbols_a_cell_is_one_pixel() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 2, 1));
        halfblock_cells(&picture(2, 1, Pixels::Grey(vec![10, 200])), buffer.area, &mut buffer, Glyphs::Blanks, false);
        let cells: Vec<_> = buffer.content.iter().map(|cell| (cell.symbol(), cell.bg)).collect();
        assert_eq!(cells, [(" ", Color::Rgb(10, 10, 10)), (" ", Color::Rgb(200, 200, 200))]);
    }

    /// What a cell shows of its four pixels.
    fn seen(buffer: &Buffer, x: u16) -> [Color; 4] {
        let cell = &buffer[(x, 0)];
        let found = DIVISIONS.iter().find(|(_, glyph)| cell.symbol() == glyph.to_string());
        let (mask, _) = *found.expect("a quadrant");
        [0, 1, 2, 3].map(|bit| if (mask >> bit) & 1 == 1 { cell.fg } else { cell.bg })
    }

    #[test]
    fn every_arrangement_of_two_colours_in_a_cell_is_shown_as_it_is() {
        for arrangement in 0..16_u8 {
            let grey = |bit: u8| if (arrangement >> bit) & 1 == 1 { 200 } else { 30 };
            let four: Vec<u8> = (0..4).map(grey).collect();
            let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
            let area = buffer.area;
            halfblock_cells(&picture(2, 2, Pixels::Grey(four.clone())), area, &mut buffer, Glyphs::Quadrants, false);
            let wanted: Vec<Color> = four.iter().map(|v| Color::Rgb(*v, *v, *v)).collect();
            assert_eq!(seen(&buffer, 0).to_vec(), wanted, "arrangement {arrangement:04b}");
        }
    }

    #[test]
    fn four_greys_become_the_two_that_come_nearest() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        let area = buffer.area;
        // An edge that runs down the cell.
        halfblock_cells(
            &picture(2, 2, Pixels::Grey(vec![10, 200, 14, 210])),
            area,
            &mut buffer,
            Glyphs::Quadrants,
            false,
        );
        assert_eq!(buffer[(0, 0)].symbol(), "▌");
        assert_eq!((buffer[(0, 0)].fg, buffer[(0, 0)].bg), (Color::Rgb(12, 12, 12), Color::Rgb(205, 205, 205)));
    }

    #[test]
    fn without_colour_a_mark_is_grey() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        let red = picture(1, 2, Pixels::Rgb(vec![255, 0, 0, 255, 0, 0]));
        halfblock_cells(&red, buffer.area, &mut buffer, Glyphs::Quadrants, true);
        assert_eq!(buffer[(0, 0)].fg, Color::Rgb(76, 76, 76));
    }

    #[test]
    fn colours_come_down_to_the_nearest_of_256() {
        assert_eq!(indexed(0, 0, 0), 16);
        assert_eq!(indexed(255, 255, 255), 231);
        assert_eq!(indexed(128, 128, 128), 244);
        assert_eq!(indexed(255, 0, 0), 196);
        assert_eq!(indexed(8, 8, 8), 232);
        assert_eq!(indexed(238, 238, 238), 255);
    }

    #[test]
    fn an_area_outside_the_screen_draws_nothing() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 2, 2));
        let before = buffer.clone();
        halfblock_cells(
            &picture(1, 1, Pixels::Grey(vec![9])),
            Rect::new(1, 1, 5, 5),
            &mut buffer,
            Glyphs::Quadrants,
            false,
        );
        assert_eq!(buffer, before);
    }
}
