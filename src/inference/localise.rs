//! Where on a slice: the activation map's highest place as a point in the patient, and the map laid into the volume. Pure.

use super::preprocess::Crop;
use crate::domain::{ActivationSlice, HotSpot, Volume};

/// The place where one level's activation (`height · width` logits, row by row, covering the network's input exactly) is
/// highest, refined by the centre of mass of its 3 × 3 neighbourhood after the logistic function; `None` for a map that is none
/// or holds a NaN.
pub(super) fn hot_spot(
    volume: &Volume,
    crop: &Crop,
    slice: usize,
    map: &[f32],
    (height, width): (usize, usize),
    input_size: u32,
) -> Option<HotSpot> {
    if map.len() != height * width || map.iter().any(|logit| logit.is_nan()) {
        return None;
    }
    let (peak, _) = map.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let (row, column) = (peak / width, peak % width);
    let (mut x, mut y, mut mass) = (0.0, 0.0, 0.0);
    for r in row.saturating_sub(1)..=(row + 1).min(height - 1) {
        for c in column.saturating_sub(1)..=(column + 1).min(width - 1) {
            let weight = 1.0 / (1.0 + (-f64::from(map[r * width + c])).exp());
            x += weight * (c as f64 + 0.5);
            y += weight * (r as f64 + 0.5);
            mass += weight;
        }
    }
    let (x, y) = if mass > 1e-9 { (x / mass, y / mass) } else { (column as f64 + 0.5, row as f64 + 0.5) };
    let size = f64::from(input_size);
    let (x, y) = (x / width as f64 * size - 0.5, y / height as f64 * size - 0.5);
    let (row, column) = crop.voxel(x, y, volume.shape.rows, volume.shape.columns);
    let inside = row >= -0.5
        && column >= -0.5
        && row <= volume.shape.rows as f64 - 0.5
        && column <= volume.shape.columns as f64 - 0.5;
    let point = volume.patient_point(slice as f64, row, column)?;
    inside.then_some(HotSpot { point })
}

/// One level's activation map (as in [`hot_spot`]) laid into its slice of the volume.
pub(super) fn laid_out(
    volume: &Volume,
    crop: &Crop,
    slice: usize,
    map: &[f32],
    (height, width): (usize, usize),
    input_size: u32,
) -> ActivationSlice {
    let size = f64::from(input_size);
    let middle = |cell: f64, cells: usize| (cell + 0.5) / cells.max(1) as f64 * size - 0.5;
    let place = |row: f64, column: f64| {
        crop.voxel(middle(column, width), middle(row, height), volume.shape.rows, volume.shape.columns)
    };
    let (first, next) = (place(0.0, 0.0), place(1.0, 1.0));
    ActivationSlice {
        slice,
        first,
        step: (next.0 - first.0, next.1 - first.1),
        rows: height,
        columns: width,
        values: map.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::manifest::{Centre, InputSpec};
    use crate::inference::preprocess::{Preprocessor, tests::block};

    #[test]
    fn the_peak_of_the_map_is_the_place_in_the_patient() {
        for flipped in [false, true] {
            let volume = block(flipped);
            let spec = InputSpec {
                name: "image".into(),
                size: 384,
                millimetres: 192.0,
                channel_offsets_mm: vec![0.0],
                window_hu: [-600.0, 1400.0],
                centre: Centre::Spine,
                slab_mm: 0.0,
            };
            let crop = Preprocessor::new(&volume, &spec).expect("axial").crop(3).expect("a slice");
            let (row, column) = crop.voxel(191.5, 191.5, volume.shape.rows, volume.shape.columns);
            let middle = volume.patient_point(3.0, row, column).expect("metric");
            let mut map = vec![-20.0_f32; 12 * 12];
            map[4 * 12 + 7] = 5.0;
            let spot = hot_spot(&volume, &crop, 3, &map, (12, 12), 384).expect("a spot");
            // Cell (4, 7) of 12 · 12 lies (7.5 − 6) · 16 mm left and (4.5 − 6) · 16 mm behind the input's middle.
            assert!((spot.point.x - (middle.x + 24.0)).abs() < 0.1, "{:?}", spot.point);
            assert!((spot.point.y - (middle.y - 24.0)).abs() < 0.1, "{:?}", spot.point);
            let laid = laid_out(&volume, &crop, 3, &map, (12, 12), 384);
            let (row, column) = (laid.first.0 + 4.0 * laid.step.0, laid.first.1 + 7.0 * laid.step.1);
            let cell = volume.patient_point(3.0, row, column).expect("metric");
            assert!((cell - spot.point).length() < 0.1, "{cell} is where the spot is");
        }
    }

    #[test]
    fn a_map_with_nan_gives_no_place() {
        let volume = block(false);
        let crop = Crop {
            column0: 0.0,
            row0: 0.0,
            columns_per_pixel: 1.0,
            rows_per_pixel: 1.0,
            flip_columns: false,
            flip_rows: false,
        };
        assert_eq!(hot_spot(&volume, &crop, 0, &[f32::NAN; 4], (2, 2), 384), None);
        assert_eq!(hot_spot(&volume, &crop, 0, &[0.0; 3], (2, 2), 384), None);
    }
}
