//! The parts of a study's way from its files to its numbers, each alone on one thread: its speed and its share of the whole. And what
//! reading ahead is worth on a mount where every file costs some time before it comes.
//!
//! `cargo bench --bench shares` with a synthetic neck of its own, `-- FOLDER` with the largest series of a folder.

use cspine::dicom::{load_volume, load_volume_through, scan_all};
use cspine::domain::{Series, Volume, WindowLevel};
use cspine::inference::{Compute, ModelSource, Package, Preprocessor, content_hash};
use cspine::phantom::{Coverage, Recipe, generate, write_slice, write_study};
use cspine::raster::{PictureSize, Plane, View, render};
use cspine::task::Cancel;
use cspine::terminal::Protocol;
use cspine::terminal::simulated::encoded;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Slices of the neck that is made where no folder is named.
const SLICES: usize = 100;
/// What a file costs on a mount before its bytes come: some round trips.
const LATENCIES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(3), Duration::from_millis(15)];
const MIB: f64 = 1024.0 * 1024.0;

/// A part: what it is, how long it took, how many slices, how many bytes they have for it.
struct Part {
    name: &'static str,
    took: Duration,
    slices: usize,
    bytes: usize,
}

fn timed<T>(name: &'static str, slices: usize, bytes: usize, work: impl FnOnce() -> T) -> (Part, T) {
    let begun = Instant::now();
    let result = work();
    (Part { name, took: begun.elapsed(), slices, bytes }, result)
}

fn one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread").install(work)
}

fn neck(folder: &Path) {
    let mut recipe =
        (9_700_000..).map(Recipe::random).find(|recipe| recipe.scan.coverage == Coverage::Neck).expect("a neck");
    let length = recipe.scan.slices as f32 * recipe.scan.spacing_mm;
    (recipe.scan.slices, recipe.scan.spacing_mm) = (SLICES, length / SLICES as f32);
    recipe.scan.thickness_mm = recipe.scan.spacing_mm;
    let study = generate(&recipe, &Cancel::new()).expect("a neck");
    write_study(&study, folder, &Cancel::new(), &write_slice).expect("files");
}

fn largest(folder: &Path) -> Series {
    let (studies, ..) = scan_all(&[folder.to_owned()], &Cancel::new());
    let series = studies.into_iter().flat_map(|study| study.series);
    series.max_by_key(|series| series.instances.len()).expect("a series")
}

/// The parts of the way to the numbers; the network is the last, where there is one.
fn parts(folder: &Path, series: &Series, cache: &Path) -> (Vec<Part>, Volume) {
    let slices = series.instances.len();
    let bytes_of = |path: &PathBuf| std::fs::read(path).map_or(0, |bytes| bytes.len());
    let files: Vec<PathBuf> = series.instances.iter().map(|instance| instance.path.clone()).collect();
    let (mut read, stored) = timed("read files", slices, 0, || files.iter().map(bytes_of).sum::<usize>());
    read.bytes = stored;
    let (scan, _) = timed("header scan", slices, stored, || one_thread(|| largest(folder)));
    let (mut load, volume) = timed("decode to a volume", slices, 0, || {
        one_thread(|| load_volume(series, &Cancel::new(), &|_, _| {}).expect("a volume"))
    });
    load.bytes = volume.voxels.len() * 2;
    // The load reads the files, too.
    load.took = load.took.saturating_sub(read.took);
    let (hash, _) = timed("content hash", slices, load.bytes, || one_thread(|| content_hash(&volume)));
    let mut found = vec![scan, read, load, hash];
    match Package::load(
        &ModelSource::Embedded,
        Some(cache),
        Compute { threads: NonZeroUsize::new(1), ..Compute::default() },
    ) {
        Err(error) => println!("no network: {error}"),
        Ok(mut package) => {
            let (course, preprocessor) = timed("spine's course", slices, volume.voxels.len() * 2, || {
                one_thread(|| Preprocessor::new(&volume, &package.manifest.input).expect("axial"))
            });
            let made = slices * preprocessor.input_len();
            let (window, _) = timed("window + resample", slices, made, || {
                (0..slices).filter_map(|slice| preprocessor.input(slice)).map(|input| input.len()).sum::<usize>()
            });
            let speed = package.speed(4, Duration::from_secs(2)).expect("the network runs");
            let took = Duration::from_secs_f64(slices as f64 / speed);
            found.extend([course, window, Part { name: "network, every slice", took, slices, bytes: made }]);
        }
    }
    (found, volume)
}

fn print(parts: &[Part]) {
    let whole: f64 = parts.iter().map(|part| part.took.as_secs_f64()).sum();
    for Part { name, took, slices, bytes } in parts {
        let seconds = took.as_secs_f64().max(1e-9);
        println!(
            "  {name:<24} {:>9.1} ms {:>9.0} slices/s {:>8.0} MiB/s {:>6.1} %",
            seconds * 1e3,
            *slices as f64 / seconds,
            *bytes as f64 / MIB / seconds,
            100.0 * seconds / whole
        );
    }
}

/// Pictures of every slice for a terminal, and their encoding: not on the way to the numbers.
fn pictures(volume: &Volume) {
    let (size, window) = (PictureSize { width: 512, height: 512, pixel_aspect: 1.0 }, WindowLevel::default());
    let view = |slice| View::new(Plane::Axial, slice, window);
    let slices = volume.shape.slices;
    let (drawn, pictures) = timed("picture, 512 × 512", slices, slices * 512 * 512, || {
        one_thread(|| {
            let draw = |slice| render(volume, &view(slice), size).ok().map(Arc::new);
            (0..slices).filter_map(draw).collect::<Vec<_>>()
        })
    });
    let encode = |name, protocol| {
        let all = || pictures.iter().filter_map(|picture| encoded(protocol, picture)).map(|bytes| bytes.len()).sum();
        let (mut part, bytes): (Part, usize) = timed(name, slices, 0, all);
        part.bytes = bytes;
        part
    };
    println!("and for each picture that is shown:");
    print(&[drawn, encode("encode for kitty", Protocol::Kitty), encode("encode as sixel", Protocol::Sixel)]);
}

fn main() {
    let place = tempfile::tempdir().expect("a folder");
    // `cargo bench` itself adds words that begin with a dash.
    let named = std::env::args().skip(1).find(|word| !word.starts_with('-')).map(PathBuf::from);
    let folder = named.unwrap_or_else(|| {
        neck(&place.path().join("neck"));
        place.path().join("neck")
    });
    let series = largest(&folder);
    let (found, volume) = parts(&folder, &series, &place.path().join("cache"));
    println!(
        "{} slices of {} × {}, one thread, one part after the other:",
        volume.shape.slices, volume.shape.rows, volume.shape.columns
    );
    print(&found);
    pictures(&volume);
    drop(volume);
    println!("a load where each file costs a while before it comes, all cores:");
    for latency in LATENCIES {
        let waits = |_: &Path| std::thread::sleep(latency);
        let begun = Instant::now();
        load_volume_through(&series, &Cancel::new(), &|_, _| {}, &waits).expect("a volume");
        let alone = latency * u32::try_from(series.instances.len()).unwrap_or(u32::MAX);
        println!(
            "  {latency:>6.0?} a file: {:.2?} (the waiting alone, one after the other: {alone:.2?})",
            begun.elapsed()
        );
    }
}
