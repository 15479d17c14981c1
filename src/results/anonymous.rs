//! A result that names nobody.
//!
//! Every struct is taken apart field by field and every enum variant by variant: a new one does not compile before it is decided
//! here whether it may leave the program anonymously.

use super::{Identity, MeasurementResult, StudyResult};
use crate::domain::pseudonym::{self, Pseudonyms};
use crate::domain::{
    Analysis, CleanText, Draft, FractureReport, Instance, KeyImage, LogEntry, Measurement, OnReport, Patient, Series,
    Study,
};
use std::sync::Arc;

impl StudyResult {
    /// The result under the pseudonym that an anonymous screen of the same database shows.
    ///
    /// PatientID, accession number, paths and every text that a reader wrote freely (notes, reasons, remarks) are left out, and so are
    /// the patient's name and ID in descriptions. Age, sex, dates, valid UIDs and the readers' user names stay; an identifier that is no
    /// valid UID is replaced by a code.
    #[must_use]
    pub fn anonymous(self, pseudonyms: &Pseudonyms) -> Self {
        let Self { study, analysis, log, key_images, measurements, identity: _ } = self;
        Self {
            study: Arc::new(anonymous_study(&study, pseudonyms)),
            analysis: analysis.map(|analysis| anonymous_analysis(&analysis, pseudonyms)),
            log: log.into_iter().map(|entry| anonymous_entry(entry, pseudonyms)).collect(),
            key_images: key_images.into_iter().map(|image| anonymous_key_image(image, pseudonyms)).collect(),
            measurements: measurements
                .into_iter()
                .map(|measured| anonymous_measurement(measured, pseudonyms))
                .collect(),
            identity: Identity::Pseudonym,
        }
    }
}

fn anonymous_study(study: &Study, pseudonyms: &Pseudonyms) -> Study {
    let Study { uid, patient, date, description, accession, precedence, series, oddities } = pseudonyms.study(study);
    let Patient { name, id: _, age_years, sex } = patient;
    Study {
        uid: pseudonyms.uid(&uid),
        // The code of the ID alone is for comparing studies within the program.
        patient: Patient { name, id: CleanText::default(), age_years, sex },
        date,
        description,
        accession,
        precedence,
        series: series.into_iter().map(|series| with_valid_uids(series, pseudonyms)).collect(),
        oddities,
    }
}

/// The texts of the series are redacted already.
fn with_valid_uids(series: Series, pseudonyms: &Pseudonyms) -> Series {
    let instances = series
        .instances
        .into_iter()
        .map(|instance| Instance { sop_instance_uid: pseudonyms.uid(&instance.sop_instance_uid), ..instance });
    Series {
        uid: pseudonyms.uid(&series.uid),
        frame_of_reference: pseudonyms.uid(&series.frame_of_reference),
        instances: instances.collect(),
        ..series
    }
}

fn anonymous_analysis(analysis: &Analysis, pseudonyms: &Pseudonyms) -> Analysis {
    match analysis.anonymous() {
        Analysis::Analysed(report) => {
            let (study_uid, series_uid) = (pseudonyms.uid(&report.study_uid), pseudonyms.uid(&report.series_uid));
            if (&study_uid, &series_uid) == (&report.study_uid, &report.series_uid) {
                return Analysis::Analysed(report);
            }
            Analysis::Analysed(Arc::new(FractureReport { study_uid, series_uid, ..(*report).clone() }))
        }
        other @ (Analysis::NotAnalysed(_) | Analysis::Declined(_) | Analysis::Failed(_)) => other,
    }
}

fn anonymous_entry(entry: LogEntry, pseudonyms: &Pseudonyms) -> LogEntry {
    let LogEntry { id, who, at, draft } = pseudonym::log_entry(entry);
    let Draft { study, act, report, blinded } = draft;
    let report = report.map(|report| OnReport { series: pseudonyms.uid(&report.series), ..report });
    LogEntry { id, who, at, draft: Draft { study: pseudonyms.uid(&study), act, report, blinded } }
}

fn anonymous_key_image(image: KeyImage, pseudonyms: &Pseudonyms) -> KeyImage {
    let KeyImage { id, series, instance, frame, plane, slice, point, center, width, inverted, comment } =
        image.without_remark();
    KeyImage {
        id,
        series: pseudonyms.uid(&series),
        instance: pseudonyms.uid(&instance),
        frame,
        plane,
        slice,
        point,
        center,
        width,
        inverted,
        comment,
    }
}

fn anonymous_measurement(measured: MeasurementResult, pseudonyms: &Pseudonyms) -> MeasurementResult {
    let MeasurementResult { measurement: Measurement { id, series, geometry }, result } = measured;
    MeasurementResult {
        measurement: Measurement { id, series: pseudonyms.uid(&series), geometry },
        result: result.map_err(|problem| problem.anonymous()),
    }
}
