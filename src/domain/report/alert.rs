//! Which studies raise an alert: the only place that decides it.

use super::FractureReport;
use super::merge::at_least_one;
use crate::domain::{CervicalLevel, DistributionCheck};

/// Whether a study raises an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alert {
    /// The overall probability does not reach the package's threshold.
    BelowThreshold,
    /// It does.
    Raised,
    /// It does, but only by series that are unlike the model's training data: the number alone raises no alert. The study keeps its
    /// place in the list and is marked, so that a reader looks.
    Withheld,
}

impl FractureReport {
    /// Whether the study raises an alert. A level from a series that is out of distribution cannot raise one; levels from other series
    /// of the study still can. An unknown distance withholds nothing.
    #[must_use]
    pub fn alert(&self) -> Alert {
        let threshold = self.model.thresholds.overall;
        if self.overall < threshold {
            return Alert::BelowThreshold;
        }
        if !self.is_out_of_distribution() {
            return Alert::Raised;
        }
        let within = CervicalLevel::ALL.map(|level| {
            let is_out = self.source(level).distribution.is_some_and(DistributionCheck::is_out);
            self.levels[level].probability().filter(|_| !is_out)
        });
        if within.iter().any(Option::is_some) && at_least_one(&within) >= threshold {
            Alert::Raised
        } else {
            Alert::Withheld
        }
    }

    /// Whether the study raises an alert.
    #[must_use]
    pub fn is_alert(&self) -> bool {
        self.alert() == Alert::Raised
    }

    /// Whether the study, or a series that its levels come from, is unlike the model's training data.
    #[must_use]
    pub fn is_out_of_distribution(&self) -> bool {
        self.distribution.is_some_and(DistributionCheck::is_out)
    }

    /// What a reader must know of the study's distance from the training data, one sentence; `None` if it is like them or the package
    /// does not measure it.
    #[must_use]
    pub fn distribution_notice(&self) -> Option<String> {
        let check = self.distribution?;
        match check {
            DistributionCheck::Measured { .. } if check.is_out() => Some(match self.alert() {
                Alert::Withheld => format!("{check}; alert withheld: read it yourself"),
                Alert::Raised => format!("{check}; the alert comes from other series"),
                Alert::BelowThreshold => format!("{check}; read it yourself"),
            }),
            DistributionCheck::Measured { .. } => None,
            DistributionCheck::Unmeasured(_) => Some(check.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
