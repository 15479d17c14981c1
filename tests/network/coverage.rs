//! What is in the scan and what is not, with the real network: a body without a neck gets no number, a cut neck is called cut.

use crate::support::{network, shared};
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{CervicalLevel, FractureReport, NotAnalysed, Study};
use cspine::inference::{Analyser, AnalysisError, Compute, ModelSource, Package};
use cspine::phantom::{demo_recipes, generate, write_slice, write_study};
use cspine::task::Cancel;
use std::path::{Path, PathBuf};

fn analyse(study: &Study, cache: &Path) -> Result<FractureReport, AnalysisError> {
    let volume = load_volume(&study.series[0], &Cancel::new(), &|_, _| {}).expect("a volume");
    let mut package = Package::load(&ModelSource::Embedded, Some(cache), Compute::default()).expect("the model");
    Analyser::new().finish(&mut package, &volume, &study.uid, &mut |_| {})
}

fn study(paths: &[PathBuf]) -> Study {
    let (mut studies, unreadable, _) = scan_all(paths, &Cancel::new());
    assert!(unreadable.is_empty() && studies.len() == 1);
    studies.remove(0)
}

#[test]
fn an_abdomen_and_a_head_without_a_neck_get_no_number() {
    let cache = tempfile::tempdir().expect("a folder");
    let (Some(abdomen), Some(head)) = (shared::folder("not-cervical/ct-abdomen"), shared::folder("vhf-head")) else {
        return;
    };
    if !network::can_analyse(cache.path()) {
        return;
    }
    // Every third slice, for the test's speed.
    let head: Vec<PathBuf> = (1..=130).step_by(3).map(|n| head.join(format!("IM{n:04}.dcm"))).collect();
    for (what, paths) in [("abdomen", vec![abdomen]), ("head", head)] {
        let error = analyse(&study(&paths), cache.path()).expect_err(what);
        assert_eq!(error, AnalysisError::Declined(NotAnalysed::NoCervicalSpine), "{what}");
    }
}

#[test]
fn a_neck_that_ends_in_the_middle_is_seen_down_to_there_and_called_cut() {
    let cache = tempfile::tempdir().expect("a folder");
    if !network::can_analyse(cache.path()) {
        return;
    }
    let mut recipe = demo_recipes().swap_remove(0);
    let length = recipe.scan.slices as f32 * recipe.scan.spacing_mm;
    recipe.scan.spacing_mm = 2.0;
    recipe.scan.thickness_mm = 2.0;
    recipe.scan.slices = (length / 2.0) as usize;
    let phantom = generate(&recipe.with_matrix(192), &Cancel::new()).expect("a neck");
    let folder = tempfile::tempdir().expect("a folder");
    write_study(&phantom, folder.path(), &Cancel::new(), &write_slice).expect("files");
    let whole = study(&[folder.path().to_owned()]);
    let report = analyse(&whole, cache.path()).expect("a neck");
    let c5 = report.levels[CervicalLevel::C5].key_slice().expect("C5 is seen").index;
    let kept: Vec<PathBuf> = whole.series[0].instances[..=c5].iter().map(|instance| instance.path.clone()).collect();
    let report = analyse(&study(&kept), cache.path()).expect("most of a neck");
    assert!(report.not_seen().contains(&CervicalLevel::C7), "{:?}", report.not_seen());
    assert!(!report.cut_off().is_empty(), "the scan ends within C5");
    assert!(report.cut_off().iter().all(|level| *level >= CervicalLevel::C4), "{:?}", report.cut_off());
}
