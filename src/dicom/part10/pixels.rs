//! Where the pixels lie in a data set's bytes (PS3.5 section A.4).

use super::element::{Element, Encoding};
use dicom_core::Tag;
use std::ops::Range;

/// Where the pixels are in the data set's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dicom) enum PixelBytes {
    /// Native pixels.
    Native(Range<usize>),
    /// The fragments of an encapsulated value, and whether its first item, the offset table, was empty.
    Fragments(Vec<Range<usize>>),
    /// There is a PixelData element but what it holds is unusable; why.
    Broken(&'static str),
}

/// Finds the pixels, with all lengths checked against the bytes that are there.
pub(super) fn pixel_bytes(data: &[u8], element: &Element) -> PixelBytes {
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
