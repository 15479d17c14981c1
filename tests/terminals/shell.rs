//! The shell that the program is started from.

use crate::wait::until;
use rustix::termios::{LocalModes, tcgetattr, tcgetwinsize};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

/// Its prompt.
pub(crate) const PROMPT: &str = "ready> ";
/// Tells its terminal and goes on as a shell. One without line editing leaves the terminal's own modes alone.
pub(crate) const SHELL: &str = "sh -c 'tty > tty; exec sh -i'";

/// What starts a shell in a pseudo-terminal of its own, everything that comes out of it being noted down.
pub(crate) fn recorded(shell: &str) -> String {
    format!("echo $$ > recorder; exec script --quiet --flush --command \"{shell}\" record")
}

/// What was noted down.
pub(crate) fn record(home: &Path) -> Vec<u8> {
    let bytes = std::fs::read(home.join("record")).unwrap_or_default();
    // Its first line is the recorder's own.
    let own = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
    bytes[own..].to_vec()
}

/// Ends what notes down, which would outlive its terminal, and with it the program.
pub(crate) fn end_recorder(home: &Path) {
    if let Ok(process) = std::fs::read_to_string(home.join("recorder")) {
        let _ = Command::new("kill").arg(process.trim()).status();
    }
}

/// A command that begins in `home` and knows nothing else of its surroundings; `$CSPINE` is the program.
pub(crate) fn in_home(command: &mut Command, home: &Path) {
    command.env_clear().current_dir(home).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Every interactive shell reads this, whoever starts it.
    let settings = home.join("shell");
    std::fs::write(&settings, format!("PS1='{PROMPT}'\n")).expect("written");
    command.env("HOME", home).env("ENV", settings).env("CSPINE", env!("CARGO_BIN_EXE_cspine")).env("LANG", "C.UTF-8");
    for name in ["PATH", "ORT_DYLIB_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}

/// The device of the terminal that the shell is in.
pub(crate) fn tty(home: &Path) -> File {
    let name = std::fs::read_to_string(home.join("tty")).expect("the shell told its terminal");
    std::fs::OpenOptions::new().read(true).write(true).open(name.trim()).expect("the terminal's device")
}

/// Width and height of a character.
pub(crate) fn cell(tty: &File) -> (usize, usize) {
    let size = tcgetwinsize(tty).expect("its size");
    (usize::from(size.ws_xpixel / size.ws_col), usize::from(size.ws_ypixel / size.ws_row))
}

/// Waits until the terminal takes lines and echoes them, as it did before the program.
pub(crate) fn wait_for_cooked(tty: &File) {
    let cooked = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
    let modes = || tcgetattr(tty).expect("its modes").local_modes;
    until("lines and echo", || modes().contains(cooked).then_some(()), || format!("{:?}", modes()));
}
