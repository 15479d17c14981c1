//! Which series of a study is analysed, and which studies are declined, with the reason.

use super::{Modality, Series, SeriesKind, Study};
use std::fmt;

/// Why a study gets no probability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAnalysed {
    /// The modality is another one.
    NotCt(String),
    /// There are no pictures.
    NoPictures,
    /// There is no axial series.
    NoAxialSeries,
    /// Fewer slices than a neck needs; the number found.
    TooFewSlices(usize),
    /// The extent along the body is too small to show a cervical level; in whole mm.
    TooShort(u32),
    /// The pixel or slice geometry is unknown or unusable; what is missing.
    NoGeometry(&'static str),
    /// The pixels are not Hounsfield units.
    NotHounsfield,
    /// The network sees no cervical vertebra.
    NoCervicalSpine,
    /// The stack has a property under which the network's input would be untrue.
    Unsupported(String),
}

impl fmt::Display for NotAnalysed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCt(modality) => write!(f, "{modality}, not CT"),
            Self::NoPictures => f.write_str("no pictures"),
            Self::NoAxialSeries => f.write_str("no axial series"),
            Self::TooFewSlices(n) => write!(f, "{n} slice{}, too few for a neck", if *n == 1 { "" } else { "s" }),
            Self::TooShort(mm) => write!(f, "{mm} mm along the body, too short for a neck"),
            Self::NoGeometry(what) => write!(f, "{what} missing"),
            Self::NotHounsfield => f.write_str("pixels are not Hounsfield units"),
            Self::NoCervicalSpine => f.write_str("no cervical spine seen"),
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

/// The series to analyse, by these rules, each a tie-breaker of the one before:
///
/// 1. CT (or modality not stated), axial, with positions and pixel spacing, at least `MIN_SLICES` (6) slices and
///    `MIN_EXTENT_MM` (15) mm;
/// 2. the longer extent wins, when it is longer by more than a fifth;
/// 3. then a sharp (bone) kernel;
/// 4. then the smaller slice spacing;
/// 5. then more slices, then the earlier series.
///
/// # Errors
/// The reason why no series can be analysed, told of the series that came nearest.
pub fn choose_series(study: &Study) -> Result<Candidate, NotAnalysed> {
    let mut best: Option<usize> = None;
    let mut declined: Option<NotAnalysed> = None;
    for (index, series) in study.series.iter().enumerate() {
        match suitable(series) {
            Ok(()) if best.is_none_or(|current| is_better(series, &study.series[current])) => best = Some(index),
            Ok(()) => {}
            Err(reason) => {
                if declined.as_ref().is_none_or(|current| nearness(&reason) > nearness(current)) {
                    declined = Some(reason);
                }
            }
        }
    }
    match best {
        Some(index) => Ok(Candidate { series: index, explanation: explain(&study.series[index]) }),
        None => Err(declined.unwrap_or(NotAnalysed::NoPictures)),
    }
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
        SeriesKind::Unpositioned => return Err(NotAnalysed::NoGeometry("slice positions")),
        SeriesKind::Sagittal | SeriesKind::Coronal | SeriesKind::Localizer => return Err(NotAnalysed::NoAxialSeries),
    }
    if series.pixel_spacing().is_none() {
        return Err(NotAnalysed::NoGeometry("pixel spacing"));
    }
    let extent = series.extent_mm().ok_or(NotAnalysed::NoGeometry("slice positions"))?;
    if series.instances.len() < MIN_SLICES {
        return Err(NotAnalysed::TooFewSlices(series.instances.len()));
    }
    if extent < MIN_EXTENT_MM {
        return Err(NotAnalysed::TooShort(extent.round() as u32));
    }
    Ok(())
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

fn is_better(series: &Series, than: &Series) -> bool {
    let (extent, other) = (series.extent_mm().unwrap_or(0.0), than.extent_mm().unwrap_or(0.0));
    if extent > 1.2 * other || other > 1.2 * extent {
        return extent > other;
    }
    if is_sharp(series) != is_sharp(than) {
        return is_sharp(series);
    }
    let (spacing, other) = (series.slice_spacing().unwrap_or(f64::MAX), than.slice_spacing().unwrap_or(f64::MAX));
    if (spacing - other).abs() > 0.05 {
        return spacing < other;
    }
    series.instances.len() > than.instances.len()
}

/// Whether the kernel's or the series' name is one that the makers give to sharp (bone) reconstructions: GE BONE, Siemens B60 to
/// B80 and Br/Hr 59 to 69, Philips YA to YE, Canon FC30 and up, or the word itself.
fn is_sharp(series: &Series) -> bool {
    let kernel = series.kernel.as_str().to_ascii_uppercase();
    let description = series.description.as_str().to_ascii_uppercase();
    let number = |prefix: &str| -> Option<u32> {
        let digits: String = kernel.strip_prefix(prefix)?.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    kernel.contains("BONE")
        || kernel.contains("EDGE")
        || description.contains("BONE")
        || ["YA", "YB", "YC", "YD", "YE"].contains(&kernel.as_str())
        || ["BR", "HR", "BL", "BV"].iter().any(|prefix| number(prefix).is_some_and(|n| n >= 59))
        || ["B", "H", "J", "I"].iter().any(|prefix| number(prefix).is_some_and(|n| (60..=99).contains(&n)))
        || number("FC").is_some_and(|n| (30..=39).contains(&n) || (80..=89).contains(&n))
}

fn nearness(reason: &NotAnalysed) -> u8 {
    match reason {
        NotAnalysed::NoPictures => 0,
        NotAnalysed::NoAxialSeries => 1,
        NotAnalysed::NotCt(_) => 2,
        NotAnalysed::TooFewSlices(_) => 3,
        NotAnalysed::TooShort(_) => 4,
        NotAnalysed::NoGeometry(_) => 5,
        NotAnalysed::NotHounsfield | NotAnalysed::NoCervicalSpine | NotAnalysed::Unsupported(_) => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CleanText, Instance, Patient, PixelSpacing, SliceStack, Uid};

    fn series(slices: usize, spacing: f64, kernel: &str) -> Series {
        let instance = |i: usize| Instance {
            path: format!("{i}.dcm").into(),
            sop_instance_uid: Uid::from_file(&format!("1.{i}")),
            frame: 0,
            instance_number: None,
            plane: None,
            spacing: PixelSpacing::new(0.5, 0.5),
            rows: 512,
            columns: 512,
            slice_thickness: None,
        };
        Series {
            uid: Uid::from_file("1.2"),
            stack_index: 0,
            number: None,
            description: CleanText::default(),
            modality: Modality::Ct,
            kernel: CleanText::new(kernel),
            body_part: CleanText::default(),
            kind: SeriesKind::Axial,
            instances: (0..slices).map(instance).collect(),
            stack: Some(SliceStack::new((0..slices).map(|i| i as f64 * spacing).collect())),
            oddities: Vec::new(),
        }
    }

    fn study(series: Vec<Series>) -> Study {
        Study {
            uid: Uid::from_file("1"),
            patient: Patient::default(),
            date: None,
            description: CleanText::default(),
            accession: CleanText::default(),
            series,
            oddities: Vec::new(),
        }
    }

    #[test]
    fn a_sharp_kernel_beats_a_soft_one_and_then_thin_beats_thick() {
        let chosen = choose_series(&study(vec![
            series(200, 1.0, "STANDARD"),
            series(100, 2.0, "BONE"),
            series(200, 1.0, "Br64f"),
        ]));
        let chosen = chosen.expect("one is suitable");
        assert_eq!(chosen.series, 2);
        assert_eq!(chosen.explanation, "1.0 mm, Br64f kernel, 200 slices");
    }

    #[test]
    fn a_whole_neck_beats_a_sharper_part_of_it() {
        let chosen =
            choose_series(&study(vec![series(40, 1.0, "BONE"), series(100, 2.0, "STANDARD")])).expect("suitable");
        assert_eq!(chosen.series, 1);
    }

    #[test]
    fn the_reason_is_that_of_the_nearest_series() {
        let mut mr = series(100, 1.0, "");
        mr.modality = Modality::Other(CleanText::new("MR"));
        assert_eq!(choose_series(&study(vec![mr.clone()])), Err(NotAnalysed::NotCt("MR".into())));
        assert_eq!(choose_series(&study(vec![mr, series(2, 1.0, "")])), Err(NotAnalysed::TooFewSlices(2)));
        assert_eq!(choose_series(&study(vec![])), Err(NotAnalysed::NoPictures));
        assert_eq!(choose_series(&study(vec![series(8, 1.0, "")])), Err(NotAnalysed::TooShort(7)));
    }
}
