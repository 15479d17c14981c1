//! Standard error while the terminal is ours: what foreign libraries write there would stand on the screen.

use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

static KEPT_IN: Mutex<Option<File>> = Mutex::new(None);

/// From the next time that the terminal is taken, what is written to standard error goes to this file instead.
pub fn keep_errors_in(file: File) {
    *KEPT_IN.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
}

/// Standard error as it was; dropping this does not bring it back, [`Diverted::give_back`] does.
#[derive(Debug)]
pub(super) struct Diverted {
    before: OwnedFd,
}

impl Diverted {
    /// Diverts standard error, if it goes to a terminal: to the file of [`keep_errors_in`], or to nowhere.
    pub(super) fn start() -> Option<Self> {
        rustix::termios::isatty(rustix::stdio::stderr()).then(|| Self::to_file().ok()).flatten()
    }

    fn to_file() -> io::Result<Self> {
        let before = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3)?;
        let kept = KEPT_IN.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.as_ref() {
            Some(file) => rustix::stdio::dup2_stderr(file.as_fd())?,
            None => {
                let flags = OFlags::WRONLY | OFlags::CLOEXEC;
                let nowhere = rustix::fs::open("/dev/null", flags, Mode::empty())?;
                rustix::stdio::dup2_stderr(&nowhere)?;
            }
        }
        Ok(Self { before })
    }

    /// Brings standard error back.
    pub(super) fn give_back(self) {
        // There is nobody to tell.
        let _ = rustix::stdio::dup2_stderr(&self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn what_is_written_to_standard_error_goes_to_the_file_until_it_is_given_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        keep_errors_in(File::create(&path).expect("a file"));
        let diverted = Diverted::to_file().expect("descriptors");
        std::io::stderr().write_all(b"Error in cpuinfo\n").expect("written");
        diverted.give_back();
        std::io::stderr().write_all(b"(a test wrote this line)\n").expect("written");
        let kept = std::fs::read_to_string(&path).expect("the file");
        assert!(kept.contains("Error in cpuinfo") && !kept.contains("a test wrote"), "{kept}");
    }
}
