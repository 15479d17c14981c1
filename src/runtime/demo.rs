//! The demo's studies: made on the reader's machine, shown one by one as they are written.

use super::indexer::whole_path;
use crate::app::Message;
use crate::dicom::{ScanEvent, ScanSummary, Scanner};
use crate::domain::SensitiveText;
use crate::phantom::{demo_recipes, generate, write_slice, write_study};
use crate::task::Cancel;
use std::path::{Path, PathBuf};

/// Ends the name of the mark beside a study's folder that is complete.
const COMPLETE: &str = "complete";
/// What the mark holds.
const MARK: &str = "All files of this study are written.\n";
/// The mark of earlier versions, inside the folder, where a scan counted it.
const MARK_INSIDE: &str = "whole";

/// Makes the studies that are not there from an earlier run, and reports each.
pub(super) fn make(
    cache: Option<&Path>,
    scanner: &mut Scanner,
    cancel: &Cancel,
    tell: &mut dyn FnMut(ScanEvent),
    send: &dyn Fn(Message),
) {
    let root = cache.map_or_else(|| std::env::temp_dir().join(format!("cspine-demo-{}", std::process::id())), folder);
    let mut summary = ScanSummary::default();
    for recipe in demo_recipes() {
        let study_folder = root.join(recipe.uid("study"));
        let mark = study_folder.with_added_extension(COMPLETE);
        // The mark of an earlier version leaves the folder before anything scans it.
        let inside = study_folder.join(MARK_INSIDE);
        if inside.is_file() && std::fs::remove_file(&inside).is_ok() {
            write_mark(&mark);
        }
        if !(mark.is_file() && study_folder.is_dir()) {
            let Some(study) = generate(&recipe, cancel) else { return };
            let _ = std::fs::remove_dir_all(&study_folder);
            let written = write_study(&study, &study_folder, cancel, &write_slice);
            if cancel.is_cancelled() {
                return;
            }
            if let Err(error) = written {
                return send(Message::ScanFailed(
                    SensitiveText::plain("the demo cannot be made: ").then(SensitiveText::foreign(&error.to_string())),
                ));
            }
            write_mark(&mark);
        }
        summary = scanner.scan(&[whole_path(&study_folder)], cancel, &mut |event| {
            if !matches!(event, ScanEvent::Progress(_)) {
                tell(event);
            }
        });
        send(Message::ScanProgress(summary));
    }
    send(Message::ScanFinished(summary));
}

/// Marks a study as complete. Without the mark it is made again next time, which costs seconds only.
fn write_mark(mark: &Path) {
    let _ = std::fs::write(mark, MARK);
}

/// Other versions may make other studies: each has its own folder.
pub(super) fn folder(cache: &Path) -> PathBuf {
    cache.join(concat!("demo-", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::NothingKnown;

    /// The counts of every progress report, and what was reported as unreadable.
    fn made(cache: &Path, stop_after: usize) -> (ScanSummary, Vec<String>) {
        let (cancel, told, last) = (Cancel::new(), std::cell::RefCell::new(Vec::new()), std::cell::Cell::default());
        let mut scanner = Scanner::new(Box::new(NothingKnown));
        let mut studies = 0;
        let mut tell = |event| match event {
            ScanEvent::Study(_) => {
                studies += 1;
                if studies == stop_after {
                    cancel.cancel();
                }
            }
            ScanEvent::Unreadable { reason, .. } => told.borrow_mut().push(reason),
            ScanEvent::Skipped(files) => told.borrow_mut().push(files.to_string()),
            _ => {}
        };
        let send = |message| {
            if let Message::ScanProgress(summary) = message {
                last.set(summary);
            }
        };
        make(Some(cache), &mut scanner, &cancel, &mut tell, &send);
        (last.get(), told.into_inner())
    }

    #[test]
    fn its_own_marks_are_no_files_of_the_scan_whatever_version_left_them() {
        let cache = tempfile::tempdir().expect("a folder");
        let (first, told) = made(cache.path(), 1);
        assert!(first.dicom > 0 && told.is_empty(), "{first:?} {told:?}");
        assert_eq!((first.files, first.not_dicom, first.unreadable), (first.dicom, 0, 0));
        // As an earlier version left it: an empty mark inside the study's folder.
        let root = folder(cache.path());
        let study = root.join(demo_recipes()[0].uid("study"));
        std::fs::remove_file(study.with_added_extension(COMPLETE)).expect("the mark");
        std::fs::write(study.join(MARK_INSIDE), "").expect("written");
        let before = std::fs::metadata(&study).and_then(|found| found.created()).ok();
        let (second, told) = made(cache.path(), 1);
        assert_eq!((second, told), (first, Vec::new()));
        assert_eq!(std::fs::metadata(&study).and_then(|found| found.created()).ok(), before, "it was not made again");
        assert!(study.with_added_extension(COMPLETE).is_file() && !study.join(MARK_INSIDE).exists());
    }
}
