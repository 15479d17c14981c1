//! Readers who contradict each other, and long notes, in every form that leaves the program.

use crate::support::result::{WRITTEN, result, stamp};
use cspine::dicom::{Sources, structured_report};
use cspine::domain::{Act, CleanText, Draft, EntryId, LogEntry, NoteText, StudyVerdict};
use cspine::results::{ResultsDocument, StudyFacts, StudyResult, markdown, table, text};

fn entry(id: i64, who: &str, act: Act, result: &StudyResult) -> LogEntry {
    let draft = Draft { study: result.study.uid.clone(), act, report: None, blinded: false };
    LogEntry { id: EntryId(id), who: CleanText::new(who), at: stamp(id), draft }
}

fn structured(result: &StudyResult) -> String {
    let sources = Sources::read(result).expect("the sources");
    let bytes = structured_report(result, &sources, WRITTEN).expect("a report").bytes;
    String::from_utf8_lossy(&bytes).into_owned()
}

fn json(result: &StudyResult) -> serde_json::Value {
    let document = ResultsDocument::new(std::slice::from_ref(result), WRITTEN).to_json().expect("a document");
    serde_json::from_str(&document).expect("JSON")
}

fn cell(result: &StudyResult, name: &str) -> String {
    let text = table([StudyFacts::of(result)]).expect("a table");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let at = reader.headers().expect("a header").iter().position(|known| known == name).expect("a column");
    reader.records().next().expect("a row").expect("a row")[at].to_owned()
}

#[test]
fn a_conflict_is_named_with_both_readers_everywhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut result = result(folder.path());
    result.log = vec![
        entry(1, "alice", Act::Study(StudyVerdict::Positive), &result),
        entry(2, "bob", Act::Study(StudyVerdict::Negative), &result),
    ];
    let words = "alice positive, bob negative";
    let json = json(&result);
    let decision = &json["studies"][0]["decision"];
    assert_eq!((&decision["state"], decision["study"].is_null()), (&"conflict".into(), true), "{decision}");
    assert_eq!(decision["conflicts"][0]["text"], words);
    assert_eq!(decision["conflicts"][0]["opinions"][1]["reader"], "bob");
    assert_eq!(["state", "assessment", "conflict"].map(|name| cell(&result, name)), ["conflict", "", words]);
    for page in [text(&result, WRITTEN), markdown(&result, WRITTEN)] {
        assert!(page.contains(words) && page.contains("in conflict"), "{page}");
    }
    let report = structured(&result);
    assert!(report.contains(&format!("conflict: {words}")), "the comment");
    assert!(report.contains("PARTIAL") && report.contains("readers contradict each other"));
    result.log.push(entry(3, "carol", Act::ResolveStudy { verdict: StudyVerdict::Negative }, &result));
    let settled = structured(&result);
    assert!(!settled.contains("conflict: ") && settled.contains("COMPLETE"));
    assert_eq!(["state", "assessed_by", "conflict"].map(|name| cell(&result, name)), ["negative", "carol", ""]);
}

#[test]
fn a_note_of_four_thousand_characters_leaves_whole_with_its_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut result = result(folder.path());
    let note = format!("first line\n{}\nNOT stable until MRI", "word ".repeat(793).trim_end());
    assert!(note.chars().count() <= NoteText::LIMIT && note.chars().count() > NoteText::LIMIT - 20);
    result.log = vec![entry(1, "alice", Act::Note { text: NoteText::new(&note) }, &result)];
    assert_eq!(json(&result)["studies"][0]["decision"]["note"]["text"], note.as_str());
    assert_eq!(cell(&result, "note"), note);
    assert!(structured(&result).contains(&note.replace('\n', "\r\n")));
    let page = text(&result, WRITTEN);
    assert!(page.contains(&format!("\n{}NOT stable until MRI", " ".repeat(13))), "below the first line:\n{page}");
    assert_eq!(page.matches("word").count(), 793);
    assert!(markdown(&result, WRITTEN).contains("<br>NOT stable until MRI"));
}
