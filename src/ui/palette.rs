//! The line of text at the bottom: command palette, filter, and what a decision asks.

use super::Look;
use super::text::{put, tail};
use crate::app::{Model, Offer, Prompt};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// Suggestions shown at most.
const SUGGESTIONS: usize = 8;

/// Draws the prompt over the last lines; returns what it covers.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, prompt: &Prompt, look: Look<'_>) -> Rect {
    let style = |role| look.theme.style(role);
    let suggestions = model.offers();
    let first = prompt.selected.saturating_sub(SUGGESTIONS - 1);
    let shown: Vec<_> = suggestions.iter().enumerate().skip(first).take(SUGGESTIONS).collect();
    let height = 1 + shown.len() as u16;
    let covered = Rect { y: area.bottom() - height, height, ..area };
    Clear.render(covered, buffer);
    buffer.set_style(covered, style(Role::Text));
    for (line, (index, Offer { name, words, .. })) in shown.iter().enumerate() {
        let y = covered.y + line as u16;
        if *index == prompt.selected {
            buffer.set_style(Rect { y, height: 1, ..area }, style(Role::Selection));
        }
        let room = if words.is_empty() { area.width.saturating_sub(4) } else { 22 };
        put(buffer, area.x + 2, y, room, name, style(Role::Key));
        // A single key needs no column of names.
        let x = if name.len() == 1 { area.x + 5 } else { area.x + 25 };
        put(buffer, x, y, area.width.saturating_sub(27), words, style(Role::Muted));
    }
    let y = area.bottom() - 1;
    let x = put(buffer, area.x + 1, y, area.width.saturating_sub(2), &prompt.sign(), style(Role::Key));
    let room = area.right().saturating_sub(x + 2);
    let x = put(buffer, x, y, room, tail(&prompt.text, room), style(Role::Text));
    put(buffer, x, y, 1, " ", style(Role::Cursor));
    covered
}
