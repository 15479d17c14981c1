//! Where elements begin and end (PS3.5 section 7), with bounds on depth and length.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

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

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dicom) struct Encoding {
    pub(in crate::dicom) explicit: bool,
    pub(in crate::dicom) big_endian: bool,
}

/// An element's header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element {
    pub(super) tag: Tag,
    pub(super) vr: Option<VR>,
    pub(super) length: u32,
    /// Where the value begins.
    pub(super) value: usize,
}

impl Element {
    /// Reads an element's tag, VR and length (PS3.5 section 7.1.2 and 7.1.3); `None` past the end.
    pub(super) fn read(bytes: &[u8], at: usize, encoding: Encoding) -> Option<Self> {
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

pub(super) enum DataSetError {
    /// The bytes end before the element does.
    Cut,
    Bad(&'static str),
}

/// Walks the top-level elements up to PixelData, whose header it returns, and copies the elements that cspine uses.
pub(super) fn data_set(
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
