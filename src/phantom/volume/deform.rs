//! Where a point of the new scan comes from in the real one: pose, size, bend, and a smooth motion of each vertebra.

use super::super::exact;
use super::super::grid::Grid;
use super::super::random::{Random, noise};
use super::super::spine::{Pose, turn_by};
use glam::{Mat3, Vec2, Vec3};
use rayon::prelude::*;

/// Distance of the motion's lattice points, mm.
const CELL: f32 = 5.0;
/// What the motion may shrink or fold a volume to; less is no body any more.
const LEAST_VOLUME: f32 = 0.4;

/// From places of the new scan to places of the real one; both LPS mm.
#[derive(Debug)]
pub(super) struct Deform {
    /// The neck's frame in the new scan; its origin is in the middle of the neck.
    pub pose: Pose,
    /// The frame's origin in the real scan.
    middle: Vec3,
    /// −1 where left and right are exchanged.
    mirror: f32,
    scale: Vec3,
    /// Degrees of freedom of the neck as a rod, radians per mm: to the back, to the side, about itself.
    bend: Vec2,
    twist: f32,
    motion: Motion,
}

/// A vertebra that moves by itself: its shape, its middle.
pub(super) struct Part<'a> {
    pub grid: &'a Grid,
    pub middle: Vec3,
}

impl Deform {
    /// Nothing but a shift: what is at `middle` comes to lie at `at`.
    #[cfg(test)]
    pub(super) fn none(middle: Vec3, at: Vec3) -> Self {
        let pose = Pose { turn: Mat3::IDENTITY, at };
        let motion = Motion { low: middle, sizes: [2; 3], values: vec![Vec3::ZERO; 8] };
        Self { pose, middle, mirror: 1.0, scale: Vec3::ONE, bend: Vec2::splat(1e-6), twist: 0.0, motion }
    }

    /// A deformation drawn from a seed. `extent` are the corners of the real scan.
    pub(super) fn random(seed: u64, middle: Vec3, extent: (Vec3, Vec3), parts: &[Part<'_>]) -> Self {
        let mut random = Random::new(seed, "deformation");
        let turn = turn_by(random.normal(0.0, 4.0), random.normal(0.0, 3.0), random.normal(0.0, 4.5));
        let at = Vec3::new(random.normal(0.0, 8.0), random.range(-60.0, 20.0), random.range(-200.0, 200.0));
        let size = random.normal(1.0, 0.06).clamp(0.88, 1.12);
        let mut axis = || size * random.normal(1.0, 0.03).clamp(0.94, 1.06);
        let scale = Vec3::new(axis(), axis(), axis());
        let per_mm = |degrees: f32| degrees.to_radians() / 120.0;
        let flex = random.normal(0.0, 10.0).clamp(-20.0, 20.0);
        let lean = random.normal(0.0, 3.0).clamp(-7.0, 7.0);
        let twist = per_mm(random.normal(0.0, 5.0).clamp(-11.0, 11.0));
        let mirror = random.sign();
        let motion = Motion::random(&mut random, extent, parts);
        // A rod that is not bent has no centre of curvature.
        let bend = Vec2::new(flex, lean).map(|degrees| if degrees.abs() < 0.01 { 0.01 } else { degrees }).map(per_mm);
        Self { pose: Pose { turn, at }, middle, mirror, scale, bend, twist, motion }
    }

    /// Where a place of the new scan comes from.
    pub(super) fn source(&self, p: Vec3) -> Vec3 {
        let mut v = self.pose.inward(p);
        v.x *= self.mirror;
        v /= self.scale;
        let (sin, cos) = (exact::sin(self.twist * v.z), exact::cos(self.twist * v.z));
        v = Vec3::new(cos * v.x - sin * v.y, sin * v.x + cos * v.y, v.z);
        (v.y, v.z) = bent(v.y, v.z, self.bend.x);
        (v.x, v.z) = bent(v.x, v.z, self.bend.y);
        let place = self.middle + v;
        place + self.motion.at(place)
    }

    /// Where a place of the real scan goes: [`Deform::source`] undone, step by step.
    pub(super) fn outward(&self, x: Vec3) -> Vec3 {
        let out = |v: Vec3| self.pose.turn * (v * self.scale * Vec3::new(self.mirror, 1.0, 1.0));
        let mut p = self.pose.at + out(x - self.middle);
        for _ in 0..40 {
            p += 0.8 * out(x - self.source(p));
        }
        p
    }
}

/// A cross-section's point on a rod of this curvature: `across` from its axis, `along` it.
fn bent(across: f32, along: f32, curve: f32) -> (f32, f32) {
    let (sin, cos) = (exact::sin(curve * along), exact::cos(curve * along));
    // (cos − 1) / curve, without the loss of digits where the curve is slight.
    let half = exact::sin(0.5 * curve * along);
    (across * cos - 2.0 * half * half / curve, sin / curve + across * sin)
}

/// Small displacements on a lattice.
#[derive(Debug)]
struct Motion {
    low: Vec3,
    sizes: [usize; 3],
    values: Vec<Vec3>,
}

impl Motion {
    fn random(random: &mut Random, (low, high): (Vec3, Vec3), parts: &[Part<'_>]) -> Self {
        let sizes = ((high - low) / CELL).ceil().to_array().map(|cells| cells.clamp(1.0, 400.0) as usize + 1);
        let seeds: [u32; 3] = std::array::from_fn(|_| random.bits() as u32);
        let wide = random.range(1.0, 3.5);
        let fine = random.range(0.2, 0.8);
        let moves: Vec<(Mat3, Vec3)> = parts
            .iter()
            .map(|_| {
                let mut angle = || random.normal(0.0, 1.8).clamp(-3.5, 3.5);
                let turn = turn_by(angle(), angle(), angle());
                let mut mm = || random.normal(0.0, 0.6).clamp(-1.2, 1.2);
                (turn, Vec3::new(mm(), mm(), mm()))
            })
            .collect();
        let place = |index: usize| {
            let at = [index % sizes[0], index / sizes[0] % sizes[1], index / (sizes[0] * sizes[1])];
            low + Vec3::from_array(at.map(|at| at as f32)) * CELL
        };
        let values = (0..sizes.iter().product())
            .into_par_iter()
            .map(|index| {
                let p = place(index);
                let swing = |seed: u32| wide * noise(p / 48.0, seed) + fine * noise(p / 17.0, seed ^ 9);
                let own = Vec3::from_array(seeds.map(swing));
                // Between two vertebrae both have a say, far from all none has.
                let (mut sum, mut weights) = (Vec3::ZERO, 0.06);
                for (part, (turn, shift)) in parts.iter().zip(&moves) {
                    let weight = 1.0 / (1.0 + exact::exp((part.grid.distance(p) / 2.5).min(20.0)));
                    if weight > 1e-3 {
                        let arm = p - part.middle;
                        sum += weight * (*turn * arm - arm + *shift);
                        weights += weight;
                    }
                }
                own + sum / weights
            })
            .collect();
        let mut motion = Self { low, sizes, values };
        motion.smooth();
        // Weaker until nothing folds; at nothing, nothing does.
        for _ in 0..12 {
            if motion.least_volume() >= LEAST_VOLUME {
                break;
            }
            motion.values.iter_mut().for_each(|value| *value *= 0.75);
        }
        motion
    }

    /// Displacement at a place, trilinear; that of the border outside.
    fn at(&self, p: Vec3) -> Vec3 {
        let [nx, ny, nz] = self.sizes;
        let most = Vec3::new(nx as f32, ny as f32, nz as f32) - Vec3::splat(1.001);
        let q = ((p - self.low) / CELL).clamp(Vec3::ZERO, most.max(Vec3::ZERO));
        let (x, y, z) = (q.x as usize, q.y as usize, q.z as usize);
        let f = q - q.floor();
        let at = (z * ny + y) * nx + x;
        let line = |at: usize| self.values[at].lerp(self.values[at + 1], f.x);
        let near = line(at).lerp(line(at + nx), f.y);
        let far = line(at + nx * ny).lerp(line(at + nx * ny + nx), f.y);
        near.lerp(far, f.z)
    }

    fn smooth(&mut self) {
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

    /// The least that a small volume becomes, as a share of itself (the Jacobian's determinant).
    fn least_volume(&self) -> f32 {
        let [nx, ny, nz] = self.sizes;
        let volume = |x: usize, y: usize, z: usize| {
            let at = (z * ny + y) * nx + x;
            let step = |stride: usize| (self.values[at + stride] - self.values[at]) / CELL;
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
