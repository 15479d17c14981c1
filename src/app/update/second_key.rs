//! Decisions that ask for their key once more.
//!
//! A terminal without the keyboard protocol sends a held key as if it were pressed again and again: first after a quarter to a whole
//! second, then at least ten times a second. So the second press counts only if the key was quiet before it for [`RELEASED`], and stays
//! quiet after it for [`QUIET`]. With the protocol, repeats arrive as [`super::super::Message::Held`] and never count.

use super::super::second_key::SecondKey;
use super::super::{Command, Effect, Model, VolumeState};
use super::decide;
use crate::domain::{Act, Alert, Assessment, CervicalLevel, CleanText, LevelVerdict, StudyVerdict, Uid};
use std::time::Duration;

/// After a study opens, a final assessment asks for its key again for so long.
pub(super) const DWELL: Duration = Duration::from_secs(2);
/// The least time between two presses of a key that is let go between them.
const RELEASED: Duration = Duration::from_millis(300);
/// How long a key must stay quiet after the second press.
const QUIET: Duration = Duration::from_millis(200);

/// A decision: recorded at once without a reason to ask again, else with the second key.
pub(super) fn record(model: &mut Model, command: Command, study: Uid, act: Act, why: &[String]) -> Vec<Effect> {
    if why.is_empty() {
        return decide::keep(model, study, act);
    }
    let what = what(&act);
    let (why, last, announced) = (why.join("; "), model.elapsed, model.announced.clone());
    model.second_key = Some(SecondKey { command, why, what, is_held: false, study, act, last, announced, timer: None });
    Vec::new()
}

fn what(act: &Act) -> String {
    match act {
        Act::Study(verdict) => format!("read as {}", verdict.name()),
        Act::ResolveStudy { verdict } => format!("resolve as {}", verdict.name()),
        Act::Level { level, verdict, .. } => format!("mark {level} {}", verdict.name()),
        Act::ResolveLevel { level, verdict, .. } => format!("resolve {level} as {}", verdict.name()),
        other => other.to_string(),
    }
}

/// The same key again; `None` if none is waited for.
pub(super) fn pressed(model: &mut Model, command: Command) -> Option<Vec<Effect>> {
    let now = model.elapsed;
    let announced = model.announced.clone();
    let open = model.reading.as_ref().map(|reading| reading.study.uid.clone());
    let waiting =
        model.second_key.as_mut().filter(|key| key.command == command && Some(&key.study) == open.as_ref())?;
    let gap = now.saturating_sub(waiting.last);
    waiting.last = now;
    if waiting.timer.take().is_some() || gap < RELEASED {
        waiting.is_held = true;
        return Some(Vec::new());
    }
    (waiting.is_held, waiting.announced) = (false, announced);
    model.serial += 1;
    waiting.timer = Some(model.serial);
    Some(vec![Effect::Wake(model.serial, QUIET)])
}

/// A repeat of a key that is held down.
pub(super) fn held(model: &mut Model, command: Command) {
    if let Some(waiting) = model.second_key.as_mut().filter(|key| key.command == command) {
        (waiting.last, waiting.timer, waiting.is_held) = (model.elapsed, None, true);
    }
}

/// The key stayed quiet: the decision is recorded.
pub(super) fn woken(model: &mut Model, serial: u64) -> Vec<Effect> {
    match model.second_key.take_if(|key| key.timer == Some(serial)) {
        Some(key) => confirmed(model, key),
        None => Vec::new(),
    }
}

fn confirmed(model: &mut Model, key: SecondKey) -> Vec<Effect> {
    // What the screen announced when the key was pressed, not what it announces by now.
    model.announced = key.announced.or_else(|| model.announced.take());
    decide::keep(model, key.study, key.act)
}

/// Another key: a decision whose second press is in is recorded, for the key is not held; one that still waits for it is cancelled.
pub(super) fn other(model: &mut Model, is_cancel: bool) -> Vec<Effect> {
    match model.second_key.take() {
        Some(key) if key.timer.is_some() && !is_cancel => confirmed(model, key),
        Some(key) => {
            model.tell(format!("not recorded: {}", key.act.summary()));
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// Why a final assessment of the open study asks for its key again.
pub(super) fn reasons(model: &Model, verdict: &StudyVerdict) -> Vec<String> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let uid = &reading.study.uid;
    let mut reasons = Vec::new();
    let decision = model.decisions.of(uid);
    if let Some(words) = decision.and_then(|decision| decision.conflict_words()) {
        reasons.push(words);
    } else if let Some(other) = decision.and_then(|decision| decision.study.as_ref())
        && other.who != model.reader
        && other.what.is_final()
        && other.what != *verdict
    {
        reasons.push(format!("{} read it as {}", other.who, other.what.name()));
    }
    let report = model.worklist.entry(uid).and_then(|entry| entry.report());
    if let Some(report) = report.filter(|_| *verdict == StudyVerdict::Negative) {
        let flagged = report.alert_levels();
        match report.alert() {
            Alert::Raised => reasons.push(format!("alert at {}", report.overall)),
            Alert::Withheld => reasons.push(format!("alert withheld at {}", report.overall)),
            Alert::BelowThreshold if !flagged.is_empty() => {
                let names: Vec<&str> = flagged.into_iter().map(CervicalLevel::name).collect();
                reasons.push(format!("{} flagged", names.join(" ")));
            }
            Alert::BelowThreshold => {}
        }
    }
    match (&reading.volume, reading.shown_since) {
        (VolumeState::Failed(_), _) => reasons.push("its images could not be loaded".to_owned()),
        (VolumeState::Loading(..), _) | (_, None) => reasons.push("its images are not shown yet".to_owned()),
        (VolumeState::Ready(_), Some(since)) if model.elapsed.saturating_sub(since) < DWELL => {
            reasons.push("opened less than two seconds ago".to_owned());
        }
        (VolumeState::Ready(_), Some(_)) => {}
    }
    reasons
}

/// Why an assessment of a level asks for its key again: another reader's that it contradicts.
pub(super) fn level_reasons(model: &Model, study: &Uid, level: CervicalLevel, verdict: LevelVerdict) -> Vec<String> {
    let Some(decision) = model.decisions.of(study) else { return Vec::new() };
    let differs = |who: &CleanText, what: LevelVerdict| *who != model.reader && what.is_final() && what != verdict;
    let disputed = decision.conflicts.iter().find(|conflict| {
        conflict.opinions.iter().any(|opinion| matches!(opinion.what, Assessment::Level(of, _) if of == level))
    });
    match (disputed, &decision.levels[level]) {
        (Some(conflict), _) => vec![format!("conflict: {conflict}")],
        (None, Some(decided)) if differs(&decided.who, decided.what.0) => {
            vec![format!("{} assessed {level} as {}", decided.who, decided.what.0.name())]
        }
        (None, _) => Vec::new(),
    }
}
