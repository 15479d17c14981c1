//! The whole body part of one recipe: vertebrae, discs, other bones, soft parts, and where they lie before the scanner.

use super::exact;
use super::face::Face;
use super::fracture::{Damage, Healing, Wound};
use super::head;
use super::joints;
use super::lookalike::{Lookalike, LookalikeKind, Lookalikes};
use super::mesh::Shape;
use super::morphometry::{self, Build, Sizes};
use super::neck::Neck;
use super::random::{Random, noise};
use super::recipe::{Coverage, Recipe};
use super::rise::Rise;
use super::sdf::{capsule, ellipse, join, meet, round_box, taper};
use super::solid::{Channel, Solid, Stuff, Vein};
use super::special::{self, Special};
use super::spine::{self, Pose};
use super::vertebra::{self, Warp};
use crate::domain::CervicalLevel;
use glam::{Mat3, Vec2, Vec3};

/// Least distance between the bone of two vertebrae that come from other shapes, mm: their cartilage.
const JOINT_MM: f32 = 1.0;

/// Shapes that stand in for the parametric vertebrae of some levels.
pub(super) type Other<'a> = &'a dyn Fn(usize) -> Option<&'a Shape>;

/// The body before the scanner.
pub(super) struct Scene {
    /// Solids in the order in which they cover each other: the last wins.
    pub solids: Vec<Solid>,
    /// Soft parts.
    pub neck: Neck,
    /// The neck's frame before the scanner: mm in the scanner's frame, which is LPS where the gantry stands upright.
    pub pose: Pose,
    /// First slice's z, scanner's frame, mm.
    pub top: f32,
    /// Centre of the field of view, scanner's frame, mm.
    pub middle: Vec2,
    /// The patient moved: from which slice to which, and how far, mm.
    pub moved: Option<(usize, usize, Vec2)>,
    /// Dense metal: a streak's origins.
    pub metal: Vec<Metal>,
    /// Owners of wounds from this one on are old.
    pub fresh: usize,
    /// What looks like a fracture and is none, sorted.
    pub lookalikes: Vec<Lookalike>,
}

/// Something so dense that it throws streaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Metal {
    /// Place, scanner's frame, mm.
    pub at: Vec3,
    /// Radius of a filling in a tooth, mm; 0 for metal that the scene's solids show.
    pub filling: f32,
    /// HU of the streaks near it.
    pub streak: f32,
}

impl Scene {
    /// The scene of a recipe; wounds' owners are indices into `recipe.fractures`.
    pub(super) fn new(recipe: &Recipe, other: Other<'_>) -> Self {
        let mut random = Random::new(recipe.seed, "anatomy");
        let old = (f32::from(recipe.patient.age_years) / 90.0).clamp(0.1, 1.0);
        let build = Build {
            scale: random.normal(1.0, 0.045).clamp(0.9, 1.1)
                * if recipe.patient.sex == crate::domain::Sex::Female { 0.96 } else { 1.04 },
            wear: old * random.range(0.1, 1.1),
            density: [random.range(620.0, 1280.0), random.range(240.0, 460.0) * (1.15 - 0.45 * old)],
        };
        let drawn = morphometry::draw(build, &mut random);
        let special = Special::draw(&mut Random::new(recipe.seed, "special"));
        let fit = |(level, s): (usize, Sizes)| other(level).map_or(s.clone(), |shape| shape.sizes(&s, build.scale));
        let mut sizes: Vec<Sizes> = drawn.into_iter().enumerate().map(fit).collect();
        sizes.extend(sizes.last().map(morphometry::thorax).unwrap_or_default());
        for (level, s) in sizes.iter_mut().enumerate() {
            s.disc *= if special.is_fused(level) { 0.62 } else { 1.0 };
        }
        let poses = spine::stand(&sizes, &mut random);
        let fat = random.range(2.5, 11.0);
        let canals: Vec<f32> = sizes
            .iter()
            .enumerate()
            .map(|(level, s)| if level == 0 { 9.0 } else { s.half_depth + s.canal_depth * 0.5 })
            .collect();
        // The head keeps more upright than the atlas.
        let head_pose = Pose { turn: spine::partly(poses[0].turn, 0.45), at: poses[0].at };
        let face = Face::draw(&mut Random::new(recipe.seed, "face"));
        let tips: Vec<Vec3> =
            sizes.iter().zip(&poses).map(|(s, pose)| pose.outward(vertebra::spinous_end(s))).collect();
        let neck = Neck::new(&poses, (head_pose, face), (&canals, &tips), build.scale, fat, &mut random);
        let wounds = wounds(recipe);
        let mut solids = Vec::new();
        let mut lookalikes: Vec<(usize, LookalikeKind)> = Vec::new();
        discs(&sizes, &poses, &special, &mut random, &mut solids);
        front_of_neck(&neck, build.scale, &poses, &mut random, &mut solids);
        chest(&neck, &poses, &mut random, &mut solids);
        let levels = ossicles(&neck, &sizes, &poses, build.wear, &mut random, &mut solids);
        lookalikes.extend(levels.into_iter().map(|level| (level, LookalikeKind::Ossicle)));
        solids.extend(head::solids(head_pose, face, build.scale, sizes[0].half_width[0] + 2.5, &mut random));
        let mut inlays = Vec::new();
        for (level, s) in sizes.iter().enumerate() {
            let warp = Warp {
                phase: Vec3::new(random.range(0.0, 6.0), random.range(0.0, 6.0), random.range(0.0, 6.0)),
                seed: random.bits() as u32,
            };
            let mut breaking = Random::new(recipe.seed, &format!("fracture {level}"));
            let here: Vec<Wound> = wounds.iter().filter(|(at, _)| *at == level).map(|(_, wound)| *wound).collect();
            let (distance, bounds) = match other(level) {
                Some(shape) if shape.is_seated() => {
                    let (own, bounds) = shape.solid(build.scale);
                    let worn =
                        Lookalikes::draw(level, s, build.wear, &mut Random::new(recipe.seed, &format!("worn {level}")));
                    let (own, bounds) = (worn.on(own), (bounds.0 - worn.reach(), bounds.1 + worn.reach()));
                    lookalikes.extend(worn.kinds().iter().map(|kind| (level, *kind)));
                    inlays.extend(worn.inlays(poses[level], &mut Random::new(recipe.seed, &format!("inlays {level}"))));
                    let beside = [level.checked_sub(1), Some(level + 1)].into_iter().flatten().filter_map(|near| {
                        Some((other(near)?.solid(build.scale).0, joints::between(&poses[level], &poses[near])))
                    });
                    (joints::apart(own, beside.collect(), JOINT_MM), bounds)
                }
                Some(shape) => shape.solid(build.scale),
                None => {
                    let own = s.clone();
                    let distance = Box::new(move |p| vertebra::distance(level, &own, warp, p));
                    (distance as super::solid::Distance, vertebra::bounds(level, s))
                }
            };
            let channels = channels(level, s, &mut Random::new(recipe.seed, &format!("channels {level}")));
            let parametric = other(level).is_none();
            for (kind, has) in [
                (LookalikeKind::Osteophyte, parametric && s.osteophytes > 0.8),
                (LookalikeKind::ArchCleft, parametric && s.cleft > 0.0),
                (LookalikeKind::BlockVertebra, special.is_fused(level)),
                (LookalikeKind::VascularChannel, !channels.is_empty()),
            ] {
                lookalikes.extend(has.then_some((level, kind)));
            }
            solids.push(Solid {
                label: level as u8 + 1,
                pose: poses[level],
                bounds,
                distance,
                stuff: Stuff::Bone {
                    cortex: s.cortex,
                    shell: s.density[0],
                    spongy: s.density[1],
                    vein: Vein { radius: s.vein, end: s.half_depth + 0.8 },
                },
                rise: other(level).map_or(Rise::default(), |shape| shape.rise(build.scale)),
                damage: Damage::make(level, s, &here, &mut breaking),
                channels,
                seed: warp.seed ^ 5,
            });
        }
        solids.extend(inlays);
        let (implants, thick) = special.solids(&sizes, &poses);
        solids.extend(implants);
        let mut lie = Random::new(recipe.seed, "position");
        let turn = spine::turn_by(lie.normal(0.0, 4.5), lie.normal(0.0, 3.5), lie.normal(0.0, 5.0));
        let at = Vec3::new(lie.normal(0.0, 8.0), lie.range(-60.0, 20.0), lie.range(-200.0, 200.0));
        // From here on in the scanner's frame, whose slices lie across its z.
        let scanner = recipe.scan.gantry().transpose();
        let (turn, at) = (scanner * turn, scanner * at);
        let pose = Pose { turn, at };
        let height = |p: Vec3| pose.outward(p).z;
        let length = recipe.scan.slices.saturating_sub(1) as f32 * recipe.scan.spacing_mm;
        let top = match recipe.scan.coverage {
            Coverage::Neck => height(poses[0].at) + lie.range(22.0, 36.0).min((length - 110.0).max(12.0)),
            // The last slice lies in the upper part of C5, above the joint faces of C6.
            Coverage::WithoutLowerNeck => height(poses[4].at) + 4.0 + length,
            Coverage::Head => height(poses[0].at) + 32.0 + length,
            Coverage::Chest => height(poses[8].at) - 32.0,
        };
        let field = recipe.scan.pixel_mm * recipe.scan.columns as f32;
        let back = (field * 0.06).min(18.0);
        let at = if recipe.scan.coverage == Coverage::Head {
            pose.outward(poses[0].at) - Vec3::Y * (8.0 + back)
        } else {
            at
        };
        let middle = Vec2::new(at.x + lie.normal(0.0, 7.0), at.y + back + lie.normal(0.0, 8.0));
        let mut metal: Vec<Metal> = thick
            .into_iter()
            .map(|at| Metal { at: pose.outward(at), filling: 0.0, streak: lie.range(60.0, 190.0) })
            .collect();
        let fillings = if lie.chance(0.4) { 1 + lie.below(4) } else { 0 };
        for _ in 0..fillings {
            // Along the molars.
            let (x, y) = (lie.range(24.0, 29.0), lie.range(-72.0, -46.0));
            let tooth = Vec3::new(x * lie.sign(), y, if lie.chance(0.5) { -7.0 } else { -15.0 }) * build.scale;
            let at = pose.outward(head_pose.outward(tooth));
            metal.push(Metal { at, filling: lie.range(1.8, 4.0), streak: lie.range(120.0, 480.0) });
        }
        let moved = lie.chance(0.07).then(|| {
            let from = lie.below(recipe.scan.slices);
            let count = (lie.range(3.0, 14.0) / recipe.scan.spacing_mm.max(0.1)) as usize;
            (from, from + count, Vec2::new(lie.normal(0.0, 0.8), lie.normal(0.0, 0.8)))
        });
        let mut lookalikes: Vec<Lookalike> = lookalikes
            .into_iter()
            .filter_map(|(level, kind)| Some(Lookalike { level: CervicalLevel::from_index(level)?, kind }))
            .collect();
        lookalikes.sort_unstable();
        lookalikes.dedup();
        Self { solids, neck, pose, top, middle, moved, metal, fresh: recipe.fractures.len(), lookalikes }
    }
}

/// The recipe's wounds with the levels that they belong to; those that do not occur at their level are left out.
pub(super) fn wounds(recipe: &Recipe) -> Vec<(usize, Wound)> {
    let mut random = Random::new(recipe.seed, "sides");
    for _ in 0..recipe.spared {
        random.sign();
    }
    recipe
        .fractures
        .iter()
        .chain(&recipe.healed)
        .enumerate()
        .filter(|(_, fracture)| fracture.kind.weight(fracture.level.index()) > 0.0)
        .map(|(owner, fracture)| {
            let wound = Wound {
                owner,
                kind: fracture.kind,
                width: fracture.width_mm.clamp(0.2, 5.0),
                shift: fracture.displacement_mm.clamp(0.0, 8.0),
                side: random.sign(),
                healing: if owner < recipe.fractures.len() {
                    Healing::None
                } else if random.chance(0.5) {
                    Healing::Apart
                } else {
                    Healing::United
                },
            };
            (fracture.level.index(), wound)
        })
        .collect()
}

fn discs(sizes: &[Sizes], poses: &[Pose], special: &Special, random: &mut Random, solids: &mut Vec<Solid>) {
    for level in 1..sizes.len() - 1 {
        let (s, next) = (&sizes[level], &sizes[level + 1]);
        let radii =
            Vec2::new((s.half_width[1] + next.half_width[0]) / 2.0 - 0.8, s.half_depth + random.range(-0.4, 1.2));
        let low = poses[level].outward(Vec3::NEG_Z * (s.half_height + s.disc / 2.0));
        let half = s.disc / 2.0 + 3.4;
        let pose = Pose { turn: poses[level].turn, at: low };
        if special.is_fused(level) {
            solids.push(special::bridge(pose, radii, half, random));
            continue;
        }
        solids.push(Solid::plain(
            pose,
            (Vec3::new(-radii.x, -radii.y, -half), Vec3::new(radii.x, radii.y, half)),
            Stuff::Even(random.range(78.0, 112.0)),
            0,
            Box::new(move |p| meet(ellipse(Vec2::new(p.x, p.y), radii), p.z.abs() - half, 1.0)),
        ));
    }
}

/// Holes through which vessels enter a vertebra: on one picture they look like a crack's end, on the next they are gone.
fn channels(level: usize, s: &Sizes, random: &mut Random) -> Vec<Channel> {
    let mut channels = Vec::new();
    let mut add = |from: Vec3, to: Vec3, radius: f32| channels.push(Channel { from, to, radius });
    let back = s.half_depth + s.canal_depth;
    for _ in 0..random.below(4) {
        let (side, radius) = (random.sign(), random.range(0.25, 0.65));
        match if level == 0 { 3 } else { random.below(4) } {
            0 => {
                let from =
                    Vec3::new(random.range(-0.7, 0.7) * s.half_width[0], -s.half_depth - 1.5, random.range(-3.0, 3.0));
                add(from, from * Vec3::new(0.6, 0.0, 0.4) - Vec3::Y * random.range(0.0, 4.0), radius);
            }
            1 => {
                let from = Vec3::new(side * random.range(4.0, 9.0), back + 4.5, random.range(-4.0, 1.0));
                add(from, from + Vec3::new(0.4 * side, -random.range(2.5, 5.0), 0.8), radius);
            }
            2 => {
                let from = Vec3::new(side * (s.canal_half_width + 12.0), s.half_depth + 5.0, random.range(-3.0, 3.0));
                add(from, from + Vec3::new(-side * random.range(4.0, 8.0), random.range(-1.5, 1.5), 0.5), radius);
            }
            _ => {
                let x = side * (s.half_width[0] + if level == 0 { 4.0 } else { -1.0 });
                let from = Vec3::new(x, s.half_depth + 3.0, random.range(-4.0, 4.0));
                add(from, from + Vec3::new(-side * random.range(2.0, 5.0), -random.range(2.0, 5.0), 1.0), radius);
            }
        }
    }
    channels
}

/// Bits of bone that are no fracture: in the nuchal ligament and before the discs, round and covered by cortex.
/// Returns their levels.
fn ossicles(
    neck: &Neck,
    sizes: &[Sizes],
    poses: &[Pose],
    wear: f32,
    random: &mut Random,
    solids: &mut Vec<Solid>,
) -> Vec<usize> {
    let mut levels = Vec::new();
    for level in 3..7 {
        let s = &sizes[level];
        let behind =
            Vec3::new(0.0, s.half_depth + s.canal_depth + s.spinous + 9.0, -s.spinous_drop + random.range(-4.0, 4.0));
        let before = Vec3::new(random.range(-4.0, 4.0), -s.half_depth - 2.6, -s.half_height - s.disc * 0.5);
        let places =
            [(behind, Vec3::new(2.0, 2.6, random.range(3.0, 8.0)), 0.12), (before, Vec3::new(2.6, 1.6, 2.2), 0.14)];
        for (at, radii, often) in places {
            let seed = random.bits() as u32;
            if random.chance(often * wear) {
                let at = poses[level].outward(at);
                // The ligament ends under the skin and its fat.
                let shallow = (radii.y + 3.5 - neck.depth(at)).max(0.0);
                let pose = Pose { turn: poses[level].turn, at: at - Vec3::Y * shallow };
                let stuff = Stuff::Bone { cortex: 0.7, shell: 950.0, spongy: 350.0, vein: Vein::default() };
                let distance = Box::new(move |p| super::sdf::ellipsoid(p, radii) + 0.3 * noise(p / 2.0, seed));
                solids.push(Solid::plain(pose, (-radii - 0.5, radii + 0.5), stuff, seed, distance));
                levels.push(level);
            }
        }
    }
    levels
}

fn front_of_neck(neck: &Neck, scale: f32, poses: &[Pose], random: &mut Random, solids: &mut Vec<Solid>) {
    let upright = |at: Vec3| Pose { turn: Mat3::IDENTITY, at };
    // Hyoid at C3, thyroid cartilage at C4 and C5, cricoid at C6.
    let place = |level: usize, up: f32| {
        let at = poses[level].at + Vec3::Z * up;
        let (x, y, _) = neck.airway_at(at.z);
        Vec3::new(x, y, at.z)
    };
    let hyoid = |p: Vec3| {
        let m = Vec3::new(p.x.abs(), p.y, p.z);
        let body = capsule(m, Vec3::ZERO, Vec3::new(9.0, 1.5, 0.5), 3.0);
        join(body, taper(m, Vec3::new(9.0, 1.5, 0.5), Vec3::new(19.0, 24.0, 4.0), 2.4, 1.8), 1.5)
    };
    solids.push(Solid::plain(
        upright(place(2, -4.0) + Vec3::Y * -18.0),
        (Vec3::new(-23.0, -5.0, -5.0), Vec3::new(23.0, 28.0, 8.0)),
        Stuff::Bone { cortex: 0.9, shell: 950.0, spongy: 330.0, vein: Vein::default() },
        random.bits() as u32,
        Box::new(hyoid),
    ));
    let thyroid = move |p: Vec3| {
        let m = Vec3::new(p.x.abs(), p.y, p.z) / scale;
        let (off, _) = super::sdf::segment(Vec2::new(m.x, m.y), Vec2::new(0.0, -15.0), Vec2::new(17.0, 12.0));
        meet(off - 1.7, m.z.abs() - 12.0, 1.4) * scale
    };
    solids.push(Solid::plain(
        upright(place(4, 6.0)),
        (Vec3::new(-22.0, -20.0, -14.0), Vec3::new(22.0, 18.0, 14.0)),
        Stuff::Cartilage,
        random.bits() as u32,
        Box::new(thyroid),
    ));
    let cricoid = |p: Vec3| {
        let ring = ellipse(Vec2::new(p.x, p.y), Vec2::new(11.0, 13.0)).abs() - 1.7;
        meet(ring, (p.z - 0.25 * p.y).abs() - 4.5 - 0.2 * p.y.max(0.0), 1.2)
    };
    solids.push(Solid::plain(
        upright(place(5, 0.0)),
        (Vec3::new(-14.0, -16.0, -11.0), Vec3::new(14.0, 16.0, 14.0)),
        Stuff::Cartilage,
        random.bits() as u32,
        Box::new(cricoid),
    ));
}

fn chest(neck: &Neck, poses: &[Pose], random: &mut Random, solids: &mut Vec<Solid>) {
    let bone = Stuff::Bone { cortex: 1.1, shell: 1050.0, spongy: 220.0, vein: Vein::default() };
    let (front, back) = neck.skin(poses[8].at.z);
    for side in [-1.0_f32, 1.0] {
        // Ribs, from the transverse process out, forward and down.
        let ribs = [(46.0, 34.0), (66.0, 46.0), (78.0, 56.0), (86.0, 62.0), (92.0, 66.0), (96.0, 70.0), (98.0, 72.0)];
        for (rib, (wide, deep)) in ribs.into_iter().enumerate() {
            let radii = Vec2::new(wide, deep);
            let at = poses[7 + rib].at + Vec3::Z * 2.0;
            // A rib is taller than thick.
            let flat = Vec3::new(1.0, 1.0, 0.62);
            let course: [Vec3; 10] = std::array::from_fn(|i| {
                let angle = i as f32 / 9.0 * 2.6 - 0.75;
                let along = Vec3::new(
                    side * (14.0 + radii.x * exact::cos(angle) * 0.95).max(19.0),
                    -8.0 - radii.y * exact::sin(angle),
                    -4.2 * i as f32,
                );
                flat * if i == 0 { Vec3::new(side * 12.0, 14.0, 0.0) } else { along }
            });
            let curve = move |p: Vec3| {
                let parts = course.windows(2).map(|ends| capsule(p * flat, ends[0], ends[1], 3.1));
                parts.fold(f32::MAX, f32::min)
            };
            let (near, far) = (side * 4.0, side * (24.0 + radii.x));
            let bounds =
                (Vec3::new(near.min(far), -radii.y - 16.0, -50.0), Vec3::new(near.max(far), radii.y + 4.0, 9.0));
            let seed = random.bits() as u32;
            solids.push(Solid::plain(Pose { turn: Mat3::IDENTITY, at }, bounds, bone, seed, Box::new(curve)));
        }
        let inner = Vec3::new(side * 14.0, front + 16.0, poses[8].at.z - 22.0);
        let outer = Vec3::new(side * 135.0, front + 52.0, poses[7].at.z + random.range(-12.0, 16.0));
        let bend = (inner + outer) / 2.0 + Vec3::new(-side * 24.0, -9.0, -3.0);
        let clavicle = move |p: Vec3| join(taper(p, inner, bend, 8.0, 5.6), taper(p, bend, outer, 5.6, 6.5), 2.0);
        let margin = Vec3::splat(10.0);
        let bounds = (inner.min(outer).min(bend) - margin, inner.max(outer).max(bend) + margin);
        let seed = random.bits() as u32;
        solids.push(Solid::plain(
            Pose { turn: Mat3::IDENTITY, at: Vec3::ZERO },
            bounds,
            bone,
            seed,
            Box::new(clavicle),
        ));
    }
    let half = Vec3::new(20.0, 5.5, 62.0);
    solids.push(Solid::plain(
        Pose { turn: Mat3::IDENTITY, at: Vec3::new(0.0, front + 15.0, poses[8].at.z - 24.0 - half.z) },
        (-half, half),
        bone,
        random.bits() as u32,
        Box::new(move |p| round_box(p, half, 4.0)),
    ));
    // Arms lie beside the trunk: the heads of the upper arm bones are seen in wide fields.
    for side in [-1.0_f32, 1.0] {
        let head = Vec3::new(side * 158.0, f32::midpoint(front, back) - 4.0, poses[8].at.z + random.range(-34.0, 6.0));
        let shaft = head + Vec3::new(side * 12.0, 4.0, -110.0);
        let arm = move |p: Vec3| join((p - head).length() - 23.0, taper(p, head, shaft, 15.0, 11.0), 6.0);
        let bounds = (head.min(shaft) - Vec3::splat(26.0), head.max(shaft) + Vec3::splat(26.0));
        let seed = random.bits() as u32;
        let place = Pose { turn: Mat3::IDENTITY, at: Vec3::ZERO };
        let stuff = Stuff::Bone { cortex: 1.8, shell: 1150.0, spongy: 190.0, vein: Vein::default() };
        solids.push(Solid::plain(place, bounds, stuff, seed, Box::new(arm)));
    }
    let blade_seed = random.bits() as u32;
    let y = back - 24.0;
    let z = poses[8].at.z - 24.0;
    for side in [-1.0_f32, 1.0] {
        let blade = move |p: Vec3| {
            let q = p - Vec3::new(side * 88.0, y, z);
            let plate = (q.y + 0.45 * (q.x * side) + 1.4 * noise(q / 14.0, blade_seed)).abs() * 0.9 - 2.4;
            plate.max(ellipse(Vec2::new(q.x, q.z), Vec2::new(42.0, 44.0)))
        };
        let bounds =
            (Vec3::new(side * 88.0 - 44.0, y - 24.0, z - 46.0), Vec3::new(side * 88.0 + 44.0, y + 24.0, z + 46.0));
        solids.push(Solid::plain(
            Pose { turn: Mat3::IDENTITY, at: Vec3::ZERO },
            bounds,
            bone,
            blade_seed,
            Box::new(blade),
        ));
    }
}
