//! Five minutes of reading, replayed through the event loop's own work: a key becomes a message, `update` takes it, the screen is drawn
//! and compared with the last one. Pictures are drawn on a thread of their own and are no part of it. Prints the worst frame.
//!
//! `cargo bench --bench replay`; the goal is that no frame takes 16 ms.

#[path = "../support/model.rs"]
mod support;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use cspine::app::{Command, Effect, Message, PromptKey};
use cspine::config::Keymap;
use cspine::theme::Theme;
use cspine::ui::{self, Look};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::time::{Duration, Instant};
use support::{BROKEN, Session, WHOLE, plain};

const SESSION: &str = include_str!("replay.keys");
/// The largest screen that layouts are made for.
const SIZE: (u16, u16) = (250, 80);
const STUDIES: usize = 8;
const KEYS_A_SECOND: usize = 30;
const SECONDS: usize = 300;
const GOAL: Duration = Duration::from_millis(16);

/// A key of the recording, and how often it comes.
fn keys(token: &str) -> Vec<KeyEvent> {
    let (name, times) = match token.rsplit_once('*') {
        Some((name, times)) if !name.is_empty() => (name, times.parse().expect("a number")),
        _ => (token, 1),
    };
    let named = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let plain = |code| KeyEvent::new(code, KeyModifiers::NONE);
    let pressed: Vec<KeyEvent> = match named {
        Some("enter") => vec![plain(KeyCode::Enter)],
        Some("space") => vec![plain(KeyCode::Char(' '))],
        Some("ctrl-o") => vec![KeyEvent::new(KeyCode::Char('o'), KeyModifiers::CONTROL)],
        Some("ctrl-n") => vec![KeyEvent::new(KeyCode::Char('n'), KeyModifiers::CONTROL)],
        Some("shift-up") => vec![KeyEvent::new(KeyCode::Up, KeyModifiers::SHIFT)],
        Some("shift-down") => vec![KeyEvent::new(KeyCode::Down, KeyModifiers::SHIFT)],
        Some(other) => panic!("{other} is not in the recording's words"),
        None => name.chars().map(|letter| plain(KeyCode::Char(letter))).collect(),
    };
    std::iter::repeat_n(pressed, times).flatten().collect()
}

fn message(session: &Session, keymap: &Keymap, key: &KeyEvent) -> Option<Message> {
    if session.model.wants_text() {
        return Some(Message::Prompt(match key.code {
            KeyCode::Enter => PromptKey::Enter,
            KeyCode::Char(letter) => PromptKey::Text(letter.to_string()),
            _ => return None,
        }));
    }
    let command = keymap.command(session.model.screen(), key);
    match keymap.digit(key) {
        Some(digit) if session.model.help.is_none() => Some(Message::Digit(digit, command)),
        _ => command.map(Message::Command),
    }
}

fn main() {
    let keymap = Keymap::builtin();
    let theme = Theme::default();
    let mut session = Session::with_network(SIZE);
    for n in 1..=STUDIES {
        session.found(plain(n)).analysed(n, 140, if n % 2 == 0 { BROKEN } else { WHOLE });
    }
    session.scanned(STUDIES * 140);
    let mut terminal = Terminal::new(TestBackend::new(SIZE.0, SIZE.1)).expect("a test terminal");
    let recorded: Vec<KeyEvent> =
        SESSION.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).flat_map(keys).collect();
    let wanted = SECONDS * KEYS_A_SECOND;
    let mut frames: Vec<(Duration, Option<Message>)> = Vec::with_capacity(wanted);
    for key in recorded.iter().cycle().take(wanted) {
        let begun = Instant::now();
        let message = message(&session, &keymap, key);
        if let Some(message) = message.clone() {
            session.send(message);
        }
        let look = Look { theme: &theme, keymap: &keymap };
        terminal.draw(|frame| drop(ui::draw(frame, &session.model, look))).expect("a drawn screen");
        frames.push((begun.elapsed(), message));
        // What the key asked for arrives between two frames; it is not this frame's work.
        if session.effects.iter().any(|effect| matches!(effect, Effect::Load(..))) {
            session.loaded();
        }
        if session.model.screen() == cspine::app::Screen::Worklist {
            session.command(Command::OpenMostUrgent).loaded();
        }
    }
    let mut times: Vec<Duration> = frames.iter().map(|(time, _)| *time).collect();
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    let (worst, cause) = frames.iter().max_by_key(|(time, _)| *time).expect("frames");
    println!("{} frames, {} keys in the recording, {} × {} cells", frames.len(), recorded.len(), SIZE.0, SIZE.1);
    println!("median {:.2?}, 99 % {:.2?}, 99.9 % {:.2?}", at(0.5), at(0.99), at(0.999));
    println!("worst frame {worst:.2?} (goal below {GOAL:?}) by {cause:?}");
    std::process::exit(i32::from(*worst >= GOAL));
}
