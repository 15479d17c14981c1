//! What the network runs on: engines that are not there are told and replaced, threads are held, mistakes are named.

use crate::support::{necks, network};
use cspine::dicom::{load_volume, scan_all};
use cspine::domain::Series;
use cspine::inference::{Analyser, Compute, Engine, ModelSource, Package};
use cspine::task::Cancel;
use necks::coarse_necks;
use network::can_analyse;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cspine"));
    command.args(arguments).env("HOME", home).env_remove("ORT_DYLIB_PATH");
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"] {
        command.env_remove(name);
    }
    let Output { status, stdout, stderr } = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

fn overall(json: &str) -> f64 {
    let all: Value = serde_json::from_str(json).expect("JSON");
    all["studies"][0]["analysis"]["overall"].as_f64().unwrap_or_else(|| panic!("no overall probability in {json}"))
}

#[test]
fn an_engine_that_is_not_there_is_told_and_the_cpu_gives_the_numbers() {
    let home = tempfile::tempdir().expect("a folder");
    if !can_analyse(&home.path().join("cache")) {
        return;
    }
    let studies = home.path().join("studies");
    coarse_necks(1, &studies);
    let studies = studies.to_str().expect("a path");
    let predict =
        |more: &[&str]| run(home.path(), &[&["predict", "--again", "--format", "json"], more, &[studies]].concat());
    let (code, plain, told) = predict(&["--engine", "cpu", "--threads", "1"]);
    assert_eq!((code, told.contains("engine")), (0, false), "{told}");
    let (code, other, told) = predict(&["--engine", "cuda"]);
    assert_eq!(code, 0);
    assert!(told.contains("no cuda engine; the CPU is used (ORT_DYLIB_PATH"), "{told}");
    assert!((overall(&plain) - overall(&other)).abs() < 1e-4, "{plain}\n{other}");
    let (code, out, _) = run(home.path(), &["doctor", "--engine", "cuda"]);
    assert_eq!(code, 1, "what was asked for and is not there needs attention");
    assert!(out.contains("engine         cpu") && out.contains("no cuda engine"), "{out}");
}

#[test]
fn the_bench_of_doctor_measures_the_cpu() {
    let home = tempfile::tempdir().expect("a folder");
    if !can_analyse(&home.path().join("cache")) {
        return;
    }
    let (_, out, _) = run(home.path(), &["doctor", "--bench"]);
    assert!(out.contains("bench cpu") && out.contains("slices/s: ") && out.contains(" by 16"), "{out}");
}

#[test]
fn a_word_that_is_no_engine_is_a_mistake_that_names_the_engines() {
    let home = tempfile::tempdir().expect("a folder");
    for arguments in
        [["predict", "--engine", "gpu", "x"], ["evaluate", "--engine", "gpu", "x"], ["demo", "--engine", "gpu", ""]]
    {
        let arguments: Vec<&str> = arguments.into_iter().filter(|word| !word.is_empty()).collect();
        let (code, _, told) = run(home.path(), &arguments);
        assert_eq!(code, 2, "{told}");
        assert!(told.contains("openvino"), "{told}");
    }
    // In the settings, too: nothing goes on by another engine than was meant.
    let settings = home.path().join(".config/cspine");
    std::fs::create_dir_all(&settings).expect("a folder");
    std::fs::write(settings.join("settings.toml"), "[compute]\nengine = \"gpu\"\n").expect("settings");
    let studies = home.path().join("studies");
    coarse_necks(1, &studies);
    let (code, _, told) = run(home.path(), &["predict", "--again", studies.to_str().expect("a path")]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("settings.toml") && told.contains("gpu"), "{told}");
    let (code, _, told) = run(home.path(), &["predict", "--threads", "0", "x"]);
    assert_eq!(code, 2, "{told}");
}

/// With `CSPINE_OPENVINO` naming an ONNX Runtime that has OpenVINO (the wheel onnxruntime-openvino), its numbers are those of the CPU.
#[test]
fn another_engine_gives_the_cpus_numbers() {
    let Some(library) = std::env::var_os("CSPINE_OPENVINO") else {
        println!("skipped: CSPINE_OPENVINO names no ONNX Runtime with OpenVINO");
        return;
    };
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cspine"));
    command.args(["doctor", "--engine", "openvino"]).env("HOME", home.path()).env("ORT_DYLIB_PATH", library);
    let out = String::from_utf8(command.output().expect("the program runs").stdout).expect("text");
    assert!(out.contains("engine         openvino"), "{out}");
}

#[test]
fn a_study_that_grew_costs_its_new_slices_and_the_numbers_are_those_of_the_whole() {
    let home = tempfile::tempdir().expect("a folder");
    let cache = home.path().join("cache");
    if !can_analyse(&cache) {
        return;
    }
    let folder = home.path().join("studies");
    coarse_necks(1, &folder);
    let (studies, ..) = scan_all(&[folder], &Cancel::new());
    let whole = &studies[0].series[0];
    let most = Series { instances: whole.instances[..whole.instances.len() - 8].to_vec(), ..whole.clone() };
    let volume = |series: &Series| load_volume(series, &Cancel::new(), &|_, _| {}).expect("a volume");
    let load = || Package::load(&ModelSource::Embedded, Some(&cache), Compute::default()).expect("the model");
    let analyse = |package: &mut Package, series: &Series| {
        let mut analyser = Analyser::new();
        let report = analyser.finish(package, &volume(series), &studies[0].uid, &mut |_| {}).expect("a report");
        (report, analyser.remembered())
    };
    let mut package = load();
    let (first, remembered) = analyse(&mut package, &most);
    assert_eq!(remembered, 0);
    let (grown, remembered) = analyse(&mut package, whole);
    // What changes beside the new slices is the neighbourhood of the old end.
    assert!(remembered + 10 >= first.slices.len(), "{remembered} of {} slices were known", first.slices.len());
    let (fresh, _) = analyse(&mut load(), whole);
    assert!((grown.overall.value() - fresh.overall.value()).abs() < 1e-5, "{:?} {:?}", grown.overall, fresh.overall);
    let (again, remembered) = analyse(&mut package, whole);
    assert_eq!((remembered, again.overall), (again.slices.len(), grown.overall), "nothing is computed twice");
}

#[test]
fn auto_is_quiet_where_only_the_cpu_is_there() {
    let home = tempfile::tempdir().expect("a folder");
    let cache = home.path().join("cache");
    if !can_analyse(&cache) || std::env::var_os("ORT_DYLIB_PATH").is_some() {
        return;
    }
    let package = Package::load(&ModelSource::Embedded, Some(&cache), Compute::default()).expect("the model");
    assert_eq!((package.engine, package.notices), (Engine::Cpu, Vec::new()));
}
