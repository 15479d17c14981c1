//! The picture in flight: its pieces, how they are broken off, and the answers that end the flight.

use super::{ATTEMPTS, Certainty, Delivery, Shown, Step, shown_event};
use crate::task::Generation;
use crate::terminal::capabilities::Protocol;
use crate::terminal::event::{Event, Refusal};
use crate::terminal::line::Line;
use crate::terminal::picture::{Detail, PictureKey, Placed};
use std::collections::VecDeque;
use std::time::Instant;

/// A picture on its way, or one that is only to be stored.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) generation: Generation,
    pub(super) image: Option<(u32, u32)>,
    pub(super) transmitted: bool,
    /// The last piece's.
    pub(super) fence: Option<u64>,
    pub(super) since: Instant,
    /// When something was last sent or answered.
    pub(super) progress: Instant,
    pub(super) bytes: usize,
    /// What is still to be sent.
    pub(super) rest: VecDeque<Vec<u8>>,
    /// It is stored only, not shown.
    pub(super) ahead: Option<PictureKey>,
    /// The rest of it is not sent, and it is not shown.
    pub(super) broken_off: bool,
    /// A preview is sent, or is replaced.
    pub(super) preview: bool,
    /// What is shown, and at which slot, once the last piece is sent.
    pub(super) shown: Option<(u8, Shown)>,
}

impl Delivery {
    /// Makes the pieces of a picture; none is sent yet.
    pub(super) fn take_off(
        &mut self,
        placed: &Placed,
        detail: Detail,
        (stored, encoded): (Option<u32>, Option<Vec<Vec<u8>>>),
        now: Instant,
    ) {
        let Placed { key, area, generation, .. } = *placed;
        let same = self.shown.get(&placed.slot).filter(|shown| (shown.key, shown.area) == (key, area));
        let certainty = Certainty::of(self.is_quiet(), same.map(|shown| shown.certainty));
        // Whether the first one has arrived nobody knows: it goes only with the next image.
        let earlier = same.filter(|_| certainty == Certainty::Twice).and_then(|shown| shown.image);
        let transmitted = encoded.is_some();
        let encoded = encoded.unwrap_or_default();
        let (image, rest) = if self.manner.protocol == Protocol::Kitty {
            let png = encoded.first().map(Vec::as_slice).unwrap_or_default();
            let (image, pieces) = self.place(placed, detail, (stored, earlier), png);
            (Some(image), pieces)
        } else {
            (None, VecDeque::from(encoded))
        };
        let replaced = self.shown.get(&placed.slot).is_some_and(|shown| shown.detail == Detail::Preview);
        let preview = detail == Detail::Preview || replaced;
        let mut shown = Some((placed.slot, Shown { key, detail, area, generation, image, earlier, certainty }));
        if image.is_none() {
            // The first strip covers a part of it already.
            self.shown.extend(shown.take());
        }
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
            broken_off: false,
            preview,
            shown,
        });
    }

    /// Sends the next piece of the picture in flight, if the line has room for one. Without answers it has landed with its
    /// last piece.
    pub(super) fn go_on(&mut self, now: Instant, line: &mut Line, told: &mut Vec<Event>) -> Step {
        let Some(piece) = self.next_piece(now, line) else { return Step::Wait };
        if self.is_quiet() && !self.has_more() {
            self.rest(now);
            told.extend(self.land(now));
        }
        Step::Send(piece)
    }

    /// The next piece of the picture in flight, where the line has room for one.
    fn next_piece(&mut self, now: Instant, line: &mut Line) -> Option<Vec<u8>> {
        let flight = self.flight.as_mut()?;
        if !line.has_room(flight.rest.front()?.len(), now) {
            return None;
        }
        let mut out = flight.rest.pop_front()?;
        // In tmux a fence is tmux's own answer and says nothing of the terminal; kitty's answer comes from beyond.
        let beyond = flight.image.is_some() && self.manner.through_tmux;
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
    pub(in crate::terminal) fn break_off(&mut self, now: Instant, line: &mut Line, out: &mut Vec<u8>) {
        let commands = self.commands();
        let Some(flight) = self.flight.as_mut().filter(|flight| !flight.rest.is_empty()) else { return };
        flight.rest.clear();
        flight.shown = None;
        flight.broken_off = true;
        if let Some((id, _)) = flight.image.take() {
            self.images.forget(id);
            commands.break_off(out);
        }
        flight.fence = Some(line.raise(out, now));
        flight.progress = now;
    }

    /// kitty: sends the pixels if they are not stored, places them above the old picture and takes that one away.
    fn place(
        &mut self,
        placed: &Placed,
        detail: Detail,
        (stored, earlier): (Option<u32>, Option<(u32, u32)>),
        png: &[u8],
    ) -> ((u32, u32), VecDeque<Vec<u8>>) {
        let commands = self.commands();
        let mut first = Vec::new();
        let mut pieces = Vec::new();
        let id = match stored {
            Some(id) => id,
            None => {
                let (id, sent) = self.store((placed.key, detail), earlier.map(|(id, _)| id), png, &mut first);
                pieces = sent;
                id
            }
        };
        let before = self.shown.get(&placed.slot);
        let old = before.and_then(|shown| shown.image);
        let gone: Vec<(u32, u32)> =
            before.into_iter().flat_map(Shown::placements).filter(|one| earlier != Some(*one)).collect();
        // Two placement numbers a slot, in turn, so that the old and the new picture are never the same placement.
        let number = u32::from(placed.slot) * 2 + 1;
        let placement = if old.is_some_and(|(_, placement)| placement == number) { number + 1 } else { number };
        self.height = self.height % 9999 + 1;
        let mut last = pieces.pop().unwrap_or_default();
        commands.place(id, placement, placed.area, self.height, &mut last);
        for (id, placement) in gone {
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
    pub(in crate::terminal) fn graphics(
        &mut self,
        (id, placement): (u32, Option<u32>),
        message: &str,
        now: Instant,
        line: &mut Line,
    ) -> Option<Event> {
        let flies = |flight: &&mut Flight| flight.image.is_some_and(|(flying, _)| flying == id);
        if message == "OK" {
            self.images.acknowledge(id);
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
            tracing::debug!(id, message, "the terminal refuses an image");
            let flying = self.flight.as_ref().and_then(|flight| flight.shown.as_ref()).map(|(_, shown)| shown);
            let of = self.shown.values().chain(flying).find(|s| s.image.is_some_and(|(shown, _)| shown == id));
            let key = of.map(|shown| shown.key);
            self.images.forget(id);
            self.shown.retain(|_, shown| shown.image.is_none_or(|(shown, _)| shown != id));
            self.flight.take_if(|flight| flies(&flight));
            let failures = self.failures.entry(key?).or_default();
            *failures += 1;
            if *failures >= ATTEMPTS {
                return self.refused(key?, Refusal::of(message));
            }
        }
        None
    }

    /// A fence was answered: what was sent before it has arrived.
    pub(in crate::terminal) fn fence_passed(&mut self, line: &Line, now: Instant) -> Option<Event> {
        let flight = self.flight.as_mut()?;
        flight.progress = now;
        if flight.fence.is_some_and(|fence| line.passed(fence)) { self.land(now) } else { None }
    }

    /// Gives up waiting for an answer that does not come.
    pub(in crate::terminal) fn expire(&mut self, now: Instant, line: &mut Line) -> Option<Event> {
        if self.deadline(line).is_none_or(|deadline| now < deadline) {
            return None;
        }
        line.give_all_up();
        let flight = self.flight.as_mut()?;
        if flight.rest.is_empty() {
            if self.manner.through_tmux
                && let Some((id, _)) = flight.image
            {
                // tmux passes nothing through while it redraws its panes: it is sent again, but not for ever.
                let told = self.graphics((id, None), Refusal::NO_ANSWER, now, line);
                self.flight = None;
                return told;
            }
            return self.land(now);
        }
        // The rest goes without waiting.
        flight.progress = now;
        None
    }

    pub(super) fn land(&mut self, now: Instant) -> Option<Event> {
        let flight = self.flight.take()?;
        let image = flight.image;
        if let Some(shown) = self.shown.values().find(|shown| image.is_some() && shown.image == image) {
            self.failures.remove(&shown.key);
        }
        let round_trip = now.saturating_duration_since(flight.since);
        (!flight.broken_off && flight.ahead.is_none()).then(|| shown_event(flight.generation, round_trip, flight.bytes))
    }
}
