//! Draws the model with ratatui; changes nothing. [`draw`] returns where things landed: picture rectangles and places that can
//! be clicked.
//!
//! Nothing here is told by colour alone: thresholds have a `!`, preliminary values a `~`, levels that are not seen a word.

mod bar;
mod decision;
mod help;
mod line;
mod offers;
mod pane;
mod panel;
mod preview;
mod prompt;
mod reading;
mod strip;
mod text;
mod worklist;
mod writing;

use crate::app::{Command, Entry, Model, NoticeKind, Receipt, Screen, SecondKey, Source};
use crate::config::Keymap;
use crate::domain::{CervicalLevel, ThumbnailKey, Uid};
use crate::raster::Plane;
use crate::theme::{Role, Theme};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};
use std::time::Duration;
use text::put;

/// The smallest screen that can be used.
const LEAST: (u16, u16) = (60, 16);
/// Lines that a notice takes at most: no more than lie below a list or a picture.
const NOTICE_LINES: usize = 3;

/// Where things landed, in cells; without what is covered by a notice, a prompt or help.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The pictures: the active plane first.
    pub panes: Vec<Pane>,
    /// Rows of the list with their studies.
    pub rows: Vec<(Rect, Uid)>,
    /// Lines of the panel with their levels.
    pub levels: Vec<(Rect, CervicalLevel)>,
    /// The thumbnail in the preview.
    pub thumbnail: Option<ThumbnailPane>,
    /// The slice strip: its width stands for all slices of the volume.
    pub strip: Option<Rect>,
    /// The probability panel's column without images: a prompt takes it.
    pub column: Option<Rect>,
}

/// A picture on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pane {
    /// Whose picture.
    pub source: Source,
    /// The plane that it shows.
    pub plane: Plane,
    /// The cells that the picture is stretched over.
    pub area: Rect,
}

/// The thumbnail of the selected study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThumbnailPane {
    /// The series that it shows.
    pub key: ThumbnailKey,
    /// How long the analysis took, which tells one run from another: a new result may bring a new image.
    pub run: Duration,
    /// The cells that the image is stretched over.
    pub area: Rect,
}

/// What drawing needs besides the model.
#[derive(Debug, Clone, Copy)]
pub struct Look<'l> {
    /// Colours.
    pub theme: &'l Theme,
    /// Keys, for help and hints.
    pub keymap: &'l Keymap,
}

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, model: &Model, look: Look<'_>) -> Layout {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    buffer.set_style(area, look.theme.style(Role::Text));
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let message = format!(
            "cspine needs {} × {} characters; this window has {} × {}",
            LEAST.0, LEAST.1, area.width, area.height
        );
        put(buffer, area.x, area.y, area.width, &message, look.theme.style(Role::Warning));
        return Layout::default();
    }
    let body = Rect { height: area.height - 1, ..area };
    let mut layout = match (&model.reading, model.screen()) {
        (Some(reading), Screen::Reading) => reading::draw(buffer, body, model, reading, look),
        _ => worklist::draw(buffer, body, model, look),
    };
    let last = Rect { y: area.bottom() - 1, height: 1, ..area };
    let covered = status(buffer, last, model, look);
    layout.hide_under(covered);
    layout.column = layout.column.map(|column| above(column, covered));
    if let Some(help) = &model.help {
        help::draw(buffer, area, model, help, look);
        layout.hide_under(area);
        layout.column = None;
    }
    if let Some(prompt) = &model.prompt {
        let covered = prompt::draw(buffer, area, model, prompt, &layout, look);
        layout.hide_under(covered);
    }
    for (slot, pane) in (0..).zip(&layout.panes) {
        if let Some(reason) = model.refused.get(&slot) {
            pane::not_shown(buffer, pane.area, reason, model, look);
        }
    }
    layout
}

/// The part of an area that lies above another one.
fn above(area: Rect, other: Rect) -> Rect {
    Rect { height: area.height.min(other.y.saturating_sub(area.y)), ..area }
}

impl Layout {
    /// Takes out what is covered. Images lie above text in some terminals: one that is in the way is not shown.
    fn hide_under(&mut self, area: Rect) {
        self.panes.retain(|pane| !pane.area.intersects(area));
        if self.strip.is_some_and(|strip| strip.intersects(area)) {
            self.strip = None;
        }
        if self.thumbnail.as_ref().is_some_and(|thumbnail| thumbnail.area.intersects(area)) {
            self.thumbnail = None;
        }
        self.rows.retain(|(row, _)| !row.intersects(area));
        self.levels.retain(|(line, _)| !line.intersects(area));
    }
}

/// At the end of the last line: that Caps Lock is on, if the terminal reports it. Returns the cells that this takes.
fn caps_lock(buffer: &mut Buffer, area: Rect, model: &Model, look: Look<'_>) -> u16 {
    const WORDS: &str = "Caps Lock";
    if !model.caps_lock {
        return 0;
    }
    let width = text::width(WORDS) + 1;
    put(buffer, area.right().saturating_sub(width), area.y, width, WORDS, look.theme.style(Role::Warning));
    width
}

/// Which key is asked for once more, and why.
fn second_key(key: &SecondKey, model: &Model, look: Look<'_>) -> String {
    let SecondKey { command, why, what, is_held, .. } = key;
    let name = look.keymap.hint(model.screen(), *command).unwrap_or_else(|| format!(":{}", command.name()));
    if *is_held {
        format!("{why}: {name} is held down. Release it, then press it again to {what}; any other key cancels")
    } else {
        format!("{why}: press {name} again to {what}; any other key cancels")
    }
}

/// What is being saved or was saved, and the notice.
fn told(model: &Model, look: Look<'_>) -> Option<(String, Role)> {
    let saving = model.decisions.pending().iter().rev().find(|pending| pending.problem.is_none());
    let saved = match (saving, &model.receipt) {
        (Some(pending), _) => {
            let name = model.worklist.entry(&pending.draft.study).map_or("", Entry::name);
            Some(format!("{pending} · {}", if model.identity_hidden { "patient hidden" } else { name }))
        }
        (None, Some(Receipt { text, can_be_undone: true })) => {
            let key = look.keymap.hint(model.screen(), Command::Undo);
            Some(format!("{text} · {} undo", key.unwrap_or_else(|| ":".to_owned())))
        }
        (None, receipt) => receipt.as_ref().map(|receipt| receipt.text.clone()),
    };
    let role = match model.notice.as_ref().map(|notice| notice.kind) {
        Some(NoticeKind::Error) => Role::Error,
        Some(NoticeKind::Info) | None => Role::Accent,
    };
    let parts: Vec<String> = saved.into_iter().chain(model.notice.as_ref().map(|notice| notice.text.clone())).collect();
    (!parts.is_empty()).then(|| (parts.join(" · "), role))
}

/// The last line: a notice, which takes the lines above where it is long, or hints and the way pictures take. Returns what it
/// covers.
fn status(buffer: &mut Buffer, area: Rect, model: &Model, look: Look<'_>) -> Rect {
    let style = |role| look.theme.style(role);
    let whole = area;
    let area = Rect { width: area.width - caps_lock(buffer, area, model, look), ..area };
    let unsaved = decision::unsaved(model).map(|lost| {
        let key = |command: Command| look.keymap.hint(model.screen(), command).unwrap_or_else(|| command.name().into());
        let (again, drop) = (key(Command::SaveAgain), key(Command::Acknowledge));
        let leaving = if model.told_of_loss { " · leaving again gives it up" } else { "" };
        (format!("{lost}. {again} tries again · {drop} drops it{leaving}"), Role::Error)
    });
    let again = model.second_key.as_ref().map(|key| (second_key(key, model, look), Role::Error));
    // What is measured is told for as long as it is made.
    let tool = model.tool().zip(model.reading.as_ref());
    let tool = tool.map(|(tool, reading)| (tool.words(reading), Role::Accent));
    let line = model.line_shown.then(|| (line::words(model), Role::Accent));
    if let Some((words, role)) = unsaved.or(again).or_else(|| told(model, look)).or(tool).or(line) {
        let lines = text::wrap(&words, area.width.saturating_sub(2), NOTICE_LINES);
        let height = (lines.len() as u16).max(1);
        let covered = Rect { y: area.bottom() - height, height, ..whole };
        Clear.render(covered, buffer);
        buffer.set_style(covered, style(Role::Text));
        caps_lock(buffer, whole, model, look);
        for (line, y) in lines.iter().zip(covered.y..) {
            put(buffer, area.x + 1, y, area.width.saturating_sub(2), line, style(role));
        }
        return covered;
    }
    let mut right = model.graphics.to_owned();
    if model.cine.running {
        right = format!("▶ {}/s · {right}", model.cine.rate());
    }
    if let Some(number) = model.count.as_ref().and_then(crate::app::Count::shown) {
        right = format!("{number}… · {right}");
    }
    if let Some(id) = model.measured {
        right = format!("measurement {id} · {right}");
    }
    if model.link.bytes > 0 {
        let kib = (model.link.bytes as f64 / 1024.0).ceil();
        right = format!("{right} · {} ms · {kib:.0} KB", model.link.round_trip.as_millis());
    }
    let right_width = text::width(&right);
    let room = area.width.saturating_sub(right_width + 3);
    put(buffer, area.right().saturating_sub(right_width + 1), area.y, right_width, &right, style(Role::Faint));
    let screen = model.screen();
    let wanted: &[(Command, &str)] = match screen {
        // Keys are text for the prompt, which shows its own.
        _ if model.prompt.is_some() => &[],
        Screen::Worklist => &[
            (Command::Open, "read"),
            (Command::OpenMostUrgent, "most urgent"),
            (Command::Filter, "filter"),
            (Command::Order, "order"),
            (Command::Defer, "defer"),
            (Command::Undo, "undo"),
            (Command::Palette, "command"),
            (Command::Help, "help"),
            (Command::Quit, "quit"),
        ],
        Screen::Reading => &[
            (Command::NextSuspicion, "next suspicion"),
            (Command::Fractured, "fractured"),
            (Command::Negative, "negative"),
            (Command::Positive, "positive"),
            (Command::Undo, "undo"),
            (Command::NextStudy, "next study"),
            (Command::Help, "help"),
            (Command::NextPlane, "plane"),
            (Command::WindowBone, "bone"),
            (Command::Close, "list"),
        ],
    };
    let mut x = area.x + 1;
    for (command, word) in wanted {
        let Some(key) = look.keymap.hint(screen, *command) else { continue };
        let needed = text::width(&key) + text::width(word) + 1;
        if x + needed > area.x + room {
            break;
        }
        x = put(buffer, x, area.y, area.width, &key, style(Role::Key));
        x = put(buffer, x + 1, area.y, area.width, word, style(Role::Muted)) + 3;
    }
    whole
}
