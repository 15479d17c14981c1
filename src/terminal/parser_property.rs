//! Whatever the terminal answers and users press, cut anywhere and delayed for any time: the program gets exactly that.
//!
//! What the tests assume:
//! - Keys and answers are whole in the stream: terminals write each at once.
//! - Alt with a key is Esc and the key: no byte tells one from the other, and the keymap decides. Both are compared as Esc, key.
//! - While no answer is expected, a delay behind an escape byte that is longer than the parser's wait makes it the Esc key: no byte
//!   tells one from the other. The wait follows the delays of before, so the second such delay makes up nothing. Whatever else
//!   arrives later is still the sequence that it is, never keys.
//! - A sequence that was taken for Esc in this way is not cut again right behind its introducer (`[`, `O`, `P`, `]`, `_`) for as
//!   long: no byte tells it from Esc and two more keys.
//! - An Alt chord of an introducer is known by the key that follows it.

use super::super::event::Reply;
use super::*;
use crossterm::event::{KeyCode, KeyEvent};
use proptest::prelude::*;

/// What a terminal sends at once.
#[derive(Debug, Clone)]
struct Atom {
    bytes: Vec<u8>,
    meaning: Input,
}

fn atom(bytes: impl Into<Vec<u8>>, meaning: impl Into<Input>) -> Atom {
    Atom { bytes: bytes.into(), meaning: meaning.into() }
}

fn key(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn answer() -> impl Strategy<Value = Atom> {
    let reply = |bytes: String, reply: Reply| atom(bytes, Input::Reply(reply));
    let end = prop_oneof![Just("\x1b\\"), Just("\x07")];
    prop_oneof![
        4 => (2_u16..60, 1_u16..300).prop_map(move |(row, column)| {
            reply(format!("\x1b[{row};{column}R"), Reply::CursorPosition { row, column })
        }),
        3 => (1_u32..99_999, "(OK|ENOENT:Put command|EBADPNG:Pf F x)", end.clone()).prop_map(move |(id, message, end)| {
            let bytes = format!("\x1b_Gi={id},p=2;{message}{end}");
            reply(bytes, Reply::Graphics { id, placement: Some(2), message })
        }),
        3 => ("[ -~]{0,20}", end).prop_map(move |(version, end)| {
            reply(format!("\x1bP>|{version}{end}"), Reply::Version(version))
        }),
        1 => Just(reply("\x1b[?62;4;22c".into(), Reply::PrimaryAttributes(vec![62, 4, 22]))),
        1 => Just(reply("\x1b[6;18;9t".into(), Reply::CellPixels { width: 9, height: 18 })),
        1 => Just(reply("\x1b[4;900;800t".into(), Reply::TextAreaPixels { width: 800, height: 900 })),
        1 => Just(reply("\x1b[?1;0;256S".into(), Reply::ColorRegisters(256))),
        1 => Just(reply("\x1b[?29u".into(), Reply::Keyboard)),
        1 => any::<bool>().prop_map(|on| atom(if on { "\x1b[I" } else { "\x1b[O" }, Input::Focus(on))),
    ]
}

fn plain() -> impl Strategy<Value = Atom> {
    prop_oneof![
        4 => "[ -~]".prop_map(|text| {
            let c = text.chars().next().unwrap_or(' ');
            atom(text, keys::character(c, KeyModifiers::NONE))
        }),
        1 => prop_oneof![Just('ß'), Just('о'), Just('頸'), Just('🦴')].prop_map(|c| atom(c.to_string(), key(KeyCode::Char(c)))),
        1 => Just(atom("\r", key(KeyCode::Enter))),
        1 => Just(atom("\x03", KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL))),
        1 => "[a-zA-Z \r\n]{0,12}".prop_map(|text| atom(format!("\x1b[200~{text}\x1b[201~"), Input::Paste(text))),
    ]
}

fn named() -> impl Strategy<Value = Atom> {
    let all = [
        ("\x1b[A", KeyCode::Up),
        ("\x1bOB", KeyCode::Down),
        ("\x1b[5~", KeyCode::PageUp),
        ("\x1b[H", KeyCode::Home),
        ("\x1bOP", KeyCode::F(1)),
        ("\x1b[24~", KeyCode::F(12)),
    ];
    proptest::sample::select(all.to_vec()).prop_map(|(bytes, code)| atom(bytes, key(code)))
}

/// Keys as the keyboard protocol reports them.
fn reported() -> impl Strategy<Value = Atom> {
    let report =
        |bytes: String, event: KeyEvent| atom(bytes, Input::Key(Keystroke { caps_lock: Some(false), ..event.into() }));
    prop_oneof![
        Just(report("\x1b[27u".into(), key(KeyCode::Esc))),
        (b'a'..=b'z').prop_map(move |c| report(format!("\x1b[{c}u"), key(KeyCode::Char(char::from(c))))),
    ]
}

/// The Esc key of a terminal without the keyboard protocol.
fn escape_key() -> impl Strategy<Value = Atom> {
    Just(atom("\x1b", key(KeyCode::Esc)))
}

/// Chords whose key also introduces answers.
fn introducer_chord() -> impl Strategy<Value = Atom> {
    proptest::sample::select(vec!['[', 'O', 'P', ']', '_', '^', 'X']).prop_map(|c| {
        let event = keys::character(c, KeyModifiers::NONE);
        atom(format!("\x1b{c}"), Input::Key(Keystroke::escaped(event)))
    })
}

/// Keys and Esc as the program is to take them: Alt with a key is Esc and the key.
fn apart(inputs: &[Input]) -> Vec<Input> {
    let mut out = Vec::new();
    for input in inputs {
        match input {
            Input::Key(stroke) if stroke.after_escape => {
                out.push(Input::Key(Keystroke::escape()));
                out.push(Input::Key(stroke.clone().without_escape()));
            }
            input => out.push(input.clone()),
        }
    }
    out
}

/// A delay behind a byte: how often the parser's patience ends.
fn delays() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(prop_oneof![4 => Just(0_usize), 2 => 1_usize..5], 400)
}

/// Feeds bytes with delays; `expected` says whether an answer is under way behind so many bytes.
fn run(bytes: &[u8], delays: &[usize], expected: impl Fn(usize) -> bool, short: impl Fn(usize) -> bool) -> Vec<Input> {
    let (mut parser, mut out) = (Parser::new(), Vec::new());
    let expect = |parser: &mut Parser, at: usize| {
        parser.expect(Expectation { answer: expected(at), ..Expectation::default() });
    };
    let mut begun = 0;
    for end in 1..=bytes.len() {
        let pauses = if short(end) { 0 } else { delays[end % delays.len()] };
        if pauses > 0 || end == bytes.len() {
            expect(&mut parser, begun);
            parser.feed(&bytes[begun..end], &mut out);
            begun = end;
            expect(&mut parser, end);
            for _ in 0..pauses {
                parser.pause(&mut out);
            }
        }
    }
    // A key, and then nothing any more.
    parser.feed(b"\r", &mut out);
    parser.expect(Expectation::default());
    for _ in 0..4 {
        parser.pause(&mut out);
    }
    out
}

/// A parser that reads as the reader does, with milliseconds between the reads.
struct Clock {
    parser: Parser,
    out: Vec<Input>,
}

impl Clock {
    fn new() -> Self {
        Self { parser: Parser::new(), out: Vec::new() }
    }

    /// Bytes that come so long after those before.
    fn read(&mut self, gap_ms: u64, bytes: &[u8]) {
        let gap = Duration::from_millis(gap_ms);
        let mut left = gap;
        while let Some(patience) = self.parser.patience().filter(|patience| *patience <= left) {
            left -= patience;
            self.parser.pause(&mut self.out);
        }
        self.parser.after(gap);
        self.parser.feed(bytes, &mut self.out);
    }
}

fn split(inputs: &[Input]) -> (Vec<Input>, Vec<Input>) {
    inputs.iter().cloned().partition(|input| matches!(input, Input::Reply(_) | Input::Focus(_)))
}

fn joined(atoms: &[Atom]) -> (Vec<u8>, Vec<Input>) {
    (
        atoms.iter().flat_map(|atom| atom.bytes.clone()).collect(),
        atoms.iter().map(|atom| atom.meaning.clone()).collect(),
    )
}

/// Keys that may stand in any order beside one another and beside answers.
fn keys_and_answers() -> impl Strategy<Value = Vec<Atom>> {
    let any = prop_oneof![4 => answer(), 3 => plain(), 2 => named(), 1 => reported(), 2 => escape_key(), 1 => introducer_chord()];
    proptest::collection::vec(any, 1..14).prop_map(unambiguous)
}

/// Leaves out what no byte can tell apart: an escape byte with an introducer, and then a character that continues the sequence.
fn unambiguous(atoms: Vec<Atom>) -> Vec<Atom> {
    let mut out: Vec<Atom> = Vec::new();
    let mut bytes = Vec::new();
    for atom in atoms {
        let next = atom.bytes[0];
        let continues = match bytes.as_slice() {
            [.., 0x1b, b'['] => b"ABCDEFHIMOPQRSZabcd[".contains(&next) || (0x20..=0x3f).contains(&next),
            [.., 0x1b, b'O'] => (0x20..=0x7e).contains(&next),
            [.., 0x1b, b'P'] => b">!01".contains(&next),
            [.., 0x1b, b']'] => next.is_ascii_digit(),
            [.., 0x1b, b'_'] => next == b'G',
            _ => false,
        };
        if !continues {
            bytes.extend(&atom.bytes);
            out.push(atom);
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// The program has asked, and the last answer is still to come.
    #[test]
    fn while_answers_are_expected_nothing_is_lost_and_nothing_is_made_up(
        atoms in keys_and_answers(), last in answer(), delays in delays(),
    ) {
        let atoms = [atoms, vec![last]].concat();
        let (bytes, meant) = joined(&atoms);
        let out = run(&bytes, &delays, |at| at < bytes.len(), |_| false);
        let meant = [meant, vec![Input::from(key(KeyCode::Enter))]].concat();
        let ((answers, keys), (meant_answers, meant_keys)) = (split(&out), split(&meant));
        prop_assert_eq!(answers, meant_answers, "{}", bytes.escape_ascii());
        prop_assert_eq!(apart(&keys), apart(&meant_keys), "{}", bytes.escape_ascii());
    }

    /// Nothing was asked, or nothing is waited for any more: late answers, those to other programs, and keys that came in parts.
    #[test]
    fn what_nobody_expects_types_nothing_but_an_esc_if_it_is_cut_behind_its_escape(
        atoms in keys_and_answers(), delays in delays(),
    ) {
        let (bytes, _) = joined(&atoms);
        let mut short = vec![false; bytes.len() + 1];
        let mut meant = Vec::new();
        let mut at = 0;
        for atom in &atoms {
            let is_sequence = atom.bytes.len() > 2 && atom.bytes[0] == 0x1b;
            let is_cut = is_sequence && delays[(at + 1) % delays.len()] > 0;
            short[at + 2.min(atom.bytes.len())] |= is_cut;
            meant.extend(is_cut.then(escape));
            meant.push(atom.meaning.clone());
            at += atom.bytes.len();
        }
        meant.push(key(KeyCode::Enter).into());
        let out = run(&bytes, &delays, |_| false, |at| short[at]);
        let ((answers, keys), (meant_answers, meant_keys)) = (split(&out), split(&meant));
        prop_assert_eq!(answers, meant_answers, "{}", bytes.escape_ascii());
        prop_assert_eq!(apart(&keys), apart(&meant_keys), "{}", bytes.escape_ascii());
    }

    /// On a connection that cuts sequences, real Esc keys among them: what is cut makes up an Esc at most once.
    #[test]
    fn a_connection_that_cuts_sequences_makes_up_one_esc_at_most(
        atoms in proptest::collection::vec(prop_oneof![3 => named(), 2 => answer(), 1 => escape_key()], 2..14),
        gap in 1_u64..300, cut in 1_usize..3,
    ) {
        let mut clock = Clock::new();
        let sequences = || atoms.iter().filter(|atom| atom.bytes.len() > 1);
        for atom in &atoms {
            let (first, rest) = atom.bytes.split_at(cut.min(atom.bytes.len()));
            clock.read(2000, first);
            if !rest.is_empty() {
                clock.read(gap, rest);
            }
        }
        clock.read(2000, b"");
        let is_esc = |input: &Input| *input == escape();
        let meant = sequences().count() + atoms.iter().filter(|atom| atom.bytes.len() == 1).count();
        prop_assert!((meant..=meant + 1).contains(&clock.out.len()), "{:?}", clock.out);
        let meant: Vec<Input> = sequences().map(|atom| atom.meaning.clone()).collect();
        let sequences: Vec<Input> = clock.out.iter().filter(|input| !is_esc(input)).cloned().collect();
        prop_assert_eq!(sequences, meant);
    }

    /// The same, cut behind its first byte: the escape is taken for the key, but nothing of the answer is a command.
    #[test]
    fn of_an_answer_cut_behind_its_escape_at_most_an_esc_is_made_up(answer in answer(), pauses in 1_usize..9) {
        let mut delays = vec![0; answer.bytes.len() + 1];
        delays[1] = pauses;
        let out = run(&answer.bytes, &delays, |_| false, |_| false);
        let enter = key(KeyCode::Enter).into();
        prop_assert_eq!(out, vec![Input::Key(Keystroke::escape()), answer.meaning, enter]);
    }
}
