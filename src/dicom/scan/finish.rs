//! The end of a scan: what can be said only when all files are read.

use super::{ScanEvent, Scanner};
use crate::dicom::directory::{self, Present};
use crate::task::Cancel;
use std::path::{Path, PathBuf};

impl Scanner {
    /// What can be said only when all is read.
    pub(super) fn finish(&mut self, cancel: &Cancel, report: &mut dyn FnMut(ScanEvent)) {
        if !cancel.is_cancelled() {
            self.compare_directories(report);
        }
        for files in self.skipped.take() {
            report(ScanEvent::Skipped(files));
        }
        report(ScanEvent::Progress(self.summary));
        self.archives.close();
    }

    /// Reports what the DICOMDIR files list that is not there.
    fn compare_directories(&mut self, report: &mut dyn FnMut(ScanEvent)) {
        let directories = std::mem::take(&mut self.directories);
        if directories.is_empty() {
            return;
        }
        let mut paths: Vec<&Path> = self.seen.keys().map(PathBuf::as_path).collect();
        paths.sort_unstable();
        let problem = |index: &Path| {
            let listed = match directory::listed(index, &self.archives) {
                Ok(listed) => listed,
                Err(error) => return Some(format!("{error}; the files of its folder are used without it")),
            };
            let folder = index.parent().unwrap_or(index);
            let from = paths.partition_point(|path| *path < folder);
            let below = paths.iter().skip(from).take_while(|path| path.starts_with(folder)).copied();
            let present = Present::below(folder, below);
            let mut missing = listed.iter().filter(|name| !present.has(name));
            let first = missing.next()?.replace('\\', "/");
            Some(match missing.count() {
                0 => format!("lists a file that is not here: {first}"),
                others => format!("lists {} files that are not here, first: {first}", others + 1),
            })
        };
        let problems: Vec<(PathBuf, String)> =
            directories.iter().filter_map(|index| Some((index.clone(), problem(index)?))).collect();
        for (index, problem) in problems {
            self.unreadable(index, problem, report);
        }
    }
}
