//! Esc: one step back. What it ends, first things first: a prompt (see `prompt`), help, a decision that waits for its second key and a
//! number being typed (see `keys`), the cine loop, a measuring tool, the measurement made last, the comparison, the study; in the list,
//! the filter. It never ends two of them.

use super::super::{Command, Effect, Model};
use super::{keys, reading};

pub(super) fn run(model: &mut Model) -> Vec<Effect> {
    if let Some(stopped) = keys::stop_cine(model) {
        model.tell("cine stopped");
        return vec![stopped];
    }
    if model.reading.is_none() {
        if model.worklist.filter().is_empty() {
            model.tell("nothing to cancel");
        } else {
            model.worklist.set_filter("");
            model.tell("the filter is off: all studies are shown");
        }
        return Vec::new();
    }
    if let Some(tool) = model.tool().map(|tool| tool.kind) {
        model.tool = None;
        model.tell(format!("{} left", tool.name()));
        return Vec::new();
    }
    if let Some(id) = model.measured.take() {
        model.tell(format!("measurement {id} is kept"));
        return Vec::new();
    }
    if let Some(reading) = model.reading.as_mut().filter(|reading| reading.beside.is_some()) {
        reading.beside = None;
        model.tell("comparison closed");
        return Vec::new();
    }
    reading::run(model, Command::Close)
}
