//! The slice strip: the neck from head to foot, level letters where the network sees them, height for suspicion, the cursor.

use super::Look;
use super::text::put;
use crate::app::{Reading, StripCell, strip};
use crate::domain::{CervicalLevel, FractureReport};
use crate::raster;
use crate::theme::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const HEIGHTS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Where the levels' names have room, from left to right: at the middle of the columns that show the level, or right of the name
/// before. A name that has no room is left out.
fn names(cells: &[StripCell]) -> Vec<(u16, CervicalLevel)> {
    let middle = |level: CervicalLevel| {
        let columns = cells.iter().enumerate().filter(|(_, cell)| cell.level == Some(level)).map(|(column, _)| column);
        let columns: Vec<usize> = columns.collect();
        // The median: a stray column far away does not move the name.
        Some((columns.get(columns.len() / 2)?.saturating_sub(1), level))
    };
    let mut wanted: Vec<(usize, CervicalLevel)> = CervicalLevel::ALL.into_iter().filter_map(middle).collect();
    wanted.sort_unstable_by_key(|(x, _)| *x);
    let mut free = 0;
    let mut placed = Vec::new();
    for (x, level) in wanted {
        let x = x.max(free);
        if x + level.name().len() <= cells.len() {
            free = x + level.name().len() + 1;
            placed.push((x as u16, level));
        }
    }
    placed
}

/// The strip in one or two lines.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    reading: &Reading,
    report: Option<&FractureReport>,
    marked: &[usize],
    look: Look<'_>,
) {
    let style = |role| look.theme.style(role);
    let Some(volume) = reading.volume() else { return };
    let slices = volume.shape.slices;
    let report = reading.own_report(report);
    let width = usize::from(area.width);
    let cells = report.map_or_else(|| vec![StripCell::default(); width], |report| strip(report, slices, width));
    let cursor = reading.slice_of(raster::native_plane(volume)) * width / slices.max(1);
    let threshold = report.map_or(1.1, |report| report.model.thresholds.level.value());
    let letters_y = area.bottom() - 1;
    for (column, cell) in cells.iter().enumerate() {
        let x = area.x + column as u16;
        let suspicion = cell.suspicion.unwrap_or(0.0);
        let alert = suspicion >= threshold;
        if area.height > 1 {
            let height = (f64::from(suspicion) * 8.0).round() as usize;
            let role = if alert { Role::BarAlert } else { Role::BarFill };
            put(buffer, x, area.y, 1, HEIGHTS[height.clamp(usize::from(cell.suspicion.is_some()), 8)], style(role));
        }
        let rule = if alert { "!" } else { "─" };
        let role = if alert { Role::Alarm } else { Role::Border };
        put(buffer, x, letters_y, 1, rule, style(role));
    }
    for (x, level) in names(&cells) {
        put(buffer, area.x + x, letters_y, 2, level.name(), style(Role::Muted));
    }
    let at = |slice: usize| area.x + ((slice * width / slices.max(1)) as u16).min(area.width.saturating_sub(1));
    if let Some(report) = report {
        let seen = CervicalLevel::ALL.into_iter().filter_map(|level| reading.key_slice(report, level));
        for x in seen.map(at) {
            // The slice that a level's number leads to, where no letters stand.
            if buffer.cell((x, letters_y)).is_some_and(|cell| cell.symbol() == "─") {
                put(buffer, x, letters_y, 1, "┴", style(Role::Muted));
            }
        }
    }
    for x in marked.iter().copied().map(at) {
        put(buffer, x, letters_y, 1, "◆", style(Role::Accent));
    }
    for y in area.y..area.bottom() {
        if let Some(cell) = buffer.cell_mut((area.x + (cursor as u16).min(area.width.saturating_sub(1)), y)) {
            cell.set_style(style(Role::Cursor));
            if cell.symbol() == " " || cell.symbol() == "─" {
                cell.set_symbol("│");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_overlap_and_follow_the_columns_of_their_level() {
        use CervicalLevel::{C1, C2, C3};
        let show = |levels: &[Option<CervicalLevel>]| {
            names(&levels.iter().map(|level| StripCell { level: *level, ..StripCell::default() }).collect::<Vec<_>>())
        };
        let (a, b, c) = (Some(C1), Some(C2), Some(C3));
        assert_eq!(show(&[None, a, a, a, b, b, b, b, c, c]), [(1, C1), (5, C2), (8, C3)]);
        assert_eq!(show(&[a, b, a, b, a, b, None, None]), [(1, C1), (4, C2)], "mixed columns");
        assert_eq!(show(&[a, b, c, None, None]), [(0, C1), (3, C2)], "one without room is left out");
        assert_eq!(show(&[a, a, a, b, b, b, b, b, b, a]), [(1, C1), (5, C2)], "a stray column");
    }
}
