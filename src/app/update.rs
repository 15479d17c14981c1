//! One message in, the next state and the effects out.

mod anonymous;
mod beside;
mod cancel;
mod decide;
mod help;
mod jumps;
mod key_image;
mod keys;
mod line;
mod measure;
mod next;
mod prompt;
mod reading;
mod resume;
mod second_key;
mod sources;
mod worker;

use super::model::PREVIEW_LEAST;
use super::pointer;
use super::prompt::{Prompt, PromptKind};
use super::worklist::{Order, Presence, Progress, series_index};
use super::{Command, Effect, Help, Link, Message, Model, Reading, ScanState, Screen, VolumeState};
use crate::domain::{Analysis, Study, Uid};
use crate::raster::{Plane, Quality};
use std::sync::Arc;
use std::time::Duration;

/// Unreadable files that are remembered by name.
const REMEMBERED: usize = 200;
/// Rows of the list's screen that are not the list.
const WORKLIST_FRAME: usize = 9;
/// Two clicks on a row within this time are a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

pub(in crate::app) use key_image::list as key_images;
pub(in crate::app) use measure::list as measurements;

/// Takes in one message.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let message = match &model.anonymous {
        Some(pseudonyms) => anonymous::message(message, pseudonyms),
        None => message,
    };
    match message {
        Message::Elapsed(elapsed) => {
            model.elapsed = elapsed;
            Vec::new()
        }
        Message::Drawn => {
            model.announced = Some(next::announce(model));
            Vec::new()
        }
        Message::Command(command) => {
            model.key_pressed();
            keys::given(model, command)
        }
        Message::Held(command) if keys::decides(command) => {
            second_key::held(model, command);
            Vec::new()
        }
        Message::Held(command) => {
            model.key_pressed();
            keys::given(model, command)
        }
        Message::Digit(digit, command) => {
            model.key_pressed();
            let mut effects = second_key::other(model, false);
            effects.extend(keys::digit(model, digit, command));
            effects
        }
        Message::Woken(serial) => {
            keys::over(model, serial);
            second_key::woken(model, serial)
        }
        Message::CineTick => keys::tick(model),
        Message::Help(key) => {
            model.key_pressed();
            help::key(model, key)
        }
        Message::Prompt(key) => {
            model.key_pressed();
            prompt::typed(model, key)
        }
        Message::Unbound(words) => {
            // A number before it counts for nothing.
            model.count = None;
            model.tell(words);
            Vec::new()
        }
        Message::PasteIgnored(characters) => {
            model.count = None;
            let ignored = if characters == 1 { "1 character".to_owned() } else { format!("{characters} characters") };
            model.complain(format!(
                "{ignored} ignored: looks like pasted text; type keys one by one, paste only where text is asked for"
            ));
            Vec::new()
        }
        Message::CapsLock(on) => {
            model.caps_lock = on;
            Vec::new()
        }
        Message::Select(uid) => clicked(model, uid),
        Message::Pointer(pointer) => {
            pointer::pointed(model, pointer);
            measure::clicked(model, &pointer)
        }
        Message::GoToSlice(index) => jumps::with_trail(model, |model| {
            if let Some(reading) = &mut model.reading {
                reading.go_to_volume_slice(index, None);
                reading.moved = true;
            }
            Vec::new()
        }),
        Message::Resized(columns, rows) => {
            model.size = (columns, rows);
            Vec::new()
        }
        Message::Cells(cell) => {
            model.cell = cell;
            Vec::new()
        }
        Message::Terminal { graphics, name, note, withdrawn } => {
            (model.graphics, model.terminal) = (graphics, name);
            model.notice.take_if(|notice| withdrawn.as_ref() == Some(&notice.text));
            if model.notice.is_none()
                && let Some(note) = note
            {
                model.tell(note);
            }
            Vec::new()
        }
        Message::StudyFound(study) => {
            let late = matches!(model.scan, ScanState::Finished(_)) && model.worklist.entry(&study.uid).is_none();
            model.worklist.found(Arc::clone(&study));
            if let Some(entry) = model.worklist.entry_mut(&study.uid) {
                entry.arrived_later |= late;
            }
            decide::refresh(model, &study.uid);
            resume::offer(model);
            let uid = study.uid.clone();
            let mut effects = grown(model, study);
            effects.extend(list(model, &uid));
            if model.opening.as_ref() == Some(&uid) {
                model.opening = None;
                effects.extend(open(model, &uid));
            } else {
                effects.extend(queue(model));
            }
            effects
        }
        Message::Leaving => resume::keep(model),
        Message::StudyGone(uid) => gone(model, &uid),
        Message::Unreadable { path, reason } => {
            // The scan's own finds are counted in the title; what goes wrong later would pass unseen there.
            if matches!(model.scan, ScanState::Finished(_)) {
                model.complain(format!("{path}: {reason}"));
            }
            model.unreadable.push((path, reason));
            if model.unreadable.len() > REMEMBERED {
                model.unreadable.remove(0);
            }
            Vec::new()
        }
        Message::ScanProgress(summary) => {
            // Looking again later is no scan to wait for.
            model.scan = match model.scan {
                ScanState::Finished(_) => ScanState::Finished(summary),
                ScanState::MakingDemo { study, total, .. } => ScanState::MakingDemo { study, total, summary },
                ScanState::Scanning(_) | ScanState::Failed(_) => ScanState::Scanning(summary),
            };
            Vec::new()
        }
        Message::MakingDemo { study, total } => {
            model.scan = ScanState::MakingDemo { study, total, summary: model.scan.summary() };
            Vec::new()
        }
        Message::ScanFinished(summary) => {
            model.scan = ScanState::Finished(summary);
            // What was listed and not found is not there any more.
            let missing = model.worklist.only_listed();
            if missing.is_empty() {
                return Vec::new();
            }
            model.worklist.gone(&missing);
            missing.into_iter().map(Effect::Unlist).chain(queue(model)).collect()
        }
        Message::ScanFailed(text) => {
            model.complain(text.to_string());
            model.scan = ScanState::Failed(text.to_string());
            Vec::new()
        }
        Message::Worker(event) => worker::told(model, event),
        Message::VolumeProgress { study, series, done, total } => {
            if let Some(reading) = open_series(model, &study, series)
                && matches!(reading.volume, VolumeState::Loading(..))
            {
                reading.volume = VolumeState::Loading(done, total);
            }
            Vec::new()
        }
        Message::FirstSlice { study, series, volume } => {
            if let Some(reading) = open_series(model, &study, series) {
                reading.take_first(volume);
            }
            Vec::new()
        }
        Message::VolumeLoaded { study, series, result } => {
            let report = model.worklist.entry(&study).and_then(|entry| entry.report().cloned());
            let preferred = model.preferences.plane;
            let is_anonymous = model.anonymous.is_some();
            if let Some(reading) = open_series(model, &study, series) {
                match result {
                    Ok(volume) => {
                        let found = reading.loaded(volume, preferred);
                        if is_anonymous {
                            reading.withhold_window_names();
                        }
                        if reading.go_on() {
                            reading.moved = true;
                        } else if let Some(report) = report.as_deref().filter(|_| !found) {
                            reading::go_to_first_place(reading, report);
                        }
                        reading.frame(report.as_deref());
                    }
                    Err(problem) => reading.volume = VolumeState::Failed(problem.to_string()),
                }
                return reading::catch_up(model);
            }
            Vec::new()
        }
        Message::BesideLoaded { study, series, result } => {
            beside::loaded(model, &study, series, result);
            Vec::new()
        }
        Message::SpineFound { study, series, course } => {
            let report = model.worklist.entry(&study).and_then(|entry| entry.report().cloned());
            if let Some(reading) = open_series(model, &study, series) {
                reading.course = Some(course);
                if Plane::ALL.into_iter().all(|plane| reading.appearance_of(plane).is_whole()) {
                    reading.frame(report.as_deref());
                }
            }
            Vec::new()
        }
        Message::ImagesShown => {
            if let Some(reading) = model.reading.as_mut().filter(|reading| reading.volume().is_some()) {
                reading.shown_since.get_or_insert(model.elapsed);
            }
            Vec::new()
        }
        Message::PictureShown { round_trip, bytes } => {
            model.link = Link { round_trip, bytes };
            Vec::new()
        }
        Message::PictureRefused { slot, reason } => {
            model.refused.insert(slot, reason);
            Vec::new()
        }
        Message::NoThumbnail(key) => {
            model.without_thumbnail.insert(key);
            Vec::new()
        }
        Message::PictureWanted(slot) => {
            model.refused.remove(&slot);
            Vec::new()
        }
        Message::Line(line) => {
            // From the first preview on, an exact picture says so.
            model.previewed |= line.preview;
            model.line = line;
            Vec::new()
        }
        Message::Recorded(recorded) => decide::recorded(model, recorded),
        Message::RecordFailed(failure) => decide::failed(model, failure),
        Message::Remembered(remembered) => decide::remembered(model, remembered),
        Message::Clock(now) => {
            model.worklist.set_now(now);
            resume::keep(model)
        }
        Message::Trouble(text) => {
            model.complain(text.to_string());
            Vec::new()
        }
        Message::Notice(text) => {
            model.tell(text.to_string());
            Vec::new()
        }
        Message::ThemeChanged(name) => {
            model.tell(format!("theme {name}"));
            model.theme = name;
            Vec::new()
        }
    }
}

/// A click on a study's row selects it, a second one soon after opens it.
fn clicked(model: &mut Model, uid: Uid) -> Vec<Effect> {
    model.worklist.select(&uid);
    let now = model.elapsed;
    let is_double = |(row, at): (Uid, Duration)| row == uid && now.saturating_sub(at) <= DOUBLE_CLICK;
    if model.last_click.take().is_some_and(is_double) {
        return open(model, &uid);
    }
    model.last_click = Some((uid, now));
    Vec::new()
}

/// How a study stands in the list, for the next run.
fn list(model: &Model, uid: &Uid) -> Option<Effect> {
    if model.anonymous.is_some() {
        // A pseudonym is for this screen, not for the index.
        return None;
    }
    let (listed, folder) = model.worklist.entry(uid)?.listing()?;
    Some(Effect::List(Box::new(listed), folder))
}

/// The files of a study are gone: it leaves the list. What is decided of it stays in the store.
fn gone(model: &mut Model, uid: &Uid) -> Vec<Effect> {
    let name = model.worklist.entry(uid).map(|entry| entry.name().to_owned()).unwrap_or_default();
    let mut effects = vec![Effect::Unlist(uid.clone())];
    if model.opening.as_ref() == Some(uid) {
        model.opening = None;
        model.complain(format!("the files of {name} are gone; its decisions are kept"));
    }
    if model.reading.as_ref().is_some_and(|reading| reading.study.uid == *uid) {
        // The picture that is in memory may be looked at to the end.
        model.complain(format!("the files of {name} are gone; the loaded series can still be read"));
        return effects;
    }
    model.worklist.gone(std::slice::from_ref(uid));
    effects.extend(queue(model));
    effects
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
    load(model).into_iter().collect()
}

fn queue(model: &Model) -> Vec<Effect> {
    vec![Effect::Queue(model.worklist.jobs(model.reading.as_ref().map(|reading| &reading.study.uid)))]
}

fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    if model.help.is_none()
        && model.screen() == Screen::Reading
        && let Some(effects) = measure::run(model, command)
    {
        return effects;
    }
    match command {
        // Who leaves all the same has been told.
        Command::Quit if model.has_unsaved() && !model.told_of_loss => {
            model.told_of_loss = true;
            Vec::new()
        }
        Command::Quit => vec![Effect::Quit],
        Command::Suspend => vec![Effect::Suspend],
        Command::Redraw => {
            model.refused.clear();
            vec![Effect::Redraw]
        }
        Command::NextTheme => vec![Effect::NextTheme],
        // Help covers the screen: no command acts on what cannot be seen.
        _ if model.help.is_some() => help::covered(model, command),
        Command::Help => {
            model.help = Some(Help::default());
            Vec::new()
        }
        Command::Cancel => cancel::run(model),
        Command::Palette => {
            model.prompt = Some(Prompt::new(PromptKind::Palette));
            Vec::new()
        }
        Command::Line => {
            model.line_shown = !model.line_shown;
            Vec::new()
        }
        Command::PictureQuality => {
            model.quality = model.quality.next();
            model.tell(match model.quality {
                Quality::Auto => "images exact; previews while keys repeat on a slow line",
                Quality::Exact => "images always exact",
                Quality::Preview => "images only as previews: half size, 64 grays",
            });
            vec![Effect::Quality(model.quality)]
        }
        _ => match decide::run(model, command) {
            Some(effects) => effects,
            None if model.screen() == Screen::Worklist => in_worklist(model, command),
            None => reading::run_tracked(model, command),
        },
    }
}

fn toggle_preview(model: &mut Model) {
    let ((columns, rows), (least_columns, least_rows)) = (model.size, PREVIEW_LEAST);
    if columns < least_columns || rows < least_rows {
        model.tell(format!(
            "the preview needs {least_columns} × {least_rows} characters; this window has {columns} × {rows}"
        ));
        return;
    }
    model.preview = !model.preview;
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
        Command::TogglePreview => toggle_preview(model),
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
    if entry.presence != Presence::Found {
        model.opening = Some(uid.clone());
        model.tell("looking for the study's files");
        return vec![Effect::Find(uid.clone())];
    }
    entry.opened = true;
    entry.risen = false;
    let study = Arc::clone(&entry.study);
    let series = entry.opening_series().or_else(|| study.series.iter().position(|series| !series.instances.is_empty()));
    let Some(series) = series else {
        model.complain("this study holds no images; cspine inspect shows why");
        return Vec::new();
    };
    model.worklist.select(uid);
    // Nothing is announced before it is drawn.
    (model.announced, model.second_key, model.measured) = (None, None, None);
    let left = resume::keep(model);
    let preferred = &model.preferences;
    let mut reading = Reading::new(Arc::clone(&study), series);
    for plane in Plane::ALL {
        reading.appearance_mut(plane).preset_window(&preferred.window);
    }
    (reading.marks, reading.framing) = (preferred.marks, preferred.framing);
    model.reading = Some(match &model.reading {
        Some(last) => reading.like(last),
        None => reading,
    });
    let mut effects = left;
    effects.extend(load(model));
    effects.push(Effect::Claim(Some(uid.clone())));
    effects.extend(queue(model));
    effects.extend(prefetch(model));
    effects
}

/// Reads the open series, the slice that will be looked at first before the others.
fn load(model: &Model) -> Option<Effect> {
    let reading = model.reading.as_ref()?;
    let report = model.worklist.entry(&reading.study.uid).and_then(|entry| entry.report());
    let first = reading.first_slice(report.map(|report| &**report));
    Some(Effect::Load(Arc::clone(&reading.study), reading.series, first))
}

/// Has the study that comes next in memory before it is asked for.
fn prefetch(model: &Model) -> Option<Effect> {
    let next = model.worklist.entry(&next::announce(model)?)?;
    let series = next.choice.as_ref().ok().and(next.opening_series())?;
    Some(Effect::Prefetch(Arc::clone(&next.study), series))
}
