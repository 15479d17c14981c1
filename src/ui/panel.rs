//! The C1–C7 probability panel: bar, percentage, key slice, threshold, what is not seen, and which model speaks.

use super::bar::{self, Kind};
use super::text::{paragraph, put, put_right, width, wrap};
use super::{Layout, Look, decision};
use crate::app::{Entry, Model, ModelState, Progress, Reading};
use crate::domain::{
    Absence, Analysis, CervicalLevel, Completeness, FractureReport, LevelExtent, LevelOutcome, ModelIdentity,
    ModelNature, Probability,
};
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Widget};

/// Lines that the panel needs with its frame.
pub(super) const HEIGHT: u16 = 17;
/// Columns that it needs.
pub(super) const WIDTH: u16 = 43;

/// The framed panel.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    model: &Model,
    reading: &Reading,
    look: Look<'_>,
    layout: &mut Layout,
) {
    let style = |role| look.theme.style(role);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(style(Role::Border))
        .title(ratatui::text::Span::styled(" fracture probability ", style(Role::Title)));
    let inner = block.inner(area);
    block.render(area, buffer);
    if inner.height < 3 || inner.width < 20 {
        return;
    }
    let entry = model.worklist.entry(&reading.study.uid);
    let report = entry.and_then(Entry::report);
    let mut y = inner.y;
    match report {
        Some(report) => {
            y = overall(buffer, inner, y, report, entry, look);
            for level in CervicalLevel::ALL {
                if y >= inner.bottom().saturating_sub(4) {
                    break;
                }
                level_line(buffer, inner, y, report, level, reading, look);
                level_verdict(buffer, inner, y, model, reading, level, look);
                layout.levels.push((Rect { y, height: 1, ..inner }, level));
                y += 1;
            }
            for (line, role) in sources(report, reading) {
                let height = (inner.bottom().saturating_sub(4)).saturating_sub(y);
                let room = Rect { x: inner.x + 1, y, width: inner.width - 2, height };
                y = if height == 0 { y } else { paragraph(buffer, room, &line, style(role)) };
            }
        }
        None => {
            for (line, role) in no_report(model, entry) {
                let room = Rect {
                    x: inner.x + 1,
                    y,
                    width: inner.width - 2,
                    height: (inner.bottom().saturating_sub(4)).saturating_sub(y),
                };
                y = paragraph(buffer, room, &line, style(role));
            }
        }
    }
    // The study's verdict, then its levels and note: as many lines as lie between the last level and who speaks.
    let [(first, role), (second, second_role)] = decision::lines(model, &reading.study.uid);
    let room = inner.bottom().saturating_sub(2).saturating_sub(y);
    let more = wrap(&second, inner.width - 2, usize::from(room.saturating_sub(1)).clamp(1, 5));
    let top = inner.bottom().saturating_sub(3 + (more.len() as u16).max(1)).max(inner.y);
    put(buffer, inner.x + 1, top, inner.width - 2, &first, style(role));
    for (line, y) in more.iter().zip(top + 1..) {
        put(buffer, inner.x + 1, y, inner.width - 2, line, style(second_role));
    }
    footer(buffer, inner, model, report.map(|report| &*report.model), look);
}

/// Which series the numbers come from, and what keeps them from being those of the whole neck, the weightiest first.
fn sources(report: &FractureReport, reading: &Reading) -> Vec<(String, Role)> {
    let mut lines: Vec<(String, Role)> = Vec::new();
    if report.completeness == Completeness::Final {
        // Beside the overall probability stands what to do if no alert is raised.
        let notice = report.distribution_notice();
        let short = report.distribution.filter(|_| !report.is_alert()).map(|check| check.to_string());
        lines.extend(notice.map(|notice| (short.unwrap_or(notice), Role::Warning)));
        lines.extend(report.incomplete().into_iter().map(|line| (line, Role::Warning)));
        lines.extend(report.contradictions(&reading.study).into_iter().map(|line| (line, Role::Warning)));
    }
    if reading.volume().is_some() && reading.own_report(Some(report)).is_none() {
        lines.push(("of another series than the one shown".to_owned(), Role::Warning));
    }
    let words = report.source_words(&reading.study).unwrap_or_default();
    lines.extend(words.split(", ").filter(|run| !run.is_empty()).map(|run| (run.to_owned(), Role::Muted)));
    lines
}

fn overall(
    buffer: &mut Buffer,
    inner: Rect,
    y: u16,
    report: &FractureReport,
    entry: Option<&Entry>,
    look: Look<'_>,
) -> u16 {
    let style = |role| look.theme.style(role);
    let kind = kind_of(report, report.is_alert());
    let right = inner.right() - 1;
    put(buffer, inner.x + 1, y, 8, "overall", style(Role::Title));
    let bar_width = inner.width.saturating_sub(20);
    bar::draw(
        buffer,
        (inner.x + 10, y, bar_width),
        report.overall,
        Some(report.model.thresholds.overall),
        kind,
        look.theme,
    );
    let (mark, role) = overall_mark(report);
    put_right(buffer, right, y, 9, &format!("{mark}{}", report.overall), style(role));
    let second = match (report.completeness, entry.map(|entry| &entry.progress)) {
        (Completeness::Preliminary { done, total }, progress) => {
            let paused = matches!(progress, Some(Progress::Running { paused: true, .. }));
            let share = 100 * done / total.max(1);
            if paused { format!("paused at {share} % of slices") } else { format!("preliminary, {share} % done") }
        }
        (Completeness::Final, _) if report.is_out_of_distribution() && !report.is_alert() => {
            "no alert: read it yourself".to_owned()
        }
        (Completeness::Final, _) => {
            let mut missing = report.absences();
            let cut_off: Vec<&str> = report.cut_off().iter().map(|level| level.name()).collect();
            if !cut_off.is_empty() {
                missing.push(format!("partly in the scan: {}", cut_off.join(" ")));
            }
            let room = inner.width - 11;
            match missing.as_slice() {
                [] => format!("┊ alert {}", report.model.thresholds.overall),
                [one] if width(one) <= room => one.clone(),
                _ => "not all levels, see below".to_owned(),
            }
        }
    };
    let role = if second.starts_with('┊') { Role::Threshold } else { Role::Warning };
    put(buffer, inner.x + 10, y + 1, inner.width - 11, &second, style(role));
    y + 2
}

fn level_line(
    buffer: &mut Buffer,
    inner: Rect,
    y: u16,
    report: &FractureReport,
    level: CervicalLevel,
    reading: &Reading,
    look: Look<'_>,
) {
    let style = |role| look.theme.style(role);
    put(buffer, inner.x + 1, y, 2, level.name(), style(Role::Title));
    match report.levels[level].outcome {
        LevelOutcome::NotSeen => {
            let (words, role) = absence_words(report, level);
            put(buffer, inner.x + 5, y, inner.width - 6, &words, style(role));
        }
        LevelOutcome::Seen { probability, key_slice, extent, .. } => {
            if extent == LevelExtent::CutOff {
                put(buffer, inner.x + 3, y, 1, "…", style(Role::Warning));
            }
            let alert = report.is_level_alert(level);
            let bar_width = inner.width.saturating_sub(20);
            let threshold = report.model.thresholds.level;
            bar::draw(
                buffer,
                (inner.x + 5, y, bar_width),
                probability,
                Some(threshold),
                kind_of(report, alert),
                look.theme,
            );
            let right = inner.right() - 1;
            let role = if alert { Role::Alarm } else { Role::Text };
            put_right(buffer, right - 6, y, 9, &percent(report, probability, alert), style(role));
            put_right(buffer, right - 1, y, 4, &(key_slice.index + 1).to_string(), style(Role::Muted));
            if reading.key_slice(report, level) == Some(reading.slice()) && reading.plane == crate::raster::Plane::Axial
            {
                put(buffer, right - 1, y, 1, "◂", style(Role::Accent));
            }
        }
    }
}

/// Why a level has no probability.
pub(super) fn absence_words(report: &FractureReport, level: CervicalLevel) -> (String, Role) {
    let why = report.absence(level).filter(|_| report.completeness == Completeness::Final);
    let words = why.map_or_else(|| "not seen yet".to_owned(), |why| why.to_string());
    let role = match why {
        Some(Absence::Overlooked | Absence::Uncertain | Absence::NotAnalyzed) => Role::Warning,
        Some(Absence::NotInScan) | None => Role::Muted,
    };
    (words, role)
}

/// The reader's own word, between the level's name and its bar.
fn level_verdict(
    buffer: &mut Buffer,
    inner: Rect,
    y: u16,
    model: &Model,
    reading: &Reading,
    level: CervicalLevel,
    look: Look<'_>,
) {
    if let Some((sign, role)) = decision::level_sign(model.decisions.of(&reading.study.uid), level) {
        put(buffer, inner.x + 4, y, 1, &sign.to_string(), look.theme.style(role));
    }
}

/// The mark before the overall probability: `! ` for an alert, `? ` for a study unlike the training data that raises none, `~` while
/// preliminary.
pub(super) fn overall_mark(report: &FractureReport) -> (&'static str, Role) {
    match (report.completeness, report.is_alert()) {
        (Completeness::Preliminary { .. }, true) => ("~", Role::Alarm),
        (Completeness::Preliminary { .. }, false) => ("~", Role::Text),
        (Completeness::Final, true) => ("! ", Role::Alarm),
        (Completeness::Final, false) if report.is_out_of_distribution() => ("? ", Role::Warning),
        (Completeness::Final, false) => ("", Role::Text),
    }
}

/// `! 81 %`, `~31 %` for a preliminary one.
pub(super) fn percent(report: &FractureReport, value: Probability, alert: bool) -> String {
    let mark = if report.completeness != Completeness::Final {
        "~"
    } else if alert {
        "! "
    } else {
        ""
    };
    format!("{mark}{value}")
}

pub(super) fn kind_of(report: &FractureReport, alert: bool) -> Kind {
    match (report.completeness, alert) {
        (Completeness::Preliminary { .. }, _) => Kind::Preliminary,
        (Completeness::Final, true) => Kind::Alert,
        (Completeness::Final, false) => Kind::Plain,
    }
}

/// What stands in the panel when there is no number.
pub(super) fn no_report(model: &Model, entry: Option<&Entry>) -> Vec<(String, Role)> {
    if let ModelState::Unavailable(problem) = &model.network {
        return vec![("no analysis".into(), Role::Warning), (problem.clone(), Role::Text)];
    }
    match entry.map(|entry| &entry.progress) {
        None => Vec::new(),
        Some(Progress::Waiting) if entry.is_some_and(|entry| entry.rewritten) => vec![
            ("changed on disk since it was analyzed".into(), Role::Warning),
            ("It is analyzed again.".into(), Role::Muted),
        ],
        Some(Progress::Waiting) => vec![("waiting for its turn".into(), Role::Muted)],
        Some(Progress::Running { total: 0, .. }) => vec![("reading the series".into(), Role::Muted)],
        Some(Progress::Running { done, total, .. }) => {
            vec![
                (format!("analyzing {} %", 100 * done / total), Role::Muted),
                ("no level seen yet".into(), Role::Muted),
            ]
        }
        Some(Progress::Done(Analysis::NotAnalysed(reason))) => vec![
            (format!("not analyzed: {reason}"), Role::Warning),
            ("This study has no probability.".into(), Role::Text),
        ],
        Some(Progress::Done(Analysis::Declined(declined))) => vec![
            (format!("not analyzed: {}", declined.reason), Role::Warning),
            ("This study has no probability.".into(), Role::Text),
            (format!("{} has seen its slices.", declined.model), Role::Muted),
        ],
        Some(Progress::Done(Analysis::Failed(problem))) => {
            vec![(format!("failed: {problem}"), Role::Error), ("Back in the list, r tries again.".into(), Role::Text)]
        }
        // Only blinded reading hides a report that is there.
        Some(Progress::Done(Analysis::Analysed(_))) => vec![
            ("blinded".into(), Role::Warning),
            ("What the network says is shown after your first assessment.".into(), Role::Text),
        ],
    }
}

fn footer(buffer: &mut Buffer, inner: Rect, model: &Model, identity: Option<&ModelIdentity>, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    let own = match &model.network {
        ModelState::Ready(identity) => Some(&**identity),
        _ => None,
    };
    let (first, second) = match identity.or(own) {
        Some(identity) => (
            format!("{identity} · research use only"),
            match identity.nature {
                ModelNature::Synthetic => "synthetic: not validated on patients",
                ModelNature::Clinical => "not a medical device",
            },
        ),
        None if model.network == ModelState::Loading => ("loading the model".to_owned(), "research use only"),
        None => ("no model".to_owned(), "research use only"),
    };
    let y = inner.bottom() - 2;
    put(buffer, inner.x + 1, y, inner.width - 2, &first, style(Role::Muted));
    put(buffer, inner.x + 1, y + 1, inner.width - 2, second, style(Role::Warning));
}

/// The panel in one line, for narrow screens: `C1 1 C2 44! … all 90 %`. Which model speaks stands on the picture's frame.
pub(super) fn one_line(buffer: &mut Buffer, area: Rect, model: &Model, reading: &Reading, look: Look<'_>) {
    let style = |role| look.theme.style(role);
    let entry = model.worklist.entry(&reading.study.uid);
    let Some(report) = entry.and_then(Entry::report) else {
        let words: Vec<String> = no_report(model, entry).into_iter().map(|(line, _)| line).collect();
        put(buffer, area.x + 1, area.y, area.width - 2, &words.join(" · "), style(Role::Muted));
        return;
    };
    let preliminary = report.completeness != Completeness::Final;
    let mut x = area.x + 1;
    for level in CervicalLevel::ALL {
        x = put(buffer, x, area.y, area.width, level.name(), style(Role::Muted)) + 1;
        let alert = report.is_level_alert(level);
        let (text, role) = match report.levels[level].probability() {
            Some(p) => (
                format!("{}{}{}", if preliminary { "~" } else { "" }, p.percent(), if alert { "!" } else { "" }),
                if alert { Role::Alarm } else { Role::Text },
            ),
            None => ("–".into(), Role::Faint),
        };
        x = put(buffer, x, area.y, area.width, &text, style(role));
        if let Some((sign, role)) = decision::level_sign(model.decisions.of(&reading.study.uid), level) {
            x = put(buffer, x, area.y, 1, &sign.to_string(), style(role));
        }
        x += 1;
    }
    let (mark, role) = match report.is_alert() {
        true => ("!", Role::Alarm),
        false if report.is_out_of_distribution() && !preliminary => ("? unlike", Role::Warning),
        false => ("", Role::Title),
    };
    let all = format!("all {}{}{mark}", if preliminary { "~" } else { "" }, report.overall);
    let x = put(buffer, x + 1, area.y, area.width, &all, style(role));
    let (sign, role) = decision::sign(model.decisions.state(&reading.study.uid));
    put(buffer, x + 2, area.y, 1, &sign.to_string(), style(role));
}
