//! Jumps to a level that comes from another series than the one shown.

use super::super::suspicion::peaks;
use super::super::{Command, Effect, Model};
use crate::domain::{CervicalLevel, FractureReport};

/// The series in which a command has to be carried out, if it is not the one shown.
pub(super) fn elsewhere(model: &Model, report: Option<&FractureReport>, command: Command) -> Option<usize> {
    let reading = model.reading.as_ref()?;
    let report = report.filter(|report| report.is_merged())?;
    reading.volume()?;
    match command {
        Command::Level(level) => of_level(model, report, level),
        Command::HotSpot => of_level(model, report, report.worst_level()?.level),
        Command::NextSuspicion | Command::PreviousSuspicion => {
            let has_peaks = |part: &&FractureReport| !peaks(part).is_empty();
            let own = reading.own_report(Some(report));
            if own.as_ref().is_some_and(has_peaks) {
                return None;
            }
            let other = report.parts().find(has_peaks)?;
            reading.study.series.iter().position(|series| other.is_of(series))
        }
        _ => None,
    }
}

/// The series that a level comes from, unless it is the one shown, or the one shown was not analyzed and shows the same place.
fn of_level(model: &Model, report: &FractureReport, level: CervicalLevel) -> Option<usize> {
    let reading = model.reading.as_ref()?;
    report.levels[level].probability()?;
    let source = report.source_index(&reading.study, level).filter(|source| *source != reading.series)?;
    let compares = reading.own_report(Some(report)).is_none() && reading.key_slice(report, level).is_some();
    (!compares).then_some(source)
}

/// Shows another series, and carries a command out there once it is loaded.
pub(super) fn show(model: &mut Model, series: usize, command: Command) -> Vec<Effect> {
    let Some(reading) = &model.reading else { return Vec::new() };
    let mut other = reading.with_series(series).without_goal();
    other.waiting.push(command);
    model.reading = Some(other);
    model.tell(format!("loading series {}", series + 1));
    super::load(model).into_iter().collect()
}

/// The level after those that the shown series shows below (or above) the cursor, if another series shows one.
pub(super) fn next_level(
    model: &Model,
    report: &FractureReport,
    known: &[CervicalLevel],
    down: bool,
) -> Option<CervicalLevel> {
    let reading = model.reading.as_ref().filter(|_| report.is_merged())?;
    let is_elsewhere = |level: &CervicalLevel| {
        report.levels[*level].probability().is_some()
            && report.source_index(&reading.study, *level).is_some_and(|source| source != reading.series)
    };
    let (first, last) = (known.iter().min(), known.iter().max());
    if down {
        CervicalLevel::ALL.into_iter().filter(|level| last.is_none_or(|last| level > last)).find(is_elsewhere)
    } else {
        let above = |level: &CervicalLevel| first.is_none_or(|first| level < first);
        CervicalLevel::ALL.into_iter().rev().filter(above).find(is_elsewhere)
    }
}
