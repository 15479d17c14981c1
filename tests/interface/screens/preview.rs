//! The preview of the selected study beside the worklist.

use crate::screens::conflict::disputed;
use crate::screens::worklist::full;
use crate::screens::{drawn, keep, preview, text};
use crate::support::model::{BROKEN, Session, WHOLE, p, plain, report, series, series_uid, uid};
use cspine::app::{Command, Message};
use cspine::domain::{
    Analysis, Completeness, DistributionCheck, FractureReport, ModelIdentity, Oddity, SeriesKind, Study, StudyDateTime,
    Thresholds, ThumbnailKey,
};
use cspine::theme::Theme;
use std::sync::Arc;

/// C3 passes the threshold of a level; the study does not pass its own.
const FLAGGED: [Option<f32>; 7] = [Some(0.01), Some(0.04), Some(0.35), Some(0.01), Some(0.02), Some(0.02), Some(0.01)];

fn selected(n: usize, session: &mut Session) -> String {
    // A second click on a row may open it.
    if session.selected() != uid(n) {
        session.send(Message::Select(uid(n)));
    }
    preview(&session.model)
}

#[track_caller]
fn assert_says(shown: &str, words: &[&str]) {
    for word in words {
        assert!(shown.contains(word), "{word:?} is not in {shown}");
    }
}

#[test]
fn every_state_of_a_study_has_its_preview() {
    let mut session = full((120, 40));
    for (name, n) in [("unseen", 7), ("refused", 5), ("failed", 10), ("odd", 2), ("waiting", 6), ("preliminary", 4)] {
        session.send(Message::Select(uid(n)));
        for (width, height) in [(120, 40), (160, 45)] {
            session.send(Message::Resized(width, height));
            keep(&format!("preview_{name}_{width}x{height}"), &text(&session.model));
        }
    }
}

#[test]
fn a_study_without_a_result_says_why_and_what_to_do() {
    let mut session = full((120, 30));
    assert_says(&selected(5, &mut session), &["PHANTOM, Five", "not analyzed: MR, not CT"]);
    let failed = selected(10, &mut session);
    assert_says(&failed, &["failed: the pixels of slice 12 cannot be decoded", "r analyzes the study again"]);
    assert!(!failed.contains("alert from"), "no thresholds without a number: {failed}");
}

#[test]
fn a_flagged_study_without_an_alert_says_why() {
    let mut session = Session::with_network((120, 40));
    session.found(plain(1)).analysed(1, 140, FLAGGED).found(plain(2)).analysed(2, 140, BROKEN).scanned(280);
    let shown = selected(1, &mut session);
    assert_says(&shown, &["no alert", "C3 flagged, no alert: overall", "is below 50 %"]);
    keep("preview_flagged_120x40", &text(&session.model));
    let alert = selected(2, &mut session);
    assert!(alert.contains("90 % alert") && !alert.contains("no alert"), "{alert}");
}

#[test]
fn the_thresholds_are_those_of_the_report() {
    let plain_report = report(1, 140, WHOLE, Completeness::Final);
    let thresholds = Thresholds { overall: p(0.38), level: p(0.05), distance: None };
    let model = Arc::new(ModelIdentity { thresholds, ..ModelIdentity::clone(&plain_report.model) });
    let report = FractureReport { model, ..FractureReport::clone(&plain_report) };
    let mut session = Session::with_network((120, 30));
    session.found(plain(1)).started(1).finished(1, Analysis::Analysed(Arc::new(report)));
    assert_says(&selected(1, &mut session), &["flagged from 5 %, alert from 38 %", "C5–C6 flagged, no alert"]);
}

#[test]
fn a_study_unlike_the_training_data_says_so() {
    let plain_report = report(1, 140, BROKEN, Completeness::Final);
    let distribution = Some(DistributionCheck::Measured { distance: 1.84, threshold: 1.3 });
    let report = FractureReport { distribution, ..FractureReport::clone(&plain_report) };
    let mut session = Session::with_network((120, 30));
    session.found(plain(1)).started(1).finished(1, Analysis::Analysed(Arc::new(report)));
    let shown = selected(1, &mut session);
    assert_says(&shown, &["? 90 % withheld", "unlike the model's training data", "read it yourself"]);
}

/// A study of patient 1 in another year, with a localizer before its axial series.
fn later(n: usize, year: u16) -> Study {
    let mut study = plain(n);
    study.patient = plain(1).patient;
    study.date = Some(StudyDateTime { year, month: 3, day: 2, time: None });
    study.series = vec![series(n, 0, SeriesKind::Localizer, 2), series(n, 1, SeriesKind::Axial, 140)];
    study.series[1].oddities = vec![Oddity::Gaps(2)];
    study
}

#[test]
fn the_series_its_warnings_and_priors_are_named() {
    let mut session = Session::with_network((120, 40));
    session.found(later(1, 2026)).found(plain(9));
    assert!(!selected(1, &mut session).contains("prior"), "other patients have no priors of this one");
    session.found(later(2, 2024)).found(later(3, 2020)).found(later(4, 2027));
    let shown = selected(1, &mut session);
    assert_says(&shown, &["series 2 of 2 · 1.0 mm, BONE kernel, 140 slices", "2 priors (last 2024-03-02)", "gap"]);
    assert_says(&selected(2, &mut session), &["1 prior (2020-03-02)"]);
    assert!(!selected(3, &mut session).contains("prior"), "a later study is no prior");
    keep("preview_series_120x40", &text(&session.model));
}

#[test]
fn assessments_of_all_readers_are_named() {
    let mut session = disputed();
    session.command(Command::Close);
    let shown = selected(3, &mut session);
    assert_says(&shown, &["conflict: alice positive, bob negative", "assess it once more"]);
    session.send(Message::Resized(120, 40));
    keep("preview_conflict_120x40", &text(&session.model));
}

#[test]
fn a_blinded_reader_sees_no_probability() {
    let mut session = Session::with_network((120, 40));
    session.model.blinded = true;
    session.found(plain(1)).analysed(1, 140, BROKEN).scanned(140);
    let shown = selected(1, &mut session);
    assert_says(&shown, &["blinded", "after your first assessment"]);
    for hidden in ["90 %", "81 %", "flagged", "alert", "C6"] {
        assert!(!shown.contains(hidden), "{hidden:?} is in {shown}");
    }
}

#[test]
fn a_thumbnail_has_room_if_the_store_may_have_one_and_the_terminal_shows_images() {
    let place = |session: &Session| drawn(&session.model, &Theme::default()).1.thumbnail;
    let mut session = full((160, 45));
    let pane = place(&session).expect("room for the image of the first study");
    assert_eq!(pane.key, ThumbnailKey { series: series_uid(1, 0), stack: 0 });
    assert!(pane.area.right() < 160 && pane.area.bottom() < 45, "{:?}", pane.area);
    let (buffer, _) = drawn(&session.model, &Theme::default());
    assert!(pane.area.positions().all(|cell| buffer[cell].symbol() == " "), "no text under the image");
    for (n, why) in [(5, "no report"), (10, "failed"), (4, "preliminary"), (6, "waiting")] {
        session.send(Message::Select(uid(n)));
        assert_eq!(place(&session), None, "{why}");
    }
    session.send(Message::Select(uid(3)));
    let key = place(&session).expect("a place").key;
    session.send(Message::NoThumbnail(key));
    assert_eq!(place(&session), None, "the store has none");
    session.analysed(3, 540, WHOLE);
    assert!(place(&session).is_some(), "made by an analysis that has ended since");
    session.command(Command::Help);
    assert_eq!(place(&session), None, "help covers it");
    session.command(Command::Help).command(Command::TogglePreview);
    assert_eq!(place(&session), None, "the preview is off");
    session.command(Command::TogglePreview);
    session.model.graphics = "none";
    assert_eq!(place(&session), None, "a terminal without images");
}

#[test]
fn a_blinded_reader_gets_no_thumbnail() {
    let mut session = Session::with_network((120, 40));
    session.model.blinded = true;
    session.found(plain(1)).analysed(1, 140, BROKEN).scanned(140);
    assert_eq!(drawn(&session.model, &Theme::default()).1.thumbnail, None, "its slice is the model's choice");
}

#[test]
fn the_preview_is_switched_off_and_on_and_needs_its_room() {
    let mut session = full((120, 30));
    let is_shown = |session: &Session| text(&session.model).contains("flagged from 30 %");
    assert!(is_shown(&session));
    session.command(Command::TogglePreview);
    assert!(!is_shown(&session));
    assert!(text(&session.model).contains("C2 44 % slice 67"), "two lines of text instead");
    keep("preview_off_120x30", &text(&session.model));
    session.command(Command::TogglePreview);
    assert!(is_shown(&session));
    for (width, height) in [(119, 30), (120, 29)] {
        session.send(Message::Resized(width, height));
        assert!(!is_shown(&session), "{width} × {height}");
        session.command(Command::TogglePreview);
        assert!(text(&session.model).contains("the preview needs 120 × 30 characters"), "{}", text(&session.model));
    }
    session.send(Message::Resized(120, 30));
    assert!(is_shown(&session), "a key that cannot act changes nothing");
}
