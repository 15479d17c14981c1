//! What is odd about a study or a series: found, told, never silently repaired.

mod ambiguity;
mod repair;

pub use ambiguity::Ambiguity;
pub use repair::Repair;

use super::{Axis, Disclosure, NotHounsfield, SensitiveText, WITHHELD};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One oddity. Its text is a short plain notice to the reader.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Oddity {
    /// Places between neighboring slices that no slice covers; see [`super::SliceStack::gaps`].
    Gaps(usize),
    /// Slices at a position that another slice of the series holds already; number left out.
    DuplicatePositions(usize),
    /// Files with a SOPInstanceUID that another file has with other contents; number of files.
    DoubledInstanceUid(usize),
    /// Byte-for-byte or instance-for-instance copies that count once; number of copies.
    Copies(usize),
    /// Gantry tilt in tenths of a degree: the stack is sheared.
    Tilt(u32),
    /// The planes are oblique; angle between the normal and the nearest patient axis in tenths of a degree.
    Oblique(u32),
    /// Slices of another size or pixel spacing than most, left out.
    MixedSizes(usize),
    /// Slices of another orientation than most (localizers), left out.
    MixedOrientations(usize),
    /// Images that are not one grey channel (colour, palette), left out.
    NotGrey(usize),
    /// Slices without a usable ImagePositionPatient or ImageOrientationPatient, left out of a stack that has them.
    WithoutPosition(usize),
    /// No slice has a position: a stack in InstanceNumber order, no mm along it.
    NoPositions,
    /// PixelSpacing is missing or unusable: no mm in the plane.
    NoPixelSpacing,
    /// Slices whose pixels could not be used, left out.
    UnreadablePixels(usize),
    /// Slices that could not be read when the series was loaded, left out.
    Unread {
        /// How many.
        slices: usize,
        /// Why.
        #[serde(with = "super::sensitive::as_text")]
        reason: SensitiveText,
    },
    /// More such slices, for yet other reasons.
    UnreadMore(usize),
    /// Slices whose rescale values are not numbers that a CT can have, left out.
    BadRescale(usize),
    /// A window in the file that is none was replaced.
    BadWindow,
    /// SliceThickness or another number that is not used for geometry breaks the standard.
    BadNumber(String),
    /// Slice thickness exceeds the spacing: slices overlap.
    OverlappingSlices,
    /// A file that breaks the standard was read all the same.
    Repaired(Repair),
    /// Slices are MONOCHROME1.
    Monochrome1,
    /// Neighbouring slices lie at uneven distances.
    UnevenSpacing,
    /// Multi-frame files whose frames are not there or cannot be told apart; number left out.
    MultiFrame(usize),
    /// Slices whose pixels have a form that is not read, left out.
    PixelForm(PixelForm, usize),
    /// Files of this many patients carry one StudyInstanceUID; each patient has an entry of their own.
    SeveralPatients(usize),
    /// StudyInstanceUID, SeriesInstanceUID or SOPInstanceUID is a placeholder or the same for everything: studies and series
    /// were told apart by folder, patient, frame of reference and geometry.
    PlaceholderUids,
    /// Two files have one SOPInstanceUID and different pixels.
    ConflictingPixels {
        /// The file that is used.
        used: String,
        /// The file that is not.
        ignored: String,
    },
    /// A slice that lies far from all others, left out.
    OutlierPosition {
        /// Its file.
        file: String,
        /// Its InstanceNumber.
        instance_number: Option<i32>,
        /// Distance from the stack, mm; 0 if another slice claims the same position.
        mm: u32,
    },
    /// All images have one ImagePositionPatient: they are shown in the order of SliceLocation and InstanceNumber.
    EqualPositions,
    /// Slices with an unusable ImageOrientationPatient, left out of a stack that has it.
    WithoutOrientation(usize),
    /// No slice has a usable ImageOrientationPatient.
    NoOrientation,
    /// SliceThickness changes within the stack: smallest and largest, tenths of a mm.
    MixedThickness(u32, u32),
    /// Slices of another acquisition or reconstruction, too few for a stack of their own, left out.
    OtherAcquisition(usize),
    /// Which slices belong together is not certain: the series is shown and not analyzed.
    Ambiguous(Ambiguity),
    /// Localizers (by ImageType) in a series of slices, left out.
    Localizers(usize),
    /// Files of a series that hold no picture; number left out.
    WithoutPicture(usize),
    /// One series holds several stacks, which are told apart; their number.
    SeveralStacks(usize),
    /// Single slices lie beside the stack's axis and are moved back within their plane.
    ShiftedSlices,
    /// The slices are sagittal ([`Axis::RightLeft`]) or coronal ([`Axis::FrontBack`]); the volume is turned into axial ones.
    Resliced(Axis),
    /// Rows of axial slices run from front to back; rows and columns are exchanged.
    TurnedRows,
    /// The values of a CT series are not Hounsfield units.
    NotHounsfield(NotHounsfield),
}

impl Oddity {
    /// Why it is not certain which slices belong together, if one of these says so.
    #[must_use]
    pub fn ambiguity(all: &[Self]) -> Option<Ambiguity> {
        all.iter().find_map(|oddity| match oddity {
            Self::Ambiguous(why) => Some(*why),
            _ => None,
        })
    }

    /// A stable name for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gaps(_) => "gaps",
            Self::DuplicatePositions(_) => "duplicate-positions",
            Self::DoubledInstanceUid(_) => "doubled-instance-uid",
            Self::Copies(_) => "copies",
            Self::Tilt(_) => "tilt",
            Self::Oblique(_) => "oblique",
            Self::MixedSizes(_) => "mixed-sizes",
            Self::MixedOrientations(_) => "mixed-orientations",
            Self::NotGrey(_) => "not-grey",
            Self::WithoutPosition(_) => "without-position",
            Self::NoPositions => "no-positions",
            Self::NoPixelSpacing => "no-pixel-spacing",
            Self::UnreadablePixels(_) => "unreadable-pixels",
            Self::BadRescale(_) => "bad-rescale",
            Self::Unread { .. } => "unread",
            Self::UnreadMore(_) => "unread-more",
            Self::BadWindow => "bad-window",
            Self::BadNumber(_) => "bad-number",
            Self::OverlappingSlices => "overlapping-slices",
            Self::Repaired(_) => "repaired",
            Self::Monochrome1 => "monochrome1",
            Self::UnevenSpacing => "uneven-spacing",
            Self::MultiFrame(_) => "multi-frame",
            Self::PixelForm(..) => "pixel-form",
            Self::SeveralPatients(_) => "several-patients",
            Self::PlaceholderUids => "placeholder-uids",
            Self::ConflictingPixels { .. } => "conflicting-pixels",
            Self::OutlierPosition { .. } => "outlier-position",
            Self::EqualPositions => "equal-positions",
            Self::WithoutOrientation(_) => "without-orientation",
            Self::NoOrientation => "no-orientation",
            Self::MixedThickness(..) => "mixed-thickness",
            Self::OtherAcquisition(_) => "other-acquisition",
            Self::Ambiguous(_) => "ambiguous-stack",
            Self::Localizers(_) => "localizers",
            Self::WithoutPicture(_) => "without-picture",
            Self::SeveralStacks(_) => "several-stacks",
            Self::ShiftedSlices => "shifted-slices",
            Self::Resliced(_) => "resliced",
            Self::TurnedRows => "turned-rows",
            Self::NotHounsfield(_) => "not-hounsfield",
        }
    }

    /// The warning without what may name a patient: paths and text from files. A new variant has to be sorted in here before it compiles.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        match self {
            Self::Unread { slices, reason } => Self::Unread { slices: *slices, reason: reason.anonymous() },
            // The names of elements.
            Self::BadNumber(element) => Self::BadNumber(element.clone()),
            Self::Gaps(..)
            | Self::DuplicatePositions(..)
            | Self::DoubledInstanceUid(..)
            | Self::Copies(..)
            | Self::Tilt(..)
            | Self::Oblique(..)
            | Self::MixedSizes(..)
            | Self::MixedOrientations(..)
            | Self::NotGrey(..)
            | Self::WithoutPosition(..)
            | Self::NoPositions
            | Self::NoPixelSpacing
            | Self::UnreadablePixels(..)
            | Self::UnreadMore(..)
            | Self::BadRescale(..)
            | Self::BadWindow
            | Self::OverlappingSlices
            | Self::Repaired(..)
            | Self::Monochrome1
            | Self::UnevenSpacing
            | Self::MultiFrame(..)
            | Self::PixelForm(..)
            | Self::SeveralPatients(..)
            | Self::Localizers(..)
            | Self::WithoutPicture(..)
            | Self::SeveralStacks(..)
            | Self::ShiftedSlices
            | Self::Resliced(..)
            | Self::PlaceholderUids
            | Self::EqualPositions
            | Self::WithoutOrientation(..)
            | Self::NoOrientation
            | Self::MixedThickness(..)
            | Self::OtherAcquisition(..)
            | Self::Ambiguous(..)
            | Self::TurnedRows => self.clone(),
            Self::NotHounsfield(reason) => Self::NotHounsfield(reason.anonymous()),
            Self::ConflictingPixels { .. } => {
                Self::ConflictingPixels { used: WITHHELD.to_owned(), ignored: WITHHELD.to_owned() }
            }
            Self::OutlierPosition { file: _, instance_number, mm } => {
                Self::OutlierPosition { file: WITHHELD.to_owned(), instance_number: *instance_number, mm: *mm }
            }
        }
    }

    /// The warning in words, for a reader.
    #[must_use]
    pub fn shown(&self, to: Disclosure) -> String {
        match to {
            Disclosure::Named => self.to_string(),
            Disclosure::Anonymous => self.anonymous().to_string(),
        }
    }

    /// How many files, slices or places it speaks of; `None` where it speaks of the whole.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        match self {
            Self::Gaps(n) | Self::DoubledInstanceUid(n) | Self::SeveralPatients(n) | Self::SeveralStacks(n) => Some(*n),
            other => other.left_out(),
        }
    }

    /// How many files it leaves out of the volume; `None` where it leaves out none.
    #[must_use]
    pub fn left_out(&self) -> Option<usize> {
        match self {
            Self::DuplicatePositions(n)
            | Self::Copies(n)
            | Self::MixedSizes(n)
            | Self::MixedOrientations(n)
            | Self::NotGrey(n)
            | Self::WithoutPosition(n)
            | Self::WithoutOrientation(n)
            | Self::OtherAcquisition(n)
            | Self::UnreadablePixels(n)
            | Self::BadRescale(n)
            | Self::Unread { slices: n, .. }
            | Self::UnreadMore(n)
            | Self::MultiFrame(n)
            | Self::PixelForm(_, n)
            | Self::Localizers(n)
            | Self::WithoutPicture(n) => Some(*n),
            Self::ConflictingPixels { .. } | Self::OutlierPosition { .. } => Some(1),
            _ => None,
        }
    }
}

/// Pixels that are no 8-bit or 16-bit integers with a linear modality LUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PixelForm {
    /// BitsAllocated above 16.
    Wide,
    /// BitsAllocated that is no multiple of 8: packed, or single bits.
    Packed,
    /// FloatPixelData or DoubleFloatPixelData.
    Float,
    /// A ModalityLUTSequence instead of rescale values.
    ModalityLut,
}

impl PixelForm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Wide, Self::Packed, Self::Float, Self::ModalityLut];
}

impl fmt::Display for PixelForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wide => "more than 16 bits a pixel",
            Self::Packed => "packed pixels",
            Self::Float => "floating-point pixels",
            Self::ModalityLut => "a table instead of rescale values",
        })
    }
}

fn count(f: &mut fmt::Formatter<'_>, n: usize, one: &str, many: &str) -> fmt::Result {
    if n == 1 { write!(f, "1 {one}") } else { write!(f, "{n} {many}") }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gaps(n) => count(f, *n, "gap between slices", "gaps between slices"),
            Self::DuplicatePositions(n) => {
                count(f, *n, "slice at a doubled position left out", "slices at doubled positions left out")
            }
            Self::DoubledInstanceUid(n) => {
                count(f, *n, "file shares its instance UID with another", "files share an instance UID with another")
            }
            Self::Copies(n) => count(f, *n, "duplicate ignored", "duplicates ignored"),
            Self::Tilt(tenths) => write!(f, "gantry tilt {}.{}°", tenths / 10, tenths % 10),
            Self::Oblique(tenths) => write!(f, "oblique planes, {}.{}°", tenths / 10, tenths % 10),
            Self::MixedSizes(n) => count(
                f,
                *n,
                "slice of another size or pixel spacing left out",
                "slices of another size or pixel spacing left out",
            ),
            Self::MixedOrientations(n) => {
                count(f, *n, "image of another orientation left out", "images of another orientation left out")
            }
            Self::NotGrey(n) => count(f, *n, "color image left out", "color images left out"),
            Self::WithoutPosition(n) => {
                count(f, *n, "slice without a position left out", "slices without a position left out")
            }
            Self::NoPositions => f.write_str("no slice positions: order by number, no mm along the stack"),
            Self::NoPixelSpacing => f.write_str("no pixel spacing: no mm"),
            Self::UnreadablePixels(n) => {
                count(f, *n, "slice with unreadable pixels left out", "slices with unreadable pixels left out")
            }
            Self::BadRescale(n) => {
                count(f, *n, "slice with a bad rescale left out", "slices with a bad rescale left out")
            }
            Self::Unread { slices: 1, reason } => write!(f, "1 slice left out: {reason}"),
            Self::Unread { slices, reason } => write!(f, "{slices} slices left out: {reason}"),
            Self::UnreadMore(n) => {
                count(f, *n, "more slice left out for another reason", "more slices left out for other reasons")
            }
            Self::BadWindow => f.write_str("a window in the file is not one: replaced"),
            Self::BadNumber(what) => write!(f, "{what} is not a usable number"),
            Self::OverlappingSlices => f.write_str("slices overlap"),
            Self::Repaired(repair) => write!(f, "repaired: {repair}"),
            Self::Monochrome1 => f.write_str("MONOCHROME1"),
            Self::UnevenSpacing => f.write_str("uneven slice spacing"),
            Self::MultiFrame(n) => count(f, *n, "multi-frame file left out", "multi-frame files left out"),
            Self::PixelForm(form, 1) => write!(f, "1 slice with {form} left out"),
            Self::PixelForm(form, n) => write!(f, "{n} slices with {form} left out"),
            Self::SeveralPatients(n) => {
                write!(
                    f,
                    "files of {n} patients share this StudyInstanceUID: split into one entry a patient; check the export"
                )
            }
            Self::PlaceholderUids => {
                f.write_str("placeholder UIDs: studies and series separated by folder, patient and geometry")
            }
            Self::ConflictingPixels { used, ignored } => {
                write!(f, "different pixels under one SOPInstanceUID: {used} is used, {ignored} is not")
            }
            Self::OutlierPosition { file, instance_number, mm } => {
                f.write_str("slice ")?;
                instance_number.map_or(Ok(()), |number| write!(f, "{number} "))?;
                match mm {
                    0 => write!(f, "({file}) left out: two slices have its position, and a position nearby has none"),
                    _ => write!(f, "({file}) left out: its position is {mm} mm from the stack"),
                }
            }
            Self::EqualPositions => f.write_str("all images have the same ImagePositionPatient: no mm along the stack"),
            Self::WithoutOrientation(n) => count(
                f,
                *n,
                "slice without a usable orientation left out",
                "slices without a usable orientation left out",
            ),
            Self::NoOrientation => f.write_str("no usable ImageOrientationPatient: no planes, no mm along the stack"),
            Self::MixedThickness(least, most) => {
                write!(f, "slice thickness from {}.{} to {}.{} mm", least / 10, least % 10, most / 10, most % 10)
            }
            Self::OtherAcquisition(n) => count(
                f,
                *n,
                "slice of another acquisition or reconstruction left out",
                "slices of another acquisition or reconstruction left out",
            ),
            Self::Ambiguous(why) => write!(f, "not analyzed: {why}"),
            Self::Localizers(n) => count(f, *n, "localizer left out", "localizers left out"),
            Self::WithoutPicture(n) => count(f, *n, "file without an image", "files without an image"),
            Self::SeveralStacks(n) => write!(f, "one series split into {n} stacks"),
            Self::ShiftedSlices => f.write_str("slices beside the stack's axis: moved back"),
            Self::Resliced(Axis::FrontBack) => f.write_str("coronal slices: read as axial ones"),
            Self::Resliced(_) => f.write_str("sagittal slices: read as axial ones"),
            Self::TurnedRows => f.write_str("rows run from front to back: turned"),
            Self::NotHounsfield(reason) => write!(f, "not Hounsfield units: {reason}"),
        }
    }
}
