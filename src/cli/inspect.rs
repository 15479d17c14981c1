//! `cspine inspect`: studies and series under a path, with their warnings.

use super::select::{self, Found};
use super::{CliError, schema};
use crate::dicom::{self, LoadError};
use crate::domain::{
    Analysis, NotAnalysed, Series, SeriesScore, Study, choose_series, coverage, plan_series, rank_series, series_roles,
};
use crate::results::{StudyFacts, disabled, kind_name};
use crate::task::Cancel;
use clap::{Args as ClapArgs, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show studies, series, geometry, warnings, and unreadable files with reasons. JSON and CSV have the same form as those of predict, report
/// and watch; --schema describes it.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Files or folders.
    #[arg(required_unless_present = "schema", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Decode the pixels too, and list what cannot be decoded.
    #[arg(long)]
    pixels: bool,
    /// Print the JSON Schema of json and jsonl with the columns of csv, and nothing else.
    #[arg(long)]
    schema: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// JSON Lines: one study per line.
    Jsonl,
    /// CSV: one row per study.
    Csv,
}

/// Runs the command.
///
/// # Errors
/// Nothing that can be read, or an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    if args.schema {
        return schema::print();
    }
    let mut found = select::scan(&args.paths)?;
    if args.pixels {
        decode(&mut found);
    }
    let declined: Vec<Option<Analysis>> =
        found.studies.iter().map(|study| choose_series(study).err().map(Analysis::NotAnalysed)).collect();
    let facts = || {
        let studies = found.studies.iter().zip(&declined);
        studies.map(|(study, declined)| StudyFacts::without_reading(study, declined.as_ref()))
    };
    let text = match args.format {
        Format::Table => table(&found),
        Format::Json => schema::json(facts(), &found)?,
        Format::Jsonl => facts().map(schema::json_line).collect::<Result<String, _>>()?,
        Format::Csv => schema::csv(facts())?,
    };
    super::print(&text)?;
    if found.studies.is_empty() {
        return Ok(ExitCode::from(3));
    }
    Ok(ExitCode::SUCCESS)
}

/// Loads every series; its warnings then include those on its pixels.
fn decode(found: &mut Found) {
    for series in found.studies.iter_mut().flat_map(|study| &mut study.series) {
        match dicom::load_volume(series, &Cancel::new(), &|_, _| {}) {
            Ok(volume) => series.oddities = volume.oddities,
            Err(LoadError::NoPictures | LoadError::Cancelled) => {}
            Err(LoadError::Nothing { path, reason }) => found.unreadable.push((path, reason.to_string())),
            Err(error @ LoadError::TooLarge(_)) => {
                let path = series.instances.first().map(|instance| instance.path.clone()).unwrap_or_default();
                found.unreadable.push((path, error.to_string()));
            }
        }
    }
}

fn table(found: &Found) -> String {
    let mut out = Vec::new();
    for study in &found.studies {
        write_study(&mut out, study);
    }
    for (path, reason) in &found.unreadable {
        let _ = writeln!(out, "unreadable  {}: {reason}", select::shown(path));
    }
    let summary = found.summary;
    let _ = writeln!(
        out,
        "{} studies · {} files: {} DICOM, {} not DICOM, {} unreadable",
        found.studies.len(),
        summary.files,
        summary.dicom,
        summary.not_dicom,
        summary.unreadable
    );
    String::from_utf8_lossy(&out).into_owned()
}

fn write_study(out: &mut Vec<u8>, study: &Study) {
    let patient = &study.patient;
    let name = if patient.name.is_empty() { "(no name)" } else { patient.name.as_str() };
    let _ = write!(out, "study {}\n  patient  {name}", study.uid);
    if !patient.id.is_empty() {
        let _ = write!(out, " · ID {}", patient.id);
    }
    if let Some(age) = patient.age_years {
        let _ = write!(out, " · {age} years");
    }
    if let Some(sex) = patient.sex {
        let _ = write!(out, " · {}", sex.letter());
    }
    let _ = writeln!(out);
    if let Some(date) = study.date {
        let _ = writeln!(out, "  date     {date}");
    }
    if !study.description.is_empty() {
        let _ = writeln!(out, "  study    {}", study.description);
    }
    for oddity in &study.oddities {
        let _ = writeln!(out, "  warning  {oddity}");
    }
    let chosen = choose_series(study);
    match &chosen {
        Ok(candidate) => {
            let _ = writeln!(out, "  analysis series {}: {}", candidate.series + 1, candidate.explanation);
        }
        Err(reason) => {
            let _ = writeln!(out, "  analysis not analyzed: {reason}");
        }
    }
    let plan = plan_series(study, None).unwrap_or_default();
    for (planned, role) in plan.iter().zip(series_roles(study, &plan)).skip(1) {
        let _ = writeln!(out, "  then     series {}: {}", planned.series + 1, role);
    }
    let ranked = rank_series(study);
    let best = chosen.as_ref().ok().and_then(|candidate| ranked.get(candidate.series)?.as_ref().ok());
    for (index, (series, verdict)) in study.series.iter().zip(&ranked).enumerate() {
        let mark = if chosen.as_ref().is_ok_and(|candidate| candidate.series == index) { '▸' } else { ' ' };
        let _ = writeln!(out, " {mark}series {}  {}", index + 1, describe(series));
        if study.series.len() > 1 {
            let _ = writeln!(out, "    choice {}", verdict_words(verdict, best));
        }
        for notice in coverage(&study.patient, series) {
            let _ = writeln!(out, "    shows  {notice}");
        }
        for function in disabled(series) {
            let _ = writeln!(out, "    off    {function}");
        }
        for oddity in &series.oddities {
            let _ = writeln!(out, "    warns  {oddity}");
        }
    }
}

/// A series' points, and what it lost by.
fn verdict_words(verdict: &Result<SeriesScore, NotAnalysed>, best: Option<&SeriesScore>) -> String {
    match (verdict, best) {
        (Ok(score), Some(best)) if score != best => {
            let behind = score.behind(best);
            let behind = if behind.is_empty() { "an equal came first".to_owned() } else { behind };
            format!("{score}; lost: {behind}")
        }
        (Ok(score), _) => score.to_string(),
        (Err(reason), _) => reason.to_string(),
    }
}

fn describe(series: &Series) -> String {
    let mut words = vec![series.modality.to_string(), kind_name(series.kind).to_owned()];
    if let Some(first) = series.instances.first() {
        words.push(format!("{} × {} × {}", series.instances.len(), first.rows, first.columns));
    }
    if let Some(spacing) = series.pixel_spacing() {
        words.push(format!("{:.3} × {:.3} mm", spacing.row, spacing.column));
    }
    if let Some(spacing) = series.slice_spacing() {
        words.push(format!("every {spacing:.2} mm"));
    }
    if let Some(extent) = series.extent_mm() {
        words.push(format!("extent {extent:.0} mm"));
    }
    if !series.kernel.is_empty() {
        words.push(format!("{} kernel", series.kernel));
    }
    if !series.description.is_empty() {
        words.push(series.description.to_string());
    }
    words.join(" · ")
}
