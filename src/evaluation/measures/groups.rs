//! Parts of the studies, each measured as a whole.

use super::{Draws, Interval, Proportion, WIDTHS_MM, class, mean_level_area, overall_area};
use crate::evaluation::case::Case;
use serde::Serialize;
use std::collections::BTreeMap;

/// A part of the studies.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// Studies.
    pub studies: usize,
    /// Broken ones.
    pub fractured: usize,
    /// Broken studies that pass the overall threshold.
    pub sensitivity: Proportion,
    /// Sound studies with a number that pass it.
    pub false_alarms: Proportion,
    /// Broken levels that pass the level threshold.
    pub levels_found: Proportion,
    /// AUC of the studies.
    pub auc_overall: Option<Interval>,
    /// Mean AUC of the levels.
    pub auc_mean_level: Option<Interval>,
}

/// Studies by a word of theirs.
pub(super) fn by(cases: &[&Case], key: &dyn Fn(&Case) -> String) -> BTreeMap<String, Group> {
    let groups = sorted(cases, |case| Some(key(case)));
    groups.into_iter().map(|(name, cases)| (name, group(&cases))).collect()
}

/// The studies that have a class, by it.
fn sorted<'c>(cases: &[&'c Case], class: impl Fn(&Case) -> Option<String>) -> BTreeMap<String, Vec<&'c Case>> {
    let mut groups: BTreeMap<String, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        if let Some(name) = class(case) {
            groups.entry(name).or_default().push(case);
        }
    }
    groups
}

fn group(cases: &[&Case]) -> Group {
    let draws = Draws::new(cases.len());
    let told = |case: &&&Case| !case.truth[0] && case.probability[0].is_some();
    let levels = cases.iter().flat_map(|case| (1..8).map(move |label| (case, label)));
    Group {
        studies: cases.len(),
        fractured: cases.iter().filter(|case| case.truth[0]).count(),
        sensitivity: Proportion::of(cases.iter().filter(|case| case.truth[0]).map(|case| case.alert[0])),
        false_alarms: Proportion::of(cases.iter().filter(told).map(|case| case.alert[0])),
        levels_found: Proportion::of(
            levels.filter(|(case, label)| case.truth[*label]).map(|(case, label)| case.alert[label]),
        ),
        auc_overall: overall_area(cases, &draws),
        auc_mean_level: mean_level_area(cases, &draws),
    }
}

/// Broken phantoms by their widest gap, each class beside all sound studies.
pub(super) fn by_widest_gap(cases: &[&Case]) -> BTreeMap<String, Group> {
    let widest = |case: &Case| case.fractures.iter().map(|fracture| fracture.width_mm).max_by(f64::total_cmp);
    let groups = sorted(cases, |case| widest(case).filter(|_| case.truth[0]).map(|mm| class(mm, &WIDTHS_MM)));
    let sound = || cases.iter().copied().filter(|case| !case.truth[0]);
    groups
        .into_iter()
        .map(|(name, broken)| (name, group(&broken.into_iter().chain(sound()).collect::<Vec<_>>())))
        .collect()
}
