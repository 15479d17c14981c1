//! Whether values are Hounsfield units: by the header, by the values, and what is repaired. Each stack is the smallest that can be
//! judged: air with a block of soft tissue and one dense voxel a slice.

use super::studies;
use crate::support::made::{EXPLICIT, Element, Writing, data_set, number, part10, sequence, set, slice, text};
use cspine::dicom::load_volume;
use cspine::domain::{NotAnalysed, NotHounsfield, Oddity, Repair, Series, Units, Volume, choose_series, suitable};
use cspine::task::Cancel;

const SIDE: usize = 16;
const SLICES: i32 = 24;

/// HU of a voxel; `soft` is the block's.
fn hu(number: i32, index: usize, soft: i32) -> i32 {
    let (row, column) = (index / SIDE, index % SIDE);
    let dense = usize::try_from(number).unwrap_or(0) % 8 + 4;
    match (row, column) {
        (row, 7) if row == dense => 700,
        (3..13, 3..13) => soft,
        _ => -1000,
    }
}

/// A stack to be: each voxel of each slice from its HU, and what its headers say instead of the usual.
struct Stack<'s> {
    stored: &'s dyn Fn(i32) -> u16,
    soft: i32,
    header: &'s [Element],
    /// Of single slices.
    own: &'s dyn Fn(i32) -> Vec<Element>,
    /// Elements that are left out.
    without: &'s [(u16, u16)],
    bytes: bool,
}

impl Default for Stack<'_> {
    fn default() -> Self {
        Self {
            stored: &|hu| (hu as i16).cast_unsigned(),
            soft: 40,
            header: &[],
            own: &|_| Vec::new(),
            without: &[],
            bytes: false,
        }
    }
}

impl Stack<'_> {
    fn write(&self, folder: &std::path::Path, name: &str) {
        for number_of in 1..=SLICES {
            let mut elements = slice(number_of);
            let side = u16::try_from(SIDE).expect("small");
            set(&mut elements, number((0x0028, 0x0010), side));
            set(&mut elements, number((0x0028, 0x0011), side));
            set(&mut elements, text((0x0028, 0x1052), "DS", "0"));
            let values = (0..SIDE * SIDE).map(|index| (self.stored)(hu(number_of, index, self.soft)));
            let value: Vec<u8> = if self.bytes {
                values.map(|value| value as u8).collect()
            } else {
                values.flat_map(u16::to_le_bytes).collect()
            };
            set(&mut elements, Element { tag: (0x7FE0, 0x0010), vr: if self.bytes { "OB" } else { "OW" }, value });
            for element in self.header.iter().cloned().chain((self.own)(number_of)) {
                set(&mut elements, element);
            }
            elements.retain(|element| !self.without.contains(&element.tag));
            let file = part10(EXPLICIT, &data_set(&elements, Writing::Explicit));
            std::fs::write(folder.join(format!("{name}{number_of}")), file).expect("written");
        }
    }

    /// The series as scanned, and its volume.
    fn load(&self) -> (Series, Volume) {
        let folder = tempfile::tempdir().expect("a folder");
        self.write(folder.path(), "IM");
        let series = studies(folder.path()).remove(0).series.remove(0);
        let volume = load_volume(&series, &Cancel::new(), &|_, _| {}).expect("a volume");
        (series, volume)
    }

    /// The values are right, and exactly this is told.
    fn assert_right(&self, what: &str, repairs: &[Repair]) {
        let (_, volume) = self.load();
        assert_eq!(volume.units, Units::Hounsfield, "{what}: {:?}", volume.oddities);
        let told: Vec<Oddity> = repairs.iter().copied().map(Oddity::Repaired).collect();
        assert_eq!(volume.oddities, told, "{what}");
        for index in 0..SIDE * SIDE {
            // The first slice of the volume is the highest, the last file.
            let expected = hu(SLICES, index, self.soft);
            assert_eq!(
                volume.at(0, index / SIDE, index % SIDE).map(i32::from),
                Some(expected),
                "{what}: voxel {index}"
            );
        }
    }

    /// The volume is not analyzed, and the reason is told as this text.
    fn assert_refused(&self, what: &str, reason: &str) {
        let (series, volume) = self.load();
        let by_values = volume.units.confirmed().expect_err(what);
        let refusal = match suitable(&series) {
            Err(NotAnalysed::NotHounsfield(by_header)) => {
                assert_eq!(by_header, by_values, "{what}");
                by_header
            }
            _ => by_values,
        };
        assert_eq!(
            NotAnalysed::NotHounsfield(refusal.clone()).to_string(),
            format!("not Hounsfield units: {reason}"),
            "{what}"
        );
        assert!(!volume.is_hounsfield(), "{what}: the screen must not call these Hounsfield units");
        assert!(volume.oddities.contains(&Oddity::NotHounsfield(refusal)), "{what}: {:?}", volume.oddities);
    }
}

fn unsigned(offset: i32) -> impl Fn(i32) -> u16 {
    move |hu| u16::try_from((hu + offset).clamp(0, 65_535)).expect("in range")
}

fn bits(stored: u16, high: u16, signed: u16) -> [Element; 3] {
    [number((0x0028, 0x0101), stored), number((0x0028, 0x0102), high), number((0x0028, 0x0103), signed)]
}

const RESCALE: [(u16, u16); 2] = [(0x0028, 0x1052), (0x0028, 0x1053)];

#[test]
fn right_headers_are_believed_and_nothing_is_told() {
    let offset = |intercept: &str| text((0x0028, 0x1052), "DS", intercept);
    Stack::default().assert_right("signed", &[]);
    Stack { without: &RESCALE, ..Stack::default() }.assert_right("signed without rescale", &[]);
    for (intercept, value) in [("-1024", 1024), ("-1000", 1000), ("-8192", 8192), ("-32768", 32_768)] {
        let header = [&bits(16, 15, 0)[..], &[offset(intercept)]].concat();
        Stack { stored: &unsigned(value), header: &header, ..Stack::default() }.assert_right(intercept, &[]);
    }
    let header = [&bits(12, 11, 0)[..], &[offset("-1024")]].concat();
    Stack { stored: &unsigned(1024), header: &header, ..Stack::default() }.assert_right("12 bits", &[]);
    let header = [&bits(16, 15, 0)[..], &[offset("-1024"), text((0x0028, 0x1053), "DS", "0.5")]].concat();
    Stack { stored: &|hu| unsigned(1024)(hu) * 2, header: &header, ..Stack::default() }.assert_right("slope 0.5", &[]);
    // Each slice with an intercept and a slope of its own.
    let own = |number: i32| vec![text((0x0028, 0x1052), "DS", &(-number).to_string())];
    let (_, volume) = Stack { own: &own, ..Stack::default() }.load();
    assert_eq!(volume.units, Units::Hounsfield);
}

#[test]
fn a_missing_rescale_is_repaired_where_air_and_tissue_tell_it() {
    for (what, bits) in [("12 bits", bits(12, 11, 0)), ("16 bits", bits(16, 15, 0)), ("signed", bits(16, 15, 1))] {
        Stack { stored: &unsigned(1024), header: &bits, without: &RESCALE, ..Stack::default() }
            .assert_right(what, &[Repair::RescaleMissing1024]);
    }
    // Air at zero: the offset may be 1000, or air may have been cut off.
    let header = bits(12, 11, 0);
    Stack { stored: &unsigned(1000), header: &header, without: &RESCALE, ..Stack::default() }
        .assert_refused("offset 1000", "no air near -1000 in values from 0 to 1040");
    Stack { stored: &unsigned(2048), header: &bits(16, 15, 0), without: &RESCALE, ..Stack::default() }
        .assert_refused("offset 2048", "no air near -1000 and no soft tissue near 40 in values from 1048 to 2088");
}

#[test]
fn an_intercept_that_was_applied_already_is_not_applied_again() {
    for intercept in ["-1024", "-1000"] {
        Stack { header: &[text((0x0028, 0x1052), "DS", intercept)], ..Stack::default() }
            .assert_right(intercept, &[Repair::RescaleTwice]);
    }
}

#[test]
fn exports_and_maps_are_refused_by_their_headers() {
    let window = |hu: i32| ((hu + 650) * 255 / 2000).clamp(0, 255) as u16;
    let eight = [
        number((0x0028, 0x0100), 8),
        number((0x0028, 0x0101), 8),
        number((0x0028, 0x0102), 7),
        number((0x0028, 0x0103), 0),
    ];
    Stack { stored: &window, header: &eight, bytes: true, ..Stack::default() }.assert_refused("8 bits", "8-bit export");
    let image_type = |value: &str| text((0x0008, 0x0008), "CS", value);
    for (element, reason) in [
        (text((0x0028, 0x1054), "LO", "US"), "RescaleType US"),
        (text((0x0028, 0x1054), "LO", "Z_EFF"), "RescaleType Z_EFF"),
        (text((0x0028, 0x1054), "LO", "HU_MOD"), "RescaleType HU_MOD"),
        (image_type("DERIVED\\PRIMARY\\AXIAL\\IODINE_MAP"), "ImageType IODINE_MAP"),
        (image_type("DERIVED\\SECONDARY\\AXIAL\\EFF_ATOMIC_NUM"), "ImageType EFF_ATOMIC_NUM"),
        (image_type("DERIVED\\SECONDARY\\AXIAL\\DET_VNC"), "ImageType DET_VNC"),
        (image_type("DERIVED\\SECONDARY\\AXIAL\\MONO 40 KEV"), "ImageType MONO 40 KEV"),
    ] {
        Stack { header: &[element], ..Stack::default() }.assert_refused(reason, reason);
    }
    let code = text((0x0008, 0x0100), "SH", "mg/cm3").write(Writing::Explicit);
    let mapping = sequence((0x0040, 0x08EA), &[code]).write(Writing::Explicit);
    Stack { header: &[sequence((0x0040, 0x9096), &[mapping])], ..Stack::default() }
        .assert_refused("mapping", "measurement units mg/cm3");
    for right in [
        "ORIGINAL\\PRIMARY\\AXIAL\\CT_SOM5 SPI",
        "DERIVED\\SECONDARY\\AXIAL\\MPR",
        "DERIVED\\PRIMARY\\AXIAL\\MONO 70 KEV",
        "MONO",
    ] {
        Stack { header: &[image_type(right)], ..Stack::default() }.assert_right(right, &[]);
    }
}

#[test]
fn maps_without_a_word_in_their_headers_are_refused_by_their_values() {
    let wide = |hu: i32| ((hu + 650) * 255 / 2000).clamp(0, 255) as u16;
    Stack { stored: &wide, header: &bits(16, 15, 0), ..Stack::default() }
        .assert_refused("a window in 16 bits", "no air near -1000 in values from 0 to 87");
    let z = |hu: i32| if hu < -900 { 0 } else { 74 };
    Stack { stored: &z, ..Stack::default() }.assert_refused("effective Z", "no air near -1000 in values from 0 to 74");
    let half = |hu: i32| unsigned(1024)(hu) * 2;
    let header = [&bits(16, 15, 0)[..], &[text((0x0028, 0x1052), "DS", "-1024")]].concat();
    let (_, volume) = Stack { stored: &half, header: &header, ..Stack::default() }.load();
    assert!(volume.units.confirmed().is_err(), "slope 2 instead of 1");
    let own = |number: i32| vec![text((0x0028, 0x1052), "DS", if number < 8 { "0" } else { "-1024" })];
    Stack { stored: &unsigned(1024), header: &bits(16, 15, 0), own: &own, ..Stack::default() }
        .assert_refused("some slices without rescale", "slices with different scales");
}

#[test]
fn bits_and_padding_are_read_or_told() {
    let offset = text((0x0028, 0x1052), "DS", "-1024");
    let with = |bits: [Element; 3]| [&bits[..], std::slice::from_ref(&offset)].concat();
    Stack { stored: &unsigned(1024), header: &with(bits(12, 15, 0)), ..Stack::default() }
        .assert_right("HighBit 15, low", &[Repair::HighBit]);
    Stack { stored: &|hu| unsigned(1024)(hu) << 4, header: &with(bits(12, 15, 0)), ..Stack::default() }
        .assert_right("HighBit 15, high", &[]);
    let metal = |hu: i32| if hu == 700 { 8000 } else { (hu as i16).cast_unsigned() };
    Stack { stored: &metal, header: &bits(12, 11, 1), ..Stack::default() }
        .assert_refused("beyond 12 bits", "pixel values exceed BitsStored");
    let overlay = [number((0x6000, 0x0100), 16), number((0x6000, 0x0102), 12)];
    let header = [with(bits(12, 11, 0)), overlay.to_vec()].concat();
    let marked = |hu: i32| unsigned(1024)(hu) | if hu == 700 { 1 << 12 } else { 0 };
    Stack { stored: &marked, header: &header, ..Stack::default() }.assert_right("an overlay", &[]);
    let padding = Element { tag: (0x0028, 0x0120), vr: "SS", value: vec![0, 0] };
    Stack { soft: 0, header: &[padding], ..Stack::default() }.assert_right("padding 0", &[Repair::PaddingInTissue]);
}

#[test]
fn the_ct_beside_a_map_is_chosen() {
    let folder = tempfile::tempdir().expect("a folder");
    Stack::default().write(folder.path(), "ct");
    let other = |number: i32| vec![text((0x0008, 0x0018), "UI", &format!("2.25.9.{number}"))];
    let header = [
        text((0x0020, 0x000E), "UI", "2.25.9"),
        text((0x0028, 0x1054), "LO", "Z_EFF"),
        text((0x0018, 0x1210), "SH", "BONE"),
    ];
    Stack { header: &header, own: &other, ..Stack::default() }.write(folder.path(), "map");
    let study = studies(folder.path()).remove(0);
    let chosen = choose_series(&study).expect("a series");
    assert_eq!(study.series[chosen.series].hints.units, Units::Hounsfield);
    let map = &study.series[1 - chosen.series];
    assert!(matches!(suitable(map), Err(NotAnalysed::NotHounsfield(NotHounsfield::RescaleType(_)))));
}
