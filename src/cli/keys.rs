//! `cspine keys`: the key table of any profile, and conflicts among the user's own keys.

use super::CliError;
use crate::config::{Folders, Keymap, Profile, Settings};
use clap::Args as ClapArgs;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::fmt::Write as _;
use std::process::ExitCode;

/// Print the keys as a Markdown table.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Whose keys.
    #[arg(long, value_name = "PROFILE", default_value = "cspine", value_parser = profiles())]
    profile: Profile,
    /// Check the keys in your settings instead: what they take from one another, by line and column.
    #[arg(long, conflicts_with = "profile")]
    check: bool,
}

/// Reads a profile's name.
pub(super) fn profiles() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(Profile::ALL.map(Profile::name)).map(|name| Profile::from_name(&name).unwrap_or_default())
}

/// Runs the command. Exit code 1 where keys conflict.
///
/// # Errors
/// Settings that cannot be used; an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    if !args.check {
        super::print(&Keymap::of(args.profile).markdown())?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(file) = Folders::find().settings_file() else {
        return Err(CliError::usage("this account has no home, so there are no settings to check"));
    };
    let settings = Settings::load(&file).map_err(|error| CliError::failed("the settings cannot be used", error))?;
    let conflicts = Keymap::of(settings.keys.profile()).conflicts(&settings);
    let mut text = String::new();
    for conflict in &conflicts {
        let _ = writeln!(text, "{conflict}");
    }
    if conflicts.is_empty() {
        let _ = writeln!(text, "no conflicts among the keys of {}", super::select::shown(&file));
    }
    super::print(&text)?;
    Ok(if conflicts.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
