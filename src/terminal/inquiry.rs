//! The questions to the terminal while the program runs already: the first screen waits for no answer, and a late one still counts.

use super::capabilities::Multiplexer;
use super::event::{Event, Reply};
use super::probe::{Answers, Environment, tmux_pane};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// After so long without an answer the terminal beyond tmux is asked again.
const AGAIN: Duration = Duration::from_millis(60);

/// What is known so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) answers: Answers,
    /// Where tmux's pane lies on the terminal, in cells.
    pub(super) pane: Option<(u16, u16)>,
    /// All answers are there, or those that are not are no longer waited for.
    settled: bool,
}

/// The answers, collected by a thread of their own.
#[derive(Debug, Clone)]
pub(super) struct Inquiry {
    known: Arc<(Mutex<Known>, Condvar)>,
}

impl Inquiry {
    /// Collects what comes on `replies`; [`Event::Probed`] follows once nothing more is to be expected, and again for whatever comes
    /// later. The thread ends with the sender of `replies`. `again` is called with a question that is to be written once more.
    ///
    /// # Errors
    /// The system's, where it has no room for a thread.
    pub(super) fn start(
        replies: Receiver<Reply>,
        environment: Environment,
        events: Sender<Event>,
        again: impl Fn(Vec<u8>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let inquiry = Self { known: Arc::default() };
        let begun = Instant::now();
        let collecting = inquiry.clone();
        thread::Builder::new().name("terminal-inquiry".into()).spawn(move || {
            let tell = || {
                // A program that no longer listens is about to end.
                let _ = events.send(Event::Probed);
            };
            collecting.collect(&replies, &environment, begun, (&tell, &again));
        })?;
        Ok(inquiry)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn collect(
        &self,
        replies: &Receiver<Reply>,
        environment: &Environment,
        begun: Instant,
        (tell, again): (&dyn Fn(), &dyn Fn(Vec<u8>)),
    ) {
        let tmux = environment.multiplexer() == Some(Multiplexer::Tmux);
        if tmux {
            self.lock().pane = tmux_pane();
        }
        let mut asked = begun;
        let late = |limit: Duration| begun.elapsed() >= limit;
        loop {
            let (settled, answers) = {
                let known = self.lock();
                (known.settled, known.answers.clone())
            };
            let limit = begun + answers.limit();
            // While it draws its panes anew tmux passes nothing through, and says nothing of it.
            let repeat = (tmux && !settled && !answers.complete(environment)).then(|| asked + AGAIN);
            let reply = if settled {
                replies.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                replies.recv_deadline(repeat.map_or(limit, |repeat| repeat.min(limit)))
            };
            let news = match reply {
                Ok(reply) => self.lock().answers.take(reply),
                Err(RecvTimeoutError::Timeout) if late(answers.limit()) => true,
                Err(RecvTimeoutError::Timeout) => {
                    asked = Instant::now();
                    again(environment.graphics_question());
                    false
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut known = self.lock();
            known.settled |= known.answers.complete(environment) || late(known.answers.limit());
            if known.settled && news {
                drop(known);
                self.known.1.notify_all();
                tell();
            }
        }
    }

    /// What is known now.
    pub(super) fn known(&self) -> Known {
        self.lock().clone()
    }

    /// Waits until nothing more is to be expected, for so long at most: what the terminal answers later would be typed into the shell.
    pub(super) fn settle(&self, limit: Duration) -> Known {
        let waiting = self.known.1.wait_timeout_while(self.lock(), limit, |known| !known.settled);
        waiting.map_or_else(|broken| broken.into_inner().0.clone(), |(known, _)| known.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::unbounded;

    const SOON: Duration = Duration::from_secs(20);

    fn started() -> (Inquiry, Sender<Reply>, Receiver<Event>) {
        let (sender, replies) = unbounded();
        let (events, told) = unbounded();
        let again = |_| panic!("nobody is asked twice");
        (Inquiry::start(replies, Environment::default(), events, again).expect("a thread"), sender, told)
    }

    #[test]
    fn the_terminal_beyond_tmux_is_asked_again_until_it_answers() {
        let (terminal, replies) = unbounded();
        let (events, told) = unbounded();
        let answered = terminal.clone();
        let again = move |question: Vec<u8>| {
            assert!(question.starts_with(b"\x1bPtmux;"), "it passes through");
            let message = "OK".to_owned();
            let _ = answered.send(Reply::Graphics { id: super::super::kitty::query_image(), placement: None, message });
        };
        let inquiry = Inquiry::start(replies, Environment::in_tmux(), events, again).expect("a thread");
        // tmux itself answers at once; what asked the terminal was lost.
        terminal.send(Reply::PrimaryAttributes(vec![62])).expect("listening");
        assert_eq!(told.recv_timeout(SOON), Ok(Event::Probed));
        assert!(inquiry.known().answers.complete(&Environment::in_tmux()));
    }

    #[test]
    fn it_tells_once_the_last_answer_is_there_and_of_what_comes_later() {
        let (inquiry, terminal, told) = started();
        terminal.send(Reply::CellPixels { width: 9, height: 18 }).expect("listening");
        terminal.send(Reply::PrimaryAttributes(vec![62, 4])).expect("listening");
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
        terminal.send(Reply::PrimaryAttributes(vec![62, 4])).expect("listening");
        assert_eq!(told.recv_timeout(SOON), Ok(Event::Probed));
        assert_ne!(inquiry.known().answers, Answers::default());
    }
}
