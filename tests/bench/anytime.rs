//! How soon the first numbers of a cold study come, and how near to the last ones they are; and what memory a queue of 200 studies and a
//! thousand opened ones take.
//!
//! `cargo bench --bench anytime` for all, with the background worker and the cache of volumes as the program has them. Goals: the first
//! preliminary C1–C7 within 2 s of opening, every level within .1 of the final in 90 % of the studies; a queue takes the cache's budget
//! and two volumes more, the one at the network and the one that is being read; no growth over 1,000 studies.

#[path = "../fuzz/process.rs"]
mod process;

use crossbeam_channel::unbounded;
use cspine::dicom::{VolumeCache, scan_all};
use cspine::domain::{Analysis, FractureReport, Study, Uid, WindowLevel};
use cspine::inference::{Compute, Job, ModelSource, Worker, WorkerEvent};
use cspine::phantom::{Anatomy, Coverage, Recipe, write_dataset, write_slice};
use cspine::raster::{self, PictureSize, Plane, View};
use cspine::task::Cancel;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const STUDIES: usize = 20;
const OPENED: usize = 1000;
const QUEUED: usize = 200;
/// What the work on a queue takes beside volumes, MiB: what the network said of the last slices, and what is being decoded.
const BESIDE_MIB: u64 = 96;
/// Of the opened studies, every so many is analysed to its end.
const ANALYSED: usize = 20;
const SOON: Duration = Duration::from_secs(2);
const NEAR: f32 = 0.1;
/// Volumes kept: fewer than there are, so that they come and go.
const BUDGET: usize = 128 << 20;
/// Growth of the resident memory from the first hundred studies to the last that is no more than an allocator's habit.
const GROWTH_MIB: u64 = 48;

/// Resident memory of this process, MiB (`VmRSS` of proc_pid_status(5)); 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
}

fn studies(folder: &std::path::Path) -> Vec<Arc<Study>> {
    let small = |mut recipe: Recipe| {
        let length = recipe.scan.slices as f32 * recipe.scan.spacing_mm;
        (recipe.scan.spacing_mm, recipe.scan.thickness_mm) = (1.0, 1.0);
        recipe.scan.slices = length as usize;
        recipe.with_matrix(192)
    };
    let drawn = (9_600_000..).map(Recipe::random).filter(|recipe| recipe.scan.coverage == Coverage::Neck);
    let recipes: Vec<Recipe> = drawn.take(STUDIES).map(small).collect();
    write_dataset(folder, &recipes, Anatomy::Parametric, false, &Cancel::new(), &|_| {}, &write_slice)
        .expect("a data set");
    let (found, ..) = scan_all(&[folder.to_owned()], &Cancel::new());
    found.into_iter().map(Arc::from).collect()
}

/// The first numbers, and when they came.
type Early = (Duration, Arc<FractureReport>);

/// The first numbers and the last of one study, and when the first came.
fn opened(
    worker: &Worker,
    events: &crossbeam_channel::Receiver<WorkerEvent>,
    job: Job,
) -> (Option<Early>, Option<Arc<FractureReport>>) {
    let (begun, wanted) = (Instant::now(), job.study.uid.clone());
    worker.set_queue(vec![job]);
    let mut first = None;
    for event in events {
        match event {
            WorkerEvent::Partial { study, report, .. } if study == wanted => {
                first.get_or_insert((begun.elapsed(), report));
            }
            WorkerEvent::Finished { study, analysis, .. } if study == wanted => {
                let last = match analysis {
                    Analysis::Analysed(report) => Some(report),
                    _ => None,
                };
                let whole = last.clone().map(|report| (begun.elapsed(), report));
                return (first.or(whole), last);
            }
            _ => {}
        }
    }
    (first, None)
}

/// Analyses a queue of studies to its end; the peak of the resident memory is what it was before, and no more than is stated. The queue is
/// made of the same files again and again, under other names: nothing of them is taken from the cache.
fn queue_fits(worker: &Worker, events: &crossbeam_channel::Receiver<WorkerEvent>, studies: &[Arc<Study>]) -> bool {
    let renamed = |place: usize| {
        let mut study = Study::clone(&studies[place % studies.len()]);
        study.uid = Uid::from_file(&format!("1.2.3.{place}"));
        Job { study: Arc::new(study), series: 0, attempt: 0, urgent: false }
    };
    process::forget_peak();
    let before = resident();
    worker.set_queue((0..QUEUED).map(renamed).collect());
    let over = events.iter().filter(|event| matches!(event, WorkerEvent::Finished { .. })).take(QUEUED).count();
    let pixels = |study: &Arc<Study>| {
        let slices = study.series[0].instances.iter();
        slices.map(|slice| u64::from(slice.rows) * u64::from(slice.columns)).sum::<u64>()
    };
    let largest = studies.iter().map(|study| pixels(study) * 2).max().unwrap_or(0) >> 20;
    let stated = before + (BUDGET as u64 >> 20) + 2 * largest + BESIDE_MIB;
    let peak = process::peak_mib().unwrap_or(0);
    println!(
        "a queue of {over} studies of up to {largest} MiB: peak {peak} MiB, {before} before (stated: no more than {stated}, of which {} are the cache's)",
        BUDGET >> 20
    );
    peak <= stated
}

/// The largest difference of any level's probability that both reports have; a level that only the last one has counts whole.
fn apart(first: &FractureReport, last: &FractureReport) -> f32 {
    let levels = last.levels.iter().filter_map(|(level, finding)| {
        let last = finding.probability()?.value();
        Some((last - first.levels[level].probability().map_or(0.0, |p| p.value())).abs())
    });
    levels.fold(0.0, f32::max)
}

fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("a folder");
    let studies = studies(&folder.path().join("studies"));
    let volumes = Arc::new(VolumeCache::new(BUDGET));
    let (sender, events) = unbounded();
    let cache = Some(folder.path().join("cache"));
    let compute = Compute { background: true, ..Compute::default() };
    let worker = Worker::start(ModelSource::Embedded, compute, cache, Arc::clone(&volumes), move |event| {
        // Nobody listens once it is over.
        let _ = sender.send(event);
    });
    for event in &events {
        match event {
            WorkerEvent::ModelReady(identity) => {
                println!("{identity}, {} studies", studies.len());
                break;
            }
            WorkerEvent::ModelUnavailable(problem) => {
                println!("nothing to measure: {problem}");
                return ExitCode::SUCCESS;
            }
            _ => {}
        }
    }
    let job = |study: &Arc<Study>, attempt| Job { study: Arc::clone(study), series: 0, attempt, urgent: true };
    let (mut times, mut differences) = (Vec::new(), Vec::new());
    for study in &studies {
        if let (Some((time, first)), Some(last)) = opened(&worker, &events, job(study, 0)) {
            times.push(time);
            differences.push(apart(&first, &last));
        }
    }
    times.sort_unstable();
    differences.sort_unstable_by(f32::total_cmp);
    let near = differences.iter().filter(|difference| **difference <= NEAR).count();
    let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
    println!("first C1-C7: median {median:.2?}, slowest {slowest:.2?} (goal {SOON:?})");
    println!(
        "every level within {NEAR} of the final: {near} of {} studies (goal 90 %); largest differences {:?}",
        differences.len(),
        &differences[differences.len().saturating_sub(3)..]
    );
    let soon = slowest <= SOON && near * 10 >= differences.len() * 9;
    let fits = queue_fits(&worker, &events, &studies);
    let mut after_hundred = 0;
    for round in 0..OPENED {
        let study = &studies[round % studies.len()];
        let volume = volumes.get(&study.uid, &study.series[0], &Cancel::new(), &|_, _| {}).expect("a volume");
        let window = WindowLevel::default();
        let size = PictureSize { width: 512, height: 512, pixel_aspect: 1.0 };
        for plane in Plane::ALL {
            let view = View::new(plane, raster::plane_len(&volume, plane) / 2, window);
            drop(raster::render(&volume, &view, size).expect("a picture"));
        }
        if round % ANALYSED == 0 {
            opened(&worker, &events, job(study, 1 + round as u32));
        }
        if round + 1 == OPENED / 10 {
            after_hundred = resident();
        }
        if (round + 1) % (OPENED / 10) == 0 {
            println!("{} studies opened: {} MiB", round + 1, resident());
        }
    }
    let grown = resident().saturating_sub(after_hundred);
    println!("grown by {grown} MiB from the first {} studies on (goal at most {GROWTH_MIB})", OPENED / 10);
    worker.stop();
    ExitCode::from(u8::from(!soon || !fits || grown > GROWTH_MIB))
}
