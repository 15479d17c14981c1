//! The bytes of one DICOM file: preamble, file meta information and the extent of the data set's elements (PS3.10 section 7,
//! PS3.5 section 7), read with bounds on depth and length so that no file can make the parser overflow or over-allocate.
//! What deviates from the standard and is certain all the same is repaired here, in memory, and named.

use crate::domain::{Repair, SensitiveText};
use crate::task::limits;
use data_set::{Stop, Walker};
use element::Element;
use meta::{Meta, meta_group};
use pixels::pixel_bytes;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

mod data_set;
mod element;
mod meta;
mod part;
mod pixels;

pub(super) use data_set::{DataSet, ITEM_LIMIT, Value};
pub(super) use element::Encoding;
pub(super) use part::Part;
pub(super) use pixels::PixelBytes;

/// Bytes read first of each file; most headers end before.
const FIRST_READ: u64 = 16 * 1024;
/// Room that is made at once for all of a file; most slices need less.
const WHOLE_ROOM: u64 = 4 * 1024 * 1024;
/// No header is larger; that of two thousand frames has a few MiB.
const HEADER_LIMIT: u64 = 64 * 1024 * 1024;
/// No file larger than this is read.
const FILE_LIMIT: u64 = 2 * 1024 * 1024 * 1024;
/// What a deflated data set may inflate to.
const INFLATE_LIMIT: u64 = 160 * 1024 * 1024;

/// Transfer syntaxes that this module must know to find its way.
const IMPLICIT_LE: &str = "1.2.840.10008.1.2";
const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
const EXPLICIT_BE: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// What is said of a transfer syntax that is not decoded, after its name.
const NOT_DECODED: &str = " cannot be decoded; convert the file to Explicit VR Little Endian (1.2.840.10008.1.2.1), \
                           for example with `gdcmconv --raw` or dcmtk's `dcmconv +te`";

/// Why a file is not used. Each text says what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The file could not be read from disk.
    #[error("cannot be read: {0}")]
    Io(String),
    /// No more files can be opened just now; nothing is wrong with this one.
    #[error("{}", limits::out_of_files())]
    OutOfFiles,
    /// Zero bytes.
    #[error("empty file")]
    Empty,
    /// Neither a Part 10 file nor a bare data set.
    #[error("not DICOM")]
    NotDicom,
    /// The header's structure is damaged.
    #[error("damaged header: {0}")]
    Damaged(&'static str),
    /// The transfer syntax cannot be decoded.
    #[error("transfer syntax {0}{NOT_DECODED}")]
    TransferSyntax(String),
    /// Pixels are missing, cut off or contradict the header.
    #[error("pixels: {0}")]
    Pixels(String),
    /// The file is, or is in, an archive that cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Why an archive, or a file in one, is not read. Each text says what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum ArchiveError {
    /// A password is needed.
    #[error("encrypted; unpack the archive with its password first")]
    Encrypted,
    /// The compression method is not supported (APPNOTE 4.4.5).
    #[error("compressed by {0}, which is not supported; unpack the archive first")]
    Method(&'static str),
    /// It unpacks to more bytes than are held in memory, or to more than its size can plausibly hold.
    #[error("unpacks to {}, more than the limit of {} MiB; unpack it to a folder first", Unpacked(*size), limit.div_ceil(MIB))]
    TooLarge {
        /// Size in bytes; `None` if the archive does not say.
        size: Option<u64>,
        /// Bytes that would have been accepted.
        limit: u64,
    },
    /// Too many archives are inside one another.
    #[error("archives are nested more than {0} deep; unpack the outer ones first")]
    TooDeep(usize),
    /// More files than are listed.
    #[error("more than {0} files in one archive; unpack it to a folder first")]
    TooMany(usize),
    /// The archives inside one archive unpack to too many bytes in total.
    #[error("the archives inside it unpack to more than {} MiB in total; unpack it to a folder first", .0 / MIB)]
    TotalTooLarge(u64),
    /// The structure is damaged.
    #[error("damaged archive: {0}")]
    Damaged(&'static str),
    /// One of several files that are an archive only together.
    #[error("one part of a split archive; join the parts first")]
    Split,
    /// The content is not what was packed.
    #[error("damaged: its checksum does not match; get the archive again")]
    Checksum,
    /// A format that is not supported.
    #[error("{0} archive, which is not supported; unpack it, or pack it as zip or tar")]
    Format(&'static str),
    /// The archive no longer holds the file.
    #[error("no longer in its archive; scan the folder again")]
    Gone,
}

const MIB: u64 = 1024 * 1024;

/// A size that may be unknown, as text.
struct Unpacked(Option<u64>);

impl std::fmt::Display for Unpacked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(size) => write!(f, "{} MiB", size.div_ceil(MIB)),
            None => write!(f, "too many bytes"),
        }
    }
}

impl FileError {
    /// The reason as a message whose reader is not known yet: what the file itself says is a private part.
    pub fn told(&self) -> SensitiveText {
        match self {
            Self::TransferSyntax(syntax) => SensitiveText::plain("transfer syntax ").value(syntax).words(NOT_DECODED),
            // Kinds of system errors, and the words of this program and of its decoders.
            Self::Io(_)
            | Self::OutOfFiles
            | Self::Empty
            | Self::NotDicom
            | Self::Damaged(_)
            | Self::Pixels(_)
            | Self::Archive(_) => SensitiveText::plain(self.to_string()),
        }
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        if limits::is_out_of_files(&error) {
            return Self::OutOfFiles;
        }
        match error.kind() {
            // Only a decoder says so.
            io::ErrorKind::InvalidData => {
                ArchiveError::Damaged("the compressed data of a file in it is damaged").into()
            }
            kind => Self::Io(kind.to_string()),
        }
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
    /// Where its values are.
    pub(super) set: DataSet,
    /// The pixels' element, if there is one.
    pub(super) pixel_element: Option<PixelElement>,
    /// Where PixelData is; `None` when there is none, or where that cannot be known without unpacking all of it.
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
    pub(super) repairs: BTreeSet<Repair>,
}

/// What the header tells of the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PixelElement {
    /// Whether they are FloatPixelData or DoubleFloatPixelData.
    pub(super) is_float: bool,
    /// Whether they are encapsulated.
    pub(super) is_encapsulated: bool,
    /// Bytes that the file has from their beginning on; unknown in a deflated data set.
    pub(super) bytes_there: Option<u64>,
}

/// How much of a file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Header,
    All,
}

/// Reads a file as far as wanted.
#[cfg(test)]
pub(super) fn read(path: &Path, extent: Extent) -> Result<Part10, FileError> {
    // Asked before opening: to open a named pipe would wait for its writer for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(FileError::NotDicom);
    }
    read_file(path, extent)
}

/// Reads what is known to be a file as far as wanted.
pub(super) fn read_file(path: &Path, extent: Extent) -> Result<Part10, FileError> {
    let file = File::open(path)?;
    if extent == Extent::All {
        will_need(&file);
    }
    read_part(&Part::of_file(file)?, extent)
}

/// Has the system fetch all of a file while its beginning is read: over a network in large pieces, and not one after the other.
fn will_need(file: &File) {
    // Elsewhere the system guesses for itself.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::WillNeed) {
        tracing::trace!("a file is not read ahead by the system: {error}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// Reads a part of a file as far as wanted; where its pixels are is found without reading them.
pub(super) fn read_part(part: &Part, extent: Extent) -> Result<Part10, FileError> {
    let (mut file, element) = read_bytes(part.clone(), part.length(), extent)?;
    if let Some(element) = element.filter(|_| extent == Extent::Header && file.transfer_syntax != DEFLATED) {
        file.pixels = Some(pixel_bytes(part, &element, file.encoding, &mut file.repairs));
    }
    Ok(file)
}

/// Reads a stream of so many bytes as far as wanted.
pub(super) fn read_from(file: impl Read, size: u64, extent: Extent) -> Result<Part10, FileError> {
    read_bytes(file, size, extent).map(|(file, _)| file)
}

/// The file, and the element of its pixels.
fn read_bytes(mut file: impl Read, size: u64, extent: Extent) -> Result<(Part10, Option<Element>), FileError> {
    if size == 0 {
        return Err(FileError::Empty);
    }
    if extent == Extent::All && size > FILE_LIMIT {
        return Err(FileError::Damaged("a file of more than 2 GiB"));
    }
    let (wanted, room) = if extent == Extent::All { (size, WHOLE_ROOM) } else { (FIRST_READ.min(size), FIRST_READ) };
    // Room for what is usual at once; more only as it is read, for a size may be a lie.
    let mut bytes = Vec::with_capacity(wanted.min(room) as usize);
    (&mut file).take(wanted).read_to_end(&mut bytes)?;
    loop {
        let complete = bytes.len() as u64 >= size;
        match walk(&bytes, size, extent) {
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
            Ok(walked) => {
                let data = walked.inflated.unwrap_or(bytes);
                return Ok((Part10 { data, ..walked.file }, walked.pixels));
            }
        }
    }
}

#[derive(Debug)]
enum Walk {
    NeedsMore,
    Bad(FileError),
}

/// The walk's result.
struct Walked {
    /// The file without its bytes, which are the caller's.
    file: Part10,
    /// The inflated bytes, if they had to be.
    inflated: Option<Vec<u8>>,
    pixels: Option<Element>,
}

fn walk(bytes: &[u8], size: u64, extent: Extent) -> Result<Walked, Walk> {
    let complete = bytes.len() as u64 >= size;
    let mut repairs = BTreeSet::new();
    let (meta, start) = meta_group(bytes, complete, &mut repairs)?;
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
    let encoding = meta::encoding(&meta.transfer_syntax, data, start, &mut repairs);
    let mut walker = Walker { data, complete, repairs };
    let mut set = DataSet::default();
    let element = match walker.data_set(start, encoding, &mut set) {
        Ok(element) => element,
        // A cut file: use what is whole, if that is anything.
        Err(Stop::Cut) if complete && !set.is_empty() => {
            walker.repairs.insert(Repair::Cut);
            None
        }
        Err(Stop::Cut) => return Err(Walk::NeedsMore),
        Err(Stop::Bad(what)) => return Err(Walk::Bad(FileError::Damaged(what))),
    };
    let mut repairs = walker.repairs;
    let pixel_element = element.map(|element| PixelElement {
        is_float: element.tag != dicom_dictionary_std::tags::PIXEL_DATA,
        is_encapsulated: element.length == element::UNDEFINED,
        bytes_there: inflated.is_none().then(|| size.saturating_sub(element.value as u64)),
    });
    let pixels =
        element.filter(|_| extent == Extent::All).map(|element| pixel_bytes(data, &element, encoding, &mut repairs));
    let Meta { transfer_syntax, media_class, media_instance } = meta;
    let file = Part10 {
        data: Vec::new(),
        set,
        pixel_element,
        pixels,
        encoding,
        transfer_syntax,
        media_class,
        media_instance,
        repairs,
    };
    Ok(Walked { file, inflated, pixels: element })
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
