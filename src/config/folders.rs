//! Where the program keeps what is its own.

use directories::ProjectDirs;
use std::path::PathBuf;

/// The program's folders for this user. Each is `None` where the account has no home; nothing is made here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folders {
    /// Settings (`settings.toml`) and the user's themes (`themes/`).
    pub config: Option<PathBuf>,
    /// What must not be lost.
    pub data: Option<PathBuf>,
    /// What can be made again: reports of studies already analysed.
    pub cache: Option<PathBuf>,
    /// The log.
    pub log: Option<PathBuf>,
}

impl Folders {
    /// The folders that the system's conventions give (on Linux the XDG base directories).
    #[must_use]
    pub fn find() -> Self {
        let Some(dirs) = ProjectDirs::from("", "", "cspine") else { return Self::default() };
        Self {
            config: Some(dirs.config_dir().to_owned()),
            data: Some(dirs.data_dir().to_owned()),
            cache: Some(dirs.cache_dir().to_owned()),
            log: Some(dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned()),
        }
    }

    /// All folders under one, for tests and for programs that are carried along.
    #[must_use]
    pub fn under(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self {
            config: Some(root.join("config")),
            data: Some(root.join("data")),
            cache: Some(root.join("cache")),
            log: Some(root.join("log")),
        }
    }

    /// The settings file.
    #[must_use]
    pub fn settings_file(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|folder| folder.join("settings.toml"))
    }

    /// The folder of the user's own themes.
    #[must_use]
    pub fn themes(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|folder| folder.join("themes"))
    }
}
