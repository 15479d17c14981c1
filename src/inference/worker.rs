//! The background worker: one thread owns the session and works through the queue, another decodes the next study meanwhile.

use super::compute::Compute;
use super::package::{ModelSource, Package};
use super::pipeline::{Stopped, StudyRun, Turn};
use super::reports::{NoReports, Reports};
use super::session::Interrupt;
use crate::dicom::VolumeCache;
use crate::domain::{
    Analysis, Fingerprint, FractureReport, ModelIdentity, Study, Uid, Volume, study_fingerprint, study_slices,
};
use crate::task::{Cancel, Mailbox, give_way};
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Parts of a report are sent no more often than this; progress is sent with every batch.
const PARTIAL_EVERY: Duration = Duration::from_millis(400);
/// The first part of a report waits this long: numbers of the coarse pass alone are too often far from the last ones to be shown.
const PARTIAL_FIRST: Duration = Duration::from_millis(1200);

/// How much the network's threads give way on the machine (nice(1)): whoever reads goes first.
const BACKGROUND_NICENESS: i32 = 5;

/// One study to be analysed.
#[derive(Debug, Clone)]
pub struct Job {
    /// The study.
    pub study: Arc<Study>,
    /// Which of its series comes first; others follow until every level is covered.
    pub series: usize,
    /// How often it has been asked for: a retry counts one up.
    pub attempt: u32,
    /// Whether it may interrupt another: the open study.
    pub urgent: bool,
}

type Key = (Uid, usize, u32, usize, Option<Fingerprint>);

impl Job {
    fn key(&self) -> Key {
        let (slices, files) = (study_slices(&self.study), study_fingerprint(&self.study));
        (self.study.uid.clone(), self.series, self.attempt, slices, files)
    }
}

/// What the worker tells. Every event of a study carries the series that the analysis began with.
#[derive(Debug, Clone)]
pub enum WorkerEvent {
    /// The model is loaded.
    ModelReady(Arc<ModelIdentity>),
    /// Why the network runs on no other engine.
    EngineNotice(String),
    /// There is no model or no ONNX Runtime: why, and what to do.
    ModelUnavailable(String),
    /// Work on a study has begun.
    Started {
        /// StudyInstanceUID.
        study: Uid,
        /// Index of the series.
        series: usize,
    },
    /// Slices done.
    Progress {
        /// StudyInstanceUID.
        study: Uid,
        /// Index of the series.
        series: usize,
        /// Slices done.
        done: usize,
        /// Slices in all.
        total: usize,
    },
    /// A preliminary report.
    Partial {
        /// StudyInstanceUID.
        study: Uid,
        /// Index of the series.
        series: usize,
        /// The report so far.
        report: Arc<FractureReport>,
    },
    /// The end.
    Finished {
        /// StudyInstanceUID.
        study: Uid,
        /// Index of the series.
        series: usize,
        /// How it ended.
        analysis: Analysis,
    },
    /// Stopped for a more urgent one; it goes on later from where it was.
    Cancelled {
        /// StudyInstanceUID.
        study: Uid,
        /// Index of the series.
        series: usize,
    },
}

#[derive(Debug, Default)]
struct Queue {
    jobs: Vec<Job>,
    running: Option<(Key, Arc<Interrupt>)>,
    done: HashSet<Key>,
    closed: bool,
}

/// Handle of the worker's threads.
#[derive(Debug)]
pub struct Worker {
    queue: Arc<(Mutex<Queue>, Condvar)>,
    prefetch: Mailbox<(Job, Cancel)>,
    threads: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Starts the threads. The model is loaded first, in the background; `send` hears of everything, from the worker's thread.
    #[must_use]
    pub fn start(
        source: ModelSource,
        compute: Compute,
        cache: Option<PathBuf>,
        volumes: Arc<VolumeCache>,
        send: impl Fn(WorkerEvent) + Send + 'static,
    ) -> Self {
        Self::start_with(source, compute, cache, volumes, Arc::new(NoReports), send)
    }

    /// As [`Worker::start`], with a keeper of reports: what it has is not computed again.
    #[must_use]
    pub fn start_with(
        source: ModelSource,
        compute: Compute,
        cache: Option<PathBuf>,
        volumes: Arc<VolumeCache>,
        reports: Arc<dyn Reports>,
        send: impl Fn(WorkerEvent) + Send + 'static,
    ) -> Self {
        let queue = Arc::new((Mutex::new(Queue::default()), Condvar::new()));
        let prefetch: Mailbox<(Job, Cancel)> = Mailbox::new();
        let loader = std::thread::Builder::new().name("prefetch".into()).spawn({
            let (prefetch, volumes) = (prefetch.clone(), Arc::clone(&volumes));
            move || {
                while let Some((job, cancel)) = prefetch.take() {
                    if let Some(series) = job.study.series.get(job.series) {
                        // A failure shows itself again, with words, when the study's turn comes.
                        let load = || volumes.get(&job.study.uid, series, &cancel, &|_, _| {}).is_ok();
                        let _ = catch_unwind(AssertUnwindSafe(load));
                    }
                }
            }
        });
        let network = std::thread::Builder::new().name("network".into()).spawn({
            let (queue, prefetch) = (Arc::clone(&queue), prefetch.clone());
            move || {
                Thread { queue, prefetch, volumes, reports, send: Box::new(send), unfinished: HashMap::new() }
                    .run(&source, compute, cache)
            }
        });
        Self { queue, prefetch, threads: [loader, network].into_iter().flatten().collect() }
    }

    /// Replaces the queue, most urgent first. The study being analysed goes on, unless it is no longer in the queue or
    /// the first one is urgent and another.
    pub fn set_queue(&self, jobs: Vec<Job>) {
        let (queue, changed) = &*self.queue;
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs: Vec<Job> = jobs.into_iter().filter(|job| !queue.done.contains(&job.key())).collect();
        if let Some((running, interrupt)) = &queue.running {
            let first = jobs.first().map(|job| (job.key(), job.urgent));
            let overtaken = first.is_some_and(|(key, urgent)| urgent && key != *running);
            if overtaken || !jobs.iter().any(|job| job.key() == *running) {
                interrupt.stop();
            }
        }
        queue.jobs = jobs;
        changed.notify_all();
    }

    /// Stops the run in flight and ends the threads.
    pub fn stop(mut self) {
        self.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
    }

    fn close(&self) {
        let (queue, changed) = &*self.queue;
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.closed = true;
        queue.jobs.clear();
        if let Some((_, interrupt)) = &queue.running {
            interrupt.stop();
        }
        changed.notify_all();
        self.prefetch.close();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.close();
    }
}

struct Thread {
    queue: Arc<(Mutex<Queue>, Condvar)>,
    prefetch: Mailbox<(Job, Cancel)>,
    volumes: Arc<VolumeCache>,
    reports: Arc<dyn Reports>,
    send: Box<dyn Fn(WorkerEvent) + Send>,
    /// Studies that were interrupted.
    unfinished: HashMap<Key, StudyRun>,
}

impl Thread {
    fn run(mut self, source: &ModelSource, compute: Compute, cache: Option<PathBuf>) {
        if compute.background {
            give_way(BACKGROUND_NICENESS);
        }
        let loaded = catch_unwind(AssertUnwindSafe(|| Package::load(source, cache.as_deref(), compute)));
        let mut package = match loaded {
            Ok(Ok(package)) => package,
            Ok(Err(error)) => return (self.send)(WorkerEvent::ModelUnavailable(error.to_string())),
            Err(_) => {
                return (self.send)(WorkerEvent::ModelUnavailable(
                    "loading the model failed; see cspine doctor".into(),
                ));
            }
        };
        for notice in &package.notices {
            (self.send)(WorkerEvent::EngineNotice(notice.clone()));
        }
        (self.send)(WorkerEvent::ModelReady(Arc::clone(&package.identity)));
        while let Some((job, interrupt)) = self.next() {
            self.work(&mut package, &job, &interrupt);
        }
    }

    /// Waits for the next job and marks it as running.
    fn next(&self) -> Option<(Job, Arc<Interrupt>)> {
        let (queue, changed) = &*self.queue;
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.jobs.first().cloned() {
                let interrupt = Arc::new(Interrupt::default());
                queue.running = Some((job.key(), Arc::clone(&interrupt)));
                return Some((job, interrupt));
            }
            queue = changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&mut self, package: &mut Package, job: &Job, interrupt: &Interrupt) {
        let (study, series) = (job.study.uid.clone(), job.series);
        (self.send)(WorkerEvent::Started { study: study.clone(), series });
        let begun = self.unfinished.remove(&job.key()).map_or_else(|| StudyRun::new(&job.study, Some(series)), Ok);
        let event = match begun {
            Err(reason) => WorkerEvent::Finished { study, series, analysis: Analysis::NotAnalysed(reason) },
            Ok(mut run) => {
                let outcome = catch_unwind(AssertUnwindSafe(|| self.analyse(package, job, interrupt, &mut run)));
                match outcome {
                    Ok(Ok(analysis)) => WorkerEvent::Finished { study, series, analysis },
                    Ok(Err(Stopped)) => {
                        self.unfinished.insert(job.key(), run);
                        WorkerEvent::Cancelled { study, series }
                    }
                    Err(_) => {
                        let problem = "internal error while analyzing this study; continuing with the next";
                        WorkerEvent::Finished { study, series, analysis: Analysis::Failed(problem.into()) }
                    }
                }
            }
        };
        let (queue, _) = &*self.queue;
        let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.running = None;
        if !matches!(event, WorkerEvent::Cancelled { .. }) {
            let key = job.key();
            queue.jobs.retain(|other| other.key() != key);
            queue.done.insert(key);
        }
        drop(queue);
        (self.send)(event);
    }

    fn analyse(
        &self,
        package: &mut Package,
        job: &Job,
        interrupt: &Interrupt,
        run: &mut StudyRun,
    ) -> Result<Analysis, Stopped> {
        let (study, first) = (&*job.study, job.series);
        let (uid, identity) = (&study.uid, Arc::clone(&package.identity));
        let (mut told, mut due) = (Instant::now(), PARTIAL_FIRST);
        loop {
            let turn: Turn<Arc<Volume>> = run.advance(study, &identity, &*self.reports, &mut |series| {
                self.volumes.get(uid, series, interrupt.cancel(), &|_, _| {})
            })?;
            let volume = match turn {
                Turn::Over(analysis) => return Ok(analysis),
                Turn::Network(volume) => volume,
            };
            self.prefetch_next(&job.key());
            run.run(study, package, &volume, &*self.reports, interrupt, &mut |so_far, step| {
                (self.send)(WorkerEvent::Progress {
                    study: uid.clone(),
                    series: first,
                    done: step.done,
                    total: step.total,
                });
                if step.done < step.total && told.elapsed() >= due {
                    (told, due) = (Instant::now(), PARTIAL_EVERY);
                    if let Some(report) = so_far.report() {
                        self.partial(uid, first, report);
                    }
                }
            })?;
            // What one series shows is known while the next is loaded.
            if let Some(report) = run.so_far(study) {
                self.partial(uid, first, report);
            }
        }
    }

    fn partial(&self, study: &Uid, series: usize, report: FractureReport) {
        (self.send)(WorkerEvent::Partial { study: study.clone(), series, report: Arc::new(report) });
    }

    /// Has the study after this one decoded.
    fn prefetch_next(&self, running: &Key) {
        let next = {
            let queue = self.queue.0.lock().unwrap_or_else(PoisonError::into_inner);
            queue.jobs.iter().find(|job| job.key() != *running).cloned()
        };
        if let Some(job) = next {
            self.prefetch.put((job, Cancel::new()));
        }
    }
}
