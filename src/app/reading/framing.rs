//! How much of the planes is in view when a study opens: the spine, the whole field, or every voxel once.

use super::Reading;
use crate::domain::{FractureReport, SpineCourse, Volume, VoxelPoint};
use crate::raster::{self, Plane, Zoom};
use std::ops::RangeInclusive;

/// Side of an axial view of the spine, mm: a neck without the shoulders.
const ACROSS_THE_SPINE_MM: f64 = 120.0;
/// Least width of a view along the spine, mm: the vertebrae with their processes, and the soft tissue before them.
const ALONG_THE_SPINE_MM: f64 = 70.0;
/// Margins of a view along the spine, mm: the occiput above the highest level in the scan, the first thoracic vertebra below the lowest.
const MARGINS_MM: (f64, f64) = (20.0, 25.0);

/// How much of the planes is in view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Framing {
    /// The cervical spine fills the view; the whole field if its course is not known.
    #[default]
    Spine,
    /// The whole field.
    Field,
    /// A voxel for each pixel of the terminal.
    OneToOne,
}

impl Framing {
    /// All of them, in the order of the key.
    pub const ALL: [Self; 3] = [Self::Spine, Self::Field, Self::OneToOne];

    /// Its name in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spine => "spine",
            Self::Field => "field",
            Self::OneToOne => "one-to-one",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Spine => Self::Field,
            Self::Field => Self::OneToOne,
            Self::OneToOne => Self::Spine,
        }
    }
}

impl Reading {
    /// Frames all planes as the reader likes it. `report` is that of the study.
    pub(in crate::app) fn frame(&mut self, report: Option<&FractureReport>) {
        let Some(volume) = self.volume().cloned() else { return };
        let levels = self.own_report(report).and_then(|report| slices_of_levels(report, &volume));
        for plane in Plane::ALL {
            let place = raster::plane_fractions(&volume, plane, self.cursor).unwrap_or((0.5, 0.5));
            let spine = self.course.as_deref().and_then(|course| spine(&volume, plane, course, levels.clone()));
            let framing = self.framing;
            let appearance = self.appearance_mut(plane);
            match framing {
                Framing::Spine => match spine {
                    Some((zoom, center)) => (appearance.zoom, appearance.center) = (zoom, center),
                    None => appearance.fit(),
                },
                Framing::Field => appearance.fit(),
                Framing::OneToOne => appearance.one_to_one(place),
            }
        }
    }

    /// Width and height of what is to be in view of a plane, mm where the volume has such; `None` if the plane cannot be shown.
    #[must_use]
    pub fn shown_extent(&self, plane: Plane) -> Option<(f64, f64)> {
        let (width, height) = raster::plane_extent(self.volume()?, plane)?;
        let (across, down) = match self.appearance_of(plane).zoom {
            Zoom::Region { across, down } => (across * width, down * height),
            Zoom::Fit(_) | Zoom::Pixels(_) => (width, height),
        };
        (across > 0.0 && down > 0.0).then_some((across, down))
    }

    /// Frames all planes in the next way; a sentence if the spine cannot be framed.
    pub(in crate::app) fn next_framing(&mut self, report: Option<&FractureReport>) -> String {
        self.framing = self.framing.next();
        self.frame(report);
        match self.framing {
            Framing::Spine if self.course.is_none() => "whole field: the spine's course is not known in this series",
            Framing::Spine => "spine",
            Framing::Field => "whole field",
            Framing::OneToOne => "one pixel per voxel",
        }
        .to_owned()
    }

    /// The middle of the neck in the midline of the spine; `false` if the spine's course is not known.
    pub(in crate::app) fn go_to_midline(&mut self, report: &FractureReport) -> bool {
        let Some(volume) = self.volume().cloned() else { return false };
        let Some(levels) = self.own_report(Some(report)).and_then(|report| slices_of_levels(report, &volume)) else {
            return false;
        };
        let middle = (levels.start() + levels.end()) / 2;
        let Some(place) = self.course.as_ref().and_then(|course| course.at(middle as f64)) else { return false };
        if raster::plane_len(&volume, Plane::Sagittal) > 0 {
            self.plane = Plane::Sagittal;
        }
        self.go_to_voxel(place);
        true
    }
}

/// The slices of the volume that show cervical levels.
fn slices_of_levels(report: &FractureReport, volume: &Volume) -> Option<RangeInclusive<usize>> {
    let spans = report.spans();
    let first = spans.iter().map(|span| span.first).min()?;
    let last = spans.iter().map(|span| span.last).max()?.min(volume.shape.slices.checked_sub(1)?);
    (first <= last).then_some(first..=last)
}

/// The part of a plane that shows the spine, and its center. `levels` are the slices that show cervical levels, all of them where none
/// are known.
fn spine(
    volume: &Volume,
    plane: Plane,
    course: &SpineCourse,
    levels: Option<RangeInclusive<usize>>,
) -> Option<(Zoom, (f64, f64))> {
    let (across, down) = raster::plane_extent(volume, plane).filter(|_| volume.is_metric())?;
    let known = levels.is_some();
    let slices = levels.unwrap_or(0..=volume.shape.slices.checked_sub(1)?);
    let places: Vec<VoxelPoint> = slices.clone().filter_map(|slice| course.at(slice as f64)).collect();
    let count = places.len() as f64;
    let middle = VoxelPoint {
        slice: (slices.start() + slices.end()) as f64 / 2.0,
        row: places.iter().map(|place| place.row).sum::<f64>() / count,
        column: places.iter().map(|place| place.column).sum::<f64>() / count,
    };
    let center = raster::plane_fractions(volume, plane, middle).filter(|(x, y)| x.is_finite() && y.is_finite())?;
    let part = |mm: f64, extent: f64| (mm / extent).clamp(f64::EPSILON, 1.0);
    if plane == Plane::Axial {
        let zoom = Zoom::Region { across: part(ACROSS_THE_SPINE_MM, across), down: part(ACROSS_THE_SPINE_MM, down) };
        return Some((zoom, center));
    }
    let end = |slice: usize| {
        let place = VoxelPoint { slice: slice as f64, ..middle };
        raster::plane_fractions(volume, plane, place).map(|(_, y)| y)
    };
    let (top, bottom) = (end(*slices.start())?, end(*slices.end())?);
    // The stack may run either way.
    let (top, bottom) = (top.min(bottom), top.max(bottom));
    let (above, below) = if known { MARGINS_MM } else { (0.0, 0.0) };
    let (top, bottom) = ((top - above / down).max(0.0), (bottom + below / down).min(1.0));
    let zoom = Zoom::Region { across: part(ALONG_THE_SPINE_MM, across), down: (bottom - top).clamp(f64::EPSILON, 1.0) };
    Some((zoom, (center.0, f64::midpoint(top, bottom))))
}
