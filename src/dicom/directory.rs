//! A DICOMDIR: the index of a medium's files (PS3.3 annex F, PS3.10 section 8). It is never a reason to leave a file out: all files of
//! its folder are read, and it only tells which are missing.

use super::archive::Archives;
use super::part10::{Extent, FileError, ITEM_LIMIT};
use dicom_dictionary_std::tags;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// Whether a file is named as a DICOMDIR is.
pub(super) fn is_directory_name(path: &Path) -> bool {
    path.file_name().is_some_and(|name| comparable(&name.to_string_lossy()) == "dicomdir")
}

/// The file IDs that a DICOMDIR lists: components divided by backslashes (PS3.10 section 8.2).
///
/// # Errors
/// A file that is not a DICOMDIR, or has too many records.
pub(super) fn listed(path: &Path, archives: &Archives) -> Result<BTreeSet<String>, FileError> {
    let file = archives.read(path, Extent::All)?;
    let mut listed = BTreeSet::new();
    let records = file.set.items(tags::DIRECTORY_RECORD_SEQUENCE);
    if records.len() >= ITEM_LIMIT {
        return Err(FileError::Damaged("a DICOMDIR of more records than are read"));
    }
    for record in records {
        // A record that is not in use stands for a file that was taken away (PS3.3 section F.3.2.2).
        let in_use = record.value(tags::RECORD_IN_USE_FLAG).is_none_or(|flag| flag.bytes(&file.data) != [0, 0]);
        if !in_use {
            continue;
        }
        if let Some(value) = record.value(tags::REFERENCED_FILE_ID) {
            let name = String::from_utf8_lossy(value.bytes(&file.data)).into_owned();
            listed.insert(name.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned());
        }
    }
    listed.remove("");
    Ok(listed)
}

/// The files of a folder, for comparison with what a DICOMDIR lists.
#[derive(Debug, Default)]
pub(super) struct Present(HashSet<String>);

impl Present {
    /// Of all these paths those below the folder.
    pub(super) fn below<'p>(folder: &Path, paths: impl Iterator<Item = &'p Path>) -> Self {
        let names = paths.filter_map(|path| path.strip_prefix(folder).ok());
        Self(names.map(|name| joined(name.iter().map(|part| part.to_string_lossy()))).collect())
    }

    /// Whether a listed file is there: in letters of any case, with or without `.dcm`, with a version number as on a CD.
    pub(super) fn has(&self, file_id: &str) -> bool {
        self.0.contains(&joined(file_id.split(['\\', '/']).map(str::trim)))
    }
}

/// The components of a name in comparable form.
fn joined(parts: impl Iterator<Item = impl AsRef<str>>) -> String {
    parts.map(|part| comparable(part.as_ref())).collect::<Vec<_>>().join("/")
}

/// A name in small letters, without version number (`;1`, ISO 9660) and without `.dcm`.
fn comparable(name: &str) -> String {
    let name = name.to_lowercase();
    let plain = match name.rsplit_once(';') {
        Some((stem, version)) if version.bytes().all(|byte| byte.is_ascii_digit()) => stem,
        _ => name.as_str(),
    };
    let plain = plain.strip_suffix('.').unwrap_or(plain);
    plain.strip_suffix(".dcm").unwrap_or(plain).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_media_change_are_the_same_file() {
        let paths = ["/cd/DICOM/IM1.dcm", "/cd/dicom/im2", "/cd/DICOM/IM3.;1", "/cd/DICOM/IM4.DCM;1", "/cd2/DICOM/IM5"];
        let present = Present::below(Path::new("/cd"), paths.iter().map(Path::new));
        for name in ["DICOM\\IM1", "DICOM\\IM2", "DICOM\\IM2.dcm", "DICOM\\IM3", "DICOM\\IM4", "dicom/im4.dcm"] {
            assert!(present.has(name), "{name}");
        }
        for name in ["DICOM\\IM5", "IM1", "DICOM", "..\\cd2\\DICOM\\IM5", "DICOM\\IM1\\IM1"] {
            assert!(!present.has(name), "{name}");
        }
    }
}
