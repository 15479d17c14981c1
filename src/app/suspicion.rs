//! Where along the neck the network is suspicious: the slice strip and the jumps between suspicions.

use crate::domain::{CervicalLevel, FractureReport, SliceScore};

/// One column of the slice strip.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StripCell {
    /// The level that is seen best there, if any is seen.
    pub level: Option<CervicalLevel>,
    /// Highest `fracture · vertebra` of the slices that the column stands for; `None` where none is analysed yet.
    pub suspicion: Option<f32>,
}

/// The suspicion that a slice raises: the highest `fracture · vertebra` of its levels.
fn suspicion(score: &SliceScore) -> f32 {
    CervicalLevel::ALL
        .into_iter()
        .map(|level| score.fracture[level].value() * score.vertebra[level].value())
        .fold(0.0, f32::max)
}

/// The strip of a report over `slices` slices in `width` columns, head first.
#[must_use]
pub fn strip(report: &FractureReport, slices: usize, width: usize) -> Vec<StripCell> {
    let mut cells = vec![StripCell::default(); width];
    let mut seen = vec![(0.0_f32, None); width];
    for slice in &report.slices {
        if slices == 0 || width == 0 || slice.index >= slices {
            continue;
        }
        let first = slice.index * width / slices;
        let last = ((slice.index + 1) * width).div_ceil(slices).clamp(first + 1, width);
        let value = suspicion(&slice.score);
        for column in first..last {
            let cell = &mut cells[column];
            cell.suspicion = Some(cell.suspicion.map_or(value, |known| known.max(value)));
            for (level, visible) in slice.score.vertebra.iter() {
                if visible.value() >= 0.5 && visible.value() > seen[column].0 {
                    seen[column] = (visible.value(), Some(level));
                }
            }
        }
    }
    for (cell, (_, level)) in cells.iter_mut().zip(seen) {
        cell.level = level;
    }
    cells
}

/// The suspicious places: of each run of slices that pass the package's level threshold, the slice with the highest suspicion.
/// Slice indices rise.
#[must_use]
pub fn peaks(report: &FractureReport) -> Vec<usize> {
    let threshold = report.model.thresholds.level.value();
    let mut peaks: Vec<usize> = Vec::new();
    let mut best: Option<(f32, usize)> = None;
    for slice in &report.slices {
        let value = suspicion(&slice.score);
        if value >= threshold {
            if best.is_none_or(|(highest, _)| value > highest) {
                best = Some((value, slice.index));
            }
        } else if let Some((_, index)) = best.take() {
            peaks.push(index);
        }
    }
    peaks.extend(best.map(|(_, index)| index));
    peaks
}
