use super::*;
use crate::domain::{
    Aggregation, Completeness, KeySlice, LevelExtent, LevelFinding, LevelOutcome, ModelIdentity, ModelNature,
    NoDistance, OnReport, PerLevel, Probability, Provenance, Thresholds, Timing, Uid, merge,
};
use std::sync::Arc;

fn p(value: f32) -> Probability {
    Probability::new(value).expect("a probability")
}

fn far() -> DistributionCheck {
    DistributionCheck::Measured { distance: 1.8, threshold: 1.3 }
}

fn near() -> DistributionCheck {
    DistributionCheck::Measured { distance: 1.0, threshold: 1.3 }
}

/// The report of series `number`, which shows one level with this probability; an alert from 50 %.
fn report(number: usize, level: CervicalLevel, value: f32, check: Option<DistributionCheck>) -> FractureReport {
    let finding = |at: CervicalLevel| LevelFinding {
        level: at,
        outcome: if at == level {
            LevelOutcome::Seen {
                probability: p(value),
                key_slice: KeySlice { index: 0, instance_number: None, position_mm: None },
                extent: LevelExtent::Whole,
                hot_spot: None,
            }
        } else {
            LevelOutcome::NotSeen
        },
    };
    FractureReport {
        study_uid: Uid::from_file("1"),
        series_uid: Uid::from_file(&format!("1.{number}")),
        overall: p(value),
        levels: PerLevel::from_fn(finding),
        activations: PerLevel::default(),
        distribution: check,
        slices: Vec::new(),
        model: Arc::new(ModelIdentity {
            name: "test".into(),
            version: "1".into(),
            sha256: "0".repeat(64),
            nature: ModelNature::Synthetic,
            aggregation: Aggregation::VisibleTopMean,
            thresholds: Thresholds { overall: p(0.5), level: p(0.3), distance: Some(1.3) },
        }),
        completeness: Completeness::Final,
        timing: Timing::default(),
        searched: None,
        provenance: Provenance::default(),
    }
}

fn merged(reports: &[FractureReport]) -> FractureReport {
    let reports: Vec<_> = reports.iter().cloned().map(Arc::new).collect();
    merge(&reports, Vec::new()).expect("a report")
}

#[test]
fn a_number_alone_raises_no_alert_for_an_unlike_study() {
    let c2 = |value, check| report(1, CervicalLevel::C2, value, check);
    assert_eq!(c2(0.9, None).alert(), Alert::Raised, "a package without the check");
    assert_eq!(c2(0.9, Some(near())).alert(), Alert::Raised);
    assert_eq!(c2(0.9, Some(far())).alert(), Alert::Withheld);
    assert_eq!(c2(0.4, Some(far())).alert(), Alert::BelowThreshold);
    let unknown = Some(DistributionCheck::Unmeasured(NoDistance::NotFinite));
    assert_eq!(c2(0.9, unknown).alert(), Alert::Raised, "an unknown distance withholds nothing");
    let withheld = c2(0.9, Some(far()));
    assert!(withheld.is_level_alert(CervicalLevel::C2), "the flag of the level stays");
    assert_eq!(withheld.overall, p(0.9), "and so does the number");
}

#[test]
fn the_notice_says_what_to_do() {
    let notice = |value, check| report(1, CervicalLevel::C2, value, check).distribution_notice();
    let unlike = "unlike the model's training data: distance 1.8, limit 1.3";
    assert_eq!(notice(0.9, Some(far())), Some(format!("{unlike}; alert withheld: read it yourself")));
    assert_eq!(notice(0.1, Some(far())), Some(format!("{unlike}; read it yourself")));
    assert_eq!((notice(0.9, Some(near())), notice(0.9, None)), (None, None));
    let unknown = notice(0.9, Some(DistributionCheck::Unmeasured(NoDistance::NotFinite))).expect("a notice");
    assert!(unknown.contains("not finite"), "{unknown}");
}

#[test]
fn a_series_within_the_distribution_can_raise_the_alert_of_a_study_that_is_partly_out() {
    let within = |value| report(1, CervicalLevel::C2, value, Some(near()));
    let out = |value| report(2, CervicalLevel::C6, value, Some(far()));
    let by_within = merged(&[within(0.9), out(0.1)]);
    assert!(by_within.is_out_of_distribution());
    assert_eq!(by_within.alert(), Alert::Raised);
    assert!(by_within.distribution_notice().expect("a notice").ends_with("the alert comes from other series"));
    let by_out = merged(&[within(0.1), out(0.9)]);
    assert_eq!((by_out.alert(), by_out.distribution), (Alert::Withheld, Some(far())));
    assert_eq!(by_out.thinned().alert(), Alert::Withheld, "also without the single slices");
    // 1 − 0.6 · 0.6 = 0.64 reaches the threshold only by both.
    assert_eq!(merged(&[within(0.4), out(0.4)]).alert(), Alert::Withheld);
}

#[test]
fn a_series_that_gives_no_level_does_not_count() {
    let seen = report(1, CervicalLevel::C2, 0.9, Some(near()));
    // The same level, cut off: the whole one is used.
    let mut cut = report(2, CervicalLevel::C2, 0.9, Some(far()));
    if let LevelOutcome::Seen { extent, .. } = &mut cut.levels[CervicalLevel::C2].outcome {
        *extent = LevelExtent::CutOff;
    }
    assert_eq!(merged(&[seen, cut]).distribution, Some(near()));
}

/// The log keeps whether an alert was withheld; entries of before have no such key.
#[test]
fn the_log_counts_no_withheld_alert_and_reads_old_entries() {
    let kept = OnReport::from(&report(1, CervicalLevel::C2, 0.9, Some(far())));
    assert!(kept.alert_withheld && !kept.is_alert());
    let mut json = serde_json::to_value(&kept).expect("JSON");
    assert_eq!(serde_json::from_value::<OnReport>(json.clone()).expect("an entry"), kept);
    json.as_object_mut().expect("an object").remove("alert_withheld");
    let old: OnReport = serde_json::from_value(json).expect("an entry of before");
    assert!(!old.alert_withheld && old.is_alert());
}
