//! Text pasted into a terminal that does not mark pastes: a burst of characters faster than a hand types. Pure: the time
//! comes in.
//!
//! What else comes in bursts is not taken for text. A key that is held down repeats one character. A slow connection delivers
//! at once what was typed one by one: mostly a few keys of one or two kinds, as `jjjf`. So text is what has four different
//! characters, or three in at least six. A reader who typed that ahead on a stalled connection gets a notice and types it
//! again; text that is executed would record decisions.

use super::event::Input;
use super::keystroke::Keystroke;
use crossterm::event::{KeyCode, KeyModifiers};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Characters with longer gaps between them are typed. The fastest hands leave 30 ms, keys that repeat 15 ms; the pieces of a
/// paste follow at once.
const GAP: Duration = Duration::from_millis(5);
/// What follows a paste within this time is the rest of it, which the network may have delayed.
const REST: Duration = Duration::from_millis(100);
/// So many different characters are text.
const DIFFERENT: usize = 4;
/// Or so many, if there are at least [`LONG`] in all.
const FEW: usize = 3;
const LONG: usize = 6;
/// Characters of a paste that are kept.
const LONGEST: usize = 1 << 20;

/// Keys that may turn out to be text.
#[derive(Debug, Default)]
pub(super) struct Burst {
    held: Vec<Keystroke>,
    /// The text, once it is a paste.
    text: Option<String>,
    last: Option<Instant>,
}

impl Burst {
    /// Takes an input of a read at `now`; what is decided is added to `out`, in order.
    pub(super) fn take(&mut self, input: Input, now: Instant, out: &mut Vec<Input>) {
        if self.due().is_some_and(|due| now >= due) {
            self.flush(out);
        }
        match input {
            Input::Key(stroke) if sign(&stroke).is_some() => {
                self.last = Some(now);
                match &mut self.text {
                    Some(text) if text.len() < LONGEST => text.extend(sign(&stroke)),
                    Some(_) => {}
                    None => self.hold(stroke),
                }
            }
            input => {
                self.flush(out);
                out.push(input);
            }
        }
    }

    fn hold(&mut self, stroke: Keystroke) {
        self.held.push(stroke);
        let printable = || self.held.iter().filter_map(sign).filter(|sign| !sign.is_control());
        let different = printable().collect::<HashSet<char>>().len();
        if different >= DIFFERENT || (different >= FEW && printable().count() >= LONG) {
            self.text = Some(self.held.drain(..).filter_map(|stroke| sign(&stroke)).collect());
        }
    }

    /// When to call [`Burst::flush`] if nothing else comes.
    pub(super) fn due(&self) -> Option<Instant> {
        self.last.map(|last| last + if self.text.is_some() { REST } else { GAP })
    }

    /// The burst is over: gives out the keys, or the text.
    pub(super) fn flush(&mut self, out: &mut Vec<Input>) {
        self.last = None;
        out.extend(self.held.drain(..).map(Input::Key));
        out.extend(self.text.take().map(Input::Paste));
    }
}

/// The character that a key adds to a pasted text; `None` for keys that are no text, and for those that the terminal reports as
/// keys of the keyboard.
fn sign(stroke: &Keystroke) -> Option<char> {
    if stroke.after_escape || stroke.caps_lock.is_some() {
        return None;
    }
    let control = KeyModifiers::CONTROL;
    match stroke.key.code {
        KeyCode::Char(c) if (stroke.key.modifiers - KeyModifiers::SHIFT).is_empty() => Some(c),
        // Line feeds, and what terminals make of them.
        KeyCode::Char('j') if stroke.key.modifiers == control => Some('\n'),
        KeyCode::Enter if stroke.key.modifiers.is_empty() => Some('\n'),
        KeyCode::Tab if stroke.key.modifiers.is_empty() => Some('\t'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::Parser;
    use super::*;
    use proptest::prelude::*;

    /// Reads, each with the milliseconds since the one before, and what comes of them.
    fn read(reads: &[(u64, &[u8])]) -> Vec<Input> {
        let (mut parser, mut burst, mut out) = (Parser::new(), Burst::default(), Vec::new());
        let mut now = Instant::now();
        for (gap, bytes) in reads {
            now += Duration::from_millis(*gap);
            let mut found = Vec::new();
            parser.feed(bytes, &mut found);
            for input in found {
                burst.take(input, now, &mut out);
            }
        }
        burst.flush(&mut out);
        out
    }

    fn keys(bytes: &[u8]) -> Vec<Input> {
        let mut out = Vec::new();
        Parser::new().feed(bytes, &mut out);
        out
    }

    #[test]
    fn pasted_text_is_text_in_one_read_or_in_several_with_its_newlines() {
        let text = || vec![Input::Paste("C5 fracture?\nF\n".into())];
        assert_eq!(read(&[(0, b"C5 fracture?\rF\r")]), text());
        assert_eq!(read(&[(0, b"C"), (1, b"5 f"), (4, b"racture?\n"), (90, b"F\r")]), text(), "the network's delay");
        assert_eq!(read(&[(0, b"440021")]), vec![Input::Paste("440021".into())], "a patient's number");
        assert_eq!(read(&[(0, b"banana")]), vec![Input::Paste("banana".into())]);
        let after = read(&[(0, b"x no x\r"), (150, b"j")]);
        assert_eq!(after, [vec![Input::Paste("x no x\n".into())], keys(b"j")].concat());
    }

    #[test]
    fn keys_that_are_held_typed_or_delayed_by_the_connection_are_keys() {
        for bytes in
            [&b"jjjjjjjjjjjj"[..], b"jjjf", b"jkjkjk", b"100G", b"6n\r", b"\x1b[A\x1b[Bjk\x1b[Cnf", b"\r\r\r\r"]
        {
            assert_eq!(read(&[(0, bytes)]), keys(bytes), "{}", bytes.escape_ascii());
        }
        let typed: Vec<(u64, &[u8])> = vec![(0, b"6"), (40, b"f"), (30, b"n"), (15, b"b"), (6, b"x")];
        assert_eq!(read(&typed), keys(b"6fnbx"));
    }

    #[test]
    fn other_keys_come_in_their_order() {
        assert_eq!(read(&[(0, b"jk\x1b[A")]), keys(b"jk\x1b[A"));
        let out = read(&[(0, b"some text\x1b[Aj")]);
        assert_eq!(out, [vec![Input::Paste("some text".into())], keys(b"\x1b[Aj")].concat());
    }

    #[test]
    fn keys_that_the_terminal_reports_one_by_one_are_no_text() {
        let bytes = b"\x1b[97;1u\x1b[98;1u\x1b[99;1u\x1b[100;1u\x1b[101;1u";
        assert_eq!(read(&[(0, bytes)]), keys(bytes));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_long_text_becomes_a_key(
            text in "[a-zA-Z0-9 ]{1,40}",
            cuts in proptest::collection::vec((1_usize..10, 0_u64..5), 1..20),
        ) {
            let mut rest = text.as_bytes();
            let mut reads: Vec<(u64, &[u8])> = Vec::new();
            for (len, gap) in cuts {
                let (piece, after) = rest.split_at(len.min(rest.len()));
                reads.push((gap, piece));
                rest = after;
            }
            reads.push((0, rest));
            let out = read(&reads);
            let different = text.chars().collect::<HashSet<_>>().len();
            if different >= DIFFERENT {
                prop_assert_eq!(out, vec![Input::Paste(text)]);
            } else if different < FEW {
                prop_assert_eq!(out, keys(text.as_bytes()));
            }
        }
    }
}
