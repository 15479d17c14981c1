//! What the outcomes of a study's series come to.

use super::coverage::{adds, missing};
use super::{MAX_SERIES, SeriesOutcome, SeriesRun, is_verdict, wanted};
use crate::domain::{
    Analysis, Candidate, Declined, FractureReport, Modality, ModelIdentity, NotAnalysed, SensitiveText, Series,
    SeriesFailure, Study, merge, suitable,
};
use std::sync::Arc;

/// The result of a study: the merged reports, with the series that may show what is missing and were not analyzed.
#[must_use]
pub fn conclude(study: &Study, plan: &[Candidate], done: &[SeriesRun], model: &Arc<ModelIdentity>) -> Analysis {
    let reports: Vec<Arc<FractureReport>> = done.iter().filter_map(report).collect();
    let failures = failures(study, plan, done);
    if let [only] = reports.as_slice()
        && failures.is_empty()
    {
        return Analysis::Analysed(Arc::clone(only));
    }
    if let Some(merged) = merge(&reports, failures.clone()) {
        return Analysis::Analysed(Arc::new(merged));
    }
    if let [SeriesRun { outcome: SeriesOutcome::Failed(reason), .. }] = done {
        return Analysis::Failed(reason.clone());
    }
    let declined =
        |reason: &NotAnalysed| Analysis::Declined(Declined { reason: reason.clone(), model: Arc::clone(model) });
    let reasons = || done.iter().filter_map(reason);
    let verdict = reasons().find(|reason| is_verdict(reason));
    let has_failed = done.iter().any(|run| matches!(run.outcome, SeriesOutcome::Failed(_)));
    match (verdict, reasons().next()) {
        // Nothing is left that may show a neck.
        (Some(reason), _) if failures.is_empty() => declined(reason),
        // No series can be analyzed, the best one for this reason.
        (None, Some(reason)) if !has_failed => declined(reason),
        (verdict, _) => {
            let found = verdict.map(|reason| format!("{reason} in the other series; ")).unwrap_or_default();
            let first = SensitiveText::plain(found);
            let all = failures.into_iter().enumerate().fold(first, |text, (at, SeriesFailure { number, reason })| {
                text.words(format!("{}series {number}: ", if at == 0 { "" } else { "; " })).then(reason)
            });
            Analysis::Failed(all)
        }
    }
}

fn reason(run: &SeriesRun) -> Option<&NotAnalysed> {
    match &run.outcome {
        SeriesOutcome::Declined(reason) => Some(reason),
        SeriesOutcome::Report(_) | SeriesOutcome::Failed(_) => None,
    }
}

fn report(run: &SeriesRun) -> Option<Arc<FractureReport>> {
    match &run.outcome {
        SeriesOutcome::Report(report) => Some(Arc::clone(report)),
        SeriesOutcome::Declined(_) | SeriesOutcome::Failed(_) => None,
    }
}

/// The series that may show a missing level and were not analyzed: those that failed, those that the limit left out, and those whose
/// headers rule them out for want of something other than a neck.
fn failures(study: &Study, plan: &[Candidate], done: &[SeriesRun]) -> Vec<SeriesFailure> {
    if missing(done).is_empty() {
        return Vec::new();
    }
    let failed = done.iter().filter_map(|run| {
        let reason = match &run.outcome {
            SeriesOutcome::Failed(reason) => reason.clone(),
            SeriesOutcome::Declined(reason) if !is_verdict(reason) => told(reason),
            SeriesOutcome::Declined(_) | SeriesOutcome::Report(_) => return None,
        };
        adds(study, run.series, done).then_some((run.series, reason))
    });
    let left_out = wanted(study, plan, done).map(|series| {
        let words =
            format!("not analyzed, {MAX_SERIES} series of the study were analyzed before it; A analyzes it first");
        (series, SensitiveText::plain(words))
    });
    let ruled_out = study.series.iter().enumerate().filter_map(|(index, series)| {
        let reason = suitable(series).err()?;
        (may_show_a_neck(series, &reason) && adds(study, index, done)).then(|| (index, told(&reason)))
    });
    let mut all: Vec<(usize, SensitiveText)> = failed.chain(left_out).chain(ruled_out).collect();
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(index, reason)| SeriesFailure { number: index + 1, reason }).collect()
}

/// A reason whose reader is not known yet: what the files themselves say in it is private.
fn told(reason: &NotAnalysed) -> SensitiveText {
    if reason.anonymous() == *reason { SensitiveText::plain(reason.to_string()) } else { reason.to_string().into() }
}

/// Whether a series that its headers rule out may show the neck all the same: a scan, not what was made from one.
fn may_show_a_neck(series: &Series, reason: &NotAnalysed) -> bool {
    let image_type = series.hints.image_type.as_str().to_uppercase();
    let is_scan = image_type.is_empty() || (image_type.starts_with("ORIGINAL") && !image_type.contains("SECONDARY"));
    // A few images are a localizer or a bolus tracker.
    let is_stack = series.instances.len() >= 10;
    let is_ct = matches!(series.modality, Modality::Ct | Modality::Unstated);
    let may = match reason {
        NotAnalysed::NoGeometry(_)
        | NotAnalysed::Ambiguous(_)
        | NotAnalysed::NotHounsfield(_)
        | NotAnalysed::Unsupported(_) => true,
        NotAnalysed::NotCt(_)
        | NotAnalysed::NoPictures
        | NotAnalysed::NoAxialSeries
        | NotAnalysed::OnlyLocalizers
        | NotAnalysed::TooFewSlices(_)
        | NotAnalysed::TooShort(_)
        | NotAnalysed::TooNarrow(_)
        | NotAnalysed::Projection
        | NotAnalysed::NoCervicalSpine
        | NotAnalysed::NoCervicalSpineIn(_) => false,
    };
    may && is_scan && is_stack && is_ct
}
