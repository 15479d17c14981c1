//! Keys and the mouse: what the sequences of xterm, rxvt, the Linux console and kitty mean.

use super::event::Input;
use super::keystroke::Keystroke;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// A character that was typed; capitals carry Shift, as in crossterm.
pub(super) fn character(c: char, modifiers: KeyModifiers) -> KeyEvent {
    let shift = if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    KeyEvent::new(KeyCode::Char(c), modifiers | shift)
}

/// A C0 control byte or DEL.
pub(super) fn control(byte: u8) -> KeyEvent {
    let with_control = |c: u8| KeyEvent::new(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
    match byte {
        0x00 => with_control(b' '),
        0x08 | 0x7f => plain(KeyCode::Backspace),
        0x09 => plain(KeyCode::Tab),
        0x0d => plain(KeyCode::Enter),
        0x1b => plain(KeyCode::Esc),
        0x01..=0x1a => with_control(byte - 1 + b'a'),
        _ => with_control(byte | 0x40),
    }
}

/// A function key of the Linux console: `A` is F1.
pub(super) fn linux(letter: u8) -> KeyEvent {
    KeyEvent::new(KeyCode::F(letter.saturating_sub(b'A') + 1), KeyModifiers::NONE)
}

/// kitty's bit for Caps Lock beside xterm's modifiers.
const CAPS_LOCK: u32 = 64;

/// xterm's modifier parameter: 1 + (1 shift, 2 alt, 4 control, 8 super, 16 hyper, 32 meta).
fn modifiers(parameter: u32) -> KeyModifiers {
    let bits = parameter.saturating_sub(1);
    let all = [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (16, KeyModifiers::HYPER),
        (32, KeyModifiers::META),
    ];
    all.into_iter().filter(|(bit, _)| bits & bit != 0).fold(KeyModifiers::NONE, |sum, (_, flag)| sum | flag)
}

/// `5:3` → press, repeat or release.
fn kind(parameter: &str) -> KeyEventKind {
    match parameter.split(':').nth(1) {
        Some("2") => KeyEventKind::Repeat,
        Some("3") => KeyEventKind::Release,
        _ => KeyEventKind::Press,
    }
}

fn number(parameter: &str) -> Option<u32> {
    parameter.split(':').next().unwrap_or_default().parse().ok()
}

/// The key that a letter at the end of `CSI` or `SS3` names.
fn lettered(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'E' => KeyCode::KeypadBegin,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        _ => return None,
    })
}

/// The key that a number before `~` names.
fn numbered(number: u32) -> Option<KeyCode> {
    let function = |first: u32, key: u8| u8::try_from(number - first).map(|offset| KeyCode::F(key + offset)).ok();
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => function(11, 1),
        17..=21 => function(17, 6),
        23..=26 => function(23, 11),
        28..=29 => function(28, 15),
        31..=34 => function(31, 17),
        _ => None,
    }
}

/// The key that a code point of the kitty keyboard protocol names.
fn kitty(code: u32) -> Option<KeyCode> {
    Some(match code {
        9 => KeyCode::Tab,
        13 | 57_414 => KeyCode::Enter,
        27 => KeyCode::Esc,
        8 | 127 => KeyCode::Backspace,
        57_399..=57_408 => KeyCode::Char(char::from_digit(code - 57_399, 10)?),
        57_409 => KeyCode::Char('.'),
        57_410 => KeyCode::Char('/'),
        57_411 => KeyCode::Char('*'),
        57_412 => KeyCode::Char('-'),
        57_413 => KeyCode::Char('+'),
        57_415 => KeyCode::Char('='),
        57_417 => KeyCode::Left,
        57_418 => KeyCode::Right,
        57_419 => KeyCode::Up,
        57_420 => KeyCode::Down,
        57_421 => KeyCode::PageUp,
        57_422 => KeyCode::PageDown,
        57_423 => KeyCode::Home,
        57_424 => KeyCode::End,
        57_425 => KeyCode::Insert,
        57_426 => KeyCode::Delete,
        // The rest of this range are lock, media and modifier keys.
        57_344..=63_743 => return None,
        _ => KeyCode::Char(char::from_u32(code).filter(|c| !c.is_control())?),
    })
}

/// The key of a code point and its modifiers, as xterm's `modifyOtherKeys` reports it.
fn coded(code: u32, modifier: &str) -> Option<KeyEvent> {
    let modifiers = modifiers(number(modifier).unwrap_or(1));
    let code = match kitty(code)? {
        KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        KeyCode::Char(c) if modifiers == KeyModifiers::SHIFT => KeyCode::Char(upper(c)),
        code => code,
    };
    Some(KeyEvent::new_with_kind(code, modifiers, kind(modifier)))
}

/// The capital letter, if it is one character.
fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    upper.next().filter(|_| upper.next().is_none()).unwrap_or(c)
}

/// What Shift makes of a key on the US layout.
fn shifted_on_us_layout(c: char) -> char {
    let (plain, shifted) = ("`1234567890-=[]\\;',./", "~!@#$%^&*()_+{}|:\"<>?");
    plain.chars().zip(shifted.chars()).find(|(from, _)| *from == c).map_or_else(|| upper(c), |(_, to)| to)
}

/// `key:shifted:base ; modifiers:kind ; text` of the kitty keyboard protocol.
///
/// Which character is the key: the one that the layout has on it, Shift included, or the text, where AltGr or a dead key made
/// another one. Caps Lock is left out: it must not make another command of a key.
fn protocol(parameters: &[&str]) -> Option<Keystroke> {
    let first = parameters.first().copied().unwrap_or_default();
    let second = parameters.get(1).copied().unwrap_or_default();
    let mut codes = first.split(':').map(|code| code.parse::<u32>().ok());
    let (code, shifted, base) = (codes.next().flatten()?, codes.next().flatten(), codes.next().flatten());
    let text = parameters.get(2).copied().unwrap_or_default();
    let text: String = text.split(':').filter_map(|code| char::from_u32(code.parse().ok()?)).collect();
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let bits = number(second).unwrap_or(1);
    let is_shifted = modifiers(bits).contains(KeyModifiers::SHIFT);
    let as_character = |code: u32| char::from_u32(code).filter(|c| !c.is_control());
    // Composed text has no key.
    let code = if code == 0 { u32::from(text.chars().next()?) } else { code };
    let mut key = coded(code, second)?;
    if !text.is_empty() {
        // AltGr and Option, which some systems report so: what they make is the text.
        key.modifiers -= KeyModifiers::ALT | KeyModifiers::CONTROL;
    }
    if let KeyCode::Char(plain) = key.code {
        let by_shift = shifted.and_then(as_character).unwrap_or_else(|| upper(plain));
        let mut typed = text.chars();
        let typed = typed.next().filter(|_| typed.next().is_none());
        let by_layout = if is_shifted { by_shift } else { plain };
        let by_caps_lock = |c: char| c.to_lowercase().eq(by_layout.to_lowercase());
        key.code = KeyCode::Char(typed.filter(|c| !by_caps_lock(*c)).unwrap_or(by_layout));
    }
    let base = base.and_then(as_character).map(|c| {
        let c = if is_shifted { shifted_on_us_layout(c) } else { c };
        KeyEvent { code: KeyCode::Char(c), ..key }
    });
    Some(Keystroke {
        base: base.filter(|base| base.code != key.code),
        text: Some(text).filter(|text| !text.is_empty()),
        caps_lock: Some(bits.saturating_sub(1) & CAPS_LOCK != 0),
        ..Keystroke::from(key)
    })
}

/// `CSI text last` as a key, a mouse event or a change of focus.
pub(super) fn sequence(text: &str, last: u8) -> Option<Input> {
    if let Some(text) = text.strip_prefix('<') {
        return mouse(text, last).map(Input::Mouse);
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b';' || byte == b':') {
        return None;
    }
    let parameters: Vec<&str> = text.split(';').collect();
    let first = parameters.first().copied().unwrap_or_default();
    let second = parameters.get(1).copied().unwrap_or_default();
    let event = |code: KeyCode| KeyEvent::new_with_kind(code, modifiers(number(second).unwrap_or(1)), kind(second));
    let with = |code: KeyCode, modifiers: KeyModifiers| KeyEvent::new(code, modifiers);
    let found = match last {
        b'I' if text.is_empty() => return Some(Input::Focus(true)),
        b'O' if text.is_empty() => return Some(Input::Focus(false)),
        b'Z' => with(KeyCode::BackTab, modifiers(number(second).unwrap_or(1)) | KeyModifiers::SHIFT),
        b'a'..=b'd' => with(lettered(last.to_ascii_uppercase())?, KeyModifiers::SHIFT),
        b'u' => return protocol(&parameters).map(Input::Key),
        b'~' if first == "27" => coded(number(parameters.get(2)?)?, second)?,
        b'~' => event(numbered(number(first)?)?),
        b'$' => with(numbered(number(first)?)?, KeyModifiers::SHIFT),
        b'^' => with(numbered(number(first)?)?, KeyModifiers::CONTROL),
        b'@' => with(numbered(number(first)?)?, KeyModifiers::CONTROL | KeyModifiers::SHIFT),
        _ => event(lettered(last)?),
    };
    Some(found.into())
}

/// `SS3 text last`: cursor keys in application mode, F1 to F4, the keypad.
pub(super) fn ss3(text: &str, last: u8) -> Option<KeyEvent> {
    let modifier = text.rsplit(';').next().and_then(number).map_or(KeyModifiers::NONE, modifiers);
    let (code, own) = match last {
        b'a'..=b'd' => (lettered(last.to_ascii_uppercase())?, KeyModifiers::CONTROL),
        b'M' => (KeyCode::Enter, KeyModifiers::NONE),
        b'I' => (KeyCode::Tab, KeyModifiers::NONE),
        b' ' => (KeyCode::Char(' '), KeyModifiers::NONE),
        b'X' => (KeyCode::Char('='), KeyModifiers::NONE),
        b'j'..=b'y' => (KeyCode::Char(char::from(last - b'j' + b'*')), KeyModifiers::NONE),
        _ => (lettered(last)?, KeyModifiers::NONE),
    };
    Some(KeyEvent::new(code, modifier | own))
}

/// The mouse's SGR form: `button ; column ; row` and `M` or `m`.
fn mouse(text: &str, last: u8) -> Option<MouseEvent> {
    let mut numbers = text.split(';').map(str::parse::<u16>);
    let (Some(Ok(button)), Some(Ok(column)), Some(Ok(row)), None) =
        (numbers.next(), numbers.next(), numbers.next(), numbers.next())
    else {
        return None;
    };
    let moved = button & 32 != 0;
    let which = match button & 3 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (button & 0xc0, last, which) {
        (0x40, b'M', _) => match button & 3 {
            0 => MouseEventKind::ScrollUp,
            1 => MouseEventKind::ScrollDown,
            2 => MouseEventKind::ScrollLeft,
            _ => MouseEventKind::ScrollRight,
        },
        (0, b'm', Some(which)) => MouseEventKind::Up(which),
        (0, b'M', Some(which)) if moved => MouseEventKind::Drag(which),
        (0, b'M', Some(which)) => MouseEventKind::Down(which),
        (0, b'M', None) if moved => MouseEventKind::Moved,
        _ => return None,
    };
    let all = [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)];
    let modifiers =
        all.into_iter().filter(|(bit, _)| button & bit != 0).fold(KeyModifiers::NONE, |sum, (_, flag)| sum | flag);
    Some(MouseEvent { kind, column: column.saturating_sub(1), row: row.saturating_sub(1), modifiers })
}
