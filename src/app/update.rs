//! One message in, the next state and the effects out.

use super::prompt::{Prompt, PromptKind};
use super::suspicion::peaks;
use super::worklist::{Order, Progress, series_index};
use super::{Command, Effect, Link, Message, Model, ModelState, PromptKey, Reading, ScanState, Screen, VolumeState};
use crate::domain::{Analysis, CervicalLevel, Completeness, FractureReport, Study, Uid};
use crate::inference::WorkerEvent;
use std::sync::Arc;

/// Unreadable files that are remembered by name.
const REMEMBERED: usize = 200;
/// Slices of a big step.
const BIG_STEP: isize = 10;

const NOT_READ: &str = "the series is not read yet";
/// Rows of the list's screen that are not the list.
const WORKLIST_FRAME: usize = 9;

/// Takes in one message.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    match message {
        Message::Command(command) => {
            model.notice = None;
            run(model, command)
        }
        Message::Prompt(key) => {
            model.notice = None;
            prompt(model, key)
        }
        Message::Select(uid) => {
            let again = model.worklist.selected().is_some_and(|entry| entry.study.uid == uid);
            model.worklist.select(&uid);
            if again { open(model, &uid) } else { Vec::new() }
        }
        Message::GoToSlice(index) => {
            if let Some(reading) = &mut model.reading {
                reading.go_to_volume_slice(index, None);
                reading.moved = true;
            }
            Vec::new()
        }
        Message::Resized(columns, rows) => {
            model.size = (columns, rows);
            Vec::new()
        }
        Message::StudyFound(study) => {
            model.worklist.found(Arc::clone(&study));
            let mut effects = grown(model, study);
            effects.extend(queue(model));
            effects
        }
        Message::Unreadable { path, reason } => {
            model.unreadable.push((path, reason));
            if model.unreadable.len() > REMEMBERED {
                model.unreadable.remove(0);
            }
            Vec::new()
        }
        Message::ScanProgress(summary) => {
            model.scan = ScanState::Scanning(summary);
            Vec::new()
        }
        Message::ScanFinished(summary) => {
            model.scan = ScanState::Finished(summary);
            Vec::new()
        }
        Message::ScanFailed(text) => {
            model.complain(text.clone());
            model.scan = ScanState::Failed(text);
            Vec::new()
        }
        Message::Worker(event) => worker(model, event),
        Message::VolumeProgress { study, series, done, total } => {
            if let Some(reading) = open_series(model, &study, series)
                && matches!(reading.volume, VolumeState::Loading(..))
            {
                reading.volume = VolumeState::Loading(done, total);
            }
            Vec::new()
        }
        Message::VolumeLoaded { study, series, result } => {
            let report = model.worklist.entry(&study).and_then(|entry| entry.report().cloned());
            let preferred = model.preferences.plane;
            if let Some(reading) = open_series(model, &study, series) {
                match result {
                    Ok(volume) => {
                        reading.loaded(volume, preferred);
                        if let Some(report) = report {
                            go_to_worst(reading, &report);
                        }
                    }
                    Err(problem) => reading.volume = VolumeState::Failed(problem),
                }
            }
            Vec::new()
        }
        Message::PictureShown { round_trip, bytes } => {
            model.link = Link { round_trip, bytes };
            Vec::new()
        }
        Message::Trouble(text) => {
            model.complain(text);
            Vec::new()
        }
        Message::Notice(text) => {
            model.tell(text);
            Vec::new()
        }
        Message::ThemeChanged(name) => {
            model.tell(format!("theme {name}"));
            model.theme = name;
            Vec::new()
        }
    }
}

fn open_series<'m>(model: &'m mut Model, study: &Uid, series: usize) -> Option<&'m mut Reading> {
    model.reading.as_mut().filter(|reading| reading.study.uid == *study && reading.series == series)
}

/// The open study was found again: its series may have other places now, and the open one may have more slices.
fn grown(model: &mut Model, study: Arc<Study>) -> Vec<Effect> {
    let Some(reading) = model.reading.as_mut().filter(|reading| reading.study.uid == study.uid) else {
        return Vec::new();
    };
    let Some(shown) = reading.study.series.get(reading.series) else { return Vec::new() };
    let Some(index) = series_index(&study, &shown.uid, shown.stack_index) else { return Vec::new() };
    let longer = study.series[index].instances.len() != shown.instances.len();
    let unanswered = index != reading.series && reading.volume().is_none();
    reading.study = Arc::clone(&study);
    reading.series = index;
    if !longer && !unanswered {
        return Vec::new();
    }
    if longer && reading.volume().is_some() {
        model.tell("more slices of this series were found; it is read again");
    }
    vec![Effect::Load(study, index)]
}

fn queue(model: &Model) -> Vec<Effect> {
    vec![Effect::Queue(model.worklist.jobs(model.reading.as_ref().map(|reading| &reading.study.uid)))]
}

fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Quit => vec![Effect::Quit],
        Command::Help => {
            let pages = model.help_layout().2;
            (model.help, model.help_page) = match model.help {
                true if model.help_page + 1 >= pages => (false, 0),
                true => (true, model.help_page + 1),
                false => (true, 0),
            };
            Vec::new()
        }
        // Help covers the screen: any other key puts it away first.
        _ if model.help => {
            (model.help, model.help_page) = (false, 0);
            Vec::new()
        }
        Command::Palette => {
            model.prompt = Some(Prompt::new(PromptKind::Palette));
            Vec::new()
        }
        Command::Suspend => vec![Effect::Suspend],
        Command::Redraw => vec![Effect::Redraw],
        Command::NextTheme => vec![Effect::NextTheme],
        _ => match model.screen() {
            Screen::Worklist => in_worklist(model, command),
            Screen::Reading => in_reading(model, command),
        },
    }
}

fn in_worklist(model: &mut Model, command: Command) -> Vec<Effect> {
    let rows = model.worklist.rows().len();
    let page = usize::from(model.size.1).saturating_sub(WORKLIST_FRAME).max(1);
    let row = model.worklist.selected_row().unwrap_or(0);
    match command {
        Command::Down => model.worklist.select_row(row + 1),
        Command::Up => model.worklist.select_row(row.saturating_sub(1)),
        Command::PageDown => model.worklist.select_row(row + page),
        Command::PageUp => model.worklist.select_row(row.saturating_sub(page)),
        Command::Top => model.worklist.select_row(0),
        Command::Bottom => model.worklist.select_row(rows.saturating_sub(1)),
        Command::Open => {
            if let Some(uid) = model.worklist.selected().map(|entry| entry.study.uid.clone()) {
                return open(model, &uid);
            }
            model.tell("no study to read yet");
        }
        Command::OpenMostUrgent => {
            let uid = model.worklist.most_urgent().map(|entry| entry.study.uid.clone());
            if let Some(uid) = uid {
                return open(model, &uid);
            }
            model.tell("no study to read yet");
        }
        Command::Filter => model.prompt = Some(Prompt::new(PromptKind::Filter)),
        Command::Order => {
            let order: Order = model.worklist.order().next();
            model.worklist.set_order(order);
            model.tell(format!("ordered by {}", order.name()));
            return queue(model);
        }
        Command::Retry => return retry(model),
        _ => model.tell(format!("{} works in the reading screen", command.name())),
    }
    Vec::new()
}

fn retry(model: &mut Model) -> Vec<Effect> {
    let Some(uid) = model.worklist.selected().map(|entry| entry.study.uid.clone()) else { return Vec::new() };
    let Some(entry) = model.worklist.entry_mut(&uid) else { return Vec::new() };
    match &entry.progress {
        Progress::Done(Analysis::Failed(_)) => {
            entry.attempt += 1;
            model.worklist.set_progress(&uid, Progress::Waiting);
            queue(model)
        }
        _ => {
            model.tell("only a failed analysis is tried again");
            Vec::new()
        }
    }
}

/// Opens a study at its most suspicious slice.
fn open(model: &mut Model, uid: &Uid) -> Vec<Effect> {
    let Some(entry) = model.worklist.entry_mut(uid) else { return Vec::new() };
    entry.opened = true;
    entry.risen = false;
    let study = Arc::clone(&entry.study);
    let chosen = entry.choice.as_ref().ok().map(|candidate| candidate.series);
    let series = chosen.or_else(|| study.series.iter().position(|series| !series.instances.is_empty()));
    let Some(series) = series else {
        model.complain("this study holds no pictures; cspine inspect tells why");
        return Vec::new();
    };
    model.worklist.select(uid);
    let preferred = &model.preferences;
    let last = model.reading.as_ref();
    let (marks, texts, panel) =
        last.map_or((preferred.marks, true, false), |last| (last.marks, last.texts, last.panel));
    let mut reading = Reading::new(Arc::clone(&study), series);
    reading.preset_window(&preferred.window);
    (reading.marks, reading.texts, reading.panel) = (marks, texts, panel);
    model.reading = Some(reading);
    let mut effects = vec![Effect::Load(study, series)];
    effects.extend(queue(model));
    effects.extend(prefetch(model, uid));
    effects
}

/// Has the study that comes next in memory before it is asked for.
fn prefetch(model: &Model, uid: &Uid) -> Option<Effect> {
    let row = model.worklist.row_of(uid)?;
    let next = model.worklist.at(row + 1)?;
    let series = next.choice.as_ref().ok()?.series;
    Some(Effect::Prefetch(Arc::clone(&next.study), series))
}

fn go_to_worst(reading: &mut Reading, report: &FractureReport) {
    let Some(level) = report.worst_level().map(|finding| finding.level) else { return };
    go_to_level(reading, report, level);
}

fn go_to_level(reading: &mut Reading, report: &FractureReport, level: CervicalLevel) -> bool {
    let point = report.levels[level].hot_spot().map(|spot| spot.point);
    let Some(index) = reading.key_slice(report, level) else {
        return point.is_some_and(|point| reading.go_to_point(point));
    };
    reading.go_to_volume_slice(index, point);
    true
}

fn in_reading(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::Close => {
            model.reading = None;
            return queue(model);
        }
        Command::NextStudy => return neighbour(model, 1),
        Command::PreviousStudy => return neighbour(model, -1),
        Command::NextSeries => return other_series(model, 1),
        Command::PreviousSeries => return other_series(model, -1),
        Command::AnalyseSeries => return analyse_series(model),
        _ => {}
    }
    let uid = model.reading.as_ref().map(|reading| reading.study.uid.clone());
    let report = uid.and_then(|uid| model.worklist.entry(&uid)?.report().cloned());
    let Some(reading) = &mut model.reading else { return Vec::new() };
    let mut say: Option<String> = None;
    match command {
        Command::SliceDown => reading.move_by(1),
        Command::SliceUp => reading.move_by(-1),
        Command::SlicesDown => reading.move_by(BIG_STEP),
        Command::SlicesUp => reading.move_by(-BIG_STEP),
        Command::FirstSlice => reading.move_to(0),
        Command::LastSlice => reading.move_to(usize::MAX),
        Command::NextSuspicion | Command::PreviousSuspicion => {
            say = next_suspicion(reading, report.as_deref(), command == Command::NextSuspicion).err();
        }
        Command::Level(level) => {
            let gone = report.as_deref().is_some_and(|report| go_to_level(reading, report, level));
            reading.moved |= gone;
            if !gone {
                say = Some(match report {
                    _ if reading.volume().is_none() => NOT_READ.to_owned(),
                    None => format!("no result yet: {level}'s slice is not known"),
                    Some(report) if report.levels[level].key_slice().is_some() => {
                        format!("{level} lies outside this series; tab shows the next one")
                    }
                    Some(report) if report.completeness == Completeness::Final => {
                        report.absence(level).map_or_else(String::new, |why| format!("{level}: {why}"))
                    }
                    Some(_) => format!("{level} is not seen yet"),
                });
            }
        }
        Command::NextPlane => {
            if !reading.next_plane() {
                say = Some("no reformats: the files give no positions or no pixel spacing".into());
            }
        }
        Command::WindowBone => reading.preset_window("bone"),
        Command::WindowBoneDetail => reading.preset_window("bone-detail"),
        Command::WindowSoft => reading.preset_window("soft"),
        Command::WindowLung => reading.preset_window("lung"),
        Command::WindowBrain => reading.preset_window("brain"),
        Command::WindowFile => {
            if !reading.next_file_window() {
                say = Some("the files name no window".into());
            }
        }
        Command::LevelUp => reading.adjust_window(50.0, 1.0),
        Command::LevelDown => reading.adjust_window(-50.0, 1.0),
        Command::WidthUp => reading.adjust_window(0.0, 1.15),
        Command::WidthDown => reading.adjust_window(0.0, 1.0 / 1.15),
        Command::Invert => reading.inverted = !reading.inverted,
        Command::ZoomIn => reading.zoom_by(1.25),
        Command::ZoomOut => reading.zoom_by(0.8),
        Command::PanLeft | Command::PanRight | Command::PanUp | Command::PanDown if reading.zoom <= 1.0 => {
            say = Some("the whole picture is shown; zoom in first".into());
        }
        Command::PanLeft => reading.pan(-1.0, 0.0),
        Command::PanRight => reading.pan(1.0, 0.0),
        Command::PanUp => reading.pan(0.0, -1.0),
        Command::PanDown => reading.pan(0.0, 1.0),
        Command::Fit => reading.fit(),
        Command::ToggleMarks => reading.marks = !reading.marks,
        Command::TogglePanel => reading.panel = !reading.panel,
        Command::ToggleTexts => reading.texts = !reading.texts,
        _ => say = Some(format!("{} works in the list", command.name())),
    }
    if let Some(text) = say {
        model.tell(text);
    }
    Vec::new()
}

fn next_suspicion(reading: &mut Reading, report: Option<&FractureReport>, forward: bool) -> Result<(), String> {
    let report = report.ok_or("no result yet")?;
    let volume = reading.volume().map(Arc::clone).ok_or(NOT_READ)?;
    if report.series_uid != volume.series_uid {
        return Err("another series was analysed; A analyses this one".into());
    }
    let peaks = peaks(report);
    if peaks.is_empty() {
        return Err("no slice passes the threshold".into());
    }
    let native = crate::raster::native_plane(&volume);
    let here = reading.slice_of(native);
    let next = if forward {
        peaks.iter().find(|peak| **peak > here).or(peaks.first())
    } else {
        peaks.iter().rev().find(|peak| **peak < here).or(peaks.last())
    };
    if let Some(&index) = next {
        let spot = CervicalLevel::ALL.into_iter().find_map(|level| {
            let finding = &report.levels[level];
            finding.key_slice().filter(|key| key.index == index).and(finding.hot_spot())
        });
        reading.go_to_volume_slice(index, spot.map(|spot| spot.point));
        reading.moved = true;
    }
    Ok(())
}

fn neighbour(model: &mut Model, step: isize) -> Vec<Effect> {
    let Some(row) = model.reading.as_ref().and_then(|reading| model.worklist.row_of(&reading.study.uid)) else {
        model.tell("the filter hides this study; its neighbours are not known");
        return Vec::new();
    };
    let next = row.checked_add_signed(step).and_then(|row| model.worklist.at(row)).map(|entry| entry.study.uid.clone());
    match next {
        Some(uid) => open(model, &uid),
        None => {
            model.tell(if step > 0 {
                "this is the last study of the list"
            } else {
                "this is the first study of the list"
            });
            Vec::new()
        }
    }
}

fn other_series(model: &mut Model, step: isize) -> Vec<Effect> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let with_pictures: Vec<usize> =
        (0..reading.study.series.len()).filter(|&index| !reading.study.series[index].instances.is_empty()).collect();
    let here = with_pictures.iter().position(|index| *index == reading.series).unwrap_or(0);
    let len = with_pictures.len();
    if len < 2 {
        model.tell("the study has no other series with pictures");
        return Vec::new();
    }
    let series = with_pictures[(here + len).saturating_add_signed(step) % len];
    let study = Arc::clone(&reading.study);
    let (marks, texts, panel) = (reading.marks, reading.texts, reading.panel);
    let mut next = Reading::new(Arc::clone(&study), series);
    next.preset_window(&model.preferences.window);
    (next.marks, next.texts, next.panel) = (marks, texts, panel);
    model.reading = Some(next);
    vec![Effect::Load(study, series)]
}

fn analyse_series(model: &mut Model) -> Vec<Effect> {
    let Some((uid, series)) = model.reading.as_ref().map(|reading| (reading.study.uid.clone(), reading.series)) else {
        return Vec::new();
    };
    let current = model.worklist.entry(&uid).and_then(|entry| entry.choice.as_ref().ok()).map(|choice| choice.series);
    if current == Some(series) {
        model.tell("this is the series that is analysed");
        return Vec::new();
    }
    match model.worklist.choose(&uid, series) {
        Ok(()) => {
            model.tell("this series is analysed instead");
            queue(model)
        }
        Err(reason) => {
            model.complain(format!("this series cannot be analysed: {reason}"));
            Vec::new()
        }
    }
}

fn worker(model: &mut Model, event: WorkerEvent) -> Vec<Effect> {
    // What speaks of a series that is no longer the chosen one is out of date.
    let current = |model: &Model, study: &Uid, series: usize| {
        let entry = model.worklist.entry(study);
        entry.is_some_and(|entry| entry.choice.as_ref().is_ok_and(|choice| choice.series == series))
    };
    match event {
        WorkerEvent::ModelReady(identity) => model.network = ModelState::Ready(identity),
        WorkerEvent::ModelUnavailable(problem) => model.network = ModelState::Unavailable(problem),
        WorkerEvent::Started { study, series } if current(model, &study, series) => {
            let partial = model.worklist.entry(&study).and_then(|entry| entry.report().cloned());
            model.worklist.set_progress(&study, Progress::Running { done: 0, total: 0, partial, paused: false });
        }
        WorkerEvent::Progress { study, series, done, total } if current(model, &study, series) => {
            if let Some(entry) = model.worklist.entry_mut(&study)
                && let Progress::Running { partial, .. } = &entry.progress
            {
                entry.progress = Progress::Running { done, total, partial: partial.clone(), paused: false };
            }
        }
        WorkerEvent::Partial { study, series, report } if current(model, &study, series) => {
            if let Some(Progress::Running { done, total, paused, .. }) =
                model.worklist.entry(&study).map(|entry| entry.progress.clone())
            {
                model.worklist.set_progress(&study, Progress::Running { done, total, partial: Some(report), paused });
            }
        }
        WorkerEvent::Cancelled { study, series } if current(model, &study, series) => {
            if let Some(entry) = model.worklist.entry_mut(&study)
                && let Progress::Running { paused, .. } = &mut entry.progress
            {
                *paused = true;
            }
        }
        WorkerEvent::Finished { study, series, analysis } if current(model, &study, series) => {
            if let (Analysis::Analysed(report), Some(reading)) = (&analysis, &mut model.reading) {
                // The picture stays where the reader has taken it.
                if reading.study.uid == study && !reading.moved && reading.volume().is_some() {
                    go_to_worst(reading, report);
                }
            }
            model.worklist.set_progress(&study, Progress::Done(analysis));
            return queue(model);
        }
        _ => {}
    }
    Vec::new()
}

fn prompt(model: &mut Model, key: PromptKey) -> Vec<Effect> {
    let screen = model.screen();
    let Some(prompt) = &mut model.prompt else { return Vec::new() };
    let suggestions = match prompt.kind {
        PromptKind::Palette => prompt.suggestions(screen),
        PromptKind::Filter => Vec::new(),
    };
    match key {
        PromptKey::Text(text) => prompt.push(&text),
        PromptKey::Backspace => {
            prompt.text.pop();
            prompt.selected = 0;
        }
        PromptKey::Down => prompt.selected = (prompt.selected + 1).min(suggestions.len().saturating_sub(1)),
        PromptKey::Up => prompt.selected = prompt.selected.saturating_sub(1),
        PromptKey::Tab => {
            if let Some(command) = suggestions.get(prompt.selected) {
                prompt.text = command.name().to_owned();
                prompt.selected = 0;
            }
        }
        PromptKey::Escape => {
            let kind = prompt.kind;
            model.prompt = None;
            if kind == PromptKind::Filter {
                model.worklist.set_filter("");
            }
        }
        PromptKey::Enter => {
            let taken = prompt.clone();
            model.prompt = None;
            if taken.kind == PromptKind::Filter {
                if model.worklist.rows().len() == 0 {
                    model.worklist.set_filter("");
                    model.tell(format!("no study contains {:?}; the filter is off", taken.text));
                }
                return Vec::new();
            }
            match suggestions.get(taken.selected) {
                Some(&command) => return run(model, command),
                None => model.complain(format!("there is no command {:?} here; ? lists them all", taken.text)),
            }
            return Vec::new();
        }
    }
    if let Some(prompt) = &model.prompt
        && prompt.kind == PromptKind::Filter
    {
        let text = prompt.text.clone();
        model.worklist.set_filter(&text);
    }
    Vec::new()
}
