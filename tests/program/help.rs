//! `cspine help`: topics, commands, and that what the pages say is what the program does.

use cspine::config::{Keymap, Settings};
use std::process::{Command, Output};

const TOPICS: [&str; 9] =
    ["reading", "keys", "terminals", "files", "models", "headless", "results", "settings", "privacy"];

fn cspine(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cspine")).args(arguments).output().expect("cspine runs")
}

fn printed(arguments: &[&str]) -> String {
    let output = cspine(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_topic_is_listed_and_printed() {
    let list = printed(&["help"]);
    let readme = include_str!("../../README.md");
    for topic in TOPICS {
        assert!(list.contains(&format!("  {topic:<12} ")), "{list}");
        assert!(printed(&["help", topic]).starts_with("# "), "{topic}");
        assert!(readme.contains(&format!("`cspine help {topic}`")), "the README does not name {topic}");
    }
    assert!(readme.lines().count() <= 150, "the README is a page, not a manual");
}

#[test]
fn a_command_has_its_help_and_an_unknown_name_is_answered_with_the_topics() {
    assert!(printed(&["help", "predict"]).contains("--timing"));
    let output = cspine(&["help", "kyes"]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("kyes") && error.contains("keys"), "{error}");
}

#[test]
fn the_page_on_keys_has_the_tables_of_the_keymap() {
    assert!(printed(&["help", "keys"]).ends_with(&Keymap::builtin().markdown()));
}

#[test]
fn the_settings_of_the_page_can_be_used() {
    let page = printed(&["help", "settings"]);
    let example: String =
        page.lines().filter_map(|line| line.strip_prefix("    ")).map(|line| format!("{line}\n")).collect();
    assert!(example.contains("[keys]"), "{page}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, &example).expect("a file");
    let settings = Settings::load(&file).expect("the example is valid");
    assert_eq!(settings.theme, Settings::default().theme);
    assert_eq!(settings.alert, Settings::default().alert);
}

#[test]
fn commands_that_the_page_names_exist() {
    let page = printed(&["help", "headless"]);
    let list = printed(&["help"]);
    for line in page.lines().filter_map(|line| line.strip_prefix("| `cspine ")) {
        let name = line.split([' ', '`']).next().expect("a name");
        assert!(list.contains(&format!("  {name} ")), "{name}: {list}");
    }
}

#[test]
fn topics_are_manual_pages_too() {
    let folder = tempfile::tempdir().expect("a folder");
    printed(&["man", "--out", folder.path().to_str().expect("a path")]);
    let page = std::fs::read_to_string(folder.path().join("cspine-files.7")).expect("a page");
    assert!(page.contains(".TH cspine\\-files 7") || page.contains(".TH cspine-files 7"), "{page}");
    assert!(page.contains("Whose images"));
}
