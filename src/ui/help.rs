//! Help, made from the keymap.

use super::Look;
use super::text::{put, width};
use crate::app::{Command, Model, Screen};
use crate::config::Profile;
use crate::domain::CervicalLevel;
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// From this width on a column of help has room for several keys of a command.
const ROOMY: u16 = 48;

/// Covers the screen with the keys of the current screen, page by page where one has no room for all.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    Clear.render(area, buffer);
    buffer.set_style(area, style(Role::Text));
    let screen = model.screen();
    let (rows, columns, pages) = model.help_layout();
    let page = model.help_page.min(pages - 1);
    let mut title = match screen {
        Screen::Worklist => "keys of the worklist".to_owned(),
        Screen::Reading => "keys of the reading screen".to_owned(),
    };
    let profile = look.keymap.profile();
    if profile != Profile::default() {
        title.push_str(&format!(" · as in {}", profile.name()));
    }
    let mut back = "? goes back".to_owned();
    if pages > 1 {
        title.push_str(&format!(" · page {} of {pages}", page + 1));
        if page + 1 < pages {
            back = "? turns the page".to_owned();
        }
    }
    put(buffer, area.x + 2, area.y, area.width - 4, &title, style(Role::Title));
    let column_width = (area.width - 2) / columns as u16;
    let room = column_width - 1;
    let keys_room = if column_width >= ROOMY { 18 } else { 9 };
    let lines = lines(screen, look);
    for (index, (keys, help)) in lines.iter().skip(page * rows * columns).take(rows * columns).enumerate() {
        let x = area.x + 2 + (index / rows) as u16 * column_width;
        let y = area.y + 1 + (index % rows) as u16;
        let keys = whole_keys(keys, keys_room);
        let after = put(buffer, x, y, room, &keys, style(Role::Key)).max(x + keys_room) + 1;
        put(buffer, after, y, (x + room).saturating_sub(after), help, style(Role::Text));
    }
    let room = area.width - 3;
    let counts = if profile.counts() { " · a number before counts: 10j, 5G" } else { "" };
    let last = [
        format!("{back}{counts} · : names every command · research use only, not a medical device"),
        format!("{back} · : names every command · research use only, not a medical device"),
        format!("{back} · research use only, not a medical device"),
        format!("{back} · research use only"),
    ];
    let last = last.iter().find(|line| width(line) <= room).unwrap_or(&last[3]);
    put(buffer, area.x + 2, area.bottom() - 1, room, last, style(Role::Muted));
}

/// Keys and what they do; the seven levels in one line.
fn lines(screen: Screen, look: Look<'_>) -> Vec<(String, String)> {
    let entries = look.keymap.help(screen);
    let (levels, others): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(_, command)| matches!(command, Command::Level(_)));
    let mut lines: Vec<(String, String)> =
        others.into_iter().map(|(keys, command)| (keys, command.help().to_owned())).collect();
    let first_keys: Vec<&str> = levels.iter().filter_map(|(keys, _)| keys.split(' ').next()).collect();
    if !first_keys.is_empty() {
        let before = first_keys[0].strip_suffix('1').unwrap_or_default();
        let in_turn = first_keys.iter().zip(1..).all(|(key, digit)| **key == format!("{before}{digit}"));
        let keys = if in_turn { format!("{before}1…7") } else { first_keys.concat() };
        let [first, .., last] = CervicalLevel::ALL;
        lines.push((keys, format!("key slice of {first} to {last}")));
    }
    lines
}

/// As many keys as have room, whole; the first always.
fn whole_keys(keys: &str, room: u16) -> String {
    let mut shown = String::new();
    for key in keys.split(' ') {
        if !shown.is_empty() {
            if width(&shown) + 1 + width(key) > room {
                break;
            }
            shown.push(' ');
        }
        shown.push_str(key);
    }
    shown
}
