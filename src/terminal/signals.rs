//! Signals become events; a stop gives the terminal back first.

use super::TerminalError;
use super::event::Event;
use super::guard;
use super::writer::Inbox;
use crossbeam_channel::Sender;
use rustix::process::{Signal, getpgrp, getsid, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// How long to wait, after a stop, for the signal that ends it.
const CONTINUED: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Stopping,
    Continued,
}

/// Stops the program and takes the terminal again when it goes on.
#[derive(Debug)]
pub(super) struct Stopper {
    inbox: Arc<Inbox>,
    events: Sender<Event>,
    phase: Mutex<Phase>,
    changed: Condvar,
}

impl Stopper {
    pub(super) fn new(inbox: Arc<Inbox>, events: Sender<Event>) -> Self {
        Self { inbox, events, phase: Mutex::new(Phase::Running), changed: Condvar::new() }
    }

    fn set(&self, phase: Phase) -> Phase {
        let before = std::mem::replace(&mut *self.phase.lock().unwrap_or_else(PoisonError::into_inner), phase);
        self.changed.notify_all();
        before
    }

    /// Gives the terminal back, stops the process group and, when it goes on, takes the terminal again.
    ///
    /// # Errors
    /// Where there is no shell that could continue the program, or the terminal is gone afterwards.
    pub(super) fn stop(&self) -> Result<(), TerminalError> {
        // The session's first process group has no shell above it: stopped, it would never go on.
        if getsid(None).is_ok_and(|session| session == getpgrp()) {
            return Err(TerminalError::NoShell);
        }
        if self.set(Phase::Stopping) != Phase::Running {
            return Ok(());
        }
        self.inbox.hold();
        guard::lend();
        let stopped = kill_current_process_group(Signal::STOP);
        if stopped.is_ok() {
            let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
            let waiting = self.changed.wait_timeout_while(phase, CONTINUED, |phase| *phase == Phase::Stopping);
            drop(waiting);
        }
        self.go_on()
    }

    fn go_on(&self) -> Result<(), TerminalError> {
        let taken = guard::take_again();
        self.set(Phase::Running);
        self.inbox.release();
        let _ = self.events.send(Event::Resumed);
        taken.map_err(TerminalError::Take)
    }

    /// SIGCONT: ends a stop of ours, or one that came without a warning (SIGSTOP).
    fn continued(&self) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if *phase == Phase::Running {
            drop(phase);
            if let Err(error) = self.go_on() {
                tracing::warn!(%error, "the terminal cannot be taken again");
            }
        } else {
            *phase = Phase::Continued;
            self.changed.notify_all();
        }
    }
}

/// The running listener to signals.
#[derive(Debug)]
pub(super) struct Listener {
    handle: Handle,
    over: Arc<AtomicBool>,
}

/// Set while nobody listens: signals then do what they always do.
fn over() -> io::Result<Arc<AtomicBool>> {
    static OVER: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(flag) = OVER.get() {
        return Ok(Arc::clone(flag));
    }
    let flag = Arc::clone(OVER.get_or_init(|| Arc::new(AtomicBool::new(true))));
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGTSTP] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&flag))?;
    }
    Ok(flag)
}

impl Listener {
    /// Starts to listen.
    ///
    /// # Errors
    /// The system's, where handlers or threads are refused.
    pub(super) fn start(stopper: Arc<Stopper>, events: Sender<Event>) -> io::Result<Self> {
        let over = over()?;
        let mut signals = Signals::new([SIGWINCH, SIGCONT, SIGTSTP, SIGTERM, SIGINT, SIGHUP])?;
        let handle = signals.handle();
        let listening = move || {
            for signal in signals.forever() {
                let event = match signal {
                    SIGWINCH => Event::Resized,
                    SIGTERM | SIGINT => Event::Terminate,
                    SIGHUP => Event::Hangup,
                    SIGTSTP => {
                        stop_aside(&stopper);
                        continue;
                    }
                    _ => {
                        stopper.continued();
                        continue;
                    }
                };
                if events.send(event).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("signals".into()).spawn(listening)?;
        over.store(false, Ordering::Release);
        Ok(Self { handle, over })
    }
}

/// A stop waits for SIGCONT, which the listener must hear meanwhile.
fn stop_aside(stopper: &Arc<Stopper>) {
    let stopper = Arc::clone(stopper);
    let stopping = thread::Builder::new().name("stop".into()).spawn(move || {
        if let Err(error) = stopper.stop() {
            tracing::warn!(%error, "the program was not stopped");
        }
    });
    if let Err(error) = stopping {
        tracing::warn!(%error, "the program was not stopped");
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        self.handle.close();
    }
}
