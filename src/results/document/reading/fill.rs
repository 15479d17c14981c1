//! Fills what readers decided from the log of decisions and the annotations.

use super::{
    ConflictDocument, DecisionDocument, EntryDocument, KeyImageDocument, LevelAssessmentDocument, MeasurementDocument,
    NoteDocument, OnReportDocument, OpinionDocument, SignatureDocument, StudyAssessmentDocument,
};
use crate::domain::{
    Act, Agreement, Assessment, CervicalLevel, Conflict, Decided, Decision, KeyImage, LevelVerdict, LogEntry, Measured,
    OnReport, Precedence, StudyVerdict,
};
use crate::results::{MeasurementResult, plane_name};

impl SignatureDocument {
    fn of<T>(decided: &Decided<T>) -> Self {
        Self { reader: decided.who.to_string(), at: decided.at.rfc3339(), entry: decided.entry.0 }
    }
}

impl DecisionDocument {
    pub(in crate::results) fn new(decision: &Decision, requested: Precedence) -> Self {
        let stat = decision.stat.unwrap_or(requested == Precedence::Stat);
        let pinned = decision.pinned.unwrap_or(false);
        Self {
            state: decision.state().name().to_owned(),
            study: decision.study.as_ref().map(|decided| StudyAssessmentDocument {
                assessment: decided.what.name().to_owned(),
                reason: match &decided.what {
                    StudyVerdict::Deferred { reason } => Some(reason.to_string()),
                    _ => None,
                },
                signature: SignatureDocument::of(decided),
            }),
            levels: decision
                .levels
                .iter()
                .filter_map(|(level, decided)| Some(LevelAssessmentDocument::new(level, decided.as_ref()?)))
                .collect(),
            note: decision.note.as_ref().map(|decided| NoteDocument {
                text: decided.what.to_string(),
                signature: SignatureDocument::of(decided),
            }),
            conflicts: decision.conflicts.iter().map(ConflictDocument::new).collect(),
            precedence: match (stat, pinned) {
                (true, _) => "stat",
                (false, true) => "pinned",
                (false, false) => "ordinary",
            }
            .to_owned(),
            stat,
            pinned,
        }
    }
}

impl ConflictDocument {
    fn new(conflict: &Conflict) -> Self {
        let opinion = |opinion: &Decided<Assessment>| OpinionDocument {
            assessment: opinion.what.to_string(),
            signature: SignatureDocument::of(opinion),
        };
        Self {
            level: conflict.level().map(|level| level.name().to_owned()),
            text: conflict.to_string(),
            opinions: conflict.opinions.iter().map(opinion).collect(),
        }
    }
}

impl LevelAssessmentDocument {
    pub(in crate::results) fn new(level: CervicalLevel, decided: &Decided<(LevelVerdict, Option<Agreement>)>) -> Self {
        let (verdict, agreement) = decided.what;
        let (agreement, reason) = match agreement {
            None => (None, None),
            Some(Agreement::Agrees) => (Some("agrees"), None),
            Some(Agreement::Adds) => (Some("adds"), None),
            Some(Agreement::Rejects { reason }) => (Some("rejects"), Some(reason.name())),
        };
        Self {
            level: level.name().to_owned(),
            assessment: verdict.name().to_owned(),
            agreement: agreement.map(str::to_owned),
            rejection_reason: reason.map(str::to_owned),
            signature: SignatureDocument::of(decided),
        }
    }
}

impl EntryDocument {
    pub(in crate::results) fn new(entry: &LogEntry) -> Self {
        let draft = &entry.draft;
        let (action, undoes) = match &draft.act {
            Act::Level { .. } => ("level", None),
            Act::Study(_) => ("study", None),
            Act::Note { .. } => ("note", None),
            Act::Precedence { .. } | Act::Pin { .. } | Act::Stat { .. } => ("precedence", None),
            Act::ResolveStudy { .. } | Act::ResolveLevel { .. } => ("resolve", None),
            Act::Undo { entry } => ("undo", Some(entry.0)),
        };
        Self {
            signature: SignatureDocument { reader: entry.who.to_string(), at: entry.at.rfc3339(), entry: entry.id.0 },
            action: action.to_owned(),
            text: draft.act.to_string(),
            undoes,
            blinded: draft.blinded,
            report: draft.report.as_ref().map(OnReportDocument::new),
        }
    }
}

impl OnReportDocument {
    pub(in crate::results) fn new(report: &OnReport) -> Self {
        Self {
            model: report.model.clone(),
            version: report.version.clone(),
            sha256: report.sha256.clone(),
            overall: report.overall.value(),
            overall_threshold: report.overall_threshold.value(),
            probabilities: report.levels.0.map(|p| p.map(|p| p.value())),
            level_threshold: report.level_threshold.value(),
            preliminary: report.preliminary,
            alert_withheld: report.alert_withheld,
        }
    }
}

impl KeyImageDocument {
    pub(in crate::results) fn new(image: &KeyImage) -> Self {
        let window = image.window();
        Self {
            id: image.id,
            series_instance_uid: image.series.to_string(),
            sop_instance_uid: image.instance.to_string(),
            frame: image.frame.saturating_add(1),
            plane: plane_name(image.plane).to_owned(),
            slice: image.slice.saturating_add(1),
            window_width: window.width(),
            window_center: window.center(),
            comment: image.comment.clone(),
        }
    }
}

impl MeasurementDocument {
    pub(in crate::results) fn new(measured: &MeasurementResult) -> Self {
        let (value, unit) = match &measured.result {
            Ok(result) => value(result),
            Err(_) => (None, None),
        };
        Self {
            id: measured.measurement.id,
            series_instance_uid: measured.measurement.series.to_string(),
            kind: measured.measurement.geometry.name().to_owned(),
            text: measured.result.as_ref().ok().map(ToString::to_string),
            value,
            unit: unit.map(str::to_owned),
            reason: measured.result.as_ref().err().map(ToString::to_string),
        }
    }
}

fn value(result: &Measured) -> (Option<f64>, Option<&'static str>) {
    let hounsfield = |yes: bool| yes.then_some("HU");
    match result {
        Measured::Length { mm } => (Some(*mm), Some("mm")),
        Measured::Angle { degrees } => (Some(*degrees), Some("degrees")),
        Measured::Region(region) => (Some(region.mean), hounsfield(region.hounsfield)),
        Measured::Value { value, hounsfield: yes } => (Some(f64::from(*value)), hounsfield(*yes)),
    }
}
