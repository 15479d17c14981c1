//! Help, made from the keymap.

use super::Look;
use super::text::put;
use crate::app::Screen;
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// Covers the screen with the keys of the current screen, in as many columns as there is room for.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, screen: Screen, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    Clear.render(area, buffer);
    buffer.set_style(area, style(Role::Text));
    let name = match screen {
        Screen::Worklist => "keys of the worklist",
        Screen::Reading => "keys of the reading screen",
    };
    put(buffer, area.x + 2, area.y, area.width - 4, name, style(Role::Title));
    let entries = look.keymap.help(screen);
    let rows = usize::from(area.height.saturating_sub(4)).max(1);
    let columns = entries.len().div_ceil(rows).max(1);
    let column_width = (area.width - 2) / columns as u16;
    for (index, (keys, command)) in entries.iter().enumerate() {
        let x = area.x + 2 + (index / rows) as u16 * column_width;
        let y = area.y + 2 + (index % rows) as u16;
        let room = column_width.saturating_sub(2);
        let keys_room = (room / 3).max(6);
        let shown = super::text::fit(keys, keys_room);
        put(buffer, x, y, keys_room, &shown, style(Role::Key));
        put(buffer, x + keys_room + 1, y, room.saturating_sub(keys_room + 1), command.help(), style(Role::Text));
    }
    let last = "any key goes back · : names every command · research use only, not a medical device";
    let x = area.x + 2;
    put(buffer, x, area.bottom() - 1, area.width - 4, last, style(Role::Muted));
}
