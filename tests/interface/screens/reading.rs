//! The reading screen, help, and what folds.

use crate::screens::worklist::full;
use crate::screens::{SIZES, drawn, keep, styled, text};
use crate::support::model::{BROKEN, Session, WHOLE, plain, report, series, study, uid};
use cspine::app::{Command, HelpKey, Message, Screen};
use cspine::config::Keymap;
use cspine::domain::{
    Analysis, CervicalLevel, CleanText, Completeness, LevelExtent, LevelOutcome, Modality, NotAnalysed, Oddity,
    SeriesKind, Sex,
};
use cspine::inference::WorkerEvent;
use cspine::theme::Theme;
use std::sync::Arc;
use std::time::Duration;

fn each_size(name: &str, session: &mut Session) {
    for (width, height) in SIZES {
        session.send(Message::Resized(width, height));
        keep(&format!("reading_{name}_{width}x{height}"), &text(&session.model));
    }
}

/// The most urgent study, loaded.
fn opened(size: (u16, u16)) -> Session {
    let mut session = full(size);
    session.command(Command::OpenMostUrgent).loaded();
    session
}

#[test]
fn final_with_two_broken_levels() {
    let mut session = opened((80, 24));
    session.send(Message::PictureShown { round_trip: Duration::from_millis(38), bytes: 77_000 });
    each_size("broken", &mut session);
    session.command(Command::TogglePanel);
    each_size("panel", &mut session);
    session.send(Message::Resized(60, 16));
    keep("reading_panel_60x16", &text(&session.model));
    session.command(Command::TogglePanel);
    keep("reading_broken_60x16", &text(&session.model));
}

#[test]
fn styles() {
    let session = opened((80, 24));
    keep("reading_styles", &styled(&session.model, &Theme::default()));
    let session = opened((120, 30));
    keep("reading_no_colour", &styled(&session.model, &Theme::default().without_colour()));
}

#[test]
fn loading_and_not_loadable() {
    let mut session = full((80, 24));
    session.command(Command::OpenMostUrgent);
    keep("reading_opening_80x24", &text(&session.model));
    session.send(Message::VolumeProgress { study: uid(1), series: 0, done: 96, total: 312 });
    each_size("loading", &mut session);
    let problem = "slice 12 cannot be read: /data/incoming/one/IM0012.dcm ends in the middle of its pixels; copy the \
                   study again and open it once more";
    session.send(Message::VolumeLoaded { study: uid(1), series: 0, result: Err(problem.into()) });
    each_size("load_failed", &mut session);
}

#[test]
fn keys_that_go_to_a_place_are_kept_until_the_series_is_read() {
    let before = |commands: &[Command]| {
        let mut session = full((80, 24));
        session.command(Command::OpenMostUrgent);
        commands.iter().for_each(|command| {
            session.command(*command);
        });
        assert!(text(&session.model).contains("as soon as the series is read") || commands[0] == Command::SliceDown);
        session.loaded();
        assert!(!text(&session.model).contains("as soon as"), "what is done is not said to come");
        session.model.reading.clone().expect("an open study")
    };
    let alone = opened((80, 24)).model.reading.expect("an open study");
    let last = before(&[Command::LastSlice]);
    assert_eq!(last.slice() + 1, last.slices_in_plane());
    assert_eq!(before(&[Command::LastSlice, Command::FirstSlice]).slice(), 0);
    let turned = before(&[Command::NextPlane]);
    assert_ne!(turned.plane, alone.plane);
    // Steps are not: who holds the key while nothing is seen would miss the slice that is opened at.
    assert_eq!(before(&[Command::SliceDown]).slice(), alone.slice());
    let mut session = full((80, 24));
    session.command(Command::OpenMostUrgent).command(Command::KeyImage);
    assert!(text(&session.model).contains("still loading"));
    session.loaded();
    assert!(!text(&session.model).contains("still loading"), "it has been read");
    let mut session = full((80, 24));
    session.command(Command::OpenMostUrgent);
    (0..17).for_each(|_| {
        session.command(Command::LastSlice);
    });
    assert!(text(&session.model).contains("no more keys are kept"), "what is not done later is not said to be");
    let mut session = full((80, 24));
    session.command(Command::OpenMostUrgent).command(Command::LastSlice);
    session.send(Message::VolumeLoaded { study: uid(1), series: 0, result: Err("no".into()) });
    assert!(!text(&session.model).contains("as soon as"));
    session.loaded();
    assert_eq!(session.model.reading.expect("an open study").slice(), alone.slice(), "what failed keeps no keys");
}

#[test]
fn preliminary() {
    let mut session = full((80, 24));
    session.send(Message::Select(uid(4))).command(Command::Open).loaded();
    each_size("preliminary", &mut session);
    session.worker(WorkerEvent::Cancelled { study: uid(4), series: 0 }).send(Message::Resized(120, 30));
    keep("reading_paused_120x30", &text(&session.model));
}

#[test]
fn levels_that_are_not_in_the_scan() {
    let mut session = Session::with_network((80, 24));
    session.found(plain(1)).scanned(140);
    session.analysed(1, 140, [Some(0.01), Some(0.04), Some(0.02), Some(0.01), Some(0.06), Some(0.05), None]);
    session.command(Command::Open).loaded();
    each_size("without_c7", &mut session);
}

#[test]
fn levels_that_the_scan_cuts_off() {
    let mut cut = (*report(1, 140, [Some(0.01); 7], Completeness::Final)).clone();
    if let LevelOutcome::Seen { extent, .. } = &mut cut.levels[CervicalLevel::C7].outcome {
        *extent = LevelExtent::CutOff;
    }
    let mut session = Session::with_network((120, 30));
    session.found(plain(1)).scanned(140).started(1).finished(1, Analysis::Analysed(Arc::new(cut)));
    assert!(text(&session.model).contains("C7 partly in the scan"), "{}", text(&session.model));
    session.command(Command::Open).loaded();
    let screen = text(&session.model);
    assert!(screen.contains("partly in the scan: C7") && screen.contains("C7…"), "{screen}");
}

#[test]
fn no_number() {
    let mut session = Session::with_network((80, 24));
    session.found(plain(1)).scanned(140).command(Command::Open).loaded();
    each_size("waiting", &mut session);
    session.send(Message::Resized(120, 30)).started(1);
    keep("reading_started_120x30", &text(&session.model));
    session.progress(1, 64, 140);
    keep("reading_analysing_120x30", &text(&session.model));
    session.finished(1, Analysis::Failed("slice 7 cannot be decoded".into()));
    each_size("failed", &mut session);
    session.finished(1, Analysis::NotAnalysed(NotAnalysed::NoCervicalSpine));
    each_size("refused", &mut session);
    session.worker(WorkerEvent::ModelUnavailable(
        "/usr/lib/libonnxruntime.so cannot be loaded as ONNX Runtime: no such file; name another with ORT_DYLIB_PATH"
            .into(),
    ));
    each_size("no_runtime", &mut session);
}

#[test]
fn oddities_and_another_series() {
    let mut session = Session::with_network((80, 24));
    let mut two = study(1, "PHANTOM^One", 73, Sex::Female, "CT C-spine native", 140);
    two.series.push(series(1, 1, SeriesKind::Unpositioned, 70));
    for instance in &mut two.series[1].instances {
        instance.plane = None;
        instance.spacing = None;
    }
    two.series[1].stack = None;
    session.found(two).scanned(210).analysed(1, 140, BROKEN).command(Command::Open).command(Command::NextSeries);
    session.loaded_with(&[Oddity::NoPositions, Oddity::NoPixelSpacing, Oddity::BadWindow]);
    each_size("odd", &mut session);
}

#[test]
fn no_ct() {
    let mut session = Session::with_network((120, 30));
    let mut mr = study(1, "PHANTOM^One", 73, Sex::Female, "MR cervical", 20);
    mr.series = vec![series(1, 0, SeriesKind::Sagittal, 20)];
    mr.series[0].modality = Modality::Other(CleanText::new("MR"));
    session.found(mr).scanned(20).command(Command::Open).loaded().commands(&["next-plane"]);
    keep("reading_mr_120x30", &text(&session.model));
}

#[test]
fn zoomed_inverted_and_without_texts() {
    let mut session = opened((120, 30));
    session.commands(&["zoom-in", "zoom-in", "invert", "window-soft", "next-plane"]);
    keep("reading_zoomed_120x30", &text(&session.model));
    session.commands(&["toggle-texts"]);
    keep("reading_without_texts_120x30", &text(&session.model));
}

#[test]
fn a_report_that_is_final_says_so_without_colour() {
    let mut session = Session::with_network((120, 30));
    session.found(plain(1)).scanned(140).analysed(1, 140, WHOLE).command(Command::Open).loaded();
    let calm = text(&session.model);
    assert!(!calm.contains('!') && !calm.contains('~'), "{calm}");
    session.analysed(1, 140, BROKEN);
    assert!(text(&session.model).contains("! 81 %"));
    session.started(1).partial(1, report(1, 140, BROKEN, Completeness::Preliminary { done: 100, total: 140 }));
    assert!(text(&session.model).contains("~81 %"));
}

#[test]
fn help_tells_every_command_whole() {
    for size in [(80, 24), (120, 30), (60, 16)] {
        for screen in [Screen::Worklist, Screen::Reading] {
            let mut session = if screen == Screen::Reading { opened(size) } else { full(size) };
            let mut pages = String::new();
            session.command(Command::Help);
            for number in 1..=session.model.help_pages().len() {
                let page = text(&session.model);
                session.send(Message::Help(HelpKey::Forward));
                keep(&format!("help_{screen:?}_{}x{}_{number}", size.0, size.1), &page);
                assert!(!page.contains("…  ") && !page.contains("… "), "{page}");
                pages.push_str(&page);
            }
            let count = pages.matches("keys of").count();
            assert!(size == (60, 16) || count <= 3, "{count} pages at {size:?}");
            for (keys, command) in Keymap::builtin().help(screen) {
                if matches!(command, Command::Level(_)) {
                    continue;
                }
                let first = keys.split(' ').next().expect("a key");
                let told = pages.lines().any(|line| line.contains(command.help()) && line.contains(first));
                assert!(told, "{} at {size:?}:\n{pages}", command.name());
            }
            assert_eq!(pages.contains("1…7"), screen == Screen::Reading);
        }
    }
}

#[test]
fn too_small_a_window_says_what_it_needs() {
    for size in [(50, 10), (59, 40), (200, 15)] {
        let session = opened(size);
        let shown = text(&session.model);
        assert_eq!(drawn(&session.model, &Theme::default()).1, cspine::ui::Layout::default());
        assert!(shown.contains("60 × 16"), "{shown}");
    }
    keep("too_small_50x10", &text(&opened((50, 10)).model));
}

#[test]
fn an_image_that_the_terminal_refuses_is_named_in_its_place_with_the_reason_and_what_to_do() {
    let mut session = opened((120, 30));
    let before = text(&session.model);
    session.send(Message::PictureRefused { slot: 0, reason: "the terminal has no room for it".into() });
    let refused = text(&session.model);
    assert!(refused.contains("Image not shown: the terminal has no room for it. ctrl-l"), "{refused}");
    session.send(Message::PictureWanted(0));
    assert_eq!(text(&session.model), before, "another image is wanted there");
    session.send(Message::PictureRefused { slot: 0, reason: "the terminal does not keep it".into() });
    session.command(Command::Redraw);
    assert!(!text(&session.model).contains("not shown"), "it is sent again");
}
