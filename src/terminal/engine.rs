//! What is written next: text before pictures, the newest of each. Pure: no I/O, no clock.

use super::delivery::{Delivery, Job, Manner, PATIENCE, Step};
use super::encode::EncodeError;
use super::event::{Event, Reply};
use super::fence::Fences;
use super::picture::Placed;
use super::screen::{Screen, TextFrame};
use std::time::Instant;

/// Text of more bytes than this (a screen of half-blocks) is fenced like a picture, so that a slow link builds no queue.
const MUCH_TEXT: usize = 8192;

/// The state of the screen and of what is on its way there.
#[derive(Debug)]
pub(super) struct Engine {
    screen: Screen,
    delivery: Delivery,
    fences: Fences,
    frame: Option<TextFrame>,
    /// The frame or the wanted pictures changed since the last writing of text.
    changed: bool,
    text_in_flight: Option<(u64, Instant)>,
    /// What the program is to be told.
    pub(super) events: Vec<Event>,
}

impl Engine {
    pub(super) fn new(manner: Manner) -> Self {
        Self {
            screen: Screen::default(),
            delivery: Delivery::new(manner),
            fences: Fences::default(),
            frame: None,
            changed: false,
            text_in_flight: None,
            events: Vec::new(),
        }
    }

    pub(super) fn set_manner(&mut self, manner: Manner) {
        self.delivery.set_manner(manner);
    }

    pub(super) fn draw(&mut self, frame: TextFrame) {
        self.frame = Some(frame);
        self.changed = true;
    }

    pub(super) fn show(&mut self, pictures: Vec<Placed>) {
        self.delivery.want(pictures);
        self.changed = true;
    }

    /// Everything is to be written again; with `stored` the terminal's images are gone too.
    pub(super) fn repaint(&mut self, stored: bool) {
        self.screen.forget();
        self.delivery.forget(stored);
        self.text_in_flight = None;
        self.changed = true;
    }

    pub(super) fn encoded(&mut self, job: Job, result: Result<Vec<u8>, EncodeError>) {
        self.delivery.encoded(job, result);
    }

    pub(super) fn reply(&mut self, reply: &Reply, now: Instant) {
        let event = match reply {
            Reply::CursorPosition { .. } => {
                self.fences.answer();
                self.text_in_flight.take_if(|(fence, _)| self.fences.passed(*fence));
                self.delivery.fence_passed(&self.fences, now)
            }
            Reply::Graphics { id, placement, message } => self.delivery.graphics(*id, *placement, message, now),
            _ => None,
        };
        self.events.extend(event);
    }

    /// Whether a picture or a large text is on its way.
    pub(super) fn in_flight(&self) -> bool {
        self.delivery.in_flight() || self.text_in_flight.is_some()
    }

    /// When to call [`Engine::step`] again even if nothing happens.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let text = self.text_in_flight.map(|(_, since)| since + PATIENCE);
        self.delivery.deadline().into_iter().chain(text).min()
    }

    /// Gives up waiting for answers that do not come.
    pub(super) fn expire(&mut self, now: Instant) {
        let expired = self.delivery.expire(now, &mut self.fences);
        self.events.extend(expired);
        if let Some((fence, _)) = self.text_in_flight.take_if(|(_, since)| now >= *since + PATIENCE) {
            self.fences.give_up(fence);
        }
    }

    /// What to do next.
    pub(super) fn step(&mut self, now: Instant) -> Step {
        self.expire(now);
        let Some(frame) = &self.frame else { return Step::Wait };
        if self.changed && self.text_in_flight.is_none() {
            self.changed = false;
            let mut out = Vec::new();
            for area in self.delivery.retire(frame, &mut out) {
                self.screen.stale(area);
            }
            let written = self.screen.write(frame, &mut out);
            self.delivery.text_written(&written);
            if out.len() > MUCH_TEXT {
                self.text_in_flight = Some((self.fences.raise(&mut out), now));
            }
            if !out.is_empty() {
                self.screen.put_cursor(&mut out);
                return Step::Send(out);
            }
        }
        match self.delivery.next(frame, now, &mut self.fences, &mut self.events) {
            Step::Send(mut out) => {
                self.screen.put_cursor(&mut out);
                Step::Send(out)
            }
            step => step,
        }
    }

    /// The last bytes: takes what the terminal stores for us away.
    pub(super) fn farewell(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.delivery.delete_all(&mut out);
        out
    }
}
