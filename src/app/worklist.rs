//! The list of studies. Results that arrive re-order it; they never move the selection to another study.

use crate::domain::{
    Analysis, Candidate, FractureReport, NotAnalysed, Probability, Study, Uid, choose_series, explain, suitable,
};
use crate::inference::Job;
use std::cmp::Ordering;
use std::sync::Arc;

/// How the list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Most likely broken first.
    #[default]
    Urgency,
    /// As found.
    Arrival,
    /// By patient name.
    Name,
    /// Newest study first.
    Date,
}

impl Order {
    /// The next order.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Urgency => Self::Arrival,
            Self::Arrival => Self::Name,
            Self::Name => Self::Date,
            Self::Date => Self::Urgency,
        }
    }

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Urgency => "urgency",
            Self::Arrival => "order of arrival",
            Self::Name => "name",
            Self::Date => "date",
        }
    }
}

/// How far a study's analysis is.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// In the queue.
    Waiting,
    /// Being analysed, or stopped half-way for a more urgent one.
    Running {
        /// Slices done.
        done: usize,
        /// Slices in all; 0 while the series is being read.
        total: usize,
        /// The report so far.
        partial: Option<Arc<FractureReport>>,
        /// Whether another study has overtaken it.
        paused: bool,
    },
    /// Over.
    Done(Analysis),
}

/// A study in the list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The study.
    pub study: Arc<Study>,
    /// The series that is analysed, with the words that explain it, or why none is.
    pub choice: Result<Candidate, NotAnalysed>,
    /// Whether the reader chose the series.
    pub chosen_by_reader: bool,
    /// How often the analysis was asked for.
    pub attempt: u32,
    /// How far it is.
    pub progress: Progress,
    /// Whether it was opened.
    pub opened: bool,
    /// Whether it rose in the list when its last result arrived.
    pub risen: bool,
}

impl Entry {
    fn new(study: Arc<Study>) -> Self {
        let choice = choose_series(&study);
        let progress = Self::first_progress(&choice);
        Self { study, choice, chosen_by_reader: false, attempt: 0, progress, opened: false, risen: false }
    }

    fn first_progress(choice: &Result<Candidate, NotAnalysed>) -> Progress {
        match choice {
            Ok(_) => Progress::Waiting,
            Err(reason) => Progress::Done(Analysis::NotAnalysed(reason.clone())),
        }
    }

    /// The report, finished or preliminary.
    #[must_use]
    pub fn report(&self) -> Option<&Arc<FractureReport>> {
        match &self.progress {
            Progress::Done(Analysis::Analysed(report)) => Some(report),
            Progress::Running { partial, .. } => partial.as_ref(),
            _ => None,
        }
    }

    /// The study's overall probability, finished or preliminary.
    #[must_use]
    pub fn overall(&self) -> Option<Probability> {
        self.report().map(|report| report.overall)
    }

    /// Patient's name, or what stands for it.
    #[must_use]
    pub fn name(&self) -> &str {
        let patient = &self.study.patient;
        if !patient.name.is_empty() {
            patient.name.as_str()
        } else if !patient.id.is_empty() {
            patient.id.as_str()
        } else {
            "(no name)"
        }
    }

    /// Slices of the series that is analysed, or of the longest one.
    #[must_use]
    pub fn slices(&self) -> usize {
        match &self.choice {
            Ok(candidate) => self.study.series.get(candidate.series).map_or(0, |series| series.instances.len()),
            Err(_) => self.study.series.iter().map(|series| series.instances.len()).max().unwrap_or(0),
        }
    }

    /// By rising rank, then by falling probability.
    fn by_urgency(&self, other: &Self) -> Ordering {
        let probability = |entry: &Self| entry.overall().map_or(-1.0, Probability::value);
        self.rank().cmp(&other.rank()).then(probability(other).total_cmp(&probability(self)))
    }

    fn rank(&self) -> u8 {
        match &self.progress {
            _ if self.report().is_some() => 0,
            Progress::Waiting | Progress::Running { .. } => 1,
            Progress::Done(Analysis::Failed(_)) => 2,
            Progress::Done(_) => 3,
        }
    }

    fn matches(&self, filter: &str) -> bool {
        let patient = &self.study.patient;
        filter.split_whitespace().all(|word| {
            [patient.name.as_str(), patient.id.as_str(), self.study.description.as_str(), self.study.accession.as_str()]
                .iter()
                .any(|text| text.to_lowercase().contains(word))
                || self.study.uid.as_str().contains(word)
        })
    }
}

/// Where a series (or one stack of it) stands in a study.
pub(super) fn series_index(study: &Study, uid: &Uid, stack: u32) -> Option<usize> {
    study.series.iter().position(|series| series.uid == *uid && series.stack_index == stack)
}

/// The list with its order, filter and selection.
#[derive(Debug, Default)]
pub struct Worklist {
    entries: Vec<Entry>,
    rows: Vec<usize>,
    order: Order,
    filter: String,
    selected: Option<Uid>,
    reader_moved: bool,
}

impl Worklist {
    /// All studies as found, shown or not.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The rows that are shown, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.rows.iter().map(|&index| &self.entries[index])
    }

    /// Order.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// Filter; empty for none.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// A study's entry.
    #[must_use]
    pub fn entry(&self, uid: &Uid) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.study.uid == *uid)
    }

    /// Row of the selection.
    #[must_use]
    pub fn selected_row(&self) -> Option<usize> {
        let uid = self.selected.as_ref()?;
        self.row_of(uid)
    }

    /// The selected study.
    #[must_use]
    pub fn selected(&self) -> Option<&Entry> {
        self.entry(self.selected.as_ref()?)
    }

    /// Row of a study.
    #[must_use]
    pub fn row_of(&self, uid: &Uid) -> Option<usize> {
        self.rows.iter().position(|&index| self.entries[index].study.uid == *uid)
    }

    /// The study at a row.
    #[must_use]
    pub fn at(&self, row: usize) -> Option<&Entry> {
        self.rows.get(row).map(|&index| &self.entries[index])
    }

    /// The most urgent row that was not opened yet, in whatever order the list is; the most urgent of all where every one was.
    #[must_use]
    pub fn most_urgent(&self) -> Option<&Entry> {
        self.rows().min_by(|a, b| a.opened.cmp(&b.opened).then_with(|| a.by_urgency(b)))
    }

    pub(super) fn entry_mut(&mut self, uid: &Uid) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.study.uid == *uid)
    }

    /// Takes in a study that is new or has grown. A study that grew is analysed again, unless its series stayed the same.
    pub(super) fn found(&mut self, study: Arc<Study>) {
        match self.entries.iter_mut().find(|entry| entry.study.uid == study.uid) {
            Some(entry) => {
                let analysed = |entry: &Entry| {
                    let series = entry.study.series.get(entry.choice.as_ref().ok()?.series)?;
                    Some((series.uid.clone(), series.stack_index, series.instances.len()))
                };
                let before = analysed(entry);
                entry.study = study;
                // What the reader chose stays chosen for as long as it can be analysed.
                let chosen = before.as_ref().filter(|_| entry.chosen_by_reader).and_then(|(uid, stack, _)| {
                    let index = series_index(&entry.study, uid, *stack)?;
                    let series = &entry.study.series[index];
                    suitable(series).ok().map(|()| Candidate { series: index, explanation: explain(series) })
                });
                entry.chosen_by_reader = chosen.is_some();
                entry.choice = chosen.map_or_else(|| choose_series(&entry.study), Ok);
                if analysed(entry) != before || entry.choice.is_err() {
                    entry.progress = Entry::first_progress(&entry.choice);
                }
            }
            None => self.entries.push(Entry::new(study)),
        }
        self.arrange();
    }

    /// Sorts and filters anew. Until the reader moves the selection it stays on top.
    pub(super) fn arrange(&mut self) {
        let mut rows: Vec<usize> = (0..self.entries.len())
            .filter(|&index| self.filter.is_empty() || self.entries[index].matches(&self.filter))
            .collect();
        let entries = &self.entries;
        rows.sort_by(|&a, &b| {
            let (x, y) = (&entries[a], &entries[b]);
            let order = match self.order {
                Order::Urgency => x.by_urgency(y),
                Order::Arrival => Ordering::Equal,
                Order::Name => x.name().to_lowercase().cmp(&y.name().to_lowercase()),
                Order::Date => y.study.date.cmp(&x.study.date),
            };
            order.then(a.cmp(&b))
        });
        self.rows = rows;
        if !self.reader_moved || self.selected_row().is_none() {
            self.selected = self.at(0).map(|entry| entry.study.uid.clone());
        }
    }

    /// Notes a result, re-orders, and marks the study if it rose.
    pub(super) fn set_progress(&mut self, uid: &Uid, progress: Progress) {
        let before = self.row_of(uid);
        if let Some(entry) = self.entry_mut(uid) {
            entry.progress = progress;
        }
        self.arrange();
        let after = self.row_of(uid);
        if let (Some(before), Some(after)) = (before, after)
            && let Some(entry) = self.entry_mut(uid)
        {
            entry.risen = after < before;
        }
    }

    pub(super) fn select_row(&mut self, row: usize) {
        let last = self.rows.len().saturating_sub(1);
        if let Some(entry) = self.at(row.min(last)) {
            self.selected = Some(entry.study.uid.clone());
            self.reader_moved = true;
        }
    }

    pub(super) fn select(&mut self, uid: &Uid) {
        if self.row_of(uid).is_some() {
            self.selected = Some(uid.clone());
            self.reader_moved = true;
        }
    }

    pub(super) fn set_order(&mut self, order: Order) {
        self.order = order;
        self.arrange();
    }

    pub(super) fn set_filter(&mut self, filter: &str) {
        self.filter = filter.trim().to_lowercase();
        self.arrange();
    }

    /// The reader's choice of the series to analyse.
    pub(super) fn choose(&mut self, uid: &Uid, series: usize) -> Result<(), NotAnalysed> {
        let Some(entry) = self.entry_mut(uid) else { return Ok(()) };
        let chosen = entry.study.series.get(series).ok_or(NotAnalysed::NoPictures)?;
        suitable(chosen)?;
        entry.choice = Ok(Candidate { series, explanation: explain(chosen) });
        entry.chosen_by_reader = true;
        entry.attempt += 1;
        entry.progress = Progress::Waiting;
        self.arrange();
        Ok(())
    }

    /// What the worker is to do: the open study, then the list from its top, then what the filter hides.
    #[must_use]
    pub fn jobs(&self, open: Option<&Uid>) -> Vec<Job> {
        let hidden = (0..self.entries.len()).filter(|index| !self.rows.contains(index));
        let order = self.rows.iter().copied().chain(hidden);
        let job = |index: usize| {
            let entry = &self.entries[index];
            let series = entry.choice.as_ref().ok()?.series;
            let urgent = open == Some(&entry.study.uid);
            (!matches!(entry.progress, Progress::Done(_))).then(|| Job {
                study: Arc::clone(&entry.study),
                series,
                attempt: entry.attempt,
                urgent,
            })
        };
        let mut jobs: Vec<Job> = order.filter_map(job).collect();
        jobs.sort_by_key(|job| !job.urgent);
        jobs
    }
}
