//! Text in cells: measured, cut and placed.

use crate::domain::CleanText;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Width in cells.
pub(super) fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// The text cut to a width, with an ellipsis where something is missing.
pub(super) fn fit(text: &str, room: u16) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let cells = width(cluster);
        if used + cells + 1 > room {
            break;
        }
        used += cells;
        cut.push_str(cluster);
    }
    cut.truncate(cut.trim_end().len());
    if room > 0 {
        cut.push('…');
    }
    cut
}

/// The end of the text, as much as has room: where one types.
pub(super) fn tail(text: &str, room: u16) -> &str {
    let mut from = text.len();
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true).rev() {
        used += width(cluster);
        if used > room {
            break;
        }
        from = at;
    }
    &text[from..]
}

/// The text over lines of at most `room` cells, at most `most` of them; what does not fit is cut off with an ellipsis. A word
/// that is longer than a line, as a path, goes on in the next.
pub(super) fn wrap(text: &str, room: u16, most: usize) -> Vec<String> {
    let text = harmless(text);
    let mut rest = text.trim();
    let mut lines = Vec::new();
    while !rest.is_empty() && room > 0 && lines.len() < most {
        if lines.len() + 1 == most || width(rest) <= room {
            lines.push(fit(rest, room));
            break;
        }
        let mut used = 0;
        let mut end = 0;
        let mut space = None;
        for (at, cluster) in rest.grapheme_indices(true) {
            used += width(cluster);
            if cluster == " " {
                space = Some(at);
            }
            if used > room {
                break;
            }
            end = at + cluster.len();
        }
        // A letter wider than the line is passed over.
        let first = rest.graphemes(true).next().map_or(rest.len(), str::len);
        let end = space.filter(|at| *at > 0).unwrap_or(end).max(first);
        lines.push(rest[..end].trim_end().to_owned());
        rest = rest[end..].trim_start();
    }
    lines
}

/// Places text over lines of a room; returns the row after the last one.
pub(super) fn paragraph(buffer: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    let mut y = area.y;
    for line in wrap(text, area.width, usize::from(area.height)) {
        put(buffer, area.x, y, area.width, &line, style);
        y += 1;
    }
    y
}

/// The text without what could steer a terminal. Whatever reaches the screen goes through here, whoever wrote it.
fn harmless(text: &str) -> Cow<'_, str> {
    let plain = |letter: char| matches!(letter, ' '..='~' | '\u{2500}'..='\u{259f}');
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let clean = |cluster: &str| match cluster {
        cluster if cluster.chars().all(plain) => cluster.to_owned(),
        // White space of every kind, which cleaning would take away at the ends.
        cluster if cluster.chars().all(char::is_whitespace) => " ".to_owned(),
        cluster => CleanText::new(cluster).to_string(),
    };
    Cow::Owned(text.graphemes(true).map(clean).collect())
}

/// Places text within `room` cells; returns the column after it.
pub(super) fn put(buffer: &mut Buffer, x: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
    let room = room.min(buffer.area.right().saturating_sub(x));
    if y >= buffer.area.bottom() || room == 0 {
        return x;
    }
    let cut = fit(&harmless(text), room);
    buffer.set_stringn(x, y, &cut, usize::from(room), style);
    x + width(&cut)
}

/// Places text so that it ends at `right`; returns the column where it begins.
pub(super) fn put_right(buffer: &mut Buffer, right: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
    let cut = fit(&harmless(text), room);
    let x = right.saturating_sub(width(&cut));
    put(buffer, x, y, width(&cut), &cut, style);
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(fit("PHANTOM, One", 12), "PHANTOM, One");
        assert_eq!(fit("PHANTOM, One", 8), "PHANTOM…");
        assert_eq!(fit("患者患者", 5), "患者…");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn lines_lose_nothing_but_blanks() {
        assert_eq!(wrap("no study found in /data", 10, 9), ["no study", "found in", "/data"]);
        assert_eq!(wrap("/a/very/long/path x", 8, 9), ["/a/very/", "long/pat", "h x"]);
        assert_eq!(wrap("one two three", 5, 2), ["one", "two…"]);
        assert_eq!(wrap("患者", 1, 9), ["患", "者"]);
        assert!(wrap("one", 0, 9).is_empty());
    }

    #[test]
    fn what_steers_a_terminal_is_gone() {
        assert_eq!(harmless(" a\u{1b}[2J\u{202e}b\tc "), " a[2Jb c ");
        assert_eq!(harmless("──█ é 患"), "──█ é 患");
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_its_room(text in "\\PC*", room in 0_u16..30) {
            prop_assert!(width(&fit(&text, room)) <= room);
        }
    }
}
