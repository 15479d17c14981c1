//! The real scan: its voxels, what bone each belongs to, and how both are looked up between voxels.

use crate::domain::{PatientPoint, Units, Volume};
use crate::nifti::LabelVolume;
use glam::{DVec3, Vec3};
use rayon::prelude::*;

/// A real scan on an axis-parallel grid: columns to the left, rows to the back, slices to the feet.
#[derive(Debug)]
pub(super) struct Source {
    /// Columns, rows, slices.
    pub sizes: [usize; 3],
    /// Steps between neighbours along x, y and z (down), mm.
    steps: Vec3,
    /// Centre of the first voxel, LPS mm.
    first: Vec3,
    voxels: Vec<i16>,
    /// With the blur of the scan's own kernel taken out in part.
    sharp: Vec<i16>,
    /// Empty without a label file.
    labels: Vec<u8>,
}

impl Source {
    /// Takes a scan's voxels, and its labels by the place of each voxel.
    ///
    /// # Errors
    /// A text that says why the scan cannot be used.
    pub(super) fn new(volume: &Volume) -> Result<Self, String> {
        let (Some(plane), Some(spacing)) = (volume.plane, volume.spacing) else {
            return Err("the files do not give the positions of the voxels".into());
        };
        let upright = plane.row_cosines.dot(DVec3::X) > 0.9999
            && plane.column_cosines.dot(DVec3::Y) > 0.9999
            && volume.stack_axis.dot(DVec3::NEG_Z) > 0.9999;
        let Some(between) = volume.stack.spacing.filter(|_| upright && volume.stack.gaps().is_empty()) else {
            return Err("it is not an axial series with even spacing and without tilt".into());
        };
        let shape = volume.shape;
        let sizes = [shape.columns, shape.rows, shape.slices];
        if volume.units != Units::Hounsfield
            || sizes.iter().any(|&size| size < 16)
            || volume.voxels.len() != shape.len()
        {
            return Err("it is not a CT volume of at least 16 voxels along each axis".into());
        }
        let steps = DVec3::new(spacing.column, spacing.row, between).as_vec3();
        let mut source = Self {
            sizes,
            steps,
            first: plane.position.as_vec3(),
            voxels: volume.voxels.clone(),
            sharp: Vec::new(),
            labels: Vec::new(),
        };
        source.sharp = source.sharpened();
        Ok(source)
    }

    /// Gives every voxel the label at its place.
    ///
    /// # Errors
    /// A text that says why the labels do not belong to this scan.
    pub(super) fn label(&mut self, labels: &LabelVolume) -> Result<(), String> {
        let [columns, rows, _] = self.sizes;
        let found: Vec<u8> = (0..self.voxels.len())
            .into_par_iter()
            .map(|index| {
                let place = [index % columns, index / columns % rows, index / (columns * rows)];
                labels.label_at(self.place(place))
            })
            .collect();
        let bone = |label: u8| (1..=9).contains(&label);
        let (mut count, mut sum) = (0_usize, 0.0);
        for (&hu, _) in self.voxels.iter().zip(&found).filter(|(_, label)| bone(**label)) {
            (count, sum) = (count + 1, sum + f64::from(hu));
        }
        let whole = labels.labels.iter().filter(|label| bone(**label)).count() as f64 * labels.voxel_mm3();
        let share = count as f64 * f64::from(self.steps.element_product()) / whole.max(1e-9);
        if whole <= 0.0 {
            return Err("it holds none of the labels 1 to 9 (C1 to T2)".into());
        }
        if share < 0.5 {
            return Err(format!("{:.0} % of its vertebrae are outside the scan", 100.0 * (1.0 - share)));
        }
        let mean = sum / count.max(1) as f64;
        // Soft tissue has less than 100 HU; whole vertebrae with their marrow have twice that and more.
        if mean < 130.0 {
            return Err(format!(
                "its vertebrae are at tissue of {mean:.0} HU, which is not bone: it belongs to another scan"
            ));
        }
        self.labels = found;
        Ok(())
    }

    fn place(&self, [column, row, slice]: [usize; 3]) -> PatientPoint {
        self.outward(Vec3::new(column as f32, row as f32, slice as f32)).as_dvec3()
    }

    /// Fractional indices of a point, LPS mm.
    fn inward(&self, p: Vec3) -> Vec3 {
        (p - self.first) * Vec3::new(1.0, 1.0, -1.0) / self.steps
    }

    /// The place of fractional indices, LPS mm.
    fn outward(&self, q: Vec3) -> Vec3 {
        self.first + q * self.steps * Vec3::new(1.0, 1.0, -1.0)
    }

    /// Corners of the box of voxels' centres, LPS mm.
    pub(super) fn extent(&self) -> (Vec3, Vec3) {
        let last = self.outward(Vec3::from_array(self.sizes.map(|size| size as f32 - 1.0)));
        (self.first.min(last), self.first.max(last))
    }

    /// HU at a point, by cubic convolution (Keys 1981, a = −½), which keeps edges as sharp as the scan has them; air
    /// beside the scan, its last slice above and below it.
    pub(super) fn hu(&self, p: Vec3, sharp: bool) -> f32 {
        let q = self.inward(p);
        let [columns, rows, slices] = self.sizes;
        let edge = Vec3::new(columns as f32 - 1.0, rows as f32 - 1.0, slices as f32 - 1.0);
        if !(q.x >= -0.5 && q.y >= -0.5 && q.x <= edge.x + 0.5 && q.y <= edge.y + 0.5) {
            return f32::from(Volume::AIR);
        }
        let q = q.clamp(Vec3::ZERO, edge);
        let floor = q.floor();
        let (x, y, z) = (floor.x as usize, floor.y as usize, floor.z as usize);
        let voxels = if sharp { &self.sharp } else { &self.voxels };
        let at = |x: usize, y: usize, z: usize| voxels[(z * rows + y) * columns + x];
        // Most of a picture is air around the patient: no edge to keep sharp.
        let (one, other) = (at(x, y, z), at((x + 1).min(columns - 1), (y + 1).min(rows - 1), (z + 1).min(slices - 1)));
        if one < EMPTY && other < EMPTY {
            return f32::from(one);
        }
        let f = q - floor;
        let taps = |at: usize, size: usize| -> [usize; 4] {
            let last = size - 1;
            [at.saturating_sub(1), at, (at + 1).min(last), (at + 2).min(last)]
        };
        let (xs, ys, zs) = (taps(x, columns), taps(y, rows), taps(z, slices));
        let (wx, wy, wz) = (keys(f.x), keys(f.y), keys(f.z));
        let inner = x >= 1 && x + 2 < columns;
        let mut sum = 0.0;
        for (z, wz) in zs.into_iter().zip(wz) {
            for (y, wy) in ys.into_iter().zip(wy) {
                let row = &voxels[(z * rows + y) * columns..][..columns];
                let four = if inner {
                    let near = &row[x - 1..x + 3];
                    [near[0], near[1], near[2], near[3]]
                } else {
                    xs.map(|x| row[x])
                };
                let [a, b, c, d] = four.map(f32::from);
                sum += wz * wy * (wx[0] * a + wx[1] * b + wx[2] * c + wx[3] * d);
            }
        }
        sum
    }

    /// The weight of the labels for which `is` holds at a point, 0 to 1.
    fn share(&self, p: Vec3, is: &dyn Fn(u8) -> bool) -> f32 {
        let [columns, rows, slices] = self.sizes;
        let q = self.inward(p);
        let edge = Vec3::new(columns as f32 - 1.001, rows as f32 - 1.001, slices as f32 - 1.001);
        if self.labels.is_empty() || q.clamp(Vec3::ZERO, edge) != q {
            return 0.0;
        }
        let (x, y, z) = (q.x as usize, q.y as usize, q.z as usize);
        let f = q - q.floor();
        let mut sum = 0.0;
        for corner in 0..8_usize {
            let (dx, dy, dz) = (corner & 1, corner >> 1 & 1, corner >> 2);
            let label = self.labels[((z + dz) * rows + y + dy) * columns + x + dx];
            if is(label) {
                let pick = |d: usize, f: f32| if d == 1 { f } else { 1.0 - f };
                sum += pick(dx, f.x) * pick(dy, f.y) * pick(dz, f.z);
            }
        }
        sum
    }

    /// Whether a point lies in bone for which `is` holds.
    pub(super) fn holds(&self, p: Vec3, is: &dyn Fn(u8) -> bool) -> bool {
        self.share(p, is) > 0.5
    }

    /// The vertebra (1 to 9) that a point lies in, or 0.
    pub(super) fn vertebra(&self, p: Vec3) -> u8 {
        let [columns, rows, slices] = self.sizes;
        let q = self.inward(p);
        let edge = Vec3::new(columns as f32 - 1.0, rows as f32 - 1.0, slices as f32 - 1.0);
        if self.labels.is_empty() || q.clamp(Vec3::ZERO, edge) != q {
            return 0;
        }
        let near = q.round();
        let at = |x: usize, y: usize, z: usize| self.labels[(z * rows + y) * columns + x];
        let (x, y, z) = (near.x as usize, near.y as usize, near.z as usize);
        let label = at(x, y, z);
        let range = |at: usize, size: usize| at.saturating_sub(1)..(at + 2).min(size);
        let even = range(z, slices).all(|z| range(y, rows).all(|y| range(x, columns).all(|x| at(x, y, z) == label)));
        let known = |label: u8| if label <= 9 { label } else { 0 };
        if even {
            return known(label);
        }
        let mut best = (0, 0.0);
        for z in range(z, slices) {
            for y in range(y, rows) {
                for x in range(x, columns) {
                    let here = known(at(x, y, z));
                    if here != best.0 && here > 0 {
                        let share = self.share(p, &|label| label == here);
                        if share > best.1 {
                            best = (here, share);
                        }
                    }
                }
            }
        }
        // Where two vertebrae touch, neither has a half.
        if best.1 > 0.5 || best.1 > 0.25 && self.share(p, &|label| known(label) > 0) > 0.5 { best.0 } else { 0 }
    }

    /// Corners (LPS mm) of the box of a label's voxels; `None` where fewer than 500 mm³ have it.
    pub(super) fn span(&self, wanted: u8) -> Option<(Vec3, Vec3)> {
        let [columns, rows, _] = self.sizes;
        let (mut low, mut high) = (Vec3::MAX, Vec3::MIN);
        let mut count = 0;
        for (index, _) in self.labels.iter().enumerate().filter(|(_, label)| **label == wanted) {
            let place = self.place([index % columns, index / columns % rows, index / (columns * rows)]).as_vec3();
            (low, high) = (low.min(place), high.max(place));
            count += 1;
        }
        (count as f32 * self.steps.element_product() >= 500.0).then_some((low, high))
    }

    /// Whether the scan has labels.
    pub(super) fn is_labelled(&self) -> bool {
        !self.labels.is_empty()
    }

    /// The middle of what is dense in the middle third of the slices; of the scan where nothing is.
    pub(super) fn middle(&self) -> Vec3 {
        let [columns, rows, slices] = self.sizes;
        let range = slices / 3..slices - slices / 3;
        let (mut sum, mut count) = (Vec3::ZERO, 0.0);
        for z in range {
            for y in 0..rows {
                let row = &self.voxels[(z * rows + y) * columns..][..columns];
                for (x, _) in row.iter().enumerate().filter(|(_, hu)| **hu > 250) {
                    (sum, count) = (sum + Vec3::new(x as f32, y as f32, z as f32), count + 1.0);
                }
            }
        }
        let centre = Vec3::from_array(self.sizes.map(|size| size as f32 / 2.0));
        self.outward(if count > 0.0 { sum / count } else { centre })
    }

    /// Unsharp mask over three voxels in the plane.
    fn sharpened(&self) -> Vec<i16> {
        let [columns, rows, _] = self.sizes;
        let weights = [0.25, 0.5, 0.25];
        let mut sharp = vec![0_i16; self.voxels.len()];
        let length = columns * rows;
        sharp.par_chunks_mut(length).zip(self.voxels.par_chunks(length)).for_each(|(out, slice)| {
            for (index, out) in out.iter_mut().enumerate() {
                let (x, y) = (index % columns, index / columns);
                let mut blur = 0.0;
                for (j, wy) in weights.into_iter().enumerate() {
                    let y = (y + j).saturating_sub(1).min(rows - 1);
                    for (i, wx) in weights.into_iter().enumerate() {
                        let x = (x + i).saturating_sub(1).min(columns - 1);
                        blur += wx * wy * f32::from(slice[y * columns + x]);
                    }
                }
                let hu = f32::from(slice[index]);
                *out = (hu + SHARPER * (hu - blur)).clamp(-1024.0, 3071.0) as i16;
            }
        });
        sharp
    }
}

/// How much of the difference to the blurred picture is added for a bone kernel.
const SHARPER: f32 = 0.8;

/// HU below which a voxel is taken for air.
const EMPTY: i16 = -950;

/// Weights of the four voxels around a fraction.
fn keys(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, -1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2]
}
