//! Folders to studies: headers only, in parallel, streaming. A [`Scanner`] keeps what it has found and can look again.

use super::ahead::READERS;
use super::archive::{self, Archives, Kind};
use super::contents;
use super::directory;
use super::group::{Found, studies, study_key};
use super::header::{self, Header};
use super::known::{self, KnownFiles, NothingKnown};
use super::part10::{Extent, FileError};
use super::pixels;
use crate::domain::{FileStamp, Study, Uid};
use crate::task::limits;
use crate::task::{Cancel, Pool};
use rayon::prelude::*;
use skipped::{Skip, Skipped};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use walkdir::WalkDir;

mod containers;
mod finish;
mod skipped;

pub use skipped::{SkippedFiles, SkippedKind};

/// Files whose headers are read together before the list hears of them.
const BATCH: usize = 256;
/// How often a file is tried again while no more files can be opened, and how long between two attempts.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// What a scan reports as it goes.
#[derive(Debug)]
pub enum ScanEvent {
    /// A study is new or has grown; it replaces the one of the same UID.
    Study(Box<Study>),
    /// A study that has no files any more.
    Gone(Uid),
    /// A file was read, not known from before: what may be written down of it.
    Read {
        /// The file.
        path: PathBuf,
        /// As it was.
        stamp: FileStamp,
        /// The study that it belongs to; none for a file that is not DICOM.
        study: Option<Uid>,
        /// For [`KnownFiles`].
        header: Vec<u8>,
    },
    /// A file that looked like DICOM and could not be used.
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Files of one kind that are not used; reported once at the end of a scan.
    Skipped(SkippedFiles),
    /// How far the scan is.
    Progress(ScanSummary),
}

/// Counts of a scan, so far or final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanSummary {
    /// Files seen.
    pub files: usize,
    /// DICOM files among them that were read.
    pub dicom: usize,
    /// Files that are not DICOM.
    pub not_dicom: usize,
    /// Files or folders that could not be used.
    pub unreadable: usize,
    /// Files that were not opened: they are as they were when they were read before.
    pub unchanged: usize,
}

/// Reads the headers under the given files and folders (a DICOMDIR means its folder, an archive the files in it) and reports
/// studies as they appear.
/// Links are followed; loops are not. Returns when all is read or `cancel` is set.
pub fn scan(roots: &[PathBuf], cancel: &Cancel, report: &mut dyn FnMut(ScanEvent)) -> ScanSummary {
    Scanner::new(Box::new(NothingKnown)).scan(roots, cancel, report)
}

/// Scans to the end and returns the studies (by UID of first appearance) and the unusable files with their reasons.
#[must_use]
pub fn scan_all(roots: &[PathBuf], cancel: &Cancel) -> (Vec<Study>, Vec<(PathBuf, String)>, ScanSummary) {
    let mut order = Vec::new();
    let mut studies: HashMap<Uid, Study> = HashMap::new();
    let mut unreadable = Vec::new();
    let summary = scan(roots, cancel, &mut |event| match event {
        ScanEvent::Study(study) => {
            if !studies.contains_key(&study.uid) {
                order.push(study.uid.clone());
            }
            studies.insert(study.uid.clone(), *study);
        }
        ScanEvent::Unreadable { path, reason } => unreadable.push((path, reason)),
        ScanEvent::Skipped(files) => unreadable.push((files.path.clone(), files.to_string())),
        ScanEvent::Gone(_) | ScanEvent::Read { .. } | ScanEvent::Progress(_) => {}
    });
    (order.iter().filter_map(|uid| studies.remove(uid)).collect(), unreadable, summary)
}

/// What is known of a file that was looked at.
#[derive(Debug, Clone, Default)]
struct Seen {
    stamp: Option<FileStamp>,
    study: Option<Uid>,
}

/// What one file gave.
struct Read {
    path: PathBuf,
    stamp: Option<FileStamp>,
    outcome: Result<(Vec<Header>, Option<FileError>), FileError>,
    /// The format of archives that it has, if it is not DICOM.
    container: Option<Kind>,
    from_before: bool,
}

/// Finds studies, and finds them again.
pub struct Scanner {
    before: Box<dyn KnownFiles + Send>,
    /// Files by [`study_key`].
    files: HashMap<Uid, Vec<Found>>,
    /// The studies that the files of each key came to.
    reported: HashMap<Uid, BTreeSet<Uid>>,
    seen: HashMap<PathBuf, Seen>,
    told_unreadable: HashSet<PathBuf>,
    skipped: Skipped,
    /// Archives that were found and are to be listed.
    containers: Vec<PathBuf>,
    /// DICOMDIR files that are to be compared with what is there.
    directories: Vec<PathBuf>,
    changed: BTreeSet<Uid>,
    summary: ScanSummary,
    archives: Archives,
    /// Headers are read by more threads than there are cores: from a network mount it is mostly waited for them.
    readers: Pool,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("summary", &self.summary).finish_non_exhaustive()
    }
}

impl Scanner {
    /// A scanner that has seen nothing, with what an earlier one wrote down.
    #[must_use]
    pub fn new(before: Box<dyn KnownFiles + Send>) -> Self {
        Self {
            before,
            files: HashMap::new(),
            reported: HashMap::new(),
            seen: HashMap::new(),
            told_unreadable: HashSet::new(),
            skipped: Skipped::default(),
            containers: Vec::new(),
            directories: Vec::new(),
            changed: BTreeSet::new(),
            summary: ScanSummary::default(),
            archives: Archives::default(),
            readers: Pool::at_least("scan", READERS),
        }
    }

    /// As [`scan`]; a file that is as it was when it was written down costs one `stat` and is not opened.
    pub fn scan(&mut self, roots: &[PathBuf], cancel: &Cancel, report: &mut dyn FnMut(ScanEvent)) -> ScanSummary {
        let mut batch = Vec::with_capacity(BATCH);
        for root in roots {
            let folder = root.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            if directory::is_directory_name(root) && root.is_file() {
                self.walk(folder, cancel, report, &mut batch);
            } else if !root.exists() && archive::outermost(root).is_some() {
                batch.push(root.clone());
            } else {
                self.walk(root, cancel, report, &mut batch);
            }
            self.read(&mut batch, BATCH, cancel, report);
        }
        self.read(&mut batch, 1, cancel, report);
        self.finish(cancel, report);
        self.summary
    }

    fn walk(&mut self, root: &Path, cancel: &Cancel, report: &mut dyn FnMut(ScanEvent), batch: &mut Vec<PathBuf>) {
        for entry in WalkDir::new(root).follow_links(true).sort_by_file_name() {
            if cancel.is_cancelled() {
                return;
            }
            match entry {
                Ok(entry) if entry.file_type().is_dir() => self.read(batch, BATCH / 4, cancel, report),
                Ok(entry) => {
                    batch.push(entry.into_path());
                    self.read(batch, BATCH, cancel, report);
                }
                Err(error) => {
                    let reason = error.io_error().map_or_else(|| "link loop".to_owned(), io_words);
                    self.unreadable(error.path().unwrap_or(root).to_owned(), reason, report);
                }
            }
        }
    }

    /// Looks again at folders: what is new or was written since is read, what is gone is forgotten. Folders in which something was
    /// written less than `settled` ago are still being filled; they are returned and left for later.
    pub fn look_again(
        &mut self,
        folders: &[PathBuf],
        settled: Duration,
        cancel: &Cancel,
        report: &mut dyn FnMut(ScanEvent),
    ) -> Vec<PathBuf> {
        let mut later = Vec::new();
        let now = std::time::SystemTime::now();
        let now_ns = now.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64);
        let fresh = |stamp: &FileStamp| {
            // A file from the future is settled, too: clocks differ.
            (0..i64::try_from(settled.as_nanos()).unwrap_or(i64::MAX)).contains(&(now_ns - stamp.written_ns))
        };
        for folder in folders {
            let mut there: HashMap<PathBuf, FileStamp> = HashMap::new();
            for entry in WalkDir::new(folder).follow_links(true).into_iter().filter_map(Result::ok) {
                if cancel.is_cancelled() {
                    return later;
                }
                if entry.file_type().is_file()
                    && let Some(stamp) = known::stamp_of(entry.path())
                {
                    there.insert(entry.into_path(), stamp);
                }
            }
            let other = |path: &PathBuf, stamp: &FileStamp| {
                self.seen.get(path).is_none_or(|seen| seen.stamp.as_ref() != Some(stamp))
            };
            if there.iter().any(|(path, stamp)| other(path, stamp) && fresh(stamp)) {
                later.push(folder.clone());
                continue;
            }
            let mut batch: Vec<PathBuf> = Vec::new();
            let gone: Vec<PathBuf> = self.seen.keys().filter(|path| path.starts_with(folder)).cloned().collect();
            for path in gone {
                // A member of an archive is there as long as its archive is.
                let stamp = path.ancestors().find_map(|above| there.get(above));
                if stamp.is_none() || stamp != self.seen.get(&path).and_then(|seen| seen.stamp.as_ref()) {
                    self.forget(&path);
                }
            }
            batch.extend(there.into_keys());
            batch.sort();
            self.read(&mut batch, 0, cancel, report);
        }
        self.finish(cancel, report);
        later
    }

    /// Takes a file back.
    fn forget(&mut self, path: &Path) {
        let Some(Seen { study: Some(uid), .. }) = self.seen.remove(path) else { return };
        if let Some(files) = self.files.get_mut(&uid) {
            files.retain(|file| file.path != path);
        }
        self.changed.insert(uid);
    }

    fn unreadable(&mut self, path: PathBuf, reason: String, report: &mut dyn FnMut(ScanEvent)) {
        if self.told_unreadable.insert(path.clone()) {
            self.summary.unreadable += 1;
            report(ScanEvent::Unreadable { path, reason });
        }
    }

    /// Reads the batch if it has at least so many files, and the archives that are found in it.
    fn read(&mut self, batch: &mut Vec<PathBuf>, at_least: usize, cancel: &Cancel, report: &mut dyn FnMut(ScanEvent)) {
        if batch.len() >= at_least {
            self.read_files(batch, report);
            self.read_containers(cancel, report);
        }
    }

    /// Reads the files of the batch, and reports what has changed.
    fn read_files(&mut self, batch: &mut Vec<PathBuf>, report: &mut dyn FnMut(ScanEvent)) {
        let mut fresh: Vec<PathBuf> = Vec::with_capacity(batch.len());
        for path in batch.drain(..) {
            if !self.seen.contains_key(&path) {
                self.seen.insert(path.clone(), Seen::default());
                if directory::is_directory_name(&path) {
                    self.directories.push(path.clone());
                }
                fresh.push(path);
            }
        }
        let (archives, before) = (&self.archives, &*self.before);
        let read: Vec<Read> =
            self.readers.install(|| fresh.into_par_iter().map(|path| read_one(path, archives, before)).collect());
        for one in read {
            self.take(one, report);
        }
        for key in std::mem::take(&mut self.changed) {
            let files = self.files.entry(key.clone()).or_default();
            self.readers.install(|| contents::decide(files, &self.archives));
            let studies = studies(&key, files);
            if files.is_empty() {
                self.files.remove(&key);
            }
            let now: BTreeSet<Uid> = studies.iter().map(|study| study.uid.clone()).collect();
            let before = self.reported.insert(key.clone(), now.clone()).unwrap_or_default();
            before.difference(&now).for_each(|gone| report(ScanEvent::Gone(gone.clone())));
            if now.is_empty() {
                self.reported.remove(&key);
            }
            studies.into_iter().for_each(|study| report(ScanEvent::Study(Box::new(study))));
        }
        report(ScanEvent::Progress(self.summary));
    }

    fn take(&mut self, one: Read, report: &mut dyn FnMut(ScanEvent)) {
        let Read { path, stamp, outcome, container, from_before } = one;
        let mut belongs = None;
        if container.is_some_and(|kind| !matches!(kind, Kind::Unsupported(_))) {
            self.seen.insert(path.clone(), Seen { stamp, study: None });
            self.containers.push(path);
            return;
        }
        self.summary.files += 1;
        self.summary.unchanged += usize::from(from_before);
        match outcome {
            // So is written down what was not DICOM.
            Ok((pictures, _)) if pictures.is_empty() && from_before => {
                self.skip(&path, &FileError::NotDicom, None, report);
            }
            Ok((pictures, _)) if pictures.is_empty() => self.summary.not_dicom += 1,
            Ok((pictures, fault)) => {
                self.summary.dicom += 1;
                let whole = fault.is_none();
                if let Some(fault) = fault {
                    self.unreadable(path.clone(), fault.to_string(), report);
                }
                belongs = pictures.first().map(|header| study_key(&path, header));
                if whole && !from_before {
                    note(&path, stamp, belongs.as_ref(), &pictures, report);
                }
                for header in pictures {
                    let uid = study_key(&path, &header);
                    self.changed.insert(uid.clone());
                    let found = Found { path: path.clone(), stamp, header: Arc::new(header), content: None };
                    self.files.entry(uid).or_default().push(found);
                }
            }
            Err(FileError::OutOfFiles) => {
                self.summary.files -= 1;
                self.skip(&path, &FileError::OutOfFiles, None, report);
                // Without a stamp it is another file than the one that is found when the folder is looked at again.
                self.seen.insert(path, Seen::default());
                return;
            }
            Err(error) => {
                if error == FileError::NotDicom && container.is_none() {
                    note(&path, stamp, None, &[], report);
                }
                self.skip(&path, &error, container, report);
            }
        }
        self.seen.insert(path, Seen { stamp, study: belongs });
    }

    /// Counts a file that gave no image.
    fn skip(&mut self, path: &Path, error: &FileError, container: Option<Kind>, report: &mut dyn FnMut(ScanEvent)) {
        match skipped::of(path, error, container) {
            Skip::NotDicom => self.summary.not_dicom += 1,
            Skip::Kind(kind) => {
                self.summary.not_dicom += usize::from(!kind.is_unreadable());
                if self.told_unreadable.insert(path.to_owned()) {
                    self.summary.unreadable += usize::from(kind.is_unreadable());
                    self.skipped.add(kind, path);
                }
            }
            Skip::Later => self.skipped.add(SkippedKind::NotOpened, path),
            Skip::Alone => self.unreadable(path.to_owned(), error.to_string(), report),
        }
    }
}

fn note(
    path: &Path,
    stamp: Option<FileStamp>,
    study: Option<&Uid>,
    pictures: &[Header],
    report: &mut dyn FnMut(ScanEvent),
) {
    if let (Some(stamp), Some(header)) = (stamp, known::encode(pictures)) {
        report(ScanEvent::Read { path: path.to_owned(), stamp, study: study.cloned(), header });
    }
}

/// The words of an error without the path; where a limit was reached, with what to do about it.
fn io_words(error: &std::io::Error) -> String {
    if limits::is_out_of_files(error) { limits::out_of_files() } else { error.kind().to_string() }
}

/// Reads; while no more files can be opened, waits for other threads to close theirs.
fn read_patiently<T>(read: impl Fn() -> Result<T, FileError>) -> Result<T, FileError> {
    for _ in 0..ATTEMPTS {
        match read() {
            Err(FileError::OutOfFiles) => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
    read()
}

fn read_one(path: PathBuf, archives: &Archives, before: &dyn KnownFiles) -> Read {
    let stamp = known::stamp_of(&path);
    let known = stamp.and_then(|stamp| before.header(&path, stamp)).and_then(|kept| known::decode(&kept));
    if let Some(pictures) = known {
        return Read { path, stamp, outcome: Ok((pictures, None)), container: None, from_before: true };
    }
    let outcome = read_patiently(|| archives.read(&path, Extent::Header)).and_then(|file| {
        let mut pictures = header::parse(&file)?;
        let fault = pixels::check(&file, &mut pictures);
        // A file without an image is not loaded later, when its checksum would be verified: damage may be why it has none.
        let is_object = pictures.iter().all(|header| !header.has_pixels);
        if is_object && archive::outermost(&path).is_some() {
            archives.read(&path, Extent::All)?;
        }
        Ok((pictures, fault))
    });
    let is_other = matches!(outcome, Err(FileError::NotDicom));
    let container =
        is_other.then(|| archives.begin(&path)).and_then(Result::ok).and_then(|begin| Kind::of(&begin, &path));
    Read { path, stamp, outcome, container, from_before: false }
}
