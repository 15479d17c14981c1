//! The key of pseudonyms: made once per database, and never changed.

use super::{Store, StoreError};
use crate::domain::pseudonym::PseudonymKey;
use rusqlite::{OptionalExtension, params};

/// Name of the row.
const PSEUDONYMS: &str = "pseudonyms";

impl Store {
    /// The key under which patients of this database have their pseudonyms; it is made if there is none yet. All readers of the
    /// database get the same one, whoever asks first.
    ///
    /// # Errors
    /// A database that cannot be read, or not be written while it has no key; a system without random numbers.
    pub fn pseudonym_key(&mut self) -> Result<PseudonymKey, StoreError> {
        if let Some(key) = self.kept_key()? {
            return Ok(key);
        }
        let new = session_key()?;
        // Another program may have made one meanwhile; the first one stays.
        let sql = "INSERT OR IGNORE INTO secret (name, value) VALUES (?1, ?2)";
        self.database
            .write(|transaction| transaction.execute(sql, params![PSEUDONYMS, &new.bytes()[..]]).map(|_| ()))?;
        self.kept_key()?.ok_or_else(|| StoreError::BadKey(self.database.path().to_owned()))
    }

    fn kept_key(&self) -> Result<Option<PseudonymKey>, StoreError> {
        let read = || -> rusqlite::Result<Option<Vec<u8>>> {
            let mut statement =
                self.database.connection().prepare_cached("SELECT value FROM secret WHERE name = ?1")?;
            statement.query_row([PSEUDONYMS], |row| row.get(0)).optional()
        };
        let kept = read().map_err(|error| self.database.error(error))?;
        let key = kept.map(<[u8; PseudonymKey::BYTES]>::try_from).transpose();
        key.map(|key| key.map(PseudonymKey::new)).map_err(|_| StoreError::BadKey(self.database.path().to_owned()))
    }
}

/// A key for one run of the program, where no database can keep one.
///
/// # Errors
/// A system without random numbers.
pub fn session_key() -> Result<PseudonymKey, StoreError> {
    let mut bytes = [0; PseudonymKey::BYTES];
    getrandom::fill(&mut bytes).map_err(StoreError::NoRandomness)?;
    Ok(PseudonymKey::new(bytes))
}
