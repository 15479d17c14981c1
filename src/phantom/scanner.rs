//! What a scanner makes of a slice: the kernel's blur or sharpness, noise with a grain, streaks, the shoulders' shadow, a patient
//! who moves, an offset, padding.

use super::exact;
use super::random::Random;
use super::recipe::{Kernel, Recipe, Scan};
use super::render::corner_of;
use super::scene::Scene;
use super::sdf::step;
use glam::Vec2;

const TILE: usize = 256;

/// A stretch of the scan during which the patient moves: swallows, or turns a little.
struct Restless {
    /// Upper and lower end, mm.
    top: f32,
    bottom: f32,
    /// From the one place to the other, pixels.
    by: Vec2,
}

/// Everything about the scanner that a study's slices share.
pub(super) struct Scanner {
    grain: Vec<Vec<f32>>,
    bands: Vec<f32>,
    blur: f32,
    edge: f32,
    sigma: f32,
    offset: f32,
    /// How much the shoulders' shadow shows as bands.
    starved: f32,
    /// Hardening of the beam between the shoulders: how much darker it gets, HU where they weigh most.
    hardened: f32,
    restless: Vec<Restless>,
    /// HU of ring artefacts by the distance from the middle in pixels; empty where the detector is sound.
    rings: Vec<f32>,
    padded: bool,
    pixel: f32,
    seed: u64,
}

impl Scanner {
    /// The scanner of a recipe.
    pub(super) fn new(recipe: &Recipe) -> Self {
        let mut random = Random::new(recipe.seed, "scanner");
        let pixel = recipe.scan.pixel_mm.max(0.05);
        // Blur (mm), edge enhancement, noise (HU at 1 mm), size of the grain (mm).
        let (blur, edge, sigma, grain) = match recipe.kernel {
            Kernel::Bone => (0.26, random.range(0.15, 0.85), random.range(26.0, 52.0), 0.22),
            Kernel::Standard => (0.42, 0.0, random.range(12.0, 22.0), 0.42),
            Kernel::Soft => (0.62, 0.0, random.range(6.0, 12.0), 0.68),
        };
        let blur = blur * random.range(0.85, 1.5);
        let thin = (1.0 / recipe.scan.thickness_mm.max(0.2)).sqrt();
        let mut tile = |x: f32, y: f32| {
            let mut tile: Vec<f32> = (0..TILE * TILE).map(|_| random.normal(0.0, 1.0)).collect();
            gauss(&mut tile, TILE, x / pixel, y / pixel, true);
            let spread = (tile.iter().map(|v| v * v).sum::<f32>() / tile.len() as f32).sqrt().max(1e-6);
            tile.iter_mut().for_each(|v| *v /= spread);
            tile
        };
        let grain = (0..3).map(|_| tile(grain, grain)).collect();
        let bands = tile(9.0, 0.5);
        let mut faults = Random::new(recipe.seed, "detector");
        let starved = faults.range(0.5, 2.2);
        let rings = if faults.chance(0.12) {
            let most = faults.range(4.0, 16.0);
            let reach = recipe.scan.rows.max(recipe.scan.columns);
            (0..reach).map(|_| if faults.chance(0.2) { faults.normal(0.0, most) } else { 0.0 }).collect()
        } else {
            Vec::new()
        };
        let hardened = faults.range(5.0, 40.0);
        let mut moves = Random::new(recipe.seed, "motion");
        let restless = if moves.chance(0.1) {
            // From well above the neck's middle to well below it.
            let stretch = |_| {
                let (top, length) = (moves.range(-60.0, 100.0), moves.range(6.0, 25.0));
                let by = Vec2::new(moves.range(-2.0, 2.0), moves.range(-2.0, 2.0)) / pixel;
                Restless { top, bottom: top - length, by }
            };
            (0..2).map(stretch).collect()
        } else {
            Vec::new()
        };
        Self {
            starved,
            hardened,
            restless,
            rings,
            grain,
            bands,
            blur,
            edge,
            sigma: sigma * thin,
            offset: random.normal(0.0, 5.0).clamp(-14.0, 14.0),
            padded: random.chance(0.4),
            pixel,
            seed: recipe.seed,
        }
    }

    /// The slice as the scanner shows it, in HU.
    pub(super) fn expose(&self, mut hu: Vec<f32>, scene: &Scene, scan: &Scan, index: usize) -> Vec<i16> {
        let columns = scan.columns;
        let z = scene.top - index as f32 * scan.spacing_mm;
        gauss(&mut hu, columns, self.blur / self.pixel, self.blur / self.pixel, false);
        if self.edge > 0.0 {
            let mut wide = hu.clone();
            gauss(&mut wide, columns, 0.55 / self.pixel, 0.55 / self.pixel, false);
            for (hu, wide) in hu.iter_mut().zip(&wide) {
                *hu += self.edge * (*hu - wide);
            }
        }
        let beside = z - scene.pose.at.z;
        for moved in self.restless.iter().filter(|moved| (moved.bottom..moved.top).contains(&beside)) {
            double(&mut hu, columns, moved.by);
        }
        self.streak(&mut hu, scene, scan, index);
        let mut random = Random::new(self.seed ^ index as u64, "noise");
        let shade = scene.neck.shade(beside);
        let (one, two) = (&self.grain[random.below(self.grain.len())], &self.grain[random.below(self.grain.len())]);
        let mut shift = || (random.below(TILE), random.below(TILE));
        let (a, b, c) = (shift(), shift(), shift());
        let rows = hu.len() / columns.max(1);
        let band = 26.0 * (shade - 1.0) * self.starved;
        let middle = Vec2::new(columns as f32 - 1.0, rows as f32 - 1.0) / 2.0;
        // The shadow lies between the shoulders, across the picture: as wide as they are deep.
        let (dark, spine_row) =
            (self.hardened * (shade - 1.0), (scene.pose.at.y - corner_of(scene, scan, index).y) / self.pixel);
        let mut out = Vec::with_capacity(hu.len());
        for (row, hu) in hu.chunks_exact(columns.max(1)).enumerate() {
            let [one, two, bands] = [line(one, row + a.0), line(two, row + b.0), line(&self.bands, row + c.0)];
            let off = (row as f32 - spine_row) * self.pixel / 28.0;
            let shadow = dark * exact::exp(-0.5 * off * off);
            for (column, &value) in hu.iter().enumerate() {
                if self.padded && Vec2::new(column as f32, row as f32).distance(middle) > middle.x.max(middle.y) + 0.3 {
                    out.push(-2000);
                    continue;
                }
                // Less noise in air around the patient.
                let here = self.sigma * shade * (0.4 + 0.6 * step(-1000.0, -600.0, value));
                let noise = 0.75 * one[(column + a.1) % TILE] + 0.66 * two[(column + b.1) % TILE];
                let ring = if self.rings.is_empty() {
                    0.0
                } else {
                    let far = Vec2::new(column as f32, row as f32).distance(middle) as usize;
                    self.rings.get(far).copied().unwrap_or(0.0)
                };
                // Air has nothing to darken.
                let shadow = if value > -700.0 { shadow } else { 0.0 };
                let band = band * bands[(column + c.1) % TILE];
                let value = value - shadow + ring + here * noise + band + self.offset;
                out.push(rounded(value.clamp(-1024.0, 3071.0)));
            }
        }
        out
    }

    /// Bright and dark rays from metal, in the slices that pass it.
    fn streak(&self, hu: &mut [f32], scene: &Scene, scan: &Scan, index: usize) {
        let columns = scan.columns;
        let first = corner_of(scene, scan, index);
        let (first, z) = (first.truncate(), first.z);
        for (i, metal) in scene.metal.iter().enumerate() {
            let at = metal.at;
            let near = step(5.0, 1.5, (at.z - z).abs());
            if near <= 0.0 {
                continue;
            }
            let mut random = Random::new(self.seed ^ i as u64, "streak");
            let (p, q) = (random.range(0.0, 6.0), random.range(0.0, 6.0));
            for (index, hu) in hu.iter_mut().enumerate() {
                let place = Vec2::new((index % columns) as f32, (index / columns) as f32) * self.pixel + first;
                let ray = place - Vec2::new(at.x, at.y);
                let far = ray.length();
                if far < metal.filling {
                    *hu += (3071.0 - *hu) * near;
                } else if *hu > -900.0 {
                    if far < 2.0 {
                        continue;
                    }
                    let angle = exact::atan2(ray.y, ray.x);
                    let wave = exact::sin(angle * 7.0 + p) * exact::sin(angle * 11.0 + q)
                        + 0.6 * exact::sin(angle * 23.0 + p * q);
                    *hu += near * metal.streak * wave * exact::exp(-far / 45.0);
                }
            }
        }
    }
}

/// A row of a tile that repeats for ever.
fn line(tile: &[f32], row: usize) -> &[f32; TILE] {
    &tile.as_chunks().0[row % TILE]
}

/// The nearest whole number, halves away from zero: as [`f32::round`], which many a processor leaves to the system's library.
fn rounded(value: f32) -> i16 {
    let whole = value as i16;
    let rest = value - f32::from(whole);
    whole + i16::from(rest >= 0.5) - i16::from(rest <= -0.5)
}

/// The mean of a picture and itself moved by so many pixels: half of the turn saw the patient here, half there.
fn double(picture: &mut [f32], columns: usize, by: Vec2) {
    let source = picture.to_vec();
    let rows = source.len() / columns.max(1);
    let (whole, part) = (by.floor(), by - by.floor());
    for (index, out) in picture.iter_mut().enumerate() {
        let (row, column) = ((index / columns) as isize, (index % columns) as isize);
        let at = |down: isize, right: isize| {
            let row = place(row - whole.y as isize - down, rows, false);
            source[row * columns + place(column - whole.x as isize - right, columns, false)]
        };
        let upper = at(0, 0) * (1.0 - part.x) + at(0, 1) * part.x;
        let lower = at(1, 0) * (1.0 - part.x) + at(1, 1) * part.x;
        *out = 0.5 * (*out + upper * (1.0 - part.y) + lower * part.y);
    }
}

/// Blurs a picture by Gaussians of these widths (pixels) along its rows and its columns; `wrap` joins opposite edges.
fn gauss(picture: &mut [f32], columns: usize, x: f32, y: f32, wrap: bool) {
    if columns == 0 || picture.is_empty() {
        return;
    }
    let rows = picture.len() / columns;
    if let Some(kernel) = weights(x) {
        let half = kernel.len() / 2;
        let mut line = vec![0.0; columns + 2 * half];
        for row in picture.chunks_exact_mut(columns) {
            for (at, value) in line.iter_mut().enumerate() {
                *value = row[place(at as isize - half as isize, columns, wrap)];
            }
            row.fill(0.0);
            for (k, weight) in kernel.iter().enumerate() {
                for (out, from) in row.iter_mut().zip(&line[k..]) {
                    *out += weight * from;
                }
            }
        }
    }
    if let Some(kernel) = weights(y) {
        let source = picture.to_vec();
        for (row, out) in picture.chunks_exact_mut(columns).enumerate() {
            out.fill(0.0);
            for (k, weight) in kernel.iter().enumerate() {
                let at = place(row as isize + k as isize - (kernel.len() / 2) as isize, rows, wrap);
                for (out, from) in out.iter_mut().zip(&source[at * columns..(at + 1) * columns]) {
                    *out += weight * from;
                }
            }
        }
    }
}

fn place(at: isize, length: usize, wrap: bool) -> usize {
    let length = length as isize;
    if wrap { at.rem_euclid(length) as usize } else { at.clamp(0, length - 1) as usize }
}

/// Weights of a Gaussian; `None` where it would change nothing.
fn weights(sigma: f32) -> Option<Vec<f32>> {
    if sigma.is_nan() || sigma < 0.25 {
        return None;
    }
    let half = (sigma.min(40.0) * 2.6).ceil() as isize;
    let raw: Vec<f32> = (-half..=half).map(|i| exact::exp(-0.5 * (i as f32 / sigma).powi(2))).collect();
    let sum: f32 = raw.iter().sum();
    Some(raw.into_iter().map(|weight| weight / sum).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_the_sum_and_spreads_a_point() {
        let mut picture = vec![0.0; 21 * 21];
        picture[10 * 21 + 10] = 100.0;
        gauss(&mut picture, 21, 1.2, 1.2, false);
        assert!((picture.iter().sum::<f32>() - 100.0).abs() < 0.1);
        assert!(picture[10 * 21 + 10] < 20.0 && picture[10 * 21 + 11] > 5.0);
    }

    #[test]
    fn numbers_are_rounded_as_always() {
        for eighth in -8200..24600 {
            let value = eighth as f32 / 8.0;
            for value in [value.next_down(), value, value.next_up()] {
                assert_eq!(f32::from(rounded(value)), value.round(), "{value}");
            }
        }
    }

    #[test]
    fn a_patient_who_moves_is_seen_twice() {
        let mut picture = vec![0.0; 21 * 21];
        picture[10 * 21 + 10] = 100.0;
        double(&mut picture, 21, Vec2::new(3.0, -2.5));
        assert_eq!(picture[10 * 21 + 10], 50.0);
        assert_eq!((picture[7 * 21 + 13], picture[8 * 21 + 13]), (25.0, 25.0));
        assert!((picture.iter().sum::<f32>() - 100.0).abs() < 1e-3);
    }
}
