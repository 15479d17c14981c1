//! Results as tables.

use super::StudyResult;
use crate::domain::{Agreement, Analysis, CervicalLevel, Declined, FractureReport, StudyVerdict, Uid};
use std::fmt::Write as _;

/// One line a study: what the network says and what readers decided. Cells without a value are empty.
///
/// # Errors
/// None that writing to memory can cause.
pub fn table(results: &[StudyResult]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header: Vec<String> = [
        "study_instance_uid",
        "patient_id",
        "patient_name",
        "accession_number",
        "study_date",
        "state",
        "verdict_by",
        "verdict_at",
        "deferred_because",
        "note",
        "status",
        "reason",
        "model",
        "model_sha256",
        "overall",
        "alert",
    ]
    .map(str::to_owned)
    .into();
    let per_level = |what: &'static str| CervicalLevel::ALL.into_iter().map(move |level| format!("{what}_{level}"));
    header.extend(per_level("network"));
    header.extend(per_level("reader"));
    header.extend(per_level("rejected_because"));
    writer.write_record(&header)?;
    for result in results {
        writer.write_record(row(result))?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn row(result: &StudyResult) -> Vec<String> {
    let (study, decision, report) = (&result.study, result.decision(), result.report());
    let verdict = decision.study.as_ref();
    let deferred = verdict.map_or(String::new(), |decided| match &decided.what {
        StudyVerdict::Deferred { reason } => reason.to_string(),
        _ => String::new(),
    });
    let (status, reason) = match &result.analysis {
        None => ("waiting", String::new()),
        Some(Analysis::Analysed(_)) => ("analysed", String::new()),
        Some(Analysis::NotAnalysed(reason) | Analysis::Declined(Declined { reason, .. })) => {
            ("not-analysed", reason.to_string())
        }
        Some(Analysis::Failed(reason)) => ("failed", reason.to_string()),
    };
    let mut row = vec![
        study.uid.to_string(),
        cell(study.patient.id.as_str()),
        cell(study.patient.name.as_str()),
        cell(study.accession.as_str()),
        study.date.map_or(String::new(), |date| date.to_string()),
        decision.state().name().to_owned(),
        verdict.map_or(String::new(), |decided| cell(decided.who.as_str())),
        verdict.map_or(String::new(), |decided| decided.at.rfc3339()),
        cell(&deferred),
        decision.note.as_ref().map_or(String::new(), |note| cell(note.what.as_str())),
        status.to_owned(),
        cell(&reason),
        report.map_or(String::new(), |report| report.model.to_string()),
        report.map_or(String::new(), |report| report.model.sha256.clone()),
        report.map_or(String::new(), |report| report.overall.value().to_string()),
        report.map_or(String::new(), |report| report.is_alert().to_string()),
    ];
    for level in CervicalLevel::ALL {
        let probability = report.and_then(|report| report.levels[level].probability());
        row.push(probability.map_or(String::new(), |p| p.value().to_string()));
    }
    for level in CervicalLevel::ALL {
        let decided = decision.levels[level].as_ref();
        row.push(decided.map_or(String::new(), |decided| decided.what.0.name().to_owned()));
    }
    for level in CervicalLevel::ALL {
        row.push(match decision.levels[level].as_ref().map(|decided| decided.what.1) {
            Some(Some(Agreement::Rejects { reason })) => reason.name().to_owned(),
            _ => String::new(),
        });
    }
    row
}

/// Text from files or readers that no spreadsheet takes for a formula: one that begins like one gets an apostrophe
/// (OWASP, "CSV Injection").
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() }
}

/// `row_id,fractured` with one row for C1 to C7 and `patient_overall`, as the RSNA 2022 competition wants them. Levels that have no
/// probability, and studies that were not analysed, have no row: no number is invented for them.
#[must_use]
pub fn submission<'r>(reports: impl IntoIterator<Item = (&'r Uid, &'r FractureReport)>) -> String {
    let mut text = String::from("row_id,fractured\n");
    for (study, report) in reports {
        for finding in &report.levels.0 {
            if let Some(probability) = finding.probability() {
                let _ = writeln!(text, "{study}_{},{}", finding.level, probability.value());
            }
        }
        let _ = writeln!(text, "{study}_patient_overall,{}", report.overall.value());
    }
    text
}
