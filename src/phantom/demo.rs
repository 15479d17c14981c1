//! The built-in demo: eight studies, each for something that a user should see once.

use super::fracture::FractureKind;
use super::recipe::{Coverage, FractureSpec, Kernel, PhantomPatient, Preset, Recipe, Scan};
use crate::domain::{CervicalLevel, Sex};

/// The eight studies of the demo: three clearly broken, three intact (one of them worn), one whose lower neck is cut off
/// and one that shows a head and no neck.
#[must_use]
pub fn demo_recipes() -> Vec<Recipe> {
    use CervicalLevel as L;
    use FractureKind as K;
    let fracture = |level, kind, width_mm, displacement_mm| FractureSpec { level, kind, width_mm, displacement_mm };
    let table = [
        (
            "One",
            73,
            Sex::Female,
            "CT C-spine native",
            "0852",
            Coverage::Neck,
            Kernel::Bone,
            vec![fracture(L::C2, K::DensTypeII, 1.6, 2.6), fracture(L::C6, K::SpinousProcess, 1.4, 2.0)],
        ),
        ("Two", 80, Sex::Female, "CT C-spine native", "0755", Coverage::Neck, Kernel::Standard, vec![]),
        (
            "Three",
            41,
            Sex::Male,
            "CT polytrauma, neck",
            "0902",
            Coverage::Neck,
            Kernel::Bone,
            vec![fracture(L::C5, K::Teardrop, 1.5, 2.5), fracture(L::C7, K::TransverseProcess, 1.8, 2.5)],
        ),
        ("Four", 29, Sex::Male, "CT C-spine", "0931", Coverage::Neck, Kernel::Standard, vec![]),
        (
            "Five",
            35,
            Sex::Female,
            "CT C-spine, lower neck missing",
            "0944",
            Coverage::WithoutLowerNeck,
            Kernel::Bone,
            vec![],
        ),
        (
            "Six",
            62,
            Sex::Female,
            "CT C-spine",
            "0938",
            Coverage::Neck,
            Kernel::Soft,
            vec![fracture(L::C1, K::Jefferson, 2.2, 3.5)],
        ),
        ("Seven", 51, Sex::Male, "CT head", "1005", Coverage::Head, Kernel::Standard, vec![]),
        ("Eight", 24, Sex::Male, "CT C-spine", "1012", Coverage::Neck, Kernel::Bone, vec![]),
    ];
    table
        .into_iter()
        .enumerate()
        .map(|(i, (name, age_years, sex, description, time, coverage, kernel, fractures))| {
            let size = if i % 2 == 0 { 384 } else { 320 };
            let spacing_mm: f32 = [1.0, 1.25, 1.0, 1.25, 0.8, 1.25, 1.25, 1.0][i];
            let length = if matches!(coverage, Coverage::Neck) { 176.0 } else { 120.0 };
            Recipe {
                seed: 0x0c5f_1e00 + i as u64,
                patient: PhantomPatient {
                    name: format!("PHANTOM^{name}"),
                    id: format!("DEMO-{}", i + 1),
                    age_years,
                    sex,
                },
                description: description.into(),
                date_time: ("20261123".into(), format!("{time}00")),
                fractures,
                healed: Vec::new(),
                spared: 0,
                scan: Scan {
                    slices: (length / spacing_mm).ceil() as usize,
                    spacing_mm,
                    thickness_mm: spacing_mm,
                    rows: size,
                    columns: size,
                    pixel_mm: 200.0 / size as f32,
                    coverage,
                    tilt_deg: 0.0,
                },
                kernel,
                preset: Preset::Queue,
            }
        })
        .collect()
}
