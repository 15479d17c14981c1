//! Damage with a plan: lengths, VRs and markers are hit where they stand, not by luck.

use fastrand::Rng;

/// Damages an input; `others` are further inputs to take pieces from.
pub(crate) type Mutator = fn(&mut Vec<u8>, &mut Rng, &[Vec<u8>]);

/// No input grows beyond this.
pub(crate) const LONGEST: usize = 1 << 20;

const LENGTHS: [u32; 12] = [0, 1, 2, 3, 7, 8, 0xFFFE, 0xFFFF, 0x0001_0000, 0x7FFF_FFFF, 0xFFFF_FFF0, 0xFFFF_FFFF];
const NUMBERS: [u16; 16] = [0, 1, 2, 3, 7, 8, 9, 12, 15, 16, 17, 32, 255, 8192, 0x7FFF, 0xFFFF];
const VRS: [&[u8; 2]; 20] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"FD", b"IS", b"LO", b"OB", b"OW", b"PN", b"SQ", b"SS", b"UI", b"UN",
    b"US", b"UT", b"SV", b"??",
];
const TEXTS: [&[u8]; 22] = [
    b"",
    b"0",
    b"-0",
    b"nan",
    b"inf",
    b"1e400",
    b"1e-400",
    b"-1",
    b"99999999999999999999",
    b"1,5",
    b"abc",
    b"\\",
    b"\\\\\\",
    b"1\\0\\0\\0\\1\\0",
    b"0\\0\\0\\0\\0\\0",
    b"\x1b]0;x\x07",
    b"\x1b$B%F\x1b(B",
    b"\xff\xfe\xfd",
    b"ISO 2022 IR 87",
    b"GB18030",
    b"1.5e3",
    b"2147483647",
];
const SYNTAXES: [&str; 18] = [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.53",
    "1.2.840.10008.1.2.4.55",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.110",
    "9.9.9",
];

fn pick<T: Copy>(random: &mut Rng, from: &[T]) -> T {
    from[random.usize(..from.len())]
}

/// A place in the bytes, more often near the beginning, where headers are.
fn place(random: &mut Rng, len: usize) -> usize {
    if random.bool() { random.usize(..=len) } else { random.usize(..=len.min(512)) }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(at).zip(with) {
        *to = *from;
    }
}

fn replace(bytes: &mut Vec<u8>, from: usize, to: usize, with: &[u8]) {
    let (from, to) = (from.min(bytes.len()), to.min(bytes.len()));
    if from <= to && bytes.len() + with.len() < LONGEST {
        bytes.splice(from..to, with.iter().copied());
    }
}

/// Damage that knows nothing of what the bytes mean.
pub(crate) fn bytes(input: &mut Vec<u8>, random: &mut Rng, others: &[Vec<u8>]) {
    let len = input.len();
    let (a, b) = (place(random, len), place(random, len));
    let (from, to) = (a.min(b), a.max(b));
    match random.u8(..9) {
        0 if len > 0 => input[a.min(len - 1)] ^= 1 << random.u8(..8),
        1 if len > 0 => input[a.min(len - 1)] = random.u8(..),
        2 => overwrite(input, a, &pick(random, &LENGTHS).to_le_bytes()),
        3 => overwrite(input, a, &pick(random, &NUMBERS).to_be_bytes()),
        4 => input.truncate(a.max(1)),
        5 => replace(input, from, to.min(from + 64), &[]),
        6 => {
            let copy = input[from..to.min(from + 256)].to_vec();
            replace(input, b, b, &copy);
        }
        7 => {
            if let Some(other) = (!others.is_empty()).then(|| &others[random.usize(..others.len())]) {
                let begin = place(random, other.len());
                let piece = &other[begin..other.len().min(begin + random.usize(1..512))];
                replace(input, a, if random.bool() { a } else { a + piece.len() }, piece);
            }
        }
        _ => replace(input, a, a, &[random.u8(..)]),
    }
}

/// Where the elements of an explicit little-endian data set begin, with where their values do and how long they are.
fn elements(file: &[u8]) -> Vec<(usize, usize, usize)> {
    let mut found = Vec::new();
    let mut at = if file.get(128..132) == Some(b"DICM") { 132 } else { 0 };
    while let Some(head) = file.get(at..at + 8) {
        let upper = head[4].is_ascii_uppercase() && head[5].is_ascii_uppercase();
        let long = matches!(&head[4..6], b"OB" | b"OW" | b"OF" | b"SQ" | b"UN" | b"UT");
        let (value, length) = match (upper, long) {
            (true, false) => (at + 8, usize::from(u16::from_le_bytes([head[6], head[7]]))),
            (true, true) => match file.get(at + 8..at + 12) {
                Some(four) => (at + 12, u32::from_le_bytes([four[0], four[1], four[2], four[3]]) as usize),
                None => break,
            },
            // Implicit, or an item.
            _ => (at + 8, u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize),
        };
        let nested = length == 0xFFFF_FFFF || head[..4] == [0xFE, 0xFF, 0x00, 0xE0];
        found.push((at, value, if nested { 0 } else { length.min(file.len() - value) }));
        at = if nested { value } else { value.saturating_add(length) };
        if found.len() > 4096 {
            break;
        }
    }
    found
}

/// Damage to a Part 10 file, element by element.
pub(crate) fn dicom(file: &mut Vec<u8>, random: &mut Rng, others: &[Vec<u8>]) {
    let found = elements(file);
    if found.is_empty() || random.u8(..8) == 0 {
        return bytes(file, random, others);
    }
    let (at, value, length) = found[random.usize(..found.len())];
    let end = value + length;
    match random.u8(..12) {
        // A length.
        0 if value == at + 8 && file[at + 4].is_ascii_uppercase() => {
            overwrite(file, at + 6, &(pick(random, &LENGTHS) as u16).to_le_bytes());
        }
        0 => overwrite(file, value - 4, &pick(random, &LENGTHS).to_le_bytes()),
        1 => {
            let near = (length as u32).wrapping_add(random.u32(..5)).wrapping_sub(2);
            if value == at + 8 && file[at + 4].is_ascii_uppercase() {
                overwrite(file, at + 6, &(near as u16).to_le_bytes());
            } else {
                overwrite(file, value - 4, &near.to_le_bytes());
            }
        }
        2 => overwrite(file, at + 4, VRS[random.usize(..VRS.len())]),
        // A tag: another element's, or PixelData's.
        3 => {
            let other = found[random.usize(..found.len())].0;
            let tag = file[other..other + 4].to_vec();
            overwrite(file, at, &tag);
        }
        4 => overwrite(file, at, &[0xE0, 0x7F, 0x10, 0x00]),
        5 => replace(file, at, end, &[]),
        6 => {
            let copy = file[at..end].to_vec();
            let to = found[random.usize(..found.len())].0;
            replace(file, to, to, &copy);
        }
        // A value, with its length: text, number or transfer syntax.
        7 | 8 => {
            let text = if random.u8(..4) == 0 { pick(random, &SYNTAXES).as_bytes() } else { pick(random, &TEXTS) };
            let mut text = text.to_vec();
            text.resize(text.len().next_multiple_of(2), b' ');
            if value == at + 8 && file[at + 4].is_ascii_uppercase() {
                overwrite(file, at + 6, &(text.len() as u16).to_le_bytes());
            } else {
                overwrite(file, value - 4, &(text.len() as u32).to_le_bytes());
            }
            replace(file, value, end, &text);
        }
        9 => overwrite(file, value, &pick(random, &NUMBERS).to_le_bytes()),
        // A sequence that does not end, some levels deep.
        10 => {
            let depth = random.usize(1..60);
            let level =
                [&[0x08, 0x00, 0x40, 0x11], &b"SQ\0\0\xff\xff\xff\xff"[..], b"\xfe\xff\x00\xe0\xff\xff\xff\xff"];
            replace(file, at, at, &level.concat().repeat(depth));
        }
        _ => file.truncate(value + random.usize(..=length)),
    }
}

/// Damage to a code stream: the bytes of its marker segments (JPEG, JPEG-LS, JPEG 2000: `FF`, code, length) are hit first.
pub(crate) fn stream(input: &mut Vec<u8>, random: &mut Rng, others: &[Vec<u8>]) {
    let markers: Vec<usize> = (0..input.len().saturating_sub(4))
        .filter(|&at| input[at] == 0xFF && input[at + 1] >= 0x4F && input[at + 1] != 0xFF)
        .take(256)
        .collect();
    if markers.is_empty() || random.u8(..4) == 0 {
        return bytes(input, random, others);
    }
    let at = markers[random.usize(..markers.len())];
    let length = usize::from(u16::from_be_bytes([input[at + 2], input[at + 3]]));
    match random.u8(..8) {
        0 => overwrite(input, at + 2, &pick(random, &NUMBERS).to_be_bytes()),
        1 => input[at + 1] = 0xC0 + random.u8(..0x40),
        2 => replace(input, at, at + 2 + length, &[]),
        3 => {
            let copy = input[at..input.len().min(at + 2 + length.min(512))].to_vec();
            replace(input, at, at, &copy);
        }
        4 => {
            let copy = input[at..input.len().min(at + 2 + length.min(512))].to_vec();
            let to = markers[random.usize(..markers.len())];
            replace(input, to, to, &copy);
        }
        5 => overwrite(input, at + 4 + random.usize(..24), &pick(random, &NUMBERS).to_be_bytes()),
        6 => overwrite(input, at + 4 + random.usize(..48), &[random.u8(..)]),
        _ => overwrite(input, at + 4 + random.usize(..16), &pick(random, &LENGTHS).to_be_bytes()),
    }
}

/// Damage to TOML: lines, keys and values change places, values become what nobody writes.
pub(crate) fn toml(input: &mut Vec<u8>, random: &mut Rng, others: &[Vec<u8>]) {
    const VALUES: [&str; 22] = [
        "\"\"",
        "0",
        "-1",
        "1e308",
        "nan",
        "-inf",
        "9223372036854775807",
        "99999999999999999999",
        "true",
        "[]",
        "{}",
        "[[[[[[[[]]]]]]]]",
        "\"\\u0000\"",
        "\"\\u001b[31m\"",
        "\"頸椎\"",
        "\"#ffffff\"",
        "\"ctrl-alt-shift-x\"",
        "'''",
        "{ fg = 1 }",
        "1979-05-27T07:32:00Z",
        "[\"a\", 1]",
        "\"../../etc\"",
    ];
    let text = String::from_utf8_lossy(input).into_owned();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() || random.u8(..5) == 0 {
        return bytes(input, random, others);
    }
    let (a, b) = (random.usize(..lines.len()), random.usize(..lines.len()));
    match random.u8(..7) {
        0 => lines.swap(a, b),
        1 => drop(lines.remove(a)),
        2 => lines.insert(a, lines[b].clone()),
        3 | 4 => {
            if let Some((key, _)) = lines[a].split_once('=') {
                lines[a] = format!("{key}= {}", pick(random, &VALUES));
            }
        }
        5 => {
            if let Some((_, value)) = lines[b].clone().split_once('=') {
                let key = lines[a].split('=').next().unwrap_or_default().to_owned();
                lines[a] = format!("{key}={value}");
            }
        }
        _ if lines[a].len() < 4096 => lines[a] = lines[a].repeat(random.usize(1..200)),
        _ => lines[a].clear(),
    }
    *input = lines.join("\n").into_bytes();
    input.truncate(LONGEST);
}
