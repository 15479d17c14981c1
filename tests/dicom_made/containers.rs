//! A DICOMDIR and archives as entry points.

use super::made::{EXPLICIT, Writing, data_set, good_slices, part10, sequence, slice, text};
use super::{numbers, volume};
use cspine::dicom::{load_volume, scan_all};
use cspine::task::Cancel;
use std::io::Write;
use std::path::{Path, PathBuf};

fn slice_file(number: i32) -> Vec<u8> {
    part10(EXPLICIT, &data_set(&slice(number), Writing::Explicit))
}

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

/// Pictures of the first study under a path, and the reasons of what could not be read.
fn found(path: &Path) -> (usize, Vec<String>) {
    let (studies, unreadable, _) = scan_all(&[path.to_owned()], &Cancel::new());
    (
        studies.first().map_or(0, |study| study.picture_count()),
        unreadable.into_iter().map(|(_, reason)| reason).collect(),
    )
}

#[test]
fn a_dicomdir_stands_for_the_files_that_it_lists() {
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("IM9"), slice_file(9)).expect("written");
    let folder = outside.path().join("medium");
    std::fs::create_dir_all(folder.join("DICOM/ser1")).expect("a folder");
    good_slices(&folder, [8]);
    std::fs::write(folder.join("DICOM/IM1"), slice_file(1)).expect("written");
    std::fs::write(folder.join("DICOM/ser1/im2"), slice_file(2)).expect("written");
    let index = folder.join("DICOMDIR");
    let names = ["DICOM\\IM1", "DICOM\\IM2", "DICOM\\ser1\\im2", "..\\IM9", "/IM9", "DICOM\\..\\..\\IM9", ""];
    std::fs::write(&index, directory(&names)).expect("written");
    assert_eq!(found(&index), (2, vec!["4 of the 6 files that it lists are not here".into()]));
    // Named by its folder, all is read, and the index itself is no picture.
    assert_eq!(found(&folder), (3, vec![]));
}

#[test]
fn a_dicomdir_in_capitals_finds_files_in_small_letters() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("dicom")).expect("a folder");
    std::fs::write(folder.path().join("dicom/im1"), slice_file(1)).expect("written");
    std::fs::write(folder.path().join("dicomdir"), directory(&["DICOM\\IM1"])).expect("written");
    assert_eq!(found(&folder.path().join("dicomdir")), (1, vec![]));
}

#[test]
fn an_unusable_dicomdir_stands_for_its_folder_with_a_word() {
    for bytes in [directory(&["GONE"]), directory(&[]), b"not an index".to_vec()] {
        let folder = tempfile::tempdir().expect("a folder");
        good_slices(folder.path(), [1, 2]);
        std::fs::write(folder.path().join("DICOMDIR"), bytes).expect("written");
        let (pictures, reasons) = found(&folder.path().join("DICOMDIR"));
        assert_eq!((pictures, reasons.len()), (2, 1), "{reasons:?}");
        assert!(reasons[0].contains("the whole folder is read instead"), "{reasons:?}");
    }
}

fn zip_of(path: &Path, files: &[(&str, Vec<u8>)], method: zip::CompressionMethod) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).expect("a file"));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    zip.add_directory("study", options).expect("a folder");
    for (name, bytes) in files {
        zip.start_file(*name, options).expect("a member");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("an archive");
}

fn tar_of(path: &Path, files: &[(&str, Vec<u8>)]) {
    let mut tar = tar::Builder::new(std::fs::File::create(path).expect("a file"));
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice()).expect("a member");
    }
    tar.finish().expect("an archive");
}

#[test]
fn archives_are_read_in_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<(&str, Vec<u8>)> = ["study/c", "study/a", "b", "study/deep/er/d"]
        .into_iter()
        .zip(1..)
        .map(|(name, number)| (name, slice_file(number)))
        .chain([("study/README.txt", b"no DICOM".to_vec())])
        .collect();
    zip_of(&folder.path().join("stored.zip"), &files, zip::CompressionMethod::Stored);
    zip_of(&folder.path().join("DEFLATED.ZIP"), &files, zip::CompressionMethod::Deflated);
    tar_of(&folder.path().join("all.tar"), &files);
    for name in ["stored.zip", "DEFLATED.ZIP", "all.tar"] {
        let archive = folder.path().join(name);
        let (studies, unreadable, summary) = scan_all(std::slice::from_ref(&archive), &Cancel::new());
        assert_eq!((unreadable.len(), summary.dicom, summary.not_dicom), (0, 4, 1), "{name}");
        let volume = load_volume(&studies[0].series[0], &Cancel::new(), &|_, _| {}).expect("a volume");
        assert_eq!(numbers(&volume), [4, 3, 2, 1], "{name}");
        assert_eq!(volume.at(2, 1, 2), Some(super::made::voxel(2, 10)), "{name}");
        assert!(studies[0].series[0].instances[3].path.starts_with(&archive), "{name}");
    }
    // Met in a folder they are read too; the same slices thrice count once.
    assert_eq!(numbers(&volume(folder.path())), [4, 3, 2, 1]);
    let names: Vec<PathBuf> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    assert_eq!(names.len(), 3, "nothing is unpacked: {names:?}");
}

#[test]
fn archives_that_are_damaged_or_lead_out_cost_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    good_slices(folder.path(), [1, 2]);
    let whole = folder.path().join("whole.zip");
    zip_of(&whole, &[("../../out", slice_file(7)), ("in", slice_file(3))], zip::CompressionMethod::Deflated);
    let bytes = std::fs::read(&whole).expect("bytes");
    std::fs::write(folder.path().join("cut.zip"), &bytes[..bytes.len() / 2]).expect("written");
    std::fs::write(folder.path().join("none.zip"), b"no archive").expect("written");
    std::fs::write(folder.path().join("none.tar"), [7; 2000]).expect("written");
    std::fs::write(folder.path().join("study.tar.gz"), [0x1F, 0x8B, 8, 0]).expect("written");
    let (pictures, reasons) = found(folder.path());
    assert_eq!((pictures, reasons.len()), (3, 4), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("pack it as zip or tar")), "{reasons:?}");
}

/// A member that unpacks to very much more than it has bytes is not unpacked.
#[test]
fn a_zip_bomb_is_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = slice_file(1);
    file.resize(600 << 20, 0);
    zip_of(
        &folder.path().join("bomb.zip"),
        &[("bomb", file), ("good", slice_file(2))],
        zip::CompressionMethod::Deflated,
    );
    let (pictures, reasons) = found(folder.path());
    assert_eq!(pictures, 1);
    assert!(reasons.iter().any(|reason| reason.contains("unpack")), "{reasons:?}");
}
