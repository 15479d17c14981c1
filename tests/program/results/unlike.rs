//! A study unlike the model's training data, in every form that leaves the program.

use super::dicom::{report_of, tree};
use crate::support::json_schema;
use crate::support::result::{WRITTEN, unlike};
use cspine::domain::{DistributionCheck, NoDistance};
use cspine::results::{ResultsDocument, StudyFacts, StudyResult, markdown, schema, table, text};
use dicom_object::from_reader;
use serde_json::Value;

const FAR: DistributionCheck = DistributionCheck::Measured { distance: 1.84, threshold: 1.3 };
const NOTICE: &str = "unlike the model's training data: distance 1.8, limit 1.3; alert withheld: read it yourself";

fn far() -> StudyResult {
    unlike(tempfile::tempdir().expect("a folder").path(), FAR)
}

fn analysis(result: &StudyResult) -> Value {
    let document = ResultsDocument::new(std::slice::from_ref(result), WRITTEN).to_json().expect("a document");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let problems = json_schema::problems(&serde_json::to_value(schema()).expect("a schema"), &document);
    assert!(problems.is_empty(), "{problems:#?}");
    document["studies"][0].clone()
}

#[test]
fn json_has_the_distance_and_no_alert() {
    let study = analysis(&far());
    let found = &study["analysis"];
    assert_eq!((&found["alert"], &found["alert_withheld"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(found["distribution"]["unlike_training_data"], true);
    assert_eq!(found["distribution"]["text"], NOTICE);
    assert_eq!(found["overall"].as_f64().map(|p| p > 0.89), Some(true), "the number stays");
    assert_eq!(found["levels"][5]["flagged"], true);
    assert_eq!(study["log"][0]["report"]["alert_withheld"], true);
    let unknown = DistributionCheck::Unmeasured(NoDistance::NotFinite);
    let study = analysis(&unlike(tempfile::tempdir().expect("a folder").path(), unknown));
    let found = &study["analysis"];
    assert_eq!((&found["alert"], &found["alert_withheld"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(found["distribution"]["reason"]["name"], "features-not-finite");
    assert_eq!(found["distribution"]["distance"], Value::Null);
}

#[test]
fn pages_and_the_table_say_what_to_do() {
    for page in [text(&far(), WRITTEN), markdown(&far(), WRITTEN)] {
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains("alert withheld (from 50 %)") && page.contains("read it yourself"), "{page}");
        assert!(!page.contains("ALERT"), "{page}");
    }
    let text = table([StudyFacts::of(&far())]).expect("a table");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let row = reader.records().next().expect("a row").expect("a row");
    let cell = |name: &str| row[header.iter().position(|known| known == name).expect("a column")].to_owned();
    let cells = ["alert", "unlike_training_data", "training_data_distance"].map(cell);
    assert_eq!(cells, ["false", "true", "1.84"]);
    assert!(cell("warnings").contains(NOTICE), "{}", cell("warnings"));
}

/// The number, the answer, and the sentence; the alert is "No".
#[test]
fn the_structured_report_says_it_with_codes_and_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = from_reader(&report_of(&unlike(folder.path(), FAR))[..]).expect("a DICOM file");
    let mut lines = String::new();
    tree(&file, 0, &mut lines);
    let of = |name: &str| -> Vec<String> {
        lines.lines().filter(|line| line.contains(name)).map(|line| line.trim().to_owned()).collect()
    };
    insta::assert_snapshot!(
        "unlike_structured_report",
        ["Alert or flag", "training data"].map(|name| of(name).join("\n")).join("\n\n")
    );
}
