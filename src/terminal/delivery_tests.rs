//! One picture in flight, the newest wins, and what is stored is not sent again.

use super::super::encode::tests::{picture, ramp};
use super::super::line::PATIENCE;
use super::*;
use crate::raster::{Pixels, Quality};
use ratatui::buffer::Buffer;
use std::sync::Arc;

/// A terminal's end of the line: takes bytes, gives answers when told to.
struct Bench {
    delivery: Delivery,
    line: Line,
    frame: TextFrame,
    now: Instant,
    told: Vec<Event>,
    /// The image being transmitted, and those whose pixels are there and not yet acknowledged.
    loading: Option<u32>,
    loaded: Vec<u32>,
    answers: bool,
}

impl Bench {
    fn new(protocol: Protocol) -> Self {
        let cell = CellSize { width: 8, height: 16, guessed: false };
        let (through_tmux, first_image) = (false, 1000);
        let manner = Manner { protocol, cell, registers: 256, through_tmux, first_image, voice: Voice::Heard };
        let buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
        let now = Instant::now();
        // A line whose round trip is known: no question goes before a picture.
        let mut line = Line::default();
        line.raise(&mut Vec::new(), now);
        line.answer(now);
        let mut bench = Self {
            delivery: Delivery::new(manner),
            line,
            frame: TextFrame { buffer, cursor: None },
            now,
            told: Vec::new(),
            loading: None,
            loaded: Vec::new(),
            answers: true,
        };
        if protocol == Protocol::Kitty {
            assert_eq!(bench.sent().as_deref(), Some("\x1b_Ga=d,d=A\x1b\\"));
        }
        bench
    }

    /// What is written next, encoding where that is asked for.
    fn sent(&mut self) -> Option<String> {
        loop {
            match self.delivery.next(&self.frame, self.now, &mut self.line, &mut self.told) {
                Step::Wait | Step::Look => return None,
                Step::Send(bytes) => {
                    let text = String::from_utf8(bytes).expect("ASCII");
                    self.take(&text);
                    return Some(text);
                }
                Step::Encode(job) => {
                    let result = job.run();
                    self.delivery.encoded(job, result);
                }
            }
        }
    }

    /// Takes in the pixels of an image, as kitty does.
    fn take(&mut self, sent: &str) {
        for command in sent.split("\x1b_G").skip(1) {
            if let Some(id) = command.strip_prefix("a=t,f=100,i=").and_then(|rest| rest.split(',').next()) {
                self.loading = id.parse().ok();
            }
            let keys = command.split(';').next().unwrap_or_default();
            if keys.ends_with("m=0") && command.starts_with(['a', 'm']) {
                self.loaded.extend(self.loading.take());
            }
        }
    }

    /// All pieces of what is written next; those that wait for the line are let through.
    fn whole(&mut self) -> Option<String> {
        let mut all = self.sent()?;
        while self.delivery.has_more() {
            match self.sent() {
                Some(piece) => all += &piece,
                None => assert_eq!(self.fence_answered(), None, "pieces are still to come"),
            }
        }
        Some(all)
    }

    /// Everything that was written has arrived.
    fn arrived(&mut self) -> Option<Event> {
        (0..64).find_map(|_| self.fence_answered())
    }

    fn want(&mut self, pictures: Vec<Placed>) {
        self.delivery.want(pictures, self.now);
    }

    fn fence_answered(&mut self) -> Option<Event> {
        for id in std::mem::take(&mut self.loaded).into_iter().filter(|_| self.answers) {
            assert_eq!(self.delivery.graphics((id, None), "OK", self.now, &mut self.line), None);
        }
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
    // With numbers of four digits; those in use have up to ten.
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
        let sent = bench.sent().expect("an image");
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
        assert!(bench.whole().is_some());
        for key in 2..30 {
            bench.want(vec![placed(0, key, AREA)]);
            assert_eq!(bench.sent(), None);
        }
        let event = bench.arrived();
        assert!(matches!(event, Some(Event::PictureShown { generation: g, bytes: 1.., .. }) if g == generation(1)));
        assert!(bench.whole().is_some());
        let event = bench.arrived();
        assert!(matches!(event, Some(Event::PictureShown { generation: g, .. }) if g == generation(29)));
        assert_eq!(bench.sent(), None);
    }
}

#[test]
fn a_terminal_that_never_answers_is_waited_for_two_seconds() {
    let mut bench = Bench::new(Protocol::Sixel);
    bench.want(vec![placed(0, 1, AREA)]);
    assert!(bench.whole().is_some());
    bench.want(vec![placed(0, 2, AREA)]);
    assert_eq!(bench.delivery.expire(bench.now + PATIENCE / 2, &mut bench.line), None);
    // And as long as the bytes under way take.
    bench.now += PATIENCE + Duration::from_millis(100);
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
        bench.loaded.clear();
        let told = bench.delivery.graphics((id, Some(1)), "ENOENT:no such image", bench.now, &mut bench.line);
        let refused = Event::PictureRefused { slot: 0, refusal: Refusal::NotKept };
        assert_eq!(told, (attempt + 1 == ATTEMPTS).then_some(refused), "and that is told");
        bench.fence_answered();
    }
    assert_eq!(bench.sent(), None);
    bench.delivery.forgive();
    assert!(bench.sent().expect("once more").contains("a=t"));
    bench.fence_answered();
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
    assert!(bench.sent().expect("the main image first").contains("p=1,c=40"));
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
    bench.whole();
    bench.arrived();
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
        let sent = bench.whole().expect("sent");
        let heights = sent.split("q\"1;1;80;").skip(1).filter_map(|rest| rest.split('#').next()?.parse::<u32>().ok());
        assert_eq!(heights.sum::<u32>(), height);
        // Strip by strip down the screen.
        assert!(sent.contains("\x1b[3;1H\x1bP") && sent.contains("\x1b[6;1H\x1bP"), "{sent}");
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
    bench.sent();
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
fn iterm2_gets_pngs_stretched_over_the_cells() {
    let mut bench = Bench::new(Protocol::Iterm2);
    bench.want(vec![placed(0, 1, AREA)]);
    let sent = bench.whole().expect("sent");
    let mut rows = 0;
    for strip in sent.split("\x1b]1337;").skip(1) {
        let (keys, rest) = strip.split_once(':').expect("keys and a body");
        assert!(keys.starts_with("File=inline=1;preserveAspectRatio=0") && keys.contains(";width=40;height=5"));
        assert!(rest.starts_with("iVBORw0KGgo") && rest.contains('\x07'));
        rows += 5;
    }
    // 64 rows of pixels over 20 of cells: every five cells are 16 of them.
    assert_eq!(rows, 20);
    assert!(sent.starts_with("\x1b[3;3H") && sent.contains("\x1b[8;3H\x1b]1337"));
}

/// A picture that no compression makes small: many pieces.
fn noise(slot: u8, key: u64) -> Placed {
    let mut state = key as u32 + 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let pixels = Pixels::Grey((0..256 * 256).map(|_| next()).collect());
    Placed { picture: Arc::new(picture(256, 256, pixels)), ..placed(slot, key, AREA) }
}

impl Bench {
    /// Everything that is written until nothing more is; each piece is answered when the line has carried it.
    fn carried(&mut self, bytes_per_second: f64) -> String {
        let mut all = String::new();
        while let Some(sent) = self.sent() {
            self.now += Duration::from_secs_f64(sent.len() as f64 / bytes_per_second);
            all.push_str(&sent);
            self.fence_answered();
        }
        all
    }

    fn shows_preview(&self) -> bool {
        self.delivery.state(&self.line).preview
    }
}

#[test]
fn a_large_picture_goes_in_pieces_and_no_more_than_the_line_carries() {
    let mut bench = Bench::new(Protocol::Kitty);
    bench.want(vec![noise(0, 1)]);
    let mut before_any_answer = 0;
    while let Some(sent) = bench.sent() {
        assert!(sent.len() < 4300 && sent.ends_with("\x1b[6n"));
        before_any_answer += sent.len();
    }
    assert!((8_000..20_000).contains(&before_any_answer), "{before_any_answer}");
    assert_eq!(bench.fence_answered(), None, "it is not there yet");
    let rest = bench.carried(1e6);
    assert_eq!(rest.matches("a=p,").count(), 1);
    assert!(rest.trim_end_matches("\x1b[2;1H\x1b[6n").ends_with("C=1\x1b\\"), "the placement comes last");
}

#[test]
fn what_must_leave_the_screen_does_not_wait_for_the_rest_of_a_picture() {
    let mut bench = Bench::new(Protocol::Kitty);
    bench.want(vec![placed(0, 1, AREA)]);
    bench.carried(1e6);
    bench.want(vec![noise(0, 2)]);
    bench.sent().expect("the first piece");
    bench.frame.buffer[(10, 10)].set_symbol("?");
    let mut out = Vec::new();
    bench.delivery.retire(&bench.frame, bench.now, &mut bench.line, &mut out);
    let out = String::from_utf8(out).expect("ASCII");
    assert!(out.starts_with("\x1b_Gm=0;\x1b\\") && out.contains("a=d,d=i,i=1000,p=1"), "{out:?}");
    assert_eq!(bench.sent(), None);
    let told = [bench.fence_answered(), bench.fence_answered()];
    assert_eq!(told, [None, None], "what was broken off was not shown");
    bench.frame.buffer[(10, 10)].set_symbol(" ");
    assert!(bench.carried(1e6).contains("a=t,f=100,i=1002"), "it is sent anew");
}

#[test]
fn on_a_slow_line_a_held_key_shows_previews_and_its_end_the_exact_picture() {
    let mut bench = Bench::new(Protocol::Kitty);
    for key in 1..4 {
        bench.want(vec![noise(0, key)]);
        let exact = bench.carried(150e3);
        assert!(exact.len() > 80_000 && !bench.shows_preview());
        bench.now += Duration::from_secs(1);
    }
    bench.want(vec![noise(0, 4)]);
    bench.now += Duration::from_millis(33);
    bench.want(vec![noise(0, 5)]);
    let first = bench.sent().expect("a piece");
    assert!(bench.shows_preview(), "its mark is on the screen before it is");
    bench.now += Duration::from_millis(30);
    bench.fence_answered();
    bench.want(vec![noise(0, 5)]);
    let rest = bench.carried(200e3);
    assert!(first.len() + rest.len() < 30_000, "{}", first.len() + rest.len());
    assert!(bench.shows_preview());
    let calm = bench.delivery.calm_at(bench.now).expect("keys will have stopped");
    bench.now = calm;
    let exact = bench.sent().expect("the exact one");
    assert!(exact.contains("a=t") && bench.shows_preview(), "until the exact one is there");
    bench.fence_answered();
    assert!(bench.carried(1e6).len() > 60_000);
    assert!(!bench.shows_preview());
}

#[test]
fn the_reader_decides_whether_there_are_previews() {
    for (quality, preview) in [(Quality::Exact, false), (Quality::Preview, true)] {
        let mut bench = Bench::new(Protocol::Kitty);
        bench.delivery.set_quality(quality);
        for key in 1..6 {
            bench.want(vec![noise(0, key)]);
            let sent = bench.carried(100e3);
            assert_eq!((sent.len() < 30_000, bench.shows_preview()), (preview, preview));
        }
    }
}

#[test]
fn what_comes_next_is_stored_while_nothing_happens_and_gives_way_to_a_key() {
    let mut bench = Bench::new(Protocol::Kitty);
    bench.want(vec![noise(0, 1)]);
    bench.carried(1e6);
    for key in 2..5 {
        bench.delivery.prefetch(noise(0, key));
    }
    assert_eq!(bench.sent(), None, "not at once");
    bench.now = bench.delivery.idle_at(bench.now).expect("idle soon");
    let mut first = bench.sent().expect("a piece");
    // Keys come while the first is on its way.
    bench.want(vec![noise(0, 9)]);
    let mut out = Vec::new();
    bench.delivery.give_way(bench.now, &mut bench.line, &mut out);
    assert_eq!(out.strip_suffix(b"\x1b[2;1H\x1b[6n"), Some(&b"\x1b_Gm=0;\x1b\\"[..]));
    for _ in 0..2 {
        assert_eq!(bench.fence_answered(), None);
    }
    first.push_str(&bench.carried(1e6));
    assert!(first.contains("i=1002") && first.matches("a=p,").count() == 1, "only what is wanted is shown");
    bench.now += Duration::from_secs(1);
    assert_eq!(bench.sent(), None, "what was thought to come next is forgotten");
    // Nothing happens any more: all are stored, none is shown.
    bench.delivery.prefetch(noise(0, 3));
    let stored = bench.carried(1e6);
    assert!(stored.contains("a=t") && !stored.contains("a=p"));
    bench.want(vec![noise(0, 3)]);
    let shown = bench.carried(1e6);
    assert!(!shown.contains("a=t") && shown.len() < 100, "{}", shown.len());
}

#[test]
fn an_image_that_was_never_acknowledged_is_sent_anew_and_not_placed_by_its_number() {
    let mut bench = Bench::new(Protocol::Kitty);
    bench.answers = false;
    for key in [1, 2] {
        bench.want(vec![placed(0, key, AREA)]);
        bench.sent();
        bench.fence_answered();
    }
    bench.want(vec![placed(0, 1, AREA)]);
    let again = bench.sent().expect("pixels");
    assert!(again.contains("a=d,d=I,i=1000") && again.contains("a=t,f=100,i=1002"), "{again:?}");
}

#[test]
fn what_a_killed_program_left_goes_before_anything_is_wanted_and_again_on_another_screen() {
    // The first time at the beginning of every test.
    let mut bench = Bench::new(Protocol::Kitty);
    assert_eq!(bench.sent(), None);
    bench.delivery.forget(true);
    assert_eq!(bench.sent().as_deref(), Some("\x1b_Ga=d,d=A\x1b\\"));
    assert_eq!(bench.sent(), None);
}

#[path = "delivery/passage_tests.rs"]
mod through_tmux;
