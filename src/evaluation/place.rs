//! Where levels and fractures lie, by the labels and by the report. Pure.

use super::dataset::TruthBox;
use crate::domain::{CervicalLevel, FractureReport, LevelOutcome, PatientPoint, PerLevel, Series};
use crate::nifti::LabelVolume;
use glam::DVec3;

/// Area of a level on a slice from which the slice shows it, mm²: the rule that training uses, but on the whole slice.
pub const VISIBLE_MM2: f64 = 20.0;

/// What the labels say of each slice, from foot to head.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelSlices {
    /// Position of each slice, LPS z in mm at the middle of its plane, rising.
    pub z_mm: Vec<f64>,
    /// Which levels it shows.
    pub visible: Vec<PerLevel<bool>>,
}

impl LabelSlices {
    /// Counts a label volume's areas.
    #[must_use]
    pub fn new(labels: &LabelVolume) -> Self {
        let axis = labels.head_foot_axis();
        let [columns, rows, _] = labels.size;
        let mut counts = vec![[0_u32; 7]; labels.size[axis]];
        for (row, line) in labels.labels.chunks_exact(columns.max(1)).enumerate() {
            let outer = if axis == 1 { row % rows } else { row / rows };
            for (column, label) in line.iter().enumerate().filter(|(_, label)| (1..=7).contains(*label)) {
                let slice = if axis == 0 { column } else { outer };
                counts[slice][usize::from(*label) - 1] += 1;
            }
        }
        let area = labels.pixel_area_mm2(axis);
        let middle = labels.size.map(|size| (size as f64 - 1.0) / 2.0);
        let z = |slice: usize| {
            let mut voxel = DVec3::from_array(middle);
            voxel[axis] = slice as f64;
            labels.patient_point(voxel).z
        };
        let mut slices: Vec<(f64, PerLevel<bool>)> = counts
            .iter()
            .enumerate()
            .map(|(slice, counts)| (z(slice), PerLevel(counts.map(|count| f64::from(count) * area >= VISIBLE_MM2))))
            .collect();
        slices.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (z_mm, visible) = slices.into_iter().unzip();
        Self { z_mm, visible }
    }

    /// The levels on the slice nearest to a position; `None` more than half a slice away from all.
    #[must_use]
    pub fn at(&self, z_mm: f64) -> Option<&PerLevel<bool>> {
        let after = self.z_mm.partition_point(|z| *z < z_mm);
        let nearest = [after.checked_sub(1), Some(after)]
            .into_iter()
            .flatten()
            .filter_map(|index| Some((index, (self.z_mm.get(index)? - z_mm).abs())))
            .min_by(|a, b| a.1.total_cmp(&b.1))?;
        let steps = crate::domain::SliceStack::new(self.z_mm.clone());
        (nearest.1 <= steps.spacing.unwrap_or(1.0) / 2.0 + 0.01).then(|| &self.visible[nearest.0])
    }

    /// The lowest and highest position of a level that begins and ends within the labels; `None` for others.
    #[must_use]
    pub fn whole(&self, level: CervicalLevel) -> Option<(f64, f64)> {
        let shows = |visible: &PerLevel<bool>| visible[level];
        let (first, last) = (self.visible.iter().position(shows)?, self.visible.iter().rposition(shows)?);
        (first > 0 && last + 1 < self.visible.len()).then(|| (self.z_mm[first], self.z_mm[last]))
    }
}

/// The lowest and highest position of the slices on which the model sees a level; `None` where the report does not show it.
#[must_use]
pub(super) fn reported_range(report: &FractureReport, level: CervicalLevel, presence: f32) -> Option<(f64, f64)> {
    if report.levels[level].outcome == LevelOutcome::NotSeen {
        return None;
    }
    let seen = report.slices.iter().filter(|slice| slice.score.vertebra[level].value() >= presence);
    seen.filter_map(|slice| slice.position_mm)
        .fold(None, |range: Option<(f64, f64)>, z| Some(range.map_or((z, z), |(low, high)| (low.min(z), high.max(z)))))
}

/// A box with its place in the patient.
#[derive(Debug, Clone, Copy)]
pub struct PlacedBox<'s> {
    truth: &'s TruthBox,
    origin: PatientPoint,
    along_row: DVec3,
    along_column: DVec3,
    column_mm: f64,
    row_mm: f64,
    /// Half the distance of slices: a box speaks for its slice.
    half_mm: f64,
}

impl<'s> PlacedBox<'s> {
    /// Finds a box's slice in the series; `None` where it is not there, or has no geometry.
    #[must_use]
    pub fn new(truth: &'s TruthBox, series: &Series) -> Option<Self> {
        let instance =
            series.instances.iter().find(|instance| instance.instance_number == Some(truth.instance_number))?;
        let (plane, spacing) = (instance.plane?, instance.spacing?);
        Some(Self {
            truth,
            origin: plane.position,
            along_row: plane.row_cosines,
            along_column: plane.column_cosines,
            column_mm: spacing.column,
            row_mm: spacing.row,
            half_mm: series.slice_spacing().unwrap_or(1.0) / 2.0,
        })
    }

    /// How far a point lies outside the box, in mm, along that direction of row, column and normal in which it is farthest outside; 0 inside.
    #[must_use]
    pub fn distance_mm(&self, point: PatientPoint) -> f64 {
        let from = point - self.origin;
        let outside = |at: f64, first: f64, size: f64| (first - 0.5 - at).max(at - (first + size - 0.5)).max(0.0);
        let column = outside(from.dot(self.along_row) / self.column_mm, self.truth.x, self.truth.width);
        let row = outside(from.dot(self.along_column) / self.row_mm, self.truth.y, self.truth.height);
        let normal = from.dot(self.along_row.cross(self.along_column)).abs() - self.half_mm;
        (column * self.column_mm).max(row * self.row_mm).max(normal.max(0.0))
    }

    /// LPS z of the slice, mm.
    #[must_use]
    pub fn z_mm(&self) -> f64 {
        self.origin.z
    }

    /// The levels that it is about: what the data set says; else those broken levels whose labels lie in it, or else show on its slice (a
    /// fragment may lie where the labels see none); else, without labels, the only broken one.
    #[must_use]
    pub fn levels(&self, broken: &PerLevel<bool>, labels: Option<(&LabelVolume, &LabelSlices)>) -> Vec<CervicalLevel> {
        if let Some(level) = self.truth.level {
            return vec![level];
        }
        let mut broken: Vec<CervicalLevel> = CervicalLevel::ALL.into_iter().filter(|level| broken[*level]).collect();
        let Some((labels, slices)) = labels else {
            return if broken.len() == 1 { broken } else { Vec::new() };
        };
        let mut found = PerLevel::<bool>::default();
        // A box is never larger than a slice; a wild one must not take for ever.
        let (columns, rows) =
            (self.truth.width.clamp(1.0, 2048.0) as usize, self.truth.height.clamp(1.0, 2048.0) as usize);
        for row in 0..rows {
            for column in 0..columns {
                let point = self.origin
                    + self.along_row * ((self.truth.x + column as f64) * self.column_mm)
                    + self.along_column * ((self.truth.y + row as f64) * self.row_mm);
                let label = usize::from(labels.label_at(point));
                if let Some(level) = label.checked_sub(1).and_then(CervicalLevel::from_index) {
                    found[level] = true;
                }
            }
        }
        let hit: Vec<CervicalLevel> = broken.iter().copied().filter(|level| found[*level]).collect();
        if !hit.is_empty() {
            return hit;
        }
        broken.retain(|level| slices.at(self.z_mm()).is_some_and(|visible| visible[*level]));
        broken
    }
}
