//! `cspine help [TOPIC]`: pages on what no single command explains. They are kept beside this file as Markdown that is readable as plain
//! text; `cspine man --out DIR` writes the same pages for man(1).

use super::{Cli, CliError};
use crate::config::Keymap;
use clap::{Args as ClapArgs, CommandFactory};
use std::process::ExitCode;

/// Print help on a topic or on a command.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// A topic or the name of a command; without one, the topics are listed.
    #[arg(value_name = "TOPIC")]
    topic: Option<String>,
}

/// A page of help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Topic {
    /// What it is called on the command line.
    pub(super) name: &'static str,
    /// One line for lists.
    pub(super) about: &'static str,
    text: &'static str,
}

macro_rules! topics {
    ($($name:literal, $about:literal;)*) => {
        /// Every topic, in the order in which a new user needs them.
        pub(super) const TOPICS: &[Topic] =
            &[$(Topic { name: $name, about: $about, text: include_str!(concat!("topics/", $name, ".md")) },)*];
    };
}

topics! {
    "reading", "worklist, assessments, several readers, database, images";
    "keys", "keys, profiles, keyboards, mouse, measurements, key images";
    "terminals", "terminals, tmux, slow connections";
    "files", "which files, patients, slices and series are used";
    "models", "your own model, ONNX Runtime, engines, memory";
    "headless", "commands without a screen, watching folders, synthetic necks";
    "results", "reports, JSON, CSV, DICOM SR and Secondary Capture";
    "settings", "settings.toml";
    "privacy", "pseudonyms, files written and their folders";
}

impl Topic {
    /// The page: Markdown, with the key tables in place of nothing else but themselves.
    pub(super) fn page(&self) -> String {
        let mut text = self.text.to_owned();
        if self.name == "keys" {
            text.push_str("\n## Key tables\n\n");
            text.push_str(&Keymap::builtin().markdown());
        }
        text
    }
}

/// Runs the command.
///
/// # Errors
/// A name that is neither a topic nor a command; an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let text = match &args.topic {
        None => list(),
        Some(name) => match TOPICS.iter().find(|topic| topic.name == name) {
            Some(topic) => topic.page(),
            None => command_help(name)?,
        },
    };
    super::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn list() -> String {
    let mut text = Cli::command().render_help().to_string();
    text.push_str("\nTopics (cspine help TOPIC):\n");
    for topic in TOPICS {
        text.push_str(&format!("  {:<12} {}\n", topic.name, topic.about));
    }
    text
}

fn command_help(name: &str) -> Result<String, CliError> {
    let mut root = Cli::command();
    root.build();
    match root.find_subcommand_mut(name) {
        Some(command) => Ok(command.render_long_help().to_string()),
        None => {
            let names: Vec<&str> = TOPICS.iter().map(|topic| topic.name).collect();
            Err(CliError::usage(format!(
                "no help topic and no command is called {name:?}; the topics are {}",
                names.join(", ")
            )))
        }
    }
}
