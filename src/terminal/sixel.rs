//! Sixel: pictures in a terminal's own pixels, six rows at a time (DEC STD 070, chapter 9).
//!
//! Greys take 64 registers, one for each value that the protocol's percent can tell apart on a screen of 8 bits and then
//! some; the colours of marks take what is left, first come, first served.

use super::encode::EncodeError;
use super::encode::stretched;
use crate::raster::{Picture, Pixels};
use std::collections::HashMap;
use std::io::Write as _;

/// Registers that a terminal is assumed to have where it does not tell.
pub(super) const USUAL_REGISTERS: u16 = 256;
/// Greys, where there are registers enough.
const GREYS: u16 = 64;

/// Registers for the greys and the colours of one picture.
struct Palette {
    greys: u16,
    most: u16,
    colours: Vec<[u8; 3]>,
    known: HashMap<[u8; 3], u16>,
}

impl Palette {
    fn new(registers: u16) -> Self {
        let registers = registers.clamp(2, USUAL_REGISTERS);
        // A quarter of a small palette is kept for marks.
        let greys = GREYS.min(registers - registers / 4).max(2);
        Self { greys, most: registers - greys, colours: Vec::new(), known: HashMap::new() }
    }

    fn grey(&self, value: u8) -> u16 {
        (u16::from(value) * (self.greys - 1) + 127) / 255
    }

    fn of(&mut self, [red, green, blue]: [u8; 3]) -> u16 {
        let spread = red.max(green).max(blue) - red.min(green).min(blue);
        let colour = [red & 0xf8, green & 0xf8, blue & 0xf8];
        if spread < 8 || self.most == 0 {
            return self.grey(((u16::from(red) + u16::from(green) + u16::from(blue)) / 3) as u8);
        }
        if let Some(register) = self.known.get(&colour) {
            return *register;
        }
        let register = if self.colours.len() < usize::from(self.most) {
            self.colours.push(colour);
            self.greys + self.colours.len() as u16 - 1
        } else {
            let distance = |other: &[u8; 3]| -> u32 {
                other.iter().zip(colour).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
            };
            let nearest = self.colours.iter().enumerate().min_by_key(|(_, other)| distance(other));
            self.greys + nearest.map_or(0, |(index, _)| index as u16)
        };
        self.known.insert(colour, register);
        register
    }

    /// `# register ; 2 ; red ; green ; blue` in percent.
    fn define(&self, register: u16, out: &mut Vec<u8>) {
        let percent = |value: u8| (u16::from(value) * 100 + 127) / 255;
        let [red, green, blue] = match self.colours.get(usize::from(register.wrapping_sub(self.greys))) {
            Some(colour) if register >= self.greys => colour.map(percent),
            _ => [(register * 100 + (self.greys - 1) / 2) / (self.greys - 1); 3],
        };
        let _ = write!(out, "#{register};2;{red};{green};{blue}");
    }
}

/// The picture stretched to `width` × `height` terminal pixels, as DCS strings for strips of `step` rows of pixels, which
/// should be a multiple of six.
pub(super) fn encode(
    picture: &Picture,
    (width, height): (u32, u32),
    step: u32,
    registers: u16,
) -> Result<Vec<Vec<u8>>, EncodeError> {
    let mut palette = Palette::new(registers);
    let indexed: Vec<u16> = match stretched(picture, width, height)? {
        Pixels::Grey(bytes) => bytes.into_iter().map(|value| palette.grey(value)).collect(),
        Pixels::Rgb(bytes) => bytes.chunks_exact(3).map(|p| palette.of([p[0], p[1], p[2]])).collect(),
    };
    let columns = width as usize;
    let strips = indexed.chunks(columns * step.max(1) as usize);
    Ok(strips.map(|strip| one(strip, columns, &palette)).collect())
}

/// One DCS string: `indexed` are the registers of its pixels, row by row.
fn one(indexed: &[u16], columns: usize, palette: &Palette) -> Vec<u8> {
    let mut used = vec![false; usize::from(palette.greys) + palette.colours.len()];
    for register in indexed {
        used[usize::from(*register)] = true;
    }
    let mut out = Vec::with_capacity(indexed.len() / 2);
    // P2 = 1: pixels that are not drawn stay as they are; then the raster's size.
    let _ = write!(out, "\x1bP0;1;0q\"1;1;{columns};{}", indexed.len() / columns);
    for register in (0..used.len()).filter(|register| used[*register]) {
        palette.define(register as u16, &mut out);
    }
    let mut rows: Vec<Vec<u8>> = vec![Vec::new(); used.len()];
    for band in indexed.chunks(columns * 6) {
        let mut present = Vec::new();
        for (row, line) in band.chunks(columns).enumerate() {
            for (x, register) in line.iter().enumerate() {
                let bits = &mut rows[usize::from(*register)];
                if bits.is_empty() {
                    present.push(*register);
                    bits.resize(columns, 0);
                }
                bits[x] |= 1 << row;
            }
        }
        for (index, register) in present.iter().enumerate() {
            if index > 0 {
                out.push(b'$');
            }
            let _ = write!(out, "#{register}");
            let bits = std::mem::take(&mut rows[usize::from(*register)]);
            run_lengths(&bits, &mut out);
        }
        out.push(b'-');
    }
    // No new line after the last band: it could scroll the screen.
    out.pop();
    out.extend_from_slice(b"\x1b\\");
    out
}

/// The sixels of one register in one band; trailing empty ones are left out.
fn run_lengths(bits: &[u8], out: &mut Vec<u8>) {
    let end = bits.iter().rposition(|sixel| *sixel != 0).map_or(0, |last| last + 1);
    for run in bits[..end].chunk_by(|a, b| a == b) {
        let sixel = run[0] + b'?';
        if run.len() > 3 {
            let _ = write!(out, "!{}", run.len());
            out.push(sixel);
        } else {
            out.extend(std::iter::repeat_n(sixel, run.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode::tests::{picture, ramp};
    use super::*;

    /// A picture as one string.
    fn whole(picture: &Picture, width: u32, height: u32, registers: u16) -> Vec<u8> {
        encode(picture, (width, height), height, registers).expect("sixels").concat()
    }

    /// What a terminal would show: the raster's size and its pixels, `None` where nothing was drawn.
    fn decode(bytes: &[u8]) -> (usize, usize, Vec<Option<[u8; 3]>>) {
        let text = std::str::from_utf8(bytes).expect("ASCII");
        let body = text.strip_prefix("\x1bP0;1;0q\"").and_then(|t| t.strip_suffix("\x1b\\")).expect("a sixel string");
        let raster_end = body.find('#').expect("a register");
        let raster: Vec<usize> = body[..raster_end].split(';').map(|n| n.parse().expect("a number")).collect();
        let (width, height) = (raster[2], raster[3]);
        let mut pixels = vec![None; width * height];
        let mut registers: HashMap<u16, [u8; 3]> = HashMap::new();
        let (mut register, mut x, mut y) = (0_u16, 0, 0);
        let mut rest = &body[raster_end..];
        while let Some(first) = rest.chars().next() {
            rest = &rest[1..];
            let numbers_end = rest.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(rest.len());
            let mut draw = |sixel: char, count: usize, x: &mut usize| {
                for column in *x..*x + count {
                    for row in 0..6 {
                        if (sixel as u8 - b'?') & (1 << row) != 0 {
                            pixels[(y + row) * width + column] = registers.get(&register).copied();
                        }
                    }
                }
                *x += count;
            };
            match first {
                '#' => {
                    let numbers: Vec<u16> =
                        rest[..numbers_end].split(';').map(|n| n.parse().expect("a number")).collect();
                    register = numbers[0];
                    if let [_, 2, r, g, b] = numbers[..] {
                        registers.insert(register, [r, g, b].map(|v| ((v * 255 + 50) / 100) as u8));
                    }
                    rest = &rest[numbers_end..];
                }
                '!' => {
                    let count = rest[..numbers_end].parse().expect("a count");
                    let sixel = rest[numbers_end..].chars().next().expect("a sixel");
                    draw(sixel, count, &mut x);
                    rest = &rest[numbers_end + 1..];
                }
                '$' => x = 0,
                '-' => (x, y) = (0, y + 6),
                sixel => draw(sixel, 1, &mut x),
            }
        }
        (width, height, pixels)
    }

    #[test]
    fn greys_arrive_where_they_belong() {
        let ramp = ramp(37, 20);
        let (width, height, shown) = decode(&whole(&ramp, 37, 20, 256));
        assert_eq!((width, height), (37, 20));
        let Pixels::Grey(grey) = &ramp.pixels else { unreachable!("grey") };
        for (index, (shown, grey)) in shown.iter().zip(grey).enumerate() {
            let [red, green, blue] = shown.expect("every pixel is drawn");
            assert!(red == green && green == blue && red.abs_diff(*grey) <= 4, "pixel {index}: {red} for {grey}");
        }
    }

    #[test]
    fn marks_keep_their_colour() {
        let mut rgb = vec![90_u8; 12 * 12 * 3];
        rgb[..3].copy_from_slice(&[255, 200, 0]);
        let (_, _, shown) = decode(&whole(&picture(12, 12, Pixels::Rgb(rgb)), 12, 12, 256));
        let [red, green, blue] = shown[0].expect("drawn");
        assert!(red > 240 && green.abs_diff(200) < 10 && blue < 10);
        assert!(shown[1].is_some_and(|[r, g, b]| r == g && g == b && r.abs_diff(90) <= 4));
    }

    #[test]
    fn a_small_palette_is_never_exceeded() {
        let rgb = (0..40 * 40).flat_map(|i: u32| [(i % 256) as u8, (i / 7 % 256) as u8, (i / 3 % 256) as u8]).collect();
        let bytes = whole(&picture(40, 40, Pixels::Rgb(rgb)), 40, 40, 16);
        let text = String::from_utf8(bytes).expect("ASCII");
        let largest = text
            .split('#')
            .skip(1)
            .filter_map(|part| part.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse::<u16>().ok()));
        assert!(largest.max().is_some_and(|register| register < 16));
    }

    #[test]
    fn strips_show_what_the_whole_shows() {
        let (width, _, shown) = decode(&whole(&ramp(64, 64), 80, 100, 256));
        let strips = encode(&ramp(64, 64), (80, 100), 48, 256).expect("sixels");
        let parts: Vec<_> = strips.iter().map(|strip| decode(strip)).collect();
        assert_eq!(
            parts.iter().map(|(width, height, _)| (*width, *height)).collect::<Vec<_>>(),
            [(80, 48), (80, 48), (80, 4)]
        );
        assert_eq!(parts.into_iter().flat_map(|(.., pixels)| pixels).collect::<Vec<_>>(), shown);
        assert_eq!(width, 80);
    }

    #[test]
    fn a_picture_is_stretched_to_the_pixels_asked_for() {
        let (width, height, shown) = decode(&whole(&ramp(10, 10), 33, 47, 256));
        assert_eq!((width, height), (33, 47));
        assert!(shown.iter().all(Option::is_some));
    }
}
