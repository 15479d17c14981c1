//! The mouse on a picture.

use super::{Model, Reading, Source};
use crate::domain::{PatientPoint, VoxelPoint};
use crate::raster::Plane;

/// Window level, and width, change by this for a cell of the mouse's way, as a share of the window's width.
const WINDOW_STEP: f64 = 0.02;

/// The mouse on a picture: what it does there, and which place of the patient lies under it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pointer {
    /// Whose picture.
    pub source: Source,
    /// The picture's plane.
    pub plane: Plane,
    /// What the mouse does.
    pub gesture: Gesture,
    /// The cell of the screen: column and row.
    pub cell: (u16, u16),
    /// The place in the open volume; `None` beside it.
    pub voxel: Option<VoxelPoint>,
    /// The point of the patient, in the open series' system; `None` beside the volume and without geometry.
    pub point: Option<PatientPoint>,
    /// Fractions of the plane's width and height at the mouse; they may lie outside 0 to 1.
    pub on_plane: (f64, f64),
}

/// What the mouse does on a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    /// A button went down.
    Press(Drag),
    /// The mouse moved with a button down.
    Move(Drag),
    /// The button went up.
    Release,
    /// The wheel, in slices; footward, to the left and to the back are positive.
    Scroll(isize),
    /// The wheel with Ctrl, in steps; inward is positive.
    Zoom(isize),
}

/// What moving the mouse with a button down is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drag {
    /// Left: the cursor goes there.
    Cursor,
    /// Right: window and level.
    Window,
    /// Middle, or left with Ctrl: the view moves.
    Pan,
}

/// Where a drag was last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Held {
    cell: (u16, u16),
    on_plane: (f64, f64),
}

pub(super) fn pointed(model: &mut Model, pointer: Pointer) {
    model.notice = None;
    let Some(reading) = &mut model.reading else { return };
    match pointer.gesture {
        Gesture::Press(drag) => {
            reading.held = Some(Held { cell: pointer.cell, on_plane: pointer.on_plane });
            if drag == Drag::Cursor {
                go(reading, &pointer);
            }
        }
        // A drag that began elsewhere, as on the list before a double click opened the study, moves nothing.
        Gesture::Move(_) if reading.held.is_none() => {}
        Gesture::Move(drag) => match drag {
            Drag::Cursor => go(reading, &pointer),
            Drag::Window => window(reading, &pointer),
            Drag::Pan => pan(reading, &pointer),
        },
        Gesture::Release => reading.held = None,
        Gesture::Scroll(slices) => reading.move_by(pointer.plane, slices),
        Gesture::Zoom(steps) => {
            let factor = 1.25_f64.powi(i32::try_from(steps).unwrap_or(0).clamp(-10, 10));
            reading.appearance_mut(pointer.plane).zoom_about(pointer.on_plane, factor);
        }
    }
}

fn go(reading: &mut Reading, pointer: &Pointer) {
    if let Some(voxel) = pointer.voxel {
        reading.go_to_voxel(voxel);
    }
}

/// Rightward is wider, downward is brighter, as in most viewers.
fn window(reading: &mut Reading, pointer: &Pointer) {
    let Some(held) = &mut reading.held else { return };
    let by = |now: u16, then: u16| f64::from(now) - f64::from(then);
    let (right, down) = (by(pointer.cell.0, held.cell.0), by(pointer.cell.1, held.cell.1));
    held.cell = pointer.cell;
    let appearance = match (pointer.source, &mut reading.beside) {
        (Source::Beside, Some(beside)) => &mut beside.appearance,
        _ => reading.appearance_mut(pointer.plane),
    };
    let width = appearance.window.width();
    // A cell is twice as high as wide.
    appearance.adjust_window(-2.0 * down * WINDOW_STEP * width, (1.0 + WINDOW_STEP).powf(right));
}

fn pan(reading: &mut Reading, pointer: &Pointer) {
    let Some(held) = reading.held else { return };
    let (right, down) = (held.on_plane.0 - pointer.on_plane.0, held.on_plane.1 - pointer.on_plane.1);
    // The place that was taken hold of stays under the mouse: the view as it is after the move has it there.
    reading.appearance_mut(pointer.plane).pan(right, down);
}
