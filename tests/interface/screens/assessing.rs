//! Receipts, the second key, the dwell rule, and what Esc ends.

use crate::screens::decisions::{kept, on_disk, queue, wanted};
use crate::screens::{keep, text};
use crate::support::model::{BROKEN, Session, WHOLE, plain, uid};
use cspine::app::{Command, Effect, Message, PromptKey, Record, Screen};
use cspine::domain::CervicalLevel;
use std::time::Duration;

/// The line at the bottom of the screen.
fn bottom(session: &Session) -> String {
    text(&session.model).lines().last().unwrap_or_default().trim().to_owned()
}

fn records(session: &Session) -> usize {
    session.effects.iter().filter(|effect| matches!(effect, Effect::Record(Record::Decision { .. }))).count()
}

fn open(session: &Session) -> Option<cspine::domain::Uid> {
    session.model.reading.as_ref().map(|reading| reading.study.uid.clone())
}

#[test]
fn every_decision_leaves_a_receipt_until_the_next_key() {
    let mut session = queue((160, 45));
    session.command(Command::OpenMostUrgent).loaded().command(Command::Fractured);
    let asked = wanted(&session);
    session.command(Command::SliceDown);
    assert_eq!(bottom(&session), "saving … C6 fractured · PHANTOM, N01");
    on_disk(&mut session, asked, 1);
    assert_eq!(bottom(&session), "C6 fractured · PHANTOM, N01 · saved 09:56 · u undo");
    session.command(Command::SliceUp);
    assert!(!bottom(&session).contains("saved"), "{}", bottom(&session));
    session.assess(Command::Positive);
    kept(&mut session, 2);
    session.loaded();
    assert_eq!(open(&session), Some(uid(2)));
    assert_eq!(bottom(&session), "positive · PHANTOM, N01 · saved 09:57 · u undo", "the previous patient");
    keep("receipt_160x45", &text(&session.model));
    session.command(Command::Undo);
    kept(&mut session, 3);
    assert_eq!(bottom(&session), "undone: positive · PHANTOM, N01 · saved 09:58");
    session.loaded().command(Command::ToggleIdentity).command(Command::Uncertain);
    if session.model.prompt.is_some() {
        session.type_text("6");
    }
    kept(&mut session, 4);
    assert!(bottom(&session).starts_with("C6 uncertain · patient hidden · saved"), "{}", bottom(&session));
}

#[test]
fn a_negative_assessment_of_an_alert_asks_for_its_key_again() {
    let mut session = queue((120, 30));
    session.command(Command::OpenMostUrgent).loaded().command(Command::Negative);
    assert_eq!(records(&session), 0);
    assert_eq!(bottom(&session), "alert at 90 %: press x again to read as negative; any other key cancels");
    keep("second_key_120x30", &text(&session.model));
    session.command(Command::SliceDown);
    assert_eq!(records(&session), 0);
    assert_eq!(bottom(&session), "not recorded: negative");
    session.command(Command::Negative).command(Command::Cancel);
    assert_eq!((session.model.screen(), bottom(&session).as_str()), (Screen::Reading, "not recorded: negative"));
    session.command(Command::Negative).command(Command::Negative).woken();
    assert_eq!(records(&session), 1, "the second key, once it is let go");
    kept(&mut session, 1);
    assert_eq!(open(&session), Some(uid(2)));
}

#[test]
fn another_key_right_after_the_second_one_takes_nothing_back() {
    let mut session = queue((120, 30));
    session.command(Command::OpenMostUrgent).loaded().command(Command::Negative).command(Command::Negative);
    session.command(Command::SliceDown);
    assert_eq!(records(&session), 1, "the key is not held if another one follows");
}

#[test]
fn a_flagged_level_asks_too_and_a_quiet_study_does_not() {
    let mut session = queue((120, 30));
    let flagged = [Some(0.01), Some(0.35), Some(0.02), Some(0.01), Some(0.06), Some(0.01), Some(0.01)];
    session.found(plain(5)).analysed(5, 140, flagged);
    session.send(Message::Select(uid(5))).command(Command::Open).loaded().command(Command::Negative);
    assert!(bottom(&session).starts_with("C2 flagged: press x again"), "{}", bottom(&session));
    session.command(Command::Close).send(Message::Select(uid(3))).command(Command::Open).loaded();
    session.command(Command::Negative);
    assert_eq!(records(&session), 1);
}

#[test]
fn final_assessments_ask_again_before_two_seconds_and_before_images() {
    for (command, key) in
        [(Command::Negative, "x"), (Command::Positive, "ctrl-p"), (Command::StudyUnreadable, "ctrl-r")]
    {
        let mut session = queue((120, 30));
        session.send(Message::Select(uid(3))).command(Command::Open).command(command);
        assert!(bottom(&session).starts_with(&format!("its images are not shown yet: press {key} again")));
        assert_eq!(records(&session), 0);
        session.command(Command::ToggleTexts);
        let volume = crate::support::model::volume(&plain(3).series[0]);
        let result = Ok(std::sync::Arc::new(volume));
        session.send(Message::VolumeLoaded { study: uid(3), series: 0, result }).command(command);
        assert!(bottom(&session).starts_with("its images are not shown yet"), "loaded is not shown");
        session.command(Command::ToggleTexts).send(Message::ImagesShown);
        session.pace = Duration::from_millis(1900);
        session.command(command);
        assert!(bottom(&session).starts_with(&format!("opened less than two seconds ago: press {key} again")));
        session.command(Command::ToggleTexts).command(command);
        assert_eq!(records(&session), 1, "{key}: two seconds are over");
    }
}

#[test]
fn a_held_key_never_confirms_itself() {
    let mut session = queue((120, 30));
    session.command(Command::OpenMostUrgent).loaded();
    // As a terminal without the keyboard protocol sends a held key: the first repeat after half a second, then 30 a second.
    session.command(Command::Negative);
    session.pace = Duration::from_millis(500);
    session.command(Command::Negative);
    let serial = session.effects.iter().find_map(|effect| match effect {
        Effect::Wake(serial, _) => Some(*serial),
        _ => None,
    });
    session.pace = Duration::from_millis(33);
    for _ in 0..100 {
        session.command(Command::Negative);
        assert!(records(&session) == 0 && !session.effects.iter().any(|effect| matches!(effect, Effect::Wake(..))));
    }
    session.send(Message::Woken(serial.expect("a timer")));
    assert_eq!(records(&session), 0, "an old timer confirms nothing");
    assert!(bottom(&session).contains("x is held down"), "{}", bottom(&session));
    // With the protocol.
    session.pace = Duration::from_millis(400);
    for _ in 0..20 {
        session.send(Message::Held(Command::Negative));
        assert_eq!(records(&session), 0);
    }
    session.command(Command::Negative).woken();
    assert_eq!(records(&session), 1, "let go and pressed again");
}

#[test]
fn a_key_held_over_the_end_of_a_study_reads_no_other() {
    let mut session = queue((120, 30));
    session.send(Message::Select(uid(3))).command(Command::Open).loaded().command(Command::Positive);
    session.pace = Duration::from_millis(33);
    let asked = wanted(&session);
    session.command(Command::Positive);
    assert_eq!(records(&session), 0, "it is being saved");
    on_disk(&mut session, asked, 1);
    session.loaded();
    assert_ne!(open(&session), Some(uid(3)));
    for _ in 0..200 {
        session.command(Command::Positive);
        assert_eq!(records(&session), 0);
    }
}

#[test]
fn escape_ends_one_thing_at_a_time() {
    let mut session = queue((120, 30));
    session.command(Command::Filter).type_text("n0").key(PromptKey::Enter);
    session.command(Command::OpenMostUrgent).loaded();
    session.command(Command::MeasureDistance).command(Command::PlacePoint);
    session.command(Command::CursorRight).command(Command::CursorRight).command(Command::PlacePoint);
    session.command(Command::Beside).command(Command::MeasureAngle).command(Command::Cine);
    session.command(Command::MeasureAngle).command(Command::Help);
    let mut steps = Vec::new();
    while !session.model.worklist.filter().is_empty() {
        let before = text(&session.model);
        session.command(Command::Cancel);
        assert_ne!(text(&session.model), before, "each Esc does something");
        let reading = session.model.reading.as_ref();
        steps.push((
            session.model.help.is_some(),
            session.model.tool().is_some(),
            session.model.measured.is_some(),
            reading.is_some(),
        ));
        assert!(steps.len() < 9, "{steps:?}");
    }
    assert_eq!(
        steps,
        [
            (false, true, true, true),
            (false, false, true, true),
            (false, false, false, true),
            (false, false, false, false),
            (false, false, false, false),
        ],
        "help, the tool, the measurement, the study, the filter"
    );
    session.command(Command::Cancel);
    assert_eq!(bottom(&session), "nothing to cancel");
}

#[test]
fn a_filter_is_seen_and_counted() {
    let mut session = queue((160, 45));
    session.command(Command::Filter).type_text("n03").key(PromptKey::Enter);
    let title = text(&session.model).lines().next().unwrap_or_default().to_owned();
    assert!(title.contains("1 of 4 shown · filter: n03") && !title.contains("urgent"), "{title}");
    session.command(Command::Cancel);
    let title = text(&session.model).lines().next().unwrap_or_default().to_owned();
    assert!(!title.contains("filter") && title.contains("2 urgent"), "{title}");
}

#[test]
fn stat_and_pin_are_seen_in_the_reading_screen() {
    let mut session = queue((80, 24));
    session.command(Command::OpenMostUrgent).loaded().command(Command::Stat);
    kept(&mut session, 1);
    session.command(Command::Pin);
    kept(&mut session, 2);
    let header = text(&session.model).lines().next().unwrap_or_default().to_owned();
    assert!(header.contains("PHANTOM, N01 · STAT pinned"), "{header}");
    session.command(Command::Stat);
    kept(&mut session, 3);
    let header = text(&session.model).lines().next().unwrap_or_default().to_owned();
    assert!(header.contains("PHANTOM, N01 · pinned"), "{header}");
}

#[test]
fn blinded_reading_asks_for_no_reason_that_would_tell() {
    let mut session = queue((120, 30));
    session.model.blinded = true;
    for n in 1..=4 {
        session.found(plain(n));
    }
    session.send(Message::Select(uid(1))).command(Command::Open).loaded().command(Command::Negative);
    assert_eq!(records(&session), 1, "a question would tell that there is an alert");
    assert!(BROKEN[CervicalLevel::C6.index()] > WHOLE[CervicalLevel::C6.index()]);
}
