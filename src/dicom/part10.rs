//! The bytes of one DICOM file: preamble, file meta information and the extent of the data set's elements (PS3.10 section 7,
//! PS3.5 section 7), read with bounds on depth and length so that no file can make the parser overflow or over-allocate.

use crate::domain::Repair;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

/// Bytes read first of each file; most headers end well before.
const FIRST_READ: u64 = 64 * 1024;
/// No header of a single picture is larger.
const HEADER_LIMIT: u64 = 64 * 1024 * 1024;
/// No file larger than this is read as one picture.
pub(super) const FILE_LIMIT: u64 = 1024 * 1024 * 1024;
/// What a deflated data set may inflate to.
const INFLATE_LIMIT: u64 = 160 * 1024 * 1024;
/// Sequences inside sequences; real files stay below ten.
const DEPTH_LIMIT: usize = 48;
/// No element that cspine uses is longer; hostile texts are not read beyond this.
const ELEMENT_LIMIT: usize = 16 * 1024;
/// PixelData.
const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);

/// The elements that cspine uses, by rising tag; `header` says what each is.
const WANTED: &[Tag] = &[
    Tag(0x0008, 0x0005),
    Tag(0x0008, 0x0008),
    Tag(0x0008, 0x0016),
    Tag(0x0008, 0x0018),
    Tag(0x0008, 0x0020),
    Tag(0x0008, 0x0021),
    Tag(0x0008, 0x0022),
    Tag(0x0008, 0x0023),
    Tag(0x0008, 0x0030),
    Tag(0x0008, 0x0031),
    Tag(0x0008, 0x0032),
    Tag(0x0008, 0x0033),
    Tag(0x0008, 0x0050),
    Tag(0x0008, 0x0060),
    Tag(0x0008, 0x1030),
    Tag(0x0008, 0x103E),
    Tag(0x0010, 0x0010),
    Tag(0x0010, 0x0020),
    Tag(0x0010, 0x0030),
    Tag(0x0010, 0x0040),
    Tag(0x0010, 0x1010),
    Tag(0x0018, 0x0015),
    Tag(0x0018, 0x0050),
    Tag(0x0018, 0x1210),
    Tag(0x0020, 0x000D),
    Tag(0x0020, 0x000E),
    Tag(0x0020, 0x0011),
    Tag(0x0020, 0x0013),
    Tag(0x0020, 0x0032),
    Tag(0x0020, 0x0037),
    Tag(0x0028, 0x0002),
    Tag(0x0028, 0x0004),
    Tag(0x0028, 0x0008),
    Tag(0x0028, 0x0010),
    Tag(0x0028, 0x0011),
    Tag(0x0028, 0x0030),
    Tag(0x0028, 0x0100),
    Tag(0x0028, 0x0101),
    Tag(0x0028, 0x0102),
    Tag(0x0028, 0x0103),
    Tag(0x0028, 0x0120),
    Tag(0x0028, 0x0121),
    Tag(0x0028, 0x1050),
    Tag(0x0028, 0x1051),
    Tag(0x0028, 0x1052),
    Tag(0x0028, 0x1053),
    Tag(0x0028, 0x1054),
    Tag(0x0028, 0x1055),
    Tag(0x0028, 0x1056),
];

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
        "transfer syntax {0} cannot be decoded; convert the file to Explicit VR Little Endian (1.2.840.10008.1.2.1), \
         for example with `gdcmconv --raw` or dcmtk's `dcmconv +te`"
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

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) explicit: bool,
    pub(super) big_endian: bool,
}

/// Where the pixels are in the data set's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PixelBytes {
    /// Native pixels.
    Native(Range<usize>),
    /// The fragments of an encapsulated value, and whether its first item, the offset table, was empty.
    Fragments(Vec<Range<usize>>),
    /// There is a PixelData element but what it holds is unusable; why.
    Broken(&'static str),
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

#[derive(Debug)]
struct Meta {
    transfer_syntax: String,
    media_class: Option<String>,
    media_instance: Option<String>,
}

/// Reads the file meta information (PS3.10 section 7.1), with or without its group length, and returns where the data set
/// begins.
fn meta_group(bytes: &[u8], complete: bool, repairs: &mut Vec<Repair>) -> Result<(Meta, usize), Walk> {
    let has_preamble = bytes.get(128..132) == Some(b"DICM");
    let mut position = if has_preamble { 132 } else { 0 };
    let group = |at: usize| Some(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    if !has_preamble && group(0) != Some(2) {
        return bare_data_set(bytes, repairs);
    }
    if !has_preamble {
        repairs.push(Repair::NoMeta);
    }
    let mut meta = Meta { transfer_syntax: String::new(), media_class: None, media_instance: None };
    let mut has_length = false;
    let explicit = Encoding { explicit: true, big_endian: false };
    while group(position) == Some(2) {
        let Some(element) = Element::read(bytes, position, explicit) else {
            return Err(if complete {
                Walk::Bad(FileError::Damaged("the file meta information is cut off"))
            } else {
                Walk::NeedsMore
            });
        };
        let end = element.value + element.length as usize;
        if element.length == u32::MAX || end > bytes.len() {
            return Err(if complete {
                Walk::Bad(FileError::Damaged("a length in the file meta information is wrong"))
            } else {
                Walk::NeedsMore
            });
        }
        let text = || {
            String::from_utf8_lossy(&bytes[element.value..end])
                .trim_matches(|c: char| c == '\0' || c.is_whitespace())
                .to_owned()
        };
        match element.tag.1 {
            0x0000 => has_length = true,
            0x0002 => meta.media_class = Some(text()),
            0x0003 => meta.media_instance = Some(text()),
            0x0010 => meta.transfer_syntax = text(),
            _ => {}
        }
        position = end;
    }
    if group(position).is_none() && !complete {
        return Err(Walk::NeedsMore);
    }
    if !has_length {
        repairs.push(Repair::MetaGroupLength);
    }
    if meta.transfer_syntax.is_empty() {
        repairs.push(Repair::NoMeta);
        meta.transfer_syntax = guess_syntax(bytes, position).ok_or(Walk::Bad(FileError::NotDicom))?.to_owned();
    }
    Ok((meta, position))
}

/// A data set without preamble and meta information, taken for DICOM only if it begins with elements of group 8 in order.
fn bare_data_set(bytes: &[u8], repairs: &mut Vec<Repair>) -> Result<(Meta, usize), Walk> {
    let syntax = guess_syntax(bytes, 0).ok_or(Walk::Bad(FileError::NotDicom))?;
    repairs.push(Repair::NoMeta);
    Ok((Meta { transfer_syntax: syntax.to_owned(), media_class: None, media_instance: None }, 0))
}

/// The transfer syntax of a data set, if its first three elements make sense in it.
fn guess_syntax(bytes: &[u8], start: usize) -> Option<&'static str> {
    [IMPLICIT_LE, EXPLICIT_LE].into_iter().find(|&syntax| {
        let encoding = Encoding { explicit: syntax == EXPLICIT_LE, big_endian: false };
        let mut position = start;
        let mut last = Tag(0, 0);
        for _ in 0..3 {
            let Some(element) = Element::read(bytes, position, encoding) else { return false };
            let sensible = element.tag.0 == 8 && element.tag > last && element.length <= 1024;
            if !sensible || (encoding.explicit && element.vr.is_none()) {
                return false;
            }
            last = element.tag;
            position = element.value + element.length as usize;
        }
        true
    })
}

/// An element's header.
#[derive(Debug, Clone, Copy)]
struct Element {
    tag: Tag,
    vr: Option<VR>,
    length: u32,
    /// Where the value begins.
    value: usize,
}

impl Element {
    /// Reads an element's tag, VR and length (PS3.5 section 7.1.2 and 7.1.3); `None` past the end.
    fn read(bytes: &[u8], at: usize, encoding: Encoding) -> Option<Self> {
        let u16_at = |at: usize| -> Option<u16> {
            let two: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
            Some(if encoding.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
        };
        let u32_at = |at: usize| -> Option<u32> {
            let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
            Some(if encoding.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
        };
        let tag = Tag(u16_at(at)?, u16_at(at + 2)?);
        if !encoding.explicit || tag.0 == 0xFFFE {
            let vr = StandardDataDictionary.by_tag(tag).map(|entry| entry.vr().relaxed());
            return Some(Self { tag, vr, length: u32_at(at + 4)?, value: at + 8 });
        }
        let code: [u8; 2] = bytes.get(at + 4..at + 6)?.try_into().ok()?;
        let vr = VR::from_binary(code);
        let long = matches!(
            vr,
            None | Some(
                VR::OB
                    | VR::OD
                    | VR::OF
                    | VR::OL
                    | VR::OV
                    | VR::OW
                    | VR::SQ
                    | VR::SV
                    | VR::UC
                    | VR::UN
                    | VR::UR
                    | VR::UT
                    | VR::UV
            )
        );
        Some(if long {
            Self { tag, vr, length: u32_at(at + 8)?, value: at + 12 }
        } else {
            Self { tag, vr, length: u32::from(u16_at(at + 6)?), value: at + 8 }
        })
    }
}

enum DataSetError {
    /// The bytes end before the element does.
    Cut,
    Bad(&'static str),
}

/// Walks the top-level elements up to PixelData, whose header it returns, and copies the elements that cspine uses.
fn data_set(
    data: &[u8],
    start: usize,
    encoding: Encoding,
    header: &mut Vec<u8>,
) -> Result<Option<Element>, DataSetError> {
    let mut position = start;
    let mut last = Tag(0, 0);
    while position < data.len() {
        let element = Element::read(data, position, encoding).ok_or(DataSetError::Cut)?;
        if element.tag == PIXEL_DATA {
            return Ok(Some(element));
        }
        if element.tag.0 == 0xFFFE || (encoding.explicit && element.vr.is_none()) {
            // Padding after the last element is common and harmless; anything else is not a data set.
            let padding = data[position..].iter().all(|&byte| byte == 0);
            if position > start && (padding || last.0 >= 0x7FE0) {
                return Ok(None);
            }
            return Err(DataSetError::Bad("an element that is none"));
        }
        let end = skip(data, &element, encoding)?;
        let used = WANTED.binary_search(&element.tag).is_ok() && element.tag > last && end - position <= ELEMENT_LIMIT;
        if used {
            header.extend_from_slice(&data[position..end]);
        }
        last = last.max(element.tag);
        position = end;
    }
    Ok(None)
}

/// A sequence or an item being walked.
struct Level {
    is_sequence: bool,
    end: Option<usize>,
    encoding: Encoding,
}

/// The end of an element, nested sequences walked without recursion.
fn skip(data: &[u8], element: &Element, encoding: Encoding) -> Result<usize, DataSetError> {
    let nested = |element: &Element| element.vr == Some(VR::SQ) || element.length == u32::MAX;
    let plain_end = |element: &Element| {
        let end = element.value.checked_add(element.length as usize).filter(|&end| end <= data.len());
        end.ok_or(DataSetError::Cut)
    };
    let level_of = |element: &Element, encoding: Encoding, is_sequence: bool| -> Result<Level, DataSetError> {
        let end = if element.length == u32::MAX { None } else { Some(plain_end(element)?) };
        // A sequence inside UN is written in implicit little endian (PS3.5 section 6.2.2).
        let unknown = is_sequence && element.vr == Some(VR::UN);
        let encoding = if unknown { Encoding { explicit: false, big_endian: false } } else { encoding };
        Ok(Level { is_sequence, end, encoding })
    };
    if !nested(element) {
        return plain_end(element);
    }
    let mut stack = vec![level_of(element, encoding, true)?];
    let mut position = element.value;
    while let Some(level) = stack.last() {
        if level.end.is_some_and(|end| position >= end) {
            stack.pop();
            continue;
        }
        let (is_sequence, encoding) = (level.is_sequence, level.encoding);
        let inner = Element::read(data, position, encoding).ok_or(DataSetError::Cut)?;
        match inner.tag {
            Tag(0xFFFE, 0xE0DD) if is_sequence => {
                position = inner.value;
                stack.pop();
            }
            Tag(0xFFFE, 0xE00D) if !is_sequence => {
                position = inner.value;
                stack.pop();
            }
            Tag(0xFFFE, 0xE000) if is_sequence => {
                stack.push(level_of(&inner, encoding, false)?);
                position = inner.value;
            }
            _ if is_sequence => return Err(DataSetError::Bad("a sequence without its items")),
            Tag(0xFFFE, _) => return Err(DataSetError::Bad("an item delimiter out of place")),
            _ if nested(&inner) => {
                stack.push(level_of(&inner, encoding, true)?);
                position = inner.value;
            }
            _ => position = plain_end(&inner)?,
        }
        if stack.len() > 2 * DEPTH_LIMIT {
            return Err(DataSetError::Bad("sequences nested too deeply"));
        }
    }
    Ok(position)
}

/// Finds the pixels, with all lengths checked against the bytes that are there.
fn pixel_bytes(data: &[u8], element: &Element) -> PixelBytes {
    if element.length != u32::MAX {
        let end = element.value.saturating_add(element.length as usize).min(data.len());
        return PixelBytes::Native(element.value.min(end)..end);
    }
    let little = Encoding { explicit: true, big_endian: false };
    let mut fragments = Vec::new();
    let mut position = element.value;
    while let Some(item) = Element::read(data, position, little) {
        match item.tag {
            Tag(0xFFFE, 0xE000) => {
                let Some(end) = item.value.checked_add(item.length as usize).filter(|&end| end <= data.len()) else {
                    return PixelBytes::Broken("a fragment is cut off");
                };
                fragments.push(item.value..end);
                position = end;
            }
            _ => break,
        }
    }
    // The first item is the basic offset table, which is only a hint for a single frame.
    if fragments.len() < 2 {
        return PixelBytes::Broken("no compressed data");
    }
    fragments.remove(0);
    PixelBytes::Fragments(fragments)
}
