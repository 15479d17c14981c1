//! How a plane looks: window, zoom, slab. Every plane remembers its own.

use crate::domain::{VoiTable, WindowLevel, WindowPreset};
use crate::raster::{Plane, Sampling, Slab, SlabKind, View, Zoom};
use std::sync::Arc;

/// The most that a picture is magnified.
const MOST_ZOOM: f64 = 16.0;
/// The least that 1:1 is made smaller.
const LEAST_PIXELS: f64 = 0.25;
/// The thicknesses that a key goes through, mm.
const THICKNESSES: [f64; 8] = [1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0];

/// How a plane looks.
#[derive(Debug, Clone, PartialEq)]
pub struct Appearance {
    /// Window.
    pub window: WindowLevel,
    /// Its name; empty once it is adjusted by hand.
    pub window_name: String,
    /// A table of the file's that is used instead of the window.
    pub table: Option<Arc<VoiTable>>,
    file_window: usize,
    /// Black and white exchanged.
    pub inverted: bool,
    /// Magnification.
    pub zoom: Zoom,
    /// Centre of the view as fractions of the plane.
    pub center: (f64, f64),
    /// Several slices as one.
    pub slab: Option<Slab>,
    slab_kind: SlabKind,
    /// Between samples.
    pub sampling: Sampling,
}

impl Default for Appearance {
    fn default() -> Self {
        let (window, window_name) = preset("bone");
        Self {
            window,
            window_name,
            table: None,
            file_window: 0,
            inverted: false,
            zoom: Zoom::WHOLE,
            center: (0.5, 0.5),
            slab: None,
            slab_kind: SlabKind::Mean,
            sampling: Sampling::Smooth,
        }
    }
}

impl Appearance {
    /// A slice of a plane as it looks, without marks.
    pub(super) fn view(&self, plane: Plane, slice: usize) -> View {
        let Self { window, inverted, zoom, center, slab, sampling, .. } = *self;
        let table = self.table.clone();
        View { table, inverted, zoom, center, slab, sampling, ..View::new(plane, slice, window) }
    }

    /// Whether the whole plane is shown.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self.zoom, Zoom::Fit(factor) if factor <= 1.001)
    }

    pub(in crate::app) fn set_window(&mut self, window: WindowLevel, name: String) {
        self.window = window;
        self.window_name = name;
        self.table = None;
    }

    pub(in crate::app) fn set_preset(&mut self, preset: &WindowPreset) {
        self.set_window(preset.window, preset.name.to_string());
        self.table.clone_from(&preset.table);
    }

    /// The built-in preset after the one in use.
    pub(in crate::app) fn next_preset(&mut self) {
        let presets = WindowPreset::builtin();
        let at = presets.iter().position(|preset| preset.name.as_str() == self.window_name);
        if let Some(next) = presets.get(at.map_or(0, |at| (at + 1) % presets.len())) {
            self.set_preset(next);
        }
    }

    pub(in crate::app) fn preset_window(&mut self, name: &str) {
        let (window, name) = preset(name);
        self.set_window(window, name);
    }

    /// The next of the file's windows; `false` where it has none.
    pub(in crate::app) fn next_file_window(&mut self, windows: &[WindowPreset]) -> bool {
        let Some(own) = windows.get(self.file_window % windows.len().max(1)) else { return false };
        self.file_window += 1;
        self.set_preset(own);
        true
    }

    pub(in crate::app) fn adjust_window(&mut self, level: f64, width_factor: f64) {
        let width = self.window.width();
        // Rounding never swallows a step: a window of width 1 can be widened again.
        let wider = match width_factor {
            factor if factor > 1.0 => (width * factor).round().max(width + 1.0),
            factor if factor < 1.0 => (width * factor).round().min(width - 1.0),
            _ => width,
        };
        let adjusted = self.window.adjusted((self.window.center() + level).round(), wider);
        self.set_window(adjusted, String::new());
    }

    /// Zooms so that a place of the plane (fractions of it) stays where it is on the screen.
    pub(in crate::app) fn zoom_about(&mut self, place: (f64, f64), factor: f64) {
        let (old, new, zoom) = match self.zoom {
            Zoom::Region { across, down } => {
                let (across_now, down_now) = (across / factor, down / factor);
                if across_now >= 1.0 && down_now >= 1.0 {
                    self.fit();
                    return;
                }
                let least = 1.0 / MOST_ZOOM;
                if across_now.max(down_now) < least && factor > 1.0 {
                    return;
                }
                (1.0, factor, Zoom::Region { across: across_now.min(1.0), down: down_now.min(1.0) })
            }
            Zoom::Fit(old) => {
                let new = (old * factor).clamp(1.0, MOST_ZOOM);
                (old, new, Zoom::Fit(new))
            }
            Zoom::Pixels(old) => {
                let new = (old * factor).clamp(LEAST_PIXELS, MOST_ZOOM);
                (old, new, Zoom::Pixels(new))
            }
        };
        let about = |center: f64, place: f64| place + (center - place) * old / new;
        self.zoom = zoom;
        self.center = (about(self.center.0, place.0), about(self.center.1, place.1));
        self.pan(0.0, 0.0);
    }

    /// Moves the view by fractions of the plane; it stays on the plane.
    pub(in crate::app) fn pan(&mut self, right: f64, down: f64) {
        let (beside, above) = match self.zoom {
            Zoom::Fit(factor) => ((0.5 / factor).min(0.5), (0.5 / factor).min(0.5)),
            Zoom::Region { across, down } => (across / 2.0, down / 2.0),
            Zoom::Pixels(_) => (0.0, 0.0),
        };
        let within = |place: f64, edge: f64| place.clamp(edge, 1.0 - edge);
        self.center = (within(self.center.0 + right, beside), within(self.center.1 + down, above));
    }

    /// How far a key moves the view, as a fraction of the plane.
    pub(in crate::app) fn pan_step(&self) -> f64 {
        match self.zoom {
            Zoom::Fit(factor) => 0.1 / factor,
            Zoom::Region { across, down } => 0.1 * across.max(down),
            Zoom::Pixels(_) => 0.05,
        }
    }

    pub(in crate::app) fn fit(&mut self) {
        (self.zoom, self.center) = (Zoom::WHOLE, (0.5, 0.5));
    }

    /// Every voxel once, about a place of the plane.
    pub(in crate::app) fn one_to_one(&mut self, place: (f64, f64)) {
        (self.zoom, self.center) = (Zoom::Pixels(1.0), place);
    }

    /// The next thickness up or down; below the thinnest the slice itself.
    pub(in crate::app) fn change_thickness(&mut self, thicker: bool) {
        let now = self.slab.map_or(0.0, |slab| slab.thickness_mm);
        let next = if thicker {
            THICKNESSES.into_iter().find(|mm| *mm > now + 1e-9).unwrap_or(Slab::THICKEST)
        } else {
            THICKNESSES.into_iter().rev().find(|mm| *mm < now - 1e-9).unwrap_or(0.0)
        };
        self.slab = (next >= Slab::THINNEST).then_some(Slab { kind: self.slab_kind, thickness_mm: next });
    }

    /// The next kind of slab; a slab of 5 mm where there is none yet.
    pub(in crate::app) fn next_slab_kind(&mut self) {
        let thickness_mm = match self.slab {
            Some(slab) => {
                let at = SlabKind::ALL.iter().position(|kind| *kind == slab.kind).unwrap_or(0);
                self.slab_kind = SlabKind::ALL[(at + 1) % SlabKind::ALL.len()];
                slab.thickness_mm
            }
            None => 5.0,
        };
        self.slab = Some(Slab { kind: self.slab_kind, thickness_mm });
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
