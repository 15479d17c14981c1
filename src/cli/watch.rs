//! `cspine watch --headless`: a folder that fills, without a screen.

use super::batch::{self, Batch, BatchArgs};
use super::hook::Hook;
use super::kept::StoreArgs;
use super::{CliError, schema, select};
use crate::dicom;
use crate::domain::{Analysis, ModelIdentity, Study};
use crate::results::StudyFacts;
use crate::runtime::kept_reports;
use crate::task::Cancel;
use clap::Args as ClapArgs;
use journal::Journal;
use settled::Folders;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

mod journal;
mod settled;

/// How soon a signal is heard while nothing is to be done.
const LOOK: Duration = Duration::from_millis(100);

/// Watch folders without a screen and analyze arriving studies, for cron and systemd. Prints JSON Lines: one study per line, in the form that
/// --schema describes. A study is analyzed when its files have stopped changing. After a stop or a kill no study is printed a second time,
/// unless the study, the model or the preprocessing changed. Exit code: 0 ended by a signal, or with --once all analyzed; 1 with --once some
/// not, or a hook failed; 2 usage; 3 nothing readable.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Files or folders.
    #[arg(required_unless_present = "schema", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Without a screen; with one, `cspine PATH` watches by itself.
    #[arg(long, required_unless_present = "schema")]
    headless: bool,
    /// End when everything that is there is done, instead of waiting for more.
    #[arg(long)]
    once: bool,
    /// Seconds between two looks at the folders.
    #[arg(long, value_name = "S", default_value = "10", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    every: u64,
    /// Seconds for which a study's files must not have changed before it is taken.
    #[arg(long, value_name = "S", default_value = "10", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    settle: u64,
    #[command(flatten)]
    batch: BatchArgs,
    /// Program to run for every finished study. It gets the study's line of JSON on its input, and CSPINE_STUDY_UID, CSPINE_STATUS
    /// (analyzed, not_analyzed or failed), CSPINE_OVERALL, CSPINE_ALERT, CSPINE_UNLIKE and CSPINE_MODEL in its environment. A study whose hook failed is
    /// printed again at the next scan.
    #[arg(long, value_name = "PROGRAM")]
    hook: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    /// Print the JSON Schema of the lines (its `StudyDocument`), and nothing else.
    #[arg(long)]
    schema: bool,
}

/// Runs the command.
///
/// # Errors
/// A path that does not exist, no model, a data folder or an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    if args.schema {
        return schema::print();
    }
    batch::all_there(&args.paths)?;
    let cancel = batch::stop_by_signal()?;
    let data = args.store.folder()?;
    let journal = Journal::open(&data)?;
    let mut batch = Batch::load(&args.batch, kept_reports(Some(&data)), &cancel)?;
    let mut folders = Folders::new(Duration::from_secs(args.settle));
    let mut delivery = Delivery {
        identity: batch.identity(),
        journal,
        hook: args.hook.as_deref().map(Hook::new),
        cancel: cancel.clone(),
        owed: false,
        incomplete: false,
    };
    let mut unreadable = BTreeSet::new();
    loop {
        if folders.look(&args.paths) || delivery.owed {
            work(args, &mut batch, &folders, &mut delivery, &mut unreadable)?;
        }
        let settled = folders.all_settled();
        if cancel.is_cancelled() {
            return Ok(ExitCode::SUCCESS);
        }
        if args.once && settled {
            return Ok(ExitCode::from(u8::from(delivery.incomplete)));
        }
        let until = Instant::now() + Duration::from_secs(if settled { args.every } else { args.every.min(1) });
        while Instant::now() < until && !cancel.is_cancelled() {
            std::thread::sleep(LOOK);
        }
    }
}

/// Works through what is new and has stopped growing.
fn work(
    args: &Args,
    batch: &mut Batch,
    folders: &Folders,
    delivery: &mut Delivery,
    unreadable: &mut BTreeSet<PathBuf>,
) -> Result<(), CliError> {
    let (studies, files, _) = dicom::scan_all(&args.paths, &delivery.cancel);
    for (path, reason) in files {
        // A file that is still being written is read again at the next look.
        if folders.is_settled_file(&path) && unreadable.insert(path.clone()) {
            eprintln!("unreadable  {}: {reason}", select::shown(&path));
        }
    }
    delivery.owed = false;
    let settled = studies.iter().filter(|study| folders.is_settled(study));
    let (todo, keys): (Vec<&Study>, Vec<String>) = settled
        .map(|study| (study, folders.key(study, &delivery.identity)))
        .filter(|(_, key)| !delivery.journal.has(key))
        .unzip();
    batch.run(&todo, &mut |place, analysis| delivery.study(todo[place], &keys[place], &analysis))
}

/// Where results go, each once.
struct Delivery {
    identity: Arc<ModelIdentity>,
    journal: Journal,
    hook: Option<Hook>,
    cancel: Cancel,
    /// Whether a study is to be told again.
    owed: bool,
    /// Whether a study was not analyzed or a hook failed.
    incomplete: bool,
}

impl Delivery {
    /// Tells a study: prints it, runs the hook, and notes that it was told. A kill between the first and the last has it told again,
    /// never forgotten.
    fn study(&mut self, study: &Study, key: &str, analysis: &Analysis) -> Result<(), CliError> {
        let json = schema::json_line(StudyFacts::without_reading(study, Some(analysis)))?;
        super::print(&json)?;
        self.incomplete |= !matches!(analysis, Analysis::Analysed(_));
        if let Some(hook) = &self.hook
            && let Err(problem) = hook.run(study, analysis, &json, &self.cancel)
        {
            eprintln!("{problem}");
            (self.owed, self.incomplete) = (true, true);
            return Ok(());
        }
        self.journal.note(key)
    }
}
