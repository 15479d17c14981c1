//! How readers and the network agree, told from the log of decisions. Pure.
//!
//! The reader's last word on a study is taken as the truth, which it need not be: a reader who saw the network's report may have
//! followed it. Verdicts that were given blind are therefore counted apart.
//!
//! - `table`: two verdicts on the same things, in a table of four fields;
//! - `page`: the statistics for people.

mod page;
mod table;

pub use page::page;
pub use table::FourFold;

use crate::domain::{
    Act, Agreement, CervicalLevel, CleanText, Decision, LevelVerdict, LogEntry, OnReport, Probability, RejectionReason,
    Stamp, StudyState, StudyVerdict, Uid,
};
use crate::evaluation::quantile;
use serde::Serialize;
use std::collections::BTreeMap;

/// The log of one study.
#[derive(Debug, Clone)]
pub struct StudyLog {
    /// StudyInstanceUID.
    pub study: Uid,
    /// What the study is called: the patient's name, or a pseudonym.
    pub label: CleanText,
    /// When the program first saw it.
    pub arrived: Option<Stamp>,
    /// The entries, oldest first.
    pub entries: Vec<LogEntry>,
}

/// Statistics of a log. `format` changes whenever a key changes its meaning or goes; new keys may come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// 1.
    pub format: u32,
    /// Studies in the log.
    pub studies: usize,
    /// How many of them are in which state.
    pub states: BTreeMap<&'static str, usize>,
    /// Readers with a verdict that holds.
    pub readers: usize,
    /// Verdicts that cannot be compared: without a finished report when they were given.
    pub without_report: usize,
    /// Reader and network, by the model that spoke.
    pub models: Vec<ModelStatistics>,
    /// Alarms by day.
    pub days: Vec<Alarms>,
    /// Alarms by shift.
    pub shifts: Vec<ShiftAlarms>,
    /// From arrival to verdict.
    pub turnaround: Turnaround,
    /// Studies on which reader and network differ: to be read again.
    pub discordant: Vec<Discordant>,
    /// Studies on which readers contradict each other; none of them counts as read.
    pub conflicts: Vec<Disputed>,
}

/// A study on which readers contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disputed {
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// What it is called.
    pub label: String,
    /// Who said what: "conflict: alice positive, bob negative".
    pub text: String,
}

/// Reader and one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelStatistics {
    /// Name.
    pub model: String,
    /// Version.
    pub version: String,
    /// SHA-256 of its ONNX file.
    pub sha256: String,
    /// Overall probability from which a study is an alert.
    pub overall_threshold: Probability,
    /// Probability from which a level is marked.
    pub level_threshold: Probability,
    /// Studies by the reader's last word.
    pub studies: FourFold,
    /// Studies by the reader's first word, where the report was hidden.
    pub blinded: FourFold,
    /// Levels by the reader's last word. A study that is negative has no broken level; levels of a positive study count where the reader spoke
    /// of them; "uncertain" and "not assessable" count nowhere.
    pub levels: FourFold,
    /// Rejected alarms of levels by their reasons.
    pub rejected: BTreeMap<&'static str, usize>,
}

/// Alarms of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alarms {
    /// The day by the reader's clock, `YYYY-MM-DD`.
    pub day: String,
    /// Studies with a verdict on that day.
    pub studies: usize,
    /// Those among them that were alerts.
    pub alarms: usize,
}

/// Alarms of a shift over all its days.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShiftAlarms {
    /// Hours by the reader's clock, `06–14`.
    pub shift: String,
    /// Shifts in which a verdict was given.
    pub shifts: usize,
    /// Studies.
    pub studies: usize,
    /// Alerts among them.
    pub alarms: usize,
    /// Alerts a shift.
    pub alarms_per_shift: f64,
}

/// How long studies waited for their verdict, minutes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Turnaround {
    /// Studies whose arrival is known.
    pub studies: usize,
    /// Half of them were read within.
    pub median_min: Option<f64>,
    /// Nine of ten were read within.
    pub ninetieth_percentile_min: Option<f64>,
    /// The longest.
    pub longest_min: Option<f64>,
}

/// A study on which reader and network differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Discordant {
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// What it is called.
    pub label: String,
    /// The reader's verdict.
    pub reader: &'static str,
    /// Who.
    pub who: String,
    /// When, RFC 3339.
    pub at: String,
    /// What the network said overall.
    pub network: Probability,
    /// Whether that was an alert.
    pub alert: bool,
    /// Levels that the network marked and why the reader rejected them, as far as was said; levels that it missed.
    pub levels: Vec<String>,
}

/// Hours at which shifts begin, by the local clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shifts(Vec<i8>);

impl Default for Shifts {
    fn default() -> Self {
        Self(vec![6, 14, 22])
    }
}

impl Shifts {
    /// Shifts that begin at these hours, 0 to 23; `None` where there is none, or one that is no hour.
    #[must_use]
    pub fn new(hours: &[u8]) -> Option<Self> {
        let mut starts: Vec<i8> =
            hours.iter().map(|hour| i8::try_from(*hour).ok().filter(|h| *h < 24)).collect::<Option<_>>()?;
        starts.sort_unstable();
        starts.dedup();
        (!starts.is_empty()).then_some(Self(starts))
    }

    /// The shift of a moment: which, and the day on which it began.
    fn of(&self, at: Stamp) -> (usize, String) {
        let civil = at.civil();
        match self.0.iter().rposition(|start| *start <= civil.hour()) {
            Some(index) => (index, civil.date().to_string()),
            // Before the first start of a day the last one's shift goes on that began on the day before.
            None => (self.0.len() - 1, civil.date().yesterday().map_or_else(|_| String::new(), |day| day.to_string())),
        }
    }

    fn name(&self, index: usize) -> String {
        let (start, end) = (self.0[index], self.0[(index + 1) % self.0.len()]);
        format!("{start:02}–{end:02}")
    }
}

/// A final verdict with the network's word at that time.
struct Read<'l> {
    log: &'l StudyLog,
    decision: Decision,
    positive: bool,
    entry: &'l LogEntry,
    /// A finished report.
    report: Option<&'l OnReport>,
}

/// The statistics of a log.
#[must_use]
pub fn statistics(logs: &[StudyLog], shifts: &Shifts) -> Statistics {
    let mut states: BTreeMap<&'static str, usize> = StudyState::ALL.map(|state| (state.name(), 0)).into();
    let mut reads = Vec::new();
    let mut conflicts = Vec::new();
    for log in logs {
        let decision = Decision::of(&log.entries);
        conflicts.extend(decision.conflict_words().map(|text| Disputed {
            study_instance_uid: log.study.to_string(),
            label: log.label.to_string(),
            text,
        }));
        *states.entry(decision.state().name()).or_default() += 1;
        reads.extend(read(log, decision));
    }
    let mut readers: Vec<&CleanText> = reads.iter().map(|read| &read.entry.who).collect();
    readers.sort();
    readers.dedup();
    Statistics {
        format: 1,
        studies: logs.len(),
        states,
        readers: readers.len(),
        without_report: reads.iter().filter(|read| read.report.is_none()).count(),
        models: models(logs, &reads),
        days: days(&reads),
        shifts: by_shift(&reads, shifts),
        turnaround: turnaround(&reads),
        discordant: reads.iter().filter_map(discordant).collect(),
        conflicts,
    }
}

/// `None` without a verdict, and while readers contradict each other.
fn read(log: &StudyLog, decision: Decision) -> Option<Read<'_>> {
    if decision.state() == StudyState::Conflict {
        return None;
    }
    let decided = decision.study.as_ref()?;
    let positive = called(&decided.what)?;
    let entry = log.entries.iter().find(|entry| entry.id == decided.entry)?;
    Some(Read { log, decision, positive, entry, report: finished(entry) })
}

/// Whether a verdict says broken; `None` for one that says neither.
fn called(verdict: &StudyVerdict) -> Option<bool> {
    match verdict {
        StudyVerdict::Positive => Some(true),
        StudyVerdict::Negative => Some(false),
        StudyVerdict::Deferred { .. } | StudyVerdict::Unreadable => None,
    }
}

/// The report at an entry, if all slices were analysed then.
fn finished(entry: &LogEntry) -> Option<&OnReport> {
    entry.draft.report.as_ref().filter(|report| !report.preliminary)
}

/// A model with the thresholds that it had.
type Key<'l> = (&'l str, &'l str, &'l str);

fn key(report: &OnReport) -> Key<'_> {
    (&report.model, &report.version, &report.sha256)
}

fn models(logs: &[StudyLog], reads: &[Read<'_>]) -> Vec<ModelStatistics> {
    let mut known: BTreeMap<Key<'_>, &OnReport> = BTreeMap::new();
    for report in reads.iter().filter_map(|read| read.report) {
        known.insert(key(report), report);
    }
    known
        .into_iter()
        .map(|(model, last)| {
            let of_model: Vec<(&Read<'_>, &OnReport)> = reads
                .iter()
                .filter_map(|read| Some((read, read.report.filter(|report| key(report) == model)?)))
                .collect();
            let blinded = logs.iter().filter_map(|log| first_blind(log, model));
            ModelStatistics {
                model: last.model.clone(),
                version: last.version.clone(),
                sha256: last.sha256.clone(),
                overall_threshold: last.overall_threshold,
                level_threshold: last.level_threshold,
                studies: FourFold::of(of_model.iter().map(|(read, report)| (read.positive, report.is_alert()))),
                blinded: FourFold::of(blinded),
                levels: FourFold::of(of_model.iter().flat_map(|(read, report)| levels(read, report))),
                rejected: rejected(&of_model),
            }
        })
        .collect()
}

/// The first verdict on a study that was given without seeing the report, and whether that was an alert.
fn first_blind(log: &StudyLog, model: Key<'_>) -> Option<(bool, bool)> {
    let verdict = |entry: &LogEntry| match &entry.draft.act {
        Act::Study(verdict) | Act::ResolveStudy { verdict } => called(verdict),
        _ => None,
    };
    let (positive, entry) = log.entries.iter().find_map(|entry| Some((verdict(entry)?, entry)))?;
    let report = finished(entry).filter(|report| entry.draft.blinded && key(report) == model)?;
    Some((positive, report.is_alert()))
}

/// Reader and network on the levels of a study that both spoke of.
fn levels(read: &Read<'_>, report: &OnReport) -> Vec<(bool, bool)> {
    let both = |level: CervicalLevel| {
        let probability = report.levels[level]?;
        let broken = match read.decision.levels[level].as_ref().map(|decided| decided.what.0) {
            Some(LevelVerdict::Fractured) => true,
            Some(LevelVerdict::NotFractured) => false,
            Some(LevelVerdict::Uncertain | LevelVerdict::NotAssessable) => return None,
            None if read.positive => return None,
            None => false,
        };
        Some((broken, probability >= report.level_threshold))
    };
    CervicalLevel::ALL.into_iter().filter_map(both).collect()
}

fn rejected(reads: &[(&Read<'_>, &OnReport)]) -> BTreeMap<&'static str, usize> {
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    let decided = reads.iter().flat_map(|(read, _)| read.decision.levels.0.iter().flatten());
    for reason in decided.filter_map(|decided| reason(decided.what.1)) {
        *reasons.entry(reason.name()).or_default() += 1;
    }
    reasons
}

fn reason(agreement: Option<Agreement>) -> Option<RejectionReason> {
    match agreement {
        Some(Agreement::Rejects { reason }) => Some(reason),
        _ => None,
    }
}

fn days(reads: &[Read<'_>]) -> Vec<Alarms> {
    let mut days: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for read in reads {
        let day = days.entry(read.entry.at.day()).or_default();
        day.0 += 1;
        day.1 += usize::from(read.report.is_some_and(OnReport::is_alert));
    }
    days.into_iter().map(|(day, (studies, alarms))| Alarms { day, studies, alarms }).collect()
}

fn by_shift(reads: &[Read<'_>], shifts: &Shifts) -> Vec<ShiftAlarms> {
    let mut seen: BTreeMap<usize, (std::collections::BTreeSet<String>, usize, usize)> = BTreeMap::new();
    for read in reads {
        let (index, day) = shifts.of(read.entry.at);
        let shift = seen.entry(index).or_default();
        shift.0.insert(day);
        shift.1 += 1;
        shift.2 += usize::from(read.report.is_some_and(OnReport::is_alert));
    }
    seen.into_iter()
        .map(|(index, (days, studies, alarms))| ShiftAlarms {
            shift: shifts.name(index),
            shifts: days.len(),
            studies,
            alarms,
            alarms_per_shift: alarms as f64 / days.len() as f64,
        })
        .collect()
}

fn turnaround(reads: &[Read<'_>]) -> Turnaround {
    let minutes = |read: &Read<'_>| {
        let arrived = read.log.arrived?;
        (arrived.utc_ms <= read.entry.at.utc_ms).then(|| (read.entry.at.utc_ms - arrived.utc_ms) as f64 / 60_000.0)
    };
    let mut waits: Vec<f64> = reads.iter().filter_map(minutes).collect();
    waits.sort_by(f64::total_cmp);
    Turnaround {
        studies: waits.len(),
        median_min: quantile(&waits, 0.5),
        ninetieth_percentile_min: quantile(&waits, 0.9),
        longest_min: waits.last().copied(),
    }
}

fn discordant(read: &Read<'_>) -> Option<Discordant> {
    let report = read.report.filter(|report| report.is_alert() != read.positive)?;
    let level = |level: CervicalLevel| {
        let decided = read.decision.levels[level].as_ref();
        let marked = report.levels[level].is_some_and(|p| p >= report.level_threshold);
        let verdict = decided.map(|decided| decided.what.0);
        match (marked, verdict) {
            (true, Some(LevelVerdict::Fractured)) | (false, Some(LevelVerdict::NotFractured) | None) => None,
            (true, _) => {
                let why = decided.and_then(|decided| reason(decided.what.1)).map(RejectionReason::name);
                Some(why.map_or(format!("{level} flagged"), |why| format!("{level} flagged, rejected: {why}")))
            }
            (false, Some(LevelVerdict::Fractured)) => Some(format!("{level} missed")),
            (false, Some(verdict)) => Some(format!("{level} {}", verdict.name())),
        }
    };
    Some(Discordant {
        study_instance_uid: read.log.study.to_string(),
        label: read.log.label.to_string(),
        reader: if read.positive { "positive" } else { "negative" },
        who: read.entry.who.to_string(),
        at: read.entry.at.rfc3339(),
        network: report.overall,
        alert: report.is_alert(),
        levels: CervicalLevel::ALL.into_iter().filter_map(level).collect(),
    })
}
