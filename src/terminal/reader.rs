//! The reader: the one thread that reads standard input.

use super::event::{Event, Input, Reply};
use super::parser::Parser;
use crossbeam_channel::Sender;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

/// The running reader; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Reader {
    /// Closing it wakes the thread.
    _wake: UnixStream,
}

impl Reader {
    /// Starts to read: what users do goes to `events`, answers of the terminal to `replies`.
    ///
    /// # Errors
    /// The system's, where it has no room for a thread.
    pub(super) fn start(
        input: impl AsFd + Send + 'static,
        events: Sender<Event>,
        replies: impl Fn(Reply) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let reading = move || {
            if read_all(input.as_fd(), &theirs, &events, &replies) == End::Hangup {
                let _ = events.send(Event::Hangup);
            }
        };
        thread::Builder::new().name("terminal-reader".into()).spawn(reading)?;
        Ok(Self { _wake: ours })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The terminal is gone.
    Hangup,
    /// The program no longer reads.
    Stopped,
}

fn read_all(input: BorrowedFd<'_>, wake: &UnixStream, events: &Sender<Event>, replies: &impl Fn(Reply)) -> End {
    let mut parser = Parser::new();
    let mut found = Vec::new();
    let mut bytes = [0_u8; 4096];
    loop {
        let mut fds = [PollFd::from_borrowed_fd(input, PollFlags::IN), PollFd::new(wake, PollFlags::IN)];
        let patience = parser.patience().map(timespec);
        match poll(&mut fds, patience.as_ref()) {
            Ok(0) => parser.pause(&mut found),
            Ok(_) if !fds[1].revents().is_empty() => return End::Stopped,
            Ok(_) => match rustix::io::read(input, &mut bytes) {
                Ok(0) => return End::Hangup,
                Ok(count) => parser.feed(&bytes[..count], &mut found),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(_) => return End::Hangup,
            },
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return End::Hangup,
        }
        for input in found.drain(..) {
            let event = match input {
                Input::Key(key) => Event::Key(key),
                Input::Mouse(mouse) => Event::Mouse(mouse),
                Input::Paste(text) => Event::Paste(text),
                Input::Focus(has_focus) => Event::Focus(has_focus),
                Input::Reply(reply) => {
                    replies(reply);
                    continue;
                }
            };
            if events.send(event).is_err() {
                return End::Stopped;
            }
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs().try_into().unwrap_or(1), tv_nsec: duration.subsec_nanos().into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::unbounded;
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use std::io::Write as _;

    #[test]
    fn keys_and_answers_take_their_own_ways_and_the_end_is_told() {
        let (mut terminal, ours) = UnixStream::pair().expect("a pair");
        let (events, told) = unbounded();
        let (answers, answered) = unbounded();
        let _reader = Reader::start(ours, events, move |reply| drop(answers.send(reply))).expect("a thread");
        terminal.write_all(b"j\x1b[2;1R\x1b").expect("written");
        let key = |code| Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
        assert_eq!(told.recv(), Ok(key(KeyCode::Char('j'))));
        assert_eq!(answered.recv(), Ok(Reply::CursorPosition { row: 2, column: 1 }));
        // Alone, the escape byte becomes the key after a moment.
        assert_eq!(told.recv(), Ok(key(KeyCode::Esc)));
        drop(terminal);
        assert_eq!(told.recv(), Ok(Event::Hangup));
    }

    #[test]
    fn a_dropped_reader_stops_without_a_hangup() {
        let (_terminal, ours) = UnixStream::pair().expect("a pair");
        let (events, told) = unbounded();
        drop(Reader::start(ours, events, |_| {}).expect("a thread"));
        assert!(told.recv().is_err(), "the thread ended and told nothing");
    }
}
