//! Files of several frames: every frame lies where its own groups say, whatever holds its pixels.

use super::{studies, volume};
use crate::support::made::{
    ENCAPSULATED, ENCAPSULATED_END, EXPLICIT, Element, RLE, Writing, data_set, enhanced, frame_pixels, item, part10,
    pixels, rle, set, slice, text, undefined, voxel,
};
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{Oddity, Repair, SeriesKind, Volume};
use cspine::task::Cancel;
use proptest::prelude::*;

/// The frames' slices, in the order in which the file has them.
const ORDER: [i32; 6] = [2, 1, 6, 4, 3, 5];

fn volume_of(bytes: &[u8]) -> Volume {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("all"), bytes).expect("written");
    volume(folder.path())
}

/// Head first, each voxel at its place with its own frame's rescale.
fn assert_placed(what: &str, volume: &Volume, slices: &[i32]) {
    assert_eq!(volume.shape.slices, slices.len(), "{what}: {:?}", volume.oddities);
    for (index, number) in slices.iter().enumerate() {
        let position = volume.slices[index].position.map(|position| position.z);
        assert_eq!(position, Some(2.0 * f64::from(*number)), "{what}");
        let seen: Vec<_> = (0..64).map(|at| volume.at(index, at / 8, at % 8)).collect();
        assert_eq!(seen, (0..64).map(|at| Some(voxel(*number, at))).collect::<Vec<_>>(), "{what}, slice {number}");
        let frame = ORDER.iter().position(|other| other == number).expect("a frame");
        assert_eq!(volume.slices[index].frame as usize, frame, "{what}");
    }
}

fn native(order: &[i32]) -> Vec<u8> {
    let mut elements = enhanced(order);
    let value = order.iter().flat_map(|number| frame_pixels(*number)).collect();
    elements.push(Element { tag: (0x7FE0, 0x0010), vr: "OW", value });
    part10(EXPLICIT, &data_set(&elements, Writing::Explicit))
}

#[test]
fn an_enhanced_ct_is_a_volume() {
    let volume = volume_of(&native(&ORDER));
    assert_placed("native", &volume, &[6, 5, 4, 3, 2, 1]);
    assert_eq!(volume.stack.spacing, Some(2.0));
    assert_eq!(volume.spacing.map(|spacing| (spacing.row, spacing.column)), Some((0.5, 0.5)));
    assert!(volume.is_hounsfield() && volume.oddities.is_empty(), "{:?}", volume.oddities);
}

#[test]
fn groups_in_sequences_of_undefined_length_are_read() {
    let elements = enhanced(&ORDER);
    let (groups, rest) = elements.split_last().expect("elements");
    let value = ORDER.iter().flat_map(|number| frame_pixels(*number)).collect();
    let pixels = Element { tag: (0x7FE0, 0x0010), vr: "OW", value }.write(Writing::Explicit);
    let bytes = [data_set(rest, Writing::Explicit), undefined(groups), pixels].concat();
    assert_placed("undefined length", &volume_of(&part10(EXPLICIT, &bytes)), &[6, 5, 4, 3, 2, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever a damaged file claims, reading it ends, without a panic.
    #[test]
    fn a_damaged_multi_frame_file_ends(cut in 0_usize..2500, flips in prop::collection::vec((0_usize..2500, any::<u8>()), 1..8)) {
        let mut bytes = native(&ORDER);
        bytes.truncate(bytes.len().saturating_sub(cut));
        for (at, value) in flips {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("all"), &bytes).expect("written");
        for series in studies(folder.path()).iter().flat_map(|study| &study.series) {
            if let Ok(volume) = load_volume(series, &Cancel::new(), &|_, _| {}) {
                prop_assert_eq!(volume.voxels.len(), volume.shape.len());
            }
        }
    }
}

#[test]
fn frames_beyond_the_files_end_are_left_out_and_told() {
    let whole = native(&ORDER);
    let volume = volume_of(&whole[..whole.len() - 2 * 128 - 5]);
    assert_placed("cut", &volume, &[6, 2, 1]);
    assert!(volume.oddities.contains(&Oddity::UnreadablePixels(3)), "{:?}", volume.oddities);
}

/// Encapsulated frames, with the offsets of each frame's first fragment and the fragments themselves.
fn encapsulated(fragments: &[Vec<u8>], basic: &[u8], extended: Option<&[u64]>) -> Vec<u8> {
    let mut elements = enhanced(&ORDER);
    if let Some(offsets) = extended {
        let value = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        elements.push(Element { tag: (0x7FE0, 0x0001), vr: "OV", value });
    }
    let mut bytes = data_set(&elements, Writing::Explicit);
    bytes.extend(ENCAPSULATED);
    bytes.extend(item(basic));
    bytes.extend(fragments.iter().flat_map(|fragment| item(fragment)));
    bytes.extend(ENCAPSULATED_END);
    part10(RLE, &bytes)
}

#[test]
fn encapsulated_frames_are_told_apart() {
    let whole: Vec<Vec<u8>> = ORDER.iter().map(|number| rle(&frame_pixels(*number))).collect();
    let halves: Vec<Vec<u8>> = whole.iter().flat_map(|stream| [stream[..66].to_vec(), stream[66..].to_vec()]).collect();
    let starts = |fragments: &[Vec<u8>], each: usize| -> Vec<u64> {
        let mut at = 0;
        let mut starts = Vec::new();
        for (index, fragment) in fragments.iter().enumerate() {
            if index % each == 0 {
                starts.push(at);
            }
            at += 8 + fragment.len() as u64;
        }
        starts
    };
    let basic = |starts: &[u64]| -> Vec<u8> { starts.iter().flat_map(|start| (*start as u32).to_le_bytes()).collect() };
    let (one, two) = (starts(&whole, 1), starts(&halves, 2));
    for (what, bytes, repairs) in [
        ("a fragment a frame, no table", encapsulated(&whole, &[], None), vec![]),
        ("a fragment a frame, a table", encapsulated(&whole, &basic(&one), None), vec![]),
        ("a fragment a frame, extended", encapsulated(&whole, &[], Some(&one)), vec![]),
        ("a fragment a frame, a wrong table", encapsulated(&whole, &basic(&two), None), vec![Repair::OffsetTable]),
        ("two fragments a frame, a table", encapsulated(&halves, &basic(&two), None), vec![]),
        ("two fragments a frame, extended", encapsulated(&halves, &[], Some(&two)), vec![]),
    ] {
        let volume = volume_of(&bytes);
        assert_placed(what, &volume, &[6, 5, 4, 3, 2, 1]);
        let told: Vec<Oddity> = repairs.into_iter().map(Oddity::Repaired).collect();
        assert_eq!(volume.oddities, told, "{what}");
    }
    // Nothing says which fragments belong together.
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("all"), encapsulated(&halves, &[], None)).expect("written");
    let (studies, unreadable, _) = scan_all(&[folder.path().to_owned()], &Cancel::new());
    assert_eq!(studies[0].picture_count(), 0);
    assert!(unreadable[0].1.contains("cannot be assigned to frames"), "{unreadable:?}");
}

#[test]
fn frames_without_groups_are_a_stack_without_positions() {
    let mut elements = slice(1);
    set(&mut elements, text((0x0028, 0x0008), "IS", "4"));
    let value = (1..=4).flat_map(pixels).collect();
    set(&mut elements, Element { tag: (0x7FE0, 0x0010), vr: "OW", value });
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("all"), part10(EXPLICIT, &data_set(&elements, Writing::Explicit)))
        .expect("written");
    let series = &studies(folder.path())[0].series[0];
    assert_eq!(series.kind, SeriesKind::Unpositioned);
    let volume = volume(folder.path());
    assert_eq!(volume.shape.slices, 4);
    assert_eq!(
        (0..4).map(|slice| volume.at(slice, 0, 0)).collect::<Vec<_>>(),
        (1..=4).map(|n| Some(voxel(n, 0))).collect::<Vec<_>>()
    );
    assert!(volume.oddities.contains(&Oddity::NoPositions), "{:?}", volume.oddities);
}

#[test]
fn numbers_of_frames_that_cannot_be_meant() {
    for frames in ["2147483647", "0", "-4", "four", "65537"] {
        let mut elements = slice(1);
        set(&mut elements, text((0x0028, 0x0008), "IS", frames));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("all"), part10(EXPLICIT, &data_set(&elements, Writing::Explicit)))
            .expect("written");
        let series = &studies(folder.path())[0].series[0];
        assert_eq!(series.instances.len(), 0, "{frames}");
        assert!(series.oddities.contains(&Oddity::MultiFrame(1)), "{frames}: {:?}", series.oddities);
    }
    // Groups for another number of frames than there are.
    let mut elements = enhanced(&ORDER);
    set(&mut elements, text((0x0028, 0x0008), "IS", "5"));
    let value = ORDER.iter().flat_map(|number| frame_pixels(*number)).collect();
    elements.push(Element { tag: (0x7FE0, 0x0010), vr: "OW", value });
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("all"), part10(EXPLICIT, &data_set(&elements, Writing::Explicit)))
        .expect("written");
    assert_eq!(studies(folder.path())[0].series[0].oddities, [Oddity::MultiFrame(1)]);
}
