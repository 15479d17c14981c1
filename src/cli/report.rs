//! `cspine report`: what is known of studies, in a form for others.

use super::CliError;
use super::batch::{self, Batch, BatchArgs};
use super::kept::{StoreArgs, measure, pseudonyms};
use super::output::{self, Existing};
use super::schema;
use crate::dicom::{Sources, WriteError, structured_report};
use crate::domain::{Act, CleanText, Disclosure, Study, StudyState};
use crate::results::{Identity, ResultsDocument, StudyFacts, StudyResult, Written, markdown, submission, text};
use crate::runtime::{kept_reports, now};
use clap::{Args as ClapArgs, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

mod captures;

/// Write the results of studies, by the model and by readers, for a database, a RIS or a PACS. JSON and CSV have the same form as those of
/// predict, inspect and watch; --schema describes it. Exit code: 0 all written, 1 something failed, 2 usage, 3 no such study.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Files or folders with the studies; all that the program has listed or decided on, where none is named.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// File to write to, or a folder for a file a study (needed for sr and sc); standard output where none is named.
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Replace files that are there already.
    #[arg(long)]
    overwrite: bool,
    /// Only studies whose StudyInstanceUID is this or begins with it.
    #[arg(long, value_name = "UID")]
    study: Option<String>,
    /// Only studies on which something was decided on this day or later.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    since: Option<String>,
    /// Only studies that are so far; may be given several times.
    #[arg(long, value_enum, value_name = "STATE")]
    state: Vec<State>,
    /// Write pseudonyms instead of patients' names and IDs, in DICOM files, too: those of an anonymous screen of the same database.
    /// Accession numbers, birth dates, paths and free text (notes, reasons, remarks) are left out; age, sex, dates, UIDs and readers stay.
    #[arg(long)]
    anonymous: bool,
    /// Analyze studies that have no report yet.
    #[arg(long, alias = "analyse")]
    analyze: bool,
    #[command(flatten)]
    batch: BatchArgs,
    #[command(flatten)]
    store: StoreArgs,
    /// Print the JSON Schema of json and jsonl with the columns of csv, and nothing else.
    #[arg(long)]
    schema: bool,
}

impl Args {
    /// Who reads what is written and printed.
    pub(super) fn disclosure(&self) -> Disclosure {
        if self.anonymous { Disclosure::Anonymous } else { Disclosure::Named }
    }
}

/// The forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON document; --schema prints its schema.
    Json,
    /// JSON Lines: one study per line.
    Jsonl,
    /// CSV: one row per study.
    Csv,
    /// Submission form of the RSNA 2022 competition: row_id,fractured.
    Submission,
    /// One page per study, to be pasted into a report.
    Text,
    /// The same as Markdown.
    Markdown,
    /// DICOM structured reports (Comprehensive SR, TID 1500).
    Sr,
    /// Key images as DICOM Secondary Capture.
    Sc,
}

/// How far a study is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Unread,
    Begun,
    Negative,
    Positive,
    Deferred,
    Unreadable,
    /// Readers contradict each other.
    Conflict,
}

impl State {
    fn is(self, state: StudyState) -> bool {
        matches!(
            (self, state),
            (Self::Unread, StudyState::Unread)
                | (Self::Begun, StudyState::Begun)
                | (Self::Negative, StudyState::Negative)
                | (Self::Positive, StudyState::Positive)
                | (Self::Deferred, StudyState::Deferred)
                | (Self::Unreadable, StudyState::Unreadable)
                | (Self::Conflict, StudyState::Conflict)
        )
    }
}

/// Runs the command.
///
/// # Errors
/// No study that fits, a store that cannot be read, an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    if args.schema {
        return schema::print();
    }
    if matches!(args.format, Format::Sr | Format::Sc) && args.out.is_none() {
        return Err(CliError::usage("DICOM files need a folder: name one with --out DIR"));
    }
    let pseudonyms = if args.anonymous { Some(pseudonyms(&args.store)?) } else { None };
    let mut results = args.store.open(args.disclosure())?.results(&args.paths, args.batch.model())?;
    results.retain(|result| fits(args, result));
    if results.is_empty() {
        return Err(CliError::nothing_readable("no study matches; cspine inspect PATH lists the studies"));
    }
    if args.analyze {
        analyse(args, &mut results)?;
    }
    measure(&mut results);
    if let Some(pseudonyms) = &pseudonyms {
        results = results.into_iter().map(|result| result.anonymous(pseudonyms)).collect();
    }
    let written = Written::by_this_program(now());
    match args.format {
        Format::Json => {
            let json = ResultsDocument::new(&results, written).to_json();
            one(args, &json.map_err(|error| CliError::failed("the results cannot be written", error))?)
        }
        Format::Jsonl => {
            let lines = results.iter().map(|result| schema::json_line(StudyFacts::of(result)));
            one(args, &lines.collect::<Result<String, _>>()?)
        }
        Format::Csv => one(args, &schema::csv(results.iter().map(StudyFacts::of))?),
        Format::Submission => {
            one(args, &submission(results.iter().filter_map(|result| Some((&result.study.uid, result.report()?)))))
        }
        Format::Text => pages(args, &results, "txt", &|result| text(result, written)),
        Format::Markdown => pages(args, &results, "md", &|result| markdown(result, written)),
        Format::Sr => structured(args, &results, written),
        Format::Sc => captures::write(args.out.as_deref().unwrap_or(Path::new(".")), existing(args), &results, written),
    }
}

/// Analyses the studies that have no report.
fn analyse(args: &Args, results: &mut [StudyResult]) -> Result<(), CliError> {
    let cancel = batch::stop_by_signal()?;
    let mut batch = Batch::load(&args.batch, kept_reports(args.store.folder().ok().as_deref()), &cancel)?;
    let places: Vec<usize> = (0..results.len()).filter(|place| results[*place].analysis.is_none()).collect();
    let studies: Vec<Arc<Study>> = places.iter().map(|place| Arc::clone(&results[*place].study)).collect();
    let studies: Vec<&Study> = studies.iter().map(|study| &**study).collect();
    batch.run(&studies, &mut |place, analysis| {
        results[places[place]].analysis = Some(analysis);
        Ok(())
    })?;
    if cancel.is_cancelled() {
        return Err(CliError::stopped());
    }
    Ok(())
}

/// A day as it is written in dates of the log, which are compared as text.
fn day(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |text: &str, digits: usize, most: u16| {
        text.len() == digits && text.parse::<u16>().is_ok_and(|number| (1..=most).contains(&number))
    };
    match parts[..] {
        [year, month, day] if number(year, 4, 9999) && number(month, 2, 12) && number(day, 2, 31) => {
            Ok(text.to_owned())
        }
        _ => Err("give a day as 2026-11-25".to_owned()),
    }
}

/// Whether a study is asked for.
fn fits(args: &Args, result: &StudyResult) -> bool {
    let named = args.study.as_ref().is_none_or(|wanted| result.study.uid.as_str().starts_with(wanted.as_str()));
    let decides = |act: &Act| !matches!(act, Act::Precedence { .. } | Act::Pin { .. } | Act::Stat { .. });
    let recent = args
        .since
        .as_ref()
        .is_none_or(|since| result.log.iter().any(|entry| decides(&entry.draft.act) && entry.at.day() >= *since));
    let state = result.decision().state();
    named && recent && (args.state.is_empty() || args.state.iter().any(|wanted| wanted.is(state)))
}

fn existing(args: &Args) -> Existing {
    if args.overwrite { Existing::Replace } else { Existing::Keep }
}

/// One document of all studies.
fn one(args: &Args, text: &str) -> Result<ExitCode, CliError> {
    match &args.out {
        Some(path) => output::write(path, text.as_bytes(), existing(args))?,
        None => super::print(text)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A page a study: into files where a folder is named, one after another elsewhere.
fn pages(
    args: &Args,
    results: &[StudyResult],
    ending: &str,
    page: &dyn Fn(&StudyResult) -> String,
) -> Result<ExitCode, CliError> {
    if let Some(folder) = args.out.as_ref().filter(|path| path.is_dir()) {
        for result in results {
            let path = folder.join(format!("{}.{ending}", result.study.uid));
            output::write(&path, page(result).as_bytes(), existing(args))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let pages: Vec<String> = results.iter().map(page).collect();
    one(args, &pages.join("\n"))
}

fn structured(args: &Args, results: &[StudyResult], written: Written) -> Result<ExitCode, CliError> {
    let folder = args.out.as_deref().unwrap_or(Path::new("."));
    output::folder(folder)?;
    let mut failed = false;
    for result in results {
        let file = Sources::read(result).and_then(|sources| structured_report(result, &sources, written));
        match file {
            Ok(file) => {
                let path = folder.join(format!("{}.sr.dcm", result.study.uid));
                output::write(&path, &file.bytes, existing(args))?;
            }
            Err(error) => {
                failed = true;
                told(result, &error);
            }
        }
    }
    Ok(ExitCode::from(u8::from(failed)))
}

/// A study for which nothing could be written does not keep the others from it.
fn told(result: &StudyResult, error: &WriteError) {
    let to = match result.identity {
        Identity::Named => Disclosure::Named,
        Identity::Pseudonym => Disclosure::Anonymous,
    };
    eprintln!("{}: {}", result.study.uid, CleanText::new(&error.told().shown(to)));
}
