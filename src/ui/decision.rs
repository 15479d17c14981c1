//! What is decided, in words and signs: for the list, the panel and the last line.

use crate::app::{Entry, Model};
use crate::domain::{Agreement, CervicalLevel, Decided, Decision, LevelVerdict, Stamp, StudyState, StudyVerdict, Uid};
use crate::theme::Role;

/// A sign for a study's state; no two are the same.
pub(super) fn sign(state: StudyState) -> (char, Role) {
    match state {
        StudyState::Unread => ('–', Role::Faint),
        StudyState::Begun => ('…', Role::Muted),
        StudyState::Negative => ('✓', Role::Text),
        StudyState::Positive => ('✗', Role::Alarm),
        StudyState::Deferred => ('»', Role::Warning),
        StudyState::Unreadable => ('∅', Role::Warning),
        StudyState::Conflict => ('≠', Role::Error),
    }
}

/// A sign for a level's verdict, as [`LevelVerdict::sign`].
pub(super) fn level_sign(decision: Option<&Decision>, level: CervicalLevel) -> Option<(char, Role)> {
    let (verdict, _) = decision?.levels[level].as_ref()?.what;
    let role = match verdict {
        LevelVerdict::Fractured => Role::Alarm,
        LevelVerdict::NotFractured => Role::Text,
        LevelVerdict::Uncertain | LevelVerdict::NotAssessable => Role::Warning,
    };
    Some((verdict.sign(), role))
}

/// Who said it, and when: the time of day, or the day where it is another.
fn who_when<T>(decided: &Decided<T>, now: Option<Stamp>) -> String {
    let today = now.is_none_or(|now| now.is_same_day(decided.at));
    let when = if today {
        decided.at.hour_minute()
    } else {
        decided.at.to_string().split(' ').next().unwrap_or_default().to_owned()
    };
    format!("{} {when}", decided.who)
}

/// The column of the list: sign and word, and who and when where there is room.
pub(super) fn column(model: &Model, entry: &Entry, room: u16) -> (String, Role) {
    let uid = &entry.study.uid;
    let (sign, role) = sign(entry.state);
    let pending = model.decisions.pending().iter().find(|pending| pending.draft.study == *uid);
    if let Some(pending) = pending {
        let (sign, words, role) = match pending.problem {
            Some(_) => ('!', "NOT SAVED", Role::Error),
            None => ('…', "saving", Role::Muted),
        };
        return (if room < 8 { sign.to_string() } else { words.to_owned() }, role);
    }
    if let Some(who) = model.elsewhere.get(uid).filter(|_| !entry.state.is_finished()) {
        return (if room < 8 { "o".to_owned() } else { format!("open: {who}") }, Role::Warning);
    }
    // One letter where there is no room: a study must not be on top without a word.
    let top = match entry.precedence_words() {
        _ if entry.state.is_finished() => "",
        words if room < 8 => words.get(..1).unwrap_or_default(),
        words => words,
    };
    let top = if top == "p" { "P" } else { top };
    let text = match entry.state {
        StudyState::Unread if !top.is_empty() => return (top.to_owned(), Role::Accent),
        StudyState::Begun if !top.is_empty() => {
            let whole = format!("{top} {sign} {}", entry.state.name());
            return (if super::text::width(&whole) <= room { whole } else { top.to_owned() }, Role::Accent);
        }
        StudyState::Unread => sign.to_string(),
        StudyState::Conflict if super::text::width(&entry.conflict) <= room => entry.conflict.clone(),
        state => {
            let decision = model.decisions.of(uid);
            let study = decision.and_then(|decision| decision.study.as_ref());
            let whole =
                study.map(|study| format!("{sign} {}  {}", state.name(), who_when(study, model.worklist.now())));
            let short = format!("{sign} {}", state.name());
            whole.filter(|whole| super::text::width(whole) <= room).unwrap_or(short)
        }
    };
    (if room < 8 { sign.to_string() } else { text }, role)
}

fn entry_conflict(decision: Option<&Decision>) -> String {
    decision.and_then(Decision::conflict_words).unwrap_or_default()
}

/// What is decided of the open study, for the panel: the study, then its levels and note, each with who said it and when.
pub(super) fn lines(model: &Model, uid: &Uid) -> [(String, Role); 2] {
    let decision = model.decisions.of(uid);
    let state = model.decisions.state(uid);
    let (sign, role) = sign(state);
    let pending = model.decisions.pending().iter().rev().find(|pending| pending.draft.study == *uid);
    let first = if let Some(pending) = pending {
        let role = if pending.problem.is_some() { Role::Error } else { Role::Muted };
        (pending.to_string(), role)
    } else if model.storeless.is_some() {
        ("decisions cannot be saved now".to_owned(), Role::Error)
    } else if let Some(who) = model.elsewhere.get(uid) {
        (format!("{who} has this study open"), Role::Warning)
    } else {
        match decision.and_then(|decision| decision.study.as_ref()) {
            _ if state == StudyState::Conflict => (format!("{sign} {}", entry_conflict(decision)), role),
            Some(study) => {
                let reason = match &study.what {
                    StudyVerdict::Deferred { reason } => format!(", {}", reason.first_line()),
                    _ => String::new(),
                };
                (format!("{sign} {}  {}{reason}", state.name(), who_when(study, model.worklist.now())), role)
            }
            None => ("no assessment of the study yet".to_owned(), Role::Faint),
        }
    };
    // Who said it and when stands once before all that was said then.
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    let mut say = |who: String, what: String| match said.last_mut() {
        Some((last, all)) if *last == who => all.push(what),
        _ => said.push((who, vec![what])),
    };
    if let Some(decision) = decision {
        let now = model.worklist.now();
        for level in CervicalLevel::ALL {
            let Some(decided) = &decision.levels[level] else { continue };
            let (verdict, agreement) = decided.what;
            let reason = match agreement {
                Some(Agreement::Rejects { reason }) => format!(" ({})", reason.name()),
                _ => String::new(),
            };
            say(who_when(decided, now), format!("{level} {}{reason}", verdict.name()));
        }
        if let Some(note) = &decision.note {
            say(who_when(note, now), format!("note: {}", note.what.one_line()));
        }
    }
    let words: Vec<String> = said.into_iter().map(|(who, all)| format!("{who} {}", all.join(", "))).collect();
    [first, (words.join(" · "), Role::Text)]
}

/// What could not be saved, whose it is, and what to do; until the reader says so.
pub(super) fn unsaved(model: &Model) -> Option<String> {
    let decisions = model.decisions.pending().iter().filter(|pending| pending.problem.is_some());
    let decisions = decisions.map(|lost| (lost.to_string(), &lost.draft.study));
    let annotations = model.annotations.unsaved().iter().map(|lost| (lost.to_string(), &lost.study));
    let mut all = decisions.chain(annotations);
    let (lost, study) = all.next()?;
    let name = model.worklist.entry(study).map_or("", Entry::name);
    let more = all.count();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("{lost} of {name}{more}"))
}
