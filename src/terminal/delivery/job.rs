//! A picture as the protocol sends it.

use super::super::capabilities::Protocol;
use super::super::encode::{self, EncodeError, Encoded};
use super::super::picture::{Detail, PictureKey, Placed};
use super::super::sixel;
use super::Manner;
use crate::raster::Picture;
use ratatui::layout::Rect;
use std::borrow::Cow;
use std::io::Write as _;
use std::sync::Arc;

/// Registers of a preview: with a dozen greys it takes a third of the bytes.
const PREVIEW_REGISTERS: u16 = 16;

/// A picture to be encoded, off the writer's thread.
#[derive(Debug, Clone)]
pub(in crate::terminal) struct Job {
    pub(in crate::terminal) key: PictureKey,
    pub(super) area: Rect,
    /// The area reaches the screen's last row.
    pub(super) at_end: bool,
    pub(super) picture: Arc<Picture>,
    pub(super) detail: Detail,
    pub(super) manner: Manner,
}

impl Job {
    /// The whole of a picture; `at_end` where its place reaches the screen's last row.
    pub(in crate::terminal) fn new(
        key: PictureKey,
        area: Rect,
        at_end: bool,
        picture: Arc<Picture>,
        manner: Manner,
    ) -> Self {
        Self { key, area, at_end, picture, detail: Detail::Exact, manner }
    }

    /// What is sent of the picture: all of it, or its preview.
    fn seen(&self) -> Result<Cow<'_, Picture>, EncodeError> {
        Ok(match self.detail {
            Detail::Exact => Cow::Borrowed(&*self.picture),
            Detail::Preview => Cow::Owned(encode::preview(&self.picture)?),
        })
    }

    /// The bytes that the protocol sends: for kitty a PNG; for the others whole sequences, each with the place of the strip of
    /// the picture that it draws, so that text can be written between them.
    pub(in crate::terminal) fn run(&self) -> Encoded {
        let seen = self.seen()?;
        match self.manner.protocol {
            Protocol::Sixel => self.sixels(&seen),
            Protocol::Iterm2 => self.files(&seen),
            Protocol::Kitty | Protocol::Halfblocks | Protocol::None => Ok(vec![encode::png(&seen)?]),
        }
    }

    /// `CSI row ; column H` of a strip that begins so many rows below the picture's top.
    fn at(&self, rows: u32) -> Vec<u8> {
        format!("\x1b[{};{}H", u32::from(self.area.y) + rows + 1, self.area.x + 1).into_bytes()
    }

    /// Sixels: strips of whole cells and whole bands, so that none reaches into the next.
    fn sixels(&self, picture: &Picture) -> Encoded {
        let cell = self.manner.cell;
        let rows = u32::from(self.area.height);
        // The cursor goes to the row below the picture: below the last one that would scroll the screen.
        let rows = if self.at_end { (rows - 1).max(1) } else { rows };
        let (width, row) = (u32::from(self.area.width) * u32::from(cell.width), u32::from(cell.height).max(1));
        // Whole bands only: the rest of one would reach into the next row.
        let height = rows * row;
        let height = (height - height % 6).max(6);
        let step = least_rows(|rows| (rows * row).is_multiple_of(6));
        let registers = if self.detail == Detail::Preview {
            self.manner.registers.min(PREVIEW_REGISTERS)
        } else {
            self.manner.registers
        };
        let strips = sixel::encode(picture, (width, height), step * row, registers)?;
        let place = |(strip, bytes): (u32, Vec<u8>)| [self.at(strip * step), bytes].concat();
        Ok((0..).zip(strips).map(place).collect())
    }

    /// iTerm2's files: strips of whole cells and whole rows of pixels, as far as the picture's size has such.
    fn files(&self, picture: &Picture) -> Encoded {
        let rows = u32::from(self.area.height).max(1);
        let step = least_rows(|step| step >= rows || (step * picture.height).is_multiple_of(rows)).min(rows);
        let mut out = Vec::new();
        for first in (0..rows).step_by(step as usize) {
            let last = (first + step).min(rows);
            let png = encode::png(&encode::cut(picture, first * picture.height / rows, last * picture.height / rows)?)?;
            let keys = "inline=1;preserveAspectRatio=0;doNotMoveCursor=1";
            let (size, width, height) = (png.len(), self.area.width, last - first);
            let mut strip = self.at(first);
            let _ = write!(strip, "\x1b]1337;File={keys};size={size};width={width};height={height}:");
            strip.extend(encode::base64(&png));
            strip.push(0x07);
            out.push(strip);
        }
        Ok(out)
    }

    pub(super) fn is_for(&self, placed: &Placed, detail: Detail) -> bool {
        (self.key, self.detail) == (placed.key, detail)
            && (self.manner.protocol == Protocol::Kitty || self.area == placed.area)
    }
}

/// The fewest rows of cells, from three on, that a strip may have.
fn least_rows(fits: impl Fn(u32) -> bool) -> u32 {
    (3..=u32::from(u16::MAX)).find(|rows| fits(*rows)).unwrap_or(u32::from(u16::MAX))
}
