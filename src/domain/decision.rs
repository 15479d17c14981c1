//! What readers decide: a log to which entries are only added, and what it comes to.
//!
//! An [`Act`] is what a reader does; a [`LogEntry`] says besides who did it, when, and on which report. [`Decision::of`] folds a
//! study's entries to what is decided now. Undo is an entry, too. Readers who contradict each other put the study in [`Conflict`].

mod conflict;
mod fold;
mod state;

pub use conflict::{Assessment, Conflict};
pub use fold::{Decided, Decision, LevelWord, undoable};
pub use state::StudyState;

use super::{CervicalLevel, CleanText, FractureReport, NoteText, PerLevel, Probability, Stamp, Uid};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a reader says of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the assessments")]
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

    /// Whether it says that there is a fracture or that there is none.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Fractured | Self::NotFractured)
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
        reason: NoteText,
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

    /// Whether it is final: a later assessment by another reader contradicts it instead of replacing it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Deferred { .. })
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
            Self::ShoulderArtefact => "shoulder artifact",
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

/// Whether a study goes before the others, as a request in its files says it and as earlier versions recorded it.
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

/// Characters of a reader's text in [`Act::summary`].
const SUMMARY: usize = 60;

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
        text: NoteText,
    },
    /// STAT and pin in one, as earlier versions recorded them: `ordinary` clears both, the others set one and leave the other.
    Precedence {
        /// Where it goes.
        precedence: Precedence,
    },
    /// Pins the study, or unpins it.
    Pin {
        /// Whether it is pinned.
        pinned: bool,
    },
    /// Marks the study STAT, or unmarks it.
    Stat {
        /// Whether it is STAT.
        stat: bool,
    },
    /// Settles a conflict between final assessments: this one holds instead of all before it.
    ResolveStudy {
        /// What holds.
        verdict: StudyVerdict,
    },
    /// Settles a conflict on one level: this assessment holds instead of all before it.
    ResolveLevel {
        /// The level.
        level: CervicalLevel,
        /// What holds.
        verdict: LevelVerdict,
        /// What it says of the network, where the reader was asked.
        agreement: Option<Agreement>,
    },
    /// Takes an entry back; it stays in the log.
    Undo {
        /// The entry.
        entry: EntryId,
    },
}

impl Act {
    /// Whether it assesses the study or a level.
    #[must_use]
    pub fn is_assessment(&self) -> bool {
        match self {
            Self::Level { .. } | Self::Study(_) | Self::ResolveStudy { .. } | Self::ResolveLevel { .. } => true,
            Self::Note { .. } | Self::Precedence { .. } | Self::Pin { .. } | Self::Stat { .. } | Self::Undo { .. } => {
                false
            }
        }
    }

    /// The act in one short line: of a text that a reader wrote, its beginning.
    #[must_use]
    pub fn summary(&self) -> String {
        let short = |text: &NoteText| {
            let line = text.first_line();
            let cut: String = line.chars().take(SUMMARY).collect();
            if cut.len() < line.len() { format!("{} …", cut.trim_end()) } else { cut }
        };
        match self {
            Self::Note { text } if !text.is_empty() => format!("note: {}", short(text)),
            Self::Study(StudyVerdict::Deferred { reason }) if !reason.is_empty() => {
                format!("deferred: {}", short(reason))
            }
            other => other.to_string(),
        }
    }

    /// The assessment of the study that it makes.
    #[must_use]
    pub fn study_verdict(&self) -> Option<&StudyVerdict> {
        match self {
            Self::Study(verdict) | Self::ResolveStudy { verdict } => Some(verdict),
            _ => None,
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level { level, verdict, agreement } => level_words(f, *level, *verdict, *agreement),
            Self::ResolveLevel { level, verdict, agreement } => {
                f.write_str("resolved: ")?;
                level_words(f, *level, *verdict, *agreement)
            }
            Self::Study(verdict) => study_words(f, verdict),
            Self::ResolveStudy { verdict } => {
                f.write_str("resolved: ")?;
                study_words(f, verdict)
            }
            Self::Note { text } if text.is_empty() => f.write_str("note removed"),
            Self::Note { text } => write!(f, "note: {text}"),
            Self::Precedence { precedence: Precedence::Ordinary } => f.write_str("neither STAT nor pinned"),
            Self::Pin { pinned: false } => f.write_str("unpinned"),
            Self::Precedence { precedence: Precedence::Pinned } | Self::Pin { pinned: true } => f.write_str("pinned"),
            Self::Stat { stat: false } => f.write_str("no longer STAT"),
            Self::Precedence { precedence: Precedence::Stat } | Self::Stat { stat: true } => f.write_str("STAT"),
            Self::Undo { entry } => write!(f, "entry {} undone", entry.0),
        }
    }
}

fn level_words(
    f: &mut fmt::Formatter<'_>,
    level: CervicalLevel,
    verdict: LevelVerdict,
    agreement: Option<Agreement>,
) -> fmt::Result {
    write!(f, "{level} {}", verdict.name())?;
    match agreement {
        Some(Agreement::Rejects { reason }) => write!(f, " ({})", reason.name()),
        _ => Ok(()),
    }
}

fn study_words(f: &mut fmt::Formatter<'_>, verdict: &StudyVerdict) -> fmt::Result {
    match verdict {
        StudyVerdict::Deferred { reason } if !reason.is_empty() => write!(f, "deferred: {reason}"),
        verdict => f.write_str(verdict.name()),
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
    /// Whether the overall probability reached its threshold and raised no alert, as the study was unlike the model's training data. Entries
    /// of before this was recorded have none.
    #[serde(default)]
    pub alert_withheld: bool,
}

impl OnReport {
    /// Whether the study raised an alert.
    #[must_use]
    pub fn is_alert(&self) -> bool {
        self.overall >= self.overall_threshold && !self.alert_withheld
    }
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
            alert_withheld: report.alert() == super::Alert::Withheld,
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
