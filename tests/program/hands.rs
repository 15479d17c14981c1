//! The real program in a pseudo-terminal, one group of keys after the other, on a made series of twenty slices.

use crate::support::{made, pty};
use made::{EXPLICIT, Writing, data_set, part10, slice};
use pty::Program;
use std::path::Path;
use tempfile::TempDir;

const SLICES: i32 = 20;

/// A home with a series of twenty slices in it.
fn home() -> TempDir {
    let home = tempfile::tempdir().expect("a home");
    let folder = home.path().join("studies");
    std::fs::create_dir(&folder).expect("a folder");
    for number in 1..=SLICES {
        let file = part10(EXPLICIT, &data_set(&slice(number), Writing::Explicit));
        std::fs::write(folder.join(format!("{number:02}.dcm")), file).expect("written");
    }
    home
}

/// The key of the palette, and what stands before its line.
const LINE: (&str, &str) = (":", ":");

/// The program with the series open.
fn open(home: &Path, more: &[&str]) -> Program {
    let arguments: Vec<&str> = ["studies", "--graphics", "halfblocks"].iter().chain(more).copied().collect();
    let mut program = Program::start(&arguments, home, 120, 34);
    program.wait_for("the study", |screen| screen.contains("MADE, One"));
    program.press("\r");
    program.wait_for("the series", |screen| screen.contains("/ 20"));
    program
}

/// Types, and waits until the axial slice of this number is shown.
fn to(program: &mut Program, keys: &str, number: usize) {
    program.press(keys);
    let title = format!("axial · {number} / 20");
    program.wait_for(&format!("{title} after {keys:?}"), |screen| screen.contains(&title));
}

fn leave(mut program: Program) {
    program.press("\u{3}");
    assert_eq!(program.wait(), 0);
}

#[test]
fn moving_counts_and_back() {
    let home = home();
    let mut program = open(home.path(), &[]);
    to(&mut program, "g", 1);
    to(&mut program, "j", 2);
    to(&mut program, "10j", 12);
    to(&mut program, "5G", 5);
    to(&mut program, "G", 20);
    to(&mut program, "K", 10);
    to(&mut program, "\u{4}", 15);
    to(&mut program, "\u{f}", 5);
    program.type_line(LINE, "goto 7");
    to(&mut program, "", 7);
    program.type_line(LINE, "13");
    to(&mut program, "", 13);
    program.press("77");
    program.wait_for("the number being typed", |screen| screen.contains("77…"));
    program.press("G");
    program.wait_for("a refusal with the range", |screen| {
        screen.contains("no slice 77: the axial plane has slices 1 to 20") && screen.contains("axial · 13 / 20")
    });
    leave(program);
}

#[test]
fn windows_by_key_and_by_line_and_once_more() {
    let home = home();
    let mut program = open(home.path(), &[]);
    program.press("s");
    program.wait_for("the soft-tissue window", |screen| screen.contains("W 400 L 40"));
    program.type_line(LINE, "window 1234 56");
    program.wait_for("the typed window", |screen| screen.contains("W 1234 L 56"));
    program.press("]");
    program.wait_for("one step of the level", |screen| screen.contains("W 1234 L 106"));
    program.press("..");
    program.wait_for("two more", |screen| screen.contains("W 1234 L 206"));
    leave(program);
}

#[test]
fn the_palette_finds_by_letters() {
    let home = home();
    let mut program = open(home.path(), &[]);
    program.type_text(LINE, "wndlng");
    program.wait_for("the lung window offered", |screen| screen.contains("window-lung"));
    program.press("\r");
    program.wait_for("the lung window", |screen| screen.contains("W 1500 L -500"));
    program.type_line(LINE, "made one");
    program.wait_for("the study opened again", |screen| !screen.contains("W 1500 L -500") && screen.contains("/ 20"));
    program.type_line(LINE, "nothing of the kind");
    program.wait_for("words about it", |screen| screen.contains("no command and no study fits"));
    leave(program);
}

#[test]
fn the_cine_loop() {
    let home = home();
    let mut program = open(home.path(), &[]);
    to(&mut program, "g", 1);
    program.type_line(LINE, "cine 20");
    program.wait_for("the loop, some slices on", |screen| {
        screen.contains("cine at 20 slices a second") && screen.contains("axial · 9 / 20")
    });
    program.press("\u{1b},");
    program.wait_for("a slower one", |screen| screen.contains("cine at 15 slices a second"));
    program.press("b");
    program.wait_for("its rate, once nothing else is to be told", |screen| screen.contains("▶ 15/s"));
    to(&mut program, "G", 20);
    program.wait_for("its end", |screen| !screen.contains('▶'));
    leave(program);
}

#[test]
fn measurements_and_key_images_are_made_exported_and_there_again_after_a_restart() {
    let home = home();
    let mut program = open(home.path(), &[]);
    program.press("R");
    program.wait_for("the first end asked for", |screen| screen.contains("distance: one end"));
    program.press("\r\u{1b}[C\u{1b}[C");
    program.wait_for("the length so far", |screen| screen.contains("distance: 1.0 mm · the other end"));
    program.press("\r");
    program.wait_for("the length", |screen| screen.contains("1 distance: 1.0 mm"));
    program.press("*");
    program.wait_for("the key image", |screen| screen.contains("key image 2: axial"));
    program.type_line(("\"", "remark: "), "dens");
    program.wait_for("its remark", |screen| screen.contains("key image 2: dens"));
    program.type_line(LINE, "export out");
    program.wait_for("the image written", |screen| screen.contains("written: out.png"));
    program.type_line(LINE, "export out.png");
    program.wait_for("that it is there already", |screen| screen.contains("there already"));
    let file = std::fs::metadata(home.path().join("out.png")).expect("the image");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o777, 0o600);
    program.type_line(LINE, "export-all keys");
    program.wait_for("the key images written", |screen| screen.contains("written: 1 key images in keys"));
    assert_eq!(std::fs::read_dir(home.path().join("keys")).expect("the folder").count(), 1);
    program.type_line(LINE, "export-all keys");
    program.wait_for("that it is there already", |screen| screen.contains("0 of 1 key images are written"));
    leave(program);

    let mut program = open(home.path(), &[]);
    program.press("@");
    program.wait_for("the measurement", |screen| screen.contains("distance 1.0 mm"));
    program.press("\u{1b}");
    program.wait_for("the list closed", |screen| !screen.contains("measurement:"));
    program.press("$");
    program.wait_for("the key image", |screen| screen.contains("· dens"));
    program.press("\r");
    program.wait_for("its place", |screen| screen.contains("key image 2: dens") && screen.contains('◆'));
    leave(program);
}

#[test]
fn another_programs_keys() {
    let home = home();
    let mut program = open(home.path(), &["--keys", "weasis"]);
    to(&mut program, "\u{1b}[H", 1);
    to(&mut program, "\u{1b}[B", 2);
    to(&mut program, "\u{1b}[1;2B", 12);
    program.press("7");
    program.wait_for("the lung window", |screen| screen.contains("W 1500 L -500"));
    program.press("?");
    program.wait_for("help that says whose keys", |screen| screen.contains("profile weasis"));
    program.press("?");
    leave(program);
}

#[test]
fn settings_take_effect_while_the_program_runs_and_mistakes_do_not() {
    let home = home();
    let folder = home.path().join(".config/cspine");
    std::fs::create_dir_all(&folder).expect("a folder");
    let settings = folder.join("settings.toml");
    let mut program = open(home.path(), &[]);
    std::fs::write(&settings, "[keys.reading]\n\"&\" = \"first-slice\"\n").expect("written");
    program.wait_for("the settings taken", |screen| screen.contains("settings read again: keys"));
    to(&mut program, "&", 1);
    std::fs::write(&settings, "[keys.reading]\n\"&\" = \"frist-slice\"\n").expect("written");
    program.wait_for("the mistake, by line and column", |screen| {
        screen.contains("settings.toml:2:7") && screen.contains("did you mean")
    });
    to(&mut program, "G", 20);
    to(&mut program, "&", 1);
    leave(program);
}
