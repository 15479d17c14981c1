//! How long this connection interrupts sequences: an escape byte waits that long for the rest before it is the Esc key.

use std::time::Duration;

/// Longer gaps are not measured: Esc cannot wait that long.
const LONGEST: Duration = Duration::from_secs(1);
/// One part in so many fades with each sequence, so that one stall does not slow Esc down for hours.
const FADING: u32 = 1024;

/// The longest gap inside the sequences of late.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// Inside the sequence at hand.
    current: Duration,
    /// Inside whole sequences.
    longest: Duration,
}

impl Gaps {
    /// A sequence may begin.
    pub(super) fn begin(&mut self) {
        self.current = Duration::ZERO;
    }

    /// More bytes of it came so long after the ones before.
    pub(super) fn add(&mut self, gap: Duration) {
        if gap <= LONGEST {
            self.current = self.current.max(gap);
        }
    }

    /// It was a sequence, and it is whole.
    pub(super) fn end(&mut self) {
        self.longest = (self.longest - self.longest / FADING).max(self.current);
        self.current = Duration::ZERO;
    }

    /// How long the rest of a sequence may take to come: half as long again as it has taken.
    pub(super) fn wait(&self) -> Duration {
        self.longest * 3 / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn sequence(gaps: &mut Gaps, inside: &[u64]) {
        gaps.begin();
        inside.iter().for_each(|gap| gaps.add(ms(*gap)));
        gaps.end();
    }

    #[test]
    fn only_gaps_inside_whole_sequences_count_and_they_fade() {
        let mut gaps = Gaps::default();
        assert_eq!(gaps.wait(), Duration::ZERO);
        // Esc, and something else after a while.
        gaps.add(ms(300));
        gaps.begin();
        assert_eq!(gaps.wait(), Duration::ZERO);
        sequence(&mut gaps, &[40, 100, 2]);
        assert_eq!(gaps.wait(), ms(150));
        sequence(&mut gaps, &[1]);
        assert!((ms(149)..ms(150)).contains(&gaps.wait()), "{:?}", gaps.wait());
        sequence(&mut gaps, &[5000]);
        assert!((ms(149)..ms(150)).contains(&gaps.wait()), "a connection that stands still is no measure");
        for _ in 0..5000 {
            sequence(&mut gaps, &[1]);
        }
        assert!(gaps.wait() < ms(5), "{:?}", gaps.wait());
    }
}
