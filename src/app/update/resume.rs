//! Going on where the reader was.

use super::super::record::Record;
use super::super::worklist::Presence;
use super::super::{Effect, Model};
use crate::domain::{ReadingPosition, StudyState, Uid};

/// Has the place in the open study kept, if the reader has been somewhere.
pub(super) fn keep(model: &Model) -> Vec<Effect> {
    let Some(reading) = model.reading.as_ref().filter(|reading| reading.moved) else { return Vec::new() };
    let Some(position) = reading.position() else { return Vec::new() };
    vec![Effect::Record(Record::Position { study: reading.study.uid.clone(), position })]
}

/// The reader was here before; who has moved meanwhile stays there.
pub(super) fn position(model: &mut Model, study: &Uid, position: ReadingPosition) {
    let Some(reading) = model.reading.as_mut().filter(|reading| reading.study.uid == *study && !reading.moved) else {
        return;
    };
    reading.resume = Some(position);
    if reading.volume().is_some() && reading.go_on() {
        reading.moved = true;
    }
}

/// Puts the selection on the study that was being read when the program ended, once it is in the list and still waits.
pub(super) fn offer(model: &mut Model) {
    let Some(uid) = model.last_read.clone() else { return };
    let Some(entry) = model.worklist.entry(&uid).filter(|entry| entry.presence != Presence::Found || !entry.opened)
    else {
        return;
    };
    let unfinished = matches!(entry.state, StudyState::Unread | StudyState::Begun);
    let name = entry.name().to_owned();
    model.last_read = None;
    if unfinished && model.reading.is_none() && model.worklist.offer(&uid) {
        model.tell(format!("you were reading {name}: open it to go on where you were"));
    }
}
