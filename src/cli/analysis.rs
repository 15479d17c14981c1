//! Analyses for commands without a screen: through the same code as the background worker.

use super::CliError;
use super::compute::ComputeArgs;
use crate::dicom::{self, LoadError};
use crate::domain::{
    Analysis, ContentHash, Declined, Fingerprint, FractureReport, ModelIdentity, ReportKey, Series, Study, Volume,
    choose_series,
};
use crate::inference::{
    Analyser, AnalysisError, Compute, ModelSource, NoReports, PREPROCESSING_VERSION, Package, Reports, Step,
    content_hash, to_keep,
};
use crate::task::Cancel;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Loads a package, the built-in one without a folder.
///
/// # Errors
/// The package cannot be used, or there is no ONNX Runtime.
pub(super) fn load_package(model: Option<&Path>, compute: Compute) -> Result<Package, CliError> {
    let source = model.map_or(ModelSource::Embedded, |folder| ModelSource::Folder(folder.to_owned()));
    let folders = crate::config::Folders::find();
    let package = Package::load(&source, folders.cache.as_deref(), compute)
        .map_err(|error| CliError::failed("nothing can be analysed", error.to_string()))?;
    for notice in &package.notices {
        eprintln!("{notice}");
    }
    Ok(package)
}

/// What a study says that was not analysed to its end because the program was told to stop.
pub(super) const STOPPED: &str = "stopped";

/// Whose report it is that a model makes of a series.
pub(super) fn report_key(series: &Series, sha256: &str) -> ReportKey {
    ReportKey {
        series: series.uid.clone(),
        stack: series.stack_index,
        model: sha256.to_owned(),
        preprocessing: PREPROCESSING_VERSION,
    }
}

/// A study that was read.
pub(super) enum ReadStudy {
    /// Its end is known without the network: its report is kept, or there is nothing to analyse.
    Ended(Analysis),
    /// It is the network's turn.
    Volume(Box<ReadVolume>),
}

/// A volume on its way to the network.
pub(super) struct ReadVolume {
    volume: Volume,
    content: ContentHash,
    key: ReportKey,
    files: Option<Fingerprint>,
    analyser: Analyser,
}

/// Bytes of voxels that [`read_study`] will hold of a study.
pub(super) fn voxel_bytes(study: &Study) -> usize {
    let series = choose_series(study).ok().map(|candidate| &study.series[candidate.series]);
    let slices = series.into_iter().flat_map(|series| &series.instances);
    slices.map(|slice| (slice.rows as usize).saturating_mul(slice.columns as usize).saturating_mul(2)).sum()
}

/// Reads the series that the rules choose, unless its report by this model is kept already, or it is told to stop: it has failed then,
/// being [`STOPPED`].
pub(super) fn read_study(model: &ModelIdentity, study: &Study, reports: &dyn Reports, cancel: &Cancel) -> ReadStudy {
    let series = match choose_series(study) {
        Ok(candidate) => &study.series[candidate.series],
        Err(reason) => return ReadStudy::Ended(Analysis::NotAnalysed(reason)),
    };
    let key = report_key(series, &model.sha256);
    let kept = series.fingerprint.and_then(|files| reports.of_files(&key, files));
    if let Some(analysis) = kept.and_then(|kept| kept.of_study(&study.uid)) {
        return ReadStudy::Ended(analysis);
    }
    let begun = Instant::now();
    let volume = match dicom::load_volume(series, cancel, &|_, _| {}) {
        Ok(volume) => volume,
        Err(LoadError::Cancelled) => return ReadStudy::Ended(Analysis::Failed(STOPPED.into())),
        Err(error) => return ReadStudy::Ended(Analysis::Failed(error.told())),
    };
    let mut analyser = Analyser::new();
    analyser.loaded_in(begun.elapsed());
    let content = content_hash(&volume);
    let kept = reports.of_content(&key, series.fingerprint, content);
    match kept.and_then(|kept| kept.of_study(&study.uid)) {
        Some(analysis) => ReadStudy::Ended(analysis),
        None => ReadStudy::Volume(Box::new(ReadVolume { volume, content, key, files: series.fingerprint, analyser })),
    }
}

/// Runs the network over a volume that was read, unless it is told to stop, as in [`read_study`]; the report is kept.
pub(super) fn analyse_read(
    package: &mut Package,
    study: &Study,
    read: ReadVolume,
    reports: &dyn Reports,
    cancel: &Cancel,
    each: &mut dyn FnMut(Step),
) -> Analysis {
    let ReadVolume { volume, content, key, files, mut analyser } = read;
    let outcome = analyser.finish_unless(package, &volume, &study.uid, cancel, each).map(Arc::new);
    if let Some(kept) = to_keep(&outcome, &package.identity) {
        reports.keep(&key, files, content, &kept);
    }
    match outcome {
        Ok(report) => Analysis::Analysed(report),
        Err(AnalysisError::Declined(reason)) => {
            Analysis::Declined(Declined { reason, model: Arc::clone(&package.identity) })
        }
        Err(AnalysisError::Failed(problem)) => Analysis::Failed(problem),
        Err(AnalysisError::Interrupted) => Analysis::Failed(STOPPED.into()),
    }
}

/// Analyses the series that the rules choose.
pub(super) fn analyse_study(package: &mut Package, study: &Study, each: &mut dyn FnMut(Step)) -> Analysis {
    match read_study(&package.identity, study, &NoReports, &Cancel::new()) {
        ReadStudy::Ended(analysis) => analysis,
        ReadStudy::Volume(read) => analyse_read(package, study, *read, &NoReports, &Cancel::new(), each),
    }
}

/// Analyses a volume that is loaded already.
///
/// # Errors
/// No package, or a volume that is not analysed.
pub(super) fn analyse_volume(study: &Study, volume: &Volume, model: Option<&Path>) -> Result<FractureReport, CliError> {
    let mut package = load_package(model, ComputeArgs::default().of_command()?)?;
    Analyser::new()
        .finish(&mut package, volume, &study.uid, &mut |_| {})
        .map_err(|error| CliError::failed("no overlay", error))
}
