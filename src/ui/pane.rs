//! One picture in its frame: title, orientation letters, corner texts. Nothing lies on the pixels but what is drawn into them.

use super::text::{fit, paragraph, put, put_right, width};
use super::{Layout, Look, Pane};
use crate::app::{Appearance, Beside, Model, Reading, Source, VolumeState};
use crate::domain::{FractureReport, Volume};
use crate::raster::{self, Plane, Sampling, ViewGeometry, Zoom};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::{Block, BorderType, Widget};

/// Fewer cells than this hold no picture.
const LEAST: (u16, u16) = (10, 5);
/// From this size on the corners have room for texts.
const CORNERS_FROM: (u16, u16) = (34, 12);

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
    let inner = frame(buffer, area, &title(shown, plane), active, look);
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

/// ` axial · 153 / 312 · z −128.4 mm · C6 `.
fn title(shown: Shown<'_>, plane: Plane) -> String {
    let Shown { reading, volume, report, .. } = shown;
    let slice = reading.slice_of(plane);
    let native = plane == raster::native_plane(volume);
    let report = report.filter(|report| native && report.series_uid == volume.series_uid);
    let spans = report.map(FractureReport::spans).unwrap_or_default();
    let levels: String = spans
        .iter()
        .filter(|span| (span.first..=span.last).contains(&slice))
        .map(|span| format!(" {}", span.level))
        .collect();
    let levels = if levels.is_empty() { levels } else { format!(" ·{levels}") };
    let position = match plane {
        _ if native => volume.position_mm(slice),
        plane => raster::plane_point(volume, plane, slice).map(|point| match plane {
            Plane::Axial => point.z,
            Plane::Sagittal => point.x,
            Plane::Coronal => point.y,
        }),
    };
    let axis = match plane {
        Plane::Axial => 'z',
        Plane::Sagittal => 'x',
        Plane::Coronal => 'y',
    };
    let place = position.map(|mm| format!(" · {axis} {} mm", signed(mm))).unwrap_or_default();
    let bent = if reading.follow && reading.course.is_some() && !native { " along the spine" } else { "" };
    format!(" {}{bent} · {} / {}{place}{levels} ", plane.name(), slice + 1, reading.slices_of(plane))
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
    let mut left = vec![scale_bar(shown, pane, room).unwrap_or_default(), zoom_words(appearance)];
    left.retain(|words| !words.is_empty());
    put(buffer, inner.x + 1, bottom, room, &left.join(" "), style);
    let top = if active { series_words(reading, pane.plane) } else { slab_words(appearance).unwrap_or_default() };
    put_right(buffer, inner.right() - 1, inner.y, room - 2, &top, style);
    if active {
        put_right(buffer, inner.right() - 1, bottom, room - 2, &cursor_words(reading, room - 2), style);
    }
}

/// `├─── 20 mm ───┤`: a whole number of mm that is a whole number of cells within 2 %, at most a third of the room; `None` where
/// lengths are unknown.
fn scale_bar(shown: Shown<'_>, pane: Pane, room: u16) -> Option<String> {
    let view = shown.reading.view(pane.plane, None, false)?;
    let cell = shown.model.cell;
    let geometry = ViewGeometry::of(shown.volume, &view, cell.picture(pane.area.width, pane.area.height)).ok()?;
    let mm_per_cell = geometry.mm_per_pixel()?.0 * f64::from(cell.width);
    let most = room.min(pane.area.width / 3).max(1);
    let round = [100, 50, 40, 30, 20, 10, 5, 2, 1];
    let (mm, cells) = round.into_iter().chain((1..=99).rev()).find_map(|mm| {
        let exact = f64::from(mm) / mm_per_cell;
        let cells = exact.round();
        let fits = cells >= 9.0 && cells <= f64::from(most) && ((cells - exact) / exact).abs() <= 0.02;
        fits.then_some((mm, cells as usize))
    })?;
    let words = format!(" {mm} mm ");
    let rule = cells.checked_sub(2 + width(&words) as usize)?;
    Some(format!("├{}{words}{}┤", "─".repeat(rule / 2), "─".repeat(rule - rule / 2)))
}

/// The window with its name, or without where there is little room.
fn window_words(appearance: &Appearance, room: u16) -> String {
    let inverted = if appearance.inverted { " · inverted" } else { "" };
    let whole = match appearance.table {
        Some(_) => format!("table {}{inverted}", appearance.window_name),
        None => format!("{} {}", appearance.window, appearance.window_name).trim().to_owned() + inverted,
    };
    match appearance.table {
        _ if width(&whole) <= room => whole,
        Some(_) => format!("table{inverted}"),
        None => format!("{}{inverted}", appearance.window),
    }
}

fn zoom_words(appearance: &Appearance) -> String {
    let mut words: Vec<String> = match appearance.zoom {
        Zoom::Fit(_) if appearance.is_whole() => Vec::new(),
        Zoom::Fit(factor) => vec![format!("zoom {factor:.1}×")],
        Zoom::Pixels(pixels) if (pixels - 1.0).abs() < 1e-3 => vec!["1:1".to_owned()],
        Zoom::Pixels(pixels) => vec![format!("1:1 × {pixels:.1}")],
    };
    words.extend((appearance.sampling == Sampling::Nearest).then(|| "voxels".to_owned()));
    words.join(" · ")
}

fn slab_words(appearance: &Appearance) -> Option<String> {
    appearance.slab.map(|slab| format!("{} of {:.0} mm", slab.kind.name(), slab.thickness_mm))
}

/// The slab, which series, its voxels and slice thickness, its kernel.
fn series_words(reading: &Reading, plane: Plane) -> String {
    let mut words = Vec::new();
    words.extend(slab_words(reading.appearance_of(plane)));
    if reading.study.series.len() > 1 {
        words.push(format!("series {} / {}", reading.series + 1, reading.study.series.len()));
    }
    if let Some(series) = reading.study.series.get(reading.series) {
        let pixel = series.pixel_spacing().map(|spacing| format!("{:.2}×", spacing.column)).unwrap_or_default();
        words.extend(series.slice_spacing().map(|mm| format!("{pixel}{mm:.1} mm")));
        let thickness = series.instances.first().and_then(|instance| instance.slice_thickness);
        let differs = thickness.zip(series.slice_spacing()).is_some_and(|(a, b)| (a - b).abs() > 0.05);
        words.extend(thickness.filter(|_| differs).map(|mm| format!("thick {mm:.1} mm")));
        words.extend((!series.kernel.is_empty()).then(|| series.kernel.to_string()));
    }
    words.join(" · ")
}

/// The point under the cursor in the patient, where there is room for it, and the value there.
fn cursor_words(reading: &Reading, room: u16) -> String {
    let Some(value) = reading.cursor_value() else { return String::new() };
    let unit = reading.volume().filter(|volume| volume.is_hounsfield).map_or("", |_| " HU");
    let value = format!("{}{unit}", value.to_string().replace('-', "−"));
    let point = reading.cursor_point().map(|point| {
        let [x, y, z] = point.to_array().map(signed);
        format!("{x} {y} {z} mm · {value}")
    });
    point.filter(|words| width(words) <= room).unwrap_or(value)
}

pub(super) fn signed(mm: f64) -> String {
    format!("{mm:.1}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    #[test]
    fn minus_is_a_minus_sign() {
        assert_eq!(super::signed(-128.44), "−128.4");
        assert_eq!(super::super::text::width("−128.4"), 6);
    }
}
