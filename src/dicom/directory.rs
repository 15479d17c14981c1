//! A DICOMDIR: the index of a medium's files (PS3.3 annex F, PS3.10 section 8).

use super::part10::{self, Extent, FileError, ITEM_LIMIT};
use dicom_dictionary_std::tags;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What a DICOMDIR lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    /// The files that are there, by name.
    pub(super) files: BTreeSet<PathBuf>,
    /// Files listed.
    pub(super) listed: usize,
}

impl Listed {
    /// How many of the listed files are not there.
    pub(super) fn missing(&self) -> usize {
        self.listed - self.files.len()
    }
}

/// Whether a path is named as a DICOMDIR is.
pub(super) fn is_directory_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.eq_ignore_ascii_case("DICOMDIR")) && path.is_file()
}

/// Reads the records of a DICOMDIR. Files outside of its folder are not there for it.
pub(super) fn read(path: &Path) -> Result<Listed, FileError> {
    let file = part10::read(path, Extent::All)?;
    let folder = path.parent().unwrap_or(Path::new(""));
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
    let files = listed.iter().filter_map(|name| find(folder, name)).collect();
    Ok(Listed { files, listed: listed.len() })
}

/// A listed file: its components are divided by backslashes, in capitals as the standard has them or, after a copy from a
/// medium, in small letters.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let parts = || name.split('\\').map(str::trim);
    if parts().any(|part| matches!(part, "" | "." | "..") || part.contains(['/', '\0'])) {
        return None;
    }
    let written: PathBuf = folder.join(parts().collect::<PathBuf>());
    let small: PathBuf = folder.join(parts().map(str::to_lowercase).collect::<PathBuf>());
    [written, small].into_iter().find(|path| path.is_file())
}
