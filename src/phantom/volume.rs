//! A real scan in the place of the made-up anatomy: deformed, scanned anew, and broken where the recipe says.
//!
//! A label file names the vertebra of each voxel (1 to 9 for C1 to T2, anything else is other bone). Fractures are made
//! in the real scan's own frame, before it is deformed, so that fragments carry their real texture with them.

mod bone;
mod deform;
mod scan;
mod source;
#[cfg(test)]
mod tests;

use super::fracture::{Damage, Wound};
use super::mesh::source_name;
use super::random::Random;
use super::recipe::{Coverage, Kernel, Recipe};
use super::render::{self, Marked};
use super::scanner::Scanner;
use super::scene::{self, Scene};
use super::study::{PhantomStudy, decimal, truth};
use super::write::PhantomError;
use crate::domain::{PatientPoint, Volume, VolumeShape};
use crate::nifti::LabelVolume;
use crate::task::Cancel;
use bone::Bone;
use deform::{Deform, Part};
use glam::{Vec2, Vec3};
use rayon::prelude::*;
use scan::{Broken, Exposure, Tone};
use source::Source;
use std::path::Path;

/// A real neck to make studies from.
#[derive(Debug)]
pub struct RealNeck {
    source: Source,
    /// C1 to T2, where the labels have them.
    bones: [Option<Bone>; 9],
    /// Where the deformations' frame stands, LPS mm of the real scan.
    middle: Vec3,
    /// Name among the sources of anatomy.
    name: String,
}

impl RealNeck {
    /// Takes a scan and, for fractures and segmentations, its label file.
    ///
    /// # Errors
    /// A scan that is not axial, even and in HU; a label file that cannot be read or does not lie on the scan's bone.
    pub fn new(volume: &Volume, labels: Option<&Path>) -> Result<Self, PhantomError> {
        let mut source = Source::new(volume).map_err(|reason| PhantomError::Volume { reason })?;
        if let Some(path) = labels {
            let wrong = |reason| PhantomError::Labels { path: path.to_owned(), reason };
            let labels = LabelVolume::read(path).map_err(|error| wrong(error.problem.to_string()))?;
            source.label(&labels).map_err(wrong)?;
        }
        let bones: Vec<Option<Bone>> = (0..9).into_par_iter().map(|level| Bone::new(&source, level)).collect();
        let bones: [Option<Bone>; 9] = bones.try_into().unwrap_or_default();
        let middle = [3, 2, 4, 1, 5, 0, 6]
            .into_iter()
            .find_map(|level: usize| bones[level].as_ref())
            .map_or_else(|| source.middle(), |bone| bone.frame.at());
        Ok(Self { source, bones, middle, name: "volume".to_owned() })
    }

    /// The same neck with a name for `truth.json`, such as that of its folder.
    #[must_use]
    pub fn named(mut self, folder: &Path) -> Self {
        self.name = source_name(folder);
        self
    }

    /// Whether vertebrae are labelled, so that they can be broken and segmented.
    #[must_use]
    pub fn is_labelled(&self) -> bool {
        self.source.is_labelled()
    }

    /// Makes a recipe's study from this neck; `None` when cancelled. The study's recipe has as many slices as the real
    /// scan can fill, and no fractures where there are no labels.
    #[must_use]
    pub fn generate(&self, recipe: &Recipe, cancel: &Cancel) -> Option<PhantomStudy> {
        let parts: Vec<Part<'_>> = self
            .bones
            .iter()
            .flatten()
            .map(|bone| Part { grid: &bone.grid, middle: (bone.extent.0 + bone.extent.1) / 2.0 })
            .collect();
        let deform = Deform::random(recipe.seed, self.middle, self.source.extent(), &parts);
        self.expose(recipe, &deform, cancel)
    }

    fn expose(&self, recipe: &Recipe, deform: &Deform, cancel: &Cancel) -> Option<PhantomStudy> {
        let mut recipe = recipe.clone();
        if !self.is_labelled() {
            recipe.fractures.clear();
            recipe.healed.clear();
            // Where the neck ends is not known.
            recipe.scan.coverage = Coverage::Neck;
        }
        let mut tint = Random::new(recipe.seed, "tone");
        let tone = Tone { density: tint.range(0.72, 1.15), offset: tint.normal(0.0, 6.0).clamp(-15.0, 15.0) };
        let scene = self.scene(&mut recipe, deform);
        let wounds = scene::wounds(&recipe);
        let broken: Vec<Broken<'_>> = self
            .bones
            .iter()
            .enumerate()
            .filter_map(|(level, bone)| {
                let here: Vec<Wound> = wounds.iter().filter(|(at, _)| *at == level).map(|(_, wound)| *wound).collect();
                let bone = bone.as_ref()?;
                let mut random = Random::new(recipe.seed, &format!("fracture {level}"));
                let damage = Damage::make(level, bone.sizes.as_ref()?, &here, &mut random);
                let seed = random.bits() as u32;
                (!damage.is_none()).then_some(Broken { label: level as u8 + 1, bone, damage, seed })
            })
            .collect();
        let exposure =
            Exposure { source: &self.source, deform, broken: &broken, tone, sharp: recipe.kernel == Kernel::Bone };
        let scan = &recipe.scan;
        let scanner = Scanner::new(&recipe);
        let shape = VolumeShape { slices: scan.slices, rows: scan.rows, columns: scan.columns };
        let mut voxels = vec![0_i16; shape.len()];
        let mut labels = vec![0_u8; shape.len()];
        let mut marks = vec![0_u8; shape.len()];
        let length = shape.slice_len().max(1);
        let marked: Option<Vec<Vec<Marked>>> = voxels
            .par_chunks_mut(length)
            .zip(labels.par_chunks_mut(length))
            .zip(marks.par_chunks_mut(length))
            .enumerate()
            .map(|(index, ((voxels, labels), broken))| {
                if cancel.is_cancelled() {
                    return None;
                }
                let slice = exposure.slice(&scene, scan, index);
                voxels.copy_from_slice(&scanner.expose(slice.hu, &scene, scan, index));
                labels.copy_from_slice(&slice.labels);
                broken.copy_from_slice(&slice.marks.broken);
                Some(slice.marks.boxes)
            })
            .collect();
        let mut truth = truth(&recipe, &marked?, &labels);
        truth.anatomy = vec![self.name.clone()];
        let corner = render::corner(&scene, scan);
        let (pixel_mm, spacing_mm) = (decimal(scan.pixel_mm), decimal(scan.spacing_mm));
        Some(PhantomStudy {
            shape,
            voxels,
            labels,
            broken: marks,
            pixel_mm,
            spacing_mm,
            origin: PatientPoint::from_array(corner.to_array().map(decimal)),
            truth,
            recipe,
        })
    }

    /// The scanner's view of the real neck: the made-up scene's, with the place and the height of the real one. Cuts the
    /// recipe's slices to what the real scan holds.
    fn scene(&self, recipe: &mut Recipe, deform: &Deform) -> Scene {
        let mut scene = Scene::new(recipe, &|_| None);
        // The made-up teeth are not where the real ones are.
        scene.metal.clear();
        scene.pose = deform.pose;
        let mut lie = Random::new(recipe.seed, "range");
        let (low, high) = self.source.extent();
        let height = |x: Vec3| deform.outward(x).z;
        // The rim of the neck within the field, not only its axis.
        let rim = |z: f32| {
            [(0.0, 0.0), (45.0, 0.0), (-45.0, 0.0), (0.0, 45.0), (0.0, -45.0)]
                .map(|(x, y)| height(Vec3::new(self.middle.x + x, self.middle.y + y, z)))
        };
        let ceiling = rim(high.z).into_iter().fold(f32::MAX, f32::min);
        let floor = rim(low.z).into_iter().fold(f32::MIN, f32::max);
        let level = |level: usize| self.bones[level].as_ref();
        let origin = |index: usize| level(index).map(|bone| height(bone.frame.at()));
        let scan = recipe.scan;
        let length = scan.slices.saturating_sub(1) as f32 * scan.spacing_mm;
        let top = match scan.coverage {
            Coverage::Neck => origin(0).map(|z| z + lie.range(22.0, 36.0).min((length - 110.0).max(12.0))),
            Coverage::WithoutLowerNeck => origin(4).map(|z| z + 4.0 + length),
            Coverage::Head => level(0).map(|bone| height(bone.frame.at().with_z(bone.extent.1.z)) + 5.0 + length),
            Coverage::Chest => level(6).map(|bone| height(bone.frame.at().with_z(bone.extent.0.z)) - 6.0),
        };
        let wanted = top.unwrap_or(ceiling);
        scene.top = wanted.min(ceiling);
        let end = (wanted - length).max(floor);
        let most = ((scene.top - end) / scan.spacing_mm.max(1e-3) + 1.0).max(1.0) as usize;
        recipe.scan.slices = scan.slices.min(most);
        let back = (scan.pixel_mm * scan.columns as f32 * 0.06).min(18.0);
        let at = deform.pose.at.truncate();
        scene.middle = at + Vec2::new(lie.normal(0.0, 4.0), back + lie.normal(0.0, 5.0));
        scene
    }
}
