//! Keys and the mouse as messages.

use crate::app::{Command, Message, Model, PromptKey, Screen};
use crate::config::Keymap;
use crate::terminal::Event;
use crate::ui::Layout;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

/// What an event means on the screen as it was last drawn.
pub(super) fn messages(event: &Event, model: &Model, layout: &Layout, keymap: &Keymap) -> Vec<Message> {
    match event {
        Event::Key(key) if model.wants_text() => prompt_key(key).map(Message::Prompt).into_iter().collect(),
        Event::Key(key) => match (keymap.digit(key), keymap.command(model.screen(), key)) {
            (Some(digit), command) if !model.help => vec![Message::Digit(digit, command)],
            (_, Some(command)) => vec![Message::Command(command)],
            // Any key puts help away.
            (_, None) if model.help => vec![Message::Command(Command::Help)],
            (_, None) => Vec::new(),
        },
        Event::Paste(text) if model.wants_text() => vec![Message::Prompt(PromptKey::Text(text.clone()))],
        Event::Mouse(mouse) => mouse_message(mouse, model, layout).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn prompt_key(key: &KeyEvent) -> Option<PromptKey> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Enter => PromptKey::Enter,
        KeyCode::Esc => PromptKey::Escape,
        KeyCode::Char('c' | 'g') if control => PromptKey::Escape,
        KeyCode::Char('n') if control => PromptKey::Down,
        KeyCode::Char('p') if control => PromptKey::Up,
        KeyCode::Backspace => PromptKey::Backspace,
        KeyCode::Char('h') if control => PromptKey::Backspace,
        KeyCode::Tab => PromptKey::Tab,
        KeyCode::Down => PromptKey::Down,
        KeyCode::Up => PromptKey::Up,
        KeyCode::Char(c) if !control && !key.modifiers.contains(KeyModifiers::ALT) => PromptKey::Text(c.to_string()),
        _ => return None,
    })
}

fn mouse_message(mouse: &MouseEvent, model: &Model, layout: &Layout) -> Option<Message> {
    let reading = model.screen() == Screen::Reading;
    let place = Position { x: mouse.column, y: mouse.row };
    match mouse.kind {
        MouseEventKind::ScrollDown => Some(Message::Command(if reading { Command::SliceDown } else { Command::Down })),
        MouseEventKind::ScrollUp => Some(Message::Command(if reading { Command::SliceUp } else { Command::Up })),
        MouseEventKind::Down(MouseButton::Left) | MouseEventKind::Drag(MouseButton::Left) => {
            let pressed = matches!(mouse.kind, MouseEventKind::Down(_));
            if let Some(slice) =
                layout.strip.filter(|strip| strip.contains(place)).and_then(|strip| on_strip(model, strip, place))
            {
                return Some(Message::GoToSlice(slice));
            }
            if !pressed {
                return None;
            }
            if let Some((_, level)) = layout.levels.iter().find(|(area, _)| area.contains(place)) {
                return Some(Message::Command(Command::Level(*level)));
            }
            let row = layout.rows.iter().find(|(area, _)| area.contains(place));
            row.map(|(_, uid)| Message::Select(uid.clone()))
        }
        _ => None,
    }
}

fn on_strip(model: &Model, strip: Rect, place: Position) -> Option<usize> {
    let slices = model.reading.as_ref()?.volume()?.shape.slices;
    let column = usize::from(place.x - strip.x);
    Some((column * slices / usize::from(strip.width.max(1))).min(slices.saturating_sub(1)))
}
