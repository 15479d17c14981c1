//! Which levels are broken together: how often each is, how often neighbours are at once, and how many there are.
//!
//! The figures are those of the RSNA 2022 Cervical Spine Fracture Detection set's training studies (Lin HM et al. 2023, *The RSNA
//! Cervical Spine Fracture CT Dataset*, Radiology: Artificial Intelligence 5(5):e230034).

use super::random::Random;
use crate::domain::{CervicalLevel, PerLevel};
use std::sync::OnceLock;

/// Share of studies in which the level is broken, C1 to C7.
const LEVELS: [f64; 7] = [0.072, 0.141, 0.036, 0.053, 0.080, 0.137, 0.195];
/// Share in which a level and the next are both broken, C1–2 to C6–7.
const PAIRS: [f64; 6] = [0.028, 0.012, 0.014, 0.025, 0.045, 0.064];
/// Share with no, one, two, three, and four or more broken levels.
const COUNTS: [f64; 5] = [0.524, 0.309, 0.118, 0.032, 0.017];

/// One for each set of levels; bit 0 is C1.
const SETS: usize = 1 << LEVELS.len();
/// After these rounds no share is further than 1e-4 from its target.
const ROUNDS: usize = 300;

/// Draws which levels are broken.
pub(super) fn draw(random: &mut Random) -> PerLevel<bool> {
    let mut left = (random.bits() >> 11) as f64 / (1_u64 << 53) as f64;
    let drawn = table().iter().position(|share| {
        left -= share;
        left < 0.0
    });
    let set = drawn.unwrap_or_default();
    PerLevel::from_fn(|level: CervicalLevel| set >> level.index() & 1 == 1)
}

fn table() -> &'static [f64; SETS] {
    static TABLE: OnceLock<[f64; SETS]> = OnceLock::new();
    TABLE.get_or_init(fit)
}

/// Iterative proportional fitting (Deming & Stephan 1940): of all distributions over the sets with these shares the one
/// that assumes least beyond them. Adds, multiplies and divides only, so that every machine finds the same bits.
fn fit() -> [f64; SETS] {
    let mut shares = [1.0 / SETS as f64; SETS];
    for _ in 0..ROUNDS {
        for (level, &target) in LEVELS.iter().enumerate() {
            scale(&mut shares, target, |set| set >> level & 1 == 1);
        }
        for (upper, &target) in PAIRS.iter().enumerate() {
            scale(&mut shares, target, |set| set >> upper & 3 == 3);
        }
        for (count, &target) in COUNTS.iter().enumerate() {
            scale(&mut shares, target, |set| (set.count_ones() as usize).min(4) == count);
        }
    }
    shares
}

fn scale(shares: &mut [f64; SETS], target: f64, holds: impl Fn(usize) -> bool) {
    let inside: f64 = (0..SETS).filter(|&set| holds(set)).map(|set| shares[set]).sum();
    let outside: f64 = (0..SETS).filter(|&set| !holds(set)).map(|set| shares[set]).sum();
    for (set, share) in shares.iter_mut().enumerate() {
        *share *= if holds(set) { target / inside } else { (1.0 - target) / outside };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_data_sets_shares() {
        let share = |holds: &dyn Fn(usize) -> bool| -> f64 {
            (0..SETS).filter(|&set| holds(set)).map(|set| table()[set]).sum()
        };
        let near = |what: &str, found: f64, target: f64| assert!((found - target).abs() < 2e-3, "{what}: {found}");
        near("all", share(&|_| true), 1.0);
        near("overall", share(&|set| set != 0), 0.476);
        for (level, target) in LEVELS.into_iter().enumerate() {
            near(&format!("C{}", level + 1), share(&|set| set >> level & 1 == 1), target);
        }
        for (upper, target) in PAIRS.into_iter().enumerate() {
            near(&format!("C{} and the next", upper + 1), share(&|set| set >> upper & 3 == 3), target);
        }
        for (count, target) in COUNTS.into_iter().enumerate() {
            near(&format!("{count} levels"), share(&|set| (set.count_ones() as usize).min(4) == count), target);
        }
    }

    #[test]
    fn what_is_drawn_follows_the_table() {
        let drawn: Vec<PerLevel<bool>> = (0..20_000).map(|seed| draw(&mut Random::new(seed, "levels"))).collect();
        let share = |holds: &dyn Fn(&PerLevel<bool>) -> bool| {
            drawn.iter().filter(|levels| holds(levels)).count() as f64 / drawn.len() as f64
        };
        for (level, target) in LEVELS.into_iter().enumerate() {
            let found = share(&|levels| levels.0[level]);
            assert!((found - target).abs() < 0.012, "C{}: {found}, not {target}", level + 1);
        }
        let together = share(&|levels| levels.0[5] && levels.0[6]);
        assert!((together - 0.064).abs() < 0.008, "C6 and C7: {together}");
    }
}
