//! A study as the list needs it before its files are looked at again.

use super::{CleanText, Fingerprint, KeptAnalysis, Patient, Precedence, Stamp, Study, StudyDateTime, Uid};
use serde::{Deserialize, Serialize};

/// A line of the list, as an earlier run left it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// StudyInstanceUID.
    pub uid: Uid,
    /// Who.
    pub patient: Patient,
    /// Date and time of the study.
    pub date: Option<StudyDateTime>,
    /// StudyDescription.
    pub description: CleanText,
    /// AccessionNumber.
    pub accession: CleanText,
    /// What the files ask for, as in [`Study`].
    pub precedence: Precedence,
    /// When it was first seen.
    pub arrived: Option<Stamp>,
    /// Slices of the series that is analysed, or of the longest one.
    pub slices: u32,
    /// What was known of the series that is analysed; `None` where none is.
    pub series: Option<ListedSeries>,
}

/// The series that is analyzed first, and what became of the study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedSeries {
    /// SeriesInstanceUID.
    pub uid: Uid,
    /// Which stack of it.
    pub stack: u32,
    /// The files of all series that may be analyzed, as they were.
    pub fingerprint: Option<Fingerprint>,
    /// The words that explain the choice.
    pub explanation: String,
    /// What a model made of the study, a report without the single slices.
    pub analysis: Option<KeptAnalysis>,
    /// Version of the preprocessing that this was made with.
    pub preprocessing: u32,
}

impl Listed {
    /// The study without its series.
    #[must_use]
    pub fn study(&self) -> Study {
        Study {
            uid: self.uid.clone(),
            patient: self.patient.clone(),
            date: self.date,
            description: self.description.clone(),
            accession: self.accession.clone(),
            precedence: self.precedence,
            series: Vec::new(),
            oddities: Vec::new(),
        }
    }

    /// The overall probability, for the order in which the list is told.
    #[must_use]
    pub fn overall(&self) -> Option<f32> {
        match self.series.as_ref()?.analysis.as_ref()? {
            KeptAnalysis::Report(report) => Some(report.overall.value()),
            KeptAnalysis::Declined(_) => None,
        }
    }
}
