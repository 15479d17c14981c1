//! Studies on disk, in the layout of the RSNA 2022 cervical spine data set.

use super::library::AnatomyLibrary;
use super::mesh::MeshSet;
use super::nifti;
use super::recipe::{Kernel, PhantomPatient, Preset, Recipe};
use super::study::{FractureTruth, PhantomStudy, decimal, generate};
use super::volume::RealNeck;
use crate::domain::{CervicalLevel, PatientPoint};
use crate::task::Cancel;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// One slice, with all that its DICOM file says.
#[derive(Debug, Clone)]
pub struct PhantomSlice<'a> {
    /// HU, row by row; −2000 outside the reconstruction circle.
    pub voxels: &'a [i16],
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Edge of a pixel, mm.
    pub pixel_mm: f64,
    /// Distance of neighbouring slices, mm.
    pub spacing_mm: f64,
    /// SliceThickness, mm.
    pub thickness_mm: f64,
    /// ImagePositionPatient: centre of the first pixel, LPS mm.
    pub position: PatientPoint,
    /// The second half of ImageOrientationPatient; the first is `1\0\0`.
    pub down: [f64; 3],
    /// InstanceNumber, from 1 at the head.
    pub instance_number: usize,
    /// StudyInstanceUID.
    pub study_uid: &'a str,
    /// SeriesInstanceUID.
    pub series_uid: &'a str,
    /// SOPInstanceUID.
    pub instance_uid: &'a str,
    /// FrameOfReferenceUID.
    pub frame_uid: &'a str,
    /// Who.
    pub patient: &'a PhantomPatient,
    /// StudyDescription.
    pub description: &'a str,
    /// SeriesDescription: the spacing and the kernel.
    pub series_description: &'a str,
    /// BodyPartExamined.
    pub body_part: &'static str,
    /// StudyDate, `YYYYMMDD`.
    pub date: &'a str,
    /// StudyTime, `HHMMSS`.
    pub time: &'a str,
    /// ConvolutionKernel.
    pub kernel: Kernel,
    /// How much the header says.
    pub preset: Preset,
    /// RescaleIntercept.
    pub intercept: i16,
}

/// What writes one slice to a file; a text says what went wrong.
pub type WriteSlice<'a> = &'a (dyn Fn(&Path, &PhantomSlice<'_>) -> Result<(), String> + Sync);

/// Why phantoms could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum PhantomError {
    /// The file system refused.
    #[error("cannot write {path}: {source}; check that the folder may be written to and the disk has room")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A table could not be written.
    #[error("cannot write {path}: {source}; check that the folder may be written to and the disk has room")]
    Table {
        /// The file.
        path: PathBuf,
        /// What the writer says.
        source: csv::Error,
    },
    /// A DICOM file could not be written.
    #[error("cannot write the slice {path}: {reason}; check that the folder may be written to and the disk has room")]
    Slice {
        /// The file.
        path: PathBuf,
        /// What the DICOM writer says.
        reason: String,
    },
    /// A mesh could not be read.
    #[error(
        "cannot use the mesh {path}: {reason}; give closed OBJ surfaces in millimeters, named C1… to C7…, or leave --meshes out"
    )]
    Mesh {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A scan cannot be deformed and broken.
    #[error("cannot use the scan as a neck to start from: {reason}; give the folder of one axial CT series")]
    Volume {
        /// What is wrong.
        reason: String,
    },
    /// A label file cannot be used.
    #[error(
        "cannot use the labels {path}: {reason}; give a NIfTI file of the same scan, 1 to 7 for C1 to C7, or leave --labels out"
    )]
    Labels {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A source of vertebrae cannot be used.
    #[error(
        "cannot use the anatomy {path}: {reason}; give a NIfTI file of labels (1 to 7 for C1 to C7, 8 and 9 for T1 and T2), a folder of closed surfaces C1….obj to C7….obj, or parametric"
    )]
    Source {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The user asked to stop.
    #[error(
        "stopped as asked; the studies written so far are whole, but the tables are missing: run again to make them"
    )]
    Cancelled,
}

/// What the necks of a data set are made of.
#[derive(Debug, Clone, Copy)]
pub enum Anatomy<'a> {
    /// The program's own shapes.
    Parametric,
    /// Closed surfaces in the place of some vertebrae.
    Meshes(&'a MeshSet),
    /// A real scan, deformed.
    Real(&'a RealNeck),
    /// Vertebrae blended from several sources.
    Blended(&'a AnatomyLibrary),
}

impl Anatomy<'_> {
    /// What `truth.json` says of a study's source.
    fn name(self) -> &'static str {
        match self {
            Self::Parametric => "parametric",
            Self::Meshes(_) => "meshes",
            Self::Real(_) => "volume",
            Self::Blended(_) => "blended",
        }
    }

    /// Whether voxels are labelled, so that there is a segmentation to write.
    fn is_labelled(self) -> bool {
        match self {
            Self::Parametric | Self::Meshes(_) | Self::Blended(_) => true,
            Self::Real(neck) => neck.is_labelled(),
        }
    }

    fn generate(self, recipe: &Recipe, cancel: &Cancel) -> Option<PhantomStudy> {
        match self {
            Self::Parametric => generate(recipe, cancel),
            Self::Meshes(meshes) => meshes.generate(recipe, cancel),
            Self::Real(neck) => neck.generate(recipe, cancel),
            Self::Blended(library) => library.generate(recipe, cancel),
        }
    }
}

fn denied(path: &Path) -> impl FnOnce(std::io::Error) -> PhantomError {
    let path = path.to_owned();
    move |source| PhantomError::Write { path, source }
}

/// Writes a study's slices to `dir/<InstanceNumber>.dcm`; makes the folder.
///
/// # Errors
/// When the folder cannot be made, a slice cannot be written, or `cancel` is set.
pub fn write_study(
    study: &PhantomStudy,
    dir: &Path,
    cancel: &Cancel,
    write_slice: WriteSlice<'_>,
) -> Result<(), PhantomError> {
    std::fs::create_dir_all(dir).map_err(denied(dir))?;
    let recipe = &study.recipe;
    let [study_uid, series_uid, frame_uid] = ["study", "series", "frame"].map(|what| recipe.uid(what));
    let series_description = format!("{:.1} mm {}", study.spacing_mm, recipe.kernel.name());
    let length = study.shape.slice_len().max(1);
    study.voxels.par_chunks_exact(length).enumerate().try_for_each(|(index, voxels)| {
        if cancel.is_cancelled() {
            return Err(PhantomError::Cancelled);
        }
        let instance_number = index + 1;
        let slice = PhantomSlice {
            voxels,
            rows: study.shape.rows,
            columns: study.shape.columns,
            pixel_mm: study.pixel_mm,
            spacing_mm: study.spacing_mm,
            thickness_mm: decimal(recipe.scan.thickness_mm),
            position: study.position(index),
            down: study.down(),
            instance_number,
            study_uid: &study_uid,
            series_uid: &series_uid,
            instance_uid: &recipe.uid(&format!("instance {instance_number}")),
            frame_uid: &frame_uid,
            patient: &recipe.patient,
            description: &recipe.description,
            series_description: &series_description,
            body_part: recipe.scan.coverage.body_part(),
            date: &recipe.date_time.0,
            time: &recipe.date_time.1,
            kernel: recipe.kernel,
            preset: recipe.preset,
            intercept: recipe.intercept(),
        };
        let path = dir.join(format!("{instance_number}.dcm"));
        write_slice(&path, &slice).map_err(|reason| PhantomError::Slice { path, reason })
    })
}

/// Makes and writes a data set: `train_images/<StudyInstanceUID>/<InstanceNumber>.dcm`, `train.csv`,
/// `train_bounding_boxes.csv`, `segmentations/<StudyInstanceUID>.nii` and `truth.json`; where `masks` says so, for broken
/// necks also `fracture_masks/<StudyInstanceUID>.nii`, which the RSNA set does not have: labels as in the segmentation, but only
/// where a fracture changes what is seen. A healed fracture stands in `truth.json` alone: in `train.csv` and in the boxes its
/// level is whole. So is a level whose fracture the scan does not show. A real neck without labels has no segmentations. `done`
/// hears the number of studies
/// written after each.
///
/// # Errors
/// When something cannot be written, or `cancel` is set.
pub fn write_dataset(
    dir: &Path,
    recipes: &[Recipe],
    anatomy: Anatomy<'_>,
    masks: bool,
    cancel: &Cancel,
    done: &dyn Fn(usize),
    write_slice: WriteSlice<'_>,
) -> Result<(), PhantomError> {
    let segmentations = dir.join("segmentations");
    std::fs::create_dir_all(&segmentations).map_err(denied(&segmentations))?;
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut boxes: Vec<[String; 6]> = Vec::new();
    let mut truths: Vec<Value> = Vec::new();
    for (count, recipe) in recipes.iter().enumerate() {
        let study = anatomy.generate(recipe, cancel).ok_or(PhantomError::Cancelled)?;
        let uid = recipe.uid("study");
        write_study(&study, &dir.join("train_images").join(&uid), cancel, write_slice)?;
        if anatomy.is_labelled() {
            let labels = segmentations.join(format!("{uid}.nii"));
            nifti::write_labels(&labels, &study, &study.labels).map_err(denied(&labels))?;
        }
        if masks && !study.truth.fractures.is_empty() {
            let folder = dir.join("fracture_masks");
            std::fs::create_dir_all(&folder).map_err(denied(&folder))?;
            let path = folder.join(format!("{uid}.nii"));
            nifti::write_labels(&path, &study, &study.broken).map_err(denied(&path))?;
        }
        rows.push(row(&uid, &study));
        boxes.extend(study.truth.fractures.iter().flat_map(|fracture| box_rows(&uid, fracture)));
        truths.push(truth(&uid, &study, anatomy));
        done(count + 1);
    }
    let mut header = vec!["StudyInstanceUID".to_owned(), "patient_overall".to_owned()];
    header.extend(CervicalLevel::ALL.map(|level| level.name().to_owned()));
    table(&dir.join("train.csv"), &header, &rows)?;
    let header = ["StudyInstanceUID", "x", "y", "width", "height", "slice_number"];
    table(&dir.join("train_bounding_boxes.csv"), &header.map(str::to_owned), &boxes)?;
    let path = dir.join("truth.json");
    let text = format!("{}\n", json!({ "format": 1, "studies": truths }));
    std::fs::write(&path, text).map_err(denied(&path))
}

fn table<R: AsRef<[String]>>(path: &Path, header: &[String], rows: &[R]) -> Result<(), PhantomError> {
    let failed = |source| PhantomError::Table { path: path.to_owned(), source };
    let mut writer = csv::Writer::from_path(path).map_err(failed)?;
    writer.write_record(header).map_err(failed)?;
    for row in rows {
        writer.write_record(row.as_ref()).map_err(failed)?;
    }
    writer.flush().map_err(denied(path))
}

fn row(uid: &str, study: &PhantomStudy) -> Vec<String> {
    let broken = CervicalLevel::ALL.map(|level| study.truth.is_broken(level));
    let mut row = vec![uid.to_owned(), u8::from(broken.contains(&true)).to_string()];
    row.extend(broken.map(|broken| u8::from(broken).to_string()));
    row
}

fn box_rows(uid: &str, fracture: &FractureTruth) -> Vec<[String; 6]> {
    let number = |value: usize| value.to_string();
    fracture
        .boxes
        .iter()
        .map(|b| [uid.to_owned(), number(b.x), number(b.y), number(b.width), number(b.height), number(b.slice + 1)])
        .collect()
}

fn truth(uid: &str, study: &PhantomStudy, anatomy: Anatomy<'_>) -> Value {
    let recipe = &study.recipe;
    let listed = |fractures: &[FractureTruth]| -> Vec<Value> {
        let listed = fractures.iter().map(|fracture| {
            let boxes: Vec<Value> = fracture
                .boxes
                .iter()
                .map(|b| {
                    json!({ "slice_number": b.slice + 1, "x": b.x, "y": b.y, "width": b.width, "height": b.height })
                })
                .collect();
            json!({
                "level": fracture.level.name(),
                "kind": fracture.kind.name(),
                "width_mm": decimal(fracture.width_mm),
                "displacement_mm": decimal(fracture.displacement_mm),
                "boxes": boxes,
            })
        });
        listed.collect()
    };
    let lookalikes: Vec<Value> = study
        .truth
        .lookalikes
        .iter()
        .map(|found| json!({ "level": found.level.name(), "kind": found.kind.name() }))
        .collect();
    let voxels: serde_json::Map<String, Value> =
        study.truth.voxels.iter().map(|(level, count)| (level.name().to_owned(), json!(count))).collect();
    json!({
        "study_instance_uid": uid,
        "series_instance_uid": recipe.uid("series"),
        "patient_name": recipe.patient.name,
        "seed": recipe.seed,
        "source": anatomy.name(),
        "anatomy": study.truth.anatomy,
        "kernel": recipe.kernel.name(),
        "slices": study.shape.slices,
        "rows": study.shape.rows,
        "columns": study.shape.columns,
        "pixel_mm": study.pixel_mm,
        "spacing_mm": study.spacing_mm,
        "thickness_mm": decimal(recipe.scan.thickness_mm),
        "tilt_deg": decimal(recipe.scan.tilt_deg),
        "coverage": recipe.scan.coverage.name(),
        "origin_lps_mm": study.origin.to_array(),
        "voxels": voxels,
        "fractures": listed(&study.truth.fractures),
        "lookalikes": lookalikes,
        "healed_fractures": listed(&study.truth.healed),
    })
}
