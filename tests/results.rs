//! What leaves the program: JSON that keeps its published schema, tables, pages, structured reports and captures.

#[path = "support/json_schema.rs"]
mod json_schema;
#[path = "support/made.rs"]
mod made;
#[path = "support/result.rs"]
mod support;

#[path = "results/dicom.rs"]
mod dicom;

use cspine::domain::{Analysis, NotAnalysed};
use cspine::results::{ResultsDocument, StudyResult, markdown, schema, submission, table, text};
use serde_json::Value;
use support::{WRITTEN, bare, result};

/// The full study, one not looked at, one declined and one failed.
fn all() -> Vec<StudyResult> {
    let folder = tempfile::tempdir().expect("a folder");
    let full = result(folder.path());
    let mut declined = bare(&full);
    declined.analysis = Some(Analysis::NotAnalysed(NotAnalysed::NoCervicalSpine));
    let mut failed = bare(&full);
    failed.analysis = Some(Analysis::Failed("the disk is full; make room and try again".into()));
    vec![full.clone(), bare(&full), declined, failed]
}

#[test]
fn the_page_says_who_decided_what_by_which_model() {
    let all = all();
    let full = text(&all[0], WRITTEN);
    assert!(full.lines().all(|line| line.chars().count() <= 80), "80 columns are enough:\n{full}");
    insta::assert_snapshot!("page_text", full);
    insta::assert_snapshot!("page_markdown", markdown(&all[0], WRITTEN));
    insta::assert_snapshot!("page_text_bare", text(&all[1], WRITTEN));
    insta::assert_snapshot!("page_text_declined", text(&all[2], WRITTEN));
}

#[test]
fn the_table_has_one_line_a_study_and_no_formulas() {
    let text = table(&all()).expect("a table");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 4);
    let cell = |row: usize, name: &str| {
        let column = header.iter().position(|known| known == name).expect("a column");
        rows[row].get(column).expect("a cell").to_owned()
    };
    for (name, value) in [
        ("study_instance_uid", "2.25.1"),
        ("patient_name", "Grün, Jürgen"),
        ("state", "positive"),
        ("verdict_by", "lmüller"),
        ("verdict_at", "2026-11-25T09:37:00+01:00"),
        ("status", "analysed"),
        ("model", "phantom-b0 0.3.0"),
        ("overall", "0.9"),
        ("alert", "true"),
        ("network_C2", "0.44"),
        ("network_C7", ""),
        ("reader_C2", "fractured"),
        ("reader_C6", "not fractured"),
        ("reader_C7", "not assessable"),
        ("rejected_because_C6", "osteophyte"),
    ] {
        assert_eq!(cell(0, name), value, "{name}");
    }
    assert_eq!(cell(2, "reason"), "no cervical spine seen");
    assert_eq!((cell(1, "status"), cell(3, "status")), ("waiting".into(), "failed".into()));
    let mut evil = all().remove(1);
    let mut study = (*evil.study).clone();
    study.patient.id = cspine::domain::CleanText::new("=HYPERLINK(\"http://x\")");
    evil.study = std::sync::Arc::new(study);
    assert!(table(&[evil]).expect("a table").contains("\"'=HYPERLINK"), "a formula is text");
}

#[test]
fn the_submission_has_no_number_that_nobody_computed() {
    let all = all();
    let reports = all.iter().filter_map(|result| Some((&result.study.uid, result.report()?)));
    assert_eq!(
        submission(reports),
        "row_id,fractured\n2.25.1_C1,0.01\n2.25.1_C2,0.44\n2.25.1_C3,0.02\n2.25.1_C4,0.01\n2.25.1_C5,0.06\n2.25.1_C6,0.81\n\
         2.25.1_patient_overall,0.9\n"
    );
}

#[test]
fn json_keeps_the_schema_that_is_published() {
    let document = ResultsDocument::new(&all(), WRITTEN).to_json().expect("JSON");
    let value: Value = serde_json::from_str(&document).expect("JSON");
    let schema = serde_json::to_value(schema()).expect("a schema");
    let problems = json_schema::problems(&schema, &value);
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(value["format"], 1);
    assert_eq!(value["studies"][0]["decision"]["study"]["who"], "lmüller");
    assert_eq!(value["studies"][0]["analysis"]["levels"][6]["absence"], "not in the scan");
    // The check can fail.
    let mut wrong = value.clone();
    wrong["studies"][0]["analysis"]["overall"] = "high".into();
    wrong["studies"][1]["surprise"] = 1.into();
    wrong["studies"][2]["log"] = Value::Null;
    assert_eq!(json_schema::problems(&schema, &wrong).len(), 3);
    insta::assert_snapshot!("document", document);
}

/// A change of the schema shows here: keys may come; whatever goes or changes its meaning raises `FORMAT`.
#[test]
fn the_schema_changes_only_on_purpose() {
    insta::assert_snapshot!("schema", serde_json::to_string_pretty(&schema()).expect("a schema"));
}
