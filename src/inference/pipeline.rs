//! One study through the network, series by series: look up what is kept, load, run, keep, and go on until nothing can be added.
//!
//! The background worker and the commands without a screen use the same code; they differ in where volumes come from and in who interrupts.

use super::analyse::{Analyser, AnalysisError, Step, to_keep};
use super::content::content_hash;
use super::package::Package;
use super::preprocess::PREPROCESSING_VERSION;
use super::reports::Reports;
use super::session::Interrupt;
use crate::dicom::LoadError;
use crate::domain::{
    Analysis, Candidate, Completeness, ContentHash, FractureReport, KeptAnalysis, ModelIdentity, NotAnalysed,
    Provenance, ReportKey, Series, SeriesOutcome, SeriesRun, Study, Uid, Volume, conclude, merge, next_series,
    plan_series,
};
use crate::task::Cancel;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// The key under which a model's report of a series is kept.
#[must_use]
pub fn report_key(series: &Series, sha256: &str) -> ReportKey {
    ReportKey {
        series: series.uid.clone(),
        stack: series.stack_index,
        model: sha256.to_owned(),
        preprocessing: PREPROCESSING_VERSION,
    }
}

/// The analysis was told to stop; what was done so far is kept in its [`StudyRun`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// A study on its way through the network. It can be interrupted and goes on from where it was.
#[derive(Debug)]
pub struct StudyRun {
    plan: Vec<Candidate>,
    done: Vec<SeriesRun>,
    current: Option<Current>,
}

/// The series that the network is at.
#[derive(Debug)]
struct Current {
    series: usize,
    content: ContentHash,
    analyser: Analyser,
}

/// What comes next.
pub enum Turn<V> {
    /// The network runs over this volume.
    Network(V),
    /// The study is over.
    Over(Analysis),
}

impl StudyRun {
    /// A study of which nothing is done yet; `first` is the series to begin with, if it can be analyzed.
    ///
    /// # Errors
    /// The reason if no series can be analyzed.
    pub fn new(study: &Study, first: Option<usize>) -> Result<Self, NotAnalysed> {
        Ok(Self { plan: plan_series(study, first)?, done: Vec::new(), current: None })
    }

    /// Takes kept reports and loads volumes until a series needs the network or the study is over. A kept report of the same graph with other
    /// thresholds is not taken: they are the manifest's, and the key names the graph only.
    ///
    /// # Errors
    /// When `load` was cancelled.
    pub fn advance<V: Deref<Target = Volume>>(
        &mut self,
        study: &Study,
        model: &Arc<ModelIdentity>,
        reports: &dyn Reports,
        load: &mut dyn FnMut(&Series) -> Result<V, LoadError>,
    ) -> Result<Turn<V>, Stopped> {
        loop {
            let interrupted = self.current.as_ref().map(|current| current.series);
            let Some(index) = interrupted.or_else(|| next_series(study, &self.plan, &self.done)) else {
                return Ok(Turn::Over(conclude(study, &self.plan, &self.done, model)));
            };
            let Some(series) = study.series.get(index) else {
                self.finished(index, SeriesOutcome::Failed("the series is gone; scan the folder again".into()));
                continue;
            };
            let key = report_key(series, &model.sha256);
            if interrupted.is_none() {
                let kept = series.fingerprint.and_then(|files| reports.of_files(&key, files));
                let kept = kept.filter(|kept| kept.model().thresholds == model.thresholds);
                if let Some(outcome) = kept.and_then(|kept| outcome_of(kept, series, &study.uid)) {
                    self.finished(index, outcome);
                    continue;
                }
            }
            let begun = Instant::now();
            // A file that trips a decoder costs its series, not the study.
            let loaded = catch_unwind(AssertUnwindSafe(|| load(series)));
            let volume = match loaded {
                Ok(Ok(volume)) => volume,
                Ok(Err(LoadError::Cancelled)) => return Err(Stopped),
                Ok(Err(error)) => {
                    self.finished(index, SeriesOutcome::Failed(error.told()));
                    continue;
                }
                Err(_) => {
                    let problem = "internal error while loading this series";
                    self.finished(index, SeriesOutcome::Failed(problem.into()));
                    continue;
                }
            };
            if interrupted.is_some() {
                return Ok(Turn::Network(volume));
            }
            let content = content_hash(&volume);
            let kept = reports.of_content(&key, series.fingerprint, content);
            let kept = kept.filter(|kept| kept.model().thresholds == model.thresholds);
            if let Some(outcome) = kept.and_then(|kept| outcome_of(kept, series, &study.uid)) {
                self.finished(index, outcome);
                continue;
            }
            let mut analyser = Analyser::new();
            analyser.loaded_in(begun.elapsed());
            self.current = Some(Current { series: index, content, analyser });
            return Ok(Turn::Network(volume));
        }
    }

    /// Runs the network over the volume that [`StudyRun::advance`] gave; `each` hears of every batch.
    ///
    /// # Errors
    /// When it was interrupted.
    pub(super) fn run(
        &mut self,
        study: &Study,
        package: &mut Package,
        volume: &Volume,
        reports: &dyn Reports,
        interrupt: &Interrupt,
        each: &mut dyn FnMut(&SoFar<'_>, Step),
    ) -> Result<(), Stopped> {
        let Some(Current { series: index, content, mut analyser }) = self.current.take() else { return Ok(()) };
        let Some(series) = study.series.get(index) else { return Ok(()) };
        let (manifest, identity) = (package.manifest.clone(), Arc::clone(&package.identity));
        let before = before(&self.done);
        let report = |analyser: &Analyser| analyser.report(&manifest, &identity, volume, &study.uid);
        let run = analyser.run(package, volume, interrupt, &mut |analyser, step| {
            let whole = Step { done: before + step.done, total: before + step.total };
            each(&SoFar { done: &self.done, series, step: whole, report: &|| report(analyser).ok() }, whole);
        });
        let outcome = run.and_then(|()| report(&analyser).map_err(AnalysisError::Declined));
        if outcome == Err(AnalysisError::Interrupted) {
            self.current = Some(Current { series: index, content, analyser });
            return Err(Stopped);
        }
        let outcome = outcome.map(|report| Arc::new(placed(report, series)));
        if let Some(kept) = to_keep(&outcome, &identity) {
            reports.keep(&report_key(series, &identity.sha256), series.fingerprint, content, &kept);
        }
        if let Ok(report) = &outcome {
            reports.keep_thumbnail(volume, report);
        }
        self.finished(
            index,
            match outcome {
                Ok(report) => SeriesOutcome::Report(report),
                Err(AnalysisError::Declined(reason)) => SeriesOutcome::Declined(reason),
                Err(AnalysisError::Failed(problem)) => SeriesOutcome::Failed(problem),
                Err(AnalysisError::Interrupted) => SeriesOutcome::Failed("interrupted".into()),
            },
        );
        Ok(())
    }

    /// As the worker runs the network, for a caller that only wants to know how far it is.
    ///
    /// # Errors
    /// When it was told to stop.
    pub fn run_unless(
        &mut self,
        study: &Study,
        package: &mut Package,
        volume: &Volume,
        reports: &dyn Reports,
        cancel: &Cancel,
        each: &mut dyn FnMut(Step),
    ) -> Result<(), Stopped> {
        self.run(study, package, volume, reports, &Interrupt::by(cancel), &mut |_, step| each(step))
    }

    /// The result of the series that are done, while another one follows; `None` if none is to follow or nothing is known yet.
    pub(super) fn so_far(&self, study: &Study) -> Option<FractureReport> {
        let next = next_series(study, &self.plan, &self.done)?;
        let coming = study.series.get(next).map_or(0, |series| series.instances.len());
        let done = before(&self.done);
        let report = merge(&reports_of(&self.done), Vec::new())?;
        Some(FractureReport { completeness: Completeness::Preliminary { done, total: done + coming }, ..report })
    }

    fn finished(&mut self, series: usize, outcome: SeriesOutcome) {
        self.current = None;
        self.done.push(SeriesRun { series, outcome });
    }
}

/// What is known of a study while the network is at one of its series.
pub(super) struct SoFar<'r> {
    done: &'r [SeriesRun],
    series: &'r Series,
    step: Step,
    report: &'r dyn Fn() -> Option<FractureReport>,
}

impl SoFar<'_> {
    /// The preliminary result; `None` if nothing was seen yet.
    pub(super) fn report(&self) -> Option<FractureReport> {
        let current = (self.report)().map(|report| Arc::new(placed(report, self.series)));
        let mut all = reports_of(self.done);
        all.extend(current);
        let Step { done, total } = self.step;
        let report = merge(&all, Vec::new())?;
        Some(FractureReport { completeness: Completeness::Preliminary { done, total }, ..report })
    }
}

fn reports_of(done: &[SeriesRun]) -> Vec<Arc<FractureReport>> {
    let report = |run: &SeriesRun| match &run.outcome {
        SeriesOutcome::Report(report) => Some(Arc::clone(report)),
        SeriesOutcome::Declined(_) | SeriesOutcome::Failed(_) => None,
    };
    done.iter().filter_map(report).collect()
}

/// Slices that the network has seen in the series before.
fn before(done: &[SeriesRun]) -> usize {
    reports_of(done).iter().map(|report| report.slices.len()).sum()
}

/// A report with the series that it is about.
fn placed(report: FractureReport, series: &Series) -> FractureReport {
    let frame = &series.frame_of_reference;
    FractureReport {
        provenance: Provenance {
            stack_index: series.stack_index,
            frame_of_reference: (!frame.is_empty()).then(|| frame.clone()),
            ..report.provenance
        },
        ..report
    }
}

/// What was kept of a series, as its outcome; `None` for a report of another study.
pub fn outcome_of(kept: KeptAnalysis, series: &Series, study: &Uid) -> Option<SeriesOutcome> {
    match kept.of_study(study)? {
        Analysis::Analysed(report) => Some(SeriesOutcome::Report(if report.is_of(series) {
            report
        } else {
            Arc::new(placed(FractureReport::clone(&report), series))
        })),
        Analysis::Declined(declined) => Some(SeriesOutcome::Declined(declined.reason)),
        Analysis::NotAnalysed(_) | Analysis::Failed(_) => None,
    }
}
