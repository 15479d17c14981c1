//! What a command does in the reading screen.

use super::super::prompt::{Prompt, PromptKind};
use super::super::suspicion::peaks;
use super::super::{Command, Effect, Model, Reading, VolumeState};
use super::{beside, jumps, keys, next, open, queue, sources};
use crate::domain::{CervicalLevel, Completeness, FractureReport};
use crate::raster::Sampling;
use std::sync::Arc;

/// How far a key moves the cursor within a plane, mm.
const CURSOR_STEP: f64 = 2.0;
/// Slices of a big step, of half of one, and of a very big one.
const BIG_STEP: isize = 10;
const HALF_STEP: isize = 5;
const FAST_STEP: isize = 25;

/// More commands than this are not kept for a volume that is being read.
const MOST_WAITING: usize = 16;

pub(super) const NOT_READ: &str = "the series is still loading";

/// Goes to the key slice of the level that is most likely broken.
fn go_to_worst(reading: &mut Reading, report: &FractureReport) {
    let here = reading.study.series.get(reading.series).and_then(|series| report.worst_in(series));
    let Some(level) = here.or_else(|| report.worst_level().map(|finding| finding.level)) else { return };
    go_to_level(reading, report, level);
}

/// Where a study opens: at the most suspicious place, or on the midline of the neck if nothing is flagged.
pub(super) fn go_to_first_place(reading: &mut Reading, report: &FractureReport) {
    if !report.alert_levels().is_empty() || !reading.go_to_midline(report) {
        go_to_worst(reading, report);
    }
}

fn go_to_level(reading: &mut Reading, report: &FractureReport, level: CervicalLevel) -> bool {
    let point = report.levels[level].hot_spot().map(|spot| spot.point);
    let point = point.filter(|_| reading.shares_frame_with(report, level));
    let Some(index) = reading.key_slice(report, level) else {
        return point.is_some_and(|point| reading.go_to_point(point));
    };
    reading.go_to_volume_slice(index, point);
    true
}

pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    if waits(command)
        && let Some(reading) = &mut model.reading
        && matches!(reading.volume, VolumeState::Loading(..))
    {
        if reading.waiting.len() == MOST_WAITING {
            model.tell("the series is still being read: no more keys are kept");
        } else {
            reading.waiting.push(command);
            model.tell("as soon as the series is read");
        }
        return Vec::new();
    }
    match command {
        Command::Close => {
            let mut effects = super::resume::keep(model);
            model.reading = None;
            effects.extend(queue(model));
            effects.push(Effect::Claim(None));
            return effects;
        }
        Command::NextStudy => return next::go(model),
        Command::PreviousStudy => return previous_study(model),
        Command::NextSeries => return other_series(model, 1),
        Command::PreviousSeries => return other_series(model, -1),
        Command::AnalyseSeries => return analyse_series(model),
        Command::Cine | Command::CineFaster | Command::CineSlower => return keys::cine(model, command),
        Command::Back | Command::Forward => return jumps::back(model, command),
        Command::NextLevel | Command::PreviousLevel => return jumps::next_level(model, command),
        Command::GoTo | Command::Window => {
            model.prompt = Some(Prompt::with_text(PromptKind::Palette, &format!("{} ", command.name())));
            return Vec::new();
        }
        Command::Beside => return beside::next(model),
        Command::BesideWindow => {
            match model.reading.as_mut().and_then(|reading| reading.beside.as_mut()) {
                Some(beside) => beside.appearance.next_preset(),
                None => model.tell("no other series is shown"),
            }
            return Vec::new();
        }
        Command::ToggleIdentity => {
            model.identity_hidden = !model.identity_hidden;
            return Vec::new();
        }
        _ => {}
    }
    let uid = model.reading.as_ref().map(|reading| reading.study.uid.clone());
    let report = uid.and_then(|uid| model.worklist.entry(&uid)?.report().cloned());
    if let Some(series) = sources::elsewhere(model, report.as_deref(), command) {
        return sources::show(model, series, command);
    }
    let Some(reading) = &mut model.reading else { return Vec::new() };
    let plane = reading.plane;
    let mut say: Option<String> = None;
    match command {
        Command::SliceDown => reading.move_by(plane, 1),
        Command::SliceUp => reading.move_by(plane, -1),
        Command::SlicesDown => reading.move_by(plane, BIG_STEP),
        Command::SlicesUp => reading.move_by(plane, -BIG_STEP),
        Command::SlicesDownHalf => reading.move_by(plane, HALF_STEP),
        Command::SlicesUpHalf => reading.move_by(plane, -HALF_STEP),
        Command::SlicesDownFast => reading.move_by(plane, FAST_STEP),
        Command::SlicesUpFast => reading.move_by(plane, -FAST_STEP),
        Command::FirstSlice => reading.move_to(plane, 0),
        Command::LastSlice => reading.move_to(plane, usize::MAX),
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
                        format!("{level} is outside this series; tab shows the next one")
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
        Command::HotSpot => say = go_to_hot_spot(reading, report.as_deref()).err(),
        Command::CursorLeft => reading.move_cursor(-CURSOR_STEP, 0.0),
        Command::CursorRight => reading.move_cursor(CURSOR_STEP, 0.0),
        Command::CursorUp => reading.move_cursor(0.0, -CURSOR_STEP),
        Command::CursorDown => reading.move_cursor(0.0, CURSOR_STEP),
        Command::ToggleMarks => reading.outlines = !reading.outlines,
        Command::TogglePanel => reading.panel = !reading.panel,
        Command::ToggleTexts => reading.texts = !reading.texts,
        Command::TogglePlanes => {
            reading.alone = !reading.alone;
            say = Some(if reading.alone { "one plane" } else { "all planes, where there is room" }.into());
        }
        Command::FollowSpine => {
            say = Some(match (&reading.course, reading.follow) {
                (_, true) => "flat planes".into(),
                (Some(_), false) => "sagittal and coronal follow the spine".into(),
                (None, false) => "the spine's course is not known in this series".into(),
            });
            reading.follow = !reading.follow && reading.course.is_some();
        }
        Command::NextFraming => say = Some(reading.next_framing(report.as_deref())),
        Command::ToggleLines => reading.lines = !reading.lines,
        _ => say = change_appearance(reading, command),
    }
    if model.anonymous.is_some() {
        reading.withhold_window_names();
    }
    if let Some(text) = say {
        model.tell(text);
    }
    Vec::new()
}

/// Whether a command is kept until there is a volume: those that go to a place of their own. Steps are not, for who holds their key
/// while nothing is seen would end beside the slice that the volume opens at.
fn waits(command: Command) -> bool {
    matches!(
        command,
        Command::FirstSlice
            | Command::LastSlice
            | Command::Level(_)
            | Command::HotSpot
            | Command::NextSuspicion
            | Command::PreviousSuspicion
            | Command::NextLevel
            | Command::PreviousLevel
            | Command::NextPlane
    )
}

/// Does what was asked for before the volume was here; of one that cannot be read, forgets it.
pub(super) fn catch_up(model: &mut Model) -> Vec<Effect> {
    let Some(reading) = &mut model.reading else { return Vec::new() };
    let waiting = std::mem::take(&mut reading.waiting);
    let failed = matches!(reading.volume, VolumeState::Failed(_));
    // What the line says of a series that is still being read is no longer true; what the commands say themselves is.
    if !waiting.is_empty() || model.notice.as_ref().is_some_and(|notice| notice.text == NOT_READ) {
        model.notice = None;
    }
    if failed { Vec::new() } else { waiting.into_iter().flat_map(|command| run_tracked(model, command)).collect() }
}

/// Runs a command; jumps leave a trail.
pub(super) fn run_tracked(model: &mut Model, command: Command) -> Vec<Effect> {
    if jumps::is_jump(command) { jumps::with_trail(model, |model| run(model, command)) } else { run(model, command) }
}

/// Commands that change how the active plane looks; what there is to say about them.
fn change_appearance(reading: &mut Reading, command: Command) -> Option<String> {
    let plane = reading.plane;
    let cursor = reading.cursor_on(plane);
    let metric = reading.volume().is_some_and(|volume| volume.is_metric());
    let windows = reading.volume().map(|volume| volume.windows.clone()).unwrap_or_default();
    let appearance = reading.appearance_mut(plane);
    let step = appearance.pan_step();
    match command {
        Command::WindowBone => appearance.preset_window("bone"),
        Command::WindowBoneDetail => appearance.preset_window("bone-detail"),
        Command::WindowSoft => appearance.preset_window("soft"),
        Command::WindowLung => appearance.preset_window("lung"),
        Command::WindowBrain => appearance.preset_window("brain"),
        Command::WindowFile => {
            if !appearance.next_file_window(&windows) {
                return Some("the files name no window".into());
            }
        }
        Command::WindowEverywhere => {
            reading.window_everywhere();
            return Some("this window in all planes".into());
        }
        Command::LevelUp => appearance.adjust_window(50.0, 1.0),
        Command::LevelDown => appearance.adjust_window(-50.0, 1.0),
        Command::WidthUp => appearance.adjust_window(0.0, 1.15),
        Command::WidthDown => appearance.adjust_window(0.0, 1.0 / 1.15),
        Command::Invert => appearance.inverted = !appearance.inverted,
        Command::ZoomIn => appearance.zoom_about(cursor, 1.25),
        Command::ZoomOut => appearance.zoom_about(cursor, 0.8),
        Command::PanLeft | Command::PanRight | Command::PanUp | Command::PanDown if appearance.is_whole() => {
            return Some("the whole image is shown; zoom in first".into());
        }
        Command::PanLeft => appearance.pan(-step, 0.0),
        Command::PanRight => appearance.pan(step, 0.0),
        Command::PanUp => appearance.pan(0.0, -step),
        Command::PanDown => appearance.pan(0.0, step),
        Command::Fit => appearance.fit(),
        Command::OneToOne => appearance.one_to_one(cursor),
        Command::ToggleSampling => {
            appearance.sampling = match appearance.sampling {
                Sampling::Smooth => Sampling::Nearest,
                Sampling::Nearest => Sampling::Smooth,
            };
            let words = match appearance.sampling {
                Sampling::Smooth => "smooth between voxels",
                Sampling::Nearest => "voxels as they are",
            };
            return Some(words.into());
        }
        Command::SlabThicker | Command::SlabThinner | Command::SlabKind if !metric => {
            return Some("no slab: the files give no positions or no pixel spacing".into());
        }
        Command::SlabThicker => appearance.change_thickness(true),
        Command::SlabThinner => appearance.change_thickness(false),
        Command::SlabKind => appearance.next_slab_kind(),
        _ => return Some(format!("{} works in the list", command.name())),
    }
    None
}

/// Puts the cursor on the hot spot of the level that is most likely broken.
fn go_to_hot_spot(reading: &mut Reading, report: Option<&FractureReport>) -> Result<(), String> {
    if reading.volume().is_none() {
        return Err(NOT_READ.into());
    }
    let report = report.ok_or("no result yet")?;
    let worst = report.worst_level().ok_or("no level was seen")?;
    let spot = worst.hot_spot().ok_or("this model does not locate fractures")?;
    if !reading.shares_frame_with(report, worst.level) || !reading.go_to_point(spot.point) {
        return Err(format!("{}'s activation peak is outside this series", worst.level));
    }
    reading.moved = true;
    Ok(())
}

fn next_suspicion(reading: &mut Reading, report: Option<&FractureReport>, forward: bool) -> Result<(), String> {
    let report = report.ok_or("no result yet")?;
    let volume = reading.volume().map(Arc::clone).ok_or(NOT_READ)?;
    let own = reading.own_report(Some(report)).ok_or("another series was analyzed; A analyzes it")?;
    let peaks = peaks(own);
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
            let finding = &own.levels[level];
            finding.key_slice().filter(|key| key.index == index).and(finding.hot_spot())
        });
        reading.go_to_volume_slice(index, spot.map(|spot| spot.point));
        reading.moved = true;
    }
    Ok(())
}

fn previous_study(model: &mut Model) -> Vec<Effect> {
    let Some(row) = model.reading.as_ref().and_then(|reading| model.worklist.row_of(&reading.study.uid)) else {
        model.tell("the filter hides this study: Esc goes to the list");
        return Vec::new();
    };
    let above = row.checked_sub(1).and_then(|row| model.worklist.at(row)).map(|entry| entry.study.uid.clone());
    match above {
        Some(uid) => open(model, &uid),
        None => {
            model.tell("this is the first study of the list");
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
        model.tell("the study has no other series with images");
        return Vec::new();
    }
    let series = with_pictures[(here + len).saturating_add_signed(step) % len];
    model.reading = Some(reading.with_series(series));
    model.measured = None;
    super::load(model).into_iter().collect()
}

fn analyse_series(model: &mut Model) -> Vec<Effect> {
    let Some((uid, series)) = model.reading.as_ref().map(|reading| (reading.study.uid.clone(), reading.series)) else {
        return Vec::new();
    };
    let current = model.worklist.entry(&uid).and_then(|entry| entry.choice.as_ref().ok()).map(|choice| choice.series);
    if current == Some(series) {
        model.tell("this series is analyzed first already");
        return Vec::new();
    }
    match model.worklist.choose(&uid, series) {
        Ok(()) => {
            model.tell("this series is analyzed first now");
            queue(model)
        }
        Err(reason) => {
            model.complain(format!("this series cannot be analyzed: {reason}"));
            Vec::new()
        }
    }
}
