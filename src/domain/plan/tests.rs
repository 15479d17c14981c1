//! Plans over studies as trauma scanners write them: heads and necks, kernels, reformats, several patient systems.

use super::*;
use crate::domain::{
    Aggregation, Analysis, CervicalLevel, CleanText, Completeness, ImagePlane, Instance, KeySlice, LevelExtent,
    LevelFinding, LevelOutcome, ModelIdentity, ModelNature, NotHounsfield, Patient, PerLevel, PixelSpacing, Precedence,
    Probability, Provenance, ScoredSlice, SeriesHints, SliceScore, SliceStack, Thresholds, Timing, Uid, series_extent,
};

/// Where the middle of each level is in the test patient, LPS z mm; levels are 16 mm tall.
const LEVEL_Z: [f64; 7] = [0.0, -18.0, -36.0, -54.0, -72.0, -90.0, -108.0];
const HALF_LEVEL: f64 = 8.0;

fn axial(number: usize, kernel: &str, frame: &str, top: f64, bottom: f64, spacing: f64) -> Series {
    let count = ((top - bottom) / spacing).round() as usize + 1;
    made(number, kernel, frame, SeriesKind::Axial, count, spacing, |slice| [0.0, 0.0, top - slice as f64 * spacing])
}

fn sagittal(number: usize, frame: &str, top: f64) -> Series {
    made(number, "BONE", frame, SeriesKind::Sagittal, 40, 2.0, |slice| [slice as f64 * 2.0, 0.0, top])
}

fn made(
    number: usize,
    kernel: &str,
    frame: &str,
    kind: SeriesKind,
    count: usize,
    spacing: f64,
    position: impl Fn(usize) -> [f64; 3],
) -> Series {
    let orientation = match kind {
        SeriesKind::Sagittal => [0.0, 1.0, 0.0, 0.0, 0.0, -1.0],
        _ => [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    };
    let instance = |slice: usize| Instance {
        path: format!("{number}/{slice}.dcm").into(),
        sop_instance_uid: Uid::from_file(&format!("1.{number}.{slice}")),
        frame: 0,
        instance_number: i32::try_from(slice + 1).ok(),
        plane: ImagePlane::new(position(slice), orientation),
        spacing: PixelSpacing::new(0.4, 0.4),
        rows: 320,
        columns: 320,
        slice_thickness: Some(spacing),
    };
    Series {
        uid: Uid::from_file(&format!("1.2.{number}")),
        frame_of_reference: Uid::from_file(frame),
        stack_index: 0,
        number: i32::try_from(number).ok(),
        description: CleanText::default(),
        modality: Modality::Ct,
        kernel: CleanText::new(kernel),
        body_part: CleanText::default(),
        hints: SeriesHints { image_type: CleanText::new("ORIGINAL\\PRIMARY\\AXIAL"), ..SeriesHints::default() },
        kind,
        fingerprint: None,
        instances: (0..count).map(instance).collect(),
        stack: Some(SliceStack::new((0..count).map(|slice| slice as f64 * spacing).collect())),
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

fn model() -> Arc<ModelIdentity> {
    let p = |value: f32| Probability::new(value).expect("a probability");
    Arc::new(ModelIdentity {
        name: "test".into(),
        version: "1".into(),
        sha256: "0".repeat(64),
        nature: ModelNature::Synthetic,
        aggregation: Aggregation::VisibleTopMean,
        thresholds: Thresholds { overall: p(0.5), level: p(0.3), distance: None },
    })
}

/// What a perfect network sees in a series, each level with this probability; nothing if the series shows no level.
fn look(series: &Series, probability: f32) -> SeriesOutcome {
    let p = |value: f32| Probability::new(value).expect("a probability");
    let extent = series_extent(series);
    let spacing = series.slice_spacing().unwrap_or(1.0);
    let mut slices: Vec<ScoredSlice> = Vec::new();
    for range in &extent {
        let count = (range.length() / spacing).round() as usize + 1;
        for step in 0..count {
            let z = range.cranial - step as f64 * spacing;
            let mut score = SliceScore::default();
            for level in CervicalLevel::ALL {
                if (z - LEVEL_Z[level.index()]).abs() <= HALF_LEVEL {
                    score.vertebra[level] = p(0.9);
                }
            }
            slices.push(ScoredSlice { index: slices.len(), instance_number: None, position_mm: Some(z), score });
        }
    }
    let levels = PerLevel::from_fn(|level| {
        let shows: Vec<&ScoredSlice> =
            slices.iter().filter(|slice| slice.score.vertebra[level].value() > 0.5).collect();
        let (low, high) = (LEVEL_Z[level.index()] - HALF_LEVEL, LEVEL_Z[level.index()] + HALF_LEVEL);
        let whole = extent.iter().any(|range| range.caudal < low && range.cranial > high);
        let outcome = shows.first().map_or(LevelOutcome::NotSeen, |slice| LevelOutcome::Seen {
            probability: p(probability),
            key_slice: KeySlice { index: slice.index, instance_number: None, position_mm: slice.position_mm },
            extent: if whole { LevelExtent::Whole } else { LevelExtent::CutOff },
            hot_spot: None,
        });
        LevelFinding { level, outcome }
    });
    if levels.0.iter().all(|finding| finding.probability().is_none()) {
        return SeriesOutcome::Declined(NotAnalysed::NoCervicalSpine);
    }
    let frame = &series.frame_of_reference;
    SeriesOutcome::Report(Arc::new(FractureReport {
        study_uid: Uid::from_file("1"),
        series_uid: series.uid.clone(),
        overall: p(probability),
        levels,
        activations: PerLevel::default(),
        distribution: None,
        slices,
        model: model(),
        completeness: Completeness::Final,
        timing: Timing::default(),
        searched: None,
        provenance: Provenance {
            scanned: extent,
            frame_of_reference: (!frame.is_empty()).then(|| frame.clone()),
            ..Provenance::default()
        },
    }))
}

/// Analyzes a study to its end: the series that were analyzed, in order, and the result. `fails` says which series fail and how.
fn analyze(study: &Study, fails: &dyn Fn(usize) -> Option<SeriesOutcome>) -> (Vec<usize>, Analysis) {
    let plan = plan_series(study, None).expect("a plan");
    let mut done: Vec<SeriesRun> = Vec::new();
    while let Some(series) = next_series(study, &plan, &done) {
        let outcome = fails(series).unwrap_or_else(|| look(&study.series[series], 0.1));
        done.push(SeriesRun { series, outcome });
        assert!(done.len() <= MAX_SERIES);
    }
    (done.iter().map(|run| run.series).collect(), conclude(study, &plan, &done, &model()))
}

fn all_well(_: usize) -> Option<SeriesOutcome> {
    None
}

fn report(analysis: &Analysis) -> &FractureReport {
    match analysis {
        Analysis::Analysed(report) => report,
        other => panic!("{other:?}"),
    }
}

/// From the vertex to C2, finer than the neck.
fn head(number: usize, frame: &str) -> Series {
    axial(number, "BONE", frame, 140.0, -27.2, 0.6)
}

/// From C2 to the chest.
fn neck(number: usize, frame: &str) -> Series {
    axial(number, "STANDARD", frame, -5.0, -150.0, 1.0)
}

#[test]
fn a_head_to_c2_is_followed_by_the_neck_in_one_patient_system_or_two() {
    for (what, frames) in [("one", ["1.9", "1.9"]), ("two", ["1.9", "1.8"]), ("none", ["", ""])] {
        let study = study(vec![head(1, frames[0]), neck(2, frames[1])]);
        let (order, analysis) = analyze(&study, &all_well);
        assert_eq!(order, [0, 1], "{what} patient system");
        let report = report(&analysis);
        assert_eq!(report.not_seen(), [], "{what}");
        assert_eq!(report.incomplete(), [] as [String; 0], "{what}");
        let sources: Vec<Option<usize>> =
            CervicalLevel::ALL.map(|level| report.source_index(&study, level)).into_iter().collect();
        assert_eq!(sources, [0, 0, 1, 1, 1, 1, 1].map(Some), "{what}");
        assert_eq!(report.source_words(&study).expect("two"), "C1–C2 from series 1, C3–C7 from series 2");
    }
}

#[test]
fn what_shows_the_same_range_is_analyzed_once() {
    for frame in ["1.9", ""] {
        // A neck without C7, so that something is missing and a second look could tempt.
        let bone = axial(1, "BONE", frame, 30.0, -95.0, 0.6);
        let soft = axial(2, "STANDARD", frame, 29.0, -95.0, 2.0);
        let reformat = Series { instances: sagittal(3, frame, 30.0).instances, ..sagittal(3, frame, 30.0) };
        let study = study(vec![soft, reformat, bone]);
        assert_eq!(analyze(&study, &all_well).0, [2], "frame of reference {frame:?}");
        let plan = plan_series(&study, None).expect("a plan");
        let roles = series_roles(&study, &plan);
        assert_eq!(roles[0], SeriesRole::First);
        assert!(roles[1..].iter().all(|role| *role == SeriesRole::Substitute(2)), "{roles:?}");
    }
}

#[test]
fn a_series_that_cannot_be_decoded_or_is_not_hounsfield_gives_way() {
    let bone = axial(1, "BONE", "1.9", 30.0, -150.0, 0.6);
    let soft = axial(2, "STANDARD", "1.9", 30.0, -150.0, 2.0);
    let study = study(vec![bone, soft]);
    for failure in [
        SeriesOutcome::Failed("cut short".into()),
        SeriesOutcome::Declined(NotAnalysed::NotHounsfield(NotHounsfield::EightBit)),
        SeriesOutcome::Declined(NotAnalysed::Unsupported("pixels of two kinds".into())),
    ] {
        let (order, analysis) = analyze(&study, &|series| (series == 0).then(|| failure.clone()));
        assert_eq!(order, [0, 1]);
        let report = report(&analysis);
        assert!(report.not_seen().is_empty() && report.incomplete().is_empty(), "nothing is missing: {failure:?}");
    }
}

#[test]
fn a_neck_that_cannot_be_analyzed_is_named_with_its_levels_and_reason() {
    let mut unscaled = neck(2, "1.9");
    for instance in &mut unscaled.instances {
        instance.spacing = None;
    }
    let by_pixels = study(vec![head(1, "1.9"), neck(2, "1.9")]);
    let by_headers = study(vec![head(1, "1.9"), unscaled]);
    let cut = |series: usize| (series == 1).then(|| SeriesOutcome::Failed("cut short".into()));
    for (study, fails, reason) in [
        (&by_pixels, &cut as &dyn Fn(usize) -> Option<SeriesOutcome>, "cut short"),
        (&by_headers, &all_well, "pixel spacing missing"),
    ] {
        let (_, analysis) = analyze(study, fails);
        let report = report(&analysis);
        assert_eq!(report.incomplete(), [format!("C3–C7 not analyzed: series 2: {reason}")]);
        assert_eq!(report.absence(CervicalLevel::C5), Some(crate::domain::Absence::NotAnalyzed));
        assert_eq!(report.thinned().absences(), report.absences(), "the list says the same");
    }
}

#[test]
fn what_was_scanned_in_none_of_the_series_is_not_blamed_on_one_that_failed() {
    let bone = axial(1, "BONE", "1.9", 30.0, -95.0, 0.6);
    let soft = axial(2, "STANDARD", "1.9", 30.0, -95.0, 2.0);
    let failed = |series: usize| (series == 0).then(|| SeriesOutcome::Failed("cut short".into()));
    let (_, analysis) = analyze(&study(vec![bone, soft]), &failed);
    let report = report(&analysis);
    assert_eq!(report.incomplete(), [] as [String; 0]);
    assert_eq!(report.absences(), ["C7 not in the scan"]);
}

#[test]
fn a_study_without_a_report_names_the_true_reason() {
    let not_hounsfield = || SeriesOutcome::Declined(NotAnalysed::NotHounsfield(NotHounsfield::EightBit));
    let no_neck = || SeriesOutcome::Declined(NotAnalysed::NoCervicalSpine);
    let cut = || SeriesOutcome::Failed("cut short".into());
    let kernels = [axial(1, "BONE", "1.9", 30.0, -150.0, 0.6), axial(2, "STANDARD", "1.9", 30.0, -150.0, 2.0)];
    let kernels = study(kernels.to_vec());
    let parts = study(vec![head(1, "1.9"), neck(2, "1.9")]);
    let declined = |reason| Analysis::Declined(crate::domain::Declined { reason, model: model() });
    let outcomes = |study: &Study, first: SeriesOutcome, second: SeriesOutcome| {
        analyze(study, &|series| Some(if series == 0 { first.clone() } else { second.clone() })).1
    };
    assert_eq!(
        outcomes(&kernels, not_hounsfield(), not_hounsfield()),
        declined(NotAnalysed::NotHounsfield(NotHounsfield::EightBit))
    );
    assert_eq!(
        outcomes(&kernels, cut(), no_neck()),
        declined(NotAnalysed::NoCervicalSpine),
        "one range, one assessment"
    );
    assert_eq!(outcomes(&parts, no_neck(), no_neck()), declined(NotAnalysed::NoCervicalSpine));
    let failed = |analysis: Analysis| match analysis {
        Analysis::Failed(problem) => problem.to_string(),
        other => panic!("{other:?}"),
    };
    let half = "no cervical spine seen in the other series; series 2: cut short";
    assert_eq!(failed(outcomes(&parts, no_neck(), cut())), half, "the neck was not looked at");
    assert_eq!(failed(outcomes(&kernels, cut(), cut())), "series 1: cut short; series 2: cut short");
    let one = study(vec![neck(1, "1.9")]);
    assert_eq!(outcomes(&one, cut(), cut()), Analysis::Failed("cut short".into()));
}

#[test]
fn an_abdomen_is_not_looked_at_for_a_missing_c7_but_the_chest_is() {
    let neck = axial(1, "BONE", "1.9", 30.0, -95.0, 0.6);
    let chest = axial(2, "STANDARD", "1.9", -85.0, -400.0, 1.5);
    let abdomen = axial(3, "STANDARD", "1.9", -400.0, -800.0, 1.5);
    let (order, analysis) = analyze(&study(vec![neck, chest, abdomen]), &all_well);
    assert_eq!(order.len(), 2, "{order:?}");
    assert!(report(&analysis).is_merged());
    assert!(!order.contains(&2), "{order:?}");
}

#[test]
fn slices_that_could_not_be_decoded_are_looked_for_in_the_other_kernel() {
    let bone = axial(1, "BONE", "1.9", 30.0, -150.0, 0.6);
    let soft = axial(2, "STANDARD", "1.9", 30.0, -150.0, 2.0);
    // The decoded volume lacks C4 and C5.
    let mut upper = look(&axial(1, "BONE", "1.9", 30.0, -40.0, 0.6), 0.1);
    let lower = look(&axial(1, "BONE", "1.9", -85.0, -150.0, 0.6), 0.1);
    if let (SeriesOutcome::Report(upper), SeriesOutcome::Report(lower)) = (&mut upper, lower) {
        let report = Arc::make_mut(upper);
        report.slices.extend(lower.slices.iter().copied());
        report.provenance.scanned.extend(lower.provenance.scanned.iter().copied());
        for level in [CervicalLevel::C6, CervicalLevel::C7] {
            report.levels[level] = lower.levels[level];
        }
    }
    let (order, analysis) = analyze(&study(vec![bone, soft]), &|series| (series == 0).then(|| upper.clone()));
    assert_eq!(order, [0, 1]);
    assert_eq!(report(&analysis).not_seen(), []);
}

#[test]
fn no_study_is_analyzed_without_end() {
    // Each in a patient system of its own, none with C7.
    let series = (0..20).map(|number| axial(number, "BONE", &format!("1.9.{number}"), 30.0, -95.0, 1.0)).collect();
    let (order, analysis) = analyze(&study(series), &all_well);
    assert_eq!(order.len(), MAX_SERIES);
    assert!(report(&analysis).incomplete().iter().any(|line| line.starts_with("C7 not analyzed: series")));
}

#[test]
fn what_the_reader_asks_for_comes_first_and_the_rest_still_follows() {
    let study = study(vec![head(1, "1.9"), neck(2, "1.9"), axial(3, "STANDARD", "1.9", -5.0, -150.0, 2.0)]);
    let plan = plan_series(&study, Some(2)).expect("a plan");
    assert_eq!(plan[0].series, 2);
    let done = [SeriesRun { series: 2, outcome: look(&study.series[2], 0.1) }];
    assert_eq!(next_series(&study, &plan, &done), Some(0), "C1 is in the head");
}
