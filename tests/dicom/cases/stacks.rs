//! Which slices belong together.

use super::*;
use cspine::domain::{Ambiguity, Missing};

const ACQUISITION: (u16, u16) = (0x0020, 0x0012);
const KVP: (u16, u16) = (0x0018, 0x0060);
const THICKNESS: (u16, u16) = (0x0018, 0x0050);
const POSITION: (u16, u16) = (0x0020, 0x0032);
const ORIENTATION: (u16, u16) = (0x0020, 0x0037);

/// The slices and the one tissue value of every series.
fn pure(study: &Study) -> Vec<(usize, i16)> {
    let mut all: Vec<(usize, i16)> = study
        .series
        .iter()
        .map(|series| {
            let values = tissue(series);
            assert!(values.iter().all(|value| *value == values[0]), "a mixture: {values:?}");
            (values.len(), values[0])
        })
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn two_passes_half_a_slice_apart_are_two_stacks() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |_, slice| slice);
    stack(folder.path(), 2, (COUNT, 99.5, 1.0), 60, |_, slice| slice.with(ACQUISITION, "IS", "2"));
    let study = only(folder.path());
    assert_eq!(pure(&study), [(24, 40), (24, 60)]);
    assert!(study.series.iter().all(|series| has(&series.oddities, "several-stacks")));
    assert!(refusal(&study).is_none() || study.series.iter().all(|series| series.instances.len() == 24));
}

#[test]
fn two_energies_with_the_same_numbers_and_positions_are_two_stacks_whatever_the_files_are_called() {
    let folder = tempfile::tempdir().expect("a folder");
    for index in 0..COUNT {
        for (name, kvp, value) in [(1_u32, "140", 40), (2, "80", 500)] {
            let slice = Slice::new(name, index + 1, 100.0 - f64::from(index), value).with(KVP, "DS", kvp);
            // Names in an order of their own.
            let turned = (index * 7 + i32::try_from(name).expect("small") * 5) % 48;
            slice.write(&folder.path().join(format!("{turned:02}-{name}-{index}.dcm")));
        }
    }
    assert_eq!(pure(&only(folder.path())), [(24, 40), (24, 500)]);
}

#[test]
fn a_thick_reconstruction_takes_no_place_among_thin_slices() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |_, slice| slice);
    stack(folder.path(), 2, (8, 99.0, 3.0), 60, |_, slice| slice.with(THICKNESS, "DS", "3.0"));
    assert_eq!(pure(&only(folder.path())), [(8, 60), (24, 40)]);
}

#[test]
fn thin_slices_and_thick_ones_that_touch_them_have_no_gap() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), 1, (14, 100.0, 1.0), 40, |_, slice| slice);
    stack(folder.path(), 2, (10, 85.0, 3.0), 40, |_, slice| slice.with(THICKNESS, "DS", "3.0"));
    let study = only(folder.path());
    let volume = load(&study.series[0]);
    assert_eq!((study.series.len(), volume.shape.slices), (1, 24));
    assert!(!has(&volume.oddities, "gaps") && has(&volume.oddities, "mixed-thickness"), "{:?}", volume.oddities);
    for mm in 0..40 {
        assert!(volume.stack.index_at(f64::from(mm)).is_some(), "a black band at {mm} mm");
    }
}

#[test]
fn a_slice_three_meters_away_is_left_out_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |index, slice| {
        if index == 10 { slice.with(POSITION, "DS", "-8\\-8\\-2910") } else { slice }
    });
    let series = only(folder.path()).series.remove(0);
    let warning = series.oddities.iter().find(|oddity| oddity.name() == "outlier-position").expect("a warning");
    assert!(warning.to_string().contains("1-010.dcm"), "{warning}");
    let volume = load(&series);
    assert_eq!((volume.shape.slices, volume.stack.extent().round()), (23, 23.0));
}

#[test]
fn images_at_one_position_can_all_be_seen_and_the_reason_is_true() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |index, slice| {
        slice.with(POSITION, "DS", "-8\\-8\\100").with((0x0020, 0x1041), "DS", &format!("{}", 100 - index))
    });
    let study = only(folder.path());
    assert_eq!(load(&study.series[0]).shape.slices, COUNT as usize);
    assert_eq!(refusal(&study), Some(NotAnalysed::NoGeometry(Missing::DistinctPositions)));
}

#[test]
fn cut_direction_cosines_are_normalized_and_unusable_ones_are_called_orientation() {
    let with = |cosines: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |_, slice| slice.with(ORIENTATION, "DS", cosines));
        only(folder.path())
    };
    let cut = with("1\\0\\0\\0\\0.9\\-0.4");
    assert_eq!(refusal(&cut), None, "norm .985");
    assert!(cut.series[0].oddities.iter().any(|oddity| oddity.to_string() == "repaired: direction cosines normalized"));
    for unusable in ["1\\0\\0\\1\\0\\0", "0\\0\\0\\0\\0\\0", "1\\0\\0\\0\\0.5\\0", "1\\0\\0"] {
        assert_eq!(refusal(&with(unusable)), Some(NotAnalysed::NoGeometry(Missing::Orientation)), "{unusable}");
    }
}

#[test]
fn two_scans_that_nothing_separates_are_shown_and_not_analyzed() {
    for shift in [0.0, 0.4, 0.5] {
        let folder = tempfile::tempdir().expect("a folder");
        stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |_, slice| slice);
        stack(folder.path(), 2, (COUNT, 100.0 - shift, 1.0), 300, |_, slice| slice);
        let study = only(folder.path());
        assert!(matches!(refusal(&study), Some(NotAnalysed::Ambiguous(_))), "{shift}: {:?}", refusal(&study));
        assert_eq!(study.picture_count(), 2 * COUNT as usize, "every image can be seen");
    }
}

#[test]
fn slices_of_two_bodies_in_turn_are_noticed_by_their_pixels() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), 1, (COUNT, 100.0, 1.0), 40, |_, slice| slice);
    // Numbers go on, positions lie halfway, everything else is the same: only the images differ.
    stack(folder.path(), 2, (COUNT, 99.5, 1.0), 40, |index, mut slice| {
        slice.hu = slice.hu.iter().map(|hu| if *hu == 40 { -1000 } else { 300 }).collect();
        slice.with((0x0020, 0x0013), "IS", &(index + 100).to_string()).stored(|hu| hu as u16)
    });
    let volume = load(&only(folder.path()).series[0]);
    assert_eq!(Oddity::ambiguity(&volume.oddities), Some(Ambiguity::AlternatingImages));
}

/// Frames of an Enhanced CT image are told apart as slices of single files are.
#[test]
fn frames_of_two_acquisitions_in_one_file_are_two_stacks() {
    use made::sequence;
    let item = |elements: &[Element]| data_set(elements, Writing::Explicit);
    let frames: Vec<Vec<u8>> = (0..2 * COUNT)
        .map(|frame| {
            let (pass, index) = (frame / COUNT, frame % COUNT);
            let position = format!("-8\\-8\\{}", 100.0 - f64::from(index) - 0.5 * f64::from(pass));
            item(&[
                sequence((0x0020, 0x9111), &[item(&[number((0x0020, 0x9156), 1 + pass as u16)])]),
                sequence((0x0020, 0x9113), &[item(&[text(POSITION, "DS", &position)])]),
            ])
        })
        .collect();
    let mut slice = Slice::new(1, 1, 100.0, 40).without(&[POSITION, ACQUISITION, (0x0020, 0x0013)]);
    slice.elements.insert((0x0028, 0x0008), text((0x0028, 0x0008), "IS", &(2 * COUNT).to_string()));
    slice.elements.insert((0x5200, 0x9230), sequence((0x5200, 0x9230), &frames));
    slice.hu = (0..2 * COUNT).flat_map(|frame| body(frame % COUNT, if frame < COUNT { 40 } else { 60 })).collect();
    let slice = slice.stored(|hu| hu as u16);
    let folder = tempfile::tempdir().expect("a folder");
    slice.write(&folder.path().join("enhanced.dcm"));
    assert_eq!(pure(&only(folder.path())), [(24, 40), (24, 60)]);
}
