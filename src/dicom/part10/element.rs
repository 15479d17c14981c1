//! One element's tag, VR and length (PS3.5 section 7.1).

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

/// Item, item delimitation and sequence delimitation (PS3.5 section 7.5).
pub(super) const ITEM: Tag = Tag(0xFFFE, 0xE000);
pub(super) const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
pub(super) const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);
/// The length that stands for "until the delimiter".
pub(super) const UNDEFINED: u32 = u32::MAX;

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dicom) struct Encoding {
    pub(in crate::dicom) explicit: bool,
    pub(in crate::dicom) big_endian: bool,
}

impl Encoding {
    pub(super) const IMPLICIT: Self = Self { explicit: false, big_endian: false };
    pub(super) const EXPLICIT: Self = Self { explicit: true, big_endian: false };
    pub(super) const BIG_ENDIAN: Self = Self { explicit: true, big_endian: true };
}

/// How an element's header is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Four bytes of length after the tag.
    Implicit,
    /// VR and two bytes of length.
    Short,
    /// VR, two reserved bytes and four bytes of length.
    Long,
}

/// An element's header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element {
    pub(super) tag: Tag,
    /// As written, or the dictionary's; `None` where neither knows it.
    pub(super) vr: Option<VR>,
    pub(super) length: u32,
    /// Where the value begins.
    pub(super) value: usize,
}

impl Element {
    /// Reads an element's header (PS3.5 section 7.1.2 and 7.1.3); `None` past the end.
    pub(super) fn read(bytes: &[u8], at: usize, encoding: Encoding) -> Option<Self> {
        let tag = tag_at(bytes, at, encoding)?;
        if !encoding.explicit || tag.0 == 0xFFFE {
            return Self::in_form(bytes, at, encoding, Form::Implicit);
        }
        let code: [u8; 2] = bytes.get(at + 4..at + 6)?.try_into().ok()?;
        let long = VR::from_binary(code).is_none_or(|vr| {
            use VR::{OB, OD, OF, OL, OV, OW, SQ, SV, UC, UN, UR, UT, UV};
            matches!(vr, OB | OD | OF | OL | OV | OW | SQ | SV | UC | UN | UR | UT | UV)
        });
        Self::in_form(bytes, at, encoding, if long { Form::Long } else { Form::Short })
    }

    /// An element whose VR is none: the header's form is the one after which another element follows. An unknown VR in
    /// capitals is more likely long (PS3.5 section 6.2 promises it for new ones), any other code short.
    pub(super) fn read_unknown(bytes: &[u8], at: usize, encoding: Encoding) -> Option<Self> {
        let code = bytes.get(at + 4..at + 6)?;
        let forms = if code.iter().all(u8::is_ascii_uppercase) {
            [Form::Long, Form::Short, Form::Implicit]
        } else {
            [Form::Short, Form::Long, Form::Implicit]
        };
        forms.into_iter().filter_map(|form| Self::in_form(bytes, at, encoding, form)).find(|element| {
            let end = element.value.checked_add(element.length as usize);
            end.is_some_and(|end| Self::is_sensible(bytes, end, encoding, element.tag))
        })
    }

    fn in_form(bytes: &[u8], at: usize, encoding: Encoding, form: Form) -> Option<Self> {
        let tag = tag_at(bytes, at, encoding)?;
        let dictionary = || StandardDataDictionary.by_tag(tag).map(|entry| entry.vr().relaxed());
        let written = || VR::from_binary(bytes.get(at + 4..at + 6)?.try_into().ok()?);
        let (vr, length, value) = match form {
            Form::Implicit => (dictionary(), u32_at(bytes, at + 4, encoding)?, at + 8),
            Form::Short => (written(), u32::from(u16_at(bytes, at + 6, encoding)?), at + 8),
            Form::Long => (written(), u32_at(bytes, at + 8, encoding)?, at + 12),
        };
        Some(Self { tag, vr, length, value })
    }

    /// Whether an element that may follow `last` begins here, or the bytes end.
    pub(super) fn is_sensible(bytes: &[u8], at: usize, encoding: Encoding, last: Tag) -> bool {
        at == bytes.len()
            || Self::read(bytes, at, encoding).is_some_and(|element| element.may_follow(last, encoding, bytes.len()))
    }

    /// Whether the element may come after `last` in so many bytes.
    pub(super) fn may_follow(&self, last: Tag, encoding: Encoding, total: usize) -> bool {
        let known = || self.tag.0 % 2 == 1 || StandardDataDictionary.by_tag(self.tag).is_some();
        let fits = self.length == UNDEFINED || self.length as usize <= total.saturating_sub(self.value);
        let is_pixels = self.tag.0 == 0x7FE0;
        let has_vr = if encoding.explicit && self.tag.0 != 0xFFFE { self.vr.is_some() } else { known() };
        self.tag > last && (fits || is_pixels) && has_vr
    }

    /// Whether the value is made of items.
    pub(super) fn is_nested(&self) -> bool {
        self.vr == Some(VR::SQ) || self.length == UNDEFINED
    }

    /// The end of a value of stated length, if all of it is there.
    pub(super) fn end(&self, bytes: &[u8]) -> Option<usize> {
        self.value.checked_add(self.length as usize).filter(|&end| end <= bytes.len())
    }
}

fn u16_at(bytes: &[u8], at: usize, encoding: Encoding) -> Option<u16> {
    let two: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(if encoding.big_endian { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
}

fn u32_at(bytes: &[u8], at: usize, encoding: Encoding) -> Option<u32> {
    let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if encoding.big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
}

fn tag_at(bytes: &[u8], at: usize, encoding: Encoding) -> Option<Tag> {
    Some(Tag(u16_at(bytes, at, encoding)?, u16_at(bytes, at.checked_add(2)?, encoding)?))
}
