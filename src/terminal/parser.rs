//! Bytes from the terminal become keys, mouse events, pasted text and answers.
//!
//! A machine that takes one byte at a time, so that it does not matter where a read ends. What it does not understand it
//! skips; nothing grows beyond [`LONGEST_STRING`] and [`LONGEST_PASTE`]. Sequences are those of xterm's `ctlseqs` and of
//! the kitty keyboard and graphics protocols.

use super::event::Input;
use super::keys;
use super::replies;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::time::Duration;

/// Bytes of a control sequence before it is taken for noise.
const LONGEST_SEQUENCE: usize = 128;
/// Bytes of an answer string that are kept.
const LONGEST_STRING: usize = 4096;
/// Bytes of pasted text that are kept.
const LONGEST_PASTE: usize = 1 << 20;
/// What ends a paste.
const PASTE_END: &[u8] = b"\x1b[201~";
/// How long an escape byte may wait for what follows before it is the Escape key.
const ESCAPE_WAIT: Duration = Duration::from_millis(25);
/// How long a sequence that has begun may pause before it is given up.
const SEQUENCE_WAIT: Duration = Duration::from_millis(250);
/// How long a paste may pause before what is there is taken for all of it.
const PASTE_WAIT: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    /// Inside a UTF-8 character of this many bytes.
    Utf8(usize),
    Escape,
    Csi,
    /// A control sequence that is too long: skipped up to its final byte.
    Noise,
    Ss3,
    /// The mouse's old form: this many bytes follow, and are skipped.
    OldMouse(u8),
    /// The Linux console's function keys: `CSI [ A` to `CSI [ E`.
    LinuxKey,
    /// Inside a string that this byte began: `P` DCS, `]` OSC, `_` APC, `^` PM, `X` SOS.
    Text(u8),
    /// An escape inside a string: a `\` ends the string.
    TextEscape(u8),
    Paste,
}

/// The machine.
#[derive(Debug)]
pub(super) struct Parser {
    state: State,
    /// An escape came before this one: what follows is with Alt.
    alt: bool,
    bytes: Vec<u8>,
}

impl Parser {
    pub(super) fn new() -> Self {
        Self { state: State::Ground, alt: false, bytes: Vec::new() }
    }

    /// Takes bytes and adds what they say to `out`.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        for &byte in bytes {
            self.byte(byte, out);
        }
    }

    /// How long to wait for the next byte before [`Parser::pause`] is to be called; `None` where nothing is unfinished.
    pub(super) fn patience(&self) -> Option<Duration> {
        match self.state {
            State::Ground => None,
            State::Escape => Some(ESCAPE_WAIT),
            State::Paste => Some(PASTE_WAIT),
            _ => Some(SEQUENCE_WAIT),
        }
    }

    /// Nothing came for as long as [`Parser::patience`] said: an escape is a key, an unfinished sequence is dropped.
    pub(super) fn pause(&mut self, out: &mut Vec<Input>) {
        let empty = self.bytes.is_empty();
        match self.state {
            State::Escape => out.push(key(KeyCode::Esc, self.alt)),
            State::Csi if empty => out.push(key(KeyCode::Char('['), true)),
            State::Ss3 if empty => out.push(character('O', true)),
            State::Text(introducer) if empty => out.push(character(char::from(introducer), true)),
            State::Paste => self.paste(out),
            _ => {}
        }
        self.ground();
    }

    fn ground(&mut self) {
        self.state = State::Ground;
        self.alt = false;
        self.bytes.clear();
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.bytes.clear();
    }

    fn paste(&mut self, out: &mut Vec<Input>) {
        out.push(Input::Paste(String::from_utf8_lossy(&self.bytes).into_owned()));
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<Input>) {
        match self.state {
            State::Ground => self.plain(byte, out),
            State::Utf8(len) => self.inside_character(byte, len, out),
            State::Escape => self.after_escape(byte, out),
            State::Csi => self.inside_sequence(byte, out),
            State::Noise => match byte {
                0x1b => self.enter(State::Escape),
                0x40..=0x7e | 0x18 | 0x1a => self.ground(),
                _ => {}
            },
            State::Ss3 => self.inside_ss3(byte, out),
            State::OldMouse(left) if left > 1 => self.state = State::OldMouse(left - 1),
            State::OldMouse(_) => self.ground(),
            State::LinuxKey => {
                if let b'A'..=b'E' = byte {
                    out.push(key(KeyCode::F(byte - b'A' + 1), self.alt));
                }
                self.ground();
            }
            State::Text(introducer) => match byte {
                0x1b => self.state = State::TextEscape(introducer),
                0x07 => self.string(introducer, out),
                0x18 | 0x1a => self.ground(),
                _ if self.bytes.len() < LONGEST_STRING => self.bytes.push(byte),
                _ => {}
            },
            State::TextEscape(introducer) if byte == b'\\' => self.string(introducer, out),
            State::TextEscape(_) => {
                self.alt = false;
                self.enter(State::Escape);
                self.after_escape(byte, out);
            }
            State::Paste => self.inside_paste(byte, out),
        }
    }

    fn plain(&mut self, byte: u8, out: &mut Vec<Input>) {
        let alt = self.alt;
        match byte {
            0x1b => self.enter(State::Escape),
            0x00..=0x1f | 0x7f => {
                out.push(Input::Key(keys::control(byte, alt)));
                self.ground();
            }
            0x20..=0x7e => {
                out.push(character(char::from(byte), alt));
                self.ground();
            }
            0xc2..=0xdf => self.begin_character(byte, 2),
            0xe0..=0xef => self.begin_character(byte, 3),
            0xf0..=0xf4 => self.begin_character(byte, 4),
            _ => self.ground(),
        }
    }

    fn begin_character(&mut self, byte: u8, len: usize) {
        self.enter(State::Utf8(len));
        self.bytes.push(byte);
    }

    fn inside_character(&mut self, byte: u8, len: usize, out: &mut Vec<Input>) {
        if !(0x80..=0xbf).contains(&byte) {
            // The character was cut short: it is skipped, and this byte stands for itself.
            self.ground();
            self.plain(byte, out);
            return;
        }
        self.bytes.push(byte);
        if self.bytes.len() == len {
            if let Some(c) = std::str::from_utf8(&self.bytes).ok().and_then(|text| text.chars().next()) {
                out.push(character(c, self.alt));
            }
            self.ground();
        }
    }

    fn after_escape(&mut self, byte: u8, out: &mut Vec<Input>) {
        match byte {
            b'[' => self.enter(State::Csi),
            b'O' => self.enter(State::Ss3),
            b'P' | b']' | b'_' | b'^' | b'X' => self.enter(State::Text(byte)),
            0x1b if self.alt => out.push(key(KeyCode::Esc, true)),
            0x1b => self.alt = true,
            _ => {
                self.alt = true;
                self.state = State::Ground;
                self.plain(byte, out);
            }
        }
    }

    fn inside_sequence(&mut self, byte: u8, out: &mut Vec<Input>) {
        match byte {
            0x1b => {
                self.alt = false;
                self.enter(State::Escape);
            }
            0x18 | 0x1a => self.ground(),
            b'[' if self.bytes.is_empty() => self.state = State::LinuxKey,
            b'M' if self.bytes.is_empty() => self.state = State::OldMouse(3),
            // rxvt ends keys with Shift in `$`, which elsewhere is in the middle.
            b'$' if self.bytes.iter().all(u8::is_ascii_digit) && !self.bytes.is_empty() => self.sequence(byte, out),
            0x20..=0x3f if self.bytes.len() < LONGEST_SEQUENCE => self.bytes.push(byte),
            0x20..=0x3f => self.enter(State::Noise),
            0x40..=0x7e => self.sequence(byte, out),
            _ => {}
        }
    }

    /// A whole control sequence.
    fn sequence(&mut self, last: u8, out: &mut Vec<Input>) {
        if last == b'~' && self.bytes == b"200" {
            self.enter(State::Paste);
            return;
        }
        let found = match std::str::from_utf8(&self.bytes) {
            Ok(text) => replies::sequence(text, last).or_else(|| keys::sequence(text, last, self.alt)),
            Err(_) => None,
        };
        out.extend(found);
        self.ground();
    }

    fn inside_ss3(&mut self, byte: u8, out: &mut Vec<Input>) {
        match byte {
            0x1b => {
                self.alt = false;
                self.enter(State::Escape);
            }
            b'0'..=b'9' | b';' if self.bytes.len() < 4 => self.bytes.push(byte),
            _ => {
                let text = std::str::from_utf8(&self.bytes).unwrap_or_default();
                out.extend(keys::ss3(text, byte, self.alt).map(Input::Key));
                self.ground();
            }
        }
    }

    /// A whole string.
    fn string(&mut self, introducer: u8, out: &mut Vec<Input>) {
        let text = String::from_utf8_lossy(&self.bytes);
        out.extend(replies::string(introducer, &text).map(Input::Reply));
        self.ground();
    }

    fn inside_paste(&mut self, byte: u8, out: &mut Vec<Input>) {
        self.bytes.push(byte);
        if self.bytes.ends_with(PASTE_END) {
            self.bytes.truncate(self.bytes.len() - PASTE_END.len());
            self.paste(out);
            self.ground();
        } else if self.bytes.len() > LONGEST_PASTE + PASTE_END.len() {
            // The end of what is too long goes, but its last bytes stay: they may begin the end mark.
            let surplus = self.bytes.len() - PASTE_END.len();
            self.bytes.drain(LONGEST_PASTE..surplus);
        }
    }
}

fn key(code: KeyCode, alt: bool) -> Input {
    Input::Key(KeyEvent::new(code, if alt { KeyModifiers::ALT } else { KeyModifiers::NONE }))
}

fn character(c: char, alt: bool) -> Input {
    Input::Key(keys::character(c, if alt { KeyModifiers::ALT } else { KeyModifiers::NONE }))
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
