//! The seven cervical levels.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Index, IndexMut};
use std::str::FromStr;

/// A cervical vertebra, C1 (atlas) to C7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are the anatomy's own")]
pub enum CervicalLevel {
    C1,
    C2,
    C3,
    C4,
    C5,
    C6,
    C7,
}

impl CervicalLevel {
    /// All levels from head to foot.
    pub const ALL: [Self; 7] = [Self::C1, Self::C2, Self::C3, Self::C4, Self::C5, Self::C6, Self::C7];

    /// 0 for C1 to 6 for C7.
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The level with this index (0 = C1), if there is one.
    #[must_use]
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    /// `"C1"` to `"C7"`.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["C1", "C2", "C3", "C4", "C5", "C6", "C7"][self.index()]
    }
}

impl fmt::Display for CervicalLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for CervicalLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| format!("{text:?} is not a cervical level; C1 to C7 are"))
    }
}

/// One value for each cervical level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PerLevel<T>(pub [T; 7]);

impl<T> PerLevel<T> {
    /// Makes each level's value.
    #[must_use]
    pub fn from_fn(make: impl FnMut(CervicalLevel) -> T) -> Self {
        Self(CervicalLevel::ALL.map(make))
    }

    /// Levels with their values, C1 first.
    pub fn iter(&self) -> impl Iterator<Item = (CervicalLevel, &T)> {
        CervicalLevel::ALL.into_iter().zip(self.0.iter())
    }
}

impl<T> Index<CervicalLevel> for PerLevel<T> {
    type Output = T;

    fn index(&self, level: CervicalLevel) -> &T {
        &self.0[level.index()]
    }
}

impl<T> IndexMut<CervicalLevel> for PerLevel<T> {
    fn index_mut(&mut self, level: CervicalLevel) -> &mut T {
        &mut self.0[level.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_indices_round_trip() {
        for level in CervicalLevel::ALL {
            assert_eq!(level.name().parse(), Ok(level));
            assert_eq!(CervicalLevel::from_index(level.index()), Some(level));
        }
        assert!("T1".parse::<CervicalLevel>().is_err());
        assert_eq!(CervicalLevel::from_index(7), None);
    }
}
