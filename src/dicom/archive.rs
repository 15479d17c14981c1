//! Studies in zip, tar and gzip archives, also inside one another, read in place: nothing is unpacked to disk. A file in an archive has
//! a path that continues the archive's own: `study.zip/DICOM/IM1`, `export.zip/study1.tar.gz/IM1`.
//!
//! What has to be unpacked before it can be read (a compressed archive inside another, a `.tar.gz`) is held in memory, up to
//! [`HOLD_LIMIT`]. [`DEPTH`], the number of files and the unpacked sizes are bounded, so that no archive can exhaust the machine.

use super::part10::{self, ArchiveError, Extent, FileError, Part, Part10};
use crate::domain::FileStamp;
use names::Members;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use unpack::{Fault, HOLD_LIMIT};
use zip_directory::Entry;

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
/// Before damage in a gzip stream, so many bytes are left out: damage is noticed only some way behind where it is.
const DOUBTFUL: u64 = 32 * 1024;

/// Something about an archive that was read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum ArchiveNote {
    /// Its end is missing.
    Cut,
    /// Something in its middle is damaged.
    Damaged,
    /// Links, which are not followed.
    Links(usize),
    /// Sparse files, which are not read.
    Sparse(usize),
}

impl std::fmt::Display for ArchiveNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cut => f.write_str("archive is cut off: files before the cut are used, the others are missing; get it again"),
            Self::Damaged => {
                f.write_str("archive is damaged: files before the damage are used, the others are missing; get it again")
            }
            Self::Links(1) => f.write_str("1 link in the archive is not followed"),
            Self::Links(count) => write!(f, "{count} links in the archive are not followed"),
            Self::Sparse(1) => f.write_str("1 sparse file in the archive is not read; unpack the archive"),
            Self::Sparse(count) => write!(f, "{count} sparse files in the archive are not read; unpack the archive"),
        }
    }
}

/// What an archive holds.
#[derive(Debug)]
pub(super) struct Listing {
    /// Paths of its files, sorted.
    pub(super) members: Vec<PathBuf>,
    /// What is to be known about it.
    pub(super) notes: Vec<ArchiveNote>,
    /// Bytes that were unpacked to memory to list them.
    pub(super) unpacked: u64,
}

/// Archives that are open, each opened and unpacked once however many threads read from it.
#[derive(Debug, Clone, Default)]
pub(super) struct Archives(Arc<Cache>);

#[derive(Debug, Default)]
struct Cache {
    /// The most recently used one last.
    open: Mutex<Vec<Slot>>,
    /// Held while a large archive is unpacked: two at once would need twice the memory.
    unpacking: Mutex<()>,
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

/// An archive whose files are listed.
#[derive(Debug)]
struct Archive {
    /// How many archives it is in, itself counted.
    depth: usize,
    part: Part,
    /// Bytes in memory for it and for all archives that it is in.
    held: u64,
    members: Members<Place>,
    notes: Vec<ArchiveNote>,
}

/// Where a member's bytes are.
#[derive(Debug, Clone, Copy)]
enum Place {
    Zip(Entry),
    /// A range of the archive's bytes.
    Range { start: u64, length: u64 },
}

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
        let (archive, unpacked) = match self.locate(path)? {
            Located::Disk(_) => {
                let stamp = super::known::stamp_of(path).ok_or(ArchiveError::Gone)?;
                let archive = self.open(path, stamp, || Archive::of_file(path, &self.0.unpacking))?;
                let held = archive.held;
                (archive, held)
            }
            Located::Member(outer, place) => {
                let stamp = super::known::stamp_of(path).ok_or(ArchiveError::Gone)?;
                let archive = self.open_inner(path, stamp, &outer, place)?;
                let held = archive.held.saturating_sub(outer.held);
                (archive, held)
            }
        };
        let members = archive.members.paths().map(|name| path.join(name)).collect();
        Ok(Listing { members, notes: archive.notes.clone(), unpacked })
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
        let mut archive = self.open(outermost, stamp, || Archive::of_file(outermost, &self.0.unpacking))?;
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

    fn open_inner(&self, path: &Path, stamp: FileStamp, outer: &Archive, place: Place) -> Result<Arc<Archive>, FileError> {
        self.open(path, stamp, || Archive::of_member(path, outer, place, &self.0.unpacking))
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
        // Whoever else wants it waits here.
        let opened = cell.get_or_init(|| open().map(Arc::new)).clone();
        self.forget_oldest();
        opened
    }

    /// Forgets those that were not used for longest, until the others fit.
    fn forget_oldest(&self) {
        let mut slots = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let held = |slot: &Slot| match slot.archive.get() {
            Some(Ok(archive)) => archive.part.held(),
            _ => 0,
        };
        let mut total: u64 = slots.iter().map(held).sum();
        while slots.len() > OPEN_LIMIT || (total > HOLD_LIMIT && slots.len() > 1) {
            total -= held(&slots.remove(0));
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

fn begin_of(part: &Part) -> std::io::Result<Vec<u8>> {
    let mut begin = vec![0; BEGIN];
    let read = part.read_at(0, &mut begin)?;
    begin.truncate(read);
    Ok(begin)
}

impl Archive {
    fn of_file(path: &Path, unpacking: &Mutex<()>) -> Result<Self, FileError> {
        Self::of_part(path, Part::of_file(File::open(path)?)?, 1, 0, unpacking)
    }

    /// An archive in another one.
    fn of_member(path: &Path, outer: &Self, place: Place, unpacking: &Mutex<()>) -> Result<Self, FileError> {
        if outer.depth >= DEPTH {
            return Err(ArchiveError::TooDeep(DEPTH).into());
        }
        let left = HOLD_LIMIT.saturating_sub(outer.held);
        let (part, held) = match place {
            Place::Range { start, length } => (outer.part.range(start, length), outer.held),
            Place::Zip(entry) => {
                let _one = (entry.size() > LARGE).then(|| unpacking.lock().unwrap_or_else(PoisonError::into_inner));
                let part = entry.part(&outer.part, left)?;
                // A stored member stays where it is.
                let held = if part.shares_bytes(&outer.part) { outer.held } else { outer.held + part.held() };
                (part, held)
            }
        };
        Self::of_part(path, part, outer.depth + 1, held, unpacking)
    }

    fn of_part(path: &Path, part: Part, depth: usize, held: u64, unpacking: &Mutex<()>) -> Result<Self, FileError> {
        let archive = |part: Part, held: u64| Self { depth, part, held, members: Members::new(), notes: Vec::new() };
        match Kind::of(&begin_of(&part)?, path) {
            Some(Kind::Zip) => archive(part, held).with_zip(),
            Some(Kind::Tar) => archive(part, held).with_tar(None),
            Some(Kind::Gzip) => {
                let _one = (part.length() > LARGE).then(|| unpacking.lock().unwrap_or_else(PoisonError::into_inner));
                let limit = unpack::limit(part.length()).min(HOLD_LIMIT.saturating_sub(held));
                let (bytes, fault) = unpack::gunzip(&part, limit)?;
                let unpacked = Part::of_bytes(bytes);
                let held = held + unpacked.held();
                let begin = begin_of(&unpacked)?;
                let name = unpacked_name(path);
                if kind::is_tar(&begin) || name.to_ascii_lowercase().ends_with(".tar") {
                    return archive(unpacked, held).with_tar(fault);
                }
                let mut one = archive(unpacked, held);
                one.notes.extend(fault.map(|fault| match fault {
                    Fault::Cut => ArchiveNote::Cut,
                    Fault::Damaged => ArchiveNote::Damaged,
                }));
                // A single file whose end is missing or doubtful cannot be used: nothing in it says where.
                if fault == Some(Fault::Damaged) {
                    return Err(ArchiveError::Damaged("the compressed data is damaged; get the file again").into());
                }
                one.members.add(name.as_bytes(), Place::Range { start: 0, length: one.part.length() });
                Ok(one)
            }
            Some(Kind::Unsupported(format)) => Err(ArchiveError::Format(format).into()),
            None => Err(FileError::NotDicom),
        }
    }

    fn with_zip(mut self) -> Result<Self, FileError> {
        let directory = zip_directory::read(&self.part)?;
        self.notes.extend(directory.is_cut.then_some(ArchiveNote::Damaged));
        for (name, entry) in directory.entries {
            self.members.add(&name, Place::Zip(entry));
        }
        Ok(self)
    }

    /// Lists a tar, which may have been unpacked as far as a fault.
    fn with_tar(mut self, fault: Option<Fault>) -> Result<Self, FileError> {
        let end = match fault {
            Some(Fault::Damaged) => self.part.length().saturating_sub(DOUBTFUL),
            Some(Fault::Cut) | None => self.part.length(),
        };
        let (files, notes) = tar_entries::read(&self.part)?;
        // Of a stream that has a fault, only whole files are sure.
        let files = files.into_iter().filter(|file| fault.is_none() || file.start.saturating_add(file.length) <= end);
        for file in files {
            self.members.add(&file.name, Place::Range { start: file.start, length: file.length });
        }
        self.notes = match fault {
            None => notes,
            Some(fault) => {
                let others = notes.into_iter().filter(|note| !matches!(note, ArchiveNote::Cut | ArchiveNote::Damaged));
                let note = if fault == Fault::Cut { ArchiveNote::Cut } else { ArchiveNote::Damaged };
                std::iter::once(note).chain(others).collect()
            }
        };
        Ok(self)
    }
}

/// The name of what a gzip file holds: `study.tar` of `study.tgz`, `IM1.dcm` of `IM1.dcm.gz`.
fn unpacked_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.eq_ignore_ascii_case("gz") => stem.to_owned(),
        Some((stem, ending)) if !stem.is_empty() && ending.eq_ignore_ascii_case("tgz") => format!("{stem}.tar"),
        _ if name.is_empty() => "content".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests;
