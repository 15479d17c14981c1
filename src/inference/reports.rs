//! Where finished reports, and the word that there is none, are kept between runs, as the worker sees it.

use crate::domain::{ContentHash, Fingerprint, FractureReport, KeptAnalysis, ReportKey, Volume};

/// A keeper of finished reports. What it cannot find or keep is computed again.
pub trait Reports: Send + Sync {
    /// The report of a series whose files are as they were.
    fn of_files(&self, key: &ReportKey, files: Fingerprint) -> Option<KeptAnalysis>;
    /// The report of the same pixels; from now on it is that of these files, too.
    fn of_content(&self, key: &ReportKey, files: Option<Fingerprint>, content: ContentHash) -> Option<KeptAnalysis>;
    /// Keeps a report, or that there is none.
    fn keep(&self, key: &ReportKey, files: Option<Fingerprint>, content: ContentHash, analysis: &KeptAnalysis);
    /// Keeps what is made of the pixels of an analyzed series for the worklist. By default that is nothing.
    fn keep_thumbnail(&self, _volume: &Volume, _report: &FractureReport) {}
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoReports;

impl Reports for NoReports {
    fn of_files(&self, _: &ReportKey, _: Fingerprint) -> Option<KeptAnalysis> {
        None
    }

    fn of_content(&self, _: &ReportKey, _: Option<Fingerprint>, _: ContentHash) -> Option<KeptAnalysis> {
        None
    }

    fn keep(&self, _: &ReportKey, _: Option<Fingerprint>, _: ContentHash, _: &KeptAnalysis) {}
}
