//! What is around the spine: skin, fat, muscles, vessels, airway, lungs, the canal with the cord.
//!
//! The tissue at a place follows from the place alone and a few numbers a height (see [`Level`]), so that a whole picture
//! costs some ten nanoseconds a pixel. Shapes and HU are our own round numbers, set beside ordinary textbook ranges: fat
//! −120 to −80, muscle 45 to 65, brain and cord 30 to 40, thyroid 80 to 120, air −1000.

use super::random::{Random, noise};
use super::sdf::{ellipse, step, wave};
use super::spine::Pose;
use glam::{Vec2, Vec3};

/// What does not change along the neck.
#[derive(Debug, Clone)]
pub(super) struct Neck {
    /// Numbers a height, one each millimetre from [`Neck::LOW`] upwards.
    levels: Vec<Level>,
    scale: f32,
    fat_planes: f32,
    /// HU that fat between its fibres takes from muscle, at most.
    marbling: f32,
    /// How much higher than the mean the shoulders stand, mm.
    shoulders: f32,
    muscle: f32,
    vessel: f32,
    /// Share of the carotid's wall that is calcified.
    calcified: f32,
    seed: u32,
    outside: Outside,
    head: Pose,
    stretch: f32,
}

/// What lies around the patient.
#[derive(Debug, Clone, Copy)]
struct Outside {
    /// Height of the table's surface, mm behind C4.
    table: f32,
    /// Radius of the table's arc.
    radius: f32,
    /// A collar's distance from the skin, mm, if one is worn.
    collar: Option<f32>,
    /// A tube in the airway.
    tube: bool,
}

/// What belongs to one height of the neck's frame.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// Middle and half sizes of the skin's outline.
    middle: f32,
    half: Vec2,
    /// Thickness of the fat under the skin at the sides and front.
    fat: f32,
    /// The body's centre and the canal's: x and y.
    spine: Vec2,
    canal: Vec2,
    /// Airway: y of the middle, half sizes.
    air: f32,
    air_half: Vec2,
    /// 0 in the neck, 1 in the head.
    head: f32,
    /// 0 up to the face, 1 where the cranium alone gives the outline.
    cranium: f32,
}

// z, half width, half depth, middle, airway's y from the spine, half width, half depth
const PROFILE: [[f32; 7]; 12] = [
    [-140.0, 215.0, 105.0, 5.0, -34.0, 8.5, 8.5],
    [-110.0, 205.0, 92.0, 8.0, -32.0, 8.5, 8.5],
    [-80.0, 160.0, 80.0, 10.0, -31.0, 8.5, 9.0],
    [-55.0, 92.0, 68.0, 8.0, -30.0, 8.5, 9.5],
    [-30.0, 64.0, 62.0, 5.0, -30.0, 7.5, 10.0],
    [-8.0, 59.0, 61.0, 2.0, -32.0, 5.0, 9.5],
    [12.0, 60.0, 64.0, -2.0, -24.0, 12.0, 6.0],
    [28.0, 66.0, 76.0, -10.0, -22.0, 13.0, 6.5],
    [45.0, 72.0, 88.0, -16.0, -23.0, 14.0, 7.0],
    [65.0, 75.0, 96.0, -16.0, -24.0, 14.0, 9.0],
    [73.0, 75.0, 96.0, -16.0, -26.0, 2.0, 2.0],
    [200.0, 77.0, 100.0, -14.0, -30.0, 2.0, 2.0],
];

// x (either side), y behind the body's centre, weight (pushes the border outwards), kind: 1 muscle, 0 fat.
const SITES: [[f32; 4]; 21] = [
    [8.0, -13.0, 0.0, 1.0],
    [24.0, -6.0, 2.0, 1.0],
    [36.0, 4.0, 0.0, 1.0],
    [41.0, 17.0, 1.0, 1.0],
    [11.0, 27.0, 3.0, 1.0],
    [13.0, 42.0, 3.0, 1.0],
    [27.0, 36.0, 2.0, 1.0],
    [27.0, 52.0, 1.0, 1.0],
    [9.0, 60.0, 0.0, 1.0],
    [46.0, 42.0, 0.0, 1.0],
    [48.0, -20.0, 4.0, 1.0],
    [50.0, 6.0, -2.0, 0.0],
    [24.0, -24.0, -3.0, 0.0],
    [15.0, -46.0, 3.0, 1.0],
    [36.0, -42.0, -1.0, 0.0],
    [27.0, -58.0, 2.0, 1.0],
    [80.0, 25.0, 14.0, 1.0],
    [78.0, -22.0, 8.0, 1.0],
    [64.0, 2.0, -4.0, 0.0],
    [120.0, 10.0, 22.0, 1.0],
    [10.0, -70.0, 4.0, 1.0],
];

impl Neck {
    const LOW: f32 = -170.0;
    const HIGH: f32 = 230.0;

    /// The soft parts around vertebrae with these poses and canal centres (own frames), and below a head with this pose.
    pub(super) fn new(poses: &[Pose], head: Pose, canals: &[f32], scale: f32, fat: f32, random: &mut Random) -> Self {
        // The model's heights are those of a neck whose C1 stands 52 mm above C4 and T1 69 mm below.
        let stretch = (poses[0].at.z - poses[7].at.z) / 121.0;
        let centre = |z: f32, canal: bool| -> Vec2 {
            let place = |i: usize| poses[i].outward(if canal { Vec3::Y * canals[i] } else { Vec3::ZERO });
            let first = usize::from(!canal);
            let at = (first + 1..poses.len() - 1).find(|&i| place(i).z < z).unwrap_or(poses.len() - 1);
            let (a, b) = (place(at - 1), place(at));
            let t = ((a.z - z) / (a.z - b.z).max(1.0)).clamp(-1.0, 2.5);
            let p = a + (b - a) * t;
            Vec2::new(p.x, p.y)
        };
        let girth = scale * random.range(0.9, 1.17);
        // How much higher than the mean the shoulders stand: mm.
        let shoulders = random.range(-10.0, 42.0);
        let broad = random.range(0.95, 1.15);
        // Some breathe in, some swallow.
        let open = random.range(0.25, 1.05);
        let levels = (0..=(Self::HIGH - Self::LOW) as usize)
            .map(|i| {
                let z = Self::LOW + i as f32;
                let model = z / stretch;
                let at = |model: f32, k: usize| {
                    let row = PROFILE.partition_point(|row| row[0] < model).clamp(1, PROFILE.len() - 1);
                    let (a, b) = (PROFILE[row - 1], PROFILE[row]);
                    a[k] + (b[k] - a[k]) * step(a[0], b[0], model)
                };
                let v = |k: usize| at(model, k);
                let broad_at = at(model - shoulders * step(4.0, -45.0, model), 1);
                let spine = centre(z, false);
                // From the skull base upwards the skin follows the cranium.
                let up = step(50.0, 72.0, model);
                let mix = |neck: f32, cranium: f32| neck + (cranium - neck) * up;
                let half = Vec2::new(mix(broad_at * girth * broad, 73.0 * scale), mix(v(2) * girth, 93.0 * scale));
                Level {
                    middle: mix(v(3) * girth + spine.y * 0.5, poses[0].at.y - 9.0 * scale),
                    half,
                    cranium: step(84.0, 108.0, model),
                    fat: fat * (1.0 + 0.8 * step(-40.0, -90.0, model)),
                    spine,
                    canal: centre(z, true),
                    air: spine.y + v(4) * scale,
                    air_half: Vec2::new(v(5), v(6) * open) * scale,
                    head: step(48.0, 64.0, model),
                }
            })
            .collect();
        Self {
            levels,
            scale,
            fat_planes: random.range(0.2, 1.0),
            marbling: random.range(0.0, 55.0),
            shoulders,
            muscle: random.range(48.0, 64.0),
            calcified: if random.chance(0.3) { random.range(0.2, 0.6) } else { 0.0 },
            vessel: if random.chance(0.25) { random.range(180.0, 330.0) } else { 45.0 },
            seed: random.bits() as u32,
            outside: Outside {
                table: random.range(88.0, 120.0),
                radius: random.range(180.0, 420.0),
                collar: random.chance(0.2).then(|| random.range(3.0, 12.0)),
                tube: random.chance(0.15),
            },
            head,
            stretch,
        }
    }

    /// The numbers at a height.
    fn level(&self, z: f32) -> &Level {
        let index = (z - Self::LOW).round().clamp(0.0, (self.levels.len() - 1) as f32) as usize;
        &self.levels[index]
    }

    /// Where the airway's middle lies at a height: x and y, and its half width.
    pub(super) fn airway_at(&self, z: f32) -> (f32, f32, f32) {
        let level = self.level(z);
        (level.spine.x, level.air, level.air_half.x)
    }

    /// The y of the skin in front and behind at a height, in the middle.
    pub(super) fn skin(&self, z: f32) -> (f32, f32) {
        let level = self.level(z);
        (level.middle - level.half.y, level.middle + level.half.y)
    }

    /// HU at a place of the neck's frame.
    pub(super) fn tissue(&self, p: Vec3) -> f32 {
        let level = self.level(p.z);
        let mut outline = ellipse(Vec2::new(p.x, p.y - level.middle), level.half) + 1.2 * wave(p.x * 0.05 + p.z * 0.04);
        if level.cranium > 0.0 {
            let scalp = (super::head::vault(self.head.inward(p) / self.scale) - 6.5) * self.scale;
            outline += (scalp - outline) * level.cranium;
        }
        if (-30.0..130.0).contains(&(p.z - self.head.at.z + 30.0)) {
            outline = outline.min(super::head::face(self.head.inward(p) / self.scale) * self.scale);
        }
        if outline > 0.6 {
            return self.around(p, outline);
        }
        let inner = self.inside(p, level, -outline);
        if outline > -0.6 { inner + (self.around(p, outline) - inner) * (outline + 0.6) / 1.2 } else { inner }
    }

    /// How much bone and shoulder the rays of this height pass: multiplies the noise.
    pub(super) fn shade(&self, z: f32) -> f32 {
        1.0 + 1.6 * step(-40.0, -95.0, z / self.stretch - self.shoulders.max(0.0) * 0.7)
    }

    fn around(&self, p: Vec3, outline: f32) -> f32 {
        let Outside { table, radius, collar, .. } = self.outside;
        let sag = table + radius - (radius * radius - (p.x * p.x).min(radius * radius * 0.8)).sqrt();
        let below = p.y - (2.0 * table - sag);
        if (0.0..24.0).contains(&below) {
            return if (1.6..22.4).contains(&below) { -945.0 } else { -60.0 };
        }
        if below < 0.0 && below > -14.0 && p.z > -60.0 {
            // The cushion.
            return -960.0;
        }
        let neck = (-70.0..18.0).contains(&(p.z / self.stretch));
        match collar {
            Some(gap) if neck && (gap..gap + 4.0).contains(&outline) => {
                if outline < gap + 1.2 {
                    60.0
                } else {
                    -880.0
                }
            }
            _ => -1000.0,
        }
    }

    fn inside(&self, p: Vec3, level: &Level, depth: f32) -> f32 {
        let q = Vec2::new(p.x - level.spine.x, p.y - level.spine.y);
        // Airway first: it is the strongest edge.
        let air = ellipse(Vec2::new(q.x, p.y - level.air), level.air_half);
        if air < 2.2 && level.air_half.x > 3.0 {
            return self.airway(p, air);
        }
        if depth < 2.0 {
            return 5.0;
        }
        let grain = 5.0 * noise(p * Vec3::new(0.35, 0.35, 0.12), self.seed);
        if let Some(hu) = self.canal(p, level) {
            return hu;
        }
        if level.head > 0.0
            && let Some(hu) = self.head(p, depth)
        {
            return hu + grain;
        }
        let behind = step(20.0, 55.0, q.y);
        if depth < level.fat * (0.7 + 1.6 * behind) + 2.0 {
            return -104.0 + grain;
        }
        if let Some(hu) = self.organs(p, q, level) {
            return hu + grain;
        }
        self.muscles(p, q, grain)
    }

    fn airway(&self, p: Vec3, air: f32) -> f32 {
        if self.outside.tube && p.z < 60.0 {
            let level = self.level(p.z);
            let r = Vec2::new(p.x - level.spine.x - 1.0, p.y - level.air - 1.0).length();
            if (3.6..4.8).contains(&r) {
                return 180.0;
            }
        }
        let hu = -1000.0 + 1040.0 * step(-0.6, 0.6, air);
        // Rings of calcified cartilage around the trachea.
        let ring = p.z < -32.0 && wave(p.z * 1.4) > 0.0 && air > 0.9;
        if ring { 120.0 } else { hu }
    }

    fn canal(&self, p: Vec3, level: &Level) -> Option<f32> {
        let c = Vec2::new(p.x, p.y) - level.canal;
        if c.length_squared() > 200.0 || p.z > self.head.at.z + 8.0 {
            return None;
        }
        let sac = ellipse(c, Vec2::new(9.5, 6.6) * self.scale);
        if sac > 0.5 {
            return (sac < 2.6).then_some(-35.0);
        }
        let cord = ellipse(c + Vec2::Y * 0.5, Vec2::new(6.6, 4.0) * self.scale);
        Some(12.0 + 26.0 * step(0.5, -0.5, cord))
    }

    fn head(&self, p: Vec3, depth: f32) -> Option<f32> {
        let h = self.head.inward(p) / self.scale;
        let brain = super::head::vault(h) + 3.0;
        if brain < 0.0 {
            // Grey and white matter, and fluid around them.
            return Some(if brain > -2.0 { 14.0 } else { 33.0 + 4.0 * noise(p / 9.0, self.seed) });
        }
        super::head::air(h, self.seed).or_else(|| (depth < 4.5).then_some(-95.0))
    }

    fn organs(&self, p: Vec3, q: Vec2, level: &Level) -> Option<f32> {
        let x = q.x.abs();
        let z = p.z / self.stretch;
        let carotid = Vec2::new(x - 23.0 - z * 0.03, q.y + 15.0 - z * 0.06).length();
        if carotid < 3.4 {
            // Plaque lies in patches of the wall.
            if self.calcified > 0.0 && carotid > 2.0 && noise(p / 3.4, self.seed ^ 31) > 1.0 - self.calcified {
                return Some(620.0);
            }
            return Some(self.vessel);
        }
        let jugular = ellipse(Vec2::new(x - 31.0, q.y + 13.0), Vec2::new(5.4, 3.8));
        if jugular < 0.0 && z < 45.0 {
            return Some(self.vessel * 0.6 + 18.0);
        }
        let artery = Vec2::new(x - 17.5, q.y - 1.5).length();
        if artery < 1.8 && z < 40.0 {
            return Some(self.vessel);
        }
        if z < -12.0 {
            let gullet = ellipse(q - Vec2::new(-3.0, -15.5), Vec2::new(8.0, 3.6));
            if gullet < 0.0 {
                return Some(38.0);
            }
        }
        let lobe = step(-74.0, -62.0, z) * step(-22.0, -34.0, z);
        if lobe > 0.05 {
            let gland = ellipse(Vec2::new(x - 15.5, p.y - level.air - 3.0), Vec2::new(7.0, 10.0) * lobe);
            if gland < 0.0 {
                return Some(98.0);
            }
        }
        if z < -78.0 {
            let lung = Vec3::new((x - 46.0) / 40.0, (q.y - 2.0) / 48.0, (z + 132.0) / 50.0).length();
            if lung < 1.0 {
                return Some(if lung > 0.97 { -400.0 } else { -860.0 + 60.0 * noise(p / 2.0, self.seed) });
            }
        }
        None
    }

    fn muscles(&self, p: Vec3, q: Vec2, grain: f32) -> f32 {
        // The nuchal septum.
        if q.x.abs() < 0.9 && q.y > 30.0 {
            return -40.0;
        }
        let side = 0.7 * q.x.signum();
        let bend = 2.6 * wave(q.y * 0.11 + p.z * 0.03 + side) + 1.1 * wave(q.y * 0.31 + p.z * 0.06);
        let x = (q.x.abs() + bend) / self.scale;
        let bend = 2.6 * wave(q.x * 0.12 + p.z * 0.03) + 1.1 * wave(q.x * 0.29 + p.z * 0.05 + side);
        let y = (q.y + bend) / self.scale;
        // The muscles of the side run forward on their way down.
        let forward = (p.z / self.stretch).clamp(-60.0, 60.0) * 0.22;
        let (mut first, mut second, mut kind) = (f32::MAX, f32::MAX, 1.0);
        let mut pair = (0, 0);
        for (i, site) in SITES.iter().enumerate() {
            let shift = if site[0] > 40.0 { forward } else { 0.0 };
            let (dx, dy) = (x - site[0], y - site[1] - shift);
            let d = dx * dx + dy * dy - site[2] * 60.0;
            if d < first {
                second = first;
                first = d;
                pair = (i, pair.0);
                kind = site[3];
            } else if d < second {
                second = d;
                pair.1 = i;
            }
        }
        if kind < 0.5 {
            return -94.0 + 2.0 * grain + 34.0 * step(0.3, 0.8, noise(p / Vec3::new(3.0, 3.0, 7.0), self.seed ^ 5));
        }
        // The power distance to the border, in mm: half the difference over the distance of the two sites.
        let border = (second - first) / (2.0 * (first.abs().sqrt() + second.abs().sqrt()).max(8.0));
        // Some borders hold more fat than others, and some none to be seen.
        let thick = self.fat_planes * [0.1, 0.5, 0.9, 1.4][(pair.0 + pair.1) % 4];
        let fat = step(thick * 1.3 + 0.3, thick * 0.4, border) * (thick * 2.5).min(1.0);
        let fibres = step(0.1, 0.9, noise(p / Vec3::new(3.2, 2.4, 9.0), self.seed ^ 11));
        (self.muscle + 2.0 * grain - self.marbling * fibres) * (1.0 - fat) - 80.0 * fat
    }
}
