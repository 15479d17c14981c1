//! What the worker tells.

use super::super::worklist::{Progress, Sight};
use super::super::{Effect, Model, ModelState};
use super::reading::go_to_first_place;
use super::{list, load, queue};
use crate::domain::{Analysis, StudyState, Uid};
use crate::inference::WorkerEvent;

pub(super) fn told(model: &mut Model, event: WorkerEvent) -> Vec<Effect> {
    // What speaks of a series that is no longer the chosen one is out of date.
    let current = |model: &Model, study: &Uid, series: usize| {
        let entry = model.worklist.entry(study);
        entry.is_some_and(|entry| entry.choice.as_ref().is_ok_and(|choice| choice.series == series))
    };
    match event {
        WorkerEvent::ModelReady(identity) => {
            model.worklist.only_of(&identity);
            model.network = ModelState::Ready(identity);
            return queue(model);
        }
        WorkerEvent::EngineNotice(notice) => model.complain(notice),
        WorkerEvent::ModelUnavailable(problem) => model.network = ModelState::Unavailable(problem),
        WorkerEvent::Started { study, series } if current(model, &study, series) => {
            let partial = model.worklist.entry(&study).and_then(|entry| entry.hidden_report().cloned());
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
            // The worker may have made a thumbnail.
            model.without_thumbnail.clear();
            let mut elsewhere = None;
            let hidden = model.worklist.entry(&study).is_some_and(|entry| entry.sight == Sight::Blinded);
            if let (Analysis::Analysed(report), Some(reading), false) = (&analysis, &mut model.reading, hidden) {
                // The picture stays where the reader has taken it.
                if reading.study.uid == study && !reading.moved && reading.volume().is_some() {
                    let worst = report.worst_index(&reading.study).filter(|index| *index != reading.series);
                    match worst.filter(|_| report.is_merged() && reading.own_report(Some(report)).is_some()) {
                        Some(series) => elsewhere = Some(reading.with_series(series)),
                        None => {
                            go_to_first_place(reading, report);
                            reading.frame(Some(report));
                        }
                    }
                }
            }
            model.worklist.set_progress(&study, Progress::Done(analysis));
            let mut effects = queue(model);
            if let Some(reading) = elsewhere {
                model.reading = Some(reading.without_goal());
                effects.extend(load(model));
            }
            effects.extend(list(model, &study));
            effects.extend(alert(model, &study));
            return effects;
        }
        _ => {}
    }
    Vec::new()
}

/// Something urgent arrived while the program was running: not what was there when it started.
fn alert(model: &Model, study: &Uid) -> Option<Effect> {
    let entry = model.worklist.entry(study).filter(|entry| entry.arrived_later && entry.is_alert())?;
    let unread = matches!(entry.state, StudyState::Unread | StudyState::Begun);
    let urgent = model.worklist.counts().urgent;
    // No name: others may see the desktop.
    unread.then(|| Effect::Alert(format!("cspine: a new urgent study, {urgent} to read")))
}
