//! `evaluation.json` and the table of predictions.

use super::anatomy::{Anatomies, joined};
use super::bootstrap::{RESAMPLES, SEED};
use super::case::{Case, Outcome};
use super::measures::{Measures, measure};
use crate::domain::{CervicalLevel, ModelIdentity, ModelNature};
use serde::Serialize;
use std::collections::BTreeMap;

/// `evaluation.json`. `format` changes whenever a key changes its meaning or goes; new keys may come.
#[derive(Debug, Clone, Serialize)]
pub struct Document {
    /// 2.
    pub format: u32,
    /// Version of cspine.
    pub cspine: &'static str,
    /// The model.
    pub model: Model,
    /// How intervals were made.
    pub bootstrap: Bootstrap,
    /// Measures by the sources of the vertebrae, over all data sets together.
    pub anatomies: Anatomies,
    /// Measures of all data sets together.
    pub all: Measures,
    /// Measures of each data set, by the name of its folder.
    pub datasets: BTreeMap<String, Measures>,
    /// What could not be used, by data set.
    pub left_out: BTreeMap<String, LeftOut>,
}

/// What of a data set could not be used.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct LeftOut {
    /// Studies in `train.csv` whose images are not there: they are in no measure.
    pub without_images: usize,
    /// Label files that cannot be read: their studies are in no measure of visibility and ranges.
    pub unreadable_labels: usize,
}

/// Which model was evaluated.
#[derive(Debug, Clone, Serialize)]
pub struct Model {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the ONNX file.
    pub sha256: String,
    /// `synthetic` or `clinical`: what it was trained on.
    pub nature: &'static str,
    /// How slices are combined.
    pub aggregation: &'static str,
}

impl Model {
    /// The model's identity.
    pub(super) fn new(model: &ModelIdentity) -> Self {
        Self {
            name: model.name.clone(),
            version: model.version.clone(),
            sha256: model.sha256.clone(),
            nature: match model.nature {
                ModelNature::Synthetic => "synthetic",
                ModelNature::Clinical => "clinical",
            },
            aggregation: model.aggregation.name(),
        }
    }
}

/// How intervals were made.
#[derive(Debug, Clone, Serialize)]
pub struct Bootstrap {
    /// What is drawn.
    pub unit: &'static str,
    /// Draws.
    pub resamples: usize,
    /// Seed.
    pub seed: u64,
}

impl Document {
    /// Measures everything. `trained`: the anatomies that trained the model, if its package names them. `names` and `left_out` are the
    /// data sets' by their places.
    #[must_use]
    pub fn new(
        model: &ModelIdentity,
        trained: Option<&[String]>,
        names: &[String],
        left_out: &[LeftOut],
        cases: &[Case],
    ) -> Self {
        let of = |dataset: usize| -> Vec<&Case> { cases.iter().filter(|case| case.dataset == dataset).collect() };
        let all = measure(&cases.iter().collect::<Vec<_>>(), model.thresholds);
        let datasets = match names {
            [name] => BTreeMap::from([(name.clone(), all.clone())]),
            names => {
                let one = |(index, name): (usize, &String)| (name.clone(), measure(&of(index), model.thresholds));
                names.iter().enumerate().map(one).collect()
            }
        };
        Self {
            format: 2,
            cspine: env!("CARGO_PKG_VERSION"),
            model: Model::new(model),
            bootstrap: Bootstrap { unit: "study", resamples: RESAMPLES, seed: SEED },
            anatomies: Anatomies::new(cases, trained, model.thresholds),
            all,
            datasets,
            left_out: names.iter().cloned().zip(left_out.iter().copied()).collect(),
        }
    }

    /// As JSON.
    ///
    /// # Errors
    /// None that a document of numbers and texts can cause.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// One line a study: truth and prediction of every label. Numbers that the program does not give are empty.
///
/// # Errors
/// None that writing to memory can cause.
pub fn predictions(names: &[String], cases: &[Case]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let labels = || std::iter::once("overall").chain(CervicalLevel::ALL.map(CervicalLevel::name));
    let mut header: Vec<String> =
        ["dataset", "study_instance_uid", "anatomy", "status", "reason"].map(str::to_owned).into();
    header.extend(labels().map(|label| format!("truth_{label}")));
    header.extend(labels().map(|label| format!("predicted_{label}")));
    header.extend(["slices", "seconds", "unlike"].map(str::to_owned));
    writer.write_record(&header)?;
    for case in cases {
        let (status, reason) = match &case.outcome {
            Outcome::Analysed => ("analysed", ""),
            Outcome::Declined(reason) => ("declined", reason.as_str()),
            Outcome::Failed(reason) => ("failed", reason.as_str()),
        };
        let dataset = names.get(case.dataset).map_or("", String::as_str);
        let mut row: Vec<String> =
            [dataset, &case.uid, &joined(&case.anatomy), status, reason].map(str::to_owned).into();
        row.extend(case.truth.map(|broken| u8::from(broken).to_string()));
        row.extend(case.probability.map(|p| p.map_or(String::new(), |p| format!("{p:.6}"))));
        row.push(case.slices.to_string());
        row.push(case.seconds.map_or(String::new(), |seconds| format!("{seconds:.3}")));
        row.push(case.unlike.map_or(String::new(), |unlike| unlike.to_string()));
        writer.write_record(&row)?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(std::io::Error::other(error.to_string())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
