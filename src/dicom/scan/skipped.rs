//! Files that are not used, counted by kind: one event for each kind, however many files there are.

use crate::dicom::archive::{Kind, outermost};
use crate::dicom::part10::{ArchiveError, FileError};
use crate::task::limits;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why files of a kind are not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkippedKind {
    /// Metadata that macOS writes beside files (`._IM1`, `__MACOSX/`).
    AppleDouble,
    /// Named `.dcm`, but not DICOM.
    NamedDicom,
    /// Not opened, because too many files were open.
    NotOpened,
    /// Zero bytes.
    Empty,
    /// Files in an archive that cannot be read for this reason.
    InArchive(ArchiveError),
    /// Files of an archive or compression format that is not supported.
    Format(&'static str),
}

/// Files of one kind that are not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedFiles {
    /// Why.
    pub kind: SkippedKind,
    /// How many.
    pub count: usize,
    /// The only file, the first one if it is an example to look at, or the folder or archive that holds all of them.
    pub path: PathBuf,
}

impl std::fmt::Display for SkippedFiles {
    /// What happened and what to do, without a path.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let others = self.count.saturating_sub(1);
        let files = if self.count == 1 { "file" } else { "files" };
        match self.kind {
            SkippedKind::AppleDouble => write!(f, "{} AppleDouble {files} (macOS metadata) ignored", self.count),
            SkippedKind::NamedDicom if others == 0 => f.write_str("named .dcm but not DICOM"),
            SkippedKind::NamedDicom => {
                write!(f, "{} files named .dcm are not DICOM; this is the first", self.count)
            }
            SkippedKind::NotOpened => write!(f, "{} {files} not loaded: {}", self.count, limits::out_of_files()),
            SkippedKind::Empty if others == 0 => f.write_str("empty file"),
            SkippedKind::Empty => write!(f, "{} empty files; this is the first", self.count),
            SkippedKind::InArchive(error) if others == 0 => write!(f, "{error}"),
            SkippedKind::InArchive(error) => write!(f, "{} {files} not read: {error}", self.count),
            SkippedKind::Format(format) if others == 0 => write!(f, "{}", ArchiveError::Format(format)),
            SkippedKind::Format(format) => {
                write!(f, "{} files not read, this is the first: {}", self.count, ArchiveError::Format(format))
            }
        }
    }
}

/// How a file that gave no image is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Skip {
    /// Among the files that are not DICOM, without a word of its own.
    NotDicom,
    /// Among the files of a kind.
    Kind(SkippedKind),
    /// Not at all: it is read when the folder is looked at again.
    Later,
    /// By itself, with its reason.
    Alone,
}

/// Files that systems, viewers and burning programs leave beside images, in small letters.
const SYSTEM_FILES: [&str; 6] = [".ds_store", "thumbs.db", "desktop.ini", "autorun.inf", ".directory", "ehthumbs.db"];

/// How a file is counted that could not be read as DICOM.
pub(super) fn of(path: &Path, error: &FileError, container: Option<Kind>) -> Skip {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let is_dicom_name = name.ends_with(".dcm");
    match error {
        // Whatever such a file holds, nobody misses it.
        FileError::NotDicom | FileError::Empty | FileError::Damaged(_) if is_apple_double(path, &name) => {
            Skip::Kind(SkippedKind::AppleDouble)
        }
        FileError::NotDicom | FileError::Empty | FileError::Damaged(_) if SYSTEM_FILES.contains(&name.as_str()) => {
            Skip::NotDicom
        }
        FileError::NotDicom => match container {
            Some(Kind::Unsupported(format)) => Skip::Kind(SkippedKind::Format(format)),
            _ if is_dicom_name => Skip::Kind(SkippedKind::NamedDicom),
            _ => Skip::NotDicom,
        },
        FileError::OutOfFiles => Skip::Later,
        FileError::Empty => Skip::Kind(SkippedKind::Empty),
        FileError::Archive(ArchiveError::Format(format)) => Skip::Kind(SkippedKind::Format(format)),
        FileError::Archive(error) if outermost(path).is_some() => Skip::Kind(SkippedKind::InArchive(*error)),
        FileError::Archive(_)
        | FileError::Damaged(_)
        | FileError::Io(_)
        | FileError::TransferSyntax(_)
        | FileError::Pixels(_) => Skip::Alone,
    }
}

/// Whether a file is named as macOS names its metadata.
fn is_apple_double(path: &Path, name: &str) -> bool {
    name.starts_with("._") || path.iter().any(|part| part == "__MACOSX")
}

impl SkippedKind {
    /// Whether the files count as unreadable: they may have been images.
    pub(super) fn is_unreadable(self) -> bool {
        match self {
            Self::AppleDouble | Self::NamedDicom | Self::NotOpened => false,
            Self::Empty | Self::InArchive(_) | Self::Format(_) => true,
        }
    }

    /// Whether the files are reported by archive: for each there is something to do.
    fn is_by_archive(self) -> bool {
        matches!(self, Self::InArchive(_))
    }

    /// Whether all are reported by the folder that holds them, and not by the first of them.
    fn is_by_folder(self) -> bool {
        matches!(self, Self::AppleDouble | Self::NotOpened)
    }
}

/// Files of each kind since the last report.
#[derive(Debug, Default)]
pub(super) struct Skipped(BTreeMap<(SkippedKind, Option<PathBuf>), Group>);

#[derive(Debug)]
struct Group {
    count: usize,
    first: PathBuf,
    folder: PathBuf,
}

impl Skipped {
    /// Counts a file.
    pub(super) fn add(&mut self, kind: SkippedKind, path: &Path) {
        let archive = kind.is_by_archive().then(|| outermost(path).map(Path::to_owned)).flatten();
        let parent = path.parent().unwrap_or(path);
        match self.0.entry((kind, archive)) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(Group { count: 1, first: path.to_owned(), folder: parent.to_owned() });
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                let group = entry.get_mut();
                group.count += 1;
                if path < group.first.as_path() {
                    path.clone_into(&mut group.first);
                }
                while !path.starts_with(&group.folder) && group.folder.pop() {}
            }
        }
    }

    /// One event's content for each kind; nothing is kept.
    pub(super) fn take(&mut self) -> Vec<SkippedFiles> {
        let groups = std::mem::take(&mut self.0);
        let files = groups.into_iter().map(|((kind, archive), Group { count, first, folder })| {
            let path = match archive {
                Some(archive) if count > 1 => archive,
                None if kind.is_by_folder() && count > 1 => folder,
                Some(_) | None => first,
            };
            SkippedFiles { kind, count, path }
        });
        files.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Read, ScanEvent, Scanner};
    use super::*;
    use crate::dicom::NothingKnown;
    use crate::task::Cancel;

    #[test]
    fn files_that_were_not_opened_are_named_as_such_and_read_when_the_folder_is_looked_at_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("IM1");
        std::fs::write(&file, "a note").expect("written");
        let mut scanner = Scanner::new(Box::new(NothingKnown));
        let stamp = super::super::known::stamp_of(&file);
        let read = Read { path: file, stamp, outcome: Err(FileError::OutOfFiles), container: None, from_before: false };
        let mut told = Vec::new();
        let mut report = |event| match event {
            ScanEvent::Skipped(files) => told.push(files.to_string()),
            ScanEvent::Unreadable { reason, .. } => panic!("unreadable: {reason}"),
            _ => {}
        };
        scanner.take(read, &mut report);
        scanner.finish(&Cancel::new(), &mut report);
        let before = scanner.summary;
        assert_eq!((before.files, before.not_dicom, before.unreadable), (0, 0, 0));
        scanner.look_again(&[folder.path().to_owned()], std::time::Duration::ZERO, &Cancel::new(), &mut report);
        assert_eq!((scanner.summary.files, scanner.summary.not_dicom, scanner.summary.unreadable), (1, 1, 0));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("1 file not loaded: too many open files: the limit is "), "{told:?}");
    }
}
