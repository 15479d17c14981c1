//! `cspine predict`: the worklist's analysis without a screen.

use super::batch::{self, Batch, BatchArgs};
use super::hook::Hook;
use super::kept::StoreArgs;
use super::select;
use super::{CliError, predict_output, schema};
use crate::domain::{Analysis, Study};
use crate::inference::{NoReports, Reports};
use crate::results::StudyFacts;
use crate::runtime::kept_reports;
use clap::{Args as ClapArgs, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Analyze studies and print their fracture probabilities. JSON and CSV have the same form as those of report, inspect and watch; --schema
/// describes it. Exit code: 0 all analyzed, 1 some not or a hook failed, 2 usage, 3 nothing readable, 143 stopped by a signal.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Files or folders.
    #[arg(required_unless_present = "schema", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Add the scores of every slice (json and jsonl).
    #[arg(long)]
    slices: bool,
    /// Print durations and the peak memory to stderr.
    #[arg(long)]
    timing: bool,
    #[command(flatten)]
    batch: BatchArgs,
    /// Analyze again instead of using the stored report; --timing implies it.
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    store: StoreArgs,
    /// Program to run for every study as soon as it is analyzed. It gets the study's line of JSON on its input, and CSPINE_STUDY_UID,
    /// CSPINE_STATUS (analyzed, not_analyzed or failed), CSPINE_OVERALL, CSPINE_ALERT, CSPINE_UNLIKE and CSPINE_MODEL in its environment.
    #[arg(long, value_name = "PROGRAM")]
    hook: Option<PathBuf>,
    /// Print the JSON Schema of json and jsonl with the columns of csv, and nothing else.
    #[arg(long)]
    schema: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// JSON Lines: one study per line, as soon as it is analyzed.
    Jsonl,
    /// CSV: one row per study.
    Csv,
    /// Submission form of the RSNA 2022 competition: row_id,fractured.
    Submission,
    /// Former name of `submission`.
    #[value(hide = true)]
    Kaggle,
}

/// Runs the command.
///
/// # Errors
/// Nothing that can be read, no model, or an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    if args.schema {
        return schema::print();
    }
    if args.format == Format::Kaggle {
        eprintln!("--format kaggle is now called --format submission; the former name will be removed");
    }
    let begun = std::time::Instant::now();
    let found = select::scan(&args.paths)?;
    for (path, reason) in &found.unreadable {
        eprintln!("unreadable  {}: {reason}", select::shown(path));
    }
    if found.studies.is_empty() {
        return Err(CliError::nothing_readable("no DICOM study was found; cspine inspect lists each file's reason"));
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
        let json = schema::json_line(facts(args, studies[place], &analysis))?;
        if args.format == Format::Jsonl {
            super::print(&json)?;
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
    let all_facts = || results.iter().map(|(study, analysis)| facts(args, study, analysis));
    let text = match args.format {
        Format::Table => predict_output::table(&results, &identity),
        Format::Json => schema::json(all_facts(), &found)?,
        Format::Jsonl => String::new(),
        Format::Csv => schema::csv(all_facts())?,
        Format::Submission | Format::Kaggle => predict_output::rsna_submission(&results),
    };
    super::print(&text)?;
    if args.timing {
        eprint!("{}", predict_output::timing(&results, started, begun.elapsed()));
    }
    if cancel.is_cancelled() {
        eprintln!("stopped: {} of {} studies were analyzed", results.len(), found.studies.len());
        // As a shell counts a program that ended by SIGTERM.
        return Ok(ExitCode::from(143));
    }
    let all = results.iter().all(|(_, analysis)| matches!(analysis, Analysis::Analysed(_)));
    Ok(ExitCode::from(u8::from(!all || hooks_failed)))
}

fn facts<'r>(args: &Args, study: &'r Study, analysis: &'r Analysis) -> StudyFacts<'r> {
    StudyFacts { slices: args.slices, ..StudyFacts::without_reading(study, Some(analysis)) }
}
