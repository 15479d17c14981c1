//! Whether values are Hounsfield units: the evidence of the headers and of the values themselves.

use super::CleanText;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The unit of a series' or a volume's values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Units {
    /// Hounsfield units. In a header: stated or usual for the modality. In a volume: the values confirm it.
    Hounsfield,
    /// Not known. In a header: neither stated nor excluded. In a volume: stated, but the values do not confirm it.
    #[default]
    Unconfirmed,
    /// Another quantity or scale.
    Other(NotHounsfield),
}

impl Units {
    /// Whether values are shown as Hounsfield units: nothing speaks against it. The analysis asks for more, see [`Units::confirmed`].
    #[must_use]
    pub fn is_hounsfield(&self) -> bool {
        matches!(self, Self::Hounsfield | Self::Unconfirmed)
    }

    /// Whether the values of a volume may be analyzed.
    ///
    /// # Errors
    /// Why they are not Hounsfield units, or not certain to be.
    pub fn confirmed(&self) -> Result<(), NotHounsfield> {
        match self {
            Self::Hounsfield => Ok(()),
            Self::Unconfirmed => Err(NotHounsfield::Unconfirmed),
            Self::Other(reason) => Err(reason.clone()),
        }
    }

    /// The units of a stack whose slices have these two units: evidence against Hounsfield units wins.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

/// Why values are not taken for Hounsfield units.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NotHounsfield {
    /// The values show too little air and soft tissue to confirm the scale.
    Unconfirmed,
    /// The modality is another one than CT.
    Modality(CleanText),
    /// RescaleType (0028,1054) names another unit.
    RescaleType(CleanText),
    /// ImageType (0008,0008) or FrameType names a map or a computed image; the value that does.
    ImageType(CleanText),
    /// MeasurementUnitsCodeSequence (0040,08EA) names another unit; its code value.
    UnitsCode(CleanText),
    /// Eight bits a pixel and no rescale that reaches air.
    EightBit,
    /// The values lack the peaks that CT has.
    Values(OddValues),
    /// Slices differ in scale although their values must be comparable.
    MixedScales,
    /// Stored words use bits outside BitsStored, and both readings are possible.
    BitsOutsideStored,
}

impl fmt::Display for NotHounsfield {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unconfirmed => f.write_str("the values do not confirm the scale (air and soft tissue not found)"),
            Self::Modality(modality) => write!(f, "modality {modality}"),
            Self::RescaleType(unit) => write!(f, "RescaleType {unit}"),
            Self::ImageType(value) => write!(f, "ImageType {value}"),
            Self::UnitsCode(code) => write!(f, "measurement units {code}"),
            Self::EightBit => f.write_str("8-bit export"),
            Self::Values(values) => values.fmt(f),
            Self::MixedScales => f.write_str("slices with different scales"),
            Self::BitsOutsideStored => f.write_str("pixel values exceed BitsStored"),
        }
    }
}

/// Values without the peaks of CT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OddValues {
    /// What is missing.
    pub missing: MissingPeak,
    /// 1st percentile of the values.
    pub low: i16,
    /// 99th percentile of the values.
    pub high: i16,
}

impl fmt::Display for OddValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = match self.missing {
            MissingPeak::Air => "no air near -1000",
            MissingPeak::SoftTissue => "no soft tissue near 40",
            MissingPeak::Both => "no air near -1000 and no soft tissue near 40",
        };
        write!(f, "{missing} in values from {} to {}", self.low, self.high)
    }
}

/// A peak that the values of CT have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are missing")]
pub enum MissingPeak {
    Air,
    SoftTissue,
    Both,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_against_hounsfield_units_wins() {
        let map = Units::Other(NotHounsfield::RescaleType(CleanText::new("US")));
        assert_eq!(Units::Hounsfield.and(map.clone()), map);
        assert_eq!(map.clone().and(Units::Unconfirmed), map);
        assert_eq!(Units::Unconfirmed.and(Units::Hounsfield), Units::Unconfirmed);
        assert!(Units::Unconfirmed.is_hounsfield() && Units::Unconfirmed.confirmed().is_err());
        assert_eq!(map.confirmed().map_err(|reason| reason.to_string()), Err("RescaleType US".into()));
    }
}
