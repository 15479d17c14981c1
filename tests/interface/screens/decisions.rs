//! Decisions on the screen: being saved, saved, not saved, others', blinded.

use crate::screens::{keep, text};
use crate::support::model::{BROKEN, Session, WHOLE, plain, uid};
use cspine::app::{Command, Effect, Message, Record, RecordFailure, Recorded, Remembered, Token};
use cspine::domain::{CervicalLevel, CleanText, Draft, EntryId, LogEntry, Precedence, Stamp};

pub(crate) fn clock(minutes: i64) -> Stamp {
    Stamp { utc_ms: 1_795_596_936_000 + minutes * 60_000, offset_minutes: 60 }
}

/// Four analysed studies, the clock at 09:55.
pub(crate) fn queue(size: (u16, u16)) -> Session {
    let mut session = Session::with_network(size);
    session.model.reader = CleanText::new("lm");
    session.send(Message::Clock(clock(0)));
    for n in 1..=4 {
        session.found(plain(n)).analysed(n, 140, if n < 3 { BROKEN } else { WHOLE });
    }
    session.scanned(560);
    session
}

pub(crate) fn wanted(session: &Session) -> (Token, Draft) {
    let wanted = session.effects.iter().find_map(|effect| match effect {
        Effect::Record(Record::Decision { token, draft }) => Some((*token, draft.clone())),
        _ => None,
    });
    wanted.expect("something to keep")
}

/// What was wanted kept is on disk.
pub(crate) fn kept(session: &mut Session, id: i64) {
    let asked = wanted(session);
    on_disk(session, asked, id);
}

pub(crate) fn on_disk(session: &mut Session, (token, draft): (Token, Draft), id: i64) {
    let entry = LogEntry { id: EntryId(id), who: session.model.reader.clone(), at: clock(id), draft };
    session.send(Message::Recorded(Recorded::Decision { token, entry }));
}

#[test]
fn a_study_that_was_asked_for_as_stat_says_so() {
    let mut session = queue((120, 30));
    session.found(cspine::domain::Study { precedence: Precedence::Stat, ..plain(4) });
    each("requested", &mut session);
    let shown = text(&session.model);
    assert!(shown.contains("STAT by its request"), "{shown}");
}

fn each(name: &str, session: &mut Session) {
    for (width, height) in [(120, 30), (80, 24)] {
        session.send(Message::Resized(width, height));
        keep(&format!("decision_{name}_{width}x{height}"), &text(&session.model));
    }
}

#[test]
fn a_decision_is_being_saved_then_saved() {
    let mut session = queue((120, 30));
    session.command(Command::OpenMostUrgent).loaded().command(Command::Fractured);
    let asked = wanted(&session);
    each("saving", &mut session);
    let shown = text(&session.model);
    assert!(!shown.contains('✗'), "nothing is shown as made:\n{shown}");
    on_disk(&mut session, asked, 1);
    session.command(Command::Level(CervicalLevel::C2)).command(Command::Disagree);
    each("reasons", &mut session);
    session.type_text("3");
    kept(&mut session, 2);
    session.command(Command::Note).type_text("dens, see sagittal");
    session.key(cspine::app::PromptKey::Enter);
    kept(&mut session, 3);
    each("levels", &mut session);
    session.assess(Command::Positive);
    kept(&mut session, 4);
    session.loaded().command(Command::Defer);
    each("defer", &mut session);
    session.type_text("ask neuro").key(cspine::app::PromptKey::Enter);
    kept(&mut session, 5);
    session.command(Command::Close).send(Message::Remembered(Remembered::OpenElsewhere(vec![(uid(4), "kr".into())])));
    session.command(Command::Bottom).command(Command::Stat);
    kept(&mut session, 6);
    session.model.notice = None;
    each("list", &mut session);
}

#[test]
fn what_is_not_saved_says_so_until_it_is_acknowledged() {
    let mut session = queue((120, 30));
    session.command(Command::OpenMostUrgent).loaded().assess(Command::Positive);
    let (token, draft) = wanted(&session);
    let problem = "the disk that holds /data/store.sqlite is full: make room there".into();
    session.send(Message::RecordFailed(RecordFailure { record: Record::Decision { token, draft }, problem }));
    session.command(Command::SliceDown);
    each("not_saved", &mut session);
    session.command(Command::Close).command(Command::Quit);
    each("not_saved_list", &mut session);
    let no_store = "/data cannot be used (read-only file system): make it yours";
    let mut session = queue((120, 30));
    session.send(Message::Remembered(Remembered::Unavailable(no_store.into())));
    each("no_store", &mut session);
}

#[test]
fn blinded_reading_shows_nothing_of_the_network() {
    let mut session = queue((120, 30));
    session.model.blinded = true;
    for n in 1..=4 {
        session.found(plain(n));
    }
    each("blinded_list", &mut session);
    session.command(Command::Open).loaded();
    each("blinded", &mut session);
    let shown = text(&session.model);
    assert!(!shown.contains('%') && !shown.contains('!'), "{shown}");
    session.assess(Command::Negative);
    kept(&mut session, 1);
    each("blinded_after", &mut session);
}
