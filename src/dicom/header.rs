//! The elements of one picture's header as checked values. Numbers that are not finite, or out of any range a scanner can
//! mean, are absent; what is absent and needed is told by `fault`.

mod acquisition;
mod plane;

pub(super) use acquisition::Acquisition;
pub(super) use plane::PlaneFault;

use super::elements::Elements;
use super::number;
use super::part10::{DataSet, FileError, ITEM_LIMIT, Part10};
use super::units;
use crate::domain::{
    CleanText, ImagePlane, Modality, ModalityLut, Oddity, Patient, PixelForm, PixelSpacing, Precedence, Repair,
    SeriesHints, Sex, StudyDateTime, Uid, VoiFunction, VoiTable, WindowLevel, WindowPreset,
};
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Pixel layout of one picture (PS3.3 section C.7.6.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct PixelLayout {
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) bits_allocated: u16,
    pub(super) bits_stored: u16,
    pub(super) high_bit: u16,
    pub(super) signed: bool,
    /// Stored values that stand for padding, both ends included (PS3.3 section C.7.5.1.1.2).
    pub(super) padding: Option<(i32, i32)>,
    /// Bits of the word that overlay planes use (PS3.5 section 8.1.2).
    pub(super) overlay_bits: u16,
    pub(super) lut: ModalityLut,
}

impl PixelLayout {
    /// Bytes of one frame as it is stored natively.
    pub(super) fn frame_bytes(&self) -> usize {
        self.rows as usize * self.columns as usize * usize::from(self.bits_allocated / 8)
    }
}

/// Why a picture cannot become a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Fault {
    NotGrey,
    Size,
    Bits,
    Rescale,
    MultiFrame,
    Form(PixelForm),
}

/// The header of one picture: a file, or a frame of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) sop_instance: Uid,
    /// Which frame of the file, from 0.
    pub(super) frame: u32,
    /// Frames that the file says it has.
    pub(super) frames: u32,
    pub(super) study: Uid,
    pub(super) series: Uid,
    pub(super) frame_of_reference: Uid,
    pub(super) patient: Patient,
    pub(super) date: Option<StudyDateTime>,
    pub(super) study_description: CleanText,
    pub(super) accession: CleanText,
    pub(super) precedence: Precedence,
    pub(super) series_number: Option<i32>,
    pub(super) series_description: CleanText,
    pub(super) modality: Modality,
    pub(super) kernel: CleanText,
    pub(super) body_part: CleanText,
    pub(super) hints: SeriesHints,
    pub(super) acquisition: Acquisition,
    /// PatientBirthDate: year, month, day.
    pub(super) birth_date: Option<(u16, u8, u8)>,
    /// InstanceCreationDate and InstanceCreationTime as written.
    pub(super) created: CleanText,
    pub(super) is_localizer: bool,
    pub(super) has_pixels: bool,
    pub(super) instance_number: Option<i32>,
    pub(super) plane: Option<ImagePlane>,
    /// Why there is no plane; `None` where there is one, and for a frame without a position of its own.
    pub(super) plane_fault: Option<PlaneFault>,
    /// SliceLocation, mm: orders images that have no position, and nothing else.
    pub(super) slice_location: Option<f64>,
    pub(super) spacing: Option<PixelSpacing>,
    pub(super) slice_thickness: Option<f64>,
    pub(super) monochrome1: bool,
    /// The pixels' layout, or why they are no slice.
    pub(super) layout: Result<PixelLayout, Fault>,
    pub(super) windows: Vec<WindowPreset>,
    pub(super) oddities: Vec<Oddity>,
}

/// Media Storage Directory: an index of files, not a picture.
const DICOMDIR_CLASS: &str = "1.2.840.10008.1.3.10";

/// Reads the headers of a walked file's pictures: one for each frame that is there, at least one.
pub(super) fn parse(file: &Part10) -> Result<Vec<Header>, FileError> {
    if file.media_class.as_deref() == Some(DICOMDIR_CLASS)
        || !file.set.items(tags::DIRECTORY_RECORD_SEQUENCE).is_empty()
    {
        return Err(FileError::NotDicom);
    }
    let whole = Elements::new(&file.data, vec![&file.set]);
    let shared = file.set.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first();
    let per_frame = file.set.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let stated = if whole.present(tags::NUMBER_OF_FRAMES) { whole.integer(tags::NUMBER_OF_FRAMES) } else { Some(1) };
    let frames = frames(file, &whole, stated, per_frame.len());
    let (there, stated) = frames.unwrap_or((1, 1));
    let header = |frame: usize| {
        let groups = per_frame.get(frame).into_iter().chain(shared);
        let mut layers: Vec<&DataSet> =
            groups.flat_map(|group| group.sequences().filter_map(<[DataSet]>::first)).collect();
        layers.push(&file.set);
        let elements = Elements::new(&file.data, layers);
        let mut header = picture(file, &elements);
        header.frame = u32::try_from(frame).unwrap_or(u32::MAX);
        header.frames = u32::try_from(stated).unwrap_or(u32::MAX);
        if frames.is_none() {
            header.layout = header.layout.and(Err(Fault::MultiFrame));
        }
        if stated > 1 {
            header.instance_number = i32::try_from(frame + 1).ok();
            // One position cannot be that of all frames.
            let own = per_frame.get(frame).is_some_and(|group| !group.items(tags::PLANE_POSITION_SEQUENCE).is_empty());
            header.plane = header.plane.filter(|_| own);
        }
        if there < stated {
            header.oddities.push(Oddity::UnreadablePixels(stated - there));
        }
        header
    };
    Ok((0..there).map(header).collect())
}

/// How many frames there can be in the bytes that are there, and how many the file says there are; `None` where it cannot
/// mean what it says.
fn frames(file: &Part10, whole: &Elements<'_>, stated: Option<i32>, groups: usize) -> Option<(usize, usize)> {
    let stated = usize::try_from(stated?).ok().filter(|frames| (1..=ITEM_LIMIT).contains(frames))?;
    if stated == 1 {
        return Some((1, 1));
    }
    if groups > 0 && groups != stated {
        return None;
    }
    let pixels = file.pixel_element?;
    let size = |tag| whole.integer(tag).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    // A frame of an encapsulated value needs an item with at least two bytes.
    let each = if pixels.is_encapsulated {
        10
    } else {
        size(tags::ROWS) * size(tags::COLUMNS) * size(tags::BITS_ALLOCATED).div_ceil(8)
    };
    let there = pixels
        .bytes_there
        .map_or(stated, |bytes| usize::try_from(bytes.checked_div(each).unwrap_or(1)).unwrap_or(stated).min(stated));
    Some((there.max(1), stated))
}

fn picture(file: &Part10, elements: &Elements<'_>) -> Header {
    let mut oddities: Vec<Oddity> = file.repairs.iter().copied().filter(is_told).map(Oddity::Repaired).collect();

    let placed = plane::plane(elements);
    if matches!(placed, Ok((_, true))) {
        oddities.push(Oddity::Repaired(Repair::DirectionCosines));
    }
    let spacing = match elements.numbers(tags::PIXEL_SPACING).as_deref() {
        Some(&[row, column]) => PixelSpacing::new(row, column),
        _ => None,
    };
    let slice_thickness = elements
        .numbers(tags::SLICE_THICKNESS)
        .and_then(|values| values.first().copied())
        .filter(|mm| (0.0..=1000.0).contains(mm));
    if slice_thickness.is_none() && elements.present(tags::SLICE_THICKNESS) {
        oddities.push(Oddity::BadNumber("SliceThickness".into()));
    }
    let instance_number = elements.integer(tags::INSTANCE_NUMBER);
    let (windows, bad_window) = windows(file, elements);
    if bad_window {
        oddities.push(Oddity::BadWindow);
    }
    let modality = match elements.text(tags::MODALITY).as_str() {
        "" => Modality::Unstated,
        "CT" => Modality::Ct,
        other => Modality::Other(CleanText::new(other)),
    };
    let photometric = elements.text(tags::PHOTOMETRIC_INTERPRETATION);
    let layout = layout(file, elements, &photometric);
    let units = units::of(file, elements, &modality, layout.as_ref().ok());
    let sop_instance = Uid::from_file(&elements.text(tags::SOP_INSTANCE_UID));
    let sop_instance = if sop_instance.is_empty() {
        Uid::from_file(file.media_instance.as_deref().unwrap_or_default())
    } else {
        sop_instance
    };
    let image_type = [tags::IMAGE_TYPE, tags::FRAME_TYPE].map(|tag| elements.text(tag));
    let header = Header {
        sop_instance,
        frame: 0,
        frames: 1,
        study: Uid::from_file(&elements.text(tags::STUDY_INSTANCE_UID)),
        series: Uid::from_file(&elements.text(tags::SERIES_INSTANCE_UID)),
        frame_of_reference: Uid::from_file(&elements.text(tags::FRAME_OF_REFERENCE_UID)),
        patient: patient(elements),
        date: date(elements),
        study_description: CleanText::new(&elements.text(tags::STUDY_DESCRIPTION)),
        accession: CleanText::new(&elements.text(tags::ACCESSION_NUMBER)),
        precedence: precedence(file, elements),
        series_number: elements.integer(tags::SERIES_NUMBER),
        series_description: CleanText::new(&elements.text(tags::SERIES_DESCRIPTION)),
        modality,
        kernel: CleanText::new(elements.text(tags::CONVOLUTION_KERNEL).split('\\').next().unwrap_or_default()),
        body_part: CleanText::new(&elements.text(tags::BODY_PART_EXAMINED)),
        hints: SeriesHints {
            image_type: CleanText::new(&elements.text(tags::IMAGE_TYPE)),
            protocol: CleanText::new(&elements.text(tags::PROTOCOL_NAME)),
            contrast: elements.present(tags::CONTRAST_BOLUS_AGENT),
            units,
        },
        acquisition: Acquisition::of(elements),
        birth_date: parse_date(&elements.text(tags::PATIENT_BIRTH_DATE)),
        created: CleanText::new(&format!(
            "{} {}",
            elements.text(tags::INSTANCE_CREATION_DATE),
            elements.text(tags::INSTANCE_CREATION_TIME)
        )),
        is_localizer: image_type.iter().any(|text| text.split('\\').any(|value| value.trim() == "LOCALIZER")),
        has_pixels: file.pixel_element.is_some(),
        instance_number,
        plane: placed.ok().map(|(plane, _)| plane),
        plane_fault: placed.err(),
        slice_location: elements
            .present(tags::SLICE_LOCATION)
            .then(|| elements.text(tags::SLICE_LOCATION))
            .and_then(|text| number::decimal(&text)),
        spacing,
        slice_thickness,
        monochrome1: photometric == "MONOCHROME1",
        layout,
        windows,
        oddities,
    };
    Header { oddities: header.oddities.into_iter().chain(elements.oddities()).collect(), ..header }
}

/// The missing group length is how a whole data set is written (RSNA 2022): repaired without a word on each study.
fn is_told(repair: &Repair) -> bool {
    !matches!(repair, Repair::MetaGroupLength)
}

fn layout(file: &Part10, elements: &Elements<'_>, photometric: &str) -> Result<PixelLayout, Fault> {
    let samples = elements.integer(tags::SAMPLES_PER_PIXEL).unwrap_or(1);
    if samples != 1 || !matches!(photometric, "" | "MONOCHROME1" | "MONOCHROME2") {
        return Err(Fault::NotGrey);
    }
    if file.pixel_element.is_some_and(|pixels| pixels.is_float) {
        return Err(Fault::Form(PixelForm::Float));
    }
    let size = |tag| elements.integer(tag).and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=8192).contains(n));
    let (rows, columns) = size(tags::ROWS).zip(size(tags::COLUMNS)).ok_or(Fault::Size)?;
    let bits = |tag| elements.integer(tag).and_then(|n| u16::try_from(n).ok());
    let bits_allocated = bits(tags::BITS_ALLOCATED).unwrap_or(16);
    let bits_stored = bits(tags::BITS_STORED).unwrap_or(bits_allocated);
    let high_bit = bits(tags::HIGH_BIT).unwrap_or(bits_stored.saturating_sub(1));
    match bits_allocated {
        1..=7 | 9..=15 => return Err(Fault::Form(PixelForm::Packed)),
        17.. => return Err(Fault::Form(PixelForm::Wide)),
        _ => {}
    }
    let sensible = matches!(bits_allocated, 8 | 16)
        && (1..=bits_allocated).contains(&bits_stored)
        && high_bit < bits_allocated
        && high_bit + 1 >= bits_stored;
    if !sensible {
        return Err(Fault::Bits);
    }
    let signed = elements.integer(tags::PIXEL_REPRESENTATION) == Some(1);
    let lut = match (elements.present(tags::RESCALE_SLOPE), elements.present(tags::RESCALE_INTERCEPT)) {
        (false, false) if !file.set.items(tags::MODALITY_LUT_SEQUENCE).is_empty() => {
            return Err(Fault::Form(PixelForm::ModalityLut));
        }
        (false, false) => ModalityLut::IDENTITY,
        _ => {
            let number = |tag, missing: f64| {
                if elements.present(tag) {
                    elements.numbers(tag).and_then(|values| values.first().copied())
                } else {
                    Some(missing)
                }
            };
            let slope = number(tags::RESCALE_SLOPE, 1.0).ok_or(Fault::Rescale)?;
            let intercept = number(tags::RESCALE_INTERCEPT, 0.0).ok_or(Fault::Rescale)?;
            ModalityLut::new(slope, intercept).ok_or(Fault::Rescale)?
        }
    };
    // The value is written as the pixels are, but its VR may say otherwise: take its 16 bits as the pixels' own.
    let as_stored = |value: i32| if signed && value > 0x7FFF { value - 0x1_0000 } else { value };
    let padding = elements.integer(tags::PIXEL_PADDING_VALUE).map(as_stored).map(|value| {
        let limit = elements.integer(tags::PIXEL_PADDING_RANGE_LIMIT).map_or(value, as_stored);
        (value.min(limit), value.max(limit))
    });
    let overlay_bits = overlay_bits(elements);
    Ok(PixelLayout { rows, columns, bits_allocated, bits_stored, high_bit, signed, padding, overlay_bits, lut })
}

/// The bits that overlay planes within the pixels' words use; overlays with data of their own have one bit allocated.
fn overlay_bits(elements: &Elements<'_>) -> u16 {
    let bit = |group: u16| {
        let shares_words = elements.integer(Tag(group, 0x0100)).is_some_and(|bits| bits > 1);
        let position = elements.integer(Tag(group, 0x0102)).and_then(|bit| u32::try_from(bit).ok());
        position.filter(|bit| shares_words && *bit < 16).map_or(0, |bit| 1_u16 << bit)
    };
    (0x6000..=0x601E).step_by(2).map(bit).fold(0, |bits, bit| bits | bit)
}

fn patient(elements: &Elements<'_>) -> Patient {
    let age = elements.text(tags::PATIENT_AGE);
    let stated = || -> Option<u16> {
        let (number, unit) = age.split_at_checked(age.len().checked_sub(1)?)?;
        let number: u16 = number.parse().ok()?;
        match unit {
            "Y" => (number <= 130).then_some(number),
            "M" => Some(number / 12),
            "W" => Some(number / 52),
            "D" => Some(number / 365),
            _ => None,
        }
    };
    let from_birth = || -> Option<u16> {
        let (born, studied) = (parse_date(&elements.text(tags::PATIENT_BIRTH_DATE))?, date(elements)?);
        let before_birthday = (studied.month, studied.day) < (born.1, born.2);
        studied.year.checked_sub(born.0)?.checked_sub(u16::from(before_birthday)).filter(|years| *years <= 130)
    };
    Patient {
        name: CleanText::person_name(&elements.text(tags::PATIENT_NAME)),
        id: CleanText::new(&elements.text(tags::PATIENT_ID)),
        age_years: stated().or_else(from_birth),
        sex: match elements.text(tags::PATIENT_SEX).as_str() {
            "F" => Some(Sex::Female),
            "M" => Some(Sex::Male),
            "O" => Some(Sex::Other),
            _ => None,
        },
    }
}

/// What whoever asked for the study says of its priority: Requested Procedure Priority (PS3.4 table K.6-1), in the data set or in its
/// Request Attributes Sequence, or the retired Study Priority ID. STAT and HIGH go first; no word and any other are ordinary.
fn precedence(file: &Part10, elements: &Elements<'_>) -> Precedence {
    // Study Priority ID; the dictionary's own name for it is deprecated, files with it are not gone.
    let study_priority = Tag(0x0032, 0x000C);
    let is_first = |elements: &Elements<'_>| {
        [tags::REQUESTED_PROCEDURE_PRIORITY, study_priority]
            .iter()
            .any(|tag| matches!(elements.text(*tag).to_ascii_uppercase().as_str(), "STAT" | "HIGH"))
    };
    let requests = file.set.items(tags::REQUEST_ATTRIBUTES_SEQUENCE);
    let of_request = |item: &DataSet| is_first(&Elements::new(&file.data, vec![item]));
    if is_first(elements) || requests.iter().any(of_request) { Precedence::Stat } else { Precedence::Ordinary }
}

fn date(elements: &Elements<'_>) -> Option<StudyDateTime> {
    [
        (tags::STUDY_DATE, tags::STUDY_TIME),
        (tags::SERIES_DATE, tags::SERIES_TIME),
        (tags::ACQUISITION_DATE, tags::ACQUISITION_TIME),
        (tags::CONTENT_DATE, tags::CONTENT_TIME),
    ]
    .into_iter()
    .find_map(|(date, time)| {
        let (year, month, day) = parse_date(&elements.text(date))?;
        let time = elements.text(time);
        let two = |range| time.get(range).and_then(|digits: &str| digits.parse::<u8>().ok());
        let time = two(0..2).zip(two(2..4)).filter(|(hour, minute)| *hour < 24 && *minute < 60);
        Some(StudyDateTime { year, month, day, time })
    })
}

/// A DA value (PS3.5 section 6.2): YYYYMMDD, or the retired YYYY.MM.DD.
fn parse_date(text: &str) -> Option<(u16, u8, u8)> {
    let digits: String = text.chars().filter(|c| *c != '.').collect();
    if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, month, day) = (digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?);
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month, day))
}

/// The file's own windows (PS3.3 section C.11.2.1.2), and whether one of them is none.
fn windows(file: &Part10, elements: &Elements<'_>) -> (Vec<WindowPreset>, bool) {
    let parts = |tag| -> Vec<String> {
        let text = elements.text(tag);
        if text.is_empty() { Vec::new() } else { text.split('\\').map(|part| part.trim().to_owned()).collect() }
    };
    let (centers, widths) = (parts(tags::WINDOW_CENTER), parts(tags::WINDOW_WIDTH));
    let names = parts(tags::WINDOW_CENTER_WIDTH_EXPLANATION);
    let function = match elements.text(tags::VOILUT_FUNCTION).as_str() {
        "LINEAR_EXACT" => VoiFunction::LinearExact,
        "SIGMOID" => VoiFunction::Sigmoid,
        _ => VoiFunction::Linear,
    };
    let mut presets: Vec<WindowPreset> = Vec::new();
    let mut bad = centers.len() != widths.len();
    for (index, (center, width)) in centers.iter().zip(&widths).take(8).enumerate() {
        let numbers = number::decimal(center).zip(number::decimal(width));
        match numbers.and_then(|(center, width)| WindowLevel::with_function(center, width, function)) {
            Some(window) => {
                let name = names.get(index).map(|name| CleanText::new(name)).filter(|name| !name.is_empty());
                let name = name.unwrap_or_else(|| CleanText::new(&format!("file {}", index + 1)));
                presets.push(WindowPreset { name, window, table: None });
            }
            None => bad = true,
        }
    }
    for (index, item) in file.set.items(tags::VOILUT_SEQUENCE).iter().take(4).enumerate() {
        let item = Elements::new(&file.data, vec![item]);
        match voi_table(&item) {
            Some(table) => {
                let name = CleanText::new(&item.text(tags::LUT_EXPLANATION));
                let name = if name.is_empty() { CleanText::new(&format!("file table {}", index + 1)) } else { name };
                presets.push(WindowPreset { name, window: table.window(), table: Some(Arc::new(table)) });
            }
            None => bad = true,
        }
    }
    (presets, bad)
}

/// One item of a VOI LUT Sequence (PS3.3 section C.11.2.1.1): LUT Descriptor and LUT Data.
fn voi_table(item: &Elements<'_>) -> Option<VoiTable> {
    let (bytes, big_endian) = item.bytes(tags::LUT_DESCRIPTOR)?;
    let words = |bytes: &[u8], big_endian: bool| -> Vec<u16> {
        let word = |pair: &[u8]| if big_endian { [pair[1], pair[0]] } else { [pair[0], pair[1]] };
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes(word(pair))).collect()
    };
    let &[count, first, bits] = words(bytes, big_endian).get(..3)?.first_chunk::<3>()?;
    let count = if count == 0 { 65_536 } else { usize::from(count) };
    let (data, big_endian) = item.bytes(tags::LUT_DATA)?;
    // Entries of 8 bits may stand in bytes of their own.
    let mut values = match data.len() {
        len if len >= 2 * count => words(data, big_endian),
        len if len >= count && bits == 8 => data.iter().copied().map(u16::from).collect(),
        _ => return None,
    };
    values.truncate(count);
    // Values after the modality LUT are Hounsfield units, which can be negative: the first is signed whatever its VR says.
    VoiTable::new(i32::from(first.cast_signed()), u32::from(bits), values)
}
