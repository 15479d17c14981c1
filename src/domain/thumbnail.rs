//! A small sagittal image of an analyzed series, shown beside the worklist.

use super::{FractureReport, Uid};
use serde::{Deserialize, Serialize};

/// The series, or the stack of it, that a thumbnail shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ThumbnailKey {
    /// SeriesInstanceUID.
    pub series: Uid,
    /// Which stack of it, from 0.
    pub stack: u32,
}

impl ThumbnailKey {
    /// The series of a report that shows the most suspicious level; `None` if no level was seen.
    #[must_use]
    pub fn of(report: &FractureReport) -> Option<Self> {
        let source = report.source(report.worst_level()?.level);
        Some(Self { series: source.series_uid.clone(), stack: source.provenance.stack_index })
    }
}

/// A grayscale image of square pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnail {
    width: u16,
    height: u16,
    pixels: Vec<u8>,
}

impl Thumbnail {
    /// Width and height in pixels: with 32 grays less than 8 KB as the PNG that goes to a terminal.
    pub const SIZE: (u16, u16) = (88, 121);

    /// An image of one byte per pixel, row by row, reduced to 32 grays; `None` if there are not as many pixels as the size says.
    #[must_use]
    pub fn new(width: u16, height: u16, mut pixels: Vec<u8>) -> Option<Self> {
        for pixel in &mut pixels {
            // Black stays black and white stays white.
            *pixel = *pixel & 0xf8 | *pixel >> 5;
        }
        Some(Self { width, height, pixels }).filter(Self::is_whole)
    }

    /// Whether it has as many pixels as its size says, and at least one.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.pixels.is_empty() && usize::from(self.width) * usize::from(self.height) == self.pixels.len()
    }

    /// Width, height and pixels of the image with black margins, so that its width over its height becomes `aspect`.
    #[must_use]
    pub fn padded(&self, aspect: f64) -> (u32, u32, Vec<u8>) {
        let (width, height) = (usize::from(self.width), usize::from(self.height));
        // A limit for windows with cells of an odd shape.
        let most = |pixels: f64| (pixels.round() as usize).min(4096);
        let whole_width = most(height as f64 * aspect).max(width);
        let whole_height = most(width as f64 / aspect).max(height);
        let (left, top) = ((whole_width - width) / 2, (whole_height - height) / 2);
        let mut padded = vec![0; whole_width * whole_height];
        for (row, line) in self.pixels.chunks_exact(width.max(1)).enumerate() {
            let start = (top + row) * whole_width + left;
            if let Some(target) = padded.get_mut(start..start + width) {
                target.copy_from_slice(line);
            }
        }
        (whole_width as u32, whole_height as u32, padded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_without_all_its_pixels_is_none() {
        assert!(Thumbnail::new(2, 2, vec![1; 3]).is_none());
        assert!(Thumbnail::new(0, 0, Vec::new()).is_none());
    }

    #[test]
    fn margins_give_the_image_another_shape_and_keep_its_pixels() {
        let image = Thumbnail::new(2, 2, vec![0, 255, 255, 255]).expect("an image");
        assert_eq!(image.padded(2.0), (4, 2, vec![0, 0, 255, 0, 0, 255, 255, 0]));
        assert_eq!(image.padded(0.5), (2, 4, vec![0, 0, 0, 255, 255, 255, 0, 0]));
        assert_eq!(image.padded(1.0).2, [0, 255, 255, 255]);
    }
}
