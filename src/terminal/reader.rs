//! The reader: the one thread that reads standard input.

use super::burst::Burst;
use super::event::{Event, Input, Reply};
use super::parser::Parser;
use super::waits::Waits;
use crossbeam_channel::Sender;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The running reader; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Reader {
    /// Closing it wakes the thread.
    _wake: UnixStream,
}

impl Reader {
    /// Starts to read: what users do goes to `events`, answers of the terminal to `replies`. `waits` says whether an answer is
    /// under way.
    ///
    /// # Errors
    /// The system's, where it has no room for a thread.
    pub(super) fn start(
        input: impl AsFd + Send + 'static,
        events: Sender<Event>,
        replies: impl Fn(Reply) + Send + 'static,
        waits: Arc<Waits>,
    ) -> std::io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let reading = move || {
            if read_all(input.as_fd(), &theirs, (&events, &replies), &waits) == End::Hangup {
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

fn read_all(
    input: BorrowedFd<'_>,
    wake: &UnixStream,
    (events, replies): (&Sender<Event>, &impl Fn(Reply)),
    waits: &Waits,
) -> End {
    let (mut parser, mut burst) = (Parser::new(), Burst::default());
    let (mut found, mut decided) = (Vec::new(), Vec::new());
    let mut bytes = [0_u8; 4096];
    // Since when the parser waits, and when the last bytes came.
    let mut since = Instant::now();
    let mut last = since;
    loop {
        let mut fds = [PollFd::from_borrowed_fd(input, PollFlags::IN), PollFd::new(wake, PollFlags::IN)];
        parser.expect(waits.now(Instant::now()));
        let pause = parser.patience().map(|patience| since + patience);
        let due = pause.into_iter().chain(burst.due()).min();
        let timeout = due.map(|due| timespec(due.saturating_duration_since(Instant::now())));
        let polled = poll(&mut fds, timeout.as_ref());
        let now = Instant::now();
        match polled {
            Ok(0) => {
                if pause.is_some_and(|pause| now >= pause) {
                    parser.expect(waits.now(now));
                    parser.pause(&mut found);
                    since = now;
                }
            }
            Ok(_) if !fds[1].revents().is_empty() => return End::Stopped,
            Ok(_) => match rustix::io::read(input, &mut bytes) {
                Ok(0) => return End::Hangup,
                Ok(count) => {
                    parser.after(now - last);
                    parser.feed(&bytes[..count], &mut found);
                    (since, last) = (now, now);
                }
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(_) => return End::Hangup,
            },
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return End::Hangup,
        }
        for input in found.drain(..) {
            match input {
                Input::Reply(reply) => replies(reply),
                input => burst.take(input, now, &mut decided),
            }
        }
        if burst.due().is_some_and(|due| now >= due) {
            burst.flush(&mut decided);
        }
        for input in decided.drain(..) {
            let event = match input {
                Input::Key(stroke) => Event::Key(stroke),
                Input::Mouse(mouse) => Event::Mouse(mouse),
                Input::Paste(text) => Event::Paste(text),
                Input::Focus(has_focus) => Event::Focus(has_focus),
                Input::Reply(_) => continue,
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
        let (waits, replies) = (Arc::default(), move |reply| drop(answers.send(reply)));
        let _reader = Reader::start(ours, events, replies, waits).expect("a thread");
        terminal.write_all(b"j\x1b[2;1R\x1b").expect("written");
        let key = |code| Event::Key(KeyEvent::new(code, KeyModifiers::NONE).into());
        assert_eq!(told.recv(), Ok(key(KeyCode::Char('j'))));
        assert_eq!(answered.recv(), Ok(Reply::CursorPosition { row: 2, column: 1 }));
        // Alone, the escape byte becomes the key after a moment.
        assert_eq!(told.recv(), Ok(key(KeyCode::Esc)));
        drop(terminal);
        assert_eq!(told.recv(), Ok(Event::Hangup));
    }

    #[test]
    fn while_an_answer_is_expected_an_escape_byte_waits_for_it() {
        let (mut terminal, ours) = UnixStream::pair().expect("a pair");
        let (events, told) = unbounded();
        let (answers, answered) = unbounded();
        let waits = Arc::<Waits>::default();
        waits.set_writer(true, None);
        let replies = move |reply| drop(answers.send(reply));
        let _reader = Reader::start(ours, events, replies, Arc::clone(&waits)).expect("a thread");
        terminal.write_all(b"\x1b").expect("written");
        // Far longer than an escape byte waits otherwise.
        assert!(told.recv_timeout(Duration::from_millis(500)).is_err());
        terminal.write_all(b"P>|some terminal").expect("written");
        assert!(told.recv_timeout(Duration::from_millis(500)).is_err());
        terminal.write_all(b"\x1b\\\x1b").expect("written");
        assert_eq!(answered.recv(), Ok(Reply::Version("some terminal".into())));
        waits.set_writer(false, None);
        assert_eq!(told.recv(), Ok(Event::Key(crate::terminal::Keystroke::escape())), "no answer is expected any more");
    }

    #[test]
    fn pasted_text_is_one_event() {
        let (mut terminal, ours) = UnixStream::pair().expect("a pair");
        let (events, told) = unbounded();
        let _reader = Reader::start(ours, events, |_| {}, Arc::default()).expect("a thread");
        terminal.write_all(b"fracture\r").expect("written");
        assert_eq!(told.recv(), Ok(Event::Paste("fracture\n".into())));
    }

    #[test]
    fn a_dropped_reader_stops_without_a_hangup() {
        let (_terminal, ours) = UnixStream::pair().expect("a pair");
        let (events, told) = unbounded();
        drop(Reader::start(ours, events, |_| {}, Arc::default()).expect("a thread"));
        assert!(told.recv().is_err(), "the thread ended and told nothing");
    }
}
