//! A model package, checked before use: manifest, hash, graph, a dry run.

use super::library::{LibraryError, sha256_hex};
use super::manifest::{Manifest, ManifestError};
use super::session::{Interrupt, Network, NetworkError};
use crate::domain::ModelIdentity;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(embedded_model)]
const EMBEDDED: Option<(&str, &[u8])> =
    Some((include_str!("../../models/phantom-b0/model.toml"), include_bytes!("../../models/phantom-b0/model.onnx")));
#[cfg(not(embedded_model))]
const EMBEDDED: Option<(&str, &[u8])> = None;

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// The one in the binary.
    Embedded,
    /// A folder with `model.toml` and `model.onnx`.
    Folder(PathBuf),
}

impl ModelSource {
    /// The SHA-256 that the manifest names for the ONNX file: which model's reports are meant, without loading it.
    ///
    /// # Errors
    /// No package there, or a manifest that is none.
    pub fn sha256(&self) -> Result<String, PackageError> {
        let (place, text) = match self {
            Self::Embedded => ("built-in model".to_owned(), EMBEDDED.ok_or(PackageError::NoneEmbedded)?.0.to_owned()),
            Self::Folder(folder) => {
                let file = folder.join("model.toml");
                let text = std::fs::read_to_string(&file).map_err(|error| PackageError::File {
                    file: file.display().to_string(),
                    problem: error.kind().to_string(),
                })?;
                (folder.display().to_string(), text)
            }
        };
        let manifest = Manifest::parse(&text).map_err(|error| PackageError::Manifest { place, error })?;
        Ok(manifest.sha256)
    }
}

/// Why a package cannot be used: one sentence, then what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// The binary was built without one.
    #[error("this build carries no model; name a package with --model DIR")]
    NoneEmbedded,
    /// A file of the package cannot be read.
    #[error("{file} cannot be read: {problem}; a package is a folder with model.toml and model.onnx")]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The manifest is wrong.
    #[error("{place}: {error}")]
    Manifest {
        /// The package.
        place: String,
        /// What is wrong.
        error: ManifestError,
    },
    /// The ONNX file is not the one that the manifest names.
    #[error("{place}: sha256 does not match model.onnx, which has {actual}; copy the package again")]
    Hash {
        /// The package.
        place: String,
        /// The file's hash.
        actual: String,
    },
    /// ONNX Runtime is missing.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The graph does not load, or its dry run fails.
    #[error("{place}: model.onnx: {problem}")]
    Graph {
        /// The package.
        place: String,
        /// What is wrong.
        problem: String,
    },
}

/// A package ready for use.
#[derive(Debug)]
pub struct Package {
    /// The manifest.
    pub manifest: Manifest,
    /// What is shown beside every number.
    pub identity: Arc<ModelIdentity>,
    pub(super) network: Network,
}

impl Package {
    /// Loads and checks a package. `cache` is where the embedded ONNX Runtime is unpacked.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn load(source: &ModelSource, cache: Option<&Path>) -> Result<Self, PackageError> {
        match source {
            ModelSource::Embedded => {
                let (manifest, onnx) = EMBEDDED.ok_or(PackageError::NoneEmbedded)?;
                Self::check("built-in model", manifest, onnx, cache)
            }
            ModelSource::Folder(folder) => {
                let read = |name: &str| {
                    let file = folder.join(name);
                    std::fs::read(&file).map_err(|error| PackageError::File {
                        file: file.display().to_string(),
                        problem: error.kind().to_string(),
                    })
                };
                let manifest = String::from_utf8_lossy(&read("model.toml")?).into_owned();
                Self::check(&folder.display().to_string(), &manifest, &read("model.onnx")?, cache)
            }
        }
    }

    fn check(place: &str, manifest: &str, onnx: &[u8], cache: Option<&Path>) -> Result<Self, PackageError> {
        let place = place.to_owned();
        let manifest =
            Manifest::parse(manifest).map_err(|error| PackageError::Manifest { place: place.clone(), error })?;
        let actual = sha256_hex(onnx);
        if actual != manifest.sha256 {
            return Err(PackageError::Hash { place, actual });
        }
        let graph = |error| match error {
            NetworkError::Library(error) => PackageError::Library(error),
            other => PackageError::Graph { place: place.clone(), problem: other.to_string() },
        };
        let mut network = Network::load(onnx, &manifest, cache).map_err(graph)?;
        let channels = manifest.input.channel_offsets_mm.len();
        let dry = vec![0; channels * (manifest.input.size as usize).pow(2)];
        network.run(&dry, 1, &Interrupt::default()).map_err(graph)?;
        let identity = Arc::new(ModelIdentity {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            sha256: actual,
            nature: manifest.nature,
            aggregation: manifest.aggregation,
            thresholds: manifest.thresholds,
        });
        Ok(Self { manifest, identity, network })
    }
}
