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
    migrations: &[DECISIONS, OPEN_STUDIES, BESIDE, SECRET],
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

/// 3: annotations, as a log of JSON steps, and where each reader was in each study.
const BESIDE: &str = "
    CREATE TABLE annotation (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        study TEXT NOT NULL,
        who TEXT NOT NULL,
        utc_ms INTEGER NOT NULL,
        offset_minutes INTEGER NOT NULL,
        step TEXT NOT NULL
    ) STRICT;
    CREATE INDEX annotation_of_study ON annotation (study, id);
    CREATE TABLE position (
        who TEXT NOT NULL,
        study TEXT NOT NULL,
        utc_ms INTEGER NOT NULL,
        place TEXT NOT NULL,
        PRIMARY KEY (who, study)
    ) STRICT;
";

/// 4: secrets of this database. They are written once, because what was made with them must stay the same.
const SECRET: &str = "
    CREATE TABLE secret (
        name TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT;
    CREATE TRIGGER secret_stays BEFORE UPDATE ON secret
        BEGIN SELECT RAISE(ABORT, 'secrets are never changed'); END;
    CREATE TRIGGER secret_remains BEFORE DELETE ON secret
        BEGIN SELECT RAISE(ABORT, 'secrets are never deleted'); END;
";

/// The index.
pub(super) const INDEX: Schema = Schema {
    application_id: 0x6373_7049,
    migrations: &[FILES, THUMBNAILS],
    checked: &[],
    salvage: salvage::nothing,
    rows: "lines of the index",
};

/// 1: files as they were read, studies as the list shows them, finished reports. `header`, `line` and `body` are opaque here.
const FILES: &str = "
    CREATE TABLE file (
        path BLOB PRIMARY KEY,
        size INTEGER NOT NULL,
        written_ns INTEGER NOT NULL,
        number INTEGER NOT NULL,
        study TEXT,
        header BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX file_of_study ON file (study);
    CREATE TABLE study (
        uid TEXT PRIMARY KEY,
        folder BLOB NOT NULL,
        overall REAL,
        line BLOB NOT NULL
    ) STRICT;
    CREATE INDEX study_by_overall ON study (overall DESC);
    CREATE TABLE report (
        series TEXT NOT NULL,
        stack INTEGER NOT NULL,
        content BLOB NOT NULL,
        model TEXT NOT NULL,
        preprocessing INTEGER NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (series, stack, content, model, preprocessing)
    ) STRICT;
    CREATE TABLE content (
        series TEXT NOT NULL,
        stack INTEGER NOT NULL,
        fingerprint BLOB NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (series, stack, fingerprint)
    ) STRICT;
";

/// 2: images beside the worklist. They go with their study: pixels of a patient must not outlive the files.
const THUMBNAILS: &str = "
    CREATE TABLE thumbnail (
        series TEXT NOT NULL,
        stack INTEGER NOT NULL,
        study TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (series, stack)
    ) STRICT;
    CREATE INDEX thumbnail_of_study ON thumbnail (study);
";
