//! Bytes on disk or in memory, read where they are wanted.

use super::pixels::Bytes;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// What holds the bytes.
#[derive(Debug, Clone)]
enum Holder {
    Disk(Arc<File>),
    Memory(Arc<Vec<u8>>),
}

/// A file, unpacked bytes, or a range of either that several readers share, with a position of its own.
#[derive(Debug, Clone)]
pub(in crate::dicom) struct Part {
    holder: Holder,
    start: u64,
    length: u64,
    at: u64,
}

impl Part {
    /// All of a file.
    pub(in crate::dicom) fn of_file(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { holder: Holder::Disk(Arc::new(file)), start: 0, length, at: 0 })
    }

    /// Bytes that are in memory.
    pub(in crate::dicom) fn of_bytes(bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        Self { holder: Holder::Memory(Arc::new(bytes)), start: 0, length, at: 0 }
    }

    /// Number of bytes.
    pub(in crate::dicom) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of memory that this keeps in use.
    pub(in crate::dicom) fn held(&self) -> u64 {
        match &self.holder {
            Holder::Disk(_) => 0,
            Holder::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Whether another part reads the same file or bytes.
    pub(in crate::dicom) fn shares_bytes(&self, other: &Self) -> bool {
        match (&self.holder, &other.holder) {
            (Holder::Disk(one), Holder::Disk(other)) => Arc::ptr_eq(one, other),
            (Holder::Memory(one), Holder::Memory(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// A range of this part, cut off at its end.
    pub(in crate::dicom) fn range(&self, start: u64, length: u64) -> Self {
        let start = start.min(self.length);
        let length = length.min(self.length - start);
        Self { holder: self.holder.clone(), start: self.start.saturating_add(start), length, at: 0 }
    }

    /// Fills the buffer from a position; the number of bytes read is less at the end.
    pub(in crate::dicom) fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut part = self.range(position, buffer.len() as u64);
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match part.read(rest) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let from = self.start.saturating_add(self.at);
        let read = match &self.holder {
            Holder::Disk(file) => file.read_at(&mut buffer[..wanted], from)?,
            Holder::Memory(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                let bytes = bytes.get(from..).unwrap_or_default();
                let read = wanted.min(bytes.len());
                buffer[..read].copy_from_slice(&bytes[..read]);
                read
            }
        };
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
