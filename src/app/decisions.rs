//! The decisions of all studies: what is on disk, and what is on its way there.

use super::record::{Pending, Record, Token};
use crate::domain::{Act, CleanText, Decision, Draft, EntryId, LogEntry, StudyState, Uid, undoable};
use std::collections::HashMap;

/// A study's log with what it comes to.
#[derive(Debug, Default)]
struct Known {
    log: Vec<LogEntry>,
    decision: Decision,
}

/// The decisions. What is here is on disk; what is not yet is in [`Decisions::pending`] and shown as such.
#[derive(Debug, Default)]
pub struct Decisions {
    known: HashMap<Uid, Known>,
    pending: Vec<Pending>,
    tokens: u64,
    /// Entries made by this program, oldest first.
    own: Vec<(Uid, EntryId)>,
}

impl Decisions {
    /// What is decided of a study; `None` where its log is empty.
    #[must_use]
    pub fn of(&self, study: &Uid) -> Option<&Decision> {
        self.known.get(study).map(|known| &known.decision)
    }

    /// How far a study is read.
    #[must_use]
    pub fn state(&self, study: &Uid) -> StudyState {
        self.of(study).map_or(StudyState::Unread, Decision::state)
    }

    /// A study's log, oldest first.
    #[must_use]
    pub fn log(&self, study: &Uid) -> &[LogEntry] {
        self.known.get(study).map_or(&[], |known| &known.log)
    }

    /// What is being kept or could not be, oldest first.
    #[must_use]
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// The first that could not be kept and waits for the reader's word.
    #[must_use]
    pub fn unsaved(&self) -> Option<&Pending> {
        self.pending.iter().find(|pending| pending.problem.is_some())
    }

    /// Whether a reader has given a verdict on a study, however it was meant later.
    #[must_use]
    pub fn has_verdict_of(&self, study: &Uid, who: &CleanText) -> bool {
        self.log(study).iter().any(|entry| entry.who == *who && entry.draft.act.is_assessment())
    }

    /// What a reader would take back: the newest act of this session, in whatever study, else the newest in `here`.
    pub(super) fn last_act(&self, who: &CleanText, here: Option<&Uid>) -> Option<&LogEntry> {
        let of_session = self.own.iter().rev().find_map(|(study, id)| {
            let last = undoable(self.log(study), who)?;
            (last.id == *id).then_some(last)
        });
        of_session.or_else(|| undoable(self.log(here?), who))
    }

    /// Notes what is to be kept.
    pub(super) fn propose(&mut self, draft: Draft, announced: Option<Uid>) -> Record {
        self.tokens += 1;
        let token = Token(self.tokens);
        self.pending.push(Pending { token, draft: draft.clone(), problem: None, announced });
        Record::Decision { token, draft }
    }

    /// Whether an assessment of a study is being kept: the same again would be a second entry.
    pub(super) fn is_saving(&self, study: &Uid, act: &Act) -> bool {
        let same = |pending: &&Pending| {
            let both_final = pending.draft.act.study_verdict().is_some() && act.study_verdict().is_some();
            pending.draft.study == *study && pending.problem.is_none() && (pending.draft.act == *act || both_final)
        };
        act.is_assessment() && self.pending.iter().any(|pending| same(&pending))
    }

    /// It is on disk; gives the study that was announced as the next one when it was decided.
    pub(super) fn recorded(&mut self, token: Token, entry: LogEntry) -> Option<Uid> {
        let at = self.pending.iter().position(|pending| pending.token == token);
        let announced = at.and_then(|at| self.pending.remove(at).announced);
        if !matches!(entry.draft.act, Act::Undo { .. }) {
            self.own.push((entry.draft.study.clone(), entry.id));
        }
        self.take(vec![entry]);
        announced
    }

    /// It is not.
    pub(super) fn failed(&mut self, token: Token, problem: String) {
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.token == token) {
            pending.problem = Some(problem);
        }
    }

    /// The reader knows that it was not kept.
    pub(super) fn acknowledge(&mut self) -> Option<Pending> {
        let at = self.pending.iter().position(|pending| pending.problem.is_some())?;
        Some(self.pending.remove(at))
    }

    /// Everything that could not be kept, once more.
    pub(super) fn again(&mut self) -> Vec<Record> {
        let failed = self.pending.iter_mut().filter(|pending| pending.problem.is_some());
        let again = |pending: &mut Pending| {
            pending.problem = None;
            Record::Decision { token: pending.token, draft: pending.draft.clone() }
        };
        failed.map(again).collect()
    }

    /// Takes in entries, known ones too; returns the studies that they speak of.
    pub(super) fn take(&mut self, entries: Vec<LogEntry>) -> Vec<Uid> {
        let mut changed: Vec<Uid> = Vec::new();
        for entry in entries {
            let study = entry.draft.study.clone();
            let log = &mut self.known.entry(study.clone()).or_default().log;
            match log.binary_search_by_key(&entry.id, |known| known.id) {
                Ok(_) => continue,
                Err(at) => log.insert(at, entry),
            }
            if changed.last() != Some(&study) {
                changed.push(study);
            }
        }
        changed.sort();
        changed.dedup();
        for study in &changed {
            if let Some(known) = self.known.get_mut(study) {
                known.decision = Decision::of(&known.log);
            }
        }
        changed
    }
}
