//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// Long enough for a slow machine under load; a case that passes waits for its condition only.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `look` finds, as soon as it finds it; `None` once patience is at its end.
pub(crate) fn until_some<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        let found = look();
        if found.is_some() || begun.elapsed() >= PATIENCE {
            return found;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
}

/// What `look` finds; otherwise a failure that tells what there is instead.
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>, instead: impl FnOnce() -> String) -> T {
    until_some(look).unwrap_or_else(|| panic!("waiting in vain for {what}; there is:\n{}", instead()))
}
