//! Key images as Secondary Capture (PS3.3 section A.8.1): the picture as the reader saw it.

use super::code;
use super::content::reference;
use super::file::{DicomFile, Kind, WriteError, begun, finished, made_uid};
use super::source::Sources;
use crate::domain::KeyImage;
use crate::results::Written;
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use sha2::{Digest, Sha256};

const KIND: Kind = Kind {
    class: uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
    // What a workstation makes is of no modality; "CT" would promise Hounsfield units.
    modality: "OT",
    series: "cspine: key images (research use only)",
    series_number: 9802,
};

/// Pixels of a captured picture, row by row.
#[derive(Debug, Clone, Copy)]
pub enum CapturedPixels<'p> {
    /// One byte per pixel, 0 black.
    Grey(&'p [u8]),
    /// Three bytes per pixel: red, green, blue.
    Rgb(&'p [u8]),
}

/// A key image that was drawn.
#[derive(Debug, Clone, Copy)]
pub struct Capture<'p> {
    /// Which key image.
    pub image: &'p KeyImage,
    /// Which of the study's key images, from 1: becomes InstanceNumber.
    pub number: usize,
    /// Width in pixels.
    pub columns: u16,
    /// Height in pixels.
    pub rows: u16,
    /// The pixels.
    pub pixels: CapturedPixels<'p>,
    /// What is to be said of the picture: plane, slice and window.
    pub description: &'p str,
}

/// A key image's file. What is drawn into the picture (figures with their numbers) identifies nobody: BurnedInAnnotation is NO.
///
/// # Errors
/// Pixels that do not fill the picture, or a key image that is not in the study.
pub fn secondary_capture(capture: &Capture<'_>, sources: &Sources, written: Written) -> Result<DicomFile, WriteError> {
    let Capture { rows, columns, .. } = *capture;
    let (bytes, samples, photometric) = match capture.pixels {
        CapturedPixels::Grey(bytes) => (bytes, 1, "MONOCHROME2"),
        CapturedPixels::Rgb(bytes) => (bytes, 3, "RGB"),
    };
    if bytes.len() != usize::from(rows) * usize::from(columns) * usize::from(samples) {
        return Err(WriteError::Shape { voxels: bytes.len(), rows, columns });
    }
    let source = sources.key_image(capture.image).ok_or(WriteError::NoKeyImage(capture.image.id))?;
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let moment = written.at.utc_ms.to_string();
    let instance = made_uid(&["capture", sources.study_uid(), &capture.number.to_string(), &moment, &digest]);
    let mut object = begun(&KIND, sources, &instance, capture.number, written);
    let (date, time) = super::file::date_and_time(written.at);
    let mut reference = reference(source, true);
    reference.sequence(tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE, [code::SOURCE_IMAGE.item()]);
    object
        .text(tags::CONVERSION_TYPE, VR::CS, "WSD")
        .text(tags::DATE_OF_SECONDARY_CAPTURE, VR::DA, date)
        .text(tags::TIME_OF_SECONDARY_CAPTURE, VR::TM, time)
        .text(tags::BODY_PART_EXAMINED, VR::CS, "CSPINE")
        .text(tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY")
        .text(tags::PATIENT_ORIENTATION, VR::CS, "")
        .text(tags::BURNED_IN_ANNOTATION, VR::CS, "NO")
        .text(tags::DERIVATION_DESCRIPTION, VR::ST, capture.description)
        .sequence(tags::SOURCE_IMAGE_SEQUENCE, [reference]);
    if !capture.image.comment.is_empty() {
        object.text(tags::IMAGE_COMMENTS, VR::LT, capture.image.comment.clone());
    }
    if source.lossy.is_empty() {
        object.text(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00");
    }
    for (tag, vr, value) in &source.lossy {
        object.text(*tag, *vr, value.clone());
    }
    object.text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric);
    if samples == 1 {
        object.text(tags::PRESENTATION_LUT_SHAPE, VR::CS, "IDENTITY");
    } else {
        object.number(tags::PLANAR_CONFIGURATION, 0);
    }
    object
        .number(tags::SAMPLES_PER_PIXEL, samples)
        .number(tags::ROWS, rows)
        .number(tags::COLUMNS, columns)
        .number(tags::BITS_ALLOCATED, 8)
        .number(tags::BITS_STORED, 8)
        .number(tags::HIGH_BIT, 7)
        .number(tags::PIXEL_REPRESENTATION, 0);
    let mut padded = bytes.to_vec();
    if padded.len() % 2 == 1 {
        padded.push(0);
    }
    object.0.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(padded.into())));
    finished(object, KIND.class, &instance)
}
