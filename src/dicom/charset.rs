//! Text in the character sets of SpecificCharacterSet (PS3.3 section C.12.1.1.2, PS3.5 section 6.1), with the code
//! extensions of ISO 2022.

use encoding_rs as rs;

/// Introduces an escape sequence (PS3.5 section 6.1.2.5.1).
const ESCAPE: u8 = 0x1B;

/// A set of graphic characters that an escape sequence can put in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    /// ISO 646, and JIS X 0201 romaji (ISO-IR 14), which differs in yen sign and overline only.
    Ascii,
    /// JIS X 0201, katakana (ISO-IR 13).
    Katakana,
    /// The upper half of a set of single bytes.
    Upper(Upper),
    /// JIS X 0208 (ISO-IR 87).
    Kanji,
    /// JIS X 0212 (ISO-IR 159).
    MoreKanji,
    /// KS X 1001 (ISO-IR 149).
    Korean,
    /// GB 2312 (ISO-IR 58).
    Chinese,
}

/// Which bytes from 0xA0 on mean what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upper {
    /// ISO 8859-1, which encoding_rs does not have.
    Latin1,
    Other(&'static rs::Encoding),
}

/// The code element in which an escape sequence puts a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    G0,
    G1,
}

/// ISO-IR number, escape sequence without its first byte, place and set (PS3.3 tables C.12-3 and C.12-4).
const EXTENSIONS: &[(u16, &[u8], Place, Set)] = &[
    (6, b"(B", Place::G0, Set::Ascii),
    (14, b"(J", Place::G0, Set::Ascii),
    (13, b")I", Place::G1, Set::Katakana),
    (100, b"-A", Place::G1, Set::Upper(Upper::Latin1)),
    (101, b"-B", Place::G1, Set::Upper(Upper::Other(rs::ISO_8859_2))),
    (109, b"-C", Place::G1, Set::Upper(Upper::Other(rs::ISO_8859_3))),
    (110, b"-D", Place::G1, Set::Upper(Upper::Other(rs::ISO_8859_4))),
    (144, b"-L", Place::G1, Set::Upper(Upper::Other(rs::ISO_8859_5))),
    (127, b"-G", Place::G1, Set::Upper(Upper::Other(rs::ISO_8859_6))),
    (126, b"-F", Place::G1, Set::Upper(Upper::Other(rs::ISO_8859_7))),
    (138, b"-H", Place::G1, Set::Upper(Upper::Other(rs::ISO_8859_8))),
    // Latin 5 is Latin 1 with six letters replaced; windows-1254 holds it.
    (148, b"-M", Place::G1, Set::Upper(Upper::Other(rs::WINDOWS_1254))),
    (203, b"-b", Place::G1, Set::Upper(Upper::Other(rs::ISO_8859_15))),
    (166, b"-T", Place::G1, Set::Upper(Upper::Other(rs::WINDOWS_874))),
    (87, b"$B", Place::G0, Set::Kanji),
    (159, b"$(D", Place::G0, Set::MoreKanji),
    (149, b"$)C", Place::G1, Set::Korean),
    (58, b"$)A", Place::G1, Set::Chinese),
];

/// How a file's text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    /// Sets of ISO 2022: what is in G1 at the beginning (G0 is ASCII), and whether escape sequences follow.
    Iso2022 { g1: Option<Set>, escapes: bool },
    /// A set of its own without extensions: UTF-8, GB18030, GBK.
    Whole(&'static rs::Encoding),
    /// A name that the standard does not know.
    Unknown,
}

impl Charset {
    /// The default repertoire (ISO-IR 6).
    pub(super) const DEFAULT: Self = Self::Iso2022 { g1: None, escapes: false };

    /// From the values of SpecificCharacterSet, backslashes between them. Common misspellings are understood.
    pub(super) fn from_names(names: &str) -> Self {
        let mut values = names.split('\\').map(|name| name.trim_matches(|c: char| c == '\0' || c.is_whitespace()));
        let first = values.next().unwrap_or_default().to_ascii_uppercase();
        let escapes = names.contains('\\') || first.contains("2022");
        let letters: String = first.chars().filter(char::is_ascii_alphanumeric).collect();
        match letters.as_str() {
            "" => return Self::Iso2022 { g1: None, escapes },
            "ISOIR192" | "UTF8" => return Self::Whole(rs::UTF_8),
            "GB18030" => return Self::Whole(rs::GB18030),
            "GBK" | "GB2312" => return Self::Whole(rs::GBK),
            _ => {}
        }
        let number = letters.strip_prefix("ISO").map(|rest| rest.strip_prefix("2022").unwrap_or(rest));
        let number = number.and_then(|rest| rest.strip_prefix("IR")).and_then(|digits| digits.parse::<u16>().ok());
        let known = number.and_then(|number| EXTENSIONS.iter().find(|(ir, ..)| *ir == number));
        match known {
            Some((_, _, Place::G1, set)) => Self::Iso2022 { g1: Some(*set), escapes },
            Some(_) => Self::Iso2022 { g1: None, escapes },
            None => Self::Unknown,
        }
    }

    /// Decodes a value, and says whether it is in another set than the file says: UTF-8 under the name of a set of single
    /// bytes, or bytes that the named set does not have. `is_name` for person names, whose parts each begin anew (PS3.5
    /// section 6.1.2.5.3).
    pub(super) fn decode(self, bytes: &[u8], is_name: bool) -> (String, bool) {
        if bytes.is_ascii() && !bytes.contains(&ESCAPE) {
            return (String::from_utf8_lossy(bytes).into_owned(), false);
        }
        let multi_byte = matches!(self, Self::Iso2022 { g1: Some(Set::Korean | Set::Chinese), .. });
        let single = !matches!(self, Self::Whole(_)) && !multi_byte && !bytes.contains(&ESCAPE);
        if single && let Ok(text) = std::str::from_utf8(bytes) {
            return (text.to_owned(), !bytes.is_ascii());
        }
        match self {
            Self::Whole(encoding) => {
                let (text, malformed) = encoding.decode_without_bom_handling(bytes);
                (text.into_owned(), malformed)
            }
            // Most likely Latin 1, and said to be a guess.
            Self::Unknown => (bytes.iter().map(|&byte| char::from(byte)).collect(), true),
            Self::Iso2022 { g1, escapes } => iso_2022(bytes, State { g0: Set::Ascii, g1 }, escapes, is_name),
        }
    }
}

/// What is in place.
#[derive(Debug, Clone, Copy)]
struct State {
    g0: Set,
    g1: Option<Set>,
}

fn iso_2022(bytes: &[u8], begin: State, escapes: bool, is_name: bool) -> (String, bool) {
    let mut text = String::with_capacity(bytes.len());
    let mut state = begin;
    let mut guessed = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == ESCAPE {
            let rest = &bytes[at + 1..];
            let known = EXTENSIONS.iter().find(|(_, sequence, ..)| escapes && rest.starts_with(sequence));
            if let Some((_, sequence, place, set)) = known {
                match place {
                    Place::G0 => state.g0 = *set,
                    Place::G1 => state.g1 = Some(*set),
                }
                at += 1 + sequence.len();
                continue;
            }
            text.push(char::from(byte));
            at += 1;
            continue;
        }
        let set = if byte < 0x80 { state.g0 } else { state.g1.unwrap_or(Set::Upper(Upper::Latin1)) };
        guessed |= byte >= 0xA0 && state.g1.is_none();
        let double = matches!(set, Set::Kanji | Set::MoreKanji | Set::Korean | Set::Chinese);
        let is_control = byte < 0x21 || (0x7F..0xA1).contains(&byte);
        if double
            && !is_control
            && let Some(&second) = bytes.get(at + 1)
        {
            text.push_str(&pair(set, byte, second));
            at += 2;
            continue;
        }
        if matches!(byte, b'\\' | b'\r' | b'\n' | b'\t' | 0x0C) || (is_name && matches!(byte, b'^' | b'=')) {
            state = begin;
            text.push(char::from(byte));
        } else {
            text.push(single(set, byte));
        }
        at += 1;
    }
    (text, guessed)
}

/// A character of two bytes, through the encoding that holds the set with both high bits set.
fn pair(set: Set, first: u8, second: u8) -> String {
    let (first, second) = (first | 0x80, second | 0x80);
    let (encoding, bytes): (_, &[u8]) = match set {
        Set::Korean => (rs::EUC_KR, &[first, second]),
        Set::Chinese => (rs::GBK, &[first, second]),
        Set::MoreKanji => (rs::EUC_JP, &[0x8F, first, second]),
        _ => (rs::EUC_JP, &[first, second]),
    };
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

fn single(set: Set, byte: u8) -> char {
    match set {
        Set::Katakana if (0xA1..=0xDF).contains(&byte) => {
            char::from_u32(0xFF61 + u32::from(byte - 0xA1)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        Set::Katakana if byte >= 0xE0 => char::REPLACEMENT_CHARACTER,
        // 0x80 to 0x9F are controls in all of them, whatever the encoding of the same name on the web says.
        Set::Upper(Upper::Other(encoding)) if byte >= 0xA0 => {
            let (text, _) = encoding.decode_without_bom_handling(std::slice::from_ref(&byte));
            text.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests;
