//! Moving the cursor: slices, places, planes.

use super::{Appearance, Reading};
use crate::domain::{CleanText, PatientPoint, ReadingPosition, VoxelPoint, WindowLevel};
use crate::raster::{self, Plane};
use std::sync::Arc;

impl Reading {
    pub(in crate::app) fn move_by(&mut self, plane: Plane, slices: isize) {
        self.move_to(plane, self.slice_of(plane).saturating_add_signed(slices));
    }

    /// Shows a slice of a plane, the last one where there is none so far.
    pub(in crate::app) fn move_to(&mut self, plane: Plane, slice: usize) {
        let Some(volume) = self.volume().map(Arc::clone) else { return };
        let slice = slice.min(raster::plane_len(&volume, plane).saturating_sub(1));
        let before = self.cursor;
        self.cursor = raster::voxel_in_slice(&volume, plane, before, slice);
        if let Some(course) = self.course.as_ref().filter(|_| self.follow)
            && let (Some(from), Some(to)) = (course.at(before.slice), course.at(self.cursor.slice))
        {
            // Along the spine the cursor keeps its distance from it.
            let within = |value: f64, len: usize| value.clamp(0.0, len.saturating_sub(1) as f64);
            self.cursor.row = within(self.cursor.row + to.row - from.row, volume.shape.rows);
            self.cursor.column = within(self.cursor.column + to.column - from.column, volume.shape.columns);
        }
        self.moved = true;
    }

    /// Moves the cursor within the active plane, in mm (in pixels where those are unknown).
    pub(in crate::app) fn move_cursor(&mut self, right: f64, down: f64) {
        let Some(volume) = self.volume().map(Arc::clone) else { return };
        self.cursor = raster::voxel_moved(&volume, self.plane, self.cursor, right, down);
        self.moved = true;
    }

    /// Puts the cursor at a place of the volume.
    pub(in crate::app) fn go_to_voxel(&mut self, place: VoxelPoint) {
        let Some(volume) = self.volume() else { return };
        let within = |value: f64, len: usize| value.round().clamp(0.0, len.saturating_sub(1) as f64);
        let shape = volume.shape;
        self.cursor = VoxelPoint {
            slice: within(place.slice, shape.slices),
            row: within(place.row, shape.rows),
            column: within(place.column, shape.columns),
        };
        self.moved = true;
    }

    /// Shows the slice of the native plane that is this one of the volume, and the other planes through `point`.
    pub(in crate::app) fn go_to_volume_slice(&mut self, index: usize, point: Option<PatientPoint>) {
        let Some(volume) = self.volume().map(Arc::clone) else { return };
        let native = raster::native_plane(&volume);
        if self.plane != native && point.is_none() {
            self.plane = native;
        }
        if let Some(point) = point {
            self.go_to_point(point);
        }
        let index = index.min(raster::plane_len(&volume, native).saturating_sub(1));
        self.cursor = raster::voxel_in_slice(&volume, native, self.cursor, index);
    }

    /// Puts the cursor at a point of the patient; `false` where it lies outside or nothing is known in mm.
    pub(in crate::app) fn go_to_point(&mut self, point: PatientPoint) -> bool {
        let Some(volume) = self.volume() else { return false };
        let Some((slice, row, column)) = volume.voxel_at(point) else { return false };
        let place = VoxelPoint { slice: slice.round(), row: row.round(), column: column.round() };
        if volume.nearest(place).is_none() {
            return false;
        }
        self.cursor = place;
        true
    }

    /// Where the reader is; `None` before the volume is here.
    #[must_use]
    pub fn position(&self) -> Option<ReadingPosition> {
        self.volume()?;
        let series = self.study.series.get(self.series)?;
        let Appearance { window, window_name, .. } = self.appearance();
        Some(ReadingPosition {
            series: series.uid.clone(),
            stack: series.stack_index,
            plane: self.plane as u8,
            slices: Plane::ALL.map(|plane| self.slice_of(plane)),
            window: *window,
            window_name: window_name.clone(),
        })
    }

    /// Goes on where the reader was, if that is in this volume; `false` where it is not.
    pub(in crate::app) fn go_on(&mut self) -> bool {
        let (Some(position), Some(volume)) = (self.resume.take(), self.volume().map(Arc::clone)) else { return false };
        let series = self.study.series.get(self.series);
        if series.is_none_or(|series| (&series.uid, series.stack_index) != (&position.series, position.stack)) {
            return false;
        }
        for (plane, slice) in Plane::ALL.into_iter().zip(position.slices) {
            let slice = slice.min(raster::plane_len(&volume, plane).saturating_sub(1));
            self.cursor = raster::voxel_in_slice(&volume, plane, self.cursor, slice);
        }
        let plane = Plane::ALL.into_iter().find(|plane| *plane as u8 == position.plane);
        self.plane = plane.filter(|plane| raster::plane_len(&volume, *plane) > 0).unwrap_or(self.plane);
        // What was kept comes from a file: only a window that is one is taken.
        if let Some(window) = WindowLevel::new(position.window.center(), position.window.width()) {
            let name = CleanText::new(&position.window_name).to_string();
            self.appearance_mut(self.plane).set_window(window, name);
        }
        true
    }

    /// The next plane that can be shown; `false` where there is only one.
    pub(in crate::app) fn next_plane(&mut self) -> bool {
        let next = self.other_planes().first().copied();
        if let Some(plane) = next {
            self.plane = plane;
        }
        next.is_some()
    }

    /// Where the cursor lies on a plane, as fractions of it; its middle where that is unknown.
    pub(in crate::app) fn cursor_on(&self, plane: Plane) -> (f64, f64) {
        self.volume()
            .and_then(|volume| raster::plane_fractions(volume, plane, self.cursor))
            .filter(|(right, down)| right.is_finite() && down.is_finite())
            .unwrap_or((0.5, 0.5))
    }
}
