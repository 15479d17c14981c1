//! A probability bar in eighth blocks, with the threshold marked.

use crate::domain::Probability;
use crate::theme::{Role, Theme};
use ratatui::buffer::Buffer;

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// How a bar is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Final, below the threshold.
    Plain,
    /// Final, past the threshold.
    Alert,
    /// More slices are to come.
    Preliminary,
}

/// A bar of `width` cells. The threshold is a dotted line where the bar does not reach it.
pub(super) fn draw(
    buffer: &mut Buffer,
    (x, y, width): (u16, u16, u16),
    value: Probability,
    threshold: Option<Probability>,
    kind: Kind,
    theme: &Theme,
) {
    let role = match kind {
        Kind::Plain => Role::BarFill,
        Kind::Alert => Role::BarAlert,
        Kind::Preliminary => Role::BarPreliminary,
    };
    let (fill, empty) = (theme.style(role), theme.style(Role::BarEmpty));
    let eighths = (f64::from(value.value()) * f64::from(width) * 8.0).round() as u32;
    // Something that is not zero is never drawn as nothing.
    let eighths = if value.value() > 0.0 { eighths.max(1) } else { 0 };
    let mark =
        threshold.map(|p| ((f64::from(p.value()) * f64::from(width)).round() as u16).min(width.saturating_sub(1)));
    for cell in 0..width {
        let Some(target) = buffer.cell_mut((x + cell, y)) else { continue };
        let here = eighths.saturating_sub(u32::from(cell) * 8);
        match (here, kind) {
            (8.., Kind::Preliminary) => target.set_symbol("▒").set_style(fill),
            (8.., _) => target.set_symbol("█").set_style(fill),
            (part @ 1..8, _) => target.set_symbol(EIGHTHS[part as usize]).set_style(fill),
            (0, _) if mark == Some(cell) => target.set_symbol("┊").set_style(theme.style(Role::Threshold)),
            (0, _) => target.set_symbol(" ").set_style(empty),
        };
    }
}
