//! Loads the open series for the picture, and the next one before it is asked for.

use crate::app::Message;
use crate::dicom::{LoadError, VolumeCache};
use crate::domain::Study;
use crate::task::{Cancel, Mailbox};
use crossbeam_channel::Sender;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

type Request = (Arc<Study>, usize, Cancel);

/// Handle of the two loading threads.
pub(super) struct Loader {
    open: Mailbox<Request>,
    next: Mailbox<Request>,
    running: Mutex<Cancel>,
    prefetching: Mutex<Cancel>,
}

impl Loader {
    /// Starts the threads; they answer with messages.
    pub(super) fn start(volumes: Arc<VolumeCache>, sender: Sender<Message>) -> Self {
        let (open, next): (Mailbox<Request>, Mailbox<Request>) = (Mailbox::new(), Mailbox::new());
        spawn("load", &open, {
            let volumes = Arc::clone(&volumes);
            move |request| load(&volumes, &sender, request)
        });
        spawn("load-next", &next, move |(study, series, cancel)| {
            if let Some(series) = study.series.get(*series) {
                // A failure shows itself again, with words, when the study is opened.
                drop(volumes.get(&study.uid, series, cancel, &|_, _| {}));
            }
        });
        Self { open, next, running: Mutex::default(), prefetching: Mutex::default() }
    }

    /// Loads a series for the picture; an earlier request that is not finished is dropped.
    pub(super) fn load(&self, study: Arc<Study>, series: usize) {
        let cancel = renew(&self.running);
        self.open.put((study, series, cancel));
    }

    /// Has a series in memory before it is asked for.
    pub(super) fn prefetch(&self, study: Arc<Study>, series: usize) {
        let cancel = renew(&self.prefetching);
        self.next.put((study, series, cancel));
    }

    /// Ends the threads as soon as they notice.
    pub(super) fn close(self) {
        renew(&self.running);
        renew(&self.prefetching);
        self.open.close();
        self.next.close();
    }
}

/// Cancels what was asked for before, and gives the flag of what is asked for now.
fn renew(slot: &Mutex<Cancel>) -> Cancel {
    let mut current = slot.lock().unwrap_or_else(PoisonError::into_inner);
    current.cancel();
    *current = Cancel::new();
    current.clone()
}

fn spawn(name: &str, mailbox: &Mailbox<Request>, work: impl Fn(&Request) + Send + 'static) {
    let mailbox = mailbox.clone();
    let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
        while let Some(request) = mailbox.take() {
            // A panic costs this series, not the thread.
            if catch_unwind(AssertUnwindSafe(|| work(&request))).is_err() {
                tracing::error!("loading a series panicked");
            }
        }
    });
    if let Err(error) = thread {
        tracing::error!("no thread for loading: {error}");
    }
}

fn load(volumes: &VolumeCache, sender: &Sender<Message>, (study, index, cancel): &Request) {
    let Some(series) = study.series.get(*index) else { return };
    let uid = &study.uid;
    let progress = |done: usize, total: usize| {
        // A word now and then; the screen needs no more.
        if done.is_multiple_of(16) {
            let _ = sender.send(Message::VolumeProgress { study: uid.clone(), series: *index, done, total });
        }
    };
    let loaded = catch_unwind(AssertUnwindSafe(|| volumes.get(uid, series, cancel, &progress)));
    let result = match loaded {
        Ok(Ok(volume)) => Ok(volume),
        Ok(Err(LoadError::Cancelled)) => return,
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("reading this series went wrong; the others go on".to_owned()),
    };
    let _ = sender.send(Message::VolumeLoaded { study: uid.clone(), series: *index, result });
}
