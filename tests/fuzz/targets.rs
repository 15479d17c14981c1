//! What is fuzzed: each target takes any bytes and must come back without a panic, in time and within its memory.

use super::geometry;
use super::hounsfield;
use super::mutate::{self, Mutator};
use super::part10::DataSet;
use super::seeds;
use super::stacks;
use cspine::config::{Keymap, Settings};
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{Series, Study, Units, Volume, choose_series, explain, suitable};
use cspine::inference::{Manifest, Preprocessor};
use cspine::raster::{PictureSize, Plane, View, plane_len, render};
use cspine::task::Cancel;
use cspine::terminal::fuzz::parse_input;
use cspine::theme::Theme;
use std::path::{Path, PathBuf};

/// One thing that reads what strangers wrote.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Path, &[u8]),
    pub(crate) mutate: Mutator,
    pub(crate) seeds: fn() -> Vec<Vec<u8>>,
    /// Inputs of the short run at scale 1.
    #[allow(dead_code, reason = "the long run is bounded by time")]
    pub(crate) inputs: u64,
}

/// The compressed code streams, each with the transfer syntaxes that the first byte of an input chooses from.
macro_rules! codecs {
    ($($run:ident, $seeds:ident: $syntaxes:expr;)*) => { $(
        fn $run(place: &Path, input: &[u8]) {
            code_stream(place, input, &$syntaxes);
        }
        fn $seeds() -> Vec<Vec<u8>> {
            seeds::code_streams(&$syntaxes)
        }
    )* };
}

codecs! {
    rle, rle_seeds: ["1.2.840.10008.1.2.5"];
    jpeg, jpeg_seeds:
        ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"];
    jpeg_lossless, jpeg_lossless_seeds: ["1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"];
    jpeg_ls, jpeg_ls_seeds: ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"];
    jpeg_2000, jpeg_2000_seeds: ["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"];
    htj2k, htj2k_seeds: ["1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"];
    jpeg_xl, jpeg_xl_seeds: ["1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.4.111", "1.2.840.10008.1.2.4.112"];
}

/// All targets, in the order in which the short run takes them.
pub(crate) const ALL: [Target; 18] = [
    Target { name: "header", run: header, mutate: mutate::dicom, seeds: seeds::headers, inputs: 3000 },
    Target { name: "scan", run: scan, mutate: mutate::bytes, seeds: seeds::folders, inputs: 400 },
    Target { name: "archive", run: archive, mutate: mutate::bytes, seeds: seeds::archives, inputs: 600 },
    Target { name: "pixels", run: pixels, mutate: mutate::dicom, seeds: seeds::pictures, inputs: 600 },
    Target { name: "volume", run: volume, mutate: mutate::bytes, seeds: seeds::geometries, inputs: 400 },
    Target { name: "hounsfield", run: hounsfield, mutate: mutate::bytes, seeds: hounsfield::stacks, inputs: 600 },
    Target { name: "stacks", run: stacks, mutate: mutate::bytes, seeds: stacks::seeds, inputs: 400 },
    Target { name: "rle", run: rle, mutate: mutate::bytes, seeds: rle_seeds, inputs: 400 },
    Target { name: "jpeg", run: jpeg, mutate: mutate::stream, seeds: jpeg_seeds, inputs: 200 },
    Target {
        name: "jpeg-lossless",
        run: jpeg_lossless,
        mutate: mutate::stream,
        seeds: jpeg_lossless_seeds,
        inputs: 300,
    },
    Target { name: "jpeg-ls", run: jpeg_ls, mutate: mutate::stream, seeds: jpeg_ls_seeds, inputs: 200 },
    Target { name: "jpeg-2000", run: jpeg_2000, mutate: mutate::stream, seeds: jpeg_2000_seeds, inputs: 150 },
    Target { name: "htj2k", run: htj2k, mutate: mutate::stream, seeds: htj2k_seeds, inputs: 200 },
    Target { name: "jpeg-xl", run: jpeg_xl, mutate: mutate::bytes, seeds: jpeg_xl_seeds, inputs: 200 },
    Target { name: "settings", run: settings, mutate: mutate::toml, seeds: seeds::settings, inputs: 3000 },
    Target { name: "theme", run: theme, mutate: mutate::toml, seeds: seeds::themes, inputs: 1500 },
    Target { name: "manifest", run: manifest, mutate: mutate::toml, seeds: seeds::manifests, inputs: 3000 },
    Target { name: "terminal", run: terminal, mutate: mutate::bytes, seeds: seeds::terminals, inputs: 20_000 },
];

fn written(place: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = place.join(name);
    std::fs::write(&path, bytes).expect("the place can be written to");
    path
}

fn studies(path: &Path) -> Vec<Study> {
    let (studies, unreadable, summary) = scan_all(&[path.to_owned()], &Cancel::new());
    assert!(summary.unreadable == 0 || !unreadable.is_empty(), "what is unreadable is told");
    for (_, reason) in &unreadable {
        assert!(!reason.chars().any(char::is_control), "a reason that steers a terminal: {reason:?}");
    }
    for study in &studies {
        let _ = choose_series(study).map_err(|reason| assert_clean(&reason.to_string()));
        for text in [&study.patient.name, &study.patient.id, &study.description, &study.accession] {
            assert_clean(text.as_str());
        }
        for series in &study.series {
            assert_clean(&explain(series));
            for oddity in &series.oddities {
                assert_clean(&oddity.to_string());
            }
        }
    }
    studies
}

fn assert_clean(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?} could steer a terminal");
}

/// A volume that keeps what it promises, drawn in all planes and given to the network's preprocessing.
fn loaded(series: &Series) {
    let Ok(volume) = load_volume(series, &Cancel::new(), &|_, _| {}).map_err(|error| assert_clean(&error.to_string()))
    else {
        return;
    };
    assert_eq!(volume.voxels.len(), volume.shape.len(), "voxels fill the shape");
    assert_eq!(volume.slices.len(), volume.shape.slices, "every slice is described");
    assert_eq!(volume.stack.offsets.len(), volume.shape.slices, "every slice has its place");
    assert!(volume.stack.offsets.iter().all(|offset| offset.is_finite()), "{:?}", volume.stack.offsets);
    assert!(
        volume.units != Units::Hounsfield || volume.voxels.iter().all(|hu| *hu >= Volume::AIR),
        "nothing is less than air"
    );
    let window = volume.windows.first().map_or(cspine::domain::WindowLevel::new(40.0, 400.0), |own| Some(own.window));
    let Some(window) = window else { return };
    for plane in Plane::ALL {
        for slice in [0, plane_len(&volume, plane) / 2] {
            let view = View::new(plane, slice, window);
            let size = PictureSize { width: 24, height: 16, pixel_aspect: 1.0 };
            let _ = render(&volume, &view, size).map_err(|error| assert_clean(&error.to_string()));
        }
    }
    if let Ok(spec) = Manifest::parse(seeds::MANIFEST)
        && let Ok(preprocessor) = Preprocessor::new(&volume, &spec.input)
    {
        for slice in [0, volume.shape.slices / 2] {
            assert_eq!(preprocessor.input(slice).map(|input| input.len()), Some(preprocessor.input_len()));
        }
    }
}

fn header(place: &Path, input: &[u8]) {
    studies(&written(place, "header.dcm", input));
}

/// Names that a folder's files may have: what a scan decides by name, it decides by these.
const NAMES: [&str; 8] = ["a.dcm", "b", "DICOMDIR", "c.zip", "d.tar", "e.tar.gz", "._f.txt", "g/IM1"];

/// A folder of up to eight files: name, length, bytes, and so on.
fn scan(place: &Path, mut input: &[u8]) {
    let folder = place.join("folder");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("g")).expect("the place can be written to");
    for _ in 0..NAMES.len() {
        let Some((&[name, a, b, c], rest)) = input.split_first_chunk::<4>() else { break };
        let length = (u32::from_le_bytes([a, b, c, 0]) as usize).min(rest.len());
        written(&folder, NAMES[usize::from(name) % NAMES.len()], &rest[..length]);
        input = &rest[length..];
    }
    studies(&folder);
    studies(&folder.join("DICOMDIR"));
}

/// One archive, whatever it holds: listed, with the archives in it, and what is found loaded.
fn archive(place: &Path, input: &[u8]) {
    for study in studies(&written(place, "archive", input)) {
        study.series.iter().for_each(loaded);
    }
}

fn pixels(place: &Path, input: &[u8]) {
    for study in studies(&written(place, "pixels.dcm", input)) {
        study.series.iter().for_each(loaded);
    }
}

/// A code stream in a file whose header the input's first eight bytes choose.
fn code_stream(place: &Path, input: &[u8], syntaxes: &[&str]) {
    let Some((control, stream)) = input.split_first_chunk::<{ seeds::CONTROL }>() else { return };
    let (syntax, rows, columns, bits, signed) = seeds::control(control, syntaxes);
    let file = DataSet::ct_slice(syntax, rows, columns, signed, bits, 1).fragments(&[stream]).part10();
    pixels(place, &file);
}

fn volume(place: &Path, input: &[u8]) {
    let folder = place.join("volume");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the place can be written to");
    for (index, file) in geometry::files(input).iter().enumerate() {
        written(&folder, &format!("{index:02}"), file);
    }
    for study in studies(&folder) {
        study.series.iter().for_each(loaded);
    }
}

/// Whatever may be analyzed is in Hounsfield units indeed.
fn hounsfield(place: &Path, input: &[u8]) {
    let Some(made) = hounsfield::made(input) else { return };
    let folder = place.join("hounsfield");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the place can be written to");
    for (index, file) in made.files.iter().enumerate() {
        written(&folder, &format!("{index:02}"), file);
    }
    for series in studies(&folder).iter().flat_map(|study| &study.series).filter(|series| suitable(series).is_ok()) {
        let Ok(volume) = load_volume(series, &Cancel::new(), &|_, _| {}) else { continue };
        if volume.units.confirmed().is_err() || volume.voxels.len() != made.truth.len() {
            continue;
        }
        let apart = |(hu, truth): (&i16, &i16)| (i32::from(*hu) - i32::from(*truth).max(-1024)).abs() > 100;
        let wrong = volume.voxels.iter().zip(&made.truth).filter(|pair| apart(*pair)).count();
        assert!(8 * wrong <= made.truth.len(), "{wrong} voxels are wrong without a word: {:?}", volume.oddities);
    }
}

fn stacks(place: &Path, input: &[u8]) {
    let folder = place.join("stacks");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the place can be written to");
    for (index, file) in stacks::made(input).iter().enumerate() {
        written(&folder, &format!("{index:02}"), file);
    }
    for series in studies(&folder).iter().flat_map(|study| &study.series).filter(|series| suitable(series).is_ok()) {
        let Ok(volume) = load_volume(series, &Cancel::new(), &|_, _| {}) else { continue };
        let labels: Vec<stacks::Label> =
            (0..volume.shape.slices).filter_map(|slice| volume.at(slice, 0, 0)).map(stacks::Label::of_voxel).collect();
        let joined = labels.iter().all(|label| labels.iter().all(|other| label.may_join(*other)));
        assert!(joined, "a stack of several acquisitions or patients: {labels:?}, {:?}", volume.oddities);
    }
}

fn settings(place: &Path, input: &[u8]) {
    match Settings::load(&written(place, "settings.toml", input)) {
        Ok(settings) => drop(Keymap::builtin().with_overrides(&settings).markdown()),
        Err(error) => assert_clean(&error.to_string()),
    }
}

fn theme(place: &Path, input: &[u8]) {
    let folder = place.join("themes");
    std::fs::create_dir_all(&folder).expect("the place can be written to");
    written(&folder, "mine.toml", input);
    match Theme::load("mine", Some(&folder)) {
        Ok(theme) => drop((theme.without_colour(), theme.in_256_colours())),
        Err(error) => assert_clean(&error.to_string()),
    }
}

fn manifest(_: &Path, input: &[u8]) {
    if let Err(error) = Manifest::parse(&String::from_utf8_lossy(input)) {
        assert_clean(&error.to_string());
    }
}

fn terminal(_: &Path, input: &[u8]) {
    let (whole, paused) = parse_input(input);
    assert!(whole <= input.len() + 1 && paused <= 2 * input.len(), "no byte becomes many inputs");
}
