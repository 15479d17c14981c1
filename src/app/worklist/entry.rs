//! One study of the list.

use super::Aging;
use crate::domain::{
    Analysis, Candidate, CervicalLevel, Decision, Fingerprint, FractureReport, KeptAnalysis, Listed, ListedSeries,
    NotAnalysed, Precedence, Probability, Stamp, Study, StudyState, ThumbnailKey, Uid, choose_series,
    study_fingerprint, study_slices,
};
use crate::inference::PREPROCESSING_VERSION;
use std::path::{Path, PathBuf};
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

/// Whether the files of a study were looked at in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// They were.
    Found,
    /// It is known from an earlier run only.
    Listed {
        /// Slices of the series that is analysed.
        slices: usize,
        /// That series, and the files of all series that may be analyzed, as they were.
        series: Option<(Uid, u32, Option<Fingerprint>)>,
    },
}

/// The series that is analyzed first, and the files of all series that may be analyzed, as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Analysed {
    pub(super) uid: Uid,
    pub(super) stack: u32,
    files: Option<Fingerprint>,
    /// Only where no fingerprint tells more.
    slices: usize,
}

/// A study in the list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The study.
    pub study: Arc<Study>,
    /// The series that is analyzed first, with the words that explain it, or why none is.
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
    /// Which of all studies it was when it was found.
    pub(super) number: usize,
    /// When it was first seen; `None` before the clock has spoken.
    pub arrived: Option<Stamp>,
    /// Whether it came after the first scan was over.
    pub arrived_later: bool,
    /// Whether its files were looked at.
    pub presence: Presence,
    /// Whether its files have changed since they were analysed.
    pub rewritten: bool,
    /// How far it is read.
    pub state: StudyState,
    /// Whether a reader has pinned it.
    pinned: bool,
    /// Whether a reader has said that it is STAT, or that it is not.
    stat: Option<bool>,
    /// The readers' contradictions in one line; empty if there are none.
    pub conflict: String,
    /// Levels that a reader calls fractured, C1 first.
    pub fractured: Vec<CervicalLevel>,
    /// Whether the network's word is hidden.
    pub sight: Sight,
    /// Texts that a filter looks in, in lower case.
    haystack: Box<str>,
    /// The study's date as a filter compares it; empty where it has none.
    dated: Box<str>,
}

impl Entry {
    pub(super) fn new(study: Arc<Study>, arrived: Option<Stamp>) -> Self {
        let choice = choose_series(&study);
        let progress = Self::first_progress(&choice);
        let haystack = haystack(&study);
        let dated = dated(&study);
        Self {
            study,
            choice,
            chosen_by_reader: false,
            attempt: 0,
            progress,
            opened: false,
            risen: false,
            number: 0,
            arrived,
            arrived_later: false,
            presence: Presence::Found,
            rewritten: false,
            state: StudyState::Unread,
            pinned: false,
            stat: None,
            conflict: String::new(),
            fractured: Vec::new(),
            sight: Sight::Open,
            haystack,
            dated,
        }
    }

    /// A study as an earlier run left it.
    pub(super) fn listed(listed: &Listed) -> Self {
        let mut entry = Self::new(Arc::new(listed.study()), listed.arrived);
        let series = listed.series.as_ref().map(|series| (series.uid.clone(), series.stack, series.fingerprint));
        entry.presence = Presence::Listed { slices: listed.slices as usize, series };
        if let Some(series) = &listed.series {
            entry.choice = Ok(Candidate { series: 0, explanation: series.explanation.clone() });
            let analysis = series.analysis.clone().filter(|_| series.preprocessing == PREPROCESSING_VERSION);
            let analysis = analysis.and_then(|analysis| analysis.of_study(&listed.uid));
            entry.progress = analysis.map_or(Progress::Waiting, Progress::Done);
        }
        entry
    }

    /// How it is to be listed next time, and the folder that holds its files; `None` before they were looked at.
    pub(crate) fn listing(&self) -> Option<(Listed, PathBuf)> {
        if self.presence != Presence::Found {
            return None;
        }
        let series = self.choice.as_ref().ok().and_then(|choice| {
            let series = self.study.series.get(choice.series)?;
            let analysis = match &self.progress {
                Progress::Done(Analysis::Analysed(report)) => Some(KeptAnalysis::Report(Arc::new(report.thinned()))),
                Progress::Done(Analysis::Declined(declined)) => Some(KeptAnalysis::Declined(declined.clone())),
                _ => None,
            };
            Some(ListedSeries {
                uid: series.uid.clone(),
                stack: series.stack_index,
                fingerprint: study_fingerprint(&self.study),
                explanation: choice.explanation.clone(),
                analysis,
                preprocessing: PREPROCESSING_VERSION,
            })
        });
        let study = &self.study;
        let listed = Listed {
            uid: study.uid.clone(),
            patient: study.patient.clone(),
            date: study.date,
            description: study.description.clone(),
            accession: study.accession.clone(),
            precedence: study.precedence,
            arrived: self.arrived,
            slices: u32::try_from(self.slices()).unwrap_or(u32::MAX),
            series,
        };
        let paths = study.series.iter().flat_map(|series| &series.instances).map(|instance| instance.path.as_path());
        let folder = paths.filter_map(Path::parent).fold(None, |common: Option<PathBuf>, folder| {
            Some(match common {
                None => folder.to_owned(),
                Some(common) => {
                    common.ancestors().find(|above| folder.starts_with(above)).unwrap_or(Path::new("/")).into()
                }
            })
        });
        Some((listed, folder?))
    }

    /// The series that is analysed, as it is now.
    pub(super) fn analysed(&self) -> Option<Analysed> {
        if let Presence::Listed { slices, series } = &self.presence {
            let (uid, stack, files) = series.clone()?;
            return Some(Analysed { uid, stack, files, slices: if files.is_some() { 0 } else { *slices } });
        }
        let series = self.study.series.get(self.choice.as_ref().ok()?.series)?;
        let files = study_fingerprint(&self.study);
        Some(Analysed {
            uid: series.uid.clone(),
            stack: series.stack_index,
            files,
            slices: if files.is_some() { 0 } else { study_slices(&self.study) },
        })
    }

    /// Whether the report is known but for its single slices.
    pub(super) fn is_thin(&self) -> bool {
        matches!(&self.progress, Progress::Done(Analysis::Analysed(report)) if report.slices.is_empty())
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
        self.dated = dated(&study);
        self.study = study;
        self.presence = Presence::Found;
    }

    /// Takes over what is decided.
    pub(super) fn decided(&mut self, decision: Option<&Decision>, sight: Sight) {
        self.state = decision.map_or(StudyState::Unread, Decision::state);
        self.pinned = decision.and_then(|decision| decision.pinned).unwrap_or(false);
        self.stat = decision.and_then(|decision| decision.stat);
        self.conflict = decision.and_then(Decision::conflict_words).unwrap_or_default();
        self.fractured = decision.map(Decision::fractured_by_anyone).unwrap_or_default();
        self.sight = sight;
    }

    /// Whether it is STAT: what a reader says, else what the request in its files does.
    #[must_use]
    pub fn is_stat(&self) -> bool {
        self.stat.unwrap_or(self.study.precedence == Precedence::Stat)
    }

    /// Whether a reader has pinned it.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.pinned
    }

    /// "STAT", "pinned", "STAT pinned"; empty for neither.
    #[must_use]
    pub fn precedence_words(&self) -> &'static str {
        match (self.is_stat(), self.is_pinned()) {
            (true, true) => "STAT pinned",
            (true, false) => "STAT",
            (false, true) => "pinned",
            (false, false) => "",
        }
    }

    /// Whether the request in its files makes it STAT, and no reader has said anything to that.
    #[must_use]
    pub fn is_requested_first(&self) -> bool {
        self.stat.is_none() && self.study.precedence == Precedence::Stat
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

    /// The series that shows the most suspicious level, else the one that is analyzed first.
    #[must_use]
    pub fn opening_series(&self) -> Option<usize> {
        let worst = self.report().and_then(|report| report.worst_index(&self.study));
        worst.or_else(|| self.choice.as_ref().ok().map(|choice| choice.series))
    }

    /// The thumbnail that belongs to the finished report that may be shown.
    #[must_use]
    pub fn thumbnail(&self) -> Option<ThumbnailKey> {
        match &self.progress {
            Progress::Done(_) => self.report().and_then(|report| ThumbnailKey::of(report)),
            Progress::Waiting | Progress::Running { .. } => None,
        }
    }

    /// What keeps the finished result from being that of the whole neck that was scanned, one sentence each.
    #[must_use]
    pub fn incomplete(&self) -> Vec<String> {
        match (&self.progress, self.report()) {
            (Progress::Done(_), Some(report)) => report.incomplete(),
            _ => Vec::new(),
        }
    }

    /// The study's overall probability, finished or preliminary.
    #[must_use]
    pub fn overall(&self) -> Option<Probability> {
        self.report().map(|report| report.overall)
    }

    /// Whether a finished report that may be shown is of a study unlike the model's training data.
    #[must_use]
    pub fn is_out_of_distribution(&self) -> bool {
        matches!(self.progress, Progress::Done(_))
            && self.report().is_some_and(|report| report.is_out_of_distribution())
    }

    /// Whether a finished report that may be shown raises an alert.
    #[must_use]
    pub fn is_alert(&self) -> bool {
        matches!(self.progress, Progress::Done(_)) && self.report().is_some_and(|report| report.is_alert())
    }

    /// What the study's place in the list comes from: the overall probability, and what waiting adds to it.
    #[must_use]
    pub fn urgency(&self, aging: Aging, now: Option<Stamp>) -> Option<f32> {
        Some(self.overall()?.value() + self.aged(aging, now))
    }

    /// What waiting has added.
    #[must_use]
    pub fn aged(&self, aging: Aging, now: Option<Stamp>) -> f32 {
        match (now, self.arrived) {
            (Some(now), Some(arrived)) if !self.state.is_finished() => aging.after_minutes(now.minutes_since(arrived)),
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

    /// Whether there is something to look at, as far as is known.
    pub(super) fn may_have_pictures(&self) -> bool {
        self.presence != Presence::Found || self.study.series.iter().any(|series| !series.instances.is_empty())
    }

    /// Whether a reader may still have to read it.
    #[must_use]
    pub fn waits(&self) -> bool {
        !self.state.is_finished() && self.may_have_pictures()
    }

    /// Slices of the series that is analysed, or of the longest one.
    #[must_use]
    pub fn slices(&self) -> usize {
        if let Presence::Listed { slices, .. } = self.presence {
            return slices;
        }
        match &self.choice {
            Ok(candidate) => self.study.series.get(candidate.series).map_or(0, |series| series.instances.len()),
            Err(_) => self.study.series.iter().map(|series| series.instances.len()).max().unwrap_or(0),
        }
    }

    pub(super) fn dated(&self) -> &str {
        &self.dated
    }

    /// Whether a text in lower case is in the names, numbers and descriptions of the study.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.haystack.contains(text)
    }
}

fn dated(study: &Study) -> Box<str> {
    study.date.map(|date| date.to_string()).unwrap_or_default().into_boxed_str()
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
