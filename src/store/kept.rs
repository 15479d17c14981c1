//! Annotations and reading positions: what is kept beside the log.

use super::{Store, StoreError};
use crate::domain::{Annotation, AnnotationChange, ReadingPosition, Stamp, Uid};
use rusqlite::{OptionalExtension, params};

impl Store {
    /// Keeps a step in the life of a study's annotations. It is on disk when this returns.
    ///
    /// # Errors
    /// A step that could not be written.
    pub fn annotate(&mut self, who: &str, at: Stamp, study: &Uid, change: &AnnotationChange) -> Result<(), StoreError> {
        let sql = "INSERT INTO annotation (study, who, utc_ms, offset_minutes, step) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.database.write(|transaction| {
            let step = json(change)?;
            transaction.execute(sql, params![study.as_str(), who, at.utc_ms, at.offset_minutes, step])?;
            Ok(())
        })
    }

    /// The annotations of a study as they are now, in the order of their numbers.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn annotations(&self, study: &Uid) -> Result<Vec<Annotation>, StoreError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let sql = "SELECT step FROM annotation WHERE study = ?1 ORDER BY id";
            let mut statement = self.database.connection().prepare_cached(sql)?;
            statement.query_map([study.as_str()], |row| row.get(0))?.collect()
        };
        let steps = read().map_err(|error| self.database.error(error))?;
        let mut there: Vec<Annotation> = Vec::new();
        // A step that this version cannot read leaves the others as they are.
        for step in steps.iter().filter_map(|step| serde_json::from_str(step).ok()) {
            let id = match &step {
                AnnotationChange::Put(annotation) => annotation.id(),
                AnnotationChange::Removed { id } => *id,
            };
            there.retain(|known| known.id() != id);
            if let AnnotationChange::Put(annotation) = step {
                there.push(annotation);
            }
        }
        there.sort_by_key(Annotation::id);
        Ok(there)
    }

    /// Keeps where a reader is in a study.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub fn keep_position(
        &mut self,
        who: &str,
        at: Stamp,
        study: &Uid,
        position: &ReadingPosition,
    ) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO position (who, study, utc_ms, place) VALUES (?1, ?2, ?3, ?4)";
        self.database.write(|transaction| {
            transaction.execute(sql, params![who, study.as_str(), at.utc_ms, json(position)?])?;
            Ok(())
        })
    }

    /// Where a reader was in a study.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn position(&self, who: &str, study: &Uid) -> Result<Option<ReadingPosition>, StoreError> {
        let sql = "SELECT place FROM position WHERE who = ?1 AND study = ?2";
        let read = || -> rusqlite::Result<Option<String>> {
            let mut statement = self.database.connection().prepare_cached(sql)?;
            statement.query_row([who, study.as_str()], |row| row.get(0)).optional()
        };
        let place = read().map_err(|error| self.database.error(error))?;
        Ok(place.and_then(|place| serde_json::from_str(&place).ok()))
    }

    /// The study that a reader was in last, if that was after a moment.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn last_read(&self, who: &str, since: Stamp) -> Result<Option<Uid>, StoreError> {
        let sql = "SELECT study FROM position WHERE who = ?1 AND utc_ms >= ?2 ORDER BY utc_ms DESC LIMIT 1";
        let read = || -> rusqlite::Result<Option<String>> {
            let mut statement = self.database.connection().prepare_cached(sql)?;
            statement.query_row(params![who, since.utc_ms], |row| row.get(0)).optional()
        };
        Ok(read().map_err(|error| self.database.error(error))?.map(|study| Uid::from_kept(&study)))
    }
}

fn json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
