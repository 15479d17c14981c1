//! Measures by anatomy: from which sources a study's vertebrae come, and whether these trained the model. Pure.

use super::bootstrap::Interval;
use super::case::{Case, UNSTATED};
use super::measures::{Measures, measure};
use super::metrics::Proportion;
use crate::domain::Thresholds;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the model knows of a study's anatomy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Training {
    /// None of its sources trained the model.
    HeldOut,
    /// At least one of its sources trained the model.
    Known,
    /// The package or the data set does not name the sources.
    Unstated,
}

impl Training {
    /// Compares a study's sources with those that trained the model.
    #[must_use]
    pub fn new(sources: &[String], trained: Option<&[String]>) -> Self {
        match trained {
            Some(trained) if !sources.is_empty() => {
                if sources.iter().any(|source| trained.contains(source)) {
                    Self::Known
                } else {
                    Self::HeldOut
                }
            }
            _ => Self::Unstated,
        }
    }

    /// The term in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HeldOut => "held-out",
            Self::Known => "known",
            Self::Unstated => "unstated",
        }
    }
}

/// Measures by anatomy, over all data sets together.
#[derive(Debug, Clone, Serialize)]
pub struct Anatomies {
    /// Sources that trained the model; `None` if the package does not name them.
    pub training: Option<Vec<String>>,
    /// Studies none of whose sources trained the model; `None` if there are none.
    pub held_out: Option<Measures>,
    /// Studies with at least one source that trained the model; `None` if there are none.
    pub known: Option<Measures>,
    /// Studies in neither group.
    pub unstated: usize,
    /// Every combination of sources: held-out ones first, then by name.
    pub combinations: Vec<Combination>,
}

/// The studies whose vertebrae come from the same sources.
#[derive(Debug, Clone, Serialize)]
pub struct Combination {
    /// The sources, sorted; empty if unknown.
    pub sources: Vec<String>,
    /// Whether they trained the model.
    pub training: Training,
    /// Studies.
    pub studies: usize,
    /// Fractured ones.
    pub fractured: usize,
    /// AUC of the studies.
    pub auc_overall: Option<Interval>,
    /// Mean AUC of the levels.
    pub auc_mean_level: Option<Interval>,
    /// Fractured levels at or above the package's threshold.
    pub level_sensitivity: Proportion,
    /// Levels without a fracture below it.
    pub level_specificity: Proportion,
    /// Studies unlike the model's training data, of those whose distance is known.
    pub unlike: Proportion,
    /// Levels whose ends both lie within 5 mm of the segmentation's.
    pub level_ranges_within_5mm: Proportion,
}

impl Anatomies {
    /// Measures the groups and every combination of sources.
    #[must_use]
    pub fn new(cases: &[Case], trained: Option<&[String]>, thresholds: Thresholds) -> Self {
        let training = |case: &Case| Training::new(&case.anatomy, trained);
        let of = |group: Training| -> Vec<&Case> { cases.iter().filter(|case| training(case) == group).collect() };
        let measured = |group: Training| {
            let cases = of(group);
            (!cases.is_empty()).then(|| measure(&cases, thresholds))
        };
        let mut combinations: BTreeMap<(Training, &[String]), Vec<&Case>> = BTreeMap::new();
        for case in cases {
            combinations.entry((training(case), &case.anatomy)).or_default().push(case);
        }
        let combination = |((training, sources), cases): ((Training, &[String]), Vec<&Case>)| {
            let found = measure(&cases, thresholds);
            Combination {
                sources: sources.to_vec(),
                training,
                studies: found.studies,
                fractured: found.fractured,
                auc_overall: found.auc.overall,
                auc_mean_level: found.auc.mean_level,
                level_sensitivity: found.thresholds.level.sensitivity,
                level_specificity: found.thresholds.level.specificity,
                unlike: found.unlike,
                level_ranges_within_5mm: found.level_ranges.within_5mm,
            }
        };
        Self {
            training: trained.map(<[String]>::to_vec),
            held_out: measured(Training::HeldOut),
            known: measured(Training::Known),
            unstated: of(Training::Unstated).len(),
            combinations: combinations.into_iter().map(combination).collect(),
        }
    }
}

/// Names of sources as one text.
#[must_use]
pub(super) fn joined(sources: &[String]) -> String {
    if sources.is_empty() { UNSTATED.into() } else { sources.join(" + ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn one_known_source_makes_a_study_known() {
        let trained = names(&["VHF", "parametric"]);
        let status = |sources: &[&str]| Training::new(&names(sources), Some(&trained));
        assert_eq!(status(&["gl003", "gl017"]), Training::HeldOut);
        assert_eq!(status(&["gl003", "parametric"]), Training::Known);
        assert_eq!(status(&[]), Training::Unstated);
        assert_eq!(Training::new(&names(&["gl003"]), None), Training::Unstated);
    }
}
