//! The head above the neck, in a frame whose origin is that of C1: skull base, jaw, teeth, and the air in the face.
//! Round shapes of our own that give the neck's upper end its surroundings; no source of measures.

use super::random::{Random, noise};
use super::sdf::{capsule, ellipse, ellipsoid, join, meet, round_box, segment, step, taper};
use super::solid::{Solid, Stuff, Vein};
use super::spine::Pose;
use glam::{Vec2, Vec3};

const VAULT: Vec3 = Vec3::new(67.0, 86.0, 66.0);
const VAULT_AT: Vec3 = Vec3::new(0.0, -8.0, 76.0);

/// Distance to the outside of the cranium.
pub(super) fn vault(h: Vec3) -> f32 {
    // Flatter below than above.
    let r = h - VAULT_AT;
    ellipsoid(r, if r.z < 0.0 { VAULT - Vec3::Z * 4.0 } else { VAULT })
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
    meet(round, (h.z - 34.0).max(under), 14.0)
}

/// HU of the air (and its lining) in nose and maxillary sinuses; `None` elsewhere.
pub(super) fn air(h: Vec3, seed: u32) -> Option<f32> {
    let x = h.x.abs();
    let sinus = ellipsoid(Vec3::new(x, h.y, h.z) - Vec3::new(27.0, -66.0, 24.0), Vec3::new(12.0, 15.0, 16.0));
    if sinus < 0.0 {
        return Some(if sinus > -0.8 { 40.0 } else { -1000.0 });
    }
    if sinus < 1.0 {
        return Some(700.0);
    }
    let nose = round_box(h - Vec3::new(0.0, -68.0, 22.0), Vec3::new(13.0, 30.0, 19.0), 6.0);
    if nose > 0.0 {
        return None;
    }
    let conchae = noise(h / Vec3::new(4.5, 16.0, 6.5), seed ^ 21);
    Some(if x < 1.2 {
        420.0
    } else if conchae > 0.05 {
        45.0
    } else {
        -990.0
    })
}

/// The head's solids.
pub(super) fn solids(pose: Pose, scale: f32, mass_x: f32, random: &mut Random) -> Vec<Solid> {
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
        (Vec3::new(-58.0, -108.0, -46.0), Vec3::new(58.0, -2.0, 24.0)),
        bone(2.0, 330.0),
        seed(),
        Box::new(jaw),
    ));
    let upper = |h: Vec3| {
        let (off, _) = arch(Vec2::new(h.x.abs(), h.y), 3.0);
        let ridge = meet(off - 5.0, (h.z - 6.0).abs() - 7.0, 3.0);
        let plate = (h.z - 3.0 - 0.02 * (h.y + 70.0)).abs() - 1.6;
        let palate = meet(plate, ellipse(Vec2::new(h.x, h.y + 66.0), Vec2::new(22.0, 34.0)), 1.0);
        join(ridge, palate, 1.5)
    };
    solids.push(Solid::plain(
        pose,
        (Vec3::new(-36.0, -108.0, -3.0), Vec3::new(36.0, -30.0, 16.0)),
        bone(1.2, 380.0),
        seed(),
        Box::new(upper),
    ));
    for (z, height) in [(-6.5, 5.0), (-15.5, 4.6)] {
        let row = move |h: Vec3| teeth(h, z, height);
        let bounds = (Vec3::new(-38.0, -108.0, z - height - 1.0), Vec3::new(38.0, -34.0, z + height + 1.0));
        solids.push(Solid::plain(
            pose,
            bounds,
            Stuff::Bone { cortex: 1.4, shell: 2700.0, spongy: 1700.0, vein: Vein::default() },
            seed(),
            Box::new(row),
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

fn teeth(h: Vec3, z: f32, height: f32) -> f32 {
    let (off, along) = arch(Vec2::new(h.x.abs(), h.y), 3.0);
    // Eight teeth a side, molars broader than incisors.
    let phase = (along * 8.0).fract() - 0.5;
    let gap = 1.3 * step(0.3, 0.5, phase.abs());
    let wide = 4.6 - 1.6 * along;
    meet(off - wide + gap, (h.z - z).abs() - height, 1.6)
}

/// The mandible: a body bent like a horseshoe and two rising branches with their joint heads.
fn jaw(h: Vec3) -> f32 {
    let m = Vec3::new(h.x.abs(), h.y, h.z);
    let points = [Vec2::new(46.0, -34.0), Vec2::new(33.0, -66.0), Vec2::new(17.0, -88.0), Vec2::new(0.0, -95.0)];
    let mut off = f32::MAX;
    let mut along = 0.0;
    for (i, pair) in points.windows(2).enumerate() {
        let (d, t) = segment(Vec2::new(m.x, m.y), pair[0], pair[1]);
        if d < off {
            (off, along) = (d, (i as f32 + t) / 3.0);
        }
    }
    let middle = -29.0 - 3.0 * along;
    let body = meet(off - 4.6 - 1.0 * along, (m.z - middle).abs() - 12.0, 4.0);
    let lean = 0.35 * (m.z + 8.0);
    let branch = round_box(m - Vec3::new(46.5 + 0.05 * m.z, -32.0 + lean * 0.6, -8.0), Vec3::new(3.6, 15.0, 26.0), 3.0);
    let head = capsule(m, Vec3::new(49.0, -17.0, 17.0), Vec3::new(46.0, -24.0, 2.0), 5.0);
    join(join(body, branch, 3.0), head, 3.0)
}
