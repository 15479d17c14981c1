//! The three tables of keys as they are written, with the place of each.

use super::super::document::{Located, suggestion};
use super::super::{Chord, Table, TomlError};
use crate::app::{Command, Context, Screen};

/// What takes a key away.
const NONE: &str = "none";

/// A key and what it does; `None` takes the key away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) chord: Chord,
    pub(super) command: Option<Command>,
    /// Where it is written.
    pub(super) place: Place,
}

/// Where a key is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    /// An error there.
    pub(super) fn error(&self, problem: String) -> TomlError {
        TomlError { file: self.file.clone(), line: self.line, column: self.column, problem }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tables {
    pub(super) everywhere: Vec<Binding>,
    pub(super) worklist: Vec<Binding>,
    pub(super) reading: Vec<Binding>,
}

impl Tables {
    /// Takes the three tables out of `[keys]`; some keys are not free.
    pub(super) fn read(keys: &mut Table<'_>, reserved: &[Chord]) -> Result<Self, TomlError> {
        Ok(Self {
            everywhere: bindings(keys.table("everywhere")?, Context::Everywhere, reserved)?,
            worklist: bindings(keys.table("worklist")?, Context::Only(Screen::Worklist), reserved)?,
            reading: bindings(keys.table("reading")?, Context::Only(Screen::Reading), reserved)?,
        })
    }

    /// The tables of a whole file.
    pub(super) fn parse(file: &str, text: &str) -> Result<Self, TomlError> {
        let mut root = Table::parse(file, text)?;
        let mut keys = root.table("keys")?;
        let tables = Self::read(&mut keys, &[])?;
        keys.finish()?;
        root.finish()?;
        Ok(tables)
    }

    pub(super) fn of(&self, screen: Screen) -> &[Binding] {
        match screen {
            Screen::Worklist => &self.worklist,
            Screen::Reading => &self.reading,
        }
    }

    /// What a key is bound to on a screen.
    pub(super) fn find(&self, screen: Screen, chord: Chord) -> Option<&Binding> {
        let find = |table: &'_ [Binding]| table.iter().position(|binding| binding.chord == chord);
        match find(self.of(screen)) {
            Some(at) => self.of(screen).get(at),
            None => find(&self.everywhere).and_then(|at| self.everywhere.get(at)),
        }
    }

    /// The chords of a command on a screen; the one to show first comes first.
    pub(super) fn chords_of(&self, screen: Screen, command: Command) -> impl Iterator<Item = Chord> + Clone {
        let here = self.of(screen);
        let unshadowed = move |binding: &&Binding| here.iter().all(|local| local.chord != binding.chord);
        here.iter()
            .chain(self.everywhere.iter().filter(unshadowed))
            .filter(move |binding| binding.command == Some(command))
            .map(|binding| binding.chord)
    }

    /// These keys with changes. A key that is set everywhere loses what it did on single screens, unless a screen's table sets it
    /// too; a command's new keys come before its old ones.
    pub(super) fn changed_by(mut self, changes: &Self) -> Self {
        for table in [&mut self.everywhere, &mut self.worklist, &mut self.reading] {
            table.retain(|binding| changes.everywhere.iter().all(|new| new.chord != binding.chord));
        }
        for (table, new) in [
            (&mut self.everywhere, &changes.everywhere),
            (&mut self.worklist, &changes.worklist),
            (&mut self.reading, &changes.reading),
        ] {
            table.retain(|binding| new.iter().all(|new| new.chord != binding.chord));
            table.splice(0..0, new.iter().cloned());
        }
        self
    }

    /// Gives every command that `base` has a key for and these have none Alt and its old key, or Ctrl, Alt and that.
    pub(super) fn rescued(mut self, base: &Self) -> Self {
        for screen in [Screen::Worklist, Screen::Reading] {
            for &command in Command::ALL.iter().filter(|command| command.context().includes(screen)) {
                if self.chords_of(screen, command).next().is_some() {
                    continue;
                }
                let alt = base.chords_of(screen, command).map(Chord::with_alt);
                let mut free = alt.clone().chain(alt.map(Chord::with_alt));
                let Some(chord) = free.find(|chord| self.find(screen, *chord).is_none()) else { continue };
                let binding = Binding { chord, command: Some(command), place: Place::default() };
                match screen {
                    Screen::Worklist => self.worklist.push(binding),
                    Screen::Reading => self.reading.push(binding),
                }
            }
        }
        self
    }
}

fn bindings(table: Table<'_>, context: Context, reserved: &[Chord]) -> Result<Vec<Binding>, TomlError> {
    let mut bindings: Vec<Binding> = Vec::new();
    for (key, name) in table.remaining_texts()? {
        let chord: Chord = key.value.parse().map_err(|problem: String| key.error(problem))?;
        if reserved.contains(&chord) {
            return Err(key.error(format!("{:?} always leaves the program; choose another key", key.value)));
        }
        if let Some(first) = bindings.iter().find(|binding| binding.chord == chord) {
            let line = first.place.line;
            return Err(key.error(format!("{:?} is the same key as one above, in line {line}; keep one", key.value)));
        }
        let command = if name.value == NONE { None } else { Some(command_for(&name, context)?) };
        let TomlError { file, line, column, .. } = key.error(String::new());
        bindings.push(Binding { chord, command, place: Place { file, line, column } });
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
