//! Compressed pixels: the one place where a code stream becomes samples. Whatever the decoder, the size that the stream claims is
//! checked against the header before anything is allocated for it.

mod jpeg;
mod jpeg_2000;
mod jpeg_ls;
mod jpeg_xl;
#[cfg(test)]
mod matrix_tests;
mod rle;
#[cfg(test)]
mod tests;

use super::header::PixelLayout;
use super::part10::FileError;
use crate::domain::CleanText;
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What decodes a transfer syntax (PS3.5 section A.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Rle,
    Jpeg,
    JpegLs,
    Jpeg2000,
    JpegXl,
}

impl Codec {
    /// The codec of a transfer syntax; `None` where there is none.
    fn of(syntax: &str) -> Option<Self> {
        let number: u16 = match syntax.strip_prefix("1.2.840.10008.1.2.") {
            Some("5") => return Some(Self::Rle),
            Some(rest) => rest.strip_prefix("4.")?.parse().ok()?,
            None => return None,
        };
        match number {
            // Baseline, extended, spectral selection, full progression, lossless; the syntaxes between them, all retired, use
            // arithmetic coding.
            50 | 51 | 53 | 55 | 57 | 70 => Some(Self::Jpeg),
            80 | 81 => Some(Self::JpegLs),
            90 | 91 | 201..=203 => Some(Self::Jpeg2000),
            110..=112 => Some(Self::JpegXl),
            _ => None,
        }
    }
}

/// Whether there is a codec for a transfer syntax.
pub(super) fn can_decode(syntax: &str) -> bool {
    Codec::of(syntax).is_some()
}

/// Why a code stream gives no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("the code stream is cut off; copy the file again from its source")]
    Cut,
    #[error("the code stream is damaged: {0}; copy the file again from its source")]
    Damaged(&'static str),
    #[error("the code stream cannot be decoded: {0}; copy the file again from its source")]
    Decoder(String),
    #[error("the code stream contradicts the header: {0}; export the study again")]
    Contradiction(String),
    #[error("{0} cannot be decoded; convert the file to Explicit VR Little Endian, for example with `gdcmconv --raw`")]
    Unsupported(&'static str),
}

/// The header's word on one frame, which a code stream must keep.
#[derive(Debug, Clone, Copy)]
struct Shape {
    rows: u32,
    columns: u32,
    /// 8 or 16.
    bits_allocated: u16,
}

impl Shape {
    fn pixels(self) -> usize {
        self.rows as usize * self.columns as usize
    }

    /// Compares what a stream claims. Fewer bits than allocated are usual.
    fn check(self, rows: u32, columns: u32, components: u32, precision: u8) -> Result<(), Fault> {
        if components != 1 {
            return Err(Fault::Contradiction(format!(
                "it is in color ({components} components), the header says gray"
            )));
        }
        if (rows, columns) != (self.rows, self.columns) {
            return Err(Fault::Contradiction(format!(
                "{columns} × {rows} pixels, the header says {} × {}",
                self.columns, self.rows
            )));
        }
        if precision == 0 || u16::from(precision) > self.bits_allocated {
            return Err(Fault::Contradiction(format!(
                "{precision} bits a sample, the header has room for {}",
                self.bits_allocated
            )));
        }
        Ok(())
    }
}

/// Decodes the code stream of one frame of one sample per pixel to little-endian samples of `bits_allocated`, `rows · columns` of
/// them. Bits above `bits_stored` are as the stream has them.
///
/// # Errors
/// When nothing decodes the transfer syntax, or the stream is damaged, cut off, or not what the header says.
pub(super) fn decode_frame(stream: &[u8], syntax: &str, layout: &PixelLayout) -> Result<Vec<u8>, FileError> {
    let codec = Codec::of(syntax).ok_or_else(|| FileError::TransferSyntax(name(syntax)))?;
    let shape = Shape { rows: layout.rows, columns: layout.columns, bits_allocated: layout.bits_allocated };
    let decode = || match codec {
        Codec::Rle => rle::decode(stream, shape),
        Codec::Jpeg => jpeg::decode(stream, shape),
        Codec::JpegLs => jpeg_ls::decode(stream, shape),
        Codec::Jpeg2000 => jpeg_2000::decode(stream, shape, syntax),
        Codec::JpegXl => jpeg_xl::decode(stream, shape),
    };
    // Some decoders are others' and read what strangers wrote: a panic in one costs a slice, not the program.
    let samples = catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or(Err(Fault::Damaged("internal error of the decoder")))
        .and_then(|samples| if samples.len() == shape.pixels() { Ok(samples) } else { Err(Fault::Cut) })
        .map_err(|fault| FileError::Pixels(CleanText::new(&fault.to_string()).to_string()))?;
    Ok(if shape.bits_allocated == 8 {
        samples.into_iter().map(|sample| sample as u8).collect()
    } else {
        samples.into_iter().flat_map(u16::to_le_bytes).collect()
    })
}

/// A transfer syntax as it is shown: the standard's name, where it has one, and the UID.
pub(super) fn name(syntax: &str) -> String {
    let uid = CleanText::new(syntax);
    match TransferSyntaxRegistry.get(syntax) {
        Some(known) => format!("{} ({uid})", known.name()),
        None if uid.is_empty() => "(none given)".to_owned(),
        None => uid.to_string(),
    }
}
