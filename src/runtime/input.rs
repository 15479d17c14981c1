//! Keys and the mouse as messages.

use crate::app::{Command, Drag, Gesture, Message, Model, Motion, Pointer, PromptKey, Screen, Source};
use crate::config::Keymap;
use crate::domain::VoxelPoint;
use crate::raster::{self, ViewGeometry};
use crate::terminal::Event;
use crate::ui::{Layout, Pane};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

/// The screen as it was last drawn, for what lies under the mouse.
#[derive(Clone, Copy)]
pub(super) struct Drawn<'d> {
    pub(super) model: &'d Model,
    pub(super) layout: &'d Layout,
}

/// What an event means on the screen as it was last drawn.
pub(super) fn messages(event: &Event, drawn: Drawn<'_>, keymap: &Keymap) -> Vec<Message> {
    let model = drawn.model;
    match event {
        Event::Key(key) if model.wants_text() => prompt_key(key).map(Message::Prompt).into_iter().collect(),
        Event::Key(key) if model.tool().is_some() && tool_key(key).is_some() => {
            tool_key(key).map(Message::Command).into_iter().collect()
        }
        Event::Key(key) if model.cine.running && is_space(key) => vec![Message::Command(Command::Cine)],
        Event::Key(key) => match (keymap.digit(key), keymap.command(model.screen(), key)) {
            (Some(digit), command) if !model.help => vec![Message::Digit(digit, command)],
            (_, Some(command)) if key.kind == KeyEventKind::Repeat => vec![Message::Held(command)],
            (_, Some(command)) => vec![Message::Command(command)],
            // Any key puts help away.
            (_, None) if model.help => vec![Message::Command(Command::Help)],
            (_, None) => Vec::new(),
        },
        Event::Paste(text) if model.wants_text() => vec![Message::Prompt(PromptKey::Text(text.clone()))],
        Event::Mouse(mouse) => mouse_message(mouse, drawn).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Space pauses the cine loop in every profile.
fn is_space(key: &KeyEvent) -> bool {
    key.kind != KeyEventKind::Release && key.modifiers.is_empty() && key.code == KeyCode::Char(' ')
}

/// Keys that every profile has while something is measured: arrows move the cursor, Enter sets a place, Esc leaves.
fn tool_key(key: &KeyEvent) -> Option<Command> {
    if key.kind == KeyEventKind::Release || !key.modifiers.is_empty() {
        return None;
    }
    Some(match key.code {
        KeyCode::Left => Command::CursorLeft,
        KeyCode::Right => Command::CursorRight,
        KeyCode::Up => Command::CursorUp,
        KeyCode::Down => Command::CursorDown,
        KeyCode::Enter => Command::PlacePoint,
        KeyCode::Esc => Command::Cancel,
        _ => return None,
    })
}

/// Keys of a prompt. A line break is what every terminal can send (Ctrl-J is a line feed) and what most do (Alt or Shift with Enter).
fn prompt_key(key: &KeyEvent) -> Option<PromptKey> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    let word = control || alt;
    Some(match key.code {
        KeyCode::Enter if key.modifiers.is_empty() => PromptKey::Enter,
        KeyCode::Enter => PromptKey::LineBreak,
        KeyCode::Char('j') if control => PromptKey::LineBreak,
        KeyCode::Esc => PromptKey::Escape,
        KeyCode::Char('c' | 'g') if control => PromptKey::Escape,
        KeyCode::Char('n') if control => PromptKey::Go(Motion::Down),
        KeyCode::Char('p') if control => PromptKey::Go(Motion::Up),
        KeyCode::Backspace if word => PromptKey::Delete(Motion::WordLeft),
        KeyCode::Char('w') if control => PromptKey::Delete(Motion::WordLeft),
        KeyCode::Backspace => PromptKey::Delete(Motion::Left),
        KeyCode::Char('h') if control => PromptKey::Delete(Motion::Left),
        KeyCode::Delete => PromptKey::Delete(if word { Motion::WordRight } else { Motion::Right }),
        KeyCode::Char('d') if control => PromptKey::Delete(Motion::Right),
        KeyCode::Char('k') if control => PromptKey::Delete(Motion::End),
        KeyCode::Char('u') if control => PromptKey::Delete(Motion::Home),
        KeyCode::Left => PromptKey::Go(if word { Motion::WordLeft } else { Motion::Left }),
        KeyCode::Right => PromptKey::Go(if word { Motion::WordRight } else { Motion::Right }),
        KeyCode::Char('b') if alt => PromptKey::Go(Motion::WordLeft),
        KeyCode::Char('f') if alt => PromptKey::Go(Motion::WordRight),
        KeyCode::Home => PromptKey::Go(Motion::Home),
        KeyCode::Char('a') if control => PromptKey::Go(Motion::Home),
        KeyCode::End => PromptKey::Go(Motion::End),
        KeyCode::Char('e') if control => PromptKey::Go(Motion::End),
        KeyCode::Tab => PromptKey::Tab,
        KeyCode::Down => PromptKey::Go(Motion::Down),
        KeyCode::Up => PromptKey::Go(Motion::Up),
        KeyCode::Char(c) if !control && !alt => PromptKey::Text(c.to_string()),
        _ => return None,
    })
}

fn mouse_message(mouse: &MouseEvent, drawn: Drawn<'_>) -> Option<Message> {
    let Drawn { model, layout, .. } = drawn;
    let reading = model.screen() == Screen::Reading;
    let place = Position { x: mouse.column, y: mouse.row };
    if let Some(gesture) = gesture(mouse)
        && let Some(pointer) = pointer(gesture, place, drawn)
    {
        return Some(Message::Pointer(pointer));
    }
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

/// What the mouse does on a picture: left the cursor, right the window, middle (or left with Ctrl) the view; the wheel slices, with
/// Ctrl the zoom.
fn gesture(mouse: &MouseEvent) -> Option<Gesture> {
    let control = mouse.modifiers.contains(KeyModifiers::CONTROL);
    let drag = |button| match button {
        MouseButton::Left if control => Drag::Pan,
        MouseButton::Left => Drag::Cursor,
        MouseButton::Right => Drag::Window,
        MouseButton::Middle => Drag::Pan,
    };
    Some(match mouse.kind {
        MouseEventKind::Down(button) => Gesture::Press(drag(button)),
        MouseEventKind::Drag(button) => Gesture::Move(drag(button)),
        MouseEventKind::Up(_) => Gesture::Release,
        MouseEventKind::ScrollDown if control => Gesture::Zoom(-1),
        MouseEventKind::ScrollUp if control => Gesture::Zoom(1),
        MouseEventKind::ScrollDown => Gesture::Scroll(1),
        MouseEventKind::ScrollUp => Gesture::Scroll(-1),
        _ => return None,
    })
}

/// The picture under the mouse, and the place of the patient under the middle of the mouse's cell.
fn pointer(gesture: Gesture, place: Position, drawn: Drawn<'_>) -> Option<Pointer> {
    let pane = drawn.layout.panes.iter().find(|pane| pane.area.contains(place))?;
    let reading = drawn.model.reading.as_ref()?;
    let open = reading.volume()?;
    let size = drawn.model.cell.picture(pane.area.width, pane.area.height);
    let beside = reading.beside.as_ref().filter(|_| pane.source == Source::Beside);
    let (volume, view) = match beside {
        Some(beside) => (beside.volume()?, reading.beside_view(size)?),
        None => (open, reading.view(pane.plane, None, false)?),
    };
    let geometry = ViewGeometry::of(volume, &view, size).ok()?;
    let middle = |cell: u16, first: u16, cells: u16, pixels: u32| {
        (f64::from(cell - first) + 0.5) / f64::from(cells) * f64::from(pixels) - 0.5
    };
    let x = middle(place.x, pane.area.x, pane.area.width, size.width);
    let y = middle(place.y, pane.area.y, pane.area.height, size.height);
    let point = geometry.patient_at(x, y).map(|point| beside.map_or(point, |beside| point - beside.alignment.shift()));
    let (voxel, on_plane) = match beside {
        None => (geometry.voxel_at(x, y), geometry.plane_at(x, y)),
        // In terms of the open series, which the other one follows.
        Some(_) => {
            let (slice, row, column) = open.voxel_at(point?)?;
            let voxel = VoxelPoint { slice, row, column };
            (Some(voxel), raster::plane_fractions(open, pane.plane, voxel)?)
        }
    };
    let Pane { source, plane, .. } = *pane;
    Some(Pointer { source, plane, gesture, cell: (place.x, place.y), voxel, point, on_plane })
}

fn on_strip(model: &Model, strip: Rect, place: Position) -> Option<usize> {
    let slices = model.reading.as_ref()?.volume()?.shape.slices;
    let column = usize::from(place.x - strip.x);
    Some((column * slices / usize::from(strip.width.max(1))).min(slices.saturating_sub(1)))
}
