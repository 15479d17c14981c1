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
    for level in CervicalLevel::ALL {
        let places: Vec<usize> =
            cells.iter().enumerate().filter(|(_, cell)| cell.level == Some(level)).map(|(column, _)| column).collect();
        if let (Some(first), Some(last)) = (places.first(), places.last()) {
            let middle = (first + last) / 2;
            put(buffer, area.x + (middle as u16).saturating_sub(1), letters_y, 2, level.name(), style(Role::Muted));
        }
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
