//! The groups that help lists commands in, by what a reader does.

/// A group of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Choosing a study.
    List,
    /// Moving through slices, levels and studies.
    Navigate,
    /// Gray levels.
    Window,
    /// Planes, slabs, zoom and what is shown on them.
    View,
    /// What the network found.
    Network,
    /// Assessments and all that is recorded with them.
    Assess,
    /// Measurements.
    Measure,
    /// Key images.
    KeyImages,
    /// The program itself.
    Session,
}

impl Group {
    /// Every group, in the order of help: the screen's own first.
    pub const ALL: [Self; 9] = [
        Self::List,
        Self::Navigate,
        Self::Assess,
        Self::Network,
        Self::Window,
        Self::View,
        Self::Measure,
        Self::KeyImages,
        Self::Session,
    ];

    /// The heading in help.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::List => "worklist",
            Self::Navigate => "navigate",
            Self::Window => "window",
            Self::View => "planes, slabs, zoom",
            Self::Network => "AI",
            Self::Assess => "assess",
            Self::Measure => "measure",
            Self::KeyImages => "key images",
            Self::Session => "session",
        }
    }
}
