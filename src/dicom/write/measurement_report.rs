//! A study's result as Comprehensive SR (PS3.3 section A.35.3) that follows the template Measurement Report (PS3.16 TID 1500): one
//! group a level (TID 1501) with what the network measures and what the reader says of it, and who said what.

use super::code::{self, Code};
use super::content::{Item, Value, reference};
use super::file::{DicomFile, Kind, Object, WriteError, begun, finished, made_uid};
use super::source::{SourceImage, Sources};
use crate::domain::{
    Agreement, Assessment, CervicalLevel, Decided, Decision, FractureReport, LevelOutcome, LevelVerdict, Measured,
    ModelIdentity,
};
use crate::results::{self, MeasurementResult, StudyResult, Written, caveat};
use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use std::collections::{BTreeMap, BTreeSet};

const KIND: Kind = Kind {
    class: uids::COMPREHENSIVE_SR_STORAGE,
    modality: "SR",
    series: "cspine: fracture triage (research use only)",
    series_number: 9801,
};

/// The structured report of a study.
///
/// # Errors
/// An object that cannot be encoded.
pub fn structured_report(result: &StudyResult, sources: &Sources, written: Written) -> Result<DicomFile, WriteError> {
    let decision = result.decision();
    let content = results::ResultsDocument::new(std::slice::from_ref(result), written);
    let content = content.to_json().map_err(|error| WriteError::File(error.to_string()))?;
    let instance = made_uid(&["report", sources.study_uid(), &content]);
    let mut object = begun(&KIND, sources, &instance, 1, written);
    general(&mut object, &decision, sources);
    Tree { result, decision: &decision, sources }.root().at(written.at).write(&mut object, true);
    finished(object, KIND.class, &instance)
}

/// SR Document General (PS3.3 section C.17.2). Nobody signs here, so that nothing is verified; the document is complete when the
/// reader is done with the study.
fn general(object: &mut Object, decision: &Decision, sources: &Sources) {
    let is_finished = decision.state().is_finished();
    let (completion, preliminary) = if is_finished { ("COMPLETE", "FINAL") } else { ("PARTIAL", "PRELIMINARY") };
    object.text(tags::COMPLETION_FLAG, VR::CS, completion).text(tags::PRELIMINARY_FLAG, VR::CS, preliminary);
    if !is_finished {
        let why = if decision.conflicts.is_empty() {
            "no final assessment by a reader yet"
        } else {
            "readers contradict each other"
        };
        object.text(tags::COMPLETION_FLAG_DESCRIPTION, VR::LO, why);
    }
    object
        .text(tags::VERIFICATION_FLAG, VR::CS, "UNVERIFIED")
        .sequence(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, [])
        .sequence(tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, [])
        .sequence(tags::CODING_SCHEME_IDENTIFICATION_SEQUENCE, [code::private_scheme()]);
    let mut series: BTreeMap<&str, BTreeMap<&str, &SourceImage>> = BTreeMap::new();
    for image in sources.images() {
        series.entry(&image.series).or_default().insert(&image.instance, image);
    }
    if series.is_empty() {
        return;
    }
    let series = series.into_iter().map(|(uid, images)| {
        let mut item = Object::new();
        item.text(tags::SERIES_INSTANCE_UID, VR::UI, uid)
            .sequence(tags::REFERENCED_SOP_SEQUENCE, images.into_values().map(|image| reference(image, false)));
        item
    });
    let mut study = Object::new();
    study
        .text(tags::STUDY_INSTANCE_UID, VR::UI, sources.study_uid())
        .sequence(tags::REFERENCED_SERIES_SEQUENCE, series);
    object.sequence(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, [study]);
}

/// What the tree is made of.
struct Tree<'r> {
    result: &'r StudyResult,
    decision: &'r Decision,
    sources: &'r Sources,
}

impl<'r> Tree<'r> {
    fn root(&self) -> Item<'r> {
        let mut root = Item::contains(code::MEASUREMENT_REPORT, Value::Container(Some("1500")))
            .with([Item::modifier(code::LANGUAGE, Value::Code(code::ENGLISH))]);
        if let Some(report) = self.result.report() {
            root = root.with(device(&report.model));
        }
        let readers: BTreeSet<&str> = self.readers();
        root = root.with(readers.into_iter().flat_map(person));
        root = root.with([Item::modifier(code::PROCEDURE_REPORTED, Value::Code(code::CT))]);
        let library: Vec<Item<'r>> = self.sources.images().map(Item::image).collect();
        if !library.is_empty() {
            let group = Item::contains(code::IMAGE_LIBRARY_GROUP, Value::Container(None)).with(library);
            root = root.with([Item::contains(code::IMAGE_LIBRARY, Value::Container(None)).with([group])]);
        }
        let levels = CervicalLevel::ALL.into_iter().filter_map(|level| self.level(level));
        let measured = self.result.measurements.iter().filter_map(|measured| self.measured(measured));
        let groups: Vec<Item<'r>> = self.whole().into_iter().chain(levels).chain(measured).collect();
        if !groups.is_empty() {
            root = root.with([Item::contains(code::IMAGING_MEASUREMENTS, Value::Container(None)).with(groups)]);
        }
        root.with([self.evaluations()]).with(self.key_images())
    }

    /// Everyone whose word holds.
    fn readers(&self) -> BTreeSet<&'r str> {
        let levels = self.decision.levels.0.iter().flatten().map(|decided| decided.who.as_str());
        let study = self.decision.study.as_ref().map(|decided| decided.who.as_str());
        let disputed = self.decision.conflicts.iter().flat_map(|conflict| &conflict.opinions);
        let disputed = disputed.map(|opinion| opinion.who.as_str());
        levels.chain(study).chain(disputed).chain(self.decision.note.as_ref().map(|note| note.who.as_str())).collect()
    }

    fn group(&self, name: &str, site: Code) -> Item<'r> {
        let uid = made_uid(&["tracking", self.sources.study_uid(), name]);
        let group = Item::contains(code::MEASUREMENT_GROUP, Value::Container(Some("1501"))).with([
            Item::context(code::TRACKING_IDENTIFIER, Value::Text(name.to_owned())),
            Item::context(code::TRACKING_UID, Value::Uid(uid)),
        ]);
        group.with([Item::modifier(code::FINDING_SITE, Value::Code(site))])
    }

    /// What the network says of the whole study.
    fn whole(&self) -> Option<Item<'r>> {
        let report = self.result.report()?;
        let group = self.group("cervical spine", code::CERVICAL_SPINE).with(algorithm(&report.model));
        Some(
            group
                .with([
                    probability(f64::from(report.overall.value())),
                    Item::contains(code::ALERT, Value::Code(code::yes_or_no(report.is_alert()))),
                ])
                .with(distribution(report)),
        )
    }

    /// One level; `None` where neither the network nor a reader says anything of it.
    fn level(&self, level: CervicalLevel) -> Option<Item<'r>> {
        let (report, decided) = (self.result.report(), self.decision.levels[level].as_ref());
        let disputed = self.disputed(Some(level));
        if report.is_none() && decided.is_none() && disputed.is_empty() {
            return None;
        }
        let mut group = self.group(level.name(), code::vertebra(level));
        if decided.is_some_and(|decided| decided.what.0 == LevelVerdict::Fractured) {
            group = group.with([Item::contains(code::FINDING, Value::Code(code::FRACTURE))]);
        }
        if let Some(report) = report {
            group = group.with(algorithm(&report.model)).with(self.network(report, level));
        }
        let group = group.with(disputed);
        Some(match decided {
            Some(decided) => group.with(reader(decided)),
            None => group,
        })
    }

    /// What readers say who contradict each other: each with its own observer, none as the one that holds.
    fn disputed(&self, level: Option<CervicalLevel>) -> Vec<Item<'r>> {
        let conflicts = self.decision.conflicts.iter().filter(|conflict| conflict.level() == level);
        let item = |opinion: &'r Decided<Assessment>| {
            let value = match &opinion.what {
                Assessment::Study(verdict) => code::study_verdict(verdict),
                Assessment::Level(_, verdict) => code::level_verdict(*verdict),
            };
            said(Item::contains(code::VERDICT, Value::Code(value)), opinion)
        };
        let opinions = conflicts.flat_map(|conflict| &conflict.opinions);
        // The levels of a conflict with the study have groups of their own, which say the same.
        let own = opinions.filter(|opinion| level.is_some() || matches!(opinion.what, Assessment::Study(_)));
        own.map(item).collect()
    }

    fn network(&self, report: &'r FractureReport, level: CervicalLevel) -> Vec<Item<'r>> {
        match report.levels[level].outcome {
            LevelOutcome::Seen { probability: p, key_slice, extent, hot_spot } => {
                let series = report.source(level);
                let source = self.sources.key_slice(&self.result.study, series, &key_slice, hot_spot);
                let source = source.map(|(image, spot)| Item::source(code::SOURCE_OF_MEASUREMENT, image, spot));
                vec![
                    probability(f64::from(p.value())).with(source),
                    Item::contains(code::ALERT, Value::Code(code::yes_or_no(report.is_level_alert(level)))),
                    Item::contains(code::IN_SCAN, Value::Code(code::extent(extent))),
                ]
            }
            LevelOutcome::NotSeen => report
                .absence(level)
                .map(|why| Item::contains(code::IN_SCAN, Value::Code(code::absence(why))))
                .into_iter()
                .collect(),
        }
    }

    /// What a reader measured; `None` where there is no result.
    fn measured(&self, measured: &MeasurementResult) -> Option<Item<'r>> {
        let result = measured.result.as_ref().ok()?;
        let (name, value, unit, is_mean) = match result {
            Measured::Length { mm } => (code::LENGTH, *mm, code::MILLIMETRES, false),
            Measured::Angle { degrees } => (code::ANGLE, *degrees, code::DEGREES, false),
            Measured::Region(region) if region.hounsfield => (code::ATTENUATION, region.mean, code::HOUNSFIELD, true),
            Measured::Region(region) => (code::VALUE, region.mean, code::NO_UNITS, true),
            Measured::Value { value, hounsfield: true } => {
                (code::ATTENUATION, f64::from(*value), code::HOUNSFIELD, false)
            }
            Measured::Value { value, .. } => (code::VALUE, f64::from(*value), code::NO_UNITS, false),
        };
        let mean = is_mean.then(|| Item::modifier(code::DERIVATION, Value::Code(code::MEAN)));
        let name_of_group = format!("measurement {}", measured.measurement.id);
        let source = self.sources.measured(&self.result.study, &measured.measurement);
        let source = source.map(|(image, figure)| Item::source(code::SOURCE_OF_MEASUREMENT, image, Some(figure)));
        let number = Item::contains(name, Value::Number { value, unit }).with(mean).with(source);
        Some(self.group(&name_of_group, code::CERVICAL_SPINE).with([number]))
    }

    /// The reader's verdict and note, and what the report is not.
    fn evaluations(&self) -> Item<'r> {
        let limits = self.result.report().map_or(results::NOTICE.to_owned(), |report| {
            format!("{} The model {} is {}.", results::NOTICE, report.model, caveat(report.model.nature))
        });
        let mut all = Item::contains(code::QUALITATIVE_EVALUATIONS, Value::Container(None));
        if let Some(decided) = &self.decision.study {
            all = all
                .with([said(Item::contains(code::VERDICT, Value::Code(code::study_verdict(&decided.what))), decided)]);
        }
        all = all.with(self.disputed(None));
        if let Some(words) = self.decision.conflict_words() {
            all = all.with([Item::contains(code::COMMENT, Value::Text(words))]);
        }
        if let Some(note) = &self.decision.note {
            // Lines of UT end with CR LF (PS3.5 section 6.1.3).
            let text = note.what.as_str().replace('\n', "\r\n");
            all = all.with([said(Item::contains(code::COMMENT, Value::Text(text)), note)]);
        }
        if let Some(report) = self.result.report() {
            let mut remarks: Vec<String> = report.distribution_notice().into_iter().collect();
            remarks.extend(report.absences());
            remarks.extend(report.source_words(&self.result.study));
            remarks.extend(report.contradictions(&self.result.study));
            if !remarks.is_empty() {
                all = all.with([Item::contains(code::COMMENT, Value::Text(remarks.join("; ")))]);
            }
        }
        all.with([Item::contains(code::CAVEAT, Value::Text(limits))])
    }

    fn key_images(&self) -> Option<Item<'r>> {
        let mut items = Vec::new();
        for image in &self.result.key_images {
            let Some(source) = self.sources.key_image(image) else { continue };
            if !image.comment.is_empty() {
                items.push(Item::contains(code::KEY_OBJECT_DESCRIPTION, Value::Text(image.comment.clone())));
            }
            items.push(Item::image(source));
        }
        (!items.is_empty()).then(|| Item::contains(code::KEY_IMAGES, Value::Container(None)).with(items))
    }
}

fn probability<'r>(value: f64) -> Item<'r> {
    Item::contains(code::PROBABILITY, Value::Number { value, unit: code::NO_UNITS })
}

/// How far the study lies from the network's training data; nothing for a network that does not measure it. An unknown distance is a
/// remark.
fn distribution<'r>(report: &FractureReport) -> Vec<Item<'r>> {
    let Some(check) = report.distribution else { return Vec::new() };
    let Some((distance, _)) = check.distance() else { return Vec::new() };
    vec![
        Item::contains(code::DISTANCE, Value::Number { value: f64::from(distance), unit: code::NO_UNITS }),
        Item::contains(code::UNLIKE, Value::Code(code::yes_or_no(check.is_out()))),
    ]
}

/// What a reader says of a level.
fn reader<'r>(decided: &Decided<(LevelVerdict, Option<Agreement>)>) -> Vec<Item<'r>> {
    let (verdict, agreement) = decided.what;
    let mut items = vec![said(Item::contains(code::VERDICT, Value::Code(code::level_verdict(verdict))), decided)];
    if let Some(Agreement::Rejects { reason }) = agreement {
        items.push(said(Item::contains(code::REJECTED, Value::Code(code::rejection(reason))), decided));
    }
    items
}

/// An item with who said it, and when.
fn said<'r, T>(item: Item<'r>, decided: &Decided<T>) -> Item<'r> {
    item.at(decided.at).with(person(decided.who.as_str()))
}

/// A person as observer (TID 1003). What separates the parts of a name in DICOM is none in a user name.
fn person<'r>(name: &str) -> Vec<Item<'r>> {
    let name = name.replace(['^', '=', '\\'], " ");
    vec![
        Item::context(code::OBSERVER_TYPE, Value::Code(code::PERSON)),
        Item::context(code::PERSON_NAME, Value::PersonName(name)),
    ]
}

/// The network as observer (TID 1004); its UID is that of the package's ONNX file.
fn device<'r>(model: &ModelIdentity) -> Vec<Item<'r>> {
    vec![
        Item::context(code::OBSERVER_TYPE, Value::Code(code::DEVICE)),
        Item::context(code::DEVICE_UID, Value::Uid(made_uid(&["model", &model.sha256]))),
        Item::context(code::DEVICE_NAME, Value::Text(model.to_string())),
        Item::context(code::DEVICE_MANUFACTURER, Value::Text("cspine".to_owned())),
        Item::context(code::DEVICE_MODEL, Value::Text(model.name.clone())),
    ]
}

/// What computed a group's numbers (TID 4019).
fn algorithm<'r>(model: &ModelIdentity) -> Vec<Item<'r>> {
    let distance = model.thresholds.distance.map(|limit| format!("ood-distance-limit={limit}"));
    let parameters = [
        format!("sha256={}", model.sha256),
        format!("aggregation={}", model.aggregation.name()),
        format!("alert-overall={}", model.thresholds.overall.value()),
        format!("alert-level={}", model.thresholds.level.value()),
    ];
    let mut items = vec![
        Item::modifier(code::ALGORITHM_NAME, Value::Text(model.name.clone())),
        Item::modifier(code::ALGORITHM_VERSION, Value::Text(model.version.clone())),
    ];
    items.extend(
        parameters
            .into_iter()
            .chain(distance)
            .map(|text| Item::modifier(code::ALGORITHM_PARAMETERS, Value::Text(text))),
    );
    items
}
