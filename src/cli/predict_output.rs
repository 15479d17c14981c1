//! What `cspine predict` alone prints: the table for people, the submission form, and the timing.

use crate::domain::{Analysis, Declined, FractureReport, ModelIdentity, Oddity, Study, coverage};
use crate::results::{caveat, submission};
use std::fmt::Write as _;
use std::time::Duration;

type Result_<'s> = (&'s Study, Analysis);

/// What the analyzed series cannot show, in the words of the worklist and the panel.
fn notices(study: &Study, report: &FractureReport) -> Vec<String> {
    // Levels that one of several series lacks are in another.
    let single = study.series.iter().find(|series| report.is_of(series)).filter(|_| !report.is_merged());
    let notices = single.map(|series| coverage(&study.patient, series)).unwrap_or_default();
    let mut all: Vec<String> = report.distribution_notice().into_iter().collect();
    all.extend(notices.iter().map(ToString::to_string));
    all.extend(report.repairs().into_iter().map(|repair| Oddity::Repaired(repair).to_string()));
    all.extend(report.search_notices());
    all.extend(report.source_words(study));
    all.extend(report.absences());
    all.extend(report.contradictions(study));
    all
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
                let mark = match report.is_alert() {
                    true => '!',
                    false if report.is_out_of_distribution() => '?',
                    false => ' ',
                };
                let _ = writeln!(text, "{:>5} %{mark} {}  {name}", report.overall.percent(), cells.join(" "));
                for notice in notices(study, report) {
                    let _ = writeln!(text, "{:>8}  {notice}", "");
                }
            }
            Analysis::NotAnalysed(reason) | Analysis::Declined(Declined { reason, .. }) => {
                let _ = writeln!(text, "{:>8}  not analyzed: {reason}  {name}", "–");
            }
            Analysis::Failed(reason) => {
                let _ = writeln!(text, "{:>8}  failed: {reason}  {name}", "✕");
            }
        }
        for warning in &study.oddities {
            let _ = writeln!(text, "{:>8}  warning: {warning}", "");
        }
    }
    let is_out =
        |analysis: &Analysis| matches!(analysis, Analysis::Analysed(report) if report.is_out_of_distribution());
    let unlike = if results.iter().any(|(_, analysis)| is_out(analysis)) { "; ? unlike the training data" } else { "" };
    let _ = writeln!(
        text,
        "percent; – not seen; ! flagged: reaches the threshold{unlike} · model {model} · research use only · {}",
        caveat(model.nature)
    );
    text
}

/// The submission form of the RSNA 2022 competition.
pub(super) fn rsna_submission(results: &[Result_<'_>]) -> String {
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
            let slices: usize = report.parts().map(|part| part.slices.len()).sum();
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

/// Peak resident memory of this process in MiB, if the system reports it (Linux: VmHWM).
fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok().map(|kib| kib / 1024.0)
}
