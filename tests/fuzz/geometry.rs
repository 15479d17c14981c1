//! Headers with impossible geometry: every slice's elements are chosen by the input's bytes from values that real, damaged
//! and hostile files hold.

use super::part10::{DataSet, EXPLICIT_LE};

/// Bytes that choose one slice.
pub(crate) const SLICE: usize = 20;
/// No more slices than this are made.
const MOST: usize = 48;

const ORIENTATIONS: [&str; 16] = [
    "1\\0\\0\\0\\1\\0",
    "1\\0\\0\\0\\1\\0",
    "-1\\0\\0\\0\\1\\0",
    "1\\0\\0\\0\\-1\\0",
    "0\\1\\0\\0\\0\\-1",
    "1\\0\\0\\0\\0\\-1",
    "1\\0\\0\\0\\0.966\\-0.259",
    "0.94\\0\\0.342\\0\\1\\0",
    "0.7\\0.7\\0\\-0.7\\0.7\\0",
    "0\\0\\0\\0\\0\\0",
    "1\\0\\0\\1\\0\\0",
    "1\\0\\0",
    "nan\\0\\0\\0\\1\\0",
    "1e300\\0\\0\\0\\1\\0",
    "1.0001\\0\\0\\0\\0.9999\\0",
    "0\\1\\0\\1\\0\\0",
];
const SPACINGS: [&str; 12] = [
    "0.5\\0.5",
    "0.5\\0.5",
    "1\\1",
    "0.5\\0.25",
    "0\\0",
    "-1\\1",
    "1e-9\\1e-9",
    "1e9\\1e9",
    "nan\\1",
    "1",
    "",
    "0.5\\0.5\\0.5",
];
const SIZES: [u16; 8] = [4, 4, 4, 5, 1, 0, 8, 3];
const NUMBERS: [&str; 8] = ["", "1", "2", "12.5", "-2147483648", "2147483647", "99999999999999999999", "x"];
const SLOPES: [&str; 8] = ["1", "1", "0", "-1", "1e5", "1e-11", "abc", "1\\2"];
const INTERCEPTS: [&str; 8] = ["-1024", "-1024", "0", "1e8", "-1e300", "nan", "", "-1024,5"];
const FARS: [f64; 8] = [1e308, -1e308, 1e16, 1e-308, -0.0, 1e5, 4e6, f64::INFINITY];
const PHOTOMETRICS: [&str; 6] = ["MONOCHROME2", "MONOCHROME2", "MONOCHROME1", "RGB", "PALETTE COLOR", ""];
const TYPES: [&str; 6] = [
    "ORIGINAL\\PRIMARY\\AXIAL",
    "DERIVED",
    "ORIGINAL\\PRIMARY\\LOCALIZER",
    "",
    "\\\\\\",
    "ORIGINAL\\PRIMARY\\OTHER\\CSA RESAMPLED",
];
const POSITIONS: [&str; 8] = ["HFS", "HFS", "FFS", "HFP", "FFP", "HFDR", "", "nonsense"];
const MODALITIES: [&str; 4] = ["CT", "CT", "", "MR"];

/// The files that an input stands for.
pub(crate) fn files(input: &[u8]) -> Vec<Vec<u8>> {
    input.chunks_exact(SLICE).take(MOST).enumerate().map(|(index, chosen)| file(index, chosen)).collect()
}

fn of<T: Copy>(table: &[T], byte: u8) -> T {
    table[usize::from(byte) % table.len()]
}

fn file(index: usize, chosen: &[u8]) -> Vec<u8> {
    let millimetres = |low: u8, high: u8| f64::from(i16::from_le_bytes([low, high])) / 8.0;
    // The first byte's bits say which of the rarer faults this slice has at all, so that most slices still fit together.
    let odd = |bit: u8| chosen[0] & (1 << bit) != 0;
    let z = if odd(7) { of(&FARS, chosen[1]) } else { millimetres(chosen[1], chosen[2]) };
    let (x, y) =
        if odd(6) { (millimetres(chosen[3], chosen[4]), millimetres(chosen[4], chosen[3])) } else { (-1.0, -2.0) };
    let sized = |byte: u8| if odd(5) { of(&SIZES, byte) } else { 4 };
    let (rows, columns) = (sized(chosen[5]), sized(chosen[6]));
    let mut set = DataSet::new(EXPLICIT_LE);
    set.text(0x0008_0008, b"CS", of(&TYPES, if odd(4) { chosen[7] } else { 0 }));
    set.text(0x0008_0018, b"UI", &format!("2.25.{}", if odd(3) { usize::from(chosen[8] % 4) } else { 100 + index }));
    set.text(0x0008_0060, b"CS", of(&MODALITIES, if odd(4) { chosen[9] } else { 0 }));
    set.text(0x0018_0050, b"DS", of(&["1", "2", "", "-1", "nan", "1e9"], chosen[10]));
    set.text(0x0018_5100, b"CS", of(&POSITIONS, chosen[11]));
    set.text(0x0020_000D, b"UI", if odd(3) { of(&["2.25.1", "2.25.1", ""], chosen[12]) } else { "2.25.1" });
    set.text(0x0020_000E, b"UI", of(&["2.25.2", "2.25.2", "2.25.2", "2.25.3", ""], chosen[12]));
    set.text(0x0020_0013, b"IS", &if odd(2) { of(&NUMBERS, chosen[13]).to_owned() } else { index.to_string() });
    if chosen[14] != 0xFF {
        set.text(0x0020_0032, b"DS", &format!("{x}\\{y}\\{z}"));
    }
    set.text(0x0020_0037, b"DS", of(&ORIENTATIONS, if odd(1) { chosen[15] } else { chosen[15] % 2 }));
    set.number(0x0028_0002, 1).text(0x0028_0004, b"CS", of(&PHOTOMETRICS, if odd(0) { chosen[16] } else { 0 }));
    if chosen[16] == 0xFF {
        set.text(0x0028_0008, b"IS", of(&["2", "0", "-1", "2147483647"], chosen[17]));
    }
    set.number(0x0028_0010, rows).number(0x0028_0011, columns);
    set.text(0x0028_0030, b"DS", of(&SPACINGS, if odd(1) { chosen[17] } else { 0 }));
    set.number(0x0028_0100, 16).number(0x0028_0101, 16).number(0x0028_0102, 15);
    set.number(0x0028_0103, u16::from(chosen[18] % 2));
    if chosen[18] > 0xF0 {
        set.number(0x0028_0120, 0).number(0x0028_0121, u16::from(chosen[19]));
    }
    set.text(0x0028_1052, b"DS", of(&INTERCEPTS, if odd(0) { chosen[18] } else { 0 }));
    set.text(0x0028_1053, b"DS", of(&SLOPES, if odd(0) { chosen[19] } else { 0 }));
    let samples: Vec<u16> =
        (0..usize::from(rows) * usize::from(columns)).map(|i| (900 + i + 50 * index) as u16).collect();
    set.native(&samples);
    set.part10()
}
