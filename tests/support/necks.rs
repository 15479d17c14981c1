//! Necks that are quickly made and quickly analysed.

use cspine::phantom::{Anatomy, Coverage, Recipe, write_dataset, write_slice};
use cspine::task::Cancel;
use std::path::Path;

/// So many whole necks as a data set: slices of 3 mm, 128 × 128 pixels.
pub(crate) fn coarse_necks(count: usize, folder: &Path) {
    let small = |mut recipe: Recipe| {
        let length = recipe.scan.slices as f32 * recipe.scan.spacing_mm;
        (recipe.scan.spacing_mm, recipe.scan.thickness_mm) = (3.0, 3.0);
        recipe.scan.slices = (length / 3.0) as usize;
        recipe.with_matrix(128)
    };
    let drawn = (0..).map(Recipe::random).filter(|recipe| recipe.scan.coverage == Coverage::Neck);
    let recipes: Vec<Recipe> = drawn.take(count).map(small).collect();
    write_dataset(folder, &recipes, Anatomy::Parametric, false, &Cancel::new(), &|_| {}, &write_slice)
        .expect("a data set");
}
