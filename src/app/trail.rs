//! Where the reader was: places to go back to and forward again, as a browser does.

use super::Reading;
use crate::domain::Uid;
use crate::raster::Plane;

/// Places that are remembered each way.
const MOST: usize = 100;

/// A place of the open series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    plane: Plane,
    slices: [usize; 3],
}

/// The places of one series, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    series: Option<(Uid, usize)>,
    back: Vec<Spot>,
    forward: Vec<Spot>,
}

impl Spot {
    /// Where a reader is; `None` without a volume.
    pub(super) fn of(reading: &Reading) -> Option<Self> {
        reading.volume()?;
        Some(Self { plane: reading.plane, slices: Plane::ALL.map(|plane| reading.slice_of(plane)) })
    }

    fn go(self, reading: &mut Reading) {
        for (plane, slice) in Plane::ALL.into_iter().zip(self.slices) {
            reading.move_to(plane, slice);
        }
        reading.plane = self.plane;
    }
}

impl Trail {
    /// Notes that the reader leaves a place for a distant one.
    pub(super) fn leave(&mut self, reading: &Reading, spot: Spot) {
        self.of(reading);
        if self.back.last() != Some(&spot) {
            self.back.push(spot);
        }
        if self.back.len() > MOST {
            self.back.remove(0);
        }
        self.forward.clear();
    }

    /// Goes back (or forward again); `false` where there is nothing to go to.
    pub(super) fn go(&mut self, reading: &mut Reading, back: bool) -> bool {
        self.of(reading);
        let Some(here) = Spot::of(reading) else { return false };
        let (from, to) = if back { (&mut self.back, &mut self.forward) } else { (&mut self.forward, &mut self.back) };
        // A place that the reader stands on is none to go to.
        while let Some(spot) = from.pop() {
            if spot != here {
                to.push(here);
                spot.go(reading);
                return true;
            }
        }
        false
    }

    /// Places of another series are forgotten.
    fn of(&mut self, reading: &Reading) {
        let series = Some((reading.study.uid.clone(), reading.series));
        if self.series != series {
            *self = Self { series, ..Self::default() };
        }
    }
}
