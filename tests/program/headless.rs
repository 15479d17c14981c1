//! The commands without a screen: watch, predict, report, stats, completions and manual pages.

use crate::support::{made, necks, network};
mod anonymity;
mod limits;
mod tensors;
mod vocabulary;

use cspine::dicom::{load_volume, scan_all};
use cspine::domain::{
    Act, Annotation, AnnotationChange, Axis, CervicalLevel, CleanText, Draft, Geometry, KeyImage, LevelVerdict,
    Measurement, NoteText, Place, Stamp, StudyVerdict, Uid,
};
use cspine::store::Store;
use cspine::task::Cancel;
use dicom_dictionary_std::tags;
use made::{EXPLICIT, Writing, data_set, part10, set, slice, text};
use necks::coarse_necks;
use network::can_analyse;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Long enough for a slow machine under load; a passing test waits for its condition only.
const PATIENCE: Duration = Duration::from_secs(300);

/// The program with a home of its own, in which it keeps everything.
fn cspine(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cspine"));
    command.args(arguments).env("HOME", home);
    for name in ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"] {
        command.env_remove(name);
    }
    command
}

fn run(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = cspine(home, arguments).output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Studies of four slices each, which are too few for a neck: told at once, without the network.
fn short_studies(folder: &Path, numbers: std::ops::Range<usize>) {
    for study in numbers {
        let place = folder.join(format!("study{study}"));
        std::fs::create_dir(&place).expect("a folder");
        for number in 1..=4 {
            let mut elements = slice(number);
            set(&mut elements, text((0x0020, 0x000D), "UI", &format!("2.25.10.{study}")));
            set(&mut elements, text((0x0020, 0x000E), "UI", &format!("2.25.11.{study}")));
            set(&mut elements, text((0x0008, 0x0018), "UI", &format!("2.25.12.{study}.{number}")));
            let file = part10(EXPLICIT, &data_set(&elements, Writing::Explicit));
            std::fs::write(place.join(format!("{number}.dcm")), file).expect("written");
        }
    }
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

fn uids(lines: &[Value]) -> Vec<&str> {
    let mut uids: Vec<&str> = lines.iter().map(|line| line["study_instance_uid"].as_str().expect("a UID")).collect();
    uids.sort_unstable();
    uids
}

/// Waits until something holds.
fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, signal).expect("a signal");
}

fn started(command: &mut Command) -> (Child, BufReader<ChildStdout>) {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    (child, output)
}

fn line(output: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    output.read_line(&mut line).expect("its output");
    serde_json::from_str(&line).expect("a JSON object")
}

/// A hook that writes what it was told into a folder, and waits while there is a file called `hold` for any study but the first.
fn hook(home: &Path) -> std::path::PathBuf {
    let hook = home.join("hook");
    let script = "#!/bin/sh\ncat > \"$HOOKED/$CSPINE_STUDY_UID\"\n\
                  [ \"$CSPINE_STATUS\" = not_analyzed ] || exit 7\n\
                  while [ -e \"$HOOKED/hold\" ] && [ \"$(ls \"$HOOKED\" | wc -l)\" -gt 2 ]; do sleep 0.05; done\n";
    std::fs::write(&hook, script).expect("written");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("executable");
    hook
}

#[test]
fn a_killed_watch_goes_on_where_it_was_and_tells_nothing_twice() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    if !can_analyse(home.path()) {
        return;
    }
    short_studies(data.path(), 0..3);
    let hooked = tempfile::tempdir().expect("a folder");
    std::fs::write(hooked.path().join("hold"), "").expect("written");
    let hook = hook(home.path());
    let arguments = ["watch", "--headless", "--once", "--settle", "0", "--hook", path(&hook), path(data.path())];
    let (mut child, mut output) = started(cspine(home.path(), &arguments).env("HOOKED", hooked.path()));
    let first = line(&mut output);
    assert_eq!(first["analysis"]["status"], "not_analyzed");
    // The first study is told and noted, the second is with its hook: killed there, it was not told to the end.
    wait_for("the second study's hook", || std::fs::read_dir(hooked.path()).expect("a folder").count() == 3);
    signal(&child, Signal::KILL);
    child.wait().expect("its end");
    std::fs::remove_file(hooked.path().join("hold")).expect("removed");

    let again = cspine(home.path(), &arguments).env("HOOKED", hooked.path()).output().expect("the program runs");
    let told = json_lines(&String::from_utf8(again.stdout).expect("text"));
    assert_eq!(told.len(), 2, "the first is not told again: {told:?}");
    assert!(!uids(&told).contains(&first["study_instance_uid"].as_str().expect("a UID")));
    assert_eq!(again.status.code(), Some(1), "no study was analyzed");
    let heard: Value =
        serde_json::from_slice(&std::fs::read(hooked.path().join("2.25.10.2")).expect("what the hook was told"))
            .expect("JSON");
    assert_eq!(heard["study_instance_uid"], "2.25.10.2");

    let third = cspine(home.path(), &arguments).env("HOOKED", hooked.path()).output().expect("the program runs");
    assert_eq!((third.status.code(), third.stdout.len()), (Some(0), 0), "nothing is new");
    short_studies(data.path(), 3..4);
    let fourth = cspine(home.path(), &arguments).env("HOOKED", hooked.path()).output().expect("the program runs");
    assert_eq!(uids(&json_lines(&String::from_utf8(fourth.stdout).expect("text"))), ["2.25.10.3"]);
}

#[test]
fn a_watch_takes_what_arrives_and_ends_cleanly_by_a_signal() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    if !can_analyse(home.path()) {
        return;
    }
    let arguments = ["watch", "--headless", "--settle", "0", "--every", "1", path(data.path())];
    let (mut child, mut output) = started(&mut cspine(home.path(), &arguments));
    short_studies(data.path(), 0..1);
    assert_eq!(line(&mut output)["study_instance_uid"], "2.25.10.0");
    short_studies(data.path(), 1..2);
    assert_eq!(line(&mut output)["study_instance_uid"], "2.25.10.1");
    signal(&child, Signal::TERM);
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}

#[test]
fn a_hook_that_fails_is_told_and_run_again() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    if !can_analyse(home.path()) {
        return;
    }
    short_studies(data.path(), 0..1);
    let arguments = ["watch", "--headless", "--once", "--settle", "0", "--hook", "/nowhere/hook", path(data.path())];
    for _ in 0..2 {
        let (code, out, error) = run(home.path(), &arguments);
        assert_eq!((code, json_lines(&out).len()), (1, 1));
        assert!(error.contains("the hook /nowhere/hook cannot be started"), "{error}");
    }
    let (code, _, error) = run(home.path(), &["watch", "--headless", "/nowhere"]);
    assert_eq!(code, 3, "{error}");
    assert_eq!(run(home.path(), &["watch", path(data.path())]).0, 2, "there is a screen for that");
}

#[test]
fn what_was_analysed_once_comes_from_the_store() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    if !can_analyse(home.path()) {
        return;
    }
    coarse_necks(2, data.path());
    let images = data.path().join("train_images");
    let predict = ["predict", "--format", "jsonl", "--jobs", "2", path(&images)];
    let (code, out, error) = run(home.path(), &predict);
    assert_eq!(code, 0, "{error}");
    assert!(error.is_empty(), "no bar where there is no terminal: {error:?}");
    let sorted = |text: &str| {
        let mut lines = json_lines(text);
        lines.sort_by_key(|line| line["study_instance_uid"].to_string());
        lines
    };
    let first = sorted(&out);
    assert_eq!(first.len(), 2);
    // A kept report has the times of the day on which it was made.
    assert_eq!(sorted(&run(home.path(), &predict).1), first);
    let again = sorted(&run(home.path(), &["predict", "--format", "jsonl", "--again", path(&images)]).1);
    let (again, before) = (&again[0]["analysis"], &first[0]["analysis"]);
    assert_eq!((&again["overall"], &again["levels"]), (&before["overall"], &before["levels"]));
    assert_ne!(again["timing"], before["timing"], "computed again");
    // The same report is there for others, with its structured report.
    let (code, json, _) = run(home.path(), &["report", "--format", "json", path(&images)]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((code, json["studies"].as_array().map(Vec::len)), (0, Some(2)));
    assert!(json["studies"].as_array().expect("studies").iter().all(|study| study["analysis"]["status"] == "analyzed"));
    let out = home.path().join("sr");
    assert_eq!(run(home.path(), &["report", "--format", "sr", "--out", path(&out), path(&images)]).0, 0);
    assert_eq!(std::fs::read_dir(&out).expect("a folder").count(), 2);
}

#[test]
fn what_a_scan_cannot_show_is_told_beside_its_numbers() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    if !can_analyse(home.path()) {
        return;
    }
    coarse_necks(1, data.path());
    let images = data.path().join("train_images");
    let study = std::fs::read_dir(&images).expect("a folder").next().expect("a study").expect("an entry").path();
    // Every second slice of 3 mm.
    for number in (2..).step_by(2).take_while(|number| study.join(format!("{number}.dcm")).exists()) {
        std::fs::remove_file(study.join(format!("{number}.dcm"))).expect("removed");
    }
    let notice = "slices 6.0 mm apart: thin breaks can fall between them";
    let (code, table, error) = run(home.path(), &["predict", path(&images)]);
    assert_eq!(code, 0, "{error}");
    // Head line, the study's line, its notice.
    assert_eq!(table.lines().nth(2).map(str::trim), Some(notice), "under its study: {table}");
    let json = json_lines(&run(home.path(), &["predict", "--format", "jsonl", path(&images)]).1);
    assert_eq!(json[0]["analysis"]["coverage"][0]["text"], notice);
    assert_eq!(json[0]["series"][0]["coverage"], json[0]["analysis"]["coverage"], "also beside the series");
}

/// A store in which the first short study is negative, and the second has a broken level and no verdict.
fn decided(home: &Path) -> std::path::PathBuf {
    let folder = home.join("decisions");
    let mut store = Store::open(&folder).expect("a store");
    let mut append = |minute: i64, study: &str, act: Act| {
        let at = Stamp { utc_ms: 1_795_595_400_000 + minute * 60_000, offset_minutes: 60 };
        let draft = Draft { study: Uid::from_file(study), act, report: None, blinded: false };
        store.append(&CleanText::new("lm"), at, &draft).expect("kept");
    };
    append(0, "2.25.10.0", Act::Study(StudyVerdict::Negative));
    append(
        24 * 60,
        "2.25.10.1",
        Act::Level { level: CervicalLevel::C6, verdict: LevelVerdict::Fractured, agreement: None },
    );
    folder
}

#[test]
fn reports_say_what_was_decided_and_never_replace_a_file_unasked() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    short_studies(data.path(), 0..3);
    let store = decided(home.path());
    let report = |more: &[&str]| {
        let mut arguments = vec!["report", "--data", path(&store), path(data.path())];
        arguments.extend(more);
        run(home.path(), &arguments)
    };
    let (code, text, _) = report(&["--study", "2.25.10.0"]);
    assert_eq!(code, 0);
    assert!(text.contains("negative · lm · 2026-11-25 09:30 +01:00"), "{text}");
    assert!(text.contains("not analyzed: 4 slices, too few for a neck"), "{text}");
    let rows = |more: &[&str]| report(&[&["--format", "csv"], more].concat()).1.lines().count() - 1;
    assert_eq!(
        (rows(&[]), rows(&["--state", "negative"]), rows(&["--state", "begun", "--state", "unread"])),
        (3, 1, 2)
    );
    assert_eq!((rows(&["--since", "2026-11-25"]), rows(&["--since", "2026-11-26"])), (2, 1));
    assert_eq!(report(&["--since", "26.11.2026"]).0, 2);
    assert_eq!(report(&["--state", "positive"]).0, 3);
    let out = home.path().join("out.csv");
    assert_eq!(report(&["--format", "csv", "--out", path(&out)]).0, 0);
    assert_eq!(std::fs::metadata(&out).expect("a file").permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&out).expect("a file");
    let (code, _, error) = report(&["--format", "json", "--out", path(&out)]);
    assert_eq!((code, std::fs::read(&out).expect("a file")), (2, before), "{error}");
    assert!(error.contains("--overwrite"), "{error}");
    assert_eq!(report(&["--format", "json", "--out", path(&out), "--overwrite"]).0, 0);
    let (code, _, error) = report(&["--format", "sr"]);
    assert_eq!(code, 2, "{error}");
    let folder = home.path().join("sr");
    assert_eq!(report(&["--format", "sr", "--out", path(&folder)]).0, 0);
    assert!(folder.join("2.25.10.0.sr.dcm").is_file());
    let schema: Value = serde_json::from_str(&run(home.path(), &["report", "--schema"]).1).expect("a schema");
    assert_eq!(schema["title"], "ResultsDocument");
    // Without a path: what the store knows. Decisions leave even where nothing else is left of a study.
    let (code, text, _) = run(home.path(), &["report", "--data", path(&store), "--state", "negative"]);
    assert!(code == 0 && text.contains("2.25.10.0") && text.contains("negative · lm"), "{text}");
}

#[test]
fn key_images_and_measurements_leave_the_store_as_the_reader_saw_them() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    short_studies(data.path(), 0..1);
    let folder = home.path().join("marks");
    let mut store = Store::open(&folder).expect("a store");
    let (study, series) = (Uid::from_file("2.25.10.0"), Uid::from_file("2.25.11.0"));
    let mut put = |annotation: Annotation| {
        let at = Stamp { utc_ms: 1_795_595_400_000, offset_minutes: 60 };
        store.annotate("lm", at, &study, &AnnotationChange::Put(annotation)).expect("kept");
    };
    // The second slice from the head, z = 6 mm, whose values are −808 to −745 HU: half of them black, half white.
    put(Annotation::KeyImage(KeyImage {
        id: 1,
        series: series.clone(),
        instance: Uid::from_file("2.25.12.0.3"),
        frame: 0,
        plane: Axis::HeadFoot,
        slice: 1,
        point: Some([0.0, 0.0, 6.0]),
        center: -776.5,
        width: 1.0,
        inverted: false,
        comment: "arch".into(),
    }));
    // The one below it, with a measurement on it.
    let ends = [[0.0, 0.0, 4.0], [3.0, 4.0, 4.0]].map(|mm| Place::Patient { mm });
    put(Annotation::Measurement(Measurement { id: 2, series: series.clone(), geometry: Geometry::Distance { ends } }));
    put(Annotation::KeyImage(KeyImage {
        id: 3,
        series,
        instance: Uid::from_file("2.25.12.0.2"),
        frame: 0,
        plane: Axis::HeadFoot,
        slice: 2,
        point: Some([0.0, 0.0, 4.0]),
        center: -776.5,
        width: 1.0,
        inverted: false,
        comment: String::new(),
    }));
    let report = |more: &[&str]| {
        let mut arguments = vec!["report", "--data", path(&folder), path(data.path())];
        arguments.extend(more);
        run(home.path(), &arguments)
    };
    let (code, text, error) = report(&[]);
    assert_eq!(code, 0, "{error}");
    assert!(text.contains("axial slice 2: arch") && text.contains("2  distance 5.0 mm"), "{text}");
    let out = home.path().join("sc");
    let (code, _, error) = report(&["--format", "sc", "--out", path(&out)]);
    assert_eq!(code, 0, "{error}");
    let (studies, ..) = scan_all(&[out.join("2.25.10.0.key1.sc.dcm")], &Cancel::new());
    assert_eq!(studies[0].uid, study, "it belongs to its study");
    let picture = load_volume(&studies[0].series[0], &Cancel::new(), &|_, _| {}).expect("an image");
    assert_eq!((picture.shape.rows, picture.shape.columns), (1024, 1024), "a square slice fills it");
    let white = picture.voxels.iter().filter(|value| **value == 255).count();
    let black = picture.voxels.iter().filter(|value| **value == 0).count();
    let third = picture.voxels.len() / 3;
    assert!(white > third && black > third, "its own window: {black} black, {white} white");
    // What was measured on a key image is drawn into it, as it is on the screen.
    let marked = dicom_object::open_file(out.join("2.25.10.0.key3.sc.dcm")).expect("a file");
    let text = |tag| marked.element(tag).expect("an element").to_str().expect("text").trim().to_owned();
    assert_eq!((text(tags::PHOTOMETRIC_INTERPRETATION), text(tags::BURNED_IN_ANNOTATION)), ("RGB".into(), "NO".into()));
    assert!(text(tags::DERIVATION_DESCRIPTION).ends_with("; 2: distance 5.0 mm"));
    let pixels = marked.element(tags::PIXEL_DATA).expect("pixels").to_bytes().expect("bytes").into_owned();
    let green = pixels.chunks_exact(3).filter(|pixel| pixel[1] > pixel[0]).count();
    assert!((500..50_000).contains(&green), "a line and its number: {green} pixels");
}

#[test]
fn statistics_of_a_small_store_say_that_it_is_small() {
    let home = tempfile::tempdir().expect("a home");
    let store = decided(home.path());
    let (code, text, _) = run(home.path(), &["stats", "--data", path(&store)]);
    assert_eq!(code, 0);
    assert!(text.contains("2 studies in the log: 1 begun, 1 negative"), "{text}");
    assert!(text.contains("No assessment can be compared with a report yet."), "{text}");
    let json: Value = serde_json::from_str(&run(home.path(), &["stats", "--data", path(&store), "--format", "json"]).1)
        .expect("JSON");
    assert_eq!((&json["studies"], &json["without_report"]), (&Value::from(2), &Value::from(1)));
    assert_eq!(run(home.path(), &["stats", "--shifts", "25"]).0, 2);
    let (code, text, _) = run(home.path(), &["stats", "--data", path(&home.path().join("none"))]);
    assert_eq!(code, 0);
    assert!(text.contains("0 studies in the log"), "{text}");
    assert!(!home.path().join("none").exists(), "reading makes no store");
}

#[test]
fn shells_and_man_know_every_command() {
    let home = tempfile::tempdir().expect("a home");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, text, error) = run(home.path(), &["completions", shell]);
        assert_eq!(code, 0, "{error}");
        for command in ["predict", "watch", "report", "stats", "--headless"] {
            assert!(text.contains(command.trim_start_matches('-')), "{shell} knows {command}");
        }
    }
    let (code, text, _) = run(home.path(), &["man"]);
    assert_eq!(code, 0);
    assert!(text.contains(".TH cspine 1") && text.contains("cspine\\-report(1)"), "{text}");
    let out = home.path().join("man");
    assert_eq!(run(home.path(), &["man", "--out", path(&out)]).0, 0);
    for page in ["cspine.1", "cspine-predict.1", "cspine-watch.1", "cspine-report.1", "cspine-stats.1"] {
        assert!(out.join(page).is_file(), "{page}");
    }
    assert!(!out.join("cspine-help.1").exists(), "clap's own command has no page");
}
