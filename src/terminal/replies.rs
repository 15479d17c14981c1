//! The terminal's answers to our questions.

use super::event::{Input, Reply};

/// `CSI text last` as an answer.
pub(super) fn sequence(text: &str, last: u8) -> Option<Input> {
    let (private, text) = match text.strip_prefix('?') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let numbers: Vec<u16> = text.split(';').map_while(|part| part.parse().ok()).collect();
    let reply = match (private, last, numbers.as_slice()) {
        (true, b'u', &[_]) => Reply::Keyboard,
        (true, b'c', _) => Reply::PrimaryAttributes(numbers),
        // `CSI 1 ; 2 R` to `CSI 1 ; 16 R` is F3 with modifiers; our own fence never stands in the first row there.
        (false, b'R', &[1, 2..=16]) => return None,
        (false, b'R', &[row, column]) | (true, b'R', &[row, column, ..]) => Reply::CursorPosition { row, column },
        (false, b't', &[6, height, width]) => Reply::CellPixels { width, height },
        (false, b't', &[4, height, width]) => Reply::TextAreaPixels { width, height },
        (true, b'S', &[1, 0, registers]) => Reply::ColorRegisters(registers),
        _ => return None,
    };
    Some(Input::Reply(reply))
}

/// Whether the beginning of a string may become an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is one for certain.
    Whole,
    /// More bytes are needed.
    Part,
    /// It is none.
    No,
}

/// How a string's first bytes fit the answers that terminals give: to our questions, and to those of other programs, which
/// multiplexers send to whoever has the focus. In turn: graphics (kitty); XTVERSION, DA3, DECRQSS and XTGETTCAP (xterm's
/// `ctlseqs`); an OSC begins with a number.
pub(super) fn fit(introducer: u8, bytes: &[u8]) -> Fit {
    let prefixes: &[&[u8]] = match introducer {
        b'_' => &[b"G"],
        b'P' => &[b">|", b"!|", b"0$r", b"1$r", b"0+r", b"1+r"],
        b']' => {
            return match bytes.split_last() {
                Some((b';', digits)) if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => Fit::Whole,
                _ if bytes.len() <= 4 && bytes.iter().all(u8::is_ascii_digit) => Fit::Part,
                _ => Fit::No,
            };
        }
        _ => &[],
    };
    if prefixes.contains(&bytes) {
        Fit::Whole
    } else if prefixes.iter().any(|prefix| prefix.starts_with(bytes)) {
        Fit::Part
    } else {
        Fit::No
    }
}

/// A string as an answer, by the byte after the escape that began it.
pub(super) fn string(introducer: u8, text: &str) -> Option<Reply> {
    match introducer {
        b'_' => graphics(text.strip_prefix('G')?),
        b'P' => {
            let version: String = text.strip_prefix(">|")?.chars().filter(|c| !c.is_control()).take(64).collect();
            Some(Reply::Version(version))
        }
        _ => None,
    }
}

/// `i=1,p=2;OK`.
fn graphics(text: &str) -> Option<Reply> {
    let (keys, message) = text.split_once(';')?;
    let value = |name: &str| {
        keys.split(',').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1.parse().ok()
    };
    Some(Reply::Graphics { id: value("i")?, placement: value("p"), message: message.chars().take(200).collect() })
}
