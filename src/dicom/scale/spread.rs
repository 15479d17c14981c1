//! The distribution of a volume's values, and what it shows of air and soft tissue.

use super::words::Alignment;
use crate::dicom::header::PixelLayout;
use rayon::prelude::*;

/// Range of the histogram in HU; values outside are counted at its ends.
const LOW: i32 = -4096;
const HIGH: i32 = 8192;
/// Voxels that are looked at, about.
const SAMPLES: usize = 2_000_000;
/// Values up to this are air, padding or less, HU.
pub(super) const NEAR_AIR: i32 = -900;

/// A histogram of values after the modality LUT, not held above air. Declared padding below tissue is left out.
#[derive(Debug, Clone)]
pub(super) struct Spread {
    bins: Vec<u32>,
    total: u64,
}

impl Spread {
    /// Counts values.
    pub(super) fn new(values: impl IntoIterator<Item = i16>) -> Self {
        let mut spread = Self { bins: vec![0; (HIGH - LOW) as usize + 1], total: 0 };
        values.into_iter().for_each(|value| spread.add(value));
        spread
    }

    fn add(&mut self, value: i16) {
        let bin = (i32::from(value).clamp(LOW, HIGH) - LOW) as usize;
        if let Some(count) = self.bins.get_mut(bin) {
            *count = count.saturating_add(1);
            self.total += 1;
        }
    }

    fn merged(mut self, other: &Self) -> Self {
        self.bins.iter_mut().zip(&other.bins).for_each(|(bin, more)| *bin = bin.saturating_add(*more));
        self.total += other.total;
        self
    }

    /// The spread of slices of `len` stored words each.
    pub(super) fn of(words: &[i16], len: usize, layouts: &[PixelLayout], alignment: Alignment) -> Self {
        // An odd stride visits all columns of the usual widths.
        let stride = (words.len() / SAMPLES) | 1;
        let add = |mut spread: Self, (index, (slice, layout)): (usize, (&[i16], &PixelLayout))| {
            let reading = alignment.reading(layout);
            for word in slice.iter().skip(index % stride).step_by(stride) {
                let stored = reading.value(word.cast_unsigned());
                let value = layout.lut.hounsfield(stored);
                let padding = layout.padding.is_some_and(|(low, high)| (low..=high).contains(&stored));
                if !padding || i32::from(value) > NEAR_AIR {
                    spread.add(value);
                }
            }
            spread
        };
        words
            .par_chunks(len.max(1))
            .zip(layouts)
            .enumerate()
            .with_min_len(16)
            .fold(|| Self::new([]), add)
            .reduce(|| Self::new([]), |a, b| a.merged(&b))
    }

    /// Values counted.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Values in `low..=high`.
    pub(super) fn count(&self, low: i32, high: i32) -> u64 {
        self.range(low, high).iter().map(|count| u64::from(*count)).sum()
    }

    /// The count of the two most frequent values in `low..=high`.
    pub(super) fn spikes(&self, low: i32, high: i32) -> u64 {
        let (mut first, mut second) = (0, 0);
        for &count in self.range(low, high) {
            if count > first {
                (first, second) = (count, first);
            } else if count > second {
                second = count;
            }
        }
        u64::from(first) + u64::from(second)
    }

    fn range(&self, low: i32, high: i32) -> &[u32] {
        let index = |value: i32| (value.clamp(LOW, HIGH) - LOW) as usize;
        if low > high { &[] } else { self.bins.get(index(low)..=index(high)).unwrap_or_default() }
    }

    /// The center of the fullest window of `width` HU in `low..=high`; `None` if nothing is there. Of equal windows the middle.
    pub(super) fn mode(&self, low: i32, high: i32, width: usize) -> Option<i32> {
        let bins = self.range(low, high);
        let mut inside: u64 = 0;
        let (mut most, mut first, mut last) = (0, 0, 0);
        for (end, count) in bins.iter().enumerate() {
            inside += u64::from(*count);
            if let Some(start) = end.checked_sub(width) {
                inside -= u64::from(bins[start]);
            }
            if inside > most {
                (most, first, last) = (inside, end, end);
            } else if inside == most && end == last + 1 {
                last = end;
            }
        }
        let end = (first + last) / 2;
        (most > 0).then(|| low.clamp(LOW, HIGH) + end as i32 - (width / 2) as i32)
    }

    /// The smallest value that occurs.
    pub(super) fn least(&self) -> Option<i32> {
        self.bins.iter().position(|count| *count > 0).map(|bin| LOW + bin as i32)
    }

    /// The same without one value.
    pub(super) fn without(&self, value: i32) -> Self {
        let mut other = self.clone();
        if let Some(count) = usize::try_from(value - LOW).ok().and_then(|bin| other.bins.get_mut(bin)) {
            other.total -= u64::from(*count);
            *count = 0;
        }
        other
    }

    /// The value that `part` per mille of all values do not exceed.
    pub(super) fn percentile(&self, part: u64) -> i16 {
        let wanted = (self.total * part).div_ceil(1000).max(1);
        let mut below = 0;
        let bin = self.bins.iter().position(|count| {
            below += u64::from(*count);
            below >= wanted
        });
        bin.map_or(0, |bin| (LOW + bin as i32) as i16)
    }
}
