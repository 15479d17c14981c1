//! Where the reader will probably look next.

use super::Reading;
use crate::domain::{CervicalLevel, FractureReport};

/// Slices on and back that are looked at next, the likeliest first.
const NEIGHBOURS: [isize; 6] = [1, -1, 2, -2, 3, -3];

impl Reading {
    /// This reading at the places that are probably looked at next: the neighbouring slices of the active plane, then the key
    /// slices of the levels. None of them is the place that is shown.
    #[must_use]
    pub fn ahead(&self, report: Option<&FractureReport>) -> Vec<Self> {
        let neighbours = NEIGHBOURS.iter().map(|step| {
            let mut there = self.clone();
            there.move_by(self.plane, *step);
            there
        });
        let key_slices = report.into_iter().flat_map(|report| {
            CervicalLevel::ALL.into_iter().filter_map(|level| {
                let index = self.key_slice(report, level)?;
                let mut there = self.clone();
                there.go_to_volume_slice(index, None);
                Some(there)
            })
        });
        let mut seen = vec![self.slice()];
        let mut is_new = |there: &Self| {
            let new = there.plane == self.plane && !seen.contains(&there.slice());
            seen.push(there.slice());
            new
        };
        neighbours.chain(key_slices).filter(|there| is_new(there)).collect()
    }
}
