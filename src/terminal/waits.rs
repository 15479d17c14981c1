//! What the reader must know of the questions under way: an escape byte may then be the beginning of an answer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Shared by the threads that ask and the one that reads.
#[derive(Debug)]
pub(super) struct Waits {
    begun: Instant,
    /// The writer waits for an answer.
    writer: AtomicBool,
    /// Until when other questions are waited for, in milliseconds since `begun`.
    until: AtomicU64,
    /// Shortest time from a question to its answer, in milliseconds.
    round_trip: AtomicU64,
    /// The keyboard protocol is in use.
    keyboard: AtomicBool,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            writer: AtomicBool::default(),
            until: AtomicU64::default(),
            round_trip: AtomicU64::default(),
            keyboard: AtomicBool::default(),
        }
    }
}

impl Waits {
    fn milliseconds(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.begun).as_millis().try_into().unwrap_or(u64::MAX)
    }

    /// Questions are about to be written; their answers are waited for until `end`.
    pub(super) fn ask(&self, end: Instant) {
        self.until.fetch_max(self.milliseconds(end), Ordering::AcqRel);
    }

    /// The last of those answers is there.
    pub(super) fn answered(&self) {
        self.until.store(0, Ordering::Release);
    }

    /// Whether the writer waits for answers, and how long they take at least.
    pub(super) fn set_writer(&self, waits: bool, round_trip: Option<Duration>) {
        self.writer.store(waits, Ordering::Release);
        if let Some(time) = round_trip {
            self.round_trip.store(time.as_millis().try_into().unwrap_or(u64::MAX), Ordering::Release);
        }
    }

    /// The keyboard protocol is in use.
    pub(super) fn set_keyboard(&self) {
        self.keyboard.store(true, Ordering::Release);
    }

    /// What holds for bytes that come now.
    pub(super) fn now(&self, now: Instant) -> Expectation {
        Expectation {
            answer: self.writer.load(Ordering::Acquire) || self.milliseconds(now) < self.until.load(Ordering::Acquire),
            round_trip: Duration::from_millis(self.round_trip.load(Ordering::Acquire)),
            keyboard: self.keyboard.load(Ordering::Acquire),
        }
    }
}

/// What the parser goes by where bytes may be a key or the beginning of something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Expectation {
    /// An answer of the terminal is under way.
    pub(super) answer: bool,
    /// Shortest time from a question to its answer; zero if not known.
    pub(super) round_trip: Duration,
    /// The terminal reports Esc as a sequence of its own, so a lone escape byte is hardly ever the key.
    pub(super) keyboard: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_expected_until_it_came_or_is_late() {
        let (waits, limit) = (Waits::default(), Duration::from_secs(1));
        let now = Instant::now();
        assert_eq!(waits.now(now), Expectation::default());
        waits.ask(now + limit);
        assert!(waits.now(now).answer && !waits.now(now + 2 * limit).answer);
        waits.answered();
        assert!(!waits.now(now).answer);
        waits.set_writer(true, Some(Duration::from_millis(70)));
        assert_eq!(
            waits.now(now + 2 * limit),
            Expectation { answer: true, round_trip: Duration::from_millis(70), keyboard: false }
        );
        waits.set_writer(false, None);
        waits.set_keyboard();
        assert_eq!(
            waits.now(now),
            Expectation { answer: false, round_trip: Duration::from_millis(70), keyboard: true }
        );
    }
}
