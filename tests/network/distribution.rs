//! A package with features, through ONNX Runtime: the distance from the training data, and what it does to the alert.

use crate::support::{network, onnx};
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{Alert, DistributionCheck, NoDistance, Study};
use cspine::inference::{Analyser, Compute, ModelSource, Package, PackageError, Preprocessor};
use cspine::phantom::{Anatomy, Coverage, Recipe, write_dataset, write_slice};
use cspine::task::Cancel;
use network::can_analyse;
use onnx::MeanModel;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// A scan of 20 slices of 3 mm, so short that the only level that the model sees may be alone.
fn short_neck(folder: &Path) -> Study {
    let mut recipes = (0..).map(Recipe::random).filter(|recipe| recipe.scan.coverage == Coverage::Neck);
    let mut recipe = recipes.next().expect("a neck");
    (recipe.scan.spacing_mm, recipe.scan.thickness_mm, recipe.scan.slices) = (3.0, 3.0, 20);
    let recipe = recipe.with_matrix(96);
    write_dataset(folder, &[recipe], Anatomy::Parametric, false, &Cancel::new(), &|_| {}, &write_slice)
        .expect("a data set");
    let (studies, _, _) = scan_all(&[folder.join("train_images")], &Cancel::new());
    studies.into_iter().next().expect("a study")
}

fn model(threshold: Option<f32>) -> MeanModel {
    MeanModel { weights: [[0.02, 0.0], [0.01, -0.03], [0.0, 0.01]], bias: [-1.0, 3.5], threshold, output: "features" }
}

fn load(folder: &Path, cache: &Path) -> Result<Package, PackageError> {
    Package::load(&ModelSource::Folder(folder.to_owned()), Some(cache), Compute::default())
}

/// The distance of a volume's inputs, worked out here: every slice shows a level.
fn by_hand(model: &MeanModel, inputs: &[Vec<u8>]) -> f64 {
    let mut mean = [0.0_f64; 2];
    for input in inputs {
        for (channel, weights) in input.chunks(input.len() / 3).zip(model.weights) {
            let level = channel.iter().map(|byte| f64::from(*byte)).sum::<f64>() / channel.len() as f64;
            for (mean, weight) in mean.iter_mut().zip(weights) {
                *mean += level * f64::from(weight) / inputs.len() as f64;
            }
        }
    }
    let squares = mean.iter().zip(model.bias).map(|(mean, bias)| (mean + f64::from(bias)).powi(2));
    (squares.sum::<f64>() / 2.0).sqrt()
}

#[test]
fn the_distance_of_a_study_is_that_of_the_mean_of_its_slices() {
    let home = tempfile::tempdir().expect("a folder");
    let cache = home.path().join("cache");
    if !can_analyse(&cache) {
        return;
    }
    let study = short_neck(home.path());
    let volume = load_volume(&study.series[0], &Cancel::new(), &|_, _| {}).expect("readable");
    let report = |threshold: Option<f32>, bias: Option<[f32; 2]>| {
        let folder = home.path().join("model");
        let mut model = model(threshold);
        model.bias = bias.unwrap_or(model.bias);
        model.write(&folder);
        let mut package = load(&folder, &cache).expect("a package");
        let preprocessor = Preprocessor::new(&volume, &package.manifest.input).expect("a neck");
        let inputs: Vec<Vec<u8>> = (0..20).map(|slice| preprocessor.input(slice).expect("a slice")).collect();
        let expected = by_hand(&model, &inputs);
        let mut analyze = || {
            let mut analyser = Analyser::new();
            let report = analyser.finish(&mut package, &volume, &study.uid, &mut |_| {}).expect("a report");
            if let Some(DistributionCheck::Measured { distance, .. }) = report.distribution {
                assert!((f64::from(distance) - expected).abs() < 1e-4 * expected, "{distance}, not {expected}");
            }
            assert_eq!(report.slices.len(), 20, "the test's distance is that of all slices");
            (report, analyser.remembered())
        };
        let (first, again) = (analyze(), analyze());
        assert_eq!((first.1, again.1), (0, 20), "the second analysis takes its slices from memory");
        assert_eq!(first.0.distribution, again.0.distribution, "and so their features");
        (first.0, expected)
    };
    let (plain, expected) = report(None, None);
    assert_eq!((plain.distribution, plain.alert()), (None, Alert::Raised));
    assert!(expected > 0.1, "the test needs a distance that limits can lie around: {expected}");
    let (near, _) = report(Some(expected as f32 * 1.1), None);
    assert!(!near.is_out_of_distribution() && near.alert() == Alert::Raised, "{:?}", near.distribution);
    let (far, _) = report(Some(expected as f32 * 0.9), None);
    assert!(far.is_out_of_distribution() && far.alert() == Alert::Withheld, "{:?}", far.distribution);
    assert_eq!(far.overall, near.overall, "the number stays");
    let (unknown, _) = report(Some(1.0), Some([f32::NAN, 0.0]));
    assert_eq!(unknown.distribution, Some(DistributionCheck::Unmeasured(NoDistance::NotFinite)));
    assert_eq!(unknown.alert(), Alert::Raised, "an unknown distance withholds nothing");
}

#[test]
fn an_output_that_is_not_one_vector_a_slice_is_refused_when_the_package_is_loaded() {
    let home = tempfile::tempdir().expect("a folder");
    let cache = home.path().join("cache");
    if !can_analyse(&cache) {
        return;
    }
    for (output, problem) in
        [("pooled", "the features have the shape [1, 3, 1, 1], [1, d] is needed"), ("absent", "\"absent\"")]
    {
        let folder = home.path().join(output);
        MeanModel { output, ..model(Some(1.0)) }.write(&folder);
        let error = load(&folder, &cache).expect_err("no features").to_string();
        assert!(error.contains(problem), "{error}");
    }
}

fn predict(home: &Path, more: &[&str]) -> (String, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cspine"));
    command.args(["predict", "--model"]).arg(home.join("model")).args(more).arg(home.join("train_images"));
    command.env("HOME", home).env_remove("ORT_DYLIB_PATH");
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"] {
        command.env_remove(name);
    }
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let json = serde_json::from_str(&text).unwrap_or_default();
    (text, json)
}

/// The limit is the manifest's: another one counts at once, although the stored report is of the same graph.
#[test]
fn predict_says_what_is_unlike_and_heeds_another_limit() {
    let home = tempfile::tempdir().expect("a folder");
    if !can_analyse(&home.path().join("cache")) {
        return;
    }
    short_neck(home.path());
    let folder = home.path().join("model");
    let analysis = |threshold: Option<f32>| {
        model(threshold).write(&folder);
        predict(home.path(), &["--format", "json"]).1["studies"][0]["analysis"].clone()
    };
    let none = analysis(None);
    assert_eq!((&none["distribution"], &none["alert"]), (&Value::Null, &Value::Bool(true)));
    let far = analysis(Some(0.01));
    let distance = far["distribution"]["distance"].as_f64().expect("a distance");
    assert_eq!(far["distribution"]["unlike_training_data"], true);
    assert_eq!((&far["alert"], &far["alert_withheld"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(far["overall"], none["overall"]);
    assert!(far["distribution"]["text"].as_str().expect("a text").contains("alert withheld: read it yourself"));
    let (table, _) = predict(home.path(), &[]);
    assert!(table.contains("unlike the model's training data: distance") && table.contains(" %?"), "{table}");
    let (csv, _) = predict(home.path(), &["--format", "csv"]);
    let rows: Vec<Vec<String>> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(csv.as_bytes())
        .records()
        .map(|row| row.expect("a row").iter().map(str::to_owned).collect())
        .collect();
    let cell = |name: &str| rows[1][rows[0].iter().position(|column| column == name).expect(name)].clone();
    assert_eq!((cell("alert"), cell("unlike_training_data")), ("false".to_owned(), "true".to_owned()));
    assert!((cell("training_data_distance").parse::<f64>().expect("a number") - distance).abs() < 1e-5);
    assert!(cell("warnings").contains("unlike the model's training data"), "{}", cell("warnings"));
    let (hook, told) = (home.path().join("hook"), home.path().join("told"));
    let script = format!("#!/bin/sh\necho \"$CSPINE_ALERT $CSPINE_UNLIKE\" > '{}'\n", told.display());
    std::fs::write(&hook, script).expect("a script");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let hooked = || {
        predict(home.path(), &["--hook", hook.to_str().expect("a path")]);
        std::fs::read_to_string(&told).expect("the hook ran")
    };
    assert_eq!(hooked(), "0 1\n");
    let near = analysis(Some(1000.0));
    assert_eq!(hooked(), "1 0\n");
    assert_eq!(near["distribution"]["unlike_training_data"], false);
    assert_eq!(near["alert"], true);
    assert_eq!(near["model"]["distance_threshold"], 1000.0);
}
