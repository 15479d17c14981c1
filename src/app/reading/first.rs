//! The one slice that is shown while the others are read.

use super::super::Command;
use super::{Reading, VolumeState};
use crate::domain::{FractureReport, Units, Volume};
use crate::raster::{self, Plane, View};
use std::sync::Arc;

impl Reading {
    /// The slice to read first, by its place in the series: where the reader left it, else the most suspicious one, else the middle.
    #[must_use]
    pub(in crate::app) fn first_slice(&self, report: Option<&FractureReport>) -> usize {
        let Some(series) = self.study.series.get(self.series) else { return 0 };
        let last = series.instances.len().saturating_sub(1);
        let left = self.resume.as_ref().filter(|position| {
            (&position.series, position.stack) == (&series.uid, series.stack_index)
                && position.plane == Plane::Axial as u8
        });
        let asked = self.waiting.first().and_then(|command| match command {
            Command::Level(level) => Some(*level),
            _ => None,
        });
        let worst = report.and_then(|report| {
            let asked = asked.filter(|level| report.source(*level).is_of(series));
            report.levels[asked.or_else(|| report.worst_in(series))?].key_slice()
        });
        let slice = left.map(|position| position.slices[Plane::Axial as usize]).or(worst.map(|key| key.index));
        slice.unwrap_or(last / 2).min(last)
    }

    /// Takes in the slice that is read first. Values that are not
    /// certain to be Hounsfield units wait for the whole series, which shows their range or repairs their scale.
    pub(in crate::app) fn take_first(&mut self, volume: Arc<Volume>) {
        if matches!(self.volume, VolumeState::Loading(..)) && volume.units == Units::Hounsfield {
            self.first = Some(volume);
        }
    }

    /// The slice that is shown while the others are read; `None` once they are, or before it is here.
    #[must_use]
    pub fn first(&self) -> Option<&Arc<Volume>> {
        self.first.as_ref().filter(|_| matches!(self.volume, VolumeState::Loading(..)))
    }

    /// What is to be drawn of it: as the plane looks, without slab and marks.
    #[must_use]
    pub fn first_view(&self) -> Option<View> {
        let plane = raster::native_plane(self.first()?);
        Some(View { slab: None, ..self.appearance_of(plane).view(plane, 0) })
    }
}
