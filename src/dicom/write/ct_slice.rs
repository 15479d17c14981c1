//! CT slices: for the phantom, and for tests that must make their own files.

use super::file::{WriteError, decimal};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use std::path::Path;

/// How much a file's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeaderStyle {
    /// What an ordinary clinical header says.
    Clinical,
    /// Only what the files of the RSNA 2022 cervical spine set say: no sex, no age, no description, no kernel, no
    /// modality.
    Sparse,
}

impl HeaderStyle {
    fn has(self, tag: Tag) -> bool {
        const SPARSE: [Tag; 12] = [
            tags::SOP_INSTANCE_UID,
            tags::PATIENT_NAME,
            tags::PATIENT_ID,
            tags::SLICE_THICKNESS,
            tags::STUDY_INSTANCE_UID,
            tags::SERIES_INSTANCE_UID,
            tags::INSTANCE_NUMBER,
            tags::IMAGE_POSITION_PATIENT,
            tags::IMAGE_ORIENTATION_PATIENT,
            tags::PIXEL_SPACING,
            tags::RESCALE_INTERCEPT,
            tags::RESCALE_SLOPE,
        ];
        self == Self::Clinical || SPARSE.contains(&tag)
    }
}

/// One CT slice to be written as an Explicit VR Little Endian Part 10 file of the CT Image class (PS3.3 section A.3).
#[derive(Debug, Clone)]
pub struct CtSlice<'p> {
    /// StudyInstanceUID.
    pub study_uid: &'p str,
    /// SeriesInstanceUID.
    pub series_uid: &'p str,
    /// SOPInstanceUID.
    pub sop_instance_uid: &'p str,
    /// FrameOfReferenceUID.
    pub frame_of_reference_uid: &'p str,
    /// PatientName, DICOM form (`FAMILY^Given`).
    pub patient_name: &'p str,
    /// PatientID.
    pub patient_id: &'p str,
    /// PatientSex, `F`, `M` or `O`.
    pub patient_sex: &'p str,
    /// PatientAge, as `062Y`.
    pub patient_age: &'p str,
    /// StudyDate, `YYYYMMDD`.
    pub study_date: &'p str,
    /// StudyTime, `HHMMSS`.
    pub study_time: &'p str,
    /// StudyDescription.
    pub study_description: &'p str,
    /// SeriesDescription.
    pub series_description: &'p str,
    /// ConvolutionKernel.
    pub kernel: &'p str,
    /// BodyPartExamined.
    pub body_part: &'p str,
    /// InstanceNumber.
    pub instance_number: i32,
    /// Rows.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
    /// HU, row by row.
    pub voxels: &'p [i16],
    /// RescaleIntercept: what stands in the file is the HU less this.
    pub intercept: i16,
    /// How much the header says.
    pub style: HeaderStyle,
    /// PixelSpacing `[row, column]`, mm.
    pub pixel_spacing: [f64; 2],
    /// SliceThickness, mm.
    pub slice_thickness: f64,
    /// ImagePositionPatient, LPS mm.
    pub position: [f64; 3],
    /// ImageOrientationPatient.
    pub orientation: [f64; 6],
}

/// Writes a slice to `path`.
///
/// # Errors
/// A wrong number of voxels, or a file that cannot be written.
pub fn write_ct_slice(path: &Path, slice: &CtSlice<'_>) -> Result<(), WriteError> {
    if slice.voxels.len() != usize::from(slice.rows) * usize::from(slice.columns) {
        return Err(WriteError::Shape { voxels: slice.voxels.len(), rows: slice.rows, columns: slice.columns });
    }
    let mut object = InMemDicomObject::new_empty();
    let decimals = |values: &[f64]| values.iter().map(|value| decimal(*value)).collect::<Vec<_>>().join("\\");
    let texts: [(Tag, VR, String); 34] = [
        (tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192".into()),
        (tags::IMAGE_TYPE, VR::CS, "DERIVED\\PRIMARY\\AXIAL".into()),
        (tags::SOP_CLASS_UID, VR::UI, uids::CT_IMAGE_STORAGE.into()),
        (tags::SOP_INSTANCE_UID, VR::UI, slice.sop_instance_uid.into()),
        (tags::STUDY_DATE, VR::DA, slice.study_date.into()),
        (tags::STUDY_TIME, VR::TM, slice.study_time.into()),
        (tags::ACCESSION_NUMBER, VR::SH, String::new()),
        (tags::MODALITY, VR::CS, "CT".into()),
        (tags::MANUFACTURER, VR::LO, "cspine phantom".into()),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN, String::new()),
        (tags::STUDY_DESCRIPTION, VR::LO, slice.study_description.into()),
        (tags::SERIES_DESCRIPTION, VR::LO, slice.series_description.into()),
        (tags::PATIENT_NAME, VR::PN, slice.patient_name.into()),
        (tags::PATIENT_ID, VR::LO, slice.patient_id.into()),
        (tags::PATIENT_BIRTH_DATE, VR::DA, String::new()),
        (tags::PATIENT_SEX, VR::CS, slice.patient_sex.into()),
        (tags::PATIENT_AGE, VR::AS, slice.patient_age.into()),
        (tags::BODY_PART_EXAMINED, VR::CS, slice.body_part.into()),
        (tags::SLICE_THICKNESS, VR::DS, decimal(slice.slice_thickness)),
        (tags::KVP, VR::DS, "120".into()),
        (tags::CONVOLUTION_KERNEL, VR::SH, slice.kernel.into()),
        (tags::PATIENT_POSITION, VR::CS, "HFS".into()),
        (tags::STUDY_INSTANCE_UID, VR::UI, slice.study_uid.into()),
        (tags::SERIES_INSTANCE_UID, VR::UI, slice.series_uid.into()),
        (tags::STUDY_ID, VR::SH, "1".into()),
        (tags::SERIES_NUMBER, VR::IS, "1".into()),
        (tags::INSTANCE_NUMBER, VR::IS, slice.instance_number.to_string()),
        (tags::IMAGE_POSITION_PATIENT, VR::DS, decimals(&slice.position)),
        (tags::IMAGE_ORIENTATION_PATIENT, VR::DS, decimals(&slice.orientation)),
        (tags::FRAME_OF_REFERENCE_UID, VR::UI, slice.frame_of_reference_uid.into()),
        (tags::PIXEL_SPACING, VR::DS, decimals(&slice.pixel_spacing)),
        (tags::RESCALE_INTERCEPT, VR::DS, slice.intercept.to_string()),
        (tags::RESCALE_SLOPE, VR::DS, "1".into()),
        (tags::RESCALE_TYPE, VR::LO, "HU".into()),
    ];
    for (tag, vr, text) in texts.into_iter().filter(|(tag, ..)| slice.style.has(*tag)) {
        object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
    }
    if slice.style == HeaderStyle::Sparse {
        for (tag, vr, text) in [
            (tags::CONTENT_DATE, VR::DA, slice.study_date),
            (tags::CONTENT_TIME, VR::TM, slice.study_time),
            (tags::WINDOW_CENTER, VR::DS, "500"),
            (tags::WINDOW_WIDTH, VR::DS, "2000"),
        ] {
            object.put(DataElement::new(tag, vr, PrimitiveValue::from(text)));
        }
    }
    object.put(DataElement::new(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, PrimitiveValue::from("MONOCHROME2")));
    let numbers = [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, slice.rows),
        (tags::COLUMNS, slice.columns),
        (tags::BITS_ALLOCATED, 16),
        (tags::BITS_STORED, 16),
        (tags::HIGH_BIT, 15),
        (tags::PIXEL_REPRESENTATION, 1),
    ];
    for (tag, number) in numbers {
        object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(number)));
    }
    let stored: Vec<u16> = slice.voxels.iter().map(|hu| hu.saturating_sub(slice.intercept).cast_unsigned()).collect();
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(stored.into())));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::CT_IMAGE_STORAGE)
        .media_storage_sop_instance_uid(slice.sop_instance_uid);
    let object = object.with_meta(meta).map_err(|error| WriteError::File(error.to_string()))?;
    object.write_to_file(path).map_err(|error| WriteError::File(error.to_string()))
}
