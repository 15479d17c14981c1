//! Fills the analysis from a study and its report.

use super::{
    AnalysisDocument, AnalysisStatus, CompletenessDocument, DistributionDocument, LevelDocument, LevelExtentDocument,
    ModelDocument, PlannedSeriesDocument, ReasonDocument, ScoredSliceDocument, SearchedDocument, SliceDocument,
    TimingDocument, TrainedOn, WarningDocument,
};
use crate::domain::{
    Alert, Analysis, Candidate, Completeness, Declined, DistributionCheck, FractureReport, Instance, KeySlice,
    LevelExtent, LevelFinding, LevelOutcome, ModelIdentity, ModelNature, Oddity, Probability, ScoredSlice,
    SearchedSlices, Series, SeriesKind, SeriesRole, Study, Timing, Uid, coverage, plan_series, series_roles,
};
use crate::results::StudyFacts;

/// Farthest that two values of one slice position lie apart, mm: decimal strings of headers are rounded.
const SAME_POSITION_MM: f64 = 0.01;

impl AnalysisStatus {
    /// The status of an analysis; waiting if there is none.
    #[must_use]
    pub fn of(analysis: Option<&Analysis>) -> Self {
        match analysis {
            None => Self::Waiting,
            Some(Analysis::NotAnalysed(_) | Analysis::Declined(_)) => Self::NotAnalyzed,
            Some(Analysis::Failed(_)) => Self::Failed,
            Some(Analysis::Analysed(report)) => match report.completeness {
                Completeness::Final => Self::Analyzed,
                Completeness::Preliminary { .. } => Self::Preliminary,
            },
        }
    }

    /// The status as JSON, CSV and `CSPINE_STATUS` have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Analyzed => "analyzed",
            Self::Preliminary => "preliminary",
            Self::NotAnalyzed => "not_analyzed",
            Self::Failed => "failed",
            Self::Waiting => "waiting",
        }
    }
}

/// Why there are no numbers.
pub(in crate::results) fn reason_of(analysis: Option<&Analysis>) -> Option<ReasonDocument> {
    match analysis {
        None | Some(Analysis::Analysed(_)) => None,
        Some(Analysis::NotAnalysed(reason) | Analysis::Declined(Declined { reason, .. })) => Some(reason.into()),
        Some(Analysis::Failed(text)) => Some(ReasonDocument { name: "error".to_owned(), text: text.to_string() }),
    }
}

/// The report of the series (or stack) from which a level's probability comes; `None` without a probability.
fn level_source<'r>(report: &'r FractureReport, finding: &LevelFinding) -> Option<&'r FractureReport> {
    finding.probability().map(|_| report.source(finding.level))
}

/// SeriesInstanceUIDs of the series from which the numbers come, each once, in the order of their levels.
pub(in crate::results) fn series_uids(report: &FractureReport) -> Vec<&Uid> {
    let mut uids: Vec<&Uid> = Vec::new();
    for source in report.levels.0.iter().filter_map(|finding| level_source(report, finding)) {
        if !uids.contains(&&source.series_uid) {
            uids.push(&source.series_uid);
        }
    }
    uids
}

/// The series that the headers choose for the analysis, in their order, each with the words that explain the choice.
fn plan(study: &Study) -> Vec<(&Series, String)> {
    let plan = plan_series(study, None).unwrap_or_default();
    let roles = series_roles(study, &plan);
    let planned = plan.into_iter().zip(roles);
    let words = |(candidate, role): (Candidate, SeriesRole)| {
        Some((study.series.get(candidate.series)?, format!("{role}: {}", candidate.explanation)))
    };
    planned.filter_map(words).collect()
}

/// The series (or stacks) from which the numbers come; without numbers, the one that would be analyzed first.
pub(in crate::results) fn analyzed_series<'s>(study: &'s Study, report: Option<&FractureReport>) -> Vec<&'s Series> {
    let Some(report) = report else {
        return plan(study).into_iter().take(1).map(|(series, _)| series).collect();
    };
    study.series.iter().filter(|series| report.of_series(series).is_some()).collect()
}

impl AnalysisDocument {
    pub(in crate::results) fn of(facts: StudyFacts<'_>) -> Self {
        let StudyFacts { study, analysis, .. } = facts;
        let report = facts.report();
        let series = analyzed_series(study, report);
        Self {
            status: AnalysisStatus::of(analysis),
            reason: reason_of(analysis),
            plan: facts.has_files().then(|| {
                plan(study).into_iter().map(|(series, text)| PlannedSeriesDocument::new(series, text)).collect()
            }),
            series_instance_uids: report.map(series_uids).into_iter().flatten().map(Uid::to_string).collect(),
            model: match analysis {
                Some(Analysis::Analysed(report)) => Some(ModelDocument::new(&report.model)),
                Some(Analysis::Declined(declined)) => Some(ModelDocument::new(&declined.model)),
                None | Some(Analysis::NotAnalysed(_) | Analysis::Failed(_)) => None,
            },
            overall: report.map(|report| report.overall.value()),
            alert: report.map(FractureReport::is_alert),
            alert_withheld: report.map(|report| report.alert() == Alert::Withheld),
            distribution: report.and_then(DistributionDocument::of),
            completeness: report.and_then(|report| match report.completeness {
                Completeness::Final => None,
                Completeness::Preliminary { done, total } => {
                    Some(CompletenessDocument { slices_scored: done, slices_total: total })
                }
            }),
            coverage: facts.has_files().then(|| {
                let notices = series.iter().flat_map(|series| coverage(&study.patient, series));
                notices.map(|notice| WarningDocument::from(&notice)).collect()
            }),
            incomplete: report.map(FractureReport::incomplete).unwrap_or_default(),
            contradictions: report.map(|report| report.contradictions(study)).unwrap_or_default(),
            repairs: report
                .map(FractureReport::repairs)
                .into_iter()
                .flatten()
                .map(|repair| WarningDocument::from(&Oddity::Repaired(repair)))
                .collect(),
            searched: report.into_iter().flat_map(FractureReport::parts).filter_map(SearchedDocument::of).collect(),
            levels: report
                .into_iter()
                .flat_map(|report| report.levels.0.iter().map(|finding| LevelDocument::new(study, report, finding)))
                .collect(),
            slices: report
                .filter(|_| facts.slices)
                .map(|report| report.parts().flat_map(ScoredSliceDocument::of_part).collect()),
            timing: report.map(|report| TimingDocument::new(report.timing)),
        }
    }
}

impl DistributionDocument {
    fn of(report: &FractureReport) -> Option<Self> {
        let check = report.distribution?;
        let known = check.distance();
        Some(Self {
            unlike_training_data: known.map(|_| check.is_out()),
            distance: known.map(|(distance, _)| distance),
            threshold: known.map(|(_, threshold)| threshold),
            reason: match check {
                DistributionCheck::Measured { .. } => None,
                DistributionCheck::Unmeasured(why) => {
                    Some(ReasonDocument { name: why.name().to_owned(), text: why.to_string() })
                }
            },
            text: report.distribution_notice().unwrap_or_else(|| check.to_string()),
        })
    }
}

impl PlannedSeriesDocument {
    fn new(series: &Series, text: String) -> Self {
        Self { series_instance_uid: series.uid.to_string(), stack: series.stack_index, text }
    }
}

impl SearchedDocument {
    fn of(part: &FractureReport) -> Option<Self> {
        let SearchedSlices { first, last, total } = part.searched?;
        Some(Self { series_instance_uid: part.series_uid.to_string(), first, last, total })
    }
}

impl ModelDocument {
    fn new(model: &ModelIdentity) -> Self {
        Self {
            name: model.name.clone(),
            version: model.version.clone(),
            sha256: model.sha256.clone(),
            trained_on: match model.nature {
                ModelNature::Synthetic => TrainedOn::Synthetic,
                ModelNature::Clinical => TrainedOn::Clinical,
            },
            aggregation: model.aggregation.name().to_owned(),
            overall_threshold: model.thresholds.overall.value(),
            level_threshold: model.thresholds.level.value(),
            distance_threshold: model.thresholds.distance,
        }
    }
}

impl LevelDocument {
    fn new(study: &Study, report: &FractureReport, finding: &LevelFinding) -> Self {
        let level = finding.level;
        let source = level_source(report, finding);
        Self {
            level: level.name().to_owned(),
            series_instance_uid: source.map(|source| source.series_uid.to_string()),
            probability: finding.probability().map(Probability::value),
            flagged: finding.probability().map(|_| report.is_level_alert(level)),
            absence: report
                .absence(level)
                .map(|why| ReasonDocument { name: why.name().to_owned(), text: why.to_string() }),
            extent: match finding.outcome {
                LevelOutcome::Seen { extent: LevelExtent::Whole, .. } => Some(LevelExtentDocument::Whole),
                LevelOutcome::Seen { extent: LevelExtent::CutOff, .. } => Some(LevelExtentDocument::CutOff),
                LevelOutcome::NotSeen => None,
            },
            key_slice: finding.key_slice().map(|slice| SliceDocument::new(study, source, slice)),
            activation_peak_mm: finding.hot_spot().map(|spot| spot.point.to_array()),
        }
    }
}

impl SliceDocument {
    fn new(study: &Study, source: Option<&FractureReport>, slice: KeySlice) -> Self {
        let instance = source.and_then(|source| key_instance(study, source, slice));
        Self {
            index: slice.index,
            instance_number: slice.instance_number,
            sop_instance_uid: instance.map(|instance| instance.sop_instance_uid.to_string()),
            frame: instance.map(|instance| instance.frame.saturating_add(1)),
            position_mm: slice.position_mm,
        }
    }
}

/// The image that a key slice is: the only one of its series with its number and its position. A slice that was computed from several
/// images (of sagittal and coronal stacks) is none of them.
fn key_instance<'s>(study: &'s Study, source: &FractureReport, slice: KeySlice) -> Option<&'s Instance> {
    let position = slice.position_mm?;
    let stacks = study.series.iter().filter(|stack| source.is_of(stack) && stack.kind == SeriesKind::Axial);
    let is_here = |instance: &&Instance| {
        instance.instance_number == slice.instance_number
            && instance.plane.is_some_and(|plane| (plane.position.z - position).abs() <= SAME_POSITION_MM)
    };
    let mut fitting = stacks.flat_map(|stack| &stack.instances).filter(is_here);
    fitting.next().filter(|_| fitting.next().is_none())
}

impl ScoredSliceDocument {
    fn of_part(part: &FractureReport) -> impl Iterator<Item = Self> {
        part.slices.iter().map(|slice| Self::new(&part.series_uid, slice))
    }

    fn new(series: &Uid, slice: &ScoredSlice) -> Self {
        Self {
            series_instance_uid: series.to_string(),
            index: slice.index,
            instance_number: slice.instance_number,
            position_mm: slice.position_mm,
            vertebra: slice.score.vertebra.0.map(Probability::value),
            fracture: slice.score.fracture.0.map(Probability::value),
        }
    }
}

impl TimingDocument {
    fn new(timing: Timing) -> Self {
        Self {
            load_s: timing.load.as_secs_f64(),
            preprocess_s: timing.preprocess.as_secs_f64(),
            network_s: timing.network.as_secs_f64(),
            total_s: timing.total.as_secs_f64(),
        }
    }
}
