//! What is around the spine: skin, the fat under it, vessels, airway, lungs, the canal with the cord; `flesh` has the muscles.
//!
//! The tissue at a place follows from the place alone and a few numbers a height (see [`Level`]), so that a whole picture
//! costs some tens of nanoseconds a pixel. Shapes and HU are our own round numbers, set beside ordinary textbook ranges: fat
//! −120 to −80, muscle 45 to 65, brain and cord 30 to 40, thyroid 80 to 120, air −1000.

use super::face::Face;
use super::flesh::{self, Flesh};
use super::lanes::{self, Lanes, Places};
use super::random::{Random, Texture, noise};
use super::sdf::{ellipse, step, wave};
use super::spine::Pose;
use glam::{Vec2, Vec3};

/// What does not change along the neck.
#[derive(Debug, Clone)]
pub(super) struct Neck {
    /// Numbers a height, one each millimetre from [`Neck::LOW`] upwards.
    levels: Vec<Level>,
    scale: f32,
    flesh: Flesh,
    /// How much higher than the mean the shoulders stand, mm.
    shoulders: f32,
    vessel: f32,
    /// Share of the carotid's wall that is calcified.
    calcified: f32,
    seed: u32,
    /// How flat the back lies, how deep the furrow of the nape is, mm.
    flat: f32,
    furrow: f32,
    /// How much more fat lies under the skin of the nape than elsewhere.
    nape: f32,
    outside: Outside,
    head: Pose,
    face: Face,
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
    /// By what part it is narrower in front.
    narrow: f32,
    /// Half sizes of the shoulders' outline.
    shoulder: Vec2,
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
    [28.0, 66.0, 76.0, -10.0, -22.0, 13.0, 6.0],
    [45.0, 72.0, 88.0, -16.0, -22.0, 12.0, 5.0],
    [58.0, 74.0, 94.0, -16.0, -23.0, 10.0, 4.0],
    [64.0, 75.0, 96.0, -16.0, -26.0, 2.0, 2.0],
    [200.0, 77.0, 100.0, -14.0, -30.0, 2.0, 2.0],
];

/// How much of a height lies on the table: 0 in the neck, 1 where the shoulders are broad.
fn lies(level: &Level) -> f32 {
    step(90.0, 150.0, level.shoulder.x)
}

/// So far outside the ideal outline, mm, lies neither skin nor a collar.
const FAR: f32 = 24.0;

/// The noises along a line.
struct Textures {
    grain: Texture,
    lobules: Texture,
    flesh: flesh::Textures,
}

impl Neck {
    const LOW: f32 = -170.0;
    const HIGH: f32 = 230.0;

    /// The soft parts around vertebrae with these poses, canal centres (own frames) and tips of the spinous processes (the neck's
    /// frame), below a head with this pose, and those of its face.
    pub(super) fn new(
        poses: &[Pose],
        (head, face): (Pose, Face),
        (canals, tips): (&[f32], &[Vec3]),
        scale: f32,
        fat: f32,
        random: &mut Random,
    ) -> Self {
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
        let narrow = random.range(0.1, 0.34);
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
                let up = step(44.0, 72.0, model);
                let mix = |neck: f32, cranium: f32| neck + (cranium - neck) * up;
                let wide = broad_at * girth * broad;
                let deep = v(2) * girth;
                // What is broader than a neck is shoulder.
                let neck = wide.min(74.0 * girth);
                let half = Vec2::new(mix(neck, 73.0 * scale), mix(deep, 93.0 * scale));
                Level {
                    middle: mix(v(3) * girth + spine.y * 0.75, poses[0].at.y - 9.0 * scale),
                    half,
                    narrow: narrow * step(34.0, 14.0, model) * step(-90.0, -50.0, model),
                    shoulder: if wide > neck && model < 0.0 {
                        Vec2::new(wide, deep * (0.42 + 0.5 * step(110.0, 190.0, wide)))
                    } else {
                        Vec2::ZERO
                    },
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
        let mut neck = Self {
            levels,
            scale,
            flesh: Flesh::new(random),
            shoulders,
            flat: random.range(1.0, 9.0),
            furrow: random.range(0.0, 4.5),
            nape: random.range(0.2, 1.3),
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
            face,
            stretch,
        };
        neck.cover(tips);
        neck
    }

    /// Stretches the skin over the spinous processes: in a neck that is bent far back they stand out farther than its girth alone
    /// leaves room for.
    fn cover(&mut self, tips: &[Vec3]) {
        for (index, level) in self.levels.iter_mut().enumerate() {
            let z = Self::LOW + index as f32;
            // Some fat and skin, and what furrow, table and the round edge above it take.
            let over = 6.5 + self.furrow + (self.flat + 3.5) * lies(level);
            let needed = tips.iter().map(|tip| tip.y + over - (z - tip.z).powi(2) / 40.0).fold(f32::MIN, f32::max);
            let more = (needed - level.middle - level.half.y).max(0.0) / 2.0;
            level.middle += more;
            level.half.y += more;
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

    /// How deep under the skin of neck and shoulders a place lies, mm.
    pub(super) fn depth(&self, p: Vec3) -> f32 {
        let place = Places::new(&[p; lanes::COUNT]);
        let drift = self.flesh.drift(place);
        -self.outline(place.x + 0.7 * drift.0, place.y + 0.7 * drift.1, self.level(p.z)).to_array()[0]
    }

    /// HU at places of the neck's frame, from `start` on, each `across` from the last.
    pub(super) fn line(&self, start: Vec3, across: Vec3, hu: &mut [f32]) {
        let texture = |salt: u32| Texture::new(self.seed ^ salt);
        let mut textures = Textures { grain: texture(0), lobules: texture(23), flesh: self.flesh.textures() };
        for (block, hu) in hu.chunks_mut(lanes::COUNT).enumerate() {
            let places: [Vec3; lanes::COUNT] =
                std::array::from_fn(|i| start + across * (block * lanes::COUNT + i) as f32);
            let level = self.level(places[0].z);
            if std::ptr::eq(level, self.level(places[lanes::COUNT - 1].z)) {
                self.block(&places, level, hu, &mut textures);
                continue;
            }
            for (p, hu) in places.into_iter().zip(hu) {
                self.block(&[p; lanes::COUNT], self.level(p.z), std::slice::from_mut(hu), &mut textures);
            }
        }
    }

    /// HU at places of this height; there may be fewer `hu` than places.
    fn block(&self, places: &[Vec3; lanes::COUNT], level: &Level, hu: &mut [f32], textures: &mut Textures) {
        let Places { x, y, z } = Places::new(places);
        let straight = self.outline(x, y, level);
        if level.head <= 0.0 && lanes::all_above(straight, FAR) {
            for ((hu, p), straight) in hu.iter_mut().zip(places).zip(straight.to_array()) {
                *hu = self.around(*p, straight);
            }
            return;
        }
        let drift = self.flesh.drift(Places { x, y, z });
        let outline = self.outline(x + 0.7 * drift.0, y + 0.7 * drift.1, level).to_array();
        let (straight, drift) = (straight.to_array(), (drift.0.to_array(), drift.1.to_array()));
        for (i, (hu, p)) in hu.iter_mut().zip(places).enumerate() {
            *hu = if level.head <= 0.0 && straight[i] > FAR {
                self.around(*p, straight[i])
            } else {
                self.tissue(*p, Vec2::new(drift.0[i], drift.1[i]), outline[i], level, textures)
            };
        }
    }

    /// HU at a place of this height that drifts so far and then lies so far outside the outline.
    fn tissue(&self, p: Vec3, drift: Vec2, mut outline: f32, level: &Level, textures: &mut Textures) -> f32 {
        if level.cranium > 0.0 {
            let scalp = (super::head::round_vault(self.head.inward(p) / self.scale) - 6.5) * self.scale;
            outline += (scalp - outline) * level.cranium;
        }
        if (-30.0..130.0).contains(&(p.z - self.head.at.z + 30.0)) {
            let bent = p + 0.5 * drift.extend(0.0);
            outline = outline.min(super::head::face(self.head.inward(bent) / self.scale) * self.scale);
        }
        if outline > 0.6 {
            return self.around(p, outline);
        }
        let inner = self.inside(p, drift, level, -outline, textures);
        if outline > -0.6 { inner + (self.around(p, outline) - inner) * (outline + 0.6) / 1.2 } else { inner }
    }

    /// Distance to the skin of neck and shoulders: narrower in front than behind, flat where it lies on the table, with a furrow over
    /// the nuchal septum; the shoulders' slopes meet it from both sides.
    fn outline(&self, x: Lanes, y: Lanes, level: &Level) -> Lanes {
        let deep = Lanes::splat(level.half.y);
        let y = y - level.middle;
        let front = lanes::step(0.1, -1.0, y / deep);
        let wide = level.half.x * (1.0 - level.narrow * front);
        let mut outline = lanes::ellipse((x, y), (wide, deep));
        if level.shoulder.x > 0.0 {
            let shoulder = (Lanes::splat(level.shoulder.x), Lanes::splat(level.shoulder.y));
            let slope = lanes::ellipse((x, y - (level.half.y - level.shoulder.y)), shoulder);
            outline = lanes::join(outline, slope, 1.0 + 25.0 * lanes::step(0.0, 40.0, level.shoulder.x - wide));
        }
        let behind = y - level.half.y;
        let lies = lies(level);
        outline = lanes::meet(outline, behind + self.flat * lies, Lanes::splat(2.0 + 14.0 * lies));
        let furrow = lanes::step(14.0, 0.0, x.abs()) * lanes::step(-24.0, -4.0, behind) * (1.0 - level.head);
        outline + self.furrow * furrow
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

    fn inside(&self, p: Vec3, drift: Vec2, level: &Level, depth: f32, textures: &mut Textures) -> f32 {
        let q = Vec2::new(p.x - level.spine.x, p.y - level.spine.y);
        let grain = 5.0 * textures.grain.at(p * Vec3::new(0.35, 0.35, 0.12));
        // Tongue and palate stand before the airway; no skin is so deep.
        if p.z > self.head.at.z - 66.0
            && depth > 1.7
            && let Some(hu) = self.face.tissue(self.head.inward(p + 0.5 * drift.extend(0.0)) / self.scale, grain)
        {
            return hu;
        }
        // Then the airway: it is the strongest edge.
        let air = ellipse(Vec2::new(q.x, p.y - level.air) + 0.8 * drift, level.air_half);
        if air < 2.2 && level.air_half.x > 3.0 {
            return self.airway(p, air, level);
        }
        if depth < 1.7 {
            return 12.0;
        }
        if let Some(hu) = self.canal(p, level) {
            return hu;
        }
        if level.head > 0.0
            && let Some(hu) = self.head(p, depth)
        {
            return hu + grain;
        }
        // Thicker at the nape and under the chin than at the sides, and nowhere even.
        let behind = step(20.0, 55.0, q.y) * self.nape + 0.5 * step(-30.0, -52.0, q.y);
        let lobules = 0.35 * drift.x + 1.3 * textures.lobules.at(p * Vec3::new(0.11, 0.11, 0.05));
        if depth + lobules < level.fat * (0.7 + behind) + 2.0 {
            return Flesh::fat(p, grain, &mut textures.flesh);
        }
        if let Some(hu) = self.organs(p, q, level) {
            return hu + grain;
        }
        self.flesh.at(p, (q + drift) / self.scale, p.z / self.stretch, grain, &mut textures.flesh)
    }

    fn airway(&self, p: Vec3, air: f32, level: &Level) -> f32 {
        if self.outside.tube && p.z < 60.0 {
            let r = Vec2::new(p.x - level.spine.x - 1.0, p.y - level.air - 1.0).length();
            if (3.6..4.8).contains(&r) {
                return 180.0;
            }
        }
        // The epiglottis stands in the air before the larynx.
        let off = Vec2::new(p.x - level.spine.x, p.y - level.air);
        let rise = p.z / self.stretch;
        if (-16.0..8.0).contains(&rise) {
            let leaf = (off.y + level.air_half.y * (0.45 + 0.03 * rise) - 0.04 * off.x * off.x).abs();
            if leaf < 1.0 && air < 0.6 {
                return 55.0;
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
        (depth < 4.5).then_some(-95.0)
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
            let lung = Vec3::new((x - 46.0) / 40.0, (q.y - 2.0) / 48.0, (z + 132.0).max(0.0) / 50.0).length();
            if lung < 1.0 {
                return Some(if lung > 0.97 { -400.0 } else { -860.0 + 60.0 * noise(p / 2.0, self.seed) });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
