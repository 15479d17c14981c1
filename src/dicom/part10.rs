//! The bytes of one DICOM file: preamble, file meta information and the extent of the data set's elements (PS3.10 section 7,
//! PS3.5 section 7), read with bounds on depth and length so that no file can make the parser overflow or over-allocate.

use crate::domain::Repair;
use element::{DataSetError, data_set};
use meta::{Meta, meta_group};
use pixels::pixel_bytes;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

mod element;
mod meta;
mod pixels;

pub(super) use element::Encoding;
pub(super) use pixels::PixelBytes;

/// Bytes read first of each file; most headers end well before.
const FIRST_READ: u64 = 64 * 1024;
/// No header of a single picture is larger.
const HEADER_LIMIT: u64 = 64 * 1024 * 1024;
/// No file larger than this is read as one picture.
pub(super) const FILE_LIMIT: u64 = 1024 * 1024 * 1024;
/// What a deflated data set may inflate to.
const INFLATE_LIMIT: u64 = 160 * 1024 * 1024;

/// Transfer syntaxes that this module must know to find its way.
const IMPLICIT_LE: &str = "1.2.840.10008.1.2";
pub(super) const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
const EXPLICIT_BE: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// Why a file is not used. Each text says what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file could not be read from disk.
    #[error("cannot be read: {0}")]
    Io(String),
    /// Zero bytes.
    #[error("empty file")]
    Empty,
    /// Neither a Part 10 file nor a bare data set.
    #[error("not DICOM")]
    NotDicom,
    /// The header's structure is damaged.
    #[error("damaged header: {0}")]
    Damaged(&'static str),
    /// Header parsing failed in dicom-rs.
    #[error("damaged header: {0}")]
    Header(String),
    /// The transfer syntax cannot be decoded.
    #[error(
        "transfer syntax {0} cannot be decoded; convert the file to Explicit VR Little Endian (1.2.840.10008.1.2.1)"
    )]
    TransferSyntax(String),
    /// Pixels are missing, cut off or contradict the header.
    #[error("pixels: {0}")]
    Pixels(String),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind().to_string())
    }
}

/// Whether a transfer syntax writes pixels as they are (PS3.5 section A.1 to A.5).
pub(super) fn is_native(transfer_syntax: &str) -> bool {
    [IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED].contains(&transfer_syntax)
}

/// One file, walked.
#[derive(Debug)]
pub(super) struct Part10 {
    /// The data set's bytes (inflated if deflated).
    pub(super) data: Vec<u8>,
    /// The elements that cspine uses, in order, as a data set of their own.
    pub(super) header: Vec<u8>,
    /// Whether there is a PixelData element.
    pub(super) has_pixels: bool,
    /// PixelData; `None` when there is none or only the header was asked for.
    pub(super) pixels: Option<PixelBytes>,
    /// Encoding of the data set's elements.
    pub(super) encoding: Encoding,
    /// TransferSyntaxUID as the file says.
    pub(super) transfer_syntax: String,
    /// MediaStorageSOPClassUID, where the meta group has one.
    pub(super) media_class: Option<String>,
    /// MediaStorageSOPInstanceUID, likewise.
    pub(super) media_instance: Option<String>,
    /// What was repaired.
    pub(super) repairs: Vec<Repair>,
}

/// How much of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Header,
    All,
}

/// Reads a file as far as wanted.
pub(super) fn read(path: &Path, extent: Extent) -> Result<Part10, FileError> {
    // Asked before opening: to open a named pipe would wait for its writer for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(FileError::NotDicom);
    }
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if size == 0 {
        return Err(FileError::Empty);
    }
    let wanted = if extent == Extent::All { size.min(FILE_LIMIT) } else { FIRST_READ.min(size) };
    let mut bytes = Vec::new();
    (&mut file).take(wanted).read_to_end(&mut bytes)?;
    loop {
        let complete = bytes.len() as u64 >= size;
        match walk(&bytes, extent, complete) {
            Err(Walk::NeedsMore) if !complete && (bytes.len() as u64) < HEADER_LIMIT => {
                let more = bytes.len() as u64 * 3;
                let before = bytes.len();
                (&mut file).take(more).read_to_end(&mut bytes)?;
                if bytes.len() == before {
                    return Err(FileError::Damaged("the file ends inside its header"));
                }
            }
            Err(Walk::NeedsMore) => return Err(FileError::Damaged("the file ends inside its header")),
            Err(Walk::Bad(error)) => return Err(error),
            Ok(walked) => return walked.finish(bytes),
        }
    }
}

#[derive(Debug)]
enum Walk {
    NeedsMore,
    Bad(FileError),
}

/// The walk's result, before the bytes are handed over.
#[derive(Debug)]
struct Walked {
    inflated: Option<Vec<u8>>,
    header: Vec<u8>,
    has_pixels: bool,
    pixels: Option<PixelBytes>,
    encoding: Encoding,
    meta: Meta,
    repairs: Vec<Repair>,
}

impl Walked {
    fn finish(self, bytes: Vec<u8>) -> Result<Part10, FileError> {
        Ok(Part10 {
            data: self.inflated.unwrap_or(bytes),
            header: self.header,
            has_pixels: self.has_pixels,
            pixels: self.pixels,
            encoding: self.encoding,
            transfer_syntax: self.meta.transfer_syntax,
            media_class: self.meta.media_class,
            media_instance: self.meta.media_instance,
            repairs: self.repairs,
        })
    }
}

fn walk(bytes: &[u8], extent: Extent, complete: bool) -> Result<Walked, Walk> {
    let mut repairs = Vec::new();
    let (meta, start) = meta_group(bytes, complete, &mut repairs)?;
    let encoding = match meta.transfer_syntax.as_str() {
        IMPLICIT_LE => Encoding { explicit: false, big_endian: false },
        EXPLICIT_BE => Encoding { explicit: true, big_endian: true },
        _ => Encoding { explicit: true, big_endian: false },
    };
    let (inflated, start, complete) = if meta.transfer_syntax == DEFLATED {
        let (data, whole) = inflate(bytes.get(start..).unwrap_or_default(), extent);
        if data.is_empty() {
            return Err(if complete {
                Walk::Bad(FileError::Damaged("the deflated data set is damaged"))
            } else {
                Walk::NeedsMore
            });
        }
        (Some(data), 0, whole)
    } else {
        (None, start, complete)
    };
    let data = inflated.as_deref().unwrap_or(bytes);
    let mut header = Vec::new();
    let pixels = match data_set(data, start, encoding, &mut header) {
        Ok(pixels) => pixels,
        // A cut file: use what is whole, if that is anything.
        Err(DataSetError::Cut) if complete && !header.is_empty() => {
            repairs.push(Repair::TrailingBytes);
            None
        }
        Err(DataSetError::Cut) => return Err(Walk::NeedsMore),
        Err(DataSetError::Bad(what)) => return Err(Walk::Bad(FileError::Damaged(what))),
    };
    let has_pixels = pixels.is_some();
    let pixels = pixels.filter(|_| extent == Extent::All).map(|element| pixel_bytes(data, &element));
    Ok(Walked { header, has_pixels, pixels, encoding, meta, repairs, inflated })
}

/// Inflates a deflated data set (PS3.5 section A.5) within bounds; the header needs only its beginning. Says whether all of
/// it was inflated.
fn inflate(bytes: &[u8], extent: Extent) -> (Vec<u8>, bool) {
    let limit = if extent == Extent::Header { HEADER_LIMIT / 8 } else { INFLATE_LIMIT };
    let mut data = Vec::new();
    // An error at the end leaves what was inflated before it, which the walk then judges.
    let _ = flate2::read::DeflateDecoder::new(bytes).take(limit).read_to_end(&mut data);
    let whole = (data.len() as u64) < limit;
    (data, whole)
}
