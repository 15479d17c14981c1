//! `cspine [PATH…]` and `cspine demo`: the program with its screen.

use super::CliError;
use super::compute::ComputeArgs;
use crate::config::{Bandwidth, Folders, Profile};
use crate::domain::{Disclosure, SensitiveText};
use crate::runtime::{self, Ending, Options, Source};
use crate::terminal::GraphicsChoice;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// How the program with its screen is shown.
#[derive(Debug, Clone, Args)]
pub(super) struct ScreenArgs {
    /// Model package to use instead of the built-in one.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// How to show images; by default the terminal is asked.
    #[arg(long, value_enum, value_name = "HOW")]
    graphics: Option<GraphicsChoice>,
    /// The most bytes a second that go to the terminal, as 200K or 1M.
    #[arg(long, value_name = "LIMIT")]
    bandwidth: Option<Bandwidth>,
    /// Theme, by name.
    #[arg(long, value_name = "NAME")]
    theme: Option<String>,
    /// Keys to start from: cspine's own or another program's.
    #[arg(long, value_name = "PROFILE", value_parser = super::keys::profiles())]
    keys: Option<Profile>,
    /// Folder in which decisions are kept.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Name that decisions are kept under; by default the user's.
    #[arg(long, value_name = "NAME")]
    reader: Option<String>,
    /// Hide what the network says of a study until you have given an assessment of your own.
    #[arg(long)]
    blinded: bool,
    /// Show pseudonyms instead of patients' names and numbers.
    #[arg(long)]
    anonymous: bool,
    #[command(flatten)]
    compute: ComputeArgs,
}

impl ScreenArgs {
    /// Who reads what is printed: as the command line or the settings say.
    pub(super) fn disclosure(&self) -> Disclosure {
        let by_settings = || super::settings(&Folders::find()).is_ok_and(|settings| settings.anonymous);
        if self.anonymous || by_settings() { Disclosure::Anonymous } else { Disclosure::Named }
    }
}

/// Opens files and folders as a worklist.
///
/// # Errors
/// A path that does not exist; settings, theme or terminal that cannot be used.
pub(super) fn paths(paths: Vec<PathBuf>, args: &ScreenArgs) -> Result<ExitCode, CliError> {
    for path in &paths {
        if let Err(error) = std::fs::metadata(path) {
            return Err(CliError::nothing_readable(
                SensitiveText::at(path).words(format!(" cannot be opened: {}", error.kind())),
            ));
        }
    }
    run(Source::Paths(paths), args)
}

/// Opens the built-in synthetic studies.
///
/// # Errors
/// Settings, theme or terminal that cannot be used.
pub(super) fn demo(args: &ScreenArgs) -> Result<ExitCode, CliError> {
    run(Source::Demo, args)
}

fn run(source: Source, args: &ScreenArgs) -> Result<ExitCode, CliError> {
    let options = Options {
        source,
        model: args.model.clone(),
        graphics: args.graphics,
        bandwidth: args.bandwidth,
        theme: args.theme.clone(),
        keys: args.keys,
        data: args.data.clone(),
        reader: args.reader.clone(),
        blinded: args.blinded,
        anonymous: args.anonymous,
        engine: args.compute.engine,
        threads: args.compute.threads,
    };
    match runtime::run(options) {
        Ok(Ending::Quit) => Ok(ExitCode::SUCCESS),
        // As a shell counts a program that ended by SIGTERM.
        Ok(Ending::Signal) => Ok(ExitCode::from(143)),
        Err(error) => Err(CliError::failed("cspine cannot start", error)),
    }
}
