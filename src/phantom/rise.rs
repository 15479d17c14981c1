//! How much higher or lower than the reference's a vertebra's arch stands behind its body.

use super::morphometry::Sizes;
use glam::Vec3;

/// Raises an arch to where fractures look for it: two places along y and what is added to z there; between them it runs evenly.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Rise([(f32, f32); 2]);

impl Rise {
    /// The rise of the vertebra of this level (0 = C1) whose bone `inside` tells; `y` is its extent.
    pub(super) fn measure(level: usize, s: &Sizes, y: std::ops::Range<f32>, inside: &dyn Fn(Vec3) -> bool) -> Self {
        let height = |from: f32, to: f32, half: f32| -> Option<f32> {
            let (mut sum, mut count) = (0.0, 0.0);
            for y in (0..=((to - from).max(0.0) * 2.0) as usize).map(|i| from + 0.5 * i as f32) {
                for x in (-20..=20).map(|i| i as f32 / 20.0 * half) {
                    for z in (-50..=50).map(|i| 0.5 * i as f32) {
                        if inside(Vec3::new(x, y, z)) {
                            (sum, count) = (sum + z, count + 1.0);
                        }
                    }
                }
            }
            (count > 30.0).then_some(sum / count)
        };
        let limited = |mm: Option<f32>| mm.unwrap_or(0.0).clamp(-16.0, 16.0);
        if level == 0 {
            let (front, back) = (y.start + 1.0, y.end - 3.0);
            let ends = [height(y.start, y.start + 4.0, 8.0), height(back - 4.0, y.end, 16.0)];
            return Self([(front, limited(ends[0].map(|z| -z))), (back, limited(ends[1].map(|z| 0.5 - z)))]);
        }
        let back = s.half_depth + s.canal_depth;
        let arch = height(back - 3.0, back + 3.0, 0.7 * s.canal_half_width);
        Self([(s.half_depth, 0.0), (back, limited(arch.map(|z| -2.0 - z)))])
    }

    /// The rise of the vertebra at another scale.
    pub(super) fn scaled(&self, scale: f32) -> Self {
        Self(self.0.map(|(y, rise)| (y * scale, rise * scale)))
    }

    fn at(&self, y: f32) -> f32 {
        let [(from, low), (to, high)] = self.0;
        low + (high - low) * ((y - from) / (to - from).max(1.0)).clamp(0.0, 1.0)
    }

    /// A place of the vertebra with its arch raised.
    pub(super) fn raised(&self, p: Vec3) -> Vec3 {
        p.with_z(p.z + self.at(p.y))
    }

    /// The place that is raised to this one.
    pub(super) fn lowered(&self, p: Vec3) -> Vec3 {
        p.with_z(p.z - self.at(p.y))
    }
}
