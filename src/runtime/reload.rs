//! Settings and themes that change while the program runs: looked for now and then, and told to the loop.

use crate::config::Folders;
use crate::task::Cancel;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// From one look to the next. Polling also works on network folders, where the system tells nobody.
const EVERY: Duration = Duration::from_millis(500);

/// A file as it was seen: name, change, length.
type Seen = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// The thread that looks.
pub(super) struct Watch {
    changed: Receiver<()>,
    cancel: Cancel,
}

impl Watch {
    /// Starts looking at the settings file and the folder of themes.
    pub(super) fn start(folders: &Folders) -> Self {
        let cancel = Cancel::new();
        let (sender, changed) = bounded(1);
        let (settings, themes) = (folders.settings_file(), folders.themes());
        // Before the thread: what changes from here on is a change.
        let told = seen(settings.as_deref(), themes.as_deref());
        let thread = std::thread::Builder::new().name("settings".into()).spawn({
            let cancel = cancel.clone();
            move || look(settings.as_deref(), themes.as_deref(), told, &cancel, &sender)
        });
        if let Err(error) = thread {
            tracing::warn!("settings are not watched: {error}");
        }
        Self { changed, cancel }
    }

    /// Where changes are told.
    pub(super) fn changed(&self) -> Receiver<()> {
        self.changed.clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

fn look(settings: Option<&Path>, themes: Option<&Path>, mut told: Seen, cancel: &Cancel, sender: &Sender<()>) {
    let mut last = told.clone();
    while !cancel.is_cancelled() {
        std::thread::sleep(EVERY);
        let now = seen(settings, themes);
        // A file that is still being written is let alone until it stays as it is.
        if now == last && now != told {
            told.clone_from(&now);
            if sender.send(()).is_err() {
                return;
            }
        }
        last = now;
    }
}

fn seen(settings: Option<&Path>, themes: Option<&Path>) -> Seen {
    let own = themes.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten();
    let mut files: Vec<PathBuf> = own.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files.extend(settings.map(Path::to_owned));
    let state = |path: PathBuf| {
        let data = std::fs::metadata(&path).ok();
        let changed = data.as_ref().and_then(|data| data.modified().ok());
        (path, changed, data.map_or(0, |data| data.len()))
    };
    files.into_iter().map(state).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_told_once_it_stays_as_it_is() {
        let home = tempfile::tempdir().expect("a folder");
        let folders = Folders::under(home.path());
        let settings = folders.settings_file().expect("a path");
        std::fs::create_dir_all(settings.parent().expect("a folder").join("themes")).expect("folders");
        let watch = Watch::start(&folders);
        std::fs::write(&settings, "theme = \"daylight\"").expect("written");
        watch.changed().recv().expect("the settings file is new");
        std::fs::write(folders.themes().expect("a path").join("mine.toml"), "").expect("written");
        watch.changed().recv().expect("a theme is new");
    }
}
