//! DICOM files made element by element, right or wrong as a test wants them.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::path::Path;

/// Rows and columns of the pictures made here.
pub(crate) const SIDE: usize = 8;

/// An element of any VR.
#[derive(Clone)]
pub(crate) struct Element {
    pub(crate) tag: (u16, u16),
    pub(crate) vr: &'static str,
    pub(crate) value: Vec<u8>,
}

/// How a data set is written (PS3.5 annex A).
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Writing {
    Implicit,
    Explicit,
    BigEndian,
}

pub(crate) const IMPLICIT: &str = "1.2.840.10008.1.2";
pub(crate) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub(crate) const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
pub(crate) const RLE: &str = "1.2.840.10008.1.2.5";

/// A value of text, padded to even length.
pub(crate) fn text(tag: (u16, u16), vr: &'static str, text: &str) -> Element {
    bytes(tag, vr, text.as_bytes())
}

pub(crate) fn bytes(tag: (u16, u16), vr: &'static str, value: &[u8]) -> Element {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == "UI" { 0 } else { b' ' });
    }
    Element { tag, vr, value }
}

pub(crate) fn number(tag: (u16, u16), number: u16) -> Element {
    Element { tag, vr: "US", value: number.to_le_bytes().to_vec() }
}

impl Element {
    /// The element's bytes.
    pub(crate) fn write(&self, writing: Writing) -> Vec<u8> {
        let two = |n: u16| if writing == Writing::BigEndian { n.to_be_bytes() } else { n.to_le_bytes() };
        let four = |n: u32| if writing == Writing::BigEndian { n.to_be_bytes() } else { n.to_le_bytes() };
        let mut out = [two(self.tag.0), two(self.tag.1)].concat();
        let length = u32::try_from(self.value.len()).expect("a short value");
        if writing == Writing::Implicit {
            out.extend(four(length));
        } else if matches!(self.vr, "OB" | "OW" | "OF" | "OV" | "SQ" | "UN" | "UT") {
            out.extend(self.vr.bytes().chain([0, 0]).chain(four(length)));
        } else {
            out.extend(self.vr.bytes().chain(two(u16::try_from(length).expect("a short value"))));
        }
        let swapped = writing == Writing::BigEndian && matches!(self.vr, "US" | "SS" | "OW");
        if swapped {
            out.extend(self.value.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]));
        } else {
            out.extend(&self.value);
        }
        out
    }
}

/// A data set's bytes.
pub(crate) fn data_set(elements: &[Element], writing: Writing) -> Vec<u8> {
    elements.iter().flat_map(|element| element.write(writing)).collect()
}

/// A sequence in explicit little endian of items given as their elements' bytes.
pub(crate) fn sequence(tag: (u16, u16), items: &[Vec<u8>]) -> Element {
    let item = |item: &Vec<u8>| {
        let length = u32::try_from(item.len()).expect("a short item");
        [&[0xFE, 0xFF, 0x00, 0xE0][..], &length.to_le_bytes(), item].concat()
    };
    Element { tag, vr: "SQ", value: items.iter().flat_map(item).collect() }
}

/// A sequence's bytes in explicit little endian, its length undefined and its items' lengths known.
pub(crate) fn undefined(sequence: &Element) -> Vec<u8> {
    let mut out = sequence.write(Writing::Explicit);
    out[8..12].fill(0xFF);
    [&out[..], &ENCAPSULATED_END].concat()
}

/// A Part 10 file: preamble, meta group and a data set.
pub(crate) fn part10(syntax: &str, data_set: &[u8]) -> Vec<u8> {
    let meta = [
        Element { tag: (2, 1), vr: "OB", value: vec![0, 1] },
        text((2, 2), "UI", "1.2.840.10008.5.1.4.1.1.2"),
        text((2, 3), "UI", "2.25.3"),
        text((2, 0x10), "UI", syntax),
    ];
    let meta: Vec<u8> = meta.iter().flat_map(|element| element.write(Writing::Explicit)).collect();
    let length = Element { tag: (2, 0), vr: "UL", value: (meta.len() as u32).to_le_bytes().to_vec() };
    [&[0; 128][..], b"DICM", &length.write(Writing::Explicit), &meta, data_set].concat()
}

/// The value that a voxel of slice `number` has, in HU; no two voxels of fewer than a hundred slices share one.
pub(crate) fn voxel(number: i32, index: usize) -> i16 {
    i16::try_from(number * 64 + i32::try_from(index).expect("a small image") - 1000).expect("a small number")
}

/// The stored values of a slice, 16 bits, little endian, for the intercept −1024.
pub(crate) fn pixels(number: i32) -> Vec<u8> {
    (0..SIDE * SIDE).flat_map(|index| (voxel(number, index) + 1024).to_le_bytes()).collect()
}

/// What is the same for a picture of one frame or of many: before its plane, and after it.
fn around(number: i32) -> (Vec<Element>, Vec<Element>) {
    let before = vec![
        text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.2"),
        text((0x0008, 0x0018), "UI", &format!("2.25.3.{number}")),
        text((0x0008, 0x0020), "DA", "20000102"),
        text((0x0008, 0x0060), "CS", "CT"),
        text((0x0010, 0x0010), "PN", "MADE^One"),
        text((0x0010, 0x0020), "LO", "MADE"),
        text((0x0020, 0x000D), "UI", "2.25.1"),
        text((0x0020, 0x000E), "UI", "2.25.2"),
        text((0x0020, 0x0013), "IS", &number.to_string()),
    ];
    let side = u16::try_from(SIDE).expect("a small image");
    let after = vec![
        number_of((0x0028, 0x0002), 1),
        text((0x0028, 0x0004), "CS", "MONOCHROME2"),
        number_of((0x0028, 0x0010), side),
        number_of((0x0028, 0x0011), side),
        text((0x0028, 0x0030), "DS", "0.5\\0.5"),
        number_of((0x0028, 0x0100), 16),
        number_of((0x0028, 0x0101), 16),
        number_of((0x0028, 0x0102), 15),
        number_of((0x0028, 0x0103), 1),
        text((0x0028, 0x1052), "DS", "-1024"),
        text((0x0028, 0x1053), "DS", "1"),
        Element { tag: (0x7FE0, 0x0010), vr: "OW", value: pixels(number) },
    ];
    (before, after)
}

fn number_of(tag: (u16, u16), value: u16) -> Element {
    number(tag, value)
}

/// An axial slice at z = 2 mm · number.
pub(crate) fn slice(number: i32) -> Vec<Element> {
    let (mut elements, after) = around(number);
    elements.push(text((0x0020, 0x0032), "DS", &format!("0\\0\\{}", 2 * number)));
    elements.push(text((0x0020, 0x0037), "DS", "1\\0\\0\\0\\1\\0"));
    elements.extend(after);
    elements
}

/// Sets an element, or puts it in its place.
pub(crate) fn set(elements: &mut Vec<Element>, element: Element) {
    match elements.binary_search_by_key(&element.tag, |other| other.tag) {
        Ok(at) => elements[at] = element,
        Err(at) => elements.insert(at, element),
    }
}

/// An Enhanced CT (PS3.3 section A.38) whose frames are the slices of these numbers, in this order; positions and rescale in
/// per-frame groups, the rest in shared ones. Its pixels are not in it.
pub(crate) fn enhanced(numbers: &[i32]) -> Vec<Element> {
    let (mut elements, after) = around(1);
    elements.extend(after);
    elements.retain(|element| !matches!(element.tag, (0x0028, 0x0030 | 0x1052 | 0x1053) | (0x7FE0, _)));
    set(&mut elements, text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.2.1"));
    set(&mut elements, text((0x0028, 0x0008), "IS", &numbers.len().to_string()));
    let group = |tag, inner: &[Element]| sequence(tag, &[data_set(inner, Writing::Explicit)]).write(Writing::Explicit);
    let shared = [
        group((0x0020, 0x9116), &[text((0x0020, 0x0037), "DS", "1\\0\\0\\0\\1\\0")]),
        group((0x0028, 0x9110), &[text((0x0018, 0x0050), "DS", "2"), text((0x0028, 0x0030), "DS", "0.5\\0.5")]),
    ];
    elements.push(sequence((0x5200, 0x9229), &[shared.concat()]));
    let frames: Vec<Vec<u8>> = numbers
        .iter()
        .map(|number| {
            let position = format!("0\\0\\{}", 2 * number);
            // Each frame has its own intercept: stored values are lower by the slice's number.
            let intercept = (number - 1024).to_string();
            [
                group((0x0020, 0x9113), &[text((0x0020, 0x0032), "DS", &position)]),
                group(
                    (0x0028, 0x9145),
                    &[
                        text((0x0028, 0x1052), "DS", &intercept),
                        text((0x0028, 0x1053), "DS", "1"),
                        text((0x0028, 0x1054), "LO", "HU"),
                    ],
                ),
            ]
            .concat()
        })
        .collect();
    elements.push(sequence((0x5200, 0x9230), &frames));
    elements
}

/// The stored values of an enhanced CT's frame.
pub(crate) fn frame_pixels(number: i32) -> Vec<u8> {
    let stored = |index| i32::from(voxel(number, index)) + 1024 - number;
    (0..SIDE * SIDE).flat_map(|index| i16::try_from(stored(index)).expect("small").to_le_bytes()).collect()
}

/// RLE of 16-bit samples (PS3.5 annex G): two segments, all literal runs.
pub(crate) fn rle(pixels: &[u8]) -> Vec<u8> {
    let segment = |low: usize| -> Vec<u8> {
        let plane: Vec<u8> = pixels.iter().skip(low).step_by(2).copied().collect();
        let mut out: Vec<u8> = plane
            .chunks(128)
            .flat_map(|run| std::iter::once(u8::try_from(run.len() - 1).expect("a run")).chain(run.iter().copied()))
            .collect();
        out.resize(out.len().next_multiple_of(2), 128);
        out
    };
    let (high, low) = (segment(1), segment(0));
    let mut out = vec![0; 64];
    for (at, number) in [2, 64, 64 + high.len()].into_iter().enumerate() {
        out[4 * at..4 * at + 4].copy_from_slice(&u32::try_from(number).expect("small").to_le_bytes());
    }
    out.extend(high);
    out.extend(low);
    out
}

/// One item of encapsulated pixels.
pub(crate) fn item(value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(value.len()).expect("a short item");
    [&[0xFE, 0xFF, 0x00, 0xE0][..], &length.to_le_bytes(), value].concat()
}

/// The header of encapsulated PixelData, and its end.
pub(crate) const ENCAPSULATED: [u8; 12] = [0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF];
pub(crate) const ENCAPSULATED_END: [u8; 8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];

/// Writes good slices of the given numbers.
pub(crate) fn good_slices(folder: &Path, numbers: impl IntoIterator<Item = i32>) {
    for number in numbers {
        let file = part10(EXPLICIT, &data_set(&slice(number), Writing::Explicit));
        std::fs::write(folder.join(format!("good{number}")), file).expect("written");
    }
}
