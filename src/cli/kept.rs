//! What is kept between runs, for commands without a screen.

use super::CliError;
use crate::config::Folders;
use crate::dicom;
use crate::domain::pseudonym::{Pseudonyms, Validity};
use crate::domain::{
    Analysis, Annotation, CleanText, Disclosure, EntryId, KeptAnalysis, KeyImage, Listed, LogEntry, Patient,
    Precedence, SensitiveText, SeriesRun, Study, Uid, Volume, conclude, next_series, plan_series, study_fingerprint,
};
use crate::inference::{ModelSource, PREPROCESSING_VERSION, outcome_of, report_key};
use crate::results::{Identity, MeasurementResult, StudyResult};
use crate::store::{Index, Store, StoreError};
use crate::task::Cancel;
use clap::Args;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Entries that are read at once.
const CHUNK: usize = 10_000;

/// Where the store is.
#[derive(Debug, Clone, Args)]
pub(super) struct StoreArgs {
    /// Folder in which decisions and reports are kept.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl StoreArgs {
    /// The folder: as asked for, as in the settings, or the system's.
    ///
    /// # Errors
    /// Settings with a mistake, or an account without a home.
    pub(super) fn folder(&self) -> Result<PathBuf, CliError> {
        if let Some(folder) = &self.data {
            return Ok(folder.clone());
        }
        let folders = Folders::find();
        let settings = super::settings(&folders)?;
        (settings.data)
            .or(folders.data)
            .ok_or_else(|| CliError::usage("this account has no data folder; name one with --data DIR"))
    }

    /// Opens what is kept. Reading makes nothing: where there is no store, nothing is known.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub(super) fn open(&self, to: Disclosure) -> Result<Kept, CliError> {
        let folder = self.folder()?;
        let store = Store::path(&folder).is_file().then(|| Store::open(&folder));
        let mut store = store.transpose().map_err(unreadable)?;
        if let Some(words) = store.as_mut().and_then(Store::recovered) {
            eprintln!("{}", words.shown(to));
        }
        let index = Index::path(&folder).is_file().then(|| Index::open(&folder));
        Ok(Kept { store, index: index.transpose().map_err(unreadable)? })
    }
}

/// The pseudonyms of a database: the same as on an anonymous screen of it. A database that is not there yet is made, because without one
/// the next run would give every patient another pseudonym.
///
/// # Errors
/// A database that cannot be opened, or cannot keep a key.
pub(super) fn pseudonyms(store: &StoreArgs) -> Result<Pseudonyms, CliError> {
    let failed = |error| CliError::failed("pseudonyms need a database that keeps their key", error);
    let mut store = Store::open(&store.folder()?).map_err(failed)?;
    if let Some(words) = store.recovered() {
        eprintln!("{}", words.shown(Disclosure::Anonymous));
    }
    let key = store.pseudonym_key().map_err(failed)?;
    Ok(Pseudonyms::new(key, Validity::Database))
}

fn unreadable(error: StoreError) -> CliError {
    CliError::failed("the store cannot be read", error)
}

/// What is kept.
pub(super) struct Kept {
    store: Option<Store>,
    index: Option<Index>,
}

impl Kept {
    /// The whole log, study by study.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub(super) fn logs(&self) -> Result<BTreeMap<Uid, Vec<LogEntry>>, CliError> {
        let mut logs: BTreeMap<Uid, Vec<LogEntry>> = BTreeMap::new();
        let Some(store) = &self.store else { return Ok(logs) };
        let mut seen = EntryId(0);
        loop {
            let entries = store.log_after(seen, CHUNK).map_err(unreadable)?;
            let Some(last) = entries.last() else { return Ok(logs) };
            seen = last.id;
            for entry in entries {
                logs.entry(entry.draft.study.clone()).or_default().push(entry);
            }
        }
    }

    /// Every study that the program has listed, whatever folder it lay in.
    ///
    /// # Errors
    /// An index that cannot be read.
    pub(super) fn listed(&self) -> Result<HashMap<Uid, Listed>, CliError> {
        let mut all = HashMap::new();
        if let Some(index) = &self.index {
            let mut tell = |some: Vec<Listed>| all.extend(some.into_iter().map(|listed| (listed.uid.clone(), listed)));
            index.studies_under(&[PathBuf::from("/")], CHUNK, &mut tell).map_err(unreadable)?;
        }
        Ok(all)
    }

    /// The studies under paths, or all that the program knows where none is named, with their logs and reports. Measurements are
    /// without results yet.
    ///
    /// # Errors
    /// A path that does not exist, a store that cannot be read, a model that is none.
    pub(super) fn results(&self, paths: &[PathBuf], model: Option<&Path>) -> Result<Vec<StudyResult>, CliError> {
        let mut logs = self.logs()?;
        let mut listed = self.listed()?;
        let studies: Vec<Study> = if paths.is_empty() {
            let uids: BTreeSet<Uid> = logs.keys().chain(listed.keys()).cloned().collect();
            uids.iter().map(|uid| self.found_again(uid, listed.get(uid))).collect::<Result<_, _>>()?
        } else {
            super::select::scan(paths)?.studies
        };
        let source = model.map_or(ModelSource::Embedded, |folder| ModelSource::Folder(folder.to_owned()));
        // Reports of other models are other reports; without any model there is none to look for.
        let sha256 = match source.sha256() {
            Ok(sha256) => Some(sha256),
            Err(error) if model.is_some() => return Err(CliError::failed("the model cannot be used", error)),
            Err(_) => None,
        };
        let mut results = Vec::with_capacity(studies.len());
        for study in studies {
            let line = listed.remove(&study.uid);
            let analysis = self.analysis(&study, line.as_ref(), sha256.as_deref())?;
            let (key_images, measurements) = self.annotations(&study.uid)?;
            results.push(StudyResult {
                log: logs.remove(&study.uid).unwrap_or_default(),
                study: Arc::new(study),
                analysis,
                key_images,
                measurements,
                identity: Identity::Named,
            });
        }
        Ok(results)
    }

    /// A study that was listed or decided on: with its files where they are still there, else as it was listed, else by its
    /// identifier alone. No decision may be kept from leaving.
    fn found_again(&self, uid: &Uid, listed: Option<&Listed>) -> Result<Study, CliError> {
        let files = self.index.as_ref().map(|index| index.files_of(uid)).transpose().map_err(unreadable)?;
        let (studies, ..) = dicom::scan_all(&files.unwrap_or_default(), &Cancel::new());
        let whole = studies.into_iter().find(|study| study.uid == *uid);
        let nothing = || Study {
            uid: uid.clone(),
            patient: Patient::default(),
            date: None,
            description: CleanText::default(),
            accession: CleanText::default(),
            precedence: Precedence::default(),
            series: Vec::new(),
            oddities: Vec::new(),
        };
        Ok(whole.or_else(|| listed.map(Listed::study)).unwrap_or_else(nothing))
    }

    fn analysis(
        &self,
        study: &Study,
        listed: Option<&Listed>,
        sha256: Option<&str>,
    ) -> Result<Option<Analysis>, CliError> {
        if study.series.is_empty() {
            // The files are gone; what the list knew is left.
            let kept = listed.and_then(|listed| listed.series.as_ref()?.analysis.clone());
            return Ok(kept.and_then(|kept| kept.of_study(&study.uid)));
        }
        let plan = match plan_series(study, None) {
            Ok(plan) => plan,
            Err(reason) => return Ok(Some(Analysis::NotAnalysed(reason))),
        };
        let (Some(index), Some(sha256)) = (&self.index, sha256) else { return Ok(None) };
        let (mut done, mut model) = (Vec::new(), None);
        while let Some(next) = next_series(study, &plan, &done) {
            let Some(series) = study.series.get(next) else { return Ok(None) };
            let files = series.fingerprint;
            let kept = files.map(|files| index.report_of_files(&report_key(series, sha256), files)).transpose();
            let Some(kept) = kept.map_err(unreadable)?.flatten() else {
                // A series that failed is not kept; what the list knows of the study is.
                return Ok(as_listed(study, listed, sha256));
            };
            model = Some(Arc::new(kept.model().clone()));
            let Some(outcome) = outcome_of(kept, series, &study.uid) else { return Ok(None) };
            done.push(SeriesRun { series: next, outcome });
        }
        Ok(model.map(|model| conclude(study, &plan, &done, &model)))
    }

    fn annotations(&self, study: &Uid) -> Result<(Vec<KeyImage>, Vec<MeasurementResult>), CliError> {
        let (mut key_images, mut measurements) = (Vec::new(), Vec::new());
        let Some(store) = &self.store else { return Ok((key_images, measurements)) };
        for annotation in store.annotations(study).map_err(unreadable)? {
            match annotation {
                Annotation::KeyImage(image) => key_images.push(image),
                Annotation::Measurement(measurement) => {
                    measurements.push(MeasurementResult { measurement, result: Err("not measured".into()) });
                }
            }
        }
        Ok((key_images, measurements))
    }
}

/// What the list knows of a study whose files have not changed since.
fn as_listed(study: &Study, listed: Option<&Listed>, sha256: &str) -> Option<Analysis> {
    let series = listed?.series.as_ref()?;
    let is_same = series.fingerprint.is_some() && series.fingerprint == study_fingerprint(study);
    let current = series.preprocessing == PREPROCESSING_VERSION;
    let analysis = series.analysis.clone().filter(|kept| is_same && current && kept.model().sha256 == sha256)?;
    KeptAnalysis::of_study(analysis, &study.uid)
}

/// Measures what was laid on the studies: the places are kept, the results are computed from the pixels.
pub(super) fn measure(results: &mut [StudyResult]) {
    for result in results.iter_mut().filter(|result| !result.measurements.is_empty()) {
        let mut volumes: HashMap<Uid, Result<Volume, SensitiveText>> = HashMap::new();
        for measured in &mut result.measurements {
            let uid = measured.measurement.series.clone();
            let volume = volumes.entry(uid.clone()).or_insert_with(|| {
                let series = result.study.series.iter().filter(|series| series.uid == uid);
                let series = series.max_by_key(|series| series.instances.len());
                let series = series.ok_or("its series is not in the study's files any more")?;
                dicom::load_volume(series, &Cancel::new(), &|_, _| {}).map_err(|error| error.told())
            });
            measured.result = match volume {
                Ok(volume) => {
                    measured.measurement.measure(volume).map_err(|refusal| SensitiveText::plain(refusal.to_string()))
                }
                Err(problem) => Err(problem.clone()),
            };
        }
    }
}
