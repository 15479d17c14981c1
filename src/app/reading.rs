//! The open study: which slice, plane and window, how far in.

use crate::domain::{
    CervicalLevel, CleanText, FractureReport, ReadingPosition, Study, Volume, WindowLevel, WindowPreset,
};
use crate::raster::{self, Mark, Plane, View};
use std::sync::Arc;

/// The most that a picture is magnified.
const MOST_ZOOM: f64 = 16.0;

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
    /// Plane shown.
    pub plane: Plane,
    slices: [usize; 3],
    /// Window.
    pub window: WindowLevel,
    /// Its name.
    pub window_name: String,
    file_window: usize,
    /// Black and white exchanged.
    pub inverted: bool,
    /// Magnification; 1 shows the whole plane.
    pub zoom: f64,
    /// Centre of the view as fractions of the plane.
    pub center: (f64, f64),
    /// Whether hot spots are marked.
    pub marks: bool,
    /// Whether texts lie on the picture.
    pub texts: bool,
    /// Whether the full panel is shown where there is little room.
    pub panel: bool,
    /// Whether the reader has moved since the series was opened.
    pub moved: bool,
    /// Where to go on once the volume is here.
    pub(super) resume: Option<ReadingPosition>,
}

impl Reading {
    /// A study just opened.
    #[must_use]
    pub fn new(study: Arc<Study>, series: usize) -> Self {
        let (window, window_name) = preset("bone");
        Self {
            study,
            series,
            volume: VolumeState::Loading(0, 0),
            plane: Plane::Axial,
            slices: [0; 3],
            window,
            window_name,
            file_window: 0,
            inverted: false,
            zoom: 1.0,
            center: (0.5, 0.5),
            marks: true,
            texts: true,
            panel: false,
            moved: false,
            resume: None,
        }
    }

    /// The volume, once it is here.
    #[must_use]
    pub fn volume(&self) -> Option<&Arc<Volume>> {
        match &self.volume {
            VolumeState::Ready(volume) => Some(volume),
            _ => None,
        }
    }

    /// Slice shown of the current plane, from 0.
    #[must_use]
    pub fn slice(&self) -> usize {
        self.slices[self.plane as usize]
    }

    /// Slice of a plane.
    #[must_use]
    pub fn slice_of(&self, plane: Plane) -> usize {
        self.slices[plane as usize]
    }

    /// Number of slices of the current plane; 0 without a volume.
    #[must_use]
    pub fn slices_in_plane(&self) -> usize {
        self.volume().map_or(0, |volume| raster::plane_len(volume, self.plane))
    }

    /// What is to be drawn in the main picture.
    #[must_use]
    pub fn view(&self, report: Option<&FractureReport>) -> Option<View> {
        let volume = self.volume()?;
        (self.slices_in_plane() > 0).then(|| View {
            plane: self.plane,
            slice: self.slice(),
            window: self.window,
            inverted: self.inverted,
            zoom: self.zoom,
            center: self.center,
            marks: if self.marks { self.hot_spots(volume, report) } else { Vec::new() },
        })
    }

    /// What is to be drawn in the small picture beside it: the sagittal plane with a line at the axial slice; `None` where the
    /// files allow no reformat.
    #[must_use]
    pub fn side_view(&self, report: Option<&FractureReport>) -> Option<View> {
        let volume = self.volume()?;
        let plane = if self.plane == Plane::Sagittal { Plane::Axial } else { Plane::Sagittal };
        if raster::plane_len(volume, plane) == 0 {
            return None;
        }
        let mut marks = vec![Mark::CrossReference(self.plane, self.slice())];
        if self.marks {
            marks.extend(self.hot_spots(volume, report));
        }
        Some(View {
            plane,
            slice: self.slice_of(plane),
            window: self.window,
            inverted: self.inverted,
            zoom: 1.0,
            center: (0.5, 0.5),
            marks,
        })
    }

    fn hot_spots(&self, volume: &Volume, report: Option<&FractureReport>) -> Vec<Mark> {
        let Some(report) = report.filter(|report| report.series_uid == volume.series_uid) else { return Vec::new() };
        report
            .alert_levels()
            .into_iter()
            .filter_map(|level| report.levels[level].hot_spot())
            .map(|spot| Mark::HotSpot(spot.point))
            .collect()
    }

    /// Takes over the volume: the middle of each plane, and the preferred plane where it can be shown.
    pub(super) fn loaded(&mut self, volume: Arc<Volume>, preferred: Plane) {
        let possible = raster::plane_len(&volume, preferred) > 0;
        self.plane = if possible { preferred } else { raster::native_plane(&volume) };
        for plane in Plane::ALL {
            self.slices[plane as usize] = raster::plane_len(&volume, plane) / 2;
        }
        if !volume.is_hounsfield {
            // The presets are Hounsfield units; another modality's numbers need its own window, or their own range.
            match volume.windows.first() {
                Some(own) => self.set_window(own.window, own.name.to_string()),
                None => {
                    if let Some(window) = whole_range(&volume) {
                        self.set_window(window, "whole range".into());
                    }
                }
            }
        }
        self.moved = false;
        self.volume = VolumeState::Ready(volume);
    }

    /// Where the reader is; `None` before the volume is here.
    #[must_use]
    pub fn position(&self) -> Option<ReadingPosition> {
        self.volume()?;
        let series = self.study.series.get(self.series)?;
        Some(ReadingPosition {
            series: series.uid.clone(),
            stack: series.stack_index,
            plane: self.plane as u8,
            slices: Plane::ALL.map(|plane| self.slice_of(plane)),
            window: self.window,
            window_name: self.window_name.clone(),
        })
    }

    /// Goes on where the reader was, if that is in this volume; `false` where it is not.
    pub(super) fn go_on(&mut self) -> bool {
        let (Some(position), Some(volume)) = (self.resume.take(), self.volume().map(Arc::clone)) else { return false };
        let series = self.study.series.get(self.series);
        if series.is_none_or(|series| (&series.uid, series.stack_index) != (&position.series, position.stack)) {
            return false;
        }
        for (plane, slice) in Plane::ALL.into_iter().zip(position.slices) {
            self.slices[plane as usize] = slice.min(raster::plane_len(&volume, plane).saturating_sub(1));
        }
        let plane = Plane::ALL.into_iter().find(|plane| *plane as u8 == position.plane);
        self.plane = plane.filter(|plane| raster::plane_len(&volume, *plane) > 0).unwrap_or(self.plane);
        // What was kept comes from a file: only a window that is one is taken.
        if let Some(window) = WindowLevel::new(position.window.center(), position.window.width()) {
            self.set_window(window, CleanText::new(&position.window_name).to_string());
        }
        true
    }

    pub(super) fn set_window(&mut self, window: WindowLevel, name: String) {
        self.window = window;
        self.window_name = name;
    }

    pub(super) fn preset_window(&mut self, name: &str) {
        let (window, name) = preset(name);
        self.set_window(window, name);
    }

    /// The file's next window; `false` where it has none.
    pub(super) fn next_file_window(&mut self) -> bool {
        let Some(windows) = self.volume().map(|volume| volume.windows.clone()) else { return false };
        let Some(own) = windows.get(self.file_window % windows.len().max(1)) else { return false };
        self.file_window += 1;
        self.set_window(own.window, own.name.to_string());
        true
    }

    pub(super) fn adjust_window(&mut self, level: f64, width_factor: f64) {
        let width = self.window.width();
        // Rounding never swallows a step: a window of width 1 can be widened again.
        let wider = match width_factor {
            factor if factor > 1.0 => (width * factor).round().max(width + 1.0),
            factor if factor < 1.0 => (width * factor).round().min(width - 1.0),
            _ => width,
        };
        let adjusted = self.window.adjusted(self.window.center() + level, wider);
        self.set_window(adjusted, String::new());
    }

    pub(super) fn move_by(&mut self, slices: isize) {
        let last = self.slices_in_plane().saturating_sub(1);
        let slot = &mut self.slices[self.plane as usize];
        *slot = slot.saturating_add_signed(slices).min(last);
        self.moved = true;
    }

    pub(super) fn move_to(&mut self, slice: usize) {
        self.slices[self.plane as usize] = slice.min(self.slices_in_plane().saturating_sub(1));
        self.moved = true;
    }

    /// Shows the slice of the native plane that is this one of the volume, and the other planes through `point`.
    pub(super) fn go_to_volume_slice(&mut self, index: usize, point: Option<crate::domain::PatientPoint>) {
        let Some(volume) = self.volume().map(Arc::clone) else { return };
        let native = raster::native_plane(&volume);
        if self.plane != native && point.is_none() {
            self.plane = native;
        }
        self.slices[native as usize] = index.min(raster::plane_len(&volume, native).saturating_sub(1));
        if let Some(point) = point {
            for plane in Plane::ALL.into_iter().filter(|plane| *plane != native) {
                if let Some(slice) = raster::slice_of_point(&volume, plane, point) {
                    self.slices[plane as usize] = slice;
                }
            }
        }
    }

    /// Shows the slices of all planes that go through a point; `false` where it lies outside or nothing is known in mm.
    pub(super) fn go_to_point(&mut self, point: crate::domain::PatientPoint) -> bool {
        let Some(volume) = self.volume().map(Arc::clone) else { return false };
        let slices = Plane::ALL.map(|plane| raster::slice_of_point(&volume, plane, point));
        let [Some(axial), Some(sagittal), Some(coronal)] = slices else { return false };
        self.slices = [axial, sagittal, coronal];
        true
    }

    /// The volume's own slice that a level's key slice is; by position where another axial series was analysed, if that is
    /// within a slice's distance. `None` in a series that is not axial: there is no such slice.
    #[must_use]
    pub fn key_slice(&self, report: &FractureReport, level: CervicalLevel) -> Option<usize> {
        let volume = self.volume()?;
        let key = report.levels[level].key_slice()?;
        // One series may hold several stacks: the same index must be the same place.
        let same_place = key.index < volume.shape.slices && volume.position_mm(key.index) == key.position_mm;
        if report.series_uid == volume.series_uid && same_place {
            return Some(key.index);
        }
        if raster::native_plane(volume) != Plane::Axial {
            return None;
        }
        let wanted = key.position_mm?;
        let nearest = volume.nearest_slice(wanted)?;
        let away = (volume.position_mm(nearest)? - wanted).abs();
        (away <= volume.stack.spacing.unwrap_or(1.0).max(1.0)).then_some(nearest)
    }

    /// The next plane that can be shown; `false` where there is only one.
    pub(super) fn next_plane(&mut self) -> bool {
        let Some(volume) = self.volume().map(Arc::clone) else { return false };
        let from = self.plane as usize;
        let next = (1..Plane::ALL.len())
            .map(|step| Plane::ALL[(from + step) % Plane::ALL.len()])
            .find(|plane| raster::plane_len(&volume, *plane) > 0);
        if let Some(plane) = next {
            self.plane = plane;
        }
        next.is_some()
    }

    pub(super) fn zoom_by(&mut self, factor: f64) {
        self.zoom = (self.zoom * factor).clamp(1.0, MOST_ZOOM);
        self.pan(0.0, 0.0);
    }

    pub(super) fn pan(&mut self, right: f64, down: f64) {
        let step = 0.1 / self.zoom;
        // The view stays on the plane.
        let edge = (0.5 / self.zoom).min(0.5);
        let within = |place: f64| place.clamp(edge, 1.0 - edge);
        self.center = (within(self.center.0 + right * step), within(self.center.1 + down * step));
    }

    pub(super) fn fit(&mut self) {
        (self.zoom, self.center) = (1.0, (0.5, 0.5));
    }
}

fn preset(name: &str) -> (WindowLevel, String) {
    let presets = WindowPreset::builtin();
    let found = presets.iter().find(|preset| preset.name.as_str() == name).or(presets.first());
    match found {
        Some(preset) => (preset.window, preset.name.to_string()),
        None => (WindowLevel::default(), String::new()),
    }
}

/// A window from the lowest to the highest value.
fn whole_range(volume: &Volume) -> Option<WindowLevel> {
    let (low, high) = volume.voxels.iter().fold((i16::MAX, i16::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
    let (low, high) = (f64::from(low), f64::from(high));
    WindowLevel::new(f64::midpoint(low, high), (high - low).max(1.0))
}
