//! Vertebrae from the voxel labels of a real spine, as fields of distances.

use super::grid::{Grid, squared_distance};
use crate::nifti::LabelVolume;
use glam::{DMat3, DVec3, Vec3};
use rayon::prelude::*;

/// Labels 1 to 9: C1 to T2.
pub(super) const LEVELS: usize = 9;
/// Fewer cubic millimeters are no vertebra.
const LEAST_MM3: f64 = 1500.0;
/// In-plane distances beyond this are cut off, mm: more would pull the ends of thin processes inward.
const REACH: f32 = 3.0;

/// C1 to T2 where the volume holds them, LPS mm.
pub(super) fn grids(volume: &LabelVolume) -> [Option<Grid>; LEVELS] {
    let spans = spans(volume);
    let found: Vec<Option<Grid>> = (0..LEVELS)
        .into_par_iter()
        .map(|level| spans[level].and_then(|span| Contours::new(volume, level as u8 + 1, span)?.grid()))
        .collect();
    found.try_into().unwrap_or_default()
}

/// First and last voxel of each label along each of the file's axes; `None` if it has too few.
fn spans(volume: &LabelVolume) -> [Option<[[usize; 3]; 2]>; LEVELS] {
    let [nx, ny, _] = volume.size;
    let mut spans = [[[usize::MAX; 3], [0; 3]]; LEVELS];
    let mut counts = [0_usize; LEVELS];
    for (index, &label) in volume.labels.iter().enumerate() {
        if (1..=LEVELS as u8).contains(&label) {
            let level = usize::from(label) - 1;
            counts[level] += 1;
            let at = [index % nx, index / nx % ny, index / (nx * ny)];
            let [low, high] = &mut spans[level];
            for axis in 0..3 {
                (low[axis], high[axis]) = (low[axis].min(at[axis]), high[axis].max(at[axis]));
            }
        }
    }
    std::array::from_fn(|level| (counts[level] as f64 * volume.voxel_mm3() >= LEAST_MM3).then_some(spans[level]))
}

/// One vertebra as signed distances within each slice of the file. Interpolating them from slice to slice gives a smooth
/// surface where the voxels have stairs (Raya & Udupa 1990).
struct Contours {
    /// Cells along the file's two axes in the slice, and the slices.
    sizes: [usize; 3],
    /// First axis fastest.
    values: Vec<f32>,
    /// From LPS mm to cells.
    inward: DMat3,
    first: DVec3,
    /// Box of the label's voxels, LPS mm.
    extent: (Vec3, Vec3),
}

impl Contours {
    fn new(volume: &LabelVolume, label: u8, [from, to]: [[usize; 3]; 2]) -> Option<Self> {
        let unit = [DVec3::X, DVec3::Y, DVec3::Z];
        let origin = volume.patient_point(DVec3::ZERO);
        let steps = unit.map(|axis| volume.patient_point(axis) - origin);
        let across = (0..3).max_by(|&a, &b| {
            // Equal steps: slices lie across the axis from head to foot.
            let rank = |axis: usize| {
                (steps[axis].length() * 1e3).round() + f64::from(u8::from(axis == volume.head_foot_axis()))
            };
            rank(a).total_cmp(&rank(b))
        })?;
        let axes = [(across + 1) % 3, (across + 2) % 3, across];
        // Room around the label for the distances outside.
        let margin = axes
            .map(|axis| if axis == across { 2 } else { (f64::from(REACH) / steps[axis].length()).ceil() as usize + 2 });
        let low: [i64; 3] = std::array::from_fn(|i| from[axes[i]] as i64 - margin[i] as i64);
        let sizes: [usize; 3] = std::array::from_fn(|i| to[axes[i]] - from[axes[i]] + 1 + 2 * margin[i]);
        let [nx, ny, nz] = sizes;
        let at = |cell: [usize; 3]| -> Option<u8> {
            let mut place = [0_usize; 3];
            for i in 0..3 {
                place[axes[i]] = usize::try_from(low[i] + cell[i] as i64).ok()?;
            }
            let [sx, sy, sz] = volume.size;
            let inside = place[0] < sx && place[1] < sy && place[2] < sz;
            volume.labels.get(if inside { (place[2] * sy + place[1]) * sx + place[0] } else { return None }).copied()
        };
        let cells: Vec<bool> = (0..nx * ny * nz)
            .map(|index| at([index % nx, index / nx % ny, index / (nx * ny)]) == Some(label))
            .collect();
        let step = axes.map(|axis| steps[axis].length() as f32);
        let plane = [(1, nx, step[0] * step[0]), (nx, ny, step[1] * step[1])];
        let to_inside = squared_distance(&cells, true, &plane);
        let to_outside = squared_distance(&cells, false, &plane);
        // The edge lies half a voxel before the nearest one of the other kind.
        let half = (step[0] + step[1]) / 4.0;
        let length = |squared: f32| (squared.sqrt() - half).clamp(0.0, REACH);
        let values = to_inside.iter().zip(&to_outside).map(|(&a, &b)| length(a) - length(b)).collect();
        let corner = DVec3::from_array(std::array::from_fn(|axis| {
            let i = axes.iter().position(|&other| other == axis).unwrap_or(0);
            low[i] as f64
        }));
        let matrix = DMat3::from_cols(steps[axes[0]], steps[axes[1]], steps[axes[2]]);
        if matrix.determinant().abs() < 1e-9 {
            return None;
        }
        let corners = (0..8_usize).map(|corner| {
            let pick = |axis: usize| (if corner >> axis & 1 == 1 { to[axis] } else { from[axis] }) as f64;
            volume.patient_point(DVec3::new(pick(0), pick(1), pick(2))).as_vec3()
        });
        let extent = corners.fold((Vec3::MAX, Vec3::MIN), |(low, high), p| (low.min(p), high.max(p)));
        Some(Self { sizes, values, inward: matrix.inverse(), first: volume.patient_point(corner), extent })
    }

    /// The field at a place, mm: linear within a slice, cubic from slice to slice (Catmull & Rom 1974).
    fn at(&self, p: Vec3) -> f32 {
        let [nx, ny, nz] = self.sizes;
        let q = (self.inward * (p.as_dvec3() - self.first)).as_vec3();
        let edge = Vec3::new(nx as f32, ny as f32, nz as f32) - Vec3::splat(1.001);
        if q.clamp(Vec3::ZERO, edge) != q {
            return REACH;
        }
        let (x, y, z) = (q.x as usize, q.y as usize, q.z as usize);
        let f = q - q.floor();
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let slice = |z: usize| {
            let at = (z * ny + y) * nx + x;
            let [a, b, c, d] = [at, at + 1, at + nx, at + nx + 1].map(|at| self.values[at]);
            mix(mix(a, b, f.x), mix(c, d, f.x), f.y)
        };
        let [a, b, c, d] = [z.saturating_sub(1), z, z + 1, (z + 2).min(nz - 1)].map(slice);
        let t = f.z;
        b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
    }

    fn grid(&self) -> Option<Grid> {
        let (low, high) = self.extent;
        Grid::of_places(low, high, &|p| self.at(p) < 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A slanted rod and a ball of labels on coarse slices.
    fn made() -> LabelVolume {
        let (size, step) = ([80_usize, 80, 24], [0.5_f64, 0.5, 2.5]);
        let mut bytes = vec![0_u8; 352];
        bytes[..4].copy_from_slice(&348_i32.to_le_bytes());
        for (i, value) in [3_i16, 80, 80, 24, 1, 1, 1, 1].into_iter().enumerate() {
            bytes[40 + 2 * i..42 + 2 * i].copy_from_slice(&value.to_le_bytes());
        }
        bytes[70..72].copy_from_slice(&2_i16.to_le_bytes());
        bytes[72..74].copy_from_slice(&8_i16.to_le_bytes());
        bytes[108..112].copy_from_slice(&352_f32.to_le_bytes());
        bytes[254..256].copy_from_slice(&1_i16.to_le_bytes());
        // Left, posterior, superior: NIfTI's first two signs are DICOM's turned.
        for (row, values) in
            [[-0.5_f32, 0.0, 0.0, 0.0], [0.0, -0.5, 0.0, 0.0], [0.0, 0.0, 2.5, 0.0]].into_iter().enumerate()
        {
            for (i, value) in values.into_iter().enumerate() {
                let at = 280 + 16 * row + 4 * i;
                bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
        }
        bytes[344..348].copy_from_slice(b"n+1\0");
        for index in 0..size[0] * size[1] * size[2] {
            let at = [index % 80, index / 80 % 80, index / 6400];
            let p: [f64; 3] = std::array::from_fn(|axis| at[axis] as f64 * step[axis]);
            let ball = Vec3::new(p[0] as f32 - 20.0, p[1] as f32 - 20.0, p[2] as f32 - 30.0).length() < 14.0;
            bytes.push(if ball { 4 } else { 0 });
        }
        LabelVolume::from_reader(&bytes[..]).expect("a label volume")
    }

    #[test]
    fn a_ball_of_coarse_slices_is_round() {
        let volume = made();
        let grids = grids(&volume);
        assert!(grids.iter().enumerate().all(|(level, grid)| grid.is_some() == (level == 3)));
        let grid = grids[3].as_ref().expect("C4");
        let centre = Vec3::new(20.0, 20.0, 30.0);
        for direction in
            [Vec3::X, Vec3::NEG_Y, Vec3::Z, Vec3::NEG_Z, Vec3::new(0.6, 0.0, 0.8), Vec3::new(0.48, 0.6, -0.64)]
        {
            let off = grid.distance(centre + direction * 14.0);
            assert!(off.abs() < 0.7, "{off} mm along {direction}");
        }
        assert!(grid.distance(centre) < -12.0);
    }
}
