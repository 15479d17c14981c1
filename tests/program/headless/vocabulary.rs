//! One vocabulary: `predict`, `report`, `inspect` and `watch` write one JSON document and one CSV table, by one published schema.

use super::*;
use crate::support::json_schema;

/// The schema that a command publishes.
fn published(home: &Path, command: &str) -> Value {
    let (code, text, error) = run(home, &[command, "--schema"]);
    assert_eq!(code, 0, "{command}: {error}");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn four_commands_publish_one_schema() {
    let home = tempfile::tempdir().expect("a home");
    let schema = published(home.path(), "report");
    assert_eq!(schema["title"], "ResultsDocument");
    for command in ["predict", "inspect", "watch"] {
        assert_eq!(published(home.path(), command), schema, "{command}");
    }
    for command in ["predict", "inspect", "watch"] {
        assert_eq!(run(home.path(), &[command]).0, 2, "{command} needs a path without --schema");
    }
}

/// A study that headers exclude, told by every command: the same document, the same row, `null` for what is not known.
#[test]
fn four_commands_say_the_same_of_a_study() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    short_studies(data.path(), 0..1);
    std::fs::write(data.path().join("notes.txt"), "no DICOM").expect("written");
    let schema = published(home.path(), "report");
    let mut line_schema = schema.clone();
    line_schema["$ref"] = "#/$defs/StudyDocument".into();
    for name in ["type", "properties", "required"] {
        line_schema.as_object_mut().expect("an object").remove(name);
    }
    let commands: &[&str] =
        if can_analyse(home.path()) { &["report", "inspect", "predict"] } else { &["report", "inspect"] };
    let out = |command: &str, form: &str| run(home.path(), &[command, "--format", form, path(data.path())]).1;
    let mut told: Vec<Value> = Vec::new();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for command in commands {
        let document: Value = serde_json::from_str(&out(command, "json")).expect(command);
        assert_eq!(json_schema::problems(&schema, &document), [""; 0], "{command}");
        let line: Value = serde_json::from_str(&out(command, "jsonl")).expect(command);
        assert_eq!(json_schema::problems(&line_schema, &line), [""; 0], "{command}");
        assert_eq!(document["studies"], Value::Array(vec![line.clone()]), "{command}: a line is a study");
        let files = if *command == "report" { Value::Null } else { document["files"]["not_dicom"].clone() };
        assert_eq!(files, if *command == "report" { Value::Null } else { 1.into() }, "{command}");
        told.push(line);
        let csv = out(command, "csv");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
        rows.extend(reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect::<Vec<_>>()));
    }
    if commands.contains(&"predict") {
        let watch = ["watch", "--headless", "--once", "--settle", "0", path(data.path())];
        told.extend(json_lines(&run(home.path(), &watch).1));
        assert_eq!(told.len(), 4);
    }
    let analysis = &told[0]["analysis"];
    assert_eq!((&analysis["status"], &analysis["reason"]["name"]), (&"not_analyzed".into(), &"too-few-slices".into()));
    for study in &mut told {
        let reading = ["decision", "log", "key_images", "measurements"].map(|name| study[name].take());
        assert!(reading.iter().all(Value::is_null) || reading.iter().all(|value| !value.is_null()), "{reading:?}");
    }
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:#?}");
    // Rows alternate between a header and the study. Only the report knows that nobody has read it.
    let state = rows[0].iter().position(|name| name == "state").expect("a column");
    assert_eq!((rows[1][state].as_str(), rows[3][state].as_str()), ("unread", ""));
    rows.iter_mut().filter(|row| row[0] != "study_instance_uid").for_each(|row| row[state].clear());
    assert!(rows.chunks(2).all(|pair| pair == &rows[..2]), "{rows:#?}");
}

#[test]
fn kaggle_is_the_former_name_of_submission() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    if !can_analyse(home.path()) {
        return;
    }
    coarse_necks(1, data.path());
    let images = data.path().join("train_images");
    let (_, submission, quiet) = run(home.path(), &["predict", "--format", "submission", path(&images)]);
    let (_, kaggle, told) = run(home.path(), &["predict", "--format", "kaggle", path(&images)]);
    assert_eq!((submission.lines().next(), &kaggle), (Some("row_id,fractured"), &submission));
    assert!(submission.contains("_patient_overall,") && told.contains("--format submission") && quiet.is_empty());
    assert!(!run(home.path(), &["predict", "--help"]).1.contains("kaggle"), "the former name is hidden");
    assert_eq!(run(home.path(), &["report", "--format", "submission", path(&images)]).1, submission);
}
