//! The spine's course in the volumes that are in memory: planes are framed on it before they are first drawn.

use crate::domain::{SpineCourse, Volume};
use crate::inference::spine_course;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Volumes whose courses are kept.
const KEPT: usize = 8;

/// The course, or that there is none.
type Found = Option<Arc<SpineCourse>>;

/// Courses by volume, the latest last.
#[derive(Debug, Default)]
pub(super) struct Courses(Mutex<VecDeque<(Weak<Volume>, Found)>>);

impl Courses {
    /// The spine's course in a volume; `None` if it has none. The first call takes a pass over all voxels.
    pub(super) fn of(&self, volume: &Arc<Volume>) -> Found {
        let all = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |(of, _): &&(Weak<Volume>, Found)| of.upgrade().is_some_and(|of| Arc::ptr_eq(&of, volume));
        if let Some((_, course)) = all().iter().find(is_it) {
            return course.clone();
        }
        let course = spine_course(volume).map(Arc::new);
        let mut all = all();
        all.retain(|(of, _)| of.strong_count() > 0);
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back((Arc::downgrade(volume), course.clone()));
        course
    }
}
