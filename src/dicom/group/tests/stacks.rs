//! Which slices belong together: stacks are separated by what distinguishes acquisitions, and by nothing else.

use super::*;
use crate::domain::{Ambiguity, CleanText};

/// What distinguishes an acquisition or reconstruction.
fn distinguish(which: usize, header: &mut Header) {
    let other = &mut header.acquisition;
    match which {
        0 => other.number = Some(2),
        1 => other.tenth_kv = Some(800),
        2 => other.kernel = CleanText::new("Br40"),
        3 => header.slice_thickness = Some(3.0),
        4 => other.temporal_position = Some(2),
        5 => other.contrast = CleanText::new("Iomeprol"),
        6 => other.image_type = CleanText::new("DERIVED\\PRIMARY\\AXIAL\\MAT_SPECIFIC"),
        7 => other.tenth_mm_diameter = Some(5000),
        8 => other.stack = CleanText::new("2"),
        9 => header.frame_of_reference = Uid::from_file("2.25.88"),
        10 => other.rescale_type = CleanText::new("US"),
        _ => other.irradiation_event = Some(Uid::from_file("2.25.99")),
    }
}

/// Distinguishing attributes.
const WAYS: usize = 12;

fn slices(name: &'static str, count: i32, first: f64, step: f64, change: impl Fn(&mut Header) + Copy) -> Vec<Found> {
    (0..count).map(|i| found(&format!("{name}{i}"), first + f64::from(i) * step, i, change)).collect()
}

fn letters(series: &Series) -> std::collections::BTreeSet<char> {
    series.instances.iter().filter_map(|slice| slice.path.to_string_lossy().chars().next()).collect()
}

#[test]
fn a_slice_far_from_all_others_is_left_out_and_named() {
    for place in [[0.0, 0.0, -3000.0], [0.0, 0.0, 60.0], [900.0, 0.0, 10.0]] {
        let mut files = slices("a", 24, 0.0, 1.0, |_| {});
        files[10] = found("lost", 0.0, 11, |header| header.plane = ImagePlane::new(place, AXIAL));
        let study = only_study(&files);
        let series = &study.series[0];
        assert_eq!(series.instances.len(), 23, "{place:?}");
        let named = |oddity: &Oddity| matches!(oddity, Oddity::OutlierPosition { file, instance_number: Some(11), .. } if file == "lost");
        assert!(series.oddities.iter().any(named), "{:?}", series.oddities);
        assert!(series.oddities.contains(&Oddity::Gaps(1)), "the slice is missing at its own place");
    }
}

#[test]
fn a_position_that_two_slices_claim_while_another_is_empty_belongs_to_neither() {
    let mut files = slices("a", 24, 0.0, 1.0, |_| {});
    files[10] = found("lost", 3.0, 11, |_| {});
    let series = &only_study(&files).series[0];
    assert_eq!(series.instances.len(), 22);
    assert_eq!(series.oddities.iter().filter(|oddity| matches!(oddity, Oddity::OutlierPosition { .. })).count(), 2);
}

#[test]
fn images_at_one_position_stay_viewable_in_order_and_say_why_they_are_not_analyzed() {
    let files: Vec<Found> = (0..24)
        .map(|i| {
            found(&format!("{:02}", 23 - i), 100.0, 0, |header| {
                header.slice_location = Some(100.0 - f64::from(i));
                header.instance_number = None;
            })
        })
        .collect();
    let series = &only_study(&files).series[0];
    assert_eq!((series.kind, series.instances.len()), (SeriesKind::Unpositioned, 24));
    assert!(series.oddities.contains(&Oddity::EqualPositions));
    let names: Vec<_> = series.instances.iter().map(|slice| slice.path.to_string_lossy().into_owned()).collect();
    assert_eq!(names.first().map(String::as_str), Some("23"), "from head to foot by SliceLocation");
    assert!(names.is_sorted_by(|a, b| a > b));
}

#[test]
fn unusable_orientation_is_called_orientation() {
    let files =
        slices("a", 8, 0.0, 1.0, |header| (header.plane, header.plane_fault) = (None, Some(PlaneFault::Orientation)));
    let series = &only_study(&files).series[0];
    assert!(series.oddities.contains(&Oddity::NoOrientation) && !series.oddities.contains(&Oddity::NoPositions));
}

#[test]
fn thin_slices_and_the_thick_ones_they_touch_are_one_stack_without_gaps() {
    let thin = slices("a", 14, 0.0, 1.0, |_| {});
    let thick = slices("b", 10, 15.0, 3.0, |header| header.slice_thickness = Some(3.0));
    let study = only_study(&thin.into_iter().chain(thick).collect::<Vec<_>>());
    assert_eq!(study.series.len(), 1);
    assert!(study.series[0].oddities.contains(&Oddity::MixedThickness(10, 30)));
    assert!(!study.series[0].oddities.iter().any(|oddity| matches!(oddity, Oddity::Gaps(_) | Oddity::UnevenSpacing)));
}

#[test]
fn the_readable_copy_wins_and_different_pixels_are_named() {
    let with = |name: &str, content: Content| {
        let mut file = found("x", 3.0, 3, |header| header.sop_instance = Uid::from_file("2.25.7.7"));
        (file.path, file.content) = (name.into(), Some(content));
        file
    };
    let rest = || slices("a", 8, 10.0, 1.0, |_| {});
    let (whole, other) = (Content::Pixels([1; 16]), Content::Pixels([2; 16]));
    let study = |pair: [Found; 2]| only_study(&rest().into_iter().chain(pair).collect::<Vec<_>>());
    let shown = |study: &Study| -> Vec<String> {
        study
            .series
            .iter()
            .flat_map(|series| &series.instances)
            .map(|slice| slice.path.to_string_lossy().into_owned())
            .collect()
    };
    for pair in [
        [with("0cut", Content::Unreadable), with("1whole", whole)],
        [with("1whole", whole), with("0cut", Content::Unreadable)],
    ] {
        let study = study(pair);
        assert!(shown(&study).contains(&"1whole".to_owned()) && !shown(&study).contains(&"0cut".to_owned()));
        assert!(study.series[0].oddities.contains(&Oddity::Copies(1)));
    }
    let twice = study([with("0", whole), with("1", whole)]);
    assert!(twice.series[0].oddities.contains(&Oddity::Copies(1)) && twice.picture_count() == 9);
    let sent_again = study([with("0", other), with("1", whole)]);
    let conflict = Oddity::ConflictingPixels { used: "1".into(), ignored: "0".into() };
    assert!(sent_again.series[0].oddities.contains(&conflict), "{:?}", sent_again.series[0].oddities);
    // Copies that were given new UIDs are copies all the same.
    let mut renamed = with("1", whole);
    renamed.header = found("y", 3.0, 3, |_| {}).header;
    assert_eq!(study([with("0", whole), renamed]).picture_count(), 9);
}

#[test]
fn two_scans_with_the_same_instance_uids_get_no_number() {
    let scan = |name: &'static str, content: u8| {
        (0..10).map(move |i| {
            let mut file = found(&format!("{name}{i}"), f64::from(i), i, |header| {
                header.sop_instance = Uid::from_file(&format!("2.25.6.{i}"));
            });
            file.content = Some(Content::Pixels([content + i as u8; 16]));
            file
        })
    };
    let study = only_study(&scan("a", 0).chain(scan("b", 100)).collect::<Vec<_>>());
    assert_eq!(study.picture_count(), 20);
    for series in &study.series {
        assert!(series.oddities.contains(&Oddity::Ambiguous(Ambiguity::ConflictingPixels)));
    }
}

proptest! {
    /// Two series that differ in one thing, at any distance to each other, in one SeriesInstanceUID.
    #[test]
    fn a_stack_never_mixes_two_acquisitions(
        which in 0..WAYS,
        counts in (6_i32..30, 6_i32..30),
        steps in (0.3..4.0_f64, 0.3..4.0_f64),
        shift in -30.0..30.0_f64,
    ) {
        let first = slices("a", counts.0, 0.0, steps.0, |_| {});
        let second = slices("b", counts.1, shift, steps.1, |header| distinguish(which, header));
        let (end_a, end_b) = (f64::from(counts.0 - 1) * steps.0, shift + f64::from(counts.1 - 1) * steps.1);
        let apart = shift > end_a || end_b < 0.0;
        let study = only_study(&first.into_iter().chain(second).collect::<Vec<_>>());
        for series in &study.series {
            // Only parts that follow one another may be one stack: rotations, or thin and thick slices that touch.
            prop_assert!(letters(series).len() == 1 || apart, "{which}: {:?}", series.oddities);
        }
        prop_assert!(study.series.iter().all(|series| !is_ambiguous(series)));
    }

    #[test]
    fn names_and_numbers_of_files_decide_nothing(
        count in 6_i32..30,
        second in prop::option::of((0..WAYS, -20.0..20.0_f64)),
        seed in any::<u64>(),
    ) {
        let mut files = slices("a", count, 0.0, 1.0, |_| {});
        if let Some((which, shift)) = second {
            files.extend(slices("b", count, shift, 1.0, |header| distinguish(which, header)));
        }
        let volumes = |files: &[Found]| -> Vec<Vec<(Uid, u32)>> {
            let mut all: Vec<Vec<(Uid, u32)>> = only_study(files)
                .series
                .iter()
                .map(|series| series.instances.iter().map(|slice| (slice.sop_instance_uid.clone(), slice.frame)).collect())
                .collect();
            all.sort();
            all
        };
        let mut renamed = files.clone();
        let mut numbers: Vec<Option<i32>> = files.iter().map(|file| file.header.instance_number).collect();
        let mut random = fastrand::Rng::with_seed(seed);
        random.shuffle(&mut numbers);
        for (file, number) in renamed.iter_mut().zip(numbers) {
            file.path = format!("{:016x}", random.u64(..)).into();
            Arc::make_mut(&mut file.header).instance_number = number;
        }
        random.shuffle(&mut renamed);
        prop_assert_eq!(volumes(&files), volumes(&renamed));
    }

    #[test]
    fn a_removed_slice_is_reported(
        count in 8_i32..40,
        at in 0.0..1.0_f64,
        step in 0.3..5.0_f64,
        thickness in prop::option::of(0.3..10.0_f64),
    ) {
        let mut files = slices("a", count, 0.0, step, |header| header.slice_thickness = thickness);
        let whole = &only_study(&files).series[0];
        let quiet = |series: &Series| !series.oddities.iter().any(|oddity| matches!(oddity, Oddity::Gaps(_) | Oddity::UnevenSpacing));
        prop_assert!(quiet(whole), "{:?}", whole.oddities);
        files.remove(1 + (at * f64::from(count - 2)) as usize);
        prop_assert!(!quiet(&only_study(&files).series[0]));
    }
}
