//! The shape of a vertebra in its own frame: x to the left, y to the back, z to the head, mm.
//!
//! For C2 to T2 the origin is the body's centre; for C1 it is the middle between the lateral masses.

use super::exact;
use super::morphometry::Sizes;
use super::random::noise;
use super::sdf::{capsule, ellipse, ellipsoid, join, meet, round_box, segment, step, taper, wave};
use glam::{Vec2, Vec3};

/// Left and right are alike but for this bend, so that no vertebra is its own mirror image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Warp {
    /// Phases of the bend.
    pub phase: Vec3,
    /// Seed of the surface's bumps.
    pub seed: u32,
}

impl Warp {
    fn bend(self, p: Vec3) -> Vec3 {
        let wave = |a: f32, b: f32, phase: f32| 0.55 * wave(a * 0.16 + b * 0.11 + phase);
        p + Vec3::new(wave(p.y, p.z, self.phase.x), wave(p.x, p.z, self.phase.y), wave(p.x, p.y, self.phase.z))
    }
}

/// Distance to the intact vertebra of this level (0 = C1, 7 and more thoracic).
pub(super) fn distance(level: usize, s: &Sizes, warp: Warp, p: Vec3) -> f32 {
    let q = warp.bend(p);
    let d = plain(level, s, q);
    if d.abs() < 3.0 { d + 0.22 * noise(q / 2.6, warp.seed) } else { d }
}

/// As [`distance`], of a vertebra that is its own mirror image and has no bumps.
pub(super) fn plain(level: usize, s: &Sizes, p: Vec3) -> f32 {
    match level {
        0 => atlas(s, p),
        1 => axis(s, p),
        _ => typical(level, s, p),
    }
}

/// A box that holds the vertebra, as its two corners.
pub(super) fn bounds(level: usize, s: &Sizes) -> (Vec3, Vec3) {
    let back = s.half_depth + s.canal_depth + s.spinous + 9.0;
    match level {
        0 => (Vec3::new(-s.transverse - 6.0, -22.0, -16.0), Vec3::new(s.transverse + 6.0, 20.0 + s.canal_depth, 16.0)),
        1 => (Vec3::new(-s.transverse - 6.0, -18.0, -28.0), Vec3::new(s.transverse + 6.0, back, 36.0)),
        _ => (
            Vec3::new(-s.transverse - 7.0, -s.half_depth - 9.0, -s.half_height - s.spinous_drop - 10.0),
            Vec3::new(s.transverse + 7.0, back, s.half_height + 16.0),
        ),
    }
}

/// How far the upper and the lower joint faces of the pillars lie apart, so that neighbours nearly touch.
fn pillar_half_thickness(s: &Sizes) -> f32 {
    ((2.0 * s.half_height + s.disc.max(3.5)) * exact::cos(s.facet_slope) - 1.5) / 2.0 + s.arthrosis * 0.2
}

fn body(level: usize, s: &Sizes, p: Vec3) -> f32 {
    let h = s.half_height;
    let along = (p.z / h).clamp(-1.3, 1.3);
    let wide = f32::midpoint(s.half_width[0], s.half_width[1]) + (s.half_width[0] - s.half_width[1]) / 2.0 * along;
    let waist = 1.1 * (1.0 - along * along).max(0.0);
    let rim = step(0.45, 1.0, along.abs());
    let front = step(2.0, -s.half_depth, p.y);
    let lip = s.osteophytes * rim * (0.35 + 0.65 * front);
    let radii = Vec2::new(wide - waist + lip, s.half_depth + 1.0 - 0.8 * waist + lip);
    let round = ellipse(Vec2::new(p.x, p.y + 1.0), radii);
    // Squarer than an ellipse, with a flat back.
    let square = round_box(Vec3::new(p.x, p.y, 0.0), Vec3::new(radii.x, s.half_depth, 10.0), 6.0);
    let outline = meet(round * 0.65 + square * 0.35, p.y - s.half_depth, 1.5);
    let side = step(0.55, 1.0, p.x.abs() / s.half_width[0]) * step(-s.half_depth * 0.9, 1.0, p.y);
    let dish = (1.0 - (p.x / wide).powi(2) - (p.y / s.half_depth).powi(2)).max(0.0);
    let top = h + s.uncus * side - 1.3 * dish - if level > 6 { 0.0 } else { 0.9 * front };
    let bottom = h - 1.9 * dish + 1.3 * front;
    meet(outline, meet(p.z - top, -p.z - bottom, 1.0), 1.2)
}

fn arch(level: usize, s: &Sizes, p: Vec3) -> f32 {
    let x = p.x.abs();
    let m = Vec3::new(x, p.y, p.z);
    let (w, back) = (s.canal_half_width, s.half_depth + s.canal_depth);
    let thoracic = level > 6;
    let pillar_y = s.half_depth + 4.5;
    let pillar_x = w + if thoracic { 4.0 } else { 5.6 };
    let pedicle = capsule(
        m,
        Vec3::new(s.half_width[0] * 0.72, s.half_depth - 3.0, 0.6),
        Vec3::new(pillar_x - 2.0, pillar_y, 0.4),
        if thoracic { 4.0 } else { 3.0 },
    );
    // The articular pillar: a column cut by two parallel inclined joint faces.
    let (sin, cos) = (exact::sin(s.facet_slope), exact::cos(s.facet_slope));
    let along = (m.y - pillar_y - 1.0) * sin + m.z * cos;
    let half = pillar_half_thickness(s);
    let wide = 6.6 + s.arthrosis;
    let column = ellipse(
        turned(Vec2::new(x - pillar_x, m.y - pillar_y - 1.0 + 0.25 * m.z * sin)),
        Vec2::new(wide, if thoracic { 4.4 } else { 4.9 } + 0.6 * s.arthrosis),
    );
    let pillar = meet(column, along.abs() - half, 1.2);
    // The lamina: a plate from the pillar to the middle, its top leaning forward.
    let lean = 0.28 * (p.z + 2.0);
    let (off, t) =
        segment(Vec2::new(x, p.y + lean), Vec2::new(pillar_x - 1.0, pillar_y + 4.0), Vec2::new(0.0, back + 2.4));
    let plate = off - (1.7 + 0.6 * (1.0 - t));
    let lamina = meet(plate, (p.z + 1.5 + 1.5 * t).abs() - (5.0 + f32::from(u8::from(thoracic)) * 1.5), 1.6);
    join(join(pedicle, pillar, 2.0), lamina, 2.0)
}

/// Pillars look a little to the front and the side.
fn turned(v: Vec2) -> Vec2 {
    Vec2::new(v.x * 0.94 - v.y * 0.34, v.x * 0.34 + v.y * 0.94)
}

/// Where the spinous process ends, in the vertebra's own frame.
pub(super) fn spinous_end(s: &Sizes) -> Vec3 {
    Vec3::new(0.0, s.half_depth + s.canal_depth + 1.5 + s.spinous + 2.7, -s.spinous_drop)
}

fn spinous(s: &Sizes, p: Vec3) -> f32 {
    let root = s.half_depth + s.canal_depth + 1.5;
    let tip = root + s.spinous;
    let x = p.x.abs();
    let fork = if s.bifid { 0.62 } else { 1.0 };
    let end = Vec3::new(0.0, root + s.spinous * fork, -1.5 - (s.spinous_drop - 1.5) * fork);
    // Taller than wide: the height is squeezed before measuring.
    let squeeze = |v: Vec3| Vec3::new(v.x, v.y, v.z * 0.55);
    let keel = taper(squeeze(p), squeeze(Vec3::new(0.0, root - 1.0, -1.5)), squeeze(end), 2.6, 2.1);
    if s.bifid {
        let m = Vec3::new(x, p.y, p.z);
        join(keel, taper(m, end, Vec3::new(4.2, tip, -s.spinous_drop - 1.0), 2.2, 2.4), 1.5)
    } else {
        join(keel, ellipsoid(p - Vec3::new(0.0, tip - 1.5, -s.spinous_drop), Vec3::new(3.8, 4.2, 5.0)), 2.5)
    }
}

fn transverse(level: usize, s: &Sizes, p: Vec3) -> f32 {
    let m = Vec3::new(p.x.abs(), p.y, p.z);
    let (w, d) = (s.canal_half_width, s.half_depth);
    if level > 6 {
        // Thoracic: stout, to the side and back, with the facet for the rib.
        let root = Vec3::new(w + 4.0, d + 5.0, 1.0);
        return taper(m, root, Vec3::new(s.transverse - 2.0, d + 12.0, 3.0), 4.4, 4.8);
    }
    let tip = s.transverse;
    let front = Vec3::new(tip - 3.0, -0.32 * d, -2.0);
    let rear = Vec3::new(tip, d * 0.42, -3.0);
    let thin = if level == 6 { 1.4 } else { 2.0 };
    let root = Vec3::new(s.half_width[1] - 1.0, -0.2 * d, -0.6);
    let front_bar = join(taper(m, root, front, thin, thin + 0.2), (m - front).length() - thin - 0.7, 1.0);
    let rear_bar = taper(m, Vec3::new(w + 4.5, d + 1.5, -0.5), rear, if level == 6 { 3.6 } else { 2.6 }, 2.5);
    let bridge = taper(m, front, rear, 1.7, 2.0);
    let bars = join(join(front_bar, rear_bar, 1.2), bridge, 1.0);
    // The vertebral artery's hole.
    let centre = Vec2::new(f32::midpoint(s.half_width[1] - 1.0, tip) + 0.4, 0.12 * d);
    let hole = ellipse(Vec2::new(m.x, m.y + 0.1 * m.z) - centre, Vec2::new(3.1, if level == 6 { 2.2 } else { 2.9 }));
    meet(bars, -hole, 0.6)
}

/// A part of the whole, or the distance to the box around it where that is too far for any fillet.
fn near(p: Vec3, low: Vec3, high: Vec3, part: impl FnOnce() -> f32) -> f32 {
    let outside = (low - p).max(p - high).max_element();
    if outside > 3.0 { outside } else { part() }
}

fn typical(level: usize, s: &Sizes, p: Vec3) -> f32 {
    let m = Vec3::new(p.x.abs(), p.y, p.z);
    let (w, d, h) = (s.half_width[0].max(s.half_width[1]) + s.osteophytes + 1.0, s.half_depth, s.half_height);
    let back = d + s.canal_depth;
    let low = Vec3::new(0.0, -d - s.osteophytes - 1.0, -h - 2.0);
    let body = near(m, low, Vec3::new(w, d, h + s.uncus + 1.0), || body(level, s, p));
    let tall = h + 10.0;
    let side = s.canal_half_width + 14.0;
    let low = Vec3::new(0.0, d - 6.0, -tall);
    let arch = near(m, low, Vec3::new(side, back + 6.0, tall), || arch(level, s, p));
    let low = Vec3::new(0.0, back - 3.0, -s.spinous_drop - 9.0);
    let spinous = near(m, low, Vec3::new(8.0, back + s.spinous + 6.0, 6.0), || spinous(s, p));
    let low = Vec3::new(s.half_width[1].min(s.canal_half_width) - 4.0, -d, -9.0);
    let transverse = near(m, low, Vec3::new(s.transverse + 6.0, d + 18.0, 9.0), || transverse(level, s, p));
    let whole = join(join(body, arch, 1.5), join(spinous, transverse, 0.8), 1.2);
    // Nothing may grow into the canal.
    meet(whole, -canal(s, p), 0.8)
}

/// The canal: a rounded triangle, wide in front.
fn canal(s: &Sizes, p: Vec3) -> f32 {
    let y = p.y - s.half_depth;
    let t = (y / s.canal_depth).clamp(0.0, 1.0);
    let wide = s.canal_half_width * (1.0 - 0.55 * t * t);
    let across = Vec2::new(p.x, y - s.canal_depth * 0.5 + 0.25 * (p.z + 1.0) * t);
    ellipse(across, Vec2::new(wide, s.canal_depth * 0.5)).max(-y - 0.2)
}

fn axis(s: &Sizes, p: Vec3) -> f32 {
    let x = p.x.abs();
    let m = Vec3::new(x, p.y, p.z);
    let low = body(1, &Sizes { uncus: 0.0, ..s.clone() }, p);
    let dens_top = s.half_height + 16.5 * s.half_depth / 7.8;
    let neck = taper(
        p,
        Vec3::new(0.0, -0.8, s.half_height - 4.0),
        Vec3::new(0.0, 0.2, s.half_height + 4.0),
        s.half_width[0] * 0.75,
        4.3,
    );
    let knob = taper(p, Vec3::new(0.0, 0.0, s.half_height + 4.0), Vec3::new(0.0, 0.8, dens_top - 4.6), 4.3, 5.1);
    let dens = join(
        join(neck, knob, 2.0),
        taper(p, Vec3::new(0.0, 0.8, dens_top - 5.0), Vec3::new(0.0, 1.0, dens_top - 2.6), 4.6, 3.0),
        2.0,
    );
    // Shoulders under the atlas, falling to the side.
    let top = s.half_height + 3.6 - 0.42 * (x - 6.0).max(0.0);
    let shoulder =
        meet(ellipse(Vec2::new(x - 13.5, p.y - 0.6), Vec2::new(8.4, 8.0)), (p.z - top).max(top - 10.0 - p.z), 1.4);
    let pars =
        taper(m, Vec3::new(14.0, 5.0, 2.5), Vec3::new(s.canal_half_width + 4.5, s.half_depth + 8.5, -3.5), 3.9, 4.0);
    // Lower joint faces only; the upper ones are the shoulders.
    let (sin, cos) = (exact::sin(s.facet_slope), exact::cos(s.facet_slope));
    let pillar_y = s.half_depth + 6.0;
    let along = (m.y - pillar_y) * sin + (m.z + 0.5) * cos;
    let column = ellipse(Vec2::new(x - s.canal_half_width - 5.0, m.y - pillar_y - 1.0), Vec2::new(5.2, 5.6));
    let pillar = meet(column, (-along - pillar_half_thickness(s)).max(m.z - 1.0), 1.2);
    let back = s.half_depth + s.canal_depth;
    let (off, t) = segment(
        Vec2::new(x, p.y + 0.25 * (p.z + 2.0)),
        Vec2::new(s.canal_half_width + 4.0, pillar_y + 4.0),
        Vec2::new(0.0, back + 3.0),
    );
    let lamina = meet(off - 3.2, (p.z + 2.0 + 2.0 * t).abs() - 6.4, 2.0);
    let (front, rear) = (Vec3::new(15.0, 0.0, 0.0), Vec3::new(s.transverse, 3.0, -4.5));
    let process = taper(m, front, rear, 3.6, 2.6);
    let hole = capsule(m, Vec3::new(19.5, 1.5, -12.0), Vec3::new(19.5, 1.5, 4.0), 2.7);
    let process = meet(process, -hole, 0.6);
    let stout = Sizes { spinous_drop: s.spinous_drop, ..s.clone() };
    let arch = join(join(pars, pillar, 2.0), join(lamina, spinous(&stout, p) - 0.9, 2.0), 2.0);
    let upper = join(join(low, dens, 2.5), shoulder, 2.0);
    let whole = join(join(upper, arch, 1.5), process, 1.5);
    let hollow = canal(s, p).max(p.z - s.half_height - 12.0);
    let groove = meet(shoulder, -hole, 0.6);
    meet(whole.min(groove), -hollow, 0.8).max(-hole)
}

/// The ring: lateral masses at x = ±`half_width`, front arch, back arch, wide transverse processes.
fn atlas(s: &Sizes, p: Vec3) -> f32 {
    let x = p.x.abs();
    let m = Vec3::new(x, p.y, p.z);
    let mass_x = s.half_width[0] + 2.5;
    // Wedge: low on the inside, cupped above for the condyle, sloping below for C2.
    let above =
        4.2 + 0.42 * (x - mass_x + 4.0) - 1.8 * (1.0 - ((x - mass_x) / 7.0).powi(2) - (p.y / 11.0).powi(2)).max(0.0);
    let below = 6.4 + 0.42 * (x - mass_x);
    let mass = meet(
        ellipse(Vec2::new(x - mass_x, p.y + 0.12 * (x - mass_x)), Vec2::new(7.2, 10.0)),
        (p.z - above).max(-p.z - below),
        1.4,
    );
    let front_y = -14.8;
    let (off, t) = bow(Vec2::new(x, p.y), Vec2::new(mass_x - 4.0, -8.0), Vec2::new(0.0, front_y), 9.0);
    let height = 4.4 + 1.2 * t;
    let front = meet(off - 2.9, p.z.abs() - height, 2.0);
    let tubercle = ellipsoid(p - Vec3::new(0.0, front_y - 2.2, -0.5), Vec3::new(3.4, 2.8, 4.0));
    let back_y = 9.0 + s.canal_depth;
    let (off, t) = bow(Vec2::new(x, p.y), Vec2::new(mass_x + 1.5, 7.0), Vec2::new(0.0, back_y), 17.0);
    let back = meet(off - (2.5 + 0.5 * t), (p.z - 0.6).abs() - (3.0 + 1.8 * t), 1.8);
    let knob = ellipsoid(p - Vec3::new(0.0, back_y + 2.0, 0.4), Vec3::new(3.0, 3.4, 3.4));
    let process = join(
        taper(m, Vec3::new(mass_x + 4.0, -2.0, 0.0), Vec3::new(s.transverse - 2.5, 0.5, -1.0), 2.4, 3.0),
        taper(m, Vec3::new(mass_x + 4.5, 7.0, 0.0), Vec3::new(s.transverse - 2.0, 2.0, -1.2), 2.5, 3.2),
        1.5,
    );
    let hole = ellipse(Vec2::new(x - mass_x - 10.0, p.y - 2.2), Vec2::new(3.1, 3.2));
    let process = meet(process, -hole, 0.6);
    // A gap that was there from birth, its ends rounded and covered by cortex.
    let cleft = capsule(p, Vec3::new(0.0, back_y, -9.0), Vec3::new(0.0, back_y, 9.0), s.cleft.max(0.1));
    let (back, knob) = if s.cleft > 0.0 { (meet(back, -cleft, 1.5), 9.0) } else { (back, knob) };
    let ring = join(join(mass, join(front, tubercle, 1.5), 1.8), join(back, knob, 1.5), 1.8);
    join(ring, process, 1.5)
}

/// Distance in the plane to a quarter of an ellipse from `a` (at the side) to `b` (in the middle), and how far along.
fn bow(p: Vec2, a: Vec2, b: Vec2, bulge: f32) -> (f32, f32) {
    let corner = Vec2::new((a.x * 0.5).max(bulge * 0.5).min(a.x), b.y);
    let mut best = (f32::MAX, 0.0);
    let mut from = a;
    for i in 1..=6 {
        let t = i as f32 / 6.0;
        let to = a * (1.0 - t) * (1.0 - t) + corner * 2.0 * t * (1.0 - t) + b * t * t;
        let (d, u) = segment(p, from, to);
        if d < best.0 {
            best = (d, (i as f32 - 1.0 + u) / 6.0);
        }
        from = to;
    }
    best
}
