//! What to make: who, how scanned, what broken.

use super::fracture::FractureKind;
use super::prevalence;
use super::random::Random;
use super::spine::turn_by;
use crate::domain::{CervicalLevel, PerLevel, Sex};
use glam::{Mat3, Vec3};
use std::fmt::Write as _;

/// Who the phantom says it is. Always made up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhantomPatient {
    /// PatientName, such as `PHANTOM^One`.
    pub name: String,
    /// PatientID.
    pub id: String,
    /// Age in whole years.
    pub age_years: u16,
    /// Sex.
    pub sex: Sex,
}

impl PhantomPatient {
    /// PatientAge, such as `062Y`.
    #[must_use]
    pub fn age(&self) -> String {
        format!("{:03}Y", self.age_years.min(999))
    }
}

/// Sizes of the scan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scan {
    /// Number of slices.
    pub slices: usize,
    /// Distance between slices, mm.
    pub spacing_mm: f32,
    /// Thickness of a slice, mm: what is averaged along z.
    pub thickness_mm: f32,
    /// Rows of a slice.
    pub rows: usize,
    /// Columns of a slice.
    pub columns: usize,
    /// Edge of a pixel, mm.
    pub pixel_mm: f32,
    /// What part of the body is scanned.
    pub coverage: Coverage,
    /// Tilt of the gantry, degrees: the pictures' backs lean towards the feet where it is positive. The table still moves
    /// along the patient, so that the stack is sheared.
    pub tilt_deg: f32,
}

impl Scan {
    /// The scanner's axes in the patient's frame (LPS).
    pub(super) fn gantry(&self) -> Mat3 {
        turn_by(self.tilt_deg.clamp(-30.0, 30.0), 0.0, 0.0)
    }

    /// How far each slice begins behind the one before, along its own rows' axis, mm: 0 where the gantry stands upright.
    pub(super) fn drift(&self) -> f32 {
        let feed = self.gantry().transpose() * Vec3::NEG_Z;
        -feed.y / feed.z * self.spacing_mm
    }
}

/// What part of the body is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coverage {
    /// From above C1 downwards, as far as the slices reach.
    Neck,
    /// From above C1 to the upper part of C5: the lower neck is missing, but for the tip of a joint process of C6 in some.
    WithoutLowerNeck,
    /// The head above C1: no cervical spine.
    Head,
    /// The chest below T2: no cervical spine.
    Chest,
}

impl Coverage {
    /// The name in `truth.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Neck => "neck",
            Self::WithoutLowerNeck => "without-lower-neck",
            Self::Head => "head",
            Self::Chest => "chest",
        }
    }

    /// What BodyPartExamined says (PS3.16 Annex L).
    #[must_use]
    pub fn body_part(self) -> &'static str {
        match self {
            Self::Neck | Self::WithoutLowerNeck => "CSPINE",
            Self::Head => "HEAD",
            Self::Chest => "CHEST",
        }
    }
}

/// Reconstruction kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Sharp and noisy.
    Bone,
    /// Between.
    Standard,
    /// Smooth.
    Soft,
}

impl Kernel {
    /// What ConvolutionKernel says.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bone => "BONE",
            Self::Standard => "STANDARD",
            Self::Soft => "SOFT",
        }
    }
}

/// One fracture to make. What is not said here (the exact course, the jags) follows from the recipe's seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FractureSpec {
    /// Level.
    pub level: CervicalLevel,
    /// Kind; one that does not occur at the level is left out.
    pub kind: FractureKind,
    /// Width of the gap, mm.
    pub width_mm: f32,
    /// Motion of the fragment, mm.
    pub displacement_mm: f32,
}

/// What the headers of the files say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// As little as in the RSNA 2022 set.
    Rsna,
    /// As much as in files that come from a hospital's archive.
    Queue,
}

/// Everything a phantom is made from: the same recipe makes the same voxels.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Seed of anatomy, fractures' courses and noise.
    pub seed: u64,
    /// Who.
    pub patient: PhantomPatient,
    /// StudyDescription.
    pub description: String,
    /// StudyDate, `YYYYMMDD`, and StudyTime, `HHMMSS`.
    pub date_time: (String, String),
    /// Fractures; empty for an intact neck.
    pub fractures: Vec<FractureSpec>,
    /// Fractures of long ago, at levels that are whole otherwise. They count as unbroken.
    pub healed: Vec<FractureSpec>,
    /// How many fresh fractures an intact twin was spared: its old ones still run as they do in the broken neck.
    pub spared: usize,
    /// Scan.
    pub scan: Scan,
    /// Kernel.
    pub kernel: Kernel,
    /// Headers.
    pub preset: Preset,
}

impl Recipe {
    /// A neck drawn from a seed: levels are broken as often, and together as often, as in the RSNA 2022 set; every twelfth
    /// neck bears an old fracture. Matrix 512, slices 0.5 to 3 mm apart, field of view 150 to 250 mm and now and then up to
    /// 380 mm; [`Recipe::with_matrix`] makes it smaller. Six scans in a hundred show a head or a chest alone, six end at C5.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut random = Random::new(seed, "recipe");
        let spacing_mm: f32 = [0.5, 0.6, 0.8, 1.0, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0][random.below(10)];
        let thickness_mm = if random.chance(0.7) { spacing_mm } else { spacing_mm.max(1.0) * random.range(1.0, 1.3) };
        let kernel = [Kernel::Bone, Kernel::Bone, Kernel::Standard, Kernel::Soft][random.below(4)];
        let coverage = match random.below(100) {
            0..3 => Coverage::Head,
            3..6 => Coverage::Chest,
            6..12 => Coverage::WithoutLowerNeck,
            _ => Coverage::Neck,
        };
        let length = if coverage == Coverage::Neck { random.range(165.0, 205.0) } else { 110.0 };
        let scan = Scan {
            slices: (length / spacing_mm).ceil() as usize,
            spacing_mm,
            thickness_mm,
            rows: 512,
            columns: 512,
            tilt_deg: 0.0,
            pixel_mm: if random.chance(0.1) { random.range(250.0, 380.0) } else { random.range(150.0, 250.0) } / 512.0,
            coverage,
        };
        let broken = prevalence::draw(&mut random);
        let fractures = draw_fractures(broken, &FractureKind::ALL, &mut random);
        let healed = draw_healed(broken, &mut random);
        let age_years = random.range(18.0, 92.0) as u16;
        let sex = if random.chance(0.5) { Sex::Female } else { Sex::Male };
        Self {
            seed,
            patient: PhantomPatient { name: format!("PHANTOM^{seed}"), id: format!("PH{seed:06}"), age_years, sex },
            description: "CT C-spine (synthetic)".into(),
            date_time: ("20260101".into(), "120000".into()),
            fractures,
            healed,
            spared: 0,
            scan,
            kernel,
            preset: Preset::Rsna,
        }
    }

    /// RescaleIntercept of the files: −1024 for most, 0 for some.
    #[must_use]
    pub fn intercept(&self) -> i16 {
        if Random::new(self.seed, "intercept").chance(0.25) { 0 } else { -1024 }
    }

    /// The same field of view and the same neck in a matrix of this many rows and columns.
    #[must_use]
    pub fn with_matrix(mut self, size: usize) -> Self {
        let size = size.max(16);
        self.scan.pixel_mm *= self.scan.columns as f32 / size as f32;
        (self.scan.rows, self.scan.columns) = (size, size);
        self
    }

    /// The same neck, with the gantry tilted in one scan of twelve, as an archive has them.
    #[must_use]
    pub fn with_gantry(mut self) -> Self {
        let mut random = Random::new(self.seed, "gantry");
        if random.chance(1.0 / 12.0) {
            self.scan.tilt_deg = random.range(4.0, 20.0) * random.sign();
        }
        self
    }

    /// The same neck, unbroken.
    #[must_use]
    pub fn intact(mut self) -> Self {
        self.spared += self.fractures.len();
        self.fractures.clear();
        self
    }

    /// The same recipe for a real neck ([`RealNeck`](crate::phantom::RealNeck)): its identifiers differ from those of the
    /// made-up neck of the same seed.
    #[must_use]
    pub fn of_real_bone(mut self) -> Self {
        self.patient.name = format!("REALBONE^{}", self.seed);
        self.patient.id = format!("RB{:06}", self.seed);
        self.description = "CT C-spine (real bone, deformed)".into();
        self
    }

    /// The same recipe for blended vertebrae ([`AnatomyLibrary`](crate::phantom::AnatomyLibrary)): its identifiers differ from those
    /// of the parametric neck of the same seed.
    #[must_use]
    pub fn of_blended_anatomy(mut self) -> Self {
        self.patient.name = format!("BLEND^{}", self.seed);
        self.patient.id = format!("BL{:06}", self.seed);
        self
    }

    /// The same neck, broken at this many levels (at fewer where these kinds occur at fewer) and in these ways alone.
    #[must_use]
    pub fn broken(mut self, levels: usize, kinds: &[FractureKind]) -> Self {
        let mut random = Random::new(self.seed, "more fractures");
        let mut broken = PerLevel::from_fn(|_| false);
        // Rises with how often levels are broken, most at C2 and C5 to C7; our own round numbers.
        let mut weights = [1.0, 2.0, 0.8, 1.0, 1.5, 2.0, 2.4];
        for (level, weight) in weights.iter_mut().enumerate() {
            if kinds.iter().all(|kind| kind.weight(level) <= 0.0) {
                *weight = 0.0;
            }
        }
        for _ in 0..levels {
            if let Some(index) = weighted(&weights, &mut random) {
                (broken.0[index], weights[index]) = (true, 0.0);
            }
        }
        self.fractures = draw_fractures(broken, kinds, &mut random);
        self.spared = 0;
        self.healed.retain(|old| !broken.0[old.level.index()]);
        self
    }

    /// A unique identifier under 2.25 whose number is a version-8 UUID drawn from the seed (PS3.5 section B.2, RFC 9562).
    /// `what` tells one apart from another: `"study"`, `"series"`, `"instance 12"`.
    #[must_use]
    pub fn uid(&self, what: &str) -> String {
        let mut random = Random::new(self.seed, &format!("uid {what} {}", self.patient.id));
        let mut number = (u128::from(random.bits()) << 64) | u128::from(random.bits());
        number = (number & !(0xf << 76)) | (0x8 << 76);
        number = (number & !(0x3 << 62)) | (0x2 << 62);
        let mut uid = String::from("2.25.");
        // Writing to a String cannot fail.
        let _ = write!(uid, "{number}");
        uid
    }
}

/// One fracture of these kinds at each of these levels; neighbours often break alike.
fn draw_fractures(broken: PerLevel<bool>, kinds: &[FractureKind], random: &mut Random) -> Vec<FractureSpec> {
    let mut fractures: Vec<FractureSpec> = Vec::new();
    for (level, _) in broken.iter().filter(|(_, broken)| **broken) {
        let above = fractures.last().filter(|last| last.level.index() + 1 == level.index());
        let alike = above.map(|last| last.kind).filter(|kind| kind.weight(level.index()) > 0.0);
        let kind = match alike {
            Some(kind) if random.chance(0.35) => kind,
            _ => {
                let weights: Vec<f32> = kinds.iter().map(|kind| kind.weight(level.index())).collect();
                let Some(kind) = weighted(&weights, random).map(|i| kinds[i]) else { continue };
                kind
            }
        };
        let (width_mm, displacement_mm) = draw_sizes(kind, random);
        fractures.push(FractureSpec { level, kind, width_mm, displacement_mm });
    }
    fractures
}

/// Width of the gap and motion of the fragment, mm: small ones are the most frequent.
fn draw_sizes(kind: FractureKind, random: &mut Random) -> (f32, f32) {
    let (small, large) = (random.unit() * random.unit(), random.unit() * random.unit());
    if kind == FractureKind::Hairline {
        (0.3 + 0.2 * random.unit(), 0.0)
    } else if random.chance(0.5) {
        (0.7 + 2.3 * small, 0.8 + 5.2 * large)
    } else {
        (0.3 + 1.3 * small, 0.6 * large)
    }
}

/// Now and then an old fracture at a level that is not broken.
fn draw_healed(broken: PerLevel<bool>, random: &mut Random) -> Vec<FractureSpec> {
    use FractureKind as K;
    const KINDS: [(CervicalLevel, FractureKind); 10] = [
        (CervicalLevel::C1, K::PosteriorArch),
        (CervicalLevel::C2, K::DensTypeII),
        (CervicalLevel::C2, K::Hangman),
        (CervicalLevel::C4, K::Lamina),
        (CervicalLevel::C5, K::Compression),
        (CervicalLevel::C5, K::Teardrop),
        (CervicalLevel::C6, K::SpinousProcess),
        (CervicalLevel::C6, K::Pillar),
        (CervicalLevel::C7, K::SpinousProcess),
        (CervicalLevel::C7, K::TransverseProcess),
    ];
    if !random.chance(0.085) {
        return Vec::new();
    }
    let (level, kind) = KINDS[random.below(KINDS.len())];
    let old = FractureSpec { level, kind, width_mm: random.range(1.0, 2.4), displacement_mm: random.range(0.3, 3.0) };
    if broken.0[level.index()] { Vec::new() } else { vec![old] }
}

fn weighted(weights: &[f32], random: &mut Random) -> Option<usize> {
    let mut left = random.unit() * weights.iter().sum::<f32>();
    weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_half_are_broken_and_every_kind_and_level_occurs() {
        let recipes: Vec<Recipe> = (0..600).map(Recipe::random).collect();
        let broken = recipes.iter().filter(|recipe| !recipe.fractures.is_empty()).count();
        assert!((255..315).contains(&broken), "{broken} of 600 are broken");
        let all: Vec<FractureSpec> = recipes.iter().flat_map(|recipe| recipe.fractures.clone()).collect();
        for kind in FractureKind::ALL {
            assert!(all.iter().any(|fracture| fracture.kind == kind), "no {kind:?}");
        }
        for level in CervicalLevel::ALL {
            assert!(all.iter().any(|fracture| fracture.level == level), "none at {level}");
        }
        assert!(all.iter().all(|fracture| fracture.kind.weight(fracture.level.index()) > 0.0));
        assert!(all.iter().all(|fracture| (0.3..=3.0).contains(&fracture.width_mm)));
        assert!(all.iter().all(|fracture| (0.0..=6.0).contains(&fracture.displacement_mm)));
        for levels in [1, 4, 7, 9] {
            let many = Recipe::random(7).broken(levels, &FractureKind::ALL).fractures;
            assert_eq!(many.len(), levels.min(7));
            assert!(many.windows(2).all(|pair| pair[0].level < pair[1].level), "a level twice: {many:?}");
        }
    }

    #[test]
    fn a_neck_breaks_only_as_it_is_told_to_and_only_where_that_occurs() {
        let kinds = [FractureKind::Teardrop, FractureKind::DensTypeII];
        let drawn: Vec<Vec<FractureSpec>> =
            (0..40).map(|seed| Recipe::random(seed).broken(3, &kinds).fractures).collect();
        assert!(drawn.iter().all(|fractures| fractures.len() == 3), "{drawn:?}");
        assert!(drawn.iter().flatten().all(|fracture| kinds.contains(&fracture.kind)));
        for kind in kinds {
            assert!(drawn.iter().flatten().any(|fracture| fracture.kind == kind), "no {kind:?}");
        }
        let dens = Recipe::random(1).broken(7, &kinds[1..]).fractures;
        assert_eq!(dens.iter().map(|fracture| fracture.level).collect::<Vec<_>>(), [CervicalLevel::C2]);
    }

    #[test]
    fn identifiers_are_uuid_derived_short_and_unique() {
        let recipe = Recipe::random(3);
        let uid = recipe.uid("study");
        assert!(uid.starts_with("2.25.") && uid.len() <= 64);
        let number: u128 = uid[5..].parse().expect("a number");
        assert_eq!((number >> 76) & 0xf, 8, "the UUID's version");
        assert_eq!((number >> 62) & 0x3, 2, "the UUID's variant");
        assert_eq!(uid, Recipe::random(3).uid("study"));
        assert_ne!(uid, recipe.uid("series"));
        assert_ne!(uid, Recipe::random(4).uid("study"));
    }

    #[test]
    fn a_smaller_matrix_keeps_the_field_of_view() {
        let large = Recipe::random(5);
        let small = large.clone().with_matrix(256);
        assert!((small.scan.pixel_mm * 256.0 - large.scan.pixel_mm * 512.0).abs() < 1e-3);
    }
}
