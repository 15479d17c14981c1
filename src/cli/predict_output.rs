//! What `cspine predict` prints.

use super::CliError;
use crate::domain::{
    Analysis, Declined, FractureReport, LevelExtent, LevelOutcome, ModelIdentity, ModelNature, PerLevel, Probability,
    Study, coverage,
};
use crate::results::submission;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

type Result_<'s> = (&'s Study, Analysis);

/// One study as JSON.
pub(super) fn json(study: &Study, analysis: &Analysis, model: &ModelIdentity, slices: bool) -> Value {
    let mut value = json!({
        "study_instance_uid": study.uid.as_str(),
        "series_instance_uid": Value::Null,
        "status": "analysed",
        "reason": Value::Null,
        "model": { "name": model.name, "version": model.version, "sha256": model.sha256 },
        "overall": Value::Null,
        "levels": [],
        "coverage": [],
        "timing": Value::Null,
    });
    match analysis {
        Analysis::Analysed(report) => {
            value["series_instance_uid"] = json!(report.series_uid.as_str());
            value["overall"] = json!(report.overall.value());
            value["levels"] = levels(report);
            value["coverage"] = json!(notices(study, report));
            value["timing"] = json!({
                "load_s": report.timing.load.as_secs_f64(),
                "preprocess_s": report.timing.preprocess.as_secs_f64(),
                "network_s": report.timing.network.as_secs_f64(),
                "total_s": report.timing.total.as_secs_f64(),
            });
            if slices {
                value["slices"] = slices_json(report);
            }
        }
        Analysis::NotAnalysed(reason) | Analysis::Declined(Declined { reason, .. }) => {
            value["status"] = json!("not_analysed");
            value["reason"] = json!(reason.to_string());
        }
        Analysis::Failed(reason) => {
            value["status"] = json!("failed");
            value["reason"] = json!(reason.to_string());
        }
    }
    value
}

/// What the analysed series cannot show, as the list and the panel tell it.
fn notices(study: &Study, report: &FractureReport) -> Vec<String> {
    let series = study.series.iter().find(|series| series.uid == report.series_uid);
    let told = series.map(|series| coverage(&study.patient, series)).unwrap_or_default();
    told.iter().map(ToString::to_string).collect()
}

fn levels(report: &FractureReport) -> Value {
    let level = |finding: &crate::domain::LevelFinding| match finding.outcome {
        LevelOutcome::Seen { probability, key_slice, extent, hot_spot } => json!({
            "level": finding.level.name(),
            "seen": true,
            "whole": extent == LevelExtent::Whole,
            "probability": probability.value(),
            "key_slice": {
                "index": key_slice.index,
                "instance_number": key_slice.instance_number,
                "position_mm": key_slice.position_mm,
            },
            "hot_spot_mm": hot_spot.map(|spot| spot.point.to_array()),
        }),
        LevelOutcome::NotSeen => json!({
            "level": finding.level.name(),
            "seen": false,
            "whole": Value::Null,
            "probability": Value::Null,
            "key_slice": Value::Null,
            "hot_spot_mm": Value::Null,
        }),
    };
    report.levels.0.iter().map(level).collect()
}

fn slices_json(report: &FractureReport) -> Value {
    let numbers = |levels: &PerLevel<Probability>| levels.0.map(Probability::value);
    report
        .slices
        .iter()
        .map(|slice| {
            json!({
                "index": slice.index,
                "instance_number": slice.instance_number,
                "position_mm": slice.position_mm,
                "vertebra": numbers(&slice.score.vertebra),
                "fracture": numbers(&slice.score.fracture),
            })
        })
        .collect()
}

/// All studies as one JSON array.
pub(super) fn json_array(results: &[Result_<'_>], model: &ModelIdentity, slices: bool) -> String {
    let all: Vec<Value> = results.iter().map(|(study, analysis)| json(study, analysis, model, slices)).collect();
    format!("{:#}\n", Value::Array(all))
}

/// All studies for people, most urgent first.
pub(super) fn table(results: &[Result_<'_>], model: &ModelIdentity) -> String {
    let overall = |analysis: &Analysis| match analysis {
        Analysis::Analysed(report) => Some(report.overall),
        _ => None,
    };
    let mut order: Vec<&Result_<'_>> = results.iter().collect();
    order.sort_by(|a, b| overall(&b.1).partial_cmp(&overall(&a.1)).unwrap_or(std::cmp::Ordering::Equal));
    let mut text = format!(
        "{:>8}  {}  study\n",
        "overall",
        crate::domain::CervicalLevel::ALL.map(|l| format!("{:>5}", l.name())).join(" ")
    );
    for (study, analysis) in order {
        let name = if study.patient.name.is_empty() { study.uid.as_str() } else { study.patient.name.as_str() };
        match analysis {
            Analysis::Analysed(report) => {
                let cell = |finding: &crate::domain::LevelFinding| {
                    let mark = if report.is_level_alert(finding.level) { "!" } else { " " };
                    finding.probability().map_or("    – ".into(), |p| format!("{:>4}{mark}", p.percent()))
                };
                let cells: Vec<String> = report.levels.0.iter().map(cell).collect();
                let mark = if report.is_alert() { '!' } else { ' ' };
                let _ = writeln!(text, "{:>5} %{mark} {}  {name}", report.overall.percent(), cells.join(" "));
                for notice in notices(study, report) {
                    let _ = writeln!(text, "{:>8}  {notice}", "");
                }
            }
            Analysis::NotAnalysed(reason) | Analysis::Declined(Declined { reason, .. }) => {
                let _ = writeln!(text, "{:>8}  not analysed: {reason}  {name}", "–");
            }
            Analysis::Failed(reason) => {
                let _ = writeln!(text, "{:>8}  failed: {reason}  {name}", "✕");
            }
        }
    }
    let nature = match model.nature {
        ModelNature::Synthetic => "trained on synthetic fractures only: its numbers say nothing about patients",
        ModelNature::Clinical => "not a medical device",
    };
    let _ =
        writeln!(text, "percent; – not seen; ! passes the threshold · model {model} · research use only · {nature}");
    text
}

/// One line per study.
pub(super) fn csv(results: &[Result_<'_>], model: &ModelIdentity) -> Result<String, CliError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error| CliError::failed("the output cannot be written", error);
    let mut header = vec!["study_instance_uid", "status", "reason", "model", "overall"];
    header.extend(crate::domain::CervicalLevel::ALL.map(|level| level.name()));
    writer.write_record(&header).map_err(failed)?;
    for (study, analysis) in results {
        let (status, reason, overall, levels) = match analysis {
            Analysis::Analysed(report) => {
                let levels =
                    report.levels.0.map(|level| level.probability().map_or(String::new(), |p| p.value().to_string()));
                ("analysed", String::new(), report.overall.value().to_string(), levels)
            }
            Analysis::NotAnalysed(reason) | Analysis::Declined(Declined { reason, .. }) => {
                ("not_analysed", reason.to_string(), String::new(), Default::default())
            }
            Analysis::Failed(reason) => ("failed", reason.to_string(), String::new(), Default::default()),
        };
        let model = model.to_string();
        let mut record = vec![study.uid.as_str(), status, &reason, &model, &overall];
        record.extend(levels.iter().map(String::as_str));
        writer.write_record(&record).map_err(failed)?;
    }
    let bytes =
        writer.into_inner().map_err(|error| CliError::failed("the output cannot be written", error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// As the RSNA 2022 competition wants it.
pub(super) fn kaggle(results: &[Result_<'_>]) -> String {
    submission(results.iter().filter_map(|(study, analysis)| match analysis {
        Analysis::Analysed(report) => Some((&study.uid, &**report)),
        _ => None,
    }))
}

/// Where the time went, and the peak memory.
pub(super) fn timing(results: &[Result_<'_>], started: Duration, total: Duration) -> String {
    let mut text = String::new();
    for (study, analysis) in results {
        if let Analysis::Analysed(report) = analysis {
            let timing = report.timing;
            let slices = report.slices.len();
            let _ = writeln!(
                text,
                "{}: {slices} slices · load {:.2} s · preprocess {:.2} s (beside the network) · network {:.2} s ({:.1} slices/s) · study {:.2} s",
                study.uid,
                timing.load.as_secs_f64(),
                timing.preprocess.as_secs_f64(),
                timing.network.as_secs_f64(),
                slices as f64 / timing.network.as_secs_f64().max(1e-9),
                timing.total.as_secs_f64()
            );
        }
    }
    let _ = write!(text, "scan and model ready {:.2} s · all {:.2} s", started.as_secs_f64(), total.as_secs_f64());
    if let Some(peak) = peak_memory_mib() {
        let _ = write!(text, " · peak memory {peak:.0} MiB");
    }
    text.push('\n');
    text
}

/// Peak resident memory of this process in MiB, where the system tells it (Linux: VmHWM).
fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}
