//! Results as a table.

use super::document::{analyzed_series, reason_of, series_uids, study_date, study_time};
use super::{AnalysisStatus, StudyFacts};
use crate::domain::{
    Agreement, CervicalLevel, Decision, DistributionCheck, FractureReport, Oddity, Probability, StudyVerdict, Uid,
    coverage,
};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The columns before those of the levels, each with what it holds.
const COLUMNS: [(&str, &str); 26] = [
    ("study_instance_uid", "StudyInstanceUID"),
    ("patient_id", "PatientID"),
    ("patient_name", "PatientName, family name first"),
    ("accession_number", "AccessionNumber"),
    ("study_date", "StudyDate, YYYY-MM-DD"),
    ("study_time", "StudyTime, HH:MM"),
    ("status", "analyzed, preliminary, not_analyzed, failed or waiting"),
    ("reason_name", "reason for a missing number: stable name"),
    ("reason", "reason for a missing number, as text"),
    ("series_instance_uids", "series from which the numbers come, separated by spaces"),
    ("model", "name and version of the model"),
    ("model_sha256", "SHA-256 of its ONNX file"),
    ("overall", "fracture probability of the study, 0 to 1"),
    (
        "alert",
        "whether overall reaches the model's threshold: true or false; false if it does so only by series unlike the model's \
         training data",
    ),
    (
        "unlike_training_data",
        "whether training_data_distance exceeds the model's limit: true or false; empty if the distance is unknown",
    ),
    (
        "training_data_distance",
        "distance of the study's features from the model's training data, near 1 for a study like them",
    ),
    (
        "warnings",
        "warnings on the study and on the analyzed series (on every series, if none can be analyzed), with what they \
         cannot show of the neck; separated by \"; \"; or that the study's files are no longer there",
    ),
    (
        "state",
        "how far the study is read: unread, begun, negative, positive, deferred, unreadable or conflict; empty if unknown",
    ),
    ("assessment", "assessment of the study: negative, positive, deferred or unreadable; empty in a conflict"),
    ("assessed_by", "reader of the assessment"),
    ("assessed_at", "when, RFC 3339"),
    ("deferred_reason", "why the study was deferred"),
    ("note", "the reader's note"),
    ("noted_by", "reader of the note"),
    ("noted_at", "when, RFC 3339"),
    ("conflict", "readers who contradict each other: \"alice positive, bob negative\"; empty if none do"),
];

/// The columns of each level, without its name.
const LEVEL_COLUMNS: [(&str, &str); 4] = [
    ("probability", "fracture probability, 0 to 1; empty for a level that has none"),
    ("flagged", "whether the probability reaches the model's threshold: true or false"),
    ("assessment", "fractured, not fractured, uncertain or not assessable"),
    ("rejection_reason", "why the reader rejected the flag"),
];

/// The columns of the CSV table in their order, each with what it holds.
pub(super) fn columns() -> impl Iterator<Item = (Cow<'static, str>, &'static str)> {
    let levels = LEVEL_COLUMNS.into_iter().flat_map(|(name, description)| {
        CervicalLevel::ALL.map(|level| (Cow::Owned(format!("{name}_{level}")), description))
    });
    COLUMNS.into_iter().map(|(name, description)| (Cow::Borrowed(name), description)).chain(levels)
}

/// The CSV table (RFC 4180, UTF-8, lines end with LF), one row per study. Cells without a value are empty.
///
/// # Errors
/// None that writing to memory can cause.
pub fn table<'r>(studies: impl IntoIterator<Item = StudyFacts<'r>>) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns().map(|(name, _)| name.into_owned()))?;
    for facts in studies {
        writer.write_record(row(facts).iter().map(|text| cell(text).into_owned()))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn row(facts: StudyFacts<'_>) -> Vec<String> {
    let StudyFacts { study, analysis, reading, .. } = facts;
    let report = facts.report();
    let reason = reason_of(analysis);
    let decision = reading.map(super::StudyResult::decision);
    let decided = decision.as_ref().and_then(|decision| decision.study.as_ref());
    let check = report.and_then(|report| report.distribution);
    let distance = check.and_then(DistributionCheck::distance);
    let note = decision.as_ref().and_then(|decision| decision.note.as_ref());
    let text = |text: Option<String>| text.unwrap_or_default();
    let mut row = vec![
        study.uid.to_string(),
        study.patient.id.to_string(),
        study.patient.name.to_string(),
        study.accession.to_string(),
        text(study_date(study)),
        text(study_time(study)),
        AnalysisStatus::of(analysis).name().to_owned(),
        text(reason.as_ref().map(|reason| reason.name.clone())),
        text(reason.map(|reason| reason.text)),
        report.map(series_uids).unwrap_or_default().into_iter().map(Uid::as_str).collect::<Vec<_>>().join(" "),
        text(facts.model().map(ToString::to_string)),
        text(facts.model().map(|model| model.sha256.clone())),
        text(report.map(|report| report.overall.value().to_string())),
        text(report.map(|report| report.is_alert().to_string())),
        text(check.zip(distance).map(|(check, _)| check.is_out().to_string())),
        text(distance.map(|(distance, _)| distance.to_string())),
        warnings(facts).join("; "),
        text(decision.as_ref().map(|decision| decision.state().name().to_owned())),
        text(decided.map(|decided| decided.what.name().to_owned())),
        text(decided.map(|decided| decided.who.to_string())),
        text(decided.map(|decided| decided.at.rfc3339())),
        text(decided.and_then(|decided| match &decided.what {
            StudyVerdict::Deferred { reason } => Some(reason.to_string()),
            _ => None,
        })),
        text(note.map(|note| note.what.to_string())),
        text(note.map(|note| note.who.to_string())),
        text(note.map(|note| note.at.rfc3339())),
        text(decision.as_ref().map(conflict)),
    ];
    let probability = |level: CervicalLevel| report.and_then(|report| report.levels[level].probability());
    let assessed = |level: CervicalLevel| decision.as_ref().and_then(|decision| decision.levels[level].as_ref());
    row.extend(CervicalLevel::ALL.map(|level| text(probability(level).map(|p| p.value().to_string()))));
    row.extend(CervicalLevel::ALL.map(|level| {
        let flagged = report.map(|report| report.is_level_alert(level));
        text(probability(level).and(flagged).map(|flagged| flagged.to_string()))
    }));
    row.extend(CervicalLevel::ALL.map(|level| text(assessed(level).map(|decided| decided.what.0.name().to_owned()))));
    row.extend(CervicalLevel::ALL.map(|level| match assessed(level).map(|decided| decided.what.1) {
        Some(Some(Agreement::Rejects { reason })) => reason.name().to_owned(),
        _ => String::new(),
    }));
    row
}

fn conflict(decision: &Decision) -> String {
    decision.conflicts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What a number must not be read without, each text once.
fn warnings(facts: StudyFacts<'_>) -> Vec<String> {
    let study = facts.study;
    if !facts.has_files() {
        return vec!["the study's files are no longer there: warnings unknown".to_owned()];
    }
    let mut series = analyzed_series(study, facts.report());
    if series.is_empty() {
        series = study.series.iter().collect();
    }
    let mut texts: Vec<String> = study.oddities.iter().map(ToString::to_string).collect();
    if let Some(report) = facts.report() {
        texts.extend(report.distribution_notice());
        texts.extend(report.incomplete());
        texts.extend(report.contradictions(study));
        texts.extend(report.repairs().into_iter().map(|repair| Oddity::Repaired(repair).to_string()));
    }
    for series in series {
        texts.extend(series.oddities.iter().map(ToString::to_string));
        texts.extend(coverage(&study.patient, series).iter().map(ToString::to_string));
    }
    let mut once: Vec<String> = Vec::with_capacity(texts.len());
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    once
}

/// A text that no spreadsheet takes for a formula: one that begins like a formula, also after blanks and in full-width characters, gets an
/// apostrophe (OWASP, "CSV Injection").
fn cell(text: &str) -> Cow<'_, str> {
    let first = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control()).chars().next();
    let is_formula =
        matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '−' | '﹢' | '﹣' | '﹦' | '﹫'));
    let is_control = text.starts_with(['\t', '\r', '\n']);
    if is_formula || is_control { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The submission form of the RSNA 2022 competition: `row_id,fractured` with one row for C1 to C7 and `patient_overall`. Levels that have
/// no probability, and studies that were not analyzed, have no row: no number is invented for them.
#[must_use]
pub fn submission<'r>(reports: impl IntoIterator<Item = (&'r Uid, &'r FractureReport)>) -> String {
    let mut text = String::from("row_id,fractured\n");
    for (study, report) in reports {
        for finding in &report.levels.0 {
            if let Some(probability) = finding.probability().map(Probability::value) {
                let _ = writeln!(text, "{study}_{},{probability}", finding.level);
            }
        }
        let _ = writeln!(text, "{study}_patient_overall,{}", report.overall.value());
    }
    text
}
