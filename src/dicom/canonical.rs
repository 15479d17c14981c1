//! Turns a CT volume so that its slices are axial and its rows run from the patient's right to the left, whatever plane it was
//! stored in. Axes are exchanged and mirrored, so no voxel of an even stack is interpolated: a sagittal series of 60
//! pictures of 512 rows becomes 512 axial slices of 60 columns, oblique by as much as the series was. Only where stored
//! slices lie unevenly are they laid on an even grid, linearly, and a gap is air.

use super::load::VOXEL_LIMIT;
use crate::domain::{
    Axis, ImagePlane, ModalityLut, Oddity, PixelSpacing, SliceInfo, SliceStack, Uid, Volume, VolumeShape,
};
use glam::DVec3;
use rayon::prelude::*;

/// Slices lie evenly where none is further than this part of the spacing from its place.
const EVEN: f64 = 0.05;
/// An even grid may have so many times the slices that were stored.
const MOST_GROWTH: usize = 8;

/// The block's three axes: slices, rows, columns.
const SLICE: usize = 0;
/// Which block axis serves as slices, rows and columns of the turned volume.
type Order = [usize; 3];
const STORED: Order = [0, 1, 2];
const ORDERS: [Order; 6] = [STORED, [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// One axis of the turned volume, in terms of the stored block.
#[derive(Debug, Clone, Copy)]
struct Side {
    stride: usize,
    len: usize,
    /// mm from one sample to the next.
    step: f64,
    /// Patient direction of rising index.
    direction: DVec3,
    reversed: bool,
}

impl Side {
    /// Steps of the stored block to the sample at `index`.
    fn place(&self, index: usize) -> usize {
        self.stride * if self.reversed { self.len - 1 - index } else { index }
    }
}

/// Turns a volume whose slices are not axial, or whose rows run from front to back, and tells. Volumes without geometry
/// stay as they are.
pub(super) fn turn(volume: &mut Volume) {
    let (Some(plane), Some(spacing)) = (volume.plane, volume.spacing) else { return };
    let directions = [volume.stack_axis, plane.column_cosines, plane.row_cosines];
    let order = best_order(directions);
    if order == STORED {
        return;
    }
    let told = match order[0] {
        SLICE => Oddity::TurnedRows,
        _ => Oddity::Resliced(Axis::nearest(volume.stack_axis)),
    };
    let slice_step = volume.stack.spacing.unwrap_or(1.0);
    if order[0] != SLICE && (PixelSpacing::new(slice_step, slice_step).is_none() || !lay_evenly(volume)) {
        return;
    }
    let shape = volume.shape;
    let lens = [shape.slices, shape.rows, shape.columns];
    let strides = [shape.slice_len(), shape.columns, 1];
    let steps = [slice_step, spacing.row, spacing.column];
    let wanted = [DVec3::NEG_Z, DVec3::Y, DVec3::X];
    let mut origin = plane.position;
    let [slices, rows, columns] = [0, 1, 2].map(|side| {
        let stored = order[side];
        // Axial slices keep their way: they run to the foot already, and their offsets may be uneven.
        let reversed = !(stored == SLICE && side == 0) && directions[stored].dot(wanted[side]) < 0.0;
        let sign = if reversed { -1.0 } else { 1.0 };
        if reversed {
            origin += directions[stored] * (steps[stored] * (lens[stored] as f64 - 1.0));
        }
        let direction = directions[stored] * sign;
        Side { stride: strides[stored], len: lens[stored], step: steps[stored], direction, reversed }
    });
    let mut voxels = vec![0_i16; shape.len()];
    let len = (rows.len * columns.len).max(1);
    voxels.par_chunks_mut(len).enumerate().for_each(|(slice, out)| {
        let from_slice = slices.place(slice);
        for (row, line) in out.chunks_exact_mut(columns.len.max(1)).enumerate() {
            let from_row = from_slice + rows.place(row);
            for (column, voxel) in line.iter_mut().enumerate() {
                *voxel = volume.voxels[from_row + columns.place(column)];
            }
        }
    });
    volume.voxels = voxels;
    volume.shape = VolumeShape { slices: slices.len, rows: rows.len, columns: columns.len };
    volume.plane =
        Some(ImagePlane { position: origin, row_cosines: columns.direction, column_cosines: rows.direction });
    volume.spacing = PixelSpacing::new(rows.step, columns.step);
    volume.stack_axis = slices.direction;
    if order[0] == SLICE {
        for (slice, offset) in volume.slices.iter_mut().zip(&volume.stack.offsets) {
            slice.position = Some(origin + slices.direction * *offset);
        }
    } else {
        volume.stack = SliceStack::new((0..slices.len).map(|index| index as f64 * slices.step).collect());
        let lut = volume.slices.first().map_or(ModalityLut::IDENTITY, |slice| slice.lut);
        // A slice cut across all the files is none of them.
        volume.slices = volume
            .stack
            .offsets
            .iter()
            .map(|offset| SliceInfo {
                sop_instance_uid: Uid::from_file(""),
                frame: 0,
                instance_number: None,
                position: Some(origin + slices.direction * *offset),
                lut,
            })
            .collect();
    }
    if !volume.oddities.contains(&told) {
        volume.oddities.push(told);
        volume.oddities.sort();
    }
}

/// The assignment of the block's axes to head-foot, front-back and right-left that fits best; the stored one where it is as good.
fn best_order(directions: [DVec3; 3]) -> Order {
    let fit =
        |order: &Order| directions[order[0]].z.abs() + directions[order[1]].y.abs() + directions[order[2]].x.abs();
    let best = ORDERS.into_iter().max_by(|a, b| fit(a).total_cmp(&fit(b))).unwrap_or(STORED);
    if fit(&best) > fit(&STORED) + 1e-6 { best } else { STORED }
}

/// Lays the slices on an even grid, as an axis within the plane must be. `false`, and nothing done, for a single slice and
/// where the grid would be out of all proportion.
fn lay_evenly(volume: &mut Volume) -> bool {
    let Some(step) = volume.stack.spacing.filter(|step| *step > 0.0) else { return false };
    let off = |(index, offset): (usize, &f64)| (offset - index as f64 * step).abs();
    if volume.stack.offsets.iter().enumerate().map(off).fold(0.0, f64::max) <= EVEN * step {
        return true;
    }
    let slices = (volume.stack.extent() / step).round() as usize + 1;
    let len = volume.shape.slice_len();
    if slices > MOST_GROWTH * volume.shape.slices || slices.saturating_mul(len) > VOXEL_LIMIT {
        return false;
    }
    let mut voxels = vec![Volume::AIR; slices * len];
    voxels.par_chunks_mut(len.max(1)).enumerate().for_each(|(index, out)| {
        let Some(own) = volume.stack.index_at(index as f64 * step) else { return };
        let (low, part) = (own.floor() as usize, own.fract());
        let (Some(a), Some(b)) = (volume.slice(low), volume.slice(own.ceil() as usize)) else { return };
        for ((voxel, a), b) in out.iter_mut().zip(a).zip(b) {
            *voxel = (f64::from(*a) + part * (f64::from(*b) - f64::from(*a))).round() as i16;
        }
    });
    volume.voxels = voxels;
    volume.shape.slices = slices;
    volume.stack = SliceStack::new((0..slices).map(|index| index as f64 * step).collect());
    true
}
