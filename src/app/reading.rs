//! The open study: which series, the planes with their windows, and one cursor in the patient that they all go through.

mod ahead;
mod appearance;
mod beside;
mod first;
mod framing;
mod moving;
mod words;

pub use appearance::Appearance;
pub use beside::{Alignment, Beside, Source};
pub use framing::Framing;
pub use words::signed;

use super::Command;
use super::pointer::Held;
use crate::domain::pseudonym::kept_window_name;
use crate::domain::{
    CervicalLevel, FractureReport, PatientPoint, ReadingPosition, SpineCourse, Study, Volume, VoxelPoint, WindowLevel,
};
use crate::raster::{self, Bend, LevelMark, Mark, Plane, View};
use std::sync::Arc;

/// The open series' volume.
#[derive(Debug, Clone)]
pub enum VolumeState {
    /// Being read: slices done, and in all (0 while unknown).
    Loading(usize, usize),
    /// Here.
    Ready(Arc<Volume>),
    /// It cannot be read: one sentence.
    Failed(String),
}

/// The open study.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The study.
    pub study: Arc<Study>,
    /// Index of the series shown.
    pub series: usize,
    /// Its volume.
    pub volume: VolumeState,
    /// The plane that keys work on; the large one where several are shown.
    pub plane: Plane,
    /// The slice that is shown while the others are read.
    first: Option<Arc<Volume>>,
    cursor: VoxelPoint,
    appearances: [Appearance; 3],
    /// A second series beside the open one.
    pub beside: Option<Beside>,
    /// Where the spine runs, once that is known.
    pub course: Option<Arc<SpineCourse>>,
    /// Where to be once the volume is here, instead of at the most suspicious slice.
    goal: Option<PatientPoint>,
    /// The drag that is going on.
    pub(super) held: Option<Held>,
    /// Whether one plane fills the screen even where there is room for all.
    pub alone: bool,
    /// How much of the planes is in view when a series opens.
    pub framing: Framing,
    /// Whether planes along the spine follow it, instead of being flat.
    pub follow: bool,
    /// Whether lines show where the other planes cut.
    pub lines: bool,
    /// Whether hot spots are pointed at from the picture's edges, where they cover nothing.
    pub marks: bool,
    /// Whether hot spots and what the network was active on are drawn over the picture.
    pub outlines: bool,
    /// Whether texts lie on the picture.
    pub texts: bool,
    /// Whether the full panel is shown where there is little room.
    pub panel: bool,
    /// Whether the reader has moved since the series was opened.
    pub moved: bool,
    /// When images of the study were first on the screen, by [`super::Message::Elapsed`].
    pub(super) shown_since: Option<std::time::Duration>,
    /// Where to go on once the volume is here.
    pub(super) resume: Option<ReadingPosition>,
    /// Commands that go to a place and were given before the volume was here.
    pub(super) waiting: Vec<Command>,
}

impl Reading {
    /// A study just opened.
    #[must_use]
    pub fn new(study: Arc<Study>, series: usize) -> Self {
        Self {
            study,
            series,
            volume: VolumeState::Loading(0, 0),
            plane: Plane::Axial,
            first: None,
            cursor: VoxelPoint { slice: 0.0, row: 0.0, column: 0.0 },
            appearances: [Appearance::default(), Appearance::default(), Appearance::default()],
            beside: None,
            course: None,
            resume: None,
            waiting: Vec::new(),
            goal: None,
            held: None,
            alone: false,
            framing: Framing::default(),
            follow: false,
            lines: true,
            marks: true,
            outlines: false,
            texts: true,
            panel: false,
            moved: false,
            shown_since: None,
        }
    }

    /// Another series of the study, looked at as this one is, from the same place.
    pub(super) fn with_series(&self, series: usize) -> Self {
        let shares = |a: usize, b: usize| {
            self.study.series.get(a).zip(self.study.series.get(b)).is_some_and(|(a, b)| a.shares_frame_with(b))
        };
        let goal = self.cursor_point().filter(|_| shares(self.series, series));
        Self {
            series,
            volume: VolumeState::Loading(0, 0),
            first: None,
            course: None,
            beside: None,
            goal,
            waiting: Vec::new(),
            moved: false,
            ..self.clone()
        }
    }

    /// As opened: at the most suspicious slice, not where another series was left.
    pub(super) fn without_goal(mut self) -> Self {
        self.goal = None;
        self
    }

    /// What the reader chose for all studies, taken over from the last one.
    pub(super) fn like(mut self, last: &Self) -> Self {
        (self.alone, self.lines, self.follow, self.framing) = (last.alone, last.lines, last.follow, last.framing);
        (self.marks, self.texts, self.panel) = (last.marks, last.texts, last.panel);
        self.outlines = last.outlines;
        self
    }

    /// The volume, once it is here.
    #[must_use]
    pub fn volume(&self) -> Option<&Arc<Volume>> {
        match &self.volume {
            VolumeState::Ready(volume) => Some(volume),
            _ => None,
        }
    }

    /// How the active plane looks.
    #[must_use]
    pub fn appearance(&self) -> &Appearance {
        self.appearance_of(self.plane)
    }

    /// How a plane looks.
    #[must_use]
    pub fn appearance_of(&self, plane: Plane) -> &Appearance {
        &self.appearances[plane as usize]
    }

    pub(super) fn appearance_mut(&mut self, plane: Plane) -> &mut Appearance {
        &mut self.appearances[plane as usize]
    }

    /// The window of the active plane in all planes.
    pub(super) fn window_everywhere(&mut self) {
        let Appearance { window, window_name, table, inverted, .. } = self.appearance().clone();
        for appearance in &mut self.appearances {
            appearance.set_window(window, window_name.clone());
            appearance.table.clone_from(&table);
            appearance.inverted = inverted;
        }
    }

    /// The cursor: the place that all planes shown go through.
    #[must_use]
    pub fn cursor(&self) -> VoxelPoint {
        self.cursor
    }

    /// The cursor in the patient; `None` without geometry.
    #[must_use]
    pub fn cursor_point(&self) -> Option<PatientPoint> {
        self.volume()?.patient_point(self.cursor.slice, self.cursor.row, self.cursor.column)
    }

    /// Value of the voxel under the cursor, HU where the volume has such.
    #[must_use]
    pub fn cursor_value(&self) -> Option<i16> {
        self.volume()?.nearest(self.cursor)
    }

    /// Slice shown of the active plane, from 0.
    #[must_use]
    pub fn slice(&self) -> usize {
        self.slice_of(self.plane)
    }

    /// Slice of a plane.
    #[must_use]
    pub fn slice_of(&self, plane: Plane) -> usize {
        self.volume().and_then(|volume| raster::slice_of_voxel(volume, plane, self.cursor)).unwrap_or(0)
    }

    /// Number of slices of the active plane; 0 without a volume.
    #[must_use]
    pub fn slices_in_plane(&self) -> usize {
        self.slices_of(self.plane)
    }

    /// Number of slices of a plane; 0 without a volume and where it cannot be shown.
    #[must_use]
    pub fn slices_of(&self, plane: Plane) -> usize {
        self.volume().map_or(0, |volume| raster::plane_len(volume, plane))
    }

    /// The planes beside the active one, in the order in which they are given room: those that the volume allows.
    #[must_use]
    pub fn other_planes(&self) -> Vec<Plane> {
        let from = self.plane as usize;
        (1..Plane::ALL.len())
            .map(|step| Plane::ALL[(from + step) % Plane::ALL.len()])
            .filter(|plane| self.slices_of(*plane) > 0)
            .collect()
    }

    /// What is to be drawn of a plane; `linked` where other planes are seen beside it, whose cuts are then drawn. `None` without
    /// a volume and where the files allow no such reformat.
    #[must_use]
    pub fn view(&self, plane: Plane, report: Option<&FractureReport>, linked: bool) -> Option<View> {
        let volume = self.volume()?;
        if self.slices_of(plane) == 0 {
            return None;
        }
        let mut marks = Vec::new();
        if linked && self.lines {
            marks.push(Mark::CrossLines(self.cursor));
        }
        // A result speaks of the volume that it was made from.
        if let Some(report) = self.own_report(report) {
            if self.texts && plane != raster::native_plane(volume) {
                marks.extend(levels(volume, self.course.as_deref(), plane, report));
            }
            marks.extend(self.suspicions(report));
        }
        let bend = self.bend(volume, plane);
        Some(View { marks, bend, ..self.appearance_of(plane).view(plane, self.slice_of(plane)) })
    }

    /// The surface along the spine, through the cursor; `None` where planes are flat.
    fn bend(&self, volume: &Volume, plane: Plane) -> Option<Bend> {
        let course = self.course.as_ref().filter(|_| self.follow)?;
        let offset = raster::offset_beside(volume, plane, course, self.cursor)?;
        // Moving along the spine must not change the surface by a hair.
        Some(Bend { course: Arc::clone(course), offset: (offset * 4.0).round() / 4.0 })
    }

    /// The hottest places of the levels that pass the threshold, pointed at from the picture's edges, or outlined.
    fn suspicions(&self, report: &FractureReport) -> Vec<Mark> {
        let levels = report.alert_levels();
        let spots = levels.iter().filter_map(|level| report.levels[*level].hot_spot()).map(|spot| spot.point);
        if !self.outlines {
            return if self.marks { spots.map(Mark::HotSpotAside).collect() } else { Vec::new() };
        }
        let active = levels.iter().filter_map(|level| report.activations[*level].clone()).map(Mark::Active);
        active.chain(spots.map(Mark::HotSpot)).collect()
    }

    /// Takes over the volume: its middle, and the preferred plane where it can be shown. `true` where the reader's own place was
    /// found again.
    pub(super) fn loaded(&mut self, volume: Arc<Volume>, preferred: Plane) -> bool {
        let possible = raster::plane_len(&volume, preferred) > 0;
        self.plane = if possible { preferred } else { raster::native_plane(&volume) };
        let middle = |len: usize| (len / 2) as f64;
        let shape = volume.shape;
        self.cursor =
            VoxelPoint { slice: middle(shape.slices), row: middle(shape.rows), column: middle(shape.columns) };
        if !volume.is_hounsfield() {
            // The presets are Hounsfield units; another modality's numbers need its own window, or their own range.
            for appearance in &mut self.appearances {
                match volume.windows.first() {
                    Some(own) => appearance.set_preset(own),
                    None => {
                        if let Some(window) = whole_range(&volume) {
                            appearance.set_window(window, "whole range".to_owned());
                        }
                    }
                }
            }
        }
        self.moved = false;
        self.first = None;
        self.volume = VolumeState::Ready(volume);
        self.goal.take().is_some_and(|goal| self.go_to_point(goal))
    }

    /// Replaces names of windows that may come from the files.
    pub(super) fn withhold_window_names(&mut self) {
        for appearance in &mut self.appearances {
            let kept = kept_window_name(&appearance.window_name).to_owned();
            appearance.window_name = kept;
        }
    }

    /// The report of the series that is shown; `None` if it was not analyzed.
    #[must_use]
    pub fn own_report<'r>(&self, report: Option<&'r FractureReport>) -> Option<&'r FractureReport> {
        report?.of_series(self.study.series.get(self.series)?)
    }

    /// Whether positions of a level are positions in the series that is shown, too.
    pub(super) fn shares_frame_with(&self, report: &FractureReport, level: CervicalLevel) -> bool {
        let source = report.source_index(&self.study, level).and_then(|index| self.study.series.get(index));
        let own = self.study.series.get(self.series);
        own.zip(source).is_some_and(|(own, source)| own.shares_frame_with(source))
    }

    /// The volume's own slice that a level's key slice is; by position if another axial series in the same patient system was analyzed and
    /// that is within a slice's distance. `None` in a series that is not axial: there is no such slice.
    #[must_use]
    pub fn key_slice(&self, report: &FractureReport, level: CervicalLevel) -> Option<usize> {
        let volume = self.volume()?;
        let key = report.levels[level].key_slice()?;
        // One series may hold several stacks: the same index must be the same place.
        let same_place = key.index < volume.shape.slices && volume.position_mm(key.index) == key.position_mm;
        if report.source_index(&self.study, level) == Some(self.series) && same_place {
            return Some(key.index);
        }
        if raster::native_plane(volume) != Plane::Axial || !self.shares_frame_with(report, level) {
            return None;
        }
        let wanted = key.position_mm?;
        let nearest = volume.nearest_slice(wanted)?;
        let away = (volume.position_mm(nearest)? - wanted).abs();
        (away <= volume.stack.spacing.unwrap_or(1.0).max(1.0)).then_some(nearest)
    }
}

/// How far beside the spine its levels are lettered, mm: before it, and to the patient's right of it.
const ASIDE_MM: [f64; 2] = [34.0, 38.0];

/// The levels' letters beside the spine, for a plane along it.
fn levels(volume: &Volume, course: Option<&SpineCourse>, plane: Plane, report: &FractureReport) -> Vec<Mark> {
    let aside = match plane {
        Plane::Axial => return Vec::new(),
        Plane::Sagittal => PatientPoint::NEG_Y * ASIDE_MM[0],
        Plane::Coronal => PatientPoint::NEG_X * ASIDE_MM[1],
    };
    let middle =
        VoxelPoint { slice: 0.0, row: volume.shape.rows as f64 / 2.0, column: volume.shape.columns as f64 / 2.0 };
    let mut spans = report.spans();
    // Neighbours share slices; their brackets meet in the middle of these.
    for index in 1..spans.len() {
        let (above, below) = (spans[index - 1], spans[index]);
        if below.first <= above.last && above.first < below.last {
            let border = usize::midpoint(below.first, above.last);
            spans[index - 1].last = border.max(above.first);
            spans[index].first = (border + 1).min(below.last);
        }
    }
    let marks = spans.into_iter().filter_map(|span| {
        let place = course.and_then(|course| course.at((span.first + span.last) as f64 / 2.0)).unwrap_or(middle);
        let end = |slice: f64| volume.patient_point(slice, place.row, place.column).map(|point| point + aside);
        Some(Mark::Level(LevelMark {
            level: span.level,
            top: end(span.first as f64 - 0.5)?,
            bottom: end(span.last as f64 + 0.5)?,
            suspected: report.is_level_alert(span.level),
        }))
    });
    marks.collect()
}

/// A window from the lowest to the highest value.
fn whole_range(volume: &Volume) -> Option<WindowLevel> {
    let (low, high) = volume.voxels.iter().fold((i16::MAX, i16::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
    let (low, high) = (f64::from(low), f64::from(high));
    WindowLevel::new(f64::midpoint(low, high), (high - low).max(1.0))
}
