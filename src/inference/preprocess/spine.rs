//! Where the spine runs, found without a network: bone goes all the way through a neck in one place only.

use crate::domain::Volume;
use rayon::prelude::*;
use std::ops::Range;

/// Denser than this counts as bone, HU.
const BONE_HU: i16 = 200;
/// Edge of the cells in which bone is counted, mm.
const CELL_MM: f64 = 4.0;
/// Width of the blur that joins a vertebra's parts, mm (standard deviation).
const BLUR_MM: f64 = 10.0;
/// What a step to the next cell costs, from one layer of cells to the next: forward or back, and sideways. In shares of bone.
const STEP_COST: [f32; 2] = [0.1, 0.2];
/// What a place 100 mm beside the body's middle costs: an arm beside the head has a column of bone, too.
const ASIDE_COST: f64 = 0.3;
/// Rays about the body's middle, along which a skull has bone in all directions,
const RAYS: usize = 24;
/// or in all but this many;
const RAYS_WITHOUT: usize = 1;
/// no nearer than this, mm, where a vertebra may lie, and no farther than half a head is long.
const RING_MM: [f64; 2] = [30.0, 110.0];
/// A cell with this share of bone is part of it.
const RING_BONE: f32 = 0.15;
/// The skull begins no farther than this from the scan's upper end, mm: the vertex itself is too small for a ring.
const VERTEX_MM: f64 = 40.0;
/// With less bone than this around its best course a scan shows none: its place says nothing. In shares of bone.
const LEAST_BONE: f32 = 0.02;

/// Bone in a layer of cells, as shares, row by row.
type Layer = Vec<f32>;

/// The spine's (row, column) in each of some `slices`, with fractions; `middles` are the body's in them. `None` where there is no bone to
/// speak of. The course is the chain of cells from the first slice to the last that passes most bone, found by
/// dynamic programming (Viterbi, IEEE Trans Inf Theory 1967;13:260). The skull's bone does not count: there is more of it than of
/// the spine, at the back of the head, and the course would leave the neck early to reach it.
pub(super) fn course(
    volume: &Volume,
    slices: Range<usize>,
    (row_mm, column_mm): (f64, f64),
    middles: &[(f64, f64)],
) -> Option<Vec<(f64, f64)>> {
    let (rows, columns) = cells(volume, (row_mm, column_mm));
    let first = slices.start;
    let offsets = volume.stack.offsets.get(slices)?;
    let layers = grouped(offsets);
    let (mut shares, rings): (Vec<Layer>, Vec<bool>) = layers
        .par_iter()
        .map(|slices| {
            let mut layer =
                bone(volume, first + slices.start..first + slices.end, (rows, columns), (row_mm, column_mm));
            let middle = middles.get(slices.start).map_or((0.0, 0.0), |m| (m.0 * row_mm, m.1 * column_mm));
            let ring = is_ring(&layer, columns, middle);
            blur(&mut layer, columns);
            for (index, share) in layer.iter_mut().enumerate() {
                let aside = ((index % columns) as f64 + 0.5) * CELL_MM - middle.1;
                *share -= (ASIDE_COST * (aside / 100.0).powi(2)) as f32;
            }
            (layer, ring)
        })
        .unzip();
    let skull = skull(&rings, &layers, offsets);
    shares.iter_mut().take(skull).for_each(|layer| layer.fill(0.0));
    let path = best_path(&shares, columns)?;
    let below = path.iter().zip(&shares).skip(skull);
    let mean = below.map(|(&at, layer)| layer[at]).sum::<f32>() / path.len().saturating_sub(skull).max(1) as f32;
    if mean < LEAST_BONE {
        return None;
    }
    let place = |at: usize| {
        let mm = |cell: usize| (cell as f64 + 0.5) * CELL_MM;
        (mm(at / columns) / row_mm - 0.5, mm(at % columns) / column_mm - 0.5)
    };
    Some(layers.iter().zip(&path).flat_map(|(slices, &at)| vec![place(at); slices.len()]).collect())
}

/// How many cells a slice has, down and across.
fn cells(volume: &Volume, (row_mm, column_mm): (f64, f64)) -> (usize, usize) {
    let bins = |len: usize, mm: f64| ((len as f64 * mm / CELL_MM).ceil() as usize).clamp(1, 512);
    (bins(volume.shape.rows, row_mm), bins(volume.shape.columns, column_mm))
}

/// Whether bone surrounds the middle (row, column) of the body in a slice, as a skull does.
pub(super) fn shows_ring(volume: &Volume, slice: usize, (row_mm, column_mm): (f64, f64), middle: (f64, f64)) -> bool {
    let (rows, columns) = cells(volume, (row_mm, column_mm));
    let layer = bone(volume, slice..slice + 1, (rows, columns), (row_mm, column_mm));
    is_ring(&layer, columns, (middle.0 * row_mm, middle.1 * column_mm))
}

/// Whether bone lies all around a place (row, column) in mm.
fn is_ring(layer: &Layer, columns: usize, (row_mm, column_mm): (f64, f64)) -> bool {
    let steps = ((RING_MM[1] - RING_MM[0]) / (CELL_MM / 2.0)) as usize;
    let without = (0..RAYS).filter(|&ray| {
        let (sine, cosine) = (std::f64::consts::TAU * ray as f64 / RAYS as f64).sin_cos();
        !(0..steps).any(|step| {
            let away = RING_MM[0] + step as f64 * CELL_MM / 2.0;
            let (row, column) = ((row_mm + away * sine) / CELL_MM, (column_mm + away * cosine) / CELL_MM);
            let inside = row >= 0.0 && column >= 0.0 && (column as usize) < columns;
            inside && layer.get(row as usize * columns + column as usize).is_some_and(|share| *share >= RING_BONE)
        })
    });
    without.count() <= RAYS_WITHOUT
}

/// How many layers, from the head's end, are skull: those up to the end of the first run of rings, if that begins near the end.
fn skull(rings: &[bool], layers: &[Range<usize>], offsets: &[f64]) -> usize {
    let Some(first) = rings.iter().position(|ring| *ring) else { return 0 };
    let place = |layer: usize| layers.get(layer).and_then(|slices| offsets.get(slices.start)).copied();
    match (place(0), place(first)) {
        (Some(top), Some(start)) if start - top <= VERTEX_MM => {
            first + rings[first..].iter().take_while(|ring| **ring).count()
        }
        _ => 0,
    }
}

/// Slices in groups of about a cell's height.
fn grouped(offsets: &[f64]) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (slice, offset) in offsets.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if offset - offsets[group.start] < CELL_MM - 1e-6 => group.end = slice + 1,
            _ => groups.push(slice..slice + 1),
        }
    }
    groups
}

/// The share of bone in each cell over some slices.
fn bone(
    volume: &Volume,
    slices: Range<usize>,
    (rows, columns): (usize, usize),
    (row_mm, column_mm): (f64, f64),
) -> Layer {
    let cell = |index: usize, mm: f64, len: usize| (((index as f64 + 0.5) * mm / CELL_MM) as usize).min(len - 1);
    let width = volume.shape.columns.max(1);
    let voxels_of_cell = (CELL_MM / row_mm).max(1.0) * (CELL_MM / column_mm).max(1.0) * slices.len().max(1) as f64;
    // First by the cells' rows alone, every column for itself: many voxels are counted at once.
    let mut by_column = vec![0_u32; rows * width];
    for slice in slices {
        let voxels = volume.slice(slice).unwrap_or_default();
        for (row, line) in voxels.chunks_exact(width).enumerate() {
            let counts = &mut by_column[cell(row, row_mm, rows) * width..][..width];
            counts.iter_mut().zip(line).for_each(|(count, hu)| *count += u32::from(*hu > BONE_HU));
        }
    }
    let mut counts = vec![0_u32; rows * columns];
    for (of_row, by_column) in counts.chunks_exact_mut(columns).zip(by_column.chunks_exact(width)) {
        for (column, count) in by_column.iter().enumerate() {
            of_row[cell(column, column_mm, columns)] += count;
        }
    }
    counts.into_iter().map(|count| (f64::from(count) / voxels_of_cell) as f32).collect()
}

/// Blurs a layer along its rows and its columns; outside it lies nothing.
fn blur(layer: &mut Layer, columns: usize) {
    let reach = (2.5 * BLUR_MM / CELL_MM).ceil() as isize;
    let raw: Vec<f64> = (-reach..=reach).map(|i| (-0.5 * (i as f64 * CELL_MM / BLUR_MM).powi(2)).exp()).collect();
    let sum: f64 = raw.iter().sum();
    let rows = layer.len() / columns;
    for (length, lines, along, across) in [(columns, rows, 1, columns), (rows, columns, columns, 1)] {
        let source = layer.clone();
        for line in 0..lines {
            for place in 0..length {
                let value = raw.iter().zip(-reach..).map(|(weight, by)| {
                    let at = place.checked_add_signed(by).filter(|at| *at < length);
                    at.map_or(0.0, |at| (weight / sum) as f32 * source[line * across + at * along])
                });
                layer[line * across + place * along] = value.sum();
            }
        }
    }
}

/// The cell of each layer on the chain with the largest sum; `None` without layers.
fn best_path(layers: &[Layer], columns: usize) -> Option<Vec<usize>> {
    let mut sums = layers.first()?.clone();
    let mut froms: Vec<Vec<u32>> = Vec::with_capacity(layers.len());
    for layer in &layers[1..] {
        let rows = layer.len() / columns;
        let mut next = Vec::with_capacity(layer.len());
        let mut from = Vec::with_capacity(layer.len());
        for (at, share) in layer.iter().enumerate() {
            let (row, column) = (at / columns, at % columns);
            let (mut best, mut best_from) = (f32::MIN, at);
            for r in row.saturating_sub(1)..=(row + 1).min(rows - 1) {
                for c in column.saturating_sub(1)..=(column + 1).min(columns - 1) {
                    let cost =
                        STEP_COST[0] * f32::from(u8::from(r != row)) + STEP_COST[1] * f32::from(u8::from(c != column));
                    let sum = sums[r * columns + c] - cost;
                    if sum > best {
                        (best, best_from) = (sum, r * columns + c);
                    }
                }
            }
            next.push(best + share);
            // At most 512 x 512 cells.
            from.push(best_from as u32);
        }
        froms.push(from);
        sums = next;
    }
    let mut at = (0..sums.len()).max_by(|&a, &b| sums[a].total_cmp(&sums[b]))?;
    let mut path = vec![at];
    for from in froms.iter().rev() {
        at = from[at] as usize;
        path.push(at);
    }
    path.reverse();
    Some(path)
}
