//! Whole reading sessions, replayed without a terminal, a disk or a thread: what the list does while results arrive, and what the
//! worker is asked for.

use crate::screens::text;
use crate::support::model::{BROKEN, Session, WHOLE, key_slice, plain, report, series, study, uid};
use cspine::app::{Command, Effect, Message, Model, Screen, update};
use cspine::domain::{Analysis, CervicalLevel, Completeness, SeriesKind, Sex, Uid};
use cspine::raster::Plane;

const SIZE: (u16, u16) = (120, 30);

/// Five studies of which nothing is known yet.
fn five() -> Session {
    let mut session = Session::with_network(SIZE);
    for n in 1..=5 {
        session.found(plain(n));
    }
    session.scanned(700);
    session
}

/// The studies of the last queue that the worker was given, in order.
fn queue(session: &Session) -> Vec<Uid> {
    let jobs = session.effects.iter().find_map(|effect| match effect {
        Effect::Queue(jobs) => Some(jobs.iter().map(|job| job.study.uid.clone()).collect()),
        _ => None,
    });
    jobs.expect("the worker is given a queue")
}

#[test]
fn results_put_the_most_likely_broken_study_first_and_leave_the_readers_selection_alone() {
    let mut session = five();
    session.command(Command::Down);
    assert_eq!(session.selected(), uid(2));
    session.analysed(3, 140, WHOLE).analysed(5, 140, BROKEN);
    assert_eq!(session.order(), [5, 3, 1, 2, 4].map(uid), "broken, whole, then what waits");
    assert_eq!(session.selected(), uid(2), "the selection stays with its study");
    let entry = session.model.worklist.entry(&uid(5)).expect("an entry");
    assert!(entry.risen, "what rose is marked");
}

#[test]
fn until_the_reader_moves_the_selection_is_the_top_of_the_list() {
    let mut session = five();
    session.analysed(4, 140, BROKEN);
    assert_eq!(session.selected(), uid(4));
    session.command(Command::Open);
    assert_eq!(session.model.reading.as_ref().map(|reading| reading.study.uid.clone()), Some(uid(4)));
}

#[test]
fn the_open_study_is_analysed_first_then_the_list_from_its_top() {
    let mut session = five();
    session.analysed(2, 140, WHOLE);
    session.command(Command::Bottom).command(Command::Open);
    assert_eq!(queue(&session), [5, 1, 3, 4].map(uid));
    assert!(session.effects.iter().any(|effect| matches!(effect, Effect::Load(study, 0, _) if study.uid == uid(5))));
    session.command(Command::Close);
    assert_eq!(queue(&session), [1, 3, 4, 5].map(uid), "closed, it waits where it stands");
}

#[test]
fn the_next_study_is_read_ahead() {
    let mut session = five();
    session.command(Command::Open);
    let ahead = session.effects.iter().find_map(|effect| match effect {
        Effect::Prefetch(study, series) => Some((study.uid.clone(), *series)),
        _ => None,
    });
    assert_eq!(ahead, Some((uid(2), 0)));
}

#[test]
fn a_failed_study_says_why_waits_for_a_retry_and_the_others_go_on() {
    let mut session = five();
    session.started(1).finished(1, Analysis::Failed("the network gave a number that is none".into()));
    assert_eq!(queue(&session), [2, 3, 4, 5].map(uid), "the queue goes on without it");
    assert_eq!(session.order().last(), Some(&uid(1)));
    session.send(Message::Select(uid(1))).command(Command::Retry);
    assert_eq!(queue(&session).iter().filter(|study| **study == uid(1)).count(), 1);
}

#[test]
fn opening_leads_to_the_key_slice_and_the_reader_is_not_moved_again() {
    let mut session = five();
    session.analysed(1, 140, BROKEN).command(Command::Open).loaded();
    let at = |session: &Session| session.model.reading.as_ref().expect("open").slice_of(Plane::Axial);
    assert_eq!(at(&session), key_slice(CervicalLevel::C6, 140), "C6 is the worst");
    session.command(Command::Level(CervicalLevel::C2));
    assert_eq!(at(&session), key_slice(CervicalLevel::C2, 140));
    session.command(Command::SliceDown).analysed(1, 140, BROKEN);
    assert_eq!(at(&session), key_slice(CervicalLevel::C2, 140) + 1, "a result moves nobody who reads");
    session.command(Command::NextSuspicion);
    assert_eq!(at(&session), key_slice(CervicalLevel::C6, 140));
}

#[test]
fn preliminary_results_order_the_list_and_are_replaced() {
    let mut session = five();
    session.started(3).partial(3, report(3, 140, BROKEN, Completeness::Preliminary { done: 18, total: 140 }));
    assert_eq!(session.order()[0], uid(3));
    session
        .analysed(2, 140, [Some(0.6); 7])
        .finished(3, Analysis::Analysed(report(3, 140, WHOLE, Completeness::Final)));
    assert_eq!(session.order()[..2], [2, 3].map(uid));
}

#[test]
fn the_reader_chooses_another_series_and_old_results_of_the_first_are_not_taken() {
    let mut two = study(1, "PHANTOM^One", 50, Sex::Female, "CT", 140);
    two.series.push(series(1, 1, SeriesKind::Axial, 120));
    let mut session = Session::with_network(SIZE);
    session.found(two).scanned(260).command(Command::Open).loaded();
    session.command(Command::NextSeries).loaded().command(Command::AnalyseSeries);
    assert_eq!(queue(&session), [uid(1)]);
    session.finished(1, Analysis::Analysed(report(1, 140, BROKEN, Completeness::Final)));
    let entry = session.model.worklist.entry(&uid(1)).expect("an entry");
    assert!(entry.report().is_none(), "a result of series 0 says nothing about series 1");
    assert!(entry.chosen_by_reader);
}

#[test]
fn a_study_that_grows_while_it_is_open_is_read_and_analysed_again() {
    let mut session = five();
    session.analysed(1, 140, BROKEN).command(Command::Open).loaded();
    session.found(study(1, "PHANTOM^N01", 40, Sex::Other, "CT C-spine", 150));
    assert!(session.effects.iter().any(|effect| matches!(effect, Effect::Load(study, 0, _) if study.uid == uid(1))));
    assert_eq!(queue(&session)[0], uid(1));
    assert_eq!(session.model.screen(), Screen::Reading);
}

#[test]
fn a_level_that_the_network_overlooked_is_never_called_missing_from_the_scan() {
    let mut session = five();
    session.analysed(1, 140, [Some(0.1), Some(0.1), None, Some(0.1), Some(0.1), Some(0.1), None]);
    let report = session.model.worklist.entry(&uid(1)).and_then(|entry| entry.report()).expect("a report");
    // 20 mm follow on C6: no room for the whole of C7. C3 lies between two that are seen.
    assert_eq!(report.absences(), ["C7 not in the scan", "C3 in the scan, not seen by the model"]);
    session.analysed(2, 280, [None, Some(0.1), Some(0.1), Some(0.1), Some(0.1), Some(0.1), None]);
    let report = session.model.worklist.entry(&uid(2)).and_then(|entry| entry.report()).expect("a report");
    assert_eq!(report.absences(), ["C1 C7 in the scan, not seen by the model"], "40 mm of scan at both ends");
}

#[test]
fn one_slice_is_shown_while_the_others_are_read() {
    let mut session = Session::with_network((120, 30));
    session.found(plain(1)).scanned(140).analysed(1, 140, BROKEN).command(Command::Open);
    let asked = session.effects.iter().find_map(|effect| match effect {
        Effect::Load(study, 0, first) => Some((study.uid.clone(), *first)),
        _ => None,
    });
    let report = session.model.worklist.entry(&uid(1)).and_then(|entry| entry.report().cloned()).expect("a report");
    let worst = report.worst_level().map(|finding| finding.level).expect("a level");
    let key = report.levels[worst].key_slice().expect("a key slice").index;
    assert_eq!(asked, Some((uid(1), key)), "the most suspicious slice is read first");
    let mut one = session.model.reading.as_ref().expect("open").study.series[0].clone();
    one.instances.truncate(1);
    let volume = std::sync::Arc::new(crate::support::model::volume(&one));
    session.send(Message::FirstSlice { study: uid(1), series: 0, volume });
    session.send(Message::VolumeProgress { study: uid(1), series: 0, done: 16, total: 140 });
    let (screen, layout) = crate::screens::drawn(&session.model, &cspine::theme::Theme::default());
    assert!(text(&session.model).contains("one slice · reading slice 16 of 140"), "{}", text(&session.model));
    drop(screen);
    assert!(layout.panes.iter().any(|pane| pane.source == cspine::app::Source::First));
    // What needs the whole volume says so or waits for it, and nothing breaks.
    for command in
        [Command::SliceDown, Command::NextPlane, Command::MeasureDistance, Command::KeyImage, Command::Export]
    {
        session.command(command);
    }
    session.loaded();
    let reading = session.model.reading.as_ref().expect("open");
    assert!(reading.first().is_none() && reading.slice_of(Plane::Axial) == key, "the reader is at the same slice");
    assert_ne!(reading.plane, Plane::Axial, "the plane that was asked for in between");
}

#[test]
fn a_note_about_the_terminal_goes_when_it_no_longer_holds() {
    let mut model = Model::new("studies", (120, 30), "…");
    let late = "The terminal did not answer within 800 ms.".to_owned();
    let answered = |note: Option<&String>, withdrawn: Option<&String>| Message::Terminal {
        graphics: "kitty",
        name: "kitty".into(),
        note: note.cloned(),
        withdrawn: withdrawn.cloned(),
    };
    update(&mut model, answered(Some(&late), None));
    assert_eq!(model.notice.as_ref().map(|notice| notice.text.as_str()), Some(late.as_str()));
    update(&mut model, answered(None, Some(&late)));
    assert_eq!(model.notice, None, "it has answered after all");
    // Another notice stays.
    update(&mut model, answered(Some(&"another".to_owned()), None));
    update(&mut model, answered(None, Some(&late)));
    assert!(model.notice.is_some());
}
