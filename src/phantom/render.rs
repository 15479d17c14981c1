//! One slice: what tissue lies at each pixel, averaged over the slice's thickness.

use super::recipe::Scan;
use super::scene::Scene;
use super::solid::Solid;
use super::spine::Pose;
use glam::Vec3;

/// A box on a picture: columns and rows from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marked {
    pub fracture: usize,
    pub low: (usize, usize),
    pub high: (usize, usize),
    pub pixels: usize,
}

/// A slice without blur and noise.
#[derive(Debug)]
pub(super) struct Slice {
    pub hu: Vec<f32>,
    pub labels: Vec<u8>,
    pub marks: Marks,
}

/// Where a fracture changes what is seen.
#[derive(Debug)]
pub(super) struct Marks {
    /// A box for each fracture that the slice shows.
    pub boxes: Vec<Marked>,
    /// Of each pixel the label of the level whose fresh fracture changes it, or 0.
    pub broken: Vec<u8>,
    /// Fractures from this one on are old.
    pub fresh: usize,
}

/// A change of this many HU can be seen.
pub(super) const VISIBLE: f32 = 120.0;
/// Pixels of a block that is looked at as a whole first.
const BLOCK: usize = 8;

/// Makes slice `index` (0 at the head).
pub(super) fn slice(scene: &Scene, scan: &Scan, index: usize) -> Slice {
    let (rows, columns, pixel) = (scan.rows, scan.columns, scan.pixel_mm);
    let z = scene.top - index as f32 * scan.spacing_mm;
    let mut corner = corner_of(scene, scan, index);
    if let Some((from, to, by)) = scene.moved
        && (from..to).contains(&index)
    {
        corner += by.extend(0.0);
    }
    let turn = scene.pose.turn.transpose();
    let (across, down) = (turn * Vec3::X * pixel, turn * Vec3::Y * pixel);
    let first = scene.pose.inward(Vec3::new(corner.x, corner.y, z));
    let mut tissue = vec![0.0; rows * columns];
    for (row, hu) in tissue.chunks_exact_mut(columns.max(1)).enumerate() {
        scene.neck.line(first + down * row as f32, across, hu);
    }
    let layers = ((scan.thickness_mm / 0.9).round() as usize).clamp(1, 4);
    let mut labels = vec![0; rows * columns];
    let mut marks = Marks { boxes: Vec::new(), broken: vec![0; rows * columns], fresh: scene.fresh };
    let mut sum = vec![0.0_f32; if layers == 1 { 0 } else { rows * columns }];
    for layer in 0..layers {
        let offset = ((layer as f32 + 0.5) / layers as f32 - 0.5) * scan.thickness_mm;
        let mut picture = if layers == 1 { std::mem::take(&mut tissue) } else { tissue.clone() };
        let plane = Plane { corner: Vec3::new(corner.x, corner.y, z + offset), rows, columns, pixel };
        let mut seen = (layer == layers / 2).then_some(&mut labels);
        for solid in &scene.solids {
            plane.draw(solid, scene.pose, &mut picture, seen.as_deref_mut(), &mut marks);
        }
        if layers == 1 {
            return Slice { hu: picture, labels, marks };
        }
        for (sum, hu) in sum.iter_mut().zip(&picture) {
            *sum += hu / layers as f32;
        }
    }
    Slice { hu: sum, labels, marks }
}

/// Centre of the first slice's first pixel in the scanner's frame, mm.
pub(super) fn corner(scene: &Scene, scan: &Scan) -> Vec3 {
    let half = |count: usize| count.saturating_sub(1) as f32 / 2.0;
    Vec3::new(
        scene.middle.x - half(scan.columns) * scan.pixel_mm,
        // Where the stack is sheared, its middle slice has the field's middle.
        scene.middle.y - half(scan.rows) * scan.pixel_mm - half(scan.slices) * scan.drift(),
        scene.top,
    )
}

/// As [`corner`], of slice `index`.
pub(super) fn corner_of(scene: &Scene, scan: &Scan, index: usize) -> Vec3 {
    let index = index as f32;
    corner(scene, scan) + Vec3::new(0.0, index * scan.drift(), -index * scan.spacing_mm)
}

struct Plane {
    corner: Vec3,
    rows: usize,
    columns: usize,
    pixel: f32,
}

impl Plane {
    fn draw(
        &self,
        solid: &Solid,
        neck: Pose,
        picture: &mut [f32],
        mut labels: Option<&mut Vec<u8>>,
        marks: &mut Marks,
    ) {
        let pose = Pose { turn: neck.turn * solid.pose.turn, at: neck.outward(solid.pose.at) };
        let margin = Vec3::splat(1.0 + solid.damage.most());
        let (low, high) = (solid.bounds.0 - margin, solid.bounds.1 + margin);
        let Some((columns, rows)) = self.reach(pose, low, high) else { return };
        let turn = pose.turn.transpose();
        let (across, down) = (turn * Vec3::X * self.pixel, turn * Vec3::Y * self.pixel);
        let origin = turn * (self.corner - pose.at);
        let radius = BLOCK as f32 * 0.7072 * self.pixel + 1.0 + solid.damage.most();
        for top in rows.clone().step_by(BLOCK) {
            for left in columns.clone().step_by(BLOCK) {
                let half = (BLOCK as f32 - 1.0) / 2.0;
                let centre = origin + down * (top as f32 + half) + across * (left as f32 + half);
                let outside = (low - centre).max(centre - high).max_element();
                // Warped shapes are not exact distances, so keep some room.
                if outside > radius || (solid.distance)(centre) > 1.6 * radius {
                    continue;
                }
                for row in top..(top + BLOCK).min(rows.end) {
                    let start = origin + down * row as f32;
                    for column in left..(left + BLOCK).min(columns.end) {
                        let p = start + across * column as f32;
                        self.pixel(solid, p, (column, row), picture, labels.as_deref_mut(), marks);
                    }
                }
            }
        }
    }

    fn pixel(
        &self,
        solid: &Solid,
        p: Vec3,
        (column, row): (usize, usize),
        picture: &mut [f32],
        labels: Option<&mut Vec<u8>>,
        marks: &mut Marks,
    ) {
        let index = row * self.columns + column;
        let below = picture[index];
        let blend = |distance: f32, hu: f32| below + (hu - below) * (0.5 - distance / self.pixel).clamp(0.0, 1.0);
        let sample = solid.sample(p);
        let hu = blend(sample.distance, sample.hu);
        if !solid.damage.is_none() {
            let intact = solid.intact(p);
            if (blend(intact.distance, intact.hu) - hu).abs() > VISIBLE
                && let Some(fracture) = solid.damage.owner(solid.rise.raised(p), 2.5)
            {
                mark(&mut marks.boxes, fracture, (column, row));
                if fracture < marks.fresh {
                    marks.broken[index] = solid.label;
                }
            }
            // What the break opens is filled with blood, not with what lay under the bone.
            let was = (0.5 - intact.distance / self.pixel).clamp(0.0, 1.0);
            let is = (0.5 - sample.distance / self.pixel).clamp(0.0, 1.0);
            if was > is {
                picture[index] = hu + (45.0 - below) * (was - is);
                return;
            }
        }
        picture[index] = hu;
        if solid.label > 0
            && sample.distance < 0.0
            && let Some(labels) = labels
        {
            labels[index] = solid.label;
        }
    }

    /// Columns and rows that the box can reach in this plane.
    fn reach(&self, pose: Pose, low: Vec3, high: Vec3) -> Option<(std::ops::Range<usize>, std::ops::Range<usize>)> {
        let (mut least, mut most) = (Vec3::MAX, Vec3::MIN);
        for corner in 0..8 {
            let pick = |bit: usize, a: f32, b: f32| if corner >> bit & 1 == 0 { a } else { b };
            let p = pose.outward(Vec3::new(pick(0, low.x, high.x), pick(1, low.y, high.y), pick(2, low.z, high.z)));
            (least, most) = (least.min(p), most.max(p));
        }
        if self.corner.z < least.z || self.corner.z > most.z {
            return None;
        }
        let span = |least: f32, most: f32, from: f32, count: usize| {
            let first = ((least - from) / self.pixel).floor().max(0.0) as usize;
            let end = (((most - from) / self.pixel).ceil() + 1.0).max(0.0) as usize;
            first.min(count)..end.min(count)
        };
        let columns = span(least.x, most.x, self.corner.x, self.columns);
        let rows = span(least.y, most.y, self.corner.y, self.rows);
        (!columns.is_empty() && !rows.is_empty()).then_some((columns, rows))
    }
}

/// Widens the fracture's box by a pixel (column, row).
pub(super) fn mark(marked: &mut Vec<Marked>, fracture: usize, at: (usize, usize)) {
    match marked.iter_mut().find(|mark| mark.fracture == fracture) {
        Some(mark) => {
            mark.low = (mark.low.0.min(at.0), mark.low.1.min(at.1));
            mark.high = (mark.high.0.max(at.0), mark.high.1.max(at.1));
            mark.pixels += 1;
        }
        None => marked.push(Marked { fracture, low: at, high: at, pixels: 1 }),
    }
}
