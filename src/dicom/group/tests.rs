//! Grouping never depends on the order of the files, and never drops a picture without a word.

use super::*;
use crate::dicom::header;
use crate::dicom::part10::{self, Extent};
use crate::dicom::write::{CtSlice, HeaderStyle, write_ct_slice};
use crate::domain::{ImagePlane, Modality};
use proptest::prelude::*;
use std::sync::LazyLock;

/// The header of a written slice, which the tests change.
static BASE: LazyLock<Header> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.dcm");
    let slice = CtSlice {
        study_uid: "2.25.1",
        series_uid: "2.25.3",
        sop_instance_uid: "2.25.4",
        frame_of_reference_uid: "2.25.2",
        patient_name: "MADE^One",
        patient_id: "MADE",
        patient_sex: "F",
        patient_age: "062Y",
        study_date: "20000102",
        study_time: "030405",
        study_description: "made",
        series_description: "made",
        kernel: "BONE",
        body_part: "CSPINE",
        instance_number: 1,
        rows: 8,
        columns: 8,
        voxels: &[0; 64],
        intercept: -1024,
        style: HeaderStyle::Clinical,
        pixel_spacing: [0.5, 0.5],
        slice_thickness: 1.0,
        position: [0.0; 3],
        orientation: AXIAL,
    };
    write_ct_slice(&path, &slice).expect("a file");
    header::parse(&part10::read(&path, Extent::Header).expect("a file")).expect("a header").remove(0)
});

const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
const SAGITTAL: [f64; 6] = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0];

fn found(name: &str, z: f64, number: i32, change: impl Fn(&mut Header)) -> Found {
    let mut header = BASE.clone();
    let digits: String = name.bytes().map(|byte| byte.to_string()).collect();
    header.sop_instance = Uid::from_file(&format!("2.25.9.{digits}"));
    header.plane = ImagePlane::new([0.0, 0.0, z], AXIAL);
    header.instance_number = Some(number);
    change(&mut header);
    Found { path: name.into(), stamp: None, header: Arc::new(header), content: None }
}

/// The only study of files that have one.
fn only_study(files: &[Found]) -> Study {
    let mut studies = studies(&Uid::from_file("2.25.1"), files);
    assert_eq!(studies.len(), 1);
    studies.remove(0)
}

/// Slices of each series.
fn sizes(files: &[Found]) -> Vec<usize> {
    only_study(files).series.iter().map(|series| series.instances.len()).collect()
}

fn is_ambiguous(series: &Series) -> bool {
    series.oddities.iter().any(|oddity| matches!(oddity, Oddity::Ambiguous(_)))
}

#[test]
fn two_passes_with_one_number_each_are_told_apart_by_acquisition() {
    let pass = |acquisition: i32| {
        (0..10).map(move |i| {
            found(&format!("{acquisition}-{i}"), f64::from(i), i, |header| {
                header.acquisition.number = Some(acquisition)
            })
        })
    };
    let files: Vec<Found> = pass(1).chain(pass(2)).collect();
    let study = only_study(&files);
    assert_eq!(study.series.iter().map(|series| series.instances.len()).collect::<Vec<_>>(), [10, 10]);
    for series in &study.series {
        let pass = |instance: &Instance| instance.path.to_string_lossy().split('-').next().map(str::to_owned);
        let first = pass(&series.instances[0]);
        assert!(series.instances.iter().all(|instance| pass(instance) == first), "passes are mixed");
        assert!(series.oddities.contains(&Oddity::SeveralStacks(2)));
    }
}

#[test]
fn two_passes_between_each_others_slices_that_nothing_separates_are_not_analyzed() {
    let first = (0..10).map(|i| found(&format!("a{i}"), f64::from(i) * 2.0, i, |_| {}));
    let second = (0..10).map(|i| found(&format!("b{i}"), 0.7 + f64::from(i) * 2.0, 10 + i, |_| {}));
    let study = only_study(&first.chain(second).collect::<Vec<_>>());
    // Numbers are good enough to look at them one after the other.
    assert_eq!(study.series.iter().map(|series| series.instances.len()).collect::<Vec<_>>(), [10, 10]);
    assert!(study.series.iter().all(is_ambiguous));
    // Halves of one even stack, numbered apart, are one stack; so are two blocks with a gap between them.
    let odd = (0..10).map(|i| found(&format!("a{i}"), f64::from(i) * 2.0, i, |_| {}));
    let even = (0..10).map(|i| found(&format!("b{i}"), 1.0 + f64::from(i) * 2.0, 10 + i, |_| {}));
    assert_eq!(sizes(&odd.chain(even).collect::<Vec<_>>()), [20]);
    let low = (0..10).map(|i| found(&format!("a{i}"), f64::from(i), i, |_| {}));
    let high = (0..10).map(|i| found(&format!("b{i}"), 40.3 + f64::from(i), 10 + i, |_| {}));
    assert_eq!(sizes(&low.chain(high).collect::<Vec<_>>()), [20]);
}

/// Rotations of a step-and-shoot scan have an acquisition number each, and may share a position where they meet.
#[test]
fn rotations_that_follow_one_another_stay_one_stack() {
    let slices = (0..4).flat_map(|turn| {
        (0..8).map(move |i| {
            let z = f64::from(turn * 7 + i);
            found(&format!("{turn}-{i}"), z, turn * 8 + i, |header| header.acquisition.number = Some(turn))
        })
    });
    let files: Vec<Found> = slices.collect();
    let study = only_study(&files);
    assert_eq!(study.series.len(), 1);
    assert_eq!(study.series[0].instances.len(), 29);
    assert!(study.series[0].oddities.contains(&Oddity::DuplicatePositions(3)));
}

#[test]
fn a_few_doubled_positions_are_left_out_and_counted() {
    let mut files: Vec<Found> = (0..10).map(|i| found(&format!("a{i}"), f64::from(i), i, |_| {})).collect();
    files.push(found("b", 3.0, 40, |_| {}));
    let study = only_study(&files);
    assert_eq!(study.series[0].instances.len(), 10);
    assert!(study.series[0].oddities.contains(&Oddity::DuplicatePositions(1)));
}

#[test]
fn both_scouts_of_a_localizer_series_are_shown() {
    let scout = |name: &str, orientation: [f64; 6]| {
        found(name, 0.0, 1, |header| {
            header.is_localizer = true;
            header.plane = ImagePlane::new([0.0; 3], orientation);
        })
    };
    let files = [scout("a", SAGITTAL), scout("b", [1.0, 0.0, 0.0, 0.0, 0.0, -1.0])];
    let series = only_study(&files).series;
    assert!(series.iter().all(|series| series.kind == SeriesKind::Localizer));
    assert_eq!(series.len(), 2);
}

/// A file in any of the states that a scanner, an archive or an accident can leave it in.
fn any_file() -> impl Strategy<Value = (u8, u8, u8, u8, u8)> {
    (0_u8..14, 0_u8..12, 0_u8..30, 0_u8..3, 0_u8..3)
}

fn files(list: &[(u8, u8, u8, u8, u8)]) -> Vec<Found> {
    let make = |(index, (state, z, number, series, acquisition)): (usize, &(u8, u8, u8, u8, u8))| {
        found(&format!("{index:03}"), f64::from(*z), i32::from(*number), |header| {
            header.series = Uid::from_file(&format!("2.25.3.{series}"));
            header.series_number = Some(i32::from(*acquisition));
            header.acquisition.number = Some(i32::from(*acquisition));
            match state {
                0 => header.plane = None,
                1 => header.plane = ImagePlane::new([f64::from(*z), 0.0, 0.0], SAGITTAL),
                2 => header.is_localizer = true,
                3 => header.has_pixels = false,
                4 => header.layout = Err(Fault::NotGrey),
                5 => header.layout = Err(Fault::Rescale),
                6 => header.layout = Err(Fault::Size),
                7 => header.instance_number = None,
                8 => header.sop_instance = Uid::from_file("2.25.5"),
                9 => header.layout = header.layout.map(|layout| header::PixelLayout { rows: 16, ..layout }),
                10 => header.spacing = None,
                11 => header.modality = Modality::Unstated,
                _ => {}
            }
        })
    };
    list.iter().enumerate().map(make).collect()
}

proptest! {
    #[test]
    fn the_order_of_the_files_never_matters(
        list in prop::collection::vec(any_file(), 1..40),
        seed in any::<u64>(),
    ) {
        let files = files(&list);
        let mut shuffled = files.clone();
        let mut state = seed | 1;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, (state >> 33) as usize % (at + 1));
        }
        let uid = Uid::from_file("2.25.1");
        prop_assert_eq!(studies(&uid, &files), studies(&uid, &shuffled));
    }

    #[test]
    fn every_file_is_shown_or_counted_once(list in prop::collection::vec(any_file(), 1..40)) {
        let files = files(&list);
        let study = only_study(&files);
        let mut shown: Vec<_> =
            study.series.iter().flat_map(|series| &series.instances).map(|instance| &instance.path).collect();
        let kept = shown.len();
        shown.sort();
        shown.dedup();
        prop_assert_eq!(shown.len(), kept, "an image is in two series");
        let left: usize =
            study.series.iter().flat_map(|series| &series.oddities).filter_map(Oddity::left_out).sum();
        // Files without pictures in a series that has none are the series itself.
        let reports: usize = study
            .series
            .iter()
            .filter(|series| series.kind == SeriesKind::NoPixels)
            .map(|series| {
                files.iter().filter(|file| file.header.series == series.uid && !file.header.has_pixels).count()
                    - series.oddities.iter().map(|oddity| match oddity {
                        Oddity::WithoutPicture(n) => *n,
                        _ => 0,
                    }).sum::<usize>()
            })
            .sum();
        prop_assert_eq!(kept + left + reports, files.len());
        // Uids and stack numbers name a series.
        let mut keys: Vec<_> = study.series.iter().map(|series| (&series.uid, series.stack_index)).collect();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), study.series.len());
    }
}

mod people;
mod stacks;
