//! The open prompt and what it offers: in the panel's column, or in the last rows. It covers no image.

use super::offers::{self, Flow};
use super::text::{put, put_right, tail, width, wrap};
use super::writing::{Page, cursor};
use super::{Layout, Look};
use crate::app::{Model, NoticeKind, Offer, Prompt, PromptKind};
use crate::domain::NoteText;
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::{Block, BorderType, Clear, Widget};

/// Offers in the last rows, at most.
const OFFERS: usize = 8;
/// Lines of a text that a reader writes in the last rows, at most.
const WRITING: usize = 8;
/// Lines of a notice above a prompt in the last rows.
const NOTICE: usize = 2;
/// Columns and rows of the smallest column that a prompt fits in.
const LEAST_COLUMN: (u16, u16) = (22, 9);

/// Keys of a prompt that takes a text, the longest that fits is shown.
const WRITING_KEYS: [&str; 3] = ["⏎ save · ctrl-j new line · Esc cancel", "⏎ save · Esc cancel", "Esc cancel"];
/// Keys of a list.
const LIST_KEYS: [&str; 3] = ["⏎ choose · ↑ ↓ mark · Esc cancel", "⏎ choose · Esc cancel", "Esc cancel"];

/// Draws the prompt where `layout` has room for it; returns what it covers.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    model: &Model,
    prompt: &Prompt,
    layout: &Layout,
    look: Look<'_>,
) -> Rect {
    let offers = model.offers();
    // A question that one key answers needs a row, and is about what the panel shows.
    let column = layout.column.filter(|column| {
        !prompt.kind.takes_one_key() && column.width >= LEAST_COLUMN.0 && column.height >= LEAST_COLUMN.1
    });
    if let Some(column) = column {
        in_column(buffer, column, model, (prompt, &offers), look);
        return column;
    }
    let images_end = layout.panes.iter().map(|pane| pane.area.bottom()).max().unwrap_or(area.y);
    let room = Rect { y: images_end, height: area.bottom().saturating_sub(images_end), ..area };
    if prompt.kind.takes_one_key() {
        question(buffer, room, model, (prompt, &offers), look)
    } else {
        last_rows(buffer, room, model, (prompt, &offers), look)
    }
}

/// The last `height` rows, cleared.
fn cleared(buffer: &mut Buffer, room: Rect, height: usize, look: Look<'_>) -> Rect {
    let height = u16::try_from(height).unwrap_or(u16::MAX).min(room.height);
    let covered = Rect { y: room.bottom() - height, height, ..room };
    Clear.render(covered, buffer);
    buffer.set_style(covered, look.theme.style(Role::Text));
    covered
}

/// The notice, in at most so many lines.
fn notice(model: &Model, width: u16, most: usize) -> (Vec<String>, Role) {
    match &model.notice {
        Some(notice) => {
            let role = if notice.kind == NoticeKind::Error { Role::Error } else { Role::Accent };
            (wrap(&notice.text, width, most), role)
        }
        None => (Vec::new(), Role::Accent),
    }
}

/// A question that one key answers: its answers stand behind it.
fn question(
    buffer: &mut Buffer,
    room: Rect,
    model: &Model,
    (prompt, offers): (&Prompt, &[Offer]),
    look: Look<'_>,
) -> Rect {
    let sign = prompt.sign();
    let inner = room.width.saturating_sub(2);
    let answers = Flow::of(offers, width(&sign), inner);
    let rows = answers.height().max(1);
    let (told, role) = notice(model, inner, NOTICE.min(usize::from(room.height).saturating_sub(rows)));
    let covered = cleared(buffer, room, rows + told.len(), look);
    let inside = Rect { x: covered.x + 1, width: inner, ..covered };
    for (line, y) in told.iter().zip(inside.y..) {
        put(buffer, inside.x, y, inner, line, look.theme.style(role));
    }
    let top = inside.y + told.len() as u16;
    put(buffer, inside.x, top, inner, &sign, look.theme.style(Role::Key));
    let below = Rect { y: top, height: inside.bottom() - top, ..inside };
    answers.draw(buffer, below, (offers, prompt.selected), look);
    covered
}

/// A line or a text, with its offers above.
fn last_rows(
    buffer: &mut Buffer,
    room: Rect,
    model: &Model,
    (prompt, offers): (&Prompt, &[Offer]),
    look: Look<'_>,
) -> Rect {
    let style = |role| look.theme.style(role);
    let inner = room.width.saturating_sub(2);
    let page = prompt.is_writing().then(|| Page::of(prompt.editor.text(), prompt.editor.cursor(), inner));
    // The line, or the line above a text and a row of the text, come before all else.
    let mut left = usize::from(room.height).saturating_sub(1 + usize::from(page.is_some()));
    let (told, role) = notice(model, inner, NOTICE.min(left));
    left -= told.len();
    // Offers to a text are few and short: without room for a list they stand one after another.
    let flow = Flow::of(offers, 0, inner);
    let flows = page.is_some() && offers.len() > left;
    let offer_rows = if flows { flow.height().min(left) } else { offers.len().min(OFFERS).min(left) };
    left -= offer_rows;
    let text_rows = page.as_ref().map_or(0, |page| page.height().min(WRITING).min(left + 1));
    let covered = cleared(buffer, room, 1 + told.len() + offer_rows + text_rows, look);
    let inside = Rect { x: covered.x + 1, width: inner, ..covered };
    for (line, y) in told.iter().zip(inside.y..) {
        put(buffer, inside.x, y, inner, line, style(role));
    }
    let top = covered.y + told.len() as u16;
    let height = offer_rows as u16;
    if flows {
        flow.draw(buffer, Rect { y: top, height, ..inside }, (offers, prompt.selected), look);
    } else {
        offers::list(buffer, Rect { y: top, height, ..covered }, (offers, prompt.selected), model, look);
    }
    let y = top + height;
    let Some(page) = page else {
        one_line(buffer, Rect { y, height: 1, ..covered }, &prompt.sign(), prompt, look);
        return covered;
    };
    let right = put_right(buffer, covered.right() - 1, y, 12, &counter(prompt), style(Role::Muted));
    let sign = prompt.sign();
    let x = put(buffer, inside.x, y, right.saturating_sub(covered.x + 2), sign.trim_end(), style(Role::Key));
    put_right(buffer, right.saturating_sub(2), y, right.saturating_sub(x + 4), WRITING_KEYS[0], style(Role::Faint));
    page.draw(buffer, Rect { y: y + 1, height: covered.bottom() - y - 1, ..inside }, prompt, look);
    covered
}

/// A box in the panel's place: the line or the text, its offers, and the keys.
fn in_column(buffer: &mut Buffer, column: Rect, model: &Model, (prompt, offers): (&Prompt, &[Offer]), look: Look<'_>) {
    let style = |role| look.theme.style(role);
    Clear.render(column, buffer);
    buffer.set_style(column, style(Role::Text));
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(style(Role::Accent))
        .title(Span::styled(format!(" {} ", title(prompt)), style(Role::Title)));
    let inner = block.inner(column);
    block.render(column, buffer);
    let room = inner.width.saturating_sub(2);
    let last = inner.bottom() - 1;
    let list = if prompt.is_writing() {
        let page = Page::of(prompt.editor.text(), prompt.editor.cursor(), room);
        // The text has what the offers and the keys leave; without offers that is all.
        let height = if offers.is_empty() {
            inner.height - 1
        } else {
            (page.height() as u16).clamp(1, inner.height.saturating_sub(3 + offers.len() as u16).max(1))
        };
        page.draw(buffer, Rect { x: inner.x + 1, width: room, height, ..inner }, prompt, look);
        let right = put_right(buffer, inner.right() - 1, last, 12, &counter(prompt), style(Role::Muted));
        keys(buffer, Rect { y: last, height: 1, width: right.saturating_sub(inner.x), ..inner }, &WRITING_KEYS, look);
        Rect { y: inner.y + height + 1, height: last.saturating_sub(inner.y + height + 1), ..inner }
    } else {
        let sign = if prompt.kind == PromptKind::Palette { ":" } else { "/" };
        one_line(buffer, Rect { height: 1, ..inner }, sign, prompt, look);
        keys(buffer, Rect { y: last, height: 1, ..inner }, &LIST_KEYS, look);
        Rect { y: inner.y + 2, height: last - inner.y - 2, ..inner }
    };
    offers::list(buffer, list, (offers, prompt.selected), model, look);
}

/// Keys of the prompt, in the longest form that fits.
fn keys(buffer: &mut Buffer, area: Rect, forms: &[&str], look: Look<'_>) {
    let room = area.width.saturating_sub(2);
    if let Some(words) = forms.iter().find(|words| width(words) <= room) {
        put(buffer, area.x + 1, area.y, room, words, look.theme.style(Role::Faint));
    }
}

/// What the prompt asks for, for its frame.
fn title(prompt: &Prompt) -> String {
    match prompt.kind {
        PromptKind::Palette => "command or study".to_owned(),
        PromptKind::Measurements => "measurements".to_owned(),
        PromptKind::KeyImages => "key images".to_owned(),
        PromptKind::Filter
        | PromptKind::HelpSearch
        | PromptKind::Comment
        | PromptKind::Note
        | PromptKind::Defer
        | PromptKind::Level(_)
        | PromptKind::Reason(_) => prompt.sign().trim_end_matches([':', ' ']).to_owned(),
    }
}

/// Characters of the text, and how many there may be.
fn counter(prompt: &Prompt) -> String {
    format!("{}/{}", prompt.editor.length(), NoteText::LIMIT)
}

/// A line with the text around the cursor.
fn one_line(buffer: &mut Buffer, area: Rect, sign: &str, prompt: &Prompt, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    let x = put(buffer, area.x + 1, area.y, area.width.saturating_sub(2), sign, style(Role::Key));
    let room = area.right().saturating_sub(x + 2);
    let (before, after) = prompt.text().split_at(prompt.editor.cursor());
    let x = put(buffer, x, area.y, room, tail(before, room), style(Role::Text));
    cursor(buffer, (x, area.y, area.right().saturating_sub(x + 1)), after, look);
}
