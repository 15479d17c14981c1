//! Whose study it is and which of its instances are referred to, as the files themselves say: raw values, so that what is written
//! finds its patient and study again.

use super::file::WriteError;
use super::region::{self, Region};
use crate::dicom::archive::Archives;
use crate::dicom::elements::Elements;
use crate::dicom::part10::{Extent, FileError, Part10};
use crate::domain::pseudonym::is_valid_uid;
use crate::domain::{FractureReport, HotSpot, Instance, KeyImage, KeySlice, Measurement, Patient, Series, Study, Uid};
use crate::results::{Identity, StudyResult};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};
use std::collections::BTreeMap;

/// Elements of patient and study that are copied, and whether they are written without a value, too (type 2).
const IDENTITY: [(Tag, VR, bool); 18] = [
    (tags::PATIENT_NAME, VR::PN, true),
    (tags::PATIENT_ID, VR::LO, true),
    (tags::ISSUER_OF_PATIENT_ID, VR::LO, false),
    (tags::PATIENT_BIRTH_DATE, VR::DA, true),
    (tags::PATIENT_SEX, VR::CS, true),
    (tags::PATIENT_AGE, VR::AS, false),
    (tags::PATIENT_SIZE, VR::DS, false),
    (tags::PATIENT_WEIGHT, VR::DS, false),
    (tags::PATIENT_IDENTITY_REMOVED, VR::CS, false),
    (tags::DEIDENTIFICATION_METHOD, VR::LO, false),
    (tags::STUDY_INSTANCE_UID, VR::UI, true),
    (tags::STUDY_DATE, VR::DA, true),
    (tags::STUDY_TIME, VR::TM, true),
    (tags::STUDY_DESCRIPTION, VR::LO, false),
    (tags::STUDY_ID, VR::SH, true),
    (tags::ACCESSION_NUMBER, VR::SH, true),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN, true),
    (tags::INSTITUTION_NAME, VR::LO, false),
];

/// One instance, or a frame of it, that is referred to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceImage {
    pub(super) class: String,
    pub(super) instance: String,
    pub(super) series: String,
    /// From 1; `None` where the instance has one frame.
    pub(super) frame: Option<u32>,
    /// LossyImageCompression and what belongs to it, where the pixels were compressed with a loss.
    pub(super) lossy: Vec<(Tag, VR, String)>,
}

/// A study's identity, and the instances that a result refers to.
#[derive(Debug, Clone)]
pub struct Sources {
    identity: Vec<(Tag, VR, String)>,
    study_uid: String,
    images: BTreeMap<(Uid, u32), SourceImage>,
}

impl Sources {
    /// Reads the headers of what a result refers to: key images, the key slices of the network's levels, what was measured on, and one picture for
    /// the study's identity.
    ///
    /// # Errors
    /// A file that cannot be read, a key image that is not in the study, or a study without an identifier.
    pub fn read(result: &StudyResult) -> Result<Self, WriteError> {
        let study = &result.study;
        let archives = Archives::shared();
        let mut wanted: Vec<&Instance> = Vec::new();
        for image in &result.key_images {
            wanted.push(key_instance(study, image).ok_or(WriteError::NoKeyImage(image.id))?);
        }
        if let Some(report) = result.report() {
            let slices = report.levels.0.iter();
            wanted.extend(slices.filter_map(|finding| {
                Some(slice_instance(study, report.source(finding.level), &finding.key_slice()?)?.1)
            }));
        }
        let measured = result.measurements.iter().filter(|measured| measured.result.is_ok());
        wanted.extend(measured.filter_map(|measured| Some(region::measured(study, &measured.measurement)?.0)));
        let any = wanted.first().copied().or_else(|| study.series.iter().find_map(|series| series.instances.first()));
        let any = any.ok_or(FileError::NotDicom)?;
        let file = archives.read(&any.path, Extent::Header)?;
        let elements = Elements::new(&file.data, vec![&file.set]);
        let study_uid = elements.text(tags::STUDY_INSTANCE_UID);
        if study_uid.is_empty() {
            return Err(WriteError::NoStudy);
        }
        let copied = |(tag, vr, always): (Tag, VR, bool)| {
            let value = match result.identity {
                Identity::Named => elements.text(tag),
                Identity::Pseudonym => pseudonymous(tag, study, &study_uid),
            };
            (always || !value.is_empty()).then_some((tag, vr, value))
        };
        let identity = IDENTITY.into_iter().filter_map(copied).collect();
        let mut images = BTreeMap::new();
        for instance in wanted {
            let key = (instance.sop_instance_uid.clone(), instance.frame);
            if let std::collections::btree_map::Entry::Vacant(place) = images.entry(key) {
                place.insert(SourceImage::of(&archives.read(&instance.path, Extent::Header)?, instance.frame));
            }
        }
        let sources = Self { identity, study_uid, images };
        match result.identity {
            Identity::Pseudonym if !sources.has_valid_uids() => Err(WriteError::NoAnonymousUid),
            Identity::Pseudonym | Identity::Named => Ok(sources),
        }
    }

    /// Whether all identifiers that a file refers to are UIDs, and no other text.
    fn has_valid_uids(&self) -> bool {
        let of_images = self.images.values().flat_map(|image| [&image.class, &image.instance, &image.series]);
        of_images.chain([&self.study_uid]).all(|uid| uid.is_empty() || is_valid_uid(uid))
    }

    pub(super) fn identity(&self) -> &[(Tag, VR, String)] {
        &self.identity
    }

    pub(super) fn study_uid(&self) -> &str {
        &self.study_uid
    }

    /// All instances that are referred to.
    pub(super) fn images(&self) -> impl Iterator<Item = &SourceImage> {
        self.images.values()
    }

    pub(super) fn key_image(&self, image: &KeyImage) -> Option<&SourceImage> {
        self.images.get(&(image.instance.clone(), image.frame))
    }

    /// The picture that a key slice of a series' report is, and where on it the network points.
    pub(super) fn key_slice(
        &self,
        study: &Study,
        report: &FractureReport,
        slice: &KeySlice,
        spot: Option<HotSpot>,
    ) -> Option<(&SourceImage, Option<Region>)> {
        let (series, instance) = slice_instance(study, report, slice)?;
        let region = spot.and_then(|spot| region::point(series, instance, spot.point));
        Some((self.image(instance)?, region))
    }

    /// The picture that a measurement lies on, and the figure on it.
    pub(super) fn measured(&self, study: &Study, measurement: &Measurement) -> Option<(&SourceImage, Region)> {
        let (instance, region) = region::measured(study, measurement)?;
        Some((self.image(instance)?, region))
    }

    fn image(&self, instance: &Instance) -> Option<&SourceImage> {
        self.images.get(&(instance.sop_instance_uid.clone(), instance.frame))
    }
}

/// The value of an element in an anonymous file. Nothing is copied from the source files but the study's identifier, which
/// [`Sources::has_valid_uids`] checks: sex, age and date are written anew from what was understood of them.
fn pseudonymous(tag: Tag, study: &Study, study_uid: &str) -> String {
    let Patient { name, id: _, age_years, sex } = &study.patient;
    match tag {
        tags::STUDY_INSTANCE_UID => study_uid.to_owned(),
        tags::STUDY_DATE => {
            study.date.map(|date| format!("{:04}{:02}{:02}", date.year, date.month, date.day)).unwrap_or_default()
        }
        tags::STUDY_TIME => study
            .date
            .and_then(|date| date.time)
            .map(|(hour, minute)| format!("{hour:02}{minute:02}"))
            .unwrap_or_default(),
        tags::PATIENT_SEX => sex.map(|sex| sex.letter().to_string()).unwrap_or_default(),
        // PS3.5 section 6.2: three digits and a unit.
        tags::PATIENT_AGE => {
            age_years.filter(|years| *years < 1000).map(|years| format!("{years:03}Y")).unwrap_or_default()
        }
        tags::PATIENT_NAME | tags::PATIENT_ID => name.to_string(),
        tags::STUDY_DESCRIPTION => study.description.to_string(),
        // PS3.3 section C.7.1.1: what was done is told beside it.
        tags::PATIENT_IDENTITY_REMOVED => "YES".to_owned(),
        tags::DEIDENTIFICATION_METHOD => "cspine: pseudonym; age, sex, dates and UIDs kept".to_owned(),
        _ => String::new(),
    }
}

impl SourceImage {
    fn of(file: &Part10, frame: u32) -> Self {
        let elements = Elements::new(&file.data, vec![&file.set]);
        let or = |tag, other: Option<&String>| match elements.text(tag) {
            text if text.is_empty() => other.cloned().unwrap_or_default(),
            text => text,
        };
        let class = match or(tags::SOP_CLASS_UID, file.media_class.as_ref()) {
            class if class.is_empty() => uids::CT_IMAGE_STORAGE.to_owned(),
            class => class,
        };
        let lossy = match elements.text(tags::LOSSY_IMAGE_COMPRESSION) {
            text if text == "01" => [
                (tags::LOSSY_IMAGE_COMPRESSION, VR::CS),
                (tags::LOSSY_IMAGE_COMPRESSION_RATIO, VR::DS),
                (tags::LOSSY_IMAGE_COMPRESSION_METHOD, VR::CS),
            ]
            .into_iter()
            .filter_map(|(tag, vr)| Some((tag, vr, elements.text(tag))).filter(|(_, vr, text)| is_value(*vr, text)))
            .collect(),
            _ => Vec::new(),
        };
        let several = elements.integer(tags::NUMBER_OF_FRAMES).is_some_and(|frames| frames > 1);
        Self {
            class,
            instance: or(tags::SOP_INSTANCE_UID, file.media_instance.as_ref()),
            series: elements.text(tags::SERIES_INSTANCE_UID),
            frame: several.then(|| frame.saturating_add(1)),
            lossy,
        }
    }
}

/// Whether a text has the form of a code string or of decimal strings (PS3.5 section 6.2): anything else is not passed on.
fn is_value(vr: VR, text: &str) -> bool {
    let is_number = |number: &str| number.trim().parse::<f64>().is_ok_and(f64::is_finite);
    let is_code = |code: &str| {
        code.starts_with("ISO_") && code.bytes().all(|byte| byte.is_ascii_digit() || b"ISO_".contains(&byte))
    };
    text.split('\\').all(|value| match vr {
        VR::DS => is_number(value),
        // PS3.3 section C.7.6.1.1.5: 01, and the standards of the compression.
        _ => value == "01" || is_code(value.trim()),
    })
}

/// The instance that a key image shows.
fn key_instance<'s>(study: &'s Study, image: &KeyImage) -> Option<&'s Instance> {
    let shown = |instance: &&Instance| instance.sop_instance_uid == image.instance && instance.frame == image.frame;
    study
        .series
        .iter()
        .filter(|series| series.uid == image.series)
        .find_map(|series| series.instances.iter().find(shown))
}

/// The instance that a key slice of the network is, with its series: the one in its place, if that has its number, or else the only one of that
/// number. A slice that was computed from several instances (tilted, sagittal and coronal stacks) may be none of them.
fn slice_instance<'s>(
    study: &'s Study,
    report: &FractureReport,
    slice: &KeySlice,
) -> Option<(&'s Series, &'s Instance)> {
    let series = study.series.iter().find(|series| report.is_of(series))?;
    let has_number = |instance: &&Instance| instance.instance_number == slice.instance_number;
    if let Some(instance) = series.instances.get(slice.index).filter(has_number) {
        return Some((series, instance));
    }
    slice.instance_number?;
    let mut fitting = series.instances.iter().filter(has_number);
    let only = fitting.next().filter(|_| fitting.next().is_none())?;
    Some((series, only))
}
