//! What is known of a study, put into the document's types.

use super::{
    AnalysisDocument, AnalysisStatus, DecisionDocument, EntryDocument, FORMAT, KeyImageDocument, LevelDocument,
    LevelVerdictDocument, MeasurementDocument, ModelDocument, NoteDocument, OnReportDocument, PatientDocument,
    ResultsDocument, SliceDocument, StudyDocument, StudyVerdictDocument, TrainedOn, WordDocument,
};
use crate::domain::{
    Act, Agreement, Analysis, CervicalLevel, Completeness, Decided, Decision, Declined, FractureReport, KeyImage,
    LevelExtent, LevelFinding, LevelOutcome, LevelVerdict, LogEntry, Measured, ModelIdentity, ModelNature, OnReport,
    Precedence, StudyVerdict,
};
use crate::results::{MeasurementResult, NOTICE, StudyResult, Written, plane_name};

impl ResultsDocument {
    /// The document of studies.
    #[must_use]
    pub fn new(results: &[StudyResult], written: Written) -> Self {
        Self {
            format: FORMAT,
            cspine: written.version.to_owned(),
            written_at: written.at.rfc3339(),
            notice: NOTICE.to_owned(),
            studies: results.iter().map(StudyDocument::new).collect(),
        }
    }

    /// As JSON, for people to read, too.
    ///
    /// # Errors
    /// None that a document of numbers and texts can cause.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl StudyDocument {
    /// The document of one study.
    #[must_use]
    pub fn new(result: &StudyResult) -> Self {
        let study = &result.study;
        let date = study.date;
        Self {
            study_instance_uid: study.uid.to_string(),
            patient: PatientDocument {
                name: study.patient.name.to_string(),
                id: study.patient.id.to_string(),
                age_years: study.patient.age_years,
                sex: study.patient.sex.map(|sex| sex.letter()),
            },
            study_date: date.map(|date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)),
            study_time: date.and_then(|date| date.time).map(|(hour, minute)| format!("{hour:02}:{minute:02}")),
            description: study.description.to_string(),
            accession_number: study.accession.to_string(),
            analysis: AnalysisDocument::new(result.analysis.as_ref()),
            decision: DecisionDocument::new(&result.decision(), result.study.precedence),
            log: result.log.iter().map(EntryDocument::new).collect(),
            key_images: result.key_images.iter().map(KeyImageDocument::new).collect(),
            measurements: result.measurements.iter().map(MeasurementDocument::new).collect(),
        }
    }
}

impl AnalysisDocument {
    fn new(analysis: Option<&Analysis>) -> Self {
        let without = |status, reason: Option<String>| Self {
            status,
            reason,
            series_instance_uid: None,
            model: None,
            overall: None,
            alert: None,
            levels: Vec::new(),
        };
        match analysis {
            None => without(AnalysisStatus::Waiting, None),
            Some(Analysis::NotAnalysed(reason) | Analysis::Declined(Declined { reason, .. })) => {
                without(AnalysisStatus::NotAnalysed, Some(reason.to_string()))
            }
            Some(Analysis::Failed(reason)) => without(AnalysisStatus::Failed, Some(reason.to_string())),
            Some(Analysis::Analysed(report)) => Self {
                status: match report.completeness {
                    Completeness::Final => AnalysisStatus::Analysed,
                    Completeness::Preliminary { .. } => AnalysisStatus::Preliminary,
                },
                reason: None,
                series_instance_uid: Some(report.series_uid.to_string()),
                model: Some(ModelDocument::new(&report.model)),
                overall: Some(report.overall.value()),
                alert: Some(report.is_alert()),
                levels: report.levels.0.iter().map(|finding| LevelDocument::new(report, finding)).collect(),
            },
        }
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
        }
    }
}

impl LevelDocument {
    fn new(report: &FractureReport, finding: &LevelFinding) -> Self {
        let level = finding.level;
        let whole = match finding.outcome {
            LevelOutcome::Seen { extent, .. } => Some(extent == LevelExtent::Whole),
            LevelOutcome::NotSeen => None,
        };
        Self {
            level: level.name().to_owned(),
            probability: finding.probability().map(|p| p.value()),
            alert: finding.probability().map(|_| report.is_level_alert(level)),
            absence: report.absence(level).map(|why| why.to_string()),
            whole,
            key_slice: finding.key_slice().map(|slice| SliceDocument {
                index: slice.index,
                instance_number: slice.instance_number,
                position_mm: slice.position_mm,
            }),
            hot_spot_mm: finding.hot_spot().map(|spot| spot.point.to_array()),
        }
    }
}

impl WordDocument {
    fn of<T>(decided: &Decided<T>) -> Self {
        Self { who: decided.who.to_string(), at: decided.at.rfc3339(), entry: decided.entry.0 }
    }
}

impl DecisionDocument {
    fn new(decision: &Decision, requested: Precedence) -> Self {
        Self {
            state: decision.state().name().to_owned(),
            study: decision.study.as_ref().map(|decided| StudyVerdictDocument {
                verdict: decided.what.name().to_owned(),
                reason: match &decided.what {
                    StudyVerdict::Deferred { reason } => Some(reason.to_string()),
                    _ => None,
                },
                word: WordDocument::of(decided),
            }),
            levels: decision
                .levels
                .iter()
                .filter_map(|(level, decided)| Some(LevelVerdictDocument::new(level, decided.as_ref()?)))
                .collect(),
            note: decision
                .note
                .as_ref()
                .map(|decided| NoteDocument { text: decided.what.to_string(), word: WordDocument::of(decided) }),
            precedence: match decision.precedence.unwrap_or(requested) {
                Precedence::Ordinary => "ordinary",
                Precedence::Pinned => "pinned",
                Precedence::Stat => "stat",
            }
            .to_owned(),
        }
    }
}

impl LevelVerdictDocument {
    fn new(level: CervicalLevel, decided: &Decided<(LevelVerdict, Option<Agreement>)>) -> Self {
        let (verdict, agreement) = decided.what;
        let (network, reason) = match agreement {
            None => (None, None),
            Some(Agreement::Agrees) => (Some("agrees"), None),
            Some(Agreement::Adds) => (Some("adds"), None),
            Some(Agreement::Rejects { reason }) => (Some("rejects"), Some(reason.name())),
        };
        Self {
            level: level.name().to_owned(),
            verdict: verdict.name().to_owned(),
            network: network.map(str::to_owned),
            reason: reason.map(str::to_owned),
            word: WordDocument::of(decided),
        }
    }
}

impl EntryDocument {
    fn new(entry: &LogEntry) -> Self {
        let draft = &entry.draft;
        let (act, takes_back) = match &draft.act {
            Act::Level { .. } => ("level", None),
            Act::Study(_) => ("study", None),
            Act::Note { .. } => ("note", None),
            Act::Precedence { .. } => ("precedence", None),
            Act::Undo { entry } => ("undo", Some(entry.0)),
        };
        Self {
            word: WordDocument { who: entry.who.to_string(), at: entry.at.rfc3339(), entry: entry.id.0 },
            act: act.to_owned(),
            says: draft.act.to_string(),
            takes_back,
            blinded: draft.blinded,
            network: draft.report.as_ref().map(OnReportDocument::new),
        }
    }
}

impl OnReportDocument {
    fn new(report: &OnReport) -> Self {
        Self {
            model: report.model.clone(),
            version: report.version.clone(),
            sha256: report.sha256.clone(),
            overall: report.overall.value(),
            overall_threshold: report.overall_threshold.value(),
            levels: report.levels.0.map(|p| p.map(|p| p.value())),
            level_threshold: report.level_threshold.value(),
            preliminary: report.preliminary,
        }
    }
}

impl KeyImageDocument {
    fn new(image: &KeyImage) -> Self {
        let window = image.window();
        Self {
            id: image.id,
            series_instance_uid: image.series.to_string(),
            sop_instance_uid: image.instance.to_string(),
            frame: image.frame.saturating_add(1),
            plane: plane_name(image.plane).to_owned(),
            slice: image.slice.saturating_add(1),
            window_width: window.width(),
            window_level: window.center(),
            comment: image.comment.clone(),
        }
    }
}

impl MeasurementDocument {
    fn new(measured: &MeasurementResult) -> Self {
        let (value, unit) = match &measured.result {
            Ok(result) => value(result),
            Err(_) => (None, None),
        };
        Self {
            id: measured.measurement.id,
            series_instance_uid: measured.measurement.series.to_string(),
            what: measured.measurement.geometry.name().to_owned(),
            says: measured.result.as_ref().ok().map(ToString::to_string),
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
