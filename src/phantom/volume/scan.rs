//! One slice of the new scan: real bone where it has come to lie, and what fractures have made of it.

use super::super::fracture::Damage;
use super::super::random::noise;
use super::super::recipe::Scan;
use super::super::render::{self, Marks, Slice, VISIBLE};
use super::super::scene::Scene;
use super::super::sdf::step;
use super::bone::Bone;
use super::deform::Deform;
use super::source::Source;
use glam::{Vec2, Vec3};

/// The picture of a bone's surface reaches this far beyond it, mm.
const HALO: f32 = 0.8;
/// Width of the blur across a broken face, mm: about that of the real scan's own pixels.
const EDGE: f32 = 0.8;
/// HU of blood in a gap.
const BLOOD: f32 = 52.0;
/// Pixels between places whose source is worked out; what lies between is interpolated.
const STRIDE: usize = 4;

/// One broken vertebra.
pub(super) struct Broken<'a> {
    pub label: u8,
    pub bone: &'a Bone,
    pub damage: Damage,
    /// Seed of the breaks' course.
    pub seed: u32,
}

/// How the new scan's HU follow from the real ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tone {
    /// Factor on what is denser than soft tissue.
    pub density: f32,
    /// Added to everything but air.
    pub offset: f32,
}

impl Tone {
    fn of(self, hu: f32) -> f32 {
        let dense = (hu - 150.0).max(0.0);
        hu + dense * (self.density - 1.0) + self.offset * step(-900.0, -300.0, hu)
    }
}

/// Everything that the slices of a study share.
pub(super) struct Exposure<'a> {
    pub source: &'a Source,
    pub deform: &'a Deform,
    pub broken: &'a [Broken<'a>],
    pub tone: Tone,
    /// Whether the real scan's own blur is taken out in part.
    pub sharp: bool,
}

/// What is at a place of the real scan once it is broken.
struct Tissue {
    hu: f32,
    label: u8,
    /// The fracture that has changed it by what can be seen, with its level's label.
    mark: Option<(usize, u8)>,
}

impl Exposure<'_> {
    /// Makes slice `index` (0 at the head), without the scanner's blur and noise.
    pub(super) fn slice(&self, scene: &Scene, scan: &Scan, index: usize) -> Slice {
        let (rows, columns) = (scan.rows, scan.columns);
        let mut corner = render::corner(scene, scan) - Vec3::Z * (index as f32 * scan.spacing_mm);
        if let Some((from, to, by)) = scene.moved
            && (from..to).contains(&index)
        {
            corner += by.extend(0.0);
        }
        let layers = ((scan.thickness_mm / 0.9).round() as usize).clamp(1, 4);
        let mut slice = Slice {
            hu: vec![0.0; rows * columns],
            labels: vec![0; rows * columns],
            marks: Marks { boxes: Vec::new(), broken: vec![0; rows * columns], fresh: scene.fresh },
        };
        for layer in 0..layers {
            let offset = ((layer as f32 + 0.5) / layers as f32 - 0.5) * scan.thickness_mm;
            let places = Places::new(self.deform, corner + Vec3::Z * offset, scan);
            for row in 0..rows {
                for column in 0..columns {
                    let at = row * columns + column;
                    let named = layer == layers / 2;
                    let tissue = self.tissue(places.at(row, column), named);
                    slice.hu[at] += tissue.hu / layers as f32;
                    if let Some((owner, label)) = tissue.mark {
                        render::mark(&mut slice.marks.boxes, owner, (column, row));
                        if owner < slice.marks.fresh {
                            slice.marks.broken[at] = label;
                        }
                    }
                    if named {
                        slice.labels[at] = tissue.label;
                    }
                }
            }
        }
        slice
    }

    fn tissue(&self, x: Vec3, named: bool) -> Tissue {
        let hu = self.source.hu(x, self.sharp);
        // No vertebra is in air.
        let label = if named && hu > -400.0 { self.source.vertebra(x) } else { 0 };
        let mut tissue = Tissue { hu, label, mark: None };
        for broken in self.broken {
            self.fracture(broken, x, &mut tissue);
        }
        tissue.hu = self.tone.of(tissue.hu);
        tissue
    }

    /// Changes a place's tissue by one vertebra's fractures.
    fn fracture(&self, broken: &Broken<'_>, x: Vec3, tissue: &mut Tissue) {
        let (bone, damage) = (broken.bone, &broken.damage);
        let reach = damage.most() + HALO + EDGE;
        let (low, high) = bone.extent;
        if (low - x).max(x - high).max_element() > reach {
            return;
        }
        let grown = |x: Vec3| bone.grid.distance(x) - HALO;
        let here = grown(x);
        // The grid's smoothing and the crush's stretch leave some room.
        if here > 1.4 * reach {
            return;
        }
        let p = bone.frame.inward(x);
        // Breaks are never flat: the planes are seen through a gentle swell.
        let swell = swell(p, broken.seed);
        let place = damage.place(p + swell, &|q| grown(bone.frame.outward(q - swell)));
        let cover = |distance: f32| (0.5 - distance / EDGE).clamp(0.0, 1.0);
        // What belongs to a neighbour stays.
        let foreign = bone.others.as_ref().map_or(0.0, |others| cover(2.0 * others.distance(x)));
        let was = cover(here) * (1.0 - foreign);
        let now = cover(place.distance);
        let old = tissue.hu;
        let blood = BLOOD + 14.0 * noise(x / 2.4, 17);
        let moved = place.source.distance(p + swell);
        // Only bone gets denser, not the rim around it.
        let denser = place.denser * cover(place.depth + HALO);
        let still = if was > 0.0 { blood + (old - blood) * (now / was).min(1.0) } else { old };
        let hu = if moved < 1e-4 && denser == 0.0 {
            still
        } else {
            let under = old + (blood - old) * was;
            let brought = self.source.hu(bone.frame.outward(place.source - swell), self.sharp) + denser;
            let shown = under + (brought - under) * now * (1.0 - foreign);
            still + (shown - still) * step(0.0, 0.4, moved).max((denser / 80.0).min(1.0))
        };
        // Bone that has only brought its own texture along is not what shows the fracture.
        let shows = (now * (1.0 - foreign) - was).abs() > 0.2 || denser > 60.0;
        if shows
            && (hu - old).abs() > VISIBLE
            && let Some(owner) = damage.owner(p + swell, 2.5)
        {
            tissue.mark = Some((owner, broken.label));
        }
        tissue.hu = hu;
        // The bone itself is smaller than its picture.
        let solid = place.distance < 0.0 && place.depth + HALO < 0.0;
        if solid && foreign < 0.5 {
            tissue.label = broken.label;
        } else if tissue.label == broken.label {
            tissue.label = 0;
        }
    }
}

/// A displacement of up to a millimetre or so, mm.
fn swell(p: Vec3, seed: u32) -> Vec3 {
    let axis = |seed: u32| 1.1 * noise(p / 7.0, seed) + 0.4 * noise(p / 2.6, seed ^ 5);
    Vec3::new(axis(seed), axis(seed ^ 0x51), axis(seed ^ 0xa3))
}

/// The source of every pixel of a plane.
struct Places {
    nodes: Vec<Vec3>,
    columns: usize,
}

impl Places {
    fn new(deform: &Deform, corner: Vec3, scan: &Scan) -> Self {
        let columns = scan.columns / STRIDE + 2;
        let rows = scan.rows / STRIDE + 2;
        let step = scan.pixel_mm * STRIDE as f32;
        let nodes = (0..rows * columns)
            .map(|index| {
                let at = Vec2::new((index % columns) as f32, (index / columns) as f32) * step;
                deform.source(corner + at.extend(0.0))
            })
            .collect();
        Self { nodes, columns }
    }

    fn at(&self, row: usize, column: usize) -> Vec3 {
        let part = |at: usize| (at / STRIDE, (at % STRIDE) as f32 / STRIDE as f32);
        let ((y, down), (x, across)) = (part(row), part(column));
        let at = y * self.columns + x;
        let upper = self.nodes[at].lerp(self.nodes[at + 1], across);
        let lower = self.nodes[at + self.columns].lerp(self.nodes[at + self.columns + 1], across);
        upper.lerp(lower, down)
    }
}
