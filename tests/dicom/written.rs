//! Reading what the project writes itself, whole, damaged and in any order. Needs no data.

use crate::support::made;
mod bombs;
mod containers;
mod frames;
mod hounsfield;
mod media;
mod packing;
mod pixels;
mod repairs;

use cspine::dicom::{CtSlice, HeaderStyle, LoadError, load_volume, scan_all, write_ct_slice};
use cspine::domain::{Oddity, Precedence, Study, Volume};
use cspine::task::Cancel;
use proptest::prelude::*;
use std::path::{Path, PathBuf};

const SIDE: u16 = 8;

/// Writes one slice; its pixels tell its number.
fn write(folder: &Path, name: &str, series: &str, number: i32, z: f64) -> PathBuf {
    let voxels: Vec<i16> = (0..SIDE * SIDE).map(|i| i as i16 + 100 * number as i16 - 1000).collect();
    write_voxels(&folder.join(name), series, (number, z), &voxels, (-1024, HeaderStyle::Clinical))
}

fn write_voxels(
    path: &Path,
    series: &str,
    (number, z): (i32, f64),
    voxels: &[i16],
    (intercept, style): (i16, HeaderStyle),
) -> PathBuf {
    let slice = CtSlice {
        study_uid: "2.25.1",
        series_uid: series,
        sop_instance_uid: &format!("{series}.{number}"),
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
        instance_number: number,
        rows: SIDE,
        columns: SIDE,
        voxels,
        intercept,
        style,
        pixel_spacing: [0.5, 0.25],
        slice_thickness: 2.0,
        position: [-10.0, -20.0, z],
        orientation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    };
    write_ct_slice(path, &slice).expect("a file");
    path.to_owned()
}

/// Six slices, 2 mm apart, the highest number at the head, named in no order.
fn stack(folder: &Path) -> Vec<PathBuf> {
    let names = ["c", "a", "f", "b", "e", "d"];
    (1..=6).zip(names).map(|(n, name)| write(folder, name, "2.25.10", n, 2.0 * f64::from(n))).collect()
}

fn studies(folder: &Path) -> Vec<Study> {
    scan_all(&[folder.to_owned()], &Cancel::new()).0
}

fn volume(folder: &Path) -> Volume {
    let studies = studies(folder);
    load_volume(&studies[0].series[0], &Cancel::new(), &|_, _| {}).expect("a volume")
}

fn numbers(volume: &Volume) -> Vec<i32> {
    volume.slices.iter().filter_map(|slice| slice.instance_number).collect()
}

#[test]
fn values_and_geometry_come_back_head_first_whatever_the_names() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path());
    let volume = volume(folder.path());
    assert_eq!(numbers(&volume), [6, 5, 4, 3, 2, 1]);
    assert_eq!(volume.at(1, 2, 3), Some(2 * 8 + 3 + 500 - 1000));
    assert_eq!(volume.patient_point(1.0, 2.0, 4.0).map(|p| p.to_array()), Some([-9.0, -19.0, 10.0]));
    assert_eq!(volume.stack.spacing, Some(2.0));
    assert!(volume.oddities.is_empty(), "{:?}", volume.oddities);
}

#[test]
fn a_study_is_stat_where_any_of_its_files_asks_for_it() {
    use made::{EXPLICIT, Element, Writing, data_set, part10, sequence, set, slice, text};
    let asked = |element: Option<Element>| {
        let folder = tempfile::tempdir().expect("a folder");
        made::good_slices(folder.path(), [1, 2, 4, 5, 6]);
        let mut elements = slice(3);
        if let Some(element) = element {
            set(&mut elements, element);
        }
        let file = part10(EXPLICIT, &data_set(&elements, Writing::Explicit));
        std::fs::write(folder.path().join("third"), file).expect("written");
        studies(folder.path())[0].precedence
    };
    let priority = |word: &str| text((0x0040, 0x1003), "SH", word);
    let request = |word: &str| sequence((0x0040, 0x0275), &[priority(word).write(Writing::Explicit)]);
    for first in ["STAT", "HIGH", "stat "] {
        assert_eq!(asked(Some(priority(first))), Precedence::Stat, "{first}");
        assert_eq!(asked(Some(request(first))), Precedence::Stat, "{first}");
    }
    assert_eq!(asked(Some(text((0x0032, 0x000C), "CS", "HIGH"))), Precedence::Stat);
    for other in ["ROUTINE", "MEDIUM", "LOW", "", "STATIC"] {
        assert_eq!(asked(Some(priority(other))), Precedence::Ordinary, "{other}");
        assert_eq!(asked(Some(request(other))), Precedence::Ordinary, "{other}");
    }
    assert_eq!(asked(None), Precedence::Ordinary);
}

#[test]
fn values_without_a_word_of_their_unit_are_hounsfield_units_where_they_are_spread_so() {
    let body = |i: u16| if i.is_multiple_of(4) { -1000 } else { 30 + i as i16 };
    let magnet = |i: u16| 40 * i as i16 - 100;
    for (values, expected) in [(&body as &dyn Fn(u16) -> i16, true), (&magnet, false)] {
        let folder = tempfile::tempdir().expect("a folder");
        let voxels: Vec<i16> = (0..SIDE * SIDE).map(values).collect();
        for number in 1..=6 {
            let path = folder.path().join(format!("{number}.dcm"));
            write_voxels(&path, "2.25.10", (number, -f64::from(number)), &voxels, (0, HeaderStyle::Sparse));
        }
        let volume = volume(folder.path());
        assert_eq!(volume.is_hounsfield(), expected);
        assert_eq!(volume.voxels[..voxels.len()], voxels[..]);
    }
}

#[test]
fn a_copy_counts_once_and_a_missing_slice_is_a_gap() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = stack(folder.path());
    std::fs::copy(&files[0], folder.path().join("copy")).expect("a copy");
    std::fs::remove_file(&files[2]).expect("removed");
    let volume = volume(folder.path());
    assert_eq!(numbers(&volume), [6, 5, 4, 2, 1]);
    assert!(volume.oddities.contains(&Oddity::Copies(1)) && volume.oddities.contains(&Oddity::Gaps(1)));
}

#[test]
fn files_without_group_length_or_preamble_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = stack(folder.path());
    let good = std::fs::read(&files[0]).expect("bytes");
    assert_eq!(good[132..136], [2, 0, 0, 0], "the group length comes first");
    std::fs::write(&files[0], [&good[..132], &good[144..]].concat()).expect("written");
    std::fs::write(&files[1], &std::fs::read(&files[1]).expect("bytes")[132..]).expect("written");
    assert_eq!(numbers(&volume(folder.path())), [6, 5, 4, 3, 2, 1]);
}

#[test]
fn two_series_of_a_study_stay_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path());
    write(folder.path(), "other", "2.25.11", 1, 5.0);
    let studies = studies(folder.path());
    assert_eq!(studies.len(), 1);
    assert_eq!(studies[0].series.iter().map(|series| series.instances.len()).collect::<Vec<_>>(), [6, 1]);
}

#[test]
fn a_cancelled_scan_finds_nothing_and_a_cancelled_load_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path());
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(scan_all(&[folder.path().to_owned()], &cancel).0.is_empty());
    let series = &studies(folder.path())[0].series[0];
    assert_eq!(load_volume(series, &cancel, &|_, _| {}).err(), Some(LoadError::Cancelled));
}

#[cfg(unix)]
#[test]
fn a_link_loop_and_a_named_pipe_do_not_hold_up_a_scan() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path());
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).expect("a link");
    let pipe = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().expect("mkfifo");
    assert!(pipe.success());
    let (studies, unreadable, summary) = scan_all(&[folder.path().to_owned()], &Cancel::new());
    assert_eq!(studies[0].picture_count(), 6);
    assert_eq!((unreadable.len(), summary.not_dicom), (1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_damaged_file_costs_at_most_itself(cut in 0_usize..1400, flips in prop::collection::vec((0_usize..1400, any::<u8>()), 0..8)) {
        let folder = tempfile::tempdir().expect("a folder");
        let files = stack(folder.path());
        let mut bytes = std::fs::read(&files[3]).expect("bytes");
        bytes.truncate(bytes.len().saturating_sub(cut));
        for (at, value) in flips {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        std::fs::write(&files[3], &bytes).expect("written");
        let mut kept = std::collections::BTreeSet::new();
        for series in studies(folder.path()).iter().flat_map(|study| &study.series) {
            if let Ok(volume) = load_volume(series, &Cancel::new(), &|_, _| {}) {
                kept.extend(numbers(&volume));
            }
        }
        prop_assert!([1, 2, 3, 5, 6].iter().all(|number| kept.contains(number)), "{kept:?}");
    }
}
