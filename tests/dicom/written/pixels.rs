//! Stored values: bits, signs, padding, rescale, and the forms that are refused by name.

use super::{studies, volume};
use crate::support::made::{EXPLICIT, Element, Writing, bytes, data_set, number, part10, sequence, set, slice, text};
use cspine::domain::{Oddity, PixelForm, VoiFunction, Volume, WindowPreset};
use cspine::raster::{PictureSize, Pixels, Plane, View, render};

/// A slice of one value everywhere.
fn one(allocated: u16, stored: u16, high: u16, signed: bool, value: &[u8], more: &[Element]) -> Vec<u8> {
    let mut elements = slice(1);
    set(&mut elements, number((0x0028, 0x0100), allocated));
    set(&mut elements, number((0x0028, 0x0101), stored));
    set(&mut elements, number((0x0028, 0x0102), high));
    set(&mut elements, number((0x0028, 0x0103), u16::from(signed)));
    set(&mut elements, Element { tag: (0x7FE0, 0x0010), vr: "OW", value: value.repeat(64) });
    for element in more {
        set(&mut elements, element.clone());
    }
    part10(EXPLICIT, &data_set(&elements, Writing::Explicit))
}

fn folder_of(file: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("one"), file).expect("written");
    folder
}

#[test]
fn bits_signs_and_rescale() {
    let slope =
        |slope: &str, intercept: &str| [text((0x0028, 0x1052), "DS", intercept), text((0x0028, 0x1053), "DS", slope)];
    for (what, file, hu) in [
        ("12 of 16 bits, rubbish above", one(16, 12, 11, false, &0xF400_u16.to_le_bytes(), &[]), 0),
        ("12 of 16 bits, signed", one(16, 12, 11, true, &0x0FFF_u16.to_le_bytes(), &slope("1", "0")), -1),
        ("12 bits from the top", one(16, 12, 15, false, &0x400F_u16.to_le_bytes(), &[]), 0),
        ("8 bits", one(8, 8, 7, false, &[200], &slope("10", "-1000")), 1000),
        ("8 bits, signed", one(8, 8, 7, true, &[0xFE], &slope("10", "0")), -20),
        ("16 bits, unsigned", one(16, 16, 15, false, &40_000_u16.to_le_bytes(), &slope("0.05", "-1000")), 1000),
        ("half a unit", one(16, 16, 15, true, &3_i16.to_le_bytes(), &slope("0.5", "-1.0")), 1),
        ("less than air", one(16, 16, 15, true, &(-2000_i16).to_le_bytes(), &[]), Volume::AIR),
        ("beyond 16 bits", one(16, 16, 15, false, &60_000_u16.to_le_bytes(), &slope("2", "0")), i16::MAX),
    ] {
        let folder = folder_of(&file);
        assert_eq!(volume(folder.path()).at(0, 3, 4), Some(hu), "{what}");
    }
}

#[test]
fn padding_is_air() {
    let padding = |vr, value: u16| Element { tag: (0x0028, 0x0120), vr, value: value.to_le_bytes().to_vec() };
    let limit = |vr, value: u16| Element { tag: (0x0028, 0x0121), vr, value: value.to_le_bytes().to_vec() };
    let bone = 2024_u16.to_le_bytes();
    for (what, file, hu) in [
        ("unsigned", one(16, 16, 15, false, &bone, &[padding("US", 2024)]), Volume::AIR),
        ("not the value", one(16, 16, 15, false, &bone, &[padding("US", 2023)]), 1000),
        ("signed as unsigned", one(16, 16, 15, true, &(-5_i16).to_le_bytes(), &[padding("US", 65531)]), Volume::AIR),
        ("signed", one(16, 16, 15, true, &(-5_i16).to_le_bytes(), &[padding("SS", 65531)]), Volume::AIR),
        ("a range", one(16, 16, 15, false, &bone, &[padding("US", 2000), limit("US", 2100)]), Volume::AIR),
        ("a range downwards", one(16, 16, 15, false, &bone, &[padding("US", 2100), limit("US", 2000)]), Volume::AIR),
        ("beside the range", one(16, 16, 15, false, &bone, &[padding("US", 2025), limit("US", 2100)]), 1000),
        (
            "a signed range over zero",
            one(16, 16, 15, true, &[0, 0], &[padding("SS", 65000), limit("SS", 5)]),
            Volume::AIR,
        ),
    ] {
        let folder = folder_of(&file);
        assert_eq!(volume(folder.path()).at(0, 3, 4), Some(hu), "{what}");
    }
}

#[test]
fn what_is_not_read_is_named() {
    let float = Element { tag: (0x7FE0, 0x0008), vr: "OF", value: vec![0; 256] };
    let without_pixels = |file: Vec<u8>| file[..file.len() - 12 - 128].to_vec();
    let floats = [without_pixels(one(16, 16, 15, false, &[0, 0], &[])), float.write(Writing::Explicit)].concat();
    let mut lut = slice(1);
    lut.retain(|element| !matches!(element.tag, (0x0028, 0x1052 | 0x1053)));
    set(&mut lut, sequence((0x0028, 0x3000), &[text((0x0028, 0x3004), "LO", "HU").write(Writing::Explicit)]));
    let lut = part10(EXPLICIT, &data_set(&lut, Writing::Explicit));
    for (file, oddity) in [
        (one(32, 32, 31, false, &[0; 4], &[]), Oddity::PixelForm(PixelForm::Wide, 1)),
        (one(12, 12, 11, false, &[0; 2], &[]), Oddity::PixelForm(PixelForm::Packed, 1)),
        (one(1, 1, 0, false, &[0; 2], &[]), Oddity::PixelForm(PixelForm::Packed, 1)),
        (floats, Oddity::PixelForm(PixelForm::Float, 1)),
        (lut, Oddity::PixelForm(PixelForm::ModalityLut, 1)),
        (one(16, 16, 15, false, &[0; 2], &[text((0x0028, 0x0004), "CS", "PALETTE COLOR")]), Oddity::NotGrey(1)),
        (
            one(8, 8, 7, false, &[0; 3], &[number((0x0028, 0x0002), 3), text((0x0028, 0x0004), "CS", "RGB")]),
            Oddity::NotGrey(1),
        ),
    ] {
        let folder = folder_of(&file);
        let study = &studies(folder.path())[0];
        assert_eq!(study.picture_count(), 0, "{oddity}");
        assert!(study.series[0].oddities.contains(&oddity), "{oddity}: {:?}", study.series[0].oddities);
    }
}

#[test]
fn maps_of_other_units_are_no_hounsfield_units() {
    let map = one(16, 16, 15, false, &50_u16.to_le_bytes(), &[bytes((0x0028, 0x1054), "LO", b"Z_EFF")]);
    assert!(!volume(folder_of(&map).path()).is_hounsfield());
}

/// A volume's first pixel in one of its own windows.
fn grey(volume: &Volume, preset: &WindowPreset) -> u8 {
    let view = View { table: preset.table.clone(), ..View::new(Plane::Axial, 0, preset.window) };
    let size = PictureSize { width: 8, height: 8, pixel_aspect: 1.0 };
    match render(volume, &view, size).expect("drawn").pixels {
        Pixels::Grey(grey) => grey[0],
        Pixels::Rgb(_) => panic!("no marks, no color"),
    }
}

/// PS3.3 section C.11.2: several windows, the SIGMOID function, and a VOI LUT sequence; MONOCHROME1 shows all of them in reverse.
#[test]
fn the_files_own_windows_and_tables_are_all_there() {
    let words = |values: &[u16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let element = |tag, vr, value| Element { tag, vr, value };
    let lut = [
        // Four entries of 8 bits, the first for −2.
        element((0x0028, 0x3002), "US", words(&[4, 65_534, 8])),
        text((0x0028, 0x3003), "LO", "TISSUE"),
        element((0x0028, 0x3006), "OW", words(&[0, 64, 128, 255])),
    ];
    let lut = lut.map(|element| element.write(Writing::Explicit)).concat();
    let more = |photometric| {
        vec![
            text((0x0028, 0x0004), "CS", photometric),
            text((0x0028, 0x1050), "DS", "-1\\99"),
            text((0x0028, 0x1051), "DS", "400\\4"),
            text((0x0028, 0x1052), "DS", "0"),
            text((0x0028, 0x1053), "DS", "1"),
            text((0x0028, 0x1055), "LO", "SOFT\\BONE"),
            text((0x0028, 0x1056), "CS", "SIGMOID"),
            sequence((0x0028, 0x3010), std::slice::from_ref(&lut)),
        ]
    };
    for (photometric, expected) in [("MONOCHROME2", [128, 0, 64]), ("MONOCHROME1", [127, 255, 191])] {
        let folder = folder_of(&one(16, 16, 15, true, &(-1_i16).to_le_bytes(), &more(photometric)));
        let volume = volume(folder.path());
        let names: Vec<&str> = volume.windows.iter().map(|preset| preset.name.as_str()).collect();
        assert_eq!(names, ["SOFT", "BONE", "TISSUE"]);
        assert!(volume.windows[..2].iter().all(|preset| preset.window.function() == VoiFunction::Sigmoid));
        let greys: Vec<u8> = volume.windows.iter().map(|preset| grey(&volume, preset)).collect();
        assert_eq!(greys, expected, "{photometric}");
    }
}
