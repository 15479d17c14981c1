//! Another program: this very test program, started again to run one of its tests that are ignored otherwise.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// A command that runs the ignored test `name` (`file::function`) of this program, with its output in a pipe.
pub(crate) fn again(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([name, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// What the starting test gave it under a name; `None` when it is run by itself.
pub(crate) fn given(name: &str) -> Option<String> {
    std::env::var_os(name).as_deref().and_then(OsStr::to_str).map(str::to_owned)
}
