//! The command line. Each subcommand is one file under `cli/` with its `Args` and a `run`.

mod analysis;
mod batch;
mod completions;
mod compute;
mod contact_sheet;
mod doctor;
mod error;
mod evaluate;
mod hook;
mod inspect;
mod kept;
mod keys;
mod licenses;
mod man;
mod open;
mod output;
mod phantom;
mod predict;
mod predict_output;
mod render;
mod report;
mod schema;
mod select;
mod stats;
mod tensors;
mod topics;
mod watch;

use crate::config::{Folders, Settings};
use crate::task::limits;
use clap::{Parser, Subcommand};
pub use error::CliError;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Triage cervical-spine CT for fracture. Research use only; not a medical device.
#[derive(Debug, Parser)]
#[command(name = "cspine", version, about, max_term_width = 100, args_conflicts_with_subcommands = true)]
#[command(
    disable_help_subcommand = true,
    after_help = "cspine help lists help topics: keys, reading, terminals, files, …"
)]
pub struct Cli {
    /// Files or folders to open as a worklist.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    screen: open::ScreenArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
enum Command {
    /// Open the built-in synthetic studies: made on this machine, no patient's.
    Demo(open::ScreenArgs),
    /// Show studies, series, geometry, warnings, and unreadable files with reasons.
    Inspect(inspect::Args),
    /// Analyze studies and print their fracture probabilities.
    Predict(predict::Args),
    /// Watch folders without a screen and analyze arriving studies.
    Watch(watch::Args),
    /// Write the results by the model and by readers: JSON, CSV, a page, DICOM SR and Secondary Capture.
    Report(report::Args),
    /// How readers and the network agree, by the log of decisions.
    Stats(stats::Args),
    /// Write one slice as a PNG: the very pixels that the viewer shows.
    Render(render::Args),
    /// Write the exact arrays that the network sees, for training.
    Tensors(tensors::Args),
    /// Make synthetic necks with known truth, for training and tests.
    Phantom(phantom::Args),
    /// Measure a model package on data sets with known truth.
    Evaluate(evaluate::Args),
    /// Check terminal, ONNX Runtime, model and folders, and say how to fix each problem.
    Doctor(doctor::Args),
    /// Print help on a topic, as cspine help keys, or on a command.
    Help(topics::Args),
    /// Print completions for a shell.
    Completions(completions::Args),
    /// Print the manual page.
    Man(man::Args),
    /// Print the keys of a profile as a Markdown table, or check your own.
    Keys(keys::Args),
    /// Print the license notices that travel with the program.
    Licenses,
}

/// Runs the command.
///
/// # Errors
/// What ended it early.
pub fn run(cli: Cli) -> Result<ExitCode, CliError> {
    limits::raise_open_files();
    match cli.command {
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Predict(args)) => predict::run(&args),
        Some(Command::Watch(args)) => watch::run(&args),
        Some(Command::Report(args)) => report::run(&args).map_err(|error| error.shown_to(args.disclosure())),
        Some(Command::Stats(args)) => stats::run(&args).map_err(|error| error.shown_to(args.disclosure())),
        Some(Command::Render(args)) => render::run(&args),
        Some(Command::Tensors(args)) => tensors::run(&args),
        Some(Command::Phantom(args)) => phantom::run(&args),
        Some(Command::Evaluate(args)) => evaluate::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Help(args)) => topics::run(&args),
        Some(Command::Completions(args)) => completions::run(&args),
        Some(Command::Man(args)) => man::run(&args),
        Some(Command::Keys(args)) => keys::run(&args),
        Some(Command::Licenses) => licenses::run(),
        Some(Command::Demo(args)) => open::demo(&args).map_err(|error| error.shown_to(args.disclosure())),
        None if cli.paths.is_empty() => {
            Err(CliError::usage("name the folder that holds the studies, as cspine /data/incoming, or try cspine demo"))
        }
        None => open::paths(cli.paths, &cli.screen).map_err(|error| error.shown_to(cli.screen.disclosure())),
    }
}

/// The settings, or the defaults where there is no file of them.
///
/// # Errors
/// Settings with a mistake: no command goes on by others than were meant.
fn settings(folders: &Folders) -> Result<Settings, CliError> {
    let read = folders.settings_file().map_or(Ok(Settings::default()), |file| Settings::load(&file));
    read.map_err(|error| CliError::failed("the settings cannot be used", error))
}

/// Prints to stdout. A reader that has gone away (`| head`) is not an error.
fn print(text: &str) -> Result<(), CliError> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::failed("the output cannot be written", error))
        }
        _ => Ok(()),
    }
}
