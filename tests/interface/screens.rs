//! Whole screens as text, each looked at by eye before it was kept; a few with their styles.

mod assessing;
mod conflict;
mod decisions;
mod distribution;
mod hands;
mod measuring;
mod mouse;
mod notes;
mod plain_terminals;
mod planes;
mod preview;
mod privacy;
mod prompts;
mod reading;
mod safety;
mod session;
mod sources;
mod worklist;

use cspine::app::Model;
use cspine::config::Keymap;
use cspine::terminal::to_ascii;
use cspine::theme::Theme;
use cspine::ui::{self, Layout, Look};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use std::fmt::Write as _;

/// The sizes at which every screen is kept: from a large window down to the usual terminal.
pub(crate) const SIZES: [(u16, u16); 5] = [(250, 80), (160, 45), (120, 40), (100, 30), (80, 24)];

/// Draws the model at its own size.
pub(crate) fn drawn(model: &Model, theme: &Theme) -> (Buffer, Layout) {
    let (width, height) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test terminal");
    let mut layout = Layout::default();
    let keymap = Keymap::builtin();
    let look = Look { theme, keymap: &keymap };
    terminal.draw(|frame| layout = ui::draw(frame, model, look)).expect("a drawn screen");
    let buffer = terminal.backend().buffer().clone();
    assert_has_ascii(&buffer);
    (buffer, layout)
}

/// Every screen can be shown by a terminal without UTF-8, each cell where it was.
fn assert_has_ascii(buffer: &Buffer) {
    let mut plain = buffer.clone();
    to_ascii(&mut plain);
    for (before, after) in buffer.content.iter().zip(&plain.content) {
        let (before, after) = (before.symbol(), after.symbol());
        assert!(after.len() == 1 && after.is_ascii(), "{before:?} became {after:?}");
    }
}

/// The lines of a buffer without the blanks at their ends.
pub(crate) fn lines(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    (0..area.height)
        .map(|y| {
            let mut line = String::new();
            let mut x = 0;
            while x < area.width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += (unicode_width::UnicodeWidthStr::width(symbol) as u16).max(1);
            }
            line.trim_end().to_owned()
        })
        .collect()
}

/// The screen as text.
pub(crate) fn text(model: &Model) -> String {
    let (buffer, _) = drawn(model, &Theme::default());
    let mut plain = buffer.clone();
    to_ascii(&mut plain);
    for (before, after) in buffer.content.iter().zip(&plain.content) {
        let is_sign = !before.symbol().is_ascii() && !before.symbol().chars().all(char::is_alphanumeric);
        assert!(!is_sign || after.symbol() != "?", "no ASCII for {:?}", before.symbol());
    }
    lines(&buffer).join("\n")
}

/// The worklist without the preview beside it.
pub(crate) fn list(model: &Model) -> String {
    let screen = text(model);
    screen.lines().map(|line| line.split('│').next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// The words of the preview beside the worklist, in one line.
pub(crate) fn preview(model: &Model) -> String {
    let screen = text(model);
    let beside = screen.lines().filter_map(|line| line.split_once('│')).flat_map(|(_, words)| words.split_whitespace());
    beside.collect::<Vec<_>>().join(" ")
}

/// The screen as text, then a letter for each cell's style and what the letters stand for.
pub(crate) fn styled(model: &Model, theme: &Theme) -> String {
    let (buffer, _) = drawn(model, theme);
    let mut seen = Vec::new();
    let mut map = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        for x in 0..buffer.area.width {
            let style = buffer[(x, y)].style();
            let index = seen.iter().position(|known| *known == style).unwrap_or_else(|| {
                seen.push(style);
                seen.len() - 1
            });
            line.push(char::from(b'a' + index as u8));
        }
        let _ = writeln!(map, "{line}");
    }
    let mut legend = String::new();
    for (index, style) in seen.iter().enumerate() {
        let letter = char::from(b'a' + index as u8);
        let colour = |colour: Option<ratatui::style::Color>| colour.map(|c| c.to_string()).unwrap_or_default();
        let _ = writeln!(legend, "{letter}: {} on {} {:?}", colour(style.fg), colour(style.bg), style.add_modifier);
    }
    format!("{}\n\n{map}\n{legend}", lines(&buffer).join("\n"))
}

/// Compares with the kept screen of this name in `tests/interface/snapshots`.
pub(crate) fn keep(name: &str, screen: &str) {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, screen);
    });
}
