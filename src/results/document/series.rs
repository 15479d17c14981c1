//! The series of a study.

use super::{ReasonDocument, WarningDocument};
use crate::domain::{Modality, NotAnalysed, Patient, Series, SeriesKind, SeriesScore, Study, coverage, rank_series};
use schemars::JsonSchema;
use serde::Serialize;

/// One series, or one stack of a series that holds several.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SeriesDocument {
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// Which stack of the series, from 0.
    pub stack: u32,
    /// SeriesNumber.
    pub series_number: Option<i32>,
    /// SeriesDescription.
    pub description: String,
    /// Modality; null if the files do not state it.
    pub modality: Option<String>,
    /// `axial`, `sagittal`, `coronal`, `without positions`, `localizer` or `no images`.
    pub kind: String,
    /// ConvolutionKernel.
    pub kernel: String,
    /// Number of slices.
    pub slices: usize,
    /// Rows of the first slice.
    pub rows: Option<u32>,
    /// Columns of the first slice.
    pub columns: Option<u32>,
    /// PixelSpacing: between rows, between columns, mm.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// Median distance between neighboring slice positions, mm. This is not SliceThickness.
    pub slice_spacing_mm: Option<f64>,
    /// SliceThickness, mm.
    pub slice_thickness_mm: Option<f64>,
    /// From the first slice position to the last, mm.
    pub extent_mm: Option<f64>,
    /// ImagePositionPatient of the first slice, LPS mm.
    pub first_position_mm: Option<[f64; 3]>,
    /// Direction of a row, LPS.
    pub row_cosines: Option<[f64; 3]>,
    /// Direction of a column, LPS.
    pub column_cosines: Option<[f64; 3]>,
    /// How well the series suits the analysis.
    pub selection: SelectionDocument,
    /// What the series cannot show of the neck, from its headers.
    pub coverage: Vec<WarningDocument>,
    /// Functions that are disabled because the geometry is unknown, in words.
    pub disabled: Vec<String>,
    /// Warnings on the series.
    pub warnings: Vec<WarningDocument>,
}

/// How well a series suits the analysis, by its headers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SelectionDocument {
    /// The sum of points; null if the series cannot be analyzed.
    pub points: Option<i32>,
    /// What the points are given for; empty if the series cannot be analyzed.
    pub parts: Vec<PointsDocument>,
    /// Why the series cannot be analyzed; null if it can.
    pub not_analyzed: Option<ReasonDocument>,
}

/// The kind of a series in one or two words.
#[must_use]
pub fn kind_name(kind: SeriesKind) -> &'static str {
    match kind {
        SeriesKind::Axial => "axial",
        SeriesKind::Sagittal => "sagittal",
        SeriesKind::Coronal => "coronal",
        SeriesKind::Unpositioned => "without positions",
        SeriesKind::Localizer => "localizer",
        SeriesKind::NoPixels => "no images",
    }
}

/// Functions of the viewer that are disabled because the geometry of the series is unknown.
#[must_use]
pub fn disabled(series: &Series) -> Vec<&'static str> {
    let mut disabled = Vec::new();
    if matches!(series.kind, SeriesKind::NoPixels | SeriesKind::Localizer) {
        return disabled;
    }
    if series.stack.is_none() {
        disabled.push("reformats and mm along the stack: no slice positions");
    }
    if series.pixel_spacing().is_none() {
        disabled.push("reformats and mm in the plane: no pixel spacing");
    }
    disabled
}

impl SeriesDocument {
    pub(super) fn all(study: &Study) -> Vec<Self> {
        let ranked = study.series.iter().zip(rank_series(study));
        ranked.map(|(series, suits)| Self::new(&study.patient, series, suits)).collect()
    }

    fn new(patient: &Patient, series: &Series, suits: Result<SeriesScore, NotAnalysed>) -> Self {
        let first = series.instances.first();
        let plane = first.and_then(|instance| instance.plane);
        Self {
            series_instance_uid: series.uid.to_string(),
            stack: series.stack_index,
            series_number: series.number,
            description: series.description.to_string(),
            modality: match &series.modality {
                Modality::Unstated => None,
                stated @ (Modality::Ct | Modality::Other(_)) => Some(stated.to_string()),
            },
            kind: kind_name(series.kind).to_owned(),
            kernel: series.kernel.to_string(),
            slices: series.instances.len(),
            rows: first.map(|instance| instance.rows),
            columns: first.map(|instance| instance.columns),
            pixel_spacing_mm: series.pixel_spacing().map(|spacing| [spacing.row, spacing.column]),
            slice_spacing_mm: series.slice_spacing(),
            slice_thickness_mm: first.and_then(|instance| instance.slice_thickness),
            extent_mm: series.extent_mm(),
            first_position_mm: plane.map(|plane| plane.position.to_array()),
            row_cosines: plane.map(|plane| plane.row_cosines.to_array()),
            column_cosines: plane.map(|plane| plane.column_cosines.to_array()),
            selection: SelectionDocument::new(suits),
            coverage: coverage(patient, series).iter().map(WarningDocument::from).collect(),
            disabled: disabled(series).into_iter().map(str::to_owned).collect(),
            warnings: series.oddities.iter().map(WarningDocument::from).collect(),
        }
    }
}

/// Points for one property of a series.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PointsDocument {
    /// The property in one or two words.
    pub name: String,
    /// Its points; negative if the property speaks against the series.
    pub points: i32,
}

impl SelectionDocument {
    fn new(suits: Result<SeriesScore, NotAnalysed>) -> Self {
        match suits {
            Ok(score) => Self {
                points: Some(score.total()),
                parts: score
                    .parts
                    .iter()
                    .map(|(part, points)| PointsDocument { name: part.name().to_owned(), points: *points })
                    .collect(),
                not_analyzed: None,
            },
            Err(reason) => Self { points: None, parts: Vec::new(), not_analyzed: Some(ReasonDocument::from(&reason)) },
        }
    }
}
