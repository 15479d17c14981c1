//! How many studies are how far.

use super::{Entry, Progress};
use crate::domain::{Analysis, StudyState};
use std::time::Duration;

/// Numbers of studies, and how long the analysis of one takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// On which readers contradict each other.
    pub conflicts: usize,
    /// Alerts that are not read.
    pub urgent: usize,
    /// Unlike the model's training data, without an alert, and not read.
    pub unlike: usize,
    /// In the worker's queue.
    pub waiting: usize,
    /// Being analysed.
    pub running: usize,
    /// With a verdict.
    pub read: usize,
    /// Put off.
    pub deferred: usize,
    /// Opened, without a verdict.
    pub opened: usize,
    /// Declined by the network or before it.
    pub declined: usize,
    /// Whose analysis failed.
    pub failed: usize,
    analysed: u32,
    took: Duration,
}

impl Counts {
    /// Counts studies.
    #[must_use]
    pub fn of<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            counts.add(entry);
        }
        counts
    }

    fn add(&mut self, entry: &Entry) {
        match entry.state {
            state if state.is_finished() => self.read += 1,
            StudyState::Deferred => self.deferred += 1,
            StudyState::Conflict => self.conflicts += 1,
            _ => self.opened += usize::from(entry.opened),
        }
        match &entry.progress {
            Progress::Waiting => self.waiting += 1,
            Progress::Running { .. } => self.running += 1,
            Progress::Done(Analysis::NotAnalysed(_) | Analysis::Declined(_)) => self.declined += 1,
            Progress::Done(Analysis::Failed(_)) => self.failed += 1,
            Progress::Done(Analysis::Analysed(report)) => {
                let is_open = !entry.state.is_finished();
                self.urgent += usize::from(is_open && entry.is_alert());
                self.unlike += usize::from(is_open && entry.is_out_of_distribution() && !entry.is_alert());
                if !report.timing.total.is_zero() {
                    self.analysed += 1;
                    self.took += report.timing.total;
                }
            }
        }
    }

    /// How long the worker will take, from the mean of what it has done; `None` where nothing is left or known.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let left = u32::try_from(self.waiting + self.running).ok().filter(|left| *left > 0)?;
        Some(self.took.checked_div(self.analysed)? * left)
    }
}
