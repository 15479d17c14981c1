//! Which studies were told: a file of keys to which lines are only added, each on disk before the next study is begun.

use crate::cli::{CliError, output, select};
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Name of the file in the data folder.
const NAME: &str = "watched.keys";
/// Characters of a key: a SHA-256 as hexadecimal.
const KEY: usize = 64;

/// The keys of what was told.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    keys: HashSet<String>,
}

impl Journal {
    /// Opens the file in a data folder, and makes both where they are not there. A line that a kill left unfinished is taken off.
    ///
    /// # Errors
    /// A folder or file that cannot be used.
    pub(super) fn open(folder: &Path) -> Result<Self, CliError> {
        output::folder(folder)?;
        let path = folder.join(NAME);
        let failed =
            |error: std::io::Error| CliError::failed(format!("{} cannot be used", select::shown(&path)), error);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        file.set_len(whole as u64).map_err(failed)?;
        file.seek(SeekFrom::Start(whole as u64)).map_err(failed)?;
        let text = String::from_utf8_lossy(&bytes[..whole]).into_owned();
        let keys = text.lines().filter(|line| line.len() == KEY).map(str::to_owned).collect();
        Ok(Self { path, file, keys })
    }

    /// Whether a study was told.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// Notes that a study was told; it is on disk when this returns.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn note(&mut self, key: &str) -> Result<(), CliError> {
        let failed = |error: std::io::Error| {
            CliError::failed(format!("{} cannot be written: make room on its disk", select::shown(&self.path)), error)
        };
        self.file.write_all(format!("{key}\n").as_bytes()).map_err(failed)?;
        self.file.sync_data().map_err(failed)?;
        self.keys.insert(key.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_known_after_a_kill_in_the_middle_of_a_line() {
        let home = tempfile::tempdir().expect("a folder");
        let keys = ["a", "b", "c"].map(|letter| letter.repeat(KEY));
        let mut journal = Journal::open(home.path()).expect("a journal");
        journal.note(&keys[0]).expect("noted");
        journal.note(&keys[1]).expect("noted");
        let path = home.path().join(NAME);
        let mut bytes = std::fs::read(&path).expect("a file");
        bytes.truncate(bytes.len() - 3);
        std::fs::write(&path, bytes).expect("written");
        let mut journal = Journal::open(home.path()).expect("a journal");
        assert!(journal.has(&keys[0]) && !journal.has(&keys[1]), "half a line is none");
        journal.note(&keys[2]).expect("noted");
        let journal = Journal::open(home.path()).expect("a journal");
        assert!(journal.has(&keys[0]) && journal.has(&keys[2]));
        assert_eq!(std::fs::read_to_string(&path).expect("a file").lines().count(), 2);
    }
}
