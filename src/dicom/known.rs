//! What an earlier scan knew of files: one that did not change is not read again.

use super::header::Header;
use crate::domain::FileStamp;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Headers that an earlier scan has written down.
pub trait KnownFiles: Sync {
    /// What was written down of a file under this stamp; asked for from several threads.
    fn header(&self, path: &Path, stamp: FileStamp) -> Option<Vec<u8>>;
}

/// Nothing is known: every file is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingKnown;

impl KnownFiles for NothingKnown {
    fn header(&self, _: &Path, _: FileStamp) -> Option<Vec<u8>> {
        None
    }
}

/// Changes whenever what is written down does: headers of another version are read anew.
const FORMAT: &str = concat!("5 ", env!("CARGO_PKG_VERSION"));

/// The pictures of a file as they are written down; none for a file that is not DICOM.
pub(super) fn encode(pictures: &[Header]) -> Option<Vec<u8>> {
    postcard::to_stdvec(&(FORMAT, pictures)).ok()
}

/// The pictures that were written down.
pub(super) fn decode(kept: &[u8]) -> Option<Vec<Header>> {
    let (format, pictures): (String, Vec<Header>) = postcard::from_bytes(kept).ok()?;
    (format == FORMAT).then_some(pictures)
}

/// The stamp of a file, or of the archive that it is in.
pub(super) fn stamp_of(path: &Path) -> Option<FileStamp> {
    let metadata = std::fs::metadata(path).ok().or_else(|| {
        let archive = super::archive::outermost(path)?;
        std::fs::metadata(archive).ok()
    })?;
    Some(FileStamp {
        size: metadata.len(),
        written_ns: metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec()),
        number: metadata.ino(),
    })
}
