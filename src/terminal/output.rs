//! The file descriptor of the terminal, written without ever waiting for longer than asked.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes of one write: a terminal that blocks takes no more at once than it has room for.
const PIECE: usize = 4096;

/// Where bytes for the terminal go.
#[derive(Debug)]
pub(super) struct Output {
    fd: OwnedFd,
}

impl Output {
    /// The terminal behind standard output, opened anew so that not waiting is our own affair and not our parent's.
    ///
    /// # Errors
    /// The system's, where standard output is closed.
    pub(super) fn of_stdout() -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let reopened = rustix::termios::ttyname(rustix::stdio::stdout(), Vec::new())
            .and_then(|name| rustix::fs::open(name, flags, Mode::empty()));
        let fd = match reopened {
            Ok(fd) => fd,
            Err(_) => rustix::stdio::stdout().try_clone_to_owned()?,
        };
        Ok(Self { fd })
    }

    /// Another terminal of the same user, by its device.
    ///
    /// # Errors
    /// The system's, if it is gone.
    pub(super) fn of_terminal(device: &Path) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(Self { fd: rustix::fs::open(device, flags, Mode::empty())? })
    }

    /// Any descriptor, for tests.
    #[cfg(test)]
    pub(super) fn of(fd: OwnedFd) -> Self {
        Self { fd }
    }

    /// Writes all bytes, giving up when `keep_on` says so; it is asked ten times a second while the terminal takes nothing.
    ///
    /// # Errors
    /// `TimedOut` where `keep_on` gave up; else the system's: the terminal is gone.
    pub(super) fn write_while(&self, mut bytes: &[u8], keep_on: impl Fn() -> bool) -> io::Result<()> {
        while !bytes.is_empty() {
            if !keep_on() {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the terminal takes no more output"));
            }
            let mut fds = [PollFd::new(&self.fd, PollFlags::OUT)];
            let tenth = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
            match poll(&mut fds, Some(&tenth)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            match rustix::io::write(self.fd.as_fd(), &bytes[..bytes.len().min(PIECE)]) {
                Ok(count) => bytes = &bytes[count..],
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Writes all bytes or gives up after `limit`.
    ///
    /// # Errors
    /// As [`Output::write_while`].
    pub(super) fn write_within(&self, bytes: &[u8], limit: Duration) -> io::Result<()> {
        let end = Instant::now() + limit;
        self.write_while(bytes, || Instant::now() < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_terminal_that_takes_nothing_does_not_hold_the_program_up() {
        let (ours, _theirs) = UnixStream::pair().expect("a pair");
        ours.set_nonblocking(true).expect("non-blocking");
        let output = Output::of(ours.into());
        let error = output.write_within(&vec![0; 10_000_000], Duration::from_millis(150)).expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
