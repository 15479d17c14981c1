//! Interleaved 8-bit images at another size.
//!
//! A crate of its own because `fast_image_resize` is generic: its code is compiled into each crate that calls it, for every pixel
//! type and for three instruction sets. Here that happens once. In cspine itself it was two fifths of the optimizer's work on
//! functions, done for the library and again for its unit tests.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{FilterType, ImageBufferError, PixelTrait, ResizeAlg, ResizeError, ResizeOptions, Resizer};

/// Why an image cannot be resized.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResampleError {
    /// The bytes are not those of the size.
    #[error("{0}")]
    Buffer(#[from] ImageBufferError),
    /// A side of 0 pixels.
    #[error("{0}")]
    Size(#[from] ResizeError),
}

/// Grayscale `bytes` (one byte per pixel, row by row) of the size `from` (width, height) at the size `to`: averaged where they
/// shrink, interpolated linearly where they grow.
///
/// # Errors
/// Where the bytes do not match `from`, or a side is 0.
pub fn gray(bytes: &[u8], from: (u32, u32), to: (u32, u32)) -> Result<Vec<u8>, ResampleError> {
    resized::<U8>(bytes, from, to)
}

/// The same for interleaved RGB, three bytes per pixel.
///
/// # Errors
/// As [`gray`].
pub fn rgb(bytes: &[u8], from: (u32, u32), to: (u32, u32)) -> Result<Vec<u8>, ResampleError> {
    resized::<U8x3>(bytes, from, to)
}

/// The typed calls on purpose: the library's `Image` takes its pixel type when it runs, so that all 13 would be compiled.
fn resized<P: PixelTrait>(bytes: &[u8], from: (u32, u32), to: (u32, u32)) -> Result<Vec<u8>, ResampleError> {
    let source = TypedImageRef::<P>::from_buffer(from.0, from.1, bytes)?;
    let mut pixels = vec![0; to.0 as usize * to.1 as usize * P::size()];
    let mut target = TypedImage::<P>::from_buffer(to.0, to.1, &mut pixels)?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize_typed(&source, &mut target, &options)?;
    Ok(pixels)
}
