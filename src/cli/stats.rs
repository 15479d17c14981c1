//! `cspine stats`: how readers and the network agree.

use super::kept::{StoreArgs, pseudonyms};
use super::{CliError, print};
use crate::agreement::{Shifts, StudyLog, page, statistics};
use crate::domain::{CleanText, Disclosure, LogEntry, Uid, pseudonym};
use clap::{Args as ClapArgs, ValueEnum};
use std::process::ExitCode;

/// How readers and the network agree, by the log of decisions: PPV and sensitivity at the model's threshold with counts and 95 % intervals
/// (Wilson), alerts by day and shift, time from arrival to assessment, and the studies to read again.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Hours at which shifts begin, by the readers' clocks.
    #[arg(long, value_name = "H,H,…", value_delimiter = ',', default_value = "6,14,22")]
    shifts: Vec<u8>,
    /// Show pseudonyms instead of patients' names: those of an anonymous screen of the same database.
    #[arg(long)]
    anonymous: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl Args {
    /// Who reads what is printed.
    pub(super) fn disclosure(&self) -> Disclosure {
        if self.anonymous { Disclosure::Anonymous } else { Disclosure::Named }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Runs the command.
///
/// # Errors
/// Hours that are none, a store that cannot be read, an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let shifts =
        Shifts::new(&args.shifts).ok_or_else(|| CliError::usage("--shifts: give hours from 0 to 23, as 6,14,22"))?;
    let pseudonyms = if args.anonymous { Some(pseudonyms(&args.store)?) } else { None };
    let kept = args.store.open(args.disclosure())?;
    let listed = kept.listed()?;
    let log = |(study, entries): (Uid, Vec<LogEntry>)| {
        let line = listed.get(&study);
        let arrived = line.and_then(|line| line.arrived);
        let label = line.map_or_else(CleanText::default, |line| match &pseudonyms {
            Some(pseudonyms) => pseudonyms.patient(&line.patient, &line.uid).name,
            None => line.patient.name.clone(),
        });
        let (study, entries) = match &pseudonyms {
            Some(pseudonyms) => (pseudonyms.uid(&study), entries.into_iter().map(pseudonym::log_entry).collect()),
            None => (study, entries),
        };
        StudyLog { label, arrived, study, entries }
    };
    let logs: Vec<StudyLog> = kept.logs()?.into_iter().map(log).collect();
    let statistics = statistics(&logs, &shifts);
    match args.format {
        Format::Text => print(&page(&statistics))?,
        Format::Json => {
            let json = serde_json::to_string_pretty(&statistics)
                .map_err(|error| CliError::failed("the statistics cannot be written", error))?;
            print(&format!("{json}\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
