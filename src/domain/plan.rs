//! Which series of a study are analyzed, one after the other, until every level that any of them shows is covered.
//!
//! One head-to-foot range is analyzed once: a bone and a soft reconstruction of one scan, and the reformats made from them, show the same
//! levels. Another series is analyzed if it reaches where a level is missing, or if the series before it could not be analyzed.

mod coverage;
mod outcome;

pub use coverage::{SeriesRole, series_roles};
pub use outcome::conclude;

use super::scoring::score;
use super::{
    Candidate, Fingerprint, FractureReport, Modality, NotAnalysed, SensitiveText, Series, SeriesKind, Study,
    choose_series, explain, suitable,
};
use coverage::adds;
use std::sync::Arc;

/// Series of one study that are analyzed at most.
pub const MAX_SERIES: usize = 6;

/// How the analysis of one series ended.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesOutcome {
    /// With a report.
    Report(Arc<FractureReport>),
    /// The model, or what its pixels turned out to be, declines it.
    Declined(NotAnalysed),
    /// It could not be decoded, or the network failed.
    Failed(SensitiveText),
}

impl SeriesOutcome {
    /// Whether the network has looked at the series, so that nothing new is to be found in its range.
    fn is_look(&self) -> bool {
        match self {
            Self::Report(_) => true,
            Self::Declined(reason) => is_verdict(reason),
            Self::Failed(_) => false,
        }
    }
}

/// Whether a series was declined for what it shows, and not for how it was made.
fn is_verdict(reason: &NotAnalysed) -> bool {
    match reason {
        NotAnalysed::NoCervicalSpine | NotAnalysed::NoCervicalSpineIn(_) => true,
        NotAnalysed::NotCt(_)
        | NotAnalysed::NoPictures
        | NotAnalysed::NoAxialSeries
        | NotAnalysed::OnlyLocalizers
        | NotAnalysed::TooFewSlices(_)
        | NotAnalysed::TooShort(_)
        | NotAnalysed::TooNarrow(_)
        | NotAnalysed::Projection
        | NotAnalysed::NoGeometry(_)
        | NotAnalysed::Ambiguous(_)
        | NotAnalysed::NotHounsfield(_)
        | NotAnalysed::Unsupported(_) => false,
    }
}

/// A series that was analyzed, with the outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesRun {
    /// Index into [`Study::series`].
    pub series: usize,
    /// How it ended.
    pub outcome: SeriesOutcome,
}

/// The series that can be analyzed, in order of preference: `first` if it is one of them, then by their points.
///
/// # Errors
/// The reason if no series can be analyzed, from the series that comes nearest.
pub fn plan_series(study: &Study, first: Option<usize>) -> Result<Vec<Candidate>, NotAnalysed> {
    // Points and reasons are those of the choice of one series.
    choose_series(study)?;
    let mut ranked: Vec<(bool, i32, usize, &Series)> = Vec::new();
    for (index, series) in study.series.iter().enumerate().filter(|(_, series)| suitable(series).is_ok()) {
        ranked.push((first == Some(index), score(series).total(), index, series));
    }
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2)));
    let planned =
        |(.., index, series): (bool, i32, usize, &Series)| Candidate { series: index, explanation: explain(series) };
    Ok(ranked.into_iter().map(planned).collect())
}

/// The next series to analyze, given what became of those before; `None` if every level is covered, nothing can be added, or
/// [`MAX_SERIES`] were analyzed.
#[must_use]
pub fn next_series(study: &Study, plan: &[Candidate], done: &[SeriesRun]) -> Option<usize> {
    if done.len() >= MAX_SERIES { None } else { wanted(study, plan, done).next() }
}

/// The series that would add to what is known, best first.
fn wanted<'p>(study: &'p Study, plan: &'p [Candidate], done: &'p [SeriesRun]) -> impl Iterator<Item = usize> + 'p {
    let open = |series: &usize| done.iter().all(|run| run.series != *series);
    let candidates = plan.iter().map(|planned| planned.series);
    candidates.filter(open).filter(|series| adds(study, *series, done))
}

/// What the files come to of all series that the analysis of a study depends on; `None` if one is unknown.
#[must_use]
pub fn study_fingerprint(study: &Study) -> Option<Fingerprint> {
    let mut files = study.series.iter().filter(|series| depends_on(series)).map(|series| series.fingerprint);
    let first = files.next()??;
    // The parts are hashes: their sum changes with any of them, and not with their order.
    files.try_fold(first, |sum, one| {
        let sum = u128::from_le_bytes(sum.0).wrapping_add(u128::from_le_bytes(one?.0));
        Some(Fingerprint(sum.to_le_bytes()))
    })
}

/// Slices of all series that the analysis of a study depends on.
#[must_use]
pub fn study_slices(study: &Study) -> usize {
    study.series.iter().filter(|series| depends_on(series)).map(|series| series.instances.len()).sum()
}

/// Whether a series can be analyzed, or could be but for its headers.
fn depends_on(series: &Series) -> bool {
    match (&series.modality, series.kind) {
        (Modality::Other(_), _) | (_, SeriesKind::Localizer | SeriesKind::NoPixels) => false,
        (
            Modality::Ct | Modality::Unstated,
            SeriesKind::Axial | SeriesKind::Sagittal | SeriesKind::Coronal | SeriesKind::Unpositioned,
        ) => true,
    }
}

#[cfg(test)]
mod tests;
