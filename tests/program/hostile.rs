//! Text from files and from the file system, through every way in which the program prints: nothing that steers a terminal
//! reaches one.

use crate::support::{made, pty, shared};
use made::{EXPLICIT, Writing, bytes, data_set, part10, set, slice};
use pty::Program;
use std::path::Path;
use std::process::Command;

/// Control characters, both halves; bidirectional and zero-width characters.
fn steers(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}

/// Sequences that would set a title, write the clipboard, clear the screen, and turn text around.
const EVIL: &str = "EVIL\u{1b}]0;pwned\u{7}\u{1b}]52;c;cHduZWQ=\u{7}\u{1b}[2J\u{1b}P+q\u{1b}\\\u{9b}31m\u{202e}\u{200b}\u{feff}\r\nEND";

/// A study whose every text is hostile, beside files with hostile names.
fn hostile_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("dir\u{1b}[31m\u{202e}");
    std::fs::create_dir(&inner).expect("a folder");
    for number in 1..=4 {
        let mut elements = slice(number);
        for (tag, vr) in [
            ((0x0008, 0x0050), "SH"),
            ((0x0008, 0x1030), "LO"),
            ((0x0008, 0x103E), "LO"),
            ((0x0010, 0x0010), "PN"),
            ((0x0010, 0x0020), "LO"),
            ((0x0018, 0x0015), "CS"),
            ((0x0018, 0x1210), "SH"),
            ((0x0020, 0x000D), "UI"),
            ((0x0020, 0x000E), "UI"),
        ] {
            set(&mut elements, bytes(tag, vr, EVIL.as_bytes()));
        }
        set(&mut elements, bytes((0x0008, 0x0005), "CS", b"ISO_IR 192"));
        let file = part10(EXPLICIT, &data_set(&elements, Writing::Explicit));
        std::fs::write(inner.join(format!("slice\u{1b}]0;pwned\u{7}{number}")), file).expect("written");
    }
    std::fs::write(inner.join("text\u{1b}[2J\u{200b}.dcm"), b"no DICOM").expect("written");
    std::fs::write(inner.join("cut\u{1b}[2J\u{9b}"), &part10(EXPLICIT, &[])[..140]).expect("written");
    std::fs::write(inner.join("an\u{1b}[2Jarchive.zip"), b"none").expect("written");
    folder
}

fn run(arguments: &[&str], folder: &Path) -> (String, String) {
    let home = tempfile::tempdir().expect("a home");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cspine"));
    command.args(arguments).arg(folder).env("HOME", home.path()).env("RUST_LOG", "trace");
    let output = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (text(output.stdout), text(output.stderr))
}

fn assert_clean(folder: &Path) {
    for arguments in [
        &["inspect"][..],
        &["inspect", "--format", "json"],
        &["predict", "--format", "table"],
        &["predict", "--format", "json"],
        &["predict", "--format", "csv"],
        &["render", "--output", "/nowhere/out.png"],
    ] {
        let (out, error) = run(arguments, folder);
        for text in [&out, &error] {
            let wrong: Vec<char> = text.chars().filter(|c| steers(*c)).collect();
            assert!(wrong.is_empty(), "{arguments:?}: {wrong:?} in {text:?}");
        }
        assert!(!(out.is_empty() && error.is_empty()), "{arguments:?} says something");
    }
}

#[test]
fn made_hostile_text_is_printed_clean() {
    let folder = hostile_folder();
    let (out, _) = run(&["inspect"], folder.path());
    assert!(out.contains("EVIL") && out.contains("text") && out.contains("archive.zip"), "{out}");
    assert_clean(folder.path());
    assert_clean(&folder.path().join("dir\u{1b}[31m\u{202e}/text\u{1b}[2J\u{200b}.dcm"));
    assert_clean(&folder.path().join("not\u{1b}[2Jthere"));
}

#[test]
fn shared_hostile_text_is_printed_clean() {
    let Some(root) = shared::folder("not-cervical/broken") else { return };
    for name in ["11-hostile-text", "12-legal-escapes-in-text"] {
        assert_clean(&root.join(name));
    }
    let (out, _) = run(&["inspect"], &root.join("12-legal-escapes-in-text"));
    assert!(out.contains("Test, Patient"), "{out}");
}

/// Nothing of a file's own sequences passes the screen; what the program writes itself is left out of account.
#[test]
fn the_screen_shows_hostile_text_clean() {
    let made = hostile_folder();
    let shared = shared::folder("not-cervical/broken").map(|root| root.join("11-hostile-text"));
    for (folder, needle) in [(Some(made.path().to_owned()), "EVIL"), (shared, "worklist")] {
        let Some(folder) = folder else { continue };
        let home = tempfile::tempdir().expect("a home");
        let mut program = Program::start(&["--graphics", "none", &folder.to_string_lossy()], home.path(), 120, 30);
        program.wait_for("the study", |screen| screen.contains(needle) && !screen.contains("scanning"));
        program.press("\r");
        program.wait_for("the image's screen", |screen| screen.contains("axial") || screen.contains("slice"));
        let written = String::from_utf8_lossy(&program.bytes()).into_owned();
        let evil = ["\u{1b}]0;pwned", "\u{1b}]52;", "\u{1b}P+q", "\u{9b}", "\u{202e}", "\u{200b}", "\u{feff}"];
        assert!(evil.iter().all(|evil| !written.contains(evil)), "{written:?}");
        program.press("q");
        program.press("q");
    }
}
