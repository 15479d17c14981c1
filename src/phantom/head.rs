//! The head above the neck, in a frame whose origin is that of C1: skull, jaws and teeth; `face` has the soft parts. Round shapes
//! of our own that give the neck's upper end its surroundings; no source of measures.

use super::face::Face;
use super::random::Random;
use super::sdf::{capsule, ellipse, ellipsoid, join, meet, round_box, segment, step, taper};
use super::solid::{Solid, Stuff, Vein};
use super::spine::Pose;
use glam::{Vec2, Vec3};

const VAULT: Vec3 = Vec3::new(67.0, 86.0, 66.0);
const VAULT_AT: Vec3 = Vec3::new(0.0, -8.0, 76.0);

/// Distance to the outside of the cranium, were it round: what the scalp follows.
pub(super) fn round_vault(h: Vec3) -> f32 {
    // Flatter below than above.
    let r = h - VAULT_AT;
    ellipsoid(r, if r.z < 0.0 { VAULT - Vec3::Z * 4.0 } else { VAULT })
}

/// Distance to the outside of the cranium.
pub(super) fn vault(h: Vec3) -> f32 {
    // In front the base rises along the clivus to the saddle, and is as high as the eyes from there on; beside it lie the temporal
    // lobes, lower.
    let slope = Vec2::new(-0.79, -0.61).dot(Vec2::new(h.y + 13.0, h.z - 12.0));
    let floor = 47.0 + 0.1 * (h.y + 45.0).min(0.0) - 22.0 * step(14.0, 34.0, h.x.abs()) * step(-72.0, -58.0, h.y);
    meet(round_vault(h), slope.min(floor - h.z), 5.0)
}

/// Distance to the outside of the face: what covers jaw, teeth and upper jaw.
pub(super) fn face(h: Vec3) -> f32 {
    // The chin is narrower than the cheeks.
    let low = step(0.0, -40.0, h.z);
    let bump = |at: f32, width: f32| (1.0 - ((h.z - at) / width).powi(2)).max(0.0);
    // Nose, lips and chin before the teeth, most in the middle.
    let middle = step(26.0, 4.0, h.x.abs());
    let nose = 17.0 * bump(24.0, 15.0) * step(15.0, 5.0, h.x.abs());
    let profile = nose + (5.0 * bump(-4.0, 7.0) + 4.0 * bump(-16.0, 6.0) + 5.0 * bump(-36.0, 12.0)) * middle;
    let radii = Vec2::new(61.0 - 4.0 * low, 72.0 - 3.0 * low);
    let round = ellipse(Vec2::new(h.x, h.y + 38.0), radii) - profile;
    // Under the chin the skin runs back to the neck.
    let under = -50.0 - h.z - 0.22 * (h.y + 38.0);
    meet(round, (h.z - 62.0).max(under), 14.0)
}

/// The head's solids.
pub(super) fn solids(pose: Pose, face: Face, scale: f32, mass_x: f32, random: &mut Random) -> Vec<Solid> {
    let bone = |cortex: f32, spongy: f32| Stuff::Bone { cortex, shell: 1250.0, spongy, vein: Vein::default() };
    let mut seed = || random.bits() as u32;
    let mut solids = Vec::new();
    // Cranium with the foramen magnum, condyles and clivus.
    let skull = move |h: Vec3| {
        let shell = vault(h).abs() - 2.9;
        let m = Vec3::new(h.x.abs(), h.y, h.z);
        let condyle = ellipsoid(m - Vec3::new(mass_x, 0.0, 9.6), Vec3::new(6.2, 11.0, 5.2));
        let root = taper(m, Vec3::new(mass_x + 2.0, 2.0, 12.0), Vec3::new(mass_x + 6.0, 4.0, 20.0), 6.0, 6.0);
        let clivus =
            taper(h * Vec3::new(0.55, 1.0, 1.0), Vec3::new(0.0, -15.0, 17.0), Vec3::new(0.0, -34.0, 46.0), 4.6, 7.0);
        let petrous = taper(m, Vec3::new(48.0, 0.0, 24.0), Vec3::new(14.0, -26.0, 34.0), 11.0, 6.0);
        let hole = ellipse(Vec2::new(h.x, h.y - 6.0), Vec2::new(14.5, 17.0)).max(h.z - 32.0);
        join(meet(join(shell, root, 3.0), -hole, 1.0), join(condyle, clivus.min(petrous), 2.0), 1.5)
    };
    solids.push(Solid::plain(
        pose,
        (Vec3::new(-74.0, -100.0, 2.0), Vec3::new(74.0, 84.0, 150.0)),
        bone(1.3, 420.0),
        seed(),
        Box::new(skull),
    ));
    for side in [-1.0, 1.0] {
        let mastoid = move |h: Vec3| ellipsoid(h - Vec3::new(52.0 * side, 6.0, 16.0), Vec3::new(10.0, 13.0, 17.0));
        let bounds = (Vec3::new(52.0 * side - 11.0, -8.0, -2.0), Vec3::new(52.0 * side + 11.0, 20.0, 34.0));
        solids.push(Solid::plain(pose, bounds, Stuff::Cells, seed(), Box::new(mastoid)));
        let styloid =
            move |h: Vec3| taper(h, Vec3::new(38.0 * side, -9.0, 14.0), Vec3::new(31.0 * side, -22.0, -14.0), 2.2, 1.1);
        let bounds = (Vec3::new(35.0 * side - 8.0, -26.0, -17.0), Vec3::new(35.0 * side + 8.0, -5.0, 18.0));
        solids.push(Solid::plain(pose, bounds, bone(1.0, 500.0), seed(), Box::new(styloid)));
    }
    solids.push(Solid::plain(
        pose,
        (Vec3::new(-58.0, -108.0, -58.0), Vec3::new(58.0, -2.0, 26.0)),
        bone(2.0, 330.0),
        seed(),
        Box::new(move |h| jaw(hanging(h, face.jaw), face.lean)),
    ));
    let upper = move |h: Vec3| {
        let (off, _) = arch(Vec2::new(h.x.abs(), h.y), 3.0);
        // The alveolar process is as broad as the teeth, and narrows upwards in front.
        let ridge = meet(off - 4.8 + 0.12 * (h.z - 3.0).max(0.0), (h.z - 5.0).abs() - 7.5, 3.0);
        let plate = (h.z - face.palate_at(h.x, h.y)).abs() - 1.3;
        let palate = meet(plate, ellipse(Vec2::new(h.x, h.y + 64.0), Vec2::new(25.0, 30.0)), 1.0);
        join(ridge, palate, 1.5)
    };
    solids.push(Solid::plain(
        pose,
        (Vec3::new(-36.0, -108.0, -4.0), Vec3::new(36.0, -30.0, 16.0)),
        bone(1.2, 380.0),
        seed(),
        Box::new(upper),
    ));
    for (row, (z, height)) in [(-6.5, 6.0), (-15.5, 5.6)].into_iter().enumerate() {
        let edge = if row == 0 { -1.0 } else { 1.0 };
        let (turn, lost) = (if row == 0 { 0.0 } else { face.jaw }, face.lost[row]);
        let crowns = move |h: Vec3| teeth(hanging(h, turn), (z, height, edge), lost);
        let bounds = (Vec3::new(-38.0, -108.0, z - height - 9.0), Vec3::new(38.0, -34.0, z + height + 1.0));
        solids.push(Solid::plain(
            pose,
            bounds,
            Stuff::Bone { cortex: 1.4, shell: 2700.0, spongy: 1700.0, vein: Vein::default() },
            seed(),
            Box::new(crowns),
        ));
    }
    // Everything in this frame grows with the person.
    for solid in &mut solids {
        solid.bounds = (solid.bounds.0 * scale, solid.bounds.1 * scale);
        let plain = std::mem::replace(&mut solid.distance, Box::new(|_| f32::MAX));
        solid.distance = Box::new(move |p| plain(p / scale) * scale);
    }
    solids
}

/// Distance in the plane to the arch of the teeth, and how far along it from the last molar to the middle.
fn arch(p: Vec2, inset: f32) -> (f32, f32) {
    let points = [
        Vec2::new(30.0 - inset * 0.5, -44.0),
        Vec2::new(26.0 - inset * 0.5, -66.0),
        Vec2::new(18.0 - inset * 0.3, -84.0),
        Vec2::new(7.0, -93.5 + inset),
        Vec2::new(0.0, -95.0 + inset),
    ];
    let mut best = (f32::MAX, 0.0);
    for (i, pair) in points.windows(2).enumerate() {
        let (d, t) = segment(p, pair[0], pair[1]);
        if d < best.0 {
            best = (d, (i as f32 + t) / 4.0);
        }
    }
    best
}

/// A place as it lies where the jaw is closed: `turn` is the tangent by which it hangs open, about the joint.
fn hanging(h: Vec3, turn: f32) -> Vec3 {
    let r = Vec2::new(h.y + 17.0, h.z - 12.0);
    Vec3::new(h.x, -17.0 + r.x + turn * r.y, 12.0 + r.y - turn * r.x)
}

/// Distance to a row of teeth: height of its middle, half its height, and where its biting edge is (1: above).
fn teeth(h: Vec3, (z, height, edge): (f32, f32, f32), lost: u32) -> f32 {
    let (off, along) = arch(Vec2::new(h.x.abs(), h.y), 3.0);
    // Eight teeth a side, molars broader than incisors.
    let place = along * 8.0;
    if lost >> (place as u32).min(7) & 1 == 1 {
        return 3.0 + off.max(0.0);
    }
    let phase = place.fract() - 0.5;
    let gap = 1.3 * step(0.3, 0.5, phase.abs());
    // Incisors end in an edge, molars in a surface; roots are narrower than crowns.
    let up = (h.z - z) * edge / height;
    let sharp = step(0.55, 0.8, along);
    let wide = (4.6 - 1.4 * along) * (1.0 - 0.6 * sharp * (up + 0.2).max(0.0)) - 1.2 * (-up - 0.2).max(0.0);
    meet(off - wide + gap, (h.z - z).abs() - height, 1.6)
}

/// The mandible: a body bent like a horseshoe and two rising branches with their joint heads. `lean`: how far the chin's lower edge
/// stands behind the upper, mm a mm.
fn jaw(h: Vec3, lean: f32) -> f32 {
    let m = Vec3::new(h.x.abs(), h.y, h.z);
    let points = [Vec2::new(46.0, -34.0), Vec2::new(33.0, -66.0), Vec2::new(17.0, -87.0), Vec2::new(0.0, -92.5)];
    let front = step(-60.0, -85.0, m.y);
    let place = Vec2::new(m.x, m.y - lean * (-28.0 - m.z) * front);
    let mut off = f32::MAX;
    let mut along = 0.0;
    for (i, pair) in points.windows(2).enumerate() {
        let (d, t) = segment(place, pair[0], pair[1]);
        if d < off {
            (off, along) = (d, (i as f32 + t) / 3.0);
        }
    }
    let middle = -29.0 - 3.0 * along;
    // Its section is an egg that stands on its broad end.
    let low = step(8.0, -8.0, m.z - middle);
    let body = meet(off - 3.6 - 2.2 * low - 0.8 * along, (m.z - middle).abs() - 13.0, 6.0);
    let tilt = 0.35 * (m.z + 8.0);
    let branch = round_box(m - Vec3::new(46.5 + 0.05 * m.z, -32.0 + tilt * 0.6, -8.0), Vec3::new(3.6, 15.0, 26.0), 3.0);
    let head = capsule(m, Vec3::new(49.0, -17.0, 17.0), Vec3::new(46.0, -24.0, 2.0), 5.0);
    join(join(body, branch, 3.0), head, 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skull_base_rises_before_the_foramen_so_that_the_nose_lies_below_it() {
        assert!(vault(Vec3::new(0.0, 0.0, 76.0)) < -40.0, "the brain");
        for nose in [Vec3::new(0.0, -60.0, 25.0), Vec3::new(8.0, -75.0, 35.0), Vec3::new(0.0, -36.0, 20.0)] {
            assert!(vault(nose) > 3.0 && round_vault(nose) < vault(nose), "{nose}");
        }
        assert!(vault(Vec3::new(40.0, -40.0, 40.0)) < 0.0, "a temporal lobe lies beside the saddle, lower than it");
    }

    #[test]
    fn a_jaw_that_hangs_open_has_its_chin_lower_and_its_joint_where_it_was() {
        let chin = Vec3::new(0.0, -92.0, -40.0);
        assert!(jaw(chin, 0.0) < 0.0);
        let lowest =
            |turn: f32| (-70..0).map(|z| z as f32).find(|&z| jaw(hanging(Vec3::new(0.0, -90.0, z), turn), 0.0) < 0.0);
        assert!(lowest(0.09).is_some() && lowest(0.09) < lowest(0.0), "{:?} and {:?}", lowest(0.09), lowest(0.0));
        let joint = Vec3::new(49.0, -17.0, 12.0);
        assert_eq!(hanging(joint, 0.09), joint);
    }

    #[test]
    fn a_lost_tooth_leaves_a_gap_and_its_neighbours() {
        let near = |lost: u32, along: usize| {
            let molar = [Vec3::new(28.3, -45.0, -6.5), Vec3::new(2.0, -91.5, -6.5)][along];
            teeth(molar, (-6.5, 6.0, -1.0), lost)
        };
        assert!(near(0, 0) < 0.0 && near(0, 1) < 0.0);
        assert!(near(1, 0) > 0.0 && near(1, 1) < 0.0);
    }
}
