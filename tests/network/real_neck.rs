//! A whole real neck as the start of others; needs the shared data.

use crate::support::shared;
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::CervicalLevel;
use cspine::phantom::{Coverage, FractureKind, FractureSpec, RealNeck, Recipe};
use cspine::task::Cancel;

#[test]
fn a_real_neck_breaks_at_every_level() {
    let (Some(scan), Some(labels)) = (shared::folder("vhf-neck"), shared::folder("vhf-neck-labels/labels.nii.gz"))
    else {
        return;
    };
    let (studies, _, _) = scan_all(&[scan], &Cancel::new());
    let volume = load_volume(&studies[0].series[0], &Cancel::new(), &|_, _| {}).expect("readable");
    let neck = RealNeck::new(&volume, Some(&labels)).expect("usable");
    let kinds = [
        FractureKind::PosteriorArch,
        FractureKind::DensTypeII,
        FractureKind::Compression,
        FractureKind::Lamina,
        FractureKind::Teardrop,
        FractureKind::TransverseProcess,
        FractureKind::SpinousProcess,
    ];
    let mut recipe = Recipe::random(1).with_matrix(160).intact().of_real_bone();
    recipe.healed.clear();
    (recipe.scan.slices, recipe.scan.spacing_mm, recipe.scan.thickness_mm) = (90, 2.0, 0.8);
    (recipe.scan.pixel_mm, recipe.scan.coverage) = (1.25, Coverage::Neck);
    let whole = neck.generate(&recipe, &Cancel::new()).expect("not cancelled");
    for (level, count) in whole.truth.voxels.iter() {
        // The specimen's C3, its smallest, has 9.9 cm³ (the labels' own README); a scale of 0.8 halves it.
        let cm3 = *count as f64 * whole.pixel_mm.powi(2) * whole.spacing_mm / 1000.0;
        assert!((4.5..30.0).contains(&cm3), "{level} has {cm3:.1} cm³");
    }
    for (level, kind) in CervicalLevel::ALL.into_iter().zip(kinds) {
        recipe.fractures.push(FractureSpec { level, kind, width_mm: 1.5, displacement_mm: 1.5 });
    }
    let broken = neck.generate(&recipe, &Cancel::new()).expect("not cancelled");
    for level in CervicalLevel::ALL {
        assert!(broken.truth.is_broken(level), "{level} is whole");
        let label = level.index() as u8 + 1;
        let marks = broken.broken.iter().zip(&whole.labels).filter(|(mark, _)| **mark == label);
        let on_bone = marks.clone().filter(|(_, here)| **here == label).count();
        assert!(on_bone * 2 > marks.count(), "the marks of {level} lie beside it");
    }
    // The bone of an unbroken level is that of the intact neck.
    let hu = |study: &cspine::phantom::PhantomStudy| {
        let t1 = study.voxels.iter().zip(&study.labels).filter(|(_, label)| **label == 8);
        t1.map(|(hu, _)| i64::from(*hu)).sum::<i64>()
    };
    assert_eq!(hu(&whole), hu(&broken));
}
