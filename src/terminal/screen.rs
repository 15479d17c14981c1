//! The text on screen: what was written, and the bytes that bring it to what is wanted.

use super::direction::BREAK;
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use std::io::Write as _;

/// All the text that is wanted, and the cursor where it is to be seen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TextFrame {
    pub(super) buffer: Buffer,
    pub(super) cursor: Option<Position>,
}

impl TextFrame {
    /// Whether these cells lie on the screen and carry no text.
    pub(super) fn is_blank(&self, area: Rect) -> bool {
        area.intersection(self.buffer.area) == area
            && area.positions().all(|at| self.buffer.cell(at).is_some_and(|cell| [" ", BREAK].contains(&cell.symbol())))
    }
}

/// What a step wrote.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Everything was cleared before.
    pub(super) cleared: bool,
    /// Cells that were written.
    pub(super) cells: Vec<Position>,
}

/// What the terminal shows, as far as text goes.
#[derive(Debug, Default)]
pub(super) struct Screen {
    written: Option<Buffer>,
    cursor: Option<Position>,
}

impl Screen {
    /// Nothing is known of the screen: the next frame clears it and writes everything.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Something else than text is, or may be, in these cells: the next frame writes them again.
    pub(super) fn stale(&mut self, area: Rect) {
        let Some(buffer) = &mut self.written else { return };
        for position in area.intersection(buffer.area).positions() {
            if let Some(cell) = buffer.cell_mut(position) {
                // No frame has such a cell.
                *cell = Cell::new("?");
                cell.modifier = Modifier::all();
            }
        }
    }

    /// Writes what changed.
    pub(super) fn write(&mut self, frame: &TextFrame, out: &mut Vec<u8>) -> Written {
        let area = frame.buffer.area;
        let cleared = self.written.as_ref().is_none_or(|written| written.area != area);
        let written = self.written.get_or_insert_with(|| Buffer::empty(area));
        if cleared {
            out.extend_from_slice(b"\x1b[0m\x1b[?25l\x1b[2J");
            *written = Buffer::empty(area);
            self.cursor = None;
        }
        let updates = written.diff(&frame.buffer);
        let cells = updates.iter().map(|(x, y, _)| Position::new(*x, *y)).collect();
        if !updates.is_empty() {
            // A vector takes every write.
            let _ = CrosstermBackend::new(&mut *out).draw(updates.into_iter());
        }
        written.clone_from(&frame.buffer);
        if frame.cursor.is_some() != self.cursor.is_some() {
            out.extend_from_slice(if frame.cursor.is_some() { b"\x1b[?25h" } else { b"\x1b[?25l" });
        }
        if frame.cursor != self.cursor && out.is_empty() {
            // Only the cursor moved: the caller puts it in place after anything that was written.
            out.extend_from_slice(b"\x1b[0m");
        }
        self.cursor = frame.cursor;
        Written { cleared, cells }
    }

    /// Puts the cursor where the frame has it, after something else moved it.
    pub(super) fn put_cursor(&self, out: &mut Vec<u8>) {
        if let Some(Position { x, y }) = self.cursor {
            let _ = write!(out, "\x1b[{};{}H", y + 1, x + 1);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ratatui::style::Style;
    use std::num::NonZero;

    /// A terminal without a screen.
    pub(in crate::terminal) fn emulator(rows: u16, columns: u16) -> vt100::Parser {
        let size = |cells| NonZero::new(cells).expect("at least one cell");
        vt100::Parser::new(size(rows), size(columns), 0)
    }

    fn frame(lines: &[&str]) -> TextFrame {
        TextFrame { buffer: Buffer::with_lines(lines.iter().copied()), cursor: None }
    }

    fn text(screen: &mut Screen, frame: &TextFrame) -> String {
        let mut out = Vec::new();
        screen.write(frame, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn frames_left_out_do_not_matter() {
        let (first, last) = (frame(&["C5  12 %", "C6   3 %"]), frame(&["C5  97 %", "C6   3 %"]));
        let mut screen = Screen::default();
        let mut terminal = emulator(2, 8);
        terminal.process(text(&mut screen, &first).as_bytes());
        terminal.process(text(&mut screen, &last).as_bytes());
        assert_eq!(terminal.screen().contents(), "C5  97 %\nC6   3 %");
        assert!(text(&mut screen, &last).is_empty(), "nothing changed, nothing is written");
    }

    #[test]
    fn stale_cells_are_written_again_and_others_are_not() {
        let mut screen = Screen::default();
        let blank = frame(&["    ", "    "]);
        text(&mut screen, &blank);
        screen.stale(Rect::new(1, 1, 2, 1));
        let mut out = Vec::new();
        let written = screen.write(&blank, &mut out);
        assert_eq!(written.cells, vec![Position::new(1, 1), Position::new(2, 1)]);
    }

    #[test]
    fn another_size_clears_the_screen() {
        let mut screen = Screen::default();
        text(&mut screen, &frame(&["ab"]));
        let mut out = Vec::new();
        assert!(screen.write(&frame(&["ab", "cd"]), &mut out).cleared);
    }

    #[test]
    fn the_cursor_is_shown_where_the_frame_has_it() {
        let mut screen = Screen::default();
        let mut wanted = frame(&["/c5 "]);
        wanted.cursor = Some(Position::new(3, 0));
        let mut out = Vec::new();
        screen.write(&wanted, &mut out);
        screen.put_cursor(&mut out);
        let mut terminal = emulator(1, 4);
        terminal.process(&out);
        assert_eq!(terminal.screen().cursor_position(), (0, 3));
        assert!(!terminal.screen().hide_cursor());
        assert!(text(&mut screen, &frame(&["/c5 "])).contains("\x1b[?25l"));
    }

    #[test]
    fn blank_means_no_text_whatever_the_colour() {
        let mut frame = frame(&["   x"]);
        frame.buffer.set_style(Rect::new(0, 0, 4, 1), Style::new().on_black());
        assert!(frame.is_blank(Rect::new(0, 0, 3, 1)));
        assert!(!frame.is_blank(Rect::new(1, 0, 3, 1)));
        assert!(!frame.is_blank(Rect::new(0, 0, 3, 2)), "outside the screen");
    }
}
