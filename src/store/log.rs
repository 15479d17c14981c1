//! The log of decisions, and who has which study open.

use super::{Store, StoreError};
use crate::domain::{CleanText, Draft, EntryId, LogEntry, Stamp, Uid};
use rusqlite::types::Type;
use rusqlite::{Row, params};

impl Store {
    /// Adds an entry. It is on disk when this returns.
    ///
    /// # Errors
    /// An entry that could not be written; nothing of it is there then.
    pub fn append(&mut self, who: &CleanText, at: Stamp, draft: &Draft) -> Result<LogEntry, StoreError> {
        let id = self.database.write(|transaction| {
            let json = |error: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
            let act = serde_json::to_string(&draft.act).map_err(json)?;
            let report = draft.report.as_ref().map(serde_json::to_string).transpose().map_err(json)?;
            transaction.execute(
                "INSERT INTO decision (study, who, utc_ms, offset_minutes, act, report, blinded)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![draft.study.as_str(), who.as_str(), at.utc_ms, at.offset_minutes, act, report, draft.blinded],
            )?;
            Ok(transaction.last_insert_rowid())
        })?;
        Ok(LogEntry { id: EntryId(id), who: who.clone(), at, draft: draft.clone() })
    }

    /// Entries after a number, oldest first, at most `most`. One that this version cannot read ends it with an error: nothing may
    /// be left out of a log in silence.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn log_after(&self, after: EntryId, most: usize) -> Result<Vec<LogEntry>, StoreError> {
        let sql = "SELECT id, study, who, utc_ms, offset_minutes, act, report, blinded FROM decision
                   WHERE id > ?1 ORDER BY id LIMIT ?2";
        let read = || -> rusqlite::Result<Vec<LogEntry>> {
            let mut statement = self.database.connection().prepare_cached(sql)?;
            let limit = i64::try_from(most).unwrap_or(i64::MAX);
            statement.query_map(params![after.0, limit], entry)?.collect()
        };
        read().map_err(|error| self.database.error(error))
    }

    /// Says that this program has a study open, or none.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub fn claim(&mut self, program: &str, who: &str, study: Option<&Uid>, now: Stamp) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            match study {
                Some(study) => transaction.execute(
                    "INSERT INTO open_study (program, study, who, utc_ms) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (program) DO UPDATE SET study = ?2, who = ?3, utc_ms = ?4",
                    params![program, study.as_str(), who, now.utc_ms],
                )?,
                None => transaction.execute("DELETE FROM open_study WHERE program = ?1", [program])?,
            };
            Ok(())
        })
    }

    /// Studies that other programs have open and have said so since a moment, with who.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn open_elsewhere(&self, program: &str, since: Stamp) -> Result<Vec<(Uid, String)>, StoreError> {
        let read = || -> rusqlite::Result<Vec<(Uid, String)>> {
            let sql = "SELECT study, who FROM open_study WHERE program <> ?1 AND utc_ms >= ?2 ORDER BY study";
            let mut statement = self.database.connection().prepare_cached(sql)?;
            let found = statement.query_map(params![program, since.utc_ms], |row| {
                let (study, who): (String, String) = (row.get(0)?, row.get(1)?);
                Ok((Uid::from_kept(&study), CleanText::new(&who).to_string()))
            })?;
            found.collect()
        };
        read().map_err(|error| self.database.error(error))
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<LogEntry> {
    let text = |at: usize| row.get_ref(at)?.as_str().map_err(rusqlite::Error::from);
    let unreadable = |at: usize, error: serde_json::Error| {
        rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error))
    };
    let report = match row.get_ref(6)?.as_str_or_null()? {
        Some(json) => Some(serde_json::from_str(json).map_err(|error| unreadable(6, error))?),
        None => None,
    };
    Ok(LogEntry {
        id: EntryId(row.get(0)?),
        who: CleanText::new(text(2)?),
        at: Stamp { utc_ms: row.get(3)?, offset_minutes: row.get(4)? },
        draft: Draft {
            study: Uid::from_kept(text(1)?),
            act: serde_json::from_str(text(5)?).map_err(|error| unreadable(5, error))?,
            report,
            blinded: row.get(7)?,
        },
    })
}
