//! What users press is what is executed.

use super::*;
use crate::app::{LevelQuestion, Prompt, PromptKind, update};

const NONE: KeyModifiers = KeyModifiers::NONE;

/// The worklist, before any study.
fn worklist() -> Model {
    Model::new("made", (120, 30), "none")
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Keystroke {
    KeyEvent::new(code, modifiers).into()
}

fn letter(c: char) -> Keystroke {
    key(KeyCode::Char(c), NONE)
}

/// An escape byte and a character in one burst.
fn burst(c: char) -> Keystroke {
    Keystroke { after_escape: true, ..key(KeyCode::Char(c), KeyModifiers::ALT) }
}

/// Types as the program does, and gives the names of what was executed or the words of what was not.
fn typed(model: &mut Model, stroke: Keystroke) -> Vec<String> {
    let keymap = Keymap::builtin();
    let mut done = Vec::new();
    for stroke in apart(stroke, model, &keymap) {
        for message in messages(&stroke, model, &keymap) {
            done.push(match &message {
                Message::Command(command) | Message::Digit(_, Some(command)) => command.name().to_owned(),
                Message::Unbound(words) => words.clone(),
                other => format!("{other:?}"),
            });
            update(model, message);
        }
    }
    done
}

#[test]
fn an_escape_byte_and_a_key_are_a_chord_where_that_does_something_and_else_two_keys() {
    let keymap = Keymap::builtin();
    let model = worklist();
    // Nothing is on alt-q: GNU screen's way of sending Esc and then q.
    assert_eq!(apart(burst('q'), &model, &keymap), [Keystroke::escape(), letter('q')]);
    // On the reading screen alt-h moves the cursor.
    assert_eq!(command(&keymap, Screen::Reading, &burst('h')), Some(Command::CursorLeft));
    // Alt itself, by a terminal that reports it, is no Esc.
    let alt = Keystroke { caps_lock: Some(false), ..key(KeyCode::Char('q'), KeyModifiers::ALT) };
    assert_eq!(apart(alt.clone(), &model, &keymap), [alt]);
}

#[test]
fn in_a_prompt_esc_closes_it_and_the_key_behind_it_acts() {
    let mut model = worklist();
    typed(&mut model, letter('/'));
    assert!(model.prompt.is_some());
    assert_eq!(typed(&mut model, burst('o')), ["Prompt(Escape)", "order"]);
    assert!(model.prompt.is_none());
}

#[test]
fn a_layout_of_another_script_works_by_the_place_of_its_keys() {
    let mut model = worklist();
    let cyrillic = |c, base| Keystroke {
        base: Some(KeyEvent::new(KeyCode::Char(base), NONE)),
        text: Some(String::from(c)),
        ..letter(c)
    };
    assert_eq!(typed(&mut model, cyrillic('о', 'j')), ["down"]);
    // Ctrl-C leaves, whatever the layout.
    let control = Keystroke {
        base: Some(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)),
        ..key(KeyCode::Char('с'), KeyModifiers::CONTROL)
    };
    assert_eq!(typed(&mut model, control), ["quit"]);
    // A Latin letter of another layout is no other key.
    assert_eq!(typed(&mut model, cyrillic('ö', ';')), ["no command on 'ö' here; ? lists the keys"]);
    // The letter that the layout has, where the US layout has another one.
    assert_eq!(
        typed(&mut model, Keystroke { base: Some(KeyEvent::new(KeyCode::Char('q'), NONE)), ..letter('o') }),
        ["order"]
    );
    // In a prompt it is text, and so is what Caps Lock makes.
    typed(&mut model, letter('/'));
    typed(&mut model, cyrillic('о', 'j'));
    typed(&mut model, Keystroke { text: Some("F".into()), caps_lock: Some(true), ..letter('f') });
    assert_eq!(model.prompt.as_ref().map(|prompt| prompt.text()), Some("оF"));
}

#[test]
fn a_key_without_a_command_says_so() {
    let mut model = worklist();
    assert_eq!(typed(&mut model, letter('о')), ["this layout sends 'о', which has no command; see :keys"]);
    assert_eq!(typed(&mut model, letter('Z')), ["no command on 'Z' here; ? lists the keys"]);
    assert_eq!(
        model.notice.as_ref().map(|notice| notice.text.as_str()),
        Some("no command on 'Z' here; ? lists the keys")
    );
    assert_eq!(typed(&mut model, key(KeyCode::F(5), NONE)), ["no command on 'f5' here; ? lists the keys"]);
    assert_eq!(typed(&mut model, Keystroke::escape()), ["cancel"], "Esc may always be pressed");
}

#[test]
fn keys_that_only_the_protocol_tells_apart_do_what_they_do_without_it() {
    let mut model = worklist();
    typed(&mut model, letter('/'));
    typed(&mut model, letter('x'));
    let with = |code, modifiers| Keystroke { caps_lock: Some(false), ..key(code, modifiers) };
    let (control, shift) = (KeyModifiers::CONTROL, KeyModifiers::SHIFT);
    typed(&mut model, with(KeyCode::Char('h'), control));
    assert_eq!(model.prompt.as_ref().map(|prompt| prompt.text()), Some(""));
    assert_eq!(typed(&mut model, with(KeyCode::Char('['), control)), ["Prompt(Escape)"]);
    assert_eq!(typed(&mut model, with(KeyCode::Enter, shift)), ["open"]);
    assert_eq!(typed(&mut model, with(KeyCode::Char('C'), control | shift)), ["quit"]);
}

#[test]
fn no_command_acts_under_help() {
    let mut model = worklist();
    assert_eq!(typed(&mut model, letter('?')), ["help"]);
    for stroke in ['x', 'd', 'P', '!', 'u', '5', 'o'].map(letter) {
        assert_eq!(typed(&mut model, stroke), [""; 0]);
    }
    assert_eq!(typed(&mut model, key(KeyCode::Char('p'), KeyModifiers::CONTROL)), [""; 0]);
    assert!(model.help.is_some() && model.decisions.pending().is_empty());
    assert_eq!(typed(&mut model, letter(' ')), ["Help(Forward)"]);
    // q is on the same key in a Cyrillic layout.
    let cyrillic = Keystroke { base: Some(letter('q').key), ..letter('й') };
    assert_eq!(typed(&mut model, cyrillic), ["Help(Close)"]);
    assert!(model.help.is_none());
}

#[test]
fn help_is_searched_and_esc_ends_the_search_before_help() {
    let mut model = worklist();
    for c in ['?', '/', 'p', 'i', 'n'] {
        typed(&mut model, letter(c));
    }
    assert_eq!(model.help.as_ref().map(|help| help.search.as_str()), Some("pin"));
    typed(&mut model, key(KeyCode::Enter, NONE));
    assert!(model.prompt.is_none());
    assert_eq!(model.help.as_ref().map(|help| help.search.as_str()), Some("pin"), "Enter keeps what was found");
    // GNU screen sends Esc and a key in one burst: both act.
    assert_eq!(typed(&mut model, burst('h')), ["Help(Escape)"]);
    assert_eq!(model.help.as_ref().map(|help| help.search.as_str()), Some(""));
    typed(&mut model, Keystroke::escape());
    assert!(model.help.is_none());
}

#[test]
fn pasted_text_is_no_answer_to_a_question_for_one_key() {
    let mut model = worklist();
    assert!(!model.takes_pasted_text());
    model.prompt = Some(Prompt::new(PromptKind::Filter));
    assert!(model.takes_pasted_text());
    model.prompt = Some(Prompt::new(PromptKind::Level(LevelQuestion::Agree)));
    assert!(!model.takes_pasted_text());
}

#[test]
fn caps_lock_is_told_once_and_changes_no_command() {
    let mut model = worklist();
    let with = |c: char, on| Keystroke { caps_lock: Some(on), text: Some(c.to_uppercase().collect()), ..letter(c) };
    assert_eq!(typed(&mut model, with('j', true)), ["CapsLock(true)", "down"]);
    assert!(model.caps_lock);
    assert_eq!(typed(&mut model, with('j', true)), ["down"]);
    assert_eq!(typed(&mut model, with('j', false)), ["CapsLock(false)", "down"]);
    assert!(!model.caps_lock);
    // A key that tells nothing of it changes nothing.
    typed(&mut model, with('j', true));
    typed(&mut model, letter('j'));
    assert!(model.caps_lock);
}
