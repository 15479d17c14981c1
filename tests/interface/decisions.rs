//! What a reader's keys decide, and when the screen says so: whole sessions without a disk or a thread.

use crate::support::model;
use cspine::app::{Command, Effect, Message, PromptKey, Record, RecordFailure, Recorded, Remembered, Token};
use cspine::config::Keymap;
use cspine::domain::{
    Act, Agreement, Analysis, CervicalLevel, CleanText, Completeness, Draft, EntryId, LevelVerdict, LogEntry, NoteText,
    Precedence, RejectionReason, Stamp, StudyState, StudyVerdict, Uid,
};
use cspine::theme::Theme;
use cspine::ui::{self, Look};
use model::{BROKEN, Session, WHOLE, key_slice, plain, report, uid};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const SIZE: (u16, u16) = (120, 32);

/// A store that is nothing but a list.
#[derive(Default)]
struct Disk(Vec<LogEntry>);

impl Disk {
    /// Keeps what the last message wanted kept, and answers; whether there was something.
    fn keep(&mut self, session: &mut Session) -> bool {
        let records: Vec<(Token, Draft)> = wanted(session);
        for (token, draft) in &records {
            let id = EntryId(self.0.len() as i64 + 1);
            let at = Stamp { utc_ms: 1_795_596_936_000 + id.0 * 1000, offset_minutes: 60 };
            let entry = LogEntry { id, who: session.model.reader.clone(), at, draft: draft.clone() };
            self.0.push(entry.clone());
            session.send(Message::Recorded(Recorded::Decision { token: *token, entry }));
        }
        !records.is_empty()
    }
}

fn wanted(session: &Session) -> Vec<(Token, Draft)> {
    let records = session.effects.iter().filter_map(|effect| match effect {
        Effect::Record(Record::Decision { token, draft }) => Some((*token, draft.clone())),
        _ => None,
    });
    records.collect()
}

/// Three analysed studies: 1 broken, 2 and 3 whole; number 1 is open on its key slice of C6.
fn session() -> Session {
    let mut session = Session::with_network(SIZE);
    session.model.reader = CleanText::new("lm");
    for n in 1..=3 {
        session.found(plain(n));
    }
    session.scanned(420).analysed(1, 140, BROKEN).analysed(2, 140, WHOLE).analysed(3, 140, WHOLE);
    session.command(Command::OpenMostUrgent).loaded();
    session
}

fn open(session: &Session) -> Option<Uid> {
    session.model.reading.as_ref().map(|reading| reading.study.uid.clone())
}

fn state(session: &Session, n: usize) -> StudyState {
    session.model.decisions.state(&uid(n))
}

#[test]
fn a_verdict_holds_once_it_is_on_disk_and_not_before() {
    let (mut session, mut disk) = (session(), Disk::default());
    session.command(Command::Fractured);
    let act = Act::Level { level: CervicalLevel::C6, verdict: LevelVerdict::Fractured, agreement: None };
    assert_eq!(wanted(&session)[0].1.act, act, "the level at the cursor");
    assert!(session.model.decisions.of(&uid(1)).is_none(), "not made yet");
    assert_eq!(session.model.decisions.pending().len(), 1);
    disk.keep(&mut session);
    assert!(session.model.decisions.pending().is_empty());
    let decision = session.model.decisions.of(&uid(1)).expect("a decision");
    assert_eq!(decision.levels_with(LevelVerdict::Fractured), [CervicalLevel::C6]);
    let on = disk.0[0].draft.report.as_ref().expect("the report that was there");
    assert_eq!((on.model.as_str(), on.levels[CervicalLevel::C6].map(|p| p.percent())), ("phantom-b0", Some(81)));
}

#[test]
fn where_two_levels_show_the_key_slice_decides_or_the_reader_is_asked() {
    let mut session = session();
    let mut both = (*report(1, 140, BROKEN, Completeness::Final)).clone();
    for slice in &mut both.slices {
        slice.score.vertebra[CervicalLevel::C5] = both.overall;
    }
    session.send(Message::Worker(cspine::inference::WorkerEvent::Finished {
        study: uid(1),
        series: 0,
        analysis: Analysis::Analysed(std::sync::Arc::new(both)),
    }));
    session.command(Command::Fractured);
    let act = Act::Level { level: CervicalLevel::C6, verdict: LevelVerdict::Fractured, agreement: None };
    assert_eq!(wanted(&session)[0].1.act, act, "C6's key slice, though C5 shows more clearly");
    session.command(Command::SliceDown).command(Command::Fractured);
    assert!(wanted(&session).is_empty() && session.model.prompt.is_some(), "which level? is asked");
}

#[test]
fn a_verdict_on_the_study_opens_the_next_most_urgent_one() {
    let (mut session, mut disk) = (session(), Disk::default());
    session.assess(Command::Positive);
    assert_eq!(open(&session), Some(uid(1)), "not before it is kept");
    disk.keep(&mut session);
    assert_eq!((state(&session, 1), open(&session)), (StudyState::Positive, Some(uid(2))));
    session.loaded().assess(Command::Negative);
    disk.keep(&mut session);
    assert_eq!(open(&session), Some(uid(3)));
    session.loaded().assess(Command::StudyUnreadable);
    disk.keep(&mut session);
    assert_eq!(open(&session), None, "nothing waits any more");
    assert_eq!(session.order(), [1, 2, 3].map(uid), "what is read lies below, most urgent first");
}

#[test]
fn a_failure_stays_until_it_is_acknowledged_and_can_be_tried_again() {
    let (mut session, mut disk) = (session(), Disk::default());
    session.assess(Command::Positive);
    let (token, draft) = wanted(&session)[0].clone();
    let record = Record::Decision { token, draft };
    let failure = RecordFailure { record: record.clone(), problem: "the disk is full".into() };
    session.send(Message::RecordFailed(failure.clone()));
    session.command(Command::SliceDown).command(Command::SliceUp);
    assert!(session.model.decisions.unsaved().is_some(), "other keys do not take it away");
    assert_eq!((state(&session, 1), open(&session)), (StudyState::Unread, Some(uid(1))));
    session.command(Command::Quit);
    assert!(!session.effects.iter().any(|effect| matches!(effect, Effect::Quit)), "nobody leaves unwarned");
    session.command(Command::SaveAgain);
    assert!(disk.keep(&mut session));
    assert_eq!(state(&session, 1), StudyState::Positive);
    session.loaded().assess(Command::Negative);
    let (token, draft) = wanted(&session)[0].clone();
    let record = Record::Decision { token, draft };
    session.send(Message::RecordFailed(RecordFailure { record, ..failure })).command(Command::Acknowledge);
    assert!(session.model.decisions.pending().is_empty());
    assert_eq!(state(&session, 2), StudyState::Unread);
}

#[test]
fn undo_is_an_entry_and_leads_back_to_its_study() {
    let (mut session, mut disk) = (session(), Disk::default());
    session.assess(Command::Positive);
    disk.keep(&mut session);
    session.loaded();
    assert_eq!(open(&session), Some(uid(2)));
    session.command(Command::Undo);
    disk.keep(&mut session);
    assert_eq!((state(&session, 1), open(&session)), (StudyState::Unread, Some(uid(1))));
    assert_eq!(disk.0.len(), 2, "the log only grows");
    session.loaded().command(Command::Undo);
    assert!(wanted(&session).is_empty(), "nothing is left to take back");
}

#[test]
fn agreeing_and_disagreeing_take_one_key_and_a_rejected_alarm_one_more() {
    let (mut session, mut disk) = (session(), Disk::default());
    session.command(Command::Agree);
    disk.keep(&mut session);
    session.command(Command::Level(CervicalLevel::C2)).command(Command::Disagree);
    assert!(wanted(&session).is_empty(), "an alert is rejected with a reason");
    session.type_text("6");
    disk.keep(&mut session);
    session.command(Command::Level(CervicalLevel::C3)).command(Command::Disagree);
    disk.keep(&mut session);
    let level =
        |level| session.model.decisions.of(&uid(1)).and_then(|d| d.levels[level].clone()).expect("decided").what;
    assert_eq!(level(CervicalLevel::C6), (LevelVerdict::Fractured, Some(Agreement::Agrees)));
    let reason = RejectionReason::PostOperative;
    assert_eq!(level(CervicalLevel::C2), (LevelVerdict::NotFractured, Some(Agreement::Rejects { reason })));
    assert_eq!(level(CervicalLevel::C3), (LevelVerdict::Fractured, Some(Agreement::Adds)));
    session.assess(Command::Negative);
    assert!(wanted(&session).is_empty(), "a study with a fractured level is not negative");
}

#[test]
fn where_the_level_is_not_known_it_is_asked_for() {
    let mut session = Session::with_network(SIZE);
    session.found(plain(1)).scanned(140).command(Command::Open).loaded().command(Command::Uncertain);
    assert!(session.model.prompt.is_some());
    session.type_text("9");
    assert!(session.model.prompt.is_some(), "there is no C9");
    session.type_text("7");
    let act = Act::Level { level: CervicalLevel::C7, verdict: LevelVerdict::Uncertain, agreement: None };
    assert_eq!(wanted(&session)[0].1.act, act);
}

#[test]
fn a_study_is_put_off_with_a_reason_and_a_note_stays_with_it() {
    let (mut session, mut disk) = (session(), Disk::default());
    session.command(Command::Note).type_text("dens, see sagittal").key(PromptKey::Enter);
    disk.keep(&mut session);
    session.command(Command::Defer).type_text("ask neuro").key(PromptKey::Enter);
    disk.keep(&mut session);
    let decision = session.model.decisions.of(&uid(1)).expect("a decision");
    let reason = NoteText::new("ask neuro");
    assert_eq!(decision.study.as_ref().map(|study| &study.what), Some(&StudyVerdict::Deferred { reason }));
    assert_eq!(decision.note.as_ref().map(|note| note.what.as_str()), Some("dens, see sagittal"));
    assert_eq!(open(&session), Some(uid(2)));
    assert_eq!(session.order(), [2, 3, 1].map(uid), "what is put off waits below");
    session.command(Command::Close).send(Message::Select(uid(3))).command(Command::Defer).key(PromptKey::Escape);
    assert!(wanted(&session).is_empty(), "escape decides nothing");
}

#[test]
fn an_annotation_that_is_not_saved_stands_out_until_it_is_or_is_let_go() {
    let mut session = session();
    session.loaded().command(Command::KeyImage);
    let record = session.effects.iter().find_map(|effect| match effect {
        Effect::Record(record @ Record::Annotation { .. }) => Some(record.clone()),
        _ => None,
    });
    let record = record.expect("a key image to keep");
    let failure = RecordFailure { record: record.clone(), problem: "the disk is full: make room".into() };
    session.send(Message::RecordFailed(failure.clone()));
    let shown = |session: &Session| {
        let mut terminal = Terminal::new(TestBackend::new(120, 32)).expect("a screen");
        let (theme, keymap) = (Theme::default(), Keymap::builtin());
        let look = Look { theme: &theme, keymap: &keymap };
        terminal.draw(|frame| drop(ui::draw(frame, &session.model, look))).expect("a drawn screen");
        terminal.backend().to_string()
    };
    let stands_out =
        |session: &Session| shown(session).contains("NOT SAVED: key image 1 (the disk is full: make room)");
    // Whatever is done meanwhile.
    session.command(Command::Help).command(Command::Help).command(Command::Close);
    assert!(stands_out(&session), "{}", shown(&session));
    let leaves = |session: &mut Session| {
        session.command(Command::Quit);
        session.effects.iter().any(|effect| matches!(effect, Effect::Quit))
    };
    assert!(!leaves(&mut session), "nobody leaves without being told");
    session.command(Command::SaveAgain);
    let again = session.effects.iter().any(|effect| matches!(effect, Effect::Record(again) if *again == record));
    assert!(again && !stands_out(&session));
    session.send(Message::RecordFailed(failure));
    assert!(stands_out(&session), "it failed again");
    session.command(Command::Acknowledge);
    assert!(!stands_out(&session) && leaves(&mut session));
}

#[test]
fn pinned_and_stat_studies_stand_on_top_until_they_are_read() {
    let (mut session, mut disk) = (session(), Disk::default());
    session.command(Command::Close).send(Message::Select(uid(3))).command(Command::Pin);
    disk.keep(&mut session);
    session.send(Message::Select(uid(2))).command(Command::Stat);
    disk.keep(&mut session);
    assert_eq!(session.order(), [2, 3, 1].map(uid));
    session.command(Command::Stat);
    disk.keep(&mut session);
    assert_eq!(session.order(), [3, 1, 2].map(uid));
    let stands = |session: &Session| session.model.worklist.entry(&uid(3)).map(|entry| entry.precedence_words());
    assert_eq!(stands(&session), Some("pinned"));
    session.send(Message::Select(uid(3))).command(Command::Stat);
    disk.keep(&mut session);
    session.command(Command::Pin);
    disk.keep(&mut session);
    assert_eq!(stands(&session), Some("STAT"), "unpinning does not drop STAT");
    session.command(Command::Pin);
    disk.keep(&mut session);
    assert_eq!(stands(&session), Some("STAT pinned"), "nor does pinning");
}

#[test]
fn a_study_whose_request_says_so_stands_on_top_until_a_reader_says_otherwise() {
    let (mut session, mut disk) = (session(), Disk::default());
    session.command(Command::Close);
    let asked = cspine::domain::Study { precedence: Precedence::Stat, ..plain(3) };
    session.found(asked.clone());
    assert_eq!(session.order(), [3, 1, 2].map(uid));
    // The key that makes a study STAT takes that away, too; what the files ask for stays beneath it.
    session.send(Message::Select(uid(3))).command(Command::Stat);
    disk.keep(&mut session);
    assert_eq!(session.order(), [1, 2, 3].map(uid));
    session.found(asked);
    assert_eq!(session.order(), [1, 2, 3].map(uid), "a scan does not talk a reader down");
    session.command(Command::Undo);
    disk.keep(&mut session);
    assert_eq!(session.order(), [3, 1, 2].map(uid));
}

#[test]
fn waiting_adds_to_urgency_by_the_rule_that_is_shown() {
    let mut session = Session::with_network(SIZE);
    let at = |hours: i64| Message::Clock(Stamp { utc_ms: 1_795_596_936_000 + hours * 3_600_000, offset_minutes: 0 });
    session.send(at(0)).found(plain(1)).analysed(1, 140, WHOLE);
    session.send(at(10)).found(plain(2)).analysed(2, 140, [Some(0.05); 7]);
    assert_eq!(session.order(), [1, 2].map(uid), "10 hours are 20 points");
    session.model.set_aging(cspine::app::Aging { points_per_hour: 0.0 });
    assert_eq!(session.order(), [2, 1].map(uid));
}

#[test]
fn a_filter_takes_states_levels_dates_and_models() {
    let (mut session, mut disk) = (session(), Disk::default());
    session.command(Command::Defer).type_text("later").key(PromptKey::Enter);
    disk.keep(&mut session);
    session.command(Command::Close);
    for (filter, shown) in [
        ("state:deferred", vec![1]),
        ("state:unread n03", vec![3]),
        ("level:c2", vec![1]),
        ("level:c1", vec![]),
        ("date:2026-11", vec![2, 3, 1]),
        ("date:2025", vec![]),
        ("model:phantom", vec![2, 3, 1]),
        ("state:deferred level:c2 date:2026-11 model:phantom", vec![1]),
        ("state:urgent", vec![1]),
    ] {
        session.command(Command::Filter).type_text(filter);
        assert_eq!(session.order(), shown.into_iter().map(uid).collect::<Vec<_>>(), "{filter}");
        session.key(PromptKey::Escape);
    }
}

#[test]
fn blinded_the_networks_word_is_hidden_until_a_first_verdict_and_both_are_kept() {
    let mut session = Session::with_network(SIZE);
    session.model.reader = CleanText::new("kr");
    session.model.blinded = true;
    let mut disk = Disk::default();
    session.found(plain(1)).found(plain(2)).scanned(280).analysed(2, 140, BROKEN).analysed(1, 140, WHOLE);
    assert_eq!(session.order(), [1, 2].map(uid), "the order tells nothing");
    session.send(Message::Select(uid(2))).command(Command::Open).loaded();
    let entry = session.model.worklist.entry(&uid(2)).expect("an entry");
    assert!(entry.report().is_none() && !entry.is_alert());
    session.command(Command::NextSuspicion).command(Command::Agree).type_text("6");
    assert!(wanted(&session).is_empty(), "nothing to agree with");
    session.assess(Command::Negative);
    disk.keep(&mut session);
    assert_eq!(open(&session), Some(uid(2)), "the reader sees what the network says");
    assert!(session.model.worklist.entry(&uid(2)).expect("an entry").report().is_some());
    assert!(session.model.worklist.entry(&uid(1)).expect("an entry").report().is_none());
    session.assess(Command::Positive);
    disk.keep(&mut session);
    let kept: Vec<_> = disk.0.iter().map(|entry| (entry.draft.act.to_string(), entry.draft.blinded)).collect();
    assert_eq!(kept, [("negative".to_owned(), true), ("positive".to_owned(), false)]);
    assert!(disk.0[0].draft.report.is_some(), "what the network said is kept with the blinded assessment");
}

#[test]
fn what_others_decide_and_have_open_is_seen() {
    let mut session = session();
    let draft = Draft { study: uid(2), act: Act::Study(StudyVerdict::Negative), report: None, blinded: false };
    let at = Stamp { utc_ms: 1_795_596_936_000, offset_minutes: 0 };
    let entry = LogEntry { id: EntryId(9), who: CleanText::new("kr"), at, draft };
    session.send(Message::Remembered(Remembered::Log(vec![entry.clone(), entry])));
    assert_eq!((state(&session, 2), session.model.decisions.log(&uid(2)).len()), (StudyState::Negative, 1));
    session.send(Message::Remembered(Remembered::OpenElsewhere(vec![(uid(3), "kr".into())])));
    session.assess(Command::Positive);
    Disk::default().keep(&mut session);
    assert_eq!(open(&session), None, "2 is read and 3 is open elsewhere");
}

#[test]
fn a_preliminary_report_is_kept_as_one() {
    let mut session = Session::with_network(SIZE);
    session.found(plain(1)).scanned(140).started(1);
    session.partial(1, report(1, 140, BROKEN, Completeness::Preliminary { done: 70, total: 140 }));
    session.command(Command::Open).loaded().assess(Command::Positive);
    assert!(wanted(&session)[0].1.report.as_ref().is_some_and(|on| on.preliminary));
    session.finished(1, Analysis::Analysed(report(1, 140, BROKEN, Completeness::Final)));
    assert_eq!(key_slice(CervicalLevel::C1, 140), 10);
}

#[test]
fn reading_goes_on_where_it_was() {
    let mut session = session();
    session.command(Command::SliceDown).command(Command::NextPlane).command(Command::SliceDown).command(Command::Close);
    let kept = session.effects.iter().find_map(|effect| match effect {
        Effect::Record(Record::Position { study, position }) => Some((study.clone(), position.clone())),
        _ => None,
    });
    let (study, position) = kept.expect("the place is kept when the study is left");
    assert_eq!(study, uid(1));
    // The next login.
    let mut session = Session::with_network(SIZE);
    session.send(Message::Remembered(Remembered::LastRead(uid(1)))).found(plain(2)).found(plain(1)).scanned(280);
    session.analysed(1, 140, BROKEN);
    assert_eq!(session.selected(), uid(1), "it is offered");
    session.command(Command::Open).send(Message::Remembered(Remembered::Position(study, position.clone()))).loaded();
    let reading = session.model.reading.as_ref().expect("open");
    assert_eq!(reading.position(), Some(position));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is pressed, and whenever the disk answers: what the screen holds is what the disk holds.
    #[test]
    fn the_screen_holds_what_the_disk_holds(keys in proptest::collection::vec((0_usize..12, any::<bool>()), 1..40)) {
        let (mut session, mut disk) = (session(), Disk::default());
        let commands = [
            Command::Fractured, Command::NotFractured, Command::Agree, Command::Positive, Command::Negative,
            Command::Undo, Command::SliceDown, Command::NextStudy, Command::OpenMostUrgent, Command::Close,
            Command::Stat, Command::Uncertain,
        ];
        for (key, fails) in keys {
            session.command(commands[key]);
            session.model.prompt = None;
            if fails {
                for (token, draft) in wanted(&session) {
                    let record = Record::Decision { token, draft };
                    session.send(Message::RecordFailed(RecordFailure { record, problem: "full".into() }));
                }
            } else {
                disk.keep(&mut session);
            }
            for n in 1..=3 {
                let log: Vec<_> = disk.0.iter().filter(|entry| entry.draft.study == uid(n)).cloned().collect();
                prop_assert_eq!(session.model.decisions.log(&uid(n)), &log);
                prop_assert_eq!(state(&session, n), cspine::domain::Decision::of(&log).state());
            }
        }
    }
}
