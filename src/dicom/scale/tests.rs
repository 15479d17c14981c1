//! The scale of made-up bodies: right ones are accepted, wrong ones repaired exactly or refused.

use super::*;
use crate::domain::{MissingPeak, OddValues};
use fastrand::Rng;
use proptest::prelude::*;

/// A body in CT: parts of air, fat, muscle and bone in per cent, and the noise in HU.
#[derive(Debug, Clone, Copy)]
struct Body {
    air: u32,
    fat: u32,
    bone: u32,
    noise: f64,
    seed: u64,
}

const VOXELS: usize = 6000;

impl Body {
    /// Its values in HU.
    fn values(self) -> Vec<f64> {
        let mut random = Rng::with_seed(self.seed);
        let voxel = |_| {
            let part = random.u32(..100);
            let center = if part < self.air {
                -1000.0
            } else if part < self.air + self.bone {
                f64::from(random.i32(250..1500))
            } else if random.u32(..100) < self.fat {
                -100.0
            } else {
                50.0
            };
            // The sum of uniform numbers is near enough to noise.
            let noise: f64 = (0..6).map(|_| random.f64() - 0.5).sum();
            center + noise * std::f64::consts::SQRT_2 * self.noise
        };
        (0..VOXELS).map(voxel).collect()
    }
}

fn bodies() -> impl Strategy<Value = Body> {
    (3_u32..75, 10_u32..55, 2_u32..16, 0.0..22.0_f64, any::<u64>()).prop_map(|(air, fat, bone, noise, seed)| Body {
        air,
        fat,
        bone,
        noise,
        seed,
    })
}

fn spread(values: impl IntoIterator<Item = f64>) -> Spread {
    Spread::new(values.into_iter().map(|value| value.round() as i16))
}

/// A layout of 16 bits.
fn layout(signed: bool, intercept: f64) -> PixelLayout {
    PixelLayout {
        rows: 60,
        columns: 100,
        bits_allocated: 16,
        bits_stored: 16,
        high_bit: 15,
        signed,
        padding: None,
        overlay_bits: 0,
        lut: ModalityLut::new(1.0, intercept).expect("a LUT"),
    }
}

/// What is made of stored words under a header that claims CT.
fn judged(words: &[i16], layout: PixelLayout) -> (Units, Vec<i16>, BTreeSet<Repair>) {
    let layouts = [layout];
    let verdict = settle_ct(words, &layouts);
    let mut values = words.to_vec();
    convert_slice(&mut values, &layout, verdict.conversion);
    (verdict.units, values, verdict.repairs)
}

/// Words whose values the alignment gives back.
fn stored(values: &[f64], offset: f64) -> Vec<i16> {
    values.iter().map(|value| ((value + offset).round().clamp(0.0, 65_535.0) as u16).cast_signed()).collect()
}

fn furthest(values: &[f64], voxels: &[i16]) -> f64 {
    let truth = |value: &f64| value.round().max(f64::from(Volume::AIR));
    values.iter().zip(voxels).map(|(value, voxel)| (truth(value) - f64::from(*voxel)).abs()).fold(0.0, f64::max)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_body_on_its_scale_is_accepted(body in bodies()) {
        prop_assert_eq!(judge(&spread(body.values()), true), Verdict::Plausible);
        prop_assert_eq!(judge(&spread(body.values()), false), Verdict::Plausible);
    }

    #[test]
    fn a_shifted_body_is_refused(body in bodies(), shift in 101.0..3000.0_f64, down in any::<bool>()) {
        let shift = if down { -shift } else { shift };
        let verdict = judge(&spread(body.values().iter().map(|value| value + shift)), true);
        prop_assert_ne!(verdict, Verdict::Plausible);
    }

    #[test]
    fn a_stretched_body_is_refused(body in bodies(), slope in 1.3..4.0_f64, less in any::<bool>()) {
        let slope = if less { slope.recip() } else { slope };
        for fixed in [-1024.0, 0.0] {
            let verdict = judge(&spread(body.values().iter().map(|value| (value - fixed) * slope + fixed)), true);
            prop_assert_ne!(verdict, Verdict::Plausible);
        }
    }

    #[test]
    fn a_missing_rescale_is_repaired_exactly_or_refused(body in bodies(), other in any::<bool>()) {
        let values = body.values();
        let offset = if other { 1000.0 } else { 1024.0 };
        let (units, voxels, repairs) = judged(&stored(&values, offset), layout(false, 0.0));
        match units {
            Units::Hounsfield => {
                // What was cut off at zero is air.
                prop_assert!(furthest(&values, &voxels) <= 80.0 && repairs.len() == 1, "{repairs:?}");
                let bone: Vec<(f64, i16)> = values.iter().copied().zip(voxels).filter(|(hu, _)| *hu > -500.0).collect();
                prop_assert!(bone.iter().all(|(hu, voxel)| (hu.round() - f64::from(*voxel)).abs() < 1.0));
            }
            Units::Other(_) => {}
            Units::Unconfirmed => prop_assert!(false, "a shifted body contradicts its header"),
        }
    }

    #[test]
    fn an_intercept_applied_twice_is_repaired_exactly(body in bodies(), other in any::<bool>()) {
        let values = body.values();
        let words: Vec<i16> = values.iter().map(|value| value.round() as i16).collect();
        let intercept = if other { -1000.0 } else { -1024.0 };
        let (units, voxels, repairs) = judged(&words, layout(true, intercept));
        prop_assert_eq!(units, Units::Hounsfield);
        prop_assert!(furthest(&values, &voxels) < 1.0);
        prop_assert_eq!(repairs, BTreeSet::from([Repair::RescaleTwice]));
    }

    #[test]
    fn other_quantities_are_refused(seed in any::<u64>(), low in 0_i16..100, width in 1_i16..400) {
        let mut random = Rng::with_seed(seed);
        let uniform: Vec<i16> = (0..VOXELS).map(|_| random.i16(low..low + width)).collect();
        prop_assert_ne!(judge(&Spread::new(uniform), true), Verdict::Plausible);
        let wide: Vec<i16> = (0..VOXELS).map(|_| random.i16(-1100..3000)).collect();
        prop_assert_ne!(judge(&Spread::new(wide), true), Verdict::Plausible);
        let map: Vec<i16> = (0..VOXELS).map(|_| if random.bool() { 0 } else { random.i16(60..130) }).collect();
        prop_assert_ne!(judge(&Spread::new(map), true), Verdict::Plausible);
    }

    #[test]
    fn a_window_exported_to_eight_bits_is_refused(body in bodies(), center in -100.0..500.0_f64, width in 200.0..2500.0_f64) {
        let grey = |value: &f64| ((value - center) / width + 0.5).clamp(0.0, 1.0) * 255.0;
        let verdict = judge(&spread(body.values().iter().map(grey)), true);
        prop_assert_ne!(verdict, Verdict::Plausible);
    }
}

fn settle_ct(words: &[i16], layouts: &[PixelLayout]) -> Judged {
    settle(words, words.len(), layouts, Claim { stated: true, is_ct: true })
}

/// The smallest body: a block of soft tissue in air, one dense voxel.
fn block() -> Vec<f64> {
    (0..VOXELS)
        .map(|index| {
            if index % 5 < 3 {
                -1000.0
            } else if index % 250 == 4 {
                700.0
            } else {
                40.0
            }
        })
        .collect()
}

#[test]
fn the_alignment_of_bits_is_found() {
    let values = block();
    let twelve = |high_bit| PixelLayout { bits_stored: 12, high_bit, ..layout(false, -1024.0) };
    let high: Vec<i16> = stored(&values, 1024.0).iter().map(|word| word << 4).collect();
    for (what, words, layout, repairs) in [
        ("right", stored(&values, 1024.0), twelve(11), vec![]),
        ("HighBit 15, low", stored(&values, 1024.0), twelve(15), vec![Repair::HighBit]),
        ("HighBit 15, high", high.clone(), twelve(15), vec![]),
        ("HighBit 11, high", high, twelve(11), vec![Repair::HighBit]),
        (
            "rubbish",
            stored(&values, 1024.0).iter().map(|word| word | 0x5000).collect(),
            twelve(11),
            vec![Repair::StrayBits],
        ),
    ] {
        let (units, voxels, found) = judged(&words, layout);
        assert_eq!((units, furthest(&values, &voxels) < 1.0), (Units::Hounsfield, true), "{what}");
        assert_eq!(found, repairs.into_iter().collect(), "{what}");
    }
}

#[test]
fn words_beyond_their_bits_are_repaired_or_refused() {
    let mut values = block();
    let signed = PixelLayout { bits_stored: 12, high_bit: 11, ..layout(true, 0.0) };
    let words = |values: &[f64]| values.iter().map(|value| *value as i16).collect::<Vec<i16>>();
    // Padding outside the reconstruction does not fit into 12 bits.
    values[..600].fill(-3024.0);
    let (units, voxels, repairs) = judged(&words(&values), signed);
    assert_eq!((units, repairs), (Units::Hounsfield, BTreeSet::from([Repair::BitsStored])));
    assert!(furthest(&values, &voxels) < 1.0);
    // Metal or an overlay: nobody knows.
    values[700..800].fill(8000.0);
    let (units, ..) = judged(&words(&values), signed);
    assert_eq!(units, Units::Other(NotHounsfield::BitsOutsideStored));
    // A declared overlay is no value.
    let overlay = PixelLayout { overlay_bits: 1 << 14, ..signed };
    let marked: Vec<i16> =
        words(&block()).iter().map(|word| if word % 3 == 0 { word ^ 0x4000 } else { *word }).collect();
    let (units, voxels, repairs) = judged(&marked, overlay);
    assert_eq!((units, repairs), (Units::Hounsfield, BTreeSet::new()));
    assert!(furthest(&block(), &voxels) < 1.0);
}

#[test]
fn padding_in_tissue_is_tissue_and_padding_outside_is_air() {
    let mut values = block();
    // Everything soft is 0 HU, which is also the padding; the first and last ten columns are padding indeed.
    for (index, value) in values.iter_mut().enumerate() {
        *value = match (*value == 40.0, index % 100) {
            (_, 0..10 | 90..) | (true, _) => 0.0,
            _ => *value,
        };
    }
    let padded = PixelLayout { padding: Some((0, 0)), ..layout(true, 0.0) };
    let mut words: Vec<i16> = values.iter().map(|value| *value as i16).collect();
    let conversion = Conversion { alignment: Alignment::Stated, shift: 0, padding: Padding::Air };
    assert!(convert_slice(&mut words, &padded, conversion), "padding inside is told");
    for (index, (value, voxel)) in values.iter().zip(words).enumerate() {
        if matches!(index % 100, 0..10 | 90..) {
            assert_eq!(voxel, Volume::AIR);
        } else if !matches!(index % 100, 10..20 | 80..90) {
            assert_eq!(f64::from(voxel), *value, "{index}");
        }
    }
}

#[test]
fn slices_on_two_scales_are_not_one_volume() {
    let right = stored(&block(), 1024.0);
    let wrong: Vec<i16> = right.iter().map(|word| word + 1024).collect();
    let words = [right.clone(), right.clone(), wrong, right.clone()].concat();
    let layouts = [layout(false, -1024.0); 4];
    let judged = settle(&words, VOXELS, &layouts, Claim { stated: true, is_ct: true });
    assert_eq!(judged.units, Units::Other(NotHounsfield::MixedScales));
    // The same with a rescale of its own for that slice is right.
    let mut own = layouts;
    own[2] = layout(false, -2048.0);
    let judged = settle(&words, VOXELS, &own, Claim { stated: true, is_ct: true });
    assert_eq!(judged.units, Units::Hounsfield);
}

#[test]
fn what_is_missing_is_named() {
    let grey = spread(block().iter().map(|value| (value + 1000.0) / 10.0));
    let Verdict::Implausible(values) = judge(&grey, true) else { panic!("refused") };
    assert_eq!(values, OddValues { missing: MissingPeak::Air, low: 0, high: 104 });
    assert_eq!(values.to_string(), "no air near -1000 in values from 0 to 104");
}

#[test]
fn necks_that_fill_their_image_count() {
    // Per mille of air, fat, muscle and bone.
    let image = |air: usize, fat: usize, muscle: usize, bone: usize| {
        let parts = [(air, -1000.0), (fat, -100.0), (muscle, 50.0), (bone, 700.0)];
        spread(parts.into_iter().flat_map(|(part, value)| std::iter::repeat_n(value, 5 * part)))
    };
    assert_eq!(judge(&image(6, 250, 600, 144), false), Verdict::Plausible, "an airway");
    assert_eq!(judge(&image(0, 250, 600, 150), true), Verdict::Plausible, "fat and muscle");
    assert_eq!(judge(&image(0, 100, 850, 50), true), Verdict::Plausible, "little fat");
    assert_eq!(judge(&image(0, 15, 835, 150), true), Verdict::Open, "hardly any fat");
    assert_ne!(judge(&image(0, 0, 850, 150), true), Verdict::Open, "nothing is less than water");
    assert_eq!(judge(&image(990, 0, 0, 10), true), Verdict::Open, "air");
}
