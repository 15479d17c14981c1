//! Straightens a sheared stack. Under a tilted gantry, or with a table that moves sideways, slices are parallel but each
//! begins beside the one before; a volume's columns and rows must run on from slice to slice. Each slice is shifted within
//! its own plane by linear interpolation, and the shift is exact in mm.

use super::load::VOXEL_LIMIT;
use crate::domain::{Volume, VolumeShape};
use rayon::prelude::*;

/// Shifts below this part of a pixel are left as they are.
const LEAST_SHIFT: f64 = 0.25;

/// Shifts every slice to where the first one's grid continues along the stack axis.
pub(super) fn straighten(volume: &mut Volume) {
    let (Some(plane), Some(spacing)) = (volume.plane, volume.spacing) else { return };
    let shifts: Vec<(f64, f64)> = volume
        .slices
        .iter()
        .map(|slice| {
            let offset = slice.position.map_or(glam::DVec3::ZERO, |position| position - plane.position);
            (offset.dot(plane.column_cosines) / spacing.row, offset.dot(plane.row_cosines) / spacing.column)
        })
        .collect();
    if shifts.iter().all(|(rows, columns)| rows.abs() < LEAST_SHIFT && columns.abs() < LEAST_SHIFT) {
        return;
    }
    // The grid that is kept is the middle slice's, and it grows by what the others stand out beyond it.
    let middle = shifts[shifts.len() / 2];
    let shape = volume.shape;
    let grown = Grown::new(&shifts, middle, shape);
    let fill = if volume.is_hounsfield() { Volume::AIR } else { 0 };
    let (rows, columns) = (shape.rows + grown.top + grown.bottom, shape.columns + grown.left + grown.right);
    let mut voxels = vec![fill; shape.slices * rows * columns];
    let slices = voxels.par_chunks_mut((rows * columns).max(1));
    slices.zip(volume.voxels.par_chunks(shape.slice_len().max(1))).zip(shifts.par_iter()).for_each(
        |((slice, source), shift)| {
            let down = shift.0 - middle.0 + grown.top as f64;
            let right = shift.1 - middle.1 + grown.left as f64;
            for (row, line) in slice.chunks_exact_mut(columns.max(1)).enumerate() {
                for (column, voxel) in line.iter_mut().enumerate() {
                    *voxel = sample(source, shape.rows, shape.columns, row as f64 - down, column as f64 - right, fill);
                }
            }
        },
    );
    volume.voxels = voxels;
    (volume.shape.rows, volume.shape.columns) = (rows, columns);
    let moved = plane.column_cosines * ((middle.0 - grown.top as f64) * spacing.row)
        + plane.row_cosines * ((middle.1 - grown.left as f64) * spacing.column);
    let (axis, origin) = (volume.stack_axis, plane.position + moved);
    volume.plane = Some(crate::domain::ImagePlane { position: origin, ..plane });
    for (slice, offset) in volume.slices.iter_mut().zip(&volume.stack.offsets) {
        slice.position = Some(origin + axis * *offset);
    }
}

/// Lines that the grid grows by on each side, so that nothing is pushed out of it.
#[derive(Debug, Clone, Copy, Default)]
struct Grown {
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
}

impl Grown {
    /// Less than two lines are not worth a larger grid; more than half the picture on a side is no tilt, and is cut off.
    fn new(shifts: &[(f64, f64)], middle: (f64, f64), shape: VolumeShape) -> Self {
        let away: Vec<(f64, f64)> = shifts.iter().map(|shift| (shift.0 - middle.0, shift.1 - middle.1)).collect();
        let back: Vec<(f64, f64)> = away.iter().map(|shift| (-shift.0, -shift.1)).collect();
        let largest = |list: &[(f64, f64)], along: fn(&(f64, f64)) -> f64, limit: usize| {
            let beyond = list.iter().map(along).fold(0.0, f64::max).ceil();
            if beyond < 2.0 { 0 } else { (beyond as usize).min(limit / 2) }
        };
        let grown = Self {
            top: largest(&back, |shift| shift.0, shape.rows),
            bottom: largest(&away, |shift| shift.0, shape.rows),
            left: largest(&back, |shift| shift.1, shape.columns),
            right: largest(&away, |shift| shift.1, shape.columns),
        };
        let rows = shape.rows + grown.top + grown.bottom;
        let columns = shape.columns + grown.left + grown.right;
        let voxels = shape.slices.saturating_mul(rows).saturating_mul(columns);
        if voxels > VOXEL_LIMIT { Self::default() } else { grown }
    }
}

fn sample(source: &[i16], rows: usize, columns: usize, row: f64, column: f64, fill: i16) -> i16 {
    let (top, left) = (row.floor(), column.floor());
    let at = |row: f64, column: f64| -> f64 {
        let inside = row >= 0.0 && column >= 0.0 && (row as usize) < rows && (column as usize) < columns;
        f64::from(if inside { source[row as usize * columns + column as usize] } else { fill })
    };
    let (y, x) = (row - top, column - left);
    let upper = at(top, left).mul_add(1.0 - x, at(top, left + 1.0) * x);
    let lower = at(top + 1.0, left).mul_add(1.0 - x, at(top + 1.0, left + 1.0) * x);
    upper.mul_add(1.0 - y, lower * y).round() as i16
}
