//! `cspine tensors`: the exact arrays that the network sees, for training.

use super::CliError;
use super::select;
use crate::dicom;
use crate::domain::{Study, Volume, choose_series};
use crate::inference::{Centre, InputSpec, Manifest, PREPROCESSING_VERSION, Preprocessor};
use crate::task::Cancel;
use clap::Args as ClapArgs;
use rayon::prelude::*;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write the exact arrays that the network sees: one .npy and one .json per study. Existing files are kept.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Files or folders.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Folder to write to; made if missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Rows and columns of the input, centered on the spine, with channels at −2, 0 and +2 mm and −600 to 1400 HU.
    #[arg(long, value_name = "PIXELS", default_value_t = 128, value_parser = clap::value_parser!(u32).range(32..=1024))]
    size: u32,
    /// Side of the square that the input covers, in mm.
    #[arg(long, value_name = "MM", default_value_t = 112.0, value_parser = field)]
    field: f64,
    /// Average the slices within this many mm of a channel's place; 0 takes the nearest slice.
    #[arg(long, value_name = "MM", default_value_t = 1.0, value_parser = millimetres)]
    slab: f64,
    /// Take all of the input's form from this package's model.toml instead.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["size", "field", "slab"])]
    model: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Nothing that can be read, or an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let spec = input_spec(args)?;
    std::fs::create_dir_all(&args.out)
        .map_err(|error| CliError::failed(format!("{} cannot be made", select::shown(&args.out)), error))?;
    let found = select::scan(&args.paths)?;
    if found.studies.is_empty() {
        return Err(CliError::nothing_readable("no DICOM study was found"));
    }
    let mut declined = 0;
    for study in &found.studies {
        if is_complete(study, &spec, &args.out) {
            eprintln!("{}: already there", study.uid);
            continue;
        }
        match export(study, &spec, &args.out) {
            Ok(slices) => eprintln!("{}: {slices} slices", study.uid),
            Err(Export::Declined(reason)) => {
                declined += 1;
                eprintln!("{}: left out: {reason}", study.uid);
            }
            Err(Export::Failed(error)) => {
                return Err(CliError::failed(format!("{} cannot be written", select::shown(&args.out)), error));
            }
        }
    }
    Ok(ExitCode::from(u8::from(declined > 0)))
}

fn input_spec(args: &Args) -> Result<InputSpec, CliError> {
    let Some(folder) = args.model.as_deref() else {
        return Ok(InputSpec {
            name: "image".into(),
            size: args.size,
            millimetres: args.field,
            channel_offsets_mm: vec![-2.0, 0.0, 2.0],
            window_hu: [-600.0, 1400.0],
            centre: Centre::Spine,
            slab_mm: args.slab,
        });
    };
    let file = folder.join("model.toml");
    let text = std::fs::read_to_string(&file)
        .map_err(|error| CliError::failed(format!("{} cannot be read", select::shown(&file)), error))?;
    Manifest::parse(&text)
        .map(|manifest| manifest.input)
        .map_err(|error| CliError::usage(format!("{}: {error}", select::shown(folder))))
}

enum Export {
    Declined(String),
    Failed(std::io::Error),
}

impl From<std::io::Error> for Export {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}

fn export(study: &Study, spec: &InputSpec, out: &Path) -> Result<usize, Export> {
    let declined = |reason: &dyn std::fmt::Display| Export::Declined(reason.to_string());
    let candidate = choose_series(study).map_err(|reason| declined(&reason))?;
    let volume = dicom::load_volume(&study.series[candidate.series], &Cancel::new(), &|_, _| {})
        .map_err(|error| declined(&error))?;
    let preprocessor = Preprocessor::new(&volume, spec).map_err(|reason| declined(&reason))?;
    // A Uid holds no separator, and with an extension it is neither "." nor "..".
    let stem = study.uid.to_string();
    let mut array = BufWriter::new(File::create(out.join(format!("{stem}.npy")))?);
    let (slices, size) = (volume.shape.slices, spec.size as usize);
    array.write_all(&npy_header(&[slices, spec.channel_offsets_mm.len(), size, size]))?;
    let indices: Vec<usize> = (0..slices).collect();
    for chunk in indices.chunks(16) {
        let inputs: Vec<Vec<u8>> =
            chunk.par_iter().map(|&index| preprocessor.input(index).unwrap_or_default()).collect();
        for input in inputs {
            array.write_all(&input)?;
        }
    }
    array.flush()?;
    let description = describe(study, &volume, &preprocessor, spec);
    // Last, and in one step: an array with its description is complete.
    let part = out.join(format!("{stem}.part"));
    std::fs::write(&part, format!("{description:#}\n"))?;
    std::fs::rename(&part, out.join(format!("{stem}.json")))?;
    Ok(slices)
}

/// Whether an earlier run has written the study's array in this form, so that an interrupted run goes on where it was.
fn is_complete(study: &Study, spec: &InputSpec, out: &Path) -> bool {
    let read = || -> Option<serde_json::Value> {
        let text = std::fs::read(out.join(format!("{}.json", study.uid))).ok()?;
        serde_json::from_slice(&text).ok()
    };
    out.join(format!("{}.npy", study.uid)).is_file()
        && read().is_some_and(|found| {
            found["input"] == input_form(spec) && found["preprocessing_version"] == json!(PREPROCESSING_VERSION)
        })
}

fn millimetres(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|mm| (0.0..=20.0).contains(mm));
    value.ok_or_else(|| "a number from 0 to 20 is needed".to_owned())
}

fn field(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|mm| (20.0..=1000.0).contains(mm));
    value.ok_or_else(|| "a number from 20 to 1000 is needed".to_owned())
}

fn input_form(spec: &InputSpec) -> serde_json::Value {
    json!({
        "size": spec.size,
        "millimetres": spec.millimetres,
        "channel_offsets_mm": spec.channel_offsets_mm,
        "window_hu": spec.window_hu,
        "centre": spec.centre.name(),
        "slab_mm": spec.slab_mm,
    })
}

fn describe(study: &Study, volume: &Volume, preprocessor: &Preprocessor<'_>, spec: &InputSpec) -> serde_json::Value {
    let slices: Vec<serde_json::Value> = (0..volume.shape.slices)
        .filter_map(|index| {
            let (info, crop) = (volume.slices.get(index)?, preprocessor.crop(index)?);
            Some(json!({
                "index": index,
                "instance_number": info.instance_number,
                "position_mm": volume.position_mm(index),
                "sop_instance_uid": info.sop_instance_uid.as_str(),
                "crop": {
                    "column0": crop.column0,
                    "row0": crop.row0,
                    "columns_per_pixel": crop.columns_per_pixel,
                    "rows_per_pixel": crop.rows_per_pixel,
                    "flip_columns": crop.flip_columns,
                    "flip_rows": crop.flip_rows,
                },
            }))
        })
        .collect();
    json!({
        "study_instance_uid": study.uid.as_str(),
        "series_instance_uid": volume.series_uid.as_str(),
        "preprocessing_version": PREPROCESSING_VERSION,
        "rows": volume.shape.rows,
        "columns": volume.shape.columns,
        "plane": volume.plane.map(|plane| json!({
            "position": plane.position.to_array(),
            "row_cosines": plane.row_cosines.to_array(),
            "column_cosines": plane.column_cosines.to_array(),
        })),
        "pixel_spacing": volume.spacing.map(|spacing| [spacing.row, spacing.column]),
        "input": input_form(spec),
        "slices": slices,
    })
}

/// The header of a NumPy array of bytes, format 1.0 (NumPy Enhancement Proposal 1).
fn npy_header(shape: &[usize]) -> Vec<u8> {
    let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let mut text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({}), }}", shape.join(", "));
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend_from_slice(&(text.len() as u16).to_le_bytes());
    header.extend_from_slice(text.as_bytes());
    header
}
