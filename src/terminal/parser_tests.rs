//! What users press is what the program gets.

use super::super::event::Reply;
use super::*;
use crossterm::event::{KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;

fn parse(bytes: &[u8]) -> Vec<Input> {
    let mut out = Vec::new();
    Parser::new().feed(bytes, &mut out);
    out
}

fn pressed(code: KeyCode, modifiers: KeyModifiers) -> Input {
    Input::Key(KeyEvent::new(code, modifiers))
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
const ALT: KeyModifiers = KeyModifiers::ALT;
const CONTROL: KeyModifiers = KeyModifiers::CONTROL;

/// Bytes and what they must become.
fn table() -> Vec<(&'static [u8], Input)> {
    let keys: [(&[u8], KeyCode, KeyModifiers); 41] = [
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
        (b"\x1bx", KeyCode::Char('x'), ALT),
        (b"\x1b\r", KeyCode::Enter, ALT),
        ("\x1bé".as_bytes(), KeyCode::Char('é'), ALT),
        (b"\x1b[A", KeyCode::Up, NONE),
        (b"\x1bOB", KeyCode::Down, NONE),
        (b"\x1b[1;5C", KeyCode::Right, CONTROL),
        (b"\x1b\x1b[D", KeyCode::Left, ALT),
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
        (b"\x1b[27u", KeyCode::Esc, NONE),
        (b"\x1b[106;5u", KeyCode::Char('j'), CONTROL),
        (b"\x1b[57405u", KeyCode::Char('6'), NONE),
        (b"\x1b[27;5;13~", KeyCode::Enter, CONTROL),
        (b"\x1b[9;2u", KeyCode::BackTab, SHIFT),
    ];
    let mouse = |kind, column, row| Input::Mouse(MouseEvent { kind, column, row, modifiers: NONE });
    let mut table: Vec<(&[u8], Input)> =
        keys.into_iter().map(|(bytes, code, modifiers)| (bytes, pressed(code, modifiers))).collect();
    table.extend([
        (&b"\x1b[<0;300;7M"[..], mouse(MouseEventKind::Down(MouseButton::Left), 299, 6)),
        (b"\x1b[<2;1;1m", mouse(MouseEventKind::Up(MouseButton::Right), 0, 0)),
        (b"\x1b[<32;9;9M", mouse(MouseEventKind::Drag(MouseButton::Left), 8, 8)),
        (b"\x1b[<65;9;9M", mouse(MouseEventKind::ScrollDown, 8, 8)),
        (b"\x1b[200~C5 \x1b[A fine\x1b[201~", Input::Paste("C5 \x1b[A fine".into())),
        (b"\x1b[I", Input::Focus(true)),
        (b"\x1b[?62;4;22c", Input::Reply(Reply::PrimaryAttributes(vec![62, 4, 22]))),
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

#[test]
fn a_pause_tells_the_escape_key_from_a_sequence() {
    let (mut parser, mut out) = (Parser::new(), Vec::new());
    assert_eq!(parser.patience(), None);
    parser.feed(b"\x1b", &mut out);
    assert_eq!((out.len(), parser.patience()), (0, Some(ESCAPE_WAIT)));
    parser.pause(&mut out);
    assert_eq!(out, vec![pressed(KeyCode::Esc, NONE)]);
    // A sequence that stops half way types no keys.
    out.clear();
    parser.feed(b"\x1b[12;3", &mut out);
    parser.pause(&mut out);
    parser.feed(b"k", &mut out);
    assert_eq!(out, vec![pressed(KeyCode::Char('k'), NONE)]);
}

#[test]
fn a_released_key_is_not_a_pressed_one() {
    let Some(Input::Key(key)) = parse(b"\x1b[106;1:3u").pop() else { unreachable!("a key") };
    assert_eq!(key.kind, KeyEventKind::Release);
}

#[test]
fn noise_is_skipped_with_bounded_memory() {
    let mut noise = b"\x1b[".to_vec();
    noise.extend(std::iter::repeat_n(b'1', 10_000));
    noise.extend(b"m\x1b]0;title\x07\x1b_");
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
        parser.pause(&mut out);
        prop_assert_eq!(parser.patience(), None);
    }
}
