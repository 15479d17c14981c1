//! A model package, checked before use: manifest, hash, graph, a dry run.

use super::analyse::AnalysisError;
use super::compute::{Compute, Engine};
use super::library::{LibraryError, sha256_hex};
use super::manifest::{Manifest, ManifestError};
use super::memory::SliceMemory;
use super::session::{Interrupt, Network, NetworkError, SliceOutputs, is_carried};
use crate::domain::{CervicalLevel, ModelIdentity, SensitiveText};
use crate::task::Pool;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    /// What it runs on.
    pub engine: Engine,
    /// Why it runs on no other engine that was asked for or is there, one sentence each.
    pub notices: Vec<String>,
    pub(super) network: Network,
    pub(super) memory: SliceMemory,
    /// Threads that make inputs: behind what the shared ones read ahead the network would wait.
    pub(super) preparing: Arc<Pool>,
}

/// Probabilities of an engine may differ from the CPU's by this much, as different orders of summation and TF32 make them.
const TOLERANCE: f32 = 0.005;

impl Package {
    /// Loads and checks a package. `cache` is where the embedded ONNX Runtime is unpacked. An engine that is not there, fails, or gives
    /// other numbers than the CPU is not used, and a notice says why.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn load(source: &ModelSource, cache: Option<&Path>, compute: Compute) -> Result<Self, PackageError> {
        match source {
            ModelSource::Embedded => {
                let (manifest, onnx) = EMBEDDED.ok_or(PackageError::NoneEmbedded)?;
                Self::check("built-in model", manifest, onnx, cache, compute)
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
                Self::check(&folder.display().to_string(), &manifest, &read("model.onnx")?, cache, compute)
            }
        }
    }

    fn check(
        place: &str,
        manifest: &str,
        onnx: &[u8],
        cache: Option<&Path>,
        compute: Compute,
    ) -> Result<Self, PackageError> {
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
        let threads = compute.threads();
        let load = |engine| Network::load(onnx, &manifest, cache, engine, threads);
        let mut network = load(Engine::Cpu).map_err(graph)?;
        let dry = dry_input(&manifest);
        let wanted = network.run(&dry, 1, &Interrupt::default()).map_err(graph)?;
        let tried = match compute.engine {
            Engine::Auto => &Engine::TRIED[..],
            Engine::Cpu => &[],
            ref one => std::slice::from_ref(one),
        };
        let (mut engine, mut notices) = (Engine::Cpu, Vec::new());
        for &candidate in tried {
            if !is_carried(candidate) {
                // Of engines that nobody asked for only those that are there are worth a word.
                if compute.engine == candidate {
                    notices.push(format!(
                        "this ONNX Runtime has no {candidate} engine; the CPU is used (ORT_DYLIB_PATH names a library that has)"
                    ));
                }
                continue;
            }
            let outcome = load(candidate)
                .and_then(|mut other| {
                    let outputs = other.run(&dry, 1, &Interrupt::default())?;
                    Ok((other, difference(&wanted, &outputs)))
                })
                .map_err(|error| error.to_string());
            match outcome {
                Ok((other, apart)) if apart <= TOLERANCE => {
                    (network, engine) = (other, candidate);
                    break;
                }
                Ok((_, apart)) => notices.push(format!(
                    "the {candidate} engine's numbers are {apart:.3} from the CPU's, more than {TOLERANCE}; it is not used"
                )),
                Err(problem) => notices.push(format!("the {candidate} engine does not work here and is not used: {problem}")),
            }
        }
        let identity = Arc::new(ModelIdentity {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            sha256: actual,
            nature: manifest.nature,
            aggregation: manifest.aggregation,
            thresholds: manifest.thresholds,
        });
        Ok(Self {
            manifest,
            identity,
            engine,
            notices,
            network,
            memory: SliceMemory::default(),
            preparing: Arc::new(Pool::new("prepare")),
        })
    }

    /// Slices a second of the network alone, `batch` at a time, over at least `least` and one run to warm up.
    ///
    /// # Errors
    /// The network fails.
    pub fn speed(&mut self, batch: usize, least: Duration) -> Result<f64, AnalysisError> {
        let input = dry_input(&self.manifest).repeat(batch);
        let mut run = || {
            let outcome = self.network.run(&input, batch, &Interrupt::default());
            outcome.map_err(|error| AnalysisError::Failed(SensitiveText::foreign(&error.to_string())))
        };
        run()?;
        let (begun, mut slices) = (Instant::now(), 0);
        while begun.elapsed() < least {
            slices += run()?.len();
        }
        Ok(slices as f64 / begun.elapsed().as_secs_f64())
    }
}

/// An input for the dry run: a slope with a texture, so that engines have something to differ in.
fn dry_input(manifest: &Manifest) -> Vec<u8> {
    let size = manifest.input.size as usize;
    let pixel = |at: usize| {
        let (row, column) = (at / size % size, at % size);
        // No more than 255: a slope of 160 and a texture of 95.
        (row * 160 / size + (row * 31 + column * 17) % 96) as u8
    };
    (0..manifest.input.channel_offsets_mm.len() * size * size).map(pixel).collect()
}

/// The largest difference of any probability.
fn difference(a: &[SliceOutputs], b: &[SliceOutputs]) -> f32 {
    let pairs = a.iter().zip(b).flat_map(|(a, b)| {
        let (a, b) = (&a.score, &b.score);
        CervicalLevel::ALL
            .into_iter()
            .flat_map(move |level| [(a.vertebra[level], b.vertebra[level]), (a.fracture[level], b.fracture[level])])
    });
    pairs.map(|(a, b)| (a.value() - b.value()).abs()).fold(0.0, f32::max)
}
