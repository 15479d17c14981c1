//! Takes the terminal over and gives it back, whatever happens in between.

use super::errors::Diverted;
use super::output::Output;
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use std::io::{self, Write as _};
use std::panic;
use std::sync::{Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// Alternate screen, hidden cursor, bracketed paste, reports of the focus.
pub(super) const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1004h";
/// Mouse buttons, drags and wheel in the SGR form.
const MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";
/// The same in reverse. CAN and ST first end a sequence that was cut off half way.
pub(super) const LEAVE: &[u8] =
    b"\x18\x1b\\\x1b[0m\x1b[?1004l\x1b[?2004l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?25h\x1b[?1049l";
/// Reports keys by the kitty keyboard protocol: Esc as a sequence of its own, every key with its place on the US layout, the
/// text that it types and the state of Caps Lock (flags 1, 4, 8 and 16).
pub(super) const KEYBOARD: &[u8] = b"\x1b[>29u";
/// The same in reverse; before [`LEAVE`], as either screen has its own. CAN and ST as there.
const LEAVE_KEYBOARD: &[u8] = b"\x18\x1b\\\x1b[<u";
/// How long the terminal may take for the bytes that give it back.
const LIMIT: Duration = Duration::from_millis(300);
/// What users read below the report of a panic that ends the program.
const ENDED: &str = "\ncspine has ended because of an internal error: please report the lines above.\n\
                     Decisions confirmed on the screen are saved. Start cspine again to go on.";

struct Taken {
    before: Termios,
    output: Output,
    /// The thread that draws: a panic there ends the program, elsewhere it need not.
    owner: ThreadId,
    /// Whether the mouse is ours too.
    mouse: bool,
    /// Whether keys are reported by the keyboard protocol.
    keyboard: bool,
    /// Standard error, while it does not go to the terminal.
    errors: Option<Diverted>,
}

static TAKEN: Mutex<Option<Taken>> = Mutex::new(None);

/// Raw mode, then [`ENTER`], and the mouse where it is wanted.
///
/// # Errors
/// The system's, where standard input or output is no terminal.
pub(super) fn enter(mouse: bool) -> io::Result<()> {
    let output = Output::of_stdout()?;
    let before = tcgetattr(rustix::stdio::stdin())?;
    // Raw mode is on only once it can be undone.
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let raw = raw(&before);
    *taken = Some(Taken { before, output, owner: thread::current().id(), mouse, keyboard: false, errors: None });
    drop(taken);
    install_hook();
    let entered = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &raw).map_err(io::Error::from);
    let entered = entered.and_then(|()| write_enter(mouse, false));
    if entered.is_err() {
        restore_now();
    }
    divert_errors();
    entered
}

/// Standard error leaves the terminal, if that is ours.
fn divert_errors() {
    if let Some(taken) = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
        && taken.errors.is_none()
    {
        taken.errors = Diverted::start();
    }
}

/// [`KEYBOARD`] is about to be written: what it sets is given back with the rest.
pub(super) fn with_keyboard() {
    if let Some(taken) = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        taken.keyboard = true;
    }
}

fn raw(before: &Termios) -> Termios {
    let mut raw = before.clone();
    raw.make_raw();
    raw
}

fn write_enter(mouse: bool, keyboard: bool) -> io::Result<()> {
    write(ENTER)?;
    if mouse {
        write(MOUSE)?;
    }
    if keyboard { write(KEYBOARD) } else { Ok(()) }
}

/// The bytes that give the terminal back.
fn leave(keyboard: bool) -> Vec<u8> {
    if keyboard { [LEAVE_KEYBOARD, LEAVE].concat() } else { LEAVE.to_vec() }
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    taken.as_ref().map_or(Ok(()), |taken| taken.output.write_within(bytes, LIMIT))
}

/// Gives the terminal to the shell for a while.
pub(super) fn lend() {
    if let Some(taken) = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        // A terminal that is gone cannot be given back.
        let _ = taken.output.write_within(&leave(taken.keyboard), LIMIT);
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &taken.before);
        if let Some(errors) = taken.errors.take() {
            errors.give_back();
        }
    }
}

/// Takes it again.
///
/// # Errors
/// The system's, where the terminal is gone.
pub(super) fn take_again() -> io::Result<()> {
    let (raw, mouse, keyboard) = match TAKEN.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
        Some(taken) => (raw(&taken.before), taken.mouse, taken.keyboard),
        None => return Ok(()),
    };
    divert_errors();
    tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &raw)?;
    write_enter(mouse, keyboard)
}

/// Gives the terminal back as it was found: for the end of the program, for errors and for panics.
///
/// Does nothing where it is not taken, or was given back already, and never waits for long.
pub fn restore_now() {
    // In a panic the lock may be held by the very thread that panics: then it is writing, and nothing can be done.
    let taken = match TAKEN.try_lock() {
        Ok(mut taken) => taken.take(),
        Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
        Err(std::sync::TryLockError::WouldBlock) => {
            thread::sleep(LIMIT);
            TAKEN.try_lock().ok().and_then(|mut taken| taken.take())
        }
    };
    if let Some(taken) = taken {
        let _ = taken.output.write_within(&leave(taken.keyboard), LIMIT);
        // Late answers of the terminal must not be typed into the shell.
        let _ = tcflush(rustix::stdio::stdin(), QueueSelector::IFlush);
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &taken.before);
        if let Some(errors) = taken.errors {
            errors.give_back();
        }
    }
}

/// Panics on the drawing thread restore the terminal before they are reported; those of workers, which the program
/// survives, go to the log and leave the screen alone.
fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let owner = TAKEN.try_lock().ok().and_then(|taken| taken.as_ref().map(|taken| taken.owner));
            match owner {
                Some(owner) if owner != thread::current().id() => {
                    let place = info.location().map(ToString::to_string).unwrap_or_default();
                    tracing::error!(place, "a worker panicked: {}", info.payload_as_str().unwrap_or("unknown reason"));
                }
                owner => {
                    restore_now();
                    before(info);
                    if owner.is_some() {
                        // Not `eprintln!`: it panics if standard error is closed.
                        let _ = writeln!(io::stderr(), "{ENDED}");
                    }
                }
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::super::screen::tests::emulator;
    use super::*;

    #[test]
    fn what_entering_sets_leaving_resets() {
        let mut terminal = emulator(24, 80);
        terminal.process(b"$ cspine");
        let before = terminal.screen().clone();
        terminal.process(ENTER);
        terminal.process(MOUSE);
        let screen = terminal.screen();
        assert!(screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::ButtonMotion);
        // The program dies in the middle of a picture.
        terminal.process(b"\x1b[5;5HC6\x1b_Ga=t,f=100,i=1000,m=1;iVBORw0KGgo");
        terminal.process(LEAVE);
        let after = terminal.screen();
        assert!(!after.alternate_screen() && !after.hide_cursor() && !after.bracketed_paste());
        assert_eq!(after.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert_eq!((after.contents(), after.cursor_position()), (before.contents(), before.cursor_position()));
    }

    #[test]
    fn restoring_what_was_never_taken_does_nothing() {
        restore_now();
        restore_now();
    }
}
