//! The thread that owns the store: keeps what is decided, and tells what others decide.

use super::clock::{now, program_name};
use crate::app::{Message, Record, RecordFailure, Recorded, Remembered};
use crate::domain::{CleanText, Disclosure, EntryId, SensitiveText, Stamp, Uid};
use crate::store::{Store, StoreError};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How soon another program's decisions are seen.
const POLL: Duration = Duration::from_millis(500);
/// How often a program says that it still has its study open.
const BEAT_MS: i64 = 15_000;
/// After so long without a word a program is taken to be gone.
const GONE_MS: i64 = 3 * BEAT_MS;
/// A study that was read before is gone on with if it was within a day.
const LATELY_MS: i64 = 24 * 3_600_000;
/// Entries that are told at once.
const CHUNK: usize = 5_000;

enum Request {
    Record(Box<Record>),
    Claim(Option<Uid>),
}

/// Handle of the store's thread.
#[derive(Debug)]
pub struct Keeper {
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts the thread on a store that was opened, or could not be; it tells what is kept and from then on answers every
    /// record. A store that cannot be opened now is tried again with every record.
    #[must_use]
    pub fn start(
        folder: Option<PathBuf>,
        opened: Result<Store, StoreError>,
        reader: CleanText,
        send: impl Fn(Message) + Send + 'static,
    ) -> Self {
        let (sender, requests) = unbounded();
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || {
            let mut thread = Thread {
                folder,
                store: None,
                reader,
                program: program_name(),
                claimed: None,
                beat: 0,
                seen: EntryId(0),
                elsewhere: Vec::new(),
                send: Box::new(send),
            };
            thread.take(opened);
            thread.run(&requests);
        });
        if let Err(error) = &thread {
            tracing::error!("no thread for the store: {error}");
        }
        Self { requests: Some(sender), thread: thread.ok() }
    }

    /// Keeps something; the answer is a message.
    pub fn record(&self, record: Record) {
        self.ask(Request::Record(Box::new(record)));
    }

    /// Says which study is open here.
    pub fn claim(&self, study: Option<Uid>) {
        self.ask(Request::Claim(study));
    }

    fn ask(&self, request: Request) {
        if let Some(requests) = &self.requests {
            // The thread ends only with its handle.
            let _ = requests.send(request);
        }
    }

    /// Ends the thread after everything that was asked for is kept.
    pub fn stop(mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

struct Thread {
    folder: Option<PathBuf>,
    store: Option<Store>,
    reader: CleanText,
    program: String,
    claimed: Option<Uid>,
    /// When the claim was last said, UTC ms.
    beat: i64,
    /// The newest entry told.
    seen: EntryId,
    elsewhere: Vec<(Uid, String)>,
    send: Box<dyn Fn(Message) + Send>,
}

impl Thread {
    fn run(mut self, requests: &Receiver<Request>) {
        let mut next_poll = Instant::now() + POLL;
        loop {
            match requests.recv_deadline(next_poll) {
                Ok(Request::Record(record)) => self.record(*record),
                Ok(Request::Claim(study)) => {
                    self.claimed = study;
                    self.tell_position();
                    self.tell_annotations();
                    self.say_claim();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // However busy this reader is, what others decide is seen within a second.
            if Instant::now() >= next_poll {
                self.poll();
                next_poll = Instant::now() + POLL;
            }
        }
        self.claimed = None;
        self.say_claim();
    }

    /// Takes over a store, or tells why there is none.
    fn take(&mut self, opened: Result<Store, StoreError>) {
        match opened {
            Ok(store) => {
                self.store = Some(store);
                self.tell_recovered();
                self.tell_log();
                self.tell_last_read();
                self.tell_open();
            }
            Err(error) => (self.send)(Message::Remembered(Remembered::Unavailable(error.told()))),
        }
    }

    fn record(&mut self, record: Record) {
        if self.store.is_none()
            && let Some(folder) = self.folder.clone()
        {
            let opened = Store::open(&folder);
            if opened.is_ok() {
                self.take(opened);
            }
        }
        let who = self.reader.as_str();
        let kept = match (&mut self.store, &record) {
            (None, _) => Err(SensitiveText::from("no database is open: see cspine doctor")),
            (Some(store), Record::Decision { token, draft }) => {
                let kept = store.append(&self.reader, now(), draft);
                kept.map(|entry| Some((*token, entry))).map_err(|error| error.told())
            }
            (Some(store), Record::Annotation { study, change }) => {
                store.annotate(who, now(), study, change).map(|()| None).map_err(|error| error.told())
            }
            (Some(store), Record::Position { study, position }) => {
                store.keep_position(who, now(), study, position).map(|()| None).map_err(|error| error.told())
            }
        };
        self.tell_recovered();
        match kept {
            Ok(Some((token, entry))) => (self.send)(Message::Recorded(Recorded::Decision { token, entry })),
            Ok(None) => {}
            Err(problem) => {
                tracing::error!("something could not be kept");
                (self.send)(Message::RecordFailed(RecordFailure { record, problem }));
            }
        }
    }

    /// What was measured and marked in the study that was just opened.
    fn tell_annotations(&self) {
        let (Some(store), Some(study)) = (&self.store, &self.claimed) else { return };
        match store.annotations(study) {
            Ok(kept) => (self.send)(Message::Remembered(Remembered::Annotations(study.clone(), kept))),
            Err(error) => (self.send)(Message::Trouble(
                SensitiveText::plain("measurements and key images cannot be read: ").then(error.told()),
            )),
        }
    }

    /// Where the reader was in the study that was just opened.
    fn tell_position(&self) {
        if let (Some(store), Some(study)) = (&self.store, &self.claimed)
            && let Ok(Some(position)) = store.position(self.reader.as_str(), study)
        {
            (self.send)(Message::Remembered(Remembered::Position(study.clone(), position)));
        }
    }

    /// The study that the reader was in last, if that was lately.
    fn tell_last_read(&self) {
        let now = now();
        let since = Stamp { utc_ms: now.utc_ms - LATELY_MS, ..now };
        if let Some(Ok(Some(study))) = self.store.as_ref().map(|store| store.last_read(self.reader.as_str(), since)) {
            (self.send)(Message::Remembered(Remembered::LastRead(study)));
        }
    }

    fn tell_recovered(&mut self) {
        if let Some(words) = self.store.as_mut().and_then(Store::recovered) {
            (self.send)(Message::Trouble(words));
        }
    }

    /// Looks for what others have written.
    fn poll(&mut self) {
        if self.claimed.is_some() && now().utc_ms - self.beat >= BEAT_MS {
            self.say_claim();
        }
        match self.store.as_mut().map(Store::changed_elsewhere) {
            Some(Ok(true)) => {
                self.tell_recovered();
                self.tell_log();
                self.tell_open();
            }
            // Who is gone says nothing: claims grow old without a change.
            Some(Ok(false)) if !self.elsewhere.is_empty() => self.tell_open(),
            Some(Err(error)) => tracing::warn!("{}", error.told().shown(Disclosure::Anonymous)),
            _ => {}
        }
    }

    fn tell_log(&mut self) {
        let Some(store) = &self.store else { return };
        loop {
            match store.log_after(self.seen, CHUNK) {
                Ok(entries) => {
                    let Some(last) = entries.last() else { return };
                    self.seen = last.id;
                    (self.send)(Message::Remembered(Remembered::Log(entries)));
                }
                Err(error) => {
                    return (self.send)(Message::Trouble(
                        SensitiveText::plain("earlier decisions cannot all be read: ").then(error.told()),
                    ));
                }
            }
        }
    }

    fn tell_open(&mut self) {
        let Some(store) = &self.store else { return };
        let now = now();
        let since = Stamp { utc_ms: now.utc_ms - GONE_MS, ..now };
        match store.open_elsewhere(&self.program, since) {
            Ok(open) if open != self.elsewhere => {
                self.elsewhere.clone_from(&open);
                (self.send)(Message::Remembered(Remembered::OpenElsewhere(open)));
            }
            Ok(_) => {}
            Err(error) => tracing::warn!("{}", error.told().shown(Disclosure::Anonymous)),
        }
    }

    fn say_claim(&mut self) {
        let Some(store) = &mut self.store else { return };
        let now = now();
        // Nobody is harmed by a claim that is not made.
        if let Err(error) = store.claim(&self.program, self.reader.as_str(), self.claimed.as_ref(), now) {
            tracing::warn!("{}", error.told().shown(Disclosure::Anonymous));
        }
        self.beat = now.utc_ms;
    }
}
