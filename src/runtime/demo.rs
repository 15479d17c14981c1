//! The demo's studies: made on the reader's machine, shown one by one as they are written.

use super::indexer::whole_path;
use crate::app::Message;
use crate::dicom::{ScanEvent, ScanSummary, Scanner};
use crate::domain::SensitiveText;
use crate::phantom::{demo_recipes, generate, write_slice, write_study};
use crate::task::Cancel;
use std::path::{Path, PathBuf};

/// In a study's folder once it is whole.
const WHOLE: &str = "whole";
/// What the mark holds: an empty file would be reported by a scan of the folder.
const MARK: &str = "All files of this study are written.\n";

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
        if !study_folder.join(WHOLE).is_file() {
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
            mark(&study_folder);
        } else if std::fs::metadata(study_folder.join(WHOLE)).is_ok_and(|mark| mark.len() == 0) {
            // As earlier versions wrote it.
            mark(&study_folder);
        }
        let found = scanner.scan(&[whole_path(&study_folder)], cancel, &mut |event| {
            if !matches!(event, ScanEvent::Progress(_)) {
                tell(event);
            }
        });
        (summary.files, summary.dicom) = (found.dicom, found.dicom);
        send(Message::ScanProgress(summary));
    }
    send(Message::ScanFinished(summary));
}

/// Marks a study as whole. Without the mark it is made again next time, which costs seconds only.
fn mark(study_folder: &Path) {
    let _ = std::fs::write(study_folder.join(WHOLE), MARK);
}

/// Other versions may make other studies: each has its own folder.
pub(super) fn folder(cache: &Path) -> PathBuf {
    cache.join(concat!("demo-", env!("CARGO_PKG_VERSION")))
}
