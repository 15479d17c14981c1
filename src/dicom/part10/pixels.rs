//! Where the pixels lie in a data set's bytes, and which of them are a frame's (PS3.5 section A.4).

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
    table: Range<usize>,
    /// The fragments' values.
    items: Vec<Range<usize>>,
    /// Whether the bytes end within a fragment.
    cut: bool,
}

/// Finds the pixels, with all lengths checked against the bytes that are there.
pub(super) fn pixel_bytes(
    data: &[u8],
    element: &Element,
    encoding: Encoding,
    repairs: &mut BTreeSet<Repair>,
) -> PixelBytes {
    if element.length != UNDEFINED {
        let rest = element.value.min(data.len())..data.len();
        let end = element.value.saturating_add(element.length as usize);
        let last = element.tag;
        if end > data.len() {
            repairs.insert(Repair::PixelLength);
        } else if !Element::is_sensible(data, end, encoding, last) {
            let padded = element.length % 2 == 1 && Element::is_sensible(data, end + 1, encoding, last);
            repairs.insert(if padded { Repair::OddLength } else { Repair::TrailingBytes });
        }
        return PixelBytes::Native(rest.start..end.min(data.len()), rest);
    }
    let mut items: Vec<Range<usize>> = Vec::new();
    let mut position = element.value;
    let mut cut = false;
    let ended = loop {
        let Some(item) = Element::read(data, position, Encoding::EXPLICIT) else { break false };
        match (item.tag, item.end(data)) {
            (ITEM, Some(end)) => {
                items.push(item.value..end);
                position = end;
            }
            (ITEM, None) => {
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
    match items.as_slice() {
        [] => return PixelBytes::Broken("no compressed data"),
        // Without the item of the offset table the first one is a picture.
        [first, ..] if begins_stream(&data[first.clone()]) => {
            repairs.insert(Repair::OffsetTable);
            items.insert(0, first.start..first.start);
        }
        [_] if cut => return PixelBytes::Broken("a fragment is cut off"),
        [_] => return PixelBytes::Broken("no compressed data"),
        _ => {}
    }
    let table = items.remove(0);
    PixelBytes::Fragments(Fragments { table, items, cut })
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
        data: &[u8],
        frames: usize,
        extended: Option<&[u8]>,
        repairs: &mut BTreeSet<Repair>,
    ) -> Result<Vec<Range<usize>>, &'static str> {
        let basic = &data[self.table.clone()];
        let offsets: Vec<u64> = match extended {
            Some(extended) => {
                extended.chunks_exact(8).filter_map(|eight| eight.try_into().ok()).map(u64::from_le_bytes).collect()
            }
            None => basic
                .chunks_exact(4)
                .filter_map(|four| four.try_into().ok())
                .map(|four| u64::from(u32::from_le_bytes(four)))
                .collect(),
        };
        let has_table = !basic.is_empty() || extended.is_some();
        let by_table = self.by_offsets(&offsets).filter(|starts| starts.len() == frames);
        if has_table && by_table.is_none() {
            repairs.insert(Repair::OffsetTable);
        }
        let ranges = |starts: &[usize]| {
            let ends = starts.iter().skip(1).copied().chain([self.items.len()]);
            starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect::<Vec<_>>()
        };
        if frames == 1 {
            return if self.cut { Err("a fragment is cut off") } else { Ok(vec![0..self.items.len()]) };
        }
        if self.items.len() == frames {
            return Ok((0..frames).map(|index| index..index + 1).collect());
        }
        if let Some(starts) = by_table {
            return Ok(ranges(&starts));
        }
        let starts: Vec<usize> =
            (0..self.items.len()).filter(|&index| begins_stream(&data[self.items[index].clone()])).collect();
        if starts.first() == Some(&0) && (starts.len() == frames || (self.cut && starts.len() < frames)) {
            return Ok(ranges(&starts));
        }
        Err("the fragments of its frames cannot be told apart")
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
