//! Studies, series and instances as their headers describe them.

use super::{CleanText, Fingerprint, ImagePlane, Oddity, PixelSpacing, Precedence, SliceStack, Uid, Units};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// PatientSex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are the standard's own words")]
pub enum Sex {
    Female,
    Male,
    Other,
}

impl Sex {
    /// `F`, `M` or `O`.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Female => 'F',
            Self::Male => 'M',
            Self::Other => 'O',
        }
    }
}

/// Who was scanned, as far as the files say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Patient {
    /// PatientName, family name first.
    pub name: CleanText,
    /// PatientID.
    pub id: CleanText,
    /// Age in whole years at the study, from PatientAge or the birth date.
    pub age_years: Option<u16>,
    /// PatientSex.
    pub sex: Option<Sex>,
}

/// Date and time of a study as written, in the scanner's local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StudyDateTime {
    /// Year.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day, 1 to 31.
    pub day: u8,
    /// Hour and minute, where the file has them.
    pub time: Option<(u8, u8)>,
}

impl fmt::Display for StudyDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)?;
        self.time.map_or(Ok(()), |(hour, minute)| write!(f, " {hour:02}:{minute:02}"))
    }
}

/// Modality of a series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Modality {
    /// Computed tomography.
    Ct,
    /// Another modality, by its DICOM code.
    Other(CleanText),
    /// The files do not say (the RSNA 2022 data set leaves it out).
    Unstated,
}

impl fmt::Display for Modality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ct => f.pad("CT"),
            Self::Other(code) => f.pad(code.as_str()),
            Self::Unstated => f.pad("modality not stated"),
        }
    }
}

/// What a series is, told from its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SeriesKind {
    /// Parallel slices whose normal is nearest to the body's long axis.
    Axial,
    /// Parallel slices, sagittal.
    Sagittal,
    /// Parallel slices, coronal.
    Coronal,
    /// Pictures without positions: shown in order of their numbers.
    Unpositioned,
    /// A localizer (scout).
    Localizer,
    /// No pictures (dose report, presentation state, structured report).
    NoPixels,
}

/// One picture: a file, or one frame of a multi-frame file.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The file. Opened by `dicom` only.
    pub path: PathBuf,
    /// SOPInstanceUID.
    pub sop_instance_uid: Uid,
    /// Frame of a multi-frame file, from 0.
    pub frame: u32,
    /// InstanceNumber, where it is a number.
    pub instance_number: Option<i32>,
    /// Image plane, where the file has a usable one.
    pub plane: Option<ImagePlane>,
    /// PixelSpacing, where the file has a usable one.
    pub spacing: Option<PixelSpacing>,
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
    /// SliceThickness in mm; not the spacing.
    pub slice_thickness: Option<f64>,
}

/// What the headers say about how a series was made, for the choice among several.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SeriesHints {
    /// ImageType, its values joined by backslashes as in the file: `ORIGINAL\\PRIMARY\\AXIAL`.
    pub image_type: CleanText,
    /// ProtocolName.
    pub protocol: CleanText,
    /// Whether ContrastBolusAgent names one.
    pub contrast: bool,
    /// The unit of the values, as far as the headers say.
    pub units: Units,
}

/// One series (or one regular stack of a series that holds several), its slices in the volume's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// SeriesInstanceUID.
    pub uid: Uid,
    /// FrameOfReferenceUID of the first picture: series that share it share one patient system. Empty where the files give none.
    pub frame_of_reference: Uid,
    /// Which stack of the series this is, from 0, when one SeriesInstanceUID holds several.
    pub stack_index: u32,
    /// SeriesNumber.
    pub number: Option<i32>,
    /// SeriesDescription.
    pub description: CleanText,
    /// Modality.
    pub modality: Modality,
    /// ConvolutionKernel.
    pub kernel: CleanText,
    /// BodyPartExamined.
    pub body_part: CleanText,
    /// How it was made, as far as the headers say.
    pub hints: SeriesHints,
    /// What it is.
    pub kind: SeriesKind,
    /// What the stamps of its files come to; `None` where one is unknown.
    pub fingerprint: Option<Fingerprint>,
    /// The instances that make up the stack, in the volume's order: head to foot for axial ones.
    pub instances: Vec<Instance>,
    /// Offsets and spacing along the stack; `None` where the instances have no positions.
    pub stack: Option<SliceStack>,
    /// What is odd, as far as the headers tell.
    pub oddities: Vec<Oddity>,
}

impl Series {
    /// PixelSpacing of the first instance.
    #[must_use]
    pub fn pixel_spacing(&self) -> Option<PixelSpacing> {
        self.instances.first().and_then(|instance| instance.spacing)
    }

    /// Whether positions in both series are positions in one patient system (PS3.3 section C.7.4.1.1.1).
    #[must_use]
    pub fn shares_frame_with(&self, other: &Self) -> bool {
        self.uid == other.uid
            || (!self.frame_of_reference.is_empty() && self.frame_of_reference == other.frame_of_reference)
    }

    /// Extent of the stack in mm; `None` where positions are unknown.
    #[must_use]
    pub fn extent_mm(&self) -> Option<f64> {
        self.stack.as_ref().map(SliceStack::extent)
    }

    /// Slice spacing in mm (median of differences of positions), which is not SliceThickness.
    #[must_use]
    pub fn slice_spacing(&self) -> Option<f64> {
        self.stack.as_ref().and_then(|stack| stack.spacing)
    }
}

/// One study with its series.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// StudyInstanceUID.
    pub uid: Uid,
    /// Who.
    pub patient: Patient,
    /// StudyDate and StudyTime (or the nearest date the file has).
    pub date: Option<StudyDateTime>,
    /// StudyDescription.
    pub description: CleanText,
    /// AccessionNumber.
    pub accession: CleanText,
    /// STAT where whoever asked for the study says so in any of its files, else ordinary. What a reader says goes over it.
    pub precedence: Precedence,
    /// Series, by number and UID.
    pub series: Vec<Series>,
    /// What is odd about the study as a whole.
    pub oddities: Vec<Oddity>,
}

impl Study {
    /// Number of pictures in all series.
    #[must_use]
    pub fn picture_count(&self) -> usize {
        self.series.iter().map(|series| series.instances.len()).sum()
    }
}
