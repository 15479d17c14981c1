//! The kitty graphics protocol: an image is sent once, stored by the terminal under a number, and placed for some 90 bytes.
//!
//! Several programs may share one terminal (panes of tmux), and with it the numbers. So numbers begin at random, are used
//! once, and an image that the terminal has not acknowledged is never placed a second time.
//!
//! Only what kitty 0.26 has: no Unicode placeholders, no ranges of images in a deletion.

use super::encode::base64;
use super::picture::{Detail, PictureKey};
use ratatui::layout::Rect;
use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::OnceLock;

/// Images that the terminal is asked to keep; kitty itself drops the oldest at some 100 of 512×512, without a word.
pub(super) const MOST_IMAGES: usize = 128;
/// The lowest image number: programs that number their images themselves begin at 1.
const LOWEST: u32 = 1_000_000;
/// Columns and rows between the cells at which images of an earlier program are looked for. No image of this program is
/// smaller.
const SWEEP: (usize, usize) = (6, 3);
/// Bytes that tmux passes through at once: it drops what is longer than 1 MiB.
const MOST_PASSED: usize = 700_000;
/// Base64 characters in one chunk: the protocol's own limit.
const CHUNK: usize = 4096;

/// What an image holds.
pub(super) type Stored = (PictureKey, Detail);

/// A number from which this process counts its images. Two processes that share a terminal, with 10,000 images each, use the
/// same number with a probability of 5 in a million.
pub(super) fn first_image() -> u32 {
    static FIRST: OnceLock<u32> = OnceLock::new();
    *FIRST.get_or_init(|| {
        let mut bytes = [0; 4];
        // Without a source of randomness the process's number is at least another one than its neighbor's.
        let random = match getrandom::fill(&mut bytes) {
            Ok(()) => u32::from_ne_bytes(bytes),
            Err(_) => std::process::id().wrapping_mul(65_599),
        };
        LOWEST + QUERIES + random % (u32::MAX - LOWEST - QUERIES)
    })
}

/// How many numbers the questions about graphics have.
const QUERIES: u32 = 8;

/// The number of a round's question about graphics, which no image has: an answer to another process, or to an earlier round,
/// is not taken for one to this.
pub(super) fn query_image(round: u32) -> u32 {
    first_image() - 1 - round % QUERIES
}

/// Whether a number is one of these.
pub(super) fn is_query(id: u32) -> bool {
    (first_image() - QUERIES..first_image()).contains(&id)
}

#[derive(Debug, Clone, Copy)]
struct Image {
    holds: Stored,
    id: u32,
    is_acknowledged: bool,
}

/// The images that were sent to the terminal, the least recently shown first.
#[derive(Debug)]
pub(super) struct Images {
    known: VecDeque<Image>,
    next: u32,
}

impl Images {
    /// None yet; `first` is the number of the first one.
    pub(super) fn starting_at(first: u32) -> Self {
        Self { known: VecDeque::new(), next: first }
    }

    /// The image that holds these pixels and that the terminal has acknowledged; it becomes the last to be dropped.
    pub(super) fn touch(&mut self, key: Stored) -> Option<u32> {
        let index = self.known.iter().position(|image| image.holds == key && image.is_acknowledged)?;
        let image = self.known.remove(index)?;
        self.known.push_back(image);
        Some(image.id)
    }

    /// A number that was never used before for new pixels, and the images that are to be deleted for it: the oldest, and those
    /// but `kept` that were to hold the same pixels and were never acknowledged.
    pub(super) fn add(&mut self, key: Stored, kept: Option<u32>) -> (u32, Vec<u32>) {
        let is_same = |image: &Image| image.holds == key && Some(image.id) != kept;
        let mut dropped: Vec<u32> = self.known.iter().filter(|image| is_same(image)).map(|image| image.id).collect();
        self.known.retain(|image| !is_same(image));
        while self.known.len() >= MOST_IMAGES {
            dropped.extend(self.known.pop_front().map(|image| image.id));
        }
        let id = self.next;
        self.next = if id == u32::MAX { LOWEST } else { id + 1 };
        self.known.push_back(Image { holds: key, id, is_acknowledged: false });
        (id, dropped)
    }

    /// The terminal has answered that it has this image.
    pub(super) fn acknowledge(&mut self, id: u32) {
        if let Some(image) = self.known.iter_mut().find(|image| image.id == id) {
            image.is_acknowledged = true;
        }
    }

    /// The terminal does not have this image (any more).
    pub(super) fn forget(&mut self, id: u32) {
        self.known.retain(|image| image.id != id);
    }

    /// Whether an image was sent that holds these pixels.
    pub(super) fn knows(&self, key: Stored) -> bool {
        self.known.iter().any(|image| image.holds == key)
    }

    /// Whether this number is one of ours and in use.
    pub(super) fn has(&self, id: u32) -> bool {
        self.known.iter().any(|image| image.id == id)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// Every image.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        self.known.iter().map(|image| image.id)
    }

    /// Every image, which is thereby forgotten.
    pub(super) fn take_all(&mut self) -> Vec<u32> {
        self.known.drain(..).map(|image| image.id).collect()
    }
}

/// Writes commands, wrapped for tmux if it is in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Commands {
    /// Where tmux's pane begins on the terminal, in cells; `None` without tmux.
    pub(super) pane: Option<(u16, u16)>,
    /// Whether the terminal is asked to give no answers: they would reach another program.
    pub(super) is_quiet: bool,
}

impl Commands {
    /// To a terminal that reads what is written, and answers.
    pub(super) const DIRECT: Self = Self { pane: None, is_quiet: false };

    /// What keeps the terminal from answering (`q=2`), as a part of a command.
    fn quiet(self) -> &'static str {
        if self.is_quiet { ",q=2" } else { "" }
    }

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
    /// `i=…;OK`, unless it is asked for no answers.
    pub(super) fn transmit(self, id: u32, png: &[u8]) -> Vec<Vec<u8>> {
        let text = base64(png);
        let mut chunks = text.chunks(CHUNK).peekable();
        let mut pieces = Vec::with_capacity(text.len() / CHUNK + 1);
        let mut commands = Vec::with_capacity(CHUNK + 64);
        let mut is_first = true;
        while let Some(chunk) = chunks.next() {
            let more = u8::from(chunks.peek().is_some());
            let _ = if std::mem::take(&mut is_first) {
                write!(commands, "\x1b_Ga=t,f=100,i={id}{},m={more};", self.quiet())
            } else {
                write!(commands, "\x1b_Gm={more};")
            };
            commands.extend_from_slice(chunk);
            commands.extend_from_slice(b"\x1b\\");
            // tmux ends one synchronized update and begins another around whatever it passes through, and kitty 0.26 then
            // damages an image whose chunks lie in several of them.
            if self.pane.is_none() || more == 0 || commands.len() > MOST_PASSED {
                let mut piece = Vec::with_capacity(commands.len() + 64);
                self.wrapped(&commands, &mut piece);
                pieces.push(piece);
                commands.clear();
            }
        }
        pieces
    }

    /// Ends a transmission half way: the terminal answers that this is no PNG, and is free for other commands.
    pub(super) fn break_off(self, out: &mut Vec<u8>) {
        self.wrapped(b"\x1b_Gm=0;\x1b\\", out);
    }

    /// Shows an image over some cells. The terminal answers `i=…,p=…;OK`, or `ENOENT` where it has no such image.
    ///
    /// A placement with a higher `z` lies above. None lies below text: kitty 0.26 then blends text with what was there before.
    pub(super) fn place(self, id: u32, placement: u32, area: Rect, z: u32, out: &mut Vec<u8>) {
        let (left, top) = self.pane.unwrap_or((0, 0));
        let (column, row) = (area.x + left + 1, area.y + top + 1);
        let (width, height) = (area.width, area.height);
        let mut command = Vec::with_capacity(64);
        let quiet = self.quiet();
        // In tmux the cursor is the outer terminal's: it is put back, or tmux would write its next text there.
        let (save, restore) = if self.pane.is_some() { ("\x1b7", "\x1b8") } else { ("", "") };
        let _ = write!(
            command,
            "{save}\x1b[{row};{column}H\x1b_Ga=p,i={id},p={placement},c={width},r={height},z={z},C=1{quiet}\x1b\\{restore}"
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

    /// Takes away what a program that was killed left on the screen, or in this pane of `columns` × `rows` cells: its images
    /// would lie over ours.
    pub(super) fn sweep(self, columns: u16, rows: u16, out: &mut Vec<u8>) {
        let Some((left, top)) = self.pane else {
            // The whole (alternate) screen is ours.
            out.extend_from_slice(b"\x1b_Ga=d,d=A\x1b\\");
            return;
        };
        let mut plain = Vec::new();
        for row in (0..rows).step_by(SWEEP.1) {
            for column in (0..columns).step_by(SWEEP.0) {
                let (x, y) = (u32::from(left) + u32::from(column) + 1, u32::from(top) + u32::from(row) + 1);
                let _ = write!(plain, "\x1b_Ga=d,d=P,x={x},y={y}\x1b\\");
            }
        }
        self.wrapped(&plain, out);
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

    const DIRECT: Commands = Commands::DIRECT;

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
    fn showing_a_stored_image_and_dropping_the_old_placement_takes_less_than_100_bytes() {
        let mut out = Vec::new();
        DIRECT.place(u32::MAX, 2, Rect::new(120, 40, 200, 100), 99, &mut out);
        DIRECT.unplace(u32::MAX - 1, 1, &mut out);
        assert!(out.len() < 100, "{}", out.len());
    }

    #[test]
    fn in_tmux_every_escape_is_doubled_and_cells_are_the_outer_terminal_s() {
        let mut out = Vec::new();
        Commands { pane: Some((10, 1)), is_quiet: false }.place(1000, 1, Rect::new(0, 0, 4, 2), 1, &mut out);
        let text = String::from_utf8(out).expect("ASCII");
        let inner = text.strip_prefix("\x1bPtmux;").and_then(|t| t.strip_suffix("\x1b\\")).expect("wrapped");
        assert_eq!(inner.matches('\x1b').count() % 2, 0);
        let plain = inner.replace("\x1b\x1b", "\x1b");
        assert_eq!(plain, "\x1b7\x1b[2;11H\x1b_Ga=p,i=1000,p=1,c=4,r=2,z=1,C=1\x1b\\\x1b8");
    }

    #[test]
    fn tmux_passes_a_picture_through_at_once_and_never_more_than_it_takes() {
        let through = Commands { pane: Some((0, 0)), is_quiet: false };
        assert_eq!(through.transmit(1000, &[7; 300_000]).len(), 1);
        let large = through.transmit(1000, &[7; 1_500_000]);
        assert!(large.len() > 1 && large.iter().all(|piece| piece.len() < 1_000_000));
    }

    #[test]
    fn who_must_not_be_answered_says_so_in_every_command_that_has_an_answer() {
        let quiet = Commands { pane: Some((0, 0)), is_quiet: true };
        let mut out = quiet.transmit(7, &[0; 5000]).concat();
        quiet.place(7, 1, Rect::new(0, 0, 4, 2), 1, &mut out);
        let text = String::from_utf8(out).expect("ASCII");
        assert!(text.contains("a=t,f=100,i=7,q=2,") && text.contains("C=1,q=2"), "{text}");
    }

    #[test]
    fn the_least_recently_shown_image_goes_first() {
        let mut images = Images::starting_at(1000);
        for key in 0..MOST_IMAGES as u64 {
            let (id, dropped) = images.add(exact(key), None);
            assert!(dropped.is_empty());
            images.acknowledge(id);
        }
        let first = images.touch(exact(0)).expect("stored");
        let second = images.known.front().expect("one").id;
        let (_, dropped) = images.add(exact(1_000_000), None);
        assert_eq!(dropped, vec![second]);
        assert_eq!(images.touch(exact(0)), Some(first));
        assert_eq!(images.touch(exact(1)), None);
        assert!(!images.has(second));
    }

    #[test]
    fn what_was_not_acknowledged_is_not_placed_again_and_goes_when_it_is_sent_again() {
        let mut images = Images::starting_at(1000);
        let (lost, _) = images.add(exact(1), None);
        assert_eq!(images.touch(exact(1)), None);
        let (again, dropped) = images.add(exact(1), None);
        assert_eq!(dropped, vec![lost]);
        let (twin, dropped) = images.add(exact(1), Some(again));
        assert!(dropped.is_empty() && images.has(again) && images.has(twin), "unless it is to stay");
        images.acknowledge(again);
        assert_eq!(images.touch(exact(1)), Some(again));
    }

    #[test]
    fn no_number_is_used_twice_and_none_is_one_that_programs_choose_by_hand() {
        let mut images = Images::starting_at(u32::MAX - 9);
        let ids: std::collections::BTreeSet<u32> = (0..1000).map(|key| images.add(exact(key), None).0).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| *id >= LOWEST));
        assert!(first_image() > LOWEST);
        let queries: std::collections::BTreeSet<u32> = (0..100).map(query_image).collect();
        assert!(queries.len() == QUERIES as usize && queries.iter().all(|id| is_query(*id)));
        assert!(!is_query(first_image()) && !is_query(first_image() - QUERIES - 1));
    }

    #[test]
    fn a_sweep_reaches_every_image_of_a_pane_and_no_cell_outside_it() {
        let mut out = Vec::new();
        Commands { pane: Some((10, 3)), is_quiet: false }.sweep(18, 6, &mut out);
        let text = String::from_utf8(out).expect("ASCII").replace("\x1b\x1b", "\x1b");
        let cells: Vec<(u16, u16)> = (text.split("d=P,x=").skip(1))
            .filter_map(|rest| {
                let (x, rest) = rest.split_once(",y=")?;
                Some((x.parse().ok()?, rest.split('\x1b').next()?.parse().ok()?))
            })
            .collect();
        assert_eq!(cells, [(11, 4), (17, 4), (23, 4), (11, 7), (17, 7), (23, 7)]);
    }
}
