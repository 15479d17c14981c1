//! Writes DICOM files: CT slices for the phantom, structured reports and secondary captures of results.
//!
//! - `ct_slice`: CT slices, for the phantom and for tests that must make their own;
//! - `source`: whose study it is, as its files say, and which instances are referred to;
//! - `file`: what every written file has: patient and study as in the source, who made it, its identifiers;
//! - `code`, `content`: coded concepts and the tree of content items (PS3.3 section C.17.3);
//! - `region`: where on a picture something is (PS3.3 section C.18.6);
//! - `measurement_report`: a study's result as a measurement report (PS3.16 TID 1500);
//! - `capture`: key images as Secondary Capture.

mod capture;
mod code;
mod content;
mod ct_slice;
mod file;
mod measurement_report;
mod region;
mod source;

pub use capture::{Capture, CapturedPixels, secondary_capture};
pub use ct_slice::{CtSlice, HeaderStyle, write_ct_slice};
pub use file::{DicomFile, WriteError};
pub use measurement_report::structured_report;
pub use source::Sources;
