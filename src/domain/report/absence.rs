//! Why a level has no probability.

use super::{FractureReport, Provenance, ScoredSlice};
use crate::domain::{CervicalLevel, PerLevel, SearchedSlices, ZRange};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// More than the height of any cervical vertebra with its disc, mm (15 to 20 in adults; C2 with the dens some 40, of which C1
/// covers half).
const ROOM_MM: f64 = 25.0;
/// A gap between slices shorter than this, mm, hides no level.
const GAP_MM: f64 = 8.0;

/// Why a level has no probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Absence {
    /// The scan ends before it, or has a gap there.
    NotInScan,
    /// It must be in the scan; the network did not see it.
    Overlooked,
    /// It lies between levels from two series whose positions cannot be compared.
    Uncertain,
    /// A series that may show it was not analyzed.
    NotAnalyzed,
}

impl Absence {
    /// All reasons, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::NotInScan, Self::Overlooked, Self::Uncertain, Self::NotAnalyzed];

    /// A stable name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotInScan => "not-in-scan",
            Self::Overlooked => "not-detected",
            Self::Uncertain => "uncertain",
            Self::NotAnalyzed => "not-analyzed",
        }
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInScan => "not in the scan",
            Self::Overlooked => "in the scan, not seen by the model",
            Self::Uncertain => "not seen, may be in the scan",
            Self::NotAnalyzed => "not analyzed",
        })
    }
}

impl FractureReport {
    /// The levels that have no probability and why, as `C7 not in the scan`; empty where there are none. A series that could not be
    /// analyzed is named with its reason.
    #[must_use]
    pub fn absences(&self) -> Vec<String> {
        let grouped = Absence::ALL.into_iter().filter(|why| *why != Absence::NotAnalyzed).filter_map(|why| {
            let levels = self.not_seen().into_iter().filter(|level| self.absence(*level) == Some(why));
            let names: Vec<&str> = levels.map(CervicalLevel::name).collect();
            (!names.is_empty()).then(|| format!("{} {why}", names.join(" ")))
        });
        grouped.chain(self.incomplete()).collect()
    }

    /// Why a level has no probability; `None` if it has one. A level between two that were seen is in the scan, and so is one if the scan
    /// goes on long enough past the last that was seen: the network overlooked it, which must never read as a scan that ends too early.
    #[must_use]
    pub fn absence(&self, level: CervicalLevel) -> Option<Absence> {
        if self.levels[level].probability().is_some() {
            return None;
        }
        let failed = !self.provenance.failures.is_empty();
        Some(match self.search(level) {
            Absence::NotInScan | Absence::Uncertain if failed => Absence::NotAnalyzed,
            why => why,
        })
    }

    /// This report without its single slices and activation maps, as the list keeps it.
    #[must_use]
    pub fn thinned(&self) -> Self {
        let unseen = |level: CervicalLevel| self.levels[level].probability().is_none();
        let parts = self.provenance.parts.iter().map(|part| Arc::new(part.thinned())).collect();
        let absences = PerLevel::from_fn(|level| unseen(level).then(|| self.search(level)));
        Self {
            slices: Vec::new(),
            activations: PerLevel::default(),
            provenance: Provenance { parts, absences, ..self.provenance.clone() },
            ..self.clone()
        }
    }

    /// Where an unseen level is, as far as the analyzed series tell.
    fn search(&self, level: CervicalLevel) -> Absence {
        if let Some(known) = self.provenance.absences[level] {
            return known;
        }
        if self.parts().any(|part| part.is_overlooked(level)) {
            return Absence::Overlooked;
        }
        match self.neighbors(level) {
            (Some(above), Some(below)) if self.is_merged() => self.between_parts(above, below),
            _ => Absence::NotInScan,
        }
    }

    /// Whether a level that this series does not show must be in its scan.
    fn is_overlooked(&self, level: CervicalLevel) -> bool {
        let (above, below) = self.neighbors(level);
        let room = match (above, below) {
            (Some(above), Some(below)) => return !self.has_gap_between(above, below),
            (None, None) => return false,
            (Some(last), None) => self.scan_beyond(last, true),
            (None, Some(first)) => self.scan_beyond(first, false),
        };
        let nearest = above.or(below).unwrap_or(level);
        let levels = nearest.index().abs_diff(level.index()) as f64;
        room.is_some_and(|mm| mm > levels * ROOM_MM)
    }

    /// Where a level is that lies between two from different series: in the scan if there is no gap between these series.
    fn between_parts(&self, above: CervicalLevel, below: CervicalLevel) -> Absence {
        let (upper, lower) = (self.source(above), self.source(below));
        let frames = (&upper.provenance.frame_of_reference, &lower.provenance.frame_of_reference);
        let ranges: Vec<ZRange> = upper.provenance.scanned.iter().chain(&lower.provenance.scanned).copied().collect();
        match upper.end_of(above, true).zip(lower.end_of(below, false)) {
            Some((top, bottom)) if frames.0.is_some() && frames.0 == frames.1 && !ranges.is_empty() => {
                if has_gap(&ranges, top, bottom) { Absence::NotInScan } else { Absence::Overlooked }
            }
            _ => Absence::Uncertain,
        }
    }

    /// The nearest levels above and below that were seen.
    fn neighbors(&self, level: CervicalLevel) -> (Option<CervicalLevel>, Option<CervicalLevel>) {
        let seen = |level: &CervicalLevel| self.levels[*level].probability().is_some();
        let above = CervicalLevel::ALL.into_iter().rev().filter(|other| *other < level).find(seen);
        (above, CervicalLevel::ALL.into_iter().filter(|other| *other > level).find(seen))
    }

    /// Whether slices are missing between two levels. Unknown positions count as no gap.
    fn has_gap_between(&self, above: CervicalLevel, below: CervicalLevel) -> bool {
        let ends = self.end_of(above, true).zip(self.end_of(below, false));
        let ranges = &self.provenance.scanned;
        ends.is_some_and(|(top, bottom)| !ranges.is_empty() && has_gap(ranges, top, bottom))
    }

    /// Position of the last slice that shows a level, toward the feet or toward the head, LPS z in mm.
    fn end_of(&self, level: CervicalLevel, caudal: bool) -> Option<f64> {
        let shows = |slice: &&ScoredSlice| slice.score.vertebra[level].value() >= 0.5;
        let slice = if caudal { self.slices.iter().rev().find(shows) } else { self.slices.iter().find(shows) };
        slice?.position_mm
    }

    /// How far the scan goes on past the slices that show a level, in mm; infinite if it goes on past those that were searched.
    fn scan_beyond(&self, level: CervicalLevel, caudal: bool) -> Option<f64> {
        let goes_on = |searched: SearchedSlices| match caudal {
            true => searched.last.saturating_add(1) < searched.total,
            false => searched.first > 0,
        };
        if self.searched.is_some_and(goes_on) {
            return Some(f64::INFINITY);
        }
        let end = if caudal { self.slices.last()? } else { self.slices.first()? };
        Some((self.end_of(level, caudal)? - end.position_mm?).abs())
    }
}

/// Whether a stretch between two positions holds a gap.
fn has_gap(ranges: &[ZRange], a: f64, b: f64) -> bool {
    ZRange::between(a, b).is_some_and(|span| span.without(ranges).iter().any(|piece| piece.length() > GAP_MM))
}
