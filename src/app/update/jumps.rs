//! Jumps: to a slice by number or position, to the next level, and back.

use super::super::trail::Spot;
use super::super::{Command, Effect, Model, Reading};
use super::reading::NOT_READ;
use crate::domain::CervicalLevel;
use crate::raster::{self, Plane};

/// Where `:goto` can lead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    /// A slice of the active plane, or a row of the list, from 1.
    Number(usize),
    /// A position along the active plane's axis, LPS mm.
    Position(f64),
}

impl Goal {
    /// `153`, `-128mm`, `z -128.4 mm`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace('−', "-").to_lowercase();
        let bare = text.trim_start_matches(['x', 'y', 'z']).trim_start_matches('=').trim();
        let metric = bare.strip_suffix("mm").map(str::trim_end);
        if let (None, true, Ok(number)) = (metric, bare == text, bare.parse::<usize>()) {
            return (number > 0).then_some(Self::Number(number));
        }
        let position: f64 = metric.unwrap_or(bare).parse().ok()?;
        (position.is_finite() && (metric.is_some() || bare != text || position < 0.0))
            .then_some(Self::Position(position))
    }
}

/// Goes to a goal and says where the reader is then, or why it cannot be.
pub(super) fn to(model: &mut Model, goal: Goal) -> Vec<Effect> {
    match goal {
        Goal::Number(number) => to_number(model, number),
        Goal::Position(position) => {
            let Some(reading) = &mut model.reading else {
                model.tell("a position is one of an open study");
                return Vec::new();
            };
            match nearest(reading, position) {
                Ok((slice, away)) => {
                    let plane = reading.plane;
                    reading.move_to(plane, slice);
                    let slice = slice + 1;
                    model.tell(match away {
                        away if away < 0.05 => format!("slice {slice}"),
                        away => format!("slice {slice}, {} mm from {}", mm(away), mm(position)),
                    });
                }
                Err(why) => model.tell(why),
            }
            Vec::new()
        }
    }
}

/// The slice of the active plane nearest to a position, and how far that is from it, mm.
fn nearest(reading: &Reading, position: f64) -> Result<(usize, f64), String> {
    let volume = reading.volume().ok_or(NOT_READ)?;
    let plane = reading.plane;
    let coordinate = |slice: usize| {
        raster::plane_point(volume, plane, slice).map(|point| match plane {
            Plane::Axial => point.z,
            Plane::Sagittal => point.x,
            Plane::Coronal => point.y,
        })
    };
    let slices = raster::plane_len(volume, plane);
    let found = (0..slices)
        .filter_map(|slice| Some((slice, (coordinate(slice)? - position).abs())))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .ok_or_else(|| "the files give no positions; goto takes a slice's number here".to_owned())?;
    if let (Some(first), Some(last)) = (coordinate(0), coordinate(slices.saturating_sub(1))) {
        let spacing = (first - last).abs() / slices.saturating_sub(1).max(1) as f64;
        if position < first.min(last) - spacing || position > first.max(last) + spacing {
            let plane = plane.name();
            return Err(format!(
                "no {} mm: the {plane} plane goes from {} to {} mm",
                mm(position),
                mm(first),
                mm(last)
            ));
        }
    }
    Ok(found)
}

/// Millimetres as they are read: one decimal, a minus sign that is one.
fn mm(value: f64) -> String {
    format!("{value:.1}").replace('-', "−")
}

/// Goes to the slice (or row) of a number, from 1.
pub(super) fn to_number(model: &mut Model, number: usize) -> Vec<Effect> {
    let index = number.saturating_sub(1);
    let Some(reading) = &mut model.reading else {
        let rows = model.worklist.rows().len();
        if index < rows {
            model.worklist.select_row(index);
        } else {
            model.complain(format!("no row {number}: the list has rows 1 to {rows}"));
        }
        return Vec::new();
    };
    let slices = reading.slices_in_plane();
    if slices == 0 {
        model.tell(NOT_READ);
        return Vec::new();
    }
    if index < slices {
        reading.move_to(reading.plane, index);
    } else {
        let plane = reading.plane.name();
        model.complain(format!("no slice {number}: the {plane} plane has slices 1 to {slices}"));
    }
    Vec::new()
}

/// Remembers where the reader was, if it is another place now.
pub(super) fn left(model: &mut Model, spot: Option<Spot>) {
    if let (Some(reading), Some(spot)) = (&model.reading, spot)
        && Spot::of(reading).is_some_and(|here| here != spot)
    {
        model.trail.leave(reading, spot);
    }
}

/// Does something, and remembers where the reader was before it.
pub(super) fn with_trail(model: &mut Model, act: impl FnOnce(&mut Model) -> Vec<Effect>) -> Vec<Effect> {
    let spot = model.reading.as_ref().and_then(Spot::of);
    let mut effects = act(model);
    left(model, spot);
    if model.reading.as_ref().and_then(Spot::of) != spot {
        effects.extend(super::keys::stop_cine(model));
    }
    effects
}

/// Whether a command is a jump, after which [`Command::Back`] leads to where the reader was.
pub(super) fn is_jump(command: Command) -> bool {
    matches!(
        command,
        Command::Level(_)
            | Command::NextLevel
            | Command::PreviousLevel
            | Command::NextSuspicion
            | Command::PreviousSuspicion
            | Command::FirstSlice
            | Command::LastSlice
    )
}

/// Back to where the reader was, or forward again.
pub(super) fn back(model: &mut Model, command: Command) -> Vec<Effect> {
    let backward = command == Command::Back;
    let Some(reading) = &mut model.reading else { return Vec::new() };
    if reading.volume().is_none() {
        model.tell(NOT_READ);
    } else if !model.trail.go(reading, backward) {
        model.tell(if backward { "there is nowhere to go back to" } else { "there is nowhere to go forward to" });
    }
    Vec::new()
}

/// The key slice of the next level, footward or headward.
pub(super) fn next_level(model: &mut Model, command: Command) -> Vec<Effect> {
    let down = command == Command::NextLevel;
    let Some(reading) = &model.reading else { return Vec::new() };
    let report = model.worklist.entry(&reading.study.uid).and_then(|entry| entry.report().cloned());
    let (Some(volume), Some(report)) = (reading.volume(), report) else {
        model.tell(if reading.volume().is_none() { NOT_READ } else { "no result yet: levels are not known" });
        return Vec::new();
    };
    let here = reading.slice_of(raster::native_plane(volume));
    let place = |level: CervicalLevel| Some((reading.key_slice(&report, level)?, level));
    let known: Vec<(usize, CervicalLevel)> = CervicalLevel::ALL.into_iter().filter_map(place).collect();
    let next = if down {
        known.iter().filter(|(slice, _)| *slice > here).min_by_key(|(slice, _)| *slice)
    } else {
        known.iter().filter(|(slice, _)| *slice < here).max_by_key(|(slice, _)| *slice)
    };
    let levels: Vec<CervicalLevel> = known.iter().map(|(_, level)| *level).collect();
    let next = next.map(|(_, level)| *level);
    match next.or_else(|| super::sources::next_level(model, &report, &levels, down)) {
        Some(level) => super::reading::run(model, Command::Level(level)),
        None => {
            model.tell(if down { "no level is known below this place" } else { "no level is known above this place" });
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_slices_and_millimetres_are_positions() {
        assert_eq!(Goal::parse("153"), Some(Goal::Number(153)));
        assert_eq!(Goal::parse(" 1 "), Some(Goal::Number(1)));
        assert_eq!(Goal::parse("-128mm"), Some(Goal::Position(-128.0)));
        assert_eq!(Goal::parse("−128.4 mm"), Some(Goal::Position(-128.4)));
        assert_eq!(Goal::parse("12 mm"), Some(Goal::Position(12.0)));
        assert_eq!(Goal::parse("z -20"), Some(Goal::Position(-20.0)));
        assert_eq!(Goal::parse("z12"), Some(Goal::Position(12.0)));
        for none in ["", "0", "12.5", "mm", "nan mm", "inf", "C6", "1e999mm", "- 3"] {
            assert_eq!(Goal::parse(none), None, "{none:?}");
        }
    }
}
