//! The tables, version by version. A version that was released is never changed; a new one is added at the end.

use super::salvage;
use rusqlite::Connection;

/// What a database is and how it is made.
#[derive(Debug)]
pub(super) struct Schema {
    /// In the file's header (PRAGMA application_id): tells one kind from another.
    pub(super) application_id: i32,
    /// SQL that makes version `n + 1` from version `n`.
    pub(super) migrations: &'static [&'static str],
    /// Tables that are looked over when it is opened.
    pub(super) checked: &'static [&'static str],
    /// Copies what can be read of a damaged database into a new one; rows read.
    pub(super) salvage: fn(&Connection, &mut Connection) -> rusqlite::Result<usize>,
    /// What a reader calls its rows.
    pub(super) rows: &'static str,
}

/// The precious database.
pub(super) const STORE: Schema = Schema {
    application_id: 0x6373_7031,
    migrations: &[DECISIONS, OPEN_STUDIES],
    checked: &["decision"],
    salvage: salvage::decisions,
    rows: "decisions",
};

/// 1: the log of decisions. `act` and `report` are JSON of the domain's types.
const DECISIONS: &str = "
    CREATE TABLE decision (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        study TEXT NOT NULL,
        who TEXT NOT NULL,
        utc_ms INTEGER NOT NULL,
        offset_minutes INTEGER NOT NULL,
        act TEXT NOT NULL,
        report TEXT,
        blinded INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX decision_of_study ON decision (study, id);
    CREATE TRIGGER decision_stays BEFORE UPDATE ON decision
        BEGIN SELECT RAISE(ABORT, 'entries of the log are never changed'); END;
    CREATE TRIGGER decision_remains BEFORE DELETE ON decision
        BEGIN SELECT RAISE(ABORT, 'entries of the log are never deleted'); END;
";

/// 2: who has which study open.
const OPEN_STUDIES: &str = "
    CREATE TABLE open_study (
        program TEXT PRIMARY KEY,
        study TEXT NOT NULL,
        who TEXT NOT NULL,
        utc_ms INTEGER NOT NULL
    ) STRICT;
";
