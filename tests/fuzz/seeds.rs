//! Where fuzzing begins: files that the project makes, and the corpora where they are, read in place.

use super::jpeg_lossless;
use super::part10::{DEFLATED, DataSet, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, ramp, rle};
use super::{corpus, geometry};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A good manifest.
pub(crate) const MANIFEST: &str = include_str!("../../src/inference/manifest_example.toml");

/// Bytes before a code stream that choose the header around it.
pub(crate) const CONTROL: usize = 8;
/// Of a header's file no more is taken: pixels are another target's.
const HEADER: usize = 16 * 1024;
/// Larger pictures make slow inputs.
const PICTURE: usize = 300 * 1024;
/// Pictures of one transfer syntax, the smallest.
const OF_A_SYNTAX: usize = 8;

/// Transfer syntax, rows, columns, bits stored and sign, as eight bytes choose them.
pub(crate) fn control<'s>(bytes: &[u8; CONTROL], syntaxes: &[&'s str]) -> (&'s str, u16, u16, u16, bool) {
    let syntax = syntaxes[usize::from(bytes[0]) % syntaxes.len()];
    let size = |low, high| u16::from_le_bytes([low, high]) % 1025;
    (syntax, size(bytes[1], bytes[2]), size(bytes[3], bytes[4]), 1 + u16::from(bytes[5]) % 17, bytes[6] % 2 == 1)
}

fn slice(syntax: &str) -> DataSet {
    DataSet::ct_slice(syntax, 8, 8, false, 12, 1)
}

/// Small pictures in every way that is written without a library.
fn made() -> Vec<Vec<u8>> {
    let samples = ramp(8, 8);
    let mut files: Vec<Vec<u8>> = [IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED]
        .iter()
        .map(|syntax| slice(syntax).native(&samples).part10())
        .collect();
    let lossless = jpeg_lossless::encode(&samples, 8, 8, 12);
    files.push(slice("1.2.840.10008.1.2.4.70").fragments(&[&lossless]).part10());
    files.push(slice("1.2.840.10008.1.2.4.70").fragments(&[&lossless[..40], &lossless[40..]]).part10());
    files.push(slice("1.2.840.10008.1.2.5").fragments(&[&rle(&samples)]).part10());
    // Bare, and with a meta group that has no length.
    files.push(slice(IMPLICIT_LE).native(&samples).bytes().to_vec());
    let whole = slice(EXPLICIT_LE).native(&samples).part10();
    files.push([&whole[..132], &whole[144..]].concat());
    // Sequences: of known and of unknown length, in items likewise; a private creator; a text in Japanese.
    let mut set = DataSet::new(EXPLICIT_LE);
    set.text(0x0008_0005, b"CS", "\\ISO 2022 IR 87").text(0x0008_0060, b"CS", "CT");
    set.head(0x0008_1140, b"SQ", u32::MAX).head(0xFFFE_E000, b"  ", u32::MAX);
    set.text(0x0008_1150, b"UI", "1.2").head(0xFFFE_E00D, b"  ", 0).head(0xFFFE_E0DD, b"  ", 0);
    set.head(0x0008_1199, b"SQ", 8).head(0xFFFE_E000, b"  ", 0);
    set.text(0x0009_0010, b"LO", "SOMEONE").raw(0x0009_1001, b"UN", &[1, 2, 3, 4]);
    set.raw(0x0010_0010, b"PN", b"Test^Patient=\x1b$B%F%9%H\x1b(B^\x1b$B45<T\x1b(B");
    files.push(set.part10());
    files
}

/// The files to begin with: of the whole necks and of the large studies one each, which stands for the others.
fn corpus_files() -> Vec<PathBuf> {
    let shared = corpus::shared_root();
    let mut files = corpus::below(&shared.join("codec-matrix"));
    files.extend(corpus::below(&shared.join("not-cervical")));
    for folder in ["vhf-neck", "vhf-head"] {
        files.extend(corpus::below(&shared.join(folder)).into_iter().take(1));
    }
    files.extend(corpus::below(&shared.join("rsna-shape")).into_iter().step_by(20));
    files.extend(corpus::pydicom_root().iter().flat_map(|root| corpus::below(root)));
    files
}

/// The corpora's files, each only once, cut where `limit` says; longer ones are left out if they may not be cut.
fn from_corpora(limit: usize, cut: bool) -> Vec<Vec<u8>> {
    let mut files: Vec<Vec<u8>> = corpus_files()
        .iter()
        .filter(|path| cut || path.metadata().is_ok_and(|data| data.len() <= limit as u64))
        .filter_map(|path| std::fs::read(path).ok())
        .map(|bytes| bytes[..bytes.len().min(limit)].to_vec())
        .collect();
    files.sort();
    files.dedup();
    files
}

pub(crate) fn headers() -> Vec<Vec<u8>> {
    let mut seeds = made();
    seeds.extend(from_corpora(HEADER, true));
    seeds
}

/// The transfer syntax of a Part 10 file: what follows (0002,0010) in its first bytes.
fn syntax_of(file: &[u8]) -> String {
    let at = file.windows(6).take(1024).position(|six| six == b"\x02\x00\x10\x00UI");
    let value = at.and_then(|at| file.get(at + 8..at + 8 + usize::from(file[at + 6])));
    String::from_utf8_lossy(value.unwrap_or_default()).trim_end_matches(['\0', ' ']).to_owned()
}

/// The smallest files of each transfer syntax.
pub(crate) fn pictures() -> Vec<Vec<u8>> {
    let mut by_syntax: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for file in from_corpora(PICTURE, false) {
        by_syntax.entry(syntax_of(&file)).or_default().push(file);
    }
    let mut seeds = made();
    for (_, mut files) in by_syntax {
        files.sort_by_key(Vec::len);
        files.truncate(OF_A_SYNTAX);
        seeds.extend(files);
    }
    seeds
}

/// The first code stream of an encapsulated file: its fragments after the offset table, joined.
fn code_stream(file: &[u8]) -> Option<Vec<u8>> {
    let head = b"\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff";
    let mut at = file.windows(head.len()).position(|bytes| bytes == head)? + head.len();
    let mut fragments = Vec::new();
    while let Some(item) = file.get(at..at + 8).filter(|item| item[..4] == [0xFE, 0xFF, 0x00, 0xE0]) {
        let length = u32::from_le_bytes([item[4], item[5], item[6], item[7]]) as usize;
        fragments.push(file.get(at + 8..at.checked_add(8 + length)?)?);
        at += 8 + length;
    }
    Some(fragments.get(1..)?.concat()).filter(|stream| !stream.is_empty())
}

/// An US element of a little-endian explicit file.
fn number(file: &[u8], tag: u32) -> Option<u16> {
    let (group, element) = (((tag >> 16) as u16).to_le_bytes(), (tag as u16).to_le_bytes());
    let head = [group[0], group[1], element[0], element[1], b'U', b'S', 2, 0];
    let at = file.windows(8).position(|bytes| bytes == head)? + 8;
    Some(u16::from_le_bytes([*file.get(at)?, *file.get(at + 1)?]))
}

/// Whether a file's code stream is a beginning for a syntax: HTJ2K's are JPEG 2000's but for the block coder, and no corpus
/// has them.
fn is_of_the_kind(syntax: &str, wanted: &str) -> bool {
    syntax == wanted || (syntax == "1.2.840.10008.1.2.4.90" && wanted == "1.2.840.10008.1.2.4.201")
}

/// Code streams of these transfer syntaxes, with the bytes before them that make the header they came with.
pub(crate) fn code_streams(syntaxes: &[&str]) -> Vec<Vec<u8>> {
    let seeds = pictures().into_iter().filter_map(|file| {
        let index = syntaxes.iter().position(|known| is_of_the_kind(&syntax_of(&file), known))?;
        let (rows, columns) = (number(&file, 0x0028_0010)?.to_le_bytes(), number(&file, 0x0028_0011)?.to_le_bytes());
        let (bits, signed) = (number(&file, 0x0028_0101)?, number(&file, 0x0028_0103)?);
        let control = [index as u8, rows[0], rows[1], columns[0], columns[1], bits as u8 - 1, signed as u8, 0];
        Some([&control[..], &code_stream(&file)?].concat())
    });
    // Where no corpus has one: a header around nothing, and around a JPEG's beginning.
    let bare: [&[u8]; 2] =
        [&[0, 8, 0, 8, 0, 11, 0, 0], &[0, 8, 0, 8, 0, 11, 0, 0, 0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8]];
    seeds.chain(bare.map(<[u8]>::to_vec)).collect()
}

/// Folders of files, in the form that the scan's target takes apart.
pub(crate) fn folders() -> Vec<Vec<u8>> {
    let entry = |name: u8, file: &[u8]| {
        let length = (file.len() as u32).to_le_bytes();
        [&[name, length[0], length[1], length[2]], file].concat()
    };
    let files = made();
    let mut seeds: Vec<Vec<u8>> = files
        .windows(4)
        .map(|four| four.iter().zip([0, 1, 5, 7]).flat_map(|(file, name)| entry(name, file)).collect())
        .collect();
    // An index, an archive and a text beside a picture.
    let mut index = DataSet::new(EXPLICIT_LE);
    index.text(0x0004_1130, b"CS", "SET").head(0x0004_1220, b"SQ", u32::MAX).head(0xFFFE_E0DD, b"  ", 0);
    let text = b"no picture".to_vec();
    seeds.push([entry(2, &index.part10()), entry(6, &text), entry(0, &files[1])].concat());
    for name in [3, 4] {
        let archive = if name == 3 { stored_zip("a.dcm", &files[1]) } else { tar("a.dcm", &files[1]) };
        seeds.push([entry(name, &archive), entry(1, &files[0])].concat());
    }
    seeds
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, bytes).expect("written to memory");
    gzip.finish().expect("compressed in memory")
}

/// Archives of a slice, and archives of these, five deep.
pub(crate) fn archives() -> Vec<Vec<u8>> {
    let slice = slice(EXPLICIT_LE).native(&ramp(8, 8)).part10();
    let mut seeds = vec![stored_zip("IM1", &slice), tar("IM1", &slice), gzip(&tar("IM1", &slice)), gzip(&slice)];
    let mut inner = seeds.clone();
    for _ in 0..4 {
        inner = inner.iter().flat_map(|bytes| [stored_zip("a", bytes), gzip(&tar("b", bytes))]).collect();
        inner.truncate(6);
        seeds.extend(inner.iter().cloned());
    }
    seeds
}

/// A zip archive of one stored file (APPNOTE 4.3).
fn stored_zip(name: &str, file: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(file);
    let sizes = [checksum.sum(), file.len() as u32, file.len() as u32].map(u32::to_le_bytes).concat();
    let names = [(name.len() as u16).to_le_bytes(), [0, 0]].concat();
    // Version 2.0, no flags, stored, no time.
    let version = [20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let local = [b"PK\x03\x04".as_slice(), &version, &sizes, &names, name.as_bytes(), file].concat();
    let central = [b"PK\x01\x02\x14\0".as_slice(), &version, &sizes, &names, &[0; 14], name.as_bytes()].concat();
    let place = [(central.len() as u32).to_le_bytes(), (local.len() as u32).to_le_bytes()].concat();
    [local, central, b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec(), place, vec![0, 0]].concat()
}

/// A tar archive of one file (POSIX ustar).
fn tar(name: &str, file: &[u8]) -> Vec<u8> {
    let mut head = vec![0; 512];
    head[..name.len()].copy_from_slice(name.as_bytes());
    head[100..108].copy_from_slice(b"0000644\0");
    head[124..136].copy_from_slice(format!("{:011o}\0", file.len()).as_bytes());
    head[148..156].copy_from_slice(b"        ");
    head[156] = b'0';
    head[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = head.iter().map(|&byte| u32::from(byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = [&head, file].concat();
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

pub(crate) fn geometries() -> Vec<Vec<u8>> {
    let stack = |step: i16, slices: u8, odd: u8| -> Vec<u8> {
        (0..slices)
            .flat_map(|index| {
                let [low, high] = (step * i16::from(index)).to_le_bytes();
                let mut slice = [0_u8; geometry::SLICE];
                // Every fifth slice is odd, in another way each time.
                slice[0] = if index % 5 == 4 { odd } else { 0 };
                (slice[1], slice[2]) = (low, high);
                for (offset, byte) in slice[3..].iter_mut().enumerate() {
                    *byte = if odd == 0 { 0 } else { index.wrapping_mul(7).wrapping_add(offset as u8) };
                }
                slice
            })
            .collect()
    };
    let mut seeds = vec![stack(16, 12, 0), stack(-8, 24, 0), stack(0, 6, 0)];
    seeds.extend((0..8).map(|bit| stack(8, 15, 1 << bit)));
    seeds
}

pub(crate) fn settings() -> Vec<Vec<u8>> {
    vec![
        b"theme = \"daylight\"\ngraphics = \"sixel\"\nmouse = false\n[reading]\nmarks = false\n".to_vec(),
        [b"[keys]\n".as_slice(), include_bytes!("../../src/config/default.toml")].concat(),
        include_bytes!("../../src/config/default.toml").to_vec(),
    ]
}

pub(crate) fn themes() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../themes/reading-room.toml").to_vec(),
        include_bytes!("../../themes/sixteen.toml").to_vec(),
        b"inherits = \"daylight\"\n[roles]\ntext = { fg = \"#000000\", bg = \"#ffffff\", with = [\"bold\"] }\n"
            .to_vec(),
        b"inherits = \"mine\"\n".to_vec(),
    ]
}

pub(crate) fn manifests() -> Vec<Vec<u8>> {
    vec![MANIFEST.as_bytes().to_vec()]
}

pub(crate) fn terminals() -> Vec<Vec<u8>> {
    let sent: [&[u8]; 14] = [
        b"jkG\x1b[A\x1bOP",
        b"\x1b[<0;12;7M\x1b[<64;1;1M",
        b"\x1b[200~pasted\x1b[31m\x1b[201~",
        b"\x1b[97;5u\x1b[1;2:3A",
        b"\x1b_Gi=1;OK\x1b\\",
        b"\x1b_Gi=1,p=1;ENOENT:no\x1b\\",
        b"\x1b[?62;4;22c",
        b"\x1b[12;40R",
        b"\x1b[6;18;9t\x1b[4;900;900t",
        b"\x1b[?1;0;256S",
        b"\x1bP>|kitty(0.26.5)\x1b\\",
        "ß頸🦴\u{85}".as_bytes(),
        b"\x1b[M !!\x1b[[A\x1b[I\x1b[O",
        b"\xff\xc0\x80\xe2\x82",
    ];
    sent.map(<[u8]>::to_vec).to_vec()
}
