//! `model.toml`: what a package needs and gives. Unknown keys are errors.

use crate::domain::{Aggregation, ModelNature, Probability, Thresholds};
use serde::Deserialize;

/// What is wrong with a manifest: one sentence that names the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The TOML itself; the message names line and key.
    #[error("model.toml: {0}")]
    Toml(String),
    /// A value that cannot be used.
    #[error("model.toml: {key}: {problem}")]
    Value {
        /// The key.
        key: &'static str,
        /// What is wrong, and what is allowed.
        problem: String,
    },
}

/// What the network is given: NCHW bytes, made by the preprocessing from Hounsfield units. The graph itself scales them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// Name of the graph's input.
    pub name: String,
    /// Width and height in pixels.
    pub size: u32,
    /// Width and height in mm.
    pub millimetres: f64,
    /// Where the channels' slices lie, mm, footward positive.
    pub channel_offsets_mm: Vec<f64>,
    /// HU that become 0 and 255.
    pub window_hu: [f64; 2],
    /// What lies in the middle; packages from before there was a choice do not say.
    #[serde(default)]
    pub centre: Centre,
    /// A channel is the mean of the slices within this distance of its place, mm, nearer ones weighing more (a triangle, so that
    /// its half-maximum is as thick), where slices are that close; 0, as in packages that do not say: the nearest slice.
    #[serde(default)]
    pub slab_mm: f64,
}

/// What an input is centred on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Centre {
    /// The body's middle on the slice.
    #[default]
    Body,
    /// The vertebrae.
    Spine,
}

impl Centre {
    /// As it stands in a manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Spine => "spine",
        }
    }
}

/// Names of the graph's outputs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// Visibility of each vertebra, `[N, 7]` probabilities.
    pub vertebra: String,
    /// Fracture of each vertebra, `[N, 7]` probabilities.
    pub fracture: String,
    /// Fracture logits by place, `[N, 7, h, w]`, covering the input exactly.
    pub activation: Option<String>,
}

/// How a study that is unlike the training data is recognized. Its distance is `sqrt(mean(x²))` of the mean `x` of the output's vectors over
/// the slices that show a level (`models/training/README.md`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSpec {
    /// Name of the graph's output: white features of each slice, `[N, d]`.
    pub output: String,
    /// Distance above which a study is unlike the training data.
    pub threshold: f32,
    /// What the threshold was chosen on.
    pub data: String,
}

/// When a level counts as seen.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresenceSpec {
    /// Visibility from which a slice shows a level.
    pub vertebra: f32,
    /// Slices that show it must cover this much, mm.
    pub minimum_mm: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThresholdSpec {
    overall: f32,
    level: f32,
    data: String,
    operating_point: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    name: String,
    version: String,
    sha256: String,
    nature: String,
    aggregation: String,
    intended_use: String,
    training_data: String,
    #[serde(default)]
    training_anatomies: Option<Vec<String>>,
    input: InputSpec,
    outputs: OutputSpec,
    thresholds: ThresholdSpec,
    presence: PresenceSpec,
    #[serde(default)]
    features: Option<FeatureSpec>,
}

/// A checked manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Name, short printable ASCII.
    pub name: String,
    /// Version, likewise.
    pub version: String,
    /// SHA-256 of `model.onnx`, lower-case hexadecimal.
    pub sha256: String,
    /// What it was trained on.
    pub nature: ModelNature,
    /// How slices are combined.
    pub aggregation: Aggregation,
    /// What it is for.
    pub intended_use: String,
    /// What it was trained on, in words.
    pub training_data: String,
    /// Names of the anatomies that trained it, sorted; `None` in packages that do not name them.
    pub training_anatomies: Option<Vec<String>>,
    /// Input.
    pub input: InputSpec,
    /// Outputs.
    pub outputs: OutputSpec,
    /// Alert thresholds.
    pub thresholds: Thresholds,
    /// The data that the thresholds were chosen on, and what they reach there.
    pub operating_point: String,
    /// When a level counts as seen.
    pub presence: PresenceSpec,
    /// How a study that is unlike the training data is recognized; `None` in packages without it.
    pub features: Option<FeatureSpec>,
}

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// The first key that is unknown, missing or unusable.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let file: File = toml::from_str(text).map_err(|error| ManifestError::Toml(one_line(&error, text)))?;
        let bad = |key, problem: &str| Err(ManifestError::Value { key, problem: problem.to_owned() });
        if file.format != 1 {
            return bad("format", "this version of cspine reads format 1");
        }
        let short = |text: &str| {
            (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        };
        if !short(&file.name) {
            return bad("name", "1 to 40 printable ASCII characters are allowed");
        }
        if !short(&file.version) {
            return bad("version", "1 to 40 printable ASCII characters are allowed");
        }
        if file.sha256.len() != 64 || !file.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return bad("sha256", "64 lower-case hexadecimal digits are needed");
        }
        let nature = match file.nature.as_str() {
            "synthetic" => ModelNature::Synthetic,
            "clinical" => ModelNature::Clinical,
            _ => return bad("nature", "`synthetic` and `clinical` are allowed"),
        };
        let Some(aggregation) = Aggregation::ALL.into_iter().find(|known| known.name() == file.aggregation) else {
            return bad(
                "aggregation",
                "`visibility-weighted-mean`, `visible-top-mean` and `visible-odds-mean` are allowed",
            );
        };
        let mut training_anatomies = file.training_anatomies;
        if let Some(names) = &mut training_anatomies {
            if names.is_empty() || !names.iter().all(|name| short(name)) {
                return bad("training_anatomies", "a list of names of 1 to 40 printable ASCII characters is needed");
            }
            names.sort();
            names.dedup();
        }
        let input = file.input;
        if !(32..=1024).contains(&input.size) {
            return bad("input.size", "32 to 1024 pixels are allowed");
        }
        if !(20.0..=1000.0).contains(&input.millimetres) {
            return bad("input.millimetres", "20 to 1000 mm are allowed");
        }
        let offsets = &input.channel_offsets_mm;
        if !(1..=16).contains(&offsets.len()) || !offsets.iter().all(|mm| mm.abs() <= 100.0) {
            return bad("input.channel_offsets_mm", "1 to 16 offsets within ±100 mm are allowed");
        }
        if !(0.0..=20.0).contains(&input.slab_mm) {
            return bad("input.slab_mm", "0 to 20 mm are allowed");
        }
        let [low, high] = input.window_hu;
        if !(low.abs() <= 32_768.0 && high.abs() <= 32_768.0 && high - low >= 1.0) {
            return bad("input.window_hu", "two HU, the lower first, are needed");
        }
        let probability = |key, value| {
            Probability::new(value)
                .ok_or(ManifestError::Value { key, problem: "a number from 0 to 1 is needed".to_owned() })
        };
        let thresholds = Thresholds {
            overall: probability("thresholds.overall", file.thresholds.overall)?,
            level: probability("thresholds.level", file.thresholds.level)?,
            distance: file.features.as_ref().map(|features| features.threshold),
        };
        probability("presence.vertebra", file.presence.vertebra)?;
        if !(0.0..=100.0).contains(&file.presence.minimum_mm) {
            return bad("presence.minimum_mm", "0 to 100 mm are allowed");
        }
        if file.features.as_ref().is_some_and(|features| !(features.threshold > 0.0 && features.threshold.is_finite()))
        {
            return bad("features.threshold", "a positive number is needed");
        }
        Ok(Self {
            name: file.name,
            version: file.version,
            sha256: file.sha256,
            nature,
            aggregation,
            intended_use: file.intended_use,
            training_data: file.training_data,
            training_anatomies,
            input,
            outputs: file.outputs,
            thresholds,
            operating_point: format!("{}: {}", file.thresholds.data, file.thresholds.operating_point),
            presence: file.presence,
            features: file.features,
        })
    }
}

/// A TOML error without its drawing: line, then message.
fn one_line(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
    let message = error.message().replace('\n', ", ");
    line.map_or(message.clone(), |line| format!("line {line}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = include_str!("manifest_example.toml");

    #[test]
    fn a_good_manifest_is_read() {
        let manifest = Manifest::parse(GOOD).expect("good");
        assert_eq!(manifest.input.size, 384);
        assert_eq!(manifest.aggregation, Aggregation::VisibilityWeightedMean);
        assert_eq!(manifest.nature, ModelNature::Synthetic);
        assert_eq!(manifest.training_anatomies, None);
    }

    #[test]
    fn training_anatomies_are_sorted() {
        let named = "training_data = \"none\"\ntraining_anatomies = [\"parametric\", \"VHF\", \"VHF\"]";
        let manifest = Manifest::parse(&GOOD.replace("training_data = \"none\"", named)).expect("good");
        assert_eq!(manifest.training_anatomies, Some(vec!["VHF".to_owned(), "parametric".to_owned()]));
    }

    #[test]
    fn a_features_section_needs_a_positive_threshold() {
        let with = |threshold: &str| {
            let section =
                format!("{GOOD}\n[features]\noutput = \"features\"\nthreshold = {threshold}\ndata = \"none\"\n");
            Manifest::parse(&section)
        };
        assert_eq!(with("1.5").expect("good").thresholds.distance, Some(1.5));
        for wrong in ["0.0", "nan", "inf"] {
            assert!(with(wrong).expect_err("bad").to_string().contains("features.threshold"), "{wrong}");
        }
        let without = Manifest::parse(GOOD).expect("good");
        assert_eq!((without.features, without.thresholds.distance), (None, None));
    }

    #[test]
    fn a_bad_manifest_names_the_key() {
        for (from, to, key) in [
            ("size = 384", "size = 0", "input.size"),
            ("nature = \"synthetic\"", "nature = \"real\"", "nature"),
            ("level = 0.3", "level = 1.3", "thresholds.level"),
            ("millimetres = 192.0", "millimeters = 192.0", "millimeters"),
            ("format = 1", "format = 2", "format"),
            ("window_hu = [-600.0, 1400.0]", "window_hu = [1400.0, -600.0]", "input.window_hu"),
            ("size = 384", "size = 384\ncentre = \"heart\"", "heart"),
            ("training_data = \"none\"", "training_data = \"none\"\ntraining_anatomies = []", "training_anatomies"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let error = Manifest::parse(&GOOD.replace(from, to)).expect_err("bad").to_string();
            assert!(error.contains(key), "{error} does not name {key}");
        }
    }
}
