//! Whether neighboring slices show two scans in turn: what no header tells when two scans were given one set of identifiers.

use crate::domain::Volume;
use rayon::prelude::*;

/// Fewer slices say nothing.
const LEAST_SLICES: usize = 8;
/// Pixels of a slice that are compared.
const SAMPLES: usize = 4096;
/// Differences beyond these values are metal, padding or noise in air, HU.
const RANGE: (i16, i16) = (-1000, 500);
/// Slices of one scan differ less from their neighbor than from the next but one. Of two scans in turn they differ at most this
/// share as much from the next but one,
const SHARE: f64 = 0.6;
/// and by at least this much from the neighbor, HU.
const LEAST_DIFFERENCE: f64 = 15.0;
/// in this share of the slices.
const MOST: f64 = 0.8;

/// Whether most slices are more like the next but one than like their neighbor.
pub(super) fn alternates(volume: &Volume) -> bool {
    let slices = volume.shape.slices;
    if slices < LEAST_SLICES {
        return false;
    }
    let stride = (volume.shape.slice_len() / SAMPLES).max(1);
    let difference = |a: usize, b: usize| -> f64 {
        let (Some(a), Some(b)) = (volume.slice(a), volume.slice(b)) else { return 0.0 };
        let clamp = |hu: &i16| f64::from((*hu).clamp(RANGE.0, RANGE.1));
        let pairs = a.iter().zip(b).step_by(stride);
        let (sum, count) = pairs.fold((0.0, 0_u32), |(sum, n), (a, b)| (sum + (clamp(a) - clamp(b)).abs(), n + 1));
        sum / f64::from(count.max(1))
    };
    let turns = |index: &usize| {
        let (near, far) = (difference(*index, index + 1), difference(*index, index + 2));
        near >= LEAST_DIFFERENCE && far <= SHARE * near
    };
    let all = slices - 2;
    (0..all).into_par_iter().filter(turns).count() as f64 >= MOST * all as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ImagePlane, PixelSpacing, SliceStack, Uid, Units, VolumeShape};

    /// Slices of bodies with these radii in turn, which shift slowly along the stack.
    fn volume(radii: &[f64], slices: usize) -> Volume {
        let shape = VolumeShape { slices, rows: 64, columns: 64 };
        let voxels = (0..slices)
            .flat_map(|slice| {
                let (radius, shift) = (radii[slice % radii.len()], slice as f64 * 0.3);
                (0..64 * 64).map(move |pixel| {
                    let (row, column) = ((pixel / 64) as f64 - 32.0, (pixel % 64) as f64 - 26.0 - shift);
                    let noise = ((pixel * 7919 + slice * 104_729) % 41) as i16 - 20;
                    noise + if row.hypot(column) < radius { 40 } else { -1000 }
                })
            })
            .collect();
        Volume {
            series_uid: Uid::from_file("1.2"),
            shape,
            voxels,
            plane: ImagePlane::new([0.0; 3], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
            stack_axis: glam::DVec3::NEG_Z,
            spacing: PixelSpacing::new(1.0, 1.0),
            stack: SliceStack::new((0..slices).map(|slice| slice as f64).collect()),
            slices: Vec::new(),
            windows: Vec::new(),
            units: Units::Hounsfield,
            inverted: false,
            oddities: Vec::new(),
        }
    }

    #[test]
    fn two_bodies_in_turn_are_noticed_and_one_is_not() {
        assert!(alternates(&volume(&[18.0, 24.0], 40)));
        assert!(!alternates(&volume(&[18.0], 40)));
        assert!(!alternates(&volume(&[18.0, 18.2], 40)), "breathing");
    }
}
