//! Archives as tests want them, in memory.

use crate::support::made::{EXPLICIT, Writing, data_set, part10, slice};
use cspine::dicom::{load_volume, scan_all};
use cspine::task::Cancel;
use std::io::Write;
use std::path::Path;
use zip::CompressionMethod;

/// A Part 10 file of a slice of the study that all tests here share.
pub(super) fn slice_file(number: i32) -> Vec<u8> {
    part10(EXPLICIT, &data_set(&slice(number), Writing::Explicit))
}

/// Files of a zip or tar, each with its name.
pub(super) type Files<'n> = Vec<(&'n str, Vec<u8>)>;

pub(super) fn zip_of(files: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    zip.add_directory("study", options).expect("a folder");
    for (name, bytes) in files {
        zip.start_file(*name, options).expect("a member");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

pub(super) fn deflated(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    zip_of(files, CompressionMethod::Deflated)
}

pub(super) fn stored(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    zip_of(files, CompressionMethod::Stored)
}

fn tar_header(size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(0o644);
    header
}

pub(super) fn tar_of(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        tar.append_data(&mut tar_header(bytes.len()), name, bytes.as_slice()).expect("a member");
    }
    tar.into_inner().expect("an archive")
}

/// A tar of one file and links to it.
pub(super) fn tar_with_links(name: &str, bytes: &[u8], links: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (link, target) in links {
        let mut header = tar_header(0);
        header.set_entry_type(tar::EntryType::Symlink);
        tar.append_link(&mut header, link, target).expect("a link");
    }
    tar.append_data(&mut tar_header(bytes.len()), name, bytes).expect("a member");
    tar.into_inner().expect("an archive")
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_at(bytes, flate2::Compression::fast())
}

/// A gzip file whose blocks are not compressed.
pub(super) fn stored_gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_at(bytes, flate2::Compression::none())
}

fn gzip_at(bytes: &[u8], level: flate2::Compression) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level);
    gzip.write_all(bytes).expect("written");
    gzip.finish().expect("compressed")
}

/// Replaces every occurrence of some bytes by as many others.
pub(super) fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let mut found = 0;
    for at in 0..bytes.len().saturating_sub(from.len()) {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
            found += 1;
        }
    }
    assert!(found > 0, "something is replaced");
    bytes
}

/// Changes a field of every local header (at `local`) and of every entry of the central directory, two bytes behind.
pub(super) fn with_field(zip: &[u8], local: usize, value: u16) -> Vec<u8> {
    let mut zip = zip.to_vec();
    for at in 0..zip.len() - 4 {
        let offset = match &zip[at..at + 4] {
            b"PK\x03\x04" => local,
            b"PK\x01\x02" => local + 2,
            _ => continue,
        };
        zip[at + offset..at + offset + 2].copy_from_slice(&value.to_le_bytes());
    }
    zip
}

/// What a scan finds.
pub(super) struct Scanned {
    /// Numbers of the images that can be loaded, from all series.
    pub(super) numbers: Vec<i32>,
    /// Paths below the scanned one, with `/`, of the images that are listed.
    pub(super) paths: Vec<String>,
    /// What is odd about the series.
    pub(super) odd: Vec<String>,
    /// What is not used: the last part of the path, and the reason.
    pub(super) told: Vec<(String, String)>,
    pub(super) summary: cspine::dicom::ScanSummary,
}

pub(super) fn scanned(path: &Path) -> Scanned {
    let (studies, unreadable, summary) = scan_all(&[path.to_owned()], &Cancel::new());
    let (mut numbers, mut paths, mut odd) = (Vec::new(), Vec::new(), Vec::new());
    for series in studies.iter().flat_map(|study| &study.series) {
        odd.extend(series.oddities.iter().map(ToString::to_string));
        for instance in &series.instances {
            let below = instance.path.strip_prefix(path).unwrap_or(&instance.path);
            paths.push(below.to_string_lossy().into_owned());
        }
        if let Ok(volume) = load_volume(series, &Cancel::new(), &|_, _| {}) {
            numbers.extend(super::numbers(&volume));
        }
    }
    numbers.sort_unstable();
    paths.sort_unstable();
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let told = unreadable.into_iter().map(|(path, reason)| (name(&path), reason)).collect();
    Scanned { numbers, paths, odd, told, summary }
}

/// Scans a file of this name and content, alone in a folder.
pub(super) fn scanned_file(name: &str, bytes: &[u8]) -> Scanned {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), bytes).expect("written");
    let scanned = scanned(folder.path());
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "nothing is unpacked to disk");
    scanned
}
