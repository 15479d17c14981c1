//! A study of made files with everything that can be known of it: a report, a log, key images and measurements.
#![allow(dead_code, reason = "each of its users needs another part")]

use super::made::{self, EXPLICIT, Writing, data_set, number, part10, set, slice, text};
use cspine::dicom::scan_all;
use cspine::domain::{
    Act, Aggregation, Agreement, Analysis, Axis, CervicalLevel, CleanText, Completeness, DistributionCheck, Draft,
    EntryId, FractureReport, Geometry, HotSpot, KeyImage, KeySlice, LevelExtent, LevelFinding, LevelOutcome,
    LevelVerdict, LogEntry, Measurement, ModelIdentity, ModelNature, NoteText, OnReport, PatientPoint, PerLevel, Place,
    Probability, Provenance, RejectionReason, ScoredSlice, SliceScore, Stamp, Study, StudyVerdict, Thresholds, Timing,
    Uid,
};
use cspine::results::{Identity, MeasurementResult, StudyResult, Written};
use cspine::task::Cancel;
use std::path::Path;
use std::sync::Arc;

/// The patient's name as the files have it: three groups, of which screens show one.
pub(crate) const NAME: &str = "Grün^Jürgen^^Dr.=山田^太郎=やまだ^たろう";

pub(crate) fn p(value: f32) -> Probability {
    Probability::new(value).expect("a probability")
}

/// 2026-11-25 09:30 and some minutes at one hour ahead of UTC.
pub(crate) fn stamp(minute: i64) -> Stamp {
    Stamp { utc_ms: 1_795_595_400_000 + minute * 60_000, offset_minutes: 60 }
}

pub(crate) const WRITTEN: Written =
    Written { version: "0.0.0", at: Stamp { utc_ms: 1_795_599_000_000, offset_minutes: 60 } };

/// Writes fourteen slices, two a level, and finds the study again.
pub(crate) fn study(folder: &Path) -> Study {
    for place in 1..=14 {
        let mut elements = slice(place);
        set(&mut elements, text((0x0008, 0x0005), "CS", "ISO_IR 192"));
        set(&mut elements, text((0x0008, 0x0030), "TM", "085230"));
        set(&mut elements, text((0x0008, 0x0050), "SH", "A*1|2"));
        set(&mut elements, text((0x0008, 0x1030), "LO", "=CT <C-spine>"));
        set(&mut elements, made::bytes((0x0010, 0x0010), "PN", NAME.as_bytes()));
        set(&mut elements, text((0x0010, 0x0020), "LO", "P-001"));
        set(&mut elements, text((0x0010, 0x0040), "CS", "M"));
        set(&mut elements, text((0x0010, 0x1010), "AS", "062Y"));
        set(&mut elements, text((0x0020, 0x0010), "SH", "7"));
        set(&mut elements, text((0x0020, 0x0011), "IS", "3"));
        set(&mut elements, number((0x0028, 0x0103), 1));
        let file = part10(EXPLICIT, &data_set(&elements, Writing::Explicit));
        std::fs::write(folder.join(format!("{place:02}.dcm")), file).expect("written");
    }
    let (studies, unreadable, _) = scan_all(&[folder.to_owned()], &Cancel::new());
    assert!(unreadable.is_empty(), "{unreadable:?}");
    studies.into_iter().next().expect("a study")
}

pub(crate) fn identity() -> Arc<ModelIdentity> {
    Arc::new(ModelIdentity {
        name: "phantom-b0".into(),
        version: "0.3.0".into(),
        sha256: "0123456789abcdef".repeat(4),
        nature: ModelNature::Synthetic,
        aggregation: Aggregation::VisibilityWeightedMean,
        thresholds: Thresholds { overall: p(0.5), level: p(0.3), distance: None },
    })
}

/// C2 and C6 suspicious, C1 cut off, C7 not in the scan.
pub(crate) fn report(study: &Study) -> FractureReport {
    let values = [Some(0.01), Some(0.44), Some(0.02), Some(0.01), Some(0.06), Some(0.81), None];
    let series = &study.series[0];
    let instance = |index: usize| (series.instances[index].instance_number, series.instances[index].plane);
    let finding = |level: CervicalLevel| {
        let index = 2 * level.index();
        let (instance_number, plane) = instance(index);
        let position_mm = plane.map(|plane| plane.position.z);
        let outcome = values[level.index()].map_or(LevelOutcome::NotSeen, |value| LevelOutcome::Seen {
            probability: p(value),
            key_slice: KeySlice { index, instance_number, position_mm },
            extent: if level == CervicalLevel::C1 { LevelExtent::CutOff } else { LevelExtent::Whole },
            hot_spot: Some(HotSpot { point: PatientPoint::new(1.0, 2.0, position_mm.unwrap_or(0.0)) }),
        });
        LevelFinding { level, outcome }
    };
    FractureReport {
        study_uid: study.uid.clone(),
        series_uid: series.uid.clone(),
        overall: p(0.9),
        levels: PerLevel::from_fn(finding),
        activations: PerLevel::default(),
        distribution: None,
        slices: (0..series.instances.len())
            .map(|index| ScoredSlice {
                index,
                instance_number: instance(index).0,
                position_mm: instance(index).1.map(|plane| plane.position.z),
                score: SliceScore::default(),
            })
            .collect(),
        model: identity(),
        completeness: Completeness::Final,
        searched: None,
        timing: Timing::default(),
        provenance: Provenance::default(),
    }
}

/// What a reader did: C2 confirmed, the alarm at C6 rejected, a note, a verdict taken back and given again.
pub(crate) fn log(study: &Study, report: &FractureReport) -> Vec<LogEntry> {
    let acts = [
        Act::Level { level: CervicalLevel::C2, verdict: LevelVerdict::Fractured, agreement: Some(Agreement::Agrees) },
        Act::Level {
            level: CervicalLevel::C6,
            verdict: LevelVerdict::NotFractured,
            agreement: Some(Agreement::Rejects { reason: RejectionReason::Osteophyte }),
        },
        Act::Level { level: CervicalLevel::C7, verdict: LevelVerdict::NotAssessable, agreement: None },
        Act::Note {
            text: NoteText::new("dens, see sagittal; compare with the scan of *last* year before the operation"),
        },
        Act::Study(StudyVerdict::Negative),
        Act::Undo { entry: EntryId(5) },
        Act::Study(StudyVerdict::Positive),
    ];
    (1..)
        .zip(acts)
        .map(|(id, act)| LogEntry {
            id: EntryId(id),
            who: CleanText::new("lmüller"),
            at: stamp(id),
            draft: Draft { study: study.uid.clone(), act, report: Some(OnReport::from(report)), blinded: false },
        })
        .collect()
}

/// All that is known of the study in a folder.
pub(crate) fn result(folder: &Path) -> StudyResult {
    checked(folder, None)
}

/// The same, with this distance from the training data.
pub(crate) fn unlike(folder: &Path, check: DistributionCheck) -> StudyResult {
    checked(folder, Some(check))
}

fn checked(folder: &Path, distribution: Option<DistributionCheck>) -> StudyResult {
    let study = study(folder);
    let report = FractureReport { distribution, ..report(&study) };
    let series = &study.series[0];
    let marked = &series.instances[2];
    let key_image = KeyImage {
        id: 1,
        series: series.uid.clone(),
        instance: marked.sop_instance_uid.clone(),
        frame: 0,
        plane: Axis::HeadFoot,
        slice: 2,
        point: marked.plane.map(|plane| plane.position.to_array()),
        center: 350.0,
        width: 2000.0,
        inverted: false,
        comment: "dens, left".into(),
    };
    let at = |mm: [f64; 3]| Place::Patient { mm };
    let measured = |id: u64, geometry: Geometry| {
        let measurement = Measurement { id, series: series.uid.clone(), geometry };
        MeasurementResult { measurement, result: Err("the series cannot be read".into()) }
    };
    let mut length = measured(1, Geometry::Distance { ends: [at([0.0; 3]), at([3.0, 4.0, 0.0])] });
    length.result = Ok(cspine::domain::Measured::Length { mm: 5.0 });
    let probe = measured(2, Geometry::Probe { place: at([0.0; 3]) });
    let log = log(&study, &report);
    StudyResult {
        study: Arc::new(study),
        analysis: Some(Analysis::Analysed(Arc::new(report))),
        log,
        key_images: vec![key_image],
        measurements: vec![length, probe],
        identity: Identity::Named,
    }
}

/// A study of which nothing is known yet.
pub(crate) fn bare(result: &StudyResult) -> StudyResult {
    StudyResult {
        study: Arc::clone(&result.study),
        analysis: None,
        log: Vec::new(),
        key_images: Vec::new(),
        measurements: Vec::new(),
        identity: Identity::Named,
    }
}

/// The identifier that the made study has.
pub(crate) fn study_uid() -> Uid {
    Uid::from_file("2.25.1")
}
