//! Measuring: taking up a tool, setting places, the list, and deleting.

use super::super::prompt::{Prompt, PromptKind};
use super::super::tool::{Tool, ToolKind, figure, result_words};
use super::super::{Command, Drag, Effect, Gesture, Model, Pointer, Record};
use super::reading::NOT_READ;
use super::{jumps, key_image, keys};
use crate::domain::{Annotation, AnnotationChange, Measurement, Refusal, VoxelPoint};
use crate::raster;

/// Takes up a tool, or says why it cannot measure here.
pub(super) fn take_up(model: &mut Model, kind: ToolKind) -> Vec<Effect> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let Some(volume) = reading.volume() else {
        model.tell(NOT_READ);
        return Vec::new();
    };
    if kind.is_metric() && volume.spacing.is_none() {
        model.complain(Refusal::NoSpacing.to_string());
        return Vec::new();
    }
    let bent = reading.view(reading.plane, None, false).is_some_and(|view| view.bend.is_some());
    if bent && matches!(kind, ToolKind::Rectangle | ToolKind::Ellipse) {
        model.complain("not measured: this plane follows the spine; a region needs a flat one");
        return Vec::new();
    }
    if kind == ToolKind::Probe {
        // The cursor is the place.
        model.tool = Some(Tool::new(kind, reading));
        return set_place(model);
    }
    model.tool = Some(Tool::new(kind, reading));
    keys::stop_cine(model).into_iter().collect()
}

/// Sets the cursor's place, and measures once it is the last.
pub(super) fn set_place(model: &mut Model) -> Vec<Effect> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let (cursor, plane) = (reading.cursor(), reading.plane);
    let Some(tool) = model.tool.as_mut().filter(|tool| tool.belongs_to(reading)) else {
        model.tell("nothing is being measured: take a tool first");
        return Vec::new();
    };
    if !tool.set(cursor, plane) {
        return Vec::new();
    }
    let Some(tool) = model.tool.take() else { return Vec::new() };
    let Some(volume) = reading.volume() else { return Vec::new() };
    let Some(geometry) = tool.geometry(volume, None) else {
        model.complain(Refusal::Outside.to_string());
        return Vec::new();
    };
    let study = reading.study.uid.clone();
    let id = model.annotations.of(&study).next_id();
    let measurement = Measurement { id, series: volume.series_uid.clone(), geometry };
    match measurement.measure(volume) {
        Ok(measured) => {
            let name = tool.kind.name();
            model.tell(format!("{id} {name}: {measured}"));
            model.measured = Some(id);
            change(model, &study, AnnotationChange::Put(Annotation::Measurement(measurement)))
        }
        Err(refusal) => {
            model.complain(refusal.to_string());
            Vec::new()
        }
    }
}

/// A click on a picture, after which the cursor is there.
pub(super) fn clicked(model: &mut Model, pointer: &Pointer) -> Vec<Effect> {
    if model.tool().is_none() || pointer.voxel.is_none() || pointer.gesture != Gesture::Press(Drag::Cursor) {
        return Vec::new();
    }
    if let Some(reading) = &mut model.reading {
        // A place is set on the plane that was clicked.
        reading.plane = pointer.plane;
    }
    set_place(model)
}

/// Moves the cursor by one voxel of the plane, as fine as a place can be set.
pub(super) fn nudge(model: &mut Model, right: f64, down: f64) {
    let Some(reading) = &mut model.reading else { return };
    let Some(volume) = reading.volume() else { return };
    let step = raster::plane_steps(volume, reading.plane);
    reading.move_cursor(right * step.0, down * step.1);
}

/// Keeps a change in the model and has it written down.
pub(super) fn change(model: &mut Model, study: &crate::domain::Uid, change: AnnotationChange) -> Vec<Effect> {
    model.annotations.apply(study, change.clone());
    vec![Effect::Record(Record::Annotation { study: study.clone(), change })]
}

/// The measurement to delete where no number is given: on the slices shown the one nearest to the cursor; the last made otherwise.
fn nearest(model: &Model) -> Option<u64> {
    let reading = model.reading.as_ref()?;
    let volume = reading.volume()?;
    let cursor = reading.cursor();
    let all = &model.annotations.of(&reading.study.uid).measurements;
    let here = all.iter().filter(|measurement| measurement.series == volume.series_uid).filter_map(|measurement| {
        let figure = figure(volume, measurement.id, &measurement.geometry)?;
        let on_slice = raster::slice_of_voxel(volume, reading.plane, figure.places[0]) == Some(reading.slice());
        let away = figure.places.iter().map(|place| distance(*place, cursor)).fold(f64::INFINITY, f64::min);
        on_slice.then_some((away, measurement.id))
    });
    let nearest = here.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, id)| id);
    nearest.or_else(|| all.last().map(|measurement| measurement.id))
}

fn distance(a: VoxelPoint, b: VoxelPoint) -> f64 {
    ((a.slice - b.slice).powi(2) + (a.row - b.row).powi(2) + (a.column - b.column).powi(2)).sqrt()
}

/// Deletes a measurement: that of a number, or the one that is nearest.
pub(super) fn delete(model: &mut Model, number: Option<u64>) -> Vec<Effect> {
    let Some(study) = model.reading.as_ref().map(|reading| reading.study.uid.clone()) else { return Vec::new() };
    let Some(id) = number.or_else(|| nearest(model)) else {
        model.tell("this study has no measurements");
        return Vec::new();
    };
    if !model.annotations.of(&study).measurements.iter().any(|measurement| measurement.id == id) {
        model.tell(format!("this study has no measurement {id}"));
        return Vec::new();
    }
    model.tell(format!("measurement {id} deleted"));
    model.measured = model.measured.filter(|measured| *measured != id);
    change(model, &study, AnnotationChange::Removed { id })
}

/// Goes to a measurement's first place.
pub(super) fn go_to(model: &mut Model, id: u64) -> Vec<Effect> {
    jumps::with_trail(model, |model| {
        let Some(reading) = &mut model.reading else { return Vec::new() };
        let annotations = model.annotations.of(&reading.study.uid);
        let Some(measurement) = annotations.measurements.iter().find(|one| one.id == id).cloned() else {
            return Vec::new();
        };
        let Some(volume) = reading.volume() else {
            model.tell(NOT_READ);
            return Vec::new();
        };
        let found = figure(volume, id, &measurement.geometry).filter(|_| volume.series_uid == measurement.series);
        let told = found.map(|figure| (figure.places[0], result_words(&measurement.measure(volume))));
        match told {
            Some((place, words)) => {
                reading.go_to_voxel(place);
                model.tell(format!("{id} {}: {words}", measurement.geometry.name()));
            }
            None => model.tell(format!("measurement {id} is in another series")),
        }
        Vec::new()
    })
}

/// The list: number, and what it comes to.
pub(in crate::app) fn list(model: &Model) -> Vec<(u64, String)> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let all = &model.annotations.of(&reading.study.uid).measurements;
    let words = |measurement: &Measurement| {
        let name = measurement.geometry.name();
        match reading.volume().filter(|volume| volume.series_uid == measurement.series) {
            Some(volume) => format!("{name} {}", result_words(&measurement.measure(volume))),
            None => format!("{name}, in another series"),
        }
    };
    all.iter().map(|measurement| (measurement.id, words(measurement))).collect()
}

/// What the hands do: commands of measuring and of key images, and those that mean something else while a tool is taken up. `None` for
/// all others.
pub(super) fn run(model: &mut Model, command: Command) -> Option<Vec<Effect>> {
    if model.tool().is_some()
        && let Some(effects) = with_tool(model, command)
    {
        return Some(effects);
    }
    if let Some(kind) = ToolKind::of(command) {
        return Some(take_up(model, kind));
    }
    Some(match command {
        Command::PlacePoint => set_place(model),
        Command::Measurements => ask(model, PromptKind::Measurements, "this study has no measurements"),
        Command::DeleteMeasurement => delete(model, None),
        Command::KeyImage => key_image::toggle(model),
        Command::Comment => key_image::ask_comment(model),
        Command::KeyImages => ask(model, PromptKind::KeyImages, "this study has no key images"),
        Command::NextKeyImage => key_image::next(model),
        Command::Export | Command::ExportPlain | Command::ExportKeyImages => key_image::ask_path(model, command),
        _ => return None,
    })
}

/// Opens a list, or says that there is nothing in it.
fn ask(model: &mut Model, kind: PromptKind, none: &str) -> Vec<Effect> {
    model.prompt = Some(Prompt::new(kind));
    if model.offers().is_empty() {
        model.prompt = None;
        model.tell(none);
    }
    Vec::new()
}

fn with_tool(model: &mut Model, command: Command) -> Option<Vec<Effect>> {
    match command {
        Command::CursorLeft => nudge(model, -1.0, 0.0),
        Command::CursorRight => nudge(model, 1.0, 0.0),
        Command::CursorUp => nudge(model, 0.0, -1.0),
        Command::CursorDown => nudge(model, 0.0, 1.0),
        _ => return None,
    }
    Some(Vec::new())
}
