//! ratatui's side: draws into memory; the writer finds out what changed.

use super::TerminalError;
use super::capabilities::Letters;
use super::direction::keep_columns;
use super::halfblocks::indexed;
use super::plain::to_ascii;
use super::probe::Window;
use super::screen::TextFrame;
use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Color;
use ratatui::{TerminalOptions, Viewport};
use std::io;

/// A screen in memory.
#[derive(Debug)]
pub(super) struct Surface {
    terminal: ratatui::Terminal<Memory>,
    letters: Letters,
    truecolor: bool,
}

impl Surface {
    pub(super) fn new(window: Window, truecolor: bool) -> Result<Self, TerminalError> {
        let memory = Memory { size: size(window), cursor: None, at: Position::ORIGIN };
        // The size is set by the caller, not asked for at each frame.
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::from((Position::ORIGIN, memory.size))) };
        let terminal = ratatui::Terminal::with_options(memory, options).map_err(TerminalError::Draw)?;
        Ok(Self { terminal, letters: Letters::Reordered, truecolor })
    }

    /// What the terminal makes of characters beyond ASCII.
    pub(super) fn set_letters(&mut self, letters: Letters) {
        self.letters = letters;
    }

    /// Whether the terminal has 24-bit colours.
    pub(super) fn set_truecolor(&mut self, truecolor: bool) {
        self.truecolor = truecolor;
    }

    /// Draws a frame of the window's size.
    ///
    /// # Errors
    /// None in practice.
    pub(super) fn draw(
        &mut self,
        window: Window,
        render: impl FnOnce(&mut ratatui::Frame<'_>),
    ) -> Result<TextFrame, TerminalError> {
        let size = size(window);
        if self.terminal.backend().size != size {
            self.terminal.backend_mut().size = size;
            self.terminal.resize(Rect::from((Position::ORIGIN, size))).map_err(TerminalError::Draw)?;
        }
        let mut buffer = self.terminal.draw(render).map_err(TerminalError::Draw)?.buffer.clone();
        if !self.truecolor {
            for cell in &mut buffer.content {
                cell.fg = brought_down(cell.fg);
                cell.bg = brought_down(cell.bg);
            }
        }
        match self.letters {
            Letters::Ascii => to_ascii(&mut buffer),
            Letters::Reordered => keep_columns(&mut buffer),
            Letters::InPlace => {}
        }
        Ok(TextFrame { buffer, cursor: self.terminal.backend().cursor })
    }
}

fn brought_down(colour: Color) -> Color {
    match colour {
        Color::Rgb(red, green, blue) => Color::Indexed(indexed(red, green, blue)),
        other => other,
    }
}

fn size(window: Window) -> Size {
    Size::new(window.columns, window.rows)
}

/// A backend that writes nothing.
#[derive(Debug)]
struct Memory {
    size: Size,
    /// Where the frame shows the cursor.
    cursor: Option<Position>,
    at: Position,
}

impl Backend for Memory {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, _content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.cursor = None;
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.cursor = Some(self.at);
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.at)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.at = position.into();
        if let Some(cursor) = &mut self.cursor {
            *cursor = self.at;
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn clear_region(&mut self, _clear_type: ClearType) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;
    use ratatui::text::Line;

    const WINDOW: Window = Window { columns: 10, rows: 2, width: 0, height: 0 };

    #[test]
    fn a_frame_is_as_large_as_the_window_also_after_a_resize() {
        let mut surface = Surface::new(WINDOW, true).expect("memory");
        let larger = Window { columns: 20, rows: 4, ..WINDOW };
        for window in [WINDOW, larger, WINDOW] {
            let frame = surface.draw(window, |frame| frame.render_widget(Line::from("C6"), frame.area()));
            let buffer = frame.expect("drawn").buffer;
            assert_eq!((buffer.area.width, buffer.area.height), (window.columns, window.rows));
            assert_eq!(buffer[(1, 0)].symbol(), "6");
        }
    }

    #[test]
    fn colours_fit_the_terminal() {
        let mut surface = Surface::new(WINDOW, false).expect("memory");
        let text = Line::from("C6").style(Style::new().fg(Color::Rgb(255, 0, 0)).on_black());
        let frame = surface.draw(WINDOW, |frame| frame.render_widget(text, frame.area())).expect("drawn");
        assert_eq!((frame.buffer[(0, 0)].fg, frame.buffer[(0, 0)].bg), (Color::Indexed(196), Color::Black));
    }

    #[test]
    fn letters_fit_the_terminal() {
        let mut surface = Surface::new(WINDOW, true).expect("memory");
        let mut drawn = |letters| {
            surface.set_letters(letters);
            let frame = surface.draw(WINDOW, |frame| frame.render_widget(Line::from("· שרון 61"), frame.area()));
            frame.expect("drawn").buffer.content[..9].iter().map(Cell::symbol).collect::<String>()
        };
        assert_eq!(drawn(Letters::InPlace), "· שרון 61");
        assert_eq!(drawn(Letters::Ascii), ". ???? 61");
        assert_eq!(drawn(Letters::Reordered), "·\u{2800}שרון\u{2800}61");
    }

    #[test]
    fn the_break_after_a_name_from_right_to_left_is_written_to_the_terminal() {
        let mut surface = Surface::new(WINDOW, true).expect("memory");
        let frame = surface.draw(WINDOW, |frame| frame.render_widget(Line::from("C2 שרון 61"), frame.area()));
        let mut bytes = Vec::new();
        super::super::screen::Screen::default().write(&frame.expect("drawn"), &mut bytes);
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert!(text.contains("שרון\u{2800}61"), "{text:?}");
    }

    #[test]
    fn the_cursor_is_where_the_frame_puts_it_and_gone_where_it_does_not() {
        let mut surface = Surface::new(WINDOW, true).expect("memory");
        let frame = surface.draw(WINDOW, |frame| frame.set_cursor_position((3, 1))).expect("drawn");
        assert_eq!(frame.cursor, Some(Position::new(3, 1)));
        assert_eq!(surface.draw(WINDOW, |_| {}).expect("drawn").cursor, None);
    }
}
