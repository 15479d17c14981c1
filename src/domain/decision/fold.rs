//! What a study's log comes to.

use super::conflict::{self, Assessment, Conflict, Standing};
use super::{Act, Agreement, EntryId, LevelVerdict, LogEntry, Precedence, StudyState, StudyVerdict};
use crate::domain::{CervicalLevel, CleanText, NoteText, PerLevel, Stamp};
use std::collections::HashSet;

/// Something that holds, with the entry that says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided<T> {
    /// What.
    pub what: T,
    /// Who said it.
    pub who: CleanText,
    /// When.
    pub at: Stamp,
    /// In which entry.
    pub entry: EntryId,
}

/// A verdict on a level, and what it says of the network.
pub type LevelWord = (LevelVerdict, Option<Agreement>);

/// What is decided of a study now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// Verdicts on levels, and what they say of the network; `None` for a level in conflict.
    pub levels: PerLevel<Option<Decided<LevelWord>>>,
    /// The verdict on the study; `None` while readers contradict each other.
    pub study: Option<Decided<StudyVerdict>>,
    /// The note.
    pub note: Option<Decided<NoteText>>,
    /// Whether the study is pinned; `None` where no reader has said anything to it.
    pub pinned: Option<bool>,
    /// Whether the study is STAT; `None` where no reader has said anything to it: the request in its files decides.
    pub stat: Option<bool>,
    /// Where readers contradict each other: the study first, then its levels.
    pub conflicts: Vec<Conflict>,
}

impl Decision {
    /// What entries of one study, oldest first, come to. A reader's own last word replaces the earlier ones; what was undone was
    /// never said, and undo can be undone. Final words of two readers that differ stand both, as a [`Conflict`], until one is undone
    /// or a later entry resolves them.
    #[must_use]
    pub fn of<'e>(entries: impl IntoIterator<Item = &'e LogEntry>) -> Self {
        let mut levels: PerLevel<Standing<LevelWord>> = PerLevel::from_fn(|_| Standing::default());
        let mut study: Standing<StudyVerdict> = Standing::default();
        let mut decision = Self::default();
        for entry in in_force(entries) {
            match &entry.draft.act {
                Act::Level { level, verdict, agreement } => {
                    levels[*level].say(decided(entry, (*verdict, *agreement)), |word| word.0.is_final());
                }
                Act::ResolveLevel { level, verdict, agreement } => {
                    levels[*level].settle(decided(entry, (*verdict, *agreement)));
                }
                Act::Study(verdict) => study.say(decided(entry, verdict.clone()), StudyVerdict::is_final),
                Act::ResolveStudy { verdict } => study.settle(decided(entry, verdict.clone())),
                Act::Note { text } => decision.note = (!text.is_empty()).then(|| decided(entry, text.clone())),
                Act::Precedence { precedence } => match precedence {
                    Precedence::Ordinary => (decision.pinned, decision.stat) = (Some(false), Some(false)),
                    Precedence::Pinned => decision.pinned = Some(true),
                    Precedence::Stat => decision.stat = Some(true),
                },
                Act::Pin { pinned } => decision.pinned = Some(*pinned),
                Act::Stat { stat } => decision.stat = Some(*stat),
                Act::Undo { .. } => {}
            }
        }
        decision.conflicts = conflict::find(&study, &levels);
        let study_is_settled = decision.conflicts.iter().all(|conflict| conflict.level().is_some());
        decision.study = study.last().filter(|_| study_is_settled);
        decision.levels = PerLevel::from_fn(|level| levels[level].agreed());
        decision
    }

    /// How far the study is read.
    #[must_use]
    pub fn state(&self) -> StudyState {
        if !self.conflicts.is_empty() {
            return StudyState::Conflict;
        }
        match self.study.as_ref().map(|decided| &decided.what) {
            Some(StudyVerdict::Negative) => StudyState::Negative,
            Some(StudyVerdict::Positive) => StudyState::Positive,
            Some(StudyVerdict::Deferred { .. }) => StudyState::Deferred,
            Some(StudyVerdict::Unreadable) => StudyState::Unreadable,
            None if self.note.is_none() && self.levels.0.iter().all(Option::is_none) => StudyState::Unread,
            None => StudyState::Begun,
        }
    }

    /// The conflicts in one line: "conflict: alice positive, bob negative"; `None` if there is none.
    #[must_use]
    pub fn conflict_words(&self) -> Option<String> {
        let words: Vec<String> = self.conflicts.iter().map(ToString::to_string).collect();
        (!words.is_empty()).then(|| format!("conflict: {}", words.join("; ")))
    }

    /// Levels with this verdict, C1 first.
    #[must_use]
    pub fn levels_with(&self, verdict: LevelVerdict) -> Vec<CervicalLevel> {
        let has = |level: &CervicalLevel| self.levels[*level].as_ref().is_some_and(|decided| decided.what.0 == verdict);
        CervicalLevel::ALL.into_iter().filter(has).collect()
    }

    /// Levels that any reader calls fractured, those in conflict among them, C1 first.
    #[must_use]
    pub fn fractured_by_anyone(&self) -> Vec<CervicalLevel> {
        let fractured = |level: &CervicalLevel| {
            let own = self.levels[*level].as_ref().is_some_and(|decided| decided.what.0 == LevelVerdict::Fractured);
            let disputed = self.conflicts.iter().flat_map(|conflict| &conflict.opinions);
            let wanted = Assessment::Level(*level, LevelVerdict::Fractured);
            own || disputed.into_iter().any(|opinion| opinion.what == wanted)
        };
        CervicalLevel::ALL.into_iter().filter(fractured).collect()
    }
}

fn decided<T>(entry: &LogEntry, what: T) -> Decided<T> {
    Decided { what, who: entry.who.clone(), at: entry.at, entry: entry.id }
}

/// The entries that are not taken back, oldest first.
fn in_force<'e>(entries: impl IntoIterator<Item = &'e LogEntry>) -> Vec<&'e LogEntry> {
    let mut taken_back = HashSet::new();
    let mut kept = Vec::new();
    let mut all: Vec<&LogEntry> = entries.into_iter().collect();
    all.sort_by_key(|entry| entry.id);
    // From the end: whether an undo holds is known before what it takes back is met.
    for entry in all.into_iter().rev() {
        if taken_back.contains(&entry.id) {
            continue;
        }
        if let Act::Undo { entry: earlier } = entry.draft.act {
            taken_back.insert(earlier);
        }
        kept.push(entry);
    }
    kept.reverse();
    kept
}

/// The newest entry of a reader that can be taken back.
#[must_use]
pub fn undoable<'e>(entries: impl IntoIterator<Item = &'e LogEntry>, who: &CleanText) -> Option<&'e LogEntry> {
    let own = |entry: &&LogEntry| entry.who == *who && !matches!(entry.draft.act, Act::Undo { .. });
    in_force(entries).into_iter().rev().find(own)
}

#[cfg(test)]
mod tests {
    use super::super::{Draft, RejectionReason};
    use super::*;
    use crate::domain::Uid;
    use proptest::prelude::*;

    fn entry(id: i64, who: &str, act: Act) -> LogEntry {
        LogEntry {
            id: EntryId(id),
            who: CleanText::new(who),
            at: Stamp { utc_ms: id * 1000, offset_minutes: 0 },
            draft: Draft { study: Uid::from_file("1.2"), act, report: None, blinded: false },
        }
    }

    fn fractured(level: CervicalLevel) -> Act {
        Act::Level { level, verdict: LevelVerdict::Fractured, agreement: None }
    }

    const NEGATIVE: Act = Act::Study(StudyVerdict::Negative);

    #[test]
    fn a_readers_own_last_word_holds() {
        let log = [
            entry(1, "lm", fractured(CervicalLevel::C6)),
            entry(2, "lm", Act::Study(StudyVerdict::Positive)),
            entry(3, "lm", NEGATIVE),
        ];
        let decision = Decision::of(&log);
        assert_eq!(decision.state(), StudyState::Negative);
        assert_eq!(Decision::of(&log[..1]).state(), StudyState::Begun);
        assert_eq!(Decision::of(&log).levels_with(LevelVerdict::Fractured), [CervicalLevel::C6]);
    }

    #[test]
    fn taking_back_brings_the_word_before_and_can_be_taken_back() {
        let mut log = vec![entry(1, "lm", Act::Study(StudyVerdict::Positive)), entry(2, "lm", NEGATIVE)];
        log.push(entry(3, "lm", Act::Undo { entry: EntryId(2) }));
        assert_eq!(Decision::of(&log).state(), StudyState::Positive);
        log.push(entry(4, "lm", Act::Undo { entry: EntryId(3) }));
        assert_eq!(Decision::of(&log).state(), StudyState::Negative);
    }

    #[test]
    fn a_reader_takes_back_only_own_entries() {
        let log = [entry(1, "lm", NEGATIVE), entry(2, "kr", Act::Study(StudyVerdict::Positive))];
        assert_eq!(undoable(&log, &CleanText::new("lm")).map(|entry| entry.id), Some(EntryId(1)));
        assert!(undoable(&log, &CleanText::new("zz")).is_none());
        let undone = [log[0].clone(), entry(3, "lm", Act::Undo { entry: EntryId(1) })];
        assert!(undoable(&undone, &CleanText::new("lm")).is_none());
    }

    #[test]
    fn every_act_is_kept_as_it_was() {
        let acts = [
            Act::Level {
                level: CervicalLevel::C2,
                verdict: LevelVerdict::NotFractured,
                agreement: Some(Agreement::Rejects { reason: RejectionReason::UnfusedApophysis }),
            },
            Act::Study(StudyVerdict::Deferred { reason: NoteText::new("prior study") }),
            Act::Note { text: NoteText::new("dens\nsee sagittal") },
            Act::Precedence { precedence: Precedence::Stat },
            Act::Pin { pinned: true },
            Act::Stat { stat: false },
            Act::ResolveStudy { verdict: StudyVerdict::Negative },
            Act::ResolveLevel { level: CervicalLevel::C2, verdict: LevelVerdict::Fractured, agreement: None },
            Act::Undo { entry: EntryId(7) },
        ];
        for act in acts {
            let kept = serde_json::to_string(&act).expect("an act can be kept");
            assert_eq!(serde_json::from_str::<Act>(&kept).ok(), Some(act), "{kept}");
        }
        let kept = serde_json::to_string(&fractured(CervicalLevel::C6)).expect("an act can be kept");
        assert_eq!(kept, r#"{"act":"level","level":"C6","verdict":"fractured","agreement":null}"#);
    }

    fn any_act() -> impl Strategy<Value = Act> {
        prop_oneof![
            (0_usize..7).prop_map(|level| fractured(CervicalLevel::ALL[level])),
            Just(NEGATIVE),
            Just(Act::Study(StudyVerdict::Positive)),
            Just(Act::ResolveStudy { verdict: StudyVerdict::Unreadable }),
            any::<bool>().prop_map(|stat| Act::Stat { stat }),
            (1_i64..20).prop_map(|entry| Act::Undo { entry: EntryId(entry) }),
        ]
    }

    proptest! {
        #[test]
        fn undoing_the_last_act_brings_back_what_was(
            acts in proptest::collection::vec((any_act(), 0_usize..3), 1..20),
        ) {
            let readers = ["lm", "kr", "zz"];
            let mut log: Vec<LogEntry> =
                (1..).zip(acts).map(|(id, (act, who))| entry(id, readers[who], act)).collect();
            let last = log.len() as i64;
            let before = Decision::of(&log[..log.len() - 1]);
            log.push(entry(last + 1, "lm", Act::Undo { entry: EntryId(last) }));
            prop_assert_eq!(Decision::of(&log), before);
        }
    }
}
