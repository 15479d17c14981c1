//! `cspine predict`: the worklist's analysis without a screen.

use super::analysis::{analyse_study, load_package};
use super::select;
use super::{CliError, predict_output};
use crate::domain::Analysis;
use clap::{Args as ClapArgs, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::PathBuf;
use std::process::ExitCode;

/// Analyse studies and print their fracture probabilities. Exit code: 0 all analysed, 1 some not, 2 usage, 3 nothing readable.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Files or folders.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Add every slice's outputs (json and jsonl).
    #[arg(long)]
    slices: bool,
    /// Print to stderr where the time went, and the peak memory.
    #[arg(long)]
    timing: bool,
    /// Model package to use instead of the built-in one.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// One JSON array.
    Json,
    /// One JSON object a line, as soon as it is known.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// The form of the RSNA 2022 competition: row_id,fractured.
    Kaggle,
}

/// Runs the command.
///
/// # Errors
/// Nothing that can be read, no model, or an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let begun = std::time::Instant::now();
    let found = select::scan(&args.paths)?;
    for (path, reason) in &found.unreadable {
        eprintln!("unreadable  {}: {reason}", select::shown(path));
    }
    if found.studies.is_empty() {
        return Err(CliError::nothing_readable("no DICOM study was found; cspine inspect tells each file's reason"));
    }
    let mut package = load_package(args.model.as_deref())?;
    let started = begun.elapsed();
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} slices {msg}") {
        bar.set_style(style);
    }
    let mut results = Vec::with_capacity(found.studies.len());
    for (index, study) in found.studies.iter().enumerate() {
        bar.set_prefix(format!("study {}/{}", index + 1, found.studies.len()));
        bar.reset();
        let analysis = analyse_study(&mut package, study, &mut |step| {
            bar.set_length(step.total as u64);
            bar.set_position(step.done as u64);
        });
        if args.format == Format::Jsonl {
            super::print(&format!("{}\n", predict_output::json(study, &analysis, &package.identity, args.slices)))?;
        }
        results.push((study, analysis));
    }
    bar.finish_and_clear();
    let text = match args.format {
        Format::Table => predict_output::table(&results, &package.identity),
        Format::Json => predict_output::json_array(&results, &package.identity, args.slices),
        Format::Jsonl => String::new(),
        Format::Csv => predict_output::csv(&results, &package.identity)?,
        Format::Kaggle => predict_output::kaggle(&results)?,
    };
    super::print(&text)?;
    if args.timing {
        eprint!("{}", predict_output::timing(&results, started, begun.elapsed()));
    }
    let all = results.iter().all(|(_, analysis)| matches!(analysis, Analysis::Analysed(_)));
    Ok(ExitCode::from(u8::from(!all)))
}
