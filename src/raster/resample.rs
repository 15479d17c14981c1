//! Resampling of one plane: separable, a triangle filter as wide as a pixel of the picture or of the plane, whichever is
//! larger (so bilinear when magnifying, averaging when minifying). As planes run along the volume's own grid, this is the
//! trilinear value.

use super::{PictureSize, Sampling, SlabKind, View};
use crate::domain::{SliceStack, Volume};
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

    /// Number of samples.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Even { len, .. } => *len,
            Self::Uneven { stack, .. } => stack.offsets.len(),
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

    /// Distance of neighbouring samples in mm.
    pub(super) fn spacing(&self) -> f64 {
        match self {
            Self::Even { spacing, .. } => *spacing,
            Self::Uneven { stack, .. } => stack.spacing.unwrap_or(1.0),
        }
    }

    /// The sample index, with fraction, at a position; `None` outside and in a gap.
    pub(super) fn index(&self, position: f64) -> Option<f64> {
        match self {
            Self::Even { spacing, .. } => {
                let rim = 1e-9 * spacing;
                (-rim..=self.extent() + rim).contains(&position).then(|| position / spacing - 0.5)
            }
            Self::Uneven { stack, reversed } => {
                let half = stack.spacing.unwrap_or(1.0) / 2.0;
                let offset = if *reversed { stack.extent() - (position - half) } else { position - half };
                let own = stack.index_at(offset)?;
                Some(if *reversed { (stack.offsets.len() - 1) as f64 - own } else { own })
            }
        }
    }

    /// Samples and weights (sum 1) that make up the value at a position, averaged over `footprint` mm; empty outside.
    fn taps(&self, position: f64, footprint: f64, sampling: Sampling) -> Vec<(usize, f32)> {
        let Some(index) = self.index(position) else { return Vec::new() };
        let last = self.len().saturating_sub(1);
        if sampling == Sampling::Nearest {
            return vec![((index.round().max(0.0) as usize).min(last), 1.0)];
        }
        match self {
            Self::Even { spacing, .. } => {
                let reach = (footprint / spacing).max(1.0);
                let first = (index - reach).ceil().max(0.0) as usize;
                let last = ((index + reach).floor().max(0.0) as usize).min(last);
                let mut taps: Vec<(usize, f32)> = (first..=last)
                    .map(|i| (i, (1.0 - (i as f64 - index).abs() / reach) as f32))
                    .filter(|(_, weight)| *weight > 0.0)
                    .collect();
                let sum: f32 = taps.iter().map(|(_, weight)| weight).sum();
                for (_, weight) in &mut taps {
                    *weight /= sum;
                }
                taps
            }
            Self::Uneven { .. } => {
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

/// One plane of a volume, or a slab of them, read through strides.
#[derive(Debug, Clone)]
pub(super) struct PlaneImage<'v> {
    pub(super) voxels: &'v [i16],
    /// Where the slices that make up a line begin, and their weights (sum 1): for each line downward, or for all alike. Without
    /// any a line is air.
    pub(super) layers: Vec<Vec<(usize, f32)>>,
    pub(super) kind: SlabKind,
    pub(super) right: Strided,
    pub(super) down: Strided,
}

/// An axis of a plane in the voxels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strided {
    pub(super) stride: usize,
    pub(super) len: usize,
    pub(super) reversed: bool,
}

impl Strided {
    /// Where a sample begins.
    pub(super) fn place(self, index: usize) -> usize {
        self.stride * if self.reversed { self.len.saturating_sub(1 + index) } else { index }
    }
}

impl PlaneImage<'_> {
    /// One line of the plane, left to right.
    fn line(&self, index: usize, out: &mut Vec<f32>) {
        let down = self.down.place(index);
        let values = |layer: usize| {
            let start = layer + down;
            (0..self.right.len)
                .map(move |i| f32::from(self.voxels.get(start + self.right.place(i)).copied().unwrap_or_default()))
        };
        out.clear();
        let layers = self.layers.get(if self.layers.len() == 1 { 0 } else { index }).map_or(&[][..], Vec::as_slice);
        let Some(((first, weight), others)) = layers.split_first().map(|(first, others)| (*first, others)) else {
            out.resize(self.right.len, f32::from(Volume::AIR));
            return;
        };
        if others.is_empty() {
            out.extend(values(first));
            return;
        }
        match self.kind {
            SlabKind::Mean => {
                out.extend(values(first).map(|value| value * weight));
                for (layer, weight) in others {
                    out.iter_mut().zip(values(*layer)).for_each(|(sum, value)| *sum += value * weight);
                }
            }
            SlabKind::Mip => {
                out.extend(values(first));
                for (layer, _) in others {
                    out.iter_mut().zip(values(*layer)).for_each(|(most, value)| *most = most.max(value));
                }
            }
            SlabKind::MinIp => {
                out.extend(values(first));
                for (layer, _) in others {
                    out.iter_mut().zip(values(*layer)).for_each(|(least, value)| *least = least.min(value));
                }
            }
        }
    }
}

/// The plane resampled and windowed, `size.width · size.height` bytes of grey.
pub(super) fn windowed(
    plane: &PlaneImage<'_>,
    mapping: &Mapping,
    size: PictureSize,
    view: &View,
    inverted: bool,
) -> Vec<u8> {
    let width = size.width as usize;
    let across = Taps::of((0..size.width).map(|x| {
        let position = mapping.left + (f64::from(x) + 0.5) * mapping.mm_per_pixel;
        mapping.right.taps(position, mapping.mm_per_pixel, view.sampling)
    }));
    let down = Taps::of((0..size.height).map(|y| {
        let position = mapping.top + (f64::from(y) + 0.5) * mapping.mm_per_line;
        mapping.down.taps(position, mapping.mm_per_line, view.sampling)
    }));
    // Only lines that are seen are read.
    let mut seen = vec![false; plane.down.len];
    for (line, _) in &down.taps {
        if let Some(seen) = seen.get_mut(*line as usize) {
            *seen = true;
        }
    }
    let lines: Vec<Vec<f32>> = seen
        .into_par_iter()
        .enumerate()
        .map_init(Vec::new, |line, (y, seen)| {
            if !seen {
                return Vec::new();
            }
            plane.line(y, line);
            let value = |&(i, weight): &(u32, f32)| line.get(i as usize).copied().unwrap_or_default() * weight;
            (0..width).map(|x| across.at(x).iter().map(value).sum()).collect()
        })
        .collect();
    let table = grey_table(view, inverted);
    let mut grey = vec![0; width * size.height as usize];
    grey.par_chunks_mut(width).enumerate().for_each_init(
        || vec![0.0_f32; width],
        |sum, (y, out)| {
            let taps = down.at(y);
            if taps.is_empty() {
                return;
            }
            sum.fill(0.0);
            for (i, weight) in taps {
                if let Some(line) = lines.get(*i as usize) {
                    for (total, value) in sum.iter_mut().zip(line) {
                        *total += weight * value;
                    }
                }
            }
            for (x, (pixel, value)) in out.iter_mut().zip(sum.iter()).enumerate() {
                if !across.at(x).is_empty() {
                    // Cut off above zero is rounded; `as` saturates, and the table has an entry for every i16.
                    let index = (value - f32::from(i16::MIN) + 0.5) as u16;
                    *pixel = table.get(usize::from(index)).copied().unwrap_or_default();
                }
            }
        },
    );
    grey
}

/// The samples and weights of all pixels along one axis, one after the other.
struct Taps {
    starts: Vec<u32>,
    taps: Vec<(u32, f32)>,
}

impl Taps {
    fn of(pixels: impl Iterator<Item = Vec<(usize, f32)>>) -> Self {
        let mut all = Self { starts: vec![0], taps: Vec::new() };
        for pixel in pixels {
            // At most 16384 pixels of as many samples each: both fit.
            all.taps.extend(pixel.into_iter().map(|(sample, weight)| (sample as u32, weight)));
            all.starts.push(all.taps.len() as u32);
        }
        all
    }

    /// Those of one pixel; none where it lies outside.
    fn at(&self, pixel: usize) -> &[(u32, f32)] {
        match self.starts.get(pixel..pixel + 2) {
            Some(&[from, to]) => &self.taps[from as usize..to as usize],
            _ => &[],
        }
    }
}

/// Grey of every i16.
fn grey_table(view: &View, inverted: bool) -> Vec<u8> {
    (i16::MIN..=i16::MAX)
        .map(|value| {
            let grey = match &view.table {
                Some(table) => table.grey(value),
                None => view.window.grey(f64::from(value)),
            };
            if inverted { 255 - grey } else { grey }
        })
        .collect()
}
