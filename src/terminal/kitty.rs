//! The kitty graphics protocol: pictures are sent once, stored under a number, and placed for some 70 bytes.
//!
//! Only what kitty 0.26 has: no Unicode placeholders, no ranges of images in a deletion.

use super::encode::base64;
use super::picture::{Detail, PictureKey};
use ratatui::layout::Rect;
use std::collections::VecDeque;
use std::io::Write as _;

/// Images that the terminal is asked to keep; kitty itself drops the oldest at some 100 of 512×512, without a word.
pub(super) const MOST_IMAGES: usize = 128;
/// Image numbers: four digits, out of the way of programs that begin at 1.
const IMAGES: std::ops::RangeInclusive<u32> = 1000..=9999;
/// Base64 characters in one chunk: the protocol's own limit.
const CHUNK: usize = 4096;

/// What an image holds.
pub(super) type Stored = (PictureKey, Detail);

/// The images that the terminal has, the least recently shown first.
#[derive(Debug)]
pub(super) struct Images {
    known: VecDeque<(Stored, u32)>,
    next: u32,
}

impl Images {
    pub(super) fn new() -> Self {
        Self { known: VecDeque::new(), next: *IMAGES.start() }
    }

    /// The image that holds these pixels; it becomes the last to be dropped.
    pub(super) fn touch(&mut self, key: Stored) -> Option<u32> {
        let index = self.known.iter().position(|(known, _)| *known == key)?;
        let entry = self.known.remove(index)?;
        self.known.push_back(entry);
        Some(entry.1)
    }

    /// A number for new pixels, and the images that are to be deleted for it.
    pub(super) fn add(&mut self, key: Stored) -> (u32, Vec<u32>) {
        let mut dropped = Vec::new();
        while self.known.len() >= MOST_IMAGES {
            dropped.extend(self.known.pop_front().map(|(_, id)| id));
        }
        let id = loop {
            let id = self.next;
            self.next = if id == *IMAGES.end() { *IMAGES.start() } else { id + 1 };
            if self.known.iter().all(|(_, known)| *known != id) {
                break id;
            }
        };
        self.known.push_back((key, id));
        (id, dropped)
    }

    /// The terminal does not have this image (any more).
    pub(super) fn forget(&mut self, id: u32) {
        self.known.retain(|(_, known)| *known != id);
    }

    /// Whether an image holds these pixels.
    pub(super) fn knows(&self, key: Stored) -> bool {
        self.known.iter().any(|(known, _)| *known == key)
    }

    /// Whether this number is one of ours and in use.
    pub(super) fn has(&self, id: u32) -> bool {
        self.known.iter().any(|(_, known)| *known == id)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// Every image, which is thereby forgotten.
    pub(super) fn take_all(&mut self) -> Vec<u32> {
        self.known.drain(..).map(|(_, id)| id).collect()
    }
}

/// Writes commands, wrapped for tmux where it is in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Commands {
    /// Where tmux's pane begins on the terminal, in cells; `None` without tmux.
    pub(super) pane: Option<(u16, u16)>,
}

impl Commands {
    fn wrapped(self, plain: &[u8], out: &mut Vec<u8>) {
        if self.pane.is_none() {
            out.extend_from_slice(plain);
            return;
        }
        out.extend_from_slice(b"\x1bPtmux;");
        for byte in plain {
            if *byte == 0x1b {
                out.push(0x1b);
            }
            out.push(*byte);
        }
        out.extend_from_slice(b"\x1b\\");
    }

    /// Sends a PNG under a number, in chunks: between them may stand text, but no other command. The terminal answers
    /// `i=…;OK`.
    pub(super) fn transmit(self, id: u32, png: &[u8]) -> Vec<Vec<u8>> {
        let text = base64(png);
        let mut chunks = text.chunks(CHUNK).peekable();
        let mut pieces = Vec::with_capacity(text.len() / CHUNK + 1);
        let mut command = Vec::with_capacity(CHUNK + 64);
        while let Some(chunk) = chunks.next() {
            command.clear();
            let more = u8::from(chunks.peek().is_some());
            let _ = if pieces.is_empty() {
                write!(command, "\x1b_Ga=t,f=100,i={id},m={more};")
            } else {
                write!(command, "\x1b_Gm={more};")
            };
            command.extend_from_slice(chunk);
            command.extend_from_slice(b"\x1b\\");
            let mut piece = Vec::with_capacity(command.len() + 64);
            self.wrapped(&command, &mut piece);
            pieces.push(piece);
        }
        pieces
    }

    /// Ends a transmission half way: the terminal answers that this is no PNG, and is free for other commands.
    pub(super) fn break_off(self, out: &mut Vec<u8>) {
        self.wrapped(b"\x1b_Gm=0;\x1b\\", out);
    }

    /// Shows an image over some cells. The terminal answers `i=…,p=…;OK`, or `ENOENT` where it has no such image.
    pub(super) fn place(self, id: u32, placement: u32, area: Rect, z: u32, out: &mut Vec<u8>) {
        let (left, top) = self.pane.unwrap_or((0, 0));
        let (column, row) = (area.x + left + 1, area.y + top + 1);
        let (width, height) = (area.width, area.height);
        let mut command = Vec::with_capacity(64);
        // In tmux the cursor is the outer terminal's: it is put back, or tmux would write its next text there.
        let (save, restore) = if self.pane.is_some() { ("\x1b7", "\x1b8") } else { ("", "") };
        let _ = write!(
            command,
            "{save}\x1b[{row};{column}H\x1b_Ga=p,i={id},p={placement},c={width},r={height},z={z},C=1\x1b\\{restore}"
        );
        self.wrapped(&command, out);
    }

    /// Takes one placement away; the image stays stored.
    pub(super) fn unplace(self, id: u32, placement: u32, out: &mut Vec<u8>) {
        self.wrapped(format!("\x1b_Ga=d,d=i,i={id},p={placement}\x1b\\").as_bytes(), out);
    }

    /// Takes an image and all its placements away.
    pub(super) fn delete(self, id: u32, out: &mut Vec<u8>) {
        self.wrapped(format!("\x1b_Ga=d,d=I,i={id}\x1b\\").as_bytes(), out);
    }

    /// Asks whether graphics work at all, without storing anything: a picture of one grey pixel.
    pub(super) fn query(self, id: u32, out: &mut Vec<u8>) {
        self.wrapped(format!("\x1b_Ga=q,i={id},s=1,v=1,t=d,f=24;AAAA\x1b\\").as_bytes(), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(key: u64) -> Stored {
        (PictureKey(key), Detail::Exact)
    }

    const DIRECT: Commands = Commands { pane: None };

    #[test]
    fn a_picture_goes_in_chunks_of_4096_that_join_to_the_file() {
        let png: Vec<u8> = (0..10_000_u32).map(|i| (i * 7 % 251) as u8).collect();
        let pieces = DIRECT.transmit(1000, &png);
        assert!(pieces.iter().all(|piece| piece.starts_with(b"\x1b_G") && piece.ends_with(b"\x1b\\")));
        let text = String::from_utf8(pieces.concat()).expect("ASCII");
        let commands: Vec<&str> = text.split_terminator("\x1b\\").collect();
        assert!(commands[0].starts_with("\x1b_Ga=t,f=100,i=1000,m=1;"));
        assert!(commands[1..].iter().all(|command| command.starts_with("\x1b_Gm=")));
        let bodies: Vec<&str> = commands.iter().map(|c| c.split_once(';').expect("a body").1).collect();
        assert!(bodies.iter().all(|body| body.len() <= 4096));
        assert_eq!(bodies.concat().as_bytes(), base64(&png));
        assert_eq!(commands.iter().filter(|command| command.contains("m=0;")).count(), 1);
        assert!(commands.last().is_some_and(|command| command.starts_with("\x1b_Gm=0;")));
    }

    #[test]
    fn showing_a_stored_image_and_dropping_the_old_placement_takes_less_than_80_bytes() {
        let mut out = Vec::new();
        DIRECT.place(9999, 2, Rect::new(120, 40, 200, 100), 99, &mut out);
        DIRECT.unplace(9998, 1, &mut out);
        assert!(out.len() < 80, "{}", out.len());
    }

    #[test]
    fn in_tmux_every_escape_is_doubled_and_cells_are_the_outer_terminal_s() {
        let mut out = Vec::new();
        Commands { pane: Some((10, 1)) }.place(1000, 1, Rect::new(0, 0, 4, 2), 1, &mut out);
        let text = String::from_utf8(out).expect("ASCII");
        let inner = text.strip_prefix("\x1bPtmux;").and_then(|t| t.strip_suffix("\x1b\\")).expect("wrapped");
        assert_eq!(inner.matches('\x1b').count() % 2, 0);
        assert_eq!(inner.replace("\x1b\x1b", "\x1b"), "\x1b7\x1b[2;11H\x1b_Ga=p,i=1000,p=1,c=4,r=2,z=1,C=1\x1b\\\x1b8");
    }

    #[test]
    fn the_least_recently_shown_image_goes_first() {
        let mut images = Images::new();
        for key in 0..MOST_IMAGES as u64 {
            assert!(images.add(exact(key)).1.is_empty());
        }
        let first = images.touch(exact(0)).expect("stored");
        let second = images.known.front().expect("one").1;
        let (_, dropped) = images.add(exact(1_000_000));
        assert_eq!(dropped, vec![second]);
        assert_eq!(images.touch(exact(0)), Some(first));
        assert_eq!(images.touch(exact(1)), None);
        assert!(!images.has(second));
    }

    #[test]
    fn numbers_stay_in_their_range_and_are_never_used_twice_at_once() {
        let mut images = Images::new();
        for key in 0..30_000 {
            let (id, _) = images.add(exact(key));
            assert!(IMAGES.contains(&id));
            assert_eq!(images.known.iter().filter(|(_, known)| *known == id).count(), 1);
        }
    }
}
