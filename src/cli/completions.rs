//! `cspine completions`: what a shell needs to complete cspine's commands and options.

use super::{Cli, CliError, output, select};
use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::{Shell, generate};
use std::path::PathBuf;
use std::process::ExitCode;

/// Print completions for a shell, as in `cspine completions bash > ~/.local/share/bash-completion/completions/cspine`.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
    /// Write to this folder, under the name that the shell looks for, instead of printing.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// An output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut command = Cli::command();
    let mut text = Vec::new();
    generate(args.shell, &mut command, "cspine", &mut text);
    match &args.out {
        None => super::print(&String::from_utf8_lossy(&text))?,
        Some(folder) => {
            use clap_complete::Generator;
            output::folder(folder)?;
            let path = folder.join(args.shell.file_name("cspine"));
            output::write(&path, &text, output::Existing::Replace)?;
            eprintln!("written to {}", select::shown(&path));
        }
    }
    Ok(ExitCode::SUCCESS)
}
