//! JPEG XL (ISO/IEC 18181-1) of one channel.

use super::{Fault, Shape};
use jxl_oxide::image::BitDepth;
use jxl_oxide::{AllocTracker, JxlImage, JxlThreadPool};

/// Bytes that the decoder may hold besides a picture: tables, and groups of 256 · 256 samples in work.
const WORKING_MEMORY: usize = 64 * 1024 * 1024;
/// Bytes that the decoder may hold for each pixel: its filters keep several copies of four bytes.
const BYTES_PER_PIXEL: usize = 64;

/// Decodes a stream into `rows · columns` samples.
pub(super) fn decode(stream: &[u8], shape: Shape) -> Result<Vec<u16>, Fault> {
    let fault = |error: Box<dyn std::error::Error + Send + Sync>| Fault::Decoder(error.to_string());
    // The slices of a volume are decoded side by side already.
    let image = JxlImage::builder()
        .pool(JxlThreadPool::none())
        .alloc_tracker(AllocTracker::with_limit(WORKING_MEMORY + shape.pixels() * BYTES_PER_PIXEL))
        .read(stream)
        .map_err(fault)?;
    let depth = image.image_header().metadata.bit_depth;
    let channels = image.pixel_format().channels();
    if let BitDepth::FloatSample { .. } = depth {
        return Err(Fault::Unsupported("JPEG XL of floating-point samples"));
    }
    let precision = u8::try_from(depth.bits_per_sample()).unwrap_or(u8::MAX);
    shape.check(image.height(), image.width(), channels as u32, precision)?;
    let render = image.render_frame(0).map_err(fault)?;
    let largest = ((1_u32 << precision) - 1) as f32;
    let samples: Vec<u16> = render
        .image_all_channels()
        .buf()
        .iter()
        // A float holds 24 bits: what was coded without loss comes back without loss.
        .map(|value| (value * largest).round().clamp(0.0, largest) as u16)
        .collect();
    Ok(samples)
}
