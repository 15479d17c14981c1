//! Which studies and which series a command works on.

use super::CliError;
use crate::dicom;
use crate::domain::{NotAnalysed, SensitiveText, Study, choose_series};
use crate::task::Cancel;
use clap::Args;
use std::path::PathBuf;

/// What a scan found.
pub(super) struct Found {
    /// Studies in the order of their first file.
    pub(super) studies: Vec<Study>,
    /// Files that could not be used, with the reason.
    pub(super) unreadable: Vec<(PathBuf, String)>,
    /// Counts.
    pub(super) summary: dicom::ScanSummary,
}

/// Scans files and folders.
///
/// # Errors
/// A path that does not exist.
pub(super) fn scan(paths: &[PathBuf]) -> Result<Found, CliError> {
    for path in paths {
        // A file in an archive has a path, too: study.zip/IM1.
        if let Err(error) = std::fs::metadata(path)
            && !dicom::exists(path)
        {
            return Err(CliError::nothing_readable(
                SensitiveText::at(path).words(format!(" cannot be opened: {}", error.kind())),
            ));
        }
    }
    let (studies, unreadable, summary) = dicom::scan_all(paths, &Cancel::new());
    Ok(Found { studies, unreadable, summary })
}

/// A path that is safe to print.
pub(super) fn shown(path: &std::path::Path) -> String {
    crate::domain::CleanText::new(&path.to_string_lossy()).to_string()
}

/// One series of one study, chosen by options.
#[derive(Debug, Clone, Args)]
pub(super) struct Selection {
    /// The study, where PATH holds several: its StudyInstanceUID or the beginning of it.
    #[arg(long, value_name = "UID")]
    study: Option<String>,
    /// The series, instead of the one that would be analyzed: its number in `cspine inspect` (from 1), or its
    /// SeriesInstanceUID.
    #[arg(long, value_name = "N|UID")]
    series: Option<String>,
}

impl Selection {
    /// The chosen study and the index of the chosen series.
    ///
    /// # Errors
    /// No study, several and none named, or a series that does not exist.
    pub(super) fn choose<'f>(&self, found: &'f Found) -> Result<(&'f Study, usize), CliError> {
        let mut fitting = found
            .studies
            .iter()
            .filter(|study| self.study.as_ref().is_none_or(|wanted| study.uid.as_str().starts_with(wanted.as_str())));
        let study = fitting.next().ok_or_else(|| match &self.study {
            Some(wanted) => CliError::usage(format!("no study here begins with {wanted}; see cspine inspect")),
            None => CliError::nothing_readable("no DICOM study was found; see cspine inspect for each file's reason"),
        })?;
        let others = fitting.count();
        if others > 0 {
            return Err(CliError::usage(format!(
                "{} studies were found; name one with --study (cspine inspect lists them)",
                others + 1
            )));
        }
        let series = match &self.series {
            None => choose_series(study)
                .map(|candidate| candidate.series)
                .ok()
                .or_else(|| study.series.iter().position(|series| !series.instances.is_empty()))
                .ok_or_else(|| CliError::nothing_readable(format!("the study has {}", NotAnalysed::NoPictures)))?,
            Some(wanted) => wanted
                .parse::<usize>()
                .ok()
                .and_then(|number| number.checked_sub(1))
                .filter(|index| *index < study.series.len())
                .or_else(|| study.series.iter().position(|series| series.uid.as_str() == wanted))
                .ok_or_else(|| {
                    CliError::usage(format!(
                        "no series {wanted}; the study has {}: see cspine inspect",
                        study.series.len()
                    ))
                })?,
        };
        Ok((study, series))
    }
}
