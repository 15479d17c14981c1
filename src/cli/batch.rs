//! Many studies, one after another or several at once, with one progress bar. While the network is at one study the next is read; memory
//! bounds how far.

use super::CliError;
use super::analysis::{self, ReadStudy, STOPPED, analyse_read, load_package, read_study};
use super::compute::ComputeArgs;
use crate::config::Folders;
use crate::domain::{Analysis, ModelIdentity, Study};
use crate::inference::{Package, Reports, Step};
use crate::runtime::memory_budget;
use crate::task::{Budget, Cancel, Pool, Share, give_way};
use crossbeam_channel::{Receiver, Sender, bounded};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much reading ahead gives way to the network (nice(1)): a thread that takes a core from it holds up all of its threads.
const READING_NICENESS: i32 = 10;

/// Bytes of voxels that are held for each study that is analyzed at once. Small studies are read ahead of the network; two large
/// ones would double the memory for some hundredths of the time, as the network and the decoding want the same cores.
const MOST_VOXELS: usize = 192 << 20;

/// How a batch is worked through.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct BatchArgs {
    /// Studies to analyze at once, while the next is loaded. One keeps a few cores busy; more may help on many cores.
    #[arg(long, value_name = "N", default_value = "1")]
    jobs: NonZeroUsize,
    /// Model package to use instead of the built-in one.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    #[command(flatten)]
    compute: ComputeArgs,
}

/// Packages ready to work, one for each study at a time.
pub(super) struct Batch {
    packages: Vec<Package>,
    reports: Arc<dyn Reports>,
    cancel: Cancel,
    /// Bytes of voxels that are held at once.
    memory: Budget,
}

/// A study that was read, with its place and its share of the memory.
type Ready<'b> = (usize, ReadStudy, Share<'b>);

/// What a thread tells.
enum Told {
    /// One more study begins or goes on: slices done and in all.
    Slices(usize, usize),
    /// A study, by its place, is done.
    Done(usize, Analysis),
}

impl BatchArgs {
    /// The model that was asked for.
    pub(super) fn model(&self) -> Option<&Path> {
        self.model.as_deref()
    }
}

impl Batch {
    /// Loads the packages. Reports that are kept already are not computed again.
    ///
    /// # Errors
    /// A package that cannot be used, or no ONNX Runtime.
    pub(super) fn load(args: &BatchArgs, reports: Arc<dyn Reports>, cancel: &Cancel) -> Result<Self, CliError> {
        let compute = args.compute.of_command()?;
        let most = MOST_VOXELS.saturating_mul(args.jobs.get());
        let memory = Budget::new(memory_budget(super::settings(&Folders::find())?.cache.memory).min(most));
        let packages = (0..args.jobs.get().min(64)).map(|_| load_package(args.model.as_deref(), compute));
        Ok(Self { packages: packages.collect::<Result<_, _>>()?, reports, cancel: cancel.clone(), memory })
    }

    /// The model that speaks.
    pub(super) fn identity(&self) -> Arc<ModelIdentity> {
        Arc::clone(&self.packages[0].identity)
    }

    /// Analyzes studies; `each` hears of every one as soon as it is done, with its place. A study that was stopped is not told.
    ///
    /// # Errors
    /// The first error of `each`, after which no study is begun any more.
    pub(super) fn run(
        &mut self,
        studies: &[&Study],
        each: &mut dyn FnMut(usize, Analysis) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let bar = bar(studies.len());
        // Without room: one study waits in the reader's hands, and no other is read until a network takes it.
        let (send, ready) = bounded(0);
        let (tell, told) = bounded(64);
        let halt = Cancel::new();
        let (cancel, reports, memory, model) = (&self.cancel, &*self.reports, &self.memory, self.identity());
        let mut outcome = Ok(());
        std::thread::scope(|scope| {
            let stops = [cancel, &halt];
            scope.spawn(move || read(&model, studies, reports, memory, &send, stops));
            for package in &mut self.packages {
                let (ready, tell) = (ready.clone(), tell.clone());
                scope.spawn(move || work(package, studies, reports, &ready, &tell, stops));
            }
            drop((tell, ready));
            let mut hear = |told: Told| match told {
                Told::Slices(done, total) => bar.set_message(format!("slice {done}/{total}")),
                Told::Done(place, analysis) => {
                    if outcome.is_ok() {
                        // The bar must not stand in what is printed.
                        outcome = bar.suspend(|| each(place, analysis));
                    }
                    if outcome.is_err() {
                        halt.cancel();
                    }
                    bar.inc(1);
                }
            };
            told.iter().for_each(&mut hear);
        });
        bar.finish_and_clear();
        outcome
    }
}

/// One bar, on stderr and only where that is a terminal.
fn bar(studies: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(studies as u64), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} studies, {eta} to go  {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Reads studies in their order, each as soon as there is memory for it.
fn read<'b>(
    model: &Arc<ModelIdentity>,
    studies: &[&Study],
    reports: &dyn Reports,
    memory: &'b Budget,
    send: &Sender<Ready<'b>>,
    stops: [&Cancel; 2],
) {
    give_way(READING_NICENESS);
    let pool = Pool::new("decode");
    for (place, study) in studies.iter().enumerate() {
        let share = memory.take(analysis::voxel_bytes(study));
        if stops.iter().any(|stop| stop.is_cancelled()) {
            return;
        }
        // One file that trips a decoder must not cost the studies after it.
        let read = catch_unwind(AssertUnwindSafe(|| pool.install(|| read_study(model, study, reports, stops[0]))));
        let read = read.unwrap_or_else(|_| ReadStudy::Ended(stumbled()));
        // Every network has stopped where nobody takes it.
        if send.send((place, read, share)).is_err() {
            return;
        }
    }
}

fn stumbled() -> Analysis {
    Analysis::Failed("internal error while analyzing this study; continuing with the next".into())
}

/// Runs a network over what was read.
fn work(
    package: &mut Package,
    studies: &[&Study],
    reports: &dyn Reports,
    ready: &Receiver<Ready<'_>>,
    tell: &Sender<Told>,
    stops: [&Cancel; 2],
) {
    for (place, read, share) in ready {
        let mut each = |step: Step| {
            // Nobody listens any more where this fails, and the study ends soon.
            let _ = tell.try_send(Told::Slices(step.done, step.total));
        };
        let analysis = match read {
            ReadStudy::Ended(analysis) => analysis,
            ReadStudy::Volume(read) => {
                let run = || analyse_read(package, studies[place], *read, reports, stops[0], &mut each);
                catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| stumbled())
            }
        };
        drop(share);
        let stopped = matches!(&analysis, Analysis::Failed(reason) if *reason == STOPPED.into());
        if stopped || tell.send(Told::Done(place, analysis)).is_err() || stops.iter().any(|stop| stop.is_cancelled()) {
            return;
        }
    }
}

/// A flag that SIGTERM and SIGINT set; a second one ends the program at once, as it always would. SIGHUP does what it always does, so that
/// `nohup` works.
///
/// # Errors
/// The system's, where handlers are refused.
pub(super) fn stop_by_signal() -> Result<Cancel, CliError> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use std::sync::atomic::{AtomicBool, Ordering};
    let failed = |error: std::io::Error| CliError::failed("signals cannot be listened to", error);
    let cancel = Cancel::new();
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&asked)).map_err(failed)?;
    }
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT]).map_err(failed)?;
    let stopping = cancel.clone();
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for _ in signals.forever() {
                stopping.cancel();
                asked.store(true, Ordering::Release);
            }
        })
        .map_err(failed)?;
    Ok(cancel)
}

/// Whether a path names something that is there.
///
/// # Errors
/// One that is not.
pub(super) fn all_there(paths: &[PathBuf]) -> Result<(), CliError> {
    for path in paths {
        if let Err(error) = std::fs::metadata(path) {
            let shown = super::select::shown(Path::new(path));
            return Err(CliError::nothing_readable(format!("{shown} cannot be opened: {}", error.kind())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
