//! The event loop over the terminal and the workers.

mod effects;

use super::clock::now;
use super::configured::{Configured, Themes};
use super::indexer::{self, Indexer};
use super::input::{self, Drawn};
use super::keeper::Keeper;
use super::loader::Loader;
use super::pictures::{self, Pictures};
use super::reload::Watch;
use super::timers::Timers;
use super::{Ending, Source, demo, memory, scan, strokes};
use crate::app::{GRAPHICS_UNKNOWN, Message, Model, update};
use crate::dicom::VolumeCache;
use crate::domain::{CleanText, SensitiveText};
use crate::inference::{Compute, ModelSource, Worker, WorkerEvent};
use crate::task::Cancel;
use crate::task::limits;
use crate::terminal::{AlertManner, Event, Notification, Refusal, Terminal};
use crate::theme::Theme;
use crate::ui::{self, Layout, Look};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the clock is looked at.
const CLOCK: Duration = Duration::from_secs(10);

/// What the program starts with.
pub(super) struct Start {
    pub(super) source: Source,
    pub(super) model_source: ModelSource,
    pub(super) compute: Compute,
    pub(super) configured: Configured,
    pub(super) theme: Theme,
    pub(super) data: Option<PathBuf>,
}

/// Everything that runs: the state, what draws it, and the threads that work for it.
pub(super) struct Program {
    terminal: Terminal,
    pub(super) model: Model,
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
    /// Starts the threads; `keeper` starts the one that records decisions.
    pub(super) fn new(terminal: Terminal, start: Start, keeper: impl FnOnce(Sender<Message>) -> Keeper) -> Self {
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
        let mut model = Model::new(name, terminal.size(), GRAPHICS_UNKNOWN);
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
        let thumbnails = indexer::kept_thumbnails(data.map(Path::to_owned));
        let pictures = Pictures::start(capabilities.protocol, themes.colourless(), thumbnails);
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

    /// Runs until the reader leaves, or the terminal is gone.
    pub(super) fn run(mut self, events: &Receiver<Event>) -> Ending {
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
                        let missing = self.pictures.take(rendered, &self.terminal);
                        missing.into_iter().for_each(|key| self.take(Message::NoThumbnail(key)));
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
                if refusal == Refusal::NoAnswer {
                    // Another terminal may be there, attached while this one looked away.
                    self.terminal.ask_again();
                }
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

    /// Takes a message in and carries out what follows from it.
    pub(super) fn take(&mut self, message: Message) {
        // It only sets the time.
        update(&mut self.model, Message::Elapsed(self.started.elapsed()));
        for effect in update(&mut self.model, message) {
            self.carry_out(effect);
        }
    }
}
