//! Thumbnails beside the worklist: loaded and sent where the selection stops, and nowhere else.

use super::*;
use crate::domain::Uid;
use std::sync::Mutex;

fn key(n: u32) -> ThumbnailKey {
    ThumbnailKey { series: Uid::from_file(&format!("1.2.3.{n}")), stack: 0 }
}

fn pane(n: u32) -> ThumbnailPane {
    ThumbnailPane { key: key(n), run: Duration::from_millis(700), area: Rect::new(80, 5, 13, 9) }
}

fn request(n: u32) -> Request {
    let wanted = vec![thumbnail(&pane(n), CellPixels::default())];
    Request { generation: Generation::default(), wanted, ahead: Vec::new() }
}

/// Series that were loaded from the store, and what was sent, for requests of which each is followed by another or not.
fn served(requests: &[(u32, bool)]) -> (Vec<ThumbnailKey>, Vec<Rendered>) {
    let loaded = Arc::new(Mutex::new(Vec::new()));
    let thumbnails = {
        let loaded = Arc::clone(&loaded);
        move |key: &ThumbnailKey| {
            loaded.lock().expect("a list").push(key.clone());
            // The store has none of number 9.
            let has = *key != self::key(9);
            if has { Thumbnail::new(2, 3, vec![200; 6]) } else { None }
        }
    };
    let (pool, mut last, mut sent) = (Pool::new("test"), Vec::new(), Vec::new());
    for (n, stops) in requests {
        let newer = Newer { is_waiting: &|| !stops, is_idle: &|| *stops };
        let mut send = |rendered| {
            sent.push(rendered);
            true
        };
        draw_request(request(*n), &newer, &mut last, (&pool, &thumbnails), &mut send).expect("someone takes them");
    }
    let loaded = loaded.lock().expect("a list").clone();
    (loaded, sent)
}

#[test]
fn rows_that_a_held_key_passes_over_load_and_send_no_thumbnail() {
    let (loaded, sent) = served(&[(1, false), (2, false), (3, false), (4, true)]);
    assert_eq!(loaded, [key(4)]);
    let [Rendered::Picture { placed, ahead: false, .. }] = sent.as_slice() else { panic!("one picture") };
    assert_eq!((placed.slot, placed.key, placed.area), (THUMBNAIL_SLOT, thumbnail_key(&pane(4)), pane(4).area));
}

#[test]
fn a_series_without_a_thumbnail_is_named() {
    let (_, sent) = served(&[(9, true)]);
    let [Rendered::NoThumbnail(missing)] = sent.as_slice() else { panic!("one answer") };
    assert_eq!(*missing, key(9));
}

#[test]
fn the_image_has_the_shape_of_its_place() {
    let (_, sent) = served(&[(1, true)]);
    let Some(Rendered::Picture { placed, .. }) = sent.first() else { panic!("a picture") };
    // 13 × 9 cells of 9 × 18 pixels.
    let (shape, place) = (f64::from(placed.picture.width) / f64::from(placed.picture.height), 117.0 / 162.0);
    assert!((shape - place).abs() < 0.2, "{shape} for {place}");
}

#[test]
fn two_studies_and_two_analyses_of_one_have_different_keys() {
    let again = ThumbnailPane { run: Duration::from_millis(800), ..pane(1) };
    assert_ne!(thumbnail_key(&pane(1)), thumbnail_key(&pane(2)));
    assert_ne!(thumbnail_key(&pane(1)), thumbnail_key(&again));
}
