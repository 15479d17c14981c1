//! A line of text being asked for: the command palette, the filter, and what a decision needs to know.

use super::Command;
use super::editor::Editor;
use super::worklist::FILTER_KEYS;
use crate::domain::{CervicalLevel, LevelVerdict, RejectionReason};

/// What is to be said of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelQuestion {
    /// This.
    Verdict(LevelVerdict),
    /// What the network says.
    Agree,
    /// The contrary.
    Disagree,
}

impl LevelQuestion {
    /// The command that asks it.
    pub(super) fn command(self) -> Command {
        match self {
            Self::Verdict(LevelVerdict::Fractured) => Command::Fractured,
            Self::Verdict(LevelVerdict::NotFractured) => Command::NotFractured,
            Self::Verdict(LevelVerdict::Uncertain) => Command::Uncertain,
            Self::Verdict(LevelVerdict::NotAssessable) => Command::NotAssessable,
            Self::Agree => Command::Agree,
            Self::Disagree => Command::Disagree,
        }
    }
}

/// What the line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// A command's name.
    Palette,
    /// What studies must have.
    Filter,
    /// What commands in help must have.
    HelpSearch,
    /// The measurements.
    Measurements,
    /// The key images.
    KeyImages,
    /// A remark on a key image.
    Comment,
    /// A note on the study.
    Note,
    /// Why a study is deferred.
    Defer,
    /// Of which level something is said: one key.
    Level(LevelQuestion),
    /// Why the network's alarm at a level is rejected: one key.
    Reason(CervicalLevel),
}

impl PromptKind {
    /// Whether a single key answers.
    #[must_use]
    pub fn takes_one_key(self) -> bool {
        match self {
            Self::Level(_) | Self::Reason(_) => true,
            Self::Palette | Self::Filter | Self::HelpSearch | Self::Measurements | Self::KeyImages => false,
            Self::Comment | Self::Note | Self::Defer => false,
        }
    }
}

/// Reasons to defer a study that need no typing.
const DEFERRALS: [&str; 5] =
    ["second opinion", "comparison with earlier studies", "clinical question", "images missing", "to be discussed"];

/// The line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What it is for.
    pub kind: PromptKind,
    /// What was typed.
    pub editor: Editor,
    /// Which suggestion is marked.
    pub selected: usize,
    /// What the text was when the prompt opened.
    opened_with: String,
    /// Whether the warning that Esc discards the text was shown.
    pub(super) warned: bool,
}

impl Prompt {
    /// An empty line.
    #[must_use]
    pub fn new(kind: PromptKind) -> Self {
        Self::with_text(kind, "")
    }

    /// A line with text, the cursor behind it.
    #[must_use]
    pub fn with_text(kind: PromptKind, text: &str) -> Self {
        Self { kind, editor: Editor::new(text), selected: 0, opened_with: text.to_owned(), warned: false }
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        self.editor.text()
    }

    /// Whether it takes a text that a reader writes, of one or more lines.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        matches!(self.kind, PromptKind::Note | PromptKind::Defer | PromptKind::Comment)
    }

    /// Characters that closing it would discard; 0 for none.
    pub(super) fn unsaved(&self) -> usize {
        let changed = self.is_writing() && self.text().trim() != self.opened_with.trim();
        if changed { self.editor.length() } else { 0 }
    }

    /// Puts a text in the place of what was typed.
    pub(super) fn replace(&mut self, text: &str) {
        self.editor = Editor::new(text);
        self.selected = 0;
    }

    /// What stands before the line.
    #[must_use]
    pub fn sign(&self) -> String {
        match self.kind {
            PromptKind::Palette => ":".to_owned(),
            PromptKind::Filter | PromptKind::HelpSearch => "/".to_owned(),
            PromptKind::Measurements => "measurement: ".to_owned(),
            PromptKind::KeyImages => "key image: ".to_owned(),
            PromptKind::Comment => "remark: ".to_owned(),
            PromptKind::Note => "note: ".to_owned(),
            PromptKind::Defer => "defer, because: ".to_owned(),
            PromptKind::Level(LevelQuestion::Verdict(verdict)) => format!("{}: which level? ", verdict.name()),
            PromptKind::Level(LevelQuestion::Agree) => "agree: at which level? ".to_owned(),
            PromptKind::Level(LevelQuestion::Disagree) => "disagree: at which level? ".to_owned(),
            PromptKind::Reason(level) => format!("{level} not fractured, because: "),
        }
    }

    /// What is offered: a key or a name, and words.
    #[must_use]
    pub(super) fn offers(&self) -> Vec<(String, String)> {
        let numbered = |names: Vec<&str>| (1..).zip(names).map(|(n, name)| (format!("{n}"), name.to_owned())).collect();
        match self.kind {
            PromptKind::Filter => {
                let word = self.text().rsplit(' ').next().unwrap_or_default();
                let begun = |key: &str| !word.is_empty() && (key.starts_with(word) || word.starts_with(key));
                let keys = FILTER_KEYS.iter().filter(|(key, _)| begun(key));
                keys.map(|(key, words)| ((*key).to_owned(), (*words).to_owned())).collect()
            }
            // What the first three offer, the model knows: `Model::offers`.
            PromptKind::Palette
            | PromptKind::HelpSearch
            | PromptKind::Measurements
            | PromptKind::KeyImages
            | PromptKind::Comment
            | PromptKind::Note => Vec::new(),
            PromptKind::Defer => {
                let typed = self.text().to_lowercase();
                let fits = DEFERRALS.iter().filter(|reason| reason.contains(&*typed));
                fits.map(|reason| ((*reason).to_owned(), String::new())).collect()
            }
            PromptKind::Level(_) => numbered(CervicalLevel::ALL.map(CervicalLevel::name).to_vec()),
            PromptKind::Reason(_) => numbered(RejectionReason::ALL.map(RejectionReason::name).to_vec()),
        }
    }
}
