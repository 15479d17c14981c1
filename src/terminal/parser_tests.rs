//! What users press is what the program gets.

use super::super::event::Reply;
use super::*;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;

fn parse(bytes: &[u8]) -> Vec<Input> {
    let mut out = Vec::new();
    Parser::new().feed(bytes, &mut out);
    out
}

fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Input {
    KeyEvent::new(code, modifiers).into()
}

/// An escape byte and a key.
fn chord(code: KeyCode) -> Input {
    Input::Key(Keystroke::escaped(KeyEvent::new(code, NONE)))
}

/// A key that the keyboard protocol reports.
fn reported(code: KeyCode, modifiers: KeyModifiers) -> Input {
    Input::Key(Keystroke { caps_lock: Some(false), ..KeyEvent::new(code, modifiers).into() })
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

/// Bytes and what they must become.
fn table() -> Vec<(&'static [u8], Input)> {
    let keys: [(&[u8], KeyCode, KeyModifiers); 33] = [
        (b"j", KeyCode::Char('j'), NONE),
        (b"G", KeyCode::Char('G'), SHIFT),
        ("ß".as_bytes(), KeyCode::Char('ß'), NONE),
        ("頸".as_bytes(), KeyCode::Char('頸'), NONE),
        ("🦴".as_bytes(), KeyCode::Char('🦴'), NONE),
        (b"\x03", KeyCode::Char('c'), CONTROL),
        (b"\x00", KeyCode::Char(' '), CONTROL),
        (b"\x1d", KeyCode::Char(']'), CONTROL),
        (b"\r", KeyCode::Enter, NONE),
        (b"\t", KeyCode::Tab, NONE),
        (b"\x7f", KeyCode::Backspace, NONE),
        (b"\x1b[A", KeyCode::Up, NONE),
        (b"\x1bOB", KeyCode::Down, NONE),
        (b"\x1b[1;5C", KeyCode::Right, CONTROL),
        (b"\x1b[H", KeyCode::Home, NONE),
        (b"\x1b[4~", KeyCode::End, NONE),
        (b"\x1b[7~", KeyCode::Home, NONE),
        (b"\x1b[3~", KeyCode::Delete, NONE),
        (b"\x1b[5~", KeyCode::PageUp, NONE),
        (b"\x1b[6;2~", KeyCode::PageDown, SHIFT),
        (b"\x1b[Z", KeyCode::BackTab, SHIFT),
        (b"\x1bOP", KeyCode::F(1), NONE),
        (b"\x1b[15~", KeyCode::F(5), NONE),
        (b"\x1b[24;5~", KeyCode::F(12), CONTROL),
        (b"\x1b[1;2R", KeyCode::F(3), SHIFT),
        (b"\x1b[[C", KeyCode::F(3), NONE),
        (b"\x1b[3$", KeyCode::Delete, SHIFT),
        (b"\x1b[5^", KeyCode::PageUp, CONTROL),
        (b"\x1b[a", KeyCode::Up, SHIFT),
        (b"\x1bOd", KeyCode::Left, CONTROL),
        (b"\x1bOM", KeyCode::Enter, NONE),
        (b"\x1bOv", KeyCode::Char('6'), NONE),
        (b"\x1b[27;5;13~", KeyCode::Enter, CONTROL),
    ];
    let mouse = |kind, column, row| Input::Mouse(MouseEvent { kind, column, row, modifiers: NONE });
    let mut table: Vec<(&[u8], Input)> =
        keys.into_iter().map(|(bytes, code, modifiers)| (bytes, pressed(code, modifiers))).collect();
    table.extend([
        (&b"\x1bx"[..], chord(KeyCode::Char('x'))),
        (b"\x1b\r", chord(KeyCode::Enter)),
        ("\x1bé".as_bytes(), chord(KeyCode::Char('é'))),
        (b"\x1b\x1b[D", chord(KeyCode::Left)),
        (b"\x1bX", chord(KeyCode::Char('X'))),
        (b"\x1b^", chord(KeyCode::Char('^'))),
        (b"\x1b[27u", reported(KeyCode::Esc, NONE)),
        (b"\x1b[106;5u", reported(KeyCode::Char('j'), CONTROL)),
        (b"\x1b[57405u", reported(KeyCode::Char('6'), NONE)),
        (b"\x1b[9;2u", reported(KeyCode::BackTab, SHIFT)),
        (b"\x1b[<0;300;7M", mouse(MouseEventKind::Down(MouseButton::Left), 299, 6)),
        (b"\x1b[<2;1;1m", mouse(MouseEventKind::Up(MouseButton::Right), 0, 0)),
        (b"\x1b[<32;9;9M", mouse(MouseEventKind::Drag(MouseButton::Left), 8, 8)),
        (b"\x1b[<65;9;9M", mouse(MouseEventKind::ScrollDown, 8, 8)),
        (b"\x1b[200~C5 \x1b[A fine\x1b[201~", Input::Paste("C5 \x1b[A fine".into())),
        (b"\x1b[I", Input::Focus(true)),
        (b"\x1b[?62;4;22c", Input::Reply(Reply::PrimaryAttributes(vec![62, 4, 22]))),
        (b"\x1b[?29u", Input::Reply(Reply::Keyboard)),
        (b"\x1b[2;1R", Input::Reply(Reply::CursorPosition { row: 2, column: 1 })),
        (b"\x1b[6;18;9t", Input::Reply(Reply::CellPixels { width: 9, height: 18 })),
        (b"\x1b[4;900;800t", Input::Reply(Reply::TextAreaPixels { width: 800, height: 900 })),
        (b"\x1b[?1;0;256S", Input::Reply(Reply::ColorRegisters(256))),
        (b"\x1bP>|kitty(0.26.5)\x1b\\", Input::Reply(Reply::Version("kitty(0.26.5)".into()))),
        (
            b"\x1b_Gi=1007,p=2;ENOENT:Put command refers to non-existent image\x1b\\",
            Input::Reply(Reply::Graphics {
                id: 1007,
                placement: Some(2),
                message: "ENOENT:Put command refers to non-existent image".into(),
            }),
        ),
    ]);
    table
}

#[test]
fn keys_the_mouse_and_answers_are_understood() {
    for (bytes, meaning) in table() {
        assert_eq!(parse(bytes), vec![meaning], "{}", bytes.escape_ascii());
    }
}

#[test]
fn everything_may_be_split_anywhere_and_followed_by_a_key() {
    for (bytes, meaning) in table() {
        for at in 0..=bytes.len() {
            let (mut parser, mut out) = (Parser::new(), Vec::new());
            parser.feed(&bytes[..at], &mut out);
            parser.feed(&bytes[at..], &mut out);
            parser.feed(b"q", &mut out);
            let expected = vec![meaning.clone(), pressed(KeyCode::Char('q'), NONE)];
            assert_eq!(out, expected, "{} at {at}", bytes.escape_ascii());
        }
    }
}

fn pressed_char(c: char) -> Input {
    pressed(KeyCode::Char(c), if c.is_uppercase() { SHIFT } else { NONE })
}

/// What comes of reads with a long pause after each; `None` is the end of what is expected.
fn paused(reads: &[Option<&[u8]>], answer: bool) -> Vec<Input> {
    let (mut parser, mut out) = (Parser::new(), Vec::new());
    parser.expect(Expectation { answer, ..Expectation::default() });
    for bytes in reads {
        match bytes {
            Some(bytes) => parser.feed(bytes, &mut out),
            None => parser.expect(Expectation::default()),
        }
        // Far more than a wait.
        for _ in 0..5 {
            parser.pause(&mut out);
        }
    }
    out
}

#[test]
fn a_pause_tells_the_escape_key_from_a_sequence() {
    let (mut parser, mut out) = (Parser::new(), Vec::new());
    assert_eq!(parser.patience(), None);
    parser.feed(b"\x1b", &mut out);
    assert_eq!((out.len(), parser.patience()), (0, Some(ESCAPE_WAIT)));
    let round_trip = Duration::from_millis(80);
    parser.expect(Expectation { round_trip, ..Expectation::default() });
    assert_eq!(parser.patience(), Some(ESCAPE_WAIT + round_trip), "what was cut comes a round trip later");
    parser.expect(Expectation { round_trip: Duration::from_secs(9), ..Expectation::default() });
    assert_eq!(parser.patience(), Some(LONGEST_WAIT));
    parser.pause(&mut out);
    assert_eq!((out.as_slice(), parser.patience()), ([escape()].as_slice(), None));
    out.clear();
    parser.feed(b"j", &mut out);
    assert_eq!(out, [pressed_char('j')], "no Alt chord any more");
}

#[test]
fn the_rest_of_a_cut_key_is_that_key_and_esc_waits_longer_from_then_on() {
    let ms = Duration::from_millis;
    for (rest, code) in
        [(&b"[A"[..], KeyCode::Up), (b"OB", KeyCode::Down), (b"[5~", KeyCode::PageUp), (b"[[A", KeyCode::F(1))]
    {
        let (mut parser, mut out) = (Parser::new(), Vec::new());
        parser.feed(b"\x1b", &mut out);
        parser.pause(&mut out);
        parser.after(ms(200));
        parser.feed(rest, &mut out);
        assert_eq!(out, [escape(), pressed(code, NONE)], "{}", rest.escape_ascii());
        parser.feed(b"\x1b", &mut out);
        assert_eq!(parser.patience(), Some(ESCAPE_WAIT + ms(300)), "the next rest may be late, too");
    }
    // Esc and a key after it are typed: they say nothing of the connection.
    let (mut parser, mut out) = (Parser::new(), Vec::new());
    parser.feed(b"\x1b", &mut out);
    parser.pause(&mut out);
    parser.after(ms(200));
    parser.feed(b"j\x1b", &mut out);
    assert_eq!((out, parser.patience()), (vec![escape(), pressed_char('j')], Some(ESCAPE_WAIT)));
}

#[test]
fn no_time_ends_a_sequence_that_is_cut_behind_its_introducer() {
    let mut parser = Parser::new();
    parser.feed(b"\x1b[", &mut Vec::new());
    assert_eq!(parser.patience(), None);
    for answer in [false, true] {
        for (first, rest, meaning) in [
            (&b"\x1b["[..], &b"A"[..], pressed(KeyCode::Up, NONE)),
            (b"\x1bO", b"B", pressed(KeyCode::Down, NONE)),
            (b"\x1bP", b">|x\x1b\\", Input::Reply(Reply::Version("x".into()))),
            (b"\x1b_", b"Gi=4,p=2;OK\x1b\\", graphics()),
        ] {
            assert_eq!(paused(&[Some(first), Some(rest)], answer), [meaning], "{}", first.escape_ascii());
        }
    }
}

#[test]
fn a_sequence_that_stops_half_way_is_consumed_to_its_end_however_long_it_takes() {
    for (parts, meaning) in [
        ([&b"\x1b[12;3"[..], b"R"], Input::Reply(Reply::CursorPosition { row: 12, column: 3 })),
        ([b"\x1b[5", b"~"], pressed(KeyCode::PageUp, NONE)),
        ([b"\x1bP>|te", b"rm\x1b\\"], Input::Reply(Reply::Version("term".into()))),
        ([b"\x1bP>|term\x1b", b"\\"], Input::Reply(Reply::Version("term".into()))),
        ([b"\x1b[200~f", b"F\x1b[201~"], Input::Paste("fF".into())),
        ([b"\x1bO5", b"A"], pressed(KeyCode::Up, CONTROL)),
        (["é".as_bytes().split_at(1).0, "é".as_bytes().split_at(1).1], pressed_char('é')),
        ([b"\x1b_G", b"i=4,p=2;OK\x1b\\"], graphics()),
    ] {
        let reads = [Some(parts[0]), Some(parts[1]), Some(b"j")];
        assert_eq!(paused(&reads, false), [meaning, pressed_char('j')], "{}", parts[0].escape_ascii());
    }
    assert_eq!(
        paused(&[Some(b"\x1b]11;rgb:ff"), Some(b"ff/00/00\x07j")], false),
        [pressed_char('j')],
        "of no use, but whole"
    );
}

fn graphics() -> Input {
    Input::Reply(Reply::Graphics { id: 4, placement: Some(2), message: "OK".into() })
}

#[test]
fn an_answer_cut_behind_its_first_bytes_types_nothing_while_it_is_expected() {
    let version = Input::Reply(Reply::Version("Pin F x".into()));
    for at in 1..4 {
        let (before, after) = b"\x1bP>|Pin F x\x1b\\".split_at(at);
        assert_eq!(paused(&[Some(before), Some(after)], true), std::slice::from_ref(&version), "at {at}");
    }
    // One that is not expected: the escape may be taken for the key, but the rest is no command.
    let cut = paused(&[Some(b"\x1b"), Some(b"P>|Pin F x\x1b\\")], false);
    assert_eq!(cut, [escape(), version]);
    assert_eq!(paused(&[Some(b"\x1b"), Some(b"_Gi=4,p=2;OK\x1b\\")], false), [escape(), graphics()]);
    // The key itself, once nothing is expected any more, or something else comes.
    assert_eq!(paused(&[Some(b"\x1b"), None], true), [escape()]);
    assert_eq!(paused(&[Some(b"\x1b"), Some(b"j")], true), [escape(), pressed_char('j')]);
    assert_eq!(
        paused(&[Some(b"\x1b"), Some(b"P"), Some(b"j")], true),
        [escape(), pressed_char('P'), pressed_char('j')]
    );
}

fn chord_char(c: char) -> Input {
    Input::Key(Keystroke::escaped(KeyEvent::new(KeyCode::Char(c), if c.is_uppercase() { SHIFT } else { NONE })))
}

#[test]
fn an_escape_before_an_answer_is_the_key() {
    for answer in [&b"\x1b[2;1R"[..], b"\x1b_Gi=4,p=2;OK\x1b\\", b"\x1bP>|x\x1b\\", b"\x1b[I", b"\x1b[200~x\x1b[201~"] {
        let both = [b"\x1b", answer].concat();
        assert_eq!(parse(&both), [vec![escape()], parse(answer)].concat(), "{}", both.escape_ascii());
    }
    assert_eq!(parse(b"\x1b\x1b\x1b[2;1R")[..2], [escape(), escape()]);
}

#[test]
fn chords_that_look_like_the_beginning_of_an_answer_lose_no_key() {
    for (bytes, typed) in [
        (&b"\x1bPj"[..], vec![chord_char('P'), pressed_char('j')]),
        (b"\x1b_f", vec![chord_char('_'), pressed_char('f')]),
        (b"\x1b]j", vec![chord_char(']'), pressed_char('j')]),
        (b"\x1b[j", vec![chord_char('['), pressed_char('j')]),
        (b"\x1b[\x03", vec![chord_char('['), pressed(KeyCode::Char('c'), CONTROL)]),
        (b"\x1bO\x1b[A", vec![chord_char('O'), pressed(KeyCode::Up, NONE)]),
        (b"\x1bP\x1b[A", vec![chord_char('P'), pressed(KeyCode::Up, NONE)]),
        (b"\x1b^jX", vec![chord_char('^'), pressed_char('j'), pressed_char('X')]),
    ] {
        assert_eq!(paused(&[Some(bytes)], false), typed, "{}", bytes.escape_ascii());
    }
    // Typed one after the other, each with its pause.
    let slowly = |keys: &'static [u8]| {
        let reads: Vec<Option<&[u8]>> = keys.chunks(1).map(Some).collect();
        paused(&reads, false)
    };
    assert_eq!(slowly(b"\x1b[[A"), [vec![escape()], parse(b"[[A")].concat());
    assert_eq!(slowly(b"\x1b[2;f"), [vec![escape()], parse(b"[2;f")].concat());
    assert_eq!(slowly(b"\x1bOA"), [vec![escape()], parse(b"OA")].concat());
    assert_eq!(slowly(b"\x1bP>|f"), [vec![escape()], parse(b"P>|f")].concat());
}

#[test]
fn nobody_is_stuck_in_an_answer_that_lost_its_end() {
    let cut = b"\x1bP>|some term";
    let after = |keys: &[u8]| parse(&[&cut[..], keys].concat());
    assert_eq!(after(b"\x03j"), parse(b"\x03j"));
    assert_eq!(after(b"\rj"), parse(b"\rj"));
    assert_eq!(after(b"\x1b[Aj"), parse(b"\x1b[Aj"));
    assert_eq!(after(b"\x1b[2;1R"), parse(b"\x1b[2;1R"), "nor is the next answer lost");
    // A paste ends with Ctrl-C, alone after a pause.
    let out = paused(&[Some(b"\x1b[200~text"), Some(b"\x03"), Some(b"j")], false);
    let ctrl_c = pressed(KeyCode::Char('c'), CONTROL);
    assert_eq!(out, [Input::Paste("text".into()), ctrl_c, pressed_char('j')]);
}

#[test]
fn the_keyboard_protocol_tells_layout_text_and_caps_lock() {
    let typed = |bytes: &[u8]| match parse(bytes).as_slice() {
        [Input::Key(stroke)] => {
            let base = stroke.base.map(|base| base.code);
            (stroke.key.code, base, stroke.text.clone().unwrap_or_default(), stroke.caps_lock == Some(true))
        }
        other => panic!("{}: {other:?}", bytes.escape_ascii()),
    };
    let of = |key: char, base: Option<char>, text: &str, caps: bool| {
        (KeyCode::Char(key), base.map(KeyCode::Char), text.to_owned(), caps)
    };
    // f; with Shift; with Caps Lock; with both.
    assert_eq!(typed(b"\x1b[102;;102u"), of('f', None, "f", false));
    assert_eq!(typed(b"\x1b[102:70;2;70u"), of('F', None, "F", false));
    assert_eq!(typed(b"\x1b[102;65;70u"), of('f', None, "F", true));
    assert_eq!(typed(b"\x1b[102:70;66;102u"), of('F', None, "f", true));
    // A Russian layout: о on J, Ж on Shift and semicolon; control with с on C.
    assert_eq!(typed(b"\x1b[1086::106;;1086u"), of('о', Some('j'), "о", false));
    assert_eq!(typed(b"\x1b[1078:1046:59;2;1046u"), of('Ж', Some(':'), "Ж", false));
    assert_eq!(typed(b"\x1b[1089::99;5u"), of('с', Some('c'), "", false));
    // A German one: AltGr and Q; Shift and 7; Y where the US layout has Z.
    assert_eq!(typed(b"\x1b[113;;64u"), of('@', None, "@", false));
    assert_eq!(typed(b"\x1b[113;7;64u"), of('@', None, "@", false), "AltGr reported as Ctrl and Alt");
    assert_eq!(typed(b"\x1b[55:47;2;47u"), of('/', None, "/", false));
    assert_eq!(typed(b"\x1b[122::121;;122u"), of('z', Some('y'), "z", false));
    // A dead key and the space bar; text without a key; keys of their own.
    assert_eq!(typed(b"\x1b[32;;94u"), of('^', None, "^", false));
    assert_eq!(typed(b"\x1b[0;;38991u"), of('顏', None, "顏", false));
    assert_eq!(typed(b"\x1b[13u").0, KeyCode::Enter);
    assert_eq!(parse(b"\x1b[57441;2u\x1b[57358;65u"), [], "Shift and Caps Lock themselves");
}

#[test]
fn a_released_key_is_not_a_pressed_one() {
    let Some(Input::Key(key)) = parse(b"\x1b[106;1:3u").pop() else { unreachable!("a key") };
    assert_eq!(key.key.kind, KeyEventKind::Release);
}

#[test]
fn noise_is_skipped_with_bounded_memory() {
    let mut noise = b"\x1b[".to_vec();
    noise.extend(std::iter::repeat_n(b'1', 10_000));
    noise.extend(b"m\x1b]0;title\x07\x1b_G");
    noise.extend(std::iter::repeat_n(b'x', 100_000));
    let (mut parser, mut out) = (Parser::new(), Vec::new());
    parser.feed(&noise, &mut out);
    assert!(out.is_empty() && parser.bytes.len() <= LONGEST_STRING);
    parser.feed(b"\x1b\\j", &mut out);
    assert_eq!(out, vec![pressed(KeyCode::Char('j'), NONE)]);
}

#[test]
fn a_long_paste_is_cut_and_still_ends() {
    let mut bytes = b"\x1b[200~".to_vec();
    bytes.extend(std::iter::repeat_n(b'a', LONGEST_PASTE + 1000));
    bytes.extend(b"\x1b[201~j");
    let out = parse(&bytes);
    let [Input::Paste(text), key] = out.as_slice() else { unreachable!("a paste and a key") };
    assert!(text.len() <= LONGEST_PASTE + PASTE_END.len());
    assert_eq!(*key, pressed(KeyCode::Char('j'), NONE));
}

proptest! {
    #[test]
    fn no_bytes_panic_and_splits_do_not_matter(
        bytes in proptest::collection::vec(prop_oneof![
            4 => any::<u8>(), 2 => Just(0x1b), 1 => Just(b'['), 1 => Just(b';'), 1 => b'0'..=b'9', 1 => Just(b'_'), 1 => Just(b'~'),
        ], 0..200),
        at in 0_usize..200,
    ) {
        let at = at.min(bytes.len());
        let (mut parser, mut out) = (Parser::new(), Vec::new());
        parser.feed(&bytes[..at], &mut out);
        parser.feed(&bytes[at..], &mut out);
        prop_assert_eq!(&out, &parse(&bytes));
        // Pauses come to an end.
        for _ in 0..3 {
            parser.pause(&mut out);
        }
        prop_assert_eq!(parser.patience(), None);
    }
}
