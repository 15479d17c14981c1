//! Model packages, preprocessing, the ONNX Runtime session, aggregation and the background worker. Nothing outside this module
//! knows a tensor; only `session` and `library` know `ort`.
//!
//! - `library`: where ONNX Runtime comes from;
//! - `manifest`, `package`: a model with its contract, checked before use;
//! - `compute`: which engine, how many threads;
//! - `preprocess`: a volume to the network's input, the same for inference and for training;
//! - `session`: runs the network;
//! - `memory`: what it said of slices it has seen;
//! - `aggregate`, `localise`: per-slice outputs to one probability, key slice and hot spot per level;
//! - `distribution`: how far the features lie from the training data;
//! - `order`: which slices the network sees, and when;
//! - `analyse`: one volume to one report;
//! - `content`, `reports`: what a report belongs to, and where it is kept between runs;
//! - `pipeline`: one study to one result, series by series;
//! - `worker`: the background thread that works through the queue.

mod aggregate;
mod analyse;
mod compute;
mod content;
mod distribution;
mod library;
mod licences;
mod localise;
mod manifest;
mod memory;
mod order;
mod package;
mod pipeline;
mod preprocess;
mod reports;
mod session;
mod worker;

pub use aggregate::{LevelSummary, combine, overall, summarise};
pub use analyse::{Analyser, AnalysisError, Step, to_keep};
pub use compute::{Compute, Engine, UnknownEngine};
pub use content::content_hash;
pub use distribution::FeatureSum;
pub use library::{LibraryError, LibrarySource, library_report};
pub use licences::LICENCES;
pub use manifest::{Centre, InputSpec, Manifest, ManifestError, PresenceSpec};
pub use package::{ModelSource, Package, PackageError};
pub use pipeline::{Stopped, StudyRun, Turn, outcome_of, report_key};
pub use preprocess::{Crop, PREPROCESSING_VERSION, Preprocessor, spine_course};
pub use reports::{NoReports, Reports};
pub use session::SliceOutputs;
pub use worker::{Job, Worker, WorkerEvent};
