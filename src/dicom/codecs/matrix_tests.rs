//! Stored values of the shared codec matrix, by the hashes in its table: sha256 of little-endian int32 in row order.

#[path = "../../../tests/support/shared.rs"]
mod shared;

use super::super::header::{self, PixelLayout};
use super::super::part10::{self, Extent, FileError};
use super::super::pixels::Frames;
use crate::domain::ModalityLut;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::Path;

/// The first 12 digits of a file's hash.
fn hash(path: &Path) -> Result<String, FileError> {
    let file = part10::read(path, Extent::All)?;
    let layout = header::parse(&file)?[0].layout.expect("a gray image");
    // Without rescaling and padding, what a slice is made of are the stored values.
    let layout = PixelLayout { lut: ModalityLut::IDENTITY, padding: None, ..layout };
    let mut stored = vec![0; layout.rows as usize * layout.columns as usize];
    Frames::find(&file, layout, 1, &mut BTreeSet::new())?.decode(0, &layout, &mut stored)?;
    let stored: Vec<u8> = stored.into_iter().flat_map(|value| i32::from(value).to_le_bytes()).collect();
    Ok(Sha256::digest(stored).iter().take(6).map(|byte| format!("{byte:02x}")).collect())
}

#[test]
fn stored_values_have_the_hashes_of_the_table() {
    let Some(root) = shared::folder("codec-matrix") else { return };
    let lossless = "b76703cf422e";
    let table = [
        ("CT1_J2KR", "824141bed775"),
        ("CT2_J2KR", "ddf8b9ea6a29"),
        ("CTImage.dcm", lossless),
        ("_1.2.840.10008.1.2.dcm", lossless),
        ("_1.2.840.10008.1.2.1.dcm", lossless),
        ("_1.2.840.10008.1.2.2.dcm", lossless),
        ("_1.2.840.10008.1.2.1.99.dcm", lossless),
        ("_1.2.840.10008.1.2.5.dcm", lossless),
        ("_1.2.840.10008.1.2.4.57.dcm", lossless),
        ("_1.2.840.10008.1.2.4.70.dcm", lossless),
        ("_1.2.840.10008.1.2.4.80.dcm", lossless),
        ("_1.2.840.10008.1.2.4.90.dcm", lossless),
        ("_five_fragments_no_offset_table.dcm", lossless),
        ("_1.2.840.10008.1.2.4.81.dcm", "9ba0840c9e39"),
        ("_1.2.840.10008.1.2.4.91.dcm", "bf9f02911b6e"),
        // As pydicom with gdcm or pillow has it.
        ("_1.2.840.10008.1.2.4.50.dcm", "5c20db7d03fc"),
        // As dcmtk has them.
        ("_1.2.840.10008.1.2.4.51.dcm", "4e9716b30a50"),
        ("_1.2.840.10008.1.2.4.53.dcm", "4e9716b30a50"),
        ("_1.2.840.10008.1.2.4.55.dcm", "4e9716b30a50"),
    ];
    let files: Vec<_> =
        std::fs::read_dir(&root).expect("the folder").map(|entry| entry.expect("a file").path()).collect();
    for (ending, expected) in table {
        let file = files.iter().find(|file| file.to_string_lossy().ends_with(ending)).expect(ending);
        assert_eq!(hash(file).as_deref(), Ok(expected), "{}", file.display());
    }
}
