//! `cspine keys`: the key table of the README.

use super::CliError;
use crate::config::Keymap;
use std::process::ExitCode;

/// Runs the command.
///
/// # Errors
/// An output that cannot be written.
pub(super) fn run() -> Result<ExitCode, CliError> {
    super::print(&Keymap::builtin().markdown())?;
    Ok(ExitCode::SUCCESS)
}
