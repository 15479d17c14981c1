//! Which study is read next: announced in the header, opened by `next-study` and after a final assessment.

use super::super::{Effect, Model};
use super::{open, queue};
use crate::domain::Uid;

/// The study that is announced as the next one to read after the open one.
pub(super) fn announce(model: &Model) -> Option<Uid> {
    let reading = model.reading.as_ref()?;
    let taken = |uid: &Uid| model.elsewhere.contains_key(uid);
    model.worklist.next_to_read(&reading.study.uid, &taken).map(|entry| entry.study.uid.clone())
}

/// The reader asks for the next study.
pub(super) fn go(model: &mut Model) -> Vec<Effect> {
    match model.announced.clone() {
        // Two keys in one burst: the second would open a study that nobody has seen announced.
        None => model.tell("the next study was not announced yet: press the key again"),
        Some(None) => model.tell("no other study waits to be read"),
        Some(Some(uid)) if waits(model, &uid) => return open(model, &uid),
        Some(Some(uid)) => {
            let why = gone_words(model, &uid);
            model.tell(format!("{why}; see the header for the next study"));
        }
    }
    Vec::new()
}

/// Opens the study that was announced when the last one was decided, or the list if there is none, or if it waits no longer.
pub(super) fn after(model: &mut Model, announced: Option<Uid>) -> Vec<Effect> {
    match announced {
        Some(uid) if waits(model, &uid) => return open(model, &uid),
        Some(uid) => {
            let why = gone_words(model, &uid);
            model.tell(format!("{why}; choose the next study here"));
        }
        None => model.tell("no other study waits to be read"),
    }
    model.reading = None;
    let mut effects = queue(model);
    effects.push(Effect::Claim(None));
    effects
}

fn waits(model: &Model, uid: &Uid) -> bool {
    !model.elsewhere.contains_key(uid) && model.worklist.entry(uid).is_some_and(|entry| entry.waits())
}

fn gone_words(model: &Model, uid: &Uid) -> String {
    let Some(entry) = model.worklist.entry(uid) else { return "the announced study is gone".to_owned() };
    match model.elsewhere.get(uid) {
        Some(who) => format!("{who} has opened {}", entry.name()),
        None => format!("{} was read meanwhile", entry.name()),
    }
}
