//! What leaves the program: JSON that keeps its published schema, tables, pages, structured reports and captures.

use crate::support::{json_schema, result};
mod conflict;
mod dicom;
mod unlike;

use cspine::domain::{Analysis, CleanText, NotAnalysed};
use cspine::results::{
    ResultsDocument, StudyDocument, StudyFacts, StudyResult, markdown, schema, submission, table, text,
};
use proptest::prelude::*;
use result::{WRITTEN, bare, result};
use serde_json::Value;
use std::sync::OnceLock;

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
fn the_table_has_one_row_per_study_and_no_formulas() {
    let all = all();
    let text = table(all.iter().map(StudyFacts::of)).expect("a table");
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
        ("study_date", "2000-01-02"),
        ("study_time", "08:52"),
        ("state", "positive"),
        ("assessment", "positive"),
        ("assessed_by", "lmüller"),
        ("assessed_at", "2026-11-25T09:37:00+01:00"),
        ("status", "analyzed"),
        ("series_instance_uids", "2.25.2"),
        ("model", "phantom-b0 0.3.0"),
        ("overall", "0.9"),
        ("alert", "true"),
        ("probability_C2", "0.44"),
        ("probability_C7", ""),
        ("flagged_C2", "true"),
        ("flagged_C3", "false"),
        ("flagged_C7", ""),
        ("assessment_C2", "fractured"),
        ("assessment_C6", "not fractured"),
        ("assessment_C7", "not assessable"),
        ("rejection_reason_C6", "osteophyte"),
    ] {
        assert_eq!(cell(0, name), value, "{name}");
    }
    assert_eq!(
        (cell(2, "reason"), cell(2, "reason_name")),
        ("no cervical spine seen".into(), "no-cervical-spine".into())
    );
    assert_eq!([1, 2, 3].map(|row| cell(row, "status")), ["waiting", "not_analyzed", "failed"]);
    assert!(cell(2, "warnings").contains("at most 2 of C1–C7"), "{}", cell(2, "warnings"));
    for formula in ["=HYPERLINK(\"http://x\")", "+1", "-1+1", "@SUM(1)", " =1", "＝1"] {
        let mut evil = all[1].clone();
        let mut study = (*evil.study).clone();
        study.patient.id = CleanText::new(formula);
        evil.study = std::sync::Arc::new(study);
        let text = table([StudyFacts::of(&evil)]).expect("a table");
        let row = csv::Reader::from_reader(text.as_bytes()).records().next().expect("a row").expect("a row");
        assert!(row[1].starts_with('\''), "a formula is text: {formula} became {}", &row[1]);
    }
}

proptest! {
    /// Whatever the files say stays one cell of one row, and no spreadsheet takes it for a formula.
    #[test]
    fn no_text_of_a_file_breaks_the_table(texts in [".*", "[ \t=+@\"',;\n-]{0,6}.*"]) {
        static BARE: OnceLock<StudyResult> = OnceLock::new();
        let bare = BARE.get_or_init(|| all().remove(1));
        let mut study = (*bare.study).clone();
        let [name, description] = texts.map(|text| CleanText::new(&text));
        (study.patient.name, study.accession) = (name.clone(), description.clone());
        let failed = Analysis::Failed(description.to_string().into());
        let text = table([StudyFacts::without_reading(&study, Some(&failed))]).expect("a table");
        let rows: Vec<csv::StringRecord> =
            csv::Reader::from_reader(text.as_bytes()).records().map(|row| row.expect("a row")).collect();
        prop_assert_eq!(rows.len(), 1);
        for (column, told) in [(2, &name), (3, &description), (8, &description)] {
            let cell = &rows[0][column];
            prop_assert!(cell == told.as_str() || cell.strip_prefix('\'') == Some(told.as_str()), "{:?}", cell);
            prop_assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{:?}", cell);
        }
    }
}

/// A command that does not read the database leaves those cells empty, in the same columns.
#[test]
fn the_table_of_an_analysis_has_the_columns_of_a_report() {
    let all = all();
    let header = |text: &str| text.lines().next().map(str::to_owned);
    let report = table(all.iter().map(StudyFacts::of)).expect("a table");
    let facts = StudyFacts::without_reading(&all[0].study, all[0].analysis.as_ref());
    let analysis = table([facts]).expect("a table");
    assert_eq!(header(&analysis), header(&report));
    let published = serde_json::to_value(schema()).expect("a schema");
    let columns = published["x-csv-columns"].as_array().expect("columns");
    let names: Vec<&str> = columns.iter().map(|column| column["name"].as_str().expect("a name")).collect();
    assert_eq!(header(&analysis).as_deref(), Some(names.join(",").as_str()), "the schema publishes the columns");
    assert!(columns.iter().all(|column| column["description"].as_str().is_some_and(|text| !text.is_empty())));
    let row = csv::Reader::from_reader(analysis.as_bytes()).records().next().expect("a row").expect("a row");
    let cell = |name: &str| &row[names.iter().position(|known| *known == name).expect("a column")];
    assert_eq!((cell("overall"), cell("probability_C6"), cell("flagged_C6")), ("0.9", "0.81", "true"));
    assert_eq!((cell("state"), cell("assessment"), cell("note"), cell("assessment_C2")), ("", "", "", ""));
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
    assert_eq!((&value["schema_version"], &value["studies"][0]["schema_version"]), (&2.into(), &2.into()));
    assert_eq!(value["studies"][0]["decision"]["study"]["reader"], "lmüller");
    let analysis = &value["studies"][0]["analysis"];
    assert_eq!(analysis["levels"][6]["absence"]["name"], "not-in-scan");
    let c2 = &analysis["levels"][1];
    assert_eq!(
        (&c2["series_instance_uid"], &c2["flagged"], &c2["extent"]),
        (&"2.25.2".into(), &true.into(), &"whole".into())
    );
    let status = |study: usize| value["studies"][study]["analysis"]["status"].as_str().expect("a word").to_owned();
    assert_eq!([0, 1, 2, 3].map(status), ["analyzed", "waiting", "not_analyzed", "failed"]);
    // The check can fail.
    let mut wrong = value.clone();
    wrong["studies"][0]["analysis"]["overall"] = "high".into();
    wrong["studies"][1]["surprise"] = 1.into();
    wrong["studies"][2]["analysis"]["levels"] = Value::Null;
    assert_eq!(json_schema::problems(&schema, &wrong).len(), 3);
    insta::assert_snapshot!("document", document);
}

/// The key slice names the image whose number and position it has, and no other.
#[test]
fn the_key_slice_names_its_image() {
    let folder = tempfile::tempdir().expect("a folder");
    let full = result(folder.path());
    let image = |result: &StudyResult| {
        let value = serde_json::to_value(StudyDocument::new(result)).expect("JSON");
        value["analysis"]["levels"][1]["key_slice"]["sop_instance_uid"].clone()
    };
    let instance = full.study.series[0].instances[2].clone();
    assert_eq!(image(&full), instance.sop_instance_uid.as_str());
    // The same number at another position is another slice; two images with one number and position are no answer.
    for change in [0, 1] {
        let mut changed = full.clone();
        let mut study = (*full.study).clone();
        let instances = &mut study.series[0].instances;
        match change {
            0 => instances[2].plane = instances[3].plane,
            _ => instances.push(instance.clone()),
        }
        changed.study = std::sync::Arc::new(study);
        assert_eq!(image(&changed), Value::Null, "{change}");
    }
}

/// Warnings of a study whose files are gone are unknown, which must not read as none.
#[test]
fn without_files_warnings_are_unknown() {
    let mut gone = all().remove(0);
    let mut study = (*gone.study).clone();
    study.series.clear();
    gone.study = std::sync::Arc::new(study);
    let value = serde_json::to_value(StudyDocument::new(&gone)).expect("JSON");
    let analysis = &value["analysis"];
    for unknown in [&value["warnings"], &value["series"], &analysis["plan"], &analysis["coverage"]] {
        assert!(unknown.is_null(), "{unknown}");
    }
    assert!(analysis["levels"][1]["key_slice"]["sop_instance_uid"].is_null());
    assert!(analysis["overall"].is_number(), "the number stays");
    assert!(table([StudyFacts::of(&gone)]).expect("a table").contains("warnings unknown"));
}

/// A line of JSON Lines is a study of the document; without the database the reading is null.
#[test]
fn a_line_keeps_the_schema_of_a_study() {
    let all = all();
    let mut schema = serde_json::to_value(schema()).expect("a schema");
    schema["$ref"] = "#/$defs/StudyDocument".into();
    for name in ["type", "properties", "required"] {
        schema.as_object_mut().expect("an object").remove(name);
    }
    for result in &all {
        let facts = StudyFacts { slices: true, ..StudyFacts::without_reading(&result.study, result.analysis.as_ref()) };
        let line = StudyDocument::of(facts).to_json_line().expect("JSON");
        assert_eq!(line.lines().count(), 1);
        let value: Value = serde_json::from_str(&line).expect("JSON");
        let problems = json_schema::problems(&schema, &value);
        assert!(problems.is_empty(), "{problems:#?}");
        assert!(["decision", "log", "key_images", "measurements"].iter().all(|name| value[name].is_null()));
        assert_eq!(value["analysis"]["slices"].is_array(), result.report().is_some());
    }
}

/// A change of the schema shows here: new keys may come; a key that goes or changes its meaning raises `SCHEMA_VERSION`.
#[test]
fn the_schema_changes_only_on_purpose() {
    insta::assert_snapshot!("schema", serde_json::to_string_pretty(&schema()).expect("a schema"));
}
