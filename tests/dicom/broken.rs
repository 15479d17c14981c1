//! Every folder of deliberately bad input: which slices are kept, what is told, which files are named, and how long it takes.

use crate::support::shared;
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{Ambiguity, Oddity, Repair, choose_series};
use cspine::raster::{Plane, plane_len};
use cspine::task::Cancel;
use std::path::Path;
use std::time::{Duration, Instant};

/// No folder may take longer, whatever it claims.
const LIMIT: Duration = Duration::from_secs(5);
/// A study of 128 × 128 pictures never needs more memory than this over what the program had, KiB.
const MEMORY: u64 = 400 * 1024;

/// One folder: slices of each series' volume, all that is told of them, files that are named with part of the reason, and why
/// the study is not analysed.
struct Expected {
    folder: &'static str,
    slices: &'static [usize],
    told: &'static [Oddity],
    /// Slices that are lost only when the pixels are decoded, with part of the reason.
    lost: &'static [(usize, &'static str)],
    unreadable: &'static [(&'static str, &'static str)],
    declined: Option<&'static str>,
}

const fn folder(folder: &'static str, slices: &'static [usize], told: &'static [Oddity]) -> Expected {
    Expected { folder, slices, told, lost: &[], unreadable: &[], declined: None }
}

const fn losing(expected: Expected, lost: &'static [(usize, &'static str)]) -> Expected {
    Expected { lost, ..expected }
}

const fn declined(expected: Expected, reason: &'static str) -> Expected {
    Expected { declined: Some(reason), ..expected }
}

const fn unreadable(expected: Expected, files: &'static [(&'static str, &'static str)]) -> Expected {
    Expected { unreadable: files, ..expected }
}

const GAP_AND_LOST: &[Oddity] = &[Oddity::Gaps(1), Oddity::UnreadablePixels(1)];

const TABLE: [Expected; 28] = [
    unreadable(folder("01-truncated-pixel-data", &[7], GAP_AND_LOST), &[("IM0004.dcm", "cut off")]),
    unreadable(folder("02-zero-byte", &[8], &[]), &[("IM0009.dcm", "empty")]),
    unreadable(folder("03-text-named-dcm", &[8], &[]), &[("README.dcm", "not DICOM")]),
    unreadable(folder("04-png-named-dcm", &[8], &[]), &[("IM0009.dcm", "not DICOM")]),
    folder("05-rows-zero", &[7], GAP_AND_LOST),
    declined(folder("06-no-pixel-spacing", &[8], &[Oddity::NoPixelSpacing]), "pixel spacing missing"),
    folder("07-duplicate-sop-uid", &[8], &[Oddity::DoubledInstanceUid(1), Oddity::Copies(1)]),
    declined(folder("08-no-image-position", &[8], &[Oddity::NoPositions]), "slice positions missing"),
    folder("09-one-slice-without-position", &[7], &[Oddity::Gaps(1), Oddity::WithoutPosition(1)]),
    folder("10-two-series", &[8, 6], &[]),
    // Each file names another patient.
    declined(folder("11-hostile-text", &[1; 8], &[]), "1 slice, too few for a neck"),
    folder("12-legal-escapes-in-text", &[8], &[]),
    folder("13-missing-middle-slice", &[7], &[Oddity::Gaps(1)]),
    folder("14-gantry-tilt", &[8], &[Oddity::Tilt(150), Oddity::Oblique(150)]),
    folder("15-oblique", &[8], &[Oddity::Oblique(223)]),
    folder("16-huge-rows-columns", &[6], &[Oddity::Gaps(2), Oddity::UnreadablePixels(1), Oddity::MultiFrame(1)]),
    losing(
        unreadable(
            folder(
                "17-bad-encapsulation",
                &[5],
                &[
                    Oddity::Gaps(1),
                    Oddity::UnreadablePixels(2),
                    Oddity::Repaired(Repair::PixelSequenceEnd),
                    Oddity::Repaired(Repair::OffsetTable),
                ],
            ),
            &[("IM0005.dcm", "a fragment is cut off"), ("IM0007.dcm", "no compressed data")],
        ),
        &[(1, "code stream is cut off")],
    ),
    declined(
        folder(
            "18-bad-numbers",
            &[4],
            &[
                Oddity::MixedSizes(4),
                Oddity::WithoutPosition(2),
                Oddity::WithoutOrientation(2),
                Oddity::BadRescale(4),
                Oddity::BadWindow,
                Oddity::UnevenSpacing,
            ],
        ),
        "4 slices, too few for a neck",
    ),
    folder("19-no-preamble", &[8], &[Oddity::Repaired(Repair::NoMeta)]),
    unreadable(folder("20-deep-sequence", &[7], &[Oddity::Gaps(1)]), &[("IM0004.dcm", "nested too deeply")]),
    folder("21-mixed-sizes", &[7], &[Oddity::Gaps(1), Oddity::MixedSizes(1)]),
    folder("22-lying-element-length", &[8], &[Oddity::Repaired(Repair::PixelLength)]),
    folder("23-deflate-bomb", &[8], &[Oddity::Repaired(Repair::PixelLength)]),
    declined(
        folder(
            "24-same-positions-twice",
            &[8, 8],
            &[Oddity::SeveralStacks(2), Oddity::Ambiguous(Ambiguity::SharedPositions)],
        ),
        "several slices at the same positions, and nothing separates the acquisitions",
    ),
    folder("25-localizer-in-series", &[8], &[Oddity::Localizers(1)]),
    folder("26-monochrome1-and-colour", &[9], &[Oddity::NotGrey(1), Oddity::Monochrome1, Oddity::UnevenSpacing]),
    declined(
        folder("27-odd-bit-depths", &[5], &[Oddity::Gaps(1), Oddity::UnreadablePixels(3)]),
        "5 slices, too few for a neck",
    ),
    losing(
        unreadable(
            folder("28-unknown-transfer-syntax", &[7], &[Oddity::Gaps(1)]),
            &[("IM0004.dcm", "transfer syntax 1.2.840.99999.1.2.9 cannot be decoded")],
        ),
        &[(1, "transfer syntax")],
    ),
];

/// The most memory that the process ever held, KiB, where the platform tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

/// What is wrong with how a folder is read; empty when it is as the table says.
fn faults(root: &Path, expected: &Expected) -> Vec<String> {
    let mut faults = Vec::new();
    let begun = Instant::now();
    let (studies, unreadable, _) = scan_all(&[root.join(expected.folder)], &Cancel::new());
    let Some(study) = studies.first() else { return vec!["no study".to_owned()] };
    let series = studies.iter().flat_map(|study| &study.series);
    let volumes: Vec<_> = series.filter_map(|series| load_volume(series, &Cancel::new(), &|_, _| {}).ok()).collect();
    if begun.elapsed() > LIMIT {
        faults.push(format!("took {:?}", begun.elapsed()));
    }
    let slices: Vec<usize> = volumes.iter().map(|volume| volume.shape.slices).collect();
    if slices != expected.slices {
        faults.push(format!("slices {slices:?}, not {:?}", expected.slices));
    }
    for volume in &volumes {
        if volume.voxels.len() != volume.shape.len() || volume.inverted {
            faults.push("the volume does not hold what it says".into());
        }
        let reformats = Plane::ALL.iter().filter(|plane| plane_len(volume, **plane) > 0).count();
        if reformats != if volume.is_metric() { 3 } else { 1 } {
            faults.push(format!("{reformats} planes are shown"));
        }
        // Numbers in words are not in a constant table.
        let mut told: Vec<&Oddity> = volume
            .oddities
            .iter()
            .filter(|oddity| !matches!(oddity, Oddity::BadNumber(_) | Oddity::Unread { .. }))
            .collect();
        told.sort();
        let mut wanted: Vec<&Oddity> = expected.told.iter().collect();
        wanted.sort();
        if told != wanted {
            faults.push(format!("told {told:?}, not {wanted:?}"));
        }
    }
    let lost: Vec<(usize, String)> = volumes
        .iter()
        .flat_map(|volume| &volume.oddities)
        .filter_map(|oddity| match oddity {
            Oddity::Unread { slices, reason } => Some((*slices, reason.to_string())),
            _ => None,
        })
        .collect();
    let as_said = |(n, part): &(usize, &str)| lost.iter().any(|(slices, reason)| slices == n && reason.contains(part));
    if lost.len() != expected.lost.len() || !expected.lost.iter().all(as_said) {
        faults.push(format!("lost {lost:?}, not {:?}", expected.lost));
    }
    let named: Vec<(String, &String)> = unreadable
        .iter()
        .map(|(path, reason)| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), reason))
        .collect();
    let as_expected = named.len() == expected.unreadable.len()
        && named
            .iter()
            .zip(expected.unreadable)
            .all(|((name, reason), (file, part))| name == file && reason.contains(part));
    if !as_expected {
        faults.push(format!("unreadable {named:?}, not {:?}", expected.unreadable));
    }
    let reason = choose_series(study).err().map(|reason| reason.to_string());
    if reason.as_deref() != expected.declined {
        faults.push(format!("declined {reason:?}, not {:?}", expected.declined));
    }
    faults
}

#[test]
fn every_folder_does_what_its_table_says() {
    let Some(root) = shared::folder("not-cervical/broken") else { return };
    let before = peak_memory();
    let wrong: Vec<String> = TABLE
        .iter()
        .map(|expected| (expected.folder, faults(&root, expected)))
        .filter(|(_, faults)| !faults.is_empty())
        .map(|(folder, faults)| format!("{folder}: {}", faults.join("; ")))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(after - before < MEMORY, "{} MiB were needed", (after - before) / 1024);
    }
    let folders = std::fs::read_dir(&root).expect("a folder").count();
    assert_eq!(folders, TABLE.len(), "every folder has its line");
}

/// The command for programs: stable names, counts and reasons.
#[test]
fn inspect_tells_the_same_in_json() {
    let Some(root) = shared::folder("not-cervical/broken") else { return };
    for (folder, name, count) in [
        ("09-one-slice-without-position", "without-position", Some(1)),
        ("13-missing-middle-slice", "gaps", Some(1)),
        ("14-gantry-tilt", "tilt", None),
        ("28-unknown-transfer-syntax", "unread", Some(1)),
        ("24-same-positions-twice", "several-stacks", Some(2)),
        ("25-localizer-in-series", "localizers", Some(1)),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_cspine"))
            .args(["inspect", "--pixels", "--format", "json"])
            .arg(root.join(folder))
            .output()
            .expect("cspine runs");
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let warnings = found["studies"][0]["series"][0]["warnings"].as_array().expect("a list");
        let told = warnings.iter().find(|warning| warning["name"] == name).expect(folder);
        assert_eq!(told["count"].as_u64(), count, "{folder}");
        assert!(told["text"].as_str().is_some_and(|text| !text.is_empty()), "{folder}");
    }
}
