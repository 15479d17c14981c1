//! Which slices the network sees, and in which order. Pure.
//!
//! First a coarse pass over the whole scan, so that every level has a number soon. Then the slices that can matter, the most
//! suspicious first. A slice matters where a vertebra may show: close to one on which the network saw at least a trace of one. Farther
//! out, up to [`MARGIN_MM`], one slice in every [`FAR_STEP_MM`] tells whether another vertebra begins there. Elsewhere (the head, the chest)
//! a slice would weigh nothing in any level's probability, and is left out.

use crate::domain::Aggregation;

/// The coarse pass takes every so many slices,
const STRIDE: usize = 8;
/// but leaves no more than this between two, mm: less than any vertebra is tall (`phantom::morphometry` has the sources).
const STRIDE_MM: f64 = 8.0;
/// What lies this near to a trace of a vertebra is looked at slice by slice, mm: no vertebra goes from a trace to nothing and back to one
/// half within so little.
const CLOSE_MM: f64 = 5.0;
/// And this near in steps, mm: more than two steps of the coarse pass,
const MARGIN_MM: f64 = 20.0;
/// each of no more than this: less than the extent from which packages count a level as seen (4 mm).
const FAR_STEP_MM: f64 = 3.0;
/// A known slice makes those within this distance more or less urgent, mm.
const NEAR_MM: f64 = 6.0;

/// What is known of a slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Known {
    /// Nothing.
    Nothing,
    /// The network is at it.
    Pending,
    /// What it said.
    Seen {
        /// The highest visibility of any level.
        visible: f32,
        /// The highest `f · v` of any level.
        suspicion: f32,
    },
}

/// The visibility from which a slice shows a trace of a vertebra. The means over visible slices count those from a visibility of one half only;
/// the weighted mean counts all, by their visibility: two hundred slices of this little weigh a thousandth of a vertebra.
fn trace(aggregation: Aggregation) -> f32 {
    match aggregation {
        Aggregation::VisibleTopMean | Aggregation::VisibleOddsMean => 0.02,
        Aggregation::VisibilityWeightedMean => 1e-4,
    }
}

/// The slices still to be seen, most useful first. `offsets` are their places along the stack in mm, rising; `known` is as long.
pub(super) fn to_do(offsets: &[f64], known: &[Known], aggregation: Aggregation) -> Vec<usize> {
    let open = |index: &usize| known.get(*index) == Some(&Known::Nothing);
    let coarse: Vec<usize> = coarse(offsets).into_iter().filter(open).collect();
    let needed = needed(offsets, known, aggregation);
    let mut rest: Vec<usize> =
        (0..offsets.len()).filter(open).filter(|index| needed[*index] && !coarse.contains(index)).collect();
    let urgency = suspicion_nearby(offsets, known);
    rest.sort_by(|&a, &b| urgency[b].total_cmp(&urgency[a]).then_with(|| halving(a).cmp(&halving(b))).then(a.cmp(&b)));
    coarse.into_iter().chain(rest).collect()
}

/// The slices of the first pass: evenly spread, first and last among them.
fn coarse(offsets: &[f64]) -> Vec<usize> {
    let mut picked: Vec<usize> = Vec::new();
    for (index, offset) in offsets.iter().enumerate() {
        let due = picked.last().is_none_or(|&last| {
            let next = offsets.get(index + 1).copied().unwrap_or(f64::INFINITY);
            index - last >= STRIDE || next - offsets[last] > STRIDE_MM || offset - offsets[last] >= STRIDE_MM
        });
        if due {
            picked.push(index);
        }
    }
    picked
}

/// Whether a slice may show a vertebra, as far as is known; all may before the coarse pass is over.
fn needed(offsets: &[f64], known: &[Known], aggregation: Aggregation) -> Vec<bool> {
    let trace = trace(aggregation);
    let shows: Vec<f64> = offsets
        .iter()
        .zip(known)
        .filter(|(_, known)| match known {
            Known::Seen { visible, .. } => *visible >= trace,
            Known::Pending | Known::Nothing => false,
        })
        .map(|(offset, _)| *offset)
        .collect();
    let away = |offset: f64| {
        let after = shows.partition_point(|&other| other < offset);
        let distance = |at: usize| shows.get(at).map_or(f64::INFINITY, |other| (other - offset).abs());
        distance(after).min(distance(after.wrapping_sub(1)))
    };
    let mut step = f64::NEG_INFINITY;
    let needed = offsets.iter().enumerate().map(|(index, &offset)| {
        let next = offsets.get(index + 1).copied().unwrap_or(f64::INFINITY);
        let due = next - step > FAR_STEP_MM;
        if due {
            step = offset;
        }
        let away = away(offset);
        away <= CLOSE_MM || (due && away <= MARGIN_MM)
    });
    needed.collect()
}

/// The highest suspicion known within [`NEAR_MM`] of each slice.
fn suspicion_nearby(offsets: &[f64], known: &[Known]) -> Vec<f32> {
    let mut nearby = vec![0.0_f32; offsets.len()];
    for (offset, known) in offsets.iter().zip(known) {
        let Known::Seen { suspicion, .. } = known else { continue };
        let first = offsets.partition_point(|&other| other < offset - NEAR_MM);
        let last = offsets.partition_point(|&other| other <= offset + NEAR_MM);
        for near in nearby.get_mut(first..last).into_iter().flatten() {
            *near = near.max(*suspicion);
        }
    }
    nearby
}

/// Halves come before quarters, quarters before eighths: the rest of a stretch is filled in evenly.
fn halving(index: usize) -> u32 {
    STRIDE.trailing_zeros().saturating_sub(index.trailing_zeros())
}

#[cfg(test)]
mod tests;
