//! Two readers who contradict each other, on the screens of both.

use crate::screens::decisions::{clock, queue, wanted};
use crate::screens::{keep, text};
use crate::support::model::{Session, uid};
use cspine::app::{Command, Message, PromptKey, Recorded, Remembered};
use cspine::domain::{CleanText, EntryId, LogEntry, StudyState};

/// A reader's screen with number 3 open.
fn reader(name: &str) -> Session {
    let mut session = queue((160, 45));
    session.model.reader = CleanText::new(name);
    session.send(Message::Select(uid(3))).command(Command::Open).loaded();
    session
}

/// What the first session wants kept is on disk; the others hear of it.
fn record(id: i64, session: &mut Session, others: &mut [&mut Session]) {
    let (token, draft) = wanted(session);
    let entry = LogEntry { id: EntryId(id), who: session.model.reader.clone(), at: clock(id), draft };
    session.send(Message::Recorded(Recorded::Decision { token, entry: entry.clone() }));
    for other in others {
        other.send(Message::Remembered(Remembered::Log(vec![entry.clone()])));
    }
}

fn state(session: &Session) -> StudyState {
    session.model.decisions.state(&uid(3))
}

/// A screen of alice, who knows that bob contradicts her on number 3.
pub(crate) fn disputed() -> Session {
    let (mut alice, mut bob) = (reader("alice"), reader("bob"));
    alice.assess(Command::Positive);
    record(1, &mut alice, &mut []);
    bob.assess(Command::Negative);
    record(2, &mut bob, &mut [&mut alice]);
    alice
}

#[test]
fn contradicting_assessments_are_seen_by_both_and_settled_by_a_third_entry() {
    let (mut alice, mut bob) = (reader("alice"), reader("bob"));
    alice.assess(Command::Positive);
    // Bob has not heard of it when he decides.
    record(1, &mut alice, &mut []);
    bob.assess(Command::Negative);
    record(2, &mut bob, &mut [&mut alice]);
    bob.send(Message::Remembered(Remembered::Log(alice.model.decisions.log(&uid(3)).to_vec())));
    for session in [&alice, &bob] {
        assert_eq!(state(session), StudyState::Conflict);
        let shown = text(&session.model);
        assert!(shown.contains("PHANTOM, N03: conflict: alice positive, bob negative"), "{shown}");
    }
    alice.command(Command::Close).send(Message::Select(uid(4)));
    assert_eq!(alice.order().first(), Some(&uid(3)), "at the top");
    keep("conflict_list_160x45", &text(&alice.model));
    alice.command(Command::Filter).type_text("is:conflict").key(PromptKey::Enter);
    assert_eq!(alice.order(), [uid(3)]);
    alice.command(Command::Cancel).send(Message::Select(uid(1))).send(Message::Select(uid(3)));
    alice.command(Command::Open).loaded();
    keep("conflict_160x45", &text(&alice.model));
    alice.command(Command::Positive);
    let shown = text(&alice.model);
    assert!(
        shown.contains("conflict: alice positive, bob negative: press ctrl-p again to resolve as positive"),
        "{shown}"
    );
    alice.command(Command::Positive).woken();
    record(3, &mut alice, &mut [&mut bob]);
    assert_eq!([state(&alice), state(&bob)], [StudyState::Positive; 2]);
    assert!(text(&alice.model).contains("resolved: positive · PHANTOM, N03 · saved"), "{}", text(&alice.model));
}

#[test]
fn who_contradicts_knowingly_is_told_and_stays_with_the_study() {
    let (mut alice, mut bob) = (reader("alice"), reader("bob"));
    alice.assess(Command::Positive);
    record(1, &mut alice, &mut [&mut bob]);
    bob.command(Command::Negative);
    assert!(text(&bob.model).contains("alice read it as positive: press x again to read as negative"));
    bob.command(Command::Negative).woken();
    record(2, &mut bob, &mut [&mut alice]);
    assert_eq!(bob.model.reading.as_ref().map(|reading| reading.study.uid.clone()), Some(uid(3)));
    assert!(text(&bob.model).contains("conflict: alice positive, bob negative"), "{}", text(&bob.model));
    // Undo of one of the two ends it.
    bob.command(Command::Undo);
    record(3, &mut bob, &mut [&mut alice]);
    assert_eq!([state(&alice), state(&bob)], [StudyState::Positive; 2]);
}

#[test]
fn a_level_in_conflict_is_settled_before_the_study() {
    let (mut alice, mut bob) = (reader("alice"), reader("bob"));
    for session in [&mut alice, &mut bob] {
        session.command(Command::Level(cspine::domain::CervicalLevel::C6));
    }
    alice.command(Command::Fractured);
    record(1, &mut alice, &mut []);
    bob.command(Command::NotFractured);
    record(2, &mut bob, &mut [&mut alice]);
    assert_eq!(state(&alice), StudyState::Conflict);
    alice.command(Command::Positive);
    let shown = text(&alice.model);
    assert!(shown.contains("C6 is in conflict (alice C6 fractured, bob C6 not fractured)"), "{shown}");
    alice.command(Command::Fractured);
    assert!(text(&alice.model).contains("press f again to resolve C6 as fractured"), "{}", text(&alice.model));
    alice.command(Command::Fractured).woken();
    record(3, &mut alice, &mut [&mut bob]);
    assert_eq!(state(&alice), StudyState::Begun);
}
