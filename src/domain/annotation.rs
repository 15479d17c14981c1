//! What a reader lays on a study: measurements and key images.

use super::{KeyImage, Measurement};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A measurement or a key image. Their numbers are of one series: an id is given once in a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Annotation {
    /// A measurement.
    Measurement(Measurement),
    /// A key image.
    KeyImage(KeyImage),
}

impl Annotation {
    /// Number within the study.
    #[must_use]
    pub fn id(&self) -> u64 {
        match self {
            Self::Measurement(measurement) => measurement.id,
            Self::KeyImage(image) => image.id,
        }
    }
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measurement(measurement) => write!(f, "measurement {}", measurement.id),
            Self::KeyImage(image) => write!(f, "key image {}", image.id),
        }
    }
}

/// A step in the life of a study's annotations; replayed in order, the steps give what there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnnotationChange {
    /// It is there now; one with the same id is replaced.
    Put(Annotation),
    /// It is gone.
    Removed {
        /// Its id.
        id: u64,
    },
}

impl fmt::Display for AnnotationChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put(annotation) => annotation.fmt(f),
            Self::Removed { id } => write!(f, "{id} taken away"),
        }
    }
}
