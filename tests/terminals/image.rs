//! Pixels: of a screen, or of a PNG that the program wrote.

use std::path::{Path, PathBuf};

/// A part of a screen, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// Pixels, red, green and blue, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) pixels: Vec<[u8; 3]>,
}

impl Image {
    /// A PNG.
    pub(crate) fn read(path: &Path) -> Self {
        let picture = ::image::open(path).expect("a PNG").into_rgb8();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        Self { width, height, pixels: picture.pixels().map(|pixel| pixel.0).collect() }
    }

    /// A part of it.
    pub(crate) fn part(&self, area: Area) -> Self {
        let Area { x, y, width, height } = area;
        assert!(x + width <= self.width && y + height <= self.height, "{area:?} lies on the screen");
        let rows = (y..y + height).map(|y| y * self.width + x);
        Self { width, height, pixels: rows.flat_map(|at| self.pixels[at..at + width].iter().copied()).collect() }
    }

    /// Whether all pixels are the same.
    pub(crate) fn is_plain(&self) -> bool {
        self.pixels.windows(2).all(|two| two[0] == two[1])
    }

    /// Whether no more than a few colors are seen, as text has, and not the many grays of an image.
    pub(crate) fn lacks_shades(&self) -> bool {
        let gray = |pixel: &&[u8; 3]| pixel[0] == pixel[1] && pixel[1] == pixel[2];
        let mut counts = [0_usize; 256];
        for pixel in self.pixels.iter().filter(gray) {
            counts[usize::from(pixel[0])] += 1;
        }
        // Letters have soft edges: of each of their grays there are few.
        counts.iter().filter(|count| **count > self.pixels.len() / 400).count() < 24
    }

    /// How far this is from another one, for a failure's words.
    pub(crate) fn differs(&self, expected: &Self) -> String {
        let pixels = self.pixels.iter().zip(&expected.pixels);
        let wrong: Vec<usize> = pixels.enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
        let place = wrong.first().map(|at| (at % self.width, at / self.width));
        format!("{} of {} pixels are others, the first at {place:?}", wrong.len(), self.pixels.len())
    }

    /// Kept as a file, to be looked at after a failure.
    pub(crate) fn keep(&self, name: &str) -> PathBuf {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("terminals-{}.png", name.replace(' ', "-")));
        let bytes: Vec<u8> = self.pixels.iter().flatten().copied().collect();
        let (width, height) = (self.width as u32, self.height as u32);
        ::image::save_buffer(&path, &bytes, width, height, ::image::ColorType::Rgb8).expect("a PNG is written");
        path
    }
}
