//! Everything that knows DICOM: scanning, headers, repair, codecs, volumes. The only user of dicom-rs.
