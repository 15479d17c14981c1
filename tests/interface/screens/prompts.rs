//! Prompts and lists on the reading screen: the images stay as they are.

use crate::screens::decisions::queue;
use crate::screens::{drawn, keep, lines, text};
use crate::support::model::Session;
use cspine::app::{Command, LevelQuestion, Motion, Prompt, PromptKey, PromptKind};
use cspine::domain::{CervicalLevel, LevelVerdict, RejectionReason};
use cspine::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const SIZES: [(u16, u16); 7] = [(250, 80), (160, 45), (140, 34), (120, 24), (100, 30), (80, 24), (60, 16)];

/// All that asks for something while a study is open.
fn kinds() -> Vec<PromptKind> {
    let questions = [
        LevelQuestion::Verdict(LevelVerdict::Fractured),
        LevelQuestion::Verdict(LevelVerdict::NotAssessable),
        LevelQuestion::Agree,
        LevelQuestion::Disagree,
    ];
    let others = [
        PromptKind::Palette,
        PromptKind::Filter,
        PromptKind::Measurements,
        PromptKind::KeyImages,
        PromptKind::Comment,
        PromptKind::Note,
        PromptKind::Defer,
        PromptKind::Reason(CervicalLevel::C6),
    ];
    others.into_iter().chain(questions.map(PromptKind::Level)).collect()
}

fn open(size: (u16, u16)) -> Session {
    let mut session = queue(size);
    session.command(Command::OpenMostUrgent).loaded();
    session
}

fn cells(buffer: &Buffer, area: Rect) -> Vec<&ratatui::buffer::Cell> {
    area.positions().map(|place| &buffer[place]).collect()
}

/// Draws with and without the prompt: the same images at the same places, with nothing over them.
fn assert_images_stay(session: &mut Session, what: &str) {
    let prompt = session.model.prompt.take();
    let (bare, before) = drawn(&session.model, &Theme::default());
    session.model.prompt = prompt;
    let (covered, after) = drawn(&session.model, &Theme::default());
    assert!(!before.panes.is_empty(), "{what}: no image to lose");
    assert_eq!(before.panes, after.panes, "{what}:\n{}", lines(&covered).join("\n"));
    for pane in &after.panes {
        assert!(
            cells(&bare, pane.area) == cells(&covered, pane.area),
            "{what} writes over an image:\n{}",
            lines(&covered).join("\n")
        );
    }
}

#[test]
fn no_prompt_and_no_list_takes_an_image_away() {
    for size in SIZES {
        for prepare in
            [&[][..], &["toggle-panel"], &["toggle-texts"], &["toggle-planes"], &["toggle-texts", "toggle-panel"]]
        {
            let mut session = open(size);
            session.commands(prepare);
            session.model.notice = None;
            for kind in kinds() {
                let what = format!("{kind:?} at {size:?} after {prepare:?}");
                session.model.prompt = Some(Prompt::new(kind));
                assert_images_stay(&mut session, &what);
                let long = "posterior arch, not fused ".repeat(40);
                session.model.prompt = Some(Prompt::with_text(kind, &long));
                assert_images_stay(&mut session, &format!("{what}, with a long text"));
                // The notice is as long as a status bar takes.
                session.key(PromptKey::Escape);
                session.model.prompt = Some(Prompt::with_text(kind, &long));
                assert_images_stay(&mut session, &format!("{what}, with a notice"));
                (session.model.prompt, session.model.notice) = (None, None);
            }
        }
    }
}

#[test]
fn what_is_asked_and_typed_is_on_the_screen_at_every_size() {
    for size in SIZES {
        let mut session = open(size);
        session.command(Command::Level(CervicalLevel::C2)).command(Command::Disagree);
        let shown = text(&session.model);
        assert!(shown.contains("C2 not fractured, because:"), "{size:?}\n{shown}");
        for reason in RejectionReason::ALL {
            assert!(shown.contains(reason.name()), "{size:?}: {}\n{shown}", reason.name());
        }
        session.key(PromptKey::Escape).command(Command::Defer).type_text("ask neuro");
        let shown = text(&session.model);
        assert!(shown.contains("defer, because") && shown.contains("ask neuro"), "{size:?}\n{shown}");
        session.key(PromptKey::Escape).key(PromptKey::Escape).command(Command::Palette).type_text("next-sus");
        let shown = text(&session.model);
        assert!(shown.contains(":next-sus") && shown.contains("next-suspicion"), "{size:?}\n{shown}");
        session
            .key(PromptKey::Escape)
            .command(Command::Note)
            .type_text("dens")
            .key(PromptKey::LineBreak)
            .type_text("MRI");
        assert!(text(&session.model).contains("MRI"), "{size:?}\n{}", text(&session.model));
    }
}

#[test]
fn the_marked_offer_is_always_on_the_screen() {
    for size in SIZES {
        let mut session = open(size);
        session.command(Command::Palette);
        for _ in 0..40 {
            session.key(PromptKey::Go(Motion::Down));
        }
        let selected = session.model.prompt.as_ref().map_or(0, |prompt| prompt.selected);
        let name = session.model.offers()[selected].name.clone();
        assert!(selected == 40 && text(&session.model).contains(&name), "{size:?}: {name}\n{}", text(&session.model));
    }
}

#[test]
fn answers_beside_each_other_are_marked_with_left_and_right() {
    let mut session = open((80, 24));
    session.command(Command::Level(CervicalLevel::C2)).command(Command::Disagree);
    let marked = |session: &Session| session.model.prompt.as_ref().map(|prompt| prompt.selected);
    session.key(PromptKey::Go(Motion::Right)).key(PromptKey::Go(Motion::Right)).key(PromptKey::Go(Motion::Left));
    assert_eq!(marked(&session), Some(1));
    session.key(PromptKey::Go(Motion::Left)).key(PromptKey::Go(Motion::Left));
    assert_eq!(marked(&session), Some(0));
}

#[test]
fn each_prompt_as_it_looks() {
    for size in [(160, 45), (120, 40), (80, 24)] {
        let keep_one = |name: &str, session: &Session| {
            keep(&format!("prompt_{name}_{}x{}", size.0, size.1), &text(&session.model));
        };
        let mut session = open(size);
        session.command(Command::Palette);
        keep_one("palette", &session);
        session.key(PromptKey::Escape);
        session.model.prompt = Some(Prompt::new(PromptKind::Level(LevelQuestion::Verdict(LevelVerdict::Fractured))));
        keep_one("level", &session);
        session.model.prompt = None;
        session.command(Command::Level(CervicalLevel::C2)).command(Command::Disagree);
        keep_one("reason", &session);
        session.key(PromptKey::Escape).command(Command::Defer);
        keep_one("defer", &session);
        session
            .key(PromptKey::Escape)
            .command(Command::Note)
            .type_text("dens")
            .key(PromptKey::LineBreak)
            .type_text("MRI");
        keep_one("note", &session);
        session.key(PromptKey::Escape).key(PromptKey::Escape).command(Command::KeyImage).command(Command::LastSlice);
        session.command(Command::KeyImage).command(Command::KeyImages);
        session.model.notice = None;
        keep_one("key_images", &session);
    }
}
