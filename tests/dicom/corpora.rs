//! Every file of the corpora is read right or refused with a reason: the shared test data as a whole, and the files inside the
//! PyPI package pydicom. Where pydicom decodes a file too, each voxel is compared with what its values say.
//!
//! `cargo test --test dicom corpora:: -- --nocapture` prints the table.

use crate::support::{corpus, oracle, part10, shared};
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{ModalityLut, Oddity, Volume};
use cspine::task::Cancel;
use oracle::{Facts, Oracle};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// No file may take longer.
const LIMIT: Duration = Duration::from_secs(5);

/// Where two decoders of a lossy syntax may differ: in stored values, by the end of the file's name or else by the syntax. The
/// inverse transforms of JPEG (T.81) and of irreversible JPEG 2000 (T.800) are not exact; those of JPEG-LS are.
const TOLERANCES: [(&str, i32); 6] = [
    ("1.2.840.10008.1.2.4.50", 1),
    ("1.2.840.10008.1.2.4.51", 2),
    ("1.2.840.10008.1.2.4.53", 2),
    ("1.2.840.10008.1.2.4.55", 2),
    ("1.2.840.10008.1.2.4.91", 1),
    ("1.2.840.10008.1.2.4.203", 1),
];

/// Grey pictures of at most 16 bits that pydicom decodes and cspine refuses all the same, by the end of the path, and why.
const REFUSED_ON_PURPOSE: &[(&str, &str)] = &[
    ("18-bad-numbers/IM0005.dcm", "RescaleSlope is 0: every voxel would be the same"),
    ("18-bad-numbers/IM0016.dcm", "RescaleSlope is 1e-400, which is 0"),
    ("27-odd-bit-depths/IM0003.dcm", "HighBit is below BitsStored - 1"),
];

/// Pictures that no volume can hold, by the end of the path, and the word in the refusal that tells the user why.
const TELLS: &[(&str, &str)] = &[
    ("codec-matrix/TestPattern_RGB.dcm", "color"),
    ("codec-matrix/TestPattern_Palette.dcm", "color"),
    ("codec-matrix/TestPattern_JPEG-LS-Lossless.dcm", "color"),
    ("02-zero-byte/IM0009.dcm", "empty"),
    ("04-png-named-dcm/IM0009.dcm", "not DICOM"),
    ("20-deep-sequence/IM0004.dcm", "nested too deeply"),
    ("28-unknown-transfer-syntax/IM0004.dcm", "1.2.840.99999.1.2.9"),
    ("MR_truncated.dcm", "cut off"),
    ("SC_rgb_rle.dcm", "color"),
    ("examples_palette.dcm", "color"),
];

/// Files that the two decode to different values, by the end of the path, and why cspine is right.
const DIFFERENT_ON_PURPOSE: &[(&str, &str)] = &[];

static PANICS: AtomicUsize = AtomicUsize::new(0);
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// What cspine makes of one file.
enum Outcome {
    Read(Vec<Volume>),
    Refused(String),
}

/// Scans a folder that holds only this file, under its own name, and loads what is in it.
fn read(path: &Path) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let alone = folder.path().join(path.file_name().expect("a file"));
    if std::fs::hard_link(path, &alone).is_err() {
        std::fs::copy(path, &alone).expect("a copy");
    }
    let (studies, unreadable, summary) = scan_all(&[folder.path().to_owned()], &Cancel::new());
    let mut volumes = Vec::new();
    let mut reasons: Vec<String> = unreadable.into_iter().map(|(_, reason)| reason).collect();
    for series in studies.iter().flat_map(|study| &study.series) {
        match load_volume(series, &Cancel::new(), &|_, _| {}) {
            Ok(volume) => volumes.push(volume),
            Err(error) => {
                let told = series.oddities.iter().map(Oddity::to_string).collect::<Vec<_>>().join(", ");
                // The path in the message is that of a folder of ours.
                let error = error.to_string().replace(&format!("{}: ", alone.display()), "");
                reasons.push(if told.is_empty() { error } else { format!("{error} ({told})") });
            }
        }
    }
    if !volumes.is_empty() {
        return Outcome::Read(volumes);
    }
    if reasons.is_empty() && summary.not_dicom > 0 {
        reasons.push("not DICOM".into());
    }
    reasons.dedup();
    Outcome::Refused(reasons.join("; "))
}

fn entry(table: &[(&str, &str)], path: &Path) -> bool {
    table.iter().any(|(end, _)| path.to_string_lossy().ends_with(end))
}

/// The voxels that pydicom's stored values stand for, as `cspine::dicom` defines them: padding and what is below air are air.
fn expected(facts: &Facts, stored: &[i32], frame: usize, is_hounsfield: bool) -> Option<Vec<i16>> {
    let [slope, intercept] = facts.luts[frame];
    let lut = ModalityLut::new(slope, intercept)?;
    let len = facts.rows * facts.columns;
    let voxel = |&value: &i32| {
        if facts.padding.is_some_and(|[low, high]| (low..=high).contains(&value)) {
            return if is_hounsfield { Volume::AIR } else { 0 };
        }
        let hu = lut.hounsfield(value);
        if is_hounsfield { hu.max(Volume::AIR) } else { hu }
    };
    Some(stored.get(frame * len..(frame + 1) * len)?.iter().map(voxel).collect())
}

/// Compares what both decoded. Returns what was compared and how it came out, or what is wrong.
fn compare(path: &Path, volumes: &[Volume], facts: &Facts, stored: &[i32]) -> Result<String, String> {
    let tolerance = TOLERANCES.iter().find(|(syntax, _)| *syntax == facts.syntax).map_or(0, |(_, stored)| *stored);
    let mut compared = 0;
    let mut furthest = 0;
    for volume in volumes {
        for (index, slice) in volume.slices.iter().enumerate() {
            let frame = slice.frame as usize;
            let (Some(voxels), true) = (volume.slice(index), frame < facts.frames) else {
                return Err(format!("frame {frame} of {}", facts.frames));
            };
            if (volume.shape.rows, volume.shape.columns) != (facts.rows, facts.columns) {
                return Err(format!("{:?}, but pydicom has {} × {}", volume.shape, facts.rows, facts.columns));
            }
            let Some(expected) = expected(facts, stored, frame, volume.is_hounsfield()) else {
                return Err(format!("read with a rescale of {:?}", facts.luts[frame]));
            };
            let allowed = (f64::from(tolerance) * facts.luts[frame][0].abs()).ceil() as i32;
            let apart = |(a, b): (&i16, &i16)| (i32::from(*a) - i32::from(*b)).abs();
            let far = voxels.iter().zip(&expected).map(apart).max().unwrap_or(0);
            if far > allowed && !entry(DIFFERENT_ON_PURPOSE, path) {
                let wrong = voxels.iter().zip(&expected).filter(|pair| apart(*pair) > allowed).count();
                return Err(format!("{wrong} voxels differ from pydicom's, by up to {far} (allowed: {allowed})"));
            }
            furthest = furthest.max(far);
            compared += 1;
        }
    }
    let frames = if compared == 1 { String::new() } else { format!("{compared} frames ") };
    Ok(if furthest == 0 { format!("{frames}as pydicom") } else { format!("{frames}as pydicom ± {furthest}") })
}

/// One file: its line in the table, and what is wrong.
fn judge(path: &Path, oracle: &mut Option<Oracle>) -> (String, Option<String>) {
    let panics = PANICS.load(Ordering::Relaxed);
    let begun = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| read(path)));
    let took = begun.elapsed();
    if outcome.is_err() || PANICS.load(Ordering::Relaxed) != panics {
        let panic = LAST_PANIC.lock().map_or_else(|_| String::new(), |text| text.clone());
        return ("PANIC".into(), Some(panic));
    }
    let answer = oracle.as_mut().map(|oracle| oracle.ask(path));
    let (line, mut wrong) = match (outcome.expect("no panic"), answer) {
        (Outcome::Read(volumes), Some(Ok((facts, stored)))) if !stored.is_empty() => {
            match compare(path, &volumes, &facts, &stored) {
                Ok(how) => (format!("read, {how}"), None),
                Err(problem) => ("read, WRONG".into(), Some(problem)),
            }
        }
        (Outcome::Read(_), Some(Ok((facts, _)))) => {
            let problem = format!("read, but it is {} with {} bits", facts.photometric, facts.bits);
            ("read, WRONG".into(), Some(problem))
        }
        (Outcome::Read(_), Some(Err(_))) => ("read, pydicom does not".into(), None),
        (Outcome::Read(_), None) => ("read".into(), None),
        (Outcome::Refused(reason), answer) => {
            let told = !reason.is_empty() && !reason.chars().any(char::is_control);
            let grey = answer.and_then(Result::ok).is_some_and(|(facts, _)| {
                facts.samples == 1
                    && facts.integers
                    && matches!(facts.bits, 8..=16)
                    && facts.photometric.starts_with("MONOCHROME")
            });
            let wrong = if !told {
                Some(format!("refused without a reason that can be read: {reason:?}"))
            } else if TELLS.iter().any(|(end, word)| path.to_string_lossy().ends_with(end) && !reason.contains(word)) {
                Some(format!("the refusal does not say what it should: {reason}"))
            } else if grey && !entry(REFUSED_ON_PURPOSE, path) {
                Some(format!("pydicom reads this gray image: {reason}"))
            } else {
                None
            };
            (format!("refused: {reason}"), wrong)
        }
    };
    if took > LIMIT {
        wrong = Some(format!("it took {:.1} s", took.as_secs_f64()));
    }
    (line, wrong)
}

/// Judges all files and prints the table; neighbours with the same line are told together.
fn table(name: &str, root: &Path, files: &[PathBuf], oracle: &mut Option<Oracle>) -> Vec<String> {
    let (mut problems, mut rows) = (Vec::new(), Vec::<(PathBuf, PathBuf, usize, String)>::new());
    let (mut read, mut refused) = (0, 0);
    for path in files {
        let (line, wrong) = judge(path, oracle);
        let below = path.strip_prefix(root).unwrap_or(path).to_owned();
        if let Some(problem) = wrong {
            problems.push(format!("{}: {problem}", below.display()));
        }
        *(if line.starts_with("read") { &mut read } else { &mut refused }) += 1;
        match rows.last_mut() {
            Some((_, last, count, text)) if *text == line && last.parent() == below.parent() => {
                *last = below;
                *count += 1;
            }
            _ => rows.push((below.clone(), below, 1, line)),
        }
    }
    let mut text =
        format!("\n{name}: {} files, {read} read, {refused} refused, {} wrong\n", files.len(), problems.len());
    for (first, last, count, line) in rows {
        let files = match count {
            1 => first.display().to_string(),
            _ => format!("{} … {} ({count})", first.display(), last.file_name().unwrap_or_default().display()),
        };
        let _ = writeln!(text, "  {files}: {line}");
    }
    println!("{text}");
    problems
}

#[test]
fn every_file_of_the_corpora_is_read_right_or_refused_with_a_reason() {
    std::panic::set_hook(Box::new(|info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut last) = LAST_PANIC.lock() {
            *last = info.to_string();
        }
    }));
    let mut oracle = Oracle::start();
    let mut problems = Vec::new();
    if let Some(root) = shared::folder("") {
        problems.extend(table("shared data", &root, &corpus::below(&root), &mut oracle));
    }
    match corpus::pydicom_root() {
        Some(root) => problems.extend(table("pydicom", &root, &corpus::below(&root), &mut oracle)),
        None => {
            let required = std::env::var_os("CSPINE_REQUIRE_PYDICOM").is_some_and(|value| value == "1");
            assert!(!required, "CSPINE_REQUIRE_PYDICOM=1, but CSPINE_PYDICOM_FILES is not set");
            println!("skipped: CSPINE_PYDICOM_FILES names no files of pydicom");
        }
    }
    drop(std::panic::take_hook());
    assert!(problems.is_empty(), "{} files:\n{}", problems.len(), problems.join("\n"));
}

/// A voxel that differs is told; the same file with the values that it holds is not.
#[test]
fn a_planted_difference_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("made.dcm");
    let file = part10::DataSet::ct_slice(part10::EXPLICIT_LE, 2, 3, false, 12, 1).native(&[0, 1, 2, 3, 4, 5]).part10();
    std::fs::write(&path, file).expect("a file");
    let Outcome::Read(volumes) = read(&path) else { panic!("a made file is read") };
    let facts = Facts {
        rows: 2,
        columns: 3,
        frames: 1,
        samples: 1,
        photometric: "MONOCHROME2".into(),
        bits: 16,
        integers: true,
        syntax: part10::EXPLICIT_LE.into(),
        luts: vec![[1.0, -1024.0]],
        padding: None,
        bytes: 0,
    };
    assert_eq!(compare(&path, &volumes, &facts, &[0, 1, 2, 3, 4, 5]), Ok("as pydicom".into()));
    assert!(compare(&path, &volumes, &facts, &[0, 1, 2, 3, 4, 6]).is_err());
    assert!(compare(&path, &volumes, &Facts { luts: vec![[1.0, -1000.0]], ..facts }, &[0, 1, 2, 3, 4, 5]).is_err());
}
