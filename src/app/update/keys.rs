//! Commands as keys give them: with a number before, once more, and the cine loop that they stop.

use super::super::counting::{self, Count, Meaning, PATIENCE, is_adjustment, repeats};
use super::super::trail::Spot;
use super::super::{Command, Effect, Model, Reading};
use super::{jumps, run, second_key};

/// A digit; `command` is what it does where it stands alone.
pub(super) fn digit(model: &mut Model, digit: u32, command: Option<Command>) -> Vec<Effect> {
    if let Some(count) = &mut model.count {
        let before = count.push(digit);
        restore(model, before);
        return Vec::new();
    }
    if digit == 0 || model.help.is_some() {
        return command.map(|command| self::command(model, command)).unwrap_or_default();
    }
    let before = command.and(model.reading.clone()).map(Box::new);
    let alone = before.is_none();
    let mut effects = command.map(|command| self::command(model, command)).unwrap_or_default();
    model.serial += 1;
    model.count = Some(Count::new(digit, before, model.serial));
    if !alone {
        effects.push(Effect::Wake(model.serial, PATIENCE));
    }
    effects
}

/// A digit has stood alone for long enough: it was a command.
pub(super) fn over(model: &mut Model, serial: u64) {
    if model.count.as_ref().is_some_and(|count| count.is(serial) && count.shown().is_none()) {
        model.count = None;
    }
}

/// Whether a command decides something: a key that is held down does it once.
pub(super) fn decides(command: Command) -> bool {
    matches!(
        command,
        Command::Fractured
            | Command::NotFractured
            | Command::Uncertain
            | Command::NotAssessable
            | Command::Agree
            | Command::Disagree
            | Command::Negative
            | Command::Positive
            | Command::StudyUnreadable
            | Command::Defer
            | Command::Undo
            | Command::Pin
            | Command::Stat
            | Command::NextStudy
            | Command::PreviousStudy
            | Command::Cancel
            | Command::Close
            | Command::Quit
    )
}

/// A command by its key: it cancels a decision that waits for another one.
pub(super) fn given(model: &mut Model, command: Command) -> Vec<Effect> {
    if model.second_key.as_ref().is_none_or(|key| key.command == command) {
        return self::command(model, command);
    }
    let is_cancel = command == Command::Cancel;
    let mut effects = second_key::other(model, is_cancel);
    if !is_cancel {
        effects.extend(self::command(model, command));
    }
    effects
}

/// A command, with the number that was typed before it.
pub(super) fn command(model: &mut Model, command: Command) -> Vec<Effect> {
    let count = model.count.take();
    if command == Command::Cancel && count.as_ref().is_some_and(|count| count.shown().is_some()) {
        return Vec::new();
    }
    if command == Command::NextStudy && model.cine.running {
        model.tell("cine paused");
        return stop_cine(model).into_iter().collect();
    }
    let meaning = counting::meaning(command);
    let Some(count) = count.filter(|_| meaning != Meaning::Nothing) else {
        return once(model, command, 1);
    };
    let (number, before) = count.take();
    restore(model, before);
    match meaning {
        Meaning::Place => jumps::with_trail(model, |model| jumps::to_number(model, number)),
        _ => once(model, command, repeats(number)),
    }
}

/// A command so many times, as one.
fn once(model: &mut Model, command: Command, times: usize) -> Vec<Effect> {
    let command = match command {
        Command::Repeat => {
            let Some((last, before)) = model.adjustment else {
                model.tell("nothing was adjusted yet");
                return Vec::new();
            };
            return again(model, last, if times > 1 { times } else { before });
        }
        other => other,
    };
    if is_adjustment(command) {
        model.adjustment = Some((command, times));
    }
    again(model, command, times)
}

fn again(model: &mut Model, command: Command, times: usize) -> Vec<Effect> {
    let here = place(model);
    let mut effects = Vec::new();
    for _ in 0..times {
        let reached = (place(model), model.cine.rate());
        effects.extend(run(model, command));
        // At an end there is no more to do.
        let stands = (place(model), model.cine.rate()) == reached;
        if counting::meaning(command) == Meaning::Times && !is_adjustment(command) && stands {
            break;
        }
    }
    if place(model) != here {
        effects.extend(stop_cine(model));
    }
    effects
}

/// What a reader who moves has changed: series, plane, slices; or the row of the list.
fn place(model: &Model) -> (Option<usize>, Option<(usize, Spot)>) {
    let spot = model.reading.as_ref().and_then(|reading| Some((reading.series, Spot::of(reading)?)));
    (model.worklist.selected_row(), spot)
}

/// Takes back what the first digit of a number did. The volume may have come meanwhile: it stays.
fn restore(model: &mut Model, before: Option<Box<Reading>>) {
    if let (Some(reading), Some(before)) = (&mut model.reading, before)
        && reading.series == before.series
        && reading.study.uid == before.study.uid
        && reading.volume().is_some() == before.volume().is_some()
    {
        *reading = *before;
        model.notice = None;
    }
}

/// Stops the cine loop, where it runs.
pub(super) fn stop_cine(model: &mut Model) -> Option<Effect> {
    std::mem::take(&mut model.cine.running).then_some(Effect::Cine(None))
}

/// Starts or stops it, or changes its rate.
pub(super) fn cine(model: &mut Model, command: Command) -> Vec<Effect> {
    match command {
        Command::CineFaster | Command::CineSlower => model.cine.change_rate(command == Command::CineFaster),
        _ => {
            let possible = model.reading.as_ref().is_some_and(|reading| reading.slices_in_plane() > 1);
            if !possible && !model.cine.running {
                model.tell("there is nothing to run through yet");
                return Vec::new();
            }
            model.cine.running = !model.cine.running;
        }
    }
    let rate = model.cine.rate();
    model.tell(if model.cine.running {
        format!("cine at {rate} slices a second; any move stops it")
    } else if command == Command::Cine {
        "cine stopped".to_owned()
    } else {
        format!("cine will run at {rate} slices a second")
    });
    vec![Effect::Cine(model.cine.period())]
}

/// The next slice of the cine loop, which begins again at its end.
pub(super) fn tick(model: &mut Model) -> Vec<Effect> {
    if !model.cine.running {
        return Vec::new();
    }
    let Some(reading) = &mut model.reading else {
        return stop_cine(model).into_iter().collect();
    };
    let slices = reading.slices_in_plane();
    if slices > 0 {
        let plane = reading.plane;
        reading.move_to(plane, (reading.slice() + 1) % slices);
    }
    Vec::new()
}
