//! Studies in archives, also in archives inside archives: all that can be read is read, and the rest is named.

use super::packing::{
    Files, deflated, gzip, replaced, scanned, scanned_file, slice_file, stored, stored_gzip, tar_of, tar_with_links,
    with_field, zip_of,
};
use super::{numbers, volume};
use crate::support::made::{good_slices, voxel};
use cspine::dicom::{exists, load_volume, scan_all};
use cspine::task::Cancel;
use proptest::prelude::*;
use std::path::PathBuf;

fn four() -> Files<'static> {
    ["study/c", "study/a", "b", "study/deep/er/d"].into_iter().zip(1..).map(|(name, n)| (name, slice_file(n))).collect()
}

#[test]
fn archives_are_read_in_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let files: Files<'_> = four().into_iter().chain([("study/README.txt", b"no DICOM".to_vec())]).collect();
    let tar = tar_of(&files);
    let archives: [(&str, Vec<u8>); 7] = [
        ("stored.zip", stored(&files)),
        ("DEFLATED.ZIP", deflated(&files)),
        ("all.tar", tar.clone()),
        ("all.tar.gz", gzip(&tar)),
        ("all.tgz", gzip(&tar)),
        ("zip without ending", deflated(&files)),
        ("tar named as an image.dcm", tar),
    ];
    for (name, bytes) in &archives {
        let archive = folder.path().join(name);
        std::fs::write(&archive, bytes).expect("written");
        let (studies, unreadable, summary) = scan_all(std::slice::from_ref(&archive), &Cancel::new());
        assert_eq!((unreadable.len(), summary.dicom, summary.not_dicom), (0, 4, 1), "{name}: {unreadable:?}");
        let volume = load_volume(&studies[0].series[0], &Cancel::new(), &|_, _| {}).expect("a volume");
        assert_eq!(numbers(&volume), [4, 3, 2, 1], "{name}");
        assert!(volume.oddities.is_empty(), "{:?}", volume.oddities);
        assert_eq!(volume.at(2, 1, 2), Some(voxel(2, 10)), "{name}");
        assert!(studies[0].series[0].instances[3].path.starts_with(&archive), "{name}");
    }
    // All in one folder: the same slices in every archive count once.
    assert_eq!(numbers(&volume(folder.path())), [4, 3, 2, 1]);
    let names: Vec<PathBuf> =
        std::fs::read_dir(folder.path()).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    assert_eq!(names.len(), archives.len(), "nothing is unpacked: {names:?}");
}

/// Packs bytes once more, under a name that the kind gives them.
fn packed(kind: u8, name: &str, bytes: Vec<u8>) -> (String, Vec<u8>) {
    let files = [(name, bytes)];
    match kind {
        0 => ("inner.zip".into(), deflated(&files)),
        1 => ("stored.zip".into(), stored(&files)),
        2 => ("inner.tar".into(), tar_of(&files)),
        3 => ("inner.tar.gz".into(), gzip(&tar_of(&files))),
        _ => (format!("{name}.gz"), gzip(&files[0].1)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Whatever formats are inside one another, up to four.
    #[test]
    fn archives_inside_archives_are_read_or_named(kinds in prop::collection::vec(0_u8..5, 1..7)) {
        let (mut name, mut bytes) = ("IM1".to_owned(), slice_file(1));
        for kind in &kinds {
            (name, bytes) = packed(*kind, &name, bytes);
        }
        let found = scanned_file(&name, &bytes);
        // A tar that is compressed is one archive.
        let depth = kinds.len() - kinds.windows(2).filter(|pair| pair[0] == 2 && pair[1] == 4).count();
        if depth <= 4 {
            prop_assert_eq!(&found.numbers, &[1], "{:?}", found.told);
            prop_assert!(found.told.is_empty(), "{:?}", found.told);
        } else {
            prop_assert!(found.numbers.is_empty());
            prop_assert_eq!(found.told.len(), 1);
            prop_assert!(found.told[0].1.contains("more than 4 deep"), "{:?}", found.told);
        }
    }

    /// Damage anywhere: no panic, no image that is not as it was, and nothing missing without a word.
    #[test]
    fn damaged_archives_lose_nothing_without_a_word(
        kind in 0_u8..4, outer in 0_u8..4, cut in any::<prop::sample::Index>(), flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 0..3), is_cut in any::<bool>(),
    ) {
        let files: Files<'_> = vec![("IM1", slice_file(1)), ("IM2", slice_file(2)), ("IM3", slice_file(3))];
        let inner = match kind {
            0 => ("i.zip", deflated(&files)),
            1 => ("i.zip", stored(&files)),
            2 => ("i.tar", tar_of(&files)),
            _ => ("i.tgz", gzip(&tar_of(&files))),
        };
        let (name, mut bytes) = packed(outer, inner.0, inner.1);
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        for (at, change) in flips {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] ^= change;
            }
        }
        let found = scanned_file(&name, &bytes);
        let whole = found.numbers == [1, 2, 3];
        // A cut zero block at the end of a tar, or a changed time, costs nothing. In a plain tar nothing protects what is in a file.
        let is_protected = kind < 2 || kind == 3 || outer == 0 || outer == 3;
        if is_protected && !whole {
            let is_lost_at_load = found.paths.len() > found.numbers.len();
            let is_told = !found.told.is_empty() || !found.odd.is_empty() || found.summary.not_dicom > 0;
            prop_assert!(is_told || is_lost_at_load, "{:?} {:?}", found.numbers, found.paths);
        }
    }
}

#[test]
fn a_file_in_an_archive_is_addressed_by_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let outer = stored(&[("study1.zip", deflated(&[("DICOM/IM1", slice_file(1)), ("DICOM/IM2", slice_file(2))]))]);
    std::fs::write(folder.path().join("export.zip"), outer).expect("written");
    let one = folder.path().join("export.zip/study1.zip/DICOM/IM1");
    assert!(exists(&one));
    assert!(!exists(&folder.path().join("export.zip/study1.zip/DICOM/IM9")));
    assert_eq!(scanned(&one).numbers, [1]);
    assert_eq!(scanned(&folder.path().join("export.zip/study1.zip")).numbers, [1, 2]);
    assert_eq!(scanned(&folder.path().join("export.zip")).paths, ["study1.zip/DICOM/IM1", "study1.zip/DICOM/IM2"]);
}

#[test]
fn entries_of_one_name_are_all_read() {
    let zip =
        deflated(&[("IM1", slice_file(1)), ("IM2", slice_file(2)), ("im1", slice_file(3)), ("x", b"no".to_vec())]);
    let found = scanned_file("study.zip", &replaced(&zip, b"IM2", b"IM1"));
    assert_eq!(found.numbers, [1, 2, 3]);
    assert_eq!(found.paths, ["study.zip/IM1", "study.zip/IM1~2", "study.zip/im1"]);
    let tar = tar_of(&[("IM1", slice_file(1)), ("IM1", slice_file(2))]);
    assert_eq!(scanned_file("study.tar", &tar).numbers, [1, 2]);
}

#[test]
fn names_that_lead_out_or_are_not_text_hide_nothing() {
    let zip = deflated(&[
        ("../../out", slice_file(1)),
        ("/abs", slice_file(2)),
        ("a/../b", slice_file(3)),
        ("Mxller", slice_file(4)),
    ]);
    let found = scanned_file("study.zip", &replaced(&zip, b"Mxller", b"M\x81ller"));
    assert_eq!((found.numbers, found.told), (vec![1, 2, 3, 4], vec![]));
    assert_eq!(found.paths, ["study.zip/Müller", "study.zip/a/b", "study.zip/abs", "study.zip/out"]);
}

#[test]
fn encrypted_and_unusually_compressed_files_are_named_once() {
    let zip = deflated(&four());
    let encrypted = scanned_file("locked.zip", &with_field(&zip, 6, 1));
    assert!(encrypted.numbers.is_empty());
    assert_eq!(encrypted.told.len(), 1);
    let (name, reason) = &encrypted.told[0];
    assert_eq!((name.as_str(), reason.starts_with("4 files not read: encrypted")), ("locked.zip", true), "{reason}");
    assert!(reason.contains("password"), "{reason}");
    assert_eq!(encrypted.summary.unreadable, 4);
    let lzma = scanned_file("lzma.zip", &with_field(&zip, 8, 14));
    assert_eq!(lzma.told.len(), 1);
    assert!(lzma.told[0].1.contains("LZMA") && lzma.told[0].1.starts_with("4 files"), "{:?}", lzma.told);
}

#[test]
fn other_formats_are_named_by_their_bytes() {
    for (name, bytes, format) in [
        ("study.7z", b"7z\xbc\xaf\x27\x1c more".as_slice(), "7z"),
        ("study", b"Rar!\x1a\x07\x01\0", "rar"),
        ("study.dcm", b"\xfd7zXZ\0more", "xz"),
        ("study.iso", b"something", "iso"),
    ] {
        let found = scanned_file(name, bytes);
        assert_eq!(found.told.len(), 1, "{name}");
        assert!(found.told[0].1.contains(&format!("{format} archive")), "{:?}", found.told);
    }
}

#[test]
fn archives_that_are_damaged_cost_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    good_slices(folder.path(), [1, 2]);
    let whole = deflated(&[("in", slice_file(3)), ("other", slice_file(4))]);
    std::fs::write(folder.path().join("whole.zip"), &whole).expect("written");
    std::fs::write(folder.path().join("cut.zip"), &whole[..whole.len() / 2]).expect("written");
    std::fs::write(folder.path().join("none.zip"), b"no archive").expect("written");
    std::fs::write(folder.path().join("none.tar"), [7; 2000]).expect("written");
    std::fs::write(folder.path().join("study.tar.gz"), [0x1F, 0x8B, 8, 0]).expect("written");
    let found = scanned(folder.path());
    assert_eq!(found.numbers, [1, 2, 3, 4]);
    let mut names: Vec<&str> = found.told.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["cut.zip", "none.tar", "none.zip", "study.tar.gz"], "{:?}", found.told);
}

#[test]
fn a_member_whose_checksum_is_wrong_is_left_out_with_the_reason() {
    let zip = stored(&[("IM1", slice_file(1)), ("IM2", slice_file(2)), ("IM3", slice_file(3))]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("study.zip");
    let pixels = crate::support::made::pixels(2);
    let mut changed = pixels.clone();
    changed[4] ^= 0x40;
    std::fs::write(&path, replaced(&zip, &pixels, &changed)).expect("written");
    let (studies, ..) = scan_all(std::slice::from_ref(&path), &Cancel::new());
    let volume = load_volume(&studies[0].series[0], &Cancel::new(), &|_, _| {}).expect("a volume");
    assert_eq!(numbers(&volume), [3, 1]);
    let told: Vec<String> = volume.oddities.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|told| told.contains("checksum")), "{told:?}");
}

#[test]
fn of_a_cut_tar_what_is_whole_is_used_and_told() {
    let names: Vec<String> = (1..=8).map(|number| format!("IM{number}")).collect();
    let files: Files<'_> = names.iter().zip(1..).map(|(name, number)| (name.as_str(), slice_file(number))).collect();
    let tar = tar_of(&files);
    let member = tar.len() / 8;
    let gz = gzip(&tar);
    for (name, bytes) in [("study.tar.gz", &gz[..gz.len() / 2]), ("study.tar", &tar[..4 * member + 100])] {
        let found = scanned_file(name, bytes);
        assert!(!found.numbers.is_empty() && found.numbers.len() < 8, "{name}: {:?}", found.numbers);
        assert!(found.told.iter().any(|(told, reason)| told == name && reason.contains("cut off")), "{:?}", found.told);
    }
    let mut flipped = gz.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    let found = scanned_file("study.tgz", &flipped);
    assert!(found.numbers.is_empty() && found.told[0].1.contains("checksum"), "{:?}", found.told);
}

/// Damage is noticed some way behind where it is: what is near it is left out, too.
#[test]
fn of_a_damaged_tar_gz_what_is_well_before_the_damage_is_used_and_told() {
    let names: Vec<String> = (1..=150).map(|number| format!("IM{number:03}")).collect();
    let files: Files<'_> = names.iter().zip(1..).map(|(name, number)| (name.as_str(), slice_file(number))).collect();
    let tar = tar_of(&files);
    let member = tar.len() / files.len();
    // Blocks that are stored, each with its length (RFC 1951 section 3.2.4); the lengths are wrong from one on.
    let mut gz = stored_gzip(&tar);
    let (mut at, mut sound) = (10, 0);
    while sound < tar.len() / 2 {
        let length = usize::from(u16::from_le_bytes([gz[at + 1], gz[at + 2]]));
        sound += length;
        at += 5 + length;
    }
    gz[at + 1] ^= 0xFF;
    let found = scanned_file("study.tgz", &gz);
    let used = found.paths.len();
    assert!(used > 0 && used * member <= sound - 32 * 1024, "{used} files, {sound} sound bytes");
    assert!(
        found.told.iter().any(|(name, reason)| name == "study.tgz" && reason.contains("damaged")),
        "{:?}",
        found.told
    );
}

#[test]
fn compressed_files_and_links_in_archives() {
    let found = scanned_file("IM1.dcm.gz", &gzip(&slice_file(1)));
    assert_eq!((found.numbers, found.paths, found.told), (vec![1], vec!["IM1.dcm.gz/IM1.dcm".to_owned()], vec![]));
    let tar = tar_with_links("IM1", &slice_file(1), &[("to", "IM1"), ("out", "/etc/passwd")]);
    let found = scanned_file("study.tar", &tar);
    assert_eq!(found.numbers, [1]);
    assert_eq!(found.told, [("study.tar".to_owned(), "2 links in the archive are not followed".to_owned())]);
    let zip = zip_of(&[("IM1", slice_file(1))], zip::CompressionMethod::Deflated);
    let with_program = [b"MZ a program that unpacks".as_slice(), &zip].concat();
    assert_eq!(scanned_file("self-extracting.zip", &with_program).numbers, [1]);
}

/// Each byte of a zip in a zip changed once.
#[test]
fn a_changed_byte_anywhere_loses_nothing_without_a_word() {
    let files: Files<'_> = vec![("IM1", slice_file(1)), ("IM2", slice_file(2)), ("IM3", slice_file(3))];
    let whole = stored(&[("i.zip", deflated(&files))]);
    let mut silent = Vec::new();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 104;
        let found = scanned_file("stored.zip", &bytes);
        let is_told = !found.told.is_empty() || !found.odd.is_empty() || found.summary.not_dicom > 0;
        if found.numbers != [1, 2, 3] && !is_told && found.paths.len() <= found.numbers.len() {
            silent.push((at, bytes[at], found.numbers, found.paths));
        }
    }
    assert!(silent.is_empty(), "of {} bytes: {silent:?}", whole.len());
}
