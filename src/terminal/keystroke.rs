//! A key as the terminal reported it: by the layout in use, by the US layout, and as text.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key as the terminal reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keystroke {
    /// The key by the layout in use. Caps Lock does not change it.
    pub key: KeyEvent,
    /// The same key of the keyboard on a US layout, if the terminal reports it and it types another character.
    pub base: Option<KeyEvent>,
    /// The text that it types, if the terminal reports it; Caps Lock and dead keys included.
    pub text: Option<String>,
    /// An escape byte and a key came in one burst: Alt with the key, or Esc and then the key. [`Keystroke::key`] has Alt.
    pub after_escape: bool,
    /// Whether Caps Lock is on, if the terminal reports it.
    pub caps_lock: Option<bool>,
}

impl From<KeyEvent> for Keystroke {
    fn from(key: KeyEvent) -> Self {
        Self { key, base: None, text: None, after_escape: false, caps_lock: None }
    }
}

impl Keystroke {
    /// A key right after an escape byte.
    pub(super) fn escaped(mut key: KeyEvent) -> Self {
        key.modifiers |= KeyModifiers::ALT;
        Self { after_escape: true, ..Self::from(key) }
    }

    /// The Esc key.
    #[must_use]
    pub fn escape() -> Self {
        Self::from(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE))
    }

    /// The key alone, without the Alt that an escape byte before it may have meant.
    #[must_use]
    pub fn without_escape(mut self) -> Self {
        if self.after_escape {
            self.key.modifiers -= KeyModifiers::ALT;
            self.after_escape = false;
        }
        self
    }
}
