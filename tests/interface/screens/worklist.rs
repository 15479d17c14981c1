//! The list of studies in all its states.

use crate::screens::{SIZES, keep, styled, text};
use crate::support::model::{BROKEN, Session, WHOLE, plain, report, series, study, uid};
use cspine::app::{Command, Message, Motion, PromptKey};
use cspine::dicom::ScanSummary;
use cspine::domain::{Analysis, CleanText, Completeness, Modality, NotAnalysed, Oddity, SeriesKind, Sex};
use cspine::inference::WorkerEvent;
use cspine::theme::Theme;

fn each_size(name: &str, session: &mut Session) {
    for (width, height) in SIZES {
        session.send(Message::Resized(width, height));
        keep(&format!("{name}_{width}x{height}"), &text(&session.model));
    }
}

/// A list in which every state of an analysis has its row.
pub(crate) fn full(size: (u16, u16)) -> Session {
    let mut session = Session::with_network(size);
    let mut mr = study(5, "PHANTOM^Five", 0, Sex::Other, "MR cervical", 20);
    mr.patient.age_years = None;
    mr.patient.sex = None;
    mr.series = vec![series(5, 0, SeriesKind::Sagittal, 20)];
    mr.series[0].modality = Modality::Other(CleanText::new("MR"));
    let mut nameless = study(8, "", 9, Sex::Female, "", 8);
    nameless.patient.id = CleanText::default();
    nameless.series[0].instances.truncate(3);
    let mut odd = study(2, "PHANTOM^Two", 80, Sex::Male, "CT C-spine", 310);
    odd.series[0].oddities = vec![Oddity::Tilt(124), Oddity::Gaps(2)];
    for one in [
        study(1, "PHANTOM^One", 73, Sex::Female, "CT C-spine native", 312),
        odd,
        study(
            3,
            "PHANTOM^Three",
            41,
            Sex::Male,
            "CT polytrauma with a very long name of a protocol that nobody reads",
            540,
        ),
        study(4, "PHANTOM^Four", 29, Sex::Male, "CT C-spine", 301),
        mr,
        study(6, "PHANTOM^Six", 62, Sex::Female, "CT C-spine", 277),
        study(7, "PHANTOM^Seven with a name that is longer than its column", 55, Sex::Female, "CT C-spine", 288),
        nameless,
        study(9, "山田^太郎", 101, Sex::Male, "頚椎CT", 290),
        study(10, "PHANTOM^Ten", 34, Sex::Female, "CT head and neck", 400),
        study(11, "PHANTOM^Eleven", 35, Sex::Female, "CT neck", 401),
    ] {
        session.found(one);
    }
    let unseen = [Some(0.01), Some(0.02), Some(0.02), Some(0.01), Some(0.03), None, None];
    session
        .analysed(1, 312, BROKEN)
        .analysed(2, 310, WHOLE)
        .analysed(3, 540, [Some(0.02), Some(0.01), Some(0.02), Some(0.01), Some(0.06), Some(0.02), Some(0.64)])
        .analysed(7, 288, unseen)
        .started(10)
        .finished(10, Analysis::Failed("the pixels of slice 12 cannot be decoded; press r to try again".into()))
        .started(9)
        .progress(9, 100, 290)
        .worker(WorkerEvent::Cancelled { study: uid(9), series: 0 })
        .started(11)
        .started(4)
        .progress(4, 174, 301)
        .partial(
            4,
            report(
                4,
                301,
                [Some(0.01), Some(0.28), Some(0.02), None, None, None, None],
                Completeness::Preliminary { done: 174, total: 301 },
            ),
        )
        .scanned(2950);
    session
}

#[test]
fn nothing_found_yet() {
    let mut session = Session::new((80, 24));
    each_size("scanning_nothing_found", &mut session);
    let summary = ScanSummary { files: 1200, dicom: 0, not_dicom: 1200, unreadable: 0, unchanged: 0 };
    session.send(Message::ScanProgress(summary));
    keep("scanning_1200_files_80x24", &text(&session.model));
}

#[test]
fn nothing_found_at_all() {
    let mut session = Session::with_network((80, 24));
    session.send(Message::Unreadable {
        path: "/data/incoming/2026/11/a-folder-with-a-long-name/IM0001.dcm".into(),
        reason: "no pixels: a dose report".into(),
    });
    session.send(Message::ScanFinished(ScanSummary { files: 3, dicom: 1, not_dicom: 2, unreadable: 1, unchanged: 0 }));
    each_size("nothing_found", &mut session);
}

#[test]
fn the_scan_failed() {
    let mut session = Session::with_network((80, 24));
    session.send(Message::ScanFailed(
        "the demo cannot be made: no space left on /tmp; free some space or set TMPDIR, and start again".into(),
    ));
    keep("scan_failed_80x24", &text(&session.model));
}

#[test]
fn every_state_has_its_row() {
    let mut session = full((120, 30));
    each_size("states", &mut session);
}

#[test]
fn every_state_with_its_styles() {
    let session = full((120, 30));
    keep("states_styles", &styled(&session.model, &Theme::default()));
    keep("states_no_colour", &styled(&session.model, &Theme::default().without_colour()));
}

#[test]
fn the_selected_studys_details() {
    let mut session = full((80, 24));
    for (name, n) in [("unseen", 7), ("refused", 5), ("failed", 10), ("odd", 2), ("waiting", 6), ("preliminary", 4)] {
        session.send(Message::Select(uid(n)));
        keep(&format!("details_{name}_80x24"), &text(&session.model));
    }
}

#[test]
fn a_list_longer_than_the_screen() {
    let mut session = Session::with_network((80, 24));
    for n in 0..60 {
        session.found(plain(n));
    }
    session.scanned(60 * 140);
    keep("long_top_80x24", &text(&session.model));
    session.command(Command::Bottom);
    keep("long_bottom_80x24", &text(&session.model));
}

#[test]
fn without_onnx_runtime_rows_say_no_analysis() {
    let mut session = Session::new((80, 24));
    session.found(plain(1)).found(plain(2)).scanned(280).worker(WorkerEvent::ModelUnavailable(
        "/usr/lib/libonnxruntime.so cannot be loaded as ONNX Runtime: no such file; name another with ORT_DYLIB_PATH"
            .into(),
    ));
    each_size("no_runtime", &mut session);
    let shown = text(&session.model);
    assert!(!shown.contains("waiting"), "{shown}");
    assert_eq!(shown.lines().filter(|line| line.contains("no analysis") && line.contains("PHANTOM")).count(), 2);
}

#[test]
fn a_filter_being_typed_and_one_in_force() {
    let mut session = full((80, 24));
    session.command(Command::Filter).type_text("phantom, t");
    each_size("filter_typed", &mut session);
    session.key(PromptKey::Enter);
    session.send(Message::Resized(80, 24));
    keep("filter_in_force_80x24", &text(&session.model));
    session.command(Command::Filter).type_text("nobody");
    keep("filter_without_match_80x24", &text(&session.model));
    session.key(PromptKey::Enter);
    keep("filter_off_again_80x24", &text(&session.model));
}

#[test]
fn the_palette() {
    let mut session = full((80, 24));
    session.command(Command::Palette);
    each_size("palette_open", &mut session);
    session.send(Message::Resized(80, 24)).type_text("pag").key(PromptKey::Go(Motion::Down));
    keep("palette_typed_80x24", &text(&session.model));
    session.type_text(&"x".repeat(110)).type_text("the end");
    keep("palette_long_80x24", &text(&session.model));
    session.key(PromptKey::Enter);
    keep("palette_unknown_80x24", &text(&session.model));
}

#[test]
fn notices() {
    let mut session = full((80, 24));
    session.command(Command::Order);
    each_size("notice_order", &mut session);
    session.send(Message::Trouble(
        "the theme in /home/reader/.config/cspine/themes/night.toml cannot be read; make the file readable or choose \
         another theme"
            .into(),
    ));
    session.send(Message::Resized(80, 24));
    keep("notice_long_80x24", &text(&session.model));
}

#[test]
fn opened_and_risen() {
    let mut session = full((80, 24));
    session.command(Command::Down).command(Command::Open).command(Command::Close);
    session.analysed(6, 277, [Some(0.9), None, None, None, None, None, None]);
    each_size("opened_and_risen", &mut session);
}

#[test]
fn a_declined_study_says_why_at_every_width() {
    for width in [60, 80, 100, 140, 160] {
        let mut session = Session::with_network((width, 24));
        session.found(plain(1)).found(plain(2)).scanned(280);
        session.finished(1, Analysis::NotAnalysed(NotAnalysed::NoCervicalSpine)).send(Message::Select(uid(1)));
        let shown = text(&session.model);
        assert!(shown.contains("not analyzed: no cervical spine seen"), "{width}: {shown}");
    }
}

#[test]
fn the_demo_says_that_it_makes_its_studies() {
    let mut session = Session::with_network((80, 24));
    session.send(Message::MakingDemo { study: 1, total: 8 });
    let shown = text(&session.model);
    assert!(shown.contains("making demo studies: 1 of 8") && !shown.contains("looking for studies"), "{shown}");
    keep("making_demo_80x24", &shown);
    session.found(plain(1)).send(Message::ScanProgress(ScanSummary { files: 140, ..ScanSummary::default() }));
    session.send(Message::MakingDemo { study: 3, total: 8 });
    let shown = text(&session.model);
    assert!(shown.contains("making demo studies: 3 of 8") && shown.contains("PHANTOM"), "{shown}");
    session.scanned(280);
    assert!(!text(&session.model).contains("making"), "{}", text(&session.model));
}
