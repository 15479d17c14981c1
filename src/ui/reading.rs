//! The reading screen: picture, panel, slice strip, and what folds when there is little room.

use super::pane::Shown;
use super::text::{fit, paragraph, put, put_right, width};
use super::{Layout, Look, line, pane, panel, strip};
use crate::app::{Entry, Model, ModelState, Progress, Reading, Sight, VolumeState, marked_slices};
use crate::domain::{Analysis, Declined, Disclosure, StudyState, coverage};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// From this width on other planes have room beside the large one.
const PLANES_FROM: u16 = 140;
/// From this width on the panel stands beside the picture.
const PANEL_FROM: u16 = 100;
/// Rows that one more plane needs, with its frame.
const PLANE_ROWS: u16 = 8;
/// Parts of the images' width that the large plane has beside a second one, at least and at most.
const LARGE_PART: (f64, f64) = (0.5, 0.6);

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
    let below = middle.height.saturating_sub(panel::HEIGHT);
    let mut others = if area.width >= PLANES_FROM && !reading.alone { reading.other_planes() } else { Vec::new() };
    others.truncate(if below >= PLANE_ROWS { 2 } else { 1 });
    let mut others = others.into_iter();
    let panel_width = if with_panel { panel::WIDTH.min(area.width / 2) } else { 0 };
    let images = Rect { width: middle.width - panel_width, ..middle };
    let second = others.next();
    // Its room is kept while the series loads: the first slice stays where it is.
    let loads = matches!(reading.volume, VolumeState::Loading(..)) && area.width >= PLANES_FROM && !reading.alone;
    let large = if second.is_some() || loads { large_width(images, reading) } else { images.width };
    let picture_area = Rect { width: large, ..images };
    let second_area = Rect { x: picture_area.right(), width: images.right() - picture_area.right(), ..images };
    let shown = reading.volume().map(|volume| Shown { model, reading, volume, report, look });
    match shown {
        Some(shown) => {
            let beside = reading.beside.as_ref().filter(|_| wide);
            let left = beside.map_or(picture_area.width, |_| picture_area.width.div_ceil(2));
            let right = Rect { x: picture_area.x + left, width: picture_area.width - left, ..picture_area };
            pane::draw(buffer, Rect { width: left, ..picture_area }, shown, reading.plane, &mut layout);
            if let Some(beside) = beside {
                pane::draw_beside(buffer, right, shown, beside, &mut layout);
            }
            // As tall as the large one: a neck is read in the sagittal plane.
            if let Some(second) = second {
                pane::draw(buffer, second_area, shown, second, &mut layout);
            }
        }
        None => match reading.first() {
            Some(first) => pane::draw_first(buffer, picture_area, reading, first, look, &mut layout),
            None => no_picture(buffer, picture_area, reading, look),
        },
    }
    let mut notices = notices(reading, model.disclosure());
    if with_panel {
        let column = Rect { x: images.right(), width: panel_width, ..middle };
        let third = others.next();
        let height = if third.is_none() { column.height.min(panel::HEIGHT + 1) } else { panel::HEIGHT };
        let panel_area = Rect { height, ..column };
        panel::draw(buffer, panel_area, model, reading, look, &mut layout);
        let rest = Rect { y: panel_area.bottom(), height: column.bottom() - panel_area.bottom(), ..column };
        layout.column = Some(if third.is_none() { column } else { panel_area });
        if let (Some(shown), Some(third)) = (shown, third) {
            pane::draw(buffer, rest, shown, third, &mut layout);
        } else if rest.height >= 4 {
            // What has found room there is not repeated on the frame.
            if notes_below(buffer, rest, &notices, look) {
                notices.clear();
            }
        }
    } else {
        panel::one_line(buffer, line_area, model, reading, look);
    }
    let speaker = report.filter(|_| !with_panel).map(|report| format!("{} · research use only", report.model));
    let measured = model.measured_here();
    let quality = line::quality(model);
    on_the_frame(buffer, picture_area, (speaker.as_deref(), &measured), quality, &notices, look);
    let marked = marked_slices(reading, &model.annotations.of(&reading.study.uid).key_images);
    strip::draw(buffer, strip_area, reading, report, &marked, look);
    layout.strip = reading.volume().map(|_| strip_area);
    layout
}

/// Width of the large plane where a second one is beside it: what it needs to be as high as the room, as a cell is about twice as high
/// as wide.
fn large_width(images: Rect, reading: &Reading) -> u16 {
    let (across, down) = reading.shown_extent(reading.plane).unwrap_or((1.0, 1.0));
    let needed = (f64::from(images.height.saturating_sub(4)) * 2.0 * across / down).ceil() + 6.0;
    let (least, most) = LARGE_PART;
    needed.clamp(least * f64::from(images.width), most * f64::from(images.width)).ceil() as u16
}

/// The frame while there is no volume: how far the reading is, or why there is none.
fn no_picture(buffer: &mut Buffer, area: Rect, reading: &Reading, look: Look<'_>) {
    let inner = pane::frame(buffer, area, " reading ", true, look);
    let (text, role) = match &reading.volume {
        VolumeState::Loading(done, total) => (pane::loading_words(*done, *total), Role::Muted),
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
    paragraph(buffer, room, &text, look.theme.style(role));
}

fn header(buffer: &mut Buffer, area: Rect, model: &Model, reading: &Reading, entry: Option<&Entry>, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    let patient = &reading.study.patient;
    let hidden = model.identity_hidden;
    let name = if hidden { "patient hidden" } else { entry.map_or("", Entry::name) };
    let mut x = put(buffer, area.x + 1, area.y, area.width / 3, name, style(Role::Title));
    let age = patient.age_years.map(|age| age.to_string()).unwrap_or_default();
    let sex = patient.sex.map(|sex| sex.letter().to_string()).unwrap_or_default();
    let mut words = Vec::new();
    let stands = entry.filter(|entry| !entry.state.is_finished()).map_or("", Entry::precedence_words);
    let conflict = if entry.is_some_and(|entry| entry.state == StudyState::Conflict) { "conflict" } else { "" };
    if !hidden {
        words.push(format!("{age} {sex}").trim().to_owned());
    }
    words.push(reading.study.description.to_string());
    words.extend(reading.study.date.filter(|_| !hidden).map(|date| date.to_string()));
    words.retain(|word| !word.is_empty());
    let place = model.worklist.row_of(&reading.study.uid);
    let place = place.map(|row| format!("{} of {}", row + 1, model.worklist.rows().len()));
    let next = match model.announced.as_ref().filter(|_| !hidden) {
        None => None,
        Some(None) => Some("no next study".to_owned()),
        Some(Some(uid)) => model.worklist.entry(uid).map(|entry| {
            let percent = entry.overall().map(|overall| format!(" {overall}")).unwrap_or_default();
            let room = 32_u16.saturating_sub(width(&percent));
            format!("next: {}{percent}", fit(entry.name(), room.saturating_sub(6)))
        }),
    };
    let next = place.into_iter().chain(next).collect::<Vec<_>>().join(" · ");
    let right = put_right(buffer, area.right() - 1, area.y, area.width / 2, &next, style(Role::Muted));
    for word in [conflict, stands].into_iter().filter(|word| !word.is_empty()) {
        x = put(buffer, x, area.y, right.saturating_sub(x + 1), " · ", style(Role::Faint));
        x = put(buffer, x, area.y, right.saturating_sub(x + 1), word, style(Role::Alarm));
    }
    if !words.is_empty() {
        x = put(buffer, x, area.y, right.saturating_sub(x + 1), " · ", style(Role::Faint));
        put(buffer, x, area.y, right.saturating_sub(x + 1), &words.join(" · "), style(Role::Muted));
    }
}

/// Warnings about the open study, what its open series can show of a neck, and warnings about that series.
fn notices(reading: &Reading, to: Disclosure) -> Vec<String> {
    let Some(volume) = reading.volume() else { return Vec::new() };
    let series = reading.study.series.get(reading.series);
    let shows = series.map(|series| coverage(&reading.study.patient, series)).unwrap_or_default();
    let whose = reading.study.oddities.iter().map(|oddity| oddity.shown(to));
    let shows = shows.iter().map(ToString::to_string);
    whose.chain(shows).chain(volume.oddities.iter().map(|oddity| oddity.shown(to))).collect()
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
    (model_words, measured): (Option<&str>, &str),
    picture_quality: Option<(&str, Role)>,
    notices: &[String],
    look: Look<'_>,
) {
    let y = area.bottom() - 1;
    let mut left = area.x + 2;
    if let Some((words, role)) = picture_quality {
        left = put(buffer, left, y, area.width - 4, words, look.theme.style(role)) + 1;
    }
    if let Some(words) = model_words {
        let words = format!(" {words} ");
        left = put(buffer, left, y, area.width - 4, &words, look.theme.style(Role::Warning)) + 1;
    }
    let right = area.right() - 2;
    if !measured.is_empty() {
        let words = format!(" {measured} ");
        left = put(buffer, left, y, right.saturating_sub(left), &words, look.theme.style(Role::Accent)) + 1;
    }
    let room = right.saturating_sub(left + 2);
    if !notices.is_empty() && room > 8 {
        let line = format!(" {} ", fit(&in_one_line(notices, room), room));
        put_right(buffer, right, y, room + 2, &line, look.theme.style(Role::Warning));
    }
}

/// Notices about the series under the panel; `false`, and nothing drawn, where they do not all have room.
fn notes_below(buffer: &mut Buffer, area: Rect, notices: &[String], look: Look<'_>) -> bool {
    let room = area.width.saturating_sub(3);
    let lines: Vec<String> = notices.iter().flat_map(|notice| super::text::wrap(notice, room, 3)).collect();
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
        Progress::Running { done, total, .. } => format!("analyzing {} %", 100 * done / total),
        Progress::Done(Analysis::NotAnalysed(reason) | Analysis::Declined(Declined { reason, .. })) => {
            format!("not analyzed: {reason}")
        }
        Progress::Done(Analysis::Failed(problem)) => format!("failed: {problem}"),
        Progress::Done(Analysis::Analysed(_)) if entry.sight == Sight::Blinded => "blinded".into(),
        Progress::Done(Analysis::Analysed(_)) => String::new(),
    }
}
