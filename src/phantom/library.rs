//! Vertebrae from several sources in one frame, so that corresponding levels can be blended.

use super::blend::Blend;
use super::grid::Grid;
use super::label_shapes;
use super::lattice::Lattice;
use super::mesh::{self, PARAMETRIC, Shape, source_name};
use super::morphometry::{self, Build, Sizes};
use super::random::Random;
use super::recipe::Recipe;
use super::registration::{Band, fit};
use super::spine::Pose;
use super::study::{PhantomStudy, generate_with};
use super::vertebra;
use super::write::PhantomError;
use crate::nifti::LabelVolume;
use crate::task::Cancel;
use glam::{Mat3, Vec3};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Mean distance between the surfaces of a source and the reference above which the source's level is not used, mm.
const LARGEST_MISS: f32 = 1.0;
pub(super) const LEVELS: usize = label_shapes::LEVELS;

/// Where vertebrae come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnatomySource {
    /// The program's own shapes.
    Parametric,
    /// A NIfTI file of labels: 1 to 7 for C1 to C7, 8 and 9 for T1 and T2.
    Labels {
        /// Name in `truth.json`.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// A folder of closed surfaces `C1….obj` to `C7….obj`, LPS mm.
    Surfaces {
        /// Name in `truth.json`.
        name: String,
        /// The folder.
        path: PathBuf,
    },
}

impl AnatomySource {
    /// The source that a text names: `parametric`, a path, or `NAME=PATH`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == PARAMETRIC {
            return Self::Parametric;
        }
        let (name, path) = match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !name.contains('/') => (name.to_owned(), PathBuf::from(path)),
            _ => (source_name(Path::new(text)), PathBuf::from(text)),
        };
        if path.is_dir() { Self::Surfaces { name, path } } else { Self::Labels { name, path } }
    }
}

/// One level's reference: a parametric vertebra of mean size.
pub(super) struct Reference {
    pub sizes: Sizes,
    pub grid: Arc<Grid>,
    pub band: Band,
}

/// One level of a source, laid over the reference.
pub(super) struct Part {
    pub grid: Arc<Grid>,
    /// The reference's frame in the source's.
    pub pose: Pose,
    /// From the reference's places to the source's, along the reference's axes.
    pub warp: Lattice,
}

/// One source.
pub(super) struct Member {
    pub name: String,
    pub parts: [Option<Part>; LEVELS],
    /// Whether the parts' poses are those of one neck.
    pub posed: bool,
}

/// Several sources of vertebrae in correspondence. Levels that no source has keep their parametric shape.
pub struct AnatomyLibrary {
    pub(super) references: [Option<Reference>; LEVELS],
    pub(super) members: Vec<Member>,
    left_out: Vec<String>,
}

/// The distance fields of a source, level by level.
type Levels = [Option<Arc<Grid>>; LEVELS];

impl std::fmt::Debug for AnatomyLibrary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.members.iter().map(|member| &member.name)).finish()
    }
}

impl AnatomyLibrary {
    /// Reads the sources and lays their vertebrae over each other.
    ///
    /// # Errors
    /// A source that cannot be read, or in which no cervical vertebra is found.
    pub fn load(sources: &[AnatomySource]) -> Result<Self, PhantomError> {
        let mut found: Vec<(String, PathBuf, Levels)> = Vec::new();
        for source in sources {
            match source {
                AnatomySource::Parametric => {}
                AnatomySource::Labels { name, path } => {
                    let labels = LabelVolume::read(path).map_err(|error| wrong(path, error.problem.to_string()))?;
                    found.push((
                        name.clone(),
                        path.clone(),
                        label_shapes::grids(&labels).map(|grid| grid.map(Arc::new)),
                    ));
                }
                AnatomySource::Surfaces { name, path } => {
                    let mut grids = [const { None }; LEVELS];
                    for (level, _, grid) in mesh::grids(path)? {
                        grids[level] = Some(grid);
                    }
                    found.push((name.clone(), path.clone(), grids));
                }
            }
        }
        let references: Vec<Option<Reference>> = (0..LEVELS)
            .into_par_iter()
            .map(|level| found.iter().any(|(.., grids)| grids[level].is_some()).then(|| reference(level)).flatten())
            .collect();
        let references: [Option<Reference>; LEVELS] = references.try_into().unwrap_or([const { None }; LEVELS]);
        let (mut members, mut left_out) = (Vec::new(), Vec::new());
        for (name, path, grids) in found {
            let parts: Vec<Option<Part>> = (0..LEVELS)
                .into_par_iter()
                .map(|level| part(level, references[level].as_ref()?, grids[level].as_ref()?))
                .collect();
            if !parts.iter().take(7).any(Option::is_some) {
                return Err(wrong(&path, "no label from 1 to 7 has the shape of C1 to C7".into()));
            }
            for (level, _) in parts.iter().enumerate().filter(|(level, part)| part.is_none() && grids[*level].is_some())
            {
                let vertebra = if level < 7 { format!("C{}", level + 1) } else { format!("T{}", level - 6) };
                left_out.push(format!(
                    "{name}: {vertebra} has no shape that fits a vertebra within {LARGEST_MISS} mm; it is not used"
                ));
            }
            let parts = parts.try_into().unwrap_or([const { None }; LEVELS]);
            members.push(Member { name, parts, posed: true });
        }
        if sources.contains(&AnatomySource::Parametric) {
            let parts = std::array::from_fn(|level| {
                let reference = references[level].as_ref()?;
                let (low, high) = reference.grid.extent();
                let grid = Arc::clone(&reference.grid);
                let pose = Pose { turn: Mat3::IDENTITY, at: Vec3::ZERO };
                Some(Part { grid, pose, warp: Lattice::still(low, high, 20.0) })
            });
            members.push(Member { name: PARAMETRIC.to_owned(), parts, posed: false });
        }
        Ok(Self { references, members, left_out })
    }

    /// The vertebrae of the sources that are not used, one sentence for each.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// As [`crate::phantom::generate`], with vertebrae blended from the sources as the recipe's seed says.
    #[must_use]
    pub fn generate(&self, recipe: &Recipe, cancel: &Cancel) -> Option<PhantomStudy> {
        let blend = Blend::draw(self, recipe.seed);
        if cancel.is_cancelled() {
            return None;
        }
        let mut study = generate_with(recipe, cancel, &|level| blend.shape(level))?;
        study.truth.anatomy = blend.names().to_vec();
        Some(study)
    }
}

fn wrong(path: &Path, reason: String) -> PhantomError {
    PhantomError::Source { path: path.to_owned(), reason }
}

fn reference(level: usize) -> Option<Reference> {
    let build = Build { scale: 1.0, wear: 0.0, density: [1000.0, 350.0] };
    let sizes = morphometry::draw(build, &mut Random::new(0, "reference")).into_iter().nth(level)?;
    let (low, high) = vertebra::bounds(level, &sizes);
    let grid = Arc::new(Grid::of_places(low, high, &|p| vertebra::plain(level, &sizes, p) < 0.0)?);
    let band = Band::new(&grid);
    Some(Reference { sizes, grid, band })
}

fn part(level: usize, reference: &Reference, grid: &Arc<Grid>) -> Option<Part> {
    let start = Shape::new(level, Arc::clone(grid)).map_or_else(
        |_| {
            let (low, high) = grid.extent();
            // The body lies before the middle of the box.
            Pose { turn: Mat3::IDENTITY, at: (low + high) / 2.0 - Vec3::Y * 10.0 }
        },
        |shape| shape.frame(),
    );
    let fit = fit(&reference.grid, &reference.band, grid, start);
    (fit.miss < LARGEST_MISS).then(|| Part { grid: Arc::clone(grid), pose: fit.pose, warp: fit.warp })
}
