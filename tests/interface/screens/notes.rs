//! Notes and reasons: long ones, of several lines, and none that is cut.

use crate::screens::decisions::{kept, queue, wanted};
use crate::screens::{keep, text};
use crate::support::model::Session;
use cspine::app::{Command, Motion, PromptKey};
use cspine::domain::{Act, NoteText};

fn writing() -> Session {
    let mut session = queue((120, 30));
    session.command(Command::OpenMostUrgent).loaded().command(Command::Note);
    session
}

fn typed(session: &Session) -> String {
    session.model.prompt.as_ref().map(|prompt| prompt.text().to_owned()).unwrap_or_default()
}

#[test]
fn a_note_has_lines_and_is_saved_whole() {
    let mut session = writing();
    let long = "the posterior arch of C1 is not fused, which is a variant and no fracture; ".repeat(12);
    session.key(PromptKey::Text(long.clone())).key(PromptKey::LineBreak).type_text("NOT stable until MRI");
    keep("note_120x30", &text(&session.model));
    assert!(text(&session.model).contains("NOT stable until MRI"), "what is typed is seen");
    session.key(PromptKey::Enter);
    let whole = format!("{}\nNOT stable until MRI", long);
    assert_eq!(wanted(&session).1.act, Act::Note { text: NoteText::new(&whole) });
    kept(&mut session, 1);
    let note = session.model.decisions.of(&crate::support::model::uid(1)).and_then(|decision| decision.note.clone());
    assert_eq!(note.map(|note| note.what.to_string()), Some(whole.clone()));
    let last = text(&session.model).lines().last().unwrap_or_default().to_owned();
    assert!(last.contains("note: the posterior arch") && last.contains("… · PHANTOM, N01 · saved"), "{last}");
    session.command(Command::Note);
    assert_eq!(typed(&session), whole, "a note is changed, not written over");
}

#[test]
fn what_does_not_fit_is_refused_with_a_word() {
    let mut session = writing();
    session.key(PromptKey::Text("x".repeat(3990)));
    session.key(PromptKey::Text("y".repeat(11)));
    assert_eq!(typed(&session), "x".repeat(3990), "nothing of it is taken");
    let shown = text(&session.model);
    assert!(shown.contains("not pasted: 11 characters, and 10 of 4000 are left; nothing was cut"), "{shown}");
    keep("note_too_long_120x30", &shown);
    session.key(PromptKey::Text("y".repeat(10))).type_text("z");
    assert_eq!(typed(&session).len(), 4000);
    assert!(text(&session.model).contains("4000/4000"), "{}", text(&session.model));
    assert!(text(&session.model).contains("4000 characters are the most"), "{}", text(&session.model));
}

#[test]
fn escape_asks_before_it_discards_a_text() {
    let mut session = writing();
    session.type_text("dens").key(PromptKey::Escape);
    assert_eq!(typed(&session), "dens");
    assert!(text(&session.model).contains("Esc again discards 4 characters"), "{}", text(&session.model));
    session.type_text(",").key(PromptKey::Escape);
    assert_eq!(typed(&session), "dens,", "another key in between: asked again");
    session.key(PromptKey::Escape);
    assert!(session.model.prompt.is_none() && session.model.reading.is_some());
    session.command(Command::Note).key(PromptKey::Escape);
    assert!(session.model.prompt.is_none(), "nothing to lose");
}

#[test]
fn the_cursor_moves_and_words_are_deleted() {
    let mut session = writing();
    session.type_text("stable until MRI").key(PromptKey::Go(Motion::Home)).type_text("NOT ");
    session.key(PromptKey::Go(Motion::End)).key(PromptKey::Delete(Motion::WordLeft)).type_text("CT");
    assert_eq!(typed(&session), "NOT stable until CT");
}
