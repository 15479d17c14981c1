//! Help: the commands of a screen with their keys, in groups.

use super::Look;
use super::text::{put, width};
use crate::app::{Command, Help, HelpLine, Model, Screen};
use crate::domain::CervicalLevel;
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

/// From this width on, a column has room for several keys of a command.
const ROOMY: u16 = 48;

/// Covers the screen with the keys of the current screen.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, help: &Help, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    Clear.render(area, buffer);
    buffer.set_style(area, style(Role::Text));
    let screen = model.screen();
    let pages = model.help_pages();
    let index = help.page.min(pages.len() - 1);
    let page = &pages[index];
    let mut title = match screen {
        Screen::Worklist => "keys of the worklist".to_owned(),
        Screen::Reading => "keys of the reading screen".to_owned(),
    };
    title.push_str(&format!(" · profile {}", look.keymap.profile().name()));
    if !help.search.is_empty() {
        title.push_str(&format!(" · with \"{}\"", help.search));
    }
    if pages.len() > 1 {
        title.push_str(&format!(" · page {} of {}", index + 1, pages.len()));
    }
    put(buffer, area.x + 2, area.y, area.width - 4, &title, style(Role::Title));
    // Pages of several columns keep their columns' places, a last page with fewer too.
    let columns = pages.iter().map(Vec::len).max().unwrap_or(1).max(1) as u16;
    let column_width = (area.width - 2) / columns;
    let room = column_width - 1;
    let keys_room = if column_width >= ROOMY { 18 } else { 9 };
    for (x, column) in (0..).map(|n| area.x + 2 + n * column_width).zip(page) {
        for (y, line) in (area.y + 1..).zip(column) {
            let entry = |buffer: &mut Buffer, keys: &str, text: &str| {
                let after = put(buffer, x, y, room, &whole_keys(keys, keys_room), style(Role::Key));
                let after = after.max(x + keys_room) + 1;
                put(buffer, after, y, (x + room).saturating_sub(after), text, style(Role::Text));
            };
            match line {
                HelpLine::Title(group) => {
                    put(buffer, x, y, room, group.title(), style(Role::Title));
                }
                HelpLine::Command(command) => {
                    entry(buffer, &look.keymap.keys_or_name(screen, *command), command.help())
                }
                HelpLine::Levels => entry(buffer, &level_keys(screen, look), "key slice of C1 to C7"),
                HelpLine::Text(text) => {
                    put(buffer, x, y, room, text, style(Role::Muted));
                }
                HelpLine::Blank => {}
            }
        }
    }
    if page.is_empty() {
        put(buffer, area.x + 2, area.y + 2, area.width - 4, "no command matches; Esc shows all", style(Role::Text));
    }
    last_line(buffer, area, pages.len(), help, look);
}

fn last_line(buffer: &mut Buffer, area: Rect, pages: usize, help: &Help, look: Look<'_>) {
    let room = area.width - 3;
    let turn = if pages > 1 { "Space turns the page · " } else { "" };
    let leave = if help.search.is_empty() { "Esc, ? or q closes help" } else { "Esc shows all" };
    let counts = if look.keymap.profile().counts() { " · a number before a key repeats it: 10j, 5G" } else { "" };
    let last = [
        format!(
            "{turn}/ searches · {leave}{counts} · : runs any command by name · research use only, not a medical device"
        ),
        format!("{turn}/ searches · {leave} · : runs any command by name · research use only, not a medical device"),
        format!("{turn}/ searches · {leave} · research use only, not a medical device"),
        format!("{turn}/ searches · {leave} · research use only"),
        format!("{turn}/ searches · {leave}"),
        "Space: next page · / searches · Esc closes".to_owned(),
    ];
    let last = last.iter().find(|line| width(line) <= room).unwrap_or(&last[5]);
    put(buffer, area.x + 2, area.bottom() - 1, room, last, look.theme.style(Role::Muted));
}

/// The first keys of the seven jumps to a level, as `1…7` if they are in order.
fn level_keys(screen: Screen, look: Look<'_>) -> String {
    let keys: Vec<String> = CervicalLevel::ALL
        .iter()
        .map(|level| look.keymap.keys_or_name(screen, Command::Level(*level)))
        .filter_map(|keys| keys.split(' ').next().map(str::to_owned))
        .collect();
    let before = keys.first().and_then(|key| key.strip_suffix('1')).unwrap_or_default();
    let in_turn = keys.iter().zip(1..).all(|(key, digit)| *key == format!("{before}{digit}"));
    if in_turn { format!("{before}1…7") } else { keys.concat() }
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
