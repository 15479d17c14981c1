//! A finished screen in ASCII, for terminals that do not use UTF-8.
//!
//! Every character becomes ASCII text of the same width, so that nothing on the screen moves: the symbols that the program draws by
//! a table, letters without their accents, and whatever is left a `?`.

use ratatui::buffer::Buffer;
use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// What each symbol becomes. Steps of a bar stay apart: a full cell is `#`, more than half `=`, less `-`; a bar of uncertain length
/// is `:`.
const SYMBOLS: &[(&str, char)] = &[
    ("█", '#'),
    ("▉▊▋▇▆▅", '='),
    ("▌▍▎▏▄▃", '-'),
    ("▂▁", '_'),
    ("▒░▓", ':'),
    ("▀▘▝▚▞▛▜▙▟▐", '#'),
    ("▖▗", '.'),
    ("─━╺╸╴╶┄┅═", '-'),
    ("│┃║╎╏", '|'),
    ("┊┆┇┋", ':'),
    ("┌┐└┘├┤┬┴┼╭╮╰╯╔╗╚╝", '+'),
    ("▸▶►→⟶", '>'),
    ("◂◀◄←", '<'),
    ("↑▲", '^'),
    ("↓▼", 'v'),
    ("◆◇●■", '*'),
    ("○□", 'o'),
    ("×✕✗✘", 'x'),
    ("✓✔", 'v'),
    ("·•∙", '.'),
    ("…", '~'),
    ("−–—‐‑", '-'),
    ("°", 'o'),
    ("²", '2'),
    ("³", '3'),
    ("½", '/'),
    ("±∓", '+'),
    ("≥≫", '>'),
    ("≤≪", '<'),
    ("≠", '!'),
    ("≈", '~'),
    ("µμ", 'u'),
    ("∅", '0'),
    ("Σ", 'S'),
    ("Π", 'P'),
    ("Ω", 'O'),
    ("√", 'V'),
    ("⏎", '<'),
    ("␣", '_'),
    ("“”„«»", '"'),
    ("‘’‚‹›´", '\''),
    ("\u{a0}\u{2800}", ' '),
    // Letters that do not come apart into a letter and an accent.
    ("ßẞ", 's'),
    ("æ", 'a'),
    ("Æ", 'A'),
    ("ø", 'o'),
    ("Ø", 'O'),
    ("œ", 'o'),
    ("Œ", 'O'),
    ("đð", 'd'),
    ("ĐÐ", 'D'),
    ("ł", 'l'),
    ("Ł", 'L'),
    ("ı", 'i'),
    ("ħ", 'h'),
    ("Ħ", 'H'),
    ("þ", 't'),
    ("Þ", 'T'),
    ("ŧ", 't'),
    ("Ŧ", 'T'),
    ("ŋ", 'n'),
    ("Ŋ", 'N'),
];

/// Brings every cell down to ASCII.
pub fn to_ascii(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width.max(1));
    for row in buffer.content.chunks_mut(width) {
        for at in 0..row.len() {
            if row[at].symbol().is_ascii() {
                continue;
            }
            let cells = row[at].symbol().width();
            let letter = ascii(row[at].symbol());
            row[at].set_char(letter);
            // The second half of a wide character is a cell of its own from now on.
            if cells > 1
                && let Some(half) = row.get_mut(at + 1)
                && half.symbol().trim().is_empty()
            {
                half.set_char(letter);
            }
        }
    }
}

/// Text in ASCII, of the same width.
pub(super) fn text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        match cluster.is_ascii() {
            true => plain.push_str(cluster),
            false => plain.extend(std::iter::repeat_n(ascii(cluster), cluster.width())),
        }
    }
    plain
}

/// The ASCII character for what a cell holds.
fn ascii(cluster: &str) -> char {
    let Some(first) = cluster.chars().next() else { return ' ' };
    if let Some((_, ascii)) = SYMBOLS.iter().find(|(symbols, _)| symbols.contains(first)) {
        return *ascii;
    }
    // "é" is "e" and an accent; a full-width letter is a letter.
    cluster.nfkd().next().filter(|letter| letter.is_ascii_graphic() || *letter == ' ').unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn plain(line: &str, width: u16) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
        buffer.set_string(0, 0, line, Style::new());
        to_ascii(&mut buffer);
        buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn names_and_symbols_stay_readable_and_nothing_moves() {
        assert_eq!(plain("Müller, Zoë · 61 y │ 87 % ×2", 28), "Muller, Zoe . 61 y | 87 % x2");
        assert_eq!(plain("Nguyễn Łukasz Ångström Weiß", 27), "Nguyen Lukasz Angstrom Weis");
        assert_eq!(plain("患者 61", 7), "???? 61");
        assert_eq!(plain("ＡＢ 61", 7), "AABB 61");
        assert_eq!(plain("שרון 61", 7), "???? 61");
    }

    #[test]
    fn no_symbol_is_in_the_table_twice_and_each_becomes_one_printable_character() {
        let mut seen = std::collections::BTreeSet::new();
        for (symbols, ascii) in SYMBOLS {
            assert!(ascii.is_ascii_graphic() || *ascii == ' ', "{ascii:?}");
            for symbol in symbols.chars() {
                assert!(seen.insert(symbol), "{symbol} twice");
            }
        }
    }

    #[test]
    fn bars_of_different_lengths_stay_apart() {
        let bars = ["█▏ ", "█▊ ", "██ ", "▏  ", "▒▒ ", "┊  "];
        let plain: std::collections::BTreeSet<String> = bars.iter().map(|bar| plain(bar, 3)).collect();
        assert_eq!(plain.len(), bars.len(), "{plain:?}");
    }

    proptest! {
        #[test]
        fn any_text_becomes_ascii_in_the_same_cells(line in "\\PC{0,24}", width in 1_u16..40) {
            let before = {
                let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
                buffer.set_string(0, 0, &line, Style::new());
                buffer
            };
            let after = plain(&line, width);
            prop_assert!(after.is_ascii() && after.len() == usize::from(width), "{after:?}");
            for (at, cell) in before.content.iter().enumerate().filter(|(_, cell)| cell.symbol().is_ascii()) {
                // What was ASCII stays, but for the second half of a wide character.
                let half = at > 0 && before.content[at - 1].symbol().width() > 1;
                prop_assert!(half || cell.symbol() == &after[at..=at]);
            }
            prop_assert!(text(&line).is_ascii());
            prop_assert_eq!(text(&line).len(), line.graphemes(true).map(|c| if c.is_ascii() { c.len() } else { c.width() }).sum::<usize>());
        }
    }
}
