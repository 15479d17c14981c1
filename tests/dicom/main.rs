//! DICOM files and folders: what is read, refused, repaired and remembered.

mod ahead;
mod broken;
mod cases;
mod codec_matrix;
mod corpora;
mod findings;
mod geometry;
mod index;
mod shared_files;
#[path = "../support/mod.rs"]
mod support;
mod written;
