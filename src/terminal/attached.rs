//! tmux, detached and attached again: the terminal outside is then another one, or has forgotten the pictures.
//!
//! tmux tells its programs nothing of that, but it marks its socket: the owner may execute it while a terminal is attached.

use super::event::Event;
use super::writer::Inbox;
use crossbeam_channel::Sender;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

/// How often the socket is looked at.
const PERIOD: Duration = Duration::from_millis(500);

/// The running watch over tmux's socket; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    _alive: Arc<()>,
}

impl Watch {
    /// Starts it; `socket` is the first part of `TMUX`.
    ///
    /// # Errors
    /// The system's, where it has no room for a thread.
    pub(super) fn start(socket: PathBuf, inbox: Arc<Inbox>, events: Sender<Event>) -> io::Result<Self> {
        let alive = Arc::new(());
        let watched = Arc::downgrade(&alive);
        thread::Builder::new().name("tmux".into()).spawn(move || watch(&socket, &watched, &inbox, &events))?;
        Ok(Self { _alive: alive })
    }
}

/// tmux's socket, by what `TMUX` says: `socket,process,session`.
pub(super) fn socket(tmux: &str) -> Option<PathBuf> {
    let path = tmux.split(',').next().filter(|path| !path.is_empty())?;
    Some(path.into())
}

fn watch(socket: &Path, alive: &Weak<()>, inbox: &Inbox, events: &Sender<Event>) {
    let mut before = Mark::of(socket);
    while alive.strong_count() > 0 {
        thread::sleep(PERIOD);
        let now = Mark::of(socket);
        if now != before && now.is_some_and(|mark| mark.attached) {
            inbox.release();
            if events.send(Event::Resumed).is_err() {
                return;
            }
        }
        before = now;
    }
}

/// What the socket tells. It is marked anew at each change, so that the time tells of a terminal that went and came between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    attached: bool,
    since: (i64, i64),
}

impl Mark {
    /// `None` where the socket cannot be looked at.
    fn of(socket: &Path) -> Option<Self> {
        let found = std::fs::metadata(socket).ok()?;
        Some(Self { attached: found.mode() & 0o100 != 0, since: (found.ctime(), found.ctime_nsec()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::unbounded;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn attached_again_everything_is_drawn_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("default");
        std::fs::write(&path, "").expect("a file");
        let attach = |mode| std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("its owner");
        attach(0o700);
        let told = format!("{},4711,0", path.display());
        assert_eq!((socket(&told), socket("")), (Some(path.clone()), None));
        let (sender, events) = unbounded();
        let watch = Watch::start(path.clone(), Arc::default(), sender).expect("a thread");
        // Detached and attached at once, again and again until it was seen: the thread begins when it comes to it.
        let seen = (0..100).find_map(|_| {
            attach(0o600);
            attach(0o700);
            events.recv_timeout(2 * PERIOD).ok()
        });
        assert_eq!(seen, Some(Event::Resumed));
        drop(watch);
        // The thread ends, and with it its end of the channel.
        while events.recv_timeout(Duration::from_secs(60)).is_ok() {}
        assert!(events.recv().is_err());
    }
}
