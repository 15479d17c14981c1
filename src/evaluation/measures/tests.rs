use super::*;
use crate::domain::{PerLevel, Probability};
use crate::evaluation::dataset::MadeFracture;
use crate::evaluation::{Found, RangeError};

fn thresholds() -> Thresholds {
    let p = |value| Probability::new(value).expect("a probability");
    Thresholds { overall: p(0.5), level: p(0.3), distance: None }
}

/// A study whose C2 is broken or sound, with these numbers overall and at C2, and 0.1 at the other levels.
fn case(broken: bool, overall: f64, c2: f64) -> Case {
    let mut truth = [false; 8];
    (truth[0], truth[2]) = (broken, broken);
    let mut probability = [Some(0.1); 8];
    (probability[0], probability[2]) = (Some(overall), Some(c2));
    let mut alert = [false; 8];
    (alert[0], alert[2]) = (overall >= 0.5, c2 >= 0.3);
    Case {
        dataset: 0,
        uid: "1.2".into(),
        truth,
        probability,
        alert,
        unlike: None,
        outcome: Outcome::Analysed,
        visibility: Vec::new(),
        ranges: Vec::new(),
        found: Vec::new(),
        fractures: Vec::new(),
        healed: Vec::new(),
        anatomy: vec!["parametric".into()],
        kernel: "BONE".into(),
        spacing_mm: Some(1.0),
        slices: 100,
        seconds: Some(2.0),
    }
}

fn declined(broken: bool) -> Case {
    Case {
        probability: [None; 8],
        alert: [false; 8],
        outcome: Outcome::Declined("no cervical spine seen".into()),
        slices: 0,
        seconds: None,
        ..case(broken, 0.0, 0.0)
    }
}

fn measured(cases: &[Case]) -> Measures {
    measure(&cases.iter().collect::<Vec<_>>(), thresholds())
}

fn area(found: Option<Interval>) -> f64 {
    found.expect("both classes").value
}

#[test]
fn declining_a_broken_neck_is_a_miss_and_a_sound_one_is_no_help() {
    let told = [case(true, 0.9, 0.8), case(true, 0.7, 0.2), case(false, 0.6, 0.1), case(false, 0.2, 0.1)];
    let plain = measured(&told);
    assert_eq!(area(plain.auc.overall), 1.0);
    assert_eq!((plain.thresholds.overall.sensitivity.count, plain.thresholds.overall.sensitivity.of), (2, 2));
    assert_eq!((plain.thresholds.overall.specificity.count, plain.thresholds.overall.specificity.of), (1, 2));
    assert_eq!((plain.thresholds.level.sensitivity.count, plain.thresholds.level.sensitivity.of), (1, 2));

    let with_sound = measured(&[told.to_vec(), vec![declined(false); 3]].concat());
    assert_eq!(area(with_sound.auc.overall), 1.0);
    assert_eq!(with_sound.thresholds.overall.specificity, plain.thresholds.overall.specificity);
    assert_eq!((with_sound.declined.fractured, with_sound.declined.sound), (0, 3));
    assert_eq!(with_sound.declined.reasons["no cervical spine seen"], 3);

    let with_broken = measured(&[told.to_vec(), vec![declined(true)]].concat());
    // Of three broken studies one scores below both sound ones.
    assert!((area(with_broken.auc.overall) - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(
        (with_broken.thresholds.overall.sensitivity.count, with_broken.thresholds.overall.sensitivity.of),
        (2, 3)
    );
    assert!(with_broken.rsna_log_loss.value > plain.rsna_log_loss.value);
}

#[test]
fn the_guesses_are_losses_of_rates() {
    let found = measured(&[case(true, 0.9, 0.8), case(false, 0.1, 0.1)]).rsna_log_loss;
    let rates = [0.5, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0];
    let truths = [true, false].map(|broken| case(broken, 0.0, 0.0).truth);
    let of = |guess: [f64; 8]| truths.iter().map(|truth| rsna_loss(*truth, guess)).sum::<f64>() / 2.0;
    assert!((found.guess_rates.expect("studies") - of(rates)).abs() < 1e-12);
    assert!((found.guess_rsna.expect("studies") - of(RSNA_RATES)).abs() < 1e-12);
}

/// RSNA's rates, guessed for studies broken as often, cost some 0.55 only when every study is divided by its own weights. Levels are independent here, which they are not in RSNA.
#[test]
fn guessing_rsnas_rates_costs_what_the_competition_saw() {
    let expected: f64 = [true, false]
        .iter()
        .map(|&broken| {
            let share = if broken { RSNA_RATES[0] } else { 1.0 - RSNA_RATES[0] };
            // One broken level in the broken study, C7.
            let truth = [broken, false, false, false, false, false, false, broken];
            share * rsna_loss(truth, RSNA_RATES)
        })
        .sum();
    assert!((0.5..0.65).contains(&expected), "{expected}");
}

#[test]
fn places_and_ranges_are_counted_by_distance() {
    let mut one = case(true, 0.9, 0.8);
    let found = |hot_spot_mm, key_slice| Found { hot_spot_mm, key_slice };
    one.found = vec![found(Some(0.0), true), found(Some(4.9), true), found(Some(6.0), false), found(None, false)];
    let range = |level, ends_mm| RangeError { level, ends_mm };
    one.ranges = vec![
        range(CervicalLevel::C2, Some([1.0, -5.0])),
        range(CervicalLevel::C2, Some([-7.0, 0.0])),
        range(CervicalLevel::C3, None),
    ];
    let measures = measured(&[one]);
    let counts = |share: Proportion| (share.count, share.of);
    assert_eq!(counts(measures.localisation.hot_spot_in_box), (1, 4));
    assert_eq!(counts(measures.localisation.in_box_5mm), (2, 4));
    assert_eq!(counts(measures.localisation.key_slice), (2, 4));
    assert_eq!(counts(measures.level_ranges.within_5mm), (1, 3));
    assert_eq!(counts(measures.level_ranges.within_5mm_by_level["C2"]), (1, 2));
    assert_eq!(measures.level_ranges.not_found, 1);
    let upper = measures.level_ranges.upper_mm.expect("two ends");
    assert_eq!((upper.mean, upper.median_amount), (-3.0, 4.0));
    // A package without maps is not wrong about places.
    let mut mapless = case(true, 0.9, 0.8);
    mapless.found = vec![found(None, true)];
    assert_eq!(measured(&[mapless]).localisation.hot_spot_in_box.of, 0);
}

#[test]
fn fractures_and_studies_are_told_by_class() {
    let mut one = case(true, 0.9, 0.8);
    let fracture = |level, width_mm| MadeFracture { level, kind: "hangman".into(), width_mm, displacement_mm: 5.0 };
    one.fractures = vec![fracture(CervicalLevel::C2, 0.5), fracture(CervicalLevel::C3, 0.3)];
    let mut other = case(false, 0.7, 0.1);
    (other.kernel, other.spacing_mm) = ("SOFT".into(), Some(3.0));
    one.healed = vec![CervicalLevel::C2];
    other.healed = vec![CervicalLevel::C4, CervicalLevel::C5];
    other.alert[4] = true;
    let measures = measured(&[one, other]);
    let counts = |share: Proportion| (share.count, share.of);
    assert_eq!(counts(measures.by_kind["hangman"]), (1, 2));
    assert_eq!(counts(measures.by_width_mm["0.5-1"]), (1, 1));
    assert_eq!(counts(measures.by_width_mm["0-0.5"]), (0, 1));
    assert_eq!(counts(measures.by_displacement_mm["4+"]), (1, 2));
    // By the widest gap of the study, beside all that are sound.
    let widest: Vec<_> = measures.by_widest_gap_mm.iter().map(|(name, group)| (name.as_str(), group)).collect();
    let [("0.5-1", group)] = widest[..] else { panic!("{widest:?}") };
    assert_eq!((group.studies, group.fractured, counts(group.false_alarms)), (2, 1, (1, 1)));
    assert_eq!(group.auc_overall.map(|area| area.value), Some(1.0));
    assert_eq!(counts(measures.by_kernel["SOFT"].false_alarms), (1, 1));
    assert_eq!(counts(measures.healed_alarms), (1, 2), "C2 is broken afresh");
    assert_eq!(measures.by_kernel["BONE"].levels_found.of, 1);
    assert!(measures.by_spacing_mm.contains_key("0.9-1.4") && measures.by_spacing_mm.contains_key("2.2+"));
}

#[test]
fn visibility_needs_slices_with_labels() {
    let mut one = case(false, 0.1, 0.1);
    assert_eq!(measured(std::slice::from_ref(&one)).visibility_ap.mean, None);
    let slice = |score: f32, shows: bool| {
        PerLevel::from_fn(|level| if level == CervicalLevel::C4 { (score, shows) } else { (0.0, false) })
    };
    one.visibility = vec![slice(0.9, true), slice(0.8, false), slice(0.7, true)];
    let measures = measured(&[one]);
    // Precision 1 at the first hit, 2/3 at the second.
    assert!((measures.visibility_ap.levels["C4"].expect("shown") - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
    assert_eq!((measures.visibility_ap.levels["C1"], measures.visibility_slices), (None, 3));
}

#[test]
fn nothing_gives_nothing() {
    let measures = measured(&[]);
    assert_eq!(measures.studies, 0);
    assert!(measures.auc.overall.is_none() && measures.rsna_log_loss.value.is_none());
}

/// Three studies reach the threshold of 0.5; one of them is unlike the training data and raises no alert. Of four the distance is known.
#[test]
fn unlike_studies_and_withheld_alerts_are_counted() {
    let with = |unlike: Option<bool>, case: Case| Case { unlike, ..case };
    let mut withheld = with(Some(true), case(true, 0.9, 0.8));
    withheld.alert[0] = false;
    let alert = || with(Some(false), case(true, 0.9, 0.8));
    let quiet = with(Some(true), case(false, 0.1, 0.1));
    let found = measured(&[withheld, alert(), alert(), quiet, declined(false)]);
    assert_eq!((found.unlike.count, found.unlike.of), (2, 4));
    assert_eq!((found.alerts_withheld.count, found.alerts_withheld.of), (1, 3));
    let without = measured(&[case(true, 0.9, 0.8)]);
    assert_eq!((without.unlike.of, without.unlike.value), (0, None), "a package that does not measure it");
}
