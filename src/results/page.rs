//! The one-page report, to be pasted where reports are written.

mod markdown;
mod text;

pub use markdown::markdown;
pub use text::text;

use super::{NOTICE, StudyResult, Written, caveat, plane_name};
use crate::domain::{
    Agreement, Alert, Analysis, CervicalLevel, Completeness, Decided, Decision, Declined, FractureReport, LevelVerdict,
    Study, StudyVerdict,
};

/// What the page says, before it has a form.
#[derive(Debug, Clone, PartialEq)]
struct Page {
    title: &'static str,
    notice: &'static str,
    sections: Vec<Section>,
    footer: String,
}

/// A part of the page.
#[derive(Debug, Clone, PartialEq)]
struct Section {
    title: &'static str,
    block: Block,
}

/// What a part is made of.
#[derive(Debug, Clone, PartialEq)]
enum Block {
    /// Names with what they are.
    Rows(Vec<(&'static str, String)>),
    /// A table, and a line below it.
    Table { header: [&'static str; 4], rows: Vec<[String; 4]>, below: Option<String> },
    /// One line each.
    Lines(Vec<String>),
}

/// Stands where nothing is said.
const NOTHING: &str = "–";

impl Page {
    fn new(result: &StudyResult, written: Written) -> Self {
        let decision = result.decision();
        let mut sections = vec![
            Section { title: "Study", block: Block::Rows(study(result)) },
            Section { title: "Reader", block: Block::Rows(reader(result, &decision)) },
            Section { title: "Network", block: Block::Rows(network(&result.study, result.analysis.as_ref())) },
            Section { title: "Levels", block: levels(result.report(), &decision) },
        ];
        if !result.key_images.is_empty() {
            sections.push(Section { title: "Key images", block: Block::Lines(key_images(result)) });
        }
        if !result.measurements.is_empty() {
            sections.push(Section { title: "Measurements", block: Block::Lines(measurements(result)) });
        }
        Self {
            title: "Cervical spine CT: fracture triage",
            notice: NOTICE,
            sections,
            footer: format!("Written by cspine {}, {}.", written.version, written.at),
        }
    }
}

/// The parts that are not empty, between dots.
fn joined<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { NOTHING.to_owned() } else { parts.join(" · ") }
}

fn study(result: &StudyResult) -> Vec<(&'static str, String)> {
    let (study, patient) = (&result.study, &result.study.patient);
    let age = patient.age_years.map_or(String::new(), |years| format!("{years} y"));
    let sex = patient.sex.map_or(String::new(), |sex| sex.letter().to_string());
    let date = study.date.map_or(String::new(), |date| date.to_string());
    vec![
        ("Patient", joined([patient.name.as_str(), patient.id.as_str(), &age, &sex])),
        ("Study", joined([study.description.as_str(), &date])),
        ("Accession", joined([study.accession.as_str()])),
        ("Study UID", study.uid.to_string()),
    ]
}

/// Who said it, and when.
fn word<T>(decided: &Decided<T>) -> String {
    format!("{} · {}", decided.who, decided.at)
}

fn reader(result: &StudyResult, decision: &Decision) -> Vec<(&'static str, String)> {
    let verdict = decision.study.as_ref().map_or("none yet".to_owned(), |decided| {
        let reason = match &decided.what {
            StudyVerdict::Deferred { reason } if !reason.is_empty() => format!(" ({reason})"),
            _ => String::new(),
        };
        format!("{}{reason} · {}", decided.what.name(), word(decided))
    });
    let mut rows = vec![("Assessment", if decision.conflicts.is_empty() { verdict } else { "in conflict".to_owned() })];
    rows.extend(decision.conflicts.iter().map(|conflict| ("Conflict", conflict.to_string())));
    for (level, decided) in decision.levels.iter() {
        if let Some(decided) = decided {
            rows.push((level.name(), format!("{} · {}", level_verdict(decided.what), word(decided))));
        }
    }
    if let Some(note) = &decision.note {
        rows.push(("Note", format!("{} · {}", note.what, word(note))));
    }
    if result.log.iter().any(|entry| entry.draft.blinded) {
        rows.push(("Blinded", "the network's report was hidden until a first assessment".to_owned()));
    }
    rows
}

fn network(study: &Study, analysis: Option<&Analysis>) -> Vec<(&'static str, String)> {
    let report = match analysis {
        None => return vec![("Analysis", "none yet".to_owned())],
        Some(Analysis::NotAnalysed(reason) | Analysis::Declined(Declined { reason, .. })) => {
            return vec![("Analysis", format!("not analyzed: {reason}"))];
        }
        Some(Analysis::Failed(reason)) => return vec![("Analysis", format!("failed: {reason}"))],
        Some(Analysis::Analysed(report)) => report,
    };
    let threshold = report.model.thresholds.overall;
    let alert = match report.alert() {
        Alert::Raised => "ALERT",
        Alert::Withheld => "alert withheld",
        Alert::BelowThreshold => "no alert",
    };
    let mut rows = vec![
        ("Model", format!("{}, {}", report.model, caveat(report.model.nature))),
        ("Overall", format!("{} · {alert} (from {threshold})", report.overall)),
    ];
    // With what to do where there is something to do, else with the figures alone.
    let check = report.distribution.map(|check| report.distribution_notice().unwrap_or_else(|| check.to_string()));
    rows.extend(check.map(|words| ("Training data", words)));
    if let Completeness::Preliminary { done, total } = report.completeness {
        rows.push(("Preliminary", format!("{done} of {total} slices are scored; the numbers will change")));
    }
    let mut scan = report.absences();
    let cut_off = report.cut_off();
    if !cut_off.is_empty() {
        let names: Vec<&str> = cut_off.into_iter().map(CervicalLevel::name).collect();
        scan.push(format!("{} shown in part only", names.join(" ")));
    }
    rows.extend(report.source_words(study).map(|words| ("Series", words)));
    scan.extend(report.contradictions(study));
    rows.push(("Scan", if scan.is_empty() { "shows C1 to C7 whole".to_owned() } else { scan.join("; ") }));
    rows.extend(report.parts().filter_map(|part| part.searched).map(|searched| ("Searched", searched.to_string())));
    rows.extend(report.repairs().into_iter().map(|repair| ("Repaired", repair.to_string())));
    rows
}

fn levels(report: Option<&FractureReport>, decision: &Decision) -> Block {
    let row = |level: CervicalLevel| {
        let finding = report.map(|report| (report, &report.levels[level]));
        let said = finding.map_or(NOTHING.to_owned(), |(report, finding)| match finding.probability() {
            Some(probability) if report.is_level_alert(level) => format!("{probability} !"),
            Some(probability) => format!("{probability}  "),
            None => report.absence(level).map_or(NOTHING.to_owned(), |why| why.to_string()),
        });
        let slice = finding.and_then(|(_, finding)| finding.key_slice());
        let slice = slice.map_or(NOTHING.to_owned(), |slice| (slice.index + 1).to_string());
        let reader = decision.levels[level].as_ref().map_or(NOTHING, |decided| decided.what.0.name()).to_owned();
        [level.name().to_owned(), said, slice, reader]
    };
    let below = report
        .filter(|report| !report.alert_levels().is_empty())
        .map(|report| format!("! flagged: reaches the model's threshold of {}", report.model.thresholds.level));
    Block::Table {
        header: ["level", "network", "key slice", "reader"],
        rows: CervicalLevel::ALL.map(row).to_vec(),
        below,
    }
}

/// What a reader says of a level, and of the network there.
fn level_verdict((verdict, agreement): (LevelVerdict, Option<Agreement>)) -> String {
    let agreement = match agreement {
        None => String::new(),
        Some(Agreement::Agrees) => ", as the network says".to_owned(),
        Some(Agreement::Adds) => ", missed by the network".to_owned(),
        Some(Agreement::Rejects { reason }) => format!(", flag rejected: {}", reason.name()),
    };
    format!("{}{agreement}", verdict.name())
}

fn key_images(result: &StudyResult) -> Vec<String> {
    let line = |image: &crate::domain::KeyImage| {
        let series = result.study.series.iter().find(|series| series.uid == image.series);
        let series = series.and_then(|series| series.number).map_or(String::new(), |n| format!("series {n}, "));
        let comment = if image.comment.is_empty() { String::new() } else { format!(": {}", image.comment) };
        format!("{}  {series}{} slice {}{comment}", image.id, plane_name(image.plane), image.slice.saturating_add(1))
    };
    result.key_images.iter().map(line).collect()
}

fn measurements(result: &StudyResult) -> Vec<String> {
    let line = |measured: &super::MeasurementResult| {
        let (id, what) = (measured.measurement.id, measured.measurement.geometry.name());
        match &measured.result {
            Ok(result) => format!("{id}  {what} {result}"),
            Err(reason) => format!("{id}  {what}: {reason}"),
        }
    };
    result.measurements.iter().map(line).collect()
}
