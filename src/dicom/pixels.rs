//! The pixels of one picture as Hounsfield units.

use super::codecs;
use super::header::PixelLayout;
use super::part10::{FileError, Part10, PixelBytes, is_native};
use crate::domain::{CleanText, Volume};

/// Decodes a picture into `rows · columns` values in HU (PS3.3 section C.11.1). Padding and what is less than air
/// become air where `is_hounsfield`.
pub(super) fn decode(file: &Part10, layout: &PixelLayout, is_hounsfield: bool) -> Result<Vec<i16>, FileError> {
    let pixels = layout.rows as usize * layout.columns as usize;
    let bytes_each = usize::from(layout.bits_allocated / 8);
    match &file.pixels {
        None => Err(FileError::Pixels("there are none".into())),
        Some(PixelBytes::Broken(what)) => Err(FileError::Pixels((*what).into())),
        // Under a syntax that nobody knows the bytes may mean anything: they are not guessed at.
        Some(PixelBytes::Native(_)) if !is_native(&file.transfer_syntax) => {
            Err(FileError::TransferSyntax(CleanText::new(&file.transfer_syntax).to_string()))
        }
        Some(PixelBytes::Native(range)) => {
            let bytes = &file.data[range.clone()];
            if bytes.len() < pixels * bytes_each {
                let needed = pixels * bytes_each;
                return Err(FileError::Pixels(format!("cut off: {} bytes of {needed}", bytes.len())));
            }
            Ok(hounsfield(&bytes[..pixels * bytes_each], layout, file.encoding.big_endian, is_hounsfield))
        }
        Some(PixelBytes::Fragments(fragments)) => {
            let stream: Vec<u8> = fragments.iter().flat_map(|range| &file.data[range.clone()]).copied().collect();
            let bytes = codecs::decode_frame(&stream, &file.transfer_syntax, layout)?;
            if bytes.len() < pixels * bytes_each {
                return Err(FileError::Pixels("the compressed picture is smaller than the header says".into()));
            }
            Ok(hounsfield(&bytes[..pixels * bytes_each], layout, false, is_hounsfield))
        }
    }
}

/// Samples to Hounsfield units: bits beyond BitsStored are cut off, the sign extended, padding becomes air.
fn hounsfield(bytes: &[u8], layout: &PixelLayout, big_endian: bool, is_hounsfield: bool) -> Vec<i16> {
    let shift = layout.high_bit + 1 - layout.bits_stored;
    let mask = (1_u32 << layout.bits_stored) - 1;
    let sign = 1_u32 << (layout.bits_stored - 1);
    let value = |raw: u16| -> i32 {
        let stored = (u32::from(raw) >> shift) & mask;
        if layout.signed && stored & sign != 0 { (stored | !mask).cast_signed() } else { stored.cast_signed() }
    };
    let convert = |raw: u16| -> i16 {
        let stored = value(raw);
        if layout.padding.is_some_and(|(low, high)| (low..=high).contains(&stored)) {
            return if is_hounsfield { Volume::AIR } else { 0 };
        }
        let converted = layout.lut.hounsfield(stored);
        if is_hounsfield { converted.max(Volume::AIR) } else { converted }
    };
    if layout.bits_allocated == 8 {
        bytes.iter().map(|&byte| convert(u16::from(byte))).collect()
    } else {
        let join = if big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
        bytes.chunks_exact(2).map(|pair| convert(join([pair[0], pair[1]]))).collect()
    }
}
