//! Text in cells: measured, cut and placed.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
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
    if room > 0 {
        cut.push('…');
    }
    cut
}

/// Places text within `room` cells; returns the column after it.
pub(super) fn put(buffer: &mut Buffer, x: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
    let room = room.min(buffer.area.right().saturating_sub(x));
    if y >= buffer.area.bottom() || room == 0 {
        return x;
    }
    let cut = fit(text, room);
    buffer.set_stringn(x, y, &cut, usize::from(room), style);
    x + width(&cut)
}

/// Places text so that it ends at `right`; returns the column where it begins.
pub(super) fn put_right(buffer: &mut Buffer, right: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
    let cut = fit(text, room);
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

    proptest! {
        #[test]
        fn nothing_is_wider_than_its_room(text in "\\PC*", room in 0_u16..30) {
            prop_assert!(width(&fit(&text, room)) <= room);
        }
    }
}
