//! What a user of a real neck relies on, with a made-up neck in the place of the real one.

use super::super::nifti::write_labels;
use super::super::{Anatomy, FractureKind, FractureSpec, PhantomSlice, generate, write_dataset};
use super::*;
use crate::domain::{CervicalLevel, ImagePlane, ModalityLut, PixelSpacing, SliceInfo, SliceStack, Uid, Units};
use glam::DVec3;
use std::sync::OnceLock;

/// A made-up neck as a scan on disk would be.
struct Made {
    study: PhantomStudy,
    volume: Volume,
    dir: tempfile::TempDir,
}

impl Made {
    fn labels(&self) -> std::path::PathBuf {
        self.dir.path().join("labels.nii")
    }
}

fn small(seed: u64) -> Recipe {
    let mut recipe = Recipe::random(seed).with_matrix(112);
    recipe.kernel = Kernel::Standard;
    recipe.fractures.clear();
    recipe.healed.clear();
    (recipe.scan.slices, recipe.scan.spacing_mm, recipe.scan.thickness_mm) = (90, 2.0, 0.8);
    (recipe.scan.pixel_mm, recipe.scan.coverage) = (1.5, Coverage::Neck);
    recipe
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let study = generate(&small(3), &Cancel::new()).expect("not cancelled");
        let volume = volume(&study);
        let dir = tempfile::tempdir().expect("a folder");
        let made = Made { study, volume, dir };
        write_labels(&made.labels(), &made.study, &made.study.labels).expect("written");
        made
    })
}

fn volume(study: &PhantomStudy) -> Volume {
    let info = |slice: usize| SliceInfo {
        sop_instance_uid: Uid::from_file(&format!("1.{slice}")),
        frame: 0,
        instance_number: Some(slice as i32 + 1),
        position: Some(study.position(slice)),
        lut: ModalityLut::IDENTITY,
    };
    Volume {
        series_uid: Uid::from_file("1"),
        shape: study.shape,
        voxels: study.voxels.iter().map(|&hu| hu.max(Volume::AIR)).collect(),
        plane: ImagePlane::new(study.origin.to_array(), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        stack_axis: DVec3::NEG_Z,
        spacing: PixelSpacing::new(study.pixel_mm, study.pixel_mm),
        stack: SliceStack::new((0..study.shape.slices).map(|slice| slice as f64 * study.spacing_mm).collect()),
        slices: (0..study.shape.slices).map(info).collect(),
        windows: Vec::new(),
        units: Units::Hounsfield,
        inverted: false,
        oddities: Vec::new(),
    }
}

fn neck() -> &'static RealNeck {
    static NECK: OnceLock<RealNeck> = OnceLock::new();
    NECK.get_or_init(|| RealNeck::new(&made().volume, Some(&made().labels())).expect("usable"))
}

fn make(recipe: &Recipe) -> PhantomStudy {
    neck().generate(recipe, &Cancel::new()).expect("not cancelled")
}

fn broken(seed: u64, level: CervicalLevel, kind: FractureKind) -> Recipe {
    let mut recipe = small(seed).of_real_bone();
    recipe.fractures = vec![FractureSpec { level, kind, width_mm: 1.8, displacement_mm: 2.0 }];
    recipe
}

#[test]
fn without_a_deformation_the_scan_comes_back() {
    let (made, neck) = (made(), neck());
    let deform = Deform::none(neck.middle, neck.middle);
    let mut recipe = small(5);
    let mut scene = neck.scene(&mut recipe, &deform);
    let (low, high) = neck.source.extent();
    scene.top = high.z;
    scene.middle = (low.truncate() + high.truncate()) / 2.0;
    scene.moved = None;
    let scan = small(3).scan;
    let exposure = Exposure {
        source: &neck.source,
        deform: &deform,
        broken: &[],
        tone: Tone { density: 1.0, offset: 0.0 },
        sharp: false,
    };
    let length = made.study.shape.slice_len();
    for index in [20, 45, 70] {
        let slice = exposure.slice(&scene, &scan, index);
        let range = index * length..(index + 1) * length;
        // Air is not interpolated, so a line of one pixel in air (skin's edge, the table) may be lost to a rounding.
        let voxels = &made.volume.voxels[range.clone()];
        let alike = |hu: f32, voxel: f32| (hu - voxel).abs() < 3.0 || hu.max(voxel) < -900.0;
        let others = slice.hu.iter().zip(voxels).filter(|(hu, voxel)| !alike(**hu, f32::from(**voxel))).count();
        assert!(others * 200 < length, "{others} of {length} pixels differ");
        let same = slice.labels.iter().zip(&made.study.labels[range.clone()]).filter(|(a, b)| a == b).count();
        assert!(same * 1000 > length * 998, "{same} of {length} labels");
        assert!(made.study.labels[range].iter().any(|label| *label > 0));
        assert!(slice.marks.broken.iter().all(|label| *label == 0) && slice.marks.boxes.is_empty());
    }
}

#[test]
fn a_deformation_folds_nothing_and_can_be_undone() {
    let neck = neck();
    let recipes: Vec<u64> = (0..6).collect();
    let (low, high) = neck.source.extent();
    for seed in recipes {
        let deform = Deform::random(seed, neck.middle, (low, high), &[]);
        for i in 0..60_u8 {
            let share = Vec3::new(f32::from(i % 4) / 4.0, f32::from(i / 4 % 4) / 4.0, f32::from(i / 16) / 4.0);
            let x = low + (high - low) * (share + 0.1);
            let p = deform.outward(x);
            assert!(deform.source(p).distance(x) < 0.05, "seed {seed}: {x} comes back as {}", deform.source(p));
            let step = |axis: Vec3| deform.source(p + axis * 0.5) - deform.source(p - axis * 0.5);
            let volume = step(Vec3::X).dot(step(Vec3::Y).cross(step(Vec3::Z))).abs();
            assert!((0.3..2.5).contains(&volume), "seed {seed}: a cubic millimetre becomes {volume}");
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_another_another_neck() {
    let recipe = broken(7, CervicalLevel::C6, FractureKind::SpinousProcess);
    let (one, two) = (make(&recipe), make(&recipe));
    assert_eq!((&one.voxels, &one.labels, &one.broken), (&two.voxels, &two.labels, &two.broken));
    assert_eq!(one.truth, two.truth);
    let other = make(&broken(8, CervicalLevel::C6, FractureKind::SpinousProcess));
    assert_ne!(one.voxels, other.voxels);
    assert_ne!(one.recipe.uid("study"), small(7).uid("study"), "a made-up neck of the same seed is another study");
}

#[test]
fn a_break_changes_its_own_level_only_and_an_intact_neck_is_unmarked() {
    for (seed, level, kind) in [
        (11, CervicalLevel::C1, FractureKind::PosteriorArch),
        (12, CervicalLevel::C2, FractureKind::DensTypeII),
        (13, CervicalLevel::C5, FractureKind::Compression),
    ] {
        let recipe = broken(seed, level, kind);
        let (study, twin) = (make(&recipe), make(&recipe.clone().intact()));
        assert!(study.truth.is_broken(level), "{kind:?} is not seen");
        assert!(twin.broken.iter().all(|label| *label == 0) && twin.truth.fractures.is_empty());
        let label = level.index() as u8 + 1;
        let (rows, columns) = (study.shape.rows, study.shape.columns);
        let place = |i: usize| [i / (rows * columns), i / columns % rows, i % columns];
        let (mut low, mut high) = ([usize::MAX; 3], [0; 3]);
        for (i, _) in twin.labels.iter().enumerate().filter(|(_, here)| **here == label) {
            low = std::array::from_fn(|axis| low[axis].min(place(i)[axis]));
            high = std::array::from_fn(|axis| high[axis].max(place(i)[axis]));
        }
        let near = |i: usize| (0..3).all(|axis| place(i)[axis] + 5 >= low[axis] && place(i)[axis] <= high[axis] + 5);
        let (mut marked, mut on_bone) = (0, 0);
        for i in 0..study.voxels.len() {
            assert!(study.voxels[i] == twin.voxels[i] || near(i), "{kind:?} changes voxel {:?}", place(i));
            if study.broken[i] > 0 {
                assert_eq!(study.broken[i], label, "{kind:?}");
                marked += 1;
                on_bone += usize::from(twin.labels[i] == label || study.labels[i] == label);
                assert!(near(i));
            }
        }
        assert!(marked > 20 && on_bone * 2 > marked, "{kind:?}: {on_bone} of {marked} marks lie on {level}");
        let others = |study: &PhantomStudy| study.labels.iter().filter(|l| **l > 0 && **l != label).count();
        // Where a moved piece touches a neighbour, the border between them may go either way by a voxel.
        let (now, before) = (others(&study), others(&twin));
        assert!(now.abs_diff(before) * 100 < before, "{kind:?}: neighbours have {now} voxels, not {before}");
    }
}

#[test]
fn an_old_break_is_seen_and_does_not_count() {
    let mut recipe = broken(21, CervicalLevel::C6, FractureKind::SpinousProcess);
    recipe.healed = std::mem::take(&mut recipe.fractures);
    let study = make(&recipe);
    assert!(!study.truth.is_broken(CervicalLevel::C6) && study.broken.iter().all(|label| *label == 0));
    assert!(!study.truth.healed[0].boxes.is_empty());
    recipe.healed.clear();
    assert_ne!(study.voxels, make(&recipe).voxels);
}

#[test]
fn what_the_real_scan_does_not_hold_is_not_made_up() {
    let mut recipe = small(31);
    recipe.scan.slices = 400;
    let study = make(&recipe);
    let length = study.shape.slices as f64 * study.spacing_mm;
    assert!(study.shape.slices < 400 && length < 230.0, "{length} mm of a scan of 180 mm");
    assert!(study.truth.voxels.iter().filter(|(_, count)| **count > 0).count() >= 6);
    for (coverage, seen) in [(Coverage::Head, [false; 7]), (Coverage::Chest, [false; 7])] {
        let mut recipe = small(32);
        recipe.scan.coverage = coverage;
        assert_eq!(make(&recipe).truth.voxels.0.map(|count| count > 0), seen, "{coverage:?}");
    }
    let mut recipe = small(33);
    recipe.scan.coverage = Coverage::WithoutLowerNeck;
    (recipe.scan.slices, recipe.scan.spacing_mm) = (56, 2.0);
    let seen = make(&recipe).truth.voxels.0.map(|count| count > 0);
    assert_eq!(seen[1..], [true, true, true, true, false, false]);
}

#[test]
fn without_labels_nothing_is_broken_and_no_segmentation_written() {
    let neck = RealNeck::new(&made().volume, None).expect("usable");
    assert!(!neck.is_labelled());
    let mut recipe = broken(41, CervicalLevel::C4, FractureKind::Burst);
    recipe.scan.slices = 6;
    let dir = tempfile::tempdir().expect("a folder");
    let write = |path: &Path, _: &PhantomSlice<'_>| std::fs::write(path, b"").map_err(|error| error.to_string());
    write_dataset(
        dir.path(),
        std::slice::from_ref(&recipe),
        Anatomy::Real(&neck),
        true,
        &Cancel::new(),
        &|_| (),
        &write,
    )
    .expect("written");
    let uid = recipe.uid("study");
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect(name);
    assert!(read("train.csv").contains(&format!("{uid},0,0,0,0,0,0,0,0\n")));
    let truth: serde_json::Value = serde_json::from_str(&read("truth.json")).expect("JSON");
    assert_eq!(truth["studies"][0]["source"], "volume");
    assert!(!dir.path().join("segmentations").join(format!("{uid}.nii")).exists());
    assert!(!dir.path().join("fracture_masks").exists());
}

#[test]
fn labels_that_are_not_of_this_scan_are_refused() {
    let reason = |path: &Path| match RealNeck::new(&made().volume, Some(path)) {
        Err(PhantomError::Labels { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let path = made().dir.path().join("other.nii");
    assert!(!reason(&path).is_empty(), "a file that is not there");
    let mut elsewhere = made().study.clone();
    elsewhere.origin.z += 500.0;
    write_labels(&path, &elsewhere, &elsewhere.labels).expect("written");
    assert_eq!(reason(&path), "100 % of its vertebrae are outside the scan");
    // Beside the bone: mostly muscle.
    elsewhere.origin = made().study.origin + DVec3::new(45.0, 20.0, 0.0);
    write_labels(&path, &elsewhere, &elsewhere.labels).expect("written");
    assert!(reason(&path).contains("which is not bone"), "{}", reason(&path));
    let none = vec![0; elsewhere.labels.len()];
    write_labels(&path, &made().study, &none).expect("written");
    assert!(reason(&path).contains("none of the labels"));
}

#[test]
fn a_scan_that_is_not_axial_even_and_in_hu_is_refused() {
    let refused = |change: &dyn Fn(&mut Volume)| {
        let mut volume = made().volume.clone();
        change(&mut volume);
        matches!(RealNeck::new(&volume, None), Err(PhantomError::Volume { .. }))
    };
    assert!(!refused(&|_| ()));
    assert!(refused(&|volume| volume.plane = None));
    assert!(refused(&|volume| volume.units = Units::Unconfirmed));
    assert!(refused(&|volume| volume.stack_axis = DVec3::Y));
    assert!(refused(&|volume| volume.stack.offsets[40] += 30.0));
}
