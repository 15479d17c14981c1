//! What the settings' keys take from one another. Nothing of it is an error: the keys are in force, and the reader is told.

use super::super::{Chord, TomlError};
use super::tables::{Binding, Tables};
use crate::app::{Command, Screen};

const SCREENS: [Screen; 2] = [Screen::Worklist, Screen::Reading];

/// Conflicts, in the order of the file.
pub(super) fn find(base: &Tables, changes: &Tables) -> Vec<TomlError> {
    let result = base.clone().changed_by(changes);
    let mut found = lost(base, changes, &result);
    found.extend(twins(changes, &result));
    found.sort_by_key(|conflict| (conflict.line, conflict.column));
    found.dedup();
    found
}

fn written(changes: &Tables) -> impl Iterator<Item = &Binding> {
    changes.everywhere.iter().chain(&changes.worklist).chain(&changes.reading)
}

/// Commands whose last key went to another command. A key that was taken away with "none" was meant to go.
fn lost(base: &Tables, changes: &Tables, result: &Tables) -> Vec<TomlError> {
    let mut found = Vec::new();
    for screen in SCREENS {
        for &command in Command::ALL.iter().filter(|command| command.context().includes(screen)) {
            if result.chords_of(screen, command).next().is_some() {
                continue;
            }
            let old: Vec<Chord> = base.chords_of(screen, command).collect();
            let taker = written(changes).find(|new| {
                new.command.is_some_and(|taken| taken.context().includes(screen)) && old.contains(&new.chord)
            });
            if let Some(taker) = taker
                && let Some(now) = taker.command
            {
                found.push(taker.place.error(format!(
                    "{:?} does {:?} now, and {:?} has no key left but :{}; give it another one",
                    taker.chord.to_string(),
                    now.name(),
                    command.name(),
                    command.name()
                )));
            }
        }
    }
    found
}

/// Keys that terminals cannot tell from one another, with different commands.
fn twins(changes: &Tables, result: &Tables) -> Vec<TomlError> {
    let mut found = Vec::new();
    for screen in SCREENS {
        for new in written(changes) {
            let Some(twin) = new.chord.twin() else { continue };
            let Some(other) = result.find(screen, twin).and_then(|binding| binding.command) else { continue };
            if result.find(screen, new.chord) == Some(new)
                && let Some(command) = new.command.filter(|command| *command != other)
            {
                found.push(new.place.error(format!(
                    "most terminals send {:?} as {:?}, which does {:?}; {:?} needs another key",
                    new.chord.to_string(),
                    twin.to_string(),
                    other.name(),
                    command.name()
                )));
            }
        }
    }
    found
}
