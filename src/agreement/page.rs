//! The statistics for people.

use super::{FourFold, ModelStatistics, Statistics};
use crate::evaluation::Proportion;
use std::fmt::Write as _;

/// The statistics as text.
#[must_use]
pub fn page(statistics: &Statistics) -> String {
    let mut out = String::new();
    let states: Vec<String> = statistics
        .states
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let _ = writeln!(out, "{} studies in the log: {}", statistics.studies, or_none(&states));
    let _ = writeln!(out, "{} readers with an assessment", statistics.readers);
    if statistics.without_report > 0 {
        let _ = writeln!(
            out,
            "{} assessments were given without a finished report and are compared with nothing",
            statistics.without_report
        );
    }
    out.push_str(
        "The reader's latest assessment is taken as the truth. A reader who saw the network's report may have followed it: blinded assessments are listed separately.\n",
    );
    for model in &statistics.models {
        one_model(&mut out, model);
    }
    if statistics.models.is_empty() {
        out.push_str("\nNo assessment can be compared with a report yet.\n");
    }
    out.push_str("\nAlarms\n");
    for shift in &statistics.shifts {
        let _ = writeln!(
            out,
            "  shift {}: {:.1} a shift ({} of {} studies in {} shifts)",
            shift.shift, shift.alarms_per_shift, shift.alarms, shift.studies, shift.shifts
        );
    }
    for day in &statistics.days {
        let _ = writeln!(out, "  {}: {} of {} studies", day.day, day.alarms, day.studies);
    }
    let turnaround = &statistics.turnaround;
    let minutes = |value: Option<f64>| value.map_or("–".to_owned(), |minutes| format!("{minutes:.0} min"));
    let _ = writeln!(
        out,
        "\nFrom arrival to assessment: median {}, nine of ten within {}, longest {} ({} studies)",
        minutes(turnaround.median_min),
        minutes(turnaround.ninetieth_percentile_min),
        minutes(turnaround.longest_min),
        turnaround.studies
    );
    let _ = writeln!(out, "\nTo read again, reader and network differ: {}", statistics.discordant.len());
    for study in &statistics.discordant {
        let alert = if study.alert { "alert" } else { "no alert" };
        let levels = if study.levels.is_empty() { String::new() } else { format!(" · {}", study.levels.join("; ")) };
        let _ = writeln!(
            out,
            "  {}  {}  {} by {} ({}), network {} {alert}{levels}",
            study.study_instance_uid, study.label, study.reader, study.who, study.at, study.network
        );
    }
    if !statistics.conflicts.is_empty() {
        let _ = writeln!(out, "\nReaders contradict each other, to be resolved: {}", statistics.conflicts.len());
    }
    for study in &statistics.conflicts {
        let _ = writeln!(out, "  {}  {}  {}", study.study_instance_uid, study.label, study.text);
    }
    out
}

fn or_none(parts: &[String]) -> String {
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn one_model(out: &mut String, model: &ModelStatistics) {
    let _ = writeln!(
        out,
        "\n{} {} ({:.8}), alert from {}, levels from {}",
        model.model, model.version, model.sha256, model.overall_threshold, model.level_threshold
    );
    for (what, table) in
        [("studies", &model.studies), ("studies, assessment given blind", &model.blinded), ("levels", &model.levels)]
    {
        four_fold(out, what, table);
    }
    if !model.rejected.is_empty() {
        let reasons: Vec<String> = model.rejected.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        let _ = writeln!(out, "  alerts rejected: {}", reasons.join(", "));
    }
}

fn four_fold(out: &mut String, what: &str, table: &FourFold) {
    if table.all() == 0 {
        let _ = writeln!(out, "  {what}: none");
        return;
    }
    let _ = writeln!(
        out,
        "  {what}: {}: both {}, network alone {}, reader alone {}, neither {}",
        table.all(),
        table.both,
        table.network_only,
        table.reader_only,
        table.neither
    );
    for (name, share) in [
        ("PPV", &table.ppv),
        ("sensitivity", &table.sensitivity),
        ("specificity", &table.specificity),
        ("agreement", &table.agreement),
    ] {
        let _ = writeln!(out, "    {name:<11}  {}", said(share));
    }
    let kappa = table.kappa.map_or("–".to_owned(), |kappa| format!("{kappa:.2}"));
    let _ = writeln!(out, "    {:<11}  {kappa}", "kappa");
    if let Some(too_few) = &table.too_few {
        let _ = writeln!(out, "    {too_few}");
    }
}

fn said(share: &Proportion) -> String {
    let percent = |value: f64| (value * 100.0).round();
    match (share.value, share.low, share.high) {
        (Some(value), Some(low), Some(high)) => format!(
            "{} % ({} of {}, 95 % interval {} to {} %)",
            percent(value),
            share.count,
            share.of,
            percent(low),
            percent(high)
        ),
        _ => format!("– ({} of {})", share.count, share.of),
    }
}
