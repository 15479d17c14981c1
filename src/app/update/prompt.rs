//! Keys of a line of text: the filter and the palette.

use super::super::prompt::PromptKind;
use super::super::{Effect, Model, PromptKey};
use super::{line, run};

pub(super) fn typed(model: &mut Model, key: PromptKey) -> Vec<Effect> {
    let screen = model.screen();
    let Some(prompt) = &mut model.prompt else { return Vec::new() };
    let suggestions = match prompt.kind {
        PromptKind::Palette => prompt.suggestions(screen),
        PromptKind::Filter => Vec::new(),
    };
    match key {
        PromptKey::Text(text) => prompt.push(&text),
        PromptKey::Backspace => {
            prompt.text.pop();
            prompt.selected = 0;
        }
        PromptKey::Down => prompt.selected = (prompt.selected + 1).min(suggestions.len().saturating_sub(1)),
        PromptKey::Up => prompt.selected = prompt.selected.saturating_sub(1),
        PromptKey::Tab => {
            if let Some(command) = suggestions.get(prompt.selected) {
                prompt.text = command.name().to_owned();
                prompt.selected = 0;
            }
        }
        PromptKey::Escape => {
            let kind = prompt.kind;
            model.prompt = None;
            if kind == PromptKind::Filter {
                model.worklist.set_filter("");
            }
        }
        PromptKey::Enter => {
            let taken = prompt.clone();
            model.prompt = None;
            if taken.kind == PromptKind::Filter {
                if model.worklist.rows().len() == 0 {
                    model.worklist.set_filter("");
                    model.tell(format!("no study contains {:?}; the filter is off", taken.text));
                }
                return Vec::new();
            }
            match line::Line::parse(&taken.text) {
                Some(Ok(line)) => return line::run(model, line),
                Some(Err(mistake)) => {
                    model.complain(mistake);
                    return Vec::new();
                }
                None => {}
            }
            match suggestions.get(taken.selected) {
                Some(&command) => return run(model, command),
                None => model.complain(format!("there is no command {:?} here; ? lists them all", taken.text)),
            }
            return Vec::new();
        }
    }
    if let Some(prompt) = &model.prompt
        && prompt.kind == PromptKind::Filter
    {
        let text = prompt.text.clone();
        model.worklist.set_filter(&text);
    }
    Vec::new()
}
