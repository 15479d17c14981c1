//! What will probably be wanted next is stored by the terminal in idle time, within a budget, and gives way to any key.

use super::super::capabilities::Protocol;
use super::super::event::Event;
use super::super::kitty::Stored;
use super::super::line::Line;
use super::super::picture::{Detail, PictureKey, Placed};
use super::super::screen::TextFrame;
use super::{Delivery, Flight, Job, Step};
use crate::raster::Quality;
use std::time::{Duration, Instant};

/// After so long without a key, what is probably wanted next is sent.
const IDLE: Duration = Duration::from_millis(300);
/// Bytes that may be sent for that until the next key.
const AHEAD_BUDGET: usize = 1_500_000;
/// Pictures that may wait to be sent ahead.
const MOST_AHEAD: usize = 32;
impl Delivery {
    /// When what is probably wanted next may be sent, if that is to come.
    pub(in crate::terminal) fn idle_at(&self, now: Instant) -> Option<Instant> {
        let idle = self.changed.map(|changed| changed + IDLE)?;
        (!self.ahead.is_empty() && idle > now).then_some(idle)
    }

    /// A picture that will probably be wanted next.
    pub(in crate::terminal) fn prefetch(&mut self, picture: Placed) {
        let stores = self.manner.protocol == Protocol::Kitty && !self.manner.through_tmux;
        if stores && self.quality != Quality::Preview && self.ahead.len() < MOST_AHEAD {
            self.ahead.push_back(picture);
        }
    }

    /// Breaks off what is sent ahead, or exactly while keys repeat on a slow line, where something else is wanted now and most
    /// of it is still to be sent.
    pub(in crate::terminal) fn give_way(&mut self, now: Instant, line: &mut Line, out: &mut Vec<u8>) {
        let Some(flight) = &self.flight else { return };
        if flight.rest.len() <= 2 || self.manner.protocol != Protocol::Kitty {
            return;
        }
        let shown = |placed: &Placed| self.shown.get(&placed.slot).is_some_and(|shown| shown.key == placed.key);
        let waits = |key: PictureKey| self.wanted.first().is_some_and(|placed| placed.key != key && !shown(placed));
        let gives_way = match (flight.ahead, &flight.shown) {
            (Some(key), _) => waits(key),
            (None, Some((_, exact))) if exact.detail == Detail::Exact => {
                waits(exact.key) && self.detail(now, line) == Detail::Preview
            }
            _ => false,
        };
        if gives_way {
            self.break_off(now, line, out);
        }
    }

    /// What is probably wanted next, now that nothing else is to be sent.
    pub(super) fn next_ahead(
        &mut self,
        frame: &TextFrame,
        now: Instant,
        line: &mut Line,
        told: &mut Vec<Event>,
    ) -> Step {
        if self.ahead_bytes >= AHEAD_BUDGET {
            self.ahead.clear();
        }
        let shown = |placed: &Placed| self.shown.get(&placed.slot).is_some_and(|shown| shown.key == placed.key);
        let busy = self.changed.is_none_or(|changed| now < changed + IDLE) || !self.wanted.iter().all(shown);
        if busy {
            return Step::Wait;
        }
        while let Some(placed) = self.ahead.front() {
            let stored = self.images.knows((placed.key, Detail::Exact));
            if stored || self.failures.contains_key(&placed.key) {
                self.ahead.pop_front();
                continue;
            }
            let Some((_, encoded)) = self.ready.take_if(|(job, _)| job.is_for(placed, Detail::Exact)) else {
                if self.encoding {
                    return Step::Wait;
                }
                self.encoding = true;
                let Placed { key, area, picture, .. } = placed.clone();
                let at_end = area.bottom() >= frame.buffer.area.bottom();
                let detail = Detail::Exact;
                return Step::Encode(Job { key, area, at_end, picture, detail, manner: self.manner });
            };
            let (key, generation) = (placed.key, placed.generation);
            self.ahead.pop_front();
            let mut first = Vec::new();
            let (id, mut pieces) = self.store(
                (key, Detail::Exact),
                None,
                encoded.first().map(Vec::as_slice).unwrap_or_default(),
                &mut first,
            );
            if let Some(piece) = pieces.first_mut() {
                first.append(piece);
                *piece = first;
            }
            let bytes = pieces.iter().map(Vec::len).sum();
            self.ahead_bytes += bytes;
            self.sent += 1;
            self.flight = Some(Flight {
                generation,
                image: Some((id, 0)),
                transmitted: false,
                fence: None,
                since: now,
                progress: now,
                bytes,
                rest: pieces.into(),
                ahead: Some(key),
                broken_off: false,
                preview: false,
                shown: None,
            });
            return self.go_on(now, line, told);
        }
        Step::Wait
    }

    /// kitty: a number for a picture, the pieces that store it, and before them what makes room.
    /// `kept` is an image of the same pixels that stays.
    pub(super) fn store(
        &mut self,
        stored: Stored,
        kept: Option<u32>,
        png: &[u8],
        before: &mut Vec<u8>,
    ) -> (u32, Vec<Vec<u8>>) {
        let (id, dropped) = self.images.add(stored, kept);
        self.evictions += dropped.len() as u64;
        for old in dropped {
            self.shown.retain(|_, shown| shown.image.is_none_or(|(shown, _)| shown != old));
            self.commands().delete(old, before);
        }
        (id, self.commands().transmit(id, png))
    }
}
