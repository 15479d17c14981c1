//! `cspine inspect`: what was found under a path, and what is odd about it.

use super::CliError;
use super::select::{self, Found};
use crate::dicom::{self, LoadError};
use crate::domain::{NotAnalysed, Oddity, Patient, Series, SeriesKind, SeriesScore, Study};
use crate::domain::{SeriesRole, choose_series, coverage, plan_series, rank_series, series_roles};
use crate::task::Cancel;
use clap::{Args as ClapArgs, ValueEnum};
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show studies, series, geometry, what is odd about them, and unreadable files with reasons.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Files or folders.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Decode the pixels too, and tell what cannot be.
    #[arg(long)]
    pixels: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// Runs the command.
///
/// # Errors
/// Nothing that can be read, or an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut found = select::scan(&args.paths)?;
    if args.pixels {
        decode(&mut found);
    }
    let text = match args.format {
        Format::Table => table(&found),
        Format::Json => format!("{:#}\n", json_of(&found)),
    };
    super::print(&text)?;
    if found.studies.is_empty() {
        return Ok(ExitCode::from(3));
    }
    Ok(ExitCode::SUCCESS)
}

/// Loads every series, and adds what is found out by that to what its headers tell.
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
        let _ = writeln!(out, "  odd      {oddity}");
    }
    let chosen = choose_series(study);
    match &chosen {
        Ok(candidate) => {
            let _ = writeln!(out, "  analysis series {}: {}", candidate.series + 1, candidate.explanation);
        }
        Err(reason) => {
            let _ = writeln!(out, "  analysis not analysed: {reason}");
        }
    }
    let plan = plan_series(study, None).unwrap_or_default();
    for (planned, role) in plan.iter().zip(series_roles(study, &plan)).skip(1) {
        let _ = writeln!(out, "  then     series {}: {}", planned.series + 1, role_words(&role));
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
        for refusal in refused(series) {
            let _ = writeln!(out, "    not    {refusal}");
        }
        for oddity in &series.oddities {
            let _ = writeln!(out, "    odd    {oddity}");
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

/// When a planned series is analyzed.
fn role_words(role: &SeriesRole) -> String {
    match role {
        SeriesRole::First => "first".to_owned(),
        SeriesRole::Adds(mm) => format!("if levels are missing; covers {mm} mm more"),
        SeriesRole::MayAdd => "if levels are missing; its positions cannot be compared".to_owned(),
        SeriesRole::Substitute(other) => {
            format!("only if series {} cannot be analyzed or cuts off a level; covers the same range", other + 1)
        }
    }
}

fn role_json(role: &SeriesRole) -> Value {
    match role {
        SeriesRole::First => json!({ "role": "first" }),
        SeriesRole::Adds(mm) => json!({ "role": "adds", "mm": mm }),
        SeriesRole::MayAdd => json!({ "role": "may_add" }),
        SeriesRole::Substitute(other) => json!({ "role": "substitute", "for": other }),
    }
}

/// What the viewer refuses for want of geometry.
fn refused(series: &Series) -> Vec<&'static str> {
    let mut refused = Vec::new();
    if matches!(series.kind, SeriesKind::NoPixels | SeriesKind::Localizer) {
        return refused;
    }
    if series.stack.is_none() {
        refused.push("reformats and mm along the stack: no slice positions");
    }
    if series.pixel_spacing().is_none() {
        refused.push("reformats and mm in the plane: no pixel spacing");
    }
    refused
}

fn odd_json(oddities: &[Oddity]) -> Value {
    oddities
        .iter()
        .map(|oddity| json!({ "name": oddity.name(), "count": oddity.count(), "text": oddity.to_string() }))
        .collect()
}

fn kind(series: &Series) -> &'static str {
    match series.kind {
        SeriesKind::Axial => "axial",
        SeriesKind::Sagittal => "sagittal",
        SeriesKind::Coronal => "coronal",
        SeriesKind::Unpositioned => "without positions",
        SeriesKind::Localizer => "localizer",
        SeriesKind::NoPixels => "no pictures",
    }
}

fn describe(series: &Series) -> String {
    let mut words = vec![series.modality.to_string(), kind(series).to_owned()];
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

fn json_of(found: &Found) -> Value {
    let studies: Vec<Value> = found
        .studies
        .iter()
        .map(|study| {
            let chosen = choose_series(study);
            let plan = plan_series(study, None).unwrap_or_default();
            let roles = series_roles(study, &plan);
            json!({
                "study_instance_uid": study.uid.as_str(),
                "patient_name": study.patient.name.as_str(),
                "patient_id": study.patient.id.as_str(),
                "age_years": study.patient.age_years,
                "sex": study.patient.sex.map(|sex| sex.letter().to_string()),
                "date": study.date.map(|date| date.to_string()),
                "description": study.description.as_str(),
                "odd": odd_json(&study.oddities),
                "analysis": match &chosen {
                    Ok(candidate) => json!({
                        "series": candidate.series,
                        "explanation": candidate.explanation,
                        "plan": plan.iter().zip(&roles).map(|(planned, role)| {
                            let mut value = role_json(role);
                            value["series"] = json!(planned.series);
                            value
                        }).collect::<Vec<_>>(),
                    }),
                    Err(reason) => json!({ "not_analysed": reason.to_string() }),
                },
                "series": study
                    .series
                    .iter()
                    .zip(rank_series(study))
                    .map(|(series, verdict)| series_json(&study.patient, series, &verdict))
                    .collect::<Vec<_>>(),
            })
        })
        .collect();
    let unreadable: Vec<Value> = found
        .unreadable
        .iter()
        .map(|(path, reason)| json!({ "path": select::shown(path), "reason": reason }))
        .collect();
    json!({
        "studies": studies,
        "unreadable": unreadable,
        "files": found.summary.files,
        "dicom": found.summary.dicom,
        "not_dicom": found.summary.not_dicom,
    })
}

fn series_json(patient: &Patient, series: &Series, verdict: &Result<SeriesScore, NotAnalysed>) -> Value {
    let plane = series.instances.first().and_then(|instance| instance.plane);
    json!({
        "series_instance_uid": series.uid.as_str(),
        "stack": series.stack_index,
        "number": series.number,
        "description": series.description.as_str(),
        "modality": match &series.modality {
            crate::domain::Modality::Unstated => Value::Null,
            modality => json!(modality.to_string()),
        },
        "kind": kind(series),
        "kernel": series.kernel.as_str(),
        "slices": series.instances.len(),
        "rows": series.instances.first().map(|instance| instance.rows),
        "columns": series.instances.first().map(|instance| instance.columns),
        "pixel_spacing_mm": series.pixel_spacing().map(|spacing| [spacing.row, spacing.column]),
        "slice_spacing_mm": series.slice_spacing(),
        "slice_thickness_mm": series.instances.first().and_then(|instance| instance.slice_thickness),
        "extent_mm": series.extent_mm(),
        "first_position_mm": plane.map(|plane| plane.position.to_array()),
        "row_cosines": plane.map(|plane| plane.row_cosines.to_array()),
        "column_cosines": plane.map(|plane| plane.column_cosines.to_array()),
        "choice": match verdict {
            Ok(score) => json!({
                "points": score.total(),
                "parts": score
                    .parts
                    .iter()
                    .map(|(part, points)| (part.name().to_owned(), json!(points)))
                    .collect::<serde_json::Map<_, _>>(),
            }),
            Err(reason) => json!({ "not_analysed": reason.to_string() }),
        },
        "coverage": coverage(patient, series).iter().map(ToString::to_string).collect::<Vec<_>>(),
        "refused": refused(series),
        "odd": odd_json(&series.oddities),
    })
}
