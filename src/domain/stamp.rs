//! A moment, with the clock that hung on the reader's wall.

use jiff::{Timestamp, civil::DateTime, tz::Offset};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A moment in UTC and the local offset from it at that place and time. The domain reads no clock: whoever makes one has read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub utc_ms: i64,
    /// Minutes that the local clock is ahead of UTC.
    pub offset_minutes: i16,
}

impl Stamp {
    /// Whole minutes from an earlier moment to this one; 0 where it is not earlier.
    #[must_use]
    pub fn minutes_since(self, earlier: Self) -> u64 {
        u64::try_from(self.utc_ms.saturating_sub(earlier.utc_ms) / 60_000).unwrap_or(0)
    }

    /// The local time of day, as `09:41`.
    #[must_use]
    pub fn hour_minute(self) -> String {
        let local = self.local();
        format!("{:02}:{:02}", local.hour(), local.minute())
    }

    /// Whether both fall on the same day by this one's local clock.
    #[must_use]
    pub fn is_same_day(self, other: Self) -> bool {
        self.local().date() == Self { utc_ms: other.utc_ms, ..self }.local().date()
    }

    /// Date and time of day by the local clock.
    #[must_use]
    pub fn civil(self) -> DateTime {
        self.local()
    }

    /// The day by the local clock, as `2026-11-25`.
    #[must_use]
    pub fn day(self) -> String {
        self.local().date().to_string()
    }

    /// As `2026-11-25T09:41:36+01:00` (RFC 3339).
    #[must_use]
    pub fn rfc3339(self) -> String {
        let (sign, hours, minutes) = self.offset_parts();
        let local = self.local();
        format!(
            "{}T{:02}:{:02}:{:02}{sign}{hours:02}:{minutes:02}",
            local.date(),
            local.hour(),
            local.minute(),
            local.second()
        )
    }

    /// The local offset as DICOM writes it, `+0100` (PS3.3 section C.12.1.1.8).
    #[must_use]
    pub fn dicom_offset(self) -> String {
        let (sign, hours, minutes) = self.offset_parts();
        format!("{sign}{hours:02}{minutes:02}")
    }

    fn offset_parts(self) -> (char, u16, u16) {
        let minutes = self.offset_minutes.unsigned_abs();
        (if self.offset_minutes < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
    }

    fn local(self) -> DateTime {
        let moment = Timestamp::from_millisecond(self.utc_ms).unwrap_or_default();
        let offset = Offset::from_seconds(i32::from(self.offset_minutes) * 60).unwrap_or(Offset::UTC);
        offset.to_datetime(moment)
    }
}

impl fmt::Display for Stamp {
    /// As `2026-11-25 09:41 +01:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = if self.offset_minutes < 0 {
            ('-', -i32::from(self.offset_minutes))
        } else {
            ('+', self.offset_minutes.into())
        };
        write!(f, "{} {} {sign}{:02}:{:02}", self.local().date(), self.hour_minute(), minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_by_the_local_clock() {
        let stamp = Stamp { utc_ms: 1_795_596_936_000, offset_minutes: 60 };
        assert_eq!(stamp.to_string(), "2026-11-25 09:55 +01:00");
        assert_eq!(stamp.hour_minute(), "09:55");
        assert_eq!((stamp.rfc3339().as_str(), stamp.dicom_offset().as_str()), ("2026-11-25T09:55:36+01:00", "+0100"));
        let west = Stamp { offset_minutes: -210, ..stamp };
        assert_eq!(west.to_string(), "2026-11-25 05:25 -03:30");
        assert_eq!((west.rfc3339().as_str(), west.dicom_offset().as_str()), ("2026-11-25T05:25:36-03:30", "-0330"));
        assert_eq!(Stamp { utc_ms: i64::MAX, offset_minutes: i16::MAX }.hour_minute().len(), 5, "no moment panics");
    }

    #[test]
    fn a_day_ends_at_local_midnight() {
        let late = Stamp { utc_ms: 1_795_596_936_000, offset_minutes: 60 };
        let hours = |hours: i64| Stamp { utc_ms: late.utc_ms + hours * 3_600_000, ..late };
        assert!(late.is_same_day(hours(14)) && !late.is_same_day(hours(15)));
        assert_eq!(hours(2).minutes_since(late), 120);
        assert_eq!(late.minutes_since(hours(2)), 0);
    }
}
