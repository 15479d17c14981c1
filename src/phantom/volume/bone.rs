//! One vertebra of the real scan: its shape, and the frame in which fractures find their way through it.

use super::super::grid::Grid;
use super::super::mesh::Shape;
use super::super::morphometry::{self, Build, Sizes};
use super::super::random::Random;
use super::super::rise::Rise;
use super::super::spine::Pose;
use super::source::Source;
use glam::{Mat3, Vec3};
use std::sync::Arc;

/// One labelled vertebra of the real scan.
#[derive(Debug)]
pub(super) struct Bone {
    pub grid: Arc<Grid>,
    /// Distances to all other bone in its box.
    pub others: Option<Grid>,
    /// Box, LPS mm.
    pub extent: (Vec3, Vec3),
    /// Its own frame; the box's where none is found.
    pub frame: Frame,
    /// What fractures go by; `None` where no body (or lateral masses) is found, and then it cannot be broken.
    pub sizes: Option<Sizes>,
}

/// A vertebra's own frame, with its arch raised to where fractures look for it: real arches hang lower or stand higher
/// behind their bodies than the parametric ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pose: Pose,
    rise: Rise,
}

impl Frame {
    /// A point of the real scan in the own frame.
    pub(super) fn inward(&self, x: Vec3) -> Vec3 {
        self.rise.raised(self.pose.inward(x))
    }

    /// A point of the own frame in the real scan.
    pub(super) fn outward(&self, p: Vec3) -> Vec3 {
        self.pose.outward(self.rise.lowered(p))
    }

    /// The body's middle (of C1 that between the lateral masses) in the real scan.
    pub(super) fn at(&self) -> Vec3 {
        self.pose.at
    }
}

impl Bone {
    /// The bone with this level's label (0 = C1); `None` where the labels have it not.
    pub(super) fn new(source: &Source, level: usize) -> Option<Self> {
        let label = level as u8 + 1;
        let extent = source.span(label)?;
        let (low, high) = extent;
        let grid = Arc::new(Grid::of_places(low, high, &|p| source.holds(p, &|here| here == label))?);
        let others = Grid::of_places(low, high, &|p| source.holds(p, &|here| here > 0 && here != label));
        let build = Build { scale: 1.0, wear: 0.0, density: [1000.0, 350.0] };
        let means = morphometry::draw(build, &mut Random::new(level as u64, "real bone"));
        let shape = Shape::new(level, Arc::clone(&grid)).ok();
        let pose = shape.as_ref().map_or(Pose { turn: Mat3::IDENTITY, at: (low + high) / 2.0 }, Shape::frame);
        let sizes = shape.as_ref().zip(means.get(level)).map(|(shape, means)| measured(shape, means));
        let rise = sizes.as_ref().map_or(Rise::default(), |sizes| {
            let inside = |p: Vec3| grid.distance(pose.outward(p)) < 0.0;
            Rise::measure(level, sizes, pose.inward(low).y..pose.inward(high).y, &inside)
        });
        Some(Self { grid, others, extent, frame: Frame { pose, rise }, sizes })
    }
}

/// A shape's sizes, with the canal's width as it is.
fn measured(shape: &Shape, means: &Sizes) -> Sizes {
    let mut sizes = shape.sizes(means, 1.0);
    let (distance, _) = shape.solid(1.0);
    let y = sizes.half_depth + sizes.canal_depth * 0.45;
    let free = |side: f32| (0..=40).map(|i| i as f32 * 0.5).find(|&x| distance(Vec3::new(side * x, y, 0.0)) < 0.0);
    if let (Some(left), Some(right)) = (free(1.0), free(-1.0)) {
        sizes.canal_half_width = ((left + right) / 2.0).clamp(8.0, 16.0);
    }
    sizes
}
