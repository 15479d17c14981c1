//! Key images drawn as the reader saw them.

use super::told;
use crate::app::figure;
use crate::cli::CliError;
use crate::cli::output::{self, Existing};
use crate::dicom::{Capture, CapturedPixels, Sources, WriteError, load_volume, secondary_capture};
use crate::domain::{Axis, FractureReport, KeyImage, Measurement, Volume, VoxelPoint};
use crate::raster::{self, Mark, PictureSize, Pixels, Plane, RasterError, View, ViewGeometry};
use crate::results::{StudyResult, Written};
use crate::task::Cancel;
use std::path::Path;
use std::process::ExitCode;

/// Longer side of a captured image in pixels: a slice of 512 pixels is drawn at twice its size.
const SIDE: u16 = 1024;

/// Writes every key image of the studies into a folder.
///
/// # Errors
/// A folder or file that cannot be written; a study that cannot be drawn is told and passed over.
pub(super) fn write(
    folder: &Path,
    existing: Existing,
    results: &[StudyResult],
    written: Written,
) -> Result<ExitCode, CliError> {
    output::folder(folder)?;
    let mut failed = false;
    let mut count = 0_usize;
    for result in results.iter().filter(|result| !result.key_images.is_empty()) {
        match study(result, written) {
            Ok(files) => {
                for (number, bytes) in files {
                    let path = folder.join(format!("{}.key{number}.sc.dcm", result.study.uid));
                    output::write(&path, &bytes, existing)?;
                    count += 1;
                }
            }
            Err(error) => {
                failed = true;
                told(result, &error);
            }
        }
    }
    if count == 0 && !failed {
        eprintln!("no study has key images; mark them with the reader's key for it");
    }
    Ok(ExitCode::from(u8::from(failed)))
}

/// The key images of one study, each with its number.
fn study(result: &StudyResult, written: Written) -> Result<Vec<(u64, Vec<u8>)>, WriteError> {
    let sources = Sources::read(result)?;
    let mut files = Vec::new();
    for (number, image) in (1..).zip(&result.key_images) {
        let gone = || WriteError::NoKeyImage(image.id);
        let series = result.study.series.iter().find(|series| {
            series.uid == image.series && series.instances.iter().any(|one| one.sop_instance_uid == image.instance)
        });
        let volume = load_volume(series.ok_or_else(gone)?, &Cancel::new(), &|_, _| {})?;
        let (mut view, mut description) = view(image, &volume).ok_or_else(gone)?;
        let (marks, words) = marks(result, &volume, &view);
        view.marks = marks;
        description.push_str(&words);
        let size = size(&volume, &view).map_err(|error| WriteError::File(error.to_string()))?;
        let picture = raster::render(&volume, &view, size).map_err(|error| WriteError::File(error.to_string()))?;
        let pixels = match &picture.pixels {
            Pixels::Grey(bytes) => CapturedPixels::Grey(bytes),
            Pixels::Rgb(bytes) => CapturedPixels::Rgb(bytes),
        };
        let [columns, rows] = [size.width, size.height].map(|side| u16::try_from(side).unwrap_or(SIDE));
        let capture = Capture { image, number, columns, rows, pixels, description: &description };
        files.push((image.id, secondary_capture(&capture, &sources, written)?.bytes));
    }
    Ok(files)
}

/// The size at which the plane fills the image, its longer side [`SIDE`] pixels.
fn size(volume: &Volume, view: &View) -> Result<PictureSize, RasterError> {
    let square = PictureSize { width: SIDE.into(), height: SIDE.into(), pixel_aspect: 1.0 };
    let (width, height) = ViewGeometry::of(volume, view, square)?.plane_size();
    let pixels = |side: f64| (side.round() as u32).clamp(1, SIDE.into());
    Ok(PictureSize { width: pixels(width), height: pixels(height), ..square })
}

/// How the reader saw the slice, and in words; `None` where it is gone.
fn view(image: &KeyImage, volume: &Volume) -> Option<(View, String)> {
    let plane = match image.plane {
        Axis::HeadFoot => Plane::Axial,
        Axis::RightLeft => Plane::Sagittal,
        Axis::FrontBack => Plane::Coronal,
    };
    let by_point = image.patient_point().and_then(|point| raster::slice_of_point(volume, plane, point));
    let slice = by_point.unwrap_or(image.slice);
    let len = raster::plane_len(volume, plane);
    let window = image.window();
    let description = format!(
        "{} slice {} of {len}, window {}/{} HU",
        plane.name(),
        slice + 1,
        window.width().round(),
        window.center().round()
    );
    let view = View { inverted: image.inverted, ..View::new(plane, slice, window) };
    (slice < len).then_some((view, description))
}

/// What is drawn over the slice, as over an image that the reader writes into a file: measurements with their numbers, and at the edges
/// where the network points. In words, too, with what was measured. Nothing of it names anyone.
fn marks(result: &StudyResult, volume: &Volume, view: &View) -> (Vec<Mark>, String) {
    let (mut marks, mut words) = (Vec::new(), String::new());
    for measured in result.measurements.iter().filter(|measured| measured.measurement.series == volume.series_uid) {
        let Measurement { id, geometry, .. } = &measured.measurement;
        let Some(figure) = figure(volume, *id, geometry) else { continue };
        let here = |place: &VoxelPoint| raster::slice_of_voxel(volume, view.plane, *place) == Some(view.slice);
        if let (Ok(value), true) = (&measured.result, figure.places.iter().all(here)) {
            words.push_str(&format!("; {id}: {} {value}", geometry.name()));
        }
        marks.push(Mark::Figure(figure));
    }
    let own = |report: &&FractureReport| report.series_uid == volume.series_uid;
    for report in result.report().into_iter().flat_map(FractureReport::parts).filter(own) {
        let levels = report.alert_levels();
        let spots = levels.iter().filter_map(|level| report.levels[*level].hot_spot());
        marks.extend(spots.map(|spot| Mark::HotSpotAside(spot.point)));
    }
    (marks, words)
}
