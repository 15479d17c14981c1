//! A decision that is recorded only when its key is pressed once more.

use super::Command;
use crate::domain::{Act, Uid};
use std::time::Duration;

/// A decision that waits for its key. Every other key cancels it.
#[derive(Debug, Clone, PartialEq)]
pub struct SecondKey {
    /// The command whose key is to be pressed again.
    pub command: Command,
    /// Why it is asked for: "alert at 97 %".
    pub why: String,
    /// What the second key does: "read as negative".
    pub what: String,
    /// Whether the key seems to be held down.
    pub is_held: bool,
    /// The study that was open.
    pub(super) study: Uid,
    /// What is recorded then.
    pub(super) act: Act,
    /// When the key was last seen, by [`super::Message::Elapsed`].
    pub(super) last: Duration,
    /// The study that the screen announced as the next one when the key was pressed again.
    pub(super) announced: Option<Option<Uid>>,
    /// The timer that is set since the key was pressed again.
    pub(super) timer: Option<u64>,
}
