//! The output that `predict`, `report`, `inspect` and `watch` share: one JSON document, one line of JSON Lines, one CSV table.

use super::CliError;
use super::select::{self, Found};
use crate::results::{
    FilesDocument, ResultsDocument, StudyDocument, StudyFacts, UnreadableDocument, Written, schema, table,
};
use crate::runtime::now;
use std::process::ExitCode;

/// Prints the JSON Schema.
///
/// # Errors
/// An output that cannot be written.
pub(super) fn print() -> Result<ExitCode, CliError> {
    let schema = serde_json::to_string_pretty(&schema()).map_err(unwritable)?;
    super::print(&format!("{schema}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// The JSON document of studies and of the files that were scanned.
///
/// # Errors
/// A document that cannot be encoded.
pub(super) fn json<'r>(studies: impl IntoIterator<Item = StudyFacts<'r>>, found: &Found) -> Result<String, CliError> {
    let studies = studies.into_iter().map(StudyDocument::of).collect();
    let written = Written::by_this_program(now());
    ResultsDocument::of(studies, Some(files(found)), written).to_json().map_err(unwritable)
}

/// A study as one line of JSON Lines.
///
/// # Errors
/// A document that cannot be encoded.
pub(super) fn json_line(facts: StudyFacts<'_>) -> Result<String, CliError> {
    StudyDocument::of(facts).to_json_line().map_err(unwritable)
}

/// The CSV table.
///
/// # Errors
/// A table that cannot be encoded.
pub(super) fn csv<'r>(studies: impl IntoIterator<Item = StudyFacts<'r>>) -> Result<String, CliError> {
    table(studies).map_err(unwritable)
}

fn unwritable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CliError {
    CliError::failed("the results cannot be written", error)
}

fn files(found: &Found) -> FilesDocument {
    let unreadable = |(path, reason): &(std::path::PathBuf, String)| UnreadableDocument {
        path: select::shown(path),
        reason: reason.clone(),
    };
    FilesDocument {
        total: found.summary.files,
        dicom: found.summary.dicom,
        not_dicom: found.summary.not_dicom,
        unreadable: found.unreadable.iter().map(unreadable).collect(),
    }
}
