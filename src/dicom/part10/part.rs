//! Bytes on disk, read where they are wanted.

use super::pixels::Bytes;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A file, or a part of one that several readers share, with a position of its own.
#[derive(Debug, Clone)]
pub(in crate::dicom) struct Part {
    pub(in crate::dicom) file: Arc<File>,
    pub(in crate::dicom) start: u64,
    pub(in crate::dicom) length: u64,
    pub(in crate::dicom) at: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = self.file.read_at(&mut buffer[..wanted], self.start.saturating_add(self.at))?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Part {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

impl Bytes for Part {
    fn total(&self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    fn at(&self, position: usize, length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut part = Self { at: position as u64, ..self.clone() };
        // What cannot be read is taken for the end, as it will be when all of it is read.
        let _ = (&mut part).take(length as u64).read_to_end(&mut bytes);
        bytes
    }
}
