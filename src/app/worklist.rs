//! The list of studies. Results that arrive re-order it; they never move the selection to another study.

mod counts;
mod entry;
mod order;
mod query;

pub use counts::Counts;
pub use entry::{Entry, Presence, Progress, Sight};
pub use order::{Aging, Order};
pub use query::KEYS as FILTER_KEYS;

use crate::domain::{
    Analysis, Candidate, Decision, Listed, ModelIdentity, NotAnalysed, Stamp, Study, StudyState, Uid, choose_series,
    explain, suitable,
};
use crate::inference::Job;
use order::Place;
use query::Query;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

/// Studies that the worker is told of: it asks again when one is done.
const JOBS: usize = 64;

/// Where a series (or one stack of it) stands in a study.
pub(super) fn series_index(study: &Study, uid: &Uid, stack: u32) -> Option<usize> {
    study.series.iter().position(|series| series.uid == *uid && series.stack_index == stack)
}

/// The list with its order, filter and selection.
#[derive(Debug, Default)]
pub struct Worklist {
    entries: Vec<Entry>,
    index: HashMap<Uid, usize>,
    /// Studies that were ever found.
    numbers: usize,
    /// All entries in order.
    sorted: Vec<usize>,
    /// Those of them that the filter shows.
    rows: Vec<usize>,
    order: Order,
    aging: Aging,
    now: Option<Stamp>,
    query: Query,
    selected: Option<Uid>,
    reader_moved: bool,
    /// Numbers of studies, until one of them changes.
    counts: Cell<Option<Counts>>,
}

impl Worklist {
    /// All studies as found, shown or not.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many of the studies that the filter shows are how far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let counts = self.counts.get().unwrap_or_else(|| Counts::of(self.rows()));
        self.counts.set(Some(counts));
        counts
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

    /// What waiting adds.
    #[must_use]
    pub fn aging(&self) -> Aging {
        self.aging
    }

    /// The clock as it was last heard.
    #[must_use]
    pub fn now(&self) -> Option<Stamp> {
        self.now
    }

    /// Filter; empty for none.
    #[must_use]
    pub fn filter(&self) -> &str {
        self.query.text()
    }

    /// A study's entry.
    #[must_use]
    pub fn entry(&self, uid: &Uid) -> Option<&Entry> {
        self.index.get(uid).map(|&index| &self.entries[index])
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
        let wanted = *self.index.get(uid)?;
        self.rows.iter().position(|&index| index == wanted)
    }

    /// The study at a row.
    #[must_use]
    pub fn at(&self, row: usize) -> Option<&Entry> {
        self.rows.get(row).map(|&index| &self.entries[index])
    }

    /// The most urgent row to read next, in whatever order the list is: neither read nor put off, if there is one, and not
    /// opened yet, if there is one.
    #[must_use]
    pub fn most_urgent(&self) -> Option<&Entry> {
        let place = |index: usize| self.place(index, Order::Urgency);
        let by = |index: usize| {
            let entry = &self.entries[index];
            let read = entry.state.is_finished() || entry.state == StudyState::Deferred;
            (read, entry.opened, place(index))
        };
        self.rows.iter().copied().min_by_key(|&index| by(index)).map(|index| &self.entries[index])
    }

    /// The study to read after `but`, among the rows that are shown and wait for a reader, without those that `taken` names: what was
    /// not opened before what was, and that before what is deferred. In an order of urgency the list is gone through from its top;
    /// in another order, and among studies that were opened, it goes on below `but` and then from the top.
    #[must_use]
    pub fn next_to_read(&self, but: &Uid, taken: &dyn Fn(&Uid) -> bool) -> Option<&Entry> {
        let from_top = matches!(self.order, Order::Urgency | Order::Uncertainty);
        let here = self.row_of(but).unwrap_or(0);
        let rows = self.rows().enumerate();
        let waiting = rows.filter(|(_, entry)| entry.study.uid != *but && entry.waits() && !taken(&entry.study.uid));
        let rank = |(row, entry): &(usize, &Entry)| {
            let deferred = entry.state == StudyState::Deferred;
            let again = deferred || entry.opened;
            (deferred, entry.opened, (again || !from_top) && *row < here, *row)
        };
        waiting.min_by_key(rank).map(|(_, entry)| entry)
    }

    pub(super) fn entry_mut(&mut self, uid: &Uid) -> Option<&mut Entry> {
        let index = *self.index.get(uid)?;
        self.counts.set(None);
        self.entries.get_mut(index)
    }

    /// Takes in a study that is new or has grown. A study that grew is analysed again, unless its series stayed the same.
    pub(super) fn found(&mut self, study: Arc<Study>) {
        let uid = study.uid.clone();
        match self.index.get(&uid) {
            Some(&index) => refound(&mut self.entries[index], study),
            None => self.push(Entry::new(study, self.now)),
        }
        self.rearrange(&uid);
    }

    /// Takes in studies as an earlier run left them; those that were found meanwhile stay as they are.
    pub(super) fn listed(&mut self, studies: &[Listed]) {
        for listed in studies {
            if !self.index.contains_key(&listed.uid) {
                self.push(Entry::listed(listed));
            }
        }
    }

    /// Studies whose files were not looked at in this run.
    pub(super) fn only_listed(&self) -> Vec<Uid> {
        let listed = self.entries.iter().filter(|entry| entry.presence != Presence::Found);
        listed.map(|entry| entry.study.uid.clone()).collect()
    }

    /// Takes studies out.
    pub(super) fn gone(&mut self, studies: &[Uid]) {
        let row = self.selected_row();
        for uid in studies {
            let Some(index) = self.index.remove(uid) else { continue };
            self.entries.swap_remove(index);
            if let Some(moved) = self.entries.get(index) {
                self.index.insert(moved.study.uid.clone(), index);
            }
        }
        self.arrange();
        if self.selected.as_ref().is_none_or(|selected| studies.contains(selected)) {
            let row = row.unwrap_or(0).min(self.rows.len().saturating_sub(1));
            self.selected = self.at(row).map(|entry| entry.study.uid.clone());
        }
    }

    fn push(&mut self, mut entry: Entry) {
        entry.number = self.numbers;
        self.numbers += 1;
        self.index.insert(entry.study.uid.clone(), self.entries.len());
        self.entries.push(entry);
    }

    /// A model is here: what another one said is out of date, and computed anew.
    pub(super) fn only_of(&mut self, model: &ModelIdentity) {
        for entry in &mut self.entries {
            let by = match &entry.progress {
                Progress::Done(Analysis::Analysed(report)) => &report.model,
                Progress::Done(Analysis::Declined(declined)) => &declined.model,
                _ => continue,
            };
            // Thresholds are the manifest's: they can change while the graph stays the same.
            if by.sha256 != model.sha256 || by.thresholds != model.thresholds {
                entry.progress = Progress::Waiting;
            }
        }
        self.arrange();
    }

    /// Takes over what is decided of a study, without a place in the list yet.
    pub(super) fn note_decision(&mut self, uid: &Uid, decision: Option<&Decision>, sight: Sight) {
        if let Some(entry) = self.entry_mut(uid) {
            entry.decided(decision, sight);
        }
    }

    /// Takes over what is decided of a study.
    pub(super) fn decided(&mut self, uid: &Uid, decision: Option<&Decision>, sight: Sight) {
        if let Some(entry) = self.entry_mut(uid) {
            entry.decided(decision, sight);
            self.rearrange(uid);
        }
    }

    /// The clock has moved on, and with it what waiting adds.
    pub(super) fn set_now(&mut self, now: Stamp) {
        if self.now.is_none() {
            for entry in &mut self.entries {
                entry.arrived = entry.arrived.or(Some(now));
            }
        }
        let minute = self.now.map(|then| then.utc_ms / 60_000);
        self.now = Some(now);
        if minute != Some(now.utc_ms / 60_000) {
            self.arrange();
        }
    }

    pub(super) fn set_aging(&mut self, aging: Aging) {
        self.aging = aging;
        self.arrange();
    }

    fn place(&self, index: usize, order: Order) -> Place {
        Place::of(&self.entries[index], order, self.aging, self.now)
    }

    /// Puts one study at its new place; the others stay in order.
    fn rearrange(&mut self, uid: &Uid) {
        self.counts.set(None);
        let Some(&index) = self.index.get(uid) else { return };
        if let Some(at) = self.sorted.iter().position(|&other| other == index) {
            self.sorted.remove(at);
        }
        let place = self.place(index, self.order);
        let at = self.sorted.partition_point(|&other| self.place(other, self.order) < place);
        self.sorted.insert(at, index);
        if let Some(at) = self.rows.iter().position(|&other| other == index) {
            self.rows.remove(at);
        }
        if self.query.matches(&self.entries[index]) {
            let at = self.rows.partition_point(|&other| self.place(other, self.order) < place);
            self.rows.insert(at, index);
        }
        self.keep_selection();
    }

    /// Sorts and filters anew.
    pub(super) fn arrange(&mut self) {
        self.counts.set(None);
        let mut sorted: Vec<usize> = (0..self.entries.len()).collect();
        sorted.sort_by_cached_key(|&index| self.place(index, self.order));
        self.sorted = sorted;
        self.sift();
    }

    /// Filters anew.
    fn sift(&mut self) {
        self.counts.set(None);
        let shown = |index: &usize| self.query.matches(&self.entries[*index]);
        self.rows = self.sorted.iter().copied().filter(shown).collect();
        self.keep_selection();
    }

    /// Until the reader moves the selection it stays on top.
    fn keep_selection(&mut self) {
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
        self.rearrange(uid);
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

    /// Selects a study unless the reader has chosen one; whether it did.
    pub(super) fn offer(&mut self, uid: &Uid) -> bool {
        let free = !self.reader_moved;
        if free {
            self.select(uid);
        }
        free && self.selected.as_ref() == Some(uid)
    }

    pub(super) fn set_order(&mut self, order: Order) {
        self.order = order;
        self.arrange();
    }

    pub(super) fn set_filter(&mut self, filter: &str) {
        self.query = Query::parse(filter);
        self.sift();
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
        self.rearrange(uid);
        Ok(())
    }

    /// What the worker is to do next: the open study, then the list from its top, then what the filter hides. What is being
    /// analysed is always among it.
    #[must_use]
    pub fn jobs(&self, open: Option<&Uid>) -> Vec<Job> {
        let job = |index: usize, urgent: bool| {
            let entry = &self.entries[index];
            let series = entry.choice.as_ref().ok()?.series;
            entry.study.series.get(series)?;
            let wanted = !matches!(entry.progress, Progress::Done(_)) || urgent && entry.is_thin();
            wanted.then(|| Job { study: Arc::clone(&entry.study), series, attempt: entry.attempt, urgent })
        };
        let open = open.and_then(|uid| self.index.get(uid)).copied();
        let mut jobs: Vec<Job> = open.and_then(|index| job(index, true)).into_iter().collect();
        let others = |index: &usize| Some(*index) != open;
        jobs.extend(self.rows.iter().copied().filter(others).filter_map(|index| job(index, false)).take(JOBS));
        if jobs.len() < JOBS && self.rows.len() < self.sorted.len() {
            let hidden = self.sorted.iter().copied().filter(others);
            let hidden = hidden.filter(|&index| !self.query.matches(&self.entries[index]));
            jobs.extend(hidden.filter_map(|index| job(index, false)).take(JOBS));
        }
        let running = |entry: &Entry| matches!(entry.progress, Progress::Running { paused: false, .. });
        let missing = self
            .entries
            .iter()
            .position(|entry| running(entry) && jobs.iter().all(|job| job.study.uid != entry.study.uid));
        jobs.extend(missing.and_then(|index| job(index, false)));
        jobs
    }
}

/// The entry's study was found again.
fn refound(entry: &mut Entry, study: Arc<Study>) {
    let before = entry.analysed();
    entry.replace_study(study);
    // What the reader chose stays chosen for as long as it can be analysed.
    let chosen = before.as_ref().filter(|_| entry.chosen_by_reader).and_then(|before| {
        let index = series_index(&entry.study, &before.uid, before.stack)?;
        let series = &entry.study.series[index];
        suitable(series).ok().map(|()| Candidate { series: index, explanation: explain(series) })
    });
    entry.chosen_by_reader = chosen.is_some();
    entry.choice = chosen.map_or_else(|| choose_series(&entry.study), Ok);
    if entry.analysed() != before || entry.choice.is_err() {
        entry.rewritten = matches!(entry.progress, Progress::Done(Analysis::Analysed(_) | Analysis::Declined(_)));
        entry.progress = Entry::first_progress(&entry.choice);
    }
}
