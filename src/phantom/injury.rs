//! Where each kind of fracture runs.

use super::fracture::{Break, FractureKind, Plane};
use super::morphometry::Sizes;
use glam::Vec3;

/// Adds one wound's fragments and crushes to a vertebra of this level (0 = C1).
pub(super) fn inflict(hand: &mut Break<'_>, level: usize, s: &Sizes) {
    let side = hand.wound.side;
    let shift = hand.wound.shift;
    let back = s.half_depth + s.canal_depth;
    match hand.wound.kind {
        FractureKind::DensTypeI => {
            let z = dens_top(s) - hand.random.range(3.0, 6.0);
            let plane = (Vec3::new(0.0, 0.5, z), Vec3::new(0.55 * side, 0.1, -1.0));
            let walls = [(Vec3::X * 8.0, Vec3::X), (Vec3::X * -8.0, Vec3::NEG_X)];
            hand.part(&[plane], &walls, Vec3::new(-0.3 * side, -0.1, 0.7) * shift.min(3.0), 2.0 + 2.0 * shift);
        }
        FractureKind::DensTypeII => {
            let z = s.half_height + hand.random.range(3.6, 5.4);
            let plane = (Vec3::new(0.0, 0.0, z), Vec3::new(0.0, 0.15, -1.0));
            // Backwards mostly: in front stands the arch of C1.
            let y = if hand.random.chance(0.7) { 1.0 } else { -0.4 };
            let away = Vec3::new(0.25 * side, y, 0.1) * shift;
            // Only the dens, not the shoulders beside it.
            let walls = [(Vec3::X * 8.0, Vec3::X), (Vec3::X * -8.0, Vec3::NEG_X)];
            hand.part(&[plane], &walls, away, 2.0 + 2.0 * shift);
        }
        FractureKind::DensTypeIII => {
            let z = hand.random.range(0.5, 3.5);
            let plane = (Vec3::new(0.0, 0.0, z), Vec3::new(0.12 * side, 0.1, -1.0));
            let away = Vec3::new(0.0, -0.45, -0.2) * shift;
            let wall = (Vec3::Y * (s.half_depth + 0.5), Vec3::Y);
            hand.part(&[plane], &[wall], away, 1.5 + 1.5 * shift);
        }
        FractureKind::Hangman => {
            let y = s.half_depth + hand.random.range(0.2, 2.0);
            let plane = (Vec3::new(0.0, y, 0.0), Vec3::new(0.15 * side, -1.0, 0.25));
            hand.part(&[plane], &[], Vec3::new(0.0, 0.9, -0.2) * shift, 1.0 + shift);
        }
        FractureKind::AnteriorArch => anterior_arch(hand, side, shift),
        FractureKind::PosteriorArch => posterior_arch(hand, s, side, shift),
        FractureKind::Jefferson => {
            let spread = Vec3::new(side, 0.1, -0.1) * shift;
            let x = hand.random.range(0.0, 4.0) * side;
            hand.part(&[(Vec3::new(x, 0.0, 0.0), Vec3::new(-side, 0.05, 0.1))], &[], spread, 1.0 + shift * 0.8);
            if hand.random.chance(0.5) {
                posterior_arch(hand, s, -side, shift * 0.5);
            }
        }
        FractureKind::Compression => {
            let loss = 0.12 + 0.08 * shift + hand.random.range(0.0, 0.08);
            let even = hand.random.range(0.0, 0.3);
            hand.crush(loss.min(0.45), even);
            let corner = (Vec3::new(0.0, -0.4 * s.half_depth, s.half_height - 2.5), Vec3::new(0.1 * side, 0.6, -1.0));
            hand.part(&[corner], &body_walls(s), Vec3::new(0.0, -0.3, 0.0) * shift, shift);
        }
        FractureKind::Teardrop => {
            let z = -s.half_height + hand.random.range(2.5, 5.5);
            let corner =
                (Vec3::new(0.0, -s.half_depth + hand.random.range(2.5, 5.0), z), Vec3::new(0.1 * side, 1.0, 0.8));
            hand.part(&[corner], &body_walls(s), Vec3::new(0.0, -0.8, -0.5) * shift, 2.0 + 2.0 * shift);
        }
        FractureKind::Burst => {
            let even = hand.random.range(0.4, 0.8);
            hand.crush(0.18 + 0.06 * shift, even);
            let chip = (Vec3::new(0.0, s.half_depth * 0.3, 0.0), Vec3::new(0.0, -1.0, -0.25));
            let high = (Vec3::Z * -1.0, Vec3::NEG_Z);
            let mut walls = body_walls(s).to_vec();
            walls.extend([(Vec3::X * 7.5, Vec3::X), (Vec3::X * -7.5, Vec3::NEG_X)]);
            hand.part(&[chip, high], &walls, Vec3::new(0.0, 1.0, 0.1) * shift.max(1.0), 3.0);
            let split = (Vec3::X * side * hand.random.range(0.0, 3.0), Vec3::new(-side, 0.1, 0.15));
            hand.part(&[split], &body_walls(s), Vec3::new(side, -0.2, 0.0) * shift * 0.5, 1.0);
        }
        FractureKind::Pillar => {
            let centre = Vec3::new(side * (s.canal_half_width + 5.6), s.half_depth + 5.5, 0.0);
            let inner = (Vec3::X * side * (s.canal_half_width + 0.5), Vec3::X * -side);
            let front = (Vec3::Y * (s.half_depth + 0.3), Vec3::NEG_Y);
            let place = centre + Vec3::Z * hand.random.range(-3.0, 3.0);
            // Either up and down through the pillar, or across it.
            let normal = if hand.random.chance(0.5) {
                Vec3::new(0.2 * side, 0.9, 0.5)
            } else {
                Vec3::new(0.2 * side, -0.4, -1.0)
            };
            hand.part(&[(place, normal)], &[inner, front], Vec3::new(0.3 * side, 0.4, 0.4) * shift, 2.0 + shift);
        }
        FractureKind::Facet => facet(hand, level, s, side, shift),
        FractureKind::Hairline => hairline(hand, level, s, side),
        FractureKind::Lamina => {
            let x = side * s.canal_half_width * hand.random.range(0.35, 0.75);
            let y = back - 2.0;
            let place = Vec3::new(x, y, -1.5);
            let plane = (place, Vec3::new(-side, 0.5, 0.1));
            let limits = [(Vec3::Y * (s.half_depth + 5.0), Vec3::NEG_Y)];
            hand.crack(plane, &limits, place, hand_radius(level));
            if shift > 0.8 {
                // A second line, so that the arch between is loose.
                let other = Vec3::new(-x * 0.8, y, -1.5);
                hand.crack((other, Vec3::new(side, 0.4, -0.2)), &limits, other, hand_radius(level));
            }
        }
        FractureKind::TransverseProcess => {
            let x = side * (s.transverse - hand.random.range(4.0, 8.0)).max(s.canal_half_width + 8.0);
            let place = Vec3::new(x, s.half_depth * 0.5, -1.5);
            let rear = (Vec3::Y * (s.half_depth + 6.0), Vec3::Y);
            hand.part(
                &[(place, Vec3::new(-side, 0.15, 0.2))],
                &[rear],
                Vec3::new(0.6 * side, 0.0, -0.8) * shift,
                3.0 + 2.0 * shift,
            );
        }
        FractureKind::SpinousProcess => {
            let y = back + s.spinous * hand.random.range(0.3, 0.65);
            let plane = (Vec3::new(0.0, y, -s.spinous_drop * 0.5), Vec3::new(0.1 * side, -1.0, 0.35));
            hand.part(&[plane], &[], Vec3::new(0.1 * side, 0.35, -0.9) * shift, 2.0 + 2.0 * shift);
        }
    }
}

/// Planes around the body that keep a fragment of it from reaching the arch.
fn body_walls(s: &Sizes) -> [Plane; 3] {
    let x = s.half_width[1] + 1.5;
    [(Vec3::Y * (s.half_depth + 1.0), Vec3::Y), (Vec3::X * x, Vec3::X), (Vec3::X * -x, Vec3::NEG_X)]
}

/// Top of the dens over the middle of C2's body.
fn dens_top(s: &Sizes) -> f32 {
    s.half_height + 16.5 * s.half_depth / 7.8
}

/// The tip of an articular process: the upper one in front of the lower one of the vertebra above, or the lower one.
fn facet(hand: &mut Break<'_>, level: usize, s: &Sizes, side: f32, shift: f32) {
    let upper = level > 1 && hand.random.chance(0.6);
    let up = if upper { 1.0 } else { -1.0 };
    let centre = Vec3::new(side * (s.canal_half_width + 5.6), s.half_depth + 5.5, 0.0);
    let place = centre + Vec3::new(0.0, -0.8 * up, up * hand.random.range(1.6, 3.2));
    let inner = (Vec3::X * side * (s.canal_half_width + 0.5), Vec3::X * -side);
    let front = (Vec3::Y * (s.half_depth + 0.3), Vec3::NEG_Y);
    let away = Vec3::new(0.4 * side, -0.35 * up, 0.55 * up) * shift;
    hand.part(&[(place, Vec3::new(0.25 * side, 0.2 * up, -up))], &[inner, front], away, 2.0 + 2.0 * shift);
}

/// A crack that ends in the bone: in a lamina, a pillar, the body, or the ring of C1.
fn hairline(hand: &mut Break<'_>, level: usize, s: &Sizes, side: f32) {
    let radius = hand.random.range(6.5, 9.5);
    if level == 0 {
        if hand.random.chance(0.5) {
            let place = Vec3::new(side * hand.random.range(8.0, 15.0), 9.0 + s.canal_depth * 0.55, 0.5);
            hand.crack((place, Vec3::new(side, -0.6, 0.2)), &[(Vec3::Y * 9.5, Vec3::NEG_Y)], place, radius);
        } else {
            let place = Vec3::new(side * (s.half_width[0] + 2.5), hand.random.range(-4.0, 4.0), 0.0);
            hand.crack(
                (place, Vec3::new(0.5 * side, 1.0, 0.2)),
                &[(Vec3::X * side * 8.0, -Vec3::X * side)],
                place,
                radius,
            );
        }
        return;
    }
    let normal = Vec3::new(hand.random.normal(0.0, 1.0), hand.random.normal(0.0, 1.0), hand.random.normal(0.0, 0.6));
    let behind = (Vec3::Y * (s.half_depth + 5.0), Vec3::NEG_Y);
    match hand.random.below(4) {
        0 => {
            let place = Vec3::new(
                hand.random.range(-0.6, 0.6) * s.half_width[0],
                -s.half_depth * hand.random.range(0.3, 1.0),
                hand.random.range(-0.5, 0.5) * s.half_height,
            );
            hand.crack((place, normal), &body_walls(s), place, radius);
        }
        1 => {
            let place = Vec3::new(side * (s.canal_half_width + 5.6), s.half_depth + 5.5, hand.random.range(-3.0, 3.0));
            let inner = (Vec3::X * side * (s.canal_half_width + 0.5), Vec3::X * -side);
            hand.crack((place, normal + Vec3::Y), &[inner], place, radius);
        }
        2 => {
            let x = side * s.canal_half_width * hand.random.range(0.2, 0.8);
            let place = Vec3::new(x, s.half_depth + s.canal_depth - 2.0, -1.5);
            hand.crack((place, Vec3::new(-side, 0.5, 0.1) + normal * 0.25), &[behind], place, radius);
        }
        _ => {
            let place = Vec3::new(side * s.half_width[0] * 0.9, s.half_depth + 0.5, 0.5);
            let outer = (Vec3::X * side * 4.0, Vec3::X * -side);
            hand.crack((place, Vec3::new(0.4 * side, 1.0, 0.2) + normal * 0.25), &[outer], place, radius);
        }
    }
}

fn posterior_arch(hand: &mut Break<'_>, s: &Sizes, side: f32, shift: f32) {
    let x = side * hand.random.range(9.0, 15.0);
    let place = Vec3::new(x, 9.0 + s.canal_depth * 0.55, 0.5);
    let front = (Vec3::Y * 9.5, Vec3::NEG_Y);
    if shift < 0.8 {
        hand.crack((place, Vec3::new(side, -0.6, 0.2)), &[front], place, 8.0);
        return;
    }
    // The middle of the arch, loose on both sides.
    let other = Vec3::new(-side * 12.0, place.y, 0.5);
    hand.part(
        &[(place, Vec3::new(side, -0.5, 0.2)), (other, Vec3::new(-side, -0.5, 0.1))],
        &[front],
        Vec3::new(0.2 * side, 0.9, -0.3) * shift,
        shift,
    );
}

fn anterior_arch(hand: &mut Break<'_>, side: f32, shift: f32) {
    let x = side * hand.random.range(0.5, 4.5);
    let place = Vec3::new(x, -14.5, 0.0);
    let behind = (Vec3::Y * -7.0, Vec3::Y);
    let plane = (place, Vec3::new(-side, 0.1, 0.2));
    if shift < 0.8 {
        hand.crack(plane, &[behind], place, 8.0);
        return;
    }
    // The piece between the middle and the lateral mass, loose at both ends.
    let other = (Vec3::new(side * 10.5, -11.0, 0.0), Vec3::new(side, 0.35, -0.1));
    hand.part(&[plane, other], &[behind], Vec3::new(0.2 * side, -0.9, 0.15) * shift, shift);
}

fn hand_radius(level: usize) -> f32 {
    if level == 1 { 9.0 } else { 7.5 }
}
