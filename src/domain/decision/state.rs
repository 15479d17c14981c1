//! How far a study is read.

/// How far a study is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the states")]
pub enum StudyState {
    Unread,
    /// Levels are decided or a note is made, the study is not.
    Begun,
    Negative,
    Positive,
    Deferred,
    Unreadable,
    /// Readers contradict each other.
    Conflict,
}

impl StudyState {
    /// All.
    pub const ALL: [Self; 7] =
        [Self::Unread, Self::Begun, Self::Negative, Self::Positive, Self::Deferred, Self::Unreadable, Self::Conflict];

    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Begun => "begun",
            Self::Negative => "negative",
            Self::Positive => "positive",
            Self::Deferred => "deferred",
            Self::Unreadable => "unreadable",
            Self::Conflict => "conflict",
        }
    }

    /// Whether nobody needs to open the study again.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Negative | Self::Positive | Self::Unreadable)
    }
}
