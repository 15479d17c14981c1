//! How good a model package is, on a data set in the RSNA 2022 layout: for `cspine evaluate`.
//!
//! - `dataset`: what the tables say is true; reads files, as only `labeled_folder` does besides;
//! - `place`, `case`: one study's truth beside the program's report;
//! - `metrics`, `bootstrap`: measures of scores, and their intervals;
//! - `measures`: all measures of a set of studies: the schema of `evaluation.json`;
//! - `anatomy`: measures by the sources of the vertebrae, and by whether these trained the model;
//! - `document`, `markdown`, `plot`: what is written;
//! - `labeled_folder`, `labeled_result`, `labeled_document`: single studies with labels, level by level.

mod anatomy;
mod bootstrap;
mod case;
mod dataset;
mod document;
mod labeled_document;
mod labeled_folder;
mod labeled_result;
mod markdown;
mod measures;
mod metrics;
mod place;
mod plot;

pub use anatomy::{Anatomies, Combination, Training};
pub use bootstrap::{Interval, RESAMPLES, SEED};
pub use case::{Case, Found, Outcome, RangeError};
pub use dataset::{Dataset, DatasetError, Made, MadeFracture, StudyTruth, TruthBox, read_dataset};
pub use document::{Document, LeftOut, predictions};
pub use labeled_document::LabeledDocument;
pub use labeled_folder::{LabeledStudy, read_labeled_folder};
pub use labeled_result::{LabeledLevel, LabeledResult};
pub use markdown::markdown;
pub use measures::{Measures, RSNA_RATES, measure};
pub use metrics::{Bin, Proportion, Scored, area_under_curve, average_precision, quantile, rsna_loss, sensitivity_at};
pub use place::{LabelSlices, PlacedBox, VISIBLE_MM2};
pub use plot::plots;
