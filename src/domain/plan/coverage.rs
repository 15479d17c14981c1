//! Whether a series can show something that the series before it do not.

use super::{SeriesOutcome, SeriesRun};
use crate::domain::{
    Candidate, CervicalLevel, FractureReport, LevelExtent, LevelOutcome, Series, SeriesKind, Study, ZRange,
    series_extent,
};
use std::fmt;

/// A new stretch shorter than this, mm, holds no level: vertebral bodies of C3 to C7 measure 11 mm and more.
const GAIN_MM: f64 = 10.0;
/// A series must reach so far past both ends of a level, mm, to show the whole of one that another series cuts off.
const PAST_MM: f64 = 4.0;
/// More than the distance between neighboring levels, mm, and what is added once for C1 and C2, which are taller together.
const LEVEL_MM: f64 = 25.0;
const TALLER_MM: f64 = 20.0;
/// The ranges of one scan's reconstructions end this near to each other, mm.
const SAME_END_MM: f64 = 5.0;

/// Whether the analysis of a series can add to what others have shown.
pub(super) fn adds(study: &Study, candidate: usize, done: &[SeriesRun]) -> bool {
    let Some(series) = study.series.get(candidate) else { return false };
    let missing = missing(done);
    if missing.is_empty() {
        return false;
    }
    let extent = series_extent(series);
    let looks: Vec<&SeriesRun> = done.iter().filter(|run| run.outcome.is_look()).collect();
    let comparable: Vec<&SeriesRun> = looks
        .into_iter()
        .filter(|run| study.series.get(run.series).is_some_and(|other| are_comparable(series, other)))
        .collect();
    if comparable.is_empty() || extent.is_empty() {
        return true;
    }
    let covered: Vec<ZRange> = comparable.iter().flat_map(|run| covered(study, run)).collect();
    missing.into_iter().any(|level| {
        let completes = comparable.iter().any(|run| completes(&extent, run, level));
        let place = place(level, &comparable);
        completes || longest_new(&extent, place, &covered) >= GAIN_MM
    })
}

/// Levels that no report shows whole.
pub(super) fn missing(done: &[SeriesRun]) -> Vec<CervicalLevel> {
    let whole = |level: CervicalLevel| {
        reports(done)
            .any(|report| matches!(report.levels[level].outcome, LevelOutcome::Seen { extent: LevelExtent::Whole, .. }))
    };
    CervicalLevel::ALL.into_iter().filter(|level| !whole(*level)).collect()
}

fn reports(done: &[SeriesRun]) -> impl Iterator<Item = &FractureReport> {
    done.iter().filter_map(|run| report(run))
}

fn report(run: &SeriesRun) -> Option<&FractureReport> {
    match &run.outcome {
        SeriesOutcome::Report(report) => Some(report),
        SeriesOutcome::Declined(_) | SeriesOutcome::Failed(_) => None,
    }
}

/// The stretches that the network has looked at in a series: those of the decoded volume, if they are known.
fn covered(study: &Study, run: &SeriesRun) -> Vec<ZRange> {
    let decoded = report(run).map(|report| report.provenance.scanned.clone()).filter(|ranges| !ranges.is_empty());
    decoded.unwrap_or_else(|| study.series.get(run.series).map(series_extent).unwrap_or_default())
}

/// Whether positions of two series can be compared: they share a patient system, or neither names one and they cover the same range, as
/// reconstructions of one scan do.
fn are_comparable(candidate: &Series, other: &Series) -> bool {
    if candidate.shares_frame_with(other) {
        return true;
    }
    if !candidate.frame_of_reference.is_empty() || !other.frame_of_reference.is_empty() {
        return false;
    }
    let Some((own, others)) = hull(candidate).zip(hull(other)) else { return false };
    let tolerance = candidate.slice_spacing().unwrap_or(0.0).max(SAME_END_MM);
    // Reformats may be shorter than the scan they are made from.
    let is_reformat = candidate.kind != SeriesKind::Axial;
    others.grown(tolerance).contains(own) && (is_reformat || own.grown(tolerance).contains(others))
}

/// The stretch from the first to the last end of a series.
pub(super) fn hull(series: &Series) -> Option<ZRange> {
    let whole = |a: ZRange, b: ZRange| ZRange { caudal: a.caudal.min(b.caudal), cranial: a.cranial.max(b.cranial) };
    series_extent(series).into_iter().reduce(whole)
}

/// Whether a series reaches past both ends of a level that another series shows in part.
fn completes(extent: &[ZRange], run: &SeriesRun, level: CervicalLevel) -> bool {
    let span = report(run).and_then(|report| span(report, level));
    span.is_some_and(|span| extent.iter().any(|range| range.contains(span.grown(PAST_MM))))
}

/// Where a level is seen, LPS z in mm.
fn span(report: &FractureReport, level: CervicalLevel) -> Option<ZRange> {
    report.levels[level].probability()?;
    let shows = report.slices.iter().filter(|slice| slice.score.vertebra[level].value() >= 0.5);
    let ends = |sum: Option<ZRange>, z: f64| {
        let here = ZRange::between(z, z)?;
        Some(sum.map_or(here, |sum| ZRange { caudal: sum.caudal.min(z), cranial: sum.cranial.max(z) }))
    };
    shows.filter_map(|slice| slice.position_mm).fold(None, ends)
}

/// Where a level that is not shown whole can be, from the levels that are seen.
fn place(level: CervicalLevel, looks: &[&SeriesRun]) -> ZRange {
    let mut place = ZRange { caudal: f64::NEG_INFINITY, cranial: f64::INFINITY };
    for report in looks.iter().filter_map(|run| report(run)) {
        for other in CervicalLevel::ALL {
            let Some(span) = span(report, other) else { continue };
            let reach = other.index().abs_diff(level.index()) as f64 * LEVEL_MM + TALLER_MM;
            let here = match other.cmp(&level) {
                std::cmp::Ordering::Less => ZRange { caudal: span.caudal - reach, cranial: span.cranial },
                std::cmp::Ordering::Equal => span.grown(reach),
                std::cmp::Ordering::Greater => ZRange { caudal: span.caudal, cranial: span.cranial + reach },
            };
            // Two series that contradict each other leave the place open.
            place = place.intersection(here).unwrap_or(place);
        }
    }
    place
}

/// The longest stretch, mm, of a series within a place that is not covered yet.
fn longest_new(extent: &[ZRange], place: ZRange, covered: &[ZRange]) -> f64 {
    let here = extent.iter().filter_map(|range| range.intersection(place));
    here.flat_map(|range| range.without(covered)).map(ZRange::length).fold(0.0, f64::max)
}

/// What a series is in the plan, as far as the headers tell.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesRole {
    /// Analyzed first.
    First,
    /// Analyzed if levels are missing: it covers so many mm that the series before it do not.
    Adds(u32),
    /// Analyzed if levels are missing: it is in another patient system, so that what it adds is not known.
    MayAdd,
    /// Analyzed only if the series at this index of the study cannot be: it covers the same range.
    Substitute(usize),
}

impl fmt::Display for SeriesRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first"),
            Self::Adds(mm) => write!(f, "if levels are missing; covers {mm} mm more"),
            Self::MayAdd => f.write_str("if levels are missing; its positions cannot be compared"),
            Self::Substitute(other) => {
                let other = other + 1;
                write!(f, "only if series {other} cannot be analyzed or cuts off a level; covers the same range")
            }
        }
    }
}

/// The role of each planned series, in the plan's order.
#[must_use]
pub fn series_roles(study: &Study, plan: &[Candidate]) -> Vec<SeriesRole> {
    let mut roles = Vec::with_capacity(plan.len());
    let mut counted: Vec<usize> = Vec::new();
    for planned in plan {
        let Some(series) = study.series.get(planned.series) else { continue };
        let comparable: Vec<usize> = counted
            .iter()
            .copied()
            .filter(|other| study.series.get(*other).is_some_and(|other| are_comparable(series, other)))
            .collect();
        let extent = series_extent(series);
        let covered: Vec<ZRange> =
            comparable.iter().filter_map(|other| study.series.get(*other)).flat_map(series_extent).collect();
        let everywhere = ZRange { caudal: f64::NEG_INFINITY, cranial: f64::INFINITY };
        let new = longest_new(&extent, everywhere, &covered);
        let overlap = |other: &usize| {
            let others = study.series.get(*other).map(series_extent).unwrap_or_default();
            let both = extent.iter().flat_map(|own| others.iter().filter_map(|other| own.intersection(*other)));
            both.map(ZRange::length).sum::<f64>()
        };
        let nearest = comparable.iter().copied().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
        let role = match nearest {
            None if counted.is_empty() => SeriesRole::First,
            None => SeriesRole::MayAdd,
            Some(_) if new >= GAIN_MM => SeriesRole::Adds(new.round() as u32),
            Some(other) => SeriesRole::Substitute(other),
        };
        if !matches!(role, SeriesRole::Substitute(_)) {
            counted.push(planned.series);
        }
        roles.push(role);
    }
    roles
}
