//! Colours as theme files write them: `#rrggbb`, or one of the sixteen that the terminal itself defines.

use ratatui::style::Color;

/// The sixteen, in the order of their ANSI numbers.
pub(super) const SIXTEEN: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// Reads `#rrggbb` or the name of one of the sixteen.
pub(super) fn parse(text: &str) -> Option<Color> {
    match text.strip_prefix('#') {
        Some(digits) if digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
            Some(Color::Rgb(red, green, blue))
        }
        Some(_) => None,
        None => SIXTEEN.iter().find(|(name, _)| *name == text).map(|(_, colour)| *colour),
    }
}

/// The nearest of the 240 fixed colours of a terminal with 256: a 6 × 6 × 6 cube with the steps 0, 95, 135, 175, 215, 255
/// from number 16, then greys 8, 18 … 238 (xterm's 256colres.h). The sixteen stay as they are.
pub(super) fn among_256(colour: Color) -> Color {
    let Color::Rgb(red, green, blue) = colour else { return colour };
    let wanted = [red, green, blue];
    let distance = |found: [u8; 3]| -> u32 {
        wanted.iter().zip(found).map(|(&want, found)| u32::from(want.abs_diff(found)).pow(2)).sum()
    };
    let nearest = (16..=255_u8).min_by_key(|&number| distance(fixed(number)));
    nearest.map_or(colour, Color::Indexed)
}

/// The fixed colour of a number from 16 to 255.
fn fixed(number: u8) -> [u8; 3] {
    match number.checked_sub(232) {
        Some(step) => [8 + 10 * step; 3],
        None => {
            let cube = number.saturating_sub(16);
            [cube / 36, cube / 6 % 6, cube % 6].map(|step| if step == 0 { 0 } else { 55 + 40 * step })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read() {
        assert_eq!(parse("#0a80FF"), Some(Color::Rgb(10, 128, 255)));
        assert_eq!(parse("bright-cyan"), Some(Color::LightCyan));
        for text in ["#12345", "#+12345", "0a80ff", "Red", ""] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn exact_colours_of_the_256_are_found() {
        assert_eq!(among_256(Color::Rgb(0, 0, 0)), Color::Indexed(16));
        assert_eq!(among_256(Color::Rgb(95, 135, 255)), Color::Indexed(69));
        assert_eq!(among_256(Color::Rgb(255, 255, 255)), Color::Indexed(231));
        assert_eq!(among_256(Color::Rgb(18, 18, 18)), Color::Indexed(233));
        assert_eq!(among_256(Color::Red), Color::Red);
    }
}
