//! A label file (NIfTI-1, Cox RW et al. 2004, `nifti1.h`) read strictly.

use glam::{DMat4, DVec3, DVec4};
use std::io::Read;
use std::path::Path;

/// Most voxels that a label file may hold: more is no scan of a neck.
const MOST: usize = 1 << 30;

/// Labels on their own grid.
#[derive(Debug)]
pub(super) struct Labels {
    sizes: [usize; 3],
    /// First axis fastest.
    values: Vec<u8>,
    /// From LPS mm to indices.
    to_index: DMat4,
    /// Volume of a voxel, mm³.
    voxel: f64,
}

impl Labels {
    /// Reads a `.nii` or `.nii.gz` file of whole numbers (8 or 16 bits, little-endian) with a scanner's affine.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
        let mut first = [0_u8; 2];
        (&file).read_exact(&mut first).map_err(|_| "it is empty".to_owned())?;
        let all = first.as_slice().chain(std::io::BufReader::new(file));
        let packed = first == [0x1f, 0x8b];
        let mut bytes: Box<dyn Read> = if packed { Box::new(flate2::read::GzDecoder::new(all)) } else { Box::new(all) };
        Self::parse(&mut bytes)
    }

    fn parse(mut bytes: &mut dyn Read) -> Result<Self, String> {
        let mut header = [0_u8; 348];
        bytes.read_exact(&mut header).map_err(|_| "it ends within the header of NIfTI-1".to_owned())?;
        let short = |at: usize| i16::from_le_bytes([header[at], header[at + 1]]);
        let float =
            |at: usize| f64::from(f32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]));
        if header[..4] != 348_i32.to_le_bytes() || header[344..348] != *b"n+1\0" {
            return Err("it is no little-endian NIfTI-1 file in one piece".into());
        }
        let rank = short(40);
        let sizes = [42, 44, 46].map(|at| usize::try_from(short(at)).unwrap_or(0));
        let count = sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size)).unwrap_or(usize::MAX);
        let flat = (4..=rank.clamp(3, 7)).all(|axis| short(40 + 2 * axis as usize) <= 1);
        if rank < 3 || !flat || count == 0 || count > MOST {
            return Err(format!("it holds {sizes:?} voxels in {rank} dimensions, which is no label volume"));
        }
        let width = match short(70) {
            2 | 256 => 1,
            4 | 512 => 2,
            kind => {
                return Err(format!(
                    "its numbers are of NIfTI type {kind}; only whole numbers of 8 or 16 bits are read"
                ));
            }
        };
        // A slope of 0 means none.
        let (slope, inter) = (float(112), float(116));
        if !(slope == 0.0 || slope == 1.0 && inter == 0.0) {
            return Err("its numbers are scaled, so they are no labels".into());
        }
        let affine = affine(&short, &float).ok_or("it does not say where its voxels lie (neither sform nor qform)")?;
        // NIfTI's x runs to the right and its y to the front.
        let lps = DMat4::from_diagonal(DVec4::new(-1.0, -1.0, 1.0, 1.0)) * affine;
        let voxel = lps.determinant().abs();
        if !(lps.is_finite() && voxel > 1e-6) {
            return Err("its affine cannot be inverted".into());
        }
        let offset = float(108);
        if !(352.0..1e6).contains(&offset) {
            return Err("its data begin at an impossible place".into());
        }
        let skip = offset as u64 - 348;
        let skipped = std::io::copy(&mut Read::by_ref(&mut bytes).take(skip), &mut std::io::sink());
        let mut data = Vec::new();
        bytes.take((count * width) as u64).read_to_end(&mut data).map_err(|error| error.to_string())?;
        if skipped.ok() != Some(skip) || data.len() != count * width {
            return Err("it ends before its last voxel".into());
        }
        let values = match width {
            1 => data,
            // A label beyond a byte is nothing that we know.
            _ => data.chunks_exact(2).map(|two| if two[1] == 0 { two[0] } else { 0 }).collect(),
        };
        Ok(Self { sizes, values, to_index: lps.inverse(), voxel })
    }

    /// The label of the voxel that holds a point (LPS mm); `None` outside the grid.
    pub(super) fn at(&self, point: DVec3) -> Option<u8> {
        let place = self.to_index.transform_point3(point).round();
        let index = |value: f64, size: usize| (value >= 0.0 && value < size as f64).then_some(value as usize);
        let (i, j, k) =
            (index(place.x, self.sizes[0])?, index(place.y, self.sizes[1])?, index(place.z, self.sizes[2])?);
        self.values.get((k * self.sizes[1] + j) * self.sizes[0] + i).copied()
    }

    /// What the vertebrae (labels 1 to 9) take up, mm³.
    pub(super) fn vertebrae_mm3(&self) -> f64 {
        self.values.iter().filter(|label| (1..=9).contains(*label)).count() as f64 * self.voxel
    }
}

/// Indices to RAS mm, from the sform or else the qform.
fn affine(short: &dyn Fn(usize) -> i16, float: &dyn Fn(usize) -> f64) -> Option<DMat4> {
    if short(254) > 0 {
        let row = |at: usize| DVec4::new(float(at), float(at + 4), float(at + 8), float(at + 12));
        return Some(DMat4::from_cols(row(280), row(296), row(312), DVec4::W).transpose());
    }
    if short(252) <= 0 {
        return None;
    }
    let (b, c, d) = (float(256), float(260), float(264));
    let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
    let turn = DMat4::from_quat(glam::DQuat::from_xyzw(b, c, d, a).normalize());
    // pixdim[0] is the sign of the third axis.
    let flip = if float(76) < 0.0 { -1.0 } else { 1.0 };
    let steps = DMat4::from_scale(DVec3::new(float(80), float(84), float(88) * flip));
    Some(DMat4::from_translation(DVec3::new(float(268), float(272), float(276))) * turn * steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 × 2 × 2 voxels of 2 × 3 × 4 mm whose first axis runs to the front, second to the left and third to the head.
    fn file() -> Vec<u8> {
        let mut bytes = vec![0_u8; 352];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &348_i32.to_le_bytes());
        for (i, value) in [3_i16, 3, 2, 2, 1, 1, 1, 1].into_iter().enumerate() {
            put(40 + 2 * i, &value.to_le_bytes());
        }
        put(70, &2_i16.to_le_bytes());
        put(254, &1_i16.to_le_bytes());
        put(108, &352_f32.to_le_bytes());
        let rows: [[f32; 4]; 3] = [[0.0, -3.0, 0.0, 10.0], [2.0, 0.0, 0.0, 20.0], [0.0, 0.0, 4.0, 30.0]];
        for (i, value) in rows.iter().flatten().enumerate() {
            put(280 + 4 * i, &value.to_le_bytes());
        }
        put(344, b"n+1\0");
        bytes.extend(0..12_u8);
        bytes
    }

    fn parse(bytes: &[u8]) -> Result<Labels, String> {
        Labels::parse(&mut &bytes[..])
    }

    #[test]
    fn a_label_lies_where_the_affine_says() {
        let labels = parse(&file()).expect("a label file");
        // Voxel (2, 1, 1) has the RAS place (7, 24, 34).
        assert_eq!(labels.at(DVec3::new(-7.0, -24.0, 34.0)), Some(11));
        assert_eq!(labels.at(DVec3::new(-10.9, -20.9, 31.0)), Some(0));
        assert_eq!(labels.at(DVec3::new(-7.0, -24.0, 37.0)), None);
        assert!((labels.vertebrae_mm3() - 9.0 * 24.0).abs() < 1e-6);
    }

    #[test]
    fn a_quaternion_and_sixteen_bits_say_the_same() {
        let mut bytes = file();
        // Half a turn about z: the first axis to the left, the second to the back.
        bytes[252..254].copy_from_slice(&1_i16.to_le_bytes());
        bytes[254..256].copy_from_slice(&0_i16.to_le_bytes());
        for (at, value) in
            [(76, -1.0_f32), (80, 2.0), (84, 3.0), (88, 4.0), (264, 1.0), (268, 10.0), (272, 20.0), (276, 30.0)]
        {
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        bytes[70..72].copy_from_slice(&512_i16.to_le_bytes());
        let values: Vec<u8> = bytes.split_off(352).into_iter().flat_map(|value| [value, 0]).collect();
        bytes.extend(values);
        let labels = parse(&bytes).expect("a label file");
        // Voxel (2, 1, 1): RAS (10 − 4, 20 − 3, 30 − 4).
        assert_eq!(labels.at(DVec3::new(-6.0, -17.0, 26.0)), Some(11));
    }

    #[test]
    fn what_is_no_label_file_is_refused_with_a_reason() {
        let changed = |at: usize, value: &[u8]| {
            let mut bytes = file();
            bytes[at..at + value.len()].copy_from_slice(value);
            parse(&bytes).map(|_| ()).expect_err("refused")
        };
        assert!(changed(70, &16_i16.to_le_bytes()).contains("NIfTI type 16"));
        assert!(changed(112, &2.0_f32.to_le_bytes()).contains("scaled"));
        assert!(changed(254, &0_i16.to_le_bytes()).contains("neither sform nor qform"));
        assert!(changed(280, &[0; 48]).contains("affine"));
        assert!(changed(108, &f32::NAN.to_le_bytes()).contains("impossible"));
        assert!(changed(344, b"ni1\0").contains("one piece"));
        assert!(changed(42, &32767_i16.to_le_bytes()).contains("ends before"));
        assert!(changed(42, &(-3_i16).to_le_bytes()).contains("no label volume"));
        for length in [0, 100, 348, 350, 360] {
            assert!(parse(&file()[..length]).is_err(), "{length} bytes");
        }
    }
}
