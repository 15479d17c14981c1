//! The writer: a thread that owns the terminal's output, and one that encodes pictures for it.

use super::delivery::{Job, Manner, Pane, Step};
use super::encode::Encoded;
use super::engine::Engine;
use super::event::{Event, Reply};
use super::output::Output;
use super::picture::Placed;
use super::screen::TextFrame;
use super::waits::Waits;
use crate::raster::Quality;
use crate::task::Mailbox;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long the end of the program, or a stop, may wait for the writer.
const LIMIT: Duration = Duration::from_millis(500);
/// How long a terminal outside tmux may take for a few bytes.
const OUTSIDE: Duration = Duration::from_millis(100);
/// Answers that may wait; a terminal never sends that many.
const MOST_REPLIES: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repaint {
    /// The screen.
    Screen,
    /// The screen, and the terminal's stored pictures are gone.
    Everything,
}

/// What waits for the writer; the newest of each.
#[derive(Debug, Default)]
struct Waiting {
    frame: Option<TextFrame>,
    pictures: Option<Vec<Placed>>,
    ahead: Vec<Placed>,
    manner: Option<Manner>,
    pane: Option<Looked>,
    tuning: Option<(Quality, Option<u64>)>,
    repaint: Option<Repaint>,
    replies: Vec<Reply>,
    encoded: Vec<(Job, Encoded)>,
    /// Write nothing and say so once all is quiet.
    hold: Option<Sender<()>>,
    held: bool,
    /// Bytes that stand between pictures.
    alert: Vec<u8>,
    close: bool,
}

/// What a look at tmux's pane has found.
#[derive(Debug)]
pub(super) struct Looked {
    /// The pane; `None` if tmux did not say.
    pub(super) pane: Option<Pane>,
    /// The terminals that showed the pane when it was last seen.
    pub(super) terminals: Vec<PathBuf>,
    /// Those that showed it before and now show something else, while others show the pane.
    pub(super) gone: Vec<PathBuf>,
}

/// Where everything for the writer is put.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    /// The end has come: stop in the middle of a write.
    abandon: AtomicBool,
    /// A look at tmux's pane is wanted.
    look: Mutex<bool>,
    look_wanted: Condvar,
    /// What the reader must know of answers under way.
    pub(super) waits: Arc<Waits>,
}

impl Inbox {
    fn put(&self, change: impl FnOnce(&mut Waiting)) {
        change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    pub(super) fn draw(&self, frame: TextFrame) {
        self.put(|waiting| waiting.frame = Some(frame));
    }

    pub(super) fn show(&self, pictures: Vec<Placed>) {
        self.put(|waiting| {
            waiting.pictures = Some(pictures);
            waiting.ahead.clear();
        });
    }

    pub(super) fn alert(&self, bytes: Vec<u8>) {
        self.put(|waiting| waiting.alert.extend(bytes));
    }

    pub(super) fn set_manner(&self, manner: Manner) {
        self.put(|waiting| waiting.manner = Some(manner));
    }

    /// tmux's pane was looked at.
    pub(super) fn looked(&self, looked: Looked) {
        self.put(|waiting| {
            // What a look before this one has found is not lost if the writer had no time for it.
            let gone = waiting.pane.take().map(|before| before.gone).unwrap_or_default();
            waiting.pane = Some(Looked { gone: [gone, looked.gone].concat(), ..looked });
        });
    }

    /// Has whoever looks at tmux's pane look now.
    pub(super) fn look(&self) {
        *self.look.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.look_wanted.notify_all();
    }

    /// Waits until a look is wanted, for so long at most.
    pub(super) fn wait_for_look(&self, limit: Duration) {
        let wanted = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = self.look_wanted.wait_timeout_while(wanted, limit, |wanted| !*wanted);
        *waiting.unwrap_or_else(PoisonError::into_inner).0 = false;
    }

    pub(super) fn prefetch(&self, picture: Placed) {
        self.put(|waiting| waiting.ahead.push(picture));
    }

    pub(super) fn tune(&self, quality: Quality, bytes_per_second: Option<u64>) {
        self.put(|waiting| waiting.tuning = Some((quality, bytes_per_second)));
    }

    pub(super) fn redraw(&self) {
        self.put(|waiting| {
            waiting.repaint.get_or_insert(Repaint::Screen);
        });
    }

    /// Writes everything again on a terminal that has none of the images.
    pub(super) fn start_over(&self) {
        self.put(|waiting| waiting.repaint = Some(Repaint::Everything));
    }

    pub(super) fn reply(&self, reply: Reply) {
        self.put(|waiting| {
            if waiting.replies.len() < MOST_REPLIES {
                waiting.replies.push(reply);
            }
        });
    }

    /// Stops all writing; returns when the last picture has arrived, after half a second at most.
    pub(super) fn hold(&self) {
        let (sender, quiet) = bounded(1);
        self.put(|waiting| {
            waiting.held = true;
            waiting.hold = Some(sender);
        });
        // A writer that is stuck, or has ended, is not waited for.
        let _ = quiet.recv_timeout(LIMIT);
    }

    /// Goes on after [`Inbox::hold`], on a screen of which nothing is known.
    pub(super) fn release(&self) {
        self.put(|waiting| {
            waiting.held = false;
            waiting.hold = None;
            waiting.repaint = Some(Repaint::Everything);
        });
    }

    /// Waits for something to do, until `deadline`.
    fn take(&self, deadline: Option<Instant>) -> Waiting {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
            let idle = waiting.frame.is_none()
                && waiting.pictures.is_none()
                && waiting.ahead.is_empty()
                && waiting.manner.is_none()
                && waiting.pane.is_none()
                && waiting.tuning.is_none()
                && waiting.repaint.is_none()
                && waiting.replies.is_empty()
                && waiting.encoded.is_empty()
                && waiting.hold.is_none()
                && waiting.alert.is_empty()
                && !waiting.close;
            if !idle || late {
                let next = Waiting { held: waiting.held, ..Waiting::default() };
                return std::mem::replace(&mut waiting, next);
            }
            let patience =
                deadline.map_or(Duration::from_secs(60), |end| end.saturating_duration_since(Instant::now()));
            waiting = self.changed.wait_timeout(waiting, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The running writer.
#[derive(Debug)]
pub(super) struct Writer {
    inbox: Arc<Inbox>,
    ended: Receiver<()>,
    jobs: Mailbox<Job>,
}

impl Writer {
    /// Starts the writer and its encoder.
    ///
    /// # Errors
    /// The system's, where it has no room for threads.
    pub(super) fn start(
        inbox: Arc<Inbox>,
        output: Output,
        manner: Manner,
        events: Sender<Event>,
    ) -> std::io::Result<Self> {
        let jobs: Mailbox<Job> = Mailbox::new();
        let encoder = thread::Builder::new().name("picture-encoder".into()).spawn({
            let (jobs, inbox) = (jobs.clone(), Arc::clone(&inbox));
            move || {
                while let Some(job) = jobs.take() {
                    let result = job.run();
                    inbox.put(|waiting| waiting.encoded.push((job, result)));
                }
            }
        });
        encoder?;
        let (sender, ended) = bounded(1);
        let writing = thread::Builder::new().name("terminal-writer".into()).spawn({
            let (inbox, jobs) = (Arc::clone(&inbox), jobs.clone());
            move || {
                write_all(&inbox, &output, Engine::new(manner), &jobs, &events);
                // Nobody waits for the end of a program that has ended.
                let _ = sender.send(());
            }
        });
        if writing.is_err() {
            jobs.close();
        }
        writing.map(|_| Self { inbox, ended, jobs })
    }

    /// Waits for the picture in flight, deletes what the terminal stores and ends, within half a second.
    pub(super) fn close(&self) {
        self.inbox.put(|waiting| waiting.close = true);
        if self.ended.recv_timeout(LIMIT).is_err() {
            self.inbox.abandon.store(true, Ordering::Release);
            let _ = self.ended.recv_timeout(Duration::from_millis(150));
        }
        self.jobs.close();
    }
}

/// The writer's loop, up to the end of the program or of the terminal.
fn write_all(inbox: &Inbox, output: &Output, mut engine: Engine, jobs: &Mailbox<Job>, events: &Sender<Event>) {
    let keep_on = || !inbox.abandon.load(Ordering::Acquire);
    let mut quiet: Option<Sender<()>> = None;
    let mut closing = false;
    // After something was written there may be more to do, with what came in meanwhile.
    let mut busy = false;
    let mut alert = Vec::new();
    loop {
        let mut waiting = inbox.take(if busy { Some(Instant::now()) } else { engine.deadline(Instant::now()) });
        let held = waiting.held;
        closing |= waiting.close;
        if !waiting.alert.is_empty() {
            alert.append(&mut waiting.alert);
        }
        quiet = waiting.hold.clone().or(quiet).filter(|_| held);
        accept(&mut engine, waiting);
        let step = if closing || held {
            engine.expire(Instant::now());
            // Whoever comes next must not find a picture half sent.
            match engine.halt(Instant::now()) {
                bytes if bytes.is_empty() => Step::Wait,
                bytes => Step::Send(bytes),
            }
        } else {
            engine.step(Instant::now())
        };
        // Before the questions are written: an answer may come at once.
        inbox.waits.set_writer(engine.awaits_answers(), engine.round_trip());
        for event in engine.events.drain(..) {
            // A program that no longer listens is about to end.
            let _ = events.send(event);
        }
        if !engine.in_flight() {
            if !held && !alert.is_empty() && output.write_while(&std::mem::take(&mut alert), keep_on).is_err() {
                return drop_everything(inbox);
            }
            if let Some(quiet) = quiet.take() {
                let _ = quiet.send(());
            }
            if closing {
                // A terminal that is gone stores nothing.
                let _ = output.write_while(&engine.farewell(), keep_on);
                return;
            }
        }
        busy = match step {
            Step::Wait => false,
            Step::Look => {
                inbox.look();
                false
            }
            Step::Encode(job) => {
                jobs.put(job);
                false
            }
            Step::Send(bytes) => {
                if let Err(error) = output.write_while(&bytes, keep_on) {
                    let _ = events.send(Event::WriterFailed(error.to_string()));
                    return drop_everything(inbox);
                }
                true
            }
        };
        if closing && !keep_on() {
            return;
        }
    }
}

fn accept(engine: &mut Engine, waiting: Waiting) {
    if let Some(manner) = waiting.manner {
        engine.set_manner(manner);
    }
    if let Some((quality, bytes_per_second)) = waiting.tuning {
        engine.tune(quality, bytes_per_second, Instant::now());
    }
    if let Some(Looked { pane, terminals, gone }) = waiting.pane {
        let write = |bytes: &[u8], terminals: &[PathBuf]| {
            for terminal in terminals.iter().filter(|_| !bytes.is_empty()) {
                // A terminal that is gone shows nothing.
                let _ = Output::of_terminal(terminal).and_then(|output| output.write_within(bytes, OUTSIDE));
            }
        };
        write(&engine.images_deleted(), &gone);
        write(&engine.set_pane(pane, Instant::now()), &terminals);
    }
    if let Some(repaint) = waiting.repaint {
        engine.repaint(repaint == Repaint::Everything);
    }
    for (job, result) in waiting.encoded {
        engine.encoded(job, result);
    }
    for reply in &waiting.replies {
        engine.reply(reply, Instant::now());
    }
    if let Some(frame) = waiting.frame {
        engine.draw(frame);
    }
    if let Some(pictures) = waiting.pictures {
        engine.show(pictures, Instant::now());
    }
    for picture in waiting.ahead {
        engine.prefetch(picture);
    }
}

/// The terminal is gone: keeps the mailbox empty until the program ends.
fn drop_everything(inbox: &Inbox) {
    loop {
        let waiting = inbox.take(None);
        if let Some(quiet) = waiting.hold {
            let _ = quiet.send(());
        }
        if waiting.close {
            return;
        }
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
