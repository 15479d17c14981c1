//! What a slow line must not do to the reader, in simulated time.

use super::super::encode::tests::picture;
use super::*;
use crate::raster::Pixels;

const MEGABIT: f64 = 125e3;
/// A key held down.
const REPEAT: Duration = Duration::from_millis(33);

/// A picture of 512 × 512 that takes some 60 KB, as a slice of a CT does.
fn slice(key: u64) -> Arc<Picture> {
    let mut state = key as u32 + 1;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 30) as u8
    };
    let grey = (0..512 * 512).map(|at: u32| if at % 512 < 96 { noise() * 20 } else { 0 }).collect();
    Arc::new(picture(512, 512, Pixels::Grey(grey)))
}

#[test]
fn text_waits_little_for_a_picture_on_a_line_of_one_megabit() {
    for round_trip in [20, 100].map(Duration::from_millis) {
        for known in [0, 3] {
            for moment in (5..600).step_by(37) {
                let mut session = Session::new(Protocol::Kitty, MEGABIT, round_trip);
                for key in 0..known {
                    session.show(key, &slice(key));
                    session.settle();
                }
                session.show(100, &slice(100));
                session.run_for(Duration::from_millis(moment));
                let written = session.time();
                session.write('Ω');
                session.settle();
                let seen = session.seen.iter().find(|(_, seen)| *seen == Seen::Text('Ω'));
                let waited = seen.map(|(at, _)| *at - written).expect("the text");
                assert!(
                    waited <= Duration::from_millis(150),
                    "{waited:?} at {moment} ms over {round_trip:?}, {known} known"
                );
            }
        }
    }
}

#[test]
fn a_held_key_is_followed_and_ends_on_the_exact_slice() {
    let mut session = Session::new(Protocol::Kitty, 200e3, Duration::from_millis(100));
    for key in 0..3 {
        session.show(key, &slice(key));
        session.settle();
    }
    let before = session.time();
    session.show(3, &slice(3));
    session.settle();
    let alone = session.arrived.last().map(|(at, _)| *at - before).expect("an image");
    session.arrived.clear();
    session.run_for(Duration::from_secs(1));
    let begun = session.time();
    for key in 4..100 {
        session.show(key, &slice(key));
        session.run_for(REPEAT);
    }
    let released = session.time();
    session.settle();
    let mut worst = Duration::ZERO;
    let mut newest = 3;
    for (at, key) in &session.arrived {
        // Since when the oldest key that is not shown yet has been pressed.
        let waits = begun + REPEAT * (newest + 1 - 4) as u32;
        if newest < 99 {
            worst = worst.max(*at - waits);
        }
        newest = *key;
    }
    assert!(worst <= alone.mul_f64(1.2), "{worst:?}, and one image takes {alone:?}");
    let stale = session.arrived.iter().filter(|(at, key)| *at > released && *key != 99).count();
    assert!(stale <= 1, "{stale} that are no longer wanted");
    let exact = encoded(Protocol::Kitty, &slice(99)).expect("encoded");
    let last = session.seen.iter().rev().find_map(|(_, seen)| match seen {
        Seen::Png(png) => Some(Arc::clone(png)),
        Seen::Sixel(_) | Seen::Text(_) => None,
    });
    assert!(last.is_some_and(|png| *png == exact), "the last is exact");
}
