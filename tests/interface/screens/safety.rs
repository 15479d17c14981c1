//! Nothing that could steer a terminal reaches the screen.

use crate::screens::drawn;
use crate::support::model::{Session, study, uid};
use cspine::app::{Command, Message};
use cspine::dicom::ScanSummary;
use cspine::domain::{Analysis, CleanText, NotAnalysed, Sex};
use cspine::inference::WorkerEvent;
use cspine::theme::Theme;
use proptest::prelude::*;

/// Controls of every kind: C0, C1, bidirectional, zero-width.
const HOSTILE: &str =
    "a\u{1b}]0;x\u{7}\u{9b}31mb\u{202e}c\u{2066}d\u{200f}e\u{200b}f\u{feff}g\u{0}h\u{7f}i\u{85}j\r\nk\tl\u{61c}m";

fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn assert_harmless(session: &Session) {
    let (buffer, _) = drawn(&session.model, &Theme::default());
    for cell in buffer.content() {
        assert!(!cell.symbol().chars().any(steers), "{:?}", cell.symbol());
    }
}

/// Shows a text in every place that text from outside can come to.
fn show_everywhere(text: &str) {
    for size in [(120, 30), (80, 24)] {
        let mut session = Session::new(size);
        session.model.source = text.to_owned();
        session.send(Message::Unreadable { path: text.to_owned(), reason: text.to_owned() });
        session.send(Message::ScanFinished(ScanSummary {
            files: 3,
            dicom: 1,
            not_dicom: 2,
            unreadable: 1,
            unchanged: 0,
        }));
        assert_harmless(&session);
        session.send(Message::ScanFailed(text.to_owned().into()));
        assert_harmless(&session);
        let mut one = study(1, text, 40, Sex::Other, text, 140);
        one.accession = CleanText::new(text);
        one.series[0].kernel = CleanText::new(text);
        one.series[0].description = CleanText::new(text);
        session.found(one).send(Message::Trouble(text.to_owned().into()));
        assert_harmless(&session);
        session.send(Message::Notice(text.to_owned().into()));
        assert_harmless(&session);
        session.send(Message::ThemeChanged(text.to_owned()));
        assert_harmless(&session);
        for command in [Command::Filter, Command::Palette] {
            session.command(command).send(Message::Prompt(cspine::app::PromptKey::Text(text.to_owned())));
            assert_harmless(&session);
            session.key(cspine::app::PromptKey::Enter);
            assert_harmless(&session);
            // What the palette found may cover the screen or ask for more.
            (session.model.help, session.model.prompt) = (None, None);
        }
        // A word may have been a command.
        session.model.help = None;
        session.command(Command::Close);
        for analysis in [
            Analysis::Failed(text.to_owned().into()),
            Analysis::NotAnalysed(NotAnalysed::NotCt(text.to_owned())),
            Analysis::NotAnalysed(NotAnalysed::Unsupported(text.to_owned())),
        ] {
            session.finished(1, analysis);
            session.model.notice = None;
            assert_harmless(&session);
            session.command(Command::Open);
            assert_harmless(&session);
            session.send(Message::VolumeLoaded { study: uid(1), series: 0, result: Err(text.to_owned().into()) });
            assert_harmless(&session);
            session.loaded();
            assert_harmless(&session);
            session.command(Command::Close);
        }
        session.worker(WorkerEvent::ModelUnavailable(text.to_owned()));
        assert_harmless(&session);
        session.command(Command::Open);
        assert_harmless(&session);
    }
}

#[test]
fn known_attacks_do_not_reach_the_screen() {
    show_everywhere(HOSTILE);
}

#[test]
fn what_is_harmless_in_a_notice_stays() {
    let mut session = Session::new((80, 24));
    session.send(Message::Trouble(HOSTILE.into()));
    assert!(
        crate::screens::text(&session.model).contains("a]0;x31mbcdefghi j k lm"),
        "{}",
        crate::screens::text(&session.model)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_text_reaches_the_screen_unclean(raw in any::<String>(), places in prop::collection::vec(0_usize..HOSTILE.len(), 0..4)) {
        let mut text = raw;
        for place in places {
            text.extend(HOSTILE.chars().skip(place).take(3));
        }
        show_everywhere(&text);
    }
}
