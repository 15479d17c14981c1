//! Where a point of the new scan comes from in the real one: pose, size, bend, and a smooth motion of each vertebra.

use super::super::exact;
use super::super::grid::Grid;
use super::super::lattice::Lattice;
use super::super::random::{Random, noise};
use super::super::spine::{Pose, turn_by};
use glam::{Mat3, Vec2, Vec3};

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
    motion: Lattice,
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
        let motion = Lattice::still(middle, middle, CELL);
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
        let motion = motion(&mut random, extent, parts);
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

/// Small displacements: a gentle swing of everything, and a motion of each vertebra by itself.
fn motion(random: &mut Random, (low, high): (Vec3, Vec3), parts: &[Part<'_>]) -> Lattice {
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
    let mut motion = Lattice::of(low, high, CELL, &|p| {
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
    });
    motion.smooth();
    motion.unfold(LEAST_VOLUME);
    motion
}
