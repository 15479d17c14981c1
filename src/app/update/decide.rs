//! Decisions: what the reader says of levels and studies, and what follows once it is on disk.

use super::super::model::Receipt;
use super::super::prompt::{LevelQuestion, Prompt, PromptKind};
use super::super::record::{Record, RecordFailure, Recorded, Remembered, Token};
use super::super::worklist::{Entry, Sight};
use super::super::{Command, Effect, Model, ModelState, ScanState};
use super::{next, open, second_key};
use crate::domain::pseudonym::LEFT_OUT;
use crate::domain::{
    Act, Agreement, CervicalLevel, Completeness, Draft, FractureReport, LevelVerdict, LevelWord, LogEntry, NoteText,
    OnReport, RejectionReason, StudyState, StudyVerdict, Uid,
};
use crate::raster;
use std::collections::BTreeSet;

/// Carries out a command that decides something; `None` for any other.
pub(super) fn run(model: &mut Model, command: Command) -> Option<Vec<Effect>> {
    if let Some(effects) = second_key::pressed(model, command) {
        return Some(effects);
    }
    let effects = match command {
        Command::Fractured => verdict(model, LevelVerdict::Fractured),
        Command::NotFractured => verdict(model, LevelVerdict::NotFractured),
        Command::Uncertain => verdict(model, LevelVerdict::Uncertain),
        Command::NotAssessable => verdict(model, LevelVerdict::NotAssessable),
        Command::Agree => ask_level(model, LevelQuestion::Agree),
        Command::Disagree => ask_level(model, LevelQuestion::Disagree),
        Command::Negative => negative(model),
        Command::Positive => study_verdict(model, command, StudyVerdict::Positive),
        Command::StudyUnreadable => study_verdict(model, command, StudyVerdict::Unreadable),
        Command::Defer => ask(model, PromptKind::Defer),
        Command::Note => ask_note(model),
        Command::Undo => undo(model),
        Command::Pin | Command::Stat => precedence(model, command),
        Command::SaveAgain => {
            let mut again = model.decisions.again();
            again.extend(model.annotations.again());
            if again.is_empty() {
                model.tell("everything is saved");
            }
            again.into_iter().map(Effect::Record).collect()
        }
        Command::Acknowledge => {
            if let Some(lost) = model.decisions.acknowledge() {
                model.tell(format!("not saved, and dropped: {}", lost.draft.act.summary()));
                return Some(Vec::new());
            }
            let Some(lost) = model.annotations.acknowledge() else {
                model.tell("nothing waits for your word");
                return Some(Vec::new());
            };
            model.tell(format!("not saved, and dropped: {}", lost.change));
            // The study's annotations are read again, so that nothing is shown that is not kept.
            let open = model.reading.as_ref().filter(|reading| reading.study.uid == lost.study);
            open.map(|_| Effect::Claim(Some(lost.study))).into_iter().collect()
        }
        _ => return None,
    };
    Some(effects)
}

/// The study that a decision is about: the open one, else the selected one.
fn subject(model: &Model) -> Option<Uid> {
    match &model.reading {
        Some(reading) => Some(reading.study.uid.clone()),
        None => model.worklist.selected().map(|entry| entry.study.uid.clone()),
    }
}

/// Has something recorded.
pub(super) fn keep(model: &mut Model, study: Uid, act: Act) -> Vec<Effect> {
    if model.decisions.is_saving(&study, &act) {
        model.tell(format!("still saving: {}", act.summary()));
        return Vec::new();
    }
    let announced = model.announced.clone().unwrap_or_else(|| next::announce(model));
    let entry = model.worklist.entry(&study);
    let report = entry.and_then(Entry::hidden_report).map(|report| OnReport::from(&**report));
    let blinded = entry.is_some_and(|entry| entry.sight == Sight::Blinded);
    vec![Effect::Record(model.decisions.propose(Draft { study, act, report, blinded }, announced))]
}

fn ask(model: &mut Model, kind: PromptKind) -> Vec<Effect> {
    match subject(model) {
        Some(_) => model.prompt = Some(Prompt::new(kind)),
        None => model.tell("no study to decide on yet"),
    }
    Vec::new()
}

/// Asks for the note, with the text that is there already.
fn ask_note(model: &mut Model) -> Vec<Effect> {
    let decision = subject(model).and_then(|study| model.decisions.of(&study));
    let note = decision.and_then(|decision| decision.note.as_ref()).map(|note| note.what.clone());
    let text = note.filter(|text| text.as_str() != LEFT_OUT).unwrap_or_default();
    let effects = ask(model, PromptKind::Note);
    if let Some(prompt) = &mut model.prompt {
        *prompt = Prompt::with_text(PromptKind::Note, text.as_str());
    }
    effects
}

fn verdict(model: &mut Model, verdict: LevelVerdict) -> Vec<Effect> {
    ask_level(model, LevelQuestion::Verdict(verdict))
}

/// Answers the question for the level at the cursor; asks for the level where it is not known.
fn ask_level(model: &mut Model, question: LevelQuestion) -> Vec<Effect> {
    match level_here(model) {
        Some(level) => answer(model, question, level),
        None => ask(model, PromptKind::Level(question)),
    }
}

/// From this visibility on a slice may show a level: less than it takes to call it visible, so that a doubtful neighbour counts.
const SHOWN: f32 = 0.3;

/// The level that the slice is about, as far as the network's report of this series tells: the one whose key slice it is (the panel
/// points at it), else the only one that it shows. A slice through two vertebrae tells nothing, for a verdict on the wrong level would be
/// worse than a question; nor does one that is hidden from a blinded reader.
fn level_here(model: &Model) -> Option<CervicalLevel> {
    let reading = model.reading.as_ref()?;
    let volume = reading.volume()?;
    let report = model.worklist.entry(&reading.study.uid)?.report()?;
    let own = reading.own_report(Some(report))?;
    let slice = reading.slice_of(raster::native_plane(volume));
    let scored = own.slices.iter().min_by_key(|scored| scored.index.abs_diff(slice))?;
    let near = scored.index.abs_diff(slice) <= 4 && volume.position_mm(scored.index) == scored.position_mm;
    let pointed_at = CervicalLevel::ALL.into_iter().filter(|&level| reading.key_slice(report, level) == Some(slice));
    let suspicion = |level: &CervicalLevel| report.levels[*level].probability().map_or(0.0, |p| p.value());
    if let Some(level) = pointed_at.max_by(|a, b| suspicion(a).total_cmp(&suspicion(b))) {
        return Some(level);
    }
    let mut shown = scored.score.vertebra.iter().filter(|(_, visible)| near && visible.value() >= SHOWN);
    let only = shown.next().map(|(level, _)| level);
    only.filter(|_| shown.next().is_none())
}

/// What is said of a level.
pub(super) fn answer(model: &mut Model, question: LevelQuestion, level: CervicalLevel) -> Vec<Effect> {
    let Some(study) = subject(model) else { return Vec::new() };
    let report = model.worklist.entry(&study).and_then(Entry::report).cloned();
    let alarmed = report.as_ref().map(|report| report.is_level_alert(level));
    let (verdict, agreement) = match (question, alarmed) {
        (LevelQuestion::Verdict(verdict), _) => (verdict, None),
        (_, None) => {
            let hidden = model.worklist.entry(&study).is_some_and(|entry| entry.sight == Sight::Blinded);
            model.tell(if hidden {
                "blinded: give your own assessment first; the network's is shown after it"
            } else {
                "this study has no result to agree or disagree with"
            });
            return Vec::new();
        }
        (LevelQuestion::Agree, Some(true)) => (LevelVerdict::Fractured, Some(Agreement::Agrees)),
        (LevelQuestion::Agree, Some(false)) => (LevelVerdict::NotFractured, Some(Agreement::Agrees)),
        (LevelQuestion::Disagree, Some(false)) => (LevelVerdict::Fractured, Some(Agreement::Adds)),
        (LevelQuestion::Disagree, Some(true)) => {
            model.prompt = Some(Prompt::new(PromptKind::Reason(level)));
            return Vec::new();
        }
    };
    assess_level(model, question.command(), level, (verdict, agreement))
}

/// The reason why an alarm is rejected.
pub(super) fn rejected(model: &mut Model, level: CervicalLevel, reason: RejectionReason) -> Vec<Effect> {
    let agreement = Some(Agreement::Rejects { reason });
    assess_level(model, Command::Disagree, level, (LevelVerdict::NotFractured, agreement))
}

fn assess_level(model: &mut Model, command: Command, level: CervicalLevel, word: LevelWord) -> Vec<Effect> {
    let Some(study) = subject(model) else { return Vec::new() };
    let (verdict, agreement) = word;
    let why = second_key::level_reasons(model, &study, level, verdict);
    let act = if why.iter().any(|why| why.starts_with("conflict")) {
        Act::ResolveLevel { level, verdict, agreement }
    } else {
        Act::Level { level, verdict, agreement }
    };
    second_key::record(model, command, study, act, &why)
}

/// The text of a note or of a reason for a deferral.
pub(super) fn written(model: &mut Model, kind: PromptKind, text: &str) -> Vec<Effect> {
    let text = NoteText::new(text);
    let Some(study) = subject(model) else { return Vec::new() };
    match kind {
        PromptKind::Note => {
            let note = model.decisions.of(&study).and_then(|decision| decision.note.as_ref());
            let hidden = note.is_some_and(|note| note.what.as_str() == LEFT_OUT);
            if hidden && text.is_empty() {
                model.tell("the note is kept; it is hidden on an anonymous screen");
                return Vec::new();
            }
            keep(model, study, Act::Note { text })
        }
        PromptKind::Defer => keep(model, study, Act::Study(StudyVerdict::Deferred { reason: text })),
        _ => Vec::new(),
    }
}

/// A study with a fractured level is not negative: one of the two is a slip.
fn negative(model: &mut Model) -> Vec<Effect> {
    let fractured = subject(model)
        .and_then(|uid| model.decisions.of(&uid).map(|decision| decision.levels_with(LevelVerdict::Fractured)))
        .unwrap_or_default();
    if let Some(level) = fractured.first() {
        model.complain(format!(
            "{level} is assessed as fractured: read the study as positive, or assess {level} as not fractured first"
        ));
        return Vec::new();
    }
    study_verdict(model, Command::Negative, StudyVerdict::Negative)
}

fn study_verdict(model: &mut Model, command: Command, verdict: StudyVerdict) -> Vec<Effect> {
    let Some(study) = subject(model) else { return Vec::new() };
    let conflicts = model.decisions.of(&study).map(|decision| decision.conflicts.clone()).unwrap_or_default();
    if let Some((level, conflict)) = conflicts.iter().find_map(|conflict| Some((conflict.level()?, conflict))) {
        model.complain(format!("{level} is in conflict ({conflict}): assess {level} first, which resolves it"));
        return Vec::new();
    }
    let why = second_key::reasons(model, &verdict);
    let act = if conflicts.is_empty() { Act::Study(verdict) } else { Act::ResolveStudy { verdict } };
    second_key::record(model, command, study, act, &why)
}

fn precedence(model: &mut Model, command: Command) -> Vec<Effect> {
    let Some(study) = subject(model) else { return Vec::new() };
    let Some(entry) = model.worklist.entry(&study) else { return Vec::new() };
    let act = match command {
        Command::Pin => Act::Pin { pinned: !entry.is_pinned() },
        _ => Act::Stat { stat: !entry.is_stat() },
    };
    keep(model, study, act)
}

fn undo(model: &mut Model) -> Vec<Effect> {
    let here = subject(model);
    match model.decisions.last_act(&model.reader, here.as_ref()) {
        Some(last) => {
            let (study, entry) = (last.draft.study.clone(), last.id);
            keep(model, study, Act::Undo { entry })
        }
        None => {
            model.tell("there is nothing of yours to undo");
            Vec::new()
        }
    }
}

/// It is on disk: now it holds, and the next study may come.
pub(super) fn recorded(model: &mut Model, recorded: Recorded) -> Vec<Effect> {
    let Recorded::Decision { token, entry } = recorded;
    made(model, token, entry)
}

fn made(model: &mut Model, token: Token, entry: LogEntry) -> Vec<Effect> {
    let study = entry.draft.study.clone();
    let was_hidden = model.worklist.entry(&study).is_some_and(|entry| entry.sight == Sight::Blinded);
    let act = entry.draft.act.clone();
    let receipt = receipt(model, &entry);
    let announced = model.decisions.recorded(token, entry);
    model.storeless = None;
    refresh(model, &study);
    model.receipt = Some(receipt);
    let open_here = model.reading.as_ref().is_some_and(|reading| reading.study.uid == study);
    let now_shown = model.worklist.entry(&study).is_some_and(|entry| entry.sight == Sight::Open);
    if was_hidden && now_shown {
        let says = model.worklist.entry(&study).and_then(Entry::report).map_or_else(
            || "the network has no result yet".to_owned(),
            |report| format!("the network says {}{}", report.overall, alarms(report)),
        );
        model.tell(format!("your first assessment is kept; {says}. Decide again or go on with the next study"));
        return Vec::new();
    }
    match act {
        // Back to where it was decided: the next study was opened by that.
        Act::Undo { .. } if model.reading.is_some() && !open_here => open(model, &study),
        Act::Study(_) | Act::ResolveStudy { .. } if open_here => {
            match model.worklist.entry(&study).map(|entry| entry.conflict.clone()).filter(|words| !words.is_empty()) {
                // Nobody leaves a conflict unseen.
                Some(words) => {
                    model.complain(format!("{words}: assess it once more to resolve it"));
                    Vec::new()
                }
                None => next::after(model, announced),
            }
        }
        _ => Vec::new(),
    }
}

/// What the status bar says of an entry that is on disk.
fn receipt(model: &Model, entry: &LogEntry) -> Receipt {
    let study = &entry.draft.study;
    let (what, can_be_undone) = match &entry.draft.act {
        Act::Undo { entry: undone } => {
            let known = model.decisions.log(study).iter().find(|known| known.id == *undone);
            let what = known.map_or_else(|| format!("entry {}", undone.0), |known| known.draft.act.summary());
            (format!("undone: {what}"), false)
        }
        act => (act.summary(), true),
    };
    let name = model.worklist.entry(study).map_or("", Entry::name);
    let name = if model.identity_hidden { "patient hidden" } else { name };
    Receipt { text: format!("{what} · {name} · saved {}", entry.at.hour_minute()), can_be_undone }
}

fn alarms(report: &FractureReport) -> String {
    let levels: Vec<&str> = report.alert_levels().into_iter().map(CervicalLevel::name).collect();
    let so_far = if report.completeness == Completeness::Final { "" } else { " so far" };
    if levels.is_empty() { so_far.to_owned() } else { format!("{so_far}, {} flagged", levels.join(" ")) }
}

/// It could not be kept; it stays to be seen until the reader says so.
pub(super) fn failed(model: &mut Model, failure: RecordFailure) -> Vec<Effect> {
    match failure.record {
        Record::Decision { token, .. } => {
            model.told_of_loss = false;
            model.decisions.failed(token, failure.problem.to_string());
        }
        Record::Annotation { study, change } => {
            model.told_of_loss = false;
            model.annotations.failed(study, change, failure.problem.to_string());
        }
        // It is kept again with the next look at the clock.
        Record::Position { .. } => {}
    }
    Vec::new()
}

/// What was kept before or elsewhere.
pub(super) fn remembered(model: &mut Model, remembered: Remembered) -> Vec<Effect> {
    match remembered {
        Remembered::Log(entries) => {
            let studies: BTreeSet<Uid> = entries.iter().map(|entry| entry.draft.study.clone()).collect();
            let disputed = |model: &Model, uid: &Uid| model.decisions.state(uid) == StudyState::Conflict;
            let before: Vec<Uid> = studies.into_iter().filter(|uid| disputed(model, uid)).collect();
            let changed = model.decisions.take(entries);
            refresh_all(model, &changed);
            let new: Vec<&Uid> = changed.iter().filter(|uid| disputed(model, uid) && !before.contains(uid)).collect();
            tell_conflicts(model, &new);
        }
        Remembered::Studies(studies) => {
            model.worklist.listed(&studies);
            let uids: Vec<Uid> = studies.into_iter().map(|listed| listed.uid).collect();
            refresh_all(model, &uids);
            super::resume::offer(model);
            if let ModelState::Ready(identity) = &model.network {
                model.worklist.only_of(identity);
            }
            // The scan will not come by any more.
            if matches!(model.scan, ScanState::Finished(_)) {
                return model.worklist.only_listed().into_iter().map(Effect::Find).collect();
            }
        }
        Remembered::Position(study, position) => super::resume::position(model, &study, position),
        Remembered::Annotations(study, kept) => model.annotations.remember(&study, kept),
        Remembered::LastRead(study) => {
            model.last_read = Some(study);
            super::resume::offer(model);
        }
        Remembered::OpenElsewhere(studies) => model.elsewhere = studies.into_iter().collect(),
        Remembered::Unavailable(problem) => model.storeless = Some(problem.to_string()),
    }
    Vec::new()
}

/// Says which studies have come into conflict by what others decided.
fn tell_conflicts(model: &mut Model, studies: &[&Uid]) {
    match studies {
        [] => {}
        [only] => {
            let words = model.decisions.of(only).and_then(|decision| decision.conflict_words()).unwrap_or_default();
            let name = model.worklist.entry(only).map_or("a study that is not in the list", Entry::name);
            model.complain(format!("{name}: {words}; assess it once more to resolve it"));
        }
        many => model.complain(format!("{} studies are in conflict: the filter is:conflict shows them", many.len())),
    }
}

/// Has the list know what is decided of a study, and whether the network's word is hidden.
pub(super) fn refresh(model: &mut Model, study: &Uid) {
    model.worklist.decided(study, model.decisions.of(study), sight(model, study));
}

/// The same for many, with one new order.
fn refresh_all(model: &mut Model, studies: &[Uid]) {
    for study in studies {
        let sight = sight(model, study);
        model.worklist.note_decision(study, model.decisions.of(study), sight);
    }
    model.worklist.arrange();
}

fn sight(model: &Model, study: &Uid) -> Sight {
    let hidden = model.blinded && !model.decisions.has_verdict_of(study, &model.reader);
    if hidden { Sight::Blinded } else { Sight::Open }
}
