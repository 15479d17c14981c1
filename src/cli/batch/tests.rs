use super::*;
use crate::dicom::scan_all;
use crate::domain::{ContentHash, Fingerprint, KeptAnalysis, ReportKey, Uid};
use crate::inference::{Compute, ModelSource};
use crate::phantom::{Recipe, demo_recipes, generate, write_slice, write_study};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Long enough for a slow machine under load; a passing test waits for its event only.
const PATIENCE: Duration = Duration::from_secs(300);

/// Keeps no report, and has the network wait at the end of its first study until another is being read.
#[derive(Default)]
struct Watched {
    begun: Mutex<Vec<Uid>>,
    another: Condvar,
}

impl Reports for Watched {
    fn of_files(&self, key: &ReportKey, _: Fingerprint) -> Option<KeptAnalysis> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).push(key.series.clone());
        self.another.notify_all();
        None
    }

    fn of_content(&self, _: &ReportKey, _: Option<Fingerprint>, _: ContentHash) -> Option<KeptAnalysis> {
        None
    }

    fn keep(&self, _: &ReportKey, _: Option<Fingerprint>, _: ContentHash, _: &KeptAnalysis) {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = |begun: &mut Vec<Uid>| begun.len() < 2;
        let (begun, late) =
            self.another.wait_timeout_while(begun, PATIENCE, alone).unwrap_or_else(PoisonError::into_inner);
        assert!(!late.timed_out(), "no other study was read while the network was at the first: {begun:?}");
    }
}

fn small(mut recipe: Recipe) -> Recipe {
    let length = recipe.scan.slices as f32 * recipe.scan.spacing_mm;
    (recipe.scan.spacing_mm, recipe.scan.thickness_mm) = (6.0, 6.0);
    recipe.scan.slices = (length / 6.0) as usize;
    recipe.with_matrix(96)
}

#[test]
fn the_next_study_is_read_while_the_network_is_at_one_if_memory_lasts() {
    let folder = tempfile::tempdir().expect("a folder");
    let load = || Package::load(&ModelSource::Embedded, Some(&folder.path().join("cache")), Compute::default());
    if let Err(error) = load() {
        assert!(std::env::var_os("CSPINE_REQUIRE_MODEL").is_none(), "{error}");
        return;
    }
    let files = folder.path().join("studies");
    for (number, recipe) in demo_recipes().into_iter().take(3).enumerate() {
        let study = generate(&small(recipe), &Cancel::new()).expect("a neck");
        write_study(&study, &files.join(number.to_string()), &Cancel::new(), &write_slice).expect("files");
    }
    let (studies, ..) = scan_all(&[files], &Cancel::new());
    let studies: Vec<&Study> = studies.iter().collect();
    let all: usize = studies.iter().map(|study| analysis::voxel_bytes(study)).sum();
    assert!(all > 0);
    let run = |memory: usize, reports: Arc<dyn Reports>| {
        let packages = vec![load().expect("loaded before")];
        let mut batch = Batch { packages, reports, cancel: Cancel::new(), memory: Budget::new(memory) };
        let mut told = Vec::new();
        batch
            .run(&studies, &mut |place, analysis| {
                assert!(!matches!(analysis, Analysis::Failed(_)), "{analysis:?}");
                told.push(place);
                Ok(())
            })
            .expect("all are told");
        told
    };
    assert_eq!(run(all, Arc::new(Watched::default())), [0, 1, 2]);
    // Memory for less than one: they come one by one.
    assert_eq!(run(1, Arc::new(crate::inference::NoReports)), [0, 1, 2]);
}
