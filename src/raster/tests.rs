//! Volumes whose voxels encode their own place: a wrong axis, mirror or half-voxel shift fails.

use super::*;
use crate::domain::{
    Activation, ActivationSlice, ImagePlane, ModalityLut, PixelSpacing, SliceInfo, SliceStack, SpineCourse, Uid, Units,
    VolumeShape, VoxelPoint, WindowLevel,
};
use glam::DVec3;
use std::sync::Arc;

/// An 8-slice, 10-row, 12-column volume, 2 × 1 × 1 mm, with these rows and columns and the stack along `stack`.
fn volume(row: [f64; 3], column: [f64; 3], stack: DVec3, value: impl Fn(DVec3) -> i16) -> Volume {
    let shape = VolumeShape { slices: 8, rows: 10, columns: 12 };
    let orientation = [row[0], row[1], row[2], column[0], column[1], column[2]];
    let mut volume = Volume {
        series_uid: Uid::from_file("1"),
        shape,
        voxels: vec![0; shape.len()],
        plane: ImagePlane::new([5.0, -7.0, 11.0], orientation),
        stack_axis: stack,
        spacing: PixelSpacing::new(1.0, 1.0),
        stack: SliceStack::new((0..8).map(|i| f64::from(i) * 2.0).collect()),
        slices: (0..8)
            .map(|i| SliceInfo {
                sop_instance_uid: Uid::from_file("1"),
                frame: 0,
                instance_number: Some(i),
                position: Some(DVec3::new(5.0, -7.0, 11.0) + stack * (f64::from(i) * 2.0)),
                lut: ModalityLut::IDENTITY,
            })
            .collect(),
        windows: Vec::new(),
        units: Units::Hounsfield,
        inverted: false,
        oddities: Vec::new(),
    };
    for slice in 0..8 {
        for row in 0..10 {
            for column in 0..12 {
                let point = volume.patient_point(slice as f64, row as f64, column as f64).expect("metric");
                volume.voxels[(slice * 10 + row) * 12 + column] = value(point);
            }
        }
    }
    volume
}

fn view(plane: Plane, slice: usize) -> View {
    let window = WindowLevel::with_function(127.5, 255.0, crate::domain::VoiFunction::LinearExact).expect("a window");
    View::new(plane, slice, window)
}

fn grey(picture: &Picture) -> &[u8] {
    match &picture.pixels {
        Pixels::Grey(grey) => grey,
        Pixels::Rgb(_) => panic!("an image without marks is gray"),
    }
}

fn size(width: u32, height: u32) -> PictureSize {
    PictureSize { width, height, pixel_aspect: 1.0 }
}

const STACKS: [([f64; 3], [f64; 3], DVec3); 6] = [
    // Supine head first; feet first and prone variants turn rows and columns; then sagittal and coronal scans.
    ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], DVec3::NEG_Z),
    ([-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], DVec3::NEG_Z),
    ([-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], DVec3::NEG_Z),
    ([0.0, 1.0, 0.0], [1.0, 0.0, 0.0], DVec3::NEG_Z),
    ([0.0, 1.0, 0.0], [0.0, 0.0, -1.0], DVec3::NEG_X),
    ([1.0, 0.0, 0.0], [0.0, 0.0, -1.0], DVec3::Y),
];

/// In every plane, of every stack, brightness that rises to the left, to the back or to the foot of the patient rises
/// rightward or downward in the picture as the plane's convention has it.
#[test]
fn every_plane_of_every_stack_is_the_right_way_round() {
    for (row, column, stack) in STACKS {
        for (plane, right, down) in [
            (Plane::Axial, DVec3::X, DVec3::Y),
            (Plane::Sagittal, DVec3::Y, DVec3::NEG_Z),
            (Plane::Coronal, DVec3::X, DVec3::NEG_Z),
        ] {
            for (direction, across) in [(right, true), (down, false)] {
                let volume = volume(row, column, stack, |point| (point.dot(direction) * 4.0 + 120.0) as i16);
                let picture = render(&volume, &view(plane, 3), size(60, 60)).expect("drawn");
                let pixels = grey(&picture);
                let at = |x: usize, y: usize| i32::from(pixels[y * 60 + x]);
                let (first, last) = if across { (at(26, 30), at(34, 30)) } else { (at(30, 26), at(30, 34)) };
                assert!(last > first, "{plane:?} of rows {row:?}, columns {column:?}: {first} then {last}");
                assert!(if across { at(30, 26) == at(30, 34) } else { at(26, 30) == at(34, 30) });
            }
        }
    }
}

#[test]
fn slices_run_to_the_foot_to_the_left_and_to_the_back() {
    for (row, column, stack) in STACKS {
        for (plane, through) in [(Plane::Axial, DVec3::NEG_Z), (Plane::Sagittal, DVec3::X), (Plane::Coronal, DVec3::Y)]
        {
            let volume = volume(row, column, stack, |_| 0);
            let len = plane_len(&volume, plane);
            let first = plane_point(&volume, plane, 0).expect("metric");
            let last = plane_point(&volume, plane, len - 1).expect("metric");
            assert!((last - first).dot(through) > 0.0, "{plane:?} of {row:?}, {column:?}");
            assert_eq!(slice_of_point(&volume, plane, last), Some(len - 1));
        }
    }
}

#[test]
fn one_to_one_shows_the_voxels_themselves() {
    let (row, column, stack) = STACKS[0];
    let volume = volume(row, column, stack, |point| ((point.x * 7.0 + point.y * 13.0) as i16).rem_euclid(250));
    let picture = render(&volume, &view(Plane::Axial, 2), size(12, 10)).expect("drawn");
    let expected: Vec<u8> =
        volume.slice(2).expect("slice 2").iter().map(|&v| view(Plane::Axial, 0).window.grey(f64::from(v))).collect();
    assert_eq!(grey(&picture), expected);
    assert_eq!(picture.mm_per_pixel, Some(1.0));
    let markers = picture.markers;
    assert_eq!(
        (markers.left, markers.right, markers.top, markers.bottom),
        ("R".into(), "L".into(), "A".into(), "P".into())
    );
}

#[test]
fn a_pixel_for_each_voxel_is_one_voxel_wherever_the_view_is() {
    let (row, column, stack) = STACKS[0];
    let volume = volume(row, column, stack, |point| ((point.x * 7.0 + point.y * 13.0) as i16).rem_euclid(250));
    let whole = render(&volume, &view(Plane::Axial, 2), size(12, 10)).expect("drawn");
    let whole = grey(&whole);
    // A room of odd and of even width, about the middle of a voxel and about places between two.
    for (width, height, center) in [(6, 4, (6.5 / 12.0, 5.5 / 10.0)), (7, 5, (0.5, 0.5)), (6, 5, (0.47, 0.53))] {
        let view = View { zoom: Zoom::Pixels(1.0), center, ..view(Plane::Axial, 2) };
        let part = render(&volume, &view, size(width, height)).expect("drawn");
        let (width, height) = (width as usize, height as usize);
        let at = |x: usize, y: usize| (y..y + height).flat_map(move |y| y * 12 + x..y * 12 + x + width);
        let mut places = (0..=12 - width).flat_map(|x| (0..=10 - height).map(move |y| (x, y)));
        assert!(
            places.any(|(x, y)| at(x, y).map(|index| whole[index]).eq(grey(&part).iter().copied())),
            "{width}×{height}"
        );
    }
}

#[test]
fn a_region_is_in_view_as_large_as_it_fits_and_the_view_stays_on_the_plane() {
    let (row, column, stack) = STACKS[0];
    let volume = volume(row, column, stack, |_| 0);
    // The plane is 12 mm wide and 10 mm high; half its width and a quarter of its height about a place.
    for (center, size, left, top, mm_per_pixel) in [
        ((0.5, 0.5), size(60, 60), 3.0, 2.0, 0.1),
        ((0.0, 0.5), size(60, 60), 0.0, 2.0, 0.1),
        ((1.0, 1.0), size(60, 60), 6.0, 4.0, 0.1),
        // High and narrow: the width decides, and nothing above or below the plane is wider than it must be.
        ((0.5, 0.5), size(30, 60), 3.0, -1.0, 0.2),
        // Wide and low: the height decides.
        ((0.5, 0.5), size(240, 50), 0.0, 3.75, 0.05),
    ] {
        let zoom = Zoom::Region { across: 0.5, down: 0.25 };
        let view = View { zoom, center, ..view(Plane::Axial, 2) };
        let geometry = ViewGeometry::of(&volume, &view, size).expect("metric");
        let (mm, _) = geometry.mm_per_pixel().expect("metric");
        assert!((mm - mm_per_pixel).abs() < 1e-9, "{center:?} {size:?}: {mm}");
        let (x, y) = geometry.plane_at(-0.5, -0.5);
        let (x, y) = (x * 12.0, y * 10.0);
        assert!((x - left).abs() < 1e-6 && (y - top).abs() < 1e-6, "{center:?} {size:?}: {x}, {y}");
    }
}

#[test]
fn millimetres_keep_their_proportion_on_oblong_pixels() {
    let (row, column, stack) = STACKS[0];
    let volume = volume(row, column, stack, |_| 255);
    // 12 mm wide and 16 mm high (8 slices of 2 mm), drawn with pixels twice as high as wide.
    let picture = render(&volume, &view(Plane::Coronal, 4), PictureSize { width: 64, height: 16, pixel_aspect: 2.0 });
    let picture = picture.expect("drawn");
    let lit = grey(&picture)[8 * 64..9 * 64].iter().filter(|&&value| value > 0).count();
    assert_eq!(lit, 24, "16 mm over 16 lines of 2 px: 0.5 mm per px, so 12 mm are 24 px");
}

#[test]
fn a_gap_stays_black() {
    let (row, column, stack) = STACKS[0];
    let mut volume = volume(row, column, stack, |_| 255);
    volume.stack = SliceStack::new(vec![0.0, 2.0, 4.0, 12.0, 14.0, 16.0, 18.0, 20.0]);
    let picture = render(&volume, &view(Plane::Coronal, 4), size(44, 44)).expect("drawn");
    let column: Vec<u8> = grey(&picture).chunks(44).map(|line| line[22]).collect();
    // 22 mm over 44 px; slices lie at 1, 3, 5 and 13 mm, so that 6 to 12 mm are unknown.
    assert_eq!((column[8], column[18], column[26]), (255, 0, 255));
}

#[test]
fn without_geometry_only_the_slices_themselves_are_shown() {
    let (row, column, stack) = STACKS[0];
    let mut volume = volume(row, column, stack, |_| 100);
    volume.spacing = None;
    let error = render(&volume, &view(Plane::Sagittal, 0), size(10, 10)).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "no sagittal view: the files give no pixel spacing; the slices themselves can be read"
    );
    let picture = render(&volume, &view(Plane::Axial, 0), size(12, 10)).expect("drawn");
    assert_eq!(picture.mm_per_pixel, None);
    volume.plane = None;
    assert_eq!(
        render(&volume, &view(Plane::Axial, 7), size(12, 10)).expect("drawn").markers,
        OrientationMarkers::default()
    );
    assert!(render(&volume, &view(Plane::Axial, 8), size(12, 10)).is_err());
    assert!(render(&volume, &view(Plane::Axial, 0), size(0, 10)).is_err());
}

#[test]
fn the_hot_spot_is_marked_around_its_place_and_only_near_it() {
    let (row, column, stack) = STACKS[0];
    let volume = volume(row, column, stack, |_| 100);
    let point = volume.patient_point(4.0, 5.0, 6.0).expect("metric");
    let mut near = view(Plane::Axial, 4);
    near.marks = vec![Mark::HotSpot(point)];
    // Zoomed out so that the arms (6 to 12 mm) fit in the picture.
    near.zoom = Zoom::Fit(0.25);
    let Pixels::Rgb(rgb) = render(&volume, &near, size(96, 96)).expect("drawn").pixels else { panic!("marked") };
    let marked: Vec<(usize, usize)> =
        (0..96 * 96).filter(|i| rgb[i * 3] != rgb[i * 3 + 1]).map(|i| (i % 96, i / 96)).collect();
    let middle = |values: Vec<usize>| values.iter().sum::<usize>() as f64 / values.len() as f64;
    // 48 mm over 96 px, centred: column 6 of 12 lies 0.5 mm, i.e. one px, right of the middle.
    assert!((middle(marked.iter().map(|m| m.0).collect()) - 48.5).abs() <= 1.0);
    assert!((middle(marked.iter().map(|m| m.1).collect()) - 48.5).abs() <= 1.0);
    let mut far = near.clone();
    far.slice = 0;
    assert!(matches!(render(&volume, &far, size(96, 96)).expect("drawn").pixels, Pixels::Grey(_)));
}

#[test]
fn a_surface_along_the_spine_shows_what_its_mapping_says() {
    let (row, column, stack) = STACKS[0];
    // Across the patient every mm is one grey, so that a line that lies elsewhere shows.
    let volume = volume(row, column, stack, |point| (point.x * 10.0 + point.y + 100.0) as i16);
    // The spine runs from column 3 to column 6.5, half a column a slice.
    let course = SpineCourse::new((0..8).map(|slice| (5.0, 3.0 + f64::from(slice) / 2.0)).collect());
    let cursor = VoxelPoint { slice: 4.0, row: 5.0, column: 6.0 };
    let offset = offset_beside(&volume, Plane::Sagittal, &course, cursor).expect("along the spine");
    assert_eq!(offset, 1.0);
    let bend = Some(Bend { course: Arc::new(course), offset });
    let bent = View { bend, ..view(Plane::Sagittal, 6) };
    let size = size(50, 80);
    let geometry = ViewGeometry::of(&volume, &bent, size).expect("a mapping");
    let picture = render(&volume, &bent, size).expect("drawn");
    let mut checked = 0;
    for (x, y) in [(12, 14), (25, 40), (25, 41), (30, 55), (20, 62)] {
        let point = geometry.patient_at(f64::from(x), f64::from(y)).expect("inside");
        let place = geometry.pixel_of(point).expect("metric");
        assert!((place.x - f64::from(x)).abs() < 1e-6 && place.away < 1e-6, "{place:?}");
        let expected = point.x * 10.0 + point.y + 100.0;
        let found = f64::from(grey(&picture)[(y * 50 + x) as usize]);
        assert!((found - expected).abs() < 1.6, "({x}, {y}): {found}, not {expected}");
        checked += 1;
    }
    assert_eq!(checked, 5);
    assert_eq!(geometry.voxel_at(25.0, 40.0).map(|voxel| voxel.column.round()), Some(6.0), "the cursor lies on it");
    // Where the surface leaves the volume there is nothing.
    let far = View { bend: bent.bend.clone().map(|bend| Bend { offset: 40.0, ..bend }), ..bent };
    assert!(grey(&render(&volume, &far, size).expect("drawn")).iter().all(|value| *value == 0));
}

/// The pixels that are coloured.
fn coloured(picture: &Picture) -> Vec<(u32, u32)> {
    let Pixels::Rgb(rgb) = &picture.pixels else { return Vec::new() };
    (0..picture.width * picture.height)
        .filter(|&i| {
            let pixel = &rgb[i as usize * 3..][..3];
            pixel[0] != pixel[1] || pixel[1] != pixel[2]
        })
        .map(|i| (i % picture.width, i / picture.width))
        .collect()
}

#[test]
fn what_is_marked_by_default_covers_nothing_but_the_picture_s_edges() {
    let (row, column, stack) = STACKS[0];
    let volume = volume(row, column, stack, |_| 100);
    let point = volume.patient_point(4.0, 5.0, 6.0).expect("metric");
    let aside = View { marks: vec![Mark::HotSpotAside(point)], ..view(Plane::Axial, 4) };
    let marked = coloured(&render(&volume, &aside, size(480, 400)).expect("drawn"));
    assert!(!marked.is_empty());
    let edge = |at: u32, len: u32| at < 12 || at >= len - 12;
    assert!(marked.iter().all(|&(x, y)| edge(x, 480) || edge(y, 400)), "{marked:?}");
    // All four wedges point at the place.
    let at = ViewGeometry::of(&volume, &aside, size(480, 400)).expect("a mapping").pixel_of(point).expect("metric");
    assert!(marked.contains(&(at.x.round() as u32, 0)) && marked.contains(&(at.x.round() as u32, 399)));
    assert!(marked.contains(&(0, at.y.round() as u32)) && marked.contains(&(479, at.y.round() as u32)));
}

#[test]
fn an_activation_is_outlined_where_it_is_in_every_plane() {
    let (row, column, stack) = STACKS[0];
    let volume = volume(row, column, stack, |_| 100);
    // Cells of two voxels over rows 0 to 9 and columns 0 to 11; the cell at rows 4 and 5, columns 6 and 7 is active.
    let map = |slice: usize| ActivationSlice {
        slice,
        first: (0.5, 0.5),
        step: (2.0, 2.0),
        rows: 5,
        columns: 6,
        values: (0..30).map(|cell| if cell == 2 * 6 + 3 { 0.9 } else { 0.0 }).collect(),
    };
    let activation = Arc::new(Activation::new((2..=5).map(map).collect()).expect("active"));
    for (plane, slice, elsewhere) in [(Plane::Axial, 4, 0), (Plane::Sagittal, 6, 1), (Plane::Coronal, 5, 9)] {
        let marks = vec![Mark::Active(Arc::clone(&activation))];
        let at = |slice| View { marks: marks.clone(), ..view(plane, slice) };
        let picture = render(&volume, &at(slice), size(240, 240)).expect("drawn");
        let outline = coloured(&picture);
        assert!(!outline.is_empty(), "{}", plane.name());
        let geometry = ViewGeometry::of(&volume, &at(slice), size(240, 240)).expect("a mapping");
        let places = outline.iter().map(|(x, y)| geometry.voxel_at(f64::from(*x), f64::from(*y)).expect("inside"));
        // At the first and the last map it ends without a slope.
        for place in places.filter(|place| (2.0..=5.0).contains(&place.slice)) {
            let value = activation.at(place);
            assert!((0.1..0.85).contains(&value), "{}: {value} on the outline at {place:?}", plane.name());
        }
        assert!(coloured(&render(&volume, &at(elsewhere), size(240, 240)).expect("drawn")).is_empty());
    }
}
