//! Key images: marking, a remark, the list, and export.

use super::super::key_images::{place, shown};
use super::super::prompt::{Prompt, PromptKind};
use super::super::{Command, Effect, Exported, Model, Reading};
use super::reading::NOT_READ;
use super::{jumps, measure};
use crate::domain::pseudonym::LEFT_OUT;
use crate::domain::{Annotation, AnnotationChange, FractureReport, KeyImage, NoteText};
use crate::raster::Mark;

/// The key image that the slice shown is.
fn here(model: &Model) -> Option<&KeyImage> {
    let reading = model.reading.as_ref()?;
    model.annotations.of(&reading.study.uid).key_image_at(reading, reading.plane, reading.slice())
}

/// Marks the slice shown, or takes the mark away.
pub(super) fn toggle(model: &mut Model) -> Vec<Effect> {
    if let Some(id) = here(model).map(|image| image.id) {
        let Some(study) = model.reading.as_ref().map(|reading| reading.study.uid.clone()) else { return Vec::new() };
        model.tell(format!("key image {id} is none any more"));
        return measure::change(model, &study, AnnotationChange::Removed { id });
    }
    mark(model, String::new())
}

fn mark(model: &mut Model, comment: String) -> Vec<Effect> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let study = reading.study.uid.clone();
    let id = model.annotations.of(&study).next_id();
    let Some(image) = shown(reading, id) else {
        model.tell(NOT_READ);
        return Vec::new();
    };
    let (plane, slice) = (reading.plane.name(), image.slice + 1);
    model.tell(format!("key image {id}: {plane} {slice}"));
    let image = KeyImage { comment, ..image };
    measure::change(model, &study, AnnotationChange::Put(Annotation::KeyImage(image)))
}

/// Sets the remark on the slice shown, which becomes a key image if it is none.
pub(super) fn comment(model: &mut Model, text: &str) -> Vec<Effect> {
    let comment = NoteText::new(text).to_string();
    let Some(mut image) = here(model).cloned() else { return mark(model, comment) };
    if image.comment == LEFT_OUT && (comment.is_empty() || comment == LEFT_OUT) {
        // Nobody deletes a remark that this screen does not show.
        model.tell(format!("key image {}: the remark is kept; it is hidden on an anonymous screen", image.id));
        return Vec::new();
    }
    let Some(study) = model.reading.as_ref().map(|reading| reading.study.uid.clone()) else { return Vec::new() };
    model.tell(format!("key image {}: {}", image.id, if comment.is_empty() { "no remark" } else { comment.as_str() }));
    image.comment = comment;
    measure::change(model, &study, AnnotationChange::Put(Annotation::KeyImage(image)))
}

/// Asks for the remark.
pub(super) fn ask_comment(model: &mut Model) -> Vec<Effect> {
    let text = here(model).map(|image| image.comment.clone()).filter(|text| text != LEFT_OUT).unwrap_or_default();
    model.prompt = Some(Prompt::with_text(PromptKind::Comment, &text));
    Vec::new()
}

/// Shows a key image in the window that it was marked in; `false` where the open series has it not.
fn show(reading: &mut Reading, image: &KeyImage) -> bool {
    let Some((plane, slice)) = place(reading, image) else { return false };
    reading.plane = plane;
    reading.move_to(plane, slice);
    let appearance = reading.appearance_mut(plane);
    appearance.set_window(image.window(), String::new());
    appearance.inverted = image.inverted;
    true
}

/// Goes to a key image, in the window that it was marked in.
pub(super) fn go_to(model: &mut Model, id: u64) -> Vec<Effect> {
    jumps::with_trail(model, |model| {
        let Some(reading) = &mut model.reading else { return Vec::new() };
        let images = &model.annotations.of(&reading.study.uid).key_images;
        let Some(image) = images.iter().find(|image| image.id == id).cloned() else { return Vec::new() };
        if show(reading, &image) {
            let remark = if image.comment.is_empty() { String::new() } else { format!(": {}", image.comment) };
            model.tell(format!("key image {id}{remark}"));
        } else {
            model.tell(format!("key image {id} is in another series"));
        }
        Vec::new()
    })
}

/// The next key image in the order in which they were marked, from the one shown.
pub(super) fn next(model: &mut Model) -> Vec<Effect> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let images = &model.annotations.of(&reading.study.uid).key_images;
    let now = here(model).and_then(|image| images.iter().position(|one| one.id == image.id));
    let next = now.map_or(0, |at| at + 1) % images.len().max(1);
    match images.get(next).map(|image| image.id) {
        Some(id) => go_to(model, id),
        None => {
            model.tell("this study has no key images");
            Vec::new()
        }
    }
}

/// The list: number, and what it shows.
pub(in crate::app) fn list(model: &Model) -> Vec<(u64, String)> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let images = &model.annotations.of(&reading.study.uid).key_images;
    let words = |image: &KeyImage| {
        let shown = match place(reading, image) {
            Some((plane, slice)) => format!("{} {}", plane.name(), slice + 1),
            None => "in another series".to_owned(),
        };
        if image.comment.is_empty() { shown } else { format!("{shown} · {}", image.comment) }
    };
    images.iter().map(|image| (image.id, words(image))).collect()
}

/// The active plane of a reading as a picture for a file, with or without what is drawn and written over it.
fn picture(reading: &Reading, report: Option<&FractureReport>, figures: &[Mark], remark: &str) -> Option<Exported> {
    let mut view = reading.view(reading.plane, report, false)?;
    view.marks.extend(figures.iter().cloned());
    Some(Exported { path: String::new(), view, captions: Some(reading.captions(report, remark)) })
}

/// Writes the picture shown into a file, with or without what is drawn over it.
pub(super) fn export(model: &mut Model, path: &str, plain: bool) -> Vec<Effect> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let report = model.worklist.entry(&reading.study.uid).and_then(|entry| entry.report().cloned());
    let remark = here(model).map(|image| image.comment.clone()).unwrap_or_default();
    let drawn = picture(reading, report.as_deref(), &model.figures(), &remark);
    let (Some(volume), Some(mut picture)) = (reading.volume().cloned(), drawn) else {
        model.tell(NOT_READ);
        return Vec::new();
    };
    path.clone_into(&mut picture.path);
    if plain {
        picture.view.marks.clear();
        picture.captions = None;
    } else if !reading.texts {
        picture.captions = None;
    }
    vec![Effect::Export { folder: None, volume, pictures: vec![picture], elsewhere: 0 }]
}

/// Writes all key images of the open series into a folder, each in its own window, with all that is drawn over it.
pub(super) fn export_all(model: &mut Model, folder: String) -> Vec<Effect> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let Some(volume) = reading.volume().cloned() else {
        model.tell(NOT_READ);
        return Vec::new();
    };
    let report = model.worklist.entry(&reading.study.uid).and_then(|entry| entry.report().cloned());
    let (images, figures) = (&model.annotations.of(&reading.study.uid).key_images, model.figures());
    let pictures: Vec<Exported> = images
        .iter()
        .filter_map(|image| {
            let mut shown = reading.clone();
            if !show(&mut shown, image) {
                return None;
            }
            let name = format!("key-image-{}-{}-{}.png", image.id, shown.plane.name(), shown.slice() + 1);
            picture(&shown, report.as_deref(), &figures, &image.comment).map(|drawn| Exported { path: name, ..drawn })
        })
        .collect();
    let elsewhere = images.len() - pictures.len();
    if pictures.is_empty() {
        model.tell(match elsewhere {
            0 => "this study has no key images".to_owned(),
            _ => format!("all {elsewhere} key images are in other series: open these first"),
        });
        return Vec::new();
    }
    vec![Effect::Export { folder: Some(folder), volume, pictures, elsewhere }]
}

/// What the palette offers for a command that needs a path: a name that tells no patient.
pub(super) fn ask_path(model: &mut Model, command: Command) -> Vec<Effect> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let text = match command {
        Command::ExportKeyImages => format!("{} key-images", command.name()),
        _ => format!("{} {}-{}.png", command.name(), reading.plane.name(), reading.slice() + 1),
    };
    model.prompt = Some(Prompt::with_text(PromptKind::Palette, &text));
    Vec::new()
}
