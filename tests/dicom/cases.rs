//! Inputs that other programs are silently wrong on, each written here as small as it can be, with the right result.

use crate::support::made;
mod identity;
mod stacks;

use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{NotAnalysed, Oddity, Series, Study, Volume, choose_series};
use cspine::task::Cancel;
use made::{EXPLICIT, Element, Writing, bytes, data_set, number, part10, text};
use std::collections::BTreeMap;
use std::path::Path;

/// Slices of a case; rows and columns of each.
const COUNT: i32 = 24;
const SIDE: i32 = 16;

/// A CT slice on its way to a file.
#[derive(Clone)]
struct Slice {
    elements: BTreeMap<(u16, u16), Element>,
    hu: Vec<i16>,
}

/// Air with a square of tissue, and one dense pixel that moves from slice to slice.
fn body(index: i32, tissue: i16) -> Vec<i16> {
    (0..SIDE * SIDE)
        .map(|pixel| match (pixel / SIDE, pixel % SIDE) {
            (row, 7) if row == 4 + index.rem_euclid(8) => 700,
            (3..13, 3..13) => tissue,
            _ => -1000,
        })
        .collect()
}

impl Slice {
    /// The slice of a number at a height, mm; identifiers differ by `name`.
    fn new(name: u32, number_: i32, z: f64, tissue: i16) -> Self {
        let mut slice = Self { elements: BTreeMap::new(), hu: body(number_, tissue) };
        for (tag, vr, value) in [
            ((0x0008, 0x0005), "CS", "ISO_IR 192".to_owned()),
            ((0x0008, 0x0008), "CS", "ORIGINAL\\PRIMARY\\AXIAL".into()),
            ((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.2".into()),
            ((0x0008, 0x0018), "UI", format!("2.25.8.{name}.{number_}")),
            ((0x0008, 0x0020), "DA", "20200102".into()),
            ((0x0008, 0x0060), "CS", "CT".into()),
            ((0x0010, 0x0010), "PN", "MADE^One".into()),
            ((0x0010, 0x0020), "LO", "MADE".into()),
            ((0x0010, 0x0030), "DA", "19700101".into()),
            ((0x0018, 0x0050), "DS", "1.0".into()),
            ((0x0018, 0x0060), "DS", "120".into()),
            ((0x0018, 0x1210), "SH", "BONE".into()),
            ((0x0020, 0x000D), "UI", "2.25.8".into()),
            ((0x0020, 0x000E), "UI", "2.25.8.1".into()),
            ((0x0020, 0x0011), "IS", "2".into()),
            ((0x0020, 0x0012), "IS", "1".into()),
            ((0x0020, 0x0013), "IS", number_.to_string()),
            ((0x0020, 0x0032), "DS", format!("-8\\-8\\{z:.3}")),
            ((0x0020, 0x0037), "DS", "1\\0\\0\\0\\1\\0".into()),
            ((0x0020, 0x0052), "UI", "2.25.8.2".into()),
            ((0x0028, 0x0004), "CS", "MONOCHROME2".into()),
            ((0x0028, 0x0030), "DS", "1\\1".into()),
            ((0x0028, 0x1052), "DS", "0".into()),
            ((0x0028, 0x1053), "DS", "1".into()),
            ((0x0028, 0x1054), "LO", "HU".into()),
        ] {
            slice = slice.with(tag, vr, &value);
        }
        for (element, value) in [
            (0x0002, 1),
            (0x0010, SIDE as u16),
            (0x0011, SIDE as u16),
            (0x0100, 16),
            (0x0101, 16),
            (0x0102, 15),
            (0x0103, 1),
        ] {
            slice = slice.count((0x0028, element), value);
        }
        slice.stored(|hu| hu as u16)
    }

    fn with(mut self, tag: (u16, u16), vr: &'static str, value: &str) -> Self {
        self.elements.insert(tag, text(tag, vr, value));
        self
    }

    fn count(mut self, tag: (u16, u16), value: u16) -> Self {
        self.elements.insert(tag, number(tag, value));
        self
    }

    fn without(mut self, tags: &[(u16, u16)]) -> Self {
        tags.iter().for_each(|tag| {
            self.elements.remove(tag);
        });
        self
    }

    /// Stores the pixels' Hounsfield units as 16-bit words.
    fn stored(mut self, word: impl Fn(i16) -> u16) -> Self {
        let value: Vec<u8> = self.hu.iter().flat_map(|hu| word(*hu).to_le_bytes()).collect();
        self.elements.insert((0x7FE0, 0x0010), bytes((0x7FE0, 0x0010), "OW", &value));
        self
    }

    fn write(&self, path: &Path) {
        let elements: Vec<Element> = self.elements.values().cloned().collect();
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, part10(EXPLICIT, &data_set(&elements, Writing::Explicit))).expect("a file");
    }
}

/// Writes a stack from the head down; `change` may alter each slice.
fn stack(
    folder: &Path,
    name: u32,
    (count, first, step): (i32, f64, f64),
    tissue: i16,
    change: impl Fn(i32, Slice) -> Slice,
) {
    for index in 0..count {
        let slice = change(index, Slice::new(name, index + 1, first - f64::from(index) * step, tissue));
        slice.write(&folder.join(format!("{name}-{index:03}.dcm")));
    }
}

fn scan(folder: &Path) -> Vec<Study> {
    scan_all(&[folder.to_owned()], &Cancel::new()).0
}

/// The only study of a folder.
fn only(folder: &Path) -> Study {
    let mut studies = scan(folder);
    assert_eq!(studies.len(), 1, "one study");
    studies.remove(0)
}

fn load(series: &Series) -> Volume {
    load_volume(series, &Cancel::new(), &|_, _| {}).expect("a volume")
}

/// Tissue values at the center of each slice of a series.
fn tissue(series: &Series) -> Vec<i16> {
    let volume = load(series);
    (0..volume.shape.slices).filter_map(|slice| volume.at(slice, 11, 11)).collect()
}

/// Why a study is not analyzed.
fn refusal(study: &Study) -> Option<NotAnalysed> {
    choose_series(study).err()
}

fn has(oddities: &[Oddity], name: &str) -> bool {
    oddities.iter().any(|oddity| oddity.name() == name)
}
