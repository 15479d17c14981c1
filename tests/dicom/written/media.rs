//! Exported media: a DICOMDIR never hides a file, and what is not DICOM is counted, not listed one by one.

use super::packing::{deflated, scanned, scanned_file, slice_file};
use crate::support::made::{EXPLICIT, Writing, data_set, good_slices, part10, sequence, text};
use std::path::Path;

/// A DICOMDIR that lists these files.
fn directory(names: &[&str]) -> Vec<u8> {
    let record = |name: &&str| {
        let elements = [text((4, 0x1430), "CS", "IMAGE"), text((4, 0x1500), "CS", name)];
        data_set(&elements, Writing::Explicit)
    };
    let mut records = vec![data_set(&[text((4, 0x1430), "CS", "PATIENT")], Writing::Explicit)];
    records.extend(names.iter().map(record));
    let set = [text((4, 0x1130), "CS", "MADE"), sequence((4, 0x1220), &records)];
    part10(EXPLICIT, &data_set(&set, Writing::Explicit))
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn a_dicomdir_hides_nothing_and_names_what_is_missing_once() {
    let outside = tempfile::tempdir().expect("a folder");
    write(outside.path(), "IM9", slice_file(9));
    let folder = outside.path().join("medium");
    std::fs::create_dir(&folder).expect("a folder");
    good_slices(&folder, [8]);
    write(&folder, "DICOM/IM1", slice_file(1));
    write(&folder, "DICOM/ser1/im2", slice_file(2));
    let names = ["DICOM\\IM1", "DICOM\\IM2", "DICOM\\ser1\\im2", "..\\IM9", "/IM9", "DICOM\\..\\..\\IM9", ""];
    write(&folder, "DICOMDIR", directory(&names));
    // Named by itself or by its folder.
    for path in [folder.join("DICOMDIR"), folder.clone()] {
        let found = scanned(&path);
        assert_eq!(found.numbers, [1, 2, 8]);
        assert_eq!(found.told.len(), 1, "{:?}", found.told);
        let (name, reason) = &found.told[0];
        assert!(name == "DICOMDIR" && reason.starts_with("lists 4 files that are not here, first: "), "{reason}");
    }
}

#[test]
fn a_dicomdir_of_other_spelling_misses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, number) in [("dicom/im1", 1), ("DICOM/IM2.dcm", 2), ("DICOM/IM3.DCM;1", 3), ("DICOM/IM4", 4)] {
        write(folder.path(), name, slice_file(number));
    }
    write(folder.path(), "dicomdir", directory(&["DICOM\\IM1", "DICOM\\IM2", "DICOM\\IM3", "DICOM\\IM4.dcm"]));
    let found = scanned(&folder.path().join("dicomdir"));
    assert_eq!((found.numbers, found.told), (vec![1, 2, 3, 4], vec![]));
}

#[test]
fn an_unusable_dicomdir_costs_nothing_but_a_line() {
    for (bytes, lines) in [(directory(&["GONE"]), 1), (directory(&[]), 0), (b"not an index".to_vec(), 1)] {
        let folder = tempfile::tempdir().expect("a folder");
        good_slices(folder.path(), [1, 2]);
        write(folder.path(), "DICOMDIR", bytes);
        for path in [folder.path().to_owned(), folder.path().join("DICOMDIR")] {
            let found = scanned(&path);
            assert_eq!((found.numbers.as_slice(), found.told.len()), ([1, 2].as_slice(), lines), "{:?}", found.told);
        }
    }
}

#[test]
fn a_dicomdir_in_an_archive_is_compared_with_the_archive() {
    let zip =
        deflated(&[("CD/DICOMDIR", directory(&["DICOM\\IM1", "DICOM\\IM2"])), ("CD/DICOM/IM1.dcm", slice_file(1))]);
    let found = scanned_file("cd.zip", &zip);
    assert_eq!(found.numbers, [1]);
    assert_eq!(found.told, [("DICOMDIR".to_owned(), "lists a file that is not here: DICOM/IM2".to_owned())]);
}

#[test]
fn files_that_are_not_dicom_are_counted_and_not_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    good_slices(folder.path(), [1, 2]);
    let apple_double = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ";
    for number in 0..165 {
        write(folder.path(), &format!("DICOM/._IM{number:04}.dcm"), apple_double);
    }
    write(folder.path(), "__MACOSX/DICOM/IM1", "");
    for name in ["Thumbs.db", ".DS_Store", "desktop.ini", "AUTORUN.INF", "viewer.exe", "index.html", "report.pdf"] {
        write(folder.path(), name, "something");
        write(folder.path(), &format!("DICOM/{name}"), "something");
    }
    write(folder.path(), "other/Thumbs.db", "");
    for number in 0..12 {
        write(folder.path(), &format!("text/{number:02}.dcm"), "text");
        write(folder.path(), &format!("empty/{number:02}"), "");
    }
    let found = scanned(folder.path());
    assert_eq!(found.numbers, [1, 2]);
    let mut told: Vec<&str> = found.told.iter().map(|(_, reason)| reason.as_str()).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "12 empty files; this is the first",
            "12 files named .dcm are not DICOM; this is the first",
            "166 AppleDouble files (macOS metadata) ignored",
        ]
    );
    assert_eq!(found.summary.unreadable, 12, "empty files may have been images");
}

/// A file that only its name makes look like metadata is an image like others.
#[test]
fn an_image_with_a_name_of_metadata_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "._IM1", slice_file(1));
    write(folder.path(), "__MACOSX/IM2", slice_file(2));
    write(folder.path(), "Thumbs.db", slice_file(3));
    let found = scanned(folder.path());
    assert_eq!((found.numbers, found.told), (vec![1, 2, 3], vec![]));
}
