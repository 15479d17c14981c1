//! Keys as messages: by the keymap, in a prompt as text, and in words where they do nothing.

use crate::app::{Command, HelpKey, Message, Model, Motion, PromptKey, Screen};
use crate::config::{Chord, Keymap};
use crate::terminal::Keystroke;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Characters from here on (Greek and what follows in Unicode) are of scripts other than Latin: a layout that types them cannot
/// type the keymap's letters, so the US layout's letter of the same key counts. Latin letters as `ö` are left alone: what they
/// type is no other key of this layout.
const OTHER_SCRIPTS: char = '\u{370}';

/// The keys that a keystroke is. An escape byte and a key are Alt with the key only where that does something; else, in a prompt
/// too, they are Esc and then the key, which GNU screen and slow connections deliver in one burst.
pub(super) fn apart(stroke: Keystroke, model: &Model, keymap: &Keymap) -> Vec<Keystroke> {
    let chord = if model.wants_text() {
        prompt_key(&stroke).is_some()
    } else if model.help.is_some() {
        help_message(&stroke, model.screen(), keymap).is_some()
    } else {
        command(keymap, model.screen(), &stroke).is_some()
    };
    if stroke.after_escape && !chord { vec![Keystroke::escape(), stroke.without_escape()] } else { vec![stroke] }
}

/// What a keystroke means in this state.
pub(super) fn messages(stroke: &Keystroke, model: &Model, keymap: &Keymap) -> Vec<Message> {
    let mut found = Vec::new();
    if let Some(on) = stroke.caps_lock.filter(|on| *on != model.caps_lock) {
        found.push(Message::CapsLock(on));
    }
    if model.wants_text() {
        found.extend(prompt_key(stroke).map(Message::Prompt));
        return found;
    }
    if model.help.is_some() {
        found.extend(help_message(stroke, model.screen(), keymap));
        return found;
    }
    if model.tool().is_some()
        && let Some(command) = tool_key(&stroke.key).or_else(|| tool_key(&without_protocol(&stroke.key)?))
    {
        found.push(Message::Command(command));
        return found;
    }
    if model.cine.running && is_space(&stroke.key) {
        found.push(Message::Command(Command::Cine));
        return found;
    }
    found.extend(match (digit(keymap, stroke), command(keymap, model.screen(), stroke)) {
        (Some(digit), command) => Some(Message::Digit(digit, command)),
        (_, Some(command)) if stroke.key.kind == KeyEventKind::Repeat => Some(Message::Held(command)),
        (_, Some(command)) => Some(Message::Command(command)),
        (_, None) => unbound(stroke, model.screen(), keymap).map(Message::Unbound),
    });
    found
}

/// What a key means while help is open: its own keys are the same in every profile, and of the commands only those act that do not
/// need to see the screen under it.
fn help_message(stroke: &Keystroke, screen: Screen, keymap: &Keymap) -> Option<Message> {
    let is_held = stroke.key.kind == KeyEventKind::Repeat;
    let by = |key: &KeyEvent| help_key(key).or_else(|| help_key(&without_protocol(key)?));
    let key = by(&stroke.key).or_else(|| on_us_layout(stroke).and_then(by));
    let message = match (key, command(keymap, screen, stroke)) {
        (Some(key), _) => Message::Help(key),
        (None, Some(Command::Help)) => Message::Help(HelpKey::Close),
        (None, Some(command @ (Command::Redraw | Command::Suspend | Command::NextTheme))) => Message::Command(command),
        (None, _) => return None,
    };
    let turns = matches!(message, Message::Help(HelpKey::Forward | HelpKey::Back));
    (turns || !is_held).then_some(message)
}

fn help_key(key: &KeyEvent) -> Option<HelpKey> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let control = key.modifiers == KeyModifiers::CONTROL;
    Some(match key.code {
        KeyCode::Char('c' | 'g') if control => HelpKey::Close,
        KeyCode::Char('f' | 'd' | 'v') if control => HelpKey::Forward,
        KeyCode::Char('b' | 'u') if control => HelpKey::Back,
        _ if !(key.modifiers - KeyModifiers::SHIFT).is_empty() => return None,
        KeyCode::Esc => HelpKey::Escape,
        KeyCode::Char('q' | '?') | KeyCode::F(1) => HelpKey::Close,
        KeyCode::Char('/') => HelpKey::Search,
        KeyCode::Char(' ' | 'j') | KeyCode::PageDown | KeyCode::Down | KeyCode::Right | KeyCode::Enter => {
            HelpKey::Forward
        }
        KeyCode::Char('k' | 'b') | KeyCode::PageUp | KeyCode::Up | KeyCode::Left | KeyCode::Backspace => HelpKey::Back,
        _ => return None,
    })
}

/// The key on the US layout, if the one typed is of another script.
fn on_us_layout(stroke: &Keystroke) -> Option<&KeyEvent> {
    let foreign = matches!(stroke.key.code, KeyCode::Char(c) if c >= OTHER_SCRIPTS);
    stroke.base.as_ref().filter(|_| foreign)
}

fn command(keymap: &Keymap, screen: Screen, stroke: &Keystroke) -> Option<Command> {
    let by = |key: &KeyEvent| keymap.command(screen, key).or_else(|| keymap.command(screen, &without_protocol(key)?));
    by(&stroke.key).or_else(|| on_us_layout(stroke).and_then(by))
}

/// The key that a terminal without the keyboard protocol sends instead: `ctrl-[` is Esc there, Shift and Enter is Enter.
fn without_protocol(key: &KeyEvent) -> Option<KeyEvent> {
    let (control, shift) = (KeyModifiers::CONTROL, KeyModifiers::SHIFT);
    let (code, dropped) = match key.code {
        KeyCode::Char('[') if key.modifiers == control => (KeyCode::Esc, control),
        KeyCode::Char('i') if key.modifiers == control => (KeyCode::Tab, control),
        KeyCode::Char('m') if key.modifiers == control => (KeyCode::Enter, control),
        KeyCode::Char('h') if key.modifiers == control => (KeyCode::Backspace, control),
        KeyCode::Char(_) if key.modifiers == control | shift => (key.code, shift),
        KeyCode::Enter | KeyCode::Backspace | KeyCode::Esc if key.modifiers == shift => (key.code, shift),
        _ => return None,
    };
    Some(KeyEvent { code, modifiers: key.modifiers - dropped, ..*key })
}

fn digit(keymap: &Keymap, stroke: &Keystroke) -> Option<u32> {
    keymap.digit(&stroke.key).or_else(|| on_us_layout(stroke).and_then(|key| keymap.digit(key)))
}

/// Words for a key that does nothing; `None` for Esc, which may always be pressed, and for keys that have no name.
fn unbound(stroke: &Keystroke, screen: Screen, keymap: &Keymap) -> Option<String> {
    let chord = Chord::of(&stroke.key).filter(|_| stroke.key.code != KeyCode::Esc)?;
    if let KeyCode::Char(c) = stroke.key.code
        && c >= OTHER_SCRIPTS
    {
        return Some(format!("this layout sends '{c}', which has no command; see :keys"));
    }
    let help = keymap.hint(screen, Command::Help).unwrap_or_else(|| ":keys".to_owned());
    Some(format!("no command on '{chord}' here; {help} lists the keys"))
}

/// Space pauses the cine loop in every profile.
fn is_space(key: &KeyEvent) -> bool {
    key.kind != KeyEventKind::Release && key.modifiers.is_empty() && key.code == KeyCode::Char(' ')
}

/// Keys that every profile has while something is measured: arrows move the cursor, Enter sets a place, Esc leaves.
fn tool_key(key: &KeyEvent) -> Option<Command> {
    if key.kind == KeyEventKind::Release || !key.modifiers.is_empty() {
        return None;
    }
    Some(match key.code {
        KeyCode::Left => Command::CursorLeft,
        KeyCode::Right => Command::CursorRight,
        KeyCode::Up => Command::CursorUp,
        KeyCode::Down => Command::CursorDown,
        KeyCode::Enter => Command::PlacePoint,
        KeyCode::Esc => Command::Cancel,
        _ => return None,
    })
}

/// Keys of a prompt. A line break is what every terminal can send (Ctrl-J is a line feed) and what most do (Alt or Shift with Enter).
fn prompt_key(stroke: &Keystroke) -> Option<PromptKey> {
    let key = &stroke.key;
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
    let key = if with_control { on_us_layout(stroke).unwrap_or(key) } else { key };
    // Shift with Enter is a key of its own here.
    let key = &without_protocol(key).filter(|_| key.code != KeyCode::Enter).unwrap_or(*key);
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    let word = control || alt;
    Some(match key.code {
        KeyCode::Enter if key.modifiers.is_empty() => PromptKey::Enter,
        KeyCode::Enter => PromptKey::LineBreak,
        KeyCode::Char('j') if control => PromptKey::LineBreak,
        KeyCode::Esc => PromptKey::Escape,
        KeyCode::Char('c' | 'g') if control => PromptKey::Escape,
        KeyCode::Char('n') if control => PromptKey::Go(Motion::Down),
        KeyCode::Char('p') if control => PromptKey::Go(Motion::Up),
        KeyCode::Backspace if word => PromptKey::Delete(Motion::WordLeft),
        KeyCode::Char('w') if control => PromptKey::Delete(Motion::WordLeft),
        KeyCode::Backspace => PromptKey::Delete(Motion::Left),
        KeyCode::Delete => PromptKey::Delete(if word { Motion::WordRight } else { Motion::Right }),
        KeyCode::Char('d') if control => PromptKey::Delete(Motion::Right),
        KeyCode::Char('k') if control => PromptKey::Delete(Motion::End),
        KeyCode::Char('u') if control => PromptKey::Delete(Motion::Home),
        KeyCode::Left => PromptKey::Go(if word { Motion::WordLeft } else { Motion::Left }),
        KeyCode::Right => PromptKey::Go(if word { Motion::WordRight } else { Motion::Right }),
        KeyCode::Char('b') if alt => PromptKey::Go(Motion::WordLeft),
        KeyCode::Char('f') if alt => PromptKey::Go(Motion::WordRight),
        KeyCode::Home => PromptKey::Go(Motion::Home),
        KeyCode::Char('a') if control => PromptKey::Go(Motion::Home),
        KeyCode::End => PromptKey::Go(Motion::End),
        KeyCode::Char('e') if control => PromptKey::Go(Motion::End),
        KeyCode::Tab => PromptKey::Tab,
        KeyCode::Down => PromptKey::Go(Motion::Down),
        KeyCode::Up => PromptKey::Go(Motion::Up),
        KeyCode::Char(c) if !control && !alt => PromptKey::Text(stroke.text.clone().unwrap_or_else(|| c.to_string())),
        _ => return None,
    })
}

#[cfg(test)]
#[path = "strokes_tests.rs"]
mod tests;
