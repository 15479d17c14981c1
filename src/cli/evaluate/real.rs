//! `cspine evaluate --real`: every level of the studies of a labeled folder.

use super::super::analysis::analyse_study;
use super::super::{CliError, print, select};
use super::{Args, write_files};
use crate::evaluation::{LabeledDocument, LabeledResult, LabeledStudy, read_labeled_folder};
use crate::inference::Package;
use std::path::Path;
use std::process::ExitCode;

/// Analyzes the folder's studies; prints them and writes them to the folder `out`.
///
/// # Errors
/// Tables that cannot be read, no model, or an output that cannot be written.
pub(super) fn run(root: &Path, args: &Args, out: Option<&Path>) -> Result<ExitCode, CliError> {
    let labeled =
        read_labeled_folder(root, args.ranges.as_deref()).map_err(|error| CliError::usage(error.to_string()))?;
    let mut package = super::load_package(args.model.as_deref(), args.compute.of_command()?)?;
    let mut results = Vec::new();
    for study in &labeled {
        eprintln!("{}", select::shown(&study.images));
        results.push(analyze(study, &mut package)?);
    }
    let full = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let name = full.file_name().map_or_else(|| "labeled folder".into(), |name| select::shown(Path::new(name)));
    let document = LabeledDocument::new(&package.identity, name, results);
    print(&document.markdown())?;
    if let Some(out) = out {
        let json = document.to_json().map_err(|error| CliError::failed("the results cannot be written", error))?;
        write_files(out, vec![("real.json", json), ("real.md", document.markdown())])?;
    }
    let failed = document.studies.iter().any(|study| study.status == "failed");
    Ok(ExitCode::from(u8::from(failed)))
}

/// Analyzes the only study of a folder.
fn analyze(labeled: &LabeledStudy, package: &mut Package) -> Result<LabeledResult, CliError> {
    let found = select::scan(std::slice::from_ref(&labeled.images))?;
    let [study] = &found.studies[..] else {
        let reason = format!("{} studies in this folder; one is needed", found.studies.len());
        return Ok(LabeledResult::without_numbers(labeled, "failed", reason));
    };
    let analysis = analyse_study(package, study, &mut |_| {});
    Ok(LabeledResult::new(labeled, study, &analysis, package.manifest.presence.vertebra))
}
