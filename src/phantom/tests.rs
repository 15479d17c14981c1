//! What a user of phantoms relies on, on scans small enough for an unoptimised build.

use super::*;
use crate::domain::{CervicalLevel, Oddity};
use crate::task::Cancel;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

fn small(seed: u64, slices: usize, spacing_mm: f32) -> Recipe {
    let mut recipe = Recipe::random(seed).with_matrix(120);
    let field = 180.0;
    recipe.kernel = Kernel::Standard;
    recipe.scan = Scan {
        slices,
        spacing_mm,
        // Thin slices are made quickest: one layer each.
        thickness_mm: 0.8,
        pixel_mm: field / 120.0,
        coverage: Coverage::Neck,
        ..recipe.scan
    };
    recipe.fractures.clear();
    recipe
}

fn broken(seed: u64, level: CervicalLevel, kind: FractureKind) -> Recipe {
    let mut recipe = small(seed, 86, 2.0);
    recipe.fractures = vec![FractureSpec { level, kind, width_mm: 1.8, displacement_mm: 2.0 }];
    recipe
}

fn make(recipe: &Recipe) -> PhantomStudy {
    generate(recipe, &Cancel::new()).expect("not cancelled")
}

#[test]
fn the_same_recipe_makes_the_same_voxels() {
    let recipe = broken(11, CervicalLevel::C6, FractureKind::Lamina);
    let (one, two) = (make(&recipe), make(&recipe));
    assert_eq!(one.voxels, two.voxels);
    assert_eq!(one.labels, two.labels);
    assert_eq!(one.truth, two.truth);
    assert_ne!(one.voxels, make(&broken(12, CervicalLevel::C6, FractureKind::Lamina)).voxels);
}

/// A change of these numbers means that data sets made before can no longer be made again: say so where it is meant.
#[test]
fn the_voxels_are_the_same_on_every_machine() {
    let study = make(&broken(13, CervicalLevel::C5, FractureKind::Burst));
    let hash = |bytes: &mut dyn Iterator<Item = u8>| {
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    };
    let voxels = hash(&mut study.voxels.iter().flat_map(|hu| hu.to_le_bytes()));
    let labels = hash(&mut study.labels.iter().copied());
    assert_eq!((voxels, labels), (0x98bd_b2df_685c_2daf, 0xecea_95c1_9a00_970f), "{voxels:#x} {labels:#x}");
}

#[test]
fn an_old_fracture_is_seen_and_told_but_not_counted() {
    for kind in [FractureKind::SpinousProcess, FractureKind::TransverseProcess] {
        for seed in [14, 15, 16] {
            let mut recipe = small(seed, 86, 2.0);
            recipe.healed = vec![FractureSpec { level: CervicalLevel::C7, kind, width_mm: 1.8, displacement_mm: 2.0 }];
            let study = make(&recipe);
            assert!(!study.truth.healed[0].boxes.is_empty(), "{kind:?} is not seen");
            assert!(study.truth.fractures.is_empty() && !study.truth.is_broken(CervicalLevel::C7));
            assert!(study.broken.iter().all(|&label| label == 0), "an old fracture is in the mask of fresh ones");
        }
    }
}

#[test]
fn an_intact_twin_keeps_the_old_fracture_as_it_is() {
    for seed in [14, 15, 16, 17] {
        let mut recipe = broken(seed, CervicalLevel::C3, FractureKind::Burst);
        recipe.healed = vec![FractureSpec {
            level: CervicalLevel::C7,
            kind: FractureKind::SpinousProcess,
            width_mm: 1.8,
            displacement_mm: 2.0,
        }];
        let (study, twin) = (make(&recipe), make(&recipe.clone().intact()));
        assert_eq!(study.truth.healed, twin.truth.healed);
        assert!(study.truth.is_broken(CervicalLevel::C3) && !study.truth.is_broken(CervicalLevel::C7));
        assert!(study.broken.iter().all(|&label| [0, 3].contains(&label)));
        assert!(study.broken.contains(&3) && twin.broken.iter().all(|&label| label == 0));
    }
}

#[test]
fn under_a_tilted_gantry_the_same_neck_lies_at_the_same_place() {
    let upright = small(17, 100, 2.0);
    let mut tilted = upright.clone();
    tilted.scan.tilt_deg = 14.0;
    let middle = |recipe: &Recipe| {
        let study = make(recipe);
        let (columns, length) = (study.shape.columns, study.shape.slice_len());
        let mut sum = [0.0; 4];
        for (i, _) in study.labels.iter().enumerate().filter(|(_, label)| **label == 4) {
            let (at, down) = (study.position(i / length), study.down());
            let row = (i % length / columns) as f64 * study.pixel_mm;
            let column = (i % columns) as f64 * study.pixel_mm;
            let place = [at.x + column, at.y + row * down[1], at.z + row * down[2], 1.0];
            sum = std::array::from_fn(|axis| sum[axis] + place[axis]);
        }
        assert!(sum[3] > 300.0, "C4 has {} voxels", sum[3]);
        [sum[0] / sum[3], sum[1] / sum[3], sum[2] / sum[3]]
    };
    let (one, two) = (middle(&upright), middle(&tilted));
    assert!((0..3).all(|axis| (one[axis] - two[axis]).abs() < 0.7), "{one:?} and {two:?}");
}

#[test]
fn headers_are_as_sparse_as_the_rsna_sets_or_clinical_and_both_are_read_to_the_same_volume() {
    let load = |preset: Preset, tilt_deg: f32| {
        let folder = tempfile::tempdir().expect("a folder");
        let mut recipe = small(18, 30, 3.0);
        (recipe.preset, recipe.scan.tilt_deg) = (preset, tilt_deg);
        let study = make(&recipe);
        write_study(&study, folder.path(), &Cancel::new(), &write_slice).expect("files");
        let bytes = std::fs::read(folder.path().join("1.dcm")).expect("a slice");
        let (studies, unreadable, _) = crate::dicom::scan_all(&[folder.path().to_owned()], &Cancel::new());
        assert!(unreadable.is_empty() && studies.len() == 1, "{unreadable:?}");
        let volume = crate::dicom::load_volume(&studies[0].series[0], &Cancel::new(), &|_, _| {}).expect("a volume");
        (study, bytes, volume, studies[0].series[0].oddities.clone())
    };
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let (study, sparse, one, upright) = load(Preset::Rsna, 0.0);
    let (_, clinical, two, _) = load(Preset::Queue, 0.0);
    assert!(has(&clinical, "PHANTOM^18") && has(&clinical, "STANDARD"));
    assert!(!has(&sparse, "PHANTOM^18") && !has(&sparse, "STANDARD") && has(&sparse, "PH000018"));
    assert_eq!(one.voxels, two.voxels);
    let padded = |hu: &i16| (*hu).max(-1024);
    assert_eq!(one.voxels, study.voxels.iter().map(padded).collect::<Vec<_>>());
    let (.., tilted) = load(Preset::Queue, 15.0);
    let tilt = Oddity::Tilt(150);
    assert!(tilted.contains(&tilt) && !upright.contains(&tilt), "{upright:?} and {tilted:?}");
}

#[test]
fn a_broken_neck_differs_from_its_intact_twin_only_at_the_broken_level() {
    for (level, kind) in [
        (CervicalLevel::C2, FractureKind::DensTypeII),
        (CervicalLevel::C5, FractureKind::Compression),
        (CervicalLevel::C7, FractureKind::SpinousProcess),
    ] {
        let recipe = broken(21, level, kind);
        let (study, twin) = (make(&recipe), make(&recipe.clone().intact()));
        let label = level.index() as u8 + 1;
        let (rows, columns) = (study.shape.rows, study.shape.columns);
        let mut low = [usize::MAX; 3];
        let mut high = [0; 3];
        for (i, (&a, &b)) in study.labels.iter().zip(&twin.labels).enumerate() {
            if a == label || b == label {
                let place = [i / (rows * columns), i / columns % rows, i % columns];
                low = std::array::from_fn(|axis| low[axis].min(place[axis]));
                high = std::array::from_fn(|axis| high[axis].max(place[axis]));
            }
        }
        let mut changed = 0;
        for (i, (&a, &b)) in study.voxels.iter().zip(&twin.voxels).enumerate() {
            if a != b {
                changed += 1;
                let place = [i / (rows * columns), i / columns % rows, i % columns];
                let near = (0..3).all(|axis| place[axis] + 5 >= low[axis] && place[axis] <= high[axis] + 5);
                assert!(near, "{kind:?}: voxel {place:?} is far from {level}");
            }
        }
        assert!(changed > 50, "{kind:?} changes only {changed} voxels");
    }
}

#[test]
fn every_kind_leaves_boxes_that_hold_changed_voxels() {
    // One twin for all kinds: without its fracture each recipe is the same.
    let intact = broken(31, CervicalLevel::C5, FractureKind::Lamina).intact();
    let twin = make(&intact);
    for kind in FractureKind::ALL {
        let index = (0..7).max_by(|&a, &b| kind.weight(a).total_cmp(&kind.weight(b))).expect("seven levels");
        let level = CervicalLevel::from_index(index).expect("a level");
        let recipe = broken(31, level, kind);
        assert_eq!(recipe.clone().intact(), intact);
        let study = make(&recipe);
        let fracture = &study.truth.fractures[0];
        assert!(!fracture.boxes.is_empty(), "{kind:?} is not seen");
        assert!(study.truth.is_broken(level) && !twin.truth.is_broken(level));
        for b in &fracture.boxes {
            assert!(b.x + b.width <= study.shape.columns && b.y + b.height <= study.shape.rows);
            let at = |y: usize, x: usize| (b.slice * study.shape.rows + y) * study.shape.columns + x;
            let most = (b.y..b.y + b.height)
                .flat_map(|y| (b.x..b.x + b.width).map(move |x| at(y, x)))
                .map(|i| study.voxels[i].abs_diff(twin.voxels[i]))
                .max();
            assert!(most.is_some_and(|hu| hu > 40), "{kind:?}: nothing has changed in {b:?}");
            let marked = |i: usize| usize::from(study.broken[i]) == level.index() + 1;
            let slice = b.slice * study.shape.slice_len()..(b.slice + 1) * study.shape.slice_len();
            let rows: Vec<usize> =
                slice.filter(|&i| marked(i)).map(|i| i / study.shape.columns % study.shape.rows).collect();
            let ends = (rows.first().copied(), rows.last().copied());
            assert_eq!(ends, (Some(b.y), Some(b.y + b.height - 1)), "{kind:?}: mask and box differ");
        }
    }
}

#[test]
fn levels_follow_each_other_from_head_to_foot() {
    for seed in [41, 42] {
        let study = make(&small(seed, 88, 2.0));
        let length = study.shape.slice_len();
        let middle = |label: u8| {
            let at: Vec<usize> =
                study.labels.iter().enumerate().filter(|(_, l)| **l == label).map(|(i, _)| i / length).collect();
            assert!(at.len() > 100, "label {label} has {} voxels", at.len());
            at.iter().sum::<usize>() as f64 / at.len() as f64
        };
        let middles: Vec<f64> = (1..=8).map(middle).collect();
        assert!(middles.windows(2).all(|pair| pair[0] < pair[1]), "{middles:?}");
        assert_eq!(study.truth.voxels.iter().filter(|(_, count)| **count > 0).count(), 7);
    }
}

#[test]
fn tissues_have_their_hounsfield_units() {
    let study = make(&small(51, 80, 2.0));
    let bone: Vec<i16> = study.voxels.iter().zip(&study.labels).filter(|(_, l)| **l > 0).map(|(hu, _)| *hu).collect();
    let mean = bone.iter().map(|&hu| f64::from(hu)).sum::<f64>() / bone.len() as f64;
    assert!((250.0..900.0).contains(&mean), "bone has {mean} HU");
    let share = |low: i16, high: i16| {
        study.voxels.iter().filter(|hu| (low..high).contains(*hu)).count() as f64 / study.voxels.len() as f64
    };
    assert!(share(-1100, -900) > 0.1, "air");
    assert!(share(-160, -50) > 0.02, "fat");
    assert!(share(0, 120) > 0.2, "muscle");
    assert!(study.voxels.iter().all(|&hu| hu == -2000 || (-1024..=3071).contains(&hu)));
}

#[test]
fn a_cut_scan_shows_only_the_upper_neck_and_a_head_or_chest_none() {
    let seen = |seed, coverage, slices| {
        let mut recipe = small(seed, slices, 2.0);
        recipe.scan.coverage = coverage;
        make(&recipe).truth.voxels.0
    };
    for seed in [61, 62, 63] {
        let cut = seen(seed, Coverage::WithoutLowerNeck, 50);
        assert!(cut[..5].iter().all(|&count| count > 0) && cut[6] == 0, "{cut:?}");
        // A joint process of C6 may reach as high as the body of C5.
        assert!(cut[5] * 8 < cut[4], "{cut:?}");
    }
    assert_eq!(seen(61, Coverage::Head, 30), [0; 7]);
    assert_eq!(seen(61, Coverage::Chest, 30), [0; 7]);
}

#[test]
fn the_spine_goes_on_below_the_neck() {
    let mut recipe = small(61, 30, 3.0);
    recipe.scan.coverage = Coverage::Chest;
    let study = make(&recipe);
    for (index, labels) in study.labels.chunks(study.shape.slice_len()).enumerate() {
        let vertebra = labels.iter().filter(|label| **label > 9).count();
        assert!(vertebra > 60, "slice {index} shows {vertebra} pixels of thoracic vertebrae");
    }
}

#[test]
fn a_cancelled_phantom_is_none() {
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(generate(&small(71, 10, 2.0), &cancel).is_none());
}

#[test]
fn the_demo_has_broken_intact_cut_and_foreign_studies() {
    let recipes = demo_recipes();
    assert_eq!(recipes.len(), 8);
    let uids: std::collections::BTreeSet<String> = recipes.iter().map(|recipe| recipe.uid("study")).collect();
    assert_eq!(uids.len(), 8);
    assert_eq!(recipes.iter().filter(|recipe| !recipe.fractures.is_empty()).count(), 3);
    assert!(recipes.iter().any(|recipe| recipe.scan.coverage == Coverage::WithoutLowerNeck));
    assert!(recipes.iter().any(|recipe| recipe.scan.coverage == Coverage::Head));
    assert!(recipes.iter().all(|recipe| recipe.patient.name.starts_with("PHANTOM^")));
    for recipe in recipes {
        let mut quick = recipe.with_matrix(96);
        let reach = quick.scan.slices as f32 * quick.scan.spacing_mm;
        (quick.scan.spacing_mm, quick.scan.thickness_mm) = (2.5, 0.8);
        quick.scan.slices = (reach / 2.5) as usize;
        let study = make(&quick);
        let whole = quick.scan.coverage == Coverage::Neck;
        assert!(!whole || study.truth.voxels.iter().all(|(_, count)| *count > 0), "{:?}", study.truth.voxels);
        assert!(study.truth.fractures.iter().all(|fracture| !fracture.boxes.is_empty()));
    }
}

#[test]
fn a_data_set_has_the_layout_and_the_tables_agree_with_the_truth() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut recipes = [broken(81, CervicalLevel::C4, FractureKind::Teardrop), small(82, 6, 4.0)];
    recipes[0].scan = Scan { slices: 40, spacing_mm: 4.0, ..recipes[0].scan };
    let written: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());
    let write = |path: &Path, slice: &PhantomSlice<'_>| {
        assert_eq!(slice.voxels.len(), slice.rows * slice.columns);
        assert_eq!(path.file_name().and_then(|name| name.to_str()), Some(&*format!("{}.dcm", slice.instance_number)));
        let mut written = written.lock().map_err(|error| error.to_string())?;
        *written.entry(slice.study_uid.to_owned()).or_default() += 1;
        std::fs::write(path, b"").map_err(|error| error.to_string())
    };
    let done = Mutex::new(Vec::new());
    let count = |n| done.lock().expect("one thread").push(n);
    write_dataset(dir.path(), &recipes, Anatomy::Parametric, true, &Cancel::new(), &count, &write).expect("written");
    assert_eq!(*done.lock().expect("one thread"), [1, 2]);
    let uid = recipes[0].uid("study");
    assert_eq!(written.lock().expect("one thread").get(&uid), Some(&40));
    assert!(dir.path().join("train_images").join(&uid).join("40.dcm").is_file());
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect(name);
    let train = read("train.csv");
    assert!(train.starts_with("StudyInstanceUID,patient_overall,C1,C2,C3,C4,C5,C6,C7\n"));
    assert!(train.contains(&format!("{uid},1,0,0,0,1,0,0,0\n")));
    assert!(train.contains(&format!("{},0,0,0,0,0,0,0,0\n", recipes[1].uid("study"))));
    let truth: serde_json::Value = serde_json::from_str(&read("truth.json")).expect("JSON");
    let boxes = truth["studies"][0]["fractures"][0]["boxes"].as_array().expect("boxes").len();
    assert_eq!(read("train_bounding_boxes.csv").lines().count(), boxes + 1);
    assert_eq!(truth["studies"][0]["fractures"][0]["kind"], "teardrop");
    let labels = std::fs::metadata(dir.path().join("segmentations").join(format!("{uid}.nii"))).expect("labels");
    assert_eq!(labels.len(), 352 + 40 * 120 * 120);
    let mask = |uid: &str| std::fs::read(dir.path().join("fracture_masks").join(format!("{uid}.nii")));
    let voxels = mask(&uid).expect("a mask")[352..].to_vec();
    assert_eq!(voxels.len(), 40 * 120 * 120);
    assert!(voxels.iter().all(|label| [0, 4].contains(label)) && voxels.contains(&4), "C4 and nothing else is broken");
    assert!(mask(&recipes[1].uid("study")).is_err(), "an intact neck has no mask");
}

#[test]
fn a_failing_writer_is_named_and_a_stop_is_obeyed() {
    let dir = tempfile::tempdir().expect("a folder");
    let recipe = [small(91, 2, 2.0)];
    let fail = |_: &Path, _: &PhantomSlice<'_>| Err("no room".to_owned());
    let error = write_dataset(dir.path(), &recipe, Anatomy::Parametric, false, &Cancel::new(), &|_| (), &fail)
        .expect_err("fails");
    assert!(error.to_string().contains("no room"), "{error}");
    let cancel = Cancel::new();
    cancel.cancel();
    let error =
        write_dataset(dir.path(), &recipe, Anatomy::Parametric, false, &cancel, &|_| (), &fail).expect_err("stops");
    assert!(matches!(error, PhantomError::Cancelled));
}

#[test]
fn an_absurd_scan_is_no_crash() {
    let mut recipe = small(95, 0, 2.0);
    assert!(make(&recipe).voxels.is_empty());
    recipe.scan = Scan { slices: 2, spacing_mm: 0.0, thickness_mm: f32::NAN, pixel_mm: 0.0, ..recipe.scan };
    assert_eq!(make(&recipe).voxels.len(), 2 * 120 * 120);
    recipe.scan = Scan { rows: 0, columns: 7, ..recipe.scan };
    assert!(make(&recipe).voxels.is_empty());
    recipe.scan =
        Scan { rows: 3, columns: 2, slices: 1, spacing_mm: 1.0, thickness_mm: 99.0, pixel_mm: 90.0, ..recipe.scan };
    recipe.fractures = vec![FractureSpec {
        level: CervicalLevel::C3,
        kind: FractureKind::Hangman,
        width_mm: f32::NAN,
        displacement_mm: -4.0,
    }];
    assert_eq!(make(&recipe).voxels.len(), 6);
}
