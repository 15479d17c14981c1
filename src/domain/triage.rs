//! Which series of a study is analysed, and which studies are declined, with the reason.

use super::scoring::{SeriesScore, head_foot_mm, is_projection, score};
use super::{Ambiguity, Modality, NotHounsfield, Oddity, SearchedSlices, Series, SeriesKind, Study, Units};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the files do not say of where their pixels lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are missing")]
pub enum Missing {
    SlicePositions,
    DistinctPositions,
    Orientation,
    PixelSpacing,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SlicePositions => "slice positions missing",
            Self::DistinctPositions => "all slices have the same ImagePositionPatient",
            Self::Orientation => "slice orientation unusable",
            Self::PixelSpacing => "pixel spacing missing",
        })
    }
}

/// Why a study gets no probability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotAnalysed {
    /// The modality is another one.
    NotCt(String),
    /// There are no pictures.
    NoPictures,
    /// The slices are not axial and cannot be turned into axial ones.
    NoAxialSeries,
    /// Localizers only.
    OnlyLocalizers,
    /// Fewer slices than a neck needs; the number found.
    TooFewSlices(usize),
    /// The extent along the body is too small to show a cervical level; in whole mm.
    TooShort(u32),
    /// Sagittal or coronal slices over too little of the body's width; in whole mm.
    TooNarrow(u32),
    /// Projections (MIP, volume rendering) and not slices.
    Projection,
    /// The pixel or slice geometry is unknown or unusable; what is missing.
    NoGeometry(Missing),
    /// Which slices belong together is not certain.
    Ambiguous(Ambiguity),
    /// The values are not Hounsfield units, or not certain to be; why.
    NotHounsfield(NotHounsfield),
    /// The network sees no cervical vertebra.
    NoCervicalSpine,
    /// The network sees no cervical vertebra in the part of the scan in which a neck can be.
    NoCervicalSpineIn(SearchedSlices),
    /// The stack has a property under which the network's input would be untrue.
    Unsupported(String),
}

impl NotAnalysed {
    /// A stable name for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotCt(_) => "not-ct",
            Self::NoPictures => "no-images",
            Self::NoAxialSeries => "no-axial-series",
            Self::OnlyLocalizers => "only-localizers",
            Self::TooFewSlices(_) => "too-few-slices",
            Self::TooShort(_) => "too-short",
            Self::TooNarrow(_) => "too-narrow",
            Self::Projection => "projection",
            Self::NoGeometry(Missing::SlicePositions) => "no-slice-positions",
            Self::NoGeometry(Missing::DistinctPositions) => "equal-positions",
            Self::NoGeometry(Missing::Orientation) => "no-orientation",
            Self::NoGeometry(Missing::PixelSpacing) => "no-pixel-spacing",
            Self::Ambiguous(_) => "ambiguous-stack",
            Self::NotHounsfield(_) => "not-hounsfield",
            Self::NoCervicalSpine | Self::NoCervicalSpineIn(_) => "no-cervical-spine",
            Self::Unsupported(_) => "unsupported",
        }
    }
}

impl fmt::Display for NotAnalysed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCt(modality) => write!(f, "{modality}, not CT"),
            Self::NoPictures => f.write_str("no images"),
            Self::NoAxialSeries => f.write_str("no axial series"),
            Self::OnlyLocalizers => f.write_str("only localizers"),
            Self::TooFewSlices(n) => write!(f, "{n} slice{}, too few for a neck", if *n == 1 { "" } else { "s" }),
            Self::TooShort(mm) => write!(f, "{mm} mm along the body, too short for a neck"),
            Self::TooNarrow(mm) => write!(f, "{mm} mm across the body, too narrow for a neck"),
            Self::Projection => f.write_str("projections, not slices"),
            Self::NoGeometry(what) => what.fmt(f),
            Self::Ambiguous(why) => why.fmt(f),
            Self::NotHounsfield(reason) => write!(f, "not Hounsfield units: {reason}"),
            Self::NoCervicalSpine => f.write_str("no cervical spine seen"),
            Self::NoCervicalSpineIn(searched) => {
                write!(f, "no cervical spine seen in {searched}; the others were not searched")
            }
            Self::Unsupported(what) => f.write_str(what),
        }
    }
}

/// The series chosen for analysis, and the words that explain the choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Index into [`Study::series`].
    pub series: usize,
    /// As "0.6 mm, BONE kernel, 412 slices".
    pub explanation: String,
}

/// Slices that a stack needs at least to be analysed.
const MIN_SLICES: usize = 6;
/// Extent in mm that a stack needs at least: about one cervical level.
const MIN_EXTENT_MM: f64 = 15.0;
/// Extent in mm across the body that sagittal and coronal slices need at least: a vertebra with its processes.
const MIN_ACROSS_MM: f64 = 40.0;

/// The series to analyse: of those that are [`suitable`], the one with the most points, the earlier of equals.
///
/// # Errors
/// The reason why no series can be analysed, told of the series that came nearest.
pub fn choose_series(study: &Study) -> Result<Candidate, NotAnalysed> {
    let mut best: Option<(i32, usize)> = None;
    let mut declined: Option<NotAnalysed> = None;
    for (index, verdict) in rank_series(study).into_iter().enumerate() {
        match verdict {
            Ok(score) if best.is_none_or(|(most, _)| score.total() > most) => best = Some((score.total(), index)),
            Ok(_) => {}
            Err(reason) => {
                if declined.as_ref().is_none_or(|current| nearness(&reason) > nearness(current)) {
                    declined = Some(reason);
                }
            }
        }
    }
    match best {
        Some((_, series)) => Ok(Candidate { series, explanation: explain(&study.series[series]) }),
        None => Err(declined.unwrap_or(NotAnalysed::NoPictures)),
    }
}

/// The points of every series, or why it cannot be analysed; in the study's order.
#[must_use]
pub fn rank_series(study: &Study) -> Vec<Result<SeriesScore, NotAnalysed>> {
    study.series.iter().map(|series| suitable(series).map(|()| score(series))).collect()
}

/// Whether a series can be analysed at all.
///
/// # Errors
/// The first rule that it breaks.
pub fn suitable(series: &Series) -> Result<(), NotAnalysed> {
    if let Modality::Other(code) = &series.modality {
        return Err(NotAnalysed::NotCt(code.to_string()));
    }
    match series.kind {
        SeriesKind::Axial => {}
        SeriesKind::NoPixels => return Err(NotAnalysed::NoPictures),
        SeriesKind::Unpositioned => return Err(unpositioned(series)),
        SeriesKind::Sagittal | SeriesKind::Coronal => {}
        SeriesKind::Localizer => return Err(NotAnalysed::OnlyLocalizers),
    }
    if is_projection(series) {
        return Err(NotAnalysed::Projection);
    }
    if let Some(why) = Oddity::ambiguity(&series.oddities) {
        return Err(NotAnalysed::Ambiguous(why));
    }
    if let Units::Other(reason) = &series.hints.units {
        return Err(NotAnalysed::NotHounsfield(reason.clone()));
    }
    if series.pixel_spacing().is_none() {
        return Err(NotAnalysed::NoGeometry(Missing::PixelSpacing));
    }
    let extent = series.extent_mm().ok_or(NotAnalysed::NoGeometry(Missing::SlicePositions))?;
    if series.instances.len() < MIN_SLICES {
        return Err(NotAnalysed::TooFewSlices(series.instances.len()));
    }
    let along = head_foot_mm(series);
    if along < MIN_EXTENT_MM {
        return Err(NotAnalysed::TooShort(along.round() as u32));
    }
    if series.kind != SeriesKind::Axial && extent < MIN_ACROSS_MM {
        return Err(NotAnalysed::TooNarrow(extent.round() as u32));
    }
    Ok(())
}

/// Why a series of images has no stack.
fn unpositioned(series: &Series) -> NotAnalysed {
    let has = |oddity: &Oddity| series.oddities.contains(oddity);
    match Oddity::ambiguity(&series.oddities) {
        Some(why) => NotAnalysed::Ambiguous(why),
        None if has(&Oddity::EqualPositions) => NotAnalysed::NoGeometry(Missing::DistinctPositions),
        None if has(&Oddity::NoOrientation) => NotAnalysed::NoGeometry(Missing::Orientation),
        None => NotAnalysed::NoGeometry(Missing::SlicePositions),
    }
}

/// The words that explain why this series: spacing, kernel, number of slices.
#[must_use]
pub fn explain(series: &Series) -> String {
    let mut words = Vec::new();
    if let Some(spacing) = series.slice_spacing() {
        words.push(format!("{spacing:.1} mm"));
    }
    if !series.kernel.is_empty() {
        words.push(format!("{} kernel", series.kernel));
    }
    words.push(format!("{} slices", series.instances.len()));
    words.join(", ")
}

fn nearness(reason: &NotAnalysed) -> u8 {
    match reason {
        NotAnalysed::NoPictures => 0,
        NotAnalysed::NoAxialSeries | NotAnalysed::OnlyLocalizers | NotAnalysed::Projection => 1,
        NotAnalysed::NotCt(_) => 2,
        NotAnalysed::TooFewSlices(_) => 3,
        NotAnalysed::TooShort(_) | NotAnalysed::TooNarrow(_) => 4,
        NotAnalysed::NoGeometry(_) | NotAnalysed::Ambiguous(_) => 5,
        NotAnalysed::NotHounsfield(_)
        | NotAnalysed::NoCervicalSpine
        | NotAnalysed::NoCervicalSpineIn(_)
        | NotAnalysed::Unsupported(_) => 6,
    }
}

#[cfg(test)]
mod tests;
