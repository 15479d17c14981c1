//! The line to the terminal: fences, what their answers tell of it, and how much may be under way on it. Pure: the time comes in.
//!
//! A fence is a question whose answer says that everything before it has arrived. Pictures go out in pieces, each with its
//! fence, and only so many that a text written in between waits for some hundredth parts of a second: bytes once handed to
//! the system can no longer be overtaken.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What a line of which nothing is known is given at once: 0.13 s of 1 Mbit/s.
const FIRST_WINDOW: usize = 16 * 1024;
/// Two pieces: with less the line would lie idle between a piece and its answer.
const LEAST_WINDOW: usize = 9 * 1024;
/// No line needs more: 1 Gbit/s over 60 ms.
const MOST_WINDOW: usize = 8 * 1024 * 1024;
/// How long bytes may wait on the way for those before them.
const QUEUE: Duration = Duration::from_millis(40);
/// Smaller pieces tell the round trip, larger ones the rate.
const MEASURES_RATE: usize = 1024;
/// A round trip as short as the shortest known is looked for again after this time.
const REMEMBERED: Duration = Duration::from_secs(60);
/// How long an answer is waited for on a line of which nothing is known.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// The same once a terminal that has never answered left the first question without an answer: it is taken to give none, and this much
/// is time to draw.
const MUTE: Duration = Duration::from_millis(100);
/// The longest that bytes under way may add to that.
const MOST_PATIENCE: Duration = Duration::from_secs(20);

/// Bytes under way, up to their fence.
#[derive(Debug)]
struct Piece {
    fence: u64,
    bytes: usize,
    at: Instant,
    /// Bytes delivered when it was sent, and since when.
    delivered: u64,
    since: Instant,
    /// There was more to send than the window let through: what this piece tells is the line's doing, not ours.
    pressed: bool,
}

/// A limit that the user set, kept by counting what was written.
#[derive(Debug, Clone, Copy)]
struct Cap {
    bytes_per_second: f64,
    /// Bytes that may go out, at `at`; below zero where text went over it.
    credit: f64,
    at: Instant,
}

impl Cap {
    fn refill(&mut self, now: Instant) {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.bytes_per_second;
        // A tenth of a second may be made up for.
        self.credit = (self.credit + gained).min(self.bytes_per_second / 10.0);
        self.at = now;
    }
}

/// The line, with the fences that are up.
#[derive(Debug, Default)]
pub(super) struct Line {
    raised: u64,
    answered: u64,
    under_way: VecDeque<Piece>,
    bytes_under_way: usize,
    window: Option<usize>,
    /// The shortest, and when it was seen.
    round_trip: Option<(Duration, Instant)>,
    rate: Option<f64>,
    delivered: u64,
    delivered_at: Option<Instant>,
    pressed: bool,
    /// An answer was waited for in vain: nothing is held back until one comes.
    silent: bool,
    cap: Option<Cap>,
}

impl Line {
    /// Asks for the cursor's position, from the second row: an answer from the first looks like F3 with modifiers. All of
    /// `out` is taken to be written at once.
    pub(super) fn raise(&mut self, out: &mut Vec<u8>, now: Instant) -> u64 {
        out.extend_from_slice(b"\x1b[2;1H\x1b[6n");
        self.raised += 1;
        if self.under_way.is_empty() {
            self.delivered_at = Some(now);
        }
        let (bytes, delivered) = (out.len(), self.delivered);
        let since = self.delivered_at.unwrap_or(now);
        let pressed = std::mem::take(&mut self.pressed);
        self.under_way.push_back(Piece { fence: self.raised, bytes, at: now, delivered, since, pressed });
        self.bytes_under_way += bytes;
        self.raised
    }

    /// A line whose terminal has not answered yet: nothing waits for it until it does.
    pub(super) fn mute() -> Self {
        Self { silent: true, ..Self::default() }
    }

    /// An answer came; answers come in the order of the questions.
    pub(super) fn answer(&mut self, now: Instant) {
        if self.answered == self.raised {
            return;
        }
        self.answered += 1;
        self.silent = false;
        let Some(piece) = self.arrived(self.answered) else { return };
        self.delivered += piece.bytes as u64;
        self.delivered_at = Some(now);
        self.learn(&piece, now);
    }

    fn learn(&mut self, piece: &Piece, now: Instant) {
        let took = now.saturating_duration_since(piece.at);
        let span = now.saturating_duration_since(piece.since).max(Duration::from_micros(100));
        if piece.bytes >= MEASURES_RATE {
            let sample = (self.delivered - piece.delivered) as f64 / span.as_secs_f64();
            self.rate = Some(match self.rate {
                None => sample,
                Some(rate) if sample > rate => rate + (sample - rate) / 2.0,
                // A piece that had the line to itself tells more of us than of the line.
                Some(rate) if piece.pressed => rate + (sample - rate) / 4.0,
                Some(rate) => rate,
            });
        }
        let own = self.rate.map_or(Duration::ZERO, |rate| seconds(piece.bytes as f64 / rate));
        let shortest = self.round_trip.filter(|(_, seen)| now.saturating_duration_since(*seen) < REMEMBERED);
        let shortest = shortest.filter(|(shortest, _)| *shortest <= took).unwrap_or((took, now));
        self.round_trip = Some(shortest);
        if piece.pressed {
            let window = self.window();
            let queued = took.saturating_sub(shortest.0 + own);
            if queued < QUEUE / 2 {
                self.window = Some((window + piece.bytes).min(MOST_WINDOW));
            } else if queued > QUEUE {
                let fits = self.rate.unwrap_or_default() * (shortest.0 + QUEUE / 2).as_secs_f64();
                self.window = Some((fits as usize).clamp(LEAST_WINDOW, window));
            }
        }
    }

    fn window(&self) -> usize {
        self.window.unwrap_or(FIRST_WINDOW)
    }

    /// A whole picture's bytes and the time to the terminal's own answer, where fences do not reach the terminal (tmux).
    pub(super) fn observe(&mut self, bytes: usize, took: Duration, now: Instant) {
        if bytes < MEASURES_RATE {
            let shortest = self
                .round_trip
                .filter(|(shortest, seen)| *shortest <= took && now.saturating_duration_since(*seen) < REMEMBERED);
            self.round_trip = Some(shortest.unwrap_or((took, now)));
        } else {
            let way = self.round_trip.map_or(Duration::ZERO, |(shortest, _)| shortest.min(took / 2));
            let sample = bytes as f64 / (took - way).as_secs_f64().max(1e-4);
            self.rate = Some(self.rate.map_or(sample, |rate| rate + (sample - rate) / 2.0));
        }
    }

    /// Whether this fence was answered.
    pub(super) fn passed(&self, fence: u64) -> bool {
        self.answered >= fence
    }

    /// This fence's answer, and those before it, are no longer waited for.
    pub(super) fn give_up(&mut self, fence: u64) {
        self.silent = true;
        self.answered = self.answered.max(fence.min(self.raised));
        while self.arrived(fence).is_some() {}
    }

    /// The first piece under way, where it is none after this fence.
    fn arrived(&mut self, fence: u64) -> Option<Piece> {
        let piece = if self.under_way.front()?.fence <= fence { self.under_way.pop_front()? } else { return None };
        self.bytes_under_way -= piece.bytes;
        Some(piece)
    }

    /// Gives up all fences.
    pub(super) fn give_all_up(&mut self) {
        self.give_up(self.raised);
    }

    /// Whether a piece of so many bytes may follow those that are under way.
    pub(super) fn has_room(&mut self, bytes: usize, now: Instant) -> bool {
        let fits = self.silent || self.under_way.is_empty() || self.bytes_under_way + bytes <= self.window();
        if !fits {
            self.pressed = true;
        }
        fits && self.allowed_at(now).is_none()
    }

    /// When the user's limit lets the next piece out; `None` for now.
    pub(super) fn allowed_at(&mut self, now: Instant) -> Option<Instant> {
        let cap = self.cap.as_mut()?;
        cap.refill(now);
        // Never in the past, or so near that the wait would be a busy one.
        (cap.credit < 0.0).then(|| now + seconds(-cap.credit / cap.bytes_per_second).max(Duration::from_millis(1)))
    }

    /// So much was written.
    pub(super) fn wrote(&mut self, bytes: usize, now: Instant) {
        if let Some(cap) = &mut self.cap {
            cap.refill(now);
            cap.credit -= bytes as f64;
        }
    }

    /// Sets the user's limit, bytes a second.
    pub(super) fn limit(&mut self, bytes_per_second: Option<u64>, now: Instant) {
        self.cap = bytes_per_second.map(|limit| Cap { bytes_per_second: limit.max(1) as f64, credit: 0.0, at: now });
    }

    /// How long an answer is waited for: the bytes under way take their time.
    pub(super) fn patience(&self) -> Duration {
        if self.silent && self.round_trip.is_none() {
            return MUTE;
        }
        let way = self.rate.map_or(Duration::ZERO, |rate| seconds(self.bytes_under_way as f64 / rate));
        PATIENCE + way.min(MOST_PATIENCE)
    }

    /// The shortest time from a question to its answer.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip.map(|(shortest, _)| shortest)
    }

    /// What the line carries, or the user's limit where that is less.
    pub(super) fn bytes_per_second(&self) -> Option<u64> {
        let cap = self.cap.map(|cap| cap.bytes_per_second);
        let rate = self.rate.map_or(cap, |rate| Some(cap.map_or(rate, |cap| rate.min(cap))));
        rate.map(|rate| rate as u64)
    }
}

/// A duration of so many seconds, none where that makes no sense.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.min(3600.0)).unwrap_or_default()
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
