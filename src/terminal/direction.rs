//! Names that run from right to left, in rows of columns that do not.
//!
//! Terminals with bidirectional text (Konsole, VTE, mlterm, mintty, Apple Terminal) put each line into visual order by Unicode's
//! algorithm (UAX #9), which knows no columns: digits and blanks after a Hebrew or Arabic name become part of it, so that the age
//! moves to the other side of the name. A character of the class L between the two ends the name. It has to fill a cell, because
//! some of these terminals look at the first character of a cell only; a Braille cell without dots looks like a blank.

use ratatui::buffer::{Buffer, Cell};

/// U+2800: a blank of the class L.
pub(super) const BREAK: &str = "\u{2800}";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Left,
    Right,
}

/// The direction of a cell's first character; `None` for blanks, digits and signs, which follow what is around them.
fn direction(cell: &Cell) -> Option<Direction> {
    let first = cell.symbol().chars().next()?;
    match first {
        // Hebrew, Arabic, Syriac, Thaana, NKo and their neighbors; presentation forms; the scripts of the first supplement.
        '\u{590}'..='\u{8ff}'
        | '\u{fb1d}'..='\u{fdff}'
        | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}' => Some(Direction::Right),
        letter if letter.is_alphabetic() || letter == '\u{2800}' => Some(Direction::Left),
        _ => None,
    }
}

fn is_blank(cell: &Cell) -> bool {
    cell.symbol().chars().all(|letter| letter == ' ')
}

/// Keeps the columns of every row in their places: a blank of the class L follows each text that runs from right to left, and
/// begins a row whose first letter does.
pub fn keep_columns(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width.max(1));
    for row in buffer.content.chunks_mut(width) {
        if row.iter().all(|cell| direction(cell) != Some(Direction::Right)) {
            continue;
        }
        // A terminal may take the direction of the whole row from its first letter.
        let mut before = row.iter().find_map(direction).unwrap_or(Direction::Left);
        let mut is_inside = false;
        let mut at = 0;
        while at < row.len() {
            if !is_blank(&row[at]) {
                let found = direction(&row[at]);
                before = found.unwrap_or(before);
                is_inside = found.map_or(is_inside, |found| found == Direction::Right);
                at += 1;
                continue;
            }
            let end = (at..row.len()).find(|next| !is_blank(&row[*next])).unwrap_or(row.len());
            let goes_on = || row.get(end).is_some_and(|next| direction(next) == Some(Direction::Right));
            let is_between_words = is_inside && end == at + 1 && goes_on();
            if before == Direction::Right && !is_between_words {
                row[at].set_symbol(BREAK);
                before = Direction::Left;
            }
            at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use unicode_bidi::{BidiInfo, Level};

    /// The columns in the order in which a terminal with bidirectional text shows them: it sees the first character of each cell.
    fn shown(row: &[Cell], base: Option<Level>) -> Vec<usize> {
        let line: String = row.iter().filter_map(|cell| cell.symbol().chars().next()).collect();
        let info = BidiInfo::new(&line, base);
        let paragraph = &info.paragraphs[0];
        let levels: Vec<Level> = info.reordered_levels_per_char(paragraph, paragraph.range.clone());
        BidiInfo::reorder_visual(&levels)
    }

    fn row(fields: &[(u16, &str)], width: u16) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, 1));
        for (x, text) in fields {
            buffer.set_string(*x, 0, text, Style::new());
        }
        buffer
    }

    /// Whether each field's cells stay within the field, in every terminal.
    fn in_place(buffer: &Buffer, fields: &[(u16, &str)]) -> bool {
        [Some(Level::ltr()), None].into_iter().all(|base| {
            let order = shown(&buffer.content, base);
            fields.iter().all(|(x, text)| {
                let field = usize::from(*x)..usize::from(*x) + text.chars().count();
                field.clone().all(|at| field.contains(&order[at]))
            })
        })
    }

    const LIST: [(u16, &str); 5] = [(1, "87 %"), (8, "C2 C5"), (16, "שרון, דבורה"), (30, "61"), (34, "2024-05-01")];

    #[test]
    fn the_age_stays_beside_the_name() {
        let mut buffer = row(&LIST, 48);
        assert!(!in_place(&buffer, &LIST), "without a break the age moves into the name");
        keep_columns(&mut buffer);
        assert!(in_place(&buffer, &LIST));
        assert_eq!(buffer[(27, 0)].symbol(), BREAK);
        // The name itself still runs from right to left, its two words together.
        let order = shown(&buffer.content, Some(Level::ltr()));
        assert_eq!(order[16..27], (16..27).rev().collect::<Vec<_>>());
    }

    #[test]
    fn rows_of_latin_letters_and_of_wide_ones_are_left_alone() {
        for name in ["Müller, Zoë", "山田^太郎", "e\u{301}toile"] {
            let mut buffer = row(&[(1, "12 %"), (8, name), (30, "61")], 40);
            let before = buffer.clone();
            keep_columns(&mut buffer);
            assert_eq!(buffer, before, "{name}");
        }
    }

    #[test]
    fn an_arabic_name_beside_a_wide_one_and_a_description_of_either_direction() {
        for fields in [
            &[(1, "محمد علي"), (12, "45"), (16, "عنق"), (24, "12")][..],
            &[(1, "שרון"), (6, "7"), (9, "CT עמוד"), (20, "99 %")],
            &[(2, "61 y"), (9, "דבורה"), (16, "(3)"), (22, "1")],
        ] {
            let mut buffer = row(fields, 32);
            keep_columns(&mut buffer);
            assert!(in_place(&buffer, fields), "{fields:?}");
        }
    }

    proptest! {
        #[test]
        fn columns_stay_whatever_they_hold(
            texts in proptest::collection::vec("([א-ת]{1,6}|[ا-ي]{1,6}|[A-Za-z]{1,6}|[0-9]{1,4}|[0-9]{1,2} %)", 1..6),
        ) {
            let fields: Vec<(u16, &str)> = texts.iter().enumerate().map(|(at, text)| (1 + at as u16 * 9, text.as_str())).collect();
            let mut buffer = row(&fields, 60);
            keep_columns(&mut buffer);
            prop_assert!(in_place(&buffer, &fields), "{fields:?}");
        }
    }
}
