//! The log file. At the default level it holds no patient data: messages name what went wrong, not whose study it was.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Mutex;
use tracing::level_filters::LevelFilter;

/// A log larger than this is begun anew.
const LIMIT: u64 = 4 * 1024 * 1024;

/// Starts the log, if there is a folder for it, and gives its file, for what libraries write to standard error. A log that
/// cannot be written must not keep anyone from reading studies.
pub(super) fn start(folder: Option<&Path>, level: LevelFilter) -> Option<File> {
    let file = folder.and_then(open)?;
    let errors = file.try_clone().ok();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_max_level(level).with_writer(Mutex::new(file)).finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
    errors
}

fn open(folder: &Path) -> Option<File> {
    std::fs::create_dir_all(folder).ok()?;
    let path = folder.join("cspine.log");
    let full = std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LIMIT);
    OpenOptions::new().create(true).write(true).append(!full).truncate(full).open(path).ok()
}
