//! What must be installed, and whose turn it is.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

static TURN: Mutex<()> = Mutex::new(());

/// Waits for this case's turn. `None`, with a word, where one of the programs is missing; a failure instead where
/// `CSPINE_REQUIRE_TERMINALS=1` asks for it.
pub(crate) fn turn(programs: &[&str]) -> Option<MutexGuard<'static, ()>> {
    let missing: Vec<&&str> = programs.iter().filter(|program| find(program).is_none()).collect();
    if missing.is_empty() {
        return Some(TURN.lock().unwrap_or_else(PoisonError::into_inner));
    }
    let required = std::env::var_os("CSPINE_REQUIRE_TERMINALS").is_some_and(|value| value == "1");
    assert!(!required, "CSPINE_REQUIRE_TERMINALS=1, but {missing:?} cannot be found");
    println!("skipped: {missing:?} cannot be found");
    None
}

/// A program by its name; sshd is where only root looks.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}
