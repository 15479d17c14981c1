//! One database file: made, opened, checked, migrated, set aside.

use super::schema::Schema;
use crate::domain::SensitiveText;
use crate::task::limits;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long another program's write is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why something could not be kept or read: one sentence, then what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Made by a newer cspine.
    #[error(
        "{} was written by a newer cspine (its format is {found}, this one knows {known}): use that version, or keep decisions elsewhere with --data DIR",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest known.
        known: i64,
    },
    /// Another program's file.
    #[error("{} is not a cspine database: move it away, or keep decisions elsewhere with --data DIR", .0.display())]
    Foreign(PathBuf),
    /// The user has no home folder.
    #[error("HOME is not set, so there is no folder to keep decisions in: set HOME, or name a folder with --data DIR")]
    NoHome,
    /// The folder or file cannot be made or opened.
    #[error("{} cannot be used ({}): make it yours, or keep decisions elsewhere with --data DIR", path.display(), limits::words(source))]
    Unusable {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// No room.
    #[error("the disk that holds {} is full: make room there", .0.display())]
    Full(PathBuf),
    /// The disk refuses.
    #[error("{} could not be written: is the disk full, or a limit reached, or the disk gone?", .0.display())]
    Refused(PathBuf),
    /// Not to be written.
    #[error("{} cannot be written: make it writable", .0.display())]
    ReadOnly(PathBuf),
    /// Another program holds it.
    #[error("another program has been writing {} for {} s: try again", .0.display(), PATIENCE.as_secs())]
    Busy(PathBuf),
    /// Damaged.
    #[error("{} is damaged", .0.display())]
    Damaged(PathBuf),
    /// Anything else.
    #[error("{} cannot be used: {source}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// No key for pseudonyms.
    #[error("the system gives no random numbers for the key of pseudonyms ({0}): show patients by name")]
    NoRandomness(getrandom::Error),
    /// A key of pseudonyms that is none.
    #[error("{} holds a damaged key of pseudonyms: show patients by name, or use another database with --data DIR", .0.display())]
    BadKey(PathBuf),
}

impl StoreError {
    /// The reason as a message whose reader is not known yet: the path is a private part.
    #[must_use]
    pub fn told(&self) -> SensitiveText {
        let path = match self {
            Self::NoRandomness(_) | Self::NoHome => return SensitiveText::plain(self.to_string()),
            Self::Newer { path, .. } | Self::Unusable { path, .. } | Self::Other { path, .. } => path,
            Self::Foreign(path)
            | Self::Full(path)
            | Self::Refused(path)
            | Self::ReadOnly(path)
            | Self::Busy(path)
            | Self::Damaged(path)
            | Self::BadKey(path) => path,
        };
        // Every text names the path once, as the system shows it.
        let (text, shown) = (self.to_string(), path.display().to_string());
        match text.split_once(&shown) {
            Some((before, after)) => SensitiveText::plain(before).path(path).then(SensitiveText::foreign(after)),
            None => SensitiveText::foreign(&text),
        }
    }

    fn of(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(path),
            Some(ErrorCode::SystemIoFailure) => Self::Refused(path),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly(path),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(path),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(path),
            // SQLite does not say why.
            Some(ErrorCode::CannotOpen) => match File::open(&path) {
                Err(source) => Self::Unusable { path, source },
                Ok(_) => Self::Other { path, source },
            },
            _ => Self::Other { path, source },
        }
    }
}

/// What became of a damaged database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recovered {
    aside: PathBuf,
    rows: usize,
    what: &'static str,
    /// Whether the key of pseudonyms was or may have been in it and could not be read.
    is_key_lost: bool,
}

impl Recovered {
    fn told(&self) -> SensitiveText {
        let Self { aside, rows, what, is_key_lost } = self;
        let key = if *is_key_lost { "; the key of pseudonyms could not, so patients may get new ones" } else { "" };
        SensitiveText::plain("the store was damaged: it is kept as ")
            .path(aside)
            .words(format!(", and {rows} {what} could be read from it{key}"))
    }
}

/// An open database file.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    schema: &'static Schema,
    connection: Connection,
    /// Device and number of the file that is open.
    inode: (u64, u64),
    data_version: i64,
    /// What was found damaged, until it is told.
    recovered: Option<Recovered>,
}

impl Database {
    /// Opens a database, and makes it and its folder where they are not there.
    pub(super) fn open(path: &Path, schema: &'static Schema) -> Result<Self, StoreError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let unusable = |path: &Path, source| StoreError::Unusable { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|source| unusable(folder, source))?;
        // Two programs that start at once must not both make, migrate or set aside.
        let lock_path = path.with_extension("lock");
        let lock = private().open(&lock_path).map_err(|source| unusable(&lock_path, source))?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|source| unusable(&lock_path, source.into()))?;
        // SQLite gives its other files the mode of this one.
        private().open(path).map_err(|source| unusable(path, source))?;
        let (connection, recovered) = match prepare(path, schema) {
            Ok(connection) => (connection, None),
            Err(StoreError::Damaged(_)) => {
                let (connection, recovered) = replace(path, schema)?;
                (connection, Some(recovered))
            }
            Err(error) => return Err(error),
        };
        let inode = inode(path).ok_or_else(|| unusable(path, ErrorKind::NotFound.into()))?;
        let mut database = Self { path: path.to_owned(), schema, connection, inode, data_version: 0, recovered };
        database.changed_elsewhere()?;
        Ok(database)
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The connection, to read from.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// An error of SQLite with this file's name.
    pub(super) fn error(&self, source: rusqlite::Error) -> StoreError {
        StoreError::of(&self.path, source)
    }

    /// Writes in one transaction. It is on disk, in the file that the path names, when this returns. Where the file was
    /// deleted or moved away while it was open, it is put back whole first; a damaged one is set aside, and the write goes to
    /// the new one.
    pub(super) fn write<T>(&mut self, work: impl Fn(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.bring_home()?;
        match self.attempt(&work) {
            Ok(done) if self.is_home() => Ok(done),
            // Written to a file that nobody finds again: it is put back, with what was just written.
            Ok(done) if inode(&self.path).is_none() => self.bring_home().map(|()| done),
            Ok(_) => {
                self.bring_home()?;
                self.attempt(&work)
            }
            Err(_) if !self.is_home() => {
                self.bring_home()?;
                self.attempt(&work)
            }
            Err(StoreError::Damaged(_)) => {
                self.reopen()?;
                self.attempt(&work)
            }
            Err(error) => Err(error),
        }
    }

    fn attempt<T>(&mut self, work: &impl Fn(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let run = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        run(&mut self.connection).map_err(|error| StoreError::of(&self.path, error))
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        let untold = self.recovered.take();
        *self = Self::open(&self.path, self.schema)?;
        self.recovered = self.recovered.take().or(untold);
        Ok(())
    }

    /// What was found damaged since this was last asked.
    pub(super) fn recovered(&mut self) -> Option<SensitiveText> {
        self.recovered.take().map(|recovered| recovered.told())
    }

    fn is_home(&self) -> bool {
        inode(&self.path) == Some(self.inode)
    }

    /// Has the path name the file that is open; where it names another, opens that one.
    fn bring_home(&mut self) -> Result<(), StoreError> {
        if self.is_home() {
            return Ok(());
        }
        if inode(&self.path).is_none() {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            let unusable = |source| StoreError::Unusable { path: self.path.clone(), source };
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable)?;
            // The journal of the file that is gone says nothing about the new one.
            for other in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(beside(&self.path, other));
            }
            private().open(&self.path).map_err(unusable)?;
            let target = self.path.to_string_lossy();
            self.connection.execute("VACUUM INTO ?1", [&*target]).map_err(|error| self.error(error))?;
        }
        self.reopen()?;
        Ok(())
    }

    /// Whether another connection has written since this was last asked.
    pub(super) fn changed_elsewhere(&mut self) -> Result<bool, StoreError> {
        let now = self
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|error| self.error(error))?;
        let changed = now != self.data_version;
        self.data_version = now;
        if !self.is_home() && inode(&self.path).is_some() {
            // Another program has set a damaged file aside, or put a vanished one back.
            self.reopen()?;
            return Ok(true);
        }
        Ok(changed)
    }
}

/// How files are opened that only their owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

fn inode(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// The path with something added to its last part.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// Connects, checks and migrates.
fn prepare(path: &Path, schema: &'static Schema) -> Result<Connection, StoreError> {
    let run = || -> rusqlite::Result<Result<Connection, StoreError>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        let number = |connection: &Connection, name: &str| -> rusqlite::Result<i64> {
            connection.pragma_query_value(None, name, |row| row.get(0))
        };
        let known = schema.migrations.len() as i64;
        let found = number(&connection, "user_version")?;
        let owner = number(&connection, "application_id")?;
        let is_new = found == 0 && owner == 0 && number(&connection, "schema_version")? == 0;
        if !is_new && owner != i64::from(schema.application_id) {
            return Ok(Err(StoreError::Foreign(path.to_owned())));
        }
        if found > known {
            return Ok(Err(StoreError::Newer { path: path.to_owned(), found, known }));
        }
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        if !mode.eq_ignore_ascii_case("wal") {
            // Where shared memory cannot be had (some network mounts) the older journal is as safe, and slower.
            connection.pragma_update(None, "journal_mode", "delete")?;
        }
        connection.pragma_update(None, "synchronous", "full")?;
        for table in schema.checked {
            if found > 0 && !is_sound(&connection, table)? {
                return Ok(Err(StoreError::Damaged(path.to_owned())));
            }
        }
        migrate(&mut connection, schema, found)?;
        Ok(Ok(connection))
    };
    run().map_err(|error| StoreError::of(path, error))?
}

fn is_sound(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let words: String = connection.query_row(&format!("PRAGMA quick_check('{table}')"), [], |row| row.get(0))?;
    Ok(words == "ok")
}

/// Each version in a transaction of its own: a program that is killed half-way leaves a whole version behind.
fn migrate(connection: &mut Connection, schema: &Schema, from: i64) -> rusqlite::Result<()> {
    for (version, sql) in (1_i64..).zip(schema.migrations) {
        if version > from {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "application_id", schema.application_id)?;
            transaction.pragma_update(None, "user_version", version)?;
            transaction.commit()?;
        }
    }
    Ok(())
}

/// Puts a damaged file aside under a free name, makes a new one, and copies what can be read.
fn replace(path: &Path, schema: &'static Schema) -> Result<(Connection, Recovered), StoreError> {
    let unusable = |source| StoreError::Unusable { path: path.to_owned(), source };
    let aside = (1..)
        .map(|n| beside(path, &format!(".damaged-{n}")))
        .find(|aside| std::fs::symlink_metadata(aside).is_err())
        .unwrap_or_else(|| beside(path, ".damaged"));
    for ending in ["-wal", "-shm", ""] {
        let (from, to) = (beside(path, ending), beside(&aside, ending));
        match std::fs::rename(&from, &to) {
            Err(error) if ending.is_empty() || error.kind() != ErrorKind::NotFound => return Err(unusable(error)),
            _ => {}
        }
    }
    let _: File = private().open(path).map_err(unusable)?;
    let mut connection = prepare(path, schema)?;
    let damaged = Connection::open_with_flags(&aside, OpenFlags::SQLITE_OPEN_READ_WRITE);
    // What cannot be opened at all gives nothing; it stays where it is.
    let (rows, held_key) = match damaged {
        Ok(damaged) => ((schema.salvage)(&damaged, &mut connection).unwrap_or(0), secrets(&damaged)),
        Err(_) => (0, None),
    };
    let is_key_lost = secrets(&connection) == Some(0) && held_key != Some(0);
    Ok((connection, Recovered { aside, rows, what: schema.rows, is_key_lost }))
}

/// How many secrets a database holds; `None` if that cannot be read. One that is older than secrets holds none.
fn secrets(connection: &Connection) -> Option<i64> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).ok();
    match count("SELECT count(*) FROM sqlite_master WHERE name = 'secret'")? {
        0 => Some(0),
        _ => count("SELECT count(*) FROM secret"),
    }
}
