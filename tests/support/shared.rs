//! The shared test data, which is not part of the project: tests that need it are skipped where it is missing.

use std::path::{Path, PathBuf};

/// A folder (or file) of the shared test data: below `CSPINE_SHARED`, or beside the project's own folder. `None`, with a
/// word on the terminal, where it is missing; a failure instead where `CSPINE_REQUIRE_SHARED=1` asks for it.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("CSPINE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var_os("CSPINE_REQUIRE_SHARED").is_some_and(|value| value == "1");
    assert!(!required, "CSPINE_REQUIRE_SHARED=1, but {} is not here", path.display());
    println!("skipped: ../shared/data is not here");
    None
}
