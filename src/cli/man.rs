//! `cspine man`: the manual pages.

use super::{Cli, CliError, output, select};
use clap::{Args as ClapArgs, CommandFactory};
use clap_mangen::Man;
use std::path::PathBuf;
use std::process::ExitCode;

/// Print the manual page, as in `cspine man | man -l -`; with a folder, write the pages of all commands.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Write cspine.1 and a page for each command to this folder instead of printing.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// An output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut command = Cli::command();
    command.build();
    match &args.out {
        None => super::print(&String::from_utf8_lossy(&page(command)?))?,
        Some(folder) => {
            output::folder(folder)?;
            let mut pages = vec![("cspine.1".to_owned(), page(command.clone())?)];
            for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
                let name = format!("cspine-{}", inner.get_name());
                pages.push((format!("{name}.1"), page(inner.clone().display_name(name))?));
            }
            for (name, page) in pages {
                output::write(&folder.join(name), &page, output::Existing::Replace)?;
            }
            eprintln!("written to {}", select::shown(folder));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn page(command: clap::Command) -> Result<Vec<u8>, CliError> {
    let mut text = Vec::new();
    Man::new(command)
        .render(&mut text)
        .map_err(|error| CliError::failed("the manual page cannot be written", error))?;
    Ok(text)
}
