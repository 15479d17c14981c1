//! Which place of one vertebra corresponds to which of another: a rigid motion with a scale along each axis, then a smooth
//! displacement.

use super::grid::Grid;
use super::lattice::Lattice;
use super::spine::{Pose, turn_by};
use glam::{Mat3, Vec3};

/// A residual above this counts no more than linearly, mm: what one vertebra has and the other has not.
const ROBUST: f32 = 1.2;
/// A residual above this pulls no harder, mm.
const MOST: f32 = 2.5;
/// Distances of the lattice's points, mm, with the rounds on each.
const STAGES: [(f32, usize); 3] = [(14.0, 14), (8.0, 16), (4.5, 18)];

/// How a source lies over the reference.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    /// The reference's frame in the source's, without scale.
    pub pose: Pose,
    /// From the reference's places to the source's corresponding ones, along the reference's axes; the scale is in it.
    pub warp: Lattice,
    /// Mean distance between the surfaces after it, mm.
    pub miss: f32,
}

/// Points near the reference's surface with their distances: coarse for the rigid part, fine for the rest.
pub(super) struct Band {
    coarse: Vec<(Vec3, f32)>,
    fine: Vec<(Vec3, f32)>,
}

impl Band {
    /// The band of a reference.
    pub(super) fn new(reference: &Grid) -> Self {
        Self { coarse: reference.band(5, 4.0), fine: reference.band(3, 3.0) }
    }

    /// Points on the surface or a little inside or outside.
    pub(super) fn surface(&self) -> impl Iterator<Item = &(Vec3, f32)> {
        self.fine.iter().filter(|(_, distance)| distance.abs() < 1.5)
    }
}

#[derive(Debug, Clone, Copy)]
struct Affine {
    turn: Mat3,
    at: Vec3,
    scale: Vec3,
}

impl Affine {
    fn apply(&self, p: Vec3) -> Vec3 {
        self.turn * (self.scale * p) + self.at
    }
}

/// Lays a source over the reference, starting from about the right pose.
pub(super) fn fit(reference: &Grid, band: &Band, source: &Grid, start: Pose) -> Fit {
    let starts = [0.0, -16.0, 16.0].map(|pitch| {
        let turn = start.turn * turn_by(pitch, 0.0, 0.0);
        align(&band.coarse, source, Affine { turn, at: start.at, scale: Vec3::ONE })
    });
    let affine = starts
        .into_iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(Affine { turn: start.turn, at: start.at, scale: Vec3::ONE }, |best| best.0);
    let (low, high) = reference.extent();
    let margin = Vec3::splat(14.0);
    let mut warp = Lattice::still(low - margin, high + margin, STAGES[0].0);
    for (cell, rounds) in STAGES {
        warp = warp.resampled(cell);
        for _ in 0..rounds {
            let pushes: Vec<(Vec3, Vec3)> = band
                .fine
                .iter()
                .map(|&(p, distance)| {
                    let q = affine.apply(p + warp.at(p));
                    let (there, slope) = source.slope(q);
                    let miss = (there - distance).clamp(-MOST, MOST);
                    let slope = affine.scale * (affine.turn.transpose() * slope);
                    (p, -miss * slope / (slope.length_squared() + 0.1))
                })
                .collect();
            warp.push(&pushes, 0.9);
        }
        warp.smooth();
        warp.unfold(0.3);
    }
    let misses = band.fine.iter().filter(|(_, distance)| distance.abs() < 0.6);
    let (sum, count) = misses.fold((0.0, 0.0), |(sum, count), &(p, distance)| {
        (sum + (source.distance(affine.apply(p + warp.at(p))) - distance).abs(), count + 1.0)
    });
    Fit {
        pose: Pose { turn: affine.turn, at: affine.at },
        warp: warp.map(&|p, moved| affine.scale * (p + moved) - p),
        miss: sum / f32::max(count, 1.0),
    }
}

/// The affine part, by Gauss and Newton's steps on the distances, with the mean cost.
fn align(band: &[(Vec3, f32)], source: &Grid, mut affine: Affine) -> (Affine, f32) {
    let mut cost = 0.0;
    for _ in 0..30 {
        let mut matrix = [[0.0_f64; 9]; 9];
        let mut right = [0.0_f64; 9];
        cost = 0.0;
        for &(p, distance) in band {
            let q = affine.apply(p);
            let (there, slope) = source.slope(q);
            let miss = there - distance;
            let weight = ROBUST / miss.abs().max(ROBUST);
            cost += weight * miss * miss;
            let arm = affine.turn * (affine.scale * p);
            let turning = arm.cross(slope);
            let own = affine.turn.transpose() * slope * affine.scale * p;
            let row = [slope.x, slope.y, slope.z, turning.x, turning.y, turning.z, own.x, own.y, own.z].map(f64::from);
            for i in 0..9 {
                right[i] -= f64::from(weight * miss) * row[i];
                for j in 0..9 {
                    matrix[i][j] += f64::from(weight) * row[i] * row[j];
                }
            }
        }
        // The scale stays near 1 where the shapes do not tell.
        for (i, row) in matrix.iter_mut().enumerate() {
            row[i] += if i < 6 { 1e-3 } else { 40.0 * band.len() as f64 / 100.0 };
        }
        let step = solve(matrix, right).map(|value| value as f32);
        let limited = |v: Vec3, most: f32| v * (most / v.length().max(most));
        affine.at += limited(Vec3::new(step[0], step[1], step[2]), 3.0);
        affine.turn = turned(limited(Vec3::new(step[3], step[4], step[5]), 0.15)) * affine.turn;
        affine.scale *= (Vec3::ONE + limited(Vec3::new(step[6], step[7], step[8]), 0.05)).max(Vec3::splat(0.5));
        affine.scale = affine.scale.clamp(Vec3::splat(0.6), Vec3::splat(1.6));
    }
    (affine, cost / band.len().max(1) as f32)
}

/// The rotation about a vector of this small angle, from adds and multiplies alone (Cayley 1846).
fn turned(by: Vec3) -> Mat3 {
    let half = by / 2.0;
    let skew = Mat3::from_cols(
        Vec3::new(0.0, half.z, -half.y),
        Vec3::new(-half.z, 0.0, half.x),
        Vec3::new(half.y, -half.x, 0.0),
    );
    (Mat3::IDENTITY - skew).inverse() * (Mat3::IDENTITY + skew)
}

/// Solves a system of equations by elimination; what is not determined stays 0.
fn solve(mut matrix: [[f64; 9]; 9], mut right: [f64; 9]) -> [f64; 9] {
    for i in 0..9 {
        let best = (i..9).max_by(|&a, &b| matrix[a][i].abs().total_cmp(&matrix[b][i].abs())).unwrap_or(i);
        matrix.swap(i, best);
        right.swap(i, best);
        if matrix[i][i].abs() < 1e-9 {
            continue;
        }
        for row in i + 1..9 {
            let share = matrix[row][i] / matrix[i][i];
            let pivot = matrix[i];
            for (value, above) in matrix[row].iter_mut().zip(pivot).skip(i) {
                *value -= share * above;
            }
            right[row] -= share * right[i];
        }
    }
    let mut found = [0.0; 9];
    for i in (0..9).rev() {
        let known: f64 = (i + 1..9).map(|j| matrix[i][j] * found[j]).sum();
        found[i] = if matrix[i][i].abs() < 1e-9 { 0.0 } else { (right[i] - known) / matrix[i][i] };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_solved() {
        let mut matrix = [[0.0; 9]; 9];
        let mut right = [0.0; 9];
        for i in 0..9 {
            matrix[i][(i + 3) % 9] = 2.0;
            matrix[i][i] = 0.5;
            right[i] = 2.0 * ((i + 3) % 9) as f64 + 0.5 * i as f64;
        }
        for (i, value) in solve(matrix, right).into_iter().enumerate() {
            assert!((value - i as f64).abs() < 1e-9);
        }
    }

    #[test]
    fn a_turned_and_stretched_shape_is_laid_over_the_first() {
        let bar = |p: Vec3, half: Vec3| super::super::sdf::round_box(p, half, 1.0);
        let knob = |p: Vec3, end: f32| (p - Vec3::new(0.0, end, 0.0)).length() - 4.0;
        let shape =
            |p: Vec3, x: f32| bar(p, Vec3::new(x, 6.0, 5.0)).min(knob(p, 9.0)).min(bar(p, Vec3::new(3.0, 4.0, 9.0)));
        let box_of = Vec3::new(16.0, 15.0, 12.0);
        let reference = Grid::of_places(-box_of, box_of, &|p| shape(p, 10.0) < 0.0).expect("a shape");
        let truth = Pose { turn: turn_by(9.0, -4.0, 6.0), at: Vec3::new(3.0, -2.0, 1.0) };
        let source =
            Grid::of_places(-box_of - 6.0, box_of + 6.0, &|p| shape(truth.inward(p), 12.0) < 0.0).expect("another");
        let fit = fit(&reference, &Band::new(&reference), &source, Pose { turn: Mat3::IDENTITY, at: Vec3::ZERO });
        assert!(fit.miss < 0.3, "{} mm between the surfaces", fit.miss);
        assert!((fit.pose.turn.y_axis - truth.turn.y_axis).length() < 0.04, "{:?}", fit.pose);
        let side = Vec3::X * 10.0;
        assert!((fit.pose.outward(side + fit.warp.at(side)) - truth.outward(Vec3::X * 12.0)).length() < 0.8);
    }
}
