//! Folders to studies: headers only, in parallel, streaming.

use super::archive::{self, Archives};
use super::directory;
use super::group::{Found, study, study_key};
use super::header;
use super::part10::{Extent, FileError};
use super::pixels;
use crate::domain::{Study, Uid};
use crate::task::Cancel;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap, HashSet};
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

/// Reads the headers under the given files and folders (a DICOMDIR stands for the files that it
/// lists, an archive for its members) and reports studies as they appear.
/// Links are followed; loops are not. Returns when all is read or `cancel` is set.
pub fn scan(roots: &[PathBuf], cancel: &Cancel, report: &mut dyn FnMut(ScanEvent)) -> ScanSummary {
    let mut state = State::default();
    let mut batch = Vec::with_capacity(BATCH);
    for root in roots {
        let root = if directory::is_directory_file(root) {
            match state.listed(root, report) {
                Some(files) => {
                    batch.extend(files);
                    state.read(&mut batch, 1, report);
                    continue;
                }
                None => root.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")),
            }
        } else {
            root
        };
        for entry in WalkDir::new(root).follow_links(true).sort_by_file_name() {
            if cancel.is_cancelled() {
                return state.summary;
            }
            match entry {
                Ok(entry) if entry.file_type().is_dir() => state.read(&mut batch, BATCH / 4, report),
                Ok(entry) if entry.file_type().is_file() && archive::is_archive(entry.path()) => {
                    let members = match state.archives.members(entry.path()) {
                        Ok(members) => members,
                        Err(error) => {
                            state.unreadable(entry.into_path(), error.to_string(), report);
                            continue;
                        }
                    };
                    for member in members {
                        if cancel.is_cancelled() {
                            return state.summary;
                        }
                        batch.push(member);
                        state.read(&mut batch, BATCH, report);
                    }
                }
                Ok(entry) => {
                    batch.push(entry.into_path());
                    state.read(&mut batch, BATCH, report);
                }
                Err(error) => {
                    let reason = error.io_error().map_or_else(|| "link loop".to_owned(), |io| io.kind().to_string());
                    state.unreadable(error.path().unwrap_or(root).to_owned(), reason, report);
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
    archives: Archives,
}

impl State {
    fn unreadable(&mut self, path: PathBuf, reason: String, report: &mut dyn FnMut(ScanEvent)) {
        self.summary.unreadable += 1;
        report(ScanEvent::Unreadable { path, reason });
    }

    /// The files that a DICOMDIR lists; `None`, with a word, where it lists none that is there.
    fn listed(&mut self, index: &Path, report: &mut dyn FnMut(ScanEvent)) -> Option<BTreeSet<PathBuf>> {
        let whole = "the whole folder is read instead";
        let reason = match directory::read(index) {
            Ok(listed) if !listed.files.is_empty() => {
                if listed.missing() > 0 {
                    let reason =
                        format!("{} of the {} files that it lists are not here", listed.missing(), listed.listed);
                    self.unreadable(index.to_owned(), reason, report);
                }
                return Some(listed.files);
            }
            Ok(listed) => format!("none of the {} files that it lists is here; {whole}", listed.listed),
            Err(error) => format!("{error}; {whole}"),
        };
        self.unreadable(index.to_owned(), reason, report);
        None
    }

    /// Reads the batch if it has at least so many files.
    fn read(&mut self, batch: &mut Vec<PathBuf>, at_least: usize, report: &mut dyn FnMut(ScanEvent)) {
        if batch.len() < at_least.max(1) {
            return;
        }
        let fresh: Vec<PathBuf> = batch.drain(..).filter(|path| self.known.insert(path.clone())).collect();
        let archives = &self.archives;
        let read: Vec<(PathBuf, Result<_, _>)> = fresh
            .into_par_iter()
            .map(|path| {
                let pictures = archives.read(&path, Extent::Header).and_then(|file| {
                    let mut pictures = header::parse(&file)?;
                    let fault = pixels::check(&file, &mut pictures);
                    Ok((pictures, fault))
                });
                (path, pictures)
            })
            .collect();
        let mut changed: Vec<Uid> = Vec::new();
        for (path, pictures) in read {
            self.summary.files += 1;
            match pictures {
                Ok((pictures, fault)) => {
                    self.summary.dicom += 1;
                    if let Some(fault) = fault {
                        self.unreadable(path.clone(), fault.to_string(), report);
                    }
                    for header in pictures {
                        let uid = study_key(&path, &header);
                        if !changed.contains(&uid) {
                            changed.push(uid.clone());
                        }
                        self.files.entry(uid).or_default().push(Found { path: path.clone(), header: Arc::new(header) });
                    }
                }
                Err(FileError::NotDicom) if archive::is_packed(&path) => {
                    let reason = "packed in a way that is not read; unpack it, or pack it as zip or tar";
                    self.unreadable(path, reason.into(), report);
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
