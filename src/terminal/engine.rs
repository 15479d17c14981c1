//! What is written next: text before pictures, the newest of each. Pure: no I/O, no clock.

use super::capabilities::Voice;
use super::delivery::{Delivery, Job, Manner, Pane, Step};
use super::encode::Encoded;
use super::event::{Event, Reply};
use super::line::Line;
use super::picture::Placed;
use super::screen::{Screen, TextFrame};
use crate::raster::{LineState, Quality};
use std::time::{Duration, Instant};

/// Text of more bytes than this (a screen of half-blocks) is fenced like a picture, so that a slow link builds no queue.
const MUCH_TEXT: usize = 8192;

/// The state of the screen and of what is on its way there.
#[derive(Debug)]
pub(super) struct Engine {
    screen: Screen,
    delivery: Delivery,
    line: Line,
    voice: Voice,
    frame: Option<TextFrame>,
    /// The frame or the wanted pictures changed since the last writing of text.
    changed: bool,
    /// Commands that go before all else.
    first: Vec<u8>,
    text_in_flight: Option<(u64, Instant)>,
    /// What the program is to be told.
    pub(super) events: Vec<Event>,
    told: LineState,
}

impl Engine {
    pub(super) fn new(manner: Manner) -> Self {
        let mut line = Line::default();
        line.set_mute(manner.voice == Voice::Mute);
        Self {
            screen: Screen::default(),
            delivery: Delivery::new(manner),
            line,
            voice: manner.voice,
            frame: None,
            changed: false,
            first: Vec::new(),
            text_in_flight: None,
            events: Vec::new(),
            told: LineState::default(),
        }
    }

    pub(super) fn set_manner(&mut self, manner: Manner) {
        self.voice = manner.voice;
        self.line.set_mute(manner.voice == Voice::Mute);
        self.delivery.set_manner(manner);
    }

    /// How exact pictures are to be, and the most bytes a second.
    pub(super) fn tune(&mut self, quality: Quality, bytes_per_second: Option<u64>, now: Instant) {
        self.delivery.set_quality(quality);
        self.line.limit(bytes_per_second, now);
    }

    pub(super) fn draw(&mut self, frame: TextFrame) {
        if self.frame.as_ref().is_some_and(|before| before.buffer.area != frame.buffer.area) {
            self.delivery.doubt_pane();
        }
        self.frame = Some(frame);
        self.changed = true;
    }

    pub(super) fn show(&mut self, pictures: Vec<Placed>, now: Instant) {
        self.delivery.want(pictures, now);
        self.changed = true;
    }

    /// A picture that will probably be wanted next.
    pub(super) fn prefetch(&mut self, picture: Placed) {
        self.delivery.prefetch(picture);
    }

    /// Everything is to be written again; with `stored` the terminal's images are gone too.
    pub(super) fn repaint(&mut self, stored: bool) {
        self.screen.forget();
        self.delivery.forgive();
        if stored {
            // One of several terminals that tmux is attached to may have them still.
            let first = &mut self.first;
            self.delivery.delete_all(first);
        }
        self.delivery.forget(stored);
        if stored {
            // Whoever had the terminal meanwhile also had the answers.
            self.line.give_all_up();
        }
        self.text_in_flight = None;
        self.changed = true;
    }

    /// What deletes all images from a terminal that does not show tmux's pane any more, past tmux. Others still have them.
    pub(super) fn images_deleted(&self) -> Vec<u8> {
        self.delivery.images_deleted()
    }

    /// tmux's pane was looked at. What comes back is for the terminal outside, past tmux.
    pub(super) fn set_pane(&mut self, pane: Option<Pane>, now: Instant) -> Vec<u8> {
        let outside = self.delivery.set_pane(pane, now, &mut self.events);
        self.tell();
        outside
    }

    pub(super) fn encoded(&mut self, job: Job, result: Encoded) {
        let refused = self.delivery.encoded(job, result);
        self.events.extend(refused);
    }

    pub(super) fn reply(&mut self, reply: &Reply, now: Instant) {
        let event = match reply {
            Reply::CursorPosition { .. } => {
                self.line.answer(now);
                self.text_in_flight.take_if(|(fence, _)| self.line.passed(*fence));
                self.delivery.fence_passed(&self.line, now)
            }
            Reply::Graphics { id, placement, message } => {
                self.delivery.graphics((*id, *placement), message, now, &mut self.line)
            }
            _ => None,
        };
        self.events.extend(event);
        self.tell();
    }

    /// Tells of the line after each picture, and when a preview comes or goes: its mark must be on the screen before it.
    fn tell(&mut self) {
        let state = self.delivery.state(&self.line);
        let arrived = self.events.iter().any(|event| matches!(event, Event::PictureShown { .. }));
        if state.preview != self.told.preview || (arrived && state != self.told) {
            self.told = state;
            self.events.push(Event::Line(state));
        }
    }

    /// Whether a picture or a large text is on its way.
    pub(super) fn in_flight(&self) -> bool {
        self.delivery.in_flight() || self.text_in_flight.is_some()
    }

    /// Whether the terminal owes an answer.
    pub(super) fn awaits_answers(&self) -> bool {
        self.in_flight() || self.line.awaits_answers()
    }

    /// The shortest time from a question to its answer.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.line.round_trip()
    }

    /// When to call [`Engine::step`] again even if nothing happens.
    pub(super) fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let text = self.text_in_flight.map(|(_, since)| since + self.line.patience());
        let allowed = if self.delivery.has_more() { self.line.allowed_at(now) } else { None };
        let calm = self.delivery.calm_at(now);
        let (idle, rest) = (self.delivery.idle_at(now), self.delivery.rests_until(now));
        let waits = [self.delivery.deadline(&self.line), text, allowed, calm, idle, rest];
        waits.into_iter().flatten().min()
    }

    /// Gives up waiting for answers that do not come.
    pub(super) fn expire(&mut self, now: Instant) {
        let expired = self.delivery.expire(now, &mut self.line);
        self.events.extend(expired);
        let patience = self.line.patience();
        if let Some((fence, _)) = self.text_in_flight.take_if(|(_, since)| now >= *since + patience) {
            self.line.give_up(fence);
        }
    }

    /// What to do next.
    pub(super) fn step(&mut self, now: Instant) -> Step {
        self.expire(now);
        let step = self.choose(now);
        self.tell();
        step
    }

    fn choose(&mut self, now: Instant) -> Step {
        let Some(frame) = &self.frame else { return Step::Wait };
        let mut out = std::mem::take(&mut self.first);
        self.delivery.give_way(now, &mut self.line, &mut out);
        if self.changed && self.text_in_flight.is_none() {
            self.changed = false;
            for area in self.delivery.retire(frame, now, &mut self.line, &mut out) {
                self.screen.stale(area);
            }
            let written = self.screen.write(frame, &mut out);
            self.delivery.text_written(&written);
            // Of a terminal that may not answer at all, or only after a while, nothing is asked that text would wait for.
            if out.len() > MUCH_TEXT && self.voice != Voice::Unknown {
                self.text_in_flight = Some((self.line.raise(&mut out, now), now));
            }
        }
        if out.is_empty() {
            match self.delivery.next(frame, now, &mut self.line, &mut self.events) {
                Step::Send(bytes) => out = bytes,
                step => return step,
            }
        }
        self.screen.put_cursor(&mut out);
        self.line.wrote(out.len(), now);
        Step::Send(out)
    }

    /// Breaks off what is half sent; the bytes for it.
    pub(super) fn halt(&mut self, now: Instant) -> Vec<u8> {
        let mut out = Vec::new();
        self.delivery.break_off(now, &mut self.line, &mut out);
        out
    }

    /// The last bytes: takes what the terminal stores for us away.
    pub(super) fn farewell(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.delivery.delete_all(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::capabilities::{CellSize, Protocol};
    use super::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Color;

    #[test]
    fn text_waits_for_no_answer_of_a_terminal_that_has_not_been_heard() {
        let cell = CellSize { width: 8, height: 16, guessed: false };
        let (through_tmux, first_image) = (false, 1000);
        let manner =
            |voice| Manner { protocol: Protocol::None, cell, registers: 256, through_tmux, first_image, voice };
        let mut engine = Engine::new(manner(Voice::Unknown));
        let now = Instant::now();
        let mut fenced = |voice, level: u8| {
            engine.set_manner(manner(voice));
            let mut buffer = Buffer::empty(Rect::new(0, 0, 100, 40));
            for (index, cell) in buffer.content.iter_mut().enumerate() {
                cell.set_char('▀').set_fg(Color::Rgb(level, index as u8, 0));
            }
            engine.draw(TextFrame { buffer, cursor: None });
            let Step::Send(bytes) = engine.step(now) else { panic!("text is written") };
            assert!(bytes.len() > MUCH_TEXT);
            String::from_utf8_lossy(&bytes).contains("\x1b[6n")
        };
        assert!(!fenced(Voice::Unknown, 1));
        assert!(!fenced(Voice::Unknown, 2), "nor for the second");
        assert!(fenced(Voice::Heard, 3));
    }
}
