//! Where every voxel lies: made files whose values tell their place in the patient, in every position of the patient and every
//! plane of the scan. Needs no data.

use cspine::dicom::{CtSlice, HeaderStyle, load_volume, scan_all, write_ct_slice};
use cspine::domain::{Axis, Oddity, SeriesKind, Study, VoiFunction, Volume, WindowLevel, choose_series};
use cspine::raster::{self, PictureSize, Pixels, Plane, Slab, SlabKind, View, ViewGeometry, Zoom};
use cspine::task::Cancel;
use glam::{DMat3, DVec3};
use std::path::Path;

/// HU of a point: every direction has its own slope, so that an exchanged or mirrored axis shows.
fn hu(point: DVec3) -> f64 {
    200.0 + point.dot(DVec3::new(6.0, 7.0, 8.0))
}

/// Parallel slices: slice `s`, row `r`, column `c` lies at `first + s · step + r · spacing[0] · column + c · spacing[1] · row`.
#[derive(Clone, Copy)]
struct Acquisition {
    row: DVec3,
    column: DVec3,
    /// From each slice to the next.
    step: DVec3,
    slices: usize,
    rows: u16,
    columns: u16,
    spacing: [f64; 2],
}

impl Acquisition {
    fn new(row: DVec3, column: DVec3, step: DVec3) -> Self {
        Self { row, column, step, slices: 16, rows: 24, columns: 32, spacing: [1.5, 1.25] }
    }

    /// The middle of the block is at (4, −7, 2).
    fn point(&self, slice: f64, row: f64, column: f64) -> DVec3 {
        let middle = |len: usize| (len as f64 - 1.0) / 2.0;
        DVec3::new(4.0, -7.0, 2.0)
            + self.step * (slice - middle(self.slices))
            + self.column * (self.spacing[0] * (row - middle(usize::from(self.rows))))
            + self.row * (self.spacing[1] * (column - middle(usize::from(self.columns))))
    }

    /// Slice, row and column (with fractions) of a point.
    fn place(&self, point: DVec3) -> [f64; 3] {
        let axes = DMat3::from_cols(self.step, self.column * self.spacing[0], self.row * self.spacing[1]);
        (axes.inverse() * (point - self.point(0.0, 0.0, 0.0))).to_array()
    }

    /// Whether a point lies so far inside that the values around it are known.
    fn knows(&self, point: DVec3) -> bool {
        let lens = [self.slices, usize::from(self.rows), usize::from(self.columns)];
        self.place(point).iter().zip(lens).all(|(at, len)| (-0.01..=len as f64 - 0.99).contains(at))
    }

    fn write(&self, folder: &Path, skip: &[usize]) {
        for slice in (0..self.slices).filter(|slice| !skip.contains(slice)) {
            let at = |row: u16, column: u16| self.point(slice as f64, f64::from(row), f64::from(column));
            let voxels: Vec<i16> = (0..self.rows)
                .flat_map(|row| (0..self.columns).map(move |column| (row, column)))
                .map(|(row, column)| hu(at(row, column)).round() as i16)
                .collect();
            let orientation = [self.row.to_array(), self.column.to_array()].concat();
            write_ct_slice(
                &folder.join(format!("{slice}.dcm")),
                &CtSlice {
                    study_uid: "2.25.1",
                    series_uid: "2.25.3",
                    sop_instance_uid: &format!("2.25.3.{slice}"),
                    frame_of_reference_uid: "2.25.2",
                    patient_name: "MADE^One",
                    patient_id: "MADE",
                    patient_sex: "F",
                    patient_age: "062Y",
                    study_date: "20000102",
                    study_time: "030405",
                    study_description: "made",
                    series_description: "made",
                    kernel: "BONE",
                    body_part: "CSPINE",
                    instance_number: slice as i32 + 1,
                    rows: self.rows,
                    columns: self.columns,
                    voxels: &voxels,
                    intercept: -1024,
                    style: HeaderStyle::Clinical,
                    pixel_spacing: self.spacing,
                    slice_thickness: 1.0,
                    position: at(0, 0).to_array(),
                    orientation: orientation.try_into().expect("six cosines"),
                },
            )
            .expect("a slice");
        }
    }
}

fn read(acquisition: &Acquisition, skip: &[usize]) -> (Study, Volume) {
    let folder = tempfile::tempdir().expect("a folder");
    acquisition.write(folder.path(), skip);
    let (mut studies, unreadable, _) = scan_all(&[folder.path().to_owned()], &Cancel::new());
    assert!(unreadable.is_empty(), "{unreadable:?}");
    let study = studies.remove(0);
    assert_eq!(study.series.len(), 1);
    let volume = load_volume(&study.series[0], &Cancel::new(), &|_, _| {}).expect("a volume");
    (study, volume)
}

/// Every voxel whose place was scanned has its place's value, and all that was scanned is there.
fn is_true(volume: &Volume, acquisition: &Acquisition, what: &str) {
    let mut known = 0_usize;
    for slice in 0..volume.shape.slices {
        for row in 0..volume.shape.rows {
            for column in 0..volume.shape.columns {
                let point = volume.patient_point(slice as f64, row as f64, column as f64).expect("metric");
                if !acquisition.knows(point) {
                    continue;
                }
                known += 1;
                let found = f64::from(volume.at(slice, row, column).expect("inside"));
                assert!((found - hu(point)).abs() <= 1.1, "{what}: {found} at {point}, not {}", hu(point));
            }
        }
        if let Some(position) = volume.slices[slice].position {
            let first = volume.patient_point(slice as f64, 0.0, 0.0).expect("metric");
            assert!((position - first).length() < 1e-4, "{what}: slice {slice} says {position}, lies at {first}");
        }
    }
    let scanned = acquisition.slices * usize::from(acquisition.rows) * usize::from(acquisition.columns);
    assert!(known * 100 >= scanned * 90, "{what}: {known} of {scanned} voxels are left");
}

/// The picture is the right way round: its letters say so, and its grey rises as the patient's values do.
fn is_shown_upright(volume: &Volume, what: &str) {
    let window = WindowLevel::with_function(200.0, 800.0, VoiFunction::LinearExact).expect("a window");
    for (plane, letters, right, down) in [
        (Plane::Axial, ["R", "L", "A", "P"], 6.0, 7.0),
        (Plane::Sagittal, ["A", "P", "H", "F"], 7.0, -8.0),
        (Plane::Coronal, ["R", "L", "H", "F"], 6.0, -8.0),
    ] {
        let slice = raster::plane_len(volume, plane) / 2;
        let view = View::new(plane, slice, window);
        let picture = raster::render(volume, &view, PictureSize { width: 64, height: 64, pixel_aspect: 1.0 });
        let picture = picture.expect("drawn");
        let markers = &picture.markers;
        for (marker, letter) in [&markers.left, &markers.right, &markers.top, &markers.bottom].iter().zip(letters) {
            assert!(marker.starts_with(letter), "{what}, {}: {markers:?}", plane.name());
        }
        let Pixels::Grey(grey) = &picture.pixels else { panic!("no marks, no color") };
        let at = |x: usize, y: usize| f64::from(grey[y * 64 + x]);
        assert!((at(37, 32) - at(27, 32)) * right > 0.0, "{what}, {}: left to right", plane.name());
        assert!((at(32, 37) - at(32, 27)) * down > 0.0, "{what}, {}: top to bottom", plane.name());
    }
}

/// Views of a plane: whole, magnified and moved, at 1:1.
fn views(plane: Plane, slice: usize) -> [View; 3] {
    let view = View::new(plane, slice, WindowLevel::default());
    [
        view.clone(),
        View { zoom: Zoom::Fit(3.0), center: (0.4, 0.55), ..view.clone() },
        View { zoom: Zoom::Pixels(2.0), ..view },
    ]
}

/// What is drawn at a pixel, in HU, read through a window around what is expected there.
fn drawn_at(volume: &Volume, view: &View, size: PictureSize, (x, y): (u32, u32), expected: f64) -> f64 {
    let window = WindowLevel::with_function(expected, 64.0, VoiFunction::LinearExact).expect("a window");
    let picture = raster::render(volume, &View { window, ..view.clone() }, size).expect("drawn");
    let Pixels::Grey(grey) = &picture.pixels else { panic!("no marks, no color") };
    (f64::from(grey[(y * size.width + x) as usize]) / 255.0 - 0.5) * 64.0 + expected
}

/// Every pixel shows the value of the point that the mapping says, and the point is found back at the pixel: in every plane,
/// at every zoom, alone and as the middle of a slab.
fn is_mapped(volume: &Volume, acquisition: &Acquisition, what: &str) {
    let size = PictureSize { width: 61, height: 47, pixel_aspect: 1.25 };
    let mut checked = 0;
    for plane in Plane::ALL {
        let len = raster::plane_len(volume, plane);
        for slice in [1, len / 2, len - 2] {
            let point_of = |slice| raster::plane_point(volume, plane, slice).expect("metric");
            let step = point_of(slice + 1) - point_of(slice);
            for view in views(plane, slice) {
                let geometry = ViewGeometry::of(volume, &view, size).expect("a mapping");
                for pixel in [(30, 23), (20, 20), (37, 31), (12, 8), (52, 40)] {
                    let (x, y) = (f64::from(pixel.0), f64::from(pixel.1));
                    let Some(point) = geometry.patient_at(x, y) else { continue };
                    let back = geometry.pixel_of(point).expect("no gap");
                    assert!((back.x - x).abs() < 1e-4 && (back.y - y).abs() < 1e-4, "{what}: {back:?}, not {pixel:?}");
                    assert!(back.away < 1e-4, "{what}: {back:?} lies on the slice");
                    let around = [DVec3::X, DVec3::Y, DVec3::Z].map(|axis| axis * 3.0).into_iter().chain([step * 2.0]);
                    if !around.flat_map(|off| [point + off, point - off]).all(|point| acquisition.knows(point)) {
                        continue;
                    }
                    checked += 1;
                    let place = format!("{what}, {}, {:?}, pixel {pixel:?} at {point}", plane.name(), view.zoom);
                    let near = |view: &View, expected: f64, kind: &str| {
                        let found = drawn_at(volume, view, size, pixel, expected);
                        assert!((found - expected).abs() < 2.5, "{place}, {kind}: {found}, not {expected}");
                    };
                    near(&view, hu(point), "slice");
                    // A slab that reaches past the middles of both neighbours, and not to those after.
                    let thickness_mm = step.length() * 2.6;
                    let most = (hu(point + step) - hu(point)).abs();
                    for (kind, expected) in [(SlabKind::Mean, 0.0), (SlabKind::Mip, most), (SlabKind::MinIp, -most)] {
                        let slab = Some(Slab { kind, thickness_mm });
                        near(&View { slab, ..view.clone() }, hu(point) + expected, kind.name());
                    }
                }
            }
        }
    }
    assert!(checked >= 12, "{what}: only {checked} pixels were checked");
}

fn turned(vector: DVec3, about: DVec3, degrees: f64) -> DVec3 {
    glam::DQuat::from_axis_angle(about, degrees.to_radians()) * vector
}

fn told(volume: &Volume, oddity: &Oddity) -> bool {
    volume.oddities.contains(oddity)
}

/// Supine, prone, lying on a side, head or feet first: positions are the patient's in all of them, the array's order is not.
#[test]
fn every_way_of_lying_gives_true_and_upright_axial_volumes() {
    let (x, y, z) = (DVec3::X, DVec3::Y, DVec3::Z);
    for (row, column) in [(x, y), (-x, -y), (-x, y), (x, -y), (y, x), (-y, x), (y, -x), (-y, -x)] {
        for step in [2.0 * z, -2.0 * z] {
            let what = format!("rows {row}, columns {column}, step {step}");
            let acquisition = Acquisition::new(row, column, step);
            let (study, volume) = read(&acquisition, &[]);
            assert_eq!(study.series[0].kind, SeriesKind::Axial, "{what}");
            assert_eq!(told(&volume, &Oddity::TurnedRows), row.x == 0.0, "{what}: {:?}", volume.oddities);
            assert!(volume.position_mm(0) > volume.position_mm(1), "{what}: head first");
            let first = if step.z > 0.0 { 16 } else { 1 };
            assert_eq!(volume.slices[0].instance_number, Some(first), "{what}: the slices are the files'");
            is_true(&volume, &acquisition, &what);
            is_shown_upright(&volume, &what);
            is_mapped(&volume, &acquisition, &what);
            assert!(choose_series(&study).is_ok(), "{what}");
        }
    }
}

/// Tilted planes under a table that moves along z, to both sides, and a table that moves sideways.
#[test]
fn sheared_stacks_are_straightened_and_nothing_is_cut_off() {
    for degrees in [-30.0, -15.0, 15.0, 30.0] {
        for (about, along) in [(DVec3::X, DVec3::Z), (DVec3::X, -DVec3::Z), (DVec3::Y, DVec3::Z)] {
            let what = format!("{degrees}° about {about}, table along {along}");
            let (row, column) = (turned(DVec3::X, about, degrees), turned(DVec3::Y, about, degrees));
            let acquisition = Acquisition::new(row, column, along * 2.5);
            let (_, volume) = read(&acquisition, &[]);
            let tilt = Oddity::Tilt((degrees.abs() * 10.0) as u32);
            assert!(told(&volume, &tilt), "{what}: {:?}", volume.oddities);
            is_true(&volume, &acquisition, &what);
            is_shown_upright(&volume, &what);
            is_mapped(&volume, &acquisition, &what);
        }
    }
    let sideways = Acquisition::new(DVec3::X, DVec3::Y, DVec3::new(0.6, -0.4, -2.0));
    let (_, volume) = read(&sideways, &[]);
    is_true(&volume, &sideways, "sideways");
}

#[test]
fn oblique_stacks_keep_their_planes() {
    let turn = |v: DVec3| turned(turned(v, DVec3::X, 20.0), DVec3::Y, 10.0);
    let acquisition = Acquisition::new(turn(DVec3::X), turn(DVec3::Y), turn(-DVec3::Z) * 2.0);
    let (_, volume) = read(&acquisition, &[]);
    assert!(volume.oddities.iter().any(|oddity| matches!(oddity, Oddity::Oblique(210..=235))), "{:?}", volume.oddities);
    is_true(&volume, &acquisition, "oblique");
    is_shown_upright(&volume, "oblique");
    is_mapped(&volume, &acquisition, "oblique");
}

#[test]
fn sagittal_and_coronal_scans_become_axial_volumes() {
    let (x, y, z) = (DVec3::X, DVec3::Y, DVec3::Z);
    for (axis, kind, row, column, step) in [
        (Axis::RightLeft, SeriesKind::Sagittal, y, -z, 3.0 * x),
        (Axis::RightLeft, SeriesKind::Sagittal, y, -z, -3.0 * x),
        (Axis::RightLeft, SeriesKind::Sagittal, -y, z, 3.0 * x),
        (Axis::RightLeft, SeriesKind::Sagittal, z, y, 3.0 * x),
        (Axis::FrontBack, SeriesKind::Coronal, x, -z, 3.0 * y),
        (Axis::FrontBack, SeriesKind::Coronal, x, -z, -3.0 * y),
        (Axis::FrontBack, SeriesKind::Coronal, -x, z, 3.0 * y),
    ] {
        for degrees in [0.0, 12.0] {
            let what = format!("rows {row}, columns {column}, step {step}, turned {degrees}°");
            let turn = |v: DVec3| turned(turned(v, z, degrees), x, degrees / 2.0);
            let acquisition = Acquisition::new(turn(row), turn(column), turn(step));
            let (study, volume) = read(&acquisition, &[]);
            assert_eq!(study.series[0].kind, kind, "{what}");
            assert!(study.series[0].oddities.contains(&Oddity::Resliced(axis)), "{what}: told before it is read");
            assert!(told(&volume, &Oddity::Resliced(axis)), "{what}");
            assert_eq!(raster::native_plane(&volume), Plane::Axial, "{what}");
            assert!(volume.position_mm(0) > volume.position_mm(1), "{what}: head first");
            is_true(&volume, &acquisition, &what);
            is_shown_upright(&volume, &what);
            is_mapped(&volume, &acquisition, &what);
            assert!(choose_series(&study).is_ok(), "{what}: analyzed");
        }
    }
}

#[test]
fn what_is_missing_between_sagittal_slices_is_air_and_not_made_up() {
    let acquisition = Acquisition::new(DVec3::Y, -DVec3::Z, 3.0 * DVec3::X);
    let (_, volume) = read(&acquisition, &[7, 8]);
    assert!(told(&volume, &Oddity::Gaps(1)), "{:?}", volume.oddities);
    assert_eq!(volume.shape.columns, 16, "the gap keeps its width");
    for (column, known) in [(6, true), (7, false), (8, false), (9, true)] {
        let value = volume.at(10, 10, column).expect("inside");
        let point = volume.patient_point(10.0, 10.0, column as f64).expect("metric");
        let expected = if known { hu(point).round() as i16 } else { Volume::AIR };
        assert!((value - expected).abs() <= 1, "column {column}: {value}, not {expected}");
    }
}

#[test]
fn oblong_pixels_keep_their_proportion() {
    let mut acquisition = Acquisition::new(DVec3::X, DVec3::Y, DVec3::NEG_Z * 2.0);
    acquisition.spacing = [0.5, 2.0];
    let (_, volume) = read(&acquisition, &[]);
    is_true(&volume, &acquisition, "oblong");
    is_mapped(&volume, &acquisition, "oblong");
    let window = WindowLevel::new(0.0, 1.0).expect("a window");
    let view = View::new(Plane::Axial, 8, window);
    // 64 × 12 mm in 64 × 64 pixels: the picture is 12 lines high.
    let picture = raster::render(&volume, &view, PictureSize { width: 64, height: 64, pixel_aspect: 1.0 });
    let Pixels::Grey(grey) = picture.expect("drawn").pixels else { panic!("grey") };
    let lit = grey.chunks(64).filter(|line| line.iter().any(|value| *value > 0)).count();
    assert_eq!(lit, 12);
}
