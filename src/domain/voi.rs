//! Windows: Hounsfield units to grey.

use super::CleanText;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// VOI LUT function (PS3.3 section C.11.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum VoiFunction {
    /// `LINEAR`, the default: the window's edges lie at `c − 0.5 ∓ (w − 1)/2`.
    #[default]
    Linear,
    /// `LINEAR_EXACT`: the window's edges lie at `c ∓ w/2`.
    LinearExact,
    /// `SIGMOID`: `1 / (1 + exp(−4 (x − c)/w))`.
    Sigmoid,
}

/// A window: centre and width in HU, and the function between.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WindowLevel {
    center: f64,
    width: f64,
    function: VoiFunction,
}

impl Default for WindowLevel {
    /// Width 2000, level 350: bone.
    fn default() -> Self {
        Self { center: 350.0, width: 2000.0, function: VoiFunction::Linear }
    }
}

impl WindowLevel {
    /// A linear window, if both numbers are finite and `width ≥ 1` (PS3.3 section C.11.2.1.2.1).
    #[must_use]
    pub fn new(center: f64, width: f64) -> Option<Self> {
        Self::with_function(center, width, VoiFunction::Linear)
    }

    /// A window with another VOI LUT function. `LINEAR` needs `width ≥ 1`, the others `width > 0`.
    #[must_use]
    pub fn with_function(center: f64, width: f64, function: VoiFunction) -> Option<Self> {
        let wide_enough = if function == VoiFunction::Linear { width >= 1.0 } else { width > 0.0 };
        (center.is_finite() && center.abs() <= 1e6 && width.is_finite() && width <= 1e6 && wide_enough)
            .then_some(Self { center, width, function })
    }

    /// Centre (level) in HU.
    #[must_use]
    pub fn center(&self) -> f64 {
        self.center
    }

    /// Width in HU.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.width
    }

    /// The function between the edges.
    #[must_use]
    pub fn function(&self) -> VoiFunction {
        self.function
    }

    /// The same window with other numbers, held within what [`WindowLevel::new`] accepts.
    #[must_use]
    pub fn adjusted(&self, center: f64, width: f64) -> Self {
        let center = if center.is_finite() { center.clamp(-32_768.0, 32_767.0) } else { self.center };
        let width = if width.is_finite() { width.clamp(1.0, 65_535.0) } else { self.width };
        Self { center, width, ..*self }
    }

    /// Brightness in `0.0..=1.0` of a value in HU (PS3.3 section C.11.2.1.2 and C.11.2.1.3).
    #[must_use]
    pub fn apply(&self, hounsfield: f64) -> f64 {
        let (c, w) = (self.center, self.width);
        match self.function {
            VoiFunction::Linear if w <= 1.0 => f64::from(u8::from(hounsfield > c - 0.5)),
            VoiFunction::Linear => ((hounsfield - (c - 0.5)) / (w - 1.0) + 0.5).clamp(0.0, 1.0),
            VoiFunction::LinearExact => ((hounsfield - c) / w + 0.5).clamp(0.0, 1.0),
            VoiFunction::Sigmoid => 1.0 / (1.0 + (-4.0 * (hounsfield - c) / w).exp()),
        }
    }

    /// Grey in `0..=255` of a value in HU.
    #[must_use]
    pub fn grey(&self, hounsfield: f64) -> u8 {
        (self.apply(hounsfield) * 255.0).round() as u8
    }
}

impl fmt::Display for WindowLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W {} L {}", self.width.round(), self.center.round())
    }
}

/// A VOI LUT: a table from values to grey (PS3.3 section C.11.2.1.1). Values before its first and after its last entry take
/// theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoiTable {
    first: i32,
    values: Vec<u16>,
    top: u16,
}

impl VoiTable {
    /// A table whose first entry is for the value `first` and whose entries have `bits` bits; `None` where there is no entry
    /// or they have another size than 8 to 16 bits.
    #[must_use]
    pub fn new(first: i32, bits: u32, values: Vec<u16>) -> Option<Self> {
        let top = u16::try_from((1_u32 << bits.min(31)) - 1).ok()?;
        ((8..=16).contains(&bits) && !values.is_empty()).then_some(Self { first, values, top })
    }

    /// Grey in `0..=255` of a value.
    #[must_use]
    pub fn grey(&self, value: i16) -> u8 {
        let index = usize::try_from(i32::from(value).saturating_sub(self.first)).unwrap_or(0);
        let entry = self.values.get(index).or(self.values.last()).copied().unwrap_or(0);
        let (entry, top) = (u32::from(entry.min(self.top)), u32::from(self.top.max(1)));
        ((entry * 255 + top / 2) / top) as u8
    }

    /// The linear window over the values that the table tells apart.
    #[must_use]
    pub fn window(&self) -> WindowLevel {
        let width = self.values.len() as f64;
        WindowLevel::new(f64::from(self.first) + width / 2.0, width).unwrap_or_default()
    }
}

/// A window with the name that it is called by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowPreset {
    /// Name, as "bone" or the file's own explanation.
    pub name: CleanText,
    /// The window.
    pub window: WindowLevel,
    /// The table that is used instead of the window, until that is changed.
    pub table: Option<Arc<VoiTable>>,
}

impl WindowPreset {
    /// The built-in CT presets: bone, bone-detail, soft, lung and brain.
    #[must_use]
    pub fn builtin() -> Vec<Self> {
        [
            ("bone", 350.0, 2000.0),
            ("bone-detail", 500.0, 1800.0),
            ("soft", 40.0, 400.0),
            ("lung", -500.0, 1500.0),
            ("brain", 40.0, 80.0),
        ]
        .into_iter()
        .filter_map(|(name, center, width)| {
            Some(Self { name: CleanText::new(name), window: WindowLevel::new(center, width)?, table: None })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PS3.3 section C.11.2.1.2.1, its note 3: output 0 to 255, c = 2048 and w = 4096, c = 0 and w = 100, c = 0 and w = 1.
    #[test]
    fn the_standards_own_examples() {
        let full = WindowLevel::new(2048.0, 4096.0).expect("a window");
        assert_eq!(full.grey(0.0), 0);
        assert_eq!(full.grey(4095.0), 255);
        let narrow = WindowLevel::new(0.0, 100.0).expect("a window");
        // y = ((x + 0.5) / 99 + 0.5) · 255
        assert_eq!((narrow.grey(-50.0), narrow.grey(49.0)), (0, 255));
        assert!((narrow.apply(0.0) - (0.5 / 99.0 + 0.5)).abs() < 1e-12);
        let step = WindowLevel::new(0.0, 1.0).expect("a window");
        assert_eq!((step.grey(-1.0), step.grey(-0.5), step.grey(0.0)), (0, 0, 255));
    }

    #[test]
    fn exact_and_sigmoid() {
        let exact = WindowLevel::with_function(0.0, 100.0, VoiFunction::LinearExact).expect("a window");
        assert_eq!((exact.apply(-50.0), exact.apply(0.0), exact.apply(50.0)), (0.0, 0.5, 1.0));
        let sigmoid = WindowLevel::with_function(40.0, 400.0, VoiFunction::Sigmoid).expect("a window");
        assert!((sigmoid.apply(40.0) - 0.5).abs() < 1e-12);
        assert!((sigmoid.apply(140.0) - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-12);
    }

    #[test]
    fn a_table_holds_its_ends_and_uses_all_its_bits() {
        let table = VoiTable::new(-2, 12, vec![0, 4095, 2048, 5000]).expect("a table");
        assert_eq!([-100, -2, -1, 0, 1, 100].map(|value| table.grey(value)), [0, 0, 255, 128, 255, 255]);
        assert_eq!((table.window().center(), table.window().width()), (0.0, 4.0));
        assert!(VoiTable::new(0, 7, vec![1]).is_none() && VoiTable::new(0, 17, vec![1]).is_none());
        assert!(VoiTable::new(0, 8, Vec::new()).is_none());
    }

    #[test]
    fn a_window_that_is_none_cannot_be_made() {
        assert!(WindowLevel::new(0.0, 0.5).is_none());
        assert!(WindowLevel::new(f64::NAN, 10.0).is_none());
        assert!(WindowLevel::new(0.0, -6.0).is_none());
    }
}
