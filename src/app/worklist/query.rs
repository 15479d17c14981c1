//! The filter: words that a study must contain, and `key:value` terms.

use super::{Entry, Progress};
use crate::domain::{Analysis, CervicalLevel, StudyState};

/// Keys of terms, with what they ask for.
pub const KEYS: [(&str, &str); 5] = [
    ("state:", "unread, begun, negative, positive, deferred, unreadable, conflict; urgent, waiting, failed, declined"),
    ("level:", "C1 to C7: flagged by the network or called fractured"),
    ("date:", "the study's date or its beginning: 2026-11"),
    ("model:", "part of the model's name and version"),
    ("is:", "pinned, stat, opened, conflict, unlike (the model's training data)"),
];

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Text(String),
    State(String),
    Level(String),
    Date(String),
    Model(String),
    Is(String),
}

/// A filter as it was typed, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Query {
    text: String,
    terms: Vec<Term>,
}

impl Query {
    /// Takes a filter apart. A key that is not known is text like any other; a value may be cut short while it is typed.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        let term = |word: &str| match word.split_once(':') {
            Some(("state", value)) => Term::State(value.to_owned()),
            Some(("level", value)) => Term::Level(value.to_owned()),
            Some(("date", value)) => Term::Date(value.to_owned()),
            Some(("model", value)) => Term::Model(value.to_owned()),
            Some(("is", value)) => Term::Is(value.to_owned()),
            _ => Term::Text(word.to_owned()),
        };
        Self { terms: text.split_whitespace().map(term).collect(), text }
    }

    /// As it was typed, in lower case.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a study meets every condition.
    pub(super) fn matches(&self, entry: &Entry) -> bool {
        self.terms.iter().all(|term| term.matches(entry))
    }
}

impl Term {
    fn matches(&self, entry: &Entry) -> bool {
        match self {
            Self::Text(text) => entry.contains(text),
            Self::State(value) => {
                let analysis = match &entry.progress {
                    Progress::Waiting => "waiting",
                    Progress::Running { .. } => "running",
                    Progress::Done(Analysis::Failed(_)) => "failed",
                    Progress::Done(Analysis::NotAnalysed(_) | Analysis::Declined(_)) => "declined",
                    Progress::Done(Analysis::Analysed(_)) => "analysed",
                };
                let urgent = if entry.is_alert() { "urgent" } else { "" };
                [entry.state.name(), analysis, urgent].iter().any(|name| !name.is_empty() && name.starts_with(value))
            }
            Self::Level(value) => CervicalLevel::ALL.into_iter().any(|level| {
                let wanted = level.name().eq_ignore_ascii_case(value) || value.is_empty();
                let marked = entry.report().is_some_and(|report| report.is_level_alert(level));
                wanted && (marked || entry.fractured.contains(&level))
            }),
            Self::Date(value) => entry.dated().starts_with(value) && !entry.dated().is_empty(),
            Self::Model(value) => {
                let says = |text: &str| contains_in_any_case(text, value);
                entry.report().is_some_and(|report| says(&report.model.name) || says(&report.model.version))
            }
            Self::Is(value) => {
                let named = |holds: bool, name: &'static str| if holds { name } else { "" };
                let names = [
                    named(entry.is_pinned(), "pinned"),
                    named(entry.is_stat(), "stat"),
                    named(entry.opened, "opened"),
                    named(entry.state == StudyState::Conflict, "conflict"),
                    named(entry.is_out_of_distribution(), "unlike"),
                ];
                names.iter().any(|name| !name.is_empty() && name.starts_with(value))
            }
        }
    }
}

/// Whether a text contains another, which is in lower case; manifests hold ASCII only. Nothing is copied: it is asked of every
/// study with every key.
fn contains_in_any_case(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    wanted.is_empty() || text.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted))
}
