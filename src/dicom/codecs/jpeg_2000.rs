//! JPEG 2000 (ITU-T T.800) and High-Throughput JPEG 2000 (T.814) of one component.

use super::{Fault, Shape};
use dicom_core::value::{C, PixelFragmentSequence};
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_pixeldata::PixelDecoder;

/// Pixels of a tile on average, at least: the decoder keeps kilobytes for each tile.
const TILE_PIXELS: u64 = 256;

/// Decodes a stream into `rows · columns` samples.
pub(super) fn decode(stream: &[u8], shape: Shape, syntax: &str) -> Result<Vec<u16>, Fault> {
    let stream = code_stream(stream)?;
    check_size(stream, shape)?;
    let bytes = by_dicom_rs(stream, shape, syntax)?;
    Ok(if shape.bits_allocated == 8 {
        bytes.into_iter().map(u16::from).collect()
    } else {
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
    })
}

/// Some writers wrap the code stream in the boxes of a JP2 file (T.800 annex I); DICOM knows it bare.
fn code_stream(stream: &[u8]) -> Result<&[u8], Fault> {
    let mut rest = stream;
    if rest.get(4..8) != Some(b"jP  ") {
        return Ok(stream);
    }
    loop {
        let (header, body) = rest.split_first_chunk::<8>().ok_or(Fault::Cut)?;
        let length = u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
        if &header[4..] == b"jp2c" {
            return Ok(body.get(..length.wrapping_sub(8)).unwrap_or(body));
        }
        rest = rest.get(length.max(8)..).ok_or(Fault::Cut)?;
    }
}

/// Checks the segment SIZ (T.800 A.5.1) against the header: the decoder would allocate what it claims.
fn check_size(stream: &[u8], shape: Shape) -> Result<(), Fault> {
    if !stream.starts_with(&[0xFF, 0x4F, 0xFF, 0x51]) {
        return Err(Fault::Damaged("it does not begin as JPEG 2000 does"));
    }
    let segment = stream.get(4..45).ok_or(Fault::Cut)?;
    let number = |at: usize| {
        let bytes = &segment[at..at + 4];
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    };
    let [right, bottom, left, top, tile_width, tile_height, tiles_left, tiles_top] =
        std::array::from_fn(|index| number(4 + index * 4));
    let components = u16::from_be_bytes([segment[36], segment[37]]);
    let &[depth, step_across, step_down] = &segment[38..41] else { return Err(Fault::Cut) };
    shape.check(bottom.saturating_sub(top), right.saturating_sub(left), components.into(), (depth & 0x7F) + 1)?;
    if (step_across, step_down) != (1, 1) {
        return Err(Fault::Damaged("its component is subsampled"));
    }
    if tile_width == 0 || tile_height == 0 || tiles_left > left || tiles_top > top {
        return Err(Fault::Damaged("its tiles make no sense"));
    }
    let tiles =
        u64::from((right - tiles_left).div_ceil(tile_width)) * u64::from((bottom - tiles_top).div_ceil(tile_height));
    if tiles > 64 + shape.pixels() as u64 / TILE_PIXELS {
        return Err(Fault::Damaged("it is cut into too many tiles"));
    }
    Ok(())
}

/// Decodes through dicom-rs, which takes a whole object.
fn by_dicom_rs(stream: &[u8], shape: Shape, syntax: &str) -> Result<Vec<u8>, Fault> {
    let mut object = InMemDicomObject::new_empty();
    let numbers = [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, shape.rows as u16),
        (tags::COLUMNS, shape.columns as u16),
        (tags::BITS_ALLOCATED, shape.bits_allocated),
        (tags::BITS_STORED, shape.bits_allocated),
        (tags::HIGH_BIT, shape.bits_allocated - 1),
        (tags::PIXEL_REPRESENTATION, 0),
    ];
    for (tag, number) in numbers {
        object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(number)));
    }
    object.put(DataElement::new(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, PrimitiveValue::from("MONOCHROME2")));
    let fragments = PixelFragmentSequence::new(C::<u32>::new(), vec![stream.to_vec()]);
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, fragments));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(syntax)
        .media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.2")
        .media_storage_sop_instance_uid("2.25.1");
    let object = object.with_meta(meta).map_err(|error| Fault::Decoder(error.to_string()))?;
    object.decode_pixel_data().map(|pixels| pixels.data().to_vec()).map_err(|error| {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            text = inner.to_string();
            cause = inner.source();
        }
        Fault::Decoder(text)
    })
}
