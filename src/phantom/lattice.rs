//! A smooth displacement, known on a lattice of points.

use glam::{Mat3, Vec3};
use rayon::prelude::*;

/// Displacements on the points of a regular lattice, mm.
#[derive(Debug, Clone)]
pub(super) struct Lattice {
    low: Vec3,
    /// Distance of the points, mm.
    cell: f32,
    sizes: [usize; 3],
    /// x fastest.
    values: Vec<Vec3>,
}

impl Lattice {
    /// A lattice over a box, with the displacement at each of its points.
    pub(super) fn of(low: Vec3, high: Vec3, cell: f32, displacement: &(dyn Fn(Vec3) -> Vec3 + Sync)) -> Self {
        let sizes = ((high - low) / cell).ceil().to_array().map(|cells| cells.clamp(1.0, 400.0) as usize + 1);
        let mut lattice = Self { low, cell, sizes, values: Vec::new() };
        lattice.values =
            (0..sizes.iter().product()).into_par_iter().map(|index| displacement(lattice.place(index))).collect();
        lattice
    }

    /// A lattice over a box that moves nothing.
    pub(super) fn still(low: Vec3, high: Vec3, cell: f32) -> Self {
        Self::of(low, high, cell, &|_| Vec3::ZERO)
    }

    fn place(&self, index: usize) -> Vec3 {
        let [nx, ny, _] = self.sizes;
        let at = [index % nx, index / nx % ny, index / (nx * ny)];
        self.low + Vec3::from_array(at.map(|at| at as f32)) * self.cell
    }

    /// The same displacement on a lattice with other distances.
    pub(super) fn resampled(&self, cell: f32) -> Self {
        let [nx, ny, nz] = self.sizes;
        let high = self.low + Vec3::new(nx as f32 - 1.0, ny as f32 - 1.0, nz as f32 - 1.0) * self.cell;
        Self::of(self.low, high, cell, &|p| self.at(p))
    }

    /// The lattice with each point's displacement changed.
    pub(super) fn map(&self, change: &(dyn Fn(Vec3, Vec3) -> Vec3 + Sync)) -> Self {
        let mut lattice = self.clone();
        lattice.values.par_iter_mut().enumerate().for_each(|(index, value)| {
            *value = change(self.place(index), *value);
        });
        lattice
    }

    /// The lattice's cell around a place: index of its lowest point, and the place within it (0 to 1).
    fn cell(&self, p: Vec3) -> (usize, Vec3) {
        let [nx, ny, nz] = self.sizes;
        let most = Vec3::new(nx as f32, ny as f32, nz as f32) - Vec3::splat(1.001);
        let q = ((p - self.low) / self.cell).clamp(Vec3::ZERO, most.max(Vec3::ZERO));
        let (x, y, z) = (q.x as usize, q.y as usize, q.z as usize);
        ((z * ny + y) * nx + x, q - q.floor())
    }

    /// Displacement at a place, trilinear; that of the border outside.
    pub(super) fn at(&self, p: Vec3) -> Vec3 {
        let [nx, ny, _] = self.sizes;
        let (at, f) = self.cell(p);
        let line = |at: usize| self.values[at].lerp(self.values[at + 1], f.x);
        let near = line(at).lerp(line(at + nx), f.y);
        let far = line(at + nx * ny).lerp(line(at + nx * ny + nx), f.y);
        near.lerp(far, f.z)
    }

    /// Adds to each point the weighted mean of the pushes near it; `share` of the mean where the pushes are many, less
    /// where they are few.
    pub(super) fn push(&mut self, pushes: &[(Vec3, Vec3)], share: f32) {
        let [nx, ny, _] = self.sizes;
        let mut sums = vec![(Vec3::ZERO, 0.5_f32); self.values.len()];
        for &(place, push) in pushes {
            let (at, f) = self.cell(place);
            for corner in 0..8_usize {
                let pick = |bit: usize, f: f32| if corner >> bit & 1 == 1 { f } else { 1.0 - f };
                let weight = pick(0, f.x) * pick(1, f.y) * pick(2, f.z);
                let index = at + (corner & 1) + (corner >> 1 & 1) * nx + (corner >> 2) * nx * ny;
                sums[index].0 += push * weight;
                sums[index].1 += weight;
            }
        }
        let mut step = self.clone();
        for (value, (sum, weight)) in step.values.iter_mut().zip(sums) {
            *value = sum / weight * share;
        }
        step.smooth();
        for (value, step) in self.values.iter_mut().zip(&step.values) {
            *value += *step;
        }
    }

    /// Means over three neighbours along each axis.
    pub(super) fn smooth(&mut self) {
        let [nx, ny, nz] = self.sizes;
        for (stride, count) in [(1, nx), (nx, ny), (nx * ny, nz)] {
            let source = self.values.clone();
            self.values.par_iter_mut().enumerate().for_each(|(at, value)| {
                let place = at / stride % count;
                if place > 0 && place + 1 < count {
                    *value = 0.25 * source[at - stride] + 0.5 * source[at] + 0.25 * source[at + stride];
                }
            });
        }
    }

    /// Weakens the displacement until no small volume shrinks to less than `least` of itself; at nothing, nothing does.
    pub(super) fn unfold(&mut self, least: f32) {
        for _ in 0..12 {
            if self.least_volume() >= least {
                break;
            }
            self.values.iter_mut().for_each(|value| *value *= 0.75);
        }
    }

    /// The lattice of the way back: `p + back(p)` comes from where this displacement leads to `p`.
    pub(super) fn inverse(&self, low: Vec3, high: Vec3) -> Self {
        Self::of(low, high, self.cell, &|p| {
            let mut back = Vec3::ZERO;
            for _ in 0..16 {
                back = 0.3 * back - 0.7 * self.at(p + back);
            }
            back
        })
    }

    /// The least that a small volume becomes, as a share of itself (the Jacobian's determinant).
    fn least_volume(&self) -> f32 {
        let [nx, ny, nz] = self.sizes;
        let volume = |x: usize, y: usize, z: usize| {
            let at = (z * ny + y) * nx + x;
            let step = |stride: usize| (self.values[at + stride] - self.values[at]) / self.cell;
            Mat3::from_cols(Vec3::X + step(1), Vec3::Y + step(nx), Vec3::Z + step(nx * ny)).determinant()
        };
        (0..nz - 1)
            .into_par_iter()
            .map(|z| {
                let row = |y: usize| (0..nx - 1).map(|x| volume(x, y, z)).fold(f32::MAX, f32::min);
                (0..ny - 1).map(row).fold(f32::MAX, f32::min)
            })
            .reduce(|| f32::MAX, f32::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_undoes_the_way() {
        let (low, high) = (Vec3::splat(-20.0), Vec3::splat(20.0));
        let wave = |p: Vec3| Vec3::new(1.5 * (p.y / 9.0).sin(), 0.04 * p.x, -1.0 + 0.05 * p.z);
        let way = Lattice::of(low, high, 2.0, &wave);
        let back = way.inverse(low, high);
        for p in [Vec3::ZERO, Vec3::new(4.0, -7.0, 9.0), Vec3::new(-11.0, 3.0, -2.0)] {
            let there = p + way.at(p);
            assert!((there + back.at(there)).distance(p) < 0.1, "{p} comes back as {}", there + back.at(there));
        }
    }

    #[test]
    fn a_fold_is_weakened_away() {
        let mut fold = Lattice::of(Vec3::ZERO, Vec3::splat(20.0), 2.0, &|p| Vec3::X * (-1.4 * p.x));
        fold.unfold(0.4);
        assert!(fold.least_volume() >= 0.4);
        assert!(fold.at(Vec3::splat(10.0)).x < -2.0, "weakened, not removed");
    }

    #[test]
    fn pushes_move_what_is_near_them() {
        let mut lattice = Lattice::still(Vec3::ZERO, Vec3::splat(40.0), 4.0);
        let pushes: Vec<(Vec3, Vec3)> =
            (0..200).map(|i| (Vec3::splat(10.0) + Vec3::X * (i % 9) as f32 / 3.0, Vec3::Z)).collect();
        lattice.push(&pushes, 1.0);
        assert!(lattice.at(Vec3::splat(10.0)).z > 0.05);
        assert_eq!(lattice.at(Vec3::splat(36.0)), Vec3::ZERO);
    }
}
