//! The real program in a pseudo-terminal: what is typed is what is executed, and nothing else is.

use crate::support::pty;
use pty::Program;
use std::time::Duration;

/// The list of an empty folder.
fn start(home: &std::path::Path) -> Program {
    let mut program = Program::start(&[".", "--graphics", "none"], home, 100, 24);
    program.wait_for("the list", |screen| screen.contains("no study found"));
    program
}

/// Still there, with nothing executed: `order` says so when it is asked for.
fn assert_untouched(program: &mut Program) {
    program.press("Z");
    let screen = program.wait_for("words on an unused key", |screen| screen.contains("no command on 'Z' here"));
    assert!(!screen.contains("by date") && !screen.contains("by name"), "the order is the first one:\n{screen}");
}

#[test]
fn pasted_text_is_not_executed_marked_or_not_and_nobody_is_left_without_a_word() {
    let home = tempfile::tempdir().expect("a home");
    let mut program = start(home.path());
    program.press("query: no\rq?");
    program.wait_for("words", |screen| screen.contains("11 characters ignored: looks like pasted text"));
    program.press("\x1b[200~ooq\r\x1b[201~");
    program.wait_for("words", |screen| screen.contains("3 characters ignored: looks like pasted text"));
    // Where text is asked for it is text, and its newline takes nothing.
    program.type_text(("/", "/"), "pasted");
    program.press("\x1b");
    program.wait_for("the line closed", |screen| !screen.contains("/pasted"));
    assert_untouched(&mut program);
    program.press("q");
    assert_eq!(program.wait(), 0);
}

#[test]
fn answers_in_parts_are_no_keys_however_late_the_rest_is() {
    let home = tempfile::tempdir().expect("a home");
    let mut program = start(home.path());
    let parts = [
        ["\x1b", "P>|qoq\x1b\\"],
        ["\x1bP>|qo", "oq\x1b\\"],
        ["\x1b_G", "i=1004,p=2;oq\x1b\\"],
        ["\x1b[?62", ";4;22c"],
        ["\x1b", "[2;1R"],
        ["\x1b[6;18", ";9t"],
    ];
    for [first, rest] in parts {
        program.press(first);
        // Longer than any wait for more.
        std::thread::sleep(Duration::from_millis(600));
        program.press(rest);
    }
    assert_untouched(&mut program);
    // Esc and a key in one burst, as GNU screen delivers them, in a line of text.
    program.type_text(("/", "/"), "abc");
    program.press("\x1bq");
    assert_eq!(program.wait(), 0, "Esc closes the line, q leaves");
}

#[test]
fn the_keyboard_protocol_is_used_where_it_is_answered_and_given_back() {
    let home = tempfile::tempdir().expect("a home");
    let mut program = Program::start(&[".", "--graphics", "none"], home.path(), 100, 24);
    let has = |bytes: &[u8], wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
    program.wait_for_bytes("the question", |bytes, _| has(bytes, b"\x1b[?u"));
    program.press("\x1b[?0u");
    program.wait_for_bytes("the protocol turned on", |bytes, _| has(bytes, b"\x1b[>29u"));
    program.wait_for("the list", |screen| screen.contains("no study found"));
    // A Russian layout with Caps Lock: ж is on the semicolon, щ on o.
    program.press("\x1b[1097::111;65;1065u");
    let screen = program.wait_for("Caps Lock, and another order", |screen| screen.contains("Caps Lock"));
    assert!(screen.contains("ordered by"), "{screen}");
    program.press("\x1b[1078::59;;1078u");
    program.wait_for("words on a key of no use", |screen| {
        screen.contains("this layout sends 'ж', which is no command; see :keys") && !screen.contains("Caps Lock")
    });
    // :keys is a command.
    program.type_line((":", ":"), "keys");
    program.wait_for("help", |screen| screen.contains("keys of the worklist"));
    program.press("\x1b[27u");
    program.wait_for("the list", |screen| screen.contains("no study found"));
    program.press("\x1b[1081::113;;1081u");
    assert_eq!(program.wait(), 0, "й is on q");
    let bytes = program.bytes();
    let at = |wanted: &[u8]| bytes.windows(wanted.len()).rposition(|window| window == wanted);
    let (back, left) = (at(b"\x1b[<u"), at(b"\x1b[?1049l"));
    assert!(back.is_some() && back < left, "before the other screen, which has keyboard modes of its own");
}

#[test]
fn a_terminal_that_does_not_answer_keeps_its_keyboard() {
    let home = tempfile::tempdir().expect("a home");
    let mut program = start(home.path());
    program.press("q");
    assert_eq!(program.wait(), 0);
    let bytes = program.bytes();
    for sequence in [&b"\x1b[>29u"[..], b"\x1b[<u"] {
        assert!(!bytes.windows(sequence.len()).any(|window| window == sequence), "{}", sequence.escape_ascii());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn standard_error_goes_to_the_log_while_the_screen_is_ours() {
    use std::io::Write as _;
    let home = tempfile::tempdir().expect("a home");
    let mut program = start(home.path());
    let errors = format!("/proc/{}/fd/2", program.pid());
    let log = std::fs::read_link(&errors).expect("its standard error");
    assert_eq!(log.file_name().and_then(|name| name.to_str()), Some("cspine.log"));
    // As a library would.
    let mut there = std::fs::OpenOptions::new().append(true).open(&errors).expect("opened");
    there.write_all(b"Error in cpuinfo: no such file\n").expect("written");
    assert_untouched(&mut program);
    assert!(!program.screen().contains("cpuinfo"));
    assert!(std::fs::read_to_string(&log).expect("the log").contains("Error in cpuinfo"));
    program.press("q");
    assert_eq!(program.wait(), 0);
}
