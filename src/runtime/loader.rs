//! Loads the open series for the picture, and the next one before it is asked for.

use super::courses::Courses;
use crate::app::Message;
use crate::dicom::{LoadError, VolumeCache, load_slice};
use crate::domain::{SensitiveText, Series, Study, Uid, Volume};
use crate::task::{Cancel, Mailbox, Pool};
use crossbeam_channel::Sender;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

/// A study, the index of its series, and that of the slice to be read before the others, if any.
type Request = (Arc<Study>, usize, Option<usize>, Cancel);

/// Handle of the loading threads.
pub(super) struct Loader {
    open: Mailbox<Request>,
    beside: Mailbox<Request>,
    next: Mailbox<Request>,
    running: Mutex<Cancel>,
    running_beside: Mutex<Cancel>,
    prefetching: Mutex<Cancel>,
}

impl Loader {
    /// Starts the threads; they answer with messages.
    pub(super) fn start(volumes: Arc<VolumeCache>, sender: Sender<Message>) -> Self {
        let courses: Arc<Courses> = Arc::default();
        let [open, beside, next]: [Mailbox<Request>; 3] = std::array::from_fn(|_| Mailbox::new());
        spawn("load-beside", &beside, {
            let (volumes, sender) = (Arc::clone(&volumes), sender.clone());
            move |request| load_beside(&volumes, &sender, request)
        });
        spawn("load", &open, {
            let (volumes, courses) = (Arc::clone(&volumes), Arc::clone(&courses));
            // What the reader waits for does not stand behind what is read ahead.
            let pool = Pool::new("load");
            move |request| pool.install(|| load((&volumes, &courses), &sender, request))
        });
        spawn("load-next", &next, move |(study, series, _, cancel)| {
            if let Some(series) = study.series.get(*series) {
                // A failure shows itself again, with words, when the study is opened.
                if let Ok(volume) = volumes.get(&study.uid, series, cancel, &|_, _| {}) {
                    courses.of(&volume);
                }
            }
        });
        Self {
            open,
            beside,
            next,
            running: Mutex::default(),
            running_beside: Mutex::default(),
            prefetching: Mutex::default(),
        }
    }

    /// Loads a series for the picture, the slice `first` before the others; an earlier request that is not finished is dropped.
    pub(super) fn load(&self, study: Arc<Study>, series: usize, first: usize) {
        let cancel = renew(&self.running);
        self.open.put((study, series, Some(first), cancel));
    }

    /// Loads a series to be put beside the open one.
    pub(super) fn load_beside(&self, study: Arc<Study>, series: usize) {
        let cancel = renew(&self.running_beside);
        self.beside.put((study, series, None, cancel));
    }

    /// Has a series in memory before it is asked for.
    pub(super) fn prefetch(&self, study: Arc<Study>, series: usize) {
        let cancel = renew(&self.prefetching);
        self.next.put((study, series, None, cancel));
    }

    /// Ends the threads as soon as they notice.
    pub(super) fn close(self) {
        renew(&self.running);
        renew(&self.running_beside);
        renew(&self.prefetching);
        self.open.close();
        self.beside.close();
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

fn load(
    (volumes, courses): (&VolumeCache, &Courses),
    sender: &Sender<Message>,
    (study, index, first, cancel): &Request,
) {
    let Some(series) = study.series.get(*index) else { return };
    let uid = &study.uid;
    let one = first.filter(|_| !volumes.holds(uid, series)).and_then(|first| read_first(series, first, cancel));
    if let Some(volume) = one {
        let _ = sender.send(Message::FirstSlice { study: uid.clone(), series: *index, volume: Arc::new(volume) });
    }
    let progress = |done: usize, total: usize| {
        // A word now and then; the screen needs no more.
        if done.is_multiple_of(16) {
            let _ = sender.send(Message::VolumeProgress { study: uid.clone(), series: *index, done, total });
        }
    };
    let Some(result) = read(volumes, uid, series, cancel, &progress) else { return };
    // The planes are framed on the spine when they are first drawn.
    if let Some(course) = result.as_ref().ok().and_then(|volume| courses.of(volume)) {
        let _ = sender.send(Message::SpineFound { study: uid.clone(), series: *index, course });
    }
    let _ = sender.send(Message::VolumeLoaded { study: uid.clone(), series: *index, result });
}

/// One slice alone, if it can be had without reading the others. What is wrong with it is told with the whole series.
fn read_first(series: &Series, first: usize, cancel: &Cancel) -> Option<Volume> {
    catch_unwind(AssertUnwindSafe(|| load_slice(series, first, cancel).ok()?)).ok()?
}

fn load_beside(volumes: &VolumeCache, sender: &Sender<Message>, (study, index, _, cancel): &Request) {
    let Some(series) = study.series.get(*index) else { return };
    if let Some(result) = read(volumes, &study.uid, series, cancel, &|_, _| {}) {
        let _ = sender.send(Message::BesideLoaded { study: study.uid.clone(), series: *index, result });
    }
}

/// The volume, or one sentence; `None` where nobody waits for it any more.
fn read(
    volumes: &VolumeCache,
    study: &Uid,
    series: &Series,
    cancel: &Cancel,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Option<Result<Arc<Volume>, SensitiveText>> {
    match catch_unwind(AssertUnwindSafe(|| volumes.get(study, series, cancel, progress))) {
        Ok(Ok(volume)) => Some(Ok(volume)),
        Ok(Err(LoadError::Cancelled)) => None,
        Ok(Err(error)) => Some(Err(error.told())),
        Err(_) => Some(Err("reading this series went wrong; the others go on".into())),
    }
}
