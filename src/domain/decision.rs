//! What readers decide: a log to which entries are only added, and what it comes to.
//!
//! An [`Act`] is what a reader does; a [`LogEntry`] says besides who did it, when, and on which report. [`Decision::of`] folds a
//! study's entries to what is decided now. Taking something back is an entry, too.

mod fold;

pub use fold::{Decided, Decision, LevelWord, StudyState, undoable};

use super::{CervicalLevel, CleanText, FractureReport, PerLevel, Probability, Stamp, Uid};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a reader says of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the verdicts")]
pub enum LevelVerdict {
    Fractured,
    NotFractured,
    Uncertain,
    NotAssessable,
}

impl LevelVerdict {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fractured => "fractured",
            Self::NotFractured => "not fractured",
            Self::Uncertain => "uncertain",
            Self::NotAssessable => "not assessable",
        }
    }

    /// One letter for a narrow column; no two are the same.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::Fractured => '✗',
            Self::NotFractured => '✓',
            Self::Uncertain => '~',
            Self::NotAssessable => '∅',
        }
    }
}

/// What a reader says of the whole study.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum StudyVerdict {
    /// No fracture.
    Negative,
    /// A fracture.
    Positive,
    /// To be read later.
    Deferred {
        /// Why.
        reason: CleanText,
    },
    /// The pictures allow no verdict.
    Unreadable,
}

impl StudyVerdict {
    /// In one word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Positive => "positive",
            Self::Deferred { .. } => "deferred",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Why a reader rejects an alarm of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the reasons")]
pub enum RejectionReason {
    OldFracture,
    VesselChannel,
    Osteophyte,
    ShoulderArtefact,
    UnfusedApophysis,
    PostOperative,
    Other,
}

impl RejectionReason {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 7] = [
        Self::OldFracture,
        Self::VesselChannel,
        Self::Osteophyte,
        Self::ShoulderArtefact,
        Self::UnfusedApophysis,
        Self::PostOperative,
        Self::Other,
    ];

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OldFracture => "old fracture",
            Self::VesselChannel => "vessel channel",
            Self::Osteophyte => "osteophyte",
            Self::ShoulderArtefact => "shoulder artefact",
            Self::UnfusedApophysis => "unfused apophysis",
            Self::PostOperative => "post-operative",
            Self::Other => "other",
        }
    }
}

/// How a verdict stands to what the network said of the same level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "network")]
pub enum Agreement {
    /// The reader agrees, having been asked.
    Agrees,
    /// The network was alarmed and the reader is not.
    Rejects {
        /// Why.
        reason: RejectionReason,
    },
    /// The network was not alarmed and the reader is.
    Adds,
}

/// Whether a study goes before the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precedence {
    /// It stands where its urgency puts it.
    #[default]
    Ordinary,
    /// On top.
    Pinned,
    /// On top of those.
    Stat,
}

/// Number of a log entry; a later entry has a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntryId(pub i64);

/// What a reader does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "act")]
pub enum Act {
    /// A verdict on one level.
    Level {
        /// The level.
        level: CervicalLevel,
        /// The verdict.
        verdict: LevelVerdict,
        /// What it says of the network, where the reader was asked.
        agreement: Option<Agreement>,
    },
    /// A verdict on the study.
    Study(StudyVerdict),
    /// A note; it replaces the one before. An empty one takes it away.
    Note {
        /// The note.
        text: CleanText,
    },
    /// Puts the study before others, or back.
    Precedence {
        /// Where it goes.
        precedence: Precedence,
    },
    /// Takes an entry back; it stays in the log.
    Undo {
        /// The entry.
        entry: EntryId,
    },
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level { level, verdict, agreement } => {
                write!(f, "{level} {}", verdict.name())?;
                match agreement {
                    Some(Agreement::Rejects { reason }) => write!(f, " ({})", reason.name()),
                    _ => Ok(()),
                }
            }
            Self::Study(StudyVerdict::Deferred { reason }) if !reason.is_empty() => write!(f, "deferred: {reason}"),
            Self::Study(verdict) => f.write_str(verdict.name()),
            Self::Note { text } if text.is_empty() => f.write_str("note taken away"),
            Self::Note { text } => write!(f, "note: {text}"),
            Self::Precedence { precedence: Precedence::Ordinary } => f.write_str("no longer on top"),
            Self::Precedence { precedence: Precedence::Pinned } => f.write_str("pinned"),
            Self::Precedence { precedence: Precedence::Stat } => f.write_str("STAT"),
            Self::Undo { entry } => write!(f, "entry {} taken back", entry.0),
        }
    }
}

/// The report that was there when something was decided: enough to compare reader and network later, whatever becomes of the
/// report itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnReport {
    /// Model's name.
    pub model: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its ONNX file, lower-case hexadecimal.
    pub sha256: String,
    /// SeriesInstanceUID of the series analysed.
    pub series: Uid,
    /// Overall probability.
    pub overall: Probability,
    /// The package's threshold for it.
    pub overall_threshold: Probability,
    /// Probability of each level; `None` for one not seen.
    pub levels: PerLevel<Option<Probability>>,
    /// The package's threshold for a level.
    pub level_threshold: Probability,
    /// Whether slices were still to come.
    pub preliminary: bool,
}

impl From<&FractureReport> for OnReport {
    fn from(report: &FractureReport) -> Self {
        Self {
            model: report.model.name.clone(),
            version: report.model.version.clone(),
            sha256: report.model.sha256.clone(),
            series: report.series_uid.clone(),
            overall: report.overall,
            overall_threshold: report.model.thresholds.overall,
            levels: PerLevel::from_fn(|level| report.levels[level].probability()),
            level_threshold: report.model.thresholds.level,
            preliminary: report.completeness != super::Completeness::Final,
        }
    }
}

/// Something decided that is not kept yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// StudyInstanceUID.
    pub study: Uid,
    /// What is done.
    pub act: Act,
    /// The report that was there, seen or hidden.
    pub report: Option<OnReport>,
    /// Whether the report was hidden from the reader.
    pub blinded: bool,
}

/// One line of the log, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// Its number.
    pub id: EntryId,
    /// User name.
    pub who: CleanText,
    /// When.
    pub at: Stamp,
    /// What, where and on which report.
    pub draft: Draft,
}
