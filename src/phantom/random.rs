//! Numbers that look random and are always the same for a seed: a stream generator and a lattice noise.

use super::exact;
use glam::Vec3;

/// SplitMix64 (Steele, Lea & Flood 2014). Streams with different names are independent, so that a change in how much
/// randomness the fractures use does not move the anatomy.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The stream of this name for a seed.
    pub(super) fn new(seed: u64, stream: &str) -> Self {
        let name = stream
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ name);
        random.bits();
        random
    }

    /// 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `[0, 1)`.
    pub(super) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// A number in `[low, high)`.
    pub(super) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A whole number in `0..count`; 0 where `count` is 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f32) as usize).min(count.saturating_sub(1))
    }

    /// Whether something with this probability happens.
    pub(super) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// A normally distributed number (Box and Muller 1958).
    pub(super) fn normal(&mut self, mean: f32, deviation: f32) -> f32 {
        let radius = (-2.0 * exact::ln(1.0 - self.unit())).sqrt();
        mean + deviation * radius * exact::cos(std::f32::consts::TAU * self.unit())
    }

    /// −1 or 1.
    pub(super) fn sign(&mut self) -> f32 {
        if self.chance(0.5) { -1.0 } else { 1.0 }
    }
}

/// A well-mixed hash of a lattice point, in `[-1, 1]`.
fn lattice(x: i32, y: i32, z: i32, seed: u32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x8da6_b343)
        ^ (y as u32).wrapping_mul(0xd816_3841)
        ^ (z as u32).wrapping_mul(0xcb1a_b31f)
        ^ seed;
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    h ^= h >> 15;
    h as f32 / (u32::MAX as f32 / 2.0) - 1.0
}

/// Smooth value noise in `[-1, 1]` whose lattice has unit cells.
pub(super) fn noise(p: Vec3, seed: u32) -> f32 {
    let cell = cell(p);
    between(&corners(cell, seed), p, cell)
}

/// [`noise`] at places that follow each other closely: the corners of the last one's cell are kept.
#[derive(Debug, Clone)]
pub(super) struct Texture {
    seed: u32,
    cell: Cell,
    corners: [f32; 8],
}

impl Texture {
    /// The noise of this seed.
    pub(super) fn new(seed: u32) -> Self {
        Self { seed, cell: (0, 0, 0), corners: corners((0, 0, 0), seed) }
    }

    /// The noise at a place.
    pub(super) fn at(&mut self, p: Vec3) -> f32 {
        let cell = cell(p);
        if cell != self.cell {
            (self.cell, self.corners) = (cell, corners(cell, self.seed));
        }
        between(&self.corners, p, cell)
    }
}

/// A cell of the lattice, by its lowest corner. Not an array: three numbers that were just made are compared much faster one by one
/// than as one stretch of memory.
type Cell = (i32, i32, i32);

/// The lattice's cell around a place.
fn cell(p: Vec3) -> Cell {
    let floor = |v: f32| v as i32 - i32::from(v < 0.0);
    (floor(p.x), floor(p.y), floor(p.z))
}

/// The lattice's values at a cell's corners: x fastest, then y.
fn corners((x, y, z): Cell, seed: u32) -> [f32; 8] {
    std::array::from_fn(|corner| {
        let bit = |bit: usize| (corner >> bit & 1) as i32;
        lattice(x + bit(0), y + bit(1), z + bit(2), seed)
    })
}

fn between(corners: &[f32; 8], p: Vec3, (x, y, z): Cell) -> f32 {
    let f = p - Vec3::new(x as f32, y as f32, z as f32);
    let f = f * f * (Vec3::splat(3.0) - 2.0 * f);
    let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
    let row = |first: usize| mix(corners[first], corners[first + 1], f.x);
    mix(mix(row(0), row(2), f.y), mix(row(4), row(6), f.y), f.z)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ_by_name() {
        let take = |seed, name| {
            let mut random = Random::new(seed, name);
            [random.bits(), random.bits()]
        };
        assert_eq!(take(7, "anatomy"), take(7, "anatomy"));
        assert_ne!(take(7, "anatomy"), take(7, "fracture"));
        assert_ne!(take(7, "anatomy"), take(8, "anatomy"));
    }

    #[test]
    fn a_texture_is_its_noise_wherever_it_was_asked_before() {
        let (mut random, mut texture) = (Random::new(4, "places"), Texture::new(9));
        for _ in 0..3000 {
            let mut draw = || random.range(-3.0, 3.0);
            let p = Vec3::new(draw(), draw(), draw());
            assert_eq!(texture.at(p).to_bits(), noise(p, 9).to_bits(), "at {p}");
        }
    }

    #[test]
    fn noise_is_bounded_and_continuous() {
        for i in 0..1000 {
            let p = Vec3::new(i as f32 * 0.37, -3.0 + i as f32 * 0.11, 2.0);
            let here = noise(p, 5);
            assert!(here.abs() <= 1.0);
            assert!((noise(p + Vec3::splat(1e-3), 5) - here).abs() < 0.02);
        }
    }
}
