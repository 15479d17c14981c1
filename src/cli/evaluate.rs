//! `cspine evaluate`: how good a model package is, through the same path as `cspine predict`.

mod real;

use super::analysis::{analyse_study, load_package};
use super::compute::ComputeArgs;
use super::{CliError, print, select};
use crate::domain::Study;
use crate::evaluation::{
    Case, Dataset, Document, LeftOut, Outcome, StudyTruth, markdown, plots, predictions, read_dataset,
};
use crate::inference::Package;
use crate::nifti::LabelVolume;
use clap::Args as ClapArgs;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Measure a model package on data sets laid out as RSNA 2022: AUC, the competition's metric, thresholds, reliability, localisation,
/// time; held-out anatomies first. Exit code: 0 all studies analyzed or declined, 1 some failed, 2 usage, 3 nothing readable.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Folders with train.csv and train_images; several are measured together and one by one.
    #[arg(required_unless_present = "real", value_name = "DATASET")]
    datasets: Vec<PathBuf>,
    /// List every level of the studies of this folder instead: truth.csv, boxes.csv, and a folder of DICOM files per study.
    #[arg(long, value_name = "FOLDER", conflicts_with = "datasets")]
    real: Option<PathBuf>,
    /// Table of the true level ranges of --real: study,level,first,last (InstanceNumbers).
    #[arg(long, value_name = "FILE", requires = "real")]
    ranges: Option<PathBuf>,
    /// Folder to write evaluation.json, evaluation.md, predictions.csv and plots (with --real: real.json, real.md) to; made if missing.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Model package to use instead of the built-in one.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    #[command(flatten)]
    compute: ComputeArgs,
}

/// Runs the command.
///
/// # Errors
/// A folder that is no data set, no model, or an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    if let Some(out) = &args.out {
        std::fs::create_dir_all(out)
            .map_err(|error| CliError::failed(format!("{} cannot be made", select::shown(out)), error))?;
    }
    if let Some(root) = &args.real {
        return real::run(root, args, args.out.as_deref());
    }
    // The tables first: a mistake in the last must not show after an hour.
    let mut datasets = Vec::new();
    for root in &args.datasets {
        let mut data = read_dataset(root).map_err(|error| CliError::usage(error.to_string()))?;
        data.name = unique(&data.name, &datasets);
        datasets.push(data);
    }
    let mut package = load_package(args.model.as_deref(), args.compute.of_command()?)?;
    let (mut cases, mut counts) = (Vec::new(), Vec::new());
    for (index, data) in datasets.iter().enumerate() {
        let found = select::scan(std::slice::from_ref(&data.images))?;
        let known: Vec<(&Study, &StudyTruth)> =
            found.studies.iter().filter_map(|study| Some((study, data.studies.get(&study.uid)?))).collect();
        let strangers = found.studies.len() - known.len();
        if strangers > 0 {
            eprintln!("{}: {strangers} studies are not in train.csv and are left out", data.name);
        }
        let mut left_out = LeftOut { without_images: data.studies.len() - known.len(), unreadable_labels: 0 };
        analyse(index, data, &known, &mut package, &mut cases, &mut left_out);
        counts.push(left_out);
    }
    if cases.is_empty() {
        return Err(CliError::nothing_readable(
            "no study of train.csv has images; cspine inspect lists the files found",
        ));
    }
    let names: Vec<String> = datasets.into_iter().map(|data| data.name).collect();
    let document =
        Document::new(&package.identity, package.manifest.training_anatomies.as_deref(), &names, &counts, &cases);
    print(&markdown(&document, &[]))?;
    if let Some(out) = &args.out {
        write(out, &document, &names, &cases)?;
    }
    let failed = cases.iter().any(|case| matches!(case.outcome, Outcome::Failed(_)));
    Ok(ExitCode::from(u8::from(failed)))
}

/// The name, numbered where another data set has it already.
fn unique(name: &str, datasets: &[Dataset]) -> String {
    let taken = |name: &str| datasets.iter().any(|data| data.name == name);
    let numbered = (2..).map(|number| format!("{name} {number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

fn analyse(
    index: usize,
    data: &Dataset,
    known: &[(&Study, &StudyTruth)],
    package: &mut Package,
    cases: &mut Vec<Case>,
    counts: &mut LeftOut,
) {
    let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
    let studies = bars.add(ProgressBar::new(known.len() as u64));
    let slices = bars.add(ProgressBar::no_length());
    for (bar, template) in
        [(&studies, "{prefix} {bar:30} {pos}/{len} studies, {eta} to go"), (&slices, "{bar:30} {pos}/{len} slices")]
    {
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
    }
    studies.set_prefix(data.name.clone());
    for (study, truth) in known {
        slices.reset();
        let analysis = analyse_study(package, study, &mut |step| {
            slices.set_length(step.total as u64);
            slices.set_position(step.done as u64);
        });
        // A broken label file must not cost the hours before it: the study goes without, and is counted.
        let labels = truth.segmentation.as_deref().and_then(|path| match LabelVolume::read(path) {
            Ok(labels) => Some(labels),
            Err(error) => {
                bars.suspend(|| eprintln!("labels left out: {error}"));
                counts.unreadable_labels += 1;
                None
            }
        });
        let presence = package.manifest.presence.vertebra;
        cases.push(Case::new(index, study, truth, labels.as_ref(), &analysis, presence));
        studies.inc(1);
    }
    slices.finish_and_clear();
    studies.finish_and_clear();
}

fn write(out: &Path, document: &Document, names: &[String], cases: &[Case]) -> Result<(), CliError> {
    let failed = |error: String| CliError::failed("the results cannot be written", error);
    let plots = plots(&cases.iter().collect::<Vec<_>>(), &document.all);
    let mut files = vec![
        ("evaluation.json", document.to_json().map_err(|error| failed(error.to_string()))?),
        ("evaluation.md", markdown(document, &plots.each_ref().map(|(name, _)| *name))),
        ("predictions.csv", predictions(names, cases).map_err(|error| failed(error.to_string()))?),
    ];
    files.extend(plots);
    write_files(out, files)
}

fn write_files(out: &Path, files: Vec<(&str, String)>) -> Result<(), CliError> {
    for (name, text) in files {
        let path = out.join(name);
        std::fs::write(&path, text)
            .map_err(|error| CliError::failed(format!("{} cannot be written", select::shown(&path)), error))?;
    }
    eprintln!("written to {}", select::shown(out));
    Ok(())
}
