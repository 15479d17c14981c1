//! Analyses for commands without a screen: through the same code as the background worker.

use super::CliError;
use crate::dicom::{self, LoadError};
use crate::domain::{Analysis, FractureReport, Study, Volume, choose_series};
use crate::inference::{Analyser, AnalysisError, ModelSource, Package, Step};
use crate::task::Cancel;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Loads a package, the built-in one without a folder.
///
/// # Errors
/// The package cannot be used, or there is no ONNX Runtime.
pub(super) fn load_package(model: Option<&Path>) -> Result<Package, CliError> {
    let source = model.map_or(ModelSource::Embedded, |folder| ModelSource::Folder(folder.to_owned()));
    let folders = crate::config::Folders::find();
    Package::load(&source, folders.cache.as_deref())
        .map_err(|error| CliError::failed("nothing can be analysed", error.to_string()))
}

/// Analyses the series that the rules choose.
pub(super) fn analyse_study(package: &mut Package, study: &Study, each: &mut dyn FnMut(Step)) -> Analysis {
    let candidate = match choose_series(study) {
        Ok(candidate) => candidate,
        Err(reason) => return Analysis::NotAnalysed(reason),
    };
    let begun = Instant::now();
    let volume = match dicom::load_volume(&study.series[candidate.series], &Cancel::new(), &|_, _| {}) {
        Ok(volume) => volume,
        Err(LoadError::Cancelled) => return Analysis::Failed("cancelled".into()),
        Err(error) => return Analysis::Failed(error.to_string()),
    };
    let mut analyser = Analyser::new();
    analyser.loaded_in(begun.elapsed());
    match analyser.finish(package, &volume, &study.uid, each) {
        Ok(report) => Analysis::Analysed(Arc::new(report)),
        Err(AnalysisError::Declined(reason)) => Analysis::NotAnalysed(reason),
        Err(AnalysisError::Failed(problem)) => Analysis::Failed(problem),
        Err(AnalysisError::Interrupted) => Analysis::Failed("interrupted".into()),
    }
}

/// Analyses a volume that is loaded already.
///
/// # Errors
/// No package, or a volume that is not analysed.
pub(super) fn analyse_volume(study: &Study, volume: &Volume, model: Option<&Path>) -> Result<FractureReport, CliError> {
    let mut package = load_package(model)?;
    Analyser::new()
        .finish(&mut package, volume, &study.uid, &mut |_| {})
        .map_err(|error| CliError::failed("no overlay", error))
}
