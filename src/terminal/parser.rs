//! Bytes from the terminal become keys, mouse events, pasted text and answers.
//!
//! A machine that takes one byte at a time, so that it does not matter where a read ends. Sequences are those of xterm's
//! `ctlseqs` and of the kitty keyboard and graphics protocols. Nothing grows beyond [`LONGEST_STRING`] and [`LONGEST_PASTE`].
//!
//! Two things must never happen: that an answer becomes keys because it came in parts, and that keys are lost because they
//! look like the beginning of an answer. So a sequence that has begun is consumed to its end, however long that takes. Only
//! its first bytes are ambiguous. An escape byte alone may be the Esc key: after a while without more bytes it is, but not
//! while an answer is expected, and what follows is still recognized as the rest of an answer. An escape with `[`, `O`, `P`,
//! `]` or `_` may be an Alt chord: the next byte decides, and never the time. Bytes that cannot continue a sequence are keys.
//! PM and SOS strings are sent by no terminal: their introducers are Alt chords.

use super::event::Input;
use super::gaps::Gaps;
use super::keys;
use super::keystroke::Keystroke;
use super::replies::{self, Fit};
use super::waits::Expectation;
use crossterm::event::KeyModifiers;
use std::time::Duration;

/// Bytes of a control sequence before it is taken for noise.
const LONGEST_SEQUENCE: usize = 128;
/// Bytes of an answer string that are kept.
const LONGEST_STRING: usize = 4096;
/// Bytes of pasted text that are kept.
const LONGEST_PASTE: usize = 1 << 20;
/// What ends a paste.
const PASTE_END: &[u8] = b"\x1b[201~";
/// How long an escape byte waits at least for what follows before it is the Esc key. The rest of what was cut comes in a
/// later packet: within about a round trip, or as late as this connection has delivered rests before.
const ESCAPE_WAIT: Duration = Duration::from_millis(25);
/// The longest wait before Esc is the key: what follows Esc must not feel broken.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How often to look again whether an answer is still expected.
const AGAIN: Duration = Duration::from_millis(20);
/// A paste without more bytes for so long may have lost its end: Ctrl-C, alone in a read, then ends it.
const PASTE_WAIT: Duration = Duration::from_secs(1);
/// Ctrl-C.
const END_OF_TEXT: u8 = 0x03;

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
    /// Behind `P` DCS, `]` OSC or `_` APC, as long as the body may still become an answer.
    Prefix(u8),
    /// Inside the answer that this byte began.
    Text(u8),
    /// An escape inside an answer: a `\` ends it.
    TextEscape(u8),
    /// Pasted text; whether nothing came for [`PASTE_WAIT`].
    Paste(bool),
}

/// What became of the first bytes of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// They came without a pause.
    Nothing,
    /// There was a pause, but an answer is expected: no Alt chord any more, but perhaps the Esc key.
    Late,
    /// The escape was given out as the Esc key.
    Escape,
    /// The introducer was given out as a key, too.
    Introducer,
}

/// The machine.
#[derive(Debug)]
pub(super) struct Parser {
    state: State,
    /// Another escape came before this one; in a character: it is with Alt.
    alt: bool,
    given: Given,
    bytes: Vec<u8>,
    expectation: Expectation,
    gaps: Gaps,
}

impl Parser {
    pub(super) fn new() -> Self {
        let (expectation, gaps) = (Expectation::default(), Gaps::default());
        Self { state: State::Ground, alt: false, given: Given::Nothing, bytes: Vec::new(), expectation, gaps }
    }

    /// Says what is expected from now on.
    pub(super) fn expect(&mut self, expectation: Expectation) {
        self.expectation = expectation;
    }

    /// The bytes that come now come so long after those before.
    pub(super) fn after(&mut self, gap: Duration) {
        if !matches!(self.state, State::Ground | State::Utf8(_) | State::Paste(_)) {
            self.gaps.add(gap);
        }
    }

    /// Takes the bytes of one read and adds what they mean to `out`.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        if self.state == State::Paste(true) && bytes == [END_OF_TEXT] {
            self.paste(out);
        }
        for &byte in bytes {
            self.byte(byte, out);
        }
    }

    /// How long to wait for the next byte before [`Parser::pause`] is to be called; `None` if a pause changes nothing.
    pub(super) fn patience(&self) -> Option<Duration> {
        let escape = if self.expectation.keyboard {
            LONGEST_WAIT
        } else {
            (ESCAPE_WAIT + self.expectation.round_trip.max(self.gaps.wait())).min(LONGEST_WAIT)
        };
        match self.state {
            State::Paste(false) => Some(PASTE_WAIT),
            State::TextEscape(_) => (self.given == Given::Nothing).then_some(escape),
            _ if !self.is_undecided() => None,
            _ if self.given == Given::Late => Some(AGAIN),
            _ => Some(escape),
        }
    }

    /// Nothing came for as long as [`Parser::patience`] said: bytes that may be keys are given out as keys, unless an answer is
    /// expected.
    pub(super) fn pause(&mut self, out: &mut Vec<Input>) {
        match self.state {
            State::Paste(_) => self.state = State::Paste(true),
            State::TextEscape(_) => self.given = Given::Late,
            _ if !self.is_undecided() => {}
            _ if self.expectation.answer => {
                if self.given == Given::Nothing {
                    self.given = Given::Late;
                }
            }
            State::Escape => {
                self.give_escapes(out);
                self.given = Given::Escape;
            }
            State::Csi | State::Prefix(_) if self.bytes.is_empty() => {
                self.give_introducer(out);
                self.given = Given::Introducer;
            }
            _ => self.type_out(out),
        }
    }

    /// Whether the bytes at hand may be keys that were typed.
    fn is_undecided(&self) -> bool {
        match self.state {
            State::Escape => self.given != Given::Escape,
            State::Csi | State::Ss3 | State::Prefix(_) => match self.given {
                // In one piece with its escape: rather a sequence that was cut than an Alt chord.
                Given::Nothing => false,
                // Whoever types does so byte by byte: a body right behind its introducer is a machine's.
                Given::Late | Given::Escape => self.bytes.is_empty(),
                Given::Introducer => !self.bytes.is_empty(),
            },
            State::LinuxKey => self.given == Given::Escape,
            _ => false,
        }
    }

    fn ground(&mut self) {
        self.enter(State::Ground);
        self.alt = false;
        self.given = Given::Nothing;
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.bytes.clear();
    }

    /// A new escape byte.
    fn begin(&mut self) {
        self.ground();
        self.gaps.begin();
        self.state = State::Escape;
    }

    /// Gives out the escapes at hand that were not given out yet, as Esc keys.
    fn give_escapes(&mut self, out: &mut Vec<Input>) {
        if std::mem::take(&mut self.alt) {
            out.push(escape());
        }
        if matches!(self.given, Given::Nothing | Given::Late) {
            out.push(escape());
        }
    }

    /// Gives out escape and introducer as keys, as far as they were not given out yet.
    fn give_introducer(&mut self, out: &mut Vec<Input>) {
        let introducer = match self.state {
            State::Csi | State::LinuxKey => '[',
            State::Ss3 => 'O',
            State::Prefix(byte) => char::from(byte),
            _ => return,
        };
        if self.given == Given::Nothing {
            if std::mem::take(&mut self.alt) {
                out.push(escape());
            }
            out.push(escaped(introducer));
        } else {
            self.give_escapes(out);
            if self.given != Given::Introducer {
                out.push(character(introducer));
            }
        }
    }

    /// What is at hand was typed.
    fn type_out(&mut self, out: &mut Vec<Input>) {
        self.give_introducer(out);
        if self.state == State::LinuxKey {
            out.push(character('['));
        }
        // Bodies of sequences are ASCII.
        out.extend(self.bytes.iter().map(|byte| character(char::from(*byte))));
        self.ground();
    }

    /// Something else begins before the sequence is whole: what may have been typed is given out, the rest is dropped.
    fn give_up(&mut self, out: &mut Vec<Input>) {
        let typed = self.bytes.is_empty() || self.given == Given::Introducer;
        if typed && self.state != State::Noise {
            self.type_out(out);
        } else {
            self.drop_whole(out);
        }
    }

    /// Drops a sequence; an escape before it was the Esc key.
    fn drop_whole(&mut self, out: &mut Vec<Input>) {
        if self.alt {
            out.push(escape());
        }
        self.ground();
    }

    fn paste(&mut self, out: &mut Vec<Input>) {
        out.push(Input::Paste(String::from_utf8_lossy(&self.bytes).into_owned()));
        self.ground();
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<Input>) {
        match self.state {
            State::Ground => self.plain(byte, out),
            State::Utf8(len) => self.inside_character(byte, len, out),
            State::Escape => self.after_escape(byte, out),
            State::Csi => self.inside_sequence(byte, out),
            State::Noise => match byte {
                0x40..=0x7e => self.drop_whole(out),
                0x20..=0x3f => {}
                _ => self.interrupted(byte, out),
            },
            State::Ss3 => self.inside_ss3(byte, out),
            State::OldMouse(left) if left > 1 => self.state = State::OldMouse(left - 1),
            State::OldMouse(_) => self.ground(),
            State::LinuxKey => match byte {
                b'A'..=b'E' => self.found(keys::linux(byte).into(), out),
                _ => self.interrupted(byte, out),
            },
            State::Prefix(introducer) => self.inside_prefix(byte, introducer, out),
            State::Text(introducer) => match byte {
                0x1b => self.state = State::TextEscape(introducer),
                0x07 => self.string(introducer, out),
                // No answer has these. Whoever types may be stuck in one that lost its end.
                0x00..=0x1f | 0x7f => self.interrupted(byte, out),
                _ if self.bytes.len() < LONGEST_STRING => self.bytes.push(byte),
                _ => {}
            },
            State::TextEscape(introducer) if byte == b'\\' => self.string(introducer, out),
            State::TextEscape(_) => {
                // The answer was cut off; the escape stands for itself.
                let given = self.given;
                self.begin();
                self.given = given;
                self.after_escape(byte, out);
            }
            State::Paste(_) => self.inside_paste(byte, out),
        }
    }

    /// A byte that does not belong to the sequence at hand.
    fn interrupted(&mut self, byte: u8, out: &mut Vec<Input>) {
        self.give_up(out);
        self.plain(byte, out);
    }

    fn plain(&mut self, byte: u8, out: &mut Vec<Input>) {
        match byte {
            0x1b => self.begin(),
            0x00..=0x1f | 0x7f => {
                let key = keys::control(byte);
                out.push(if self.alt { Input::Key(Keystroke::escaped(key)) } else { key.into() });
                self.ground();
            }
            0x20..=0x7e => {
                out.push(self.typed(char::from(byte)));
                self.ground();
            }
            0xc2..=0xdf => self.begin_character(byte, 2),
            0xe0..=0xef => self.begin_character(byte, 3),
            0xf0..=0xf4 => self.begin_character(byte, 4),
            _ => self.ground(),
        }
    }

    fn typed(&self, c: char) -> Input {
        if self.alt { escaped(c) } else { character(c) }
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
                out.push(self.typed(c));
            }
            self.ground();
        }
    }

    fn after_escape(&mut self, byte: u8, out: &mut Vec<Input>) {
        match byte {
            b'[' => self.enter(State::Csi),
            b'O' => self.enter(State::Ss3),
            b'P' | b']' | b'_' => self.enter(State::Prefix(byte)),
            0x1b if self.given == Given::Nothing => {
                // Of three, the first is the Esc key for certain.
                if std::mem::replace(&mut self.alt, true) {
                    out.push(escape());
                }
            }
            0x1b => {
                self.give_escapes(out);
                self.begin();
            }
            _ if self.given == Given::Nothing => {
                if std::mem::replace(&mut self.alt, true) {
                    out.push(escape());
                }
                self.state = State::Ground;
                self.plain(byte, out);
            }
            _ => {
                self.give_escapes(out);
                self.ground();
                self.plain(byte, out);
            }
        }
    }

    fn inside_sequence(&mut self, byte: u8, out: &mut Vec<Input>) {
        match byte {
            b'[' if self.bytes.is_empty() && self.given != Given::Introducer => self.state = State::LinuxKey,
            b'M' if self.bytes.is_empty() && matches!(self.given, Given::Nothing | Given::Late) => {
                self.drop_whole(out);
                self.state = State::OldMouse(3);
            }
            // rxvt ends keys with Shift in `$`, which elsewhere is in the middle.
            b'$' if self.bytes.iter().all(u8::is_ascii_digit) && !self.bytes.is_empty() => self.sequence(byte, out),
            0x20..=0x3f if self.bytes.len() < LONGEST_SEQUENCE => self.bytes.push(byte),
            0x20..=0x3f => self.enter(State::Noise),
            0x40..=0x7e => self.sequence(byte, out),
            _ => self.interrupted(byte, out),
        }
    }

    /// A whole control sequence.
    fn sequence(&mut self, last: u8, out: &mut Vec<Input>) {
        let found = std::str::from_utf8(&self.bytes)
            .ok()
            .and_then(|text| replies::sequence(text, last).or_else(|| keys::sequence(text, last)));
        let is_answer = matches!(found, Some(Input::Reply(_)));
        if self.given == Given::Introducer && !is_answer {
            // Someone typed `[` and then this.
            self.type_out(out);
            out.push(character(char::from(last)));
        } else if last == b'~' && self.bytes == b"200" {
            self.gaps.end();
            self.drop_whole(out);
            self.state = State::Paste(false);
        } else if let Some(found) = found {
            self.found(found, out);
        } else if self.bytes.is_empty() {
            // No terminal sends these.
            self.type_out(out);
            out.push(character(char::from(last)));
        } else {
            self.drop_whole(out);
        }
    }

    /// A whole sequence that means something. An escape before a key is Alt (rxvt); before anything else, and before a key of the
    /// keyboard protocol, which has its own Alt, it is the Esc key.
    fn found(&mut self, found: Input, out: &mut Vec<Input>) {
        self.gaps.end();
        match found {
            Input::Key(stroke) if self.alt && self.given == Given::Nothing && stroke.caps_lock.is_none() => {
                out.push(Input::Key(Keystroke::escaped(stroke.key)));
                self.ground();
            }
            found => {
                self.drop_whole(out);
                out.push(found);
            }
        }
    }

    fn inside_ss3(&mut self, byte: u8, out: &mut Vec<Input>) {
        match byte {
            b'0'..=b'9' | b';' if self.bytes.len() < 4 => self.bytes.push(byte),
            0x20..=0x7e => {
                let text = std::str::from_utf8(&self.bytes).unwrap_or_default();
                // Behind an Esc key, the keypad's letters are rather typed ones.
                let sure = self.given != Given::Escape || byte.is_ascii_uppercase();
                match keys::ss3(text, byte).filter(|_| sure) {
                    Some(key) => self.found(key.into(), out),
                    None if self.bytes.is_empty() => self.interrupted(byte, out),
                    None => self.drop_whole(out),
                }
            }
            _ => self.interrupted(byte, out),
        }
    }

    fn inside_prefix(&mut self, byte: u8, introducer: u8, out: &mut Vec<Input>) {
        self.bytes.push(byte);
        match replies::fit(introducer, &self.bytes) {
            Fit::Whole => {
                if std::mem::take(&mut self.alt) {
                    out.push(escape());
                }
                self.given = Given::Nothing;
                self.state = State::Text(introducer);
            }
            Fit::Part => {}
            Fit::No => {
                self.bytes.pop();
                self.type_out(out);
                self.plain(byte, out);
            }
        }
    }

    /// A whole string.
    fn string(&mut self, introducer: u8, out: &mut Vec<Input>) {
        self.gaps.end();
        let text = String::from_utf8_lossy(&self.bytes);
        out.extend(replies::string(introducer, &text).map(Input::Reply));
        self.ground();
    }

    fn inside_paste(&mut self, byte: u8, out: &mut Vec<Input>) {
        self.state = State::Paste(false);
        self.bytes.push(byte);
        if self.bytes.ends_with(PASTE_END) {
            self.bytes.truncate(self.bytes.len() - PASTE_END.len());
            self.paste(out);
        } else if self.bytes.len() > LONGEST_PASTE + PASTE_END.len() {
            // The end of what is too long goes, but its last bytes stay: they may begin the end mark.
            let surplus = self.bytes.len() - PASTE_END.len();
            self.bytes.drain(LONGEST_PASTE..surplus);
        }
    }
}

fn escape() -> Input {
    Input::Key(Keystroke::escape())
}

fn character(c: char) -> Input {
    keys::character(c, KeyModifiers::NONE).into()
}

fn escaped(c: char) -> Input {
    Input::Key(Keystroke::escaped(keys::character(c, KeyModifiers::NONE)))
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "parser_property.rs"]
mod property;
