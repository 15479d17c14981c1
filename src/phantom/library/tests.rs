//! What a user of blended anatomy relies on, with labels of made-up necks in the place of real ones.

use super::super::nifti::write_labels;
use super::super::{Anatomy, Coverage, FractureKind, FractureSpec, Kernel, PhantomSlice, generate, write_dataset};
use super::*;
use crate::domain::CervicalLevel;
use std::sync::OnceLock;

/// Two vertebrae are enough, and quick without optimization.
const LEVELS_MADE: [u8; 2] = [4, 5];

fn small(seed: u64) -> Recipe {
    let mut recipe = Recipe::random(seed).with_matrix(96);
    recipe.kernel = Kernel::Standard;
    recipe.fractures.clear();
    recipe.healed.clear();
    (recipe.scan.slices, recipe.scan.spacing_mm, recipe.scan.thickness_mm) = (61, 2.5, 0.8);
    (recipe.scan.pixel_mm, recipe.scan.coverage) = (1.75, Coverage::Neck);
    recipe
}

/// A label file of C4 and C5 of a made-up neck.
fn label_file(dir: &Path, seed: u64) -> PathBuf {
    let mut recipe = small(seed);
    (recipe.scan.slices, recipe.scan.spacing_mm) = (120, 1.25);
    let study = generate(&recipe, &Cancel::new()).expect("not cancelled");
    let labels: Vec<u8> =
        study.labels.iter().map(|&label| if LEVELS_MADE.contains(&label) { label } else { 0 }).collect();
    let path = dir.join("spine-a.nii");
    write_labels(&path, &study, &labels).expect("written");
    path
}

fn library() -> &'static AnatomyLibrary {
    static LIBRARY: OnceLock<AnatomyLibrary> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a folder");
        let path = label_file(dir.path(), 5);
        let sources = [AnatomySource::parse(&path.to_string_lossy()), AnatomySource::Parametric];
        AnatomyLibrary::load(&sources).expect("usable")
    })
}

fn make(recipe: &Recipe) -> PhantomStudy {
    library().generate(recipe, &Cancel::new()).expect("not cancelled")
}

#[test]
fn a_source_is_named_by_its_file_its_folder_or_the_user() {
    let named = |text: &str| match AnatomySource::parse(text) {
        AnatomySource::Parametric => "parametric".to_owned(),
        AnatomySource::Labels { name, .. } | AnatomySource::Surfaces { name, .. } => name,
    };
    assert_eq!(named("parametric"), "parametric");
    assert_eq!(named("/masks/gl003.nii.gz"), "gl003");
    assert_eq!(named("/data/vhf-neck-labels/labels.nii.gz"), "vhf-neck");
    assert_eq!(named("mine=/data/labels.nii.gz"), "mine");
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("bodyparts3d");
    std::fs::create_dir(&folder).expect("a folder");
    assert!(matches!(
        AnatomySource::parse(&folder.to_string_lossy()),
        AnatomySource::Surfaces { name, .. } if name == "BodyParts3D"
    ));
}

#[test]
fn every_seed_has_its_own_anatomy_and_keeps_it() {
    let (one, again, other) = (make(&small(1)), make(&small(1)), make(&small(2)));
    assert_eq!(one.voxels, again.voxels);
    assert_eq!(one.labels, again.labels);
    assert_ne!(one.labels, other.labels);
    // The same recipe's parametric neck stands elsewhere and has other shapes.
    assert_ne!(one.labels, generate(&small(1), &Cancel::new()).expect("not cancelled").labels);
    let known = ["parametric".to_owned(), "spine-a".to_owned()];
    let seen: Vec<Vec<String>> = (0..12).map(|seed| Blend::draw(library(), seed).names().to_vec()).collect();
    assert!(seen.iter().flatten().all(|name| known.contains(name)), "{seen:?}");
    assert!(known.iter().all(|name| seen.iter().any(|names| names.contains(name))), "{seen:?}");
    assert!(seen.iter().all(|names| names.is_sorted() && !names.is_empty()));
}

#[test]
fn blended_levels_have_the_size_of_vertebrae_and_stand_in_order() {
    for seed in [3, 4] {
        let study = make(&small(seed));
        let mm3 = study.pixel_mm.powi(2) * study.spacing_mm;
        for (level, count) in study.truth.voxels.iter() {
            let cm3 = *count as f64 * mm3 / 1000.0;
            assert!((3.0..32.0).contains(&cm3), "seed {seed}: {level} has {cm3:.1} cm³");
        }
        let length = study.shape.slice_len();
        let middle = |label: u8| {
            let (sum, count) = study
                .labels
                .iter()
                .enumerate()
                .filter(|(_, here)| **here == label)
                .fold((0.0, 0.0), |(sum, count), (at, _)| (sum + (at / length) as f64, count + 1.0));
            sum / f64::max(count, 1.0)
        };
        let middles: Vec<f64> = (1..=7).map(middle).collect();
        assert!(middles.windows(2).all(|pair| pair[0] + 2.0 < pair[1]), "seed {seed}: {middles:?}");
    }
}

#[test]
fn a_fracture_of_a_blended_level_is_seen_there() {
    for (seed, level, kind) in
        [(7, CervicalLevel::C5, FractureKind::SpinousProcess), (8, CervicalLevel::C5, FractureKind::Teardrop)]
    {
        let mut recipe = small(seed);
        recipe.fractures = vec![FractureSpec { level, kind, width_mm: 1.8, displacement_mm: 2.0 }];
        let (study, twin) = (make(&recipe), make(&recipe.clone().intact()));
        assert!(study.truth.is_broken(level), "{kind:?} is not seen");
        let label = level.index() as u8 + 1;
        let marked: Vec<usize> = (0..study.broken.len()).filter(|&at| study.broken[at] > 0).collect();
        assert!(marked.iter().all(|&at| study.broken[at] == label));
        let on_bone = marked.iter().filter(|&&at| study.labels[at] == label || twin.labels[at] == label).count();
        assert!(on_bone * 2 > marked.len(), "{kind:?}: {on_bone} of {} marks lie on {level}", marked.len());
    }
}

#[test]
fn the_truth_names_the_sources() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut recipe = small(9);
    recipe.scan.slices = 2;
    let write = |path: &Path, _: &PhantomSlice<'_>| std::fs::write(path, b"").map_err(|error| error.to_string());
    let recipes = [recipe];
    let read = |anatomy: Anatomy<'_>| {
        write_dataset(dir.path(), &recipes, anatomy, false, &Cancel::new(), &|_| (), &write).expect("written");
        let text = std::fs::read_to_string(dir.path().join("truth.json")).expect("a table");
        serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["studies"][0].clone()
    };
    let blended = read(Anatomy::Blended(library()));
    assert_eq!(blended["source"], "blended");
    let names = blended["anatomy"].as_array().expect("a list");
    assert!(!names.is_empty() && names.iter().all(|name| name == "parametric" || name == "spine-a"));
    assert_eq!(read(Anatomy::Parametric)["anatomy"], serde_json::json!(["parametric"]));
}

#[test]
fn a_source_without_vertebrae_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let refused = |path: &Path| match AnatomyLibrary::load(&[AnatomySource::parse(&path.to_string_lossy())]) {
        Err(PhantomError::Source { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert!(!refused(&dir.path().join("none.nii.gz")).is_empty());
    let path = dir.path().join("ribs.nii");
    let mut recipe = small(10);
    recipe.scan.slices = 4;
    let study = generate(&recipe, &Cancel::new()).expect("not cancelled");
    write_labels(&path, &study, &vec![0; study.labels.len()]).expect("written");
    assert_eq!(refused(&path), "no label from 1 to 7 has the shape of C1 to C7");
}
