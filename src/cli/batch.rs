//! Many studies, one after another or several at once, with one progress bar.

use super::CliError;
use super::analysis::{STOPPED, analyse_unless, load_package};
use super::compute::ComputeArgs;
use crate::domain::{Analysis, ModelIdentity, Study};
use crate::inference::{Package, Reports};
use crate::task::Cancel;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a batch is worked through.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct BatchArgs {
    /// Studies that are analysed at once. One study keeps all cores busy; more of them hide the reading of slow disks.
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
}

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
        let packages = (0..args.jobs.get().min(64)).map(|_| load_package(args.model.as_deref(), compute));
        Ok(Self { packages: packages.collect::<Result<_, _>>()?, reports, cancel: cancel.clone() })
    }

    /// The model that speaks.
    pub(super) fn identity(&self) -> Arc<ModelIdentity> {
        Arc::clone(&self.packages[0].identity)
    }

    /// Analyses studies; `each` hears of every one as soon as it is done, with its place. A study that was stopped is not told.
    ///
    /// # Errors
    /// The first error of `each`, after which no study is begun any more.
    pub(super) fn run(
        &mut self,
        studies: &[&Study],
        each: &mut dyn FnMut(usize, Analysis) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let bar = bar(studies.len());
        let (send, places) = unbounded();
        for place in 0..studies.len() {
            // The channel has room for all.
            let _ = send.send(place);
        }
        drop(send);
        let (tell, told) = bounded(64);
        let halt = Cancel::new();
        let (cancel, reports) = (&self.cancel, &*self.reports);
        let mut outcome = Ok(());
        std::thread::scope(|scope| {
            for package in &mut self.packages {
                let (places, tell, halt) = (places.clone(), tell.clone(), &halt);
                scope.spawn(move || work(package, studies, reports, &places, &tell, [cancel, halt]));
            }
            drop(tell);
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

fn work(
    package: &mut Package,
    studies: &[&Study],
    reports: &dyn Reports,
    places: &Receiver<usize>,
    tell: &Sender<Told>,
    stops: [&Cancel; 2],
) {
    for place in places {
        if stops.iter().any(|stop| stop.is_cancelled()) {
            return;
        }
        // One file that trips a decoder must not cost the studies after it.
        let analysed = catch_unwind(AssertUnwindSafe(|| {
            analyse_unless(package, studies[place], reports, stops[0], &mut |step| {
                // Nobody listens any more where this fails, and the study ends soon.
                let _ = tell.try_send(Told::Slices(step.done, step.total));
            })
        }));
        let analysis = analysed
            .unwrap_or_else(|_| Analysis::Failed("the analysis stumbled over this study; the others go on".to_owned()));
        if matches!(&analysis, Analysis::Failed(reason) if reason == STOPPED) {
            return;
        }
        if tell.send(Told::Done(place, analysis)).is_err() {
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
