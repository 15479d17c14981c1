//! A result that names nobody.

use super::{Identity, StudyResult};
use crate::domain::{Act, Analysis, CleanText, LogEntry, Oddity, Study, StudyVerdict, pseudonym};
use std::sync::Arc;

/// Stands for a text that a reader wrote freely and in which anybody may be named.
const LEFT_OUT: &str = "(left out: anonymous)";

impl StudyResult {
    /// The result under the pseudonym that an anonymous screen shows. The accession number, paths and every text that a reader wrote
    /// freely (notes, reasons, comments) are left out, and so is every text of the study or a series in which the patient is named. Age,
    /// sex, dates, UIDs and the readers' user names stay.
    #[must_use]
    pub fn anonymous(self) -> Self {
        let named = names(&self.study);
        let says_who = |text: &CleanText| {
            let text = text.as_str().to_lowercase();
            named.iter().any(|name| text.contains(name.as_str()))
        };
        let mut study = pseudonym::study(&self.study);
        if says_who(&study.description) {
            study.description = CleanText::default();
        }
        for series in &mut study.series {
            for text in [&mut series.description, &mut series.kernel, &mut series.body_part, &mut series.hints.protocol]
            {
                if says_who(text) {
                    *text = CleanText::default();
                }
            }
            series.oddities.iter_mut().for_each(|oddity| without_names(oddity, &says_who));
        }
        study.oddities.iter_mut().for_each(|oddity| without_names(oddity, &says_who));
        let mut key_images = self.key_images;
        for image in key_images.iter_mut().filter(|image| !image.comment.is_empty()) {
            LEFT_OUT.clone_into(&mut image.comment);
        }
        let mut measurements = self.measurements;
        for measured in &mut measurements {
            measured.result = std::mem::replace(&mut measured.result, Err(String::new()))
                .map_err(|problem| pseudonym::without_paths(&problem));
        }
        Self {
            study: Arc::new(study),
            analysis: self.analysis.map(|analysis| match analysis {
                Analysis::Failed(problem) => Analysis::Failed(pseudonym::without_paths(&problem)),
                other => other,
            }),
            log: self.log.into_iter().map(without_free_text).collect(),
            key_images,
            measurements,
            identity: Identity::Pseudonym,
        }
    }
}

/// Takes paths and the patient's name out of the free text of a warning.
fn without_names(oddity: &mut Oddity, says_who: &dyn Fn(&CleanText) -> bool) {
    if let Oddity::Unread { reason: text, .. } | Oddity::BadNumber(text) = oddity {
        *text = pseudonym::without_paths(text);
        if says_who(&CleanText::new(text)) {
            LEFT_OUT.clone_into(text);
        }
    }
}

/// What names the patient: number, and the words of the name that are long enough to mean one; in lower case.
fn names(study: &Study) -> Vec<String> {
    let name = study.patient.name.as_str().to_lowercase();
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 2);
    let id = study.patient.id.as_str().to_lowercase();
    words.map(str::to_owned).chain((!id.is_empty()).then_some(id)).collect()
}

fn without_free_text(mut entry: LogEntry) -> LogEntry {
    let text = match &mut entry.draft.act {
        Act::Note { text } | Act::Study(StudyVerdict::Deferred { reason: text }) => text,
        _ => return entry,
    };
    if !text.is_empty() {
        *text = CleanText::new(LEFT_OUT);
    }
    entry
}
