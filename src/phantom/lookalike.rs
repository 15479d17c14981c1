//! What looks like a fracture and is none: growths, clefts, nodes, gas and seams that many necks have.

use super::morphometry::Sizes;
use super::random::{Random, noise};
use super::sdf::{capsule, ellipsoid, join, meet};
use super::solid::{Distance, Solid, Stuff, Vein};
use super::spine::Pose;
use crate::domain::CervicalLevel;
use glam::{Mat3, Vec3};

/// What kind of look-alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LookalikeKind {
    /// Bone that grows from the rim of an end plate.
    Osteophyte,
    /// Osteophytes of neighbors that nearly meet.
    Bridge,
    /// A round bit of bone before a disc or behind a spinous process.
    Ossicle,
    /// Gas in the disc below the level.
    DiscVacuum,
    /// A node of disc in an end plate.
    SchmorlNode,
    /// A hollow under a joint's surface.
    Cyst,
    /// Ossification of the posterior longitudinal ligament.
    LigamentOssification,
    /// A canal of a vessel.
    VascularChannel,
    /// The seam between dens and body of C2.
    Synchondrosis,
    /// A dens that has never united with its body.
    OsOdontoideum,
    /// An arch of C1 that has never closed.
    ArchCleft,
    /// A bridge of bone over the vertebral artery on C1.
    Ponticulus,
    /// A level that has grown together with the next.
    BlockVertebra,
}

impl LookalikeKind {
    /// The kind's name in `truth.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Osteophyte => "osteophyte",
            Self::Bridge => "bridge",
            Self::Ossicle => "ossicle",
            Self::DiscVacuum => "disc-vacuum",
            Self::SchmorlNode => "schmorl-node",
            Self::Cyst => "cyst",
            Self::LigamentOssification => "ligament-ossification",
            Self::VascularChannel => "vascular-channel",
            Self::Synchondrosis => "synchondrosis",
            Self::OsOdontoideum => "os-odontoideum",
            Self::ArchCleft => "arch-cleft",
            Self::Ponticulus => "ponticulus",
            Self::BlockVertebra => "block-vertebra",
        }
    }
}

/// A look-alike at a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lookalike {
    /// Level.
    pub level: CervicalLevel,
    /// Kind.
    pub kind: LookalikeKind,
}

/// Bone added to a vertebra or taken from it, own frame, mm.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// A knob with these half sizes.
    Knob { at: Vec3, radii: Vec3, seed: u32 },
    /// A rod.
    Rod { from: Vec3, to: Vec3, radius: f32 },
    /// A round groove that cortex covers, on bone with y above `behind`.
    Groove { from: Vec3, to: Vec3, radius: f32, behind: f32 },
    /// A slit across the dens that cortex covers.
    Slit { z: f32, half: f32 },
}

/// A thing of another density within bone or disc, own frame, mm.
#[derive(Debug, Clone, Copy)]
struct Inlay {
    at: Vec3,
    radii: Vec3,
    stuff: Stuff,
}

/// The look-alikes of one vertebra.
#[derive(Debug, Clone, Default)]
pub(super) struct Lookalikes {
    kinds: Vec<LookalikeKind>,
    changes: Vec<Change>,
    inlays: Vec<Inlay>,
    /// Farthest that bone is added beyond the vertebra's box, mm.
    reach: f32,
}

impl Lookalikes {
    /// Draws those of a level (0 = C1); `wear` is 0 to 1.
    pub(super) fn draw(level: usize, s: &Sizes, wear: f32, random: &mut Random) -> Self {
        let mut found = Self::default();
        match level {
            0 => found.atlas(s, random),
            1 => found.axis(s, random),
            _ => {}
        }
        if (1..7).contains(&level) {
            found.worn(level, s, wear, random);
        }
        found
    }

    /// The kinds, in the order in which they were made.
    pub(super) fn kinds(&self) -> &[LookalikeKind] {
        &self.kinds
    }

    /// How far added bone may reach beyond the vertebra's box, mm.
    pub(super) fn reach(&self) -> f32 {
        self.reach
    }

    fn knob(&mut self, at: Vec3, radii: Vec3, random: &mut Random) {
        self.changes.push(Change::Knob { at, radii, seed: random.bits() as u32 });
        self.reach = self.reach.max(radii.max_element() + 3.0);
    }

    fn atlas(&mut self, s: &Sizes, random: &mut Random) {
        let (mass, back) = (s.half_width[0] + 2.5, 9.0 + s.canal_depth);
        if random.chance(0.05) {
            let x = if random.chance(0.7) { 0.0 } else { random.range(6.0, 11.0) * random.sign() };
            let place = Vec3::new(x, back - 0.06 * x * x, 0.0);
            let radius = random.range(1.0, 3.2);
            let (from, to) = (place - Vec3::Z * 12.0, place + Vec3::Z * 12.0);
            self.changes.push(Change::Groove { from, to, radius, behind: 7.0 });
            self.kinds.push(LookalikeKind::ArchCleft);
        }
        if random.chance(0.02) {
            let place = Vec3::Y * -14.8;
            let (from, to) = (place - Vec3::new(0.0, 8.0, 12.0), place + Vec3::new(0.0, 6.0, 12.0));
            self.changes.push(Change::Groove { from, to, radius: random.range(0.8, 2.0), behind: -30.0 });
            self.kinds.push(LookalikeKind::ArchCleft);
        }
        if random.chance(0.14) {
            let side = random.sign();
            let (from, to) = (Vec3::new(side * mass, 8.0, 4.5), Vec3::new(side * (mass - 3.0), 16.0, 3.5));
            let end = if random.chance(0.5) { to } else { from.lerp(to, 0.6) };
            self.changes.push(Change::Rod { from, to: end, radius: random.range(0.9, 1.6) });
            self.kinds.push(LookalikeKind::Ponticulus);
        }
    }

    fn axis(&mut self, s: &Sizes, random: &mut Random) {
        if random.chance(0.02) {
            let z = s.half_height + random.range(4.0, 7.0);
            self.changes.push(Change::Slit { z, half: random.range(0.9, 2.0) });
            self.kinds.push(LookalikeKind::OsOdontoideum);
        } else if random.chance(0.6) {
            // A remnant of the seam: dark between two dense plates, or dense alone, inside the bone.
            let at =
                Vec3::new(random.range(-0.8, 0.8), random.range(-0.8, 0.8), s.half_height + random.range(-1.0, 2.5));
            let wide = Vec3::new(random.range(2.5, 5.5), random.range(2.0, 4.2), 0.0);
            let dense = Stuff::Even(random.range(480.0, 800.0));
            self.inlays.push(Inlay { at, radii: wide + Vec3::Z * random.range(0.7, 1.3), stuff: dense });
            if random.chance(0.6) {
                let dark = Stuff::Even(random.range(60.0, 220.0));
                self.inlays.push(Inlay { at, radii: wide * 0.85 + Vec3::Z * random.range(0.3, 0.7), stuff: dark });
            }
            self.kinds.push(LookalikeKind::Synchondrosis);
        }
    }

    fn worn(&mut self, level: usize, s: &Sizes, wear: f32, random: &mut Random) {
        // Wear is greatest at C5 to C7.
        let site = [0.0, 0.3, 0.5, 0.8, 1.2, 1.2, 0.9][level];
        let worn = (wear * site).min(1.0);
        let rim = |random: &mut Random, up: f32| {
            let x = random.range(-0.7, 0.7) * s.half_width[0];
            Vec3::new(x, -s.half_depth * (1.0 - 0.25 * (x / s.half_width[0]).powi(2)) - 0.2, up * (s.half_height - 0.9))
        };
        for up in [-1.0, 1.0] {
            if random.chance(0.25 + 0.6 * worn) && !(level == 1 && up > 0.0) {
                let at = rim(random, up);
                let radii =
                    Vec3::new(random.range(2.5, 7.0), random.range(1.2, 2.2 + 1.8 * worn), random.range(1.2, 2.6));
                self.knob(at, radii, random);
                self.kinds.push(LookalikeKind::Osteophyte);
            }
            if random.chance(0.1 + 0.4 * worn) && !(level == 1 && up > 0.0) {
                let at = Vec3::new(
                    random.range(-0.8, 0.8) * s.half_width[0],
                    s.half_depth + 0.1,
                    up * (s.half_height - 0.7),
                );
                let radii = Vec3::new(random.range(2.0, 4.5), random.range(0.9, 1.9), random.range(0.9, 1.7));
                self.knob(at, radii, random);
                self.kinds.push(LookalikeKind::Osteophyte);
            }
        }
        if random.chance(0.16 * worn) {
            let from = rim(random, -1.0);
            let to = from - Vec3::new(0.0, random.range(0.5, 1.5), s.disc * random.range(0.4, 1.1));
            self.changes.push(Change::Rod { from, to, radius: random.range(1.4, 2.4) });
            self.reach = self.reach.max(s.disc + 3.0);
            self.kinds.push(LookalikeKind::Bridge);
        }
        if random.chance(0.22 * worn) {
            let at = Vec3::new(random.range(-4.0, 4.0), random.range(-3.0, 2.0), -s.half_height - s.disc * 0.5);
            let radii = Vec3::new(random.range(2.0, 6.0), random.range(1.5, 5.0), random.range(0.4, 0.9));
            self.inlays.push(Inlay { at, radii, stuff: Stuff::Even(random.range(-800.0, -300.0)) });
            self.kinds.push(LookalikeKind::DiscVacuum);
        }
        if random.chance(0.05 + 0.12 * worn) {
            let up = if level == 1 { -1.0 } else { random.sign() };
            let deep = random.range(0.8, 2.4);
            let at = Vec3::new(random.range(-5.0, 5.0), random.range(-3.0, 2.5), up * (s.half_height - 1.2));
            let radii = Vec3::new(random.range(1.2, 3.0), random.range(1.2, 2.6), deep);
            self.inlays.push(Inlay { at, radii: radii + 0.7, stuff: Stuff::Even(random.range(520.0, 850.0)) });
            self.inlays.push(Inlay {
                at: at + Vec3::Z * up * 0.7,
                radii,
                stuff: Stuff::Even(random.range(60.0, 130.0)),
            });
            self.kinds.push(LookalikeKind::SchmorlNode);
        }
        if random.chance(0.04 + 0.16 * worn) {
            let (side, up) = (random.sign(), random.sign());
            let at = Vec3::new(side * (s.canal_half_width + 5.0), s.half_depth + 5.0, up * random.range(2.0, 4.0));
            let radii = Vec3::splat(random.range(0.7, 1.5));
            self.inlays.push(Inlay { at, radii: radii + 0.5, stuff: Stuff::Even(random.range(600.0, 900.0)) });
            self.inlays.push(Inlay { at, radii, stuff: Stuff::Even(random.range(20.0, 140.0)) });
            self.kinds.push(LookalikeKind::Cyst);
        }
        if random.chance(0.04) {
            let at = Vec3::new(random.range(-2.0, 2.0), s.half_depth + 0.3, random.range(-4.0, 4.0));
            let radii = Vec3::new(random.range(1.8, 4.0), random.range(0.8, 1.6), random.range(3.0, 8.0));
            let stuff = Stuff::Bone { cortex: 0.6, shell: 900.0, spongy: 420.0, vein: Vein::default() };
            self.inlays.push(Inlay { at, radii, stuff });
            self.kinds.push(LookalikeKind::LigamentOssification);
        }
    }

    /// The vertebra's shape with what was added and taken away.
    pub(super) fn on(&self, own: Distance) -> Distance {
        if self.changes.is_empty() {
            return own;
        }
        let changes = self.changes.clone();
        Box::new(move |p: Vec3| {
            changes.iter().fold(own(p), |distance, change| match *change {
                Change::Knob { at, radii, seed } => {
                    let far = (p - at).length() - radii.max_element();
                    if far > distance.max(0.0) + 3.0 {
                        return distance;
                    }
                    join(distance, ellipsoid(p - at, radii) + 0.4 * noise(p / 1.8, seed), 1.8)
                }
                Change::Rod { from, to, radius } => join(distance, capsule(p, from, to, radius), 1.2),
                Change::Groove { from, to, radius, behind } if p.y > behind => {
                    meet(distance, -capsule(p, from, to, radius), 1.5)
                }
                Change::Groove { .. } => distance,
                Change::Slit { z, half } if p.x.abs() < 9.0 => meet(distance, half - (p.z - z).abs(), 1.5),
                Change::Slit { .. } => distance,
            })
        })
    }

    /// The findings inside bone and disc of a vertebra at this position.
    pub(super) fn inlays(&self, pose: Pose, random: &mut Random) -> Vec<Solid> {
        let place = |inlay: &Inlay| {
            let (radii, seed) = (inlay.radii, random.bits() as u32);
            let own = Pose { turn: pose.turn * Mat3::IDENTITY, at: pose.outward(inlay.at) };
            let rough = 0.35 * radii.min_element().min(1.5);
            let distance = move |p: Vec3| ellipsoid(p, radii) + rough * noise(p / 1.6, seed);
            Solid::plain(own, (-radii - 0.6, radii + 0.6), inlay.stuff, seed, Box::new(distance))
        };
        self.inlays.iter().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::morphometry::{self, Build};
    use super::*;

    fn sizes() -> Vec<Sizes> {
        morphometry::draw(Build { scale: 1.0, wear: 0.5, density: [900.0, 300.0] }, &mut Random::new(3, "sizes"))
    }

    #[test]
    fn most_necks_have_some_and_every_kind_occurs() {
        let mut seen = std::collections::BTreeSet::new();
        let mut necks = 0;
        for seed in 0..300 {
            let mut any = false;
            for (level, s) in sizes().iter().enumerate().take(7) {
                let found = Lookalikes::draw(level, s, 0.6, &mut Random::new(seed, &format!("lookalikes {level}")));
                any |= !found.kinds().is_empty();
                seen.extend(found.kinds().iter().copied());
            }
            necks += usize::from(any);
        }
        assert!(necks > 280, "{necks} of 300");
        // Ossicles, channels and block vertebrae are made with the scene.
        assert_eq!(seen.len(), 10, "{seen:?}");
    }

    #[test]
    fn an_osteophyte_adds_bone_and_a_slit_takes_it() {
        let ball = || -> Distance { Box::new(|p: Vec3| p.length() - 8.0) };
        let mut found = Lookalikes::default();
        found.knob(Vec3::NEG_Y * 8.0, Vec3::splat(2.5), &mut Random::new(1, "knob"));
        let grown = found.on(ball());
        assert!(grown(Vec3::NEG_Y * 9.5) < 0.0 && ball()(Vec3::NEG_Y * 9.5) > 0.0);
        assert_eq!(grown(Vec3::Y * 7.0), -1.0);
        let slit = Lookalikes { changes: vec![Change::Slit { z: 2.0, half: 1.0 }], ..Lookalikes::default() };
        let cut = slit.on(ball());
        assert!(cut(Vec3::Z * 2.0) > 0.0 && cut(Vec3::NEG_Z * 2.0) < 0.0);
    }
}
