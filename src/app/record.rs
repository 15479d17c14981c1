//! What is to be kept, and what was.
//!
//! `update` decides what is kept and hands it out as [`super::Effect::Record`]; nothing is shown as made before
//! [`super::Message::Recorded`] says that it is on disk.

use crate::domain::{Annotation, AnnotationChange, Draft, Listed, LogEntry, ReadingPosition, SensitiveText, Uid};
use std::fmt;

/// Tells the answers to several records apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Token(pub u64);

/// Something to be kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// An entry of the log of decisions.
    Decision {
        /// Comes back with the answer.
        token: Token,
        /// What is decided.
        draft: Draft,
    },
    /// A step in the life of a study's annotations.
    Annotation {
        /// StudyInstanceUID.
        study: Uid,
        /// The step.
        change: AnnotationChange,
    },
    /// Where the reader is in a study.
    Position {
        /// StudyInstanceUID.
        study: Uid,
        /// Where.
        position: ReadingPosition,
    },
}

/// Something that is kept now: it is on disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// A decision.
    Decision {
        /// The token that it was sent with.
        token: Token,
        /// The entry, with its number, reader and time.
        entry: LogEntry,
    },
}

/// Something that was not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordFailure {
    /// What was to be kept.
    pub record: Record,
    /// Why not, and what to do: one sentence.
    pub problem: SensitiveText,
}

/// What was kept before, or by another program on the same store.
#[derive(Debug, Clone, PartialEq)]
pub enum Remembered {
    /// Entries of the log, oldest first; some may be known already.
    Log(Vec<LogEntry>),
    /// Studies as an earlier run left them, the most urgent first.
    Studies(Vec<Listed>),
    /// Where the reader was in a study that was just opened.
    Position(Uid, ReadingPosition),
    /// The measurements and key images of a study that was just opened; they replace what was known.
    Annotations(Uid, Vec<Annotation>),
    /// The study that the reader was in when the program ended last.
    LastRead(Uid),
    /// Studies that others have open, with the names of who; it replaces what was told before.
    OpenElsewhere(Vec<(Uid, String)>),
    /// There is no store to keep anything in: why, and what to do.
    Unavailable(SensitiveText),
}

/// A decision on its way to the disk, or one that did not get there.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Its token.
    pub token: Token,
    /// What was decided.
    pub draft: Draft,
    /// Why it could not be kept; `None` while it is being kept.
    pub problem: Option<String>,
    /// The study that the screen announced as the next one when this was decided.
    pub announced: Option<Uid>,
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            None => write!(f, "saving … {}", self.draft.act.summary()),
            Some(problem) => write!(f, "NOT SAVED: {} ({problem})", self.draft.act.summary()),
        }
    }
}
