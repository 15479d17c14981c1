//! Cine: slices one after the other by themselves.

use std::time::Duration;

/// Rates that keys go through, slices per second.
const RATES: [u16; 11] = [1, 2, 3, 5, 8, 10, 12, 15, 20, 25, 30];

/// The cine loop. It keeps its rate while it stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cine {
    /// Whether it runs.
    pub running: bool,
    rate: u16,
}

impl Default for Cine {
    fn default() -> Self {
        Self { running: false, rate: 10 }
    }
}

impl Cine {
    /// The fastest, slices per second: terminals show no more.
    pub const FASTEST: u16 = 30;

    /// Slices per second.
    #[must_use]
    pub fn rate(&self) -> u16 {
        self.rate
    }

    /// Sets the rate, held within 1 to [`Cine::FASTEST`].
    pub(super) fn set_rate(&mut self, rate: u16) {
        self.rate = rate.clamp(1, Self::FASTEST);
    }

    /// The next rate up or down.
    pub(super) fn change_rate(&mut self, faster: bool) {
        let next = if faster {
            RATES.into_iter().find(|rate| *rate > self.rate)
        } else {
            RATES.into_iter().rev().find(|rate| *rate < self.rate)
        };
        self.rate = next.unwrap_or(self.rate);
    }

    /// The time from one slice to the next; `None` while it stands still.
    #[must_use]
    pub fn period(&self) -> Option<Duration> {
        self.running.then(|| Duration::from_secs(1) / u32::from(self.rate.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_stays_within_what_a_terminal_shows() {
        let mut cine = Cine::default();
        assert_eq!(cine.period(), None);
        cine.running = true;
        assert_eq!(cine.period(), Some(Duration::from_millis(100)));
        for _ in 0..20 {
            cine.change_rate(true);
        }
        assert_eq!(cine.rate(), Cine::FASTEST);
        for _ in 0..20 {
            cine.change_rate(false);
        }
        assert_eq!((cine.rate(), cine.period()), (1, Some(Duration::from_secs(1))));
        cine.set_rate(7);
        cine.change_rate(true);
        assert_eq!(cine.rate(), 8);
    }
}
