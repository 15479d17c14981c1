//! Studies in zip and tar archives, read in place: nothing is unpacked to disk. A member is named by a path that goes on
//! behind the archive's own: `study.zip/DICOM/IM1`.

use super::part10::{self, Extent, FileError, Part, Part10};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Members of one archive; more make no worklist.
const MEMBER_LIMIT: usize = 200_000;
/// What a compressed member may unpack to.
const UNPACK_LIMIT: u64 = 512 * 1024 * 1024;
/// Archives whose lists of members are kept.
const OPEN_LIMIT: usize = 4;

/// Whether a file is read as an archive: by its ending.
pub(super) fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip") || ending.eq_ignore_ascii_case("tar"))
}

/// Whether a file is named as something packed that is not read.
pub(super) fn is_packed(path: &Path) -> bool {
    const ENDINGS: [&str; 8] = ["gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "iso"];
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|other| ending.eq_ignore_ascii_case(other)))
}

/// The archives that are open.
#[derive(Default)]
pub(super) struct Archives(Mutex<Vec<Archive>>);

#[derive(Clone)]
struct Archive {
    path: PathBuf,
    file: Part,
    members: Arc<HashMap<PathBuf, Place>>,
    /// The zip's central directory.
    zip: Option<zip::ZipArchive<Part>>,
}

/// Where a member is.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Index in the zip's central directory.
    Zip(usize),
    /// Where its bytes are in a tar.
    Tar { start: u64, length: u64 },
}

impl Archives {
    /// The paths of an archive's files, by name.
    ///
    /// # Errors
    /// An archive that cannot be read.
    pub(super) fn members(&self, archive: &Path) -> Result<Vec<PathBuf>, FileError> {
        let archive = self.open(archive)?;
        let mut paths: Vec<PathBuf> = archive.members.keys().map(|name| archive.path.join(name)).collect();
        paths.sort();
        Ok(paths)
    }

    /// Reads a file, or a member of an archive, as far as wanted.
    ///
    /// # Errors
    /// What cannot be read or is not DICOM.
    pub(super) fn read(&self, path: &Path, extent: Extent) -> Result<Part10, FileError> {
        let Some(archive) = path.ancestors().skip(1).find(|above| is_archive(above) && above.is_file()) else {
            return part10::read(path, extent);
        };
        let mut archive = self.open(archive)?;
        let gone = || FileError::Io("no longer in its archive".into());
        let name = path.strip_prefix(&archive.path).map_err(|_| gone())?;
        match *archive.members.get(name).ok_or_else(gone)? {
            Place::Tar { start, length } => {
                let part = Part { start, length, at: 0, ..archive.file };
                part10::read_part(&part, extent)
            }
            Place::Zip(index) => {
                let zip = archive.zip.as_mut().ok_or_else(gone)?;
                let member = zip.by_index(index).map_err(broken)?;
                let size = member.size();
                if size > UNPACK_LIMIT {
                    return Err(FileError::Io("unpacks to more than 512 MiB; unpack it first".into()));
                }
                part10::read_from(member, size, extent)
            }
        }
    }

    fn open(&self, path: &Path) -> Result<Archive, FileError> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = open.iter().find(|archive| archive.path == path) {
            return Ok(known.clone());
        }
        let archive = Archive::open(path)?;
        if open.len() >= OPEN_LIMIT {
            open.remove(0);
        }
        open.push(archive.clone());
        Ok(archive)
    }
}

fn broken(error: zip::result::ZipError) -> FileError {
    use zip::result::ZipError;
    match error {
        ZipError::Io(error) => error.into(),
        ZipError::UnsupportedArchive(_) => {
            FileError::Io("packed in a way that is not read (encrypted, or not by deflate); unpack it first".into())
        }
        _ => FileError::Io("a damaged archive".into()),
    }
}

impl Archive {
    fn open(path: &Path) -> Result<Self, FileError> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let file = Part { file: Arc::new(file), start: 0, length, at: 0 };
        let too_many = || FileError::Io("an archive of more than 200000 files; unpack it first".into());
        let mut members = HashMap::new();
        let is_zip = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"));
        let zip = if is_zip {
            let zip = zip::ZipArchive::new(file.clone()).map_err(broken)?;
            if zip.len() > MEMBER_LIMIT {
                return Err(too_many());
            }
            for index in 0..zip.len() {
                let name = zip.name_for_index(index).and_then(|name| inside(&name.ok()?));
                if let Some(name) = name {
                    members.entry(name).or_insert(Place::Zip(index));
                }
            }
            Some(zip)
        } else {
            let damaged = |_| FileError::Io("a damaged archive".into());
            for entry in tar::Archive::new(file.clone()).entries_with_seek().map_err(damaged)? {
                let entry = entry.map_err(damaged)?;
                if !entry.header().entry_type().is_file() {
                    continue;
                }
                if members.len() >= MEMBER_LIMIT {
                    return Err(too_many());
                }
                let place = Place::Tar { start: entry.raw_file_position(), length: entry.size() };
                if let Some(name) = entry.path().ok().as_deref().and_then(Path::to_str).and_then(inside) {
                    members.insert(name, place);
                }
            }
            None
        };
        Ok(Self { path: path.to_owned(), file, members: Arc::new(members), zip })
    }
}

/// A member's name as a path below its archive; `None` for folders and for names that lead out of it.
fn inside(name: &str) -> Option<PathBuf> {
    let parts = name.split(['/', '\\']).filter(|part| !matches!(*part, "" | "."));
    let leads_out =
        name.ends_with(['/', '\\']) || name.contains('\0') || name.split(['/', '\\']).any(|part| part == "..");
    let path: PathBuf = parts.collect();
    (!leads_out && path.components().next().is_some()).then_some(path)
}
