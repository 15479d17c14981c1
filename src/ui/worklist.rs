//! The worklist screen.

use super::bar::{self, Kind};
use super::reading::state_words;
use super::text::{fit, paragraph, put, put_right, width, wrap};
use super::{Layout, Look, decision, preview};
use crate::app::{Aging, Entry, Model, ModelState, Order, Progress, ScanState};
use crate::domain::{Absence, Analysis, CervicalLevel, Completeness, ModelNature};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::time::Duration;

/// From this width on the selection's words have room in one line.
const WIDE: u16 = 160;

/// Columns of the list, left to right: x and width.
#[derive(Debug, Clone, Copy)]
struct Columns {
    bar: (u16, u16),
    percent: u16,
    levels: (u16, u16),
    patient: (u16, u16),
    age: u16,
    study: (u16, u16),
    date: Option<u16>,
    slices: u16,
    decision: (u16, u16),
}

impl Columns {
    fn of(area: Rect) -> Self {
        let bar_width = if area.width >= 100 { 10 } else { 5 };
        let bar = (area.x + 3, bar_width);
        let percent = bar.0 + bar_width + 7;
        let levels = (percent + 3, if area.width >= 100 { 15 } else { 12 });
        let patient_x = levels.0 + levels.1 + 1;
        let decision_width = match area.width {
            150.. => 40,
            118.. => 22,
            100.. => 12,
            _ => 1,
        };
        let decision = (area.right() - 1 - decision_width, decision_width);
        let slices = decision.0 - 2;
        let date = (area.width >= 110).then(|| slices - 7);
        let rest = date.map_or(slices - 7, |date| date - 17) - patient_x;
        // Who it is comes before what was done.
        let patient_width = (rest * 2 / 5).max((rest / 2).min(16)).min(26);
        let age = patient_x + patient_width + 4;
        let study_x = age + 4;
        let study_end = date.map_or(slices - 6, |date| date - 17);
        Self {
            bar,
            percent,
            levels,
            patient: (patient_x, patient_width),
            age,
            study: (study_x, study_end.saturating_sub(study_x)),
            date,
            slices,
            decision,
        }
    }
}

/// Draws the screen.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, look: Look<'_>) -> Layout {
    let style = |role| look.theme.style(role);
    let mut layout = Layout::default();
    title(buffer, area, model, look);
    rule(buffer, area, area.y + 1, look);
    let head = area.y + 2;
    // The last line of the window is not in the area.
    let preview = model.shows_preview((area.width, area.height + 1)).then(|| preview::columns(area.width));
    let left = Rect { width: area.width - preview.unwrap_or(0), ..area };
    let columns = Columns::of(left);
    let faint = style(Role::Faint);
    put(buffer, columns.bar.0, head, 12, "urgency", faint);
    put(buffer, columns.levels.0, head, columns.levels.1, "flagged", faint);
    put(buffer, columns.patient.0, head, columns.patient.1, "patient", faint);
    put_right(buffer, columns.age, head, 3, "age", faint);
    put(buffer, columns.study.0, head, columns.study.1, "study", faint);
    if let Some(date) = columns.date {
        put_right(buffer, date, head, 16, "date", faint);
    }
    put_right(buffer, columns.slices, head, 6, "slices", faint);
    if columns.decision.1 > 8 {
        put(buffer, columns.decision.0, head, columns.decision.1, "decision", faint);
    }
    let selection_lines = match preview {
        Some(_) => 0,
        None if area.width < WIDE && area.height >= 20 => 2,
        None => 1,
    };
    let (model_text, model_role) = model_words(model);
    let model_lines = wrap(&model_text, area.width.saturating_sub(2), if area.height >= 20 { 3 } else { 1 });
    let footer_lines = 1 + selection_lines + model_lines.len() as u16;
    let list = Rect { y: head + 1, height: area.height.saturating_sub(4 + footer_lines), ..left };
    let rows = model.worklist.rows().len();
    let selected = model.worklist.selected_row().unwrap_or(0);
    let height = usize::from(list.height).max(1);
    // The selection stays in the middle of a long list, so that what surrounds it is always seen.
    let top = selected.saturating_sub(height / 2).min(rows.saturating_sub(height));
    for (offset, entry) in model.worklist.rows().skip(top).take(height).enumerate() {
        let line = Rect { y: list.y + offset as u16, height: 1, ..list };
        row(buffer, line, (entry, model), top + offset == selected, columns, look);
        layout.rows.push((line, entry.study.uid.clone()));
    }
    if rows == 0 {
        empty(buffer, list, model, look);
    }
    rule(buffer, area, list.bottom(), look);
    if let Some(width) = preview {
        let x = list.right();
        for (y, symbol) in (area.y + 1..=list.bottom()).map(|y| match y {
            y if y == area.y + 1 => (y, "┬"),
            y if y == list.bottom() => (y, "┴"),
            y => (y, "│"),
        }) {
            put(buffer, x, y, 1, symbol, style(Role::Border));
        }
        let height = list.bottom().saturating_sub(head);
        layout.thumbnail = preview::draw(buffer, Rect { x: x + 2, y: head, width: width - 3, height }, model, look);
    }
    let selection =
        Rect { x: area.x + 1, y: list.bottom() + 1, width: area.width.saturating_sub(2), height: selection_lines };
    paragraph(buffer, selection, &selection_words(model), style(Role::Muted));
    for (line, y) in model_lines.iter().zip(selection.bottom()..) {
        put(buffer, selection.x, y, selection.width, line, style(model_role));
    }
    layout
}

fn title(buffer: &mut Buffer, area: Rect, model: &Model, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    let counts = model.worklist.counts();
    let without = matches!(model.network, ModelState::Unavailable(_));
    let mut words = Vec::new();
    for (n, word) in [
        (counts.conflicts, if counts.conflicts == 1 { "conflict" } else { "conflicts" }),
        (counts.urgent, "urgent"),
        (counts.unlike, "unlike training data"),
        (if without { 0 } else { counts.waiting }, "waiting"),
        (if without { 0 } else { counts.running }, "running"),
        (if without { counts.waiting + counts.running } else { 0 }, "without analysis"),
        (counts.read, "read"),
        (counts.deferred, "deferred"),
        (counts.opened, "opened"),
        (counts.declined, "not analyzed"),
        (counts.failed, "failed"),
    ] {
        if n > 0 {
            words.push(format!("{n} {word}"));
        }
    }
    if let Some(left) = counts.time_left().filter(|_| !without) {
        words.push(time_left(left));
    }
    let scanned = model.scan.summary();
    match &model.scan {
        ScanState::Scanning(_) => words.insert(0, format!("scanning, {} files", scanned.files)),
        ScanState::MakingDemo { study, total, .. } => words.insert(0, making_words(*study, *total)),
        ScanState::Finished(summary) if summary.unreadable > 0 => {
            let files = if summary.unreadable == 1 { "file" } else { "files" };
            words.push(format!("{} {files} unreadable", summary.unreadable));
        }
        ScanState::Finished(_) => {}
        ScanState::Failed(_) => words.insert(0, "scan failed".into()),
    }
    words.extend(model.worklist.now().map(|now| now.hour_minute()));
    // What was opened is the first that can be missed.
    let filter = filter_words(model);
    // A filter must be seen: it hides studies.
    let room = area.width.saturating_sub(10 + width(&filter));
    if width(&words.join(" · ")) > room {
        words.retain(|word| !word.ends_with("opened"));
    }
    while width(&words.join(" · ")) > room && !filter.is_empty() && words.len() > 1 {
        words.remove(words.len() - 2);
    }
    let right = put_right(buffer, area.right() - 1, area.y, room, &words.join(" · "), style(Role::Muted));
    let x = put(buffer, area.x + 1, area.y, right.saturating_sub(area.x + 2), "cspine", style(Role::Title));
    let mut left = format!("{filter} · worklist · {}", model.source);
    match model.worklist.order() {
        Order::Urgency => left.push_str(&aging_words(model.worklist.aging())),
        order => left.push_str(&format!(" · by {}", order.name())),
    }
    if model.blinded {
        left.push_str(" · blinded");
    }
    put(buffer, x, area.y, right.saturating_sub(x + 1), &left, style(Role::Muted));
}

/// " · 5 of 43 shown · filter: neck"; empty without a filter.
fn filter_words(model: &Model) -> String {
    let (list, filter) = (&model.worklist, model.worklist.filter());
    if filter.is_empty() {
        return String::new();
    }
    format!(" · {} of {} shown · filter: {}", list.rows().len(), list.entries().len(), fit(filter, 30))
}

/// Progress of the demo, which makes its studies on the first start.
fn making_words(study: usize, total: usize) -> String {
    format!("making demo studies: {study} of {total}")
}

/// The rule by which waiting counts, where there is one.
fn aging_words(aging: Aging) -> String {
    if aging.points_per_hour > 0.0 { format!(" · aging +{} %/h", aging.points_per_hour) } else { String::new() }
}

fn time_left(left: Duration) -> String {
    match left.as_secs() {
        0..60 => "< 1 min left".to_owned(),
        seconds => format!("~ {} min left", seconds.div_ceil(60)),
    }
}

fn rule(buffer: &mut Buffer, area: Rect, y: u16, look: Look<'_>) {
    let line = "─".repeat(usize::from(area.width.saturating_sub(2)));
    put(buffer, area.x + 1, y, area.width - 2, &line, look.theme.style(Role::Border));
}

fn row(
    buffer: &mut Buffer,
    line: Rect,
    (entry, model): (&Entry, &Model),
    selected: bool,
    columns: Columns,
    look: Look<'_>,
) {
    let style = |role| look.theme.style(role);
    let y = line.y;
    if selected {
        buffer.set_style(line, style(Role::Selection));
        put(buffer, line.x + 1, y, 1, "▸", style(Role::Accent));
    } else if entry.risen {
        // A short mark on rows that a result has moved up.
        put(buffer, line.x + 1, y, 1, "↑", style(Role::Accent));
    }
    let report = entry.report();
    if let Some(report) = report {
        let preliminary = report.completeness != Completeness::Final;
        let alert = report.is_alert() && !preliminary;
        let kind = match (preliminary, alert) {
            (true, _) => Kind::Preliminary,
            (false, true) => Kind::Alert,
            (false, false) => Kind::Plain,
        };
        bar::draw(buffer, (columns.bar.0, y, columns.bar.1), report.overall, None, kind, look.theme);
        let text = format!("{}{}", if preliminary { "~ " } else { "" }, report.overall);
        let role = if alert { Role::Alarm } else { Role::Text };
        put_right(buffer, columns.percent, y, 7, &text, style(role));
        if alert {
            put(buffer, columns.percent + 1, y, 1, "!", style(Role::Alarm));
        } else if entry.is_out_of_distribution() {
            put(buffer, columns.percent + 1, y, 1, "?", style(Role::Warning));
        }
    } else {
        // The reason has its place in the preview, or below the list.
        let (words, role) = match &entry.progress {
            Progress::Done(Analysis::Failed(_)) => ("failed", Role::Error),
            Progress::Done(Analysis::NotAnalysed(_) | Analysis::Declined(_)) => ("not analyzed", Role::Warning),
            Progress::Done(Analysis::Analysed(_)) => ("–", Role::Muted),
            Progress::Waiting | Progress::Running { .. } => ("·", Role::Muted),
        };
        put(buffer, columns.bar.0, y, columns.percent - columns.bar.0, words, style(role));
    }
    let done = matches!(entry.progress, Progress::Done(Analysis::Analysed(_))) && report.is_some();
    let (levels, role) = if done { levels(entry) } else { (progress_words(entry, model), Role::Muted) };
    put(buffer, columns.levels.0, y, columns.levels.1, &levels, style(role));
    let name_role = if entry.opened { Role::Muted } else { Role::Text };
    put(buffer, columns.patient.0, y, columns.patient.1, entry.name(), style(name_role));
    let patient = &entry.study.patient;
    if let Some(age) = patient.age_years {
        put_right(buffer, columns.age, y, 3, &age.to_string(), style(name_role));
    }
    if let Some(sex) = patient.sex {
        put(buffer, columns.age + 1, y, 1, &sex.letter().to_string(), style(name_role));
    }
    put(buffer, columns.study.0, y, columns.study.1, entry.study.description.as_str(), style(Role::Muted));
    if let (Some(x), Some(date)) = (columns.date, entry.study.date) {
        put_right(buffer, x, y, 16, &date.to_string(), style(Role::Muted));
    }
    put_right(buffer, columns.slices, y, 6, &entry.slices().to_string(), style(Role::Muted));
    let (words, role) = decision::column(model, entry, columns.decision.1);
    put(buffer, columns.decision.0, y, columns.decision.1, &words, style(role));
    if selected {
        // Texts bring their own background; the whole row is the selection.
        buffer.set_style(line, Style { fg: None, ..style(Role::Selection) });
    }
}

/// How far an analysis without a final result is; empty for one that ended without a result.
fn progress_words(entry: &Entry, model: &Model) -> String {
    match &entry.progress {
        Progress::Done(Analysis::NotAnalysed(_) | Analysis::Declined(_) | Analysis::Failed(_)) => String::new(),
        Progress::Done(Analysis::Analysed(_)) | Progress::Waiting | Progress::Running { .. } => {
            state_words(entry, &model.network)
        }
    }
}

/// Whether a level that was scanned, or may have been, has no result.
fn is_doubtful(entry: &Entry) -> bool {
    let Some(report) = entry.report() else { return false };
    let unexplained = |level: &CervicalLevel| match report.absence(*level) {
        Some(Absence::Overlooked | Absence::Uncertain | Absence::NotAnalyzed) => true,
        Some(Absence::NotInScan) | None => false,
    };
    !entry.incomplete().is_empty() || report.not_seen().iter().any(unexplained)
}

/// Levels past the threshold; a dash for none; "unlike" for a study unlike the model's training data; what the scan does not show, or was
/// not analyzed.
fn levels(entry: &Entry) -> (String, Role) {
    let Some(report) = entry.report() else { return (String::new(), Role::Text) };
    let alert = report.alert_levels();
    let missing = report.not_seen().len();
    let mut text = if alert.is_empty() {
        "–".to_owned()
    } else {
        alert.iter().map(|level| level.name()).collect::<Vec<_>>().join(" ")
    };
    if !entry.incomplete().is_empty() {
        // A number that leaves out a part of the neck must not look like that of the whole.
        text = if alert.is_empty() { "incomplete".to_owned() } else { format!("{text} incomplete") };
    } else if entry.is_out_of_distribution() {
        text = if alert.is_empty() { "unlike".to_owned() } else { format!("{text} unlike") };
    } else if missing > 0 {
        text.push_str(&format!(" ({} unseen)", missing));
    }
    let is_untrusted = entry.is_out_of_distribution() && !entry.is_alert();
    let role = match (alert.is_empty(), is_doubtful(entry)) {
        _ if is_untrusted => Role::Warning,
        (false, _) => Role::Alarm,
        (true, true) => Role::Warning,
        (true, false) => Role::Muted,
    };
    (text, role)
}

fn empty(buffer: &mut Buffer, list: Rect, model: &Model, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    let (first, second) = match &model.scan {
        ScanState::Scanning(summary) => (format!("looking for studies: {} files so far", summary.files), String::new()),
        ScanState::MakingDemo { study, total, .. } => {
            (making_words(*study, *total), "synthetic CT with known fractures; the first study is listed in seconds".into())
        }
        ScanState::Failed(problem) => (problem.clone(), "q leaves; correct the path and start again".into()),
        ScanState::Finished(_) if !model.worklist.filter().is_empty() => {
            (format!("no study contains {:?}", model.worklist.filter()), "Esc clears the filter".into())
        }
        ScanState::Finished(summary) => (
            format!("no study found in {}: {} files, none of them a DICOM image that can be used", model.source, summary.files),
            "start cspine with the folder that holds the studies, or try cspine demo; cspine inspect PATH shows why each file is not used".into(),
        ),
    };
    let rest = |y: u16| Rect {
        x: list.x + 3,
        y,
        width: list.width.saturating_sub(4),
        height: list.bottom().saturating_sub(y),
    };
    let mut y = paragraph(buffer, rest(list.y + 1), &first, style(Role::Text));
    y = paragraph(buffer, rest(y), &second, style(Role::Muted)) + 1;
    for (path, reason) in model.unreadable.iter().rev() {
        y = paragraph(buffer, rest(y), &format!("{reason}: {path}"), style(Role::Warning));
    }
}

/// What is known about the selected study, the weightiest first.
fn selection_words(model: &Model) -> String {
    let Some(entry) = model.worklist.selected() else { return String::new() };
    let mut words = Vec::new();
    if !entry.conflict.is_empty() {
        words.push(format!("{}: {}", entry.conflict, preview::RESOLVE));
    }
    words.extend(preview::first_words(model, entry));
    let state = state_words(entry, &model.network);
    if !state.is_empty() {
        words.push(state);
    }
    if let Some(report) = entry.report() {
        words.extend(report.distribution_notice().filter(|_| report.completeness == Completeness::Final));
        for level in report.alert_levels() {
            let finding = &report.levels[level];
            if let (Some(probability), Some(key)) = (finding.probability(), finding.key_slice()) {
                words.push(format!("{level} {probability} slice {}", key.index + 1));
            }
        }
        words.extend(report.source_words(&entry.study).filter(|_| !entry.study.series.is_empty()));
    }
    words.extend(preview::warnings(model, entry));
    words.extend(entry.choice.as_ref().ok().map(|choice| choice.explanation.clone()));
    words.join(" · ")
}

/// Which model speaks, or why none does.
fn model_words(model: &Model) -> (String, Role) {
    if let Some(problem) = &model.storeless {
        return (format!("decisions cannot be saved: {problem}"), Role::Error);
    }
    match &model.network {
        ModelState::Loading => ("loading the model · research use only".to_owned(), Role::Muted),
        ModelState::Ready(identity) => {
            let nature = match identity.nature {
                ModelNature::Synthetic => " · trained on synthetic fractures only: not validated on patients",
                ModelNature::Clinical => "",
            };
            (format!("model {identity} · research use only{nature}"), Role::Muted)
        }
        ModelState::Unavailable(problem) => (format!("no analysis: {problem}"), Role::Warning),
    }
}
