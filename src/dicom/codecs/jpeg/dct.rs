//! The inverse discrete cosine transform of 8 × 8 coefficients.
//!
//! One dimension is the factorisation of C. Loeffler, A. Ligtenberg and G. S. Moschytz, "Practical fast 1-D DCT algorithms with 11
//! multiplications", ICASSP 1989, in integers with constants of 13 bits: the choice of the common decoders, so that results agree
//! with theirs to the unit.

/// Bits after the point of the constants.
const BITS: u32 = 13;

/// √2 · cos and their sums, as the paper's figure 1 needs them, times 2^13.
const fn fixed(value: f64) -> i64 {
    (value * (1 << BITS) as f64 + 0.5) as i64
}

const C0_298: i64 = fixed(0.298_631_336);
const C0_390: i64 = fixed(0.390_180_644);
const C0_541: i64 = fixed(0.541_196_100);
const C0_765: i64 = fixed(0.765_366_865);
const C0_899: i64 = fixed(0.899_976_223);
const C1_175: i64 = fixed(1.175_875_602);
const C1_501: i64 = fixed(1.501_321_110);
const C1_847: i64 = fixed(1.847_759_065);
const C1_961: i64 = fixed(1.961_570_560);
const C2_053: i64 = fixed(2.053_119_869);
const C2_562: i64 = fixed(2.562_915_447);
const C3_072: i64 = fixed(3.072_711_026);

/// Eight coefficients to eight values, times √8 and 2^13.
fn one_dimension(x: [i64; 8]) -> [i64; 8] {
    let turn = (x[2] + x[6]) * C0_541;
    let (low, high) = (turn - x[6] * C1_847, turn + x[2] * C0_765);
    let (sum, difference) = ((x[0] + x[4]) << BITS, (x[0] - x[4]) << BITS);
    let even = [sum + high, difference + low, difference - low, sum - high];

    let all = (x[1] + x[3] + x[5] + x[7]) * C1_175;
    let (seven_one, five_three) = (-(x[7] + x[1]) * C0_899, -(x[5] + x[3]) * C2_562);
    let (seven_three, five_one) = (all - (x[7] + x[3]) * C1_961, all - (x[5] + x[1]) * C0_390);
    let odd = [
        x[1] * C1_501 + seven_one + five_one,
        x[3] * C3_072 + five_three + seven_three,
        x[5] * C2_053 + five_three + five_one,
        x[7] * C0_298 + seven_one + seven_three,
    ];
    std::array::from_fn(|i| if i < 4 { even[i] + odd[i] } else { even[7 - i] - odd[7 - i] })
}

fn rounded(value: i64, shift: u32) -> i64 {
    (value + (1 << (shift - 1))) >> shift
}

/// Dequantised coefficients, row by row, to samples of `precision` bits (8 or 12), with T.81's level shift (A.3.1) and clipped.
pub(super) fn inverse(block: &[i64; 64], precision: u8) -> [u16; 64] {
    // More bits between the passes where the samples leave room for them.
    let kept = if precision == 8 { 2 } else { 1 };
    let mut half = [0_i64; 64];
    for column in 0..8 {
        let values = one_dimension(std::array::from_fn(|row| block[row * 8 + column]));
        for (row, value) in values.into_iter().enumerate() {
            half[row * 8 + column] = rounded(value, BITS - kept);
        }
    }
    let (middle, largest) = (1_i64 << (precision - 1), (1_i64 << precision) - 1);
    let mut samples = [0; 64];
    for row in 0..8 {
        let values = one_dimension(std::array::from_fn(|column| half[row * 8 + column]));
        for (column, value) in values.into_iter().enumerate() {
            // Each pass is too large by √8: together by 2^3.
            samples[row * 8 + column] = (rounded(value, BITS + kept + 3) + middle).clamp(0, largest) as u16;
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::inverse;
    use proptest::prelude::*;
    use std::f64::consts::PI;

    /// The transform as T.81 A.3.3 defines it.
    fn defined(block: &[i64; 64], precision: u8) -> [f64; 64] {
        let scale = |n: usize| if n == 0 { 0.5_f64.sqrt() } else { 1.0 };
        let wave = |x: usize, n: usize| ((2 * x + 1) as f64 * n as f64 * PI / 16.0).cos();
        std::array::from_fn(|at| {
            let (y, x) = (at / 8, at % 8);
            let term = |n: usize| {
                let (v, u) = (n / 8, n % 8);
                scale(u) * scale(v) * block[n] as f64 * wave(x, u) * wave(y, v)
            };
            let middle = f64::from(1 << (precision - 1));
            ((0..64).map(term).sum::<f64>() / 4.0 + middle).clamp(0.0, 2.0 * middle - 1.0)
        })
    }

    proptest! {
        #[test]
        fn the_fast_transform_is_within_a_unit_of_the_defined_one(
            coefficients in proptest::collection::vec(-600_i64..600, 64),
            level in -16_000_i64..16_000,
            twelve in any::<bool>(),
        ) {
            let precision = if twelve { 12 } else { 8 };
            let mut block: [i64; 64] = coefficients.try_into().unwrap();
            block[0] = level;
            for (fast, exact) in inverse(&block, precision).iter().zip(defined(&block, precision)) {
                prop_assert!((f64::from(*fast) - exact).abs() <= 1.0, "{fast} for {exact}");
            }
        }

        /// Values that no encoder writes neither run over nor leave the range.
        #[test]
        fn wild_coefficients_are_clipped(coefficients in proptest::collection::vec(-0x8000_i64 * 0xFFFF..0x7FFF * 0xFFFF, 64)) {
            let block: [i64; 64] = coefficients.try_into().unwrap();
            prop_assert!(inverse(&block, 8).iter().all(|sample| *sample <= 255));
            prop_assert!(inverse(&block, 12).iter().all(|sample| *sample <= 4095));
        }
    }
}
