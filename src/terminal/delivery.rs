//! Which picture goes to the terminal next. Pure: bytes go out, answers and the time come in.
//!
//! At most one picture is in flight: the next is chosen, from what is wanted then, when the terminal has answered. kitty's
//! pictures go in pieces, so that text can be written between them.

mod ahead;
mod job;

pub(super) use job::Job;

use super::capabilities::{CellSize, Protocol};
use super::encode::EncodeError;
use super::event::{Event, LineState};
use super::kitty::{Commands, Images};
use super::line::Line;
use super::picture::{Detail, PictureKey, Placed};
use super::screen::{TextFrame, Written};
use crate::raster::Quality;
use crate::task::Generation;
use ratatui::layout::Rect;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::Write as _;
use std::time::{Duration, Instant};

/// Pictures that change after less than this are those of a key held down.
const REPEATING: Duration = Duration::from_millis(250);
/// While they do, a picture that takes the line longer than this goes as a preview.
const SLOW: Duration = Duration::from_millis(120);
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
    /// Whether the terminal has left all questions without an answer so far.
    pub(super) mute: bool,
}

#[derive(Debug)]
struct Shown {
    key: PictureKey,
    detail: Detail,
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
    /// The last piece's.
    fence: Option<u64>,
    since: Instant,
    /// When something was last sent or answered.
    progress: Instant,
    bytes: usize,
    /// What is still to be sent.
    rest: VecDeque<Vec<u8>>,
    /// It is stored only, not shown.
    ahead: Option<PictureKey>,
    /// A preview is sent, or is replaced.
    preview: bool,
    /// What is shown, and at which slot, once the last piece is sent.
    shown: Option<(u8, Shown)>,
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
    quality: Quality,
    /// When the active picture last changed, and until when keys are taken to repeat.
    changed: Option<Instant>,
    hurry_until: Option<Instant>,
    /// What will probably be wanted next, and bytes sent for it since the last key.
    ahead: VecDeque<Placed>,
    ahead_bytes: usize,
    /// Bytes of the last exact picture.
    exact_bytes: usize,
    hits: u64,
    sent: u64,
    evictions: u64,
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
            quality: Quality::default(),
            changed: None,
            hurry_until: None,
            ahead: VecDeque::new(),
            ahead_bytes: 0,
            exact_bytes: 0,
            hits: 0,
            sent: 0,
            evictions: 0,
        }
    }

    /// How exact pictures are to be.
    pub(super) fn set_quality(&mut self, quality: Quality) {
        self.quality = quality;
    }

    /// The cell's size or the pane's place changed.
    pub(super) fn set_manner(&mut self, manner: Manner) {
        if manner != self.manner {
            self.manner = manner;
            self.ready = None;
        }
    }

    /// These pictures are wanted now, and no others.
    pub(super) fn want(&mut self, mut pictures: Vec<Placed>, now: Instant) {
        pictures.sort_by_key(|placed| placed.slot);
        pictures.dedup_by_key(|placed| placed.slot);
        pictures.retain(|placed| !placed.area.is_empty());
        let active = |pictures: &[Placed]| pictures.first().map(|placed| (placed.slot, placed.key));
        if active(&pictures) != active(&self.wanted) {
            self.ahead.clear();
            self.ahead_bytes = 0;
            let before = self.changed.replace(now);
            if before.is_some_and(|before| now.saturating_duration_since(before) < REPEATING) {
                self.hurry_until = Some(now + REPEATING);
            }
        }
        self.wanted = pictures;
    }

    /// When keys that repeat are taken to have stopped, if that is to come.
    pub(super) fn calm_at(&self, now: Instant) -> Option<Instant> {
        self.hurry_until.filter(|until| *until > now)
    }

    /// How much of a picture is to be sent now.
    fn detail(&self, now: Instant, line: &Line) -> Detail {
        let scales = matches!(self.manner.protocol, Protocol::Kitty | Protocol::Iterm2);
        let slow = || {
            let time = line.bytes_per_second().map(|rate| self.exact_bytes as f64 / rate.max(1) as f64);
            self.exact_bytes > 0 && time.is_some_and(|time| time > SLOW.as_secs_f64())
        };
        let preview = match self.quality {
            Quality::Exact => false,
            Quality::Preview => true,
            Quality::Auto => self.calm_at(now).is_some() && slow(),
        };
        if scales && preview { Detail::Preview } else { Detail::Exact }
    }

    /// What is known of the line and of the pictures at its end.
    pub(super) fn state(&self, line: &Line) -> LineState {
        let shown = self.shown.values().any(|shown| shown.detail == Detail::Preview);
        LineState {
            round_trip: line.round_trip(),
            bytes_per_second: line.bytes_per_second(),
            hits: self.hits,
            sent: self.sent,
            evictions: self.evictions,
            stored: self.images.count(),
            preview: shown || self.flight.as_ref().is_some_and(|flight| flight.preview),
        }
    }

    pub(super) fn in_flight(&self) -> bool {
        self.flight.is_some()
    }

    /// Whether pieces of the picture in flight are still to be sent.
    pub(super) fn has_more(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| !flight.rest.is_empty())
    }

    /// When the answer that is waited for is given up.
    pub(super) fn deadline(&self, line: &Line) -> Option<Instant> {
        self.flight.as_ref().map(|flight| flight.progress + line.patience())
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
    pub(super) fn retire(&mut self, frame: &TextFrame, now: Instant, line: &mut Line, out: &mut Vec<u8>) -> Vec<Rect> {
        let gone: Vec<u8> = (self.shown.iter())
            .filter(|(slot, shown)| !self.is_wanted(**slot, shown.area, frame))
            .map(|(slot, _)| *slot)
            .collect();
        if !gone.is_empty() {
            // No other command may stand between the pieces of a picture.
            self.break_off(now, line, out);
        }
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
    pub(super) fn next(&mut self, frame: &TextFrame, now: Instant, line: &mut Line, told: &mut Vec<Event>) -> Step {
        if self.flight.is_some() {
            return self.next_piece(now, line).map_or(Step::Wait, Step::Send);
        }
        if !self.manner.protocol.delivers_pixels() {
            return Step::Wait;
        }
        let wanted = self.detail(now, line);
        for index in 0..self.wanted.len() {
            let placed = self.wanted[index].clone();
            let failed = self.failures.get(&placed.key).is_some_and(|count| *count >= ATTEMPTS);
            if failed || !frame.is_blank(placed.area) {
                continue;
            }
            if let Some(shown) = self.shown.get_mut(&placed.slot)
                && (shown.key, shown.area) == (placed.key, placed.area)
                && (shown.detail >= wanted)
            {
                if shown.generation != placed.generation {
                    shown.generation = placed.generation;
                    told.push(shown_event(placed.generation, Duration::ZERO, 0));
                }
                continue;
            }
            // What is stored exactly is never shown as a preview, but where that is asked for.
            let exact =
                if self.quality == Quality::Preview { None } else { self.images.touch((placed.key, Detail::Exact)) };
            let (detail, stored) = match exact {
                Some(id) => (Detail::Exact, Some(id)),
                None => (wanted, self.images.touch((placed.key, wanted))),
            };
            let ready =
                if stored.is_none() { self.ready.take_if(|(job, _)| job.is_for(&placed, detail)) } else { None };
            if stored.is_none() && ready.is_none() {
                if self.encoding {
                    return Step::Wait;
                }
                self.encoding = true;
                let Placed { key, area, picture, .. } = placed;
                let at_end = area.bottom() >= frame.buffer.area.bottom();
                return Step::Encode(Job { key, area, at_end, picture, detail, manner: self.manner });
            }
            self.take_off(&placed, detail, (stored, ready.map(|(_, bytes)| bytes)), now);
            return self.next_piece(now, line).map_or(Step::Wait, Step::Send);
        }
        self.next_ahead(frame, now, line)
    }

    /// Makes the pieces of a picture; none is sent yet.
    fn take_off(
        &mut self,
        placed: &Placed,
        detail: Detail,
        (stored, encoded): (Option<u32>, Option<Vec<u8>>),
        now: Instant,
    ) {
        let transmitted = encoded.is_some();
        let encoded = encoded.unwrap_or_default();
        let (image, rest) = if self.manner.protocol == Protocol::Kitty {
            let (image, pieces) = self.place(placed, detail, stored, &encoded);
            (Some(image), pieces)
        } else {
            let mut out = Vec::with_capacity(encoded.len() + 16);
            let _ = write!(out, "\x1b[{};{}H", placed.area.y + 1, placed.area.x + 1);
            out.extend(encoded);
            (None, VecDeque::from([out]))
        };
        let Placed { key, area, generation, .. } = *placed;
        let replaced = self.shown.get(&placed.slot).is_some_and(|shown| shown.detail == Detail::Preview);
        let preview = detail == Detail::Preview || replaced;
        let shown = Some((placed.slot, Shown { key, detail, area, generation, image }));
        let bytes = rest.iter().map(Vec::len).sum();
        if transmitted {
            self.sent += 1;
            if detail == Detail::Exact {
                self.exact_bytes = bytes;
            }
        } else {
            self.hits += 1;
        }
        self.flight = Some(Flight {
            generation,
            image,
            transmitted,
            fence: None,
            since: now,
            progress: now,
            bytes,
            rest,
            ahead: None,
            preview,
            shown,
        });
    }

    /// The next piece of the picture in flight, where the line has room for one.
    fn next_piece(&mut self, now: Instant, line: &mut Line) -> Option<Vec<u8>> {
        let flight = self.flight.as_mut()?;
        if !line.has_room(flight.rest.front()?.len(), now) {
            return None;
        }
        let mut out = flight.rest.pop_front()?;
        // In tmux a fence is tmux's own answer and says nothing of the terminal; kitty's answer comes from beyond.
        let beyond = flight.image.is_some() && self.manner.commands.pane.is_some();
        let fence = (!beyond).then(|| line.raise(&mut out, now));
        flight.progress = now;
        if flight.rest.is_empty() {
            flight.fence = fence;
            if let Some((slot, shown)) = flight.shown.take() {
                self.shown.insert(slot, shown);
            }
        }
        Some(out)
    }

    /// Breaks the picture in flight off, where some of its pieces are not sent yet.
    pub(super) fn break_off(&mut self, now: Instant, line: &mut Line, out: &mut Vec<u8>) {
        let Some(flight) = self.flight.as_mut().filter(|flight| !flight.rest.is_empty()) else { return };
        flight.rest.clear();
        flight.shown = None;
        if let Some((id, _)) = flight.image.take() {
            self.images.forget(id);
        }
        self.manner.commands.break_off(out);
        flight.fence = Some(line.raise(out, now));
        flight.progress = now;
    }

    /// kitty: sends the pixels where they are not stored, places them above the old picture and takes that one away.
    fn place(
        &mut self,
        placed: &Placed,
        detail: Detail,
        stored: Option<u32>,
        png: &[u8],
    ) -> ((u32, u32), VecDeque<Vec<u8>>) {
        let commands = self.manner.commands;
        let mut first = Vec::new();
        let mut pieces = Vec::new();
        let id = match stored {
            Some(id) => id,
            None => {
                let (id, sent) = self.store((placed.key, detail), png, &mut first);
                pieces = sent;
                id
            }
        };
        let old = self.shown.get(&placed.slot).and_then(|shown| shown.image);
        // Two placement numbers a slot, in turn, so that the old and the new picture are never the same placement.
        let number = u32::from(placed.slot) * 2 + 1;
        let placement = if old.is_some_and(|(_, placement)| placement == number) { number + 1 } else { number };
        self.height = self.height % 9999 + 1;
        let mut last = pieces.pop().unwrap_or_default();
        commands.place(id, placement, placed.area, self.height, &mut last);
        if let Some((id, placement)) = old {
            commands.unplace(id, placement, &mut last);
        }
        pieces.push(last);
        first.append(&mut pieces[0]);
        pieces[0] = first;
        let pieces = if commands.pane.is_some() {
            // Nothing tells how far they are: they go at once.
            VecDeque::from([pieces.concat()])
        } else {
            VecDeque::from(pieces)
        };
        ((id, placement), pieces)
    }

    /// kitty's answer about an image.
    pub(super) fn graphics(
        &mut self,
        (id, placement): (u32, Option<u32>),
        message: &str,
        now: Instant,
        line: &mut Line,
    ) -> Option<Event> {
        let flies = |flight: &&mut Flight| flight.image.is_some_and(|(flying, _)| flying == id);
        if message == "OK" {
            let flight = self.flight.as_mut().filter(flies).filter(|flight| flight.rest.is_empty())?;
            let done = match (placement, flight.image) {
                (Some(placement), Some((_, flying))) => placement == flying,
                // Without a placement it is the answer about the pixels, where those were sent.
                _ => !std::mem::take(&mut flight.transmitted),
            };
            if !done {
                return None;
            }
            if flight.fence.is_none() {
                line.observe(flight.bytes, now.saturating_duration_since(flight.since), now);
            }
            return self.land(now);
        }
        if self.images.has(id) {
            tracing::debug!(id, message, "the terminal does not have an image");
            let flying = self.flight.as_ref().and_then(|flight| flight.shown.as_ref()).map(|(_, shown)| shown);
            let of = self.shown.values().chain(flying).find(|s| s.image.is_some_and(|(shown, _)| shown == id));
            let key = of.map(|shown| shown.key);
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
    pub(super) fn fence_passed(&mut self, line: &Line, now: Instant) -> Option<Event> {
        let flight = self.flight.as_mut()?;
        flight.progress = now;
        if flight.fence.is_some_and(|fence| line.passed(fence)) { self.land(now) } else { None }
    }

    /// Gives up waiting for an answer that does not come.
    pub(super) fn expire(&mut self, now: Instant, line: &mut Line) -> Option<Event> {
        if self.deadline(line).is_none_or(|deadline| now < deadline) {
            return None;
        }
        line.give_all_up();
        let flight = self.flight.as_mut()?;
        if flight.rest.is_empty() {
            return self.land(now);
        }
        // The rest goes without waiting.
        flight.progress = now;
        None
    }

    fn land(&mut self, now: Instant) -> Option<Event> {
        let flight = self.flight.take()?;
        let image = flight.image;
        if let Some(shown) = self.shown.values().find(|shown| image.is_some() && shown.image == image) {
            self.failures.remove(&shown.key);
        }
        // What was broken off is not shown.
        let broken_off = self.manner.protocol == Protocol::Kitty && image.is_none();
        let round_trip = now.saturating_duration_since(flight.since);
        (!broken_off && flight.ahead.is_none()).then(|| shown_event(flight.generation, round_trip, flight.bytes))
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
