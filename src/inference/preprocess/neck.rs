//! Finds the part of a long scan that holds the neck, from the volume alone: no network pass.
//!
//! The lungs are the landmark. No other large organ has their density, the body encloses them, and their apices lie at the neck
//! of the first rib, the level of T1 (Gray's Anatomy, "Lungs"): the bodies of C1 to C7 are cranial to them. Thorax, abdomen, pelvis and
//! legs are left out, because a network trained on necks may take other bones for cervical vertebrae. If the scan also shows what
//! is cranial to the vertex (raised arms, hands), that is left out, too.
//!
//! If no lungs are seen (a scan that ends above them, consolidation, hemothorax), the skull bounds the search instead. With neither the
//! whole scan is searched. Every margin is wide: a range too wide costs time, a range too narrow costs a vertebra.

use super::body_centre;
use super::spine::shows_ring;
use crate::domain::{PixelSpacing, Volume};
use rayon::prelude::*;
use std::ops::Range;

/// Distance between the slices that are looked at, mm. The lungs' apices are found to within as much.
const LAYER_MM: f64 = 8.0;
/// Mean densities of lung parenchyma in a cell, HU: −950 is the threshold of emphysema, −500 that of consolidation (Gattinoni et al., Am J
/// Respir Crit Care Med 2001;164:1701; Gevenois et al., Am J Respir Crit Care Med 1996;154:187). Gas in the bowel is less dense.
const LUNG_HU: Range<f32> = -960.0..-450.0;
/// Denser cells can be a wall of the body, HU.
const WALL_HU: f32 = -300.0;
/// Cells less dense than this at the edge of the field are room air, not lung cut by a narrow field, HU.
const ROOM_AIR_HU: f32 = -940.0;
/// Part of the field's half width that is looked at: a reconstruction is a circle, with padding in its corners.
const FIELD_SHARE: f64 = 0.96;
/// From this share of a body's section its lungs count. The sinuses and airways of a head stay below half of it; an axial section through
/// the lungs is a quarter to a half lung.
const LUNG_SHARE: f64 = 0.10;
/// Lungs are at least this long, mm: more than a sinus or an airway, and no shorter than the search goes beyond their apices.
const LUNG_MM: f64 = 90.0;
/// How far the search goes caudally from the first slice with lungs of [`LUNG_SHARE`], mm. C7 lies cranial to that slice; four upper thoracic
/// vertebrae with their discs take up 80 mm (Panjabi et al., Spine 1991;16:888), and a kyphotic spine is not searched too short.
const BELOW_APEX_MM: f64 = 80.0;
/// Edge of the cells in which densities are averaged, mm: noise averages out, and a chest wall is several cells thick.
const CELL_MM: f64 = 4.0;
/// No more cells than this along an edge of the slice.
const MOST_CELLS: usize = 512;
/// A skull shows as a closed ring of bone over at least this length, mm.
const SKULL_MM: f64 = 30.0;
/// How far the search goes caudally from the last slice of a skull if no lungs bound it, mm. The ring ends at the skull base or above; C1 to
/// T1 take up some 150 mm, and half as much again is left for a tall person and for a ring that ends early.
const BELOW_SKULL_MM: f64 = 300.0;
/// The calvaria lies at least this far cranial to the lungs, even in an infant, mm. A ring of bone closer to them is the shoulder girdle.
const CALVARIA_MM: f64 = 120.0;
/// The vertex lies no farther than this cranial to the first ring of bone, mm: the vertex itself is too small for a ring.
const VERTEX_MM: f64 = 40.0;

/// Where the neck is in a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Neck {
    /// The slices among which the neck is searched: all of them, if the volume shows neither lungs nor much of the body below a skull.
    pub(super) searched: Range<usize>,
    /// The slices through which the course of the spine is followed: from the first of `searched` to the lungs' bases, if they are seen. The
    /// thoracic spine is thick and straight; it holds the course in the middle.
    pub(super) followed: Range<usize>,
}

impl Neck {
    /// Finds the neck in an axial volume.
    pub(super) fn find(volume: &Volume, spacing: PixelSpacing) -> Self {
        let offsets = &volume.stack.offsets;
        let layers = layers(offsets);
        let up_to = |mm: f64| offsets.partition_point(|&offset| offset <= mm);
        if let Some(lungs) = lungs(volume, spacing, &layers) {
            let (apex, base) = (layers[lungs.start].place, layers[lungs.end - 1].place);
            let calvaria = skulls(volume, spacing, &layers[..lungs.start])
                .first()
                .map(|skull| layers[skull.start].place)
                .filter(|calvaria| apex - calvaria >= CALVARIA_MM);
            let start = calvaria.map_or(0, |calvaria| offsets.partition_point(|&o| o < calvaria - VERTEX_MM));
            let end = up_to(apex + BELOW_APEX_MM);
            return Self { searched: start..end, followed: start..up_to(base).max(end) };
        }
        // The most cranial ring: the pelvis may be another.
        let skull = skulls(volume, spacing, &layers).first().map(|skull| layers[skull.end - 1].place);
        let range = 0..skull.map_or(volume.shape.slices, |skull| up_to(skull + BELOW_SKULL_MM));
        Self { searched: range.clone(), followed: range }
    }
}

/// The run of layers that shows the lungs.
fn lungs(volume: &Volume, spacing: PixelSpacing, layers: &[Layer]) -> Option<Range<usize>> {
    let grid = Grid::of(volume, spacing);
    let sections: Vec<Section> =
        layers.par_iter().map(|layer| Section::of(&mean_hu(volume, layer.slice, &grid), &grid)).collect();
    let shows: Vec<bool> = sections.iter().map(Section::shows_lungs).collect();
    let lung = |run: &Range<usize>| sections[run.clone()].iter().map(|section| section.lung).sum::<usize>();
    // Of those long enough the one with most lung: in an abdomen a mixture of gas and stool can have the density of lung.
    runs(layers, &shows, LUNG_MM).into_iter().max_by_key(lung)
}

/// The runs of layers with a ring of bone as long as a skull, from the head's end.
fn skulls(volume: &Volume, spacing: PixelSpacing, layers: &[Layer]) -> Vec<Range<usize>> {
    let spacing = (spacing.row, spacing.column);
    let rings: Vec<bool> = layers
        .par_iter()
        .map(|layer| shows_ring(volume, layer.slice, spacing, body_centre(volume, layer.slice)))
        .collect();
    runs(layers, &rings, SKULL_MM)
}

/// A slice that is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Layer {
    /// Index of the slice.
    slice: usize,
    /// Where it lies along the stack, mm.
    place: f64,
}

/// Slices at least [`LAYER_MM`] apart, from the first.
fn layers(offsets: &[f64]) -> Vec<Layer> {
    let mut picked: Vec<Layer> = Vec::new();
    for (slice, &place) in offsets.iter().enumerate() {
        if picked.last().is_none_or(|last| place - last.place >= LAYER_MM - 1e-6) {
            picked.push(Layer { slice, place });
        }
    }
    picked
}

/// Square cells over a slice, none smaller than a pixel.
#[derive(Debug, Clone, Copy)]
struct Grid {
    rows: usize,
    columns: usize,
    /// Cells per pixel, down and across.
    cells_per_pixel: (f64, f64),
    /// Whether the last row is the most posterior one.
    is_posterior_last: bool,
}

impl Grid {
    fn of(volume: &Volume, spacing: PixelSpacing) -> Self {
        let edge = CELL_MM.max(spacing.row).max(spacing.column);
        let count = |len: usize, mm: f64| ((len as f64 * mm / edge) as usize).clamp(1, MOST_CELLS);
        Self {
            rows: count(volume.shape.rows, spacing.row),
            columns: count(volume.shape.columns, spacing.column),
            cells_per_pixel: (spacing.row / edge, spacing.column / edge),
            is_posterior_last: volume.plane.is_none_or(|plane| plane.column_cosines.y > 0.0),
        }
    }

    fn row_cell(&self, row: usize) -> usize {
        (((row as f64 + 0.5) * self.cells_per_pixel.0) as usize).min(self.rows - 1)
    }

    fn column_cell(&self, column: usize) -> usize {
        (((column as f64 + 0.5) * self.cells_per_pixel.1) as usize).min(self.columns - 1)
    }
}

/// The mean of each cell of a slice, HU, row by row.
fn mean_hu(volume: &Volume, slice: usize, grid: &Grid) -> Vec<f32> {
    let width = volume.shape.columns.max(1);
    let of_column: Vec<usize> = (0..width).map(|column| grid.column_cell(column)).collect();
    let mut sums = vec![(0_i64, 0_u32); grid.rows * grid.columns];
    for (row, line) in volume.slice(slice).unwrap_or_default().chunks_exact(width).enumerate() {
        let cells = &mut sums[grid.row_cell(row) * grid.columns..][..grid.columns];
        for (&cell, &hu) in of_column.iter().zip(line) {
            let (sum, count) = &mut cells[cell];
            *sum += i64::from(hu.max(Volume::AIR));
            *count += 1;
        }
    }
    let mean = |(sum, count): (i64, u32)| if count == 0 { Volume::AIR.into() } else { sum as f32 / count as f32 };
    sums.into_iter().map(mean).collect()
}

/// What one axial section shows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Section {
    /// Cells of lung.
    lung: usize,
    /// Cells of the body and of what it encloses.
    body: usize,
}

impl Section {
    /// Counts the cells of a slice. What room air reaches from the edge of the field without crossing a wall of the body is outside: foam,
    /// hair and blankets can be as dense as lung. Of what is inside, lung has a wall behind it, too: in a narrow field
    /// a pillow may fill the space between the neck and the edge.
    fn of(cells: &[f32], grid: &Grid) -> Self {
        let field = Field::of(grid);
        let is_wall = field.walls(cells);
        let is_outside = field.reached_by_room_air(cells, &is_wall);
        let mut section = Self { lung: 0, body: 0 };
        let mut wall_behind = vec![false; grid.columns];
        let mut from_behind: Vec<usize> = (0..grid.rows).collect();
        if grid.is_posterior_last {
            from_behind.reverse();
        }
        for (row, column) in from_behind.into_iter().flat_map(|row| (0..grid.columns).map(move |column| (row, column)))
        {
            let at = row * grid.columns + column;
            wall_behind[column] |= is_wall[at];
            if field.holds[at] && !is_outside[at] {
                section.body += 1;
                section.lung += usize::from(!is_wall[at] && wall_behind[column] && LUNG_HU.contains(&cells[at]));
            }
        }
        section
    }

    /// Whether lungs make up a large part of the section.
    fn shows_lungs(&self) -> bool {
        self.lung as f64 >= LUNG_SHARE * self.body.max(1) as f64
    }
}

/// The cells of a slice that lie in the reconstructed circle.
#[derive(Debug)]
struct Field {
    rows: usize,
    columns: usize,
    holds: Vec<bool>,
}

impl Field {
    fn of(grid: &Grid) -> Self {
        let away = |at: usize, len: usize| (at as f64 + 0.5) / (len as f64 / 2.0) - 1.0;
        let holds =
            |at: usize| away(at / grid.columns, grid.rows).hypot(away(at % grid.columns, grid.columns)) <= FIELD_SHARE;
        let holds = (0..grid.rows * grid.columns).map(holds).collect();
        Self { rows: grid.rows, columns: grid.columns, holds }
    }

    /// Tissue that is at least two cells thick. A cervical collar's shell and the cover of a table are thinner.
    fn walls(&self, cells: &[f32]) -> Vec<bool> {
        let is_tissue = |at: usize| self.holds[at] && cells[at] > WALL_HU;
        let mut walls = vec![false; cells.len()];
        for row in 1..self.rows {
            for column in 1..self.columns {
                let at = row * self.columns + column;
                let block = [at, at - 1, at - self.columns, at - self.columns - 1];
                if block.into_iter().all(is_tissue) {
                    block.into_iter().for_each(|at| walls[at] = true);
                }
            }
        }
        walls
    }

    fn neighbors(&self, at: usize) -> [Option<usize>; 4] {
        let (row, column) = (at / self.columns, at % self.columns);
        let neighbors = [
            (row > 0).then(|| at - self.columns),
            (row + 1 < self.rows).then(|| at + self.columns),
            (column > 0).then(|| at - 1),
            (column + 1 < self.columns).then(|| at + 1),
        ];
        neighbors.map(|next| next.filter(|&next| self.holds[next]))
    }

    /// The cells that room air reaches from the edge of the field without crossing a wall.
    fn reached_by_room_air(&self, cells: &[f32], is_wall: &[bool]) -> Vec<bool> {
        let at_edge = |at: usize| self.neighbors(at).iter().any(Option::is_none);
        let mut reached: Vec<bool> =
            (0..cells.len()).map(|at| self.holds[at] && cells[at] <= ROOM_AIR_HU && at_edge(at)).collect();
        let mut open: Vec<usize> = (0..cells.len()).filter(|&at| reached[at]).collect();
        while let Some(at) = open.pop() {
            for next in self.neighbors(at).into_iter().flatten() {
                if !reached[next] && !is_wall[next] {
                    reached[next] = true;
                    open.push(next);
                }
            }
        }
        reached
    }
}

/// Runs of neighboring layers for which `holds` is true, at least `least_mm` long. A gap in the scan does not end a run.
fn runs(layers: &[Layer], holds: &[bool], least_mm: f64) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (index, _) in holds.iter().enumerate().filter(|(_, holds)| **holds) {
        match found.last_mut() {
            Some(run) if run.end == index => run.end = index + 1,
            _ => found.push(index..index + 1),
        }
    }
    found.retain(|run| layers[run.end - 1].place - layers[run.start].place >= least_mm);
    found
}

#[cfg(test)]
mod tests;
