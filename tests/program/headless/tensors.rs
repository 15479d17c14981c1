//! The arrays for training.

use super::*;

const CHANNELS: usize = 3;

/// The bytes of the only array in a folder and its description.
fn array(folder: &Path) -> (Vec<u8>, Value) {
    let only = |ending: &str| {
        let mut found: Vec<_> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == ending))
            .collect();
        assert_eq!(found.len(), 1, "one study");
        std::fs::read(found.remove(0)).expect("readable")
    };
    let mut file = only("npy");
    let header = 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
    (file.split_off(header), serde_json::from_slice(&only("json")).expect("JSON"))
}

/// What a narrower field shows of the same pixels is the middle of what a wider one shows, and the description says where it lies.
#[test]
fn a_narrower_field_is_the_middle_of_a_wider_one() {
    const WIDE: usize = 96;
    const NARROW: usize = 64;
    const EDGE: usize = (WIDE - NARROW) / 2;
    let (home, set) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    coarse_necks(1, set.path());
    let made = |size: usize, field: &str| {
        let out = home.path().join(size.to_string());
        let (size, images) = (size.to_string(), set.path().join("train_images"));
        let arguments = ["tensors", path(&images), "--out", path(&out), "--size", &size, "--field", field];
        let (code, _, told) = run(home.path(), &arguments);
        assert_eq!(code, 0, "{told}");
        array(&out)
    };
    let (wide, narrow) = (made(WIDE, "120"), made(NARROW, "80"));
    assert_eq!((&wide.1["input"]["millimetres"], &narrow.1["input"]["millimetres"]), (&120.0.into(), &80.0.into()));
    let planes = wide.0.len() / (WIDE * WIDE);
    assert!(planes > 20 * CHANNELS && narrow.0.len() == planes * NARROW * NARROW, "{planes} images");
    let mut middle = Vec::new();
    for plane in wide.0.chunks(WIDE * WIDE) {
        for row in plane.chunks(WIDE).skip(EDGE).take(NARROW) {
            middle.extend_from_slice(&row[EDGE..EDGE + NARROW]);
        }
    }
    // A place is reckoned from the field's edge, so that its last digit may differ and round a grey value to the next.
    let apart = middle.iter().zip(&narrow.0).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(apart <= Some(1), "gray values differ by {apart:?}");
    assert!(middle.iter().any(|&value| value > 200), "no bone");
    let crop = |made: &(Vec<u8>, Value), name: &str| made.1["slices"][10]["crop"][name].as_f64().expect("a number");
    let pixel = crop(&wide, "columns_per_pixel");
    assert!((crop(&narrow, "column0") - crop(&wide, "column0") - EDGE as f64 * pixel).abs() < 1e-9);
    let (code, _, told) = run(home.path(), &["tensors", path(set.path()), "--out", path(home.path()), "--field", "5"]);
    assert!(code == 2 && told.contains("from 20 to 1000"), "{told}");
}
