//! The soft parts and the air of the face, in the head's frame (see `head`): nose and sinuses, the throat behind them, soft palate,
//! tongue, floor of the mouth, lips, eyes. Shapes and HU are our own round numbers, set beside what a textbook draws from the side:
//! the tongue fills the closed mouth, its fibres spread from the chin like a fan, and the soft palate parts mouth and nose.

use super::random::{Random, noise};
use super::sdf::{capsule, ellipse, ellipsoid, join, round_box, step, taper};
use glam::{Vec2, Vec3};

/// Where the throat begins: nothing of the face lies behind, mm.
const BACK: f32 = -15.0;
const LOW: f32 = -58.0;
const HIGH: f32 = 66.0;

/// One person's face.
#[derive(Debug, Clone, Copy)]
pub(super) struct Face {
    seed: u32,
    /// How far the jaw hangs open: the tangent of its turn about the joint.
    pub jaw: f32,
    /// How far the chin's lower edge stands behind its upper one, mm a mm.
    pub lean: f32,
    /// How high the hard palate is vaulted, mm.
    pub palate: f32,
    /// One bit a tooth that is lost, from the last molar to the middle; both sides alike.
    pub lost: [u32; 2],
    /// How wide the throat behind the nose is, mm.
    throat: f32,
    /// How far the septum of the nose is bent, mm.
    septum: f32,
    /// Share of the tongue's back over which there is air.
    film: f32,
    /// HU that fat takes from the tongue.
    marbling: f32,
    /// Size of the sinuses against the mean.
    sinus: f32,
}

impl Face {
    /// Draws one.
    pub(super) fn draw(random: &mut Random) -> Self {
        let bare = random.chance(0.12);
        let lost = if random.chance(0.5) { 0.04 } else { 0.25 };
        let mut row = || (0..8).filter(|_| bare || random.chance(lost)).fold(0, |row, tooth| row | 1 << tooth);
        Self {
            lost: [row(), row()],
            seed: random.bits() as u32,
            jaw: random.range(0.0, 0.09),
            lean: random.range(-0.05, 0.4),
            palate: random.range(2.0, 7.0),
            throat: random.range(4.5, 9.5),
            septum: random.range(0.5, 4.0),
            film: random.range(-0.5, 0.9),
            marbling: random.range(15.0, 60.0),
            sinus: random.range(0.75, 1.1),
        }
    }

    /// Height of the hard palate's middle, mm.
    pub(super) fn palate_at(&self, x: f32, y: f32) -> f32 {
        2.5 + self.palate * (1.0 - (0.036 * (y + 62.0)).powi(2) - (x / 24.0).powi(2)).max(-0.4)
    }

    /// HU at a place; `None` where nothing of the face lies.
    pub(super) fn tissue(&self, h: Vec3, grain: f32) -> Option<f32> {
        if h.y > BACK || h.z < LOW || h.z > HIGH {
            return None;
        }
        let x = h.x.abs();
        let m = Vec3::new(x, h.y, h.z);
        if h.z < 8.0 && h.y > -42.0 && soft_palate(m) < 0.0 {
            return Some(46.0 + grain);
        }
        if h.z < 6.0
            && let Some(hu) = self.tongue(h, grain)
        {
            return Some(hu);
        }
        let lower = 5.0 + 0.4 * (self.throat - 4.5);
        let throat = taper(
            h * Vec3::new(0.6, 1.0, 1.0),
            Vec3::new(0.0, -26.0, -12.0),
            Vec3::new(0.0, -36.0, 16.0),
            lower * 0.6,
            self.throat,
        );
        if throat < 0.6 {
            return Some(-1000.0 + 1040.0 * step(-0.6, 0.6, throat));
        }
        if h.z > 0.0
            && let Some(hu) = self.nose(m, h, grain)
        {
            return Some(hu);
        }
        self.lips(m, grain)
    }

    fn tongue(&self, h: Vec3, grain: f32) -> Option<f32> {
        let back = ellipsoid(h - Vec3::new(0.0, -58.0, -19.5), Vec3::new(22.0, 29.0, 20.0));
        let root = ellipsoid(h - Vec3::new(0.0, -42.0, -30.0), Vec3::new(17.0, 13.0, 21.0));
        let chin =
            taper(h * Vec3::new(0.8, 1.0, 1.0), Vec3::new(0.0, -80.0, -35.0), Vec3::new(0.0, -56.0, -29.0), 4.0, 12.0);
        let floor =
            capsule(h * Vec3::new(0.3, 1.0, 1.0), Vec3::new(0.0, -82.0, -41.0), Vec3::new(0.0, -47.0, -45.0), 4.0);
        let whole = join(join(back, root, 8.0), chin, 5.0);
        if whole > 0.0 && floor < 0.0 {
            // Mylohyoid and geniohyoid.
            return Some(if floor > -0.5 { 0.0 } else { 54.0 + grain });
        }
        if whole > 1.6 {
            return None;
        }
        if whole > 0.0 {
            // Between the tongue's back and the palate lies air, in some.
            let open = h.z > -14.0 && h.y > -88.0 && noise(h * Vec3::new(0.05, 0.07, 0.0), self.seed ^ 3) < self.film;
            return open.then_some(-1000.0 + 1040.0 * step(0.5, 0.0, whole) + 800.0 * step(0.7, 1.6, whole));
        }
        // Fibres spread from the chin.
        let along = (h.y + 90.0).max(5.0);
        let slope = (h.z + 38.0) / along;
        let fibres = noise(Vec3::new(slope * 9.0, h.x * 0.3, along * 0.035), self.seed ^ 5);
        let septum = 45.0 * step(1.1, 0.3, h.x.abs()) * step(-44.0, -52.0, h.y);
        Some(56.0 - self.marbling * step(0.1, 0.9, fibres) - septum + 1.6 * grain)
    }

    fn nose(&self, m: Vec3, h: Vec3, grain: f32) -> Option<f32> {
        // Walls of bone, thin in places, and a lining that is hardly there or swollen.
        let lined = |inside: f32| {
            let wall = noise(h / 7.0, self.seed ^ 25);
            let lining = 0.9 + 0.8 * noise(h / 13.0, self.seed ^ 27);
            (inside < 0.75 + 0.45 * wall).then_some(if inside < -lining {
                -1000.0
            } else if inside < 0.0 {
                40.0
            } else {
                430.0 + 160.0 * wall
            })
        };
        let jaw = ellipsoid(m - Vec3::new(27.0, -66.0, 24.0), Vec3::new(12.0, 15.0, 16.0) * self.sinus);
        let sphenoid = round_box(h - Vec3::new(2.0, -50.0, 36.0), Vec3::new(11.0, 9.0, 8.0) * self.sinus, 4.0);
        if let Some(hu) = [jaw, sphenoid].into_iter().filter(|inside| *inside < 1.2).find_map(lined) {
            return Some(hu);
        }
        let eye = m - Vec3::new(31.0, -70.0, 46.0);
        if ellipsoid(eye, Vec3::new(17.0, 23.0, 15.0)) < 0.0 {
            let ball = (eye + Vec3::Y * 12.0).length();
            return Some(if ball < 12.0 { if ball < 11.0 { 12.0 } else { 60.0 } } else { -95.0 + grain });
        }
        let cavity = round_box(h - Vec3::new(0.0, -67.0, 20.0), Vec3::new(13.0, 31.0, 17.0), 6.0);
        let bent = h.x - self.septum * noise(Vec3::new(0.0, h.y / 26.0, h.z / 15.0), self.seed ^ 7);
        if cavity > 0.0 {
            // Ethmoid cells.
            let cells = round_box(h - Vec3::new(0.0, -74.0, 42.0), Vec3::new(13.0, 17.0, 9.0), 4.0);
            return (cells < 0.0).then(|| {
                let wall = noise(h / 4.2, self.seed ^ 9).abs();
                if wall < 0.13 || bent.abs() < 0.9 { 430.0 } else { -930.0 }
            });
        }
        if bent.abs() < 2.2 {
            // Bone behind, cartilage in front, and the lining on both sides.
            return Some(if bent.abs() > 0.8 { 40.0 } else { 90.0 + 330.0 * step(-84.0, -76.0, h.y) });
        }
        let conchae = noise(Vec3::new(m.x / 4.5, h.y / 19.0, h.z / 6.5 - 0.25 * m.x), self.seed ^ 21);
        // Three ridges along the outer wall.
        let ridge = ellipse(
            Vec2::new(m.x - 9.5, (h.z + 0.06 * (h.y + 60.0) - 4.0).rem_euclid(11.0) - 4.5),
            Vec2::new(6.2, 4.5),
        );
        let soft = (ridge + 2.2 * conchae) * step(-100.0, -92.0, h.y);
        Some(if ridge + 4.1 < 0.4 * conchae { 190.0 } else { -990.0 + 1035.0 * step(0.7, -0.5, soft) })
    }

    /// Muscles and fat before jaw and teeth.
    fn lips(&self, m: Vec3, grain: f32) -> Option<f32> {
        let before = ellipse(Vec2::new(m.x, m.y + 40.0), Vec2::new(44.0, 50.0));
        if before < 0.0 || m.z > 16.0 || m.z < -50.0 || m.x > 34.0 {
            return None;
        }
        let lobules = noise(m / Vec3::new(5.5, 4.0, 4.5), self.seed ^ 13) + 0.4 * noise(m / 1.9, self.seed ^ 15);
        // The lips themselves are muscle.
        let muscle = 0.5 * step(9.0, 3.0, (m.z + 13.0).abs()) + 0.25;
        Some(44.0 - 135.0 * step(muscle - 0.35, muscle + 0.35, lobules) + 1.5 * grain)
    }
}

/// Distance to the soft palate with the uvula; `m`: x either side.
fn soft_palate(m: Vec3) -> f32 {
    let veil = taper(m * Vec3::new(0.28, 1.0, 1.0), Vec3::new(0.0, -37.0, 2.5), Vec3::new(0.0, -28.5, -13.0), 3.4, 4.6);
    let uvula = taper(m, Vec3::new(0.0, -28.0, -15.0), Vec3::new(0.0, -26.0, -25.0), 4.2, 2.4);
    join(veil, uvula, 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mouth_is_full_of_tongue_and_every_nose_has_air_down_to_the_throat() {
        for seed in 0..40 {
            let face = Face::draw(&mut Random::new(seed, "face"));
            let at = |x: f32, y: f32, z: f32| face.tissue(Vec3::new(x, y, z), 0.0);
            let soft = |hu: Option<f32>| hu.is_some_and(|hu| (-40.0..100.0).contains(&hu));
            assert!(soft(at(4.0, -58.0, -20.0)) && soft(at(-6.0, -70.0, -18.0)), "no tongue in {face:?}");
            assert!(soft(at(0.0, -30.0, -12.0)), "no soft palate in {face:?}");
            assert!(at(0.0, -36.0, 15.0).is_some_and(|hu| hu < -900.0), "no throat in {face:?}");
            let nose: Vec<f32> =
                (0..400).filter_map(|i| at((i % 20) as f32 - 10.0, -70.0, 8.0 + (i / 20) as f32)).collect();
            let air = nose.iter().filter(|hu| **hu < -800.0).count();
            assert!(nose.len() == 400 && (40..370).contains(&air), "{air} of 400 places in the nose are air: {face:?}");
            assert!(nose.iter().all(|hu| (-1000.0..600.0).contains(hu)));
            assert_eq!((at(0.0, -10.0, 0.0), at(0.0, -60.0, -60.0), at(0.0, -60.0, 80.0)), (None, None, None));
        }
    }

    #[test]
    fn the_palate_is_vaulted_between_mouth_and_nose() {
        for seed in 0..20 {
            let face = Face::draw(&mut Random::new(seed, "face"));
            assert!(face.palate_at(0.0, -62.0) > face.palate_at(18.0, -62.0) && face.palate_at(0.0, -62.0) < 11.0);
        }
    }
}
