//! One picture in flight, the newest wins, and what is stored is not sent again.

use super::super::encode::tests::{picture, ramp};
use super::super::line::PATIENCE;
use super::*;
use crate::raster::Pixels;
use ratatui::buffer::Buffer;

/// A terminal's end of the line: takes bytes, gives answers when told to.
struct Bench {
    delivery: Delivery,
    line: Line,
    frame: TextFrame,
    now: Instant,
    told: Vec<Event>,
}

impl Bench {
    fn new(protocol: Protocol) -> Self {
        let cell = CellSize { width: 8, height: 16, guessed: false };
        let manner = Manner { protocol, cell, registers: 256, commands: Commands { pane: None } };
        let buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
        Self {
            delivery: Delivery::new(manner),
            line: Line::default(),
            frame: TextFrame { buffer, cursor: None },
            now: Instant::now(),
            told: Vec::new(),
        }
    }

    /// What is written next, encoding where that is asked for.
    fn sent(&mut self) -> Option<String> {
        loop {
            match self.delivery.next(&self.frame, self.now, &mut self.line, &mut self.told) {
                Step::Wait => return None,
                Step::Send(bytes) => return Some(String::from_utf8(bytes).expect("ASCII")),
                Step::Encode(job) => {
                    let result = job.run();
                    self.delivery.encoded(job, result);
                }
            }
        }
    }

    fn want(&mut self, pictures: Vec<Placed>) {
        self.delivery.want(pictures, self.now);
    }

    fn fence_answered(&mut self) -> Option<Event> {
        self.line.answer(self.now);
        self.delivery.fence_passed(&self.line, self.now)
    }
}

fn generation(count: u64) -> Generation {
    (0..count).fold(Generation::default(), |generation, _| generation.next())
}

fn placed(slot: u8, key: u64, area: Rect) -> Placed {
    Placed { slot, key: PictureKey(key), area, picture: Arc::new(ramp(64, 64)), generation: generation(key) }
}

const AREA: Rect = Rect::new(2, 2, 40, 20);

#[test]
fn kitty_stores_a_picture_once_and_places_it_again_for_less_than_80_bytes() {
    let mut bench = Bench::new(Protocol::Kitty);
    for key in [1, 2] {
        bench.want(vec![placed(0, key, AREA)]);
        assert!(bench.sent().expect("pixels").contains("a=t,f=100"));
        assert!(bench.fence_answered().is_some());
    }
    bench.want(vec![placed(0, 1, AREA)]);
    let again = bench.sent().expect("a placement");
    assert!(!again.contains("a=t") && again.contains("a=p,i=1000,p=1"), "{again:?}");
    assert!(again.contains("a=d,d=i,i=1001,p=2"), "the old placement goes: {again:?}");
    assert!(again.len() < 90 && again.trim_end_matches("\x1b[2;1H\x1b[6n").len() < 80, "{}", again.len());
}

#[test]
fn the_new_picture_lies_above_the_old_one_until_that_is_gone() {
    let mut bench = Bench::new(Protocol::Kitty);
    let mut heights = Vec::new();
    for key in 1..5 {
        bench.want(vec![placed(0, key, AREA)]);
        let sent = bench.sent().expect("a picture");
        let (place, delete) = (sent.find("a=p").expect("placed"), sent.find("d=i"));
        assert!(delete.is_none_or(|delete| delete > place));
        let z = sent.split("z=").nth(1).and_then(|rest| rest.split(',').next()).and_then(|z| z.parse::<u32>().ok());
        heights.push(z.expect("a height"));
        bench.fence_answered();
    }
    assert!(heights.is_sorted() && heights.first() < heights.last());
}

#[test]
fn nothing_is_sent_before_the_answer_and_then_the_newest() {
    for protocol in [Protocol::Kitty, Protocol::Sixel, Protocol::Iterm2] {
        let mut bench = Bench::new(protocol);
        bench.want(vec![placed(0, 1, AREA)]);
        assert!(bench.sent().is_some());
        for key in 2..30 {
            bench.want(vec![placed(0, key, AREA)]);
            assert_eq!(bench.sent(), None);
        }
        let event = bench.fence_answered();
        assert!(matches!(event, Some(Event::PictureShown { generation: g, bytes: 1.., .. }) if g == generation(1)));
        assert!(bench.sent().is_some());
        let event = bench.fence_answered();
        assert!(matches!(event, Some(Event::PictureShown { generation: g, .. }) if g == generation(29)));
        assert_eq!(bench.sent(), None);
    }
}

#[test]
fn a_terminal_that_never_answers_is_waited_for_two_seconds() {
    let mut bench = Bench::new(Protocol::Sixel);
    bench.want(vec![placed(0, 1, AREA)]);
    assert!(bench.sent().is_some());
    bench.want(vec![placed(0, 2, AREA)]);
    assert_eq!(bench.delivery.expire(bench.now + PATIENCE / 2, &mut bench.line), None);
    bench.now += PATIENCE;
    assert!(bench.delivery.expire(bench.now, &mut bench.line).is_some());
    assert!(bench.sent().is_some());
}

#[test]
fn kitty_s_own_answer_about_the_placement_is_enough() {
    let mut bench = Bench::new(Protocol::Kitty);
    bench.want(vec![placed(0, 1, AREA)]);
    bench.sent();
    let now = bench.now + Duration::from_millis(40);
    assert_eq!(
        bench.delivery.graphics((1000, None), "OK", now, &mut bench.line),
        None,
        "the pixels are there, the placement not yet"
    );
    let event = bench.delivery.graphics((1000, Some(1)), "OK", now, &mut bench.line);
    assert!(matches!(event, Some(Event::PictureShown { round_trip, .. }) if round_trip == Duration::from_millis(40)));
}

#[test]
fn an_image_that_the_terminal_lost_is_sent_again_but_not_for_ever() {
    let mut bench = Bench::new(Protocol::Kitty);
    bench.want(vec![placed(0, 1, AREA)]);
    for attempt in 0..ATTEMPTS {
        let sent = bench.sent().expect("pixels");
        assert!(sent.contains("a=t"), "attempt {attempt}");
        let id = 1000 + u32::from(attempt);
        assert_eq!(bench.delivery.graphics((id, Some(1)), "ENOENT:no such image", bench.now, &mut bench.line), None);
    }
    assert_eq!(bench.sent(), None);
    bench.want(vec![placed(0, 2, AREA)]);
    assert!(bench.sent().is_some(), "others are not concerned");
}

#[test]
fn the_same_picture_for_a_new_request_costs_nothing_and_is_told() {
    let mut bench = Bench::new(Protocol::Kitty);
    bench.want(vec![placed(0, 1, AREA)]);
    bench.sent();
    bench.fence_answered();
    bench.want(vec![Placed { generation: generation(9), ..placed(0, 1, AREA) }]);
    assert_eq!(bench.sent(), None);
    assert_eq!(bench.told, vec![shown_event(generation(9), Duration::ZERO, 0)]);
}

#[test]
fn two_slots_share_the_line_and_keep_their_own_placements() {
    let mut bench = Bench::new(Protocol::Kitty);
    let side = Rect::new(50, 2, 20, 10);
    bench.want(vec![placed(1, 7, side), placed(0, 1, AREA)]);
    assert!(bench.sent().expect("the main picture first").contains("p=1,c=40"));
    assert_eq!(bench.sent(), None);
    bench.fence_answered();
    assert!(bench.sent().expect("then the side one").contains("p=3,c=20"));
}

#[test]
fn text_over_a_picture_takes_it_away_and_its_end_brings_it_back() {
    let mut bench = Bench::new(Protocol::Kitty);
    bench.want(vec![placed(0, 1, AREA)]);
    bench.sent();
    bench.fence_answered();
    let free = bench.frame.clone();
    bench.frame.buffer[(10, 10)].set_symbol("?");
    let mut out = Vec::new();
    bench.delivery.retire(&bench.frame, bench.now, &mut bench.line, &mut out);
    assert!(String::from_utf8(out).expect("ASCII").contains("a=d,d=i,i=1000,p=1"));
    assert_eq!(bench.sent(), None);
    bench.frame = free;
    assert!(bench.sent().expect("back").contains("a=p,i=1000"));
}

#[test]
fn a_sixel_picture_that_moves_leaves_cells_to_be_written_again() {
    let mut bench = Bench::new(Protocol::Sixel);
    bench.want(vec![placed(0, 1, AREA)]);
    bench.sent();
    bench.fence_answered();
    bench.want(vec![placed(0, 1, Rect::new(3, 2, 40, 20))]);
    let mut out = Vec::new();
    assert_eq!(bench.delivery.retire(&bench.frame, bench.now, &mut bench.line, &mut out), vec![AREA]);
    assert!(bench.sent().expect("sent again").starts_with("\x1b[3;4H\x1bP"));
}

#[test]
fn sixel_leaves_the_screen_s_last_row_free_as_it_would_scroll() {
    for (area, height) in [(Rect::new(0, 2, 10, 21), 336), (Rect::new(0, 2, 10, 22), 336)] {
        let mut bench = Bench::new(Protocol::Sixel);
        bench.want(vec![placed(0, 1, area)]);
        assert!(bench.sent().expect("sent").contains(&format!("q\"1;1;80;{height}#")));
    }
}

#[test]
fn after_a_clear_a_stored_picture_is_only_placed_again() {
    let mut bench = Bench::new(Protocol::Kitty);
    bench.want(vec![placed(0, 1, AREA)]);
    bench.sent();
    bench.fence_answered();
    bench.delivery.text_written(&Written { cleared: true, cells: Vec::new() });
    let sent = bench.sent().expect("placed");
    assert!(!sent.contains("a=t") && sent.contains("a=p"));
    bench.delivery.forget(true);
    assert!(bench.sent().expect("sent").contains("a=t"), "on another screen nothing is stored");
}

#[test]
fn a_picture_that_cannot_be_encoded_is_left_out() {
    let mut bench = Bench::new(Protocol::Kitty);
    let bad = Placed { picture: Arc::new(picture(9, 9, Pixels::Grey(vec![0]))), ..placed(0, 1, AREA) };
    bench.want(vec![bad, placed(1, 2, Rect::new(50, 2, 4, 4))]);
    assert!(bench.sent().expect("the other").contains("p=3"));
}

#[test]
fn iterm2_gets_a_png_stretched_over_the_cells() {
    let mut bench = Bench::new(Protocol::Iterm2);
    bench.want(vec![placed(0, 1, AREA)]);
    let sent = bench.sent().expect("sent");
    let (keys, rest) = sent.split_once(':').expect("keys and a body");
    assert!(keys.starts_with("\x1b[3;3H\x1b]1337;File=inline=1;preserveAspectRatio=0"));
    assert!(keys.contains(";width=40;height=20"));
    assert!(rest.starts_with("iVBORw0KGgo") && rest.contains('\x07'));
}
