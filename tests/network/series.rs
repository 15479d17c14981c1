//! Studies of several series with the real network: a head that ends in C2 and the neck below it.

use crate::support::network;
use crossbeam_channel::unbounded;
use cspine::dicom::{CtSlice, HeaderStyle, VolumeCache, scan_all, write_ct_slice};
use cspine::domain::{
    Analysis, CervicalLevel, Completeness, ContentHash, Fingerprint, FractureReport, KeptAnalysis, ReportKey, Study,
};
use cspine::inference::{Compute, Job, ModelSource, Reports, Worker, WorkerEvent};
use cspine::phantom::{PhantomStudy, demo_recipes, generate};
use cspine::task::Cancel;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Long enough for a slow machine under load; a passing test waits for its event only.
const PATIENCE: Duration = Duration::from_secs(300);

/// A neck with a fracture below C2, in coarse slices.
fn broken_neck() -> PhantomStudy {
    let is_low = |level: CervicalLevel| level >= CervicalLevel::C4;
    let has_low = |recipe: &cspine::phantom::Recipe| recipe.fractures.iter().any(|fracture| is_low(fracture.level));
    let mut recipe = demo_recipes().into_iter().find(has_low).expect("one of the demo's necks is fractured below C4");
    let length = recipe.scan.slices as f32 * recipe.scan.spacing_mm;
    (recipe.scan.spacing_mm, recipe.scan.thickness_mm) = (2.0, 2.0);
    recipe.scan.slices = (length / 2.0) as usize;
    generate(&recipe.with_matrix(128), &Cancel::new()).expect("a neck")
}

/// Where a level is: its first and last slice.
fn slices_of(neck: &PhantomStudy, level: CervicalLevel) -> Range<usize> {
    let label = level.index() as u8 + 1;
    let shows =
        |slice: &usize| neck.labels.chunks(neck.shape.slice_len()).nth(*slice).is_some_and(|l| l.contains(&label));
    let first = (0..neck.shape.slices).find(shows).expect("the level is shown");
    let last = (0..neck.shape.slices).rev().find(shows).expect("the level is shown");
    first..last + 1
}

/// A series of a study that is written from some of a neck's slices.
struct Written<'s> {
    folder: &'s str,
    number: u8,
    kernel: &'s str,
    frame: &'s str,
    body_part: &'s str,
}

fn write(home: &Path, neck: &PhantomStudy, slices: Range<usize>, series: &Written<'_>) -> PathBuf {
    let folder = home.join("study").join(series.folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    for (place, index) in slices.enumerate() {
        let length = neck.shape.slice_len();
        let slice = CtSlice {
            study_uid: "2.25.7",
            series_uid: &format!("2.25.7.{}", series.number),
            sop_instance_uid: &format!("2.25.7.{}.{}", series.number, place + 1),
            frame_of_reference_uid: series.frame,
            patient_name: "PHANTOM^SERIES",
            patient_id: "P7",
            patient_sex: "O",
            patient_age: "050Y",
            study_date: "20261129",
            study_time: "080000",
            study_description: "polytrauma",
            series_description: series.folder,
            kernel: series.kernel,
            body_part: series.body_part,
            instance_number: i32::try_from(place + 1).expect("few slices"),
            rows: u16::try_from(neck.shape.rows).expect("few rows"),
            columns: u16::try_from(neck.shape.columns).expect("few columns"),
            voxels: &neck.voxels[index * length..(index + 1) * length],
            intercept: -1024,
            style: HeaderStyle::Clinical,
            pixel_spacing: [neck.pixel_mm, neck.pixel_mm],
            slice_thickness: neck.spacing_mm,
            position: neck.position(index).to_array(),
            orientation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        };
        write_ct_slice(&folder.join(format!("{place}.dcm")), &slice).expect("a file");
    }
    folder
}

/// A head down to the end of C2 under a sharp kernel, and the neck from C2 on: names and body parts say "head" of both.
fn head_and_neck(home: &Path, neck: &PhantomStudy, frames: [&str; 2]) -> [PathBuf; 2] {
    let c2 = slices_of(neck, CervicalLevel::C2);
    let c3 = slices_of(neck, CervicalLevel::C3);
    let head_end = (c2.end + 2).min(c3.end);
    let head = Written { folder: "a", number: 1, kernel: "BONE", frame: frames[0], body_part: "HEAD" };
    let below = Written { folder: "b", number: 2, kernel: "STANDARD", frame: frames[1], body_part: "HEAD" };
    [
        write(home, neck, 0..head_end, &head),
        write(home, neck, c2.start + (c2.end - c2.start) / 2..neck.shape.slices, &below),
    ]
}

fn scan(home: &Path) -> Arc<Study> {
    let (mut studies, unreadable, _) = scan_all(&[home.join("study")], &Cancel::new());
    assert!(unreadable.is_empty(), "{unreadable:?}");
    assert_eq!(studies.len(), 1);
    Arc::new(studies.remove(0))
}

/// A keeper of reports that notes which series were computed.
#[derive(Default)]
struct Shelf(Mutex<Vec<(ReportKey, Option<Fingerprint>, KeptAnalysis)>>);

impl Shelf {
    fn computed(&self) -> Vec<String> {
        self.0.lock().expect("the list").iter().map(|(key, ..)| key.series.to_string()).collect()
    }
}

impl Reports for Shelf {
    fn of_files(&self, key: &ReportKey, files: Fingerprint) -> Option<KeptAnalysis> {
        let kept = self.0.lock().expect("the list");
        kept.iter().find(|kept| kept.0 == *key && kept.1 == Some(files)).map(|kept| kept.2.clone())
    }

    fn of_content(&self, _: &ReportKey, _: Option<Fingerprint>, _: ContentHash) -> Option<KeptAnalysis> {
        None
    }

    fn keep(&self, key: &ReportKey, files: Option<Fingerprint>, _: ContentHash, analysis: &KeptAnalysis) {
        self.0.lock().expect("the list").push((key.clone(), files, analysis.clone()));
    }
}

/// The study through the background worker, with the keeper that saw its reports and the preliminary reports.
fn analyze(study: &Arc<Study>, home: &Path, shelf: &Arc<Shelf>) -> (Analysis, Vec<Arc<FractureReport>>) {
    let (sender, events) = unbounded();
    let worker = Worker::start_with(
        ModelSource::Embedded,
        Compute::default(),
        Some(home.join("cache")),
        Arc::new(VolumeCache::new(256 << 20)),
        Arc::clone(shelf) as Arc<dyn Reports>,
        move |event| {
            // Nobody listens once the test is over.
            let _ = sender.send(event);
        },
    );
    let first = cspine::domain::choose_series(study).expect("a series").series;
    worker.set_queue(vec![Job { study: Arc::clone(study), series: first, attempt: 0, urgent: false }]);
    let mut partial = Vec::new();
    loop {
        match events.recv_timeout(PATIENCE).expect("an event") {
            WorkerEvent::Finished { analysis, series, .. } => {
                assert_eq!(series, first, "events carry the series that the analysis began with");
                worker.stop();
                return (analysis, partial);
            }
            WorkerEvent::Partial { report, .. } => partial.push(report),
            _ => {}
        }
    }
}

fn report(analysis: Analysis) -> Arc<FractureReport> {
    match analysis {
        Analysis::Analysed(report) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_fracture_below_a_finer_head_reaches_the_list_and_each_level_names_its_series() {
    let home = tempfile::tempdir().expect("a folder");
    if !network::can_analyse(&home.path().join("cache")) {
        return;
    }
    let neck = broken_neck();
    let [head, _] = head_and_neck(home.path(), &neck, ["2.25.9", "2.25.8"]);
    let study = scan(home.path());
    let place = |uid: &str| study.series.iter().position(|series| series.uid.as_str() == uid).expect("the series");
    let shelf = Arc::new(Shelf::default());
    let (analysis, partial) = analyze(&study, home.path(), &shelf);
    let report = report(analysis);
    assert_eq!(report.completeness, Completeness::Final);
    assert!(report.is_merged() && report.is_alert(), "{:?}", report.levels);
    let low: Vec<CervicalLevel> = report.alert_levels().into_iter().filter(|l| *l >= CervicalLevel::C4).collect();
    assert!(!low.is_empty(), "{:?}", report.levels);
    assert!(low.iter().all(|level| report.source_index(&study, *level) == Some(place("2.25.7.2"))));
    assert_eq!(report.source_index(&study, CervicalLevel::C1), Some(place("2.25.7.1")));
    assert_eq!(report.worst_index(&study), Some(place("2.25.7.2")), "the study opens there");
    assert!(partial.iter().all(|report| report.completeness != Completeness::Final));
    // Each series was computed once; the next run computes none of them.
    assert_eq!(shelf.computed().len(), 2);
    let (again, _) = analyze(&study, home.path(), &shelf);
    assert_eq!(again, Analysis::Analysed(report));
    assert_eq!(shelf.computed().len(), 2);
    // Without the neck, the same head is no alert of these levels.
    std::fs::remove_dir_all(home.path().join("study/b")).expect("removed");
    assert!(head.is_dir());
    let alone = scan(home.path());
    let Analysis::Analysed(alone) = analyze(&alone, home.path(), &shelf).0 else { return };
    assert!(alone.alert_levels().iter().all(|level| *level < CervicalLevel::C4));
}

#[test]
fn a_neck_whose_files_are_damaged_leaves_the_study_incomplete_with_the_reason() {
    let home = tempfile::tempdir().expect("a folder");
    if !network::can_analyse(&home.path().join("cache")) {
        return;
    }
    let [_, below] = head_and_neck(home.path(), &broken_neck(), ["2.25.9", "2.25.9"]);
    let study = scan(home.path());
    std::fs::remove_dir_all(below).expect("removed");
    let report = report(analyze(&study, home.path(), &Arc::new(Shelf::default())).0);
    let place = study.series.iter().position(|series| series.uid.as_str() == "2.25.7.2").expect("the neck");
    let [words] = report.incomplete().try_into().expect("one reason");
    assert!(words.contains("C7 not analyzed") && words.contains(&format!("series {}", place + 1)), "{words}");
    assert!(words.contains("no slice of the series could be read"), "{words}");
}

#[test]
fn two_kernels_of_one_scan_are_analyzed_once_and_the_other_steps_in_if_the_first_is_damaged() {
    let home = tempfile::tempdir().expect("a folder");
    if !network::can_analyse(&home.path().join("cache")) {
        return;
    }
    let neck = broken_neck();
    let all = 0..neck.shape.slices;
    let bone = Written { folder: "a", number: 1, kernel: "BONE", frame: "2.25.9", body_part: "CSPINE" };
    let soft = Written { folder: "b", number: 2, kernel: "SOFT", frame: "2.25.9", body_part: "CSPINE" };
    let folder = write(home.path(), &neck, all.clone(), &bone);
    write(home.path(), &neck, all, &soft);
    let study = scan(home.path());
    let shelf = Arc::new(Shelf::default());
    assert!(!report(analyze(&study, home.path(), &shelf).0).is_merged());
    assert_eq!(shelf.computed(), ["2.25.7.1"]);
    std::fs::remove_dir_all(folder).expect("removed");
    let shelf = Arc::new(Shelf::default());
    let report = report(analyze(&study, home.path(), &shelf).0);
    assert_eq!(shelf.computed(), ["2.25.7.2"]);
    assert_eq!(report.incomplete(), [] as [String; 0], "the other kernel shows all of it");
}

/// The commands say the same as the screen.
#[test]
fn predict_and_inspect_name_the_series_of_each_level() {
    let home = tempfile::tempdir().expect("a folder");
    if !network::can_analyse(&home.path().join("cache")) {
        return;
    }
    head_and_neck(home.path(), &broken_neck(), ["2.25.9", "2.25.9"]);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cspine"));
        let command = command.args(arguments).arg(home.path().join("study"));
        let command = command.env("HOME", home.path()).env("XDG_CACHE_HOME", home.path().join("cache"));
        let output = command.env("XDG_DATA_HOME", home.path().join("data")).output().expect("the program runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let predicted: serde_json::Value = serde_json::from_str(&run(&["predict", "--format", "json"])).expect("JSON");
    let levels = predicted["studies"][0]["analysis"]["levels"].as_array().expect("levels");
    let series = |index: usize| levels[index]["series_instance_uid"].as_str().map(str::to_owned);
    assert_eq!((series(0), series(6)), (Some("2.25.7.1".into()), Some("2.25.7.2".into())), "{predicted:#}");
    let table = run(&["predict"]);
    assert!(table.contains("from series 1") && table.contains("from series 2"), "{table}");
    let inspected = run(&["inspect"]);
    assert!(inspected.contains("if levels are missing; covers"), "{inspected}");
}
