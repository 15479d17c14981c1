//! One study of the list.

use super::Ageing;
use crate::domain::{
    Analysis, Candidate, CervicalLevel, Decision, FractureReport, LevelVerdict, NotAnalysed, Precedence, Probability,
    Stamp, Study, StudyState, choose_series,
};
use std::sync::Arc;

/// How far a study's analysis is.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// In the queue.
    Waiting,
    /// Being analysed, or stopped half-way for a more urgent one.
    Running {
        /// Slices done.
        done: usize,
        /// Slices in all; 0 while the series is being read.
        total: usize,
        /// The report so far.
        partial: Option<Arc<FractureReport>>,
        /// Whether another study has overtaken it.
        paused: bool,
    },
    /// Over.
    Done(Analysis),
}

/// Whether a reader may see what the network says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sight {
    /// Yes.
    #[default]
    Open,
    /// Not before a first verdict: blinded reading.
    Blinded,
}

/// A study in the list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The study.
    pub study: Arc<Study>,
    /// The series that is analysed, with the words that explain it, or why none is.
    pub choice: Result<Candidate, NotAnalysed>,
    /// Whether the reader chose the series.
    pub chosen_by_reader: bool,
    /// How often the analysis was asked for.
    pub attempt: u32,
    /// How far it is.
    pub progress: Progress,
    /// Whether it was opened.
    pub opened: bool,
    /// Whether it rose in the list when its last result arrived.
    pub risen: bool,
    /// When it was first seen; `None` before the clock has spoken.
    pub arrived: Option<Stamp>,
    /// How far it is read.
    pub state: StudyState,
    /// Whether it goes before others.
    pub precedence: Precedence,
    /// Levels that a reader calls fractured, C1 first.
    pub fractured: Vec<CervicalLevel>,
    /// Whether the network's word is hidden.
    pub sight: Sight,
    /// Texts that a filter looks in, in lower case.
    haystack: Box<str>,
}

impl Entry {
    pub(super) fn new(study: Arc<Study>, arrived: Option<Stamp>) -> Self {
        let choice = choose_series(&study);
        let progress = Self::first_progress(&choice);
        let haystack = haystack(&study);
        Self {
            study,
            choice,
            chosen_by_reader: false,
            attempt: 0,
            progress,
            opened: false,
            risen: false,
            arrived,
            state: StudyState::Unread,
            precedence: Precedence::Ordinary,
            fractured: Vec::new(),
            sight: Sight::Open,
            haystack,
        }
    }

    pub(super) fn first_progress(choice: &Result<Candidate, NotAnalysed>) -> Progress {
        match choice {
            Ok(_) => Progress::Waiting,
            Err(reason) => Progress::Done(Analysis::NotAnalysed(reason.clone())),
        }
    }

    /// Takes another state of the same study.
    pub(super) fn replace_study(&mut self, study: Arc<Study>) {
        self.haystack = haystack(&study);
        self.study = study;
    }

    /// Takes over what is decided.
    pub(super) fn decided(&mut self, decision: Option<&Decision>, sight: Sight) {
        self.state = decision.map_or(StudyState::Unread, Decision::state);
        self.precedence = decision.map_or(Precedence::Ordinary, |decision| decision.precedence);
        self.fractured = decision.map(|decision| decision.levels_with(LevelVerdict::Fractured)).unwrap_or_default();
        self.sight = sight;
    }

    /// The report that may be shown, finished or preliminary; none while the reader is blinded.
    #[must_use]
    pub fn report(&self) -> Option<&Arc<FractureReport>> {
        self.hidden_report().filter(|_| self.sight == Sight::Open)
    }

    /// The report, shown or not: for the log only.
    #[must_use]
    pub fn hidden_report(&self) -> Option<&Arc<FractureReport>> {
        match &self.progress {
            Progress::Done(Analysis::Analysed(report)) => Some(report),
            Progress::Running { partial, .. } => partial.as_ref(),
            _ => None,
        }
    }

    /// The study's overall probability, finished or preliminary.
    #[must_use]
    pub fn overall(&self) -> Option<Probability> {
        self.report().map(|report| report.overall)
    }

    /// Whether a finished report that may be shown passes its threshold.
    #[must_use]
    pub fn is_alert(&self) -> bool {
        matches!(self.progress, Progress::Done(_)) && self.report().is_some_and(|report| report.is_alert())
    }

    /// What the study's place in the list comes from: the overall probability, and what waiting adds to it.
    #[must_use]
    pub fn urgency(&self, ageing: Ageing, now: Option<Stamp>) -> Option<f32> {
        Some(self.overall()?.value() + self.aged(ageing, now))
    }

    /// What waiting has added.
    #[must_use]
    pub fn aged(&self, ageing: Ageing, now: Option<Stamp>) -> f32 {
        match (now, self.arrived) {
            (Some(now), Some(arrived)) if !self.state.is_finished() => ageing.after_minutes(now.minutes_since(arrived)),
            _ => 0.0,
        }
    }

    /// Patient's name, or what stands for it.
    #[must_use]
    pub fn name(&self) -> &str {
        let patient = &self.study.patient;
        if !patient.name.is_empty() {
            patient.name.as_str()
        } else if !patient.id.is_empty() {
            patient.id.as_str()
        } else {
            "(no name)"
        }
    }

    /// Slices of the series that is analysed, or of the longest one.
    #[must_use]
    pub fn slices(&self) -> usize {
        match &self.choice {
            Ok(candidate) => self.study.series.get(candidate.series).map_or(0, |series| series.instances.len()),
            Err(_) => self.study.series.iter().map(|series| series.instances.len()).max().unwrap_or(0),
        }
    }

    /// Whether a text in lower case is in the names, numbers and descriptions of the study.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.haystack.contains(text)
    }
}

fn haystack(study: &Study) -> Box<str> {
    let patient = &study.patient;
    let texts = [
        patient.name.as_str(),
        patient.id.as_str(),
        study.description.as_str(),
        study.accession.as_str(),
        study.uid.as_str(),
    ];
    texts.join("\n").to_lowercase().into_boxed_str()
}
