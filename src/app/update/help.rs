//! Keys of the open help, which covers the screen.

use super::super::{Command, Effect, HelpKey, Model, Prompt, PromptKind};

pub(super) fn key(model: &mut Model, key: HelpKey) -> Vec<Effect> {
    let pages = model.help_pages().len();
    let Some(help) = &mut model.help else { return Vec::new() };
    match key {
        // From the last page to the first: a reader who looks for a key goes round.
        HelpKey::Forward => help.page = if help.page + 1 >= pages { 0 } else { help.page + 1 },
        HelpKey::Back => help.page = help.page.min(pages - 1).checked_sub(1).unwrap_or(pages - 1),
        HelpKey::Search => {
            let text = help.search.clone();
            model.prompt = Some(Prompt::with_text(PromptKind::HelpSearch, &text));
        }
        HelpKey::Escape if !help.search.is_empty() => search(model, ""),
        HelpKey::Escape | HelpKey::Close => model.help = None,
    }
    Vec::new()
}

/// Shows only the commands that match a text.
pub(super) fn search(model: &mut Model, text: &str) {
    if let Some(help) = &mut model.help {
        (help.search, help.page) = (text.to_owned(), 0);
    }
}

/// A command that comes while help covers the screen closes help, and does nothing else.
pub(super) fn covered(model: &mut Model, command: Command) -> Vec<Effect> {
    key(model, if command == Command::Cancel { HelpKey::Escape } else { HelpKey::Close })
}
