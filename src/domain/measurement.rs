//! Measurements: lengths, angles, regions and single values, and what they come to in a volume.
//!
//! A measurement keeps its places, never its result: the places survive a reload, a series that grows and another window, and the
//! result is computed from the volume whenever it is shown.

mod region;
#[cfg(test)]
mod tests;

use super::{PatientPoint, Uid, Volume};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A place that a measurement hangs on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "in")]
pub enum Place {
    /// A point in the patient, LPS mm: wherever positions and spacing are known.
    Patient {
        /// x (to the left), y (to the back), z (to the head).
        mm: [f64; 3],
    },
    /// A point of a stored picture, where they are not.
    Stored {
        /// SOPInstanceUID.
        instance: Uid,
        /// Frame of a multi-frame instance, from 0.
        frame: u32,
        /// Row, from 0 at the centre of the first; fractions allowed.
        row: f64,
        /// Column, likewise.
        column: f64,
    },
}

/// What is measured, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Geometry {
    /// The length of a straight line.
    Distance {
        /// Its ends.
        ends: [Place; 2],
    },
    /// The angle at the middle one of three places.
    Angle {
        /// An end, the vertex, the other end.
        places: [Place; 3],
    },
    /// Voxels within a rectangle.
    Rectangle {
        /// A corner, and the corners beside it along the one side and along the other.
        corners: [Place; 3],
    },
    /// Voxels within the ellipse that touches a rectangle's sides in their middles.
    Ellipse {
        /// A corner of that rectangle, and the corners beside it.
        corners: [Place; 3],
    },
    /// One voxel's value.
    Probe {
        /// Where.
        place: Place,
    },
}

impl Geometry {
    /// In a word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Distance { .. } => "distance",
            Self::Angle { .. } => "angle",
            Self::Rectangle { .. } => "rectangle",
            Self::Ellipse { .. } => "ellipse",
            Self::Probe { .. } => "probe",
        }
    }

    /// Its places, in order.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        match self {
            Self::Distance { ends } => ends,
            Self::Angle { places } | Self::Rectangle { corners: places } | Self::Ellipse { corners: places } => places,
            Self::Probe { place } => std::slice::from_ref(place),
        }
    }
}

/// A measurement of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Number within the study, from 1, in the order in which they were made; never given twice.
    pub id: u64,
    /// SeriesInstanceUID.
    pub series: Uid,
    /// What and where.
    #[serde(flatten)]
    pub geometry: Geometry,
}

/// What a measurement comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    /// Length in mm.
    Length {
        /// mm.
        mm: f64,
    },
    /// Angle in degrees, 0 to 180.
    Angle {
        /// Degrees.
        degrees: f64,
    },
    /// Values of a region.
    Region(Region),
    /// A voxel's value, in the volume's unit.
    Value {
        /// HU for CT.
        value: i16,
        /// Whether it is in HU.
        hounsfield: bool,
    },
}

/// Values of the voxels whose centres lie in a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Mean.
    pub mean: f64,
    /// Standard deviation of a sample (n − 1); 0 for one voxel.
    pub sd: f64,
    /// Lowest value.
    pub min: i16,
    /// Highest value.
    pub max: i16,
    /// Number of voxels.
    pub voxels: usize,
    /// Area of the drawn figure in mm²; `None` where the spacing is unknown.
    pub area_mm2: Option<f64>,
    /// Whether values are in HU.
    pub hounsfield: bool,
}

/// Why a measurement has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No PixelSpacing, so that no length or angle is known.
    #[error("not measured: the files give no pixel spacing, so mm are unknown")]
    NoSpacing,
    /// Places on different slices of a stack without positions.
    #[error("not measured: the slices have no usable positions; measure within one slice")]
    NoPositions,
    /// A place that this volume does not hold.
    #[error("not measured: a point is outside this series")]
    Outside,
    /// Places that coincide.
    #[error("not measured: the places are the same")]
    Empty,
}

impl Place {
    /// The place of a voxel of a volume (fractions allowed): in the patient where the volume is metric, on the stored picture
    /// otherwise. `None` outside the stack.
    #[must_use]
    pub fn of_voxel(volume: &Volume, slice: f64, row: f64, column: f64) -> Option<Self> {
        if volume.is_metric() {
            return volume.patient_point(slice, row, column).map(Self::at);
        }
        let info = volume.slices.get(nearest_index(slice)?)?;
        Some(Self::Stored { instance: info.sop_instance_uid.clone(), frame: info.frame, row, column })
    }

    /// A point in the patient.
    #[must_use]
    pub fn at(point: PatientPoint) -> Self {
        Self::Patient { mm: point.to_array() }
    }

    /// The point in the patient; `None` where that is not known.
    #[must_use]
    pub fn patient_point(&self, volume: &Volume) -> Option<PatientPoint> {
        match self {
            Self::Patient { mm } => Some(PatientPoint::from_array(*mm)),
            Self::Stored { .. } => {
                let [slice, row, column] = self.voxel(volume)?;
                volume.patient_point(slice, row, column)
            }
        }
    }

    /// The voxel (slice, row, column, with fractions) of a volume; `None` where it lies outside the stack or cannot be placed.
    #[must_use]
    pub fn voxel(&self, volume: &Volume) -> Option<[f64; 3]> {
        match self {
            Self::Patient { mm } => {
                let point = PatientPoint::from_array(*mm);
                let (slice, row, column) = volume.voxel_at(point).filter(|_| point.is_finite())?;
                Some([slice, row, column])
            }
            Self::Stored { instance, frame, row, column } => {
                let here = |info: &super::SliceInfo| info.sop_instance_uid == *instance && info.frame == *frame;
                let slice = volume.slices.iter().position(here)?;
                (row.is_finite() && column.is_finite()).then_some([slice as f64, *row, *column])
            }
        }
    }
}

/// The index nearest to a fraction; `None` for what is none.
fn nearest_index(value: f64) -> Option<usize> {
    let rounded = value.round();
    (0.0..=1e9).contains(&rounded).then_some(rounded as usize)
}

impl Measurement {
    /// The result in its series' volume.
    ///
    /// # Errors
    /// The volume does not know what is asked: lengths without spacing, places outside.
    pub fn measure(&self, volume: &Volume) -> Result<Measured, Refusal> {
        self.geometry.measure(volume)
    }
}

impl Geometry {
    /// The result in a volume.
    ///
    /// # Errors
    /// As [`Measurement::measure`].
    pub fn measure(&self, volume: &Volume) -> Result<Measured, Refusal> {
        match self {
            Self::Distance { ends: [from, to] } => {
                let mm = separation(volume, from, to)?.length();
                if mm > 0.0 { Ok(Measured::Length { mm }) } else { Err(Refusal::Empty) }
            }
            Self::Angle { places: [from, vertex, to] } => {
                let (a, b) = (separation(volume, vertex, from)?, separation(volume, vertex, to)?);
                if a.length() == 0.0 || b.length() == 0.0 {
                    return Err(Refusal::Empty);
                }
                Ok(Measured::Angle { degrees: a.angle_between(b).to_degrees() })
            }
            Self::Rectangle { corners } => region::measure(volume, corners, region::Figure::Rectangle),
            Self::Ellipse { corners } => region::measure(volume, corners, region::Figure::Ellipse),
            Self::Probe { place } => {
                let voxel = place.voxel(volume).ok_or(Refusal::Outside)?;
                let [Some(slice), Some(row), Some(column)] = voxel.map(nearest_index) else {
                    return Err(Refusal::Outside);
                };
                let value = volume.at(slice, row, column).ok_or(Refusal::Outside)?;
                Ok(Measured::Value { value, hounsfield: volume.is_hounsfield() })
            }
        }
    }
}

/// The way from one place to another in mm: in the patient, or on one stored picture by its PixelSpacing (PS3.3 section
/// 10.7.1.3: the first value is the distance of rows).
fn separation(volume: &Volume, from: &Place, to: &Place) -> Result<PatientPoint, Refusal> {
    if let (Place::Patient { mm: from }, Place::Patient { mm: to }) = (from, to) {
        let way = PatientPoint::from_array(*to) - PatientPoint::from_array(*from);
        return if way.is_finite() { Ok(way) } else { Err(Refusal::Outside) };
    }
    let spacing = volume.spacing.ok_or(Refusal::NoSpacing)?;
    let (a, b) = (from.voxel(volume).ok_or(Refusal::Outside)?, to.voxel(volume).ok_or(Refusal::Outside)?);
    if let (Some(from), Some(to)) = (from.patient_point(volume), to.patient_point(volume)) {
        return Ok(to - from);
    }
    if (a[0] - b[0]).abs() > 1e-6 {
        return Err(Refusal::NoPositions);
    }
    Ok(PatientPoint::new((b[2] - a[2]) * spacing.column, (b[1] - a[1]) * spacing.row, 0.0))
}

/// The unit of a volume's values.
fn unit(hounsfield: bool) -> &'static str {
    if hounsfield { " HU" } else { "" }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { mm } => write!(f, "{mm:.1} mm"),
            Self::Angle { degrees } => write!(f, "{degrees:.1}°"),
            Self::Region(region) => region.fmt(f),
            Self::Value { value, hounsfield } => write!(f, "{value}{}", unit(*hounsfield)),
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mean, sd, min, max, area_mm2, hounsfield, voxels } = self;
        write!(f, "mean {mean:.0} SD {sd:.0} min {min} max {max}{}", unit(*hounsfield))?;
        match area_mm2 {
            Some(area) => write!(f, " · {area:.1} mm²"),
            None => write!(f, " · {voxels} pixels, area unknown"),
        }
    }
}
