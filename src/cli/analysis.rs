//! Analyses for commands without a screen: through the same code as the background worker.

use super::CliError;
use super::compute::ComputeArgs;
use crate::dicom;
use crate::domain::{Analysis, FractureReport, ModelIdentity, Series, Study, Volume, plan_series};
use crate::inference::{Analyser, Compute, ModelSource, NoReports, Package, Reports, Step, Stopped, StudyRun, Turn};
use crate::task::Cancel;
use std::path::Path;
use std::sync::Arc;

/// Loads a package, the built-in one without a folder.
///
/// # Errors
/// The package cannot be used, or there is no ONNX Runtime.
pub(super) fn load_package(model: Option<&Path>, compute: Compute) -> Result<Package, CliError> {
    let source = model.map_or(ModelSource::Embedded, |folder| ModelSource::Folder(folder.to_owned()));
    let folders = crate::config::Folders::find();
    let package = Package::load(&source, folders.cache.as_deref(), compute)
        .map_err(|error| CliError::failed("nothing can be analyzed", error.to_string()))?;
    for notice in &package.notices {
        eprintln!("{notice}");
    }
    Ok(package)
}

/// The reason of a study whose analysis was stopped by a signal.
pub(super) const STOPPED: &str = "stopped";

/// A study with its first volume loaded.
pub(super) enum ReadStudy {
    /// Its result is known without the network: its reports are kept, or there is nothing to analyze.
    Ended(Analysis),
    /// It is the network's turn.
    Volume(Box<ReadVolume>),
}

/// A volume on its way to the network, with what is known of its study.
pub(super) struct ReadVolume {
    volume: Box<Volume>,
    run: StudyRun,
}

/// Bytes of voxels that the largest series of a study takes that may be analyzed: one is held at a time.
pub(super) fn voxel_bytes(study: &Study) -> usize {
    let bytes = |series: &Series| {
        let slices = series.instances.iter();
        slices.map(|slice| (slice.rows as usize).saturating_mul(slice.columns as usize).saturating_mul(2)).sum()
    };
    let planned = plan_series(study, None).unwrap_or_default();
    let series = planned.iter().filter_map(|planned| study.series.get(planned.series));
    series.map(bytes).max().unwrap_or(0)
}

/// Loads the first series to be analyzed. A study with stored reports by this model ends without loading; a canceled one ends as
/// failed with [`STOPPED`].
pub(super) fn read_study(
    model: &Arc<ModelIdentity>,
    study: &Study,
    reports: &dyn Reports,
    cancel: &Cancel,
) -> ReadStudy {
    match StudyRun::new(study, None) {
        Ok(run) => advance(run, model, study, reports, cancel),
        Err(reason) => ReadStudy::Ended(Analysis::NotAnalysed(reason)),
    }
}

fn advance(
    mut run: StudyRun,
    model: &Arc<ModelIdentity>,
    study: &Study,
    reports: &dyn Reports,
    cancel: &Cancel,
) -> ReadStudy {
    let mut load = |series: &Series| dicom::load_volume(series, cancel, &|_, _| {}).map(Box::new);
    match run.advance(study, model, reports, &mut load) {
        Ok(Turn::Over(analysis)) => ReadStudy::Ended(analysis),
        Ok(Turn::Network(volume)) => ReadStudy::Volume(Box::new(ReadVolume { volume, run })),
        Err(Stopped) => ReadStudy::Ended(Analysis::Failed(STOPPED.into())),
    }
}

/// Runs the network over a loaded volume and over further series of its study that add to it, and stores the reports. Cancels as
/// [`read_study`] does.
pub(super) fn analyse_read(
    package: &mut Package,
    study: &Study,
    read: ReadVolume,
    reports: &dyn Reports,
    cancel: &Cancel,
    each: &mut dyn FnMut(Step),
) -> Analysis {
    let identity = Arc::clone(&package.identity);
    let mut read = Box::new(read);
    loop {
        let ReadVolume { volume, mut run } = *read;
        if run.run_unless(study, package, &volume, reports, cancel, each) == Err(Stopped) {
            return Analysis::Failed(STOPPED.into());
        }
        // One volume at a time.
        drop(volume);
        match advance(run, &identity, study, reports, cancel) {
            ReadStudy::Ended(analysis) => return analysis,
            ReadStudy::Volume(next) => read = next,
        }
    }
}

/// Analyzes the series that the rules choose.
pub(super) fn analyse_study(package: &mut Package, study: &Study, each: &mut dyn FnMut(Step)) -> Analysis {
    match read_study(&Arc::clone(&package.identity), study, &NoReports, &Cancel::new()) {
        ReadStudy::Ended(analysis) => analysis,
        ReadStudy::Volume(read) => analyse_read(package, study, *read, &NoReports, &Cancel::new(), each),
    }
}

/// Analyses a volume that is loaded already.
///
/// # Errors
/// No package, or a volume that is not analyzed.
pub(super) fn analyse_volume(study: &Study, volume: &Volume, model: Option<&Path>) -> Result<FractureReport, CliError> {
    let mut package = load_package(model, ComputeArgs::default().of_command()?)?;
    Analyser::new()
        .finish(&mut package, volume, &study.uid, &mut |_| {})
        .map_err(|error| CliError::failed("no overlay", error))
}
