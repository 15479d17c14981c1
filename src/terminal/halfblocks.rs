//! Pictures as characters, two pixels in each cell, for terminals that show no others.

use super::encode::stretched;
use crate::raster::{Picture, Pixels};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

/// Draws a picture into the cells of `area`: `▀` with the upper pixel as foreground and the lower as background.
///
/// The picture is stretched to the whole of `area` (`area.width` × twice `area.height` pixels). With `no_color` the marks
/// become greys too. Colours are 24-bit; [`super::Terminal::draw`] brings them down where the terminal has only 256. A picture
/// whose pixels do not fit its size, or an area outside the buffer, draws nothing.
pub fn halfblock_cells(picture: &Picture, area: Rect, buf: &mut Buffer, no_color: bool) {
    if area.is_empty() || area.intersection(buf.area) != area {
        return;
    }
    let (width, height) = (u32::from(area.width), u32::from(area.height) * 2);
    let Ok(pixels) = stretched(picture, width, height) else { return };
    let at = |x: u16, y: u16| -> Color {
        let index = usize::from(y) * usize::from(area.width) + usize::from(x);
        match &pixels {
            Pixels::Grey(bytes) => Color::Rgb(bytes[index], bytes[index], bytes[index]),
            Pixels::Rgb(bytes) => {
                let (red, green, blue) = (bytes[index * 3], bytes[index * 3 + 1], bytes[index * 3 + 2]);
                if no_color {
                    let grey = luminance(red, green, blue);
                    return Color::Rgb(grey, grey, grey);
                }
                Color::Rgb(red, green, blue)
            }
        }
    };
    for y in 0..area.height {
        for x in 0..area.width {
            let cell = &mut buf[(area.x + x, area.y + y)];
            cell.reset();
            cell.set_char('▀').set_fg(at(x, y * 2)).set_bg(at(x, y * 2 + 1));
        }
    }
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
        halfblock_cells(&picture(2, 2, Pixels::Grey(vec![10, 20, 30, 40])), area, &mut buffer, false);
        let cell = &buffer[(2, 1)];
        assert_eq!((cell.symbol(), cell.fg, cell.bg), ("▀", Color::Rgb(20, 20, 20), Color::Rgb(40, 40, 40)));
        assert_eq!(buffer[(0, 1)].symbol(), " ");
        assert_eq!(buffer[(3, 1)].symbol(), " ");
    }

    #[test]
    fn without_colour_a_mark_is_grey() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        let red = picture(1, 2, Pixels::Rgb(vec![255, 0, 0, 255, 0, 0]));
        halfblock_cells(&red, buffer.area, &mut buffer, true);
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
        halfblock_cells(&picture(1, 1, Pixels::Grey(vec![9])), Rect::new(1, 1, 5, 5), &mut buffer, false);
        assert_eq!(buffer, before);
    }
}
