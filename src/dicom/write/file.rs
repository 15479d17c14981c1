//! What every written file has in common.

use super::source::Sources;
use crate::dicom::load::LoadError;
use crate::dicom::part10::FileError;
use crate::domain::{SensitiveText, Stamp};
use crate::results::Written;
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use sha2::{Digest, Sha256};

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The number of voxels is not rows · columns.
    #[error("{voxels} voxels do not fill {rows} × {columns}")]
    Shape {
        /// Voxels given.
        voxels: usize,
        /// Rows.
        rows: u16,
        /// Columns.
        columns: u16,
    },
    /// The file could not be written.
    #[error("the DICOM file could not be written: {0}")]
    File(String),
    /// A picture of the study that is referred to cannot be read.
    #[error("an image of the study cannot be read: {0}; DICOM results need the study's files where they were")]
    Source(#[from] FileError),
    /// Nothing in the study says whose it is.
    #[error("the study's files give no StudyInstanceUID: a DICOM result would belong to no study; use another format")]
    NoStudy,
    /// The slices of a key image cannot be loaded.
    #[error("a key image cannot be drawn: {0}")]
    Load(#[from] LoadError),
    /// An identifier that may contain a name.
    #[error(
        "the study's files have identifiers that are no valid UIDs and may name the patient: no anonymous DICOM result is \
         written; use another format"
    )]
    NoAnonymousUid,
    /// A key image whose slice is not in the study any more.
    #[error("key image {0} is not in the study's files any more")]
    NoKeyImage(u64),
}

impl WriteError {
    /// The reason as a message whose reader is not known yet: paths and values of files are private parts.
    #[must_use]
    pub fn told(&self) -> SensitiveText {
        match self {
            Self::File(text) => {
                SensitiveText::plain("the DICOM file could not be written: ").then(SensitiveText::foreign(text))
            }
            Self::Source(reason) => SensitiveText::plain("an image of the study cannot be read: ")
                .then(reason.told())
                .words("; DICOM results need the study's files where they were"),
            Self::Load(error) => SensitiveText::plain("a key image cannot be drawn: ").then(error.told()),
            Self::Shape { .. } | Self::NoStudy | Self::NoAnonymousUid | Self::NoKeyImage(_) => {
                SensitiveText::plain(self.to_string())
            }
        }
    }
}

/// A file that is ready to be kept.
#[derive(Debug, Clone)]
pub struct DicomFile {
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// The Part 10 file, Explicit VR Little Endian.
    pub bytes: Vec<u8>,
}

/// A DICOM object being put together.
pub(super) struct Object(pub(super) InMemDicomObject);

impl Object {
    pub(super) fn new() -> Self {
        Self(InMemDicomObject::new_empty())
    }

    /// A value written as text.
    pub(super) fn text(&mut self, tag: Tag, vr: VR, text: impl Into<String>) -> &mut Self {
        self.0.put(DataElement::new(tag, vr, PrimitiveValue::from(text.into())));
        self
    }

    /// A value of 16 bits.
    pub(super) fn number(&mut self, tag: Tag, number: u16) -> &mut Self {
        self.0.put(DataElement::new(tag, VR::US, PrimitiveValue::from(number)));
        self
    }

    /// Values of single precision.
    pub(super) fn floats(&mut self, tag: Tag, values: impl IntoIterator<Item = f32>) -> &mut Self {
        self.0.put(DataElement::new(tag, VR::FL, PrimitiveValue::F32(values.into_iter().collect())));
        self
    }

    /// A sequence of items.
    pub(super) fn sequence(&mut self, tag: Tag, items: impl IntoIterator<Item = Self>) -> &mut Self {
        let items: Vec<InMemDicomObject> = items.into_iter().map(|item| item.0).collect();
        self.0.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
        self
    }
}

/// What a file is.
pub(super) struct Kind {
    /// SOPClassUID.
    pub(super) class: &'static str,
    /// Modality.
    pub(super) modality: &'static str,
    /// SeriesDescription.
    pub(super) series: &'static str,
    /// SeriesNumber: high, so that it comes after the scanner's own.
    pub(super) series_number: u32,
}

/// A file with the modules that all have: patient, study, series, equipment, SOP common (PS3.3 sections C.7.1 to C.7.5, C.12.1).
/// Patient and study are as in the source's files.
pub(super) fn begun(kind: &Kind, sources: &Sources, instance: &str, number: usize, written: Written) -> Object {
    let mut object = Object::new();
    let (date, time) = date_and_time(written.at);
    object.text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192");
    for (tag, vr, value) in sources.identity() {
        object.text(*tag, *vr, value.clone());
    }
    object
        .text(tags::SOP_CLASS_UID, VR::UI, kind.class)
        .text(tags::SOP_INSTANCE_UID, VR::UI, instance)
        .text(tags::INSTANCE_CREATION_DATE, VR::DA, date.clone())
        .text(tags::INSTANCE_CREATION_TIME, VR::TM, time.clone())
        .text(tags::TIMEZONE_OFFSET_FROM_UTC, VR::SH, written.at.dicom_offset())
        .text(tags::MODALITY, VR::CS, kind.modality)
        .text(tags::SERIES_INSTANCE_UID, VR::UI, made_uid(&["series", kind.class, sources.study_uid()]))
        .text(tags::SERIES_NUMBER, VR::IS, kind.series_number.to_string())
        .text(tags::SERIES_DESCRIPTION, VR::LO, kind.series)
        .text(tags::SERIES_DATE, VR::DA, date.clone())
        .text(tags::SERIES_TIME, VR::TM, time.clone())
        .text(tags::INSTANCE_NUMBER, VR::IS, number.to_string())
        .text(tags::CONTENT_DATE, VR::DA, date)
        .text(tags::CONTENT_TIME, VR::TM, time)
        .text(tags::MANUFACTURER, VR::LO, "cspine")
        .text(tags::MANUFACTURER_MODEL_NAME, VR::LO, "cspine")
        .text(tags::SOFTWARE_VERSIONS, VR::LO, written.version);
    object
}

/// The Part 10 file of a finished object.
pub(super) fn finished(object: Object, class: &str, instance: &str) -> Result<DicomFile, WriteError> {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(class)
        .media_storage_sop_instance_uid(instance);
    let file = object.0.with_meta(meta).map_err(|error| WriteError::File(error.to_string()))?;
    let mut bytes = Vec::new();
    file.write_all(&mut bytes).map_err(|error| WriteError::File(error.to_string()))?;
    Ok(DicomFile { sop_instance_uid: instance.to_owned(), bytes })
}

/// A UID that is always the same for the same parts and never for others: a UUID of version 8 (RFC 9562 section 5.8) made of their
/// SHA-256, below 2.25 (PS3.5 section B.2).
pub(super) fn made_uid(parts: &[&str]) -> String {
    let mut hash = Sha256::new_with_prefix("cspine");
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut uuid = [0; 16];
    uuid.copy_from_slice(&digest[..16]);
    uuid[6] = uuid[6] & 0x0F | 0x80;
    uuid[8] = uuid[8] & 0x3F | 0x80;
    format!("2.25.{}", u128::from_be_bytes(uuid))
}

/// DA and TM of a moment by the local clock.
pub(super) fn date_and_time(at: Stamp) -> (String, String) {
    let civil = at.civil();
    (
        format!("{:04}{:02}{:02}", civil.year(), civil.month(), civil.day()),
        format!("{:02}{:02}{:02}", civil.hour(), civil.minute(), civil.second()),
    )
}

/// A DS value: at most 16 characters (PS3.5 section 6.2).
pub(super) fn decimal(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".into() } else { text.chars().take(16).collect() }
}
