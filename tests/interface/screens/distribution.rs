//! Studies unlike the model's training data: marked in the list and in the panel, in their place, and not announced as alerts.

use crate::screens::{keep, list, preview, text};
use crate::support::model::{BROKEN, Session, WHOLE, plain, report, uid};
use cspine::app::{Command, Effect, Message};
use cspine::domain::{Analysis, Completeness, DistributionCheck, FractureReport, NoDistance, Uid};

const FAR: DistributionCheck = DistributionCheck::Measured { distance: 1.84, threshold: 1.3 };
const NEAR: DistributionCheck = DistributionCheck::Measured { distance: 0.97, threshold: 1.3 };

fn checked(n: usize, levels: [Option<f32>; 7], check: DistributionCheck) -> Analysis {
    let plain = report(n, 140, levels, Completeness::Final);
    Analysis::Analysed(FractureReport { distribution: Some(check), ..FractureReport::clone(&plain) }.into())
}

/// Four studies: unlike with 90 %, like with 90 %, unlike with 18 %, like with 18 %.
fn four(size: (u16, u16)) -> Session {
    let mut session = Session::with_network(size);
    for n in 1..=4 {
        session.found(plain(n));
    }
    session.scanned(560);
    for (n, levels, check) in [(1, BROKEN, FAR), (2, BROKEN, NEAR), (3, WHOLE, FAR), (4, WHOLE, NEAR)] {
        session.started(n).finished(n, checked(n, levels, check));
    }
    session
}

fn row(session: &Session, name: &str) -> String {
    let screen = list(&session.model);
    screen.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name} in {screen}")).to_owned()
}

#[test]
fn an_unlike_study_keeps_its_place_in_the_list_with_a_mark_of_its_own() {
    let mut session = four((120, 30));
    assert_eq!(session.order(), [1, 2, 3, 4].map(uid), "the probability orders the list");
    assert!(row(&session, "N01").contains("90 % ? C2 C6 unlike"), "{}", row(&session, "N01"));
    assert!(row(&session, "N02").contains("90 % ! C2 C6 "), "{}", row(&session, "N02"));
    assert!(row(&session, "N03").contains("18 % ? unlike"), "a low number counts as little");
    assert!(row(&session, "N04").contains("18 %   – "), "{}", row(&session, "N04"));
    let screen = text(&session.model);
    assert!(screen.contains("1 urgent · 2 unlike training data"), "{screen}");
    assert!(
        preview(&session.model)
            .contains("unlike the model's training data: distance 1.8, limit 1.3; alert withheld: read it yourself")
    );
    for (width, height) in [(120, 30), (80, 24)] {
        session.send(Message::Resized(width, height));
        keep(&format!("unlike_list_{width}x{height}"), &text(&session.model));
    }
}

#[test]
fn the_panel_says_how_far_the_study_is_and_what_to_do() {
    for (width, height) in [(160, 45), (80, 24)] {
        let mut session = four((width, height));
        session.command(Command::Open).loaded();
        keep(&format!("unlike_reading_{width}x{height}"), &text(&session.model));
        if width < 100 {
            assert!(text(&session.model).contains("all 90 %?"), "{}", text(&session.model));
            session.command(Command::TogglePanel);
        }
        let panel = text(&session.model);
        for words in
            ["? 90 %", "no alert: read it yourself", "unlike the model's training data:", "distance 1.8, limit 1.3"]
        {
            assert!(panel.contains(words), "{words}: {panel}");
        }
    }
}

#[test]
fn an_unknown_distance_is_told_and_the_alert_stays() {
    let mut session = Session::with_network((160, 45));
    session.found(plain(1)).scanned(140);
    session.started(1).finished(1, checked(1, BROKEN, DistributionCheck::Unmeasured(NoDistance::NotFinite)));
    assert!(row(&session, "N01").contains("90 % ! C2 C6"), "{}", row(&session, "N01"));
    session.command(Command::Open).loaded();
    let panel = text(&session.model);
    assert!(panel.contains("distance from the model's training"), "{panel}");
}

fn announced(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Alert(_)))
}

#[test]
fn an_unlike_study_that_arrives_later_is_not_announced() {
    let mut session = Session::with_network((120, 30));
    session.found(plain(1)).scanned(140);
    for (n, check, expected) in [(2, FAR, false), (3, NEAR, true)] {
        session.found(plain(n)).started(n).finished(n, checked(n, BROKEN, check));
        assert_eq!(announced(&session.effects), expected, "study {n}: {:?}", session.effects);
    }
    assert_eq!(session.order()[..2], [2, 3].map(uid), "both go on top");
}

#[test]
fn the_filter_finds_unlike_studies_and_urgent_means_alerts() {
    let mut session = four((120, 30));
    let shown = |session: &mut Session, filter: &str| -> Vec<Uid> {
        session.command(Command::Filter).type_text(filter);
        session.order()
    };
    assert_eq!(shown(&mut session, "is:unlike"), [1, 3].map(uid));
    session.key(cspine::app::PromptKey::Escape);
    assert_eq!(shown(&mut session, "state:urgent"), [uid(2)]);
}

#[test]
fn a_negative_assessment_of_a_withheld_alert_asks_for_its_key_again() {
    let mut session = four((120, 30));
    session.command(Command::Open).loaded();
    session.command(Command::Negative);
    let screen = text(&session.model);
    assert!(session.model.second_key.is_some() && screen.contains("alert withheld at 90 %"), "{screen}");
}

#[test]
fn a_blinded_reader_sees_no_mark() {
    let mut session = Session::with_network((120, 30));
    session.model.blinded = true;
    session.found(plain(1)).scanned(140);
    session.started(1).finished(1, checked(1, BROKEN, FAR));
    let screen = text(&session.model);
    assert!(!screen.contains("unlike") && !row(&session, "N01").contains('?'), "{screen}");
}
