//! The line to the terminal, on demand, and whether what is on the screen is exact.

use crate::app::Model;
use crate::raster::LineState;
use crate::theme::Role;
use std::time::Duration;

/// All that is known of the line, in a sentence for the last lines.
pub(super) fn words(model: &Model) -> String {
    let LineState { round_trip, bytes_per_second, hits, sent, evictions, stored, .. } = model.line;
    let mut words = vec![model.graphics.to_owned()];
    if !model.terminal.is_empty() {
        words.push(model.terminal.clone());
    }
    let link = &model.link;
    if link.bytes > 0 {
        words.push(format!("last image {} in {}", kilobytes(link.bytes as u64), milliseconds(link.round_trip)));
    }
    words.push(round_trip.map_or("round trip unknown".into(), |time| format!("round trip {}", milliseconds(time))));
    words.push(bytes_per_second.map_or("rate unknown".into(), |rate| format!("{}/s", kilobytes(rate))));
    let part = (hits * 100).checked_div(sent + hits).unwrap_or_default();
    words
        .push(format!("{sent} sent, {hits} from the terminal's store ({part} %), {stored} there, {evictions} evicted"));
    let shown = if model.line.preview { "a preview shown" } else { "exact images shown" };
    words.push(format!("quality {}: {shown}", model.quality.name()));
    words.join(" · ")
}

/// Whether the pictures on the screen are exact, where that has ever been in doubt.
pub(super) fn quality(model: &Model) -> Option<(&'static str, Role)> {
    match (model.line.preview, model.previewed) {
        (true, _) => Some((" PREVIEW ", Role::Warning)),
        (false, true) => Some((" exact ", Role::Muted)),
        (false, false) => None,
    }
}

fn kilobytes(bytes: u64) -> String {
    match bytes {
        0..10_000_000 => format!("{} KB", bytes.div_ceil(1000)),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn milliseconds(time: Duration) -> String {
    match time.as_secs_f64() * 1e3 {
        short @ ..9.95 => format!("{short:.1} ms"),
        long => format!("{long:.0} ms"),
    }
}
