//! `cspine render`: one slice to a PNG, through the code that the viewer draws with.

use super::CliError;
use super::select::{self, Selection};
use crate::dicom;
use crate::domain::{Volume, WindowLevel};
use crate::raster::{self, Mark, Picture, PictureSize, Pixels, Plane, View};
use crate::task::Cancel;
use clap::{Args as ClapArgs, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write one slice as a PNG: the very pixels that the viewer shows.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// File or folder.
    path: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// Plane.
    #[arg(long, value_enum, default_value_t = PlaneName::Axial)]
    plane: PlaneName,
    /// Slice, from 1; the middle one by default.
    #[arg(long, conflicts_with = "position_mm")]
    slice: Option<usize>,
    /// The slice nearest to this position in mm along the plane's axis (z for axial).
    #[arg(long, allow_negative_numbers = true, value_name = "X")]
    position_mm: Option<f64>,
    /// Window: width and level in HU.
    #[arg(long, value_name = "W/L", default_value = "2000/350")]
    window: String,
    /// Size of the image in pixels.
    #[arg(long, value_name = "WxH", default_value = "768x768")]
    size: String,
    /// Analyze the series and mark the activation peaks of flagged levels.
    #[arg(long)]
    overlay: bool,
    /// Model package to use with --overlay instead of the built-in one.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// The PNG to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PlaneName {
    Axial,
    Sagittal,
    Coronal,
}

/// Runs the command.
///
/// # Errors
/// Options that make no sense, a series that cannot be read or drawn, an output that cannot be written.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let window = parse_window(&args.window)?;
    let size = parse_size(&args.size)?;
    let found = select::scan(std::slice::from_ref(&args.path))?;
    let (study, index) = args.selection.choose(&found)?;
    let volume = dicom::load_volume(&study.series[index], &Cancel::new(), &|_, _| {})
        .map_err(|error| CliError::failed(format!("{} cannot be read", select::shown(&args.path)), error))?;
    let plane = match args.plane {
        PlaneName::Axial => Plane::Axial,
        PlaneName::Sagittal => Plane::Sagittal,
        PlaneName::Coronal => Plane::Coronal,
    };
    let slice = choose_slice(args, &volume, plane)?;
    let mut marks = Vec::new();
    if args.overlay {
        let report = super::analysis::analyse_volume(study, &volume, args.model.as_deref())?;
        for level in report.alert_levels() {
            marks.extend(report.levels[level].hot_spot().map(|spot| Mark::HotSpot(spot.point)));
        }
        eprintln!("overall {} by {} (research use only)", report.overall, report.model);
    }
    let view = View { marks, ..View::new(plane, slice, window) };
    let picture = raster::render(&volume, &view, size).map_err(|error| CliError::usage(error.to_string()))?;
    write_png(&args.output, &picture)?;
    Ok(ExitCode::SUCCESS)
}

fn choose_slice(args: &Args, volume: &Volume, plane: Plane) -> Result<usize, CliError> {
    let len = raster::plane_len(volume, plane);
    if let Some(number) = args.slice {
        return number.checked_sub(1).filter(|index| *index < len).ok_or_else(|| {
            CliError::usage(format!("--slice {number}: the {} view has slices 1 to {len}", plane.name()))
        });
    }
    let Some(position) = args.position_mm else { return Ok(len / 2) };
    let coordinate = |slice: usize| {
        raster::plane_point(volume, plane, slice).map(|point| match plane {
            Plane::Axial => point.z,
            Plane::Sagittal => point.x,
            Plane::Coronal => point.y,
        })
    };
    (0..len)
        .filter_map(|slice| Some((slice, (coordinate(slice)? - position).abs())))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(slice, _)| slice)
        .ok_or_else(|| CliError::usage("--position-mm: the files give no positions; use --slice"))
}

fn parse_window(text: &str) -> Result<WindowLevel, CliError> {
    text.split_once('/')
        .and_then(|(width, level)| WindowLevel::new(level.trim().parse().ok()?, width.trim().parse().ok()?))
        .ok_or_else(|| CliError::usage(format!("--window {text}: give width and level in HU, as 2000/350")))
}

fn parse_size(text: &str) -> Result<PictureSize, CliError> {
    text.split_once(['x', 'X', '×'])
        .and_then(|(width, height)| Some((width.trim().parse().ok()?, height.trim().parse().ok()?)))
        .filter(|(width, height)| (1..=16_384).contains(width) && (1..=16_384).contains(height))
        .map(|(width, height)| PictureSize { width, height, pixel_aspect: 1.0 })
        .ok_or_else(|| CliError::usage(format!("--size {text}: give width and height in pixels, as 768x768")))
}

fn write_png(path: &Path, picture: &Picture) -> Result<(), CliError> {
    let (bytes, colour) = match &picture.pixels {
        Pixels::Grey(bytes) => (bytes, image::ColorType::L8),
        Pixels::Rgb(bytes) => (bytes, image::ColorType::Rgb8),
    };
    image::save_buffer_with_format(path, bytes, picture.width, picture.height, colour, image::ImageFormat::Png)
        .map_err(|error| CliError::failed(format!("{} cannot be written", select::shown(path)), error))
}
