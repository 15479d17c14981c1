//! The reading screen: picture, panel, slice strip, and what folds when there is little room.

use super::text::{fit, paragraph, put, put_right, width};
use super::{Layout, Look, panel, strip};
use crate::app::{Entry, Model, ModelState, Progress, Reading, Sight, VolumeState};
use crate::domain::{Analysis, FractureReport, coverage};
use crate::raster::{self, Plane};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Widget};

/// From this width on a small second picture has room.
const SIDE_FROM: u16 = 140;
/// From this width on the panel stands beside the picture.
const PANEL_FROM: u16 = 100;

/// Draws the screen.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, reading: &Reading, look: Look<'_>) -> Layout {
    let mut layout = Layout::default();
    let entry = model.worklist.entry(&reading.study.uid);
    let report = entry.and_then(Entry::report).map(|report| &**report);
    header(buffer, Rect { height: 1, ..area }, model, reading, entry, look);
    let strip_height = if area.width >= PANEL_FROM && area.height >= 28 { 2 } else { 1 };
    let wide = area.width >= PANEL_FROM;
    let line_height = u16::from(!wide && !reading.panel);
    let strip_area =
        Rect { x: area.x + 1, y: area.bottom() - strip_height, width: area.width - 2, height: strip_height };
    let line_area = Rect { y: strip_area.y - line_height, height: line_height, ..area };
    let middle = Rect { y: area.y + 1, height: line_area.y - area.y - 1, ..area };
    let with_panel = wide || reading.panel;
    let panel_width = if with_panel { panel::WIDTH.min(area.width / 2) } else { 0 };
    let picture_area = Rect { width: middle.width - panel_width, ..middle };
    let mut noted = false;
    if with_panel {
        let column = Rect { x: picture_area.right(), width: panel_width, ..middle };
        let room_below = column.height.saturating_sub(panel::HEIGHT);
        let with_side = area.width >= SIDE_FROM && room_below >= 8;
        let panel_area =
            Rect { height: if with_side { panel::HEIGHT } else { column.height.min(panel::HEIGHT + 1) }, ..column };
        panel::draw(buffer, panel_area, model, reading, look, &mut layout);
        if with_side {
            let side = Rect { y: panel_area.bottom(), height: column.bottom() - panel_area.bottom(), ..column };
            side_picture(buffer, side, reading, report, look, &mut layout);
        } else if room_below >= 4 {
            let notes = Rect { y: panel_area.bottom(), height: column.bottom() - panel_area.bottom(), ..column };
            noted = notes_below(buffer, notes, reading, look);
        }
    } else {
        panel::one_line(buffer, line_area, model, reading, look);
    }
    picture(buffer, picture_area, reading, look, &mut layout);
    let speaker = report.filter(|_| !with_panel).map(|report| format!("{} · research use only", report.model));
    on_the_frame(buffer, picture_area, reading, speaker.as_deref(), noted, look);
    strip::draw(buffer, strip_area, reading, report, look);
    layout.strip = reading.volume().map(|_| strip_area);
    layout
}

fn header(buffer: &mut Buffer, area: Rect, model: &Model, reading: &Reading, entry: Option<&Entry>, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    let patient = &reading.study.patient;
    let name = entry.map_or("", Entry::name);
    let mut x = put(buffer, area.x + 1, area.y, area.width / 3, name, style(Role::Title));
    let age = patient.age_years.map(|age| age.to_string()).unwrap_or_default();
    let sex = patient.sex.map(|sex| sex.letter().to_string()).unwrap_or_default();
    let mut words: Vec<String> = vec![format!("{age} {sex}").trim().to_owned(), reading.study.description.to_string()];
    words.extend(reading.study.date.map(|date| date.to_string()));
    words.retain(|word| !word.is_empty());
    let next = model.worklist.row_of(&reading.study.uid).map(|row| {
        let next = model.worklist.at(row + 1).map(|entry| format!(" · next: {}", entry.name())).unwrap_or_default();
        format!("{} of {}{}", row + 1, model.worklist.rows().len(), fit(&next, 34))
    });
    let next = next.unwrap_or_default();
    let right = put_right(buffer, area.right() - 1, area.y, area.width / 2, &next, style(Role::Muted));
    if !words.is_empty() {
        x = put(buffer, x, area.y, right.saturating_sub(x + 1), " · ", style(Role::Faint));
        put(buffer, x, area.y, right.saturating_sub(x + 1), &words.join(" · "), style(Role::Muted));
    }
}

/// The framed picture with its letters around it; nothing lies on the pixels.
fn picture(buffer: &mut Buffer, area: Rect, reading: &Reading, look: Look<'_>, layout: &mut Layout) {
    let style = |role| look.theme.style(role);
    let title = match reading.volume() {
        Some(volume) => {
            let position = match reading.plane {
                plane if plane == raster::native_plane(volume) => volume.position_mm(reading.slice()),
                plane => raster::plane_point(volume, plane, reading.slice()).map(|point| match plane {
                    Plane::Axial => point.z,
                    Plane::Sagittal => point.x,
                    Plane::Coronal => point.y,
                }),
            };
            let axis = match reading.plane {
                Plane::Axial => 'z',
                Plane::Sagittal => 'x',
                Plane::Coronal => 'y',
            };
            let place = position.map(|mm| format!(" · {axis} {} mm", signed(mm))).unwrap_or_default();
            format!(" {} · {} / {}{place} ", reading.plane.name(), reading.slice() + 1, reading.slices_in_plane())
        }
        None => " reading ".to_owned(),
    };
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(style(Role::Border))
        .title(ratatui::text::Span::styled(fit(&title, area.width.saturating_sub(4)), style(Role::Title)));
    let inner = block.inner(area);
    block.render(area, buffer);
    buffer.set_style(inner, style(Role::Overlay));
    let Some(volume) = reading.volume() else {
        let (text, role) = match &reading.volume {
            VolumeState::Loading(_, 0) => ("reading the series".to_owned(), Role::Muted),
            VolumeState::Loading(done, total) => (format!("reading slice {done} of {total}"), Role::Muted),
            VolumeState::Failed(problem) => (problem.clone(), Role::Error),
            VolumeState::Ready(_) => return,
        };
        let above = (inner.height / 2).saturating_sub(1);
        let room = Rect {
            x: inner.x + 2,
            y: inner.y + above,
            width: inner.width.saturating_sub(4),
            height: inner.height.saturating_sub(above),
        };
        paragraph(buffer, room, &text, style(role));
        return;
    };
    if inner.width < 10 || inner.height < 5 {
        return;
    }
    let markers = raster::markers(volume, reading.plane);
    let overlay = style(Role::Overlay);
    let pixels = if reading.texts {
        let top = format!("{} {}", reading.window, reading.window_name);
        put(buffer, inner.x + 1, inner.y, inner.width / 2 - 2, top.trim(), overlay);
        put_right(buffer, inner.right() - 1, inner.y, inner.width / 2 - 4, &series_words(reading), overlay);
        put(buffer, inner.x + inner.width / 2, inner.y, 3, &markers.top, overlay);
        let bottom = inner.bottom() - 1;
        put(buffer, inner.x + inner.width / 2, bottom, 3, &markers.bottom, overlay);
        let middle = inner.y + inner.height / 2;
        put(buffer, inner.x, middle, 2, &markers.left, overlay);
        put_right(buffer, inner.right(), middle, 2, &markers.right, overlay);
        let mut notes = Vec::new();
        if reading.zoom > 1.001 {
            notes.push(format!("zoom {:.1}×", reading.zoom));
        }
        if reading.inverted {
            notes.push("inverted".to_owned());
        }
        put(buffer, inner.x + 1, bottom, inner.width / 2 - 2, &notes.join(" · "), overlay);
        Rect { x: inner.x + 2, y: inner.y + 1, width: inner.width - 4, height: inner.height - 2 }
    } else {
        inner
    };
    layout.picture = Some(pixels);
}

fn signed(mm: f64) -> String {
    format!("{mm:.1}").replace('-', "−")
}

/// Which series, its slice spacing and its kernel.
fn series_words(reading: &Reading) -> String {
    let mut words = Vec::new();
    if reading.study.series.len() > 1 {
        words.push(format!("series {} / {}", reading.series + 1, reading.study.series.len()));
    }
    if let Some(series) = reading.study.series.get(reading.series) {
        words.extend(series.slice_spacing().map(|mm| format!("{mm:.1} mm")));
        if !series.kernel.is_empty() {
            words.push(format!("{} kernel", series.kernel));
        }
    }
    words.join(" · ")
}

/// What the open series can show of a neck, and what is odd about it.
fn notices(reading: &Reading) -> Vec<String> {
    let Some(volume) = reading.volume() else { return Vec::new() };
    let series = reading.study.series.get(reading.series);
    let shows = series.map(|series| coverage(&reading.study.patient, series)).unwrap_or_default();
    let shows = shows.iter().map(ToString::to_string);
    shows.chain(volume.oddities.iter().map(ToString::to_string)).collect()
}

/// Notices in one line: as many as have room, and how many more there are.
fn in_one_line(all: &[String], room: u16) -> String {
    let told = |count: usize| {
        let more = all.len() - count;
        let rest = if more > 0 { format!(" (+{more})") } else { String::new() };
        format!("{}{rest}", all[..count].join(" · "))
    };
    (1..=all.len()).rev().map(told).find(|line| width(line) <= room).unwrap_or_else(|| told(all.len().min(1)))
}

/// On the picture's lower border: who speaks where the panel is folded into a line, and what is odd about the series.
fn on_the_frame(
    buffer: &mut Buffer,
    area: Rect,
    reading: &Reading,
    model_words: Option<&str>,
    told: bool,
    look: Look<'_>,
) {
    let y = area.bottom() - 1;
    let mut left = area.x + 2;
    if let Some(words) = model_words {
        let words = format!(" {words} ");
        left = put(buffer, left, y, area.width - 4, &words, look.theme.style(Role::Warning)) + 1;
    }
    let right = area.right() - 2;
    let room = right.saturating_sub(left + 2);
    let notices = notices(reading);
    if !told && !notices.is_empty() && room > 8 {
        let line = format!(" {} ", fit(&in_one_line(&notices, room), room));
        put_right(buffer, right, y, room + 2, &line, look.theme.style(Role::Warning));
    }
}

fn side_picture(
    buffer: &mut Buffer,
    area: Rect,
    reading: &Reading,
    report: Option<&FractureReport>,
    look: Look<'_>,
    layout: &mut Layout,
) {
    let style = |role| look.theme.style(role);
    let view = reading.side_view(report);
    let name = view.as_ref().map_or("sagittal", |view| view.plane.name());
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(style(Role::Border))
        .title(ratatui::text::Span::styled(format!(" {name} "), style(Role::Title)));
    let inner = block.inner(area);
    block.render(area, buffer);
    buffer.set_style(inner, style(Role::Overlay));
    if view.is_some() {
        layout.side = Some(inner);
    } else if reading.volume().is_some() {
        put(
            buffer,
            inner.x + 1,
            inner.y,
            inner.width - 2,
            "no reformat: positions or spacing missing",
            style(Role::Muted),
        );
    }
}

/// Notices about the series under the panel; `false`, and nothing drawn, where they do not all have room.
fn notes_below(buffer: &mut Buffer, area: Rect, reading: &Reading, look: Look<'_>) -> bool {
    let room = area.width.saturating_sub(3);
    let lines: Vec<String> = notices(reading).iter().flat_map(|notice| super::text::wrap(notice, room, 3)).collect();
    if lines.len() + 1 > usize::from(area.height) {
        return false;
    }
    for (line, y) in lines.iter().zip(area.y + 1..) {
        put(buffer, area.x + 2, y, room, line, look.theme.style(Role::Warning));
    }
    true
}

/// What the list says of a study's analysis when there is no number, in words.
pub(super) fn state_words(entry: &Entry, network: &ModelState) -> String {
    match &entry.progress {
        Progress::Waiting | Progress::Running { .. } if matches!(network, ModelState::Unavailable(_)) => {
            "no analysis".into()
        }
        Progress::Waiting if entry.rewritten => "changed on disk, waiting".into(),
        Progress::Waiting => "waiting".into(),
        Progress::Running { paused: true, .. } => "paused".into(),
        Progress::Running { total: 0, .. } => "reading".into(),
        Progress::Running { done, total, .. } => format!("analysing {} %", 100 * done / total),
        Progress::Done(Analysis::NotAnalysed(reason)) => format!("not analysed: {reason}"),
        Progress::Done(Analysis::Failed(problem)) => format!("failed: {problem}"),
        Progress::Done(Analysis::Analysed(_)) if entry.sight == Sight::Blinded => "blinded".into(),
        Progress::Done(Analysis::Analysed(_)) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn minus_is_a_minus_sign() {
        assert_eq!(super::signed(-128.44), "−128.4");
        assert_eq!(super::super::text::width("−128.4"), 6);
    }
}
