//! What a study's log comes to.

use super::{Act, Agreement, EntryId, LevelVerdict, LogEntry, Precedence, StudyVerdict};
use crate::domain::{CervicalLevel, CleanText, PerLevel, Stamp};
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
    /// Verdicts on levels, and what they say of the network.
    pub levels: PerLevel<Option<Decided<LevelWord>>>,
    /// The verdict on the study.
    pub study: Option<Decided<StudyVerdict>>,
    /// The note.
    pub note: Option<Decided<CleanText>>,
    /// Whether the study goes before others; `None` where no reader has said anything to it.
    pub precedence: Option<Precedence>,
}

/// How far a study is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the states")]
pub enum StudyState {
    Unread,
    /// Levels are decided or a note is made, the study is not.
    Begun,
    Negative,
    Positive,
    Deferred,
    Unreadable,
}

impl StudyState {
    /// All.
    pub const ALL: [Self; 6] =
        [Self::Unread, Self::Begun, Self::Negative, Self::Positive, Self::Deferred, Self::Unreadable];

    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Begun => "begun",
            Self::Negative => "negative",
            Self::Positive => "positive",
            Self::Deferred => "deferred",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether nobody needs to open the study again.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Negative | Self::Positive | Self::Unreadable)
    }
}

impl Decision {
    /// What entries of one study, oldest first, come to. The last word on a thing holds, whoever said it; what was taken back
    /// was never said, and taking back can be taken back.
    #[must_use]
    pub fn of<'e>(entries: impl IntoIterator<Item = &'e LogEntry>) -> Self {
        let mut decision = Self::default();
        for entry in in_force(entries) {
            decision.take(entry);
        }
        decision
    }

    fn take(&mut self, entry: &LogEntry) {
        match &entry.draft.act {
            Act::Level { level, verdict, agreement } => {
                self.levels[*level] = Some(decided(entry, (*verdict, *agreement)));
            }
            Act::Study(verdict) => self.study = Some(decided(entry, verdict.clone())),
            Act::Note { text } => self.note = (!text.is_empty()).then(|| decided(entry, text.clone())),
            Act::Precedence { precedence } => self.precedence = Some(*precedence),
            Act::Undo { .. } => {}
        }
    }

    /// How far the study is read.
    #[must_use]
    pub fn state(&self) -> StudyState {
        match self.study.as_ref().map(|decided| &decided.what) {
            Some(StudyVerdict::Negative) => StudyState::Negative,
            Some(StudyVerdict::Positive) => StudyState::Positive,
            Some(StudyVerdict::Deferred { .. }) => StudyState::Deferred,
            Some(StudyVerdict::Unreadable) => StudyState::Unreadable,
            None if self.note.is_none() && self.levels.0.iter().all(Option::is_none) => StudyState::Unread,
            None => StudyState::Begun,
        }
    }

    /// Levels with this verdict, C1 first.
    #[must_use]
    pub fn levels_with(&self, verdict: LevelVerdict) -> Vec<CervicalLevel> {
        let has = |level: &CervicalLevel| self.levels[*level].as_ref().is_some_and(|decided| decided.what.0 == verdict);
        CervicalLevel::ALL.into_iter().filter(has).collect()
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
    fn the_last_word_holds_and_says_whose_it_is() {
        let log = [
            entry(1, "lm", fractured(CervicalLevel::C6)),
            entry(2, "lm", Act::Study(StudyVerdict::Positive)),
            entry(3, "kr", NEGATIVE),
        ];
        let decision = Decision::of(&log);
        assert_eq!(decision.state(), StudyState::Negative);
        assert_eq!(decision.study.map(|study| study.who.to_string()), Some("kr".into()));
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
            Act::Study(StudyVerdict::Deferred { reason: CleanText::new("prior study") }),
            Act::Note { text: CleanText::new("dens, see sagittal") },
            Act::Precedence { precedence: Precedence::Stat },
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
            (1_i64..20).prop_map(|entry| Act::Undo { entry: EntryId(entry) }),
        ]
    }

    proptest! {
        #[test]
        fn undoing_the_last_act_brings_back_what_was(acts in proptest::collection::vec(any_act(), 1..20)) {
            let mut log: Vec<LogEntry> = (1..).zip(acts).map(|(id, act)| entry(id, "lm", act)).collect();
            let last = log.len() as i64;
            let before = Decision::of(&log[..log.len() - 1]);
            log.push(entry(last + 1, "lm", Act::Undo { entry: EntryId(last) }));
            prop_assert_eq!(Decision::of(&log), before);
        }
    }
}
