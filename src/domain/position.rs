//! Where a reader was in a study.

use super::{Uid, WindowLevel};
use serde::{Deserialize, Serialize};

/// The place at which reading goes on after a pause, a lost link or a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadingPosition {
    /// SeriesInstanceUID.
    pub series: Uid,
    /// Which stack of it.
    pub stack: u32,
    /// The plane that keys work on: 0 axial, 1 sagittal, 2 coronal.
    pub plane: u8,
    /// Slice of each plane, from 0.
    pub slices: [usize; 3],
    /// Window.
    pub window: WindowLevel,
    /// Its name; empty for one that was adjusted.
    pub window_name: String,
}
