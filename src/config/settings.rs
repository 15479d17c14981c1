//! The settings file.

use super::document::Located;
use super::{ConfigError, KeyOverrides, PictureSettings, Table, TomlError};
use crate::app::Framing;
use crate::domain::WindowPreset;
use crate::inference::{Compute, Engine};
use crate::raster::Plane;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use tracing::level_filters::LevelFilter;

/// What the user can set. Everything has a default; an empty file and a missing one mean the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Name of the theme, built in or in the user's folder; looked up by [`crate::theme::Theme::load`].
    pub theme: String,
    /// How pictures reach the terminal: one of [`Settings::GRAPHICS`].
    pub graphics: String,
    /// Folder of the model package; the embedded one where none is named.
    pub model: Option<PathBuf>,
    /// Folder of the store; the system's data folder where none is named.
    pub data: Option<PathBuf>,
    /// Name that decisions are kept under; the user's where none is given.
    pub reader: Option<String>,
    /// Whether pseudonyms stand for patients on the screen.
    pub anonymous: bool,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// How a study is first shown.
    pub reading: ReadingSettings,
    /// The list.
    pub worklist: WorklistSettings,
    /// How pictures go over the line.
    pub picture: PictureSettings,
    /// What happens when something urgent arrives.
    pub alert: AlertSettings,
    /// What the network runs on.
    pub compute: ComputeSettings,
    /// What is kept in memory.
    pub cache: CacheSettings,
    /// The log.
    pub log: LogSettings,
    /// Changes to the built-in keys.
    pub keys: KeyOverrides,
}

/// How a study is first shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingSettings {
    /// The window: the name of one of [`WindowPreset::builtin`].
    pub window: String,
    /// The plane.
    pub plane: Plane,
    /// How much of the planes is in view.
    pub framing: Framing,
    /// Whether the hot spot is marked.
    pub marks: bool,
    /// Whether the network's word is hidden until a first verdict.
    pub blinded: bool,
}

/// The list.
#[derive(Debug, Clone, PartialEq)]
pub struct WorklistSettings {
    /// Percentage points that an hour of waiting adds to a study's urgency; 0 for none.
    pub aging: f32,
}

/// What happens when something urgent arrives; nothing unless it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// The terminal's bell.
    pub bell: bool,
    /// The window's title.
    pub title: bool,
    /// A desktop notification: one of [`Settings::NOTIFICATIONS`].
    pub notification: String,
}

/// What the network runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ComputeSettings {
    /// Which engine.
    pub engine: Engine,
    /// Threads; as many as there are cores where none are named.
    pub threads: Option<NonZeroUsize>,
}

/// What is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheSettings {
    /// MiB of voxels; a quarter of the memory where nothing is said.
    pub memory: Option<u32>,
}

/// The log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// From which severity on something is worth a line.
    pub level: LevelFilter,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: "reading-room".to_owned(),
            graphics: "auto".to_owned(),
            model: None,
            data: None,
            reader: None,
            anonymous: false,
            mouse: true,
            reading: ReadingSettings {
                window: "bone".to_owned(),
                plane: Plane::Axial,
                framing: Framing::Spine,
                marks: true,
                blinded: false,
            },
            worklist: WorklistSettings { aging: 2.0 },
            picture: PictureSettings::default(),
            alert: AlertSettings { bell: false, title: false, notification: "none".to_owned() },
            compute: ComputeSettings::default(),
            cache: CacheSettings::default(),
            log: LogSettings { level: LevelFilter::WARN },
            keys: KeyOverrides::default(),
        }
    }
}

impl Settings {
    /// The ways to show pictures; `auto` asks the terminal.
    pub const GRAPHICS: [&str; 6] = ["auto", "kitty", "sixel", "iterm2", "halfblocks", "none"];

    /// The escapes that show a desktop notification.
    pub const NOTIFICATIONS: [&str; 3] = ["none", "osc9", "osc777"];

    /// Reads a settings file; a missing one gives the defaults.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, or has a key or value that is not known.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(path, &text)?),
            // A home that is no folder holds no settings either.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Self::default()),
            Err(source) => Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, TomlError> {
        let mut settings = Self::default();
        let file = path.to_string_lossy();
        let mut root = Table::parse(&file, text)?;
        set(&mut settings.theme, root.text("theme")?.map(|name| name.value));
        if let Some(graphics) = root.text("graphics")? {
            graphics.one_of(&Self::GRAPHICS)?.clone_into(&mut settings.graphics);
        }
        settings.model = root.text("model")?.map(|model| folder(path, "model", &model)).transpose()?;
        settings.data = root.text("data")?.map(|data| folder(path, "data", &data)).transpose()?;
        settings.reader = root.text("reader")?.map(|name| name.value);
        set(&mut settings.anonymous, root.flag("anonymous")?);
        set(&mut settings.mouse, root.flag("mouse")?);
        settings.reading.read(root.table("reading")?)?;
        settings.worklist.read(root.table("worklist")?)?;
        settings.picture.read(root.table("picture")?)?;
        settings.alert.read(root.table("alert")?)?;
        settings.compute.read(root.table("compute")?)?;
        settings.cache.read(root.table("cache")?)?;
        settings.log.read(root.table("log")?)?;
        settings.keys = KeyOverrides::read(root.table("keys")?)?;
        root.finish()?;
        Ok(settings)
    }
}

impl ReadingSettings {
    fn read(&mut self, mut table: Table<'_>) -> Result<(), TomlError> {
        if let Some(window) = table.text("window")? {
            let presets = WindowPreset::builtin();
            let names: Vec<_> = presets.iter().map(|preset| preset.name.as_str()).collect();
            window.one_of(&names)?.clone_into(&mut self.window);
        }
        if let Some(plane) = table.text("plane")? {
            let name = plane.one_of(&Plane::ALL.map(Plane::name))?;
            set(&mut self.plane, Plane::ALL.into_iter().find(|plane| plane.name() == name));
        }
        if let Some(framing) = table.text("framing")? {
            let name = framing.one_of(&Framing::ALL.map(Framing::name))?;
            set(&mut self.framing, Framing::ALL.into_iter().find(|framing| framing.name() == name));
        }
        set(&mut self.marks, table.flag("marks")?);
        set(&mut self.blinded, table.flag("blinded")?);
        table.finish()
    }
}

impl WorklistSettings {
    fn read(&mut self, mut table: Table<'_>) -> Result<(), TomlError> {
        // The British spelling is the one of earlier versions; the other one wins.
        set(&mut self.aging, table.number("ageing", 0.0..=100.0)?);
        set(&mut self.aging, table.number("aging", 0.0..=100.0)?);
        table.finish()
    }
}

impl AlertSettings {
    fn read(&mut self, mut table: Table<'_>) -> Result<(), TomlError> {
        set(&mut self.bell, table.flag("bell")?);
        set(&mut self.title, table.flag("title")?);
        if let Some(notification) = table.text("notification")? {
            notification.one_of(&Settings::NOTIFICATIONS)?.clone_into(&mut self.notification);
        }
        table.finish()
    }
}

impl ComputeSettings {
    /// What the command line asks for, and these settings where it asks for nothing.
    #[must_use]
    pub fn or(self, engine: Option<Engine>, threads: Option<NonZeroUsize>) -> Compute {
        Compute { engine: engine.unwrap_or(self.engine), threads: threads.or(self.threads), background: false }
    }

    fn read(&mut self, mut table: Table<'_>) -> Result<(), TomlError> {
        if let Some(engine) = table.text("engine")? {
            let name = engine.one_of(&Engine::ALL.map(Engine::name))?;
            set(&mut self.engine, name.parse().ok());
        }
        let threads = table.number("threads", 1.0..=256.0)?;
        self.threads = threads.and_then(|threads: f32| NonZeroUsize::new(threads as usize)).or(self.threads);
        table.finish()
    }
}

impl CacheSettings {
    fn read(&mut self, mut table: Table<'_>) -> Result<(), TomlError> {
        // From one volume of 250 slices to a terabyte.
        self.memory =
            table.number("memory", 128.0..=1_048_576.0)?.map(|mebibytes: f32| mebibytes as u32).or(self.memory);
        table.finish()
    }
}

impl LogSettings {
    fn read(&mut self, mut table: Table<'_>) -> Result<(), TomlError> {
        if let Some(level) = table.text("level")? {
            let name = level.one_of(&["off", "error", "warn", "info", "debug", "trace"])?;
            set(&mut self.level, name.parse().ok());
        }
        table.finish()
    }
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

/// A folder as the settings name it: absolute, from the home (`~/…`), or from the settings file's own folder.
fn folder(settings: &Path, key: &str, folder: &Located<'_, String>) -> Result<PathBuf, TomlError> {
    if folder.value.is_empty() {
        return Err(folder.error(format!("{key} = \"\" names no folder; name one or remove the key")));
    }
    match folder.value.strip_prefix("~/") {
        Some(rest) => directories::BaseDirs::new()
            .map(|dirs| dirs.home_dir().join(rest))
            .ok_or_else(|| folder.error(format!("{key} begins with ~, but there is no home; write the whole path"))),
        None => Ok(settings.parent().unwrap_or(Path::new("")).join(&folder.value)),
    }
}
