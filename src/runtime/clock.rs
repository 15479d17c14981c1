//! The clock on the wall and the name of who sits before it.

use crate::domain::{CleanText, Stamp};

/// Now, with the local offset.
#[must_use]
pub fn now() -> Stamp {
    let now = jiff::ZonedDateTime::now();
    let minutes = now.offset().seconds() / 60;
    Stamp { utc_ms: now.timestamp().as_millisecond(), offset_minutes: i16::try_from(minutes).unwrap_or(0) }
}

/// The user's name as the system gives it.
#[must_use]
pub(super) fn user_name() -> CleanText {
    let name = whoami::username().map(|name| CleanText::new(&name)).unwrap_or_default();
    if name.is_empty() { CleanText::new("unknown") } else { name }
}

/// A name for this run of the program, as no other has at the same time.
pub(super) fn program_name() -> String {
    let host = whoami::hostname().unwrap_or_default();
    format!("{host}:{}:{}", std::process::id(), now().utc_ms)
}
