//! `cspine licenses`: the licence notices that travel with the binary.

use super::CliError;
use crate::inference::LICENCES;
use std::process::ExitCode;

/// Runs the command.
///
/// # Errors
/// An output that cannot be written.
pub(super) fn run() -> Result<ExitCode, CliError> {
    for (name, text) in LICENCES {
        super::print(&format!("==== {name} ====\n\n{}\n\n", text.trim()))?;
    }
    Ok(ExitCode::SUCCESS)
}
