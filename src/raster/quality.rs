//! How exact pictures are to be on their way to the screen.

use std::time::Duration;

/// What the reader asks of pictures over a slow line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Quality {
    /// Exact; while keys repeat on a line too slow for that, previews.
    #[default]
    Auto,
    /// Exact always.
    Exact,
    /// Previews always: half the size, 64 greys.
    Preview,
}

impl Quality {
    /// All of them, in the order in which a key goes through them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Exact, Self::Preview];

    /// `auto`, `exact`, `preview`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Exact => "exact",
            Self::Preview => "preview",
        }
    }

    /// The next of [`Quality::ALL`].
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }
}

/// What is known of the line to the terminal, and what is on its screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineState {
    /// The shortest time from a question to its answer.
    pub round_trip: Option<Duration>,
    /// What it carries.
    pub bytes_per_second: Option<u64>,
    /// Pictures that the terminal had stored.
    pub hits: u64,
    /// Pictures that were sent.
    pub sent: u64,
    /// Stored pictures that had to make room.
    pub evictions: u64,
    /// Pictures that the terminal stores.
    pub stored: usize,
    /// A picture on the screen is only a preview.
    pub preview: bool,
}
