//! What tells whether files and pixels are still the same.

use super::Uid;
use serde::{Deserialize, Serialize};

/// What one `stat` tells of a file: when it is the same, the file is taken to be. A tool that writes a file anew gives it another
/// number; one that writes into it, another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileStamp {
    /// Bytes.
    pub size: u64,
    /// Time of the last write, ns since 1970.
    pub written_ns: i64,
    /// The file's number in its file system.
    pub number: u64,
}

/// What the stamps of a series' files come to, wherever the files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 16]);

/// SHA-256 of what the network is given to see of a series: voxels and geometry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContentHash(pub [u8; 32]);

/// Whose report it is and how it was made; with the content, nothing else decides over its numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReportKey {
    /// SeriesInstanceUID.
    pub series: Uid,
    /// Which stack of the series.
    pub stack: u32,
    /// SHA-256 of the model's ONNX file.
    pub model: String,
    /// Version of the preprocessing.
    pub preprocessing: u32,
}
