//! Terminals without UTF-8, without a screen, and inside other programs: their answers are ours.

use crate::pty::Program;
use crate::shell::{record, recorded};
use crate::study::Home;
use crate::tools::turn;

const NOTICE: &str = "characters are simplified";

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn open(program: &mut Program) {
    program.wait_for("the list", |screen| screen.contains("not analyzed"));
    program.press("\r");
    program.wait_for("the reading screen", |screen| screen.contains("axial ") && screen.contains("11 / 20"));
}

fn leave(mut program: Program) {
    program.press("qq");
    assert_eq!(program.wait(), 0);
}

/// An image of blanks in many colors.
fn shows_blanks_in_color(bytes: &[u8]) -> bool {
    bytes.windows(5).filter(|window| *window == b"48;2;").count() > 200
}

#[test]
fn a_terminal_of_latin_1_gets_ascii_whatever_the_locale_says_and_one_notice() {
    let home = Home::new();
    let mut program = Program::start_with(&[("LANG", "en_US.UTF-8")], &["studies"], home.path(), 120, 34);
    program.width = 2;
    program.wait_for("the notice", |screen| screen.contains(NOTICE));
    open(&mut program);
    program.wait_for_bytes("an image of blanks", |bytes, _| shows_blanks_in_color(bytes));
    program.press("j");
    let screen = program.wait_for("the next slice", |screen| screen.contains("12 / 20"));
    assert!(screen.is_ascii() && screen.contains("+ axial . 12 / 20"), "{screen}");
    leave(program);
}

#[test]
fn in_the_locale_c_a_terminal_that_answers_nothing_gets_not_one_byte_beyond_ascii() {
    let home = Home::new();
    let mut program =
        Program::start_with(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")], &["studies"], home.path(), 120, 34);
    program.mute();
    program.wait_for("the notice", |screen| screen.contains(NOTICE) && screen.contains("LC_ALL=C.UTF-8"));
    open(&mut program);
    program.wait_for_bytes("an image of blanks", |bytes, _| shows_blanks_in_color(bytes));
    let bytes = program.bytes();
    let beyond: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii()).collect();
    assert_eq!(beyond, [0xc3, 0xa4], "the character whose width was asked for, and no other");
    leave(program);
}

#[test]
fn the_width_that_was_measured_outranks_the_locale_and_is_measured_again_on_ctrl_l() {
    let home = Home::new();
    let mut program = Program::start_with(&[("LC_ALL", "C")], &["studies"], home.path(), 120, 34);
    program.wait_for("symbols", |screen| screen.contains("not analyzed") && screen.contains('─'));
    // As by dtach: another terminal is there, and the program was not told.
    program.width = 2;
    program.press("\x0c");
    program.wait_for("the notice", |screen| screen.contains(NOTICE) && screen.is_ascii());
    program.width = 1;
    program.press("\x0c");
    let screen = program.wait_for("symbols again", |screen| screen.contains('─'));
    assert!(!screen.contains('ä'), "nothing stays of the question:\n{screen}");
    leave(program);
}

#[test]
fn a_terminal_without_a_screen_is_refused_in_one_sentence_before_it_is_touched() {
    let home = Home::new();
    for (term, words) in [("dumb", "TERM=dumb cannot show cspine's screen"), ("", "TERM is not set")] {
        let mut program = Program::start_with(&[("TERM", term)], &["studies"], home.path(), 120, 34);
        assert_eq!(program.wait(), 1);
        let screen = program.wait_for("the reason", |screen| screen.contains("cspine predict"));
        assert!(screen.contains(words), "{screen}");
        assert!(!contains(&program.bytes(), b"\x1b"), "no sequence is written");
    }
}

#[test]
fn inherited_variables_enable_no_graphics() {
    let home = Home::new();
    let inherited = [
        ("TERM_PROGRAM", "iTerm.app"),
        ("LC_TERMINAL", "iTerm2"),
        ("KITTY_WINDOW_ID", "1"),
        ("KITTY_PID", "1"),
        ("WEZTERM_PANE", "0"),
    ];
    for (variables, words) in [
        (&[][..], "--graphics iterm2"),
        (&[("ZELLIJ", "0")], "outside Zellij"),
        (&[("NVIM", "/run/nvim.1")], "outside Neovim"),
        (&[("STY", "1.pts-0"), ("TERM", "screen.xterm-256color")], "outside screen"),
        (&[("TERM", "tmux-256color")], "another computer"),
    ] {
        let all: Vec<(&str, &str)> = inherited.iter().chain(variables).copied().collect();
        let mut program = Program::start_with(&all, &["studies"], home.path(), 120, 34);
        program.attributes = "1;2";
        program.wait_for("the note", |screen| screen.split_whitespace().collect::<Vec<_>>().join(" ").contains(words));
        open(&mut program);
        program.wait_for("half-blocks", |screen| screen.contains('▀'));
        let bytes = program.bytes();
        // Images of iTerm2, of kitty, and whatever screen and tmux make a title of.
        for sequence in [&b"\x1b]1337"[..], b"\x1b_", b"\x1bk", b"\x1bP", b"\x1b^"] {
            assert!(!contains(&bytes, sequence), "{variables:?}: {:?}", String::from_utf8_lossy(sequence));
        }
        leave(program);
    }
}

#[test]
fn in_neovim_s_terminal_half_blocks_are_seen_and_no_image_is_sent() {
    let Some(_turn) = turn(&["nvim", "script"]) else { return };
    let home = Home::new();
    // Inherited from the terminal that Neovim was started in.
    let inherited =
        [("TERM_PROGRAM", "iTerm.app"), ("LC_TERMINAL", "iTerm2"), ("KITTY_WINDOW_ID", "1"), ("LANG", "C.UTF-8")];
    let cspine = home.path().join("cspine");
    let command = recorded(&format!("{} studies", env!("CARGO_BIN_EXE_cspine")));
    std::fs::write(&cspine, format!("{command}\n")).expect("written");
    let command = [
        "nvim",
        "-u",
        "NONE",
        "-i",
        "NONE",
        "-c",
        "set termguicolors",
        "-c",
        "terminal sh cspine",
        "-c",
        "startinsert",
    ];
    let mut program = Program::run(&command, &inherited, home.path(), 120, 36);
    open(&mut program);
    program.wait_for("half-blocks", |screen| screen.contains('▀'));
    program.press("j");
    program.wait_for("the next slice", |screen| screen.contains("axial · 12 / 20") && screen.contains('▀'));
    let bytes = record(home.path());
    assert!(contains(&bytes, "▀".as_bytes()), "what the program sent is on record");
    for sequence in [&b"\x1b]1337"[..], b"\x1b_G", b"\x1bPq"] {
        assert!(!contains(&bytes, sequence), "{:?}", String::from_utf8_lossy(sequence));
    }
    program.press("qq");
    program.wait_for("its end", |screen| screen.contains("[Process exited 0]"));
}

#[test]
fn tmux_without_u_gets_ascii_and_says_why() {
    let Some(_turn) = turn(&["tmux"]) else { return };
    let home = Home::new();
    let cspine = format!("{} studies", env!("CARGO_BIN_EXE_cspine"));
    let command = ["tmux", "-S", "tmux", "-f", "/dev/null", "new", &cspine];
    let mut program = Program::run(&command, &[("LC_ALL", "C")], home.path(), 120, 36);
    program.wait_for("the notice", |screen| screen.contains(NOTICE) && screen.contains("tmux -u"));
    open(&mut program);
    let screen = program.wait_for("the frame", |screen| screen.contains("+ axial . 11 / 20"));
    assert!(screen.is_ascii(), "{screen}");
    program.press("qq");
    program.wait_for("its end", |screen| screen.contains("[exited]"));
}

#[test]
fn in_gnu_screen_esc_and_a_key_in_one_burst_are_both_and_nothing_becomes_a_title() {
    let Some(_turn) = turn(&["screen"]) else { return };
    let home = Home::new();
    let sessions = home.path().join("sessions");
    std::fs::create_dir(&sessions).expect("a folder");
    std::fs::set_permissions(&sessions, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("its owner");
    // The window's title would stand in the last line.
    std::fs::write(home.path().join("screenrc"), "startup_message off\nhardstatus alwayslastline '[%t]'\n")
        .expect("written");
    let variables = [("LANG", "C.UTF-8"), ("SCREENDIR", sessions.to_str().expect("a path"))];
    let command = ["screen", "-U", "-c", "screenrc", "-t", "titled", env!("CARGO_BIN_EXE_cspine"), "studies"];
    let mut program = Program::run(&command, &variables, home.path(), 120, 34);
    open(&mut program);
    let screen = program.wait_for("half-blocks", |screen| screen.contains('▀'));
    assert!(screen.contains("[titled]"), "{screen}");
    // screen sends both at once: the one closes the study, the other ends the program.
    program.press("\u{1b}q");
    assert_eq!(program.wait(), 0);
}
