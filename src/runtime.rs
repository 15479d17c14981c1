//! The event loop: one select over the terminal and the workers. Runs effects and owns every thread.
//!
//! Nothing here decides anything: events become messages, [`crate::app::update`] says what follows.

mod clock;
mod configured;
mod courses;
mod demo;
mod export;
mod indexer;
mod input;
mod keeper;
mod loader;
mod log;
mod memory;
mod pictures;
mod program;
mod pseudonyms;
mod reload;
mod scan;
mod strokes;
mod timers;
mod watch;

use crate::app::{Aging, Message};
use crate::config::{Bandwidth, ConfigError, Folders, Profile};
use crate::domain::CleanText;
use crate::domain::pseudonym::{Pseudonyms, Validity};
use crate::inference::{Compute, Engine, ModelSource};
use crate::store::{Store, StoreError};
use crate::task::limits::{self, TooFewOpenFiles};
use crate::terminal::{self, GraphicsChoice, Terminal, TerminalError};
use crate::theme::ThemeError;
pub use clock::now;
use configured::Configured;
pub use indexer::kept_reports;
pub use keeper::Keeper;
pub use memory::budget as memory_budget;
use program::{Program, Start};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Where studies come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Files and folders.
    Paths(Vec<PathBuf>),
    /// The built-in synthetic studies.
    Demo,
}

/// What the program was asked for on the command line.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where studies come from.
    pub source: Source,
    /// Model package; the settings' one, or the built-in one, where `None`.
    pub model: Option<PathBuf>,
    /// How to show pictures; the settings decide where `None`.
    pub graphics: Option<GraphicsChoice>,
    /// The most that is sent to the terminal; the settings decide where `None`.
    pub bandwidth: Option<Bandwidth>,
    /// Theme; the settings decide where `None`.
    pub theme: Option<String>,
    /// Profile of keys; the settings decide where `None`.
    pub keys: Option<Profile>,
    /// Folder of the store; the settings decide where `None`.
    pub data: Option<PathBuf>,
    /// Who reads; the settings decide where `None`, else the user's name.
    pub reader: Option<String>,
    /// Whether pseudonyms stand for patients.
    pub anonymous: bool,
    /// Whether the network's word is hidden until a first verdict.
    pub blinded: bool,
    /// What runs the network; the settings decide where `None`.
    pub engine: Option<Engine>,
    /// Threads for reading and for the network; the settings decide where `None`.
    pub threads: Option<NonZeroUsize>,
}

/// Why the program could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The settings have a mistake.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The theme cannot be used.
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// Too few open files are allowed.
    #[error(transparent)]
    OpenFiles(#[from] TooFewOpenFiles),
    /// The terminal cannot be used.
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    /// The store was made by a newer version or another program.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Settings name a way of showing pictures that does not exist.
    #[error(transparent)]
    Graphics(#[from] terminal::UnknownGraphics),
}

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The reader left.
    Quit,
    /// The terminal is gone, or someone asked the program to end.
    Signal,
}

/// Runs the program until the reader leaves.
///
/// # Errors
/// Settings, theme or terminal that cannot be used; all are told before the screen is taken over, or after it is given back.
pub fn run(options: Options) -> Result<Ending, RuntimeError> {
    limits::check_open_files()?;
    let configured = Configured::read(Folders::find(), &options)?;
    let settings = &configured.settings;
    // Whatever is written from here on is its owner's alone: files 0600, folders 0700.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    if let Some(file) = log::start(configured.folders.log.as_deref(), settings.log.level) {
        terminal::keep_errors_in(file);
    }
    let theme = configured.theme()?;
    let choice = match options.graphics {
        Some(choice) => choice,
        None => settings.graphics.parse()?,
    };
    let model = options.model.clone().or(settings.model.clone());
    let model_source = model.map_or(ModelSource::Embedded, ModelSource::Folder);
    let data = options.data.clone().or(settings.data.clone()).or(configured.folders.data.clone());
    let opened = data.as_deref().ok_or(StoreError::NoHome).and_then(Store::open);
    // Pictures can be read without a store; one that is there and must not be touched is another matter.
    let mut opened = match opened {
        Err(error @ (StoreError::Newer { .. } | StoreError::Foreign(_))) => return Err(error.into()),
        opened => opened,
    };
    let anonymous = options.anonymous || settings.anonymous;
    let pseudonyms = if anonymous { Some(pseudonyms::of(&mut opened)?) } else { None };
    let reader = options.reader.as_deref().or(settings.reader.as_deref());
    let reader = reader.map_or_else(clock::user_name, CleanText::new);
    let (terminal, events) = Terminal::open(choice, settings.mouse)?;
    let blinded = options.blinded || settings.reading.blinded;
    let aging = Aging { points_per_hour: settings.worklist.aging };
    let compute = Compute { background: true, ..settings.compute.or(options.engine, options.threads) };
    compute.hold_threads();
    let start = Start { source: options.source, model_source, compute, configured, theme, data: data.clone() };
    let mut program = Program::new(terminal, start, |sender| {
        Keeper::start(data, opened, reader.clone(), move |message| drop(sender.send(message)))
    });
    program.model.reader = reader;
    program.model.anonymous = pseudonyms;
    if program.model.anonymous.is_some() {
        // Folders are often named after patients.
        program.model.source = "anonymous".to_owned();
        if let Some(Validity::Session) = program.model.anonymous.as_ref().map(Pseudonyms::validity) {
            program.take(Message::Trouble(pseudonyms::SESSION_ONLY.into()));
        }
    }
    program.model.blinded = blinded;
    program.model.set_aging(aging);
    Ok(program.run(&events))
}
