//! Which picture goes to the terminal next. Pure: bytes go out, answers and the time come in.
//!
//! At most one picture is in flight: the next is chosen, from what is wanted then, when the terminal has answered.

use super::capabilities::{CellSize, Protocol};
use super::encode::{self, EncodeError};
use super::event::Event;
use super::fence::Fences;
use super::kitty::{Commands, Images};
use super::picture::{PictureKey, Placed};
use super::screen::{TextFrame, Written};
use super::sixel;
use crate::raster::Picture;
use crate::task::Generation;
use ratatui::layout::Rect;
use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an answer is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How often one picture may fail before it is left out.
const ATTEMPTS: u8 = 3;

/// How pictures are made and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    pub(super) protocol: Protocol,
    pub(super) cell: CellSize,
    /// Colour registers, for sixel.
    pub(super) registers: u16,
    pub(super) commands: Commands,
}

/// A picture to be encoded, off the writer's thread.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) key: PictureKey,
    area: Rect,
    /// The area reaches the screen's last row.
    at_end: bool,
    picture: Arc<Picture>,
    manner: Manner,
}

impl Job {
    /// The bytes that the protocol sends: a PNG for kitty, a whole sequence for the others.
    pub(super) fn run(&self) -> Result<Vec<u8>, EncodeError> {
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
                let png = encode::png(&self.picture)?;
                let size = png.len();
                let keys = "inline=1;preserveAspectRatio=0;doNotMoveCursor=1";
                let mut out = Vec::with_capacity(size * 4 / 3 + 128);
                let _ = write!(out, "\x1b]1337;File={keys};size={size};width={columns};height={rows}:");
                out.extend(encode::base64(&png));
                out.push(0x07);
                Ok(out)
            }
            Protocol::Kitty | Protocol::Halfblocks | Protocol::None => encode::png(&self.picture),
        }
    }

    fn is_for(&self, placed: &Placed) -> bool {
        self.key == placed.key && (self.manner.protocol == Protocol::Kitty || self.area == placed.area)
    }
}

#[derive(Debug)]
struct Shown {
    key: PictureKey,
    area: Rect,
    generation: Generation,
    /// kitty's numbers of the image and of its placement.
    image: Option<(u32, u32)>,
}

#[derive(Debug)]
struct Flight {
    generation: Generation,
    image: Option<(u32, u32)>,
    transmitted: bool,
    fence: Option<u64>,
    since: Instant,
    bytes: usize,
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing until something changes.
    Wait,
    /// Encode this.
    Encode(Job),
    /// Write this.
    Send(Vec<u8>),
}

/// The pictures: wanted, shown, stored and on their way.
#[derive(Debug)]
pub(super) struct Delivery {
    manner: Manner,
    wanted: Vec<Placed>,
    shown: BTreeMap<u8, Shown>,
    images: Images,
    height: u32,
    encoding: bool,
    ready: Option<(Job, Vec<u8>)>,
    failures: HashMap<PictureKey, u8>,
    flight: Option<Flight>,
}

impl Delivery {
    pub(super) fn new(manner: Manner) -> Self {
        Self {
            manner,
            wanted: Vec::new(),
            shown: BTreeMap::new(),
            images: Images::new(),
            height: 0,
            encoding: false,
            ready: None,
            failures: HashMap::new(),
            flight: None,
        }
    }

    /// The cell's size or the pane's place changed.
    pub(super) fn set_manner(&mut self, manner: Manner) {
        if manner != self.manner {
            self.manner = manner;
            self.ready = None;
        }
    }

    /// These pictures are wanted now, and no others.
    pub(super) fn want(&mut self, mut pictures: Vec<Placed>) {
        pictures.sort_by_key(|placed| placed.slot);
        pictures.dedup_by_key(|placed| placed.slot);
        pictures.retain(|placed| !placed.area.is_empty());
        self.wanted = pictures;
    }

    pub(super) fn in_flight(&self) -> bool {
        self.flight.is_some()
    }

    /// When the answer that is waited for is given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.flight.as_ref().map(|flight| flight.since + PATIENCE)
    }

    /// The screen was cleared, or is another one: nothing is shown; with `stored` the terminal's images are gone too.
    pub(super) fn forget(&mut self, stored: bool) {
        self.shown.clear();
        if stored {
            self.images.take_all();
            self.flight = None;
        }
    }

    fn is_wanted(&self, slot: u8, area: Rect, frame: &TextFrame) -> bool {
        self.wanted.iter().any(|placed| {
            let stays = self.manner.protocol == Protocol::Kitty || placed.area == area;
            placed.slot == slot && stays && frame.is_blank(placed.area)
        })
    }

    /// Takes away what is no longer wanted or what text now covers; the cells that must be written again come back.
    pub(super) fn retire(&mut self, frame: &TextFrame, out: &mut Vec<u8>) -> Vec<Rect> {
        let gone: Vec<u8> = (self.shown.iter())
            .filter(|(slot, shown)| !self.is_wanted(**slot, shown.area, frame))
            .map(|(slot, _)| *slot)
            .collect();
        let mut stale = Vec::new();
        for shown in gone.iter().filter_map(|slot| self.shown.remove(slot)) {
            match shown.image {
                Some((id, placement)) => self.manner.commands.unplace(id, placement, out),
                None => stale.push(shown.area),
            }
        }
        stale
    }

    /// Text was written: pictures without a layer of their own lose what it covers and are sent again.
    pub(super) fn text_written(&mut self, written: &Written) {
        if written.cleared {
            self.forget(false);
        }
        self.shown.retain(|_, shown| {
            shown.image.is_some() || !written.cells.iter().any(|position| shown.area.contains(*position))
        });
    }

    /// An encoded picture.
    pub(super) fn encoded(&mut self, job: Job, result: Result<Vec<u8>, EncodeError>) {
        self.encoding = false;
        match result {
            Ok(bytes) if job.manner == self.manner => self.ready = Some((job, bytes)),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "a picture cannot be encoded");
                self.failures.insert(job.key, ATTEMPTS);
            }
        }
    }

    /// What to do next, now that no text waits.
    pub(super) fn next(&mut self, frame: &TextFrame, now: Instant, fences: &mut Fences, told: &mut Vec<Event>) -> Step {
        if self.flight.is_some() || !self.manner.protocol.delivers_pixels() {
            return Step::Wait;
        }
        for index in 0..self.wanted.len() {
            let placed = self.wanted[index].clone();
            let failed = self.failures.get(&placed.key).is_some_and(|count| *count >= ATTEMPTS);
            if failed || !frame.is_blank(placed.area) {
                continue;
            }
            if let Some(shown) = self.shown.get_mut(&placed.slot)
                && (shown.key, shown.area) == (placed.key, placed.area)
            {
                if shown.generation != placed.generation {
                    shown.generation = placed.generation;
                    told.push(shown_event(placed.generation, Duration::ZERO, 0));
                }
                continue;
            }
            let stored = self.images.touch(placed.key);
            let ready = if stored.is_none() { self.ready.take_if(|(job, _)| job.is_for(&placed)) } else { None };
            if stored.is_none() && ready.is_none() {
                if self.encoding {
                    return Step::Wait;
                }
                self.encoding = true;
                let Placed { key, area, picture, .. } = placed;
                let at_end = area.bottom() >= frame.buffer.area.bottom();
                return Step::Encode(Job { key, area, at_end, picture, manner: self.manner });
            }
            return Step::Send(self.send(&placed, stored, ready.map(|(_, bytes)| bytes), now, fences));
        }
        Step::Wait
    }

    fn send(
        &mut self,
        placed: &Placed,
        stored: Option<u32>,
        encoded: Option<Vec<u8>>,
        now: Instant,
        fences: &mut Fences,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let transmitted = encoded.is_some();
        let image = if self.manner.protocol == Protocol::Kitty {
            Some(self.place(placed, stored, encoded.unwrap_or_default(), &mut out))
        } else {
            let _ = write!(out, "\x1b[{};{}H", placed.area.y + 1, placed.area.x + 1);
            out.extend(encoded.unwrap_or_default());
            None
        };
        // In tmux a fence is tmux's own answer and says nothing of the terminal; kitty's answer comes from beyond.
        let beyond = image.is_some() && self.manner.commands.pane.is_some();
        let bytes = out.len();
        let fence = (!beyond).then(|| fences.raise(&mut out));
        let Placed { key, area, generation, .. } = *placed;
        self.shown.insert(placed.slot, Shown { key, area, generation, image });
        self.flight = Some(Flight { generation, image, transmitted, fence, since: now, bytes });
        out
    }

    /// kitty: sends the pixels where they are not stored, places them above the old picture and takes that one away.
    fn place(&mut self, placed: &Placed, stored: Option<u32>, png: Vec<u8>, out: &mut Vec<u8>) -> (u32, u32) {
        let commands = self.manner.commands;
        let id = stored.unwrap_or_else(|| {
            let (id, dropped) = self.images.add(placed.key);
            for old in dropped {
                self.shown.retain(|_, shown| shown.image.is_none_or(|(shown, _)| shown != old));
                commands.delete(old, out);
            }
            commands.transmit(id, &png, out);
            id
        });
        let old = self.shown.get(&placed.slot).and_then(|shown| shown.image);
        // Two placement numbers a slot, in turn, so that the old and the new picture are never the same placement.
        let first = u32::from(placed.slot) * 2 + 1;
        let placement = if old.is_some_and(|(_, placement)| placement == first) { first + 1 } else { first };
        self.height = self.height % 9999 + 1;
        commands.place(id, placement, placed.area, self.height, out);
        if let Some((id, placement)) = old {
            commands.unplace(id, placement, out);
        }
        (id, placement)
    }

    /// kitty's answer about an image.
    pub(super) fn graphics(&mut self, id: u32, placement: Option<u32>, message: &str, now: Instant) -> Option<Event> {
        let flies = |flight: &&mut Flight| flight.image.is_some_and(|(flying, _)| flying == id);
        if message == "OK" {
            let flight = self.flight.as_mut().filter(flies)?;
            let done = match (placement, flight.image) {
                (Some(placement), Some((_, flying))) => placement == flying,
                // Without a placement it is the answer about the pixels, where those were sent.
                _ => !std::mem::take(&mut flight.transmitted),
            };
            return if done { self.land(now) } else { None };
        }
        if self.images.has(id) {
            tracing::debug!(id, message, "the terminal does not have an image");
            let key = self.shown.values().find(|s| s.image.is_some_and(|(shown, _)| shown == id)).map(|s| s.key);
            self.images.forget(id);
            self.shown.retain(|_, shown| shown.image.is_none_or(|(shown, _)| shown != id));
            if let Some(key) = key {
                *self.failures.entry(key).or_default() += 1;
            }
            self.flight.take_if(|flight| flies(&flight));
        }
        None
    }

    /// A fence was answered: what was sent before it has arrived.
    pub(super) fn fence_passed(&mut self, fences: &Fences, now: Instant) -> Option<Event> {
        let passed = self.flight.as_ref().and_then(|flight| flight.fence).is_some_and(|fence| fences.passed(fence));
        if passed { self.land(now) } else { None }
    }

    /// Gives up waiting for an answer that does not come.
    pub(super) fn expire(&mut self, now: Instant, fences: &mut Fences) -> Option<Event> {
        let late = self.flight.as_ref().is_some_and(|flight| now >= flight.since + PATIENCE);
        if !late {
            return None;
        }
        if let Some(fence) = self.flight.as_ref().and_then(|flight| flight.fence) {
            fences.give_up(fence);
        }
        self.land(now)
    }

    fn land(&mut self, now: Instant) -> Option<Event> {
        let flight = self.flight.take()?;
        if let Some(image) = flight.image
            && let Some(shown) = self.shown.values().find(|shown| shown.image == Some(image))
        {
            self.failures.remove(&shown.key);
        }
        Some(shown_event(flight.generation, now.saturating_duration_since(flight.since), flight.bytes))
    }

    /// Deletes every image that the terminal stores for us.
    pub(super) fn delete_all(&mut self, out: &mut Vec<u8>) {
        for id in self.images.take_all() {
            self.manner.commands.delete(id, out);
        }
        self.shown.clear();
    }
}

fn shown_event(generation: Generation, round_trip: Duration, bytes: usize) -> Event {
    Event::PictureShown { generation, round_trip, bytes }
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
