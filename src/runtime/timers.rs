//! What comes by itself: the cine loop's ticks and the one timer that `update` asks for.

use crate::app::Message;
use crossbeam_channel::{Receiver, after, never, tick};
use std::time::{Duration, Instant};

/// The timers; none runs at first.
pub(super) struct Timers {
    /// When the cine loop wants its next slice.
    pub(super) cine: Receiver<Instant>,
    /// When the timer that was asked for has run out.
    pub(super) wake: Receiver<Instant>,
    serial: u64,
}

impl Default for Timers {
    fn default() -> Self {
        Self { cine: never(), wake: never(), serial: 0 }
    }
}

impl Timers {
    /// Ticks so often; no longer where there is no period.
    pub(super) fn cine(&mut self, period: Option<Duration>) {
        // A loop that is slower than its ticks gets one at a time: the channel holds no more.
        self.cine = period.map_or_else(never, tick);
    }

    /// Runs out after a while; an earlier one is forgotten.
    pub(super) fn wake(&mut self, serial: u64, delay: Duration) {
        (self.serial, self.wake) = (serial, after(delay));
    }

    /// The message of a timer that has run out.
    pub(super) fn woken(&mut self) -> Message {
        self.wake = never();
        Message::Woken(self.serial)
    }
}
