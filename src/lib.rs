//! **cspine**: triage of cervical-spine CT for fracture, from a terminal.
//!
//! # Code map
//!
//! Bytes become a [`domain::Volume`] once; both the picture and the network read that same volume.
//!
//! - [`domain`]: the field's words as types: study, series, geometry, volume, level, finding, report. Pure: no I/O, no
//!   threads, no knowledge of files' contents or of screens.
//! - [`results`]: all that is known of a study, and its forms outside: JSON with its schema, CSV, a page of text. Pure.
//! - [`dicom`]: the only user of dicom-rs. Scans folders for headers, repairs what scanners get wrong, decodes pixels
//!   and builds volumes; nothing outside it knows a DICOM tag.
//! - [`raster`]: a volume and a view become grey or RGB pixels. Pure.
//! - [`inference`]: model packages, preprocessing, the ONNX Runtime session (the only user of `ort`), aggregation and
//!   the background worker; nothing outside it knows a tensor.
//! - [`nifti`]: the only reader of NIfTI-1 label volumes.
//! - [`evaluation`]: a model's reports beside a data set's truths: AUC, the RSNA 2022 metric, reliability, localisation. Of its
//!   files only `dataset` reads any.
//! - [`agreement`]: how readers and the network agree, told from the log of decisions. Pure.
//! - [`phantom`]: synthetic necks with known truth, for the demo, the tests and training.
//! - [`store`]: the only user of rusqlite: the log of decisions, and what else must outlive the program.
//! - [`task`]: the concurrency tools that everything uses: `Generation`, `Cancel`, the latest-wins `Mailbox`.
//! - [`app`]: model, message, `update`, effect. Pure: `update(&mut Model, Message) -> Vec<Effect>` does no I/O.
//! - [`config`], [`theme`]: settings, keymap and colours: strict TOML whose errors name the key and the line.
//! - [`ui`]: draws the model with ratatui; changes nothing.
//! - [`terminal`]: the only writer of escape sequences: raw mode and its restoration, probing, picture delivery.
//! - [`runtime`]: the event loop; runs effects and owns every thread.
//! - [`cli`]: the command line; each subcommand is one file.
//!
//! Dependencies point one way, and `tests/architecture.rs` fails on an arrow that points back:
//! `domain ← {results, dicom, nifti, raster, inference, phantom, evaluation, agreement, store, task} ← app ← {config, theme, ui} ← {terminal, runtime} ← cli ← main`.

pub mod agreement;
pub mod app;
pub mod cli;
pub mod config;
pub mod dicom;
pub mod domain;
pub mod evaluation;
pub mod inference;
pub mod nifti;
pub mod phantom;
pub mod raster;
pub mod results;
pub mod runtime;
pub mod store;
pub mod task;
pub mod terminal;
pub mod theme;
pub mod ui;
