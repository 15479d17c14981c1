//! What `cspine evaluate --real` writes: every level of every labeled study, as JSON and as Markdown.

use super::document::Model;
use super::labeled_result::LabeledResult;
use super::metrics::Proportion;
use crate::domain::ModelIdentity;
use serde::Serialize;
use std::fmt::Write as _;

/// `real.json`. `format` changes whenever a key changes its meaning or goes; new keys may come.
#[derive(Debug, Clone, Serialize)]
pub struct LabeledDocument {
    /// 1.
    pub format: u32,
    /// Version of cspine.
    pub cspine: &'static str,
    /// The model.
    pub model: Model,
    /// Name of the folder.
    pub folder: String,
    /// Overall probability from which a study raises an alert.
    pub overall_threshold: f64,
    /// Probability from which a level is flagged.
    pub level_threshold: f64,
    /// Distance above which a study is unlike the training data; `None` for a package that does not measure it.
    pub distance_threshold: Option<f64>,
    /// Studies unlike the training data, of those whose distance is known.
    pub unlike: Proportion,
    /// The studies, by name.
    pub studies: Vec<LabeledResult>,
}

impl LabeledDocument {
    /// Puts the results of a folder together.
    #[must_use]
    pub fn new(model: &ModelIdentity, folder: String, studies: Vec<LabeledResult>) -> Self {
        Self {
            format: 1,
            cspine: env!("CARGO_PKG_VERSION"),
            model: Model::new(model),
            folder,
            overall_threshold: f64::from(model.thresholds.overall.value()),
            level_threshold: f64::from(model.thresholds.level.value()),
            distance_threshold: model.thresholds.distance.map(f64::from),
            unlike: Proportion::of(studies.iter().filter_map(|study| study.unlike)),
            studies,
        }
    }

    /// As JSON.
    ///
    /// # Errors
    /// A serialization error; numbers and texts cause none.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// As Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# {} {} on {}\n\nTrained on {} data; sha256 {}. Research use only. Alert from {:.1} %, flag from {:.1} %. Slices are \
             InstanceNumbers.\n",
            self.model.name,
            self.model.version,
            self.folder,
            self.model.nature,
            self.model.sha256,
            100.0 * self.overall_threshold,
            100.0 * self.level_threshold
        );
        if let Some(limit) = self.distance_threshold {
            let Proportion { count, of, .. } = self.unlike;
            let _ = writeln!(text, "\nUnlike the training data (distance above {limit:.2}): {count} of {of} studies.");
        }
        for study in &self.studies {
            one_study(&mut text, study);
        }
        text
    }
}

fn one_study(text: &mut String, study: &LabeledResult) {
    let fractured: Vec<&str> = study.levels.iter().filter(|level| level.fractured).map(|level| level.level).collect();
    let truth = if study.fractured { format!("fractured: {}", fractured.join(", ")) } else { "not fractured".into() };
    let _ = writeln!(text, "\n## {} ({truth})\n", study.study);
    let Some(overall) = study.overall else {
        let _ = writeln!(text, "{}: {}", study.status, study.reason.as_deref().unwrap_or(DASH));
        return;
    };
    let alert = match (study.alert, study.alert_withheld) {
        (true, _) => "alert",
        (false, true) => "alert withheld",
        (false, false) => "no alert",
    };
    let order = match study.levels_in_order {
        Some(true) => "in order",
        Some(false) => "not in order",
        None => "fewer than two",
    };
    let _ = writeln!(
        text,
        "Overall {}: {alert}. Levels found: {order}. Unfractured levels flagged: {}.\n",
        percent(overall),
        study.false_flags
    );
    if !study.has_unique_numbers {
        text.push_str("InstanceNumbers do not tell the slices apart: no slice is named.\n\n");
    }
    if let Some((unlike, distance)) = study.unlike.zip(study.distance) {
        let relation = if unlike { "Unlike" } else { "Like" };
        let _ = writeln!(text, "{relation} the training data: distance {distance:.2}.\n");
    }
    text.push_str(
        "| level | truth | probability | rank | flag | key slice | boxed slices | key slice in boxed range | range found | range labeled | ends off, mm |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for level in &study.levels {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            level.level,
            if level.fractured { "fractured" } else { DASH },
            level.probability.map_or_else(|| "not seen".into(), percent),
            or_dash(level.rank),
            if level.flag { "flag" } else { DASH },
            or_dash(level.key_slice),
            slices(level.boxed),
            level.key_slice_in_boxed_range.map_or(DASH, |inside| if inside { "yes" } else { "no" }),
            slices(level.range),
            slices(level.labeled_range),
            level.ends_mm.map_or_else(|| DASH.into(), |[cranial, caudal]| format!("{cranial:+.1}, {caudal:+.1}"))
        );
    }
}

const DASH: &str = "–";

fn percent(probability: f64) -> String {
    format!("{:.1} %", 100.0 * probability)
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| DASH.into(), |value| value.to_string())
}

fn slices(range: Option<[i32; 2]>) -> String {
    range.map_or_else(|| DASH.into(), |[first, last]| format!("{first}–{last}"))
}
