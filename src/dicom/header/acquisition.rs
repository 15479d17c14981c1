//! What distinguishes one acquisition or reconstruction from another within a series.

use crate::dicom::elements::Elements;
use crate::dicom::number;
use crate::domain::{CleanText, Uid};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

/// Elements that tell scans and reconstructions apart (PS3.3 sections C.7.3.1, C.7.6.16.2.2, C.8.2.1). Frames of an Enhanced
/// CT image take them from their functional groups.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::dicom) struct Acquisition {
    /// AcquisitionNumber or FrameAcquisitionNumber.
    pub(in crate::dicom) number: Option<i32>,
    /// TemporalPositionIndex or TemporalPositionIdentifier.
    pub(in crate::dicom) temporal_position: Option<i32>,
    /// IrradiationEventUID.
    pub(in crate::dicom) irradiation_event: Option<Uid>,
    /// AcquisitionDateTime, or AcquisitionDate and AcquisitionTime, to the second.
    pub(in crate::dicom) time: CleanText,
    /// KVP in tenths of a kV.
    pub(in crate::dicom) tenth_kv: Option<i32>,
    /// ReconstructionDiameter in tenths of a mm.
    pub(in crate::dicom) tenth_mm_diameter: Option<i32>,
    /// ContrastBolusAgent and its phase.
    pub(in crate::dicom) contrast: CleanText,
    /// StackID.
    pub(in crate::dicom) stack: CleanText,
    /// FrameType, else ImageType.
    pub(in crate::dicom) image_type: CleanText,
    /// ConvolutionKernel, all its values.
    pub(in crate::dicom) kernel: CleanText,
    /// RescaleType.
    pub(in crate::dicom) rescale_type: CleanText,
}

/// ContrastBolusAgentPhase, in a standard extension of 2017 and in private data copied to it.
const CONTRAST_PHASE: Tag = Tag(0x0018, 0x9344);

impl Acquisition {
    /// Reads the elements; what is not a number is absent.
    pub(super) fn of(elements: &Elements<'_>) -> Self {
        let text = |tag| CleanText::new(&elements.text(tag));
        // These numbers decide nothing but equality: a value that is not a number is no reason for a warning.
        let tenths = |tag| {
            let first = elements.text(tag).split('\\').next().and_then(number::decimal)?;
            (first.abs() < 1e6).then(|| (first * 10.0).round() as i32)
        };
        let integer = |tag| elements.present(tag).then(|| elements.text(tag)).and_then(|text| number::integer(&text));
        let first = |tags: [Tag; 2]| tags.into_iter().find_map(integer);
        let event = elements.text(tags::IRRADIATION_EVENT_UID);
        let event = Uid::from_file(event.split('\\').next().unwrap_or_default());
        let joined = |tags: [Tag; 2]| tags.map(|tag| elements.text(tag)).join(" ").trim().to_owned();
        let moment = elements.text(tags::ACQUISITION_DATE_TIME);
        let moment = match moment.is_empty() {
            true => joined([tags::ACQUISITION_DATE, tags::ACQUISITION_TIME]),
            false => moment,
        };
        let frame_type = text(tags::FRAME_TYPE);
        Self {
            number: first([tags::FRAME_ACQUISITION_NUMBER, tags::ACQUISITION_NUMBER]),
            temporal_position: first([tags::TEMPORAL_POSITION_INDEX, tags::TEMPORAL_POSITION_IDENTIFIER]),
            irradiation_event: event.is_valid().then_some(event),
            time: CleanText::new(moment.split('.').next().unwrap_or_default()),
            tenth_kv: tenths(tags::KVP),
            tenth_mm_diameter: tenths(tags::RECONSTRUCTION_DIAMETER),
            contrast: CleanText::new(&joined([tags::CONTRAST_BOLUS_AGENT, CONTRAST_PHASE])),
            stack: text(tags::STACK_ID),
            image_type: if frame_type.is_empty() { text(tags::IMAGE_TYPE) } else { frame_type },
            kernel: text(tags::CONVOLUTION_KERNEL),
            rescale_type: text(tags::RESCALE_TYPE),
        }
    }
}
