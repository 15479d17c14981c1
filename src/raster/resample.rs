//! Resampling of one plane: separable, a triangle filter as wide as a pixel of the picture or of the plane, whichever is
//! larger (so bilinear when magnifying, averaging when minifying).

use super::PictureSize;
use crate::domain::{SliceStack, WindowLevel};
use rayon::prelude::*;

/// Positions of the samples along one axis of the display, in mm from its edge.
#[derive(Debug, Clone)]
pub(super) enum Line {
    /// Evenly spaced samples.
    Even { len: usize, spacing: f64 },
    /// Slices where they lie; gaps stay empty.
    Uneven { stack: SliceStack, reversed: bool },
}

impl Line {
    pub(super) fn even(len: usize, spacing: f64) -> Self {
        Self::Even { len, spacing }
    }

    pub(super) fn stack(stack: &SliceStack, reversed: bool) -> Self {
        let spacing = stack.spacing.unwrap_or(1.0);
        let even = stack.offsets.windows(2).all(|pair| (pair[1] - pair[0] - spacing).abs() < 0.05 * spacing);
        if even {
            Self::Even { len: stack.offsets.len(), spacing }
        } else {
            Self::Uneven { stack: stack.clone(), reversed }
        }
    }

    /// Length from edge to edge in mm.
    pub(super) fn extent(&self) -> f64 {
        match self {
            Self::Even { len, spacing } => *len as f64 * spacing,
            Self::Uneven { stack, .. } => stack.extent() + stack.spacing.unwrap_or(1.0),
        }
    }

    /// Position in mm of a sample (fractions allowed), from the edge.
    pub(super) fn position(&self, index: f64) -> f64 {
        match self {
            Self::Even { spacing, .. } => (index + 0.5) * spacing,
            Self::Uneven { stack, reversed } => {
                let last = stack.offsets.len().saturating_sub(1);
                let own = if *reversed { last as f64 - index } else { index }.clamp(0.0, last as f64);
                let (low, high) = (own.floor() as usize, own.ceil() as usize);
                let at = |i: usize| stack.offsets.get(i).copied().unwrap_or(0.0);
                let offset = at(low) + (own - low as f64) * (at(high) - at(low));
                let offset = if *reversed { stack.extent() - offset } else { offset };
                offset + stack.spacing.unwrap_or(1.0) / 2.0
            }
        }
    }

    /// Samples and weights (sum 1) that make up the value at a position, averaged over `footprint` mm; empty outside.
    fn taps(&self, position: f64, footprint: f64) -> Vec<(usize, f32)> {
        match self {
            Self::Even { len, spacing } => {
                if position < 0.0 || position > self.extent() {
                    return Vec::new();
                }
                let center = position / spacing - 0.5;
                let reach = (footprint / spacing).max(1.0);
                let first = (center - reach).ceil().max(0.0) as usize;
                let last = ((center + reach).floor().max(0.0) as usize).min(len.saturating_sub(1));
                let mut taps: Vec<(usize, f32)> = (first..=last)
                    .map(|i| (i, (1.0 - (i as f64 - center).abs() / reach) as f32))
                    .filter(|(_, weight)| *weight > 0.0)
                    .collect();
                let sum: f32 = taps.iter().map(|(_, weight)| weight).sum();
                for (_, weight) in &mut taps {
                    *weight /= sum;
                }
                taps
            }
            Self::Uneven { stack, reversed } => {
                let half = stack.spacing.unwrap_or(1.0) / 2.0;
                let offset = if *reversed { stack.extent() - (position - half) } else { position - half };
                let Some(own) = stack.index_at(offset) else { return Vec::new() };
                let last = stack.offsets.len() - 1;
                let index = if *reversed { last as f64 - own } else { own };
                let low = index.floor() as usize;
                let part = (index - low as f64) as f32;
                if part > 0.0 { vec![(low, 1.0 - part), (low + 1, part)] } else { vec![(low, 1.0)] }
            }
        }
    }
}

/// How the pixels of a picture lie on a plane.
#[derive(Debug, Clone)]
pub(super) struct Mapping {
    /// Width of a pixel in mm (or in the plane's pixels where the volume is not metric).
    pub(super) mm_per_pixel: f64,
    /// Height of a pixel, likewise.
    pub(super) mm_per_line: f64,
    /// Position of the picture's left edge.
    pub(super) left: f64,
    /// Position of the picture's top edge.
    pub(super) top: f64,
    /// Samples rightward.
    pub(super) right: Line,
    /// Samples downward.
    pub(super) down: Line,
}

/// One plane of a volume, read through strides.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlaneImage<'v> {
    voxels: &'v [i16],
    origin: usize,
    right: (usize, usize, bool),
    down: (usize, usize, bool),
}

impl<'v> PlaneImage<'v> {
    /// `right` and `down` are stride, length and whether the axis is reversed.
    pub(super) fn new(
        voxels: &'v [i16],
        origin: usize,
        right: (usize, usize, bool),
        down: (usize, usize, bool),
    ) -> Self {
        Self { voxels, origin, right, down }
    }

    /// One line of the plane, left to right.
    fn line(&self, index: usize, out: &mut Vec<f32>) {
        out.clear();
        let place = |(stride, len, reversed): (usize, usize, bool), i: usize| {
            stride * if reversed { len.saturating_sub(1 + i) } else { i }
        };
        let start = self.origin + place(self.down, index);
        out.extend(
            (0..self.right.1)
                .map(|i| f32::from(self.voxels.get(start + place(self.right, i)).copied().unwrap_or_default())),
        );
    }
}

/// The plane resampled and windowed, `size.width · size.height` bytes of grey.
pub(super) fn windowed(
    plane: &PlaneImage<'_>,
    mapping: &Mapping,
    size: PictureSize,
    window: &WindowLevel,
    inverted: bool,
) -> Vec<u8> {
    let width = size.width as usize;
    let across: Vec<Vec<(usize, f32)>> = (0..size.width)
        .map(|x| mapping.right.taps(mapping.left + (f64::from(x) + 0.5) * mapping.mm_per_pixel, mapping.mm_per_pixel))
        .collect();
    let lines: Vec<Vec<f32>> = (0..plane.down.1)
        .into_par_iter()
        .map_init(Vec::new, |line, y| {
            plane.line(y, line);
            across
                .iter()
                .map(|taps| taps.iter().map(|&(i, weight)| line.get(i).copied().unwrap_or_default() * weight).sum())
                .collect()
        })
        .collect();
    let table = grey_table(window, inverted);
    let mut grey = vec![0; width * size.height as usize];
    grey.par_chunks_mut(width).enumerate().for_each_init(
        || vec![0.0_f32; width],
        |sum, (y, out)| {
            let position = mapping.top + (y as f64 + 0.5) * mapping.mm_per_line;
            let taps = mapping.down.taps(position, mapping.mm_per_line);
            if taps.is_empty() {
                return;
            }
            sum.fill(0.0);
            for (i, weight) in taps {
                if let Some(line) = lines.get(i) {
                    for (total, value) in sum.iter_mut().zip(line) {
                        *total += weight * value;
                    }
                }
            }
            for ((pixel, value), taps) in out.iter_mut().zip(sum.iter()).zip(&across) {
                if !taps.is_empty() {
                    // `as` saturates; the table has an entry for every i16.
                    let index = (value.round() as i16 as i32 - i32::from(i16::MIN)) as usize;
                    *pixel = table.get(index).copied().unwrap_or_default();
                }
            }
        },
    );
    grey
}

fn grey_table(window: &WindowLevel, inverted: bool) -> Vec<u8> {
    (i16::MIN..=i16::MAX)
        .map(|value| {
            let grey = window.grey(f64::from(value));
            if inverted { 255 - grey } else { grey }
        })
        .collect()
}
