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

/// As [`start`], by a command that starts the program, with more variables.
#[cfg(target_os = "linux")]
fn start_by(first: &[&str], variables: &[(&str, &str)], home: &std::path::Path) -> Program {
    let command = [first, &[env!("CARGO_BIN_EXE_cspine"), ".", "--graphics", "none"]].concat();
    Program::run(&command, variables, home, 100, 24)
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
        // Arrow keys: Esc may be made up, but nothing else.
        ["\x1b", "[A"],
        ["\x1b", "OB"],
        ["\x1b", "[2;1R"],
        ["\x1b[6;18", ";9t"],
    ];
    for [first, rest] in parts {
        program.press(first);
        // Longer than any wait for more.
        std::thread::sleep(Duration::from_millis(600));
        let screen = program.screen();
        assert!(!screen.contains("no command on"), "before {first:?}, {rest:?}:\n{screen}");
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
        screen.contains("this layout sends 'ж', which has no command; see :keys") && !screen.contains("Caps Lock")
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

/// A library that every call for the time goes through. Once there is a file `say` in its folder it writes to descriptor 2, as
/// foreign libraries do; once there is a file `panic` it fails once on the main thread, and Rust's clock panics.
#[cfg(target_os = "linux")]
const FOREIGN_LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *time) {
    static const char line[] = "Error in cpuinfo: failed to parse /proc/cpuinfo\n";
    if (unlink("say") == 0 && write(2, line, sizeof line - 1) < 0) return -1;
    if (getpid() == syscall(SYS_gettid) && unlink("panic") == 0) {
        errno = EINVAL;
        return -1;
    }
    return syscall(SYS_clock_gettime, clock, time);
}
"#;

/// Compiles it, in `home`; `None`, with a word, without a C compiler.
#[cfg(target_os = "linux")]
fn foreign_library(home: &std::path::Path) -> Option<String> {
    let (source, library) = (home.join("foreign.c"), home.join("foreign.so"));
    std::fs::write(&source, FOREIGN_LIBRARY).expect("written");
    let compiled = std::process::Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status();
    if !compiled.is_ok_and(|status| status.success()) {
        println!("skipped: no C compiler");
        return None;
    }
    Some(library.to_str().expect("a plain path").to_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_library_writes_is_not_on_the_screen_and_after_a_panic_the_terminal_and_standard_error_are_back() {
    let home = tempfile::tempdir().expect("a home");
    let Some(library) = foreign_library(home.path()) else { return };
    let mut program = start_by(&[], &[("LD_PRELOAD", &library)], home.path());
    program.wait_for("the list", |screen| screen.contains("no study found"));
    let log = std::fs::read_link(format!("/proc/{}/fd/2", program.pid())).expect("its standard error");
    std::fs::write(home.path().join("say"), "").expect("written");
    let said = || std::fs::read_to_string(&log).expect("the log").contains("Error in cpuinfo");
    program.wait_for("the library's line in the log", |_| said());
    assert_untouched(&mut program);
    assert!(!program.screen().contains("cpuinfo"), "{}", program.screen());
    std::fs::write(home.path().join("panic"), "").expect("written");
    program.press("o");
    assert_eq!(program.wait(), 101);
    let screen = program.wait_for("what happened", |screen| screen.contains("internal error"));
    // In order: what the developers need, then what it means; on the shell's screen.
    assert!(
        screen.contains("panicked at") && screen.contains("Decisions confirmed on the screen are saved"),
        "{screen}"
    );
    assert!(!screen.contains("no study found") && !screen.contains("cpuinfo"), "{screen}");
    let bytes = program.bytes();
    assert!(bytes.windows(8).any(|window| window == b"\x1b[?1049l"), "the shell's screen is back");
}

#[cfg(target_os = "linux")]
#[test]
fn without_proc_the_screen_is_intact() {
    let home = tempfile::tempdir().expect("a home");
    // As root, or as root of a user namespace.
    let hide = "mount -t tmpfs none /proc && exec \"$0\" \"$@\"";
    let permitted = |flags: &&str| {
        let tried = std::process::Command::new("unshare")
            .args([flags, "sh", "-c", hide, "test", "!", "-e", "/proc/self"])
            .output();
        tried.is_ok_and(|output| output.status.success())
    };
    let Some(flags) = ["-m", "-rm"].into_iter().find(permitted) else {
        println!("skipped: nothing can be mounted over /proc");
        return;
    };
    let mut program = start_by(&["unshare", flags, "sh", "-c", hide], &[], home.path());
    let screen = program.wait_for("the list", |screen| screen.contains("no study found"));
    assert!(!screen.contains("cpuinfo") && !screen.contains("/proc"), "{screen}");
    assert_untouched(&mut program);
    program.press("q");
    assert_eq!(program.wait(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_home_the_screen_works_and_says_that_decisions_are_not_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("its owner");
    // A user without an account: for all others the system knows a home.
    let first = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "env", "-u", "HOME"];
    let tried = std::process::Command::new(first[0])
        .args([&first[1..], &[env!("CARGO_BIN_EXE_cspine"), "--version"]].concat())
        .output();
    if !tried.is_ok_and(|output| output.status.success()) {
        println!("skipped: the program cannot be run as another user");
        return;
    }
    let mut program = start_by(&first, &[], folder.path());
    program.wait_for("the list", |screen| screen.contains("no study found"));
    program.wait_for("what is missing, and what to do", |screen| {
        let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        words.contains("HOME is not set") && words.contains("--data DIR")
    });
    assert_untouched(&mut program);
    program.press("q");
    assert_eq!(program.wait(), 0);
}
