//! Pictures as files and as text: PNG, base64, and the size that the terminal needs.

use crate::raster::{Picture, Pixels};
use cspine_resample::ResampleError;

/// Why a picture cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum EncodeError {
    #[error("an image of {width}×{height} has {bytes} bytes of pixels, which do not fit")]
    BadPicture { width: u32, height: u32, bytes: usize },
    #[error("the image could not be resized to {width}×{height} pixels: {reason}")]
    Resize { width: u32, height: u32, reason: ResampleError },
    #[error("the image could not be compressed: {0}")]
    Png(String),
}

/// A picture as the protocol sends it, in pieces.
pub(super) type Encoded = Result<Vec<Vec<u8>>, EncodeError>;

/// Bytes per pixel, and all bytes, checked against the picture's size.
fn checked(picture: &Picture) -> Result<(usize, &[u8]), EncodeError> {
    let (samples, bytes) = match &picture.pixels {
        Pixels::Grey(bytes) => (1, bytes),
        Pixels::Rgb(bytes) => (3, bytes),
    };
    let wanted = u64::from(picture.width) * u64::from(picture.height) * samples as u64;
    if wanted == 0 || wanted != bytes.len() as u64 {
        let (width, height) = (picture.width, picture.height);
        return Err(EncodeError::BadPicture { width, height, bytes: bytes.len() });
    }
    Ok((samples, bytes))
}

/// An 8-bit PNG: grey stays grey, Paeth filter, the fastest compression.
pub(super) fn png(picture: &Picture) -> Result<Vec<u8>, EncodeError> {
    let (samples, bytes) = checked(picture)?;
    let mut out = Vec::with_capacity(bytes.len() / 2);
    let mut encoder = png::Encoder::new(&mut out, picture.width, picture.height);
    encoder.set_color(if samples == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::Paeth);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(bytes)?;
        writer.finish()
    });
    written.map_err(|error| EncodeError::Png(error.to_string()))?;
    Ok(out)
}

/// The pixels stretched to a size: averaged where they shrink, interpolated where they grow.
pub(super) fn stretched(picture: &Picture, width: u32, height: u32) -> Result<Pixels, EncodeError> {
    let (samples, bytes) = checked(picture)?;
    let same = (width, height) == (picture.width, picture.height);
    let resized = if same {
        bytes.to_vec()
    } else {
        let (from, to) = ((picture.width, picture.height), (width, height));
        let resample = if samples == 1 { cspine_resample::gray } else { cspine_resample::rgb };
        resample(bytes, from, to).map_err(|reason| EncodeError::Resize { width, height, reason })?
    };
    Ok(if samples == 1 { Pixels::Grey(resized) } else { Pixels::Rgb(resized) })
}

/// The rows of a picture from `first` to before `last`.
pub(super) fn cut(picture: &Picture, first: u32, last: u32) -> Result<Picture, EncodeError> {
    let (samples, bytes) = checked(picture)?;
    let line = picture.width as usize * samples;
    let rows = bytes.get(first as usize * line..last as usize * line).unwrap_or_default().to_vec();
    let pixels = if samples == 1 { Pixels::Grey(rows) } else { Pixels::Rgb(rows) };
    Ok(Picture { height: last.saturating_sub(first), pixels, ..picture.clone() })
}

/// Half the size and 64 levels: a third to a sixth of the bytes.
pub(super) fn preview(picture: &Picture) -> Result<Picture, EncodeError> {
    let (width, height) = ((picture.width / 2).max(1), (picture.height / 2).max(1));
    let mut pixels = stretched(picture, width, height)?;
    let (Pixels::Grey(levels) | Pixels::Rgb(levels)) = &mut pixels;
    for level in levels {
        // Black stays black and white white.
        *level = *level & 0xfc | *level >> 6;
    }
    Ok(Picture { width, height, pixels, ..picture.clone() })
}

/// Base64 with the standard alphabet and padding (RFC 4648, section 4).
pub(super) fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let digit = ALPHABET[(group >> (18 - 6 * place)) as usize & 63];
            out.push(if place > chunk.len() { b'=' } else { digit });
        }
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::raster::OrientationMarkers;

    /// A picture made of these pixels.
    pub(in crate::terminal) fn picture(width: u32, height: u32, pixels: Pixels) -> Picture {
        Picture { width, height, pixel_aspect: 1.0, pixels, markers: OrientationMarkers::default(), mm_per_pixel: None }
    }

    /// Greys that differ from pixel to pixel.
    pub(in crate::terminal) fn ramp(width: u32, height: u32) -> Picture {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| ((x * 3 + y * 5) % 256) as u8)).collect();
        picture(width, height, Pixels::Grey(pixels))
    }

    #[test]
    fn base64_is_the_standard_s() {
        // RFC 4648, section 10.
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded.as_bytes());
        }
    }

    #[test]
    fn grey_stays_grey_and_exact() {
        let ramp = ramp(50, 40);
        let bytes = png(&ramp).expect("a PNG");
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a header");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut pixels).expect("pixels");
        assert_eq!((info.width, info.height, info.color_type), (50, 40, png::ColorType::Grayscale));
        assert_eq!(Pixels::Grey(pixels), ramp.pixels);
    }

    #[test]
    fn a_preview_has_half_the_size_and_64_levels() {
        let all = picture(512, 2, Pixels::Grey((0..1024).map(|index| (index % 512 / 2) as u8).collect()));
        let preview = preview(&all).expect("a preview");
        assert_eq!((preview.width, preview.height), (256, 1));
        let Pixels::Grey(levels) = preview.pixels else { unreachable!("grey") };
        let different: std::collections::BTreeSet<u8> = levels.iter().copied().collect();
        assert_eq!((different.len(), different.first(), different.last()), (64, Some(&0), Some(&255)));
        assert!((0..=255).zip(&levels).all(|(exact, level): (u8, _)| exact.abs_diff(*level) <= 4));
    }

    #[test]
    fn a_picture_whose_pixels_do_not_fit_its_size_is_refused() {
        let bad = picture(4, 4, Pixels::Rgb(vec![0; 47]));
        assert!(matches!(png(&bad), Err(EncodeError::BadPicture { bytes: 47, .. })));
        assert!(stretched(&bad, 2, 2).is_err());
    }
}
