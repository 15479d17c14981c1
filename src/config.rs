//! Settings, keymap and the program's folders. Strict TOML: an error names the file, the place, the key and what was
//! probably meant. Nothing here falls back in silence.

mod chord;
mod document;
mod folders;
mod keymap;
mod picture;
mod settings;

pub use chord::Chord;
pub use document::TomlError;
pub(crate) use document::{Located, Table, TableOrText, nearest, suggestion};
pub use folders::Folders;
pub use keymap::{KeyOverrides, Keymap, Profile};
pub use picture::{Bandwidth, PictureSettings, UnknownBandwidth};
pub use settings::{
    AlertSettings, CacheSettings, ComputeSettings, LogSettings, ReadingSettings, Settings, WorklistSettings,
};

use std::path::PathBuf;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there, but cannot be read.
    #[error("the settings in {} cannot be read; make the file readable or move it away", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error(transparent)]
    Mistake(#[from] TomlError),
}
