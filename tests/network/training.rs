//! The program and `cspine_train` compute the same numbers: the RSNA 2022 metric, the aggregation and the features' distance of inputs that both test suites make
//! with one random number generator. `models/training/tests/test_agreement.py` holds the Python half and writes `agreement.json`.

use cspine::domain::{Aggregation, PerLevel, Probability, SliceScore};
use cspine::evaluation::{RSNA_RATES, rsna_loss};
use cspine::inference::{FeatureSum, LevelSummary, PresenceSpec, combine, overall};
use serde_json::Value;

/// Steele, Lea and Flood, OOPSLA 2014.
struct SplitMix64(u64);

impl SplitMix64 {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn index(&mut self, limit: usize) -> usize {
        self.below(limit as u64) as usize
    }
}

fn expected(name: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/models/training/tests/agreement.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("the numbers")).expect("JSON");
    file[name].as_array().expect("a list").clone()
}

/// Truths and probabilities of one study; `None`, 0 and 1 among them.
fn labels(seed: u64) -> ([bool; 8], [Option<f64>; 8]) {
    let mut random = SplitMix64(seed);
    let (mut truth, mut probability) = ([false; 8], [None; 8]);
    for label in 0..8 {
        truth[label] = random.below(3) == 0;
        let (kind, value) = (random.below(8), random.below(1000) as f64 / 1000.0);
        probability[label] = match kind {
            0 => None,
            1 => Some(0.0),
            2 => Some(1.0),
            _ => Some(value),
        };
    }
    (truth, probability)
}

#[test]
fn the_metric_is_that_of_the_training_package() {
    let expected = expected("metric");
    assert_eq!(expected.len(), 60);
    for (seed, expected) in (0..).zip(expected) {
        let (truth, probability) = labels(seed);
        let known = std::array::from_fn(|label| probability[label].unwrap_or(RSNA_RATES[label]));
        let (found, expected) = (rsna_loss(truth, known), expected.as_f64().expect("a number"));
        assert!((found - expected).abs() < 1e-9, "study {seed}: {found}, in Python {expected}");
    }
}

/// Offsets in mm from the head, scores, and the aggregation. Values are fractions of powers of two, so that no threshold depends on
/// rounding.
fn neck(seed: usize) -> (Vec<f64>, Vec<SliceScore>, Aggregation) {
    let mut random = SplitMix64(1000 + seed as u64);
    let mut count = 6 + random.index(90);
    let mut step = [0.5, 1.0, 1.5, 2.0, 3.0][random.index(5)];
    let first = random.index(3);
    let levels = 1 + random.index(7 - first);
    let mut order: Vec<usize> = (first..first + levels).collect();
    let kind = random.below(7);
    if kind == 3 && levels > 1 {
        order.swap(0, 1);
    }
    let missing = (kind == 4).then(|| first + random.index(levels));
    let mut own: Vec<usize> = (0..count).map(|slice| order[slice * levels / count]).collect();
    let mut stray = || (kind == 5 && random.below(8) == 0).then(|| random.index(7));
    let mut strays: Vec<Option<usize>> = (0..count).map(|_| stray()).collect();
    if kind == 6 {
        // C3 is 3.5 mm tall, and seen only with its strays in C5; C4 is missed: without the strays two levels are.
        (step, own) = (0.5, [vec![1; 20], vec![2; 7], vec![4; 43]].concat());
        (count, strays) = (own.len(), [vec![None; 57], vec![Some(2); 3], vec![None; 10]].concat());
    }
    let (mut offsets, mut scores) = (Vec::new(), Vec::new());
    for slice in 0..count {
        if slice == 0 {
            offsets.push(0.0);
        } else {
            let gap = if random.below(20) == 0 && kind != 6 { 2 + random.below(8) } else { 1 };
            offsets.push(offsets[slice - 1] + step * gap as f64);
        }
        let hidden = random.below(12) == 0 && kind != 6;
        let part = |value: u64| Probability::new(value as f32 / 256.0).expect("a probability");
        let (mut vertebra, mut fracture) = ([Probability::ZERO; 7], [Probability::ZERO; 7]);
        for level in 0..7 {
            let shows = (level == own[slice] && Some(level) != missing && !hidden) || Some(level) == strays[slice];
            vertebra[level] = part(if shows { 128 + random.below(129) } else { random.below(120) });
            let most = if random.below(4) == 0 { 257 } else { 40 };
            fracture[level] = part(random.below(most));
        }
        scores.push(SliceScore { vertebra: PerLevel(vertebra), fracture: PerLevel(fracture) });
    }
    (offsets, scores, Aggregation::ALL[seed % 3])
}

#[test]
fn the_aggregation_is_that_of_the_training_package() {
    let expected = expected("aggregation");
    assert_eq!(expected.len(), 240);
    for (seed, expected) in expected.iter().enumerate() {
        let (offsets, scores, aggregation) = neck(seed);
        let edges = [offsets[0], offsets[offsets.len() - 1]];
        let presence = PresenceSpec { vertebra: 0.5, minimum_mm: 4.0 };
        let found = match combine(scores, &offsets, &edges, aggregation, presence) {
            Err(_) => [None; 8],
            Ok((_, summary)) => {
                let level = |level: LevelSummary| match level {
                    LevelSummary::Seen { probability, .. } => Some(probability),
                    LevelSummary::NotSeen => None,
                };
                let levels = summary.0.map(level);
                std::array::from_fn(|label| if label == 0 { Some(overall(&summary)) } else { levels[label - 1] })
            }
        };
        for (label, found) in found.into_iter().enumerate() {
            let (found, expected) = (found.map(|p| f64::from(p.value())), expected[label].as_f64());
            let close = match (found, expected) {
                // The program's numbers are f32.
                (Some(found), Some(expected)) => (found - expected).abs() < 1e-5,
                (found, expected) => found == expected,
            };
            assert!(close, "neck {seed}, {}, label {label}: {found:?}, in Python {expected:?}", aggregation.name());
        }
    }
}

#[test]
fn the_distance_is_that_of_the_training_package() {
    let expected = expected("distance");
    assert_eq!(expected.len(), 240);
    for (seed, expected) in expected.iter().enumerate() {
        let (_, scores, _) = neck(seed);
        let mut random = SplitMix64(5000 + seed as u64);
        let mut sum = FeatureSum::default();
        for score in &scores {
            let features: [f32; 5] = std::array::from_fn(|_| (random.below(2049) as f32 - 1024.0) / 256.0);
            sum.add(score, &features, 0.5);
        }
        let (found, expected) = (sum.distance().ok().map(f64::from), expected.as_f64());
        let close = match (found, expected) {
            // The program's distance is f32.
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-6 * expected.max(1.0),
            (found, expected) => found == expected,
        };
        assert!(close, "neck {seed}: {found:?}, in Python {expected:?}");
    }
}
