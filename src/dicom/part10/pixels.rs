//! Where the pixels lie in a data set's bytes, and which of them are a frame's (PS3.5 section A.4).

use super::data_set::ITEM_LIMIT;
use super::element::{Element, Encoding, ITEM, SEQUENCE_END, UNDEFINED};
use crate::domain::Repair;
use std::collections::BTreeSet;
use std::ops::Range;

/// Where the pixels are in the data set's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dicom) enum PixelBytes {
    /// Native pixels: the value as long as it says, and all that follows it.
    Native(Range<usize>, Range<usize>),
    /// An encapsulated value.
    Fragments(Fragments),
    /// There is a PixelData element but what it holds is unusable; why.
    Broken(&'static str),
}

/// The items of an encapsulated value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dicom) struct Fragments {
    /// The basic offset table's value.
    table: Vec<u8>,
    /// The fragments' values.
    items: Vec<Range<usize>>,
    /// Which fragments begin as a code stream does.
    begins: Vec<bool>,
    /// Whether the bytes end within a fragment.
    cut: bool,
}

/// Bytes that are in memory, or on disk and read where they are asked for.
pub(super) trait Bytes {
    /// How many there are.
    fn total(&self) -> usize;
    /// At most so many from there on; fewer at the end.
    fn at(&self, position: usize, length: usize) -> Vec<u8>;
}

impl Bytes for [u8] {
    fn total(&self) -> usize {
        self.len()
    }

    fn at(&self, position: usize, length: usize) -> Vec<u8> {
        let rest = self.get(position..).unwrap_or_default();
        rest[..length.min(rest.len())].to_vec()
    }
}

/// An element's header and, where it is an item, the first eight bytes of its value.
fn element_at(bytes: &(impl Bytes + ?Sized), at: usize, encoding: Encoding) -> Option<(Element, Vec<u8>)> {
    let mut begin = bytes.at(at, 16);
    let element = Element::read(&begin, 0, encoding)?;
    let value = begin.split_off(element.value.min(begin.len()));
    Some((Element { value: at + element.value, ..element }, value))
}

/// Finds the pixels, with all lengths checked against the bytes that are there.
pub(super) fn pixel_bytes(
    bytes: &(impl Bytes + ?Sized),
    element: &Element,
    encoding: Encoding,
    repairs: &mut BTreeSet<Repair>,
) -> PixelBytes {
    let total = bytes.total();
    if element.length != UNDEFINED {
        let rest = element.value.min(total)..total;
        let end = element.value.saturating_add(element.length as usize);
        let follows = |at: usize| {
            at == total
                || element_at(bytes, at, encoding)
                    .is_some_and(|(next, _)| next.may_follow(element.tag, encoding, total))
        };
        if end > total {
            repairs.insert(Repair::PixelLength);
        } else if !follows(end) {
            let padded = element.length % 2 == 1 && follows(end + 1);
            repairs.insert(if padded { Repair::OddLength } else { Repair::TrailingBytes });
        }
        return PixelBytes::Native(rest.start..end.min(total), rest);
    }
    let mut items: Vec<Range<usize>> = Vec::new();
    let mut begins = Vec::new();
    let mut position = element.value;
    let mut cut = false;
    let ended = loop {
        let Some((item, value)) = element_at(bytes, position, Encoding::EXPLICIT) else { break false };
        let end = item.value.checked_add(item.length as usize).filter(|&end| end <= total);
        match (item.tag, end) {
            (ITEM, Some(end)) if items.len() <= ITEM_LIMIT * 4 => {
                begins.push(begins_stream(&value));
                items.push(item.value..end);
                position = end;
            }
            (ITEM, _) => {
                cut = true;
                break true;
            }
            (SEQUENCE_END, _) => break true,
            _ => break false,
        }
    };
    if !ended {
        repairs.insert(Repair::PixelSequenceEnd);
    }
    match items.len() {
        0 => return PixelBytes::Broken("no compressed data"),
        // Without the item of the offset table the first one is a picture.
        _ if begins[0] => {
            repairs.insert(Repair::OffsetTable);
            let start = items[0].start;
            items.insert(0, start..start);
            begins.insert(0, false);
        }
        1 if cut => return PixelBytes::Broken("a fragment is cut off"),
        1 => return PixelBytes::Broken("no compressed data"),
        _ => {}
    }
    begins.remove(0);
    let table = items.remove(0);
    let table = bytes.at(table.start, table.len().min(4 * ITEM_LIMIT));
    PixelBytes::Fragments(Fragments { table, items, begins, cut })
}

/// Whether the bytes begin as a JPEG, JPEG-LS or JPEG 2000 code stream does (ISO 10918-1 table B.1, ISO 15444-1 table A.1).
fn begins_stream(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, 0xD8, 0xFF]) || bytes.starts_with(&[0xFF, 0x4F, 0xFF, 0x51])
}

impl Fragments {
    /// The fragments of each frame, as ranges of `items`. The offset tables (the extended one is (7FE0,0001), PS3.3 section
    /// C.7.6.3.1.8) are believed where they point at fragments; one picture needs none.
    ///
    /// # Errors
    /// Frames that cannot be told apart.
    pub(in crate::dicom) fn frames(
        &self,
        frames: usize,
        extended: Option<&[u8]>,
        repairs: &mut BTreeSet<Repair>,
    ) -> Result<Vec<Range<usize>>, &'static str> {
        let offsets: Vec<u64> = match extended {
            Some(extended) => {
                extended.chunks_exact(8).filter_map(|eight| eight.try_into().ok()).map(u64::from_le_bytes).collect()
            }
            None => self
                .table
                .chunks_exact(4)
                .filter_map(|four| four.try_into().ok())
                .map(|four| u64::from(u32::from_le_bytes(four)))
                .collect(),
        };
        let has_table = !self.table.is_empty() || extended.is_some();
        let by_table = self.by_offsets(&offsets).filter(|starts| starts.len() == frames);
        if has_table && by_table.is_none() {
            repairs.insert(Repair::OffsetTable);
        }
        let ranges = |starts: &[usize]| {
            let ends = starts.iter().skip(1).copied().chain([self.items.len()]);
            starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect::<Vec<_>>()
        };
        if frames == 1 {
            return if self.cut { Err("a fragment is cut off") } else { Ok(ranges(&[0])) };
        }
        if self.items.len() == frames {
            return Ok((0..frames).map(|index| index..index + 1).collect());
        }
        if let Some(starts) = by_table {
            return Ok(ranges(&starts));
        }
        let starts: Vec<usize> = (0..self.items.len()).filter(|&index| self.begins[index]).collect();
        if starts.first() == Some(&0) && (starts.len() == frames || (self.cut && starts.len() < frames)) {
            return Ok(ranges(&starts));
        }
        Err("the fragments cannot be assigned to frames")
    }

    /// The fragments at which the offsets point, from the first byte after the table (PS3.5 section A.4), if they all do.
    fn by_offsets(&self, offsets: &[u64]) -> Option<Vec<usize>> {
        let first = self.items.first()?.start as u64;
        let at = |offset: &u64| {
            let start = first.checked_add(*offset)?;
            self.items.binary_search_by_key(&start, |item| item.start as u64).ok()
        };
        let starts: Option<Vec<usize>> = offsets.iter().map(at).collect();
        starts.filter(|starts| starts.first() == Some(&0) && starts.is_sorted_by(|a, b| a < b))
    }

    /// The code stream of a frame.
    pub(in crate::dicom) fn stream(&self, data: &[u8], frame: &Range<usize>) -> Vec<u8> {
        self.items[frame.clone()].iter().flat_map(|item| &data[item.clone()]).copied().collect()
    }
}
