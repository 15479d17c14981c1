//! Keys of a line of text: the palette, the filter, and the questions of a decision.

use super::super::editor::{Motion, Overflow};
use super::super::prompt::PromptKind;
use super::super::{Choice, Effect, Model, Prompt, PromptKey};
use super::{decide, help, key_image, keys, line, measure, open};
use crate::domain::{CervicalLevel, NoteText, RejectionReason};

/// Commands that the palette remembers.
const RECENT: usize = 8;

pub(super) fn typed(model: &mut Model, key: PromptKey) -> Vec<Effect> {
    let offers = model.offers();
    let Some(prompt) = &mut model.prompt else { return Vec::new() };
    let was_warned = std::mem::take(&mut prompt.warned);
    let has_lines = prompt.is_writing();
    let mut refused = None;
    match key {
        PromptKey::Text(text) => match prompt.kind {
            // One key answers; any other is no answer.
            PromptKind::Level(_) | PromptKind::Reason(_) => {
                let digit = text.trim().chars().next().and_then(|sign| sign.to_digit(10));
                let chosen = digit.and_then(|digit| usize::try_from(digit).ok()?.checked_sub(1));
                return chosen.filter(|at| *at < offers.len()).map(|at| choose(model, at)).unwrap_or_default();
            }
            _ => {
                refused = prompt.editor.insert(&text, has_lines).err();
                prompt.selected = 0;
            }
        },
        PromptKey::LineBreak if has_lines => refused = prompt.editor.insert("\n", true).err(),
        PromptKey::LineBreak => return entered(model),
        PromptKey::Delete(motion) => {
            prompt.editor.delete(motion);
            prompt.selected = 0;
        }
        PromptKey::Go(Motion::Down) if !offers.is_empty() => {
            prompt.selected = (prompt.selected + 1).min(offers.len().saturating_sub(1));
        }
        PromptKey::Go(Motion::Up) if !offers.is_empty() => prompt.selected = prompt.selected.saturating_sub(1),
        // Answers of one key stand beside each other.
        PromptKey::Go(Motion::Right) if prompt.kind.takes_one_key() => {
            prompt.selected = (prompt.selected + 1).min(offers.len().saturating_sub(1));
        }
        PromptKey::Go(Motion::Left) if prompt.kind.takes_one_key() => {
            prompt.selected = prompt.selected.saturating_sub(1);
        }
        PromptKey::Go(motion) => prompt.editor.go(motion),
        PromptKey::Tab => {
            if let Some(offer) = offers.get(prompt.selected) {
                complete(prompt, &offer.name);
            }
        }
        PromptKey::Escape => {
            let (kind, unsaved) = (prompt.kind, prompt.unsaved());
            if unsaved > 0 && !was_warned {
                prompt.warned = true;
                model.complain(format!("Esc again discards {unsaved} characters; Enter saves them"));
                return Vec::new();
            }
            model.prompt = None;
            narrow(model, kind, "");
        }
        PromptKey::Enter => return entered(model),
    }
    if let Some(Overflow { length, room }) = refused {
        model.complain(if length > 1 {
            format!("not pasted: {length} characters, and {room} of {} are left; nothing was cut", NoteText::LIMIT)
        } else {
            format!("{} characters are the most; the last key was not taken", NoteText::LIMIT)
        });
    }
    if let Some(prompt) = &model.prompt {
        let (kind, text) = (prompt.kind, prompt.text().to_owned());
        narrow(model, kind, &text);
    }
    Vec::new()
}

/// Shows only what matches the text of a search that acts while it is typed.
fn narrow(model: &mut Model, kind: PromptKind, text: &str) {
    match kind {
        PromptKind::Filter => model.worklist.set_filter(text),
        PromptKind::HelpSearch => help::search(model, text),
        PromptKind::Palette | PromptKind::Measurements | PromptKind::KeyImages | PromptKind::Comment => {}
        PromptKind::Note | PromptKind::Defer | PromptKind::Level(_) | PromptKind::Reason(_) => {}
    }
}

fn complete(prompt: &mut Prompt, name: &str) {
    match prompt.kind {
        PromptKind::Palette | PromptKind::Defer => prompt.replace(name),
        PromptKind::Filter => {
            let before = prompt.text().rfind(' ').map_or(0, |at| at + 1);
            // Only a key that is not whole yet: what was typed after it stays.
            if !prompt.text()[before..].contains(':') {
                let text = format!("{}{name}", &prompt.text()[..before]);
                prompt.replace(&text);
            }
        }
        PromptKind::HelpSearch | PromptKind::Measurements | PromptKind::KeyImages | PromptKind::Comment => {}
        PromptKind::Note | PromptKind::Level(_) | PromptKind::Reason(_) => {}
    }
}

/// Takes what is typed or marked.
fn entered(model: &mut Model) -> Vec<Effect> {
    let offers = model.offers();
    let Some(taken) = model.prompt.take() else { return Vec::new() };
    let marked = offers.get(taken.selected);
    match taken.kind {
        PromptKind::Filter => {
            if model.worklist.rows().len() == 0 {
                model.worklist.set_filter("");
                model.tell(format!("no study fits {:?}; the filter is off", taken.text()));
            }
            Vec::new()
        }
        PromptKind::Palette => match line::Line::parse(taken.text()) {
            Some(Ok(line)) => line::run(model, line),
            Some(Err(mistake)) => {
                model.complain(mistake);
                Vec::new()
            }
            None => match marked.map(|offer| offer.choice.clone()) {
                Some(choice) => chosen(model, choice),
                None => {
                    model.complain(format!("no command and no study fits {:?}; ? lists all commands", taken.text()));
                    Vec::new()
                }
            },
        },
        PromptKind::Measurements | PromptKind::KeyImages => match marked.map(|offer| offer.choice.clone()) {
            Some(choice) => chosen(model, choice),
            None => {
                model.tell("none of the list fits");
                Vec::new()
            }
        },
        PromptKind::HelpSearch => Vec::new(),
        PromptKind::Comment => key_image::comment(model, taken.text()),
        PromptKind::Note => decide::written(model, taken.kind, taken.text()),
        PromptKind::Defer => {
            let marked = marked.map_or("", |offer| offer.name.as_str());
            // What was typed is the reason, unless another was marked on purpose.
            let reason = if taken.selected > 0 || taken.text().trim().is_empty() { marked } else { taken.text() };
            decide::written(model, taken.kind, reason)
        }
        PromptKind::Level(_) | PromptKind::Reason(_) => {
            let at = taken.selected;
            model.prompt = Some(taken);
            choose(model, at)
        }
    }
}

/// Does what a line of the palette leads to.
fn chosen(model: &mut Model, choice: Choice) -> Vec<Effect> {
    match choice {
        Choice::Command(command) => {
            model.recent.retain(|recent| *recent != command);
            model.recent.insert(0, command);
            model.recent.truncate(RECENT);
            keys::command(model, command)
        }
        Choice::Study(uid) => open(model, &uid),
        Choice::Measurement(id) => measure::go_to(model, id),
        Choice::KeyImage(id) => key_image::go_to(model, id),
        Choice::Words => Vec::new(),
    }
}

fn choose(model: &mut Model, at: usize) -> Vec<Effect> {
    let Some(prompt) = model.prompt.take() else { return Vec::new() };
    match prompt.kind {
        PromptKind::Level(question) => match CervicalLevel::from_index(at) {
            Some(level) => decide::answer(model, question, level),
            None => Vec::new(),
        },
        PromptKind::Reason(level) => match RejectionReason::ALL.get(at) {
            Some(&reason) => decide::rejected(model, level, reason),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}
