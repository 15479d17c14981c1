//! Slices of several patients, acquisitions and reconstructions under few identifiers: what distinguishes a slice is chosen by the
//! input's bytes and written into its pixels too, so that a mixture shows.

use super::part10::{DataSet, EXPLICIT_LE};

/// Bytes that choose one slice.
pub(crate) const SLICE: usize = 8;
/// No more slices than this are made.
const MOST: usize = 64;
const SIDE: usize = 4;

const PATIENTS: [&str; 4] = ["MADE^One", "MADE^One", "MADE^Two", ""];
const UIDS: [&str; 5] = ["2.25.5", "2.25.5", "anonymized", "", "1.2"];
const KVPS: [&str; 3] = ["120", "80", "140"];
const KERNELS: [&str; 3] = ["BONE", "SOFT", ""];
const THICKNESSES: [&str; 3] = ["1", "3", ""];

/// What never shares a stack: patient, kVP and kernel. Nobody's slices and those without a kernel may join others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label(pub(crate) u8, pub(crate) u8, pub(crate) u8);

impl Label {
    /// The label that a voxel stands for.
    pub(crate) fn of_voxel(hu: i16) -> Self {
        let [low, _] = hu.to_le_bytes();
        Self(low & 3, low >> 2 & 3, low >> 4 & 3)
    }

    fn voxel(self) -> i16 {
        i16::from(self.0 | self.1 << 2 | self.2 << 4)
    }

    /// Whether two slices may be in one stack.
    pub(crate) fn may_join(self, other: Self) -> bool {
        let same = |a: u8, b: u8, unknown: u8| a == b || a == unknown || b == unknown;
        same(self.0, other.0, 2) && self.1 == other.1 && same(self.2, other.2, 2)
    }
}

fn of<T: Copy>(table: &[T], byte: u8) -> T {
    table[usize::from(byte) % table.len()]
}

/// The files that an input stands for.
pub(crate) fn made(input: &[u8]) -> Vec<Vec<u8>> {
    input.chunks_exact(SLICE).take(MOST).enumerate().map(|(index, chosen)| slice(index, chosen)).collect()
}

fn slice(index: usize, chosen: &[u8]) -> Vec<u8> {
    let patient = usize::from(chosen[0]) % PATIENTS.len();
    let (kvp, kernel) = (usize::from(chosen[1]) % KVPS.len(), usize::from(chosen[2]) % KERNELS.len());
    // The first two patients are one.
    let label = Label(patient.max(1) as u8 - 1, kvp as u8, kernel as u8);
    let uid = of(&UIDS, chosen[3]);
    let own =
        if uid == "2.25.5" { format!("2.25.5.{}", if chosen[3] > 250 { 0 } else { index }) } else { uid.to_owned() };
    let z = f64::from(chosen[4]) / 4.0;
    let mut set = DataSet::new(EXPLICIT_LE);
    set.text(0x0008_0018, b"UI", &own).text(0x0008_0060, b"CS", "CT");
    set.text(0x0010_0010, b"PN", PATIENTS[patient]).text(0x0018_0050, b"DS", of(&THICKNESSES, chosen[5]));
    set.text(0x0018_0060, b"DS", KVPS[kvp]).text(0x0018_1210, b"SH", KERNELS[kernel]);
    set.text(0x0020_000D, b"UI", uid).text(0x0020_000E, b"UI", uid);
    set.text(0x0020_0012, b"IS", &(chosen[6] % 3).to_string()).text(0x0020_0013, b"IS", &chosen[7].to_string());
    set.text(0x0020_0032, b"DS", &format!("0\\0\\{z}")).text(0x0020_0037, b"DS", "1\\0\\0\\0\\1\\0");
    set.number(0x0028_0002, 1).text(0x0028_0004, b"CS", "MONOCHROME2");
    set.number(0x0028_0010, SIDE as u16).number(0x0028_0011, SIDE as u16).text(0x0028_0030, b"DS", "1\\1");
    set.number(0x0028_0100, 16).number(0x0028_0101, 16).number(0x0028_0102, 15).number(0x0028_0103, 1);
    set.text(0x0028_1052, b"DS", "0").text(0x0028_1053, b"DS", "1").text(0x0028_1054, b"LO", "HU");
    set.native(&[label.voxel().cast_unsigned(); SIDE * SIDE]);
    set.part10()
}

/// One stack, and two that differ in one thing.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let stack = |change: &dyn Fn(&mut [u8; SLICE])| -> Vec<u8> {
        (0..24_u8)
            .flat_map(|index| {
                let mut chosen = [0, 0, 0, 0, 4 * index, 0, 0, index];
                change(&mut chosen);
                chosen
            })
            .collect()
    };
    let plain = stack(&|_| {});
    let mut seeds = vec![plain.clone()];
    for (place, value) in [(0, 2), (0, 3), (1, 1), (2, 1), (2, 2), (3, 2), (3, 255), (5, 1), (6, 1)] {
        let other = stack(&|chosen| {
            chosen[place] = value;
            chosen[4] += 2;
        });
        seeds.push([plain.clone(), other].concat());
    }
    seeds
}
