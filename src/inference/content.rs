//! What a volume is, as a hash: everything that decides over a report's numbers and places.

use crate::domain::{ContentHash, Units, Volume};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// Voxels that are hashed at once.
const CHUNK: usize = 8192;

/// The hash of a volume's voxels and geometry. 300 slices of 512 × 512 take some tenths of a second.
#[must_use]
pub fn content_hash(volume: &Volume) -> ContentHash {
    let mut hash = Sha256::new();
    let shape = volume.shape;
    let units = match volume.units {
        Units::Other(_) => 0,
        Units::Hounsfield => 1,
        Units::Unconfirmed => 2,
    };
    for number in [shape.slices, shape.rows, shape.columns, units] {
        hash.update((number as u64).to_le_bytes());
    }
    let mut numbers: Vec<f64> = volume.stack.offsets.clone();
    numbers.extend(volume.spacing.iter().flat_map(|spacing| [spacing.row, spacing.column]));
    numbers.extend(volume.stack_axis.to_array());
    if let Some(plane) = &volume.plane {
        for vector in [plane.position, plane.row_cosines, plane.column_cosines] {
            numbers.extend(vector.to_array());
        }
    }
    hash.update((numbers.len() as u64).to_le_bytes());
    for number in numbers {
        hash.update(number.to_le_bytes());
    }
    for slice in &volume.slices {
        hash.update(slice.instance_number.unwrap_or(i32::MIN).to_le_bytes());
        for number in slice.position.iter().flat_map(|position| position.to_array()) {
            hash.update(number.to_le_bytes());
        }
    }
    // Slices are hashed on all cores, and then their hashes.
    let len = (shape.rows * shape.columns).max(1);
    let slices: Vec<[u8; 32]> = volume.voxels.par_chunks(len).map(slice_hash).collect();
    slices.iter().for_each(|slice| hash.update(slice));
    ContentHash(hash.finalize().into())
}

fn slice_hash(voxels: &[i16]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut bytes = vec![0; 2 * CHUNK];
    for chunk in voxels.chunks(CHUNK) {
        for (pair, voxel) in bytes.chunks_exact_mut(2).zip(chunk) {
            pair.copy_from_slice(&voxel.to_le_bytes());
        }
        hash.update(&bytes[..2 * chunk.len()]);
    }
    hash.finalize().into()
}
