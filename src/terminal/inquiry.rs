//! The questions to the terminal while the program runs already: the first screen waits for no answer, and a late one still counts.

mod conversation;

pub(super) use conversation::LIMIT;

use super::answers::Answers;
use super::event::{Event, Reply};
use super::surroundings::{Scope, Surroundings};
use conversation::{Conversation, Outcome};
use crossbeam_channel::{Receiver, Sender, after, never, select, unbounded};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What is known so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) answers: Answers,
    /// As they were when the terminal was last asked.
    pub(super) surroundings: Surroundings,
    /// All answers are there, or those that are not are no longer waited for.
    pub(super) is_settled: bool,
}

/// The answers, collected by a thread of their own.
#[derive(Debug)]
pub(super) struct Inquiry {
    shared: Arc<Shared>,
    rounds: Sender<Scope>,
}

#[derive(Debug, Default)]
struct Shared {
    known: Mutex<Known>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inquiry {
    /// Collects what comes on `replies` to the first questions, which the caller has written; [`Event::Probed`] follows once nothing
    /// more is to be expected, and again for whatever comes later. The thread ends with the sender of `replies`. `look` finds out
    /// about the surroundings, and `write` writes further questions.
    ///
    /// # Errors
    /// The system's, where it has no room for a thread.
    pub(super) fn start(
        replies: Receiver<Reply>,
        look: impl Fn() -> Surroundings + Send + 'static,
        events: Sender<Event>,
        write: impl Fn(Vec<u8>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (rounds, asked) = unbounded();
        let shared: Arc<Shared> = Arc::default();
        let begun = Instant::now();
        let collecting = Arc::clone(&shared);
        thread::Builder::new().name("terminal-inquiry".into()).spawn(move || {
            let tell = || {
                // A program that no longer listens is about to end.
                let _ = events.send(Event::Probed);
            };
            collect(&collecting, (&replies, asked), begun, &Doors { look: &look, tell: &tell, write: &write });
        })?;
        Ok(Self { shared, rounds })
    }

    /// Asks again: the answers then take the place of the earlier ones. Rounds that are asked for while one runs become one.
    pub(super) fn ask_again(&self, scope: Scope) {
        let mut known = self.shared.lock();
        // The thread ends only with the terminal.
        if self.rounds.send(scope).is_ok() {
            known.is_settled = false;
        }
    }

    /// What is known now.
    pub(super) fn known(&self) -> Known {
        self.shared.lock().clone()
    }

    /// Waits until nothing more is to be expected, for so long at most: what the terminal answers later would be typed into the shell.
    pub(super) fn settle(&self, limit: Duration) -> Known {
        let waiting = self.shared.changed.wait_timeout_while(self.shared.lock(), limit, |known| !known.is_settled);
        waiting.map_or_else(|broken| broken.into_inner().0.clone(), |(known, _)| known.clone())
    }
}

/// What the thread does besides listening.
struct Doors<'d> {
    look: &'d dyn Fn() -> Surroundings,
    tell: &'d dyn Fn(),
    write: &'d dyn Fn(Vec<u8>),
}

fn collect(
    shared: &Shared,
    (replies, mut asked): (&Receiver<Reply>, Receiver<Scope>),
    begun: Instant,
    doors: &Doors<'_>,
) {
    let mut conversation = Conversation::new(begun);
    let mut next = Some(Scope::ALL);
    loop {
        if conversation.is_settled()
            && let Some(scope) = next.take()
        {
            let first = if conversation.is_first() { begun } else { Instant::now() };
            let Outcome { questions, .. } = conversation.begin((doors.look)(), scope, first);
            if !questions.is_empty() {
                (doors.write)(questions);
            }
        }
        let patience = conversation
            .deadline()
            .map_or_else(never, |deadline| after(deadline.saturating_duration_since(Instant::now())));
        let outcome = select! {
            recv(replies) -> reply => match reply {
                Ok(reply) => conversation.take(reply, Instant::now()),
                Err(_) => return,
            },
            recv(asked) -> scope => {
                match scope {
                    Ok(scope) => {
                        let before = next.unwrap_or(Scope { beyond: false, width: false });
                        next = Some(Scope { beyond: scope.beyond || before.beyond, width: scope.width || before.width });
                    }
                    Err(_) => asked = never(),
                }
                Outcome::default()
            }
            recv(patience) -> _ => conversation.tick(Instant::now()),
        };
        if !outcome.questions.is_empty() {
            (doors.write)(outcome.questions);
        }
        if outcome.news {
            let mut known = shared.lock();
            known.answers = conversation.known().clone();
            known.surroundings = conversation.surroundings().clone();
            known.is_settled = conversation.is_settled() && next.is_none() && asked.is_empty();
            drop(known);
            shared.changed.notify_all();
            (doors.tell)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
    use super::super::tmux::Tmux;
    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    fn started() -> (Inquiry, Sender<Reply>, Receiver<Event>) {
        let (sender, replies) = unbounded();
        let (events, told) = unbounded();
        let inquiry = Inquiry::start(replies, Surroundings::default, events, |_| {});
        (inquiry.expect("a thread"), sender, told)
    }

    #[test]
    fn the_terminal_beyond_tmux_is_asked_again_until_it_answers() {
        let (terminal, replies) = unbounded();
        let (events, told) = unbounded();
        let (answered, asked) = (terminal.clone(), std::sync::atomic::AtomicU32::new(0));
        let write = move |question: Vec<u8>| {
            assert!(question.starts_with(b"\x1bPtmux;"), "it passes through");
            // The first one is lost.
            if asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0 {
                let message = "OK".to_owned();
                let _ = answered.send(Reply::Graphics {
                    id: super::super::kitty::query_image(1),
                    placement: None,
                    message,
                });
            }
        };
        let look = || Surroundings { environment: Environment::in_tmux(), tmux: Tmux::passing() };
        let inquiry = Inquiry::start(replies, look, events, write).expect("a thread");
        // tmux itself answers at once.
        terminal.send(Reply::PrimaryAttributes(vec![1, 2])).expect("listening");
        assert_eq!(told.recv_timeout(SOON), Ok(Event::Probed));
        assert_eq!(inquiry.known().answers.graphics, Some(true));
    }

    #[test]
    fn it_tells_once_the_last_answer_is_there_and_of_what_comes_later() {
        let (inquiry, terminal, told) = started();
        terminal.send(Reply::CellPixels { width: 9, height: 18 }).expect("listening");
        terminal.send(Reply::PrimaryAttributes(vec![1, 2, 4])).expect("listening");
        assert_eq!(told.recv_timeout(SOON), Ok(Event::Probed));
        let before = inquiry.settle(SOON).answers;
        // Not an answer to these questions.
        terminal.send(Reply::CursorPosition { row: 2, column: 1 }).expect("listening");
        terminal.send(Reply::Version("late 1.0".into())).expect("listening");
        assert_eq!(told.recv_timeout(SOON), Ok(Event::Probed));
        assert_ne!(inquiry.known().answers, before);
        drop(terminal);
        assert!(told.recv_timeout(SOON).is_err(), "the thread has ended and told nothing else");
    }

    #[test]
    fn a_terminal_that_says_nothing_is_given_up_and_may_answer_after_all() {
        let (inquiry, terminal, told) = started();
        assert_eq!(told.recv_timeout(SOON), Ok(Event::Probed));
        assert_eq!(inquiry.known().answers, Answers::default());
        terminal.send(Reply::PrimaryAttributes(vec![1, 2])).expect("listening");
        assert_eq!(told.recv_timeout(SOON), Ok(Event::Probed));
        assert_ne!(inquiry.known().answers, Answers::default());
    }

    #[test]
    fn asked_again_another_terminal_takes_the_place_of_the_first() {
        let (inquiry, terminal, told) = started();
        terminal.send(Reply::PrimaryAttributes(vec![1, 4])).expect("listening");
        assert_eq!(told.recv_timeout(SOON), Ok(Event::Probed));
        inquiry.ask_again(Scope::ALL);
        assert!(!inquiry.known().is_settled);
        terminal.send(Reply::PrimaryAttributes(vec![1, 2])).expect("listening");
        // It may come before the round has begun: then it is news of the first round.
        while !inquiry.known().is_settled {
            assert_eq!(told.recv_timeout(SOON), Ok(Event::Probed));
        }
        assert_eq!(inquiry.known().answers.attributes, Some(vec![1, 2]));
    }
}
