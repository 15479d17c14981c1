//! Vertebrae from closed surfaces (OBJ, LPS mm) in place of the parametric ones.

use super::grid::Grid;
use super::morphometry::Sizes;
use super::recipe::Recipe;
use super::rise::Rise;
use super::spine::{Pose, turn_by};
use super::study::{PhantomStudy, generate_with};
use super::write::PhantomError;
use crate::task::Cancel;
use glam::{Mat3, Vec3};
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A vertebra's shape as a field of distances, with the frame in which fractures know their way.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    grid: Arc<Grid>,
    /// The vertebra's own frame in the mesh's.
    turn: Mat3,
    at: Vec3,
    /// Box in the own frame.
    bounds: (Vec3, Vec3),
    /// Half width, depth and height of the body, canal depth, spinous and transverse reach: see [`Sizes`].
    measures: [f32; 6],
    /// More measures, of shapes that fit those above and below.
    more: Option<More>,
}

/// What is known of a shape that belongs to a whole neck: see [`Sizes`].
#[derive(Debug, Clone, Copy)]
pub(super) struct More {
    /// Half width of the canal, mm.
    pub canal_half_width: f32,
    /// How far the spinous process's tip lies below the body's middle, mm.
    pub spinous_drop: f32,
    /// Where the vertebra stands over the next caudal one, and the height of the disc between, mm.
    pub seat: Option<(Vec3, f32)>,
    /// How the arch stands.
    pub rise: Rise,
}

impl Shape {
    /// A shape of this level (0 = C1) with the frame that is found from it.
    ///
    /// # Errors
    /// When no lateral masses (C1) or no body (the others) are found.
    pub(super) fn new(level: usize, grid: Arc<Grid>) -> Result<Self, String> {
        framed(level, grid)
    }

    /// A shape with known measures whose own frame is upright at `at`.
    pub(super) fn measured(grid: Arc<Grid>, at: Vec3, measures: [f32; 6], more: More) -> Self {
        let (low, high) = grid.extent();
        Self { grid, turn: Mat3::IDENTITY, at, bounds: (low - at, high - at), measures, more: Some(more) }
    }

    /// The vertebra's own frame in the one that the surface came in.
    pub(super) fn frame(&self) -> Pose {
        Pose { turn: self.turn, at: self.at }
    }

    /// Whether it was made to stand between its neighbors.
    pub(super) fn is_seated(&self) -> bool {
        self.more.is_some()
    }

    /// How the arch stands, at this scale.
    pub(super) fn rise(&self, scale: f32) -> Rise {
        self.more.map_or(Rise::default(), |more| more.rise.scaled(scale))
    }

    /// Sizes for a neck of this scale: those of the mesh where they can be measured, else those that were drawn.
    pub(super) fn sizes(&self, drawn: &Sizes, scale: f32) -> Sizes {
        let [half_width, half_depth, half_height, canal_depth, spinous, transverse] =
            self.measures.map(|mm| mm * scale);
        let mut sizes = Sizes {
            half_width: [half_width, half_width],
            half_depth,
            half_height,
            canal_depth,
            spinous,
            transverse,
            ..drawn.clone()
        };
        if let Some(more) = self.more {
            sizes.canal_half_width = more.canal_half_width * scale;
            sizes.spinous_drop = more.spinous_drop * scale;
            if let Some((seat, disc)) = more.seat {
                // A worn disc is low in any neck.
                let worn = (0.6 * (drawn.disc - 5.0 * scale)).clamp(-2.2, 0.6).max(1.8 - disc * scale);
                let worn = if disc > 0.0 { worn.min(1.0) } else { 0.0 };
                sizes.seat = Some(seat * scale + Vec3::Z * worn);
                sizes.disc = (disc * scale + worn).max(1.5);
            }
        }
        sizes
    }

    /// Distance and box in the own frame, at this scale.
    pub(super) fn solid(&self, scale: f32) -> (super::solid::Distance, (Vec3, Vec3)) {
        let (grid, turn, at) = (Arc::clone(&self.grid), self.turn, self.at);
        let distance = move |p: Vec3| grid.distance(turn * (p / scale) + at) * scale;
        (Box::new(distance), (self.bounds.0 * scale, self.bounds.1 * scale))
    }
}

/// Meshes for some or all of C1 to C7.
#[derive(Debug, Clone)]
pub struct MeshSet {
    shapes: [Option<Shape>; 7],
    name: String,
}

impl MeshSet {
    /// Reads every `C1….obj` to `C7….obj` of a folder: closed surfaces in millimetres, x to the left, y to the back, z to
    /// the head. Levels without a file keep their parametric shape.
    ///
    /// # Errors
    /// When the folder cannot be read, holds no such file, or a file is no closed surface of a vertebra's size.
    pub fn load(dir: &Path) -> Result<Self, PhantomError> {
        let mut shapes = [const { None }; 7];
        for (level, path, grid) in grids(dir)? {
            let shape = framed(level, grid).map_err(|reason| PhantomError::Mesh { path, reason })?;
            shapes[level] = Some(shape);
        }
        Ok(Self { shapes, name: source_name(dir) })
    }

    /// The sources of the vertebrae C1 to C7, in order.
    pub(super) fn anatomy(&self) -> Vec<String> {
        let some = self.shapes.iter().any(Option::is_none).then(|| PARAMETRIC.to_owned());
        let mut names: Vec<String> = some.into_iter().chain([self.name.clone()]).collect();
        names.sort();
        names
    }

    /// As [`crate::phantom::generate`], with these meshes' vertebrae.
    #[must_use]
    pub fn generate(&self, recipe: &Recipe, cancel: &Cancel) -> Option<PhantomStudy> {
        let mut study = generate_with(recipe, cancel, &|level| self.shapes.get(level)?.as_ref())?;
        study.truth.anatomy = self.anatomy();
        Some(study)
    }
}

/// Name of the program's own shapes among the sources of anatomy.
pub(super) const PARAMETRIC: &str = "parametric";

/// Name of a folder or file as a source of anatomy: its own without endings; a file with an everyday name has its folder's.
pub(super) fn source_name(path: &Path) -> String {
    let own = |path: &Path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = [".nii.gz", ".nii"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name).to_owned();
        name.strip_suffix("-labels").unwrap_or(&name).to_owned()
    };
    let name = match (own(path).as_str(), path.parent()) {
        ("labels" | "segmentation" | "mask", Some(folder)) => own(folder),
        (name, _) => name.to_owned(),
    };
    if name.eq_ignore_ascii_case("bodyparts3d") { "BodyParts3D".to_owned() } else { name }
}

/// The closed surfaces `C1….obj` to `C7….obj` of a folder as fields of distances: level, file, field.
///
/// # Errors
/// As [`MeshSet::load`].
pub(super) fn grids(dir: &Path) -> Result<Vec<(usize, PathBuf, Arc<Grid>)>, PhantomError> {
    let wrong = |path: &Path, reason: String| PhantomError::Mesh { path: path.to_owned(), reason };
    let entries = std::fs::read_dir(dir).map_err(|error| wrong(dir, error.to_string()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let found: Vec<(usize, &PathBuf)> = paths.iter().filter_map(|path| Some((level_of(path)?, path))).collect();
    if found.is_empty() {
        return Err(wrong(dir, "the folder holds no file C1….obj to C7….obj".into()));
    }
    found
        .par_iter()
        .map(|&(level, path)| {
            let text = std::fs::read_to_string(path).map_err(|error| wrong(path, error.to_string()))?;
            let grid = triangles(&text).and_then(|triangles| Grid::new(&triangles));
            Ok((level, path.clone(), Arc::new(grid.map_err(|reason| wrong(path, reason))?)))
        })
        .collect()
}

/// The level (0 = C1) that a file's name begins with.
fn level_of(path: &Path) -> Option<usize> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let rest = name.strip_prefix('c')?.strip_suffix(".obj")?;
    let digit = rest.chars().next()?.to_digit(10)?;
    let single = !rest[1..].starts_with(|c: char| c.is_ascii_digit());
    (single && (1..=7).contains(&digit)).then(|| digit as usize - 1)
}

/// Triangles of an OBJ text; faces with more corners are cut into a fan.
fn triangles(text: &str) -> Result<Vec<[Vec3; 3]>, String> {
    let mut points: Vec<Vec3> = Vec::new();
    let mut triangles = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let bad = || format!("line {} is not understood", number + 1);
        let mut words = line.split_whitespace();
        match words.next() {
            Some("v") => {
                let mut next = || words.next().and_then(|word| word.parse().ok()).filter(|v: &f32| v.abs() < 1e5);
                let point = (|| Some(Vec3::new(next()?, next()?, next()?)))();
                points.push(point.ok_or_else(bad)?);
            }
            Some("f") => {
                let corner = |word: &str| -> Option<Vec3> {
                    let index: i64 = word.split('/').next()?.parse().ok()?;
                    let at = if index < 0 { points.len() as i64 + index } else { index - 1 };
                    points.get(usize::try_from(at).ok()?).copied()
                };
                let corners: Option<Vec<Vec3>> = words.map(corner).collect();
                let corners = corners.filter(|corners| corners.len() >= 3).ok_or_else(bad)?;
                triangles.extend(corners[1..].windows(2).map(|pair| [corners[0], pair[0], pair[1]]));
            }
            _ => {}
        }
    }
    if triangles.is_empty() { Err("there are no faces".into()) } else { Ok(triangles) }
}

/// The shape with its own frame, found from the shape itself.
fn framed(level: usize, grid: Arc<Grid>) -> Result<Shape, String> {
    let (low, high) = grid.extent();
    let middle = (low + high) / 2.0;
    let inside = |p: Vec3| grid.distance(p) < 0.0;
    let span = |from: f32, to: f32| (0..=((to - from).max(0.0) / 0.5) as usize).map(move |i| from + 0.5 * i as f32);
    if level == 0 {
        // The middle between the lateral masses.
        let mut sum = (Vec3::ZERO, 0.0);
        for z in span(low.z, high.z) {
            for y in span(low.y, high.y) {
                for x in span(12.0, 24.0) {
                    for p in [Vec3::new(middle.x + x, y, z), Vec3::new(middle.x - x, y, z)] {
                        if inside(p) {
                            sum = (sum.0 + p, sum.1 + 1.0);
                        }
                    }
                }
            }
        }
        if sum.1 < 100.0 {
            return Err("no lateral masses are found beside the middle".into());
        }
        let at = Vec3::new(middle.x, (sum.0 / sum.1).y, (sum.0 / sum.1).z);
        let measures = [15.0, 8.0, 6.0, (high.y - at.y - 12.0).max(8.0), 6.0, (high.x - low.x) / 2.0 - 1.0];
        let bounds = (low - at, high - at);
        return Ok(Shape { grid, turn: Mat3::IDENTITY, at, bounds, measures, more: None });
    }
    // In the midsagittal plane the body is the first bone from the front.
    let runs: Vec<(f32, f32, f32)> = span(low.z, high.z)
        .filter_map(|z| {
            let at = |y: f32| Vec3::new(middle.x, y, z);
            let first = span(low.y, high.y).find(|&y| inside(at(y)))?;
            let last = span(first, high.y).take_while(|&y| inside(at(y))).last()?;
            (last - first > 8.0 && first < low.y + 12.0).then_some((z, first, last))
        })
        .collect();
    // Of C2 only the body: the dens stands above it.
    let count = if level == 1 { runs.len().min(36) } else { runs.len() };
    let runs = &runs[..count];
    if runs.len() < 10 {
        return Err("no vertebral body is found in the middle".into());
    }
    let n = runs.len() as f32;
    let (z0, y0) = runs.iter().fold((0.0, 0.0), |sum, run| (sum.0 + run.0 / n, sum.1 + (run.1 + run.2) / 2.0 / n));
    let (over, under) = runs.iter().fold((0.0, 0.0), |sum, run| {
        let dz = run.0 - z0;
        (sum.0 + dz * ((run.1 + run.2) / 2.0 - y0), sum.1 + dz * dz)
    });
    let pitch = (over / under).atan().to_degrees();
    let turn = turn_by(pitch.clamp(-30.0, 30.0), 0.0, 0.0);
    let at = Vec3::new(middle.x, y0, z0);
    let half_depth = runs.iter().map(|run| run.2 - run.1).sum::<f32>() / n / 2.0;
    let half_height = n * 0.25;
    let own = |p: Vec3| inside(turn * p + at);
    let half_width = span(0.0, 20.0).take_while(|&x| own(Vec3::new(x, -half_depth * 0.4, 0.0))).last().unwrap_or(8.0);
    // Behind the body the canal, then the arch; it may stand lower than the body's middle.
    let reach = |z: f32| span(half_depth + 3.0, 45.0).find(|&y| own(Vec3::new(0.0, y, z)));
    let canal_depth = span(0.0, 12.0).filter_map(|drop| reach(-drop)).fold(45.0, f32::min) - half_depth;
    let corners = [low, high].map(|corner| turn.transpose() * (corner - at));
    let margin = Vec3::new(1.0, 8.0, 12.0);
    let bounds = (corners[0].min(corners[1]) - margin, corners[0].max(corners[1]) + margin);
    let spinous = (high.y - at.y - half_depth - canal_depth).max(6.0);
    let transverse = (high.x - low.x) / 2.0;
    let measures = [half_width.max(7.0), half_depth, half_height, canal_depth.clamp(10.0, 22.0), spinous, transverse];
    Ok(Shape { grid, turn, at, bounds, measures, more: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_tell_the_level() {
        assert_eq!(level_of(Path::new("/x/C1_atlas.obj")), Some(0));
        assert_eq!(level_of(Path::new("c7.OBJ")), Some(6));
        assert_eq!(level_of(Path::new("C10.obj")), None);
        assert_eq!(level_of(Path::new("C8.obj")), None);
        assert_eq!(level_of(Path::new("mandible.obj")), None);
    }

    #[test]
    fn a_mesh_takes_the_place_of_its_level() {
        let dir = tempfile::tempdir().expect("a folder");
        let [x, y, z] = [11.0, 8.0, 6.0];
        let corner = |i: usize| {
            let side = |bit: usize, half: f32| if i >> bit & 1 == 1 { half } else { -half };
            format!("v {} {} {}\n", side(0, x) + 3.0, side(1, y) - 70.0, side(2, z) + 1400.0)
        };
        let mut text: String = (0..8).map(corner).collect();
        text.push_str("f 1 3 4 2\nf 5 6 8 7\nf 1 2 6 5\nf 3 7 8 4\nf 1 5 7 3\nf 2 4 8 6\n");
        std::fs::write(dir.path().join("C4_block.obj"), text).expect("written");
        let meshes = MeshSet::load(dir.path()).expect("a closed block");
        let mut recipe = Recipe::random(9).with_matrix(96).intact();
        recipe.scan.coverage = crate::phantom::Coverage::Neck;
        (recipe.scan.slices, recipe.scan.spacing_mm, recipe.scan.thickness_mm) = (75, 2.0, 0.8);
        let study = meshes.generate(&recipe, &Cancel::new()).expect("not cancelled");
        let volume = |level: usize| study.truth.voxels.0[level] as f64 * study.pixel_mm.powi(2) * study.spacing_mm;
        let block = f64::from(8.0 * x * y * z);
        // The neck's scale lies between 0.86 and 1.15.
        assert!((0.5 * block..1.6 * block).contains(&volume(3)), "{} mm³ of {block}", volume(3));
        assert!(volume(4) > 0.0, "the other levels stay");
        assert!(matches!(MeshSet::load(&dir.path().join("none")), Err(PhantomError::Mesh { .. })));
    }

    #[test]
    fn a_broken_file_is_refused_with_its_line() {
        assert_eq!(triangles("v 0 0 0\nf 1 2 3\n").expect_err("no such points"), "line 2 is not understood");
        assert_eq!(triangles("v 0 0 nan\n").expect_err("no number"), "line 1 is not understood");
        assert!(triangles("# nothing\n").is_err());
        let square = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1/1 2/2 3/3 -1/4\n";
        assert_eq!(triangles(square).expect("a face").len(), 2);
    }
}
