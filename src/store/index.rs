//! The index, in `index.sqlite`: what the program knows of files and has computed. All of it can be made again from the files; it
//! has a file of its own so that a scan's writes never keep a decision waiting.

use super::file::Database;
use super::{StoreError, schema};
use crate::domain::{
    ContentHash, FileStamp, Fingerprint, KeptAnalysis, Listed, ReportKey, Thumbnail, ThumbnailKey, Uid,
};
use rusqlite::{OptionalExtension, Row, params};
use sha2::{Digest, Sha256};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Name of the database in the data folder.
const NAME: &str = "index.sqlite";

/// What is known of a file: its stamp, its study if it belongs to one, and its header as `dicom` wrote it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownFile {
    /// The file.
    pub path: PathBuf,
    /// As it was when it was read.
    pub stamp: FileStamp,
    /// StudyInstanceUID.
    pub study: Option<Uid>,
    /// The header, opaque here.
    pub header: Vec<u8>,
}

/// The index.
#[derive(Debug)]
pub struct Index {
    database: Database,
}

impl Index {
    /// Opens the index in a data folder; makes both where they are not there. A damaged index is begun anew.
    ///
    /// # Errors
    /// A folder or file that cannot be used, or an index of a newer version.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let database = Database::open(&Self::path(folder), &schema::INDEX)?;
        // What is lost in a power cut is computed again.
        database.connection().pragma_update(None, "synchronous", "normal").map_err(|error| database.error(error))?;
        Ok(Self { database })
    }

    /// Where the index of a data folder is.
    #[must_use]
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// The header of a file, if the file is still as it was.
    ///
    /// # Errors
    /// An index that cannot be read.
    pub fn header(&self, path: &Path, stamp: FileStamp) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT header FROM file WHERE path = ?1 AND size = ?2 AND written_ns = ?3 AND number = ?4";
        let (size, number) = (stamp.size.cast_signed(), stamp.number.cast_signed());
        let read = || {
            let mut statement = self.database.connection().prepare_cached(sql)?;
            let values = params![bytes(path), size, stamp.written_ns, number];
            statement.query_row(values, |row| row.get::<_, Vec<u8>>(0)).optional()
        };
        let found = read().map_err(|error| self.database.error(error))?;
        Ok(found.and_then(|kept| unsealed(&kept).map(<[u8]>::to_vec)))
    }

    /// Notes files that were read.
    ///
    /// # Errors
    /// An index that cannot be written.
    pub fn keep_files(&mut self, files: &[KnownFile]) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO file (path, size, written_ns, number, study, header)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.database.write(|transaction| {
            let mut statement = transaction.prepare_cached(sql)?;
            for file in files {
                let (size, number) = (file.stamp.size.cast_signed(), file.stamp.number.cast_signed());
                let study = file.study.as_ref().map(Uid::as_str);
                statement.execute(params![
                    bytes(&file.path),
                    size,
                    file.stamp.written_ns,
                    number,
                    study,
                    sealed(&file.header)
                ])?;
            }
            Ok(())
        })
    }

    /// The files that a study had.
    ///
    /// # Errors
    /// An index that cannot be read.
    pub fn files_of(&self, study: &Uid) -> Result<Vec<PathBuf>, StoreError> {
        let read = || -> rusqlite::Result<Vec<PathBuf>> {
            let mut statement = self.database.connection().prepare_cached("SELECT path FROM file WHERE study = ?1")?;
            statement.query_map([study.as_str()], |row| row.get::<_, Vec<u8>>(0).map(|path| path_of(&path)))?.collect()
        };
        read().map_err(|error| self.database.error(error))
    }

    /// Forgets files that are gone.
    ///
    /// # Errors
    /// An index that cannot be written.
    pub fn forget_files(&mut self, paths: &[PathBuf]) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let mut statement = transaction.prepare_cached("DELETE FROM file WHERE path = ?1")?;
            for path in paths {
                statement.execute([bytes(path)])?;
            }
            Ok(())
        })
    }

    /// Notes how studies stand in the list, and in which folder they lie.
    ///
    /// # Errors
    /// An index that cannot be written.
    pub fn keep_studies(&mut self, studies: &[(Listed, PathBuf)]) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO study (uid, folder, overall, line) VALUES (?1, ?2, ?3, ?4)";
        self.database.write(|transaction| {
            let mut statement = transaction.prepare_cached(sql)?;
            for (listed, folder) in studies {
                let line = encode(listed)?;
                statement.execute(params![listed.uid.as_str(), bytes(folder), listed.overall(), line])?;
            }
            Ok(())
        })
    }

    /// Forgets a study; its decisions are elsewhere and stay.
    ///
    /// # Errors
    /// An index that cannot be written.
    pub fn forget_study(&mut self, study: &Uid) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            transaction.execute("DELETE FROM study WHERE uid = ?1", [study.as_str()])?;
            transaction.execute("DELETE FROM file WHERE study = ?1", [study.as_str()])?;
            transaction.execute("DELETE FROM thumbnail WHERE study = ?1", [study.as_str()])?;
            Ok(())
        })
    }

    /// Tells the studies that lie under folders, most likely broken first, in portions.
    ///
    /// # Errors
    /// An index that cannot be read. A line that this version cannot read is left out: the scan finds the study.
    pub fn studies_under(
        &self,
        roots: &[PathBuf],
        portion: usize,
        tell: &mut dyn FnMut(Vec<Listed>),
    ) -> Result<(), StoreError> {
        let roots: Vec<Vec<u8>> = roots.iter().map(|root| bytes(root).to_vec()).collect();
        let mut read = || -> rusqlite::Result<()> {
            let sql = "SELECT folder, line FROM study ORDER BY overall DESC";
            let mut statement = self.database.connection().prepare(sql)?;
            let mut rows = statement.query([])?;
            let mut some = Vec::new();
            // The first portion is what the first screen shows.
            let mut most = 200.min(portion);
            while let Some(row) = rows.next()? {
                let folder = row.get_ref(0)?.as_blob()?;
                if !roots.iter().any(|root| is_under(folder, root)) {
                    continue;
                }
                some.extend(decode::<Listed>(row.get_ref(1)?.as_blob()?));
                if some.len() >= most {
                    tell(std::mem::take(&mut some));
                    most = portion;
                }
            }
            tell(some);
            Ok(())
        };
        read().map_err(|error| self.database.error(error))
    }

    /// The report of a series, or the word that it gets none, whose files are as they were.
    ///
    /// # Errors
    /// An index that cannot be read.
    pub fn report_of_files(&self, key: &ReportKey, files: Fingerprint) -> Result<Option<KeptAnalysis>, StoreError> {
        let sql = "SELECT body FROM report JOIN content USING (series, stack, content)
                   WHERE series = ?1 AND stack = ?2 AND model = ?3 AND preprocessing = ?4 AND fingerprint = ?5";
        self.report(sql, key, &files.0)
    }

    /// The same for the same pixels, and from now on of these files.
    ///
    /// # Errors
    /// An index that cannot be used.
    pub fn report_of_content(
        &mut self,
        key: &ReportKey,
        files: Option<Fingerprint>,
        content: ContentHash,
    ) -> Result<Option<KeptAnalysis>, StoreError> {
        let sql = "SELECT body FROM report
                   WHERE series = ?1 AND stack = ?2 AND model = ?3 AND preprocessing = ?4 AND content = ?5";
        let found = self.report(sql, key, &content.0)?;
        if let (Some(_), Some(files)) = (&found, files) {
            self.database.write(|transaction| link(transaction, key, files, content))?;
        }
        Ok(found)
    }

    fn report(&self, sql: &str, key: &ReportKey, last: &[u8]) -> Result<Option<KeptAnalysis>, StoreError> {
        let body = |row: &Row<'_>| row.get::<_, Vec<u8>>(0);
        let read = || {
            let mut statement = self.database.connection().prepare_cached(sql)?;
            let values = params![key.series.as_str(), key.stack, key.model, key.preprocessing, last];
            statement.query_row(values, body).optional()
        };
        let found = read().map_err(|error| self.database.error(error))?;
        // One that cannot be read any more is computed again.
        Ok(found.and_then(|body| decode(&body)))
    }

    /// Keeps a finished report, or that a model declines the series.
    ///
    /// # Errors
    /// An index that cannot be written.
    pub fn keep_report(
        &mut self,
        key: &ReportKey,
        files: Option<Fingerprint>,
        content: ContentHash,
        analysis: &KeptAnalysis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO report (series, stack, content, model, preprocessing, body)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.database.write(|transaction| {
            let body = encode(analysis)?;
            let values = params![key.series.as_str(), key.stack, &content.0[..], key.model, key.preprocessing, body];
            transaction.execute(sql, values)?;
            match files {
                Some(files) => link(transaction, key, files, content),
                None => Ok(()),
            }
        })
    }
}

/// The images beside the worklist.
impl Index {
    /// Keeps the thumbnail of a series, or of one stack of it; it replaces an earlier one.
    ///
    /// # Errors
    /// An index that cannot be written.
    pub fn keep_thumbnail(&mut self, study: &Uid, key: &ThumbnailKey, image: &Thumbnail) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO thumbnail (series, stack, study, body) VALUES (?1, ?2, ?3, ?4)";
        self.database.write(|transaction| {
            transaction.execute(sql, params![key.series.as_str(), key.stack, study.as_str(), encode(image)?])?;
            Ok(())
        })
    }

    /// The thumbnail of a series, or of one stack of it; `None` if there is none, or one that this version cannot read.
    ///
    /// # Errors
    /// An index that cannot be read.
    pub fn thumbnail(&self, key: &ThumbnailKey) -> Result<Option<Thumbnail>, StoreError> {
        let read = || {
            let sql = "SELECT body FROM thumbnail WHERE series = ?1 AND stack = ?2";
            let mut statement = self.database.connection().prepare_cached(sql)?;
            statement.query_row(params![key.series.as_str(), key.stack], |row| row.get::<_, Vec<u8>>(0)).optional()
        };
        let found = read().map_err(|error| self.database.error(error))?;
        Ok(found.and_then(|body| decode::<Thumbnail>(&body)).filter(Thumbnail::is_whole))
    }
}

/// Notes that files with this fingerprint have this content.
fn link(
    transaction: &rusqlite::Transaction<'_>,
    key: &ReportKey,
    files: Fingerprint,
    content: ContentHash,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO content (series, stack, fingerprint, content) VALUES (?1, ?2, ?3, ?4)";
    transaction.execute(sql, params![key.series.as_str(), key.stack, &files.0[..], &content.0[..]])?;
    Ok(())
}

fn encode(value: &impl serde::Serialize) -> rusqlite::Result<Vec<u8>> {
    let bytes = postcard::to_stdvec(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    Ok(sealed(&bytes))
}

fn decode<T: serde::de::DeserializeOwned>(kept: &[u8]) -> Option<T> {
    postcard::from_bytes(unsealed(kept)?).ok()
}

/// Changes whenever one of the types written down here does: what was written otherwise is not read. A test watches over it.
const FORMAT: &[u8] = b"7";
/// Bytes of the checksum before each value.
const SEAL: usize = 8;

/// With a checksum: SQLite notices a damaged page only where its structure suffers, and no number of a report may be a broken one.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut sealed = checksum(bytes)[..SEAL].to_vec();
    sealed.extend_from_slice(bytes);
    sealed
}

fn unsealed(kept: &[u8]) -> Option<&[u8]> {
    let (seal, bytes) = kept.split_at_checked(SEAL)?;
    (checksum(bytes)[..SEAL] == *seal).then_some(bytes)
}

fn checksum(bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(FORMAT).chain_update(bytes).finalize().into()
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

fn is_under(folder: &[u8], root: &[u8]) -> bool {
    let root = root.strip_suffix(b"/").unwrap_or(root);
    folder.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}
