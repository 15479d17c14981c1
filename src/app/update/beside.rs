//! Two series side by side: which one comes beside, and its arrival.

use super::super::reading::{Alignment, Beside};
use super::super::{Effect, Model, Reading, VolumeState};
use crate::domain::{SensitiveText, Study, Uid, Volume};
use std::sync::Arc;

/// Columns of the screen that two pictures need.
const COLUMNS: u16 = 100;

/// Puts the next series beside the open one: the study's others, then those of the patient's other studies, then none.
pub(super) fn next(model: &mut Model) -> Vec<Effect> {
    let Some(reading) = &model.reading else { return Vec::new() };
    if model.size.0 < COLUMNS {
        model.tell(format!("two series side by side need {COLUMNS} columns; this window has {}", model.size.0));
        return Vec::new();
    }
    if !reading.volume().is_some_and(|volume| volume.is_metric()) {
        model.tell("two series cannot be linked: the open one is still loading, or has no positions");
        return Vec::new();
    }
    let all = candidates(model, reading);
    let now = reading.beside.as_ref().map(|beside| (beside.study.uid.clone(), beside.series));
    let at = now.and_then(|now| all.iter().position(|(study, series)| (&study.uid, *series) == (&now.0, now.1)));
    let next = all.get(at.map_or(0, |at| at + 1)).cloned();
    let Some((study, series)) = next else {
        let had = model.reading.as_mut().and_then(|reading| reading.beside.take()).is_some();
        model.tell(if had { "one series" } else { "this patient has no other series to compare with" });
        return Vec::new();
    };
    if let Some(reading) = &mut model.reading {
        let mut appearance = reading.appearance().clone();
        // Another kernel of the same scan is there for what the first does not show well.
        if study.uid == reading.study.uid {
            appearance.preset_window(if appearance.window_name == "soft" { "bone" } else { "soft" });
        }
        reading.beside = Some(Beside {
            study: Arc::clone(&study),
            series,
            volume: VolumeState::Loading(0, 0),
            alignment: Alignment::Frame,
            appearance,
        });
    }
    vec![Effect::LoadBeside(study, series)]
}

/// The series that can be put beside, in order: stacks of the study, then the chosen ones of the patient's other studies.
fn candidates(model: &Model, reading: &Reading) -> Vec<(Arc<Study>, usize)> {
    let usable =
        |study: &Study, index: usize| study.series[index].stack.is_some() && !study.series[index].instances.is_empty();
    let own = (0..reading.study.series.len())
        .filter(|index| *index != reading.series && usable(&reading.study, *index))
        .map(|index| (Arc::clone(&reading.study), index));
    let patient = &reading.study.patient.id;
    let others = model.worklist.entries().iter().filter(|entry| {
        !patient.is_empty() && entry.study.patient.id == *patient && entry.study.uid != reading.study.uid
    });
    let others = others.filter_map(|entry| {
        let series = entry.choice.as_ref().ok().and(entry.opening_series())?;
        usable(&entry.study, series).then(|| (Arc::clone(&entry.study), series))
    });
    own.chain(others).collect()
}

/// The series beside is here, or cannot be read.
pub(super) fn loaded(model: &mut Model, study: &Uid, series: usize, result: Result<Arc<Volume>, SensitiveText>) {
    let report = |uid: &Uid| model.worklist.entry(uid).and_then(|entry| entry.report().cloned());
    let own = model.reading.as_ref().and_then(|reading| report(&reading.study.uid));
    let other = report(study);
    let Some(reading) = &mut model.reading else { return };
    if !reading.beside.as_ref().is_some_and(|beside| beside.study.uid == *study && beside.series == series) {
        return;
    }
    match result {
        Ok(volume) if volume.is_metric() => reading.beside_loaded(volume, [own.as_deref(), other.as_deref()]),
        Ok(_) => {
            reading.beside = None;
            model.tell("the other series has no positions: it cannot be linked");
        }
        Err(problem) => {
            if let Some(beside) = &mut reading.beside {
                beside.volume = VolumeState::Failed(problem.to_string());
            }
        }
    }
}
