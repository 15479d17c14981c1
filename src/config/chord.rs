//! A key with its modifiers, as settings write it and as a terminal sends it.

use super::nearest;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::fmt;
use std::str::FromStr;

/// Names of keys that are no character; the first name of a code is the one that is shown.
const NAMED: &[(&str, KeyCode)] = &[
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("return", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("escape", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("page-up", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("page-down", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
];

const MODIFIERS: [(&str, KeyModifiers); 3] =
    [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)];

/// A key with its modifiers, in one form only: `J` has no shift of its own, `ctrl-d` is a small letter, `shift-tab` is tab.
///
/// It is written as `j`, `J`, `?`, `ctrl-d`, `alt-x`, `shift-tab`, `space`, `enter`, `esc`, `up`, `pgdn`, `home`, `f1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Chord {
    /// `ctrl-c`, which always leaves the program.
    pub const QUIT: Self = Self { code: KeyCode::Char('c'), modifiers: KeyModifiers::CONTROL };

    /// The chord of an event; `None` for releases, for keys that have no name here and for other modifiers.
    #[must_use]
    pub fn of(event: &KeyEvent) -> Option<Self> {
        let ours = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let nameable = match event.code {
            KeyCode::Char(character) => !character.is_control(),
            KeyCode::F(_) | KeyCode::BackTab => true,
            code => NAMED.iter().any(|(_, named)| *named == code),
        };
        (nameable && event.kind != KeyEventKind::Release && ours.contains(event.modifiers))
            .then(|| Self::normal(event.code, event.modifiers))
    }

    /// Terminals differ in whether they report shift beside a character that it made; the character alone is kept.
    fn normal(code: KeyCode, mut modifiers: KeyModifiers) -> Self {
        let code = match code {
            KeyCode::BackTab => {
                modifiers |= KeyModifiers::SHIFT;
                KeyCode::Tab
            }
            KeyCode::Char(letter) if letter.is_alphabetic() => {
                if modifiers.contains(KeyModifiers::CONTROL) {
                    KeyCode::Char(single(letter, letter.to_lowercase()))
                } else if modifiers.contains(KeyModifiers::SHIFT) {
                    modifiers -= KeyModifiers::SHIFT;
                    KeyCode::Char(single(letter, letter.to_uppercase()))
                } else {
                    code
                }
            }
            KeyCode::Char(_) => {
                modifiers -= KeyModifiers::SHIFT;
                code
            }
            other => other,
        };
        Self { code, modifiers }
    }

    /// How hints show it: as written, with one sign for enter, space and the arrows.
    #[must_use]
    pub fn short(&self) -> String {
        let sign = match self.code {
            KeyCode::Enter => "⏎",
            KeyCode::Char(' ') => "␣",
            KeyCode::Up => "↑",
            KeyCode::Down => "↓",
            KeyCode::Left => "←",
            KeyCode::Right => "→",
            _ => return self.to_string(),
        };
        format!("{}{sign}", self.prefix())
    }

    /// The digit that it is, without modifiers.
    pub(crate) fn digit(self) -> Option<u32> {
        match self.code {
            KeyCode::Char(character) if self.modifiers.is_empty() => character.to_digit(10),
            _ => None,
        }
    }

    /// The same key with Alt, or with Ctrl beside it where it has Alt already.
    pub(crate) fn with_alt(self) -> Self {
        let alt = KeyModifiers::ALT;
        let more = if self.modifiers.contains(alt) { KeyModifiers::CONTROL } else { alt };
        Self::normal(self.code, self.modifiers | more)
    }

    /// The other key that sends the same byte in terminals without a keyboard protocol of their own (ECMA-48's control characters).
    pub(crate) fn twin(self) -> Option<Self> {
        let plain = |code| Self { code, modifiers: self.modifiers - KeyModifiers::CONTROL };
        match self.code {
            KeyCode::Char(letter) if self.modifiers.contains(KeyModifiers::CONTROL) => match letter {
                'i' => Some(plain(KeyCode::Tab)),
                'm' => Some(plain(KeyCode::Enter)),
                'h' => Some(plain(KeyCode::Backspace)),
                '[' => Some(plain(KeyCode::Esc)),
                _ => None,
            },
            _ => None,
        }
    }

    fn prefix(&self) -> String {
        MODIFIERS.iter().filter(|(_, modifier)| self.modifiers.contains(*modifier)).map(|(name, _)| *name).collect()
    }
}

/// What a change of case gives, where it gives one letter.
fn single(letter: char, mut changed: impl Iterator<Item = char>) -> char {
    match (changed.next(), changed.next()) {
        (Some(only), None) => only,
        _ => letter,
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix())?;
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(character)) => write!(f, "{character}"),
            (None, code) => write!(f, "{}", code.to_string().to_lowercase()),
        }
    }
}

impl FromStr for Chord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        while let Some((name, modifier)) = MODIFIERS.into_iter().find(|(name, _)| rest.starts_with(name)) {
            if modifiers.contains(modifier) {
                return Err(format!("{text:?} names {:?} twice", name.trim_end_matches('-')));
            }
            modifiers |= modifier;
            rest = &rest[name.len()..];
        }
        let mut characters = rest.chars();
        let code = match (characters.next(), characters.next()) {
            (Some(only), None) if !only.is_control() && !only.is_whitespace() => KeyCode::Char(only),
            _ => named(rest).ok_or_else(|| unknown(text, rest))?,
        };
        match code {
            KeyCode::Char(sign) if modifiers.contains(KeyModifiers::SHIFT) && !sign.is_alphabetic() => Err(format!(
                "{text:?} cannot be distinguished from other keys; write the character that shift makes, or choose another key"
            )),
            _ => Ok(Self::normal(code, modifiers)),
        }
    }
}

fn named(name: &str) -> Option<KeyCode> {
    let function = || name.strip_prefix('f')?.parse().ok().filter(|number| (1..=24).contains(number)).map(KeyCode::F);
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, code)| *code).or_else(function)
}

fn unknown(text: &str, rest: &str) -> String {
    match nearest(rest, NAMED.iter().map(|(name, _)| *name)) {
        Some(near) => format!("{text:?} is not a key; did you mean {:?}?", text.replace(rest, near)),
        None => {
            format!("{text:?} is not a key; keys are written as \"j\", \"J\", \"ctrl-d\", \"shift-tab\" or \"pgdn\"")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(text: &str) -> Chord {
        text.parse().expect("a chord")
    }

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Option<Chord> {
        Chord::of(&KeyEvent::new(code, modifiers))
    }

    #[test]
    fn every_way_in_which_terminals_report_a_key_is_one_chord() {
        let (none, shift, ctrl, alt) =
            (KeyModifiers::NONE, KeyModifiers::SHIFT, KeyModifiers::CONTROL, KeyModifiers::ALT);
        for (code, modifiers, written) in [
            (KeyCode::Char('j'), none, "j"),
            (KeyCode::Char('J'), none, "J"),
            (KeyCode::Char('J'), shift, "J"),
            (KeyCode::Char('j'), shift, "shift-j"),
            (KeyCode::Char('Ö'), shift, "Ö"),
            (KeyCode::Char('?'), shift, "?"),
            (KeyCode::Char(' '), shift, "space"),
            (KeyCode::Char('D'), ctrl, "ctrl-d"),
            (KeyCode::Char('d'), ctrl, "ctrl-D"),
            (KeyCode::Char('X'), alt | shift, "alt-X"),
            (KeyCode::BackTab, none, "shift-tab"),
            (KeyCode::BackTab, shift, "shift-tab"),
            (KeyCode::Tab, shift, "shift-tab"),
            (KeyCode::Left, shift, "shift-left"),
            (KeyCode::PageDown, none, "page-down"),
            (KeyCode::F(11), none, "f11"),
            (KeyCode::Char('-'), ctrl, "ctrl--"),
        ] {
            assert_eq!(pressed(code, modifiers), Some(chord(written)), "{written}");
        }
        assert_ne!(chord("J"), chord("j"));
        assert_ne!(chord("ctrl-shift-c"), Chord::QUIT);
        assert_eq!(pressed(KeyCode::Char('j'), KeyModifiers::SUPER), None);
        assert_eq!(pressed(KeyCode::CapsLock, none), None);
    }

    #[test]
    fn releases_are_no_chords() {
        let release = KeyEvent::new_with_kind(KeyCode::Char('j'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(Chord::of(&release), None);
    }

    #[test]
    fn what_is_shown_can_be_written() {
        for text in ["j", "J", "ctrl-d", "alt-x", "shift-tab", "space", "enter", "pgdn", "f1", "?", "-", "ctrl--", "é"]
        {
            assert_eq!(chord(text).to_string(), text);
        }
        assert_eq!(chord("ctrl-alt-shift-up").short(), "ctrl-alt-shift-↑");
        assert_eq!(chord("return").short(), "⏎");
    }

    #[test]
    fn a_slip_is_named_with_what_was_meant() {
        let error = |text: &str| text.parse::<Chord>().expect_err("no chord");
        assert!(error("ctrl-PgDn").contains("did you mean \"ctrl-pgdn\"?"));
        assert!(error("backspce").contains("did you mean \"backspace\"?"));
        assert!(error("ctrl-ctrl-x").contains("twice"));
        for text in ["", "ctrl-", "f0", "f25", "hyper-x", " ", "\u{7}", "shift-1"] {
            assert!(text.parse::<Chord>().is_err(), "{text:?}");
        }
    }
}
