//! The measuring tool: which figure, and the places set so far.

use super::{Command, Reading};
use crate::domain::{Geometry, Measured, Place, Refusal, Uid, Volume, VoxelPoint};
use crate::raster::{self, Figure, Outline, Plane};

/// What is being measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolKind {
    /// Two ends.
    Distance,
    /// An end, the vertex, the other end.
    Angle,
    /// Two opposite corners.
    Rectangle,
    /// Two opposite corners of the rectangle around it.
    Ellipse,
    /// One place.
    Probe,
}

impl ToolKind {
    /// The tool that a command takes up.
    pub(super) fn of(command: Command) -> Option<Self> {
        Some(match command {
            Command::MeasureDistance => Self::Distance,
            Command::MeasureAngle => Self::Angle,
            Command::MeasureRectangle => Self::Rectangle,
            Command::MeasureEllipse => Self::Ellipse,
            Command::Probe => Self::Probe,
            _ => return None,
        })
    }

    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Distance => "distance",
            Self::Angle => "angle",
            Self::Rectangle => "rectangle",
            Self::Ellipse => "ellipse",
            Self::Probe => "probe",
        }
    }

    /// Places that it needs.
    #[must_use]
    pub fn places(self) -> usize {
        match self {
            Self::Probe => 1,
            Self::Distance | Self::Rectangle | Self::Ellipse => 2,
            Self::Angle => 3,
        }
    }

    /// Whether it needs millimetres.
    pub(super) fn is_metric(self) -> bool {
        matches!(self, Self::Distance | Self::Angle)
    }

    /// What the next place is.
    fn next(self, set: usize) -> &'static str {
        match (self, set) {
            (Self::Probe, _) => "the place",
            (Self::Angle, 1) => "the vertex",
            (Self::Distance | Self::Angle, 0) => "one end",
            (Self::Distance | Self::Angle, _) => "the other end",
            (Self::Rectangle | Self::Ellipse, 0) => "one corner",
            (Self::Rectangle | Self::Ellipse, _) => "the opposite corner",
        }
    }
}

/// A measurement being made.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// What.
    pub kind: ToolKind,
    /// The plane that it is made on: that of the first place.
    pub plane: Plane,
    /// Places set so far.
    pub places: Vec<VoxelPoint>,
    /// The study and its series that is measured.
    series: (Uid, usize),
}

impl Tool {
    pub(super) fn new(kind: ToolKind, reading: &Reading) -> Self {
        Self { kind, plane: reading.plane, places: Vec::new(), series: (reading.study.uid.clone(), reading.series) }
    }

    /// Whether it measures what is open.
    pub(super) fn belongs_to(&self, reading: &Reading) -> bool {
        self.series == (reading.study.uid.clone(), reading.series)
    }

    /// Sets a place; `true` once it is the last.
    pub(super) fn set(&mut self, place: VoxelPoint, plane: Plane) -> bool {
        if self.places.is_empty() {
            self.plane = plane;
        }
        self.places.push(place);
        self.places.len() >= self.kind.places()
    }

    /// What is measured once `last` is the last place; `None` while places are missing, or where none can be told.
    #[must_use]
    pub fn geometry(&self, volume: &Volume, last: Option<VoxelPoint>) -> Option<Geometry> {
        let places: Vec<VoxelPoint> = self.places.iter().copied().chain(last).collect();
        let at = |voxel: VoxelPoint| Place::of_voxel(volume, voxel.slice, voxel.row, voxel.column);
        Some(match (self.kind, &places[..]) {
            (ToolKind::Probe, &[place]) => Geometry::Probe { place: at(place)? },
            (ToolKind::Distance, &[from, to]) => Geometry::Distance { ends: [at(from)?, at(to)?] },
            (ToolKind::Angle, &[from, vertex, to]) => Geometry::Angle { places: [at(from)?, at(vertex)?, at(to)?] },
            (ToolKind::Rectangle | ToolKind::Ellipse, &[first, opposite]) => {
                let [beside, below] = raster::corners(volume, self.plane, first, opposite)?;
                let corners = [at(first)?, at(beside)?, at(below)?];
                match self.kind {
                    ToolKind::Ellipse => Geometry::Ellipse { corners },
                    _ => Geometry::Rectangle { corners },
                }
            }
            _ => return None,
        })
    }

    /// What the reader is asked for, with the result as it would be if the cursor were the last place.
    #[must_use]
    pub fn words(&self, reading: &Reading) -> String {
        let name = self.kind.name();
        let set = self.places.len();
        let live = reading.volume().and_then(|volume| {
            let geometry = self.geometry(volume, Some(reading.cursor()))?;
            geometry.measure(volume).ok().map(|measured| format!("{measured} · "))
        });
        format!(
            "{name}: {}{} (arrows or mouse, Enter sets it, Esc leaves)",
            live.unwrap_or_default(),
            self.kind.next(set)
        )
    }

    /// The figure so far, up to the cursor.
    #[must_use]
    pub fn figure(&self, reading: &Reading) -> Option<Figure> {
        let volume = reading.volume()?;
        let cursor = reading.cursor();
        let first = self.places.first().copied().unwrap_or(cursor);
        let (outline, places) = match (self.kind, self.places.len()) {
            (_, 0) | (ToolKind::Probe, _) => (Outline::Point, [cursor; 3]),
            (ToolKind::Distance, _) | (ToolKind::Angle, 1) => (Outline::Line, [first, cursor, cursor]),
            (ToolKind::Angle, _) => (Outline::Corner, [first, *self.places.get(1)?, cursor]),
            (ToolKind::Rectangle | ToolKind::Ellipse, _) => {
                let [beside, below] = raster::corners(volume, self.plane, first, cursor)?;
                let outline = if self.kind == ToolKind::Ellipse { Outline::Ellipse } else { Outline::Rectangle };
                (outline, [first, beside, below])
            }
        };
        Some(Figure { outline, places, number: 0, active: true })
    }
}

/// The figure of a finished measurement in its series' volume.
#[must_use]
pub fn figure(volume: &Volume, number: u64, geometry: &Geometry) -> Option<Figure> {
    let mut places = geometry
        .places()
        .iter()
        .map(|place| place.voxel(volume).map(|[slice, row, column]| VoxelPoint { slice, row, column }));
    let first = places.next()??;
    let second = places.next().unwrap_or(Some(first))?;
    let third = places.next().unwrap_or(Some(second))?;
    let outline = match geometry {
        Geometry::Distance { .. } => Outline::Line,
        Geometry::Angle { .. } => Outline::Corner,
        Geometry::Rectangle { .. } => Outline::Rectangle,
        Geometry::Ellipse { .. } => Outline::Ellipse,
        Geometry::Probe { .. } => Outline::Point,
    };
    Some(Figure { outline, places: [first, second, third], number, active: false })
}

/// A result or why there is none, in words.
#[must_use]
pub(super) fn result_words(result: &Result<Measured, Refusal>) -> String {
    match result {
        Ok(measured) => measured.to_string(),
        Err(refusal) => refusal.to_string(),
    }
}
