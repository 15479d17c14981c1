//! The system's limits on open files and threads, and what to do where one is reached.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io;

/// Open files that the program needs with its screen: databases, readers of files, watches and the terminal.
pub const LEAST_OPEN_FILES: u64 = 64;
/// More than this is never needed; some systems refuse to allow more than they have.
const MOST_OPEN_FILES: u64 = 10_240;

/// Too few open files are allowed for the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "too few open files are allowed: the limit is {0} (ulimit -n), cspine needs {LEAST_OPEN_FILES}; raise it, for example with ulimit -n 1024"
)]
pub struct TooFewOpenFiles(u64);

/// Raises the limit of open files to the most that the user may have; a shell often sets a lower one. If the system refuses,
/// the limit stays as it is.
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(MOST_OPEN_FILES, |maximum| maximum.min(MOST_OPEN_FILES));
    if current.is_some_and(|current| current < wanted) {
        // Fewer are enough for most.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}

/// Whether enough open files are allowed for the screen.
///
/// # Errors
/// The limit, if it is too low.
pub fn check_open_files() -> Result<(), TooFewOpenFiles> {
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < LEAST_OPEN_FILES => Err(TooFewOpenFiles(limit)),
        _ => Ok(()),
    }
}

/// Whether an error says that no more files can be opened just now, which is nobody's fault that is named in it.
#[must_use]
pub fn is_out_of_files(error: &io::Error) -> bool {
    let full = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE];
    error.raw_os_error().is_some_and(|code| full.iter().any(|errno| errno.raw_os_error() == code))
}

/// What happened and what to do where no more files can be opened.
#[must_use]
pub fn out_of_files() -> String {
    let limit =
        getrlimit(Resource::Nofile).current.map_or_else(|| "the system's".to_owned(), |limit| limit.to_string());
    format!("too many open files: the limit is {limit} (ulimit -n); raise it, for example with ulimit -n 1024")
}

/// An error of the system in words; where a limit was reached, with what to do about it.
#[must_use]
pub fn words(error: &io::Error) -> String {
    if is_out_of_files(error) {
        return out_of_files();
    }
    if error.raw_os_error() == Some(rustix::io::Errno::AGAIN.raw_os_error()) {
        return "the system has no more threads for you (ulimit -u); end other programs".to_owned();
    }
    let text = error.to_string();
    // The system's own number tells a user nothing.
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_at_a_limit_names_the_limit_and_the_command_and_others_stay_as_they_are() {
        let of = |errno: rustix::io::Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        for errno in [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE] {
            let words = words(&of(errno));
            assert!(
                words.starts_with("too many open files: the limit is ") && words.contains("ulimit -n 1024"),
                "{words}"
            );
        }
        assert!(words(&of(rustix::io::Errno::AGAIN)).contains("ulimit -u"));
        assert!(!is_out_of_files(&of(rustix::io::Errno::ACCESS)));
        assert_eq!(words(&of(rustix::io::Errno::ACCESS)), "Permission denied");
    }

    #[test]
    fn the_limit_is_raised_as_far_as_it_may_be() {
        raise_open_files();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.map_or(MOST_OPEN_FILES, |maximum| maximum.min(MOST_OPEN_FILES));
        assert!(current.is_none_or(|current| current >= wanted), "{current:?} of {maximum:?}");
        assert!(check_open_files().is_ok() || wanted < LEAST_OPEN_FILES);
        let words = TooFewOpenFiles(20).to_string();
        assert!(words.contains("the limit is 20 (ulimit -n), cspine needs 64"), "{words}");
    }
}
