//! The central directory of a zip archive (PKWARE APPNOTE 4.3, 4.4, 4.5.3). Read here and not by a library, so that several entries
//! of one name are all kept and a directory that states too many entries costs no memory.

use super::unpack::{self, Inflating, Meter};
use crate::dicom::part10::{ArchiveError, Extent, FileError, Part, Part10, read_from, read_part};
use std::io::{BufReader, Read};

/// Entries that are read; an archive of more is refused.
pub(super) const ENTRY_LIMIT: usize = 200_000;

/// Bytes of the end record without its comment, and of the longest comment.
const END: usize = 22;
const COMMENT: u64 = 0xFFFF;
/// Bytes of an entry in the central directory, and of a local header, without names.
const CENTRAL: usize = 46;
const LOCAL: usize = 30;
/// A field of this value has its value in the zip64 extra field.
const IN_ZIP64: u64 = 0xFFFF_FFFF;

/// One file of the archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    encrypted: bool,
    method: u16,
    checksum: u32,
    /// Bytes in the archive.
    packed: u64,
    /// Bytes unpacked.
    size: u64,
    /// Position of the local header.
    header: u64,
}

/// The central directory.
#[derive(Debug)]
pub(super) struct Directory {
    /// Names as they are written, with their entries.
    pub(super) entries: Vec<(Vec<u8>, Entry)>,
    /// Whether the directory ends before all the entries that it states.
    pub(super) is_cut: bool,
}

fn two(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn four(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?)))
}

fn eight(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// What the end record states.
struct End {
    entries: u64,
    /// Where the central directory is, bytes from the beginning of the part.
    start: u64,
    length: u64,
    /// Bytes before the archive, such as a program that unpacks it.
    before: u64,
}

/// Reads the central directory.
///
/// # Errors
/// No zip archive, one part of a split archive, or too many entries.
pub(super) fn read(part: &Part) -> Result<Directory, FileError> {
    let end = end(part)?;
    let mut bytes = BufReader::new(part.range(end.start, end.length));
    let mut entries = Vec::new();
    while let Some(entry) = next(&mut bytes, end.before)? {
        if entries.len() >= ENTRY_LIMIT {
            return Err(ArchiveError::TooMany(ENTRY_LIMIT).into());
        }
        entries.push(entry);
    }
    let is_cut = (entries.len() as u64) < end.entries;
    if is_cut && entries.is_empty() {
        return Err(ArchiveError::Damaged("its list of files cannot be read").into());
    }
    Ok(Directory { entries, is_cut })
}

/// Finds the end record.
fn end(part: &Part) -> Result<End, FileError> {
    let length = part.length();
    let from = length.saturating_sub(END as u64 + COMMENT);
    let mut tail = vec![0; usize::try_from(length - from).unwrap_or(0)];
    let read = part.read_at(from, &mut tail)?;
    tail.truncate(read);
    let at = (0..=tail.len().saturating_sub(END)).rev().find(|&at| {
        let record = tail.get(at..).unwrap_or_default();
        let comment = two(record, 20).unwrap_or(0);
        record.starts_with(b"PK\x05\x06") && (END as u64).saturating_add(comment) <= record.len() as u64
    });
    let cut = || ArchiveError::Damaged("not a whole zip archive: its list of files is missing");
    let at = at.ok_or_else(cut)?;
    let record = tail.get(at..).unwrap_or_default();
    let field = |value: Option<u64>| value.ok_or_else(cut);
    let position = from + at as u64;
    if field(two(record, 4))? != field(two(record, 6))? {
        return Err(ArchiveError::Split.into());
    }
    let (mut entries, mut size, mut offset) =
        (field(two(record, 10))?, field(four(record, 12))?, field(four(record, 16))?);
    let mut directory_end = position;
    if let Some(wide) = wide_end(part, position)? {
        (entries, size, offset, directory_end) = wide;
    }
    if entries > ENTRY_LIMIT as u64 {
        return Err(ArchiveError::TooMany(ENTRY_LIMIT).into());
    }
    let start = directory_end.checked_sub(size).ok_or_else(cut)?;
    // What comes before the archive shifts all its positions.
    Ok(End { entries, start, length: size, before: start.saturating_sub(offset) })
}

/// Entries, size and offset of the directory from the zip64 end record, and where that record is.
fn wide_end(part: &Part, end: u64) -> Result<Option<(u64, u64, u64, u64)>, FileError> {
    const LOCATOR: u64 = 20;
    const RECORD: u64 = 56;
    let Some(locator) = end.checked_sub(LOCATOR) else { return Ok(None) };
    let mut bytes = [0; LOCATOR as usize];
    part.read_at(locator, &mut bytes)?;
    if !bytes.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    // Where it states to be, or directly before its locator if something was put before the archive.
    let stated = eight(&bytes, 8).unwrap_or(0);
    for position in [Some(stated), locator.checked_sub(RECORD)].into_iter().flatten() {
        let mut record = [0; RECORD as usize];
        part.read_at(position, &mut record)?;
        if record.starts_with(b"PK\x06\x06") {
            let fields = (eight(&record, 32), eight(&record, 40), eight(&record, 48));
            if let (Some(entries), Some(size), Some(offset)) = fields {
                return Ok(Some((entries, size, offset, position)));
            }
        }
    }
    Ok(None)
}

/// The next entry; `None` at the end, and where the directory is damaged.
fn next(bytes: &mut impl Read, before: u64) -> Result<Option<(Vec<u8>, Entry)>, FileError> {
    let mut fixed = [0; CENTRAL];
    if !fill(bytes, &mut fixed)? || !fixed.starts_with(b"PK\x01\x02") {
        return Ok(None);
    }
    let lengths = (two(&fixed, 28), two(&fixed, 30), two(&fixed, 32));
    let (Some(name_length), Some(extra_length), Some(comment_length)) = lengths else { return Ok(None) };
    let mut rest = vec![0; (name_length + extra_length + comment_length) as usize];
    if !fill(bytes, &mut rest)? {
        return Ok(None);
    }
    let extra = rest.get(name_length as usize..(name_length + extra_length) as usize).unwrap_or_default();
    let fields =
        (two(&fixed, 8), two(&fixed, 10), four(&fixed, 16), four(&fixed, 20), four(&fixed, 24), four(&fixed, 42));
    let (Some(flags), Some(method), Some(checksum), Some(mut packed), Some(mut size), Some(mut header)) = fields else {
        return Ok(None);
    };
    let mut wide = wide_fields(extra);
    for field in [&mut size, &mut packed, &mut header] {
        if *field == IN_ZIP64
            && let Some(value) = wide.next()
        {
            *field = value;
        }
    }
    drop(wide);
    rest.truncate(name_length as usize);
    let entry = Entry {
        encrypted: flags & 1 != 0,
        method: method as u16,
        checksum: checksum as u32,
        packed,
        size,
        header: header.saturating_add(before),
    };
    Ok(Some((rest, entry)))
}

/// The values of the zip64 extra field (APPNOTE 4.5.3).
fn wide_fields(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut values: &[u8] = &[];
    while let (Some(id), Some(length)) = (two(extra, 0), two(extra, 2)) {
        let end = extra.len().min(4 + length as usize);
        if id == 1 {
            values = extra.get(4..end).unwrap_or_default();
        }
        extra = extra.get(end..).unwrap_or_default();
    }
    values.chunks_exact(8).filter_map(|value| eight(value, 0))
}

/// Fills the buffer; `false` if there are not so many bytes.
fn fill(bytes: &mut impl Read, buffer: &mut [u8]) -> Result<bool, FileError> {
    match bytes.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// How an entry is compressed, as far as it can be read.
enum Packing {
    Stored,
    Deflated,
}

impl Entry {
    /// Bytes unpacked, as the archive states.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Reads the entry as a DICOM file. If all of it is read, its checksum is verified.
    ///
    /// # Errors
    /// An entry that cannot be unpacked, or is not DICOM.
    pub(super) fn read_dicom(&self, part: &Part, extent: Extent) -> Result<Part10, FileError> {
        if extent == Extent::All {
            let bytes = self.unpack(part, u64::MAX, &Meter::default())?;
            return read_from(bytes.as_slice(), bytes.len() as u64, extent);
        }
        let (packing, data) = self.data(part)?;
        match packing {
            Packing::Stored => read_part(&data, extent),
            Packing::Deflated => {
                let file = read_from(Inflating::new(data), self.size, extent)?;
                match unpack::limit(self.packed) {
                    limit if self.size > limit => Err(ArchiveError::TooLarge { size: Some(self.size), limit }.into()),
                    _ => Ok(file),
                }
            }
        }
    }

    /// The first bytes.
    ///
    /// # Errors
    /// An entry that cannot be unpacked.
    pub(super) fn begin(&self, part: &Part, length: usize) -> Result<Vec<u8>, FileError> {
        let (packing, data) = self.data(part)?;
        let mut bytes = Vec::new();
        // What comes before damage is enough to recognize a format.
        let _ = match packing {
            Packing::Stored => data.take(length as u64).read_to_end(&mut bytes),
            Packing::Deflated => Inflating::new(data).take(length as u64).read_to_end(&mut bytes),
        };
        Ok(bytes)
    }

    /// The entry as bytes that are read in place if it is stored, or else unpacked to at most `limit` bytes.
    ///
    /// # Errors
    /// An entry that cannot be unpacked.
    pub(super) fn part(&self, part: &Part, limit: u64, meter: &Meter) -> Result<Part, FileError> {
        match self.data(part)? {
            (Packing::Stored, data) => Ok(data),
            (Packing::Deflated, _) => self.unpack(part, limit, meter).map(Part::of_bytes),
        }
    }

    /// All bytes, checked against the checksum.
    fn unpack(&self, part: &Part, limit: u64, meter: &Meter) -> Result<Vec<u8>, FileError> {
        let limit = limit.min(unpack::limit(self.packed));
        let bytes = match self.data(part)? {
            (Packing::Stored, data) => unpack::whole(data, self.size, limit, meter)?,
            (Packing::Deflated, data) => unpack::whole(Inflating::new(data), self.size, limit, meter)?,
        };
        let mut checksum = flate2::Crc::new();
        checksum.update(&bytes);
        if checksum.sum() == self.checksum { Ok(bytes) } else { Err(ArchiveError::Checksum.into()) }
    }

    /// Where the packed bytes are.
    fn data(&self, part: &Part) -> Result<(Packing, Part), FileError> {
        if self.encrypted {
            return Err(ArchiveError::Encrypted.into());
        }
        let packing = match self.method {
            0 => Packing::Stored,
            8 => Packing::Deflated,
            method => return Err(ArchiveError::Method(method_name(method)).into()),
        };
        let mut header = [0; LOCAL];
        part.read_at(self.header, &mut header)?;
        let damaged = || ArchiveError::Damaged("a file in it is cut off or not where the archive states");
        if !header.starts_with(b"PK\x03\x04") {
            return Err(damaged().into());
        }
        let lengths = two(&header, 26).zip(two(&header, 28)).ok_or_else(damaged)?;
        let start = self.header.saturating_add(LOCAL as u64 + lengths.0 + lengths.1);
        if start.saturating_add(self.packed) > part.length() {
            return Err(damaged().into());
        }
        Ok((packing, part.range(start, self.packed)))
    }
}

/// Names of compression methods (APPNOTE 4.4.5).
fn method_name(method: u16) -> &'static str {
    match method {
        9 => "Deflate64",
        12 => "bzip2",
        14 => "LZMA",
        20 | 93 => "Zstandard",
        95 => "xz",
        96 => "JPEG",
        98 => "PPMd",
        _ => "an unusual method",
    }
}
