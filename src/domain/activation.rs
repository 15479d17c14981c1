//! Where a network was active for a level: its last convolution's coarse maps, laid into the volume.

use super::VoxelPoint;
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The map of one slice: `rows · columns` cells, row by row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivationSlice {
    /// The volume's slice, from 0.
    pub slice: usize,
    /// Row and column of the volume at the middle of the first cell.
    pub first: (f64, f64),
    /// Rows of the volume from one row of cells to the next, columns from one column to the next; negative where mirrored.
    pub step: (f64, f64),
    /// Rows of cells.
    pub rows: usize,
    /// Columns of cells.
    pub columns: usize,
    /// Activation in 0 to 1, after the logistic function.
    pub values: Vec<f32>,
}

/// The maps of one level over the slices that show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activation {
    slices: Vec<ActivationSlice>,
    peak: f32,
    fingerprint: u64,
}

impl Activation {
    /// The maps by rising slice. Ones whose values do not fill them are left out; `None` where nothing is left or nothing is
    /// active.
    #[must_use]
    pub fn new(mut slices: Vec<ActivationSlice>) -> Option<Self> {
        slices.retain(|map| {
            map.rows * map.columns == map.values.len()
                && map.step.0 != 0.0
                && map.step.1 != 0.0
                && map.values.iter().all(|value| value.is_finite())
        });
        slices.sort_by_key(|map| map.slice);
        let mut hasher = DefaultHasher::new();
        let mut peak = 0.0_f32;
        for map in &slices {
            map.slice.hash(&mut hasher);
            for value in &map.values {
                value.to_bits().hash(&mut hasher);
                peak = peak.max(*value);
            }
        }
        (peak > 0.0).then(|| Self { slices, peak, fingerprint: hasher.finish() })
    }

    /// The highest value.
    #[must_use]
    pub fn peak(&self) -> f32 {
        self.peak
    }

    /// Tells maps apart within one run of the program.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The activation at a place: linear within a slice and between neighbouring ones, 0 outside.
    #[must_use]
    pub fn at(&self, place: VoxelPoint) -> f32 {
        let after = self.slices.partition_point(|map| (map.slice as f64) < place.slice);
        let value =
            |index: usize| self.slices.get(index).map(|map| (map.slice as f64, map.at(place.row, place.column)));
        let before = after.checked_sub(1).and_then(value);
        match (before, value(after)) {
            (Some((low, a)), Some((high, b))) if high > low => {
                let part = ((place.slice - low) / (high - low)) as f32;
                a * (1.0 - part) + b * part
            }
            // Half a slice beyond the ends still belongs to them.
            (Some((low, a)), None) if place.slice - low <= 0.5 => a,
            (_, Some((high, b))) if high - place.slice <= 0.5 => b,
            _ => 0.0,
        }
    }
}

impl ActivationSlice {
    fn at(&self, row: f64, column: f64) -> f32 {
        let (r, c) = ((row - self.first.0) / self.step.0, (column - self.first.1) / self.step.1);
        let outside = |at: f64, len: usize| !(-0.5..=len as f64 - 0.5).contains(&at);
        if outside(r, self.rows) || outside(c, self.columns) {
            return 0.0;
        }
        let held = |at: f64, len: usize| at.clamp(0.0, len.saturating_sub(1) as f64);
        let (r, c) = (held(r, self.rows), held(c, self.columns));
        let value = |r: usize, c: usize| {
            let at =
                r.min(self.rows.saturating_sub(1)).saturating_mul(self.columns) + c.min(self.columns.saturating_sub(1));
            self.values.get(at).copied().unwrap_or_default()
        };
        let (top, left) = (r.floor() as usize, c.floor() as usize);
        let (down, right) = ((r - top as f64) as f32, (c - left as f64) as f32);
        let across = |r: usize| value(r, left) * (1.0 - right) + value(r, left + 1) * right;
        across(top) * (1.0 - down) + across(top + 1) * down
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(slice: usize, values: [f32; 4]) -> ActivationSlice {
        // Two by two cells of 10 voxels, columns mirrored.
        ActivationSlice { slice, first: (5.0, 15.0), step: (10.0, -10.0), rows: 2, columns: 2, values: values.to_vec() }
    }

    fn at(activation: &Activation, slice: f64, row: f64, column: f64) -> f32 {
        activation.at(VoxelPoint { slice, row, column })
    }

    #[test]
    fn cells_lie_where_they_belong_and_values_run_between_them() {
        let activation = Activation::new(vec![map(12, [0.0; 4]), map(10, [0.1, 0.2, 0.3, 0.8])]).expect("active");
        assert_eq!(activation.peak(), 0.8);
        assert!((at(&activation, 10.0, 5.0, 15.0) - 0.1).abs() < 1e-6, "the first cell is at the right");
        assert!((at(&activation, 10.0, 15.0, 5.0) - 0.8).abs() < 1e-6);
        assert!((at(&activation, 10.0, 10.0, 10.0) - 0.35).abs() < 1e-6, "the mean of all four");
        assert!((at(&activation, 11.0, 15.0, 5.0) - 0.4).abs() < 1e-6, "half-way to a slice that is quiet");
        assert_eq!(at(&activation, 10.0, 30.0, 5.0), 0.0);
        assert_eq!(at(&activation, 8.0, 15.0, 5.0), 0.0);
    }

    #[test]
    fn what_is_no_map_is_left_out() {
        let mut short = map(1, [0.5; 4]);
        short.values.pop();
        let mut none = map(2, [0.5; 4]);
        none.values[0] = f32::NAN;
        assert_eq!(Activation::new(vec![short, none]), None);
        assert_eq!(Activation::new(vec![map(1, [0.0; 4])]), None);
    }
}
