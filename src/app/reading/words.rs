//! What stands at a picture's edges: slice, window, zoom, slab and series in words, on the screen and in exported pictures.

use super::{Appearance, Reading};
use crate::domain::FractureReport;
use crate::raster::{self, Captions, Plane, Sampling, Zoom};

/// Millimetres to a tenth, with a true minus sign.
#[must_use]
pub fn signed(mm: f64) -> String {
    format!("{mm:.1}").replace('-', "−")
}

impl Appearance {
    /// The window, with its name or without it.
    #[must_use]
    pub fn window_words(&self, named: bool) -> String {
        let inverted = if self.inverted { " · inverted" } else { "" };
        match (&self.table, named) {
            (Some(_), true) => format!("table {}{inverted}", self.window_name),
            (Some(_), false) => format!("table{inverted}"),
            (None, true) => format!("{} {}", self.window, self.window_name).trim().to_owned() + inverted,
            (None, false) => format!("{}{inverted}", self.window),
        }
    }

    /// How large, if not the whole plane, and whether voxels are shown bare; empty otherwise.
    #[must_use]
    pub fn zoom_words(&self) -> String {
        let mut words: Vec<String> = match self.zoom {
            Zoom::Fit(_) if self.is_whole() => Vec::new(),
            // The scale bar says how large it is.
            Zoom::Region { .. } => Vec::new(),
            Zoom::Fit(factor) => vec![format!("zoom {factor:.1}×")],
            Zoom::Pixels(pixels) if (pixels - 1.0).abs() < 1e-3 => vec!["1:1".to_owned()],
            Zoom::Pixels(pixels) => vec![format!("1:1 × {pixels:.1}")],
        };
        words.extend((self.sampling == Sampling::Nearest).then(|| "voxels".to_owned()));
        words.join(" · ")
    }

    /// The slab, if there is one.
    #[must_use]
    pub fn slab_words(&self) -> Option<String> {
        self.slab.map(|slab| format!("{} of {:.0} mm", slab.kind.name(), slab.thickness_mm))
    }
}

impl Reading {
    /// `axial · 153 / 312 · z −128.4 mm · C6`; empty without a volume.
    #[must_use]
    pub fn slice_words(&self, plane: Plane, report: Option<&FractureReport>) -> String {
        let Some(volume) = self.volume() else { return String::new() };
        let slice = self.slice_of(plane);
        let native = plane == raster::native_plane(volume);
        let report = self.own_report(report).filter(|_| native);
        let spans = report.map(FractureReport::spans).unwrap_or_default();
        let levels: String = spans
            .iter()
            .filter(|span| (span.first..=span.last).contains(&slice))
            .map(|span| format!(" {}", span.level))
            .collect();
        let levels = if levels.is_empty() { levels } else { format!(" ·{levels}") };
        let position = match plane {
            _ if native => volume.position_mm(slice),
            plane => raster::plane_point(volume, plane, slice).map(|point| match plane {
                Plane::Axial => point.z,
                Plane::Sagittal => point.x,
                Plane::Coronal => point.y,
            }),
        };
        let axis = match plane {
            Plane::Axial => 'z',
            Plane::Sagittal => 'x',
            Plane::Coronal => 'y',
        };
        let place = position.map(|mm| format!(" · {axis} {} mm", signed(mm))).unwrap_or_default();
        let bent = if self.follow && self.course.is_some() && !native { " along the spine" } else { "" };
        format!("{}{bent} · {} / {}{place}{levels}", plane.name(), slice + 1, self.slices_of(plane))
    }

    /// The slab, which series, its voxels and slice thickness, its kernel.
    #[must_use]
    pub fn series_words(&self, plane: Plane) -> String {
        let mut words = Vec::new();
        words.extend(self.appearance_of(plane).slab_words());
        if self.study.series.len() > 1 {
            words.push(format!("series {} / {}", self.series + 1, self.study.series.len()));
        }
        if let Some(series) = self.study.series.get(self.series) {
            let pixel = series.pixel_spacing().map(|spacing| format!("{:.2}×", spacing.column)).unwrap_or_default();
            words.extend(series.slice_spacing().map(|mm| format!("{pixel}{mm:.1} mm")));
            let thickness = series.instances.first().and_then(|instance| instance.slice_thickness);
            let differs = thickness.zip(series.slice_spacing()).is_some_and(|(a, b)| (a - b).abs() > 0.05);
            words.extend(thickness.filter(|_| differs).map(|mm| format!("thick {mm:.1} mm")));
            words.extend((!series.kernel.is_empty()).then(|| series.kernel.to_string()));
        }
        words.join(" · ")
    }

    /// The texts of the active plane for a picture that leaves the program: nothing of the patient's identity.
    pub(in crate::app) fn captions(&self, report: Option<&FractureReport>, remark: &str) -> Captions {
        let appearance = self.appearance();
        let lines = |texts: Vec<String>| texts.into_iter().filter(|text| !text.is_empty()).collect();
        // What the network says, level names too, is never seen without its name.
        let model = self.own_report(report).filter(|_| self.volume().is_some());
        Captions {
            top_left: lines(vec![appearance.window_words(true), appearance.zoom_words()]),
            top_right: lines(self.series_words(self.plane).split(" · ").map(str::to_owned).collect()),
            bottom_left: lines(vec![remark.to_owned(), self.slice_words(self.plane, report)]),
            bottom_right: lines(
                model
                    .map(|report| {
                        vec!["levels and marks by".to_owned(), report.model.to_string(), "research use only".to_owned()]
                    })
                    .unwrap_or_default(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn minus_is_a_minus_sign() {
        assert_eq!(super::signed(-128.44), "−128.4");
    }
}
