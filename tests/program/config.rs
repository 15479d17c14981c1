//! Settings: defaults, values, and errors that name the place and what was meant.

use cspine::config::{ConfigError, Folders, Keymap, Settings};
use cspine::raster::Plane;
use std::error::Error as _;
use std::path::{Path, PathBuf};

fn load(text: &str) -> Result<Settings, ConfigError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, text).expect("a file");
    Settings::load(&path)
}

/// What follows the file's name in the error's text.
fn mistake(text: &str) -> String {
    let error = load(text).expect_err("a mistake").to_string();
    let (_, rest) = error.split_once("settings.toml:").expect("the file is named");
    assert!(!rest.contains('\n'), "one line: {rest}");
    rest.to_owned()
}

#[test]
fn a_missing_file_an_empty_one_and_the_defaults_are_one() {
    let missing = Settings::load(Path::new("/nowhere/at/all/settings.toml")).expect("defaults");
    assert_eq!(missing, Settings::default());
    assert_eq!(load("").expect("defaults"), Settings::default());
    assert_eq!(load("\u{feff}# only a comment\n").expect("defaults"), Settings::default());
    assert_eq!(missing.theme, "reading-room");
    assert!(missing.mouse && missing.reading.marks);
}

#[test]
fn every_setting_is_read() {
    let settings = load(
        r#"
        theme = "daylight"
        graphics = "sixel"
        model = "/models/own"
        mouse = false
        [reading]
        window = "soft"
        plane = "sagittal"
        marks = false
        [log]
        level = "debug"
        [keys.worklist]
        "x" = "open"
        "#,
    )
    .expect("settings");
    assert_eq!((settings.theme.as_str(), settings.graphics.as_str()), ("daylight", "sixel"));
    assert_eq!(settings.model, Some(PathBuf::from("/models/own")));
    assert!(!settings.mouse && !settings.reading.marks);
    assert_eq!((settings.reading.window.as_str(), settings.reading.plane), ("soft", Plane::Sagittal));
    assert_eq!(settings.log.level.to_string(), "debug");
    assert_ne!(Keymap::builtin().with_overrides(&settings), Keymap::builtin());
}

#[test]
fn a_models_folder_may_stand_beside_the_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, "model = \"models/own\"").expect("a file");
    assert_eq!(Settings::load(&path).expect("settings").model, Some(folder.path().join("models/own")));
}

#[test]
fn the_spelling_of_earlier_versions_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.toml");
    for (key, expected) in [("aging", 7.0), ("ageing", 7.0)] {
        std::fs::write(&path, format!("[worklist]\n{key} = 7")).expect("a file");
        assert_eq!(Settings::load(&path).expect("settings").worklist.aging, expected, "{key}");
    }
}

#[test]
fn mistakes_name_the_place_the_key_and_what_was_meant() {
    for (text, expected) in [
        ("thme = \"daylight\"", "1:1: the key \"thme\" is not known; did you mean \"theme\"?"),
        (
            "\n[reading]\n  windows = \"bone\"",
            "3:3: the key \"reading.windows\" is not known; did you mean \"window\"?",
        ),
        ("[colours]\na = 1", "1:2: the key \"colours\" is not known; it can be"),
        ("graphics = \"kity\"", "1:12: graphics = \"kity\" is not possible; did you mean \"kitty\"?"),
        (
            "graphics = \"ascii\"",
            "1:12: graphics = \"ascii\" is not possible; it can be auto, kitty, sixel, iterm2, halfblocks, none",
        ),
        ("mouse = \"yes\"", "1:9: \"mouse\" must be true or false, not a text"),
        ("theme = 3", "1:9: \"theme\" must be a text in quotes, not a number"),
        ("reading = \"bone\"", "1:11: \"reading\" must be a table, not a text"),
        (
            "[reading]\nplane = \"saggital\"",
            "2:9: reading.plane = \"saggital\" is not possible; did you mean \"sagittal\"?",
        ),
        ("[log]\nlevel = \"verbose\"", "2:9: log.level = \"verbose\" is not possible"),
        ("model = \"\"", "1:9: model = \"\" names no folder"),
        ("[keys.reading]\n\"j\" = \"slice-dwn\"", "2:7: \"slice-dwn\" is not a command; did you mean \"slice-down\"?"),
        ("[keys.reading]\n\"ctrl-pgdwn\" = \"none\"", "2:1: \"ctrl-pgdwn\" is not a key; did you mean \"ctrl-pgdn\"?"),
        ("[keys.reading]\n\"j\" = \"open\"", "2:7: \"open\" cannot be used here; set it in [keys.worklist]"),
        ("[keys.everywhere]\n\"j\" = \"open\"", "2:7: \"open\" cannot be used here; set it in [keys.worklist]"),
        ("[keys.reading]\n\"J\" = \"fit\"\n\"shift-j\" = \"fit\"", "3:1: \"shift-j\" is the same key as one above"),
        ("[keys.reading]\n\"ctrl-c\" = \"none\"", "2:1: \"ctrl-c\" always leaves the program"),
        ("[keys.read]\n\"j\" = \"fit\"", "1:7: the key \"keys.read\" is not known; "),
        ("[keys]\nprofile = \"wesis\"", "2:11: keys.profile = \"wesis\" is not possible; did you mean \"weasis\"?"),
        ("theme = \"a\"\ntheme = \"b\"", "2:1: this is not TOML: duplicate key"),
        ("theme = ", "1:"),
    ] {
        let found = mistake(text);
        assert!(found.starts_with(expected), "{text:?}\n found {found}\nwanted {expected}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_not_taken_for_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Settings::load(folder.path()).expect_err("a folder is no file");
    assert!(matches!(error, ConfigError::Unreadable { .. }));
    assert!(error.source().is_some() && error.to_string().contains("cannot be read"));
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, b"theme = \"\xff\"").expect("a file");
    assert!(matches!(Settings::load(&path), Err(ConfigError::Unreadable { .. })));
}

#[test]
fn folders_hang_together() {
    let folders = Folders::under("/home/x");
    assert_eq!(folders.settings_file(), Some(PathBuf::from("/home/x/config/settings.toml")));
    assert_eq!(folders.themes(), Some(PathBuf::from("/home/x/config/themes")));
    assert_eq!(Folders::default().settings_file(), None);
}
