//! A door for `tests/bench`: the delivery of pictures over a line of a given rate and length, in simulated time. The engine
//! is the real one; line and terminal are models.

use super::capabilities::{CellSize, Protocol, Voice};
use super::delivery::{Job, Manner, Step};
use super::encode::Encoded;
use super::engine::Engine;
use super::event::Reply;
use super::picture::{PictureKey, Placed};
use super::screen::TextFrame;
use crate::raster::Picture;
use crate::task::Generation;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Cells of 8 × 16 pixels, and the place of a picture of 512 × 512 among them.
const CELL: CellSize = CellSize { width: 8, height: 16, guessed: false };
/// What an encoding takes.
const ENCODING: Duration = Duration::from_millis(1);
/// Where pictures are shown, in cells.
pub const AREA: Rect = Rect::new(0, 0, 64, 32);
/// The screen.
const SCREEN: Rect = Rect::new(0, 0, 120, 40);

/// What became visible on the simulated terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A picture, as the PNG that was sent for it.
    Png(Arc<Vec<u8>>),
    /// A sixel picture of so many bytes.
    Sixel(usize),
    /// A character of text.
    Text(char),
}

/// A program at one end, a terminal at the other.
#[derive(Debug)]
pub struct Session {
    engine: Engine,
    begun: Instant,
    now: Instant,
    bytes_per_second: f64,
    one_way: Duration,
    free: Instant,
    generation: Generation,
    /// The picture that each PNG was made for.
    keys: HashMap<Vec<u8>, u64>,
    frame: TextFrame,
    encoded: Option<(Instant, Job, Encoded)>,
    coming: VecDeque<(Instant, Vec<u8>)>,
    replies: VecDeque<(Instant, Reply)>,
    screen: Screen,
    /// What became visible, and when, counted from the beginning.
    pub seen: Vec<(Duration, Seen)>,
    /// kitty's pictures that became visible, exact ones and previews: when, and their keys.
    pub arrived: Vec<(Duration, u64)>,
    /// Bytes written so far.
    pub sent: usize,
}

impl Session {
    /// A session over a line that carries so many bytes a second and takes so long from one end to the other and back.
    #[must_use]
    pub fn new(protocol: Protocol, bytes_per_second: f64, round_trip: Duration) -> Self {
        let now = Instant::now();
        let mut session = Self {
            engine: Engine::new(manner(protocol)),
            begun: now,
            now,
            bytes_per_second,
            one_way: round_trip / 2,
            free: now,
            generation: Generation::default(),
            frame: TextFrame { buffer: Buffer::empty(SCREEN), cursor: None },
            encoded: None,
            coming: VecDeque::new(),
            replies: VecDeque::new(),
            screen: Screen::default(),
            seen: Vec::new(),
            arrived: Vec::new(),
            keys: HashMap::new(),
            sent: 0,
        };
        session.engine.draw(session.frame.clone());
        session.run_for(Duration::from_secs(1));
        session
    }

    /// Time since the beginning.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.now - self.begun
    }

    /// Asks for a picture.
    pub fn show(&mut self, key: u64, picture: &Arc<Picture>) {
        self.generation = self.generation.next();
        let (key, picture, generation) = (PictureKey(key), Arc::clone(picture), self.generation);
        self.engine.show(vec![Placed { slot: 0, key, area: AREA, picture, generation }], self.now);
        self.work();
    }

    /// Writes a character beside the picture.
    pub fn write(&mut self, letter: char) {
        self.frame.buffer[(SCREEN.width - 1, SCREEN.height - 1)].set_char(letter);
        self.engine.draw(self.frame.clone());
        self.work();
    }

    /// Bytes that are written and have not arrived.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.coming.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Lets time pass until nothing happens any more; ten minutes at most.
    pub fn settle(&mut self) {
        let end = self.now + Duration::from_secs(600);
        while self.now < end && (self.engine.in_flight() || !self.coming.is_empty() || self.encoded.is_some()) {
            self.run_for(Duration::from_millis(5));
        }
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.work();
            let next = [
                self.coming.front().map(|(at, _)| *at),
                self.replies.front().map(|(at, _)| *at),
                self.encoded.as_ref().map(|(at, ..)| *at),
                self.engine.deadline(self.now),
            ];
            let Some(next) = next.into_iter().flatten().min().filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            self.arrive();
        }
        self.now = end;
    }

    fn arrive(&mut self) {
        while self.coming.front().is_some_and(|(at, _)| *at <= self.now) {
            let Some((_, bytes)) = self.coming.pop_front() else { break };
            let (at, back) = (self.now - self.begun, self.now + self.one_way);
            for happened in self.screen.take(&bytes) {
                match happened {
                    Happened::Seen(seen) => {
                        if let Seen::Png(png) = &seen {
                            self.arrived.extend(self.keys.get(&**png).map(|key| (at, *key)));
                        }
                        self.seen.push((at, seen));
                    }
                    Happened::Answered(reply) => self.replies.push_back((back, reply)),
                }
            }
        }
        while self.replies.front().is_some_and(|(at, _)| *at <= self.now) {
            let Some((_, reply)) = self.replies.pop_front() else { break };
            self.engine.reply(&reply, self.now);
        }
        if let Some((_, job, result)) = self.encoded.take_if(|(at, ..)| *at <= self.now) {
            self.engine.encoded(job, result);
        }
    }

    /// What the writer's thread does at this moment.
    fn work(&mut self) {
        loop {
            match self.engine.step(self.now) {
                // There is no tmux here.
                Step::Wait | Step::Look => break,
                Step::Encode(job) => {
                    let result = job.run();
                    if let Ok(png) = &result {
                        self.keys.insert(png.concat(), job.key.0);
                    }
                    self.encoded = Some((self.now + ENCODING, job, result));
                }
                Step::Send(bytes) => {
                    self.sent += bytes.len();
                    // The terminal reads as bytes come: a question is answered before what follows it is there.
                    for part in up_to_questions(&bytes) {
                        let takes = Duration::from_secs_f64(part.len() as f64 / self.bytes_per_second);
                        self.free = self.free.max(self.now) + takes;
                        self.coming.push_back((self.free + self.one_way, part.to_vec()));
                    }
                }
            }
        }
        self.engine.events.clear();
    }
}

/// What is written, in parts that each end with a question.
fn up_to_questions(mut bytes: &[u8]) -> Vec<&[u8]> {
    const QUESTION: &[u8] = b"\x1b[6n";
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let found = bytes.windows(QUESTION.len()).position(|window| window == QUESTION);
        let (part, rest) = bytes.split_at(found.map_or(bytes.len(), |at| at + QUESTION.len()));
        parts.push(part);
        bytes = rest;
    }
    parts
}

fn manner(protocol: Protocol) -> Manner {
    let (through_tmux, first_image) = (false, 1000);
    Manner { protocol, cell: CELL, registers: 256, through_tmux, first_image, voice: Voice::Heard }
}

/// A picture as it is sent, all of it, with nothing around it; `None` where it cannot be.
#[must_use]
pub fn encoded(protocol: Protocol, picture: &Arc<Picture>) -> Option<Vec<u8>> {
    Job::new(PictureKey(0), AREA, false, Arc::clone(picture), manner(protocol)).run().ok().map(|pieces| pieces.concat())
}

enum Happened {
    Seen(Seen),
    Answered(Reply),
}

/// A terminal that stores pictures and shows them; commands come whole.
#[derive(Debug, Default)]
struct Screen {
    stored: HashMap<u32, Arc<Vec<u8>>>,
    loading: Option<(u32, String)>,
}

impl Screen {
    fn take(&mut self, bytes: &[u8]) -> Vec<Happened> {
        let text = String::from_utf8_lossy(bytes);
        let mut happened = Vec::new();
        let mut rest = &*text;
        while let Some(first) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("\x1b[") {
                let end = after.find(|c: char| ('@'..='~').contains(&c)).map_or(after.len(), |end| end + 1);
                if &after[..end] == "6n" {
                    happened.push(Happened::Answered(Reply::CursorPosition { row: 2, column: 1 }));
                }
                rest = &after[end..];
            } else if rest.starts_with("\x1b_G") || rest.starts_with("\x1bP") {
                let end = rest.find("\x1b\\").unwrap_or(rest.len());
                match rest[..end].strip_prefix("\x1b_G") {
                    Some(command) => self.graphics(command, &mut happened),
                    None => happened.push(Happened::Seen(Seen::Sixel(end))),
                }
                rest = rest.get(end + 2..).unwrap_or_default();
            } else {
                if !first.is_ascii_control() && first != ' ' {
                    happened.push(Happened::Seen(Seen::Text(first)));
                }
                rest = &rest[first.len_utf8()..];
            }
        }
        happened
    }

    fn graphics(&mut self, command: &str, happened: &mut Vec<Happened>) {
        let (keys, body) = command.split_once(';').unwrap_or((command, ""));
        let key = |name: &str| keys.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let number = |name: &str| key(name).and_then(|value| value.parse::<u32>().ok());
        match (key("a"), self.loading.take()) {
            (Some("t"), None) => self.loading = number("i").map(|id| (id, body.to_owned())),
            (None, Some((id, sent))) => self.loading = Some((id, sent + body)),
            (Some("p"), None) => {
                let id = number("i").unwrap_or_default();
                let picture = self.stored.get(&id);
                let message = if picture.is_some() { "OK" } else { "ENOENT" }.to_owned();
                happened.push(Happened::Answered(Reply::Graphics { id, placement: number("p"), message }));
                happened.extend(picture.map(|png| Happened::Seen(Seen::Png(Arc::clone(png)))));
            }
            (Some("d"), None) if key("d") == Some("I") => {
                self.stored.remove(&number("i").unwrap_or_default());
            }
            (Some("d"), None) => {}
            (action, loading) => panic!("{action:?} while {:?} is being sent", loading.map(|(id, _)| id)),
        }
        if let Some((id, sent)) = self.loading.take_if(|_| key("m") == Some("0")) {
            self.stored.insert(id, Arc::new(unbase64(&sent)));
            happened.push(Happened::Answered(Reply::Graphics { id, placement: None, message: "OK".into() }));
        }
    }
}

fn unbase64(text: &str) -> Vec<u8> {
    let value = |digit: u8| match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|digit| *digit != b'=').map(value).collect();
    let mut bytes = Vec::with_capacity(digits.len());
    for four in digits.chunks(4) {
        let group = four.iter().fold(0_u32, |group, digit| group << 6 | u32::from(*digit)) << (6 * (4 - four.len()));
        bytes.extend(&group.to_be_bytes()[1..four.len()]);
    }
    bytes
}

#[cfg(test)]
#[path = "simulated_tests.rs"]
mod tests;
