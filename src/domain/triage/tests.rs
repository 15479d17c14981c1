//! The choice among series as scanners write them, by the makers' own names for kernels and image types.

use super::*;
use crate::domain::{
    CleanText, Coverage, ImagePlane, Instance, Patient, PixelSpacing, Precedence, SeriesHints, SliceStack, Uid,
    coverage,
};

/// A series of 512 × 512 pictures.
struct Made {
    name: &'static str,
    kernel: &'static str,
    image_type: &'static str,
    kind: SeriesKind,
    slices: usize,
    spacing: f64,
    pixel: f64,
}

const fn axial(name: &'static str, kernel: &'static str, slices: usize, spacing: f64) -> Made {
    Made { name, kernel, image_type: "ORIGINAL\\PRIMARY\\AXIAL", kind: SeriesKind::Axial, slices, spacing, pixel: 0.4 }
}

const fn other(name: &'static str, kind: SeriesKind, image_type: &'static str, slices: usize, spacing: f64) -> Made {
    Made { name, kernel: "", image_type, kind, slices, spacing, pixel: 0.4 }
}

fn series(made: &Made) -> Series {
    let orientation = match made.kind {
        SeriesKind::Sagittal => [0.0, 1.0, 0.0, 0.0, 0.0, -1.0],
        SeriesKind::Coronal => [1.0, 0.0, 0.0, 0.0, 0.0, -1.0],
        _ => [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    };
    let instance = |i: usize| Instance {
        path: format!("{i}.dcm").into(),
        sop_instance_uid: Uid::from_file(&format!("1.{i}")),
        frame: 0,
        instance_number: None,
        plane: ImagePlane::new([0.0; 3], orientation),
        spacing: PixelSpacing::new(made.pixel, made.pixel),
        rows: 512,
        columns: 512,
        slice_thickness: Some(made.spacing),
    };
    let is_stack = matches!(made.kind, SeriesKind::Axial | SeriesKind::Sagittal | SeriesKind::Coronal);
    let offsets = (0..made.slices).map(|i| i as f64 * made.spacing).collect();
    Series {
        uid: Uid::from_file("1.2"),
        frame_of_reference: Uid::from_file(""),
        stack_index: 0,
        number: None,
        description: CleanText::new(made.name),
        modality: Modality::Ct,
        kernel: CleanText::new(made.kernel),
        body_part: CleanText::default(),
        hints: SeriesHints { image_type: CleanText::new(made.image_type), ..SeriesHints::default() },
        kind: made.kind,
        fingerprint: None,
        instances: (0..made.slices).map(instance).collect(),
        stack: is_stack.then(|| SliceStack::new(offsets)),
        oddities: Vec::new(),
    }
}

fn study(series: Vec<Series>) -> Study {
    Study {
        uid: Uid::from_file("1"),
        patient: Patient::default(),
        date: None,
        description: CleanText::default(),
        accession: CleanText::default(),
        precedence: Precedence::Ordinary,
        series,
        oddities: Vec::new(),
    }
}

const GE_REFORMAT: &str = "DERIVED\\SECONDARY\\REFORMATTED\\AVERAGE";

#[test]
fn the_series_that_shows_fractures_best_is_chosen_from_every_makers_list() {
    use SeriesKind::{Coronal, Localizer, NoPixels, Sagittal};
    let lists: [(&str, &[Made], &str); 10] = [
        (
            "GE",
            &[
                other("SCOUTS", Localizer, "ORIGINAL\\PRIMARY\\LOCALIZER", 2, 1.0),
                axial("C-SPINE STD", "STANDARD", 72, 2.5),
                axial("C-SPINE BONE", "BONEPLUS", 290, 0.625),
                other("SAG BONE 2X2", Sagittal, GE_REFORMAT, 40, 2.0),
                other("COR BONE 2X2", Coronal, GE_REFORMAT, 45, 2.0),
                other("Dose Report", NoPixels, "DERIVED\\SECONDARY\\SCREEN SAVE", 0, 1.0),
            ],
            "C-SPINE BONE",
        ),
        (
            "Siemens",
            &[
                other("Topogram 0.6 T20f", Localizer, "ORIGINAL\\PRIMARY\\LOCALIZER\\CT_SOM5 TOP", 1, 1.0),
                axial("HWS 1.0 Br40 S3", "Br40d", 250, 0.7),
                axial("HWS 1.0 Br64 S3", "Br64f", 250, 0.7),
                Made { image_type: "DERIVED\\SECONDARY\\AXIAL\\CT_SOM5 MIP", ..axial("HWS ax", "Br64f", 250, 0.5) },
                other("HWS sag MPR", Sagittal, "DERIVED\\SECONDARY\\MPR", 40, 2.0),
                other("Patient Protocol", NoPixels, "", 0, 1.0),
            ],
            "HWS 1.0 Br64 S3",
        ),
        (
            "Philips",
            &[
                other("Surview", Localizer, "ORIGINAL\\PRIMARY\\LOCALIZER", 2, 1.0),
                axial("CERVICAL 0.9 soft", "B", 400, 0.45),
                axial("CERVICAL 0.9 sharp", "YC", 400, 0.45),
            ],
            "CERVICAL 0.9 sharp",
        ),
        (
            "Canon",
            &[axial("C SPINE 0.5 FC08", "FC08", 500, 0.3), axial("C SPINE 0.5 FC30", "FC30", 500, 0.3)],
            "C SPINE 0.5 FC30",
        ),
        (
            "injured all over",
            &[
                axial("HEAD 5.0", "H31s", 34, 5.0),
                Made { pixel: 0.8, ..axial("Thorax Abdomen 1.5", "B60f", 470, 1.5) },
                axial("C-Spine 1.0", "B70f", 220, 0.8),
                axial("L Spine 1.0", "B70f", 300, 0.8),
            ],
            "C-Spine 1.0",
        ),
        (
            "angiography",
            &[
                axial("CTA NECK", "STANDARD", 560, 0.625),
                axial("CTA NECK BONE REMOVAL", "STANDARD", 560, 0.5),
                Made { image_type: GE_REFORMAT, ..axial("AX MIP", "STANDARD", 90, 2.0) },
                axial("C-SPINE RECON", "BONE", 180, 1.25),
            ],
            "C-SPINE RECON",
        ),
        ("a sharper part of the neck", &[axial("neck", "STANDARD", 100, 2.0), axial("neck", "BONE", 40, 1.0)], "neck"),
        (
            "reformats only",
            &[
                other("sag", Sagittal, GE_REFORMAT, 40, 2.0),
                Made { image_type: GE_REFORMAT, ..axial("ax", "STANDARD", 70, 2.0) },
            ],
            "ax",
        ),
        ("thin before thick", &[axial("thick", "BONE", 60, 3.0), axial("thin", "BONE", 180, 1.0)], "thin"),
        ("sagittal alone", &[other("sag", Sagittal, GE_REFORMAT, 40, 2.0)], "sag"),
    ];
    for (list, made, expected) in lists {
        let study = study(made.iter().map(series).collect());
        let chosen = choose_series(&study).expect("one is suitable");
        assert_eq!(study.series[chosen.series].description.as_str(), expected, "{list}: {:?}", rank_series(&study));
    }
    let part = study(vec![series(&axial("", "BONE", 40, 1.0)), series(&axial("", "STANDARD", 100, 2.0))]);
    assert_eq!(choose_series(&part).expect("suitable").series, 1, "the whole neck beats a sharper part of it");
}

#[test]
fn the_choice_is_explained_and_so_is_what_the_others_lost_by() {
    let study = study(vec![series(&axial("", "STANDARD", 70, 2.5)), series(&axial("", "Br64f", 412, 0.6))]);
    let chosen = choose_series(&study).expect("suitable");
    assert_eq!(chosen.explanation, "0.6 mm, Br64f kernel, 412 slices");
    let ranked: Vec<SeriesScore> = rank_series(&study).into_iter().map(|verdict| verdict.expect("suitable")).collect();
    assert_eq!(ranked[0].behind(&ranked[1]), "kernel −25, spacing −16, thickness −4, slices −4");
    assert!(ranked[1].to_string().starts_with("167 points: coverage 100, kernel 25, spacing 20"), "{}", ranked[1]);
}

#[test]
fn the_reason_is_that_of_the_nearest_series() {
    let good = || series(&axial("", "", 100, 1.0));
    let mut mr = good();
    mr.modality = Modality::Other(CleanText::new("MR"));
    assert_eq!(choose_series(&study(vec![mr.clone()])), Err(NotAnalysed::NotCt("MR".into())));
    let two = || series(&axial("", "", 2, 1.0));
    assert_eq!(choose_series(&study(vec![mr, two()])), Err(NotAnalysed::TooFewSlices(2)));
    assert_eq!(choose_series(&study(vec![])), Err(NotAnalysed::NoPictures));
    assert_eq!(choose_series(&study(vec![series(&axial("", "", 8, 1.0))])), Err(NotAnalysed::TooShort(7)));
    let scout = series(&other("", SeriesKind::Localizer, "ORIGINAL\\PRIMARY\\LOCALIZER", 2, 1.0));
    assert_eq!(choose_series(&study(vec![scout])), Err(NotAnalysed::OnlyLocalizers));
    let report = series(&other("", SeriesKind::NoPixels, "", 0, 1.0));
    assert_eq!(choose_series(&study(vec![report])), Err(NotAnalysed::NoPictures));
    let narrow = series(&other("", SeriesKind::Sagittal, GE_REFORMAT, 10, 2.0));
    assert_eq!(choose_series(&study(vec![narrow])), Err(NotAnalysed::TooNarrow(18)));
    let mip = series(&Made { image_type: "DERIVED\\SECONDARY\\AXIAL\\MIP", ..axial("", "", 100, 1.0) });
    assert_eq!(choose_series(&study(vec![mip])), Err(NotAnalysed::Projection));
    let mut unplaced = good();
    (unplaced.kind, unplaced.stack) = (SeriesKind::Unpositioned, None);
    assert_eq!(choose_series(&study(vec![unplaced])), Err(NotAnalysed::NoGeometry(Missing::SlicePositions)));
}

#[test]
fn what_a_scan_can_show_is_said_from_its_length_and_its_names() {
    let grown = Patient::default();
    let told = |made: &Made| coverage(&grown, &series(made)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(&axial("C-SPINE", "", 150, 1.0)), [""; 0]);
    assert_eq!(told(&axial("", "", 61, 1.0)), ["61 mm of scan: at most 5 of C1–C7 can be whole"]);
    assert_eq!(
        told(&axial("BRAIN 5.0", "", 40, 5.0)),
        ["slices 5.0 mm apart: thin breaks can fall between them", "the files name BRAIN, not the neck",]
    );
    assert_eq!(told(&axial("C-SPINE", "", 60, 3.0)), [""; 0]);
    assert_eq!(told(&axial("THORACIC SPINE", "", 300, 1.0)), ["the files name THORACIC, not the neck"]);
    assert_eq!(told(&axial("HEAD AND NECK", "", 300, 1.0)), [""; 0]);
    // A sagittal series is as long as its pictures are high.
    assert_eq!(told(&other("", SeriesKind::Sagittal, "", 40, 2.0)), [""; 0]);
    let child = Patient { age_years: Some(3), ..Patient::default() };
    assert_eq!(coverage(&child, &series(&axial("", "", 61, 1.0))), []);
    let short = coverage(&grown, &series(&axial("", "", 6, 1.0)));
    assert_eq!(short, [Coverage::Short { extent: 6, levels: 0 }]);
}
