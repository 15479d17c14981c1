//! Measurements and key images of all studies that were opened.

use super::Reading;
use super::record::Record;
use crate::domain::{Annotation, AnnotationChange, KeyImage, Measurement, Uid};
use crate::raster::Plane;
use std::collections::HashMap;
use std::fmt;

/// Measurements and key images of one study, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StudyAnnotations {
    /// Measurements.
    pub measurements: Vec<Measurement>,
    /// Key images.
    pub key_images: Vec<KeyImage>,
    last_id: u64,
}

/// Those of all studies.
#[derive(Debug, Clone, Default)]
pub struct Annotations {
    studies: HashMap<Uid, StudyAnnotations>,
    none: StudyAnnotations,
    unsaved: Vec<UnsavedAnnotation>,
}

/// A step that could not be kept; it stays until it is, or until the reader lets it go.
#[derive(Debug, Clone, PartialEq)]
pub struct UnsavedAnnotation {
    /// StudyInstanceUID.
    pub study: Uid,
    /// The step.
    pub change: AnnotationChange,
    /// Why it could not be kept.
    pub problem: String,
}

impl fmt::Display for UnsavedAnnotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NOT SAVED: {} ({})", self.change, self.problem)
    }
}

impl Annotations {
    /// Those of a study.
    #[must_use]
    pub fn of(&self, study: &Uid) -> &StudyAnnotations {
        self.studies.get(study).unwrap_or(&self.none)
    }

    /// Steps that could not be kept and wait for the reader's word, oldest first.
    #[must_use]
    pub fn unsaved(&self) -> &[UnsavedAnnotation] {
        &self.unsaved
    }

    /// A step could not be kept.
    pub(super) fn failed(&mut self, study: Uid, change: AnnotationChange, problem: String) {
        self.unsaved.push(UnsavedAnnotation { study, change, problem });
    }

    /// Everything that could not be kept, once more and in its order; what fails again comes back.
    pub(super) fn again(&mut self) -> Vec<Record> {
        let again = |UnsavedAnnotation { study, change, .. }| Record::Annotation { study, change };
        self.unsaved.drain(..).map(again).collect()
    }

    /// The reader knows that the oldest was not kept.
    pub(super) fn acknowledge(&mut self) -> Option<UnsavedAnnotation> {
        (!self.unsaved.is_empty()).then(|| self.unsaved.remove(0))
    }

    /// Takes over what was kept of a study. Numbers given meanwhile stay given.
    pub(super) fn remember(&mut self, study: &Uid, kept: Vec<Annotation>) {
        let own = self.studies.entry(study.clone()).or_default();
        *own = StudyAnnotations { last_id: own.last_id, ..StudyAnnotations::default() };
        for annotation in kept {
            own.apply(AnnotationChange::Put(annotation));
        }
    }

    /// Takes in a step.
    pub(super) fn apply(&mut self, study: &Uid, change: AnnotationChange) {
        self.studies.entry(study.clone()).or_default().apply(change);
    }
}

impl StudyAnnotations {
    /// A number that was never given in this study.
    #[must_use]
    pub(super) fn next_id(&self) -> u64 {
        self.last_id.saturating_add(1)
    }

    fn apply(&mut self, change: AnnotationChange) {
        match change {
            AnnotationChange::Put(annotation) => {
                self.last_id = self.last_id.max(annotation.id());
                match annotation {
                    Annotation::Measurement(new) => put(&mut self.measurements, new, |old| old.id),
                    Annotation::KeyImage(new) => put(&mut self.key_images, new, |old| old.id),
                }
            }
            AnnotationChange::Removed { id } => {
                self.last_id = self.last_id.max(id);
                self.measurements.retain(|measurement| measurement.id != id);
                self.key_images.retain(|image| image.id != id);
            }
        }
    }

    /// The key image that a slice of the open series is.
    #[must_use]
    pub fn key_image_at(&self, reading: &Reading, plane: Plane, slice: usize) -> Option<&KeyImage> {
        self.key_images.iter().find(|image| {
            super::key_images::place(reading, image).is_some_and(|(at, number)| (at, number) == (plane, slice))
        })
    }
}

fn put<T>(list: &mut Vec<T>, new: T, id: impl Fn(&T) -> u64) {
    match list.iter_mut().find(|old| id(old) == id(&new)) {
        Some(old) => *old = new,
        None => list.push(new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Geometry, Place};

    fn probe(id: u64) -> AnnotationChange {
        AnnotationChange::Put(Annotation::Measurement(Measurement {
            id,
            series: Uid::from_file("1.2"),
            geometry: Geometry::Probe { place: Place::Patient { mm: [0.0; 3] } },
        }))
    }

    #[test]
    fn a_number_is_given_once_even_after_its_bearer_is_gone() {
        let study = Uid::from_file("1");
        let mut all = Annotations::default();
        assert_eq!(all.of(&study).next_id(), 1);
        all.apply(&study, probe(1));
        all.apply(&study, probe(2));
        all.apply(&study, AnnotationChange::Removed { id: 2 });
        assert_eq!((all.of(&study).measurements.len(), all.of(&study).next_id()), (1, 3));
        assert_eq!(all.of(&Uid::from_file("2")).next_id(), 1);
    }
}
