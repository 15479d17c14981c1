//! A line of text being asked for: the command palette and the filter.

use super::{Command, Screen};

/// What the line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// A command's name.
    Palette,
    /// A text that studies must contain.
    Filter,
}

/// The line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// What it is for.
    pub kind: PromptKind,
    /// What was typed.
    pub text: String,
    /// Which suggestion is marked.
    pub selected: usize,
}

/// The longest line that is taken.
const LIMIT: usize = 120;

impl Prompt {
    /// An empty line.
    #[must_use]
    pub fn new(kind: PromptKind) -> Self {
        Self { kind, text: String::new(), selected: 0 }
    }

    /// Adds text without its control characters.
    pub(super) fn push(&mut self, text: &str) {
        let room = LIMIT.saturating_sub(self.text.chars().count());
        let clean = crate::domain::CleanText::new(text);
        // A lone space is cleaned away but is text here.
        let typed = if text == " " { " " } else { clean.as_str() };
        self.text.extend(typed.chars().take(room));
        self.selected = 0;
    }

    /// Commands that fit what was typed, best first: names that begin with it, then names that contain it, then helps.
    #[must_use]
    pub fn suggestions(&self, screen: Screen) -> Vec<Command> {
        let wanted = self.text.trim().to_lowercase();
        let mut found: Vec<(u8, Command)> = Command::ALL
            .iter()
            .copied()
            .filter(|command| command.context().includes(screen))
            .filter_map(|command| {
                let rank = if command.name().starts_with(&wanted) {
                    0
                } else if command.name().contains(&wanted) {
                    1
                } else if command.help().to_lowercase().contains(&wanted) {
                    2
                } else {
                    return None;
                };
                Some((rank, command))
            })
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, command)| command).collect()
    }
}
