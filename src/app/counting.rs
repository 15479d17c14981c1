//! Numbers before commands, as in vim: `10j`, `5G`; and the last adjustment once more: `.`.
//!
//! Some digits do something of their own (6 goes to C6). That is done at once; if the number goes on within
//! [`PATIENCE`], what the first digit did is taken back and the digits count.

use super::{Command, Reading};
use std::time::Duration;

/// How long a digit that did something of its own can still become a number: long enough to type on, shorter than it takes to look at
/// the picture that it led to.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);
/// The largest number that is taken.
const MOST: usize = 9999;
/// How often a command is repeated at most.
const MOST_REPEATS: usize = 500;

/// A number being typed.
#[derive(Debug, Clone)]
pub struct Count {
    value: usize,
    /// The open study as it was before the first digit did something of its own, for as long as that can be taken back.
    before: Option<Box<Reading>>,
    serial: u64,
}

/// What a number before a command means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// So many times.
    Times,
    /// The slice or row of this number, from 1.
    Place,
    /// Nothing.
    Nothing,
}

impl Count {
    /// A number's first digit. `before` is what the digit's own action changes.
    pub(super) fn new(digit: u32, before: Option<Box<Reading>>, serial: u64) -> Self {
        Self { value: digit as usize, before, serial }
    }

    /// Adds a digit, and gives what the first one's own action changed, to be taken back.
    pub(super) fn push(&mut self, digit: u32) -> Option<Box<Reading>> {
        self.value = (self.value * 10 + digit as usize).min(MOST);
        self.before.take()
    }

    /// The number, and what the first digit's own action changed.
    pub(super) fn take(self) -> (usize, Option<Box<Reading>>) {
        (self.value, self.before)
    }

    /// The number so far; `None` while the digit may have been meant as the command that it is.
    #[must_use]
    pub fn shown(&self) -> Option<usize> {
        self.before.is_none().then_some(self.value)
    }

    /// Whether a timer that was set for a number is this one's.
    pub(super) fn is(&self, serial: u64) -> bool {
        self.serial == serial
    }
}

/// How often to repeat for a number.
pub(super) fn repeats(number: usize) -> usize {
    number.clamp(1, MOST_REPEATS)
}

/// What a number before a command means.
pub(super) fn meaning(command: Command) -> Meaning {
    match command {
        Command::FirstSlice | Command::LastSlice | Command::Top | Command::Bottom => Meaning::Place,
        Command::Down
        | Command::Up
        | Command::PageDown
        | Command::PageUp
        | Command::SliceDown
        | Command::SliceUp
        | Command::SlicesDown
        | Command::SlicesUp
        | Command::SlicesDownHalf
        | Command::SlicesUpHalf
        | Command::SlicesDownFast
        | Command::SlicesUpFast
        | Command::NextSuspicion
        | Command::PreviousSuspicion
        | Command::NextLevel
        | Command::NextKeyImage
        | Command::CursorLeft
        | Command::CursorRight
        | Command::CursorUp
        | Command::CursorDown
        | Command::PreviousLevel
        | Command::Back
        | Command::Forward
        | Command::CineFaster
        | Command::CineSlower
        | Command::Repeat => Meaning::Times,
        adjustment if is_adjustment(adjustment) => Meaning::Times,
        _ => Meaning::Nothing,
    }
}

/// Whether `.` does it once more.
pub(super) fn is_adjustment(command: Command) -> bool {
    matches!(
        command,
        Command::LevelUp
            | Command::LevelDown
            | Command::WidthUp
            | Command::WidthDown
            | Command::NextFraming
            | Command::ZoomIn
            | Command::SlabThicker
            | Command::SlabThinner
            | Command::ZoomOut
            | Command::PanLeft
            | Command::PanRight
            | Command::PanUp
            | Command::PanDown
    )
}
