//! A picture as the protocol sends it.

use super::super::capabilities::Protocol;
use super::super::encode::{self, EncodeError};
use super::super::picture::{Detail, PictureKey, Placed};
use super::super::sixel;
use super::Manner;
use crate::raster::Picture;
use ratatui::layout::Rect;
use std::io::Write as _;
use std::sync::Arc;

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

    fn png(&self) -> Result<Vec<u8>, EncodeError> {
        match self.detail {
            Detail::Exact => encode::png(&self.picture),
            Detail::Preview => encode::png(&encode::preview(&self.picture)?),
        }
    }

    /// The bytes that the protocol sends: a PNG for kitty, a whole sequence for the others.
    pub(in crate::terminal) fn run(&self) -> Result<Vec<u8>, EncodeError> {
        let (columns, rows) = (u32::from(self.area.width), u32::from(self.area.height));
        match self.manner.protocol {
            Protocol::Sixel => {
                let cell = self.manner.cell;
                // The cursor goes to the row below the picture: below the last one that would scroll the screen.
                let rows = if self.at_end { (rows - 1).max(1) } else { rows };
                let (width, height) = (columns * u32::from(cell.width), rows * u32::from(cell.height));
                // Whole bands only: the rest of one would reach into the next row.
                let height = (height - height % 6).max(6);
                sixel::encode(&self.picture, width, height, self.manner.registers)
            }
            Protocol::Iterm2 => {
                let png = self.png()?;
                let size = png.len();
                let keys = "inline=1;preserveAspectRatio=0;doNotMoveCursor=1";
                let mut out = Vec::with_capacity(size * 4 / 3 + 128);
                let _ = write!(out, "\x1b]1337;File={keys};size={size};width={columns};height={rows}:");
                out.extend(encode::base64(&png));
                out.push(0x07);
                Ok(out)
            }
            Protocol::Kitty | Protocol::Halfblocks | Protocol::None => self.png(),
        }
    }

    pub(super) fn is_for(&self, placed: &Placed, detail: Detail) -> bool {
        (self.key, self.detail) == (placed.key, detail)
            && (self.manner.protocol == Protocol::Kitty || self.area == placed.area)
    }
}
