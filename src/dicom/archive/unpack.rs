//! Compressed bytes to bytes in memory, within bounds.

use crate::dicom::part10::{ArchiveError, Extent, FileError, Part, read_from};
use std::io::{self, BufReader, Read};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that one file unpacks to at most, and all the archives around it together.
pub(super) const HOLD_LIMIT: u64 = 1024 * 1024 * 1024;
/// However well it is compressed, so many bytes are accepted.
const FREE: u64 = 128 * 1024 * 1024;
/// Beyond [`FREE`], a file unpacks to at most so many times its packed size: CT compresses to a half or a quarter.
const RATIO: u64 = 100;

/// The most bytes that are accepted of a file of this packed size.
pub(super) fn limit(packed: u64) -> u64 {
    packed.saturating_mul(RATIO).clamp(FREE, HOLD_LIMIT)
}

/// Counts unpacked bytes, whether they could be used or not.
#[derive(Debug, Default)]
pub(super) struct Meter(AtomicU64);

impl Meter {
    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes so far.
    pub(super) fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a stream ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is cut off: all before the cut is as it was packed.
    Cut,
    /// It is damaged: what was unpacked shortly before may be wrong, too.
    Damaged,
}

fn gzip_stream(part: &Part) -> impl Read {
    flate2::read::MultiGzDecoder::new(BufReader::new(part.clone()))
}

/// The first bytes of what a gzip file holds; fewer where it is damaged.
pub(super) fn gzip_begin(part: &Part, length: usize) -> Vec<u8> {
    let mut begin = Vec::new();
    // What was read before an error stays.
    let _ = gzip_stream(part).take(length as u64).read_to_end(&mut begin);
    begin
}

/// Whether what a gzip file holds can be DICOM, as far as its beginning tells.
pub(super) fn may_be_dicom(part: &Part) -> bool {
    // How much it holds is not known before all is unpacked.
    !matches!(read_from(gzip_stream(part), u64::MAX / 2, Extent::Header), Err(FileError::NotDicom))
}

/// Unpacks a gzip file (RFC 1952), also one of several parts; what comes before a fault is returned with the fault.
///
/// # Errors
/// More bytes than `limit`; bytes that do not match their checksum, since any of them may be wrong; no gzip file.
pub(super) fn gunzip(part: &Part, limit: u64, meter: &Meter) -> Result<(Vec<u8>, Option<Fault>), FileError> {
    let mut bytes = Vec::new();
    let end = gzip_stream(part).take(limit.saturating_add(1)).read_to_end(&mut bytes);
    meter.add(bytes.len());
    if bytes.len() as u64 > limit {
        return Err(ArchiveError::TooLarge { size: None, limit }.into());
    }
    bytes.shrink_to_fit();
    let fault = match end {
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Some(Fault::Cut),
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
            match error.to_string() {
                text if text.contains("checksum") => return Err(ArchiveError::Checksum.into()),
                // What follows the last whole part is none: zeros are padding, as on a tape.
                text if text.contains("header") => (!is_padded(part)?).then_some(Fault::Cut),
                _ => Some(Fault::Damaged),
            }
        }
        Err(error) => return Err(error.into()),
    };
    match fault {
        Some(_) if bytes.is_empty() => Err(ArchiveError::Damaged("not a whole gzip file").into()),
        _ => Ok((bytes, fault)),
    }
}

/// Whether the last bytes are zeros, more than the end of a gzip file can have.
fn is_padded(part: &Part) -> Result<bool, FileError> {
    let mut end = [1; 16];
    let read = part.read_at(part.length().saturating_sub(16), &mut end)?;
    Ok(read == end.len() && end == [0; 16])
}

/// A deflate stream (RFC 1951) whose damage is an error of the kind `InvalidData`.
pub(super) struct Inflating(flate2::bufread::DeflateDecoder<BufReader<Part>>);

impl Inflating {
    pub(super) fn new(part: Part) -> Self {
        Self(flate2::bufread::DeflateDecoder::new(BufReader::new(part)))
    }
}

impl Read for Inflating {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput => io::ErrorKind::InvalidData.into(),
            _ => error,
        })
    }
}

/// All of a stream whose size is stated.
///
/// # Errors
/// More bytes than `limit`, more or fewer than stated, or a damaged stream.
pub(super) fn whole(stream: impl Read, size: u64, limit: u64, meter: &Meter) -> Result<Vec<u8>, FileError> {
    if size > limit {
        return Err(ArchiveError::TooLarge { size: Some(size), limit }.into());
    }
    // Room as it is needed: a size may be a lie.
    let mut bytes = Vec::new();
    let end = stream.take(size.saturating_add(1)).read_to_end(&mut bytes);
    meter.add(bytes.len());
    end?;
    if bytes.len() as u64 == size {
        Ok(bytes)
    } else {
        Err(ArchiveError::Damaged("a file in it has another size than the archive states").into())
    }
}
