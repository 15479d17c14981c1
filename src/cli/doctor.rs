//! `cspine doctor`: what works here, and what to do about what does not.

use super::CliError;
use super::compute::ComputeArgs;
use super::select::shown;
use crate::config::{Folders, Settings};
use crate::inference::{Compute, Engine, ModelSource, Package, library_report};
use crate::store::Store;
use crate::terminal::{self, GraphicsChoice};
use crate::theme::Theme;
use clap::Args as ClapArgs;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Check terminal, ONNX Runtime, model and folders. Exit code 1 if something needs attention.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Model package to check instead of the built-in one.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// How to show images; by default the terminal is asked.
    #[arg(long, value_enum, value_name = "HOW")]
    graphics: Option<GraphicsChoice>,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Measure slices a second of the network on every engine that works here, and the largest batch that still gains.
    #[arg(long)]
    bench: bool,
}

/// The lines of the report, and whether one of them needs attention.
#[derive(Default)]
struct Report {
    text: String,
    attention: bool,
}

impl Report {
    fn good(&mut self, label: &str, value: &str) {
        let _ = writeln!(self.text, "  {label:<14} {value}");
    }

    fn bad(&mut self, label: &str, value: &str) {
        self.attention = true;
        let _ = writeln!(self.text, "! {label:<14} {value}");
    }
}

/// Runs the command.
///
/// # Errors
/// An output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let mut report = Report::default();
    report.good("cspine", concat!(env!("CARGO_PKG_VERSION"), " · research use only, not a medical device"));
    let folders = Folders::find();
    let settings = check_settings(&mut report, &folders);
    let choice = args.graphics.or_else(|| settings.graphics.parse().ok()).unwrap_or_default();
    match terminal::probe_report(choice) {
        Ok(lines) => lines.iter().for_each(|(label, value)| report.good(label, value)),
        Err(error) => report.good("terminal", &error.to_string()),
    }
    match library_report(folders.cache.as_deref()) {
        Ok(source) => report.good("ONNX Runtime", &source.to_string()),
        Err(error) => report.bad("ONNX Runtime", &error.to_string()),
    }
    let compute = settings.compute.or(args.compute.engine, args.compute.threads);
    compute.hold_threads();
    let settings_data = settings.data;
    let model = args.model.clone().or(settings.model).map_or(ModelSource::Embedded, ModelSource::Folder);
    check_model(&mut report, &model, compute, folders.cache.as_deref());
    if args.bench {
        bench(&mut report, &model, compute, folders.cache.as_deref());
    }
    for (label, folder) in
        [("settings", &folders.config), ("data", &folders.data), ("cache", &folders.cache), ("log", &folders.log)]
    {
        check_folder(&mut report, label, folder.as_deref());
    }
    if let Some(data) = settings_data.or(folders.data) {
        check_store(&mut report, &data);
    }
    super::print(&report.text)?;
    Ok(ExitCode::from(u8::from(report.attention)))
}

fn check_settings(report: &mut Report, folders: &Folders) -> Settings {
    let Some(file) = folders.settings_file() else {
        report.bad("settings", "no home folder: set HOME, or settings, cache and log are not kept");
        return Settings::default();
    };
    match Settings::load(&file) {
        Ok(settings) => {
            if let Err(error) = Theme::load(&settings.theme, folders.themes().as_deref()) {
                report.bad("theme", &error.to_string());
            }
            settings
        }
        Err(error) => {
            report.bad("settings", &error.to_string());
            Settings::default()
        }
    }
}

fn check_model(report: &mut Report, model: &ModelSource, compute: Compute, cache: Option<&Path>) {
    let begun = Instant::now();
    match Package::load(model, cache, compute) {
        Ok(package) => {
            let manifest = &package.manifest;
            report.good("model", &format!("{} · sha256 {}…", package.identity, &package.identity.sha256[..12]));
            report.good("", &format!("trained on: {}", manifest.training_data));
            report.good("", &format!("thresholds from {}", manifest.operating_point));
            report.good("", &format!("dry run good, ready in {:.1} s", begun.elapsed().as_secs_f64()));
            report.good("engine", &format!("{}, {} threads", package.engine, compute.threads()));
            for notice in &package.notices {
                // What was asked for and is not to be had needs attention; what was only tried does not.
                match compute.engine {
                    Engine::Auto => report.good("", notice),
                    _ => report.bad("", notice),
                }
            }
        }
        Err(error) => report.bad("model", &error.to_string()),
    }
}

/// Batches that are tried.
const BATCHES: [usize; 5] = [1, 2, 4, 8, 16];
/// A batch is worth its memory and its wait from this gain on.
const WORTH: f64 = 1.03;

/// Slices a second on every engine that works.
fn bench(report: &mut Report, model: &ModelSource, compute: Compute, cache: Option<&Path>) {
    let engines = Engine::ALL.into_iter().filter(|engine| !matches!(engine, Engine::Auto | Engine::TensorRt));
    let asked = (compute.engine == Engine::TensorRt).then_some(Engine::TensorRt);
    for engine in engines.chain(asked) {
        let Ok(mut package) = Package::load(model, cache, Compute { engine, ..compute }) else { return };
        if package.engine != engine {
            continue;
        }
        let mut best = (0.0_f64, 0);
        let mut speeds = Vec::new();
        for batch in BATCHES {
            match package.speed(batch, Duration::from_millis(800)) {
                Ok(speed) => {
                    speeds.push(format!("{speed:.0} by {batch}"));
                    if speed > best.0 * WORTH {
                        best = (speed, batch);
                    }
                }
                Err(error) => speeds.push(format!("by {batch}: {error}")),
            }
        }
        let (label, words) = (format!("bench {engine}"), speeds.join(", "));
        report.good(&label, &format!("slices/s: {words}; largest batch that gains: {}", best.1));
    }
}

/// The store, where there is one: it is made by the first reading.
fn check_store(report: &mut Report, data: &Path) {
    if !Store::path(data).exists() {
        return report.good("store", "none yet: the first reading makes it");
    }
    match Store::open(data) {
        Ok(mut store) => match store.recovered() {
            Some(words) => report.bad("store", &words.to_string()),
            None => report.good("store", &shown(&Store::path(data))),
        },
        Err(error) => report.bad("store", &error.to_string()),
    }
}

/// Whether something can be written in a folder, or in the nearest one above it that exists.
fn check_folder(report: &mut Report, label: &str, folder: Option<&Path>) {
    let Some(folder) = folder else { return };
    let existing = folder.ancestors().find(|path| path.is_dir());
    let writable = existing.is_some_and(|path| {
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
    });
    if writable {
        report.good(label, &shown(folder));
    } else {
        report.bad(label, &format!("{} cannot be written: make it yours, or set another HOME", shown(folder)));
    }
}
