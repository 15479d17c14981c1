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
    let recipes = demo_recipes();
    let total = recipes.len();
    for (recipe, study) in recipes.into_iter().zip(1..) {
        let study_folder = root.join(recipe.uid("study"));
        let mark = study_folder.with_added_extension(COMPLETE);
        // The mark of an earlier version leaves the folder before anything scans it.
        let inside = study_folder.join(MARK_INSIDE);
        if inside.is_file() && std::fs::remove_file(&inside).is_ok() {
            write_mark(&mark);
        }
        if !(mark.is_file() && study_folder.is_dir()) {
            send(Message::MakingDemo { study, total });
            let Some(made) = generate(&recipe, cancel) else { return };
            let _ = std::fs::remove_dir_all(&study_folder);
            let written = write_study(&made, &study_folder, cancel, &write_slice);
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

    #[test]
    fn its_own_marks_are_no_files_of_the_scan_whatever_version_left_them() {
        let cache = tempfile::tempdir().expect("a folder");
        let study = folder(cache.path()).join(demo_recipes()[0].uid("study"));
        // As an earlier version left it: an empty mark inside the study's folder. One file stands for the study.
        std::fs::create_dir_all(&study).expect("a folder");
        std::fs::write(study.join("slice"), "not made again").expect("written");
        std::fs::write(study.join(MARK_INSIDE), "").expect("written");
        let (cancel, seen) = (Cancel::new(), std::cell::Cell::default());
        let mut scanner = Scanner::new(Box::new(NothingKnown));
        let mut tell = |event| {
            assert!(!matches!(event, ScanEvent::Unreadable { .. } | ScanEvent::Skipped(_)), "{event:?}");
        };
        make(Some(cache.path()), &mut scanner, &cancel, &mut tell, &|message| {
            if let Message::ScanProgress(summary) = message {
                seen.set(summary);
            }
            cancel.cancel();
        });
        assert_eq!(seen.get(), ScanSummary { files: 1, not_dicom: 1, ..ScanSummary::default() });
        assert!(study.with_added_extension(COMPLETE).is_file() && !study.join(MARK_INSIDE).exists());
    }
}
