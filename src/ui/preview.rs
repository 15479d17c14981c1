//! The preview beside the worklist: what is known of the selected study.

use super::bar;
use super::panel::{self, kind_of, no_report, overall_mark, percent};
use super::reading::state_words;
use super::text::{paragraph, put, put_right};
use super::{Look, ThumbnailPane, decision};
use crate::app::{Command, Entry, Model, Progress, Screen};
use crate::domain::{
    Alert, Analysis, CervicalLevel, Completeness, FractureReport, LevelExtent, LevelOutcome, Oddity, Patient, Study,
    coverage, level_range,
};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// What ends a conflict of readers.
pub(super) const RESOLVE: &str = "open it and assess it once more to resolve it";

/// From this width on the preview has a large image.
const WIDE: u16 = 48;
/// Columns and rows of the image.
const SMALL_IMAGE: (u16, u16) = (13, 9);
const LARGE_IMAGE: (u16, u16) = (22, 15);

/// Columns of the preview in a window of so many.
pub(super) fn columns(window: u16) -> u16 {
    (window / 3).clamp(42, 64)
}

/// Draws the preview of the selected study; returns where its thumbnail has room.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, look: Look<'_>) -> Option<ThumbnailPane> {
    let entry = model.worklist.selected()?;
    let mut thumbnail = None;
    let mut y = identity(buffer, area, entry, look) + 1;
    let rest = |y: u16| Rect { y, height: area.bottom().saturating_sub(y), ..area };
    match entry.report() {
        Some(report) => {
            let (columns, rows) = if area.width < WIDE { SMALL_IMAGE } else { LARGE_IMAGE };
            let image = Rect { x: area.x, y, width: columns, height: rows.min(area.bottom().saturating_sub(y)) };
            let run = report.timing.total;
            let pane = model.thumbnail_of(entry).map(|key| ThumbnailPane { key, run, area: image });
            let left = if pane.is_some() { columns + 2 } else { 0 };
            let end = pane.as_ref().map_or(y, |pane| pane.area.bottom());
            // Beside the image as far as it reaches, below it over the whole width.
            let beside = |y: u16| {
                let left = if y < end { left } else { 0 };
                Rect { x: area.x + left, width: area.width.saturating_sub(left), ..rest(y) }
            };
            y = bars(buffer, beside(y), (model, entry, report), look);
            y = notes(buffer, beside(y), report, look).max(end);
            thumbnail = pane;
        }
        None => {
            for (line, role) in without_report(model, entry, look) {
                y = paragraph(buffer, rest(y), &line, look.theme.style(role));
            }
        }
    }
    y += 1;
    let [(first, role), (second, second_role)] = decision::lines(model, &entry.study.uid);
    let series = series_words(model, entry);
    let warnings = first_words(model, entry).into_iter().chain(warnings(model, entry));
    let resolve = if entry.conflict.is_empty() { "" } else { RESOLVE };
    let assessments = [(first, role), (resolve.to_owned(), Role::Text), (second, second_role)];
    let elsewhere = model.elsewhere.get(&entry.study.uid).map(|who| (format!("open: {who}"), Role::Warning));
    let lines = elsewhere.into_iter().chain([(series, Role::Text)]).chain(warnings.map(|line| (line, Role::Warning)));
    let lines = lines.chain(assessments);
    for (line, role) in lines.filter(|(line, _)| !line.is_empty()) {
        y = paragraph(buffer, rest(y), &line, look.theme.style(role));
    }
    thumbnail
}

/// Who and what was scanned, and when; returns the row after it.
fn identity(buffer: &mut Buffer, area: Rect, entry: &Entry, look: Look<'_>) -> u16 {
    let style = |role| look.theme.style(role);
    let top = entry.precedence_words();
    let end = if top.is_empty() {
        area.right()
    } else {
        put_right(buffer, area.right(), area.y, area.width / 2, top, style(Role::Accent)).saturating_sub(1)
    };
    // The name is cut before age and sex are.
    let who = age_and_sex(&entry.study.patient).map(|who| format!(" · {who}")).unwrap_or_default();
    let room = end.saturating_sub(area.x + super::text::width(&who));
    let x = put(buffer, area.x, area.y, room, entry.name(), style(Role::Title));
    put(buffer, x, area.y, end.saturating_sub(x), &who, style(Role::Title));
    let date = entry.study.date.map(|date| date.to_string());
    let description = Some(entry.study.description.as_str()).filter(|text| !text.is_empty()).map(str::to_owned);
    let words: Vec<String> = date.into_iter().chain(description).collect();
    put(buffer, area.x, area.y + 1, area.width, &words.join(" · "), style(Role::Muted));
    area.y + 2
}

/// "73 F"; `None` if the files give neither.
fn age_and_sex(patient: &Patient) -> Option<String> {
    let age = patient.age_years.map(|age| age.to_string());
    let sex = patient.sex.map(|sex| sex.letter().to_string());
    let words: Vec<String> = age.into_iter().chain(sex).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The overall bar and the bars of the levels; returns the row after them.
fn bars(
    buffer: &mut Buffer,
    area: Rect,
    (model, entry, report): (&Model, &Entry, &FractureReport),
    look: Look<'_>,
) -> u16 {
    let style = |role| look.theme.style(role);
    let thresholds = &report.model.thresholds;
    put(buffer, area.x, area.y, 7, "overall", style(Role::Title));
    let (mark, role) = overall_mark(report);
    let text = format!("{mark}{} {}", report.overall, overall_words(report));
    put_right(buffer, area.right(), area.y, area.width.saturating_sub(8), &text, style(role));
    let kind = kind_of(report, report.is_alert());
    let whole = (area.x, area.y + 1, area.width);
    bar::draw(buffer, whole, report.overall, Some(thresholds.overall), kind, look.theme);
    let mut y = area.y + 2;
    for level in CervicalLevel::ALL {
        level_line(buffer, Rect { y, height: 1, ..area }, (model, entry, report), level, look);
        y += 1;
    }
    y
}

/// The thresholds, why levels are flagged, and doubts about the result; returns the row after them.
fn notes(buffer: &mut Buffer, area: Rect, report: &FractureReport, look: Look<'_>) -> u16 {
    let style = |role| look.theme.style(role);
    let thresholds = &report.model.thresholds;
    let rest = |y: u16| Rect { y, height: area.bottom().saturating_sub(y), ..area };
    let mut y = area.y;
    let words = format!("flagged from {}, alert from {}", thresholds.level, thresholds.overall);
    y = paragraph(buffer, rest(y), &words, style(Role::Threshold));
    if let Some(words) = why(report) {
        y = paragraph(buffer, rest(y), &words, style(Role::Text));
    }
    if let Some(words) = report.distribution_notice().filter(|_| report.completeness == Completeness::Final) {
        y = paragraph(buffer, rest(y), &words, style(Role::Warning));
    }
    y
}

/// The words after the overall probability.
fn overall_words(report: &FractureReport) -> String {
    match (report.completeness, report.alert()) {
        (Completeness::Preliminary { done, total }, _) => format!("· {} % done", 100 * done / total.max(1)),
        (Completeness::Final, Alert::Raised) => "alert".to_owned(),
        (Completeness::Final, Alert::Withheld) => "withheld".to_owned(),
        (Completeness::Final, Alert::BelowThreshold) => "no alert".to_owned(),
    }
}

fn level_line(
    buffer: &mut Buffer,
    line: Rect,
    (model, entry, report): (&Model, &Entry, &FractureReport),
    level: CervicalLevel,
    look: Look<'_>,
) {
    /// Columns of " ! 81 %".
    const PERCENT: u16 = 8;
    let style = |role| look.theme.style(role);
    put(buffer, line.x, line.y, 2, level.name(), style(Role::Title));
    if let Some((sign, role)) = decision::level_sign(model.decisions.of(&entry.study.uid), level) {
        put(buffer, line.x + 3, line.y, 1, &sign.to_string(), style(role));
    }
    let x = line.x + 5;
    let room = line.right().saturating_sub(x);
    match report.levels[level].outcome {
        LevelOutcome::NotSeen => {
            let (words, role) = panel::absence_words(report, level);
            put(buffer, x, line.y, room, &words, style(role));
        }
        LevelOutcome::Seen { probability, extent, .. } => {
            if extent == LevelExtent::CutOff {
                put(buffer, line.x + 2, line.y, 1, "…", style(Role::Warning));
            }
            let is_flagged = report.is_level_alert(level);
            let threshold = Some(report.model.thresholds.level);
            let kind = kind_of(report, is_flagged);
            let place = (x, line.y, room.saturating_sub(PERCENT));
            bar::draw(buffer, place, probability, threshold, kind, look.theme);
            let role = if is_flagged { Role::Alarm } else { Role::Text };
            put_right(buffer, line.right(), line.y, PERCENT, &percent(report, probability, is_flagged), style(role));
        }
    }
}

/// Why levels are flagged although the study is no alert, or the other way around; `None` if the two agree.
fn why(report: &FractureReport) -> Option<String> {
    let flagged = report.alert_levels();
    let (overall, least) = (report.overall, report.model.thresholds.overall);
    match (report.completeness, report.alert(), flagged.as_slice()) {
        (Completeness::Final, Alert::BelowThreshold, [_, ..]) => {
            Some(format!("{} flagged, no alert: overall {overall} is below {least}", level_range(&flagged)))
        }
        (Completeness::Final, Alert::Raised, []) => {
            Some(format!("alert, no level flagged: all levels together reach {overall}"))
        }
        _ => None,
    }
}

/// Why there is no probability, and what to do.
fn without_report(model: &Model, entry: &Entry, look: Look<'_>) -> Vec<(String, Role)> {
    if !matches!(entry.progress, Progress::Done(Analysis::Failed(_))) {
        return no_report(model, Some(entry));
    }
    let key = look.keymap.hint(Screen::Worklist, Command::Retry);
    let key = key.unwrap_or_else(|| format!(":{}", Command::Retry.name()));
    vec![(state_words(entry, &model.network), Role::Error), (format!("{key} analyzes the study again."), Role::Text)]
}

/// "series 3 of 4 · 1.0 mm, BONE kernel, 312 slices · 1 prior (2024-03-02)".
fn series_words(model: &Model, entry: &Entry) -> String {
    let mut words = Vec::new();
    if let Ok(choice) = &entry.choice {
        if !entry.study.series.is_empty() {
            words.push(format!("series {} of {}", choice.series + 1, entry.study.series.len()));
        }
        words.push(choice.explanation.clone());
    }
    if let Some(report) = entry.report() {
        words.extend(report.source_words(&entry.study).filter(|_| !entry.study.series.is_empty()));
    }
    words.extend(prior_words(model, &entry.study));
    words.join(" · ")
}

/// How many earlier studies of the patient are in the worklist, and the date of the last one; `None` if there is none.
fn prior_words(model: &Model, study: &Study) -> Option<String> {
    let (patient, date) = (&study.patient.id, study.date?);
    let others = model.worklist.entries().iter().map(|entry| &entry.study);
    let others = others.filter(|other| !patient.is_empty() && other.patient.id == *patient && other.uid != study.uid);
    let (count, last) = others
        .filter_map(|other| other.date.filter(|other| *other < date))
        .fold((0, None), |(count, last), date| (count + 1, last.max(Some(date))));
    let last = last.map(|last| format!("{:04}-{:02}-{:02}", last.year, last.month, last.day))?;
    Some(if count == 1 { format!("1 prior ({last})") } else { format!("{count} priors (last {last})") })
}

/// What comes before the result: a request to read it first, and doubts whose images these are.
pub(super) fn first_words(model: &Model, entry: &Entry) -> Vec<String> {
    let requested = entry.is_requested_first() && !entry.state.is_finished();
    let stat = requested.then(|| "STAT by its request".to_owned());
    stat.into_iter().chain(entry.study.oddities.iter().map(|oddity| oddity.shown(model.disclosure()))).collect()
}

/// Warnings about the images that were analyzed and about the result.
pub(super) fn warnings(model: &Model, entry: &Entry) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(report) = entry.report() {
        if report.completeness == Completeness::Final {
            words.extend(report.absences());
            words.extend(report.search_notices());
            words.extend(report.repairs().into_iter().map(|repair| Oddity::Repaired(repair).to_string()));
            let partly = report.cut_off();
            if !partly.is_empty() {
                words.push(format!("{} partly in the scan", level_range(&partly)));
            }
        }
        words.extend(report.contradictions(&entry.study));
    }
    let choice = entry.choice.as_ref().ok();
    if let Some(series) = choice.and_then(|choice| entry.study.series.get(choice.series)) {
        words.extend(coverage(&entry.study.patient, series).iter().map(ToString::to_string));
        words.extend(series.oddities.iter().map(|oddity| oddity.shown(model.disclosure())));
    }
    words
}
