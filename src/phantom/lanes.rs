//! Eight places of a line at a time: what `sdf` measures at one, with the same operations in the same order, so that each has the
//! bits that it would have alone.

use glam::Vec3;
use wide::f32x8;

/// A number at each of eight places.
pub(super) type Lanes = f32x8;
/// How many.
pub(super) const COUNT: usize = 8;

/// Coordinates of eight places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub x: Lanes,
    pub y: Lanes,
    pub z: Lanes,
}

impl Places {
    /// These places.
    pub(super) fn new(places: &[Vec3; COUNT]) -> Self {
        Self {
            x: Lanes::new(places.map(|p| p.x)),
            y: Lanes::new(places.map(|p| p.y)),
            z: Lanes::new(places.map(|p| p.z)),
        }
    }
}

/// As [`super::sdf::step`].
pub(super) fn step(low: f32, high: f32, x: Lanes) -> Lanes {
    let t = ((x - low) / Lanes::splat(high - low)).fast_max(Lanes::ZERO).fast_min(Lanes::ONE);
    t * t * (3.0 - 2.0 * t)
}

/// As [`super::sdf::ellipse`], of a place (x, y) and half sizes that may differ from lane to lane.
pub(super) fn ellipse((x, y): (Lanes, Lanes), (a, b): (Lanes, Lanes)) -> Lanes {
    let length = |x: Lanes, y: Lanes| (x * x + y * y).sqrt();
    let k0 = length(x / a, y / b);
    let k1 = length(x / (a * a), y / (b * b));
    k1.simd_lt(Lanes::splat(1e-6)).bitselect(-a.fast_min(b), k0 * (k0 - 1.0) / k1)
}

/// As [`super::sdf::join`].
pub(super) fn join(a: Lanes, b: Lanes, k: Lanes) -> Lanes {
    let h = (k - (a - b).abs()).fast_max(Lanes::ZERO);
    a.fast_min(b) - h * h / (4.0 * k)
}

/// As [`super::sdf::meet`].
pub(super) fn meet(a: Lanes, b: Lanes, k: Lanes) -> Lanes {
    -join(-a, -b, k)
}

/// As [`super::sdf::wave`].
pub(super) fn wave(x: Lanes) -> Lanes {
    let turns = x * std::f32::consts::FRAC_1_PI * 0.5;
    let down = turns.simd_lt(Lanes::ZERO).bitselect(Lanes::ONE, Lanes::ZERO);
    let part = turns - (turns.trunc() - down) - 0.5;
    -8.0 * part * (1.0 - 2.0 * part.abs())
}

/// Whether every lane is larger.
pub(super) fn all_above(lanes: Lanes, than: f32) -> bool {
    lanes.simd_gt(Lanes::splat(than)).all()
}

#[cfg(test)]
mod tests {
    use super::super::sdf;
    use super::*;
    use glam::Vec2;

    #[test]
    fn each_lane_is_what_its_place_is_alone() {
        let mut random = super::super::random::Random::new(5, "lanes");
        for _ in 0..2000 {
            let mut draw = || std::array::from_fn::<f32, COUNT, _>(|_| random.range(-120.0, 120.0));
            let (x, y) = (draw(), draw());
            let (a, b) = (draw().map(|v| v.abs() + 0.3), draw().map(|v| v.abs() + 0.3));
            let lanes = Lanes::new;
            let same = |lanes: Lanes, alone: &dyn Fn(usize) -> f32| {
                for (i, lane) in lanes.to_array().into_iter().enumerate() {
                    assert_eq!(lane.to_bits(), alone(i).to_bits(), "{lane} and alone {}", alone(i));
                }
            };
            same(step(-20.0, 35.0, lanes(x)), &|i| sdf::step(-20.0, 35.0, x[i]));
            same(step(35.0, -20.0, lanes(x)), &|i| sdf::step(35.0, -20.0, x[i]));
            same(ellipse((lanes(x), lanes(y)), (lanes(a), lanes(b))), &|i| {
                sdf::ellipse(Vec2::new(x[i], y[i]), Vec2::new(a[i], b[i]))
            });
            same(join(lanes(x), lanes(y), lanes(a)), &|i| sdf::join(x[i], y[i], a[i]));
            same(meet(lanes(x), lanes(y), lanes(a)), &|i| sdf::meet(x[i], y[i], a[i]));
            same(wave(lanes(x)), &|i| sdf::wave(x[i]));
            let least = x.into_iter().fold(f32::MAX, f32::min);
            assert!(all_above(lanes(x), least - 0.1) && !all_above(lanes(x), least));
        }
        let middle = ellipse((Lanes::ZERO, Lanes::ZERO), (Lanes::splat(3.0), Lanes::splat(2.0)));
        assert_eq!(middle.to_array(), [-2.0; COUNT]);
    }
}
