//! One neck's vertebrae, blended from several sources by weights that the seed draws for each level, and grown differently.

use super::exact;
use super::grid::Grid;
use super::growth::{Growth, Habit};
use super::lattice::Lattice;
use super::library::{AnatomyLibrary, LEVELS, Member, Part, Reference};
use super::mesh::{More, Shape};
use super::morphometry::Sizes;
use super::random::Random;
use super::rise::Rise;
use glam::Vec3;
use rayon::prelude::*;
use std::sync::Arc;

/// Distance of the lattice's points, mm.
const CELL: f32 = 4.0;
/// What a small volume may shrink to.
const LEAST_VOLUME: f32 = 0.3;
/// A weight below this counts as none.
const LEAST_WEIGHT: f32 = 0.04;

/// The vertebrae of one neck.
pub(super) struct Blend {
    shapes: [Option<Shape>; LEVELS],
    names: Vec<String>,
}

/// A source's share in one level.
struct Share<'a> {
    part: &'a Part,
    weight: f32,
    /// −1 if left and right are exchanged.
    mirror: f32,
}

impl Share<'_> {
    fn mirrored(&self, p: Vec3) -> Vec3 {
        Vec3::new(self.mirror * p.x, p.y, p.z)
    }

    /// How far the source's place lies from the reference's.
    fn warp(&self, p: Vec3) -> Vec3 {
        self.mirrored(self.part.warp.at(self.mirrored(p)))
    }

    /// Distance to the source's bone at a place of the reference.
    fn distance(&self, p: Vec3) -> f32 {
        let own = self.mirrored(p);
        self.part.grid.distance(self.part.pose.outward(own + self.part.warp.at(own)))
    }
}

/// One level before it is put between its neighbors.
struct Baked {
    grid: Arc<Grid>,
    at: Vec3,
    measures: [f32; 6],
    more: More,
    /// How much growth has added to the body's half height, mm.
    taller: f32,
}

impl Blend {
    /// Draws a neck of the library's sources.
    pub(super) fn draw(library: &AnatomyLibrary, seed: u64) -> Self {
        let mut random = Random::new(seed, "blend");
        let count = [1, 1, 2, 2, 2, 2, 3, 3, 3, 3][random.below(10)].min(library.members.len());
        let mut left: Vec<&Member> = library.members.iter().collect();
        let chosen: Vec<(&Member, f32, f32)> = (0..count)
            .map(|_| (left.swap_remove(random.below(left.len())), random.normal(0.0, 0.7), random.sign()))
            .collect();
        let habit = Habit::draw(&mut random);
        let mut weights = [const { Vec::new() }; LEVELS];
        for (level, weights) in weights.iter_mut().enumerate() {
            *weights = draw_weights(level, &chosen, &mut Random::new(seed, &format!("weights {level}")));
        }
        let baked: Vec<Option<Baked>> = (0..LEVELS)
            .into_par_iter()
            .map(|level| {
                let reference = library.references[level].as_ref()?;
                let shares: Vec<Share<'_>> = chosen
                    .iter()
                    .zip(&weights[level])
                    .filter(|(_, weight)| **weight > 0.0)
                    .filter_map(|((member, _, mirror), &weight)| {
                        Some(Share { part: member.parts[level].as_ref()?, weight, mirror: *mirror })
                    })
                    .collect();
                let growth =
                    Growth::draw(level, &reference.sizes, habit, &mut Random::new(seed, &format!("growth {level}")));
                (!shares.is_empty()).then(|| bake(level, reference, &shares, &growth))
            })
            .collect();
        let mut names: Vec<String> = Vec::new();
        for (level, weights) in weights.iter().enumerate().take(7) {
            let used = chosen
                .iter()
                .zip(weights)
                .filter(|(_, weight)| **weight > 0.0)
                .map(|((member, ..), _)| member.name.clone());
            names.extend(used);
            if baked[level].is_none() {
                names.push(super::mesh::PARAMETRIC.to_owned());
            }
        }
        names.sort();
        names.dedup();
        let shapes = std::array::from_fn(|level| {
            let own = baked[level].as_ref()?;
            let seat = baked.get(level + 1).and_then(Option::as_ref).and_then(|below| {
                let mean = seat(level, library, &chosen, [&weights[level], &weights[level + 1]])?;
                let own_taller = if level == 0 { 0.0 } else { own.taller };
                let seat = mean + own.at - below.at + Vec3::Z * (own_taller + below.taller);
                let disc = if level == 0 { 0.0 } else { (seat.z - own.measures[2] - below.measures[2]).max(1.5) };
                Some((seat, disc))
            });
            Some(Shape::measured(Arc::clone(&own.grid), own.at, own.measures, More { seat, ..own.more }))
        });
        Self { shapes, names }
    }

    /// The shape of a level (0 = C1).
    pub(super) fn shape(&self, level: usize) -> Option<&Shape> {
        self.shapes.get(level)?.as_ref()
    }

    /// The sources of C1 to C7, sorted.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }
}

/// Weights of the chosen sources in a level: 0 for those that lack it; they sum to 1 if any has it.
fn draw_weights(level: usize, chosen: &[(&Member, f32, f32)], random: &mut Random) -> Vec<f32> {
    let mut weights: Vec<f32> = chosen.iter().map(|(_, bias, _)| exact::exp(bias + random.normal(0.0, 0.8))).collect();
    // In one level of four, one source alone as good as makes the shape.
    if random.chance(0.25) {
        weights[random.below(chosen.len())] *= 12.0;
    }
    for ((member, ..), weight) in chosen.iter().zip(&mut weights) {
        *weight *= f32::from(u8::from(member.parts[level].is_some()));
    }
    let normal = |weights: &mut Vec<f32>| {
        let sum = weights.iter().sum::<f32>().max(1e-6);
        weights.iter_mut().for_each(|weight| *weight /= sum);
    };
    normal(&mut weights);
    weights.iter_mut().filter(|weight| **weight < LEAST_WEIGHT).for_each(|weight| *weight = 0.0);
    normal(&mut weights);
    weights
}

/// Where a level's reference frame stands over the next one's in the sources, by their mean weights in both.
fn seat(
    level: usize,
    library: &AnatomyLibrary,
    chosen: &[(&Member, f32, f32)],
    weights: [&Vec<f32>; 2],
) -> Option<Vec3> {
    let (mut sum, mut total) = (Vec3::ZERO, 0.0);
    for (i, (member, _, mirror)) in chosen.iter().enumerate() {
        let weight = weights[0][i] + weights[1][i];
        let (Some(upper), Some(lower)) = (&member.parts[level], &member.parts[level + 1]) else { continue };
        let own = if member.posed {
            let arm = upper.pose.at - lower.pose.at;
            let [over, under] = [upper, lower].map(|part| part.pose.turn.transpose() * arm);
            // C1 is put over C2's frame, the others between both.
            let seat = if level == 0 { under } else { (over + under) / 2.0 };
            Vec3::new(seat.x * mirror, seat.y, seat.z)
        } else {
            let (s, next) =
                (&library.references[level].as_ref()?.sizes, &library.references[level + 1].as_ref()?.sizes);
            if level == 0 {
                let scale = next.half_depth / 7.8;
                Vec3::new(0.0, 7.3 * scale, next.half_height + 8.2 * scale)
            } else {
                Vec3::Z * (s.half_height + s.disc + next.half_height)
            }
        };
        sum += own * weight;
        total += weight;
    }
    (total > 0.0).then(|| sum / total)
}

fn bake(level: usize, reference: &Reference, shares: &[Share<'_>], growth: &Growth) -> Baked {
    let s = &reference.sizes;
    let blended = |p: Vec3| shares.iter().map(|share| share.warp(p) * share.weight).sum::<Vec3>();
    let (low, high) = reference.grid.extent();
    let margin = Vec3::splat(14.0);
    let mut way = Lattice::of(low - margin, high + margin, CELL, &|p| blended(p) + growth.at(p));
    way.unfold(LEAST_VOLUME);
    let lead = |p: Vec3| p + way.at(p);
    let (mut low, mut high) = (Vec3::MAX, Vec3::MIN);
    for (p, _) in reference.band.surface() {
        (low, high) = (low.min(lead(*p)), high.max(lead(*p)));
    }
    let (low, high) = (low - 1.0, high + 1.0);
    let back = way.inverse(low - 6.0, high + 6.0);
    let grid = Grid::of_distances(low, high, &|q| {
        let p = q + back.at(q);
        growth.distance(p, shares.iter().map(|share| share.distance(p) * share.weight).sum())
    });
    let (x, y, z) = (s.half_width[0], s.half_depth, s.half_height);
    let height = |lead: &dyn Fn(Vec3) -> Vec3| (lead(Vec3::Z * z).z - lead(Vec3::NEG_Z * z).z) / 2.0;
    let taller = height(&lead) - height(&|p| p + blended(p));
    let marks: Vec<Vec3> = if level == 0 {
        [1.0, -1.0].map(|side| lead(Vec3::X * side * (x + 2.5))).to_vec()
    } else {
        [Vec3::X * x * 0.7, Vec3::Y * y * 0.7, Vec3::Z * z * 0.7]
            .into_iter()
            .flat_map(|p| [lead(p), lead(-p)])
            .collect()
    };
    let about = marks.iter().sum::<Vec3>() / marks.len() as f32;
    let at = if level == 0 { about } else { centered(&grid, about, y) };
    let (measures, more) = measure(level, s, &grid, at, &|p| lead(p) - at);
    Baked { grid: Arc::new(grid), at, measures, more, taller }
}

/// The middle between the body's anterior and posterior wall, near `at`; fractures and growths look for the walls from there.
fn centered(grid: &Grid, at: Vec3, half_depth: f32) -> Vec3 {
    let reach = |side: f32| {
        let steps = (0..(6.0 * half_depth) as usize).map(|i| 0.25 * i as f32);
        steps.take_while(|&mm| grid.distance(at + Vec3::Y * side * mm) < 0.0).last().unwrap_or(0.0)
    };
    let (back, front) = (reach(1.0), reach(-1.0));
    if front < 0.5 * half_depth || back < 0.5 * half_depth {
        at
    } else {
        at + Vec3::Y * ((back - front) / 2.0).clamp(-3.0, 3.0)
    }
}

/// The sizes of a blended vertebra: from the bone where it can be felt for, else from where the reference's places have gone.
fn measure(level: usize, s: &Sizes, grid: &Grid, at: Vec3, lead: &dyn Fn(Vec3) -> Vec3) -> ([f32; 6], More) {
    let inside = |p: Vec3| grid.distance(p + at) < 0.0;
    let span = |from: f32, to: f32| (0..=((to - from).max(0.0) / 0.25) as usize).map(move |i| from + 0.25 * i as f32);
    // How far bone reaches from a place; the reference's length where there is none.
    let reach = |from: Vec3, to: Vec3, usual: f32| {
        let last = span(0.0, 1.5 * usual).take_while(|&mm| inside(from + to * mm)).last().unwrap_or(usual);
        if last < 0.5 * usual { usual } else { last }
    };
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len().max(1) as f32;
    let (low, high) = grid.extent();
    let transverse = ((high.x - low.x) / 2.0 - 1.0).max(10.0);
    let ends = low.y - at.y..high.y - at.y;
    if level == 0 {
        let half_width =
            (lead(Vec3::X * (s.half_width[0] + 2.5)).x - lead(Vec3::NEG_X * (s.half_width[0] + 2.5)).x) / 2.0 - 2.5;
        let canal_depth = lead(Vec3::Y * (9.0 + s.canal_depth)).y - 9.0;
        let sizes = Sizes { half_width: [half_width; 2], canal_depth, ..s.clone() };
        let rise = Rise::measure(0, &sizes, ends, &inside);
        let more = More { canal_half_width: s.canal_half_width, spinous_drop: s.spinous_drop, seat: None, rise };
        return ([half_width, s.half_depth, s.half_height, canal_depth, s.spinous, transverse], more);
    }
    let mapped = |axis: Vec3, half: f32| ((lead(axis * half) - lead(-axis * half)) / 2.0).dot(axis);
    let (x, y, z) = (mapped(Vec3::X, s.half_width[1]), mapped(Vec3::Y, s.half_depth), mapped(Vec3::Z, s.half_height));
    let columns = [Vec3::new(0.4 * x, 0.0, 0.0), Vec3::new(-0.4 * x, 0.0, 0.0), Vec3::new(0.0, -0.3 * y, 0.0)];
    let down = mean(&columns.map(|from| reach(from, Vec3::NEG_Z, z)));
    let up = if level == 1 { z } else { mean(&columns.map(|from| reach(from, Vec3::Z, z))) };
    let half_height = (up + down) / 2.0;
    let half_width = mean(&[1.0, -1.0].map(|side| reach(Vec3::new(0.0, -0.2 * y, -0.4 * z), Vec3::X * side, x)));
    let half_depth = mean(&[1.0, -1.0].map(|side| reach(Vec3::Z * -0.5 * z, Vec3::Y * side, y)));
    let usual = lead(Vec3::new(0.0, s.half_depth + s.canal_depth, -2.0)).y - half_depth;
    let arch = |z: f32| span(half_depth + 6.0, half_depth + 26.0).find(|&y| inside(Vec3::new(0.0, y, z)));
    let canal_depth = span(0.0, 12.0).filter_map(|drop| arch(2.0 - drop)).fold(f32::MAX, f32::min) - half_depth;
    let canal_depth = if (9.0..24.0).contains(&canal_depth) { canal_depth } else { usual.clamp(10.0, 22.0) };
    let middle = half_depth + 0.45 * canal_depth;
    let wall =
        |side: f32| span(4.0, 18.0).find(|&x| inside(Vec3::new(side * x, middle, 0.0))).unwrap_or(s.canal_half_width);
    let canal_half_width = f32::midpoint(wall(1.0), wall(-1.0)).clamp(8.0, 16.0);
    let tip = lead(Vec3::new(0.0, s.half_depth + s.canal_depth + s.spinous, -s.spinous_drop));
    let spinous = (ends.end - 3.0 - half_depth - canal_depth).max(6.0);
    let sizes =
        Sizes { half_width: [half_width; 2], half_depth, half_height, canal_depth, canal_half_width, ..s.clone() };
    let rise = Rise::measure(level, &sizes, ends, &inside);
    let drop = -rise.raised(Vec3::new(0.0, half_depth + canal_depth + spinous, tip.z)).z;
    let more = More { canal_half_width, spinous_drop: drop.max(2.0), seat: None, rise };
    ([half_width, half_depth, half_height, canal_depth, spinous, transverse], more)
}
