//! The concurrency tools that everything uses: [`Generation`], [`Cancel`], the latest-wins [`Mailbox`], [`Pool`] and
//! [`Budget`].
//!
//! A request carries a [`Generation`]; its worker compares generations to drop answers nobody waits for, checks
//! [`Cancel`] between batches, and drains its [`Mailbox`] to the newest request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

mod budget;
pub mod limits;

pub use budget::{Budget, Share};

/// Makes this thread, and those that it starts from now on, give way to others, by so many steps of nice(1).
pub fn give_way(steps: i32) {
    // Only Linux has a niceness for each thread; elsewhere the whole program would give way.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(steps) {
        tracing::debug!("a thread cannot give way: {error}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = steps;
}

/// Orders requests: an answer whose generation is older than the newest request is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Generation(u64);

impl Generation {
    /// The generation after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Threads for work that somebody waits for. The shared pool of rayon takes up work from outside only once its own is done: a picture
/// would come after the last slice of a whole series that is being read.
#[derive(Debug)]
pub struct Pool(Option<rayon::ThreadPool>);

impl Pool {
    /// A pool of as many threads as the shared one has.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self::at_least(name, 1)
    }

    /// As [`Pool::new`], but of so many threads at least: for work that waits more than it computes.
    #[must_use]
    pub fn at_least(name: &'static str, least: usize) -> Self {
        let threads = rayon::current_num_threads().max(least);
        let built =
            rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(move |n| format!("{name}-{n}")).build();
        // Without threads of its own the work is done by the shared ones: late, but done.
        Self(built.inspect_err(|error| tracing::error!("no threads for {name}: {error}")).ok())
    }

    /// Does work whose parallel parts run in this pool.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }
}

/// A shared flag that asks a worker to stop at its next check; it cannot be taken back.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks whoever holds a clone to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether a stop was asked for.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
struct Slot<T> {
    newest: Option<T>,
    closed: bool,
}

/// A mailbox with room for one letter: a newer one replaces the one not yet taken.
#[derive(Debug)]
pub struct Mailbox<T> {
    shared: Arc<(Mutex<Slot<T>>, Condvar)>,
}

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self { shared: Arc::new((Mutex::new(Slot { newest: None, closed: false }), Condvar::new())) }
    }
}

impl<T> Mailbox<T> {
    /// An empty, open mailbox.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a letter in and returns the one it replaced, if that was never taken.
    pub fn put(&self, letter: T) -> Option<T> {
        let (slot, changed) = &*self.shared;
        let replaced = slot.lock().unwrap_or_else(PoisonError::into_inner).newest.replace(letter);
        changed.notify_all();
        replaced
    }

    /// Waits for a letter; `None` once the mailbox is closed and empty.
    #[must_use]
    pub fn take(&self) -> Option<T> {
        let (slot, changed) = &*self.shared;
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(letter) = slot.newest.take() {
                return Some(letter);
            }
            if slot.closed {
                return None;
            }
            slot = changed.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The letter that is there now, without waiting.
    #[must_use]
    pub fn try_take(&self) -> Option<T> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).newest.take()
    }

    /// Whether a letter is there.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).newest.is_some()
    }

    /// Closes the mailbox: [`Mailbox::take`] returns what is left and then `None`.
    pub fn close(&self) {
        let (slot, changed) = &*self.shared;
        slot.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_letter_wins() {
        let mailbox = Mailbox::new();
        assert_eq!(mailbox.put(1), None);
        assert_eq!(mailbox.put(2), Some(1));
        assert_eq!(mailbox.take(), Some(2));
        assert_eq!(mailbox.try_take(), None);
    }

    #[test]
    fn a_closed_mailbox_gives_what_is_left_and_then_nothing() {
        let mailbox = Mailbox::new();
        mailbox.put("last");
        mailbox.close();
        assert_eq!(mailbox.take(), Some("last"));
        assert_eq!(mailbox.take(), None);
    }

    #[test]
    fn a_waiting_taker_wakes_when_the_mailbox_closes() {
        let mailbox: Mailbox<u8> = Mailbox::new();
        let taker = std::thread::spawn({
            let mailbox = mailbox.clone();
            move || mailbox.take()
        });
        mailbox.close();
        assert_eq!(taker.join().expect("the taker ends"), None);
    }

    #[test]
    fn cancel_is_seen_by_every_clone() {
        let cancel = Cancel::new();
        let seen = cancel.clone();
        assert!(!seen.is_cancelled());
        cancel.cancel();
        assert!(seen.is_cancelled());
        assert!(Generation::default() < Generation::default().next());
    }
}
