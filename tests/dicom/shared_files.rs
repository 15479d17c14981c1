//! Reading the shared test data: whole necks, every compression, and what is deliberately bad.

use crate::support::shared;
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{NotAnalysed, Series, Study, Volume, choose_series};
use cspine::raster::{Plane, markers};
use cspine::task::Cancel;
use std::path::Path;

fn studies(path: &Path) -> Vec<Study> {
    scan_all(&[path.to_owned()], &Cancel::new()).0
}

fn study(path: &Path) -> Study {
    let mut studies = studies(path);
    assert_eq!(studies.len(), 1, "studies in {}", path.display());
    studies.remove(0)
}

fn load(series: &Series) -> Volume {
    load_volume(series, &Cancel::new(), &|_, _| {}).expect("a volume")
}

/// The only series of a folder, loaded.
fn volume(path: &Path) -> Volume {
    let study = study(path);
    assert_eq!(study.series.len(), 1, "series in {}", path.display());
    load(&study.series[0])
}

#[test]
fn the_whole_neck_lies_head_to_foot_with_the_right_tissue() {
    let Some(path) = shared::folder("vhf-neck") else { return };
    let volume = volume(&path);
    assert_eq!((volume.shape.slices, volume.shape.rows, volume.shape.columns), (240, 360, 380));
    assert_eq!(volume.slices[0].instance_number, Some(1));
    assert_eq!(volume.slices[239].instance_number, Some(240));
    assert!(volume.position_mm(0) > volume.position_mm(239));
    let spacing = volume.spacing.expect("a spacing");
    assert_eq!((spacing.row, spacing.column, volume.stack.spacing), (1.0, 1.0, Some(1.0)));
    let letters = markers(&volume, Plane::Axial);
    assert_eq!([letters.left, letters.right, letters.top, letters.bottom], ["R", "L", "A", "P"]);
    assert_eq!(volume.at(120, 0, 0), Some(Volume::AIR));
    let share = |low: i16, high: i16| {
        volume.voxels.iter().filter(|hu| (low..=high).contains(hu)).count() as f64 / volume.voxels.len() as f64
    };
    assert!(share(-1024, -900) > 0.3, "air around the neck");
    assert!(share(-200, 150) > 0.05, "soft tissue");
    assert!((0.001..0.2).contains(&share(300, 3000)), "bone");
}

#[test]
fn the_rsna_form_reads_and_its_padding_is_air() {
    let Some(root) = shared::folder("rsna-shape") else { return };
    let studies = studies(&root);
    assert_eq!(studies.len(), 4);
    for study in &studies {
        let volume = load(&study.series[0]);
        assert_eq!((volume.shape.slices, volume.shape.rows, volume.shape.columns), (20, 512, 512));
        assert_eq!(volume.at(0, 0, 0), Some(Volume::AIR), "padding in {}", study.uid);
        assert!(volume.voxels.iter().all(|hu| *hu >= Volume::AIR));
        assert!(volume.position_mm(0) > volume.position_mm(19), "head first in {}", study.uid);
        let rises = study.uid.as_str().ends_with("90001") || study.uid.as_str().ends_with("90004");
        assert_eq!(volume.slices[0].instance_number, Some(if rises { 20 } else { 1 }));
    }
}

#[test]
fn hostile_text_has_nothing_left_that_steers_a_terminal() {
    let Some(root) = shared::folder("not-cervical/broken") else { return };
    // Every file names another patient.
    let studies = studies(&root.join("11-hostile-text"));
    assert_eq!(studies.iter().map(Study::picture_count).sum::<usize>(), 8);
    let of_studies =
        studies.iter().flat_map(|study| [&study.patient.name, &study.patient.id, &study.description, &study.accession]);
    let series = studies.iter().flat_map(|study| &study.series);
    let of_series = series.flat_map(|series| [&series.description, &series.kernel, &series.body_part]);
    for text in of_studies.chain(of_series) {
        let steers = |c: char| {
            c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.as_str().contains(steers), "{:?}", text.as_str());
    }
    assert_eq!(study(&root.join("12-legal-escapes-in-text")).patient.name.as_str(), "Test, Patient");
}

#[test]
fn what_is_no_neck_ct_is_declined_with_the_reason() {
    let Some(root) = shared::folder("not-cervical") else { return };
    for folder in ["mr-head", "mr-single"] {
        assert_eq!(choose_series(&study(&root.join(folder))), Err(NotAnalysed::NotCt("MR".into())), "{folder}");
    }
    let Some(root) = shared::folder("codec-matrix") else { return };
    assert_eq!(choose_series(&study(&root.join("CTImage.dcm"))), Err(NotAnalysed::TooFewSlices(1)), "one slice");
}
