//! Straightens a sheared stack. Under a tilted gantry, or with a table that moves sideways, slices are parallel but each
//! begins beside the one before; a volume's columns and rows must run on from slice to slice. Each slice is shifted within
//! its own plane by linear interpolation, and the shift is exact in mm.

use crate::domain::Volume;
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
    // The grid that is kept is the middle slice's, so that what is pushed out at both ends is least.
    let middle = shifts[shifts.len() / 2];
    let fill = if volume.is_hounsfield { Volume::AIR } else { 0 };
    let (rows, columns) = (volume.shape.rows, volume.shape.columns);
    let len = volume.shape.slice_len().max(1);
    volume.voxels.par_chunks_mut(len).zip(shifts.par_iter()).for_each(|(slice, shift)| {
        let source = slice.to_vec();
        let (down, right) = (shift.0 - middle.0, shift.1 - middle.1);
        for row in 0..rows {
            for column in 0..columns {
                slice[row * columns + column] =
                    sample(&source, rows, columns, row as f64 - down, column as f64 - right, fill);
            }
        }
    });
    let moved = plane.column_cosines * (middle.0 * spacing.row) + plane.row_cosines * (middle.1 * spacing.column);
    let (axis, origin) = (volume.stack_axis, plane.position + moved);
    volume.plane = Some(crate::domain::ImagePlane { position: origin, ..plane });
    for (slice, offset) in volume.slices.iter_mut().zip(&volume.stack.offsets) {
        slice.position = Some(origin + axis * *offset);
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
