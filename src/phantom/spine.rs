//! Where the vertebrae stand: the neck's curve.

use super::exact;
use super::morphometry::Sizes;
use super::random::Random;
use glam::{Mat3, Vec3};

/// Place of a rigid thing: its own frame in the neck's frame (mm, axes as LPS, origin in the body of C4).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pose {
    /// Own axes as columns.
    pub turn: Mat3,
    /// Own origin.
    pub at: Vec3,
}

impl Pose {
    /// A point of the neck's frame in the own frame.
    pub(super) fn inward(&self, p: Vec3) -> Vec3 {
        self.turn.transpose() * (p - self.at)
    }

    /// A point of the own frame in the neck's frame.
    pub(super) fn outward(&self, p: Vec3) -> Vec3 {
        self.turn * p + self.at
    }
}

/// Poses of C1 to the last of the vertebrae. A positive pitch leans the head end of a vertebra backwards.
pub(super) fn stand(sizes: &[Sizes], random: &mut Random) -> Vec<Pose> {
    // A steep first thoracic vertebra goes with more lordosis (Lee et al., J Spinal Disord Tech 2012;25:E41), so that the head
    // comes to stand above it; in a collar or in spasm a third of all necks is straight or bent forwards all the same.
    let slope = random.normal(-19.0, 5.0).clamp(-30.0, -6.0);
    let lordosis = (random.normal(14.0, 12.0) - 0.9 * (slope + 19.0)).clamp(-22.0, 45.0);
    // Who lies on a table cannot hang the head further forwards.
    let lordosis = lordosis.max(-2.0 * (slope + 24.0));
    let roll = random.normal(0.0, 3.0).clamp(-8.0, 8.0);
    let twist = random.normal(0.0, 5.0).clamp(-13.0, 13.0);
    let nod = random.normal(0.0, 4.0).clamp(-8.0, 8.0);
    let turn = random.normal(0.0, 8.0).clamp(-24.0, 24.0);
    let mut poses: Vec<Option<Pose>> = vec![None; sizes.len()];
    // From below upwards; angles run evenly from T1's slope to C2's, and come to rest in the middle of the back.
    let mut at = Vec3::ZERO;
    let mut below: Option<(Mat3, usize)> = None;
    for level in (1..sizes.len()).rev() {
        let along = (7.0 - level as f32) / 6.0;
        let rest = (1.0 - (level as f32 - 8.0) / 6.0).clamp(0.0, 1.0);
        let pitch = match level {
            0..8 => slope + lordosis * along + random.range(-1.2, 1.2),
            _ => (slope - lordosis / 6.0 - 6.0) * rest,
        };
        let along = along.max(-1.0 / 6.0);
        let axes = turn_by(pitch, roll * along + random.range(-0.8, 0.8), twist * along + random.range(-1.0, 1.0));
        if let Some((lower, lower_level)) = below {
            let half_disc = sizes[level].disc / 2.0;
            at += match sizes[level].seat {
                Some(seat) => (lower * seat + axes * seat) / 2.0,
                None => {
                    lower * Vec3::Z * (sizes[lower_level].half_height + half_disc)
                        + axes * Vec3::Z * (half_disc + sizes[level].half_height)
                }
            };
        }
        poses[level] = Some(Pose { turn: axes, at });
        below = Some((axes, level));
    }
    let axis = poses[1].unwrap_or(Pose { turn: Mat3::IDENTITY, at });
    let scale = sizes[1].half_depth / 7.8;
    let lean = turn_by(nod, random.range(-2.0, 2.0), turn);
    let above = Vec3::new(0.0, 7.3 * scale, sizes[1].half_height + 8.2 * scale);
    poses[0] = Some(Pose { turn: axis.turn * lean, at: axis.at + axis.turn * sizes[0].seat.unwrap_or(above) });
    let poses: Vec<Pose> = poses.into_iter().flatten().collect();
    let centre = poses[3].at;
    poses.into_iter().map(|pose| Pose { at: pose.at - centre, ..pose }).collect()
}

/// A part of a turn: axes that far on the way from upright to `turn`.
pub(super) fn partly(turn: Mat3, share: f32) -> Mat3 {
    let z = Vec3::Z.lerp(turn.z_axis, share).normalize_or(Vec3::Z);
    let x = Vec3::X.lerp(turn.x_axis, share);
    let x = (x - z * x.dot(z)).normalize_or(Vec3::X);
    Mat3::from_cols(x, z.cross(x), z)
}

/// Axes turned by degrees: pitch about x, roll about y, twist about z.
pub(super) fn turn_by(pitch: f32, roll: f32, twist: f32) -> Mat3 {
    let [(sx, cx), (sy, cy), (sz, cz)] = [-pitch, roll, twist].map(|degrees| {
        let angle = degrees.to_radians();
        (exact::sin(angle), exact::cos(angle))
    });
    let about_x = Mat3::from_cols(Vec3::X, Vec3::new(0.0, cx, sx), Vec3::new(0.0, -sx, cx));
    let about_y = Mat3::from_cols(Vec3::new(cy, 0.0, -sy), Vec3::Y, Vec3::new(sy, 0.0, cy));
    let about_z = Mat3::from_cols(Vec3::new(cz, sz, 0.0), Vec3::new(-sz, cz, 0.0), Vec3::Z);
    about_z * about_y * about_x
}
