//! What fuzzing and the corpora found, each with the few bytes that it takes.

use crate::support::{corpus, part10, shared};
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{Study, Volume};
use cspine::task::Cancel;
use part10::{DataSet, EXPLICIT_LE};
use std::path::Path;

fn studies(file: &[u8]) -> Vec<Study> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("found.dcm"), file).expect("a file");
    scan_all(&[folder.path().to_owned()], &Cancel::new()).0
}

fn volume(path: &Path) -> Volume {
    let studies = scan_all(&[path.to_owned()], &Cancel::new()).0;
    load_volume(&studies[0].series[0], &Cancel::new(), &|_, _| {}).expect("a volume")
}

/// The header target held 1.6 GiB: ten bytes are two AT values and a half, the half was taken for the next element, and room
/// was made for the length found there.
#[test]
fn a_value_that_its_vr_does_not_divide_does_not_shift_what_follows() {
    let mut set = DataSet::new(EXPLICIT_LE);
    set.text(0x0008_0005, b"AT", "ISO_IR 100").text(0x0008_0008, b"CS", "OAL\\PRIMARY\\AXIAL\\CT_SOM5 SPI");
    set.text(0x0010_0010, b"PN", "FOUND^Name").text(0x0020_000D, b"UI", "2.25.1");
    let studies = studies(&set.part10());
    assert_eq!(studies.iter().map(|study| study.patient.name.as_str()).collect::<Vec<_>>(), ["FOUND, Name"]);
}

/// pydicom's JPEG-lossy.dcm, which dcmtk reads with a warning: the scan header of a sequential JPEG has zeros where T.81 table
/// B.3 wants 0, 63, 0, 0.
#[test]
fn a_sequential_jpeg_whose_scan_header_names_no_coefficients_is_read() {
    let Some(root) = shared::folder("codec-matrix") else { return };
    let files = corpus::below(&root);
    let file =
        files.iter().find(|file| file.to_string_lossy().ends_with("1.2.840.10008.1.2.4.51.dcm")).expect("the file");
    let mut bytes = std::fs::read(file).expect("the file");
    let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];
    let at = bytes.windows(scan.len()).position(|window| window == scan).expect("the scan header");
    bytes[at + 8] = 0;
    let folder = tempfile::tempdir().expect("a folder");
    let found = folder.path().join("found.dcm");
    std::fs::write(&found, bytes).expect("a file");
    assert!(volume(&found).voxels == volume(file).voxels);
}
