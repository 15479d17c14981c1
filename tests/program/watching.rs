//! The real program on a folder in which things happen: studies arrive, go, and are remembered.

use crate::support::{made, pty};
use pty::Program;
use std::fs;
use std::path::Path;

/// Slices of a study of its own: number, patient and identifiers follow `n`.
fn study(folder: &Path, n: usize) {
    fs::create_dir_all(folder).expect("a folder");
    for number in 1..=20 {
        let mut slice = made::slice(number);
        for (tag, vr, value) in [
            ((0x0010, 0x0010), "PN", format!("WATCHED^N{n}")),
            ((0x0010, 0x0020), "LO", format!("W{n}")),
            ((0x0020, 0x000D), "UI", format!("2.25.1.{n}")),
            ((0x0020, 0x000E), "UI", format!("2.25.2.{n}")),
            ((0x0008, 0x0018), "UI", format!("2.25.3.{n}.{number}")),
        ] {
            made::set(&mut slice, made::text(tag, vr, &value));
        }
        let file = made::part10(made::EXPLICIT, &made::data_set(&slice, made::Writing::Explicit));
        fs::write(folder.join(number.to_string()), file).expect("written");
    }
}

/// Whether the first study's row has the sign of a positive assessment.
fn is_positive(screen: &str) -> bool {
    let rows = screen.lines().filter_map(|line| line.split('│').next());
    rows.filter(|row| row.contains("WATCHED, N1")).any(|row| row.contains('✗'))
}

fn started(home: &Path, folder: &Path) -> Program {
    let folder = folder.to_str().expect("a path");
    Program::start(&[folder, "--graphics", "none"], home, 120, 30)
}

#[test]
fn studies_that_arrive_come_into_the_list_and_leave_it_with_their_files() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    study(&data.path().join("one"), 1);
    let mut program = started(home.path(), data.path());
    program.wait_for("the first study", |screen| screen.contains("WATCHED, N1") && !screen.contains("scanning"));
    study(&data.path().join("two"), 2);
    program.wait_for("the second study", |screen| screen.contains("WATCHED, N2"));
    fs::rename(data.path().join("one"), data.path().join("elsewhere")).expect("moved");
    study(&data.path().join("three"), 3);
    let screen = program.wait_for("the third study", |screen| screen.contains("WATCHED, N3"));
    assert!(screen.contains("WATCHED, N1"), "a study that was moved stays:\n{screen}");
    fs::remove_dir_all(data.path().join("two")).expect("it goes");
    program.wait_for("the list without the second", |screen| !screen.contains("WATCHED, N2"));
    // The folder itself may be away for a while, as a share that is not mounted.
    let away = data.path().with_extension("away");
    fs::rename(data.path(), &away).expect("away");
    let screen = program.wait_for("a word about the folder", |screen| screen.contains("not there any more"));
    assert!(screen.contains("WATCHED, N1") && screen.contains("WATCHED, N3"), "no study is lost:\n{screen}");
    fs::rename(&away, data.path()).expect("back");
    program.press("q");
    assert_eq!(program.wait(), 0);
}

/// Presses the key at a hand's pace until the assessment is taken: it is asked for again within two seconds of opening the study.
fn read_as_positive(program: &mut Program) {
    for _ in 0..20 {
        program.press("\u{10}");
        program.wait_for("an answer to the key", |screen| {
            screen.contains("press ctrl-p again") || screen.contains("held down") || screen.contains("positive · ")
        });
        if program.screen().contains("positive · ") {
            return;
        }
        // The rule tells a second press from a held key by its pace.
        std::thread::sleep(std::time::Duration::from_millis(700));
        if program.screen().contains("positive · ") {
            return;
        }
    }
    panic!("the assessment is not taken:\n{}", program.screen());
}

#[test]
fn two_programs_on_one_store_see_each_other() {
    let (home, data) = (tempfile::tempdir().expect("a home"), tempfile::tempdir().expect("a folder"));
    study(&data.path().join("one"), 1);
    study(&data.path().join("two"), 2);
    let mut first = started(home.path(), data.path());
    let mut second = started(home.path(), data.path());
    for program in [&mut first, &mut second] {
        program.wait_for("both studies", |screen| screen.contains("WATCHED, N1") && screen.contains("WATCHED, N2"));
    }
    first.press("\r");
    first.wait_for("the study", |screen| screen.contains("fracture probability"));
    second.wait_for("who has it open", |screen| screen.contains("open: "));
    read_as_positive(&mut first);
    second.wait_for("the assessment", is_positive);
    // The next login finds it decided.
    let mut third = started(home.path(), data.path());
    third.wait_for("the assessment", is_positive);
    for program in [&mut first, &mut second, &mut third] {
        program.press("\u{3}");
        assert_eq!(program.wait(), 0);
    }
}
