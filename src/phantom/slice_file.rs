//! A phantom's slice as a DICOM file.

use super::recipe::Preset;
use super::write::PhantomSlice;
use crate::dicom::{CtSlice, HeaderStyle, write_ct_slice};
use crate::domain::Sex;
use std::path::Path;

/// Writes a phantom's slice as DICOM.
///
/// # Errors
/// What went wrong, as text.
pub fn write_slice(path: &Path, slice: &PhantomSlice<'_>) -> Result<(), String> {
    let size = |n: usize| u16::try_from(n).map_err(|_| format!("{n} rows or columns are too many for DICOM"));
    let number = i32::try_from(slice.instance_number).map_err(|_| "too many slices".to_owned())?;
    let sex = match slice.patient.sex {
        Sex::Female => "F",
        Sex::Male => "M",
        Sex::Other => "O",
    };
    let written = write_ct_slice(
        path,
        &CtSlice {
            study_uid: slice.study_uid,
            series_uid: slice.series_uid,
            sop_instance_uid: slice.instance_uid,
            frame_of_reference_uid: slice.frame_uid,
            // The RSNA set names patients by their number.
            patient_name: match slice.preset {
                Preset::Rsna => &slice.patient.id,
                Preset::Queue => &slice.patient.name,
            },
            patient_id: &slice.patient.id,
            patient_sex: sex,
            patient_age: &format!("{:03}Y", slice.patient.age_years),
            study_date: slice.date,
            study_time: slice.time,
            study_description: slice.description,
            series_description: "synthetic neck",
            kernel: slice.kernel.name(),
            body_part: "CSPINE",
            instance_number: number,
            rows: size(slice.rows)?,
            columns: size(slice.columns)?,
            voxels: slice.voxels,
            intercept: slice.intercept,
            style: match slice.preset {
                Preset::Rsna => HeaderStyle::Sparse,
                Preset::Queue => HeaderStyle::Clinical,
            },
            pixel_spacing: [slice.pixel_mm, slice.pixel_mm],
            slice_thickness: slice.thickness_mm,
            position: slice.position.to_array(),
            orientation: [1.0, 0.0, 0.0, slice.down[0], slice.down[1], slice.down[2]],
        },
    );
    written.map_err(|error| error.to_string())
}
