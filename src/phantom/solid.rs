//! Things with a surface: what they are made of, and how they are found again in a picture.

use super::fracture::{Damage, Place};
use super::random::noise;
use super::rise::Rise;
use super::sdf::{capsule, step};
use super::spine::Pose;
use glam::Vec3;

/// Distance to a surface in the solid's own frame, mm.
pub(super) type Distance = Box<dyn Fn(Vec3) -> f32 + Send + Sync>;

/// The channel of the vein that leaves a vertebral body behind: along the y axis up to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Vein {
    /// Radius at the end, mm; 0 for none.
    pub radius: f32,
    /// Where it ends, mm.
    pub end: f32,
}

/// A fine hole in bone: a nutrient canal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Channel {
    /// One end, own frame.
    pub from: Vec3,
    /// The other.
    pub to: Vec3,
    /// Radius, mm.
    pub radius: f32,
}

/// What a solid is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stuff {
    /// A cortical shell (mm, HU) around spongy bone (HU), with a vein's channel.
    Bone { cortex: f32, shell: f32, spongy: f32, vein: Vein },
    /// The same HU throughout.
    Even(f32),
    /// Bone full of air cells.
    Cells,
    /// Cartilage that is calcified in places.
    Cartilage,
}

/// One solid.
pub(super) struct Solid {
    /// Label of its voxels: 1 to 7 for C1 to C7, 8 and more for T1 and those below it, 0 for everything else.
    pub label: u8,
    /// Place in the neck's frame.
    pub pose: Pose,
    /// Box in the own frame that holds it.
    pub bounds: (Vec3, Vec3),
    /// Shape.
    pub distance: Distance,
    /// Material.
    pub stuff: Stuff,
    /// How the arch of a vertebra stands: fractures and texture are made with it raised.
    pub rise: Rise,
    /// What is broken.
    pub damage: Damage,
    /// Fine holes.
    pub channels: Vec<Channel>,
    /// Seed of the texture.
    pub seed: u32,
}

/// A solid at a place: the distance to it and the HU it has there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub distance: f32,
    pub hu: f32,
}

impl Solid {
    /// Something unbroken that is no vertebra.
    pub(super) fn plain(pose: Pose, bounds: (Vec3, Vec3), stuff: Stuff, seed: u32, distance: Distance) -> Self {
        Self {
            label: 0,
            pose,
            bounds,
            distance,
            stuff,
            rise: Rise::default(),
            damage: Damage::default(),
            channels: Vec::new(),
            seed,
        }
    }

    /// The intact solid at a place of its own frame.
    pub(super) fn intact(&self, p: Vec3) -> Sample {
        let distance = (self.distance)(p);
        Sample { distance, hu: self.hu(&Place { distance, depth: distance, source: self.rise.raised(p), denser: 0.0 }) }
    }

    /// The solid as it is at a place of its own frame.
    pub(super) fn sample(&self, p: Vec3) -> Sample {
        if self.damage.is_none() {
            return self.intact(p);
        }
        let place = self.damage.place(self.rise.raised(p), &|q| (self.distance)(self.rise.lowered(q)));
        Sample { distance: place.distance, hu: self.hu(&place) }
    }

    fn hu(&self, place: &Place) -> f32 {
        // Outside, only what the edge's blur can see matters.
        if place.distance > 0.8 {
            return 0.0;
        }
        let p = place.source;
        match self.stuff {
            Stuff::Even(hu) => hu,
            Stuff::Cartilage => 110.0 + 260.0 * step(0.1, 0.6, noise(p / 4.0, self.seed)),
            Stuff::Cells => {
                let wall = noise(p / 2.6, self.seed).abs();
                if place.depth > -1.6 || wall < 0.16 { 780.0 } else { -640.0 }
            }
            Stuff::Bone { cortex, shell, spongy, vein } => {
                let hole = self.channels.iter().map(|c| step(0.3, -0.3, capsule(p, c.from, c.to, c.radius)));
                let hole = hole.fold(0.0, f32::max);
                if hole > 0.0 {
                    // Its wall is a thin cortex.
                    return 820.0 + (40.0 - 820.0) * hole;
                }
                // The channel widens from the body's middle to its back wall.
                let wide = vein.radius * (p.y / vein.end.max(1.0));
                if p.y > 0.0 && p.y < vein.end && p.x * p.x * 0.4 + p.z * p.z < wide * wide {
                    return 80.0;
                }
                let depth = -place.depth;
                // In places the cortex is twice as thick as the mean, in others hardly there.
                let inside = if depth > 1.85 * cortex + 0.9 {
                    1.0
                } else {
                    let thick = cortex * (1.0 + 0.85 * noise(p / 6.0, self.seed ^ 3));
                    step(thick - 0.3, thick + 0.9, depth)
                };
                let shell = shell * (1.0 + 0.26 * noise(p / 4.5, self.seed ^ 9));
                if inside <= 0.0 {
                    return shell;
                }
                let coarse = noise(p / 3.4, self.seed ^ 1);
                let texture = 0.6 * noise(p / 1.15, self.seed) + 0.5 * coarse;
                let islands = 330.0 * step(0.25, 0.85, noise(p / 5.0, self.seed ^ 7) + 0.3 * coarse);
                let spongy = spongy * (1.0 + 0.7 * texture) + islands + 170.0 * step(4.0, 0.8, depth) + place.denser;
                shell + (spongy - shell) * inside
            }
        }
    }
}
