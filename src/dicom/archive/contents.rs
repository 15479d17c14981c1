//! What one archive holds: its files, listed, and what is to be known about it.

use super::kind::{self, BEGIN, Kind};
use super::names::Members;
use super::unpack::{self, Fault, HOLD_LIMIT};
use super::zip_directory::{self, Entry};
use super::{DEPTH, Unpacker, tar_entries};
use crate::dicom::part10::{ArchiveError, FileError, Part};
use std::fs::File;
use std::path::Path;

/// Before damage in a gzip stream, so many bytes are left out: damage is noticed only some way behind where it is.
const DOUBTFUL: u64 = 32 * 1024;

/// Something about an archive that was read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::dicom) enum ArchiveNote {
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
            Self::Cut => {
                f.write_str("archive is cut off: files before the cut are used, the others are missing; get it again")
            }
            Self::Damaged => f.write_str(
                "archive is damaged: files before the damage are used, the others are missing; get it again",
            ),
            Self::Links(1) => f.write_str("1 link in the archive is not followed"),
            Self::Links(count) => write!(f, "{count} links in the archive are not followed"),
            Self::Sparse(1) => f.write_str("1 sparse file in the archive is not read; unpack the archive"),
            Self::Sparse(count) => write!(f, "{count} sparse files in the archive are not read; unpack the archive"),
        }
    }
}

/// An archive whose files are listed.
#[derive(Debug)]
pub(super) struct Archive {
    /// How many archives it is in, itself counted.
    pub(super) depth: usize,
    pub(super) part: Part,
    /// Bytes in memory for it and for all archives that it is in.
    pub(super) held: u64,
    pub(super) members: Members<Place>,
    pub(super) notes: Vec<ArchiveNote>,
}

/// Where a member's bytes are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Zip(Entry),
    /// A range of the archive's bytes.
    Range {
        start: u64,
        length: u64,
    },
}

/// The first bytes, at most [`BEGIN`].
pub(super) fn begin_of(part: &Part) -> std::io::Result<Vec<u8>> {
    let mut begin = vec![0; BEGIN];
    let read = part.read_at(0, &mut begin)?;
    begin.truncate(read);
    Ok(begin)
}

impl Archive {
    /// An archive on disk.
    pub(super) fn of_file(path: &Path, unpacker: &Unpacker) -> Result<Self, FileError> {
        Self::of_part(path, Part::of_file(File::open(path)?)?, 1, 0, unpacker)
    }

    /// An archive in another one.
    pub(super) fn of_member(path: &Path, outer: &Self, place: Place, unpacker: &Unpacker) -> Result<Self, FileError> {
        if outer.depth >= DEPTH {
            return Err(ArchiveError::TooDeep(DEPTH).into());
        }
        let left = HOLD_LIMIT.saturating_sub(outer.held);
        let (part, held) = match place {
            Place::Range { start, length } => (outer.part.range(start, length), outer.held),
            Place::Zip(entry) => {
                let _turn = unpacker.turn(entry.size());
                let part = entry.part(&outer.part, left, &unpacker.meter)?;
                // A stored member stays where it is.
                let held = if part.shares_bytes(&outer.part) { outer.held } else { outer.held + part.held() };
                (part, held)
            }
        };
        Self::of_part(path, part, outer.depth + 1, held, unpacker)
    }

    fn of_part(path: &Path, part: Part, depth: usize, held: u64, unpacker: &Unpacker) -> Result<Self, FileError> {
        let archive = |part: Part, held: u64| Self { depth, part, held, members: Members::new(), notes: Vec::new() };
        match Kind::of(&begin_of(&part)?, path) {
            Some(Kind::Zip) => archive(part, held).with_zip(),
            Some(Kind::Tar) => archive(part, held).with_tar(None),
            Some(Kind::Gzip) => Self::of_gzip(path, &part, depth, held, unpacker),
            Some(Kind::Unsupported(format)) => Err(ArchiveError::Format(format).into()),
            None => Err(FileError::NotDicom),
        }
    }

    /// A compressed tar, or one compressed file.
    fn of_gzip(path: &Path, part: &Part, depth: usize, held: u64, unpacker: &Unpacker) -> Result<Self, FileError> {
        let archive = |part: Part, held: u64| Self { depth, part, held, members: Members::new(), notes: Vec::new() };
        let name = unpacked_name(path);
        let begin = unpack::gzip_begin(part, BEGIN);
        let is_tar = kind::is_tar(&begin);
        if !is_tar && Kind::of(&begin, Path::new(&name)).is_none() && !unpack::may_be_dicom(part) {
            // Its beginning is enough to count it; not all of it has to be unpacked for that.
            let mut other = archive(Part::of_bytes(begin), held);
            other.members.add(name.as_bytes(), Place::Range { start: 0, length: other.part.length() });
            return Ok(other);
        }
        let _turn = unpacker.turn(part.length());
        let limit = unpack::limit(part.length()).min(HOLD_LIMIT.saturating_sub(held));
        let (bytes, fault) = unpack::gunzip(part, limit, &unpacker.meter)?;
        let unpacked = Part::of_bytes(bytes);
        let held = held + unpacked.held();
        if is_tar || name.to_ascii_lowercase().ends_with(".tar") {
            return archive(unpacked, held).with_tar(fault);
        }
        let mut one = archive(unpacked, held);
        match fault {
            // Nothing in a single file says where it is damaged.
            Some(Fault::Damaged) => {
                return Err(ArchiveError::Damaged("the compressed data is damaged; get the file again").into());
            }
            Some(Fault::Cut) => one.notes.push(ArchiveNote::Cut),
            None => {}
        }
        one.members.add(name.as_bytes(), Place::Range { start: 0, length: one.part.length() });
        Ok(one)
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
