//! Which study goes before which.

use super::{Entry, Progress};
use crate::domain::{Analysis, Stamp, StudyState};
use std::cmp::Ordering;

/// How the list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Most likely broken first, then longest waiting.
    #[default]
    Urgency,
    /// Longest waiting first.
    Arrival,
    /// By patient name.
    Name,
    /// By patient number.
    Patient,
    /// Nearest to the threshold first.
    Uncertainty,
    /// Newest study first.
    Date,
}

impl Order {
    /// All, in the order in which a key goes through them.
    pub const ALL: [Self; 6] = [Self::Urgency, Self::Arrival, Self::Name, Self::Patient, Self::Uncertainty, Self::Date];

    /// The next order.
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Urgency => "urgency",
            Self::Arrival => "order of arrival",
            Self::Name => "name",
            Self::Patient => "patient number",
            Self::Uncertainty => "uncertainty",
            Self::Date => "date",
        }
    }
}

/// What waiting adds to a study's urgency, so that none waits for ever.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aging {
    /// Percentage points an hour; 0 for none.
    pub points_per_hour: f32,
}

impl Default for Aging {
    /// 2 points an hour: a study at 10 % overtakes one at 50 % that has just arrived after 20 hours.
    fn default() -> Self {
        Self { points_per_hour: 2.0 }
    }
}

impl Aging {
    /// What is added after so many minutes, as a share of 1.
    #[must_use]
    pub fn after_minutes(self, minutes: u64) -> f32 {
        self.points_per_hour * minutes as f32 / 6000.0
    }
}

/// What a place in the list comes from, first things first; lower goes before higher.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// A conflict goes first in every order; what is read or deferred goes below what is not, STAT above pinned above the others.
    standing: (u8, u8),
    rank: u8,
    number: f32,
    text: String,
    arrived: i64,
    found: usize,
}

impl Eq for Place {}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let number = |a: &Self, b: &Self| a.number.total_cmp(&b.number);
        (self.standing, self.rank)
            .cmp(&(other.standing, other.rank))
            .then_with(|| number(self, other))
            .then_with(|| self.text.cmp(&other.text))
            .then_with(|| (self.arrived, self.found).cmp(&(other.arrived, other.found)))
    }
}

impl Place {
    /// The place of a study.
    pub(super) fn of(entry: &Entry, order: Order, aging: Aging, now: Option<Stamp>) -> Self {
        let (rank, number, text) = match order {
            Order::Urgency => (rank(entry), -entry.urgency(aging, now).unwrap_or(0.0), String::new()),
            Order::Arrival => (0, 0.0, String::new()),
            Order::Name => (0, 0.0, entry.name().to_lowercase()),
            Order::Patient => (0, 0.0, entry.study.patient.id.as_str().to_lowercase()),
            Order::Uncertainty => {
                let distance = entry
                    .report()
                    .map(|report| (report.overall.value() - report.model.thresholds.overall.value()).abs());
                (rank(entry), distance.unwrap_or(2.0), String::new())
            }
            // Later is lower; what has no date comes last.
            Order::Date => {
                let number = entry.study.date.map_or(0.0, |date| {
                    let minutes = date.time.map_or(0, |(hour, minute)| u32::from(hour) * 60 + u32::from(minute));
                    let days = u32::from(date.year) * 372 + u32::from(date.month) * 31 + u32::from(date.day);
                    -(f64::from(days) + f64::from(minutes) / 1440.0) as f32
                });
                (0, number, String::new())
            }
        };
        let standing = match (order, entry.state) {
            (_, StudyState::Conflict) => (0, 0),
            (Order::Urgency | Order::Uncertainty, StudyState::Deferred) => (2, 0),
            (Order::Urgency | Order::Uncertainty, state) if state.is_finished() => (3, 0),
            // Once read, it is on top of nothing any more.
            (Order::Urgency | Order::Uncertainty, _) => {
                (1, 3 - 2 * u8::from(entry.is_stat()) - u8::from(entry.is_pinned()))
            }
            _ => (1, 0),
        };
        let arrived = entry.arrived.map_or(i64::MAX, |stamp| stamp.utc_ms);
        Self { standing, rank, number, text, arrived, found: entry.number }
    }
}

fn rank(entry: &Entry) -> u8 {
    match &entry.progress {
        _ if entry.report().is_some() => 0,
        Progress::Waiting | Progress::Running { .. } => 1,
        // Blinded: what the network said must not show in the order.
        Progress::Done(Analysis::Analysed(_)) => 1,
        Progress::Done(Analysis::Failed(_)) => 2,
        Progress::Done(Analysis::NotAnalysed(_) | Analysis::Declined(_)) => 3,
    }
}
