//! Limits of the system and a missing home: what happens is said, with what to do about it.

use super::{cspine, path};
use std::path::Path;
use std::process::{Command, Output};

/// The program by a shell that first sets its own limits or environment.
fn by_shell(first: &str, home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{first}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_cspine")]).args(arguments);
    command.env("HOME", home).env("TERM", "xterm").output().expect("a shell")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[test]
fn too_few_open_files_are_refused_with_the_command_that_raises_them() {
    let home = tempfile::tempdir().expect("a home");
    for limit in [16, 20, 32, 63] {
        let output = by_shell(&format!("ulimit -n {limit}"), home.path(), &["demo"]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(
            text.contains(&format!("the limit is {limit} (ulimit -n)")) && text.contains("ulimit -n 1024"),
            "{text}"
        );
    }
    // Only the soft limit is low: the program raises it, and comes as far as the terminal, which is not there.
    let output = by_shell("ulimit -S -n 20", home.path(), &["demo"]);
    assert!(said(&output).contains("is not a terminal"), "{}", said(&output));
}

#[test]
fn files_that_could_not_be_opened_are_not_called_unreadable() {
    let home = tempfile::tempdir().expect("a home");
    let studies = tempfile::tempdir().expect("a folder");
    for n in 0..40 {
        std::fs::write(studies.path().join(format!("{n:02}.dcm")), [&[0; 128][..], b"DICM and no more"].concat())
            .expect("written");
    }
    let all = said(&cspine(home.path(), &["inspect", path(studies.path())]).output().expect("it runs"));
    // Each thread of readers opens a file; nothing is left for most of them.
    for limit in [5, 7, 9] {
        let output = by_shell(&format!("ulimit -n {limit}"), home.path(), &["inspect", path(studies.path())]);
        let text = said(&output);
        assert!(
            text == all || text.contains("too many open files: the limit is"),
            "limit {limit}:\n{text}\nand not\n{all}"
        );
        assert!(!text.contains("os error") && !text.contains("uncategorized"), "{text}");
    }
}
