//! Archives that are made to exhaust a machine.

use super::packing::{deflated, gzip, scanned_file, slice_file, stored, with_field};
use std::time::{Duration, Instant};

/// Even unoptimized on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file that unpacks to very much more than it has bytes is not unpacked.
#[test]
fn a_file_of_an_implausible_size_is_named() {
    let mut file = slice_file(1);
    file.resize(200 << 20, 0);
    let inner = deflated(&[("bomb", file), ("good", slice_file(2))]);
    let found = scanned_file("bomb.zip", &inner);
    assert_eq!(found.numbers, [2]);
    assert_eq!(found.told.len(), 1);
    let (name, reason) = &found.told[0];
    assert!(name == "bomb" && reason.contains("unpacks to 200 MiB"), "{name}: {reason}");
}

#[test]
fn a_gzip_file_of_an_implausible_size_is_named() {
    let found = scanned_file("bomb.tar.gz", &gzip(&vec![0; 200 << 20]));
    assert_eq!(found.told.len(), 1);
    // What cannot be DICOM is counted by its beginning.
    let other = scanned_file("log.gz", &gzip(&vec![b'x'; 200 << 20]));
    assert_eq!((other.told.len(), other.summary.not_dicom), (0, 1));
    assert!(found.told[0].1.contains("unpacks to"), "{:?}", found.told);
}

/// Sixteen archives in each of sixteen, five times over: a million files if all were opened.
#[test]
fn a_deep_bomb_ends_at_the_depth_limit() {
    let mut bytes = slice_file(1);
    let names: Vec<String> = (0..4).map(|number| format!("lib {number}.zip")).collect();
    for _ in 0..8 {
        bytes = deflated(&names.iter().map(|name| (name.as_str(), bytes.clone())).collect::<Vec<_>>());
    }
    let begun = Instant::now();
    let found = scanned_file("deep.zip", &bytes);
    assert!(begun.elapsed() < PATIENCE);
    assert!(found.numbers.is_empty());
    assert!(found.told.iter().all(|(_, reason)| reason.contains("more than 4 deep")), "{:?}", found.told.first());
    assert_eq!(found.told.len(), 1, "one line for all");
}

#[test]
fn a_stated_number_of_files_costs_no_memory() {
    let zip = stored(&[("IM1", slice_file(1))]);
    let end = zip.len() - 22;
    let mut many = zip.clone();
    many[end + 8..end + 12].copy_from_slice(&[0xFF; 4]);
    let found = scanned_file("many.zip", &many);
    assert_eq!(found.numbers, [1]);
    assert!(
        found.told.iter().any(|(name, reason)| name == "many.zip" && reason.contains("damaged")),
        "{:?}",
        found.told
    );
    // A member whose stated sizes are lies.
    let lying = with_field(&deflated(&[("IM1", slice_file(1)), ("IM2", slice_file(2))]), 24, 0x7FFF);
    let found = scanned_file("lying.zip", &lying);
    assert!(found.numbers.is_empty() && !found.told.is_empty(), "{:?}", found.told);
}
