//! Studies of which several series are analyzed: which series is opened, what the panel and the list say, where a level is shown.

use crate::screens::{list, preview, text};
use crate::support::model::{Session, plain, report, series, series_uid, uid};
use cspine::app::{Command, Effect};
use cspine::domain::{Analysis, CervicalLevel, Completeness, FractureReport, SeriesFailure, SeriesKind, Study, merge};
use std::sync::Arc;

/// C1 and C2 in the head, the others in the neck, C6 fractured.
const HEAD: [Option<f32>; 7] = [Some(0.01), Some(0.04), None, None, None, None, None];
const NECK: [Option<f32>; 7] = [None, None, Some(0.02), Some(0.01), Some(0.06), Some(0.81), Some(0.01)];

fn two_series() -> Study {
    let mut study = plain(1);
    study.series.push(series(1, 1, SeriesKind::Axial, 140));
    study
}

fn merged(failures: Vec<SeriesFailure>, levels: &[[Option<f32>; 7]]) -> Analysis {
    let parts: Vec<Arc<FractureReport>> = levels
        .iter()
        .enumerate()
        .map(|(index, levels)| {
            let part = FractureReport::clone(&report(1, 140, *levels, Completeness::Final));
            Arc::new(FractureReport { series_uid: series_uid(1, index), ..part })
        })
        .collect();
    Analysis::Analysed(Arc::new(merge(&parts, failures).expect("a report")))
}

fn session(failures: Vec<SeriesFailure>, levels: &[[Option<f32>; 7]]) -> Session {
    let mut session = Session::with_network((120, 40));
    session.found(two_series()).scanned(280).started(1).finished(1, merged(failures, levels));
    session
}

fn shown(session: &Session) -> usize {
    session.model.reading.as_ref().expect("an open study").series
}

fn loads(session: &Session) -> Option<usize> {
    session.effects.iter().find_map(|effect| match effect {
        Effect::Load(_, series, _) => Some(*series),
        _ => None,
    })
}

#[test]
fn the_study_opens_in_the_series_of_the_fracture_and_a_level_key_shows_its_own() {
    let mut session = session(Vec::new(), &[HEAD, NECK]);
    session.command(Command::Open);
    assert_eq!(loads(&session), Some(1), "the neck shows C6");
    session.loaded();
    assert_eq!(shown(&session), 1);
    let panel = text(&session.model);
    assert!(panel.contains("C1–C2 from series 1") && panel.contains("C3–C7 from series 2"), "{panel}");
    session.command(Command::Level(CervicalLevel::C1));
    assert_eq!((loads(&session), shown(&session)), (Some(0), 0), "C1 comes from the head");
    session.loaded();
    let reading = session.model.reading.as_ref().expect("an open study");
    assert_eq!(
        reading.slice(),
        crate::support::model::key_slice(CervicalLevel::C1, 140),
        "at the level that was asked for"
    );
    session.command(Command::NextLevel);
    assert_eq!(shown(&session), 0, "C2 is in the same series");
    session.command(Command::NextLevel);
    assert_eq!((loads(&session), shown(&session)), (Some(1), 1), "C3 is in the other");
    session.loaded();
    session.command(Command::Level(CervicalLevel::C2)).loaded().command(Command::HotSpot);
    assert_eq!((loads(&session), shown(&session)), (Some(1), 1), "the activation peak of C6 is in the neck");
}

#[test]
fn a_study_that_lacks_a_series_is_incomplete_in_the_list_and_in_the_panel() {
    let failure = SeriesFailure { number: 2, reason: "pixels cannot be decoded".into() };
    let mut session = session(vec![failure], &[HEAD]);
    let list = list(&session.model);
    assert!(list.contains("incomplete"), "{list}");
    let preview = preview(&session.model);
    assert!(preview.contains("C3–C7 not analyzed: series 2: pixels cannot be decoded"), "{preview}");
    session.command(Command::Open).loaded();
    let panel = text(&session.model);
    assert!(panel.contains("not analyzed") && panel.contains("C3–C7"), "{panel}");
    // The next run lists it the same way before its files are looked at.
    let listed = session.model.worklist.entry(&uid(1)).expect("the study");
    assert_eq!(listed.incomplete().len(), 1);
}

#[test]
fn a_flag_of_the_series_that_a_level_is_not_taken_from_is_not_hidden() {
    let mut flagged = HEAD;
    flagged[2] = Some(0.9);
    let mut calm = NECK;
    calm[5] = Some(0.02);
    // Both show C3 whole; whichever is taken, 90 % is on the screen.
    let mut session = session(Vec::new(), &[flagged, calm]);
    session.command(Command::Open).loaded();
    assert!(text(&session.model).contains("90 %"), "{}", text(&session.model));
}
