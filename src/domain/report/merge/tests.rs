//! Invariants of merged reports, over reports of any content.

use super::*;
use crate::domain::{
    Aggregation, KeySlice, LevelFinding, ModelIdentity, ModelNature, Probability, SliceScore, Thresholds,
};
use proptest::prelude::*;

/// One level as a series shows it: probability, whether whole, and slices that show it.
type LevelCase = Option<(f32, bool, usize)>;

fn any_level() -> impl Strategy<Value = LevelCase> {
    prop::option::of((0.0..1.0_f32, any::<bool>(), 1..6_usize))
}

fn any_report(number: usize) -> impl Strategy<Value = Arc<FractureReport>> {
    let levels = prop::array::uniform7(any_level());
    (levels, 1..4_u32).prop_map(move |(levels, spacing)| Arc::new(report(number, levels, f64::from(spacing))))
}

fn report(number: usize, cases: [LevelCase; 7], spacing: f64) -> FractureReport {
    let p = |value: f32| Probability::new(value).expect("a probability");
    let mut slices = Vec::new();
    for (level, case) in CervicalLevel::ALL.into_iter().zip(cases) {
        for step in 0..case.map_or(0, |(_, _, count)| count) {
            let mut score = SliceScore::default();
            score.vertebra[level] = p(0.9);
            let position_mm = Some(-30.0 * level.index() as f64 - step as f64 * spacing);
            slices.push(ScoredSlice { index: slices.len(), instance_number: None, position_mm, score });
        }
    }
    let levels = PerLevel::from_fn(|level| {
        let outcome = cases[level.index()].map_or(LevelOutcome::NotSeen, |(value, whole, _)| LevelOutcome::Seen {
            probability: p(value),
            key_slice: KeySlice { index: number, instance_number: None, position_mm: None },
            extent: if whole { LevelExtent::Whole } else { LevelExtent::CutOff },
            hot_spot: None,
        });
        LevelFinding { level, outcome }
    });
    FractureReport {
        study_uid: Uid::from_file("1"),
        series_uid: Uid::from_file(&format!("1.{number}")),
        overall: at_least_one(&levels.0.map(|finding| finding.probability())),
        levels,
        activations: PerLevel::default(),
        distribution: None,
        slices,
        model: Arc::new(ModelIdentity {
            name: "test".into(),
            version: "1".into(),
            sha256: "0".repeat(64),
            nature: ModelNature::Synthetic,
            aggregation: Aggregation::VisibleTopMean,
            thresholds: Thresholds { overall: p(0.5), level: p(0.3), distance: None },
        }),
        completeness: Completeness::Final,
        timing: Timing::default(),
        searched: None,
        provenance: Provenance::default(),
    }
}

fn reports() -> impl Strategy<Value = Vec<Arc<FractureReport>>> {
    (1..5_usize).prop_flat_map(|count| (0..count).map(any_report).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn a_merged_level_is_that_of_its_source_and_nothing_seen_is_lost(reports in reports()) {
        let merged = merge(&reports, Vec::new()).expect("a report");
        for level in CervicalLevel::ALL {
            prop_assert_eq!(&merged.levels[level], &merged.source(level).levels[level]);
            let seen = reports.iter().any(|report| report.levels[level].probability().is_some());
            prop_assert_eq!(merged.levels[level].probability().is_some(), seen);
            let whole = reports.iter().any(|report| extent(report, level) == Some(LevelExtent::Whole));
            prop_assert_eq!(extent(&merged, level) == Some(LevelExtent::Whole), whole);
        }
        let overall = at_least_one(&merged.levels.0.map(|finding| finding.probability()));
        prop_assert!((merged.overall.value() - overall.value()).abs() < 1e-6);
    }

    #[test]
    fn the_order_of_the_reports_does_not_matter(reports in reports(), turn in 0..5_usize) {
        let mut turned = reports.clone();
        turned.rotate_left(turn % reports.len());
        prop_assert_eq!(merge(&reports, Vec::new()), merge(&turned, Vec::new()));
        turned.reverse();
        turned.extend(reports.first().cloned());
        prop_assert_eq!(merge(&reports, Vec::new()), merge(&turned, Vec::new()), "one report twice counts once");
    }

    #[test]
    fn no_alert_of_a_series_is_dropped_without_a_word(reports in reports()) {
        let study = Study {
            uid: Uid::from_file("1"),
            patient: crate::domain::Patient::default(),
            date: None,
            description: crate::domain::CleanText::default(),
            accession: crate::domain::CleanText::default(),
            precedence: crate::domain::Precedence::Ordinary,
            series: Vec::new(),
            oddities: Vec::new(),
        };
        let merged = merge(&reports, Vec::new()).expect("a report");
        let words = merged.contradictions(&study).join("\n");
        for report in &reports {
            for level in report.alert_levels() {
                prop_assert!(merged.is_level_alert(level) || words.contains(level.name()), "{level}: {words}");
            }
        }
    }
}

#[test]
fn the_larger_part_of_a_level_wins_and_the_denser_slices_between_equals() {
    let cut = |count| Some((0.5, false, count));
    let [small, large] = [(1, 2), (2, 5)].map(|(n, count)| {
        let mut levels = [None; 7];
        levels[1] = cut(count);
        Arc::new(report(n, levels, 1.0))
    });
    let merged = merge(&[small, Arc::clone(&large)], Vec::new()).expect("a report");
    assert_eq!(merged.source(CervicalLevel::C2).series_uid, large.series_uid);
    let whole = |n, spacing| Arc::new(report(n, [Some((0.2, true, 4)); 7], spacing));
    let merged = merge(&[whole(1, 3.0), whole(2, 1.0)], Vec::new()).expect("a report");
    assert_eq!(merged.source(CervicalLevel::C5).series_uid, Uid::from_file("1.2"));
}

#[test]
fn levels_are_named_in_runs() {
    use CervicalLevel::{C1, C2, C3, C4, C5, C7};
    assert_eq!(level_range(&[C1, C2]), "C1–C2");
    assert_eq!(level_range(&[C1, C3, C4, C5, C7]), "C1 C3–C5 C7");
    assert_eq!(level_range(&[]), "");
}
