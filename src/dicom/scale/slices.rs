//! Whether all slices of a volume are on one scale. Values of all slices together may look right although some slices lost their
//! rescale: their air is then where the soft tissue of the others is.

use super::spread::NEAR_AIR;
use super::words::Alignment;
use crate::dicom::header::PixelLayout;
use rayon::prelude::*;

/// Samples of one slice, about.
const SAMPLES: usize = 4096;

/// Parts of one slice's values, counted.
#[derive(Debug, Clone, Copy, Default)]
struct Parts {
    all: usize,
    /// Below −300: air, lung, padding.
    low: usize,
    /// Soft tissue.
    soft: usize,
    /// Above 400: bone, contrast medium, metal.
    high: usize,
    /// Air or soft tissue of a slice that is 1000 or 1024 too high.
    raised_air: usize,
    raised_soft: usize,
    /// Air of a slice whose intercept −1024 was applied twice; the usual padding, −2000 and −2048, is outside.
    lowered_air: usize,
    /// Soft tissue and denser.
    tissue: usize,
}

impl Parts {
    fn of(values: impl Iterator<Item = i32>) -> Self {
        let mut parts = Self::default();
        for value in values {
            let count = |low: i32, high: i32| usize::from((low..=high).contains(&value));
            parts.all += 1;
            parts.low += usize::from(value < -300);
            parts.soft += count(-160, 140);
            parts.high += usize::from(value > 400);
            parts.raised_air += count(-40, 88);
            parts.raised_soft += count(864, 1164);
            parts.lowered_air += count(-2044, -2006);
            parts.tissue += usize::from(value > -160);
        }
        parts
    }

    /// Whether the slice alone is evidence of another scale.
    fn is_elsewhere(self) -> bool {
        let share = |part: usize| part * 100 / self.all.max(1);
        let raised = share(self.low) < 1 && share(self.raised_air) >= 2 && share(self.raised_soft) >= 5;
        let lowered = share(self.tissue) < 1 && share(self.lowered_air) >= 5;
        let stretched = share(self.soft) < 2 && share(self.high) >= 10;
        raised || lowered || stretched
    }
}

/// Whether no slice contradicts the others. Values get `shift` added after the modality LUT.
pub(super) fn are_uniform(
    words: &[i16],
    len: usize,
    layouts: &[PixelLayout],
    alignment: Alignment,
    shift: i32,
) -> bool {
    let stride = (len / SAMPLES) | 1;
    !words.par_chunks(len.max(1)).zip(layouts).any(|(slice, layout)| {
        let reading = alignment.reading(layout);
        let value = |word: &i16| {
            let stored = reading.value(word.cast_unsigned());
            let padding = layout.padding.is_some_and(|(low, high)| (low..=high).contains(&stored));
            let value = i32::from(layout.lut.hounsfield(stored)) + shift;
            (!padding || value > NEAR_AIR).then_some(value)
        };
        Parts::of(slice.iter().step_by(stride).filter_map(value)).is_elsewhere()
    })
}
