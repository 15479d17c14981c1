//! The parts of reading, timed: `cargo bench`. With a word before its folder it does one thing once, for `side_by_side`:
//!
//! - `parts scan DIR`: reads all headers; prints seconds;
//! - `parts load DIR`: loads the largest series; prints seconds, MiB of voxels and peak MiB of the process;
//! - `parts headers DIR N`: writes N files with headers as a scanner's and pixels that take no room on the disk;
//! - `parts necks DIR N SLICES`: writes N synthetic necks of so many slices of 512 × 512, for `whole`;
//! - `parts lossless FROM DIR N`: writes N slices of FROM's largest series in JPEG lossless (.70).

#[path = "../support/corpus.rs"]
mod corpus;
#[path = "../support/jpeg_lossless.rs"]
mod jpeg_lossless;
#[path = "../support/part10.rs"]
mod part10;
#[path = "../fuzz/process.rs"]
mod process;

use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{
    ImagePlane, ModalityLut, PatientPoint, PixelSpacing, Series, SliceInfo, SliceStack, Uid, Units, Volume,
    VolumeShape, WindowLevel,
};
use cspine::phantom::{Anatomy, Coverage, Recipe, write_dataset, write_slice};
use cspine::raster::{PictureSize, Plane, Slab, SlabKind, View, render};
use cspine::task::Cancel;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use part10::{DEFLATED, DataSet, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

const SIDE: u16 = 512;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["scan", folder] => scan(Path::new(folder)),
        ["load", folder] => load(Path::new(folder)),
        ["headers", folder, number] => write_headers(Path::new(folder), number.parse().expect("a number")),
        ["necks", folder, number, slices] => {
            write_necks(Path::new(folder), number.parse().expect("a number"), slices.parse().expect("a number"))
        }
        ["lossless", from, folder, number] => {
            write_lossless(Path::new(from), Path::new(folder), number.parse().expect("a number"));
        }
        _ => divan::main(),
    }
}

fn largest(folder: &Path) -> Series {
    let (studies, _, _) = scan_all(&[folder.to_owned()], &Cancel::new());
    let series = studies.into_iter().flat_map(|study| study.series);
    series.max_by_key(|series| series.instances.len()).expect("a series")
}

fn volume(series: &Series) -> Volume {
    load_volume(series, &Cancel::new(), &|_, _| {}).expect("a volume")
}

fn scan(folder: &Path) {
    let begun = Instant::now();
    let (studies, unreadable, summary) = scan_all(&[folder.to_owned()], &Cancel::new());
    let seconds = begun.elapsed().as_secs_f64();
    assert!(unreadable.is_empty(), "all files are read");
    println!("{seconds:.4} {} {}", summary.dicom, studies.len());
}

fn load(folder: &Path) {
    let series = largest(folder);
    process::forget_peak();
    let begun = Instant::now();
    let volume = volume(&series);
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(volume.shape.slices, series.instances.len(), "all slices are read");
    let mib = (volume.voxels.len() * 2) as f64 / 1024.0 / 1024.0;
    println!("{seconds:.4} {mib:.1} {}", process::peak_mib().unwrap_or_default());
}

/// A CT header of some ninety elements, as scanners write them: names, doses, protocols, a sequence, a private block.
fn header(study: usize, slice: usize) -> DataSet {
    let mut set = DataSet::new(EXPLICIT_LE);
    let uid = |kind: u32| format!("1.2.826.0.1.3680043.8.498.{kind}{study:04}");
    set.text(0x0008_0005, b"CS", "ISO_IR 100").text(0x0008_0008, b"CS", "ORIGINAL\\PRIMARY\\AXIAL");
    set.text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.2");
    set.text(0x0008_0018, b"UI", &format!("{}.{slice}", uid(3)));
    for (element, vr, value) in [
        (0x0020, b"DA", "20240102"),
        (0x0021, b"DA", "20240102"),
        (0x0022, b"DA", "20240102"),
        (0x0023, b"DA", "20240102"),
        (0x0030, b"TM", "101112.345"),
        (0x0031, b"TM", "101112.345"),
        (0x0032, b"TM", "101112.345"),
        (0x0033, b"TM", "101112.345"),
        (0x0050, b"SH", "A1234567"),
        (0x0060, b"CS", "CT"),
        (0x0070, b"LO", "Made for a benchmark"),
        (0x0080, b"LO", "Nowhere General"),
        (0x0081, b"ST", "1 Nowhere Street"),
        (0x0090, b"PN", "NOBODY^Dr"),
        (0x1010, b"SH", "CT01"),
        (0x1030, b"LO", "CT CERVICAL SPINE W/O"),
        (0x103E, b"LO", "C-SPINE 0.6 BONE"),
        (0x1090, b"LO", "Model 1"),
    ] {
        set.text(0x0008_0000 | element, vr, value);
    }
    set.head(0x0008_1140, b"SQ", u32::MAX);
    for _ in 0..3 {
        set.head(0xFFFE_E000, b"  ", u32::MAX).text(0x0008_1150, b"UI", "1.2.840.10008.5.1.4.1.1.2");
        set.text(0x0008_1155, b"UI", &uid(9)).head(0xFFFE_E00D, b"  ", 0);
    }
    set.head(0xFFFE_E0DD, b"  ", 0);
    set.text(0x0009_0010, b"LO", "MADE PRIVATE 1.0");
    for element in 0x1001..0x1010 {
        set.text(0x0009_0000 | element, b"LO", "a value of no use to us");
    }
    set.text(0x0010_0010, b"PN", &format!("MADE^Number {study}")).text(0x0010_0020, b"LO", &format!("MADE{study}"));
    set.text(0x0010_0030, b"DA", "19600203").text(0x0010_0040, b"CS", "F").text(0x0010_1010, b"AS", "063Y");
    for (element, vr, value) in [
        (0x0015, b"CS", "CSPINE"),
        (0x0022, b"CS", "HELICAL MODE"),
        (0x0050, b"DS", "0.6"),
        (0x0060, b"DS", "120"),
        (0x0090, b"DS", "500"),
        (0x1020, b"LO", "v1.2.3"),
        (0x1030, b"LO", "C-Spine trauma"),
        (0x1100, b"DS", "250"),
        (0x1110, b"DS", "1040"),
        (0x1111, b"DS", "570"),
        (0x1120, b"DS", "0"),
        (0x1130, b"DS", "150"),
        (0x1140, b"CS", "CW"),
        (0x1150, b"IS", "1000"),
        (0x1151, b"IS", "250"),
        (0x1152, b"IS", "250"),
        (0x1160, b"SH", "BODY"),
        (0x1170, b"IS", "30"),
        (0x1190, b"DS", "1.2"),
        (0x1210, b"SH", "BONE"),
        (0x5100, b"CS", "HFS"),
    ] {
        set.text(0x0018_0000 | element, vr, value);
    }
    set.text(0x0020_000D, b"UI", &uid(1)).text(0x0020_000E, b"UI", &uid(2)).text(0x0020_0010, b"SH", "1");
    set.text(0x0020_0011, b"IS", "2").text(0x0020_0012, b"IS", "1").text(0x0020_0013, b"IS", &slice.to_string());
    set.text(0x0020_0032, b"DS", &format!("-125\\-125\\{:.1}", 300.0 - 0.6 * slice as f64));
    set.text(0x0020_0037, b"DS", "1\\0\\0\\0\\1\\0").text(0x0020_0052, b"UI", &uid(4));
    set.text(0x0020_1041, b"DS", "0");
    set.number(0x0028_0002, 1).text(0x0028_0004, b"CS", "MONOCHROME2");
    set.number(0x0028_0010, SIDE).number(0x0028_0011, SIDE).text(0x0028_0030, b"DS", "0.488281\\0.488281");
    set.number(0x0028_0100, 16).number(0x0028_0101, 16).number(0x0028_0102, 15).number(0x0028_0103, 1);
    set.text(0x0028_1050, b"DS", "500\\50").text(0x0028_1051, b"DS", "2500\\400");
    set.text(0x0028_1052, b"DS", "-1024").text(0x0028_1053, b"DS", "1").text(0x0028_1054, b"LO", "HU");
    set
}

fn write_headers(folder: &Path, number: usize) {
    const OF_A_STUDY: usize = 250;
    let pixels = u32::from(SIDE) * u32::from(SIDE) * 2;
    for index in 0..number {
        let (study, slice) = (index / OF_A_STUDY, index % OF_A_STUDY);
        let folder = folder.join(format!("study{study:03}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let bytes = header(study, slice).head(0x7FE0_0010, b"OW", pixels).part10();
        let mut file = File::create(folder.join(format!("IM{slice:04}.dcm"))).expect("a file");
        file.write_all(&bytes).expect("a file");
        // Pixels of zeros take no blocks.
        file.seek(SeekFrom::Current(i64::from(pixels) - 1)).expect("a file");
        file.write_all(&[0]).expect("a file");
    }
}

/// Whole necks, each in so many slices, however long it is.
fn write_necks(folder: &Path, number: usize, slices: usize) {
    let sliced = |mut recipe: Recipe| {
        let length = recipe.scan.slices as f32 * recipe.scan.spacing_mm;
        (recipe.scan.slices, recipe.scan.spacing_mm) = (slices, length / slices as f32);
        recipe.scan.thickness_mm = recipe.scan.spacing_mm;
        recipe
    };
    let drawn = (9_700_000..).map(Recipe::random).filter(|recipe| recipe.scan.coverage == Coverage::Neck);
    let recipes: Vec<Recipe> = drawn.take(number).map(sliced).collect();
    write_dataset(folder, &recipes, Anatomy::Parametric, false, &Cancel::new(), &|_| {}, &write_slice)
        .expect("a data set");
}

/// Synthetic necks of 300 slices of 512 × 512, made and written with all that a data set holds, in slices a second.
#[divan::bench(sample_count = 3)]
fn synthetic_slices(bencher: Bencher<'_, '_>) {
    const NECKS: usize = 2;
    const SLICES: usize = 300;
    bencher.counter(ItemsCount::new(NECKS * SLICES)).with_inputs(place).bench_local_refs(|place| {
        write_necks(place.path(), NECKS, SLICES);
    });
}

/// A slice whose stored values are HU + 1024.
fn stored(volume: &Volume, index: usize) -> Vec<u16> {
    let slice = volume.slice(index % volume.shape.slices).expect("a slice");
    slice.iter().map(|hu| hu.saturating_add(1024).max(0).cast_unsigned()).collect()
}

fn lossless_file(samples: &[u16], rows: u16, columns: u16, number: usize) -> Vec<u8> {
    let stream = jpeg_lossless::encode(samples, rows, columns, 12);
    DataSet::ct_slice("1.2.840.10008.1.2.4.70", rows, columns, false, 12, number as i32).fragments(&[&stream]).part10()
}

fn write_lossless(from: &Path, folder: &Path, number: usize) {
    let volume = volume(&largest(from));
    std::fs::create_dir_all(folder).expect("a folder");
    let (rows, columns) = (volume.shape.rows as u16, volume.shape.columns as u16);
    for index in 0..number {
        let samples: Vec<u16> = stored(&volume, index).into_iter().map(|value| value.min(4095)).collect();
        let file = lossless_file(&samples, rows, columns, index);
        std::fs::write(folder.join(format!("IM{index:04}.dcm")), file).expect("a file");
    }
}

/// Files of ours, in memory where there is such a place.
fn place() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

/// Headers of a study's files, in files a second.
#[divan::bench(sample_count = 20)]
fn headers(bencher: Bencher<'_, '_>) {
    const FILES: usize = 1000;
    let place = place();
    write_headers(place.path(), FILES);
    bencher.counter(ItemsCount::new(FILES)).bench_local(|| scan_all(&[place.path().to_owned()], &Cancel::new()));
}

/// A slice that looks like one: noise on a disc on air.
fn samples() -> Vec<u16> {
    let mut random = fastrand::Rng::with_seed(1);
    let centre = f64::from(SIDE) / 2.0;
    (0..u32::from(SIDE) * u32::from(SIDE))
        .map(|index| {
            let (row, column) =
                (f64::from(index / u32::from(SIDE)) - centre, f64::from(index % u32::from(SIDE)) - centre);
            let body = if row.hypot(column) < 150.0 { 1064 } else { 24 };
            body + random.u16(..40)
        })
        .collect()
}

/// Stacks of sixteen slices of ours in the syntaxes that are written without a library.
#[divan::bench(args = [IMPLICIT_LE, EXPLICIT_BE, DEFLATED, "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70"], sample_count = 20)]
fn volume_of(bencher: Bencher<'_, '_>, syntax: &str) {
    const SLICES: i32 = 16;
    let (place, samples) = (place(), samples());
    for number in 0..SLICES {
        let mut set = DataSet::ct_slice(syntax, SIDE, SIDE, false, 12, number);
        match syntax {
            "1.2.840.10008.1.2.4.70" => set.fragments(&[&jpeg_lossless::encode(&samples, SIDE, SIDE, 12)]),
            "1.2.840.10008.1.2.5" => set.fragments(&[&part10::rle(&samples)]),
            _ => set.native(&samples),
        };
        std::fs::write(place.path().join(format!("{number:02}")), set.part10()).expect("a file");
    }
    timed(bencher, place.path());
}

/// The shared data's slice in every syntax that cspine reads; nothing where the data is missing.
fn matrix() -> Vec<String> {
    let files = corpus::below(&corpus::shared_root().join("codec-matrix"));
    let readable = files.iter().filter(|path| {
        let (studies, _, _) = scan_all(&[(*path).clone()], &Cancel::new());
        let mut series = studies.iter().flat_map(|study| &study.series);
        series.any(|series| load_volume(series, &Cancel::new(), &|_, _| {}).is_ok())
    });
    readable.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
}

#[divan::bench(args = matrix(), sample_count = 20)]
fn slice_of_the_matrix(bencher: Bencher<'_, '_>, file: &str) {
    timed(bencher, &corpus::shared_root().join("codec-matrix").join(file));
}

/// Times a load, in bytes of voxels a second.
fn timed(bencher: Bencher<'_, '_>, path: &Path) {
    let series = largest(path);
    let voxels = volume(&series).voxels.len();
    bencher.counter(BytesCount::new(voxels * 2)).bench_local(|| volume(&series));
}

/// A neck's volume of 300 slices.
fn volume_for_pictures() -> Volume {
    let shape = VolumeShape { slices: 300, rows: usize::from(SIDE), columns: usize::from(SIDE) };
    let slice: Vec<i16> = samples().into_iter().map(|value| value.cast_signed() - 1024).collect();
    let info = |index: usize| SliceInfo {
        sop_instance_uid: Uid::from_file(&format!("1.2.{index}")),
        frame: 0,
        instance_number: None,
        position: None,
        lut: ModalityLut::IDENTITY,
    };
    Volume {
        series_uid: Uid::from_file("1.2"),
        shape,
        voxels: slice.repeat(shape.slices),
        plane: ImagePlane::new([-125.0, -125.0, 100.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        stack_axis: -PatientPoint::Z,
        spacing: PixelSpacing::new(0.49, 0.49),
        stack: SliceStack::new((0..shape.slices).map(|index| index as f64 * 0.6).collect()),
        slices: (0..shape.slices).map(info).collect(),
        windows: Vec::new(),
        units: Units::Hounsfield,
        inverted: false,
        oddities: Vec::new(),
    }
}

/// From a key to finished pixels: another slice of a plane at 1000 × 1000, by name; with a thickness in mm a slab of it.
#[divan::bench(args = ["axial", "sagittal", "coronal", "axial 10", "sagittal 10"], sample_count = 100)]
fn pixels_of(bencher: Bencher<'_, '_>, what: &str) {
    let volume = volume_for_pictures();
    let (name, thickness) = what.split_once(' ').unwrap_or((what, ""));
    let plane = Plane::ALL.into_iter().find(|plane| plane.name() == name).expect("a plane");
    let slab = thickness.parse().ok().map(|thickness_mm| Slab { kind: SlabKind::Mean, thickness_mm });
    let size = PictureSize { width: 1000, height: 1000, pixel_aspect: 1.0 };
    let mut slice = 100;
    bencher.bench_local(|| {
        slice = 100 + (slice - 99) % 100;
        let view = View { slab, ..View::new(plane, slice, WindowLevel::default()) };
        render(&volume, &view, size).expect("drawn")
    });
}

/// The whole neck of the shared data, uncompressed.
#[divan::bench(args = neck(), sample_count = 5)]
fn whole_neck(bencher: Bencher<'_, '_>, path: &str) {
    timed(bencher, Path::new(path));
}

fn neck() -> Option<String> {
    let path: PathBuf = corpus::shared_root().join("vhf-neck");
    path.is_dir().then(|| path.display().to_string())
}
