//! Archives that a scan finds: listed one after the other, the archives in them, too, with their files read as all others are.

use super::{BATCH, ScanEvent, Scanner};
use crate::dicom::archive::outermost;
use crate::dicom::part10::{ArchiveError, FileError};
use crate::task::Cancel;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Files in one archive on disk, those in inner archives counted.
const FILES: usize = 200_000;
/// Bytes that the archives in one archive on disk may unpack to in total, however small it is.
const FREE: u64 = 1024 * 1024 * 1024;
/// Beyond [`FREE`], so many times the size of the archive on disk.
const RATIO: u64 = 20;

/// What is left to one archive on disk.
struct Allowance {
    files: usize,
    unpacked: u64,
    /// What `unpacked` was at first.
    total: u64,
}

impl Allowance {
    /// For an archive on disk of this size.
    fn of_size(size: u64) -> Self {
        let total = size.saturating_mul(RATIO).max(FREE);
        Self { files: FILES, unpacked: total, total }
    }
}

impl Scanner {
    /// Lists the archives that were found, and reads what they hold.
    pub(super) fn read_containers(&mut self, cancel: &Cancel, report: &mut dyn FnMut(ScanEvent)) {
        let mut allowances: HashMap<PathBuf, Allowance> = HashMap::new();
        let mut batch = Vec::new();
        // The last one is taken first: inner archives follow their outer one, which is still open.
        self.containers.reverse();
        loop {
            while let Some(container) = self.containers.pop() {
                if cancel.is_cancelled() {
                    self.containers.clear();
                    return;
                }
                let on_disk = outermost(&container).unwrap_or(&container).to_owned();
                let size = std::fs::metadata(&on_disk).map_or(0, |metadata| metadata.len());
                let left = allowances.entry(on_disk).or_insert_with(|| Allowance::of_size(size));
                let members = self.list(&container, left, report).unwrap_or_else(|error| {
                    self.skip(&container, &error, None, report);
                    Vec::new()
                });
                for member in members {
                    if cancel.is_cancelled() {
                        break;
                    }
                    batch.push(member);
                    if batch.len() >= BATCH {
                        self.read_files(&mut batch, report);
                    }
                }
            }
            if batch.is_empty() {
                return;
            }
            self.read_files(&mut batch, report);
            self.containers.reverse();
        }
    }

    /// The files of an archive, within what is left to the archive on disk that it is, or is in.
    fn list(
        &mut self,
        container: &Path,
        left: &mut Allowance,
        report: &mut dyn FnMut(ScanEvent),
    ) -> Result<Vec<PathBuf>, FileError> {
        if left.unpacked == 0 {
            return Err(ArchiveError::TotalTooLarge(left.total).into());
        }
        let before = self.archives.unpacked();
        let listing = self.archives.list(container);
        left.unpacked = left.unpacked.saturating_sub(self.archives.unpacked().saturating_sub(before));
        let listing = listing?;
        left.files = left.files.checked_sub(listing.members.len()).ok_or(ArchiveError::TooMany(FILES))?;
        if !listing.notes.is_empty() {
            let notes: Vec<String> = listing.notes.iter().map(ToString::to_string).collect();
            self.unreadable(container.to_owned(), notes.join("; "), report);
        }
        Ok(listing.members)
    }
}
