//! Room between the bones of neighbors whose shapes were not made for each other.

use super::sdf::meet;
use super::solid::Distance;
use super::spine::Pose;
use glam::Vec3;

/// The frame of `from` in that of `to`: both in the neck's frame.
pub(super) fn between(from: &Pose, to: &Pose) -> Pose {
    let inward = to.turn.transpose();
    Pose { turn: inward * from.turn, at: inward * (from.at - to.at) }
}

/// A shape from which everything is taken that lies nearer to a neighbor than to itself, with half the gap (mm) between; a
/// neighbor comes with this shape's frame in its own.
pub(super) fn apart(own: Distance, neighbors: Vec<(Distance, Pose)>, gap: f32) -> Distance {
    Box::new(move |p: Vec3| {
        let distance = own(p);
        // Far outside nothing is left to take away.
        if distance > 2.0 {
            return distance;
        }
        neighbors.iter().fold(distance, |so_far, (neighbor, pose)| {
            let border = (distance - neighbor(pose.outward(p)) + gap) / 2.0;
            if border < so_far - 1.0 { so_far } else { meet(so_far, border, 0.8) }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::Mat3;

    #[test]
    fn shapes_that_overlap_are_parted_by_the_gap() {
        let ball = || -> Distance { Box::new(|p: Vec3| p.length() - 10.0) };
        let beside = |x: f32| Pose { turn: Mat3::IDENTITY, at: Vec3::X * x };
        let own = apart(ball(), vec![(ball(), beside(-16.0))], 1.0);
        let edge = (0..200).map(|i| 10.0 - 0.05 * i as f32).find(|&x| own(Vec3::X * x) < 0.0).expect("bone");
        assert!((7.1..7.6).contains(&edge), "the surface lies at {edge}, half a gap before 8");
        assert!((own(Vec3::NEG_X * 9.0) + 1.0).abs() < 1e-4, "the other side stays");
    }
}
