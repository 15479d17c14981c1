//! The line to the terminal: fences, what their answers tell of it, and how much may be under way on it. Pure: the time comes in.
//!
//! A fence is a question whose answer says that everything before it has arrived. Pictures go out in pieces, each with its
//! fence, and only so many that a text written in between waits for some hundredth parts of a second: bytes once handed to
//! the system can no longer be overtaken. Two limits see to that. The window holds what may be without an answer; it grows
//! while answers come about as soon as they can, and shrinks when they are late (as LEDBAT does, RFC 6817). The pace holds
//! back what, at the rate found, would only wait on the way (as BBR does, draft-ietf-ccwg-bbr): after a pause a window's
//! worth at once would be a queue.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Two pieces: what a line of which nothing is known is given at once. With less it would lie idle between a piece and its
/// answer.
const LEAST_WINDOW: usize = 9 * 1024;
/// No line needs more: 1 Gbit/s over 60 ms.
const MOST_WINDOW: usize = 8 * 1024 * 1024;
/// Answers that are less late than this let more go out.
const PROMPT: Duration = Duration::from_millis(35);
/// Answers later than this let less go out.
const LATE: Duration = Duration::from_millis(80);
/// How long the last of what is written may be on its way because of what was written before it, at the rate found.
const QUEUE: Duration = Duration::from_millis(60);
/// Less time than this between two answers tells of the reader's doing, not of the line.
const SHORTEST_SPAN: Duration = Duration::from_millis(2);
/// Smaller pieces tell the round trip, larger ones the rate.
const MEASURES_RATE: usize = 1024;
/// A round trip as short as the shortest known is looked for again after this time.
const REMEMBERED: Duration = Duration::from_secs(60);
/// Asks for the cursor's position from the second row.
const QUESTION: &[u8; 10] = b"\x1b[2;1H\x1b[6n";
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
    /// Nothing was under way before it, or nothing of that had been answered: its time holds the whole way there and back.
    first: bool,
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

/// How late the newest answer came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Lateness {
    /// None has been late yet: the line may carry far more than was ever tried.
    #[default]
    Never,
    Prompt,
    Waited,
    Late,
}

impl Lateness {
    /// Bytes let out for each that the line is thought to carry: a little more finds out whether it carries more.
    fn gain(self) -> f64 {
        match self {
            Self::Never => 1.5,
            Self::Prompt => 1.25,
            Self::Waited => 1.0,
            Self::Late => 0.8,
        }
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
    /// An answer came since the line was last idle.
    flows: bool,
    pressed: bool,
    /// When the window last shrank: what was sent before tells nothing new.
    shrank: Option<Instant>,
    lateness: Lateness,
    /// When, at the rate found, all that was written has left.
    drained: Option<Instant>,
    /// When the piece that was last refused may go.
    paced: Option<Instant>,
    /// An answer was waited for in vain: nothing is held back until one comes.
    silent: bool,
    cap: Option<Cap>,
}

impl Line {
    /// Asks for the cursor's position, from the second row: an answer from the first looks like F3 with modifiers. All of
    /// `out` is taken to be written at once. Where the round trip is not known, a question goes before it, too, whose answer
    /// waits for nothing.
    pub(super) fn raise(&mut self, out: &mut Vec<u8>, now: Instant) -> u64 {
        let stale = self.round_trip.is_none_or(|(_, seen)| now.saturating_duration_since(seen) >= REMEMBERED);
        if stale && self.under_way.is_empty() && out.len() >= MEASURES_RATE {
            out.splice(0..0, *QUESTION);
            self.push(QUESTION.len(), now);
        }
        out.extend_from_slice(QUESTION);
        self.push(out.len(), now);
        self.raised
    }

    fn push(&mut self, bytes: usize, now: Instant) {
        self.raised += 1;
        if self.under_way.is_empty() {
            self.delivered_at = Some(now);
            self.flows = false;
        }
        let (fence, delivered, first) = (self.raised, self.delivered, !self.flows);
        let since = self.delivered_at.unwrap_or(now);
        let pressed = std::mem::take(&mut self.pressed);
        self.under_way.push_back(Piece { fence, bytes, at: now, delivered, since, first, pressed });
        self.bytes_under_way += bytes;
    }

    /// Whether the terminal leaves all questions without an answer: then nothing waits for it until one comes.
    pub(super) fn set_mute(&mut self, mute: bool) {
        if self.round_trip.is_none() {
            self.silent = mute;
        }
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
        self.learn(&piece, now);
        self.delivered_at = Some(now);
        self.flows = true;
    }

    fn learn(&mut self, piece: &Piece, now: Instant) {
        let took = now.saturating_duration_since(piece.at);
        let known = self.round_trip.filter(|(_, seen)| now.saturating_duration_since(*seen) < REMEMBERED);
        let shortest = known.filter(|(shortest, _)| *shortest <= took).unwrap_or((took, now));
        self.round_trip = Some(shortest);
        let late = took - shortest.0;
        self.lateness = match self.lateness {
            _ if late > LATE => Lateness::Late,
            _ if late >= PROMPT => Lateness::Waited,
            Lateness::Never => Lateness::Never,
            _ => Lateness::Prompt,
        };
        let way = if piece.first { shortest.0 } else { Duration::ZERO };
        if piece.bytes >= MEASURES_RATE && !(piece.first && known.is_none()) {
            let span = now.saturating_duration_since(piece.since).saturating_sub(way).max(SHORTEST_SPAN);
            let sample = (self.delivered - piece.delivered) as f64 / span.as_secs_f64();
            self.rate = Some(match self.rate {
                None => sample,
                Some(rate) if sample > rate => rate + (sample - rate) / 2.0,
                // What did not wait on the way tells more of us than of the line.
                Some(rate) if late >= PROMPT => rate + (sample - rate) / 4.0,
                Some(rate) => rate,
            });
        }
        let window = self.window();
        if late < PROMPT {
            if piece.pressed {
                self.window = Some((window + piece.bytes).min(MOST_WINDOW));
            }
        } else if late > LATE && self.shrank.is_none_or(|shrank| piece.at >= shrank) {
            let fits = (shortest.0 + PROMPT).as_secs_f64() / took.as_secs_f64();
            self.window = Some(((window as f64 * fits) as usize).max(LEAST_WINDOW));
            self.shrank = Some(now);
        }
    }

    fn window(&self) -> usize {
        self.window.unwrap_or(LEAST_WINDOW)
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

    /// Whether a fence is up.
    pub(super) fn awaits_answers(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Whether this fence was answered.
    pub(super) fn passed(&self, fence: u64) -> bool {
        self.answered >= fence
    }

    /// This fence's answer, and those before it, are no longer waited for.
    pub(super) fn give_up(&mut self, fence: u64) {
        self.silent = true;
        self.paced = None;
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
        let alone = self.under_way.is_empty();
        let fits = self.silent || alone || self.bytes_under_way + bytes <= self.window();
        if !fits {
            self.pressed = true;
        }
        self.paced = self.drained.filter(|drained| !self.silent && *drained > now).and_then(|drained| {
            let may = (drained + self.takes(bytes)).checked_sub(QUEUE)?;
            // One piece that takes longer than that waits for nothing but those before it.
            Some(may.min(drained)).filter(|may| *may > now)
        });
        fits && self.allowed_at(now).is_none()
    }

    /// How long so many bytes take the line, as far as is known.
    fn takes(&self, bytes: usize) -> Duration {
        self.rate.map_or(Duration::ZERO, |rate| seconds(bytes as f64 / (rate * self.lateness.gain()).max(1.0)))
    }

    /// When the pace and the user's limit let the next piece out; `None` for now.
    pub(super) fn allowed_at(&mut self, now: Instant) -> Option<Instant> {
        let capped = self.cap.as_mut().and_then(|cap| {
            cap.refill(now);
            (cap.credit < 0.0).then(|| now + seconds(-cap.credit / cap.bytes_per_second))
        });
        // Never in the past, or so near that the wait would be a busy one.
        let next = capped.max(self.paced.filter(|paced| *paced > now));
        next.map(|next| next.max(now + Duration::from_millis(1)))
    }

    /// So much was written.
    pub(super) fn wrote(&mut self, bytes: usize, now: Instant) {
        if let Some(cap) = &mut self.cap {
            cap.refill(now);
            cap.credit -= bytes as f64;
        }
        self.drained = Some(self.drained.map_or(now, |drained| drained.max(now)) + self.takes(bytes));
        self.paced = None;
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
