//! Looks at tmux's pane again and again, and at once when that is wanted.

use super::sight::{Attached, Sight, look};
use crate::terminal::event::Event;
use crate::terminal::writer::{Inbox, Looked};
use crossbeam_channel::Sender;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

/// How often the pane is looked at while images may be on it: a picture stays at most so long where it no longer belongs.
const WITH_IMAGES: Duration = Duration::from_millis(200);
/// The same while none are: only another terminal matters.
const WITHOUT: Duration = Duration::from_secs(1);

/// The running watch over tmux's pane; it ends when this is dropped.
#[derive(Debug)]
pub(in crate::terminal) struct Watch {
    alive: Arc<()>,
    inbox: Arc<Inbox>,
    has_images: Arc<AtomicBool>,
}

impl Watch {
    /// Starts it. It sends [`Event::Resumed`] when another terminal is attached, or begins to show the pane, and [`Event::Focus`] when the pane gets or loses
    /// the keys.
    ///
    /// # Errors
    /// The system's, if it has no room for a thread.
    pub(in crate::terminal) fn start(inbox: Arc<Inbox>, events: Sender<Event>) -> io::Result<Self> {
        let (alive, has_images) = (Arc::new(()), Arc::new(AtomicBool::new(false)));
        let watching = Watching { inbox: Arc::clone(&inbox), events, has_images: Arc::clone(&has_images), last: None };
        let watched = Arc::downgrade(&alive);
        thread::Builder::new().name("tmux".into()).spawn(move || watching.run(&watched))?;
        Ok(Self { alive, inbox, has_images })
    }

    /// Whether images go to the terminal.
    pub(in crate::terminal) fn set_images(&self, has_images: bool) {
        self.has_images.store(has_images, Ordering::Relaxed);
        self.inbox.look();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The thread finds nobody alive when it wakes.
        self.alive = Arc::new(());
        self.inbox.look();
    }
}

/// tmux's socket, by what `TMUX` says: `socket,process,session`.
pub(in crate::terminal) fn socket(tmux: &str) -> Option<PathBuf> {
    let path = tmux.split(',').next().filter(|path| !path.is_empty())?;
    Some(path.into())
}

struct Watching {
    inbox: Arc<Inbox>,
    events: Sender<Event>,
    has_images: Arc<AtomicBool>,
    last: Option<Sight>,
}

impl Watching {
    fn run(mut self, alive: &Weak<()>) {
        while alive.strong_count() > 0 {
            if self.take(look()).is_err() {
                return;
            }
            let period = if self.has_images.load(Ordering::Relaxed) { WITH_IMAGES } else { WITHOUT };
            self.inbox.wait_for_look(period);
        }
    }

    /// Takes in what a look found; an error if nobody listens any more.
    fn take(&mut self, sight: Option<Sight>) -> Result<(), crossbeam_channel::SendError<Event>> {
        // Those that showed it before still have its images.
        let before = self.last.as_ref().map(|last| last.terminals.clone()).unwrap_or_default();
        let shown = sight.as_ref().filter(|sight| sight.pane.is_visible).map(|sight| sight.terminals.clone());
        let terminals = shown.unwrap_or_else(|| before.clone());
        let gone = before.iter().filter(|device| !terminals.contains(device)).cloned().collect();
        self.inbox.looked(Looked { pane: sight.as_ref().map(|sight| sight.pane), terminals: terminals.clone(), gone });
        let Some(sight) = sight else { return Ok(()) };
        let last = self.last.replace(Sight { terminals: terminals.clone(), ..sight.clone() });
        let Some(last) = last else { return Ok(()) };
        let was_there = |client: &Attached| {
            last.attached.iter().any(|one| (one.since, &one.device) == (client.since, &client.device))
        };
        let is_attached = !sight.attached.iter().all(was_there);
        if is_attached || terminals.iter().any(|device| !before.contains(device)) {
            // It has none of the images, and may not be able to show any.
            self.inbox.release();
            self.events.send(Event::Resumed)?;
        }
        if sight.pane.has_focus != last.pane.has_focus {
            self.events.send(Event::Focus(sight.pane.has_focus))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::delivery::Pane;
    use crossbeam_channel::unbounded;

    fn sight(clients: &[u64], has_focus: bool) -> Sight {
        let device = |at: u64| PathBuf::from(format!("/dev/pts/{at}"));
        let attached = |at: &u64| Attached {
            since: *at,
            device: device(*at),
            is_in_session: true,
            is_utf8: true,
            term: "xterm-kitty".into(),
            name: "xterm-kitty".into(),
        };
        Sight {
            pane: Pane { left: 0, top: 0, is_visible: !clients.is_empty(), has_focus },
            terminals: clients.iter().map(|at| device(*at)).collect(),
            allows_passthrough: None,
            attached: clients.iter().map(attached).collect(),
        }
    }

    #[test]
    fn another_terminal_and_the_keys_are_told_of() {
        let (events, told) = unbounded();
        let mut watching =
            Watching { inbox: Arc::default(), events, has_images: Arc::default(), last: Some(sight(&[1], true)) };
        let mut look = |clients: &[u64], has_focus| {
            watching.take(Some(sight(clients, has_focus))).expect("someone listens");
            told.try_iter().collect::<Vec<_>>()
        };
        assert_eq!(look(&[1], true), []);
        assert_eq!(look(&[1], false), [Event::Focus(false)]);
        assert_eq!(look(&[1, 2], false), [Event::Resumed], "a second one beside the first");
        assert_eq!(look(&[2], true), [Event::Focus(true)], "one that leaves changes nothing for the others");
        assert_eq!(look(&[], false), [Event::Focus(false)]);
        assert_eq!(look(&[3], true), [Event::Resumed, Event::Focus(true)]);
    }

    #[test]
    fn a_terminal_that_begins_to_show_the_pane_has_none_of_its_images() {
        let (events, told) = unbounded();
        let shown_by = |shown: &[u64]| {
            let all = sight(&[1, 2], true);
            let terminals: Vec<PathBuf> = shown.iter().map(|at| PathBuf::from(format!("/dev/pts/{at}"))).collect();
            Sight { pane: Pane { is_visible: !shown.is_empty(), ..all.pane }, terminals, ..all }
        };
        let mut watching =
            Watching { inbox: Arc::default(), events, has_images: Arc::default(), last: Some(shown_by(&[1])) };
        let mut look = |shown: &[u64]| {
            watching.take(Some(shown_by(shown))).expect("someone listens");
            told.try_iter().count()
        };
        assert_eq!(look(&[2]), 1, "both terminals exchanged their sessions between two looks");
        assert_eq!(look(&[]), 0);
        assert_eq!(look(&[2]), 0, "the same one again, after another window");
        assert_eq!(look(&[1, 2]), 1);
        assert_eq!(look(&[1]), 0);
    }

    #[test]
    fn the_socket_is_the_first_part_of_what_tmux_says() {
        assert_eq!((socket("/tmp/tmux-0/default,4711,0"), socket("")), (Some("/tmp/tmux-0/default".into()), None));
    }
}
