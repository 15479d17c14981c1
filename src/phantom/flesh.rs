//! Muscles, glands and the fat between them, by height: bundles with oval sections that lie in layers around the spine, as a textbook
//! draws them. Places, sizes and HU are our own round numbers (muscle 45 to 65, parotid −10 to 25, submandibular gland 40 to 55, fat
//! −120 to −80).

use super::exact;
use super::lanes::{self, Lanes, Places};
use super::random::{Random, Texture};
use super::sdf::{step, wave};
use glam::{Vec2, Vec3};

/// What a bundle is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Muscle,
    /// Crossed by septa of fat.
    Tongue,
    /// Denser than muscle, without fat.
    Gland,
    /// Half fat.
    Parotid,
}

/// A bundle's section at one height: x (either side) and y from the vertebral bodies' middle, degrees from the x axis towards the
/// back, half sizes along and across; mm.
type Section = [f32; 5];

/// A bundle at the heights of [`HEIGHTS`].
struct Bundle(Kind, [Section; 3]);

/// C2, C4 and C7, in a neck of ordinary length; mm above C4.
const HEIGHTS: [f32; 3] = [32.0, -4.0, -62.0];

const NONE: Section = [30.0, -20.0, 0.0, 0.5, 0.5];

// They are measured in whole groups.
const _: () = assert!(BUNDLES.len().is_multiple_of(lanes::COUNT));

const BUNDLES: [Bundle; 24] = [
    // Before the spine.
    Bundle(Kind::Muscle, [[9.0, -12.0, 0.0, 8.0, 4.5], [9.0, -12.0, 0.0, 8.0, 4.5], [10.0, -11.0, 0.0, 8.0, 4.0]]),
    // The scalenes and what lies between the transverse processes.
    Bundle(Kind::Muscle, [[27.0, -3.0, 60.0, 7.0, 4.5], [29.0, -4.0, 60.0, 8.0, 5.0], [32.0, -8.0, 60.0, 11.0, 6.0]]),
    Bundle(Kind::Muscle, [[31.0, 6.0, 80.0, 7.0, 5.0], [33.0, 6.0, 70.0, 9.0, 6.0], [38.0, 4.0, 60.0, 13.0, 7.5]]),
    // Levator of the shoulder blade.
    Bundle(Kind::Muscle, [[37.0, 17.0, 70.0, 9.0, 6.0], [38.0, 18.0, 70.0, 11.0, 6.5], [50.0, 20.0, 50.0, 14.0, 8.0]]),
    // Sternocleidomastoid: from behind the ear to the breastbone.
    Bundle(
        Kind::Muscle,
        [[46.0, 4.0, 80.0, 13.0, 6.0], [45.0, -10.0, 70.0, 15.0, 6.0], [32.0, -34.0, 35.0, 16.0, 5.0]],
    ),
    // Multifidus, semispinales of the neck and the head, longissimus.
    Bundle(Kind::Muscle, [[9.0, 27.0, 50.0, 8.0, 6.0], [12.0, 28.0, 40.0, 10.0, 7.0], [13.0, 29.0, 40.0, 11.0, 8.0]]),
    Bundle(
        Kind::Muscle,
        [[17.0, 30.0, -30.0, 8.0, 5.0], [18.0, 35.0, -35.0, 9.0, 5.0], [19.0, 38.0, -30.0, 10.0, 6.0]],
    ),
    Bundle(
        Kind::Muscle,
        [[11.0, 43.0, -20.0, 12.0, 6.0], [13.0, 45.0, -25.0, 13.0, 6.0], [15.0, 47.0, -25.0, 11.0, 5.0]],
    ),
    Bundle(Kind::Muscle, [[33.0, 26.0, 60.0, 6.0, 4.5], [30.0, 28.0, 50.0, 7.0, 4.5], [31.0, 31.0, 40.0, 8.0, 5.0]]),
    // Splenius, trapezius.
    Bundle(
        Kind::Muscle,
        [[31.0, 38.0, -40.0, 17.0, 5.0], [27.0, 46.0, -38.0, 17.0, 5.0], [22.0, 54.0, -20.0, 14.0, 4.0]],
    ),
    Bundle(
        Kind::Muscle,
        [[13.0, 57.0, -12.0, 18.0, 3.2], [24.0, 60.0, -25.0, 26.0, 3.6], [52.0, 50.0, -18.0, 44.0, 7.0]],
    ),
    // Short muscles under the skull.
    Bundle(Kind::Muscle, [[21.0, 33.0, 10.0, 10.0, 5.0], [24.0, 30.0, 0.0, 2.0, 2.0], NONE]),
    // Under the hyoid; the wall of the throat.
    Bundle(
        Kind::Muscle,
        [[10.0, -38.0, 20.0, 8.0, 3.0], [11.0, -46.0, -25.0, 11.0, 3.0], [9.0, -44.0, -20.0, 11.0, 3.0]],
    ),
    Bundle(
        Kind::Muscle,
        [[13.0, -21.0, 70.0, 9.0, 2.8], [13.0, -26.0, 70.0, 10.0, 3.0], [13.0, -22.0, 70.0, 4.0, 2.0]],
    ),
    // Submandibular gland, parotid, the chewing muscles, tongue.
    Bundle(Kind::Gland, [[38.0, -28.0, 60.0, 6.0, 4.0], [31.0, -40.0, 40.0, 11.0, 8.0], NONE]),
    Bundle(
        Kind::Muscle,
        [[54.0, -38.0, 85.0, 15.0, 6.0], [46.0, -46.0, 60.0, 8.0, 2.5], [46.0, -46.0, 50.0, 12.0, 2.5]],
    ),
    Bundle(Kind::Muscle, [[37.0, -40.0, 80.0, 13.0, 6.0], [30.0, -54.0, 30.0, 5.0, 3.0], NONE]),
    Bundle(Kind::Tongue, [[0.0, -58.0, 90.0, 24.0, 21.0], [0.0, -64.0, 0.0, 15.0, 6.0], NONE]),
    Bundle(Kind::Parotid, [[52.0, -14.0, 85.0, 14.0, 7.5], [52.0, -24.0, 80.0, 6.0, 4.0], NONE]),
    // Towards the shoulders.
    Bundle(
        Kind::Muscle,
        [[40.0, 48.0, -50.0, 10.0, 4.0], [46.0, 46.0, -45.0, 15.0, 4.0], [92.0, 34.0, -15.0, 30.0, 11.0]],
    ),
    Bundle(Kind::Muscle, [NONE, [58.0, -30.0, 60.0, 6.0, 2.0], [80.0, -24.0, 15.0, 30.0, 8.0]]),
    Bundle(Kind::Muscle, [NONE, [80.0, 20.0, 80.0, 8.0, 5.0], [142.0, 14.0, 80.0, 34.0, 20.0]]),
    Bundle(Kind::Muscle, [NONE, [30.0, 62.0, -20.0, 8.0, 2.0], [32.0, 60.0, -16.0, 22.0, 4.0]]),
    Bundle(Kind::Muscle, [NONE, [58.0, 12.0, 50.0, 6.0, 4.0], [74.0, 8.0, 50.0, 20.0, 8.0]]),
];

/// A turn, radians, as far as waves care.
#[expect(
    clippy::approx_constant,
    reason = "the digits of TAU would change every voxel of the data sets that were measured"
)]
const TURN: f32 = 6.28;

/// Bundles' sections, ready to be measured against.
#[derive(Debug, Clone, Copy)]
struct Cells {
    at: [Lanes; 2],
    along: [Lanes; 2],
    /// One over the squares of the half sizes.
    inverse: [Lanes; 2],
    /// Half of the smaller half size: what turns the oval's equation into mm near its edge.
    slope: Lanes,
}

/// The flesh's noises along a line.
#[derive(Debug, Clone)]
pub(super) struct Textures {
    strands: Texture,
    ragged: Texture,
    planes: Texture,
    fibres: Texture,
}

/// The flesh of one neck.
#[derive(Debug, Clone)]
pub(super) struct Flesh {
    /// Sections at each millimetre of height, from [`Flesh::LOW`] of the ordinary neck upwards.
    cells: Vec<[Cells; BUNDLES.len() / lanes::COUNT]>,
    /// How far beyond its section a bundle's flesh reaches, mm.
    reach: f32,
    /// Thickness of the fat between bundles, mm.
    planes: f32,
    /// HU that fat between its fibres takes from muscle, at most.
    marbling: f32,
    muscle: f32,
    /// Waves that bend everything: as many mm, along this direction, with radians along x, y and z and at the start.
    waves: [(Vec2, Vec3, f32); 7],
    seed: u32,
}

impl Flesh {
    const LOW: f32 = -110.0;
    const HIGH: f32 = 60.0;

    pub(super) fn new(random: &mut Random) -> Self {
        let jitter: Vec<[f32; 5]> = BUNDLES
            .iter()
            .map(|_| {
                [
                    random.normal(0.0, 1.3),
                    random.normal(0.0, 1.3),
                    random.normal(0.0, 7.0),
                    random.range(0.85, 1.2),
                    random.range(0.8, 1.25),
                ]
            })
            .collect();
        let cells = (0..=(Self::HIGH - Self::LOW) as usize)
            .map(|i| {
                let z = Self::LOW + i as f32;
                std::array::from_fn(|group| {
                    cells(|i| {
                        let bundle = group * lanes::COUNT + i;
                        (section(&BUNDLES[bundle].1, z), jitter[bundle])
                    })
                })
            })
            .collect();
        // From a shoulder's width down to a finger's: the longer, the stronger.
        let waves = std::array::from_fn(|i| {
            let length = [150.0, 110.0, 80.0, 58.0, 40.0, 27.0, 18.0][i] * random.range(0.85, 1.15);
            let size = (0.026 * length).min(2.4) * random.range(0.6, 1.2);
            let (turn, towards) = (random.range(0.0, TURN), random.range(0.0, TURN));
            let rate = TURN / length;
            (
                Vec2::new(exact::cos(turn), exact::sin(turn)) * size,
                Vec3::new(exact::cos(towards), exact::sin(towards), random.range(-0.5, 0.5)) * rate,
                random.range(0.0, TURN),
            )
        });
        Self {
            cells,
            reach: random.range(1.4, 4.6),
            planes: random.range(0.25, 1.0),
            marbling: random.range(5.0, 60.0),
            muscle: random.range(48.0, 66.0),
            waves,
            seed: random.bits() as u32,
        }
    }

    /// How far a place is moved before its tissue is looked up: nothing in a body is a perfect oval, nor its own mirror image.
    pub(super) fn drift(&self, p: Places) -> (Lanes, Lanes) {
        let mut moved = (Lanes::ZERO, Lanes::ZERO);
        for (size, rate, start) in &self.waves {
            let wave = lanes::wave(p.x * rate.x + p.y * rate.y + p.z * rate.z + *start);
            moved = (moved.0 + size.x * wave, moved.1 + size.y * wave);
        }
        moved
    }

    /// The noises that the places of one line share.
    pub(super) fn textures(&self) -> Textures {
        let texture = |salt: u32| Texture::new(self.seed ^ salt);
        Textures { strands: texture(5), ragged: texture(17), planes: texture(19), fibres: texture(11) }
    }

    /// HU of fat.
    pub(super) fn fat(p: Vec3, grain: f32, textures: &mut Textures) -> f32 {
        // Septa and small vessels.
        let strand = textures.strands.at(p * Vec3::new(0.42, 0.42, 0.2)).abs();
        -107.0 + 1.6 * grain + 46.0 * step(0.16, 0.0, strand)
    }

    /// HU of flesh at a place `p`, mm: `q` from the bodies' middle after [`Flesh::drift`], in the ordinary size; `z` in the ordinary
    /// neck's height; `grain` in HU.
    pub(super) fn at(&self, p: Vec3, q: Vec2, z: f32, grain: f32, textures: &mut Textures) -> f32 {
        // The nuchal septum.
        if q.x.abs() < 0.8 && q.y > 30.0 {
            return Self::fat(p, grain, textures).max(-75.0);
        }
        let row = (z - Self::LOW).clamp(0.0, Self::HIGH - Self::LOW) as usize;
        let Some(cells) = self.cells.get(row) else { return Self::fat(p, grain, textures) };
        let place = Vec2::new(q.x.abs(), q.y);
        let (mut first, mut second, mut owner, mut neighbour) = (f32::MAX, f32::MAX, 0, 0);
        for (i, d) in cells.iter().flat_map(|cells| cells.distances(place)).enumerate() {
            if d < first {
                (second, first, neighbour, owner) = (first, d, owner, i);
            } else if d < second {
                (second, neighbour) = (d, i);
            }
        }
        let ragged = textures.ragged.at(p * Vec3::new(0.3, 0.3, 0.09));
        // Close to the bones no fat parts the muscles from them.
        let near = step(34.0, 22.0, place.distance(Vec2::new(0.0, 12.0)));
        let outside = first - self.reach - 4.0 * near - 0.9 * ragged;
        let border = 0.5 * (second - first);
        let plane = self.planes * [0.2, 0.6, 1.0, 1.5][(owner + neighbour) % 4];
        // Nowhere does a plane run through the whole neck.
        let there = step(-0.35, 0.35, textures.planes.at(p * Vec3::new(0.05, 0.05, 0.045)));
        let between = step(1.1 * plane + 0.35, 0.3 * plane, border + 0.25 * ragged)
            * (plane * 2.2).min(1.0)
            * (1.0 - near)
            * there;
        let fat = step(-0.5, 0.6, outside).max(0.9 * between);
        if fat >= 1.0 {
            return Self::fat(p, grain, textures);
        }
        let own = match BUNDLES[owner].0 {
            Kind::Muscle => {
                let fibres = step(0.15, 0.95, textures.fibres.at(p * Vec3::new(0.36, 0.42, 0.11)));
                // Muscles deep at the back take up more fat than others.
                let share = if (5..8).contains(&owner) { 1.0 } else { 0.55 };
                // Nor are two neighbours equally dense.
                self.muscle + (owner * 7 % 5) as f32 * 1.6 - self.marbling * share * fibres
            }
            Kind::Tongue => self.muscle - 3.0 - 55.0 * step(0.5, 0.9, wave(q.x * 0.9 + 0.6 * ragged)) * near_front(q),
            Kind::Gland => self.muscle - 6.0,
            Kind::Parotid => 4.0 + 22.0 * ragged,
        } + 1.8 * grain;
        if fat <= 0.0 { own } else { own + (Self::fat(p, grain, textures) - own) * fat }
    }
}

/// Septa show in the front of the tongue.
fn near_front(q: Vec2) -> f32 {
    0.5 * step(-48.0, -70.0, q.y)
}

/// A bundle's section at a height, between those that are known.
fn section(known: &[Section; 3], z: f32) -> Section {
    let lower = usize::from(z < HEIGHTS[1]);
    let t = ((z - HEIGHTS[lower]) / (HEIGHTS[lower + 1] - HEIGHTS[lower])).clamp(-0.5, 1.4);
    std::array::from_fn(|k| known[lower][k] + (known[lower + 1][k] - known[lower][k]) * t)
}

impl Cells {
    /// Distances of a place to the bundles, nearly.
    fn distances(&self, place: Vec2) -> [f32; lanes::COUNT] {
        let (x, y) = (place.x - self.at[0], place.y - self.at[1]);
        let [along_x, along_y] = self.along;
        let (u, v) = (x * along_x + y * along_y, x * along_y - y * along_x);
        ((u * u * self.inverse[0] + v * v * self.inverse[1] - 1.0) * self.slope).to_array()
    }
}

/// Bundles with these sections and jitters.
fn cells(bundle: impl Fn(usize) -> (Section, [f32; 5])) -> Cells {
    // Of each bundle: place, direction, inverse squares, slope.
    let numbers: [[f32; 7]; lanes::COUNT] = std::array::from_fn(|i| {
        let ([x, y, degrees, a, b], jitter) = bundle(i);
        let angle = (degrees + jitter[2]).to_radians();
        let half = Vec2::new((a * jitter[3]).max(0.4), (b * jitter[4]).max(0.4));
        let x = if x == 0.0 { 0.0 } else { x + jitter[0] };
        let inverse = Vec2::ONE / (half * half);
        let slope = 0.5 * half.min_element();
        [x, y + jitter[1], exact::cos(angle), exact::sin(angle), inverse.x, inverse.y, slope]
    });
    let lanes = |k: usize| Lanes::new(numbers.map(|numbers| numbers[k]));
    Cells { at: [lanes(0), lanes(1)], along: [lanes(2), lanes(3)], inverse: [lanes(4), lanes(5)], slope: lanes(6) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundles_run_from_height_to_height() {
        let known = [[0.0; 5], [10.0; 5], [30.0; 5]];
        for (z, value) in [(HEIGHTS[0], 0.0), (HEIGHTS[1], 10.0), (HEIGHTS[2], 30.0), (14.0, 5.0), (-33.0, 20.0)] {
            assert!((section(&known, z)[0] - value).abs() < 1e-4, "{z}: {:?}", section(&known, z));
        }
    }

    #[test]
    fn beside_the_spine_lies_muscle_and_between_bundles_fat() {
        let flesh = Flesh::new(&mut Random::new(3, "flesh"));
        let hu: Vec<f32> = (0..4000)
            .map(|i| Vec3::new(-50.0 + (i % 100) as f32, -30.0 + (i / 100) as f32 * 2.0, 3.0))
            .map(|p| flesh.at(p, Vec2::new(p.x, p.y), p.z, 0.0, &mut flesh.textures()))
            .collect();
        assert!(hu.iter().all(|hu| (-130.0..90.0).contains(hu)), "{hu:?}");
        let share =
            |low: f32, high: f32| hu.iter().filter(|hu| (low..high).contains(*hu)).count() as f32 / hu.len() as f32;
        assert!(share(20.0, 90.0) > 0.4, "muscle: {}", share(20.0, 90.0));
        assert!(share(-130.0, -60.0) > 0.08, "fat: {}", share(-130.0, -60.0));
        // Right before the spine no fat parts the muscles, and what lies between their fibres takes the least from them.
        let mut before: Vec<f32> = (0..81)
            .map(|i| Vec3::new(5.0 + (i % 9) as f32, -14.0 + (i / 9) as f32 * 0.5, 3.0))
            .map(|p| flesh.at(p, Vec2::new(p.x, p.y), p.z, 0.0, &mut flesh.textures()))
            .collect();
        before.sort_by(f32::total_cmp);
        let middle = before[before.len() / 2];
        assert!((flesh.muscle - 15.0..=flesh.muscle + 6.5).contains(&middle), "{middle} beside {}", flesh.muscle);
    }
}
