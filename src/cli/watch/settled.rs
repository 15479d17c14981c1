//! Which files have stopped changing, told from one stat a file at every look.

use crate::domain::{ModelIdentity, Study, plan_series};
use crate::inference::PREPROCESSING_VERSION;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use walkdir::WalkDir;

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    /// Nanoseconds since 1970 at which its content was written last, as the file system says.
    written_ns: u128,
    /// Likewise, at which anything of it changed last, its name among it: a copy that keeps the content's time is new here all
    /// the same.
    changed_ns: u128,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    stamp: Stamp,
    /// When this state was first seen.
    since: Instant,
    /// Whether it was old already when it was first seen.
    old: bool,
}

/// The files under the watched folders.
#[derive(Debug)]
pub(super) struct Folders {
    settle: Duration,
    files: HashMap<PathBuf, Seen>,
    /// Files that have settled, at the last look.
    settled: usize,
}

impl Folders {
    pub(super) fn new(settle: Duration) -> Self {
        Self { settle, files: HashMap::new(), settled: 0 }
    }

    /// Looks at every file once; whether one is new, changed, gone, or has settled since the last look.
    pub(super) fn look(&mut self, roots: &[PathBuf]) -> bool {
        let now = Instant::now();
        let mut files = HashMap::with_capacity(self.files.len());
        let mut changed = false;
        let entries = roots.iter().flat_map(|root| WalkDir::new(root).follow_links(true)).filter_map(Result::ok);
        for entry in entries.filter(|entry| entry.file_type().is_file()) {
            // A file that went away between the listing and this is seen as gone.
            let Ok(metadata) = entry.metadata() else { continue };
            let stamp = stamp(&metadata);
            let seen = match self.files.get(entry.path()) {
                Some(seen) if seen.stamp == stamp => *seen,
                _ => {
                    changed = true;
                    Seen { stamp, since: now, old: is_old(stamp, self.settle) }
                }
            };
            files.insert(entry.into_path(), seen);
        }
        changed |= files.len() != self.files.len();
        self.files = files;
        let settled = self.files.values().filter(|seen| self.has_settled(seen)).count();
        changed |= settled != self.settled;
        self.settled = settled;
        changed
    }

    fn has_settled(&self, seen: &Seen) -> bool {
        seen.old || seen.since.elapsed() >= self.settle
    }

    /// Whether nothing is changing any more.
    pub(super) fn all_settled(&self) -> bool {
        self.settled == self.files.len()
    }

    /// Whether a file has stopped changing; a member of an archive has when the archive has.
    pub(super) fn is_settled_file(&self, path: &Path) -> bool {
        self.seen(path).is_none_or(|seen| self.has_settled(seen))
    }

    fn seen(&self, path: &Path) -> Option<&Seen> {
        path.ancestors().find_map(|path| self.files.get(path))
    }

    /// Whether all of a study's files have stopped changing.
    pub(super) fn is_settled(&self, study: &Study) -> bool {
        let mut instances = study.series.iter().flat_map(|series| &series.instances);
        instances.all(|instance| self.seen(&instance.path).is_some_and(|seen| self.has_settled(seen)))
    }

    /// Tells results apart: the files of the series that can be analyzed (of all, if none can), the model, and the version of the
    /// preprocessing.
    pub(super) fn key(&self, study: &Study, model: &ModelIdentity) -> String {
        let mut hash = Sha256::new();
        for part in [study.uid.as_str(), &model.sha256, &PREPROCESSING_VERSION.to_string()] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let plan: Option<Vec<usize>> =
            plan_series(study, None).ok().map(|plan| plan.iter().map(|planned| planned.series).collect());
        let series = study.series.iter().enumerate();
        let series = series.filter(|(index, _)| plan.as_ref().is_none_or(|plan| plan.contains(index)));
        for instance in series.flat_map(|(_, series)| &series.instances) {
            let seen = self.seen(&instance.path).map(|seen| seen.stamp);
            let name = instance.sop_instance_uid.as_str();
            hash.update(name.len().to_le_bytes());
            hash.update(name);
            hash.update(instance.frame.to_le_bytes());
            hash.update(seen.map_or(0, |stamp| stamp.length).to_le_bytes());
            hash.update(seen.map_or(0, |stamp| stamp.written_ns).to_le_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn stamp(metadata: &Metadata) -> Stamp {
    let written = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let written_ns = written.map_or(0, |time| time.as_nanos());
    #[cfg(unix)]
    let changed_ns = {
        use std::os::unix::fs::MetadataExt;
        let part = |value: i64| u128::try_from(value).unwrap_or(0);
        written_ns.max(part(metadata.ctime()) * 1_000_000_000 + part(metadata.ctime_nsec()))
    };
    #[cfg(not(unix))]
    let changed_ns = written_ns;
    Stamp { length: metadata.len(), written_ns, changed_ns }
}

/// Whether the last change lies back long enough by the clock of this machine; never for one that is ahead of it.
fn is_old(stamp: Stamp, settle: Duration) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_nanos());
    now.checked_sub(stamp.changed_ns).is_some_and(|age| age >= settle.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_settles_when_it_has_not_changed_for_long_enough() {
        let home = tempfile::tempdir().expect("a folder");
        let roots = [home.path().to_owned()];
        let path = home.path().join("slice");
        std::fs::write(&path, b"one").expect("written");
        let mut folders = Folders::new(Duration::from_secs(3600));
        assert!(folders.look(&roots), "a new file");
        assert!(!folders.all_settled() && !folders.is_settled_file(&path));
        assert!(!folders.look(&roots), "nothing happened");
        // An hour later.
        folders.settle = Duration::ZERO;
        assert!(folders.look(&roots), "it has settled");
        assert!(folders.all_settled() && folders.is_settled_file(&path.join("member of an archive")));
        assert!(!folders.look(&roots));
        std::fs::remove_file(&path).expect("removed");
        assert!(folders.look(&roots), "it is gone");
    }
}
