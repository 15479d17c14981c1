//! Pictures over a slow line: what cspine sends beside what ratatui-image sends, for the same slices of a synthetic CT in the
//! same run. Lines are simulated: the real delivery runs in simulated time. Ends with 1 where a goal is missed.

use cspine::phantom::{Recipe, generate};
use cspine::raster::{OrientationMarkers, Picture, Pixels};
use cspine::task::Cancel;
use cspine::terminal::Protocol;
use cspine::terminal::simulated::{self, AREA, Seen, Session};
use image::{DynamicImage, GrayImage};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use ratatui::widgets::Widget;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::{Image, Resize};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SIDE: u32 = 512;
const SLICES: usize = 300;
/// The bone window, HU.
const WINDOW: (f64, f64) = (-500.0, 1300.0);
/// Bytes a second: a slow line, and 1 Mbit/s.
const SLOW: f64 = 200e3;
const MEGABIT: f64 = 125e3;
const FAR: Duration = Duration::from_millis(100);
/// A key held down.
const REPEAT: Duration = Duration::from_millis(33);

/// The table, and whether all goals are met.
#[derive(Default)]
struct Table {
    missed: usize,
}

impl Table {
    fn row(&mut self, what: &str, measured: &str, goal: &str, met: bool) {
        self.missed += usize::from(!met);
        println!("{what:<58} {measured:>16}   {goal:<12} {}", if met { "" } else { "MISSED" });
    }

    fn note(what: &str, measured: &str) {
        println!("{what:<58} {measured:>16}");
    }
}

/// A neck in the bone window, slice by slice; each is also turned and mirrored, as making 300 takes minutes.
fn slices() -> Vec<Arc<Picture>> {
    let mut recipe = Recipe::random(7).with_matrix(SIDE as usize);
    recipe.scan.slices = SLICES.div_ceil(8);
    let study = generate(&recipe, &Cancel::new()).expect("a neck");
    let (low, high) = WINDOW;
    let grey = |hu: &i16| ((f64::from(*hu) - low) / (high - low) * 255.0).round().clamp(0.0, 255.0) as u8;
    let drawn: Vec<Vec<u8>> =
        study.voxels.chunks((SIDE * SIDE) as usize).map(|slice| slice.iter().map(grey).collect()).collect();
    (0..8).flat_map(|way| drawn.iter().map(move |slice| picture(turned(slice, way)))).take(SLICES).collect()
}

/// One of the eight ways in which a square can lie.
fn turned(slice: &[u8], way: usize) -> Vec<u8> {
    let side = SIDE as usize;
    let place = |index: usize| {
        let (row, column) = (index / side, index % side);
        let (row, column) = if way & 1 == 0 { (row, column) } else { (column, row) };
        let row = if way & 2 == 0 { row } else { side - 1 - row };
        let column = if way & 4 == 0 { column } else { side - 1 - column };
        slice[row * side + column]
    };
    (0..side * side).map(place).collect()
}

fn picture(grey: Vec<u8>) -> Arc<Picture> {
    let (pixels, markers) = (Pixels::Grey(grey), OrientationMarkers::default());
    Arc::new(Picture { width: SIDE, height: SIDE, pixel_aspect: 1.0, pixels, markers, mm_per_pixel: None })
}

fn grey(picture: &Picture) -> &[u8] {
    match &picture.pixels {
        Pixels::Grey(bytes) | Pixels::Rgb(bytes) => bytes,
    }
}

/// What ratatui-image's widget writes for a picture drawn anew, and the time it takes.
#[expect(deprecated, reason = "nothing else sets the cell's size without a terminal")]
fn by_ratatui_image(protocol: ProtocolType, picture: &Picture) -> (usize, Duration) {
    let mut picker = Picker::from_fontsize((8, 16).into());
    picker.set_protocol_type(protocol);
    let image = GrayImage::from_raw(SIDE, SIDE, grey(picture).to_vec()).expect("a picture");
    let begun = Instant::now();
    let size = Size::new(AREA.width, AREA.height);
    let shown = picker.new_protocol(DynamicImage::ImageLuma8(image), size, Resize::Fit(None)).expect("encoded");
    let (before, mut after) = (Buffer::empty(AREA), Buffer::empty(AREA));
    Image::new(&shown).render(AREA, &mut after);
    let mut out = Vec::new();
    CrosstermBackend::new(&mut out).draw(before.diff(&after).into_iter()).expect("a vector takes all");
    (out.len(), begun.elapsed())
}

/// The median time of an encoding.
fn median(mut work: impl FnMut(usize)) -> Duration {
    let mut times: Vec<Duration> = (0..41)
        .map(|index| {
            let begun = Instant::now();
            work(index);
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

fn kb(bytes: usize) -> String {
    format!("{:.1} KB", bytes as f64 / 1e3)
}

/// Bytes that a session writes for a picture, until it has arrived.
fn bytes_of(session: &mut Session, key: usize, picture: &Arc<Picture>) -> usize {
    let before = session.sent;
    session.show(key as u64, picture);
    session.settle();
    session.sent - before
}

/// The times at which a slice became visible, and which.
fn shown(session: &Session, slices: &[Arc<Picture>]) -> Vec<(Duration, Option<usize>)> {
    let of = |png: &[u8]| {
        let decoded = image::load_from_memory(png).expect("a PNG").into_luma8();
        slices.iter().position(|slice| grey(slice) == decoded.as_raw().as_slice())
    };
    let pictures = session.seen.iter().filter_map(|(at, seen)| match seen {
        Seen::Png(png) => Some((*at, of(png))),
        Seen::Sixel(_) | Seen::Text(_) => None,
    });
    pictures.collect()
}

fn new_slice(table: &mut Table, slices: &[Arc<Picture>]) {
    let mut session = Session::new(Protocol::Kitty, 1e9, Duration::from_millis(1));
    let ours: Vec<usize> = (0..SLICES).step_by(10).map(|index| bytes_of(&mut session, index, &slices[index])).collect();
    let largest = ours.iter().copied().max().unwrap_or_default();
    let mean = ours.iter().sum::<usize>() / ours.len();
    let (theirs, took) = by_ratatui_image(ProtocolType::Kitty, &slices[SLICES / 2]);
    Table::note("ratatui-image, kitty, new slice", &kb(theirs));
    Table::note("ratatui-image, kitty, encoding", &ms(took));
    table.row("kitty, new slice, mean of 30", &kb(mean), "≤ 80 KB", mean <= 80_000);
    Table::note("kitty, new slice, largest of 30", &kb(largest));
    let part = theirs as f64 / mean as f64;
    table.row("kitty, new slice, part of ratatui-image's", &format!("1/{part:.1}"), "≤ 1/15", part >= 15.0);
    let time = median(|index| {
        simulated::encoded(Protocol::Kitty, &slices[index * 7]).expect("encoded");
    });
    table.row("kitty, encoding", &ms(time), "≤ 1 ms", time <= Duration::from_millis(1));
    let again = bytes_of(&mut session, 0, &slices[0]);
    table.row("kitty, slice shown before", &format!("{again} bytes"), "≤ 80 bytes", again <= 80);
}

fn once_and_back(table: &mut Table, slices: &[Arc<Picture>]) {
    let mut session = Session::new(Protocol::Kitty, 1e9, Duration::from_millis(1));
    let (mut ours, mut theirs) = (0, 0);
    for index in (0..SLICES).chain((0..SLICES).rev()) {
        ours += bytes_of(&mut session, index, &slices[index]);
        theirs += by_ratatui_image(ProtocolType::Kitty, &slices[index]).0;
    }
    let part = theirs as f64 / ours as f64;
    Table::note("ratatui-image, 300 slices once and back", &kb(theirs));
    Table::note("kitty, 300 slices once and back", &kb(ours));
    table.row("kitty, 300 slices, part of ratatui-image's", &format!("1/{part:.1}"), "≤ 1/25", part >= 25.0);
}

fn held_key(table: &mut Table, slices: &[Arc<Picture>]) {
    let mut session = Session::new(Protocol::Kitty, SLOW, FAR);
    // One frame by itself, on a line that is known.
    for (index, slice) in slices.iter().enumerate().take(4) {
        bytes_of(&mut session, index, slice);
    }
    let begun = session.time();
    session.show(4, &slices[4]);
    session.settle();
    let alone = session.arrived.last().map_or(Duration::ZERO, |(at, _)| *at - begun);
    session.arrived.clear();
    let mut asked = Vec::new();
    for (index, slice) in slices.iter().enumerate().take(200).skip(5) {
        asked.push((session.time(), index));
        session.show(index as u64, slice);
        session.run_for(REPEAT);
    }
    let released = session.time();
    session.settle();
    let exact = shown(&session, slices);
    let frames = &session.arrived;
    let asked_at = |index: u64| asked.iter().find(|(_, asked)| *asked as u64 == index).map(|(at, _)| *at);
    // At any moment: for how long the oldest key that the picture does not show yet has been pressed. It is longest just
    // before a picture comes.
    let mut worst: f64 = 0.0;
    let mut newest = 4;
    for (at, index) in frames {
        if let Some(waits) = asked_at(newest + 1) {
            worst = worst.max((*at - waits).as_secs_f64() / alone.as_secs_f64());
        }
        newest = newest.max(*index);
    }
    let stale = frames.iter().filter(|(at, index)| *at > released && *index != 199).count();
    let settled = frames.last().map_or(Duration::ZERO, |(at, _)| *at - released);
    Table::note("held key, 200 KB/s + 100 ms: one frame by itself", &ms(alone));
    Table::note("held key, frames shown in 6.4 s", &frames.len().to_string());
    table.row("held key, worst lag in times of a frame", &format!("{worst:.2}"), "≤ 1.2", worst <= 1.2);
    // The one in flight; after it the last slice only.
    table.row("held key, other slices after release", &stale.to_string(), "≤ 1", stale <= 1);
    Table::note("held key, from release to the exact last slice", &ms(settled));
    let last = exact.last().and_then(|(_, index)| *index);
    table.row("held key, last frame", &format!("{last:?}"), "exact 199", last == Some(199));
}

fn text_meanwhile(table: &mut Table, slices: &[Arc<Picture>]) {
    for (name, round_trip) in [("20 ms", Duration::from_millis(20)), ("100 ms", FAR)] {
        let mut worst = Duration::ZERO;
        // From just after the first byte to the end, on a line that is new and on one that is known.
        for known in [0, 6] {
            for moment in (5..700).step_by(23) {
                let mut session = Session::new(Protocol::Kitty, MEGABIT, round_trip);
                for (index, slice) in slices.iter().enumerate().take(known) {
                    bytes_of(&mut session, index, slice);
                }
                session.show(100, &slices[100]);
                session.run_for(Duration::from_millis(moment));
                let written = session.time();
                session.write('Ω');
                session.settle();
                let seen = session.seen.iter().find(|(_, seen)| *seen == Seen::Text('Ω'));
                worst = worst.max(seen.map_or(Duration::MAX, |(at, _)| *at - written));
            }
        }
        let what = format!("text during a picture, 1 Mbit/s + {name}, worst");
        table.row(&what, &ms(worst), "≤ 150 ms", worst <= Duration::from_millis(150));
    }
}

fn sixel(table: &mut Table, slices: &[Arc<Picture>]) {
    let (theirs, took) = by_ratatui_image(ProtocolType::Sixel, &slices[SLICES / 2]);
    Table::note("ratatui-image, sixel, new slice", &kb(theirs));
    Table::note("ratatui-image, sixel, encoding", &ms(took));
    let ours: Vec<usize> = (0..SLICES)
        .step_by(30)
        .map(|index| simulated::encoded(Protocol::Sixel, &slices[index]).expect("encoded").len())
        .collect();
    let mean = ours.iter().sum::<usize>() / ours.len();
    table.row("sixel, new slice, mean of 10", &kb(mean), "≤ 160 KB", mean <= 160_000);
    Table::note("sixel, new slice, largest of 10", &kb(ours.iter().copied().max().unwrap_or_default()));
    let time = median(|index| {
        simulated::encoded(Protocol::Sixel, &slices[index * 7]).expect("encoded");
    });
    table.row("sixel, encoding", &ms(time), "≤ 8 ms", time <= Duration::from_millis(8));
}

fn main() -> ExitCode {
    let slices = slices();
    let mut table = Table::default();
    new_slice(&mut table, &slices);
    once_and_back(&mut table, &slices);
    held_key(&mut table, &slices);
    text_meanwhile(&mut table, &slices);
    sixel(&mut table, &slices);
    if table.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
