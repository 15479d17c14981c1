//! Whether this build can analyse.

use cspine::inference::{Compute, ModelSource, Package};
use std::path::Path;

/// Whether the built-in model and ONNX Runtime are there. Where `build.rs` could not get ONNX Runtime the viewer works
/// alone, and tests of the analysis are skipped with a word; `CSPINE_REQUIRE_MODEL` makes that a failure.
pub(crate) fn can_analyse(cache: &Path) -> bool {
    match Package::load(&ModelSource::Embedded, Some(cache), Compute::default()) {
        Ok(_) => true,
        Err(error) => {
            assert!(std::env::var_os("CSPINE_REQUIRE_MODEL").is_none(), "{error}");
            println!("skipped: no analysis in this build: {error}");
            false
        }
    }
}
