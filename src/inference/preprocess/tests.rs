use super::*;
use crate::domain::{
    ImagePlane, ModalityLut, NotHounsfield, PixelSpacing, SliceInfo, SliceStack, Uid, Units, VolumeShape,
};
use glam::DVec3;

/// A neck of water, 60 × 40 mm about (5, −3), in 128 × 128 pixels of 1 mm, ten slices 1 mm apart, with a bone left of the
/// middle and behind it. Flipped: stored with columns from left to right and rows from back to front.
pub(in crate::inference) fn block(flipped: bool) -> Volume {
    let shape = VolumeShape { slices: 10, rows: 128, columns: 128 };
    let mut voxels = Vec::with_capacity(shape.len());
    let sign = if flipped { -1.0 } else { 1.0 };
    let first = -63.5 * sign;
    for slice in 0..10 {
        for row in 0..128 {
            for column in 0..128 {
                let (x, y) = (first + f64::from(column) * sign, first + f64::from(row) * sign);
                let inside = (x - 5.0).abs() <= 30.0 && (y + 3.0).abs() <= 20.0;
                let bone = (x - 15.0).abs() <= 4.0 && (y - 2.0).abs() <= 4.0;
                voxels.push(match (inside, bone) {
                    (_, true) => 1000 + slice,
                    (true, _) => 0,
                    _ => Volume::AIR,
                });
            }
        }
    }
    let position = |slice: f64| DVec3::new(first, first, -slice);
    Volume {
        series_uid: Uid::from_file("1"),
        shape,
        voxels,
        plane: ImagePlane::new(position(0.0).to_array(), [sign, 0.0, 0.0, 0.0, sign, 0.0]),
        stack_axis: DVec3::NEG_Z,
        spacing: PixelSpacing::new(1.0, 1.0),
        stack: SliceStack::new((0..10).map(f64::from).collect()),
        slices: (0..10)
            .map(|i| SliceInfo {
                sop_instance_uid: Uid::from_file(&format!("1.{i}")),
                frame: 0,
                instance_number: Some(i + 1),
                position: Some(position(f64::from(i))),
                lut: ModalityLut::IDENTITY,
            })
            .collect(),
        windows: Vec::new(),
        units: Units::Hounsfield,
        inverted: false,
        oddities: Vec::new(),
    }
}

pub(super) fn spec() -> InputSpec {
    InputSpec {
        name: "image".into(),
        size: 384,
        millimetres: 192.0,
        channel_offsets_mm: vec![-2.0, 0.0, 2.0],
        window_hu: [-600.0, 1400.0],
        centre: Centre::Spine,
        slab_mm: 0.0,
    }
}

fn pixel(input: &[u8], channel: usize, x: usize, y: usize) -> u8 {
    input[channel * 384 * 384 + y * 384 + x]
}

#[test]
fn the_spine_is_in_front_of_the_middle_and_the_patients_left_at_the_right() {
    for flipped in [false, true] {
        let input = Preprocessor::new(&block(flipped), &spec()).expect("axial").input(5).expect("a slice");
        let (mut bone, mut water) = (Vec::new(), [0, 0]);
        for (x, y) in (0..384).flat_map(|x| (0..384).map(move |y| (x, y))) {
            match pixel(&input, 1, x, y) {
                205 => bone.push((x as f64, y as f64)),
                76..=77 => water[usize::from(x > 191)] += 1,
                _ => {}
            }
        }
        let mean = |of: fn(&(f64, f64)) -> f64| bone.iter().map(of).sum::<f64>() / bone.len() as f64;
        // Half a millimetre per pixel; the course is known to a cell of 4 mm.
        assert!((mean(|at| at.0) - 191.5).abs() < 6.0, "flipped {flipped}: {}", mean(|at| at.0));
        assert!((mean(|at| at.1) - (191.5 - 28.0)).abs() < 6.0, "flipped {flipped}: {}", mean(|at| at.1));
        // The bone lies left of the body's middle: most of the body is at the picture's left.
        assert!(2 * water[0] > 3 * water[1], "flipped {flipped}: {water:?}");
    }
}

#[test]
fn an_arm_beside_the_neck_does_not_draw_the_input_aside() {
    let mut volume = block(false);
    let columns = volume.shape.columns;
    // As much, denser bone at the edge of the picture, all along the scan.
    for (index, hu) in volume.voxels.iter_mut().enumerate() {
        let (row, column) = (index / columns % volume.shape.rows, index % columns);
        if (118..124).contains(&column) && (56..68).contains(&row) {
            *hu = 1900;
        }
    }
    volume.spacing = PixelSpacing::new(1.0, 2.0);
    let crop = Preprocessor::new(&volume, &spec()).expect("axial").crop(5).expect("a slice");
    let (_, column) = crop.voxel(191.5, 191.5, 128, columns);
    assert!((column - 78.5).abs() < 3.0, "the bone in the body is at column 78.5, the middle at {column}");
}

/// A head of 140 mm, its skull thick at the back, on a neck of 100 mm whose spine lies 40 mm in front of the back of the head.
/// Slices 4 mm apart, 128 × 128 pixels of 2 mm.
fn head_and_neck() -> Volume {
    const HEAD: usize = 35;
    let mut volume = block(false);
    let (slices, side) = (HEAD + 25, 128);
    volume.shape = VolumeShape { slices, rows: side, columns: side };
    volume.voxels.clear();
    for slice in 0..slices {
        for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
            let (x, y) = ((column as f64 - 63.5) * 2.0, (row as f64 - 63.5) * 2.0);
            let away = x.hypot(y);
            let back = y > 50.0 && x.abs() < 40.0;
            let bone = if slice < HEAD {
                (70.0..80.0).contains(&away) || (back && away < 80.0)
            } else {
                x.abs() < 12.0 && (y - 25.0).abs() < 12.0
            };
            let body = away < if slice < HEAD { 85.0 } else { 60.0 };
            volume.voxels.push(if bone {
                900
            } else if body {
                0
            } else {
                Volume::AIR
            });
        }
    }
    volume.spacing = PixelSpacing::new(2.0, 2.0);
    volume.stack = SliceStack::new((0..slices).map(|slice| slice as f64 * 4.0).collect());
    let one = volume.slices[0].clone();
    volume.slices = vec![one; slices];
    volume
}

#[test]
fn the_back_of_the_head_does_not_draw_the_input_away_from_the_first_vertebra() {
    let volume = head_and_neck();
    let preprocessor = Preprocessor::new(&volume, &spec()).expect("axial");
    for slice in 35..60 {
        let crop = preprocessor.crop(slice).expect("a slice");
        let (row, column) = crop.voxel(191.5, 191.5 - BEHIND_MM / 0.5, 128, 128);
        let (x, y) = ((column - 63.5) * 2.0, (row - 63.5) * 2.0);
        assert!(
            x.abs() < 6.0 && (y - 25.0).abs() < 10.0,
            "slice {slice}: the bone is at (0, 25), the input at ({x}, {y})"
        );
    }
}

#[test]
fn the_body_is_in_the_middle_where_a_package_asks_for_it_or_no_bone_is_found() {
    for (flipped, centre, dense) in [(false, Centre::Body, 205), (true, Centre::Body, 205), (true, Centre::Spine, 96)] {
        let mut volume = block(flipped);
        if centre == Centre::Spine {
            volume.voxels.iter_mut().filter(|hu| **hu > 500).for_each(|hu| *hu = 150);
        }
        let spec = InputSpec { centre, ..spec() };
        let input = Preprocessor::new(&volume, &spec).expect("axial").input(5).expect("a slice");
        // Water is (0 + 600)/2000 · 255 = 76.5, air outside 0, bone 1005 HU is 205.
        assert!((76..=77).contains(&pixel(&input, 1, 192, 192)));
        assert_eq!(pixel(&input, 1, 5, 5), 0);
        // The bone, or what is 150 HU in its place, lies 10 mm left of and 5 mm behind the body's middle: 20 pixels right, 10 down.
        assert_eq!(pixel(&input, 1, 192 + 20, 192 + 10), dense, "flipped {flipped}");
        assert!((76..=77).contains(&pixel(&input, 1, 192 - 20, 192 + 10)), "flipped {flipped}");
    }
}

#[test]
fn both_ways_of_storing_give_the_same_input() {
    let (straight, flipped) = (block(false), block(true));
    let inputs = [&straight, &flipped]
        .map(|volume| Preprocessor::new(volume, &spec()).expect("axial").input(4).expect("a slice"));
    let differing = inputs[0].iter().zip(&inputs[1]).filter(|(a, b)| a.abs_diff(**b) > 1).count();
    // The median of an even number of columns may fall on either of the two in the middle: one edge line may differ.
    assert!(differing < inputs[0].len() / 100, "{differing} of {}", inputs[0].len());
}

#[test]
fn channels_are_the_slices_two_millimetres_off_and_repeat_at_the_ends() {
    let volume = block(false);
    let preprocessor = Preprocessor::new(&volume, &spec()).expect("axial");
    assert_eq!([-2.0, 0.0, 2.0].map(|offset| preprocessor.neighbour(5, offset)), [3, 5, 7]);
    assert_eq!([-2.0, 0.0, 2.0].map(|offset| preprocessor.neighbour(0, offset)), [0, 0, 2]);
    assert_eq!([-2.0, 0.0, 2.0].map(|offset| preprocessor.neighbour(9, offset)), [7, 9, 9]);
    assert!(preprocessor.input(10).is_none());
    assert_eq!(preprocessor.input(0).expect("a slice").len(), preprocessor.input_len());
}

#[test]
fn a_crop_leads_back_to_the_voxel() {
    for flipped in [false, true] {
        let volume = block(flipped);
        let crop = Preprocessor::new(&volume, &spec()).expect("axial").crop(0).expect("a slice");
        // The input's middle is 14 mm behind the bone's, (15, 2) in the patient, within a cell.
        let (row, column) = crop.voxel(191.5, 191.5, 128, 128);
        let point = volume.patient_point(0.0, row, column).expect("metric");
        assert!((point.x - 15.0).abs() <= 3.0 && (point.y - 16.0).abs() <= 3.0, "{point}");
    }
}

#[test]
fn what_has_no_geometry_is_declined() {
    let mut volume = block(false);
    volume.spacing = None;
    assert_eq!(
        Preprocessor::new(&volume, &spec()).expect_err("declined"),
        NotAnalysed::NoGeometry(Missing::PixelSpacing)
    );
    let mut volume = block(false);
    volume.units = Units::Other(NotHounsfield::EightBit);
    assert_eq!(
        Preprocessor::new(&volume, &spec()).expect_err("declined"),
        NotAnalysed::NotHounsfield(NotHounsfield::EightBit)
    );
}

#[test]
fn thin_slices_are_averaged_to_a_slab_and_thick_ones_taken_as_they_are() {
    // Slices 1 mm apart that alternate between two densities about water: the mean is what a slab of them shows.
    let mut volume = block(false);
    let length = volume.shape.rows * volume.shape.columns;
    for (index, hu) in volume.voxels.iter_mut().enumerate() {
        *hu = if (index / length).is_multiple_of(2) { 400 } else { -400 };
    }
    let spacing = volume.stack.offsets[1] - volume.stack.offsets[0];
    let spec = |slab_mm| InputSpec { slab_mm, centre: Centre::Body, ..spec() };
    let middle = |volume: &Volume, slab: f64, slice| {
        let input = Preprocessor::new(volume, &spec(slab)).expect("axial").input(slice).expect("a slice");
        (0..3).map(|channel| pixel(&input, channel, 190, 190)).collect::<Vec<_>>()
    };
    let of = |hu: f64| ((hu + 600.0) / 2000.0 * 255.0).round() as u8;
    // By a triangle of twice the spacing a slice weighs twice as much as each neighbour.
    assert_eq!(middle(&volume, 2.0 * spacing, 6)[1], of(0.0));
    // At the end there is a neighbour on one side only.
    assert_eq!(middle(&volume, 2.0 * spacing, 0)[1], of((400.0_f64 / 3.0).round()));
    // Slices as far apart as the slab is wide, or no slab: the slice itself.
    assert_eq!(middle(&volume, spacing, 6)[1], of(400.0));
    assert_eq!(middle(&volume, 0.0, 6)[1], of(400.0));
}
