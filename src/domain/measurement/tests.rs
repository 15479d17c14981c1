use super::*;
use crate::domain::{ImagePlane, ModalityLut, PixelSpacing, SliceInfo, SliceStack, Units, VolumeShape};
use glam::DVec3;
use proptest::prelude::*;

/// 4 slices 2 mm apart to the foot, 6 rows of 0.5 mm, 8 columns of 0.25 mm; a voxel's value is 100·slice + 10·row + column.
fn volume() -> Volume {
    let shape = VolumeShape { slices: 4, rows: 6, columns: 8 };
    let value = |slice: usize, row: usize, column: usize| (100 * slice + 10 * row + column) as i16;
    let voxels = (0..4).flat_map(|s| (0..6).flat_map(move |r| (0..8).map(move |c| value(s, r, c)))).collect();
    Volume {
        series_uid: Uid::from_file("1.2"),
        shape,
        voxels,
        plane: ImagePlane::new([-10.0, -20.0, 30.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        stack_axis: DVec3::NEG_Z,
        spacing: PixelSpacing::new(0.5, 0.25),
        stack: SliceStack::new(vec![0.0, 2.0, 4.0, 6.0]),
        slices: (0..4)
            .map(|i| SliceInfo {
                sop_instance_uid: Uid::from_file(&format!("1.2.{i}")),
                frame: 0,
                instance_number: Some(i),
                position: Some(DVec3::new(-10.0, -20.0, 30.0 - 2.0 * f64::from(i))),
                lut: ModalityLut::IDENTITY,
            })
            .collect(),
        windows: Vec::new(),
        units: Units::Hounsfield,
        inverted: false,
        oddities: Vec::new(),
    }
}

/// The same without positions, and without spacing where that is not wanted either.
fn unplaced(spacing: bool) -> Volume {
    let mut volume = volume();
    volume.plane = None;
    volume.spacing = volume.spacing.filter(|_| spacing);
    volume
}

fn at(volume: &Volume, slice: f64, row: f64, column: f64) -> Place {
    Place::of_voxel(volume, slice, row, column).expect("a place")
}

fn distance(volume: &Volume, from: [f64; 3], to: [f64; 3]) -> Result<Measured, Refusal> {
    let [from, to] = [from, to].map(|[slice, row, column]| at(volume, slice, row, column));
    Geometry::Distance { ends: [from, to] }.measure(volume)
}

fn close(found: Measured, wanted: f64) -> bool {
    match found {
        Measured::Length { mm } => (mm - wanted).abs() < 1e-9,
        Measured::Angle { degrees } => (degrees - wanted).abs() < 1e-9,
        _ => false,
    }
}

#[test]
fn lengths_use_the_rows_spacing_downward_and_the_columns_sideways() {
    let volume = volume();
    assert!(close(distance(&volume, [0.0, 0.0, 0.0], [0.0, 4.0, 0.0]).expect("a length"), 2.0));
    assert!(close(distance(&volume, [0.0, 0.0, 0.0], [0.0, 0.0, 4.0]).expect("a length"), 1.0));
    // 2 mm down, 1.5 mm to the right: 2.5 mm.
    assert!(close(distance(&volume, [1.0, 0.0, 0.0], [1.0, 4.0, 6.0]).expect("a length"), 2.5));
    // Two slices lie 4 mm apart, 3 mm to the back (6 rows): 5 mm through the stack.
    assert!(close(distance(&volume, [0.0, 0.0, 0.0], [2.0, 6.0, 0.0]).expect("a length"), 5.0));
}

#[test]
fn without_positions_a_length_lies_on_one_picture_and_without_spacing_there_is_none() {
    let volume = unplaced(true);
    assert!(close(distance(&volume, [1.0, 0.0, 0.0], [1.0, 4.0, 6.0]).expect("a length"), 2.5));
    assert_eq!(distance(&volume, [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]), Err(Refusal::NoPositions));
    let bare = unplaced(false);
    let refused = distance(&bare, [1.0, 0.0, 0.0], [1.0, 4.0, 6.0]).expect_err("no length");
    assert_eq!(refused, Refusal::NoSpacing);
    assert!(refused.to_string().contains("no pixel spacing"));
    assert_eq!(distance(&volume, [1.0, 2.0, 2.0], [1.0, 2.0, 2.0]), Err(Refusal::Empty));
}

#[test]
fn angles_are_true_where_pixels_are_not_square() {
    let volume = volume();
    let angle = |from, to| {
        let places = [from, [0.0, 0.0, 0.0], to].map(|[s, r, c]: [f64; 3]| at(&volume, s, r, c));
        Geometry::Angle { places }.measure(&volume).expect("an angle")
    };
    assert!(close(angle([0.0, 4.0, 0.0], [0.0, 0.0, 4.0]), 90.0));
    // One row down is 0.5 mm, two columns are 0.5 mm as well: 45°.
    assert!(close(angle([0.0, 1.0, 2.0], [0.0, 0.0, 4.0]), 45.0));
    let places = [[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]].map(|[r, c]| at(&unplaced(false), 0.0, r, c));
    assert_eq!(Geometry::Angle { places }.measure(&unplaced(false)), Err(Refusal::NoSpacing));
}

fn corners(volume: &Volume, places: [[f64; 3]; 3]) -> [Place; 3] {
    places.map(|[slice, row, column]| at(volume, slice, row, column))
}

fn region(geometry: &Geometry, volume: &Volume) -> Region {
    match geometry.measure(volume) {
        Ok(Measured::Region(region)) => region,
        other => panic!("no region: {other:?}"),
    }
}

#[test]
fn a_rectangle_counts_the_voxels_whose_centres_it_holds() {
    let volume = volume();
    // Rows 1 and 2, columns 3 to 5 of slice 1: 113 114 115 123 124 125.
    let places = corners(&volume, [[1.0, 0.6, 2.6], [1.0, 0.6, 5.4], [1.0, 2.4, 2.6]]);
    let found = region(&Geometry::Rectangle { corners: places }, &volume);
    assert_eq!((found.voxels, found.min, found.max), (6, 113, 125));
    assert!((found.mean - 119.0).abs() < 1e-9);
    // Differences −6 −5 −4 4 5 6: squares 154, over 5.
    assert!((found.sd - (154.0_f64 / 5.0).sqrt()).abs() < 1e-9);
    // 2.8 columns of 0.25 mm by 1.8 rows of 0.5 mm.
    assert!((found.area_mm2.expect("an area") - 0.7 * 0.9).abs() < 1e-9);
    assert_eq!(Measured::Region(found).to_string(), "mean 119 SD 6 min 113 max 125 HU · 0.6 mm²");
}

#[test]
fn an_ellipse_leaves_its_rectangles_corners_out() {
    let volume = volume();
    // Rows 1 to 3, columns 1 to 3 of slice 0, whose corners are outside: 12 21 22 23 32.
    let places = corners(&volume, [[0.0, 0.8, 0.8], [0.0, 0.8, 3.2], [0.0, 3.2, 0.8]]);
    let found = region(&Geometry::Ellipse { corners: places }, &volume);
    assert_eq!((found.voxels, found.min, found.max), (5, 12, 32));
    assert!((found.mean - 22.0).abs() < 1e-9);
    // Differences −10 −1 0 1 10: squares 202, over 4.
    assert!((found.sd - (202.0_f64 / 4.0).sqrt()).abs() < 1e-9);
    assert!((found.area_mm2.expect("an area") - std::f64::consts::FRAC_PI_4 * 0.6 * 1.2).abs() < 1e-9);
}

#[test]
fn a_region_of_another_plane_counts_that_planes_voxels() {
    let volume = volume();
    // Sagittal, column 2: slices 0 and 1, rows 1 and 2.
    let places = corners(&volume, [[0.0, 1.0, 2.0], [0.0, 2.0, 2.0], [1.0, 1.0, 2.0]]);
    let found = region(&Geometry::Rectangle { corners: places }, &volume);
    assert_eq!((found.voxels, found.min, found.max), (4, 12, 122));
    // 2 mm of stack by 0.5 mm.
    assert!((found.area_mm2.expect("an area") - 1.0).abs() < 1e-9);
}

#[test]
fn a_region_without_spacing_has_values_and_no_area() {
    let volume = unplaced(false);
    let places = corners(&volume, [[1.0, 1.0, 1.0], [1.0, 1.0, 2.0], [1.0, 2.0, 1.0]]);
    let found = region(&Geometry::Rectangle { corners: places }, &volume);
    assert_eq!((found.voxels, found.min, found.max, found.area_mm2), (4, 111, 122, None));
    assert!(Measured::Region(found).to_string().ends_with("4 pixels, area unknown"));
    let line = corners(&volume, [[1.0, 1.0, 1.0], [1.0, 1.0, 3.0], [1.0, 1.0, 4.0]]);
    assert_eq!(Geometry::Rectangle { corners: line }.measure(&volume), Err(Refusal::Empty));
    let away = corners(&volume, [[1.0, 50.0, 1.0], [1.0, 52.0, 1.0], [1.0, 50.0, 3.0]]);
    assert_eq!(Geometry::Rectangle { corners: away }.measure(&volume), Err(Refusal::Outside));
}

#[test]
fn a_probe_reads_the_nearest_voxel() {
    let volume = volume();
    let probe = |slice, row, column| Geometry::Probe { place: at(&volume, slice, row, column) }.measure(&volume);
    assert_eq!(probe(2.0, 3.4, 6.6), Ok(Measured::Value { value: 237, hounsfield: true }));
    assert_eq!(probe(2.0, 9.0, 0.0), Err(Refusal::Outside));
    assert_eq!(probe(2.0, 3.4, 6.6).expect("a value").to_string(), "237 HU");
}

#[test]
fn measurements_are_kept_as_text_and_a_stored_place_follows_its_picture() {
    let volume = unplaced(true);
    let measurement = Measurement {
        id: 3,
        series: volume.series_uid.clone(),
        geometry: Geometry::Distance { ends: [at(&volume, 1.0, 0.0, 0.0), at(&volume, 1.0, 4.0, 6.0)] },
    };
    let text = serde_json::to_string(&measurement).expect("text");
    assert!(
        text.starts_with(r#"{"id":3,"series":"1.2","what":"distance","ends":[{"in":"stored","instance":"1.2.1""#),
        "{text}"
    );
    let back: Measurement = serde_json::from_str(&text).expect("a measurement");
    assert_eq!(back, measurement);
    // Another slice was found in front of it.
    let mut grown = volume;
    grown.slices.insert(0, grown.slices[0].clone());
    grown.slices[0].sop_instance_uid = Uid::from_file("9.9");
    assert!(close(back.measure(&grown).expect("a length"), 2.5));
    grown.slices.clear();
    assert_eq!(back.measure(&grown), Err(Refusal::Outside));
}

proptest! {
    /// Whatever was stored, measuring never panics, and what it gives is a number.
    #[test]
    fn any_places_can_be_measured(numbers in prop::array::uniform9(prop_oneof![
        -100.0..100.0_f64, Just(f64::NAN), Just(f64::INFINITY), Just(1e300), Just(-1e300)
    ]), what in 0..5_usize, metric in any::<bool>()) {
        let volume = if metric { volume() } else { unplaced(true) };
        let [a, b, c] = [0, 3, 6].map(|from| match metric {
            true => Place::Patient { mm: [numbers[from], numbers[from + 1], numbers[from + 2]] },
            false => Place::Stored {
                instance: Uid::from_file("1.2.1"), frame: 0, row: numbers[from], column: numbers[from + 1],
            },
        });
        let geometry = match what {
            0 => Geometry::Distance { ends: [a, b] },
            1 => Geometry::Angle { places: [a, b, c] },
            2 => Geometry::Rectangle { corners: [a, b, c] },
            3 => Geometry::Ellipse { corners: [a, b, c] },
            _ => Geometry::Probe { place: a },
        };
        match geometry.measure(&volume) {
            Ok(Measured::Length { mm }) => prop_assert!(mm > 0.0),
            Ok(Measured::Angle { degrees }) => prop_assert!((0.0..=180.0).contains(&degrees) || degrees.is_nan()),
            Ok(Measured::Region(region)) => prop_assert!(region.voxels > 0 && region.mean.is_finite() && region.sd >= 0.0),
            Ok(Measured::Value { .. }) | Err(_) => {}
        }
    }
}
