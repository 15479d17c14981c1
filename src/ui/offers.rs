//! What a prompt offers: as a list with one row each, or one after another over few rows.

use super::Look;
use super::text::{put, put_right, width, wrap};
use crate::app::{Choice, Model, Offer};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// From this width on a row holds name, keys and words.
const WIDE: u16 = 60;
/// Cells of names in a wide list.
const NAMES: u16 = 22;
/// Cells of a command's keys in a wide list.
const KEYS: u16 = 14;
/// Rows for the words of the marked offer, under a narrow list.
const WORDS: u16 = 2;
/// Cells between two offers in a row.
const GAP: u16 = 3;

/// Draws as many offers as there are rows, the marked one among them.
pub(super) fn list(
    buffer: &mut Buffer,
    area: Rect,
    (offers, selected): (&[Offer], usize),
    model: &Model,
    look: Look<'_>,
) {
    let style = |role| look.theme.style(role);
    let marked = offers.get(selected).filter(|_| area.width < WIDE);
    let words = marked.map_or(Vec::new(), |offer| wrap(&offer.words, area.width.saturating_sub(1), WORDS.into()));
    let below = if area.width < WIDE && area.height > 2 * WORDS && offers.iter().any(|offer| !offer.words.is_empty()) {
        WORDS + 1
    } else {
        0
    };
    let rows = usize::from(area.height - below);
    let first = (selected + 1).saturating_sub(rows);
    for ((index, offer), y) in offers.iter().enumerate().skip(first).take(rows).zip(area.y..) {
        let line = Rect { y, height: 1, ..area };
        if index == selected {
            buffer.set_style(line, style(Role::Selection));
        }
        if area.width < WIDE {
            narrow_row(buffer, line, offer, model, look)
        } else {
            row(buffer, line, offer, model, look)
        }
    }
    // Right under the list, or under as much of it as has room.
    let end = area.y + rows.min(offers.len()) as u16;
    for (line, y) in words.iter().zip(end + 1..area.bottom()).take(usize::from(below)) {
        put(buffer, area.x + 1, y, area.width.saturating_sub(1), line, style(Role::Muted));
    }
}

/// Keys of the command that an offer leads to; empty for what is no command.
fn keys(offer: &Offer, model: &Model, look: Look<'_>) -> String {
    match offer.choice {
        Choice::Command(command) => look.keymap.keys_of(model.screen(), command).join(" "),
        Choice::Study(_) | Choice::Measurement(_) | Choice::KeyImage(_) | Choice::Words => String::new(),
    }
}

/// Name, keys and words in columns.
fn row(buffer: &mut Buffer, area: Rect, offer: &Offer, model: &Model, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    let Offer { name, words, choice } = offer;
    let room = if words.is_empty() { area.width.saturating_sub(4) } else { NAMES };
    put(buffer, area.x + 2, area.y, room, name, style(Role::Key));
    // A single key needs no column of names.
    let mut x = if name.len() == 1 { area.x + 5 } else { area.x + NAMES + 3 };
    if matches!(choice, Choice::Command(_)) {
        put(buffer, x, area.y, KEYS, &keys(offer, model, look), style(Role::Key));
        x += KEYS + 1;
    }
    put(buffer, x, area.y, area.right().saturating_sub(x + 2), words, style(Role::Muted));
}

/// The name, and at the right the first keys that have room, or the words of an offer that is no command.
fn narrow_row(buffer: &mut Buffer, area: Rect, offer: &Offer, model: &Model, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    let right = area.right().saturating_sub(1);
    let end = put(buffer, area.x + 1, area.y, area.width.saturating_sub(2), &offer.name, style(Role::Text));
    let room = right.saturating_sub(end + 2);
    match offer.choice {
        Choice::Command(_) => {
            let all = keys(offer, model, look);
            let some = (0..=all.len()).rev().filter(|at| *at == all.len() || all[*at..].starts_with(' '));
            let shown = some.map(|at| &all[..at]).find(|keys| width(keys) <= room).unwrap_or_default();
            put_right(buffer, right, area.y, room, shown, style(Role::Key));
        }
        Choice::Study(_) | Choice::Measurement(_) | Choice::KeyImage(_) | Choice::Words => {
            put(buffer, end + 2, area.y, room, &offer.words, style(Role::Muted));
        }
    }
}

/// Offers one after another.
pub(super) struct Flow {
    /// Row and column of each offer.
    places: Vec<(u16, u16)>,
}

impl Flow {
    /// The offers over rows of `room` cells, the first one `start` cells from the left of the first row.
    pub(super) fn of(offers: &[Offer], start: u16, room: u16) -> Self {
        let (mut row, mut column) = (0, start);
        let places = offers.iter().map(|offer| {
            let cells = width(&label(offer));
            if column > 0 && column + cells > room {
                (row, column) = (row + 1, 0);
            }
            let place = (row, column);
            column += cells + GAP;
            place
        });
        Self { places: places.collect() }
    }

    /// Rows that it takes.
    pub(super) fn height(&self) -> usize {
        self.places.last().map_or(0, |(row, _)| usize::from(*row) + 1)
    }

    /// Draws as many rows as there are.
    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, (offers, selected): (&[Offer], usize), look: Look<'_>) {
        let style = |role| look.theme.style(role);
        for (index, (offer, (row, column))) in offers.iter().zip(&self.places).enumerate() {
            let (x, y) = (area.x + column, area.y + row);
            if y >= area.bottom() {
                break;
            }
            let room = area.right().saturating_sub(x);
            if index == selected {
                let cells = width(&label(offer)).min(room);
                buffer.set_style(Rect { x, y, width: cells, height: 1 }, style(Role::Selection));
            }
            let end = put(buffer, x, y, room, &offer.name, style(Role::Key));
            if !offer.words.is_empty() {
                put(buffer, end + 1, y, area.right().saturating_sub(end + 1), &offer.words, style(Role::Text));
            }
        }
    }
}

/// `3 osteophyte`.
fn label(offer: &Offer) -> String {
    if offer.words.is_empty() { offer.name.clone() } else { format!("{} {}", offer.name, offer.words) }
}
