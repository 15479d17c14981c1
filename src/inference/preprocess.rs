//! A volume to the network's input. `cspine tensors` and the background worker call the same code, so that training and
//! inference cannot drift apart.
//!
//! Each axial slice becomes a square of `size` pixels and `millimetres` mm, patient's right at the left and front up, centred on
//! the vertebrae, [`BEHIND_MM`] behind the course of the spine (`spine`), where the package says so and the scan has bone; else on
//! the body: the median column and row of what is denser than −300 HU, smoothed over neighbouring slices. Its channels lie at given
//! offsets in mm and are cut at the same place: each the mean of the slices about that offset where the package names a slab, so that thin,
//! grainy slices look to the network like thick ones; else the nearest slice. Outside the picture is air. The window maps HU to a byte.

mod neck;
mod spine;

use super::manifest::{Centre, InputSpec};
use crate::domain::{Axis, Missing, NotAnalysed, Oddity, SpineCourse, Volume};
use neck::Neck;
use rayon::prelude::*;
use std::ops::Range;

/// Changes whenever the bytes that a volume gives change; written beside exported tensors and checked by nobody but humans.
pub const PREPROCESSING_VERSION: u32 = 3;

/// Denser than this is body, HU.
const BODY_HU: i16 = -300;
/// The centre is the median over slices within this distance, mm.
const SMOOTHING_MM: f64 = 10.0;
/// The course of the spine is that of the bodies and pillars; the spinous processes reach farther back than the bodies forward.
const BEHIND_MM: f64 = 14.0;

/// Where an input lies in its slice. Input pixel (x, y) is column `column0 + x · columns_per_pixel` and row
/// `row0 + y · rows_per_pixel` of the canonical slice, which is the stored one mirrored where a flip says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crop {
    /// Canonical column of the first input column's centre.
    pub column0: f64,
    /// Canonical row of the first input row's centre.
    pub row0: f64,
    /// Columns from one input pixel to the next.
    pub columns_per_pixel: f64,
    /// Rows from one input pixel to the next.
    pub rows_per_pixel: f64,
    /// Whether stored columns run from the patient's left to the right.
    pub flip_columns: bool,
    /// Whether stored rows run from back to front.
    pub flip_rows: bool,
}

impl Crop {
    /// The stored (row, column), with fractions, of an input pixel (x, y), with fractions, in a slice of `rows` · `columns`.
    #[must_use]
    pub fn voxel(&self, x: f64, y: f64, rows: usize, columns: usize) -> (f64, f64) {
        let column = self.column0 + x * self.columns_per_pixel;
        let row = self.row0 + y * self.rows_per_pixel;
        let mirrored = |value: f64, len: usize, flip: bool| if flip { len as f64 - 1.0 - value } else { value };
        (mirrored(row, rows, self.flip_rows), mirrored(column, columns, self.flip_columns))
    }
}

/// Cuts the inputs out of one volume.
#[derive(Debug)]
pub struct Preprocessor<'v> {
    volume: &'v Volume,
    spec: InputSpec,
    /// The slices among which the neck is searched.
    searched: Range<usize>,
    /// Centre of each slice of `searched`, canonical (row, column).
    centres: Vec<(f64, f64)>,
    flip_columns: bool,
    flip_rows: bool,
    per_pixel: (f64, f64),
    grey: Vec<u8>,
}

impl<'v> Preprocessor<'v> {
    /// Prepares a volume: finds the range of the neck, and in each of its slices the body's middle or the spine.
    ///
    /// # Errors
    /// A volume that the network cannot be given: no Hounsfield units, no geometry, not axial.
    pub fn new(volume: &'v Volume, spec: &InputSpec) -> Result<Self, NotAnalysed> {
        volume.units.confirmed().map_err(NotAnalysed::NotHounsfield)?;
        if let Some(why) = Oddity::ambiguity(&volume.oddities) {
            return Err(NotAnalysed::Ambiguous(why));
        }
        let plane = volume.plane.ok_or(NotAnalysed::NoGeometry(Missing::SlicePositions))?;
        let spacing = volume.spacing.ok_or(NotAnalysed::NoGeometry(Missing::PixelSpacing))?;
        if plane.normal_axis() != Axis::HeadFoot {
            return Err(NotAnalysed::NoAxialSeries);
        }
        if Axis::nearest(plane.row_cosines) != Axis::RightLeft {
            // `dicom` turns every CT volume; what is left is turned by half a right angle and more.
            return Err(NotAnalysed::Unsupported("the slices are turned too far from any plane of the body".into()));
        }
        let (flip_columns, flip_rows) = (plane.row_cosines.x < 0.0, plane.column_cosines.y < 0.0);
        let pixel_mm = spec.millimetres / f64::from(spec.size);
        let [low, high] = spec.window_hu;
        let grey = (i16::MIN..=i16::MAX)
            .map(|hu| (((f64::from(hu) - low) / (high - low)).clamp(0.0, 1.0) * 255.0).round() as u8)
            .collect();
        let Neck { searched, followed } = Neck::find(volume, spacing);
        let offsets = volume.stack.offsets.get(followed.clone()).unwrap_or_default();
        let bodies = bodies(volume, followed.clone());
        let course = match spec.centre {
            Centre::Body => None,
            Centre::Spine => spine::course(volume, followed, (spacing.row, spacing.column), &bodies),
        };
        let (middles, behind) = match course {
            Some(course) => (smoothed(&course, offsets, mean), BEHIND_MM / spacing.row),
            None => (bodies, 0.0),
        };
        let canonical = |value: f64, len: usize, flip: bool| if flip { len as f64 - 1.0 - value } else { value };
        let centres = middles.into_iter().take(searched.len()).map(|(row, column)| {
            let row = canonical(row, volume.shape.rows, flip_rows) + behind;
            (row, canonical(column, volume.shape.columns, flip_columns))
        });
        Ok(Self {
            volume,
            spec: spec.clone(),
            searched,
            centres: centres.collect(),
            flip_columns,
            flip_rows,
            per_pixel: (pixel_mm / spacing.row, pixel_mm / spacing.column),
            grey,
        })
    }

    /// Bytes of one input: channels · size · size.
    #[must_use]
    pub fn input_len(&self) -> usize {
        let size = self.spec.size as usize;
        self.spec.channel_offsets_mm.len() * size * size
    }

    /// The slices among which the neck is searched; the network is to see no others. All of them, unless the scan shows so much
    /// more of the body that its neck is found without a network.
    #[must_use]
    pub fn searched(&self) -> Range<usize> {
        self.searched.clone()
    }

    /// Where a slice's input lies; `None` past the end. Slices that are not [searched](Self::searched) have the place of the nearest that is.
    #[must_use]
    pub fn crop(&self, slice: usize) -> Option<Crop> {
        if slice >= self.volume.shape.slices {
            return None;
        }
        let nearest = slice.saturating_sub(self.searched.start).min(self.centres.len().checked_sub(1)?);
        let (row, column) = *self.centres.get(nearest)?;
        let half = (f64::from(self.spec.size) - 1.0) / 2.0;
        Some(Crop {
            column0: column - half * self.per_pixel.1,
            row0: row - half * self.per_pixel.0,
            columns_per_pixel: self.per_pixel.1,
            rows_per_pixel: self.per_pixel.0,
            flip_columns: self.flip_columns,
            flip_rows: self.flip_rows,
        })
    }

    /// Where the inputs of all slices lie.
    pub(super) fn crops(&self) -> Vec<Crop> {
        (0..self.volume.shape.slices).filter_map(|slice| self.crop(slice)).collect()
    }

    /// The slice that stands for `offset` mm footward of another: the nearest one, or the slice itself where none is within
    /// half a spacing or 1 mm, at the ends and at gaps.
    fn neighbour(&self, slice: usize, offset: f64) -> usize {
        let offsets = &self.volume.stack.offsets;
        let Some(target) = offsets.get(slice).map(|own| own + offset) else { return slice };
        let after = offsets.partition_point(|&o| o < target);
        let near = |index: &usize| offsets.get(*index).map(|o| (o - target).abs());
        let nearest = [after.wrapping_sub(1), after]
            .into_iter()
            .filter_map(|index| Some((index, near(&index)?)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        let reach = (self.volume.stack.spacing.unwrap_or(0.0) / 2.0).max(1.0) + 1e-6;
        nearest.filter(|(_, distance)| *distance <= reach).map_or(slice, |(index, _)| index)
    }

    /// The slices, with weights that add up to 1, that make up the channel at `offset`: those within a slab of it, by a triangle;
    /// the [`neighbour`](Self::neighbour) alone where there is no slab, or none so close.
    fn sources(&self, slice: usize, offset: f64) -> Vec<(usize, f32)> {
        let nearest = self.neighbour(slice, offset);
        let (offsets, slab) = (&self.volume.stack.offsets, self.spec.slab_mm);
        let alone = vec![(nearest, 1.0)];
        let Some(own) = offsets.get(slice).copied().filter(|_| slab > 0.0) else { return alone };
        // Past the end of the scan, or of a part of it, the slice stands for itself.
        let target = if nearest == slice { own } else { own + offset };
        let first = offsets.partition_point(|&o| o <= target - slab);
        let near = offsets.iter().enumerate().skip(first).take_while(|(_, o)| **o < target + slab);
        let weights: Vec<(usize, f64)> = near.map(|(index, o)| (index, 1.0 - (o - target).abs() / slab)).collect();
        let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
        if sum > 0.0 { weights.into_iter().map(|(i, weight)| (i, (weight / sum) as f32)).collect() } else { alone }
    }

    /// The input of one slice, `[channels, size, size]`; `None` past the end.
    #[must_use]
    pub fn input(&self, slice: usize) -> Option<Vec<u8>> {
        let crop = self.crop(slice)?;
        let size = self.spec.size as usize;
        let across = taps(crop.column0, crop.columns_per_pixel, size, self.volume.shape.columns, self.flip_columns);
        let down = taps(crop.row0, crop.rows_per_pixel, size, self.volume.shape.rows, self.flip_rows);
        let used = span(&across);
        let mut input = Vec::with_capacity(self.input_len());
        let mut last: Option<(Vec<(usize, f32)>, usize)> = None;
        for offset in &self.spec.channel_offsets_mm {
            let sources = self.sources(slice, *offset);
            let start = input.len();
            match &last {
                Some((same, from)) if *same == sources => input.extend_from_within(*from..from + size * size),
                _ => self.resample(&sources, &across, &used, &down, &mut input),
            }
            last = Some((sources, start));
        }
        Some(input)
    }

    /// Cuts one channel out of the mean of its sources; `used` are the columns that `across` takes from.
    fn resample(&self, sources: &[(usize, f32)], across: &[Tap], used: &Range<usize>, down: &[Tap], out: &mut Vec<u8>) {
        let columns = self.volume.shape.columns;
        let air = f32::from(Volume::AIR);
        let mut lines: Vec<Option<Vec<f32>>> = vec![None; self.volume.shape.rows];
        let mut sum = vec![0.0_f32; across.len()];
        let mut slab = vec![0.0_f32; used.len()];
        for tap in down {
            sum.fill(air * tap.outside);
            for &(row, weight) in &tap.inside {
                let line = lines[row].get_or_insert_with(|| {
                    slab.fill(0.0);
                    for &(slice, share) in sources {
                        let voxels = self.volume.slice(slice).unwrap_or_default();
                        let source = &voxels[row * columns..(row + 1) * columns][used.clone()];
                        slab.iter_mut().zip(source).for_each(|(total, hu)| *total += share * f32::from(*hu));
                    }
                    let value = |tap: &Tap| {
                        tap.inside.iter().map(|&(column, weight)| slab[column - used.start] * weight).sum::<f32>()
                            + air * tap.outside
                    };
                    across.iter().map(value).collect()
                });
                for (total, value) in sum.iter_mut().zip(line.iter()) {
                    *total += weight * value;
                }
            }
            // `as` saturates; the table has an entry for every i16.
            out.extend(sum.iter().map(|hu| self.grey[(i32::from(hu.round() as i16) - i32::from(i16::MIN)) as usize]));
        }
    }
}

/// Weights of stored samples that make up one input sample; what lies outside the picture weighs as air.
#[derive(Debug, Clone)]
struct Tap {
    inside: Vec<(usize, f32)>,
    outside: f32,
}

/// A triangle as wide as an input pixel or a stored one, whichever is larger: bilinear, or averaging when minifying.
fn taps(first: f64, step: f64, size: usize, len: usize, flip: bool) -> Vec<Tap> {
    let reach = step.max(1.0);
    (0..size)
        .map(|i| {
            let centre = first + i as f64 * step;
            let (low, high) = ((centre - reach).floor() as i64, (centre + reach).ceil() as i64);
            let mut tap = Tap { inside: Vec::new(), outside: 0.0 };
            let mut sum = 0.0;
            for place in low..=high {
                let weight = (1.0 - (place as f64 - centre).abs() / reach) as f32;
                if weight <= 0.0 {
                    continue;
                }
                sum += weight;
                match usize::try_from(place).ok().filter(|place| *place < len) {
                    Some(place) => tap.inside.push((if flip { len - 1 - place } else { place }, weight)),
                    None => tap.outside += weight,
                }
            }
            tap.inside.iter_mut().for_each(|(_, weight)| *weight /= sum);
            tap.outside /= sum;
            tap
        })
        .collect()
}

/// From the first stored sample that has a weight to behind the last.
fn span(taps: &[Tap]) -> Range<usize> {
    let inside = || taps.iter().flat_map(|tap| &tap.inside).map(|(place, _)| *place);
    inside().min().zip(inside().max()).map_or(0..0, |(first, last)| first..last + 1)
}

/// Stored (row, column) of the body's middle in a slice; the picture's middle where there is next to no body.
fn body_centre(volume: &Volume, index: usize) -> (f64, f64) {
    let (rows, columns) = (volume.shape.rows, volume.shape.columns);
    let middle = ((rows as f64 - 1.0) / 2.0, (columns as f64 - 1.0) / 2.0);
    let voxels = volume.slice(index).unwrap_or_default();
    let (mut by_row, mut by_column) = (vec![0_u32; rows], vec![0_u32; columns]);
    // Sums without a branch: many voxels are counted at once.
    for (of_row, line) in by_row.iter_mut().zip(voxels.chunks_exact(columns.max(1))) {
        *of_row = line.iter().map(|hu| u32::from(*hu > BODY_HU)).sum();
        by_column.iter_mut().zip(line).for_each(|(of_column, hu)| *of_column += u32::from(*hu > BODY_HU));
    }
    let total: u32 = by_row.iter().sum();
    if (f64::from(total)) < 0.01 * (rows * columns) as f64 {
        return middle;
    }
    let half = |counts: &[u32], middle: f64| {
        let mut sum = 0;
        let place = counts.iter().position(|count| {
            sum += count;
            2 * sum >= total
        });
        place.map_or(middle, |place| place as f64)
    };
    (half(&by_row, middle.0), half(&by_column, middle.1))
}

/// Where the spine runs in an axial volume, smoothed over neighbouring slices; `None` in any other, and where there is no bone to
/// speak of. A pass over all voxels: not for a thread that somebody waits for.
#[must_use]
pub fn spine_course(volume: &Volume) -> Option<SpineCourse> {
    let (plane, spacing) = (volume.plane?, volume.spacing?);
    if !volume.is_hounsfield() || plane.normal_axis() != Axis::HeadFoot {
        return None;
    }
    let spacing_mm = (spacing.row, spacing.column);
    let within = |slices: Range<usize>| -> Option<Vec<(f64, f64)>> {
        let offsets = volume.stack.offsets.get(slices.clone())?;
        let course = spine::course(volume, slices.clone(), spacing_mm, &bodies(volume, slices))?;
        Some(smoothed(&course, offsets, mean))
    };
    let mut course = within(0..volume.shape.slices)?;
    let Neck { followed, .. } = Neck::find(volume, spacing);
    if followed.len() < course.len()
        && let Some(neck) = within(followed.clone())
    {
        // In the neck the course that the network's inputs follow: bones beyond must not draw it aside.
        course.splice(followed, neck);
    }
    Some(SpineCourse::new(course))
}

/// The body's middle in each of some slices, smoothed over neighboring ones.
fn bodies(volume: &Volume, slices: Range<usize>) -> Vec<(f64, f64)> {
    let offsets = volume.stack.offsets.get(slices.clone()).unwrap_or_default();
    let raw: Vec<(f64, f64)> = slices.into_par_iter().map(|index| body_centre(volume, index)).collect();
    smoothed(&raw, offsets, median)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn mean(values: Vec<f64>) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The median or mean of the centres within [`SMOOTHING_MM`] of each slice.
fn smoothed(centres: &[(f64, f64)], offsets: &[f64], of: fn(Vec<f64>) -> f64) -> Vec<(f64, f64)> {
    (0..centres.len())
        .map(|index| {
            let near: Vec<usize> =
                (0..centres.len()).filter(|&other| (offsets[other] - offsets[index]).abs() <= SMOOTHING_MM).collect();
            (of(near.iter().map(|&i| centres[i].0).collect()), of(near.iter().map(|&i| centres[i].1).collect()))
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests;
