//! Scans of the whole body and of other parts, with the real network: a neck is found in any scan that shows one, and in no other.

use crate::support::{network, shared};
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{CervicalLevel, FractureReport, NotAnalysed, Series, Volume};
use cspine::inference::{Analyser, AnalysisError, Compute, ModelSource, Package};
use cspine::task::Cancel;
use std::ops::Range;
use std::path::Path;

/// A real body from the head to the thighs, slices of 5 mm; some of its slices, from the head.
fn body(slices: Range<usize>) -> Option<Volume> {
    let folder = shared::folder("real-necks/juno-body")?;
    let (studies, _, _) = scan_all(&[folder], &Cancel::new());
    let whole = studies.first()?.series.first()?;
    let instances = whole.instances.get(slices)?.to_vec();
    let series = Series { instances, ..whole.clone() };
    Some(load_volume(&series, &Cancel::new(), &|_, _| {}).expect("a volume"))
}

fn analyse(volume: &Volume, cache: &Path) -> Result<FractureReport, AnalysisError> {
    let mut package = Package::load(&ModelSource::Embedded, Some(cache), Compute::default()).expect("the model");
    Analyser::new().finish(&mut package, volume, &volume.series_uid.clone(), &mut |_| {})
}

#[test]
fn a_whole_body_shows_the_levels_that_its_upper_part_alone_shows() {
    let cache = tempfile::tempdir().expect("a folder");
    let (Some(whole), Some(upper)) = (body(0..174), body(0..70)) else { return };
    if !network::can_analyse(cache.path()) {
        return;
    }
    let [whole, upper] = [whole, upper].map(|volume| analyse(&volume, cache.path()).expect("a neck"));
    // Slices of 5 mm: the embedded network may overlook one.
    assert!(whole.not_seen().len() <= 1, "{:?}", whole.not_seen());
    assert_eq!(whole.not_seen(), upper.not_seen());
    let searched = whole.searched.expect("a part of the scan");
    assert!(searched.first == 0 && (33..80).contains(&searched.last), "{searched}");
    assert!(whole.slices.iter().all(|slice| slice.index <= searched.last), "the network saw other slices");
    for level in CervicalLevel::ALL {
        let [a, b] = [&whole, &upper].map(|report| report.levels[level].key_slice().map(|slice| slice.index));
        assert_eq!(a, b, "{level}");
    }
}

#[test]
fn a_chest_and_an_abdomen_get_no_number_and_the_reason_names_what_was_searched() {
    let cache = tempfile::tempdir().expect("a folder");
    let (Some(chest), Some(abdomen)) = (body(45..95), body(90..174)) else { return };
    if !network::can_analyse(cache.path()) {
        return;
    }
    let declined = analyse(&chest, cache.path()).expect_err("a chest");
    let AnalysisError::Declined(NotAnalysed::NoCervicalSpineIn(searched)) = declined else { panic!("{declined:?}") };
    assert!(searched.first == 0 && searched.last < 25 && searched.total == 50, "{searched}");
    assert_eq!(
        analyse(&abdomen, cache.path()).expect_err("an abdomen"),
        AnalysisError::Declined(NotAnalysed::NoCervicalSpine)
    );
}
