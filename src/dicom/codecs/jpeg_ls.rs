//! JPEG-LS (ITU-T T.87), lossless and near-lossless, of one component.

use super::{Fault, Shape};

/// Decodes a stream into `rows · columns` samples.
pub(super) fn decode(stream: &[u8], shape: Shape) -> Result<Vec<u16>, Fault> {
    let frame = frame_header(stream)?;
    let &[precision, a, b, c, d, components, ..] = frame else { return Err(Fault::Cut) };
    let (rows, columns) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    shape.check(rows.into(), columns.into(), components.into(), precision)?;
    match jpegls::decode(stream, shape.columns, shape.rows) {
        Ok((samples, ..)) => Ok(samples),
        Err(jpegls::CodecError::Truncated { .. }) => Err(Fault::Cut),
        Err(error) => Err(Fault::Decoder(error.to_string())),
    }
}

/// What the segment SOF55 holds (T.87 C.2.2): the decoder would allocate what it claims.
fn frame_header(stream: &[u8]) -> Result<&[u8], Fault> {
    if !stream.starts_with(&[0xFF, 0xD8]) {
        return Err(Fault::Damaged("it does not begin as JPEG-LS does"));
    }
    let mut at = 2;
    loop {
        let &[0xFF, marker, high, low] = stream.get(at..at + 4).ok_or(Fault::Cut)? else {
            return Err(Fault::Damaged("a marker is missing"));
        };
        let end = at + 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
        match marker {
            0xF7 => return stream.get(at + 4..end).ok_or(Fault::Cut),
            0xC0..=0xC3 => return Err(Fault::Unsupported("JPEG under the name of JPEG-LS")),
            0xDA | 0xD9 => return Err(Fault::Damaged("it has no frame header")),
            _ => at = end,
        }
    }
}
