//! What must outlive the program, in SQLite: the only user of rusqlite.
//!
//! - [`Store`], in `store.sqlite`: the log of decisions, to which entries are only added; annotations; reading positions; who has
//!   which study open. Small and precious: every write is on disk (`synchronous=FULL`) before it is answered.
//! - [`Index`], in `index.sqlite`: what is known of files and was computed from them; it can all be made again.
//! - `file`: opens a database, makes it with its folder (0600 in 0700), migrates it, refuses one of a newer cspine, sets a damaged
//!   one aside and recovers what can be read;
//! - `schema`: the versions of the tables;
//! - `log`, `kept`, `secret`: decisions; annotations and positions; the key of pseudonyms; `salvage`: what a damaged store still gives.
//!
//! Nothing here starts a thread or reads a clock.

mod file;
mod index;
mod kept;
mod log;
mod salvage;
mod schema;
mod secret;

pub use file::StoreError;
pub use index::{Index, KnownFile};
pub use secret::session_key;

use crate::domain::SensitiveText;
use file::Database;
use std::path::{Path, PathBuf};

/// Name of the precious database in the data folder.
const NAME: &str = "store.sqlite";

/// The precious store.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens the store in a data folder; makes both where they are not there.
    ///
    /// # Errors
    /// A folder or file that cannot be used, or a store of a newer version.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { database: Database::open(&Self::path(folder), &schema::STORE)? })
    }

    /// A sentence for the reader where something was found damaged and set aside since this was last asked.
    pub fn recovered(&mut self) -> Option<SensitiveText> {
        self.database.recovered()
    }

    /// Where the store of a data folder is.
    #[must_use]
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// Whether another connection, of this or another program, has written since this was last asked.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn changed_elsewhere(&mut self) -> Result<bool, StoreError> {
        self.database.changed_elsewhere()
    }
}

/// The newest version of the store's tables, and the SQL that makes every version from the one before: for tests of migrations.
#[must_use]
pub fn migrations() -> &'static [&'static str] {
    schema::STORE.migrations
}
