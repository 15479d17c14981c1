//! A study's result from the reports of its series.

use super::{Absence, Completeness, FractureReport, Timing};
use crate::domain::{
    CervicalLevel, DistributionCheck, LevelExtent, LevelOutcome, PerLevel, Probability, Repair, ScoredSlice,
    SensitiveText, Series, Study, Uid, ZRange,
};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::sync::Arc;

/// Which part of the patient a report is about, and which series its levels come from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// Which stack of the series was analyzed, from 0.
    pub stack_index: u32,
    /// FrameOfReferenceUID of that series, if it has one.
    pub frame_of_reference: Option<Uid>,
    /// Uninterrupted stretches that the analyzed volume covers; empty if positions are unknown, and in a merged report.
    pub scanned: Vec<ZRange>,
    /// Repairs on which the values of the analyzed voxels depend; empty in a merged report.
    pub repairs: Vec<Repair>,
    /// The reports of the single series, if several were analyzed; empty in the report of one series.
    pub parts: Vec<Arc<FractureReport>>,
    /// Index into `parts` of the report that each seen level comes from.
    pub level_parts: PerLevel<Option<usize>>,
    /// Series that may show what is missing and were not analyzed.
    pub failures: Vec<SeriesFailure>,
    /// Why each level is unseen, in a report without the slices that tell it otherwise.
    pub absences: PerLevel<Option<Absence>>,
}

/// A series that may show a missing level and was not analyzed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesFailure {
    /// Place of the series in the study, from 1.
    pub number: usize,
    /// Why it was not analyzed.
    #[serde(with = "crate::domain::sensitive::as_text")]
    pub reason: SensitiveText,
}

impl FractureReport {
    /// The reports of the single series: this one itself, or those it was merged from.
    pub fn parts(&self) -> impl Iterator<Item = &Self> {
        let own = self.provenance.parts.is_empty().then_some(self);
        own.into_iter().chain(self.provenance.parts.iter().map(|part| &**part))
    }

    /// Whether several series were analyzed.
    #[must_use]
    pub fn is_merged(&self) -> bool {
        !self.provenance.parts.is_empty()
    }

    /// The report that a level comes from; this one itself if one series was analyzed or the level was not seen.
    #[must_use]
    pub fn source(&self, level: CervicalLevel) -> &Self {
        let index = self.provenance.level_parts[level];
        index.and_then(|index| self.provenance.parts.get(index)).map_or(self, |part| &**part)
    }

    /// The report of one series (or one stack of it); `None` if that series was not analyzed.
    #[must_use]
    pub fn of_series(&self, series: &Series) -> Option<&Self> {
        self.parts().find(|part| part.is_of(series))
    }

    /// Whether this is the report of a series, or of that stack of it.
    #[must_use]
    pub fn is_of(&self, series: &Series) -> bool {
        self.series_uid == series.uid && self.provenance.stack_index == series.stack_index
    }

    /// The place in a study of the series that a level comes from.
    #[must_use]
    pub fn source_index(&self, study: &Study, level: CervicalLevel) -> Option<usize> {
        let source = self.source(level);
        study.series.iter().position(|series| source.is_of(series))
    }

    /// The most suspicious level of those that come from a series.
    #[must_use]
    pub fn worst_in(&self, series: &Series) -> Option<CervicalLevel> {
        let here = CervicalLevel::ALL.into_iter().filter(|level| self.source(*level).is_of(series));
        let likely = here.filter_map(|level| Some((self.levels[level].probability()?, level)));
        likely.max_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal)).map(|(_, level)| level)
    }

    /// The place in a study of the series that shows the most suspicious level.
    #[must_use]
    pub fn worst_index(&self, study: &Study) -> Option<usize> {
        self.source_index(study, self.worst_level()?.level)
    }

    /// `C1–C2 from series 2, C3–C7 from series 3`; `None` if one series was analyzed.
    #[must_use]
    pub fn source_words(&self, study: &Study) -> Option<String> {
        if !self.is_merged() {
            return None;
        }
        let seen = |level: &CervicalLevel| self.levels[*level].probability().is_some();
        let mut runs: Vec<(Option<usize>, Vec<CervicalLevel>)> = Vec::new();
        for level in CervicalLevel::ALL.into_iter().filter(seen) {
            let source = self.source_index(study, level);
            match runs.last_mut() {
                Some((last, levels)) if *last == source => levels.push(level),
                _ => runs.push((source, vec![level])),
            }
        }
        let words = runs.into_iter().map(|(source, levels)| match source {
            Some(index) => format!("{} from series {}", level_range(&levels), index + 1),
            None => format!("{} from a series that is gone", level_range(&levels)),
        });
        Some(words.collect::<Vec<_>>().join(", "))
    }

    /// What keeps the study from being analyzed in full, one sentence each: levels that only a series shows that was not analyzed.
    #[must_use]
    pub fn incomplete(&self) -> Vec<String> {
        let missing = self.not_seen();
        let levels = match (missing.is_empty(), self.cut_off()) {
            (false, _) => format!("{} not analyzed", level_range(&missing)),
            (true, cut) if !cut.is_empty() => format!("{} analyzed in part", level_range(&cut)),
            (true, _) => return Vec::new(),
        };
        let failures = self.provenance.failures.iter();
        failures.map(|SeriesFailure { number, reason }| format!("{levels}: series {number}: {reason}")).collect()
    }

    /// Repairs on which the numbers depend, each once.
    #[must_use]
    pub fn repairs(&self) -> Vec<Repair> {
        let mut all: Vec<Repair> = self.parts().flat_map(|part| part.provenance.repairs.iter().copied()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The report without what may name a patient.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        let withheld = |failure: &SeriesFailure| {
            let SeriesFailure { number, reason } = failure;
            SeriesFailure { number: *number, reason: reason.anonymous() }
        };
        let failures = self.provenance.failures.iter().map(withheld).collect();
        Self { provenance: Provenance { failures, ..self.provenance.clone() }, ..self.clone() }
    }

    /// Levels that pass the threshold in a series other than the one they are taken from, and do not pass it there.
    #[must_use]
    pub fn contradictions(&self, study: &Study) -> Vec<String> {
        let mut found = Vec::new();
        for part in &self.provenance.parts {
            for level in part.alert_levels().into_iter().filter(|level| !self.is_level_alert(*level)) {
                let Some(probability) = part.levels[level].probability() else { continue };
                let series = study.series.iter().position(|series| part.is_of(series));
                let series =
                    series.map_or_else(|| "another series".to_owned(), |index| format!("series {}", index + 1));
                let cut = if extent(part, level) == Some(LevelExtent::CutOff) { ", cut off there" } else { "" };
                found.push(format!("{level} is {probability} in {series}{cut}"));
            }
        }
        found
    }
}

/// `C3`, `C3–C7`, `C1 C4–C5`: levels in order, neighbors as runs.
#[must_use]
pub fn level_range(levels: &[CervicalLevel]) -> String {
    let mut runs: Vec<(CervicalLevel, CervicalLevel)> = Vec::new();
    for &level in levels {
        match runs.last_mut() {
            Some((_, last)) if last.index() + 1 == level.index() => *last = level,
            _ => runs.push((level, level)),
        }
    }
    let words = runs.into_iter().map(|(first, last)| match last.index() - first.index() {
        0 => first.to_string(),
        _ => format!("{first}–{last}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Merges the reports of a study's series. Each level comes from the report that shows it whole, else from the one that shows the larger
/// part; the denser slices decide between equals. `None` without a report. The order of the reports does not matter.
#[must_use]
pub fn merge(reports: &[Arc<FractureReport>], failures: Vec<SeriesFailure>) -> Option<FractureReport> {
    let mut parts: Vec<Arc<FractureReport>> = reports.to_vec();
    parts.sort_by(|a, b| identity(a).cmp(&identity(b)));
    parts.dedup_by(|a, b| identity(a) == identity(b));
    let first = parts.first()?;
    if parts.len() == 1 {
        let provenance = Provenance { failures, ..first.provenance.clone() };
        return Some(FractureReport { provenance, ..(**first).clone() });
    }
    let level_parts = PerLevel::from_fn(|level| {
        let seen = parts.iter().enumerate().filter(|(_, part)| part.levels[level].probability().is_some());
        seen.max_by(|(a, first), (b, second)| prefer(first, second, level).then(b.cmp(a))).map(|(index, _)| index)
    });
    let source = |level: CervicalLevel| level_parts[level].and_then(|index| parts.get(index)).unwrap_or(first);
    let levels = PerLevel::from_fn(|level| source(level).levels[level]);
    let worst = CervicalLevel::ALL.into_iter().max_by(|a, b| {
        let probability = |level: CervicalLevel| levels[level].probability();
        probability(*a).partial_cmp(&probability(*b)).unwrap_or(Ordering::Equal).then(b.cmp(a))
    });
    let primary = worst.map_or(first, source);
    let used = (0..parts.len()).filter(|index| level_parts.0.contains(&Some(*index)));
    let checks = used.filter_map(|index| parts.get(index)?.distribution);
    Some(FractureReport {
        overall: at_least_one(&levels.0.map(|finding| finding.probability())),
        levels,
        activations: PerLevel::from_fn(|level| source(level).activations[level].clone()),
        distribution: checks.reduce(DistributionCheck::worse),
        completeness: completeness(&parts),
        timing: parts.iter().fold(Timing::default(), |sum, part| Timing {
            load: sum.load + part.timing.load,
            preprocess: sum.preprocess + part.timing.preprocess,
            network: sum.network + part.timing.network,
            total: sum.total + part.timing.total,
        }),
        provenance: Provenance {
            stack_index: primary.provenance.stack_index,
            frame_of_reference: primary.provenance.frame_of_reference.clone(),
            scanned: Vec::new(),
            repairs: Vec::new(),
            level_parts,
            failures,
            absences: PerLevel::default(),
            parts: parts.clone(),
        },
        ..(**primary).clone()
    })
}

fn identity(report: &FractureReport) -> (&Uid, u32) {
    (&report.series_uid, report.provenance.stack_index)
}

/// `1 − Π (1 − C_i)` over the seen levels.
pub(super) fn at_least_one(levels: &[Option<Probability>]) -> Probability {
    let none: f64 = levels.iter().flatten().map(|p| 1.0 - f64::from(p.value())).product();
    Probability::new((1.0 - none) as f32).unwrap_or_default()
}

/// Which of two reports that both show a level is to be preferred for it; the greater one is.
fn prefer(a: &FractureReport, b: &FractureReport, level: CervicalLevel) -> Ordering {
    let whole = |report| extent(report, level) == Some(LevelExtent::Whole);
    let (first, second) = (shown(a, level), shown(b, level));
    let larger = if whole(a) && whole(b) { Ordering::Equal } else { first.length_mm.total_cmp(&second.length_mm) };
    whole(a).cmp(&whole(b)).then(larger).then(second.step_mm.total_cmp(&first.step_mm))
}

fn extent(report: &FractureReport, level: CervicalLevel) -> Option<LevelExtent> {
    match report.levels[level].outcome {
        LevelOutcome::Seen { extent, .. } => Some(extent),
        LevelOutcome::NotSeen => None,
    }
}

/// How much of a level a report's slices show, mm, and how far apart they are, mm.
struct Shown {
    length_mm: f64,
    step_mm: f64,
}

fn shown(report: &FractureReport, level: CervicalLevel) -> Shown {
    let visible = |slice: &&ScoredSlice| slice.score.vertebra[level].value() >= 0.5;
    let positions: Vec<f64> = report.slices.iter().filter(visible).filter_map(|slice| slice.position_mm).collect();
    let length_mm = match (positions.first(), positions.last()) {
        (Some(first), Some(last)) => (first - last).abs(),
        _ => 0.0,
    };
    let steps = positions.len().saturating_sub(1);
    Shown { length_mm, step_mm: if steps == 0 { f64::INFINITY } else { length_mm / steps as f64 } }
}

fn completeness(parts: &[Arc<FractureReport>]) -> Completeness {
    if parts.iter().all(|part| part.completeness == Completeness::Final) {
        return Completeness::Final;
    }
    let of = |part: &Arc<FractureReport>| match part.completeness {
        Completeness::Preliminary { done, total } => (done, total),
        Completeness::Final => (part.slices.len(), part.slices.len()),
    };
    let (done, total) = parts.iter().map(of).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Completeness::Preliminary { done, total }
}

#[cfg(test)]
mod tests;
