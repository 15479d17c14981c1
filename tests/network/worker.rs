//! The background worker with the real network: order, interruption, and a study that fails.

use crate::support::network;
use crossbeam_channel::{Receiver, unbounded};
use cspine::dicom::{CtSlice, HeaderStyle, VolumeCache, scan_all, write_ct_slice};
use cspine::domain::{
    Analysis, Completeness, ContentHash, Fingerprint, KeptAnalysis, NotAnalysed, ReportKey, Study, Uid,
};
use cspine::inference::{Compute, Job, ModelSource, NoReports, Reports, Worker, WorkerEvent};
use cspine::phantom::{Recipe, demo_recipes, generate, write_slice, write_study};
use cspine::task::Cancel;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Long enough for a slow machine under load; a passing test waits for its event only.
const PATIENCE: Duration = Duration::from_secs(300);

/// A demo neck in few, coarse slices.
fn small(number: usize) -> Recipe {
    let mut recipe = demo_recipes().swap_remove(number);
    let length = recipe.scan.slices as f32 * recipe.scan.spacing_mm;
    recipe.scan.spacing_mm = 3.0;
    recipe.scan.thickness_mm = 3.0;
    recipe.scan.slices = (length / 3.0) as usize;
    recipe.with_matrix(128)
}

fn neck(folder: &Path, number: usize) -> Arc<Study> {
    let study = generate(&small(number), &Cancel::new()).expect("a neck");
    let folder = folder.join(number.to_string());
    write_study(&study, &folder, &Cancel::new(), &write_slice).expect("files");
    let (mut studies, unreadable, _) = scan_all(&[folder], &Cancel::new());
    assert!(unreadable.is_empty() && studies.len() == 1);
    Arc::new(studies.remove(0))
}

fn job(study: &Arc<Study>, urgent: bool) -> Job {
    Job { study: Arc::clone(study), series: 0, attempt: 0, urgent }
}

struct Running {
    worker: Worker,
    events: Receiver<WorkerEvent>,
    seen: Vec<WorkerEvent>,
}

impl Running {
    fn start(cache: &Path) -> Self {
        Self::with(cache, Arc::new(NoReports))
    }

    fn with(cache: &Path, reports: Arc<dyn Reports>) -> Self {
        let (sender, events) = unbounded();
        let volumes = Arc::new(VolumeCache::new(256 << 20));
        let worker = Worker::start_with(
            ModelSource::Embedded,
            Compute::default(),
            Some(cache.to_owned()),
            volumes,
            reports,
            move |event| {
                // Nobody listens once the test is over.
                let _ = sender.send(event);
            },
        );
        Self { worker, events, seen: Vec::new() }
    }

    fn until(&mut self, what: &str, wanted: impl Fn(&WorkerEvent) -> bool) -> WorkerEvent {
        loop {
            let event = self.events.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{what}, after {:?}", self.seen));
            self.seen.push(event.clone());
            if wanted(&event) {
                return event;
            }
        }
    }

    fn until_finished(&mut self, study: &Arc<Study>) -> Analysis {
        let event = self.until(
            "the end of a study",
            |event| matches!(event, WorkerEvent::Finished { study: ended, .. } if *ended == study.uid),
        );
        match event {
            WorkerEvent::Finished { analysis, .. } => analysis,
            other => panic!("{other:?}"),
        }
    }

    fn finished(&self) -> Vec<Uid> {
        let ended = |event: &WorkerEvent| match event {
            WorkerEvent::Finished { study, .. } => Some(study.clone()),
            _ => None,
        };
        self.seen.iter().filter_map(ended).collect()
    }
}

type Kept = (ReportKey, Option<Fingerprint>, ContentHash, KeptAnalysis);

/// A keeper of reports that is nothing but a list.
#[derive(Default)]
struct Shelf(Mutex<Vec<Kept>>);

impl Shelf {
    fn find(&self, wanted: impl Fn(&Kept) -> bool) -> Option<KeptAnalysis> {
        self.0.lock().expect("the list").iter().find(|kept| wanted(kept)).map(|kept| kept.3.clone())
    }
}

impl Reports for Shelf {
    fn of_files(&self, key: &ReportKey, files: Fingerprint) -> Option<KeptAnalysis> {
        self.find(|kept| kept.0 == *key && kept.1 == Some(files))
    }

    fn of_content(&self, key: &ReportKey, _: Option<Fingerprint>, content: ContentHash) -> Option<KeptAnalysis> {
        self.find(|kept| kept.0 == *key && kept.2 == content)
    }

    fn keep(&self, key: &ReportKey, files: Option<Fingerprint>, content: ContentHash, analysis: &KeptAnalysis) {
        self.0.lock().expect("the list").push((key.clone(), files, content, analysis.clone()));
    }
}

/// Air, fat and muscle without a bone: a CT in which a network finds no neck.
fn boneless(folder: &Path) -> Arc<Study> {
    const SIDE: i16 = 32;
    let folder = folder.join("boneless");
    std::fs::create_dir(&folder).expect("a folder");
    for number in 1..=60_i16 {
        let tissue = |index: i16| match index % SIDE {
            0..8 => -1000,
            8..14 => -100,
            _ => 50 + (index * 7 + number * 3) % 21 - 10,
        };
        let voxels: Vec<i16> = (0..SIDE * SIDE).map(tissue).collect();
        let slice = CtSlice {
            study_uid: "2.25.61",
            series_uid: "2.25.61.1",
            sop_instance_uid: &format!("2.25.61.1.{number}"),
            frame_of_reference_uid: "2.25.61.2",
            patient_name: "MADE^Boneless",
            patient_id: "MADE",
            patient_sex: "F",
            patient_age: "062Y",
            study_date: "20000102",
            study_time: "030405",
            study_description: "made",
            series_description: "made",
            kernel: "BONE",
            body_part: "CSPINE",
            instance_number: i32::from(number),
            rows: SIDE as u16,
            columns: SIDE as u16,
            voxels: &voxels,
            intercept: -1024,
            style: HeaderStyle::Clinical,
            pixel_spacing: [4.0, 4.0],
            slice_thickness: 2.0,
            position: [-64.0, -64.0, -2.0 * f64::from(number)],
            orientation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        };
        write_ct_slice(&folder.join(number.to_string()), &slice).expect("a slice");
    }
    let (mut studies, ..) = scan_all(&[folder], &Cancel::new());
    Arc::new(studies.remove(0))
}

#[test]
fn nothing_is_computed_twice() {
    let home = tempfile::tempdir().expect("a folder");
    if !network::can_analyse(home.path()) {
        return;
    }
    computed_once(home.path(), neck(home.path(), 0), &|analysis| matches!(analysis, Analysis::Analysed(_)));
}

#[test]
fn what_the_network_declined_is_not_shown_to_it_again() {
    let home = tempfile::tempdir().expect("a folder");
    if !network::can_analyse(home.path()) {
        return;
    }
    computed_once(
        home.path(),
        boneless(home.path()),
        &|analysis| matches!(analysis, Analysis::Declined(declined) if declined.reason == NotAnalysed::NoCervicalSpine),
    );
}

/// A study is analysed once, and its end as `fits` wants it; later runs know it without a slice being looked at.
fn computed_once(home: &Path, study: Arc<Study>, fits: &dyn Fn(&Analysis) -> bool) {
    let shelf = Arc::new(Shelf::default());
    let mut first = Running::with(home, Arc::clone(&shelf) as Arc<dyn Reports>);
    first.worker.set_queue(vec![job(&study, false)]);
    let computed = first.until_finished(&study);
    assert!(fits(&computed), "{computed:?}");
    first.worker.stop();
    // The next run; then one in which the files were copied: other files, the same pixels.
    let mut copied = Study::clone(&study);
    copied.series[0].fingerprint = Some(Fingerprint([7; 16]));
    for study in [study, Arc::new(copied)] {
        let mut next = Running::with(home, Arc::clone(&shelf) as Arc<dyn Reports>);
        next.worker.set_queue(vec![job(&study, false)]);
        assert_eq!(next.until_finished(&study), computed);
        let computing =
            |event: &WorkerEvent| matches!(event, WorkerEvent::Progress { .. } | WorkerEvent::Partial { .. });
        assert!(!next.seen.iter().any(computing), "{:?}", next.seen);
        next.worker.stop();
    }
}

#[test]
fn the_open_study_overtakes_and_what_it_overtook_goes_on_where_it_was() {
    let home = tempfile::tempdir().expect("a folder");
    if !network::can_analyse(home.path()) {
        return;
    }
    let (first, second) = (neck(home.path(), 0), neck(home.path(), 1));
    let mut running = Running::start(home.path());
    running.worker.set_queue(vec![job(&first, false), job(&second, false)]);
    let is_first = |uid: &Uid| *uid == first.uid;
    running.until(
        "slices of the first study",
        |event| matches!(event, WorkerEvent::Progress { study, done, .. } if is_first(study) && *done >= 4),
    );
    let asked = Instant::now();
    running.worker.set_queue(vec![job(&second, true), job(&first, false)]);
    running.until(
        "the first study gives way",
        |event| matches!(event, WorkerEvent::Cancelled { study, .. } if is_first(study)),
    );
    // Told, not asserted: how long it takes is the machine's business. `cargo test --test network worker:: -- --nocapture` shows it.
    println!("the running study gave way after {:?}", asked.elapsed());
    let Analysis::Analysed(report) = running.until_finished(&second) else { panic!("the second neck is analyzed") };
    assert_eq!(report.completeness, Completeness::Final);
    // All but what lies too far from any vertebra to matter.
    let slices = second.series[0].instances.len();
    assert!((slices / 2..=slices).contains(&report.slices.len()), "{} of {slices}", report.slices.len());
    // Nothing that was done is done again: its first progress after the interruption is past what it had.
    let again = running.until(
        "the first study goes on",
        |event| matches!(event, WorkerEvent::Progress { study, .. } if is_first(study)),
    );
    assert!(matches!(again, WorkerEvent::Progress { done, .. } if done > 4), "{again:?}");
    assert!(matches!(running.until_finished(&first), Analysis::Analysed(_)));
    assert_eq!(running.finished(), [second.uid.clone(), first.uid.clone()]);
    running.worker.stop();
}

#[test]
fn an_interrupted_analysis_ends_with_the_numbers_of_an_undisturbed_one() {
    let home = tempfile::tempdir().expect("a folder");
    if !network::can_analyse(home.path()) {
        return;
    }
    let (study, other) = (neck(home.path(), 2), neck(home.path(), 6));
    let mut quiet = Running::start(home.path());
    quiet.worker.set_queue(vec![job(&study, false)]);
    let Analysis::Analysed(expected) = quiet.until_finished(&study) else { panic!("a neck") };
    quiet.worker.stop();
    let mut disturbed = Running::start(home.path());
    disturbed.worker.set_queue(vec![job(&study, false)]);
    disturbed.until("progress", |event| matches!(event, WorkerEvent::Progress { .. }));
    disturbed.worker.set_queue(vec![job(&other, true), job(&study, false)]);
    let Analysis::Analysed(report) = disturbed.until_finished(&study) else { panic!("a neck") };
    assert_eq!(report.levels, expected.levels);
    assert_eq!(report.slices, expected.slices);
    assert_eq!(report.overall, expected.overall);
    disturbed.worker.stop();
}

#[test]
fn a_study_whose_files_vanish_fails_with_a_reason_and_the_queue_goes_on() {
    let home = tempfile::tempdir().expect("a folder");
    if !network::can_analyse(home.path()) {
        return;
    }
    let (gone, good) = (neck(home.path(), 3), neck(home.path(), 4));
    std::fs::remove_dir_all(home.path().join("3")).expect("removed");
    let mut running = Running::start(home.path());
    running.worker.set_queue(vec![job(&gone, false), job(&good, false)]);
    let Analysis::Failed(reason) = running.until_finished(&gone) else { panic!("a vanished study cannot be analyzed") };
    assert!(reason.to_string().contains("no slice of the series could be read"), "{reason}");
    assert!(matches!(running.until_finished(&good), Analysis::Analysed(_)));
    running.worker.stop();
}
