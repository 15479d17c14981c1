//! Smooth, strong changes of a vertebra's shape, by what its parts are: no two necks have the same.

use super::morphometry::Sizes;
use super::random::{Random, noise};
use super::sdf::{capsule, meet, step};
use super::spine::turn_by;
use glam::{Mat3, Vec3};

/// How one vertebra has grown differently from the reference; its places are the reference's.
#[derive(Debug, Clone)]
pub(super) struct Growth {
    level: usize,
    sizes: Sizes,
    /// Scale along each axis, less 1.
    axes: Vec3,
    /// Left side larger than the right, as a share.
    uneven: f32,
    /// Rise of the left side over the right, mm per mm.
    tilt: f32,
    /// Added to half the canal's width and to its depth, mm.
    canal: (f32, f32),
    /// Height of the body's front against its back, as a share.
    wedge: f32,
    /// Turns of the articular pillars, left and right.
    facets: [Mat3; 2],
    /// Rise of the uncinate processes, left and right, mm.
    uncus: [f32; 2],
    /// Stretch of the spinous process, as a share, and its bend to the left and to the head, mm per mm.
    spinous: Vec3,
    /// Stretch of the transverse processes, left and right, as a share.
    transverse: [f32; 2],
    /// Lean of the dens to the left and to the back and its stretch, mm per mm.
    dens: Vec3,
    /// Depth of a groove between two tips of the spinous process, mm; 0 for none.
    groove: f32,
    /// Added to the distance: thicker below 0.
    slender: f32,
    /// Amplitudes of a wide and a fine swing, mm.
    swing: (f32, f32),
    seeds: [u32; 3],
}

/// What all levels of a neck share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habit {
    axes: Vec3,
    canal: f32,
    slender: f32,
    uneven: f32,
}

impl Habit {
    /// Draws it.
    pub(super) fn draw(random: &mut Random) -> Self {
        let mut axis = || random.normal(0.0, 0.05).clamp(-0.1, 0.1);
        Self {
            axes: Vec3::new(axis(), axis(), axis()),
            canal: random.normal(0.0, 0.9).clamp(-1.8, 1.8),
            slender: random.normal(0.0, 0.2).clamp(-0.45, 0.35),
            uneven: random.normal(0.0, 0.025).clamp(-0.06, 0.06),
        }
    }
}

impl Growth {
    /// Draws the growth of a level (0 = C1) whose reference has these sizes.
    pub(super) fn draw(level: usize, sizes: &Sizes, habit: Habit, random: &mut Random) -> Self {
        let mut about = |spread: f32| random.normal(0.0, spread).clamp(-2.2 * spread, 2.2 * spread);
        let axes = habit.axes + Vec3::new(about(0.025), about(0.025), about(0.03));
        let (uneven, tilt) = (habit.uneven + about(0.025), about(0.03));
        let canal = (habit.canal + about(0.4), habit.canal * 0.8 + about(0.6));
        let facets = [0, 1].map(|_| turn_by(about(6.0), about(4.0), about(6.0)));
        let uncus = [about(0.8), about(0.8)];
        let spinous = Vec3::new(about(0.09), about(0.16), about(0.14));
        let transverse = [about(0.16), about(0.16)];
        let dens = Vec3::new(about(0.05), about(0.1), about(0.08));
        let slender = habit.slender + about(0.12);
        let wedge = about(0.05);
        let bifid = (1..6).contains(&level) && random.chance(0.4);
        Self {
            level,
            sizes: sizes.clone(),
            axes,
            uneven,
            tilt,
            canal,
            wedge,
            facets,
            uncus,
            spinous,
            transverse,
            dens,
            groove: if bifid { random.range(3.0, 9.0) } else { 0.0 },
            slender,
            swing: (random.range(0.3, 1.5), random.range(0.15, 0.55)),
            seeds: std::array::from_fn(|_| random.bits() as u32),
        }
    }

    /// Where the canal's middle lies and how far back it reaches.
    fn canal_ends(&self) -> (f32, f32) {
        match self.level {
            0 => (-6.0, 9.0 + self.sizes.canal_depth),
            _ => (self.sizes.half_depth, self.sizes.half_depth + self.sizes.canal_depth),
        }
    }

    /// How far a place of the reference moves.
    pub(super) fn at(&self, p: Vec3) -> Vec3 {
        let s = &self.sizes;
        let (front, back) = self.canal_ends();
        let left = step(-6.0, 6.0, p.x);
        let of = |pair: [f32; 2]| pair[1] + (pair[0] - pair[1]) * left;
        let (x, side) = (p.x.abs(), p.x / (p.x.abs() + 3.0));
        let mut by = self.axes * p;
        by.x += self.uneven * p.x * side;
        by.z += self.tilt * p.x * step(front - 4.0, back, p.y);
        // The canal.
        let beside = step(front - 2.0, front + 4.0, p.y) * step(back + 6.0, back, p.y);
        by.x += self.canal.0 * side * beside * step(0.0, 8.0, x);
        by.y += self.canal.1 * step(front - 1.0, back, p.y);
        // The processes.
        let behind = (p.y - back - 1.0).max(0.0) * step(14.0, 7.0, x);
        by += Vec3::new(self.spinous.x, self.spinous.y, self.spinous.z) * behind;
        let reach = s.canal_half_width + 9.0;
        by.x += side * of(self.transverse) * (x - reach).max(0.0);
        if self.level == 0 {
            return by + self.swing(p);
        }
        // The articular pillars, about their middle.
        let pillar = Vec3::new(s.canal_half_width + 5.6, s.half_depth + 5.5, 0.0);
        let arm = Vec3::new(x, p.y, p.z) - pillar;
        let near = step(13.0, 5.0, arm.length());
        if near > 0.0 {
            let own = Vec3::new(arm.x * p.x.signum(), arm.y, arm.z);
            let turn = self.facets[usize::from(p.x < 0.0)];
            by += (turn * own - own) * near;
        }
        // The body.
        let body = step(s.half_depth + 4.0, s.half_depth, p.y);
        by.z -= self.wedge * body * p.z.clamp(-s.half_height, s.half_height) * p.y / s.half_depth;
        if self.level > 1 {
            let rim = step(0.5, 1.0, x / s.half_width[0]) * step(1.5, 1.15, x / s.half_width[0]);
            by.z += of(self.uncus) * body * rim * step(0.3 * s.half_height, 1.1 * s.half_height, p.z);
        } else {
            let above = (p.z - s.half_height - 1.0).max(0.0) * step(13.0, 8.0, x) * step(13.0, 9.0, p.y.abs());
            by += self.dens * above;
        }
        by + self.swing(p)
    }

    fn swing(&self, p: Vec3) -> Vec3 {
        Vec3::from_array(
            self.seeds.map(|seed| self.swing.0 * noise(p / 24.0, seed) + self.swing.1 * noise(p / 10.0, seed ^ 9)),
        )
    }

    /// The distance to the grown bone from that to the bone as it was, at a place of the reference.
    pub(super) fn distance(&self, p: Vec3, before: f32) -> f32 {
        // Thin plates stay plates.
        let mut distance = before + self.slender;
        if self.groove > 0.0 {
            let back = self.sizes.half_depth + self.sizes.canal_depth;
            let tip = Vec3::new(0.0, back + self.sizes.spinous + 2.0, -self.sizes.spinous_drop);
            let root = tip + Vec3::new(0.0, -self.groove, 0.3 * self.groove);
            let groove = capsule(p, root, tip + Vec3::new(0.0, 7.0, -3.0), 1.6 + 0.1 * self.groove);
            distance = meet(distance, -groove, 1.2);
        }
        distance
    }
}

#[cfg(test)]
mod tests {
    use super::super::morphometry::{self, Build};
    use super::*;

    #[test]
    fn growth_moves_by_millimeters_and_differs_from_seed_to_seed() {
        let build = Build { scale: 1.0, wear: 0.0, density: [1000.0, 300.0] };
        let sizes = morphometry::draw(build, &mut Random::new(1, "sizes"));
        for (level, sizes) in sizes.iter().enumerate() {
            let (mut least, mut most) = (f32::MAX, 0.0_f32);
            for seed in 0..40 {
                let mut random = Random::new(seed, "growth");
                let habit = Habit::draw(&mut random);
                let growth = Growth::draw(level, sizes, habit, &mut random);
                let places = [Vec3::new(12.0, 14.0, 0.0), Vec3::new(-8.0, -6.0, 4.0), Vec3::new(0.0, 40.0, -9.0)];
                let moved = places.map(|p| growth.at(p).length());
                least = least.min(moved[0]);
                most = moved.into_iter().fold(most, f32::max);
            }
            assert!(most > 2.0 && most < 25.0 && least < 2.5, "level {level}: {least} to {most} mm");
        }
    }
}
