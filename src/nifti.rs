//! Label volumes in NIfTI-1 files (`.nii`, `.nii.gz`): as much of the format as segmentations need (Cox RW et al. 2004,
//! `nifti1.h`). The only reader of it; what a file's order and orientation are is settled by its affine.

use crate::domain::{CleanText, PatientPoint};
use flate2::read::MultiGzDecoder;
use glam::{DMat3, DVec3};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

const HEADER_BYTES: usize = 348;
/// Voxels of the largest volume that is read: 2 GiB of labels.
const VOXEL_LIMIT: usize = 2 << 30;
/// The farthest that the voxels may lie behind the header: extensions are passed over.
const OFFSET_LIMIT: f32 = 16_777_216.0;

/// Why a label volume cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", CleanText::new(&path.to_string_lossy()))]
pub struct NiftiError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: NiftiProblem,
}

/// What is wrong with a label volume, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum NiftiProblem {
    /// It cannot be read, or ends too early.
    #[error("cannot be read ({0}); copy the file again")]
    Read(#[from] std::io::Error),
    /// It is of another format.
    #[error("not a single-file NIfTI-1 volume; save the labels as .nii or .nii.gz")]
    Format,
    /// Not three dimensions, or too many voxels.
    #[error("{0:?} is not a volume of three dimensions that can be read")]
    Shape([i16; 8]),
    /// A type that labels are not stored in.
    #[error("data type {0} is not known here; save the labels as integers")]
    DataType(i16),
    /// No affine, or one whose axes do not span space.
    #[error("no usable orientation (sform, qform); save the labels with their affine")]
    Orientation,
}

/// Labels with their place in the patient.
#[derive(Debug, Clone)]
pub struct LabelVolume {
    /// Voxels along the file's three axes, the first of which runs fastest.
    pub size: [usize; 3],
    /// Labels in the file's order; rounded and cut to 0 to 255.
    pub labels: Vec<u8>,
    /// From voxel to voxel along each axis, LPS mm.
    steps: DMat3,
    /// Its inverse.
    voxels: DMat3,
    /// Centre of the first voxel, LPS mm.
    origin: PatientPoint,
}

impl LabelVolume {
    /// Reads a file, compressed or not.
    ///
    /// # Errors
    /// A file that cannot be read, or is no label volume with an orientation.
    pub fn read(path: &Path) -> Result<Self, NiftiError> {
        let read = || {
            let mut file = BufReader::new(File::open(path)?);
            let gzip = std::io::BufRead::fill_buf(&mut file)?.starts_with(&[0x1f, 0x8b]);
            if gzip { Self::from_reader(MultiGzDecoder::new(file)) } else { Self::from_reader(file) }
        };
        read().map_err(|problem| NiftiError { path: path.to_owned(), problem })
    }

    /// Reads an uncompressed stream.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_reader(mut reader: impl Read) -> Result<Self, NiftiProblem> {
        let mut bytes = [0; HEADER_BYTES];
        reader.read_exact(&mut bytes)?;
        let header = Header::parse(&bytes)?;
        std::io::copy(&mut (&mut reader).take(header.gap), &mut std::io::sink())?;
        let count = header.size.iter().product();
        let labels = header.kind.labels(reader, count, header.big_endian, header.scale)?;
        let steps = header.steps;
        Ok(Self { size: header.size, labels, steps, voxels: steps.inverse(), origin: header.origin })
    }

    /// The centre of a voxel (fractions allowed), LPS mm.
    #[must_use]
    pub fn patient_point(&self, voxel: DVec3) -> PatientPoint {
        self.origin + self.steps * voxel
    }

    /// The label of the voxel nearest to a place; 0 outside.
    #[must_use]
    pub fn label_at(&self, point: PatientPoint) -> u8 {
        let voxel = (self.voxels * (point - self.origin)).round();
        let index = |at: f64, size: usize| (at >= 0.0 && at < size as f64).then_some(at as usize);
        let [columns, rows, slices] = self.size;
        let place = || {
            let (i, j, k) = (index(voxel.x, columns)?, index(voxel.y, rows)?, index(voxel.z, slices)?);
            self.labels.get((k * rows + j) * columns + i).copied()
        };
        place().unwrap_or(0)
    }

    /// The file's axis that runs nearest to head and foot: 0, 1 or 2.
    #[must_use]
    pub fn head_foot_axis(&self) -> usize {
        let lean = [0, 1, 2].map(|axis| (self.steps.col(axis).z / self.steps.col(axis).length()).abs());
        (0..3).max_by(|&a, &b| lean[a].total_cmp(&lean[b])).unwrap_or(2)
    }

    /// Size of a voxel, mm³.
    #[must_use]
    pub fn voxel_mm3(&self) -> f64 {
        self.steps.determinant().abs()
    }

    /// Area of a voxel in the plane across an axis, mm².
    #[must_use]
    pub fn pixel_area_mm2(&self, axis: usize) -> f64 {
        self.steps.col((axis + 1) % 3).cross(self.steps.col((axis + 2) % 3)).length()
    }
}

struct Header {
    size: [usize; 3],
    kind: Kind,
    big_endian: bool,
    /// Bytes between the header and the voxels.
    gap: u64,
    /// Slope and intercept, where the file scales its values.
    scale: Option<(f64, f64)>,
    steps: DMat3,
    origin: PatientPoint,
}

impl Header {
    fn parse(bytes: &[u8; HEADER_BYTES]) -> Result<Self, NiftiProblem> {
        if !bytes[344..].starts_with(b"n+1") {
            return Err(NiftiProblem::Format);
        }
        let big_endian = match (i32::from_le_bytes(four(bytes, 0)), i32::from_be_bytes(four(bytes, 0))) {
            (348, _) => false,
            (_, 348) => true,
            _ => return Err(NiftiProblem::Format),
        };
        let short = |at: usize| {
            let two = [bytes[at], bytes[at + 1]];
            if big_endian { i16::from_be_bytes(two) } else { i16::from_le_bytes(two) }
        };
        let float = |at: usize| {
            let four = four(bytes, at);
            f64::from(if big_endian { f32::from_be_bytes(four) } else { f32::from_le_bytes(four) })
        };
        let dim: [i16; 8] = std::array::from_fn(|i| short(40 + 2 * i));
        let lone = |i: usize| i as i16 > dim[0] || dim[i] <= 1;
        let size = [1, 2, 3].map(|i| usize::try_from(dim[i]).unwrap_or(0));
        let fits = size.iter().all(|&n| n > 0)
            && size.iter().try_fold(1_usize, |all, &n| all.checked_mul(n)).is_some_and(|all| all <= VOXEL_LIMIT);
        if !(3..=7).contains(&dim[0]) || !(4..=7).all(lone) || !fits {
            return Err(NiftiProblem::Shape(dim));
        }
        let kind = Kind::from_code(short(70)).ok_or(NiftiProblem::DataType(short(70)))?;
        let (slope, intercept) = (float(112), float(116));
        let scaled = slope != 0.0 && slope.is_finite() && intercept.is_finite() && (slope, intercept) != (1.0, 0.0);
        let offset = float(108) as f32;
        if !(0.0..=OFFSET_LIMIT).contains(&offset) {
            return Err(NiftiProblem::Format);
        }
        let (ras, origin) = if short(254) > 0 {
            let row = |at: usize| DVec3::new(float(at), float(at + 4), float(at + 8));
            (DMat3::from_cols(row(280), row(296), row(312)).transpose(), DVec3::new(float(292), float(308), float(324)))
        } else if short(252) > 0 {
            let qfac = if float(76) < 0.0 { -1.0 } else { 1.0 };
            let spacing = DVec3::new(float(80), float(84), float(88) * qfac);
            let turn = rotation(float(256), float(260), float(264));
            (turn * DMat3::from_diagonal(spacing), DVec3::new(float(268), float(272), float(276)))
        } else {
            return Err(NiftiProblem::Orientation);
        };
        // RAS to LPS turns x and y round.
        let turn = DMat3::from_diagonal(DVec3::new(-1.0, -1.0, 1.0));
        let (steps, origin) = (turn * ras, turn * origin);
        // A voxel of less than a cubic micrometre is none.
        if !origin.is_finite() || !steps.is_finite() || steps.determinant().abs() < 1e-9 {
            return Err(NiftiProblem::Orientation);
        }
        Ok(Self {
            size,
            kind,
            big_endian,
            gap: (offset as u64).saturating_sub(HEADER_BYTES as u64),
            scale: scaled.then_some((slope, intercept)),
            steps,
            origin,
        })
    }
}

fn four(bytes: &[u8; HEADER_BYTES], at: usize) -> [u8; 4] {
    [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
}

/// The rotation of a unit quaternion that is given by its last three parts.
fn rotation(b: f64, c: f64, d: f64) -> DMat3 {
    let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
    DMat3::from_quat(glam::DQuat::from_xyzw(b, c, d, a).normalize())
}

/// The types that labels are stored in.
#[derive(Debug, Clone, Copy)]
enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    F64,
}

impl Kind {
    fn from_code(code: i16) -> Option<Self> {
        Some(match code {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            _ => return None,
        })
    }

    fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Reads `count` labels.
    fn labels(
        self,
        mut reader: impl Read,
        count: usize,
        big_endian: bool,
        scale: Option<(f64, f64)>,
    ) -> Result<Vec<u8>, NiftiProblem> {
        let mut labels = Vec::new();
        // A part at a time: a file that claims more than it holds must not take the memory that it claims.
        let mut part = vec![0; self.bytes() << 16];
        while labels.len() < count {
            let voxels = (count - labels.len()).min(1 << 16);
            let part = &mut part[..voxels * self.bytes()];
            reader.read_exact(part)?;
            labels.extend(part.chunks_exact(self.bytes()).map(|bytes| {
                let value = self.value(bytes, big_endian);
                // A NaN becomes 0 by the cast.
                scale.map_or(value, |(slope, intercept)| value * slope + intercept).round().clamp(0.0, 255.0) as u8
            }));
        }
        Ok(labels)
    }

    fn value(self, bytes: &[u8], big_endian: bool) -> f64 {
        let mut little = [0; 8];
        for (at, byte) in bytes.iter().enumerate().take(8) {
            little[if big_endian { bytes.len() - 1 - at } else { at }] = *byte;
        }
        let [a, b, c, d, ..] = little;
        match self {
            Self::U8 => f64::from(a),
            Self::I8 => f64::from(a as i8),
            Self::U16 => f64::from(u16::from_le_bytes([a, b])),
            Self::I16 => f64::from(i16::from_le_bytes([a, b])),
            Self::U32 => f64::from(u32::from_le_bytes([a, b, c, d])),
            Self::I32 => f64::from(i32::from_le_bytes([a, b, c, d])),
            Self::F32 => f64::from(f32::from_le_bytes([a, b, c, d])),
            Self::F64 => f64::from_le_bytes(little),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file of 2 × 3 × 4 voxels whose k-th slice holds k + 1, in sagittal order: the file's first axis runs to the back, its second to the
    /// head, its third to the patient's left.
    fn sagittal(code: i16, big_endian: bool, voxel: impl Fn(u8) -> Vec<u8>) -> Vec<u8> {
        let mut bytes = vec![0_u8; 352];
        let mut put = |at: usize, mut value: Vec<u8>| {
            if big_endian {
                value.reverse();
            }
            bytes[at..at + value.len()].copy_from_slice(&value);
        };
        put(0, 348_i32.to_le_bytes().to_vec());
        for (axis, size) in [3_i16, 2, 3, 4].into_iter().enumerate() {
            put(40 + 2 * axis, size.to_le_bytes().to_vec());
        }
        put(70, code.to_le_bytes().to_vec());
        put(108, 352.0_f32.to_le_bytes().to_vec());
        put(254, 1_i16.to_le_bytes().to_vec());
        // Rows of the sform, RAS: x = -5k + 7, y = -2i - 20, z = 3j + 100.
        let rows = [[0.0_f32, 0.0, -5.0, 7.0], [-2.0, 0.0, 0.0, -20.0], [0.0, 3.0, 0.0, 100.0]];
        for (row, values) in rows.iter().enumerate() {
            for (column, value) in values.iter().enumerate() {
                put(280 + 16 * row + 4 * column, value.to_le_bytes().to_vec());
            }
        }
        bytes[344..348].copy_from_slice(b"n+1\0");
        for k in 0..4 {
            for _ in 0..6 {
                let mut value = voxel(k + 1);
                if big_endian {
                    value.reverse();
                }
                bytes.extend(value);
            }
        }
        bytes
    }

    #[test]
    fn the_affine_leads_to_the_patient_whatever_the_order() {
        let volume = LabelVolume::from_reader(&sagittal(2, false, |v| vec![v])[..]).expect("a volume");
        assert_eq!(volume.patient_point(DVec3::new(1.0, 2.0, 3.0)), DVec3::new(8.0, 22.0, 106.0));
        assert_eq!(volume.label_at(DVec3::new(8.4, 21.0, 106.0)), 4);
        assert_eq!(volume.label_at(DVec3::new(-7.0, 20.0, 100.0)), 1);
        assert_eq!(volume.label_at(DVec3::new(-7.0, 20.0, 98.0)), 0, "outside");
        assert_eq!(volume.head_foot_axis(), 1);
        assert!((volume.pixel_area_mm2(1) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn every_type_and_both_byte_orders_give_the_same_labels() {
        let plain = LabelVolume::from_reader(&sagittal(2, false, |v| vec![v])[..]).expect("a volume").labels;
        type Voxel = fn(u8) -> Vec<u8>;
        let types: [(i16, Voxel); 7] = [
            (256, |v| vec![v]),
            (4, |v| i16::from(v).to_le_bytes().to_vec()),
            (512, |v| u16::from(v).to_le_bytes().to_vec()),
            (8, |v| i32::from(v).to_le_bytes().to_vec()),
            (768, |v| u32::from(v).to_le_bytes().to_vec()),
            (16, |v| f32::from(v).to_le_bytes().to_vec()),
            (64, |v| f64::from(v).to_le_bytes().to_vec()),
        ];
        for (code, voxel) in types {
            for big_endian in [false, true] {
                let volume = LabelVolume::from_reader(&sagittal(code, big_endian, voxel)[..]);
                assert_eq!(volume.expect("a volume").labels, plain, "type {code}, big-endian: {big_endian}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let good = sagittal(2, false, |v| vec![v]);
        let broken = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = good.clone();
            change(&mut bytes);
            LabelVolume::from_reader(&bytes[..]).expect_err("broken")
        };
        assert!(matches!(broken(&|b| b.truncate(360)), NiftiProblem::Read(_)));
        assert!(matches!(broken(&|b| b[344] = b'x'), NiftiProblem::Format));
        assert!(matches!(broken(&|b| b[70] = 99), NiftiProblem::DataType(99)));
        assert!(matches!(broken(&|b| b[254] = 0), NiftiProblem::Orientation));
        assert!(matches!(broken(&|b| b[280..328].fill(0)), NiftiProblem::Orientation));
        assert!(matches!(broken(&|b| b[40] = 2), NiftiProblem::Shape(_)));
        // 32767³ voxels are claimed and 24 are there.
        assert!(matches!(
            broken(&|b| b[42..48].copy_from_slice(&[255, 127, 255, 127, 255, 127])),
            NiftiProblem::Shape(_)
        ));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(at in 0_usize..348, value: [u8; 4]) {
            let mut bytes = sagittal(2, false, |v| vec![v]);
            let end = (at + 4).min(348);
            bytes[at..end].copy_from_slice(&value[..end - at]);
            let _ = LabelVolume::from_reader(&bytes[..]).map(|volume| volume.label_at(DVec3::ZERO));
        }
    }
}
