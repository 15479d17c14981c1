//! What a few necks have and most have not: segments grown together, a plate with screws, rods.

use super::morphometry::Sizes;
use super::random::{Random, noise};
use super::sdf::{capsule, ellipse, ellipsoid, meet, round_box};
use super::solid::{Solid, Stuff, Vein};
use super::spine::Pose;
use glam::{Mat3, Vec2, Vec3};

/// HU of titanium and steel before the scanner cuts them off at its highest number.
const METAL: f32 = 6500.0;

/// The rare things of one neck; levels are 0 = C1, 7 = T1.
#[derive(Debug, Clone, Default)]
pub(super) struct Special {
    /// Levels that have grown together with the next.
    fused: Vec<usize>,
    /// First and last level of a plate in front of the bodies.
    plate: Option<(usize, usize)>,
    /// First and last level of rods behind.
    rods: Option<(usize, usize)>,
}

impl Special {
    /// Draws them.
    pub(super) fn draw(random: &mut Random) -> Self {
        let mut special = Self::default();
        // Block vertebrae are rare and lie at C2-3 most often (own round numbers).
        if random.chance(0.04) {
            special.fused.push([1, 1, 2, 4, 5][random.below(5)]);
        }
        if random.chance(0.04) {
            let first = 2 + random.below(4);
            let last = (first + 1 + random.below(3)).min(6);
            special.plate = Some((first, last));
            special.fused.extend((first..last).filter(|_| random.chance(0.75)));
        }
        if random.chance(0.025) {
            let first = 2 + random.below(3);
            special.rods = Some((first, (first + 2 + random.below(3)).min(6)));
        }
        special
    }

    /// Whether a level has grown together with the next.
    pub(super) fn is_fused(&self, level: usize) -> bool {
        self.fused.contains(&level)
    }

    /// Metal in and before the spine, with the places (neck's frame) where it is thickest.
    pub(super) fn solids(&self, sizes: &[Sizes], poses: &[Pose]) -> (Vec<Solid>, Vec<Vec3>) {
        let (mut solids, mut thick) = (Vec::new(), Vec::new());
        if let Some((first, last)) = self.plate {
            for level in first..=last {
                let s = &sizes[level];
                let face = -s.half_depth - s.osteophytes - 2.6;
                for side in [-1.0, 1.0] {
                    let (head, tip) =
                        (Vec3::new(5.0 * side, face, 0.0), Vec3::new(3.6 * side, s.half_depth - 3.5, 1.0));
                    solids.push(rod(poses[level], head, tip, 1.9));
                }
                thick.push(poses[level].outward(Vec3::new(0.0, -s.half_depth * 0.5, 0.0)));
                if level < last {
                    let below = -sizes[level + 1].half_depth - sizes[level + 1].osteophytes - 2.6;
                    let (a, b) = (poses[level].outward(Vec3::Y * face), poses[level + 1].outward(Vec3::Y * below));
                    solids.push(plate(poses[level].turn, a, b));
                }
            }
        }
        if let Some((first, last)) = self.rods {
            for side in [-1.0, 1.0] {
                let mut above = None;
                for level in first..=last {
                    let s = &sizes[level];
                    let head = Vec3::new(side * (s.canal_half_width + 4.0), s.half_depth + 14.5, 0.0);
                    let tip = Vec3::new(side * (s.canal_half_width + 8.0), s.half_depth + 2.5, 2.0);
                    solids.push(rod(poses[level], head, tip, 1.7));
                    let at = poses[level].outward(head);
                    let knob = move |p: Vec3| ellipsoid(p, Vec3::splat(3.6));
                    let upright = Pose { turn: Mat3::IDENTITY, at };
                    solids.push(metal(upright, (Vec3::splat(-4.0), Vec3::splat(4.0)), Box::new(knob)));
                    if let Some(above) = above {
                        solids.push(rod(Pose { turn: Mat3::IDENTITY, at: Vec3::ZERO }, above, at, 1.7));
                    }
                    above = Some(at);
                    thick.push(at);
                }
            }
        }
        (solids, thick)
    }
}

/// Bone in the place of a disc.
pub(super) fn bridge(pose: Pose, radii: Vec2, half: f32, random: &mut Random) -> Solid {
    let seed = random.bits() as u32;
    let stuff = Stuff::Bone { cortex: 0.5, shell: 720.0, spongy: random.range(280.0, 420.0), vein: Vein::default() };
    let distance =
        move |p: Vec3| meet(ellipse(Vec2::new(p.x, p.y), radii), p.z.abs() - half, 1.0) + 0.5 * noise(p / 4.0, seed);
    let bounds = (Vec3::new(-radii.x, -radii.y, -half) - 0.5, Vec3::new(radii.x, radii.y, half) + 0.5);
    Solid::plain(pose, bounds, stuff, seed, Box::new(distance))
}

fn metal(pose: Pose, bounds: (Vec3, Vec3), distance: super::solid::Distance) -> Solid {
    Solid::plain(pose, bounds, Stuff::Even(METAL), 0, distance)
}

fn rod(pose: Pose, a: Vec3, b: Vec3, radius: f32) -> Solid {
    let margin = Vec3::splat(radius + 0.5);
    metal(pose, (a.min(b) - margin, a.max(b) + margin), Box::new(move |p| capsule(p, a, b, radius)))
}

fn plate(turn: Mat3, a: Vec3, b: Vec3) -> Solid {
    let half = Vec3::new(8.0, 1.2, (a - b).length() / 2.0 + 4.0);
    let z = (a - b).normalize_or(Vec3::Z);
    let x = (turn.x_axis - z * turn.x_axis.dot(z)).normalize_or(Vec3::X);
    let pose = Pose { turn: Mat3::from_cols(x, z.cross(x), z), at: (a + b) / 2.0 };
    let hole = move |p: Vec3| ellipse(Vec2::new(p.x, p.z), Vec2::new(3.0, half.z - 8.0));
    metal(pose, (-half - 0.5, half + 0.5), Box::new(move |p| meet(round_box(p, half, 1.0), -hole(p), 0.5)))
}
