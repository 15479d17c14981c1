//! Keys of a line of text: the palette, the filter, and the questions of a decision.

use super::super::prompt::PromptKind;
use super::super::{Choice, Effect, Model, Prompt, PromptKey};
use super::{decide, key_image, keys, line, measure, open};
use crate::domain::{CervicalLevel, RejectionReason};

pub(super) fn typed(model: &mut Model, key: PromptKey) -> Vec<Effect> {
    let offers = model.offers();
    let Some(prompt) = &mut model.prompt else { return Vec::new() };
    match key {
        PromptKey::Text(text) => match prompt.kind {
            // One key answers; any other is no answer.
            PromptKind::Level(_) | PromptKind::Reason(_) => {
                let digit = text.trim().chars().next().and_then(|sign| sign.to_digit(10));
                let chosen = digit.and_then(|digit| usize::try_from(digit).ok()?.checked_sub(1));
                return chosen.filter(|at| *at < offers.len()).map(|at| choose(model, at)).unwrap_or_default();
            }
            _ => prompt.push(&text),
        },
        PromptKey::Backspace => {
            prompt.text.pop();
            prompt.selected = 0;
        }
        PromptKey::Down => prompt.selected = (prompt.selected + 1).min(offers.len().saturating_sub(1)),
        PromptKey::Up => prompt.selected = prompt.selected.saturating_sub(1),
        PromptKey::Tab => {
            if let Some(offer) = offers.get(prompt.selected) {
                complete(prompt, &offer.name);
            }
        }
        PromptKey::Escape => {
            let kind = prompt.kind;
            model.prompt = None;
            if kind == PromptKind::Filter {
                model.worklist.set_filter("");
            }
        }
        PromptKey::Enter => return entered(model),
    }
    if let Some(prompt) = &model.prompt
        && prompt.kind == PromptKind::Filter
    {
        let text = prompt.text.clone();
        model.worklist.set_filter(&text);
    }
    Vec::new()
}

fn complete(prompt: &mut Prompt, name: &str) {
    match prompt.kind {
        PromptKind::Palette | PromptKind::Defer => {
            prompt.text = name.to_owned();
            prompt.selected = 0;
        }
        PromptKind::Filter => {
            let before = prompt.text.rfind(' ').map_or(0, |at| at + 1);
            // Only a key that is not whole yet: what was typed after it stays.
            if !prompt.text[before..].contains(':') {
                prompt.text.replace_range(before.., name);
            }
        }
        PromptKind::Measurements | PromptKind::KeyImages | PromptKind::Comment => {}
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
                model.tell(format!("no study fits {:?}; the filter is off", taken.text));
            }
            Vec::new()
        }
        PromptKind::Palette => match line::Line::parse(&taken.text) {
            Some(Ok(line)) => line::run(model, line),
            Some(Err(mistake)) => {
                model.complain(mistake);
                Vec::new()
            }
            None => match marked.map(|offer| offer.choice.clone()) {
                Some(choice) => chosen(model, choice),
                None => {
                    model.complain(format!("no command and no study fits {:?}; ? lists all commands", taken.text));
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
        PromptKind::Comment => key_image::comment(model, &taken.text),
        PromptKind::Note => decide::written(model, taken.kind, &taken.text),
        PromptKind::Defer => {
            let marked = marked.map_or("", |offer| offer.name.as_str());
            // What was typed is the reason, unless another was marked on purpose.
            let reason = if taken.selected > 0 || taken.text.trim().is_empty() { marked } else { &taken.text };
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
        Choice::Command(command) => keys::command(model, command),
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
