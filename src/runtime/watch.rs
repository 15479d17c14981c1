//! Studies that arrive, grow, move and go while the program runs.
//!
//! The system tells of changes where it can (inotify); on network mounts, and where it cannot, the folders are looked at now and
//! then. A folder in which something was written a moment ago is still being filled and waits.

use crate::dicom::{ScanEvent, Scanner};
use crate::task::Cancel;
use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A study is whole when nothing was written in its folder for so long.
const SETTLED: Duration = Duration::from_secs(3);
/// How often folders are looked at where the system tells nothing.
const POLL: Duration = Duration::from_secs(20);
/// How soon an end is noticed.
const TICK: Duration = Duration::from_millis(200);

/// Watches until `cancel` is set.
pub(super) fn watch(scanner: &mut Scanner, roots: &[PathBuf], cancel: &Cancel, tell: &mut dyn FnMut(ScanEvent)) {
    let (sender, events) = unbounded();
    // The watcher ends with the value.
    let watcher = roots.iter().all(|root| !is_remote(root)).then(|| told_by_the_system(roots, sender)).flatten();
    let mut state = State { roots, waiting: BTreeMap::new(), missing: BTreeSet::new() };
    // What came after its folder was scanned and before the system was asked to tell, nobody tells of.
    state.everything();
    let mut polled = Instant::now();
    while !cancel.is_cancelled() {
        state.hear(&events);
        if watcher.is_none() && polled.elapsed() >= POLL {
            polled = Instant::now();
            state.everything();
        }
        state.look(scanner, cancel, tell);
    }
}

struct State<'r> {
    roots: &'r [PathBuf],
    /// Folders to look at, with when they changed last.
    waiting: BTreeMap<PathBuf, Instant>,
    /// Roots that were told to be missing.
    missing: BTreeSet<PathBuf>,
}

impl State<'_> {
    /// Waits a moment for events, and takes in all that are there.
    fn hear(&mut self, events: &Receiver<notify::Result<Event>>) {
        let first = match events.recv_timeout(TICK) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => return,
            // Nobody tells: the folders are polled.
            Err(RecvTimeoutError::Disconnected) => return std::thread::sleep(TICK),
        };
        for event in std::iter::once(first).chain(events.try_iter()) {
            match event {
                Ok(event) if event.need_rescan() => self.everything(),
                Ok(event) if changes(event.kind) => {
                    for path in &event.paths {
                        self.changed(path);
                    }
                }
                Ok(_) => {}
                Err(_) => self.everything(),
            }
        }
    }

    fn changed(&mut self, path: &Path) {
        let Some(root) = self.roots.iter().find(|root| path.starts_with(root)) else { return };
        let folder = if path == root || path.is_dir() { path } else { path.parent().unwrap_or(root) };
        // A root may be a single file; its neighbours are nobody's business.
        let folder = if folder.starts_with(root) { folder } else { root };
        self.waiting.insert(folder.to_owned(), Instant::now());
    }

    fn everything(&mut self) {
        for root in self.roots {
            self.waiting.entry(root.clone()).or_insert_with(Instant::now);
        }
    }

    /// Looks at the folders that have come to rest.
    fn look(&mut self, scanner: &mut Scanner, cancel: &Cancel, tell: &mut dyn FnMut(ScanEvent)) {
        let rested: Vec<PathBuf> = self
            .waiting
            .iter()
            .filter(|(_, since)| since.elapsed() >= SETTLED)
            .map(|(folder, _)| folder.clone())
            .collect();
        for folder in rested {
            self.waiting.remove(&folder);
            if let Some(root) = self.roots.iter().find(|root| folder.starts_with(root) && !root.exists()) {
                // A share that is not mounted just now has lost no study.
                if self.missing.insert(root.clone()) {
                    tell(ScanEvent::Unreadable { path: root.clone(), reason: "not there any more".into() });
                }
                self.waiting.insert(root.clone(), Instant::now());
                continue;
            }
            self.missing.retain(|root| !folder.starts_with(root));
            for later in scanner.look_again(&[folder], SETTLED, cancel, tell) {
                self.waiting.insert(later, Instant::now());
            }
        }
    }
}

/// Whether an event says that something is other than before; that someone reads a file does not.
fn changes(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

fn told_by_the_system(
    roots: &[PathBuf],
    sender: crossbeam_channel::Sender<notify::Result<Event>>,
) -> Option<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event| drop(sender.send(event)))
        .inspect_err(|error| tracing::warn!("folders are polled: {error}"))
        .ok()?;
    for root in roots {
        if let Err(error) = watcher.watch(root, RecursiveMode::Recursive) {
            tracing::warn!("folders are polled: {}", error.kind_words());
            return None;
        }
    }
    Some(watcher)
}

/// The words of an error without the path, which may hold a name.
trait KindWords {
    fn kind_words(&self) -> String;
}

impl KindWords for notify::Error {
    fn kind_words(&self) -> String {
        match &self.kind {
            notify::ErrorKind::MaxFilesWatch => "too many folders for inotify".to_owned(),
            notify::ErrorKind::Io(error) => error.kind().to_string(),
            _ => "the operating system does not report changes".to_owned(),
        }
    }
}

/// Magic numbers of file systems that tell nothing of what others write (statfs(2); Linux's magic.h): NFS, SMB, CIFS, SMB2, FUSE,
/// 9p, AFS, Ceph, Coda, NCP.
const REMOTE: [u32; 10] =
    [0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x6573_5546, 0x0102_1997, 0x5346_414F, 0x00C3_6400, 0x7375_7245, 0x564C];

fn is_remote(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|found| u32::try_from(found.f_type).is_ok_and(|kind| REMOTE.contains(&kind)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::NothingKnown;

    #[test]
    fn what_came_between_the_scan_and_the_watch_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let roots = [folder.path().to_owned()];
        let (mut scanner, cancel) = (Scanner::new(Box::new(NothingKnown)), Cancel::new());
        scanner.scan(&roots, &cancel, &mut |_| {});
        let late = folder.path().join("late.dcm");
        std::fs::write(&late, [&[0; 128][..], b"DICM and no more"].concat()).expect("written");
        let mut told = Vec::new();
        // Without this a failure would be a test that never ends.
        let patience = cancel.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(60));
            patience.cancel();
        });
        watch(&mut scanner, &roots, &cancel, &mut |event| {
            match event {
                ScanEvent::Unreadable { path, .. } => told.push(path),
                ScanEvent::Skipped(files) => told.push(files.path),
                ScanEvent::Study(_) | ScanEvent::Gone(_) | ScanEvent::Read { .. } | ScanEvent::Progress(_) => return,
            }
            cancel.cancel();
        });
        assert_eq!(told, [late]);
    }
}
