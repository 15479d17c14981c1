//! Where on a stored picture something is (PS3.3 section C.18.6).

use crate::domain::{Geometry, Instance, Measurement, PatientPoint, Place, Series, Study};

/// Figures of spatial coordinates (PS3.3 section C.18.6.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Graphic {
    /// One point.
    Point,
    /// Points joined by lines; closed where the last is the first.
    Polyline,
    /// The ends of the longer axis, then those of the shorter.
    Ellipse,
}

impl Graphic {
    /// GraphicType.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Point => "POINT",
            Self::Polyline => "POLYLINE",
            Self::Ellipse => "ELLIPSE",
        }
    }
}

/// A figure on one picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Region {
    pub(super) graphic: Graphic,
    /// GraphicData: column and row of each point. (0, 0) is the upper left corner of the upper left pixel, whose centre is (0.5, 0.5).
    pub(super) points: Vec<[f64; 2]>,
}

/// A point of a series' picture; `None` where it lies beside the picture, or further from its plane than half the way to the next slice.
pub(super) fn point(series: &Series, instance: &Instance, point: PatientPoint) -> Option<Region> {
    let (_, at) = on(series, instance, &Place::at(point))?;
    Some(Region { graphic: Graphic::Point, points: vec![at] })
}

/// The picture that holds all places of a measurement, and the figure on it; `None` where no stored picture does (a measurement across
/// slices, or on a reformat).
pub(super) fn measured<'s>(study: &'s Study, measurement: &Measurement) -> Option<(&'s Instance, Region)> {
    let places = measurement.geometry.places();
    let series = study.series.iter().filter(|series| series.uid == measurement.series);
    let pictures = series.flat_map(|series| series.instances.iter().map(move |instance| (series, instance)));
    let held = pictures.filter_map(|(series, instance)| {
        let held: Option<Vec<(f64, [f64; 2])>> = places.iter().map(|place| on(series, instance, place)).collect();
        let held = held?;
        let away = held.iter().map(|(away, _)| *away).fold(0.0, f64::max);
        Some((away, instance, held.into_iter().map(|(_, at)| at).collect::<Vec<_>>()))
    });
    let (_, instance, points) = held.min_by(|one, other| one.0.total_cmp(&other.0))?;
    Some((instance, figure(&measurement.geometry, points)?))
}

/// The distance of a place from a picture's plane in mm, and its column and row.
fn on(series: &Series, instance: &Instance, place: &Place) -> Option<(f64, [f64; 2])> {
    let (away, [column, row]) = match place {
        Place::Patient { mm } => {
            let (plane, spacing) = (instance.plane?, instance.spacing?);
            let way = PatientPoint::from_array(*mm) - plane.position;
            let at = [way.dot(plane.row_cosines) / spacing.column, way.dot(plane.column_cosines) / spacing.row];
            (way.dot(plane.normal()).abs(), at)
        }
        Place::Stored { instance: uid, frame, row, column } => {
            let here = instance.sop_instance_uid == *uid && instance.frame == *frame;
            here.then_some((0.0, [*column, *row]))?
        }
    };
    let (column, row) = (column + 0.5, row + 0.5);
    let inside =
        (0.0..=f64::from(instance.columns)).contains(&column) && (0.0..=f64::from(instance.rows)).contains(&row);
    (inside && away <= series.slice_spacing().unwrap_or(1.0) / 2.0).then_some((away, [column, row]))
}

fn figure(geometry: &Geometry, points: Vec<[f64; 2]>) -> Option<Region> {
    let corners = || points.first_chunk::<3>().map(|[a, b, c]| [*a, *b, *c]);
    let (graphic, points) = match geometry {
        Geometry::Probe { .. } => (Graphic::Point, points),
        Geometry::Distance { .. } | Geometry::Angle { .. } => (Graphic::Polyline, points),
        Geometry::Rectangle { .. } => {
            let [a, b, c] = corners()?;
            let opposite = [b[0] + c[0] - a[0], b[1] + c[1] - a[1]];
            (Graphic::Polyline, vec![a, b, opposite, c, a])
        }
        Geometry::Ellipse { .. } => {
            let [a, b, c] = corners()?;
            let middle = [f64::midpoint(b[0], c[0]), f64::midpoint(b[1], c[1])];
            let half = |end: [f64; 2]| [(end[0] - a[0]) / 2.0, (end[1] - a[1]) / 2.0];
            let (one, other) = (half(b), half(c));
            let length = |way: [f64; 2]| way[0].hypot(way[1]);
            let (long, short) = if length(one) >= length(other) { (one, other) } else { (other, one) };
            let ends =
                |way: [f64; 2]| [[middle[0] - way[0], middle[1] - way[1]], [middle[0] + way[0], middle[1] + way[1]]];
            (Graphic::Ellipse, [ends(long), ends(short)].concat())
        }
    };
    Some(Region { graphic, points })
}
