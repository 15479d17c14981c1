//! How pictures go over the line: `[picture]`.

use super::{Table, TomlError};
use crate::raster::Quality;
use std::str::FromStr;

/// How pictures go over the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PictureSettings {
    /// How exact they are.
    pub quality: Quality,
    /// The most that is sent; `None` for as much as the line takes.
    pub bandwidth: Option<Bandwidth>,
}

impl PictureSettings {
    pub(super) fn read(&mut self, mut table: Table<'_>) -> Result<(), TomlError> {
        if let Some(quality) = table.text("quality")? {
            let name = quality.one_of(&Quality::ALL.map(Quality::name))?;
            self.quality = Quality::ALL.into_iter().find(|quality| quality.name() == name).unwrap_or_default();
        }
        if let Some(text) = table.text("bandwidth")? {
            let parsed = text.value.parse().map_err(|problem: UnknownBandwidth| text.error(problem.to_string()))?;
            self.bandwidth = Some(parsed);
        }
        table.finish()
    }
}

/// Bytes a second, at least 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bandwidth(u64);

impl Bandwidth {
    /// Bytes a second.
    #[must_use]
    pub fn bytes_per_second(self) -> u64 {
        self.0
    }
}

/// A text that is no bandwidth.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a number of bytes per second of at least 1K: write 200K or 1.5M")]
pub struct UnknownBandwidth(String);

impl FromStr for Bandwidth {
    type Err = UnknownBandwidth;

    /// A number, with K for a thousand or M for a million.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (number, unit) = match text.strip_suffix(['k', 'K']) {
            Some(number) => (number, 1e3),
            None => text.strip_suffix(['m', 'M']).map_or((text, 1.0), |number| (number, 1e6)),
        };
        let bytes = number.trim().parse::<f64>().ok().map(|number| number * unit);
        let bytes = bytes.filter(|bytes| (1e3..1e12).contains(bytes));
        bytes.map(|bytes| Self(bytes as u64)).ok_or_else(|| UnknownBandwidth(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bandwidth_is_a_number_with_a_unit() {
        for (text, bytes) in [("200K", 200_000), ("1M", 1_000_000), ("1.5m", 1_500_000), (" 125000 ", 125_000)] {
            assert_eq!(text.parse(), Ok(Bandwidth(bytes)), "{text}");
        }
        for text in ["", "K", "fast", "-1M", "0", "999", "NaN", "inf", "1e300M", "1G"] {
            assert!(text.parse::<Bandwidth>().is_err(), "{text}");
        }
    }
}
