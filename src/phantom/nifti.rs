//! Labels as an uncompressed NIfTI-1 file (Cox RW et al. 2004, `nifti1.h`): the layout that the RSNA data set uses.

use super::study::PhantomStudy;
use std::io::{self, Write};
use std::path::Path;

/// The 348 bytes of the header and four zeros: no extension follows.
fn header(study: &PhantomStudy) -> io::Result<[u8; 352]> {
    let too_large = |_| io::Error::new(io::ErrorKind::InvalidInput, "NIfTI-1 holds at most 32767 voxels along an axis");
    let mut bytes = [0_u8; 352];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348_i32.to_le_bytes());
    let sizes = [study.shape.columns, study.shape.rows, study.shape.slices];
    put(40, &3_i16.to_le_bytes());
    for (axis, size) in sizes.into_iter().enumerate() {
        put(42 + 2 * axis, &i16::try_from(size).map_err(too_large)?.to_le_bytes());
    }
    for axis in 3..7 {
        put(42 + 2 * axis, &1_i16.to_le_bytes());
    }
    // Unsigned bytes.
    put(70, &2_i16.to_le_bytes());
    put(72, &8_i16.to_le_bytes());
    let (pixel, spacing) = (study.pixel_mm as f32, study.spacing_mm as f32);
    // The first is qfac: the three axes are left-handed.
    for (i, value) in [-1.0, pixel, pixel, spacing].into_iter().enumerate() {
        put(76 + 4 * i, &value.to_le_bytes());
    }
    put(108, &352.0_f32.to_le_bytes());
    put(112, &1.0_f32.to_le_bytes());
    // Millimetres.
    put(123, &[2]);
    put(148, b"labels 1-7 = C1-C7, 8 = T1 and so on");
    // qform and sform both map to the scanner's frame. LPS to RAS turns x and y round.
    // A quaternion knows no shear.
    let upright = study.recipe.scan.tilt_deg == 0.0;
    put(252, &i16::from(upright).to_le_bytes());
    put(254, &1_i16.to_le_bytes());
    let origin = [-study.origin.x as f32, -study.origin.y as f32, study.origin.z as f32];
    put(264, &1.0_f32.to_le_bytes());
    for (i, value) in origin.into_iter().enumerate() {
        put(268 + 4 * i, &value.to_le_bytes());
    }
    let down = study.down().map(|part| part as f32 * pixel);
    let feed = (study.position(0).z - study.position(1).z) as f32;
    let rows = [[-pixel, 0.0, 0.0], [0.0, -down[1], 0.0], [0.0, down[2], -feed]];
    for (axis, steps) in rows.into_iter().enumerate() {
        for (column, value) in steps.into_iter().chain([origin[axis]]).enumerate() {
            put(280 + 16 * axis + 4 * column, &value.to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    Ok(bytes)
}

/// Writes labels of each of the study's voxels to a `.nii` file.
pub(super) fn write_labels(path: &Path, study: &PhantomStudy, labels: &[u8]) -> io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(&header(study)?)?;
    file.write_all(labels)?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::{Recipe, generate};
    use crate::task::Cancel;

    #[test]
    fn the_affine_leads_to_the_same_place_as_dicom() {
        for tilt in [0.0, 15.0] {
            lead_to_the_same_place(tilt);
        }
    }

    fn lead_to_the_same_place(tilt: f32) {
        let mut recipe = Recipe::random(1).with_matrix(24);
        (recipe.scan.slices, recipe.scan.tilt_deg) = (3, tilt);
        let study = generate(&recipe, &Cancel::new()).expect("not cancelled");
        let header = header(&study).expect("small enough");
        let float = |at: usize| f64::from(f32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes")));
        let (i, j, k) = (5.0, 7.0, 2.0);
        let world = |row: usize| float(row) * i + float(row + 4) * j + float(row + 8) * k + float(row + 12);
        let place = study.position(2);
        assert!((world(280) + (place.x + i * study.pixel_mm)).abs() < 1e-3);
        assert!((world(296) + (place.y + j * study.pixel_mm * study.down()[1])).abs() < 1e-3);
        assert!((world(312) - (place.z + j * study.pixel_mm * study.down()[2])).abs() < 1e-3);
        // Where a quaternion can, it says the same: half a turn about z, third axis turned round.
        assert_eq!(header[252], u8::from(tilt == 0.0));
        assert_eq!((float(256), float(260), float(264), float(76)), (0.0, 0.0, 1.0, -1.0));
        assert_eq!(float(108), 352.0);
    }
}
