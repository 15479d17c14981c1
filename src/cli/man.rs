//! `cspine man`: the manual pages.

use super::topics::{self, Topic};
use super::{Cli, CliError, output, select};
use clap::{Args as ClapArgs, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
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
            pages.extend(topics::TOPICS.iter().map(|topic| (format!("cspine-{}.7", topic.name), topic_page(topic))));
            for (name, page) in pages {
                output::write(&folder.join(name), &page, output::Existing::Replace)?;
            }
            eprintln!("written to {}", select::shown(folder));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A help topic as a page of section 7: its Markdown as it is, since tables and lists are readable so.
fn topic_page(topic: &Topic) -> Vec<u8> {
    let mut page = Roff::new();
    page.control("TH", [format!("cspine-{}", topic.name).as_str(), "7"]);
    page.control("SH", ["NAME"]);
    page.text([roman(format!("cspine-{} - {}", topic.name, topic.about))]);
    page.control("SH", ["DESCRIPTION"]);
    page.control("nf", []);
    page.text(topic.page().lines().map(|line| roman(format!("{line}\n"))).collect::<Vec<_>>());
    page.control("fi", []);
    page.render().into_bytes()
}

fn page(command: clap::Command) -> Result<Vec<u8>, CliError> {
    let mut text = Vec::new();
    Man::new(command)
        .render(&mut text)
        .map_err(|error| CliError::failed("the manual page cannot be written", error))?;
    Ok(text)
}
