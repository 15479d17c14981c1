//! Values of elements as text and numbers. What is not a number, and text in another character set than stated, is
//! remembered and told.

use super::charset::Charset;
use super::number;
use super::part10::{DataSet, Value};
use crate::domain::{Oddity, Repair};
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The longest text that is read; no element that cspine uses is longer.
const TEXT_LIMIT: usize = 16 * 1024;

/// A picture's elements: those of its own functional groups before shared ones, and those before the data set's.
pub(super) struct Elements<'f> {
    data: &'f [u8],
    layers: Vec<&'f DataSet>,
    charset: Charset,
    oddities: RefCell<BTreeSet<Oddity>>,
}

impl<'f> Elements<'f> {
    /// Of layers over the bytes in which their values are; the data set itself is the last.
    pub(super) fn new(data: &'f [u8], layers: Vec<&'f DataSet>) -> Self {
        let mut elements = Self { data, layers, charset: Charset::DEFAULT, oddities: RefCell::default() };
        elements.charset = Charset::from_names(&elements.text(tags::SPECIFIC_CHARACTER_SET));
        elements
    }

    /// What was odd about the values that were asked for.
    pub(super) fn oddities(&self) -> Vec<Oddity> {
        self.oddities.borrow().iter().cloned().collect()
    }

    /// The value and how it is written; `None` when absent or empty.
    fn value(&self, tag: Tag) -> Option<(&'f [u8], VR, bool)> {
        let (value, bytes) = self.layers.iter().find_map(|layer| {
            let value: Value = layer.value(tag)?;
            let bytes = value.bytes(self.data);
            (!bytes.is_empty()).then_some((value, bytes))
        })?;
        let dictionary = || StandardDataDictionary.by_tag(tag).map_or(VR::LO, |entry| entry.vr().relaxed());
        let vr = value.vr.filter(|vr| *vr != VR::UN).unwrap_or_else(dictionary);
        Some((&bytes[..bytes.len().min(TEXT_LIMIT)], vr, value.big_endian))
    }

    /// The value's bytes as they are written, and whether numbers in them are big-endian.
    pub(super) fn bytes(&self, tag: Tag) -> Option<(&'f [u8], bool)> {
        let value = self.layers.iter().find_map(|layer| layer.value(tag))?;
        Some((value.bytes(self.data), value.big_endian))
    }

    /// The items of a sequence in all layers.
    pub(super) fn items(&self, tag: Tag) -> Vec<&'f DataSet> {
        self.layers.iter().flat_map(|layer| layer.items(tag)).collect()
    }

    /// The value as text, components joined by backslashes, padding removed; empty when absent.
    pub(super) fn text(&self, tag: Tag) -> String {
        let Some((bytes, vr, big_endian)) = self.value(tag) else { return String::new() };
        if let Some(numbers) = binary(bytes, vr, big_endian) {
            return numbers.iter().map(f64::to_string).collect::<Vec<_>>().join("\\");
        }
        let (text, other_set) = self.charset.decode(bytes, vr == VR::PN);
        if other_set {
            self.oddities.borrow_mut().insert(Oddity::Repaired(Repair::CharacterSet));
        }
        text.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned()
    }

    /// Whether there is a value.
    pub(super) fn present(&self, tag: Tag) -> bool {
        self.value(tag).is_some_and(|(bytes, vr, _)| {
            binary(&bytes[..bytes.len().min(8)], vr, false).is_some()
                || bytes.iter().any(|byte| *byte != 0 && !byte.is_ascii_whitespace())
        })
    }

    /// All components as finite numbers; `None` if absent or any is not one.
    pub(super) fn numbers(&self, tag: Tag) -> Option<Vec<f64>> {
        if !self.present(tag) {
            return None;
        }
        self.checked(tag, self.text(tag).split('\\').map(number::decimal).collect())
    }

    /// The first component as an integer.
    pub(super) fn integer(&self, tag: Tag) -> Option<i32> {
        if !self.present(tag) {
            return None;
        }
        self.checked(tag, self.text(tag).split('\\').next().and_then(number::integer))
    }

    fn checked<T>(&self, tag: Tag, value: Option<T>) -> Option<T> {
        if value.is_none() {
            let name = StandardDataDictionary.by_tag(tag).map_or("a value", |entry| entry.alias());
            self.oddities.borrow_mut().insert(Oddity::BadNumber(name.to_owned()));
        }
        value
    }
}

/// The numbers of a value that is not written as text (PS3.5 section 6.2).
fn binary(bytes: &[u8], vr: VR, big_endian: bool) -> Option<Vec<f64>> {
    let width = match vr {
        VR::US | VR::SS => 2,
        VR::UL | VR::SL | VR::FL => 4,
        VR::FD => 8,
        _ => return None,
    };
    let numbers = bytes.chunks_exact(width).map(|part| {
        let mut little = [0; 8];
        little[..width].copy_from_slice(part);
        if big_endian {
            little[..width].reverse();
        }
        let whole = u64::from_le_bytes(little);
        match vr {
            VR::SS => f64::from((whole as u16).cast_signed()),
            VR::SL => f64::from((whole as u32).cast_signed()),
            VR::FL => f64::from(f32::from_bits(whole as u32)),
            VR::FD => f64::from_bits(whole),
            _ => f64::from(whole as u32),
        }
    });
    Some(numbers.collect())
}
