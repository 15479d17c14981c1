//! Terminals that answer nothing, or nonsense.

use crate::kitty::Kitty;
use crate::pty::Program;
use crate::study::Home;
use crate::tools::turn;

fn open(program: &mut Program) {
    program.wait_for("the list", |screen| screen.contains("not analyzed"));
    program.press("\r");
    program.wait_for("the reading screen", |screen| screen.contains("axial · 11 / 20"));
}

#[test]
fn a_terminal_that_answers_nothing_shows_text_and_half_blocks() {
    let home = Home::new();
    let mut program = Program::start_mute(&["studies"], home.path(), 120, 34);
    open(&mut program);
    let first = program.wait_for("half-blocks", |screen| screen.contains('▀'));
    assert!(first.contains("axial · 11 / 20"), "{first}");
    program.press("jj");
    program.wait_for("two slices on", |screen| screen.contains("axial · 13 / 20") && screen.contains('▀'));
    program.type_line(("W", "note: "), "by-text.");
    program.wait_for("a note", |screen| screen.contains("note: by-text."));
    program.press("qq");
    assert_eq!(program.wait(), 0);
}

/// Answers as terminals give them, with what no terminal says: numbers out of range, the letters of keys, ends that never come.
const NONSENSE: [&str; 12] = [
    "\x1b[99999;99999R",
    "\x1b[0;0R",
    "\x1b[?62;4;22;99999999999c",
    "\x1b[>1;99999999;0c",
    "\x1b_Gi=1000;ENOENT:jjjqqqGGG\x1b\\",
    "\x1b_Gi=4294967295,p=77;OK\x1b\\",
    "\x1b_Gqqqq;jjjj\x1b\\",
    "\x1bP>|jjjqqq(1.2.3)\x1b\\",
    "\x1bP1$r0;qqjj\x1b\\",
    "\x1b]11;rgb:jjjj/qqqq/GGGG\x1b\\",
    "\x1b[6;0;0t\x1b[4;99999999;1t",
    "\x1b[?1;3;0S",
];

/// A flood of it.
fn flood() -> String {
    let mut random = fastrand::Rng::with_seed(7);
    (0..1_000).map(|_| NONSENSE[random.usize(..NONSENSE.len())]).collect()
}

#[test]
fn nonsense_for_answers_is_never_taken_for_keys() {
    let home = Home::new();
    let mut program = Program::start(&["studies"], home.path(), 120, 34);
    open(&mut program);
    program.press(&flood());
    // Keys are taken in order: one slice on from where it was, after all of that.
    program.press("j");
    program.wait_for("the next slice", |screen| screen.contains("axial · 12 / 20"));
    program.press("qq");
    assert_eq!(program.wait(), 0);
}

#[test]
fn nonsense_between_its_answers_costs_kitty_no_picture() {
    let Some(_turn) = turn(&["kitty", "Xvfb"]) else { return };
    let home = Home::new();
    let kitty = Kitty::start(home.path(), 960, 720);
    kitty.press("$CSPINE studies\r");
    kitty.wait_for("the list", |text| text.contains("not analyzed"));
    kitty.press("\r");
    kitty.wait_for_slice("the first image", &home, 11);
    // Half of it comes while a picture is on its way.
    let nonsense = flood();
    kitty.press(&format!("{nonsense}j{nonsense}"));
    kitty.wait_for_slice("the next slice", &home, 12);
    kitty.press("qq");
    kitty.wait_for("the shell", |text| !text.contains('╭') && !text.contains("worklist"));
}
