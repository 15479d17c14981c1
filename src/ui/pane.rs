//! One picture in its frame: title, orientation letters, corner texts. Nothing lies on the pixels but what is drawn into them.

use super::text::{fit, paragraph, put, put_right, width};
use super::{Layout, Look, Pane};
use crate::app::{Appearance, Beside, Command, Model, Reading, Source, VolumeState, signed};
use crate::domain::{FractureReport, Volume};
use crate::raster::{self, Plane, ViewGeometry};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::{Block, BorderType, Widget};

/// Fewer cells than this hold no picture.
const LEAST: (u16, u16) = (10, 5);
/// From this size on the corners have room for texts.
const CORNERS_FROM: (u16, u16) = (34, 12);

/// Lengths of a scale bar, mm: the roundest first.
const LENGTHS: [u32; 15] = [100, 50, 20, 10, 5, 2, 1, 90, 80, 70, 60, 40, 30, 25, 15];

/// What a pane shows, and how.
#[derive(Clone, Copy)]
pub(super) struct Shown<'s> {
    pub(super) model: &'s Model,
    pub(super) reading: &'s Reading,
    pub(super) volume: &'s Volume,
    pub(super) report: Option<&'s FractureReport>,
    pub(super) look: Look<'s>,
}

/// Draws a plane of the open series, with all its texts where there is room.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, shown: Shown<'_>, plane: Plane, layout: &mut Layout) {
    let Shown { reading, volume, look, .. } = shown;
    let active = plane == reading.plane;
    let inner = frame(buffer, area, &format!(" {} ", reading.slice_words(plane, shown.report)), active, look);
    if inner.width < LEAST.0 || inner.height < LEAST.1 {
        return;
    }
    if !reading.texts {
        layout.panes.push(Pane { source: Source::Open, plane, area: inner });
        return;
    }
    let style = look.theme.style(Role::Overlay);
    let letters = raster::markers(volume, plane);
    let (bottom, middle) = (inner.bottom() - 1, inner.y + inner.height / 2);
    put(buffer, inner.x + inner.width / 2, inner.y, 3, &letters.top, style);
    put(buffer, inner.x + inner.width / 2, bottom, 3, &letters.bottom, style);
    put(buffer, inner.x, middle, 2, &letters.left, style);
    put_right(buffer, inner.right(), middle, 2, &letters.right, style);
    let area = Rect { x: inner.x + 2, y: inner.y + 1, width: inner.width - 4, height: inner.height - 2 };
    if inner.width >= CORNERS_FROM.0 && inner.height >= CORNERS_FROM.1 {
        corners(buffer, inner, shown, Pane { source: Source::Open, plane, area });
    }
    layout.panes.push(Pane { source: Source::Open, plane, area });
}

/// How far the reading of the series is.
pub(super) fn loading_words(done: usize, total: usize) -> String {
    if total == 0 { "reading the series".to_owned() } else { format!("reading slice {done} of {total}") }
}

/// Draws the slice that was read first, while the others are.
pub(super) fn draw_first(
    buffer: &mut Buffer,
    area: Rect,
    reading: &Reading,
    first: &Volume,
    look: Look<'_>,
    layout: &mut Layout,
) {
    let words = match reading.volume {
        VolumeState::Loading(done, total) => loading_words(done, total),
        VolumeState::Ready(_) | VolumeState::Failed(_) => return,
    };
    let inner = frame(buffer, area, &format!(" one slice · {words} "), true, look);
    if inner.width < LEAST.0 || inner.height < LEAST.1 {
        return;
    }
    let within = Rect { x: inner.x + 2, y: inner.y + 1, width: inner.width - 4, height: inner.height - 2 };
    let plane = raster::native_plane(first);
    if reading.texts {
        let (letters, overlay) = (raster::markers(first, plane), look.theme.style(Role::Overlay));
        put(buffer, inner.x, inner.y + inner.height / 2, 2, &letters.left, overlay);
        put_right(buffer, inner.right(), inner.y + inner.height / 2, 2, &letters.right, overlay);
        put(buffer, inner.x + inner.width / 2, inner.y, 3, &letters.top, overlay);
        put(buffer, inner.x + inner.width / 2, inner.bottom() - 1, 3, &letters.bottom, overlay);
    }
    layout.panes.push(Pane { source: Source::First, plane, area: if reading.texts { within } else { inner } });
}

/// Draws the series beside the open one.
pub(super) fn draw_beside(buffer: &mut Buffer, area: Rect, shown: Shown<'_>, beside: &Beside, layout: &mut Layout) {
    let Shown { model, reading, look, .. } = shown;
    let style = |role| look.theme.style(role);
    let inner = frame(buffer, area, &beside_title(reading, beside), false, look);
    if inner.width < LEAST.0 || inner.height < LEAST.1 {
        return;
    }
    let within = Rect { x: inner.x + 2, y: inner.y + 1, width: inner.width - 4, height: inner.height - 2 };
    let place = if reading.texts { within } else { inner };
    let drawn = reading.beside_view(model.cell.picture(place.width, place.height));
    let Some(volume) = beside.volume().filter(|_| drawn.is_some()) else {
        let (words, role) = match &beside.volume {
            VolumeState::Loading(..) => ("reading the series", Role::Muted),
            VolumeState::Failed(problem) => (problem.as_str(), Role::Error),
            VolumeState::Ready(_) => ("this series has nothing at this place", Role::Muted),
        };
        paragraph(buffer, Rect { y: inner.y + inner.height / 2, height: 3, ..within }, words, style(role));
        return;
    };
    if reading.texts {
        let overlay = style(Role::Overlay);
        let letters = raster::markers(volume, reading.plane);
        put(buffer, inner.x, inner.y + inner.height / 2, 2, &letters.left, overlay);
        put_right(buffer, inner.right(), inner.y + inner.height / 2, 2, &letters.right, overlay);
        let room = inner.width / 2 - 2;
        put(buffer, inner.x + 1, inner.y, room, &window_words(&beside.appearance, room), overlay);
        put_right(buffer, inner.right() - 1, inner.y, inner.width / 2 - 2, beside.alignment.words(), overlay);
        let series = beside.study.series.get(beside.series);
        let kernel = series.map(|series| series.kernel.to_string()).unwrap_or_default();
        put(buffer, inner.x + 1, inner.bottom() - 1, inner.width / 2, &kernel, overlay);
    }
    layout.panes.push(Pane { source: Source::Beside, plane: reading.plane, area: place });
}

/// ` series 2 / 3 · 120 / 300 `, or the date of another study.
fn beside_title(reading: &Reading, beside: &Beside) -> String {
    let which = if beside.study.uid == reading.study.uid {
        format!("series {} / {}", beside.series + 1, beside.study.series.len())
    } else {
        beside.study.date.map_or_else(|| "other study".to_owned(), |date| date.to_string())
    };
    let slice = beside.volume().zip(reading.beside_point()).and_then(|(volume, point)| {
        let slice = raster::slice_of_point(volume, reading.plane, point)?;
        Some(format!(" · {} / {}", slice + 1, raster::plane_len(volume, reading.plane)))
    });
    format!(" {which}{} ", slice.unwrap_or_default())
}

/// The frame with its title; what lies inside is black.
pub(super) fn frame(buffer: &mut Buffer, area: Rect, title: &str, active: bool, look: Look<'_>) -> Rect {
    let style = |role| look.theme.style(role);
    let role = if active { Role::Title } else { Role::Muted };
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(style(Role::Border))
        .title(Span::styled(fit(title, area.width.saturating_sub(4)), style(role)));
    let inner = block.inner(area);
    block.render(area, buffer);
    buffer.set_style(inner, style(Role::Overlay));
    inner
}

/// The window at the top left, slab and series at the top right, scale and zoom at the bottom left, the cursor at the bottom
/// right; the smaller pictures leave out what the large one tells.
fn corners(buffer: &mut Buffer, inner: Rect, shown: Shown<'_>, pane: Pane) {
    let Shown { reading, look, .. } = shown;
    let (style, active) = (look.theme.style(Role::Overlay), pane.plane == reading.plane);
    let appearance = reading.appearance_of(pane.plane);
    let room = inner.width / 2 - 2;
    put(buffer, inner.x + 1, inner.y, room, &window_words(appearance, room), style);
    let bottom = inner.bottom() - 1;
    let mut left = vec![scale_bar(shown, pane, room).unwrap_or_default(), appearance.zoom_words()];
    left.retain(|words| !words.is_empty());
    put(buffer, inner.x + 1, bottom, room, &left.join(" "), style);
    let top = if active { reading.series_words(pane.plane) } else { appearance.slab_words().unwrap_or_default() };
    put_right(buffer, inner.right() - 1, inner.y, room - 2, &top, style);
    if active {
        put_right(buffer, inner.right() - 1, bottom, room - 2, &cursor_words(reading, room - 2), style);
    }
}

/// Says that the terminal does not show an image, in its place.
pub(super) fn not_shown(buffer: &mut Buffer, area: Rect, reason: &str, model: &Model, look: Look<'_>) {
    let redraw = look.keymap.keys_of(model.screen(), Command::Redraw).into_iter().next();
    let redraw = redraw.unwrap_or_else(|| format!(":{}", Command::Redraw.name()));
    let words = format!("Image not shown: {reason}. {redraw} sends it again.");
    let lines = area.height.min(4);
    let place = Rect { y: area.y + (area.height - lines) / 2, height: lines, ..area };
    paragraph(buffer, place, &words, look.theme.style(Role::Error));
}

/// `╺━━ 50 mm ━━╸`: a round number of mm to the nearest half of a cell, at most a third of the room; `None` where lengths are unknown
/// or none of [`LENGTHS`] comes within 3 %.
fn scale_bar(shown: Shown<'_>, pane: Pane, room: u16) -> Option<String> {
    let view = shown.reading.view(pane.plane, None, false)?;
    let cell = shown.model.cell;
    let geometry = ViewGeometry::of(shown.volume, &view, cell.picture(pane.area.width, pane.area.height)).ok()?;
    let mm_per_cell = geometry.mm_per_pixel()?.0 * f64::from(cell.width);
    let most = f64::from(room.min(pane.area.width / 3).max(1));
    let (mm, halves) = LENGTHS.into_iter().find_map(|mm| {
        let exact = f64::from(mm) / mm_per_cell;
        let halves = (exact * 2.0).round();
        let fits = (9.0..=most).contains(&exact) && (halves / 2.0 / exact - 1.0).abs() <= 0.03;
        fits.then_some((mm, halves as usize))
    })?;
    // A bar of whole cells runs from the middle of a cell to that of another, one of half cells more begins at a cell's edge.
    let words = format!(" {mm} mm ");
    let (first, cells) = if halves.is_multiple_of(2) { ('╺', halves / 2 + 1) } else { ('━', halves.div_ceil(2)) };
    let rule = cells.checked_sub(2 + width(&words) as usize)?;
    Some(format!("{first}{}{words}{}╸", "━".repeat(rule / 2), "━".repeat(rule - rule / 2)))
}

/// The window with its name, or without where there is little room.
fn window_words(appearance: &Appearance, room: u16) -> String {
    let whole = appearance.window_words(true);
    if width(&whole) <= room { whole } else { appearance.window_words(false) }
}

/// The point under the cursor in the patient, where there is room for it, and the value there.
fn cursor_words(reading: &Reading, room: u16) -> String {
    let Some(value) = reading.cursor_value() else { return String::new() };
    let unit = reading.volume().filter(|volume| volume.is_hounsfield()).map_or("", |_| " HU");
    let value = format!("{}{unit}", value.to_string().replace('-', "−"));
    let point = reading.cursor_point().map(|point| {
        let [x, y, z] = point.to_array().map(signed);
        format!("{x} {y} {z} mm · {value}")
    });
    point.filter(|words| width(words) <= room).unwrap_or(value)
}
