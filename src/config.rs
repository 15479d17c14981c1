use std::path::PathBuf;

/// Where cspine keeps its files.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    /// Cache.
    pub cache: Option<PathBuf>,
}

impl Folders {
    /// The folders of this user.
    #[must_use]
    pub fn find() -> Self {
        let dirs = directories::ProjectDirs::from("", "", "cspine");
        Self { cache: dirs.map(|dirs| dirs.cache_dir().to_owned()) }
    }
}
