//! The event loop: one select over the terminal and the workers. Runs effects and owns every thread.
//!
//! Nothing here decides anything: events become messages, [`crate::app::update`] says what follows.

mod clock;
mod configured;
mod demo;
mod export;
mod indexer;
mod input;
mod keeper;
mod loader;
mod log;
mod memory;
mod pictures;
mod pseudonyms;
mod reload;
mod scan;
mod strokes;
mod timers;
mod watch;

use crate::app::{Ageing, Effect, Message, Model, update};
use crate::config::{Bandwidth, ConfigError, Folders, Profile};
use crate::dicom::VolumeCache;
use crate::domain::pseudonym::{Pseudonyms, Validity};
use crate::domain::{CleanText, SensitiveText};
use crate::inference::{Compute, Engine, ModelSource, Worker, WorkerEvent};
use crate::store::{Store, StoreError};
use crate::task::Cancel;
use crate::task::limits::{self, TooFewOpenFiles};
use crate::terminal::{self, AlertManner, Event, GraphicsChoice, Notification, Terminal, TerminalError};
use crate::theme::{Theme, ThemeError};
use crate::ui::{self, Layout, Look};
pub use clock::now;
use configured::{Configured, Themes};
use crossbeam_channel::{Receiver, Sender, unbounded};
use indexer::Indexer;
pub use indexer::kept_reports;
use input::Drawn;
pub use keeper::Keeper;
use loader::Loader;
pub use memory::budget as memory_budget;
use pictures::Pictures;
use reload::Watch;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use timers::Timers;

/// How often the clock is looked at.
const CLOCK: Duration = Duration::from_secs(10);

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
    let ageing = Ageing { points_per_hour: settings.worklist.ageing };
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
    program.model.set_ageing(ageing);
    Ok(program.run(&events))
}

/// What the program starts with.
struct Start {
    source: Source,
    model_source: ModelSource,
    compute: Compute,
    configured: Configured,
    theme: Theme,
    data: Option<PathBuf>,
}

struct Program {
    terminal: Terminal,
    model: Model,
    configured: Configured,
    watch: Watch,
    timers: Timers,
    themes: Themes,
    layout: Layout,
    pictures: Pictures,
    loader: Loader,
    keeper: Keeper,
    indexer: Arc<Indexer>,
    worker: Option<Worker>,
    scan: Option<(Cancel, JoinHandle<()>)>,
    messages: Receiver<Message>,
    sender: Sender<Message>,
    alert: AlertManner,
    /// The note about the terminal that was last shown.
    noted: Option<String>,
    started: Instant,
    ending: Option<Ending>,
}

impl Program {
    fn new(terminal: Terminal, start: Start, keeper: impl FnOnce(Sender<Message>) -> Keeper) -> Self {
        let Start { source, model_source, compute, configured, theme, data } = start;
        let (settings, folders) = (&configured.settings, &configured.folders);
        let (sender, messages) = unbounded();
        let volumes = Arc::new(VolumeCache::new(memory::budget(settings.cache.memory)));
        let capabilities = terminal.capabilities();
        let name = match &source {
            Source::Demo => "built-in demo, synthetic".to_owned(),
            Source::Paths(paths) => {
                let names: Vec<String> =
                    paths.iter().map(|path| CleanText::new(&path.to_string_lossy()).to_string()).collect();
                names.join(" ")
            }
        };
        // How pictures are shown is not known yet.
        let mut model = Model::new(name, terminal.size(), "…");
        model.quality = settings.picture.quality;
        terminal.tune(model.quality, configured.bandwidth());
        model.preferences = configured.preferences();
        let themes = Themes::new(theme, folders.themes().as_deref(), capabilities.truecolor);
        model.theme = themes.shown().name().to_owned();
        let reports = indexer::kept_reports(data.as_deref());
        let worker = Worker::start_with(model_source, compute, folders.cache.clone(), Arc::clone(&volumes), reports, {
            let sender = sender.clone();
            move |event: WorkerEvent| {
                // Nobody listens any more once the program ends.
                let _ = sender.send(Message::Worker(event));
            }
        });
        let data = data.as_deref();
        let roots = match &source {
            Source::Paths(paths) => paths.iter().map(|path| indexer::whole_path(path)).collect(),
            Source::Demo => folders.cache.iter().map(|cache| demo::folder(cache)).collect(),
        };
        let indexer = Arc::new(Indexer::start(data.map(Path::to_owned), roots, {
            let sender = sender.clone();
            move |message| drop(sender.send(message))
        }));
        let known = indexer::known_files(data);
        let scan = scan::start(source, folders.cache.clone(), known, Arc::clone(&indexer), sender.clone());
        let scan = scan
            .map_err(|error| {
                // The list would wait for ever.
                let problem = SensitiveText::plain(format!("no study can be looked for: {}", limits::words(&error)));
                drop(sender.send(Message::ScanFailed(problem)));
            })
            .ok();
        let pictures = Pictures::start(capabilities.protocol, themes.colourless());
        let watch = Watch::start(folders);
        let alert = AlertManner {
            bell: settings.alert.bell,
            title: settings.alert.title,
            notification: Notification::named(&settings.alert.notification).unwrap_or_default(),
        };
        Self {
            terminal,
            model,
            configured,
            watch,
            timers: Timers::default(),
            themes,
            layout: Layout::default(),
            pictures,
            keeper: keeper(sender.clone()),
            indexer,
            loader: Loader::start(volumes, sender.clone()),
            worker: Some(worker),
            scan,
            messages,
            sender,
            alert,
            noted: None,
            started: Instant::now(),
            ending: None,
        }
    }

    fn run(mut self, events: &Receiver<Event>) -> Ending {
        if let Some(conflicts) = self.configured.conflicts() {
            self.take(conflicts);
        }
        let ready = self.pictures.ready();
        let changed = self.watch.changed();
        let ticks = crossbeam_channel::tick(CLOCK);
        self.take(Message::Clock(now()));
        loop {
            self.draw();
            crossbeam_channel::select! {
                recv(events) -> event => match event {
                    Ok(event) => self.event(event),
                    Err(_) => self.ending = Some(Ending::Signal),
                },
                recv(self.messages) -> message => {
                    if let Ok(message) = message {
                        self.take(message);
                    }
                },
                recv(ticks) -> _ => self.take(Message::Clock(now())),
                recv(self.timers.cine) -> _ => self.take(Message::CineTick),
                recv(self.timers.wake) -> _ => {
                    let woken = self.timers.woken();
                    self.take(woken);
                }
                recv(changed) -> told => {
                    if told.is_ok() {
                        self.reload();
                    }
                }
                recv(ready) -> rendered => {
                    if let Ok(rendered) = rendered {
                        self.pictures.take(rendered, &self.terminal);
                    }
                },
            }
            // What else is there already is taken in before the screen is drawn once.
            while let Ok(event) = events.try_recv() {
                self.event(event);
            }
            while let Ok(message) = self.messages.try_recv() {
                self.take(message);
            }
            if let Some(ending) = self.ending {
                self.take(Message::Leaving);
                self.close();
                return ending;
            }
        }
    }

    fn close(self) {
        let Self { terminal, worker, scan, loader, keeper, indexer, .. } = self;
        // The terminal first: what the threads still do must not be waited for with a dead screen.
        terminal.close();
        keeper.stop();
        if let Some((cancel, _)) = &scan {
            cancel.cancel();
        }
        loader.close();
        if let Some(worker) = worker {
            worker.stop();
        }
        if let Some((_, thread)) = scan {
            // A scan that panicked has nothing more to say.
            let _ = thread.join();
        }
        if let Some(indexer) = Arc::into_inner(indexer) {
            indexer.stop();
        }
    }

    fn draw(&mut self) {
        let cell = pictures::cell_pixels(self.terminal.capabilities());
        if cell != self.model.cell {
            self.take(Message::Cells(cell));
        }
        self.take(Message::Drawn);
        let (model, pictures) = (&self.model, &self.pictures);
        let look = Look { theme: self.themes.shown(), keymap: &self.configured.keymap };
        let mut layout = Layout::default();
        let drawn = self.terminal.draw(|frame| {
            layout = ui::draw(frame, model, look);
            pictures.paint(&layout, frame.buffer_mut());
        });
        if let Err(error) = drawn {
            tracing::error!("{error}");
            self.ending = Some(Ending::Signal);
        }
        self.layout = layout;
        // What is drawn as text needs no answer from the terminal.
        if !self.layout.panes.is_empty() && !self.terminal.capabilities().protocol.delivers_pixels() {
            self.take(Message::ImagesShown);
        }
        let changed = self.pictures.want(&self.model, &self.layout, &self.terminal);
        let other: Vec<u8> = changed.into_iter().filter(|slot| self.model.refused.contains_key(slot)).collect();
        if !other.is_empty() {
            for slot in other {
                self.take(Message::PictureWanted(slot));
            }
            // Without the words in its place, the image may be shown.
            self.draw();
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Probed => {
                self.terminal.settle();
                let capabilities = self.terminal.capabilities();
                self.pictures.speak(capabilities.protocol, capabilities.glyphs);
                self.themes.set_truecolor(capabilities.truecolor);
                let name = capabilities.name.as_deref().map_or(String::new(), |name| CleanText::new(name).to_string());
                // Each note is shown once, however often the terminal is asked.
                let now = capabilities.notes.first().cloned();
                let note = if now == self.noted { None } else { now.clone() };
                let withdrawn = self.noted.take_if(|before| now.as_ref() != Some(&*before));
                self.noted = note.clone().or(self.noted.take());
                let graphics = capabilities.protocol.name();
                self.take(Message::Terminal { graphics, name, note, withdrawn });
            }
            Event::Resized => {
                self.terminal.ask_after_resize();
                let (columns, rows) = self.terminal.size();
                self.take(Message::Resized(columns, rows));
            }
            Event::Resumed => {
                let (columns, rows) = self.terminal.size();
                self.take(Message::Resized(columns, rows));
                self.terminal.redraw();
                self.terminal.ask_again();
            }
            Event::Hangup | Event::Terminate => self.ending = Some(Ending::Signal),
            Event::PictureShown { round_trip, bytes, .. } => {
                self.take(Message::PictureShown { round_trip, bytes });
                self.take(Message::ImagesShown);
            }
            Event::PictureRefused { slot, refusal } => {
                self.take(Message::PictureRefused { slot, reason: refusal.to_string() });
            }
            // Whoever comes back may come with another terminal.
            Event::Focus(true) => self.terminal.ask_again(),
            Event::Focus(false) => {}
            Event::Line(state) => self.take(Message::Line(state)),
            Event::WriterFailed(problem) => {
                tracing::error!("the terminal cannot be written: {problem}");
                self.ending = Some(Ending::Signal);
            }
            Event::Key(stroke) => {
                // What the second key means is known once the first is done.
                for stroke in strokes::apart(stroke, &self.model, &self.configured.keymap) {
                    self.input(&Event::Key(stroke));
                }
            }
            Event::Mouse(_) | Event::Paste(_) => self.input(&event),
        }
    }

    /// Takes in settings and themes that have changed.
    fn reload(&mut self) {
        let picture = self.configured.settings.picture;
        for message in self.configured.reload(&mut self.themes) {
            self.take(message);
        }
        let quality = self.configured.settings.picture.quality;
        if quality != picture.quality {
            self.model.quality = quality;
        }
        self.terminal.tune(self.model.quality, self.configured.bandwidth());
        self.model.preferences = self.configured.preferences();
        self.model.theme = self.themes.shown().name().to_owned();
    }

    fn input(&mut self, event: &Event) {
        let drawn = Drawn { model: &self.model, layout: &self.layout };
        for message in input::messages(event, drawn, &self.configured.keymap) {
            self.take(message);
        }
    }

    fn take(&mut self, message: Message) {
        // It only sets the time.
        update(&mut self.model, Message::Elapsed(self.started.elapsed()));
        for effect in update(&mut self.model, message) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Queue(jobs) => {
                if let Some(worker) = &self.worker {
                    worker.set_queue(jobs);
                }
            }
            Effect::Load(study, series, first) => self.loader.load(study, series, first),
            Effect::LoadBeside(study, series) => self.loader.load_beside(study, series),
            Effect::Prefetch(study, series) => self.loader.prefetch(study, series),
            Effect::Record(record) => self.keeper.record(record),
            Effect::Claim(study) => self.keeper.claim(study),
            Effect::List(listed, folder) => self.indexer.study(listed, folder),
            Effect::Unlist(study) => self.indexer.gone(study),
            Effect::Find(study) => self.indexer.find(study),
            Effect::Alert(text) => self.terminal.alert(self.alert, &text),
            Effect::Export { folder, volume, pictures, elsewhere } => {
                export::start((folder, elsewhere), volume, pictures, self.sender.clone());
            }
            Effect::Wake(serial, delay) => self.timers.wake(serial, delay),
            Effect::Cine(period) => self.timers.cine(period),
            Effect::Quality(quality) => self.terminal.tune(quality, self.configured.bandwidth()),
            Effect::NextTheme => {
                let name = self.themes.next();
                self.take(Message::ThemeChanged(name));
            }
            Effect::Suspend => {
                if let Err(error) = self.terminal.suspend() {
                    self.take(Message::Trouble(SensitiveText::foreign(&error.to_string())));
                }
            }
            Effect::Redraw => self.terminal.ask_and_redraw(),
            Effect::Quit => self.ending = Some(Ending::Quit),
        }
    }
}
