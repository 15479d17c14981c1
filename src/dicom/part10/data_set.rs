//! Where a data set's values lie (PS3.5 section 7), found with bounds on depth and number; what is wrong with their order
//! and ends is repaired here and named.

use super::element::{Element, Encoding, ITEM, ITEM_END, SEQUENCE_END, UNDEFINED};
use crate::domain::Repair;
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use std::collections::{BTreeMap, BTreeSet};

/// Sequences inside sequences; real files stay below ten.
const DEPTH_LIMIT: usize = 48;
/// Elements kept of one data set or item.
const ELEMENT_LIMIT: usize = 4096;
/// Items kept of one sequence: frames, or records of a directory.
pub(in crate::dicom) const ITEM_LIMIT: usize = 65_536;

/// The sequences whose items are kept, by rising tag: those of functional groups (PS3.3 section C.7.6.16), the LUTs,
/// the request, real world values, and a directory's records.
const SEQUENCES: &[Tag] = &[
    tags::DIRECTORY_RECORD_SEQUENCE,
    tags::CT_RECONSTRUCTION_SEQUENCE,
    tags::CT_IMAGE_FRAME_TYPE_SEQUENCE,
    tags::FRAME_CONTENT_SEQUENCE,
    tags::PLANE_POSITION_SEQUENCE,
    tags::PLANE_ORIENTATION_SEQUENCE,
    tags::UNASSIGNED_SHARED_CONVERTED_ATTRIBUTES_SEQUENCE,
    tags::UNASSIGNED_PER_FRAME_CONVERTED_ATTRIBUTES_SEQUENCE,
    tags::MODALITY_LUT_SEQUENCE,
    tags::VOILUT_SEQUENCE,
    tags::PIXEL_MEASURES_SEQUENCE,
    tags::FRAME_VOILUT_SEQUENCE,
    tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
    tags::REQUEST_ATTRIBUTES_SEQUENCE,
    tags::MEASUREMENT_UNITS_CODE_SEQUENCE,
    tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE,
    tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
    tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
];

/// A value's place in the bytes.
#[derive(Debug, Clone, Copy)]
pub(in crate::dicom) struct Value {
    pub(in crate::dicom) vr: Option<VR>,
    start: u32,
    length: u32,
    pub(in crate::dicom) big_endian: bool,
}

impl Value {
    /// The value's bytes within the data set's.
    pub(in crate::dicom) fn bytes(self, data: &[u8]) -> &[u8] {
        data.get(self.start as usize..self.start as usize + self.length as usize).unwrap_or_default()
    }
}

/// The standard's elements of a data set or an item, and the sequences that cspine reads.
#[derive(Debug, Default)]
pub(in crate::dicom) struct DataSet {
    values: BTreeMap<Tag, Value>,
    sequences: BTreeMap<Tag, Vec<DataSet>>,
}

impl DataSet {
    pub(in crate::dicom) fn value(&self, tag: Tag) -> Option<Value> {
        self.values.get(&tag).copied()
    }

    pub(in crate::dicom) fn items(&self, tag: Tag) -> &[DataSet] {
        self.sequences.get(&tag).map_or(&[], Vec::as_slice)
    }

    /// The sequences with their items.
    pub(in crate::dicom) fn sequences(&self) -> impl Iterator<Item = &[DataSet]> {
        self.sequences.values().map(Vec::as_slice)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

#[derive(Debug)]
pub(super) enum Stop {
    /// The bytes end before the element does.
    Cut,
    Bad(&'static str),
}

/// Walks over the bytes of a data set.
pub(super) struct Walker<'d> {
    pub(super) data: &'d [u8],
    /// Whether the file has no more bytes than these.
    pub(super) complete: bool,
    pub(super) repairs: BTreeSet<Repair>,
}

impl Walker<'_> {
    /// Walks the elements up to the pixels, whose element it returns; what was found before a stop stays in `set`.
    pub(super) fn data_set(
        &mut self,
        start: usize,
        encoding: Encoding,
        set: &mut DataSet,
    ) -> Result<Option<Element>, Stop> {
        let mut position = start;
        let mut last = Tag(0, 0);
        while position < self.data.len() {
            let element = match self.element(position, encoding)? {
                Some(element) => element,
                // Padding after the last element is common and harmless; anything else is not a data set.
                None if position > start && self.data[position..].iter().all(|&byte| byte == 0) => {
                    self.repairs.insert(Repair::TrailingBytes);
                    return Ok(None);
                }
                None => return Err(Stop::Bad("an element that is none")),
            };
            if matches!(element.tag, tags::PIXEL_DATA | tags::FLOAT_PIXEL_DATA | tags::DOUBLE_FLOAT_PIXEL_DATA) {
                return Ok(Some(element));
            }
            if matches!(element.tag, ITEM_END | SEQUENCE_END) && position > start {
                self.repairs.insert(Repair::SequenceEnd);
                position = element.value;
                continue;
            }
            if element.tag.0 == 0xFFFE {
                return Err(Stop::Bad("an item outside of a sequence"));
            }
            if element.tag < last {
                self.repairs.insert(Repair::Order);
            }
            last = last.max(element.tag);
            position = self.keep(&element, encoding, 0, Some(set))?;
        }
        Ok(None)
    }

    /// The header here; `None` where there is none.
    fn element(&mut self, at: usize, encoding: Encoding) -> Result<Option<Element>, Stop> {
        let element = Element::read(self.data, at, encoding).ok_or(Stop::Cut)?;
        if !encoding.explicit || element.vr.is_some() || element.tag.0 == 0xFFFE {
            return Ok(Some(element));
        }
        let found = Element::read_unknown(self.data, at, encoding);
        if found.is_some() {
            self.repairs.insert(Repair::UnknownVr);
        } else if !self.complete {
            return Err(Stop::Cut);
        }
        Ok(found)
    }

    /// Puts an element where it belongs and returns its end. The first of doubled elements counts.
    fn keep(
        &mut self,
        element: &Element,
        encoding: Encoding,
        depth: usize,
        set: Option<&mut DataSet>,
    ) -> Result<usize, Stop> {
        let is_sequence = SEQUENCES.binary_search(&element.tag).is_ok();
        if element.is_nested() || is_sequence {
            let Some(set) = set.filter(|_| is_sequence) else { return self.sequence(element, encoding, depth, None) };
            let mut items = Vec::new();
            let end = self.sequence(element, encoding, depth, Some(&mut items))?;
            set.sequences.entry(element.tag).or_insert(items);
            return Ok(end);
        }
        let mut end = element.end(self.data).ok_or(Stop::Cut)?;
        if let Some(set) = set.filter(|set| element.tag.0.is_multiple_of(2) && set.values.len() < ELEMENT_LIMIT) {
            let number = |n: usize| u32::try_from(n).map_err(|_| Stop::Bad("a header of more than 4 GiB"));
            let value = Value {
                vr: element.vr,
                start: number(element.value)?,
                length: element.length,
                big_endian: encoding.big_endian,
            };
            match set.values.entry(element.tag) {
                std::collections::btree_map::Entry::Vacant(vacant) => {
                    vacant.insert(value);
                }
                std::collections::btree_map::Entry::Occupied(_) => {
                    self.repairs.insert(Repair::Doubled);
                }
            }
        }
        if element.length % 2 == 1 {
            if !self.complete && self.data.len() < end + 16 {
                return Err(Stop::Cut);
            }
            self.repairs.insert(Repair::OddLength);
            // Some writers pad the value and do not count the padding.
            let follows = |at| Element::is_sensible(self.data, at, encoding, element.tag);
            if !follows(end) && follows(end + 1) {
                end += 1;
            }
        }
        Ok(end)
    }

    /// Walks a sequence and returns its end; `items` takes what is in it.
    fn sequence(
        &mut self,
        element: &Element,
        encoding: Encoding,
        depth: usize,
        mut items: Option<&mut Vec<DataSet>>,
    ) -> Result<usize, Stop> {
        if depth > DEPTH_LIMIT {
            return Err(Stop::Bad("sequences nested too deeply"));
        }
        let end = if element.length == UNDEFINED { None } else { Some(element.end(self.data).ok_or(Stop::Cut)?) };
        if let (Some(end), None) = (end, &items) {
            return Ok(end);
        }
        // A sequence inside UN is written in implicit little endian (PS3.5 section 6.2.2).
        let encoding = if element.vr == Some(VR::UN) { Encoding::IMPLICIT } else { encoding };
        // The fragments of an icon's pixels are no data sets.
        let opaque = matches!(element.vr, Some(VR::OB | VR::OW));
        let mut position = element.value;
        while end.is_none_or(|end| position < end) {
            let inner = Element::read(self.data, position, encoding).ok_or(Stop::Cut)?;
            match inner.tag {
                SEQUENCE_END => return Ok(end.unwrap_or(inner.value)),
                ITEM if opaque || (items.is_none() && inner.length != UNDEFINED) => {
                    position = inner.end(self.data).ok_or(Stop::Cut)?;
                }
                ITEM => {
                    let mut kept = DataSet::default();
                    let wanted = items.as_ref().is_some_and(|items| items.len() < ITEM_LIMIT);
                    position = self.item(&inner, element, encoding, depth, wanted.then_some(&mut kept))?;
                    if let Some(items) = items.as_mut().filter(|_| wanted) {
                        items.push(kept);
                    }
                }
                ITEM_END => {
                    self.repairs.insert(Repair::SequenceEnd);
                    position = inner.value;
                }
                // All items are whole, and an element follows that comes after the sequence: only its end is missing.
                tag if end.is_none() && tag > element.tag && position > element.value => {
                    self.repairs.insert(Repair::SequenceEnd);
                    return Ok(position);
                }
                _ => return Err(Stop::Bad("a sequence without its items")),
            }
        }
        Ok(position)
    }

    fn item(
        &mut self,
        item: &Element,
        sequence: &Element,
        encoding: Encoding,
        depth: usize,
        mut set: Option<&mut DataSet>,
    ) -> Result<usize, Stop> {
        let end = if item.length == UNDEFINED { None } else { Some(item.end(self.data).ok_or(Stop::Cut)?) };
        let mut position = item.value;
        while end.is_none_or(|end| position < end) {
            let Some(element) = self.element(position, encoding)? else {
                return Err(Stop::Bad("an element in a sequence that is none"));
            };
            match element.tag {
                ITEM_END => return Ok(end.unwrap_or(element.value)),
                ITEM | SEQUENCE_END => {
                    self.repairs.insert(Repair::SequenceEnd);
                    return Ok(end.unwrap_or(position));
                }
                // An icon has pixels of its own; elsewhere the data set's own have been reached.
                tags::PIXEL_DATA if sequence.tag != tags::ICON_IMAGE_SEQUENCE && sequence.tag.0.is_multiple_of(2) => {
                    return Err(Stop::Bad("a sequence without an end"));
                }
                _ => position = self.keep(&element, encoding, depth + 1, set.as_deref_mut())?,
            }
        }
        Ok(position)
    }
}
