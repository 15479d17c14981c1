//! From a recipe to voxels and truth.

use super::fracture::FractureKind;
use super::lookalike::Lookalike;
use super::mesh::PARAMETRIC;
use super::recipe::Recipe;
use super::render::{self, Marked};
use super::scanner::Scanner;
use super::scene::{Other, Scene};
use crate::domain::{CervicalLevel, PatientPoint, PerLevel, VolumeShape};
use crate::task::Cancel;
use rayon::prelude::*;

/// A box around a fracture on one slice, in pixels: `x` and `y` are the first column and row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TruthBox {
    /// Slice, from 0 at the head.
    pub slice: usize,
    /// First column.
    pub x: usize,
    /// First row.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// One fracture as it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct FractureTruth {
    /// Level.
    pub level: CervicalLevel,
    /// Kind.
    pub kind: FractureKind,
    /// Width of the gap, mm.
    pub width_mm: f32,
    /// Motion of the fragment, mm.
    pub displacement_mm: f32,
    /// Where pixels differ from those of the intact bone by something that can be seen (more than 120 HU before blur and
    /// noise), slice by slice; empty where the scan does not show the fracture.
    pub boxes: Vec<TruthBox>,
}

/// What is true of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Fractures in the recipe's order; those whose kind does not occur at their level have no boxes.
    pub fractures: Vec<FractureTruth>,
    /// Healed fractures in the recipe's order. They do not make a level broken.
    pub healed: Vec<FractureTruth>,
    /// Sources of the shapes of C1 to C7, sorted: `parametric`, a folder's or a file's name.
    pub anatomy: Vec<String>,
    /// What looks like a fracture and is none, sorted. Of a real neck only what was put into it is known.
    pub lookalikes: Vec<Lookalike>,
    /// Voxels of each level: 0 where the scan does not show it.
    pub voxels: PerLevel<usize>,
}

impl Truth {
    /// Whether a fracture of this level can be seen in the scan.
    #[must_use]
    pub fn is_broken(&self, level: CervicalLevel) -> bool {
        self.fractures.iter().any(|fracture| fracture.level == level && !fracture.boxes.is_empty())
    }
}

/// A synthetic CT with its truth.
#[derive(Debug, Clone)]
pub struct PhantomStudy {
    /// What it was made from.
    pub recipe: Recipe,
    /// Sizes.
    pub shape: VolumeShape,
    /// HU `[slices, rows, columns]`, head to foot, the patient's right at the left and the front above. −2000 outside the
    /// reconstruction circle, in studies that have one.
    pub voxels: Vec<i16>,
    /// Labels in the same order: 0 nothing, 1 to 7 C1 to C7, 8 and more T1 and those below it.
    pub labels: Vec<u8>,
    /// In the same order the label of the level whose fracture changes the voxel by something that can be seen, or 0.
    pub broken: Vec<u8>,
    /// Edge of a pixel, mm.
    pub pixel_mm: f64,
    /// Distance of neighbouring slices, mm: each lies this much nearer to the feet than the one before.
    pub spacing_mm: f64,
    /// Centre of the first voxel, LPS mm.
    pub origin: PatientPoint,
    /// Truth.
    pub truth: Truth,
}

impl PhantomStudy {
    /// Centre of a slice's first pixel, LPS mm.
    #[must_use]
    pub fn position(&self, slice: usize) -> PatientPoint {
        // The table moves along the patient whatever the gantry does.
        let feed = self.spacing_mm / f64::from(self.recipe.scan.gantry().z_axis.z);
        PatientPoint::new(self.origin.x, self.origin.y, self.origin.z - slice as f64 * feed)
    }

    /// Unit vector along a slice's columns, from its front to its back, LPS. That along the rows is always x.
    #[must_use]
    pub fn down(&self) -> [f64; 3] {
        self.recipe.scan.gantry().y_axis.to_array().map(f64::from)
    }
}

/// Makes a recipe's study; `None` when cancelled.
#[must_use]
pub fn generate(recipe: &Recipe, cancel: &Cancel) -> Option<PhantomStudy> {
    generate_with(recipe, cancel, &|_| None)
}

/// As [`generate`], with other shapes for some vertebrae.
pub(super) fn generate_with(recipe: &Recipe, cancel: &Cancel, other: Other<'_>) -> Option<PhantomStudy> {
    let scan = &recipe.scan;
    let shape = VolumeShape { slices: scan.slices, rows: scan.rows, columns: scan.columns };
    let scene = Scene::new(recipe, other);
    let scanner = Scanner::new(recipe);
    let mut voxels = vec![0_i16; shape.len()];
    let mut labels = vec![0_u8; shape.len()];
    let mut broken = vec![0_u8; shape.len()];
    let length = shape.slice_len().max(1);
    let marked: Option<Vec<Vec<Marked>>> = voxels
        .par_chunks_mut(length)
        .zip(labels.par_chunks_mut(length))
        .zip(broken.par_chunks_mut(length))
        .enumerate()
        .map(|(index, ((voxels, labels), broken))| {
            if cancel.is_cancelled() {
                return None;
            }
            let slice = render::slice(&scene, scan, index);
            voxels.copy_from_slice(&scanner.expose(slice.hu, &scene, scan, index));
            labels.copy_from_slice(&slice.labels);
            broken.copy_from_slice(&slice.marks.broken);
            Some(slice.marks.boxes)
        })
        .collect();
    let mut truth = truth(recipe, &marked?, &labels);
    truth.lookalikes.clone_from(&scene.lookalikes);
    let corner = scan.gantry() * render::corner(&scene, scan);
    Some(PhantomStudy {
        recipe: recipe.clone(),
        shape,
        voxels,
        labels,
        broken,
        pixel_mm: decimal(scan.pixel_mm),
        spacing_mm: decimal(scan.spacing_mm),
        origin: PatientPoint::from_array(corner.to_array().map(decimal)),
        truth,
    })
}

/// The number that was meant: 0.8, not 0.800000012; a nanometre is far below a voxel.
pub(super) fn decimal(mm: f32) -> f64 {
    (f64::from(mm) * 1e6).round() / 1e6
}

/// What is true of a study with these marks (slice by slice) and labels.
pub(super) fn truth(recipe: &Recipe, marked: &[Vec<Marked>], labels: &[u8]) -> Truth {
    // Fewer pixels than make up 1.5 square millimetres are lost in the noise.
    let least = (1.5 / recipe.scan.pixel_mm.powi(2)).clamp(3.0, 30.0) as usize;
    let mut fractures: Vec<FractureTruth> = recipe
        .fractures
        .iter()
        .chain(&recipe.healed)
        .enumerate()
        .map(|(owner, fracture)| {
            let boxes = marked.iter().enumerate().flat_map(|(slice, marks)| {
                let here = marks.iter().filter(move |mark| mark.fracture == owner && mark.pixels >= least);
                here.map(move |mark| TruthBox {
                    slice,
                    x: mark.low.0,
                    y: mark.low.1,
                    width: mark.high.0 - mark.low.0 + 1,
                    height: mark.high.1 - mark.low.1 + 1,
                })
            });
            FractureTruth {
                level: fracture.level,
                kind: fracture.kind,
                width_mm: fracture.width_mm,
                displacement_mm: fracture.displacement_mm,
                boxes: boxes.collect(),
            }
        })
        .collect();
    let healed = fractures.split_off(recipe.fractures.len());
    let voxels = labels
        .par_chunks(1 << 16)
        .map(|labels| {
            let mut counts = [0_usize; 256];
            labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
            PerLevel::from_fn(|level| counts[level.index() + 1])
        })
        .reduce(PerLevel::default, |a, b| PerLevel::from_fn(|level| a[level] + b[level]));
    Truth { fractures, healed, anatomy: vec![PARAMETRIC.to_owned()], lookalikes: Vec::new(), voxels }
}
