//! Folders to studies: headers only, in parallel, streaming.

use super::group::{Found, study, study_key};
use super::header;
use super::part10::{self, Extent, FileError};
use crate::domain::{Study, Uid};
use crate::task::Cancel;
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walkdir::WalkDir;

/// Files whose headers are read together before the list hears of them.
const BATCH: usize = 256;

/// What a scan reports as it goes.
#[derive(Debug)]
pub enum ScanEvent {
    /// A study is new or has grown; it replaces the one of the same UID.
    Study(Box<Study>),
    /// A file that looked like DICOM and could not be used.
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
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
}

/// Reads the headers under the given files and folders (a DICOMDIR stands for its folder) and reports studies as they appear.
/// Links are followed; loops are not. Returns when all is read or `cancel` is set.
pub fn scan(roots: &[PathBuf], cancel: &Cancel, report: &mut dyn FnMut(ScanEvent)) -> ScanSummary {
    let mut state = State::default();
    let mut batch = Vec::with_capacity(BATCH);
    for root in roots {
        let is_index = root.is_file() && root.file_name().is_some_and(|name| name.eq_ignore_ascii_case("DICOMDIR"));
        let root = if is_index { root.parent().unwrap_or(root) } else { root };
        for entry in WalkDir::new(root).follow_links(true).sort_by_file_name() {
            if cancel.is_cancelled() {
                return state.summary;
            }
            match entry {
                Ok(entry) if entry.file_type().is_dir() => state.read(&mut batch, BATCH / 4, report),
                Ok(entry) => {
                    batch.push(entry.into_path());
                    state.read(&mut batch, BATCH, report);
                }
                Err(error) => {
                    state.summary.unreadable += 1;
                    let reason = error.io_error().map_or_else(|| "link loop".to_owned(), |io| io.kind().to_string());
                    let path = error.path().unwrap_or(root).to_owned();
                    report(ScanEvent::Unreadable { path, reason });
                }
            }
        }
        state.read(&mut batch, 1, report);
    }
    state.summary
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
        ScanEvent::Progress(_) => {}
    });
    (order.iter().filter_map(|uid| studies.remove(uid)).collect(), unreadable, summary)
}

#[derive(Default)]
struct State {
    files: HashMap<Uid, Vec<Found>>,
    known: HashSet<PathBuf>,
    summary: ScanSummary,
}

impl State {
    /// Reads the batch if it has at least so many files.
    fn read(&mut self, batch: &mut Vec<PathBuf>, at_least: usize, report: &mut dyn FnMut(ScanEvent)) {
        if batch.len() < at_least.max(1) {
            return;
        }
        let fresh: Vec<PathBuf> = batch.drain(..).filter(|path| self.known.insert(path.clone())).collect();
        let read: Vec<(PathBuf, Result<Vec<header::Header>, FileError>)> = fresh
            .into_par_iter()
            .map(|path| {
                let pictures = part10::read(&path, Extent::Header).and_then(|file| header::parse(&file));
                (path, pictures)
            })
            .collect();
        let mut changed: Vec<Uid> = Vec::new();
        for (path, pictures) in read {
            self.summary.files += 1;
            match pictures {
                Ok(pictures) => {
                    self.summary.dicom += 1;
                    for header in pictures {
                        let uid = study_key(&path, &header);
                        if !changed.contains(&uid) {
                            changed.push(uid.clone());
                        }
                        self.files.entry(uid).or_default().push(Found { path: path.clone(), header: Arc::new(header) });
                    }
                }
                Err(FileError::NotDicom) if !named_like_dicom(&path) => self.summary.not_dicom += 1,
                Err(error) => {
                    if error == FileError::NotDicom {
                        self.summary.not_dicom += 1;
                    } else {
                        self.summary.unreadable += 1;
                    }
                    report(ScanEvent::Unreadable { path, reason: error.to_string() });
                }
            }
        }
        for uid in changed {
            if let Some(files) = self.files.get(&uid) {
                report(ScanEvent::Study(Box::new(study(&uid, files))));
            }
        }
        report(ScanEvent::Progress(self.summary));
    }
}

fn named_like_dicom(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("dcm"))
}
