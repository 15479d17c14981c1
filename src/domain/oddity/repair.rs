//! Repairs of files that break the standard, made in memory.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What was repaired in memory so that a file could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Repair {
    /// No (0002,0000) group length; the RSNA 2022 files are written so.
    MetaGroupLength,
    /// A (0002,0000) group length that is not the group's.
    WrongMetaGroupLength,
    /// File meta information, but no preamble before it.
    NoPreamble,
    /// No file meta information, or none that names the transfer syntax.
    NoMeta,
    /// The data set is not written as the transfer syntax says.
    TransferSyntax,
    /// Stray bytes after the data set.
    TrailingBytes,
    /// The file ends within an element; what is before it is used.
    Cut,
    /// A value of odd length.
    OddLength,
    /// An element whose VR is none of the standard's.
    UnknownVr,
    /// A sequence or an item without its end, or an end without its sequence.
    SequenceEnd,
    /// Elements that are not in rising order.
    Order,
    /// An element that is there twice; the first counts.
    Doubled,
    /// A length of the pixels that is not theirs.
    PixelLength,
    /// Encapsulated pixels without their end.
    PixelSequenceEnd,
    /// An offset table that does not fit its fragments was not used.
    OffsetTable,
    /// Text in another character set than SpecificCharacterSet says.
    CharacterSet,
    /// Direction cosines that are no perpendicular unit vectors, normalized.
    DirectionCosines,
    /// No rescale in the file, but its values are Hounsfield units plus 1024.
    RescaleMissing1024,
    /// No rescale in the file, but its values are Hounsfield units plus 1000.
    RescaleMissing1000,
    /// The stored values are Hounsfield units already; RescaleIntercept is not applied again.
    RescaleTwice,
    /// HighBit is wrong: the values are at the other end of their words.
    HighBit,
    /// BitsStored is too small: the values use all allocated bits.
    BitsStored,
    /// Bits outside BitsStored that are no part of the values are ignored.
    StrayBits,
    /// PixelPaddingValue is a value of tissue, which is kept.
    PaddingInTissue,
}

impl Repair {
    /// Whether the values of voxels depend on the repair, and with them every number that is computed from them.
    #[must_use]
    pub fn changes_values(self) -> bool {
        match self {
            Self::RescaleMissing1024
            | Self::RescaleMissing1000
            | Self::RescaleTwice
            | Self::HighBit
            | Self::BitsStored
            | Self::StrayBits
            | Self::PaddingInTissue => true,
            Self::MetaGroupLength
            | Self::WrongMetaGroupLength
            | Self::NoPreamble
            | Self::NoMeta
            | Self::TransferSyntax
            | Self::TrailingBytes
            | Self::Cut
            | Self::OddLength
            | Self::UnknownVr
            | Self::SequenceEnd
            | Self::Order
            | Self::Doubled
            | Self::PixelLength
            | Self::PixelSequenceEnd
            | Self::OffsetTable
            | Self::CharacterSet
            | Self::DirectionCosines => false,
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MetaGroupLength => "file meta group length missing",
            Self::WrongMetaGroupLength => "file meta group length wrong",
            Self::NoPreamble => "no preamble",
            Self::NoMeta => "no DICOM file header",
            Self::TransferSyntax => "data not written as the transfer syntax says",
            Self::TrailingBytes => "stray bytes at the end of a file",
            Self::Cut => "a file cut off at its end",
            Self::OddLength => "values of odd length",
            Self::UnknownVr => "elements of unknown type (VR)",
            Self::SequenceEnd => "sequence ends missing or stray",
            Self::Order => "elements out of order",
            Self::Doubled => "doubled elements, the first counts",
            Self::PixelLength => "wrong length of the pixels",
            Self::PixelSequenceEnd => "compressed pixels without their end",
            Self::OffsetTable => "wrong pixel offset table",
            Self::CharacterSet => "text in another character set than stated",
            Self::DirectionCosines => "direction cosines normalized",
            Self::RescaleMissing1024 => "rescale missing, intercept -1024 found from air and soft tissue",
            Self::RescaleMissing1000 => "rescale missing, intercept -1000 found from air and soft tissue",
            Self::RescaleTwice => "values are Hounsfield units already, RescaleIntercept ignored",
            Self::HighBit => "HighBit wrong, found from air and soft tissue",
            Self::BitsStored => "BitsStored too small, all allocated bits used",
            Self::StrayBits => "bits outside BitsStored ignored",
            Self::PaddingInTissue => "PixelPaddingValue inside tissue ignored",
        })
    }
}
