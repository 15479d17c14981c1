//! The writer against a terminal that answers when it likes.

use super::super::capabilities::{CellSize, Protocol, Voice};
use super::super::encode::tests::ramp;
use super::super::picture::PictureKey;
use super::super::screen::tests::emulator;
use super::*;
use crate::task::Generation;
use crossbeam_channel::unbounded;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::io::Read as _;
use std::os::unix::net::UnixStream;

const FENCE: &str = "\x1b[6n";

struct Bench {
    writer: Writer,
    inbox: Arc<Inbox>,
    terminal: UnixStream,
    events: Receiver<Event>,
    seen: String,
}

impl Bench {
    fn new(protocol: Protocol) -> Self {
        let (ours, terminal) = UnixStream::pair().expect("a pair");
        ours.set_nonblocking(true).expect("non-blocking");
        terminal.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        let cell = CellSize { width: 8, height: 16, guessed: false };
        let (through_tmux, first_image) = (false, 1000);
        let manner = Manner { protocol, cell, registers: 256, through_tmux, first_image, voice: Voice::Heard };
        let inbox = Arc::new(Inbox::default());
        let (sender, events) = unbounded();
        let writer = Writer::start(Arc::clone(&inbox), Output::of(ours.into()), manner, sender).expect("threads");
        let bench = Self { writer, inbox, terminal, events, seen: String::new() };
        bench.inbox.draw(frame(' '));
        bench
    }

    /// Reads until `wanted` has been seen this often in all.
    fn read_until(&mut self, wanted: &str, times: usize) {
        let mut bytes = [0; 4096];
        while self.seen.matches(wanted).count() < times {
            let count = self.terminal.read(&mut bytes).expect("the writer writes");
            assert!(count > 0, "the writer ended");
            self.seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    }

    fn show(&self, key: u64) {
        let generation = (0..key).fold(Generation::default(), |generation, _| generation.next());
        let (key, area) = (PictureKey(key), Rect::new(0, 0, 10, 5));
        self.inbox.show(vec![Placed { slot: 0, key, area, picture: Arc::new(ramp(80, 80)), generation }]);
    }

    fn answer(&self) {
        self.inbox.reply(Reply::CursorPosition { row: 2, column: 1 });
    }
}

/// A screen whose last line begins with a character.
fn frame(first: char) -> TextFrame {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 8));
    buffer[(0, 7)].set_char(first);
    TextFrame { buffer, cursor: None }
}

#[test]
fn while_the_answer_is_withheld_text_goes_on_and_pictures_do_not() {
    let mut bench = Bench::new(Protocol::Kitty);
    bench.show(1);
    bench.read_until(FENCE, 1);
    for key in 2..40 {
        bench.show(key);
    }
    // Text written after those requests proves that the writer had its chance to send them.
    for letter in ['Ä', 'Ö', 'Ü'] {
        bench.inbox.draw(frame(letter));
        bench.read_until(&letter.to_string(), 1);
    }
    assert_eq!(bench.seen.matches("a=p,").count(), 1, "one image in flight");
    bench.answer();
    bench.read_until(FENCE, 2);
    bench.answer();
    let last = (0..39).fold(Generation::default(), |generation, _| generation.next());
    let told = std::iter::from_fn(|| bench.events.recv_timeout(Duration::from_secs(20)).ok());
    let shown: Vec<Event> = told.filter(|event| matches!(event, Event::PictureShown { .. })).take(2).collect();
    assert!(matches!(shown[..], [_, Event::PictureShown { generation, .. }] if generation == last), "{shown:?}");
    bench.writer.close();
    bench.read_until("a=d,d=I,", 2);
    assert_eq!(bench.seen.matches("a=p,").count(), 2, "those in between were never sent");
}

#[test]
fn a_frame_of_half_blocks_waits_for_the_last_one_to_arrive() {
    let mut bench = Bench::new(Protocol::Halfblocks);
    let large = |level: u8| {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 40));
        for (index, cell) in buffer.content.iter_mut().enumerate() {
            let (fg, bg) = (level.wrapping_add(index as u8), level.wrapping_mul(index as u8));
            cell.set_char('▀')
                .set_fg(ratatui::style::Color::Rgb(fg, fg, fg))
                .set_bg(ratatui::style::Color::Rgb(bg, bg, bg));
        }
        TextFrame { buffer, cursor: None }
    };
    bench.inbox.draw(large(1));
    // One before it, that waits for nothing, and its own.
    bench.read_until(FENCE, 2);
    for level in 2..20 {
        bench.inbox.draw(large(level));
    }
    bench.answer();
    bench.answer();
    bench.read_until(FENCE, 3);
    bench.answer();
    bench.writer.close();
    let mut rest = Vec::new();
    bench.terminal.read_to_end(&mut rest).expect("the writer ended");
    let mut terminal = emulator(40, 80);
    terminal.process(bench.seen.as_bytes());
    let cell = terminal.screen().cell(0, 1).expect("a cell");
    assert_eq!(cell.fgcolor(), vt100::Color::Rgb(20, 20, 20), "the newest frame is on screen");
    assert!(!String::from_utf8_lossy(&rest).contains(FENCE), "and none in between was sent");
}

#[test]
fn a_stop_waits_for_the_picture_and_afterwards_everything_is_sent_again() {
    let mut bench = Bench::new(Protocol::Kitty);
    bench.show(1);
    bench.read_until(FENCE, 1);
    bench.answer();
    bench.inbox.hold();
    bench.inbox.release();
    bench.read_until("\x1b[2J", 2);
    bench.read_until("a=t,f=100", 2);
}

#[test]
fn a_terminal_that_is_gone_is_told_once_and_the_end_does_not_hang() {
    let mut bench = Bench::new(Protocol::Sixel);
    (bench.terminal, _) = UnixStream::pair().expect("another pair");
    bench.inbox.draw(frame('x'));
    assert!(matches!(bench.events.recv_timeout(Duration::from_secs(20)), Ok(Event::WriterFailed(_))));
    bench.show(1);
    let start = Instant::now();
    bench.writer.close();
    assert!(start.elapsed() < LIMIT);
    assert!(bench.events.try_iter().all(|event| !matches!(event, Event::WriterFailed(_))));
}

#[test]
fn a_terminal_that_takes_nothing_does_not_hold_up_the_end() {
    let bench = Bench::new(Protocol::Iterm2);
    let noise = (0..4_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let picture = super::super::encode::tests::picture(2000, 2000, crate::raster::Pixels::Grey(noise));
    let area = Rect::new(0, 0, 10, 5);
    let (key, generation) = (PictureKey(1), Generation::default());
    bench.inbox.show(vec![Placed { slot: 0, key, area, picture: Arc::new(picture), generation }]);
    bench.inbox.hold();
    let start = Instant::now();
    bench.writer.close();
    assert!(start.elapsed() < LIMIT * 2);
}

#[test]
fn a_terminal_that_no_longer_shows_the_pane_loses_every_image_of_ours() {
    let file = tempfile::NamedTempFile::new().expect("a file in place of a terminal");
    let mut bench = Bench::new(Protocol::Kitty);
    bench.show(1);
    bench.read_until("a=p,i=1000", 1);
    bench.inbox.looked(Looked { pane: None, terminals: Vec::new(), gone: vec![file.path().to_owned()] });
    // The writer takes both in one turn, or this one later.
    bench.inbox.looked(Looked { pane: None, terminals: Vec::new(), gone: Vec::new() });
    bench.inbox.draw(frame('Ä'));
    bench.read_until("Ä", 1);
    let outside = std::fs::read_to_string(file.path()).expect("what was written");
    assert!(outside.contains("a=d,d=I,i=1000\x1b"), "{outside:?}");
}
