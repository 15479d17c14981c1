//! `cspine predict`: the worklist's analysis without a screen.

use super::batch::{self, Batch, BatchArgs};
use super::hook::Hook;
use super::kept::StoreArgs;
use super::select;
use super::{CliError, predict_output};
use crate::domain::{Analysis, Study};
use crate::inference::{NoReports, Reports};
use crate::runtime::kept_reports;
use clap::{Args as ClapArgs, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Analyse studies and print their fracture probabilities. Exit code: 0 all analysed, 1 some not or
/// a hook failed, 2 usage, 3 nothing readable, 143 stopped by a signal.
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
    #[command(flatten)]
    batch: BatchArgs,
    /// Analyse again what was analysed before, instead of taking the report that is kept; so does --timing.
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    store: StoreArgs,
    /// Program to run for every study as soon as it is analysed: its JSON comes on the input, CSPINE_STUDY_UID, CSPINE_STATUS, CSPINE_OVERALL,
    /// CSPINE_ALERT and CSPINE_MODEL in the environment.
    #[arg(long, value_name = "PROGRAM")]
    hook: Option<PathBuf>,
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
    let cancel = batch::stop_by_signal()?;
    let reports: Arc<dyn Reports> =
        if args.again || args.timing { Arc::new(NoReports) } else { kept_reports(args.store.folder().ok().as_deref()) };
    let mut batch = Batch::load(&args.batch, reports, &cancel)?;
    let identity = batch.identity();
    let started = begun.elapsed();
    let hook = args.hook.as_deref().map(Hook::new);
    let studies: Vec<&Study> = found.studies.iter().collect();
    let mut done: Vec<Option<Analysis>> = vec![None; studies.len()];
    let mut hooks_failed = false;
    batch.run(&studies, &mut |place, analysis| {
        let json = predict_output::json(studies[place], &analysis, &identity, args.slices);
        if args.format == Format::Jsonl {
            super::print(&format!("{json}\n"))?;
        }
        if let Some(hook) = &hook
            && let Err(problem) = hook.run(studies[place], &analysis, &json, &cancel)
        {
            eprintln!("{problem}");
            hooks_failed = true;
        }
        done[place] = Some(analysis);
        Ok(())
    })?;
    let results: Vec<(&Study, Analysis)> =
        studies.into_iter().zip(done).filter_map(|(study, analysis)| Some((study, analysis?))).collect();
    let text = match args.format {
        Format::Table => predict_output::table(&results, &identity),
        Format::Json => predict_output::json_array(&results, &identity, args.slices),
        Format::Jsonl => String::new(),
        Format::Csv => predict_output::csv(&results, &identity)?,
        Format::Kaggle => predict_output::kaggle(&results),
    };
    super::print(&text)?;
    if args.timing {
        eprint!("{}", predict_output::timing(&results, started, begun.elapsed()));
    }
    if cancel.is_cancelled() {
        eprintln!("stopped: {} of {} studies were analysed", results.len(), found.studies.len());
        // As a shell counts a program that ended by SIGTERM.
        return Ok(ExitCode::from(143));
    }
    let all = results.iter().all(|(_, analysis)| matches!(analysis, Analysis::Analysed(_)));
    Ok(ExitCode::from(u8::from(!all || hooks_failed)))
}
