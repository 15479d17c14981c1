//! A second series beside the open one, linked by the place in the patient: another kernel, or an earlier study.

use super::{Appearance, Reading, VolumeState};
use crate::domain::{FractureReport, PatientPoint, Study, Volume, VoxelPoint};
use crate::raster::{self, Mark, PictureSize, View, ViewGeometry, Zoom};
use std::sync::Arc;

/// Which of two series side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The open one, which keys work on.
    Open,
    /// The one beside it, which follows.
    Beside,
    /// One slice of the open one, while the others are read.
    First,
}

/// How places in the open series and in the one beside it belong together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Alignment {
    /// Both lie in one patient system.
    Frame,
    /// The one beside is moved by this (LPS mm) so that the levels that both show meet.
    Levels(PatientPoint),
    /// It is moved so that the middles of both meet, for want of anything better.
    Middles(PatientPoint),
}

impl Alignment {
    /// How far the place in the series beside lies from that in the open one, LPS mm.
    #[must_use]
    pub fn shift(self) -> PatientPoint {
        match self {
            Self::Frame => PatientPoint::ZERO,
            Self::Levels(shift) | Self::Middles(shift) => shift,
        }
    }

    /// In a few words, for the reader.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Frame => "same position",
            Self::Levels(_) => "aligned by levels",
            Self::Middles(_) => "not registered",
        }
    }
}

/// The series beside the open one.
#[derive(Debug, Clone)]
pub struct Beside {
    /// Its study.
    pub study: Arc<Study>,
    /// Index of the series.
    pub series: usize,
    /// Its volume.
    pub volume: VolumeState,
    /// How it follows.
    pub alignment: Alignment,
    /// Its own window.
    pub appearance: Appearance,
}

impl Beside {
    /// The volume, once it is here.
    #[must_use]
    pub fn volume(&self) -> Option<&Arc<Volume>> {
        match &self.volume {
            VolumeState::Ready(volume) => Some(volume),
            _ => None,
        }
    }
}

impl Reading {
    /// The cursor in the series beside, LPS mm.
    #[must_use]
    pub fn beside_point(&self) -> Option<PatientPoint> {
        Some(self.cursor_point()? + self.beside.as_ref()?.alignment.shift())
    }

    /// What is to be drawn of the series beside, over a picture of the size of the open one's: the same place at the same scale.
    /// `None` where it has nothing there.
    #[must_use]
    pub fn beside_view(&self, size: PictureSize) -> Option<View> {
        let beside = self.beside.as_ref()?;
        let (volume, shift) = (beside.volume()?, beside.alignment.shift());
        let plane = self.plane;
        let slice = raster::slice_of_point(volume, plane, self.beside_point()?)?;
        let own = self.view(plane, None, false)?;
        let geometry = ViewGeometry::of(self.volume()?, &own, size).ok()?;
        let (mm_per_pixel, _) = geometry.mm_per_pixel()?;
        let middle = geometry.patient_at(f64::from(size.width - 1) / 2.0, f64::from(size.height - 1) / 2.0)?;
        let (across, down) = raster::plane_extent(volume, plane)?;
        let (width, height) = (f64::from(size.width), f64::from(size.height) * size.pixel_aspect);
        let fit = (across / width).max(down / height);
        let mut view = beside.appearance.view(plane, slice);
        view.zoom = Zoom::Fit(fit / mm_per_pixel);
        view.center = raster::plane_fractions(volume, plane, voxel(volume, middle + shift)?)?;
        view.slab = own.slab;
        if self.lines {
            view.marks.push(Mark::CrossLines(voxel(volume, self.beside_point()?)?));
        }
        Some(view)
    }

    /// Takes over the volume of the series beside; `reports` are those of both studies.
    pub(in crate::app) fn beside_loaded(&mut self, volume: Arc<Volume>, reports: [Option<&FractureReport>; 2]) {
        let Some(open) = self.volume().map(Arc::clone) else { return };
        let [open_report, other_report] = reports;
        let other = self.beside.as_ref().and_then(|beside| beside.study.series.get(beside.series));
        let other = other_report.zip(other).and_then(|(report, series)| report.of_series(series));
        let reports = [self.own_report(open_report), other];
        let shares = |beside: &Beside| {
            let own = self.study.series.get(self.series);
            own.zip(beside.study.series.get(beside.series)).is_some_and(|(own, other)| own.shares_frame_with(other))
        };
        let Some(shared) = self.beside.as_ref().map(shares) else { return };
        let alignment = if shared { Alignment::Frame } else { align(&open, &volume, reports) };
        if let Some(beside) = &mut self.beside {
            beside.alignment = alignment;
            beside.volume = VolumeState::Ready(volume);
        }
    }
}

fn voxel(volume: &Volume, point: PatientPoint) -> Option<VoxelPoint> {
    volume.voxel_at(point).map(|(slice, row, column)| VoxelPoint { slice, row, column })
}

/// The shift between two volumes that share no patient system: along the body by the levels that both reports show, across it
/// by the volumes' middles.
fn align(open: &Volume, beside: &Volume, reports: [Option<&FractureReport>; 2]) -> Alignment {
    let middle = |volume: &Volume| {
        let half = |len: usize| (len as f64 - 1.0) / 2.0;
        volume.patient_point(half(volume.shape.slices), half(volume.shape.rows), half(volume.shape.columns))
    };
    let (Some(from), Some(to)) = (middle(open), middle(beside)) else { return Alignment::Middles(PatientPoint::ZERO) };
    let places = |report: Option<&FractureReport>, volume: &Volume| -> Vec<_> {
        let spans = report.map(FractureReport::spans).unwrap_or_default();
        let place = |slice: f64| volume.patient_point(slice, 0.0, 0.0).map(|point| point.z);
        spans.into_iter().filter_map(|span| Some((span.level, place((span.first + span.last) as f64 / 2.0)?))).collect()
    };
    let (own, others) = (places(reports[0], open), places(reports[1], beside));
    let mut steps: Vec<f64> =
        own.iter().filter_map(|(level, z)| Some(others.iter().find(|(other, _)| other == level)?.1 - z)).collect();
    steps.sort_by(f64::total_cmp);
    match steps.get(steps.len() / 2) {
        Some(step) => Alignment::Levels(PatientPoint::new(to.x - from.x, to.y - from.y, *step)),
        None => Alignment::Middles(to - from),
    }
}
