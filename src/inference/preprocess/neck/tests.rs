//! Bodies made of cylinders: what is searched for the neck always holds the whole neck, and little else.

use super::*;
use crate::domain::{ImagePlane, SliceStack, VolumeShape};
use crate::inference::preprocess::tests::block;
use proptest::prelude::*;

/// Heights along the body in mm from the vertex of a grown person: C1's upper end, C7's lower end, the lungs' apices and bases.
const C1: f64 = 150.0;
const C7: f64 = 290.0;
const APEX: f64 = 300.0;
const BASE: f64 = 560.0;
/// Pixel size, mm, and pixels of an edge.
const PIXEL: f64 = 4.0;
const SIDE: usize = 128;
/// The spine's middle, mm posterior to the body's.
const SPINE: f64 = 30.0;

/// Where the arms are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Arms {
    /// Outside the scan.
    Out,
    /// Along the trunk.
    Down,
    /// Beside the head and beyond the vertex, as in most scans of the trunk.
    Up,
    /// One of them beside the head.
    OneUp,
}

/// A body and how it is scanned.
#[derive(Debug, Clone, Copy)]
struct Body {
    /// The first slice and the last, in heights of a grown person.
    scan: (f64, f64),
    /// Distance between slices, mm.
    spacing: f64,
    /// Size of the body, 1 for a grown person.
    size: f64,
    arms: Arms,
    /// Width of the reconstructed field, mm.
    field: f64,
    /// HU of the lungs' tissue.
    lung: i16,
    /// A collar of foam in a shell about the neck, and a pillow behind it.
    collar: bool,
}

const PERSON: Body =
    Body { scan: (0.0, 900.0), spacing: 5.0, size: 1.0, arms: Arms::Down, field: 512.0, lung: -820, collar: false };

fn ellipse(x: f64, y: f64, across: f64, along: f64) -> bool {
    (x / across).hypot(y / along) <= 1.0
}

impl Body {
    /// HU at a height and a place, of a grown person, mm; `y` rises to the back.
    fn hu(&self, height: f64, x: f64, y: f64) -> i16 {
        let arm = |side: f64| {
            let at = match self.arms {
                Arms::Out => return None,
                Arms::Down => (APEX..APEX + 560.0).contains(&height).then_some(225.0),
                Arms::Up => (height < APEX + 20.0).then_some(150.0),
                Arms::OneUp => (height < APEX + 20.0 && side > 0.0).then_some(150.0),
            }?;
            let away = (x - side * at).hypot(y);
            (away <= 38.0).then_some(if away <= 12.0 { 1100 } else { 40 })
        };
        if let Some(hu) = arm(1.0).or_else(|| arm(-1.0)) {
            return hu;
        }
        // A table of foam in a shell.
        if y > 125.0 && y < 165.0 && x.abs() < 210.0 {
            return if !(130.0..=160.0).contains(&y) { -100 } else { -920 };
        }
        let spine = (x).hypot(y - SPINE);
        if (C1..1000.0).contains(&height) && spine <= 18.0 {
            return if spine <= 8.0 { 30 } else { 600 };
        }
        if (0.0..210.0).contains(&height) {
            let wide = (height * 4.0).sqrt().mul_add(4.0, 0.0).min(78.0);
            let away = (x / wide).hypot(y / (wide * 1.15));
            if away <= 1.0 {
                let sinus = (110.0..160.0).contains(&height) && ellipse(x, y + 50.0, 20.0, 16.0);
                let skull = height < C1 - 5.0 && away > 0.86;
                return if sinus {
                    -900
                } else if skull {
                    900
                } else {
                    35
                };
            }
        }
        if (200.0..APEX).contains(&height) && ellipse(x, y, 60.0, 65.0) {
            return if ellipse(x, y + 15.0, 9.0, 9.0) { -990 } else { 45 };
        }
        if (APEX - 20.0..900.0).contains(&height) && ellipse(x, y, 185.0, 115.0) {
            let grown = ((height - APEX) / 80.0).clamp(0.0, 1.0).sqrt();
            let in_lung = |side: f64| ellipse(x - side * 90.0, y, 70.0 * grown, 85.0 * grown);
            let is_lung = (APEX..BASE).contains(&height) && grown > 0.05 && (in_lung(1.0) || in_lung(-1.0));
            let bowel = (700.0..760.0).contains(&height) && ellipse(x - 60.0, y + 50.0, 40.0, 30.0);
            let pelvis = (800.0..900.0).contains(&height) && ellipse(x, y, 140.0, 95.0) && !ellipse(x, y, 120.0, 75.0);
            return if is_lung {
                self.lung
            } else if bowel {
                -980
            } else if pelvis {
                700
            } else {
                40
            };
        }
        if (900.0..1500.0).contains(&height) {
            let leg = (x.abs() - 90.0).hypot(y);
            if leg <= 80.0 {
                return if leg <= 18.0 { 1200 } else { 40 };
            }
        }
        if self.collar && (C1..C7 + 10.0).contains(&height) {
            let away = (x / 60.0).hypot(y / 65.0);
            if away <= 1.3 {
                return if away > 1.26 { 80 } else { -930 };
            }
            if y > 0.0 && x.abs() < 100.0 {
                return -920;
            }
        }
        Volume::AIR
    }

    /// The scan; offset 0 is its first slice.
    fn volume(&self) -> Volume {
        let length = (self.scan.1 - self.scan.0) * self.size;
        let slices = (length / self.spacing) as usize + 1;
        let pixel = self.field / SIDE as f64;
        let mut volume = block(false);
        volume.shape = VolumeShape { slices, rows: SIDE, columns: SIDE };
        volume.voxels.clear();
        let middle = (SIDE as f64 - 1.0) / 2.0;
        for slice in 0..slices {
            let height = self.scan.0 + slice as f64 * self.spacing / self.size;
            for (row, column) in (0..SIDE).flat_map(|row| (0..SIDE).map(move |column| (row, column))) {
                let (x, y) = ((column as f64 - middle) * pixel, (row as f64 - middle) * pixel);
                // The reconstruction is a circle.
                let inside = x.hypot(y) <= self.field / 2.0;
                let hu = if inside { self.hu(height, x / self.size, y / self.size) } else { Volume::AIR };
                volume.voxels.push(hu);
            }
        }
        volume.spacing = PixelSpacing::new(pixel, pixel);
        volume.plane = ImagePlane::new([0.0; 3], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        volume.stack = SliceStack::new((0..slices).map(|slice| slice as f64 * self.spacing).collect());
        let one = volume.slices[0].clone();
        volume.slices = vec![one; slices];
        volume
    }

    /// The range that is searched, as heights of its first and last slice.
    fn searched(&self) -> (f64, f64) {
        let volume = self.volume();
        let range = Neck::find(&volume, volume.spacing.expect("a spacing")).searched;
        let height = |slice: usize| self.scan.0 + slice as f64 * self.spacing / self.size;
        (height(range.start), height(range.end - 1))
    }

    /// The heights of the first and last slice of the scan.
    fn all(&self) -> (f64, f64) {
        let slices = ((self.scan.1 - self.scan.0) * self.size / self.spacing) as usize;
        (self.scan.0, self.scan.0 + slices as f64 * self.spacing / self.size)
    }
}

fn assert_ends_below_the_apices(searched: (f64, f64), body: &Body) {
    let below = (searched.1 - APEX) * body.size;
    // From the apices to the margin below the first section that is a tenth lung.
    assert!(
        (BELOW_APEX_MM - body.spacing..BELOW_APEX_MM + 50.0).contains(&below),
        "{below} mm caudal to the apices: {body:?}"
    );
}

#[test]
fn a_whole_body_is_searched_from_the_vertex_to_below_the_lungs_apices() {
    for spacing in [2.5, 5.0] {
        let body = Body { spacing, ..PERSON };
        let searched = body.searched();
        assert_eq!(searched.0, 0.0, "{spacing}");
        assert_ends_below_the_apices(searched, &body);
    }
}

#[test]
fn hands_beyond_the_vertex_are_not_searched() {
    let body = Body { scan: (-350.0, 700.0), arms: Arms::Up, ..PERSON };
    let searched = body.searched();
    assert!((-VERTEX_MM..=0.0).contains(&searched.0), "from {}", searched.0);
    assert_ends_below_the_apices(searched, &body);
}

#[test]
fn a_scan_without_lungs_is_searched_whole() {
    let necks = Body { scan: (120.0, 340.0), spacing: 3.0, ..PERSON };
    let head_and_neck = Body { scan: (0.0, 330.0), ..necks };
    let head = Body { scan: (0.0, 190.0), ..necks };
    let abdomen = Body { scan: (600.0, 1000.0), ..PERSON };
    let legs = Body { scan: (900.0, 1400.0), ..PERSON };
    for body in [necks, head_and_neck, head, abdomen, legs] {
        assert_eq!(body.searched(), body.all(), "{body:?}");
    }
}

#[test]
fn below_a_skull_a_body_with_white_lungs_is_searched_as_far_as_a_neck_can_reach() {
    let body = Body { lung: -100, ..PERSON };
    let searched = body.searched();
    assert_eq!(searched.0, 0.0);
    assert!((C7 + 80.0..600.0).contains(&searched.1), "to {}", searched.1);
}

#[test]
fn a_collar_and_a_pillow_of_foam_are_no_lungs() {
    for field in [512.0, 200.0, 160.0] {
        let body = Body { scan: (100.0, 330.0), spacing: 3.0, collar: true, field, ..PERSON };
        assert_eq!(body.searched(), body.all(), "a field of {field} mm");
    }
}

#[test]
fn a_chest_is_searched_at_its_cranial_end_only() {
    let chest = Body { scan: (APEX + 40.0, 700.0), spacing: 3.0, ..PERSON };
    let searched = chest.searched();
    assert_eq!(searched.0, chest.scan.0);
    assert!(searched.1 - searched.0 <= BELOW_APEX_MM, "{searched:?}");
}

#[test]
fn a_reconstruction_of_the_whole_spine_with_a_narrow_field_is_searched_in_the_neck() {
    // The lungs reach the field's edge, and the body fills it.
    let body = Body { scan: (100.0, 1000.0), field: 220.0, arms: Arms::Out, ..PERSON };
    let searched = body.searched();
    assert_eq!(searched.0, 100.0);
    assert_ends_below_the_apices(searched, &body);
}

#[test]
fn a_scan_of_nothing_or_of_few_and_large_pixels_is_searched_whole() {
    let mut volume = block(false);
    let everything = 0..volume.shape.slices;
    assert_eq!(Neck::find(&volume, PixelSpacing { row: 0.001, column: 100.0 }).searched, everything);
    assert_eq!(Neck::find(&volume, PixelSpacing { row: 100.0, column: 100.0 }).searched, everything);
    volume.voxels.fill(Volume::AIR);
    assert_eq!(Neck::find(&volume, PixelSpacing { row: 1.0, column: 1.0 }).searched, everything);
    volume.voxels.fill(-800);
    assert!(!Neck::find(&volume, PixelSpacing { row: 1.0, column: 1.0 }).searched.is_empty());
}

#[test]
fn the_inputs_of_a_whole_body_follow_the_spine_through_the_neck() {
    use crate::inference::preprocess::{BEHIND_MM, Preprocessor, tests::spec};
    for arms in [Arms::Down, Arms::Up, Arms::OneUp] {
        let body = Body { arms, scan: (0.0, 600.0), ..PERSON };
        let volume = body.volume();
        let preprocessor = Preprocessor::new(&volume, &spec()).expect("axial");
        let neck = (C1 / body.spacing) as usize + 1..(C7 / body.spacing) as usize;
        assert!(preprocessor.searched().start <= neck.start && preprocessor.searched().end >= neck.end);
        let middle = (SIDE as f64 - 1.0) / 2.0;
        for slice in neck {
            let crop = preprocessor.crop(slice).expect("a slice");
            let (row, column) = crop.voxel(191.5, 191.5 - BEHIND_MM / 0.5, SIDE, SIDE);
            let (x, y) = ((column - middle) * PIXEL, (row - middle) * PIXEL);
            assert!(x.abs() < 8.0 && (y - SPINE).abs() < 12.0, "{arms:?}, slice {slice}: ({x}, {y})");
        }
    }
}

fn bodies() -> impl Strategy<Value = Body> {
    let scan = (-300.0..300.0_f64, 320.0..1000.0_f64);
    let spacing = prop_oneof![Just(3.0), Just(5.0)];
    let arms = prop_oneof![Just(Arms::Out), Just(Arms::Down), Just(Arms::Up), Just(Arms::OneUp)];
    let field = prop_oneof![Just(512.0), Just(400.0), Just(200.0)];
    (scan, spacing, 0.55..1.1_f64, arms, field, -900..-600_i16, proptest::bool::ANY).prop_map(
        |(scan, spacing, size, arms, field, lung, collar)| Body { scan, spacing, size, arms, field, lung, collar },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn no_part_of_the_neck_is_left_out(body in bodies()) {
        let (all, searched) = (body.all(), body.searched());
        prop_assert!(searched.0 <= all.0.max(C1 - 10.0), "from {} of {all:?}", searched.0);
        prop_assert!(searched.1 >= all.1.min(C7 + 40.0), "to {} of {all:?}", searched.1);
    }
}
