//! A page of pictures: one row a study, drawn with the code that the viewer draws with.

use super::CliError;
use super::select;
use crate::dicom;
use crate::domain::{Volume, WindowLevel, choose_series};
use crate::nifti::LabelVolume;
use crate::raster::{self, PictureSize, Pixels, Plane, View, Zoom};
use crate::task::Cancel;
use std::path::Path;

/// Side of a picture, pixels.
const SIDE: usize = 220;
/// What an axial picture shows, mm.
const FIELD_MM: f64 = 160.0;
/// Pictures of a row: C1 to C7, and the middle from the side in two windows.
const PICTURES: usize = 9;
/// More rows make no page.
const ROWS: usize = 14;
const MARGIN: usize = 4;

/// Where one row's pictures are taken.
struct Places {
    /// Slice and middle of the vertebra (fractions of the width and the height), C1 to C7.
    axial: [Option<(usize, (f64, f64))>; 7],
    /// Column of the midline, as a fraction.
    middle: f64,
}

/// Writes the page for the first studies of a data set that was just written; `beside` is another scan for the first row.
///
/// # Errors
/// A scan that cannot be read, or a picture that cannot be written.
pub(super) fn write(path: &Path, dataset: &Path, uids: &[String], beside: Option<&Path>) -> Result<(), CliError> {
    let mut rows = Vec::new();
    if let Some(dir) = beside {
        let volume = load(dir)?;
        rows.push(row(&volume, &spread(&volume), false));
    }
    for uid in uids.iter().take(ROWS) {
        let volume = load(&dataset.join("train_images").join(uid))?;
        let segmentation = dataset.join("segmentations").join(format!("{uid}.nii"));
        // A real neck without labels has no segmentation.
        let named = segmentation.is_file();
        let places = if named {
            let labels = LabelVolume::read(&segmentation)
                .map_err(|error| CliError::failed("a segmentation cannot be read", error))?;
            places(&volume, &labels.labels)
        } else {
            spread(&volume)
        };
        rows.push(row(&volume, &places, named));
    }
    let width = PICTURES * (SIDE + MARGIN);
    let page: Vec<u8> = rows.concat();
    let height = page.len() / width;
    image::save_buffer_with_format(
        path,
        &page,
        width as u32,
        height as u32,
        image::ColorType::L8,
        image::ImageFormat::Png,
    )
    .map_err(|error| CliError::failed(format!("{} cannot be written", select::shown(path)), error))
}

/// The CT series of a folder.
///
/// # Errors
/// A folder without one, or one that cannot be read.
pub(super) fn load(dir: &Path) -> Result<Volume, CliError> {
    let found = select::scan(&[dir.to_owned()])?;
    let none = || CliError::nothing_readable(format!("{} holds no CT series", select::shown(dir)));
    let study = found.studies.first().ok_or_else(none)?;
    // A head or a chest is no series to analyse, but it can be drawn.
    let index = choose_series(study).map_or(0, |chosen| chosen.series);
    let series = study.series.get(index).ok_or_else(none)?;
    dicom::load_volume(series, &Cancel::new(), &|_, _| {})
        .map_err(|error| CliError::failed(format!("{} cannot be read", select::shown(dir)), error))
}

/// Places by the labels of a segmentation that the phantom wrote: in the volume's own order.
fn places(volume: &Volume, labels: &[u8]) -> Places {
    let (columns, length) = (volume.shape.columns.max(1), volume.shape.slice_len().max(1));
    let mut sums = [[0_usize; 4]; 7];
    for (i, &label) in labels.iter().enumerate() {
        if let Some(sum) = usize::from(label).checked_sub(1).and_then(|level| sums.get_mut(level)) {
            for (sum, part) in sum.iter_mut().zip([1, i / length, i % length / columns, i % columns]) {
                *sum += part;
            }
        }
    }
    let fraction = |sum: usize, count: usize, side: usize| (sum as f64 / count as f64 + 0.5) / side.max(1) as f64;
    let axial = sums.map(|[count, slice, row, column]| {
        let at = |count| (fraction(column, count, columns), fraction(row, count, volume.shape.rows));
        (count > 0).then(|| (slice / count, at(count)))
    });
    let seen: Vec<f64> = axial.iter().flatten().map(|(_, at)| at.0).collect();
    Places { axial, middle: if seen.is_empty() { 0.5 } else { seen.iter().sum::<f64>() / seen.len() as f64 } }
}

/// Places spread over a scan of which nothing is known: a neck's levels lie in the middle part.
fn spread(volume: &Volume) -> Places {
    let last = volume.shape.slices.saturating_sub(1) as f64;
    let axial = std::array::from_fn(|i| Some(((last * (0.3 + 0.07 * i as f64)) as usize, (0.5, 0.5))));
    Places { axial, middle: 0.5 }
}

/// One row of the page, `SIDE + MARGIN` lines; `named` where the pictures are of C1 to C7.
fn row(volume: &Volume, places: &Places, named: bool) -> Vec<u8> {
    let width = PICTURES * (SIDE + MARGIN);
    let mut row = vec![0; width * (SIDE + MARGIN)];
    let windows = [(2000.0, 350.0), (400.0, 40.0)];
    let across = volume.spacing.map_or(1.0, |spacing| spacing.column) * volume.shape.columns as f64;
    let down = volume.spacing.map_or(1.0, |spacing| spacing.row) * volume.shape.rows as f64;
    for picture in 0..PICTURES {
        let window = windows[picture % 2];
        let (plane, slice, center, zoom) = match places.axial.get(picture) {
            Some(Some((slice, at))) => (Plane::Axial, *slice, *at, across.max(down) / FIELD_MM),
            Some(None) => continue,
            None => {
                let slice = (places.middle * raster::plane_len(volume, Plane::Sagittal) as f64) as usize;
                (Plane::Sagittal, slice, (0.5, 0.5), 1.0)
            }
        };
        let Some(window) = WindowLevel::new(window.1, window.0) else { continue };
        let view = View { zoom: Zoom::Fit(zoom), center, ..View::new(plane, slice, window) };
        let size = PictureSize { width: SIDE as u32, height: SIDE as u32, pixel_aspect: 1.0 };
        // What cannot be drawn, such as a side view without positions, stays black.
        let Ok(drawn) = raster::render(volume, &view, size) else { continue };
        let Pixels::Grey(grey) = drawn.pixels else { continue };
        for (line, pixels) in grey.chunks_exact(SIDE).enumerate() {
            let at = line * width + picture * (SIDE + MARGIN);
            row[at..at + SIDE].copy_from_slice(pixels);
        }
        if named && picture < places.axial.len() {
            caption(&mut row, width, picture * (SIDE + MARGIN) + 5, picture + 1);
        }
    }
    row
}

/// `C` and a digit in the picture's corner: letters of three by five dots.
fn caption(row: &mut [u8], width: usize, left: usize, level: usize) {
    const LETTER: [u8; 5] = [0b111, 0b100, 0b100, 0b100, 0b111];
    const DIGITS: [[u8; 5]; 7] = [
        [0b010, 0b110, 0b010, 0b010, 0b111],
        [0b111, 0b001, 0b111, 0b100, 0b111],
        [0b111, 0b001, 0b111, 0b001, 0b111],
        [0b101, 0b101, 0b111, 0b001, 0b001],
        [0b111, 0b100, 0b111, 0b001, 0b111],
        [0b111, 0b100, 0b111, 0b101, 0b111],
        [0b111, 0b001, 0b010, 0b010, 0b010],
    ];
    let Some(digit) = level.checked_sub(1).and_then(|index| DIGITS.get(index)) else { return };
    for (place, glyph) in [&LETTER, digit].into_iter().enumerate() {
        for (y, bits) in glyph.iter().enumerate() {
            for x in (0..3).filter(|x| bits >> (2 - x) & 1 == 1) {
                for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let at = (5 + 2 * y + dy) * width + left + place * 8 + 2 * x + dx;
                    if let Some(pixel) = row.get_mut(at) {
                        *pixel = 255;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::{Anatomy, Recipe, write_dataset, write_slice};

    #[test]
    fn a_page_has_a_row_for_each_neck_and_shows_bone_at_the_levels() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut recipe = Recipe::random(7).with_matrix(96);
        recipe.scan = crate::phantom::Scan {
            slices: 60,
            spacing_mm: 3.0,
            thickness_mm: 0.8,
            coverage: crate::phantom::Coverage::Neck,
            ..recipe.scan
        };
        let uid = recipe.uid("study");
        write_dataset(folder.path(), &[recipe], Anatomy::Parametric, false, &Cancel::new(), &|_| (), &write_slice)
            .expect("written");
        let page = folder.path().join("page.png");
        write(&page, folder.path(), std::slice::from_ref(&uid), None).expect("a page");
        let picture = image::open(&page).expect("a PNG").into_luma8();
        assert_eq!(picture.dimensions(), ((PICTURES * (SIDE + MARGIN)) as u32, (SIDE + MARGIN) as u32));
        for cell in 0..PICTURES {
            let left = (cell * (SIDE + MARGIN)) as u32;
            let bright = (20..SIDE as u32).flat_map(|y| (0..SIDE as u32).map(move |x| (x, y)));
            let bright = bright.filter(|&(x, y)| picture.get_pixel(left + x, y).0[0] > 120).count();
            assert!(bright > 100, "picture {cell} has {bright} bright pixels");
        }
    }
}
