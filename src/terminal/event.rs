//! What the terminal tells the program.

use super::keystroke::Keystroke;
use crate::raster::LineState;
use crate::task::Generation;
use crossterm::event::{KeyEvent, MouseEvent};
use std::time::Duration;

/// What the terminal, the writer or the operating system tells the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A key.
    Key(Keystroke),
    /// A mouse button or the wheel; coordinates are cells from 0.
    Mouse(MouseEvent),
    /// Pasted text, at most 1 MiB, whether the terminal marked it or it came faster than a hand types; its control characters
    /// are still in it.
    Paste(String),
    /// What the terminal can do is known, or better known than before: call [`super::Terminal::settle`], and draw.
    Probed,
    /// The window has another size: ask [`super::Terminal::size`] and draw.
    Resized,
    /// The program is back from a stop, or tmux is attached again: draw; the pictures last given to [`super::Terminal::show`] are sent again.
    Resumed,
    /// The terminal is gone (SIGHUP, or the end of its input): save and end.
    Hangup,
    /// Someone asks the program to end (SIGTERM, or SIGINT from outside).
    Terminate,
    /// A picture is on screen.
    PictureShown {
        /// The request it came from.
        generation: Generation,
        /// From the first byte handed to the terminal to its answer; zero where the picture was there already, and two
        /// seconds where the terminal never answered.
        round_trip: Duration,
        /// Bytes that it took.
        bytes: usize,
    },
    /// An image that was asked for is not shown, and is not sent again until another one is asked for or the screen is redrawn.
    PictureRefused {
        /// The place that it was for.
        slot: u8,
        /// Why.
        refusal: Refusal,
    },
    /// The terminal has, or no longer has, the keyboard's focus; not every terminal tells.
    Focus(bool),
    /// What is known of the line, after each picture, and whenever a preview comes or goes.
    Line(LineState),
    /// Nothing can be written any more, with the reason; everything drawn from now on is dropped.
    WriterFailed(String),
}

/// Why the terminal does not show an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `ENOSPC`.
    #[error("the terminal has no room for it")]
    NoSpace,
    /// `EBADPNG` and the like: what arrived is not what was sent.
    #[error("the terminal cannot decode it; the connection may have damaged it")]
    Damaged,
    /// `ENOENT`, time and again.
    #[error("the terminal does not keep it")]
    NotKept,
    /// tmux passed it on, or did not; no answer came.
    #[error("tmux let nothing through, or the terminal did not answer")]
    NoAnswer,
    /// It could not be compressed.
    #[error("it cannot be encoded")]
    NotEncoded,
    /// Another code of the terminal's.
    #[error("the terminal refused it ({0})")]
    Other(String),
}

impl Refusal {
    /// Stands for the message of a terminal that sent none.
    pub(super) const NO_ANSWER: &'static str = "no answer";

    /// The refusal that a message of kitty's protocol means: `ENOSPC:...`.
    pub(super) fn of(message: &str) -> Self {
        // Text from the terminal: only its code is used.
        let code: String = message.chars().take_while(char::is_ascii_alphanumeric).take(16).collect();
        match code.as_str() {
            "ENOSPC" | "ENOMEM" | "EFBIG" => Self::NoSpace,
            "EBADPNG" | "EBADF" | "ENODATA" | "EILSEQ" => Self::Damaged,
            "ENOENT" => Self::NotKept,
            _ if message == Self::NO_ANSWER => Self::NoAnswer,
            _ => Self::Other(code),
        }
    }
}

/// An answer of the terminal to one of our questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// The kitty graphics protocol's answer about an image.
    Graphics { id: u32, placement: Option<u32>, message: String },
    /// `CSI ? … c`: what the terminal says it is.
    PrimaryAttributes(Vec<u16>),
    /// `CSI row ; column R`, from 1: our fence.
    CursorPosition { row: u16, column: u16 },
    /// `CSI 6 ; height ; width t`.
    CellPixels { width: u16, height: u16 },
    /// `CSI 4 ; height ; width t`.
    TextAreaPixels { width: u16, height: u16 },
    /// `CSI ? 1 ; 0 ; n S`: how many colour registers sixel pictures have.
    ColorRegisters(u16),
    /// XTVERSION: name and version.
    Version(String),
    /// `CSI ? flags u`: the kitty keyboard protocol is there.
    Keyboard,
}

/// One thing that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    Key(Keystroke),
    Mouse(MouseEvent),
    Paste(String),
    Focus(bool),
    Reply(Reply),
}

impl From<KeyEvent> for Input {
    fn from(key: KeyEvent) -> Self {
        Self::Key(Keystroke::from(key))
    }
}
