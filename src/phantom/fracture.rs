//! Fractures: jagged planes that divide a vertebra, and fragments that have moved.

use super::exact;
use super::morphometry::Sizes;
use super::random::{Random, noise};
use super::sdf::{meet, step};
use super::spine::turn_by;
use glam::{Mat3, Vec3};

/// What kind of fracture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FractureKind {
    /// The tip of the dens (C2).
    DensTypeI,
    /// Across the base of the dens (C2).
    DensTypeII,
    /// Through the body of C2 below the dens.
    DensTypeIII,
    /// Both partes interarticulares of C2.
    Hangman,
    /// One or two breaks of the front arch of C1.
    AnteriorArch,
    /// One or two breaks of the back arch of C1.
    PosteriorArch,
    /// Front and back arch of C1 with the lateral masses spread.
    Jefferson,
    /// The body's front is crushed: a wedge (C3 to C7).
    Compression,
    /// The lower front corner of the body is broken off (C2 to C7).
    Teardrop,
    /// The body is crushed and split, a piece pushed into the canal (C3 to C7).
    Burst,
    /// An articular pillar (C2 to C7).
    Pillar,
    /// The tip of an articular process (C2 to C7).
    Facet,
    /// A lamina (C2 to C7).
    Lamina,
    /// A transverse process (C3 to C7).
    TransverseProcess,
    /// The spinous process (C2 to C7; typical of C6 and C7).
    SpinousProcess,
    /// A fine crack somewhere, hard to see; nothing has moved.
    Hairline,
}

impl FractureKind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::DensTypeI,
        Self::DensTypeII,
        Self::DensTypeIII,
        Self::Hangman,
        Self::AnteriorArch,
        Self::PosteriorArch,
        Self::Jefferson,
        Self::Compression,
        Self::Teardrop,
        Self::Burst,
        Self::Pillar,
        Self::Facet,
        Self::Lamina,
        Self::TransverseProcess,
        Self::SpinousProcess,
        Self::Hairline,
    ];

    /// The kind's name in `truth.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DensTypeI => "dens-type-1",
            Self::DensTypeII => "dens-type-2",
            Self::DensTypeIII => "dens-type-3",
            Self::Hangman => "hangman",
            Self::AnteriorArch => "anterior-arch",
            Self::PosteriorArch => "posterior-arch",
            Self::Jefferson => "jefferson",
            Self::Compression => "compression",
            Self::Teardrop => "teardrop",
            Self::Burst => "burst",
            Self::Pillar => "pillar",
            Self::Facet => "facet",
            Self::Lamina => "lamina",
            Self::TransverseProcess => "transverse-process",
            Self::SpinousProcess => "spinous-process",
            Self::Hairline => "hairline",
        }
    }

    /// How often the kind is drawn for a level (0 = C1 to 6 = C7) against the level's other kinds; 0 where it does not
    /// occur. Our own round numbers.
    #[must_use]
    pub fn weight(self, level: usize) -> f32 {
        let row: [f32; 7] = match self {
            Self::DensTypeI => [0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0],
            Self::DensTypeII => [0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            Self::DensTypeIII => [0.0, 2.5, 0.0, 0.0, 0.0, 0.0, 0.0],
            Self::Hangman => [0.0, 2.5, 0.0, 0.0, 0.0, 0.0, 0.0],
            Self::AnteriorArch => [2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            Self::PosteriorArch => [3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            Self::Jefferson => [2.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            Self::Compression => [0.0, 0.0, 1.0, 1.5, 2.0, 2.0, 2.0],
            Self::Teardrop => [0.0, 1.0, 1.0, 1.5, 2.0, 1.5, 0.8],
            Self::Burst => [0.0, 0.0, 0.5, 0.8, 1.2, 1.2, 1.0],
            Self::Pillar => [0.0, 0.5, 1.0, 1.5, 1.8, 2.2, 2.0],
            Self::Facet => [0.0, 0.4, 0.8, 1.0, 1.3, 1.8, 1.8],
            Self::Lamina => [0.0, 0.8, 1.0, 1.0, 1.2, 1.6, 1.6],
            Self::TransverseProcess => [0.0, 0.0, 0.8, 1.0, 1.2, 1.8, 2.4],
            Self::SpinousProcess => [0.0, 0.6, 0.5, 0.7, 1.0, 2.2, 3.0],
            Self::Hairline => [1.0, 1.2, 0.6, 0.8, 1.0, 1.2, 1.2],
        };
        row.get(level).copied().unwrap_or(0.0)
    }
}

/// A jagged, slightly curved surface: `value` is the signed distance to it.
#[derive(Debug, Clone)]
struct Cut {
    origin: Vec3,
    normal: Vec3,
    /// Bend, 1/mm.
    curve: f32,
    /// Height of the teeth, mm; 0 for a plane that only bounds a fragment and lies outside bone.
    jag: f32,
    seed: u32,
}

impl Cut {
    fn value(&self, p: Vec3) -> f32 {
        let r = p - self.origin;
        let along = r.dot(self.normal);
        if self.jag == 0.0 {
            return along;
        }
        let across = (r - self.normal * along).length_squared();
        let smooth = along + self.curve * across.min(400.0);
        if smooth.abs() > 4.0 {
            // The teeth are at most 2.4 mm high.
            return smooth;
        }
        let teeth = 0.7 * noise(p / 6.5, self.seed ^ 13)
            + 0.5 * noise(p / 2.9, self.seed)
            + 0.3 * noise(p / 1.2, self.seed ^ 77);
        smooth + self.jag * teeth
    }
}

/// How far a fracture has healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Healing {
    /// Fresh: raw edges.
    None,
    /// Long ago, and never united: a gap between round edges that cortex has covered.
    Apart,
    /// United, out of place where it was displaced: a dense seam.
    United,
}

/// A piece that the fracture has parted from the rest: where every cut's value is negative.
#[derive(Debug, Clone)]
struct Fragment {
    owner: usize,
    cuts: Vec<Cut>,
    /// Width of the gap around it, mm; negative where the parts have grown together.
    gap: f32,
    healing: Healing,
    /// Beyond this distance from a place the gap closes: an incomplete break.
    reach: Option<(Vec3, f32)>,
    /// Undoes the motion: `turn * (p − pivot − shift) + pivot`.
    turn: Mat3,
    shift: Vec3,
    pivot: Vec3,
}

impl Fragment {
    fn value(&self, p: Vec3) -> f32 {
        self.cuts.iter().map(|cut| cut.value(p)).fold(f32::MIN, f32::max)
    }

    fn back(&self, p: Vec3) -> Vec3 {
        self.turn * (p - self.pivot - self.shift) + self.pivot
    }

    /// More HU near an edge that has healed: sclerosis.
    fn seam(&self, value: f32) -> f32 {
        match self.healing {
            Healing::None => 0.0,
            Healing::Apart => 260.0 * step(3.4, 0.6, value.abs()),
            Healing::United => 420.0 * step(2.6, 0.3, value.abs()),
        }
    }

    /// Half the gap at a place; falls below zero where the break has ended.
    fn half_gap(&self, p: Vec3) -> f32 {
        let half = self.gap / 2.0;
        self.reach.map_or(half, |(centre, radius)| half - (half + 1.5) * step(radius - 2.0, radius, p.distance(centre)))
    }
}

/// Loss of height of a body.
#[derive(Debug, Clone)]
struct Crush {
    owner: usize,
    /// Share of the front's height that is lost.
    loss: f32,
    /// How evenly: 0 only in front, 1 as much behind.
    even: f32,
    /// Forward bulge of the front cortex, mm.
    buckle: f32,
    at: f32,
}

/// What has become of one vertebra.
#[derive(Debug, Clone, Default)]
pub(super) struct Damage {
    fragments: Vec<Fragment>,
    crushes: Vec<Crush>,
    half_height: f32,
    half_depth: f32,
    half_width: f32,
    most: f32,
}

/// A fracture to make: everything that is not said is drawn from the seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wound {
    pub owner: usize,
    pub kind: FractureKind,
    pub width: f32,
    pub shift: f32,
    pub side: f32,
    pub healing: Healing,
}

/// A place of the broken vertebra: how far it is from bone, and what bone it came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Distance to the bone as it is now, mm.
    pub distance: f32,
    /// Distance to the surface that cortex covers, mm: its depth decides shell or spongy. A fresh break has none.
    pub depth: f32,
    /// The place it had before.
    pub source: Vec3,
    /// More HU, where bone was pressed into bone.
    pub denser: f32,
}

impl Damage {
    /// Whether nothing is broken.
    pub(super) fn is_none(&self) -> bool {
        self.fragments.is_empty() && self.crushes.is_empty()
    }

    /// The most that anything has moved, mm: how far bone may reach beyond the intact shape.
    pub(super) fn most(&self) -> f32 {
        self.most
    }

    /// The broken bone at a place, from the distance to the intact bone.
    pub(super) fn place(&self, p: Vec3, intact: &dyn Fn(Vec3) -> f32) -> Place {
        let (unpressed, pressed) = self.uncrush(p);
        let depth = intact(unpressed);
        let mut best = Place { distance: depth, depth, source: unpressed, denser: pressed };
        for fragment in &self.fragments {
            let value = fragment.value(unpressed);
            let edge = fragment.half_gap(unpressed) - value;
            best.distance = best.distance.max(edge);
            best.denser += fragment.seam(value);
            if fragment.healing != Healing::None {
                best.depth = join_edges(best.depth, edge);
            }
        }
        for (i, fragment) in self.fragments.iter().enumerate() {
            let source = fragment.back(unpressed);
            let value = fragment.value(source);
            let inside = value + fragment.half_gap(source);
            if inside > 1.5 {
                continue;
            }
            let mut depth = intact(source);
            let mut distance = depth.max(inside);
            if fragment.healing != Healing::None {
                depth = join_edges(depth, inside);
            }
            for earlier in &self.fragments[..i] {
                distance = distance.max(earlier.half_gap(source) - earlier.value(source));
            }
            if distance < best.distance {
                best = Place { distance, depth, source, denser: pressed + fragment.seam(value) };
            }
        }
        best
    }

    /// Which fracture a changed place belongs to: the nearest break within `mm`, or the crush whose body it lies in.
    pub(super) fn owner(&self, p: Vec3, mm: f32) -> Option<usize> {
        let cracked = self
            .fragments
            .iter()
            .map(|fragment| {
                let open = fragment.reach.is_none_or(|(centre, radius)| p.distance(centre) < radius + 1.0);
                (
                    if open { fragment.value(p).abs().min(fragment.value(fragment.back(p)).abs()) } else { f32::MAX },
                    fragment.owner,
                )
            })
            .filter(|(distance, _)| *distance < mm)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, owner)| owner);
        let in_body = p.x.abs() < self.half_width + 2.0 && p.y < self.half_depth + 3.0;
        cracked.or_else(|| self.crushes.first().filter(|_| in_body).map(|crush| crush.owner))
    }

    fn uncrush(&self, p: Vec3) -> (Vec3, f32) {
        let (mut q, mut denser) = (p, 0.0);
        for crush in &self.crushes {
            let across = step(self.half_width + 4.0, self.half_width - 1.0, p.x.abs());
            let front = step(self.half_depth * 0.9, -self.half_depth * 0.8, p.y);
            let share = across * (crush.even * step(self.half_depth + 3.0, self.half_depth, p.y)).max(front);
            let height = 1.0 - crush.loss * share;
            q.z = (q.z + self.half_height) / height - self.half_height;
            let bulge = exact::exp(-((p.z - crush.at) / 1.8).powi(2)) * front * across;
            q.y += crush.buckle * bulge;
            let band = exact::exp(-((q.z - self.half_height + 3.2) / 1.3).powi(2)) + 0.6 * bulge;
            denser += 330.0 * band * share * (crush.loss * 4.0).min(1.0);
        }
        (q, denser)
    }

    /// Breaks a vertebra of this level (0 = C1).
    pub(super) fn make(level: usize, sizes: &Sizes, wounds: &[Wound], random: &mut Random) -> Self {
        let mut damage = Self {
            half_height: sizes.half_height,
            half_depth: sizes.half_depth,
            half_width: sizes.half_width[0],
            ..Self::default()
        };
        for wound in wounds {
            super::injury::inflict(&mut Break { damage: &mut damage, random, wound: *wound }, level, sizes);
        }
        damage
    }
}

/// The surface that cortex covers where two edges meet: round.
fn join_edges(a: f32, b: f32) -> f32 {
    meet(a, b, 2.0)
}

/// A hand that breaks: it adds fragments and crushes to a [`Damage`].
pub(super) struct Break<'a> {
    damage: &'a mut Damage,
    pub(super) random: &'a mut Random,
    pub(super) wound: Wound,
}

/// A plane that cuts bone: its origin and the direction away from the fragment.
pub(super) type Plane = (Vec3, Vec3);

impl Break<'_> {
    /// Parts a piece off: `breaks` cut through bone, `limits` only bound the piece; it moves by `shift` mm and turns
    /// by up to `tilt` degrees about the first break.
    pub(super) fn part(&mut self, breaks: &[Plane], limits: &[Plane], shift: Vec3, tilt: f32) {
        // What has healed is smooth.
        let (jag, gap) = match self.wound.healing {
            Healing::None => (self.random.range(0.5, 1.8), self.wound.width),
            Healing::Apart => (self.random.range(0.1, 0.3), self.wound.width.max(1.4)),
            Healing::United => (self.random.range(0.1, 0.3), -4.0),
        };
        let curve = self.random.range(-0.012, 0.012);
        let mut cuts: Vec<Cut> = Vec::new();
        for &(origin, normal) in breaks {
            let lean =
                Vec3::new(self.random.normal(0.0, 0.08), self.random.normal(0.0, 0.08), self.random.normal(0.0, 0.08));
            let seed = self.random.bits() as u32;
            cuts.push(Cut { origin, normal: (normal.normalize_or(Vec3::Z) + lean).normalize(), curve, jag, seed });
        }
        cuts.extend(limits.iter().map(|&(origin, normal)| Cut {
            origin,
            normal: normal.normalize_or(Vec3::Z),
            curve: 0.0,
            jag: 0.0,
            seed: 0,
        }));
        let mut angle = || self.random.normal(0.0, 0.5).clamp(-1.0, 1.0) * tilt;
        let turn = turn_by(angle(), angle(), angle());
        let pivot = breaks.first().map_or(Vec3::ZERO, |plane| plane.0);
        self.damage.most = self.damage.most.max(shift.length() + tilt.to_radians() * 24.0);
        self.damage.fragments.push(Fragment {
            owner: self.wound.owner,
            cuts,
            gap,
            healing: self.wound.healing,
            reach: None,
            turn: turn.transpose(),
            shift,
            pivot,
        });
    }

    /// A crack that does not run all the way: it ends `radius` mm from `centre`, and nothing moves.
    pub(super) fn crack(&mut self, plane: Plane, limits: &[Plane], centre: Vec3, radius: f32) {
        self.part(&[plane], limits, Vec3::ZERO, 0.0);
        self.end_last_at(centre, radius);
    }

    /// Lets the last fragment's gap end `radius` mm from `centre`.
    pub(super) fn end_last_at(&mut self, centre: Vec3, radius: f32) {
        if let Some(fragment) = self.damage.fragments.last_mut() {
            (fragment.reach, fragment.shift, fragment.turn) = (Some((centre, radius)), Vec3::ZERO, Mat3::IDENTITY);
        }
    }

    /// Takes height from the body.
    pub(super) fn crush(&mut self, loss: f32, even: f32) {
        let buckle = self.random.range(0.8, 2.0);
        let at = self.random.range(-0.3, 0.5) * self.damage.half_height;
        self.damage.most = self.damage.most.max(buckle);
        self.damage.crushes.push(Crush { owner: self.wound.owner, loss, even, buckle, at });
    }
}
