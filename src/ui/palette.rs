//! The line of text at the bottom: command palette and filter.

use super::Look;
use super::text::{put, tail};
use crate::app::{Model, Prompt, PromptKind};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// Suggestions shown at most.
const SUGGESTIONS: usize = 8;

/// Draws the prompt over the last lines; returns what it covers.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, prompt: &Prompt, look: Look<'_>) -> Rect {
    let style = |role| look.theme.style(role);
    let suggestions = match prompt.kind {
        PromptKind::Palette => prompt.suggestions(model.screen()),
        PromptKind::Filter => Vec::new(),
    };
    let first = prompt.selected.saturating_sub(SUGGESTIONS - 1);
    let shown: Vec<_> = suggestions.iter().enumerate().skip(first).take(SUGGESTIONS).collect();
    let height = 1 + shown.len() as u16;
    let covered = Rect { y: area.bottom() - height, height, ..area };
    Clear.render(covered, buffer);
    buffer.set_style(covered, style(Role::Text));
    for (line, (index, command)) in shown.iter().enumerate() {
        let y = covered.y + line as u16;
        if *index == prompt.selected {
            buffer.set_style(Rect { y, height: 1, ..area }, style(Role::Selection));
        }
        put(buffer, area.x + 2, y, 22, command.name(), style(Role::Key));
        put(buffer, area.x + 25, y, area.width.saturating_sub(27), command.help(), style(Role::Muted));
    }
    let sign = match prompt.kind {
        PromptKind::Palette => ":",
        PromptKind::Filter => "/",
    };
    let y = area.bottom() - 1;
    let x = put(buffer, area.x + 1, y, 1, sign, style(Role::Key));
    let room = area.width.saturating_sub(4);
    let x = put(buffer, x, y, room, tail(&prompt.text, room), style(Role::Text));
    put(buffer, x, y, 1, " ", style(Role::Cursor));
    covered
}
