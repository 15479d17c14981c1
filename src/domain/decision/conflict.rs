//! Readers who contradict each other.
//!
//! A reader's own later word replaces the earlier one. A word that is not final (deferred, uncertain, not assessable) gives way to any
//! later word. A final word of another reader stays beside a later one that differs: that is a conflict until one of the two is undone
//! or an entry resolves it. The same rules apply to logs of earlier versions, in which the later word had replaced the earlier one.

use super::{Decided, EntryId, LevelVerdict, LevelWord, StudyVerdict};
use crate::domain::{CervicalLevel, PerLevel};
use std::fmt;

/// What one reader said.
#[derive(Debug, Clone, PartialEq)]
pub enum Assessment {
    /// Of the study.
    Study(StudyVerdict),
    /// Of a level.
    Level(CervicalLevel, LevelVerdict),
}

impl fmt::Display for Assessment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Study(verdict) => f.write_str(verdict.name()),
            Self::Level(level, verdict) => write!(f, "{level} {}", verdict.name()),
        }
    }
}

/// Words of two or more readers that contradict each other, oldest first. It displays as "alice positive, bob negative".
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Who said what.
    pub opinions: Vec<Decided<Assessment>>,
}

impl Conflict {
    /// The level that it is about; `None` for the study.
    #[must_use]
    pub fn level(&self) -> Option<CervicalLevel> {
        let mut levels = self.opinions.iter().map(|opinion| match opinion.what {
            Assessment::Study(_) => None,
            Assessment::Level(level, _) => Some(level),
        });
        let first = levels.next().flatten()?;
        levels.all(|level| level == Some(first)).then_some(first)
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, opinion) in self.opinions.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{} {}", opinion.who, opinion.what)?;
        }
        Ok(())
    }
}

/// The words on one subject that hold: at most one for each reader, oldest first.
#[derive(Debug, Clone)]
pub(super) struct Standing<T> {
    opinions: Vec<Decided<T>>,
    resolved: Option<EntryId>,
}

impl<T> Default for Standing<T> {
    fn default() -> Self {
        Self { opinions: Vec::new(), resolved: None }
    }
}

impl<T: Clone> Standing<T> {
    /// A reader says something.
    pub(super) fn say(&mut self, word: Decided<T>, is_final: impl Fn(&T) -> bool) {
        self.opinions.retain(|earlier| earlier.who != word.who && is_final(&earlier.what));
        self.opinions.push(word);
    }

    /// A reader settles what was said before.
    pub(super) fn settle(&mut self, word: Decided<T>) {
        self.resolved = Some(word.entry);
        self.opinions = vec![word];
    }

    /// The last word.
    pub(super) fn last(&self) -> Option<Decided<T>> {
        self.opinions.last().cloned()
    }
}

impl Standing<LevelWord> {
    fn is_disputed(&self) -> bool {
        self.opinions.windows(2).any(|pair| pair[0].what.0 != pair[1].what.0)
    }

    /// The last word, if nobody contradicts it.
    pub(super) fn agreed(&self) -> Option<Decided<LevelWord>> {
        self.last().filter(|_| !self.is_disputed())
    }
}

fn opinion<T>(decided: &Decided<T>, what: Assessment) -> Decided<Assessment> {
    Decided { what, who: decided.who.clone(), at: decided.at, entry: decided.entry }
}

/// All conflicts, that on the study first.
pub(super) fn find(study: &Standing<StudyVerdict>, levels: &PerLevel<Standing<LevelWord>>) -> Vec<Conflict> {
    let class = std::mem::discriminant::<StudyVerdict>;
    let disputed = study.opinions.windows(2).any(|pair| class(&pair[0].what) != class(&pair[1].what));
    let mut opinions: Vec<Decided<Assessment>> = if disputed {
        study.opinions.iter().map(|said| opinion(said, Assessment::Study(said.what.clone()))).collect()
    } else {
        against_levels(study, levels)
    };
    opinions.sort_by_key(|opinion| opinion.entry);
    let mut found = Vec::new();
    if !opinions.is_empty() {
        found.push(Conflict { opinions });
    }
    for (level, standing) in levels.iter() {
        if standing.is_disputed() {
            let of_level = |said: &Decided<LevelWord>| opinion(said, Assessment::Level(level, said.what.0));
            found.push(Conflict { opinions: standing.opinions.iter().map(of_level).collect() });
        }
    }
    found
}

/// A study read as negative by one reader with a level that another one calls fractured, unless a later entry on the study resolved that.
fn against_levels(study: &Standing<StudyVerdict>, levels: &PerLevel<Standing<LevelWord>>) -> Vec<Decided<Assessment>> {
    let Some(negative) = study.last().filter(|said| said.what == StudyVerdict::Negative) else { return Vec::new() };
    let contradicts = |said: &&Decided<LevelWord>| {
        let settled = study.resolved.is_some_and(|resolved| said.entry < resolved);
        said.what.0 == LevelVerdict::Fractured && said.who != negative.who && !settled
    };
    let mut opinions: Vec<Decided<Assessment>> = Vec::new();
    for (level, standing) in levels.iter().filter(|(_, standing)| !standing.is_disputed()) {
        let fractured = standing.opinions.iter().filter(contradicts);
        opinions.extend(fractured.map(|said| opinion(said, Assessment::Level(level, said.what.0))));
    }
    if !opinions.is_empty() {
        opinions.push(opinion(&negative, Assessment::Study(negative.what.clone())));
    }
    opinions
}

#[cfg(test)]
mod tests {
    use super::super::{Act, Decision, Draft, LogEntry, Precedence, StudyState};
    use super::*;
    use crate::domain::{CleanText, NoteText, Stamp, Uid};

    /// The entries of "who: act", numbered from 1.
    fn log(said: &[(&str, Act)]) -> Vec<LogEntry> {
        let entry = |(id, (who, act)): (i64, &(&str, Act))| LogEntry {
            id: EntryId(id),
            who: CleanText::new(who),
            at: Stamp { utc_ms: id * 1000, offset_minutes: 0 },
            draft: Draft { study: Uid::from_file("1.2"), act: act.clone(), report: None, blinded: false },
        };
        (1..).zip(said).map(entry).collect()
    }

    const POSITIVE: Act = Act::Study(StudyVerdict::Positive);
    const NEGATIVE: Act = Act::Study(StudyVerdict::Negative);

    fn c6(verdict: LevelVerdict) -> Act {
        Act::Level { level: CervicalLevel::C6, verdict, agreement: None }
    }

    fn decision(said: &[(&str, Act)]) -> Decision {
        Decision::of(&log(said))
    }

    fn words(said: &[(&str, Act)]) -> String {
        decision(said).conflict_words().unwrap_or_default()
    }

    #[test]
    fn contradicting_final_assessments_stay_until_one_is_undone_or_a_third_entry_resolves_them() {
        let mut said = vec![("alice", POSITIVE), ("bob", NEGATIVE)];
        let both = decision(&said);
        assert_eq!(both.conflict_words().as_deref(), Some("conflict: alice positive, bob negative"));
        assert_eq!((both.state(), both.study.is_none()), (StudyState::Conflict, true));
        for (undone, left) in [(1, StudyState::Negative), (2, StudyState::Positive)] {
            let undo = (said[undone - 1].0, Act::Undo { entry: EntryId(undone as i64) });
            assert_eq!(decision(&[said.clone(), vec![undo]].concat()).state(), left);
        }
        said.push(("carol", Act::ResolveStudy { verdict: StudyVerdict::Negative }));
        let settled = decision(&said);
        assert_eq!(settled.state(), StudyState::Negative);
        assert_eq!(settled.study.map(|study| study.who.to_string()), Some("carol".into()));
        said.push(("carol", Act::Undo { entry: EntryId(3) }));
        assert_eq!(decision(&said).state(), StudyState::Conflict, "undoing the resolution opens it again");
    }

    #[test]
    fn changing_ones_mind_agreeing_and_finishing_what_was_deferred_are_no_conflicts() {
        let deferred = Act::Study(StudyVerdict::Deferred { reason: NoteText::new("second opinion") });
        assert_eq!(decision(&[("alice", POSITIVE), ("alice", NEGATIVE)]).state(), StudyState::Negative);
        assert_eq!(decision(&[("alice", POSITIVE), ("bob", POSITIVE)]).state(), StudyState::Positive);
        assert_eq!(decision(&[("alice", deferred.clone()), ("bob", POSITIVE)]).state(), StudyState::Positive);
        assert_eq!(words(&[("alice", POSITIVE), ("bob", deferred)]), "conflict: alice positive, bob deferred");
        assert_eq!(
            decision(&[("alice", POSITIVE), ("bob", NEGATIVE), ("bob", POSITIVE)]).state(),
            StudyState::Positive,
            "bob comes to agree"
        );
    }

    #[test]
    fn levels_are_disputed_like_studies() {
        let fractured = c6(LevelVerdict::Fractured);
        let whole = c6(LevelVerdict::NotFractured);
        let said = [("alice", fractured.clone()), ("bob", whole.clone())];
        assert_eq!(words(&said), "conflict: alice C6 fractured, bob C6 not fractured");
        assert!(decision(&said).levels[CervicalLevel::C6].is_none());
        assert_eq!(decision(&said).fractured_by_anyone(), [CervicalLevel::C6]);
        let resolved =
            Act::ResolveLevel { level: CervicalLevel::C6, verdict: LevelVerdict::Fractured, agreement: None };
        let all = [said.to_vec(), vec![("bob", resolved)]].concat();
        assert_eq!(decision(&all).levels_with(LevelVerdict::Fractured), [CervicalLevel::C6]);
        assert_eq!(words(&[("alice", c6(LevelVerdict::Uncertain)), ("bob", whole)]), "", "uncertain gives way");
        let negative = [("alice", fractured.clone()), ("bob", NEGATIVE)];
        assert_eq!(words(&negative), "conflict: alice C6 fractured, bob negative");
        let settled = [negative.to_vec(), vec![("bob", Act::ResolveStudy { verdict: StudyVerdict::Negative })]];
        assert_eq!(words(&settled.concat()), "");
        assert_eq!(words(&[("alice", fractured), ("alice", NEGATIVE)]), "", "one reader's own words");
    }

    #[test]
    fn stat_and_pin_are_independent_in_old_logs_too() {
        let old = |precedence| Act::Precedence { precedence };
        let both = decision(&[("a", old(Precedence::Stat)), ("a", old(Precedence::Pinned))]);
        assert_eq!((both.stat, both.pinned), (Some(true), Some(true)), "pinning does not drop STAT");
        let unpinned = decision(&[("a", Act::Stat { stat: true }), ("a", Act::Pin { pinned: false })]);
        assert_eq!((unpinned.stat, unpinned.pinned), (Some(true), Some(false)));
        let none = decision(&[("a", Act::Pin { pinned: true }), ("a", old(Precedence::Ordinary))]);
        assert_eq!((none.stat, none.pinned), (Some(false), Some(false)));
    }
}
