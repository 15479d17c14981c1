//! The thread that writes the index, and what reads it elsewhere. An index that cannot be used costs time, and nothing else: every
//! failure here is a line in the log.

use crate::app::{Message, Remembered};
use crate::dicom::{KnownFiles, NothingKnown, ScanEvent, Scanner};
use crate::domain::{
    ContentHash, Disclosure, FileStamp, Fingerprint, FractureReport, KeptAnalysis, Listed, ReportKey, Thumbnail,
    ThumbnailKey, Uid, Volume,
};
use crate::inference::{NoReports, Reports};
use crate::raster;
use crate::store::{Index, KnownFile, StoreError};
use crate::task::Cancel;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Studies that are told at once.
const PORTION: usize = 25_000;
/// Things that are written in one transaction.
const BATCH: usize = 2_000;

enum Request {
    File(KnownFile),
    Study(Box<Listed>, PathBuf),
    Gone(Uid),
    Find(Uid),
}

/// Handle of the index's thread.
#[derive(Debug)]
pub(super) struct Indexer {
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Indexer {
    /// Starts the thread; it first tells the studies that it knows under `roots`.
    pub(super) fn start(folder: Option<PathBuf>, roots: Vec<PathBuf>, send: impl Fn(Message) + Send + 'static) -> Self {
        let (sender, requests) = unbounded();
        let thread = std::thread::Builder::new().name("index".into()).spawn(move || {
            let opened = folder.as_deref().map(Index::open);
            match opened {
                Some(Ok(index)) => Thread { index, folder, send: Box::new(send) }.run(&roots, &requests),
                Some(Err(error)) => tracing::warn!("{}", error.told().shown(Disclosure::Anonymous)),
                None => {}
            }
        });
        if let Err(error) = &thread {
            tracing::error!("no thread for the index: {error}");
        }
        Self { requests: Some(sender), thread: thread.ok() }
    }

    /// Notes a file that was read.
    pub(super) fn file(&self, file: KnownFile) {
        self.ask(Request::File(file));
    }

    /// Notes how a study stands in the list, and its folder.
    pub(super) fn study(&self, listed: Box<Listed>, folder: PathBuf) {
        self.ask(Request::Study(listed, folder));
    }

    /// Forgets a study.
    pub(super) fn gone(&self, study: Uid) {
        self.ask(Request::Gone(study));
    }

    /// Finds the files of a study that was only listed.
    pub(super) fn find(&self, study: Uid) {
        self.ask(Request::Find(study));
    }

    fn ask(&self, request: Request) {
        if let Some(requests) = &self.requests {
            // Without a thread nothing is indexed.
            let _ = requests.send(request);
        }
    }

    /// Ends the thread after what was asked for is written.
    pub(super) fn stop(mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

struct Thread {
    index: Index,
    folder: Option<PathBuf>,
    send: Box<dyn Fn(Message) + Send>,
}

impl Thread {
    fn run(mut self, roots: &[PathBuf], requests: &Receiver<Request>) {
        let roots: Vec<PathBuf> = roots.iter().map(|root| whole_path(root)).collect();
        let send = &self.send;
        let mut tell = |studies: Vec<Listed>| {
            if !studies.is_empty() {
                send(Message::Remembered(Remembered::Studies(studies)));
            }
        };
        warn(self.index.studies_under(&roots, PORTION, &mut tell));
        while let Ok(first) = requests.recv() {
            let (mut files, mut studies) = (Vec::new(), Vec::new());
            let rest = std::iter::from_fn(|| requests.try_recv().ok());
            for request in std::iter::once(first).chain(rest).take(BATCH) {
                match request {
                    Request::File(file) => files.push(file),
                    Request::Study(listed, folder) => studies.push((*listed, folder)),
                    Request::Gone(study) => warn(self.index.forget_study(&study)),
                    Request::Find(study) => self.find(&study),
                }
            }
            if !files.is_empty() {
                warn(self.index.keep_files(&files));
            }
            if !studies.is_empty() {
                warn(self.index.keep_studies(&studies));
            }
        }
    }

    fn find(&self, study: &Uid) {
        let paths = self.index.files_of(study).unwrap_or_default();
        let mut found = false;
        Scanner::new(known_files(self.folder.as_deref())).scan(&paths, &Cancel::new(), &mut |event| {
            if let ScanEvent::Study(whole) = event
                && whole.uid == *study
            {
                found = true;
                (self.send)(Message::StudyFound(Arc::from(whole)));
            }
        });
        if !found {
            (self.send)(Message::StudyGone(study.clone()));
        }
    }
}

fn warn(done: Result<(), StoreError>) {
    if let Err(error) = done {
        tracing::warn!("{}", error.told().shown(Disclosure::Anonymous));
    }
}

/// The path without links and relative parts, as the scan's paths are compared.
pub(super) fn whole_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The headers that earlier scans wrote down.
pub(super) fn known_files(folder: Option<&Path>) -> Box<dyn KnownFiles + Send> {
    match folder.map(Index::open) {
        Some(Ok(index)) => Box::new(Before(Mutex::new(index))),
        _ => Box::new(NothingKnown),
    }
}

struct Before(Mutex<Index>);

impl KnownFiles for Before {
    fn header(&self, path: &Path, stamp: FileStamp) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).header(path, stamp).ok()?
    }
}

/// The reports that earlier runs computed, and a place for new ones; nothing where there is no folder or the index cannot be used.
#[must_use]
pub fn kept_reports(folder: Option<&Path>) -> Arc<dyn Reports> {
    match folder.map(Index::open) {
        Some(Ok(index)) => Arc::new(Kept(Mutex::new(index))),
        _ => Arc::new(NoReports),
    }
}

/// The thumbnails that were kept beside reports. The index is opened when the first one is asked for.
pub(super) fn kept_thumbnails(folder: Option<PathBuf>) -> impl Fn(&ThumbnailKey) -> Option<Thumbnail> + Send {
    let index = OnceCell::new();
    move |key| {
        let open = || folder.as_deref().and_then(|folder| Index::open(folder).ok());
        let index: &Index = index.get_or_init(open).as_ref()?;
        index
            .thumbnail(key)
            .inspect_err(|error| tracing::warn!("{}", error.told().shown(Disclosure::Anonymous)))
            .ok()?
    }
}

struct Kept(Mutex<Index>);

impl Kept {
    fn with<T>(&self, work: impl FnOnce(&mut Index) -> Result<T, StoreError>) -> Option<T> {
        let mut index = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut index).inspect_err(|error| tracing::warn!("{}", error.told().shown(Disclosure::Anonymous))).ok()
    }
}

impl Reports for Kept {
    fn of_files(&self, key: &ReportKey, files: Fingerprint) -> Option<KeptAnalysis> {
        self.with(|index| index.report_of_files(key, files))?
    }

    fn of_content(&self, key: &ReportKey, files: Option<Fingerprint>, content: ContentHash) -> Option<KeptAnalysis> {
        self.with(|index| index.report_of_content(key, files, content))?
    }

    fn keep(&self, key: &ReportKey, files: Option<Fingerprint>, content: ContentHash, analysis: &KeptAnalysis) {
        self.with(|index| index.keep_report(key, files, content, analysis));
    }

    fn keep_thumbnail(&self, volume: &Volume, report: &FractureReport) {
        let Some(key) = ThumbnailKey::of(report) else { return };
        // A panic costs the thumbnail, not the analysis.
        let made = catch_unwind(AssertUnwindSafe(|| raster::thumbnail(volume, report))).ok().flatten();
        if let Some(image) = made {
            self.with(|index| index.keep_thumbnail(&report.study_uid, &key, &image));
        }
    }
}
