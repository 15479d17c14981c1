//! Volumes in memory: one load serves picture and network, and the least recently used go first.

use super::load::{LoadError, load_volume};
use crate::domain::{Fingerprint, Series, Uid, Volume};
use crate::task::Cancel;
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

type Key = (Uid, Uid, u32, usize, Option<Fingerprint>);

fn key(study: &Uid, series: &Series) -> Key {
    (study.clone(), series.uid.clone(), series.stack_index, series.instances.len(), series.fingerprint)
}

#[derive(Debug)]
enum Entry {
    Loading,
    Ready { volume: Arc<Volume>, used: u64 },
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Key, Entry>,
    clock: u64,
}

/// A shared store of volumes, bounded in bytes; at least one volume always fits.
#[derive(Debug)]
pub struct VolumeCache {
    inner: Mutex<Inner>,
    changed: Condvar,
    budget: usize,
}

impl VolumeCache {
    /// A store that keeps at most so many bytes of voxels.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { inner: Mutex::default(), changed: Condvar::new(), budget }
    }

    /// The series' volume: at once if it is here, else loaded; a load in progress elsewhere is waited for.
    ///
    /// # Errors
    /// As [`load_volume`].
    pub fn get(
        &self,
        study: &Uid,
        series: &Series,
        cancel: &Cancel,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Arc<Volume>, LoadError> {
        let key = key(study, series);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            inner.clock += 1;
            let now = inner.clock;
            match inner.entries.get_mut(&key) {
                Some(Entry::Ready { volume, used }) => {
                    *used = now;
                    return Ok(Arc::clone(volume));
                }
                Some(Entry::Loading) => {
                    if cancel.is_cancelled() {
                        return Err(LoadError::Cancelled);
                    }
                    inner = self
                        .changed
                        .wait_timeout(inner, Duration::from_millis(20))
                        .unwrap_or_else(PoisonError::into_inner)
                        .0;
                }
                None => break,
            }
        }
        inner.entries.insert(key.clone(), Entry::Loading);
        drop(inner);
        // The placeholder must go whatever happens, or others would wait for ever.
        let guard = Placeholder { cache: self, key: &key };
        let volume = Arc::new(load_volume(series, cancel, progress)?);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let used = inner.clock;
        inner.entries.insert(key.clone(), Entry::Ready { volume: Arc::clone(&volume), used });
        self.trim(&mut inner, &key);
        drop(inner);
        drop(guard);
        Ok(volume)
    }

    /// Whether the series' volume is here or on its way.
    pub fn holds(&self, study: &Uid, series: &Series) -> bool {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).entries.contains_key(&key(study, series))
    }

    fn trim(&self, inner: &mut Inner, keep: &Key) {
        loop {
            let total: usize = inner.entries.values().map(Entry::bytes).sum();
            let oldest = inner
                .entries
                .iter()
                .filter_map(|(key, entry)| match entry {
                    Entry::Ready { used, .. } if key != keep => Some((*used, key.clone())),
                    _ => None,
                })
                .min();
            match oldest {
                Some((_, key)) if total > self.budget => inner.entries.remove(&key),
                _ => return,
            };
        }
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        match self {
            Self::Loading => 0,
            Self::Ready { volume, .. } => volume.voxels.len() * 2,
        }
    }
}

struct Placeholder<'c> {
    cache: &'c VolumeCache,
    key: &'c Key,
}

impl Drop for Placeholder<'_> {
    fn drop(&mut self) {
        let mut inner = self.cache.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(inner.entries.get(self.key), Some(Entry::Loading)) {
            inner.entries.remove(self.key);
        }
        drop(inner);
        self.cache.changed.notify_all();
    }
}
