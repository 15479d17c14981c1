//! Which key does what: one table from which the keys themselves, the help screen, hints and `cspine help keys` are made.

mod conflict;
mod profile;
mod tables;

pub use profile::Profile;

use super::{Chord, Settings, Table, TomlError};
use crate::app::{Command, Screen};
use crossterm::event::KeyEvent;
use std::fmt::Write as _;
use tables::Tables;

/// The settings' `[keys]`: the profile, and changes to its keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyOverrides {
    profile: Profile,
    tables: Tables,
}

impl KeyOverrides {
    /// Reads the settings' `[keys]`.
    ///
    /// # Errors
    /// A profile that there is not, something that is no key or no command, a command in the wrong table, a key twice, or a change
    /// to `ctrl-c`: a way out must remain.
    pub(crate) fn read(mut keys: Table<'_>) -> Result<Self, TomlError> {
        let mut overrides = Self::default();
        if let Some(name) = keys.text("profile")? {
            let known = name.one_of(&Profile::ALL.map(Profile::name))?;
            overrides.profile = Profile::from_name(known).unwrap_or_default();
        }
        overrides.tables = Tables::read(&mut keys, &[Chord::QUIT])?;
        keys.finish()?;
        Ok(overrides)
    }

    /// The profile that the settings name.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }
}

/// The keys in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keymap {
    profile: Profile,
    tables: Tables,
}

impl Keymap {
    /// This program's own keys.
    #[must_use]
    pub fn builtin() -> Self {
        Self::of(Profile::Cspine)
    }

    /// The keys of a profile.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        Self { profile, tables: profile.tables() }
    }

    /// The keys that settings ask for, in another profile than theirs where one is named.
    #[must_use]
    pub fn for_settings(settings: &Settings, profile: Option<Profile>) -> Self {
        Self::of(profile.unwrap_or(settings.keys.profile)).with_overrides(settings)
    }

    /// The keys with the settings' changes. A key that is set everywhere loses what it did on single screens, unless a screen's table
    /// sets it too; a command's new keys come before its old ones.
    #[must_use]
    pub fn with_overrides(self, settings: &Settings) -> Self {
        Self { tables: self.tables.changed_by(&settings.keys.tables), ..self }
    }

    /// What the settings' changes to this keymap leave without a key or bind twice, each with its place.
    #[must_use]
    pub fn conflicts(&self, settings: &Settings) -> Vec<TomlError> {
        conflict::find(&self.tables, &settings.keys.tables)
    }

    /// The profile that they started from.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// What a key does on a screen; `None` for releases and keys without a command.
    #[must_use]
    pub fn command(&self, screen: Screen, key: &KeyEvent) -> Option<Command> {
        self.tables.find(screen, Chord::of(key)?)?.command
    }

    /// The digit that a key is, where digits count.
    #[must_use]
    pub fn digit(&self, key: &KeyEvent) -> Option<u32> {
        Chord::of(key).filter(|_| self.profile.counts())?.digit()
    }

    /// The keys of a command on a screen, as settings write them; the one to show first comes first.
    #[must_use]
    pub fn keys_of(&self, screen: Screen, command: Command) -> Vec<String> {
        self.tables.chords_of(screen, command).map(|chord| chord.to_string()).collect()
    }

    /// A command's first key, short: `⏎`, `␣`, `↓`. `None` where only the palette reaches it.
    #[must_use]
    pub fn hint(&self, screen: Screen, command: Command) -> Option<String> {
        self.tables.chords_of(screen, command).next().map(|chord| chord.short())
    }

    /// The help of a screen: the keys of every command that can be used there, in the order of [`Command::ALL`]. A command
    /// without a key shows how the palette reaches it: `:window-brain`.
    #[must_use]
    pub fn help(&self, screen: Screen) -> Vec<(String, Command)> {
        let usable = Command::ALL.iter().copied().filter(|command| command.context().includes(screen));
        usable.map(|command| (self.keys_or_name(screen, command), command)).collect()
    }

    /// A command's keys, or how the palette reaches it: `:window-brain`.
    #[must_use]
    pub fn keys_or_name(&self, screen: Screen, command: Command) -> String {
        let keys = self.keys_of(screen, command);
        if keys.is_empty() { format!(":{}", command.name()) } else { keys.join(" ") }
    }

    /// The key tables: one for each screen, as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for (title, screen) in [("Worklist", Screen::Worklist), ("Reading", Screen::Reading)] {
            let _ = write!(text, "**{title}**\n\n| Keys | Command | What it does |\n|---|---|---|\n");
            for &command in Command::ALL.iter().filter(|command| command.context().includes(screen)) {
                let keys: Vec<_> = self.keys_of(screen, command).iter().map(|key| code(key)).collect();
                let keys = if keys.is_empty() { code(&format!(":{}", command.name())) } else { keys.join(" ") };
                let _ = writeln!(text, "| {keys} | {} | {} |", code(command.name()), command.help());
            }
            text.push('\n');
        }
        text.truncate(text.trim_end().len() + 1);
        text
    }
}

/// Inline code in a table's cell.
fn code(text: &str) -> String {
    let fence = if text.contains('`') { "`` " } else { "`" };
    let close: String = fence.chars().rev().collect();
    format!("{fence}{}{close}", text.replace('|', "\\|"))
}
