//! Studies in zip, tar and gzip archives, also inside one another, read in place: nothing is unpacked to disk. A file in an archive has
//! a path that continues the archive's own: `study.zip/DICOM/IM1`, `export.zip/study1.tar.gz/IM1`.
//!
//! What has to be unpacked before it can be read (a compressed archive inside another, a `.tar.gz`) is held in memory, up to
//! [`HOLD_LIMIT`]. [`DEPTH`], the number of files and the unpacked sizes are bounded, so that no archive can exhaust the machine.

use super::part10::{self, ArchiveError, Extent, FileError, Part, Part10};
use crate::domain::FileStamp;
use contents::{Archive, ArchiveNote, Place, begin_of};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use unpack::{HOLD_LIMIT, Meter};

mod contents;
mod kind;
mod names;
mod tar_entries;
mod unpack;
mod zip_directory;

pub(super) use kind::{BEGIN, Kind};

/// Archives inside one another that are opened.
pub(super) const DEPTH: usize = 4;
/// Archives whose lists of files are kept, each with an open file.
const OPEN_LIMIT: usize = 64;
/// Packed bytes from which on only one archive is unpacked at a time.
const LARGE: u64 = 1024 * 1024;

/// What an archive holds.
#[derive(Debug)]
pub(super) struct Listing {
    /// Paths of its files, sorted.
    pub(super) members: Vec<PathBuf>,
    /// What is to be known about it.
    pub(super) notes: Vec<ArchiveNote>,
}

/// Archives that are open, each opened and unpacked once however many threads read from it.
#[derive(Debug, Clone, Default)]
pub(super) struct Archives(Arc<Cache>);

#[derive(Debug, Default)]
struct Cache {
    /// The most recently used one last.
    open: Mutex<Vec<Slot>>,
    unpacker: Unpacker,
}

/// What all archives share that unpack.
#[derive(Debug, Default)]
struct Unpacker {
    /// Held while a large archive is unpacked: two at once would need twice the memory.
    one: Mutex<()>,
    meter: Meter,
}

impl Unpacker {
    /// Waits until no other large archive is being unpacked; small ones do not wait.
    fn turn(&self, bytes: u64) -> Option<MutexGuard<'_, ()>> {
        (bytes > LARGE).then(|| self.one.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug, Clone)]
struct Slot {
    path: PathBuf,
    /// Of the file on disk that it is, or is in.
    stamp: FileStamp,
    archive: Arc<OnceLock<Result<Arc<Archive>, FileError>>>,
}

/// Shared by all that load at the same time, and gone with the last of them.
static SHARED: Mutex<Weak<Cache>> = Mutex::new(Weak::new());

/// Where a path leads.
enum Located {
    /// On disk; whether it is a file.
    Disk(bool),
    Member(Arc<Archive>, Place),
}

impl Archives {
    /// Archives that are shared with others that load at the same time.
    pub(super) fn shared() -> Self {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cache) = shared.upgrade() {
            return Self(cache);
        }
        let cache = Arc::default();
        *shared = Arc::downgrade(&cache);
        Self(cache)
    }

    /// Closes all, and frees the memory that they hold.
    pub(super) fn close(&self) {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The files of an archive.
    ///
    /// # Errors
    /// An archive that cannot be read.
    pub(super) fn list(&self, path: &Path) -> Result<Listing, FileError> {
        let located = self.locate(path)?;
        let stamp = super::known::stamp_of(path).ok_or(ArchiveError::Gone)?;
        let archive = match located {
            Located::Disk(_) => self.open(path, stamp, || Archive::of_file(path, &self.0.unpacker))?,
            Located::Member(outer, place) => self.open_inner(path, stamp, &outer, place)?,
        };
        let members = archive.members.paths().map(|name| path.join(name)).collect();
        Ok(Listing { members, notes: archive.notes.clone() })
    }

    /// Bytes that were unpacked to memory so far.
    pub(super) fn unpacked(&self) -> u64 {
        self.0.unpacker.meter.total()
    }

    /// Reads a file, or a file in an archive, as far as wanted.
    ///
    /// # Errors
    /// What cannot be read or is not DICOM.
    pub(super) fn read(&self, path: &Path, extent: Extent) -> Result<Part10, FileError> {
        match self.locate(path)? {
            Located::Disk(true) => part10::read_file(path, extent),
            Located::Disk(false) => Err(FileError::NotDicom),
            Located::Member(archive, Place::Zip(entry)) => entry.read_dicom(&archive.part, extent),
            Located::Member(archive, Place::Range { start, length }) => {
                part10::read_part(&archive.part.range(start, length), extent)
            }
        }
    }

    /// The first bytes of a file, at most [`BEGIN`].
    ///
    /// # Errors
    /// What cannot be read.
    pub(super) fn begin(&self, path: &Path) -> Result<Vec<u8>, FileError> {
        let part = match self.locate(path)? {
            Located::Disk(true) => Part::of_file(File::open(path)?)?,
            // To open a named pipe would wait for its writer for ever.
            Located::Disk(false) => return Ok(Vec::new()),
            Located::Member(archive, Place::Zip(entry)) => return entry.begin(&archive.part, BEGIN),
            Located::Member(archive, Place::Range { start, length }) => archive.part.range(start, length),
        };
        Ok(begin_of(&part)?)
    }

    /// Whether a path is that of a file in an archive.
    pub(super) fn has(&self, path: &Path) -> bool {
        matches!(self.locate(path), Ok(Located::Member(..)))
    }

    /// Finds a path: on disk, or behind the path of an archive.
    fn locate(&self, path: &Path) -> Result<Located, FileError> {
        let error = match std::fs::metadata(path) {
            Ok(metadata) => return Ok(Located::Disk(metadata.is_file())),
            Err(error) => error,
        };
        let Some(outermost) = outermost(path) else { return Err(error.into()) };
        let stamp = super::known::stamp_of(outermost).ok_or(ArchiveError::Gone)?;
        let mut at = outermost.to_owned();
        let mut archive = self.open(outermost, stamp, || Archive::of_file(outermost, &self.0.unpacker))?;
        loop {
            let name = path.strip_prefix(&at).map_err(|_| ArchiveError::Gone)?;
            if let Some(place) = archive.members.get(name) {
                return Ok(Located::Member(Arc::clone(&archive), *place));
            }
            let (inner, place) = archive.members.above(name).ok_or(ArchiveError::Gone)?;
            at.push(inner);
            archive = self.open_inner(&at, stamp, &archive, *place)?;
        }
    }

    fn open_inner(
        &self,
        path: &Path,
        stamp: FileStamp,
        outer: &Archive,
        place: Place,
    ) -> Result<Arc<Archive>, FileError> {
        self.open(path, stamp, || Archive::of_member(path, outer, place, &self.0.unpacker))
    }

    /// The archive of this path, opened if it is not, or if its file has changed.
    fn open(
        &self,
        path: &Path,
        stamp: FileStamp,
        open: impl FnOnce() -> Result<Archive, FileError>,
    ) -> Result<Arc<Archive>, FileError> {
        let cell = {
            let mut slots = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
            let known = slots.iter().position(|slot| slot.path == path).map(|at| slots.remove(at));
            let slot = known.filter(|slot| slot.stamp == stamp).unwrap_or_else(|| Slot {
                path: path.to_owned(),
                stamp,
                archive: Arc::default(),
            });
            let cell = Arc::clone(&slot.archive);
            slots.push(slot);
            cell
        };
        if cell.get().is_none() {
            self.forget_oldest(HOLD_LIMIT / 2, path);
        }
        // Whoever else wants it waits here.
        let opened = cell.get_or_init(|| open().map(Arc::new)).clone();
        self.forget_oldest(HOLD_LIMIT, path);
        opened
    }

    /// Forgets those that were not used for longest, until the others fit. Those that this path is in stay: they are wanted with it.
    fn forget_oldest(&self, limit: u64, path: &Path) {
        let mut slots = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let held = |slot: &Slot| match slot.archive.get() {
            Some(Ok(archive)) => archive.part.held(),
            _ => 0,
        };
        let mut total: u64 = slots.iter().map(held).sum();
        while slots.len() > OPEN_LIMIT || total > limit {
            let Some(oldest) = slots.iter().position(|slot| !path.starts_with(&slot.path)) else { return };
            total -= held(&slots.remove(oldest));
        }
    }
}

/// The file on disk that a path continues.
pub(super) fn outermost(path: &Path) -> Option<&Path> {
    path.ancestors().skip(1).find(|above| above.symlink_metadata().is_ok()).filter(|above| above.is_file())
}

/// Whether a path is a file or folder, or a file in an archive.
#[must_use]
pub fn exists(path: &Path) -> bool {
    path.exists() || (outermost(path).is_some() && Archives::default().has(path))
}

#[cfg(test)]
mod tests;
