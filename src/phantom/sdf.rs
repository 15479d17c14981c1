//! Signed distances in mm, negative inside. All are lower bounds or close to the true distance, which is enough for an
//! edge of a pixel's width and a shell of a millimetre.

use glam::{Vec2, Vec3};

/// A line with a thickness that changes from `ra` at `a` to `rb` at `b`.
pub(super) fn taper(p: Vec3, a: Vec3, b: Vec3, ra: f32, rb: f32) -> f32 {
    let (pa, ba) = (p - a, b - a);
    let t = (pa.dot(ba) / ba.dot(ba).max(1e-6)).clamp(0.0, 1.0);
    (pa - ba * t).length() - (ra + (rb - ra) * t)
}

/// A line of thickness `r`.
pub(super) fn capsule(p: Vec3, a: Vec3, b: Vec3, r: f32) -> f32 {
    taper(p, a, b, r, r)
}

/// An ellipsoid about the origin.
pub(super) fn ellipsoid(p: Vec3, radii: Vec3) -> f32 {
    let k0 = (p / radii).length();
    let k1 = (p / (radii * radii)).length();
    if k1 < 1e-6 { -radii.min_element() } else { k0 * (k0 - 1.0) / k1 }
}

/// An ellipse about the origin.
pub(super) fn ellipse(p: Vec2, radii: Vec2) -> f32 {
    let k0 = (p / radii).length();
    let k1 = (p / (radii * radii)).length();
    if k1 < 1e-6 { -radii.min_element() } else { k0 * (k0 - 1.0) / k1 }
}

/// A box with rounded edges about the origin; `half` includes the rounding.
pub(super) fn round_box(p: Vec3, half: Vec3, rounding: f32) -> f32 {
    let q = p.abs() - half + Vec3::splat(rounding);
    q.max(Vec3::ZERO).length() + q.max_element().min(0.0) - rounding
}

/// Distance in the plane to the line from `a` to `b`, and how far along it (0 to 1).
pub(super) fn segment(p: Vec2, a: Vec2, b: Vec2) -> (f32, f32) {
    let (pa, ba) = (p - a, b - a);
    let t = (pa.dot(ba) / ba.dot(ba).max(1e-6)).clamp(0.0, 1.0);
    ((pa - ba * t).length(), t)
}

/// Union with a fillet of size `k`.
pub(super) fn join(a: f32, b: f32, k: f32) -> f32 {
    let h = (k - (a - b).abs()).max(0.0);
    a.min(b) - h * h / (4.0 * k)
}

/// Intersection with an edge rounded by `k`.
pub(super) fn meet(a: f32, b: f32, k: f32) -> f32 {
    -join(-a, -b, k)
}

/// 0 below `low`, 1 above `high`, smooth between (`low` may be above `high`: then it falls).
pub(super) fn step(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Close to a sine, from a parabola each half wave: where only a gentle bend is wanted.
pub(super) fn wave(x: f32) -> f32 {
    let turns = x * std::f32::consts::FRAC_1_PI * 0.5;
    let part = turns - (turns as i32 - i32::from(turns < 0.0)) as f32 - 0.5;
    -8.0 * part * (1.0 - 2.0 * part.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_is_nearly_a_sine() {
        for i in -40..40 {
            let x = i as f32 * 0.31;
            assert!((wave(x) - x.sin()).abs() < 0.06, "at {x}");
        }
    }

    #[test]
    fn distances_have_the_right_sign_and_size() {
        assert!((capsule(Vec3::new(0.0, 3.0, 5.0), Vec3::ZERO, Vec3::Z * 10.0, 1.0) - 2.0).abs() < 1e-5);
        assert!(ellipsoid(Vec3::new(3.9, 0.0, 0.0), Vec3::new(4.0, 2.0, 1.0)) < 0.0);
        assert!((ellipse(Vec2::new(6.0, 0.0), Vec2::new(4.0, 4.0)) - 2.0).abs() < 1e-4);
        assert!((round_box(Vec3::X * 5.0, Vec3::splat(2.0), 0.5) - 3.0).abs() < 1e-5);
        assert!(join(1.0, 1.0, 1.0) < 1.0 && meet(1.0, 1.0, 1.0) > 1.0);
        assert_eq!((step(0.0, 1.0, 2.0), step(1.0, 0.0, 2.0)), (1.0, 0.0));
    }
}
