//! A made-up body in CT whose scale, bits and padding an input chooses, true to its header or not. The values are known, so whatever is
//! called Hounsfield units can be compared with the truth.

use super::part10::{DataSet, EXPLICIT_LE};
use fastrand::Rng;

/// Bytes that choose a stack.
pub(crate) const STACK: usize = 14;
const SLICES: usize = 8;
const SIDE: usize = 16;

const OFFSETS: [f64; 6] = [1024.0, 0.0, 1000.0, 2048.0, 8192.0, 32_768.0];
const INTERCEPTS: [Option<&str>; 8] =
    [Some("-1024"), None, Some("0"), Some("-1000"), Some("-2048"), Some("-8192"), Some("-32768"), Some("1024")];
const STRETCHES: [f64; 5] = [1.0, 1.0, 2.0, 0.5, 10.0];
const SLOPES: [Option<&str>; 6] = [Some("1"), None, Some("0.5"), Some("2"), Some("0.1"), Some("-1")];
const BITS: [u16; 5] = [12, 16, 16, 13, 9];
const TYPES: [Option<&str>; 4] = [None, Some("HU"), Some("US"), Some("hu ")];
const MODALITIES: [&str; 4] = ["CT", "CT", "CT", ""];

/// A stack's files, and the Hounsfield units of its voxels from the head to the foot.
pub(crate) struct Made {
    pub(crate) files: Vec<Vec<u8>>,
    pub(crate) truth: Vec<i16>,
}

fn of<T: Copy>(table: &[T], byte: u8) -> T {
    table[usize::from(byte) % table.len()]
}

/// The stack that an input stands for; `None` for one that is too short.
pub(crate) fn made(input: &[u8]) -> Option<Made> {
    let chosen = input.first_chunk::<STACK>()?;
    let mut random = Rng::with_seed(u64::from(chosen[13]));
    let (offset, stretch) = (of(&OFFSETS, chosen[0]), of(&STRETCHES, chosen[2]));
    let bits = of(&BITS, chosen[4]);
    let high_bit = of(&[bits - 1, 15, 11, bits - 1], chosen[5]);
    let signed = chosen[6] % 2 == 1;
    let shift = if chosen[7] % 4 == 3 { 16 - bits } else { 0 };
    let (air, fat, noise) = (f64::from(chosen[9]) / 255.0, f64::from(chosen[10]) / 255.0, f64::from(chosen[11] % 32));
    let (mut files, mut truth) = (Vec::new(), vec![0; SLICES * SIDE * SIDE]);
    for number in 0..SLICES {
        let mut words = Vec::with_capacity(SIDE * SIDE);
        for index in 0..SIDE * SIDE {
            let center = match random.f64() {
                part if part < air => -1000.0,
                part if part > 0.95 => 800.0,
                _ if random.f64() < fat => -100.0,
                _ => 50.0,
            };
            let hu: f64 = (center + noise * (random.f64() + random.f64() - 1.0)).round();
            // The highest slice is the volume's first.
            truth[(SLICES - 1 - number) * SIDE * SIDE + index] = hu as i16;
            let stored = ((hu + offset) * stretch).round();
            let word = if signed { (stored as i16).cast_unsigned() } else { stored as u16 };
            words.push(word << shift);
        }
        let mut set = DataSet::new(EXPLICIT_LE);
        set.text(0x0008_0018, b"UI", &format!("2.25.7.{number}")).text(0x0008_0060, b"CS", of(&MODALITIES, chosen[12]));
        set.text(0x0020_000D, b"UI", "2.25.5").text(0x0020_000E, b"UI", "2.25.6");
        set.text(0x0020_0013, b"IS", &number.to_string());
        set.text(0x0020_0032, b"DS", &format!("0\\0\\{}", 4 * number)).text(0x0020_0037, b"DS", "1\\0\\0\\0\\1\\0");
        set.number(0x0028_0002, 1).text(0x0028_0004, b"CS", "MONOCHROME2");
        set.number(0x0028_0010, SIDE as u16).number(0x0028_0011, SIDE as u16).text(0x0028_0030, b"DS", "1\\1");
        set.number(0x0028_0100, 16).number(0x0028_0101, bits).number(0x0028_0102, high_bit);
        set.number(0x0028_0103, u16::from(signed));
        if chosen[8] % 4 == 3 {
            set.number(0x0028_0120, of(&[0, 24, 1064, 63_536, 40, 50], chosen[8] / 4));
        }
        if let Some(intercept) = of(&INTERCEPTS, chosen[1]) {
            set.text(0x0028_1052, b"DS", intercept);
        }
        if let Some(slope) = of(&SLOPES, chosen[3]) {
            set.text(0x0028_1053, b"DS", slope);
        }
        if let Some(unit) = of(&TYPES, chosen[12] / 4) {
            set.text(0x0028_1054, b"LO", unit);
        }
        set.native(&words);
        files.push(set.part10());
    }
    Some(Made { files, truth })
}

/// Right headers, and one wrong thing at a time.
pub(crate) fn stacks() -> Vec<Vec<u8>> {
    // 12 bits, offset and intercept 1024; half air, a third of the rest fat, some noise.
    let right: [u8; STACK] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 85, 12, 0, 1];
    let hounsfield: [u8; STACK] = [1, 2, 0, 0, 1, 0, 1, 0, 0, 128, 85, 12, 0, 2];
    let mut seeds = vec![right.to_vec(), hounsfield.to_vec()];
    for base in [right, hounsfield] {
        for place in 0..9 {
            for value in 1..4 {
                let mut seed = base;
                seed[place] = value;
                seeds.push(seed.to_vec());
            }
        }
    }
    seeds
}
