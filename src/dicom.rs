//! DICOM in and out: the only user of dicom-rs. Bytes of a file are walked by `part10`, which repairs in memory what
//! scanners and data sets get wrong and bounds what a hostile file can claim. dicom-rs gives the dictionary, decodes most
//! compressed pixels and writes files.
//!
//! - `part10`: preamble, meta group, transfer syntax, where elements begin and end;
//! - `charset`, `number`, `elements`: values as text and numbers;
//! - `header`: the elements that cspine uses, as checked values;
//! - `archive`, `directory`: files in zip, tar and gzip archives, and the index of a medium;
//! - `scan`: folders to headers to studies, in parallel, streaming;
//! - `known`: what an earlier scan wrote down, so that files that did not change are not read again;
//! - `group`: headers to studies, series and stacks, with what is odd about them; `contents`: whether files are copies;
//! - `codecs`: the code stream of one frame to samples;
//! - `pixels`, `load`: a series to a volume; `ahead`: its files are read before their turn;
//! - `units`, `scale`: whether values are Hounsfield units, by header and by the values; repairs of wrong scales;
//! - `shear`, `canonical`: straightens tilted stacks and turns others into axial slices;
//! - `cache`: volumes in memory, shared by picture and network;
//! - `write`: CT slices for the phantom; results as structured report and Secondary Capture.

mod ahead;
mod archive;
mod cache;
mod canonical;
mod charset;
mod codecs;
mod contents;
mod directory;
mod elements;
mod group;
mod header;
mod known;
mod load;
mod mixture;
mod number;
mod part10;
mod pixels;
mod scale;
mod scan;
mod shear;
mod units;
mod write;

pub use archive::exists;
pub use cache::VolumeCache;
pub use known::{KnownFiles, NothingKnown};
pub use load::{LoadError, load_slice, load_volume, load_volume_through};
pub use part10::{ArchiveError, FileError};
pub use scan::{ScanEvent, ScanSummary, Scanner, SkippedFiles, SkippedKind, scan, scan_all};
pub use write::{
    Capture, CapturedPixels, CtSlice, DicomFile, HeaderStyle, Sources, WriteError, secondary_capture,
    structured_report, write_ct_slice,
};
