//! What a scan can show of the neck, told from its headers before any probability.

use super::scoring::{head_foot_mm, named_other_part};
use super::{CervicalLevel, Modality, Patient, Series, SeriesKind};
use std::fmt;

/// Neighbouring levels of a grown neck lie at least this far apart, mm: vertebral bodies of C3 to C7 measure 11 mm and more
/// (Gilad and Nissan, Spine 1986), and a disc lies between.
const LEAST_LEVEL_MM: f64 = 12.0;
/// Between slices farther apart than this a break falls unseen, mm: the widest that the network learns from are as wide.
const FARTHEST_SLICES_MM: f64 = 3.0;
/// From this age on a neck is taken as grown, years.
const GROWN: u16 = 16;

/// A notice about what a scan can show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// Too short for the whole of C1 to C7: extent along the body in mm, and how many levels can be whole in it at most.
    Short {
        /// mm.
        extent: u32,
        /// Levels.
        levels: usize,
    },
    /// Slices so far apart, in tenths of a mm, that thin breaks fall between them.
    FarApart(u32),
    /// The files name another part of the body.
    OtherPart(String),
}

impl Coverage {
    /// A stable name for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Short { .. } => "short-coverage",
            Self::FarApart(_) => "wide-slice-spacing",
            Self::OtherPart(_) => "other-body-part",
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { extent, levels: 0 } => write!(f, "{extent} mm of scan: no level can be whole"),
            Self::Short { extent, levels } => {
                write!(f, "{extent} mm of scan: at most {levels} of C1–C7 can be whole")
            }
            Self::FarApart(tenths) => {
                write!(f, "slices {}.{} mm apart: thin breaks can fall between them", tenths / 10, tenths % 10)
            }
            Self::OtherPart(part) => write!(f, "the files name {part}, not the neck"),
        }
    }
}

/// What is to be told of a series before it is analysed. Nothing is said of a child's length: its neck may be short.
#[must_use]
pub fn coverage(patient: &Patient, series: &Series) -> Vec<Coverage> {
    let mut notices = Vec::new();
    if matches!(series.modality, Modality::Other(_)) {
        return Vec::new();
    }
    let is_stack = matches!(series.kind, SeriesKind::Axial | SeriesKind::Sagittal | SeriesKind::Coronal);
    if is_stack && patient.age_years.is_none_or(|years| years >= GROWN) {
        // Each slice speaks for half a step on both sides.
        let extent = head_foot_mm(series) + series.slice_spacing().unwrap_or(0.0);
        let levels = (extent / LEAST_LEVEL_MM).floor() as usize;
        if levels < CervicalLevel::ALL.len() {
            notices.push(Coverage::Short { extent: extent.round() as u32, levels });
        }
    }
    // Headers are rounded, and positions too.
    if let Some(apart) = series.slice_spacing().filter(|apart| is_stack && *apart > FARTHEST_SLICES_MM + 0.05) {
        notices.push(Coverage::FarApart((apart * 10.0).round() as u32));
    }
    notices.extend(named_other_part(series).map(Coverage::OtherPart));
    notices
}
