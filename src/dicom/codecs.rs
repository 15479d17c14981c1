//! Compressed pixels: the one place where a code stream becomes samples.

use super::header::PixelLayout;
use super::part10::FileError;
use crate::domain::CleanText;
use dicom_core::value::{C, PixelFragmentSequence};
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_encoding::transfer_syntax::TransferSyntaxIndex;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dicom_pixeldata::PixelDecoder;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Decodes one frame's code stream to little-endian samples.
pub(super) fn decode_frame(stream: &[u8], syntax: &str, layout: &PixelLayout) -> Result<Vec<u8>, FileError> {
    let known = TransferSyntaxRegistry.get(syntax).is_some_and(|syntax| syntax.can_decode_all());
    if !known {
        return Err(FileError::TransferSyntax(CleanText::new(syntax).to_string()));
    }
    let mut object = InMemDicomObject::new_empty();
    let numbers = [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, layout.rows as u16),
        (tags::COLUMNS, layout.columns as u16),
        (tags::BITS_ALLOCATED, layout.bits_allocated),
        (tags::BITS_STORED, layout.bits_stored),
        (tags::HIGH_BIT, layout.high_bit),
        (tags::PIXEL_REPRESENTATION, u16::from(layout.signed)),
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
    let object = object.with_meta(meta).map_err(|error| FileError::Pixels(error.to_string()))?;
    // The decoders are many and read what strangers wrote: a panic in one costs a slice, not the program.
    let decoded = catch_unwind(AssertUnwindSafe(|| object.decode_pixel_data().map(|pixels| pixels.data().to_vec())));
    match decoded {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(inner) = cause {
                text = inner.to_string();
                cause = inner.source();
            }
            Err(FileError::Pixels(format!("the compressed picture cannot be decoded: {}", CleanText::new(&text))))
        }
        Err(_) => Err(FileError::Pixels("the decoder stumbled over the compressed picture".into())),
    }
}
