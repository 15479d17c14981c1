//! The corpora: the shared test data and the files inside the PyPI package pydicom, both read in place.
#![allow(dead_code, reason = "each of its users needs another part")]

use std::path::{Path, PathBuf};

/// The folder of the shared test data: `CSPINE_SHARED`, or beside the project's own folder.
pub(crate) fn shared_root() -> PathBuf {
    std::env::var_os("CSPINE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from)
}

/// pydicom's `data/test_files`, named by `CSPINE_PYDICOM_FILES`.
pub(crate) fn pydicom_root() -> Option<PathBuf> {
    std::env::var_os("CSPINE_PYDICOM_FILES").map(PathBuf::from)
}

/// Every file below a folder, in the order of their names; none where the folder is not.
pub(crate) fn below(root: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}
