//! Which picture goes to the terminal next. Pure: bytes go out, answers and the time come in.
//!
//! At most one picture is in flight: the next is chosen, from what is wanted then, when the terminal has answered. kitty's
//! pictures go in pieces, so that text can be written between them.

mod ahead;
mod flight;
mod job;
mod passage;

use flight::Flight;
pub(super) use job::Job;
use passage::Certainty;
pub(super) use passage::Pane;

use super::capabilities::{CellSize, Protocol, Voice};
use super::encode::Encoded;
use super::event::{Event, Refusal};
use super::kitty::{Commands, Images};
use super::line::Line;
use super::picture::{Detail, PictureKey, Placed};
use super::screen::{TextFrame, Written};
use crate::raster::{LineState, Quality};
use crate::task::Generation;
use ratatui::layout::Rect;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Pictures that change after less than this are those of a key held down.
const REPEATING: Duration = Duration::from_millis(250);
/// A key that repeats faster than that is taken to be let go sooner, but not before this.
const LEAST_CALM: Duration = Duration::from_millis(80);
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
    /// Whether commands pass through tmux.
    pub(super) through_tmux: bool,
    /// Number of the first image, for kitty's protocol.
    pub(super) first_image: u32,
    /// Whether the terminal answers.
    pub(super) voice: Voice,
}

#[derive(Debug)]
struct Shown {
    key: PictureKey,
    detail: Detail,
    area: Rect,
    generation: Generation,
    /// kitty's numbers of the image and of its placement.
    image: Option<(u32, u32)>,
    /// The same for an earlier image of the same pixels, which stays in case this one does not arrive.
    earlier: Option<(u32, u32)>,
    /// Whether the terminal shows it for certain.
    certainty: Certainty,
}

impl Shown {
    /// kitty's numbers of all that stands in its place.
    fn placements(&self) -> impl Iterator<Item = (u32, u32)> + use<> {
        self.image.into_iter().chain(self.earlier)
    }
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
    /// Look where tmux's pane is now, and who gets the keys: what is known of it is too old to act on.
    Look,
}

/// The pictures: wanted, shown, stored and on their way.
#[derive(Debug)]
pub(super) struct Delivery {
    manner: Manner,
    /// tmux's pane and when it was looked at; `None` before the first look, or if tmux does not say.
    pane: Option<(Pane, Instant)>,
    is_looking: bool,
    /// Whether the pane has changed since it was looked at.
    is_pane_doubtful: bool,
    /// Nothing more is sent before this time: tmux redraws its panes, or images without answers would become a flood.
    rests_until: Option<Instant>,
    /// Whether images that an earlier program left were taken away.
    is_swept: bool,
    wanted: Vec<Placed>,
    shown: BTreeMap<u8, Shown>,
    images: Images,
    height: u32,
    encoding: bool,
    ready: Option<(Job, Vec<Vec<u8>>)>,
    failures: HashMap<PictureKey, u8>,
    flight: Option<Flight>,
    quality: Quality,
    /// When the active picture last changed, and until when keys are taken to repeat.
    changed: Option<Instant>,
    hurry_until: Option<Instant>,
    /// Between two changes, while they repeat.
    pause: Duration,
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
            pane: None,
            is_looking: false,
            is_pane_doubtful: false,
            rests_until: None,
            is_swept: false,
            wanted: Vec::new(),
            shown: BTreeMap::new(),
            images: Images::starting_at(manner.first_image),
            height: 0,
            encoding: false,
            ready: None,
            failures: HashMap::new(),
            flight: None,
            quality: Quality::default(),
            changed: None,
            hurry_until: None,
            pause: REPEATING,
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

    /// The protocol or the cell's size changed.
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
            let since = self.changed.replace(now).map(|before| now.saturating_duration_since(before));
            if let Some(since) = since.filter(|since| *since < REPEATING) {
                // Keys over a line come unevenly: the longest pause of late counts.
                self.pause = since.max(self.pause.mul_f64(0.9));
                self.hurry_until = Some(now + self.pause.mul_f64(2.5).clamp(LEAST_CALM, REPEATING));
            } else {
                self.pause = REPEATING;
            }
        }
        self.wanted = pictures;
    }

    /// When keys that repeat are taken to have stopped, if that is to come.
    pub(super) fn calm_at(&self, now: Instant) -> Option<Instant> {
        self.hurry_until.filter(|until| *until > now)
    }

    /// Whether keys repeat; or they have stopped just now, and the last picture they asked for has not been seen at all.
    fn hurries(&self, now: Instant) -> bool {
        let lately = || self.changed.is_some_and(|changed| now < changed + REPEATING);
        let seen = |placed: &Placed| self.shown.get(&placed.slot).is_some_and(|shown| shown.key == placed.key);
        self.hurry_until.is_some_and(|until| now < until || (lately() && !self.wanted.first().is_none_or(seen)))
    }

    /// Whether all of a preview is sent, and only its exact picture is wanted: that need not wait for the preview's arrival.
    fn is_preview_only(&self, now: Instant, line: &Line) -> bool {
        let Some(flight) = self.flight.as_ref().filter(|flight| flight.rest.is_empty() && flight.fence.is_some())
        else {
            return false;
        };
        let previewed = |placed: &Placed| {
            let of = |shown: &Shown| {
                (shown.key, shown.detail) == (placed.key, Detail::Preview)
                    && shown.generation == flight.generation
                    && flight.ahead.is_none()
            };
            self.shown.get(&placed.slot).is_some_and(of)
        };
        self.wanted.first().is_some_and(previewed) && self.detail(now, line) == Detail::Exact
    }

    /// How much of a picture is to be sent now.
    fn detail(&self, now: Instant, line: &Line) -> Detail {
        let slow = || {
            let time = line.bytes_per_second().map(|rate| self.exact_bytes as f64 / rate.max(1) as f64);
            self.exact_bytes > 0 && time.is_some_and(|time| time > SLOW.as_secs_f64())
        };
        let preview = match self.quality {
            Quality::Exact => false,
            Quality::Preview => true,
            Quality::Auto => self.hurries(now) && slow(),
        };
        if preview { Detail::Preview } else { Detail::Exact }
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
            self.is_swept = false;
        }
    }

    /// What was refused may be tried again.
    pub(super) fn forgive(&mut self) {
        self.failures.clear();
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
        let commands = self.commands();
        for shown in gone.iter().filter_map(|slot| self.shown.remove(slot)) {
            shown.placements().for_each(|(id, placement)| commands.unplace(id, placement, out));
            if shown.image.is_none() {
                stale.push(shown.area);
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
    pub(super) fn encoded(&mut self, job: Job, result: Encoded) -> Option<Event> {
        self.encoding = false;
        match result {
            Ok(bytes) => {
                if job.manner == self.manner {
                    self.ready = Some((job, bytes));
                }
                None
            }
            Err(error) => {
                tracing::warn!(%error, "an image cannot be encoded");
                self.failures.insert(job.key, ATTEMPTS);
                self.refused(job.key, Refusal::NotEncoded)
            }
        }
    }

    /// The event for a wanted image that is not shown.
    fn refused(&self, key: PictureKey, refusal: Refusal) -> Option<Event> {
        let slot = self.wanted.iter().find(|placed| placed.key == key)?.slot;
        Some(Event::PictureRefused { slot, refusal })
    }

    /// What to do next, now that no text waits.
    pub(super) fn next(&mut self, frame: &TextFrame, now: Instant, line: &mut Line, told: &mut Vec<Event>) -> Step {
        if self.is_preview_only(now, line) {
            self.flight = None;
        }
        if self.flight.is_some() {
            return self.go_on(now, line, told);
        }
        if !self.manner.protocol.delivers_pixels() || self.is_hidden() || self.rests(now) {
            return Step::Wait;
        }
        if let Some(step) = self.sweep(frame, now) {
            return step;
        }
        let (wanted, is_quiet) = (self.detail(now, line), self.is_quiet());
        for index in 0..self.wanted.len() {
            let placed = self.wanted[index].clone();
            let failed = self.failures.get(&placed.key).is_some_and(|count| *count >= ATTEMPTS);
            if failed || !frame.is_blank(placed.area) {
                continue;
            }
            if let Some(shown) = self.shown.get_mut(&placed.slot)
                && (shown.key, shown.area) == (placed.key, placed.area)
                && (shown.detail >= wanted)
                && shown.certainty.is_enough(is_quiet)
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
            if let Some(step) = self.look(now) {
                self.ready = ready;
                return step;
            }
            self.take_off(&placed, detail, (stored, ready.map(|(_, bytes)| bytes)), now);
            return self.go_on(now, line, told);
        }
        self.next_ahead(frame, now, line, told)
    }

    /// What deletes all images from one of several terminals; they count as stored all the same.
    pub(super) fn images_deleted(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for id in self.images.ids() {
            Commands::DIRECT.delete(id, &mut out);
        }
        out
    }

    /// Deletes every image that the terminal stores for us.
    pub(super) fn delete_all(&mut self, out: &mut Vec<u8>) {
        for id in self.images.take_all() {
            self.commands().delete(id, out);
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
