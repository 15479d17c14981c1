//! The real program in a pseudo-terminal, on the built-in demo: from an empty home to a finished panel.

use crate::support::{network, pty};
use network::can_analyse;
use pty::Program;

/// The bytes that give the terminal back: main screen, cursor shown.
const RESTORED: [&[u8]; 2] = [b"\x1b[?1049l", b"\x1b[?25h"];

fn assert_restored(program: &Program) {
    let bytes = program.bytes();
    for sequence in RESTORED {
        assert!(bytes.windows(sequence.len()).any(|window| window == sequence), "the terminal is given back");
    }
}

#[test]
fn the_demo_runs_to_a_finished_panel_and_leaves_a_clean_terminal() {
    let home = tempfile::tempdir().expect("a home");
    let mut program = Program::start(&["demo", "--graphics", "halfblocks"], home.path(), 120, 32);
    program.wait_for("all eight studies", |screen| {
        ["One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight"]
            .iter()
            .all(|name| screen.contains(&format!("PHANTOM, {name}")))
    });
    if can_analyse(home.path()) {
        let screen = program.wait_for("every study analyzed", |screen| {
            let title = screen.lines().next().unwrap_or_default();
            screen.contains("research use only")
                && !["waiting", "running", "scanning"].iter().any(|word| title.contains(word))
        });
        let title = screen.lines().next().unwrap_or_default();
        assert!(!title.contains("failed"), "no study fails:\n{screen}");
        assert!(screen.contains("not analyzed  "), "the head has no probability:\n{screen}");
        let percents: Vec<u32> = screen
            .lines()
            // The list, without the preview beside it.
            .filter_map(|line| line.split('│').next())
            .filter(|line| line.contains("PHANTOM,"))
            .filter_map(|line| line.split_once(" %")?.0.split_whitespace().last()?.parse().ok())
            .collect();
        assert_eq!(percents.len(), 7, "seven necks have a number:\n{screen}");
        assert!(percents.is_sorted_by(|a, b| a >= b), "most urgent first: {percents:?}\n{screen}");
        // Home, then open: the most urgent study on its most suspicious slice, marked in the panel.
        program.press("g\r");
        let screen = program.wait_for("the finished panel on a key slice, with who speaks", |screen| {
            [
                "fracture probability",
                "overall",
                "axial ·",
                "◂",
                "research use only",
                "synthetic: not validated on patients",
            ]
            .iter()
            .all(|words| screen.contains(words))
        });
        assert!(!screen.contains("preliminary"), "{screen}");
    } else {
        program.wait_for("words on what is missing", |screen| screen.contains("no analysis"));
        program.press("g\r");
        program.wait_for("the image", |screen| screen.contains("axial ·"));
    }
    let screen = program.wait_for("the image", |screen| screen.contains('▀'));
    let first = title_of_picture(&screen);
    program.press("j");
    program.wait_for("the next slice", |screen| title_of_picture(screen) != first);
    program.press("v");
    program.wait_for("the sagittal plane", |screen| screen.contains("sagittal ·"));
    program.resize(80, 24);
    program.wait_for("the narrow screen", |screen| screen.contains("sagittal ·") && screen.contains("C1 "));
    program.press("?");
    program.wait_for("help", |screen| screen.contains("keys of the reading screen"));
    // The first puts help away.
    program.press("qq");
    program.wait_for("the list", |screen| screen.contains("worklist"));
    program.press("q");
    assert_eq!(program.wait(), 0);
    assert_restored(&program);
}

fn title_of_picture(screen: &str) -> String {
    screen.lines().find(|line| line.contains("axial ·")).unwrap_or_default().to_owned()
}

#[test]
fn a_folder_without_studies_says_what_to_do() {
    let home = tempfile::tempdir().expect("a home");
    std::fs::write(home.path().join("notes.txt"), "no DICOM").expect("a file");
    let mut program = Program::start(&[".", "--graphics", "none"], home.path(), 100, 24);
    program.wait_for("what was found", |screen| screen.contains("no study found"));
    program.press("q");
    assert_eq!(program.wait(), 0);
    assert_restored(&program);
}

#[test]
fn sigterm_and_a_vanished_terminal_end_the_program_cleanly() {
    let home = tempfile::tempdir().expect("a home");
    for signal in ["TERM", "HUP"] {
        let mut program = Program::start(&[".", "--graphics", "none"], home.path(), 100, 24);
        program.wait_for("the screen", |screen| screen.contains("worklist"));
        let sent =
            std::process::Command::new("kill").args([&format!("-{signal}"), &program.pid().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        assert_eq!(program.wait(), 143, "{signal}");
        assert_restored(&program);
    }
}

#[test]
fn a_bad_setting_is_named_before_the_screen_is_taken() {
    let home = tempfile::tempdir().expect("a home");
    let folder = home.path().join(".config/cspine");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("settings.toml"), "thme = \"daylight\"\n").expect("a file");
    let mut program = Program::start(&["."], home.path(), 100, 24);
    assert_eq!(program.wait(), 1);
    let screen = program.wait_for("the words", |screen| screen.contains("theme"));
    assert!(screen.contains("thme") && screen.contains("settings.toml:1:1"), "{screen}");
}

#[test]
fn without_a_folder_for_decisions_studies_are_shown_and_the_way_out_is_named() {
    let home = tempfile::tempdir().expect("a home");
    std::fs::write(home.path().join("notes.txt"), "no DICOM").expect("a file");
    // A home that is a file: nothing can be made in it, whoever the user is.
    let none = home.path().join("notes.txt");
    let none = none.to_str().expect("a plain path");
    let mut program = Program::start_with(&[("HOME", none)], &[".", "--graphics", "none"], home.path(), 120, 24);
    let screen = program.wait_for("the reason", |screen| screen.contains("--data DIR"));
    assert!(screen.contains("decisions cannot be saved") && !screen.contains("os error"), "{screen}");
    program.wait_for("the list", |screen| screen.contains("no study found"));
    program.press("q");
    assert_eq!(program.wait(), 0);
    assert_restored(&program);
}
