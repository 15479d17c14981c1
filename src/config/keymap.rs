//! Which key does what: one table from which the keys themselves, the help screen, hints and the README are made.

use super::document::{Located, suggestion};
use super::{Chord, Settings, Table, TomlError};
use crate::app::{Command, Context, Screen};
use crossterm::event::KeyEvent;
use std::fmt::Write as _;

const DEFAULT: &str = include_str!("default.toml");
/// What takes a key away.
const NONE: &str = "none";

/// A key and what it does; `None` takes the key away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Binding {
    chord: Chord,
    command: Option<Command>,
}

/// The settings' `[keys.*]` tables: changes to the built-in keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyOverrides(Tables);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Tables {
    everywhere: Vec<Binding>,
    worklist: Vec<Binding>,
    reading: Vec<Binding>,
}

impl Tables {
    /// Reads `[keys]` with its three tables, in which some keys are not free.
    fn read(mut keys: Table<'_>, reserved: &[Chord]) -> Result<Self, TomlError> {
        let tables = Self {
            everywhere: bindings(keys.table("everywhere")?, Context::Everywhere, reserved)?,
            worklist: bindings(keys.table("worklist")?, Context::Only(Screen::Worklist), reserved)?,
            reading: bindings(keys.table("reading")?, Context::Only(Screen::Reading), reserved)?,
        };
        keys.finish()?;
        Ok(tables)
    }

    fn of(&self, screen: Screen) -> &[Binding] {
        match screen {
            Screen::Worklist => &self.worklist,
            Screen::Reading => &self.reading,
        }
    }
}

fn bindings(table: Table<'_>, context: Context, reserved: &[Chord]) -> Result<Vec<Binding>, TomlError> {
    let mut bindings: Vec<Binding> = Vec::new();
    for (key, name) in table.remaining_texts()? {
        let chord: Chord = key.value.parse().map_err(|problem: String| key.error(problem))?;
        if reserved.contains(&chord) {
            return Err(key.error(format!("{:?} always leaves the program; choose another key", key.value)));
        }
        if bindings.iter().any(|binding| binding.chord == chord) {
            return Err(key.error(format!("{:?} is the same key as one above; keep one of them", key.value)));
        }
        let command = if name.value == NONE { None } else { Some(command_for(&name, context)?) };
        bindings.push(Binding { chord, command });
    }
    Ok(bindings)
}

fn command_for(name: &Located<'_, String>, context: Context) -> Result<Command, TomlError> {
    let usable = |command: &Command| match context {
        Context::Everywhere => command.context() == Context::Everywhere,
        Context::Only(screen) => command.context().includes(screen),
    };
    match Command::from_name(&name.value) {
        Some(command) if usable(&command) => Ok(command),
        Some(command) => {
            let home = match command.context() {
                Context::Everywhere => "everywhere",
                Context::Only(screen) => table_name(screen),
            };
            Err(name.error(format!("{:?} cannot be used here; set it in [keys.{home}]", name.value)))
        }
        None => {
            let names: Vec<_> = Command::ALL.iter().filter(|c| usable(c)).map(|c| c.name()).chain([NONE]).collect();
            Err(name.error(format!("{:?} is not a command{}", name.value, suggestion(&name.value, &names))))
        }
    }
}

fn table_name(screen: Screen) -> &'static str {
    match screen {
        Screen::Worklist => "worklist",
        Screen::Reading => "reading",
    }
}

impl KeyOverrides {
    /// Reads the settings' `[keys]`.
    ///
    /// # Errors
    /// Something that is no key or no command, a command in the wrong table, a key twice, or a change to `ctrl-c`: a way
    /// out must remain.
    pub(crate) fn read(keys: Table<'_>) -> Result<Self, TomlError> {
        Tables::read(keys, &[Chord::QUIT]).map(Self)
    }
}

/// The keys in force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keymap(Tables);

impl Keymap {
    /// The built-in keys.
    #[must_use]
    pub fn builtin() -> Self {
        Self::parse("default.toml", DEFAULT).unwrap_or_default()
    }

    fn parse(file: &str, text: &str) -> Result<Self, TomlError> {
        let mut root = Table::parse(file, text)?;
        let tables = Tables::read(root.table("keys")?, &[])?;
        root.finish()?;
        Ok(Self(tables))
    }

    /// The keys with the settings' changes. A key that is set everywhere loses what it did on single screens, unless a screen's table
    /// sets it too; a command's new keys come before its old ones.
    #[must_use]
    pub fn with_overrides(mut self, settings: &Settings) -> Self {
        let Tables { everywhere, worklist, reading } = &settings.keys.0;
        let tables = &mut self.0;
        for table in [&mut tables.everywhere, &mut tables.worklist, &mut tables.reading] {
            table.retain(|binding| everywhere.iter().all(|new| new.chord != binding.chord));
        }
        for (table, new) in
            [(&mut tables.everywhere, everywhere), (&mut tables.worklist, worklist), (&mut tables.reading, reading)]
        {
            table.retain(|binding| new.iter().all(|new| new.chord != binding.chord));
            table.splice(0..0, new.iter().copied());
        }
        self
    }

    /// What a key does on a screen; `None` for releases and keys without a command.
    #[must_use]
    pub fn command(&self, screen: Screen, key: &KeyEvent) -> Option<Command> {
        let chord = Chord::of(key)?;
        let find = |table: &[Binding]| table.iter().find(|binding| binding.chord == chord).copied();
        find(self.0.of(screen)).or_else(|| find(&self.0.everywhere))?.command
    }

    /// The keys of a command on a screen, as settings write them; the one to show first comes first.
    #[must_use]
    pub fn keys_of(&self, screen: Screen, command: Command) -> Vec<String> {
        self.chords_of(screen, command).map(|chord| chord.to_string()).collect()
    }

    /// A command's first key, short: `⏎`, `␣`, `↓`. `None` where only the palette reaches it.
    #[must_use]
    pub fn hint(&self, screen: Screen, command: Command) -> Option<String> {
        self.chords_of(screen, command).next().map(|chord| chord.short())
    }

    fn chords_of(&self, screen: Screen, command: Command) -> impl Iterator<Item = Chord> {
        let here = self.0.of(screen);
        let unshadowed = move |binding: &&Binding| here.iter().all(|local| local.chord != binding.chord);
        here.iter()
            .chain(self.0.everywhere.iter().filter(unshadowed))
            .filter(move |binding| binding.command == Some(command))
            .map(|binding| binding.chord)
    }

    /// The help of a screen: the keys of every command that can be used there, in the order of [`Command::ALL`]. A command
    /// without a key shows how the palette reaches it: `:window-brain`.
    #[must_use]
    pub fn help(&self, screen: Screen) -> Vec<(String, Command)> {
        let usable = Command::ALL.iter().copied().filter(|command| command.context().includes(screen));
        usable.map(|command| (keys_or_name(&self.keys_of(screen, command), command), command)).collect()
    }

    /// The README's key tables: one for each screen, as Markdown.
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

fn keys_or_name(keys: &[String], command: Command) -> String {
    if keys.is_empty() { format!(":{}", command.name()) } else { keys.join(" ") }
}

/// Inline code in a table's cell.
fn code(text: &str) -> String {
    let fence = if text.contains('`') { "`` " } else { "`" };
    let close: String = fence.chars().rev().collect();
    format!("{fence}{}{close}", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_keys_are_whole() {
        Keymap::parse("default.toml", DEFAULT).expect("the embedded keys");
    }
}
