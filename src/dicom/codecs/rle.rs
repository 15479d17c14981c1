//! RLE Lossless (PS3.5 annex G) of one sample per pixel: the bytes of all samples, highest first, each in a segment of PackBits.

use super::{Fault, Shape};

/// Bytes of the header: the number of segments and up to 15 offsets.
const HEADER: usize = 64;

/// Decodes a stream into `rows · columns` samples.
pub(super) fn decode(stream: &[u8], shape: Shape) -> Result<Vec<u16>, Fault> {
    let header = stream.get(..HEADER).ok_or(Fault::Cut)?;
    let number = |index: usize| {
        let bytes = &header[index * 4..index * 4 + 4];
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize
    };
    let segments = number(0);
    let expected = usize::from(shape.bits_allocated / 8);
    if segments != expected {
        return Err(Fault::Contradiction(format!(
            "{segments} bytes a pixel in the code stream, {expected} in the header"
        )));
    }
    let mut samples = vec![0_u16; shape.pixels()];
    for segment in 1..=segments {
        let end = if segment < segments { number(segment + 1) } else { stream.len() };
        let bytes = stream.get(number(segment)..end).filter(|_| number(segment) >= HEADER).ok_or(Fault::Cut)?;
        unpack(bytes, &mut samples)?;
    }
    Ok(samples)
}

/// Unpacks one segment (PS3.5 section G.3.2), pushing its bytes into the samples from below.
fn unpack(mut bytes: &[u8], samples: &mut [u16]) -> Result<(), Fault> {
    let mut at = 0;
    while at < samples.len() {
        let (&control, after) = bytes.split_first().ok_or(Fault::Cut)?;
        let control = control.cast_signed();
        // -128 means nothing.
        if control == -128 {
            bytes = after;
            continue;
        }
        let length = (usize::from(control.unsigned_abs()) + 1).min(samples.len() - at);
        let run = &mut samples[at..at + length];
        at += length;
        if control >= 0 {
            let (literal, after) = after.split_at_checked(length).ok_or(Fault::Cut)?;
            run.iter_mut().zip(literal).for_each(|(sample, &byte)| *sample = *sample << 8 | u16::from(byte));
            bytes = after;
        } else {
            let (&byte, after) = after.split_first().ok_or(Fault::Cut)?;
            run.iter_mut().for_each(|sample| *sample = *sample << 8 | u16::from(byte));
            bytes = after;
        }
    }
    Ok(())
}
